"""Which pages there are, and the parts of README.md that are computed from them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from switchcost.core.errors import DataError
from switchcost.core.files import atomic_write

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
BUILD = ROOT / "build"


def paths(chosen: list[str] | None = None) -> list[Path]:
    """The notebooks in their order, or those whose names start with one of ``chosen``."""
    every = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not chosen:
        return every
    for start in chosen:
        if not any(p.name.startswith(start) for p in every):
            raise DataError(f"no notebook starts with {start!r}; there are: {', '.join(p.stem for p in every)}")
    return [p for p in every if p.name.startswith(tuple(chosen))]


def safe_write(path: Path, text: str) -> None:
    """Write a page whole or not at all, and say in a sentence why it could not be written.

    Raises
    ------
    DataError
        The file cannot be written; the old one is as it was.
    """
    try:
        atomic_write(path, text)
    except OSError as error:
        why = f"{error.strerror}; {path.parent.name}/{path.name} is as it was"
        raise DataError(
            f"cannot write {path.name}: {why}. Make room or choose another folder, and run it again"
        ) from error


def contents() -> Any:
    """The notebooks as a table, read from their own first cells.

    Returns
    -------
    DataFrame
        Index: number. Columns: title, minutes (reading and doing), file.

    Examples
    --------
    >>> contents().columns.tolist()
    ['title', 'minutes', 'file']
    """
    import json

    import pandas as pd

    rows = []
    for path in paths():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(c["source"]) for c in cells[:8] if c["cell_type"] == "markdown")
        title, minutes = re.search(r"^# (.+)$", text, re.M), re.search(r"(\d+) minutes", text)
        if not title or not minutes:
            raise DataError(f"{path.name} lacks a title ('# ...') or its length ('40 minutes') in its first cells")
        rows.append((path.name[:2], title[1], int(minutes[1]), path.name))
    return pd.DataFrame(rows, columns=["number", "title", "minutes", "file"]).set_index("number")


def answers() -> Any:
    """The answer of every page: the bold sentences under its heading "Answer", as they were computed there.

    Returns
    -------
    DataFrame
        Index: number. Columns: title, answer.

    Examples
    --------
    >>> answers().columns.tolist()
    ['title', 'answer']
    """
    import json

    found = {}
    for path in paths():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        heads = [i for i, c in enumerate(cells) if re.search(r"^## (The a|A)nswer", "".join(c["source"]), re.M)]
        for cell in cells[heads[-1] + 1 :] if heads else []:
            said = ["".join(o.get("data", {}).get("text/markdown", "")) for o in cell.get("outputs", [])]
            bold = re.match(r"\s*\*\*(.+?)\*\*", said[0], re.S) if said else None
            if bold:
                found[path.name[:2]] = " ".join(bold[1].split())
                break
    return contents()[["title"]].assign(answer=found).dropna()


def readme_blocks() -> dict[str, str]:
    """The parts of README.md that are computed: the scoreboard's summary and the map of notebooks."""
    from papercheck import board as replicate

    board = replicate.scoreboard()
    every = replicate.summary(board).loc["all"]
    counts = ", ".join(f"{every[v]:.0f} {v}" for v in replicate.VERDICTS)
    lines = [f"{every['numbers']:.0f} numbers of {board.table['study'].nunique()} publications: {counts}."]
    basis = board.by_basis().reset_index()
    lines += [
        "",
        "What the comparable numbers rest on. The three are never added up: `answers` shows that a result can be",
        "computed again, `printed` that the arithmetic of a paper is right, `assumed` needs a quantity not printed.",
        "",
    ]
    lines += ["| " + " | ".join(basis.columns) + " |", "|:---|" + "---:|" * (len(basis.columns) - 1)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in basis.itertuples(index=False)]
    noticed = board.mutations
    if ("all", "printed") in noticed.index:
        shares = {b: f"{noticed.loc[('all', b), 'share']:.0%} of `{b}`" for b in ("answers", "printed", "assumed")}
        lines += ["", f"Changed by three units of its last digit, a number is noticed: {', '.join(shares.values())}."]
    note = board.warnings[0]
    lines += ["", note[0].upper() + note[1:]]
    rows = [f"| {number} | [{r.title}](notebooks/{r.file}) | {r.minutes} |" for number, r in contents().iterrows()]
    table = ["| | notebook | minutes |", "|---|---|---:|", *rows]
    return {"scoreboard": "\n".join(lines), "notebooks": "\n".join(table)}


def with_blocks(text: str, blocks: dict[str, str]) -> str:
    """README.md with its computed parts put between their marks."""
    for name, block in blocks.items():
        found = re.search(rf"<!-- {name}:[^>]*-->\n(.*?)<!-- end of {name} -->", text, re.S)
        if not found:
            raise DataError(f"README.md has lost the marks of its computed part {name!r}")
        text = text[: found.start(1)] + block + "\n" + text[found.end(1) :]
    return text


def readme() -> int:
    """Write the computed parts of README.md."""
    path = ROOT / "README.md"
    safe_write(path, with_blocks(path.read_text(encoding="utf-8"), readme_blocks()))
    print("README.md has today's scoreboard and map of notebooks")
    return 0
