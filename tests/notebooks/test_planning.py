"""The planning page: every key of its plan reaches the sample size and the preregistration."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "notebooks" / "24_planning_your_study.ipynb"
SOURCES = ["".join(c["source"]) for c in json.loads(PAGE.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]  # fmt: skip
OTHER = {
    "beta": 0.2,
    "slopes": (0.6, 0.1),
    "r": 0.5,
    "items": 2,
    "loading": 0.85,
    "points": 3,
    "power": 0.9,
    "alpha": 0.01,
}


def cell(mark):
    (found,) = [s for s in SOURCES if mark in s]
    return found


def run(change):
    """What the page's own cells compute from its plan with one key changed."""
    import numpy as np
    import pandas as pd
    import pingouin as pg
    from scipy.stats import norm

    import switchcost as sc

    said = []
    teach = type("teach", (), {"say": staticmethod(said.append), "reveal": staticmethod(lambda *a, **k: None)})
    names = {"np": np, "pd": pd, "pg": pg, "norm": norm, "sc": sc, "teach": teach}
    exec(cell("plan = {"), names)
    assert set(names["plan"]) == set(OTHER)
    names["plan"] |= change
    for mark in ("want = {", "def main_share", "def scale_reliability"):
        exec(cell(mark), names)
    exec(cell("def n_by_surveys").replace("n_rep=1000", "n_rep=300"), names)
    exec(next(s for s in SOURCES if "**Hypothesis.**" in s), names)
    return names["n_plan"], names["n_formula"], said[-1]


@pytest.fixture(scope="module")
def as_planned():
    return run({})


@pytest.mark.parametrize("key", OTHER)
def test_each_key_of_the_plan_moves_the_sample_and_the_preregistration(key, as_planned):
    n_plan, n_formula, text = run({key: OTHER[key]})
    assert n_plan != as_planned[0]
    assert (n_formula != as_planned[1]) == (key != "points")  # the formula knows no categories
    without = [re.sub(r"n = \d+|\d+ would do", "", t) for t in (text, as_planned[2])]
    assert without[0] != without[1] and f"n = {n_plan} complete" in text


def test_no_level_or_power_is_written_beside_the_plan():
    after = SOURCES[SOURCES.index(cell("plan = {")) + 1 :]
    calls = "\n".join(s for s in after if "sc.power" in s or "norm.ppf" in s)
    assert re.findall(r"alpha=0?\.\d+|power=0?\.\d+|norm\.ppf\(0?\.\d+\)", calls) == []
