"""Hypotheses as people write them, and the rule that judges them on both sides of its limit."""

import pytest

from switchcost._core.errors import DataError
from switchcost.report import study

KNOWN = ["satisfaction", "trust", "switching_costs", "loyalty", "age"]


def test_three_kinds_and_their_paths():
    lines = [
        "H1: Satisfaction -> loyalty (+)",
        "H2: satisfaction → trust → loyalty (+)",
        "satisfaction x switching costs -> loyalty (−)",
        "H4: age -> loyalty",
    ]
    read = study.hypotheses(lines, KNOWN)
    assert [(h.name, h.kind, h.sign) for h in read] == [
        ("H1", "direct", 1), ("H2", "mediation", 1), ("H3", "moderation", -1), ("H4", "direct", 0),
    ]  # fmt: skip
    assert study.paths(read) == {
        "loyalty": ["satisfaction", "trust", "switching_costs", "age"],
        "trust": ["satisfaction"],
    }
    assert read[2].text == "satisfaction × switching_costs → loyalty (−)"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["H1: satisfaction loyalty"], "cannot be read"),
        (["H1: satisfaction -> loyality"], "Did you mean 'loyalty'"),
        (["H1: satisfaction -> satisfaction"], "in a circle"),
        (["H1: trust -> loyalty", "H2: loyalty -> satisfaction", "H3: satisfaction -> trust"], "in a circle"),
        (["H1: trust -> loyalty", "H1: age -> loyalty"], "two hypotheses are called H1"),
        (["H1: trust x age -> satisfaction -> loyalty"], "one product and one outcome"),
    ],
)
def test_what_cannot_be_a_hypothesis(lines, message):
    with pytest.raises(DataError, match=message):
        study.hypotheses(lines, KNOWN)


@pytest.mark.parametrize(
    ("sign", "low", "high", "key"),
    [
        (1, 1e-9, 0.2, "supported"),
        (1, -1e-9, 0.2, "open"),
        (1, 0.0, 0.2, "open"),
        (1, -0.2, -1e-9, "opposite"),
        (-1, -0.2, -1e-9, "supported"),
        (-1, -0.2, 1e-9, "open"),
        (-1, 1e-9, 0.2, "opposite"),
        (0, 0.1, 0.2, "supported"),
        (0, -0.2, -0.1, "supported"),
        (0, -0.1, 0.1, "open"),
        (1, float("nan"), float("nan"), "not tested"),
    ],
)
def test_verdicts_on_both_sides_of_zero(sign, low, high, key):
    assert study.verdict(sign, low, high) == key


def test_words_of_the_verdicts_are_there_in_both_languages():
    assert all(set(words) == {"en", "zh"} for words in study.VERDICTS.values())
    assert len({w for words in study.VERDICTS.values() for w in words.values()}) == 2 * len(study.VERDICTS)


def test_the_example_study_can_be_read_and_slips_are_named(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text(study.EXAMPLE, encoding="utf-8")
    read = study.read_study(file)
    assert [h.kind for h in study.hypotheses(read["hypotheses"])] == ["direct", "mediation", "moderation"]
    file.write_text("hypotheses:\n  - H1: a -> b (+)\n", encoding="utf-8")  # without quotes YAML makes a mapping of it
    assert study.hypotheses(study.read_study(file)["hypotheses"])[0].names == ("a", "b")
    for text, message in (
        ("", "needs a list"), ("hypotheses: [", "cannot be read"), ("hypotheses: [a -> b]\ngruop: x", "Did you mean 'group'"),
    ):  # fmt: skip
        file.write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=message):
            study.read_study(file)


def test_command_writes_word_markdown_tables_and_the_points_apart(tmp_path, capsys):
    import pandas as pd
    from docx import Document

    import switchcost as sc
    from switchcost.report import command

    names = ["sat1", "sat2", "sat3", "ca1", "at1", "at2", "at3", "bl1", "bl2", "bl3"]
    names = [n for n in names if n in set(sc.codebook("telecom_survey")["variable"])]
    data = sc.simulate.survey(n=300, seed=3, columns=names, faults=False)
    data.iloc[:40, 0] = 33
    data.to_csv(tmp_path / "answers.csv", index=False)
    sc.codebook("telecom_survey").query("variable in @names").to_csv(tmp_path / "codebook.csv", index=False)
    (tmp_path / "study.yaml").write_text('hypotheses:\n  - "H1: satisfaction -> attitudinal (+)"\n', encoding="utf-8")
    files = [str(tmp_path / f) for f in ("answers.csv", "codebook.csv", "study.yaml")]
    assert command.main(["chapter", *files]) == 0
    folder = tmp_path / "answers_chapter"
    assert str(folder) in capsys.readouterr().out
    document = Document(str(folder / "chapter.docx"))
    text = "\n".join(p.text for p in document.paragraphs)
    settle = (folder / "settle_first.md").read_text(encoding="utf-8")
    assert "sat1" in settle and "Read this first" not in text and "Hypotheses" in text
    captions = [p for p in document.paragraphs if p.style.name == "Caption"]
    tables = sorted(folder.glob("table_*.csv"))
    assert len(tables) == len(document.tables) and all("SEQ" in p._p.xml for p in captions)
    verdicts = [pd.read_csv(t) for t in tables if "verdict" in t.read_text(encoding="utf-8")]
    assert verdicts[0]["verdict"].tolist() == ["supported"]
    (tmp_path / "study.yaml").write_text("hypotheses: [satisfaction -> loyalti]", encoding="utf-8")
    assert command.main(["chapter", *files]) == 2 and "'loyalti' is neither" in capsys.readouterr().err
    assert command.main(["new-study", str(tmp_path / "mine")]) == 0 and (tmp_path / "mine.yaml").exists()
    assert command.main(["new-study", str(tmp_path / "mine")]) == 2
