"""The replication game: balanced cards, a sheet without the key, points that can be lost."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from switchcost.core.errors import DataError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def game():
    spec = importlib.util.spec_from_file_location("game", ROOT / "docs" / "tools" / "game.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cards_are_balanced_and_no_identity_is_dealt_twice(game):
    drawn = game.cards()
    assert pd.crosstab(drawn["study"], drawn["call"]).to_numpy().tolist() == [[3, 3, 3], [3, 3, 3]]
    assert drawn.index.tolist() == list(range(1, 19))
    assert not drawn.duplicated(["study", "table", "quantity", "row", "column"]).any()


def test_a_team_gets_cards_tables_and_rules_but_no_key(game, tmp_path, capsys):
    assert game.deal(tmp_path / "game") == 0
    sheet = pd.read_csv(tmp_path / "game" / "team.csv")
    assert len(sheet) == 18 and sheet["your_call"].isna().all() and not {"call", "reason", "verdict"} & set(sheet)
    assert (tmp_path / "game" / "kim2004" / "table6.csv").exists() and "Bet" in (
        tmp_path / "game" / "rules.md"
    ).read_text()
    for path in (tmp_path / "game").rglob("*"):
        assert path.is_dir() or "inconsistent" not in path.read_text(encoding="utf-8"), path.name


def test_points_by_hand_and_the_board(game, tmp_path, capsys):
    key = game.cards()["call"]
    right = pd.DataFrame({"card": key.index, "your_call": key.str.upper() + " "})
    assert game.points(right).sum() == 18
    mixed = right.assign(your_call=["agrees"] * 17 + [None])
    agree = int((key.iloc[:17] == "agrees").sum())
    assert game.points(mixed).sum() == agree - (17 - agree)
    for name, sheet in {"red": right, "blue": mixed}.items():
        sheet.to_csv(tmp_path / f"{name}.csv", index=False)
    assert game.score([str(tmp_path / "red.csv"), str(tmp_path / "blue.csv")]) == 0
    said = capsys.readouterr().out
    assert said.index("red") < said.index("blue") and "No team had" not in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.assign(your_call="maybe"), "'maybe' is no call.*agrees, contradicts"),
        (lambda d: d.drop(columns="your_call"), "column 'your_call'"),
    ],
)
def test_a_sheet_that_cannot_be_scored(game, change, said):
    with pytest.raises(DataError, match=said):
        game.points(change(pd.DataFrame({"card": [1, 2], "your_call": ["", ""]})))


def test_a_sheet_that_is_not_there(game):
    with pytest.raises(DataError, match="no file team_z.csv"):
        game.score(["somewhere/team_z.csv"])
