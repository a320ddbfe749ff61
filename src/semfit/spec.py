"""A model as terms that can be added, dropped, fixed and freed; the text follows, with its comments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .arguments import TEXT, checked, shown
from .checks import suggest
from .errors import DataError
from .syntax import Parsed, Term, parse
from .tokens import Token, statements, tokenize

Value = float | Sequence[float] | None
Label = str | Sequence[str] | None


@dataclass(frozen=True)
class ModelSpec:
    """A structural equation model in lavaan syntax, edited as terms and never as text.

    Every method returns a new model; this one stays as it is. Statements that are not touched keep their text,
    comments and ``;`` included. Wherever a model text is taken, a ModelSpec is.

    Parameters
    ----------
    text : str or ModelSpec
        The model in lavaan syntax.

    Attributes
    ----------
    text : str
        The model as text.
    parsed : Parsed
        The same as terms, definitions and constraints.

    Raises
    ------
    ModelSyntaxError
        The text, or what an edit makes of it, cannot be read.
    DataError
        A term to drop is not in the model.

    Examples
    --------
    >>> spec = ModelSpec("f =~ x1 + a*x2 + x3; f ~~ g   # to be tested\\ng =~ y1 + y2 + y3")
    >>> print(spec.drop("g", "~~", "f").add("g", "~", "f", label="b").fix("f", "=~", "x3", 1).text)
    f =~ x1 + a*x2 + 1*x3; # to be tested
    g =~ y1 + y2 + y3
    g ~ b*f
    """

    text: str
    parsed: Parsed = field(init=False, repr=False, compare=False)

    @classmethod
    def of(cls, model: str | ModelSpec) -> ModelSpec:
        """The model as a ModelSpec, whichever of the two it is."""
        return model if isinstance(model, ModelSpec) else cls(model)

    def __post_init__(self) -> None:
        text = self.text.text if isinstance(self.text, ModelSpec) else self.text
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "parsed", parse(text))

    def __str__(self) -> str:
        return self.text

    # -- what is in it -----------------------------------------------------------------------------------------
    @property
    def terms(self) -> tuple[Term, ...]:
        """Parameters that the text writes, in its order."""
        return tuple(self.parsed.terms)

    @property
    def latents(self) -> list[str]:
        """Names left of ``=~``, in order."""
        return list(dict.fromkeys(t.lhs for t in self.terms if t.op == "=~"))

    @checked(latent=TEXT)
    def items(self, latent: str) -> list[str]:
        """What stands right of ``=~`` for one latent."""
        return [t.rhs for t in self.terms if t.op == "=~" and t.lhs == latent]

    @checked(lhs=TEXT, rhs=TEXT)
    def has(self, lhs: str, op: str, rhs: str = "") -> bool:
        """Whether the text writes this parameter; covariances count in either order."""
        key = _key(lhs, op, rhs)
        return any(_key(t.lhs, t.op, t.rhs) == key for t in self.terms)

    # -- edits -------------------------------------------------------------------------------------------------
    @checked(lhs=TEXT, rhs=TEXT)
    def add(
        self, lhs: str, op: str, rhs: str = "", *, value: Value = None, label: Label = None, start: Value = None
    ) -> ModelSpec:
        """The model with one more term, definition or constraint, written on a line of its own.

        Parameters
        ----------
        lhs, op, rhs : str
            ``op`` is ``=~``, ``~``, ``~~``, ``~1`` (then ``rhs`` is left out), ``:=`` or ``==``.
        value : float or sequence of float, optional
            Fixes the parameter; NaN frees it; one value a group where there are groups.
        label : str or sequence of str, optional
        start : float or sequence of float, optional
            Starting value.
        """
        if op in (":=", "=="):
            return ModelSpec(f"{self.text.rstrip()}\n{lhs} {op} {rhs}")
        _, op, _ = _key(lhs, op, rhs)
        term = Term(
            lhs, op, "" if op == "~1" else rhs, 0, 0, _numbers("value", value), _labels(label), _numbers("start", start)
        )
        return ModelSpec(f"{self.text.rstrip()}\n{_statement([term])}")

    @checked(lhs=TEXT, rhs=TEXT)
    def drop(self, lhs: str, op: str, rhs: str = "") -> ModelSpec:
        """The model without a term, a definition (``drop("ab", ":=")``) or a constraint."""
        return self._edit(lhs, op, rhs, lambda term: [])

    @checked(lhs=TEXT, rhs=TEXT, value=None)
    def fix(self, lhs: str, op: str, rhs: str = "", value: Value = 0.0) -> ModelSpec:
        """The model with a parameter fixed; its label stays, a starting value goes; added where it is not written."""
        return self._set(lhs, op, rhs, value)

    @checked(lhs=TEXT, rhs=TEXT)
    def free(self, lhs: str, op: str, rhs: str = "", *, start: Value = None) -> ModelSpec:
        """The model with a parameter free, also where a default fixes it (``NA*``); added where it is not written."""
        return self._set(lhs, op, rhs, np.nan, start)

    def _set(self, lhs: str, op: str, rhs: str, value: Value, start: Value = None) -> ModelSpec:
        if not self.has(lhs, op, rhs):
            return self.add(lhs, op, rhs, value=value, start=start)
        changed = {"fixed": _numbers("value", value), "start": _numbers("start", start)}
        return self._edit(lhs, op, rhs, lambda t: [Term(t.lhs, t.op, t.rhs, t.line, t.col, label=t.label, **changed)])

    def _edit(self, lhs: str, op: str, rhs: str, change) -> ModelSpec:
        """Replace one term by what ``change`` makes of it, and write its statement anew."""
        key = _key(lhs, op, rhs)
        for tokens in statements(tokenize(self.text)):
            written = " ".join(t.text for t in tokens)
            if op in (":=", "=="):
                if _squeezed(written) in (
                    _squeezed(f"{lhs}{op}{rhs}"),
                    _squeezed(f"{lhs}{op}{rhs or written.split(op)[-1]}"),
                ):
                    return self._replaced(tokens, "")
                continue
            if any(t.kind == "symbol" and t.text in (":=", "==") for t in tokens):
                continue
            start, end = self._span(tokens)
            terms = parse(self.text[start:end]).terms
            if key in [_key(t.lhs, t.op, t.rhs) for t in terms]:
                new = [n for t in terms for n in (change(t) if _key(t.lhs, t.op, t.rhs) == key else [t])]
                return self._replaced(tokens, _statement(new))
        known = [" ".join((t.lhs, t.op, t.rhs)).strip() for t in self.terms]
        known += [f"{d.name} :=" for d in self.parsed.defined]
        raise DataError(f"'{lhs} {op} {rhs}'".replace(" '", "'") + f" is not in the model.{suggest(lhs, known)}")

    def _span(self, tokens: list[Token]) -> tuple[int, int]:
        """Where a statement begins and ends in the text."""
        starts = [0, *(k + 1 for k, c in enumerate(self.text) if c == "\n")]
        first, last = tokens[0], tokens[-1]
        return starts[first.line - 1] + first.col - 1, starts[last.line - 1] + last.col - 1 + last.width

    def _replaced(self, tokens: list[Token], statement: str) -> ModelSpec:
        start, end = self._span(tokens)
        before, after = self.text[:start], self.text[end:]
        if not statement:  # the separator and the line go with it
            rest = after.lstrip(" \t")
            after = rest[1:].lstrip(" \t") if rest.startswith(";") else rest
            if (before.endswith("\n") or not before) and after.startswith("\n"):
                after = after[1:]
        return ModelSpec(before + statement + after)


def model_text(model: str | ModelSpec) -> str:
    """The text of a model handed in as text or as ModelSpec."""
    return model.text if isinstance(model, ModelSpec) else model


def _key(lhs: str, op: str, rhs: str) -> tuple[str, str, str]:
    """Identity of a parameter: covariances in one order, ``x ~ 1`` as ``~1``."""
    if op == "~" and str(rhs) == "1":
        op, rhs = "~1", ""
    if op not in ("=~", "~", "~~", "~1", "|", "~*~", ":=", "=="):
        raise DataError(f"op must be one of =~ ~ ~~ ~1 | ~*~ := ==, and is {op!r}")
    return (rhs, op, lhs) if op == "~~" and rhs < lhs else (lhs, op, rhs)


def _numbers(name: str, value) -> list | None:
    """A number, or one a group; NaN frees."""
    values = _values(value)
    if values is not None and not all(
        isinstance(v, (int, float, np.integer, np.floating)) and not isinstance(v, bool) and not np.isinf(v)
        for v in values
    ):
        raise DataError(f"{name} must be a number or a list of numbers, one a group, and is {shown(value)}")
    return values


def _labels(label) -> list | None:
    values = _values(label)
    if values is not None and not all(isinstance(v, str) and v for v in values):
        raise DataError(f"label must be text or a list of texts, one a group, and is {shown(label)}")
    return values


def _values(value) -> list | None:
    if value is None:
        return None
    return [value] if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) else list(value)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _statement(terms: list[Term]) -> str:
    """Terms as text, one formula a left side and operator; ';' between formulas."""
    formulas: dict[tuple[str, str], list[str]] = {}
    for t in terms:
        op, name = ("~", "1") if t.op == "~1" else (t.op, t.rhs)
        formulas.setdefault((t.lhs, op), []).extend(_written(t, name))
    return "; ".join(f"{lhs} {op} {' + '.join(parts)}" for (lhs, op), parts in formulas.items())


def _written(t: Term, name: str) -> list[str]:
    """A term with its modifiers; several modifiers are several terms of one name, as in lavaan."""

    def number(v) -> str:
        return "NA" if np.isnan(v) else repr(int(v)) if float(v).is_integer() and abs(v) < 1e15 else repr(float(v))

    def vector(values: list, as_text) -> str:
        texts = [as_text(v) for v in values]
        return texts[0] if len(texts) == 1 else f"c({', '.join(texts)})"

    def label(v: str) -> str:
        return v if v.replace("_", "a").replace(".", "a").isalnum() and not v[0].isdigit() and v != "NA" else f'"{v}"'

    out = []
    if t.fixed is not None:
        out.append(f"{vector(t.fixed, number)}*{name}")
    if t.label is not None:
        out.append(f"{vector(t.label, label)}*{name}")
    if t.start is not None:
        out.append(f"start({vector(t.start, number)})*{name}")
    return out or [name]
