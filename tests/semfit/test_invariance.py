"""The ladder of invariance: second-order models, further steps, and the rules that say what may be compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.measurement_invariance import CFI_FALL, CFI_LOWEST, RMSEA_HIGHEST, RULES, decide

SECOND = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nh =~ A + B + C"


def second_order(n: int = 400, shift: float = 0.0) -> pd.DataFrame:
    """Two groups; the dimension differs by .5, and facet B by ``shift`` beyond it."""
    rng = np.random.default_rng(8)
    parts = []
    for g, mean in (("one", 0.0), ("two", 0.5)):
        h = rng.normal(mean, 1, n)
        columns = {}
        for facet, weight in (("a", 1.0), ("b", 0.9), ("c", 1.1)):
            f = weight * h + 0.6 * rng.normal(size=n) + (shift if facet == "b" and g == "two" else 0.0)
            columns |= {f"{facet}{k}": f + 0.8 * rng.normal(size=n) for k in (1, 2, 3)}
        parts.append(pd.DataFrame(columns).assign(g=g))
    return pd.concat(parts, ignore_index=True)


def test_second_order_models_go_facets_first_then_dimensions():
    ladder = semfit.invariance(SECOND, second_order(), "g")
    assert ladder.table.index.tolist() == [
        "configural",
        "metric",
        "metric of dimensions",
        "scalar",
        "scalar of dimensions",
        "strict",
        "strict of dimensions",
    ]
    # 9 - 3 loadings, 2 of h; 9 intercepts less 3 facet means; 3 facet means less the mean of h; 9 and 3 variances
    assert ladder.table["delta_df"].tolist()[1:] == [6, 2, 6, 2, 9, 3]
    assert (ladder.table["delta_pvalue"].iloc[1:] > 0.001).all()
    means = ladder.fits["scalar of dimensions"].estimates.query("op == '~1' and lhs == 'h'")
    assert means["est"].tolist()[0] == 0 and means["est"].tolist()[1] == pytest.approx(0.5, abs=0.2)
    assert ladder.decision.name == "none" and ladder.decision.means


def test_a_facet_that_differs_fails_at_the_dimensions_only():
    ladder = semfit.invariance(SECOND, second_order(shift=1.0), "g")
    assert ladder.table.loc["scalar", "delta_pvalue"] > 0.001 > ladder.table.loc["scalar of dimensions", "delta_pvalue"]
    assert ladder.decision.name == "scalar" and not ladder.decision.means


def test_further_steps_hold_latent_variances_covariances_and_means_equal():
    model = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3"
    ladder = semfit.invariance(model, second_order(), "g", further=("lv.variances", "lv.covariances", "means"))
    assert ladder.table.index.tolist()[4:] == ["latent variances", "latent covariances", "latent means"]
    assert ladder.table["delta_df"].tolist()[4:] == [2, 1, 2]
    assert ladder.table.loc["latent means", "delta_pvalue"] < 0.001  # the groups do differ
    with pytest.raises(semfit.errors.DataError, match="further takes 'lv.variances'"):
        semfit.invariance(model, second_order(), "g", further="variances")


def ladder_table(**changes: float) -> pd.DataFrame:
    """A ladder in which everything holds, with single cells changed (``scalar_delta_cfi=-0.02``)."""
    levels = ["configural", "metric", "metric of dimensions", "scalar", "strict"]
    table = pd.DataFrame({"chisq": 9.0, "cfi": 0.97, "rmsea": 0.04, "delta_cfi": 0.0}, index=levels)
    for key, value in changes.items():
        level, column = key.split("__")
        table.loc[level.replace("_", " "), column] = value
    return table


EDGE = 1e-6


@pytest.mark.parametrize(
    ("change", "holds", "fails", "rule"),
    [
        ("configural__cfi", CFI_LOWEST, CFI_LOWEST - EDGE, "configural"),
        ("configural__rmsea", RMSEA_HIGHEST, RMSEA_HIGHEST + EDGE, "configural"),
        ("metric__delta_cfi", -CFI_FALL, -CFI_FALL - EDGE, "metric"),
        ("metric_of_dimensions__delta_cfi", -CFI_FALL, -CFI_FALL - EDGE, "metric"),
        ("scalar__delta_cfi", -CFI_FALL, -CFI_FALL - EDGE, "scalar"),
        ("strict__delta_cfi", -CFI_FALL, -CFI_FALL - EDGE, "strict"),
        ("metric_of_dimensions__chisq", 9.0, np.nan, "metric without a solution"),
        ("scalar__chisq", 9.0, np.nan, "scalar without a solution"),
        ("strict__chisq", 9.0, np.nan, "strict without a solution"),
    ],
)
def test_each_limit_decides_on_its_own_side(change, holds, fails, rule):
    assert decide(ladder_table(**{change: holds})).name == "none"
    assert decide(ladder_table(**{change: fails})).name == rule


def test_what_the_rules_allow():
    allowed = {r.name: (r.relations, r.means) for r in RULES}
    assert allowed == {
        "configural": (False, False),
        "thresholds": (False, False),
        "metric": (False, False),
        "scalar": (True, False),
        "metric without a solution": (False, False),
        "scalar without a solution": (True, False),
        "strict without a solution": (True, True),
        "strict": (True, True),  # a failed strict step says nothing against comparing latent means
        "none": (True, True),
    }
    assert "neither relations nor means can be compared" in RULES[0].sentence
    said = {r.name: r.sentence for r in RULES}
    assert "their means cannot" in said["scalar"] and "not equally reliable" in said["strict"]
    assert "their means cannot" in said["scalar without a solution"]
    assert decide(ladder_table(configural__cfi=0.8, scalar__delta_cfi=-0.1)).name == "configural"  # the first decides


def test_the_page_says_the_decision():
    ladder = semfit.invariance("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", second_order(), "g")
    assert ladder.decision.sentence in repr(ladder) and "configural" in ladder._repr_html_()
    assert {"level", "lhs", "op", "rhs", "group", "chisq", "df", "pvalue", "epc"} == set(ladder.score_tests)
    assert set(ladder.score_tests["level"]) == {"metric", "scalar", "strict"}


CROSSED = "A =~ a1 + a2 + a3\nB =~ b1 + b2\nh =~ A + B\nC =~ c1 + c2 + c3"


def crossed() -> pd.DataFrame:
    """A dimension of two facets whose means differ in opposite directions: no mean of the dimension explains both."""
    rng = np.random.default_rng(1)
    parts = []
    for g, shift in (("one", 0.0), ("two", 0.6)):
        h = rng.normal(size=(400, 1))
        a, b, c = (0.6 * h + 0.8 * rng.normal(size=(400, 1)) for _ in range(3))
        x = np.hstack([a - shift + 0 * np.zeros((400, 3)), b + shift + np.zeros((400, 2)), c + np.zeros((400, 3))])
        x = x + 0.6 * rng.normal(size=x.shape)
        parts.append(pd.DataFrame(x, columns=["a1", "a2", "a3", "b1", "b2", "c1", "c2", "c3"]).assign(g=g))
    return pd.concat(parts, ignore_index=True)


def test_a_level_without_a_solution_ends_the_ladder_and_keeps_what_was_found():
    ladder = semfit.invariance(CROSSED, crossed(), "g")
    assert ladder.table.index[-1] == "scalar of dimensions" and np.isnan(ladder.table["chisq"].iloc[-1])
    assert ladder.table["chisq"].iloc[:-1].notna().all() and list(ladder.fits) == ladder.table.index[:-1].tolist()
    assert ladder.decision.name == "scalar without a solution" and ladder.decision.sentence in repr(ladder)
    (said,) = [w for w in ladder.warnings if "did not converge" in w]
    assert said.startswith("scalar of dimensions model") and "h =~ B" in said


def test_second_order_models_with_variances_of_one_are_the_same_models():
    marker = semfit.invariance(SECOND, second_order(), "g").table
    unit = semfit.invariance(SECOND, second_order(), "g", std_lv=True).table
    np.testing.assert_allclose(unit["chisq"].iloc[:6], marker["chisq"].iloc[:6], rtol=1e-5)
    assert unit["df"].tolist() == marker["df"].tolist()


def test_a_parameter_that_ties_a_mean_down_alone_has_no_score_test():
    """One of two intercepts is free: releasing the other too would leave the latent mean without anything to know it by."""
    data = second_order()
    ladder = semfit.invariance("A =~ a1 + a2 + a3\nB =~ b1 + b2", data, "g", group_partial="b1 ~ 1")
    scalar = ladder.score_tests.query("level == 'scalar' and op == '~1'")
    assert "b2" not in set(scalar["lhs"]) and {"a1", "a2", "a3"} == set(scalar["lhs"])
    assert np.isfinite(ladder.score_tests["chisq"]).all()
