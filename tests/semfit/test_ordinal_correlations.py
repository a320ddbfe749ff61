"""Polychoric correlations against lavaan (tests/reference/ordinal_correlations.R), and what ordered answers may hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm

import semfit
from semfit.errors import CategoryTrouble, DataError
from semfit.ordinal.bivariate import below

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = json.loads((REFERENCE / "ordinal_correlations.json").read_text())


def load(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"ordinal_{name}.csv")


@pytest.mark.parametrize("case", STORED, ids=[c["set"] for c in STORED])
def test_correlations_thresholds_and_their_covariances_equal_lavaan(case):
    found = semfit.polychoric(load(case["set"])[case["names"]], ordered=case["ordered"])
    np.testing.assert_allclose(found.correlations, case["r"], atol=1e-6)
    for name, value in case["th"].items():
        variable, number = name.split("|t")
        row = found.thresholds.query(
            "variable == @variable and threshold == @number", local_dict={"variable": variable, "number": int(number)}
        )
        assert row["est"].item() == pytest.approx(value, abs=1e-8)
    assert list(found.acov) == case["labels"]
    place = [
        k
        for k, label in enumerate(case["labels"])
        if "|" in label or "~~" in label and len(set(label.split("~~"))) == 2
    ]
    continuous = {
        label.split("~~")[0] for label in case["labels"] if "~~" in label and len(set(label.split("~~"))) == 1
    }
    # with continuous variables lavaan's gamma is that of covariances, ours of correlations
    same = [k for k in place if not continuous & set(case["labels"][k].split("~~"))]
    se = np.sqrt(np.diag(found.acov))
    np.testing.assert_allclose(se[same], np.array(case["se"])[same], rtol=2e-6)
    if not continuous:
        np.testing.assert_allclose(found.acov.to_numpy()[:6, -4:], case["acov_block"], atol=1e-7)
        np.testing.assert_allclose(found.table["se"], se[[k for k in place if "~~" in case["labels"][k]]], rtol=1e-12)


@pytest.mark.parametrize("rho", [-0.999, -0.95, -0.76, -0.3, 0.0, 0.5, 0.74, 0.9, 0.99])
def test_the_bivariate_normal_is_scipys(rho):
    h, k = np.array([-2.0, -0.3, 0.4, 1.5]), np.array([0.5, -0.3, 0.4, -2.5])
    exact = [multivariate_normal(cov=[[1, rho], [rho, 1]]).cdf([a, b]) for a, b in zip(h, k, strict=True)]
    np.testing.assert_allclose(below(h, k, np.array(rho)), exact, atol=2e-9)


def test_correlations_of_the_normal_variables_are_found_again():
    rng = np.random.default_rng(5)
    z = rng.multivariate_normal([0, 0, 0], [[1, 0.7, 0.3], [0.7, 1, 0.5], [0.3, 0.5, 1]], 20000)
    data = pd.DataFrame({"a": np.digitize(z[:, 0], [0.8, 1.5]), "b": np.digitize(z[:, 1], [1.0]), "c": 3 * z[:, 2] + 1})
    found = semfit.polychoric(data, ordered=["a", "b"])
    assert found.table["kind"].tolist() == ["polychoric", "polyserial", "polyserial"]
    for (_, row), true in zip(found.table.iterrows(), (0.7, 0.3, 0.5), strict=True):
        assert abs(row["r"] - true) < 4 * row["se"]


def test_standard_errors_are_those_of_a_simulation():
    rng = np.random.default_rng(8)
    estimates, errors = [], []
    for _ in range(200):
        z = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 300)
        found = semfit.polychoric(
            pd.DataFrame({"a": np.digitize(z[:, 0], [0.5, 1]), "b": np.digitize(z[:, 1], [-1, 1])})
        )
        estimates.append(found.table["r"][0])
        errors.append(found.table["se"][0])
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.15)


def test_a_two_by_two_table_with_one_empty_cell_gets_half_an_answer_and_is_named():
    data = pd.DataFrame({"a": [0] * 40 + [1] * 60, "b": [0] * 40 + [0] * 30 + [1] * 30})
    found = semfit.polychoric(data)
    [note] = found.warnings
    assert isinstance(note, CategoryTrouble) and note.what == "cell" and set(note.variables) == {"a", "b"}
    assert 0.5 < found.correlations.loc["a", "b"] < 0.999
    assert found.table["empty_cells"].tolist() == [1]
    data.loc[0, "b"] = 1  # nothing is empty: nothing is said
    assert semfit.polychoric(data).warnings == ()


def test_pairs_that_determine_each_other_are_named():
    a = np.repeat([0, 1, 2], 30)
    found = semfit.polychoric(pd.DataFrame({"a": a, "b": a, "c": (a > 1).astype(int), "d": (a > 1).astype(int)}))
    assert {n.variables for n in found.warnings if n.what == "perfect"} >= {("a", "b"), ("c", "d")}
    assert found.correlations.loc["c", "d"] == 1


def test_each_pair_uses_the_rows_that_have_both():
    data = load("five")[["x1", "x2", "x3"]].astype(float)
    data.loc[:99, "x3"] = np.nan
    found = semfit.polychoric(data)
    alone = semfit.polychoric(data[["x1", "x2"]])
    assert found.correlations.loc["x1", "x2"] == pytest.approx(alone.correlations.loc["x1", "x2"], abs=1e-12)
    assert found.table["n"].tolist() == [800, 700, 700]
    assert found.n_obs == 800


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        (["no", "yes"] * 10, "has no order"),
        (pd.Categorical(["low", "high"] * 10), "without an order"),
        ([3] * 20, "constant"),
        (np.linspace(0, 1, 40).repeat(2)[:80], "different values"),
    ],
)
def test_what_is_no_ordered_variable_is_refused_by_name(column, sentence):
    n = len(column)
    with pytest.raises(DataError, match=sentence) as error:
        semfit.polychoric(pd.DataFrame({"odd": column, "b": np.arange(n) % 3}))
    assert "odd" in str(error.value)


def test_levels_of_an_ordered_categorical_count_and_odd_orders_are_named():
    answers = pd.Categorical(["low", "mid", "high"] * 20, categories=["low", "mid", "high"], ordered=True)
    right = semfit.polychoric(pd.DataFrame({"a": answers, "b": np.arange(60) % 4}))
    assert right.thresholds.query("variable == 'a'")["above"].tolist() == ["mid", "high"] and right.warnings == ()
    wrong = semfit.polychoric(
        pd.DataFrame({"a": pd.Categorical(answers.astype(str), ordered=True), "b": np.arange(60) % 4})
    )
    assert [n.what for n in wrong.warnings] == ["alphabetical"]


@pytest.mark.parametrize(("codes", "what"), [([1, 2, 4, 5], ["empty"]), ([1, 2, 3, 4], []), (range(13), ["many"])])
def test_empty_and_many_categories_are_named(codes, what):
    codes = np.resize(list(codes), 260)
    found = semfit.polychoric(pd.DataFrame({"a": codes, "b": np.arange(260) // 7 % 3}))
    assert [n.what for n in found.warnings] == what


def test_too_little_to_correlate():
    with pytest.raises(DataError, match="two or more variables"):
        semfit.polychoric(pd.DataFrame({"a": [1, 2, 1]}))
    data = pd.DataFrame({"a": [1, 2, 1, 2, np.nan, np.nan], "b": [np.nan] * 3 + [2, 1, 2.0]})
    with pytest.raises(DataError, match="answered together in 1 rows"):
        semfit.polychoric(data)
    with pytest.raises(DataError, match=r"ordered names 'c'"):
        semfit.polychoric(data, ordered=["c"])


def test_the_result_prints_and_escapes():
    data = load("three")[["x1", "x2"]].rename(columns={"x1": "<b>"})
    found = semfit.polychoric(data)
    assert "1 polychoric" in repr(found) and "n = 400" in repr(found)
    assert "&lt;b&gt;" in found._repr_html_() and "<b>x" not in found._repr_html_()


WEIGHTED = json.loads((REFERENCE / "ordinal_weighted_correlations.json").read_text())


def shops() -> pd.DataFrame:
    data = load("shops")
    row = np.arange(1, len(data) + 1)
    return data.assign(y3=data["y3"] + 0.1 * data["x1"] * (row % 7))[["x1", "x2", "y1", "y3", "w"]]


@pytest.mark.parametrize("case", WEIGHTED, ids=["one continuous", "two continuous"])
def test_weighted_correlations_equal_lavaan(case):
    found = semfit.polychoric(shops(), ordered=case["ordered"], weights="w")
    assert list(found.correlations) == ["x1", "x2", "y1", "y3"] and found.n_obs == 900
    np.testing.assert_allclose(found.correlations, case["r"], atol=1e-6)
    cuts = found.thresholds.set_index(found.thresholds["variable"] + "|t" + found.thresholds["threshold"].astype(str))
    for name, value in case["th"].items():
        if "|" in name:
            assert cuts["est"][name] == pytest.approx(value, abs=1e-8)
    # lavaan's gamma is of covariances where a variable is continuous
    place = [
        k for k, label in enumerate(case["labels"]) if "|" in label or set(label.split("~~")) <= set(case["ordered"])
    ]
    se = np.sqrt(np.diag(found.acov))
    np.testing.assert_allclose(se[place], np.array(case["se"])[place], rtol=1e-5)


def test_whole_weights_are_answers_written_so_often():
    data = load("gaps")
    times = np.random.default_rng(3).integers(0, 4, len(data))
    weighted = semfit.polychoric(data.assign(times=times), weights="times")
    longer = semfit.polychoric(data.loc[data.index.repeat(times)])
    np.testing.assert_allclose(weighted.correlations, longer.correlations, atol=1e-9)
    np.testing.assert_allclose(weighted.thresholds["est"], longer.thresholds["est"], atol=1e-9)
    assert weighted.n_obs == (times > 0).sum() < longer.n_obs
    assert "rows have weight 0" in str(weighted.warnings[0])
    assert (weighted.table["se"] > longer.table["se"]).mean() > 0.9  # a row that stands for three is one answer


def test_only_the_ratios_of_weights_count():
    data = shops()
    one, other = (semfit.polychoric(data.assign(w=data["w"] * k), ordered=["x1"], weights="w") for k in (1, 1e4))
    np.testing.assert_allclose(one.acov, other.acov, rtol=1e-9, atol=1e-14)
    three = ["x1", "x2", "y1"]
    even = semfit.polychoric(data.assign(w=3), ordered=three, weights="w")
    none = semfit.polychoric(data.drop(columns="w"), ordered=three)
    np.testing.assert_allclose(even.acov, none.acov, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.assign(w=d["w"].where(d.index > 3)), "missing in 4 of 900"),
        (lambda d: d.assign(w=-d["w"]), "900 negative weights"),
        (lambda d: d.assign(w=0.0), "are 0; no row would count"),
        (lambda d: d.drop(columns="w"), "weight 'w' is not a column"),
        (lambda d: d[["w"]], "the data have none"),
    ],
)
def test_weights_that_cannot_be_used_are_named(change, message):
    with pytest.raises(DataError, match=message):
        semfit.polychoric(change(shops()), weights="w")


# "tired" and "drowsy" of 753 answers to psych's msq: the search steps beyond the best correlation to where the
# probability of answers in the corners is lost in rounding; it used to stay there, at .996.
STRONG = np.array([[140, 20, 2, 0], [60, 182, 25, 2], [7, 75, 72, 18], [3, 20, 38, 89]])


def test_a_strong_correlation_with_answers_in_the_corners():
    """``lavaan::lavCor`` of the same table: .8546466."""
    i, j = np.indices(STRONG.shape)
    data = pd.DataFrame({"tired": np.repeat(i, STRONG.ravel()), "drowsy": np.repeat(j, STRONG.ravel())})
    found = semfit.polychoric(data)
    assert found.correlations.loc["tired", "drowsy"] == pytest.approx(0.8546466, abs=1e-6)
    given_x = data.assign(x=np.random.default_rng(1).normal(size=len(data)))
    fit = semfit.fit("tired ~~ drowsy\ntired ~ x\ndrowsy ~ x", given_x, ordered=["tired", "drowsy"])
    assert fit.estimates.query("op == '~~' and lhs != rhs")["est"].iloc[0] == pytest.approx(0.8546, abs=5e-3)


@pytest.mark.parametrize("seed", [3, 4, 12, 41, 90, 195])
def test_a_few_careless_answers_do_not_lead_the_search_astray(seed):
    """One answer in twenty is careless and one the opposite of the others: the likelihood on a grid is the judge."""
    rng = np.random.default_rng(seed)
    z = rng.multivariate_normal([0, 0], [[1, -0.95], [-0.95, 1]], 300)
    z[:15] = 1.3 * rng.normal(size=(15, 2))
    z[0] = [3.5, 3.5]
    a, b = (np.digitize(z[:, k], np.sort(rng.normal(size=3))) for k in (0, 1))
    found = semfit.polychoric(pd.DataFrame({"a": a, "b": b, "c": z[:, 0]}), ordered=["a", "b"])
    edges = {v: np.array([-9.0, *t["est"], 9.0]) for v, t in found.thresholds.groupby("variable")}
    a, b = (np.unique(v, return_inverse=True)[1] for v in (a, b))
    c = (z[:, 0] - z[:, 0].mean()) / z[:, 0].std()
    low, high, grid = edges["b"][b], edges["b"][b + 1], np.arange(-0.99, -0.5, 0.005)

    def polychoric(q):
        x, y = np.meshgrid(edges["a"], edges["b"], indexing="ij")
        p = np.diff(np.diff(below(x, y, np.full_like(x, q)), axis=0), axis=1)
        return np.log(np.maximum(p[a, b], 1e-15)).sum()

    def polyserial(q):
        u, v = (high - q * c) / np.sqrt(1 - q * q), (low - q * c) / np.sqrt(1 - q * q)
        turn = np.where(v > 0, -1, 1)
        return np.log(np.maximum(turn * (norm.cdf(turn * u) - norm.cdf(turn * v)), 1e-300)).sum()

    for pair, likelihood in (("a", polychoric), ("c", polyserial)):
        best = grid[np.argmax([likelihood(q) for q in grid])]
        assert found.correlations.loc[pair, "b"] == pytest.approx(best, abs=0.006), pair
