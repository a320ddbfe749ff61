"""Mediation against R and pingouin, and against itself."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from switchcost.core.errors import DataError

HERE = Path(__file__).parents[1] / "reference"
R = json.loads((HERE / "mediation.json").read_text())
DATA = pd.read_csv(HERE / "data" / "mediation.csv")
CALLS = {
    "simple": dict(m="m1", covariates="age"),
    "parallel": dict(m=["m1", "m2"]),
    "a": dict(m="m1", moderator="w"),
    "b": dict(m="m1", moderator="w", moderates="b"),
    "both": dict(m="m1", moderator="w", moderates="both"),
}


@pytest.mark.parametrize("name", CALLS)
def test_effects_and_intervals_equal_r(name):
    result, ref = sc.mediate(DATA, x="x", y="y", n_boot=4000, **CALLS[name]), R[name]
    table = result.table
    np.testing.assert_allclose(table["est"], ref["est"], rtol=1e-9)
    se = np.array(ref["se"])  # two bootstraps differ by chance: about 1 % of a standard error, 3 % of an end
    np.testing.assert_allclose(table["se"] / se, 1, atol=0.06)
    assert (np.abs(table["ci_lower"] - ref["lower"]) < 0.25 * se).all()
    assert (np.abs(table["ci_upper"] - ref["upper"]) < 0.25 * se).all()
    assert (result.n_obs, result.n_dropped, result.n_boot) == (R["n"], len(DATA) - R["n"], 4000)


CHAIN = dict(x="x", y="y", m=["m1", "m2"], serial=True, covariates="age")


def test_a_chain_equals_lavaan():
    ref = json.loads((HERE / "serial_mediation.json").read_text())
    result = sc.mediate(DATA, n_boot=4000, **CHAIN)
    table, se = result.table, np.array(ref["se"])
    assert table["effect"].tolist() == ["indirect"] * 3 + ["total indirect", "direct", "total"]
    assert table["mediator"].tolist() == ["m1", "m2", "m1 -> m2", "", "", ""]
    np.testing.assert_allclose(table["est"], ref["est"], atol=2e-6)
    np.testing.assert_allclose(table["se"] / se, 1, atol=0.08)
    assert (np.abs(table["ci_lower"] - ref["lower"]) < 0.25 * se).all()
    assert (np.abs(table["ci_upper"] - ref["upper"]) < 0.25 * se).all()
    assert result.n_obs == ref["n"]


def test_a_chain_is_the_product_of_statsmodels_coefficients_in_the_same_resamples():
    import statsmodels.formula.api as smf

    d = DATA.dropna().reset_index(drop=True)
    table = sc.mediate(d, n_boot=20, seed=3, **CHAIN)
    drawn = np.random.default_rng(3).multinomial(len(d), np.full(len(d), 1 / len(d)), size=20)
    for counts, own in zip(drawn, table.draws.to_numpy(), strict=True):
        rows = d.loc[np.repeat(d.index, counts)]
        m1, m2, y = (
            smf.ols(f, rows).fit().params for f in ("m1 ~ x + age", "m2 ~ x + m1 + age", "y ~ x + m1 + m2 + age")
        )
        ways = [m1["x"] * y["m1"], m2["x"] * y["m2"], m1["x"] * m2["m1"] * y["m2"]]
        np.testing.assert_allclose(own, [*ways, sum(ways), y["x"], y["x"] + sum(ways)], rtol=1e-8)


def test_a_chain_of_three_and_of_one_and_with_a_moderator():
    d = DATA.dropna()
    table = sc.mediate(d, x="x", m=["m1", "m2", "age"], y="y", serial=True, n_boot=20).table
    assert table["mediator"].tolist()[:7] == [
        "m1",
        "m2",
        "age",
        "m1 -> m2",
        "m1 -> age",
        "m2 -> age",
        "m1 -> m2 -> age",
    ]
    assert table["est"][:7].sum() == pytest.approx(table["est"][7])
    one, plain = (sc.mediate(d, x="x", m="m1", y="y", serial=s, n_boot=20).table for s in (True, False))
    pd.testing.assert_frame_equal(one, plain)
    with pytest.raises(DataError, match="serial mediators take no moderator"):
        sc.mediate(d, x="x", m=["m1", "m2"], y="y", moderator="w", serial=True)


def test_groups_as_moderator_equal_r():
    table = sc.mediate(DATA, x="x", y="y", m="m1", moderator="g", n_boot=200).table
    np.testing.assert_allclose(table["est"].iloc[:6], R["groups"]["est"], rtol=1e-9)
    assert table["at"].tolist()[:4] == ["east", "north", "west", "north - east"]
    assert table["effect"].tolist()[3:6] == ["index of moderated mediation"] * 3


def test_equals_pingouin_but_for_the_slope_without_x():
    import pingouin as pg

    complete = DATA.dropna()
    theirs = pg.mediation_analysis(complete, x="x", m=["m1", "m2"], y="y", covar="age", n_boot=50, seed=1)
    theirs = theirs.set_index("path")["coef"]
    ours = sc.mediate(DATA, x="x", m=["m1", "m2"], y="y", covariates="age", n_boot=50)
    effects, paths = (
        ours.table.set_index(["effect", "mediator"])["est"],
        ours.paths.set_index(["outcome", "term"])["est"],
    )
    for m in ("m1", "m2"):
        assert effects["indirect", m] == pytest.approx(theirs[f"Indirect {m}"], rel=1e-10)
        assert paths[m, "x"] == pytest.approx(theirs[f"{m} ~ X"], rel=1e-10)
        assert paths["y", m] != pytest.approx(theirs[f"Y ~ {m}"], rel=1e-3)
    assert effects["direct", ""] == pytest.approx(theirs["Direct"], rel=1e-10)
    assert effects["total", ""] == pytest.approx(theirs["Total"], rel=1e-10)


def test_intervals_by_hand():
    result = sc.mediate(DATA, x="x", m="m1", y="y", n_boot=500, seed=3, level=0.9)
    again = sc.mediate(DATA, x="x", m="m1", y="y", n_boot=500, seed=3, level=0.9)
    pd.testing.assert_frame_equal(result.table, again.table)
    from scipy.stats import norm

    draws, row = result.draws[0], result.table.iloc[0]
    np.testing.assert_allclose(np.quantile(draws, [0.05, 0.95]), row[["ci_lower", "ci_upper"]].astype(float))
    shift = 2 * norm.ppf((draws < row["est"]).mean())
    ends = np.quantile(draws, norm.cdf([shift + norm.ppf(0.05), shift + norm.ppf(0.95)]))
    np.testing.assert_allclose(ends, row[["bc_lower", "bc_upper"]].astype(float))
    z = DATA.dropna(subset=["x", "m1", "y"])[["x", "m1", "y"]].apply(lambda c: (c - c.mean()) / c.std())
    standard = sc.mediate(z, x="x", m="m1", y="y", n_boot=20).table
    np.testing.assert_allclose(result.table["std_all"], standard["est"])


def test_a_two_valued_moderator_is_taken_at_its_values():
    data = DATA.assign(two=(DATA["g"] == "east").astype(int))
    table = sc.mediate(data, x="x", m="m1", y="y", moderator="two", n_boot=50).table
    assert table["at"].tolist()[:2] == ["0", "1"]
    assert table["est"].iloc[2] == pytest.approx(table["est"].iloc[1] - table["est"].iloc[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(m="m9"), "m 'm9' is not a column"),
        (dict(m=[]), "names no mediator"),
        (dict(m="x"), "'x' has two roles"),
        (dict(m="g"), "m 'g' holds groups"),
        (dict(moderator="w", moderates="c"), "moderates must be one of 'a', 'b', 'both'"),
        (dict(n_boot=5), "at least 20"),
        (dict(level=95), "level must be"),
    ],
)
def test_bad_calls(change, message):
    with pytest.raises(DataError, match=message):
        sc.mediate(DATA, **(dict(x="x", m="m1", y="y") | change))


def test_it_says_what_it_did():
    result = sc.mediate(DATA.rename(columns={"m1": "<img>"}), x="x", m="<img>", y="y", moderator="g", n_boot=50)
    assert "'g' moderates path a" in repr(result) and "2 rows dropped" in repr(result)
    assert "reference group 'east'" in repr(result) and "<img>" not in result._repr_html_()


def test_paths_of_a_moderated_stage_hold_at_the_mean_of_the_moderator():
    import statsmodels.formula.api as smf

    d = DATA.dropna()
    paths = sc.mediate(d, x="x", m="m1", y="y", moderator="w", n_boot=20).paths.set_index(["outcome", "term"])["est"]
    right = smf.ols("m1 ~ x * w", d.assign(w=d["w"] - d["w"].mean())).fit().params
    for term in ("x", "w", "x:w"):
        assert paths["m1", term] == pytest.approx(right[term])


def test_a_column_named_like_a_product_is_refused():
    with pytest.raises(DataError, match="two terms of the model would be called 'x:w'"):
        sc.mediate(
            DATA.assign(**{"x:w": DATA["age"]}), x="x", m="m1", y="y", moderator="w", covariates="x:w", n_boot=20
        )
