"""Full information maximum likelihood: patterns, saturated moments by EM, and the measures that need both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .derivatives import meat, row_patterns
from .design import Design, mean_and_cov
from .errors import DataError, NotConvergedError
from .estimate import Moments, Patterns, evaluate, slopes, terms
from .model import Model
from .partable import Row, Variables
from .solution import Solution
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


@dataclass(frozen=True)
class _Unscaled:
    """Observed variables alone, in the units that they have."""

    n_ov: int
    scale: np.ndarray


def pattern_moments(rows: Sequence[np.ndarray], x_moments: Sequence[tuple[np.ndarray, np.ndarray]]) -> Patterns:
    """Moments by pattern of gaps of rows (n, p) of each group; rows without any value must be gone."""
    return _gathered([patterns(X) for X in rows], x_moments, [float(len(X)) for X in rows])


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
    shell = _Unscaled(p, np.ones(p))

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
    from . import checks

    p, n, given = model.n_ov, source.n, source.rows
    if given is None:
        raise AssertionError("missing values are seen in rows")
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


def _saturated_model(names: list[str], fixed: set[str], scale: np.ndarray) -> Model:
    """All moments as parameters, but those among ``fixed`` predictors; one group."""
    rows = []
    for k, a in enumerate(names):
        rows.append(Row(a, "~1", "", 0, False, exo=a in fixed))
        rows += [Row(a, "~~", b, 0, False, exo=a in fixed and b in fixed) for b in names[k:]]
    for k, r in enumerate(r for r in rows if not r.exo):
        r.free = k
    out = Model(rows, Variables(list(names), [], sorted(fixed), [], []))
    out.set_scale(scale)
    return out


def _saturated_theta(sat: Model, mu: np.ndarray, S: np.ndarray) -> np.ndarray:
    place = {n: k for k, n in enumerate(sat.ov)}
    return np.array([mu[place[r.lhs]] if r.op == "~1" else S[place[r.lhs], place[r.rhs]] for r in sat.free_rows])


def _saturated_hessian(sat: Model, data: Patterns, mu: np.ndarray, S: np.ndarray) -> np.ndarray:
    """``robust.hessian`` of the saturated model, whose p(p + 3) / 2 parameters deserve a shorter way.

    Sums over patterns of W_ac C_bd, C = W T W - W / 2, are one matrix product of (p^2, P) and (P, p^2).
    """
    p, s = sat.n_ov, sat.scale
    _, W, _, _, wt, _, (T, d) = terms(sat, data, 0, (S / np.outer(s, s))[None], (mu / s)[None])
    flat = (wt[:, None] * W.reshape(len(W), -1)).T
    X = (flat @ (W @ T @ W - W / 2).reshape(len(W), -1)).reshape(p, p, p, p)  # [a, c, b, d]
    V = (flat @ (W @ d[:, :, None])[:, :, 0]).reshape(p, p, p)  # [a, c, b]: W_ac (W d)_b
    M = np.tensordot(wt, W, 1)
    place = {n: k for k, n in enumerate(sat.ov)}
    rows = sat.free_rows
    cov = np.array([k for k, r in enumerate(rows) if r.op == "~~"])
    mean = np.array([k for k, r in enumerate(rows) if r.op == "~1"])
    a, b = (np.array([place[getattr(rows[k], side)] for k in cov]) for side in ("lhs", "rhs"))
    e = np.array([place[rows[k].lhs] for k in mean])
    w = np.where(a == b, 0.5, 1.0)
    A, B, C, D = a[:, None], b[:, None], a[None], b[None]
    H = np.zeros((len(rows), len(rows)))
    block = X[A, C, B, D] + X[B, D, A, C] + X[A, D, B, C] + X[B, C, A, D]
    H[np.ix_(cov, cov)] = block * np.outer(w, w)
    cross = (V[A, e[None], B] + V[B, e[None], A]) * w[:, None]
    H[np.ix_(cov, mean)], H[np.ix_(mean, cov)] = cross, cross.T
    H[np.ix_(mean, mean)] = M[np.ix_(e, e)]
    unit = np.ones(len(rows))
    unit[cov], unit[mean] = 1 / (s[a] * s[b]), 1 / s[e]
    return H * np.outer(unit, unit)


def saturated_information(
    names: list[str], X: np.ndarray, mu: np.ndarray, S: np.ndarray, design: Design | None = None
) -> float:
    """tr(A^-1 B) of an unrestricted normal distribution whose moments were estimated from rows with gaps."""
    sat = _saturated_model(names, set(), np.sqrt(np.diag(S)))
    mask, count, m, cov = patterns(X, None if design is None else design.weights)
    data = Patterns([mask], [count], [m], [cov], [(mu, S)], [float(count.sum())])
    theta = _saturated_theta(sat, mu, S)
    return float(np.trace(np.linalg.solve(_saturated_hessian(sat, data, mu, S), meat(sat, data, theta, 0, X, design))))


@dataclass(frozen=True, eq=False)
class SaturatedInformation:
    """What rows with gaps say about the moments of one group.

    Attributes
    ----------
    rows : list of Row
        The moments, in the order of the matrices; those of fixed predictors are not among them.
    W, J : array, shape (q, q)
        Observed information of the saturated model and mean outer product of its casewise scores.
    Wc : array, shape (q, q)
        Information that complete rows would give at the same moments.
    We : array, shape (q, q)
        Expected information where the fit asks for it, else W.
    trace : float
        tr(W^-1 J).
    """

    rows: list[Row]
    W: np.ndarray
    J: np.ndarray
    Wc: np.ndarray
    We: np.ndarray
    trace: float


def _saturated_of(fit: Solution) -> Model:
    return _saturated_model(fit.model.ov, {fit.model.ov[j] for j in fit.fixed}, fit.model.scale[: fit.model.n_ov])


def _patterns_of(data: Patterns, k: int) -> Patterns:
    """Group k on its own."""
    return Patterns([data.mask[k]], [data.count[k]], [data.m[k]], [data.S[k]], [data.x_moments[k]], [data.n[k]])


def h1_information(fit: Solution) -> list[SaturatedInformation]:
    """Information about the saturated moments by group."""
    sat, out = _saturated_of(fit), []
    for k, (X, _) in enumerate(fit.raw or []):
        data, mu, S = _patterns_of(fit.patterns, k), fit.h1.mean[k], fit.h1.cov[k]
        theta = _saturated_theta(sat, mu, S)
        W = _saturated_hessian(sat, data, mu, S)
        J = meat(sat, data, theta, 0, X, fit.design_of(k))
        We = W if fit.options.information == "observed" else evaluate(sat, data, theta[None])[2][0]
        Wc = evaluate(sat, Moments([S[None]], [mu[None]], data.n), theta[None])[2][0]
        out.append(SaturatedInformation(sat.free_rows, W, J, Wc, We, float(np.trace(np.linalg.solve(W, J)))))
    return out


def information_at_the_model(fit: Solution, k: int) -> np.ndarray:
    """Observed information of group k about the saturated moments, at the moments that the model implies."""
    p = fit.model.n_ov
    C, mean = fit.implied_with_means(k)
    return _saturated_hessian(_saturated_of(fit), _patterns_of(fit.patterns, k), mean[:p], C[:p, :p])


def moment_derivatives(fit: Solution, k: int, moments: list[Row]) -> np.ndarray:
    """Derivatives (moments, npar) of implied moments of group k, user units."""
    model, g, p = fit.model, fit.model.groups[k], fit.model.n_ov
    s = model.scale[:p]
    Q, _, mean = fit.structure(k)
    P = np.concatenate([np.eye(p), Q[0]], axis=1)
    a, b, c = P[:, g.x] * g.w, P[:, g.y], slopes(model, g, mean)[0]
    place = {n: j for j, n in enumerate(model.ov)}
    i = np.array([place[r.lhs] for r in moments])
    j = np.array([place.get(r.rhs, place[r.lhs]) for r in moments])
    is_mean = np.array([r.op == "~1" for r in moments])[:, None]
    pairs = np.where(is_mean, P[i][:, g.x] * c, a[i] * b[j] + a[j] * b[i])
    return pairs @ g.D * np.where(is_mean[:, 0], s[i], s[i] * s[j])[:, None]


def corrected(fit: Solution, info: list[SaturatedInformation]) -> dict:
    """Chi-squares and factors of robust CFI, TLI and RMSEA with missing values (Zhang & Savalei 2023, FIML-C).

    The complete-data discrepancy is taken at the FIML estimates and EM moments; the factor is V3 under MLR and V6
    under normality.
    """
    chisq, base = _complete_data_chisq(fit)
    deltas = [moment_derivatives(fit, k, i.rows) for k, i in enumerate(info)]
    x = set(fit.model.var.x)
    free = [np.array([r.op == "~1" or r.lhs == r.rhs or {r.lhs, r.rhs} <= x for r in i.rows]) for i in info]
    ends = np.cumsum([0, *[int(f.sum()) for f in free]])
    baseline = []
    for k, f in enumerate(free):
        D = np.zeros((len(f), ends[-1]))
        D[np.flatnonzero(f), np.arange(ends[k], ends[k + 1])] = 1.0
        baseline.append(D)
    return {
        "chisq": max(chisq, 0.0),
        "base_chisq": base,
        "factor": _factor(fit, deltas, info) / fit.df,
        "base_factor": _factor(fit, baseline, info) / fit.h1.baseline_df,
    }


def _complete_data_chisq(fit: Solution) -> tuple[float, float]:
    """Chi-square of the model and of the baseline at the EM moments, as if they came from complete rows."""
    model, p = fit.model, fit.model.n_ov
    s = model.scale[:p]
    complete = Moments([S[None] for S in fit.h1.cov], [m[None] for m in fit.h1.mean], fit.data.n)
    x = [model.ov.index(v) for v in model.var.x]
    y = [j for j in range(p) if j not in x]
    chisq = base = 0.0
    for k, n in enumerate(fit.data.n):
        _, C, mean = fit.structure(k)
        F = terms(model, complete, k, C, mean)[0][0]
        S, m = fit.h1.cov[k], fit.h1.mean[k]
        logdet = np.linalg.slogdet(S / np.outer(s, s))[1]
        chisq += 2 * n * (F - (logdet + p) / 2)
        x_part = 0.0
        if x:  # the saturated distribution of the predictors alone
            xs = np.ix_(x, x)
            mx, Sx = fit.patterns.x_moments[k][0][x], fit.patterns.x_moments[k][1][xs]
            d = m[x] - mx
            x_part = np.linalg.slogdet(Sx / np.outer(s[x], s[x]))[1] - len(x)
            x_part += np.trace(np.linalg.solve(Sx, S[xs] + np.outer(d, d)))
        m1, v1 = (a[y] for a in fit.h1.alone[k])
        second = np.diag(S)[y] + (m[y] - m1) ** 2
        base += n * ((np.log(v1 / s[y] ** 2) + second / v1 - 1).sum() + x_part - logdet)
    return chisq, base


def _factor(fit: Solution, deltas: list[np.ndarray], info: list[SaturatedInformation]) -> float:
    """V3: tr(Wc Q' W^-1 J W^-1 Q), Q = I - W D E D'; V6: tr(Wc (W^-1 - D E D')); E = (D'WD)^-1 over all groups,
    with expected information where that was asked for.

    All but D and E is block diagonal by group, so V3 is a sum over groups of tr(Wc W^-1 J W^-1), less
    2 f tr(E D'Wc W^-1 J D), plus tr(E P E R) with P = sum f D'Wc D and R = sum f D'JD.
    """
    shares = fit.shares
    E = np.linalg.inv(sum(f * D.T @ i.We @ D for f, D, i in zip(shares, deltas, info, strict=True)))
    total, P, R = 0.0, 0.0, 0.0
    for f, D, i in zip(shares, deltas, info, strict=True):
        back = np.linalg.solve(i.W, i.Wc)  # W^-1 Wc
        if not fit.robust:
            total += np.trace(back) - f * np.trace(D.T @ i.Wc @ D @ E)
            continue
        scores = np.linalg.solve(i.W, i.J)  # W^-1 J
        total += np.sum(back * scores.T) - 2 * f * np.sum(E * (D.T @ (back.T @ (i.J @ D))).T)
        P, R = P + f * D.T @ i.Wc @ D, R + f * D.T @ i.J @ D
    return float(total if not fit.robust else total + np.sum((E @ P) * (E @ R).T))
