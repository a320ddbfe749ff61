"""Resamples of a fit's data: moments of all of them by one matrix product, or rows where values are missing."""

from __future__ import annotations

import numpy as np

from .estimate import Moments, Patterns
from .missing import pattern_moments
from .solution import Solution

KINDS = ("nonparametric", "bollen-stine", "parametric")


class Resampler:
    """Draws moments (or rows, with missing values) of resamples from seeds."""

    def __init__(self, fit: Solution, kind: str):
        self.kind, self.n = kind, [int(round(k)) for k in fit.data.n]
        self.solution, self.means = fit.at(fit.data, fit.theta), fit.data.m is not None
        self.gaps = isinstance(fit.data, Patterns)
        p, model = fit.model.n_ov, fit.model
        self.information = fit.expected_information
        self.center: list[np.ndarray] = []
        self.rows: list[np.ndarray] = []  # centred rows; of parametric draws where values are missing
        self.root: list[np.ndarray] = []
        for k in range(model.n_groups):
            C, mu = fit.implied(k)
            sample_mean = fit.h1.mean[k]
            mu = sample_mean if mu is None else mu[:p]
            Sigma = C[:p, :p]
            if kind == "parametric":
                self.center.append(mu)
                self.root.append(np.linalg.cholesky(Sigma))
                self.rows.append(np.isnan(fit.rows[k].values) if self.gaps else np.zeros((0, p), bool))
            elif kind == "bollen-stine":
                s = model.scale[:p]  # in standard deviations, so that the result does not depend on the units
                S = fit.h1.cov[k] / np.outer(s, s)
                turn = _root(S, -0.5) @ _root(Sigma / np.outer(s, s), 0.5)
                self.center.append(mu)
                self.rows.append((fit.rows[k].values - sample_mean) / s @ turn * s)
            else:
                self.center.append(np.zeros(p) if self.gaps else sample_mean)
                self.rows.append(fit.rows[k].values - self.center[k])
        self.largest = 0 if kind == "parametric" else max(self.n)

    def moments(self, seeds) -> Moments:
        """Moments of complete resamples."""
        rngs = [np.random.default_rng(s) for s in seeds]
        S, m = [], []
        for k, n in enumerate(self.n):
            if self.kind == "parametric":
                drawn = [wishart(rng, self.root[k], n) for rng in rngs]
                S.append(np.array([d[0] for d in drawn]))
                m.append(np.array([d[1] for d in drawn]) + self.center[k])
            else:
                counts = np.array([np.bincount(self._drawn(rng, k), minlength=n) for rng in rngs], dtype=float)
                mean, cov = weighted_moments(self.rows[k], counts)
                S.append(cov)
                m.append(mean + self.center[k])
        return Moments(S, m if self.means else None, [float(n) for n in self.n])

    def _drawn(self, rng: np.random.Generator, k: int) -> np.ndarray:
        """Positions of the rows of one resample of group k: rows, or all rows of the clusters drawn."""
        design = self.solution.design_of(k)
        if design is None or design.clusters is None:
            return rng.integers(self.n[k], size=self.n[k])
        times = np.bincount(rng.integers(design.n_clusters, size=design.n_clusters), minlength=design.n_clusters)
        return np.repeat(np.arange(self.n[k]), times[design.clusters])

    def patterns(self, seed) -> Patterns:
        """One resample with missing values."""
        rng, rows = np.random.default_rng(seed), []
        for k, n in enumerate(self.n):
            if self.kind == "parametric":
                X = rng.standard_normal((n, len(self.root[k]))) @ self.root[k].T + self.center[k]
                X[self.rows[k]] = np.nan
            else:
                X = self.rows[k][self._drawn(rng, k)]
            rows.append(X)
        return pattern_moments(rows, self.solution.patterns.x_moments)


def weighted_moments(X: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (B, p) and covariances (B, p, p), divisor n, of resamples of X (n, p) given row counts (B, n).

    X should be centred near its mean, so that no digits are lost.
    """
    p, total = X.shape[1], counts.sum(axis=1)[:, None]
    low = np.tril_indices(p)
    second = np.zeros((len(counts), len(low[0])))
    for first in range(0, len(X), 4096):  # blocks of rows: the outer products of a million rows would not fit in memory
        rows = X[first : first + 4096]
        second += counts[:, first : first + 4096] @ (rows[:, low[0]] * rows[:, low[1]])
    mean = counts @ X / total
    cov = np.empty((len(counts), p, p))
    cov[:, low[0], low[1]] = second / total - mean[:, low[0]] * mean[:, low[1]]
    cov[:, low[1], low[0]] = cov[:, low[0], low[1]]
    return mean, cov


def wishart(rng: np.random.Generator, root: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Covariance (divisor n) and mean deviation of n normal rows with covariance root root' (Bartlett 1933)."""
    p = len(root)
    A = np.tril(rng.standard_normal((p, p)), -1)
    A[np.diag_indices(p)] = np.sqrt(rng.chisquare(n - 1 - np.arange(p)))
    L = root @ A
    return L @ L.T / n, root @ rng.standard_normal(p) / np.sqrt(n)


def _root(M: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(M)
    return vectors * values**power @ vectors.T
