"""Hypotheses as people write them, and the rule that judges them on both sides of its limit."""

import pytest

from surveychapter import study
from switchcost.core.errors import DataError

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


def test_signs_as_word_and_a_chinese_keyboard_write_them():
    for line in (
        "H1：satisfaction → loyalty（+）", "\u201cH1: satisfaction -> loyalty (＋)\u201d", "H1: satisfaction --> loyalty (+)",
        "H1: satisfaction => loyalty (+)", "H1: satisfaction –> loyalty (+)",
    ):  # fmt: skip
        read = study.hypothesis(line, KNOWN)
        assert (read.name, read.names, read.sign) == ("H1", ("satisfaction", "loyalty"), 1), line
    assert study.hypothesis("satisfaction X age -> loyalty", KNOWN).kind == "moderation"
    assert study.hypothesis("满意度×转换成本→忠诚", ["满意度", "转换成本", "忠诚"]).names == (
        "满意度",
        "转换成本",
        "忠诚",
    )


def read(tmp_path, text):
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="utf-8")
    return study.read_study(file)


def test_the_example_study_can_be_read(tmp_path):
    example = read(tmp_path, study.EXAMPLE)
    kinds = [h.kind for h in study.hypotheses(example.model["hypotheses"])]
    assert kinds == ["direct", "mediation", "moderation", "moderation", "direct"]
    assert example.model["covariates"] == ["age"] and example.settings == {"min_answered": 0.5, "title": "Results"}
    assert example.reading == {}
    uncommented = study.EXAMPLE.replace("# language", "language").replace("# read", "read").replace("#   ", "  ")
    example = read(tmp_path, uncommented)
    assert example.settings["language"] == "zh" and example.reading["attention"] == {"Q6": 2}


@pytest.mark.parametrize(
    "text",
    [
        "hypotheses:\n  - H1: a -> b (+)\n",
        "hypotheses:\n  H1: a -> b (+)\n",
        "hypotheses: |\n  H1: a -> b (+)\n\n",
        "\ufeffhypotheses: ['H1: a -> b (+)']\n",
        "hypotheses:\n- “H1: a -> b (+)”\n",
    ],
    ids=["no quotes", "mapping", "text", "byte order mark", "curly quotes"],
)
def test_hypotheses_in_every_way_that_yaml_allows(tmp_path, text):
    (claim,) = study.hypotheses(read(tmp_path, text).model["hypotheses"])
    assert (claim.name, claim.names, claim.sign) == ("H1", ("a", "b"), 1)


SLIPS = {
    "empty": ("", "needs lines such as 'hypotheses:'"),
    "no hypotheses": ("title: x", "needs a list 'hypotheses'"),
    "empty list": ("hypotheses: []", "needs a list 'hypotheses'"),
    "a number": ("hypotheses: [3]", "the hypothesis 3 is no text"),
    "open bracket": ("hypotheses: [\n", "a bracket is opened and not closed"),
    "open quotation mark": ('hypotheses: ["a -> b]\n', "line 1: a quotation mark is opened and not closed"),
    "colon in a value": ("hypotheses: [a -> b]\ntitle: Results: a study\n", "line 2: a text with ': ' in it needs quotes: title: \"Results: a study\""),
    "colon in a claim": ("hypotheses:\n  - H1: cost: a -> b\n", "line 2: a text with ': ' in it needs quotes: H1: \"cost: a -> b\""),
    "tab": ("hypotheses:\n\t- a -> b\n", "line 2: the line begins with a tab; indent it with blanks"),
    "no colon": ("hypotheses: [a -> b]\ngroup\n", "'group' or the line before it has no ': ' after its key"),
    "indented wrongly": ("hypotheses:\n  - a -> b\n - b -> c\n", "stands too far left or right"),
    "sign": ("hypotheses: [a -> b]\ntitle: @work\n", "begins with a sign"),
    "unknown key": ("hypotheses: [a -> b]\ngruop: x", "'gruop' means nothing here. Did you mean 'group'"),
    "key twice": ("hypotheses: [a -> b]\ngroup: x\ngroup: y", "has the key 'group' twice"),
    "yes for a name": ("hypotheses: [a -> b]\ngroup: no", "'group' takes one name, and holds False; a name that YAML takes for yes, no or a number needs quotes"),
    "list for a name": ("hypotheses: [a -> b]\ngroup: [x, y]", "'group' takes one name"),
    "share": ("hypotheses: [a -> b]\nmin_answered: 50", "'min_answered' takes a share between 0 and 1, and holds 50"),
    "language": ("hypotheses: [a -> b]\nlanguage: chinese", "'language' takes one of en, zh, and holds 'chinese'"),
    "method": ("hypotheses: [a -> b]\nmethod: amos", "'method' takes one of sem, pls"),
    "draws": ("hypotheses: [a -> b]\nn_boot: many", "'n_boot' takes a whole number"),
    "switch": ("hypotheses: [a -> b]\nefa: 2", "'efa' takes yes or no"),
    "reader": ("hypotheses: [a -> b]\nread: answers", "'read' holds options of the reader"),
    "reader's key": ("hypotheses: [a -> b]\nread: {sheets: answers}", "'sheets', which is no option of the reader. Did you mean 'sheet'"),
}  # fmt: skip


@pytest.mark.parametrize("name", SLIPS)
def test_slips_of_a_study_file_are_one_sentence(tmp_path, name):
    text, message = SLIPS[name]
    with pytest.raises(DataError) as problem:
        read(tmp_path, text)
    assert message in str(problem.value) and "\n" not in str(problem.value) and "study.yaml" in str(problem.value)


def test_a_study_file_that_is_none(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        study.read_study(tmp_path / "nowhere.yaml")
    (tmp_path / "latin.yaml").write_bytes("title: Größe".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8 text"):
        study.read_study(tmp_path / "latin.yaml")


def test_an_exercise_whose_hint_has_a_colon_is_one_sentence():
    from surveychapter.yaml_files import parse_yaml

    block = "question: how many?\nanswer: 3\nhints:\n  - look here: it is small\n  - first: look: then count\n"
    with pytest.raises(
        DataError, match='09.md, exercise core, line 5: a text with .* needs quotes: first: "look: then'
    ):
        parse_yaml(block, "09.md, exercise core")


def test_command_writes_word_markdown_tables_and_the_points_apart(tmp_path, capsys):
    import pandas as pd
    from docx import Document

    import switchcost as sc
    from surveychapter import command

    names = ["sat1", "sat2", "sat3", "ca1", "at1", "at2", "at3", "bl1", "bl2", "bl3"]
    names = [n for n in names if n in set(sc.codebook("telecom_survey")["variable"])]
    data = sc.simulate.survey(n=300, seed=3, columns=names, faults=False)
    data.iloc[:40, 0] = 33
    data.to_csv(tmp_path / "answers.csv", index=False)
    sc.codebook("telecom_survey").query("variable in @names").to_csv(tmp_path / "codebook.csv", index=False)
    (tmp_path / "study.yaml").write_text('hypotheses:\n  - "H1: satisfaction -> attitudinal (+)"\n', encoding="utf-8")
    files = [str(tmp_path / f) for f in ("answers.csv", "codebook.csv", "study.yaml")]
    assert command.main(["chapter", "--no-notebook", *files]) == 0
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


def test_the_worked_example_runs(tmp_path, capsys):
    import pandas as pd

    from surveychapter import command

    assert command.main(["new-study", str(tmp_path / "mine")]) == 0
    assert command.main(["new-study", str(tmp_path / "mine")]) == 2
    assert "already there" in capsys.readouterr().err
    files = [str(tmp_path / "mine" / f) for f in ("answers.csv", "codebook.csv", "study.yaml")]
    study_file = tmp_path / "mine" / "study.yaml"
    study_file.write_text(study.EXAMPLE + "n_boot: 100\n", encoding="utf-8")
    assert command.main(["chapter", *files]) == 0
    folder = tmp_path / "mine" / "answers_chapter"
    source = (folder / "analysis.ipynb").read_text(encoding="utf-8")
    assert all(name in source for name in ("pingouin", "semopy", "factor_analyzer")) and "switchcost" not in source
    assert "iopub.execute_input" not in source  # no times of a run in a file that people compare
    assert source.count('"output_type": "execute_result"') >= 5  # it was run, and its numbers are in it
    verdicts = [pd.read_csv(t) for t in folder.glob("table_*.csv") if ",verdict," in t.read_text(encoding="utf-8")]
    assert verdicts[0].iloc[:, 0].tolist() == ["H1", "H2", "H3", "H4", "H5"]
    flow = pd.read_csv(folder / "flow_of_n.csv")
    assert flow["step"].tolist() == ["records in the file", "duplicated", "careless"]
    assert flow["left"].tolist() == (400 - flow["dropped"].cumsum()).tolist() and flow["dropped"].iloc[-2:].sum() > 0
    assert "400 records read" in (folder / "settle_first.md").read_text(encoding="utf-8")
