"""Unrotated loadings by maximum likelihood or minimum residuals."""

from __future__ import annotations

import numpy as np

SMALLEST_UNIQUENESS = 0.005  # smallest uniqueness, as in psych::fa and stats::factanal


# --- extraction ------------------------------------------------------------------------------------------------------
def _ml_value(psi: np.ndarray, r: np.ndarray, k: int, hessian: bool = True) -> tuple:
    """ML discrepancy minimised over loadings, its gradient and (if asked for) Hessian in the uniquenesses.

    With gamma, omega the eigenvalues and -vectors of psi^-1/2 R psi^-1/2, f = sum over m > k of gamma_m - ln gamma_m - 1
    (Joereskog 1967). The derivatives are those of the eigenvalues.
    """
    root = 1 / np.sqrt(psi)
    gamma, omega = np.linalg.eigh(r * np.outer(root, root))
    gamma, omega = np.clip(gamma[::-1], 1e-12, None), omega[:, ::-1]
    rest = gamma[k:]
    f = float((rest - np.log(rest) - 1).sum())
    g = omega[:, k:] ** 2 @ (1 - rest)  # by ln psi
    if not hessian:
        return f, g / psi
    p = len(psi)
    c = np.zeros((p, p))
    c[k:, k:] = (rest[:, None] + rest[None, :]) / 2
    c[k:, :k] = (
        (1 - rest)[:, None] * (rest[:, None] + gamma[None, :k]) / np.maximum(gamma[None, :k] - rest[:, None], 1e-9)
    )
    pairs = omega[:, None, :] * omega[None, :, :]
    h = np.einsum("ijm,ijm->ij", pairs @ c, pairs)
    grad = g / psi
    hess = (h - np.diag(g)) / np.outer(psi, psi)  # from ln psi to psi
    return f, grad, (hess + hess.T) / 2


def _minres_value(psi: np.ndarray, r: np.ndarray, k: int, hessian: bool = True) -> tuple:
    """Half the sum of squared residuals of R - psi minimised over loadings, with gradient and Hessian."""
    delta, v = np.linalg.eigh(r - np.diag(psi))
    delta, v = delta[::-1], v[:, ::-1]
    rest = delta[k:]
    f = float(0.5 * (rest**2).sum())
    g = -(v[:, k:] ** 2) @ rest
    if not hessian:
        return f, g
    p = len(psi)
    c = np.zeros((p, p))
    c[k:, k:] = 1.0
    c[k:, :k] = 2 * rest[:, None] / np.minimum(rest[:, None] - delta[None, :k], -1e-9)
    pairs = v[:, None, :] * v[None, :, :]
    h = np.einsum("ijm,ijm->ij", pairs @ c, pairs)
    return f, g, (h + h.T) / 2


def _loadings_at(psi: np.ndarray, r: np.ndarray, k: int, method: str) -> np.ndarray:
    if method == "ml":
        root = np.sqrt(psi)
        gamma, omega = np.linalg.eigh(r / np.outer(root, root))
        return root[:, None] * omega[:, ::-1][:, :k] * np.sqrt(np.clip(gamma[::-1][:k] - 1, 0, None))
    delta, v = np.linalg.eigh(r - np.diag(psi))
    return v[:, ::-1][:, :k] * np.sqrt(np.clip(delta[::-1][:k], 0, None))


def extract(r: np.ndarray, k: int, method: str = "ml") -> tuple[np.ndarray, np.ndarray, bool]:
    """Unrotated loadings (p, k) and uniquenesses (p,) of a correlation matrix, and whether the optimum was reached.

    L-BFGS-B with the analytic gradient from the squared multiple correlations, then Newton steps on the uniquenesses
    that are off their bound of .005. No Heywood warning here; the caller knows what to say.
    """
    from scipy.optimize import minimize

    value = {"ml": _ml_value, "minres": _minres_value}[method]
    start = np.clip(1 / np.diag(np.linalg.inv(r)), SMALLEST_UNIQUENESS, 1.0)
    found = minimize(
        lambda x: value(x, r, k, hessian=False),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(SMALLEST_UNIQUENESS, 1.0)] * len(r),
        options={"maxiter": 2000, "maxfun": 4000, "ftol": 1e-13, "gtol": 1e-7},
    )
    psi = np.clip(found.x, SMALLEST_UNIQUENESS, 1.0)
    f, g, h = value(psi, r, k)
    for _ in range(30):
        # Every uniqueness that pushes against its bound stays there; the others take a Newton step.
        stuck = ((psi <= SMALLEST_UNIQUENESS * (1 + 1e-9)) & (g > 0)) | ((psi >= 1 - 1e-12) & (g < 0))
        free = ~stuck
        if not free.any() or np.abs(g[free]).max() < 1e-11:
            break
        values, vectors = np.linalg.eigh(h[np.ix_(free, free)])
        values = np.maximum(np.abs(values), 1e-8 * np.abs(values).max())
        step = -vectors @ ((vectors.T @ g[free]) / values)
        size = 1.0
        for _ in range(25):
            trial = psi.copy()
            trial[free] = np.clip(psi[free] + size * step, SMALLEST_UNIQUENESS, 1.0)
            f_new, g_new, h_new = value(trial, r, k)
            if f_new <= f + 1e-15 * max(1.0, abs(f)):
                break
            size /= 2
        else:
            break
        if np.abs(trial - psi).max() < 1e-14:
            psi, f, g, h = trial, f_new, g_new, h_new
            break
        psi, f, g, h = trial, f_new, g_new, h_new
    stuck = ((psi <= SMALLEST_UNIQUENESS * (1 + 1e-9)) & (g > 0)) | ((psi >= 1 - 1e-12) & (g < 0))
    converged = bool(stuck.all() or np.abs(g[~stuck]).max() < 1e-5)
    return _loadings_at(psi, r, k, method), psi, converged
