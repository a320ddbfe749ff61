"""Printed numbers held against recomputed ones, and against each other."""

from .board import replicate, scoreboard, summary
from .consistency import check_all, check_study, check_table

__all__ = ["check_all", "check_study", "check_table", "replicate", "scoreboard", "summary"]
