"""Checks of single columns and cells: text, dates, missing codes, ranges, decimals, constants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from switchcost.core.checks import CODES, stands_apart
from switchcost.data.numbers import DATE

from .checks import Check, Findings, limit
from .identities import short

NOT_ITEMS = {
    "group", "key", "id", "time", "background", "demographic", "nominal", "revenue", "departure", "text", "attention",
    "platform",
}  # fmt: skip


def entry(book: pd.DataFrame, name: str, column: str) -> Any:
    """One cell of the codebook; what stands there is what its author wrote."""
    return book[column].get(name)


def whole_scale(v: np.ndarray) -> bool:
    """Looks like a rating: few whole numbers from a small range."""
    u = np.unique(v[~np.isnan(v)])
    return 2 <= len(u) <= 11 and u[0] >= -5 and u[-1] <= 11 and bool((u == np.floor(u)).all())


def split_columns(
    data: pd.DataFrame, book: pd.DataFrame, key: Sequence[str], found: Findings
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Split the columns into numbers and nominal codes; report text, dates and empty columns."""
    numbers: dict[str, np.ndarray] = {}
    nominal: dict[str, np.ndarray] = {}
    for name in data.columns:
        if name in key:
            continue
        col = data[name]
        if col.isna().all():
            found.add(Check.NO_VALUES, name, len(col), f"{name} has no values at all; leave it out")
        elif pd.api.types.is_bool_dtype(col) or pd.api.types.is_numeric_dtype(col):
            values = col.to_numpy(dtype=float, na_value=np.nan)
            numbers[name] = values
        elif pd.api.types.is_datetime64_any_dtype(col):
            ranged = pd.notna(entry(book, name, "low"))
            why = ", and the codebook has a range of numbers" if ranged else "; left out of the checks"
            detail = f"{name} holds dates{why}"
            found.add(Check.DATES, name, int(col.notna().sum()), detail, severity="serious" if ranged else None)
        else:
            _text(name, col, book, numbers, nominal, found)
    for name, values in numbers.items():
        far = np.abs(values) > 1e100  # their squares are infinite, and so is what is computed from them
        if far.any():
            detail = (
                f"{name} holds values that are infinite or beyond 1e100 in {far.sum()} rows; treated as missing here"
            )
            found.add(Check.INFINITE, name, int(far.sum()), detail, labels=data.index[far])
            numbers[name] = np.where(far, np.nan, values)
    return numbers, nominal


def _text(name: str, col: pd.Series, book: pd.DataFrame, numbers: dict, nominal: dict, found: Findings) -> None:
    text = col.astype(object).where(col.notna(), None).map(lambda v: None if v is None else str(v).strip() or None)
    filled = text.dropna()
    value = pd.to_numeric(text, errors="coerce")
    bad = filled[value[filled.index].isna()]
    shown = ", ".join(repr(v) for v in bad.unique()[:3])
    share = 1 - len(bad) / max(1, len(filled))
    dates = bad.str.fullmatch(DATE.pattern)
    ranged = pd.notna(entry(book, name, "low"))
    if len(bad) == 0 and len(filled) and not any(isinstance(v, str) for v in col.dropna()):
        numbers[name] = value.to_numpy(float)  # numbers kept as objects
    elif len(bad) == 0 and len(filled):
        detail = f"{name} holds numbers stored as text; convert it: pd.to_numeric(data[{name!r}])"
        found.add(Check.NUMBERS_AS_TEXT, name, len(filled), detail)
        numbers[name] = value.to_numpy(float)
    elif len(bad) and dates.mean() > limit(Check.DATES_AMONG_NUMBERS) and (share >= 0.2 or ranged):
        detail = (
            f"{name} holds dates in {int(dates.sum())} rows ({shown}): a spreadsheet turns answers such as 3-4 into "
            "dates"
        )
        found.add(Check.DATES_AMONG_NUMBERS, name, int(dates.sum()), detail, labels=bad.index[dates])
        numbers[name] = value.to_numpy(float)
    elif share >= limit(Check.TEXT_AMONG_NUMBERS):
        comma = bad.str.fullmatch(r"[-+]?\d*,\d+").all()
        why = "decimal commas; read the file with decimal=','" if comma else "text among numbers"
        detail = f"{name} holds {why} in {len(bad)} rows: {shown}"
        found.add(Check.TEXT_AMONG_NUMBERS, name, len(bad), detail, labels=bad.index)
        numbers[name] = value.to_numpy(float)
    elif ranged:
        detail = f"{name} holds words where the codebook has a range: {shown}; recode them to numbers"
        found.add(Check.TEXT_AMONG_NUMBERS, name, len(bad), detail, labels=bad.index)
    if name not in numbers and filled.nunique() <= 15:
        codes, _ = pd.factorize(text, sort=True)
        nominal[name] = np.where(codes < 0, np.nan, codes).astype(float)


def ranges(x: pd.DataFrame, book: pd.DataFrame, found: Findings) -> None:
    """Constants, answers outside the codebook's range or far from all others, and decimals among whole numbers."""
    answers = {name: _own_values(x[name], found) for name in x}
    for name, values in answers.items():
        low, high = entry(book, name, "low"), entry(book, name, "high")
        if low is None or (pd.isna(low) and pd.isna(high)):
            _unknown_codes(x, name, values, answers, found)
            _decimals(x, name, values, found)
            continue
        low, high = -np.inf if pd.isna(low) else low, np.inf if pd.isna(high) else high
        inside = (values >= low) & (values <= high)
        for value in values[~inside]:
            _outside(x[name], value, low, high, entry(book, name, "missing_code"), found)
        item = str(entry(book, name, "construct")).strip().lower() not in NOT_ITEMS
        if item and np.isfinite([low, high]).all() and float(low).is_integer() and high - low <= 11:
            _decimals(x, name, values[inside], found)


def scale_ranges(blocks: Mapping[str, Sequence[str]], book: pd.DataFrame, found: Findings) -> None:
    """Items whose range in the codebook is not the usual one of their scale: a reverse one would turn wrongly."""
    for scale, items in blocks.items():
        ends = {i: (entry(book, i, "low"), entry(book, i, "high")) for i in items}
        stated = {i: e for i, e in ends.items() if None not in e and not pd.isna(list(e)).any()}
        if len(set(stated.values())) < 2:
            continue
        usual, _ = Counter(stated.values()).most_common(1)[0]
        alike = short([i for i, e in stated.items() if e == usual])
        for item in (i for i, e in stated.items() if e != usual):
            (low, high), turned = stated[item], bool(entry(book, item, "reverse"))
            harm = "it is turned round at the wrong end" if turned else "it counts differently in the mean of the scale"
            detail = (
                f"{item} runs from {low:g} to {high:g} in the codebook, and {alike} of the same scale {scale!r} from "
                f"{usual[0]:g} to {usual[1]:g}; if that is a slip, {harm}: put the range of the questionnaire into the "
                "codebook"
            )
            found.add(Check.UNEQUAL_RANGES, item, 0, detail, severity="serious" if turned else None)


def _own_values(column: pd.Series, found: Findings) -> np.ndarray:
    """The different values of a column; one that hardly varies is reported."""
    v, name = column.to_numpy(), column.name
    values, count = np.unique(v[~np.isnan(v)], return_counts=True)
    if len(values) == 1:
        detail = f"{name} is {values[0]:g} in every row; it has no variance and cannot be analysed"
        found.add(Check.CONSTANT, name, int(count[0]), detail)
    elif len(values) and count.max() / count.sum() >= limit(Check.NEAR_CONSTANT):
        detail = (
            f"{name} is {values[count.argmax()]:g} in {count.max()} of {count.sum()} rows; correlations with it rest on "
            f"{count.sum() - count.max()} rows"
        )
        found.add(Check.NEAR_CONSTANT, name, int(count.max()), detail)
    return values


def _outside(column: pd.Series, value: float, low: float, high: float, stated: Any, found: Findings) -> None:
    """A value outside the codebook's range: the missing code that it states, a usual one, or a slip."""
    rows, name = column.index[column.to_numpy() == value], column.name
    mend = f"data.replace({{{name!r}: {{{value:g}: np.nan}}}})"
    span = f"its range {low:g}-{high:g}" if np.isfinite([low, high]).all() else "its range"
    detail = f"{name} holds {value:g} in {len(rows)} rows, {'below' if value < low else 'above'} {span}"
    check = Check.OUT_OF_RANGE
    if stated is not None and value == stated:
        check = Check.CODE_IN_DATA
        detail = f"{name} holds its documented missing code {value:g} in {len(rows)} rows; replace it: {mend}"
    elif value in CODES or (value in (0, 8, 9) and len(rows) > 1):
        check, detail = Check.UNDECLARED_CODE, f"{detail}. If it means no answer: {mend}"
    found.add(check, name, len(rows), detail, labels=rows)


def _decimals(x: pd.DataFrame, name: str, u: np.ndarray, found: Findings) -> None:
    v = x[name].to_numpy()
    broken = ~np.isnan(v) & (v != np.floor(v)) & np.isin(v, u)
    integers = u[u == np.floor(u)]
    share = broken.sum() / max(1, (~np.isnan(v)).sum())
    if broken.any() and share <= limit(Check.DECIMALS) and 2 <= len(integers) <= 12:
        shown = ", ".join(f"{b:g}" for b in np.unique(v[broken])[:3])
        detail = (
            f"{name} holds {shown} in {broken.sum()} rows where all other answers are whole: imputed, averaged or "
            "mistyped"
        )
        found.add(Check.DECIMALS, name, int(broken.sum()), detail, labels=x.index[broken])


def _unknown_codes(x: pd.DataFrame, name: str, u: np.ndarray, whole: dict[str, np.ndarray], found: Findings) -> None:
    """Missing codes and slips without a codebook: values that stand far from all others."""
    v = x[name].to_numpy()
    n = (~np.isnan(v)).sum()
    if len(u) < 3 or not (u == np.floor(u)).mean() > 0.8:
        return

    def report(value: float, check: Check, why: str) -> None:
        rows = np.flatnonzero(v == value)
        coded = check is Check.UNDECLARED_CODE
        mend = f"; if it means no answer: data.replace({{{name!r}: {{{value:g}: np.nan}}}})" if coded else ""
        detail = f"{name} holds {value:g} in {len(rows)} rows, {why}{mend}"
        found.add(check, name, len(rows), detail, labels=x.index[rows])

    left = u.copy()
    for value in u[np.isin(u, list(CODES))]:
        rest = left[(left != value) & ~np.isin(left, [c for c in CODES if c < 0 or c > 50])]
        if len(rest) >= 2 and stands_apart(value, rest, certain=False):
            report(value, Check.UNDECLARED_CODE, f"all other answers lie in {rest[0]:g}-{rest[-1]:g}")
            left = left[left != value]
    if not whole_scale(left[left == np.floor(left)]) and not (
        len(left) and left[0] >= 0 and np.median(v[~np.isnan(v)]) <= 11
    ):
        return
    body = left[(left == np.floor(left)) & (left >= 1)]
    if len(body) < 3:
        return
    for value in (8.0, 9.0):
        rest = body[body != value]
        others = [w for k, w in whole.items() if k != name and whole_scale(w)]
        between = any(((w > rest[-1]) & (w < value) & (w == np.floor(w))).any() for w in others)
        if value in body and rest[-1] <= 7 and value - rest[-1] >= 2 and not between:
            report(value, Check.UNDECLARED_CODE, f"all other answers lie in {rest[0]:g}-{rest[-1]:g}")
            body = rest
    share = np.array([(v == b).sum() for b in body]) / n
    # A slip such as 55 for 5: a rare value further from the rest than the rest is wide.
    for value, part in zip(body[::-1], share[::-1], strict=True):
        rest = body[body < value]
        if (
            len(rest) >= 3
            and rest[-1] <= 11
            and part <= limit(Check.OUT_OF_RANGE)
            and value - rest[-1] >= max(3, rest[-1] - rest[0])
        ):
            report(value, Check.OUT_OF_RANGE, f"far above all others ({rest[0]:g}-{rest[-1]:g})")
            body = rest
    if 0 in left and body[0] == 1 and body[-1] <= 10:
        _zeros(v, name, body, whole, report)


def _zeros(v: np.ndarray, name: str, body: np.ndarray, whole: dict[str, np.ndarray], report: Callable) -> None:
    """Zeros on a scale that begins at 1, judged by the columns of the same scale."""
    zero = (v == 0).sum() / (~np.isnan(v)).sum()
    alike = [w for k, w in whole.items() if k != name and whole_scale(w) and w[-1] == body[-1] and w[0] in (0, 1)]
    with_zero = sum(w[0] == 0 for w in alike)
    if not alike or zero >= 0.2:
        return
    if with_zero < len(alike) / 2:
        clean = f"{len(alike) - with_zero} of {len(alike)}"
        report(0.0, Check.UNDECLARED_CODE, f"and {clean} columns of the same scale have no 0")
    elif zero < 0.5 * (v == body[0]).mean() and zero < limit(Check.UNCLEAR_ZEROS):
        report(0.0, Check.UNCLEAR_ZEROS, "rare here and in the columns beside it; the scale may start at 0 or at 1")


def without_codes(x: pd.DataFrame, found: Findings) -> pd.DataFrame:
    """Leave cells that were reported as codes or slips out of the checks that compare columns."""
    out = x.copy()
    for f in found:
        if f.check in (Check.UNDECLARED_CODE, Check.CODE_IN_DATA, Check.OUT_OF_RANGE) and f.columns[0] in out:
            out.loc[list(f.labels), f.columns[0]] = np.nan
    return varying(out)


def informative(x: pd.DataFrame) -> pd.DataFrame:
    """Columns in which at least 5 % of the rows, and ten rows, differ from the usual answer.

    A correlation or rank test with fewer rests on a handful of rows, and its normal approximation fails.
    """
    keep = []
    for name in x:
        count = x[name].value_counts()
        if count.sum() - count.max() >= max(10, 0.05 * count.sum()):
            keep.append(name)
    return x[keep]


def varying(x: pd.DataFrame) -> pd.DataFrame:
    v = x.to_numpy(float)
    some = ~np.isnan(v).all(axis=0)
    return x.loc[:, [c for c, ok in zip(x, some, strict=True) if ok and x[c].min() < x[c].max()]]
