"""Johnson-Neyman bounds: the equation holds at them, also where figures cancel; verdicts agree with the tests."""

import numpy as np
import pytest

from semfit.johnson_neyman import ConditionalSlope

CRITICAL = 1.96


def lines(n=300, seed=5):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        root = rng.normal(size=(2, 2)) * rng.choice([1e-6, 1.0, 1e6])
        V = root @ root.T
        yield ConditionalSlope(*(rng.normal(size=2) * np.sqrt(np.diag(V)) * 3), V[0, 0], V[0, 1], V[1, 1])


def test_the_test_statistic_is_critical_at_every_bound():
    found = 0
    for line in lines():
        for bound in line.bounds(CRITICAL):
            est, se = line.value(bound)
            assert abs(est) == pytest.approx(CRITICAL * se, rel=1e-6)
            found += 1
    assert found > 300


def test_verdicts_agree_with_the_test_inside_each_region():
    for line in lines():
        for region in line.regions(CRITICAL, -3.0, 3.0):
            for share in (0.02, 0.5, 0.98):
                est, se = line.value(region.lower + share * (region.upper - region.lower))
                assert region.sign == (np.sign(est) if abs(est) > CRITICAL * se else 0)


def test_no_digits_are_lost_where_the_roots_lie_far_apart():
    # slope 1 +- 1e-9, change 1e-9 +- 1e-3: the near root is -t / 1e3 to first order, and b^2 - 4ac loses it
    line = ConditionalSlope(1.0, 1e-9, 1e-18, 0.0, 1e-6)
    low, high = line.bounds(CRITICAL)
    assert (low, high) == pytest.approx((-1 / (1e-3 * CRITICAL), 1 / (1e-3 * CRITICAL)), rel=1e-5)
    line = ConditionalSlope(1e-9, 1.0, 0.0, 0.0, 1e-20)
    assert line.bounds(CRITICAL) == pytest.approx((-1e-9, -1e-9), rel=1e-6)


def test_degenerate_lines():
    assert ConditionalSlope(1.0, 0.0, 0.01, 0.0, 0.0).bounds(CRITICAL) == ()  # the same slope everywhere
    assert ConditionalSlope(np.nan, 1.0, 0.1, 0.0, 0.1).bounds(CRITICAL) == ()
    assert ConditionalSlope(0.0, 1.0, 0.01, 0.0, 0.0).bounds(CRITICAL) == pytest.approx((-0.196, 0.196))
    assert [r.verdict for r in ConditionalSlope(-1.0, 0.0, 0.01, 0.0, 0.0).regions(CRITICAL, 0, 1)] == ["negative"]
