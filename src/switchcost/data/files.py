"""``sc.read_survey``: the file that people have, read or refused in one sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .._core import checks
from .._core.errors import DataError
from . import parsing
from .codebook import codebook as read_codebook
from .codebook import codes_to_nan


# ------------------------------------------------------------------------------------------ your own survey
def read_survey(
    path: str | os.PathLike,
    codebook: str | os.PathLike | pd.DataFrame | None = None,
    *,
    sep: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str | float] = (),
    drop: Sequence[str] = (),
) -> pd.DataFrame:
    """Read your own survey from a CSV file, or say in one sentence what is wrong with it.

    Separator (comma, semicolon, tab, bar), decimal sign and encoding (UTF-8 with or without mark, UTF-16,
    GB 18030, Latin-1) are found by themselves. Nothing is repaired in silence: what was found is kept in
    ``data.attrs["read"]``.

    Parameters
    ----------
    path : str or path
    codebook : path or DataFrame, optional
        Columns as in :func:`codebook`. Its missing codes become NaN; a variable it lists must be in the file; a
        column with a range must hold numbers. Answers outside the range stay, and :func:`switchcost.audit`
        reports them.
    sep, decimal, encoding : str, optional
        Only where the automatic choice is wrong.
    missing : sequence
        Further answers that mean "no answer", in any column: ``missing=("don't know", -99)``.
        Empty cells, NA, N/A, NaN, NULL, "." and "-" always do.
    drop : sequence of str
        Columns to leave out.

    Returns
    -------
    DataFrame
        Number columns as int or float, the others as text.

    Raises
    ------
    ValueError
        One sentence with the fault and the mend: no file, not a text file, no rows, one row, a line with too
        many cells, no header, names that are empty or occur twice, a column without a value, text among
        numbers, decimal commas among decimal points, a codebook that does not fit.

    Examples
    --------
    >>> import tempfile, pathlib, switchcost as sc
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
    >>> _ = file.write_text("sat1;sat2\\n3,5;4\\n2,0;5\\n")
    >>> sc.read_survey(file)["sat1"].tolist()
    [3.5, 2.0]
    """
    path = Path(path)
    name = path.name
    if path.suffix.lower() in {".xlsx", ".xls", ".ods"} and not path.exists():
        raise DataError(f"there is no file {str(path)!r}")
    if decimal not in (None, ".", ","):
        raise DataError(f"decimal must be '.' or ',' and is {decimal!r}")
    header, rows, found = parsing.read_table(path, sep, encoding)
    book = None
    if codebook is not None:
        book = read_codebook(codebook)
    data = pd.DataFrame(rows, columns=range(len(header)), dtype=object)

    # An empty name over an empty column is what a separator at the end of each line leaves behind.
    empty = [i for i, h in enumerate(header) if h == "" and all(c.strip() == "" for c in data[i])]
    if empty:
        data = data.drop(columns=empty)
        header = [h for i, h in enumerate(header) if i not in empty]
    if header and all(re.fullmatch(r"-?\d+([.,]\d+)?", h) for h in header):
        raise DataError(
            f"{name}: the first line holds numbers ({', '.join(header[:4])}, ...), not names. Put a line with the column names on top."
        )
    nameless = [i + 1 for i, h in enumerate(header) if h == ""]
    if nameless:
        raise DataError(f"{name}: column {nameless[0]} has no name. Write one into the first line.")
    twice = sorted({h for h in header if header.count(h) > 1})
    if twice:
        raise DataError(
            f"{name} has column names that occur twice: {', '.join(twice)}. Rename them, so that each name means one column."
        )
    data.columns = header
    if drop:
        data = data.drop(columns=checks.columns(data, drop))
    if len(data) == 0:
        raise DataError(f"{name} has a header and no answers; check the export")
    if len(data) == 1:
        raise DataError(
            f"{name} has one row of answers; nothing can vary in it. Check the export, or whether rows and columns are swapped."
        )

    codes = {parsing.plain(m) for m in missing} | parsing.NO_ANSWER
    ranged = set()
    if book is not None:
        absent = [v for v in book["variable"] if v not in header and v not in drop]
        if absent:
            raise DataError(
                f"the codebook lists {absent[0]!r}, which is not a column of {name}.{checks.suggest(absent[0], header)}"
                + (f" ({len(absent)} such variables.)" if len(absent) > 1 else "")
            )
        ranged = set(book.loc[book["low"].notna() & book["high"].notna(), "variable"])
    out, commas, points = {}, [], []
    for column in data.columns:
        text = data[column].str.strip()
        gap = text.str.lower().isin(codes).to_numpy()
        if gap.all():
            raise DataError(
                f"column {column!r} of {name} has no values at all; leave it out with drop=[{column!r}], or check the export"
            )
        values, style = parsing.to_numbers(text.where(~gap, None), column, name, decimal, must=column in ranged)
        commas += [column] * (style == ",")
        points += [column] * (style == ".")
        out[column] = values
    if commas and points and found["sep"] != ",":
        raise DataError(
            f"{name} has decimal commas in {commas[0]!r} and decimal points in {points[0]!r}; "
            "make them the same, or read it with decimal=',' or decimal='.'"
        )
    frame = pd.DataFrame(out)
    if book is not None:
        frame = codes_to_nan(frame, book)
    frame.attrs["read"] = {**found, "decimal": "," if commas else ".", "rows": len(frame), "file": name}
    return frame
