"""The path diagram: what must be in it, where things stand, and that it takes models of every shape."""

from __future__ import annotations

import itertools
from pathlib import Path

import matplotlib
import pandas as pd
import pytest

import switchcost as sc
from semfit.diagram import _diagram_layout, _diagram_rows, path_diagram

matplotlib.use("agg")
HS = pd.read_csv(Path(__file__).parents[1] / "reference" / "data" / "sem_hs.csv")
MODEL = """
    visual  =~ x1 + x2 + x3
    textual =~ x4 + x5 + x6
    speed   =~ x7 + x8 + x9
    textual ~ visual
    speed ~ textual + visual"""
FACETS = {"er": 6, "ev": 4, "le": 4, "su": 4, "bl": 3, "ml": 2, "pr": 4, "br": 3}
SECOND = (
    "\n".join(f"{f} =~ " + " + ".join(f"{f}{k + 1}" for k in range(n)) for f, n in FACETS.items())
    + """
    procedural =~ er + ev + le + su
    financial =~ bl + ml
    relational =~ pr + br"""
)


def texts(ax) -> list[str]:
    return [t.get_text() for t in ax.texts]


@pytest.fixture(autouse=True)
def close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


def test_estimates_stand_on_the_arrows():
    fit = sc.fit(MODEL, HS)
    shown = texts(path_diagram(fit))
    arrows = fit.estimates[fit.estimates["op"].isin(["=~", "~"])]
    for value in arrows["std_all"]:
        assert f"{value:.2f}" in shown
    assert any("Standardised ML estimates, n = 301" in t for t in shown)
    raw = texts(path_diagram(fit, standardized=False, decimals=3))
    assert all(f"{value:.3f}" in raw for value in arrows["est"])


def test_causes_left_effects_right_and_their_items_outside():
    at = _diagram_layout(_diagram_rows(MODEL, True, None, 2)[0])
    assert at["x1"].x < at["visual"].x < at["textual"].x < at["speed"].x < at["x9"].x
    assert at["x4"].y > at["textual"].y > at["visual"].y  # the mediator above, so that the direct path is free


@pytest.mark.parametrize(
    "model", [MODEL, SECOND, "y ~ x + m; m ~ x", "a =~ x1 + x2 + x3; b =~ x3 + x4 + x5; a ~ b; b ~ a"]
)
def test_nothing_overlaps(model):
    nodes = _diagram_layout(_diagram_rows(model, True, None, 2)[0])
    for a, b in itertools.combinations(nodes.values(), 2):
        assert abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2, (a, b)


def test_every_variable_is_named_and_inside_the_axes():
    ax = path_diagram(SECOND)
    drawn = {t.get_text(): t.get_position() for t in ax.texts}
    for facet, n in FACETS.items():
        for name in [facet, *(f"{facet}{k + 1}" for k in range(n))]:
            x, y = drawn[name]
            assert ax.get_xlim()[0] < x < ax.get_xlim()[1] and ax.get_ylim()[0] < y < ax.get_ylim()[1]


def test_labels_of_a_text_and_many_covariances():
    assert {"a", "b"} <= set(texts(path_diagram("f =~ x1+x2+x3; g =~ y1+y2+y3; h =~ z1+z2+z3; g ~ a*f; h ~ b*g")))
    first_order = "\n".join(SECOND.splitlines()[:8])
    assert "28 covariances not drawn" in texts(path_diagram(first_order))
    few = path_diagram(first_order, covariances=True)
    assert len(few.patches) == len(path_diagram(first_order).patches) + 28


def test_groups_are_chosen_by_label():
    fit = sc.fit("visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6", HS, group="school")
    second = fit.estimates.query("group == 2 and op == '=~'")["std_all"]
    shown = texts(path_diagram(fit, group=fit.groups[1]))
    assert all(f"{v:.2f}" in shown for v in second)
    with pytest.raises(ValueError, match="group 'Paris' is not in the fit; there are: Pasteur, Grant-White"):
        path_diagram(fit, group="Paris")


def test_draws_on_given_axes_and_from_the_fit():
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    assert path_diagram(MODEL, ax=ax, title="A sentence.") is ax
    assert ax.get_title() == "A sentence."
    assert sc.fit(MODEL, HS).plot() is not ax
