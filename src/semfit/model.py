"""From parsed syntax to a parameter table and to the matrices of the reticular action model.

One representation serves every model (McArdle & McDonald 1984, British J. Math. Stat. Psych. 37, 234-251): all
variables, observed first and latent after, stand in one vector ``v = m + A v + u`` with ``cov(u) = S``. A loading
``f =~ x`` is ``A[x, f]``, a regression ``y ~ x`` is ``A[y, x]``, ``a ~~ b`` is ``S[a, b]`` and ``a ~ 1`` is ``m[a]``.
Defaults (which parameters are added, fixed, freed) are those of ``lavaan::sem()`` and ``cfa()``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .checks import suggest
from .errors import DataError
from .partable import Row, Variables
from .syntax import fail


@dataclass
class Group:
    """Where the parameters of one group stand in A, S and m (positions in the vector of all variables).

    Attributes
    ----------
    rows : indices into ``Model.rows``, one an entry
    kind : 0 for A, 1 for S, 2 for m
    i, j : row and column of the entry
    x, y : columns of the pool matrix [I | T_H | C_H] (see ``estimate``) so that dSigma = w (x y' + y x')
    w : weight of the pair, 1/2 for a variance, 0 for an intercept
    eta : position among the senders whose mean multiplies dmu; -1 for an intercept (dmu = x); -2 for none
    D : (entries, npar) derivative of the scaled entries with respect to the parameters
    k0 : (entries,) scaled value of fixed entries; sample-valued ones (exo) are filled in from the data
    """

    rows: np.ndarray
    kind: np.ndarray
    i: np.ndarray
    j: np.ndarray
    exo: np.ndarray
    x: np.ndarray
    y: np.ndarray
    w: np.ndarray
    eta: np.ndarray
    K: np.ndarray
    c: np.ndarray
    at: tuple = None  # flat positions in A[:, H], S (twice, for both triangles) and m
    d: np.ndarray = None
    D: np.ndarray = None
    k0: np.ndarray = None


class Model:
    """Parameter table, linear constraints and matrix positions.

    A parameter vector ``theta`` (npar,) holds what is left after equality constraints; the free rows of the table
    are ``K @ theta + c``. Inside, variables are divided by ``scale`` (standard deviations of observed variables,
    the marker's for latents), so that the units of the items cannot matter; ``theta`` itself is in user units.
    """

    def __init__(self, rows: list[Row], var: Variables, constraints: list = (), defined: list = (), names=None):
        self.rows, self.var = rows, var
        self.ov, self.lv, self.n_ov = var.ov, var.lv, len(var.ov)
        self.names = var.ov + var.lv
        self.defined, self.constraints = list(defined), list(constraints)
        self.means = any(r.op == "~1" for r in rows)
        self.n_groups = 1 + max(r.group for r in rows)
        self.n_free = sum(r.free >= 0 for r in rows)
        self.K, self.c = self._reduce()
        self.npar = self.K.shape[1]
        self.free_rows = [r for r in rows if r.free >= 0]
        position = {n: k for k, n in enumerate(self.names)}
        senders = {r.lhs if r.op == "=~" else r.rhs for r in rows if r.op in ("=~", "~")}
        self.H = np.array([position[n] for n in self.names if n in senders], dtype=int)
        self.groups = [self._place(g, position) for g in range(self.n_groups)]
        self.simple = self.n_groups == 1 and self.npar == self.n_free and np.array_equal(self.K, np.eye(self.npar))
        self.set_scale(np.ones(self.n_ov))

    # -- constraints -------------------------------------------------------------------------------------------
    def _reduce(self) -> tuple[np.ndarray, np.ndarray]:
        """K and c with free = K theta + c, from shared labels and linear ``==`` (Gaussian elimination)."""
        equations, forms, by_label = [], {}, {}
        for r in self.rows:
            if r.label:
                by_label.setdefault(r.label, []).append(r)

        def form(r):
            return ({r.free: 1.0}, 0.0) if r.free >= 0 else ({}, float(r.fixed if r.fixed is not None else np.nan))

        for label, rows in by_label.items():
            forms[label] = form(rows[0])
            for other in rows[1:]:
                a, b = forms[label], form(other)
                if a[0] or b[0]:
                    equations.append(
                        (
                            {**{k: v for k, v in a[0].items()}, **{k: -v for k, v in b[0].items()}},
                            b[1] - a[1],
                            f"label {label!r}",
                        )
                    )
        for name, expression, token in self.defined:
            for label, t in expression.labels.items():
                if label not in by_label and label not in {d[0] for d in self.defined}:
                    fail(t, f"label {label!r} is not in the model.{suggest(label, by_label)}")
            if name in by_label:
                fail(
                    token,
                    f"{name!r} is already the label of a parameter; choose another name for the defined one",
                )
        for _ in self.defined:  # definitions may use one another in any order
            for name, expression, _token in self.defined:
                if name not in forms and set(expression.labels) <= set(forms):
                    forms[name] = expression.linear(forms)
        for name, _expression, token in self.defined:
            if name not in forms:
                fail(token, f"{name!r} is defined in terms of itself")
        for left, right, token in self.constraints:
            for label, t in {**left.labels, **right.labels}.items():
                if label not in forms:
                    fail(t, f"label {label!r} in the constraint is not in the model.{suggest(label, forms)}")
            a, b = left.linear(forms), right.linear(forms)
            text = f"{left.text} == {right.text}"
            if a is None or b is None:
                fail(
                    token,
                    f"the constraint {text} is not linear in the parameters; only linear ones are supported "
                    "(define the function with := and look at its interval)",
                )
            coefficients = {k: a[0].get(k, 0.0) - b[0].get(k, 0.0) for k in {**a[0], **b[0]}}
            if not coefficients and abs(a[1] - b[1]) > 1e-12:
                fail(token, f"the constraint {text} can never hold")
            equations.append((coefficients, b[1] - a[1], f"the constraint {text}"))

        n = self.n_free
        solved: list[tuple[int, np.ndarray, float]] = []  # pivot, coefficients of the others, constant
        for coefficients, value, text in equations:
            row, rhs = np.zeros(n), float(value)
            for k, v in coefficients.items():
                row[k] += v
            for p, q, r in solved:
                if row[p]:
                    rhs -= row[p] * r
                    row = row + row[p] * q
                    row[p] = 0.0
            row[np.abs(row) < 1e-12] = 0.0
            if not row.any():
                if abs(rhs) > 1e-9:
                    raise DataError(f"{text} contradicts other constraints or fixed values")
                continue
            pivot = int(np.flatnonzero(row)[-1])
            q, r = -row / row[pivot], rhs / row[pivot]
            q[pivot] = 0.0
            solved = [
                (p, np.where(np.arange(n) == pivot, 0.0, q0 + q0[pivot] * q), r0 + q0[pivot] * r)
                for p, q0, r0 in solved
            ]
            solved.append((pivot, q, r))
        K, c = np.eye(n), np.zeros(n)
        for p, q, r in solved:
            K[p], c[p] = q, r
        keep = [k for k in range(n) if k not in {s[0] for s in solved}]
        return K[:, keep], c

    # -- positions ---------------------------------------------------------------------------------------------
    def _place(self, g: int, position: dict) -> Group:
        p, h = self.n_ov, len(self.H)
        in_h = {int(v): k for k, v in enumerate(self.H)}
        index = [k for k, r in enumerate(self.rows) if r.group == g]
        kind, i, j, exo, x, y, w, eta = [], [], [], [], [], [], [], []

        def pool(v):  # column of [I | T_H | C_H] that holds dv/du, seen by the observed variables
            return p + in_h[v] if v in in_h else v

        for k in index:
            r = self.rows[k]
            if r.op in ("=~", "~"):
                to, source = (r.rhs, r.lhs) if r.op == "=~" else (r.lhs, r.rhs)
                a, b = position[to], position[source]
                (
                    kind.append(0),
                    x.append(pool(a)),
                    y.append(p + h + in_h[b]),
                    w.append(1.0),
                    eta.append(in_h[b]),
                )
            elif r.op == "~~":
                a, b = position[r.lhs], position[r.rhs]
                (
                    kind.append(1),
                    x.append(pool(a)),
                    y.append(pool(b)),
                    w.append(0.5 if a == b else 1.0),
                    eta.append(-2),
                )
            else:
                a = b = position[r.lhs]
                kind.append(2), x.append(pool(a)), y.append(pool(a)), w.append(0.0), eta.append(-1)
            i.append(a), j.append(b), exo.append(r.exo)
        for n in self.lv:
            if position[n] not in in_h:
                raise DataError(f"the latent {n!r} has no indicator and no effect; nothing is known about it")
        K, c = np.zeros((len(index), self.npar)), np.zeros(len(index))
        for k, row in enumerate(index):
            r = self.rows[row]
            if r.free >= 0:
                K[k], c[k] = self.K[r.free], self.c[r.free]
            elif not r.exo:
                c[k] = r.fixed
        arrays = [np.array(a, dtype=int) for a in (index, kind, i, j)]
        _, kind, i, j = arrays
        v = len(self.names)
        column = np.array([in_h.get(b, 0) for b in j], dtype=int)
        at = (np.flatnonzero(kind == 0), np.flatnonzero(kind == 1), np.flatnonzero(kind == 2))
        at += ((i * h + column)[at[0]], (i * v + j)[at[1]], (j * v + i)[at[1]], i[at[2]])
        exo, x, y, w, eta = (np.array(a) for a in (exo, x, y, w, eta))
        return Group(*arrays, exo.astype(bool), x, y, w, eta, K, c, at)

    def set_scale(self, sd: np.ndarray) -> None:
        """Work on variables divided by ``sd`` (p,); latents take the scale of their marker."""
        scale = dict(zip(self.ov, np.asarray(sd, dtype=float), strict=True))
        waiting = list(self.lv)
        while waiting:
            for n in list(waiting):
                mine = [r for r in self.rows if r.op == "=~" and r.lhs == n and r.group == 0]
                marker = next((r for r in mine if r.fixed), None)
                unit = any(r.op == "~~" and r.lhs == r.rhs == n and r.fixed for r in self.rows)
                source = None if unit else marker or (mine[0] if mine else None)
                if unit or source is None:
                    scale[n] = 1.0
                elif source.rhs in scale:
                    scale[n] = scale[source.rhs] / abs(source.fixed or 1.0)
                elif len(waiting) == 1 or all(r.rhs in waiting for r in self.rows if r.op == "=~" and r.lhs in waiting):
                    scale[n] = 1.0  # latents that measure each other in a circle
                else:
                    continue
                waiting.remove(n)
        self.scale = np.array([scale[n] for n in self.names])
        self._rescale()

    def _rescale(self) -> None:
        s = self.scale
        for g in self.groups:
            d = np.where(g.kind == 0, s[g.j] / s[g.i], np.where(g.kind == 1, 1 / (s[g.i] * s[g.j]), 1 / s[g.i]))
            g.d, g.D, g.k0 = d, d[:, None] * g.K, d * g.c

    # -- views -------------------------------------------------------------------------------------------------
    def free_values(self, theta: np.ndarray) -> np.ndarray:
        """(..., npar) -> (..., n_free): values of the free rows of the table."""
        return theta @ self.K.T + self.c

    def df(self, fixed_x: bool) -> int:
        """Moments less parameters; moments of fixed predictors do not count."""
        p, q = self.n_ov, len(self.var.x) if fixed_x else 0
        moments = p * (p + 1) // 2 - q * (q + 1) // 2 + (p - q if self.means else 0)
        return moments * self.n_groups - self.npar

    def extended(self, extra: list[Row]) -> Model:
        """The same model with further free rows, which come last in theta and obey no constraint."""
        keys = {(r.lhs, r.op, r.rhs, r.group) for r in extra}
        rows = [replace(r) for r in self.rows if (r.lhs, r.op, r.rhs, r.group) not in keys]
        rows += [replace(r, free=self.n_free + k) for k, r in enumerate(extra)]
        model = Model.__new__(Model)
        model.__dict__.update(self.__dict__)
        model.rows, model.n_free = rows, self.n_free + len(extra)
        n, m = self.K.shape
        model.K = np.zeros((model.n_free, m + len(extra)))
        model.K[:n, :m] = self.K
        model.K[n:, m:] = np.eye(len(extra))
        model.c = np.concatenate([self.c, np.zeros(len(extra))])
        model.npar = m + len(extra)
        position = {v: k for k, v in enumerate(self.names)}
        senders = {r.lhs if r.op == "=~" else r.rhs for r in rows if r.op in ("=~", "~")}
        model.H = np.array([position[v] for v in self.names if v in senders], dtype=int)
        model.groups = [model._place(g, position) for g in range(self.n_groups)]
        model.simple = False
        model._rescale()
        return model

    def unconstrained(self) -> Model:
        """The same model without equality constraints: theta are the free rows of the table."""
        model = Model.__new__(Model)
        model.__dict__.update(self.__dict__)
        model.K, model.c, model.npar, model.simple = (
            np.eye(self.n_free),
            np.zeros(self.n_free),
            self.n_free,
            False,
        )
        position = {v: k for k, v in enumerate(self.names)}
        model.groups = [model._place(g, position) for g in range(self.n_groups)]
        model._rescale()
        return model

    def table(self) -> pd.DataFrame:
        """The parameter table: lhs op rhs group user free (0 = fixed) label fixed start exo."""
        return pd.DataFrame(
            [
                (
                    r.lhs,
                    r.op,
                    r.rhs,
                    r.group + 1,
                    int(r.user),
                    r.free + 1,
                    r.label,
                    np.nan if r.fixed is None else r.fixed,
                    np.nan if r.start is None else r.start,
                    int(r.exo),
                )
                for r in self.rows
            ],
            columns=["lhs", "op", "rhs", "group", "user", "free", "label", "fixed", "start", "exo"],
        )
