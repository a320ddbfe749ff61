"""Checks of what a user hands in. One place, so that the same mistake always gets the same sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from .errors import DataError


def suggest(name: str, known: Iterable[str]) -> str:
    """Say what the user may have meant: ``" Did you mean 'x'? Columns that start like it: x, y."``."""
    known = [str(k) for k in known]
    parts = []
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    if close:
        parts.append(f"Did you mean {close[0]!r}?")
    stem = str(name).rstrip("0123456789").rstrip("_")
    alike = [k for k in known if stem and k.startswith(stem)]
    if alike:
        parts.append(f"Columns that start like it: {', '.join(alike[:8])}{', ...' if len(alike) > 8 else ''}.")
    if not parts and known:
        parts.append(f"There are: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}.")
    return (" " + " ".join(parts)) if parts else ""


def frame(data: object, name: str = "data") -> pd.DataFrame:
    """Return ``data`` as a DataFrame with unique string column names, or say why it cannot be one."""
    if isinstance(data, (str, bytes)) or hasattr(data, "read_text"):
        raise DataError(f"{name} is a file name ({data!r}); read the file first: pd.read_csv({str(data)!r})")
    if isinstance(data, pd.Series):
        data = data.to_frame()
    if isinstance(data, np.ndarray) and data.ndim == 2:
        data = pd.DataFrame(data, columns=[f"x{i + 1}" for i in range(data.shape[1])])
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"{name} must be a pandas DataFrame, and is a {type(data).__name__}")
    twice = data.columns[data.columns.duplicated()].unique().tolist()
    if twice:
        raise DataError(
            f"{name} has column names that occur twice: {', '.join(map(str, twice))}. "
            "Rename them, so that each name means one column."
        )
    if data.shape[0] == 0:
        raise DataError(f"{name} has no rows; check how the file was read")
    if data.shape[1] == 0:
        raise DataError(f"{name} has no columns; check how the file was read")
    return data


def columns(data: pd.DataFrame, names: str | Sequence[str], what: str = "column") -> list[str]:
    """Return ``names`` as a list after checking that each is a column, and named once."""
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in data.columns:
            raise DataError(f"{what} {name!r} is not a column of the data.{suggest(name, data.columns)}")
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(f"{what} named more than once: {', '.join(twice)}")
    return names


def numeric(
    data: pd.DataFrame,
    names: Sequence[str] | None = None,
    *,
    constant: str = "error",
    missing_allowed: bool = True,
    codes: str = "error",
) -> pd.DataFrame:
    """Return the named columns as float64; text, missing codes, infinities, gaps only and constants raise.

    Parameters
    ----------
    data : DataFrame
    names : columns to take, all when None
    constant : ``"error"`` (a column with one value raises) or ``"allow"``
    missing_allowed : False raises where a value is missing
    codes : ``"error"`` (a number such as -99 left among the answers raises) or ``"allow"``, for callers that
        compare with the codebook's range themselves

    Raises
    ------
    ValueError
        Names the column, what was found in it and how to mend it.
    """
    data = frame(data)
    names = list(data.columns) if names is None else columns(data, names)
    out = {}
    for name in names:
        col = data[name]
        if pd.api.types.is_bool_dtype(col) or pd.api.types.is_numeric_dtype(col):
            values = col.to_numpy(dtype=float, na_value=np.nan)
        elif pd.api.types.is_datetime64_any_dtype(col):
            raise DataError(f"column {name!r} holds dates; turn it into a number (e.g. days) or leave it out")
        else:
            values = pd.to_numeric(col, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
            bad = col[np.isnan(values) & col.notna().to_numpy()]
            if len(bad):
                shown = ", ".join(repr(v) for v in bad.unique()[:3])
                comma = bad.astype(str).str.fullmatch(r"\s*-?\d+,\d+\s*").all()
                mend = (
                    "These look like decimal commas: read the file with pd.read_csv(..., decimal=',')."
                    if comma
                    else "Recode the answers to numbers, or replace them by NaN if they mean no answer."
                )
                raise DataError(f"column {name!r} holds text in {len(bad)} rows: {shown}. {mend}")
        if np.isinf(values).any():
            raise DataError(f"column {name!r} holds infinite values in {int(np.isinf(values).sum())} rows")
        gaps = np.isnan(values)
        if gaps.all():
            raise DataError(f"column {name!r} has no values at all; leave it out or check how the file was read")
        if gaps.any() and not missing_allowed:
            raise DataError(
                f"column {name!r} has {int(gaps.sum())} missing values; drop those rows "
                "(data.dropna()), impute them, or use a method that takes them"
            )
        if constant == "error" and np.nanmax(values) == np.nanmin(values):
            raise DataError(
                f"column {name!r} is constant: every answer is {values[~gaps][0]:g}. "
                "A constant has no variance and cannot be analysed; leave it out."
            )
        out[name] = values
    out = pd.DataFrame(out, index=data.index)
    if codes == "error":
        missing_codes(out, names)
    return out


def scales(data: pd.DataFrame, scales: Mapping[str, Sequence[str]], at_least: int = 1) -> dict[str, list[str]]:
    """Check a mapping from scale name to its items and return it as plain lists."""
    if not isinstance(scales, Mapping) or not scales:
        raise DataError("scales must be a dict such as {'satisfaction': ['sat1', 'sat2', 'sat3']}")
    out = {}
    for scale, items in scales.items():
        if isinstance(items, str):
            raise DataError(f"scale {scale!r} must be a list of items, and is the text {items!r}; write [{items!r}]")
        items = list(items)
        for item in items:
            if item not in data.columns:
                raise DataError(f"item {item!r} of scale {scale!r} is not a column.{suggest(item, data.columns)}")
        twice = sorted({i for i in items if items.count(i) > 1})
        if twice:
            raise DataError(f"scale {scale!r} names an item twice: {', '.join(twice)}")
        if len(items) < at_least:
            raise DataError(f"scale {scale!r} has {len(items)} item(s), and this needs at least {at_least}")
        out[scale] = items
    return out


def complete_rows(x: pd.DataFrame, why: str = "missing values") -> tuple[pd.DataFrame, int]:
    """Drop rows with a gap; return what is left and how many went."""
    kept = x.dropna()
    dropped = len(x) - len(kept)
    if len(kept) == 0:
        raise DataError(f"no row is complete in the {x.shape[1]} columns used, all {len(x)} have {why}")
    return kept, dropped


def positive_definite(matrix: np.ndarray, names: Sequence[str], what: str = "covariance matrix") -> None:
    """Raise when a covariance or correlation matrix is not positive definite, naming the variables to blame."""
    scale = np.sqrt(np.clip(np.diag(matrix), 1e-300, None))
    corr = matrix / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(corr)
    if values[0] > 1e-10:
        return
    weight = np.abs(vectors[:, 0]).round(6)  # rounded, so that ties fall the same way on every machine
    smallest = 0.0 if abs(values[0]) < 1e-12 else values[0]
    blame = [str(names[i]) for i in np.argsort(-weight, kind="stable") if weight[i] > 0.1][:6]
    raise DataError(
        f"the {what} is not positive definite (smallest eigenvalue of its correlations {smallest:.2g}): "
        f"a combination of {', '.join(blame)} has no variance. Usual causes: an item that is a sum or a copy "
        "of others, fewer rows than items, or pairwise deletion."
    )


CODES = (-9, -99, -999, -9999, 99, 999, 9999)


def missing_codes(data: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise when a column still holds a number that stands for "no answer" (-9, -99, -999, 99, 999, 9999).

    Only a value that lies apart from the rest counts: a negative code among answers that are never negative, or a
    positive code at least five times the largest other answer.
    """
    for name in columns(data, names):
        values = pd.to_numeric(data[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        coded = np.isin(values, CODES)
        if not coded.any():
            continue
        rest = values[~np.isnan(values) & ~coded]
        for code in CODES:
            found = int((values == code).sum())
            if not found or len(rest) == 0:
                continue
            low, high = rest.min(), rest.max()
            if (code < 0 <= low) or (code > 0 and 0 <= low and code >= 5 * high):
                raise DataError(
                    f"column {name!r} holds {code} in {found} row{'s' if found > 1 else ''}, "
                    f"{'below' if code < 0 else 'above'} its other answers {low:g} to {high:g}. If {code} means "
                    f'"no answer", replace it: data.replace({code}, np.nan), or load with sc.load(...), '
                    "which knows the codes."
                )
