"""Arithmetic over labels, for defined parameters (``:=``) and constraints (``==``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .tokens import Token, fail

Tree = float | str | tuple  # a number, a label, or (operation, part, part)
Form = tuple[dict[int, float], float]  # coefficients by free parameter, constant

LONGEST, DEEPEST = 800, 50  # parts and levels of an expression; more would exhaust the stack

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "abs": lambda z: np.where(np.real(z) < 0, -z, z),
}
_OPERATIONS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


class Expression:
    """Arithmetic over labels (``+ - * / ^``, parentheses, sqrt exp log abs), parsed here rather than by ``eval``."""

    def __init__(self, tokens: list[Token]):
        self.text = "".join(t.text for t in tokens)
        if len(tokens) > LONGEST:
            fail(
                tokens[0],
                f"the expression has {len(tokens)} parts, and at most {LONGEST} are read; define steps with :=",
            )
        self._tokens, self._k, self._depth = tokens, 0, 0
        self.tree = self._sum()
        if self._k < len(tokens):
            fail(tokens[self._k], f"{tokens[self._k].text!r} is not expected in the expression {self.text!r}")
        self.labels = {t.text: t for t in tokens if t.kind == "name" and t.text not in _FUNCTIONS}
        del self._tokens, self._k, self._depth

    def _node(self, op: str, *parts):
        """A node of the tree; one of numbers alone is worked out, and must be a number."""
        here = self._tokens[self._k - 1]
        if op == "/" and parts[1] == 0.0:
            fail(here, f"division by zero in {self.text!r}")
        if not all(isinstance(p, float) for p in parts):
            return (op, *parts)
        with np.errstate(all="ignore"):
            value = complex(evaluate((op, *parts), {}))
        if value.imag or not np.isfinite(value.real):
            fail(here, f"the numbers in {self.text!r} give no finite number")
        return value.real

    def _peek(self) -> str:
        ok = self._k < len(self._tokens) and self._tokens[self._k].kind == "symbol"
        return self._tokens[self._k].text if ok else ""

    def _sum(self):
        left = self._product()
        while self._peek() in ("+", "-"):
            op = self._take().text
            left = self._node(op, left, self._product())
        return left

    def _product(self):
        left = self._unary()
        while self._peek() in ("*", "/"):
            op = self._take().text
            left = self._node(op, left, self._unary())
        return left

    def _unary(self):
        self._depth += 1
        if self._depth > DEEPEST:
            fail(self._tokens[min(self._k, len(self._tokens) - 1)], f"more than {DEEPEST} signs and parentheses deep")
        if self._peek() in ("+", "-"):
            op = self._take().text
            inner = self._unary()
            out = self._node("-", 0.0, inner) if op == "-" else inner
        else:
            out = self._power()
        self._depth -= 1
        return out

    def _power(self):
        base = self._atom()
        if self._peek() == "^":
            self._take()
            return self._node("^", base, self._unary())
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
            return self._node(t.text, inner)
        if t.kind == "name":
            if t.text in _FUNCTIONS:
                fail(t, f"{t.text!r} is a function and needs an argument in parentheses, such as {t.text}(a)")
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

    def value(self, values: Mapping[str, Any]):
        """Evaluate with numbers or arrays (real or complex) for the labels."""
        return evaluate(self.tree, values)

    def linear(self, known: Mapping[str, Form | None]) -> Form | None:
        """The expression as coefficients and constant over labels, or None when it is not linear in them.

        ``known`` maps each label to its own linear form, so that defined parameters can stand in constraints.
        """
        return _linear(self.tree, known)


def evaluate(node: Tree, values: Mapping[str, Any]):
    """Value of a tree with numbers or arrays for its labels."""
    if isinstance(node, float):
        return node
    if isinstance(node, str):
        return values[node]
    if len(node) == 2:
        return _FUNCTIONS[node[0]](evaluate(node[1], values))
    a, b = evaluate(node[1], values), evaluate(node[2], values)
    if node[0] == "^":
        whole = isinstance(b, float) and b.is_integer() and abs(b) < 1000
        return np.power(np.asarray(a)[()], int(b) if whole and (b >= 0 or not isinstance(a, float)) else b)
    return _OPERATIONS[node[0]](a, b)


def _linear(node: Tree, known: Mapping[str, Form | None]) -> Form | None:
    if isinstance(node, float):
        return {}, node
    if isinstance(node, str):
        return known.get(node)
    parts = [_linear(n, known) for n in node[1:]]
    forms = [p for p in parts if p is not None]
    if len(forms) < len(parts):
        return None
    if all(not coefficients for coefficients, _ in forms):
        with np.errstate(all="ignore"):
            return {}, float(evaluate((node[0], *[constant for _, constant in forms]), {}))
    if len(forms) == 1:
        return None
    return _combined(node[0], *forms)


def _combined(op: str, left: Form, right: Form) -> Form | None:
    """Two linear forms under + - * /, or None when the result is not linear."""
    (ca, a), (cb, b) = left, right
    if op in "+-":
        s = 1.0 if op == "+" else -1.0
        return {k: ca.get(k, 0.0) + s * cb.get(k, 0.0) for k in {**ca, **cb}}, a + s * b
    if op == "*" and not (ca and cb):
        f, (c, const) = (a, right) if not ca else (b, left)
        return {k: f * v for k, v in c.items()}, f * const
    if op == "/" and not cb and b:
        return {k: v / b for k, v in ca.items()}, a / b
    return None
