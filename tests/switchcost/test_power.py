"""Power of a product term: the formula against simulated surveys, and its edges."""

from __future__ import annotations

import numpy as np
import pytest

from switchcost.moderation import power


def test_reliability_of_a_product_against_simulated_scores():
    rng = np.random.default_rng(1)
    n, r, rx, rm = 400_000, 0.5, 0.8, 0.7
    x = rng.normal(size=n)
    m = r * x + np.sqrt(1 - r**2) * rng.normal(size=n)
    seen = [v + rng.normal(size=n) * np.sqrt(1 / rel - 1) for v, rel in ((x, rx), (m, rm))]
    share = np.corrcoef(x * m, seen[0] * seen[1])[0, 1] ** 2
    assert power.product_reliability(rx, rm, r) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(("n", "beta", "loading"), [(344, -0.10, 1.0), (344, -0.15, 0.8), (150, 0.20, 0.7)])
def test_formula_agrees_with_simulation(n, beta, loading):
    reliability = 3 * loading**2 / (1 + 2 * loading**2)
    found = power.simulated_power(n, beta, loading=loading, points=None, n_rep=800, seed=3)
    expected = power.product_power(
        n,
        beta,
        r2_main=0.36 + 0.04 + 2 * 0.12 * 0.3,
        reliability_x=reliability,
        reliability_m=reliability,
        reliability_y=reliability,
    )
    assert found.reliability == pytest.approx(reliability, abs=0.01)
    assert found.power == pytest.approx(expected, abs=4 * found.se)


def test_no_effect_is_found_at_the_level_of_the_test():
    assert power.product_power(300, 0.0) == pytest.approx(0.05)
    assert power.simulated_power(300, 0.0, n_rep=800, seed=4).power == pytest.approx(0.05, abs=0.03)


def test_power_n_and_detectable_size_are_inverses():
    options = dict(r2_main=0.5, reliability_x=0.8, reliability_m=0.7)
    n = power.product_n(-0.12, 0.8, **options)
    assert power.product_power(n, -0.12, **options) >= 0.8 > power.product_power(n - 1, -0.12, **options)
    assert power.detectable(n, 0.8, **options) == pytest.approx(0.12, abs=1e-3)
    grid = power.product_power(np.array([100, 200, 400]), -0.12)
    assert grid.shape == (3,) and (np.diff(grid) > 0).all()


def test_five_categories_cost_more_than_their_reliability_says():
    seen = power.simulated_power(400, -0.15, points=5, n_rep=800, seed=5)
    formula = power.product_power(
        400,
        -0.15,
        r2_main=0.472,
        reliability_x=seen.reliability,
        reliability_m=seen.reliability,
        reliability_y=seen.reliability,
    )
    assert seen.power < formula - 2 * seen.se


def test_a_weak_study_cannot_find_anything():
    assert np.isnan(power.detectable(8, 0.99, reliability_x=0.3, reliability_m=0.3, reliability_y=0.3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power.product_power(4, 0.1), "n is 4; with 3 predictors it must be at least 5"),
        (lambda: power.product_power(100, 0.1, reliability_x=0), "reliability_x is 0"),
        (lambda: power.product_power(100, 0.1, reliability_y=1.2), "reliability_y is 1.2"),
        (lambda: power.product_power(100, 0.9, r2_main=0.5), "explain more than everything"),
        (lambda: power.product_n(0.0), "beta is 0"),
        (lambda: power.product_n(0.1, power=80), "power is 80; write 0.8"),
        (lambda: power.simulated_power(100, 0.5, slopes=(0.8, 0.4)), "keep it below 1"),
        (lambda: power.simulated_power(5, 0.1), "at least 10 respondents"),
        (lambda: power.product_reliability(0.8, 0.8, 1.0), "r_xm is 1.0"),
    ],
)
def test_bad_calls_name_the_mistake(call, message):
    with pytest.raises(ValueError, match=message):
        call()
