"""A document of headings, paragraphs, tables and figures: shown in a notebook, written as Word or Markdown."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .tables import Table, add_to_document


@dataclass(frozen=True)
class Picture:
    """A drawn figure: PNG bytes, the sentence under it, and the words for a reader who cannot see it."""

    png: bytes = field(repr=False)
    caption: str
    alt: str


@dataclass
class Section:
    """One heading and what stands under it: text, tables and figures in reading order."""

    heading: str
    parts: list[str | Table | Picture] = field(default_factory=list)
    loud: bool = False  # printed so that nobody reads past it

    @property
    def text(self) -> str:
        """The paragraphs alone."""
        return "\n\n".join(p for p in self.parts if isinstance(p, str))


def draw(plot: Callable, caption: str, alt: str) -> Picture:
    """Draw ``plot(ax)`` in the collection's style, leaving the caller's settings and figures alone."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from .. import plots

    with mpl.rc_context():
        plots.style()
        figure = Figure(figsize=(6.4, 4.0))
        plot(figure.subplots())
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})
    return Picture(buffer.getvalue(), caption, " ".join(alt.split()))


def to_html(title: str, sections: Sequence[Section]) -> str:
    """The document as one piece of HTML, figures included."""
    out = [f"<h2>{html.escape(title)}</h2>"]
    for section in sections:
        body = [f"<h3>{html.escape(section.heading)}</h3>"]
        for part in section.parts:
            if isinstance(part, Table):
                body.append(part._repr_html_())
            elif isinstance(part, Picture):
                data = base64.b64encode(part.png).decode()
                body.append(
                    f'<p><img src="data:image/png;base64,{data}" alt="{html.escape(part.alt)}" '
                    f'style="max-width:600px;width:100%"><br><em>{html.escape(part.caption)}</em></p>'
                )
            else:
                body.append(f"<p>{html.escape(part)}</p>")
        style = ' style="border-left:5px solid #b2182b;padding-left:12px"' if section.loud else ""
        out.append(f"<div{style}>{''.join(body)}</div>")
    return f'<div style="max-width:820px">{"".join(out)}</div>'


def to_markdown(title: str, sections: Sequence[Section], path: str | Path) -> Path:
    """Write Markdown; figures go beside it as ``<name>_figure_1.png`` and so on."""
    path = Path(path)
    lines, number = [f"# {title}"], 0
    for section in sections:
        lines.append(f"## {section.heading}")
        for part in section.parts:
            if isinstance(part, Table):
                lines.append(part.to_markdown().rstrip())
            elif isinstance(part, Picture):
                number += 1
                image = path.with_name(f"{path.stem}_figure_{number}.png")
                image.write_bytes(part.png)
                lines.append(f"![{part.alt}]({image.name})\n\n*{part.caption}*")
            else:
                text = re.sub(r"(?<!\w)_|_(?!\w)|\*", lambda m: "\\" + m.group(), part)
                lines.append("\n".join(f"> {row}" for row in text.split("\n")) if section.loud else text)
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    return path


def to_docx(title: str, sections: Sequence[Section], path: str | Path) -> Path:
    """Write a Word file with real headings, tables that keep their titles, and described figures."""
    from docx import Document
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Inches, Pt, RGBColor

    document = Document()
    document.core_properties.title, document.core_properties.author = title, ""
    document.core_properties.comments = ""
    for name in ("Normal", "Title", "Heading 1"):
        font = document.styles[name].font
        font.name, font.color.rgb = "Times New Roman", RGBColor(0, 0, 0)
        fonts = document.styles[name].element.get_or_add_rPr().get_or_add_rFonts()
        for script in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(script), None)
        fonts.set(qn("w:eastAsia"), "SimSun")
    document.styles["Normal"].font.size = Pt(11)
    document.styles["Normal"].paragraph_format.line_spacing = 1.15
    document.add_heading(title, level=0)
    for section in sections:
        document.add_heading(section.heading, level=1)
        for part in section.parts:
            if isinstance(part, Table):
                start = len(document.paragraphs)
                add_to_document(part, document, WD_ALIGN_PARAGRAPH)
                if part.title:  # a title must not be left behind at the foot of a page
                    document.paragraphs[start].paragraph_format.keep_with_next = True
                _tighten(document.tables[-1], Pt)
                document.add_paragraph()
            elif isinstance(part, Picture):
                document.add_picture(io.BytesIO(part.png), width=Inches(5.6))
                document.paragraphs[-1].paragraph_format.keep_with_next = True
                described = document.inline_shapes[-1]._inline.docPr
                described.set("descr", part.alt)
                described.set("title", part.caption)
                document.add_paragraph().add_run(part.caption).italic = True
            else:
                run = document.add_paragraph().add_run(part)
                if section.loud:
                    run.bold, run.font.color.rgb = True, RGBColor(0xB2, 0x18, 0x2B)
    path = Path(path)
    document.save(str(path))
    return path


def _tighten(grid, points) -> None:
    """Journal rules, columns as wide as their words, small type; the head repeats, and no row is split."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Inches

    grid.style = None
    grid.autofit = False
    longest = [max(len(cell.text) for cell in column.cells) for column in grid.columns]
    longest = [min(max(n, 5), 45) + 2 for n in longest]
    last = len(grid.rows) - 1
    for i, row in enumerate(grid.rows):
        settings = row._tr.get_or_add_trPr()
        settings.append(OxmlElement("w:cantSplit"))
        if i == 0:
            settings.append(OxmlElement("w:tblHeader"))
        for cell, letters in zip(row.cells, longest, strict=True):
            cell.width = Inches(6.0 * letters / max(sum(longest), 60))
            edges = OxmlElement("w:tcBorders")
            for edge in ["top", "bottom"] if i == 0 else ["bottom"] if i == last else []:
                rule = OxmlElement(f"w:{edge}")
                for name, value in (("val", "single"), ("sz", "6"), ("color", "000000")):
                    rule.set(qn(f"w:{name}"), value)
                edges.append(rule)
            cell._tc.get_or_add_tcPr().append(edges)
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.space_after = points(0)
                paragraph.paragraph_format.line_spacing = 1.0
                paragraph.paragraph_format.keep_with_next = i < last and last < 25
                for run in paragraph.runs:
                    run.font.size, run.bold = points(9), i == 0
    for column, letters in zip(grid.columns, longest, strict=True):
        column.width = Inches(6.0 * letters / max(sum(longest), 60))
