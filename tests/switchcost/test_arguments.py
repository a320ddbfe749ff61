"""What an argument may be: one table, both sides of every limit."""

import numpy as np
import pandas as pd
import pytest

from switchcost.core.arguments import FLAG, NAME, NAMES, TABLE, Between, Made, check, checked, one_of
from switchcost.core.errors import DataError
from switchcost.core.inference import enough_draws

INSIDE = {
    "alpha": [1e-9, 0.999], "level": [0.5], "power": [0.8], "reliability_x": [1e-6, 1, 1.0], "r_xm": [-0.999, 0],
    "r2_main": [0, 0.99], "loading": [1], "beta": [-3, 0], "n_predictors": [1, np.int64(2)], "n_items": [1],
    "points": [2], "n_rep": [1], "margin": [1e-9], "seed": [0], "cov_type": ["HC3"], "skew": [-1],
    "ordered": [True, "a", ["a"]], "n_boot": [0, 50], "n_jobs": [-1, 2], "n_starts": [0], "reference": [{"a": "b"}],
    "gamma": [0.5, -100], "low": [1], "high": [7.0], "rank": [1], "minimum": [0], "world": ["china", "meta"],
}  # fmt: skip
OUTSIDE = {
    "alpha": [0, 1, 5, np.nan, "0.05", None, True], "level": [95], "power": [80], "reliability_x": [0, 1.0001, -1],
    "r_xm": [1, -1, 1.5], "r2_main": [1, -0.1], "loading": [0, 1.1], "beta": [np.nan, np.inf], "n_predictors": [0, 2.5],
    "n_items": [0], "points": [1], "n_rep": [0], "margin": [0, -1], "seed": [-1, 0.5], "cov_type": ["HC4", 3],
    "skew": [np.inf], "ordered": [1, {}], "n_boot": [-1, 1.5], "n_jobs": ["x", 1.5], "n_starts": ["x", -1], "reference": ["a"], "gamma": ["x", 1.1], "low": [np.nan], "high": [[7]], "rank": [0], "minimum": [-0.1, 1j],
    "world": ["China", []],
}  # fmt: skip
FLAGS = [n for n, rule in TABLE.items() if rule is FLAG]
ONE_NAME = [n for n, rule in TABLE.items() if rule is NAME]
SEVERAL = [n for n, rule in TABLE.items() if rule is NAMES]
INSIDE |= dict.fromkeys(FLAGS, [True, np.False_]) | dict.fromkeys(ONE_NAME, ["sat", 3])
INSIDE |= dict.fromkeys(SEVERAL, ["sat", [], ("a", "b"), pd.Index(["a"]), {1}])
OUTSIDE |= dict.fromkeys(FLAGS, ["yes", 1, None, [], np.nan])
OUTSIDE |= dict.fromkeys(ONE_NAME, [None, True, 0.5, ["sat"], b"sat", {}, pd.DataFrame()])
OUTSIDE |= dict.fromkeys(SEVERAL, [3, None, {"a": 1}, [None], [["a"]], (n for n in "ab"), [0.5]])


@pytest.mark.parametrize("name", INSIDE)
def test_both_sides_of_each_limit(name):
    for value in INSIDE[name]:
        check(**{name: value})
    for value in OUTSIDE[name]:
        with pytest.raises(DataError, match=f"^{name} must be "):
            check(**{name: value})


def test_every_row_of_the_table_is_tested():
    assert set(TABLE) - {"reliability_m", "reliability_y", "ax"} == set(INSIDE) == set(OUTSIDE)


def test_axes_and_results_are_told_by_what_they_can():
    from matplotlib.figure import Figure

    check(ax=Figure().subplots())
    with pytest.raises(DataError, match="^ax must be axes of matplotlib, and is a str"):
        check(ax="ax")
    frame = Made("a pandas DataFrame", pd.DataFrame)
    frame.check("table", pd.DataFrame())
    with pytest.raises(DataError, match="table must be a pandas DataFrame, and is a list"):
        frame.check("table", [])


def test_a_message_is_one_line_however_long_the_value():
    with pytest.raises(DataError) as caught:
        check(alpha=pd.Series(range(100)))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_the_decorator_checks_positions_names_and_arrays():
    @checked(n=Between(5, closed="left", array=True), kind=one_of("a", None))
    def function(n, alpha=None, *, kind="a", free=0):
        return n, alpha, kind

    assert function(5) == (5, None, "a") and function([5, 6], kind=None)[0] == [5, 6]
    for call in (
        lambda: function(4),
        lambda: function(np.array([7, 4])),
        lambda: function(9, 2),
        lambda: function(9, kind="b"),
    ):
        with pytest.raises(DataError):
            call()
    with pytest.raises(DataError, match=r"one of its values is .*3"):
        function([3, 9])


def test_none_passes_where_the_type_says_so():
    @checked()
    def function(points: int | None = 5, power: float = 0.8):
        return points, power

    assert function(None) == (None, 0.8)
    with pytest.raises(DataError, match="power must be"):
        function(power=None)


def test_errors_of_the_estimators_helpers_are_the_helpers():
    with pytest.raises(DataError, match="at least 20"):
        enough_draws(3)
    with pytest.raises(DataError, match="no machine finishes"):
        enough_draws(10**9)
    assert enough_draws(20) == 20
