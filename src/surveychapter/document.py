"""A document of headings, paragraphs, tables and figures: shown in a notebook, written as Word or Markdown."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from switchcost.core.files import atomic_write

from .tables import Table
from .word import KINDS, REFERENCE, SYMBOL


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
    alarm: bool = False  # printed so that nobody reads past it
    key: str = ""  # the same in every language

    @property
    def text(self) -> str:
        """The paragraphs alone."""
        return "\n\n".join(p for p in self.parts if isinstance(p, str))


def prose_html(text: str) -> str:
    """A paragraph with its symbols in italics and its references as links."""
    text = SYMBOL.sub(lambda m: f"<em>{m[0]}</em>", html.escape(text))
    return REFERENCE.sub(lambda m: f'<a href="#{KINDS.get(m[1], m[1]).lower()}-{m[2]}">{m[0]}</a>', text)


def _anchor(title: str) -> str:
    """``id="table-3"`` of a caption that begins with its number."""
    found = REFERENCE.match(title)
    return f' id="{KINDS.get(found[1], found[1]).lower()}-{found[2]}"' if found else ""


def to_html(title: str, sections: Sequence[Section]) -> str:
    """The document as one piece of HTML, figures included."""
    out = [f"<h2>{html.escape(title)}</h2>"]
    for section in sections:
        body = [f"<h3>{html.escape(section.heading)}</h3>"]
        for part in section.parts:
            if isinstance(part, Table):
                body.append(f"<div{_anchor(part.title)}>{part._repr_html_()}</div>")
            elif isinstance(part, Picture):
                data = base64.b64encode(part.png).decode()
                body.append(
                    f'<p{_anchor(part.caption)}><img src="data:image/png;base64,{data}" alt="{html.escape(part.alt)}" '
                    f'style="max-width:600px;width:100%"><br><em>{html.escape(part.caption)}</em></p>'
                )
            else:
                body.append(f"<p>{prose_html(part)}</p>")
        style = ' style="border-left:5px solid #b2182b;padding-left:12px"' if section.alarm else ""
        out.append(f"<div{style}>{''.join(body)}</div>")
    return f'<div style="max-width:820px">{"".join(out)}</div>'


PAGE = """<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ font-family: Georgia, "Times New Roman", "Songti SC", SimSun, serif; max-width: 52rem; margin: 2rem auto; line-height: 1.5; padding: 0 1rem }}
table {{ border-collapse: collapse; border-top: 1.5px solid; border-bottom: 1.5px solid; font-size: 85%; display: block; overflow-x: auto }}
th {{ border-bottom: 1px solid }} td, th {{ padding: .15rem .5rem; vertical-align: top }} img {{ max-width: 100% }}
</style></head><body>{body}</body></html>
"""


def write_html(title: str, sections: Sequence[Section], path: Path, language: str = "en") -> Path:
    """Write one HTML page with its figures inside."""
    lang = {"en": "en", "zh": "zh-CN"}[language]
    return atomic_write(path, PAGE.format(lang=lang, title=html.escape(title), body=to_html(title, sections)))


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
                atomic_write(image, part.png)
                lines.append(f"![{part.alt}]({image.name})\n\n*{part.caption}*")
            else:
                text = re.sub(r"(?<!\w)_|_(?!\w)|\*", lambda m: "\\" + m.group(), part)
                lines.append("\n".join(f"> {row}" for row in text.split("\n")) if section.alarm else text)
    return atomic_write(path, "\n\n".join(lines) + "\n")
