"""Cut-offs of fit for one's own model, and fit that the data can vouch for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ncx2

import semfit
from semfit.cutoffs import fit_cutoffs, t_size
from semfit.errors import DataError, ModelSyntaxError

HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "data" / "sem_hs.csv")
THREE = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6; speed =~ x7 + x8 + x9"
TWO = "visual =~ x1 + x2 + x3; textual =~ x4 + x5 + x6"


@pytest.mark.parametrize(("estimator", "tail"), [("ML", ""), ("MLR", "_scaled")])
def test_t_size_inverts_the_noncentral_chi_square(estimator, tail):
    fit = semfit.fit(THREE, HS, estimator=estimator)
    found, m, n = t_size(fit), fit.measures, len(HS)
    lam = found.rmsea**2 * m["df"] * n
    assert ncx2.cdf(m[f"chisq{tail}"], m["df"], lam) == pytest.approx(0.05, abs=1e-6)
    assert found.cfi < m["cfi"] and found.rmsea > m["rmsea"]
    ratio = 1 - found.cfi  # d / d0, with d at .025 below and d0 at .975 below
    d = ncp(m[f"chisq{tail}"], m["df"], 0.025)
    assert ratio == pytest.approx(d / ncp(m[f"baseline_chisq{tail}"], m["baseline_df"], 0.975), rel=1e-4)
    assert "T-size RMSEA" in repr(found)


def ncp(chisq: float, df: float, p: float) -> float:
    """By bisection on scipy's own distribution."""
    low, high = 1e-9, 10 * chisq
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if ncx2.cdf(chisq, df, middle) > p else (low, middle)
    return low


def test_t_size_needs_degrees_of_freedom():
    with pytest.raises(DataError, match="no degrees of freedom"):
        t_size(semfit.fit("visual =~ x1 + x2 + x3", HS))
    with pytest.raises(DataError, match="alpha must lie between 0 and 1"):
        t_size(semfit.fit(TWO, HS), alpha=5)


def test_a_large_omission_is_told_apart_and_a_tiny_one_is_not():
    fit = semfit.fit(TWO, HS)
    large, tiny = (fit_cutoffs(fit, f"textual =~ {b}*x2", n_rep=300).table for b in (0.5, 0.02))
    assert (large["right_rejected"] < 0.05).all() and (tiny["right_rejected"] > 0.5).all()
    assert large.loc["cfi", "cutoff"] < 1 and large.loc["rmsea", "cutoff"] > 0.05
    np.testing.assert_allclose(large["observed"], fit.measures[["srmr", "rmsea", "cfi"]])


def test_cutoffs_catch_what_they_promise():
    """Of new samples with the omission about 95 % lie beyond the cut-off."""
    fit = semfit.fit(TWO, HS)
    first, second = (fit_cutoffs(fit, "x1 ~~ 0.2*x4", n_rep=400, seed=s).table["cutoff"] for s in (1, 2))
    np.testing.assert_allclose(first, second, atol=0.012)


@pytest.mark.parametrize(
    ("options", "missed", "error", "words"),
    [
        ({}, "textual =~ x1", ModelSyntaxError, "a population needs a number here"),
        ({}, "visual =~ 0.3*x1", DataError, "is in the model already"),
        ({}, "textual =~ 0.95*x3", DataError, "explain"),
        ({"group": "school"}, "textual =~ 0.3*x1", DataError, "one group"),
        ({"missing": "fiml"}, "textual =~ 0.3*x1", DataError, "without gaps"),
    ],
)
def test_what_cannot_be_simulated_is_said(options, missed, error, words):
    with pytest.raises(error, match=words):
        fit_cutoffs(semfit.fit(TWO, HS, **options), missed)
