"""Structural equation models: lavaan syntax in, lavaan's numbers out.

>>> import numpy as np, pandas as pd, semfit
>>> rng = np.random.default_rng(1)
>>> f = rng.normal(size=300)
>>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
>>> fit = semfit.fit("f =~ x1 + x2 + x3 + x4", data)
>>> fit.converged, int(fit.measures["df"])
(True, 2)
"""

from importlib import import_module
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:  # what HOME says at run time, said to editors and type checkers
    from .design import DesignEffects
    from .diagram import path_diagram
    from .equality import ScoreTests, score_tests
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

# Module -> the names that it gives to the package.
HOME: dict[str, tuple[str, ...]] = {
    "design": ("DesignEffects",),
    "diagram": ("path_diagram",),
    "equality": ("ScoreTests", "score_tests"),
    "fitting": ("fit",),
    "interaction.latent": ("latent_interaction",),
    "interaction.result": ("LatentInteraction",),
    "measurement_invariance": ("Invariance", "invariance"),
    "nested": ("Comparison", "compare"),
    "noninvariance": ("effect_sizes",),
    "ordinal.correlations": ("Polychoric", "polychoric"),
    "partial_invariance": ("PartialInvariance", "partial_search"),
    "refits": ("Refits", "refit"),
    "result": ("Fit",),
    "spec": ("ModelSpec",),
}
_HOME_OF = {name: module for module, names in HOME.items() for name in names}

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


def __getattr__(name: str) -> object:
    """Import what gives the name, once: who only reads a file waits for no estimator."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = thing = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    return thing


def __dir__() -> list[str]:
    return sorted(__all__)
