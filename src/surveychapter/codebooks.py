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

NO_ITEMS = ("", "group", "background", "text", "attention", "id", "key")


def write_skeleton(path: str | Path, out: str | Path | None = None, **options: Any) -> Path:
    """Read a survey file (``options`` of :func:`read_survey`) and write its skeleton beside it.

    As a workbook, since a CSV opens in one column, or with dates for numbers, where Excel expects semicolons and decimal
    commas; ``out`` with the ending .csv writes one all the same.

    Raises
    ------
    DataError
        The file cannot be read, or the skeleton exists already: work of hours is not written over.
    """
    path = Path(path)
    target = path.with_name(f"{path.stem}_codebook.xlsx") if out is None else Path(out)
    if target.suffix.lower() not in (".xlsx", ".csv"):
        raise DataError(f"--out {target.name}: a codebook is a file that ends in .xlsx or .csv")
    if target.exists():
        raise DataError(f"{target.name} exists already; move it away or name another file: --out FILE")
    book = skeleton(read_survey(path, keep="all", **options))
    if target.suffix.lower() == ".csv":
        return atomic_write(target, "\ufeff" + book.to_csv(index=False, lineterminator="\n"))
    return atomic_write(target, lambda part: _workbook(book, part))


def _workbook(book: pd.DataFrame, part: Path) -> None:
    """A sheet whose head stays in sight and whose columns are as wide as what they hold."""
    from openpyxl.styles import Alignment, Font

    with pd.ExcelWriter(part, engine="openpyxl") as writer:
        book.to_excel(writer, sheet_name="codebook", index=False)
        sheet = writer.sheets["codebook"]
        sheet.freeze_panes = "C2"
        for column in sheet.columns:
            head = column[0]
            widest = max(len(str(cell.value or "")) for cell in column)
            sheet.column_dimensions[head.column_letter].width = min(max(widest, 8) + 2, 46)
            head.font = Font(bold=True)
            for cell in column[1:]:
                cell.data_type = (
                    "s" if isinstance(cell.value, str) else cell.data_type
                )  # "=..." in a wording is no formula
                cell.alignment = Alignment(vertical="top", wrap_text=widest > 46)


def overview(book: pd.DataFrame) -> str:
    """What a skeleton holds, in a sentence, so that a scale that was not recognised is missed at once."""
    other = book["construct"].isin([*NO_ITEMS, PLATFORM])
    sizes = book["construct"][~other].value_counts(sort=False)
    kinds = book["construct"][other].value_counts(sort=False)
    parts = [f"{n} {kind}" for kind, n in kinds.items() if kind]
    scales = f"{sizes.sum()} items in {len(sizes)} scale{'s' * (len(sizes) != 1)} ({', '.join(f'{s}: {n}' for s, n in sizes.items())})"
    return f"It lists {scales if len(sizes) else 'no items'}; other columns: {', '.join(parts) or 'none'}."


def missing_parts(book: pd.DataFrame) -> list[str]:
    """What a person has still to fill in: scales that carry a guessed name, items without wording or range."""
    open_: list[str] = []
    items = book[~book["construct"].isin([*NO_ITEMS, PLATFORM])]

    def names(of: Iterable[str]) -> str:
        some = list(of)
        return ", ".join(some[:6]) + (", ..." if len(some) > 6 else "")

    for columns, what in ((["label_en", "label_zh"], "no wording"), (["low"], "no range"), (["high"], "no range")):
        empty = items[columns].isna() | (items[columns].astype(str) == "")
        lacking = items["variable"][empty.all(axis=1)]
        if len(lacking):
            open_.append(f"{what}: {names(lacking)}")
    if "values" in items:
        open_wording = items["values"].astype(str).str.contains("? = ", regex=False)
        for scale, n in items["construct"][open_wording].value_counts(sort=False).items():
            open_.append(
                f"{n} items of {scale!r} are answered in words: write their numbers into the column 'values', in the place of each ?"
            )
    guessed = sorted({c for c in items["construct"] if re.fullmatch(r"(scale|Q)\d+", str(c))})
    if guessed:
        open_.append(f"scales without a name of yours: {names(guessed)}")
    for scale, n in items["construct"].value_counts().items():
        if n > 10:
            open_.append(f"{n} items of one question stand in {scale!r}: give each the name of its own construct")
    return list(dict.fromkeys(open_))
