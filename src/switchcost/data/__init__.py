"""Data sets with their codebooks, printed numbers of studies, and files that people bring.

``load``, ``datasets``, ``read_survey``, ``flow``, ``skeleton``, ``data_dir``, ``register``, ``Study``, ``directions``, ``wanted``;
``codebook`` and ``published`` are modules here and functions of the package (``sc.codebook``, ``sc.published``).
"""

from .files import flow, read_survey
from .guess import skeleton
from .published import Study, directions, wanted
from .registry import data_dir, register
from .sets import datasets, load

__all__ = ["Study", "data_dir", "datasets", "directions", "flow", "load", "read_survey", "register", "skeleton", "wanted"]  # fmt: skip
