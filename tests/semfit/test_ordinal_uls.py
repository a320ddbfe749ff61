"""Unweighted least squares on polychoric correlations against lavaan's ULSMV (tests/reference/ordinal_uls.R)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import DataError

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = json.loads((REFERENCE / "ordinal_uls.json").read_text())
CASES = {c["name"]: c for c in STORED["cases"]}
MODEL = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"


def load(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"ordinal_{name}.csv")


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_lavaans(name, keyed):
    case = CASES[name]
    fit = semfit.fit(case["model"], load(case["set"]), **case["options"])
    assert fit.converged and fit.estimator == "ULSMV"
    for theirs, ours, column in (
        (case["estimates"], fit.estimates, "est"),
        (case["standardized"], fit.standardized(), "est.std"),
    ):
        theirs = keyed(theirs)
        ours = keyed(ours).loc[theirs.index]
        np.testing.assert_allclose(ours["est"], theirs[column].astype(float), atol=1e-4, rtol=1e-4)
        np.testing.assert_allclose(ours["se"].fillna(0.0), theirs["se"].astype(float), atol=1e-4, rtol=1e-3)
    for key, value in fit.measures.drop(["chisq_shift_parameter", "ntotal"]).items():
        expected = case["measures"][key.replace("_", ".")]
        expected = np.nan if expected is None else float(expected)
        if key == "srmr" and name == "covariates":  # lavaan counts the two predictors among the variances that fit
            expected *= np.sqrt(23 / 21)
        np.testing.assert_allclose(value, expected, atol=1e-4, rtol=1e-3, equal_nan=True, err_msg=key)
    theirs, ours = keyed(case["mi"]), keyed(fit.modification_indices())
    both = theirs.index.intersection(ours.index)
    assert len(both) == len(theirs)
    np.testing.assert_allclose(ours.loc[both, "mi"], theirs.loc[both, "mi"].astype(float), rtol=1e-3, atol=1e-4)


def test_nested_fits_are_compared_as_in_lavaan():
    options = {"ordered": True, "estimator": "ULSMV", "group": "group"}
    fits = [
        semfit.fit(MODEL, load("two_groups"), group_equal=equal, **options)
        for equal in ("thresholds", ["thresholds", "loadings"])
    ]
    row = semfit.compare(*fits).table.iloc[1]
    assert row["delta_df"] == STORED["step"]["df"]
    assert row["delta_chisq"] == pytest.approx(STORED["step"]["chisq"], rel=1e-4)
    assert row["delta_pvalue"] == pytest.approx(STORED["step"]["pvalue"], rel=1e-3)


@pytest.mark.parametrize(("name", "ordered"), [("four", True), ("mixed", ["x1", "x2", "y1", "y3"])])
def test_resamples_and_refits_are_unweighted_too(name, ordered):
    data = load(name)
    fit = semfit.fit(MODEL, data, ordered=ordered, estimator="ULSMV")
    other = data.sample(len(data), replace=True, random_state=3)
    one = semfit.fit(MODEL, other, ordered=ordered, estimator="ULSMV")
    weighted = semfit.fit(MODEL, other, ordered=ordered)
    many = semfit.refit(fit, [other])
    np.testing.assert_allclose(many.estimates.loc[0], one.estimates["est"], atol=1e-5)
    assert np.abs(one.estimates["est"] - weighted.estimates["est"]).max() > 1e-3
    boot = fit.bootstrap(60, seed=1, progress=False)
    both = boot.estimates.merge(fit.estimates, on=["lhs", "op", "rhs"], suffixes=("_boot", ""))
    np.testing.assert_allclose(both["est_boot"], both["est"], atol=1e-10)
    assert 0.6 < (both["se_boot"] / both["se"]).median() < 1.5


def test_invariance_takes_it_and_other_words_do_not():
    ladder = semfit.invariance(MODEL, load("two_groups"), "group", ordered=True, estimator="ULSMV")
    assert "thresholds" in " ".join(ladder.table.index) and ladder.table["chisq"].notna().all()
    with pytest.raises(DataError, match="estimator='ULSMV' needs ordered="):
        semfit.fit(MODEL, load("four"), estimator="ULSMV")
    with pytest.raises(DataError, match="'listwise', 'pairwise'"):
        semfit.fit(MODEL, load("four"), estimator="ULSMV", ordered=True, missing="fiml")


def test_rmsea_divides_by_rows_less_groups_as_lavaan_does():
    case = next(c for c in json.loads((REFERENCE / "ordinal_fits.json").read_text()) if c["name"] == "five one factor")
    fit = semfit.fit(case["model"], load(case["set"]), **case["options"])
    for name in ("rmsea", "rmsea_scaled", "rmsea_robust", "rmsea_ci_upper_scaled", "rmsea_ci_lower_robust"):
        key = name.replace("_", ".")
        assert fit.measures[name] == pytest.approx(case["measures"][key], rel=1e-5), name
