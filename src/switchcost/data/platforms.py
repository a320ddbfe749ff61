"""Exports of survey platforms, recognised by the shape of their headers: one line a platform in ``platforms.csv``."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..core.errors import DataError


@dataclass(frozen=True)
class Platform:
    """How a platform's export is recognised and what its own columns are.

    Attributes
    ----------
    name : str
    signature : tuple of str
        Column names, without case, that only this platform writes together.
    own : frozenset of str
        Further columns that describe the record and are no answers; ``pattern`` matches more of them.
    preview, unfinished : (pattern of the column, pattern of the cell) or None
        Records whose cell matches leave; an absent column leaves nobody.
    seconds : str
        The column with the time of answering.
    gaps : frozenset of str
        Codes that mean that a question was not asked or left blank.
    blank : str
        A number that means so only in a question whose answers begin at 1.
    """

    name: str
    signature: tuple[str, ...]
    own: frozenset[str]
    pattern: str
    preview: tuple[str, str] | None
    unfinished: tuple[str, str] | None
    seconds: str
    gaps: frozenset[str]
    blank: str

    def is_own(self, name: str) -> bool:
        """A column that describes the record and is no answer."""
        plain = short(name)
        return plain in self.signature or plain in self.own or bool(re.fullmatch(self.pattern, plain))


@cache
def known_platforms() -> tuple[Platform, ...]:
    """All platforms of the table. A new one needs a line in the table and no code."""

    def rule(text: str) -> tuple[str, str] | None:
        column, _, cell = text.partition("=")
        return (column, cell) if text else None

    with open(Path(__file__).with_name("platforms.csv"), encoding="utf-8", newline="") as file:
        return tuple(
            Platform(
                r["name"], tuple(r["signature"].split("|")), frozenset(r["own"].split("|")) - {""}, r["pattern"] or "(?!)",
                rule(r["preview"]), rule(r["unfinished"]), r["seconds"], frozenset(r["gaps"].split("|")) - {""}, r["blank"],
            )
            for r in csv.DictReader(file)
        )  # fmt: skip


@dataclass(frozen=True)
class Export:
    """Lines of a file taken apart: names, wordings and cells, and the platform that wrote them."""

    names: list[str]
    labels: dict[str, str]
    rows: list[list[str]]
    platform: Platform | None = None
    own: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)


def short(name: str) -> str:
    """A header without case and without LimeSurvey's code in front of it."""
    return re.sub(r"^(\w+)\. .*", r"\1", name.strip()).casefold()


def recognise(lines: list[list[str]], file: str) -> Export:
    """Take the lines of a table apart into header and records.

    Raises
    ------
    DataError
        The first line is a title without names below it, or the header comes again further down.
    """
    lines, notes = without_title(lines, file)
    names = [re.sub(r"\s+", " ", cell.strip()) for cell in lines[0]]
    _one_file(lines, file)
    known = {short(n) for n in names}
    platform = next((p for p in known_platforms() if set(p.signature) <= known), None)
    if platform is not None and platform.name == "Google Forms" and short(names[0]) != platform.signature[0]:
        platform = None
    own = () if platform is None else tuple(n for n in names if platform.is_own(n))
    if platform is not None:
        names, own = _numbered(names, own)
    labels: dict[str, str] = {}
    rows, headers = lines[1:], 0
    if platform is not None and platform.name == "Qualtrics":
        marked = next((k for k, row in enumerate(rows[:3]) if sum('"ImportId"' in c for c in row) > len(row) / 2), None)
        again = bool(rows) and short(rows[0][names.index(own[0])]) in {short(own[0]), "start date"}
        headers = int(again) if marked is None else marked + 1
    elif platform is not None and platform.name == "SurveyMonkey":
        if rows and not rows[0][names.index(own[0])].strip():
            names, labels = _two_lines(names, rows[0], own)
            rows = rows[1:]
            notes.append("line 2 is a further header")
    elif _is_header(rows):
        headers = 1
    if headers:
        labels = {n: c.strip() for n, c in zip(names, rows[0], strict=True) if c.strip() and c.strip() != n}
        rows = rows[headers:]
        notes.append(f"lines 2 to {headers + 1} are further headers" if headers > 1 else "line 2 is a further header")
    elif platform is not None and platform.name == "LimeSurvey":
        labels = {n: re.sub(r"^[^.]{1,40}\. ", "", n) for n in names if n not in own and ". " in n}
    return Export(names, labels, rows, platform, own, notes)


def without_title(lines: list[list[str]], file: str) -> tuple[list[list[str]], list[str]]:
    """The lines from the names on, and a note where titles stood above them: lines of one filled cell, often merged.

    Raises
    ------
    DataError
        Below the title stand no names.
    """
    filled = [sum(c.strip() != "" for c in line) for line in lines[:6]]
    k = next((k for k, n in enumerate(filled) if n != 1), 0)
    if k == 0 or len(lines[0]) < 2:
        return lines, []
    title, names = next(c.strip() for c in lines[0] if c.strip()), [(j, c) for j, c in enumerate(lines[k]) if c.strip()]
    again = any(line[j] == c for line in lines[k + 1 :] for j, c in names)  # an answer comes again, a name does not
    if again or any(re.fullmatch(r"[-+]?\d*[.,]?\d+", c.strip()) for _, c in names) or filled[k] <= len(lines[k]) / 2:
        raise DataError(f"{file}: the first line holds {title[:40]!r} alone, which is a title and no row of names; "
                        "write the names below it, or delete the lines above them")  # fmt: skip
    which = f"lines 1 to {k}" if k > 1 else "line 1"
    return lines[k:], [f"{which} above the names left out: the title {title[:40]!r}"]


def _one_file(lines: list[list[str]], file: str) -> None:
    head = lines[0]
    for number, row in enumerate(lines[1:], start=2):
        if number > len(lines) - 2 and re.fullmatch(_TOTALS, row[0].strip(), re.IGNORECASE):
            raise DataError(f"{file}: line {number} begins with {row[0].strip()!r}, a row of totals or means and no respondent; delete it")  # fmt: skip
        if row[0] == head[0] and sum(a == b for a, b in zip(row, head, strict=True)) > len(head) / 2 and len(head) > 1:
            raise DataError(f"{file}: line {number} repeats the names of line 1, so two exports stand below each "
                            "other; keep one, or delete the line where they belong together")  # fmt: skip


def _numbered(names: list[str], own: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """A platform's own column that occurs once a form, as REDCap's ``Complete?``, gets a number."""
    seen: dict[str, int] = {}
    out = []
    for n in names:
        seen[n] = seen.get(n, 0) + 1
        out.append(f"{n} ({seen[n]})" if n in own and n and seen[n] > 1 else n)
    return out, (*own[:0], *(n for n, old in zip(out, names, strict=True) if old in own))


def _is_header(rows: list[list[str]]) -> bool:
    """The first record holds words where all the others hold numbers, in most of the number columns."""
    if len(rows) < 5:
        return False
    number = re.compile(r"\s*[-+]?\d*[.,]?\d+\s*")
    below = [[c for c in column if c.strip()] for column in zip(*rows[1:31], strict=True)]
    filled = [k for k, cells in enumerate(below) if cells and all(map(number.fullmatch, cells))]
    words = [k for k in filled if rows[0][k].strip() and not number.fullmatch(rows[0][k])]
    return len(words) >= 3 and len(words) > len(filled) / 2


def _two_lines(first: list[str], second: list[str], own: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """SurveyMonkey: an item stands below its question, and the question's name is written once."""
    names, labels, question = [], {}, ""
    for top, below in zip(first, second, strict=True):
        question = top or question
        below = below.strip()
        plain = top in own or below.casefold() in {"", "response", "open-ended response"}
        name = question if plain else f"{question} [{below}]"
        names.append(name)
        if not plain:
            labels[name] = below
    return names, labels


_TOTALS = "totals?|sum|mean|average|summe|gesamt|mittelwert|合计|总计|平均值?|平均分"
_INSTRUCTED = re.compile(
    r"(please|to show).{0,60}\b(choose|select|tick|mark|click)\b.{0,40}[\"“'«]|bitte.{0,40}(wählen|kreuzen)\b.{0,40}[\"„«]|请(在此题)?选择?.{0,12}[“\"「]|attention[ _-]?(check|item)",
    re.IGNORECASE,
)


def is_attention(name: str, label: str) -> bool:
    """The wording tells which answer to give (``please choose "Disagree"``), so the answer shows attention only."""
    return bool(_INSTRUCTED.search(label) or _INSTRUCTED.search(name))


def seconds(cell: str) -> float:
    """Seconds from ``221``, ``221秒``, ``3分41秒`` or ``00:03:41``; NaN where it is none of these."""
    cell = cell.strip()
    clock = re.fullmatch(r"(?:(\d+)[:时])?(\d+)[:分](\d+)秒?", cell)
    if clock:
        hours, minutes, rest = (float(v or 0) for v in clock.groups())
        return 3600 * hours + 60 * minutes + rest
    number = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(?:秒|s|sec|seconds)?", cell)
    return float(number.group(1)) if number else float("nan")


def check_unique(names: list[str], file: str) -> None:
    """Raise where a name is empty or occurs twice; Excel's and SurveyMonkey's merged heads leave such names."""
    nameless = [i + 1 for i, n in enumerate(names) if n == ""]
    if nameless:
        merged = " (cells of the header that are merged over several columns leave such gaps: unmerge them)"
        raise DataError(f"{file}: column {nameless[0]} has no name. Write one into the first "
                        f"line{merged if len(nameless) > 1 else ''}.")  # fmt: skip
    seen: set[str] = set()
    twice = {n for n in names if n in seen or seen.add(n)}  # type: ignore[func-returns-value]
    if twice:
        raise DataError(f"{file} has column names that occur twice: {', '.join(sorted(twice)[:6])}. Rename them, so "
                        "that each name means one column.")  # fmt: skip
