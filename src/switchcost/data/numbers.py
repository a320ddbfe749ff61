"""Cells of text turned into numbers: decimal signs, thousands, currencies, ids, dates, anchored answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..core.errors import DataError

#: Cells that mean "no answer" in a survey file, whatever the column.
NO_ANSWER = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "null", "#null!", "none", ".", "-", "--", "n.a.", "#value!", "#div/0!"}
)
DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T]\d.*)?|\d{1,2}[- ][A-Za-z]{3,9}(?:[- ]\d{2,4})?|[A-Za-z]{3}[- ]\d{1,4}"
)
_DAY = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|0\d\.(?:0[1-9]|1[0-2])\.?|[12]\d\.0[1-9]\.?|3[01]\.0[1-9]\.?"
_CURRENCY = re.compile(r"(€|\$|£|¥|￥|元|EUR|USD|GBP|CNY|RMB|kr|zł)", re.IGNORECASE)
_ANCHORED = re.compile(r"([-+]?\d{1,2})\s*(?:[-–—=:.)]|\()\s*([^\d\s].*?)\)?")
_BLANKS = "\u00a0\u202f\u2009"


@dataclass(frozen=True)
class Column:
    """A column read: its values, how numbers were written in it, and what was done that a reader should know."""

    values: pd.Series
    decimal: str = ""
    notes: tuple[str, ...] = ()
    labels: dict[float, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Signs:
    """What the signs in a column can be: ``proven`` decimal signs, and whether a sign before three digits is open."""

    proven: frozenset[str]
    open: str = ""


def signs(filled: pd.Series) -> Signs:
    """Find out what comma and point mean in a column of cells; ``open`` is a sign that could be either."""
    cells = _bare(filled)
    proven, maybe = set(), ""
    for sign, other in ((",", "."), (".", ",")):
        s, o = re.escape(sign), re.escape(other)
        decimal = cells.str.fullmatch(
            rf"[-+]?(?:\d*{s}(?:\d{{1,2}}|\d{{4,}})|(?:0|\d{{4,}})?{s}\d+|\d{{1,3}}(?:[{o} '’]\d{{3}})+{s}\d+)"
        )
        if decimal.any():
            proven.add(sign)
        if cells.str.fullmatch(rf"[-+]?\d{{1,3}}(?:{s}\d{{3}}){{2,}}").any():
            proven.add(other)
        if cells.str.fullmatch(rf"[-+]?[1-9]\d{{0,2}}{s}\d{{3}}").any():
            maybe += sign
    return Signs(frozenset(proven), maybe)


def small_integers(cells: pd.Series) -> pd.Series:
    """Numbers where all cells are whole numbers of up to four digits, as most answers are; other columns as they came."""
    kinds = cells.dropna().unique() if cells.dtype == object else ()
    if not len(kinds) or not all(re.fullmatch(r"-?(?:0|[1-9]\d{0,3})", k) for k in kinds):
        return cells
    number = cells.map({k: float(k) for k in kinds})
    return number.astype("int64") if number.notna().all() else number.astype(float)


def _bare(filled: pd.Series) -> pd.Series:
    """Cells without currency, percent sign and special blanks, to look at their points and commas."""
    plain = filled.str.replace(f"[{_BLANKS}]", " ", regex=True)
    return plain.where(
        ~plain.str.contains(r"[^\d.,' ’+-]"),
        plain.str.replace(rf"{_CURRENCY.pattern}|[%％]", "", regex=True, case=False).str.strip(),
    )


def _thousands_by_size(filled: pd.Series, sign: str) -> bool:
    """Whole numbers of three digits beside numbers of three decimals: the sign can only be one of thousands.

    A measure with three decimals is whole once in a thousand, and hardly ever ten times as large when it is.
    """
    grouped = filled.str.fullmatch(rf"[-+]?[1-9]\d{{0,2}}{re.escape(sign)}\d{{3}}")
    plain = pd.to_numeric(filled[filled.str.fullmatch(r"[-+]?\d+")]).abs()
    if len(plain) < 3 or len(plain) + grouped.sum() < len(filled) or (plain >= 1000).any():
        return False
    small = pd.to_numeric(filled[grouped].str.replace(sign, ".", regex=False)).abs()
    return bool((plain >= 100).mean() >= 0.5 and plain.median() >= 20 * small.median())


def decimal_sign(
    filled: pd.Series,
    column: str,
    file: str,
    decimal: str | None,
    thousands: str | None,
    sep: str,
    others: frozenset[str],
) -> str:
    """Decide the decimal sign of a column, from its own cells first and those of the other columns then."""
    found = signs(filled)
    filled = _bare(filled)
    if decimal or thousands:
        return decimal or ("," if thousands == "." else ".")
    if len(found.proven) > 1:
        shown = [filled[filled.str.contains(s, regex=False)].iloc[0] for s in ",."]
        raise DataError(
            f"column {column!r} of {file} mixes decimal commas ({shown[0]!r}) and decimal points ({shown[1]!r}); "
            "make them the same in the file"
        )
    if found.proven:
        return next(iter(found.proven))
    if not found.open:
        return "."
    sign = found.open[0]
    other = "." if sign == "," else ","
    if len(found.open) == 1 and _thousands_by_size(filled, sign):
        return other
    if len(found.open) == 1 and len(others) == 1:
        return next(iter(others))
    if found.open == "." and sep == "," and not filled.str.fullmatch(r"[-+]?\d+").any():
        return "."
    cell = filled[filled.str.fullmatch(rf"[-+]?[1-9]\d{{0,2}}{re.escape(sign)}\d{{3}}")].iloc[0]
    raise DataError(
        f"column {column!r} of {file} holds {filled.iloc[0]!r} and {cell!r}: is {sign!r} a thousands separator "
        f"({cell.replace(sign, '')}) or a decimal sign ({cell.replace(sign, '.')})? Say thousands={sign!r} or decimal={sign!r}."
    )


def to_column(text: pd.Series, column: str, file: str, point: str, must: bool) -> Column:
    """Turn one column of cells into numbers if that is what it holds.

    Parameters
    ----------
    text : Series of str or None
        The cells, None where there is no answer.
    column, file : str
        Names for the sentence.
    point : str
        The decimal sign of this column, ``"."`` or ``","``.
    must : bool
        The codebook says that these are numbers.

    Returns
    -------
    Column

    Raises
    ------
    DataError
        Text, dates, infinities or unlike signs among numbers.
    """
    filled = text.dropna()
    kept = _kept_as_text(filled, column, must)
    if kept:
        return Column(text, notes=(kept,))
    cells, notes = _without_currency(filled, column, file)
    cells, labels = _without_anchors(cells)
    group = "," if point == "." else "."
    grouped = cells.str.fullmatch(
        rf"[-+]?\d{{1,3}}(?:[{re.escape(group)} '’{_BLANKS}]\d{{3}})+(?:{re.escape(point)}\d+)?"
    )
    if grouped.any():
        cells = cells.where(
            ~grouped, cells.str.replace(rf"(?<=\d)[{re.escape(group)} '’{_BLANKS}](?=\d)", "", regex=True)
        )
        notes.append(f"{column!r}: thousands separators taken out of {int(grouped.sum())} numbers")
    broken = cells.str.fullmatch(rf"[-+]?\d*{re.escape(point)}\d+")
    if point == ",":
        cells = cells.where(~broken, cells.str.replace(",", ".", regex=False))
        stray = filled[cells.str.fullmatch(r"[-+]?\d*\.\d+") & ~broken]
        cells = cells.where(~cells.index.isin(stray.index), "?")
    number = pd.to_numeric(
        cells.where(
            cells.str.fullmatch(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?|[-+]?inf(?:inity)?", case=False), None
        )
    )
    number = pd.to_numeric(number, errors="coerce").astype(float).reindex(text.index)
    if np.isinf(number.to_numpy()).any():
        raise DataError(f"column {column!r} of {file} holds infinite values in {int(np.isinf(number).sum())} rows; "
                        "replace them by an empty cell")  # fmt: skip
    bad = filled[number[filled.index].isna()]
    if len(bad) == 0:
        style = point if broken.any() else ""
        whole = number.notna().all() and (number == np.floor(number)).all() and not broken.any()
        return Column(number.astype("int64") if whole else number, style, tuple(notes), labels)
    unlike = bad.str.fullmatch(r"[-+]?\d+[.,]\d+").all()  # numbers, and not with this decimal sign
    if 1 - len(bad) / len(filled) < 0.5 and not must and not unlike:
        return Column(text)
    raise DataError(_fault(bad, len(bad) == len(filled), column, file, point))


def _kept_as_text(filled: pd.Series, column: str, must: bool) -> str:
    """Why a column of digits is a name and no quantity, or nothing."""
    digits = filled.str.fullmatch(r"[-+]?\d+")
    if (digits & (filled.str.len() > 15)).any() and digits.mean() >= 0.5:
        return f"{column!r}: numbers of more than 15 digits are names; kept as text, to the last digit"
    if must:
        return ""
    if digits.all() and (filled.str.match(r"0\d{4,}")).any():
        return f"{column!r}: numbers with leading zeros are names; kept as text"
    if filled.str.fullmatch(_DAY).all():
        return f"{column!r}: looks like dates ({filled.iloc[0]}); kept as text"
    return ""


def _without_currency(filled: pd.Series, column: str, file: str) -> tuple[pd.Series, list[str]]:
    """Cells without a currency or percent sign, when all signs are the same one."""
    number = r"[-+]?\d[\d., '’\u00a0\u202f\u2009]*"
    percent = filled.str.fullmatch(number + r"\s*[%％]")
    if percent.any():
        if not percent.all() and filled[~percent].str.fullmatch(number).any():
            raise DataError(
                f"column {column!r} of {file} has percent signs in {int(percent.sum())} rows ({filled[percent].iloc[0]!r}) "
                f"and none in others ({filled[~percent].iloc[0]!r}): write all with the sign, or none"
            )
        if percent.all():
            return filled.str.rstrip("%％ \u00a0"), [f"{column!r}: percent signs taken off, 20% is 20"]
    money = filled.str.fullmatch(rf"{number}\s*{_CURRENCY.pattern}|-?{_CURRENCY.pattern}\s*{number}", case=False)
    if not money.any():
        return filled, []
    kinds = {m.group().lower() for m in map(_CURRENCY.search, filled[money]) if m}
    if len(kinds) > 1:
        raise DataError(f"column {column!r} of {file} holds amounts in {', '.join(sorted(kinds))}; convert them to "
                        "one currency")  # fmt: skip
    bare = filled.str.replace(_CURRENCY, "", regex=True).str.strip()
    return filled.where(~money, bare), [f"{column!r}: the sign {kinds.pop()} taken off {int(money.sum())} amounts"]


def _without_anchors(filled: pd.Series) -> tuple[pd.Series, dict[float, str]]:
    """Answers such as ``1 - Strongly disagree`` as their numbers, when each number has one wording."""
    match = filled.str.extract(rf"^{_ANCHORED.pattern}$")
    anchored = match[0].notna() & ~filled.str.fullmatch(DATE.pattern)
    if not anchored.any() or not filled[~anchored].str.fullmatch(r"[-+]?\d{1,2}").all():
        return filled, {}
    wording = match[anchored].groupby(0)[1].agg(lambda w: w.str.casefold().nunique())
    if (wording > 1).any() or len(wording) > 11:
        return filled, {}
    labels = {float(n): w for n, w in zip(match.loc[anchored, 0], filled[anchored], strict=True)}
    return filled.where(~anchored, match[0]), labels


def _fault(bad: pd.Series, all_bad: bool, column: str, file: str, point: str) -> str:
    shown = ", ".join(repr(v) for v in bad.unique()[:3])
    rows = f"in {len(bad)} row{'s' if len(bad) > 1 else ''}"
    start = f"column {column!r} of {file}"
    if bad.str.fullmatch(DATE.pattern).all() and not bad.str.fullmatch(r"[-+]?\d*[.,]\d+").any():
        return (
            f"{start} holds dates {rows} ({shown}): a spreadsheet turned answers such as 3-4 into dates. Correct them in "
            "the source and export again."
        )
    if bad.str.fullmatch(r"[-+]?[\d.,]+").all():
        return f"{start} holds {bad.iloc[0]!r}: not a number with decimal={point!r}; leave decimal and thousands out, or correct the file"
    if all_bad:
        return (
            f"{start} holds words where the codebook has a range ({shown}); say what each means in the codebook's column "
            f"'values', such as '1 = {bad.unique()[0]}; 2 = ...'"
        )
    return (
        f"{start} holds text {rows} among numbers: {shown}. If it means no answer, read with missing=[{bad.iloc[0]!r}]; "
        "otherwise correct it in the file."
    )
