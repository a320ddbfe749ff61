"""Figures. Colours that colour-blind readers can tell apart, a marker and a line style for each as well."""

from semfit.diagram import path_diagram
from semfit.palette import COLORS, GREY, LINES, MARKERS

from .intervals import forest
from .moderation import johnson_neyman, slopes, specification_curve
from .theme import chinese_font, style

__all__ = [
    "COLORS", "GREY", "LINES", "MARKERS", "chinese_font", "forest", "johnson_neyman", "path_diagram", "slopes",
    "specification_curve", "style",
]  # fmt: skip
