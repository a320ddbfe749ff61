"""One careful fit: scoring from the usual start, other starts, quasi-Newton; and whether there is a point to find."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from .derivatives import eigenvalues_above, hessian
from .errors import NotIdentifiedError
from .estimate import entries, evaluate, gram, products, sample_of, slopes, structure
from .inference import START_SEED
from .model import Model
from .scoring import fit_batch
from .start import starting_values
from .state import Saturated

FLAT = 1e-10  # smallest eigenvalue of the moments' Jacobian (correlation form, squared) that counts as full rank


def estimate(model: Model, data, h1: Saturated) -> tuple:
    """One careful fit: scoring from the usual start; where that fails, from others (lowest F wins) or quasi-Newton."""
    means = h1.mean if model.means else None
    start = starting_values(model, h1.cov, means)
    theta, F, ok = fit_batch(model, None, start=start, data=data)
    if ok[0]:
        return theta[0], F[0], True, []
    rng = np.random.default_rng(START_SEED)
    size = 1 / np.abs(np.vstack([g.D for g in model.groups])).max(axis=0)
    starts = [starting_values(model, h1.cov, means, v) for v in (0.05, -0.05)]
    starts += [start + spread * size * rng.normal(size=model.npar) for spread in (0.1, 0.3)]
    tries = [fit_batch(model, None, start=s, data=data) for s in starts]
    best = _lowest(model, data, tries)
    if best is not None:
        return *best, True, ["scoring failed from the first start and converged from another one"]
    from scipy.optimize import minimize

    def target(x):
        f, grad, _ = evaluate(model, data, (x * size)[None], information=False)
        return (f[0] if np.isfinite(f[0]) else 1e10), grad[0] * size

    tries = []
    for begin in (start, *starts[:2]):
        found = minimize(target, begin / size, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 500})
        tries.append(fit_batch(model, None, start=found.x * size, max_iter=50, data=data))
    best = _lowest(model, data, tries)
    if best is not None:
        return *best, True, ["Fisher scoring stalled; a quasi-Newton search finished the fit"]
    return theta[0], F[0], False, []


def _lowest(model: Model, data, tries: list) -> tuple | None:
    """(theta, F) of the converged try with the lowest F that is a minimum, not a saddle point."""
    for F, theta in sorted(((F[0], tuple(theta[0])) for theta, F, ok in tries if ok[0])):
        H = hessian(model.tangent(np.array(theta)), data, np.array(theta))
        d = np.sqrt(np.abs(np.diag(H)))
        if np.linalg.eigvalsh(H / np.outer(d, d))[0] > 0:
            return np.array(theta), F
    return None


def check_identified(model: Model, data, start: np.ndarray) -> None:
    """Raise when the Jacobian of the moments has not full column rank at a generic point (Bekker et al. 1994)."""
    if model.npar == 0:
        return
    rng = np.random.default_rng(7)
    size = 1 / np.abs(np.vstack([g.D for g in model.groups])).max(axis=0)
    for _ in range(4):  # one point may be singular by accident, such as latents that happen to correlate at 1
        theta = (start + size * rng.uniform(0.1, 0.4, model.npar) * rng.choice([-1, 1], model.npar))[None]
        if not np.isfinite(model.free_values(theta)).all():  # a place where constraints cannot hold
            theta = start[None]
        model = model.tangent(theta[0])
        info = np.zeros((model.npar, model.npar))
        for k, g in enumerate(model.groups):
            Q, _, mean = structure(model, g, entries(model, g, theta, sample_of(data, k)))
            K = gram(np.eye(model.n_ov)[None], Q)
            block = products(g, K, None if mean is None else slopes(model, g, mean))
            info = info + g.links.spread(block, model.npar)[0]
        info = info * np.outer(size, size)
        d = np.sqrt(np.diag(info))
        d[d < 1e-8 * d.max()] = 1.0
        scaled = info / np.outer(d, d)
        if eigenvalues_above(scaled, FLAT):
            return
    values, vectors = np.linalg.eigh(scaled)
    not_identified(model, vectors[:, values <= FLAT])


def not_identified(model: Model, null_vectors: np.ndarray) -> NoReturn:
    """Raise and name the parameters that can change along ``null_vectors`` (npar, any number) without a trace."""
    null = np.abs(null_vectors).max(axis=1)
    weight = np.abs(model.K) @ null
    blame = [r for r in np.argsort(-weight, kind="stable") if weight[r] > 0.3 * weight.max()][:6]
    names = ", ".join(
        f"'{model.free_rows[r].name}'" + (f" (group {model.free_rows[r].group + 1})" if model.n_groups > 1 else "")
        for r in blame
    )
    higher = {r.lhs for r in model.rows if r.op == "=~" and r.rhs in model.lv}
    raise NotIdentifiedError(
        f"the model is not identified: the data cannot determine {names}"
        f"{' separately' if len(blame) > 1 else ''}. Usual causes: a latent without a fixed loading or variance, "
        "a latent with too few items or no relation to others, or paths in both directions."
        + (
            " Here: the mean of a higher-order latent is free beside those of its indicators; fix it, as in h ~ 0*1."
            if any(model.free_rows[r].op == "~1" and model.free_rows[r].lhs in higher for r in blame)
            else ""
        )
    )
