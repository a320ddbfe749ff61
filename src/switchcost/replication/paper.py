"""Check any printed table, or a study that is being added, from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from .._core.errors import OURS, DataError
from ..data.registry import data_dir, read_registry
from .arithmetic import tests_in_text
from .board import replicate, report
from .consistency import check_table
from .printed import INCONSISTENT, check_frame
from .reading import numbers, read_study

_REQUIRED = ("key", "citation", "market", "n")
_WANTED = ("licence", "scale", "method", "open_level", "notes")


def check_paper(
    path: str | Path, *, n: float | None = None, scale: tuple[float, float] | None = None, items: int | None = None
) -> pd.DataFrame:
    """Run every consistency check on a printed table that is kept as a CSV file, or on a text with tests in it.

    Parameters
    ----------
    path : str or path
        A CSV file with a printed table (the columns of :func:`~.consistency.check_table`), or a text file with tests
        as papers print them: ``t(28) = 2.20, p = .036``, ``F(2, 60) = 3.1, p < .05``, ``chi2(3, N = 90) = 8.0, p = .04``.
    n, scale, items :
        Sample size, lowest and highest answer, and number of observed variables, where the table does not say.

    Returns
    -------
    DataFrame as from :func:`~.consistency.check_table`, findings first

    Raises
    ------
    DataError
        The file cannot be read, or no check applies.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read as UTF-8 text: {error}") from None
    rows = tests_in_text(text)
    if path.suffix.lower() != ".csv":
        if not rows:
            raise DataError(f"{path.name} holds no test such as 't(28) = 2.20, p = .036'")
        return check_frame(rows, path.stem)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path.name} is not a CSV table: {error}") from None
    try:
        found = check_table(table, name=path.stem, n=n, scale=scale, items=items, study=path.stem)
    except DataError as error:
        if not rows or "no check applies" not in str(error):
            raise
        return check_frame(rows, path.stem)
    return found if not rows else pd.concat([check_frame(rows, path.stem), found], ignore_index=True)


def missing_in_study(study: str | Path) -> list[str]:
    """What a study folder still lacks, one sentence each; empty when it is complete.

    Parameters
    ----------
    study : name of a folder in ``data/published``, or the path of a folder made like one
    """
    folder = study if isinstance(study, Path) else data_dir() / "published" / study
    if not folder.is_dir():
        raise DataError(f"there is no folder {str(study)!r}; make it in data/published, or give its path")
    lacks = []
    meta: dict = {}
    if not (folder / "study.json").is_file():
        lacks.append("study.json is missing: citation, market, n (see data/published/README.md)")
    else:
        try:
            meta = json.loads((folder / "study.json").read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            return [f"study.json is not valid JSON: {error}"]
        lacks += [f"study.json lacks {k!r} (required)" for k in _REQUIRED if k not in meta]
        lacks += [f"study.json lacks {k!r} (wanted)" for k in _WANTED if k not in meta]
        if meta.get("key", folder.name) != folder.name:
            lacks.append(f"study.json has the key {meta['key']!r}; it must be the folder's name, {folder.name!r}")
    lacks += [f"{name} is missing" for name in ("README.md", "codebook.csv") if not (folder / name).is_file()]
    try:
        table = numbers(study)
        tables, _ = read_study(study)
    except OURS as error:
        return [*lacks, f"not readable: {error}"]
    lacks += [
        f"table {name!r}: no number can be read from {text!r} ({row} {quantity})"
        for name, _, quantity, row, _, text in table.attrs["unreadable"]
    ]
    if (folder / "codebook.csv").is_file():
        book = pd.read_csv(folder / "codebook.csv", dtype=str, keep_default_na=False)
        said = set(zip(book.get("table", []), book.get("column", []), strict=False))
        files = {p.stem for p in folder.glob("*.csv")} - {"codebook"}
        lacks += [
            f"codebook.csv does not explain column {c!r} of table {t!r}"
            for t in sorted(files & set(tables))
            for c in tables[t].columns
            if (t, c) not in said and ("all", c) not in said
        ]
    known = read_registry(data_dir())
    inside = folder.resolve().is_relative_to(data_dir().resolve())
    unknown = [p.name for p in sorted(folder.glob("*.csv")) if p.name != "codebook.csv"] if inside else []
    unknown = [f for f in unknown if f"published/{folder.name}/{f}" not in known]
    if unknown:
        lacks.append(f"{', '.join(unknown)}: not in data/registry.csv; run python -m switchcost.data register")
    return lacks


def main(arguments: list[str]) -> int:
    """The commands of ``python -m switchcost.replication``; returns 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python run.py", description="Printed numbers against each other.")
    commands = parser.add_subparsers(dest="command")
    paper = commands.add_parser("check-paper", help="check a printed table (CSV) or a text with tests in it")
    paper.add_argument("file", type=Path)
    paper.add_argument("--n", type=float, help="sample size")
    paper.add_argument("--scale", nargs=2, type=float, metavar=("LOW", "HIGH"), help="lowest and highest answer")
    paper.add_argument("--items", type=int, help="number of observed variables of the model")
    study = commands.add_parser("check-study", help="what a study folder lacks, and how its numbers are judged")
    study.add_argument("study", help="a folder of data/published, or the path of one")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "check-paper":
            return _print_paper(chosen)
        if chosen.command == "check-study":
            return _print_study(chosen.study)
    except OURS as error:
        print(error, file=sys.stderr)
        return 2
    return report()


def _print_paper(chosen: argparse.Namespace) -> int:
    found = check_paper(
        chosen.file, n=chosen.n, scale=tuple(chosen.scale) if chosen.scale else None, items=chosen.items
    )
    bad = found[found.verdict != "consistent"]
    print(f"{len(found)} checks, {len(bad)} of them fail")
    for r in bad.itertuples():
        print(f"  {r.where}: {r.check}: {r.verdict}\n    {r.arithmetic}")
    passed = found[found.verdict == "consistent"].check.value_counts()
    if len(passed):
        print("passed: " + ", ".join(f"{k} ({v})" for k, v in passed.items()))
    return int((found.verdict == INCONSISTENT).any())


def _print_study(name: str) -> int:
    folder = data_dir() / "published" / name
    study: str | Path = name if folder.is_dir() else Path(name)
    lacks = missing_in_study(study)
    print(f"{name}: " + ("nothing is missing" if not lacks else f"{len(lacks)} things are missing"))
    for sentence in lacks:
        print(f"  {sentence}")
    if not any(s.startswith(("not readable", "study.json is not valid")) for s in lacks):
        board = replicate(study)
        counts = board.verdict.value_counts()
        print(f"{len(board)} printed numbers: " + ", ".join(f"{v} {k}" for k, v in counts.items()))
        for r in board[board.verdict == "inconsistent"].itertuples():
            print(f"  {r.quantity} {r.row} {r.column}: {r.reason}")
    return int(any("(wanted)" not in s for s in lacks))
