"""Data or a matrix in, a checked correlation matrix out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._core import checks
from .._core.errors import DataError


# --- what comes in ---------------------------------------------------------------------------------------------------
def _is_matrix(data: object) -> bool:
    """A square symmetric table with a positive diagonal and the same names on both sides.

    Raises ``ValueError`` where a DataFrame has the same names on both sides and is not symmetric: a typing error.
    """
    if isinstance(data, pd.DataFrame):
        if data.shape[0] != data.shape[1] or list(map(str, data.index)) != list(map(str, data.columns)):
            return False
        try:
            values = data.to_numpy(dtype=float)
        except (TypeError, ValueError):
            return False
        if isinstance(data.index, pd.RangeIndex):
            return False  # counted rows of raw answers, as many as there are columns
        names = list(map(str, data.columns))
        if np.isnan(values).any():
            i, j = np.argwhere(np.isnan(values))[0]
            raise DataError(
                f"the matrix has missing values, the first at {names[i]} with {names[j]}; all pairs are needed"
            )
        off = np.abs(values - values.T)
        if off.max() > 1e-6 * np.abs(values).max():
            i, j = np.unravel_index(np.argmax(off), off.shape)
            raise DataError(
                f"rows and columns have the same names, so this should be a correlation or covariance matrix, but it is not "
                f"symmetric: {names[i]} with {names[j]} is {values[i, j]:g}, {names[j]} with {names[i]} is {values[j, i]:g}"
            )
    elif isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[0] == data.shape[1]:
        values = np.asarray(data, dtype=float)
    else:
        return False
    return bool(np.allclose(values, values.T, rtol=1e-6, atol=1e-8) and (np.diag(values) > 0).all())


def correlation_input(
    data: pd.DataFrame | np.ndarray, n_obs: int | None = None, *, need_n: bool = False
) -> tuple[np.ndarray, list[str], int | None, np.ndarray | None]:
    """Correlations from raw answers or from a correlation or covariance matrix.

    Returns
    -------
    tuple of correlations (p, p), names, number of rows (None when a matrix came without ``n_obs``) and the raw values
    (None when a matrix came in).

    Raises
    ------
    ValueError
        Missing answers, text, constants, fewer than three columns, or a matrix without an inverse.
    """
    if _is_matrix(data):
        names = (
            list(map(str, data.columns)) if isinstance(data, pd.DataFrame) else [f"x{i + 1}" for i in range(len(data))]
        )
        matrix = np.asarray(data, dtype=float)
        matrix = (matrix + matrix.T) / 2
        sd = np.sqrt(np.diag(matrix))
        r, raw = matrix / np.outer(sd, sd), None
        if np.abs(r).max() > 1 + 1e-8:
            raise DataError("the matrix holds correlations above 1 in size; check how it was typed or computed")
        if need_n and n_obs is None:
            raise DataError("a correlation matrix does not say how many people answered: give n_obs=")
    else:
        if isinstance(data, np.ndarray) and data.ndim == 2:
            data = pd.DataFrame(data, columns=[f"x{i + 1}" for i in range(data.shape[1])])
        x = checks.numeric(data)
        gaps = x.isna().sum()
        if gaps.any():
            worst = ", ".join(f"{c} ({int(k)})" for c, k in gaps[gaps > 0].sort_values(ascending=False)[:5].items())
            raise DataError(
                f"{int(x.isna().any(axis=1).sum())} of {len(x)} rows have missing answers: {worst}. Nothing is filled "
                "in silently. Three ways out: data.dropna() keeps complete rows; an imputed copy (e.g. several from "
                "sklearn's IterativeImputer); or a correlation matrix estimated from the gaps, given with n_obs="
            )
        names, raw = list(map(str, x.columns)), x.to_numpy()
        if n_obs is not None and n_obs != len(raw):
            raise DataError(f"n_obs={n_obs}, and the data have {len(raw)} rows; n_obs belongs to a matrix only")
        n_obs = len(raw)
        if n_obs <= len(names):
            raise DataError(f"{n_obs} rows and {len(names)} columns: a factor analysis needs more rows than columns")
        r = np.corrcoef(raw, rowvar=False) if len(names) > 1 else np.ones((1, 1))
    if len(names) < 3:
        raise DataError(f"{len(names)} column(s); a factor needs at least three items to show itself")
    np.fill_diagonal(r, 1.0)
    checks.positive_definite(r, names, "correlation matrix")
    return r, names, n_obs, raw
