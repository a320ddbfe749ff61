"""Structural equation models: lavaan syntax in, lavaan's numbers out.

Public: ``fit``, ``Fit``, ``compare``, ``invariance``, ``score_tests``.

Internal functions that other modules may use, and that stay as they are:

- ``model.Model``: parameter table, constraints (``free = K theta + c``), ``set_scale``; ``fit._model`` of a result
- ``estimate.fit_batch(model, S, m, n, start) -> theta (B, npar), F (B,), converged (B,)``: S is (B, p, p) with
  divisor n in the order of ``model.ov`` (a list of such arrays when there are groups), m (B, p) or None
- ``estimate.evaluate(model, data, theta)``: discrepancy, gradient and expected information of a batch
- ``estimate.structure`` and ``estimate.entries``: implied moments of a batch, in scaled units
- ``Fit._row_values(theta, kind)`` and ``Fit._with_defined(theta, kind)``: (B, npar) -> table rows, kind "est",
  "std_all" or "std_lv" (in the order of ``fit.estimates``)
"""

from __future__ import annotations

from .fitting import fit
from .invariance import compare, invariance, score_tests
from .many import Refits, refit
from .result import Fit

__all__ = ["Fit", "Refits", "compare", "fit", "invariance", "refit", "score_tests"]
