"""One product under every combination of defensible choices."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..core import checks
from ..core.arguments import checked, shown
from ..core.errors import DataError, SwitchcostError
from ..core.results import Result
from .regression import moderate


@dataclass(frozen=True, eq=False, repr=False)
class SpecificationCurve(Result):
    """Result of :func:`specification_curve`.

    Attributes
    ----------
    table : DataFrame
        One row a specification, smallest product first: the choices by name, ``est se t pvalue ci_lower ci_upper`` of
        the product in standard deviations of y per standard deviation of x and of the moderator, ``n_obs``.
    choices : dict
        Name of each choice that varies, and its options.
    """

    table: pd.DataFrame
    choices: dict[str, tuple[str, ...]]
    n_obs: int
    level: float

    def _heading(self) -> str:
        est, p = self.table["est"], self.table["pvalue"]
        return (
            f"{len(est)} specifications of one product, n = {self.table['n_obs'].min()} to {self.n_obs}: median "
            f"{est.median():.3f}, from {est.min():.3f} to {est.max():.3f}; {(est < 0).sum()} negative, "
            f"{(p < 1 - self.level).sum()} with p < {1 - self.level:.2g} (they share people: not independent tests)"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table)]

    def plot(self, axes=None):
        """Estimates in order of size above, the choices behind each below; see ``plots.specification_curve``."""
        from .. import plots

        return plots.specification_curve(self, axes=axes)


def _options(given: Any) -> dict[str, Any]:
    """Options by label: one column, a list of columns, or a mapping from label to what it stands for."""
    if isinstance(given, Mapping) and given:
        return {str(k): v for k, v in given.items()}
    if not isinstance(given, (str, bool, list, tuple)) or not (given or given is False):
        raise DataError(f"an option is a column, a list of them or a dict {{label: column}}, and is {shown(given)}")
    return {str(v): v for v in ([given] if isinstance(given, (str, bool)) else given)}


def _labelled(name: str, given: Any, without: dict[str, Any]) -> Mapping[str, Any]:
    if given is not None and not isinstance(given, Mapping):
        raise DataError(f"{name} must be a dict with a label for each choice, and is {shown(given)}")
    return given or without


@checked(x=None, y=None, moderator=None, covariates=None, quadratic=None, cov_type=None)
def specification_curve(
    data: pd.DataFrame,
    *,
    y: str | Sequence[str] | Mapping[str, str],
    x: str | Sequence[str] | Mapping[str, str],
    moderator: str | Sequence[str] | Mapping[str, str],
    covariates: Mapping[str, Sequence[str]] | None = None,
    rows: Mapping[str, Any] | None = None,
    quadratic: bool | Sequence[bool] | Mapping[str, bool] = False,
    cov_type: str | Sequence[str] = "nonrobust",
    level: float = 0.95,
) -> SpecificationCurve:
    """Estimate one product under every combination of defensible choices (Simonsohn, Simmons & Nelson 2020).

    Parameters
    ----------
    data : DataFrame
        One row a person.
    y, x, moderator : str, sequence or mapping
        A column, several, or ``{label: column}``. All moderators must be numbers.
    covariates : mapping, optional
        ``{label: columns}``, for example ``{"none": [], "age": ["age"]}``.
    rows : mapping, optional
        ``{label: mask}``: which rows enter; booleans on the index of ``data``, or None for all.
    quadratic, cov_type : optional
        Options as in :func:`moderate`; ``{label: bool}`` names those of ``quadratic``.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    SpecificationCurve
        ``.table``, ``.choices``, ``.plot()``.

    Raises
    ------
    DataError
        A combination cannot be estimated (it is named), a mask does not fit the rows, or a moderator has groups.

    Notes
    -----
    Standard deviations are those of the rows used. The specifications rest on the same people, so that a count of
    small p values is no test; the curve shows what hangs on which choice.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> d = pd.DataFrame(rng.normal(size=(300, 3)), columns=["sat", "cost", "age"])
    >>> d["loyal"] = d.sat - .3 * d.sat * d.cost + rng.normal(size=300)
    >>> curve = specification_curve(d, y="loyal", x="sat", moderator="cost", quadratic=[False, True],
    ...                             covariates={"none": [], "age": ["age"]})
    >>> len(curve.table), list(curve.choices)
    (4, ['covariates', 'quadratic'])
    """
    data = checks.frame(data)
    options = {
        "y": _options(y), "x": _options(x), "moderator": _options(moderator),
        "covariates": _labelled("covariates", covariates, {"none": ()}),
        "rows": _labelled("rows", rows, {"all": None}), "quadratic": _options(quadratic), "cov_type": _options(cov_type),
    }  # fmt: skip
    found = []
    for labels in itertools.product(*options.values()):
        chosen = dict(zip(options, labels, strict=True))
        values = {name: options[name][label] for name, label in chosen.items()}
        found.append(chosen | _one(data, chosen, values, level))
    choices = {name: tuple(each) for name, each in options.items() if len(each) > 1}
    fixed = [name for name in options if name not in choices]
    table = pd.DataFrame(found).drop(columns=fixed).sort_values("est", kind="stable", ignore_index=True)
    return SpecificationCurve(table, choices, int(table["n_obs"].max()), level)


def _one(data: pd.DataFrame, chosen: dict[str, str], values: dict[str, Any], level: float) -> dict[str, float]:
    """The product of one specification in standard deviations; the options it fails under are named."""
    where = ", ".join(f"{name} {label}" for name, label in chosen.items())
    mask = values.pop("rows")
    if mask is not None:
        if not isinstance(mask, (pd.Series, list, tuple, np.ndarray)) or len(mask) != len(data):
            raise DataError(f"rows {chosen['rows']!r} must be one True or False for each of the {len(data)} rows")
        mask = pd.Series(mask) if isinstance(mask, pd.Series) else pd.Series(list(mask), index=data.index)
        if not mask.index.equals(data.index) or mask.dtype != bool:
            raise DataError(f"rows {chosen['rows']!r} must be one True or False for each of the {len(data)} rows")
        data = data[mask]
    try:
        model = moderate(data, **values, level=level)
    except SwitchcostError as error:
        raise DataError(f"the specification ({where}) cannot be estimated: {error}") from error
    if model.variable(model.moderator).groups:
        raise DataError(f"moderator {model.moderator!r} has groups, and a curve needs one product; code it 0 and 1")
    row = model.coefficients.loc[model.product]
    unit = model.standardized[model.product] / row["est"]
    scaled = row[["est", "se", "ci_lower", "ci_upper"]] * unit
    return {**row.to_dict(), **scaled.to_dict(), "n_obs": model.n_obs}
