"""The units of the items cannot matter: same chi-square and standardised solution from 1e-9 to 1e9."""

import numpy as np
import pandas as pd
import pytest

import semfit

ITEMS = [f"{a}{i}" for a in "scl" for i in (1, 2, 3)]
MODEL = "s =~ s1 + s2 + s3; c =~ c1 + c2 + c3; l =~ l1 + l2 + l3; l ~ s + c"


def survey():
    rng = np.random.default_rng(11)
    F = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], 300)
    outcome = 0.5 * F[:, 0] + 0.3 * F[:, 1] + 0.2 * F[:, 0] * F[:, 1] + rng.normal(0, 0.7, 300)
    common = np.repeat(np.column_stack([F, outcome]), 3, axis=1) * np.tile([1, 0.8, 1.2], 3)
    data = pd.DataFrame(common + rng.normal(0, 0.7, (300, 9)), columns=ITEMS)
    return data, data.mask(rng.random(data.shape) < 0.1), np.where(rng.random(300) < 0.5, "a", "b")


def analyses(unit=1.0, columns=()):
    """chi-square and standardised estimates of four analyses of data with some columns in other units."""
    data, gaps, school = survey()
    factor = pd.Series(1.0, ITEMS)
    factor[list(columns)] = unit
    data, gaps = data * factor, gaps * factor
    fits = {
        "ML": semfit.fit(MODEL, data),
        "FIML": semfit.fit(MODEL, gaps, missing="fiml"),
        "groups": semfit.fit(
            MODEL, data.assign(g=school), group="g", group_equal=["loadings", "intercepts"], estimator="MLR"
        ),
    }
    out = {k: (f.measures["chisq"], f.standardized()["est"], f.converged) for k, f in fits.items()}
    latent = semfit.latent_interaction(MODEL, data, x="s", moderator="c", y="l")
    out["interaction"] = (latent.lr_test["chisq_diff"].iloc[0], latent.estimates["std_all"], latent.converged)
    return out


@pytest.fixture(scope="module")
def plain():
    return analyses()


@pytest.mark.parametrize("columns", [["s1"], ["s1", "c1", "l1"], ["s2"], ITEMS], ids=["one", "markers", "other", "all"])
@pytest.mark.parametrize("unit", [1e-9, 3e5, 1e9])
def test_units_cannot_matter(plain, unit, columns):
    for name, (chisq, std, converged) in analyses(unit, columns).items():
        assert converged, name
        assert chisq == pytest.approx(plain[name][0], abs=1e-5), name
        np.testing.assert_allclose(std, plain[name][1], atol=1e-6, err_msg=name)
