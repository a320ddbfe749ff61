"""Modification indices: score tests of parameters that the model fixes, all candidates at once.

A candidate is an entry of A, S or m. The derivative of the moments with respect to it has rank two,
dSigma = w (x y' + y x') and dmu = c x, with x and y columns of the pool P = [J | C]: J holds the observed rows of
(I - A)^-1 and C the covariances of the observed with all variables. So the score of every candidate, its own
information and its information with the free parameters are products of gathered elements of P'WP (see
``estimate``), and no matrix of candidates by candidates is formed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .estimate import terms
from .model import Kind, Model
from .partable import Row
from .solution import Solution
from .standardized import row_values

CELLS = 2**18  # elements of a block of candidates by parameters that are formed at once
MATRIX = ("=~", "~", "~~", "~1")  # operators whose parameters stand in A, S and m
COLUMNS = ["lhs", "op", "rhs", "group", "mi", "epc", "sepc_all"]


def modification_indices(solution: Solution, minimum: float = 0.0) -> pd.DataFrame:
    """Table of :meth:`semfit.Fit.modification_indices`."""
    solution.need_convergence("modification indices")
    model = solution.model
    found = candidates(model)
    if not found:
        return pd.DataFrame(columns=COLUMNS if model.n_groups > 1 else [c for c in COLUMNS if c != "group"])
    mi, epc = np.empty(len(found)), np.empty(len(found))
    for k in range(model.n_groups):
        here = np.array([n for n, r in enumerate(found) if r.group == k], dtype=int)
        mi[here], epc[here] = _score_tests(solution, k, [found[n] for n in here])
    out = pd.DataFrame([(r.lhs, r.op, r.rhs, r.group + 1) for r in found], columns=COLUMNS[:4])
    out["mi"], out["epc"], out["sepc_all"] = mi, epc, epc * standard_units(solution, found)
    out = out[out["mi"].notna() & (out["mi"] >= minimum)]
    if model.n_groups == 1:
        out = out.drop(columns="group")
    return out.sort_values("mi", ascending=False, kind="stable", ignore_index=True)


# -- which parameters ------------------------------------------------------------------------------------------------
def cell(row: Row) -> tuple[str, str, str, int]:
    """Matrix, row and column of a parameter: ``f =~ x`` and ``x ~ f`` are one cell, and so are both orders of ``~~``."""
    if row.op == "=~":
        return "A", row.rhs, row.lhs, row.group
    if row.op == "~":
        return "A", row.lhs, row.rhs, row.group
    if row.op == "~1":
        return "m", row.lhs, "", row.group
    first, second = sorted((row.lhs, row.rhs))
    return "S", first, second, row.group


def candidates(model: Model) -> list[Row]:
    """What lavaan's modindices looks at, without what stands in the cell of another parameter.

    A parameter that the model fixes is a candidate under its own name; one whose cell holds a free parameter, a
    sample moment or a parameter of another name (``A ~ h`` beside ``h =~ A``) is none: it is in the model already.
    """
    var, out = model.var, []
    exogenous = {r.lhs for r in model.rows if r.exo}
    written = [r for r in model.rows if r.group == 0]
    indicators = {r.rhs for r in written if r.op == "=~"}
    paths = [r for r in written if r.op == "~"]
    eq = list(dict.fromkeys([r.lhs for r in paths] + [r.rhs for r in paths]))
    nox = [n for n in var.ov if n not in var.x]
    items = [n for n in nox if n in indicators]
    for g in range(model.n_groups):
        out += [Row(f, "=~", x, g, False) for f in var.lv for x in nox if x not in eq]
        out += [Row(a, "~~", b, g, False) for part in (items, var.lv) for k, a in enumerate(part) for b in part[k:]]
        out += [
            Row(y, "~", x, g, False)
            for y in eq
            for x in eq
            if y != x and y not in exogenous and not (y in indicators and y not in var.lv and x in var.lv)
        ]
        if model.means:
            out += [Row(n, "~1", "", g, False) for n in var.ov + var.lv]
    out += [Row(r.lhs, r.op, r.rhs, r.group, False) for r in model.rows if r.free < 0 and r.op in MATRIX]
    taken = {cell(r): r for r in model.rows if r.op in MATRIX}

    def testable(r: Row) -> bool:
        q = taken.get(cell(r))
        return q is None or (q.op == r.op and q.free < 0 and not q.exo)

    kept = {cell(r): r for r in out if testable(r)}.values()
    return [Row(q.lhs, q.op, q.rhs, r.group, False) if (q := taken.get(cell(r))) else r for r in kept]


# -- their tests -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Directions:
    """Derivatives of one group's moments: columns x, y of the pool, weight w of the pair, factor c of the mean."""

    x: np.ndarray
    y: np.ndarray
    w: np.ndarray
    c: np.ndarray

    def take(self, part: slice) -> Directions:
        return Directions(self.x[part], self.y[part], self.w[part], self.c[part])


def _directions(kind, i, j, mean: np.ndarray | None, v: int) -> Directions:
    """From entries (kind 0 of A, 1 of S, 2 of m; row i, column j) of a model with v variables."""
    y = np.where(kind == Kind.ARROW, v + j, np.where(kind == Kind.COVARIANCE, j, i))
    w = np.where(kind == Kind.MEAN, 0.0, np.where((kind == Kind.COVARIANCE) & (i == j), 0.5, 1.0))
    c = (
        np.zeros(len(kind))
        if mean is None
        else np.where(kind == Kind.ARROW, mean[j], np.where(kind == Kind.MEAN, 1.0, 0.0))
    )
    return Directions(i, y, w, c)


def _score_tests(solution: Solution, k: int, rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    """mi and epc (user units) of candidates of group k; NaN where one cannot be told from the free parameters."""
    model, g, share = solution.model, solution.model.groups[k], solution.shares[k]
    p, v, s = model.n_ov, len(model.names), model.scale
    Q, C, mean = solution.structure(k)
    _, W, M, u, weight, *_ = terms(model, solution.data, k, C, mean)
    J = np.eye(p, v)
    J[:, model.H] = Q[0, :, : len(model.H)]
    pool = np.concatenate([J, C[0, :p]], axis=1)
    kind, i, j = _positions(model, rows)
    new = _directions(kind, i, j, None if mean is None else mean[0], v)
    old = _directions(g.kind, g.i, g.j, None if mean is None else mean[0], v)
    score = -new.w * (pool.T @ M[0] @ pool)[new.x, new.y]
    if u is not None:
        score = score - new.c * (pool.T @ u[0])[new.x]
    grams = [(1.0 if weight is None else weight[r], pool.T @ W[r] @ pool) for r in range(len(W))]
    own = np.zeros(len(rows))
    shared = np.zeros(len(rows))
    used, D, columns = g.links.entries, g.links.D, g.links.columns
    kept = _subset(old, used)
    inverse = solution.expected_bread[np.ix_(columns, columns)]
    size = max(1, CELLS // max(len(used), 1))
    for first in range(0, len(rows), size):
        part = slice(first, first + size)
        some = new.take(part)
        own[part] = sum(f * _own(K, some) for f, K in grams)
        cross = sum(f * _cross(K, some, kept) for f, K in grams) @ D
        shared[part] = np.einsum("ij,ij->i", cross @ inverse, cross)
    left = share * own - share**2 * shared
    with np.errstate(all="ignore"):
        left = np.where(left > _told_apart(solution) * share * own, left, np.nan)
        mi, epc = solution.n_total * (share * score) ** 2 / left, -share * score / left
    unit = np.where(kind == Kind.ARROW, s[j] / s[i], np.where(kind == Kind.COVARIANCE, 1 / (s[i] * s[j]), 1 / s[i]))
    return mi, epc / unit


def _subset(d: Directions, index: np.ndarray) -> Directions:
    return Directions(d.x[index], d.y[index], d.w[index], d.c[index])


def _positions(model: Model, rows: list[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kind (0 A, 1 S, 2 m), row and column of candidates among the variables."""
    place = {n: k for k, n in enumerate(model.names)}
    cells = [cell(r) for r in rows]
    kind = np.array(["ASm".index(c[0]) for c in cells], dtype=int)
    i = np.array([place[c[1]] for c in cells], dtype=int)
    return kind, i, np.array([place.get(c[2], place[c[1]]) for c in cells], dtype=int)


def _own(K: np.ndarray, d: Directions) -> np.ndarray:
    """Information of each direction about itself."""
    xx, yy, xy = K[d.x, d.x], K[d.y, d.y], K[d.x, d.y]
    return d.w**2 * (xx * yy + xy**2) + d.c**2 * xx


def _cross(K: np.ndarray, a: Directions, b: Directions) -> np.ndarray:
    """Information (a, b) of each pair of directions."""
    x, y = K[:, b.x], K[:, b.y]
    out = x[a.x] * y[a.y]
    out += y[a.x] * x[a.y]
    out *= a.w[:, None]
    out *= b.w
    if a.c.any() and b.c.any():
        out += a.c[:, None] * b.c * x[a.x]
    return out


def _told_apart(solution: Solution) -> float:
    """Share of a candidate's information, beyond that of the free parameters, below which it is rounding error."""
    info = solution.expected_information
    if not len(info):
        return 1e-9
    d = np.sqrt(np.maximum(np.diag(info), 1e-300))
    values = np.linalg.eigvalsh(info / np.outer(d, d))
    return max(1e-9, 100 * np.finfo(float).eps * values[-1] / max(values[0], 1e-300))


def standard_units(solution: Solution, rows: list[Row]) -> np.ndarray:
    """Factor that turns an epc into its standardised form, by the rules of the standardised solution.

    That is by the variables' sd, for a covariance by those of their residuals.
    """
    model = solution.model
    place = {n: k for k, n in enumerate(model.names)}
    with np.errstate(invalid="ignore"):
        sds = [np.sqrt(np.diag(solution.implied(k)[0])) for k in range(model.n_groups)]
    values = row_values(solution, solution.theta[None])[0]
    variance = {(r.lhs, r.group): x for r, x in zip(model.rows, values, strict=True) if r.op == "~~" and r.lhs == r.rhs}
    out = np.full(len(rows), np.nan)
    for n, r in enumerate(rows):
        sd = sds[r.group]
        if r.op == "=~":
            out[n] = sd[place[r.lhs]] / sd[place[r.rhs]]
        elif r.op == "~":
            out[n] = sd[place[r.rhs]] / sd[place[r.lhs]]
        elif r.op == "~1":
            out[n] = 1 / sd[place[r.lhs]]
        elif r.lhs == r.rhs:
            out[n] = 1 / sd[place[r.lhs]] ** 2 if sd[place[r.lhs]] > 0 else np.nan
        elif v := variance.get((r.lhs, r.group), 0.0) * variance.get((r.rhs, r.group), 0.0):
            out[n] = 1 / np.sqrt(np.abs(v))  # a negative variance counts by its size, as in the standardised solution
    return out
