"""Resamples of a fit's data: moments of all of them by one matrix product, or rows where values are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
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


def blocks_of_counts(rng: np.random.Generator, n_boot: int, n: int) -> list[Callable[[], np.ndarray]]:
    """``row_counts`` of all resamples, block by block; each block is made when it is called, wherever that is."""
    blocks: list[Callable[[], np.ndarray]] = []
    for size in block_sizes(n_boot, n):
        blocks.append(partial(row_counts, deepcopy(rng), size, n))
        for _ in range(size):  # on to where the next block begins
            rng.integers(n, size=n)
    return blocks


def blocks_of_all_but_one(n: int) -> list[Callable[[], np.ndarray]]:
    """Row counts of the jackknife: the first sample lacks the first of n rows, and so on."""
    return [partial(_all_but_one, *ends, n) for ends in pairwise(np.cumsum([0, *block_sizes(n, n)]))]


def _all_but_one(first: int, last: int, n: int) -> np.ndarray:
    counts = np.ones((last - first, n))
    np.fill_diagonal(counts[:, first:], 0)
    return counts


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


@dataclass(frozen=True, eq=False)
class FilledRows:
    """Rows x (n, p) with gaps, for resamples in which a gap is filled with the item's mean in that resample.

    A slice gives centred rows, 0 where a value is missing, and behind them a column for each item with gaps, 1 where
    one is: the fillings of all resamples follow from the moments of these columns.
    """

    x: np.ndarray
    center: np.ndarray
    variance: np.ndarray
    gaps: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> FilledRows:
        there = [column[~np.isnan(column)] for column in x.T]
        center, variance = (np.array([f(column) for column in there]) for f in (np.mean, np.var))
        return cls(x, center, variance, np.flatnonzero([len(column) < len(x) for column in there]))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.x), self.x.shape[1] + len(self.gaps)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, part: slice) -> np.ndarray:
        x = self.x[part] - self.center
        missing = np.isnan(x)
        return np.hstack([np.where(missing, 0.0, x), missing[:, self.gaps]])

    def moments(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means from the centre, standard deviations (B, p) and correlations (B, p, p); NaN for a constant item."""
        p, size = len(self.center), counts.sum(axis=1, dtype=float)[:, None]
        mean, cov = weighted_moments(self, counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean[:, self.gaps] /= 1 - mean[:, p:]
        fill = mean[:, self.gaps]
        cov[:, self.gaps] += fill[:, :, None] * cov[:, p:]
        cov[:, :, self.gaps] += fill[:, None, :] * cov[:, :, p:]
        variance = np.diagonal(cov, axis1=1, axis2=2)[:, :p]
        sd = np.sqrt(np.where(variance > 1e-12 * self.variance, variance, np.nan))
        return mean[:, :p], sd * np.sqrt(size / (size - 1)), cov[:, :p, :p] / (sd[:, :, None] * sd[:, None, :])

    def column_weights(self, weights: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights (B, columns) and constants (B, 1) so that a slice's rows times the former, less the latter, are the
        weighted sums of the filled items less their means."""
        both = weights * mean
        return np.hstack([weights, both[:, self.gaps]]), both.sum(1)[:, None]

    def cross_products(self, sums: np.ndarray, total: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Sums of products (..., p) of the filled items less their means, from ``sums`` (..., columns) of products with
        a slice's columns and the ``total`` (..., 1) of what they are multiplied with."""
        p = len(self.center)
        out = sums[..., :p] - mean * total
        out[..., self.gaps] += mean[:, self.gaps] * sums[..., p:]
        return out


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
