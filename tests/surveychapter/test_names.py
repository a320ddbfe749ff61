"""Names as people write them: constructs, columns, labels and short names; and sentences that print nothing else."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from surveychapter import analyse, figures, plan, rules
from surveychapter.analysis import Problem
from surveychapter.chapter import results_chapter, written
from surveychapter.command import write_chapter
from surveychapter.names import Names
from switchcost.core.errors import DataError
from switchcost.data.codebook import codebook

QUESTIONS = ["1. How satisfied are you (price, network: both)?", "2. And all in all?", "3. Would you choose it again?", "4. I shall stay.", "5、会推荐", "6. I feel loyal!"]  # fmt: skip
SEX, AGE = "7. What is your sex: (tick one)", "8、您的年龄（岁）"
BOOK = pd.DataFrame(
    {
        "variable": [*QUESTIONS, SEX, AGE],
        "short": ["sat1", "sat2", "sat3", "loy1", "loy2", "loy3", "sex", "age"],
        "construct": [*["satisfaction (overall)"] * 3, *["顾客 忠诚"] * 3, "group", "background"],
        "construct_label_en": [*["Customer satisfaction"] * 3, *["Loyalty"] * 3, "", ""],
        "low": [*["1"] * 6, "", ""],
        "high": [*["5"] * 6, "", ""],
    }
)
STUDY = {
    "hypotheses": ["H1: customer satisfaction x sex -> Loyalty", "H2: age -> loyalty"],
    "covariates": [],
    "group": "sex",
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    n, common = 150, rng.normal(size=(150, 1))
    items = np.clip(np.round(3 + 0.7 * common + 0.8 * rng.normal(size=(n, 6))), 1, 5)
    return pd.DataFrame(items, columns=QUESTIONS).assign(
        **{SEX: rng.choice(["male", "female: yes"], n), AGE: rng.integers(18, 70, n)}
    )


def asked(data, model=STUDY, book=BOOK):
    return plan.make(data, codebook(book), model, seed=1, n_boot=100, least=0.5)


def test_every_name_of_a_thing_finds_it(data):
    names = Names.of(codebook(BOOK), data.columns)
    for written_name, right in [
        ("satisfaction (overall)", "satisfaction (overall)"), ("Satisfaction overall", "satisfaction (overall)"),
        ("customer_satisfaction", "satisfaction (overall)"), ("顾客忠诚", None), ("顾客_忠诚", "顾客 忠诚"), ("loyalty", "顾客 忠诚"),
        ("sex", SEX), (" AGE ", AGE), (AGE, AGE), ("8、您的年龄(岁)", AGE), ("sat2", QUESTIONS[1]), (QUESTIONS[0], QUESTIONS[0]),
    ]:  # fmt: skip
        if right is None:
            with pytest.raises(DataError, match="neither a construct of the codebook nor a column"):
                names.find(written_name, "H1")
        else:
            assert names.find(written_name, "H1") == right, written_name
    made = asked(data)
    assert [(h.kind, [made.spelt.get(n, n) for n in h.names]) for h in made.hypotheses] == [
        ("moderation", ["satisfaction (overall)", SEX, "顾客 忠诚"]), ("direct", [AGE, "顾客 忠诚"]),
    ]  # fmt: skip
    assert made.spelt[made.group] == SEX and all(plan.SPELT.fullmatch(n) for n in [*made.named, *made.items])
    roles = {"outcome": "Loyalty", "predictors": "customer satisfaction", "covariates": ["age", "sex"]}
    assert [asked(data, roles).spelt[c] for c in asked(data, roles).covariates] == [AGE, SEX]


def test_a_name_that_stands_for_two_things_names_both(data):
    book = BOOK.assign(short=["sat1", "sat2", "sat3", "loy1", "Loyalty", "loy3", "sex", "age"])
    with pytest.raises(
        DataError, match=f"hypothesis H1: 'Loyalty' can be the construct '顾客 忠诚' or the column '{QUESTIONS[4]}'"
    ):
        asked(data, book=book)
    again = {**STUDY, "hypotheses": ["H1: Satisfaction (overall) -> 顾客 忠诚"]}
    assert asked(data, again, book).hypotheses[0].kind == "direct"  # other names of the same things are clear
    with pytest.raises(DataError, match="covariates: 'sex' can be the column 'SEX' or the column 'Sex'"):
        Names.of(codebook(BOOK.iloc[:6]), ["SEX", "Sex"]).find("sex", "covariates")
    assert Names.of(codebook(BOOK.iloc[:6]), ["SEX", "sex"]).find("sex", "covariates") == "sex"


def test_the_one_item_of_a_construct_and_its_short_name_are_one_thing():
    book = pd.DataFrame(
        {"variable": ["q 1", "q2", "q3"], "construct": ["stay (on)", "s", "s"], "short": ["stay_on", "", ""]}
    )
    names = Names.of(codebook(book), book["variable"])
    assert names.find("stay on", "H1") in ("stay (on)", "q 1")
    made = plan.make(
        pd.DataFrame({"q 1": [1.0, 2, 3], "q2": [1.0, 2, 2], "q3": [2.0, 1, 3]}), codebook(book),
        {"hypotheses": ["s -> stay on"]}, seed=1, n_boot=100, least=0.5,
    )  # fmt: skip
    assert made.spelt[made.outcome] in ("stay (on)", "q 1") and made.outcome in made.raw


@pytest.mark.parametrize(
    ("change", "model", "said"),
    [
        ({QUESTIONS[1]: ["dont know", *[3.0, 4.0] * 74, 2.0]}, {}, f"column '{QUESTIONS[1]}' holds text in 1 row"),
        ({QUESTIONS[1]: 3}, {}, f"column '{QUESTIONS[1]}' is constant"),
        ({AGE: ["old", *range(18, 167)]}, {}, f"column '{AGE}' holds text in 1 row"),
        ({}, {"covariates": ["agee"]}, "covariates: 'agee' is neither a construct of the codebook nor a column of the data. Did you mean 'age'"),
        ({}, {"group": "Loyalty"}, "group: 'Loyalty' is not a column of the data"),
        ({SEX: "male"}, {}, f"group '{SEX}' has 1 different values"),
        ({}, {"outcome": "loyalty", "predictors": "顾客 忠诚"}, "'顾客 忠诚' has two roles in the model"),
        ({}, {"hypotheses": ["customer satisfaction -> sat1 -> satisfaction overall"]}, "circle: satisfaction (overall) -> 1. How"),
        ({}, {"marker": "fashion"}, "marker: 'fashion' is neither a construct"),
    ],
)  # fmt: skip
def test_errors_name_what_stands_in_the_files(data, change, model, said):
    with pytest.raises(DataError) as raised:
        analyse.analyse(asked(data.assign(**change), {**STUDY, **model}))
    assert said in str(raised.value) and "item_" not in str(raised.value)


def test_a_reverse_item_without_range_is_named_by_its_question(data):
    book = BOOK.assign(reverse=["1", *[""] * 7], low=["", *BOOK["low"][1:]])
    with pytest.raises(DataError, match=re.escape(f"item {QUESTIONS[0]!r} is marked reverse")):
        analyse.analyse(asked(data, book=book))


def test_reasons_warnings_and_findings_name_the_short_names(data, monkeypatch, no_figures):
    monkeypatch.setattr(figures, "draw", lambda plot, language="en", height=4.0: b"")
    made = results_chapter(data.assign(**{QUESTIONS[1]: data[QUESTIONS[0]]}), BOOK, STUDY, n_boot=100)
    said = " ".join([*(s.text for s in made.sections), *made.alarms, *(t.to_markdown() for t in made.tables)])
    assert "a combination of sat1, sat2 has no variance" in said
    assert not re.search(r"item_\d|satisfaction_overall|顾客_忠诚", said)
    a = made.analysis
    short = {v: k for k, v in a.plan.spelt.items()}
    assert {v: a.plan.called[k] for v, k in short.items()}[QUESTIONS[2]] == "sat3"
    problems = {"factors": Problem("factors", f"x of {short[QUESTIONS[2]]} and {short[SEX]}_male: no")}
    broken = written(dataclasses.replace(a, problems=problems))
    assert "x of sat3 and sex: male: no" in " ".join(broken.alarms)


def test_a_model_without_degrees_of_freedom_is_not_called_poor(data, monkeypatch, no_figures):
    monkeypatch.setattr(figures, "draw", lambda plot, language="en", height=4.0: b"")
    roles = {"outcome": "age", "predictors": "customer satisfaction"}
    for language, words in (("en", "No degrees of freedom are left, so its fit"), ("zh", "自由度为 0，无法检验拟合。")):
        made = results_chapter(data, BOOK, roles, n_boot=100, language=language)
        assert words in made.section("factors").text and not any("CFI" in alarm for alarm in made.alarms)
    fits = {"df": 0, "cfi": np.nan, "rmsea": np.nan, "srmr": 0.0}
    assert (rules.fit_word(fits), rules.poor_fit(fits)) == ("saturated", [])
    assert rules.fit_word({**fits, "df": 1}) == "poor"


def test_the_reader_takes_short_names_too(data, tmp_path):
    data.assign(check=[2] * 140 + [3] * 10, **{"9. Anything else?": 1}).to_csv(tmp_path / "a.csv", index=False)
    more = pd.DataFrame(
        {"variable": ["check", "9. Anything else?"], "short": ["att", "rest"], "construct": ["attention", "text"]}
    )
    pd.concat([BOOK, more]).fillna("").to_csv(tmp_path / "b.csv", index=False)
    study = 'hypotheses: ["age -> Loyalty"]\nn_boot: 100\nread: {attention: {att: 2}, drop: [rest]}\n'
    (tmp_path / "s.yaml").write_text(study, encoding="utf-8")
    write_chapter(tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "s.yaml", notebook=False)
    flow = pd.read_csv(tmp_path / "a_chapter" / "flow_of_n.csv")
    assert flow["left"].tolist() == [150, 140] and flow["step"].iloc[-1] == "failed check"
