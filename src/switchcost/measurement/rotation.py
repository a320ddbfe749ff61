"""Rotation by gradient projection: oblimin and varimax from several starts."""

from __future__ import annotations

import numpy as np

from .._core import checks
from .._core.errors import DataError


# --- rotation --------------------------------------------------------------------------------------------------------
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


def _random_orthogonal(rng: np.random.Generator, k: int) -> np.ndarray:
    q, upper = np.linalg.qr(rng.standard_normal((k, k)))
    return q * np.sign(np.diag(upper))


def _rotate_from_starts(a, criterion, gamma, oblique, n_starts, seed, tol=1e-8, max_iter=3000):
    """Best of several starts, the unrotated one first; with the share of starts that end there."""
    k = a.shape[1]
    rng = np.random.default_rng(seed)
    runs = []
    for i in range(max(1, n_starts)):
        start = np.eye(k) if i == 0 else _random_orthogonal(rng, k)
        # A rough run tells the optima apart; only the winner is carried to full precision.
        runs.append(_project(a, criterion, gamma, start, oblique, 1e-4 if n_starts > 1 else tol, max_iter))
    values = np.array([run[0] for run in runs])
    near = values - values.min() < 1e-5 * max(1.0, abs(values.min()))
    best = runs[int(np.argmax(near))]
    f, load, t, reached = _project(a, criterion, gamma, best[2], oblique, tol, max_iter)
    return f, load, t, reached, float(near.mean())


def rotate(
    loadings: np.ndarray,
    rotation: str = "oblimin",
    *,
    normalize: bool | None = None,
    gamma: float = 0.0,
    power: float = 4.0,
    n_starts: int = 10,
    seed: int | None = 1,
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Rotate a loading matrix towards simple structure.

    Parameters
    ----------
    loadings : array of shape (p, k), unrotated
    rotation : ``"oblimin"``, ``"varimax"``, ``"promax"`` or ``"none"``
    normalize : Kaiser's normalisation (rows to length one while rotating). None follows ``psych::fa``: no for oblimin,
        yes for varimax and promax.
    gamma : oblimin's parameter; 0 is quartimin, the default everywhere
    power : promax's power
    n_starts : starting positions, the unrotated one and random ones; the best is kept
    seed : of the random starts

    Returns
    -------
    tuple of pattern loadings (p, k), factor correlations (k, k), and a dict with ``criterion`` and ``same_optimum``,
        the share of starts that ended at the optimum kept (below 1: the criterion has local optima), ``settled``.

    Raises
    ------
    ValueError
        Unknown rotation.

    Notes
    -----
    Equals ``GPArotation::oblimin``, ``stats::varimax`` and ``psych::kaiser(f, "Promax")`` at tight tolerance.
    """
    known = ("oblimin", "varimax", "promax", "none")
    if rotation not in known:
        raise DataError(
            f"rotation={rotation!r}; it must be one of {', '.join(known)}.{checks.suggest(rotation, known)}"
        )
    a = np.asarray(loadings, dtype=float)
    k = a.shape[1]
    if k == 1 or rotation == "none":
        return a.copy(), np.eye(k), {"criterion": np.nan, "same_optimum": 1.0, "settled": True}
    normalize = (rotation != "oblimin") if normalize is None else bool(normalize)
    length = np.sqrt((a**2).sum(1, keepdims=True))
    # A row of zeros has no direction to normalise.
    weight = np.where(length > 1e-12, length, 1.0) if normalize else np.ones_like(length)
    b = a / weight
    if rotation == "oblimin":
        f, load, t, reached, share = _rotate_from_starts(b, _oblimin, gamma, True, n_starts, seed)
        load, phi = load * weight, t.T @ t
    else:
        # Promax takes its varimax start with normalised rows, whatever is done with the rest, as psych does.
        inner = a / np.where(length > 1e-12, length, 1.0) if rotation == "promax" else b
        f, load, t, reached, share = _rotate_from_starts(inner, _varimax, 0.0, False, n_starts, seed)
        if rotation == "varimax":
            load, phi = load * weight, np.eye(k)
        else:
            x = b @ t
            u = np.linalg.lstsq(x, x * np.abs(x) ** (power - 1), rcond=None)[0]
            u = u * np.sqrt(np.diag(np.linalg.inv(u.T @ u)))
            inverse = np.linalg.inv(u)
            load, phi = (x @ u) * weight, inverse @ inverse.T
    return load, phi, {"criterion": f, "same_optimum": share, "settled": reached}
