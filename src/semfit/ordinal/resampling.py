"""Resamples of ordered items and their refits: tables of all pairs by one product, correlations and fits in batches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ..design import Design
from ..errors import DataError
from ..estimate import Moments
from ..solution import Solution
from .bivariate import FAR, phi
from .dwls import Targets, near
from .margins import thresholds_of
from .solution import MEASURES, ULSMV, OrdinalSolution, ordinal_measures, weights
from .statistics import Statistics, statistics, table_correlations, table_shares
from .structure import OrdinalStructure

EMPTY, STALLED = "a category is empty or a pair perfect", "no convergence"


@dataclass(frozen=True, eq=False)
class OrdinalRefits:
    """Refits of one chunk of resamples.

    Attributes
    ----------
    view : Solution
        The fit at the estimates of the resamples that could be fitted.
    moments : Moments
        Their correlations.
    theta : array, shape (fitted, npar)
    chisq : array, shape (fitted,)
    ok : array of bool, shape (resamples,)
    reasons : list of str
        Why the others could not be fitted.
    """

    view: Solution
    moments: Moments
    theta: np.ndarray
    chisq: np.ndarray
    ok: np.ndarray
    reasons: list[str]


@dataclass(frozen=True, eq=False)
class OrdinalResampler:
    """Statistics and weights of resamples of a fit's rows (or clusters of rows), drawn within groups.

    Attributes
    ----------
    solution : OrdinalSolution
    """

    solution: OrdinalSolution
    n: list[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n", [len(rows.values) for rows in self.solution.rows])

    @property
    def in_tables(self) -> bool:
        """Tables hold all that the estimates need when every variable is ordered and nothing is conditional."""
        return self.solution.all_ordered

    @cached_property
    def indicators(self) -> list[np.ndarray]:
        """Rows as indicators (n, p D) of their categories; where answers are missing that is a category too."""
        out, wide = [], self.width + any(np.isnan(rows.values).any() for rows in self.solution.rows)
        for rows in self.solution.rows:
            codes = np.where(np.isnan(rows.values), self.width, rows.values).astype(int)
            out.append((codes[:, :, None] == np.arange(wide)).reshape(len(codes), -1).astype(float))
        return out

    @property
    def largest(self) -> int:
        """Rows of the largest group."""
        return max(self.n)

    @property
    def width(self) -> int:
        return int(self.solution.ordinal.sizes.max())

    def targets(self, rngs: list[np.random.Generator]) -> tuple[Targets, np.ndarray, list[np.ndarray]]:
        """Statistics and weights of one resample a generator, those that are whole (B,), and correlation matrices."""
        whole = np.ones(len(rngs), bool)
        s: list[np.ndarray] = []
        w: list[np.ndarray] = []
        R: list[np.ndarray] = []
        for k, n in enumerate(self.n):
            design = self.solution.design_of(k) or Design()
            drawn = [np.bincount(design.drawn(rng, n), minlength=n).astype(float) for rng in rngs]
            one = (self._from_tables if self.in_tables else self._from_rows)(k, drawn)
            for part, value in zip((s, w, R), one, strict=False):
                part.append(value)
            whole &= one[3]
        return Targets(s, w, [float(n) for n in self.n]), whole, R

    def refits(self, seeds) -> OrdinalRefits:
        """Refit the model to one resample a seed, all from the sample's estimates."""
        fit = self.solution
        targets, ok, R = self.targets([np.random.default_rng(s) for s in seeds])
        theta, F, done = np.zeros((0, fit.model.npar)), np.zeros(0), np.zeros(0, bool)
        if ok.any():
            theta, F, done = near(fit.ordinal, targets.take(ok), fit.theta)
        reasons = [EMPTY] * int((~ok).sum()) + [STALLED] * int((~done).sum())
        ok[ok] = done
        count = int(ok.sum())
        S = [r[ok] for r in R] if self.in_tables else [np.tile(C, (count, 1, 1)) for C in fit.h1.cov]
        moments = Moments(S, [np.tile(m, (count, 1)) for m in fit.h1.mean], list(fit.data.n))
        theta = theta[done]
        return OrdinalRefits(fit.at(moments, theta), moments, theta, 2 * sum(moments.n) * F[done], ok, reasons)

    def _from_tables(self, k: int, drawn: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Statistics, weights and correlations of all resamples from their two-way tables; whether each is usable."""
        lay, sizes = self.solution.ordinal.layout, self.solution.ordinal.sizes
        n = np.array([counts.sum() for counts in drawn])[:, None]
        p, B, C = len(sizes), len(drawn), self.width
        Z = self.indicators[k]
        D = Z.shape[1] // p
        crossed = np.stack([(Z.T @ (Z * w[:, None])).reshape(p, D, p, D) for w in drawn])
        own = np.diagonal(np.diagonal(crossed, axis1=1, axis2=3), axis1=1, axis2=2)  # (B, p, D)
        inside = np.arange(C) < sizes[:, None]
        whole = np.asarray(((own[:, :, :C] > 0) | ~inside).all(axis=(1, 2)))
        safe = np.where(whole[:, None, None], own, 1.0)
        safe[:, :, :C] *= inside
        tau = thresholds_of(safe[:, :, :C])
        influence, spread = _threshold_influence(tau, safe[:, :, :C], sizes)
        i, j = lay.first, lay.second
        tables = crossed[:, i, :, j, :].swapaxes(0, 1).reshape(B * len(i), D, D)
        a, b = (tau[:, v].reshape(B * len(i), C - 1) for v in (i, j))
        start = np.tile(self.solution.samples[k].correlation[i, j], B)
        inner = np.ascontiguousarray(tables[:, :C, :C])
        rho = table_correlations(a, b, inner, start)
        by = [influence[:, v].reshape(B * len(i), C + 1, C - 1) for v in (i, j)]
        share, _ = table_shares(a, b, rho, inner, *by)
        spread_rho = (tables * share[:, :D, :D] ** 2).sum(axis=(1, 2)).reshape(B, -1)
        cut, number = lay.variable, lay.category
        s = np.concatenate([tau[:, cut, number], rho.reshape(B, -1)], axis=1)
        gamma = n * np.concatenate([spread[:, cut, number], spread_rho], axis=1)
        R = np.tile(np.eye(p), (B, 1, 1))
        R[:, i, j] = R[:, j, i] = rho.reshape(B, -1)
        with np.errstate(all="ignore"):
            w = 1 / gamma
        fine = np.asarray((np.isfinite(w) & (w > 0)).all(axis=1))
        if self.solution.options.estimator == ULSMV:
            w = np.ones_like(w)
        return s, np.where(np.isfinite(w), w, 0.0), R, whole & fine

    def _from_rows(self, k: int, drawn: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """The way of a single fit, resample by resample."""
        y = self.solution.ordinal
        X = self.solution.rows[k].values
        m, p = y.layout.starts[3], len(y.sizes)
        s, w = np.zeros((len(drawn), m)), np.zeros((len(drawn), m))
        R, whole = np.tile(np.eye(p), (len(drawn), 1, 1)), np.zeros(len(drawn), bool)
        names = [self.solution.model.ov[v] for v in y.y]
        for b, counts in enumerate(drawn):
            found = _statistics(np.repeat(X, counts.astype(int), axis=0), y, names)
            if found is not None:
                s[b], w[b] = found.vector, weights(found, self.solution.options.estimator)
                R[b], whole[b] = found.correlation, True
        return s, w, R, whole


def _statistics(rows: np.ndarray, y: OrdinalStructure, names: list[str]) -> Statistics | None:
    """Both steps for other rows; None where a category is empty or a weight cannot be computed."""
    answers = rows[:, y.y]
    if any(len(np.unique(c[~np.isnan(c)])) < size for c, size in zip(answers.T, y.sizes, strict=True) if size):
        return None
    try:
        found = statistics(answers, y.sizes, names, rows[:, y.x] if len(y.x) else None)
    except DataError:
        return None
    return found if np.isfinite(weights(found, ULSMV)).all() else None


def refit_rows(fit: OrdinalSolution, rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, list[dict[str, float]]]:
    """theta, convergence and measures of samples (B, n, p) by group, codes as in the fit; one batch of searches."""
    B, n = len(rows[0]), [float(part.shape[1]) for part in rows]
    names = [fit.model.ov[v] for v in fit.ordinal.y]
    found = [[_statistics(X, fit.ordinal, names) for X in part] for part in rows]
    samples = [each for each in zip(*found, strict=True)]
    ok = np.array([all(s is not None for s in each) for each in samples])
    theta, done = np.full((B, fit.model.npar), np.nan), np.zeros(B, bool)
    whole = [[s for s in each if s is not None] for each, fine in zip(samples, ok, strict=True) if fine]
    if whole:
        groups = list(zip(*whole, strict=True))
        s = [np.array([one.vector for one in group]) for group in groups]
        w = [np.array([weights(one, fit.options.estimator) for one in group]) for group in groups]
        theta[ok], F, done[ok] = near(fit.ordinal, Targets(s, w, n), fit.theta)
    measures = [dict.fromkeys(MEASURES, np.nan)] * B
    data = replace(fit.data, n=n)
    for b, each in zip(np.flatnonzero(ok), whole, strict=True):
        if done[b]:
            view = replace(fit, data=data, theta=theta[b], samples=tuple(each), raw=None, design=(), converged=True)
            measures[b] = ordinal_measures(view)
    return theta, done, measures


def _threshold_influence(tau: np.ndarray, counts: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Influence of an answer on the thresholds (B, p, C + 1, K), the last row for a missing answer; its squares (B, p, K)."""
    B, p, C = counts.shape
    K = C - 1
    share = counts / counts.sum(axis=2, keepdims=True)
    with np.errstate(all="ignore"):
        inverse = np.where(share > 0, 1 / share, 0.0)
    f = np.where(tau < FAR, phi(tau), 0.0)
    score = np.zeros((B, p, C, K))
    for k in range(K):
        score[:, :, k, k] = f[:, :, k] * inverse[:, :, k]
        score[:, :, k + 1, k] = -f[:, :, k] * inverse[:, :, k + 1]
    information = np.einsum("bpc,bpck,bpcl->bpkl", counts, score, score, optimize=True)
    beyond = np.arange(K) >= sizes[:, None] - 1
    information[:, beyond] = np.eye(K)[np.nonzero(beyond)[1]]
    influence = np.zeros((B, p, C + 1, K))
    influence[:, :, :C] = np.linalg.solve(information[:, :, None], score[..., None])[..., 0]
    return influence, np.einsum("bpc,bpck->bpk", counts, influence[:, :, :C] ** 2)
