"""Factor scores from ordered answers: the most likely latents given what a person answered."""

from __future__ import annotations

import numpy as np
from scipy.special import log_ndtr

from ..errors import DataError
from ..scores import matrices
from ..solution import Solution
from .bivariate import phi
from .solution import OrdinalSolution


def posterior_modes(fit: Solution, k: int, X: np.ndarray) -> np.ndarray:
    """Latents (n, h) of group k that maximise the posterior density, by Newton's method for all rows at once.

    log p(eta | y) = -(eta - mu)' Psi^-1 (eta - mu) / 2 + sum_i log p(y_i | eta), where an ordered answer has the
    probability of its interval and mu and Psi are the latents' mean and covariance given the predictors. Missing
    answers say nothing. Residual covariances are left out of p(y | eta). Equals ``lavPredict(fit, method = "EBM")``.
    """
    if not isinstance(fit, OrdinalSolution):
        raise AssertionError("scores by thresholds are those of ordered variables")
    y, p = fit.ordinal, fit.model.n_ov
    A, S = matrices(fit, k)
    if A[np.ix_(y.y, y.y)].any() or A[p:, :][:, y.y].any():
        raise DataError(
            "factor scores of ordered items are there for models in which no observed outcome acts on others"
        )
    means = _intercepts(fit, k)
    E = np.linalg.inv(np.eye(len(A)) - A)
    S = S.copy()
    S[y.x], S[:, y.x] = 0.0, 0.0
    means[y.x] = 0.0
    shift = X[:, y.x]
    mu = (E @ means)[p:] + shift @ E[np.ix_(np.arange(p, len(A)), y.x)].T
    Psi = E[p:] @ S @ E[p:].T
    base = means[y.y] + shift @ A[np.ix_(y.y, y.x)].T  # (n, items)
    L, sd = A[y.y, p:], np.sqrt(np.diag(S)[y.y])
    if (sd == 0).any() or np.linalg.matrix_rank(Psi) < len(Psi):
        raise DataError(
            "factor scores need residual variances above zero and latents that do not determine one another"
        )
    return _newton(fit, k, X[:, y.y], mu, np.linalg.inv(Psi), base, L, sd)


def _intercepts(fit: OrdinalSolution, k: int) -> np.ndarray:
    model, g = fit.model, fit.model.groups[k]
    e = fit.entries(k)[0] / g.d
    out = np.zeros(len(model.names))
    out[g.i[g.at.means]] = e[g.at.means]
    return out


def _newton(fit, k, Y, mu, precision, base, L, sd) -> np.ndarray:
    y, place = fit.ordinal, fit.ordinal.places[k]
    tau = (place.tau_K @ fit.theta + place.tau_c).copy()
    lay, seen = y.layout, ~np.isnan(Y)
    upper, lower = np.full(Y.shape, np.inf), np.full(Y.shape, -np.inf)
    code = np.where(seen, Y, 0)
    for n, (v, c) in enumerate(zip(lay.variable, lay.category, strict=True)):
        if c >= 0:
            upper[code[:, v] == c, v], lower[code[:, v] == c + 1, v] = tau[n], tau[n]
    cut = np.zeros(Y.shape[1], bool)
    cut[y.ordered] = True
    eta, damping = mu.copy(), 1.0
    value = np.full(len(eta), -np.inf)
    for _ in range(200):
        center = base + eta @ L.T
        gradient, curvature, log = _item_terms(Y, seen, cut, upper, lower, center, sd)
        d = eta - mu
        now = log.sum(axis=1) - 0.5 * np.einsum("ni,ij,nj->n", d, precision, d)
        slope = gradient @ L - d @ precision
        H = np.einsum("ni,ij,ik->njk", curvature, L, L, optimize=True) + precision
        step = np.linalg.solve(H, slope[:, :, None])[:, :, 0]
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
        worse = now < value - 1e-12
        damping = 0.5 if worse.any() else 1.0
        value, eta = now, eta + damping * step
    return eta


def _item_terms(Y, seen, cut, upper, lower, center, sd) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First derivative of log p(y_i) by the item's centre, minus the second, and log p itself (n, items)."""
    u, v = (upper - center) / sd, (lower - center) / sd
    flip = v > 0  # both far out: use the other tail, where differences keep their digits
    a, b = np.where(flip, -v, u), np.where(flip, -u, v)
    with np.errstate(all="ignore"):
        log = log_ndtr(a) + np.log1p(-np.exp(np.minimum(log_ndtr(b) - log_ndtr(a), 0.0)))
        p = np.exp(np.maximum(log, -700.0))
        fu, fv = phi(u), phi(v)
        first = (fv - fu) / p
        bu, bv = np.where(np.isfinite(u), u * fu, 0.0), np.where(np.isfinite(v), v * fv, 0.0)
        second = first**2 + (bu - bv) / p
    z = (Y - center) / sd
    gradient = np.where(cut, first, z) / sd
    curvature = np.where(cut, np.maximum(second, 1e-8), 1.0) / sd**2
    log = np.where(cut, log, -0.5 * z * z)
    return np.where(seen, gradient, 0.0), np.where(seen, curvature, 0.0), np.where(seen, log, 0.0)
