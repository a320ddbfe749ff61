"""Resamples of a fit's data: moments of all of them by one matrix product, or rows where values are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .derivatives import row_patterns
from .design import Design
from .estimate import Moments, Patterns
from .solution import Solution

CELLS = 2**20  # row numbers drawn at once
ROWS = 4096  # in a block: the products of a million rows would not fit in memory
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
                self.rows.append(fit.rows[k].values * 0.0 if self.gaps else np.zeros((0, p)))
            elif kind == "bollen-stine":
                s = model.scale[:p]  # in standard deviations, so that the result does not depend on the units
                S = fit.h1.cov[k] / np.outer(s, s)
                turn = _root(S, -0.5) @ _root(Sigma / np.outer(s, s), 0.5)
                self.center.append(mu)
                self.rows.append((fit.rows[k].values - sample_mean) / s @ turn * s)
            else:
                self.center.append(sample_mean)
                self.rows.append(fit.rows[k].values - self.center[k])
        self.by_pattern = [RowsByPattern.of(X) for X in self.rows] if self.gaps else []
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
        return (self.solution.design_of(k) or Design()).drawn(rng, self.n[k])

    def patterns(self, seeds) -> list[Patterns]:
        """Resamples with missing values."""
        rngs = [np.random.default_rng(s) for s in seeds]
        found = []  # by group, then by resample
        for k, (n, rows) in enumerate(zip(self.n, self.by_pattern, strict=True)):
            if self.kind == "parametric":
                drawn = (rng.standard_normal((n, len(self.root[k]))) @ self.root[k].T for rng in rngs)
                moments = [next(rows.moments(X, np.ones((1, n)))) for X in drawn]
            else:
                counts = np.array([np.bincount(self._drawn(rng, k), minlength=n) for rng in rngs])
                moments = list(rows.moments(self.rows[k], counts))
            found.append([(mask, count, m + self.center[k] * mask, S) for mask, count, m, S in moments])
        out = []
        for one in zip(*found, strict=True):
            mask, count, m, S = ([part[j] for part in one] for j in range(4))
            out.append(Patterns(mask, count, m, S, self.solution.patterns.x_moments, [float(c.sum()) for c in count]))
        return out


@dataclass(frozen=True, eq=False)
class RowsByPattern:
    """Rows of one group in the order of their patterns of gaps, so that a resample is a row of counts.

    Attributes
    ----------
    mask : array of bool, shape (P, p)
    order : array of int, shape (n,)
    start : array of int, shape (P + 1,)
        Where each pattern begins in that order, and n.
    """

    mask: np.ndarray
    order: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> RowsByPattern:
        found = row_patterns(X)
        mask = np.zeros((len(found), X.shape[1]), bool)
        for k, (o, _) in enumerate(found):
            mask[k, o] = True
        rows = [r for _, r in found]
        return cls(mask, np.concatenate(rows), np.concatenate([[0], np.cumsum([len(r) for r in rows])]))

    def moments(self, X: np.ndarray, counts: np.ndarray) -> Iterator[tuple]:
        """mask, count, means and covariances of the patterns that are there in each resample; see ``missing.patterns``.

        X (n, p) should be centred near its mean, so that no digits are lost; ``counts`` (B, n) says how often each
        row was drawn.
        """
        n, p = X.shape
        low = np.tril_indices(p)
        counts = counts[:, self.order]
        sums = np.zeros((len(counts), len(self.mask), p + len(low[0])))
        for first in range(0, n, ROWS):
            rows = X[self.order[first : first + ROWS]]
            rows = np.where(np.isnan(rows), 0.0, rows)
            both = np.concatenate([rows, rows[:, low[0]] * rows[:, low[1]]], axis=1)
            edges, columns = np.clip(self.start - first, 0, len(rows)), np.arange(len(rows))
            for b, c in enumerate(counts[:, first : first + ROWS]):
                sums[b] += csr_array((c.astype(float), columns, edges), shape=(len(self.mask), len(rows))) @ both
        for c, total in zip(counts, sums, strict=True):
            size = np.diff(np.concatenate([[0.0], np.cumsum(c)])[self.start])
            here = size > 0
            mask, m = self.mask[here], total[here, :p] / size[here, None]
            m = np.where(mask, m, 0.0)
            S = np.zeros((len(m), p, p))
            S[:, low[0], low[1]] = total[here, p:] / size[here, None] - m[:, low[0]] * m[:, low[1]]
            S[:, low[1], low[0]] = S[:, low[0], low[1]]
            S *= mask[:, :, None] & mask[:, None, :]
            yield mask, size[here], m, S


def block_sizes(n_boot: int, n: int) -> list[int]:
    """How many resamples of n rows to hold at once, for the counts to stay small."""
    block = min(250, 1 + 2**25 // n)
    return [min(block, n_boot - first) for first in range(0, n_boot, block)]


def row_counts(rng: np.random.Generator, size: int, n: int) -> np.ndarray:
    """How often each of n rows is drawn in ``size`` resamples, (size, n); in single bytes where rows are many."""
    together = max(1, CELLS // n)
    out = np.empty((size, n), float if together >= size else np.uint8)
    for first in range(0, size, together):
        part = out[first : first + together]
        drawn = rng.integers(n, size=part.shape) + n * np.arange(len(part))[:, None]
        part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
    return out


def resampled_covariances(x: np.ndarray, n_boot: int, rng: np.random.Generator) -> np.ndarray:
    """Covariance matrices of bootstrap samples of rows, shape (n_boot, k, k), without building the samples.

    Samples in which an item is constant are left out.
    """
    n, x, out = len(x), x - x.mean(0), []
    for size in block_sizes(n_boot, n):
        out.append(weighted_moments(x, row_counts(rng, size, n))[1] * n / (n - 1))
    found = np.concatenate(out)
    return found[(np.diagonal(found, axis1=1, axis2=2) > 1e-12 * x.var(0)).all(1)]


def weighted_moments(X: Any, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (B, p) and covariances (B, p, p), divisor n, of resamples of X (n, p) given row counts (B, n).

    X should be centred near its mean, so that no digits are lost; what gives its rows by slices does as well.
    """
    p, total = X.shape[1], counts.sum(axis=1, dtype=float)[:, None]
    row, column = np.tril_indices(p)
    mean, second = np.zeros((len(counts), p)), np.zeros((len(counts), len(row)))
    for first in range(0, len(X), ROWS):
        rows, times = X[first : first + ROWS], counts[:, first : first + ROWS].astype(float, copy=False)
        by_item = np.ascontiguousarray(rows.T)  # an item in one piece: picking columns would be many times slower
        products = by_item[row]
        products *= by_item[column]
        second += times @ products.T
        mean += times @ rows
    mean /= total
    second /= total
    square = np.zeros((p, p), int)
    square[row, column] = square[column, row] = np.arange(len(row))
    cov = second[:, square.ravel()].reshape(-1, p, p)
    cov -= mean[:, :, None] * mean[:, None, :]
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
