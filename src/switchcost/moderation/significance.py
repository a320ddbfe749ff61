"""Johnson-Neyman: along which values of the moderator the slope of x differs from zero."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from semfit.johnson_neyman import ConditionalSlope

from ..core.arguments import check
from ..core.errors import DataError
from ..core.results import Result
from .model import FittedModel
from .slopes import Point, points


@dataclass(frozen=True, eq=False, repr=False)
class JohnsonNeyman(Result):
    """Where along the moderator the slope of x differs from zero.

    Attributes
    ----------
    bounds : tuple of float
        Values of the moderator, in its raw units, at which the slope is exactly at the edge of significance, also
        when they lie outside the observed range; those of each value of a second moderator in turn.
    table : DataFrame
        One row a bound: ``bound in_range``, with a column of the second moderator where there is one.
    regions : DataFrame
        One row a region inside the observed range: ``lower upper slope n share`` with slope ``"positive"``,
        ``"negative"`` or ``"not different from zero"`` and the number and share of the sample (of the rows at that value of
        a two-valued or grouped second moderator) inside.
    critical_t : float
        The critical value used; larger than the usual one when the false-discovery rate is held.
    second : tuple
        Values of the second moderator at which the bounds hold; empty where there is none.
    """

    bounds: tuple[float, ...]
    table: pd.DataFrame
    regions: pd.DataFrame
    alpha: float
    critical_t: float
    fdr: bool
    moderator: str
    observed: tuple[float, float]
    n_obs: int
    second_moderator: str | None = None
    second: tuple = ()
    _model: FittedModel | None = field(default=None)

    @property
    def inside(self) -> tuple[float, ...]:
        """The bounds that lie inside the observed range of the moderator."""
        return tuple(b for b in self.bounds if self.observed[0] <= b <= self.observed[1])

    def _heading(self) -> str:
        low, high = self.observed
        what = "false-discovery rate" if self.fdr else "alpha"
        lines = [f"Johnson-Neyman, moderator {self.moderator!r} observed {low:g} to {high:g}, {what} {self.alpha:g}"]
        groups = [(f"{self.second_moderator} = {_shown(s)}: ", s) for s in self.second] or [("", None)]
        for label, value in groups:
            rows = self.table if value is None else self.table[self.table[self.second_moderator] == value]
            found = "; ".join(
                f"{b:.4g}" + ("" if inside else " (outside the data)")
                for b, inside in zip(rows["bound"], rows["in_range"], strict=True)
            )
            lines.append(label + (f"bounds {found}" if found else "no bound: the verdict is the same everywhere"))
        return "\n".join(lines)

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.regions)]

    def plot(self, ax=None):
        """Slope of x along the moderator with its band and the bounds; returns the axes."""
        from .. import plots

        second = self.second[0] if len(self.second) == 1 else None
        return plots.johnson_neyman(self._model, ax=ax, alpha=self.alpha, fdr=self.fdr, second=second)


def _shown(value) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _seconds(model: FittedModel, second) -> list[Point]:
    """Where on the second moderator: as asked, else its groups or two values, else its mean."""
    name = model.second_moderator
    if name is None:
        if second is not None:
            raise DataError("second= is for a model with second_moderator; this one has none")
        return [("", None)]
    if second is None and not model.values_of(name):
        return [("mean", float(model.data[name].mean()))]
    return points(model, name, second, "value")


def _one(model: FittedModel, second, critical: float) -> tuple[tuple[float, ...], pd.DataFrame]:
    """Bounds and regions at one value of the second moderator."""
    column, name = model.data[model.moderator].to_numpy(), model.second_moderator
    own = np.ones(len(column), bool)
    if name and second in model.values_of(name):
        own = (model.data[name] == second).to_numpy()
    center = float(column.mean())
    at_zero, at_one = model.slope_weights([center, center + 1.0], second)
    pair = np.vstack([at_zero, at_one - at_zero])
    (a, b), V = pair @ model.estimate.beta, pair @ model.estimate.cov @ pair.T
    line = ConditionalSlope(float(a), float(b), V[0, 0], V[0, 1], V[1, 1])
    regions = line.regions(critical, float(column.min()) - center, float(column.max()) - center)
    rows = []
    for i, region in enumerate(regions):
        left, right, last = center + region.lower, center + region.upper, i == len(regions) - 1
        inside = own & ((column >= left) | (i == 0)) & ((column < right) | last)
        n = int(inside.sum())
        rows.append({"lower": left, "upper": right, "slope": region.verdict, "n": n, "share": n / own.sum()})
    bounds = tuple(center + d for d in line.bounds(critical))
    return bounds, pd.DataFrame(rows)


def johnson_neyman(model: FittedModel, alpha: float | None, fdr: bool, second) -> JohnsonNeyman:
    """Bounds and regions of a model whose moderator is a number with more than two values."""
    alpha = 1 - model.level if alpha is None else alpha
    check(alpha=alpha)
    if found := model.values_of(model.moderator):
        kind = "groups" if model.variable(model.moderator).groups else "two values"
        raise DataError(
            f"moderator {model.moderator!r} has {kind} ({', '.join(map(_shown, found))}); between them there is no "
            "region. Use simple_slopes() for the slope in each and slope_differences() for their comparison."
        )
    seconds = _seconds(model, second)
    values = np.unique(model.data[model.moderator])
    critical = float(stdtrit(model.df_test, 1 - alpha / 2))
    if fdr:
        p = np.sort(np.concatenate([model.combine(model.slope_weights(values, s))["pvalue"] for _, s in seconds]))
        passed = np.flatnonzero(p <= alpha * np.arange(1, len(p) + 1) / len(p))
        share = (passed[-1] + 1 if len(passed) else 1) / len(p)
        critical = float(stdtrit(model.df_test, 1 - share * alpha / 2))
    observed = (float(values[0]), float(values[-1]))
    found, bound_rows, regions = [], [], []
    for _, value in seconds:
        bounds, region = _one(model, value, critical)
        here = {} if model.second_moderator is None else {model.second_moderator: value}
        found += bounds
        bound_rows += [here | {"bound": b, "in_range": observed[0] <= b <= observed[1]} for b in bounds]
        regions.append(region if not here else pd.DataFrame(here, index=region.index).join(region))
    columns = [*([model.second_moderator] if model.second_moderator else []), "bound", "in_range"]
    return JohnsonNeyman(
        tuple(found), pd.DataFrame(bound_rows, columns=columns), pd.concat(regions, ignore_index=True), alpha,
        critical, fdr, model.moderator, observed, model.n_obs, model.second_moderator,
        tuple(v for _, v in seconds if v is not None), model,
    )  # fmt: skip
