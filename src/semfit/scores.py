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
    "Bartlett scores need an own item for every latent, and items that do not determine one another; use "
    "method='regression'"
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
    """Means of all variables; where the model has none, those it would have with free intercepts of what is observed."""
    if mean is not None:
        return mean
    A, p = matrices(solution, k)[0], solution.model.n_ov
    observed = solution.h1.mean[k]
    return np.concatenate([observed, np.linalg.solve(np.eye(len(A) - p) - A[p:, p:], A[p:, :p] @ observed)])


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
    """Weighted least squares of y - nu - B y on the loadings; NaN where a row lacks the items.

    ``y`` are the items and what their residuals covary with (auxiliary variables).
    The weights are V^-1 with V = Theta + L D L'. For any D that makes V regular the scores are those by Theta^-1, and
    items without residual variance can stay (Rao 1971).
    """
    p, A, S = solution.model.n_ov, *matrices(solution, k)
    C, mean = solution.implied(k)
    mean = _means(solution, k, mean)
    L, B = A[:p, p:], A[:p, :p]
    chosen = L.any(axis=1)
    for _ in range(p):
        chosen = chosen | S[:p, :p][:, chosen].any(axis=1)
    items = np.flatnonzero(chosen)
    L = L[items]
    V = S[np.ix_(items, items)] + (L * np.abs(np.diag(C)[p:])) @ L.T
    unit = np.sqrt(np.abs(np.diag(V)))
    if np.linalg.matrix_rank(V / np.outer(unit, unit)) < len(items) or not _determined(L).all():
        raise DataError(NO_BARTLETT)
    d = X - mean[:p]
    gap = np.isnan(d)
    target = d[:, items] - np.where(gap, 0.0, d) @ B[items].T
    target[gap @ (B[items] != 0).T] = np.nan  # a predictor of the item is missing
    scores = np.full((len(X), L.shape[1]), np.nan)
    for o, rows in row_patterns(target):
        W = np.linalg.solve(V[np.ix_(o, o)], L[o])
        found = mean[p:] + target[np.ix_(rows, o)] @ (np.linalg.pinv(L[o].T @ W, hermitian=True) @ W.T).T
        scores[rows] = np.where(_determined(L[o]), found, np.nan)
    return scores


def _determined(L: np.ndarray) -> np.ndarray:
    """Latents (columns) that the items (rows) of a loading matrix tell apart from the others."""
    unit = np.maximum(np.abs(L).max(axis=0, initial=0.0), 1e-300)
    return np.abs(np.linalg.pinv(L / unit) @ (L / unit) - np.eye(L.shape[1])).max(axis=1, initial=0.0) < 1e-8


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
