"""Reliability, factor analysis, validity and common-method checks."""

from .adequacy import bartlett, kmo
from .factors import EFA, efa
from .method_bias import MethodCheck, marker_correction, method_factor, single_factor_test
from .n_factors import map_test, parallel_analysis
from .validity import FornellLarcker, fornell_larcker, htmt, phi_test

__all__ = [
    "EFA",
    "FornellLarcker",
    "MethodCheck",
    "bartlett",
    "efa",
    "fornell_larcker",
    "htmt",
    "kmo",
    "map_test",
    "marker_correction",
    "method_factor",
    "parallel_analysis",
    "phi_test",
    "single_factor_test",
]
