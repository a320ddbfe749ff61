"""Exploratory factor analysis against psych, by its own definitions, and with bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from switchcost.measurement.adequacy import bartlett, kmo
from switchcost.measurement.factors import efa
from switchcost.measurement.n_factors import map_test, parallel_analysis
from switchcost.measurement.rotation import rotate

HERE = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((HERE / "efa.json").read_text())
FITS = [(name, i) for name, v in REFERENCE.items() for i in range(len(v["fits"]))]
MEASURES = (
    "chisq",
    "df",
    "pvalue",
    "rmsea",
    "rmsea_ci_lower",
    "rmsea_ci_upper",
    "tli",
    "bic",
    "rmsr",
    "objective",
)


def answers(name: str) -> pd.DataFrame:
    if name in ("corp_rep", "mobi"):
        x = sc.load(name)
    else:
        x = pd.read_csv(HERE / "data" / ("sem_costs.csv" if name == "costs" else "sem_hs.csv"))
    if name == "hs_scaled":
        x["x1"], x["x5"], x["x9"] = x["x1"] * 1000, x["x5"] / 1000, x["x9"] * 1000 + 1e6
    return x[REFERENCE[name]["items"]].dropna()


@pytest.fixture(scope="module")
def costs() -> pd.DataFrame:
    return answers("costs")


@pytest.mark.parametrize("name", list(REFERENCE))
def test_factorability_and_eigenvalues_equal_psych(name):
    want, x = REFERENCE[name], answers(name)
    assert len(x) == want["n"]
    measure, test = kmo(x), bartlett(x)
    assert measure.overall == pytest.approx(want["kmo"], abs=1e-9)
    np.testing.assert_allclose(measure.items, want["kmo_items"], atol=1e-9)
    assert test.statistic == pytest.approx(want["bartlett"], abs=1e-6)
    assert test.df == want["bartlett_df"]
    assert test.pvalue == pytest.approx(want["bartlett_p"], rel=1e-6, abs=1e-300)
    pa = parallel_analysis(x, n_iter=300)
    np.testing.assert_allclose(pa.table["components"], want["eigenvalues"], atol=1e-9)
    np.testing.assert_allclose(pa.table["factors"], want["eigenvalues_smc"], atol=1e-9)
    # the reference percentiles are themselves random: 1,000 data sets of raw normal answers
    np.testing.assert_allclose(pa.table["components_chance"], want["chance_95"], atol=0.03)
    if want["parallel_components"]:
        assert pa.n_components == want["parallel_components"]
    np.testing.assert_allclose(map_test(x).table["squared"].iloc[1 : 1 + len(want["map"])], want["map"], atol=1e-9)


@pytest.mark.parametrize(("name", "i"), FITS)
def test_loadings_phi_and_fit_equal_psych(name, i):
    want, x = REFERENCE[name]["fits"][i], answers(name)
    got = efa(x, want["k"], want["method"], want["rotation"], n_starts=2)
    assert got.converged
    shape = got.loadings.shape
    np.testing.assert_allclose(got.loadings, np.reshape(want["loadings"], shape), atol=1e-6)
    np.testing.assert_allclose(got.phi, np.reshape(want["phi"], (want["k"], want["k"])), atol=1e-6)
    np.testing.assert_allclose(got.communalities, np.ravel(want["communality"]), atol=1e-6)
    np.testing.assert_allclose(got.scores(x).iloc[0], np.ravel(want["scores_first"]), atol=1e-5)
    for m in MEASURES:
        assert got.measures[m] == pytest.approx(want[m], abs=1e-6), m


def test_phi_communalities_and_order_belong_together(costs):
    got = efa(costs, 8, n_starts=1)
    model = got.loadings @ got.phi @ got.loadings.T
    np.testing.assert_allclose(np.diag(model), got.communalities)
    np.testing.assert_allclose(got.structure, got.loadings @ got.phi)
    raw = efa(costs, 8, rotation="none")
    np.testing.assert_allclose(model, raw.loadings @ raw.loadings.T, atol=1e-9)  # rotation changes no fit
    assert (np.diff(got.variance["sum_of_squares"]) <= 0).all()
    assert (got.loadings.sum() > 0).all()
    assert got.variance["sum_of_squares"].sum() == pytest.approx(got.communalities.sum())


def test_column_order_and_direction_of_items_change_nothing_but_themselves(costs):
    x = costs.iloc[:, :14]
    a = efa(x, 3)
    b = efa(x[x.columns[::-1]].assign(er1=6 - x["er1"]), 3)
    np.testing.assert_allclose(a.communalities, b.communalities[a.communalities.index], atol=1e-8)
    np.testing.assert_allclose(a.loadings.abs(), b.loadings.loc[a.loadings.index].abs(), atol=1e-6)


def test_recovers_the_facets(costs):
    pattern = efa(costs, 8, n_starts=3).loadings
    home = pattern.abs().idxmax(axis=1)
    facet = pd.Series({i: i[:2] for i in pattern.index})
    assert (home.groupby(facet).agg(lambda h: h.value_counts().iloc[0] / len(h)) >= 0.75).all()


def test_random_starts_are_never_worse_and_repeat(costs):
    unrotated = efa(costs, 8, rotation="none").loadings.to_numpy()
    one = rotate(unrotated, "oblimin", n_starts=1)[2].criterion
    many = rotate(unrotated, "oblimin", n_starts=6, seed=2)
    assert many[2].criterion <= one + 1e-9
    np.testing.assert_array_equal(many[0], rotate(unrotated, "oblimin", n_starts=6, seed=2)[0])


def test_normalisation_is_a_choice(costs):
    x = costs.iloc[:, :14]
    default, kaiser = efa(x, 3), efa(x, 3, normalize=True)
    assert np.abs(default.loadings - kaiser.loadings).to_numpy().max() > 1e-4
    np.testing.assert_allclose(default.communalities, kaiser.communalities, atol=1e-8)


def test_matrix_and_answers_agree():
    x = answers("mobi")
    raw, matrix = efa(x, 2), efa(x.cov(), 2, n_obs=len(x))
    np.testing.assert_allclose(raw.loadings, matrix.loadings, atol=1e-7)
    np.testing.assert_allclose(raw.measures, matrix.measures, atol=1e-6)
    assert np.isnan(efa(x.corr(), 2).measures["chisq"])
    assert kmo(x.corr()).overall == pytest.approx(kmo(x).overall)


def test_parallel_analysis_finds_nothing_in_noise_and_repeats():
    rng = np.random.default_rng(4)
    found = [parallel_analysis(rng.normal(size=(200, 12)), n_iter=100, seed=i).n_components for i in range(60)]
    assert np.mean(np.array(found) > 0) < 0.15
    x = answers("hs")
    assert parallel_analysis(x, seed=3).table.equals(parallel_analysis(x, seed=3).table)
    assert parallel_analysis(x, draws="permute", n_iter=200).n_components == 3


def test_scree_plot_draws():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    pa = parallel_analysis(answers("hs"), n_iter=50)
    for kind in ("components", "factors"):
        ax = pa.plot(kind, ax=plt.subplots()[1])
        assert len(ax.lines[0].get_ydata()) == 9
    plt.close("all")


def test_bootstrap_intervals_hold_the_population_loadings():
    rng = np.random.default_rng(2)
    pattern = np.zeros((12, 3))
    pattern[np.arange(12), np.arange(12) // 4] = 0.7
    phi = np.full((3, 3), 0.4) + 0.6 * np.eye(3)
    common = pattern @ phi @ pattern.T
    root = np.linalg.cholesky(common + np.diag(1 - np.diag(common)))
    hits = []
    for _ in range(8):
        got = efa(rng.normal(size=(300, 12)) @ root.T, 3).bootstrap(100, seed=1)
        got = got[got["op"] == "~~"]
        hits += list((got["ci_lower"] <= 0.4) & (0.4 <= got["ci_upper"]))
    assert np.mean(hits) >= 0.8
    x = answers("hs")
    a, b = (efa(x, 3).bootstrap(60, seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(a, b)
    assert ((a["ci_lower"] <= a["est"]) & (a["est"] <= a["ci_upper"])).mean() > 0.9


def test_heywood_case_is_said():
    got = efa(answers("corp_rep"), 4, n_starts=1)
    assert got.heywood == ("cusl_2",)
    assert "uniqueness of cusl_2" in got.warnings[0]
    assert got.warnings[0] in repr(got)
    assert got.warnings[0] in got._repr_html_()


GAPS = pd.DataFrame(
    np.where(np.arange(400).reshape(100, 4) % 37 == 0, np.nan, np.random.default_rng(1).normal(size=(100, 4)))
)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: efa(GAPS.rename(columns=str), 1), r"missing answers.*dropna"),
        (lambda x: kmo(GAPS.rename(columns=str)), "missing answers"),
        (lambda x: efa(x, 6), "at most 5"),
        (lambda x: efa(x, 0), "n_factors must be a whole number"),
        (lambda x: efa(x, 2.5), "whole number"),
        (lambda x: efa(x, True), "whole number"),
        (lambda x: efa(x.corr().mask(np.eye(9, k=5) > 0, 0.9), 2, n_obs=301), "not symmetric: x., x"),
        (lambda x: efa(x, 2, method="pca"), "'ml', 'minres'"),
        (lambda x: efa(x, 2, rotation="oblimn"), "Did you mean 'oblimin'"),
        (lambda x: efa(x.assign(total=x.sum(axis=1)), 2), "not positive definite"),
        (lambda x: efa(x.assign(x1=1.0), 2), "constant"),
        (lambda x: efa(x[["x1", "x2"]], 1), "at least three"),
        (lambda x: efa(x.head(8), 2), "8 complete rows for 9 items"),
        (lambda x: efa(x, 2, n_obs=12), "n_obs"),
        (lambda x: bartlett(x.corr()), "give n_obs"),
        (lambda x: kmo(x.corr().replace(1.0, np.nan)), "missing"),
        (lambda x: parallel_analysis(x.corr(), n_obs=301, draws="permute"), "raw answers"),
        (lambda x: parallel_analysis(x, percentile=0.95), "percentile"),
        (lambda x: efa(x.corr(), 2).scores(x), "raw answers"),
        (lambda x: efa(x.corr(), 2).bootstrap(), "raw answers"),
        (lambda x: map_test(x, 20), "max_components"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(answers("hs"))


@pytest.mark.parametrize(("over", "warned"), [(0.0, True), (0.2, False)])
def test_a_count_on_the_limit_of_chance_is_named(over, warned):
    """Equal correlations rho of p items have the first eigenvalue 1 + (p - 1) rho: put on its limit, and above."""
    p, n = 6, 300
    limit = sc.parallel_analysis(np.eye(p), n_obs=n).table["components_chance"].iloc[0]
    rho = (limit + over - 1) / (p - 1)
    found = sc.parallel_analysis(np.full((p, p), rho) + (1 - rho) * np.eye(p), n_obs=n)
    said = [w for w in found.warnings if w.startswith("components: eigenvalue 1 ")]
    assert bool(said) == warned and ("within simulation error" in repr(found)) >= warned
