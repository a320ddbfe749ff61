"""From the field's packages to ours: a fitted model goes in, the same model comes back completed."""

from .factor_analyzer import from_factor_analyzer
from .semopy import SemopyBridge, compare, from_semopy

__all__ = ["SemopyBridge", "compare", "from_factor_analyzer", "from_semopy"]
