"""Computed prose, self-checks, figures with alternative texts, and tables that can be pasted."""

import numpy as np
import pandas as pd
import pytest

from switchcost.classroom import teach
from switchcost.report import tables


def test_check_accepts_a_right_answer_and_refuses_a_wrong_one(capsys):
    check = teach.Check("the share found", between=(0.15, 0.30), hint="0.05 means the effect is off")
    check(0.2)
    assert "Right: the share found is 0.2" in capsys.readouterr().out
    with pytest.raises(ValueError, match="the share found is 0.05, expected between 0.15 and 0.3. 0.05 means"):
        check(0.05)


def test_check_without_an_answer_says_what_to_expect(capsys):
    teach.Check("the mean", equals=3.0, tol=0.01, hint="2 is the median")(None)
    assert capsys.readouterr().out == "Self-check: the mean should be 3 or within 0.01 of it. 2 is the median.\n"


def test_check_of_a_name():
    check = teach.Check("the odd item", equals="er5")
    check("er5")
    with pytest.raises(ValueError, match="the odd item is er4"):
        check("er4")


def test_check_needs_one_kind_of_answer():
    with pytest.raises(ValueError, match="either between"):
        teach.Check("x")


def test_figure_is_saved_twice_and_the_same_each_time(tmp_path, monkeypatch):
    import matplotlib.pyplot as plt

    monkeypatch.setattr(teach, "FIGURES", tmp_path)
    alt = "A line that rises from one to two while the other axis goes from three to four."
    files = []
    for _ in range(2):
        fig, ax = plt.subplots()
        ax.plot([1, 2], [3, 4])
        teach.figure(fig, "09_line", alt)
        files.append([(tmp_path / f"09_line.{kind}").read_bytes() for kind in ("svg", "png")])
    assert files[0] == files[1]
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
    assert cells.iloc[0].tolist() == ["trust", "0.81", "344", "a|b", "yes"]
    assert cells.iloc[1].tolist() == ["loyalty", "0.00", "12", "", "no"]


def test_table_in_every_format_keeps_title_note_and_cells(frame, tmp_path):
    from docx import Document

    table = tables.table(frame, title="Table 1. Two scales", note="Simulated.", decimals={"alpha": 1})
    assert "| trust | 0.8 | 344 | a\\|b | yes |" in table.to_markdown()
    assert "trust & 0.8 & 344" in table.to_latex() and r"p \& q" in table.to_latex()
    assert "<td" in table._repr_html_() and "Simulated." in table._repr_html_()
    document = Document(str(table.to_docx(tmp_path / "t.docx")))
    assert document.paragraphs[0].text == "Table 1. Two scales"
    assert [c.text for c in document.tables[0].rows[1].cells] == ["trust", "0.8", "344", "a|b", "yes"]


def test_table_refuses_what_is_not_a_frame():
    with pytest.raises(ValueError, match="takes a DataFrame, and got a ndarray"):
        tables.table(np.eye(2))
