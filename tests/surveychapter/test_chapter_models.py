"""What the chapter says of groups, mediations and products, held against the functions that computed it."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from surveychapter import (
    analyse,
    analyse_measurement,
    analyse_sample,
    analyse_structure,
    notebook,
    plan,
)
from surveychapter.chapter import written


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


def test_hierarchical_regression_and_categories(analysis, no_figures):
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


def test_a_mediation_is_named_once_in_its_table_and_every_method_has_its_reference(analysis, no_figures):
    made = written(analysis)
    names = next(t for t in made.tables if "Indirect, direct" in t.title).cells().iloc[:, 0].tolist()
    assert names[0].startswith("H2. satisfaction") and set(names[1:]) == {""}
    cited = made.section("references").text
    text = " ".join(s.text for s in made.sections[:-2])  # every reference is cited, by its first author and year
    for reference in made.section("references").parts:
        surname, year = reference.split(",")[0], re.search(r"\((\d{4})\)", reference)[1]
        assert re.search(rf"{surname}[^;)]{{0,60}}?{year}", text), reference
    for author in ("Aiken", "Chen", "Feldt", "Fornell", "Ganzach", "Hayes", "Henseler", "Horn", "Johnson, P. O.", "Kaiser",
                   "Lin, G.-C.", "Lindell", "MacKinnon", "McDonald", "Meade", "Muthén", "Podsakoff", "Yuan"):  # fmt: skip
        assert author in cited, author


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


def test_variance_inflation_is_that_of_the_regressions_of_predictors_on_each_other():
    x = np.random.default_rng(1).normal(size=(60, 3))
    x[:, 2] += x[:, 0]
    right = np.diag(np.linalg.inv(np.corrcoef(x, rowvar=False)))
    assert analyse_structure.vif(x) == pytest.approx(right.tolist())
    assert analyse_structure.vif(x[:, :1]) == [1.0]


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


@pytest.mark.parametrize(("n", "small"), [(19, True), (20, False)], ids=["one too few", "just enough"])
def test_a_group_on_both_sides_of_the_smallest_size(analysis, no_figures, n, small, sentences):
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
        ("zh", f"以下组别人数过少，未纳入比较：other（n = {n}）。每组至少需要 20 名受访者，且人数须多于题项数（6）。"),
    ):  # fmt: skip
        text, alarms, limits = sentences(other, "groups", language)
        assert (words in text) is small
        assert (("Merge them with others" in alarms) or ("可与其他组别合并" in alarms)) is small
        assert ((f"in other (n = {n})" in limits) or (f"中other（n = {n}）人数过少" in limits)) is small
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


def test_a_plain_mediation_has_the_product_of_the_paths_beside_it(analysis, no_figures):
    part = analysis.indirect[0]
    plain = dataclasses.replace(
        part, result=dataclasses.replace(part.result, moderator=None), latent=0.217, latent_low=0.1, latent_high=0.3
    )
    text = written(dataclasses.replace(analysis, indirect=[plain])).section("indirect").text
    assert "In the structural model the product of the paths is 0.217, 95% CI [0.100, 0.300] (delta method)." in text
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


def test_the_latent_product_stands_with_the_other_choices(analysis, no_figures):
    (first, *_) = [m for m in analysis.moderated if m.latent is not None]
    text = "\n".join(s.text for s in written(analysis).sections)
    assert f"complete rows, n = {first.latent.n_obs}" in text
    assert "latent" in first.robustness.index and first.robustness.loc["latent", "n"] == first.latent.n_obs
    columns = [t.cells() for t in written(analysis).tables]
    assert any("satisfaction \u00d7 benefit loss \u2192 attitudinal" in str(c.to_numpy().tolist()) for c in columns)
