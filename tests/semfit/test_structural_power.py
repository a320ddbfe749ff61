"""Power for structural models: closed forms, lavaan's noncentralities, and what samples of the population do."""

from __future__ import annotations

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import DataError, ModelSyntaxError
from semfit.populations import Product, population
from semfit.structural_power import (
    indirect_power,
    invariance_power,
    latent_product_power,
    model_power,
    path_power,
    restriction_power,
)

BODY = json.loads((Path(__file__).parents[1] / "reference" / "structural_power.json").read_text(encoding="utf8"))
CAUSAL = "f =~ 0.8*a + 0.7*b + 0.7*c; g =~ 0.8*d + 0.7*e + 0.7*h; g ~ 0.25*f"
CHAIN = "m ~ 0.3*x; y ~ 0.3*m + 0.2*x; x ~~ 1*x"
NORTH = "f =~ 0.8*a + 0.7*b + 0.7*c + 0.6*d"
SOUTH = "f =~ 0.8*a + 0.7*b + 0.7*c + 0.4*d; a ~ 0.3*1"
FACTORS = """sat =~ 0.8*s1 + 0.8*s2 + 0.8*s3; cost =~ 0.8*c1 + 0.8*c2 + 0.8*c3; loy =~ 0.8*l1 + 0.8*l2 + 0.8*l3
sat ~~ 0.3*cost; loy ~ 0.5*sat + 0.2*cost"""
NAMES = {"x": "sat", "moderator": "cost", "y": "loy"}


# -- populations -----------------------------------------------------------------------------------------------------
def test_a_population_has_unit_variances_and_the_correlations_of_its_paths():
    made = population(FACTORS)
    np.testing.assert_allclose(np.diag(made.cov), 1)
    assert made.cov.loc["s1", "l1"] == pytest.approx(0.64 * (0.5 + 0.2 * 0.3))
    assert made.variance("loy") == pytest.approx(1)
    fit = semfit.fit(made.analysis, sample_cov=made.cov, n_obs=500)
    assert fit.measures["chisq"] < 1e-8
    paths = fit.estimates.set_index(["lhs", "op", "rhs"])["std_all"]
    assert paths["loy", "~", "sat"] == pytest.approx(0.5, abs=1e-6)
    assert paths["loy", "~", "cost"] == pytest.approx(0.2, abs=1e-6)


def test_written_variances_are_kept():
    made = population("f =~ 2*a + 0.4*b + 0.3*c; f ~~ 4*f; a ~~ 3*a")
    np.testing.assert_allclose(np.diag(made.cov), [19, 1, 1])
    with pytest.raises(DataError, match="'b' explain 4.00 of a variance of 1"):
        population("f =~ 2*a + 1*b; f ~~ 4*f; a ~~ 3*a")


def test_a_second_population_takes_the_residuals_of_the_first():
    first = population("f =~ 0.8*a + 0.6*b + 0.5*c")
    second = population("f =~ 0.8*a + 0.6*b + 0.5*c; f ~~ 2*f", like=first)
    assert second.cov.loc["a", "a"] == pytest.approx(0.36 + 2 * 0.64)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("f =~ 0.8*a + b", ModelSyntaxError, "a population needs a number here, as in f =~ 0.5.b"),
        ("y ~ 0.9*x + 0.8*z; x ~~ 0.5*z", DataError, "'y' explain 2.17 of a variance of 1"),
        ("a ~~ 0.9*b; a ~~ -0.9*c; b ~~ 0.9*c", DataError, "not positive definite"),
    ],
)
def test_impossible_populations_are_named(text, error, words):
    with pytest.raises(error, match=words):
        population(text)


def test_rows_have_the_moments_of_the_population_and_the_product_its_share():
    made, rng = population(FACTORS), np.random.default_rng(1)
    plain, with_product = made.draw(200_000, rng), made.draw(200_000, rng, Product(**NAMES, beta=-0.2))
    np.testing.assert_allclose(plain.cov(), made.cov, atol=0.015)
    np.testing.assert_allclose(with_product.cov(), made.cov, atol=0.02)
    score = {k: with_product[[f"{k[0]}{i}" for i in (1, 2, 3)]].mean(axis=1) for k in ("sat", "cost", "loy")}
    product = score["sat"] * score["cost"] / 0.64  # covariance with loy: beta (1 + r^2), all in latent units
    assert np.cov(product, score["loy"] / 0.8)[0, 1] == pytest.approx(-0.2 * (1 + 0.3**2), abs=0.02)


# -- formulas --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", BODY)
def test_noncentrality_and_power_are_those_of_lavaan(name):
    case = BODY[name]
    if name == "path":
        found = path_power(CAUSAL, "g ~ f")
    elif name == "tau":
        found = restriction_power(CAUSAL, "f =~ a + 1*b + 1*c; g =~ d + e + h; g ~ f")
    else:
        found = invariance_power({"north": NORTH, "south": SOUTH + "; d ~~ 0.64*d"}, name)
    assert found.df == case["df"]
    assert found.noncentrality[0] == pytest.approx(case["noncentrality"], rel=2e-5, abs=1e-9)
    np.testing.assert_allclose(found.power(np.array(case["n"])), case["power"], atol=1e-4)


@pytest.mark.parametrize("r", [0.1, 0.3, -0.6])
def test_one_path_between_observed_variables_has_a_closed_form(r):
    found = path_power(f"y ~ {r}*x; x ~~ 1*x", "y ~ x")
    assert found.noncentrality[0] == pytest.approx(-np.log(1 - r**2), rel=1e-6)


def test_n_is_the_first_that_reaches_the_power():
    found = path_power(CAUSAL, "g ~ f")
    n = found.n(0.9)
    assert found.power(n) >= 0.9 > found.power(n - 1)
    both = indirect_power(CHAIN, ("m ~ x", "y ~ m"))
    assert both.power(both.n()) >= 0.8 > both.power(both.n() - 1)
    assert "g ~ f" in repr(found) and "at n = 200" in repr(found)


def test_uneven_groups_cost_power():
    groups = {"north": NORTH, "south": SOUTH}
    even, uneven = invariance_power(groups), invariance_power(groups, shares={"north": 9, "south": 1})
    assert uneven.n() > 1.5 * even.n()


# -- formulas against samples ----------------------------------------------------------------------------------------
def test_samples_reject_as_often_as_the_formula_says():
    found = model_power(200, CAUSAL, n_rep=1500, seed=1, progress=False)
    row = found.table.query("op == '~'").iloc[0]
    assert row["power"] == pytest.approx(path_power(CAUSAL, "g ~ f").power(200), abs=0.03)
    assert row["true"] == pytest.approx(0.25, abs=1e-6) and abs(row["bias"]) < 0.01
    assert 0.93 < row["coverage"] < 0.97 and row["mean_se"] == pytest.approx(row["sd"], rel=0.06)
    assert 0.03 < found.rejected < 0.08 and found.n_converged == 1500


def test_both_paths_are_found_as_often_as_the_formula_says():
    made, rng = population(CHAIN), np.random.default_rng(4)
    n, count = 105, 0
    for _ in range(600):
        d = made.draw(n, rng).to_numpy()
        d = pd.DataFrame(d - d.mean(axis=0), columns=list(made.cov))
        z = []
        for y, x in (("m", ["x"]), ("y", ["m", "x"])):
            X = d[x].to_numpy()
            inverse = np.linalg.inv(X.T @ X)
            b = inverse @ X.T @ d[y]
            z.append(b[0] / np.sqrt(((d[y] - X @ b) ** 2).mean() * inverse[0, 0]))
        count += min(np.abs(z)) > 1.959964
    assert count / 600 == pytest.approx(indirect_power(CHAIN, ("m ~ x", "y ~ m")).power(n), abs=0.05)


def test_an_effect_that_is_not_there_is_found_as_often_as_alpha_says():
    null = "f =~ 0.8*a + 0.7*b + 0.7*c; g =~ 0.8*d + 0.7*e + 0.7*h; g ~ 0*f"
    found = path_power(null, "g ~ f")
    assert found.power(300) == pytest.approx(0.05, abs=1e-6)
    with pytest.raises(DataError, match="g ~ f: the population holds no such effect"):
        found.n()
    row = model_power(200, null, n_rep=1000, progress=False).table.query("op == '~'").iloc[0]
    assert 0.03 <= row["power"] <= 0.07


def test_defined_parameters_have_power_too():
    found = model_power(150, CHAIN, "m ~ a*x; y ~ b*m + x; ind := a*b", n_rep=300, progress=False).table
    row = found.set_index("lhs").loc["ind"]
    assert row["true"] == pytest.approx(0.09, abs=1e-6)
    assert row["power"] < indirect_power(CHAIN, ("m ~ x", "y ~ m")).power(150)  # the delta method is too careful


@pytest.mark.parametrize("jobs", [2, None])
def test_jobs_do_not_change_the_numbers(jobs):
    one = model_power(120, CHAIN, n_rep=120, n_jobs=1, progress=False).table
    with joblib.parallel_config(n_jobs=2, backend="threading"):
        two = model_power(120, CHAIN, n_rep=120, n_jobs=jobs, progress=False).table
    pd.testing.assert_frame_equal(one, two)


def test_latent_products_are_found_and_not_invented():
    options = {**NAMES, "n_rep": 60, "progress": False}
    strong = latent_product_power(400, FACTORS, -0.3, **options)
    assert strong.power > 0.9 and strong.mean_estimate == pytest.approx(-0.3, abs=0.04) and strong.wrong_sign == 0
    none = latent_product_power(400, FACTORS, 0.0, **options)
    assert none.power < 0.15 and np.isnan(none.wrong_sign) and none.n_converged > 50


# -- bad input -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: path_power(CAUSAL, "f ~ g"), "f ~ g is not in the model"),
        (lambda: path_power(CAUSAL, "g ~ f + a"), "one term, such as"),
        (lambda: path_power(CAUSAL, "g ~ f", alpha=5), "alpha must lie between 0 and 1"),
        (lambda: path_power(CAUSAL, "g ~ f").n(80), "power must lie between 0 and 1"),
        (lambda: restriction_power(CAUSAL, population(CAUSAL).analysis), "it restricts nothing"),
        (lambda: invariance_power({"a": NORTH}), "at least two"),
        (lambda: invariance_power({"a": NORTH, "b": SOUTH}, "metrik"), "Did you mean 'metric'"),
        (lambda: invariance_power({"a": NORTH, "b": SOUTH}, shares={"a": 1}), "shares must have the names"),
        (lambda: invariance_power({"a": NORTH, "b": CAUSAL}), "same variables"),
        (lambda: model_power(5, CAUSAL), "n must be a whole number of at least 10"),
        (lambda: model_power(100, CAUSAL, n_rep=5), "n_rep must be a whole number of at least 20"),
        (lambda: latent_product_power(300, FACTORS, 0.9, **NAMES), "explains more of 'loy' than is left"),
        (lambda: latent_product_power(300, FACTORS, 0.1, x="loy", moderator="cost", y="sat"), "has an effect on 'loy'"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(DataError, match=words):
        call()
