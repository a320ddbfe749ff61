"""Errors and notes of the helper. ``OURS`` are the only ones that may be caught and put into words; the rest are bugs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import semfit.errors as engine

P = ParamSpec("P")
T = TypeVar("T")


class SwitchcostError(ValueError):
    """What a user can mend: every error that the helper raises on purpose is one of these."""


class DataError(SwitchcostError, engine.DataError):
    """The data, a file, a codebook or an argument cannot be used as handed in."""


class NotConvergedError(SwitchcostError, engine.NotConvergedError):
    """A search did not end at a minimum, so what was asked for has no meaning."""


class SurveyNote(UserWarning):
    """What was recognised in a survey file and who was left out; the file was read."""


OURS = (SwitchcostError, engine.SemError)


def with_our_errors(check: Callable[P, T]) -> Callable[P, T]:
    """The same check of the estimator; what it finds is raised as an error of the helper."""

    @wraps(check)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return check(*args, **kwargs)
        except engine.DataError as error:
            raise DataError(*error.args) from None

    return inner
