"""Nested models and invariance of ordered items, against lavaan (tests/reference/ordinal_invariance.R)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = json.loads((REFERENCE / "ordinal_invariance.json").read_text())
MODEL = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"


def load(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"ordinal_{name}.csv")


@pytest.mark.parametrize("case", STORED["ladders"], ids=lambda c: c["set"])
def test_the_ladder_is_lavaans(case):
    ladder = semfit.invariance(case["model"], load(case["set"]), "group", ordered=True)
    assert ladder.table.index.tolist() == ["configural", "thresholds", "metric", "scalar", "strict"]
    for level, theirs in case["rows"].items():
        ours = ladder.table.loc[level]
        for name, key in (("chisq", "chisq.scaled"), ("pvalue", "pvalue.scaled"), ("cfi", "cfi.scaled")):
            assert ours[name] == pytest.approx(theirs[key], abs=1e-3, rel=1e-3)
        assert ours["rmsea"] == pytest.approx(theirs["rmsea.scaled"], abs=1e-3)
        assert ladder.fits[level].df == theirs["df"]
    for step in case["steps"]:
        ours = ladder.table.loc[step["level"]]
        assert ours["delta_chisq"] == pytest.approx(step["chisq"], rel=1e-3)
        assert ours["delta_pvalue"] == pytest.approx(step["pvalue"], abs=1e-3)
        assert ours["delta_df"] == step["df"]
    assert ladder.decision.means


@pytest.mark.parametrize("case", STORED["nested"], ids=lambda c: c["set"])
def test_nested_tests_are_lavaans(case):
    data = load(case["set"])
    fits = [semfit.fit(case[k], data, ordered=True) for k in ("one", "other")]
    table = semfit.compare(*reversed(fits)).table
    assert table["delta_chisq"].iloc[1] == pytest.approx(case["chisq"], rel=1e-3)
    assert table["delta_df"].iloc[1] == case["df"]
    assert table["delta_pvalue"].iloc[1] == pytest.approx(case["pvalue"], rel=1e-2, abs=1e-6)


def test_different_thresholds_and_loadings_are_found():
    rng = np.random.default_rng(3)
    n = 1500
    f = rng.normal(size=2 * n)
    group = np.repeat(["a", "b"], n)
    z = 0.75 * f[:, None] + np.sqrt(1 - 0.75**2) * rng.normal(size=(2 * n, 5))
    cuts = np.tile([-1.0, 0.0, 1.0], (2 * n, 1))
    cuts[group == "b"] = [-0.3, 0.0, 1.6]  # not a shift and a stretch of the first group's
    codes = (z[:, :, None] > cuts[:, None, :]).sum(axis=2)
    data = pd.DataFrame(codes, columns=[f"x{k}" for k in range(1, 6)]).assign(group=group)
    ladder = semfit.invariance("f =~ x1 + x2 + x3 + x4 + x5", data, "group", ordered=True)
    assert ladder.table.loc["thresholds", "delta_pvalue"] < 1e-6
    tests = ladder.score_tests
    assert (tests.query("level == 'thresholds'").head(3)["op"] == "|").all()


def test_three_categories_cannot_test_thresholds_and_two_are_named():
    rng = np.random.default_rng(4)
    f = rng.normal(size=800)
    z = 0.7 * f[:, None] + 0.7 * rng.normal(size=(800, 4))
    data = pd.DataFrame(np.digitize(z, [-0.6, 0.6]), columns=["x1", "x2", "x3", "x4"])
    data["group"] = np.repeat(["a", "b"], 400)
    model = "f =~ x1 + x2 + x3 + x4"
    three = semfit.invariance(model, data, "group", ordered=True)
    assert three.fits["thresholds"].df == three.fits["configural"].df
    assert np.isnan(three.table.loc["thresholds", "delta_chisq"])
    assert three.fits["thresholds"].measures["chisq"] == pytest.approx(
        three.fits["configural"].measures["chisq"], abs=1e-5
    )
    two = semfit.invariance(model, data.assign(x1=(data["x1"] > 1).astype(int)), "group", ordered=True)
    assert any("x1: two categories" in w for w in two.warnings) and not any(
        "two categories" in w for w in three.warnings
    )
    residual = two.fits["scalar"].estimates.query("op == '~~' and lhs == 'x1'")
    assert residual["est"].tolist() == [1.0, 1.0]


def test_latent_means_and_variances_can_follow():
    ladder = semfit.invariance(MODEL, load("two_groups"), "group", ordered=True, further=["lv.variances", "means"])
    assert ladder.table.index[-2:].tolist() == ["latent variances", "latent means"]
    assert ladder.table.loc["latent means", "delta_pvalue"] < 0.001  # the second latent was made higher in group b


def test_what_is_equal_across_groups_can_be_released():
    data = load("two_groups")
    held = semfit.fit(MODEL, data, ordered=True, group="group", group_equal=["thresholds", "loadings"])
    table = semfit.score_tests(held).table
    row = table[table["op"] == "|"].iloc[0]
    free = semfit.fit(
        MODEL,
        data,
        ordered=True,
        group="group",
        group_equal=["thresholds", "loadings"],
        group_partial=[f"{row['lhs']} | {row['rhs']}"],
    )
    drop = held.measures["chisq"] - free.measures["chisq"]
    assert row["chisq"] == pytest.approx(drop, rel=0.1)


def test_the_second_order_ladder_is_lavaans():
    case = json.loads((REFERENCE / "ordinal_second_order.json").read_text())
    ladder = semfit.invariance(case["model"], load(case["set"]), "group", ordered=True)
    assert ladder.table.index.tolist() == list(case["rows"])
    for level, theirs in case["rows"].items():
        ours = ladder.table.loc[level]
        assert ladder.fits[level].df == theirs["df"]
        assert ladder.fits[level].measures["chisq"] == pytest.approx(theirs["chisq"], rel=1e-4)
        for name, key in (
            ("chisq", "chisq.scaled"),
            ("pvalue", "pvalue.scaled"),
            ("cfi", "cfi.scaled"),
            ("srmr", "srmr"),
        ):
            assert ours[name] == pytest.approx(theirs[key], abs=1e-4, rel=1e-4)
        assert ours["rmsea"] == pytest.approx(theirs["rmsea.scaled"], abs=1e-4)
    for step in case["steps"]:
        ours = ladder.table.loc[step["level"]]
        assert ours["delta_df"] == step["df"]
        assert ours["delta_chisq"] == pytest.approx(step["chisq"], rel=1e-3)
        assert ours["delta_pvalue"] == pytest.approx(step["pvalue"], abs=1e-4)
    south = ladder.fits["scalar of dimensions"].estimates.query("group == 2").set_index(["lhs", "op", "rhs"])
    for row in case["south"]:
        ours = south.loc[(row["lhs"], row["op"], row["rhs"])]
        assert ours["est"] == pytest.approx(row["est"], abs=1e-4)
        if row["se"]:
            assert ours["se"] == pytest.approx(row["se"], rel=1e-3)
    assert ladder.decision.means


def test_second_order_ladders_do_not_depend_on_how_latents_are_scaled():
    case = json.loads((REFERENCE / "ordinal_second_order.json").read_text())
    marker, unit = (
        semfit.invariance(case["model"], load(case["set"]), "group", ordered=True, std_lv=std) for std in (False, True)
    )
    assert np.allclose(marker.table, unit.table, atol=1e-4, equal_nan=True)
    sizes = marker.effect_sizes()
    assert sorted(sizes["item"]) == sorted(f"{f}{k}" for f in "abc" for k in (1, 2, 3))
    assert sizes["dmacs"].between(0, 0.5).all()


def test_continuous_treatment_stays_possible():
    ladder = semfit.invariance(MODEL, load("two_groups"), "group", ordered=True, estimator="MLR")
    assert ladder.table.index.tolist() == ["configural", "metric", "scalar", "strict"]
