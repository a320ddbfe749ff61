"""The parameter table: from the terms of a model to one row a parameter, with lavaan's defaults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from .checks import suggest
from .errors import DataError
from .syntax import Parsed, Term, parse
from .tokens import fail

EQUAL = (
    "loadings",
    "intercepts",
    "means",
    "residuals",
    "residual.covariances",
    "regressions",
    "lv.variances",
    "lv.covariances",
    "thresholds",
)


@dataclass
class Row:
    """One line of the parameter table; ``fixed`` is None where the parameter is free."""

    lhs: str
    op: str
    rhs: str
    group: int
    user: bool
    fixed: float | None = None
    start: float | None = None
    label: str = ""
    exo: bool = False  # value taken from the sample (fixed.x)
    free: int = -1  # position among the free parameters

    @property
    def known(self) -> float:
        """The value a parameter is fixed at; NaN where it is free."""
        return np.nan if self.fixed is None else float(self.fixed)

    @property
    def name(self) -> str:
        return f"{self.lhs} {self.op} {self.rhs}".strip()


@dataclass(frozen=True)
class Ordered:
    """Ordered variables: their numbers of thresholds, and what is a parameter, residual variances or scales.

    Attributes
    ----------
    thresholds : dict of str to int
    parameterization : str
        ``"delta"`` (scales) or ``"theta"`` (residual variances).
    """

    thresholds: Mapping[str, int]
    parameterization: str = "delta"


@dataclass
class Variables:
    """Names by role, with lavaan's rules."""

    ov: list[str]
    lv: list[str]
    x: list[str]  # exogenous observed, treated as fixed when fixed_x
    lv_x: list[str]
    y: list[str]  # dependent, never a predictor or an indicator
    notes: list[str] = field(default_factory=list)


def variables(parsed: Parsed) -> Variables:
    """Sort the names of a model by role; observed ones in the order lavaan uses."""

    def unique(names):
        return list(dict.fromkeys(names))

    terms, notes = parsed.terms, []
    lv = unique(t.lhs for t in terms if t.op == "=~")
    indicators = unique(t.rhs for t in terms if t.op == "=~")
    eq_y = unique(t.lhs for t in terms if t.op == "~")
    eq_x = unique(t.rhs for t in terms if t.op == "~")
    named = unique(
        [n for t in terms if t.op == "~~" for n in (t.lhs,)]
        + [t.rhs for t in terms if t.op == "~~"]
        + [t.lhs for t in terms if t.op == "~1"]
    )
    ov_ind = [n for n in indicators if n not in lv]
    ov_y = [n for n in eq_y if n not in lv + ov_ind]
    ov_x = [n for n in eq_x if n not in lv + ov_ind + ov_y]
    ov = ov_ind + ov_y + ov_x
    ov += [n for n in named if n not in lv + ov]
    random_x = [n for n in ov_x if n in named]
    if random_x:
        notes.append(
            f"the model writes variances, covariances or intercepts of the predictor(s) {', '.join(random_x)}: "
            "they are estimated like other variables, not taken as fixed"
        )
    _observed_below(terms, lv)
    tops = [n for n in eq_y if n not in indicators + eq_x]
    return Variables(
        ov=ov,
        lv=lv,
        x=[n for n in ov_x if n not in named],
        lv_x=[n for n in lv if n not in indicators + eq_y],
        y=[n for n in lv if n in tops] + [n for n in ov if n in tops],
        notes=notes,
    )


def _observed_below(terms: list[Term], lv: list[str]) -> None:
    """Latents that only measure one another have nothing observed to be known by."""
    known: set[str] = set()
    while True:
        more = {t.lhs for t in terms if t.op == "=~" and (t.rhs not in lv or t.rhs in known)} - known
        if not more:
            break
        known |= more
    unknown = [n for n in lv if n not in known]
    if unknown:
        term = next(t for t in terms if t.op == "=~" and t.lhs == unknown[0])
        fail(term, f"{', '.join(unknown)}: measured by other latents only, none of which has an observed item")


def parameter_table(
    parsed: Parsed,
    groups: int = 1,
    *,
    std_lv: bool = False,
    meanstructure: bool = False,
    fixed_x: bool = True,
    orthogonal: bool = False,
    group_equal: tuple = (),
    group_partial: tuple = (),
    ordered: Ordered | None = None,
) -> tuple[list[Row], Variables]:
    """Rows of the model with lavaan's defaults added, in lavaan's order."""
    var = variables(parsed)
    meanstructure = meanstructure or ordered is not None or any(t.op == "~1" for t in parsed.terms)
    partial = [_partial(p, parsed) for p in group_partial]
    base = [
        *_written(parsed, var, std_lv),
        *_defaults(parsed, var, std_lv, meanstructure, fixed_x, orthogonal, ordered),
    ]
    rows = []
    for g in range(groups):
        for template, term in base:
            row = replace(template, group=g)
            if g > 0 and not row.user and row.lhs in var.lv and _released(row, std_lv, group_equal, partial):
                row.fixed = None
            if g > 0 and not row.user and ordered and "thresholds" in group_equal and _has_scale(row, ordered):
                row.fixed = None
            if term is not None:
                _modify(row, term, groups)
            if groups > 1 and not row.label and not row.exo and _kind(row, var) in group_equal:
                if (row.lhs, row.op, row.rhs) not in partial and (row.rhs, row.op, row.lhs) not in partial:
                    row.label = f"{row.lhs}{row.op}{row.rhs}"
            rows.append(row)
    for k, row in enumerate(r for r in rows if r.fixed is None and not r.exo):
        row.free = k
    return rows, var


def _written(parsed: Parsed, var: Variables, std_lv: bool) -> list[tuple[Row, Term | None]]:
    """Rows that the text writes: the first loading of a latent is its marker, or its variance is 1."""
    out: list[tuple[Row, Term | None]] = []
    marked = set()
    for t in parsed.terms:
        row = Row(t.lhs, t.op, t.rhs, 0, True)
        if t.op == "=~" and not std_lv and t.lhs not in marked:
            row.fixed = 1.0
            marked.add(t.lhs)
        if t.op == "~~" and t.lhs == t.rhs and std_lv and t.lhs in var.lv:
            row.fixed = 1.0
        out.append((row, t))
    return out


def _defaults(
    parsed: Parsed,
    var: Variables,
    std_lv: bool,
    meanstructure: bool,
    fixed_x: bool,
    orthogonal: bool,
    ordered: Ordered | None,
) -> list[tuple[Row, Term | None]]:
    """Rows that lavaan's ``sem()`` adds: variances, covariances of what nothing explains, intercepts."""
    written = {(t.lhs, t.op, t.rhs) for t in parsed.terms}
    written |= {(t.rhs, t.op, t.lhs) for t in parsed.terms if t.op == "~~"}
    out: list[tuple[Row, Term | None]] = []

    def add(lhs: str, op: str, rhs: str = "", fixed: float | None = None, exo: bool = False) -> None:
        if (lhs, op, rhs) not in written:
            out.append((Row(lhs, op, rhs, 0, False, fixed=fixed, exo=exo), None))

    single = _single_items(parsed)
    cut = {} if ordered is None else ordered.thresholds
    for name, number in _thresholds(var, cut):
        add(name, "|", number)
    for n in var.ov:
        if n not in var.x:
            add(n, "~~", n, 1.0 if n in cut else 0.0 if n in single else None)
    for n in var.lv:
        add(n, "~~", n, 1.0 if std_lv else 0.0 if n in single else None)
    for a, b in combinations(var.lv_x, 2):
        add(a, "~~", b, 0.0 if orthogonal else None)
    for a, b in combinations(var.y, 2):
        add(a, "~~", b, 0.0 if orthogonal and a in var.lv and b in var.lv else None)
    for k, a in enumerate(var.x):
        for b in var.x[k:]:
            add(a, "~~", b, exo=fixed_x)
    for n in (n for n in var.ov if n in cut):
        add(n, "~*~", n, 1.0)
    if meanstructure:
        for n in var.ov:
            add(n, "~1", fixed=0.0 if n in cut else None, exo=fixed_x and n in var.x)
        for n in var.lv:
            add(n, "~1", fixed=0.0)
    return out


def _thresholds(var: Variables, cut: Mapping[str, int]) -> list[tuple[str, str]]:
    """Variable and name of every threshold."""
    return [(n, f"t{k + 1}") for n in var.ov for k in range(cut.get(n, 0))]


def _single_items(parsed: Parsed) -> set[str]:
    """What is the only indicator of a latent, and indicates nothing else: its residual variance is 0."""
    loadings = [t for t in parsed.terms if t.op == "=~"]
    count = Counter(t.lhs for t in loadings)
    used = Counter(t.rhs for t in loadings)
    return {t.rhs for t in loadings if count[t.lhs] == 1 and used[t.rhs] == 1}


def _released(row: Row, std_lv: bool, group_equal: tuple, partial: list[tuple[str, str, str]]) -> bool:
    """Latent means are free in later groups once intercepts are equal; fixed variances once loadings are.

    What ``group_partial`` names is released from ``"means"`` and ``"lv.variances"`` as well (lavaan 0.6-14 leaves it
    fixed, unsaid).
    """
    alone = (row.lhs, row.op, row.rhs) in partial
    if row.op == "~1":
        freed = "intercepts" in group_equal or "thresholds" in group_equal
        return freed and (alone or "means" not in group_equal)
    variance = row.op == "~~" and row.lhs == row.rhs
    return variance and std_lv and "loadings" in group_equal and (alone or "lv.variances" not in group_equal)


def _has_scale(row: Row, ordered: Ordered) -> bool:
    """Scales, or residual variances, of ordered variables are free in later groups once thresholds are equal."""
    if row.lhs not in ordered.thresholds or row.lhs != row.rhs:
        return False
    return row.op == ("~*~" if ordered.parameterization == "delta" else "~~")


def _modify(row: Row, term, groups: int) -> None:
    """Apply the user's modifiers for this row's group."""
    for what in ("fixed", "label", "start"):
        values = getattr(term, what)
        if values is None:
            continue
        if len(values) not in (1, groups):
            have = "there is one group" if groups == 1 else f"there are {groups} groups"
            fail(term, f"{row.name!r} has {len(values)} {what} values, and {have}")
        value = values[row.group] if len(values) > 1 else values[0]
        if what == "fixed":
            row.fixed = None if np.isnan(value) else float(value)
            if value and not np.isnan(value) and not 1e-100 < abs(value) < 1e100:
                fail(term, f"{row.name!r} is fixed at {value:g}, which no unit of measurement can need")
        elif what == "label":
            row.label = value
        else:
            row.start = float(value)
            if row.fixed is not None:
                fail(
                    term,
                    f"{row.name!r} is fixed at {row.fixed:g}; free it as well, NA*{row.rhs} + start({value:g})*{row.rhs}",
                )


def _kind(row: Row, var: Variables) -> str:
    """The group_equal word that covers this row."""
    if row.op == "=~":
        return "loadings"
    if row.op == "~":
        return "regressions"
    if row.op in ("|", "~*~"):
        return "thresholds" if row.op == "|" else "scales"
    if row.lhs in var.x:
        return "predictors"  # their moments belong to no word, as in lavaan
    latent = row.lhs in var.lv
    if row.op == "~1":
        return "means" if latent else "intercepts"
    if row.lhs == row.rhs:
        return "lv.variances" if latent else "residuals"
    return "lv.covariances" if latent else "residual.covariances"


def _partial(text: str, parsed: Parsed) -> tuple[str, str, str]:
    """``"f =~ x2"`` or ``"x2 ~ 1"`` as a row key."""
    t = parse(text).terms
    if len(t) != 1:
        raise DataError(f"group_partial takes one parameter an entry, such as 'f =~ x2' or 'x2 ~ 1'; got {text!r}")
    known = {n for s in parsed.terms for n in (s.lhs, s.rhs)}
    for n in (t[0].lhs, "" if t[0].op == "|" else t[0].rhs):
        if n and n not in known:
            raise DataError(f"group_partial {text!r}: {n!r} is not in the model.{suggest(n, known - {''})}")
    return t[0].lhs, t[0].op, t[0].rhs
