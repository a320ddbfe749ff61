"""``switchcost chapter answers codebook study.yaml``: from a survey file to a results chapter, without Python."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .._core.errors import OURS, DataError
from .._core.files import atomic_write
from . import study
from .chapter import Chapter, results_chapter


def write_chapter(
    answers: str | Path, codebook: str | Path, study_file: str | Path, *, out: str | Path | None = None
) -> list[Path]:
    """Write the chapter of a study beside its data.

    Parameters
    ----------
    answers, codebook : str or path
        Files as ``sc.read_survey`` and ``sc.codebook`` read them.
    study_file : str or path
        YAML, as ``python run.py new-study`` writes an example of.
    out : str or path, optional
        Folder; ``<name of the answers>_chapter`` beside the answers when left out.

    Returns
    -------
    list of Path
        chapter.docx, chapter.md, settle_first.md (points for the author alone), and every table as CSV.

    Raises
    ------
    DataError
        A file or a name in it cannot be used.
    """
    plan = study.read_study(study_file)
    settings = {k: plan[k] for k in ("title", "min_answered") if k in plan}
    model = {k: v for k, v in plan.items() if k not in settings}
    made = results_chapter(Path(answers), Path(codebook), model, **settings)
    folder = Path(out) if out else Path(answers).resolve().parent / f"{Path(answers).stem}_chapter"
    folder.mkdir(parents=True, exist_ok=True)
    clean = Chapter(
        made.title, [s for s in made.sections if not s.alarm], [], made.checklist, made.results, made.scores
    )
    points = "\n".join(f"- {a}" for a in made.alarms) or "Nothing was found."
    files = [
        clean.to_docx(folder / "chapter.docx"),
        clean.to_markdown(folder / "chapter.md"),
        atomic_write(folder / "settle_first.md", f"# To settle before you hand in\n\n{points}\n"),
    ]
    for number, table in enumerate(clean.tables, start=1):
        text = table.cells().to_csv(index=False)
        files.append(atomic_write(folder / f"table_{number:02d}.csv", text))
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when the files are written, 2 with one sentence when they cannot be."""
    parser = argparse.ArgumentParser(prog="switchcost", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    chapter = commands.add_parser("chapter", help="write a results chapter")
    for name in ("answers", "codebook", "study"):
        chapter.add_argument(name)
    chapter.add_argument("--out", help="folder for the files; beside the answers when left out")
    new = commands.add_parser("new-study", help="write an example of a study file")
    new.add_argument("name", help="the file is NAME.yaml in this folder")
    options = parser.parse_args(arguments)
    try:
        if options.command == "new-study":
            path = Path(options.name).with_suffix(".yaml")
            if path.exists():
                raise DataError(f"{str(path)!r} is already there; choose another name")
            print(f"{atomic_write(path, study.EXAMPLE).resolve()} is written; change it to your hypotheses")
            return 0
        files = write_chapter(options.answers, options.codebook, options.study, out=options.out)
    except OURS as problem:
        print(problem, file=sys.stderr)
        return 2
    print(f"{len(files)} files are in {files[0].resolve().parent}; read settle_first.md first")
    return 0


if __name__ == "__main__":
    sys.exit(main())
