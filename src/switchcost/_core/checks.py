"""Checks of what a user hands in: the estimator's, with the errors of the helper, so that one mistake has one sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import semfit.errors as engine
from semfit import checks
from semfit.checks import CODES, suggest

from .errors import DataError

P = ParamSpec("P")
T = TypeVar("T")


def _ours(check: Callable[P, T]) -> Callable[P, T]:
    """The same check; what it finds is raised as an error of the helper."""

    @wraps(check)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return check(*args, **kwargs)
        except engine.DataError as error:
            raise DataError(*error.args) from None

    return inner


frame = _ours(checks.frame)
columns = _ours(checks.columns)
numeric = _ours(checks.numeric)
scales = _ours(checks.scales)
complete_rows = _ours(checks.complete_rows)
positive_definite = _ours(checks.positive_definite)
missing_codes = _ours(checks.missing_codes)

__all__ = [
    "CODES",
    "columns",
    "complete_rows",
    "frame",
    "missing_codes",
    "numeric",
    "positive_definite",
    "scales",
    "suggest",
]
