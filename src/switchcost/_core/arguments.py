"""What an argument may be, declared once: a table by name, and a decorator that holds a function to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np

from .errors import DataError

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Between:
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

    def check(self, name: str, value: object) -> None:
        """Raise when ``value`` is not allowed, with the name of the argument."""
        many = self.array and np.ndim(value) > 0  # type: ignore[arg-type]
        for one in np.ravel(value) if many else [value]:  # type: ignore[call-overload]
            if not self._holds(one):
                what = f"one of its values is {one!r}" if many else f"{value!r}"
                raise DataError(
                    f"{name} must be {self}, and {'' if many else 'is '}{what}{'; ' if self.hint else ''}{self.hint}"
                )

    def _holds(self, value: object) -> bool:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
            return False
        number = float(value)
        above = number >= self.low if self.closed in ("left", "both") else number > self.low
        below = number <= self.high if self.closed in ("right", "both") else number < self.high
        return bool(np.isfinite(number) and above and below and (not self.whole or number == int(number)))


@dataclass(frozen=True)
class OneOf:
    """One of a few words."""

    allowed: tuple[object, ...]

    def check(self, name: str, value: object) -> None:
        """Raise when ``value`` is not one of the words allowed."""
        if not any(value is a or (isinstance(value, str) and value == a) for a in self.allowed):
            words = ", ".join(map(repr, self.allowed))
            near = get_close_matches(str(value), [a for a in self.allowed if isinstance(a, str)], n=1)
            meant = f". Did you mean {near[0]!r}?" if near else ""
            raise DataError(f"{name} must be one of {words}, and is {value!r}{meant}")


def one_of(*allowed: object) -> OneOf:
    """Constraint: the argument is one of these."""
    return OneOf(allowed)


PROBABILITY = Between(0, 1, hint="write 0.05 for 5 percent")
RELIABILITY = Between(0, 1, "right")
CORRELATION = Between(-1, 1)
# Arguments that mean the same wherever they occur.
TABLE: dict[str, Between | OneOf] = {
    "alpha": PROBABILITY,
    "level": Between(0, 1, hint="write 0.95 for 95 percent"),
    "power": Between(0, 1, hint="write 0.8 for 80 percent"),
    "reliability_x": RELIABILITY,
    "reliability_m": RELIABILITY,
    "reliability_y": RELIABILITY,
    "r_xm": CORRELATION,
    "r2_main": Between(0, 1, "left"),
    "loading": Between(0, 1, "right"),
    "beta": Between(),
    "n_predictors": Between(1, closed="left", whole=True),
    "n_items": Between(1, closed="left", whole=True),
    "points": Between(2, closed="left", whole=True, hint="None keeps answers continuous"),
    "n_rep": Between(1, closed="left", whole=True),
    "skew": Between(),
    "margin": Between(0, hint="give the smallest effect of interest as a positive number"),
    "seed": Between(0, closed="left", whole=True),
    "cov_type": one_of("nonrobust", "HC3", "cluster"),
}


def check(**values: object) -> None:
    """Hold arguments to the table: ``check(alpha=alpha, level=level)``.

    Raises
    ------
    DataError
        Names the argument, what it must be and what it is.

    Examples
    --------
    >>> check(alpha=0.05, reliability_x=1.0)
    >>> check(alpha=5)
    Traceback (most recent call last):
    switchcost._core.errors.DataError: alpha must be a number between 0 and 1 (excluded), and is 5; write 0.05 for 5 percent
    """
    for name, value in values.items():
        TABLE[name].check(name, value)


def checked(**more: Between | OneOf) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorator: every argument that stands in the table, or in ``more``, is checked before the function runs.

    ``None`` passes where it is the argument's default, or part of its type.

    Examples
    --------
    >>> @checked(width=Between(0))
    ... def area(width, alpha=0.05):
    ...     return width**2
    >>> area(-1)
    Traceback (most recent call last):
    switchcost._core.errors.DataError: width must be a number above 0, and is -1
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)
        rules = {name: more.get(name, TABLE.get(name)) for name in signature.parameters}
        held = [(name, rule, _may_be_none(signature.parameters[name])) for name, rule in rules.items() if rule]

        @wraps(function)
        def inner(*args: P.args, **kwargs: P.kwargs) -> T:
            given = signature.bind(*args, **kwargs).arguments
            for name, rule, may_be_none in held:
                if name in given and not (given[name] is None and may_be_none):
                    rule.check(name, given[name])
            return function(*args, **kwargs)

        return inner

    return decorate


def _may_be_none(parameter: inspect.Parameter) -> bool:
    return parameter.default is None or "None" in str(parameter.annotation)
