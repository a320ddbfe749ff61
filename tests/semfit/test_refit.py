"""One model, many samples: the batch gives what single fits give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from semfit import refit

MODEL = "satisfaction =~ sat1 + sat2 + sat3\ntrust =~ tr1 + tr2 + tr3"
COLUMNS = ["sat1", "sat2", "sat3", "tr1", "tr2", "tr3", "contract"]


@pytest.fixture(scope="module")
def samples():
    d = sc.simulate.survey(n=2000, seed=9, faults=False, columns=COLUMNS)
    parts = [d.iloc[k * 200 : (k + 1) * 200] for k in range(10)]
    return [pd.concat([p[p["contract"] == g].head(80) for g in ("contract", "prepaid")]) for p in parts]


@pytest.mark.parametrize("options", [{}, {"group": "contract", "group_equal": ["loadings", "intercepts"]}])
def test_batch_equals_single_fits(samples, options):
    many = refit(sc.fit(MODEL, samples[0], **options), samples)
    for k in (0, 4, 9):
        one = sc.fit(MODEL, samples[k], **options)
        names = ["chisq", "df", "pvalue", "cfi", "rmsea", "srmr"]
        np.testing.assert_allclose(many.measures.loc[k, names].astype(float), one.measures[names], rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(many.estimates.loc[k], one.estimates["est"], atol=1e-5)
        np.testing.assert_allclose(many.standardized.loc[k], one.estimates["std_all"], atol=1e-5)
    assert many.measures["converged"].all()


def test_improper_solutions_are_marked():
    rng = np.random.default_rng(3)
    samples = [pd.DataFrame(rng.standard_normal((60, 6)), columns=COLUMNS[:6]) for _ in range(30)]
    start = sc.fit(MODEL, sc.simulate.survey(n=60, seed=1, faults=False, columns=COLUMNS))
    many = refit(start, samples)
    for k in np.flatnonzero(many.measures["converged"])[:10]:
        one = sc.fit(MODEL, samples[k])
        told = any("Heywood" in w or "beyond 1" in w for w in one.warnings)
        if abs(one.measures["chisq"] - many.measures.loc[k, "chisq"]) < 1e-6:
            assert many.measures.loc[k, "proper"] == (not told)
    assert not many.measures["proper"].all()


THREE = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3"
ITEMS = [f"{f}{k}" for f in "abc" for k in (1, 2, 3)]


def test_latents_that_are_not_positive_definite_are_improper():
    """Correlations .9, .9 and .1 exist two by two and not together: no pair alone gives it away."""
    phi = np.array([[1, 0.75, 0.75], [0.75, 1, 0.05], [0.75, 0.05, 1]])  # smallest eigenvalue -0.04
    sigma = np.kron(phi, np.ones((3, 3))) * 0.8 + 0.2 * np.eye(9)
    assert np.linalg.eigvalsh(phi)[0] < 0 < np.linalg.eigvalsh(sigma + 0.05 * np.eye(9))[0]
    rng = np.random.default_rng(2)
    z = rng.standard_normal((300, 9))
    z = (z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T, bias=True))).T
    bad = pd.DataFrame(z @ np.linalg.cholesky(sigma + 0.05 * np.eye(9)).T, columns=ITEMS)
    f = rng.standard_normal((300, 3))
    good = pd.DataFrame(np.repeat(f, 3, axis=1) + rng.standard_normal((300, 9)), columns=ITEMS)
    start = sc.fit(THREE, good)
    alone = sc.fit(THREE, bad)
    assert any("latents is not positive definite" in w for w in alone.warnings)
    assert not any("beyond 1" in w or "Heywood" in w for w in alone.warnings)
    assert refit(start, [good, bad]).measures["proper"].tolist() == [True, False]


def test_residuals_that_are_not_positive_definite_are_improper():
    model = "f =~ x3 + x4 + x5 + x6 + x1 + x2\nx1 ~~ x2"
    loadings = np.array([0.9, 0.3, 0.7, 0.7, 0.7, 0.7])
    sigma = np.outer(loadings, loadings) + 0.5 * np.eye(6)
    sigma[0, 1] = sigma[1, 0] = 0.27 + 0.52  # a residual correlation of 1.04
    data = []
    for S in (sigma, np.outer(loadings, loadings) + 0.5 * np.eye(6)):
        z = np.random.default_rng(4).standard_normal((400, 6))
        z = (z - z.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T, bias=True))).T
        data.append(pd.DataFrame(z @ np.linalg.cholesky(S).T, columns=[f"x{k}" for k in range(1, 7)]))
    assert sc.fit(model, data[0]).warnings == ["the covariance matrix of the residuals is not positive definite"]
    assert refit(sc.fit(model, data[1]), data).measures["proper"].tolist() == [False, True]


def test_bad_samples_are_named(samples):
    start = sc.fit(MODEL, samples[0])
    with pytest.raises(ValueError, match="differ in size"):
        refit(start, [samples[0], samples[1].head(100)])
    with pytest.raises(ValueError, match="missing values"):
        refit(
            start,
            [samples[0].assign(sat1=np.nan).fillna({"sat1": samples[0]["sat1"].where(lambda s: s > 1)})],
        )
    with pytest.raises(ValueError, match="no samples"):
        refit(start, [])
