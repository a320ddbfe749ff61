"""Models of many kinds on other people's data against lavaan 0.6-14 (tests/reference/public_data.R).

Growth curves, panel models, methods and traits, phantom variables, auxiliary variables, vectors of labels, effect
coding, ordered answers of several kinds. Bounds are relative, with the numbers below as the smallest scale. Where
lavaan contradicts itself, the other way of asking it is the reference; each such place is named here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = json.loads((REFERENCE / "public_data.json").read_text(encoding="utf8"))
CASES, FAULTS = STORED["cases"], STORED["faults"]
# lavaan's residual variance of an observed ordered mediator is wrong under delta: its implied variance is not 1 and its
# chi-square is not that of the equivalent model under theta.
WRONG_IN_LAVAAN = "o_observed_chain"
SAME = [name for name in CASES if name != WRONG_IN_LAVAAN]
# Modification indices of the parameters that a latent that is also an outcome shares with its measurement, and at
# solutions with negative variances; see test_score_tests_are_the_indices.
MI_WRONG = {"latent_change", "latent_with_observed", "ri_clpm", "phantom_reliability"}
TURNED = {"bifactor", "o_bifactor", "o_cnes_equal"}  # latents without a marker may come out with the other sign


@cache
def data_set(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"public_{name}.csv")


@cache
def fitted(name: str) -> semfit.Fit:
    case = CASES[name]
    options, data = dict(case["options"] or {}), None
    if "set" in case:
        data = data_set(case["set"])
    else:
        given = options["sample_cov"]
        options["sample_cov"] = pd.DataFrame(given["values"], given["names"], given["names"])
    return semfit.fit(case["model"], data, **options)


def close(ours, theirs, name: str, scale: float, relative: float = 1e-5) -> None:
    ours, theirs = (np.asarray(v, dtype=float) for v in (ours, theirs))
    if name in TURNED:
        ours, theirs = np.abs(ours), np.abs(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=relative, atol=relative * scale)


def pair(name: str, keyed) -> tuple[pd.DataFrame, pd.DataFrame]:
    """lavaan's rows, and ours in the same order."""
    theirs = keyed(pd.DataFrame(CASES[name]["estimates"]))
    return theirs, keyed(fitted(name).estimates).loc[theirs.index]


@pytest.mark.parametrize("name", SAME)
def test_estimates_and_standard_errors(name, keyed):
    theirs, ours = pair(name, keyed)
    assert fitted(name).converged
    close(ours["est"], theirs["est"], name, 0.1)
    close(ours["se"].fillna(0.0), theirs["se"].astype(float), name, 0.1)


@pytest.mark.parametrize("kind", ["std_all", "std_lv", "std_nox"])
@pytest.mark.parametrize("name", SAME)
def test_standardised_solutions(name, kind, keyed):
    theirs, _ = pair(name, keyed)
    ours = keyed(fitted(name).standardized(kind)).loc[theirs.index]
    value = theirs[kind].astype(float)
    kept = value.notna() & ours["est"].notna()
    assert kept.mean() > 0.8
    close(ours["est"][kept], value[kept], name, 0.1)
    se = theirs[f"{kind}_se"].astype(float)
    se = se.where(se > 1e-7, 0.0)  # of what is fixed, by rounding
    close(ours["se"].fillna(0.0)[kept], se[kept], name, 0.1)


@pytest.mark.parametrize("name", SAME)
def test_measures(name):
    theirs = {k.replace(".", "_"): v for k, v in CASES[name]["measures"].items()}
    ours = fitted(name).measures.drop(["chisq_shift_parameter"], errors="ignore")
    left_out = {"ntotal"} if fitted(name).estimator.endswith("SMV") else set()
    if fitted(name).options.missing == "fiml" and not fitted(name).options.fixed_x:
        left_out |= {k for k in ours.index if k.endswith("_robust")}  # test_robust_measures_with_random_predictors
    if fitted(name).estimator.endswith("SMV") and fitted(name).solution.fixed:
        left_out.add("srmr")  # lavaan counts predictors among the variances that fit (test_ordinal_uls.py)
    ours = ours.drop([k for k in left_out if k in ours])
    assert set(ours.index) <= set(theirs)
    known = [k for k in ours.index if theirs[k] is not None]  # lavaan has no robust TLI without degrees of freedom
    close(ours[known], [theirs[k] for k in known], name, 0.1)


@pytest.mark.parametrize("name", [n for n in SAME if "mi" in CASES[n] and n not in MI_WRONG])
def test_modification_indices(name, keyed):
    fit = fitted(name)
    theirs = pd.DataFrame(CASES[name]["mi"])
    theirs = keyed(theirs[~((theirs["op"] == "~") & theirs["lhs"].isin(fit.solution.model.var.x))])
    if name in ("parallel_items", "tau_equivalent"):  # equal by label to a loading that is fixed at 1
        theirs = theirs.drop([k for k in theirs.index if k[:3] in (("f", "=~", "x2"), ("f", "=~", "x3"))])
    ours = keyed(fit.modification_indices()).loc[theirs.index]
    close(ours["mi"], theirs["mi"], name, 0.1, 1e-4)
    close(ours["epc"], theirs["epc"], name, 0.01, 1e-4)


@pytest.mark.parametrize("name", [n for n in SAME if CASES[n]["r2"]])
def test_explained_variance(name):
    ours, theirs = fitted(name).r2, CASES[name]["r2"]
    for group in CASES[name]["groups"] or [None]:
        want = theirs if group is None else theirs[group]
        have = ours if group is None else ours.set_axis(ours.columns.astype(str), axis=1)[group]
        known = [k for k, v in want.items() if v is not None]
        close(have[known], [want[k] for k in known], name, 0.1)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
@pytest.mark.parametrize("name", [n for n in SAME if "scores" in CASES[n] and n != "latent_with_observed"])
def test_factor_scores(name, method):
    """Gaps, auxiliary variables, items without residual variance, observed variables between latents."""
    case, fit = CASES[name], fitted(name)
    latents = list(case["scores"]["names"])
    loads = {r.lhs for r in fit.solution.model.rows if r.op == "=~" and r.rhs in fit.solution.model.ov}
    if method == "bartlett" and (set(latents) - loads or name in ("ri_clpm", "latent_change")):
        with pytest.raises(semfit.errors.DataError, match="own item for every latent"):
            fit.factor_scores(method)
        return
    ours = fit.factor_scores(method)[latents]
    groups = case["groups"] or [None]
    labels = None if groups == [None] else data_set(case["set"])[case["options"]["group"]].astype(str)
    for group in groups:
        want = np.array(case["scores"][method] if group is None else case["scores"][method][group], dtype=float)
        have = (ours if labels is None else ours[labels.loc[ours.index] == group]).head(len(want))
        close(have, want, name, 0.1, 1e-4)


@pytest.mark.parametrize("chain", STORED["pairs"], ids=lambda c: c["names"][0])
def test_likelihood_ratio_tests_of_chains(chain):
    table = semfit.compare(*[fitted(n) for n in chain["names"]]).table.iloc[1:]
    for ours, theirs in (("delta_chisq", "chisq_diff"), ("delta_df", "df_diff"), ("delta_pvalue", "pvalue")):
        np.testing.assert_allclose(table[ours], np.atleast_1d(chain[theirs]), rtol=1e-5, atol=1e-8)


# -- where lavaan contradicts itself ---------------------------------------------------------------------------------
def test_robust_measures_with_random_predictors():
    """lavaan refits with fixed predictors; the same model with predictors that are named has our value."""
    assert fitted("growth_tvc_random_x_fiml").measures["rmsea_robust"] == pytest.approx(
        FAULTS["rmsea_robust"], rel=1e-6
    )
    wrong = CASES["growth_tvc_random_x_fiml"]["measures"]["rmsea.robust"]
    assert abs(wrong - FAULTS["rmsea_robust"]) > 1e-3


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_a_chain_of_ordered_variables_fits_the_same_in_both_parameterisations(parameterization):
    case = CASES[WRONG_IN_LAVAAN]
    fit = semfit.fit(case["model"], data_set(case["set"]), parameterization=parameterization, **case["options"])
    for key, value in FAULTS["chain_theta"].items():
        assert fit.measures[key.replace(".", "_")] == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("case", FAULTS["score_tests"], ids=lambda c: c["add"])
def test_score_tests_are_the_indices(case):
    """``lavTestScore(fit, add = ...)`` of the one parameter, or the refit's likelihood ratio where that is wrong too."""
    lhs, op, rhs = case["add"].split()
    fit = fitted(case["case"])
    mi = fit.modification_indices().set_index(["lhs", "op", "rhs"])["mi"][lhs, op, rhs]
    if case["case"] == "latent_with_observed":
        assert mi == pytest.approx(case["mi"], rel=1e-5)
    else:
        other = semfit.fit(f"{fit.model}\n{case['add']}", data_set("political"))
        ratio = semfit.fit(fit.model, data_set("political")).measures["chisq"] - other.measures["chisq"]
        assert mi == pytest.approx(ratio, rel=0.15)


def test_scores_do_not_depend_on_whether_means_are_modelled():
    for name in ("mimic_dif", "single_indicator", "latent_with_observed"):
        case = CASES[name]
        full = semfit.fit(case["model"], data_set(case["set"]), meanstructure=True, **(case["options"] or {}))
        for method in ("regression", "bartlett"):
            np.testing.assert_allclose(
                fitted(name).factor_scores(method), full.factor_scores(method), rtol=1e-4, atol=1e-5
            )
