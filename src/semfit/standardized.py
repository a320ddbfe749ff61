"""Values of the table's rows: estimates, standardised solution, defined parameters, explained variance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .estimate import structure
from .model import Group, Kind, Model
from .solution import Solution

KINDS = ("std_all", "std_lv", "std_nox")


def row_values(solution: Solution, theta: np.ndarray, kind: str = "est") -> np.ndarray:
    """Values of the rows of the parameter table.

    Parameters
    ----------
    solution : Solution
        Model and moments; its own estimates are not used.
    theta : array, shape (B, npar)
        Real or complex (complex in, complex out, so that derivatives can be taken by the complex step).
    kind : str
        ``"est"``, ``"std_all"`` (all variables standardised), ``"std_lv"`` (latents only) or ``"std_nox"`` (all but
        observed predictors).

    Returns
    -------
    array, shape (B, rows)
    """
    model = solution.model
    out = np.empty((len(theta), len(model.rows)), theta.dtype)
    for k, g in enumerate(model.groups):
        e = solution.entries(k, theta)
        out[:, g.rows] = e / g.d if kind == "est" else _standardized(solution, g, e, kind)
        for row, values in solution.other_rows(k, theta, kind).items():
            out[:, row] = values
    return out


def _standardized(solution: Solution, g: Group, e: np.ndarray, kind: str) -> np.ndarray:
    model, p = solution.model, solution.model.n_ov
    values = e / g.d
    _, C, _ = structure(model, g, e)
    sd = np.sqrt(np.diagonal(C, axis1=1, axis2=2)) * model.scale
    own_units = np.zeros(len(model.names), dtype=bool)
    own_units[np.arange(p) if kind == "std_lv" else [model.position[x] for x in model.var.x if kind == "std_nox"]] = (
        True
    )
    sd = np.where(own_units, 1.0, sd)
    arrow, mean = g.kind == Kind.ARROW, g.kind == Kind.MEAN
    values[:, arrow] *= sd[:, g.j[arrow]] / sd[:, g.i[arrow]]
    values[:, mean] /= sd[:, g.i[mean]]
    raw = e / g.d
    covariance = g.kind == Kind.COVARIANCE
    own, other = np.flatnonzero(covariance & (g.i == g.j)), np.flatnonzero(covariance & (g.i != g.j))
    values[:, own] /= sd[:, g.i[own]] ** 2
    # Residual correlation; a negative variance counts by its size, as in lavaan.
    size, r = np.zeros(sd.shape, e.dtype), raw[:, own]
    size[:, g.i[own]] = np.sqrt(np.where(r.real < 0, -r, r))
    for end in (g.i[other], g.j[other]):
        counted = ~own_units[end]
        values[:, other[counted]] /= size[:, end[counted]]
    return np.where(np.isinf(values), np.nan, values)  # a covariance with what does not vary has no correlation


def with_defined(solution: Solution, theta: np.ndarray, kind: str = "est") -> np.ndarray:
    """Row values (B, rows) followed by the values of the defined parameters."""
    return and_defined(solution.model, row_values(solution, theta, kind))


def and_defined(model: Model, rows: np.ndarray) -> np.ndarray:
    """Row values (B, rows), real or complex, followed by the values of the defined parameters."""
    if not model.defined:
        return rows
    values = {r.label: rows[:, k] for k, r in reversed(list(enumerate(model.rows))) if r.label}
    for _ in model.defined:
        for name, expression, _t in model.defined:
            if name not in values and set(expression.labels) <= set(values):
                values[name] = expression.value(values) + np.zeros(len(rows))
    return np.column_stack([rows, *[values[name] for name, _, _ in model.defined]])


def explained_variance(solution: Solution) -> pd.Series | pd.DataFrame:
    """R2 of every variable that receives an arrow (a column a group when there are several)."""
    model, out = solution.model, {}
    for k, g in enumerate(model.groups):
        e = solution.entries(k)
        _, C, _ = structure(model, g, e)
        own = {
            model.names[i]: e[0, n] / C[0, i, i] if C[0, i, i] else np.nan
            for n, (i, j) in enumerate(zip(g.i, g.j, strict=True))
            if g.kind[n] == Kind.COVARIANCE and i == j
        }
        targets = {model.names[g.i[n]] for n in np.flatnonzero(g.kind == Kind.ARROW)}
        out[solution.groups[k] if solution.groups else 0] = pd.Series(
            {n: 1 - own.get(n, 0.0) for n in model.names if n in targets}, dtype=float
        )
    frame = pd.DataFrame(out)
    return frame.iloc[:, 0].rename("r2") if frame.shape[1] == 1 else frame
