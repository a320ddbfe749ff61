"""What the stages of a fit hand on: how it was asked for, what is fitted, and what the saturated model says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from .design import Design


@dataclass(frozen=True)
class Options:
    """How a fit was asked for; the arguments of :func:`semfit.fit` after defaults were filled in.

    Attributes
    ----------
    information : str
        ``"expected"`` or ``"observed"``, never None.
    meanstructure : bool
        Whether the model has means, asked for or not.
    parameterization : str
        ``"delta"`` or ``"theta"``, of models with ordered variables.
    """

    estimator: str = "ML"
    missing: str = "listwise"
    std_lv: bool = False
    meanstructure: bool = False
    fixed_x: bool = True
    orthogonal: bool = False
    group: str | None = None
    group_equal: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()
    information: str = "expected"
    parameterization: str = "delta"
    cluster: str | None = None
    sampling_weights: str | None = None

    @property
    def robust(self) -> bool:
        """Whether standard errors and the test come from the casewise scores."""
        return self.estimator == "MLR" or self.cluster is not None


class Rows(NamedTuple):
    """Rows of one group in the order of the model's observed variables, and the index they have in the data."""

    values: np.ndarray
    index: pd.Index


@dataclass(frozen=True, eq=False)
class Source:
    """What is fitted, checked: rows by group, or covariance matrices and means by group.

    Attributes
    ----------
    n : list of float
        Rows by group, or the sum of their weights.
    labels : list of str
        Names of the groups; empty when there is one.
    notes : list of str
        What was left out, and why.
    dropped : int
        Rows left out.
    rows : list of Rows or None
        None when matrices were handed in.
    positions : list of array of int
        Where the rows of each group stand in the data.
    cov : list of array, shape (p, p)
        Covariance matrices with divisor n; empty when there are rows.
    mean : list of array, shape (p,), or None
        Means, None where none were given.
    design : tuple of Design
        Clusters and weights by group; empty without.
    """

    n: list[float]
    labels: list[str]
    notes: list[str]
    dropped: int = 0
    rows: list[Rows] | None = None
    positions: tuple[np.ndarray, ...] = ()
    cov: tuple[np.ndarray, ...] = ()
    mean: tuple[np.ndarray | None, ...] = ()
    design: tuple[Design, ...] = ()

    def weights(self, k: int) -> np.ndarray | None:
        return self.design[k].weights if self.design else None

    def where(self, k: int) -> str:
        """``" in group 'north'"`` where there are groups, for a message about group ``k``."""
        return f" in group {self.labels[k]!r}" if self.labels else ""


@dataclass(frozen=True, eq=False)
class Saturated:
    """The saturated and the independence model of the same data.

    Attributes
    ----------
    cov, mean : list of array
        Moments by group in user units, divisor n; with gaps those of EM.
    logl : float
        Log-likelihood of the saturated model.
    x_logl : float
        Part of it that belongs to fixed predictors; 0 where none are fixed.
    cells : array of float, shape (p,)
        Observed values by variable.
    baseline_chisq, baseline_df : float, int
        Test of the independence model.
    alone : list of (mean, variance) by group
        Each variable on its own, from its observed values; empty with complete data.
    """

    cov: list[np.ndarray]
    mean: list[np.ndarray]
    logl: float
    x_logl: float
    cells: np.ndarray
    baseline_chisq: float
    baseline_df: int
    alone: tuple[tuple[np.ndarray, np.ndarray], ...] = ()
