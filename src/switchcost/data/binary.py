"""SPSS, Stata and Excel files, with their labels."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import DataError
from .parsing import MAX_BYTES, enough_memory, existing_file, refuse_other_kinds
from .words import NO_OPINION, fitting, normal

FILTER = "filter_$"  # SPSS writes it where cases are selected: 0 for those that are not
STATISTICS = {".sav": "SPSS", ".zsav": "SPSS", ".dta": "Stata"}


@dataclass(frozen=True)
class Labelled:
    """A file of a statistics program: the data, variable labels, value labels, and what was done."""

    data: pd.DataFrame
    labels: dict[str, str]
    value_labels: dict[str, dict[float, str]]
    notes: list[str] = field(default_factory=list)


def read_labelled(path: Path, nominal: Mapping[str, bool]) -> Labelled:
    """Read an SPSS or Stata file.

    A column whose values all have labels that are no answer scale holds categories, and comes as its labels; an
    answer scale stays numbers, and so do three or more columns with the same labels of three or more steps. User-missing
    codes and values whose label means "no answer" become gaps.

    Parameters
    ----------
    path : Path
    nominal : dict of column -> bool
        What a codebook says; other columns are judged by their labels.

    Raises
    ------
    DataError
        pyreadstat is not installed, or the file is not what its ending says.
    """
    try:
        import pyreadstat
    except ImportError:
        raise DataError(
            f"{path.name}: SPSS and Stata files need pyreadstat: pip install 'switchcost[report]'"
        ) from None
    existing_file(path)
    program = STATISTICS[path.suffix.lower()]
    reader = pyreadstat.read_dta if program == "Stata" else pyreadstat.read_sav
    try:
        _, size = reader(str(path), metadataonly=True)
        enough_memory(size.number_rows or 0, size.number_columns or 0, path.name)
        data, meta = reader(str(path))
        coded, coded_meta = (data, meta) if program == "Stata" else reader(str(path), user_missing=True)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} is not a {program} file that can be read ({error}); save it again") from None
    codes = int((coded.notna() & data.isna()).to_numpy().sum())
    notes = [f"{codes} user-missing answers are gaps"] if codes else []
    labels = {k: str(v) for k, v in meta.column_names_to_labels.items() if v}
    ranges: dict[str, Any] = dict(coded_meta.missing_ranges)

    def is_code(column: str, value: Any) -> bool:
        return any(isinstance(value, float) and r["lo"] <= value <= r["hi"] for r in ranges.get(column, ()))

    value_labels = {
        k: {v: w for v, w in words.items() if not is_code(k, v)} for k, words in meta.variable_value_labels.items()
    }
    shared = Counter(map(_steps, value_labels.values()))
    gaps = 0
    for column, words in value_labels.items():
        steps = _steps(words)
        beside = data[column].isin([v for v, w in words.items() if normal(w) in NO_OPINION])
        if column == FILTER or not nominal.get(
            column, shared[steps] < (3 if steps else 10**6) and _is_nominal(data[column][~beside], words)
        ):
            if steps:
                data[column], gaps = data[column].where(~beside), gaps + int(beside.sum())
                value_labels[column] = dict(steps)
        else:
            data[column] = data[column].map(words).astype(object).where(data[column].notna(), None)
            notes.append(f"{column!r} holds categories: {', '.join(map(str, list(words.values())[:4]))}")
    if gaps:
        notes.append(f"{gaps} answers whose label means none, such as 'don't know', are gaps")
    for column in data.columns:
        values = data[column]
        if pd.api.types.is_float_dtype(values) and values.notna().all() and (values == np.floor(values)).all():
            data[column] = values.astype("int64") if values.abs().max() < 2**53 else values
        elif values.dtype == object or isinstance(values.dtype, pd.StringDtype):
            data[column] = values.astype(object).map(lambda v: None if isinstance(v, str) and not v.strip() else v)
    return Labelled(data, labels, value_labels, notes)


def _steps(words: Mapping[Any, str]) -> tuple[tuple[float, str], ...]:
    """The labels of an answer scale: three or more whole numbers that follow each other; empty for anything else."""
    steps = sorted((v, w) for v, w in words.items() if normal(w) not in NO_OPINION and isinstance(v, (int, float)))
    return tuple(steps) if len(steps) >= 3 and steps[-1][0] - steps[0][0] == len(steps) - 1 else ()


def _is_nominal(values: pd.Series, words: Mapping[Any, str]) -> bool:
    """Every value has a label, there are few, and the labels are no answer scale from one end to the other."""
    used = [v for v in values.dropna().unique()]
    if not used or any(v not in words for v in used) or len(words) > 15:
        return False
    return not fitting(frozenset(normal(words[v]) for v in used))


def read_workbook(path: Path, sheet: str | None) -> tuple[list[list[str]], list[str]]:
    """Lines of cells of one sheet of an Excel workbook, as text.

    Raises
    ------
    DataError
        openpyxl is not installed, the file is no workbook, the sheet does not exist or several hold data.
    """
    try:
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise DataError(f"{path.name}: Excel files need openpyxl: pip install 'switchcost[report]'") from None
    with open(existing_file(path), "rb") as file:
        head = file.read(200)
    if head.startswith(b"\xd0\xcf") or b"opendocument" in head:
        refuse_other_kinds(head, path.name)
    try:
        with zipfile.ZipFile(path) as parts:
            size = sum(part.file_size for part in parts.infolist())
        if size > 10 * MAX_BYTES:
            raise DataError(f"{path.name} holds {size / 1e6:.0f} MB when unpacked, and up to {MAX_BYTES / 1e5:.0f} "
                            "MB are read; save the columns you need as CSV")  # fmt: skip
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise DataError(
            f"{path.name} is not an Excel workbook that can be read ({error}); save it again as .xlsx"
        ) from None
    try:
        sheets = [s.title for s in book.worksheets if len(list(islice(s.iter_rows(max_row=2), 2))) > 1]
        if sheet is not None and sheet not in book.sheetnames:
            raise DataError(f"{path.name} has no sheet {sheet!r}. There are: {', '.join(book.sheetnames)}.")
        if sheet is None and len(sheets) > 1:
            raise DataError(f"{path.name} has {len(sheets)} sheets with data: {', '.join(sheets)}. Say which: "
                            f"sheet={sheets[0]!r}.")  # fmt: skip
        if not sheets:
            raise DataError(f"{path.name} is empty; save the data again and check that they are in the file")
        chosen = sheet or sheets[0]
        lines = []
        for row in book[chosen].iter_rows(values_only=True):
            lines.append([_cell(c) for c in row])
            if len(lines) % 1000 == 1:
                enough_memory(len(lines), len(row), f"{path.name}, sheet {chosen!r},")
    finally:
        book.close()
    lines = [line for line in lines if any(c.strip() for c in line)]
    width = max((k + 1 for line in lines for k, c in enumerate(line) if c.strip()), default=0)
    if not width:
        raise DataError(f"{path.name}: sheet {chosen!r} is empty")
    return [(line + [""] * width)[:width] for line in lines], [f"sheet {chosen!r}"]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
