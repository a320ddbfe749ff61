"""Copies of the pages: for students without solutions, for instructors with them, and as a site."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from .pages import BUILD, ROOT

ASKED = re.compile(r"""teach\.check\(\s*["'](\d\d-[a-z0-9-]+)""")


def student_copy(notebook: Any) -> Any:
    """The page without solutions, outputs and counters."""
    from nbconvert.preprocessors import ClearOutputPreprocessor, TagRemovePreprocessor

    without = TagRemovePreprocessor(remove_cell_tags={"solution"}, enabled=True)
    for step in (without, ClearOutputPreprocessor(enabled=True)):
        notebook, _ = step.preprocess(notebook, {})
    return notebook


def instructor_copy(notebook: Any) -> Any:
    """The page with its outputs, its solutions open, and under each self-check the worked solution."""
    from nbformat.v4 import new_markdown_cell

    from . import solutions

    cells = []
    for cell in notebook.cells:
        cell.metadata.pop("jupyter", None)
        if "solution" in cell.metadata.get("tags", []):
            cell.metadata["tags"] = ["solution"]
        cells.append(cell)
        for name in ASKED.findall(cell.source) if cell.cell_type == "code" else []:
            block, worked = solutions.sections(name[:2]).get(name, ("", ""))
            text = f"**Solution of {name}**\n\n{worked}\n\n```yaml\n{block}```"
            cells.append(new_markdown_cell(text, id=f"solution-{name}", metadata={"tags": ["solution"]}))
    notebook.cells = cells
    return notebook


def write_copies(chosen: list[Path]) -> int:
    """Write student/ (no solutions, no outputs) and instructor/ (solutions open), both from one source."""
    import nbformat

    for folder, make in (("student", student_copy), ("instructor", instructor_copy)):
        (ROOT / folder).mkdir(exist_ok=True)
        for path in chosen:
            nbformat.write(make(nbformat.read(path, as_version=4)), ROOT / folder / path.name)
    print(f"{len(chosen)} notebooks written to student/ (solutions removed) and instructor/ (solutions open)")
    return 0


def book(chosen: list[Path]) -> int:
    """Build the site from the committed outputs into build/book."""
    source = BUILD / "book-source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("_build"))
    (source / "notebooks").mkdir(exist_ok=True)
    for path in chosen:
        shutil.copy(path, source / "notebooks" / path.name)
    code = subprocess.call(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", str(source), str(BUILD / "book")]
    )
    if code == 0:
        print("The site is in build/book/index.html")
    return code
