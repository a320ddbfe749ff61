"""What a chapter is handed over in: Word, HTML, Markdown, tables, figures and the notebook that repeats it."""

import dataclasses
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from surveychapter import (
    figures,
    notebook,
    outputs,
)
from surveychapter.chapter import results_chapter, written
from surveychapter.document import Picture, prose_html, to_html
from surveychapter.tables import Table
from surveychapter.word import unbroken
from surveychapter.wording import Wording
from switchcost.core.errors import DataError


def test_files_of_a_chapter(analysis, tmp_path):
    from docx import Document

    made = written(analysis, "zh", "研究结果")
    files = outputs.write(made, tmp_path / "out", paper="Letter", notebook=False)
    names = [f.name for f in files]
    assert names[:4] == ["chapter.docx", "chapter.html", "chapter.md", "settle_first.md"] and len(names) == 4 + len(
        made.tables
    )
    assert sorted(f.name for f in (tmp_path / "out").iterdir() if not f.name.endswith(".png")) == sorted(names)
    page = (tmp_path / "out" / "chapter.html").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page and page.count("<img ") == page.count("alt=") and "请先阅读" not in page
    settled = (tmp_path / "out" / "settle_first.md").read_text(encoding="utf-8")
    assert settled.startswith("# 提交之前需要处理") and settled.count("\n- ") == len(made.alarms)
    first = pd.read_csv(tmp_path / "out" / "table_03.csv", keep_default_na=False, dtype=str)
    assert first.to_numpy().tolist() == made.without_alarms().tables[2].cells().to_numpy().tolist()
    document = Document(str(tmp_path / "out" / "chapter.docx"))
    xml = document.element.xml
    held = set(re.findall(r'w:bookmarkStart [^>]*w:name="(_Ref_[^"]+)"', xml))
    asked = set(re.findall(r" REF (_Ref_\w+) ", xml))
    assert asked and asked <= held
    page = document.sections[0]
    assert (
        round(page.page_width.inches, 2) == 8.5
        and round(page.page_height.inches, 2) == 11
        and 'w:eastAsia="SimSun"' in document.styles.element.xml
    )
    assert re.search(r"<w:i/>\s*<w:sz", xml)


def test_without_its_packages_the_notebook_leaves_a_reason(analysis, tmp_path, monkeypatch, no_figures):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    files = outputs.write(written(analysis), tmp_path)
    assert not any(f.suffix == ".ipynb" for f in files)
    said = (tmp_path / "settle_first.md").read_text(encoding="utf-8")
    assert (
        "- The notebook was not written: the notebook needs the package nbformat: pip install 'switchcost[notebooks]'."
        in said
    )


def test_a_table_too_wide_for_the_page_is_turned(tmp_path):
    from docx import Document

    wide = pd.DataFrame(np.ones((3, 22)), columns=[f"Variable{k}" for k in range(22)])
    document = Document(str(sc.tables.table(wide, "Wide").to_docx(tmp_path / "wide.docx")))
    assert [s.page_width > s.page_height for s in document.sections] == [False, True, False]
    narrow = Document(str(sc.tables.table(wide.iloc[:, :4], "Narrow").to_docx(tmp_path / "narrow.docx")))
    assert len(narrow.sections) == 1


def test_items_that_a_model_cannot_spell_keep_their_names_in_print(data, book, no_figures):
    odd = {"sat1": "1、sat?", "sat2": "sat 2"}
    lines = book.assign(variable=book["variable"].replace(odd))
    made = results_chapter(
        data.rename(columns=odd), lines, {"outcome": "attitudinal", "predictors": "satisfaction"}, n_boot=100
    )
    cells = next(t for t in made.tables if "Loadings" in t.title).cells()
    assert {"1、sat?", "sat 2"} <= set(cells["item"]) and made.analysis.problems == {}


def test_html_has_italic_symbols_and_links_to_its_tables(analysis, no_figures):
    assert prose_html("a <b> & p < .001 (Table 3), n = 5") == (
        'a &lt;<em>b</em>&gt; &amp; <em>p</em> &lt; .001 (<a href="#table-3">Table 3</a>), <em>n</em> = 5'
    )
    page = to_html("x", [s for s in written(analysis, "zh").sections])
    asked, held = set(re.findall(r'href="#([^"]+)"', page)), set(re.findall(r'<(?:div|p) id="([^"]+)"', page))
    assert asked and asked <= held and {"table-1", "figure-1"} <= held


def test_no_number_is_torn_from_its_symbol():
    from docx import Document

    text = unbroken("F(2, 292) = 0.04, p = .964, 95% CI [0.10, 0.50]")
    assert " " not in text.replace(", p", ",p").replace(", 95%", ",95%").replace("95%\u00a0CI", "95%CI")
    from surveychapter import word

    paragraph = Document().add_paragraph()
    word._prose(paragraph, "With b = 0.30, p < .001 and n = 20 (Table 4).")
    assert [r.text for r in paragraph.runs if r.italic] == ["b", "p", "n"]
    assert "REF _Ref_Table_4" in paragraph._p.xml


def test_columns_give_way_before_words_and_numbers_break():
    from surveychapter import word

    rows = [["item", "95% CI"], ["a long sentence of many short words " * 3, "[\u22120.123, 0.456]"]]
    assert word._words("0.30 [0.10, 0.50]") == ["0.30 [0.10, 0.50]"]
    assert word._words("paid in 2 years") == ["paid", "in", "2", "years"]
    wished, least = word._widths(rows)
    assert least[0] < wished[0] and wished[1] > 100 * 14
    room = sum(least) + 100
    fitted = word._fitted(wished, least, room)
    assert sum(fitted) <= room and all(f >= low for f, low in zip(fitted, least, strict=True))
    assert word._fitted(wished, least, sum(wished)) == wished
    assert sum(word._fitted(wished, least, sum(least) - 500)) <= sum(least) - 500


def test_a_notebook_shows_the_chapter_and_its_alarms(analysis, no_figures):
    made = written(analysis)
    assert made.sections[0].alarm and made._repr_html_().count("<table") == len(made.tables)
    assert "border-left:5px solid #b2182b" in made._repr_html_()
    assert repr(made).startswith(
        f"Results: {len(made.sections)} sections, {len(made.tables)} tables, {len(made.alarms)} alarms"
    )
    assert made.without_alarms().alarms == [] and not any(s.alarm for s in made.without_alarms().sections)
    with pytest.raises(DataError, match="there is no section 'nothing'; there are: Read this first"):
        made.section("nothing")


def test_boxes_and_arrows_of_the_flow_of_n():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    figures.flow([("file n = 9", ""), ("n = 7", "two left"), ("n = 6", "one left")])(ax)
    held = {t.get_text(): t.get_position()[1] for t in ax.texts if t.get_text()}
    assert held == {"file n = 9": 0, "two left": -0.5, "n = 7": -1, "one left": -1.5, "n = 6": -2}
    ends = [(a.xyann[1], a.xy[1]) for a in ax.texts if hasattr(a, "xyann") and not a.get_text()]
    assert np.allclose(ends, [(-0.24, -0.76), (-0.5, -0.5), (-1.24, -1.76), (-1.5, -1.5)])


def test_figures_carry_the_labels_of_their_language(analysis):
    from matplotlib.figure import Figure

    part, words = analysis.moderated[0], Wording("zh", analysis.plan)
    ax = Figure().subplots()
    figures.slopes(part, words)(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("顾客满意", "态度忠诚")
    assert all(re.fullmatch(r"利益损失成本 = [\d.]+：斜率 [−\d.]+", t.get_text()) for t in ax.get_legend().get_texts())
    ax = Figure().subplots()
    figures.johnson_neyman(part, words)(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("利益损失成本", "顾客满意对态度忠诚的斜率")
    said = [t.get_text() for t in ax.get_legend().get_texts()]
    assert "显著区域（p < 0.05）" in said and f"一名受访者（n = {part.result.n_used}）" in said


def test_pictures_of_pages_say_what_is_missing(monkeypatch, capsys):
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        import chapter_pages
    finally:
        sys.path.pop(0)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["chapter_pages.py"])
    assert chapter_pages.main() == 2
    said = capsys.readouterr().err
    assert "libreoffice-writer" in said and "poppler-utils" in said


def test_tables_are_tables(analysis, no_figures):
    assert all(isinstance(t, Table) and t.lead == "Note." for t in written(analysis).tables)
    assert {t.lead for t in written(analysis, "zh").tables} == {"注："}


def test_a_word_file_is_black_and_names_its_fonts_and_languages(tmp_path):
    from docx import Document
    from docx.oxml.ns import qn

    document = Document(str(sc.tables.table(pd.DataFrame({"a": [1.0]}), "T").to_docx(tmp_path / "t.docx")))
    for name in ("Normal", "Title", "Heading 1", "Caption"):
        style = document.styles[name]
        fonts, spoken = style.element.rPr.rFonts, style.element.rPr.find(qn("w:lang"))
        assert (str(style.font.color.rgb), style.font.name) == ("000000", "Times New Roman")
        assert fonts.get(qn("w:eastAsia")) == "SimSun"
        assert (spoken.get(qn("w:val")), spoken.get(qn("w:eastAsia"))) == ("en-US", "zh-CN")


def test_the_notebook_models_the_paths_without_categories(analysis):
    lines = "\n".join(text for kind, text in notebook.cells(analysis, "en") if kind == "code")
    assert "attitudinal ~" not in lines and "operator" not in analysis.plan.paths["trust"]
    causes = " + ".join(analysis.plan.paths["trust"])
    assert f"paths = 'trust ~ {causes}'" in lines


def test_figures_stand_in_their_sections_and_say_where_the_slope_turns(analysis, monkeypatch):
    monkeypatch.setattr(figures, "draw", lambda plot, language="en", height=4.0: b"")
    part, words = analysis.moderated[0], Wording("en", analysis.plan)
    for bounds, said in [([2.345], "2.35"), ([], "none")]:
        jn = SimpleNamespace(regions=part.jn.regions, observed=part.jn.observed, inside=bounds)
        made = written(dataclasses.replace(analysis, moderated=[dataclasses.replace(part, jn=jn)]))
        drawn = {s.key: [p for p in s.parts if isinstance(p, Picture)] for s in made.sections}
        assert {k: len(v) for k, v in drawn.items() if v} == {"participants": 1, "structure": 1, "moderation": 2}
        low, high = part.jn.observed
        right = {"x": part.product.x, "y": part.product.y, "w": part.product.w, "n": part.result.n_used}
        alt = words("alt.jn", low=low, high=high, bounds=[said], **right)
        assert drawn["moderation"][1].alt == " ".join(alt.split())


def test_a_figure_is_drawn_for_a_width_of_a_page():
    from matplotlib.figure import Figure

    seen: list[Figure] = []
    assert figures.draw(lambda ax: seen.append(ax.figure), height=3.0).startswith(b"\x89PNG")
    assert seen[0].get_size_inches().tolist() == [6.4, 3.0]


def test_pages_have_margins_of_an_inch_and_tables_three_rules(analysis, no_figures, tmp_path):
    from docx import Document

    small = sc.tables.table(pd.DataFrame({"a": ["x", "y", "z"], "b": [1, 2, 3]}), "Small")
    document = Document(str(small.to_docx(tmp_path / "small.docx")))
    page = document.sections[0]
    assert (round(page.page_width.cm, 1), round(page.page_height.cm, 1)) == (21.0, 29.7)
    assert [side.inches for side in (page.left_margin, page.right_margin, page.top_margin, page.bottom_margin)] == [
        1
    ] * 4
    rules = [set(re.findall(r"<w:(top|bottom) w:val=\"single\"", row._tr.xml)) for row in document.tables[0].rows]  # noqa: SLF001
    assert rules == [{"top", "bottom"}, set(), set(), {"bottom"}]


def test_the_notebook_repeats_the_exploration_where_there_is_one(analysis):
    with_it, without = (notebook.cells(a, "en") for a in (analysis, dataclasses.replace(analysis, exploration=None)))
    assert sum("FactorAnalyzer(" in text for _, text in with_it) == 1
    assert not any("FactorAnalyzer(" in text for _, text in without) and len(with_it) == len(without) + 2


def test_the_flow_of_n_leaves_room_above_its_first_box():
    import matplotlib.pyplot as plt

    ax = plt.figure().subplots()
    figures.flow([("n = 9", ""), ("n = 8", "1 left")])(ax)
    assert ax.get_ylim() == (-1.6, 0.6) and ax.get_xlim() == (0, 10)


def test_numbers_in_a_word_file_are_held_together(analysis, tmp_path, no_figures):
    from docx import Document

    for language, together in (
        ("en", True),
        ("zh", False),
    ):  # among Chinese characters such a blank breaks them in Writer
        path = written(analysis, language).to_docx(tmp_path / f"{language}.docx")
        paragraphs = Document(str(path)).paragraphs
        pictures = [p for p in paragraphs if "<w:drawing" in p._p.xml]  # noqa: SLF001
        assert pictures and all(p.paragraph_format.keep_with_next for p in pictures)  # each on the page of its caption
        assert all(re.search(r'<wp:docPr [^>]*descr="[^"]+" title="[^"]+"', p._p.xml) for p in pictures)  # noqa: SLF001
        xml = "".join(p._p.xml for p in paragraphs)  # noqa: SLF001
        held = set(re.findall(r'w:bookmarkStart [^>]*w:name="(_Ref_[^"]+)"', xml))
        assert set(re.findall(r" REF (_Ref_\w+) ", xml)) <= held  # every "Table 3" leads to a table
        text = "\n".join(p.text for p in paragraphs)
        assert bool(re.search("95%\u00a0CI\u00a0\\[|95% CI\u00a0\\[", text)) is together


def test_only_numbers_that_cannot_pass_one_lose_their_zero(analysis):
    words = {language: Wording(language, analysis.plan) for language in ("en", "zh")}
    right = {"r": ".30", "r3": ".300", "b": "0.30", "b3": "0.300", "b1": "0.3", "b0": "0"}
    assert {kind: words["en"].format_field(0.3, kind) for kind in right} == right
    assert words["zh"].format_field(0.3, "r") == "0.30" and words["en"].format_field(-1.25, "b3") == "\u22121.250"


def test_infinite_numbers_keep_their_sign():
    from surveychapter.numbers import number

    assert (number(float("inf")), number(float("-inf")), number(float("nan"))) == ("inf", "\u2212inf", "")


def test_the_notebook_holds_the_indirect_effect_against_the_chapters(data, book, no_figures):
    made = results_chapter(data, book, {"hypotheses": ["satisfaction -> trust -> attitudinal"]}, n_boot=100)
    assert any('mediation.loc["Indirect", "coef"]' in text for _, text in notebook.cells(made.analysis, "en"))
