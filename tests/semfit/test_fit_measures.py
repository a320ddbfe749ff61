"""Limits of RMSEA and what CFI does at its ends, from the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import chndtr

from semfit.measures import comparative, noncentrality, rmsea


@pytest.mark.parametrize(("chisq", "df"), [(18.6, 10), (19.5, 10), (40.0, 10), (300.0, 120)])
@pytest.mark.parametrize("groups", [1, 3])
def test_the_limits_of_rmsea_are_the_noncentralities_of_five_and_ninety_five_percent(chisq, df, groups):
    n = 400
    found = rmsea(chisq, df, n, groups)
    for name, probability in (("_ci_lower", 0.95), ("_ci_upper", 0.05)):
        lam = (found[name] / np.sqrt(groups)) ** 2 * n * df
        assert chndtr(chisq, df, lam) == pytest.approx(probability, abs=1e-6)
    assert found[""] == pytest.approx(np.sqrt((chisq - df) / (df * n)) * np.sqrt(groups))
    assert found["_pvalue"] == pytest.approx(1 - chndtr(chisq, df, df * n * 0.05**2 / groups))


def test_a_limit_is_zero_where_no_noncentrality_reaches_the_probability():
    found = rmsea(2.0, 10, 400, 1)  # a chi-square far below its df
    assert found["_ci_lower"] == found["_ci_upper"] == found[""] == 0.0
    assert rmsea(12.0, 10, 400, 1)["_ci_lower"] == 0.0 < rmsea(12.0, 10, 400, 1)["_ci_upper"]


def test_cfi_ends_at_one_and_tli_does_not():
    assert comparative(5.0, 10, 200.0, 15) == pytest.approx((1.0, 1 + (5 / 10) / (185 / 15)))
    assert comparative(50.0, 10, 200.0, 15) == pytest.approx((1 - 40 / 185, 1 - (40 / 10) / (185 / 15)))
    assert comparative(50.0, 10, 20.0, 15)[0] == 0.0  # the model is worse than the baseline


def test_a_negative_scaled_statistic_has_the_lowest_noncentrality():
    """A small group with gaps can have a negative scaling factor; the interval of RMSEA then begins and ends at 0."""
    assert noncentrality(-3.0, 12, 0.05) == 0.0 == noncentrality(-3.0, 12, 0.95)
    assert noncentrality(40.0, 12, 0.05) > noncentrality(40.0, 12, 0.95) > 0
