"""Words outside the validity table, each on both sides of its limit: moderation tools, power, curves, comparisons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import semfit
import switchcost as sc
from semfit.johnson_neyman import ConditionalSlope
from switchcost.moderation.resampling import percentile_interval

EDGE = 1e-9


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(4)
    x, m = rng.normal(size=(2, 250))
    y = 0.4 * x + 0.2 * m + 0.15 * x * m + rng.normal(size=250)
    return sc.moderate(pd.DataFrame({"x": x, "m": m, "y": y}), y="y", x="x", moderator="m")


# (tool, attribute that is compared, its limit at level .95, words below the limit, words at or above it)
TOOLS = [
    ("binned", "pvalue", 0.05, "the moderation bends", "the moderation is not shown to bend"),
    ("inverted_u", "pvalue", 0.05, "; the data show a", " not shown (p ="),
]


@pytest.mark.parametrize(("tool", "name", "limit", "below", "above"), TOOLS)
def test_tools_of_moderation_speak_at_their_level(model, tool, name, limit, below, above):
    found = getattr(model, tool)()
    limit = 1 - found.level
    assert below in repr(replace(found, **{name: limit - EDGE}))
    assert above in repr(replace(found, **{name: limit})) and below not in repr(replace(found, **{name: limit}))
    strict = replace(found, level=0.99, **{name: 0.02})
    assert above in repr(strict)  # the model's own level decides, not five percent


@pytest.mark.parametrize(("shape", "words"), [("inverted U", "show an inverted U"), ("U", "show a U")])
def test_the_article_goes_with_the_shape(model, shape, words):
    assert words in repr(replace(model.inverted_u(), shape=shape, pvalue=0.01))


@pytest.mark.parametrize("units", ["raw", "partial_r"])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_equivalence_is_claimed_from_the_margin_on_where_the_larger_p_falls_below_alpha(model, units, alpha):
    low, high = 0.0001, 0.9
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (low, middle) if model.equivalence(middle, units=units, alpha=alpha).pvalue < alpha else (middle, high)
        )
    yes, no = (model.equivalence(v, units=units, alpha=alpha) for v in (high + 1e-6, low - 1e-6))
    assert yes.equivalent and yes.pvalue < alpha and "smaller than" in repr(yes)
    assert not no.equivalent and no.pvalue > alpha and "cannot be excluded" in repr(no)
    assert yes.ci_lower > -yes.margin and yes.ci_upper < yes.margin  # the interval of level 1 - 2 alpha says the same
    assert no.ci_upper > no.margin or no.ci_lower < -no.margin
    assert f"{100 * (1 - 2 * alpha):g}% interval" in repr(yes)


def test_a_region_takes_the_word_of_its_side():
    line = ConditionalSlope(0.0, 1.0, 0.01, 0.0, 0.0)  # slope m with standard error .1 everywhere
    low, high = line.bounds(2.0)
    assert (low, high) == pytest.approx((-0.2, 0.2))
    words = [r.verdict for r in line.regions(2.0, -1.0, 1.0)]
    assert words == ["negative", "not different from zero", "positive"]
    assert [r.verdict for r in line.regions(2.0, 0.2 + EDGE, 1.0)] == ["positive"]
    assert [r.verdict for r in line.regions(2.0, 0.0, 0.2 - EDGE)] == ["not different from zero"]


def test_johnson_neyman_says_which_bounds_lie_outside_the_data(model):
    found = model.johnson_neyman()
    low, high = found.observed
    assert found.inside == tuple(b for b in found.bounds if low <= b <= high)
    for bound, inside in zip(found.table["bound"], found.table["in_range"], strict=True):
        said = f"{bound:.4g}" + ("" if inside else " (outside the data)")
        assert said in repr(found)
    at_the_end = replace(found, bounds=(high, high + EDGE, low, low - EDGE))
    assert at_the_end.inside == (high, low)


@pytest.mark.parametrize("target", [0.8, 0.95])
@pytest.mark.parametrize(
    ("smallest", "power"),
    [
        (lambda p: sc.power.product_n(0.15, p), lambda n: sc.power.product_power(n, 0.15)),
        (lambda p: sc.power.rmsea_n(30, p), lambda n: sc.power.rmsea_power(n, 30)),
    ],
)
def test_the_smallest_sample_reaches_its_power_and_one_less_does_not(smallest, power, target):
    n = smallest(target)
    assert power(n - 1) < target <= power(n)


def test_the_detectable_effect_reaches_the_power_and_a_smaller_one_does_not():
    effect = sc.power.detectable(200, 0.8)
    assert sc.power.product_power(200, effect - 1e-4) < 0.8 <= sc.power.product_power(200, effect + 1e-4)


def test_a_curve_counts_what_lies_below_its_level(model):
    data = model.data.assign(z=np.arange(len(model.data)) % 2)
    curve = sc.specification_curve(data, y="y", x="x", moderator="m", quadratic=[False, True])
    table = curve.table.assign(est=[-0.1, 0.0], pvalue=[1 - curve.level - EDGE, 1 - curve.level])
    assert "1 negative, 1 with p < 0.05" in repr(replace(curve, table=table))


def test_a_more_restricted_model_that_fits_better_is_named():
    rng = np.random.default_rng(3)
    f = rng.normal(size=(300, 1))
    data = pd.DataFrame(f + rng.normal(size=(300, 4)), columns=["a", "b", "c", "d"])
    free = semfit.fit("f =~ a + b + c + d", data)
    equal = semfit.fit("f =~ a + b + c + d\na ~~ v*a\nb ~~ v*b", data)
    assert semfit.compare(free, equal).warnings == ()
    other = semfit.fit("a ~~ b\nc ~~ d\na ~~ 0*c\na ~~ 0*d\nb ~~ 0*c\nb ~~ 0*d", data)  # another structure, not nested
    with pytest.warns(UserWarning, match="although it is more restricted"):
        told = semfit.compare(
            other, semfit.fit("f =~ v*a + v*b + v*c + v*d\nf ~~ 1*f\na ~~ e*a\nb ~~ e*b\nc ~~ e*c\nd ~~ e*d", data)
        )
    assert any("not nested" in w for w in told.warnings)


def test_a_percentile_interval_takes_its_level():
    draws = np.arange(1001.0)[:, None]
    low, high = percentile_interval(draws, 0.9)
    assert (low[0], high[0]) == pytest.approx((50, 950))
