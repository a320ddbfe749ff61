"""Rotation by gradient projection: oblimin and varimax from several starts, promax after varimax.

statsmodels has the same algorithm; it stops at about seven digits, and takes up to thirty times as long to get there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.arguments import Between, checked, one_of
from ..core.inference import default_seed


@dataclass(frozen=True)
class Rotated:
    """How a rotation went: the criterion's value, the share of starts that ended there, whether the gradient is zero."""

    criterion: float = np.nan
    same_optimum: float = 1.0
    settled: bool = True


def _oblimin(load: np.ndarray, gamma: float) -> tuple[float, np.ndarray]:
    squares = load**2
    x = squares.sum(1, keepdims=True) - squares
    if gamma:
        x = x - gamma * x.mean(0)
    return float((squares * x).sum() / 4), load * x


def _varimax(load: np.ndarray, gamma: float) -> tuple[float, np.ndarray]:
    centred = load**2 - (load**2).mean(0)
    return float(-(centred**2).sum() / 4), -load * centred


def _project(a: np.ndarray, criterion, gamma: float, t: np.ndarray, oblique: bool, tol: float, max_iter: int):
    """Gradient projection (Jennrich 2001 orthogonal, 2002 oblique) from the start ``t``.

    Returns criterion, loadings, t, reached. Loadings are a t'^-1 (oblique) or a t (orthogonal); factor correlations t't.
    """

    def at(t_):
        if oblique:
            inverse = np.linalg.inv(t_)
            load_ = a @ inverse.T
            f_, q = criterion(load_, gamma)
            return f_, load_, -(load_.T @ q @ inverse).T
        load_ = a @ t_
        f_, q = criterion(load_, gamma)
        return f_, load_, a.T @ q

    def projected(t_, g_):
        if oblique:
            return g_ - t_ * (t_ * g_).sum(0)
        m = t_.T @ g_
        return g_ - t_ @ ((m + m.T) / 2)

    f, load, g = at(t)
    gp = projected(t, g)
    s, alpha = np.sqrt((gp**2).sum()), 1.0
    for _ in range(max_iter):
        if s < tol:
            break
        alpha *= 2
        for _ in range(12):
            x = t - alpha * gp
            if oblique:
                t_new = x / np.sqrt((x**2).sum(0))
            else:
                u, _, v = np.linalg.svd(x)
                t_new = u @ v
            f_new, load_new, g_new = at(t_new)
            gp_new = projected(t_new, g_new)
            s_new = np.sqrt((gp_new**2).sum())
            # Close to the optimum the criterion changes by less than a float can hold; then the gradient decides.
            flat = abs(f - f_new) <= 1e-13 * max(1.0, abs(f))
            if f - f_new > 0.5 * s * s * alpha or (flat and s_new < s):
                break
            alpha /= 2
        else:
            break
        t, f, load, g, gp, s = t_new, f_new, load_new, g_new, gp_new, s_new
    return f, load, t, s < max(tol, 1e-5)


def _from_starts(a, criterion, gamma, oblique, n_starts, seed, tol=1e-8, max_iter=3000):
    """Loadings, turning matrix and how it went: the best of several starts, the unrotated one first."""
    k = a.shape[1]
    rng = np.random.default_rng(default_seed(seed))
    runs = []
    for i in range(max(1, n_starts)):
        q, upper = np.linalg.qr(rng.standard_normal((k, k))) if i else (np.eye(k), np.eye(k))
        # A rough run tells the optima apart; only the winner is carried to full precision.
        start = q * np.sign(np.diag(upper))
        runs.append(_project(a, criterion, gamma, start, oblique, 1e-4 if n_starts > 1 else tol, max_iter))
    values = np.array([run[0] for run in runs])
    near = values - values.min() < 1e-5 * max(1.0, abs(values.min()))
    best = runs[int(np.argmax(near))]
    f, load, t, reached = _project(a, criterion, gamma, best[2], oblique, tol, max_iter)
    return load, t, Rotated(f, float(near.mean()), reached)


@checked(rotation=one_of("oblimin", "varimax", "promax", "none"), power=Between(1, closed="left"))
def rotate(
    loadings: np.ndarray,
    rotation: str = "oblimin",
    *,
    normalize: bool | None = None,
    gamma: float = 0.0,
    power: float = 4.0,
    n_starts: int = 10,
    seed: int | None = None,
) -> tuple[np.ndarray, np.ndarray, Rotated]:
    """Rotate loadings (p, k) towards simple structure; options are those of :func:`~switchcost.measurement.factors.efa`.

    Returns the pattern (p, k), factor correlations (k, k) and how it went. Equals ``GPArotation::oblimin``,
    ``stats::varimax`` and ``psych::kaiser(f, "Promax")`` at tight tolerance.
    """
    a = np.asarray(loadings, dtype=float)
    k = a.shape[1]
    if k == 1 or rotation == "none":
        return a.copy(), np.eye(k), Rotated()
    normalize = (rotation != "oblimin") if normalize is None else bool(normalize)
    length = np.sqrt((a**2).sum(1, keepdims=True))
    length = np.where(length > 1e-12, length, 1.0)  # a row of zeros has no direction to normalise
    weight = length if normalize else np.ones_like(length)
    b = a / weight
    if rotation == "oblimin":
        load, t, how = _from_starts(b, _oblimin, gamma, True, n_starts, seed)
        return load * weight, t.T @ t, how
    # Promax takes its varimax start with normalised rows, whatever is done with the rest, as psych does.
    load, t, how = _from_starts(a / length if rotation == "promax" else b, _varimax, 0.0, False, n_starts, seed)
    if rotation == "varimax":
        return load * weight, np.eye(k), how
    x = b @ t
    u = np.linalg.lstsq(x, x * np.abs(x) ** (power - 1), rcond=None)[0]
    u = u * np.sqrt(np.diag(np.linalg.inv(u.T @ u)))
    inverse = np.linalg.inv(u)
    return (x @ u) * weight, inverse @ inverse.T, how
