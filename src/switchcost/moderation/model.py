"""A fitted model of products: coefficients, and slopes of x at any values of the moderators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ..core.errors import DataError
from ..core.results import Result
from .estimation import Estimate, least_squares
from .terms import Design, Exponents, Variable


@dataclass(frozen=True, eq=False, repr=False)
class FittedModel(Result):
    """Design, estimate and how they were made; every number of the results comes from here."""

    design: Design
    estimate: Estimate
    cov_type: str
    clusters: np.ndarray | None
    level: float

    @property
    def y(self) -> str:
        """Name of the outcome."""
        return self.design.y

    @property
    def x(self) -> str:
        """Name of the predictor."""
        return self.design.variables[0].name

    @property
    def moderator(self) -> str:
        """Name of the moderator."""
        return self.design.variables[1].name

    @property
    def second_moderator(self) -> str | None:
        """Name of the second moderator, if there is one."""
        return self.design.variables[2].name if len(self.design.variables) > 2 else None

    @property
    def covariates(self) -> list[str]:
        """Columns of the covariates, groups as ``name[group]``."""
        return list(self.design.covariates.columns)

    @property
    def data(self) -> pd.DataFrame:
        """The rows used: y, x and moderators."""
        return self.design.data

    @property
    def center(self) -> bool:
        """Whether x and moderators were centred."""
        return self.design.center

    @property
    def centers(self) -> dict[str, float]:
        """What was subtracted from each number before the products were formed."""
        return {v.name: v.center for v in self.design.variables if not v.groups}

    @property
    def n_used(self) -> int:
        """Rows in the model."""
        return len(self.design.data)

    n_obs = n_used

    @property
    def n_dropped(self) -> int:
        """Rows left out because a value was missing."""
        return self.design.n_total - self.n_used

    @property
    def r2(self) -> float:
        """Share of y's variance explained."""
        return self.estimate.r2

    @property
    def adj_r2(self) -> float:
        """R2 adjusted for the number of predictors."""
        return self.estimate.adj_r2

    @property
    def df_resid(self) -> int:
        """n - k."""
        return self.estimate.df_resid

    @property
    def df_test(self) -> int:
        """Degrees of freedom of the t tests."""
        return self.estimate.df_test

    @property
    def warnings(self) -> tuple[str, ...]:  # type: ignore[override]
        """How columns were read where it was not plain."""
        return self.design.notes

    @cached_property
    def coefficients(self) -> pd.DataFrame:
        """Index ``term``; columns ``est se t pvalue ci_lower ci_upper``."""
        return self.combine(np.eye(len(self.estimate.beta))).set_index(pd.Index(self.design.names, name="term"))

    @property
    def products(self) -> list[str]:
        """Names of the highest products; one, unless a moderator has more than two groups."""
        return [n for n, t in zip(self.design.names[self.design.n_fixed :], self.design.terms, strict=True)
                if sum(t) == len(self.design.variables) and max(t) == 1]  # fmt: skip

    @property
    def product(self) -> str:
        """Name of the highest product's row in ``coefficients``."""
        if len(self.products) > 1:
            raise DataError(
                f"the model has {len(self.products)} products ({', '.join(self.products)}), one for each group; "
                "their joint test is the last row of .steps"
            )
        return self.products[0]

    def variable(self, name: str) -> Variable:
        """The variable of that name."""
        return next(v for v in self.design.variables if v.name == name)

    def values_of(self, name: str) -> list:
        """Groups, or the two values of a two-valued number; empty for other numbers."""
        groups = self.variable(name).groups
        values = [] if groups else sorted(self.data[name].unique().tolist())
        return list(groups) or (values if len(values) == 2 else [])

    def _points(self, x, moderator, second) -> list[np.ndarray]:
        values = [x, moderator]
        if self.second_moderator:
            if second is None:
                groups = self.variable(self.second_moderator).groups
                second = groups[0] if groups else self.data[self.second_moderator].mean()
            values.append(second)
        return list(np.broadcast_arrays(*(np.atleast_1d(np.asarray(v)) for v in values)))

    def slope_weights(self, moderator, second=None, x=None) -> np.ndarray:
        """Weights on the coefficients whose sum is dy/dx; shape (points, coefficients)."""
        points = self._points(self.data[self.x].mean() if x is None else x, moderator, second)
        terms = self.design.term_values(points, derivative=True)
        return np.column_stack([np.zeros((len(terms), self.design.n_fixed)), terms])

    def level_weights(self, x, moderator, second=None) -> np.ndarray:
        """Weights on the coefficients whose sum is the expected y, covariates at their means."""
        terms = self.design.term_values(self._points(x, moderator, second))
        fixed = np.r_[1.0, self.design.covariates.mean().to_numpy()]
        return np.column_stack([np.tile(fixed, (len(terms), 1)), terms])

    def combine(self, weights: np.ndarray) -> pd.DataFrame:
        """Weighted sums of the coefficients with ``se t pvalue ci_lower ci_upper``, one row a row of weights."""
        return self.estimate.combine(weights, self.level)

    def refit(self, terms: Sequence[Exponents]) -> FittedModel:
        """The same rows with other terms."""
        return fitted(replace(self.design, terms=tuple(terms)), self.cov_type, self.clusters, self.level)


def fitted(design: Design, cov_type: str, clusters: np.ndarray | None, level: float) -> FittedModel:
    """Estimate a design."""
    estimate = least_squares(design.matrix(), design.data[design.y].to_numpy(), design.names, cov_type, clusters)
    if estimate.r2 > 1 - 1e-12:
        raise DataError(
            f"{design.y!r} is an exact combination of the terms of the model (R2 = 1); nothing is left to test"
        )
    return FittedModel(design, estimate, cov_type, clusters, level)
