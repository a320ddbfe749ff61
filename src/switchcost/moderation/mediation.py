"""Mediation: what of the effect of x on y goes through mediators, and whether that depends on a moderator."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core import checks
from ..core.arguments import NAMES, checked, one_of
from ..core.errors import DataError
from ..core.inference import default_seed
from ..core.results import Result
from .estimation import Estimate, least_squares
from .regression import check_roles, nominal_columns
from .resampling import bias_corrected_interval, percentile_interval, resampled
from .terms import Variable, read_columns, variables_of

PERCENTILES = (16, 50, 84)
INDEX = "index of moderated mediation"


@dataclass(frozen=True, eq=False, repr=False)
class Mediation(Result):
    """Result of :func:`mediate`.

    Attributes
    ----------
    table : DataFrame
        One row an effect: ``effect`` (``"indirect"``, ``"total indirect"``, ``"direct"``, ``"total"``, ``"index of
        moderated mediation"``, ``"difference"``), ``mediator``, ``at`` (value or group of the moderator), ``est``,
        bootstrap ``se``, percentile ``ci_lower ci_upper``, bias-corrected ``bc_lower bc_upper``, and ``std_all``:
        standard deviations of y per standard deviation of x.
    paths : DataFrame
        The regressions: ``outcome term est se t pvalue ci_lower ci_upper``. Paths of a moderated stage hold at the
        mean of the moderator, or in its reference group.
    draws : DataFrame
        Every effect in every bootstrap sample, columns in the order of ``table``.
    n_obs, n_dropped, n_boot : int
        Rows used, rows left out for missing values, bootstrap samples that could be estimated.
    """

    table: pd.DataFrame
    paths: pd.DataFrame
    draws: pd.DataFrame
    x: str
    mediators: tuple[str, ...]
    y: str
    moderator: str | None
    moderates: str | None
    level: float
    seed: int
    n_obs: int
    n_dropped: int
    n_boot: int
    warnings: tuple[str, ...] = ()

    def _heading(self) -> str:
        moderated = f", {self.moderator!r} moderates path {self.moderates}" if self.moderator else ""
        rows = "row" if self.n_dropped == 1 else "rows"
        return (
            f"Mediation: {self.x!r} -> {', '.join(map(repr, self.mediators))} -> {self.y!r}{moderated}; n = {self.n_obs} "
            f"({self.n_dropped} {rows} dropped for missing values); {self.n_boot} bootstrap samples, seed {self.seed}, "
            f"{100 * self.level:g}% intervals"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("Effects", self.table), ("Paths", self.paths)]


@dataclass(frozen=True, eq=False)
class _Equation:
    """One regression; where in it stand the path of interest and its products with the moderator."""

    outcome: str
    X: np.ndarray
    y: np.ndarray
    names: list[str]

    def path(self, draws: np.ndarray, name: str, moderator: Variable | None, at) -> np.ndarray:
        """The path's coefficient at a value of the moderator, in every draw."""
        value = draws[:, self.names.index(name)]
        if moderator is not None and f"{name}:{moderator.columns[0]}" in self.names:
            places = [self.names.index(f"{name}:{c}") for c in moderator.columns]
            value = value + draws[:, places] @ moderator.encode([at])[0]
        return value


@dataclass(frozen=True)
class _Stages:
    """Who leads to whom, and which of these paths the moderator changes."""

    x: str
    mediators: tuple[str, ...]
    y: str
    chain: bool  # each mediator also leads to those after it
    moderator: Variable | None
    moderates: str

    @property
    def routes(self) -> list[tuple[str, ...]]:
        """The mediators on each way from x to y."""
        longest = len(self.mediators) if self.chain else 1
        return [r for k in range(1, longest + 1) for r in itertools.combinations(self.mediators, k)]

    def terms(self, outcome: str) -> list[tuple[str, ...]]:
        """What predicts an outcome: a name, or a name and the moderator that multiplies it."""
        last = outcome == self.y
        earlier = self.mediators if last else self.mediators[: self.mediators.index(outcome)] if self.chain else ()
        own: list[tuple[str, ...]] = [(name,) for name in (self.x, *earlier)]
        if self.moderator is None or self.moderates not in ("both", "b" if last else "a"):
            return own
        w = self.moderator.name
        return [*own, (w,), *((name, w) for name in (self.mediators if last else (self.x,)))]


@checked(m=NAMES, moderates=one_of("a", "b", "both"))
def mediate(
    data: pd.DataFrame,
    *,
    x: str,
    m: str | Sequence[str],
    y: str,
    moderator: str | None = None,
    moderates: str = "a",
    serial: bool = False,
    covariates: Sequence[str] = (),
    n_boot: int = 2000,
    seed: int | None = None,
    level: float = 0.95,
    reference: Mapping[str, str] | None = None,
    codebook: pd.DataFrame | None = None,
) -> Mediation:
    """Indirect effects with bootstrap intervals, moderated ones included.

    Parameters
    ----------
    data : DataFrame
        One row a person.
    x, y : str
        Predictor and outcome, numbers.
    m : str or sequence of str
        Mediator, or several: parallel ones, or with ``serial`` a chain in the order given.
    moderator : str, optional
        A number or groups that change a stage of the mediation.
    moderates : str, default "a"
        ``"a"``: x -> m (PROCESS model 7), ``"b"``: m -> y (model 14), ``"both"`` (model 58).
    serial : bool, default False
        Each mediator also leads to those after it (PROCESS model 6); ``mediator`` of the table is then a route.
    covariates : sequence of str
        Enter every regression; words enter as groups.
    n_boot : int, default 2000
        Bootstrap samples, at least 20.
    seed : int, optional
        The seed of the package when left out.
    level : float, default 0.95
        Confidence level of the intervals.
    reference, codebook : optional
        As in :func:`moderate`.

    Returns
    -------
    Mediation
        ``.table`` of effects, ``.paths``, ``.draws``.

    Raises
    ------
    DataError
        A name is not a column or has two roles, x, m or y hold words, the rows are too few, or a chain has a moderator.

    Notes
    -----
    m = i + a x, y = i + c' x + b m, indirect effect a b; along a chain, the product of its paths. With a moderator w of
    the first stage (a + a_w w) b, whose change per unit of w is the index of moderated mediation a_w b (Hayes 2015).
    When both stages are moderated the indirect effect is not a straight line in w, and differences between its values
    are given instead. Conditional effects stand at the 16th, 50th and 84th percentile of w, or in each group. One
    bootstrap of the rows serves all effects; ``bc`` intervals are moved by the share of draws below the estimate (Efron
    1982). Paths, direct, indirect and total effects equal ``pingouin.mediation_analysis``, except that its row ``Y ~ M``
    is the slope of m *without* x: here b is held at x. Checked against R (tests/reference/mediation.R).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> d = pd.DataFrame({"sat": rng.normal(size=300)})
    >>> d["trust"] = 0.5 * d.sat + rng.normal(size=300)
    >>> d["loyal"] = 0.2 * d.sat + 0.4 * d.trust + rng.normal(size=300)
    >>> result = mediate(d, x="sat", m="trust", y="loyal", n_boot=200)
    >>> list(result.table["effect"])
    ['indirect', 'direct', 'total']
    """
    data = checks.frame(data).reset_index(drop=True)
    mediators = [m] if isinstance(m, str) else list(m)
    if not mediators:
        raise DataError("m names no mediator; give a column name or a list of them")
    if serial and moderator is not None:
        raise DataError("serial mediators take no moderator here; leave one of the two out")
    roles = {"y": y, "x": x, **{f"m{i + 1}" if len(mediators) > 1 else "m": name for i, name in enumerate(mediators)}}
    if moderator is not None:
        roles["moderator"] = moderator
    named = [covariates] if isinstance(covariates, str) else list(covariates)
    check_roles(data, roles, named)
    frame, notes = read_columns(data, roles, named, nominal_columns(codebook))
    kept, dropped = checks.complete_rows(frame)
    if dropped:
        checks.numeric(kept[[c for c in kept.columns if kept[c].dtype.kind == "f"]])
    variables, more = variables_of(kept, [moderator] if moderator else [], reference or {})
    stages = _Stages(x, tuple(mediators), y, serial, variables[moderator] if moderator else None, moderates)
    entered = [(name,) for name in named]
    equations = [_equation(kept, variables, n, [*entered, *stages.terms(n)]) for n in [*mediators, y]]
    fits = [least_squares(e.X, e.y, e.names) for e in equations]
    coefficients = resampled([(e.X, e.y) for e in equations], n_boot, seed)
    points = _points(kept, stages.moderator)
    labels, est = _effects(stages, equations, [f.beta[None] for f in fits], points)
    _, draws = _effects(stages, equations, coefficients, points)
    table = pd.DataFrame(labels, columns=["effect", "mediator", "at"])
    table["est"], table["se"] = est[0], draws.std(axis=0, ddof=1)
    table["ci_lower"], table["ci_upper"] = percentile_interval(draws, level)
    table["bc_lower"], table["bc_upper"] = bias_corrected_interval(draws, est[0], level)
    unit = kept[x].std() / kept[y].std()
    table["std_all"] = np.where(table["effect"] == INDEX, np.nan, table["est"] * unit)
    return Mediation(
        table, _path_table(equations, fits, level), pd.DataFrame(draws), x, tuple(mediators), y, moderator,
        moderates if moderator else None, level, default_seed(seed), len(kept), dropped, len(draws), (*notes, *more),
    )  # fmt: skip


def _equation(kept: pd.DataFrame, variables: Mapping[str, Variable], outcome: str, terms: Sequence) -> _Equation:
    """One regression; a term is a tuple of names that are multiplied."""
    names, parts = ["Intercept"], [np.ones((len(kept), 1))]
    for *factors, last in terms:
        names += [":".join([*factors, column]) for column in variables[last].columns]
        parts.append(kept[factors].to_numpy(float).prod(axis=1)[:, None] * variables[last].encode(kept[last]))
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(f"two terms of the model would be called {twice[0]!r}; rename the column of that name")
    return _Equation(outcome, np.column_stack(parts), kept[outcome].to_numpy(), names)


def _points(kept: pd.DataFrame, w: Variable | None) -> list[tuple[str, object]]:
    """Where conditional effects stand: groups, both of two values, or percentiles."""
    if w is None:
        return [("", None)]
    if w.groups:
        return [(g, g) for g in w.groups]
    values = sorted(kept[w.name].unique())
    if len(values) == 2:
        return [(f"{v:g}", float(v)) for v in values]
    return [
        (f"P{p}: {v:.3g}", float(v)) for p, v in zip(PERCENTILES, np.percentile(kept[w.name], PERCENTILES), strict=True)
    ]


def _effects(
    stages: _Stages, equations: list[_Equation], draws: list[np.ndarray], points: list[tuple[str, object]]
) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """Labels and values of every effect; one row of values a draw."""
    w, routes = stages.moderator, stages.routes
    by_outcome = {e.outcome: (e, own) for e, own in zip(equations, draws, strict=True)}
    rows: list[tuple[str, str, str]] = []
    values: list[np.ndarray] = []
    last, last_draws = equations[-1], draws[-1]

    def add(effect: str, mediator: str, at: str, value: np.ndarray) -> None:
        rows.append((effect, mediator, at))
        values.append(value)

    def along(route: tuple[str, ...], value) -> np.ndarray:
        steps = zip((stages.x, *route), (*route, stages.y), strict=True)
        return np.prod([by_outcome[end][0].path(by_outcome[end][1], start, w, value) for start, end in steps], axis=0)

    for route in routes:
        mediator = " -> ".join(route)
        at = {label: along(route, value) for label, value in points}
        for label, value in at.items():
            add("indirect", mediator, label, value)
        if w is None:
            continue
        if stages.moderates != "both" and not w.groups:
            change = along(route, w.center + 1) - along(route, w.center)
            add(INDEX, mediator, "", change)
        else:
            name = "difference" if stages.moderates == "both" else INDEX
            for one, other in itertools.combinations(at, 2):
                add(name, mediator, f"{other} - {one}", at[other] - at[one])
    direct = last_draws[:, last.names.index(stages.x)]
    if w is None:
        total = np.sum(values, axis=0)
        if len(routes) > 1:
            add("total indirect", "", "", total)
        add("direct", "", "", direct)
        add("total", "", "", direct + total)
    else:
        add("direct", "", "", direct)
    return rows, np.column_stack(values)


def _path_table(equations: list[_Equation], fits: list[Estimate], level: float) -> pd.DataFrame:
    parts = []
    for equation, fit in zip(equations, fits, strict=True):
        names = {"outcome": equation.outcome, "term": equation.names}
        parts.append(pd.DataFrame(names).join(fit.combine(np.eye(len(fit.beta)), level)))
    return pd.concat(parts, ignore_index=True)
