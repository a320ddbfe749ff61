"""The numbers on measurement: reliability, factors, validity, method, groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semfit import Fit
from semfit.fitting import fit
from semfit.measurement_invariance import invariance
from switchcost.core.errors import OURS, NotConvergedError
from switchcost.measurement.adequacy import bartlett, kmo
from switchcost.measurement.factors import efa
from switchcost.measurement.method_bias import MethodCheck, marker_correction, method_factor, single_factor_test
from switchcost.measurement.n_factors import map_test, parallel_analysis
from switchcost.measurement.reliability import reliability as scale_reliability
from switchcost.measurement.validity import HTMT, fornell_larcker, htmt

from .analysis import Exploration, Factors, Groups, MethodBias, Ordinal
from .plan import Plan
from .rules import RULES

MOST_CATEGORIES = 7  # items with more are taken for numbers without a second look
FITS = ("chisq_scaled", "df", "pvalue_scaled", "cfi_robust", "tli_robust", "rmsea_robust", "rmsea_ci_lower_robust",
        "rmsea_ci_upper_robust", "srmr")  # fmt: skip


def options(keyed: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    """Robust ML; with full information where an answer is missing."""
    return {"estimator": "MLR", "missing": "fiml" if keyed[names].isna().any().any() else "listwise"}


def fitted(model: str, keyed: pd.DataFrame, names: list[str]) -> Fit:
    """Fit by robust ML, or raise."""
    made = fit(model, keyed, **options(keyed, names))
    if not made.converged:
        raise NotConvergedError("the search did not end at a minimum; nothing of this model can be reported")
    return made


def fit_measures(made: Fit) -> dict[str, float]:
    """The measures that the chapter prints, without the word robust."""
    return {name.removesuffix("_robust").removesuffix("_scaled"): float(made.measures[name]) for name in FITS}


def reliability(plan: Plan, keyed: pd.DataFrame) -> pd.DataFrame:
    """Omega and alpha with intervals, one row a scale."""
    return scale_reliability(keyed, plan.scales, plan.n_boot, plan.seed)


def exploration(plan: Plan, keyed: pd.DataFrame) -> Exploration:
    """Adequacy, number of factors, and as many oblique factors as there are scales."""
    items = keyed[plan.items].dropna()
    found = efa(items, len(plan.scales), method="ml", rotation="oblimin")
    parallel = parallel_analysis(items, n_iter=200, seed=plan.seed)
    return Exploration(kmo(items), bartlett(items), parallel, map_test(items), found, len(items))


def ordinal(plan: Plan, keyed: pd.DataFrame, made: Fit) -> Ordinal | None:
    """The same factors of ordered categories, where every item has few of them; None where it cannot be fitted."""
    if keyed[plan.items].nunique().max() > MOST_CATEGORIES:
        return None
    try:
        found = fit(plan.measurement, keyed[plan.items].dropna(), ordered=True)
    except OURS:
        return None
    if not found.converged:
        return None
    (load, r), (own, own_r) = (_standardised(f, plan) for f in (found, made))
    m = found.measures
    names = ("chisq_scaled", "df", "pvalue_scaled", "cfi_scaled", "rmsea_scaled", "srmr")
    fits = {name.removesuffix("_scaled"): float(m[name]) for name in names}
    change_r = float(np.abs(r - own_r).max()) if len(r) else 0.0
    return Ordinal(
        found, fits, float(load.min()), float(load.max()), float(np.abs(load - own).max()), change_r, found.n_total
    )  # fmt: skip


def _standardised(made: Fit, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Loadings and factor correlations of a measurement model."""
    e = made.estimates
    between = (e["op"] == "~~") & e["lhs"].isin(list(plan.scales)) & (e["lhs"] != e["rhs"])
    return e.loc[e["op"] == "=~", "std_all"].to_numpy(), e.loc[between, "std_all"].to_numpy()


def factors(plan: Plan, keyed: pd.DataFrame) -> Factors:
    """One factor a scale."""
    made = fitted(plan.measurement, keyed, plan.items)
    e = made.estimates
    load = e[e["op"] == "=~"][["lhs", "rhs", "est", "se", "std_all"]].rename(columns={"lhs": "scale", "rhs": "item"})
    largest = made.residuals().query("op == '~~' and lhs != rhs").iloc[0]
    return Factors(
        made, load.reset_index(drop=True), fornell_larcker(made), fit_measures(made), made.n_total,
        made.n_total / made.npar, (str(largest["lhs"]), str(largest["rhs"]), float(largest["z"])),
        ordinal(plan, keyed, made),
    )  # fmt: skip


def ratios(plan: Plan, keyed: pd.DataFrame) -> HTMT | None:
    """HTMT of every pair; None with one scale."""
    return htmt(keyed, plan.scales, n_boot=plan.n_boot, seed=plan.seed) if len(plan.scales) > 1 else None


def method_bias(plan: Plan, keyed: pd.DataFrame) -> MethodBias | None:
    """One factor, a method factor, and a marker where the study names one."""
    if len(plan.scales) < 2:
        return None
    scales = {s: i for s, i in plan.scales.items() if s != plan.marker} if plan.marker else plan.scales
    factor: MethodCheck | None
    try:
        factor = method_factor(keyed, scales)
    except OURS:  # the most fragile of the three; the other two stand without it
        factor = None
    if factor is not None and not np.isfinite(factor.table["method_share"].iloc[-1]):
        factor = None
    marker = None
    if plan.marker:
        named = {**scales, plan.marker: plan.scales.get(plan.marker, [plan.marker])}
        marker = marker_correction(keyed, named, plan.marker)
    return MethodBias(single_factor_test(keyed, scales), factor, marker)


def groups(plan: Plan, keyed: pd.DataFrame) -> Groups | None:
    """The ladder of invariance across the study's groups; those that are too small for it are left out."""
    if plan.group is None:
        return None
    sizes = keyed.loc[keyed[plan.items].notna().any(axis=1), plan.group].value_counts()
    fine = [RULES["group_few"](n) and RULES["group_rank"](n / len(plan.items)) for n in sizes]
    kept, small = sizes[fine], sizes[[not f for f in fine]]
    if len(kept) < 2:
        return Groups(None, kept, small)
    rows = keyed[keyed[plan.group].isin(kept.index)]
    return Groups(invariance(plan.measurement, rows, plan.group, **options(rows, plan.items)), kept, small)
