"""Robust CFI, TLI and RMSEA with missing values, and the information about the moments that they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from .estimate import Moments, Patterns, slopes, terms
from .saturated import MomentList, SaturatedInformation, once
from .solution import Solution


def h1_information(fit: Solution) -> list[SaturatedInformation]:
    """Information about the saturated moments by group."""
    moments, scale = _moments_of(fit), fit.model.scale[: fit.model.n_ov]
    key, out = ("information", tuple(fit.model.ov), tuple(fit.fixed), scale.tobytes()), []
    for k, (X, _) in enumerate(fit.raw or []):
        data = patterns_of(fit.patterns, k)
        design = fit.design_of(k)
        make = partial(SaturatedInformation.of, moments, data, X, fit.h1.mean[k], fit.h1.cov[k], scale, design)
        parts = [] if design is None else [a for a in (design.weights, design.clusters) if a is not None]
        out.append(once(key, [X, *parts], make))
    return out


def _moments_of(fit: Solution) -> MomentList:
    return MomentList.of(fit.model.n_ov, fit.fixed)


def patterns_of(data: Patterns, k: int) -> Patterns:
    """Group k on its own."""
    return Patterns([data.mask[k]], [data.count[k]], [data.m[k]], [data.S[k]], [data.x_moments[k]], [data.n[k]])


def information_at_the_model(fit: Solution, k: int) -> np.ndarray:
    """Observed information of group k about the saturated moments (scaled), at the moments that the model implies."""
    p = fit.model.n_ov
    C, mean = fit.implied_with_means(k)
    return _moments_of(fit).observed(patterns_of(fit.patterns, k), mean[:p], C[:p, :p], fit.model.scale[:p])


@dataclass(frozen=True, eq=False)
class Slopes:
    """Derivatives D (q, m) of the moments of one group (scaled) with respect to the parameters ``columns`` (m,)."""

    D: np.ndarray
    columns: np.ndarray

    def add(self, total: np.ndarray, block: np.ndarray) -> None:
        """Add a block (m, m) of this group to the matrix of all parameters."""
        total[np.ix_(self.columns, self.columns)] += block


def moment_derivatives(fit: Solution, k: int, moments: MomentList) -> Slopes:
    """Derivatives of the implied moments of group k."""
    model, g, p = fit.model, fit.model.groups[k], fit.model.n_ov
    Q, _, mean = fit.structure(k)
    P = np.concatenate([np.eye(p), Q[0]], axis=1)
    free = g.links.entries
    a, b, c = P[:, g.x[free]] * g.w[free], P[:, g.y[free]], slopes(model, g, mean)[0][free]
    pairs = np.concatenate([a[moments.a] * b[moments.b] + a[moments.b] * b[moments.a], P[moments.e][:, g.x[free]] * c])
    return Slopes(pairs @ g.links.D if g.links.size is None else pairs * g.links.size, g.links.columns)


def corrected(fit: Solution, info: list[SaturatedInformation]) -> dict:
    """Chi-squares and factors of robust CFI, TLI and RMSEA with missing values (Zhang & Savalei 2023, FIML-C).

    The complete-data discrepancy is taken at the FIML estimates and EM moments; the factor is V3 under MLR and V6
    under normality.
    """
    chisq, base = _complete_data_chisq(fit)
    moments, scale = info[0].moments, fit.model.scale[: fit.model.n_ov]
    expected = None  # information with gaps, where the fit asks for the expected one
    if fit.options.information == "expected":
        expected = [
            moments.expected(patterns_of(fit.patterns, k), fit.h1.mean[k], fit.h1.cov[k], scale)
            for k in range(len(info))
        ]
    slopes_ = [moment_derivatives(fit, k, moments) for k in range(len(info))]
    x = [fit.model.ov.index(v) for v in fit.model.var.x]
    free = np.concatenate(
        [(moments.a == moments.b) | (np.isin(moments.a, x) & np.isin(moments.b, x)), np.ones(len(moments.e), bool)]
    )
    chosen = np.eye(len(moments))[:, free]
    n = chosen.shape[1]
    baseline = [Slopes(chosen, np.arange(k * n, (k + 1) * n)) for k in range(len(info))]
    return {
        "chisq": max(chisq, 0.0),
        "base_chisq": base,
        "factor": _factor(fit, slopes_, fit.model.npar, info, expected) / fit.df,
        "base_factor": _factor(fit, baseline, n * len(info), info, expected) / fit.h1.baseline_df,
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


def _factor(fit: Solution, deltas: list[Slopes], npar: int, info: list[SaturatedInformation], expected) -> float:
    """V3: tr(Wc Q' W^-1 J W^-1 Q), Q = I - W D E D'; V6: tr(Wc (W^-1 - D E D')); E = (D'WD)^-1 over all groups,
    with expected information where that was asked for.

    All but D and E is block diagonal by group, so V3 is a sum over groups of tr(Wc W^-1 J W^-1), less
    2 f tr(E D'Wc W^-1 J D), plus tr(E P E R) with P = sum f D'Wc D and R = sum f D'JD. J = root' root.
    """
    A, P, R = (np.zeros((npar, npar)) for _ in range(3))
    total, crossed = 0.0, []
    for k, (f, s, i) in enumerate(zip(fit.shares, deltas, info, strict=True)):
        half = i.half(s.D) if expected is None else None
        s.add(A, f * (half.T @ half if half is not None else s.D.T @ expected[k] @ s.D))
        completed = i.complete(s.D)
        s.add(P, f * s.D.T @ completed)
        if fit.robust:
            seen = i.root @ s.D
            s.add(R, f * seen.T @ seen)
            crossed.append(f * (completed.T @ i.influence) @ seen)
            total += i.trace_complete_robust
        else:
            total += i.trace_complete
    E = np.linalg.inv(A)
    if not fit.robust:
        return float(total - np.sum(E * P))
    for s, block in zip(deltas, crossed, strict=True):
        total -= 2 * np.sum(E[np.ix_(s.columns, s.columns)] * block.T)
    return float(total + np.sum((E @ P) * (E @ R).T))
