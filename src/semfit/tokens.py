"""From the text of a model to tokens and statements; every token knows its line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn, Protocol

import numpy as np

from .errors import ModelSyntaxError

# Longest first: the first that fits is taken.
SYMBOLS = ("~*~", "=~", "<~", "~~", ":=", "==", "<=", ">=", "<-", *"~<>|+-*/^(),:%?=")
GOES_ON = ("+", "*", ",", "-", "/", "^", "(", "=~", "~", "~~", "|", "~*~", ":=", "==")

_ASSIGNMENT = re.compile(r"\s*[\w.]+\s*(<-|=)\s*[frFR]?(['\"])")


@dataclass(frozen=True)
class Token:
    """A piece of the text; ``kind`` is name, number, string, symbol, newline or end."""

    kind: str
    text: str
    line: int
    col: int

    @property
    def width(self) -> int:
        """Characters that it takes in the text."""
        return len(self.text) + 2 * (self.kind == "string")


class Placed(Protocol):
    """Whatever knows where in the text it stands."""

    @property
    def line(self) -> int: ...

    @property
    def col(self) -> int: ...


def fail(token: Placed, message: str) -> NoReturn:
    raise ModelSyntaxError(message, token.line, token.col)


def tokenize(text: str) -> list[Token]:
    """Cut the text into tokens; newlines and ``;`` are tokens because they end statements."""
    assigned = _ASSIGNMENT.match(text)
    if assigned:
        line = text.count("\n", 0, assigned.start(1)) + 1
        col = assigned.start(1) - text.rfind("\n", 0, assigned.start(1))
        raise ModelSyntaxError(
            f"the text begins like an assignment in R or Python (name {assigned[1]} {assigned[2]}...); "
            "hand over only what stands between the quotation marks",
            line,
            col,
        )
    tokens, i, line, start_of_line = [], 0, 1, 0
    while i < len(text):
        ch, col = text[i], i - start_of_line + 1
        if ch in "#!":
            end = text.find("\n", i)
            i = len(text) if end < 0 else end
        elif ch in "\n;":
            tokens.append(Token("newline", ch, line, col))
            i += 1
            if ch == "\n":
                line, start_of_line = line + 1, i
        elif ch.isspace():
            i += 1
        else:
            token = _token(text, i, line, col)
            tokens.append(token)
            i += token.width
    tokens.append(Token("end", "the end of the model", line, i - start_of_line + 1))
    return tokens


def _token(text: str, i: int, line: int, col: int) -> Token:
    """The string, number, name or symbol that begins at position ``i``."""
    ch = text[i]
    if ch in "\"'":
        end = text.find(ch, i + 1)
        if end < 0 or "\n" in text[i:end]:
            raise ModelSyntaxError(f"the quotation mark {ch} is not closed", line, col)
        return Token("string", text[i + 1 : end], line, col)
    if ch.isdigit() or (ch == "." and text[i + 1 : i + 2].isdigit()):
        return _number(text, i, line, col)
    if ch.isalpha() or ch in "._":
        j = i
        while j < len(text) and (text[j].isalnum() or text[j] in "._"):
            j += 1
        return Token("name", text[i:j], line, col)
    symbol = next((s for s in SYMBOLS if text.startswith(s, i)), None)
    if symbol is None:
        raise ModelSyntaxError(
            f"unexpected character {ch!r}; names hold letters, digits, '.' and '_' (rename such columns)", line, col
        )
    return Token("symbol", symbol, line, col)


def _number(text: str, i: int, line: int, col: int) -> Token:
    j = i
    while j < len(text) and (text[j].isdigit() or text[j] in ".eE" or (text[j] in "+-" and text[j - 1] in "eE")):
        j += 1
    try:
        value = float(text[i:j])
    except ValueError:
        raise ModelSyntaxError(f"{text[i:j]!r} is not a number", line, col) from None
    if j < len(text) and (text[j].isalnum() or text[j] == "_"):
        raise ModelSyntaxError(f"a name cannot begin with a digit ({text[i : j + 1]!r}...)", line, col)
    if not np.isfinite(value) or (value == 0 and re.search("[1-9]", re.split("[eE]", text[i:j])[0])):
        raise ModelSyntaxError(f"{text[i:j]!r} is beyond what a number can hold", line, col)
    return Token("number", text[i:j], line, col)


def statements(tokens: list[Token]) -> list[list[Token]]:
    """Group tokens into statements; a line goes on when it ends, or the next begins, with an operator."""
    out: list[list[Token]] = []
    current: list[Token] = []
    depth = 0
    following: list[Token] = [tokens[-1]] * len(tokens)  # the next token that is no line end
    for k in range(len(tokens) - 2, -1, -1):
        after = tokens[k + 1]
        following[k] = following[k + 1] if after.kind == "newline" and after.text == "\n" else after
    for k, token in enumerate(tokens):
        if token.kind not in ("newline", "end"):
            current.append(token)
            depth += (token.text == "(") - (token.text == ")") if token.kind == "symbol" else 0
            continue
        if token.text == "\n" and current:
            last, nxt = current[-1], following[k]
            ends = (last,) if nxt.text == "(" else (last, nxt)  # a line may begin so, as in (a - b)^2 == c
            if depth > 0 or any(t.kind == "symbol" and t.text in GOES_ON for t in ends):
                continue
        if current:
            out.append(current)
        current, depth = [], 0
    return out
