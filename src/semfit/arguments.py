"""What an argument may be, declared once: a table by name, and a decorator that holds a function to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from typing import ClassVar, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from .errors import DataError

P = ParamSpec("P")
T = TypeVar("T")


def shown(value: object) -> str:
    """A value in one line, cut where it is long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


class Constraint:
    """What an argument may be: a subclass says it in words (``str``) and tells whether a value ``_holds``."""

    error: ClassVar[type[ValueError]] = DataError
    hint: str = ""

    def fault(self, name: str, value: object) -> str | None:
        """The sentence about a value that is not allowed, with the name of the argument; None when it is."""
        if self._holds(value):
            return None
        return f"{name} must be {self}, and is {shown(value)}{'; ' if self.hint else ''}{self.hint}"

    def check(self, name: str, value: object) -> None:
        """Raise when ``value`` is not allowed."""
        fault = self.fault(name, value)
        if fault is not None:
            raise self.error(fault)

    def _holds(self, value: object) -> bool:
        raise NotImplementedError


@dataclass(frozen=True)
class Between(Constraint):
    """A number (or an array of numbers) in an interval.

    Attributes
    ----------
    low, high : float
        Ends of the interval.
    closed : str
        Which ends belong to it: ``"neither"``, ``"left"``, ``"right"`` or ``"both"``.
    whole : bool
        Only whole numbers.
    array : bool
        An array is allowed as well; every element is checked.
    hint : str
        What to write instead; ends the message.
    """

    low: float = -np.inf
    high: float = np.inf
    closed: str = "neither"
    whole: bool = False
    array: bool = False
    hint: str = ""

    def __str__(self) -> str:
        kind = "a whole number" if self.whole else "a number"
        low, high = f"{self.low:g}", f"{self.high:g}"
        if np.isfinite(self.low) and np.isfinite(self.high):
            ends = {"neither": "excluded", "left": f"{high} excluded", "right": f"{low} excluded", "both": "included"}
            return f"{kind} between {low} and {high} ({ends[self.closed]})"
        if np.isfinite(self.low):
            return f"{kind} of at least {low}" if self.closed in ("left", "both") else f"{kind} above {low}"
        return f"{kind}, finite"

    def fault(self, name: str, value: object) -> str | None:
        """As for every constraint; of an array the first value that is not allowed is named."""
        if not (self.array and isinstance(value, (list, tuple, np.ndarray, pd.Series))):
            return super().fault(name, value)
        wrong = next((one for one in np.ravel(np.asarray(value, dtype=object)) if not self._holds(one)), None)
        if wrong is None and len(value):
            return None
        found = "it is empty" if not len(value) else f"one of its values is {shown(wrong)}"
        return f"{name} must be {self}, and {found}{'; ' if self.hint else ''}{self.hint}"

    def _holds(self, value: object) -> bool:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
            return False
        if isinstance(value, int) and abs(value) > 10**300:
            return False
        number = float(value)
        above = number >= self.low if self.closed in ("left", "both") else number > self.low
        below = number <= self.high if self.closed in ("right", "both") else number < self.high
        return bool(np.isfinite(number) and above and below and (not self.whole or number == int(number)))


@dataclass(frozen=True)
class OneOf(Constraint):
    """One of a few words."""

    allowed: tuple[object, ...]

    def fault(self, name: str, value: object) -> str | None:
        """As for every constraint, with the nearest word."""
        if any(value is a or (isinstance(value, str) and value == a) for a in self.allowed):
            return None
        words = ", ".join(map(repr, self.allowed))
        known = {a.lower(): a for a in self.allowed if isinstance(a, str)}
        near = get_close_matches(str(value)[:60].lower(), known, n=1)
        meant = f". Did you mean {known[near[0]]!r}?" if near else ""
        return f"{name} must be one of {words}, and is {shown(value)}{meant}"


@dataclass(frozen=True)
class Flag(Constraint):
    """True or False."""

    def __str__(self) -> str:
        return "True or False"

    def _holds(self, value: object) -> bool:
        return isinstance(value, (bool, np.bool_))


@dataclass(frozen=True)
class Name(Constraint):
    """The name of one column or latent; whether it exists is asked where the data are."""

    what: str = "the name of one column"

    def __str__(self) -> str:
        return self.what

    def _holds(self, value: object) -> bool:
        return isinstance(value, (str, int, np.integer)) and not isinstance(value, bool)


@dataclass(frozen=True)
class Names(Constraint):
    """A name, or a list of names."""

    what: str = "a list of names"

    def __str__(self) -> str:
        return self.what

    def _holds(self, value: object) -> bool:
        if isinstance(value, str):
            return True
        if not isinstance(value, (list, tuple, set, frozenset, pd.Index, np.ndarray, pd.Series)):
            return False
        return all(isinstance(v, (str, int, np.integer)) and not isinstance(v, bool) for v in value)


@dataclass(frozen=True)
class Made(Constraint):
    """The result of a function: ``Made(Fit, "a result of semfit.fit")``; attributes may stand for the class."""

    what: str
    kind: type | tuple[type, ...] | None = None
    attributes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.what

    def fault(self, name: str, value: object) -> str | None:
        """As for every constraint; a long object is named by its type."""
        kind = type(value).__name__
        return None if self._holds(value) else f"{name} must be {self}, and is a {kind}"

    def _holds(self, value: object) -> bool:
        known = self.kind is None or isinstance(value, self.kind)
        return known and all(hasattr(value, a) for a in self.attributes)


def one_of(*allowed: object) -> OneOf:
    """Constraint: the argument is one of these."""
    return OneOf(allowed)


@dataclass(frozen=True)
class Either(Constraint):
    """What one of several constraints allows."""

    options: tuple[Constraint, ...]

    def __str__(self) -> str:
        return " or ".join(map(str, self.options))

    def _holds(self, value: object) -> bool:
        return any(option.fault("", value) is None for option in self.options)


@dataclass(frozen=True)
class Text(Constraint):
    """Text, such as the name of a variable in a model."""

    def __str__(self) -> str:
        return "text"

    def _holds(self, value: object) -> bool:
        return isinstance(value, str)


FLAG, NAME, NAMES, TEXT = Flag(), Name(), Names(), Text()
FLAG_OR_NAMES = Either((FLAG, NAMES))
FRAME = Made("a pandas DataFrame", pd.DataFrame)
FITTED = Made("a result of semfit.fit", attributes=("solution", "estimates"))
FINITE = Between(array=True)
DECIMALS = Between(0, 15, "both", whole=True)
FEWEST_DRAWS = 20  # enough to see a bootstrap work in class; the message says how many a paper needs
MOST_DRAWS = 10**7
DRAWS = Between(
    FEWEST_DRAWS, closed="left", whole=True, hint="1000 or more for a standard error in a paper, 5000 for an interval"
)
PROBABILITY = Between(0, 1, hint="write 0.05 for 5 percent")
LEVEL = Between(0, 1, hint="write 0.95 for 95 percent")
SEED = Between(0, closed="left", whole=True)
AXES = Made("axes of matplotlib", attributes=("plot", "set_title", "figure"))
# Arguments that mean the same wherever they occur.
TABLE: dict[str, Constraint] = {
    **dict.fromkeys(("std_lv", "meanstructure", "fixed_x", "orthogonal", "standardized", "fdr"), FLAG),
    **dict.fromkeys(("group", "x", "y", "moderator"), NAME),
    **dict.fromkeys(("group_equal", "group_partial", "further"), NAMES),
    "ordered": FLAG_OR_NAMES,
    "alpha": PROBABILITY,
    "level": LEVEL,
    "seed": SEED,
    "ax": AXES,
    "progress": FLAG,
    "n_jobs": Between(-1024, 1024, "both", whole=True, hint="-1 for all processors"),
    "minimum": Between(0, closed="left"),
}


def checked(
    *, table: Mapping[str, Constraint] = TABLE, error: type[ValueError] = DataError, **more: Constraint | None
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorator: every argument that stands in the table, or in ``more``, is checked before the function runs.

    ``None`` passes where it is the argument's default, or part of its type; ``name=None`` leaves an argument out.

    Examples
    --------
    >>> @checked(width=Between(0))
    ... def area(width, alpha=0.05):
    ...     return width**2
    >>> area(-1)
    Traceback (most recent call last):
    semfit.errors.DataError: width must be a number above 0, and is -1
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)
        rules = {name: more[name] if name in more else table.get(name) for name in signature.parameters}
        held = [(name, rule, _may_be_none(signature.parameters[name])) for name, rule in rules.items() if rule]

        @wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> T:
            given = signature.bind(*args, **kwargs).arguments
            for name, rule, may_be_none in held:
                if name in given and not (given[name] is None and may_be_none):
                    fault = rule.fault(name, given[name])
                    if fault is not None:
                        raise error(fault)
            return function(*args, **kwargs)

        return inner

    return decorate


def _may_be_none(parameter: inspect.Parameter) -> bool:
    return parameter.default is None or "None" in str(parameter.annotation)
