"""Diagonally weighted least squares: the search, for one sample or for a batch of resamples.

F = sum_g (n_g - 1) / N (s_g - sigma_g)' W_g (s_g - sigma_g) / 2 (lavaan's divisor) with W the inverse of the diagonal of Gamma, minimised by
Gauss-Newton steps with Levenberg damping. A threshold that nothing else depends on fits its statistic whatever the
rest says, so it leaves the search and is put in at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .structure import OrdinalStructure

TOLERANCE = 1e-8  # largest gradient element, in units of sqrt(information), at which a fit has converged


@dataclass(frozen=True, eq=False)
class Targets:
    """What is fitted: one entry a group.

    Attributes
    ----------
    s : list of array, shape (B, statistics)
    w : list of array, shape (B, statistics)
        Weights; not negative.
    n : list of float
        Rows by group.
    """

    s: list[np.ndarray]
    w: list[np.ndarray]
    n: list[float]

    def __len__(self) -> int:
        return len(self.s[0])

    def take(self, index) -> Targets:
        return Targets([s[index] for s in self.s], [w[index] for w in self.w], self.n)

    @property
    def shares(self) -> list[float]:
        return [(n - 1) / sum(self.n) for n in self.n]


@dataclass(frozen=True, eq=False)
class Solved:
    """Thresholds that leave the search: their place in theta, group and statistic; and what stays."""

    parameter: np.ndarray
    group: np.ndarray
    statistic: np.ndarray
    kept: np.ndarray
    rows: list[np.ndarray]


def solved_thresholds(structure: OrdinalStructure) -> Solved:
    """Thresholds with a parameter of their own and no constraint."""
    model = structure.model
    uses = sum((place.tau_K != 0).sum(axis=0) for place in structure.places)
    others = sum((g.D != 0).sum(axis=0) for g in model.groups)
    others = others + sum((place.scale_K != 0).sum(axis=0) for place in structure.places)
    alone = (uses == 1) & (others == 0)
    parameter, group, statistic, rows = [], [], [], []
    for k, place in enumerate(structure.places):
        keep = np.ones(structure.layout.starts[3], dtype=bool)
        for n in np.flatnonzero((place.tau_K != 0).sum(axis=1) == 1):
            j = int(np.flatnonzero(place.tau_K[n])[0])
            if alone[j] and place.tau_K[n, j] == 1 and place.tau_c[n] == 0:
                parameter.append(j)
                group.append(k)
                statistic.append(n)
                keep[n] = False
        rows.append(np.flatnonzero(keep))
    kept = np.setdiff1d(np.arange(model.npar), parameter)
    return Solved(np.array(parameter, int), np.array(group, int), np.array(statistic, int), kept, rows)


def evaluate(structure: OrdinalStructure, targets: Targets, theta: np.ndarray, solved: Solved | None = None) -> tuple:
    """F (B,), gradient (B, q) and information (B, q, q), without the thresholds that are solved."""
    columns = slice(None) if solved is None else solved.kept
    q, B = len(np.arange(structure.model.npar)[columns]), len(theta)
    F, gradient, information = np.zeros(B), np.zeros((B, q)), np.zeros((B, q, q))
    for k, share in enumerate(targets.shares):
        rows = slice(None) if solved is None else solved.rows[k]
        with np.errstate(all="ignore"):
            at = structure.point(k, theta)
            r = (targets.s[k] - at.statistics)[:, rows]
            ok = np.isfinite(r).all(axis=1)
            J = structure.jacobian(k, at, columns)[:, rows]
        r, J = np.where(ok[:, None], r, 0.0), np.where(ok[:, None, None], J, 0.0)
        w = targets.w[k][:, rows]
        F = F + share * np.where(ok, 0.5 * (w * r * r).sum(axis=1), np.inf)
        WJ = w[:, :, None] * J
        gradient = gradient - share * (WJ.swapaxes(1, 2) @ r[:, :, None])[:, :, 0]
        information = information + share * (J.swapaxes(1, 2) @ WJ)
    return F, gradient, information


def search(structure: OrdinalStructure, targets: Targets, start: np.ndarray, max_iter: int = 200) -> tuple:
    """Minimise F from ``start`` (npar,) or (B, npar): theta (B, npar), F (B,) and converged (B,)."""
    solved = solved_thresholds(structure)
    B = len(targets)
    theta = np.broadcast_to(start, (B, len(np.atleast_2d(start)[0]))).astype(float).copy()
    out_F, converged = np.zeros(B), np.ones(B, bool)
    if len(solved.kept):
        theta, out_F, converged = _damped(structure, targets, theta, solved, max_iter)
    if len(solved.parameter):
        _put_in(structure, targets, theta, solved)
    if not len(solved.kept):
        out_F = evaluate(structure, targets, theta, solved)[0]
    return theta, out_F, converged


def _put_in(structure: OrdinalStructure, targets: Targets, theta: np.ndarray, solved: Solved) -> None:
    """Thresholds at which their statistics fit exactly: tau = s sd + mu."""
    for k in range(len(targets.n)):
        here = solved.group == k
        with np.errstate(all="ignore"):
            at = structure.point(k, theta)
        lay = structure.layout
        v = lay.variable[solved.statistic[here]]
        mean = at.mean[:, structure.y[v]]
        theta[:, solved.parameter[here]] = targets.s[k][:, solved.statistic[here]] / at.unit[:, v] + mean


def _damped(structure: OrdinalStructure, targets: Targets, theta: np.ndarray, solved: Solved, max_iter: int) -> tuple:
    """Each member of the batch has its own damping and leaves when it is done."""
    kept, B = solved.kept, len(theta)
    out_theta, out_F, converged = theta.copy(), np.full(B, np.inf), np.zeros(B, bool)
    F, gradient, information = evaluate(structure, targets, theta, solved)
    damping, active, diagonal = np.zeros(B), np.arange(B), np.arange(len(kept))
    for _ in range(max_iter):
        s = 1.0 / np.sqrt(np.maximum(np.diagonal(information, axis1=1, axis2=2), 1e-300))
        scaled = information * s[:, :, None] * s[:, None, :]
        scaled[:, diagonal, diagonal] += damping[:, None] + 1e-12
        step = -np.linalg.solve(scaled, (gradient * s)[:, :, None])[:, :, 0]
        small = (np.abs(gradient * s).max(axis=1) < TOLERANCE) & (np.abs(step).max(axis=1) < 1e2 * TOLERANCE)
        new = theta.copy()
        new[:, kept] += step * s
        F1, g1, I1 = evaluate(structure, targets, new, solved)
        better = F1 <= F + 1e-13 * (1 + np.abs(F))
        theta, F = np.where(better[:, None], new, theta), np.where(better, F1, F)
        gradient = np.where(better[:, None], g1, gradient)
        information = np.where(better[:, None, None], I1, information)
        damping = np.where(better, np.where(damping > 1e-4, damping / 10, 0.0), np.maximum(10 * damping, 1e-3))
        done = small | (damping > 1e8)
        out_theta[active], out_F[active] = theta, F
        converged[active[small]] = True
        if done.all():
            break
        keep = ~done
        if done.any():
            targets = targets.take(keep)
            theta, F, gradient, information, damping, active = (
                v[keep] for v in (theta, F, gradient, information, damping, active)
            )
    return out_theta, out_F, converged
