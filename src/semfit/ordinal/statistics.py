"""Both steps for one sample: thresholds, means, slopes, variances and correlations, and how they vary together.

The covariance matrix follows Muthen (1984, Psychometrika 49, 115-132) as lavaan has it: with SC the scores of all
statistics row by row and B the block-triangular matrix of their cross products, n^-1 Gamma = B^-1 SC'SC B^-T. Here
each row's share in every statistic, SC B^-T, is formed directly; for two ordered items it depends on the cell of
their table alone, so that it is looked up. With sampling weights B is weighted, and so is each row's share. With
clusters the shares of their rows are summed before they are squared; the weights of the fit stay those of the rows,
so that clusters change standard errors and tests and no estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..design import Design
from . import bivariate, casewise
from .bivariate import FAR
from .casewise import Bounds, Residual
from .margins import Margin, Table, margin


@dataclass(frozen=True, eq=False)
class Layout:
    """Order of the statistics: thresholds and means, slopes (predictor by predictor), variances, pairs.

    Attributes
    ----------
    variable, category : array of int, shape (t,)
        Variable of each threshold or mean, and which threshold from 0; -1 for a mean.
    slope_of, slope_on : array of int, shape (p q,)
    continuous : array of int
        Variables with a variance.
    first, second : array of int, shape (p (p - 1) / 2,)
        Variables of each pair, ``first > second``, as the lower triangle is read column by column.
    """

    variable: np.ndarray
    category: np.ndarray
    slope_of: np.ndarray
    slope_on: np.ndarray
    continuous: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, sizes: np.ndarray, q: int) -> Layout:
        p = len(sizes)
        location = [(v, k if c else -1) for v, c in enumerate(sizes) for k in range(max(int(c) - 1, 1))]
        variable, category = (np.array(part, dtype=int) for part in zip(*location, strict=True))
        second, first = np.triu_indices(p, 1)
        on, of = np.divmod(np.arange(p * q), p) if q else (np.zeros(0, int), np.zeros(0, int))
        return cls(variable, category, of, on, np.flatnonzero(np.asarray(sizes) == 0), first, second)

    @property
    def starts(self) -> tuple[int, int, int, int]:
        """Where slopes, variances and pairs begin, and the length of the whole."""
        a = len(self.variable)
        b = a + len(self.slope_of)
        c = b + len(self.continuous)
        return a, b, c, c + len(self.first)


@dataclass(frozen=True, eq=False)
class Statistics:
    """What a sample says of its variables.

    Attributes
    ----------
    layout : Layout
    sizes : array of int, shape (p,)
        Categories by variable, 0 for continuous ones.
    n : float
        Rows, or the sum of their weights.
    margins : list of Margin
    correlation : array, shape (p, p)
    tables : array, shape (pairs, C, C)
        Two-way tables, the first variable in rows; zero where a variable is continuous.
    shares : Shares
        What each row adds to the statistics.
    """

    layout: Layout
    sizes: np.ndarray
    n: float
    margins: list[Margin]
    correlation: np.ndarray
    tables: np.ndarray
    shares: Shares

    @cached_property
    def variances(self) -> np.ndarray:
        return np.array([m.variance for m in self.margins])

    @cached_property
    def covariance(self) -> np.ndarray:
        sd = np.sqrt(self.variances)
        return self.correlation * np.outer(sd, sd)

    @cached_property
    def vector(self) -> np.ndarray:
        """The statistics in the order of the layout; covariances where a variable is continuous."""
        lay = self.layout
        location = [m.location for m in self.margins]
        slopes = np.array([m.slopes for m in self.margins])
        return np.concatenate(
            [
                *location,
                slopes[lay.slope_of, lay.slope_on],
                self.variances[lay.continuous],
                self.covariance[lay.first, lay.second],
            ]
        )

    @cached_property
    def gamma(self) -> np.ndarray:
        """n times the covariance matrix of the statistics."""
        total, T = self.correlation_gamma, self._to_covariances()
        return total if T is None else T @ total @ T.T

    @cached_property
    def correlation_gamma(self) -> np.ndarray:
        """The same with correlations in the place of covariances."""
        return self.n * sum(block.T @ block for block in self.shares.blocks())

    @cached_property
    def gamma_diagonal(self) -> np.ndarray:
        """Diagonal of Gamma whose inverse weighs the statistics: of rows, also where these have clusters."""
        if not self.shares.clustered:
            return np.diag(self.gamma).copy()
        T = self._to_covariances()
        blocks = self.shares.blocks(clusters=False)
        return self.n * sum(((block if T is None else block @ T.T) ** 2).sum(axis=0) for block in blocks)

    def _to_covariances(self) -> np.ndarray | None:
        """Derivative of covariances by correlations and variances; None without continuous variables."""
        lay = self.layout
        if not len(lay.continuous):
            return None
        _, variances, pairs, end = lay.starts
        T = np.eye(end)
        sd, place = np.sqrt(self.variances), {v: variances + k for k, v in enumerate(lay.continuous)}
        for k, (i, j) in enumerate(zip(lay.first, lay.second, strict=True)):
            T[pairs + k, pairs + k] = sd[i] * sd[j]
            for v, w in ((i, j), (j, i)):
                if v in place:
                    T[pairs + k, place[v]] = sd[w] * self.correlation[i, j] / (2 * sd[v])
        return T


@dataclass(frozen=True, eq=False)
class Shares:
    """What each row adds to each statistic, formed in blocks of rows.

    Attributes
    ----------
    layout : Layout
    margins : list of Margin
    codes : array of int, shape (n, p)
        Category of each ordered answer, C where it is missing.
    looked_up : array of int
        Pairs of two ordered variables without predictors.
    cells : array, shape (len(looked_up), C + 1, C + 1)
        Their shares by cell.
    by_row : dict of pair to array, shape (n,)
        Shares of the other pairs.
    design : Design
    """

    layout: Layout
    margins: list[Margin]
    codes: np.ndarray
    looked_up: np.ndarray
    cells: np.ndarray
    by_row: dict[int, np.ndarray]
    design: Design

    @property
    def clustered(self) -> bool:
        return self.design.clusters is not None

    def blocks(self, clusters: bool = True) -> Iterator[np.ndarray]:
        """Independent summands (rows or clusters, statistics), weighted; rows too where ``clusters`` is False."""
        lay, n = self.layout, len(self.codes)
        design = self.design if clusters else replace(self.design, clusters=None, n_clusters=0)
        slopes, variances, pairs, end = lay.starts
        width = self.cells.shape[-1]
        flat = self.cells.reshape(len(self.cells), width * width)
        base = np.arange(len(self.looked_up)) * width * width
        i, j = lay.first[self.looked_up], lay.second[self.looked_up]
        for part in design.portions(n, end):
            codes = self.codes[part]
            out = np.empty((len(codes), end))
            out[:, :slopes] = np.column_stack([m.influence(part)[:, : len(m.location)] for m in self.margins])
            for k, (v, on) in enumerate(zip(lay.slope_of, lay.slope_on, strict=True)):
                m = self.margins[v]
                out[:, slopes + k] = m.influence(part)[:, len(m.location) + on]
            for k, v in enumerate(lay.continuous):
                out[:, variances + k] = self.margins[v].influence(part)[:, -1]
            if len(self.looked_up):
                out[:, pairs + self.looked_up] = np.take(flat.ravel(), base + codes[:, i] * width + codes[:, j])
            for k, values in self.by_row.items():
                out[:, pairs + k] = values[part]
            yield design.fold(out, part)


def statistics(
    values: np.ndarray,
    sizes: np.ndarray,
    names: Sequence[str],
    predictors: np.ndarray | None = None,
    design: Design | None = None,
) -> Statistics:
    """Both steps for a sample.

    Parameters
    ----------
    values : array, shape (n, p)
        Categories from 0 (every one of them used) or numbers; NaN where missing.
    sizes : array of int, shape (p,)
        Categories by variable, 0 for continuous ones.
    names : sequence of str
    predictors : array, shape (n, q), optional
        Observed predictors without gaps, on which everything is conditional.
    design : Design, optional
        Clusters and sampling weights of the rows.
    """
    n, p = values.shape
    design = design or Design()
    w = np.ones(n) if design.weights is None else design.weights
    x = np.empty((n, 0)) if predictors is None else predictors
    lay = Layout.of(sizes, x.shape[1])
    margins = [margin(values[:, v], int(sizes[v]), x, names[v], w) for v in range(p)]
    width = int(sizes.max(initial=0))
    codes = np.where(np.isnan(values) | (sizes == 0), width, values).astype(int)
    tables = _tables(codes, width, lay, design.weights)
    both = (sizes[lay.first] > 0) & (sizes[lay.second] > 0) & (x.shape[1] == 0)
    looked_up = np.flatnonzero(both)
    correlation = np.eye(p)
    cells, rho = _from_tables(lay, margins, tables, looked_up, width)
    correlation[lay.first[looked_up], lay.second[looked_up]] = rho
    by_row = {}
    for k in np.flatnonzero(~both):
        i, j = lay.first[k], lay.second[k]
        pair = _from_rows(margins[i].rows, margins[j].rows, w)
        correlation[i, j] = pair.rho
        by_row[int(k)] = _share(pair, margins[i], margins[j], w)
    correlation = np.tril(correlation, -1) + np.tril(correlation, -1).T + np.eye(p)
    shares = Shares(lay, margins, codes, looked_up, cells, by_row, design)
    return Statistics(lay, sizes, design.size(n), margins, correlation, tables, shares)


def _tables(codes: np.ndarray, width: int, lay: Layout, weights: np.ndarray | None) -> np.ndarray:
    """Two-way tables (pairs, C, C) by one matrix product."""
    n, p = codes.shape
    if not width:
        return np.zeros((len(lay.first), 0, 0))
    return two_way(one_hot(codes, width), weights, p, width, lay)


def one_hot(codes: np.ndarray, width: int) -> np.ndarray:
    """Codes (n, p) as indicators (n, p C); a missing answer (code C) has none."""
    return (codes[:, :, None] == np.arange(width)).reshape(len(codes), -1).astype(float)


def two_way(indicators: np.ndarray, weight: np.ndarray | None, p: int, width: int, lay: Layout) -> np.ndarray:
    weighted = indicators if weight is None else indicators * weight[:, None]
    crossed = (indicators.T @ weighted).reshape(p, width, p, width)
    return crossed[lay.first, :, lay.second, :]


def _from_tables(lay: Layout, margins, tables, pairs: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares by cell (pairs, C + 1, C + 1) and correlations of pairs of ordered variables."""
    if not len(pairs):
        return np.zeros((0, width + 1, width + 1)), np.zeros(0)
    thresholds = np.full((len(margins), width - 1), FAR)
    influence = np.zeros((len(margins), width + 1, width - 1))  # by category, the last for a missing answer
    for v, m in enumerate(margins):
        if isinstance(m.way, Table):
            thresholds[v, : len(m.location)] = m.location
            influence[v, : len(m.location) + 1, : len(m.location)] = m.way.by_category[:-1]
    i, j, counts = lay.first[pairs], lay.second[pairs], tables[pairs]
    rho = table_correlations(thresholds[i], thresholds[j], counts)
    return table_shares(thresholds[i], thresholds[j], rho, counts, influence[i], influence[j])[0], rho


def table_correlations(a: np.ndarray, b: np.ndarray, counts: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Correlations of tables, with lavaan's rule for empty cells of two-by-two tables.

    One empty cell of a two-by-two table gets half an answer and the margins are kept; two empty cells on a diagonal
    are a correlation of one.
    """
    two = np.logical_and((a[:, 1:] >= FAR).all(axis=1), (b[:, 1:] >= FAR).all(axis=1))
    if not two.any():
        return bivariate.correlations(a, b, counts, start)
    counts = counts.copy()
    small = counts[:, :2, :2]
    empty = (small == 0) & two[:, None, None]
    one = empty.sum(axis=(1, 2)) == 1
    diagonal = one & (empty[:, 0, 0] | empty[:, 1, 1])
    half = np.array([[0.5, -0.5], [-0.5, 0.5]])
    small[diagonal] += half
    small[one & ~diagonal] -= half
    rho = bivariate.correlations(a, b, counts, start)
    perfect = empty.sum(axis=(1, 2)) == 2
    return np.where(perfect, np.where(small[:, 0, 0] > 0, 1.0, -1.0), rho)


def table_shares(a, b, rho, counts, influence_a, influence_b) -> tuple[np.ndarray, np.ndarray]:
    """Shares in the correlations by cell (P, C + 1, C + 1), the last row and column for a missing answer; and A22."""
    P, C = counts.shape[:2]
    share, information = np.zeros((P, C + 1, C + 1)), np.empty(P)
    size = max(1, 2**19 // C**2)
    for first in range(0, P, size):
        q = slice(first, first + size)
        sc = bivariate.scores(a[q], b[q], np.clip(rho[q], -0.9999, 0.9999))
        weighted = counts[q] * sc.rho
        information[q] = (weighted * sc.rho).sum(axis=(1, 2))
        share[q, :C, :C] = sc.rho
        by_a, by_b = sc.by_thresholds(weighted)
        share[q] -= np.einsum("pck,pk->pc", influence_a[q], by_a)[:, :, None]
        share[q] -= np.einsum("pck,pk->pc", influence_b[q], by_b)[:, None, :]
    with np.errstate(all="ignore"):
        share /= information[:, None, None]
    return share, information


def _from_rows(a: Bounds | Residual, b: Bounds | Residual, w: np.ndarray) -> casewise.Pair:
    if isinstance(a, Bounds):
        if isinstance(b, Bounds):
            return casewise.two_ordered(a, b, w)
        swapped = casewise.continuous_and_ordered(b, a, w)
        return casewise.Pair(swapped.rho, swapped.score, swapped.second, swapped.first)
    return casewise.two_continuous(a, b, w) if isinstance(b, Residual) else casewise.continuous_and_ordered(a, b, w)


def _share(pair: casewise.Pair, a: Margin, b: Margin, w: np.ndarray) -> np.ndarray:
    """Each row's share in a correlation."""
    score = w * pair.score
    less = a.influence() @ (pair.first.T @ score) + b.influence() @ (pair.second.T @ score)
    with np.errstate(all="ignore"):
        return (pair.score - less) / (score @ pair.score)
