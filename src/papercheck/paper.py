"""Check any printed table, or a study that is being added, from the command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pandas as pd

from switchcost.core.errors import OURS, DataError
from switchcost.data.registry import data_dir, read_registry

from .board import replicate, report
from .consistency import check_paper
from .reading import numbers, read_study

_REQUIRED = ("key", "citation", "market", "n")
_WANTED = ("licence", "scale", "method", "open_level", "notes")


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
    """The commands of ``python -m papercheck``; returns 1 where something is wrong."""
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
    scale = tuple(chosen.scale) if chosen.scale else None
    return _print_verdicts(check_paper(chosen.file, n=chosen.n, scale=scale, items=chosen.items))


def _print_verdicts(board: pd.DataFrame) -> int:
    """Counts, and every number that cannot stand with its arithmetic; 1 where there is one."""
    counts = board.verdict.value_counts()
    print(f"{len(board)} printed numbers: " + ", ".join(f"{v} {k}" for k, v in counts.items()))
    bad = board[board.verdict.isin(["inconsistent", "different"])]
    for r in bad.itertuples():
        print(
            f"  {' '.join(filter(None, (r.model, r.quantity, r.row, r.column)))} {r.printed}: {r.verdict}\n    {r.reason}"
        )
    unseen = board[(board.quantity == "mean") & (board.reason == "needs the answers to this item")]
    if len(unseen):
        print(
            f"  {len(unseen)} means were not held against whole answers: that needs n and how many answers each averages "
            "(call the first column 'item', or add a column 'items'; many people and few decimals allow every mean)."
        )
    return int(len(bad) > 0)


def _print_study(name: str) -> int:
    folder = data_dir() / "published" / name
    study: str | Path = name if folder.is_dir() else Path(name)
    lacks = missing_in_study(study)
    print(f"{name}: " + ("nothing is missing" if not lacks else f"{len(lacks)} things are missing"))
    for sentence in lacks:
        print(f"  {sentence}")
    if not any(s.startswith(("not readable", "study.json is not valid")) for s in lacks):
        _print_verdicts(replicate(study))
    return int(any("(wanted)" not in s for s in lacks))
