"""Exports of survey platforms, recognised by the shape of their headers: one line a platform in a table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .._core.errors import DataError


@dataclass(frozen=True)
class Platform:
    """How a platform's export is recognised and what its own columns are.

    Attributes
    ----------
    name : str
    signature : tuple of str
        Column names, without case, that only this platform writes together.
    own : frozenset of str
        Further columns that describe the record and are no answers.
    headers : int
        Lines of header.
    preview, unfinished : (column, pattern) or None
        Records whose cell matches leave; an absent column leaves nobody.
    gaps : frozenset of str
        Codes that mean that a question was not asked or left blank.
    """

    name: str
    signature: tuple[str, ...]
    own: frozenset[str] = frozenset()
    headers: int = 1
    preview: tuple[str, str] | None = None
    unfinished: tuple[str, str] | None = None
    seconds: str = ""
    gaps: frozenset[str] = frozenset()


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


_PERSON = "email|email address|e-mail-adresse|username|nutzername|name|first name|last name|ip address"
PLATFORMS = (
    Platform(
        "Qualtrics",
        ("startdate", "enddate", "responseid"),
        _names("status|ipaddress|progress|duration (in seconds)|finished|recordeddate|recipientlastname|recipientfirstname|recipientemail|externalreference|externaldatareference|locationlatitude|locationlongitude|distributionchannel|userlanguage|q_recaptchascore|q_relevantidduplicate|q_relevantidfraudscore"),
        2,
        ("status", r".*(preview|test|spam).*|1|2|8|9|12"),
        ("finished", r"false|0|falsch|no"),
        "duration (in seconds)",
        frozenset({"-99"}),
    ),
    Platform(
        "SurveyMonkey",
        ("respondent id", "collector id"),
        _names("start date|end date|date created|date modified|ip address|email address|first name|last name|custom data 1|custom data"),
        2,
    ),
    Platform(
        "LimeSurvey",
        ("submitdate", "lastpage", "startlanguage"),
        _names("id|seed|startdate|datestamp|ipaddr|refurl|token|interviewtime|groupname"),
        unfinished=("submitdate", r"|n/a|1980-01-01.*"),
        seconds="interviewtime",
    ),
    Platform(
        "LimeSurvey",
        ("response id", "date submitted", "last page"),
        _names("start language|seed|date started|date last action|ip address|referrer url|access code|total time"),
        unfinished=("date submitted", r"|n/a|1980-01-01.*"),
        seconds="total time",
    ),
    Platform(
        "wjx 问卷星",
        ("序号", "提交答卷时间"),
        _names("所用时间|来源|来源详情|来自ip|总分|答题者昵称|用户id"),
        seconds="所用时间",
        gaps=frozenset({"-3", "-2", "(跳过)", "(空)", "（跳过）", "（空）"}),
    ),
    Platform("Tally", ("submission id", "respondent id", "submitted at")),
    Platform("Typeform", ("#", "submit date (utc)"), _names("start date (utc)|network id|response type|tags|stage date (utc)|ending")),
    Platform("Microsoft Forms", ("id", "start time", "completion time"), _names(f"last modified time|language|{_PERSON}")),
    Platform("Google Forms", ("timestamp",), _names(f"score|{_PERSON}")),
    Platform("Google Forms", ("zeitstempel",), _names(f"punkte|{_PERSON}")),
    Platform("Google Forms", ("marca temporal",), _names(f"puntuación|{_PERSON}")),
    Platform("Google Forms", ("时间戳记",), _names(f"分数|{_PERSON}")),
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

    def column(self, name: str) -> str | None:
        """The file's own spelling of a platform column."""
        return next((n for n in self.own if short(n) == name), None)


def short(name: str) -> str:
    """A header without case and without LimeSurvey's code in front of it."""
    return re.sub(r"^(\w+)\. .*", r"\1", name.strip()).casefold()


def recognise(lines: list[list[str]], file: str) -> Export:
    """Take the lines of a table apart into header and records.

    Raises
    ------
    DataError
        A platform's second line of header is missing.
    """
    names = [cell.strip() for cell in lines[0]]
    known = {short(n) for n in names}
    platform = next((p for p in PLATFORMS if set(p.signature) <= known), None)
    if platform is None or (platform.name == "Google Forms" and short(names[0]) != platform.signature[0]):
        return Export(names, {}, lines[1:])
    own = tuple(n for n in names if short(n) in {*platform.signature, *platform.own})
    labels, rows, notes = {}, lines[1:], []
    if platform.name == "Qualtrics":
        marked = next((k for k, row in enumerate(rows[:3]) if sum('"ImportId"' in c for c in row) > len(row) / 2), None)
        headers = 0 if marked is None else marked + 1
        if marked is None and rows and short(rows[0][names.index(own[0])]) in {short(own[0]), "start date"}:
            headers = 1
        if headers:
            labels = {n: c.strip() for n, c in zip(names, rows[0], strict=True) if c.strip() and c.strip() != n}
            rows = rows[headers:]
            notes.append(
                f"lines 2 to {headers + 1} are further headers" if headers > 1 else "line 2 is a further header"
            )
    elif platform.name == "SurveyMonkey" and rows and not rows[0][names.index(own[0])].strip():
        names, labels = _two_lines(names, rows[0], own)
        rows = rows[1:]
        notes.append("line 2 is a further header")
    elif platform.name == "LimeSurvey":
        labels = {n: re.sub(r"^[^.]{1,40}\. ", "", n) for n in names if n not in own and ". " in n}
    return Export(names, labels, rows, platform, own, notes)


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
        raise DataError(f"{file}: column {nameless[0]} has no name. Write one into the first line.")
    seen: set[str] = set()
    twice = {n for n in names if n in seen or seen.add(n)}  # type: ignore[func-returns-value]
    if twice:
        raise DataError(
            f"{file} has column names that occur twice: {', '.join(sorted(twice)[:6])}. Rename them, so that each name means one column."
        )
