"""Refits near a known solution by gradients alone: the engine of bootstraps and of Monte Carlo samples."""

from __future__ import annotations

import numpy as np

from .estimate import Moments, evaluate
from .mixing import mixed
from .model import Model

BATCH = 50  # moments at once: enough to fill the matrix products, little enough to stay in the cache


def refit_near(model: Model, data, start: np.ndarray, information: np.ndarray, tolerance: float = 5e-7) -> tuple:
    """Minimise F for a batch of moments (or one set of patterns) near the solution ``start`` (npar,), by gradients only.

    A fixed-point iteration with one information matrix for all, ``theta <- theta - I^-1 gradient``, sped up by
    Anderson mixing over the last steps (Walker & Ni 2011, SIAM J. Numer. Anal. 49, 1715-1735). In the coordinates
    I^(1/2) theta the Hessian is near the identity, so that a dozen gradients are enough, at a fifth of the cost of
    scoring with an information matrix for each. Stops at a gradient of ``tolerance`` in units of sqrt(information).

    Returns theta (B, npar), F (B,) and success (B,); failures are left to the careful routines.
    """
    memory, limit = 8, 40
    B, n = len(data), model.npar
    out, out_F, ok = np.broadcast_to(start, (B, n)).copy(), np.full(B, np.inf), np.zeros(B, bool)
    try:
        back = np.linalg.inv(np.linalg.cholesky(information)).T
    except np.linalg.LinAlgError:
        return out, out_F, ok
    active, z = np.arange(B), np.zeros((B, n))
    z_before = f_before = np.zeros((B, n))
    steps, changes = np.zeros((B, memory, n)), np.zeros((B, memory, n))
    for k in range(limit):
        theta = start + z @ back.T
        F, gradient, _ = evaluate(model, data, theta, information=False)
        f = -gradient @ back
        size = np.abs(f).max(axis=1)
        if k == 0:
            first, last = F, np.full(B, np.inf)
        small = (size < tolerance) & (F <= first + 1e-12)
        done = small | ~np.isfinite(F) | (size > 100 * last)
        last = np.fmin(last, size)
        if done.any():
            out[active[done]], out_F[active[done]], ok[active[done]] = theta[done], F[done], small[done]
            keep = ~done
            if not keep.any():
                break
            data, active, first, last, z, f, z_before, f_before, steps, changes = (
                data.take(keep),
                *(a[keep] for a in (active, first, last, z, f, z_before, f_before, steps, changes)),
            )
        if k:
            steps[:, (k - 1) % memory], changes[:, (k - 1) % memory] = z - z_before, f - f_before
        z_before, f_before, z = z, f, mixed(z, f, steps[:, :k], changes[:, :k])
    return out, out_F, ok


def regular(data: Moments, scale: np.ndarray) -> np.ndarray:
    """(B,) resamples in which no item is constant and every correlation matrix is positive definite."""
    ok = np.ones(len(data), bool)
    for S in data.S:
        variance = np.diagonal(S, axis1=1, axis2=2)
        varies = variance > 1e-10 * scale**2  # a constant item has the variance of rounding error
        sd = np.sqrt(np.where(varies, variance, 1.0))
        ok &= varies.all(axis=1) & (np.linalg.eigvalsh(S / sd[:, :, None] / sd[:, None, :])[:, 0] > 1e-10)
    return ok


def saturated_discrepancy(model: Model, data: Moments) -> np.ndarray:
    """F of the saturated model (B,), in the units of ``scoring.fit_batch``: (log|S| + p) / 2 summed over groups."""
    N, p, log_scale = sum(data.n), model.n_ov, np.log(model.scale[: model.n_ov]).sum()
    return sum(n / N * (0.5 * (np.linalg.slogdet(S)[1] + p) - log_scale) for S, n in zip(data.S, data.n, strict=True))
