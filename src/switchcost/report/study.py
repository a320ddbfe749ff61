"""What a study claims, in lines a person can write: ``H1: satisfaction -> loyalty (+)``; and when a claim is supported."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._core import checks
from .._core.errors import DataError

SIGNS = {"+": 1, "-": -1, "\u2212": -1, "": 0, "?": 0}
LINE = re.compile(r"^\s*(?:(?P<name>[^:>]+?)\s*:)?\s*(?P<path>.+?)\s*(?:\((?P<sign>[+\-\u2212?])\))?\s*$")
ARROW, TIMES = re.compile(r"\s*(?:->|\u2192)\s*"), re.compile(r"\s+[x\u00d7*]\s+")

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


def hypothesis(line: str, known: Sequence[str] = (), number: int = 1) -> Hypothesis:
    """Read one line.

    Parameters
    ----------
    line : str
        ``H1: satisfaction -> loyalty (+)``, ``H2: satisfaction -> trust -> loyalty (+)``, or
        ``H3: satisfaction x switching costs -> loyalty (-)``. Without a sign no direction is claimed.
    known : sequence of str
        Constructs and columns; names are compared without case, and a blank is as good as ``_``.
    number : int
        Names a line that has no name of its own.

    Returns
    -------
    Hypothesis

    Raises
    ------
    DataError
        The line cannot be read, or a name is not known.

    Examples
    --------
    >>> h = hypothesis("H3: satisfaction x Switching costs -> loyalty (-)", ["satisfaction", "switching_costs", "loyalty"])
    >>> h.kind, h.names, h.sign
    ('moderation', ('satisfaction', 'switching_costs', 'loyalty'), -1)
    """
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
    names = tuple(_known(n, known, name) for n in ([*product, parts[1]] if len(product) == 2 else parts))
    if len(set(names)) < len(names):
        raise DataError(f"hypothesis {name} goes in a circle: {' -> '.join(names)}")
    kind = "moderation" if len(product) == 2 else "direct" if len(parts) == 2 else "mediation"
    return Hypothesis(name, kind, names, SIGNS[found["sign"] or ""])


def hypotheses(lines: Sequence[str], known: Sequence[str] = ()) -> list[Hypothesis]:
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


def read_study(path: str | Path) -> dict[str, Any]:
    """Read a study file (YAML); see ``python run.py new-study``.

    Returns
    -------
    dict
        ``hypotheses`` and, where given, ``covariates group exclude min_answered title``.

    Raises
    ------
    DataError
        The file cannot be read, is empty, or has a key that means nothing.
    """
    import yaml

    try:
        study = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        raise DataError(f"study file {str(path)!r} cannot be read: {' '.join(str(problem).split())}") from problem
    allowed = ("hypotheses", "covariates", "group", "exclude", "min_answered", "title")
    if not isinstance(study, dict) or not isinstance(study.get("hypotheses"), list) or not study["hypotheses"]:
        raise DataError(f"study file {str(path)!r} needs a list 'hypotheses', such as '- \"H1: satisfaction -> loyalty (+)\"'")  # fmt: skip
    for key in study:
        if key not in allowed:
            raise DataError(f"study file {str(path)!r}: {key!r} means nothing here.{checks.suggest(str(key), allowed)}")
    return {**study, "hypotheses": [str(h) if not isinstance(h, dict) else ": ".join(*h.items()) for h in study["hypotheses"]]}  # fmt: skip


EXAMPLE = """# Names are constructs of the codebook (column construct) or columns of the data.
hypotheses:
  - "H1: satisfaction -> loyalty (+)"
  - "H2: satisfaction -> trust -> loyalty (+)"
  - "H3: satisfaction x switching costs -> loyalty (-)"
covariates: [age]
group: contract            # measurement is compared across it; leave out where there is none
exclude: [duplicated, careless]
min_answered: 0.5          # a scale is scored where at least this share of its items is answered
title: Results
"""


def _known(name: str, known: Sequence[str], where: str) -> str:
    plain = {re.sub(r"[\s_]+", "_", k.strip()).casefold(): k for k in known}
    key = re.sub(r"[\s_]+", "_", name.strip()).casefold()
    if known and key not in plain:
        raise DataError(f"hypothesis {where}: {name!r} is neither a construct of the codebook nor a column of the data.{checks.suggest(name, list(known))}")  # fmt: skip
    return plain.get(key, name.strip())
