"""Clusters and sampling weights: what they must agree with, what is drawn, and what is said about bad input.

The numbers of lavaan (weights.json) are compared in test_reference.py.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit import correction, measures
from semfit.errors import DataError, FewClusters

HERE = Path(__file__).parents[1] / "reference"
MODEL = "cost =~ c1 + c2 + c3\nsat =~ s1 + s2 + s3\nsat ~ cost"
ITEMS = ["c1", "c2", "c3", "s1", "s2", "s3"]


def shops(name: str = "shops") -> pd.DataFrame:
    return pd.read_csv(HERE / "data" / f"sem_{name}.csv")


def se(fit) -> np.ndarray:
    return fit.estimates["se"].dropna().to_numpy()


@pytest.mark.parametrize("name", ["both_fiml_groups", "both_fiml_groups_equal"])
def test_lavaans_robust_measures_follow_from_sums_of_weights_cut_to_whole_numbers(name):
    case = json.loads((HERE / "weights.json").read_text(encoding="utf8"))["cases"][name]
    fit = semfit.fit(case["model"], shops("shops_gaps"), **case["options"])
    sol = fit.solution
    info = correction.h1_information(sol)
    ours = correction.corrected(sol, info)
    cut = correction.corrected(replace(sol, data=replace(sol.data, n=[float(int(n)) for n in sol.data.n])), info)
    _, tli = measures.comparative(
        cut["chisq"], sol.df, cut["base_chisq"], sol.h1.baseline_df, ours["factor"], ours["base_factor"]
    )
    assert tli == pytest.approx(case["measures"]["tli.robust"], abs=1e-6)


def test_whole_weights_are_rows_written_so_often():
    data = shops()
    times = np.random.default_rng(1).integers(1, 4, len(data))
    weighted = semfit.fit(MODEL, data.assign(w=times), sampling_weights="w")
    longer = semfit.fit(MODEL, data.loc[data.index.repeat(times)], estimator="MLR")
    np.testing.assert_allclose(weighted.estimates["est"], longer.estimates["est"], atol=1e-6)


def test_copies_of_rows_as_clusters_are_worth_one_row():
    """Twice every row, clustered by row: the standard errors of the rows themselves, but for C / (C - 1)."""
    data = shops()
    once = semfit.fit(MODEL, data, estimator="MLR", meanstructure=True)
    twice = semfit.fit(MODEL, pd.concat([data.assign(who=data.index)] * 2), estimator="MLR", cluster="who")
    n = len(data)
    np.testing.assert_allclose(se(twice), se(once) * np.sqrt(n / (n - 1)), rtol=1e-4)
    z = [f.residuals().set_index(["lhs", "op", "rhs"])["z"].sort_index() for f in (once, twice)]
    np.testing.assert_allclose(z[1], z[0] * np.sqrt((n - 1) / n), rtol=1e-4, atol=1e-4)
    assert twice.measures["chisq_scaled"] == pytest.approx(once.measures["chisq_scaled"], rel=0.01)


@pytest.mark.parametrize("options", [{}, {"missing": "fiml"}])
def test_equal_weights_and_own_clusters_change_nothing_but_a_factor(options):
    data = shops().assign(one=7.0, who=np.arange(638))
    plain = semfit.fit(MODEL, data, estimator="MLR", meanstructure=True, **options)
    same = semfit.fit(MODEL, data, sampling_weights="one", meanstructure=True, **options)
    np.testing.assert_allclose(se(same), se(plain), rtol=1e-8)
    assert same.measures["chisq_scaled"] == pytest.approx(plain.measures["chisq_scaled"], rel=1e-8)
    own = semfit.fit(MODEL, data, cluster="who", estimator="MLR", **options)
    np.testing.assert_allclose(se(own), se(plain) * np.sqrt(638 / 637), rtol=1e-8)
    assert any("every row is a cluster of its own" in w for w in own.warnings)


def test_fit_says_what_it_took():
    fit = semfit.fit(MODEL, shops(), cluster="shop", sampling_weights="weight", group="region")
    assert fit.n_clusters == [20, 28] and fit.n_obs == [298, 340] and fit.estimator == "MLR"
    assert "20 and 28 clusters (shop), weighted by weight" in repr(fit)
    assert "20 and 28 clusters (shop)" in fit._repr_html_()
    assert semfit.fit(MODEL, shops()).n_clusters is None
    assert semfit.fit(MODEL, shops(), cluster="shop").estimator == "ML"


def test_robust_standard_errors_of_clusters_cover():
    """Mean of an item: the error of clustered data is that of the cluster means."""
    data = shops()
    fit = semfit.fit("s1 ~ 1\ns1 ~~ s2\ns2 ~ 1", data, cluster="shop")
    sums = (data["s1"] - data["s1"].mean()).groupby(data["shop"]).sum()
    C, n = len(sums), len(data)
    by_hand = np.sqrt(C / (C - 1) * (sums**2).sum()) / n
    got = fit.estimates.query("lhs == 's1' and op == '~1'")["se"].item()
    assert got == pytest.approx(by_hand, rel=1e-8)
    effects = fit.design_effects()
    row = effects.table.set_index("variable").loc["s1"]
    assert row["deff"] == pytest.approx(by_hand**2 / (data["s1"].var() / n), rel=1e-8)
    assert effects.n_clusters == 48 and effects.kish == 1.0 and 0.05 < row["icc"] < 0.5
    assert "48 clusters" in repr(effects)


def test_design_effect_of_weights_alone_is_kishs_where_the_variable_knows_nothing_of_them():
    rng = np.random.default_rng(3)
    n = 20_000
    data = pd.DataFrame(rng.normal(size=(n, 3)) + rng.normal(size=(n, 1)), columns=["a", "b", "c"])
    data["w"] = rng.choice([1.0, 4.0], n)
    effects = semfit.fit("f =~ a + b + c", data, sampling_weights="w").design_effects()
    assert effects.kish == pytest.approx(1 + data["w"].var() / data["w"].mean() ** 2, rel=1e-3)
    assert np.allclose(effects.table["deff"], effects.kish, rtol=0.05) and effects.table["icc"].isna().all()


def test_design_effects_need_a_design():
    with pytest.raises(DataError, match="need cluster= or sampling_weights="):
        semfit.fit(MODEL, shops()).design_effects()


# -- the bootstrap ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("name", "n_boot"), [("shops", 600), ("shops_gaps", 60)])
def test_bootstrap_draws_clusters(name, n_boot):
    data = shops(name)
    missing = "fiml" if "gaps" in name else "listwise"
    fit = semfit.fit("f =~ s1 + s2 + s3", data, cluster="shop", missing=missing)
    boot = fit.bootstrap(n_boot, seed=2, progress=False).estimates
    means = boot[boot["op"] == "~1"]["se"].to_numpy()
    table = fit.estimates
    robust = table[(table["op"] == "~1") & table["se"].notna()]["se"].to_numpy()
    plain = semfit.fit("f =~ s1 + s2 + s3", data, missing=missing, meanstructure=True).estimates
    rows = plain[(plain["op"] == "~1") & plain["se"].notna()]["se"].to_numpy()
    assert np.allclose(means, robust, rtol=0.12 if n_boot > 100 else 0.35)
    assert (robust > 1.3 * rows).all()


def test_bootstrap_refuses_what_it_cannot_draw():
    data = shops()
    with pytest.raises(DataError, match="does not take sampling weights"):
        semfit.fit(MODEL, data, sampling_weights="weight").bootstrap(50)
    for kind in ("bollen-stine", "parametric"):
        with pytest.raises(DataError, match=f"kind='{kind}' makes independent rows"):
            semfit.fit(MODEL, data, cluster="shop").bootstrap(50, kind=kind)


def test_invariance_takes_both():
    ladder = semfit.invariance(MODEL, shops(), "region", cluster="shop", sampling_weights="weight")
    fits = [
        semfit.fit(MODEL, shops(), group="region", group_equal=e, cluster="shop", sampling_weights="weight")
        for e in ((), "loadings")
    ]
    step = semfit.compare(*fits).table["delta_chisq"].iloc[1]
    assert ladder.table.loc["metric", "delta_chisq"] == pytest.approx(step, rel=1e-8)


def test_fits_with_and_without_clusters_are_not_compared():
    data = shops()
    free, plain = semfit.fit(MODEL, data, cluster="shop"), semfit.fit(MODEL.replace("c2", "1*c2"), data)
    with pytest.raises(DataError, match="differ in cluster= or sampling_weights="):
        semfit.compare(free, plain)


# -- bad input -------------------------------------------------------------------------------------------------------
def spoiled(column: str, value) -> pd.DataFrame:
    data = shops().astype({column: object})
    data.loc[[3, 5], column] = value
    return data.infer_objects()


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (spoiled("weight", np.nan), {"sampling_weights": "weight"}, "'weight' are missing in 2 of 638 rows used"),
        (spoiled("weight", -1.5), {"sampling_weights": "weight"}, "'weight' holds 2 negative weights .smallest -1.5."),
        (shops().assign(weight=0), {"sampling_weights": "weight"}, "all weights in column 'weight' are 0"),
        (shops(), {"sampling_weights": "wieght"}, "'wieght' is not a column of the data. Did you mean 'weight'"),
        (shops(), {"sampling_weights": ["weight"]}, "sampling_weights must be the name of one column"),
        (shops(), {"sampling_weights": "s1"}, "the sampling_weights column 's1' is also a variable of the model"),
        (shops(), {"sampling_weights": "shop"}, "'shop'"),
        (spoiled("shop", None), {"cluster": "shop"}, "'shop' is missing in 2 of 638 rows used"),
        (shops().assign(shop="a"), {"cluster": "shop"}, "'shop' holds only one value .a.; clustered"),
        (shops(), {"cluster": "region", "group": "region"}, "holds only one value in group"),
        (shops(), {"cluster": "shops"}, "cluster 'shops' is not a column of the data. Did you mean 'shop'"),
        (shops(), {"cluster": ("shop", "region")}, "cluster must be the name of one column"),
    ],
)  # fmt: skip
def test_bad_columns_are_named(data, options, words):
    with pytest.raises(DataError, match=words):
        semfit.fit(MODEL, data, **options)


@pytest.mark.parametrize("name", ["cluster", "sampling_weights"])
def test_matrices_have_no_columns(name):
    cov = shops()[ITEMS].cov()
    with pytest.raises(DataError, match=f"{name}= names a column"):
        semfit.fit(MODEL, sample_cov=cov, n_obs=638, **{name: "shop"})


def test_weight_of_zero_counts_for_nothing_and_is_said():
    data = shops()
    data.loc[:9, "weight"] = 0
    fit = semfit.fit(MODEL, data, sampling_weights="weight")
    less = semfit.fit(MODEL, data.iloc[10:], sampling_weights="weight")
    np.testing.assert_allclose(fit.estimates["est"], less.estimates["est"], atol=1e-6)
    assert any("10 rows have weight 0 in 'weight'" in w for w in fit.warnings)


@pytest.mark.parametrize(("clusters", "few"), [(19, True), (20, False)])
def test_few_clusters_are_said(clusters, few):
    data = shops()
    data["block"] = np.arange(len(data)) % clusters
    fit = semfit.fit("f =~ s1 + s2 + s3", data, cluster="block")
    found = [w for w in fit.warnings if isinstance(w, FewClusters)]
    assert [w.n for w in found] == ([clusters] if few else [])
    assert not few or "only 19 clusters" in found[0]


@pytest.mark.parametrize(("clusters", "said"), [(19, True), (20, False)])
def test_more_parameters_than_clusters_are_said(clusters, said):
    """The model has 19 free parameters with its means."""
    data = shops()
    data["block"] = np.arange(len(data)) % clusters
    fit = semfit.fit(MODEL, data, cluster="block")
    assert fit.npar == 19
    assert any("19 free parameters and" in w for w in fit.warnings) == said


def test_clusters_across_groups_are_said():
    data = shops()
    assert not any("several groups" in w for w in semfit.fit(MODEL, data, cluster="shop", group="region").warnings)
    data.loc[data.index[:60], "shop"] = "s99"
    fit = semfit.fit(MODEL, data, cluster="shop", group="region")
    assert any("1 clusters of 'shop' have rows in several groups" in w for w in fit.warnings)
