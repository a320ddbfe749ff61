"""Full information maximum likelihood: patterns of gaps, and the saturated moments by EM."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .derivatives import row_patterns
from .design import mean_and_cov
from .errors import DataError, NotConvergedError
from .estimate import Patterns, terms
from .model import Model
from .saturated import Scale, once
from .state import Saturated, Source

LOG2PI = float(np.log(2 * np.pi))


def patterns(X: np.ndarray, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """mask (P, p), count (P,), means (P, p) and covariances (P, p, p) by pattern of gaps; unobserved parts zero."""
    p, found = X.shape[1], row_patterns(X)
    mask = np.zeros((len(found), p), bool)
    count, m, S = np.zeros(len(found)), np.zeros((len(found), p)), np.zeros((len(found), p, p))
    for k, (o, rows) in enumerate(found):
        part, w = X[np.ix_(rows, o)], None if weights is None else weights[rows]
        size = len(rows) if w is None else w.sum()
        if size > 0:  # a pattern whose rows all have weight 0 counts for nothing
            mask[k, o], count[k] = True, size
            m[k, o], S[k][np.ix_(o, o)] = mean_and_cov(part, w)
    return mask, count, m, S


def pattern_moments(
    rows: Sequence[np.ndarray],
    x_moments: Sequence[tuple[np.ndarray, np.ndarray]],
    weights: Sequence[np.ndarray | None] | None = None,
) -> Patterns:
    """Moments by pattern of gaps of rows (n, p) of each group; rows without any value must be gone."""
    found = [patterns(X, w) for X, w in zip(rows, weights or [None] * len(rows), strict=True)]
    return _gathered(found, x_moments, [float(count.sum()) for _, count, _, _ in found])


def _gathered(found: list, x_moments: Sequence[tuple[np.ndarray, np.ndarray]], n: list[float]) -> Patterns:
    """What :func:`patterns` returned by group, as one object."""
    mask, count, m, S = ([f[j] for f in found] for j in range(4))
    return Patterns(mask, count, m, S, x_moments, n)


def em(mask, count, m, S, tolerance: float = 1e-12, max_iter: int = 20000) -> tuple:
    """Mean and covariance matrix of a normal distribution from incomplete rows, and -loglik / n without constant.

    EM (Dempster, Laird & Rubin 1977; Little & Rubin 2002, ch. 11) written with the gradient pieces of the fit:
    mu + Sigma v and Sigma + Sigma M Sigma - (Sigma v)(Sigma v)' are the next step. Every second step is stretched by
    squared extrapolation where that does not raise F (Varadhan & Roland 2008, Scand. J. Statistics 35), which keeps
    half-empty data affordable. In units of the observed standard deviations; stops when no moment moves by more than
    ``tolerance``.
    """
    p, n = mask.shape[1], count.sum()
    seen = count @ mask
    mu = count @ m / seen
    centred = np.where(mask, m - mu, 0.0)
    var = count @ (np.diagonal(S, axis1=1, axis2=2) + centred**2) / seen
    s = np.sqrt(var)
    data = Patterns([mask], [count], [m / s], [S / np.outer(s, s)], [], [n])
    shell = Scale(p, np.ones(p))

    def step(x):
        """One EM step from x = [mu | Sigma] (p, p + 1), and F at x (inf where Sigma is not positive definite)."""
        mu, Sigma = x[:, 0], x[:, 1:]
        F, _, M, v, _, ok, _ = terms(shell, data, 0, Sigma[None], mu[None])
        move = Sigma @ v[0]
        change = np.column_stack([move, Sigma @ M[0] @ Sigma - np.outer(move, move)])
        return x + change, (float(F[0]) if ok.all() else np.inf)

    x = np.column_stack([mu / s, np.eye(p)])
    for _ in range(max_iter // 3):
        x1, F = step(x)
        r = x1 - x
        if np.abs(r).max() < tolerance:
            break
        x2, _ = step(x1)
        v = x2 - x1 - r
        stretch = max(1.0, np.sqrt((r * r).sum() / max((v * v).sum(), 1e-300)))
        candidate = x + 2 * stretch * r + stretch**2 * v
        after, F1 = step(candidate)
        x = after if stretch > 1 and F1 <= F else x2
    else:
        raise NotConvergedError(
            "the saturated model did not converge (EM): the pattern of gaps leaves some covariances undetermined. "
            "Look for pairs of variables that are hardly ever observed together."
        )
    return x[:, 0] * s, x[:, 1:] * np.outer(s, s), F + (seen / n) @ np.log(s)


def fiml_moments(model: Model, source: Source, x: list[str], fixed_x: bool) -> tuple[Patterns, Saturated]:
    """Patterns of every group, and what the saturated and the baseline model say about them."""
    if source.rows is None:
        raise AssertionError("missing values are seen in rows")
    key = ("moments", tuple(model.ov), tuple(x), fixed_x)
    weights = [w for w in map(source.weights, range(len(source.n))) if w is not None]
    return once(key, [*(X for X, _ in source.rows), *weights], lambda: _fiml_moments(model, source, x, fixed_x))


def _fiml_moments(model: Model, source: Source, x: list[str], fixed_x: bool) -> tuple[Patterns, Saturated]:
    from . import checks

    p, n, given = model.n_ov, source.n, source.rows or []
    ix = [model.ov.index(v) for v in x]
    found = [patterns(X, source.weights(k)) for k, (X, _) in enumerate(given)]
    cells = sum(count @ mask for mask, count, _, _ in found)
    means, covs, logl, x_logl, base, x_moments, alone = [], [], 0.0, 0.0, 0.0, [], []
    for k, (mask, count, m, S) in enumerate(found):
        both = (mask * count[:, None]).T @ mask
        if (both == 0).any():
            a, b = np.argwhere(both == 0)[0]
            raise DataError(
                f"{model.ov[a]} and {model.ov[b]} are never observed together"
                f"{source.where(k)}; "
                "their covariance cannot be estimated"
            )
        mu, Sigma, F = em(mask, count, m, S)
        checks.positive_definite(Sigma, model.ov, "covariance matrix (estimated by EM)")
        means.append(mu)
        covs.append(Sigma)
        constant = (count @ mask).sum() * LOG2PI / 2
        logl -= n[k] * F + constant
        one_mean, one_var = mu.copy(), np.diag(Sigma).copy()  # each variable on its own
        for j in range(p):
            if j not in ix:
                have = mask[:, j]
                size = count[have].sum()
                centre = count[have] @ m[have, j] / size
                var = count[have] @ (S[have, j, j] + (m[have, j] - centre) ** 2) / size
                base -= size / 2 * (LOG2PI + np.log(var) + 1)
                one_mean[j], one_var[j] = centre, var
        alone.append((one_mean, one_var))
        if ix:
            sub = patterns(given[k].values[:, ix], source.weights(k))
            mux, Sx, Fx = em(*sub)
            here = -n[k] * Fx - (sub[1] @ sub[0]).sum() * LOG2PI / 2
            base += here
            x_logl += here
            full_mean, full_cov = mu.copy(), Sigma.copy()
            full_mean[ix], full_cov[np.ix_(ix, ix)] = mux, Sx
            x_moments.append((full_mean, full_cov))
        else:
            x_moments.append((mu, Sigma))
    q = len(ix)
    h1 = Saturated(
        cov=covs,
        mean=means,
        logl=logl,
        x_logl=x_logl if fixed_x else 0.0,
        cells=cells,
        baseline_chisq=2 * (logl - base),
        baseline_df=len(n) * (p * (p + 1) // 2 - q * (q + 1) // 2 - (p - q)),
        alone=tuple(alone),
    )
    return _gathered(found, x_moments, n), h1
