"""Sections on what leads to what: moderation, robustness, structural model, closing."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from semfit.errors import DroppedRows, UnusedItems
from semfit.interaction.latent import latent_interaction

from .._core.errors import OURS
from ..moderation import power
from ..moderation.regression import moderate
from .document import Section
from .sections_sample import scale_scores
from .words import REFERENCES, counted, interval, joined, p_text, printed, r_text
from .work import NOT_IN_FILE, Work, fit_words, fitted_or_none, poor_indices, sem_options


def moderation(work: Work, scores: pd.DataFrame):
    spec = work.spec
    y, x, m = spec["outcome"], spec["predictors"][0], spec["moderator"]
    work.open("Test of the hypothesis")
    main = work.results["regression"] = moderate(
        scores,
        y=y,
        x=x,
        moderator=m,
        covariates=[*spec["predictors"][1:], *spec["covariates"]],
        cov_type="HC3",
    )
    work.loss(main.n_used, main.n_used + main.n_dropped, "The regression")
    c, steps, beta = main.coefficients.loc[main.product], main.steps, main.standardized[main.product]
    held = f", with {joined(main.covariates)} held constant" if main.covariates else ""
    work.say(
        f"{y} was regressed on {x}, {m} and their product{held}, with HC3 standard errors; {x} and {m} were centred (n = {main.n_used}; {counted(main.n_dropped, 'row')} left out for missing values).",
        f"The model explained {100 * main.r2:.1f}% of the variance, of which the product added {100 * steps.delta_r2.iloc[-1]:.1f}%.",
        f"The product was b = {c.est:.3f}, {interval(c.ci_lower, c.ci_upper, lambda v: f'{v:.3f}')}, {p_text(c.pvalue)}, {beta:.3f} in standard deviations.",
        f"One more point of {m} goes with a slope of {x} that is {abs(c.est):.2f} {'lower' if c.est < 0 else 'higher'}." if c.pvalue < 0.05 else
        f"The interval includes zero: these data do not show that {m} changes the effect of {x}, and they do not show that it does not. Effects between {c.ci_lower:.3f} and {c.ci_upper:.3f} remain possible.",
    )  # fmt: skip
    work.table(
        printed(main.coefficients[["est", "se", "ci_lower", "ci_upper", "t", "pvalue"]]),
        f"Regression of {y}",
        "Unstandardised; HC3 standard errors; a main effect holds at the mean of the other variable.",
        3,
    )
    slopes = main.simple_slopes()
    work.say(
        "Simple slopes: "
        + "; ".join(
            f"at {s['at']} ({s[m]:.2f}) b = {s.est:.2f}, {interval(s.ci_lower, s.ci_upper)}"
            for _, s in slopes.iterrows()
        )
        + "."
    )
    work.table(
        printed(slopes[["at", m, "est", "se", "ci_lower", "ci_upper"]], 2).reset_index(drop=True),
        f"Slopes of {x} at values of {m}",
        "SD: standard deviation of the moderator.",
    )
    regions = not main.values_of(m)  # between two values or groups of a moderator there is no region
    if regions:
        jn = main.johnson_neyman()
        work.say("Johnson-Neyman: the slope is " + "; ".join(
            f"{r.slope} between {r.lower:.2f} and {r.upper:.2f} of {m} ({counted(r.n, 'respondent')}, {100 * r.share:.0f}%)" for r in jn.regions.itertuples()) + ".")  # fmt: skip
    work.figure(main.plot, f"{y[:1].upper() + y[1:]} and {x} at three values of {m} (n = {main.n_used}).",
                f"Scatter of {y} on {x} with three lines: " + ", ".join(f"slope {s.est:.2f} at {m} {s[m]:.2f}" for _, s in slopes.iterrows()) + f"; n = {main.n_used}.")  # fmt: skip
    if regions:
        work.figure(main.plot_johnson_neyman, f"Slope of {x} along {m}, with its 95% band.",
                    f"Line of the slope of {x} on {y} along {m} from {jn.observed[0]:g} to {jn.observed[1]:g} with its band; bounds at " + (", ".join(f"{b:.2f}" for b in jn.inside) or "no observed value") + ".")  # fmt: skip
    work.cite("aiken", "hc3", "jn")
    work.check_off("Moderated regression: product, slopes, Johnson-Neyman")
    known = work.results["reliability"]["omega"] if "reliability" in work.results else pd.Series(dtype=float)
    rel = known.reindex([x, m, y]).fillna(1.0).clip(0.05, 1.0)
    r_true = float(np.clip(scores[[x, m]].corr().iloc[0, 1] / np.sqrt(rel[x] * rel[m]), -0.95, 0.95))
    smallest = power.detectable(main.n_used, r_xm=r_true, r2_main=float(min(0.9, main.r2 / (np.sqrt(rel[x] * rel[m]) * rel[y]))), n_predictors=len(main.coefficients) - 1,
                                reliability_x=rel[x], reliability_m=rel[m], reliability_y=rel[y])  # fmt: skip
    if np.isfinite(smallest):
        work.limits.append(
            f"With n = {main.n_used} and these reliabilities, a product would have to be about {smallest:.2f} in standard deviations of the constructs to be found four times in five; smaller ones will mostly be missed, and those found will look too large."
        )
    return main


def robustness(work: Work, keyed: pd.DataFrame, scores: pd.DataFrame, main) -> None:
    spec = work.spec
    y, x, m = spec["outcome"], spec["predictors"][0], spec["moderator"]
    work.open("Robustness")
    kwargs = {"y": y, "x": x, "moderator": m, "covariates": [*spec["predictors"][1:], *spec["covariates"]]}
    runs = {"as reported": main}
    stay = work.results["flagged"].intersection(scores.index)
    variants = {
        "classical standard errors": (scores, {}),
        "with squares of both": (scores, {"cov_type": "HC3", "quadratic": True}),
        "without covariates": (scores, {"cov_type": "HC3", "covariates": ()}) if kwargs["covariates"] else None,
        "only respondents who answered all items": (scale_scores(work, keyed), {"cov_type": "HC3"})
        if keyed[work.items].isna().any().any()
        else None,
        "without flagged rows": (scores.drop(index=stay), {"cov_type": "HC3"}) if len(stay) else None,
    }
    for name, variant in variants.items():
        if variant is not None:
            runs[name] = moderate(variant[0], **{**kwargs, **variant[1]})
    table_ = pd.DataFrame(
        {k: r.coefficients.loc[r.product, ["est", "ci_lower", "ci_upper", "pvalue"]] for k, r in runs.items()}
    ).T
    table_["standardised"], table_["n"] = (
        [r.standardized[r.product] for r in runs.values()],
        [r.n_used for r in runs.values()],
    )
    latent = _latent(work, keyed, main)
    if latent is not None:
        table_.loc["latent interaction"] = [
            *latent.product[["est", "ci_lower", "ci_upper", "pvalue", "std_all"]],
            latent.n_obs,
        ]
    table_["n"] = table_["n"].astype(int)
    table_.index.name = "analysis"
    work.results["robustness"] = table_
    work.table(
        printed(table_),
        "The product under other defensible choices",
        "Latent interaction: product indicators, robust maximum likelihood, without covariates; its estimate is in units of the first items.",
        3,
    )
    agree = ((table_["ci_lower"] > 0) | (table_["ci_upper"] < 0)).sum()
    work.say(
        f"The product ranges from {table_.est.min():.3f} to {table_.est.max():.3f}; its interval leaves out zero in {agree} of {len(table_)} analyses."
    )
    if 0 < agree < len(table_):
        against = table_.index[(table_["ci_lower"] <= 0) & (table_["ci_upper"] >= 0)]
        work.alarms.append(
            f"The main conclusion depends on choices: zero is inside the interval for {joined(list(against))}."
        )
        work.limits.append(
            "Whether the product differs from zero depends on choices of the analysis that could have gone either way."
        )
    if (np.sign(table_.est) != np.sign(table_.est.iloc[0])).any():
        work.alarms.append("The sign of the product changes between defensible analyses.")
    work.cite("ganzach")
    work.check_off("Squares beside the product, other choices")


def _latent(work: Work, keyed: pd.DataFrame, main):
    roles = {"x": main.x, "moderator": main.moderator, "y": main.y}
    observed = [n for n in roles.values() if n not in work.scales]
    if observed:
        work.check_off("Latent interaction", "not applicable", f"{joined(observed)} is a single column, not a scale")
        return None
    model = (
        "\n".join(f"{n} =~ {' + '.join(work.scales[n])}" for n in roles.values())
        + f"\n{main.y} ~ {main.x} + {main.moderator}"
    )
    try:
        latent = latent_interaction(model, keyed, **roles, estimator="MLR")
    except OURS as problem:
        work.alarms.append(f"The latent interaction could not be estimated: {problem}")
        work.check_off("Latent interaction", "no", "could not be estimated")
        return None
    work.results["latent"] = latent
    if not latent.converged:
        work.alarms.append("The latent interaction did not converge; it is left out.")
        work.check_off("Latent interaction", "no", "did not converge")
        return None
    work.alarms += [
        f"Latent interaction: {w}." for w in latent.warnings if not isinstance(w, (DroppedRows, UnusedItems))
    ]
    p = latent.product
    work.say(
        f"With measurement error modelled (product indicators, complete rows, n = {latent.n_obs}), the product is {p.std_all:.2f} standardised ({p.est:.3f}, {interval(p.ci_lower, p.ci_upper, lambda v: f'{v:.3f}')}, {p_text(p.pvalue)})."
    )
    work.cite("lin")
    work.check_off("Latent interaction")
    return latent


def structural(work: Work, keyed: pd.DataFrame) -> None:
    spec = work.spec
    work.open("Test of the hypothesis")
    right, data = [*spec["predictors"]], keyed.copy()
    for name in spec["covariates"]:
        if name in work.scales or pd.api.types.is_numeric_dtype(keyed[name]):
            right.append(name)
        else:
            dummies = (
                pd.get_dummies(keyed[name], prefix=name, dtype=float).iloc[:, 1:].where(keyed[name].notna(), np.nan)
            )
            dummies.columns = [re.sub(r"\W+", "_", c) for c in dummies]
            data, right = data.join(dummies), [*right, *dummies.columns]
    model = f"{work.measurement}\n{spec['outcome']} ~ {' + '.join(right)}"
    names = [*work.items, *[n for n in [spec["outcome"], *right] if n not in work.scales]]
    f = work.results["structural"] = fitted_or_none(
        work, model, data, "The structural model", **sem_options(data, names)
    )
    if f is None:
        work.say("The structural model has no usable solution; no path is reported.")
        work.check_off("Structural model: paths and fit", "no", "no usable solution")
        return
    paths = f.estimates[(f.estimates["op"] == "~") & (f.estimates["lhs"] == spec["outcome"])]
    work.say(
        f"{spec['outcome']} was regressed on {joined(right)} in a structural model, robust maximum likelihood (n = {f.n_total}).",
        f"Fit: {fit_words(f.measures)}.",
        f"The predictors explained {100 * f.r2[spec['outcome']]:.0f}% of its variance.",
    )
    work.say(
        " ".join(
            f"{r.rhs}: {r_text(r.std_all)} standardised, b = {r.est:.3f}, {interval(r.ci_lower, r.ci_upper, lambda v: f'{v:.3f}')}, {p_text(r.pvalue)}."
            for r in paths.itertuples()
        )
    )
    work.table(
        printed(
            paths[["rhs", "est", "se", "ci_lower", "ci_upper", "pvalue", "std_all"]]
            .set_index("rhs")
            .rename_axis("predictor")
        ),
        f"Structural paths to {spec['outcome']}",
        "",
        3,
    )
    if poor := poor_indices(f.measures):
        work.alarms.append(f"The structural model fits poorly ({joined(poor)}); its paths are provisional.")
        work.limits.append(f"The structural model does not describe the answers well ({joined(poor)}).")
    if (large := paths[paths["std_all"].abs() > 1]).size:
        work.alarms.append(
            f"The standardised path of {joined(list(large['rhs']))} is beyond 1: the predictors overlap so much that their effects cannot be told apart."
        )
    work.check_off("Structural model: paths and fit")
    work.check_off("Moderated regression: product, slopes, Johnson-Neyman", "not applicable", "no moderator named")


def closing(work: Work) -> None:
    """Limitations, software, references, checklist; and the alarms on top."""
    work.open("Limitations")
    for text in dict.fromkeys(work.limits):
        work.say(text)
    work.say(
        "All variables come from one questionnaire at one time. Neither the direction of an effect nor the share that a common method adds can be read from these data, whatever the coefficients are."
    )
    work.check_off("Limitations that follow from the numbers")
    from .._core.version import __version__

    work.open("Software and reproducibility")
    work.say(
        f"Python package switchcost {__version__} with numpy {np.__version__} and pandas {pd.__version__}; bootstrap seed {work.seed}, {work.n_boot:,} samples. The same file, codebook and settings give the same numbers."
    )
    spec = {k: v for k, v in work.spec.items() if v}
    work.say(
        "Settings: " + "; ".join(f"{k} = {joined(v) if isinstance(v, list) else v}" for k, v in spec.items()) + "."
    )
    work.check_off("Software, version and seed")
    work.open("References for the methods")
    for text in sorted(REFERENCES[k] for k in work.cited):
        work.say(text)
    work.check_off("References for the methods")
    for what in NOT_IN_FILE:
        work.check_off(what[0].upper() + what[1:], "yours to write", "not in the file")
    work.open("Checklist")
    work.table(
        pd.DataFrame(work.checks, columns=["what", "reported", "where"]),
        "What a committee looks for, and where it is",
        "'Yours to write' cannot be computed from a data file.",
    )
    work.alarms[:] = dict.fromkeys(re.sub(r"(?<!\.)\.\.(?!\.)", ".", a) for a in work.alarms)
    if work.alarms:
        top = Section(f"Read this first: {counted(len(work.alarms), 'point')} to settle", list(work.alarms), alarm=True)
        work.sections.insert(0, top)
