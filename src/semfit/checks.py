"""Checks of what a user hands in. One place, so that the same mistake always gets the same sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from .arguments import NAMES, Between
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


def closest(word: object, known: Iterable[str]) -> str:
    """``" Did you mean 'loadings'?"`` where one of the words is close, else nothing."""
    by_lower = {str(k).lower(): str(k) for k in known}
    close = difflib.get_close_matches(str(word).lower(), by_lower, n=1, cutoff=0.6)
    return f" Did you mean {by_lower[close[0]]!r}?" if close else ""


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
    if isinstance(data.columns, pd.MultiIndex):
        raise DataError(
            f"{name} has column names in {data.columns.nlevels} levels; make one of them: "
            "data.columns = ['_'.join(map(str, c)) for c in data.columns]"
        )
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
    NAMES.check(f"{what}s", names)
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
    plain = _plain_numbers(data[names], constant, missing_allowed, codes)
    if plain is not None:
        return plain
    out = {}
    for name in names:
        values = _as_float(data[name], name)
        if np.isinf(values).any():
            raise DataError(f"column {name!r} holds infinite values in {int(np.isinf(values).sum())} rows")
        gaps = np.isnan(values)
        size = np.abs(values[~gaps])
        if (size > LARGEST).any() or ((size > 0) & (size < 1 / LARGEST)).any():
            raise DataError(
                f"column {name!r} holds numbers of the size {size[size > 0].max():.0e}, whose squares no computer holds; "
                "use another unit"
            )
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


def _plain_numbers(data: pd.DataFrame, constant: str, missing_allowed: bool, codes: str) -> pd.DataFrame | None:
    """Columns of numbers with nothing to ask about, as float64; None sends them column by column, which finds words."""
    if not all(isinstance(t, np.dtype) and t.kind in "iuf" for t in data.dtypes) or not data.columns.is_unique:
        return None
    values = data.to_numpy(dtype=float)
    gaps = np.isnan(values)
    if not values.size or gaps.all(axis=0).any() or (gaps.any() and not missing_allowed):
        return None
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    if np.isinf(low).any() or np.isinf(high).any() or (constant == "error" and (low == high).any()):
        return None
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    if size.size and not (1 / LARGEST <= size.min() and size.max() <= LARGEST):
        return None
    if codes == "error" and np.isin(values, CODES).any():
        return None
    return pd.DataFrame(values, index=data.index, columns=data.columns)


LARGEST = 1e75  # squares, and products of squares, stay finite

_NOT_ANSWERS = {
    "datetime64": "dates",
    "datetime": "dates",
    "date": "dates",
    "period": "dates",
    "timedelta64": "lengths of time",
    "timedelta": "lengths of time",
    "interval": "intervals",
    "complex": "complex numbers",
}


def _as_float(col: pd.Series, name: str) -> np.ndarray:
    """Answers as float64: numbers stay numbers also where they are stored as text, category or objects."""
    kind = pd.api.types.infer_dtype(col, skipna=True)
    found = _NOT_ANSWERS.get(kind)
    if found is None and col.dtype == object and any(isinstance(v, (complex, np.complexfloating)) for v in col):
        found = "complex numbers"
    if found is not None:
        mend = "take their real part" if found == "complex numbers" else "turn them into numbers (e.g. days)"
        raise DataError(f"column {name!r} holds {found}; {mend} or leave the column out")
    if pd.api.types.is_bool_dtype(col) or pd.api.types.is_numeric_dtype(col):
        return col.to_numpy(dtype=float, na_value=np.nan)
    values = pd.to_numeric(col, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = col[np.isnan(values) & col.notna().to_numpy()]
    if len(bad):
        text = bad.map(repr)
        comma = bad.astype(str).str.fullmatch(r"\s*-?\d+,\d+\s*").all()
        mend = (
            "These look like decimal commas: read the file with pd.read_csv(..., decimal=',')."
            if comma
            else "Recode the answers to numbers, or replace them by NaN if they mean no answer."
        )
        raise DataError(f"column {name!r} holds text in {len(bad)} rows: {', '.join(text.unique()[:3])}. {mend}")
    return values


def whole(value: object, name: str, at_least: int, why: str = "") -> int:
    """Return a whole number of at least ``at_least``, or say what was handed in; 200.0 counts as 200."""
    fault = Between(at_least, closed="left", whole=True).fault(name, value)
    if fault is not None:
        raise DataError(fault + why)
    return int(value)  # type: ignore[call-overload]


def probability(value: object, name: str) -> float:
    """Return a number strictly between 0 and 1, or say what was handed in."""
    if Between(0, 1).fault(name, value) is not None:
        raise DataError(f"{name} must lie between 0 and 1, such as 0.95, and is {value!r}")
    return float(value)  # type: ignore[arg-type]


def matrix_input(
    matrix: object,
    names: Sequence[str] | None = None,
    *,
    n_obs: object = None,
    what: str = "sample_cov",
    correlations: bool = False,
) -> pd.DataFrame:
    """Return a covariance or correlation matrix, checked, with the wanted names in their order.

    Parameters
    ----------
    matrix : DataFrame, shape (k, k)
        Variable names on both axes, in any order.
    names : sequence of str, optional
        Variables to take; all when None.
    n_obs : number, optional
        Rows that the matrix was computed from; checked to be a whole number larger than the number of variables.
    what : str, default "sample_cov"
        How messages call the matrix.
    correlations : bool, default False
        True asks for ones on the diagonal.

    Returns
    -------
    DataFrame, shape (len(names), len(names))
        Symmetric to the last digit.

    Raises
    ------
    DataError
        Not square, names missing, different or twice, not numbers, gaps, not symmetric, a variance that is not
        positive, a covariance beyond what the two variances allow, or n_obs too small. Whether the matrix is
        positive definite is asked by :func:`positive_definite`.

    Examples
    --------
    >>> import pandas as pd
    >>> r = pd.DataFrame([[1, 0.3], [0.3, 1]], ["b", "a"], ["b", "a"])
    >>> matrix_input(r, ["a", "b"], n_obs=100).columns.tolist()
    ['a', 'b']
    """
    if isinstance(matrix, np.ndarray) and matrix.ndim == 2:
        raise DataError(
            f"{what} must carry the names of its variables: pd.DataFrame(matrix, index=names, columns=names)"
        )
    if not isinstance(matrix, pd.DataFrame) or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"{what} must be a square DataFrame with variable names (or a dict of them by group)")
    for axis in (matrix.index, matrix.columns):
        twice = axis[axis.duplicated()].unique().tolist()
        if twice:
            raise DataError(f"{what} has names that occur twice: {', '.join(map(str, twice))}; give each its own name")
    if set(matrix.index) != set(matrix.columns):
        odd = sorted(map(str, set(matrix.index) ^ set(matrix.columns)))
        raise DataError(f"rows and columns of {what} must have the same names; only on one side: {', '.join(odd)}")
    names = list(matrix.columns) if names is None else list(names)
    for name in names:
        if name not in matrix.columns:
            raise DataError(f"{name!r} is not a variable of {what}.{suggest(name, matrix.columns)}")
    try:
        A = matrix.loc[names, names].to_numpy(dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{what} holds something that is not a number") from None
    _covariances(A, names, what)
    if correlations and not np.allclose(np.diag(A), 1.0, atol=1e-6):
        worst = int(np.abs(np.diag(A) - 1).argmax())
        raise DataError(
            f"{what} is not a correlation matrix: {names[worst]} has {A[worst, worst]:g} on the diagonal instead of 1"
        )
    if n_obs is not None:
        whole(n_obs, "n_obs", len(names) + 1, f": more rows than variables ({len(names)}) are needed")
    return pd.DataFrame((A + A.T) / 2, index=names, columns=names)


def _covariances(A: np.ndarray, names: Sequence[str], what: str) -> None:
    """Finite, symmetric, positive on the diagonal, no covariance beyond its variances."""
    if np.isnan(A).any():
        a, b = np.argwhere(np.isnan(A))[0]
        raise DataError(f"{what} holds missing values, the first at {names[a]} with {names[b]}; all pairs are needed")
    if np.isinf(A).any():
        raise DataError(f"{what} holds infinite values")
    variance = np.diag(A)
    if (variance <= 0).any():
        raise DataError(f"{what} has a variance that is not positive: {names[int(variance.argmin())]}")
    size = np.sqrt(np.outer(variance, variance))
    gap = np.abs(A - A.T) / size
    if (gap > 1e-6).any():
        a, b = np.unravel_index(gap.argmax(), gap.shape)
        raise DataError(f"{what} is not symmetric: {names[a]}, {names[b]} is {A[a, b]:g} above and {A[b, a]:g} below")
    beyond = np.abs(A) / size
    np.fill_diagonal(beyond, 0.0)
    if (beyond > 1 + 1e-8).any():
        a, b = np.unravel_index(beyond.argmax(), beyond.shape)
        raise DataError(
            f"{what} is impossible: {names[a]} and {names[b]} would correlate at {A[a, b] / size[a, b]:.3f}"
        )


def scales(data: pd.DataFrame, scales: Mapping[str, Sequence[str]], at_least: int = 1) -> dict[str, list[str]]:
    """Check a mapping from scale name to its items and return it as plain lists."""
    if not isinstance(scales, Mapping) or not scales:
        raise DataError("scales must be a dict such as {'satisfaction': ['sat1', 'sat2', 'sat3']}")
    out = {}
    for scale, items in scales.items():
        if not isinstance(scale, str):
            raise DataError(f"the name of a scale must be text, and is {scale!r}; write {str(scale)!r}")
        if not isinstance(items, (str, Sequence, pd.Index, np.ndarray, pd.Series, set)):
            raise DataError(f"scale {scale!r} must be a list of items, and is {items!r}")
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


#: Numbers that surveys use for "no answer".
CODES = (
    -9999, -999, -99, -98, -97, -88, -77, -9, -8, -7, -1,
    77, 88, 96, 97, 98, 99, 777, 888, 996, 997, 998, 999, 7777, 8888, 9999, 99999,
)  # fmt: skip


def stands_apart(code: float, rest: np.ndarray, *, certain: bool = True) -> bool:
    """Whether a number of ``CODES`` cannot be one of the answers ``rest`` that stand beside it.

    A negative code among answers that are never negative (-1 beside 0 may be the middle of a scale); a positive code at
    least five times the largest other answer, or, where a hint is enough, further away than the answers from each other.
    """
    if len(rest) == 0 or rest.min() < 0:
        return False
    low, high = rest.min(), rest.max()
    if code < 0:
        return code != -1 or low >= 1
    if certain:
        return bool(code >= 5 * high)
    gaps = np.diff(np.unique(rest))
    return bool(code > high and code - high > max(2, 0.5 * (high - low), 3 * gaps.max(initial=0)))


def missing_codes(data: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise when a column still holds a number that stands for "no answer" (-9, -99, 99, 999 and the like).

    Only a value that :func:`stands_apart` from the rest counts.
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
            if stands_apart(code, rest):
                low, high = rest.min(), rest.max()
                raise DataError(
                    f"column {name!r} holds {code} in {found} row{'s' if found > 1 else ''}, "
                    f"{'below' if code < 0 else 'above'} its other answers {low:g} to {high:g}. If {code} means "
                    f'"no answer", replace it: data.replace({code}, np.nan), or load with sc.load(...), '
                    "which knows the codes."
                )
