"""Validity checks against semTools and lavaan, by their definitions, and with bad input."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from switchcost.measurement.method_bias import marker_correction, method_factor, single_factor_test
from switchcost.measurement.validity import fornell_larcker, htmt, phi_test

HERE = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((HERE / "validity.json").read_text())
TWO = {"satisfaction": ["CUSA1", "CUSA2", "CUSA3"], "loyalty": ["CUSL1", "CUSL2", "CUSL3"]}


def answers(name: str) -> pd.DataFrame:
    return sc.load("mobi") if name == "mobi" else pd.read_csv(HERE / "data" / f"sem_{name}.csv")


def two_factors(rng, n, phi, load=0.8, items=4):
    f = rng.multivariate_normal([0, 0], [[1, phi], [phi, 1]], size=n)
    x = f.repeat(items, axis=1) * load + rng.normal(size=(n, 2 * items)) * np.sqrt(1 - load**2)
    return pd.DataFrame(x, columns=[f"{s}{i}" for s in "ab" for i in range(items)])


AB = {s: [f"{s}{i}" for i in range(4)] for s in "ab"}
AB_MODEL = "\n".join(f"{s} =~ {' + '.join(i)}" for s, i in AB.items())


@pytest.mark.parametrize("name", list(REFERENCE))
def test_equals_semtools(name):
    want, x = REFERENCE[name], answers(name)
    for kind in ("htmt", "htmt2"):
        np.testing.assert_allclose(htmt(x, want["scales"], kind).table, want[kind], atol=1e-9)
    fl = fornell_larcker(sc.fit(want["model"], x))
    np.testing.assert_allclose(fl.ave, want["ave"], atol=1e-6)
    np.testing.assert_allclose(fl.cr, want["cr"], atol=1e-6)
    phi = np.array(want["phi"])
    np.testing.assert_allclose(np.tril(fl.table.fillna(0), -1), np.tril(phi, -1), atol=1e-5)
    for key, value in (("phi_1", 1.0), ("phi_90", 0.9)):
        got = phi_test(want["model"], x, value=value)
        k = len(got)
        # where the estimate is above the limit semTools tests nothing
        below = (got["correlation"].abs() < value).to_numpy()
        np.testing.assert_allclose(got["delta_chisq"][below], np.array(want[key]["chisq_diff"])[-k:][below], atol=1e-5)
        np.testing.assert_allclose(got["pvalue"][below], np.array(want[key]["p"])[-k:][below], atol=1e-6)


@pytest.mark.parametrize("name", ["mobi", "costs"])
def test_common_method_models_equal_lavaan(name):
    want, x = REFERENCE[name], answers(name)
    one = single_factor_test(x, want["scales"]).table
    assert one["chisq"].tolist() == pytest.approx([want["one_chisq"], want["own_chisq"]], abs=1e-5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mobi has no proper solution, in lavaan as here
        with_method = method_factor(x, want["scales"]).table.loc["with method factor"]
    assert with_method["chisq"] == pytest.approx(want["method_chisq"], abs=1e-4)
    assert with_method["df"] == want["method_df"]


def test_htmt_is_one_for_one_construct_and_its_interval_knows():
    rng = np.random.default_rng(6)
    same = htmt(two_factors(rng, 400, 1.0), AB, n_boot=400).pairs.iloc[0]
    assert same["ci_lower"] < 1 < same["ci_upper"] + 0.02
    assert same["p_1"] > 0.05
    apart = [htmt(two_factors(rng, 300, 0.5), AB, n_boot=200).pairs.iloc[0] for _ in range(40)]
    assert 34 <= sum(p["ci_lower"] <= 0.5 <= p["ci_upper"] for p in apart)
    assert all(p["p_85"] < 0.05 and p["ci_upper_one_sided"] < p["ci_upper"] for p in apart)


def test_htmt2_is_right_and_htmt_biased_with_unequal_loadings():
    load = np.array([0.95, 0.8, 0.5, 0.3])
    names = [f"{s}{i}" for s in "ab" for i in range(4)]
    full = np.concatenate([load, load])
    r = np.outer(full, full) * np.kron([[1, 0.7], [0.7, 1]], np.ones((4, 4)))
    np.fill_diagonal(r, 1)
    r = pd.DataFrame(r, index=names, columns=names)
    assert htmt(r, AB, "htmt2", n_obs=500).table.loc["a", "b"] == pytest.approx(0.7, abs=1e-12)
    two, one = (htmt(r, AB, kind, n_obs=500).table.loc["a", "b"] for kind in ("htmt2", "htmt"))
    assert abs(two - 0.7) < abs(one - 0.7)


def test_htmt_says_when_absolute_values_hide_an_item():
    x = answers("mobi").assign(CUSA2=lambda d: 11 - d["CUSA2"])
    with pytest.warns(UserWarning, match="CUSA1 and CUSA2"):
        turned = htmt(x, TWO)
    np.testing.assert_allclose(turned.table, htmt(answers("mobi"), TWO).table, atol=1e-12)


def test_htmt_repeats_and_counts_gaps():
    x = answers("mobi").astype(float)
    x.iloc[:9, x.columns.get_loc("CUSA1")] = np.nan
    a, b = (htmt(x, TWO, n_boot=100, seed=4) for _ in range(2))
    pd.testing.assert_frame_equal(a.pairs, b.pairs)
    assert (a.n_obs, a.n_dropped) == (241, 9)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(a)).pairs, a.pairs)


def test_fornell_larcker_from_a_table_and_with_residual_covariances():
    names = ["p", "f"]
    phi = pd.DataFrame([[1, 0.9], [0.9, 1]], index=names, columns=names)
    fl = fornell_larcker(loadings={"p": [0.905, 0.869], "f": [0.905, 0.884]}, phi=phi)
    assert fl.ave["p"] == pytest.approx((0.905**2 + 0.869**2) / 2)
    assert fl.msv["p"] == pytest.approx(0.81)
    assert not fl.verdicts.loc["p", "discriminant"]
    assert fl.table.loc["p", "p"] == pytest.approx(np.sqrt(fl.ave["p"]))
    assert np.isnan(fl.table.loc["p", "f"])
    x = answers("mobi")
    model = "sat =~ CUSA1 + CUSA2 + CUSA3\nloy =~ CUSL1 + CUSL2 + CUSL3\nCUSA1 ~~ CUSA2"
    fit = sc.fit(model, x)
    e = fit.estimates.set_index(["lhs", "op", "rhs"])["std_all"]
    v = np.array([e["sat", "=~", f"CUSA{i}"] for i in (1, 2, 3)])
    theta = (1 - v**2).sum() + 2 * e["CUSA1", "~~", "CUSA2"] * np.sqrt((1 - v[0] ** 2) * (1 - v[1] ** 2))
    assert fornell_larcker(fit).cr["sat"] == pytest.approx(v.sum() ** 2 / (v.sum() ** 2 + theta), abs=1e-10)


def test_phi_test_keeps_its_level_and_finds_differences():
    rng = np.random.default_rng(9)
    p = [phi_test(AB_MODEL, two_factors(rng, 300, 0.9), value=0.9)["pvalue_one_sided"].iloc[0] for _ in range(40)]
    assert np.mean(np.array(p) < 0.05) < 0.2
    assert 0.2 < np.mean(p) < 0.8
    x = two_factors(rng, 300, -0.6)
    got = phi_test(AB_MODEL + "\na ~~ b  # said explicitly", x, value=0.85).iloc[0]
    assert got["value"] == -0.85
    assert got["distinct"]


def test_method_factor_finds_a_shared_shift_and_not_where_there_is_none():
    rng = np.random.default_rng(12)
    f = rng.multivariate_normal(np.zeros(3), np.full((3, 3), 0.2) + 0.8 * np.eye(3), size=1500)
    load = np.tile([0.9, 0.75, 0.6, 0.5], 3)
    noise = rng.normal(size=(1500, 12)) * np.sqrt(1 - load**2)
    clean = pd.DataFrame(f.repeat(4, axis=1) * load + noise, columns=[f"{s}{i}" for s in "abc" for i in range(4)])
    scales = {s: [f"{s}{i}" for i in range(4)] for s in "abc"}
    shifted = clean + 0.5 * rng.normal(size=(1500, 1))
    found = method_factor(shifted, scales)
    row = found.table.loc["with method factor"]
    assert row["pvalue"] < 0.01
    assert row["method_share"] == pytest.approx(0.2, abs=0.08)  # .25 of 1.25
    assert row["mean_correlation"] < found.table.loc["the scales", "mean_correlation"]
    assert method_factor(clean, scales).table.loc["with method factor", "method_share"] < 0.05
    assert "method" in found.cannot_show


def test_improper_method_solution_is_said():
    want = REFERENCE["hs"]
    with pytest.warns(UserWarning, match="no proper solution"):
        got = method_factor(answers("hs"), want["scales"]).table
    assert np.isnan(got.loc["with method factor", "method_share"])


def test_marker_correction_by_hand():
    x = answers("mobi")
    scales = {**TWO, "complaints": ["CUSCO"], "value": ["PERV1", "PERV2"]}
    got = marker_correction(x, scales, "complaints").table.iloc[0]
    score = pd.DataFrame({s: x[i].mean(axis=1) for s, i in scales.items()}).corr()
    m = score.loc["complaints"].drop("complaints").abs().min()
    assert got["r_adjusted"] == pytest.approx((score.loc["satisfaction", "loyalty"] - m) / (1 - m))
    assert got["r_adjusted"] < got["r"]
    from scipy.stats import pearsonr

    assert marker_correction(x, TWO, 0.0).table["pvalue"].iloc[0] == pytest.approx(
        pearsonr(x[TWO["satisfaction"]].mean(axis=1), x[TWO["loyalty"]].mean(axis=1)).pvalue, rel=1e-6
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: htmt(x, {"a": ["CUSA1", "CUSA2"]}), "at least two"),
        (lambda x: htmt(x, {"a": ["CUSA1", "CUSA2"], "b": ["CUSCO"]}), "needs at least 2"),
        (lambda x: htmt(x, {"a": ["CUSA1", "CUSA2"], "b": ["CUSA2", "CUSA3"]}), "more than one scale: CUSA2"),
        (lambda x: htmt(x, TWO, kind="HTMT"), "'htmt', 'htmt2'"),
        (lambda x: htmt(x, {"a": ["CUSA1", "CUSA7"], "b": ["CUSL1", "CUSL2"]}), "Did you mean"),
        (lambda x: htmt(x.corr(), TWO, n_obs=250, n_boot=200), "needs the answers"),
        (lambda x: htmt(x.corr(), TWO), "n_obs="),
        (lambda x: fornell_larcker(), "either a fit, or"),
        (lambda x: fornell_larcker(x), "result of sc.fit"),
        (lambda x: fornell_larcker(loadings={"a": [0.7, 0.8]}), "phi="),
        (
            lambda x: fornell_larcker(loadings={"a": [1.7, 0.8]}, phi=pd.DataFrame([[1.0]], ["a"], ["a"])),
            "above 1",
        ),
        (
            lambda x: fornell_larcker(sc.fit("a =~ CUSA1 + CUSA2 + CUSA3\nb =~ CUSL1 + CUSL2 + CUSL3 + CUSA1", x)),
            "more than one factor",
        ),
        (lambda x: phi_test("a =~ CUSA1 + CUSA2 + CUSA3", x), "fewer than two"),
        (
            lambda x: phi_test("a =~ CUSA1 + CUSA2 + CUSA3\nb =~ CUSL1 + CUSL2 + CUSL3", x, [("a", "c")]),
            "not a factor",
        ),
        (
            lambda x: phi_test("a =~ CUSA1 + CUSA2 + CUSA3\nb =~ CUSL1 + CUSL2 + CUSL3", x, value=1.2),
            "value must be a number between 0 and 1",
        ),
        (
            lambda x: phi_test("a =~ CUSA1 + CUSA2 + CUSA3\nb =~ CUSL1 + CUSL2 + CUSL3\nb ~ a", x),
            "measurement model",
        ),
        (lambda x: marker_correction(x, TWO, "valu"), "not among the scales"),
        (lambda x: single_factor_test(x, {"a": ["CUSA1", "CUSA2"]}), "at least two scales"),
        (lambda x: method_factor(x, {"a": ["CUSA1", "CUSA2"]}), "at least two scales"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(sc.load("mobi"))
