"""The drawn model of the chapter: its labels, its estimates and its broken lines."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from surveychapter import figures
from surveychapter.chapter import written
from surveychapter.document import Picture
from surveychapter.wording import Wording
from switchcost import plots

DRAWN = [("trust", "satisfaction", 0.54, True), ("loyalty", "trust", -0.2, False), ("trust", "switching_costs", 0.1, False),
         ("loyalty", "satisfaction*switching_costs", 0.3, True)]  # fmt: skip


@pytest.mark.parametrize(("language", "names"), [("en", ["satisfaction", "trust", "switching costs", "satisfaction \u00d7\nswitching costs", "loyalty"]), ("zh", ["顾客满意", "信任", "转换成本", "顾客满意 \u00d7\n转换成本", "顾客忠诚"])])  # fmt: skip
def test_the_model_is_drawn_with_labels_and_broken_lines(language, names):
    rows = pd.DataFrame(DRAWN, columns=["outcome", "predictor", "beta", "clear"])
    words = Wording(language)
    ax = Figure(figsize=(6.4, 3)).subplots()
    figures.paths(rows, words)(ax)
    at = {t.get_text(): np.array(t.get_position()) for t in ax.texts}
    assert set(at) == {*names, *(words.format_field(b, "b") for b in rows["beta"])}
    arrows = [a for a in ax.patches if isinstance(a, FancyArrowPatch)]
    label = {n: " \u00d7\n".join(map(words.name, n.split("*"))) for n in [*rows["predictor"], *rows["outcome"]]}
    boxes = [b for b in ax.patches if isinstance(b, Rectangle)]
    assert len(boxes) == 5 and {round(b.get_width(), 6) for b in boxes} == {round(boxes[0].get_width(), 6)}
    for arrow, row in zip(arrows, rows.itertuples(), strict=True):
        start, end = map(np.array, arrow._posA_posB)
        for place, name in ((start, row.predictor), (end, row.outcome)):  # on the edge of its box
            middle = at[label[name]]
            assert np.abs(place - middle)[0] <= boxes[0].get_width() / 2 + 1e-9
            assert np.abs(place - middle)[1] <= boxes[0].get_height() / 2 + 1e-9
        assert (arrow.get_linestyle() in ("-", "solid")) is row.clear


def test_the_drawn_model_leaves_out_controls(analysis, changed, no_figures):
    picture = next(p for p in written(analysis).section("structure").parts if isinstance(p, Picture))
    paths = analysis.structure.paths.set_index(["predictor", "outcome"])["std_all"]
    assert picture.alt.count("from ") == sum(len(c) for c in analysis.plan.paths.values()) - 1 and "age" not in picture.alt  # fmt: skip
    assert f"from satisfaction to trust {paths['satisfaction', 'trust']:.2f};" in picture.alt
    assert "broken where the 95% interval contains zero" in picture.caption
    alone = analysis.structure.paths[analysis.structure.paths["predictor"] == "age"]
    made = written(changed(analysis, "structure", paths=alone))
    assert not any(isinstance(p, Picture) for p in made.section("structure").parts)


@pytest.mark.parametrize(
    ("language", "long"),
    [("en", "loss of benefits"), ("en", "a rather long name of a construct that goes on for three or four lines"),
     ("en", "Zufriedenheitsmessungsergebnis"), ("zh", "一个相当长的构念名称一个相当长的构念名称")],
)  # fmt: skip
def test_every_name_fits_its_box(language, long):
    named = [("loyalty", long, 0.5, True), ("trust", f"{long}*price", 0.5, True), ("loyalty", "trust", 0.1, True)]
    rows = pd.DataFrame(named, columns=["outcome", "predictor", "beta", "clear"])
    seen = []

    def plot(ax):
        figures.paths(rows, Wording(language))(ax)
        box = next(p for p in ax.patches if isinstance(p, Rectangle)).get_window_extent()
        estimates = {Wording(language).format_field(b, "b") for b in rows["beta"]}
        for text in ax.texts:
            size = text.get_window_extent()
            if text.get_text() not in estimates:
                seen.append((size.width / box.width, size.height / box.height, text.get_fontsize()))

    figures.draw(plot, language, figures.height(rows, Wording(language)))
    width, height, font = np.array(seen).T
    assert len(seen) == 4 and max(width.max(), height.max()) < 1 and font.min() >= 6
    assert width.max() > 0.4 and font.max() == 8.5


def test_a_figure_is_drawn_in_the_style_of_the_collection_and_leaves_the_callers():
    before = dict(mpl.rcParams)
    seen = {}
    figures.draw(lambda ax: seen.update(mpl.rcParams))
    plots.style(chinese=plots.chinese_font() is not None)
    styled, _ = dict(mpl.rcParams), mpl.rcParams.update(before)
    assert seen == styled and seen != before and dict(mpl.rcParams) == before


def test_the_height_follows_predictors_and_lines():
    def inches(*names):
        return figures.height(pd.DataFrame({"predictor": names, "outcome": "y"}), Wording("en"))

    assert inches("a") == inches("a", "b", "c") == 2.6 and inches("a", "b", "c", "d") == pytest.approx(3.2)
    assert inches("a*b") == 2.6 and inches("two or three words more*b") == pytest.approx(2.6 * 1.5)
    assert inches(*[f"a long name of a construct {k}" for k in range(20)]) == 7.5
