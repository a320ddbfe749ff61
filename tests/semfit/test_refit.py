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
