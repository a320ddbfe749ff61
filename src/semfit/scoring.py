"""Fisher scoring with Levenberg damping, for a batch of samples at once; the last steps of one fit by gradients."""

from __future__ import annotations

import numpy as np

from .estimate import Moments, evaluate
from .gradient import BATCH, refit_near
from .model import Model

TOLERANCE = 1e-7  # largest gradient element, in units of sqrt(information), at which a fit has converged
NEAR = 1e-2  # the same, from which gradients alone lead to the end


def fit_batch(model: Model, S, m=None, n=None, start=None, max_iter: int = 200, data=None) -> tuple:
    """Fit one model to a batch of sample moments by Fisher scoring with Levenberg damping.

    Parameters
    ----------
    model : Model, with ``set_scale`` called (``prepare`` does it)
    S : (B, p, p) covariance matrices with divisor n, in the order of ``model.ov``; a list of them for groups
    m : (B, p) means (list for groups); needed when the model has a mean structure
    n : rows, a number or one a group
    start : (npar,) or (B, npar)
    data : a ``Moments`` or ``Patterns`` object instead of S, m, n

    Returns
    -------
    theta (B, npar), F (B,), converged (B,) bool
        chi-square is 2 N (F - F of the saturated model); F counts variables in units of ``model.scale``. ``converged``
        says that the step that Fisher scoring would still take is below 1e-7 standard errors of one observation in
        every parameter.
    """
    if data is None:
        groups = S if isinstance(S, (list, tuple)) else [S]
        means = None if m is None else list(m) if isinstance(m, (list, tuple)) else [m]
        data = Moments(list(groups), means, list(n) if np.ndim(n) else [n])
    B = len(data)
    theta = np.broadcast_to(np.asarray(start, float), (B, model.npar)).copy()
    F, converged = np.full(B, np.inf), np.zeros(B, bool)
    size = max(1, int(2**18 / max(model.npar**2, 1)))
    for first in range(0, B, size):
        part = slice(first, first + size)
        one = data if B == 1 else data.take(part)
        theta[part], F[part], converged[part] = _scoring(model, one, theta[part], max_iter)
    return theta, F, converged


def _scoring(model: Model, data, theta: np.ndarray, max_iter: int) -> tuple:
    """Fisher scoring; each member of the batch has its own damping and leaves when it is done."""
    B = len(theta)
    F, grad, info = evaluate(model, data, theta, information=model.npar > 0, bend=True)
    if model.npar == 0:
        return theta, F, np.ones(B, bool)
    damping, converged = np.zeros(B), np.zeros(B, bool)
    active, ahead = np.arange(B), B == 1
    out_theta, out_F = theta.copy(), F.copy()
    for _ in range(max_iter):
        if ahead and damping[0] == 0 and _largest(grad, info) < NEAR:
            ahead = False  # once; where it fails the search goes on from where it was
            theta, F, grad, info = _by_gradients(model, data, theta, F, grad, info)
        s = 1.0 / np.sqrt(np.maximum(np.diagonal(info, axis1=1, axis2=2), 1e-300))
        scaled = info * s[:, :, None] * s[:, None, :]
        diagonal = np.arange(model.npar)
        scaled[:, diagonal, diagonal] += damping[:, None] + 1e-12
        step = -np.linalg.solve(scaled, (grad * s)[:, :, None])[:, :, 0]
        small = (np.abs(grad * s).max(axis=1) < TOLERANCE) & (np.abs(step).max(axis=1) < 1e2 * TOLERANCE)
        new = theta + step * s
        F1, g1, I1 = evaluate(model, data, new, information=not small.all(), bend=True)
        better = F1 <= F + 1e-13 * (1 + np.abs(F))
        pick = better[:, None]
        theta, F, grad = np.where(pick, new, theta), np.where(better, F1, F), np.where(pick, g1, grad)
        info = np.where(pick[:, :, None], I1, info)
        damping = np.where(better, np.where(damping > 1e-4, damping / 10, 0.0), np.maximum(10 * damping, 1e-3))
        done = small | (damping > 1e8)
        if done.any():
            out_theta[active[done]], out_F[active[done]] = theta[done], F[done]
            converged[active[done]] = small[done]
            keep = ~done
            if not keep.any():
                return out_theta, out_F, converged
            active, theta, F, grad, info, damping = (a[keep] for a in (active, theta, F, grad, info, damping))
            data = data.take(keep)
    out_theta[active], out_F[active] = theta, F
    return out_theta, out_F, converged


def _largest(grad: np.ndarray, info: np.ndarray) -> float:
    """Largest gradient element in units of sqrt(information)."""
    return float(np.abs(grad / np.sqrt(np.maximum(np.diagonal(info, axis1=1, axis2=2), 1e-300))).max())


def _by_gradients(model: Model, data, theta, F, grad, info) -> tuple:
    """The rest of the way of one search with the information it has; scoring then judges the point with its own."""
    found, F1, ok = refit_near(model, data, theta[0], info[0], TOLERANCE)
    if not ok[0] or F1[0] > F[0]:
        return theta, F, grad, info
    return found, *evaluate(model, data, found, bend=True)


def refit_batch(model: Model, data: Moments, start: np.ndarray, information: np.ndarray) -> tuple:
    """Complete moments by gradients, what fails by Fisher scoring; theta, F and success as ``refit_near``."""
    parts = [data.take(slice(k, k + BATCH)) for k in range(0, len(data), BATCH)]
    found = [refit_near(model, part, start, information) for part in parts]
    theta, F, done = (np.concatenate(values) for values in zip(*found, strict=True))
    left = np.flatnonzero(~done)
    if len(left):
        theta[left], F[left], done[left] = fit_batch(model, None, start=start, data=data.take(left))
    return theta, F, done
