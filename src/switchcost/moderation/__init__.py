"""Moderation and mediation by regression, and the power to find a product."""

from .equivalence import Equivalence
from .mediation import Mediation, mediate
from .regression import Moderation, moderate
from .shape import BinnedSlopes, InvertedU
from .significance import JohnsonNeyman
from .specifications import SpecificationCurve, specification_curve

__all__ = [
    "BinnedSlopes",
    "Equivalence",
    "InvertedU",
    "JohnsonNeyman",
    "Mediation",
    "Moderation",
    "SpecificationCurve",
    "mediate",
    "moderate",
    "specification_curve",
]
