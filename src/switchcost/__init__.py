"""Switching costs, satisfaction and loyalty: reliability, factor analysis, structural models, moderation.

Everything a notebook needs hangs directly on the package: ``import switchcost as sc`` and ``sc.load(...)``,
``sc.fit(...)``, ``sc.scoreboard()``. Functions that share their module's name are imported here, so that
``sc.audit`` is always the function.
"""

# ruff: noqa: F401, I001  (the order follows the order of the notebooks)
from .data import codebook, datasets, directions, load, published, read_survey, wanted
from .audit import audit
from .reliability import average_variance_extracted, composite_reliability, item_analysis, reliability
from .efa import bartlett, efa, kmo, map_test, parallel_analysis
from .sem import compare, fit, invariance
from .validity import fornell_larcker, htmt, marker_correction, method_factor, phi_test, single_factor_test
from .moderation import moderate
from .latent_interaction import latent_interaction
from .consistency import check_table
from .pls import pls
from . import power, simulate
from . import replicate
from .replicate import scoreboard
from . import chapter, plots, tables

__version__ = "0.1.0"
