"""Copies of the pages: for students without solutions, for instructors with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from switchcost.core.errors import DataError

from .pages import ROOT, safe_write

ASKED = re.compile(r"""teach\.check\(\s*["'](\d\d-[a-z0-9-]+)""")


def student_copy(notebook: Any) -> Any:
    """The page without solutions, outputs and counters."""
    from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor

    without = TagRemovePreprocessor(remove_cell_tags={"solution"}, enabled=True)
    for step in (without, ClearOutputPreprocessor(enabled=True)):
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def worked(name: str) -> str:
    """The answer of one exercise, how to get it, and the wrong answers that people give, in Markdown."""
    import yaml

    from . import solutions

    written = solutions.sections(name[:2])
    if name not in written:
        raise DataError(
            f"the solution of {name} is not here: a project handed to students comes without; use the whole one"
        )
    block, argument = written[name]
    fields = yaml.safe_load(block)
    answer = fields.get("answer", fields.get("words", fields.get("names")))
    if "between" in fields:
        answer = "between {} and {}".format(*fields["between"])
    elif isinstance(answer, list):
        answer = (" or " if "words" in fields else ", ").join(map(str, answer))
    lines = [f"*{fields['question']}*", "", f"**Answer:** {answer}. {fields.get('right', '')}".rstrip(), "", argument]
    hints = ["", "Hints, in order:", "", *(f"- {h}" for h in fields["hints"])] if fields.get("hints") else []
    wrong = [f"- {w['answer']}: {w['hint']}" for w in fields.get("wrong", ())]
    return "\n".join([*lines, *hints, *(["", "Wrong answers that are often given:", "", *wrong] if wrong else [])])


def instructor_copy(notebook: Any) -> Any:
    """The page with its outputs, its solutions open, and under each self-check the worked solution."""
    from nbformat.v4 import new_markdown_cell

    cells = []
    for cell in notebook.cells:
        cell.metadata.pop("jupyter", None)
        if "solution" in cell.metadata.get("tags", []):
            cell.metadata["tags"] = ["solution"]
        cells.append(cell)
        for name in ASKED.findall(cell.source) if cell.cell_type == "code" else []:
            text = f"**Solution of {name}**\n\n{worked(name)}"
            cells.append(new_markdown_cell(text, id=f"solution-{name}", metadata={"tags": ["solution"]}))
    notebook.cells = cells
    return notebook


def write_copies(chosen: list[Path]) -> int:
    """Write student/ (no solutions, no outputs) and instructor/ (solutions open), from one source."""
    import nbformat

    for folder, make in (("student", student_copy), ("instructor", instructor_copy)):
        (ROOT / folder).mkdir(exist_ok=True)
        for path in chosen:
            safe_write(ROOT / folder / path.name, nbformat.writes(make(nbformat.read(path, as_version=4))) + "\n")
    print(f"{len(chosen)} notebooks written to student/ (solutions removed) and instructor/ (solutions open)")
    return 0
