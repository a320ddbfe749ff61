"""What a student and a supervisor tripped over: names, limits that print alike, claims that another table contradicts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from surveychapter import figures
from surveychapter.analysis import Step
from surveychapter.chapter import results_chapter, written
from surveychapter.command import main, without_python
from surveychapter.wording import Near, Wording
from surveychapter.write_sample import NUMPY
from surveychapter.yaml_files import parse_yaml

SPSS = "outside the SPSS selection 'age >= 18'"


@pytest.fixture(scope="module")
def analysis():
    rng = np.random.default_rng(8)
    n, f = 220, rng.normal(size=(220, 1))
    names = ["scale1_1", "scale1_2", "scale1_3", "tr1", "tr2", "tr3", "loy1", "loy2", "loy3"]
    shift = np.repeat(rng.normal(size=(n, 3)), 3, axis=1)
    items = np.clip(np.round(3.2 + 0.6 * f + 0.5 * shift + 0.6 * rng.normal(size=(n, 9))), 1, 5).astype(int)
    questions = [f"How do you see it? [{k}]" for k in "abc"] + names[3:]
    data = pd.DataFrame(items, columns=questions).assign(
        **{"Q8": rng.integers(18, 70, n), "Which plan?": rng.integers(1, 3, n), "town": "A"}
    )
    book = pd.DataFrame(
        {
            "variable": [*questions, "Q8", "Which plan?", "town"],
            "short": [*names, "Q8", "Which_plan", "group_3"],
            "construct": [*["mood"] * 3, *["trust"] * 3, *["loyalty"] * 3, "background", "group", "group"],
            "label_en": [*"abc", *names[3:], "How old are you?", "Which plan?", "Where do you live?"],
            "values": [*[""] * 10, "1 = prepaid; 2 = contract", ""],
            "low": [*[1] * 9, "", "", ""],
            "high": [*[5] * 9, "", "", ""],
        }
    )
    data.attrs["value_labels"] = {"Which plan?": {1: "prepaid", 2: "contract"}}
    study = {
        "hypotheses": ["H1: mood -> trust -> loyalty (+)"],
        "covariates": ["how old are you"],
        "group": "which plan",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "draw", lambda plot, language="en", height=4.0: b"")
        return results_chapter(data, book, study, n_boot=100).analysis


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(figures, "draw", lambda plot, language="en", height=4.0: b"")


def test_an_item_is_called_by_its_short_name_and_follows_the_name_of_its_scale(analysis):
    made = written(analysis)
    assert analysis.plan.called["mood_1"] == "mood_1" and analysis.plan.spelt["mood_1"] == "How do you see it? [a]"
    table = next(t for t in made.tables if "Loadings" in t.title).cells()
    assert table["item"].tolist()[:3] == ["mood_1", "mood_2", "mood_3"] or "mood_1" in table["item"].tolist()
    assert "How do you see it" not in " ".join(s.text for s in made.sections)


def test_a_column_that_is_a_code_is_called_by_its_label(analysis):
    words = Wording("en", analysis.plan)
    assert words.name("Q8") == "How old are you" and words.name(analysis.plan.group) == "Which plan"
    assert words.name("town") == "town"  # a word is a name already
    assert "Where do you live" not in written(analysis).section("participants").text
    described = next(t for t in written(analysis).tables if "Participants" in t.title).cells().iloc[:, 0].tolist()
    assert "Which plan: contract" in described and "How old are you" in described


def test_a_value_beside_a_limit_that_prints_alike_gets_another_digit():
    words = Wording("en")
    assert [words.format_field(Near(v, 0.5), "r") for v in (0.4962, 0.49996, 0.47, 0.5)] == [".496", ".50", ".47", ".50"]  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "apart"), [(-0.01, 0.2, True), (0.0, 0.2, True), (0.001, 0.2, False), (-0.3, -0.1, False)]
)
def test_regressions_and_structural_model_that_disagree_are_named(analysis, low, high, apart):
    part = analysis.indirect[0]
    part = dataclasses.replace(part, row=part.row.copy(), latent=0.1, latent_low=low, latent_high=high)
    part.row["ci_lower"], part.row["ci_upper"] = 0.02, 0.2
    assert part.disagrees is apart
    for language, said, alarm in (("en", "Only one of the two intervals", "disagree"), ("zh", "两个区间中只有一个", "结论不一致")):  # fmt: skip
        made = written(dataclasses.replace(analysis, indirect=[part]), language)
        assert (said in made.section("indirect").text) is apart
        assert any(alarm in a for a in made.alarms) is apart
        assert (alarm in made.section("limitations").text) is apart


def test_a_disagreement_stands_beside_the_verdict(analysis):
    part = dataclasses.replace(analysis.indirect[0])
    table = analysis.verdicts.assign(key="supported", basis="apart" if part else "")
    for language, words, basis in (("en", "does not give the same answer", "not so in the structural model"), ("zh", "结构模型的结论与此不同", "结构模型的结论不同")):  # fmt: skip
        made = written(dataclasses.replace(analysis, verdicts=table), language)
        assert words in made.section("hypotheses").text
        shown = next(t for t in made.tables if t.data.shape[1] == 6 and "H1" in t.cells().iloc[:, 0].tolist())
        assert basis in shown.cells().iloc[0, -1]


@pytest.mark.parametrize("moderated", [False, True])
def test_flagged_rows_are_not_sent_to_a_section_that_is_not_there(analysis, moderated):
    sample = dataclasses.replace(analysis.sample, flagged=analysis.gaps.scores.index[:3])
    made = written(dataclasses.replace(analysis, sample=sample))
    text = made.section("participants").text
    assert "The checks flagged 3 rows as repeated or carelessly answered; the analyses include them." in text
    assert "Robustness" not in text and not any(s.key == "robustness" for s in made.sections)


@pytest.mark.parametrize(("dropped", "said"), [(0, "found no row to leave out (n = 220)"), (1, "1 row flagged as careless were")])  # fmt: skip
def test_a_rule_that_found_nothing_excluded_nothing(analysis, dropped, said):
    flow = [*analysis.sample.flow[:1], Step("duplicated", 0, 220, rule=True), Step("careless", dropped, 220, rule=True)]
    made = written(dataclasses.replace(analysis, sample=dataclasses.replace(analysis.sample, flow=flow)))
    assert said in made.section("participants").text


def test_cases_outside_a_selection_of_spss_are_in_the_flow_in_both_languages(analysis):
    flow = [Step("records in the file", 0, 230), Step("not selected in SPSS (age >= 18)", 10, 220)]
    other = dataclasses.replace(analysis, sample=dataclasses.replace(analysis.sample, flow=flow))
    text = written(other).section("participants").text
    assert f"10 ({SPSS}) left. No further row was excluded (n = 220)." in text
    assert "不在 SPSS 的筛选条件 age >= 18 之内 10 条" in written(other, "zh").section("participants").text


def test_a_colon_of_a_chinese_keyboard_ends_a_key():
    text = 'hypotheses：\n  - "H1：质量 -> 忠诚"\n  - H2：满意 -> 忠诚\ngroup：套餐\ntitle: 结果：一\n'
    tree = parse_yaml(text, "study")
    assert tree["group"] == "套餐" and tree["title"] == "结果：一"
    assert tree["hypotheses"] == ["H1：质量 -> 忠诚", {"H2": "满意 -> 忠诚"}]


@pytest.mark.parametrize(
    ("text", "command", "said"),
    [
        ("Say which: sheet='pilot'.", "codebook", "Say which: --sheet 'pilot'."),
        ("with drop=['a b'], or check", "codebook", "with --drop 'a b', or check"),
        ("with drop=['a b'], or check", "chapter", "with read: {drop: ['a b']} in the study file, or check"),
        ("say attention={'Q6': right answer}", "chapter", "say read: {attention: {'Q6': right answer}} in the study file"),
        ("read it with decimal=',' or decimal='.'", "codebook", "read it with --decimal ',' or --decimal '.'"),
        ("remain (keep='all' keeps them)", "chapter", "remain (read: {keep: 'all'} in the study file keeps them)"),
        ("Equals sep=no option", "new-study", "Equals read: {sep: no} in the study file option"),
    ],
)  # fmt: skip
def test_options_are_named_as_the_reader_of_the_message_writes_them(text, command, said):
    assert without_python(text, command) == said


def test_values_of_a_coded_group_are_printed_by_their_words(tmp_path):
    frame = pd.DataFrame({"s1": [1, 2, 3] * 9, "s2": [2, 3, 1] * 9, "plan": [1, 2, 2] * 9})
    frame.to_csv(tmp_path / "a.csv", index=False)
    book = pd.DataFrame({"variable": ["s1", "s2", "plan"], "construct": ["s", "s", "group"], "values": ["", "", "1 = Prepaid; 2 = Contract"]})  # fmt: skip
    data = sc.read_survey(tmp_path / "a.csv", book)
    assert data.attrs["value_labels"]["plan"] == {1.0: "Prepaid", 2.0: "Contract"} and data["plan"].tolist()[:2] == [1, 2]  # fmt: skip


def test_the_mend_of_a_missing_code_needs_no_python():
    said = NUMPY.sub(r"write \1 into X", "If it means no answer: data.replace({'loy': {8: np.nan}}).")
    assert said == "If it means no answer: write 8 into X."


def test_a_column_of_the_platform_is_no_item(tmp_path, capsys):
    frame = pd.DataFrame({"Timestamp": [f"2025/03/03 09:{k:02d}:00" for k in range(40)], "q1": [1, 2] * 20, "q2": [2, 1, 3, 1] * 10})  # fmt: skip
    frame.to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"variable": list(frame), "construct": ["q", "q", "q"]}).to_csv(tmp_path / "b.csv", index=False)
    (tmp_path / "s.yaml").write_text("outcome: q\npredictors: q1\n", encoding="utf-8")
    assert main(["chapter", *(str(tmp_path / f) for f in ("a.csv", "b.csv", "s.yaml"))]) == 2
    assert "'Timestamp' in the scale 'q', and the survey platform wrote it" in capsys.readouterr().err
