"""Diagonally weighted least squares: the search, for one sample or for a batch of resamples.

F = sum_g (n_g - 1) / N (s_g - sigma_g)' W_g (s_g - sigma_g) / 2 (lavaan's divisor) with W the inverse of the diagonal
of Gamma (under ULSMV the identity), minimised by Gauss-Newton steps with Levenberg damping. A threshold that nothing
else depends on fits its statistic whatever the rest says, so it leaves the search and is put in at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..estimate import pullback
from ..mixing import mixed
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


def near(structure: OrdinalStructure, targets: Targets, start: np.ndarray) -> tuple:
    """Minimise F for a batch near the solution ``start`` (npar,): theta, F and converged, as :func:`search`.

    Steps use the derivatives at the start with each member's own weights, and its own gradient, which needs no
    derivatives of all statistics; what does not settle, and models that bind thresholds, go through :func:`search`.
    """
    solved, B = solved_thresholds(structure), len(targets)
    if not _plain(structure, solved):
        return search(structure, targets, start)
    theta = np.broadcast_to(start, (B, len(start))).astype(float).copy()
    information = np.zeros((B, len(solved.kept), len(solved.kept)))
    for k, share in enumerate(targets.shares):
        J = structure.jacobian(k, structure.point(k, start[None]), solved.kept)[0, solved.rows[k]]
        information += share * ((J.T * targets.w[k][:, None, solved.rows[k]]) @ J)
    try:
        back = np.linalg.inv(np.linalg.cholesky(information)).swapaxes(1, 2)
    except np.linalg.LinAlgError:  # a resample that hardly determines a parameter
        return search(structure, targets, start)
    theta[:, solved.kept], F, done = _mixed(structure, targets, theta, back, solved)
    if len(solved.parameter):
        _put_in(structure, targets, theta, solved)
    left = np.flatnonzero(~done)
    if len(left):
        theta[left], F[left], done[left] = search(structure, targets.take(left), start, max_iter=60)
    return theta, F, done


def _mixed(structure: OrdinalStructure, targets: Targets, theta: np.ndarray, back: np.ndarray, solved: Solved) -> tuple:
    """The fixed-point iteration of :func:`near`, sped up by Anderson mixing over the last steps (see ``gradient``)."""
    B, q = len(theta), len(solved.kept)
    out, out_F, done = theta[:, solved.kept].copy(), np.full(B, np.inf), np.zeros(B, bool)
    start, active, z, memory = out.copy(), np.arange(B), np.zeros((B, q)), 6
    steps, changes = np.zeros((B, memory, q)), np.zeros((B, memory, q))
    z_before = f_before = z
    for k in range(40):
        now = theta[active]
        now[:, solved.kept] = start[active] + (back[active] @ z[:, :, None])[:, :, 0]
        F, gradient = _pulled(structure, targets.take(active), now, solved)
        f = -(back[active].swapaxes(1, 2) @ gradient[:, :, None])[:, :, 0]
        small = np.abs(f).max(axis=1, initial=0.0) < TOLERANCE
        out[active[small]], out_F[active[small]], done[active[small]] = now[small][:, solved.kept], F[small], True
        keep = ~small & np.isfinite(f).all(axis=1)
        if not keep.any():
            break
        active, z, f, z_before, f_before, steps, changes = (
            v[keep] for v in (active, z, f, z_before, f_before, steps, changes)
        )
        if k:
            steps[:, (k - 1) % memory], changes[:, (k - 1) % memory] = z - z_before, f - f_before
        z_before, f_before, z = z, f, mixed(z, f, steps[:, :k], changes[:, :k])
    return out, out_F, done


def _plain(structure: OrdinalStructure, solved: Solved) -> bool:
    """Whether F depends on covariances and means of the model alone: thresholds fit, scales are fixed, no predictors."""
    cut = int((structure.layout.category >= 0).sum()) * structure.model.n_groups
    fixed = all(not place.scale_K.any() for place in structure.places)
    return len(solved.parameter) == cut and fixed and structure.plain and not len(structure.x)


def _pulled(structure: OrdinalStructure, targets: Targets, theta: np.ndarray, solved: Solved) -> tuple:
    """F (B,) and its gradient (B, kept) of a plain model, from the derivatives of F by covariances and means."""
    lay, model, y = structure.layout, structure.model, structure.y
    _, variances, pairs, _ = lay.starts
    i, j = lay.first, lay.second
    F, gradient = np.zeros(len(theta)), np.zeros((len(theta), model.npar))
    for k, share in enumerate(targets.shares):
        with np.errstate(all="ignore"):
            at = structure.point(k, theta)
            r = targets.s[k] - at.statistics
        r[:, np.setdiff1d(np.arange(r.shape[1]), solved.rows[k])] = 0.0
        c = targets.w[k] * r
        F += share * 0.5 * (c * r).sum(axis=1)
        G, u = np.zeros((len(theta), model.n_ov, model.n_ov)), at.unit
        G[:, y[i], y[j]] = G[:, y[j], y[i]] = c[:, pairs:] * u[:, i] * u[:, j]
        own = y[lay.continuous]
        G[:, own, own] = 2 * c[:, variances:pairs] * u[:, lay.continuous] ** 2
        if not structure.delta:  # sd follows from the variance
            cut = y[structure.ordered]
            both = np.zeros_like(G)
            both[:, y[i], y[j]] = both[:, y[j], y[i]] = c[:, pairs:] * at.statistics[:, pairs:]
            G[:, cut, cut] = -both.sum(axis=2)[:, cut] / at.C[:, cut, cut]
        v = np.zeros((len(theta), model.n_ov))
        means = lay.category < 0
        v[:, y[lay.variable[means]]] = c[:, : lay.starts[0]][:, means] * u[:, lay.variable[means]]
        gradient += share * pullback(model, model.groups[k], at.Q, at.mean, G, v)
    return F, gradient[:, solved.kept]


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
