"""Beyond expected information under complete normal data: observed information, sandwich, scaled test, residual z."""

from __future__ import annotations

import numpy as np

from .estimate import _slopes, entries, gram, sample_of, structure


def residual_z(fit, k: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Standardised residuals of covariances (p, p) and means (p,) of group k.

    The residual r = (I - D (D'AD)^-1 D'A) (s - sigma) to first order, with D the derivative of the moments and A the
    saturated information at Sigma; its covariance takes that of the sample moments under normality at S (the
    "standardized" residuals of lavResiduals). Only products with D's columns are formed.
    """
    model, g, h1 = fit._model, fit._model.groups[k], fit._h1
    n, p = fit._data.n[k], model.n_ov
    s = model.scale[:p]
    e = entries(model, g, fit._theta[None], sample_of(fit._data, k))
    Q, C, mean = structure(model, g, e)
    Sigma = C[0, :p, :p]
    S = h1["cov"][k] / np.outer(s, s)
    P = np.concatenate([np.eye(p), Q[0]], axis=1)
    x, y = P[:, g.x] * g.w, P[:, g.y]
    dS = np.einsum("ae,be,ej->jab", x, y, g.D, optimize=True)
    dS = dS + dS.swapaxes(1, 2)  # (npar, p, p)
    W = np.linalg.inv(Sigma)
    B = W @ dS @ W  # A applied to D, as symmetric matrices
    inverse = fit._bread_expected * (n / fit.n_total)
    SBS = S @ B @ S
    dm = None
    inner = 0.5 * np.einsum("iab,jab->ij", B, SBS, optimize=True)
    if model.means:
        dm = np.einsum("ae,ej->ja", P[:, g.x] * _slopes(model, g, mean)[0], g.D)
        bm = dm @ W
        inner = inner + bm @ S @ bm.T
    middle = inverse @ inner @ inverse

    def spread(gamma, cross, d):
        """Diagonal of gamma - 2 D H (A D)' gamma + D middle D' over the moments."""
        d, cross = d.reshape(len(d), -1), cross.reshape(len(d), -1)
        return gamma.ravel() - 2 * ((inverse @ cross) * d).sum(axis=0) + ((middle @ d) * d).sum(axis=0)

    v = np.diag(S)
    var = spread(np.outer(v, v) + S**2, SBS, dS).reshape(p, p)
    with np.errstate(all="ignore"):
        z = np.sqrt(n) * (S - Sigma) / np.sqrt(var)
        z[(np.abs(S - Sigma) < 1e-7) | (var <= 1e-10)] = 0.0
        if dm is None:
            return z, None
        r = h1["mean"][k] / s - mean[0, :p]
        vm = spread(v, bm @ S, dm)
        zm = np.where(np.abs(r) < 1e-7, 0.0, np.sqrt(n) * r / np.sqrt(np.maximum(vm, 1e-12)))
    return z, zm
