"""Latent moderated structural equations (Klein & Moosbrugger 2000): the fit and its tables."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ..errors import DataError
from ..inference import estimate_columns
from ..partable import Row
from ..syntax import Parsed
from . import lms
from .result import LatentInteraction
from .specification import COLUMNS, Specification, implied_latent_means, is_measured_by, skewed_items, specify


def fit_lms(
    parsed: Parsed, used: pd.DataFrame, dropped: int, x: str, moderator: str, y: str, se: str, level: float
) -> LatentInteraction:
    """Maximise the likelihood without the product, then with it; the quadrature is refined until it is exact."""
    spec = specify(parsed, used, x, moderator, y)
    n, s = len(used), spec.structure
    raw = used[spec.items].to_numpy()
    sd = raw.std(axis=0)
    Y = (raw - raw.mean(axis=0)) / sd
    mean, cov = np.zeros(len(sd)), Y.T @ Y / n
    to_raw = -n * float(np.log(sd).sum())
    notes = []

    def linear(theta):
        value, gradient = lms.linear_value_and_gradient(s, np.append(theta, 0.0), mean, cov)
        return value, None if gradient is None else gradient[:-1]

    without, value0, ok, curvature = lms.maximise(linear, spec.start[:-1], spec.lower[:-1])
    inverse = np.eye(len(spec.start))  # the product's own curvature is near 1 on standardised items
    inverse[:-1, :-1] = curvature
    if not ok:
        notes.append("the model without the product did not converge, so its starting values are poor")
    theta = np.append(without, 0.0)

    # The quadrature runs over the factor that is measured less well: its bell is wider and needs fewer nodes.
    swapped = lms.Structure(**{**s.__dict__, "x": s.moderator, "moderator": s.x})
    (width, largest), (width2, largest2) = (lms.posterior_width(v, theta, Y) for v in (s, swapped))
    if width2 > width:
        s, width, largest = swapped, width2, largest2
    if width < 0.03:
        raise DataError(
            f"{x!r} and {moderator!r} are both measured without error, so nothing is latent in their product; use sc.moderate"
        )
    spacing, reach = 0.9 * width, max(6.0, largest + 6 * width)
    for _ in range(4):
        z, log_w = lms.nodes(spacing, reach)

        def objective(theta, z=z, log_w=log_w):
            value, gradient = lms.value_and_gradient(s, theta, Y, z, log_w)
            return value / n, None if gradient is None else gradient / n

        theta, value, converged, inverse = lms.maximise(objective, theta, spec.lower, inverse=inverse)
        finer = float(lms.casewise(s, theta, Y, *lms.nodes(spacing / 2, reach + 2)).sum())
        if not converged or abs(finer - n * value) < 1e-5:
            break
        spacing, reach = spacing / 2, reach + 2
    else:
        notes.append(f"the quadrature is exact to {abs(finer - n * value):.1g} in the log-likelihood only")

    inside = theta > spec.lower  # a parameter at its bound counts as fixed there
    covariance = np.full((len(theta), len(theta)), np.nan)
    covariance[np.ix_(inside, inside)] = _covariance(-n * lms.hessian(objective, theta)[np.ix_(inside, inside)], notes)
    if se == "robust" and np.isfinite(covariance[-1, -1]):
        step = 1e-4
        eye = np.eye(len(theta))[inside] * step
        casewise = np.column_stack([
            (lms.casewise(s, theta + e, Y, z, log_w) - lms.casewise(s, theta - e, Y, z, log_w)) / (2 * step)
            for e in eye
        ])  # fmt: skip
        bread = covariance[np.ix_(inside, inside)]
        covariance[np.ix_(inside, inside)] = bread @ (casewise.T @ casewise) @ bread
    skewed = skewed_items(used[[i for i in spec.items if is_measured_by(spec.model.rows, i, {x, moderator, y})]])
    if skewed:
        notes.append(
            f"LMS takes skewed answers for an interaction, and {skewed} are skewed (beyond 0.8); "
            "see what method='product' and .placebo() say before you believe this one"
        )
    if not converged:
        notes.append("the optimiser did not reach a maximum; estimates and standard errors cannot be used")

    logl, npar = n * value + to_raw, len(theta)
    logl0 = n * value0 + to_raw
    measures = pd.Series(
        {"logl": logl, "aic": -2 * logl + 2 * npar, "bic": -2 * logl + np.log(n) * npar, "npar": float(npar)},
        name="measures",
    )
    difference = max(2 * (logl - logl0), 0.0)
    lr = pd.DataFrame({
        "logl_without": [logl0], "logl_with": [logl], "chisq_diff": [difference], "df_diff": [1.0],
        "pvalue": [float(chdtrc(1, difference))],
    })  # fmt: skip
    estimates, latent_cov, slope_cov = _lms_tables(spec, theta, covariance, x, moderator, y, level)
    for j in np.flatnonzero(~inside).tolist():
        notes.append(f"the variance of {spec.variances[j]!r} was held at its lower bound (a Heywood case)")
    correlations = latent_cov / np.sqrt(np.outer(np.diag(latent_cov), np.diag(latent_cov)))
    if np.linalg.eigvalsh(correlations)[0] < -1e-8:
        notes.append("the covariance matrix of the latents is not positive definite: some correlate beyond 1")
    scale = np.array([spec.scale[name] for name in spec.latents])
    scores = pd.DataFrame(lms.scores(s, theta, Y, z, log_w) * scale, index=used.index, columns=spec.latents)
    scores -= implied_latent_means(spec, theta)
    return LatentInteraction(
        estimates, measures, lr, slope_cov, latent_cov, converged, tuple(notes), n, dropped, "lms",
        x, moderator, y, level, None, scores,
    )  # fmt: skip


def _covariance(information: np.ndarray, notes: list[str]) -> np.ndarray:
    """Inverse information; NaN, with a note, where it is not positive definite."""
    bad = np.full_like(information, np.nan)
    if not np.isfinite(information).all():
        notes.append("the information matrix could not be computed (a variance at its limit); no standard errors")
        return bad
    values, vectors = np.linalg.eigh(information)
    if values[0] <= 1e-7 * values[-1]:
        notes.append("the information matrix is not positive definite: the model is not identified, or the optimum is "
                     "not a maximum; no standard errors")  # fmt: skip
        return bad
    return (vectors / values) @ vectors.T


def _lms_tables(
    spec: Specification, theta: np.ndarray, covariance: np.ndarray, x: str, moderator: str, y: str, level: float
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Estimates in the user's units with standardised values, implied latent covariances, covariance of the slopes."""
    s, m = spec.structure, spec.structure.matrices(theta)
    A = np.linalg.inv(np.eye(s.n_latents) - m["beta"])
    phi = A @ m["psi"] @ A.T
    omega = float(m["omega"][0])
    # Third moments of normal factors vanish, so the product adds to the variances downstream of y and nowhere else.
    product_variance = phi[s.x, s.x] * phi[s.moderator, s.moderator] + phi[s.x, s.moderator] ** 2
    phi = phi + omega**2 * product_variance * np.outer(A[:, s.outcome], A[:, s.outcome])
    sigma = m["lambda"] @ phi @ m["lambda"].T + m["theta"]
    scale = np.array([spec.scale[name] for name in spec.latents])
    latent_cov = pd.DataFrame(phi * np.outer(scale, scale), index=spec.latents, columns=spec.latents)
    sd = {n: spec.scale[n] * np.sqrt(max(v, 0.0)) for n, v in zip(spec.items, np.diag(sigma), strict=True)}
    sd |= {n: np.sqrt(max(latent_cov.loc[n, n], 0.0)) for n in spec.latents}

    user, cov_user = theta * spec.unit, covariance * np.outer(spec.unit, spec.unit)
    K = np.zeros((spec.model.n_free + 1, len(theta)))
    K[:-1, :-1], K[-1, -1] = spec.model.K, 1.0
    free = K @ user + np.append(spec.model.c, 0.0)
    known = ~np.isnan(np.diag(cov_user))
    free_cov = K[:, known] @ cov_user[np.ix_(known, known)] @ K[:, known].T
    errors = np.sqrt(np.diag(free_cov))
    errors[np.abs(K[:, ~known]).sum(axis=1) > 0] = np.nan

    def value(r: Row) -> float:
        return float(free[r.free] if r.free >= 0 else r.known)

    residual = {r.lhs: value(r) for r in spec.model.rows if r.op == "~~" and r.lhs == r.rhs}

    out, places = [], {}
    last = max(k for k, r in enumerate(spec.model.rows) if r.op == "~" and r.lhs == y)
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, r in enumerate(spec.model.rows):
            est = value(r)
            if r.op == "=~":
                std = est * sd[r.lhs] / sd[r.rhs]
            elif r.op == "~":
                std = est * sd[r.rhs] / sd[r.lhs]
                places[(r.lhs, r.rhs)] = r.free
            elif r.op == "~1":
                std = est / sd[r.lhs]
            elif r.lhs == r.rhs:
                std = est / sd[r.lhs] ** 2
            else:
                root = residual[r.lhs] * residual[r.rhs]
                std = est / np.sqrt(root) if root > 0 else np.nan
            out.append((r.lhs, r.op, r.rhs, est, float(errors[r.free]) if r.free >= 0 else np.nan, float(std)))
            if k == last:
                out.append((y, "~", f"{x}:{moderator}", float(free[-1]), float(errors[-1]),
                            float(free[-1] * sd[x] * sd[moderator] / sd[y])))  # fmt: skip
    table = pd.DataFrame(out, columns=["lhs", "op", "rhs", "est", "se", "std_all"])
    for name, column in estimate_columns(table["est"], table["se"], level=level).items():
        table[name] = column
    index = [places[(y, x)], places[(y, moderator)], len(free) - 1]
    names = [x, moderator, f"{x}:{moderator}"]
    slope_cov = np.zeros((3, 3))
    for a, b in itertools.product(range(3), repeat=2):
        slope_cov[a, b] = free_cov[index[a], index[b]] if index[a] >= 0 and index[b] >= 0 else 0.0
    return table[COLUMNS], latent_cov, pd.DataFrame(slope_cov, index=names, columns=names)
