"""What a model says of ordered variables: thresholds, slopes, variances and correlations, and their derivatives.

Behind an ordered variable stands a normal one, y* = nu + ... , that thresholds cut. Only tau and y* over their common
standard deviation can be seen, so the statistics of a model are

    (tau - mu) / sd,   Pi / sd,   C_ab / (sd_a sd_b),

with mu, Pi and C the mean, the slopes on fixed predictors and the covariance given them; a continuous variable keeps
its own units (sd = 1), and its mean and variance are statistics too. In the delta parameterisation sd = 1 / scale and
the residual variance is what is left of it; where ordered variables act on other variables, the residual variances
solve a linear system. In the theta parameterisation residual variances are parameters and sd follows.
Derivatives come from the pool of ``semfit.estimate``: dC = w (x y' + y x'), dmu = c x, dPi = x (I - A)^-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..estimate import entries, slopes, structure
from ..model import Group, Kind, Model
from .statistics import Layout

DELTA, THETA = "delta", "theta"


@dataclass(frozen=True, eq=False)
class Places:
    """Where the thresholds and scales of one group stand in theta.

    Attributes
    ----------
    tau_K, tau_c : array, shape (locations, npar) and (locations,)
        Thresholds in the order of the layout; zero where a location is a mean.
    scale_K, scale_c : array, shape (ordered, npar) and (ordered,)
        Scales, in the order of ``OrdinalStructure.ordered``; ones in the theta parameterisation.
    residual : array of int, shape (ordered,)
        Entries that hold the residual variances of the ordered variables.
    tau_rows, scale_rows : array of int
        Their rows in the parameter table.
    """

    tau_K: np.ndarray
    tau_c: np.ndarray
    scale_K: np.ndarray
    scale_c: np.ndarray
    residual: np.ndarray
    tau_rows: np.ndarray
    scale_rows: np.ndarray


@dataclass(frozen=True, eq=False)
class Point:
    """One group at a batch of parameters, in the units of the model.

    ``entries`` hold the residual variances that follow; ``unit`` (B, p) takes statistics to the units of the data.
    """

    entries: np.ndarray
    Q: np.ndarray
    C: np.ndarray
    mean: np.ndarray
    effects: np.ndarray | None
    unit: np.ndarray
    scale: np.ndarray
    statistics: np.ndarray


class OrdinalStructure:
    """The way from theta to the statistics of :class:`semfit.ordinal.statistics.Statistics`.

    Parameters
    ----------
    model : Model
        With rows ``|`` and ``~*~``; standard deviations set.
    sizes : dict of str to int
        Categories of the ordered variables.
    parameterization : str
        ``"delta"`` or ``"theta"``.
    conditional : bool
        Whether observed predictors are taken as given.
    """

    def __init__(self, model: Model, sizes: Mapping[str, int], parameterization: str, conditional: bool = True):
        self.model, self.parameterization = model, parameterization
        given = model.var.x if conditional else []
        self.y = np.array([k for k, n in enumerate(model.ov) if n not in given], dtype=int)
        self.x = np.array([model.position[n] for n in given], dtype=int)
        self.sizes = np.array([sizes.get(model.ov[v], 0) for v in self.y], dtype=int)
        self.ordered = np.flatnonzero(self.sizes > 0)  # among y
        self.layout = Layout.of(self.sizes, len(self.x))
        in_h = {int(v): k for k, v in enumerate(model.H)}
        self.senders = [in_h[int(v)] for v in self.x]
        self.plain = not any(int(self.y[v]) in in_h for v in self.ordered)
        self.places = [self._places(k) for k in range(model.n_groups)]

    @property
    def delta(self) -> bool:
        return self.parameterization == DELTA

    def _places(self, k: int) -> Places:
        model, g, lay = self.model, self.model.groups[k], self.layout
        rows = {(r.lhs, r.op, r.rhs): n for n, r in enumerate(model.rows) if r.group == k and r.op in ("|", "~*~")}
        names = [model.ov[v] for v in self.y]
        tau = [
            rows[names[v], "|", f"t{c + 1}"] if c >= 0 else -1 for v, c in zip(lay.variable, lay.category, strict=True)
        ]
        scale = [rows[names[v], "~*~", names[v]] for v in self.ordered]
        own = {int(g.i[e]): e for e in np.flatnonzero((g.kind == Kind.COVARIANCE) & (g.i == g.j))}
        tau_K, tau_c = self._linear(tau)
        scale_K, scale_c = self._linear(scale)
        if not self.delta:
            scale_K, scale_c = np.zeros_like(scale_K), np.ones_like(scale_c)
        residual = np.array([own[int(self.y[v])] for v in self.ordered], dtype=int)
        return Places(tau_K, tau_c, scale_K, scale_c, residual, np.array(tau), np.array(scale))

    def _linear(self, rows: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients and constants of rows of the table; zero for row -1."""
        model = self.model
        K, c = np.zeros((len(rows), model.npar)), np.zeros(len(rows))
        for n, row in enumerate(rows):
            if row < 0:
                continue
            r = model.rows[row]
            if r.free >= 0:
                K[n], c[n] = model.K[r.free], model.c[r.free]
            else:
                c[n] = r.known
        return K, c

    # -- forward -----------------------------------------------------------------------------------------------
    def with_residuals(self, k: int, theta: np.ndarray, e: np.ndarray) -> np.ndarray:
        """Entries (B, n_entries) of group k, given predictors, with the residual variances that follow (delta)."""
        if not self.delta:
            return e
        place, g = self.places[k], self.model.groups[k]
        e = e.copy()
        e[:, place.residual] = 0.0
        Q, C, _ = structure(self.model, g, e)
        left = (theta @ place.scale_K.T + place.scale_c) ** -2 - self._variances(C)[:, self.ordered]
        if not self.plain:
            B = self._own_effects(Q)
            left = np.linalg.solve(B * B, left[:, :, None])[:, :, 0]
        e[:, place.residual] = left
        return e

    def _variances(self, C: np.ndarray) -> np.ndarray:
        return np.diagonal(C, axis1=1, axis2=2)[:, self.y]

    def _own_effects(self, Q: np.ndarray) -> np.ndarray:
        """(I - A)^-1 among the ordered variables (B, ordered, ordered)."""
        at = self.y[self.ordered]
        out = np.zeros((len(Q), len(at), len(at)), Q.dtype)
        in_h = {int(v): h for h, v in enumerate(self.model.H)}
        for n, v in enumerate(at):
            if int(v) in in_h:
                out[:, :, n] = Q[:, at, in_h[int(v)]]
            else:
                out[:, n, n] = 1.0
        return out

    def given_predictors(self, k: int, theta: np.ndarray) -> np.ndarray:
        """Entries of group k with predictors at zero and without variance, as what is conditional on them needs."""
        p = self.model.n_ov
        e = entries(self.model, self.model.groups[k], theta, (np.zeros((1, p, p)), np.zeros((1, p))))
        return self.with_residuals(k, theta, e)

    def point(self, k: int, theta: np.ndarray) -> Point:
        """Group k at ``theta`` (B, npar); complex in, complex out."""
        model, lay, place, y = self.model, self.layout, self.places[k], self.y
        g = model.groups[k]
        e = self.given_predictors(k, theta)
        Q, C, mean = structure(model, g, e)
        if mean is None:
            raise AssertionError("a model of ordered variables has means")
        scale = theta @ place.scale_K.T + place.scale_c
        variance = self._variances(C)
        unit = np.broadcast_to(model.scale[y], variance.shape).astype(variance.dtype)
        unit[:, self.ordered] = variance[:, self.ordered] ** -0.5
        location = (theta @ place.tau_K.T + place.tau_c) * 1.0
        mu, v = mean[:, y[lay.variable]], lay.variable
        location = np.where(lay.category >= 0, (location - mu) * unit[:, v], mu * unit[:, v])
        parts = [location]
        effects = None
        if len(self.x):
            effects = self._effects(g, e)
            slope = Q[:, y[lay.slope_of], np.array(self.senders)[lay.slope_on]]
            parts.append(slope * unit[:, lay.slope_of] / model.scale[self.x[lay.slope_on]])
        parts.append(variance[:, lay.continuous] * unit[:, lay.continuous] ** 2)
        i, j = lay.first, lay.second
        parts.append(C[:, y[i], y[j]] * unit[:, i] * unit[:, j])
        return Point(e, Q, C, mean, effects, unit, scale, np.concatenate(parts, axis=1))

    def _effects(self, g: Group, e: np.ndarray) -> np.ndarray:
        """Effects (B, h, q) of the predictors on all variables that send arrows."""
        H = self.model.H
        h = {int(v): k for k, v in enumerate(H)}
        A = np.zeros((len(e), len(H), len(H)), e.dtype)
        for n in g.at.arrows:
            if int(g.i[n]) in h:
                A[:, h[int(g.i[n])], g.eta[n]] += e[:, n]
        return np.linalg.inv(np.eye(len(H)) - A)[:, :, self.senders]

    # -- derivatives -------------------------------------------------------------------------------------------
    def jacobian(self, k: int, at: Point, columns: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Derivatives (B, statistics, parameters) of group k's statistics by all or by some parameters."""
        model, lay, place, y = self.model, self.layout, self.places[k], self.y
        g, ordered = model.groups[k], self.ordered
        gD, tau_K, scale_K = g.D[:, columns], place.tau_K[:, columns], place.scale_K[:, columns]
        used = np.flatnonzero(gD.any(axis=1))
        D = gD[used]
        B, p = at.Q.shape[:2]
        P = np.concatenate([np.broadcast_to(np.eye(p), (B, p, p)), at.Q], axis=2)
        i, j, v = lay.first, lay.second, lay.variable

        def moments(n) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            """Of entries n: their x, and the derivatives of the covariances of all pairs and of the variances."""
            Xy, Yy, w = P[:, y][:, :, g.x[n]], P[:, y][:, :, g.y[n]], g.w[n]
            return Xy, w * (Xy[:, i] * Yy[:, j] + Yy[:, i] * Xy[:, j]), 2 * w * Xy * Yy

        Xy, pairs, own = moments(used)
        pairs, own = pairs @ D, own @ D
        mean = (slopes(model, g, at.mean)[:, None, used] * Xy) @ D
        if self.delta:
            target = -2 * (at.scale**-3)[:, :, None] * scale_K
            if not self.plain:
                _, pairs_r, own_r = moments(place.residual)
                dr = np.linalg.solve(own_r[:, ordered], target - own[:, ordered])
                pairs, own = pairs + pairs_r @ dr, own + own_r @ dr
            own[:, ordered] = target
        variance = self._variances(at.C)
        # unit = variance ** -1/2 where ordered, constant elsewhere; relative change -1/2 dC / C
        change = np.zeros_like(own)
        change[:, ordered] = -0.5 * own[:, ordered] / variance[:, ordered, None]
        a, b, c, end = lay.starts
        out = np.empty((B, end, D.shape[1]))
        s = at.statistics[:, :, None]
        cut = (lay.category >= 0)[:, None]
        out[:, :a] = np.where(cut, tau_K - mean[:, v], mean[:, v]) * at.unit[:, v, None] + s[:, :a] * change[:, v]
        if b > a and at.effects is not None:
            of, on = lay.slope_of, lay.slope_on
            arrow = np.flatnonzero((g.kind == Kind.ARROW) & gD.any(axis=1))
            first = P[:, y[of]][:, :, g.x[arrow]]
            second = at.effects[:, g.eta[arrow]][:, :, on].swapaxes(1, 2)
            slope = (first * second) @ gD[arrow]
            out[:, a:b] = slope * (at.unit[:, of] / model.scale[self.x[on]])[:, :, None] + s[:, a:b] * change[:, of]
        out[:, b:c] = own[:, lay.continuous] * (at.unit[:, lay.continuous] ** 2)[:, :, None]
        out[:, c:] = pairs * (at.unit[:, i] * at.unit[:, j])[:, :, None] + s[:, c:] * (change[:, i] + change[:, j])
        return out

    def row_values(self, k: int, theta: np.ndarray, kind: str, sd: np.ndarray) -> dict[int, np.ndarray]:
        """Values of the rows ``|`` and ``~*~``; ``sd`` (B, p) of the observed variables with their predictors.

        Standardised thresholds are over the standard deviation, standardised scales are one.
        """
        place, lay = self.places[k], self.layout
        cut = lay.category >= 0
        tau = (theta @ place.tau_K.T + place.tau_c)[:, cut]
        scale = theta @ place.scale_K.T + place.scale_c
        if kind in ("std_all", "std_nox"):
            tau = tau / sd[:, self.y[lay.variable[cut]]]
            scale = np.ones_like(scale)
        elif not self.delta:
            variance = self._variances(structure(self.model, self.model.groups[k], self.given_predictors(k, theta))[1])
            scale = variance[:, self.ordered] ** -0.5
        out = {int(row): tau[:, n] for n, row in enumerate(place.tau_rows[cut])}
        return out | {int(row): scale[:, n] for n, row in enumerate(place.scale_rows)}
