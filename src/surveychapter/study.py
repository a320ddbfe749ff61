"""What a study claims, in lines a person can write: ``H1: satisfaction -> loyalty (+)``; and when a claim is supported."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from switchcost.core import checks
from switchcost.core.errors import DataError

from .names import Names
from .yaml_files import read_yaml

SIGNS = {"+": 1, "-": -1, "\u2212": -1, "": 0, "?": 0}
LINE = re.compile(r"^\s*(?:(?P<name>[^:>]+?)\s*:)?\s*(?P<path>.+?)\s*(?:\((?P<sign>[+\-\u2212?])\))?\s*$")
ARROW, TIMES = re.compile(r"\s*(?:[-\u2013\u2014=]+>|\u2192|\u27f6)\s*"), re.compile(r"\s+[xX*]\s+|\s*\u00d7\s*")
TYPED = str.maketrans("：（）＋－　\u201c\u201d\u201e", ":()+-    ")  # as a Chinese keyboard or Word writes them

# The rule of every verdict: the interval of the estimate against zero and the claimed sign.
VERDICTS = {
    "supported": {"en": "supported", "zh": "得到支持"},
    "opposite": {"en": "not supported: differs from zero with the opposite sign", "zh": "未得到支持：显著，但方向与假设相反"},
    "open": {"en": "not supported: the interval contains zero", "zh": "未得到支持：置信区间包含 0"},
    "not tested": {"en": "not tested", "zh": "未检验"},
}  # fmt: skip


@dataclass(frozen=True)
class Hypothesis:
    """One claim. ``kind`` is direct (x -> y), mediation (x -> m -> y) or moderation (x x w -> y)."""

    name: str
    kind: str
    names: tuple[str, ...]  # x, y; or x, m ..., y; or x, w, y
    sign: int  # 1, -1, or 0 where no direction is claimed

    @property
    def text(self) -> str:
        """The claim as it is printed."""
        sign = {1: " (+)", -1: " (\u2212)", 0: ""}[self.sign]
        if self.kind == "moderation":
            x, w, y = self.names
            return f"{x} \u00d7 {w} \u2192 {y}{sign}"
        return " \u2192 ".join(self.names) + sign


def hypothesis(line: str, known: Names | Sequence[str] = (), number: int = 1) -> Hypothesis:
    """Read one line.

    Parameters
    ----------
    line : str
        ``H1: satisfaction -> loyalty (+)``, ``H2: satisfaction -> trust -> loyalty (+)``, or
        ``H3: satisfaction x switching costs -> loyalty (-)``. Without a sign no direction is claimed.
    known : Names or sequence of str
        Constructs and columns; names are compared without case, and a blank is as good as ``_``.
    number : int
        Names a line that has no name of its own.

    Returns
    -------
    Hypothesis

    Raises
    ------
    DataError
        The line cannot be read, or a name is not known or stands for two things.

    Examples
    --------
    >>> h = hypothesis("H3: satisfaction x Switching costs -> loyalty (-)", ["satisfaction", "switching_costs", "loyalty"])
    >>> h.kind, h.names, h.sign
    ('moderation', ('satisfaction', 'switching_costs', 'loyalty'), -1)
    """
    line = line.translate(TYPED).strip()
    found = LINE.match(line)
    parts = ARROW.split(found["path"]) if found else []
    if not found or len(parts) < 2 or not all(parts):
        raise DataError(
            f"hypothesis {line!r} cannot be read: write 'H1: satisfaction -> loyalty (+)', 'H2: a -> m -> y (+)' or 'H3: a x w -> y (-)'"
        )
    name = found["name"] or f"H{number}"
    product = TIMES.split(parts[0])
    if len(product) > 2 or (len(product) == 2 and len(parts) > 2):
        raise DataError(f"hypothesis {name}: a moderation has one product and one outcome, as in 'a x w -> y'")
    names = tuple(
        _known(n, known, f"hypothesis {name}") for n in ([*product, parts[1]] if len(product) == 2 else parts)
    )
    if len(set(names)) < len(names):
        raise DataError(f"hypothesis {name} goes in a circle: {' -> '.join(names)}")
    kind = "moderation" if len(product) == 2 else "direct" if len(parts) == 2 else "mediation"
    return Hypothesis(name, kind, names, SIGNS[found["sign"] or ""])


def hypotheses(lines: Sequence[str], known: Names | Sequence[str] = ()) -> list[Hypothesis]:
    """Read all lines; two of one name, or paths that go in a circle, are errors."""
    read = [hypothesis(line, known, i) for i, line in enumerate(lines, start=1)]
    names = [h.name for h in read]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise DataError(f"two hypotheses are called {', '.join(twice)}; give each a name of its own")
    circle(paths(read))
    return read


def paths(read: Sequence[Hypothesis]) -> dict[str, list[str]]:
    """Outcome -> its predictors in the structural model, moderators included."""
    found: dict[str, list[str]] = {}
    for h in read:
        steps = (
            zip(h.names[:-1], h.names[1:], strict=True)
            if h.kind != "moderation"
            else [(h.names[0], h.names[2]), (h.names[1], h.names[2])]
        )
        for x, y in steps:
            if x not in found.setdefault(y, []):
                found[y].append(x)
    return found


def circle(model: Mapping[str, Sequence[str]]) -> None:
    """Raise when a variable is a cause of itself."""

    def follow(name: str, road: tuple[str, ...]) -> None:
        if name in road:
            raise DataError(f"the hypotheses go in a circle: {' <- '.join([*road[road.index(name) :], name])}")
        for x in model.get(name, ()):
            follow(x, (*road, name))

    for y in model:
        follow(y, ())


def verdict(sign: int, lower: float, upper: float) -> str:
    """The key of :data:`VERDICTS` for an interval; a limit that is exactly zero counts as containing it.

    Examples
    --------
    >>> verdict(1, 0.01, 0.3), verdict(-1, 0.01, 0.3), verdict(1, 0.0, 0.3), verdict(0, -0.3, -0.1)
    ('supported', 'opposite', 'open', 'supported')
    """
    if not lower <= upper:
        return "not tested"
    if lower <= 0 <= upper:
        return "open"
    return "supported" if sign == 0 or (lower > 0) == (sign > 0) else "opposite"


MODEL = (
    "hypotheses", "outcome", "predictors", "moderator", "covariates", "group", "exclude", "method", "efa", "nca", "marker", "simulated",
)  # fmt: skip
SETTINGS = ("title", "min_answered", "language", "seed", "n_boot", "paper")
READING = ("sheet", "sep", "decimal", "thousands", "encoding", "missing", "drop", "keep", "min_seconds", "attention")
ONE, MANY, SHARE, WHOLE, YES = (
    "one name",
    "a name or a list of names",
    "a share between 0 and 1",
    "a whole number",
    "yes or no",
)
KINDS = {
    "outcome": ONE, "predictors": MANY, "moderator": MANY, "covariates": MANY, "group": ONE, "exclude": MANY, "marker": ONE,
    "efa": YES, "nca": YES, "simulated": YES, "title": "a text", "min_answered": SHARE, "seed": WHOLE, "n_boot": WHOLE,
    "method": ("sem", "pls"), "language": ("en", "zh"), "paper": ("A4", "Letter"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Study:
    """A study file: what is claimed, how the chapter is written, how the answers are read.

    Attributes
    ----------
    model : dict
        ``hypotheses`` and roles, as :func:`switchcost.chapter.results_chapter` takes them.
    settings : dict
        Its further options, such as ``title`` and ``language``.
    reading : dict
        Options of :func:`switchcost.read_survey`.
    """

    model: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)


def read_study(path: str | Path) -> Study:
    """Read a study file (YAML); see ``python run.py new-study``.

    Raises
    ------
    DataError
        The file cannot be read, is empty, has a key that means nothing, or a value that its key does not take.
    """
    what = f"study file {Path(path).name!r}"
    study = read_yaml(Path(path), what)
    if not isinstance(study, dict):
        raise DataError(
            f"{what} needs lines such as 'hypotheses:' and below it '- \"H1: satisfaction -> loyalty (+)\"'"
        )
    keys = (*MODEL, *SETTINGS, "read")
    for key, value in study.items():
        if key not in keys:
            raise DataError(
                f"{what}: {key!r} means nothing here.{checks.suggest(str(key), keys)} Keys are: {', '.join(keys)}."
            )
        if key in KINDS and value is not None:
            _check_value(what, key, value)
    given = {k: v for k, v in study.items() if v is not None}
    if "hypotheses" in given:
        given["hypotheses"] = _lines(given["hypotheses"], what)
    if not given.get("hypotheses") and "outcome" not in given:
        raise DataError(f"{what} needs a list 'hypotheses', such as '- \"H1: satisfaction -> loyalty (+)\"', or an "
                        "'outcome' with 'predictors'")  # fmt: skip
    reading = given.get("read", {})
    if not isinstance(reading, dict):
        raise DataError(
            f"{what}: 'read' holds options of the reader, such as 'read: {{sheet: answers, missing: [99]}}'"
        )
    for key in reading:
        if key not in READING:
            raise DataError(f"{what}: 'read' has {key!r}, which is no option of the "
                            f"reader.{checks.suggest(str(key), READING)} Options are: {', '.join(READING)}.")  # fmt: skip
    return Study(
        {k: v for k, v in given.items() if k in MODEL}, {k: v for k, v in given.items() if k in SETTINGS}, dict(reading)
    )


def _check_value(what: str, key: str, value: Any) -> None:
    kind = KINDS[key]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    right = {
        ONE: isinstance(value, str),
        MANY: isinstance(value, str) or isinstance(value, list) and all(isinstance(v, str) for v in value),
        SHARE: number and 0 < value <= 1,
        WHOLE: number and value == int(value),
        YES: isinstance(value, bool),
        "a text": isinstance(value, (str, int, float)),
    }
    fine = right[kind] if isinstance(kind, str) else value in kind
    if fine:
        return
    wanted = f"one of {', '.join(kind)}" if isinstance(kind, tuple) else kind
    quotes = "; a name that YAML takes for yes, no or a number needs quotes" if kind in (ONE, MANY) else ""
    raise DataError(f"{what}: {key!r} takes {wanted}, and holds {value!r}{quotes}")


def _lines(value: Any, what: str) -> list[str]:
    """Hypotheses as a list, as a text with one a line, or as ``H1: a -> b`` below each other."""
    if isinstance(value, str):
        value = [line for line in value.splitlines() if line.strip()]
    if isinstance(value, dict):
        value = [{k: v} for k, v in value.items()]
    if not isinstance(value, list) or not value:
        raise DataError(f"{what} needs a list 'hypotheses', such as '- \"H1: satisfaction -> loyalty (+)\"'")
    out = []
    for line in value:
        if isinstance(line, dict):  # without quotes YAML makes a mapping of "H1: a -> b"
            line = ", ".join(f"{k}: {v}" for k, v in line.items())
        if not isinstance(line, str):
            raise DataError(
                f"{what}: the hypothesis {line!r} is no text; write '- \"H1: satisfaction -> loyalty (+)\"'"
            )
        out.append(line)
    return out


EXAMPLE = """# A study in one file. Names are constructs of the codebook or their labels, columns of the data or their short names.
# What stands behind a # is a remark. Indent with blanks, never with tabs; a text with ": " in it needs quotes.
hypotheses:
  - "H1: satisfaction -> attitudinal (+)"                          # a direct effect
  - "H2: satisfaction -> trust -> attitudinal (+)"                 # mediation: the indirect effect
  - "H3: satisfaction x benefit_loss -> attitudinal (-)"           # moderation: fear of losing benefits weakens it
  - "H4: satisfaction x personal_relationship -> attitudinal"      # a second moderator, without a claimed direction
  - "H5: attitudinal -> recommendation (+)"                        # a further outcome
covariates: [age]          # held constant; a column whose construct is 'group' counts as categories
group: contract            # measurement is compared across it; leave the line out where there is no group
exclude: [duplicated, careless]   # rows that these checks find leave, and the chapter says how many
min_answered: 0.5          # a scale is scored where at least this share of its items is answered
title: Results
# method: pls              # paths by partial least squares
# nca: yes                 # with method pls: necessary conditions of each outcome
# efa: yes                 # an exploratory factor analysis before the confirmatory one
# marker: fashion          # a construct that theory says is unrelated to the others
# language: zh             # Chinese; English when left out
# paper: Letter            # A4 when left out
# read:                    # options of the reader, only where it needs help
#   sheet: answers
#   missing: [99]
#   min_seconds: 60
#   attention: {Q6: 2}
"""


def _known(name: str, known: Names | Sequence[str], where: str) -> str:
    if not isinstance(known, Names):
        known = Names([(k, k, repr(k)) for k in known])
    return known.find(name, where) if known.entries else name.strip()
