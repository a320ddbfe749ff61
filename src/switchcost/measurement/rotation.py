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


def _oblimin(load: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    squares = load**2
    x = squares.sum(2, keepdims=True) - squares
    if gamma:
        x = x - gamma * x.mean(1, keepdims=True)
    return (squares * x).sum((1, 2)) / 4, load * x


def _varimax(load: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    centred = load**2 - (load**2).mean(1, keepdims=True)
    return -(centred**2).sum((1, 2)) / 4, -load * centred


def _project(a: np.ndarray, criterion, gamma: float, t: np.ndarray, oblique: bool, tol: float, max_iter: int):
    """Gradient projection (Jennrich 2001 orthogonal, 2002 oblique) from the starts ``t`` (starts, k, k), all at once.

    Returns criterion (starts,), loadings, t, reached. Loadings are a t'^-1 (oblique) or a t (orthogonal); factor
    correlations t't.
    """

    def at(t_):
        inverse = np.linalg.inv(t_).swapaxes(1, 2) if oblique else t_
        load_ = a @ inverse
        f_, q = criterion(load_, gamma)
        g_ = -inverse @ (q.swapaxes(1, 2) @ load_) if oblique else a.T @ q
        if oblique:
            gp_ = g_ - t_ * (t_ * g_).sum(1, keepdims=True)
        else:
            m = t_.swapaxes(1, 2) @ g_
            gp_ = g_ - t_ @ ((m + m.swapaxes(1, 2)) / 2)
        return t_, f_, load_, gp_, np.sqrt((gp_**2).sum((1, 2)))

    now = [part.copy() for part in at(t)]
    alpha = np.ones(len(t))
    alive = now[4] >= tol
    for _ in range(max_iter):
        todo = np.flatnonzero(alive)
        if not len(todo):
            break
        alpha[todo] *= 2
        for _ in range(12):
            t_, f, _, gp, s = (part[todo] for part in now)
            x = t_ - alpha[todo, None, None] * gp
            if oblique:
                x = x / np.sqrt((x**2).sum(1, keepdims=True))
            else:
                u, _, v = np.linalg.svd(x)
                x = u @ v
            new = at(x)
            # Close to the optimum the criterion changes by less than a float can hold; then the gradient decides.
            flat = np.abs(f - new[1]) <= 1e-13 * np.maximum(1.0, np.abs(f))
            good = (f - new[1] > 0.5 * s * s * alpha[todo]) | (flat & (new[4] < s))
            for part, value in zip(now, new, strict=True):
                part[todo[good]] = value[good]
            todo = todo[~good]
            if not len(todo):
                break
            alpha[todo] /= 2
        alive[todo] = False
        alive &= now[4] >= tol
    t, f, load, _, s = now
    return f, load, t, s < max(tol, 1e-5)


def _from_starts(a, criterion, gamma, oblique, n_starts, seed, tol=1e-8, max_iter=3000):
    """Loadings, turning matrix and how it went: the best of several starts, the unrotated one first."""
    k = a.shape[1]
    rng = np.random.default_rng(default_seed(seed))
    q, upper = np.linalg.qr(rng.standard_normal((max(1, n_starts) - 1, k, k)))
    starts = np.concatenate([np.eye(k)[None], q * np.sign(np.diagonal(upper, axis1=1, axis2=2))[:, None]])
    # A rough run tells the optima apart; only the winner is carried to full precision.
    values, _, t, _ = _project(a, criterion, gamma, starts, oblique, 1e-4 if n_starts > 1 else tol, max_iter)
    near = values - values.min() < 1e-5 * max(1.0, abs(values.min()))
    f, load, t, reached = _project(a, criterion, gamma, t[[np.argmax(near)]], oblique, tol, max_iter)
    return load[0], t[0], Rotated(float(f[0]), float(near.mean()), bool(reached[0]))


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
