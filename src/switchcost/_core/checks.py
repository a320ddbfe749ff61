"""Checks of what a user hands in: those of the estimator, so that the same mistake always gets the same sentence."""

from semfit.checks import *  # noqa: F403
