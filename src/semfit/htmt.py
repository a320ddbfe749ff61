"""Heterotrait-monotrait ratios of many correlation matrices at once: the one place where they are computed."""

from __future__ import annotations

import numpy as np


def htmt_values(r: np.ndarray, member: np.ndarray, kind: str = "htmt") -> np.ndarray:
    """Ratios of mean absolute correlations between scales to those within them.

    Parameters
    ----------
    r : array of float, shape (samples, p, p)
        Correlation matrices of the items.
    member : array of float or bool, shape (p, k)
        Which item belongs to which scale.
    kind : {"htmt", "htmt2"}
        Arithmetic means (Henseler, Ringle & Sarstedt 2015) or geometric ones (Roemer, Schuberth & Henseler 2021).

    Returns
    -------
    array of float, shape (samples, k, k)
        Symmetric, ones on the diagonal. A scale of one item counts as perfectly consistent within itself.

    Examples
    --------
    >>> r = np.array([[1, 0.6, 0.3, 0.3], [0.6, 1, 0.3, 0.3], [0.3, 0.3, 1, 0.6], [0.3, 0.3, 0.6, 1]])
    >>> scales = np.array([[1, 0], [1, 0], [0, 1], [0, 1]])
    >>> float(htmt_values(r[None], scales)[0, 0, 1].round(3))
    0.5
    """
    member = np.asarray(member, dtype=float)
    size = member.sum(0)
    each = np.arange(len(size))
    a = np.abs(r)
    if kind == "htmt2":
        a = np.log(np.clip(a, 1e-300, None))
    total, count = member.T @ a @ member, np.outer(size, size)
    if kind == "htmt":
        total[:, each, each] -= size  # the ones on the diagonal of r; their logarithms are zero already
    count[each, each] = np.maximum(size * (size - 1), 1)
    mean = np.exp(total / count) if kind == "htmt2" else total / count
    within = np.where(size > 1, mean[:, each, each], 1.0)
    out = mean / np.sqrt(within[:, :, None] * within[:, None, :])
    out[:, each, each] = 1.0
    return out
