"""Covariance matrices of bootstrap samples, all at once."""

from __future__ import annotations

import numpy as np


def resampled_covariances(x: np.ndarray, n_boot: int, rng: np.random.Generator) -> np.ndarray:
    """Covariance matrices of bootstrap samples of rows, shape (n_boot, k, k), without building the samples."""
    n, k = x.shape
    x = x - x.mean(0)
    upper = np.triu_indices(k)
    products = np.concatenate([x, x[:, upper[0]] * x[:, upper[1]]], axis=1)
    out = np.empty((n_boot, k, k))
    for first in range(0, n_boot, 250):  # in blocks, to keep the counts small
        size = min(250, n_boot - first)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)
        sums = counts @ products
        mean = sums[:, :k] / n
        s = np.empty((size, k, k))
        s[:, upper[0], upper[1]] = sums[:, k:]
        s[:, upper[1], upper[0]] = sums[:, k:]
        out[first : first + size] = (s - n * mean[:, :, None] * mean[:, None, :]) / (n - 1)
    return out
