"""Reads lavaan model syntax into a list of terms; errors carry the line and the column.

The grammar is Rosseel's (2012, Journal of Statistical Software 48(2), section 3), read strictly: a token that
is not understood is an error, never a guess. Supported::

    f =~ x1 + a*x2 + start(0.5)*x3      measurement      c(a, b)*x   one modifier a group
    y1 + y2 ~ f + x                     regression       NA*x        free although a default fixes it
    x1 ~~ 0*x2                          (co)variance     "my label"*x
    x1 ~ 1 ; f ~ 0.2*1                  intercept        # comment, ! comment
    ab := a*b ; a == 2*b ; c == a*b     defined parameter; constraints
    x1 | t1 + 0.5*t2 ; x1 ~*~ 1*x1      thresholds and scale of an ordered variable
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from .errors import DataError, ModelSyntaxError
from .expression import Expression
from .tokens import Token, fail, statements, tokenize

OPERATORS = ("=~", "~~", "~*~", "~", "|", ":=", "==")

_THRESHOLD = re.compile(r"t[1-9]\d*")
_INEQUALITY = "inequality constraints ({}) are not supported. Fit without it and look whether the estimate respects it."
_UNSUPPORTED = {
    "<~": "formative latents (<~) are not supported.",
    "<": _INEQUALITY.format("<"),
    ">": _INEQUALITY.format(">"),
    "<=": _INEQUALITY.format("<="),
    ">=": _INEQUALITY.format(">="),
    "<-": "an assignment (<-) is R, not model syntax; hand over only what stands between the quotation marks.",
    ":": "interaction terms (x:z) are not supported. Make the product a column of the data first, or use "
    "semfit.latent_interaction or sc.moderate.",
    "%": "the % operator is not supported.",
    "?": "the ? modifier is not supported; a starting value is written start(0.5)*x.",
    "=": "a single '=' means nothing here; write =~ (measured by), ~ (regressed on), == or :=",
}
_GROUPS = (
    "blocks ({}:) are not supported; write one model for all groups, with one modifier a group as in c(a, b)*x, and "
)
_BLOCKS = {
    "group": _GROUPS.format("group") + "name the column with group=",
    "block": _GROUPS.format("block") + "name the column with group=",
    "class": "blocks (class:) are not supported; mixtures of classes cannot be fitted",
    "level": "blocks (level:) are not supported; models of two levels cannot be fitted",
}


@dataclass
class Term:
    """One parameter as the user wrote it; ``fixed``, ``label`` and ``start`` hold one value a group, or one for all."""

    lhs: str
    op: str
    rhs: str
    line: int
    col: int
    fixed: list | None = None
    label: list | None = None
    start: list | None = None


class Definition(NamedTuple):
    """``name := expression``; the token says where it stands."""

    name: str
    expression: Expression
    token: Token


class Constraint(NamedTuple):
    """``left == right``."""

    left: Expression
    right: Expression
    token: Token


@dataclass
class Parsed:
    """What a model text says."""

    terms: list[Term] = field(default_factory=list)
    defined: list[Definition] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)


def parse(text: str) -> Parsed:
    """Parse a model text; raises ModelSyntaxError with line and column."""
    if not isinstance(text, str):
        raise DataError(f"the model must be a text in lavaan syntax or a ModelSpec, and is a {type(text).__name__}")
    parsed: Parsed = Parsed()
    seen: dict[tuple[str, str, str], Term] = {}
    for tokens in statements(tokenize(text)):
        left, op, right = _sides(tokens)
        if op.text == ":=":
            if len(left) != 1 or left[0].kind != "name":
                fail(left[0], "the left side of := must be one new name")
            if left[0].text in [d.name for d in parsed.defined]:
                fail(left[0], f"{left[0].text!r} is defined twice")
            parsed.defined.append(Definition(left[0].text, Expression(right), left[0]))
        elif op.text == "==":
            parsed.constraints.append(Constraint(Expression(left), Expression(right), op))
        else:
            _formula(parsed, seen, left, op, right)
    if not parsed.terms:
        raise ModelSyntaxError("the model is empty: write at least one formula, such as  f =~ x1 + x2 + x3")
    return parsed


def _sides(tokens: list[Token]) -> tuple[list[Token], Token, list[Token]]:
    """Left side, operator and right side of a statement, after what is not supported was named."""
    first = tokens[0]
    if first.text.lower() in _BLOCKS and (len(tokens) == 1 or tokens[1].text == ":"):
        fail(first, _BLOCKS[first.text.lower()])
    if first.text == "efa" and len(tokens) > 1 and tokens[1].text == "(":
        fail(
            first,
            "exploratory factors inside a model (efa()*f) are not supported, and other modifiers belong on the right; explore "
            "first, then write the loadings that you found",
        )
    for t in tokens:
        if t.kind == "symbol" and t.text in _UNSUPPORTED:
            fail(t, _UNSUPPORTED[t.text])
    at = [k for k, t in enumerate(tokens) if t.kind == "symbol" and t.text in OPERATORS]
    if not at:
        fail(first, f"no operator (=~ ~ ~~ := ==) in the statement that begins with {first.text!r}")
    if len(at) > 1:
        fail(tokens[at[1]], f"a second operator {tokens[at[1]].text!r} in one statement; begin a new line")
    op, left, right = tokens[at[0]], tokens[: at[0]], tokens[at[0] + 1 :]
    if not left:
        fail(op, f"nothing stands to the left of {op.text!r}")
    if not right:
        fail(op, f"nothing stands to the right of {op.text!r}")
    return left, op, right


def _formula(parsed: Parsed, seen: dict, left: list, op: Token, right: list) -> None:
    names = []
    for k, t in enumerate(left):
        if k % 2 == 0 and t.kind == "name":
            names.append(t)
        elif k % 2 == 1 and t.text == "+" and k + 1 < len(left):
            continue
        elif t.text in ("*", "("):
            fail(t, f"modifiers belong on the right of {op.text}, not on its left")
        else:
            fail(t, f"{t.text!r} is not expected left of {op.text}; names joined by + are")
    within: dict = {}
    for term in _split(right):
        modifiers, name = _term(term)
        intercept = name.kind == "number"
        if intercept and op.text != "~":
            fail(name, f"a number cannot stand right of {op.text}; a variable must follow")
        for lhs in names:
            rhs = "" if intercept else name.text
            kind = "~1" if intercept else op.text
            _allowed(kind, lhs, rhs, name)
            key = (lhs.text, kind, rhs)
            mirror = (rhs, kind, lhs.text) if kind == "~~" else key
            if key in seen or mirror in seen:
                fail(
                    name,
                    f"'{lhs.text} {kind} {rhs}' was already written in line {(seen.get(key) or seen[mirror]).line}",
                )
            new = Term(*key, name.line, name.col)
            if key in within:
                if not modifiers or all(getattr(within[key], m) is None for m in ("fixed", "label", "start")):
                    fail(name, f"'{lhs.text} {kind} {rhs}' is written twice")
                new = within[key]
            for what, value, token in modifiers:
                if getattr(new, what) is not None:
                    fail(token, f"{rhs or 'the intercept'!r} already has a {what} modifier")
                setattr(new, what, value)
            within[key] = new
    seen.update(within)
    place = {t.text: k for k, t in reversed(list(enumerate(names)))}
    parsed.terms.extend(sorted(within.values(), key=lambda t: place[t.lhs]))  # all terms of a left side together


def _allowed(kind: str, lhs: Token, rhs: str, name: Token) -> None:
    """Who may stand on the two sides of an operator."""
    if kind == "~*~" and lhs.text != rhs:
        fail(name, f"~*~ is the scale of one ordered variable: write {lhs.text} ~*~ {lhs.text}")
    if kind == "|" and not _THRESHOLD.fullmatch(rhs):
        fail(name, f"the thresholds of {lhs.text} are t1, t2, ...; {rhs!r} is none")
    if lhs.text == rhs and kind not in ("~~", "~*~"):
        fail(name, f"{rhs!r} cannot stand on both sides of {kind}")


def _split(tokens: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0
    for t in tokens:
        depth += (t.text == "(") - (t.text == ")") if t.kind == "symbol" else 0
        if t.kind == "symbol" and t.text == "+" and depth == 0:
            if not parts[-1]:
                fail(t, "'+' with nothing before it")
            parts.append([])
        else:
            parts[-1].append(t)
    if not parts[-1]:
        fail(tokens[-1], "the formula ends with '+': a variable must follow")
    if depth:
        fail(tokens[-1], "a parenthesis is not closed" if depth > 0 else "a parenthesis too many")
    return parts


def _term(tokens: list[Token]) -> tuple[list, Token]:
    """``mod*mod*variable`` -> ([(kind, values, token), ...], variable token)."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    for t in tokens:
        depth += (t.text == "(") - (t.text == ")") if t.kind == "symbol" else 0
        if t.kind == "symbol" and t.text == "*" and depth == 0:
            pieces.append([])
        else:
            pieces[-1].append(t)
    last = pieces[-1]
    if not last:
        fail(tokens[-1], "'*' must be followed by a variable")
    if len(last) > 1:
        fail(
            last[1],
            f"{last[1].text!r} is not expected after {last[0].text!r}; is a '+', a '*' or a new line missing?",
        )
    name = last[0]
    if name.kind == "number" and float(name.text) != 1:
        fail(name, f"{name.text!r} is not a variable (an intercept is written ~ 1; a fixed value 0.5*x)")
    if name.kind not in ("name", "number"):
        fail(name, f"a variable was expected, and {name.text!r} found")
    if name.text == "NA":
        fail(name, "NA is not a variable; free a parameter with NA*x")
    return [_modifier(p, name) for p in pieces[:-1]], name


def _modifier(piece: list[Token], name: Token) -> tuple[str, list, Token]:
    if not piece:
        fail(name, "'*' with nothing before it")
    head = piece[0]
    if head.kind == "name" and len(piece) > 1 and piece[1].text == "(":
        if piece[-1].text != ")":
            fail(piece[-1], f"{piece[-1].text!r} is not expected after {head.text}(...)")
        inner = piece[2:-1]
        if head.text == "c":
            return _vector(inner, head)
        if head.text == "start":
            if inner and inner[0].text == "c" and len(inner) > 1:
                inner = inner[2:-1]
            kind, values, _ = _vector(inner, head)
            if kind != "fixed" or any(np.isnan(v) for v in values):
                fail(head, "start() takes numbers, such as start(0.5)")
            return "start", values, head
        if head.text == "label":
            kind, values, _ = _vector(inner, head)
            return "label", [str(v) for v in values], head
        fail(head, f"the modifier {head.text}() is not supported; numbers, labels, NA, c() and start() are")
    return _vector(piece, head)


def _vector(tokens: list[Token], head: Token) -> tuple[str, list, Token]:
    """Numbers and NA give ('fixed', floats with NaN for NA); names and strings give ('label', texts)."""
    values: list[float | str] = []
    labels, numbers, sign, expect = 0, 0, 1.0, True
    for t in tokens:
        if t.kind == "symbol" and t.text == "," and not expect:
            expect = True
        elif t.kind == "symbol" and t.text in "+-" and expect and sign == 1.0:
            sign = -1.0 if t.text == "-" else 1.0
        elif expect and t.kind == "number":
            values.append(sign * float(t.text))
            sign, expect, numbers = 1.0, False, numbers + 1
        elif expect and t.kind in ("name", "string") and sign == 1.0:
            is_na = t.text == "NA" and t.kind == "name"
            values.append(np.nan if is_na else t.text)
            labels, expect = labels + (not is_na), False
        else:
            fail(
                t,
                f"{t.text!r} is not expected in a modifier; write a number, a label, NA, c(...) or start(...)",
            )
    if expect:
        fail(head, "a modifier is empty or ends with a comma")
    if labels and numbers:
        fail(
            head,
            "a modifier mixes labels and numbers; write two: c(0, NA)*x + c('', m)*x fixes the first group and "
            "labels the second",
        )
    if labels:
        return "label", ["" if v != v else v for v in values], head
    return "fixed", values, head
