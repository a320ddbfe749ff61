"""The results chapter: says what the package computed, says aloud what is wrong, and writes files that open."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

import semfit
import switchcost as sc
from semfit.measurement_invariance import RULES
from surveychapter import analyse_measurement
from surveychapter.chapter import results_chapter

COLUMNS = [
    "sat1",
    "sat2",
    "sat3",
    "bl1",
    "bl2",
    "bl3",
    "ml1",
    "ml2",
    "at1",
    "at2",
    "at3",
    "at4",
    "age",
    "contract",
]
MODEL = {
    "outcome": "loyalty",
    "predictors": "satisfaction",
    "moderator": "costs",
    "covariates": ["age"],
    "group": "contract",
}


@pytest.fixture(scope="module")
def book():
    book = sc.codebook("telecom_survey").query("variable in @COLUMNS").copy()
    book["construct"] = book["construct"].replace(
        {"benefit_loss": "costs", "monetary_loss": "costs", "attitudinal": "loyalty"}
    )
    return book


@pytest.fixture(scope="module")
def data():
    return sc.simulate.survey(n=420, seed=12, columns=COLUMNS)


@pytest.fixture(scope="module")
def chapter(data, book):
    return results_chapter(data, book, {**MODEL, "exclude": ["duplicated", "careless"]}, n_boot=200, min_answered=1)


def test_words_hold_the_numbers_of_the_functions(chapter, data, book):
    keyed = data.drop(index=chapter.results["excluded"])
    keyed["at4"] = 6 - keyed["at4"]
    scales = {"satisfaction": COLUMNS[:3], "costs": COLUMNS[3:8], "loyalty": COLUMNS[8:12]}
    scores = pd.DataFrame({k: keyed[v].mean(axis=1, skipna=False) for k, v in scales.items()}).join(keyed["age"])
    own = sc.moderate(scores, y="loyalty", x="satisfaction", moderator="costs", covariates=["age"], cov_type="HC3")
    row = own.coefficients.loc[own.product]
    text = chapter.section("moderation").text
    assert f"b = {row.est:.3f}, 95% CI [{row.ci_lower:.3f}, {row.ci_upper:.3f}]".replace("-", "\u2212") in text
    assert f"n = {own.n_used}; {own.n_dropped} rows left out" in text
    omega = sc.reliability(keyed, scales).loc["loyalty", "omega"]
    assert f"oyalty (omega = {omega:.2f}".replace("0.", ".") in chapter.section("Reliability").text
    assert f"this left n = {len(keyed)}" in chapter.section("Participants").text


def test_faults_come_first_and_every_item_of_the_checklist_has_a_place(chapter):
    assert chapter.sections[0].alarm and chapter.sections[0].heading.startswith("Read this first")
    assert any("duplicated block" in a and "excluded by rule" in a for a in chapter.alarms)
    assert any("Measurement differs across contract" in a for a in chapter.alarms)  # planted in bl2
    places = chapter.checklist.query("reported == 'yes'")["where"]
    assert set(places) <= {s.heading for s in chapter.sections} and len(places) >= 13
    assert "yours to write" in set(chapter.checklist["reported"])


def test_same_seed_same_chapter(chapter, data, book):
    again = results_chapter(data, book, {**MODEL, "exclude": ["duplicated", "careless"]}, n_boot=200, min_answered=1)
    assert again._repr_html_() == chapter._repr_html_()


def test_word_and_markdown(chapter, tmp_path):
    from docx import Document

    document = Document(str(chapter.to_docx(tmp_path / "chapter.docx")))
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings == [s.heading for s in chapter.sections]
    assert len(document.tables) == len(chapter.tables)
    assert all(len(s._inline.docPr.get("descr").split()) > 10 for s in document.inline_shapes)
    text = chapter.to_markdown(tmp_path / "chapter.md").read_text(encoding="utf-8")
    for image in re.findall(r"\]\((.*?\.png)\)", text):
        assert (tmp_path / image).stat().st_size > 1000
    assert text.count("\n## ") == len(chapter.sections)


def test_without_a_moderator_a_structural_model(data, book, no_figures):
    ch = results_chapter(
        data,
        book,
        {"outcome": "loyalty", "predictors": ["satisfaction", "costs"], "covariates": ["contract"]},
        n_boot=100,
    )
    path = ch.results["structural"].estimates.query("op == '~' and rhs == 'satisfaction'").iloc[0]
    assert f"b = {path.est:.3f}" in ch.section("structure").text
    assert ch.checklist.loc["Measurement invariance across groups", "reported"] == "not applicable"


def test_a_construct_of_one_item_is_its_column(no_figures):
    mobi = sc.load("mobi")
    ch = results_chapter(mobi, "mobi", {"outcome": "Quality", "predictors": ["Satisfaction", "Complaints"]}, n_boot=100)
    assert "Complaints predicted" in ch.section("structure").text and "Complaints" in ch.scores.columns
    assert "Complaints" in set(ch.analysis.plan.book["variable"])  # its range, labels and direction stay with it
    assert any("structural model fits poorly" in a for a in ch.alarms)


def test_broken_data_are_said_aloud(data, book, no_figures):
    bad = data.copy()
    bad.loc[:4, "sat1"] = 33.0
    bad["sat3"] = np.random.default_rng(1).integers(1, 6, len(bad))
    ch = results_chapter(bad, book, {**MODEL, "group": None}, n_boot=100)
    said = " ".join(ch.alarms)
    assert "5 answers outside the codebook's range (sat1: 5) were treated as missing" in said
    assert "Reliability of satisfaction is low" in said and "sat3 (" in said


def test_no_chapter_ends_because_one_method_could_not_run(data, book, no_figures):
    ch = results_chapter(data.assign(at4=data["at1"]), book, MODEL, n_boot=100)
    said = " ".join(ch.alarms)
    assert "Reliability could not be computed" in said and "at4" in said
    assert "could not be computed" in ch.section("Reliability").text
    assert ch.checklist.loc["Reliability with intervals", "reported"] == "no"
    assert "The product was b" in ch.section("moderation").text


def test_hypotheses_are_judged_from_the_model_that_holds_them_all(data, book, no_figures):
    lines = [
        "H1: satisfaction -> loyalty (+)",
        "H2: satisfaction -> loyalty (-)",
        "H3: satisfaction x costs -> loyalty (-)",
    ]
    ch = results_chapter(data, book, {"hypotheses": lines[:1] + lines[2:]}, n_boot=100)
    found = ch.results["hypotheses"]
    path = (
        ch.results["hypotheses_model"]
        .estimates.query("op == '~' and lhs == 'loyalty' and rhs == 'satisfaction'")
        .iloc[0]
    )
    assert found.loc["H1", ["est", "ci_lower", "ci_upper"]].tolist() == path[["est", "ci_lower", "ci_upper"]].tolist()
    assert found.loc["H1", "key"] == "supported"
    row = ch.results["regression"].coefficients.loc["satisfaction:costs"]
    assert found.loc["H3", "est"] == pytest.approx(row.est)
    wrong = results_chapter(data, book, {"hypotheses": lines[1:2]}, n_boot=100).results["hypotheses"]
    assert wrong.loc["H2", "key"] == "opposite"


def test_indirect_effect_is_that_of_mediate_and_the_latent_one_stands_beside_it(data, book, no_figures):
    ch = results_chapter(
        data, book, {"hypotheses": ["H1: costs -> satisfaction -> loyalty", "H2: costs -> loyalty"]}, n_boot=100
    )
    e = ch.results["hypotheses_model"].estimates.query("op == '~'").set_index(["lhs", "rhs"])["est"]
    part = ch.analysis.indirect[0]
    assert part.latent == pytest.approx(e["satisfaction", "costs"] * e["loyalty", "satisfaction"])
    own = sc.mediate(ch.scores, x="costs", m="satisfaction", y="loyalty", n_boot=100).table.iloc[0]
    found = ch.results["hypotheses"].loc["H1", ["est", "ci_lower", "ci_upper"]]
    assert found.tolist() == pytest.approx(own[["est", "ci_lower", "ci_upper"]].tolist())


def test_scoring_rule_is_stated_and_a_tenth_of_the_sample_lost_is_an_alarm(data, book, no_figures):
    gaps = data.copy()
    for k, item in enumerate(COLUMNS[:12]):
        gaps.loc[gaps.index[k::12][:25], item] = np.nan
    model = {**MODEL, "group": None}
    strict = results_chapter(gaps, book, model, n_boot=100, min_answered=1)
    half = results_chapter(gaps, book, model, n_boot=100)
    assert "only for respondents who answered all its items" in strict.section("Missing").text
    assert "who answered at least 50% of them" in half.section("Missing").text
    assert any("left out for missing values" in a for a in strict.alarms)
    assert not any("left out for missing values" in a for a in half.alarms)
    assert half.results["regression"].n_used > strict.results["regression"].n_used
    with pytest.raises(ValueError, match="min_answered must be .* and is 0; it is a share"):
        results_chapter(gaps, book, model, min_answered=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcome": "loyality"}, "Did you mean 'loyalty'"),
        ({"moderater": "costs"}, "Did you mean 'moderator'"),
        ({"outcome": "satisfaction"}, "two roles"),
        ({"group": "age"}, "different values; it needs 2 to 8"),
        ({"predictors": []}, "at least one of 'predictors'"),
        ({"outcome": ["loyalty", "age"]}, "takes one name"),
        ({"method": "plsx"}, "'method' is 'plsx'; it can be 'sem' or 'pls'"),
        ({"hypotheses": ["H1: a -> loyalty"]}, "neither a construct"),
    ],
)
def test_bad_settings(data, book, change, message):
    with pytest.raises(ValueError, match=message):
        results_chapter(data, book, {**MODEL, **change})


def test_a_codebook_that_does_not_fit(data, book):
    with pytest.raises(ValueError, match="codebook variable 'sat3' is not a column"):
        results_chapter(data.drop(columns="sat3"), book, MODEL)


@pytest.mark.parametrize(("step", "forbids"), [("metric", True), ("scalar", True), ("strict", False), ("none", False)])
def test_a_failed_strict_step_says_nothing_against_comparing_means(data, book, monkeypatch, step, forbids, no_figures):
    rule = next(r for r in RULES if r.name == step)
    found = lambda *args, **options: dataclasses.replace(semfit.invariance(*args, **options), decision=rule)  # noqa: E731
    monkeypatch.setattr(analyse_measurement, "invariance", found)
    ch = results_chapter(data, book, MODEL, n_boot=100)
    said = [a for a in ch.alarms if "Measurement differs across contract" in a]
    assert bool(said) is forbids
    assert all("means" in a for a in said)
    assert ("means of the latents can be compared all the same" in ch.section("Limitations").text) is (step == "strict")
