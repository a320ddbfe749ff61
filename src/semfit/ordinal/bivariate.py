"""Two ordered variables over a bivariate normal: cells, two-step correlations and scores, all pairs at once.

P(X < h, Y < k) = Phi(h) Phi(k) + (1 / 2 pi) int_0^asin(rho) exp(-(h^2 + k^2 - 2 h k sin t) / (2 cos^2 t)) dt
(Sheppard 1900; Drezner & Wesolowsky 1990), by Gauss-Legendre nodes; near a correlation of one by more of them.
The correlation maximises the likelihood of the two-way table with the thresholds of the margins held (Olsson 1979,
Psychometrika 44, 443-460). Variables with fewer categories than others are padded: a threshold at ``FAR`` closes a
category that nobody can be in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

FAR = 40.0  # beyond every quantile
BOUND = 0.999  # correlations are looked for between -BOUND and BOUND, as in lavaan
TINY = float(np.sqrt(np.finfo(float).eps))  # cells with less probability have no score, as in lavaan
# the nearer to one, the more nodes the integrand needs: bound of |rho| and nodes, to 1e-11
NODES = tuple((bound, *np.polynomial.legendre.leggauss(k)) for bound, k in ((0.6, 8), (0.85, 20), (1.0, 64)))
LOST = 1e-13  # probabilities below this are differences of numbers near one, and hold no digit
CLOSE = 1e-7  # Newton's steps converge quadratically
CHUNK = 4096  # pairs at once


def phi(z: np.ndarray) -> np.ndarray:
    """Standard normal density."""
    return np.exp(-0.5 * z * z) * 0.3989422804014327


def density(h: np.ndarray, k: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """Standard bivariate normal density; the arguments broadcast."""
    r = 1 - rho * rho
    return np.exp(-(h * h + k * k - 2 * rho * h * k) / (2 * r)) / (2 * np.pi * np.sqrt(r))


def below(h: np.ndarray, k: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """P(X < h, Y < k) of arrays that broadcast."""
    h, k, rho = np.broadcast_arrays(h, k, rho)
    out = np.asarray(ndtr(h) * ndtr(k))
    for some, nodes, weights in _by_nodes(rho):
        out[some] += _integral(h[some], k[some], rho[some], nodes, weights)
    return out


def _by_nodes(rho: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Which correlations take which nodes and weights."""
    size, low = np.abs(rho), -1.0
    for bound, nodes, weights in NODES:
        some = (size > low) & (size <= bound)
        low = bound
        if some.any():
            yield some, nodes, weights


def _integral(h, k, rho, nodes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    half = np.arcsin(rho) / 2
    t = half[..., None] * (1 + nodes)
    sine, cosine2 = np.sin(t), np.cos(t) ** 2
    exponent = ((h * h + k * k) / -2)[..., None] / cosine2 + (h * k)[..., None] * (sine / cosine2)
    return (np.exp(exponent) @ weights) * half / (2 * np.pi)


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of P tables at given correlations, C categories each way.

    Attributes
    ----------
    probability, slope, curvature : array, shape (P, C, C)
        Probability of a cell, and its first and second derivative by the correlation.
    """

    probability: np.ndarray
    slope: np.ndarray
    curvature: np.ndarray


def cells(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> Cells:
    """Cells between thresholds ``a`` and ``b`` (P, C - 1), rows by the first variable."""
    P, K = a.shape
    h, k, r = a[:, :, None], b[:, None, :], rho[:, None, None]
    F = np.zeros((P, K + 2, K + 2))
    F[:, 1:-1, 1:-1] = _below_grid(a, b, rho)
    F[:, -1, 1:-1], F[:, 1:-1, -1], F[:, -1, -1] = ndtr(b), ndtr(a), 1.0
    f = density(h, k, r)
    s = 1 - r * r
    df = f * (r * s + h * k * (1 + r * r) - r * (h * h + k * k)) / (s * s)
    return Cells(*(np.diff(np.diff(g, axis=1), axis=2) for g in (F, _bordered(f), _bordered(df))))


def _below_grid(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """``below`` at all pairs of thresholds (P, K, K); the correlation is one a table, so its nodes are shared."""
    P, K = a.shape
    out = ndtr(a)[:, :, None] * ndtr(b)[:, None, :]
    squares = -(a[:, :, None] ** 2 + b[:, None, :] ** 2) / 2
    product = a[:, :, None] * b[:, None, :]
    for some, nodes, weights in _by_nodes(rho):
        half = np.arcsin(rho[some]) / 2
        t = half[:, None] * (1 + nodes)
        sine, inverse = np.sin(t), 1 / np.cos(t) ** 2
        exponent = squares[some].reshape(len(half), -1, 1) * inverse[:, None, :]
        exponent += product[some].reshape(len(half), -1, 1) * (sine * inverse)[:, None, :]
        out[some] += (np.exp(exponent, out=exponent) @ weights * (half / (2 * np.pi))[:, None]).reshape(-1, K, K)
    return out


def _bordered(f: np.ndarray) -> np.ndarray:
    out = np.zeros((len(f), f.shape[1] + 2, f.shape[2] + 2))
    out[:, 1:-1, 1:-1] = f
    return out


def correlations(a: np.ndarray, b: np.ndarray, counts: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Two-step maximum likelihood (P,) from tables ``counts`` (P, C, C) and thresholds (P, C - 1).

    Newton's method with the expected curvature where the observed one has the wrong sign; steps stay within the
    bounds. A table that wants a correlation beyond them ends there.
    """
    out = np.zeros(len(counts))
    for first in range(0, len(counts), CHUNK):
        part = slice(first, first + CHUNK)
        begin = np.zeros(len(counts[part])) if start is None else start[part]
        out[part] = _newton(a[part], b[part], counts[part], np.clip(begin, -0.95, 0.95))
    return out


def _newton(a, b, counts, rho) -> np.ndarray:
    out, active = rho.copy(), np.arange(len(rho))
    low, high = np.full(len(rho), -BOUND), np.full(len(rho), BOUND)
    for _ in range(60):
        cell = cells(a, b, rho)
        p = np.maximum(cell.probability, 1e-100)
        seen = counts > 0
        ratio = np.where(seen, cell.slope / p, 0.0)
        score = (counts * ratio).sum(axis=(1, 2))
        # where an answer that was given has no probability left but rounding, the correlation is too strong
        lost = (seen & (cell.probability < LOST)).any(axis=(1, 2))
        score = np.where(lost, -np.copysign(np.inf, rho), score)
        observed = (counts * (ratio**2 - np.where(seen, cell.curvature / p, 0.0))).sum(axis=(1, 2))
        total = counts.sum(axis=(1, 2))
        expected = total * (cell.slope**2 / np.maximum(p, 1e-12)).sum(axis=(1, 2))
        low, high = np.where(score > 0, np.maximum(low, rho), low), np.where(score < 0, np.minimum(high, rho), high)
        move = score / np.where(observed > 0.2 * expected, observed, np.maximum(expected, 1e-10))
        new = rho + move
        done = (np.abs(move) < CLOSE) & (np.abs(new) < BOUND)  # one more step would change the last digits
        outside = ~done & ((new <= low) | (new >= high))  # the likelihood has one maximum, and its score brackets it
        rho = np.where(outside, (low + high) / 2, new)
        done |= high - low < 1e-12
        if done.any():
            out[active[done]] = rho[done]
            keep = ~done
            if not keep.any():
                return out
            a, b, counts, rho, low, high, active = (v[keep] for v in (a, b, counts, rho, low, high, active))
    out[active] = rho
    return out


@dataclass(frozen=True, eq=False)
class Scores:
    """Derivatives of the logarithm of each cell's probability; zero where a cell has next to none.

    Attributes
    ----------
    rho : array, shape (P, C, C)
    inverse : array, shape (P, C, C)
        One over the probability.
    first, second : array, shape (P, C - 1, C)
        Mass that crosses a threshold of the first (second) variable, by category of the other one.
    """

    rho: np.ndarray
    inverse: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def by_thresholds(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums (P, C - 1) over cells of ``weight`` (P, C, C) times the scores of the thresholds of each variable."""
        v = weight * self.inverse
        return (
            ((v[:, :-1] - v[:, 1:]) * self.first).sum(axis=2),
            ((v[:, :, :-1] - v[:, :, 1:]).swapaxes(1, 2) * self.second).sum(axis=2),
        )


def scores(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> Scores:
    """Scores of P tables."""
    cell = cells(a, b, rho)
    with np.errstate(all="ignore"):
        inverse = np.where(cell.probability > TINY, 1 / cell.probability, 0.0)
    return Scores(cell.slope * inverse, inverse, _crossing(a, b, rho), _crossing(b, a, rho))


def _crossing(a: np.ndarray, b: np.ndarray, rho: np.ndarray) -> np.ndarray:
    P, K = a.shape
    root = np.sqrt(1 - rho * rho)[:, None, None]
    G = np.zeros((P, K, K + 2))
    G[:, :, 1:-1] = ndtr((b[:, None, :] - rho[:, None, None] * a[:, :, None]) / root)
    G[:, :, -1] = 1.0
    return phi(a)[:, :, None] * np.diff(G, axis=2)
