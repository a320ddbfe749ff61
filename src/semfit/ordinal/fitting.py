"""From a parsed model and rows with ordered answers to a solution by weighted least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..design import Design, mean_and_cov
from ..errors import CategoryTrouble, DataError, NotIdentifiedError
from ..estimate import Moments
from ..inference import START_SEED
from ..model import Model
from ..partable import Ordered, Variables, parameter_table
from ..sample import designed, from_rows
from ..saturated import once
from ..search import not_identified
from ..start import starting_values
from ..state import Options, Saturated, Source
from ..syntax import Parsed
from ..threads import one_thread
from .coding import Coded, coded, ordered_names
from .correlations import pair_trouble
from .dwls import Targets, evaluate, search, solved_thresholds
from .solution import OrdinalSolution, weights
from .statistics import Statistics, statistics
from .structure import DELTA, THETA, OrdinalStructure


def chosen_items(parsed: Parsed, roles: Variables, ordered: bool | str | Sequence[str], fixed_x: bool) -> list[str]:
    """Ordered variables of the model: those named, or all that are no fixed predictors; and those with thresholds."""
    inside = [n for n in roles.ov if not (fixed_x and n in roles.x)]
    named = (
        ordered_names(ordered, inside) if isinstance(ordered, (bool, np.bool_)) else ordered_names(ordered, roles.ov)
    )
    named += [t.lhs for t in parsed.terms if t.op == "|"]
    return [n for n in inside if n in named]


def fit_ordered(
    parsed: Parsed, roles: Variables, data: pd.DataFrame, ordered: bool | str | Sequence[str], options: Options
) -> tuple[OrdinalSolution, list[str], int]:
    """Solution, what a reader should know about it, and rows left out."""
    chosen = chosen_items(parsed, roles, ordered, options.fixed_x)
    if not chosen:
        raise DataError(
            "ordered= names no variable that the model explains or measures; predictors are taken as they are"
        )
    if {"thresholds", "intercepts"} & set(options.group_equal):  # each word takes the other with it, as in lavaan
        options = replace(options, group_equal=tuple(dict.fromkeys((*options.group_equal, "thresholds", "intercepts"))))
    notes: list[str] = _predictors(roles, ordered, options)
    found: list[Coded] = []

    def read(columns: pd.DataFrame, names: list[str]) -> np.ndarray:
        found.append(coded(columns, names, chosen))
        return found[0].values

    source = from_rows(parsed, roles, data, options.group, options.missing, options.fixed_x, read)
    source = designed(source, data, roles.ov, options.cluster, options.sampling_weights)
    answers = found[0]
    notes += [*answers.warnings, *source.notes]
    _every_category(answers, source)
    levels = {n: found for n, found in zip(answers.names, answers.levels, strict=True) if found}
    sizes = {n: len(found) for n, found in levels.items()}
    model = _model(parsed, len(source.n), sizes, options)
    with one_thread():
        solution, more = _solve(model, levels, source, options)
    return solution, [*notes, *model.var.notes, *more], source.dropped


def _predictors(roles: Variables, ordered, options: Options) -> list[str]:
    if isinstance(ordered, (bool, np.bool_)) or not options.fixed_x:
        return []
    named = [n for n in ([ordered] if isinstance(ordered, str) else ordered) if n in roles.x]
    if not named:
        return []
    text = f"{', '.join(named)}: predictors have no thresholds; they are taken as they are"
    return [CategoryTrouble(text, "predictor", tuple(named))]


def _every_category(answers: Coded, source: Source) -> None:
    """Every group must use every category: its thresholds are to be estimated."""
    for v, level in enumerate(answers.levels):
        for k, rows in enumerate(source.rows or []):
            w = source.weights(k)
            column = rows.values[:, v] if w is None else rows.values[w > 0, v]
            seen = np.unique(column[~np.isnan(column)])
            gone = [level[c] for c in range(len(level)) if c not in seen]
            if gone:
                where = source.where(k) or " in the rows that are complete"
                raise DataError(
                    f"nobody answered {answers.names[v]} with {', '.join(map(str, gone))}{where}: a threshold cannot be "
                    "estimated there. Join the category with its neighbour in all groups."
                )


def _model(parsed: Parsed, groups: int, sizes: dict[str, int], options: Options) -> Model:
    if groups == 1 and (options.group_equal or options.group_partial):
        raise DataError("group_equal and group_partial need several groups: name the column with group=...")
    for t in parsed.terms:
        if t.op == "|" and int(t.rhs[1:]) >= sizes[t.lhs]:
            raise DataError(
                f"{t.lhs} has {sizes[t.lhs]} categories and so {sizes[t.lhs] - 1} thresholds; {t.rhs} is none"
            )
        if t.op == "~*~" and t.lhs not in sizes:
            raise DataError(f"{t.lhs} ~*~ {t.lhs}: only ordered variables have a scale, and {t.lhs} is continuous")
        if t.op == "~*~" and options.parameterization == THETA:
            raise DataError(f"{t.lhs} ~*~ {t.lhs}: scales are parameters with parameterization='delta' only")
        if t.op == "~~" and t.lhs == t.rhs and t.lhs in sizes and options.parameterization == DELTA:
            raise DataError(
                f"{t.lhs} ~~ {t.lhs}: the residual variance of an ordered variable follows from the rest; "
                "parameterization='theta' makes it a parameter"
            )
    rows, var = parameter_table(
        parsed,
        groups,
        std_lv=options.std_lv,
        meanstructure=True,
        fixed_x=options.fixed_x,
        orthogonal=options.orthogonal,
        group_equal=options.group_equal,
        group_partial=options.group_partial,
        ordered=Ordered({n: c - 1 for n, c in sizes.items()}, options.parameterization),
    )
    return Model(rows, var, parsed.constraints, parsed.defined)


def _solve(
    model: Model, levels: dict[str, list], source: Source, options: Options
) -> tuple[OrdinalSolution, list[str]]:
    sizes = {n: len(found) for n, found in levels.items()}
    conditional = options.fixed_x and bool(model.var.x)
    x = [model.position[n] for n in model.var.x] if conditional else []
    y = [k for k in range(model.n_ov) if k not in x]
    names = [model.ov[v] for v in y]
    counts = np.array([sizes.get(n, 0) for n in names])
    samples, notes = [], []
    for k, rows in enumerate(source.rows or []):
        X = rows.values
        found = _statistics(X, y, x, counts, names, source.design[k] if source.design else Design())
        trouble = pair_trouble(found, names, source.where(k))
        perfect = [t for t in trouble if t.what == "perfect"]
        if perfect:
            raise DataError(f"{perfect[0]}. Leave one of them out, or join categories.")
        samples.append(found)
        notes += trouble
    data, h1 = _moments(model, samples, source, y, x)
    variance = sum(n * np.diag(S) for n, S in zip(source.n, h1.cov, strict=True)) / sum(source.n)
    scale = np.where([n in sizes for n in model.ov], 1.0, np.sqrt(variance))
    model.set_scale(scale)
    structure = OrdinalStructure(model, sizes, options.parameterization, conditional)
    targets = Targets(
        [s.vector[None] for s in samples], [_weights(s, names, options.estimator) for s in samples], list(source.n)
    )
    df = len(samples) * structure.layout.starts[3] - model.npar
    if df < 0:
        raise NotIdentifiedError(
            f"the model is not identified: it has {model.npar} free parameters, {-df} more than the {model.npar + df} "
            "thresholds, means, variances and correlations. Fix or equate some, or add indicators."
        )
    start = _start(structure, h1, samples)
    _identified(structure, targets, start)
    theta, F, converged, more = _estimate(structure, targets, start)
    solution = OrdinalSolution(
        model=model,
        data=data,
        theta=theta,
        F=F,
        converged=converged,
        options=replace(options, meanstructure=True, information="expected"),
        h1=h1,
        raw=source.rows,
        groups=tuple(source.labels),
        positions=source.positions,
        design=source.design,
        ordinal=structure,
        samples=tuple(samples),
        levels=levels,
    )
    return solution, [*notes, *more]


def _statistics(
    X: np.ndarray, y: list[int], x: list[int], sizes: np.ndarray, names: list[str], design: Design
) -> Statistics:
    """Both steps for a group; the levels of a ladder share them."""
    key = ("ordinal", tuple(sizes), tuple(x), design.weights is None)
    rows = [X, *(part for part in (design.weights, design.clusters) if part is not None)]
    return once(key, rows, lambda: statistics(X[:, y], sizes, names, X[:, x] if x else None, design))


def _weights(found: Statistics, names: list[str], estimator: str) -> np.ndarray:
    diagonal = found.gamma_diagonal
    if not np.isfinite(diagonal).all() or (diagonal <= 0).any():
        lay, pairs = found.layout, found.layout.starts[2]
        bad = int(np.flatnonzero(~np.isfinite(diagonal) | (diagonal <= 0))[0])
        blame = [names[lay.first[bad - pairs]], names[lay.second[bad - pairs]]] if bad >= pairs else []
        of = f" ({' with '.join(blame)})" if blame else ""
        raise DataError(
            f"the sampling variance of a statistic{of} cannot be computed: too few answers, or a perfect pair"
        )
    return weights(found, estimator)[None]


def _moments(
    model: Model, samples: list[Statistics], source: Source, y: list[int], x: list[int]
) -> tuple[Moments, Saturated]:
    """Covariances and means of all variables: of the normal ones behind the ordered, predictors as they are.

    As in lavaan the divisor of the predictors' covariances is n - 1, and the sum of the weights where there are some.
    """
    covs, means = [], []
    for k, (s, rows) in enumerate(zip(samples, source.rows or [], strict=True)):
        S, m = np.zeros((model.n_ov, model.n_ov)), np.zeros(model.n_ov)
        S[np.ix_(y, y)] = s.covariance
        m[y] = [0.0 if part.ordered else part.location[0] for part in s.margins]
        if x:
            X, w = rows.values[:, x], source.weights(k)
            m[x], Sx = mean_and_cov(X, w)
            Sx = Sx * (len(X) / (len(X) - 1)) if w is None else Sx
            B = np.array([part.slopes for part in s.margins])
            S[np.ix_(x, x)], S[np.ix_(y, x)] = Sx, B @ Sx
            S[np.ix_(x, y)] = S[np.ix_(y, x)].T
            S[np.ix_(y, y)] += B @ Sx @ B.T
        covs.append(S)
        means.append(m)
    nan = float("nan")
    h1 = Saturated(covs, means, nan, nan, np.full(model.n_ov, sum(source.n)), nan, 0)
    return Moments([S[None] for S in covs], [m[None] for m in means], list(source.n)), h1


def _start(structure: OrdinalStructure, h1: Saturated, samples: list[Statistics], second: float | None = None):
    model = structure.model
    others = np.full(model.n_free, np.nan)
    for place, s in zip(structure.places, samples, strict=True):
        for n, row in enumerate(place.tau_rows):
            if row >= 0 and model.rows[row].free >= 0:
                r = model.rows[row]
                others[r.free] = s.vector[n] if r.start is None else r.start
        for row in place.scale_rows:
            if model.rows[row].free >= 0:
                r = model.rows[row]
                others[r.free] = 1.0 if r.start is None else r.start
    theta = starting_values(model, h1.cov, h1.mean, second, others)
    return theta if structure.delta else _theta_units(structure, theta)


def _theta_units(structure: OrdinalStructure, theta: np.ndarray) -> np.ndarray:
    """The start supposes variances of one; with residual variances of one, variances are near two."""
    model = structure.model
    factor = np.ones(model.n_free)
    for k, r in enumerate(model.free_rows):
        if r.op == "|":
            factor[k] = np.sqrt(2.0)
        elif r.op == "~~" and r.lhs in model.lv and r.rhs in model.lv:
            factor[k] = 2.0
        elif r.op == "~~" and r.lhs == r.rhs and structure.sizes[structure.y.tolist().index(model.position[r.lhs])]:
            factor[k] = 1.0 / max(abs(model.free_values(theta)[k]), 0.1)
    return np.linalg.lstsq(model.K, model.free_values(theta) * factor - model.c, rcond=None)[0]


def _identified(structure: OrdinalStructure, targets: Targets, start: np.ndarray) -> None:
    """Raise when the derivatives of the statistics have not full column rank at a generic point."""
    rng, solved = np.random.default_rng(7), solved_thresholds(structure)  # those are identified whatever the rest is
    for _ in range(4):
        theta = start * (1 + 0.1 * rng.uniform(-1, 1, len(start))) + 0.05 * rng.uniform(-1, 1, len(start))
        information = evaluate(structure, targets, theta[None], solved)[2][0]
        d = np.sqrt(np.diag(information))
        d[d < 1e-8 * d.max(initial=1e-300)] = 1.0
        values, vectors = np.linalg.eigh(information / np.outer(d, d))
        if not len(values) or values[0] > 1e-9:
            return
    unknown = vectors[:, values < 1e-9]
    directions = np.zeros((structure.model.npar, unknown.shape[1]))
    directions[solved.kept] = unknown
    not_identified(structure.model, directions)


def _estimate(structure: OrdinalStructure, targets: Targets, start: np.ndarray) -> tuple:
    """Gauss-Newton from the usual start; where that fails, from others, and the lowest discrepancy wins."""
    theta, F, ok = search(structure, targets, start)
    if ok[0]:
        return theta[0], float(F[0]), True, []
    rng = np.random.default_rng(START_SEED)
    starts = [start + spread * rng.normal(size=len(start)) * (0.1 + np.abs(start)) for spread in (0.1, 0.2, 0.4)]
    tries = [search(structure, targets, s) for s in starts]
    best = min(((F[0], k) for k, (_, F, ok) in enumerate(tries) if ok[0]), default=None)
    if best is None:
        return theta[0], float(F[0]), False, []
    theta, F, _ = tries[best[1]]
    return theta[0], float(F[0]), True, ["the search failed from the first start and converged from another one"]
