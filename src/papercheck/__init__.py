"""Printed numbers held against recomputed ones, and against each other."""

from .board import replicate, scoreboard, summary
from .consistency import check_table

__all__ = ["check_table", "replicate", "scoreboard", "summary"]
