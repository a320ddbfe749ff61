"""Factor scores: estimates of each respondent's latents."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from .derivatives import row_patterns
from .errors import DataError
from .model import Kind
from .solution import Solution

METHODS = ("regression", "bartlett")
NO_BARTLETT = (
    "Bartlett scores need a residual variance in every item and an own item for every latent; use method='regression'"
)

Way = Callable[[Solution, int, np.ndarray], np.ndarray]


def factor_scores(
    solution: Solution, method: str = "regression", ways: Mapping[str, Way] | None = None
) -> pd.DataFrame:
    """Table of :meth:`semfit.Fit.factor_scores`; ``ways`` stand in where variables are ordered."""
    if method not in METHODS:
        raise DataError(f"method must be 'regression' or 'bartlett', not {method!r}")
    solution.need_convergence("factor scores")
    if solution.raw is None:
        raise DataError("factor scores need the rows of the data; the model was fitted to a covariance matrix")
    if not solution.model.lv:
        raise DataError("the model has no latent variables, so there are no factor scores")
    score = (ways or {"regression": _regression, "bartlett": _bartlett})[method]
    parts = [
        pd.DataFrame(score(solution, k, X), columns=solution.model.lv, index=index)
        for k, (X, index) in enumerate(solution.raw)
    ]
    return pd.concat(parts).iloc[np.argsort(np.concatenate(solution.positions))]  # the data's own order


def _means(solution: Solution, k: int, mean: np.ndarray | None) -> np.ndarray:
    """Means of all variables; the sample's, and 0 for latents, where the model has none."""
    if mean is not None:
        return mean
    return np.concatenate([solution.h1.mean[k], np.zeros(len(solution.model.lv))])


def _regression(solution: Solution, k: int, X: np.ndarray) -> np.ndarray:
    """E(eta | y) = mu_eta + cov(eta, y) Sigma^-1 (y - mu), from what each row has answered."""
    C, mean = solution.implied(k)
    mean, p = _means(solution, k, mean), solution.model.n_ov
    scores = np.empty((len(X), len(C) - p))
    for o, rows in row_patterns(X):
        weights = np.linalg.solve(C[np.ix_(o, o)], C[np.ix_(o, np.arange(p, len(C)))])
        scores[rows] = mean[p:] + (X[np.ix_(rows, o)] - mean[o]) @ weights
    return scores


def _bartlett(solution: Solution, k: int, X: np.ndarray) -> np.ndarray:
    """Weighted least squares of y - nu - B y on the loadings, weights Theta^-1; NaN where a row lacks the items."""
    p, A, S = solution.model.n_ov, *matrices(solution, k)
    _, mean = solution.implied(k)
    mean = _means(solution, k, mean)
    L, B = A[:p, p:], A[:p, :p]
    items = np.flatnonzero(L.any(axis=1))
    theta, L = S[np.ix_(items, items)], L[items]
    if np.linalg.matrix_rank(theta) < len(items) or np.linalg.matrix_rank(L) < L.shape[1]:
        raise DataError(NO_BARTLETT)
    d = X - mean[:p]
    target = d[:, items] - d @ B[items].T if B[items].any() else d[:, items]
    scores = np.full((len(X), L.shape[1]), np.nan)
    for o, rows in row_patterns(target):
        if len(o) and np.linalg.matrix_rank(L[o]) == L.shape[1]:
            W = np.linalg.solve(theta[np.ix_(o, o)], L[o])
            scores[rows] = mean[p:] + target[np.ix_(rows, o)] @ np.linalg.solve(L[o].T @ W, W.T).T
    return scores


def matrices(solution: Solution, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Arrows A and residual covariances S of all variables of group k in user units."""
    model, g = solution.model, solution.model.groups[k]
    v = len(model.names)
    e = solution.entries(k)[0] / g.d
    A, S = np.zeros((v, v)), np.zeros((v, v))
    arrow, both = g.kind == Kind.ARROW, g.kind == Kind.COVARIANCE
    A[g.i[arrow], g.j[arrow]] = e[arrow]
    S[g.i[both], g.j[both]] = S[g.j[both], g.i[both]] = e[both]
    return A, S
