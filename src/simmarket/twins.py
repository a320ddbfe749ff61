"""Rows that have a given correlation matrix exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.linalg import cholesky

from switchcost.core import checks
from switchcost.core.arguments import shown
from switchcost.core.errors import DataError

from .draws import seed_of, whole_number


# --- twins -----------------------------------------------------------------------------------------------------
def twin(
    cov: pd.DataFrame | np.ndarray,
    means: Mapping[str, float] | Sequence[float] | None = None,
    n: int = 200,
    seed: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Raw data whose sample covariances and means equal the given ones exactly.

    For a study that prints a matrix and keeps its data: methods that want raw data can be run, and whatever depends
    on means and covariances only comes out as it would on the study's own data. Whatever depends on more (products,
    skew, outliers, missing values) does not: label the result a twin.

    Parameters
    ----------
    cov : DataFrame or array of shape (p, p)
        Covariances with the n - 1 divisor, or correlations. A DataFrame's names become the columns.
    means : mapping, sequence of length p, or None for zeros
    n : int
        Rows, more than p.
    seed : int, Generator or None (0)

    Returns
    -------
    DataFrame of shape (n, p), normal up to the adjustment.

    Raises
    ------
    ValueError
        Not square, not symmetric, not positive definite (the variables to blame are named), or n too small.

    Notes
    -----
    X = Q C' with Q the centred, orthonormalised noise times sqrt(n - 1) and C the Cholesky factor of ``cov``.

    Examples
    --------
    >>> r = pd.DataFrame([[1, 0.5], [0.5, 1]], index=["x", "y"], columns=["x", "y"])
    >>> round(float(twin(r, n=50).corr().loc["x", "y"]), 12)
    0.5
    """
    if isinstance(cov, pd.DataFrame):
        if list(map(str, cov.index)) != list(map(str, cov.columns)):
            raise DataError("the rows and columns of cov have different names or another order; make them the same")
        names = [str(c) for c in cov.columns]
        matrix = _numbers("cov", cov)
    else:
        matrix = _numbers("cov", cov)
        names = [f"x{i + 1}" for i in range(len(matrix))] if matrix.ndim == 2 else []
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise DataError(f"cov must be a square matrix, and has the shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise DataError("cov holds missing or infinite values; a printed lower triangle must be mirrored first")
    if not np.allclose(matrix, matrix.T, atol=1e-10 * max(1.0, np.abs(matrix).max())):
        i, j = np.unravel_index(np.argmax(np.abs(matrix - matrix.T)), matrix.shape)
        raise DataError(
            f"cov is not symmetric: {names[i]} with {names[j]} is {matrix[i, j]:g} above and {matrix[j, i]:g} below "
            "the diagonal"
        )
    if (np.diag(matrix) <= 0).any():
        raise DataError(f"the variance of {names[int(np.argmin(np.diag(matrix)))]} is not positive")
    checks.positive_definite(matrix, names, "matrix")
    p = len(names)
    n = whole_number(n, "n")
    if n <= p:
        raise DataError(f"n = {n} rows cannot have a covariance matrix of {p} variables of full rank; take n > {p}")
    if means is None:
        centre = np.zeros(p)
    elif isinstance(means, (Mapping, pd.Series)):
        missing = [v for v in names if v not in means]
        if missing:
            raise DataError(f"means has no value for {', '.join(missing)}")
        centre = np.array([float(means[v]) for v in names])
    else:
        centre = _numbers("means", means).ravel()
        if centre.shape != (p,):
            raise DataError(f"means has {centre.size} values, and cov has {p} variables")
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed_of(seed, {"seed": 0}))
    z = rng.standard_normal((n, p))
    z -= z.mean(axis=0)
    q, r = np.linalg.qr(z)
    q = q * np.sign(np.diag(r)) * np.sqrt(n - 1)  # signs fixed: LAPACKs differ in them
    data = q @ cholesky(matrix, lower=True).T
    return pd.DataFrame(data - data.mean(axis=0) + centre, columns=names)


def _numbers(name: str, given: object) -> np.ndarray:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{name} must hold numbers, and is {shown(given)}") from None
