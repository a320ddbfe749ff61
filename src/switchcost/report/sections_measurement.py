"""Sections on measurement: reliability, factors, validity, groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semfit.errors import DroppedRows
from semfit.measurement_invariance import invariance

from .._core.errors import OURS
from ..measurement.reliability import reliability
from ..measurement.validity import fornell_larcker, htmt
from .words import counted, interval, joined, printed, r_text
from .work import Work, fit_words, fitted_or_none, poor_indices, sem_options


def scale_reliability(work: Work, keyed: pd.DataFrame) -> None:
    work.open("Reliability")
    found = work.results["reliability"] = reliability(keyed, work.scales, work.n_boot, work.seed)
    work.say(
        "Reliability was estimated as coefficient omega of a one-factor model, with alpha beside it.",
        f"Intervals are from {work.n_boot:,} bootstrap samples for omega and from Feldt's formula for alpha.",
    )
    work.say(
        "; ".join(
            f"{s}: omega = {r_text(v.omega)}, {interval(v.omega_ci_lower, v.omega_ci_upper, r_text)}, {counted(int(v.n_items), 'item')}"
            for s, v in found.iterrows()
        )
        + "."
    )
    shown = pd.DataFrame({"items": found["n_items"], "n": found["n"]}, index=found.index)
    for name in ("omega", "alpha"):
        shown[name] = [r_text(v) for v in found[name]]
        shown[f"95% CI of {name}"] = [
            f"[{r_text(a)}, {r_text(b)}]"
            for a, b in zip(found[f"{name}_ci_lower"], found[f"{name}_ci_upper"], strict=True)
        ]
    shown["mean r"] = [r_text(v) for v in found["mean_r"]]
    work.table(
        shown,
        "Reliability of the scales",
        "n: respondents who answered all items of the scale. mean r: mean correlation between items.",
    )
    for scale, row in found.iterrows():
        if not row.omega >= 0.70:
            value = (
                "could not be estimated"
                if np.isnan(row.omega)
                else f"is low: omega = {r_text(row.omega)}, {interval(row.omega_ci_lower, row.omega_ci_upper, r_text)}"
            )
            work.alarms.append(
                f"Reliability of {scale} {value}. Effects of this scale are understated, and items should not be dropped until it looks better."
            )
            if not np.isnan(row.omega):
                work.limits.append(
                    f"The scale {scale} is unreliable (omega = {r_text(row.omega)}): its relations with others are blurred."
                )
        if row.note and (row.n_items > 2 or row.reversed or np.isnan(row.omega)):
            turned = (
                " If the file already holds turned items, set reverse to 0 in the codebook." if row.reversed else ""
            )
            work.alarms.append(f"Scale {scale}: {row.note}.{turned}")
    work.cite("omega", "feldt")
    work.check_off("Reliability with intervals")


def factors(work: Work, keyed: pd.DataFrame):
    work.open("Confirmatory factor analysis")
    cfa = work.results["cfa"] = fitted_or_none(
        work, work.measurement, keyed, "The confirmatory factor analysis", **sem_options(keyed, work.items)
    )
    if cfa is None:
        work.say(
            "The model with one factor a scale has no usable solution. Nothing below that rests on it can be reported."
        )
        work.limits.append("The confirmatory factor analysis failed, so the structure of the scales is an assumption.")
        work.check_off("Factor analysis: fit and loadings", "no", "the model has no usable solution")
        return None
    m, e = cfa.measures, cfa.estimates
    load = e[e["op"] == "=~"]
    full = cfa.options.missing == "fiml"
    work.say(
        f"A model with {counted(len(work.scales), 'factor')} and {len(work.items)} items was fitted by robust maximum likelihood{' with full information' if full else ''} (n = {cfa.n_total}).",
        f"Fit: {fit_words(m)}.",
        f"Standardised loadings ran from {r_text(load.std_all.min())} ({load.rhs[load.std_all.idxmin()]}) to {r_text(load.std_all.max())} ({load.rhs[load.std_all.idxmax()]}).",
    )  # fmt: skip
    spread = pd.DataFrame(
        {"factor": load.lhs, "item": load.rhs, "estimate": load.est, "se": load.se, "loading": load.std_all}
    )
    work.table(
        spread.reset_index(drop=True),
        "Loadings of the confirmatory factor analysis",
        "estimate: unstandardised, first item of each factor fixed at 1; loading: standardised.",
    )
    poor = poor_indices(m)
    if poor:
        work.alarms.append(
            f"The measurement model fits poorly ({joined(poor)}). Look at residuals before you read any path."
        )
        work.limits.append(
            f"The measurement model does not describe the answers well ({joined(poor)}); results that rest on it are provisional."
        )
    elif m.pvalue_scaled < 0.05:
        work.say(
            "Exact fit is rejected; the indices lie within the limits in common use (Hu & Bentler, 1999), which are conventions."
        )
    weak = load[load.std_all.abs() < 0.5]
    if len(weak):
        text = f"Weak loadings (below .50): {joined([f'{i} ({r_text(v)})' for i, v in zip(weak.rhs, weak.std_all, strict=True)])}."
        work.alarms.append(text + " They stay in; dropping them after seeing the data would have to be said.")
        work.say(text)
    if cfa.n_total < 3 * cfa.npar:
        work.alarms.append(
            f"The factor model estimates {cfa.npar} parameters from {cfa.n_total} respondents; fit and loadings rest on very little."
        )
        work.limits.append(
            f"The sample (n = {cfa.n_total}) is small for a measurement model with {cfa.npar} parameters."
        )
    work.cite("mlr", "fit")
    work.check_off("Factor analysis: fit and loadings")
    return cfa


def validity(work: Work, keyed: pd.DataFrame, cfa) -> None:
    work.open("Convergent and discriminant validity")
    if cfa is not None:
        try:
            own = work.results["fornell_larcker"] = fornell_larcker(cfa)
            low = own.factors[~own.factors["convergent"]]
            work.say("Average variance extracted: " + ", ".join(f"{s} {r_text(v)}" for s, v in own.ave.items()) + ".",
                     f"Below .50, so that error makes up more than half of an average item: {joined(list(low.index))}." if len(low) else "All are at least .50.")  # fmt: skip
        except OURS as problem:
            work.alarms.append(f"Average variance extracted could not be computed: {problem}")
    if len(work.scales) < 2:
        work.say("With one scale there is nothing to discriminate.")
        work.check_off("Validity: AVE and HTMT", "not applicable", "one scale")
        return
    ratio = work.results["htmt"] = htmt(keyed, work.scales, n_boot=work.n_boot, seed=work.seed).pairs
    rows = ratio[["scale_1", "scale_2", "htmt", "ci_lower", "ci_upper"]].copy()
    if "fornell_larcker" in work.results:
        rows.insert(2, "factor_r", work.results["fornell_larcker"].pairs["correlation"].to_numpy())
    work.table(
        printed(rows, 2, r_text).reset_index(drop=True),
        "Are the scales distinct? Factor correlations and HTMT",
        f"HTMT: heterotrait-monotrait ratio, percentile intervals of {work.n_boot:,} bootstrap samples, rows with all items answered.",
    )
    bad = rows[(rows["htmt"] > 0.85) | (rows["ci_upper"] >= 1)]
    top = rows.loc[rows["htmt"].idxmax()]
    work.say(f"The largest HTMT is {r_text(top.htmt)}, {interval(top.ci_lower, top.ci_upper, r_text)}, between {top.scale_1} and {top.scale_2}.",
             "No pair comes near the usual limit of .85 (Henseler et al., 2015)." if top.ci_upper < 0.85 else "")  # fmt: skip
    for _, pair in bad.iterrows():
        work.alarms.append(
            f"{pair.scale_1} and {pair.scale_2} are hardly distinct: HTMT = {r_text(pair.htmt)}, {interval(pair.ci_lower, pair.ci_upper, r_text)}."
        )
        work.limits.append(
            f"{pair.scale_1} and {pair.scale_2} may be one thing; separate effects of the two cannot be told apart with confidence."
        )
    work.cite("ave", "htmt")
    work.check_off("Validity: AVE and HTMT")


# What a failed step forbids; equal residual variances are not needed to compare latents.
CONSEQUENCE = {
    "configural": "neither relations nor means of the groups can be compared",
    "metric": "neither relations nor means of the groups can be compared",
    "scalar": "means of the groups must not be compared",
}


def groups(work: Work, keyed: pd.DataFrame) -> None:
    group = work.spec["group"]
    if group is None:
        work.check_off("Measurement invariance across groups", "not applicable", "no group named")
        return
    work.open(f"Measurement invariance across {group}")
    sizes = keyed[group].value_counts()
    try:
        steps = work.results["invariance"] = invariance(
            work.measurement, keyed, group, **sem_options(keyed, work.items)
        )
    except OURS as problem:
        work.alarms.append(f"Measurement invariance across {group} could not be tested: {problem}")
        work.check_off("Measurement invariance across groups", "no", "the models could not be estimated")
        return
    for level, f in steps.fits.items():
        work.alarms += [f"Invariance, {level} model: {w}." for w in f.warnings if not isinstance(w, DroppedRows)]
    names = {"metric": "equal loadings", "scalar": "equal intercepts", "strict": "equal residual variances"}
    failed = steps.decision.name
    work.say(f"The measurement model was fitted in {joined([f'{k} (n = {v})' for k, v in sizes.items()])} with growing equality.",
             f"CFI changed by {', '.join(f'{d:+.3f} for {v}' for d, v in zip(steps.table.loc[list(names), 'delta_cfi'], names.values(), strict=True))}.",
             f"By Chen's (2007) limit of -.010, the step to {names[failed]} does not hold." if failed in names else f"{steps.decision.sentence}.")  # fmt: skip
    shown = printed(
        steps.table[["chisq", "df", "cfi", "rmsea", "srmr", "delta_chisq", "delta_df", "delta_pvalue", "delta_cfi"]]
    )
    shown = shown.rename(columns=lambda c: c.replace("delta_", "change in "))
    shown["df"] = shown["df"].astype(int)
    work.table(
        shown,
        f"Invariance across {group}",
        "Robust maximum likelihood; changes against the row above, chi-square differences scaled.",
        {
            "chisq": 1,
            "change in chisq": 1,
            "change in df": 0,
            **dict.fromkeys(["cfi", "rmsea", "srmr", "change in cfi"], 3),
        },
    )
    if failed in names:
        worst = steps.score_tests.query("level == @failed")
        names_of = [
            f"the loading of {r.rhs}"
            if r.op == "=~"
            else f"the intercept of {r.lhs}"
            if r.op == "~1"
            else f"the residual variance of {r.lhs}"
            for r in worst.head(2).itertuples()
        ]
        work.say(f"The equalities that cost most: {joined(names_of)}.")
    if failed in CONSEQUENCE:
        consequence = CONSEQUENCE[failed]
        work.alarms.append(
            f"Measurement differs across {group} ({names.get(failed, 'the same model')} fails): {consequence}."
        )
        work.limits.append(f"The scales do not measure alike across {group}: {consequence}.")
    elif failed == "strict":
        work.limits.append(
            f"Scale scores are not equally reliable across {group}; means of the latents can be compared all the same."
        )
    if sizes.min() < 100:
        work.limits.append(
            f"The smallest group of {group} has {sizes.min()} respondents; differences in measurement can have been missed."
        )
    work.cite("chen")
    work.check_off("Measurement invariance across groups")
