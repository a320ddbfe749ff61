"""Path models from printed correlations and the band that rounding leaves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import switchcost as sc
from papercheck import matrices


def data(seed=1, n=400):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    b = 0.5 * a + rng.normal(size=n)
    c = 0.4 * a - 0.3 * b + rng.normal(size=n)
    d = 0.2 * a + 0.3 * c + rng.normal(size=n)
    return pd.DataFrame({"a": a, "b": b, "c": c, "d": d})


def test_equals_regression_of_z_scores():
    import statsmodels.api as sm

    raw = data()
    z = (raw - raw.mean()) / raw.std()
    model = matrices.path_model(raw.corr(), {"d": ["a", "b", "c"]}, n=len(raw), decimals=8)
    ols = sm.OLS(z["d"], sm.add_constant(z[["a", "b", "c"]])).fit()
    np.testing.assert_allclose(model.paths["est"], ols.params[1:], rtol=1e-8)
    np.testing.assert_allclose(model.paths["se"], ols.bse[1:], rtol=1e-8)
    np.testing.assert_allclose(model.paths["pvalue"], ols.pvalues[1:], rtol=1e-6)
    assert model.r2.loc["d", "r2"] == pytest.approx(ols.rsquared, rel=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), decimals=st.integers(2, 3))
def test_the_band_holds_the_unrounded_result(seed, decimals):
    exact = data(seed, 80).corr()
    paths = [("a", "c"), ("b", "c"), ("a", "d"), ("c", "d")]
    truth = matrices.path_model(exact, paths, decimals=12)
    printed = matrices.path_model(exact.round(decimals), paths, decimals=decimals)
    for column, a, b in (("est", truth.paths, printed.paths), ("r2", truth.r2, printed.r2)):
        assert (a[column] >= b["low"] - 1e-12).all() and (a[column] <= b["high"] + 1e-12).all()
        assert ((b["high"] - b["low"]) < 60 * 10.0**-decimals).all()


def test_one_predictor_has_the_band_of_its_correlation():
    r = pd.DataFrame([[1, 0.276], [0.276, 1]], index=["x", "y"], columns=["x", "y"])
    model = matrices.path_model(r, [("x", "y")])
    np.testing.assert_allclose(model.paths[["low", "high"]].iloc[0].astype(float), [0.2755, 0.2765], atol=1e-12)
    np.testing.assert_allclose(model.r2[["low", "high"]].iloc[0], [0.2755**2, 0.2765**2], atol=1e-12)


def test_same_seed_same_band_and_order_of_the_published_table():
    study = sc.published("abbade2014")
    a = matrices.path_model(study["latent_correlations"], study["paths"], n=study.meta["n"])
    b = matrices.path_model(study["latent_correlations"], study["paths"], n=study.meta["n"])
    pd.testing.assert_frame_equal(a.paths, b.paths)
    assert list(a.paths["from"]) == list(study["paths"]["from"])


def test_abbade_paths_and_r2_are_within_rounding():
    study = sc.published("abbade2014")
    model = matrices.path_model(study["latent_correlations"], study["paths"])
    printed = study["paths"]["path"]
    assert ((printed + 0.0005 >= model.paths["low"] - 1e-12) & (printed - 0.0005 <= model.paths["high"] + 1e-12)).all()
    r2 = study["r2"].set_index("construct")["r2_percent"] / 100
    assert ((r2 + 0.00005 >= model.r2["low"] - 1e-12) & (r2 - 0.00005 <= model.r2["high"] + 1e-12)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.rename(columns={"b": "bb"}), "in one only: b, bb"),
        (lambda r: r.assign(a=[1, 0.9, 0.1]), "not symmetric: "),
        (lambda r: r.mask(np.eye(3) == 1, 0.7), "diagonal .* must be 1"),
        (lambda r: r.mask(abs(r - 0.3) < 1e-9), "no entry for"),
    ],
)
def test_bad_matrices(change, message):
    r = pd.DataFrame([[1, 0.3, 0.1], [0.3, 1, 0.2], [0.1, 0.2, 1]], index=list("abc"), columns=list("abc"))
    with pytest.raises(ValueError, match=message):
        matrices.correlation_matrix(change(r))


def test_triangle_is_completed():
    lower = pd.DataFrame({"construct": list("abc"), "a": ["1", ".3", ".1"], "b": ["", "1", ".2"], "c": ["", "", ""]})
    full = matrices.correlation_matrix(lower)
    assert full.loc["a", "c"] == full.loc["c", "a"] == 0.1


def test_triangle_with_texts_as_pandas_3_holds_them(texts_of_pandas_3):
    test_triangle_is_completed()


def test_bad_models():
    r = pd.DataFrame([[1, 0.3], [0.3, 1]], index=list("ab"), columns=list("ab"))
    with pytest.raises(ValueError, match="'x' is in a path and not in the matrix"):
        matrices.path_model(r, [("x", "b")])
    with pytest.raises(ValueError, match="itself among its predictors"):
        matrices.path_model(r, [("b", "b")])
    with pytest.raises(ValueError, match="too small"):
        matrices.path_model(r, [("a", "b")], n=2)
    impossible = pd.DataFrame(
        [[1, 0.9, -0.9, 0.1], [0.9, 1, 0.9, 0.1], [-0.9, 0.9, 1, 0.1], [0.1, 0.1, 0.1, 1]],
        index=list("abcd"),
        columns=list("abcd"),
    )
    with pytest.raises(ValueError, match="not positive definite"):
        matrices.path_model(impossible, {"d": ["a", "b", "c"]})
