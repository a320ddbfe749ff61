"""``switchcost chapter answers codebook study.yaml``: from a survey file to a results chapter, without Python."""

from __future__ import annotations

import argparse
import os
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from switchcost.core.errors import OURS, DataError, SurveyNote
from switchcost.core.files import atomic_write
from switchcost.data.codebook import codebook as read_codebook
from switchcost.data.files import read_survey
from switchcost.data.sets import load

from . import outputs, study
from .chapter import results_chapter
from .codebooks import missing_parts, overview, write_skeleton
from .screening.cells import NOT_ITEMS


def write_chapter(answers: str | Path, codebook: str | Path, study_file: str | Path, *, out: str | Path | None = None, notebook: bool = True) -> list[Path]:  # fmt: skip
    """Write the chapter of a study beside its data.

    Parameters
    ----------
    answers, codebook : str or path
        Files as ``sc.read_survey`` and ``sc.codebook`` read them.
    study_file : str or path
        YAML, as ``python run.py new-study`` writes an example of.
    out : str or path, optional
        Folder; ``<name of the answers>_chapter`` beside the answers when left out.
    notebook : bool
        Also an executed notebook that repeats the main numbers.

    Returns
    -------
    list of Path
        chapter.docx, chapter.html, chapter.md, settle_first.md (points for the author alone), every table as CSV, and
        analysis.ipynb with the answers that it reads.

    Raises
    ------
    DataError
        A file or a name in it cannot be used.
    """
    plan = study.read_study(study_file)
    book = read_codebook(Path(codebook))
    own = dict(zip(book["short"], book["variable"], strict=True)) if "short" in book else {}
    listed = {
        k: [own.get(n, n) for n in ([v] if isinstance(v, str) else v)] for k, v in plan.reading.items() if k == "drop"
    }
    named = {k: {own.get(n, n): v for n, v in d.items()} for k, d in plan.reading.items() if isinstance(d, dict)}
    data = read_survey(Path(answers), book, **{**plan.reading, **listed, **named})
    for column, kind in zip(book["variable"], book["construct"], strict=True):
        if column in data.attrs["platform_columns"] and kind.casefold() not in {*NOT_ITEMS, ""}:
            raise DataError(f"the codebook has {column!r} in the scale {kind!r}, and the survey platform wrote it: it is no answer, so write 'platform' into its 'construct'")  # fmt: skip
    book = book[book["variable"].isin(data.columns)]  # without what was dropped; anything else is refused by the reader
    settings = dict(plan.settings)
    paper = settings.pop("paper", "A4")
    made = results_chapter(data, book, plan.model, **settings)
    folder = Path(out) if out else Path(answers).resolve().parent / f"{Path(answers).stem}_chapter"
    files = outputs.write(made, folder, paper=paper, notebook=notebook)
    flow = pd.DataFrame([(s.what, s.dropped, s.left) for s in made.analysis.sample.flow], columns=["step", "dropped", "left"])  # fmt: skip
    settle, read = folder / "settle_first.md", data.attrs["read"]
    heading = "文件的读取（程序原文）" if settings.get("language") == "zh" else "How the file was read"
    told = "\n".join(
        f"- {note}" for note in map(lambda s: without_python(s, "chapter"), (read["said"], *read["notes"]))
    )
    atomic_write(settle, f"{settle.read_text(encoding='utf-8').rstrip()}\n\n# {heading}\n\n{told}\n")
    return [*files, atomic_write(folder / "flow_of_n.csv", flow.to_csv(index=False, lineterminator="\n"))]


def new_study(name: str | Path) -> Path:
    """Write a folder with a worked example that runs: simulated answers, their codebook, and a study file."""
    folder = Path(name)
    if folder.exists():
        raise DataError(f"{str(folder)!r} is already there; choose another name")
    book = read_codebook("telecom_survey")
    names = ["satisfaction", "trust", "benefit_loss", "personal_relationship", "attitudinal", "recommendation", "group", "background"]  # fmt: skip
    book = book[book["construct"].isin(names)]
    data = load("telecom_survey")[list(book["variable"])].iloc[:400]
    folder.mkdir(parents=True)
    atomic_write(folder / "answers.csv", data.to_csv(index=False, lineterminator="\n"))
    atomic_write(folder / "codebook.csv", "\ufeff" + book.to_csv(index=False, lineterminator="\n"))
    atomic_write(folder / "study.yaml", study.EXAMPLE)
    return folder.resolve()


READ_ONLY = ("keep", "min_seconds", "attention")  # the codebook command has no such options


def call() -> str:
    """How this program was called, for commands that a person copies."""
    return os.environ.get("SWITCHCOST_CALL", "switchcost")


def without_python(text: str, command: str) -> str:
    """Options of the reader as the person who reads this writes them: in the study file, or behind the command."""

    def written(found: re.Match[str]) -> str:
        name, value = found["name"], found["value"]
        plain = value.strip("[]")
        return f"--{name} {plain}" if command == "codebook" else f"read: {{{name}: {value}}} in the study file"

    names = ("sheet", "sep", "decimal", "thousands", "encoding", "missing", "drop", *(() if command == "codebook" else READ_ONLY))  # fmt: skip
    value = r"\[[^\]]*\]|\{[^}]*\}|'[^']*'|\"[^\"]*\"|\([^)]*\)|[\w.-]+"
    return re.sub(rf"\b(?P<name>{'|'.join(names)})=(?P<value>{value})", written, text)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 when the files are written, 2 with one sentence when they cannot be."""
    parser = argparse.ArgumentParser(prog=call(), description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    chapter = commands.add_parser("chapter", help="write a results chapter")
    for name in ("answers", "codebook", "study"):
        chapter.add_argument(name)
    chapter.add_argument("--out", help="folder for the files; beside the answers when left out")
    chapter.add_argument("--no-notebook", action="store_true", help="leave out the executed notebook")
    new = commands.add_parser("new-study", help="write a folder with answers, codebook and study file that run")
    new.add_argument("name", help="the folder is NAME in this folder")
    book = commands.add_parser("codebook", help="write a codebook to begin with beside a survey file")
    book.add_argument("file")
    book.add_argument("--out", help="another name for the codebook")
    book.add_argument("--sheet", help="the sheet of a workbook that holds the answers")
    for name, what in (("drop", "a column to leave out"), ("missing", "an answer that means none")):
        book.add_argument(f"--{name}", action="append", default=[], metavar=name.upper(), help=f"{what}; may be repeated")  # fmt: skip
    for name in ("sep", "decimal", "thousands", "encoding"):
        book.add_argument(f"--{name}", help="only where the automatic choice is wrong")
    options = parser.parse_args(arguments)
    try:
        if options.command == "new-study":
            folder = new_study(options.name)
            print(f"{folder} holds answers.csv (simulated), codebook.csv and study.yaml; put your own in their place.")
            print(
                f'Run it: {call()} chapter "{folder / "answers.csv"}" "{folder / "codebook.csv"}" "{folder / "study.yaml"}"'
            )
            return 0
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always", SurveyNote)
            said = _codebook(vars(options)) if options.command == "codebook" else _chapter(options)
    except OURS as problem:
        print(without_python(str(problem), options.command), file=sys.stderr)
        return 2
    print(
        *(
            without_python(f"{note.message}.", options.command)
            for note in notes
            if issubclass(note.category, SurveyNote)
        ),
        *said,
        sep="\n",
    )
    return 0


def _chapter(options: argparse.Namespace) -> list[str]:
    files = write_chapter(
        options.answers, options.codebook, options.study, out=options.out, notebook=not options.no_notebook
    )
    folder = files[0].resolve().parent
    return [
        *(str(f.resolve()) for f in files if not f.name.startswith("table_")),
        f"{len(files)} files are in {folder}; read settle_first.md first",
    ]


def _codebook(options: dict[str, Any]) -> list[str]:
    reading = {k: v for k, v in options.items() if k not in ("command", "file", "out")}
    written = write_skeleton(options["file"], options["out"], **reading)
    book = read_codebook(written)
    return [
        f"The codebook to begin with is {written}. Its column 'guessed' says what to look at.",
        overview(book),
        *(f"Still to fill in: {part}" for part in missing_parts(book)),
        f'Next: correct it and write a study file ("{call()} new-study example" writes one to copy from), then:',
        f'{call()} chapter "{options["file"]}" "{written}" study.yaml',
    ]


if __name__ == "__main__":
    sys.exit(main())
