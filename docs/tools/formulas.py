"""Sphinx extension: formulas are drawn by the copy of KaTeX in ``_static``, so that they need no network."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils.nodes import SkipNode


def inline(writer: Any, node: Any) -> None:
    writer.body.append(f'<span class="formula">{escape(node.astext())}</span>')
    raise SkipNode


def displayed(writer: Any, node: Any) -> None:
    writer.body.append(f'<div class="formula formula-block" tabindex="0">{escape(node.astext())}</div>')
    raise SkipNode


def wanted(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """KaTeX is loaded on the pages that have a formula."""
    if 'class="formula' in context.get("body", ""):
        app.add_css_file("katex/katex.min.css")
        app.add_js_file("katex/katex.min.js", defer="defer", priority=400)
        app.add_js_file("formulas.js", defer="defer", priority=450)


def setup(app: Any) -> dict[str, bool]:
    app.add_html_math_renderer("katex", (inline, None), (displayed, None))
    app.config.html_math_renderer = "katex"
    app.connect("html-page-context", wanted)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
