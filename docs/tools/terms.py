"""Sphinx extension: the first time that a page uses a term of the glossary, the term links to it."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from docutils import nodes

GLOSSARY = Path(__file__).resolve().parents[1] / "glossary.csv"
ABBREVIATION = re.compile(r"[A-Z][A-Za-z]*[A-Z]\w*")  # CFA, RMSEA, PLSc: named in the note, in capitals


def entries() -> list[dict[str, str]]:
    """The glossary's rows, each with its anchor and the words under which pages use it."""
    with GLOSSARY.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["anchor"] = "term-" + re.sub(r"[^a-z0-9]+", "-", row["term_en"].lower()).strip("-")
    return rows


def spellings(row: dict[str, str]) -> list[str]:
    """The term without what stands in brackets; ``a, b`` is one term with two names."""
    bare = re.sub(r"\s*\(.*?\)", "", row["term_en"])
    if bare.count(",") == 1 and " and " not in bare:
        names = [n.strip() for n in bare.split(",")]
    else:
        names = [bare]
    first = re.split(r"[;,]", row["note"])[0].strip()
    return names + ([first] if ABBREVIATION.fullmatch(first) else [])


def pattern() -> tuple[re.Pattern[str], dict[str, str]]:
    """One expression for all terms, longest first, and the anchor of each spelling in lower case."""
    where = {name.lower(): row["anchor"] for row in entries() for name in spellings(row) if len(name) > 1}
    names = sorted(where, key=len, reverse=True)
    plural = {n + "s": a for n, a in where.items()}
    expression = r"(?<![\w-])(" + "|".join(re.escape(n) for n in names) + r")(s?)(?![\w-])"
    return re.compile(expression, re.I), {**plural, **where}


def anchor_of(found: re.Match[str], where: dict[str, str]) -> str:
    """Anchor of a match, or "" for an abbreviation that is not in capitals (a "map" is not the MAP test)."""
    word = found[1]
    if 1 < len(word) <= 5 and word.lower() == word and " " not in word and word not in ("churn", "trust"):
        return ""
    return where[word.lower()]


class Linker:
    def __init__(self) -> None:
        self.expression, self.where = pattern()

    def __call__(self, app: Any, doctree: Any, page: str) -> None:
        if not page.startswith(("notebooks/", "teaching/", "index")):
            return
        base, seen = app.builder.get_relative_uri(page, "glossary"), set()
        for text in list(doctree.findall(nodes.Text)):
            inside, node = text.parent, text.parent
            while node is not None and not isinstance(node, (nodes.reference, nodes.title, nodes.literal, nodes.raw)):
                node = node.parent
            if node is not None or not isinstance(inside, (nodes.paragraph, nodes.strong, nodes.emphasis)):
                continue
            pieces, last = [], 0
            for found in self.expression.finditer(text.astext()):
                anchor = anchor_of(found, self.where)
                if anchor and anchor not in seen:
                    seen.add(anchor)
                    pieces.append(nodes.Text(text.astext()[last : found.start()]))
                    link = nodes.reference(found[0], found[0], refuri=f"{base}#{anchor}", classes=["term"])
                    pieces.append(link)
                    last = found.end()
            if pieces:
                inside.replace(text, [*pieces, nodes.Text(text.astext()[last:])])


def setup(app: Any) -> dict[str, bool]:
    app.connect("doctree-resolved", Linker())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
