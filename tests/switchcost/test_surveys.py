"""Survey files as people have them: each with the n and the means that are right."""

from __future__ import annotations

import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from surveychapter.command import main
from switchcost.core.errors import DataError, SurveyNote
from switchcost.data import flow, platforms, skeleton
from switchcost.data.encoding import decode
from switchcost.data.words import normal

HERE = Path(__file__).parent / "surveys"


def read(name, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyNote)
        return sc.read_survey(HERE / name, *args, **options)


def answers(data):
    """The sixteen questions: number columns from 1 to 5 or 7, in the order of the file."""
    own = data.attrs["platform_columns"]
    items = [c for c in data if c not in own and pd.api.types.is_numeric_dtype(data[c]) and data[c].max() <= 7]
    assert len(items) == 16
    return data[items]


def three(data):
    mean = answers(data).mean().round(4)
    return [float(mean.iloc[k]) for k in (0, 8, 15)]


def test_google_forms():
    data = read("01_google_forms.csv")
    assert data.attrs["read"]["platform"] == "Google Forms" and len(data) == 214
    assert three(data) == [3.6476, 2.2441, 2.3810]
    assert answers(data).notna().sum().iloc[[0, 8, 15]].tolist() == [210, 213, 210]
    assert "16 columns of agreement in words read as 1 to 5" in " ".join(data.attrs["read"]["notes"])


def test_qualtrics():
    with pytest.warns(
        SurveyNote, match="a Qualtrics export; 231 records read, 2 previews, 23 unfinished, 13 failed Q6"
    ):
        data = sc.read_survey(HERE / "02_qualtrics.csv")
    assert len(data) == 193
    assert flow(data).to_dict("list") == {
        "step": ["records in the file", "previews", "unfinished", "failed Q6"],
        "dropped": [0, 2, 23, 13],
        "left": [231, 229, 206, 193],
    }
    means = data[["Q2_1", "Q3_5", "Q4_2", "Q5_4"]].mean().round(4)
    assert means.tolist() == [4.6788, 3.2591, 4.7358, 3.2176]
    assert data.attrs["labels"]["Q2_2"].endswith("My operator meets my expectations.")
    assert len(read("02_qualtrics.csv", keep="all")) == 231
    assert len(read("02_qualtrics.csv", attention={})) == 206
    assert len(read("02_qualtrics.csv", min_seconds=1)) == 193
    fast = flow(read("02_qualtrics.csv", min_seconds=300))
    assert fast["step"].tolist()[3] == "answered in less than 300 seconds" and fast["dropped"][3] > 0
    both = pd.concat([data, data])  # pandas compares what is attached to the two
    assert len(both) == 386


def test_limesurvey():
    data = read("03_limesurvey.csv", keep="all")
    assert len(data) == 188 and three(data) == [3.6915, 2.4681, 2.3457]
    assert len(read("03_limesurvey.csv")) == 161
    assert (
        data.attrs["labels"]["SAT[SQ002]. My operator meets my expectations."] == "My operator meets my expectations."
    )


def test_spss():
    data = read("04_spss.sav")
    assert len(data) == 305 and data["sat1"].notna().sum() == 302 and round(data["sat1"].mean(), 4) == 3.6424
    assert data["gender"].value_counts().to_dict() == {"Female": 176, "Male": 121, "Prefer not to say": 8}
    assert data.attrs["value_labels"]["sat1"][5.0] == "Strongly agree"
    assert data.attrs["labels"]["age"] == "Age in years"
    with_book = read("04_spss.sav", HERE / "codebook_plain.csv")
    assert with_book["sat1"].equals(data["sat1"])


def test_blanks_in_a_labelled_file_are_no_answers(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    answers = pd.DataFrame({"q": [1.0, 2, 3] * 20, "why": ["price", " ", ""] * 20})
    pyreadstat.write_sav(answers, tmp_path / "blanks.sav")
    assert sc.read_survey(tmp_path / "blanks.sav")["why"].isna().sum() == 40


def test_blanks_as_pandas_3_holds_them(tmp_path, texts_of_pandas_3):
    test_blanks_in_a_labelled_file_are_no_answers(tmp_path)


def test_wjx():
    book = HERE / "06_codebook_zh.csv"
    for data in (read("06_wjx_gb18030.csv"), read("06_wjx_gb18030.csv", book)):
        assert len(data) == 326 and data.attrs["read"]["encoding"] == "gb18030"
        assert three(data) == [3.5767, 2.4417, 2.5092]
        assert data.attrs["read"]["platform"].startswith("wjx")


def test_german_excel():
    data = read("08_german_excel.csv", HERE / "08_codebook.csv")
    assert data["einkommen_tsd"].mean().round(4) == 2.7616 and data["größe_haushalt"].mean().round(4) == 2.95


def test_small_gaps_and_mixed_scales():
    assert len(read("09_n63.csv", HERE / "codebook_plain.csv")) == 63
    gaps = read("10_missing40.csv", HERE / "codebook_plain.csv")
    assert 0.3 < answers(gaps).isna().to_numpy().mean() < 0.5
    mixed = read("11_mixed_scales.csv")
    assert len(mixed) == 264 and "may be an attention item" in " ".join(mixed.attrs["read"]["notes"])
    assert len(read("11_mixed_scales.csv", HERE / "11_codebook.csv", keep="all")) == 264
    kept = read("11_mixed_scales.csv", attention={"attention": 2})
    assert flow(kept)["dropped"].tolist() == [0, 16]
    book = sc.codebook(HERE / "11_codebook.csv")
    line = pd.DataFrame([{"variable": "attention", "construct": "attention", "low": 2, "high": 2}])
    others = book.loc[book["variable"] != "attention", ["variable", "construct", "low", "high"]]
    declared = pd.concat([others, line])
    assert len(read("11_mixed_scales.csv", declared)) == 248


SECOND = pd.read_csv(HERE / "second" / "expected.csv", keep_default_na=False)


@pytest.mark.parametrize("file", SECOND["file"].unique())
def test_exports_written_by_a_second_person(file):
    right = SECOND[SECOND["file"] == file]
    data = read(f"second/{file}")
    assert len(data) == int(right["n"].iloc[0]) == flow(data)["left"].iloc[-1]
    for line in right.iloc[1:].itertuples():
        assert (data[line.column].notna().sum(), f"{data[line.column].mean():.4f}") == (line.n, line.mean), line.column
    everybody = right["note"].iloc[0].split()[0]
    assert len(read(f"second/{file}", keep="all")) == int(everybody)


def test_what_the_second_exports_tell_beside_the_answers():
    sosci = read("second/sosci_de.csv")
    assert sosci.attrs["labels"]["SA01_01"].endswith("bin ich mit meinem Anbieter zufrieden")
    assert flow(sosci)["step"].tolist() == ["records in the file", "previews", "unfinished"]
    assert flow(sosci)["dropped"].tolist() == [0, 3, 11]
    forms = read("second/microsoft_forms.xlsx")
    assert forms.attrs["value_labels"]["My operator meets my expectations"][4.0] == "Agree / Stimme zu"
    unipark = read("second/unipark.csv")
    assert "0 means no answer in 16 questions" in " ".join(unipark.attrs["read"]["notes"])
    zero_based = pd.DataFrame({"variable": ["v_12"], "low": [0], "high": [7]})
    assert (read("second/unipark.csv", zero_based)["v_12"] == 0).sum() == 2
    redcap = " ".join(read("second/redcap_labels.csv").attrs["read"]["notes"])
    assert redcap.count("anchored") == 1 and "in 16 columns" in redcap


def test_forms_of_redcap_leave_when_one_is_incomplete(tmp_path):
    rows = [f"{i},,{i % 5 + 1},{0 if i == 3 else 2},{i % 4 + 1},{0 if i == 4 else 2}" for i in range(9)]
    head = "record_id,redcap_survey_identifier,sat1,one_complete,loy1,two_complete"
    (tmp_path / "raw.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    labels = "Record ID,Survey Identifier,Satisfied,Complete?,Loyal,Complete?"
    states = {"0": "Incomplete", "2": "Complete"}
    words = [",".join(states[c] if k in (3, 5) else c for k, c in enumerate(r.split(","))) for r in rows]
    (tmp_path / "labels.csv").write_text("\n".join([labels, *words]), encoding="utf-8")
    for file in ("raw.csv", "labels.csv"):
        with pytest.warns(SurveyNote, match="a REDCap export; 9 records read, 2 unfinished left out, 7 remain"):
            assert len(sc.read_survey(tmp_path / file)) == 7


def test_numbers_with_thousands_and_anchors():
    assert round(read("bill_us.csv")["bill"].mean(), 2) == 890.35
    data = read("anchored_likert.csv")
    assert round(data["sat1"].mean(), 3) == 2.967 and len(data) == 120
    assert data.attrs["value_labels"]["sat1"] == {1.0: "1 - Strongly disagree", 5.0: "5 - Strongly agree"}


NUMBERS = {
    # name: (cells, options, right values)
    "one group": (["950", "1,234", "12,345"], {"thousands": ","}, [950, 1234, 12345]),
    "as decimals": (["950", "1,234", "12,345"], {"decimal": ","}, [950, 1.234, 12.345]),
    "two groups": (["950", "1,234,567"], {}, [950, 1234567]),
    "groups and decimals": (["1,200.50", "300", "400"], {}, [1200.5, 300, 400]),
    "german": (["1.200,50", "300", "2.345,00"], {}, [1200.5, 300, 2345]),
    "swiss": (["1'200", "300"], {}, [1200, 300]),
    "french": (["1\u202f200,5", "1 300,5"], {}, [1200.5, 1300.5]),
    "euro": (["1.200,50 €", "300 €", "15,20 €"], {}, [1200.5, 300, 15.2]),
    "dollar": (["$1,200.50", "$300"], {}, [1200.5, 300]),
    "percent": (["20%", "35 %"], {}, [20, 35]),
    "below one": (["0,125", "1,250", "2,500"], {}, [0.125, 1.25, 2.5]),
    "three decimals": (["0.125", "1.250", "12.500"], {}, [0.125, 1.25, 12.5]),
    "anchors": (["1 - not at all", "3", "5 - very"], {}, [1, 3, 5]),
    "anchors in brackets": (["1 (not at all)", "3", "5 (very)"], {}, [1, 3, 5]),
    "missing by value": (["9", "2", "99", "4"], {"missing": "99"}, [9, 2, np.nan, 4]),
    "missing with decimals": (["99.0", "2.0", "-99,0", "4"], {"missing": [99, -99], "decimal": None}, None),
    "missing in a column with gaps": (["99.0", "", "2.0"], {"missing": [99]}, [np.nan, np.nan, 2]),
    "a large code": (["1000000", "", "2"], {"missing": [1000000]}, [np.nan, np.nan, 2]),
    "a code with a comma": (["-99,0", "2,5", "3,5"], {"missing": [-99]}, [np.nan, 2.5, 3.5]),
}


@pytest.mark.parametrize("name", [n for n, case in NUMBERS.items() if case[2] is not None])
def test_numbers_as_people_write_them(name, tmp_path):
    cells, options, right = NUMBERS[name]
    file = tmp_path / "my.csv"
    file.write_text("\n".join(["x\tk", *(f"{c}\t{i}" for i, c in enumerate(cells))]) + "\n", encoding="utf-8")
    np.testing.assert_allclose(sc.read_survey(file, **options)["x"].to_numpy(float), right)


@pytest.mark.parametrize(
    "cells",
    [
        ["89860012345678901234", "18446744073709551615", "12000000000000000000"],
        ["1234567890123456789", "", "1234567890123456788"],
        ["0176123456", "0176123457", "0176123458"],
        ["20240131", "20240201", "20240228"],
        ["31.01", "05.02", "28.02"],
        ["18-25", "26-35", "36-45"],
    ],
    ids=["sim cards", "ids and a gap", "phone numbers", "dates", "days", "age groups"],
)
def test_names_and_dates_stay_text(cells, tmp_path):
    file = tmp_path / "my.csv"
    file.write_text("\n".join(["x,k", *(f"{c},{i}" for i, c in enumerate(cells))]) + "\n", encoding="utf-8")
    got = sc.read_survey(file)["x"]
    assert got.dropna().tolist() == [c for c in cells if c] and got.isna().sum() == cells.count("")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("id,größe\n1,2\n2,3\n", "latin-1"),
        ("créée,réélu\n1,2\n", "latin-1"),
        ("bill in €,don’t know\n1,2\n", "cp1252"),
        ("STRASSE,GRÖSSE\n1,2", "cp1252"),
        ("¿Cuántos años?,naïveté,öäü\n1,2,3\n", "cp1252"),
        ("姓名,年龄\n李,2\n", "gb18030"),
        ("鑫淼,1\n满意,2\n", "gb18030"),
        ("姓名,年齡\n滿意,2\n", "big5"),
        ("名前,年齢はいくつ\n太郎,2\n", "shift_jis"),
        ("Привет,q\nмир,2\n", "cp1251"),
        ("이름,나이\n김,2\n", "euc_kr"),
        ("Größe,q\nMüller,1\n", "mac_roman"),
        ("łódź,żółć\n1,2\n", "cp1250"),
        ("größe,q\n1,2\n", "utf-16-le"),
    ],
)
def test_encodings(text, encoding):
    assert decode(text.encode(encoding), None, "f")[0] == text


def test_what_is_no_text_is_refused():
    with pytest.raises(DataError, match="could not be told from its letters.*encoding="):
        decode(b"a\xff\xfe\x81b\x9d\x8fc\xf5\n", None, "f")


WORDS = {
    "german": ("de", ["stimme voll zu", "teils/teils", "Stimme eher nicht zu", "stimme überhaupt nicht zu", "stimme eher zu"], [5, 3, 2, 1, 4]),
    "spanish": ("es", ["de acuerdo", "Totalmente de acuerdo", "en desacuerdo", "muy en desacuerdo"], [4, 5, 2, 1]),
    "chinese": ("zh", ["非常满意", "满意", "一般", "不满意", "非常不满意"], [5, 4, 3, 2, 1]),
    "frequency": ("en", ["Never", "rarely", "Sometimes", "often", "Always"], [1, 2, 3, 4, 5]),
    "likelihood": ("en", ["very likely", "likely", "unlikely", "Very unlikely", "neutral"], [5, 4, 2, 1, 3]),
    "seven points": ("en", ["Strongly disagree", "Disagree", "Somewhat disagree", "Neutral", "Somewhat agree", "Agree", "Strongly agree"], [1, 2, 3, 4, 5, 6, 7]),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_answers_in_words(name, tmp_path):
    _, cells, right = WORDS[name]
    file = tmp_path / "my.csv"
    file.write_text("\n".join(["q1;k", *(f"{c};{i}" for i, c in enumerate(cells))]) + "\n", encoding="utf-8")
    assert sc.read_survey(file)["q1"].tolist() == right


def test_a_block_decides_where_a_column_lacks_an_answer(tmp_path):
    seven = [
        "strongly disagree",
        "disagree",
        "somewhat disagree",
        "neutral",
        "somewhat agree",
        "agree",
        "strongly agree",
    ]
    five = ["strongly disagree", "disagree", "neutral", "agree", "strongly agree"]
    rows = [[seven[i % 7], seven[(i % 2) * 5 + 1], five[i % 5], five[(i % 2) * 2 + 1]] for i in range(35)]
    file = tmp_path / "my.csv"
    pd.DataFrame(rows, columns=["a1", "a2", "b1", "b2"]).to_csv(file, index=False)
    data = sc.read_survey(file)
    assert data["a2"].unique().tolist() == [2, 7] and data["b2"].unique().tolist() == [2, 4]


def test_surveymonkey_and_excel_and_stata(tmp_path):
    first = ["Respondent ID", "Collector ID", "Start Date", "How much do you agree?", "", "Your age"]
    second = ["", "", "", "I am satisfied", "I will stay", "Open-Ended Response"]
    rows = [
        [str(100 + i), "7", "2025-01-01", ["Agree", "Disagree", "Strongly agree"][i % 3], "Neutral", str(20 + i)]
        for i in range(9)
    ]
    lines = [first, second, *rows]
    text = "\n".join(",".join(line) for line in lines)
    (tmp_path / "monkey.csv").write_text(text, encoding="utf-8")
    pd.DataFrame(lines[1:], columns=lines[0]).to_excel(tmp_path / "monkey.xlsx", index=False)
    for file in ("monkey.csv", "monkey.xlsx"):
        with pytest.warns(SurveyNote, match="a SurveyMonkey export; 9 records read"):
            data = sc.read_survey(tmp_path / file)
        assert data["How much do you agree? [I am satisfied]"].tolist() == [4, 2, 5] * 3
        assert data["Your age"].tolist() == list(range(20, 29))
    frame = pd.DataFrame({"sat": [1, 2, 5, 3], "sex": pd.Categorical(["f", "m", "f", "m"])})
    for version in (114, 117, 118):
        frame.to_stata(tmp_path / "old.dta", write_index=False, version=version)
        data = sc.read_survey(tmp_path / "old.dta")
        assert data["sat"].tolist() == [1, 2, 5, 3] and data["sex"].tolist() == ["f", "m", "f", "m"]
    with pd.ExcelWriter(tmp_path / "two.xlsx") as book:
        frame.to_excel(book, sheet_name="answers", index=False)
        frame.to_excel(book, sheet_name="pilot", index=False)
    with pytest.raises(DataError, match="2 sheets with data: answers, pilot. Say which: sheet='answers'"):
        sc.read_survey(tmp_path / "two.xlsx")
    assert len(sc.read_survey(tmp_path / "two.xlsx", sheet="pilot")) == 4
    (tmp_path / "no.sav").write_bytes(b"not a file of SPSS at all")
    (tmp_path / "no.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    for file in ("no.sav", "no.xlsx"):
        with pytest.raises(DataError, match=f"{file} is not an? .* that can be read"):
            sc.read_survey(tmp_path / file)


def test_codebook_slips_are_one_construct_with_a_note():
    book = pd.DataFrame(
        {"Variable ": ["a1", "a2 ", "a3", "b"], "construct": ["Satisfaction", "satisfaction ", "Satisfaction", "trust"]}
    )
    checked = sc.codebook(book)
    assert checked["construct"].tolist() == ["Satisfaction"] * 3 + ["trust"]
    assert checked.attrs["notes"] == ["construct 'satisfaction ' is taken for 'Satisfaction'"]
    with pytest.raises(DataError, match="missing code of 'a1' is 3, inside its range 1 to 5"):
        sc.codebook(pd.DataFrame({"variable": ["a1"], "low": [1], "high": [5], "missing_code": [3]}))
    assert sc.codebook(pd.DataFrame({"variable": ["a1"], "low": [1], "high": [5], "missing_code": [6]})).shape[0] == 1
    with pytest.raises(DataError, match="column 'missing_codes', which is not known. Did you mean 'missing_code'"):
        sc.codebook(pd.DataFrame({"variable": ["a1"], "missing_codes": [9]}))


def test_variables_are_compared_without_case(tmp_path):
    (tmp_path / "my.csv").write_text("Sat1,sat2\n1,2\n3,4\n", encoding="utf-8")
    data = sc.read_survey(
        tmp_path / "my.csv", pd.DataFrame({"variable": ["sat1", "sat2"], "low": [1, 1], "high": [5, 5]})
    )
    assert list(data) == ["sat1", "sat2"] and "'Sat1' is 'sat1'" in data.attrs["read"]["notes"][0]


def test_too_large_is_a_sentence(tmp_path, monkeypatch):
    file = tmp_path / "wide.csv"
    file.write_text(
        ",".join(f"q{i}" for i in range(20_000)) + "\n" + (",".join(["1"] * 20_000) + "\n") * 3, encoding="utf-8"
    )
    with pytest.raises(DataError, match="has 20000 columns, and up to 5000 are read"):
        sc.read_survey(file)
    with open(tmp_path / "large.csv", "wb") as large:
        large.truncate(200_000_000)
    with pytest.raises(DataError, match="200 MB and survey files up to 100 MB"):
        sc.read_survey(tmp_path / "large.csv")


def test_the_cells_of_a_file_are_counted_before_they_are_read(tmp_path, monkeypatch):
    """The limit of ten million cells with a smaller one in its place: text, workbook and SPSS file."""
    from switchcost.data import binary, parsing

    frame = pd.DataFrame({f"q{i}": [1, 2, 3] * 20 for i in range(10)})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_stata(tmp_path / "a.dta", write_index=False)
    for file in ("a.csv", "a.xlsx", "a.dta"):
        assert len(sc.read_survey(tmp_path / file)) == 60
    monkeypatch.setattr(parsing, "MAX_CELLS", 599)
    for file in ("a.csv", "a.dta"):
        with pytest.raises(DataError, match="lines of 10 columns, and up to 0 million cells are read here"):
            sc.read_survey(tmp_path / file)
    monkeypatch.setattr(parsing, "MAX_CELLS", 9)
    with pytest.raises(DataError, match="a.xlsx, sheet 'Sheet1', has about 1 lines of 10 columns"):
        sc.read_survey(tmp_path / "a.xlsx")
    monkeypatch.setattr(binary, "MAX_BYTES", 100)
    with pytest.raises(DataError, match="MB when unpacked"):
        sc.read_survey(tmp_path / "a.xlsx")


def test_a_workbook_that_does_not_say_its_size_is_read(tmp_path):
    import openpyxl

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("answers")
    for row in [["q1", "q2"], [1, 2], [3, 4]]:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert sc.read_survey(tmp_path / "a.xlsx")["q2"].tolist() == [2, 4]


def test_long_texts_stay_text_and_whole_numbers_take_the_short_way(tmp_path):
    words = "I have been with them for years and never had a reason to leave, 3 or 4 small things aside"
    (tmp_path / "a.csv").write_text("q1,why\n" + f'1,"{words}"\n,"{words}!"\n-2,"{words}?"\n', encoding="utf-8")
    data = sc.read_survey(tmp_path / "a.csv")
    assert data["why"].iloc[0] == words and data["q1"].isna().tolist() == [False, True, False]
    assert data["q1"].dtype == float and data["q1"].iloc[2] == -2


def test_the_skeleton_of_a_codebook_guesses_what_the_file_tells(tmp_path):
    book = skeleton(read("04_spss.sav")).set_index("variable")
    assert book.loc["sat1", ["construct", "low", "high"]].tolist() == ["sat", 1.0, 5.0]
    assert book.index[book["reverse"] == 1].tolist() == ["sc5", "loy4"]  # as in codebook_plain.csv
    assert book.loc["gender", ["construct", "values"]].tolist() == ["group", "Female; Male; Prefer not to say"]
    assert book.loc["tr2", "label_en"] == "My operator keeps its promises."
    assert book.loc["age", "construct"] == "background"
    chinese = skeleton(read("06_wjx_gb18030.csv"))
    assert chinese["short"].is_unique and chinese["short"].str.fullmatch(r"[A-Za-z]\w*", flags=re.ASCII).all()
    assert chinese["construct"].value_counts()[["scale1", "scale2", "scale3", "scale4"]].tolist() == [4, 5, 3, 4]
    qualtrics = skeleton(read("02_qualtrics.csv")).set_index("variable")
    assert qualtrics.loc["Q6", ["construct", "low", "high"]].tolist() == ["attention", 2.0, 2.0]
    assert qualtrics.loc["Status", "construct"] == "platform"
    again = read("02_qualtrics.csv", qualtrics.reset_index())
    assert len(again) == 193


def test_the_command_writes_a_codebook_that_can_be_read(tmp_path, capsys):
    shutil.copy(HERE / "02_qualtrics.csv", tmp_path)
    assert main(["codebook", str(tmp_path / "02_qualtrics.csv")]) == 0
    said = capsys.readouterr().out
    assert "a Qualtrics export; 231 records read" in said and "02_qualtrics_codebook.xlsx" in said
    book = sc.codebook(tmp_path / "02_qualtrics_codebook.xlsx")
    assert len(read("02_qualtrics.csv", book)) == 193
    for name, says in ((str(tmp_path / "02_qualtrics.csv"), "exists already"), ("nowhere.csv", "there is no file")):
        assert main(["codebook", name]) == 2 and says in capsys.readouterr().err


OPTIONS = {
    "sep": ({"sep": 3}, "sep must be a text and is 3"),
    "encoding": ({"encoding": 8}, "encoding must be a text"),
    "unknown encoding": ({"encoding": "utf-88"}, "no encoding 'utf-88'"),
    "sheet": ({"sheet": 1}, "sheet must be a text"),
    "decimal": ({"decimal": ";"}, "decimal must be"),
    "thousands": ({"thousands": "x"}, "thousands must be"),
    "same signs": ({"decimal": ",", "thousands": ","}, "they must differ"),
    "missing": ({"missing": {"q": 9}}, "missing must be a list such as missing=.99."),
    "missing none": ({"missing": None}, "missing must be a list"),
    "missing of another kind": ({"missing": [[9]]}, "missing must hold texts and numbers"),
    "drop": ({"drop": None}, "drop must be a list such as drop=.'age'."),
    "drop a number": ({"drop": 4}, "4 is not a column"),
    "keep": ({"keep": True}, "keep must be"),
    "min_seconds": ({"min_seconds": "60"}, "min_seconds must be a number"),
    "min_seconds true": ({"min_seconds": True}, "min_seconds must be a number"),
    "min_seconds nan": ({"min_seconds": float("nan")}, "min_seconds must be a number"),
    "attention": ({"attention": ["q1"]}, "attention must give each item its right answer"),
    "attention elsewhere": ({"attention": {"q9": 2}}, "attention item 'q9' is not a column"),
    "attention nobody gave": ({"attention": {"q1": 9}}, "nobody answered 9 in 'q1' .* the answers are 1, 2"),
    "codebook": ({"codebook": 5}, "no data set '5'"),
    "codebook that is none": ({"codebook": "nowhere.csv"}, "there is no file"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_checked(name, tmp_path):
    (tmp_path / "my.csv").write_text("q1,q2\n1,agree\n2,disagree\n1,agree\n", encoding="utf-8")
    options, says = OPTIONS[name]
    with pytest.raises(DataError, match=says):
        sc.read_survey(tmp_path / "my.csv", **options)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_attention_item_in_words_takes_its_word_or_its_number(tmp_path):
    (tmp_path / "my.csv").write_text("q1,q2\n1,agree\n2,disagree\n1,Agree\n", encoding="utf-8")
    for answer in ("Agree", "agree", 4, "4"):
        assert len(sc.read_survey(tmp_path / "my.csv", attention={"q2": answer})) == 2
    assert len(sc.read_survey(tmp_path / "my.csv", attention={"q1": "1"})) == 2


def test_answers_and_headings_in_two_languages_make_a_codebook(tmp_path):
    words = [
        "Strongly disagree 非常不同意",
        "不同意 / Disagree",
        "Neutral (一般)",
        "Agree 同意",
        "Strongly agree 非常同意",
    ]
    rng = np.random.default_rng(5)
    trait = rng.normal(size=60)
    picked = {
        name: np.digitize(sign * trait + 0.7 * rng.normal(size=60), [-1.2, -0.4, 0.4, 1.2])
        for name, sign in (("SC1 Time 费时间", 1), ("SC2 Money", 1), ("SC3 麻烦", 1), ("SC4 Easy (R)", -1))
    }
    frame = pd.DataFrame({name: [words[k] for k in v] for name, v in picked.items()})
    frame.insert(0, "序号 No.", range(1, 61))
    frame.to_excel(tmp_path / "two.xlsx", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyNote)
        data = sc.read_survey(tmp_path / "two.xlsx")
    assert all((data[name] == v + 1).all() for name, v in picked.items())
    book = skeleton(data).set_index("variable")
    assert book["short"].tolist()[1:] == ["SC1", "SC2", "SC3", "SC4"]
    assert book["construct"].tolist() == ["id", "SC", "SC", "SC", "SC"]
    assert book["reverse"].tolist()[1:] == [0, 0, 0, 1]


def test_halves_that_differ_are_not_one_answer():
    assert normal("Agree 同意") == normal("agree") == "agree"
    assert normal("Agree 不同意") == "agree 不同意"


LIKE_A_TITLE = [["agree", "fine", "a"], ["disagree", "bad", "b"], ["agree", "fine", "c"], ["agree", "fine", "d"]]


@pytest.mark.parametrize(
    ("lines", "gone"),
    [
        ([["Survey 2025", "", ""], ["sat", "trust", "age"], ["3", "4", "30"], ["2", "1", "41"]], 1),
        ([["", "Survey", ""], ["", "", "by us"], ["sat", "trust", ""], ["3", "4", ""], ["2", "1", ""]], 2),
        ([["Survey 2025", ""], ["满意度", "年龄"], ["3", "30"], ["3", "41"]], 1),
        ([["How satisfied are you?"], ["3"], ["5"], ["4"]], 0),
        ([["How satisfied are you?"], ["very"], ["not at all"], ["a bit"]], 0),
        ([["sat", "trust"], ["3", ""], ["2", ""]], 0),
    ],
    ids=["title", "two titles", "Chinese", "one question", "one question in words", "gaps"],
)
def test_a_title_above_the_names_and_what_looks_like_one(lines, gone):
    left, notes = platforms.without_title(lines, "f.xlsx")
    assert left == lines[gone:]
    which = {
        0: [],
        1: ["line 1 above the names left out: the title 'Survey 2025'"],
        2: ["lines 1 to 2 above the names left out: the title 'Survey'"],
    }
    assert notes == which[gone]


@pytest.mark.parametrize(
    "rows", [LIKE_A_TITLE, [["3", "4", "30"], ["2", "1", "41"]], [["sat", "", ""], ["3", "4", "30"]]]
)
def test_a_title_without_names_below_it_is_refused(rows):
    with pytest.raises(DataError, match="holds 'Survey 2025' alone, which is a title"):
        platforms.without_title([["Survey 2025", "", ""], *rows], "f.xlsx")
