"""Codebooks: one line a question, checked before anybody relies on it."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from ..core.errors import DataError
from .binary import read_workbook
from .parsing import read_table
from .registry import data_dir, printed_table, raw_sets, study_folders, unknown_name

CODEBOOK_COLUMNS = (
    "variable", "construct", "label_en", "label_zh", "low", "high", "reverse", "missing_code", "source",
)  # fmt: skip


def codebook(name: str | os.PathLike | pd.DataFrame) -> pd.DataFrame:
    """Read the codebook of a data set, of a published study, or your own.

    Parameters
    ----------
    name : str, path or DataFrame
        A name from :func:`datasets`; the path of a codebook CSV; or a DataFrame, which is checked.

    Returns
    -------
    DataFrame
        For raw data: variable, construct, label_en, label_zh, low, high (numbers), reverse (bool), missing_code
        (number or NaN), source, and any further columns of the file. ``construct`` is ``group`` for
        nominal columns such as the operator. For a published study: table, column, meaning.

    Raises
    ------
    ValueError
        No such name or file, no column ``variable``, a variable listed twice, or a range that is not one.

    Examples
    --------
    >>> import switchcost as sc
    >>> sc.codebook("mobi").set_index("variable").loc["CUSA1", "construct"]
    'Satisfaction'
    """
    if isinstance(name, pd.DataFrame):
        return _check_codebook(name.astype(object).where(name.notna(), "").astype(str), "the codebook")
    text = os.fspath(name) if isinstance(name, (str, os.PathLike)) else str(name)
    if isinstance(name, os.PathLike) or "/" in text or "\\" in text or Path(text).suffix:
        path = Path(text)
        lines = read_workbook(path, None)[0] if path.suffix.lower() == ".xlsx" else read_table(path)[0]
        return _check_codebook(pd.DataFrame(lines[1:], columns=lines[0]), f"codebook {path.name!r}")
    folder = data_dir()
    sets, studies = raw_sets(folder), study_folders(folder)
    if text in studies and text not in sets:
        path = studies[text] / "codebook.csv"
        return printed_table(path)
    if text not in sets:
        raise unknown_name(text, folder, "data set")
    path = sets[text] / "codebook.csv"
    if not path.is_file():
        raise DataError(f"data set {text!r} has no codebook.csv yet")
    # A codebook is prose that gets mended; it is not under the checksum that guards numbers.
    return _check_codebook(printed_table(path), f"codebook of {text!r}")


def _check_codebook(book: pd.DataFrame, what: str) -> pd.DataFrame:
    known = {c.casefold(): c for c in CODEBOOK_COLUMNS}
    book = book.rename(columns=lambda c: known.get(str(c).strip().casefold(), str(c).strip()))
    if book.columns.duplicated().any():
        raise DataError(f"{what} has the column {book.columns[book.columns.duplicated()][0]!r} twice; keep one")
    if "variable" not in book.columns:
        raise DataError(
            f"{what} has no column 'variable'. It needs: {', '.join(CODEBOOK_COLUMNS)} "
            f"(only 'variable' must be filled); found: {', '.join(map(str, book.columns[:8]))}. Are answers and codebook exchanged?"
        )
    for column in book.columns:
        close = difflib.get_close_matches(column.casefold(), CODEBOOK_COLUMNS, n=1, cutoff=0.8)
        if column not in CODEBOOK_COLUMNS and close and close[0] not in book.columns:
            raise DataError(f"{what} has a column {column!r}, which is not known. Did you mean {close[0]!r}?")
    if len(book) == 0:
        raise DataError(f"{what} has a header and no variables; it needs one line a column of the data")
    book = book.copy()
    book["variable"] = book["variable"].str.strip()
    if (book["variable"] == "").any():
        raise DataError(f"{what} has an empty 'variable' in line {int(np.argmax(book['variable'] == '')) + 2}; name "
                        "it or delete the line")  # fmt: skip
    twice = book.loc[book["variable"].duplicated(), "variable"].unique()
    if len(twice):
        raise DataError(f"{what} lists {', '.join(twice)} more than once; keep one line a variable")
    for column in CODEBOOK_COLUMNS:
        if column not in book.columns:
            book[column] = ""
    for column in ("low", "high", "missing_code"):
        text = book[column].str.strip()
        number = pd.to_numeric(text.where(text != "", None), errors="coerce")
        bad = number.isna() & (text != "")
        if bad.any():
            raise DataError(
                f"{what}: {column!r} of variable {book.loc[bad, 'variable'].iloc[0]!r} is {text[bad].iloc[0]!r}; "
                "write one number, or leave it empty"
            )
        book[column] = number.astype(float)
    book["construct"], notes = _one_spelling(book["construct"])
    book = _ranges_of_values(book)
    attention = book["construct"].map(is_attention_line)
    wrong = (book["low"] > book["high"]) | (book["low"] == book["high"]) & ~attention
    if wrong.any():
        row = book[wrong].iloc[0]
        raise DataError(f"{what}: the range of {row['variable']!r} is {row['low']:g} to {row['high']:g}; low must be "
                        "below high")  # fmt: skip
    inside = (book["missing_code"] >= book["low"]) & (book["missing_code"] <= book["high"])
    if inside.any():
        row = book[inside].iloc[0]
        raise DataError(
            f"{what}: the missing code of {row['variable']!r} is {row['missing_code']:g}, inside its range {row['low']:g} to "
            f"{row['high']:g}, so answers would be lost; leave one of them out or correct it"
        )
    yes, no = {"1", "yes", "true", "y", "1.0", "reverse", "r"}, {"", "0", "no", "false", "n", "0.0"}
    text = book["reverse"].str.strip().str.lower()
    bad = ~text.isin(yes | no)
    if bad.any():
        raise DataError(
            f"{what}: 'reverse' of variable {book.loc[bad, 'variable'].iloc[0]!r} is {text[bad].iloc[0]!r}; "
            "write 1 for a reverse-keyed item, 0 or nothing for the others"
        )
    book["reverse"] = text.isin(yes)
    rest = [c for c in book.columns if c not in CODEBOOK_COLUMNS]
    book = book[[*CODEBOOK_COLUMNS, *rest]].reset_index(drop=True)
    book.attrs["notes"] = notes
    return book


def _ranges_of_values(book: pd.DataFrame) -> pd.DataFrame:
    """``1 = never; ...; 5 = always`` gives an item its range, which need not be written again."""
    if "values" not in book.columns:
        return book
    told = [{} if is_nominal_line(c) else words_of(v) for c, v in zip(book["construct"], book["values"], strict=True)]
    for column, end in (("low", min), ("high", max)):
        ends = [end(words.values(), default=np.nan) for words in told]
        book[column] = book[column].fillna(pd.Series(ends, index=book.index, dtype=float))
    return book


def _one_spelling(construct: pd.Series) -> tuple[pd.Series, list[str]]:
    """Constructs that differ in case, blanks, hyphens or underscores only are one, in the spelling that is most common."""
    trimmed = construct.str.strip().str.replace(r"\s+", " ", regex=True)
    plain = trimmed.str.casefold().str.replace(r"[\s_-]+", "_", regex=True)
    common = trimmed.groupby(plain).agg(lambda names: names.value_counts(sort=True).index[0])
    out = plain.map(common)
    changed = sorted({(a, b) for a, b in zip(construct, out, strict=True) if a != b})
    return out, [f"construct {a!r} is taken for {b!r}" for a, b in changed]


def words_of(values: object) -> dict[str, float]:
    """The column ``values`` of a line, ``1 = never; 2 = often``, as word -> number; empty where it lists categories."""
    pairs = [re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*=\s*(.+?)\s*", part) for part in str(values).split(";")]
    return {m[2]: float(m[1]) for m in pairs if m} if all(pairs) else {}


def is_nominal_line(construct: object) -> bool:
    """The codebook says that a column holds categories."""
    return str(construct).strip().casefold() in {"group", "nominal"}


def is_attention_line(construct: object) -> bool:
    """The codebook says that a column is an attention item; low = high is its right answer."""
    return str(construct).strip().casefold() in {"attention", "attention check", "attention_check"}


def codes_to_nan(data: pd.DataFrame, book: pd.DataFrame) -> pd.DataFrame:
    coded = book.dropna(subset=["missing_code"])
    for variable, code in zip(coded["variable"], coded["missing_code"], strict=True):
        if variable in data.columns and (data[variable] == code).any():
            data[variable] = data[variable].where(data[variable] != code)
    return data
