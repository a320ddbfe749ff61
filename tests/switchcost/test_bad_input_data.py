"""Broken files and calls: each gives one sentence that names the problem and the mend."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from papercheck.printed import Printed
from switchcost.data.registry import data_dir

FILES = {
    # name: (bytes of the file, options, what the sentence must say)
    "empty file": (b"", {}, "is empty"),
    "only blanks": (b"  \n\n \n", {}, "is empty"),
    "header only": (b"a,b,c\n", {}, "header and no answers"),
    "one row": (b"a,b\n1,2\n", {}, "one row of answers"),
    "xlsx": (b"PK\x03\x04\x14\x00\x06\x00rest", {}, "Excel workbook.*ending .xlsx"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1", {}, "old Excel workbook.*xlsx"),
    "spss": (b"$FL2@(#) SPSS DATA FILE", {}, "SPSS file.*ending .sav"),
    "pdf": (b"%PDF-1.7", {}, "is a PDF"),
    "login page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", {}, "web page, not data"),
    "binary": (b"ab\x00\x01\x02,\x00", {}, "binary data"),
    "wrong separator": (b"a;b\n1;2\n3;4\n", {"sep": ","}, "read it with sep=';'"),
    "separator of two characters": (b"a;;b\n1;;2\n", {"sep": ";;"}, "sep must be one character"),
    "wrong encoding": (
        "größe,b\n1,2\n3,4\n".encode("latin-1"),
        {"encoding": "utf-8"},
        "is not utf-8.*Leave out encoding",
    ),
    "unknown encoding": (b"a,b\n1,2\n", {"encoding": "utf-88"}, "no encoding 'utf-88'"),
    "duplicate names": (b"q1,q2,q1\n1,2,3\n4,5,6\n", {}, "occur twice: q1. Rename"),
    "nameless column": (b"q1,,q3\n1,2,3\n4,5,6\n", {}, "column 2 has no name"),
    "no header": (b"1,2,3\n4,5,6\n7,8,9\n", {}, "first line holds numbers.*column names on top"),
    "all-missing column": (
        b"q1,q2\n1,\n2,NA\n3,n/a\n",
        {},
        r"'q2' .*no values at all; leave it out with drop=\['q2'\]",
    ),
    "line too long": (b"q1,q2\n1,2\n1,2,3\n4,5\n", {}, "line 3: 3 cells where the header has 2"),
    "line too short": (b"q1,q2,q3\n1,2,3\n1,2\n4,5,6\n", {}, "line 3: 2 cells where the header has 3"),
    "decimal commas split at commas": (b"q1,q2\n1,5,2,5\n3,5,4,5\n", {}, "Decimal commas.*save it with ';'"),
    "open quotation mark": (b'q1,q2\n1,"2\n' + b"3,4\n" * 40 + b'5,"6"\n', {}, "quotation mark"),
    "mixed decimals in a column": (b"q1;q2\n1,5;2\n2.5;3\n", {}, "'q1' .*mixes decimal commas"),
    "mixed decimals in a file": (
        b"q1;q2\n1,5;2.5\n2,5;3.5\n",
        {},
        "decimal commas in 'q1' and decimal points in 'q2'",
    ),
    "wrong decimal": (b"q1;q2\n1,5;2\n2,5;3\n", {"decimal": "."}, "'q1' .*not a number with decimal='.'"),
    "impossible decimal": (b"q1;q2\n1;2\n2;3\n", {"decimal": "x"}, "decimal must be '.' or ','"),
    "text among numbers": (
        b"q1,q2\n1,2\n2,often\n3,4\n",
        {},
        r"'q2' .*text in 1 row among numbers: 'often'.*missing=\['often'\]",
    ),
    "dates among answers": (b"q1,q2\n1,2\n2,3-Apr\n3,4\n5,5\n", {}, "'q2' .*dates in 1 row.*spreadsheet"),
    "thousands or decimals": (
        b'q1,q2\n1,950\n2,"1,234"\n3,"12,345"\n',
        {},
        r"'q2' .*holds '950' and '1,234': .*\(1234\) or a decimal sign \(1.234\).*thousands=',' or decimal=','",
    ),
    "two currencies": (b"q1,q2\n1,5 \xe2\x82\xac\n2,$30\n3,40\n", {}, "'q2' .*amounts in .*one currency"),
    "unknown word in missing": (
        b"q1,q2\n1,dont know\n2,3\n",
        {"missing": ["don't know"]},
        "missing holds .*Did you mean 'dont know'",
    ),
    "missing of another kind": (b"q1,q2\n1,2\n2,3\n", {"missing": [None]}, "missing must hold texts and numbers"),
    "unknown keep": (b"q1,q2\n1,2\n2,3\n", {"keep": "most"}, "keep must be 'finished' or 'all'"),
    "no time": (b"q1,q2\n1,2\n2,3\n", {"min_seconds": 60}, "no column with the time"),
    "utf-16 cut": ("a,b\n1,2\n3,4\n".encode("utf-16")[:-1], {}, "begins as utf-16.*cut"),
    "utf-8 cut": ("a,b\nü,2\n3,ü".encode()[:-1], {}, "middle of a character: the file was cut"),
    "percent signs": (b"q1,q2\n1,20%\n2,30\n3,40\n", {}, "percent signs in 1 row.*all with the sign, or none"),
    "infinite value": (b"q1,q2\n1,inf\n2,3\n3,4\n", {}, "'q2' .*infinite"),
    "drop of an absent column": (
        b"q1,q2\n1,2\n2,3\n",
        {"drop": ["q3"]},
        "'q3' is not a column.*Columns that start like it: q1, q2",
    ),
}


def one_sentence(error: pytest.ExceptionInfo) -> None:
    text = str(error.value)
    assert 20 < len(text) < 420 and "\n" not in text


@pytest.mark.parametrize("name", FILES)
def test_broken_file(name, tmp_path):
    content, options, says = FILES[name]
    file = tmp_path / "my.csv"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        sc.read_survey(file, **options)
    one_sentence(error)


GOOD = b"sat1,sat2,city\n1,2,A\n3,4,B\n5,1,A\n"
BOOKS = {
    "no column variable": ("name,low,high\nsat1,1,5\n", "no column 'variable'"),
    "variable not in the file": (
        "variable,low,high\nsat9,1,5\n",
        "lists 'sat9', which is not a column.*Did you mean 'sat",
    ),
    "variable twice": ("variable,low,high\nsat1,1,5\nsat1,1,5\n", "lists sat1 more than once"),
    "range upside down": ("variable,low,high\nsat1,5,1\n", "range of 'sat1' is 5 to 1"),
    "range in words": ("variable,low,high\nsat1,one,5\n", "'low' of variable 'sat1' is 'one'"),
    "reverse in other words": (
        "variable,low,high,reverse\nsat1,1,5,perhaps\n",
        "'reverse' of variable 'sat1' is 'perhaps'",
    ),
    "empty variable": ("variable,low,high\n,1,5\nsat1,1,5\n", "empty 'variable' in line 2"),
    "words where a range is": (
        "variable,low,high\ncity,1,5\n",
        "'city' .*words where the codebook has a range",
    ),
}


@pytest.mark.parametrize("name", BOOKS)
def test_broken_codebook(name, tmp_path):
    text, says = BOOKS[name]
    (tmp_path / "my.csv").write_bytes(GOOD)
    (tmp_path / "book.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=says) as error:
        sc.read_survey(tmp_path / "my.csv", tmp_path / "book.csv")
    one_sentence(error)


CALLS = {
    "unknown data set": (lambda: sc.load("corprep"), "no data set 'corprep'. Did you mean 'corp_rep'"),
    "a study as a data set": (
        lambda: sc.load("abbade2014"),
        r"published study.*sc.published\('abbade2014'\)",
    ),
    "a data set as a study": (lambda: sc.published("mobi"), r"raw data set.*sc.load\('mobi'\)"),
    "wrong study name": (
        lambda: sc.published("abade2014"),
        "no study 'abade2014'. Did you mean 'abbade2014'",
    ),
    "a number as a study": (lambda: sc.published(2014), "no study 2014"),
    "a number as a data set": (lambda: sc.load(3), "takes the name of a data set.*got a int"),
    "options for a data set": (lambda: sc.load("mobi", sep=";"), "takes no sep"),
    "unknown codebook": (lambda: sc.codebook("moby"), "no data set 'moby'. Did you mean 'mobi'"),
    "no such file": (lambda: sc.load("nowhere/my.csv"), "no file 'nowhere/my.csv'"),
    "a data set with .csv": (lambda: sc.load("mobi.csv"), r"no file 'mobi.csv'.*sc.load\('mobi'\)"),
    "a folder as a file": (lambda: sc.read_survey(data_dir()), "is a folder"),
    "unknown table": (lambda: sc.published("mota2012")["path"], "no table 'path'. There are: .*fit, paths"),
    "not a printed number": (lambda: Printed.read("ns"), "'ns' is not a printed number"),
    "audit of a file name": (lambda: sc.audit("my.csv"), "read the file first"),
    "audit of a list": (lambda: sc.audit([1, 2, 3]), "must be a pandas DataFrame, and is a list"),
    "audit of nothing": (lambda: sc.audit(pd.DataFrame({"a": []})), "no rows"),
    "audit of one row": (lambda: sc.audit(pd.DataFrame({"a": [1], "b": [2]})), "one row"),
    "audit of duplicate names": (
        lambda: sc.audit(pd.DataFrame(np.ones((3, 2)), columns=["a", "a"])),
        "occur twice: a",
    ),
    "audit with a foreign codebook": (
        lambda: sc.audit(sc.load("mobi"), "corp_rep"),
        "describes none of the columns",
    ),
    "audit with an unknown item": (
        lambda: sc.audit(sc.load("mobi"), scales={"s": ["CUSA1", "CUSA9"]}),
        "'CUSA9' of scale 's' is not a column",
    ),
    "audit with an unknown key": (lambda: sc.audit(sc.load("mobi"), key="id"), "key 'id' is not a column"),
    "rows of an unknown finding": (
        lambda: sc.audit(sc.load("mobi"), draws=2000).rows_of("nothing"),
        "'nothing' is no check of the audit",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_broken_call(name):
    call, says = CALLS[name]
    with pytest.raises(ValueError, match=says) as error:
        call()
    one_sentence(error)


def test_no_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SWITCHCOST_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="SWITCHCOST_DATA is set to .*nowhere.*unset it"):
        sc.datasets()
    monkeypatch.delenv("SWITCHCOST_DATA")
    monkeypatch.setattr("switchcost.data.registry.__file__", str(tmp_path / "x.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="data folder was not found.*SWITCHCOST_DATA"):
        sc.load("mobi")


def test_broken_study_json(monkeypatch, tmp_path):
    import shutil

    folder = tmp_path / "data"
    shutil.copytree(data_dir(), folder)
    monkeypatch.setenv("SWITCHCOST_DATA", str(folder))
    new = folder / "published" / "smith2020"
    new.mkdir()
    for text, says in (
        ("{", "not valid JSON"),
        ('{"key": "smith2020"}', "lacks citation"),
        ('{"key": "x", "citation": "c", "market": "m", "n": 1}', "must be the name of its folder"),
    ):
        (new / "study.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=says):
            sc.published("smith2020")


@pytest.mark.parametrize("codes", [{3: -99}, {3: -99, 5: -9}, {7: 999}], ids=["-99", "-99 and -9", "999"])
def test_no_analysis_takes_a_missing_code_for_an_answer(codes):
    import numpy as np

    import switchcost as sc

    rng = np.random.default_rng(5)
    data = pd.DataFrame(rng.integers(1, 6, (120, 4)), columns=["a", "b", "c", "d"]).astype(float)
    for row, code in codes.items():
        data.loc[row, "b"] = code
    analyses = [
        lambda: sc.fit("F =~ a + b + c + d", data),
        lambda: sc.moderate(data, y="a", x="b", moderator="c"),
        lambda: sc.reliability(data, {"s": ["a", "b", "c"]}),
        lambda: sc.item_analysis(data, ["a", "b", "c"]),
        lambda: sc.efa(data, 1),
        lambda: sc.htmt(data, {"s": ["a", "b"], "t": ["c", "d"]}),
    ]
    for analysis in analyses:
        with pytest.raises(ValueError, match=r"column 'b' holds -?9+ in 1 row.*replace it"):
            analysis()
