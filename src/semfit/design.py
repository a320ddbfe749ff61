"""How the rows were sampled: clusters of rows that are alike, and weights of rows that stand for more than one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from . import checks
from .errors import DataError, FitWarning
from .printing import Result

FEWEST_CLUSTERS = 20  # below this cluster-robust standard errors are too small (Cameron & Miller 2015, section VI)
CELLS = 2**22  # numbers held at once where scores are formed in portions


@dataclass(frozen=True, eq=False)
class Design:
    """Clusters and weights of the rows of one group.

    Attributes
    ----------
    weights : array of float, shape (n,), or None
        Weights whose sum over all groups is the number of rows.
    clusters : array of int, shape (n,), or None
        Cluster of each row, counted from 0.
    n_clusters : int
        Clusters of the group, also where only some of its rows are looked at; 0 without clusters.
    """

    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    n_clusters: int = 0

    def take(self, rows: np.ndarray) -> Design:
        """The same of some rows."""
        weights, clusters = (None if a is None else a[rows] for a in (self.weights, self.clusters))
        return replace(self, weights=weights, clusters=clusters)

    def size(self, n: int) -> float:
        """Sum of the weights of all ``n`` rows."""
        return float(n) if self.weights is None else float(self.weights.sum())

    def portions(self, n: int, width: int) -> list[np.ndarray]:
        """Rows in portions of about ``CELLS / width``; no cluster is torn."""
        size = max(1, CELLS // width)
        if self.clusters is None:
            return np.array_split(np.arange(n), max(1, n // size))
        order, first = _sorted(self.clusters)
        cuts, start = [], 0
        for a, b in zip(first.tolist(), [*first[1:].tolist(), n], strict=True):
            if b - start > size and a > start:
                cuts.append(a)
                start = a
        return np.split(order, cuts)

    def drawn(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Positions of one resample of the ``n`` rows: rows with replacement, or all rows of clusters drawn so."""
        if self.clusters is None:
            return rng.integers(n, size=n)
        times = np.bincount(rng.integers(self.n_clusters, size=self.n_clusters), minlength=self.n_clusters)
        return np.repeat(np.arange(n), times[self.clusters])

    def fold(self, scores: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Scores (n, q) as independent summands: weighted, and summed by cluster times sqrt(C / (C - 1))."""
        here = self if rows is None else self.take(rows)
        if here.weights is not None:
            scores = scores * here.weights[:, None]
        if here.clusters is None:
            return scores
        order, first = _sorted(here.clusters)
        return np.add.reduceat(scores[order], first, axis=0) * np.sqrt(self.n_clusters / (self.n_clusters - 1))


def _sorted(clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Order of rows by cluster, and where each cluster starts in it."""
    order = np.argsort(clusters, kind="stable")
    return order, np.flatnonzero(np.diff(clusters[order], prepend=-1))


def mean_and_cov(X: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance matrix of rows (n, p), divisor n or the sum of the weights."""
    if weights is None:
        mean = X.mean(axis=0)
        d = X - mean
        return mean, d.T @ d / len(X)
    total = weights.sum()
    mean = weights @ X / total
    d = X - mean
    return mean, (d * weights[:, None]).T @ d / total


def sampling_weights(
    data: pd.DataFrame, name: str, rows: Sequence[np.ndarray], where: Callable[[int], str], notes: list
) -> list[np.ndarray]:
    """Weights by group, times rows / sum as lavaan's sampling.weights.normalization = "total".

    ``rows`` are the positions of each group's rows, ``where`` names the group in a message; ``notes`` gets what a
    reader should know.
    """
    column = checks.numeric(data, [name], constant="allow", codes="allow")[name].to_numpy()
    values = [column[r] for r in rows]
    every = np.concatenate(values)
    gaps = int(np.isnan(every).sum())
    if gaps:
        raise DataError(
            f"the weights in column {name!r} are missing in {gaps} of {len(every)} rows used; fill them, or drop "
            "those rows"
        )
    if (every < 0).any():
        raise DataError(
            f"column {name!r} holds {int((every < 0).sum())} negative weights (smallest {every.min():g}); "
            "a sampling weight is the number of people that a row stands for"
        )
    for k, part in enumerate(values):
        if not part.sum() > 0:
            raise DataError(f"all weights in column {name!r} are 0{where(k)}; no row would count")
    if (every == 0).any():
        notes.append(FitWarning(f"{int((every == 0).sum())} rows have weight 0 in {name!r} and count for nothing"))
    return [part * (len(every) / every.sum()) for part in values]


@dataclass(frozen=True, eq=False, repr=False)
class DesignEffects(Result):
    """What clusters and weights do to the precision of means; made by :meth:`semfit.Fit.design_effects`.

    Attributes
    ----------
    table : DataFrame
        One row a variable (and group): n_obs (answers), icc (NaN without clusters), deff and deft, its square root.
    n_obs : int
        Rows used.
    n_clusters : int
        Clusters in all groups, 0 without.
    kish : float
        n sum(w^2) / (sum w)^2, the part of the design effect that unequal weights have whatever is measured.
    warnings : tuple of str

    Notes
    -----
    deff = v / (s^2 / n): v = C / (C - 1) sum_c (sum_i w_i (x_i - mean))^2 / (sum w)^2 is the variance of the weighted
    mean under the design, with rows as their own clusters where there are none, and s^2 / n what a simple random
    sample of as many rows would have (Kish 1965). icc is ICC(1) of a one-way analysis of variance, unweighted.
    """

    table: pd.DataFrame
    n_obs: int
    n_clusters: int
    kish: float
    warnings: tuple[str, ...] = ()

    def _heading(self) -> str:
        clusters = f", {self.n_clusters} clusters" if self.n_clusters else ""
        return f"Design effects of means, n = {self.n_obs}{clusters}, weights alone {self.kish:.2f}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table)]


def design_effects(
    names: list[str], rows: list[np.ndarray], designs: tuple[Design, ...], groups: tuple[str, ...]
) -> DesignEffects:
    """Design effects of the means of every variable in every group."""
    out = []
    for k, (X, design) in enumerate(zip(rows, designs, strict=True)):
        for j, name in enumerate(names):
            have = np.flatnonzero(~np.isnan(X[:, j]))
            here, x = design.take(have), X[have, j]
            mean, cov = mean_and_cov(x[:, None], here.weights)
            n, total = len(x), here.size(len(x))
            summed = here.fold((x - mean[0])[:, None])
            spread = float((summed**2).sum()) * (n / (n - 1) if here.clusters is None else 1.0)
            deff = spread / total**2 / (cov[0, 0] / (n - 1))
            first = {"group": groups[k]} if len(rows) > 1 else {}
            out.append({"variable": name, **first, "n_obs": n, "icc": _icc(x, here.clusters), "deff": deff})
    table = pd.DataFrame(out)
    table["deft"] = np.sqrt(table["deff"])
    weights = [np.ones(len(X)) if d.weights is None else d.weights for X, d in zip(rows, designs, strict=True)]
    w = np.concatenate(weights)
    kish = float(len(w) * (w**2).sum() / w.sum() ** 2)
    return DesignEffects(table, len(w), sum(d.n_clusters for d in designs), kish)


def _icc(x: np.ndarray, clusters: np.ndarray | None) -> float:
    """ICC(1) from the mean squares between and within clusters of unequal size."""
    if clusters is None:
        return np.nan
    _, codes = np.unique(clusters, return_inverse=True)
    size = np.bincount(codes)
    n, C = len(x), len(size)
    if not 1 < C < n:
        return np.nan
    means = np.bincount(codes, x) / size
    between = (size * (means - x.mean()) ** 2).sum() / (C - 1)
    within = ((x - means[codes]) ** 2).sum() / (n - C)
    typical = (n - (size**2).sum() / n) / (C - 1)
    return float((between - within) / (between + (typical - 1) * within))
