"""Equality constraints that are not linear: some parameters follow from the others, as the roots of equations.

With u the parameters that linear constraints leave, h(u) = 0 holds as many equations as there are *pivots* among u. The
pivots are an implicit function of the others, theta; du/dtheta = [I; -H_p^-1 H_o] with H = dh/du. At a solution the
matrix dx/dtheta of the free parameters x stands where K stands in a model with linear constraints, so that standard
errors, tests and degrees of freedom are those of the tangent plane (Aitchison & Silvey 1958, Annals of Mathematical
Statistics 29, 813-828; Satorra 1989, Psychometrika 54, 131-151).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .expression import Expression
from .syntax import Constraint, Definition

STEP = 1e-30  # complex step: derivatives without cancellation (Squire & Trapp 1998)
NEWTON, CLOSE, ZERO = 60, 1e-9, 1e-13  # steps at most; relative and absolute size of the last one at a root


@dataclass(frozen=True, eq=False)
class Equations:
    """Left less right sides of constraints, as functions of the free parameters.

    Attributes
    ----------
    constraints : tuple of Constraint
    defined : tuple of Definition
        Of which the constraints may make use.
    free : dict of str to int
        Places of labels among the free parameters.
    fixed : dict of str to float
        Values of labels of fixed parameters.
    """

    constraints: tuple[Constraint, ...]
    defined: tuple[Definition, ...]
    free: Mapping[str, int]
    fixed: Mapping[str, float]

    def __len__(self) -> int:
        return len(self.constraints)

    @property
    def texts(self) -> list[str]:
        return [f"{c.left.text} == {c.right.text}" for c in self.constraints]

    def only(self, kept: Sequence[int]) -> Equations:
        return replace(self, constraints=tuple(self.constraints[k] for k in kept))

    def values(self, x: np.ndarray) -> np.ndarray:
        """(..., n_free) -> (..., r); complex in, complex out, NaN where an expression has no value."""
        known = {label: x[..., place] for label, place in self.free.items()} | dict(self.fixed)
        with np.errstate(all="ignore"):
            for _ in self.defined:  # they may use one another
                for d in self.defined:
                    if d.name not in known and set(d.expression.labels) <= set(known):
                        known[d.name] = d.expression.value(known)
            sides = [np.asarray(c.left.value(known) - c.right.value(known)) for c in self.constraints]
        return np.stack([np.broadcast_to(s, x.shape[:-1]) for s in sides], axis=-1)

    @cached_property
    def touched(self) -> np.ndarray:
        """Places of the free parameters that the constraints name, through definitions too."""
        expressions = {d.name: d.expression for d in self.defined}
        names, seen = [n for c in self.constraints for side in c[:2] for n in _labels(side)], set()
        while names:
            name = names.pop()
            if name not in seen:
                seen.add(name)
                names += _labels(expressions[name]) if name in expressions else []
        return np.array(sorted({self.free[n] for n in seen if n in self.free}), dtype=int)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """(B, n_free) real -> (B, r, n_free), by the complex step."""
        places = self.touched
        stepped = np.repeat(x[:, None, :].astype(complex), len(places), axis=1)
        stepped[:, np.arange(len(places)), places] += 1j * STEP
        out = np.zeros((len(x), len(self), x.shape[1]))
        out[:, :, places] = self.values(stepped).imag.swapaxes(1, 2) / STEP
        return out


def _labels(expression: Expression) -> list[str]:
    return list(expression.labels)


@dataclass(frozen=True, eq=False)
class Curve:
    """Free parameters x = K u + c whose ``pivots`` among u solve the equations, near a point where they hold.

    Attributes
    ----------
    equations : Equations
    K, c : array, shape (n_free, m) and (n_free,)
        Linear constraints.
    pivots : array of int, shape (r,)
    base : array, shape (m,)
        Values u at which the equations hold.
    """

    equations: Equations
    K: np.ndarray
    c: np.ndarray
    pivots: np.ndarray
    base: np.ndarray

    @cached_property
    def others(self) -> np.ndarray:
        """Places of theta in u."""
        return np.setdiff1d(np.arange(len(self.base)), self.pivots)

    @cached_property
    def _start(self) -> np.ndarray:
        """du/dtheta (m, npar) at the base."""
        return self._slopes(self.base[None])[0]

    def free(self, theta: np.ndarray) -> np.ndarray:
        """(..., npar) -> (..., n_free), complex in, complex out; NaN where the pivots have no root."""
        flat = theta.reshape(-1, theta.shape[-1])
        u = self._roots(flat.real)
        if np.iscomplexobj(flat):
            u = u + 1j * (flat.imag[:, None, :] @ self._slopes(u).swapaxes(1, 2))[:, 0]
        return (u @ self.K.T + self.c).reshape(*theta.shape[:-1], -1)

    def point(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x (B, n_free) and dx/dtheta (B, n_free, npar) at real theta (B, npar)."""
        u = self._roots(theta)
        return u @ self.K.T + self.c, self.K @ self._slopes(u)

    def bend(self, x: np.ndarray, slopes: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """What second derivatives of the constraints add to those of F about theta, (B, npar, npar).

        With the multipliers l = -H_p^-T g_p: dx/dtheta' (sum of l_k d2h_k) dx/dtheta. ``gradient`` (B, n_free) is
        that of F about x. Differences of exact first derivatives: for a search, not for standard errors.
        """
        at, places = self.equations, self.equations.touched
        H, p = at.jacobian(x), self.pivots
        multipliers = -_solved((H @ self.K)[:, :, p].swapaxes(1, 2), (gradient @ self.K)[:, p, None])[:, :, 0]
        moved = np.repeat(x[:, None, :], len(places), axis=1)
        size = 1e-6 * (1 + np.abs(x[:, places]))
        moved[:, np.arange(len(places)), places] += size
        second = at.jacobian(moved.reshape(-1, x.shape[1])).reshape(*moved.shape[:2], len(at), -1)[..., places]
        second = (second - H[:, None][..., places]) / size[:, :, None, None]
        total = (second * multipliers[:, None, :, None]).sum(axis=2)
        part = slopes[:, places]
        return part.swapaxes(1, 2) @ ((total + total.swapaxes(1, 2)) / 2) @ part

    def at(self, theta: np.ndarray) -> Curve:
        """The same curve with the point of ``theta`` (npar,) as its base."""
        return replace(self, base=self._roots(theta[None])[0])

    def plane(self) -> tuple[np.ndarray, np.ndarray]:
        """K and c of the tangent plane at the base: x = K theta + c."""
        K = self.K @ self._start
        return K, self.K @ self.base + self.c - K @ self.base[self.others]

    def _derivatives(self, u: np.ndarray) -> np.ndarray:
        """dh/du (B, r, m)."""
        return self.equations.jacobian(u @ self.K.T + self.c) @ self.K

    def _slopes(self, u: np.ndarray) -> np.ndarray:
        """du/dtheta (B, m, npar)."""
        H, p, o = self._derivatives(u), self.pivots, self.others
        out = np.zeros((len(u), u.shape[1], len(o)))
        out[:, o, np.arange(len(o))] = 1.0
        out[:, p] = -_solved(H[:, :, p], H[:, :, o])
        return out

    def _roots(self, theta: np.ndarray) -> np.ndarray:
        """u (B, m) of real theta (B, npar) by Newton's method from the tangent plane; NaN where there is no root."""
        p, o = self.pivots, self.others
        u = np.tile(self.base, (len(theta), 1))
        moved = theta - self.base[o]
        u[:, p] += moved @ self._start[p].T
        u[:, o] = theta
        active = np.flatnonzero(moved.any(axis=1))
        for _ in range(NEWTON):
            if not len(active):
                return u
            now = u[active]
            h = self.equations.values(now @ self.K.T + self.c)
            step = _solved(self._derivatives(now)[:, :, p], h[:, :, None])[:, :, 0]
            u[active[:, None], p] -= step
            far = (
                np.abs(step) >= CLOSE * (np.abs(now[:, p]) + np.abs(self.base[p])) + ZERO
            )  # False for NaN, which stays
            active = active[far.any(axis=1)]  # the others' next step would have the square of that size
        u[active] = np.nan
        return u


def _solved(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """A^-1 b (B, r, k); NaN where A is singular or not finite."""
    with np.errstate(all="ignore"):
        bad = ~np.isfinite(A).all(axis=(1, 2)) | ~(np.abs(np.linalg.det(A)) > 0)
    out = np.linalg.solve(np.where(bad[:, None, None], np.eye(A.shape[1]), A), b)
    return np.where(bad[:, None, None], np.nan, out)
