"""Reads lavaan model syntax into a list of terms; errors carry the line and the column.

The grammar is Rosseel's (2012, Journal of Statistical Software 48(2), section 3), read strictly: a token that
is not understood is an error, never a guess. Supported::

    f =~ x1 + a*x2 + start(0.5)*x3      measurement      c(a, b)*x   one modifier a group
    y1 + y2 ~ f + x                     regression       NA*x        free although a default fixes it
    x1 ~~ 0*x2                          (co)variance     "my label"*x
    x1 ~ 1 ; f ~ 0.2*1                  intercept        # comment, ! comment
    ab := a*b ; a == 2*b                defined parameter; linear constraint
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, NoReturn

import numpy as np

from .errors import DataError, ModelSyntaxError

OPERATORS = ("=~", "~~", "~", ":=", "==")


_SYMBOLS = (
    "~*~",
    "=~",
    "<~",
    "~~",
    ":=",
    "==",
    "<=",
    ">=",
    "~",
    "<",
    ">",
    "|",
    "+",
    "-",
    "*",
    "/",
    "^",
    "(",
    ")",
    ",",
    ":",
    "%",
    "?",
    "=",
)


_UNSUPPORTED = {
    "<~": "formative latents (<~)",
    "|": "thresholds of ordered variables (|)",
    "~*~": "scaling factors of ordered variables (~*~)",
    "<": "inequality constraints (<)",
    ">": "inequality constraints (>)",
    "<=": "inequality constraints (<=)",
    ">=": "inequality constraints (>=)",
    ":": "interaction terms (x:z)",
    "%": "the % operator",
    "?": "the ? modifier (write start(0.5)*x)",
}


_MENDS = {
    ":": " Make the product a column of the data first, or use semfit.latent_interaction or sc.moderate.",
    "<": " Fit without it and look whether the estimate respects it.",
    ">": " Fit without it and look whether the estimate respects it.",
}


_FUNCTIONS = {"sqrt": np.sqrt, "exp": np.exp, "log": np.log, "abs": lambda z: np.where(np.real(z) < 0, -z, z)}


@dataclass(frozen=True)
class Token:
    kind: str  # name, number, string, symbol, newline, end
    text: str
    line: int
    col: int


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


def fail(token: Token | Term, message: str) -> NoReturn:
    raise ModelSyntaxError(message, token.line, token.col)


def tokenize(text: str) -> list[Token]:
    """Cut the text into tokens; newlines and ``;`` are tokens because they end statements."""
    tokens, i, line, start_of_line = [], 0, 1, 0
    while i < len(text):
        ch, col = text[i], i - start_of_line + 1
        if ch in "#!":
            while i < len(text) and text[i] != "\n":
                i += 1
        elif ch in "\n;":
            tokens.append(Token("newline", ch, line, col))
            i += 1
            if ch == "\n":
                line, start_of_line = line + 1, i
        elif ch.isspace():
            i += 1
        elif ch in "\"'":
            end = text.find(ch, i + 1)
            if end < 0 or "\n" in text[i:end]:
                raise ModelSyntaxError(f"the quotation mark {ch} is not closed", line, col)
            tokens.append(Token("string", text[i + 1 : end], line, col))
            i = end + 1
        elif ch.isdigit() or (ch == "." and text[i + 1 : i + 2].isdigit()):
            j = i
            while j < len(text) and (
                text[j].isdigit() or text[j] in ".eE" or (text[j] in "+-" and text[j - 1] in "eE")
            ):
                j += 1
            try:
                float(text[i:j])
            except ValueError:
                raise ModelSyntaxError(f"{text[i:j]!r} is not a number", line, col) from None
            if j < len(text) and (text[j].isalnum() or text[j] == "_"):
                raise ModelSyntaxError(f"a name cannot begin with a digit ({text[i : j + 1]!r}...)", line, col)
            tokens.append(Token("number", text[i:j], line, col))
            i = j
        elif ch.isalpha() or ch in "._":
            j = i
            while j < len(text) and (text[j].isalnum() or text[j] in "._"):
                j += 1
            tokens.append(Token("name", text[i:j], line, col))
            i = j
        else:
            symbol = next((s for s in _SYMBOLS if text.startswith(s, i)), None)
            if symbol is None:
                raise ModelSyntaxError(f"unexpected character {ch!r}", line, col)
            tokens.append(Token("symbol", symbol, line, col))
            i += len(symbol)
    tokens.append(Token("end", "the end of the model", line, i - start_of_line + 1))
    return tokens


def statements(tokens: list[Token]) -> list[list[Token]]:
    """Group tokens into statements; a line goes on when it ends, or the next begins, with an operator."""
    out, current, depth = [], [], 0
    goes_on = ("+", "*", ",", "-", "/", "^", "(", "=~", "~", "~~", ":=", "==")
    for k, token in enumerate(tokens):
        if token.kind not in ("newline", "end"):
            current.append(token)
            depth += (token.text == "(") - (token.text == ")") if token.kind == "symbol" else 0
            continue
        if token.text == "\n" and current:
            following = next((t for t in tokens[k + 1 :] if t.text != "\n" or t.kind != "newline"), token)
            if current[-1].kind == "symbol" and (current[-1].text in goes_on or depth > 0):
                continue
            if depth > 0 or (following.kind == "symbol" and following.text in goes_on):
                continue
        if current:
            out.append(current)
        current, depth = [], 0
    return out


def parse(text: str) -> Parsed:
    """Parse a model text; raises ValueError with line and column."""
    if not isinstance(text, str):
        raise DataError(f"the model must be a text in lavaan syntax, and is a {type(text).__name__}")
    parsed, seen = Parsed(), {}
    for tokens in statements(tokenize(text)):
        for t in tokens:
            if t.kind == "symbol" and t.text in _UNSUPPORTED:
                fail(t, f"{_UNSUPPORTED[t.text]} are not supported.{_MENDS.get(t.text, '')}")
            if t.kind == "symbol" and t.text == "=":
                fail(t, "a single '=' means nothing here; write =~ (measured by), ~ (regressed on), == or :=")
        at = [k for k, t in enumerate(tokens) if t.kind == "symbol" and t.text in OPERATORS]
        if not at:
            if len(tokens) > 1 and tokens[1].text == ":" or tokens[0].text in ("level", "group", "block"):
                fail(tokens[0], f"blocks ({tokens[0].text}:) are not supported")
            fail(tokens[0], f"no operator (=~ ~ ~~ := ==) in the statement that begins with {tokens[0].text!r}")
        if len(at) > 1:
            fail(tokens[at[1]], f"a second operator {tokens[at[1]].text!r} in one statement; begin a new line")
        op, left, right = tokens[at[0]], tokens[: at[0]], tokens[at[0] + 1 :]
        if not left:
            fail(op, f"nothing stands to the left of {op.text!r}")
        if not right:
            fail(op, f"nothing stands to the right of {op.text!r}")
        if op.text == ":=":
            if len(left) != 1 or left[0].kind != "name":
                fail(left[0], "the left side of := must be one new name")
            if left[0].text in [d[0] for d in parsed.defined]:
                fail(left[0], f"{left[0].text!r} is defined twice")
            parsed.defined.append(Definition(left[0].text, Expression(right), left[0]))
        elif op.text == "==":
            parsed.constraints.append(Constraint(Expression(left), Expression(right), op))
        else:
            _formula(parsed, seen, left, op, right)
    if not parsed.terms:
        raise ModelSyntaxError("the model is empty: write at least one formula, such as  f =~ x1 + x2 + x3")
    return parsed


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
            if lhs.text == rhs and kind != "~~":
                fail(name, f"{rhs!r} cannot stand on both sides of {kind}")
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


def _split(tokens: list[Token]) -> list[list[Token]]:
    parts, depth = [[]], 0
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
    values, labels, numbers, sign, expect = [], 0, 0, 1.0, True
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


class Expression:
    """Arithmetic over labels (``+ - * / ^``, parentheses, sqrt exp log abs), parsed here rather than by ``eval``."""

    def __init__(self, tokens: list[Token]):
        self.text = "".join(t.text for t in tokens)
        self._tokens, self._k = tokens, 0
        self.tree = self._sum()
        if self._k < len(tokens):
            fail(tokens[self._k], f"{tokens[self._k].text!r} is not expected in the expression {self.text!r}")
        self.labels = {t.text: t for t in tokens if t.kind == "name" and t.text not in _FUNCTIONS}
        del self._tokens, self._k

    def _peek(self) -> str:
        ok = self._k < len(self._tokens) and self._tokens[self._k].kind == "symbol"
        return self._tokens[self._k].text if ok else ""

    def _sum(self):
        left = self._product()
        while self._peek() in ("+", "-"):
            op = self._take().text
            left = (op, left, self._product())
        return left

    def _product(self):
        left = self._unary()
        while self._peek() in ("*", "/"):
            op = self._take().text
            left = (op, left, self._unary())
        return left

    def _unary(self):
        if self._peek() in ("+", "-"):
            op = self._take().text
            inner = self._unary()
            return ("-", 0.0, inner) if op == "-" else inner
        return self._power()

    def _power(self):
        base = self._atom()
        if self._peek() == "^":
            self._take()
            return ("^", base, self._unary())
        return base

    def _take(self) -> Token:
        if self._k >= len(self._tokens):
            fail(self._tokens[-1], f"the expression {self.text!r} is not complete")
        self._k += 1
        return self._tokens[self._k - 1]

    def _atom(self):
        t = self._take()
        if t.kind == "number":
            return float(t.text)
        if t.kind == "name" and self._peek() == "(":
            if t.text not in _FUNCTIONS:
                fail(t, f"unknown function {t.text!r}; sqrt, exp, log and abs are known")
            self._take()
            inner = self._sum()
            self._close(t)
            return (t.text, inner)
        if t.kind == "name":
            return t.text
        if t.text == "(":
            inner = self._sum()
            self._close(t)
            return inner
        fail(t, f"{t.text!r} is not expected in the expression {self.text!r}")

    def _close(self, opened: Token) -> None:
        if self._peek() != ")":
            fail(opened, "a parenthesis is not closed")
        self._take()

    def value(self, values: dict):
        """Evaluate with numbers or arrays (real or complex) for the labels."""

        def run(node):
            if isinstance(node, float):
                return node
            if isinstance(node, str):
                return values[node]
            if len(node) == 2:
                return _FUNCTIONS[node[0]](run(node[1]))
            a, b = run(node[1]), run(node[2])
            if node[0] == "^":
                return a ** (int(b) if isinstance(b, float) and b.is_integer() else b)
            return {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[node[0]](a, b)

        return run(self.tree)

    def linear(self, known: dict[str, tuple[dict, float]]) -> tuple[dict, float] | None:
        """The expression as coefficients and constant over labels, or None when it is not linear in them.

        ``known`` maps each label to its own linear form, so that defined parameters can stand in constraints.
        """

        def run(node):
            if isinstance(node, float):
                return {}, node
            if isinstance(node, str):
                return known.get(node)
            parts = [run(n) for n in node[1:]]
            if any(p is None for p in parts):
                return None
            if all(not p[0] for p in parts):
                return {}, float(Expression.value(_Tree((node[0], *[p[1] for p in parts])), {}))
            if len(parts) == 1 or node[0] == "^":
                return None
            (ca, a), (cb, b) = parts
            if node[0] in "+-":
                s = 1.0 if node[0] == "+" else -1.0
                return {k: ca.get(k, 0.0) + s * cb.get(k, 0.0) for k in {**ca, **cb}}, a + s * b
            if node[0] == "*" and not (ca and cb):
                f, (c, const) = (a, parts[1]) if not ca else (b, parts[0])
                return {k: f * v for k, v in c.items()}, f * const
            if node[0] == "/" and not cb:
                return {k: v / b for k, v in ca.items()}, a / b
            return None

        return run(self.tree)


@dataclass
class _Tree:
    tree: object
