"""Errors of the helper. ``OURS`` are the only ones that may be caught and put into words; the rest are bugs."""

from __future__ import annotations

import semfit.errors as engine


class SwitchcostError(ValueError):
    """What a user can mend: every error that the helper raises on purpose is one of these."""


class DataError(SwitchcostError, engine.DataError):
    """The data, a file, a codebook or an argument cannot be used as handed in."""


class NotConvergedError(SwitchcostError, engine.NotConvergedError):
    """A search did not end at a minimum, so what was asked for has no meaning."""


OURS = (SwitchcostError, engine.SemError)
