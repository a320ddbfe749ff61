"""Reliability against psych and semTools, by hand, and with bad input."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from switchcost.measurement.extraction import extract, extract_many
from switchcost.measurement.reliability import (
    average_variance_extracted,
    composite_reliability,
    item_analysis,
    reliability,
)

HERE = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((HERE / "reliability.json").read_text())
CASES = [(s, scale) for s, scales in REFERENCE.items() for scale in scales]


def reference_data(name: str) -> pd.DataFrame:
    if name in ("corp_rep", "mobi"):
        return sc.load(name)
    x = pd.read_csv(HERE / "data" / ("sem_costs.csv" if name == "costs" else "sem_hs.csv"))
    if name == "hs_scaled":
        x["x1"], x["x5"], x["x9"] = x["x1"] * 1000, x["x5"] / 1000, x["x9"] * 1000 + 1e6
    return x


@pytest.mark.parametrize(("name", "scale"), CASES)
def test_equals_psych_and_semtools(name, scale):
    want = REFERENCE[name][scale]
    data = reference_data(name)
    got = reliability(data, {scale: want["items"]}).loc[scale]
    for column in ("n", "alpha", "alpha_std", "mean_r", "omega", "cr", "ave"):
        if column in want:
            assert got[column] == pytest.approx(want[column], abs=1e-6), column
    assert [got["alpha_ci_lower"], got["alpha_ci_upper"]] == pytest.approx(want["ci"], abs=1e-8)
    items = item_analysis(data, want["items"])
    for column in ("item_total", "r2", "skew", "kurtosis"):
        np.testing.assert_allclose(items[column], want[column], atol=1e-8, err_msg=column)
    if len(want["items"]) > 2:
        np.testing.assert_allclose(items["alpha_if_deleted"], want["alpha_if_deleted"], atol=1e-8)
        np.testing.assert_allclose(items["loading"], want["loadings"], atol=1e-6)


def test_units_do_not_change_the_standardised_coefficients():
    names = ["x1", "x2", "x3"]
    plain, scaled = (reliability(reference_data(d), {"v": names}).loc["v"] for d in ("hs", "hs_scaled"))
    for column in ("alpha_std", "cr", "ave", "mean_r"):
        assert plain[column] == pytest.approx(scaled[column], abs=1e-9)
    assert abs(plain["omega"] - scaled["omega"]) > 0.01  # the sum of raw items is another variable now


def test_two_items_say_what_was_assumed():
    x = sc.load("mobi")
    got = reliability(x, {"value": ["PERV1", "PERV2"]}, n_boot=200).loc["value"]
    r = x["PERV1"].corr(x["PERV2"])
    assert got["cr"] == pytest.approx(2 * r / (1 + r))
    assert got["ave"] == pytest.approx(r)
    assert got["omega"] == pytest.approx(got["alpha"])
    assert "equal loadings" in got["note"]
    assert got["cr_ci_lower"] < got["cr"] < got["cr_ci_upper"]


def test_two_unrelated_items_have_no_omega():
    x = pd.DataFrame({"a": [1, 2, 3, 4, 5, 6.0], "b": [6, 5, 4, 3, 2, 1.5]})
    with pytest.warns(UserWarning):
        got = reliability(x, {"s": ["a", "b"]}).loc["s"]
    assert np.isnan(got["omega"])
    assert "not positive" in got["note"]


def test_reverse_worded_item_is_named_and_not_turned():
    x = sc.load("mobi")[["CUSA1", "CUSA2", "CUSA3"]].copy()
    before = reliability(x, {"sat": list(x)}).loc["sat", "alpha"]
    x["CUSA2"] = 11 - x["CUSA2"]
    with pytest.warns(UserWarning, match="CUSA2"):
        got = reliability(x, {"sat": list(x)}).loc["sat"]
    assert got["alpha"] < 0.3 < before
    with pytest.warns(UserWarning, match="CUSA2"):
        assert item_analysis(x, list(x)).loc["CUSA2", "item_total"] < 0


def test_a_scale_turned_round_as_a_whole_has_nothing_reversed():
    x = 11 - sc.load("mobi")[["CUSA1", "CUSA2", "CUSA3"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reliability(x, {"sat": list(x)})


def test_heywood_case_is_said():
    r = pd.DataFrame([[1, 0.9, 0.9], [0.9, 1, 0.7], [0.9, 0.7, 1]], index=list("abc"), columns=list("abc"))
    with pytest.warns(UserWarning, match="Heywood case: error variance of a"):
        reliability(r, {"s": list("abc")}, n_obs=100)


def test_matrix_and_answers_agree():
    x = sc.load("mobi")[["IMAG1", "IMAG2", "IMAG3", "IMAG4", "IMAG5"]]
    a = reliability(x, {"image": list(x)})
    b = reliability(x.cov(), {"image": list(x)}, n_obs=len(x))
    pd.testing.assert_frame_equal(a, b, rtol=1e-10)


def test_bootstrap_repeats_with_its_seed_and_covers():
    rng = np.random.default_rng(5)
    load = np.array([0.8, 0.7, 0.6, 0.5])
    truth = load.sum() ** 2 / (load.sum() ** 2 + (1 - load**2).sum())
    hits = 0
    for _ in range(60):
        x = rng.normal(size=(200, 1)) * load + rng.normal(size=(200, 4)) * np.sqrt(1 - load**2)
        got = reliability(pd.DataFrame(x, columns=list("abcd")), {"s": list("abcd")}, n_boot=200).iloc[0]
        hits += got["omega_ci_lower"] <= truth <= got["omega_ci_upper"]
    assert 51 <= hits <= 60
    x = pd.DataFrame(x, columns=list("abcd"))
    once, twice, other = (reliability(x, {"s": list(x)}, n_boot=150, seed=s).iloc[0] for s in (3, 3, 4))
    assert once["omega_ci_lower"] == twice["omega_ci_lower"] != other["omega_ci_lower"]


def test_batch_equals_one_by_one_even_at_the_bound():
    rng = np.random.default_rng(8)
    r = np.array(
        [np.corrcoef(rng.normal(size=(40, 1)) * 0.6 + rng.normal(size=(40, 4)), rowvar=False) for _ in range(80)]
    )
    load, psi, reached = extract_many(r)
    assert reached.all()
    assert (psi < 0.0051).any()  # some are Heywood cases, and still the optimum inside the bounds
    from scipy.optimize import minimize

    def discrepancy(free, one):
        implied = np.outer(free[:4], free[:4]) + np.diag(free[4:])
        ratio = np.linalg.solve(implied, one)
        return np.trace(ratio) - np.linalg.slogdet(ratio)[1] - 4

    for i in range(0, 80, 16):
        here = discrepancy(np.concatenate([load[i, :, 0], psi[i]]), r[i])
        start = np.concatenate([load[i, :, 0] * 0.9, np.clip(psi[i] + 0.05, 0.1, 0.9)])
        bounds = [(-1.5, 1.5)] * 4 + [(0.005, 1)] * 4
        other = minimize(discrepancy, start, (r[i],), bounds=bounds, tol=1e-14).fun
        assert here <= other + 1e-7
        np.testing.assert_allclose(extract(r[i], 1)[0], load[i], atol=1e-12)


def test_gaps_are_counted_not_hidden():
    x = sc.load("mobi")[["CUSA1", "CUSA2", "CUSA3"]].astype(float)
    x.iloc[:7, 1] = np.nan
    got = reliability(x, {"sat": list(x)}).loc["sat"]
    assert (got["n"], got["n_dropped"]) == (243, 7)
    assert item_analysis(x, list(x))["n_missing"].tolist() == [0, 7, 0]


def test_published_table_of_ha_et_al():
    assert composite_reliability([0.905, 0.869]) == pytest.approx(0.881, abs=5e-4)
    assert average_variance_extracted([0.854, 0.945]) == pytest.approx(0.811, abs=5e-4)
    assert composite_reliability([2.0, 1.5], [1.0, 0.5], factor_variance=2.0) == pytest.approx(24.5 / 26.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: reliability(x, {"s": ["CUSA1", "CUSA9"]}), "Did you mean 'CUSA"),
        (lambda x: reliability(x, {"s": ["CUSA1"]}), "needs at least 2"),
        (lambda x: reliability(x, {"s": "CUSA1"}), "write"),
        (lambda x: reliability(x, {"s": ["CUSA1", "CUSA1"]}), "twice"),
        (lambda x: reliability(x.assign(CUSA2=3), {"s": ["CUSA1", "CUSA2"]}), "constant"),
        (
            lambda x: reliability(x.assign(CUSA2=x["CUSA1"]), {"s": ["CUSA1", "CUSA2"]}),
            "not positive definite",
        ),
        (lambda x: reliability(x.head(3), {"s": ["CUSA1", "CUSA2", "CUSA3"]}), "too few"),
        (lambda x: reliability(x, {"s": ["CUSA1", "CUSA2"]}, n_boot=5), "at least 20"),
        (lambda x: reliability(x, {"s": ["CUSA1", "CUSA2"]}, n_obs=250), "covariance matrix"),
        (lambda x: reliability(x.cov(), {"s": ["CUSA1", "CUSA2"]}), "n_obs="),
        (lambda x: item_analysis(x, ["CUSA1"]), "at least two"),
        (lambda x: composite_reliability([0.7, 0.8], [0.4, -0.1]), "Heywood"),
        (lambda x: composite_reliability([1.7, 0.8]), "above 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(sc.load("mobi"))
