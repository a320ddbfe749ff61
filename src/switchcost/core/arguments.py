"""What an argument may be: the constraints of :mod:`semfit.arguments` with the helper's names and the helper's errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, ParamSpec, TypeVar

from semfit import arguments as engine
from semfit.arguments import (
    AXES,
    DECIMALS,
    FLAG,
    FLAG_OR_NAMES,
    FRAME,
    NAME,
    NAMES,
    PROBABILITY,
    TEXT,
    Constraint,
    shown,
)

from .errors import DataError

P = ParamSpec("P")
T = TypeVar("T")


class Made(engine.Made):
    """The result of a function, as :class:`semfit.arguments.Made`."""

    error: ClassVar[type[ValueError]] = DataError


class Between(engine.Between):
    """A number (or an array of numbers) in an interval, as :class:`semfit.arguments.Between`."""

    error: ClassVar[type[ValueError]] = DataError


class OneOf(engine.OneOf):
    """One of a few words, as :class:`semfit.arguments.OneOf`."""

    error: ClassVar[type[ValueError]] = DataError


def one_of(*allowed: object) -> OneOf:
    """Constraint: the argument is one of these."""
    return OneOf(allowed)


RELIABILITY = Between(0, 1, "right")
COUNT = Between(1, closed="left", whole=True)
# Arguments that mean the same wherever they occur.
TABLE: dict[str, Constraint] = {
    **engine.TABLE,
    **dict.fromkeys(("quadratic", "center", "keep_codes", "normalize", "chinese", "population", "serial"), FLAG),
    **dict.fromkeys(("second_moderator",), NAME),
    **dict.fromkeys(("covariates", "formative", "items"), NAMES),
    **dict.fromkeys(("reliability_x", "reliability_m", "reliability_y"), RELIABILITY),
    **dict.fromkeys(("n_predictors", "n_items", "n_rep", "rank"), COUNT),
    **dict.fromkeys(("skew", "low", "high"), Between()),
    "gamma": Between(-100, 1, "both"),
    "beta": Between(-1000, 1000),
    "power": Between(0, 1, hint="write 0.8 for 80 percent"),
    "r_xm": Between(-1, 1),
    "r2_main": Between(0, 1, "left"),
    "loading": RELIABILITY,
    "points": Between(2, closed="left", whole=True, hint="None keeps answers continuous"),
    "n_starts": Between(0, 1000, "both", whole=True),
    "n_boot": Between(0, 10**7, "both", whole=True),
    "reference": Made("a dict such as {'plan': 'prepaid'}", Mapping),
    "margin": Between(0, 1e100, hint="give the smallest effect of interest as a positive number"),
    "world": one_of("china", "meta"),
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
    switchcost.core.errors.DataError: alpha must be a number between 0 and 1 (excluded), and is 5; write 0.05 for 5 percent
    """
    for name, value in values.items():
        fault = TABLE[name].fault(name, value)
        if fault is not None:
            raise DataError(fault)


def checked(**more: Constraint | None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorator: every argument that stands in the table, or in ``more``, is checked before the function runs.

    ``None`` passes where it is the argument's default, or part of its type; ``name=None`` leaves an argument out.
    """
    return engine.checked(table=TABLE, error=DataError, **more)


__all__ = [
    "AXES",
    "COUNT",
    "DECIMALS",
    "FLAG",
    "FLAG_OR_NAMES",
    "FRAME",
    "NAME",
    "NAMES",
    "PROBABILITY",
    "RELIABILITY",
    "TABLE",
    "TEXT",
    "Between",
    "Constraint",
    "Made",
    "OneOf",
    "check",
    "checked",
    "one_of",
    "shown",
]
