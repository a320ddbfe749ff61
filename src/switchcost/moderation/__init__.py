"""Moderation by regression, and the power to find it."""

from .equivalence import Equivalence
from .regression import Moderation, moderate
from .shape import BinnedSlopes, InvertedU
from .significance import JohnsonNeyman

__all__ = ["BinnedSlopes", "Equivalence", "InvertedU", "JohnsonNeyman", "Moderation", "moderate"]
