"""Necessary conditions in the PLS chapter: the effect size by hand, its p, and the words on both sides of the limits."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

import switchcost as sc
from surveychapter.analyse_pls import necessary
from surveychapter.chapter import results_chapter, written
from switchcost.core.errors import DataError

COLUMNS = ["sat1", "sat2", "sat3", "tr1", "tr2", "tr3", "at1", "at2", "at3", "age"]
STUDY = {"hypotheses": ["H1: satisfaction -> trust -> attitudinal (+)"], "covariates": ["age"], "method": "pls", "nca": True}  # fmt: skip


@pytest.fixture(scope="module")
def chapter():
    book = sc.codebook("telecom_survey").query("variable in @COLUMNS")
    return results_chapter(sc.simulate.survey(n=150, seed=5, columns=COLUMNS), book, STUDY, n_boot=100)


def empty_corner(x, y):
    """Area above the steps of the running maximum, over the area of all scores."""
    at = np.unique(x)
    ceiling = np.array([y[x <= a].max() for a in at])
    return (np.diff(at) * (y.max() - ceiling[:-1])).sum() / (np.ptp(x) * np.ptp(y))


def test_the_effect_size_and_its_p_by_hand(chapter):
    a = chapter.analysis
    scores, table = a.pls.fit.scores, a.necessary
    assert list(zip(table["outcome"], table["construct"], strict=True)) == [("trust", "satisfaction"), ("attitudinal", "trust")]  # fmt: skip
    for row in table.itertuples():
        x, y = scores[row.construct].to_numpy(), scores[row.outcome].to_numpy()
        assert row.d == pytest.approx(empty_corner(x, y), abs=1e-12)
        rng = np.random.default_rng(a.plan.seed)
        by_chance = [empty_corner(x, y[rng.permutation(len(y))]) for _ in range(100)]
        assert row.p == pytest.approx((1 + sum(d >= row.d - 1e-12 for d in by_chance)) / 101)


def test_a_necessary_condition_is_found_and_a_merely_helpful_one_is_not():
    rng = np.random.default_rng(1)
    needed, helpful = rng.uniform(size=(2, 200))
    y = needed * rng.uniform(0.2, 1, 200)  # never above what is needed
    data = {"needed": needed, "helpful": helpful, "y": y + 0.001 * helpful}
    fit = sc.pls(sc.simulate.survey(n=200, seed=1, columns=["age"]).assign(**data), {n: [n] for n in data}, "y ~ needed + helpful")  # fmt: skip
    asked = SimpleNamespace(paths={"y": ["needed", "helpful", "operator"]}, n_boot=100, seed=1)
    table = necessary(SimpleNamespace(fit=fit), asked).set_index("construct")
    assert table["d"]["needed"] > 0.3 and table["p"]["needed"] == pytest.approx(1 / 101)
    assert table["p"]["helpful"] > 0.05 and list(table.index) == ["needed", "helpful"]


@pytest.mark.parametrize(("d", "p", "said"), [(0.10, 0.0499, True), (0.0999, 0.0499, False), (0.10, 0.05, False)])
@pytest.mark.parametrize(("language", "yes", "no"), [("en", "Satisfaction for trust (d = ", "no predictor is shown"), ("zh", "之于信任（d = 0", "未发现必要条件")])  # fmt: skip
def test_words_of_necessary_conditions_on_both_sides(chapter, language, yes, no, d, p, said):
    table = chapter.analysis.necessary.assign(d=[d, 0.5], p=[p, 0.5])
    text = written(dataclasses.replace(chapter.analysis, necessary=table), language).section("nca").text
    assert (yes.lower() in text.lower()) is said and (no in text) is not said


def test_it_is_there_only_where_it_is_asked_for(chapter, book):
    table = next(t for t in chapter.tables if t.title.endswith("Necessary conditions"))
    assert table.cells()["d"].tolist() == [f"{v:.2f}".removeprefix("0") for v in chapter.analysis.necessary["d"]]
    assert "by 100 permutations" in table.note and "necessary condition" not in chapter.section("pls").text
    assert chapter.checklist["reported"]["PLS: necessary conditions"] == "yes"
    without = written(dataclasses.replace(chapter.analysis, necessary=None))
    assert "importance-performance maps and necessary condition analysis." in without.section("pls").text
    assert "nca" not in {s.key for s in without.sections}
    with pytest.raises(DataError, match="'nca' asks for necessary conditions of a PLS model; set 'method' to 'pls'"):
        results_chapter(sc.simulate.survey(n=60, seed=5, columns=COLUMNS), sc.codebook("telecom_survey").query("variable in @COLUMNS"), {**STUDY, "method": "sem"}, n_boot=100)  # fmt: skip
