"""All files of a chapter in one folder: each written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from switchcost.core.errors import DataError
from switchcost.core.files import atomic_write

from . import notebook as report_notebook
from .chapter import Chapter
from .wording import Wording


def write(made: Chapter, folder: Path, *, paper: str = "A4", notebook: bool = True) -> list[Path]:
    """Write the chapter as Word, HTML and Markdown, every table as CSV, and the points for the author alone.

    Parameters
    ----------
    made : Chapter
    folder : Path
        Made when it is not there; files of the same names are replaced.
    paper : {"A4", "Letter"}
    notebook : bool
        Also an executed notebook that repeats the main numbers, and the answers that it reads.

    Returns
    -------
    list of Path
        In the order chapter.docx, chapter.html, chapter.md, settle_first.md, table_01.csv ..., analysis.ipynb, answers_used.csv
    """
    folder.mkdir(parents=True, exist_ok=True)
    words, clean = Wording(made.language), made.without_alarms()
    chapter = [
        clean.to_docx(folder / "chapter.docx", paper=paper),
        clean.to_html(folder / "chapter.html"),
        clean.to_markdown(folder / "chapter.md"),
    ]
    tables = [
        atomic_write(folder / f"table_{number:02d}.csv", "\ufeff" + table.cells().to_csv(index=False))
        for number, table in enumerate(clean.tables, start=1)
    ]
    points = [f"- {a}" for a in made.alarms]
    repeated: list[Path] = []
    if notebook:
        try:
            repeated = report_notebook.write(made.analysis, folder, made.language)
        except DataError as problem:
            points.append(words("notebook.failed", reason=str(problem).rstrip(".")))
    settled = "\n".join(points) or words["settle.nothing"]
    settle = atomic_write(folder / "settle_first.md", f"# {words['settle.title']}\n\n{settled}\n")
    return [*chapter, settle, *tables, *repeated]
