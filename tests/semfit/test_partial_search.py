"""Searching for unequal parameters: what is found, what it is adjusted for, and what always stays equal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import DataError
from semfit.nested import compare

MODEL = "f =~ x1 + x2 + x3 + x4 + x5 + x6"


def groups(n: int = 400, seed: int = 1, loading: float = 0.0, shift: float = 0.0) -> pd.DataFrame:
    """Two groups; in the second x1 loads less by ``loading`` and x3 is higher by ``shift``."""
    rng = np.random.default_rng(seed)
    second = np.repeat([0.0, 1.0], n)
    f = rng.normal(size=2 * n) * (1 + 0.2 * second) + 0.3 * second
    x = 0.8 * f[:, None] + 0.6 * rng.normal(size=(2 * n, 6))
    x[:, 0] -= loading * second * f
    x[:, 2] += shift * second
    return pd.DataFrame(x, columns=[f"x{k}" for k in range(1, 7)]).assign(g=np.where(second > 0, "two", "one"))


@pytest.fixture(scope="module")
def both() -> semfit.PartialInvariance:
    return semfit.partial_search(MODEL, groups(loading=0.4, shift=0.4), "g")


def test_what_differs_is_found_a_marker_too(both):
    assert both.released == ["f =~ x1", "x3 ~ 1"] and both.n_looked_at == 12
    assert both.group_partial == ("f =~ x1", "x1 ~ 1", "x3 ~ 1")
    assert any("x1 ~ 1 was left free without a test" in w for w in both.warnings)
    row = both.table.query("released").iloc[1]
    assert row["difference"] == pytest.approx(0.4, abs=0.1) and row["level"] == "scalar"
    assert both.ladder.table["delta_pvalue"].dropna().min() > 0.05
    assert both.ladder.fits["scalar"].df == semfit.invariance(MODEL, groups(), "g").fits["scalar"].df + 3 - 6


def test_p_values_are_score_tests_times_what_is_left(both):
    data = groups(loading=0.4, shift=0.4)
    metric = semfit.fit(MODEL, data, group="g", group_equal="loadings", std_lv=True)
    first = both.table.iloc[0]
    theirs = metric.score_tests().table.query("lhs == 'f' and rhs == 'x1'").iloc[0]
    assert first["chisq"] == pytest.approx(theirs["chisq"]) and first["pvalue"] == pytest.approx(theirs["pvalue"])
    steps = both.table
    factor = 12 - steps["released"].cumsum().shift(fill_value=0)
    np.testing.assert_allclose(steps["p_adjusted"], np.minimum(1, steps["pvalue"] * factor))
    flat = semfit.partial_search(MODEL, data, "g", adjust="bonferroni").table
    np.testing.assert_allclose(flat["p_adjusted"], np.minimum(1, flat["pvalue"] * 12))


def test_the_words_count_and_warn(both):
    text = repr(both)
    assert "12 equalities looked at, 2 released (f =~ x1, x3 ~ 1)" in text and "(Holm), alpha 0.05" in text
    assert "exploratory: the same data chose what to release and tested it" in text
    none = semfit.partial_search(MODEL, groups(), "g")
    assert "none released" in repr(none) and none.group_partial == () and "exploratory" in repr(none)
    bare = semfit.partial_search(MODEL, groups(), "g", adjust=None)
    assert "p-values not adjusted, so that 5% of what is equal is released by chance" in repr(bare)
    assert "Holm" not in repr(bare) and "by chance" not in repr(none)


def test_adjusting_releases_less_where_nothing_differs():
    released = {
        adjust: [len(semfit.partial_search(MODEL, groups(150, k), "g", adjust=adjust).released) for k in range(7)]
        for adjust in ("holm", None)
    }
    assert all(some <= more for some, more in zip(released["holm"], released[None], strict=True))
    assert sum(released["holm"]) < sum(released[None])


def test_labels_of_the_user_stay_as_written():
    data = groups(loading=0.4)
    found = semfit.partial_search("f =~ a*x1 + x2 + x3 + x4 + x5 + x6", data, "g", levels="metric")
    assert found.n_looked_at == 5 and "f =~ x1" not in found.released


@pytest.mark.parametrize("options", [{"estimator": "MLR"}, {"ordered": True}], ids=["MLR", "WLSMV"])
def test_where_score_tests_are_not_robust_refits_decide(options):
    data = groups(500, loading=0.45, shift=0.4)
    if "ordered" in options:
        items = data.columns[:-1]
        data[items] = np.digitize(data[items], [-0.8, 0.1, 0.9])
    found = semfit.partial_search(MODEL, data, "g", **options)
    assert {"f =~ x1", "x3 ~ 1"} == set(found.released)
    row = found.table.query("released and level == 'metric'").iloc[0]
    equal = ["thresholds", "loadings"] if "ordered" in options else ["loadings"]
    if "estimator" in options:
        held, loose = (
            semfit.fit(MODEL, data, group="g", group_equal=equal, group_partial=free, std_lv=True, **options)
            for free in ((), ("f =~ x1",))
        )
        theirs = compare(held, loose).table.iloc[1]
        assert row["chisq"] == pytest.approx(theirs["delta_chisq"], rel=1e-5)
    assert found.ladder.table.loc["scalar", "delta_pvalue"] > 0.01  # with the intercept free at that level


def test_two_of_each_stay_equal():
    data = groups(400)
    shifted = data.assign(x1=data["x1"] + (data["g"] == "two"), x2=data["x2"] - (data["g"] == "two"))
    found = semfit.partial_search("f =~ x1 + x2 + x3", shifted, "g")
    assert len(found.released) == 1 and found.n_looked_at == 6
    few = semfit.partial_search("f =~ x1 + x2\nh =~ x3 + x4", data, "g")
    assert few.n_looked_at == 0 and any("no equality could be released" in w for w in few.warnings)
    assert not any("no equality" in w for w in found.warnings)


def test_what_is_free_from_the_start_is_not_looked_at():
    data = groups(loading=0.4)
    found = semfit.partial_search(MODEL, data, "g", group_partial="f =~ x1", levels="metric")
    assert found.n_looked_at == 5 and found.released == [] and found.group_partial == ("f =~ x1",)
    assert set(found.table["level"]) == {"metric"}


def test_levels_can_be_chosen():
    data = groups()
    data.loc[data["g"] == "two", "x5"] += np.random.default_rng(1).normal(size=400)
    found = semfit.partial_search(MODEL, data, "g", levels=["strict"])
    assert found.released == ["x5 ~~ x5"] and found.n_looked_at == 6
    with pytest.raises(DataError, match="levels takes 'metric', 'scalar', 'strict', not 'skalar'"):
        semfit.partial_search(MODEL, data, "g", levels=["skalar"])
    with pytest.raises(DataError, match="adjust must be one of 'holm', 'bonferroni', None, and is 'bh'"):
        semfit.partial_search(MODEL, data, "g", adjust="bh")


def test_dimensions_of_second_order_models_are_searched():
    rng = np.random.default_rng(4)
    n = 800
    second = np.repeat([0.0, 1.0], n)
    h = rng.normal(size=2 * n)
    facets = {
        v: (b - (0.55 * second if v == "C" else 0)) * h + 0.5 * rng.normal(size=2 * n)
        for v, b in zip("ABCD", (0.8,) * 4, strict=True)
    }
    data = pd.DataFrame(
        {f"{v.lower()}{k}": facets[v] + 0.5 * rng.normal(size=2 * n) for v in "ABCD" for k in (1, 2, 3)}
    )
    data["g"] = second.astype(int).astype(str)
    model = "\n".join(f"{v} =~ {v.lower()}1 + {v.lower()}2 + {v.lower()}3" for v in "ABCD") + "\nh =~ A + B + C + D"
    found = semfit.partial_search(model, data, "g", levels=["metric", "metric of dimensions"])
    assert found.released == ["h =~ C"] and found.n_looked_at == 16
