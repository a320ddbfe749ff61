"""The first step: each variable on its own, thresholds or mean and variance, and slopes on predictors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from ..errors import DataError
from .bivariate import FAR, phi
from .casewise import Bounds, Residual


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
    influence : array, shape (n, k)
        Scores times the inverse of their cross products: what each row adds to the estimates. Columns: location,
        slopes and, for a continuous variable, variance. Zero where the variable is missing.
    rows : Bounds or Residual
        The variable as the pairs see it.
    """

    ordered: bool
    location: np.ndarray
    slopes: np.ndarray
    variance: float
    influence: np.ndarray
    rows: Bounds | Residual


def thresholds_of(counts: np.ndarray) -> np.ndarray:
    """Thresholds (..., C - 1) from counts of categories (..., C); ``FAR`` above the last category with answers."""
    total = counts.sum(axis=-1, keepdims=True)
    share = np.cumsum(counts, axis=-1)[..., :-1] / total
    return np.clip(ndtri(share), -FAR, FAR)


def margin(y: np.ndarray, size: int, x: np.ndarray, name: str) -> Margin:
    """First step of one variable; ``size`` categories, 0 for a continuous one; ``x`` (n, q) may have no columns."""
    seen = ~np.isnan(y)
    return _ordered(y, seen, size, x, name) if size else _continuous(y, seen, x, name)


def _weighted(scores: np.ndarray, name: str) -> np.ndarray:
    information = scores.T @ scores
    try:
        return np.linalg.solve(information, scores.T).T
    except np.linalg.LinAlgError:
        raise DataError(
            f"the first step fails for {name!r}: a predictor determines it, or predictors determine one another"
        ) from None


def _continuous(y, seen, x, name) -> Margin:
    X = np.column_stack([np.ones(len(y)), x])
    beta = np.linalg.lstsq(X[seen], y[seen], rcond=None)[0]
    e = np.where(seen, y - X @ beta, 0.0)
    variance = float(e @ e / seen.sum())
    scores = np.column_stack([X * (e / variance)[:, None], np.where(seen, (e * e / variance - 1) / (2 * variance), 0)])
    z = e / np.sqrt(variance)
    rows = Residual(z, float(np.sqrt(variance)), x, seen)
    return Margin(False, beta[:1], beta[1:], variance, _weighted(scores, name), rows)


def _ordered(y, seen, size, x, name) -> Margin:
    K, q = size - 1, x.shape[1]
    code = np.where(seen, y, 0).astype(int)
    counts = np.bincount(code[seen], minlength=size)
    at_upper, at_lower = np.zeros((len(y), K)), np.zeros((len(y), K))
    rows = np.flatnonzero(seen & (code < K))
    at_upper[rows, code[rows]] = 1.0
    rows = np.flatnonzero(seen & (code > 0))
    at_lower[rows, code[rows] - 1] = 1.0
    tau, beta = thresholds_of(counts), np.zeros(q)

    def bounds(tau, beta):
        shift = x @ beta if q else 0.0
        upper = np.where(code < K, tau[np.minimum(code, K - 1)], FAR) - shift
        lower = np.where(code > 0, tau[np.maximum(code - 1, 0)], -FAR) - shift
        return np.where(seen, upper, 0.0), np.where(seen, lower, 0.0)

    if q:
        tau, beta = _probit(np.concatenate([tau, beta]), K, seen, at_upper, at_lower, bounds, x, name)
    upper, lower = bounds(tau, beta)
    p = np.where(seen, np.maximum(ndtr(upper) - ndtr(lower), 1e-300), 1.0)
    fu, fl = phi(upper) / p, phi(lower) / p
    own = at_upper * fu[:, None] - at_lower * fl[:, None]
    each = np.column_stack([own, np.where(seen, fl - fu, 0.0)[:, None] * x])
    return Margin(True, tau, beta, 1.0, _weighted(each, name), Bounds(upper, lower, at_upper, at_lower, x, seen))


def _probit(v, K, seen, at_upper, at_lower, bounds, x, name) -> tuple[np.ndarray, np.ndarray]:
    """Ordered probit regression by Newton's method; the likelihood has one maximum."""
    du, dv = (np.column_stack([at, -x]) for at in (at_upper, at_lower))

    def parts(v):
        u, w = bounds(v[:K], v[K:])
        p = np.where(seen, np.maximum(ndtr(u) - ndtr(w), 1e-300), 1.0)
        return u, w, phi(u) * seen / p, phi(w) * seen / p, float(np.log(p).sum())

    for _ in range(100):
        u, w, gu, gw, value = parts(v)
        gradient = du.T @ gu - dv.T @ gw
        cross = du.T @ (dv * (gu * gw)[:, None])
        H = (du * (u * gu + gu**2)[:, None]).T @ du - (dv * (w * gw - gw**2)[:, None]).T @ dv - cross - cross.T
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
