"""Fitted FactorAnalyzer objects of every kind, completed."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factor_analyzer import ConfirmatoryFactorAnalyzer, FactorAnalyzer, Rotator

import switchcost as sc

HERE = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((HERE / "efa.json").read_text())
HS = pd.read_csv(HERE / "data" / "sem_hs.csv")[REFERENCE["hs"]["items"]]
COSTS = pd.read_csv(HERE / "data" / "sem_costs.csv")[REFERENCE["costs"]["items"]].dropna()

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")
OBLIQUE = ("promax", "oblimin", "quartimin", "geomin_obl")
ORTHOGONAL = (None, "varimax", "quartimax", "equamax", "oblimax", "geomin_ort")


def fitted(data=HS, k=3, **options) -> FactorAnalyzer:
    return FactorAnalyzer(k, **options).fit(data)


@pytest.mark.parametrize("method", ["minres", "uls", "ml", "mle", "principal"])
@pytest.mark.parametrize("rotation", [*OBLIQUE, *ORTHOGONAL])
def test_rotation_changes_no_communality_and_all_parts_fit_together(method, rotation):
    fa = fitted(method=method, rotation=rotation)
    got, plain = sc.from_factor_analyzer(fa, HS), sc.from_factor_analyzer(fitted(method=method, rotation=None), HS)
    np.testing.assert_allclose(got.communalities, plain.communalities, atol=1e-8)
    np.testing.assert_allclose(got.structure, got.loadings @ got.phi)
    np.testing.assert_allclose(np.diag(got.phi), 1)
    assert (np.linalg.eigvalsh(got.phi) > 0).all()
    assert (got.loadings.sum() > 0).all()
    assert (np.diff(got.variance["sum_of_squares"]) <= 1e-12).all()
    assert list(got.loadings.index) == list(HS)
    assert got.measures["rmsr"] == pytest.approx(plain.measures["rmsr"], abs=1e-8)
    assert np.isnan(got.measures["chisq"]) == (method == "principal")
    assert got.converged
    assert bool(got.corrections) == (
        rotation in OBLIQUE or (method == "principal" and rotation is not None and rotation != "oblimax")
    )


@pytest.mark.parametrize("method", ["ml", "minres"])
def test_equals_our_own_analysis_and_so_psych(method):
    for data, k in ((HS, 3), (COSTS, 8)):
        got = sc.from_factor_analyzer(fitted(data, k, method=method, rotation="oblimin"), data)
        ours = sc.efa(data, k, method)
        np.testing.assert_allclose(got.loadings, ours.loadings, atol=2e-4)
        np.testing.assert_allclose(got.phi, ours.phi, atol=2e-4)
        np.testing.assert_allclose(got.measures, ours.measures, rtol=1e-3, atol=1e-4)


def test_what_was_put_right_is_said_with_numbers():
    fa = fitted(COSTS, 8, rotation="oblimin")
    got = sc.from_factor_analyzer(fa, COSTS)
    order, communality, variance, chisq, sorting = got.corrections
    # the reader's own check: structure is loadings times phi only after phi has been put in order
    assert np.abs(fa.loadings_ @ fa.phi_ - fa.structure_).max() > 0.1
    off = np.abs(fa.phi_ - np.linalg.lstsq(fa.loadings_, fa.structure_, rcond=None)[0])
    i, j = np.unravel_index(off.argmax(), off.shape)
    assert f"columns {min(i, j) + 1} and {max(i, j) + 1} is {fa.phi_[i, j]:.3f}" in order
    worst = (got.communalities - fa.get_communalities()).abs()
    assert worst.max() > 0.1
    assert f"{worst.idxmax()} has {got.communalities[worst.idxmax()]:.3f}" in communality
    assert f"{got.variance['proportion'].sum():.1%}" in variance
    assert f"is {got.measures['chisq']:.2f}, not {fa.sufficiency(len(COSTS))[0]:.2f}" in chisq
    assert "F2 was column 3, F3 was column 2" in sorting
    assert all(f"Put right: {c}" in repr(got) for c in got.corrections)


def test_signs_are_turned_where_factor_analyzer_left_them():
    fa = fitted(k=1, rotation=None)
    fa.loadings_ = -np.abs(fa.loadings_)
    got = sc.from_factor_analyzer(fa, HS)
    assert (got.loadings.sum() > 0).all()
    assert got.corrections == ("F1 turned, so that the loadings sum to a positive number",)


def test_intervals_scores_and_pickle():
    got = sc.from_factor_analyzer(fitted(rotation="oblimin", method="ml"), HS)
    ours = sc.efa(HS, 3)
    a, b = got.bootstrap(60, seed=4), ours.bootstrap(60, seed=4)
    np.testing.assert_allclose(a[["est", "ci_lower", "ci_upper"]], b[["est", "ci_lower", "ci_upper"]], atol=5e-3)
    np.testing.assert_allclose(got.scores(HS), ours.scores(HS), atol=1e-3)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(got)).bootstrap(20), got.bootstrap(20))
    turned = sc.from_factor_analyzer(fitted(rotation="equamax"), HS).bootstrap(20)
    assert turned.loc[turned["op"] == "~~", ["est", "ci_lower", "ci_upper"]].abs().max(axis=None) < 1e-9


def test_correlation_matrix_with_and_without_the_answers_behind_it():
    r = HS.corr()
    fa = fitted(r, rotation="promax", is_corr_matrix=True)
    raw = sc.from_factor_analyzer(fitted(rotation="promax"), HS)
    for got in (sc.from_factor_analyzer(fa, r, n_obs=len(HS)), sc.from_factor_analyzer(fa, HS)):
        np.testing.assert_allclose(got.loadings, raw.loadings, atol=1e-6)
        np.testing.assert_allclose(got.measures, raw.measures, atol=1e-4)
    alone = sc.from_factor_analyzer(fa, r)
    assert np.isnan(alone.measures["chisq"])
    assert alone.n_obs is None
    assert len(sc.from_factor_analyzer(fa, HS).bootstrap(20)) == 30


def test_filled_gaps_are_said():
    x = HS.astype(float)
    x.iloc[:40, 0] = np.nan
    x.iloc[30:50, 4] = np.nan
    for how in ("median", "mean"):
        got = sc.from_factor_analyzer(fitted(x, impute=how), x)
        assert got.n_obs == len(x)
        assert f"60 gaps in 50 of {len(x)} rows were filled with the {how} of their column" in got.warnings[0]
        assert "against the 251 complete rows" in got.warnings[0]
    got = sc.from_factor_analyzer(fitted(x, impute="drop"), x)
    assert (got.n_obs, got.sample.n_dropped) == (251, 50)
    assert got.warnings == (f"50 of {len(x)} rows have gaps and were left out",)


def test_heywood_case_and_rough_components_are_said():
    x = sc.load("corp_rep")[REFERENCE["corp_rep"]["items"]].dropna()
    got = sc.from_factor_analyzer(fitted(x, 4, method="ml", rotation=None), x)
    assert got.heywood == ("cusl_2",)
    rough = sc.from_factor_analyzer(fitted(COSTS, 8, method="principal", rotation=None), COSTS)
    assert not rough.converged
    assert "svd_method='lapack'" in rough.warnings[0]
    exact = sc.from_factor_analyzer(fitted(COSTS, 8, method="principal", rotation=None, svd_method="lapack"), COSTS)
    assert exact.converged


def test_extraction_cut_short_is_said():
    fa = fitted(rotation=None)
    fa.loadings_ = fa.loadings_ * 0.95
    assert "compare with sc.efa" in sc.from_factor_analyzer(fa, HS).warnings[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sc.from_factor_analyzer(FactorAnalyzer(3), HS), "not been fitted"),
        (lambda: sc.from_factor_analyzer(FactorAnalyzer, HS), "class itself"),
        (lambda: sc.from_factor_analyzer(ConfirmatoryFactorAnalyzer(), HS), "sc.fit"),
        (lambda: sc.from_factor_analyzer(Rotator(), HS), "give the FactorAnalyzer"),
        (lambda: sc.from_factor_analyzer(fitted().loadings_, HS), "is a ndarray"),
        (lambda: sc.from_factor_analyzer(fitted(), HS.iloc[:, :8]), "8 columns.*fitted to 9"),
        (lambda: sc.from_factor_analyzer(fitted(), HS.iloc[:200]), "not the data"),
        (lambda: sc.from_factor_analyzer(fitted(), HS[HS.columns[::-1]]), "same order"),
        (lambda: sc.from_factor_analyzer(fitted(), HS, n_obs=12), "n_obs"),
        (lambda: sc.from_factor_analyzer(fitted(), "hs.csv"), "read the file first"),
        (lambda: sc.from_factor_analyzer(fitted(), HS.corr()), "not the data|too few"),
        (
            lambda: sc.from_factor_analyzer(fitted(HS.cov(), is_corr_matrix=True, rotation=None), HS),
            "covariance matrix",
        ),
        (lambda: sc.from_factor_analyzer(fitted(HS.corr(), is_corr_matrix=True), HS.corr()).bootstrap(), "raw answers"),
    ],
)
def test_wrong_objects_and_data_are_named(call, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=message):
            call()
