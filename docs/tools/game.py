"""A game for one session: two published papers, some of their printed numbers as cards, one board.

python run.py game                         write game/: rules, both papers' tables, a sheet of cards
python run.py game team_a.csv team_b.csv   print the board of the teams' filled sheets
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pandas as pd

import switchcost as sc
from coursepages.pages import ROOT, safe_write
from switchcost.core.errors import OURS, DataError

STUDIES = ("aydin2005", "kim2004")
CALLS = {
    "agrees": ("exact", "within rounding"),
    "contradicts": ("inconsistent", "different"),
    "cannot be checked": ("not comparable",),
}
A_PAPER = 3  # cards of each call and paper


def cards() -> pd.DataFrame:
    """The cards: printed numbers of both papers, as many of each verdict, never two of one constraint.

    Returns
    -------
    DataFrame
        Index: card. Columns: study, table, quantity, row, column, printed, call, reason.
    """
    rows = sc.scoreboard().table
    call = {verdict: name for name, verdicts in CALLS.items() for verdict in verdicts}
    rows = rows.assign(call=rows["verdict"].map(call))
    picked = []
    for study in STUDIES:
        own = rows[rows["study"] == study]
        for name in CALLS:
            some = own[own["call"] == name]
            once = some["constraint"].where(some["constraint"] != "", some["table"] + some["quantity"])
            some = some[~once.duplicated()]
            picked.append(some.iloc[[round(k * (len(some) - 1) / (A_PAPER - 1)) for k in range(A_PAPER)]])
    drawn = pd.concat(picked).sample(frac=1, random_state=7).reset_index(drop=True)
    drawn.index = pd.Index(range(1, len(drawn) + 1), name="card")
    return drawn[["study", "table", "quantity", "row", "column", "printed", "call", "reason"]]


def deal(folder: Path | None = None) -> int:
    """Write the game: rules, both papers' printed tables, and a sheet of cards for each team to copy."""
    folder = folder or ROOT / "game"
    folder.mkdir(parents=True, exist_ok=True)
    sheet = cards().drop(columns=["call", "reason"]).assign(your_call="")
    safe_write(folder / "team.csv", sheet.to_csv())
    shutil.copy(ROOT / "docs" / "teaching" / "replication_game.md", folder / "rules.md")
    for study in STUDIES:
        source = ROOT / "data" / "published" / study
        shutil.copytree(source, folder / study, dirs_exist_ok=True, ignore=shutil.ignore_patterns("study.json"))
    print(f"{folder.name}/ has the rules, the tables of {' and '.join(STUDIES)}, and team.csv with {len(sheet)} cards.")
    print("Each team fills its copy; then: python run.py game team_a.csv team_b.csv")
    return 0


def points(answers: pd.DataFrame) -> pd.Series:
    """Points of one team: 1 for a right call, -1 for a wrong one, 0 for none.

    Parameters
    ----------
    answers : DataFrame
        A filled ``team.csv`` with the columns card and your_call.

    Returns
    -------
    Series
        Index: card.

    Raises
    ------
    DataError
        A column is missing, or a call is none of the three.
    """
    lacking = [c for c in ("card", "your_call") if c not in answers]
    if lacking:
        raise DataError(f"a team's sheet needs the column {lacking[0]!r}; fill a copy of game/team.csv")
    key = cards()["call"]
    calls = answers.set_index("card")["your_call"].fillna("").astype(str).str.strip().str.lower()
    unknown = sorted(set(calls) - set(CALLS) - {""})
    if unknown:
        raise DataError(f"{unknown[0]!r} is no call; a call is one of: {', '.join(CALLS)}, or left empty")
    calls = calls.reindex(key.index, fill_value="")
    return (calls == key).astype(int) - ((calls != key) & (calls != "")).astype(int)


def score(files: list[str]) -> int:
    """Print the board of all teams: who has how many points, and on which cards the class was wrong."""
    missing = [f for f in files if not Path(f).exists()]
    if missing:
        raise DataError(f"there is no file {Path(missing[0]).name}; each team saves its copy of game/team.csv")
    board = pd.DataFrame({Path(f).stem: points(pd.read_csv(f)) for f in files})
    print(board.sum().sort_values(ascending=False).rename("points").to_string())
    drawn = cards()
    hard = board.index[(board < 1).all(axis=1)]
    if len(hard):
        print("\nNo team had these:")
        for card, r in drawn.loc[hard].iterrows():
            what = ", ".join(v for v in (r["study"], r["table"], r["quantity"], r["row"], r["column"]) if v)
            print(f"{card:3d}  {what}, printed {r['printed']}: {r['call']}. {r['reason']}")
    return 0


def key() -> int:
    """Write the calls and their arithmetic for the lecturer."""
    safe_write(ROOT / "instructor" / "game_key.md", f"# Key of the replication game\n\n{cards().to_markdown()}\n")
    return 0


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["--key"]:
            return key()
        return score(arguments) if arguments else deal()
    except OURS as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
