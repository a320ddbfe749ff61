"""From the field's packages to ours: a fitted model goes in, the same model comes back completed."""

from .semopy import SemopyBridge, compare, from_semopy

__all__ = ["SemopyBridge", "compare", "from_semopy"]
