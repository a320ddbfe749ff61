"""One bootstrap for moderation and mediation: rows or clusters drawn with replacement, all draws solved at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..core.errors import DataError
from ..core.inference import default_seed, enough_draws

CHUNK = 500
CELLS = 2**22  # counts drawn at once
BLOCK = 4096  # rows whose products are formed at once


def resampled(
    equations: Sequence[tuple[np.ndarray, np.ndarray]],
    n_boot: int,
    seed: int | None,
    clusters: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Coefficients of each equation in every bootstrap sample; the same rows are drawn for all equations.

    Parameters
    ----------
    equations : sequence of (X, y)
        Model matrix and outcome of each regression, with the same rows.
    n_boot : int
        Samples drawn, at least 20.
    seed : int or None
        None means the seed of the package.
    clusters : array, optional
        Whole clusters are drawn.

    Returns
    -------
    list of array, shape (kept, coefficients)
        Samples in which a term had no variance are left out of all equations.

    Raises
    ------
    DataError
        More than a tenth of the samples could not be estimated.
    """
    n_boot = enough_draws(n_boot)
    rng = np.random.default_rng(default_seed(seed))
    n = len(equations[0][1])
    codes = np.arange(n) if clusters is None else pd.factorize(clusters)[0]
    size = int(codes.max()) + 1
    lengths = [np.linalg.norm(X, axis=0) / np.sqrt(n) for X, _ in equations]  # unlike columns would look singular
    scaled = [X / length for (X, _), length in zip(equations, lengths, strict=True)]
    draws = [np.full((n_boot, X.shape[1]), np.nan) for X in scaled]
    chunk = min(CHUNK, 1 + CELLS // size)
    for start in range(0, n_boot, chunk):
        m = min(chunk, n_boot - start)
        drawn = rng.multinomial(size, np.full(size, 1 / size), size=m).astype(np.int32)
        for e, X in enumerate(scaled):
            k, y = X.shape[1], equations[e][1]
            xx, xy = np.zeros((m, k, k)), np.zeros((m, k))
            for rows in np.split(np.arange(n), range(BLOCK, n, BLOCK)):
                part, counts = X[rows], drawn[:, codes[rows]].astype(float)
                xx += (counts @ (part[:, :, None] * part[:, None, :]).reshape(len(rows), -1)).reshape(m, k, k)
                xy += (counts * y[rows]) @ part
            good = np.linalg.cond(xx) < 1e14
            draws[e][start : start + m][good] = np.linalg.solve(xx[good], xy[good][..., None])[..., 0] / lengths[e]
    kept = np.logical_and.reduce([~np.isnan(d[:, 0]) for d in draws])
    if kept.sum() < 0.9 * n_boot:
        raise DataError(
            f"{n_boot - kept.sum()} of {n_boot} bootstrap samples could not be estimated (a term had no variance "
            "in them). The data are too thin for this model: use fewer terms."
        )
    return [d[kept] for d in draws]


def percentile_interval(draws: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of each column."""
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    return low, high


def bias_corrected_interval(draws: np.ndarray, est: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bias-corrected interval of each column (Efron 1982): percentiles moved by the share of draws below ``est``."""
    from scipy.special import ndtr, ndtri

    share = np.clip((draws < est).mean(axis=0), 1 / len(draws), 1 - 1 / len(draws))
    shift, z = 2 * ndtri(share), ndtri((1 - level) / 2)
    low = [np.quantile(d, ndtr(s + z)) for d, s in zip(draws.T, shift, strict=True)]
    high = [np.quantile(d, ndtr(s - z)) for d, s in zip(draws.T, shift, strict=True)]
    return np.array(low), np.array(high)
