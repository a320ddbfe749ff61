"""Computed prose, self-checks, figures with alternative texts, and tables that can be pasted."""

import numpy as np
import pandas as pd
import pytest

from coursepages import guesses, teach
from surveychapter import tables


def test_guess_is_kept_until_the_answer(monkeypatch, capsys):
    said = []
    monkeypatch.setattr(guesses, "say", said.append)
    teach.guess("slope", None, "By how much does the slope change?")
    teach.reveal("slope", -0.071, decimals=3)
    teach.guess("slope", 0.1, "By how much does the slope change?")
    teach.reveal("slope", -0.071, decimals=3)
    teach.guess("who", "the tied one", "Whose loyalty follows satisfaction more closely?")
    teach.reveal("who", "the free one")
    teach.reveal(-0.1, -0.071, "the slope")
    teach.reveal("asked nowhere", -0.071, decimals=3)
    teach.guess("share", 0.5, "What share leaves?")
    teach.reveal("share", 0.3)
    assert said[0] == "**By how much does the slope change?** -0.071."
    assert said[1].startswith(
        "**By how much does the slope change?** -0.071. You guessed 0.1, off by 0.171. The sign is the other"
    )
    assert "the free one. You guessed the tied one." in said[2]
    assert said[3] == "**The slope:** -0.07. You guessed -0.1, off by 0.03. The sign is right."
    assert said[4] == "**The answer:** -0.071."
    assert said[5] == "**What share leaves?** 0.30. You guessed 0.5, off by 0.20."
    assert "Write your guess before you go on" in capsys.readouterr().out


def test_figure_is_saved_twice_and_the_same_each_time_where_it_is_asked_for(tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setenv("SWITCHCOST_FIGURES", str(tmp_path))
    alt = "A line that rises from one to two while the other axis goes from three to four."
    files = []
    for _ in range(2):
        fig, ax = plt.subplots()
        ax.plot([1, 2], [3, 4])
        teach.figure(fig, "09_line", alt)
        files.append([(tmp_path / f"09_line.{kind}").read_bytes() for kind in ("svg", "png")])
    assert files[0] == files[1]
    monkeypatch.delenv("SWITCHCOST_FIGURES")
    teach.figure(plt.figure(), "09_other", alt)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["09_line.png", "09_line.svg"]
    with pytest.raises(ValueError, match="must look like '09_slopes'"):
        teach.figure(fig, "line", alt)
    with pytest.raises(ValueError, match="has 2 words"):
        teach.figure(fig, "09_line", "a line")


@pytest.fixture
def frame():
    return pd.DataFrame(
        {"alpha": [0.8123, -0.00001], "n": [344, 12], "p & q": ["a|b", None], "ok": [True, False]},
        index=pd.Index(["trust", "loyalty"], name="scale"),
    )


def test_table_rounds_floats_only_and_leaves_gaps_empty(frame):
    cells = tables.table(frame, decimals=2).cells()
    assert cells.iloc[0].tolist() == ["trust", ".81", "344", "a|b", "yes"]
    assert cells.iloc[1].tolist() == ["loyalty", ".00", "12", "", "no"]


def test_numbers_as_a_thesis_prints_them():
    shown = tables.table(pd.DataFrame({"b": [-0.25, 1.5], "p": [0.0004, 0.0213], "r": [-0.3, 1.0]}), decimals=2).cells()
    assert shown["b"].tolist() == ["\u22120.25", "1.50"]
    assert shown["p"].tolist() == ["< .001", ".021"]
    assert shown["r"].tolist() == ["\u2212.30", "1.00"]
    for name in ("pval", "p_val", "pvalue", "p value", "delta_pvalue"):  # as pingouin, lifelines and ours call it
        assert tables.table(pd.DataFrame({name: [0.0, 0.5]})).cells()[name].tolist() == ["< .001", ".500"], name
    assert tables.table(pd.DataFrame({"price": [0.0]})).cells()["price"].tolist() == ["0.000"]


def test_no_column_is_lost_by_its_name():
    data = pd.DataFrame([[1.0, 2.0, 3.0, 4.0]], columns=["1", 1, "a", "a"], index=pd.Index(["x"], name="a"))
    made = tables.table(data, decimals=1)
    assert made.cells().iloc[0].tolist() == ["x", "1.0", "2.0", "3.0", "4.0"]
    assert made.to_latex().count("&") == 8 and made.to_markdown().count("|") == 18
    two = data.set_axis(pd.MultiIndex.from_tuples([("x", "y")]), axis=0)
    assert tables.table(two).cells().iloc[0, :2].tolist() == ["x", "y"]


def test_signs_that_other_languages_read_are_escaped(tmp_path):
    from docx import Document

    name = r"a\b|c_d<e>&f\n{g}^~$#%" + "\x00\x1f"
    made = tables.table(pd.DataFrame({name: [name]}), title=name, note=name)
    assert (
        r"a\textbackslash{}b|c\_d$<$e$>$\&f" in made.to_latex()
        and r"\textasciicircum{}\textasciitilde{}\$\#\%" in made.to_latex()
    )
    assert r"a\\b\|c\_d\<e\>&f" in made.to_markdown()
    assert "a\\b|c_d&lt;e&gt;&amp;f" in made._repr_html_() and "<e>" not in made._repr_html_()
    document = Document(str(made.to_docx(tmp_path / "t.docx")))
    assert "\u2400\u241f" in document.tables[0].cell(1, 0).text


def test_table_in_every_format_keeps_title_note_and_cells(frame, tmp_path):
    from docx import Document

    table = tables.table(frame, title="Table 1. Two scales", note="Simulated.", decimals={"alpha": 1})
    assert "| trust | .8 | 344 | a\\|b | yes |" in " ".join(table.to_markdown().replace("|\n", "| \n").split())
    assert "trust & .8 & 344" in table.to_latex() and r"p \& q" in table.to_latex() and r"\toprule" in table.to_latex()
    assert "<td" in table._repr_html_() and "Simulated." in table._repr_html_()
    document = Document(str(table.to_docx(tmp_path / "t.docx")))
    caption = document.paragraphs[0]
    assert caption.style.name == "Caption" and "SEQ Table" in caption._p.xml and caption.text.endswith("Two scales")
    assert [c.text for c in document.tables[0].rows[1].cells] == ["trust", ".8", "344", "a|b", "yes"]


def test_large_table_in_word_takes_time_with_the_cells_and_breaks_no_number(tmp_path):
    from docx import Document

    data = pd.DataFrame(np.linspace(-5000, 5000, 1200).reshape(100, 12)).add_prefix("column ")
    document = Document(str(tables.table(data, decimals=2).to_docx(tmp_path / "t.docx")))
    grid = document.tables[0]
    xml = grid._tbl.xml
    assert len(grid.rows) == 101 and xml.count("<w:noWrap/>") == 1200 and "\u22125000.00" in xml


def test_table_refuses_what_is_not_a_frame():
    with pytest.raises(ValueError, match="takes a DataFrame, and got a ndarray"):
        tables.table(np.eye(2))
