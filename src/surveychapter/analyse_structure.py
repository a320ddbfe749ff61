"""The numbers on what leads to what: structural model, mediation, moderation, robustness, verdicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semfit import LatentInteraction
from semfit.interaction.latent import latent_interaction
from switchcost.core.errors import OURS
from switchcost.moderation import power
from switchcost.moderation.mediation import mediate
from switchcost.moderation.regression import Moderation, moderate

from .analyse_measurement import fit_measures, fitted
from .analyse_sample import scores as scale_scores
from .analysis import Gaps, Indirect, Moderated, Pls, Sample, Structure
from .plan import Plan, Product, dummy
from .study import Hypothesis, verdict

ROW = ["est", "ci_lower", "ci_upper", "pvalue"]


# ------------------------------------------------------------------------------------------------ structural model
def structure(plan: Plan, made: Gaps) -> Structure:
    """Measurement, every claimed path and the controls in one model."""
    data, controls = with_dummies(plan, made.keyed)
    lines, used = [plan.measurement], []
    for y, causes in plan.paths.items():
        right = [n for c in causes for n in controls.get(c, [c])]
        right += [n for c in plan.covariates if c not in causes and c != y for n in controls.get(c, [c])]
        lines.append(f"{y} ~ {' + '.join(right)}")
        used += [n for n in [y, *right] if n not in plan.scales]
    found = fitted("\n".join(lines), data, list(dict.fromkeys([*plan.items, *used])))
    e = found.estimates
    paths = e[e["op"] == "~"][["lhs", "rhs", "est", "se", "ci_lower", "ci_upper", "pvalue", "std_all"]]
    paths = paths.rename(columns={"lhs": "outcome", "rhs": "predictor"}).reset_index(drop=True)
    return Structure(found, paths, found.r2[list(plan.paths)], fit_measures(found))


def with_dummies(plan: Plan, keyed: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """The data with 0/1 columns for groups, the largest group being the reference; and which columns stand for what."""
    data, named = keyed.copy(), {}
    for name in plan.nominal:
        counts = keyed[name].value_counts()
        if len(counts) < 2:
            continue
        made = pd.get_dummies(keyed[name], dtype=float).drop(columns=counts.index[0]).where(keyed[name].notna(), np.nan)
        made.columns = [dummy(name, c) for c in made]
        data, named[name] = data.join(made), list(made.columns)
    return data, named


# ------------------------------------------------------------------------------------------------------- mediation
def indirect(plan: Plan, made: Gaps, model: Structure | None) -> list[Indirect]:
    """One bootstrap a mediation; a moderation of one of its stages makes it a moderated one."""
    out = []
    for h in plan.hypotheses:
        if h.kind == "mediation":
            x, *m, y = h.names
            w, stage = moderated_stage(plan, h)
            held = [c for c in plan.covariates if c not in (*h.names, w)]
            found = mediate(
                made.scores, x=x, m=m, y=y, moderator=w, moderates=stage or "a", serial=len(m) > 1, covariates=held,
                n_boot=max(plan.n_boot, 100), seed=plan.seed, codebook=plan.book,
            )  # fmt: skip
            t = found.table
            along = t[(t["effect"] == "indirect") & (t["mediator"] == " -> ".join(m))]
            index = t[t["effect"].isin(["index of moderated mediation", "difference"])]
            direct, row = t[t["effect"] == "direct"].iloc[0], along.iloc[len(along) // 2]
            out.append(Indirect(h, found, row, direct, along, index, *latent_product(model, h)))
    return out


def moderated_stage(plan: Plan, h: Hypothesis) -> tuple[str | None, str | None]:
    """The moderator of a mediation x -> m -> y and the stage it changes, if a moderation is claimed of one of them."""
    if len(h.names) > 3:  # a chain is tested as it stands
        return None, None
    x, m, y = h.names
    first = [p.w for p in plan.products if (p.x, p.y) == (x, m)]
    second = [p.w for p in plan.products if (p.x, p.y) == (m, y)]
    if both := [w for w in first if w in second]:
        return both[0], "both"
    if first:
        return first[0], "a"
    return (second[0], "b") if second else (None, None)


def latent_product(model: Structure | None, h: Hypothesis) -> tuple[float, float, float]:
    """Product of the structural model's paths along a mediation, with its interval."""
    steps = {*zip(h.names[:-1], h.names[1:], strict=True)}
    if model is None or not steps <= {*zip(model.paths["predictor"], model.paths["outcome"], strict=True)}:
        return np.nan, np.nan, np.nan
    return _path_interval(model, h)


# ------------------------------------------------------------------------------------------------------ moderation
def moderated(plan: Plan, product: Product, made: Gaps, found: Sample, omega: pd.Series) -> Moderated:
    """Regression with the product, what it means at values of the moderator, and the same under other choices."""
    main = _regression(plan, product, made.scores, cov_type="HC3")
    table = main.coefficients[["est", "se", "ci_lower", "ci_upper", "t", "pvalue"]].copy()
    table["std_all"], table["vif"] = main.standardized, [np.nan, *vif(main.design.matrix()[:, 1:])]
    steps, number = main.steps, not main.values_of(product.w)
    latent, problem = _latent(plan, product, made.keyed)
    runs = _variants(plan, product, made, found, main)
    t = (main.coefficients["est"] / main.coefficients["se"]).abs()
    shown = t[main.products].idxmax()  # with several groups, the product that stands out
    robust = pd.DataFrame({k: _row(r, shown) for k, r in runs.items()}).T
    robust["n"] = [r.n_used for r in runs.values()]
    if latent is not None:
        robust.loc["latent"] = [*latent.product[[*ROW, "std_all"]], latent.n_obs]
    robust["n"] = robust["n"].astype(int)
    differences = main.slope_differences() if main.values_of(product.w) else pd.DataFrame()
    return Moderated(
        product, main, table, steps, main.simple_slopes(), differences, float(steps["pvalue"].iloc[-1]),
        float(steps["delta_r2"].iloc[-1]), main.johnson_neyman() if number else None,
        _detectable(main, product, made.scores, omega), latent, problem, robust,
    )  # fmt: skip


def _regression(plan: Plan, product: Product, scores: pd.DataFrame, **changes: Any) -> Moderation:
    settings: dict[str, Any] = {"covariates": plan.others(product), "codebook": plan.book, **changes}
    return moderate(scores, y=product.y, x=product.x, moderator=product.w, **settings)


def _row(result: Moderation, product: str) -> pd.Series:
    """One product; with several groups its p is that of all products together."""
    row = result.coefficients.loc[product]
    p = row["pvalue"] if len(result.products) == 1 else result.steps["pvalue"].iloc[-1]
    return pd.Series([*row[ROW[:3]], p, result.standardized[product]], index=[*ROW, "std_all"])


def _variants(plan: Plan, product: Product, made: Gaps, found: Sample, main: Moderation) -> dict[str, Moderation]:
    """The same product under choices that could have been made as well."""
    stay = found.flagged.intersection(made.scores.index)
    choices: dict[str, tuple[bool, pd.DataFrame, dict[str, Any]]] = {
        "classical": (True, made.scores, {}),
        "squares": (not main.values_of(product.w), made.scores, {"cov_type": "HC3", "quadratic": True}),
        "no controls": (bool(plan.others(product)), made.scores, {"cov_type": "HC3", "covariates": []}),
        "complete": (made.complete < made.n, scale_scores(plan, made.keyed), {"cov_type": "HC3"}),
        "unflagged": (len(stay) > 0, made.scores.drop(index=stay), {"cov_type": "HC3"}),
    }
    runs = {"reported": main}
    for name, (wanted, data, changes) in choices.items():
        if wanted:
            try:
                runs[name] = _regression(plan, product, data, **changes)
            except OURS:  # too few rows are left for it; the row is then not in the table
                continue
    return runs


def vif(columns: np.ndarray) -> list[float]:
    """Variance inflation of each column of predictors given the others; 1 for a column alone."""
    from statsmodels.stats.outliers_influence import variance_inflation_factor

    if columns.shape[1] < 2:
        return [1.0] * columns.shape[1]
    x = np.column_stack([np.ones(len(columns)), columns])
    return [float(variance_inflation_factor(x, k)) for k in range(1, x.shape[1])]


def _detectable(main: Moderation, product: Product, scores: pd.DataFrame, omega: pd.Series) -> float:
    """Smallest product, in standard deviations of the constructs, that this sample finds four times in five."""
    x, m, y = product.x, product.w, product.y
    if main.variable(m).groups:
        return np.nan
    rel = omega.reindex([x, m, y]).fillna(1.0).clip(0.05, 1.0)
    r = float(np.clip(scores[[x, m]].corr().iloc[0, 1] / np.sqrt(rel[x] * rel[m]), -0.95, 0.95))
    r2 = float(min(0.9, main.r2 / (np.sqrt(rel[x] * rel[m]) * rel[y])))
    return float(power.detectable(main.n_used, r_xm=r, r2_main=r2, n_predictors=len(main.coefficients) - 1,
                                  reliability_x=rel[x], reliability_m=rel[m], reliability_y=rel[y]))  # fmt: skip


def _latent(plan: Plan, product: Product, keyed: pd.DataFrame) -> tuple[LatentInteraction | None, str]:
    """The same product between latents; or why not."""
    roles: dict[str, Any] = {"x": product.x, "moderator": product.w, "y": product.y}
    if observed := [n for n in roles.values() if n not in plan.scales]:
        return None, f"observed: {', '.join(observed)}"
    lines = [f"{n} =~ {' + '.join(plan.scales[n])}" for n in roles.values()]
    try:
        made = latent_interaction(
            "\n".join([*lines, f"{product.y} ~ {product.x} + {product.w}"]), keyed, **roles, estimator="MLR"
        )
    except OURS as problem:
        return None, str(problem)
    return (made, "") if made.converged else (None, "the search did not end at a minimum")


# -------------------------------------------------------------------------------------------------------- verdicts
def verdicts(plan: Plan, made: list[Moderated], mediations: list[Indirect], model: Structure | None, pls: Pls | None) -> pd.DataFrame:  # fmt: skip
    """One row a claim: estimate, interval, verdict by the rule of :mod:`study`, and what it rests on."""
    rows = []
    for h in plan.hypotheses:
        est, low, high, basis, n = np.nan, np.nan, np.nan, "none", 0
        product = next((m for m in made if m.product.hypothesis == h.name), None)
        mediation = next((m for m in mediations if m.hypothesis.name == h.name), None)
        if pls is not None and (row := _pls_row(pls, h)) is not None:
            (est, low, high), basis, n = row, "pls", pls.fit.n_obs
        elif product is not None:
            est, low, high = product.robustness.loc["reported", ROW[:3]]
            basis, n = "product" if len(product.result.products) == 1 else "joint", product.result.n_used
            if basis == "joint" and not product.joint_p < 0.05:
                low, high = min(low, 0.0), max(high, 0.0)
        elif mediation is not None:
            est, low, high = mediation.row[ROW[:3]]
            basis, n = "indirect", mediation.result.n_obs
            if len(mediation.index):
                basis = "conditional"
            elif mediation.disagrees:
                basis = "apart"
        elif model is not None and h.kind != "moderation":
            est, low, high = _path_interval(model, h)
            basis, n = "path" if h.kind == "direct" else "delta", model.fit.n_total
        rows.append((h.name, h, est, low, high, verdict(h.sign, low, high), basis, n))
    return pd.DataFrame(rows, columns=["name", "hypothesis", "est", "ci_lower", "ci_upper", "key", "basis", "n"]).set_index("name")  # fmt: skip


def _path_interval(model: Structure, h: Hypothesis) -> tuple[float, float, float]:
    """Of one path, or of a product of several by the delta method."""
    names = [(y, "~", x) for x, y in zip(h.names[:-1], h.names[1:], strict=True)]
    e = model.fit.estimates.set_index(["lhs", "op", "rhs"])
    b = np.array([float(e.loc[key, "est"]) for key in names])
    if len(names) == 1:
        row = e.loc[names[0]]
        return float(row["est"]), float(row["ci_lower"]), float(row["ci_upper"])
    labels = [f"{y}{op}{x}" for y, op, x in names]
    cov = model.fit.vcov.loc[labels, labels].to_numpy()
    slope = np.array([np.prod(np.delete(b, k)) for k in range(len(b))])
    half = 1.959963984540054 * float(np.sqrt(slope @ cov @ slope))
    return float(b.prod()), float(b.prod()) - half, float(b.prod()) + half


def _pls_row(pls: Pls, h: Hypothesis) -> tuple[float, float, float] | None:
    table = pls.indirect if h.kind == "mediation" else pls.paths
    x = f"{h.names[0]}*{h.names[1]}" if h.kind == "moderation" else h.names[0]
    found = table[table["hypothesis"] == h.name] if h.kind == "mediation" else table[(table["from"] == x) & (table["to"] == h.names[-1])]  # fmt: skip
    return tuple(found[["estimate", "ci_lower", "ci_upper"]].iloc[0]) if len(found) else None
