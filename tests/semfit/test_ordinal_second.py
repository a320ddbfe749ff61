"""Two data sets that a second person chose and fitted with lavaan before the estimator existed (ordinal_second.R)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = json.loads((REFERENCE / "ordinal_second.json").read_text())
CASES = STORED["cases"]
NUMBERS = ("est", "se", "est.std", "group")


@cache
def fitted(name: str) -> semfit.Fit:
    case = CASES[name]
    data = pd.read_csv(REFERENCE / "data" / f"{case['set']}.csv")
    options = {k.replace(".", "_"): v for k, v in case["options"].items()}
    if "group" in options:  # lavaan orders the groups as they appear
        data["region"] = pd.Categorical(data["region"], categories=case["groups"])
    return semfit.fit(case["model"], data, **options)


@pytest.mark.parametrize("name", CASES)
def test_estimates_are_lavaans(name, keyed):
    fit = fitted(name)
    assert fit.converged
    for part, ours, column in (("estimates", fit.estimates, "est"), ("standardized", fit.standardized(), "est.std")):
        theirs, mine = keyed(CASES[name][part]), keyed(ours)
        assert set(theirs.index) == set(mine.index)
        mine = mine.loc[theirs.index]
        np.testing.assert_allclose(mine["est"], theirs[column], atol=1e-4, rtol=1e-4)
        np.testing.assert_allclose(mine["se"].fillna(0.0), theirs["se"].fillna(0.0), atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("name", CASES)
def test_measures_are_lavaans(name):
    theirs = {k.replace(".", "_"): v for k, v in CASES[name]["measures"].items()}
    ours = fitted(name).measures.drop(["chisq_shift_parameter", "ntotal"])
    assert set(ours.index) <= set(theirs)
    for key, value in ours.items():
        expected = np.nan if theirs[key] in (None, "NA") else float(theirs[key])
        np.testing.assert_allclose(value, expected, atol=1e-3, rtol=1e-3, equal_nan=True, err_msg=key)


@pytest.mark.parametrize("pair", STORED["pairs"])
def test_nested_tests_are_lavaans(pair):
    case = STORED["pairs"][pair]
    table = semfit.compare(*(fitted(name) for name in pair.split("__"))).table
    assert table["delta_chisq"].iloc[-1] == pytest.approx(case["chisq_diff"], rel=1e-3)
    assert table["delta_df"].iloc[-1] == case["df_diff"]
    assert table["delta_pvalue"].iloc[-1] == pytest.approx(case["pvalue"], abs=1e-3)
