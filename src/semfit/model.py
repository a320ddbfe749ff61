"""From parsed syntax to a parameter table and to the matrices of the reticular action model.

One representation serves every model (McArdle & McDonald 1984, British J. Math. Stat. Psych. 37, 234-251): all
variables, observed first and latent after, stand in one vector ``v = m + A v + u`` with ``cov(u) = S``. A loading
``f =~ x`` is ``A[x, f]``, a regression ``y ~ x`` is ``A[y, x]``, ``a ~~ b`` is ``S[a, b]`` and ``a ~ 1`` is ``m[a]``.
Defaults (which parameters are added, fixed, freed) are those of ``lavaan::sem()`` and ``cfa()``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from .constraints import equations, reduction
from .curve import Curve
from .errors import DataError
from .factor_inverse import FactorInverse
from .partable import Row, Variables
from .syntax import Constraint, Definition


class Kind(IntEnum):
    """Which matrix an entry stands in."""

    ARROW = 0  # A: loadings and regressions
    COVARIANCE = 1  # S
    MEAN = 2  # m


class Sender(IntEnum):
    """What stands in place of a sender's position in ``H`` where an entry has none."""

    INTERCEPT = -1  # dmu = x
    NONE = -2  # a covariance moves no mean


class Entry(NamedTuple):
    """One row of the parameter table in the matrices; the fields are columns of :class:`Group`."""

    row: int
    kind: Kind
    i: int
    j: int
    exo: bool
    x: int
    y: int
    w: float
    eta: int


@dataclass(frozen=True)
class Positions:
    """Which entries belong to which matrix, and their flat positions there.

    Attributes
    ----------
    arrows, covariances, means : array of int
        Entries of each kind.
    in_A, in_S, in_S_mirrored, in_m : array of int
        Where they go in A[:, H], in both triangles of S, and in m.
    """

    arrows: np.ndarray
    covariances: np.ndarray
    means: np.ndarray
    in_A: np.ndarray
    in_S: np.ndarray
    in_S_mirrored: np.ndarray
    in_m: np.ndarray


def _empty() -> np.ndarray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Links:
    """Which entries of a group move with which parameters.

    Attributes
    ----------
    entries, columns : array of int
        Entries that are free in the group and parameters that move them: D is zero elsewhere.
    D : array, shape (len(entries), len(columns))
    size : array, shape (len(columns),), or None
        The diagonal of D where each entry has a parameter of its own, the usual case; then nothing is multiplied out.
    """

    entries: np.ndarray
    columns: np.ndarray
    D: np.ndarray
    size: np.ndarray | None

    @classmethod
    def of(cls, D: np.ndarray) -> Links:
        moves = D != 0
        entries, columns = np.flatnonzero(moves.any(axis=1)), np.flatnonzero(moves.any(axis=0))
        alone = len(columns) > 0 and (moves.sum(axis=0)[columns] == 1).all() and (moves.sum(axis=1)[entries] == 1).all()
        if alone:
            entries = moves[:, columns].argmax(axis=0)
        part = D[np.ix_(entries, columns)]
        return cls(entries, columns, part, np.diag(part).copy() if alone else None)

    def gather(self, values: np.ndarray, npar: int) -> np.ndarray:
        """Derivatives (B, entries) about all entries -> (B, npar) about the parameters."""
        own = values[:, self.entries]
        own = own @ self.D if self.size is None else own * self.size
        if len(self.columns) == npar:
            return own
        out = np.zeros((len(values), npar), own.dtype)
        out[:, self.columns] = own
        return out

    def spread(self, blocks: np.ndarray, npar: int) -> np.ndarray:
        """Matrices (B, columns, columns) of this group -> (B, npar, npar)."""
        if len(self.columns) == npar:
            return blocks
        out = np.zeros((len(blocks), npar, npar))
        out[:, self.columns[:, None], self.columns] = blocks
        return out


@dataclass
class Group:
    """Where the parameters of one group stand in A, S and m (positions in the vector of all variables).

    Attributes
    ----------
    rows : indices into ``Model.rows``, one an entry
    kind : :class:`Kind` of each entry
    i, j : row and column of the entry
    x, y : columns of the pool matrix [I | T_H | C_H] (see ``estimate``) so that dSigma = w (x y' + y x')
    w : weight of the pair, 1/2 for a variance, 0 for an intercept
    eta : position among the senders whose mean multiplies dmu, or a :class:`Sender`
    K, c : (entries, npar), (entries,): entry = K theta + c, in user units
    at : flat positions in the matrices
    free : places of the entries among the free parameters, -1 for fixed ones
    links : the part of D that is not zero
    factor : where a factor model has its residual and latent variances, None in other models
    d : (entries,) user units to scaled ones
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
    at: Positions
    free: np.ndarray
    links: Links
    factor: FactorInverse | None = None
    d: np.ndarray = field(default_factory=_empty)
    D: np.ndarray = field(default_factory=_empty)
    k0: np.ndarray = field(default_factory=_empty)


class Model:
    """Parameter table, linear constraints and matrix positions.

    A parameter vector ``theta`` (npar,) holds what is left after equality constraints; the free rows of the table
    are ``K @ theta + c``. Inside, variables are divided by ``scale`` (standard deviations of observed variables,
    the marker's for latents), so that the units of the items cannot matter; ``theta`` itself is in user units.

    Parameters
    ----------
    rows : list of Row
        The parameter table; free rows are numbered in its order.
    var : Variables
    constraints, defined : sequences
        Of the parsed model.
    reduced : (K, c), optional
        Instead of what labels and constraints say; see :func:`semfit.constraints.reduction`.
    scale : array of float, shape (variables,), optional
        As ``set_scale`` would make it; ones when left out.
    curve : Curve, optional
        Constraints that are not linear, of which ``reduced`` is the tangent plane. Without it ``waiting`` holds those
        that the text writes; ``semfit.feasible`` looks for a point at which they hold.
    """

    def __init__(
        self,
        rows: list[Row],
        var: Variables,
        constraints: Sequence[Constraint] = (),
        defined: Sequence[Definition] = (),
        *,
        reduced: tuple[np.ndarray, np.ndarray] | None = None,
        scale: np.ndarray | None = None,
        curve: Curve | None = None,
    ):
        self.rows, self.var = rows, var
        self.ov, self.lv, self.n_ov = var.ov, var.lv, len(var.ov)
        self.names = var.ov + var.lv
        self.defined, self.constraints = list(defined), list(constraints)
        self.means = any(r.op == "~1" for r in rows)
        self.n_groups = 1 + max(r.group for r in rows)
        self.free_rows = [r for r in rows if r.free >= 0]
        self.n_free = len(self.free_rows)
        self.curve, self.waiting = curve, None
        if reduced is None:
            equal, self.waiting = equations(rows, self.constraints, self.defined)
            reduced = reduction(equal, rows)
        self.K, self.c = reduced
        self.npar = self.K.shape[1]
        self.position = {n: k for k, n in enumerate(self.names)}
        senders = {r.lhs if r.op == "=~" else r.rhs for r in rows if r.op in ("=~", "~")}
        self.H = np.array([self.position[n] for n in self.names if n in senders], dtype=int)
        for n in self.lv:
            if n not in senders:
                raise DataError(f"the latent {n!r} has no indicator and no effect; nothing is known about it")
        self.groups = [self._place(g) for g in range(self.n_groups)]
        if scale is None:
            self.set_scale(np.ones(self.n_ov))
        else:
            self.scale = scale
            self._rescale()

    # -- positions ---------------------------------------------------------------------------------------------
    def _place(self, g: int) -> Group:
        in_h = {int(v): k for k, v in enumerate(self.H)}
        placed = [self._entry(k, r, in_h) for k, r in enumerate(self.rows) if r.group == g and r.op not in ("|", "~*~")]
        columns = dict(zip(Entry._fields, map(np.array, zip(*placed, strict=True)), strict=True))
        columns["rows"] = columns.pop("row")
        K, c = np.zeros((len(placed), self.npar)), np.zeros(len(placed))
        for k, entry in enumerate(placed):
            r = self.rows[entry.row]
            if r.free >= 0:
                K[k], c[k] = self.K[r.free], self.c[r.free]
            elif r.fixed is not None:
                c[k] = r.fixed
        kind, i, j = columns["kind"], columns["i"], columns["j"]
        arrows, covariances, means = (np.flatnonzero(kind == k) for k in Kind)
        v, sender = len(self.names), np.array([in_h.get(int(b), 0) for b in j], dtype=int)
        at = Positions(
            arrows,
            covariances,
            means,
            in_A=(i * len(self.H) + sender)[arrows],
            in_S=(i * v + j)[covariances],
            in_S_mirrored=(j * v + i)[covariances],
            in_m=i[means],
        )
        free = np.array([self.rows[row].free for row in columns["rows"]], dtype=int)
        factor = FactorInverse.of(i, j, covariances, self.H, self.n_ov)
        return Group(**columns, K=K, c=c, at=at, free=free, links=Links.of(K), factor=factor)

    def _entry(self, k: int, r: Row, in_h: dict[int, int]) -> Entry:
        """Matrix, cell, pool columns and weight of one row of the table."""
        p, h = self.n_ov, len(self.H)

        def pool(v: int) -> int:  # column of [I | T_H | C_H] that holds dv/du, seen by the observed variables
            return p + in_h[v] if v in in_h else v

        a = self.position[r.lhs]
        if r.op == "~1":
            return Entry(k, Kind.MEAN, a, a, r.exo, pool(a), pool(a), 0.0, Sender.INTERCEPT)
        b = self.position[r.rhs]
        if r.op == "~~":
            return Entry(k, Kind.COVARIANCE, a, b, r.exo, pool(a), pool(b), 0.5 if a == b else 1.0, Sender.NONE)
        to, source = (b, a) if r.op == "=~" else (a, b)
        return Entry(k, Kind.ARROW, to, source, r.exo, pool(to), p + h + in_h[source], 1.0, in_h[source])

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
        self.__dict__.pop("unconstrained", None)  # was made in other units
        for g in self.groups:
            to, other = s[g.i], s[g.j]
            g.d = np.where(g.kind == Kind.ARROW, other / to, np.where(g.kind == Kind.MEAN, 1 / to, 1 / (to * other)))
            g.D, g.k0 = g.d[:, None] * g.K, g.d * g.c
            g.links = Links.of(g.D)

    # -- views -------------------------------------------------------------------------------------------------
    def free_values(self, theta: np.ndarray) -> np.ndarray:
        """(..., npar) -> (..., n_free): values of the free rows of the table."""
        return theta @ self.K.T + self.c if self.curve is None else self.curve.free(theta)

    def along(self, curve: Curve) -> Model:
        """The same model with constraints that are not linear, K and c being their tangent plane at the curve's base."""
        plane = curve.plane()
        return Model(self.rows, self.var, self.constraints, self.defined, reduced=plane, scale=self.scale, curve=curve)

    def tangent(self, theta: np.ndarray) -> Model:
        """The same model with K, c and D as they are at ``theta``; itself where constraints are linear."""
        return self if self.curve is None else self.along(self.curve.at(theta))

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
        n, m = self.K.shape
        K = np.zeros((n + len(extra), m + len(extra)))
        K[:n, :m], K[n:, m:] = self.K, np.eye(len(extra))
        return self._with(rows, K, np.concatenate([self.c, np.zeros(len(extra))]))

    @cached_property
    def unconstrained(self) -> Model:
        """:meth:`freed`, kept for what asks for it at every step."""
        return self.freed()

    def freed(self) -> Model:
        """The same model without equality constraints: theta are the free rows of the table."""
        return self._with(self.rows, np.eye(self.n_free), np.zeros(self.n_free))

    def _with(self, rows: list[Row], K: np.ndarray, c: np.ndarray) -> Model:
        return Model(rows, self.var, self.constraints, self.defined, reduced=(K, c), scale=self.scale)

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
