"""What rows with gaps say about the moments of one group: information and casewise scores of the saturated model.

p variables have q = p (p + 3) / 2 moments, thousands in a wide questionnaire, so one matrix of that size is kept, the
Cholesky factor of the information (one triangle of it), and nothing is multiplied by another. The mean outer product J
of the scores is kept as its root, which has no more rows than the data; information from complete rows is applied as
S^-1 A S^-1 instead of being formed. All in units of ``scale``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.linalg.blas import dtrmm
from scipy.linalg.lapack import dtfttr, dtrttf

from .derivatives import ROWS, row_patterns
from .design import Design
from .estimate import Patterns, terms

COLUMNS = 32  # as many matrices are formed at once
T = TypeVar("T")
_KEPT: ContextVar[list | None] = ContextVar("kept", default=None)


@contextmanager
def shared_rows() -> Iterator[None]:
    """Fits to the same rows inside this block share what their models do not change: EM, information, scores."""
    token = _KEPT.set([])
    try:
        yield
    finally:
        _KEPT.reset(token)


def once(key: tuple, rows: Sequence[np.ndarray], make: Callable[[], T]) -> T:
    """``make()``, or inside :func:`shared_rows` what it returned before for the same key and rows."""
    kept = _KEPT.get()
    if kept is None:
        return make()
    for old_key, old, value in kept:
        if old_key == key and len(old) == len(rows) and all(map(_equal, old, rows)):
            return value
    kept.append((key, rows, make()))
    return kept[-1][2]


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan=True)


@dataclass(frozen=True)
class Scale:
    """Observed variables alone and their units: all that the pieces of the discrepancy ask of a saturated model."""

    n_ov: int
    scale: np.ndarray


@dataclass(frozen=True, eq=False)
class MomentList:
    """The moments that are parameters: covariances of variables ``a`` and ``b`` (a <= b), then means of ``e``."""

    a: np.ndarray
    b: np.ndarray
    e: np.ndarray

    @classmethod
    def of(cls, p: int, fixed: Sequence[int] = ()) -> MomentList:
        """All moments of p variables but those among ``fixed`` predictors."""
        a, b = np.triu_indices(p)
        free = ~(np.isin(a, fixed) & np.isin(b, fixed))
        return cls(a[free], b[free], np.setdiff1d(np.arange(p), fixed))

    def __len__(self) -> int:
        return len(self.a) + len(self.e)

    @property
    def weight(self) -> np.ndarray:
        """1/2 for variances, 1 for covariances: the derivative of Sigma is w (x y' + y x')."""
        return np.where(self.a == self.b, 0.5, 1.0)

    def matrices(self, columns: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray]:
        """Changes of the moments (q, m) as symmetric matrices (m, p, p) and means (m, p)."""
        n = len(self.a)
        A, mean = np.zeros((columns.shape[1], p, p)), np.zeros((columns.shape[1], p))
        A[:, self.a, self.b] = A[:, self.b, self.a] = columns[:n].T
        mean[:, self.e] = columns[n:].T
        return A, mean

    def information(self, W, C, weight, Wd=None) -> np.ndarray:
        """Sum over patterns of information (q, q); W and C (P, p, p), ``weight`` (P,), Wd (P, p) = W (m - mu).

        With C = W T W - W / 2 this is the observed information, with C = W / 2 and no Wd the expected one. One
        variable after the other, so that no array of p^4 numbers is formed.
        """
        P, p, n, w = len(W), W.shape[1], len(self.a), self.weight
        out = np.zeros((len(self), len(self)))
        first = np.searchsorted(self.a, np.arange(p + 1))
        weighted_W, weighted_C = weight[:, None, None] * W, weight[:, None, None] * C
        for k in range(p):
            mine, rest = slice(first[k], first[k + 1]), slice(first[k], n)
            b, c, d = self.b[mine], self.a[rest], self.b[rest]
            if not len(b):
                continue
            Y = weighted_W[:, k].T @ C[:, b].reshape(P, -1) + weighted_C[:, k].T @ W[:, b].reshape(P, -1)
            Y = Y.reshape(p, len(b), p)
            block = (Y[c, :, d] + Y[d, :, c]) * w[rest, None] * w[mine]
            out[rest, mine], out[mine, rest] = block, block.T
        out[n:, n:] = np.tensordot(weight, W, 1)[np.ix_(self.e, self.e)]
        if Wd is not None:
            V = (weighted_W.reshape(P, -1).T @ Wd).reshape(p, p, p)  # [a, e, b]: W_ae (W d)_b
            a, b, e = self.a[:, None], self.b[:, None], self.e[None]
            cross = (V[a, e, b] + V[b, e, a]) * w[:, None]
            out[:n, n:], out[n:, :n] = cross, cross.T
        return out

    def observed(self, data: Patterns, mu: np.ndarray, S: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Observed information (q, q) of one group at the moments mu, S (user units)."""
        _, W, _, _, weight, _, (second, d) = self._terms(data, mu, S, scale)
        return self.information(W, W @ second @ W - W / 2, weight, (W @ d[:, :, None])[:, :, 0])

    def expected(self, data: Patterns, mu: np.ndarray, S: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Expected information (q, q) of one group with its gaps."""
        _, W, _, _, weight, *_ = self._terms(data, mu, S, scale)
        return self.information(W, W / 2, weight)

    @staticmethod
    def _terms(data: Patterns, mu: np.ndarray, S: np.ndarray, scale: np.ndarray) -> tuple:
        return terms(Scale(len(scale), scale), data, 0, (S / np.outer(scale, scale))[None], (mu / scale)[None], True)

    def scores(self, X, mu, S, scale) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(rows, scores (rows, q)) of X (n, p) in portions; a score is w (u_a u_b - W_ab) and u_e, u = W (row - mu)."""
        w, Sigma = self.weight, S / np.outer(scale, scale)
        for o, rows in row_patterns(X):
            W = np.zeros_like(Sigma)
            W[np.ix_(o, o)] = np.linalg.inv(Sigma[np.ix_(o, o)])
            for part in np.array_split(rows, max(1, len(rows) // ROWS)):
                u = np.zeros((len(part), len(scale)))
                u[:, o] = (X[np.ix_(part, o)] - mu[o]) / scale[o]
                u = u @ W
                score = np.concatenate([w * (u[:, self.a] * u[:, self.b] - W[self.a, self.b]), u[:, self.e]], axis=1)
                yield part, score

    def root_of_scores(self, X, mu, S, scale, design: Design | None = None) -> np.ndarray:
        """R (r, q) with R'R the mean outer product of the scores; r is the smaller of rows (clusters) and moments.

        A ``design`` weights the scores and sums them by cluster first.
        """
        n, q = len(X), len(self)
        if n <= q or design is not None:
            every = np.empty((n, q))
            for rows, part in self.scores(X, mu, S, scale):
                every[rows] = part
            if design is None:
                return every / np.sqrt(n)
            every = design.fold(every) / np.sqrt(design.size(n))
            if len(every) <= q:
                return every
            J = every.T @ every * n
        else:
            J = np.zeros((q, q))
            for _, part in self.scores(X, mu, S, scale):
                J += part.T @ part
        try:
            return np.linalg.cholesky(J / n).T
        except np.linalg.LinAlgError:  # scores that depend on each other, as those of items with two answers
            values, vectors = np.linalg.eigh(J / n)
            return (vectors * np.sqrt(np.maximum(values, 0.0))).T


@dataclass(frozen=True, eq=False)
class SaturatedInformation:
    """What the rows of one group say about its moments, in units of ``scale``.

    Attributes
    ----------
    moments : MomentList
        Names of rows and columns; the moments of fixed predictors are not among them.
    packed : array, shape (q (q + 1) / 2,)
        Lower Cholesky factor of the observed information W, its triangle alone; NaN where the rows do not determine all
        moments.
    root : array, shape (r, q)
        root' root = J, the mean outer product of the casewise scores.
    S : array, shape (p, p)
        Covariance matrix at which all this holds.
    """

    moments: MomentList
    packed: np.ndarray
    root: np.ndarray
    S: np.ndarray

    @classmethod
    def of(
        cls, moments: MomentList, data: Patterns, X, mu, S, scale, design: Design | None = None
    ) -> SaturatedInformation:
        """From the rows X (n, p) and patterns of one group, at the moments mu, S (user units)."""
        W = moments.observed(data, mu, S, scale)
        try:
            factor = cholesky(W.T, lower=True, overwrite_a=True, check_finite=False)
        except LinAlgError:
            factor = np.full_like(W, np.nan)
        packed, _ = dtrttf(factor, uplo="L")
        return cls(moments, packed, moments.root_of_scores(X, mu, S, scale, design), S / np.outer(scale, scale))

    @property
    def factor(self) -> np.ndarray:
        """L (q, q); what stands above its diagonal is not read."""
        return dtfttr(len(self.moments), self.packed, uplo="L")[0]

    def solve(self, columns: np.ndarray) -> np.ndarray:
        """W^-1 times columns (q, m)."""
        return cho_solve((self.factor, True), columns, check_finite=False)

    def half(self, columns: np.ndarray) -> np.ndarray:
        """L' times columns, so that half(D)' half(D) = D'WD."""
        return dtrmm(1.0, self.factor, columns, lower=1, trans_a=1)

    @cached_property
    def influence(self) -> np.ndarray:
        """W^-1 root' (q, r): what the rows do to the moments; its outer product is W^-1 J W^-1."""
        return self.solve(self.root.T)

    @cached_property
    def trace(self) -> float:
        """tr(W^-1 J)."""
        return float(np.sum(self.root.T * self.influence))

    @cached_property
    def _precision(self) -> np.ndarray:
        return np.linalg.inv(self.S)

    def complete(self, columns: np.ndarray) -> np.ndarray:
        """Information that complete rows would give, Wc, times columns (q, m)."""
        m, V, out = self.moments, self._precision, np.empty(columns.shape)
        for first in range(0, columns.shape[1], COLUMNS):
            part = slice(first, first + COLUMNS)
            A, mean = m.matrices(columns[:, part], len(V))
            A = V @ A @ V
            out[: len(m.a), part] = A[:, m.a, m.b].T * m.weight[:, None]
            out[len(m.a) :, part] = (mean @ V)[:, m.e].T
        return out

    @cached_property
    def trace_complete(self) -> float:
        """tr(Wc W^-1)."""
        V = self._precision[None]
        return float(np.sum(self.solve(self.moments.information(V, V / 2, np.ones(1))).diagonal()))

    @cached_property
    def trace_complete_robust(self) -> float:
        """tr(Wc W^-1 J W^-1)."""
        return float(np.sum(self.influence * self.complete(self.influence)))

    def variances(self, robust: bool) -> np.ndarray:
        """n times the variances (q,) of the moments: of W^-1 J W^-1, or under normality of W^-1."""
        if robust:
            return np.sum(self.influence**2, axis=1)
        inverse = solve_triangular(self.factor, np.eye(len(self.moments)), lower=True, check_finite=False)
        return np.sum(inverse**2, axis=0)

    def covariances(self, columns: np.ndarray, robust: bool) -> np.ndarray:
        """n times the covariance matrix of the moments times columns (q, m)."""
        return self.influence @ (self.influence.T @ columns) if robust else self.solve(columns)
