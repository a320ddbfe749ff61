"""A document as a Word file: real captions and page numbers, journal rules, numbers that never break."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from semfit.errors import extra
from switchcost.core.files import atomic_write

from .numbers import printable

WIDTH, TURNED = 9020, 13950  # of the text on A4 with margins of an inch, upright and turned, in twentieths of a point
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
RULE = '<w:{edge} w:val="single" w:sz="{size}" w:space="0" w:color="000000"/>'
# Statistical symbols stand in italics where a number follows them (APA 7, section 6.44).
SYMBOL = re.compile(r"(?<![\w.])(p|t|F|r|b|M|SD|SE|n|N|df|z|R²|f²|Q²|ΔR²)(?=[ \u00a0]?(?:[=<>(]|&[lg]t;))")
HEADS = {"n", "M", "SD", "SE", "b", "t", "p", "F", "df", "df1", "df2", "ΔR²", "R²", "f²", "h²", "Q²", "mean r"}
REFERENCE = re.compile(r"(Table|Figure|表|图)[ \u00a0](\d+)")
KINDS = {"表": "Table", "图": "Figure"}


def to_docx(title: str, sections: Sequence[Any], path: str | Path, *, language: str = "en", paper: str = "A4") -> Path:
    """Write a Word file.

    Parameters
    ----------
    title : str
        Empty for no title.
    sections : sequence of Section
        ``.heading`` and ``.parts``: text, tables and pictures in reading order.
    path : str or path
        Replaced only when the new file is whole.
    language : "en" or "zh"
        Of the proofing tools and of the caption words.
    paper : "A4" or "Letter"

    Returns
    -------
    Path

    Notes
    -----
    Captions are of the style Caption with a SEQ field, and each has a bookmark: Word's list of tables and its
    cross-references work. Tables have three rules (APA 7), and a head that repeats on the next page.
    """
    with extra("report"):
        from docx import Document
    from docx.shared import Cm, Inches

    document = Document()
    _styles(document)
    page = document.sections[0]
    size = (Cm(21), Cm(29.7)) if paper == "A4" else (Inches(8.5), Inches(11))
    page.page_width, page.page_height = size
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Inches(1)
    _page_number(page)
    document.core_properties.title, document.core_properties.author = title, ""
    document.core_properties.comments = ""
    if title:
        document.add_heading(printable(title), level=0)
    counts = {"Table": 0, "Figure": 0}
    for section in sections:
        if section.heading:
            document.add_heading(printable(section.heading), level=1)
        for part in section.parts:
            if isinstance(part, str):
                paragraph = document.add_paragraph()
                if getattr(section, "key", "") == "references":
                    paragraph.paragraph_format.left_indent = Inches(0.4)
                    paragraph.paragraph_format.first_line_indent = Inches(-0.4)
                _prose(paragraph, part)
            elif hasattr(part, "png"):
                _picture(document, part, counts, language)
            else:
                _table(document, part, counts, language)
    return atomic_write(path, lambda file: document.save(str(file)))


def _styles(document: Any) -> None:
    from docx.enum.text import WD_LINE_SPACING
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    for name in ("Normal", "Title", "Heading 1", "Caption"):
        style = document.styles[name]
        style.font.name, style.font.color.rgb = "Times New Roman", RGBColor(0, 0, 0)
        properties = style.element.get_or_add_rPr()
        fonts = properties.get_or_add_rFonts()
        for script in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(script), None)
        fonts.set(qn("w:eastAsia"), "SimSun")
        spoken = OxmlElement("w:lang")
        spoken.set(qn("w:val"), "en-US")
        spoken.set(qn("w:eastAsia"), "zh-CN")
        properties.append(spoken)
    document.styles["Normal"].font.size = Pt(11)
    document.styles["Normal"].paragraph_format.line_spacing_rule = WD_LINE_SPACING.ONE_POINT_FIVE
    caption = document.styles["Caption"]
    caption.font.size, caption.font.bold, caption.font.italic = Pt(11), True, False
    caption.paragraph_format.space_before, caption.paragraph_format.space_after = Pt(12), Pt(4)


def _field(paragraph: Any, code: str, shown: str) -> None:
    from docx.oxml import parse_xml

    paragraph._p.append(parse_xml(f'<w:fldSimple {W} w:instr="{code}"><w:r><w:t>{shown}</w:t></w:r></w:fldSimple>'))  # noqa: SLF001


def _page_number(page: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    foot = page.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _field(foot, " PAGE ", "1")


def _caption(document: Any, kind: str, text: str, counts: dict[str, int], language: str, before: bool) -> None:
    """ "Table 3. Reliability of the scales": the number is a field inside a bookmark, for lists and references."""
    from docx.oxml import parse_xml

    counts[kind] += 1
    text = re.sub(r"^(Table|Figure|表|图) ?\d+[.。 ]*", "", text)
    paragraph = document.add_paragraph(style="Caption")
    paragraph.paragraph_format.keep_with_next = before
    number = len(document.element.body)
    name = f"_Ref_{kind}_{counts[kind]}"
    paragraph._p.append(parse_xml(f'<w:bookmarkStart {W} w:id="{number}" w:name="{name}"/>'))  # noqa: SLF001
    paragraph.add_run({"en": f"{kind} ", "zh": {"Table": "表 ", "Figure": "图 "}[kind]}[language])
    _field(paragraph, f" SEQ {kind} \\* ARABIC ", str(counts[kind]))
    paragraph._p.append(parse_xml(f'<w:bookmarkEnd {W} w:id="{number}"/>'))  # noqa: SLF001
    run = paragraph.add_run((". " if language == "en" else "  ") + printable(text))
    run.bold = False


def _prose(paragraph: Any, text: str) -> None:
    """Text with its statistical symbols in italics, its numbers held together, and fields for "Table 3"."""
    text = printable(text)
    if not re.search(r"[\u2e80-\u9fff]", text):  # among Chinese characters Writer breaks numbers beside such a blank
        text = unbroken(text)
    last = 0
    for found in REFERENCE.finditer(text):
        _symbols(paragraph, text[last : found.start()])
        kind = KINDS.get(found[1], found[1])
        _field(
            paragraph, f" REF _Ref_{kind}_{found[2]} \\h ", found[0].replace(" ", "\u00a0" if kind == found[1] else " ")
        )
        last = found.end()
    _symbols(paragraph, text[last:])


def _symbols(paragraph: Any, text: str) -> None:
    last = 0
    for found in SYMBOL.finditer(text):
        paragraph.add_run(text[last : found.start()])
        paragraph.add_run(found[0]).italic = True
        last = found.end()
    paragraph.add_run(text[last:])


def unbroken(text: str) -> str:
    """No line ends between a symbol, its sign and its number, or inside an interval.

    Examples
    --------
    >>> unbroken("b = 0.30, 95% CI [0.10, 0.50], p < .001").count(chr(160))
    7
    """
    text = re.sub(r" ?([=<>]) (?=[\u2212\d.])", "\u00a0\\1\u00a0", text)
    text = re.sub(r"\[[^\[\]]{1,40}\]", lambda m: m[0].replace(" ", "\u00a0"), text)
    text = re.sub(r"(?<=F\()(\d+), (?=\d+\))", "\\1,\u00a0", text)
    return text.replace(" CI [", "\u00a0CI\u00a0[")


def _table(document: Any, table: Any, counts: dict[str, int], language: str) -> None:
    """The table as one piece of XML: a cell at a time, python-docx needs time with the square of the cells."""
    from docx.oxml import parse_xml

    cells, right = table.cells(), table.numeric()
    rows = [[str(c) for c in cells.columns], *cells.to_numpy().tolist()]
    widths, least = _widths(rows)
    turned = sum(least) > WIDTH
    if turned:
        _turn(document, True)
    if table.title:
        _caption(document, "Table", table.title, counts, language, before=True)
    room = TURNED if turned else WIDTH
    small = 12 if sum(least) > room else 16 if sum(widths) > room else 18
    widths = _fitted(widths, least, room)
    body = "".join(_row(values, right, widths, i, len(rows) - 1, small) for i, values in enumerate(rows))
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in widths)
    margins = '<w:tblCellMar><w:left w:w="50" w:type="dxa"/><w:right w:w="50" w:type="dxa"/></w:tblCellMar>'
    properties = f'<w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblLayout w:type="fixed"/>{margins}</w:tblPr>'
    element = parse_xml(f"<w:tbl {W}>{properties}<w:tblGrid>{grid}</w:tblGrid>{body}</w:tbl>")
    document.add_paragraph()._p.addprevious(element)  # noqa: SLF001
    note = document.paragraphs[-1]
    if table.note:
        note.add_run(f"{table.lead} " if table.lead.isascii() else table.lead).italic = table.lead.isascii()
        _prose(note, table.note)
        for run in note.runs:
            run.font.size = 114300  # 9 points
    note.paragraph_format.line_spacing = 1.0
    if turned:
        _turn(document, False)


def _turn(document: Any, wide: bool) -> None:
    """A new page, turned for a table that is too wide, or upright again."""
    from docx.enum.section import WD_ORIENT, WD_SECTION

    page = document.add_section(WD_SECTION.NEW_PAGE)
    if wide != (page.page_width > page.page_height):
        page.page_width, page.page_height = page.page_height, page.page_width
    page.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT


def _widths(rows: list[list[str]]) -> tuple[list[int], list[int]]:
    """Wished and least width of each column in twentieths of a point: no word and no number is ever broken."""
    wished, least = [], []
    for column in zip(*rows, strict=True):
        words = max((_length(w) for v in column for w in _words(v)), default=1)
        whole = max(_length(v) for v in column)
        least.append(int(92 * words + 130))
        wished.append(int(100 * max(words, min(whole, 34)) + 130))
    return wished, least


def _words(text: str) -> list[str]:
    """What stays on one line: a number with its interval, a word; Chinese may break after every character."""
    number = re.search(r"\d", text) and not re.search(r"[A-Za-z\u2e80-\uffef]{2}", text)
    parts = [text] if number else re.split(r"\s+(?![^\[]*\])", text)
    return [p for part in parts for p in re.split(r"(?<=[\u2e80-\uffef])", part)]


def _fitted(wished: list[int], least: list[int], room: int) -> list[int]:
    """Widths that fill no more than ``room``; what has to be given up comes from columns that can give."""
    over = sum(wished) - room
    spare = sum(w - s for w, s in zip(wished, least, strict=True))
    if over <= 0:
        return wished
    if sum(least) > room:
        return [int(s * room / sum(least)) for s in least]
    share = over / spare
    return [int(w - share * (w - s)) for w, s in zip(wished, least, strict=True)]


def _length(text: str) -> float:
    return sum(1.9 if ord(c) > 0x2E7F else 1.35 if c.isupper() or c in "Δ×−=<>" else 1 for c in text)


def _row(values: Sequence[str], right: Sequence[bool], widths: Sequence[int], i: int, last: int, small: int) -> str:
    edges = "".join(RULE.format(edge=e, size=8) for e in (["top", "bottom"] if i == 0 else ["bottom"] if i == last else []))  # fmt: skip
    borders = f"<w:tcBorders>{edges}</w:tcBorders>" if edges else ""
    keep = "<w:keepNext/>" if last < 25 or i >= last - 1 else ""  # a short table, or a long one's end, with its note
    out = []
    for value, is_number, width in zip(values, right, widths, strict=True):
        fixed = "<w:noWrap/>" if is_number and i else ""
        text = value.replace(" ", "\u00a0") if is_number and i else value
        side = "right" if is_number else "left"
        italic = "<w:i/>" if i == 0 and value in HEADS else ""
        out.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{borders}{fixed}</w:tcPr><w:p><w:pPr>{keep}'
            f'<w:spacing w:before="20" w:after="20" w:line="240" w:lineRule="auto"/><w:jc w:val="{side}"/><w:rPr><w:sz w:val="{small}"/></w:rPr></w:pPr><w:r>'
            f'<w:rPr>{italic}<w:sz w:val="{small}"/></w:rPr><w:t xml:space="preserve">{escape(printable(text))}</w:t></w:r></w:p></w:tc>'
        )
    head = "<w:tblHeader/>" if i == 0 else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{head}</w:trPr>{''.join(out)}</w:tr>"


def _picture(document: Any, picture: Any, counts: dict[str, int], language: str) -> None:
    from docx.shared import Inches

    document.add_picture(io.BytesIO(picture.png), width=Inches(5.6))
    document.paragraphs[-1].paragraph_format.keep_with_next = True
    described = document.element.body.findall(
        ".//" + "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr"
    )[-1]
    described.set("descr", picture.alt)
    described.set("title", picture.caption)
    _caption(document, "Figure", picture.caption, counts, language, before=False)
