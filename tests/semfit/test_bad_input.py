"""Malformed models and pathological data: each is a clear error or a named warning, never a wrong number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import switchcost as sc

THREE = "f =~ x1 + x2 + x3"


def sample(n=200, seed=1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    f, g = rng.normal(size=(2, n))
    g = 0.5 * f + g
    out = {f"x{i}": f + rng.normal(size=n) for i in range(1, 5)}
    out |= {f"y{i}": g + rng.normal(size=n) for i in range(1, 5)}
    out["z"] = rng.normal(size=n)
    out["group"] = np.where(rng.random(n) < 0.5, "a", "b")
    return pd.DataFrame(out)


MALFORMED = [
    ("", "the model is empty"),
    ("   # only a comment\n", "the model is empty"),
    ("f =~", r"line 1, column 3: nothing stands to the right of '=~'"),
    ("=~ x1 + x2", r"line 1, column 1: nothing stands to the left"),
    ("f =~ x1 + x2 +", "ends with '\\+'"),
    ("f =~ x1 x2 x3", r"column 9: 'x2' is not expected after 'x1'"),
    ("f = x1 + x2 + x3", r"column 3: a single '='"),
    ("x1, x2, x3", "no operator"),
    ("f =~ x1 + x2 ~~ x3", "a second operator"),
    (
        "f =~ x1 + x2 + x9",
        r"line 1, column 16: 'x9' is not a column of the data. Columns that start like it: x1",
    ),
    ("f =~ x1 + x2 + x3\ny1 ~ f + fx", r"line 2, column 10: 'fx' is not a column"),
    ("f <~ x1 + x2 + x3", "formative latents"),
    ("y1 ~ x1:x2", "interaction terms"),
    ("x1 | t1", "line 1, column 6: thresholds and scales belong to ordered variables"),
    ("x1 ~*~ x1", "line 1, column 8: thresholds and scales belong to ordered variables"),
    ("x1 | x2", "the thresholds of x1 are t1, t2, ...; 'x2' is none"),
    ("x1 ~*~ x2", "scale of one ordered variable"),
    (THREE + "\nf ~~ v*f\nv > 0", r"line 3, column 3: inequality constraints"),
    ("level: 1\n" + THREE, "not supported"),
    ('efa("b")*f =~ x1 + x2 + x3', "modifiers belong on the right"),
    ('f =~ efa("b")*x1 + x2 + x3', r"the modifier efa\(\) is not supported"),
    ("f =~ x1 + x2 + f*x3", "the label 'f' is also a variable"),
    ("f =~ x1 + x2 + x2 + x3", "written twice"),
    ("f =~ x1 + x2 + x3\nf =~ x3 + x4", r"already written in line 1"),
    ("f =~ x1 + x2 + x3\nx1 ~~ x2\nx2 ~~ x1", r"line 3.*already written in line 2"),
    ("f =~ f + x1 + x2", "both sides"),
    ("f =~ x1 + 2*3*x2 + x3", "already has a fixed modifier"),
    ("f =~ x1 + c(1, 2)*x2 + x3", "has 2 fixed values, and there is one group"),
    ("f =~ x1 + c(a, 2)*x2 + x3", "mixes labels and numbers"),
    ("f =~ start(a)*x1 + x2 + x3", "start\\(\\) takes numbers"),
    ("f =~ x1 + 'a*x2 + x3", "is not closed"),
    ("f =~ x1 + x2 + $x3", r"column 16: unexpected character '\$'"),
    ("f =~ x1 + 2x + x3", "cannot begin with a digit"),
    (THREE + "\nab := a*b", r"line 2.*label 'a' is not in the model"),
    ("f =~ x1 + a*x2 + x3\nd := sin(a)", "unknown function 'sin'"),
    ("f =~ x1 + a*x2 + x3\nd := (a + 1", "parenthesis is not closed"),
    ("f =~ x1 + a*x2 + x3\nd := d + a", "in terms of itself"),
    ("f =~ x1 + a*x2 + b*x3\na*b == -a^2*b^2 - 1", "no values of the parameters were found for which the constraint"),
    ("f =~ x1 + a*x2 + b*x3 + x4\n(a - 1)^2 == 0", "only where its derivatives are zero"),
    ("f =~ x1 + a*x2 + b*x3 + x4\nlog(a) == sqrt(-1 - a^2)", "no values of the parameters were found"),
    ("f =~ x1 + a*x2 + b*x3\na == 1\na == 2", "contradicts"),
    ("f =~ x1 + a*x2 + b*x3\na == q", "label 'q' in the constraint"),
    ("f =~ x1 + x2 + x3\nx1 ~~ x2 + x3", "not identified: it has 8 free parameters, 2 more"),
    ("f =~ x1 + x2", "not identified"),
    ("f =~ NA*x1 + x2 + x3 + x4", "not identified: the data cannot determine"),
    ("f =~ x1 + x2 + x3 + x4\nx1 ~ x2\nx2 ~ x1", "not identified"),
    ("f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2\nf ~~ 0*g", "not identified: the data cannot determine"),
    ("f ~~ f", "'f' is not a column"),
    ("x1 ~~ 1", "a number cannot stand right of ~~"),
    ("x1 ~ 2", "'2' is not a variable"),
    ("x1 =~ x2 + x3 + x4", "has the name of a column"),
    (THREE + "\nf ~ NA", "NA is not a variable"),
]


@pytest.mark.parametrize(("model", "message"), MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_models_are_named(model, message):
    with pytest.raises(ValueError, match=message):
        sc.fit(model, sample())


def test_a_label_with_the_name_of_a_column_is_pointed_out():
    fit = sc.fit("f =~ x1 + x2*x3 + x4", sample())
    assert "'x2' is read as a label, and is also a column of the data" in fit.warnings


def test_a_model_that_is_no_text():
    with pytest.raises(ValueError, match="must be a text"):
        sc.fit(["f =~ x1"], sample())


# --- data -------------------------------------------------------------------------------------------------------
def broken(kind: str) -> pd.DataFrame:
    data = sample()
    if kind == "constant":
        data["x2"] = 3.0
    elif kind == "text":
        data["x2"] = data["x2"].astype(object)
        data.loc[3, "x2"] = "often"
    elif kind == "decimal comma":
        data["x2"] = data["x2"].map(lambda v: f"{v:.2f}".replace(".", ","))
    elif kind == "infinite":
        data.loc[3, "x2"] = np.inf
    elif kind == "all missing":
        data["x2"] = np.nan
    elif kind == "copy":
        data["x2"] = 2 * data["x1"] + 1
    elif kind == "sum":
        data["x2"] = data["x1"] + data["x3"]
    elif kind == "few rows":
        data = data.head(3)
    elif kind == "no rows":
        data = data.head(0)
    elif kind == "no complete row":
        data.loc[::2, "x1"] = np.nan
        data.loc[1::2, "x2"] = np.nan
    elif kind == "duplicate names":
        data = data.rename(columns={"x4": "x2"})
    elif kind == "dates":
        data["x2"] = pd.Timestamp("2026-01-01")
    return data


BROKEN = [
    ("constant", "column 'x2' is constant"),
    ("text", "column 'x2' holds text in 1 rows: 'often'"),
    ("decimal comma", "decimal commas"),
    ("infinite", "infinite values in 1 rows"),
    ("all missing", "no values at all"),
    ("copy", "not positive definite.*x1.*has no variance|not positive definite.*x2"),
    ("sum", "not positive definite"),
    ("few rows", "3 complete rows and 3 variables"),
    ("no rows", "has no rows"),
    ("no complete row", "no row is complete"),
    ("duplicate names", "occur twice: x2"),
    ("dates", "holds dates"),
]


@pytest.mark.parametrize(("kind", "message"), BROKEN, ids=[b[0] for b in BROKEN])
def test_pathological_data_are_named(kind, message):
    with pytest.raises(ValueError, match=message):
        sc.fit(THREE, broken(kind))


def test_a_file_name_is_not_data():
    with pytest.raises(ValueError, match="file name"):
        sc.fit(THREE, "answers.csv")


def test_dropped_rows_are_counted_and_named():
    data = sample()
    data.loc[:9, "x2"] = np.nan
    fit = sc.fit(THREE, data)
    assert fit.n_obs == 190 and fit.n_dropped == 10
    assert "10 of 200 rows with a missing value were dropped" in fit.warnings
    full = sc.fit(THREE, data, missing="fiml")
    assert full.n_obs == 200 and "2 patterns" in repr(full)


def test_groups_that_cannot_be():
    data = sample()
    with pytest.raises(ValueError, match="group 'operator' is not a column"):
        sc.fit(THREE, data, group="operator")
    with pytest.raises(ValueError, match="only one value"):
        sc.fit(THREE, data.assign(group="a"), group="group")
    with pytest.raises(ValueError, match="is it a group"):
        sc.fit(THREE, data, group="z")
    with pytest.raises(ValueError, match="in group 'c'"):
        sc.fit(THREE, data.assign(group=["c"] * 2 + ["d"] * 198), group="group")
    with pytest.raises(ValueError, match="x2 has no variance in group 'a'"):
        sc.fit(THREE, data.assign(x2=data["x2"].where(data["group"] != "a", 1.0)), group="group")
    with pytest.raises(ValueError, match="each word of group_equal"):
        sc.fit(THREE, data, group="group", group_equal="loading")
    with pytest.raises(ValueError, match="need several groups"):
        sc.fit(THREE, data, group_equal="loadings")
    with pytest.raises(ValueError, match="'x7' is not in the model"):
        sc.fit(THREE, data, group="group", group_equal="loadings", group_partial="f =~ x7")


def test_covariance_input_that_cannot_be():
    data = sample()[["x1", "x2", "x3"]]
    cov = data.cov()
    with pytest.raises(ValueError, match="needs n_obs"):
        sc.fit(THREE, sample_cov=cov)
    with pytest.raises(ValueError, match="names of its variables"):
        sc.fit(THREE, sample_cov=cov.to_numpy(), n_obs=200)
    with pytest.raises(ValueError, match="more rows than variables"):
        sc.fit(THREE, sample_cov=cov, n_obs=3)
    with pytest.raises(ValueError, match="'x3' is not a variable of sample_cov"):
        sc.fit(THREE, sample_cov=cov.iloc[:2, :2], n_obs=200)
    crooked = cov.copy()
    crooked.iloc[0, 1] += 0.3
    with pytest.raises(ValueError, match="not symmetric: x1, x2"):
        sc.fit(THREE, sample_cov=crooked, n_obs=200)
    flat = cov.copy()
    flat.iloc[1, 1] = 0.0
    with pytest.raises(ValueError, match="variance that is not positive: x2"):
        sc.fit(THREE, sample_cov=flat, n_obs=200)
    impossible = pd.DataFrame([[1, 0.9, 0.1], [0.9, 1, 0.9], [0.1, 0.9, 1]], cov.index, cov.index)
    with pytest.raises(ValueError, match="not positive definite"):
        sc.fit(THREE, sample_cov=impossible, n_obs=200)
    with pytest.raises(ValueError, match="MLR.*needs the rows"):
        sc.fit(THREE, sample_cov=cov, n_obs=200, estimator="MLR")
    with pytest.raises(ValueError, match="sample_mean is needed"):
        sc.fit(THREE + "\nx1 ~ 1", sample_cov=cov, n_obs=200)
    with pytest.raises(ValueError, match="give the data"):
        sc.fit(THREE)
    with pytest.raises(ValueError, match="not both"):
        sc.fit(THREE, data, sample_cov=cov, n_obs=200)


def test_unknown_options_name_the_choices():
    for options, message in [
        ({"estimator": "WLS"}, "'ML', 'MLR', 'WLSMV'"),
        ({"estimator": "WLSMV"}, "needs ordered="),
        ({"parameterization": "probit"}, "'delta', 'theta'"),
        ({"missing": "pairwise"}, "'listwise', 'fiml'"),
        ({"information": "both"}, "'expected', 'observed'"),
    ]:
        with pytest.raises(ValueError, match=message):
            sc.fit(THREE, sample(), **options)


def test_pairs_never_seen_together_are_named():
    data = sample()
    data.loc[:99, "x1"] = np.nan
    data.loc[100:, "x2"] = np.nan
    with pytest.raises(ValueError, match="x1 and x2 are never observed together"):
        sc.fit(THREE + " + x4", data, missing="fiml")


def test_a_heywood_case_is_kept_and_named():
    cov = pd.DataFrame([[1, 0.8, 0.8], [0.8, 1, 0.5], [0.8, 0.5, 1]], ["x1", "x2", "x3"], ["x1", "x2", "x3"])
    fit = sc.fit(THREE, sample_cov=cov, n_obs=100)
    assert fit.converged and fit.measures["df"] == 0
    assert fit.estimates.set_index(["lhs", "op", "rhs"]).loc[("x1", "~~", "x1"), "est"] < 0
    assert any("negative residual variance: x1" in w and "Heywood" in w for w in fit.warnings)
    assert "Heywood" in fit._repr_html_()


def test_latent_correlations_beyond_one_are_named():
    rng = np.random.default_rng(3)
    f = rng.normal(size=60)
    data = pd.DataFrame({f"x{i}": 0.5 * f + rng.normal(size=60) for i in range(6)})
    fit = sc.fit("a =~ x0 + x1 + x2\nb =~ x3 + x4 + x5", data)
    C = fit.implied()["cov_lv"]
    beyond = abs(C.loc["a", "b"]) > np.sqrt(C.loc["a", "a"] * C.loc["b", "b"])
    assert beyond == any("latent correlation beyond 1: a with b" in w for w in fit.warnings)
    assert beyond


def test_what_does_not_converge_has_no_measures():
    data = sample(60, seed=2)
    data[["x1", "x2", "x3", "x4"]] = np.random.default_rng(9).normal(size=(60, 4))  # nothing in common
    fit = sc.fit("f =~ x1 + x2 + x3 + x4", data)
    if fit.converged:
        assert np.isfinite(fit.measures["chisq"])
    else:
        assert np.isnan(fit.measures["chisq"]) and "did not converge" in fit.warnings[0]


def test_compare_refuses_what_is_not_nested():
    data = sample()
    a, b = sc.fit("f =~ x1 + x2 + x3 + x4", data), sc.fit("f =~ y1 + y2 + y3 + y4", data)
    with pytest.raises(ValueError, match="different variables"):
        sc.compare(a, b)
    with pytest.raises(ValueError, match="same degrees of freedom"):
        sc.compare(a, sc.fit("f =~ x2 + x1 + x3 + x4", data))
    with pytest.raises(ValueError, match="one estimator"):
        sc.compare(a, sc.fit("f =~ x1 + 1*x2 + x3 + x4", data, estimator="MLR"))
    with pytest.raises(ValueError, match="two or more"):
        sc.compare(a)
    with pytest.warns(UserWarning, match="different rows"):
        sc.compare(a, sc.fit("f =~ x1 + 1*x2 + x3 + x4", data.head(150)))


def test_scores_need_rows_and_a_known_method():
    data = sample()
    fit = sc.fit(THREE, data)
    with pytest.raises(ValueError, match="'regression' or 'bartlett'"):
        fit.factor_scores("anderson")
    with pytest.raises(ValueError, match="need the rows"):
        sc.fit(THREE, sample_cov=data[["x1", "x2", "x3"]].cov(), n_obs=200).factor_scores()
    with pytest.raises(ValueError, match="kind must be"):
        fit.standardized("std_noy")


def test_free_means_of_a_higher_order_latent_are_named():
    model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nh =~ f + 1*g"
    with pytest.raises(ValueError, match=r"'h ~1' \(group 2\).*fix it, as in h ~ 0\*1"):
        sc.fit(model, sample(), group="group", group_equal=["loadings", "intercepts"])
    fit = sc.fit(model + "\nh ~ 0*1", sample(), group="group", group_equal=["loadings", "intercepts"])
    assert fit.converged
