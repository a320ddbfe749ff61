"""What goes into a fit: summary statistics by group, matrices, numbers stored as something else, too few rows."""

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit import checks
from semfit.errors import DataError, DroppedRows, SemError, TwoCategories

CASES = Path(__file__).resolve().parents[1] / "reference" / "cases"
ITEMS = ["a1", "a2", "a3", "a4"]
MODEL = "A =~ a1 + a2 + a3 + a4"
SCALAR = {"group_equal": ["loadings", "intercepts"]}


@pytest.fixture(scope="module")
def schools():
    data = pd.read_csv(CASES / "groups_by_dict.csv")
    parts = {g: d[ITEMS] for g, d in data.groupby("school")}
    return {
        "sample_cov": {g: d.cov() for g, d in parts.items()},
        "sample_mean": {g: d.mean() for g, d in parts.items()},
        "n_obs": {g: len(d) for g, d in parts.items()},
    }


def turned(mapping):
    return dict(reversed(list(mapping.items())))


@pytest.mark.parametrize("turn", list(itertools.product([False, True], repeat=3)))
def test_groups_are_matched_by_key_in_any_order(schools, turn):
    given = {k: turned(v) if t else v for (k, v), t in zip(schools.items(), turn, strict=True)}
    fit = semfit.fit(MODEL, **given, **SCALAR)
    mean = fit.estimates.query("lhs == 'A' and op == '~1' and group == 2")["est"].iloc[0]
    assert fit.groups == ["p", "q"] and fit.n_obs == [213, 187]
    assert fit.measures["chisq"] == pytest.approx(10.7824, abs=5e-5)
    assert mean == pytest.approx(-0.1412, abs=5e-5)


def test_lists_keep_their_order(schools):
    given = {k: [v["q"], v["p"]] for k, v in schools.items()}
    fit = semfit.fit(MODEL, **given, **SCALAR)
    mean = fit.estimates.query("lhs == 'A' and op == '~1' and group == 2")["est"].iloc[0]
    assert fit.n_obs == [187, 213] and mean == pytest.approx(0.1412, abs=5e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_obs": {"p": 213, "x": 187}}, "'x' is no group.*'q' has no value"),
        ({"n_obs": {"p": 213}}, "n_obs and sample_cov must have the same keys: group 'q' has no value"),
        ({"n_obs": {"p": 213, "q": 187, "r": 5}}, "'r' is no group"),
        ({"n_obs": 400}, "n_obs is one number, and sample_cov has 2 groups"),
        ({"n_obs": {"p": 213, "q": 187.5}}, "n_obs of group 'q' must be a whole number"),
        ({"n_obs": {"p": 213, "q": 4}}, "of group 'q'.*more rows than variables"),
        ({"n_obs": [213]}, "2 covariance matrices need as many n_obs, and 1"),
        ({"sample_mean": {"p": [0, 0, 0, 0], "q": [0, 0, 0, 0]}}, "no value for a1"),
        ({"sample_mean": {"P": pd.Series(0.0, ITEMS), "q": pd.Series(0.0, ITEMS)}}, "sample_mean and sample_cov must"),
    ],
)
def test_keys_and_sizes_that_do_not_fit(schools, change, words):
    with pytest.raises(DataError, match=words):
        semfit.fit(MODEL, **{**schools, **change})


def test_a_dict_beside_a_list_of_matrices(schools):
    with pytest.raises(DataError, match="sample_cov must be"):
        semfit.fit(MODEL, sample_cov=list(schools["sample_cov"]), n_obs=[213, 187])


def matrix():
    return pd.DataFrame(np.eye(4) + 0.5, ITEMS, ITEMS)


def changed(*cells):
    out = matrix()
    for a, b, value in cells:
        out.loc[a, b] = value
    return out


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (matrix().to_numpy(), "must carry the names"),
        (matrix().iloc[:3], "square"),
        (pd.DataFrame(matrix().to_numpy(), ["a1", "a1", "a3", "a4"], ["a1", "a1", "a3", "a4"]), "occur twice: a1"),
        (matrix().rename(columns={"a1": "b"}), "only on one side: a1, b"),
        (changed(("a1", "a2", 0.4)), "not symmetric: a1, a2 is 0.4 above and 0.5 below"),
        (changed(("a1", "a1", 0.0)), "variance that is not positive: a1"),
        (changed(("a1", "a1", -1.0)), "variance that is not positive: a1"),
        (changed(("a1", "a2", np.nan)), "missing values"),
        (changed(("a1", "a2", np.inf)), "infinite"),
        (changed(("a1", "a2", 1.6), ("a2", "a1", 1.6)), "a1 and a2 would correlate at 1.067"),
        (matrix().astype(str).replace("0.5", "x"), "not a number"),
        ("a1", "square DataFrame"),
    ],
)
def test_matrices_that_cannot_be(bad, words):
    with pytest.raises(DataError, match=words):
        checks.matrix_input(bad)
    with pytest.raises(SemError):
        semfit.fit(MODEL, sample_cov=bad, n_obs=200)


@pytest.mark.parametrize("n", [0, -1, 4, 200.5, np.nan, np.inf, "200", True])
def test_sizes_that_cannot_be(n):
    with pytest.raises(DataError, match="n_obs must be a whole number of at least 5"):
        checks.matrix_input(matrix(), n_obs=n)
    with pytest.raises(DataError, match="n_obs"):
        semfit.fit(MODEL, sample_cov=matrix(), n_obs=n)


def test_a_matrix_is_taken_in_the_wanted_order_and_correlations_are_asked_for():
    shuffled = changed(("a1", "a2", 0.3), ("a2", "a1", 0.3)).loc[["a3", "a1", "a4", "a2"], ["a2", "a1", "a4", "a3"]]
    out = checks.matrix_input(shuffled, ["a1", "a2"], n_obs=5)
    assert out.columns.tolist() == ["a1", "a2"] and out.loc["a1", "a2"] == 0.3
    with pytest.raises(DataError, match="not a correlation matrix: a1 has 1.5"):
        checks.matrix_input(matrix(), correlations=True)


@pytest.mark.parametrize(
    ("mean", "words"),
    [
        (pd.Series([1.0, 2, 3, 4, 5], ["a1", "a1", "a2", "a3", "a4"]), "occur twice: a1"),
        ({"a1": 1, "a2": 2, "a3": 3}, "no value for a4"),
        ({"a1": 1, "a2": 2, "a3": 3, "a4": np.nan}, "not a number for a4"),
        ({"a1": 1, "a2": 2, "a3": 3, "a4": "x"}, "not a number for a4"),
    ],
)
def test_means_that_cannot_be(mean, words):
    with pytest.raises(DataError, match=words):
        semfit.fit(MODEL, sample_cov=matrix(), sample_mean=mean, n_obs=200)


# -- columns -------------------------------------------------------------------------------------------------------
def survey(n=60):
    rng = np.random.default_rng(3)
    f = rng.normal(size=n)
    return pd.DataFrame({v: np.clip(np.round(3 + f + rng.normal(size=n)), 1, 5) for v in ITEMS})


@pytest.mark.parametrize(
    "store",
    [
        lambda c: c.astype(int).astype(str),
        lambda c: c.astype(object),
        lambda c: c.astype("category"),
        lambda c: c.astype(int).astype(str).astype("category"),
        lambda c: c.astype("Int64"),
        lambda c: c.astype("string"),
        lambda c: c.astype(int).astype(str).astype(pd.CategoricalDtype(["5", "3", "1", "2", "4"], ordered=True)),
    ],
)
def test_numbers_stay_numbers_however_they_are_stored(store):
    plain = semfit.fit(MODEL, survey())
    stored = semfit.fit(MODEL, survey().apply(store))
    np.testing.assert_array_equal(stored.estimates["est"], plain.estimates["est"])


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.Series(np.arange(60) + 1j), "complex numbers"),
        (pd.Series([1 + 2j, *range(59)], dtype=object), "complex numbers"),
        (pd.to_timedelta(pd.Series(range(60)), unit="D"), "lengths of time"),
        (pd.Series(list(pd.to_timedelta(pd.Series(range(60)), unit="D")), dtype=object), "lengths of time"),
        (pd.to_datetime(pd.Series(range(60)), unit="D"), "dates"),
        (pd.Series(pd.period_range("2020", periods=60)), "dates"),
        (pd.Series(["agree", "disagree"] * 30), "holds text in 60 rows: 'agree', 'disagree'"),
        (pd.Series(["agree", "disagree"] * 30).astype("category"), "holds text in 60 rows"),
        (pd.Series([[1], [2]] * 30), r"holds text in 60 rows: \[1\], \[2\]"),
    ],
)
def test_columns_that_are_no_answers(column, words):
    data = survey().assign(a1=column)
    with pytest.raises(DataError, match=f"column 'a1' holds.*{words}|column 'a1' {words}"):
        semfit.fit(MODEL, data)


def test_true_and_false_are_one_and_nought():
    data = survey().assign(a1=lambda d: d["a1"] > 3)
    number = semfit.fit(MODEL, data.assign(a1=data["a1"].astype(int)))
    np.testing.assert_array_equal(semfit.fit(MODEL, data).estimates["est"], number.estimates["est"])


# -- too little to go on ---------------------------------------------------------------------------------------------
def gappy(data, share=0.1, seed=1):
    rng = np.random.default_rng(seed)
    return data.mask(rng.random(data.shape) < share)


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_full_information_names_the_real_cause(gaps):
    data = gappy(survey(), gaps)
    with pytest.raises(DataError, match="4 (complete )?rows and 4 variables: more rows"):
        semfit.fit(MODEL, data.iloc[:4], missing="fiml")
    with pytest.raises(DataError, match="a1|a5") as found:
        semfit.fit(MODEL + " + a5", data.assign(a5=data["a1"] * 2), missing="fiml")
    assert "pattern of gaps" not in str(found.value)
    total = data.assign(a5=data[ITEMS].sum(axis=1, skipna=False))
    with pytest.raises(DataError, match="not positive definite") as found:
        semfit.fit(MODEL + " + a5", total, missing="fiml")
    assert "pattern of gaps" not in str(found.value)


# -- options -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"estimator": "ml"}, "estimator must be one of 'ML', 'MLR', 'WLSMV', 'ULSMV', and is 'ml'. Did you mean 'ML'"),
        ({"group": "g", "group_equal": "loading"}, "Did you mean 'loadings'"),
        ({"missing": "FIML"}, "Did you mean 'fiml'"),
        ({"information": "x"}, "information must be one of 'expected', 'observed', not 'x'"),
        ({"std_lv": "yes"}, "std_lv must be True or False"),
        ({"group": ["g"]}, r"group must be the name of one column, and is \['g'\]"),
        ({"group": ("g",)}, "group must be the name of one column"),
        ({"group": "a1"}, "also a variable of the model"),
    ],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(DataError, match=words):
        semfit.fit(MODEL, survey().assign(g="x"), **options)


def test_items_with_two_answers_are_named_once():
    data = survey().assign(a1=lambda d: (d["a1"] > 3) * 1.0, a2=lambda d: (d["a2"] > 3) * 1.0)
    found = [w for w in semfit.fit(MODEL, data).warnings if isinstance(w, TwoCategories)]
    assert len(found) == 1 and found[0].variables == ("a1", "a2") and "a1, a2 have two categories" in found[0]
    assert not any(isinstance(w, TwoCategories) for w in semfit.fit(MODEL, survey()).warnings)
    predictor = semfit.fit("a3 ~ a1", data)  # a predictor may be 0 and 1
    assert not any(isinstance(w, TwoCategories) for w in predictor.warnings)


def test_dropped_rows_are_counted_with_their_reason():
    data = survey()
    data.loc[:4, "a1"] = np.nan
    (warning,) = semfit.fit(MODEL, data).warnings
    assert isinstance(warning, DroppedRows) and (warning.n, warning.why) == (5, "missing value")
