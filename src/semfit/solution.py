"""What a fit found, as the diagnostics read it: model, moments, estimates, and what follows from them alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd

from .derivatives import hessian
from .design import Design
from .errors import DataError, NotConvergedError
from .estimate import Moments, Patterns, entries, evaluate, sample_of, structure
from .model import Model
from .partable import Row
from .state import Options, Rows, Saturated


@dataclass(frozen=True, eq=False)
class Solution:
    """Estimates with the model and the moments they belong to.

    Attributes
    ----------
    model : Model
    data : Moments or Patterns
    theta : array of float, shape (npar,)
        Parameters in user units.
    F : float
        Discrepancy at theta, without its constant.
    converged : bool
    options : Options
    h1 : Saturated
    raw : list of Rows by group, or None without rows
    groups : tuple of str
    positions : tuple of array of int
        Where the rows of each group stand in the data.
    design : tuple of Design
        Clusters and weights by group; empty without.
    """

    model: Model
    data: Moments | Patterns
    theta: np.ndarray
    F: float
    converged: bool
    options: Options
    h1: Saturated
    raw: list[Rows] | None
    groups: tuple[str, ...]
    positions: tuple[np.ndarray, ...] = ()
    design: tuple[Design, ...] = ()

    @property
    def rows(self) -> list[Rows]:
        """The rows by group, for what cannot be computed without them."""
        if self.raw is None:
            raise DataError("this needs the rows of the data; the model was fitted to a covariance matrix")
        return self.raw

    @property
    def patterns(self) -> Patterns:
        """The moments of data with gaps."""
        if not isinstance(self.data, Patterns):
            raise DataError("the data have no gaps, so their moments are not kept by pattern")
        return self.data

    @property
    def n_total(self) -> int:
        return int(round(sum(self.data.n)))

    @property
    def shares(self) -> list[float]:
        """Rows (or weights) of each group over those of all."""
        return [n / sum(self.data.n) for n in self.data.n]

    @property
    def robust(self) -> bool:
        return self.options.robust

    def design_of(self, k: int) -> Design | None:
        """Clusters and weights of group k, or None."""
        return self.design[k] if self.design else None

    @property
    def df(self) -> int:
        return self.model.df(self.options.fixed_x)

    @property
    def fixed(self) -> list[int]:
        """Positions of the predictors whose moments are taken as given."""
        return [self.model.ov.index(v) for v in self.model.var.x] if self.options.fixed_x else []

    def need_convergence(self, what: str) -> None:
        """Raise where a number would describe a point that is no solution."""
        if not self.converged:
            raise NotConvergedError(
                f"the fit did not converge, so there are no {what}: simplify the model, or look for items that "
                "hardly correlate and for latents that are one"
            )

    def at(self, data: Moments | Patterns, theta: np.ndarray) -> Solution:
        """The same model at other moments and estimates, without rows."""
        return replace(self, data=data, theta=theta, raw=None)

    @property
    def n_rows(self) -> list[int]:
        """Rows by group, whatever they weigh."""
        sizes = [len(X) for X, _ in self.raw] if self.raw is not None else self.data.n
        return [int(round(n)) for n in sizes]

    # -- moments -----------------------------------------------------------------------------------------------
    def entries(self, k: int, theta: np.ndarray | None = None) -> np.ndarray:
        """Scaled matrix entries (B, n_entries) of group k at ``theta`` (B, npar), or at the estimates."""
        theta = self.theta[None] if theta is None else theta
        return entries(self.model, self.model.groups[k], theta, sample_of(self.data, k))

    def structure(self, k: int) -> tuple:
        """Pool columns, scaled covariances and means of all variables of group k; see ``estimate.structure``."""
        return structure(self.model, self.model.groups[k], self.entries(k))

    def implied(self, k: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Implied covariance and mean of all variables of group k in user units (observed first)."""
        _, C, mean = self.structure(k)
        s = self.model.scale
        return C[0] * np.outer(s, s), None if mean is None else mean[0] * s

    def implied_with_means(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The same of a model with a mean structure."""
        C, mean = self.implied(k)
        if mean is None:
            raise DataError("the model has no mean structure; fit it with meanstructure=True")
        return C, mean

    def implied_of(self, k: int = 0) -> dict:
        """``cov``, ``mean``, ``cov_lv`` and ``mean_lv`` of group k with names."""
        model, p = self.model, self.model.n_ov
        C, mean = self.implied(k)
        return {
            "cov": pd.DataFrame(C[:p, :p], index=model.ov, columns=model.ov),
            "mean": None if mean is None else pd.Series(mean[:p], index=model.ov),
            "cov_lv": pd.DataFrame(C[p:, p:], index=model.lv, columns=model.lv),
            "mean_lv": None if mean is None else pd.Series(mean[p:], index=model.lv),
        }

    def implied_moments(self) -> dict | list[dict]:
        """:meth:`implied_of` the one group, or a list of them with groups."""
        found = [self.implied_of(k) for k in range(self.model.n_groups)]
        return found[0] if len(found) == 1 else found

    def other_rows(self, k: int, theta: np.ndarray, kind: str) -> dict[int, np.ndarray]:
        """Values of the table's rows of group k that stand in no matrix; thresholds have some."""
        return {}

    # -- information -------------------------------------------------------------------------------------------
    def derivatives(self, model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient of F and expected information of a model of the same variables at ``theta`` (npar,)."""
        _, gradient, information = evaluate(model, self.data, theta[None])
        return gradient[0], information[0]

    @cached_property
    def expected_information(self) -> np.ndarray:
        """Expected information (npar, npar) of one observation."""
        if not self.model.npar:
            return np.zeros((0, 0))
        return evaluate(self.model, self.data, self.theta[None])[2][0]

    @cached_property
    def information(self) -> np.ndarray:
        """Expected or observed information (npar, npar) of one observation, as the fit asks."""
        if not self.model.npar or self.options.information == "expected":
            return self.expected_information
        return hessian(self.model, self.data, self.theta)

    @cached_property
    def bread(self) -> np.ndarray:
        return invert_information(self.information)

    @cached_property
    def expected_bread(self) -> np.ndarray:
        return invert_information(self.expected_information)


class Fitted(Protocol):
    """What works on a fit and is called by it needs of it."""

    @property
    def solution(self) -> Solution: ...

    @property
    def estimates(self) -> pd.DataFrame: ...


def row_name(row: Row) -> str:
    """Label of a row, or its name without blanks and with its group."""
    return row.label or row.name.replace(" ", "") + (f".g{row.group + 1}" if row.group else "")


def invert_information(info: np.ndarray) -> np.ndarray:
    """Inverse of an information matrix, through its correlation form so that units do not matter."""
    s = 1 / np.sqrt(np.maximum(np.abs(np.diag(info)), 1e-300))
    try:
        return np.linalg.inv(info * np.outer(s, s)) * np.outer(s, s)
    except np.linalg.LinAlgError:
        return np.full_like(info, np.nan)
