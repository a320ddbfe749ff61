"""Is the moderation a straight line? An inverted U, and slopes within bins of the moderator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr, stdtrit

from semfit.johnson_neyman import ConditionalSlope

from ..core.arguments import Between
from ..core.errors import DataError
from ..core.results import Result
from .estimation import least_squares, wald
from .model import FittedModel

BINS = Between(2, closed="left", whole=True)


def _one_number(model: FittedModel, what: str) -> None:
    if model.second_moderator or model.values_of(model.moderator):
        raise DataError(f"{what} is for one moderator that is a number with more than two values")


@dataclass(frozen=True, eq=False, repr=False)
class InvertedU(Result):
    """Slope of x as a quadratic in the moderator: does it rise and then fall?

    Attributes
    ----------
    coefficients : DataFrame
        The model ``y ~ x + m + m^2 + x:m + x:m^2`` (and covariates): ``est se t pvalue ci_lower ci_upper``.
    table : DataFrame
        Change of the slope of x per unit of the moderator at its smallest and largest observed value:
        ``est se t pvalue``; p is one-sided (rising at the low end, falling at the high end for an inverted U; the
        other way round for a U).
    shape : str
        ``"inverted U"`` or ``"U"``, by the sign of x:m^2.
    turning_point, slope_at_turning_point : float
        Where the slope is largest (smallest for a U), in raw units of the moderator, and the slope there.
    ci_lower, ci_upper : float
        Fieller's interval of the turning point; infinite where x:m^2 does not differ from zero.
    pvalue : float
        Larger of the two one-sided p values (Sasabuchi 1980; Lind & Mehlum 2010): small only if the slope both rises
        and falls within the data; 1 when the turning point lies outside them.

    Notes
    -----
    A significant x:m^2 alone is no inverted U: a curve that only flattens has one too.
    """

    coefficients: pd.DataFrame
    table: pd.DataFrame
    moderator: str
    shape: str
    turning_point: float
    ci_lower: float
    ci_upper: float
    slope_at_turning_point: float
    pvalue: float
    level: float
    n_obs: int
    model: FittedModel

    def _heading(self) -> str:
        span = f"{100 * self.level:g}% interval {self.ci_lower:.3g} to {self.ci_upper:.3g}"
        claimed = self.pvalue < 1 - self.level
        verdict = f"the data show {'an' if self.shape[0] == 'i' else 'a'} {self.shape}"
        verdict = verdict if claimed else f"{self.shape} not shown"
        return (
            f"Slope of x along {self.moderator!r}, n = {self.n_obs}: turning point {self.turning_point:.3g} ({span}), "
            f"slope there {self.slope_at_turning_point:.3f}; {verdict} (p = {self.pvalue:.3f})"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("Coefficients", self.coefficients), ("Change of the slope", self.table)]


def inverted_u(model: FittedModel) -> InvertedU:
    """Fit the slope of x as a quadratic in the moderator, and test that it turns within the data."""
    _one_number(model, "inverted_u()")
    fit = model.refit([(1, 0), (0, 1), (0, 2), (1, 1), (1, 2)])
    column = model.data[model.moderator]
    low, high, centre = float(column.min()), float(column.max()), model.design.variables[1].center
    k = len(fit.estimate.beta)
    bend, tilt = fit.estimate.beta[k - 1], fit.estimate.beta[k - 2]
    ends = np.zeros((2, k))
    ends[:, k - 2], ends[:, k - 1] = 1, [2 * (low - centre), 2 * (high - centre)]
    table = fit.combine(ends)[["est", "se", "t"]]
    sign = -1 if bend < 0 else 1  # an inverted U rises at the low end and falls at the high end
    table["pvalue"] = stdtr(fit.df_test, np.array([sign, -sign]) * table["t"])
    table.index = pd.Index([f"{model.moderator} = {v:g}" for v in (low, high)], name="at")
    turn = float(centre - tilt / (2 * bend))
    lower, upper = _fieller(tilt, bend, fit.estimate.cov[-2:, -2:], stdtrit(fit.df_test, 0.5 + model.level / 2))
    return InvertedU(
        fit.coefficients, table, model.moderator, "inverted U" if bend < 0 else "U", turn, centre + lower,
        centre + upper, float(fit.combine(fit.slope_weights(turn))["est"].iloc[0]),
        float(table["pvalue"].max()) if low < turn < high else 1.0, model.level, model.n_obs, fit,
    )  # fmt: skip


def _fieller(tilt: float, bend: float, cov: np.ndarray, critical: float) -> tuple[float, float]:
    """Interval of -tilt / (2 bend): all d for which tilt + 2 bend d does not differ from zero."""
    if abs(bend) <= critical * np.sqrt(cov[1, 1]):
        return -np.inf, np.inf
    low, high = ConditionalSlope(tilt, 2 * bend, cov[0, 0], 2 * cov[0, 1], 4 * cov[1, 1]).bounds(critical)
    return low, high


@dataclass(frozen=True, eq=False, repr=False)
class BinnedSlopes(Result):
    """Slopes of x within bins of the moderator, beside the straight line (Hainmueller, Mummolo & Xu 2019).

    Attributes
    ----------
    table : DataFrame
        Index ``bin``; ``lower upper median`` of the moderator, ``n share``, the slope at the median ``est se t pvalue
        ci_lower ci_upper``, ``linear`` (slope of the straight model there), ``x_lower x_upper`` (smallest and largest
        x among the rows of the bin) and ``support``: the share of the whole range of x that these cover.
    f, df1, df2, pvalue : float
        Wald test that the bins add nothing to the straight interaction.

    Notes
    -----
    y = sum over bins of g_j [mu_j + a_j x + e_j (m - m_j) + b_j x (m - m_j)] and covariates; a_j is the slope at the
    median m_j of bin j. Equals ``interflex(estimator = "binning")``. A slope where few values of x were seen with
    such values of the moderator rests on the form of the model, not on people.
    """

    table: pd.DataFrame
    moderator: str
    f: float
    df1: int
    df2: int
    pvalue: float
    level: float
    n_obs: int

    def _heading(self) -> str:
        fits = "bends" if self.pvalue < 1 - self.level else "is not shown to bend"
        return (
            f"Slope of x in {len(self.table)} bins of {self.moderator!r}, n = {self.n_obs}: the moderation {fits} "
            f"(bins against a straight line: F({self.df1}, {self.df2}) = {self.f:.2f}, p = {self.pvalue:.3f})"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table)]


def binned(model: FittedModel, n_bins: int = 3) -> BinnedSlopes:
    """Slopes at the medians of bins with about equally many rows."""
    _one_number(model, "binned()")
    BINS.check("n_bins", n_bins)
    x, m = model.data[model.x].to_numpy(), model.data[model.moderator].to_numpy()
    cuts = np.quantile(m, np.linspace(0, 1, n_bins + 1))
    if len(np.unique(cuts)) <= n_bins:
        raise DataError(
            f"{model.moderator!r} has too few different values for {n_bins} bins of about equal size; use fewer bins"
        )
    which = np.searchsorted(cuts[1:-1], m, side="left")
    member = (which[:, None] == np.arange(n_bins)).astype(float)
    medians = np.array([np.median(m[which == j]) for j in range(n_bins)])
    away = m - medians[which]
    blocks = [member, member * x[:, None], member * away[:, None], member * (x * away)[:, None]]
    names = [f"{what} in bin {j + 1}" for what in ("level", "slope", "moderator", "product") for j in range(n_bins)]
    covariates = model.design.covariates
    y = model.data[model.y].to_numpy()
    fit = least_squares(
        np.column_stack([*blocks, covariates]), y, [*names, *covariates], model.cov_type, model.clusters
    )
    slopes = fit.combine(np.eye(len(fit.beta))[n_bins : 2 * n_bins], model.level)
    span = np.ptp(x)
    rows = [x[which == j] for j in range(n_bins)]
    table = pd.DataFrame(
        {
            "lower": cuts[:-1], "upper": cuts[1:], "median": medians,
            "n": [len(r) for r in rows], "share": [len(r) / len(x) for r in rows],
        }
    ).join(slopes)  # fmt: skip
    table["linear"] = model.combine(model.slope_weights(medians))["est"]
    table["x_lower"], table["x_upper"] = [r.min() for r in rows], [r.max() for r in rows]
    table["support"] = [np.ptp(r) / span for r in rows]
    table.index = pd.RangeIndex(1, n_bins + 1, name="bin")
    f, p = _bins_against_line(model, x, m, member, y)
    return BinnedSlopes(table, model.moderator, f, 4 * (n_bins - 1), fit.df_test, p, model.level, model.n_obs)


def _bins_against_line(
    model: FittedModel, x: np.ndarray, m: np.ndarray, member: np.ndarray, y: np.ndarray
) -> tuple[float, float]:
    """Wald test of the bins' own levels, slopes and products on top of the straight interaction."""
    base = np.column_stack([np.ones_like(x), x, m, x * m, model.design.covariates])
    extra = member[:, 1:]
    more = [extra * v[:, None] for v in (np.ones_like(x), x, m, x * m)]
    X = np.column_stack([base, *more])
    names = [f"column {i + 1}" for i in range(X.shape[1])]
    fit = least_squares(X, y, names, model.cov_type, model.clusters)
    return wald(fit, list(range(base.shape[1], X.shape[1])))
