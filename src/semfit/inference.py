"""What every interval and every test shares: seeds, floors of draws, tables of estimates."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from .arguments import DRAWS, MOST_DRAWS, SEED, shown
from .errors import DataError

DEFAULT_SEED = 20260101  # used wherever seed=None
START_SEED = 20031  # of further starts inside a search, which no seed of the user moves


def default_seed(seed: int | None) -> int:
    """The seed to use: the caller's, or the one of the package."""
    if seed is None:
        return DEFAULT_SEED
    SEED.check("seed", seed)
    return int(seed)


def enough_draws(n: object, name: str = "n_boot") -> int:
    """Return the number of draws as int, or say what is wrong with it."""
    DRAWS.check(name, n)
    number = int(n)  # type: ignore[call-overload]
    if number > MOST_DRAWS:
        raise DataError(f"{name} is {shown(number)}, which nothing needs and no machine finishes; 10000 are plenty")
    return number


def estimate_columns(est, se, df: float | None = None, level: float = 0.95) -> dict[str, np.ndarray]:
    """Test statistic, two-sided p and interval of estimates.

    Parameters
    ----------
    est, se : array of float, shape (k,)
        Estimates and standard errors; NaN in ``se`` (a fixed parameter) gives NaN.
    df : float, optional
        Degrees of freedom of a t distribution; None means the normal one.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    dict of array
        ``est se``, then ``z`` (or ``t``), ``pvalue ci_lower ci_upper``.
    """
    est, se = np.asarray(est, dtype=float), np.asarray(se, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = est / se
    half = -(ndtri((1 - level) / 2) if df is None else stdtrit(df, (1 - level) / 2)) * se
    tail = ndtr(-np.abs(statistic)) if df is None else stdtr(df, -np.abs(statistic))
    return {
        "est": est,
        "se": se,
        "z" if df is None else "t": statistic,
        "pvalue": 2 * tail,
        "ci_lower": est - half,
        "ci_upper": est + half,
    }
