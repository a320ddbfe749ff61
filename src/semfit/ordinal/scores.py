"""Factor scores from ordered answers: the most likely latents given what a person answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components
from scipy.special import log_ndtr

from ..errors import DataError
from ..scores import NO_BARTLETT, matrices
from ..solution import Solution
from .bivariate import phi
from .solution import OrdinalSolution

MISSING = 9  # a side that is none


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of one group and what the model says of them given the latents.

    Attributes
    ----------
    Y : array, shape (n, items)
        Codes, or values where a variable is continuous; NaN where missing.
    upper, lower : array, shape (n, items)
        Thresholds around the answer, infinite at the ends.
    cut : array of bool, shape (items,)
        Which items are ordered.
    mu, Psi : array, shape (n, h) and (h, h)
        Mean and covariance of the latents given the predictors.
    base : array, shape (n, items)
        Mean of the items where the latents are zero.
    L, sd : array, shape (items, h) and (items,)
        Loadings and residual standard deviations.
    """

    Y: np.ndarray
    upper: np.ndarray
    lower: np.ndarray
    cut: np.ndarray
    mu: np.ndarray
    Psi: np.ndarray
    base: np.ndarray
    L: np.ndarray
    sd: np.ndarray

    def part(self, latents: np.ndarray, rows: np.ndarray | slice = slice(None)) -> Answers:
        """Some rows, some latents and their items."""
        i, f = self.L[:, latents].any(axis=1), latents
        Y, upper, lower, base = (v[rows][:, i] for v in (self.Y, self.upper, self.lower, self.base))
        Psi, L = self.Psi[np.ix_(f, f)], self.L[i][:, f]
        return Answers(Y, upper, lower, self.cut[i], self.mu[rows][:, f], Psi, base, L, self.sd[i])


def posterior_modes(fit: Solution, k: int, X: np.ndarray) -> np.ndarray:
    """Latents (n, h) of group k that maximise the posterior density, by Newton's method for all rows at once.

    log p(eta | y) = -(eta - mu)' Psi^-1 (eta - mu) / 2 + sum_i log p(y_i | eta), where an ordered answer has the
    probability of its interval and mu and Psi are the latents' mean and covariance given the predictors. Missing
    answers say nothing. Residual covariances are left out of p(y | eta). Equals ``lavPredict(fit, method = "EBM")``.
    """
    fit = _of_ordered(fit)
    a = _answers(fit, k, X)
    if (a.sd == 0).any() or np.linalg.matrix_rank(a.Psi) < len(a.Psi):
        raise DataError(
            "factor scores need residual variances above zero and latents that do not determine one another"
        )
    return _newton(a, np.linalg.inv(a.Psi))


def likelihood_modes(fit: Solution, k: int, X: np.ndarray) -> np.ndarray:
    """Latents (n, h) of group k that maximise sum_i log p(y_i | eta) alone; what Bartlett's scores are of answers.

    NaN where a row has no maximum: all its answers on a latent are the lowest or the highest, or it lacks the items.
    Equals ``lavPredict(fit, method = "ML")``, which lavaan also calls ``"Bartlett"``; lavaan prints a large number
    where there is no maximum.
    """
    fit = _of_ordered(fit)
    a = _answers(fit, k, X)
    if (a.sd == 0).any() or np.linalg.matrix_rank(a.L) < a.L.shape[1]:
        raise DataError(NO_BARTLETT)
    out = np.full(a.mu.shape, np.nan)
    for latents in _sharing_items(a.L):
        found = np.flatnonzero(_have_maximum(a.part(latents)))
        if len(found):
            out[np.ix_(found, latents)] = _newton(a.part(latents, found), np.zeros((len(latents), len(latents))))
    return out


def _sharing_items(L: np.ndarray) -> list[np.ndarray]:
    """Latents in sets that have items in common; the likelihood falls into one factor a set."""
    loads = (L != 0).astype(float)
    count, which = connected_components(loads.T @ loads, directed=False)
    return [np.flatnonzero(which == c) for c in range(count)]


def _have_maximum(a: Answers) -> np.ndarray:
    """Rows (n,) whose likelihood has a maximum: along no direction of the latents it can rise for ever.

    The likelihood of a highest (lowest) answer rises with the item's centre (falls), that of any other has a peak. So a
    direction d is sought with L_i d = 0 where there is a peak and s_i L_i d >= 0 elsewhere, s_i the side.
    """
    side = np.where(a.cut, np.isinf(a.upper) * 1 - np.isinf(a.lower) * 1, 0)
    side[np.isnan(a.Y)] = MISSING
    kinds, which = np.unique(side, axis=0, return_inverse=True)
    return np.array([_bounded(kind, a.L) for kind in kinds], dtype=bool)[which.ravel()]


def _bounded(side: np.ndarray, L: np.ndarray) -> bool:
    from scipy.optimize import linprog

    h, peak, rising = L.shape[1], L[side == 0], L[np.abs(side) == 1] * side[np.abs(side) == 1, None]
    if np.linalg.matrix_rank(peak) == h:
        return True
    if np.linalg.matrix_rank(L[side != MISSING]) < h:
        return False
    found = linprog(
        -rising.sum(axis=0),
        A_ub=-rising,
        b_ub=np.zeros(len(rising)),
        A_eq=peak,
        b_eq=np.zeros(len(peak)),
        bounds=(-1, 1),
    )
    return bool(-found.fun < 1e-9)


WAYS = {"regression": posterior_modes, "bartlett": likelihood_modes}


def _of_ordered(fit: Solution) -> OrdinalSolution:
    if not isinstance(fit, OrdinalSolution):
        raise AssertionError("scores by thresholds are those of ordered variables")
    return fit


def _answers(fit: OrdinalSolution, k: int, X: np.ndarray) -> Answers:
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
    base = means[y.y] + shift @ A[np.ix_(y.y, y.x)].T
    Y, place = X[:, y.y], y.places[k]
    tau = place.tau_K @ fit.theta + place.tau_c
    upper, lower = np.full(Y.shape, np.inf), np.full(Y.shape, -np.inf)
    for n, (v, c) in enumerate(zip(y.layout.variable, y.layout.category, strict=True)):
        if c >= 0:
            upper[Y[:, v] == c, v], lower[Y[:, v] == c + 1, v] = tau[n], tau[n]
    return Answers(Y, upper, lower, y.sizes > 0, mu, Psi, base, A[y.y, p:], np.sqrt(np.diag(S)[y.y]))


def _intercepts(fit: OrdinalSolution, k: int) -> np.ndarray:
    model, g = fit.model, fit.model.groups[k]
    e = fit.entries(k)[0] / g.d
    out = np.zeros(len(model.names))
    out[g.i[g.at.means]] = e[g.at.means]
    return out


def _newton(a: Answers, precision: np.ndarray) -> np.ndarray:
    seen = ~np.isnan(a.Y)
    unit = np.sqrt(np.abs(np.diag(a.Psi)))
    eta, best = a.mu.copy(), np.full(len(a.Y), -np.inf)
    for _ in range(200):
        gradient, curvature, log = _item_terms(a, seen, a.base + eta @ a.L.T)
        d = eta - a.mu
        now = log.sum(axis=1) - 0.5 * np.einsum("ni,ij,nj->n", d, precision, d)
        slope = gradient @ a.L - d @ precision
        H = np.einsum("ni,ij,ik->njk", curvature, a.L, a.L, optimize=True) + precision
        step = np.clip(np.linalg.solve(H, slope[:, :, None])[:, :, 0], -2 * unit, 2 * unit)
        if np.abs(step).max(initial=0.0) < 1e-9:
            break
        damping = np.where(now < best - 1e-12, 0.5, 1.0)
        best, eta = now, eta + damping[:, None] * step
    return eta


def _item_terms(a: Answers, seen: np.ndarray, center: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First derivative of log p(y_i) by the item's centre, minus the second, and log p itself (n, items)."""
    u, v = (a.upper - center) / a.sd, (a.lower - center) / a.sd
    flip = v > 0  # both far out: use the other tail, where differences keep their digits
    high, low = np.where(flip, -v, u), np.where(flip, -u, v)
    with np.errstate(all="ignore"):
        log = log_ndtr(high) + np.log1p(-np.exp(np.minimum(log_ndtr(low) - log_ndtr(high), 0.0)))
        p = np.exp(np.maximum(log, -700.0))
        fu, fv = phi(u), phi(v)
        first = (fv - fu) / p
        bu, bv = np.where(np.isfinite(u), u * fu, 0.0), np.where(np.isfinite(v), v * fv, 0.0)
        second = first**2 + (bu - bv) / p
    z = (a.Y - center) / a.sd
    gradient = np.where(a.cut, first, z) / a.sd
    curvature = np.where(a.cut, np.maximum(second, 1e-8), 1.0) / a.sd**2
    log = np.where(a.cut, log, -0.5 * z * z)
    return np.where(seen, gradient, 0.0), np.where(seen, curvature, 0.0), np.where(seen, log, 0.0)
