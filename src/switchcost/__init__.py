"""Switching costs, satisfaction and loyalty: reliability, factor analysis, structural models, moderation.

Everything a notebook needs hangs directly on the package: ``import switchcost as sc`` and ``sc.load(...)``,
``sc.fit(...)``, ``sc.scoreboard()``. The estimator under it is a package of its own, ``semfit``; so is what stands on
it, and is imported when its name is first asked for: ``simmarket``, ``papercheck``, ``surveychapter``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from semfit import Fit, fit, invariance, latent_interaction

from . import plots
from .bridges import compare, from_factor_analyzer, from_semopy
from .core.errors import SwitchcostError
from .core.version import __version__
from .data.codebook import codebook
from .data.files import read_survey
from .data.published import directions, published, wanted
from .data.sets import datasets, load
from .measurement.adequacy import bartlett, kmo
from .measurement.factors import efa
from .measurement.method_bias import marker_correction, method_factor, single_factor_test
from .measurement.n_factors import map_test, parallel_analysis
from .measurement.reliability import (
    average_variance_extracted,
    composite_reliability,
    item_analysis,
    reliability,
)
from .measurement.validity import fornell_larcker, htmt, phi_test
from .moderation import power
from .moderation.mediation import mediate
from .moderation.regression import moderate
from .moderation.specifications import specification_curve
from .plspm.fitting import pls

if TYPE_CHECKING:
    import simmarket as simulate
    from papercheck.board import scoreboard
    from papercheck.consistency import check_table
    from surveychapter import chapter, tables
    from surveychapter.screening.audit import audit

# Name -> where it stands above the helper, and what it is called there ("" for the module itself).
ABOVE = {
    "audit": ("surveychapter.screening.audit", "audit"),
    "chapter": ("surveychapter.chapter", ""),
    "check_table": ("papercheck.consistency", "check_table"),
    "scoreboard": ("papercheck.board", "scoreboard"),
    "simulate": ("simmarket", ""),
    "tables": ("surveychapter.tables", ""),
}

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
    """Open what stands above, once."""
    if name not in ABOVE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, inner = ABOVE[name]
    found = import_module(module)
    thing = getattr(found, inner) if inner else found
    globals()[name] = thing
    return thing


def __dir__() -> list[str]:
    return sorted(__all__)
