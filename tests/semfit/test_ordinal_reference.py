"""Models of ordered items against lavaan's WLSMV (tests/reference/ordinal_fits.R)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = {c["name"]: c for c in json.loads((REFERENCE / "ordinal_fits.json").read_text())}


def load(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"ordinal_{name}.csv")


@cache
def fitted(name: str) -> semfit.Fit:
    case = STORED[name]
    return semfit.fit(case["model"], load(case["set"]), **case["options"])


def stored(part: dict) -> pd.DataFrame:
    table = pd.DataFrame(part)
    numbers = [c for c in table if c not in ("lhs", "op", "rhs")]
    table[numbers] = table[numbers].astype(float)
    return table


@pytest.mark.parametrize("name", STORED)
def test_estimates_and_standard_errors_are_lavaans(name, keyed):
    fit, case = fitted(name), STORED[name]
    assert fit.converged and fit.estimator == "WLSMV"
    theirs, ours = keyed(stored(case["estimates"])), keyed(fit.estimates)
    assert set(theirs.index) == set(ours.index)
    ours = ours.loc[theirs.index]
    np.testing.assert_allclose(ours["est"], theirs["est"], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(ours["se"].fillna(0.0), theirs["se"].fillna(0.0), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", STORED)
def test_standardized_solutions_are_lavaans(name, keyed):
    fit, case = fitted(name), STORED[name]
    theirs, ours = keyed(stored(case["standardized"])), keyed(fit.standardized())
    theirs = theirs[~theirs.index.get_level_values("op").isin(["=="])]
    ours = ours.loc[theirs.index]
    np.testing.assert_allclose(ours["est"], theirs["est.std"], atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(ours["se"].fillna(0.0), theirs["se"].fillna(0.0), atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("name", STORED)
def test_tests_and_measures_are_lavaans(name):
    fit, case = fitted(name), STORED[name]
    theirs = {k.replace(".", "_"): v for k, v in case["measures"].items()}
    ours = fit.measures.drop(["chisq_shift_parameter", "ntotal"])
    assert set(ours.index) <= set(theirs)
    for key, value in ours.items():
        expected = np.nan if theirs[key] is None else float(theirs[key])
        np.testing.assert_allclose(value, expected, atol=1e-3, rtol=1e-3, equal_nan=True, err_msg=key)


@pytest.mark.parametrize("name", [n for n, c in STORED.items() if "mi" in c])
def test_modification_indices_are_lavaans(name, keyed):
    ours = keyed(fitted(name).modification_indices())
    theirs = keyed(stored(STORED[name]["mi"]))
    theirs = theirs[(theirs["mi"] > 0.5) & theirs.index.get_level_values("op").isin(["=~", "~~", "~"])]
    assert len(theirs)
    both = theirs.index.intersection(ours.index)
    assert len(both) >= 0.8 * len(theirs)
    np.testing.assert_allclose(ours.loc[both, "mi"], theirs.loc[both, "mi"], rtol=5e-3, atol=1e-3)
    np.testing.assert_allclose(ours.loc[both, "epc"], theirs.loc[both, "epc"], rtol=5e-3, atol=1e-4)


@pytest.mark.parametrize("name", [n for n, c in STORED.items() if "residual" in c])
def test_residual_correlations_are_lavaans(name):
    fit, case = fitted(name), STORED[name]
    names = fit.solution.model.ov
    table = fit.residuals()
    table = table[table["op"] == "~~"]
    for part, column, accuracy in (("residual", "residual", 1e-4), ("residual_z", "z", 2e-3)):
        if part not in case:  # lavaan gives no z where a variable is continuous
            continue
        theirs = np.array(case[part], dtype=float)
        ours = np.zeros_like(theirs)
        for a, b, value in zip(table["lhs"], table["rhs"], table[column], strict=True):
            i, j = names.index(a), names.index(b)
            ours[i, j] = ours[j, i] = value
        off = ~np.eye(len(names), dtype=bool)
        np.testing.assert_allclose(ours[off], theirs[off], atol=accuracy, rtol=accuracy)
