"""Impossible tables are caught, possible ones pass; what a study folder lacks is said."""

from __future__ import annotations

import json

import pytest

from papercheck.consistency import check_paper
from papercheck.paper import main, missing_in_study
from papercheck.reproduction import AGREE

# name: (table, options, check that fails, the same table made possible)
TABLES = {
    "t_does_not_follow": ("from,to,b,se,t\nA,B,.300,.100,4.10", {}, "b / se", "from,to,b,se,t\nA,B,.300,.100,3.00"),
    "p_does_not_follow": ("from,to,t,p\nA,B,1.50,.049", {}, "two-sided normal p", "from,to,t,p\nA,B,1.97,.049"),
    "stars": ("from,to,t,p_flag\nA,B,1.80,**", {}, "t against its stars", "from,to,t,p_flag\nA,B,2.80,**"),
    "nfi_cfi": (
        "chisq,df,nfi,cfi\n864.6,356,.887,.889", {"items": 36}, "from CFI",
        "chisq,df,nfi,cfi\n864.6,356,.827,.889",
    ),
    "gfi_agfi": (
        "chisq,df,gfi,agfi\n864.6,356,.883,.813", {}, "from AGFI", "chisq,df,gfi,agfi\n266.3,98,.945,.924"
    ),
    "rmsea": ("chisq,df,rmsea\n266.276,98,.035", {"n": 602}, "from chi-square and n = 602", "chisq,df,rmsea\n266.276,98,.053"),
    "chisq_df": ("chisq,df,chisq_df\n266.276,98,2.17", {}, "chi-square / df", "chisq,df,chisq_df\n266.276,98,2.72"),
    "p_of_chisq": ("chisq,df,p\n266.276,98,.12", {}, "p of ", "chisq,df,p\n98.0,98,.481"),
    "matrix": (
        "construct,a,b,c\na,1,.9,-.9\nb,.9,1,.9\nc,-.9,.9,1", {}, "nearest matrix that can be one",
        "construct,a,b,c\na,1,.9,.8\nb,.9,1,.9\nc,.8,.9,1",
    ),
    "grim": ("item,mean\nq1,3.47", {"n": 20}, "GRIM: a mean of whole answers", "item,mean\nq1,3.45"),
    "sd": ("item,mean,sd\nq1,1.20,1.90", {"n": 100, "scale": (1, 5)}, "SD that the mean allows", "item,mean,sd\nq1,1.20,.60"),
    "ave": ("construct,loadings,ave\nA,.80 .80 .80,.74", {}, "mean of the squared printed loadings", "construct,loadings,ave\nA,.80 .80 .80,.64"),
    "cr": ("construct,loadings,cr\nA,.80 .80 .80,.95", {}, "from the printed loadings", "construct,loadings,cr\nA,.80 .80 .80,.84"),
    "cr_for_ave": ("construct,cr,ave,items\nA,.845,.525,4", {}, "CR that AVE allows", "construct,cr,ave,items\nA,.812,.525,4"),
    "interval": ("estimate,ci_lower,ci_upper\n.30,.35,.50", {}, "an interval holds its estimate", "estimate,ci_lower,ci_upper\n.40,.35,.50"),
    "test_f": ("test,statistic,df1,df2,p\nF,3.10,2,60,.004", {}, "p of ", "test,statistic,df1,df2,p\nF,3.10,2,60,.052"),
    "adjusted": ("n,r2,adjusted_r2,predictors\n83,.619,.590,3", {}, "adjusted R2 from R2", "n,r2,adjusted_r2,predictors\n83,.619,.605,3"),
    "difference": ("first,second,difference\n4.73,4.34,.49", {}, "difference", "first,second,difference\n4.73,4.34,.39"),
    "percent": ("n,count,percent\n205,111,54.3", {}, "count / total", "n,count,percent\n205,111,54.1"),
    "amos_path": (
        "Path,Estimate,S.E.,C.R.,P\nA -> B,.45,.05,9.00,***\nC -> B,−.12,.05,−2.90,.004", {}, "estimate / se",
        "Path,Estimate,S.E.,C.R.,P\nA -> B,.45,.05,9.00,***\nC -> B,−.12,.04,−2.90,.004",
    ),
    "amos_fit": (
        "Model,χ2,df,χ2/df,NNFI,CFI,RMSEA,n\nM1,312.4,120,2.60,.93,.95,.062,420\nM2,330.1,124,2.66,.97,.94,.062,420", {},
        "from CFI", "Model,χ2,df,χ2/df,NFI,CFI,RMSEA,n\nM1,312.4,120,2.60,.92,.95,.062,420",
    ),
    "share": ("n,percent\n306,34.7", {}, "percent of whole people", "n,percent\n306,34.6"),
}  # fmt: skip


def _file(tmp_path, text, name="table.csv"):
    path = tmp_path / name
    path.write_text(text + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", TABLES)
def test_impossible_tables_are_caught_and_possible_ones_pass(tmp_path, name):
    bad, options, check, good = TABLES[name]
    found = check_paper(_file(tmp_path, bad), **options)
    wrong = found[found.verdict == "inconsistent"]
    assert wrong.source.str.contains(check, regex=False).any(), found[["verdict", "source", "reason"]]
    assert wrong.reason.str.len().min() > 10 and (found.verdict[: len(wrong)] == "inconsistent").all()
    found = check_paper(_file(tmp_path, good), **options)
    assert set(found.verdict) <= {"exact", "within rounding", "not comparable"}, found.reason.tolist()
    looked_at = found.reason.str.contains("possible|agree for") | found.verdict.isin(AGREE)
    assert looked_at.any(), found.reason.tolist()


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("a difference, t(28) = 2.20, p = .036", "exact"),
        ("a difference, t(28) = 2.20, p = .06", "inconsistent"),
        ("groups differ, F(2, 60) = 3.10, p < .05", "inconsistent"),  # p = .052
        ("groups differ, F(2, 60) = 3.20, p < .05", "exact"),
        ("chi2(3, N = 90) = 8.00, p = .046", "exact"),
        ("chi2(3, N = 90) = 8.00, p = .46", "inconsistent"),
        ("r(80) = .35, p = .001", "exact"),
        ("z = 1.96, p = .05", "exact"),
        ("z = 1.96, p = .02", "inconsistent"),
    ],
)
def test_tests_in_a_text(tmp_path, text, verdict):
    found = check_paper(_file(tmp_path, text, "results.txt"))
    assert found.verdict[found.quantity == "p"].tolist() == [verdict], found.reason.tolist()


def test_a_one_sided_test_is_mentioned_where_there_are_two_sides(tmp_path):
    found = check_paper(_file(tmp_path, "chi2(2, N = 120) = 7.9, p < .01", "counts.txt"))
    assert found.verdict[0] == "inconsistent" and "one-sided" not in found.reason[0]
    found = check_paper(_file(tmp_path, "t(28) = 2.20, p = .018", "results.txt"))
    assert "one-sided" in found.reason[0]


def test_texts_as_pandas_3_holds_them(tmp_path, texts_of_pandas_3):
    test_a_one_sided_test_is_mentioned_where_there_are_two_sides(tmp_path)


def test_the_command_says_what_fails_with_its_arithmetic(tmp_path, capsys):
    assert main(["check-paper", str(_file(tmp_path, TABLES["nfi_cfi"][0])), "--items", "36"]) == 1
    assert "NFI .887 CFI .889" in capsys.readouterr().out
    assert main(["check-paper", str(_file(tmp_path, TABLES["grim"][3])), "--n", "20"]) == 0
    assert "1 printed numbers: 1 not comparable" in capsys.readouterr().out
    assert main(["check-paper", str(tmp_path / "none.csv")]) == 2
    assert "none.csv cannot be read" in capsys.readouterr().err
    assert main(["check-paper", str(_file(tmp_path, "a,b\nx,y"))]) == 2
    assert "no check applies" in capsys.readouterr().err


def test_semicolons_and_decimal_commas_are_read(tmp_path, capsys):
    table = "Path;B;SE;t\nTrust → Loyalty;0,512;0,048;10,67\nPrice → Loyalty;-0,20;0,05;-3,0\n"
    assert main(["check-paper", str(_file(tmp_path, table))]) == 1
    told = capsys.readouterr().out
    assert "t Price Loyalty -3.0: inconsistent" in told and "1 exact" in told


def test_means_that_no_check_looked_at_are_named(tmp_path, capsys):
    rows = ",M,SD,n\nfirst,4.14,1.85,57\nsecond,3.87,1.91,57\n"
    assert main(["check-paper", str(_file(tmp_path, f"Construct{rows}")), "--scale", "1", "7"]) == 0
    assert "2 means were not held against whole answers" in capsys.readouterr().out
    assert main(["check-paper", str(_file(tmp_path, f"Item{rows}"))]) == 1
    told = capsys.readouterr().out
    assert "mean second 3.87: inconsistent" in told and "were not held" not in told


def test_what_a_study_lacks(tmp_path, capsys):
    folder = tmp_path / "smith2020"
    folder.mkdir()
    (folder / "paths.csv").write_text("from,to,b,se,t\nA,B,.30,.10,3.00\n")
    (folder / "study.json").write_text(json.dumps({"key": "smith", "citation": "A", "n": 100}))
    lacks = missing_in_study(folder)
    assert "study.json lacks 'market' (required)" in lacks and "README.md is missing" in lacks
    assert any("must be the folder's name, 'smith2020'" in s for s in lacks)
    assert main(["check-study", str(folder)]) == 1
    meta = {"key": "smith2020", "citation": "A", "market": "B", "n": 100, "licence": "x", "scale": "5-point"}
    (folder / "study.json").write_text(json.dumps(meta | {"method": "PLS", "open_level": "paths", "notes": []}))
    (folder / "README.md").write_text("x")
    (folder / "codebook.csv").write_text(
        "table,column,meaning\n" + "".join(f"paths,{c},x\n" for c in "from to b se".split())
    )
    assert missing_in_study(folder) == ["codebook.csv does not explain column 't' of table 'paths'"]
    (folder / "paths.csv").write_text("from,to,b,se,t\nA,B,.30,.10,3.00\nA,C,.30,n.a.,3.00\nA,D,.30,.10,3.00\n")
    assert any("line 3: 'n.a.'" in s for s in missing_in_study(folder))
    with pytest.raises(ValueError, match="there is no folder 'nothing'"):
        missing_in_study("nothing")
