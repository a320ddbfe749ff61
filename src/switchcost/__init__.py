"""Switching costs, satisfaction and loyalty: reliability, factor analysis, structural models, moderation.

Everything a notebook needs hangs directly on the package: ``import switchcost as sc`` and ``sc.load(...)``,
``sc.fit(...)``, ``sc.scoreboard()``. The estimator under it is a package of its own, ``semfit``; on it stand
``simmarket``, ``papercheck`` and ``surveychapter``. A name's module is imported when the name is first asked for: who
only loads a table waits for no regression and no figure.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .core.version import __version__

if TYPE_CHECKING:  # what HOME says at run time, said to editors and type checkers
    import simmarket as simulate
    from papercheck.board import scoreboard
    from papercheck.consistency import check_table
    from semfit import Fit, fit, invariance, latent_interaction
    from surveychapter import chapter, tables
    from surveychapter.screening.audit import audit

    from . import data, plots
    from .bridges import compare, from_factor_analyzer, from_semopy
    from .core.errors import SwitchcostError
    from .data import datasets, directions, load, read_survey, wanted
    from .data.codebook import codebook
    from .data.published import published
    from .measurement.adequacy import bartlett, kmo
    from .measurement.factors import efa
    from .measurement.method_bias import marker_correction, method_factor, single_factor_test
    from .measurement.n_factors import map_test, parallel_analysis
    from .measurement.reliability import average_variance_extracted, composite_reliability, item_analysis, reliability
    from .measurement.validity import fornell_larcker, htmt, phi_test
    from .moderation import power
    from .moderation.mediation import mediate
    from .moderation.regression import moderate
    from .moderation.specifications import specification_curve
    from .plspm.fitting import pls

# Module -> the names that it gives to the package.
HOME: dict[str, tuple[str, ...]] = {
    "semfit": ("Fit", "fit", "invariance", "latent_interaction"),
    ".bridges": ("compare", "from_factor_analyzer", "from_semopy"),
    ".core.errors": ("SwitchcostError",),
    ".data": ("datasets", "directions", "load", "read_survey", "wanted"),
    ".data.codebook": ("codebook",),
    ".data.published": ("published",),
    ".measurement.adequacy": ("bartlett", "kmo"),
    ".measurement.factors": ("efa",),
    ".measurement.method_bias": ("marker_correction", "method_factor", "single_factor_test"),
    ".measurement.n_factors": ("map_test", "parallel_analysis"),
    ".measurement.reliability": ("average_variance_extracted", "composite_reliability", "item_analysis", "reliability"),
    ".measurement.validity": ("fornell_larcker", "htmt", "phi_test"),
    ".moderation.mediation": ("mediate",),
    ".moderation.regression": ("moderate",),
    ".moderation.specifications": ("specification_curve",),
    ".plspm.fitting": ("pls",),
    "papercheck.board": ("scoreboard",),
    "papercheck.consistency": ("check_table",),
    "surveychapter.screening.audit": ("audit",),
}
# Name -> the module that it is.
MODULES = {
    "chapter": "surveychapter.chapter",
    "data": ".data",
    "plots": ".plots",
    "power": ".moderation.power",
    "simulate": "simmarket",
    "tables": "surveychapter.tables",
}
_WHERE = MODULES | {name: module for module, names in HOME.items() for name in names}

__all__ = [
    "Fit",
    "SwitchcostError",
    "__version__",
    "audit",
    "average_variance_extracted",
    "bartlett",
    "chapter",
    "check_table",
    "codebook",
    "compare",
    "composite_reliability",
    "data",
    "datasets",
    "directions",
    "efa",
    "fit",
    "fornell_larcker",
    "from_factor_analyzer",
    "from_semopy",
    "htmt",
    "invariance",
    "item_analysis",
    "kmo",
    "latent_interaction",
    "load",
    "map_test",
    "marker_correction",
    "mediate",
    "method_factor",
    "moderate",
    "parallel_analysis",
    "phi_test",
    "plots",
    "pls",
    "power",
    "published",
    "read_survey",
    "reliability",
    "scoreboard",
    "simulate",
    "single_factor_test",
    "specification_curve",
    "tables",
    "wanted",
]


def __getattr__(name: str) -> object:
    """Import what gives the name, once."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_WHERE[name], __name__)
    globals()[name] = thing = module if name in MODULES else getattr(module, name)
    return thing


def __dir__() -> list[str]:
    return sorted(__all__)
