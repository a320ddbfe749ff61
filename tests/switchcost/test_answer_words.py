"""Answers in words, value labels and filters: which columns are items, with which numbers, and what a codebook asks for."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from surveychapter.codebooks import missing_parts, overview, write_skeleton
from switchcost.core.errors import DataError, SurveyNote
from switchcost.data import flow, skeleton
from switchcost.data.words import block_of

pyreadstat = pytest.importorskip("pyreadstat")
N = 60
ACCURACY = ["Very Inaccurate", "Moderately Inaccurate", "Slightly Inaccurate", "Slightly Accurate", "Moderately Accurate", "Very Accurate"]  # fmt: skip
GERMAN_7 = ["trifft überhaupt nicht zu", "trifft nicht zu", "trifft eher nicht zu", "teils, teils", "trifft eher zu", "trifft zu", "trifft voll und ganz zu"]  # fmt: skip
GERMAN_STEPS = ["stimme nicht zu", "stimme eher nicht zu", "teils/teils", "stimme eher zu", "stimme zu"]
GERMAN_4 = ["stimme überhaupt nicht zu", "stimme eher nicht zu", "stimme eher zu", "stimme voll und ganz zu"]
CHINESE_7 = ["非常不符合", "不符合", "有点不符合", "一般", "有点符合", "符合", "非常符合"]
SIX = ["Strongly disagree", "Disagree", "Slightly disagree", "Slightly agree", "Agree", "Strongly agree"]
UNKNOWN = ["Feels like home", "Feels fine", "Feels odd", "Feels foreign"]


def numbers(points: int, columns: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(points)
    trait = rng.normal(size=(N, 1))
    x = (points + 1) / 2 + points / 5 * (trait + 0.8 * rng.normal(size=(N, columns)))
    frame = pd.DataFrame(np.clip(np.round(x), 1, points).astype(int), columns=[f"q{k}" for k in range(1, columns + 1)])
    frame.iloc[:points] = np.arange(1, points + 1)[:, None]
    return frame


def in_words(frame: pd.DataFrame, words: list[str]) -> pd.DataFrame:
    return frame.map(lambda v: words[v - 1])


def read(frame: pd.DataFrame, folder, *args, **options) -> pd.DataFrame:
    frame.to_csv(folder / "answers.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyNote)
        return sc.read_survey(folder / "answers.csv", *args, **options)


@pytest.mark.parametrize("words", [ACCURACY, GERMAN_7, GERMAN_STEPS, GERMAN_4, CHINESE_7, SIX], ids=lambda w: w[0])
def test_a_common_answer_scale_is_read_with_all_its_points(tmp_path, words):
    right = numbers(len(words))
    data = read(in_words(right, words), tmp_path)
    pd.testing.assert_frame_equal(data, right, check_dtype=False)
    line = skeleton(data).set_index("variable").loc["q2"]
    assert (line["low"], line["high"], line["construct"]) == (1, len(words), "q")


def test_yes_and_no_stay_categories(tmp_path):
    data = read(pd.DataFrame({"a1": ["ja", "nein"] * 9, "a2": ["yes", "no", "no"] * 6, "s": [1, 2, 3] * 6}), tmp_path)
    assert data["a1"].tolist()[:2] == ["ja", "nein"] and data["a2"].iloc[0] == "yes"
    assert skeleton(data)["construct"].tolist()[:2] == ["group", "group"]


def test_an_answer_beside_the_scale_is_a_gap_there_and_a_category_elsewhere(tmp_path):
    words = in_words(numbers(5), GERMAN_STEPS)
    words.iloc[20:24, 0], words.iloc[30, 1] = "keine Angabe", "weiß nicht"
    words["city"] = ["Graz", "Wien", "keine Angabe"] * 20
    data = read(words, tmp_path)
    assert data["q1"].isna().sum() == 4 and data["q2"].isna().sum() == 1 and data["q3"].notna().all()
    assert (data["city"] == "keine Angabe").sum() == 20
    assert "5 answers beside the answer scales are gaps: 'keine Angabe', 'weiß nicht'" in data.attrs["read"]["notes"]


def test_words_that_no_table_knows_are_asked_for_and_then_read(tmp_path):
    right = numbers(4)
    book = skeleton(read(in_words(right, UNKNOWN), tmp_path))
    assert book["construct"].tolist() == ["q", "q", "q"]
    assert sorted(book.loc[0, "values"].split("; ")) == sorted(f"? = {w}" for w in UNKNOWN)
    assert any("3 items of 'q' are answered in words" in part for part in missing_parts(book))
    with pytest.raises(DataError, match=r"'q1' still has a question mark: write the number of each answer"):
        sc.read_survey(tmp_path / "answers.csv", book)
    book["values"] = "; ".join(f"{k} = {w}" for k, w in enumerate(UNKNOWN, start=1))
    data = read(in_words(right, UNKNOWN), tmp_path, book)
    pd.testing.assert_frame_equal(data, right, check_dtype=False)
    assert data.attrs["value_labels"]["q1"][1.0] == "Feels like home"  # as written, not in small letters
    checked = sc.codebook(book)
    assert (checked["low"] == 1).all() and (checked["high"] == 4).all()  # the range need not be typed again


def test_columns_that_share_a_stem_and_no_answers_stay_categories(tmp_path):
    frame = pd.DataFrame({"brand1": ["A", "B", "C"] * 9, "brand2": ["D", "E", "F"] * 9, "s": [1, 2, 3] * 9})
    assert skeleton(read(frame, tmp_path))["construct"].tolist()[:2] == ["group", "group"]


# ------------------------------------------------------------------------------------------------------------ SPSS
@pytest.fixture
def spss(tmp_path):
    frame = numbers(4).astype(float)
    frame.loc[40:44, "q1"] = 9
    frame.insert(0, "case", np.arange(7001, 7001 + 3 * N, 3, dtype=float))
    frame["city"] = np.tile([1.0, 2, 3], 20)
    frame["filter_$"] = np.r_[np.zeros(7), np.ones(N - 7)]
    labels = dict(enumerate(UNKNOWN, start=1)) | {9: "Keine Angabe"}
    values = {q: labels for q in ("q1", "q2", "q3")} | {"city": {1: "Graz", 2: "Wien", 3: "Linz"}, "filter_$": {0: "Not Selected", 1: "Selected"}}  # fmt: skip
    names = ["", "Home?", "Town?", "Land?", "City", "age >= 18 (FILTER)"]
    pyreadstat.write_sav(frame, tmp_path / "mine.sav", column_labels=names, variable_value_labels=values)
    return tmp_path / "mine.sav"


def load(path, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyNote)
        return sc.read_survey(path, *args, **options)


def test_columns_with_the_same_steps_as_labels_are_items_and_one_alone_is_categories(spss):
    data = load(spss, keep="all")
    assert data["q2"].tolist() == numbers(4)["q2"].tolist() and data["q1"].isna().sum() == 5
    assert data["city"].unique().tolist() == ["Graz", "Wien", "Linz"]
    book = skeleton(data).set_index("variable")
    assert book.loc["q1", ["construct", "low", "high"]].tolist() == ["q", 1, 4]
    assert book.loc[["case", "city", "filter_$"], "construct"].tolist() == ["id", "group", "platform"]
    assert "no range" not in " ".join(missing_parts(book.reset_index()))


def test_the_codebook_has_the_last_word_on_labelled_columns(spss):
    book = pd.DataFrame({"variable": ["q1", "city"], "construct": ["group", "place"], "low": ["", 1], "high": ["", 3]})
    data = load(spss, book, keep="all")
    assert data["q1"].iloc[0] == UNKNOWN[0] and (data["q1"] == "Keine Angabe").sum() == 5
    assert data["city"].tolist()[:3] == [1, 2, 3]


def test_cases_that_were_not_selected_leave_and_are_counted(spss):
    data = load(spss)
    assert flow(data)["step"].tolist() == ["records in the file", "not selected in SPSS (age >= 18)"]
    assert flow(data)["dropped"].tolist() == [0, 7] and len(data) == N - 7
    assert "filter_$" in data.attrs["platform_columns"]
    assert len(load(spss, keep="all")) == len(load(spss, drop=["filter_$"])) == N


# -------------------------------------------------------------------------------------------------------- codebook
def test_limesurveys_code_names_a_block_of_any_length():
    first, second = (f"SC[SQ00{k}]. How much do you agree? [Item {k}]" for k in (1, 2))
    assert block_of(first) == block_of(second) == "SC" and block_of("HAUS[SQ001]") == "HAUS"


def test_the_question_of_a_matrix_is_not_repeated_in_every_wording(tmp_path):
    question, items = "How much do you agree? (1 = no, 4 = yes)", ["It works", "It is cheap", "I like it"]
    frame = numbers(4).set_axis([f"{question} [{i}]" for i in items], axis=1)
    other = numbers(5, 2).set_axis(["Price - low", "Service - good"], axis=1)
    book = skeleton(read(frame.join(other), tmp_path))
    assert book["label_en"].tolist() == [*items, "Price - low", "Service - good"]
    assert book.loc[0, "variable"] == f"{question} [It works]" and book.loc[0, "construct"] == "scale1"


def test_a_codebook_is_a_workbook_that_reads_as_its_csv(tmp_path):
    frame = numbers(5).rename(columns={"q1": "=q1 1.5"})
    read(frame, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyNote)
        sheet = write_skeleton(tmp_path / "answers.csv")
        text = write_skeleton(tmp_path / "answers.csv", tmp_path / "book.csv")
    assert sheet.name == "answers_codebook.xlsx"
    pd.testing.assert_frame_equal(sc.codebook(sheet), sc.codebook(text))
    openpyxl = pytest.importorskip("openpyxl")
    page = openpyxl.load_workbook(sheet).active
    assert page.freeze_panes == "C2" and page["A2"].data_type == "s" and page["A2"].value == "=q1 1.5"
    assert "2 items in 1 scale (q: 2); other columns: 1 background" in overview(sc.codebook(sheet))
    with pytest.raises(DataError, match="ends in .xlsx or .csv"):
        write_skeleton(tmp_path / "answers.csv", tmp_path / "book.doc")


def test_the_overview_counts_what_was_recognised():
    book = pd.DataFrame({"construct": ["a", "a", "b", "group", "text", "group"]})
    assert overview(book) == "It lists 3 items in 2 scales (a: 2, b: 1); other columns: 2 group, 1 text."
    assert overview(book.iloc[3:]).startswith("It lists no items; other columns:")


# ------------------------------------------------------------------------------------------------ what no answer is
@pytest.mark.parametrize("word", ["Total", "合计", "Mittelwert "])
def test_a_row_of_totals_at_the_foot_is_refused(tmp_path, word):
    frame = numbers(5).astype(object)
    frame.insert(0, "no", range(1, N + 1))
    frame.loc[N] = [word, 180, 181, 182]
    with pytest.raises(DataError, match=rf"line {N + 2} begins with '{word.strip()}', a row of totals"):
        read(frame, tmp_path)
