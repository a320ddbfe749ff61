"""Paragraphs that say what a table shows are held against the stored output of that table."""

import json
import re
from pathlib import Path

import numpy as np

import switchcost as sc

ROOT = Path(__file__).resolve().parents[2]


def page(number):
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def shown(number, mark, columns):
    """The last columns of the table that the code cell with ``mark`` shows, numbers only."""
    (cell,) = [c for c in page(number) if c["cell_type"] == "code" and mark in "".join(c["source"])]
    text = "".join("".join(o.get("data", {}).get("text/plain", "")) for o in cell["outputs"])
    last = re.compile(rf"((?: +-?\d*\.?\d+){{{columns}}}) *$")
    rows = [found.group(1) for line in text.splitlines() if (found := last.search(" " + line))]
    return np.array([[float(v) for v in row.split()] for row in rows])


def prose(number):
    text = "\n".join("".join(c["source"]) for c in page(number) if c["cell_type"] == "markdown")
    return " ".join(text.split())


def test_planning_factor_model_and_designs():
    text = prose("24")
    loading, _, width, usable = shown("24", "def precision(", 4).T
    assert "more than twice as wide, and many solutions cannot be used" in text
    assert width[0] > 2 * width[4] and loading[[0, 4]].tolist() == [0.5, 0.8] and usable[0] < 0.8 < usable[4]
    power = shown("24", "model_power(path.n(", 5)[1]
    assert "within two of its standard errors (`power_se`)" in text
    assert abs(power[-2] - 0.80) < 2 * power[-1]
    items, _, _, found, se, mean = shown("24", "designs = pd.DataFrame(designs)", 6).T
    assert "two to six items a scale cannot be told apart here" in text and "One item shrinks the estimate most" in text
    some = (items >= 2) & (items <= 6)
    assert some.sum() == 3 and np.ptp(found[some]) < 2.1 * np.hypot(se[some], se[some]).max()
    assert abs(mean).argmin() == 0


def test_planning_ceilings_and_shops():
    none, _, satisfaction, loyalty = shown("24", "def found_at(", 3)
    text = prose("24")
    assert "false alarms, and a positive product hidden" in text
    assert loyalty[1] > 0.1 and loyalty[2] < none[2] / 2
    assert "A ceiling of *satisfaction* alone hides a negative product instead" in text
    assert satisfaction[0] < none[0] - 0.1 and satisfaction[1] < 0.1
    strangers, by_shop, slopes = shown("24", "def survey_of_shops(", 2)
    assert "far more often than the level allows" in text and "fewer alarms were false" in text
    assert strangers[0] > 0.15 and strangers[0] > by_shop[0] > slopes[0] and abs(slopes - 0.05).max() < 0.03
    assert (np.array([strangers[1], by_shop[1], slopes[1]]) < [strangers[0], by_shop[0], slopes[0]]).all()


def test_spread_that_would_save_the_printed_turkish_slopes():
    table = sc.published("aydin2005").printed["table2"]
    beta = table[table["quantity"] == "beta"].set_index("row")["printed"].astype(float)
    spreads = []
    for model, term, high in (("Model 3.1", "CS", 0.108), ("Model 3.2", "TR", 0.228)):
        low, average = beta[f"{model}: {term}"], beta[f"Model 2: {term}"]
        # with halves the average slope weighs each group by its variance of the predictor
        spreads.append(f"{np.sqrt((low - average) / (average - high)):.2f}"[1:])
    assert (
        f"a standard deviation of {spreads[0]} of the other group's for satisfaction, of {spreads[1]} for trust"
        in prose("14")
    )
