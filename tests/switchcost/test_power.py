"""Power of a product term: the formula against simulated surveys, and its edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from switchcost.core.errors import DataError
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
        (
            lambda: power.product_power(100, 0.1, reliability_x=0),
            "reliability_x must be a number between 0 and 1 .*and is 0",
        ),
        (lambda: power.product_power(100, 0.1, reliability_y=1.2), "reliability_y must be .* and is 1.2"),
        (lambda: power.product_power(100, 0.9, r2_main=0.5), "explain more than everything"),
        (lambda: power.product_n(0.0), "beta is 0"),
        (lambda: power.product_n(0.1, power=80), "power must be .* and is 80; write 0.8"),
        (lambda: power.simulated_power(100, 0.5, slopes=(0.8, 0.4)), "keep it below 1"),
        (lambda: power.simulated_power(5, 0.1), "at least 10 respondents"),
        (lambda: power.product_reliability(0.8, 0.8, 1.0), "r_xm must be .* and is 1.0"),
    ],
)
def test_bad_calls_name_the_mistake(call, message):
    with pytest.raises(ValueError, match=message):
        call()


IMPOSSIBLE = [
    dict(n=np.nan), dict(n=None), dict(n=0), dict(beta=np.nan), dict(beta=None), dict(r_xm=1.5), dict(alpha=2), dict(alpha=0),
]  # fmt: skip


@pytest.mark.parametrize("change", IMPOSSIBLE + [dict(n_predictors=0), dict(n_predictors=2.5), dict(r2_main=1)])
def test_the_formula_refuses_the_impossible(change):
    with pytest.raises(DataError, match=f"{next(iter(change))} must be"):
        power.product_power(**(dict(n=300, beta=0.1) | change))
    inverse = {k: v for k, v in change.items() if k not in ("n", "beta")}
    if inverse:
        with pytest.raises(DataError):
            power.product_n(0.1, **inverse)
        with pytest.raises(DataError):
            power.detectable(300, **inverse)
    for call in (lambda: power.product_n(np.nan), lambda: power.detectable(np.nan), lambda: power.detectable(300, 80)):
        with pytest.raises(DataError):
            call()


@pytest.mark.parametrize(
    "change",
    [*IMPOSSIBLE, dict(n_items=0), dict(points=1), dict(points=2.5), dict(loading=1.2), dict(n_rep=0), dict(skew=np.inf),
     dict(skew=(1.0, 0.0)), dict(slopes=(np.nan, 0.1)), dict(seed=-1)],
)  # fmt: skip
def test_simulated_surveys_refuse_the_impossible(change):
    with pytest.raises(DataError, match=f"{next(iter(change))} must be"):
        power.simulated_power(**(dict(n=100, beta=0.1, n_rep=2) | change))


PLAN = dict(
    beta=-0.12, power=0.8, alpha=0.05, r_xm=0.3, r2_main=0.5, reliability_x=0.8, reliability_m=0.7, reliability_y=0.9,
    n_predictors=3,
)  # fmt: skip


@pytest.mark.parametrize(
    ("key", "other", "more"),
    [("beta", -0.2, False), ("power", 0.9, True), ("alpha", 0.01, True), ("r_xm", 0.6, False), ("r2_main", 0.3, True),
     ("reliability_x", 0.9, False), ("reliability_m", 0.9, False), ("reliability_y", 1.0, False), ("n_predictors", 250, True)],
)  # fmt: skip
def test_each_key_of_a_plan_moves_what_is_planned(key, other, more):
    plan, changed = dict(PLAN), PLAN | {key: other}
    before, after = power.product_n(**plan), power.product_n(**changed)
    assert (after > before) == more and after != before
    if key != "beta":
        small, large = (power.detectable(300, **{k: v for k, v in p.items() if k != "beta"}) for p in (plan, changed))
        assert (large > small) == more and large != small
    if key != "power":
        p, q = (power.product_power(300, **{k: v for k, v in d.items() if k != "power"}) for d in (plan, changed))
        assert (q < p) == more and p != q


SURVEY = dict(n=120, beta=-0.2, n_rep=60, seed=5)


@pytest.mark.parametrize(
    ("key", "other"),
    [("n", 240), ("beta", 0.4), ("r_xm", 0.6), ("slopes", (0.1, 0.1)), ("n_items", 6), ("loading", 0.5), ("points", 2),
     ("skew", 1.0), ("alpha", 0.4), ("seed", 6)],
)  # fmt: skip
def test_each_option_of_a_simulated_survey_moves_the_result(key, other):
    before, after = power.simulated_power(**SURVEY), power.simulated_power(**(SURVEY | {key: other}))
    assert before.power != after.power or before.mean_estimate != after.mean_estimate
    if key == "alpha":
        assert after.power > before.power and after.mean_estimate == before.mean_estimate


@pytest.mark.parametrize("n_rep", [60, 1130])
def test_processes_do_not_change_simulated_power(n_rep):
    plan = dict(n=80, beta=-0.2, n_rep=n_rep, seed=5)
    one, two = (power.simulated_power(**plan, n_jobs=k) for k in (1, 2))
    pd.testing.assert_series_equal(one, two, check_exact=True)
    assert one.power * n_rep == pytest.approx(round(one.power * n_rep), abs=1e-9)  # all surveys and no more were made


def test_simulated_surveys_over_a_cluster(monkeypatch):
    """Each piece is a stream of its own, handed to the one way over processes and clusters."""
    seen = {}

    def run(task, pieces, n_jobs=None, progress=True, what=""):
        seen.update(sizes=[size for _, size in pieces], n_jobs=n_jobs, progress=progress)
        return [task(piece) for piece in reversed(pieces)][::-1]

    plan = dict(n=40, beta=0.1, n_rep=1020, seed=2)
    usual = power.simulated_power(**plan)
    monkeypatch.setattr(power, "run_batches", run)
    assert power.simulated_power(**plan, n_jobs=3, progress=False).equals(usual)
    assert seen == {"sizes": [50] * 20 + [20], "n_jobs": 3, "progress": False}


def test_power_of_fit_equals_r():
    table = pd.read_csv(Path(__file__).parents[1] / "reference" / "rmsea_power.csv")
    for row in table.itertuples():
        found = power.rmsea_power(row.n, row.df, rmsea_null=row.null, rmsea_true=row.true)
        assert found == pytest.approx(row.power, abs=1e-8)
    n = power.rmsea_n(50)
    assert power.rmsea_power(n, 50) >= 0.8 > power.rmsea_power(n - 1, 50)
    assert power.rmsea_power(np.array([100, 200]), 50).shape == (2,)
    with pytest.raises(DataError, match="two different values"):
        power.rmsea_power(200, 50, rmsea_true=0.05)


def test_small_studies_that_find_the_product_overstate_it():
    small, large = (power.simulated_power(n, -0.15, r_xm=0.2, slopes=(0.5, 0.2), n_items=4, loading=0.7, n_rep=1500, seed=6)
                    for n in (120, 1500))  # fmt: skip
    assert small.mean_found == pytest.approx(0.208, abs=0.01)  # 6,000 surveys of the same plan by another program
    assert large.mean_found == pytest.approx(-large.mean_estimate, abs=0.004) and large.wrong_sign == 0
    tiny = power.simulated_power(30, -0.05, n_rep=2000, seed=6)
    assert tiny.wrong_sign > 0.1 and power.simulated_power(30, 0.05, n_rep=2000, seed=6).wrong_sign > 0.1
    none = power.simulated_power(60, 0.0, n_rep=2, seed=1)
    assert np.isnan(none.wrong_sign) and (none.power > 0 or np.isnan(none.mean_found))


def test_a_ceiling_of_the_outcome_lowers_a_product_and_one_of_the_predictor_raises_it():
    """A pile of top answers bends the line down where it is the outcome's, and up where it is the predictor's."""
    mean = {
        name: power.simulated_power(400, 0.0, skew=skew, n_rep=200, seed=1).mean_estimate
        for name, skew in {"predictor": (1.3, 0, 0), "outcome": (0, 0, 1.3), "none": 0.0, "zeros": (0, 0, 0)}.items()
    }
    assert mean["none"] == mean["zeros"]
    assert mean["outcome"] < -0.05 < mean["none"] < 0.01 < mean["predictor"]
    same = [power.simulated_power(100, 0.1, skew=s, n_rep=20, seed=2).mean_estimate for s in (1.0, (1.0, 1.0, 1.0))]
    assert same[0] == same[1]
