"""Ordered items that cannot be fitted, and what fits say about the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import CategoryTrouble, DataError, NotIdentifiedError, SemError, TwoCategories

DATA = Path(__file__).parents[1] / "reference" / "data"
MODEL = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"


def four() -> pd.DataFrame:
    return pd.read_csv(DATA / "ordinal_four.csv")


def groups() -> pd.DataFrame:
    return pd.read_csv(DATA / "ordinal_two_groups.csv")


def test_a_category_seen_in_one_group_only_is_named():
    data = groups()
    data.loc[(data["group"] == "b") & (data["x2"] == 4), "x2"] = 3
    with pytest.raises(DataError, match="nobody answered x2 with 4 in group 'b'.*Join the category"):
        semfit.fit(MODEL, data, ordered=True, group="group")
    assert semfit.fit(MODEL, data.assign(x2=data["x2"].clip(upper=3)), ordered=True, group="group").converged


def test_a_category_that_only_incomplete_rows_hold_is_named():
    data = four().astype(float)
    data["x1"] = data["x1"].clip(upper=3)
    data.loc[0, ["x1", "y1"]] = [4, np.nan]
    with pytest.raises(DataError, match="nobody answered x1 with 4 in the rows that are complete"):
        semfit.fit(MODEL, data, ordered=True)


def test_an_empty_category_between_others_is_named():
    data = four()
    data["x1"] = data["x1"].replace({2: 1, 3: 5, 4: 6})
    fit = semfit.fit(MODEL, data, ordered=True)
    assert any(isinstance(w, CategoryTrouble) and w.what == "empty" and w.variables == ("x1",) for w in fit.warnings)
    assert (fit.estimates.query("lhs == 'x1' and op == '|'")["rhs"]).tolist() == ["t1", "t2"]


def test_a_pair_that_determines_each_other_is_named():
    data = four().assign(x2=lambda d: d["x1"])
    with pytest.raises(DataError, match="x1 and x2 determine each other"):
        semfit.fit(MODEL, data, ordered=True)


def test_a_constant_item_is_named():
    with pytest.raises(DataError, match="'x1' is constant"):
        semfit.fit(MODEL, four().assign(x1=2), ordered=True)
    data = groups()
    data.loc[data["group"] == "a", "x1"] = 2
    with pytest.raises(DataError, match="x1 .*in group 'a'"):
        semfit.fit(MODEL, data, ordered=True, group="group")


def test_many_categories_are_named_and_answers_in_hundreds_refused():
    data = four()
    data["x1"] = data["x1"] * 4 + np.arange(len(data)) % 4
    assert [w.what for w in semfit.fit(MODEL, data, ordered=True).warnings if isinstance(w, CategoryTrouble)] == [
        "many"
    ]
    data["x1"] = data["x1"] * 100.0 + np.arange(len(data))
    with pytest.raises(DataError, match="'x1' has .* different values"):
        semfit.fit(MODEL, data, ordered=True)


def test_text_needs_an_order():
    words = {1: "never", 2: "rarely", 3: "often", 4: "always"}
    data = four()
    text = data["x1"].map(words)
    with pytest.raises(DataError, match="'x1' holds text .*ordered=True"):
        semfit.fit(MODEL, data.assign(x1=text), ordered=True)
    right = pd.Categorical(text, categories=list(words.values()), ordered=True)
    wrong = pd.Categorical(text, ordered=True)
    fit = semfit.fit(MODEL, data.assign(x1=right), ordered=True)
    pd.testing.assert_series_equal(fit.estimates["est"], semfit.fit(MODEL, data, ordered=True).estimates["est"])
    notes = semfit.fit(MODEL, data.assign(x1=wrong), ordered=True).warnings
    assert any(isinstance(w, CategoryTrouble) and w.what == "alphabetical" for w in notes)


def test_answers_as_texts_of_numbers_are_numbers():
    data = four()
    fit = semfit.fit(MODEL, data.astype(str), ordered=True)
    np.testing.assert_allclose(fit.estimates["est"], semfit.fit(MODEL, data, ordered=True).estimates["est"])


def test_maximum_likelihood_says_once_that_it_ignores_the_categories():
    data = four()
    for estimator in ("ML", "MLR"):
        fit = semfit.fit(MODEL, data, ordered=["x1", "x2"], estimator=estimator)
        [note] = [w for w in fit.warnings if isinstance(w, CategoryTrouble)]
        assert note.what == "continuous" and note.variables == ("x1", "x2")
    binary = data.assign(x1=(data["x1"] > 2).astype(int))
    assert sum(isinstance(w, TwoCategories) for w in semfit.fit(MODEL, binary).warnings) == 1
    assert not any(isinstance(w, (TwoCategories, CategoryTrouble)) for w in semfit.fit(MODEL, data).warnings)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"estimator": "WLSMV"}, "needs ordered="),
        ({"ordered": ["x1", "x8"]}, "ordered names 'x8', which is not among the variables"),
        ({"ordered": 3}, "ordered must be True or False or a list of names"),
        ({"ordered": True, "missing": "fiml"}, "'listwise', 'pairwise'"),
        ({"missing": "pairwise"}, "'listwise', 'fiml'"),
        ({"ordered": True, "parameterization": "gamma"}, "parameterization must be one of 'delta', 'theta'"),
        ({"ordered": True, "group_equal": "thresholds"}, "need several groups"),
        ({"ordered": True, "cluster": "shop"}, "'shop' holds only one value"),
        ({"ordered": True, "sampling_weights": "v"}, "'v' is not a column of the data"),
    ],
)
def test_options_that_cannot_be(options, sentence):
    with pytest.raises(DataError, match=sentence):
        semfit.fit(MODEL, four().assign(shop=1, w=1.0), **options)


def test_a_covariance_matrix_holds_no_thresholds():
    data = four()
    with pytest.raises(DataError, match="holds no thresholds"):
        semfit.fit(MODEL, sample_cov=data.cov(), n_obs=len(data), ordered=True)


@pytest.mark.parametrize(
    ("line", "options", "sentence"),
    [
        ("x1 | t4", {}, "x1 has 4 categories and so 3 thresholds; t4 is none"),
        ("x1 ~~ x1", {}, "parameterization='theta' makes it a parameter"),
        ("x1 ~*~ x1", {"parameterization": "theta"}, "parameterization='delta' only"),
        ("x1 ~*~ x1", {"ordered": ["x2"]}, "x1 is continuous"),
        ("x1 ~~ NA*x1", {"parameterization": "theta"}, "not identified"),
        ("x1 ~*~ NA*x1", {}, "not identified"),
    ],
)
def test_thresholds_and_scales_that_cannot_be(line, options, sentence):
    with pytest.raises(SemError, match=sentence):
        semfit.fit(f"{MODEL}\n{line}", four(), **{"ordered": True, **options})


def test_what_the_model_says_of_thresholds_is_obeyed():
    fit = semfit.fit(f"{MODEL}\nx1 | -1*t1 + a*t2\nx2 | a*t2", four(), estimator="WLSMV", ordered=True)
    found = fit.estimates.set_index(["lhs", "op", "rhs"])["est"]
    assert found["x1", "|", "t1"] == -1
    assert found["x1", "|", "t2"] == found["x2", "|", "t2"]
    assert fit.df == 8 + 2
    named = semfit.fit("f =~ x1 + x2 + x3\nx1 | t1\nx2 | t1\nx3 | t1", four(), estimator="WLSMV")
    assert (named.estimates["op"] == "|").sum() == 9  # variables with thresholds are ordered


def test_too_few_answers_and_too_many_parameters():
    with pytest.raises(DataError, match="more rows than variables"):
        semfit.fit(MODEL, four().iloc[:5], ordered=True)
    with pytest.raises(NotIdentifiedError):
        semfit.fit("f =~ x1 + x2", four(), ordered=True)


def test_predictors_have_no_thresholds():
    data = pd.read_csv(DATA / "ordinal_covariates.csv")
    model = "f =~ x1 + x2 + x3\nf ~ age + sex"
    free = semfit.fit(model, data, ordered=True)
    named = semfit.fit(model, data, ordered=["x1", "x2", "x3", "sex"])
    assert any(isinstance(w, CategoryTrouble) and w.variables == ("sex",) for w in named.warnings)
    np.testing.assert_allclose(free.estimates["est"], named.estimates["est"])
    with pytest.raises(DataError, match="names no variable"):
        semfit.fit(model, data, ordered=["sex"])


def test_the_page_has_thresholds_and_names_the_scaled_test():
    fit = semfit.fit(MODEL, four(), ordered=True)
    assert "WLSMV" in repr(fit) and "(scaled)" in repr(fit) and "robust CFI" in repr(fit)
    page = fit._repr_html_()
    assert "Thresholds" in page and "Scales" in page
    mixed = semfit.fit(MODEL, four(), ordered=["x1", "x2"])
    assert "scaled CFI" in repr(mixed)


def test_a_single_ordered_mediator_keeps_unit_variances():
    data = pd.read_csv(DATA / "ordinal_five.csv")
    model = "f =~ x1 + x2 + x3 + x4\ny1 ~ f\ny2 ~ y1 + f"
    delta = semfit.fit(model, data, ordered=True)
    theta = semfit.fit(model, data, ordered=True, parameterization="theta")
    np.testing.assert_allclose(np.diag(delta.implied()["cov"]), 1.0, atol=1e-10)
    assert delta.measures["chisq"] == pytest.approx(theta.measures["chisq"], rel=1e-6)  # one model, two sets of units
    np.testing.assert_allclose(delta.estimates["std_all"], theta.estimates["std_all"], atol=1e-5)
