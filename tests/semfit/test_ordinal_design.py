"""Ordered items with sampling weights and clusters (tests/reference/ordinal_weights.R)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import DataError, FewClusters

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = {c["name"]: c for c in json.loads((REFERENCE / "ordinal_weights.json").read_text())}
MODEL = "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3"


def load(name: str = "shops") -> pd.DataFrame:
    data = pd.read_csv(REFERENCE / "data" / f"ordinal_{name}.csv")
    row = np.arange(1, len(data) + 1)
    return data if name == "shops" else data.assign(w=1 + (37 * row) % 23 / 10, shop=(17 * row) % 41)


@cache
def fitted(name: str) -> semfit.Fit:
    case = STORED[name]
    return semfit.fit(case["model"], load(case["set"]), **case["options"])


@pytest.mark.parametrize("name", STORED)
def test_numbers_are_lavaans(name, keyed):
    """With clusters: those that lavaan finds once its own scores are summed by cluster (see the script)."""
    fit, case = fitted(name), STORED[name]
    assert fit.converged and fit.estimator == "WLSMV"
    pairs = [(case["estimates"], fit.estimates, "est"), (case["standardized"], fit.standardized(), "est.std")]
    for theirs, ours, column in pairs:
        theirs = keyed(theirs)
        ours = keyed(ours).loc[theirs.index]
        np.testing.assert_allclose(ours["est"], theirs[column].astype(float), atol=1e-4, rtol=1e-4)
        np.testing.assert_allclose(ours["se"].fillna(0.0), theirs["se"].astype(float), atol=1e-4, rtol=1e-3)
    theirs = {k.replace(".", "_"): v for k, v in case["measures"].items()}
    for key, value in fit.measures.drop(["chisq_shift_parameter", "ntotal"]).items():
        expected = np.nan if theirs[key] is None else float(theirs[key])
        np.testing.assert_allclose(value, expected, atol=1e-3, rtol=1e-3, equal_nan=True, err_msg=key)


def test_whole_weights_are_rows_written_so_often():
    data = load()
    times = np.random.default_rng(1).integers(0, 4, len(data))
    weighted = semfit.fit(MODEL, data.assign(w=times), ordered=True, sampling_weights="w")
    longer = semfit.fit(MODEL, data.loc[data.index.repeat(times)], ordered=True)
    s = [f.solution.samples[0] for f in (weighted, longer)]
    np.testing.assert_allclose(s[0].vector, s[1].vector, atol=1e-10)
    assert any("rows have weight 0" in w for w in weighted.warnings)


def test_copies_of_rows_as_clusters_are_worth_one_row():
    data = load()
    once = semfit.fit(MODEL, data, ordered=True)
    twice = semfit.fit(MODEL, pd.concat([data.assign(who=data.index)] * 2), ordered=True, cluster="who")
    n = len(data)
    factor = np.sqrt(n / (n - 1) * (2 * n) / (2 * n - 1) * (n - 1) / n)  # C / (C - 1), and lavaan's N - 1
    np.testing.assert_allclose(twice.estimates["est"], once.estimates["est"], atol=1e-7)
    np.testing.assert_allclose(twice.estimates["se"], once.estimates["se"] * factor, rtol=1e-5)
    assert twice.measures["chisq_scaled"] == pytest.approx(once.measures["chisq_scaled"], rel=0.01)
    z = [f.residuals().set_index(["lhs", "op", "rhs"])["z"].sort_index() for f in (once, twice)]
    np.testing.assert_allclose(z[1], z[0], rtol=0.01, atol=0.01)


def test_clusters_change_no_estimate_and_equal_weights_nothing():
    data = load().assign(one=3.0, who=np.arange(900))
    plain = semfit.fit(MODEL, data, ordered=True)
    clustered = semfit.fit(MODEL, data, ordered=True, cluster="shop")
    np.testing.assert_allclose(clustered.estimates["est"], plain.estimates["est"], atol=1e-9)
    thresholds = plain.estimates["op"] == "|"
    ratio = clustered.estimates["se"][thresholds] / plain.estimates["se"][thresholds]
    assert ratio.mean() > 1.2
    same = semfit.fit(MODEL, data, ordered=True, sampling_weights="one")
    np.testing.assert_allclose(same.estimates["se"], plain.estimates["se"], rtol=1e-9)
    own = semfit.fit(MODEL, data, ordered=True, cluster="who")
    np.testing.assert_allclose(own.estimates["se"], plain.estimates["se"] * np.sqrt(900 / 899), rtol=1e-9)
    assert any("every row is a cluster of its own" in w for w in own.warnings)


def test_mixed_variables_keep_the_weights_of_their_rows():
    """The search weighs the statistics as without clusters, also where a covariance is of continuous variables."""
    options = {"ordered": ["x1", "x2", "y1", "y3"]}
    model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
    plain = semfit.fit(model, load("mixed"), **options)
    clustered = semfit.fit(model, load("mixed"), cluster="shop", **options)
    np.testing.assert_allclose(clustered.solution.weights[0], plain.solution.weights[0], rtol=1e-10)


def test_the_bootstrap_draws_clusters():
    data = load()
    fit = semfit.fit("f =~ x1 + x2 + x3 + x4", data, ordered=True, cluster="shop")
    boot = fit.bootstrap(400, seed=3, progress=False)
    assert boot.n_converged == 400
    se = [t.set_index(["lhs", "op", "rhs"])["se"].dropna() for t in (boot.estimates, fit.estimates)]
    np.testing.assert_allclose(se[0], se[1].reindex(se[0].index), rtol=0.2)
    with pytest.raises(DataError, match="does not take sampling weights"):
        semfit.fit("f =~ x1 + x2 + x3 + x4", data, ordered=True, sampling_weights="w").bootstrap(50)


def test_the_page_and_invariance_take_both():
    data = load()
    options = {"cluster": "shop", "sampling_weights": "w", "ordered": True}
    fit = semfit.fit(MODEL, data, **options)
    assert f"{data['shop'].nunique()} clusters (shop), weighted by w" in repr(fit) and fit.n_obs == 900
    assert fit.design_effects().table["deff"].gt(1).all()
    ladder = semfit.invariance(MODEL, data, "region", **options)
    plain = semfit.invariance(MODEL, data, "region", ordered=True)
    assert not np.allclose(ladder.table["delta_chisq"].dropna(), plain.table["delta_chisq"].dropna(), rtol=0.01)
    assert list(ladder.table.index) == list(plain.table.index)


def test_a_category_that_only_rows_of_weight_zero_hold_is_named():
    data = load()
    data.loc[data["x1"] == 5, "w"] = 0
    with pytest.raises(DataError, match="nobody answered x1 with 5"):
        semfit.fit(MODEL, data, ordered=True, sampling_weights="w")


def test_few_clusters_are_named():
    data = load().assign(shop=lambda d: d["shop"] % 8)
    fit = semfit.fit("f =~ x1 + x2 + x3 + x4", data, ordered=True, cluster="shop")
    notes = [w for w in fit.warnings if isinstance(w, FewClusters)]
    assert any("only 8 clusters" in w for w in notes) and any("20 free parameters and 8 clusters" in w for w in notes)
