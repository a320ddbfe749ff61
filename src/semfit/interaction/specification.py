"""From the model's text to the pieces that LMS needs: items, structure, starting values."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd

from .. import checks
from ..errors import DataError
from ..model import Model
from ..partable import Row, parameter_table
from ..spec import ModelSpec
from ..syntax import Parsed
from . import lms

MINIMUM = 0.005  # least residual variance of an item in LMS, as a share of its variance
COLUMNS = ["lhs", "op", "rhs", "est", "se", "z", "pvalue", "ci_lower", "ci_upper", "std_all"]


# --- reading the model ------------------------------------------------------------------------------------------
def measurement_part(parsed, x: str, moderator: str, y: str) -> dict[str, list]:
    """Terms ``=~`` by latent, after checking that the three names can carry a latent interaction."""
    items: dict[str, list] = {}
    for t in parsed.terms:
        if t.op == "=~":
            items.setdefault(t.lhs, []).append(t)
    for what, name in (("x", x), ("moderator", moderator), ("y", y)):
        if name not in items:
            raise DataError(
                f"{what}={name!r} is not a latent of the model.{checks.suggest(name, items)} A latent is what stands "
                f"left of =~; for an observed variable write it as one: 'F =~ item', with reliability={{'F': 0.8}}."
            )
    if len({x, moderator, y}) < 3:
        raise DataError(f"x, moderator and y must be three different latents, and are {x!r}, {moderator!r}, {y!r}")
    paths = {(t.lhs, t.rhs) for t in parsed.terms if t.op == "~"}
    for name in (x, moderator):
        if (y, name) not in paths:
            raise DataError(
                f"the model has no '{y} ~ {name}': a product without both main effects depends on where zero is. Add it."
            )
    shared = {t.rhs for t in items[x]} & {t.rhs for t in items[moderator]}
    if shared:
        raise DataError(
            f"{x!r} and {moderator!r} share items ({', '.join(sorted(shared))}); their product is not defined"
        )
    below = paths | {(t.rhs, t.lhs) for t in parsed.terms if t.op == "=~"}
    reached, front = {y}, {y}
    while front:
        front = {to for to, source in below if source in front} - reached
        reached |= front
    for name in (x, moderator):
        if name in reached:
            raise DataError(f"{y!r} has an effect on {name!r}; the product must not depend on its own outcome")
    return items


def observed_names(parsed, data: pd.DataFrame) -> list[str]:
    """Observed variables of the model, checked to be columns."""
    latents = {t.lhs for t in parsed.terms if t.op == "=~"}
    names = dict.fromkeys(n for t in parsed.terms for n in (t.lhs, t.rhs) if n and n not in latents)
    return checks.columns(data, list(names), "variable")


def with_reliabilities(spec: ModelSpec, items: dict, used: pd.DataFrame, reliability) -> ModelSpec:
    """The model with the residual variance of every item fixed that is alone on its factor."""
    given = dict(reliability or {})
    fixed = {t.lhs for t in spec.terms if t.op == "~~" and t.lhs == t.rhs and t.fixed is not None}
    for factor, terms in items.items():
        item = terms[0].rhs
        if len(terms) > 1:
            if factor in given:
                raise DataError(
                    f"reliability is for factors with a single item, and {factor!r} has {len(terms)}: "
                    "its items tell how reliable they are"
                )
            continue
        if item in items:
            raise DataError(f"the factor {factor!r} is measured by the factor {item!r} alone; leave one of them out")
        if factor not in given:
            if item not in fixed:
                raise DataError(
                    f"the factor {factor!r} has the single item {item!r}: its error cannot be estimated. State a "
                    f"reliability, such as reliability={{{factor!r}: 0.8}}, or fix '{item} ~~ 0.3*{item}'."
                )
            continue
        value = given[factor]
        if not (isinstance(value, Real) and 0 < float(value) <= 1):
            raise DataError(f"the reliability of {factor!r} must lie above 0 and at most at 1, and is {value!r}")
        if item in fixed:
            raise DataError(f"{item!r} has a fixed residual variance in the model and a reliability; keep one of them")
        spec = spec.fix(item, "~~", item, (1 - float(value)) * float(used[item].var(ddof=0)))
    for factor in given:
        if factor not in items:
            raise DataError(
                f"reliability names {factor!r}, which is not a latent of the model.{checks.suggest(factor, items)}"
            )
    return spec


# --- LMS --------------------------------------------------------------------------------------------------------
@dataclass
class Specification:
    """An LMS model on standardised items: structure, start, and the way back to the user's units."""

    structure: lms.Structure
    start: np.ndarray
    lower: np.ndarray
    unit: np.ndarray
    model: Model
    items: list[str]
    latents: list[str]
    scale: dict[str, float]
    variances: dict[int, str]  # parameter: the variable whose variance it is


def _model_for_lms(parsed: Parsed) -> tuple[Model, list[str]]:
    """The model, and its observed predictors and outcomes, which become factors without error."""
    if parsed.defined:
        raise DataError("defined parameters (:=) are not available with method='lms'; compute them from .estimates")
    rows, var = parameter_table(parsed, meanstructure=True, fixed_x=False)
    model = Model(rows, var, parsed.constraints)
    if model.waiting is not None:
        raise DataError(
            f"the constraint {model.waiting.texts[0]} is not linear, which method='lms' does not take; use method='product'"
        )
    measured = {r.rhs for r in rows if r.op == "=~"}
    structural = {n for r in rows if r.op == "~" for n in (r.lhs, r.rhs)} - set(var.lv)
    both = sorted(structural & measured)
    if both:
        raise DataError(
            f"{', '.join(both)}: an item of a factor that is also in a regression is not supported by method='lms'; "
            "use method='product', or make it a factor of its own"
        )
    return model, [n for n in var.ov if n not in measured]


def specify(parsed: Parsed, used: pd.DataFrame, x: str, moderator: str, y: str) -> Specification:
    """Place the parameters of the model in the matrices of :mod:`semfit.interaction.lms`."""
    model, alone = _model_for_lms(parsed)
    rows, var = model.rows, model.var
    latents, items = [*var.lv, *alone], list(var.ov)
    p, q = len(items), len(latents)
    at_item, at_latent = {n: i for i, n in enumerate(items)}, {n: i for i, n in enumerate(latents)}
    values = used[items].to_numpy()
    mean, sd = values.mean(axis=0), values.std(axis=0)
    model.set_scale(sd)
    scale = dict(zip(model.names, model.scale, strict=True))

    shapes, size = lms.layout(p, q)
    base = np.zeros(size)

    def place(name, *index):
        return shapes[name][0] + int(np.ravel_multi_index(index, shapes[name][1]))

    for n in alone:
        base[place("lambda", at_item[n], at_latent[n])] = 1.0
    n_theta = model.npar
    position: list[int] = []
    constant: list[float] = []
    weights: list[np.ndarray] = []
    kinds: dict[int, Row] = {}  # parameter: the first row that it stands in
    for r in rows:
        if r.op == "~1" and r.lhs in var.lv:
            if r.free >= 0 or r.fixed != 0:
                raise DataError(
                    f"'{r.lhs} ~ 1': with method='lms' latents have intercept 0 and items have free ones; leave it out"
                )
            continue
        found, d = _cells(r, at_item, at_latent, scale)
        cells = {place(*cell) for cell in found}
        row = d * model.K[r.free] if r.free >= 0 else np.zeros(n_theta)
        shift = d * (model.c[r.free] if r.free >= 0 else r.known)
        if r.op == "~1":
            shift -= mean[at_item[r.lhs]] / sd[at_item[r.lhs]]
        for cell in cells:
            position.append(cell)
            constant.append(shift)
            weights.append(row)
        for j in np.flatnonzero(row):
            kinds.setdefault(int(j), r)

    matrix = np.zeros((len(position) + 1, n_theta + 1))
    matrix[:-1, :-1] = np.array(weights)
    matrix[-1, -1] = 1.0
    unit = np.ones(n_theta + 1)
    unit[:-1] = 1 / np.abs(matrix[:-1, :-1]).max(axis=0)
    unit[-1] = scale[y] / (scale[x] * scale[moderator])
    matrix[:-1] *= unit
    structure = lms.Structure(
        p, q, base, np.array([*position, place("omega", 0)]), np.array([*constant, 0.0]), matrix,
        at_latent[x], at_latent[moderator], at_latent[y],
    )  # fmt: skip
    start = _start(kinds, rows, used, unit, var)
    # Given one factor of the product the answers must still vary: variances stay above zero, and an item keeps half
    # a per cent of its own, because a likelihood as sharp as that cannot be integrated.
    variances = {j: r.lhs for j, r in kinds.items() if r.op == "~~" and r.lhs == r.rhs}
    lower = np.full(n_theta + 1, -np.inf)
    for number, name in variances.items():
        lower[number] = 1e-4 if name in at_latent else MINIMUM
    return Specification(structure, start, lower, unit, model, items, latents, scale, variances)


def _cells(
    r: Row, at_item: dict[str, int], at_latent: dict[str, int], scale: dict[str, float]
) -> tuple[list[tuple], float]:
    """Matrix elements (matrix, index...) that hold a parameter, and its factor from user units to those of the fit."""
    if r.op == "=~" and r.rhs in at_latent:  # a factor measured by factors
        return [("beta", at_latent[r.rhs], at_latent[r.lhs])], scale[r.lhs] / scale[r.rhs]
    if r.op == "=~":
        return [("lambda", at_item[r.rhs], at_latent[r.lhs])], scale[r.lhs] / scale[r.rhs]
    if r.op == "~":
        return [("beta", at_latent[r.lhs], at_latent[r.rhs])], scale[r.rhs] / scale[r.lhs]
    if r.op == "~1":
        return [("tau", at_item[r.lhs])], 1 / scale[r.lhs]
    where, index = ("psi", at_latent) if r.lhs in at_latent else ("theta", at_item)
    if r.lhs not in index or r.rhs not in index:
        raise DataError(f"'{r.lhs} ~~ {r.rhs}' joins an item and a latent; method='lms' does not support it")
    a, b = index[r.lhs], index[r.rhs]
    return [(where, a, b), (where, b, a)], 1 / (scale[r.lhs] * scale[r.rhs])


def _start(kinds: dict, rows: list, used: pd.DataFrame, unit: np.ndarray, var) -> np.ndarray:
    """Plain starting values on standardised items: half the variance common, half unique."""
    correlation = used.corr()
    first: dict[str, str] = {}
    for r in rows:
        if r.op == "=~":
            first.setdefault(r.lhs, r.rhs)
    free_scale = {r.lhs for r in rows if r.op == "~~" and r.lhs == r.rhs and r.fixed == 1 and r.lhs in var.lv}
    start = np.zeros(len(unit))
    for j, r in kinds.items():
        if r.start is not None:
            start[j] = r.start / unit[j]
        elif r.op == "=~":
            marker = first[r.lhs]
            known = r.rhs in correlation.columns and marker in correlation.columns
            sign = np.sign(correlation.loc[r.rhs, marker]) if known else 1.0
            start[j] = (sign or 1.0) * (0.7 if r.lhs in free_scale else 1.0)
        elif r.op == "~~" and r.lhs == r.rhs:
            start[j] = 0.5 if r.lhs in var.lv or any(q.op == "=~" and q.rhs == r.lhs for q in rows) else 1.0
        elif r.op == "~1":
            start[j] = float(used[r.lhs].mean()) / unit[j]
    return start


def is_measured_by(rows: list, item: str, factors: set[str]) -> bool:
    """Whether an item measures one of the factors, directly or through a factor between."""
    above = {r.lhs for r in rows if r.op == "=~" and r.rhs == item}
    return bool(above & factors) or any(is_measured_by(rows, name, factors) for name in above)


def skewed_items(items: pd.DataFrame, limit: float = 0.8) -> str:
    """Names and skewness of the items beyond the limit."""
    skewness = items.skew()
    return ", ".join(f"{name} ({value:.1f})" for name, value in skewness.items() if abs(value) > limit)


def implied_latent_means(spec: Specification, theta: np.ndarray) -> np.ndarray:
    """Means of the latents in the user's units: the product moves y by omega cov(x, moderator)."""
    m, s = spec.structure.matrices(theta), spec.structure
    A = np.linalg.inv(np.eye(s.n_latents) - m["beta"])
    phi = A @ m["psi"] @ A.T
    scale = np.array([spec.scale[name] for name in spec.latents])
    return A[:, s.outcome] * m["omega"][0] * phi[s.x, s.moderator] * scale
