"""What a reader of each notebook meets: packages called in visible code, lines, words, exercises, seconds.

Run ``python benchmarks/pages.py`` to write ``pages.csv``. Seconds are those that a run of the notebooks prints:
``python run.py > run.txt; python benchmarks/pages.py run.txt``; without a file the last ones are kept. An answer counts
as tried when the tests give it to the exercise and it must be refused: the foreseen wrong ones, zero, one, and every
number that the page shows above the question.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path

import pandas as pd

from coursepages import comparing, copies, pages, solutions

HERE = Path(__file__).parent
TABLE = HERE / "pages.csv"
PACKAGES = ("pandas", "seaborn", "pingouin", "factor_analyzer", "semopy")


def source(cell: dict) -> str:
    return "".join(cell["source"])


def is_folded(cell: dict) -> bool:
    return "hide-input" in cell["metadata"].get("tags", [])


def called(cells: list[dict], package: str) -> int:
    """Visible calls through a name that a visible cell imported from the package."""
    nodes = [n for c in cells for n in ast.walk(ast.parse(source(c)))]
    own = {
        a.asname or a.name.split(".")[0]
        for n in nodes
        if isinstance(n, ast.Import)
        for a in n.names
        if a.name.split(".")[0] == package
    }
    own |= {a.asname or a.name for n in nodes if isinstance(n, ast.ImportFrom) and n.module == package for a in n.names}
    calls = [n for n in nodes if isinstance(n, ast.Call)]
    return sum(any(isinstance(m, ast.Name) and m.id in own for m in ast.walk(c.func)) for c in calls)


def numbers_above(cells: list[dict], exercise: str) -> int:
    found: set[str] = set()
    for cell in cells:
        if exercise in copies.ASKED.findall(source(cell)):
            return len(found)
        text = source(cell)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text += "".join("".join(data.get(k, "")) for k in ("text/plain", "text/markdown"))
            text += "".join(output.get("text", ""))
        found |= set(comparing.NUMBER.findall(text))
    return len(found)


def row(path: Path) -> dict:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [c for c in cells if c["cell_type"] == "code"]
    visible = [c for c in code if not is_folded(c)]
    exercises = solutions.plain().get(path.name[:2], [])
    tried = sum(len(e.wrong) + 2 + numbers_above(code, e.name) for e in exercises)
    return {
        "notebook": path.stem,
        **{p: called(visible, p) for p in PACKAGES},
        "visible_lines": sum(len(source(c).splitlines()) for c in visible),
        "folded_lines": sum(len(source(c).splitlines()) for c in code if is_folded(c)),
        "words": sum(len(source(c).split()) for c in cells if c["cell_type"] == "markdown"),
        "cells": len(cells),
        "exercises": len(exercises),
        "wrong_answers_tried": tried,
    }


def main(log: str | None = None) -> None:
    table = pd.DataFrame([row(p) for p in pages.paths()])
    if log:
        seconds = dict(re.findall(r"^(\d\d_\w+)\s+([\d.]+)\s", Path(log).read_text(encoding="utf-8"), re.M))
        table["seconds"] = table["notebook"].map(seconds).astype(float)
    elif TABLE.exists():
        table["seconds"] = table["notebook"].map(pd.read_csv(TABLE).set_index("notebook")["seconds"])
    table.to_csv(TABLE, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
