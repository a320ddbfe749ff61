"""Full information maximum likelihood: patterns, saturated moments by EM, and the measures that need both."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from .derivatives import meat, row_patterns
from .errors import DataError, NotConvergedError
from .estimate import Moments, Patterns, entries, evaluate, sample_of, slopes, structure, terms
from .model import Model
from .partable import Row, Variables
from .state import Saturated, Source

LOG2PI = float(np.log(2 * np.pi))


def patterns(X: np.ndarray) -> tuple:
    """mask (P, p), count (P,), means (P, p) and covariances (P, p, p) by pattern of gaps; unobserved parts zero."""
    p, found = X.shape[1], row_patterns(X)
    mask = np.zeros((len(found), p), bool)
    count, m, S = np.zeros(len(found)), np.zeros((len(found), p)), np.zeros((len(found), p, p))
    for k, (o, rows) in enumerate(found):
        part = X[np.ix_(rows, o)]
        mask[k, o], count[k], m[k, o] = True, len(rows), part.mean(axis=0)
        d = part - m[k, o]
        S[k][np.ix_(o, o)] = d.T @ d / len(rows)
    return mask, count, m, S


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
    data = Patterns([mask], [count], [m / s], [S / np.outer(s, s)], [None], [n])
    shell = SimpleNamespace(n_ov=p, scale=np.ones(p))

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

    p, n = model.n_ov, source.n
    ix = [model.ov.index(v) for v in x]
    found = [patterns(X) for X, _ in source.rows]
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
        means.append(mu), covs.append(Sigma)
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
            sub = patterns(source.rows[k][0][:, ix])
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
    data = Patterns(
        *(list(part) for part in zip(*[(f[0], f[1], f[2], f[3]) for f in found], strict=True)), x_moments, n
    )
    return data, h1


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


def saturated_information(names: list[str], X: np.ndarray, mu: np.ndarray, S: np.ndarray) -> float:
    """tr(A^-1 B) of an unrestricted normal distribution whose moments were estimated from rows with gaps."""
    sat = _saturated_model(names, set(), np.sqrt(np.diag(S)))
    mask, count, m, cov = patterns(X)
    data = Patterns([mask], [count], [m], [cov], [(mu, S)], [float(len(X))])
    theta = _saturated_theta(sat, mu, S)
    return float(np.trace(np.linalg.solve(_saturated_hessian(sat, data, mu, S), meat(sat, data, theta, 0, X))))


def h1_information(fit) -> list[dict]:
    """By group: observed information ``W`` and meat ``J`` of the saturated model, tr(W^-1 J), and the complete-data
    information ``Wc`` at the same moments; in the order of the parameters of ``_saturated_model``."""
    model, out = fit._model, []
    sat = _saturated_model(model.ov, set(model.var.x) if fit.options.fixed_x else set(), model.scale[: model.n_ov])
    for k, (X, _) in enumerate(fit._raw):
        d, mu, S = fit._data, fit._h1.mean[k], fit._h1.cov[k]
        data = Patterns([d.mask[k]], [d.count[k]], [d.m[k]], [d.S[k]], [d.x_moments[k]], [d.n[k]])
        theta = _saturated_theta(sat, mu, S)
        W = _saturated_hessian(sat, data, mu, S)
        J = meat(sat, data, theta, 0, X)
        We = W if fit.options.information == "observed" else evaluate(sat, data, theta[None])[2][0]
        Wc = evaluate(sat, Moments([S[None]], [mu[None]], [d.n[k]]), theta[None])[2][0]
        out.append(
            {
                "W": W,
                "J": J,
                "Wc": Wc,
                "We": We,
                "trace": float(np.trace(np.linalg.solve(W, J))),
                "model": sat,
            }
        )
    return out


def corrected(fit) -> dict:
    """Chi-squares and factors of robust CFI, TLI and RMSEA with missing values (Zhang & Savalei 2023, FIML-C).

    The complete-data discrepancy is taken at the FIML estimates and EM moments; the factor is V3 under MLR and V6
    under normality.
    """
    model, N = fit._model, fit.n_total
    info, shares = fit._h1_information, [n / N for n in fit._data.n]
    complete = Moments([S[None] for S in fit._h1.cov], [m[None] for m in fit._h1.mean], fit._data.n)
    p, s = model.n_ov, model.scale[: model.n_ov]
    chisq = base = 0.0
    x = [model.ov.index(v) for v in model.var.x]
    y = [j for j in range(p) if j not in x]
    deltas, free = [], []
    for k, g in enumerate(model.groups):
        Q, C, mean = structure(model, g, entries(model, g, fit._theta[None], sample_of(fit._data, k)))
        F = terms(model, complete, k, C, mean)[0][0]
        S = fit._h1.cov[k]
        scaled = S / np.outer(s, s)
        logdet = np.linalg.slogdet(scaled)[1]
        chisq += 2 * fit._data.n[k] * (F - (logdet + p) / 2)
        xs = np.ix_(x, x)
        x_part = 0.0
        if x:  # the saturated distribution of the predictors alone
            mx, Sx = (a[x] if a.ndim == 1 else a[xs] for a in fit._data.x_moments[k])
            d = fit._h1.mean[k][x] - mx
            x_part = (
                np.linalg.slogdet(Sx / np.outer(s[x], s[x]))[1]
                - len(x)
                + np.trace(np.linalg.solve(Sx, S[xs] + np.outer(d, d)))
            )
        m1, v1 = (a[y] for a in fit._h1.alone[k])
        second = np.diag(S)[y] + (fit._h1.mean[k][y] - m1) ** 2
        base += fit._data.n[k] * ((np.log(v1 / s[y] ** 2) + second / v1 - 1).sum() + x_part - logdet)
        P = np.concatenate([np.eye(p), Q[0]], axis=1)
        a, b = P[:, g.x] * g.w, P[:, g.y]
        c = slopes(model, g, mean)[0]
        delta, single = [], []
        for r in info[k]["model"].free_rows:
            i = model.ov.index(r.lhs)
            if r.op == "~1":
                delta.append((P[i, g.x] * c) @ g.D * s[i])
            else:
                j = model.ov.index(r.rhs)
                delta.append((a[i] * b[j] + a[j] * b[i]) @ g.D * s[i] * s[j])
            single.append(r.op == "~1" or r.lhs == r.rhs or {r.lhs, r.rhs} <= set(model.var.x))
        deltas.append(np.array(delta))
        free.append(np.array(single))
    out = {"chisq": max(chisq, 0.0), "base_chisq": base}
    out["factor"] = _factor(fit, deltas, info, shares) / fit.df
    baseline = []
    for k, f in enumerate(free):
        D = np.zeros((len(f), sum(int(q.sum()) for q in free)))
        start = sum(int(q.sum()) for q in free[:k])
        D[np.flatnonzero(f), start + np.arange(int(f.sum()))] = 1.0
        baseline.append(D)
    out["base_factor"] = _factor(fit, baseline, info, shares) / fit._h1.baseline_df
    return out


def _factor(fit, deltas, info, shares) -> float:
    """V3: tr(Wc Q' W^-1 J W^-1 Q), Q = I - W D E D'; V6: tr(Wc (W^-1 - D E D')); E = (D'WD)^-1 over all groups,
    with expected information where that was asked for."""
    E = np.linalg.inv(sum(f * D.T @ i["We"] @ D for f, D, i in zip(shares, deltas, info, strict=True)))
    total = 0.0
    if fit.estimator != "MLR":
        for f, D, i in zip(shares, deltas, info, strict=True):
            total += np.trace(np.linalg.solve(i["W"], i["Wc"])) - f * np.trace(D.T @ i["Wc"] @ D @ E)
        return total
    sizes = np.cumsum([0, *[len(D) for D in deltas]])
    D = np.concatenate(deltas)
    W, Wc, gamma = (np.zeros((sizes[-1], sizes[-1])) for _ in range(3))
    for k, (f, i) in enumerate(zip(shares, info, strict=True)):
        part = slice(sizes[k], sizes[k + 1])
        inverse = np.linalg.inv(i["W"])
        W[part, part], Wc[part, part], gamma[part, part] = (
            f * i["W"],
            f * i["Wc"],
            inverse @ i["J"] @ inverse / f,
        )
    Q = np.eye(len(D)) - W @ D @ E @ D.T
    return float(np.sum((Q @ Wc) * (gamma @ Q)))
