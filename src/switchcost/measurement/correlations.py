"""Answers or a matrix in, a checked sample of items out: every function of this room comes through here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import helmert

from semfit.ordinal.correlations import Polychoric, polychoric

from ..core import checks
from ..core.errors import DataError


@dataclass(frozen=True, eq=False)
class Items:
    """Items of a sample.

    Attributes
    ----------
    cov : array of float, shape (p, p)
        Covariances with divisor n - 1, or the matrix that was handed in.
    names : list of str
    n_obs : int or None
        Rows used; None where a matrix came without ``n_obs``.
    n_dropped : int
        Rows left out because of a gap.
    raw : array of float, shape (n_obs, p), or None
        The answers, where answers came in and are taken as numbers.
    polychoric : Polychoric or None
        Where the answers are ordered: their polychoric correlations, which ``cov`` holds.
    """

    cov: np.ndarray
    names: list[str]
    n_obs: int | None
    n_dropped: int = 0
    raw: np.ndarray | None = None
    polychoric: Polychoric | None = None

    @property
    def n(self) -> int:
        """Rows used, where they must be known."""
        if self.n_obs is None:
            raise DataError("a correlation matrix does not say how many people answered: give n_obs=")
        return self.n_obs

    def answers(self, what: str) -> np.ndarray:
        """The raw answers, for ``what`` cannot do without them."""
        if self.raw is None:
            raise DataError(
                f"{what} needs the answers as numbers, neither a matrix nor ordered=; run it on raw answers"
            )
        return self.raw

    @property
    def r(self) -> np.ndarray:
        """Correlations (p, p)."""
        return correlations(self.cov[None])[0]

    @property
    def table(self) -> pd.DataFrame:
        """Correlations with the items' names."""
        return pd.DataFrame(self.r, self.names, self.names)

    def as_answers(self) -> np.ndarray:
        """The answers; or, of a matrix, rows that have exactly its correlations, for functions that take answers only."""
        if self.raw is not None:
            return self.raw
        return helmert(len(self.names) + 1).T @ np.linalg.cholesky(self.r).T


def correlations(s: np.ndarray) -> np.ndarray:
    """Correlation matrices from covariance matrices of shape (samples, p, p)."""
    sd = np.sqrt(np.diagonal(s, axis1=1, axis2=2))
    r = s / (sd[:, :, None] * sd[:, None, :])
    each = np.arange(s.shape[1])
    r[:, each, each] = 1.0
    return r


def is_matrix(data: object) -> bool:
    """Whether this is a correlation or covariance matrix: the same names on both sides, or a symmetric array.

    A DataFrame whose rows are counted (as raw answers are) is not one, though it may be square.
    """
    if isinstance(data, pd.DataFrame):
        same = data.shape[0] == data.shape[1] and list(map(str, data.index)) == list(map(str, data.columns))
        return same and not isinstance(data.index, pd.RangeIndex)
    if isinstance(data, np.ndarray) and data.ndim == 2 and data.shape[0] == data.shape[1]:
        values = np.asarray(data, dtype=float)
        return bool(np.allclose(values, values.T, rtol=1e-6, atol=1e-8) and (np.diag(values) > 0).all())
    return False


def matrix_input(data: pd.DataFrame | np.ndarray, names: Sequence[str] | None, n_obs: int | None) -> Items:
    """A correlation or covariance matrix as items, checked by :func:`semfit.checks.matrix_input`, with an inverse."""
    if isinstance(data, np.ndarray):
        known = [f"x{i + 1}" for i in range(len(data))]
        data = pd.DataFrame(data, known, known)
    data = data.rename(index=str, columns=str)
    m = checks.matrix_input(data, names, n_obs=n_obs, what="the matrix")
    checks.positive_definite(m.to_numpy(), list(m.columns), "matrix")
    return Items(m.to_numpy(), list(m.columns), n_obs)


def complete_items(data: pd.DataFrame, names: Sequence[str] | None = None, fewest: int | None = None) -> Items:
    """Answers complete in all the items; rows with a gap are left out and counted.

    ``fewest`` rows are needed; None means one more than there are items, so that the covariances have an inverse.

    Raises
    ------
    DataError
        Text, missing codes, constants (also those that become constant once rows with gaps are gone).
    """
    kept, dropped = checks.complete_rows(checks.numeric(data, names))
    x = checks.numeric(kept) if dropped else kept
    if len(x) < (x.shape[1] + 1 if fewest is None else fewest):
        raise DataError(
            f"{len(x)} complete rows for {x.shape[1]} items ({', '.join(map(str, x.columns[:4]))} ...): too few"
        )
    raw = x.to_numpy()
    return Items(np.atleast_2d(np.cov(raw, rowvar=False)), list(map(str, x.columns)), len(x), dropped, raw)


def named_items(data: pd.DataFrame, names: Sequence[str], n_obs: int | None, fewest: int | None = None) -> Items:
    """Items of a scale from answers, or from a matrix where ``n_obs`` says that it is one."""
    if n_obs is not None:
        if not is_matrix(data):
            raise DataError(
                "n_obs= says that data is a correlation or covariance matrix; its rows and columns must have the same names"
            )
        return matrix_input(data, names, n_obs)
    if is_matrix(data):
        raise DataError("data looks like a covariance or correlation matrix; say how many people are behind it: n_obs=")
    return complete_items(data, names, fewest)


def correlation_input(
    data: pd.DataFrame | np.ndarray, n_obs: int | None = None, ordered: bool | Sequence[str] | None = None
) -> Items:
    """What a factor analysis takes: answers without gaps, or a matrix; at least three items. With ``ordered`` the
    correlations of the answers are polychoric (all items, or those named).

    Raises
    ------
    DataError
        Missing answers, text, constants, fewer than three columns, or a matrix without an inverse.
    """
    if is_matrix(data):
        if ordered:
            raise DataError("ordered= needs the answers; a matrix of polychoric correlations is taken as it is")
        found = matrix_input(data, None, n_obs)
    else:
        x = checks.numeric(data)
        gaps = x.isna().sum()
        if gaps.any():
            worst = ", ".join(f"{c} ({int(k)})" for c, k in gaps[gaps > 0].sort_values(ascending=False)[:5].items())
            raise DataError(
                f"{int(x.isna().any(axis=1).sum())} of {len(x)} rows have missing answers: {worst}. Nothing is filled "
                "in silently. Three ways out: data.dropna() keeps complete rows; an imputed copy (e.g. several from "
                "sklearn's IterativeImputer); or a correlation matrix estimated from the gaps, given with n_obs="
            )
        if n_obs is not None and not (isinstance(n_obs, int) and n_obs == len(x)):
            raise DataError(f"n_obs={n_obs}, and the data have {len(x)} rows; n_obs belongs to a matrix only")
        found = complete_items(x)
        if ordered:
            poly = polychoric(x, ordered)
            found = Items(poly.correlations.to_numpy(), found.names, len(x), polychoric=poly)
    if len(found.names) < 3:
        raise DataError(f"{len(found.names)} column(s); a factor needs at least three items to show itself")
    checks.positive_definite(found.cov, found.names, "correlation matrix")
    return found
