"""A codebook to begin with, written beside a survey file, and what a person has still to fill in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from switchcost.core.errors import DataError
from switchcost.core.files import atomic_write
from switchcost.data.files import read_survey
from switchcost.data.guess import PLATFORM, skeleton


def write_skeleton(path: str | Path, out: str | Path | None = None, **options: Any) -> Path:
    """Read a survey file (``options`` of :func:`read_survey`) and write its skeleton beside it, as a CSV that Excel opens.

    Raises
    ------
    DataError
        The file cannot be read, or the skeleton exists already: work of hours is not written over.
    """
    path = Path(path)
    target = path.with_name(f"{path.stem}_codebook.csv") if out is None else Path(out)
    if target.exists():
        raise DataError(f"{target.name} exists already; move it away or name another file: --out FILE")
    book = skeleton(read_survey(path, keep="all", **options))
    return atomic_write(target, "\ufeff" + book.to_csv(index=False, lineterminator="\n"))


def missing_parts(book: pd.DataFrame) -> list[str]:
    """What a person has still to fill in: scales that carry a guessed name, items without wording or range."""
    open_: list[str] = []
    items = book[~book["construct"].isin(["", "group", "background", "text", "attention", PLATFORM])]

    def names(of: Iterable[str]) -> str:
        some = list(of)
        return ", ".join(some[:6]) + (", ..." if len(some) > 6 else "")

    for columns, what in ((["label_en", "label_zh"], "no wording"), (["low"], "no range"), (["high"], "no range")):
        empty = items[columns].isna() | (items[columns].astype(str) == "")
        lacking = items["variable"][empty.all(axis=1)]
        if len(lacking):
            open_.append(f"{what}: {names(lacking)}")
    guessed = sorted({c for c in items["construct"] if re.fullmatch(r"scale\d+", str(c))})
    if guessed:
        open_.append(f"scales without a name of yours: {names(guessed)}")
    for scale, n in items["construct"].value_counts().items():
        if n > 10:
            open_.append(f"{n} items of one question stand in {scale!r}: give each the name of its own construct")
    return list(dict.fromkeys(open_))
