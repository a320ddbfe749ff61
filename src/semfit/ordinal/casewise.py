"""Pairs that need the rows: a continuous variable with an ordered or a continuous one, and pairs given predictors.

Each function takes standardised residuals (continuous) or bounds (ordered) row by row, and returns the two-step
correlation, its scores, and the scores of the parameters that were estimated before (Olsson, Drasgow & Dorans 1982,
Psychometrika 47, 337-347 for the polyserial correlation). Rows where one of the two is missing score zero. Sampling
weights ``w`` (n,) enter the sums; the scores themselves are of one row each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from .bivariate import BOUND, LOST, TINY, below, density, phi

FLOOR = 1e-290  # a row with less probability has lost its score: the correlation is too strong


@dataclass(frozen=True, eq=False)
class Bounds:
    """An ordered variable, row by row.

    Attributes
    ----------
    upper, lower : array, shape (n,)
        Thresholds around the answer less what the predictors say; 0 where missing.
    at_upper, at_lower : array, shape (n, K)
        One where the bound is that threshold.
    x : array, shape (n, q)
    seen : array of bool, shape (n,)
    """

    upper: np.ndarray
    lower: np.ndarray
    at_upper: np.ndarray
    at_lower: np.ndarray
    x: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True, eq=False)
class Residual:
    """A continuous variable, row by row: standardised residual, standard deviation, predictors."""

    z: np.ndarray
    sd: float
    x: np.ndarray
    seen: np.ndarray


@dataclass(frozen=True, eq=False)
class Pair:
    """Correlation, its scores (n,), and scores (n, k) of the first-step parameters of both variables."""

    rho: float
    score: np.ndarray
    first: np.ndarray
    second: np.ndarray


def _search(score: Callable[[float], tuple[float, float]], start: float) -> float:
    """Root of a score that falls through zero: scoring, then secants, within a shrinking bracket."""
    low, high, rho = -BOUND, BOUND, float(np.clip(start, -0.9, 0.9))
    before: tuple[float, float] | None = None
    for k in range(80):
        value, information = score(rho)
        low, high = (rho, high) if value > 0 else (low, rho)
        if np.isinf(value):
            before, rho = None, (low + high) / 2
            continue
        slope = information
        if before is not None and rho != before[0]:
            secant = (before[1] - value) / (rho - before[0])
            slope = secant if 0.3 * information < secant < 3 * information else information
        move = value / max(slope, 1e-10)
        before = (rho, value)
        if abs(move) < 1e-10 or high - low < 1e-12:
            return rho + move if abs(rho + move) < BOUND else rho
        # one unlikely row can make the information so large that steps hardly move: then halve every other time
        inside = low < rho + move < high and (k < 8 or k % 2)
        rho = rho + move if inside else (low + high) / 2
    return rho


def two_continuous(a: Residual, b: Residual, w: np.ndarray) -> Pair:
    seen = a.seen & b.seen
    x, y, n = np.where(seen, a.z, 0.0), np.where(seen, b.z, 0.0), float(w[seen].sum())
    cross, squares = float(w * x @ y), float(w * x @ x + w * y @ y)

    def score(rho: float) -> tuple[float, float]:
        r = 1 - rho * rho
        value = n * rho / r + cross / r - (squares - 2 * rho * cross) * rho / r**2
        return value, n * (1 + rho * rho) / r**2

    rho = cross / n if seen.all() else _search(score, cross / n)
    r = 1 - rho * rho
    each = np.where(seen, rho / r + x * y / r - (x * x - 2 * rho * x * y + y * y) * rho / r**2, 0.0)

    def own(z, other, sd, predictors):
        mean = (z - rho * other) / (r * sd)
        variance = np.where(seen, -0.5 / sd**2 * (1 - (z * z - rho * z * other) / r), 0.0)
        return np.column_stack([mean, mean[:, None] * predictors, variance])

    return Pair(rho, each, own(x, y, a.sd, a.x), own(y, x, b.sd, b.x))


def continuous_and_ordered(a: Residual, b: Bounds, w: np.ndarray) -> Pair:
    seen = a.seen & b.seen
    z = np.where(seen, a.z, 0.0)
    upper, lower = np.where(seen, b.upper, 0.0), np.where(seen, b.lower, -1.0)

    def pieces(rho: float):
        root = np.sqrt(1 - rho * rho)
        u, v = (upper - rho * z) / root, (lower - rho * z) / root
        turn = np.where(v > 0, -1.0, 1.0)  # a difference of upper tails keeps its digits
        p = np.maximum(turn * (ndtr(turn * u) - ndtr(turn * v)), FLOOR)
        each = (phi(u) * (upper * rho - z) - phi(v) * (lower * rho - z)) / (root**3 * p)
        return root, phi(u), phi(v), p, np.where(seen, each, 0.0)

    def score(rho: float) -> tuple[float, float]:
        *_, p, each = pieces(rho)
        value = -np.copysign(np.inf, rho) if (seen & (p <= FLOOR)).any() else float(w @ each)
        return value, float(w * each @ each)

    rho = _search(
        score, 0.8 * float(z @ np.where(seen, (b.at_upper.cumsum(axis=1) == 0).sum(axis=1) - 1.0, 0)) / len(z)
    )
    root, fu, fv, p, each = pieces(rho)
    keep = seen[:, None]
    mean = (z + rho / root * (fu - fv) / p) / a.sd
    variance = ((z * z - 1) + rho * z / root * (fu - fv) / p) / (2 * a.sd**2)
    first = np.where(keep, np.column_stack([mean, mean[:, None] * a.x, variance]), 0.0)
    thresholds = (b.at_upper * fu[:, None] - b.at_lower * fv[:, None]) / (root * p)[:, None]
    slopes = ((fv - fu) / (root * p))[:, None] * b.x
    return Pair(rho, each, first, np.where(keep, np.column_stack([thresholds, slopes]), 0.0))


def two_ordered(a: Bounds, b: Bounds, w: np.ndarray) -> Pair:
    """Given predictors every row has bounds of its own, so there is no table."""
    seen = a.seen & b.seen
    au, al = np.where(seen, a.upper, 0.0), np.where(seen, a.lower, -1.0)
    bu, bl = np.where(seen, b.upper, 0.0), np.where(seen, b.lower, -1.0)

    # rows that have hardly any chance without a correlation say nothing of where it is too strong
    likely = seen & ((ndtr(au) - ndtr(al)) * (ndtr(bu) - ndtr(bl)) > 1e3 * LOST)

    def pieces(rho: float, least: float):
        r = np.array(rho)
        p = below(au, bu, r) - below(al, bu, r) - below(au, bl, r) + below(al, bl, r)
        slope = density(au, bu, r) - density(al, bu, r) - density(au, bl, r) + density(al, bl, r)
        inverse = np.where(seen & (p > least), 1 / np.maximum(p, least), 0.0)
        return inverse, slope * inverse

    def score(rho: float) -> tuple[float, float]:
        inverse, each = pieces(rho, LOST)
        value = -np.copysign(np.inf, rho) if (likely & (inverse == 0)).any() else float(w @ each)
        return value, float(w * each @ each)

    rho = _search(score, 0.0)
    inverse, each = pieces(rho, TINY)
    root = np.sqrt(1 - rho * rho)

    def own(v: Bounds, upper, lower, other_upper, other_lower):
        at_upper = phi(upper) * (ndtr((other_upper - rho * upper) / root) - ndtr((other_lower - rho * upper) / root))
        at_lower = phi(lower) * (ndtr((other_upper - rho * lower) / root) - ndtr((other_lower - rho * lower) / root))
        thresholds = (v.at_upper * at_upper[:, None] - v.at_lower * at_lower[:, None]) * inverse[:, None]
        return np.column_stack([thresholds, ((at_lower - at_upper) * inverse)[:, None] * v.x])

    return Pair(rho, each, own(a, au, al, bu, bl), own(b, bu, bl, au, al))
