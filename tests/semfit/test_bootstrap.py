"""The bootstrap of structural models: against brute force, against theory, and against its own promises."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from semfit.resampling import weighted_moments

DATA = Path(__file__).parents[1] / "reference" / "data"
HS = pd.read_csv(DATA / "sem_hs.csv")
THREE = """
    visual  =~ x1 + x2 + x3
    textual =~ x4 + x5 + x6
    speed   =~ x7 + x8 + x9"""
PATH = (
    THREE
    + """
    textual ~ a*visual
    speed ~ b*textual + c*visual
    indirect := a*b"""
)


@pytest.fixture(scope="module")
def hs():
    return sc.fit(THREE, HS)


@pytest.fixture(scope="module")
def path():
    return sc.fit(PATH, HS)


def test_moments_of_resamples_equal_those_of_the_drawn_rows():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(5000, 4)) @ rng.normal(size=(4, 4))
    index = rng.integers(5000, size=(3, 5000))
    counts = np.array([np.bincount(i, minlength=5000) for i in index], dtype=float)
    mean, cov = weighted_moments(X, counts)
    for b in range(3):
        np.testing.assert_allclose(mean[b], X[index[b]].mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(cov[b], np.cov(X[index[b]].T, ddof=0), atol=1e-11)


def test_every_draw_is_the_fit_of_its_rows(path):
    boot = path.bootstrap(20, seed=11)
    for b, seed in enumerate(np.random.SeedSequence(11).spawn(6)):
        rows = np.random.default_rng(seed).integers(len(HS), size=len(HS))
        single = sc.fit(PATH, HS.iloc[rows].reset_index(drop=True))
        free = single.estimates["se"].notna()
        np.testing.assert_allclose(boot.draws.iloc[b], single.estimates.loc[free, "est"], atol=1e-5)
        assert boot.chisq.iloc[b] == pytest.approx(single.measures["chisq"], abs=1e-5)


def test_same_seed_same_numbers_whatever_the_chunks_and_jobs(path, monkeypatch):
    once = path.bootstrap(40, seed=3)
    monkeypatch.setattr("semfit.bootstrap.BATCH", 7)
    again = path.bootstrap(40, seed=3, n_jobs=2)
    pd.testing.assert_frame_equal(once.draws, again.draws, rtol=1e-6, atol=1e-7)
    assert not np.allclose(once.draws, path.bootstrap(40, seed=4).draws)


def test_standard_errors_agree_with_the_sandwich():
    robust = sc.fit(
        "f =~ f1 + f2 + f3\n g =~ g1 + g2 + g3",
        pd.read_csv(DATA / "sem_skew.csv"),
        estimator="MLR",
        meanstructure=False,
    )
    boot = robust.bootstrap(1000, seed=5)
    both = boot.estimates.merge(robust.estimates, on=["lhs", "op", "rhs"], suffixes=("", "_mlr"))
    assert len(both) == len(boot.estimates)
    ratio = both["se"] / both["se_mlr"]
    assert ratio.between(0.88, 1.15).all()
    assert abs(ratio.mean() - 1) < 0.06
    assert (both["ci_lower"] < both["est"]).all() and (both["est"] < both["ci_upper"]).all()


def test_defined_parameter_is_the_product_of_its_parts_in_every_draw(path):
    draws = path.bootstrap(30, seed=6).draws
    np.testing.assert_allclose(
        draws["indirect := a*b"], draws["textual ~ visual"] * draws["speed ~ textual"], rtol=1e-10
    )


def test_standardised_draws_have_rows_for_markers_too(hs):
    boot = hs.bootstrap(50, seed=2)
    rows = boot.standardized.query("op == '=~'")
    assert len(rows) == 9 and (rows["se"] > 0).all()
    want = hs.estimates.set_index(["lhs", "op", "rhs"])["std_all"]
    for r in rows.itertuples():
        assert r.est == pytest.approx(want[r.lhs, r.op, r.rhs], abs=1e-10)


def test_parametric_and_bollen_stine_obey_the_model(hs):
    # Normal resamples of the fitted model: mean chi-square is near df = 24 and standard errors are the normal ones.
    boot = hs.bootstrap(800, seed=9, kind="parametric")
    assert boot.chisq.mean() == pytest.approx(24, abs=1.5)
    both = boot.estimates.merge(hs.estimates, on=["lhs", "op", "rhs"], suffixes=("", "_ml"))
    assert ((both["se"] / both["se_ml"]).between(0.85, 1.2)).all()
    assert boot.pvalue < 0.01  # chi-square 85.3 with 24 df
    stine = hs.bootstrap(400, seed=9, kind="bollen-stine")
    assert stine.chisq.mean() == pytest.approx(24, abs=4)
    assert stine.pvalue < 0.02


def test_bollen_stine_does_not_reject_a_true_model():
    rng = np.random.default_rng(12)
    f = rng.normal(size=(400, 1))
    skewed = np.exp(0.5 * (f + rng.normal(size=(400, 5))))
    fit = sc.fit("f =~ x1 + x2 + x3 + x4 + x5", pd.DataFrame(skewed, columns=[f"x{i}" for i in range(1, 6)]))
    boot = fit.bootstrap(300, seed=1, kind="bollen-stine")
    assert 0.02 < boot.pvalue <= 1
    units = pd.DataFrame(skewed * [1000, 1, 0.001, 1, 1], columns=[f"x{i}" for i in range(1, 6)])
    twin = sc.fit("f =~ x1 + x2 + x3 + x4 + x5", units).bootstrap(300, seed=1, kind="bollen-stine")
    assert twin.pvalue == boot.pvalue  # the units of the items do not matter


def test_bias_corrected_interval_by_hand(path):
    from scipy.stats import norm

    boot = path.bootstrap(500, seed=8)
    row = boot.estimates[boot.estimates["op"] == ":="].iloc[0]
    draws = boot.draws["indirect := a*b"]
    z0 = norm.ppf((draws < row["est"]).mean())
    want = np.quantile(draws, norm.cdf(2 * z0 + norm.ppf([0.025, 0.975])))
    np.testing.assert_allclose(row[["bc_lower", "bc_upper"]].astype(float), want, rtol=1e-10)


def test_functions_of_the_fit(hs):
    def loading(f):
        return f.estimates.query("lhs == 'visual' and rhs == 'x2'")["std_all"].iloc[0]

    boot = hs.bootstrap(
        60,
        seed=4,
        functions={
            "ave": "ave",
            "omega": "omega",
            "htmt": "htmt",
            "x2": loading,
            "r2": lambda f: f.r2[["x1", "x9"]],
            "r12": lambda f: f.sample_cov.loc["x1", "x2"],
        },
    )
    t = boot.functions.set_index(["function", "name"])
    std = hs.estimates.query("op == '=~'")
    ave = (std["std_all"] ** 2).groupby(std["lhs"]).mean()
    assert t.loc[("ave", "textual"), "est"] == pytest.approx(ave["textual"], abs=1e-8)
    assert t.loc[("x2", ""), "se"] == pytest.approx(
        boot.standardized.query("rhs == 'x2' and op == '=~'")["se"].iloc[0], rel=1e-8
    )
    reference = json.loads((DATA.parent / "sem_functions.json").read_text(encoding="utf8"))
    for function in ("omega", "htmt"):
        for name, value in reference[function].items():
            assert t.loc[(function, name), "est"] == pytest.approx(value, abs=1e-6)
    assert ("r2", "x9") in t.index and t.loc[("r12", ""), "est"] == pytest.approx(
        HS[["x1", "x2"]].cov(ddof=0).iloc[0, 1]
    )


def test_groups_are_resampled_within():
    fit = sc.fit(THREE, HS, group="school", group_equal=["loadings"])
    boot = fit.bootstrap(30, seed=7, functions="ave")
    assert boot.n_converged == 30
    assert {"ave"} == set(boot.functions["function"]) and len(boot.functions) == 6
    loadings = boot.draws[["visual =~ x2", "visual =~ x2 (group 2)"]]
    np.testing.assert_allclose(loadings.iloc[:, 0], loadings.iloc[:, 1])


def test_missing_values_are_refitted_by_full_information():
    data = pd.read_csv(DATA / "sem_mar.csv")
    model = "sat =~ s1 + s2 + s3\n tru =~ t1 + t2 + t3\n tru ~ sat"
    fit = sc.fit(model, data, missing="fiml")
    boot = fit.bootstrap(20, seed=1)
    assert boot.n_converged == 20 and boot.chisq.isna().all() and np.isnan(boot.pvalue)
    rows = np.random.default_rng(np.random.SeedSequence(1).spawn(20)[4]).integers(len(data), size=len(data))
    single = sc.fit(model, data.iloc[rows].reset_index(drop=True), missing="fiml")
    free = single.estimates["se"].notna()
    np.testing.assert_allclose(boot.draws.iloc[4], single.estimates.loc[free, "est"], atol=1e-5)
    with pytest.raises(ValueError, match="complete rows"):
        fit.bootstrap(20, kind="bollen-stine")


def test_failures_are_counted_and_named():
    # Twelve rows and one odd answer: a third of the resamples has a constant item, so that its covariances are singular.
    rng = np.random.default_rng(3)
    f = rng.normal(size=(12, 1))
    data = pd.DataFrame(f + 0.7 * rng.normal(size=(12, 3)), columns=["a", "b", "c"])
    data["c"] = [1.0] + [0.0] * 11
    boot = sc.fit("f =~ a + b + c", data).bootstrap(200, seed=1)
    assert boot.n_failed == sum(boot.failures.values()) > 40
    assert boot.n_converged == 200 - boot.n_failed == len(boot.draws)
    assert "singular" in repr(boot) and "more than 5 % of the resamples failed" in boot._repr_html_()


def test_from_a_covariance_matrix():
    cov = HS[[f"x{i}" for i in range(1, 10)]].cov()
    fit = sc.fit(THREE, sample_cov=cov, n_obs=301)
    assert fit.bootstrap(20, seed=1, kind="parametric").n_converged == 20
    with pytest.raises(ValueError, match="covariance matrix; use kind='parametric'"):
        fit.bootstrap(20)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kind": "wild"}, "kind must be one of"),
        ({"n_boot": 1}, "n_boot must be a whole number"),
        ({"seed": "x"}, "seed must be a whole number"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"functions": "alpha"}, "function 'alpha' must be callable or one of 'ave', 'omega', 'htmt'"),
    ],
)
def test_bad_options(hs, options, match):
    with pytest.raises(ValueError, match=match):
        hs.bootstrap(**options)
