"""Every limit of the chapter, seen in its sentences on both sides and in both languages."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from semfit.errors import DroppedRows
from surveychapter.chapter import written
from surveychapter.study import VERDICTS


@pytest.mark.parametrize(
    ("omega", "where", "words"),
    [
        (0.6999, "low", ("Below .70: Satisfaction", "低于 0.70 的量表：顾客满意")),
        (0.70, "high", ("At least .70: ", "不低于 0.70 的量表")),
    ],
)
def test_reliability_on_both_sides(analysis, no_figures, omega, where, words, sentences):
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
def test_complete_answers_on_both_sides(analysis, no_figures, share, said, sentences, changed):
    other = changed(analysis, "gaps", complete=share * 10_000, n=10_000)
    assert ("of the respondents answered all items" in sentences(other, "missing")[2]) is said


@pytest.mark.parametrize(("skew", "said"), [(1.0001, True), (-1.0001, True), (1.0, False)])
def test_skewness_on_both_sides(analysis, no_figures, skew, said, sentences, changed):
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
def test_fit_in_words(analysis, no_figures, fits, english, chinese, poor, sentences, changed):
    other = changed(analysis, "factors", fits={**analysis.factors.fits, "pvalue": 0.2, **fits})
    text, alarms, limits = sentences(other, "factors")
    assert english in text and chinese in sentences(other, "factors", "zh")[0]
    assert ("measurement model fits poorly (CFI = .899)" in alarms) is poor
    assert ("does not describe the answers well (CFI = .899)" in limits) is poor
    assert "Exact fit is rejected" not in text
    again = changed(analysis, "factors", fits={**analysis.factors.fits, **fits, "pvalue": 0.0499})
    assert ("Exact fit is rejected" in sentences(again, "factors")[0]) is not poor


@pytest.mark.parametrize(("value", "weak"), [(0.4999, True), (-0.4999, True), (0.5, False), (-0.5, False)])
def test_loadings_on_both_sides(analysis, no_figures, value, weak, sentences, changed):
    table = analysis.factors.loadings.copy()
    table["std_all"] = 0.8
    table.loc[1, "std_all"] = value
    text, alarms, _ = sentences(changed(analysis, "factors", loadings=table), "factors")
    assert ("Weak loadings (below .50): " in text) is weak and ("Weak loadings" in alarms) is weak
    low, high = ("\u2212.50" if value < 0 else ".50"), ".80"
    assert f"Standardised loadings ran from {low} ({table.loc[1, 'item']}) to {high}" in text


@pytest.mark.parametrize(("ratio", "said"), [(2.999, True), (3.0, False)])
def test_respondents_for_each_parameter(analysis, no_figures, ratio, said, sentences, changed):
    _, alarms, limits = sentences(changed(analysis, "factors", per_parameter=ratio), "factors")
    assert ("rest on very little" in alarms) is said and ("is small for a measurement model" in limits) is said


@pytest.mark.parametrize(("ave", "low"), [(0.4999, True), (0.5, False)])
def test_average_variance_extracted_on_both_sides(analysis, no_figures, ave, low, sentences, changed):
    factors = analysis.factors.validity.factors.assign(ave=0.6, msv=0.3)
    factors.loc["trust", "ave"] = ave
    other = changed(analysis, "factors", validity=dataclasses.replace(analysis.factors.validity, factors=factors))
    text = sentences(other, "validity")[0]
    assert ("below .50 for trust (.4999)" in text) is low  # never ".50 is below .50"
    assert ("The average variance extracted ran from .50 to .60" in text) is not low
    assert "Every scale shares more variance" in text


@pytest.mark.parametrize(("gap", "distinct"), [(1e-9, True), (0.0, False), (-1e-9, False)])
def test_fornell_larcker_on_both_sides(analysis, no_figures, gap, distinct, sentences, changed):
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
def test_htmt_on_both_sides(analysis, no_figures, ratio, upper, supported, alarm, sentences):
    pairs = analysis.htmt.pairs.assign(htmt=0.3, ci_lower=0.1, ci_upper=0.5)
    pairs.loc[2, ["htmt", "ci_upper"]] = ratio, upper
    other = dataclasses.replace(analysis, htmt=dataclasses.replace(analysis.htmt, pairs=pairs))
    text, alarms, limits = sentences(other, "validity")
    assert ("discriminant validity is supported" in text) is supported
    assert ("remains open whether all scales are distinct" in text) is not supported
    assert ("尚不能确定" in sentences(other, "validity", "zh")[0]) is not supported
    assert ("are hardly distinct" in alarms) is alarm and ("may be one thing" in limits) is alarm


@pytest.mark.parametrize(("share", "half"), [(0.4999, False), (0.5, True)])
def test_one_factor_on_both_sides(analysis, no_figures, share, half, sentences, changed):
    table = analysis.method_bias.harman.table.copy()
    table.loc["one factor", "first_component"] = share
    harman = dataclasses.replace(analysis.method_bias.harman, table=table)
    text = sentences(changed(analysis, "method_bias", harman=harman), "bias")[0]
    assert ("half or more" in text) is half and ("below the customary half" in text) is not half
    assert "None of these checks can show" in text


@pytest.mark.parametrize(("p", "found"), [(0.0499, True), (0.05, False)])
def test_method_factor_and_marker_on_both_sides(analysis, no_figures, p, found, sentences, changed):
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
def test_smallest_group_on_both_sides(analysis, no_figures, smallest, said, sentences, changed):
    other = changed(analysis, "groups", sizes=pd.Series({"a": 300, "b": smallest}))
    assert ("differences in measurement can have been missed" in sentences(other, "groups")[2]) is said


@pytest.mark.parametrize(
    ("p", "est", "word"), [(0.0499, 0.2, "positively"), (0.0499, -0.2, "negatively"), (0.05, 0.2, "did not predict")]
)
def test_paths_on_both_sides(analysis, no_figures, p, est, word, sentences, changed):
    paths = analysis.structure.paths.copy()
    paths["est"], paths["pvalue"] = est, p
    text = sentences(changed(analysis, "structure", paths=paths), "structure")[0]
    assert word in text and sum(w in text for w in ("positively", "negatively", "did not predict")) == 1
    chinese = sentences(changed(analysis, "structure", paths=paths), "structure", "zh")[0]
    assert {"positively": "正向", "negatively": "负向", "did not predict": "不显著"}[word] in chinese
    assert "age" not in text.replace("average", "")  # a control is in the table, not in the text


@pytest.mark.parametrize(("beta", "said"), [(1.0001, True), (-1.0001, True), (1.0, False)])
def test_standardised_paths_beyond_one(analysis, no_figures, beta, said, sentences, changed):
    paths = analysis.structure.paths.assign(std_all=0.3)
    paths.loc[0, "std_all"] = beta
    assert ("is beyond 1" in sentences(changed(analysis, "structure", paths=paths), "structure")[1]) is said


@pytest.mark.parametrize(("cfi", "poor"), [(0.8999, True), (0.9, False)])
def test_structural_fit_on_both_sides(analysis, no_figures, cfi, poor, sentences, changed):
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
def test_products_on_both_sides(analysis, no_figures, p, est, english, chinese, sentences):
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


def test_robustness_in_words(analysis, no_figures, sentences):
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
def test_indirect_effects_on_both_sides(analysis, no_figures, low, high, clear, sentences):
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


@pytest.mark.parametrize("single", [True, False])
def test_a_hypothesis_over_a_single_column_is_a_point_to_settle(analysis, no_figures, single, sentences, changed):
    """Not for a column of groups (operator, in H5), nor for a covariate that no hypothesis names (age)."""
    columns = (*analysis.plan.columns, *(["trust"] if single else []))
    asked = changed(analysis, "plan", columns=columns)
    assert ("One column stands for trust. If" in sentences(asked, "hypotheses")[1]) is single
    assert ("只由一列数据测量" in sentences(asked, "hypotheses", "zh")[1]) is single
