"""Scales of ordered items: categorical omega and exploratory factors, against lavaan, a written-out formula and counts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from semfit import polychoric
from semfit.ordinal.scale import one_factor, scale_reliability, sum_score_covariances

HERE = Path(__file__).parents[1] / "reference"
BODY = json.loads((HERE / "ordered_scales.json").read_text(encoding="utf8"))


def answers(name: str) -> pd.DataFrame:
    data = pd.read_csv(HERE / "data" / f"ordinal_second_{name}.csv")
    return data.assign(six=data["c1"] + (data["c2"] > 1) + (data["c3"] > 2)) if name == "skewed" else data


def of(case: dict) -> pd.DataFrame:
    mixed = {"a1", "b1"} & set(case["items"]) and "six" not in case["items"] and "c1" not in case["items"]
    return answers("mixed" if mixed else "skewed")[case["items"]]


@pytest.mark.parametrize("name", BODY["scales"])
def test_reliability_of_ordered_items(name):
    case = BODY["scales"][name]
    row = sc.reliability(of(case), {"f": case["items"]}, ordered=True).loc["f"]
    for column in ("omega", "cr", "ave", "mean_r", "alpha_ordinal"):
        assert row[column] == pytest.approx(case[column], abs=1e-7), column
    found = scale_reliability(polychoric(of(case)))
    np.testing.assert_allclose(found.loadings, case["loadings"], atol=1e-6)
    plain = sc.reliability(of(case), {"f": case["items"]}).loc["f"]
    assert row["alpha"] == plain["alpha"] and row["alpha_std"] == plain["alpha_std"]
    assert "alpha_ordinal" not in plain


def test_categorical_omega_is_the_correlation_of_two_sums_that_share_the_factor_only():
    """A million people answer twice: the same factor, new errors. Their two sums correlate by omega."""
    rng = np.random.default_rng(5)
    load = np.array([0.8, 0.7, 0.5])
    cuts = [np.array([0.3, 1.0, 1.8]), np.array([-0.5]), np.array([-1.0, 0.0, 0.4, 1.2])]
    steps = [np.ones(3), np.ones(1), np.array([1.0, 2.0, 1.0, 1.0])]  # the third item has no answer 3
    f = rng.normal(size=(1_000_000, 1))
    sums = [
        sum(s[np.newaxis] @ (y[:, j] > c[:, None]) for j, (c, s) in enumerate(zip(cuts, steps, strict=True))).ravel()
        for y in (f * load + rng.normal(size=f.shape[:1] + (3,)) * np.sqrt(1 - load**2) for _ in range(2))
    ]
    implied = np.outer(load, load)
    common = sum_score_covariances(cuts, steps, implied).sum()
    np.fill_diagonal(implied, 1.0)
    whole = sum_score_covariances(cuts, steps, implied).sum()
    assert sums[0].var() == pytest.approx(whole, rel=0.005)
    assert np.corrcoef(sums)[0, 1] == pytest.approx(common / whole, abs=0.002)


def test_two_items_get_equal_loadings():
    data = answers("skewed")[["c1", "c2"]]
    row = sc.reliability(data, {"f": ["c1", "c2"]}, ordered=True).loc["f"]
    r = polychoric(data).correlations.iloc[0, 1]
    assert row["ave"] == pytest.approx(r) and row["cr"] == pytest.approx(2 * r / (1 + r))
    assert row["alpha_ordinal"] == pytest.approx(row["cr"]) and row["omega"] < row["cr"]
    assert row["note"] == "two items: equal loadings assumed"


def test_heywood_case_is_named_and_has_no_coefficients():
    rng = np.random.default_rng(1)
    f = rng.normal(size=(3000, 1))
    y = f * [1.0, 0.5, 0.5] + rng.normal(size=(3000, 3)) * [0.05, 0.85, 0.85]
    data = pd.DataFrame(np.digitize(y, [-0.5, 0.5]), columns=list("abc"))
    data["b"] = np.where(rng.random(3000) < 0.1, data["a"], data["b"])
    with pytest.warns(UserWarning, match="Heywood case: error variance of a"):
        row = sc.reliability(data, {"f": list("abc")}, ordered=True).loc["f"]
    assert row["heywood"] == ("a",) and np.isnan(row[["omega", "cr", "ave"]].astype(float)).all()


def test_loadings_do_not_depend_on_the_start_and_say_when_there_are_none():
    r = np.array([[1, 0.56, 0.48], [0.56, 1, 0.42], [0.48, 0.42, 1]])
    load, reached = one_factor(r, np.full((3, 3), 0.01))
    assert reached
    np.testing.assert_allclose(load, [0.8, 0.7, 0.6], atol=1e-8)
    assert not one_factor(np.array([[1, -0.2], [-0.2, 1]]), np.ones((2, 2)))[1]


def test_bootstrap_of_categorical_omega():
    data, items = answers("skewed"), ["c1", "c2", "c3", "c4"]
    row = sc.reliability(data, {"f": items}, n_boot=40, seed=1, ordered=True).loc["f"]
    assert row["omega_ci_lower"] < row["omega"] < row["omega_ci_upper"] < row["omega_ci_lower"] + 0.2


def test_ordered_by_scale():
    data = answers("mixed")
    scales = {"a": ["a1", "a2"], "b": ["b3", "b4"]}
    table = sc.reliability(data, scales, ordered=["a1", "a2"])
    assert table["alpha_ordinal"].isna().tolist() == [False, True]
    assert table.loc["b", "omega"] == sc.reliability(data, scales).loc["b", "omega"]
    with pytest.raises(ValueError, match="names b3 of scale 'b', and not its other items"):
        sc.reliability(data, scales, ordered="b3")
    cov = data[["a1", "a2", "a3"]].cov()
    with pytest.raises(ValueError, match="needs the answers as numbers"):
        sc.reliability(cov, {"a": ["a1", "a2", "a3"]}, n_obs=680, ordered=True)


# -- exploratory factors ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", BODY["factors"])
def test_factors_of_polychoric_correlations(name):
    case = BODY["factors"][name]
    found = sc.efa(of(case), case["k"], ordered=True)
    assert found.method == "minres" and found.n_obs == case["n"]
    np.testing.assert_allclose(found.communalities, case["lavaan_r2"], atol=1e-5)  # how far lavaan's search goes
    np.testing.assert_allclose(found.communalities, case["communalities"], atol=1e-4)  # and psych's
    want = case["measures"]
    for ours, theirs in (
        ("chisq", "chisq.scaled"), ("df", "df.scaled"), ("pvalue", "pvalue.scaled"), ("cfi", "cfi.scaled"),
        ("tli", "tli.scaled"), ("rmsea", "rmsea.scaled"), ("rmsea_ci_lower", "rmsea.ci.lower.scaled"),
        ("rmsea_ci_upper", "rmsea.ci.upper.scaled"),
    ):  # fmt: skip
        assert found.measures[ours] == pytest.approx(want[theirs], rel=1e-5, abs=2e-6), ours
    assert np.isnan(found.measures["bic"])
    assert "minres of polychoric correlations" in repr(found)


def test_maximum_likelihood_on_polychorics_has_no_test():
    data = of(BODY["factors"]["two"])
    found = sc.efa(data, 2, "ml", ordered=True)
    assert np.isnan(found.measures[["chisq", "pvalue", "rmsea", "tli"]]).all() and found.measures["df"] == 13
    given = sc.efa(polychoric(data).correlations, 2, n_obs=350)
    np.testing.assert_allclose(found.loadings, given.loadings, atol=1e-8)
    assert sc.efa(data, 2).method == "ml" and np.isfinite(sc.efa(data, 2).measures["chisq"])


def test_what_ordered_factors_cannot_give_is_said():
    data = of(BODY["factors"]["two"])
    found = sc.efa(data, 2, ordered=True)
    for call in (lambda: found.scores(data), lambda: found.bootstrap(20)):
        with pytest.raises(ValueError, match="needs the answers as numbers, neither a matrix nor ordered="):
            call()
    with pytest.raises(ValueError, match="a matrix of polychoric correlations is taken as it is"):
        sc.efa(polychoric(data).correlations, 2, n_obs=350, ordered=True)


def test_rejection_of_a_true_model_is_near_five_percent():
    rng = np.random.default_rng(7)
    load = np.array([[0.7, 0], [0.6, 0], [0.8, 0], [0, 0.7], [0, 0.6], [0, 0.8]])
    phi = np.linalg.cholesky([[1, 0.4], [0.4, 1]])
    rejected = 0
    for _ in range(150):
        y = rng.normal(size=(500, 2)) @ phi.T @ load.T + rng.normal(size=(500, 6)) * np.sqrt(1 - (load**2).sum(1))
        data = pd.DataFrame(np.digitize(y, [0.2, 0.8, 1.5]), columns=list("abcdef"))
        rejected += sc.efa(data, 2, ordered=True, rotation="none").measures["pvalue"] < 0.05
    assert 1 <= rejected <= 17  # 8 here; the chi-square that ml and psych::fa print for them rejects 76
