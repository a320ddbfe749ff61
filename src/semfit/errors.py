"""Errors and warnings of the estimator. Only these are ever caught and put into words; anything else is a bug."""

from __future__ import annotations


class SemError(ValueError):
    """What a user can mend: every error that the estimator raises on purpose is one of these."""


class DataError(SemError):
    """The data, a matrix or an argument cannot be used as handed in."""


class ModelSyntaxError(SemError):
    """The model text cannot be read.

    Attributes
    ----------
    line, column : int or None
        Where in the text, counted from 1; None where no single place is to blame.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None):
        super().__init__(message if line is None else f"model line {line}, column {column}: {message}")
        self.line, self.column = line, column


class NotIdentifiedError(SemError):
    """The data, however many, could not determine the parameters of the model."""


class NotConvergedError(SemError):
    """The search did not end at a minimum, so what was asked for has no meaning."""
