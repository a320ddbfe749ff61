"""Slopes of x at chosen values of the moderators, and their differences."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from ..core.arguments import Between, one_of
from ..core.errors import DataError
from .model import FittedModel

KIND = one_of("sd", "value", "percentile")
PERCENT = Between(0, 100, "both", array=True, hint="did you mean kind='value'?")
Point = tuple[str, object]


def points(model: FittedModel, name: str, at=None, kind: str = "sd") -> list[Point]:
    """Labels and raw values of a moderator: its groups, its two values, or where ``at`` says."""
    KIND.check("kind", kind)
    variable = model.variable(name)
    if variable.groups:
        wanted = variable.groups if at is None else [str(a) for a in np.atleast_1d(np.asarray(at, dtype=object))]
        variable.encode(wanted)
        return [(g, g) for g in wanted]
    if at is None and (two := model.values_of(name)):
        return [(f"{v:g}", float(v)) for v in two]
    column = model.data[name]
    at = (-1, 0, 1) if at is None else at
    Between(array=True, hint="give numbers on the moderator").check("at", at)
    at = np.atleast_1d(np.asarray(at, dtype=float))
    if kind == "value":
        return [(f"{a:g}", float(a)) for a in at]
    if kind == "percentile":
        PERCENT.check("at", at)
        return [(f"P{a:g}", float(np.percentile(column, a))) for a in at]
    labels = ["mean" if a == 0 else f"{a:+g} SD" for a in at]
    return [(s, float(column.mean() + a * column.std())) for s, a in zip(labels, at, strict=True)]


def corners(model: FittedModel, at, kind: str, second) -> list[tuple[Point, Point]]:
    """Every combination of points of the two moderators; ``("", None)`` where there is no second one."""
    if model.second_moderator is None:
        if second is not None:
            raise DataError("second= is for a model with second_moderator; this one has none")
        return [(p, ("", None)) for p in points(model, model.moderator, at, kind)]
    seconds = points(model, model.second_moderator, second, kind)
    return [(p, q) for q in seconds for p in points(model, model.moderator, at, kind)]


def weights_at(model: FittedModel, where: list[tuple[Point, Point]]) -> np.ndarray:
    """Weights of the slope of x, one row a combination."""
    return np.vstack([model.slope_weights(p, q) for (_, p), (_, q) in where])


def _observed(model: FittedModel, name: str, value) -> bool:
    if model.variable(name).groups:
        return True
    return bool(model.data[name].min() <= value <= model.data[name].max())


def simple_slopes(model: FittedModel, at=None, kind: str = "sd", second=None) -> pd.DataFrame:
    """Slope of x at each combination, and whether the combination lies inside what was observed."""
    where = corners(model, at, kind, second)
    table = model.combine(weights_at(model, where))
    table.insert(0, "at", [f"{p[0]}, {q[0]}" if q[0] else p[0] for p, q in where])
    table.insert(1, model.moderator, [p[1] for p, _ in where])
    inside = [_observed(model, model.moderator, p[1]) for p, _ in where]
    if model.second_moderator:
        table.insert(2, model.second_moderator, [q[1] for _, q in where])
        inside = [a and _observed(model, model.second_moderator, q[1]) for a, (_, q) in zip(inside, where, strict=True)]
    table["in_range"] = inside
    return table


def slope_differences(model: FittedModel, at=None, kind: str = "sd", second=None) -> pd.DataFrame:
    """Every pair of slopes against each other; p values as they are, and after Holm."""
    from statsmodels.stats.multitest import multipletests

    if at is None and not model.values_of(model.moderator):
        at = (-1, 1)
    if second is None and model.second_moderator and not model.values_of(model.second_moderator):
        second = (-1, 1)
    where = corners(model, at, kind, second)
    w, labels = weights_at(model, where), simple_slopes(model, at, kind, second)["at"]
    pairs = list(itertools.combinations(range(len(where)), 2))
    if not pairs:
        raise DataError("one slope has nothing to be compared with; give at least two values in at=")
    table = model.combine(np.array([w[i] - w[j] for i, j in pairs]))
    table.insert(0, "first", [labels[i] for i, _ in pairs])
    table.insert(1, "second", [labels[j] for _, j in pairs])
    table["pvalue_holm"] = multipletests(table["pvalue"], method="holm")[1]
    return table
