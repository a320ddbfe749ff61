"""Unrotated loadings by maximum likelihood or minimum residuals, of many correlation matrices at once."""

from __future__ import annotations

import numpy as np

SMALLEST_UNIQUENESS = 0.005  # as in psych::fa and stats::factanal
N_STARTS = 12  # further starts where a uniqueness runs to its bound: local minima live there
_BOTTOM = np.log(SMALLEST_UNIQUENESS)


def _ml(theta: np.ndarray, r: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ML discrepancy minimised over loadings, gradient and Hessian in theta = ln psi.

    With gamma, omega the eigenvalues and -vectors of psi^-1/2 R psi^-1/2, f = sum over m > k of gamma_m - ln gamma_m - 1
    (Joereskog 1967). The derivatives are those of the eigenvalues.
    """
    root = np.exp(-theta / 2)
    gamma, omega = np.linalg.eigh(r * root[:, :, None] * root[:, None, :])
    rest, common = np.split(np.clip(gamma, 1e-12, None), [-k], axis=1)
    f = (rest - np.log(rest) - 1).sum(-1)
    g = (omega[:, :, :-k] ** 2 * (1 - rest)[:, None, :]).sum(-1)
    gap = np.maximum(common[:, None, :] - rest[:, :, None], 1e-9)
    c = (1 - rest)[:, :, None] * (rest[:, :, None] + common[:, None, :]) / gap
    return f, g, _hessian(omega, k, rest, c)


def _minres(theta: np.ndarray, r: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Half the sum of squared residuals of R - psi minimised over loadings, gradient and Hessian in theta = ln psi."""
    psi = np.exp(theta)
    each = np.arange(psi.shape[1])
    reduced = r.copy()
    reduced[:, each, each] -= psi
    delta, v = np.linalg.eigh(reduced)
    rest, common = delta[:, :-k], delta[:, -k:]
    f = 0.5 * (rest**2).sum(-1)
    g = -(v[:, :, :-k] ** 2 * rest[:, None, :]).sum(-1)
    c = 2 * rest[:, :, None] / np.minimum(rest[:, :, None] - common[:, None, :], -1e-9)
    h = _hessian(v, k, np.ones(rest.shape), c) * psi[:, :, None] * psi[:, None, :]
    h[:, each, each] += psi * g  # from psi to ln psi
    return f, psi * g, h


def _hessian(vectors: np.ndarray, k: int, rest: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Sum over m, n of c_mn v_im v_in v_jm v_jn, symmetric: c_mn is (rest_m + rest_n) / 2 for m, n outside the last ``k``
    vectors, and ``c`` (samples, p - k, k) for m outside and n inside."""
    v, w = vectors[:, :, :-k], vectors[:, :, -k:].transpose(0, 2, 1)
    turned = v.transpose(0, 2, 1)
    mixed = (v[:, None] * c.transpose(0, 2, 1)[:, :, None, :]) @ turned[:, None]
    h = ((v * rest[:, None, :]) @ turned) * (v @ turned) + (mixed * (w[:, :, :, None] * w[:, :, None, :])).sum(1)
    return (h + h.transpose(0, 2, 1)) / 2


def _loadings(psi: np.ndarray, r: np.ndarray, k: int, method: str) -> np.ndarray:
    """Loadings (samples, p, k) that go with the uniquenesses, largest factor first."""
    if method == "ml":
        root = np.sqrt(psi)
        gamma, omega = np.linalg.eigh(r / (root[:, :, None] * root[:, None, :]))
        omega, size = root[:, :, None] * omega, gamma - 1
    else:
        reduced = r - np.eye(r.shape[1]) * psi[:, None, :]
        size, omega = np.linalg.eigh(reduced)
    return (omega * np.sqrt(np.clip(size, 0, None))[:, None, :])[:, :, ::-1][:, :, :k]


def _at_bound(theta: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Which uniquenesses push against a bound."""
    return ((theta <= _BOTTOM + 1e-9) & (g > 0)) | ((theta >= -1e-12) & (g < 0))


def _slope(theta: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Largest derivative that may still be followed."""
    return np.abs(np.where(_at_bound(theta, g), 0, g)).max(-1)


def _search(r: np.ndarray, k: int, method: str, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Newton steps on the log uniquenesses, damped and kept inside the bounds: theta, value, reached."""
    value = {"ml": _ml, "minres": _minres}[method]
    theta = np.clip(start, _BOTTOM, 0.0)
    f, g, h = value(theta, r, k)
    eye = np.eye(r.shape[-1], dtype=bool)
    alive = np.ones(len(r), dtype=bool)
    for _ in range(200):
        stuck = _at_bound(theta, g)
        work = np.flatnonzero(alive & (_slope(theta, g) >= 1e-11))
        if not len(work):
            break
        # A uniqueness that pushes against its bound stays there; the others take a Newton step.
        fixed = stuck[work]
        hw = np.where(fixed[:, :, None] | fixed[:, None, :], eye[None], h[work])
        gw = np.where(fixed, 0, g[work])
        values, vectors = np.linalg.eigh(hw)
        values = np.maximum(np.abs(values), 1e-4 * np.abs(values).max(-1, keepdims=True))
        step = -(vectors @ ((vectors.transpose(0, 2, 1) @ gw[:, :, None]) / values[:, :, None]))[:, :, 0]
        size = np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(-1), 1e-12))
        todo = np.ones(len(work), dtype=bool)
        for _ in range(20):
            rows = work[todo]
            trial = np.clip(theta[rows] + size[todo, None] * step[todo], _BOTTOM, 0.0)
            ft, gt, ht = value(trial, r[rows], k)
            flat = ft <= f[rows] + 1e-13 * np.maximum(1.0, np.abs(f[rows]))  # to its last digits: the gradient decides
            good = (ft <= f[rows]) | (flat & (_slope(trial, gt) < _slope(theta[rows], g[rows])))
            at = rows[good]
            theta[at], f[at], g[at], h[at] = trial[good], ft[good], gt[good], ht[good]
            todo[np.flatnonzero(todo)[good]] = False
            if not todo.any():
                break
            size[todo] /= 2
        alive[work[todo]] = False  # no step lowers the value any further
    return theta, f, _slope(theta, g) < 1e-6


def extract_many(
    r: np.ndarray, k: int = 1, method: str = "ml", *, n_starts: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factor many correlation matrices (samples, p, p) at once, each into ``k`` factors by ml or minres.

    ``n_starts`` further random starts are tried for a sample one of whose uniquenesses ran to its bound; the lowest
    value is kept. Returns unrotated loadings (samples, p, k), each factor with a positive sum; uniquenesses
    (samples, p) within [.005, 1]; and whether the search ended at a minimum (samples,).

    With one factor the loadings are those of ``lavaan::cfa(std.lv = TRUE)`` on standardised items wherever lavaan's
    error variances are positive; with more those of ``psych::fa``, which keeps the first of several minima at a bound.
    """
    r = np.asarray(r, dtype=float)
    p = r.shape[-1]
    unexplained = 1 / np.diagonal(np.linalg.inv(r), axis1=1, axis2=2)
    start = np.clip((1 - 0.5 * k / p) * unexplained, SMALLEST_UNIQUENESS, 0.999)
    theta, f, reached = _search(r, k, method, np.log(start))
    bound = (theta <= _BOTTOM + 1e-9).any(-1) | ~reached
    if n_starts and bound.any():
        rng = np.random.default_rng(1)
        for i in np.flatnonzero(bound):
            again = np.concatenate([np.log(unexplained[i])[None], np.log(rng.uniform(0.02, 1, (n_starts - 1, p)))])
            many = np.broadcast_to(r[i], (n_starts, p, p)).copy()
            found, value, there = _search(many, k, method, again)
            value = np.where(there, value, np.inf)
            best = int(np.argmin(value))
            if there[best] and (value[best] < f[i] - 1e-9 or not reached[i]):
                theta[i], f[i], reached[i] = found[best], value[best], True
    load = _loadings(np.exp(theta), r, k, method)
    return load * np.where(load.sum(1, keepdims=True) < 0, -1.0, 1.0), np.exp(theta), reached


def extract(
    r: np.ndarray, k: int, method: str = "ml", *, n_starts: int = N_STARTS
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Unrotated loadings (p, k) and uniquenesses (p,) of one correlation matrix, and whether a minimum was reached.

    ``method="principal"`` gives components: eigenvectors times the roots of their eigenvalues.
    """
    if method == "principal":
        values, vectors = np.linalg.eigh(r)
        load = (vectors * np.sqrt(np.clip(values, 0, None)))[:, ::-1][:, :k]
        return load * np.where(load.sum(0) < 0, -1.0, 1.0), 1 - (load**2).sum(1), True
    many, psi, reached = extract_many(r[None], k, method, n_starts=n_starts)
    return many[0], psi[0], bool(reached[0])
