"""Scales of odd shapes against psych 2.2.9 (tests/reference/odd_scales.R)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from switchcost.measurement.reliability import item_analysis

REFERENCE = Path(__file__).parents[1] / "reference"
CASES = json.loads((REFERENCE / "odd_scales.json").read_text(encoding="utf8"))


def answers(name: str) -> pd.DataFrame:
    case = CASES[name]
    return pd.read_csv(REFERENCE / "data" / f"public_{case['set']}.csv")[case["items"]].head(case["rows"] or 10**6)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore")
def test_reliability_and_items(name):
    case, data = CASES[name], answers(name)
    row = sc.reliability(data, {"s": case["items"]}).loc["s"]
    assert row["n"] == case["n"]
    for key in ("alpha", "alpha_std", "mean_r"):
        assert row[key] == pytest.approx(case[key], abs=1e-8), key
    assert row[["alpha_ci_lower", "alpha_ci_upper"]].tolist() == pytest.approx(case["ci"], abs=1e-8)
    table = item_analysis(data, case["items"])
    for key in ("item_total", "r2", "mean", "sd", "skew", "kurtosis", "alpha_if_deleted"):
        if case[key] is not None:
            np.testing.assert_allclose(table[key], case[key], rtol=1e-7, atol=1e-8, err_msg=key)
    if "loading" in case:
        np.testing.assert_allclose(np.abs(table["loading"]), case["loading"], atol=2e-4)  # psych stops early


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if "kmo" in c])
def test_adequacy_and_number_of_factors(name):
    case, data = CASES[name], answers(name).dropna()
    found = sc.kmo(data)
    assert found.overall == pytest.approx(case["kmo"], abs=1e-8)
    np.testing.assert_allclose(found.items, case["kmo_items"], atol=1e-8)
    test = sc.bartlett(data)
    assert [test.statistic, test.df] == pytest.approx(case["bartlett"], rel=1e-8)
    if "map" in case:
        ours = sc.map_test(data).table["squared"].to_numpy()[1 : 1 + len(case["map"])]
        np.testing.assert_allclose(ours, case["map"][: len(ours)], atol=1e-8)
