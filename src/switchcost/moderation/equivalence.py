"""Is a product smaller than anything that would matter? Two one-sided tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from ..core.arguments import check, one_of
from ..core.results import Result
from .model import FittedModel


@dataclass(frozen=True, eq=False, repr=False)
class Equivalence(Result):
    """Two one-sided tests of a product against a smallest effect of interest (Schuirmann 1987; Lakens 2017).

    Attributes
    ----------
    table : DataFrame
        Index ``above -margin`` and ``below margin``: ``statistic pvalue`` of each one-sided test.
    est, ci_lower, ci_upper : float
        The product and its interval of level 1 - 2 alpha, in the units of the margin.
    pvalue : float
        The larger of the two p values: equivalence is claimed below ``alpha``.
    equivalent : bool
        Whether it is claimed: the interval lies inside the margin.

    Notes
    -----
    Raw units: t = (b + margin) / se and (b - margin) / se with the model's degrees of freedom. Partial correlations:
    r = t / sqrt(t^2 + df), tested on Fisher's z with standard error 1 / sqrt(df - 1).
    """

    term: str
    est: float
    ci_lower: float
    ci_upper: float
    margin: float
    units: str
    alpha: float
    pvalue: float
    equivalent: bool
    table: pd.DataFrame
    n_obs: int

    def _heading(self) -> str:
        what = "coefficient" if self.units == "raw" else "partial correlation"
        verdict = (
            f"smaller than {self.margin:g} in either direction (p < {self.alpha:g})"
            if self.equivalent
            else f"an effect of {self.margin:g} or more cannot be excluded (p = {self.pvalue:.3f})"
        )
        level = f"{100 * (1 - 2 * self.alpha):g}%"
        return (
            f"Equivalence of {self.term!r}, n = {self.n_obs}: {what} {self.est:.3f}, {level} interval "
            f"{self.ci_lower:.3f} to {self.ci_upper:.3f}; {verdict}"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table)]


def equivalence(model: FittedModel, margin: float, units: str, alpha: float) -> Equivalence:
    """Two one-sided tests of the model's product."""
    check(margin=margin, alpha=alpha)
    one_of("raw", "partial_r").check("units", units)
    row, df = model.coefficients.loc[model.product], model.df_test
    if units == "raw":
        middle, se, edge = row["est"], row["se"], margin
        statistics = np.array([middle + edge, middle - edge]) / se
        p, critical = stdtr(df, statistics * [-1, 1]), stdtrit(df, 1 - alpha)
    else:  # by Fisher's z
        if margin >= 1:
            check(r_xm=margin)
        middle, se, edge = np.arctanh(row["t"] / np.sqrt(row["t"] ** 2 + df)), 1 / np.sqrt(df - 1), np.arctanh(margin)
        statistics = np.array([middle + edge, middle - edge]) / se
        p, critical = ndtr(statistics * [-1, 1]), ndtri(1 - alpha)
    ends = middle + np.array([0, -1, 1]) * critical * se
    est, low, high = (float(v) for v in (ends if units == "raw" else np.tanh(ends)))
    tests = pd.Index(["above -margin", "below margin"], name="test")
    table, largest = pd.DataFrame({"statistic": statistics, "pvalue": p}, index=tests), float(p.max())
    return Equivalence(
        model.product, est, low, high, margin, units, alpha, largest, largest < alpha, table, model.n_obs
    )
