"""Checks of what a user hands in: the estimator's, with the errors of the helper, so that one mistake has one sentence."""

from __future__ import annotations

from semfit import checks
from semfit.checks import CODES, stands_apart, suggest

from .errors import with_our_errors

frame = with_our_errors(checks.frame)
columns = with_our_errors(checks.columns)
numeric = with_our_errors(checks.numeric)
scales = with_our_errors(checks.scales)
complete_rows = with_our_errors(checks.complete_rows)
positive_definite = with_our_errors(checks.positive_definite)
missing_codes = with_our_errors(checks.missing_codes)
matrix_input = with_our_errors(checks.matrix_input)
whole = with_our_errors(checks.whole)
probability = with_our_errors(checks.probability)

__all__ = [
    "CODES",
    "columns",
    "complete_rows",
    "frame",
    "matrix_input",
    "missing_codes",
    "numeric",
    "positive_definite",
    "probability",
    "scales",
    "stands_apart",
    "suggest",
    "whole",
]
