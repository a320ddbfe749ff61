"""Moderation by regression, and the power to find it."""

from .regression import JohnsonNeyman, Moderation, moderate

__all__ = ["JohnsonNeyman", "Moderation", "moderate"]
