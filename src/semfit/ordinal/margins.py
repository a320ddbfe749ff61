"""The first step: each variable on its own, thresholds or mean and variance, and slopes on predictors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from ..errors import DataError
from .bivariate import FAR, phi
from .casewise import Bounds, Residual


@dataclass(frozen=True, eq=False)
class Rows:
    """Influence (n, k) of each row, and the variable as the pairs see it."""

    influence: np.ndarray
    view: Bounds | Residual


@dataclass(frozen=True, eq=False)
class Table:
    """Category of each row (C where it is missing), and the influence (C + 1, K) of an answer in each."""

    code: np.ndarray
    by_category: np.ndarray


@dataclass(frozen=True, eq=False)
class Margin:
    """One variable on its own.

    Attributes
    ----------
    ordered : bool
    location : array
        Thresholds (K,), or the mean (1,); with predictors those at x = 0.
    slopes : array, shape (q,)
    variance : float
        Of the residual; 1 for an ordered variable.
    way : Rows or Table
        Where the influence of each row is from: an ordered variable without predictors needs a table by category only.
    """

    ordered: bool
    location: np.ndarray
    slopes: np.ndarray
    variance: float
    way: Rows | Table

    def influence(self, part: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Scores times the inverse of their cross products (n, k): what each row adds to the estimates.

        Columns: location, slopes and, for a continuous variable, variance. Zero where the variable is missing.
        """
        return self.way.influence[part] if isinstance(self.way, Rows) else self.way.by_category[self.way.code[part]]

    @cached_property
    def rows(self) -> Bounds | Residual:
        """The variable as pairs see it that need the rows."""
        if isinstance(self.way, Rows):
            return self.way.view
        code, K = self.way.code, len(self.location)
        return _bounds(code, code <= K, self.location, np.zeros(0), np.empty((len(code), 0)))


def thresholds_of(counts: np.ndarray) -> np.ndarray:
    """Thresholds (..., C - 1) from counts of categories (..., C); ``FAR`` above the last category with answers."""
    total = counts.sum(axis=-1, keepdims=True)
    share = np.cumsum(counts, axis=-1)[..., :-1] / total
    return np.clip(ndtri(share), -FAR, FAR)


def margin(y: np.ndarray, size: int, x: np.ndarray, name: str, w: np.ndarray) -> Margin:
    """First step of one variable; ``size`` categories, 0 for a continuous one; ``x`` (n, q) may have no columns.

    ``w`` (n,) are sampling weights, ones without.
    """
    seen = ~np.isnan(y)
    return _ordered(y, seen, size, x, name, w) if size else _continuous(y, seen, x, name, w)


def _influence(scores: np.ndarray, name: str, w: np.ndarray) -> np.ndarray:
    information = (scores * w[:, None]).T @ scores
    try:
        return np.linalg.solve(information, scores.T).T
    except np.linalg.LinAlgError:
        raise DataError(
            f"the first step fails for {name!r}: a predictor determines it, or predictors determine one another"
        ) from None


def _continuous(y, seen, x, name, w) -> Margin:
    X = np.column_stack([np.ones(len(y)), x])
    root = np.sqrt(w[seen])
    beta = np.linalg.lstsq(X[seen] * root[:, None], y[seen] * root, rcond=None)[0]
    e = np.where(seen, y - X @ beta, 0.0)
    variance = float(w * e @ e / w[seen].sum())
    scores = np.column_stack([X * (e / variance)[:, None], np.where(seen, (e * e / variance - 1) / (2 * variance), 0)])
    z = e / np.sqrt(variance)
    rows = Residual(z, float(np.sqrt(variance)), x, seen)
    return Margin(False, beta[:1], beta[1:], variance, Rows(_influence(scores, name, w), rows))


def _ordered(y, seen, size, x, name, w) -> Margin:
    code = np.where(seen, y, size).astype(int)
    counts = np.bincount(code[seen], w[seen], minlength=size)
    tau, none = thresholds_of(counts), np.zeros(0)
    if not x.shape[1]:
        return Margin(True, tau, none, 1.0, Table(code, _by_category(tau, counts, name)))
    tau, beta = _probit(_bounds(code, seen, tau, np.zeros(x.shape[1]), x), code, tau, name, w)
    view = _bounds(code, seen, tau, beta, x)
    p = np.where(seen, np.maximum(ndtr(view.upper) - ndtr(view.lower), 1e-300), 1.0)
    fu, fl = phi(view.upper) / p, phi(view.lower) / p
    own = view.at_upper * fu[:, None] - view.at_lower * fl[:, None]
    each = np.column_stack([own, np.where(seen, fl - fu, 0.0)[:, None] * x])
    return Margin(True, tau, beta, 1.0, Rows(_influence(each, name, w), view))


def _by_category(tau: np.ndarray, counts: np.ndarray, name: str) -> np.ndarray:
    """Influence (C + 1, K) on the thresholds of an answer in each category, the last row for a missing one."""
    K, share = len(tau), counts / counts.sum()
    scores = np.zeros((K + 2, K))
    for k in range(K):
        scores[k, k], scores[k + 1, k] = phi(tau[k]) / share[k], -phi(tau[k]) / share[k + 1]
    return _influence(scores, name, np.append(counts, 0.0))


def _bounds(code: np.ndarray, seen: np.ndarray, tau: np.ndarray, beta: np.ndarray, x: np.ndarray) -> Bounds:
    n, K = len(code), len(tau)
    at_upper, at_lower = np.zeros((n, K)), np.zeros((n, K))
    rows = np.flatnonzero(seen & (code < K))
    at_upper[rows, code[rows]] = 1.0
    rows = np.flatnonzero(seen & (code > 0))
    at_lower[rows, code[rows] - 1] = 1.0
    shift = x @ beta if len(beta) else 0.0
    upper = np.where(code < K, tau[np.minimum(code, K - 1)], FAR) - shift
    lower = np.where(code > 0, tau[np.clip(code - 1, 0, K - 1)], -FAR) - shift
    return Bounds(np.where(seen, upper, 0.0), np.where(seen, lower, 0.0), at_upper, at_lower, x, seen)


def _probit(start: Bounds, code, tau: np.ndarray, name: str, weights) -> tuple[np.ndarray, np.ndarray]:
    """Ordered probit regression by Newton's method; the likelihood has one maximum."""
    K, x, seen = len(tau), start.x, start.seen
    du, dv = (np.column_stack([at, -x]) for at in (start.at_upper, start.at_lower))
    v = np.concatenate([tau, np.zeros(x.shape[1])])
    top, bottom = (code >= K) & seen, (code == 0) & seen

    def parts(v):
        u, w = np.where(top, FAR, du @ v), np.where(bottom, -FAR, dv @ v)
        p = np.where(seen, np.maximum(ndtr(u) - ndtr(w), 1e-300), 1.0)
        return u, w, phi(u) * seen / p, phi(w) * seen / p, float(weights @ np.log(p))

    for _ in range(100):
        u, w, gu, gw, value = parts(v)
        gradient = du.T @ (weights * gu) - dv.T @ (weights * gw)
        cross = du.T @ (dv * (weights * gu * gw)[:, None])
        H = (du * (weights * (u * gu + gu**2))[:, None]).T @ du
        H -= (dv * (weights * (w * gw - gw**2))[:, None]).T @ dv + cross + cross.T
        move = np.linalg.lstsq(H, gradient, rcond=None)[0]
        size = 1.0
        while size > 1e-4 and (np.any(np.diff((v + size * move)[:K]) <= 0) or parts(v + size * move)[4] < value - 1e-9):
            size /= 2
        v = v + size * move
        if np.abs(move).max() < 1e-10:
            break
    if not np.isfinite(v).all() or np.abs(v).max() > FAR:
        raise DataError(f"the probit regression of {name!r} on the predictors fails: do they determine it?")
    return v[:K], v[K:]
