"""Structural equation models: lavaan syntax in, lavaan's numbers out.

>>> import numpy as np, pandas as pd, semfit
>>> rng = np.random.default_rng(1)
>>> f = rng.normal(size=300)
>>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
>>> fit = semfit.fit("f =~ x1 + x2 + x3 + x4", data)
>>> fit.converged, int(fit.measures["df"])
(True, 2)
"""

from .design import DesignEffects
from .diagram import path_diagram
from .equality import ScoreTests, score_tests
from .errors import (
    CategoryTrouble,
    DataError,
    DroppedRows,
    FewClusters,
    FitWarning,
    ImproperSolution,
    ModelSyntaxError,
    NotConverged,
    NotConvergedError,
    NotIdentifiedError,
    SearchTrouble,
    SemError,
    SingularInformation,
    TwoCategories,
    UndefinedValue,
    UnusedItems,
)
from .fitting import fit
from .interaction.latent import latent_interaction
from .interaction.result import LatentInteraction
from .measurement_invariance import Invariance, invariance
from .nested import Comparison, compare
from .noninvariance import effect_sizes
from .ordinal.correlations import Polychoric, polychoric
from .partial_invariance import PartialInvariance, partial_search
from .refits import Refits, refit
from .result import Fit
from .spec import ModelSpec

__all__ = [
    "CategoryTrouble",
    "Comparison",
    "DataError",
    "DesignEffects",
    "DroppedRows",
    "FewClusters",
    "Fit",
    "FitWarning",
    "ImproperSolution",
    "Invariance",
    "LatentInteraction",
    "ModelSpec",
    "ModelSyntaxError",
    "NotConverged",
    "NotConvergedError",
    "NotIdentifiedError",
    "PartialInvariance",
    "Polychoric",
    "Refits",
    "ScoreTests",
    "SearchTrouble",
    "SemError",
    "SingularInformation",
    "TwoCategories",
    "UndefinedValue",
    "UnusedItems",
    "compare",
    "effect_sizes",
    "fit",
    "invariance",
    "latent_interaction",
    "partial_search",
    "path_diagram",
    "polychoric",
    "refit",
    "score_tests",
]
