"""Can these items be factored: Kaiser-Meyer-Olkin and Bartlett, computed by factor_analyzer on checked input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from ..core.results import Result
from .correlations import correlation_input
from .verdicts import KMO_WORDS, word


@dataclass(frozen=True, eq=False, repr=False)
class KMO(Result):
    """Kaiser-Meyer-Olkin measure: ``.overall`` (float), ``.items`` (Series by column), ``.word`` (Kaiser's)."""

    overall: float
    items: pd.Series
    n_obs: int | None

    @property
    def word(self) -> str:
        return word(KMO_WORDS, self.overall)

    def _heading(self) -> str:
        low = self.items.idxmin()
        return f"KMO overall {self.overall:.3f} ({self.word}); lowest {low} {self.items[low]:.3f} ({len(self.items)} items)"


def kmo(data: pd.DataFrame | np.ndarray) -> KMO:
    """Kaiser-Meyer-Olkin measure of sampling adequacy: how much of the correlations is shared by more than a pair.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or array or DataFrame of shape (p, p)
        Answers, or a correlation or covariance matrix.

    Returns
    -------
    KMO
        ``.overall`` in [0, 1], ``.items``, one value a column, and Kaiser's ``.word`` for the first.

    Raises
    ------
    DataError
        Missing answers, constants, or items that are sums of others.

    Notes
    -----
    sum r_ij^2 / (sum r_ij^2 + sum q_ij^2) over i != j, with q the partial correlations given all other items
    (Kaiser & Rice 1974; the words Kaiser 1974). Computed by ``factor_analyzer.calculate_kmo``; equals ``psych::KMO``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> r = pd.DataFrame([[1, .6, .5], [.6, 1, .4], [.5, .4, 1]], index=list("abc"), columns=list("abc"))
    >>> kmo(r)
    KMO overall 0.658 (mediocre); lowest a 0.616 (3 items)
    """
    from factor_analyzer.factor_analyzer import calculate_kmo

    items = correlation_input(data)
    each, overall = calculate_kmo(items.as_answers())
    return KMO(float(overall), pd.Series(each, index=items.names, name="kmo"), items.n_obs)


@dataclass(frozen=True, eq=False, repr=False)
class Bartlett(Result):
    """Bartlett's test of sphericity: ``.statistic``, ``.df``, ``.pvalue``."""

    statistic: float
    df: int
    pvalue: float
    n_obs: int

    def _heading(self) -> str:
        return f"Bartlett chi2({self.df}) = {self.statistic:.2f}, p = {self.pvalue:.3g}, n = {self.n_obs}"


def bartlett(data: pd.DataFrame | np.ndarray, n_obs: int | None = None) -> Bartlett:
    """Bartlett's test that all correlations are zero.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or array or DataFrame of shape (p, p)
        Answers, or a correlation or covariance matrix.
    n_obs : int, optional
        Rows behind the matrix; needed with a matrix only.

    Returns
    -------
    Bartlett

    Raises
    ------
    DataError
        As :func:`kmo`, and a matrix without ``n_obs``.

    Notes
    -----
    -(n - 1 - (2p + 5) / 6) ln|R| with p(p - 1)/2 degrees of freedom (Bartlett 1951). Computed by
    ``factor_analyzer.calculate_bartlett_sphericity``; equals ``psych::cortest.bartlett``. With a few hundred answers it
    rejects almost always: it says that the items are not all unrelated, not that a factor model fits.

    Examples
    --------
    >>> r = pd.DataFrame([[1, .6, .5], [.6, 1, .4], [.5, .4, 1]], index=list("abc"), columns=list("abc"))
    >>> bartlett(r, n_obs=100)
    Bartlett chi2(3) = 73.36, p = 8.13e-16, n = 100
    """
    from factor_analyzer.factor_analyzer import calculate_bartlett_sphericity

    items = correlation_input(data, n_obs)
    p, rows = len(items.names), items.as_answers()
    statistic = float(calculate_bartlett_sphericity(rows)[0])
    n = items.n  # what factor_analyzer multiplies by is the number of the rows it is given
    statistic *= (n - 1 - (2 * p + 5) / 6) / (len(rows) - 1 - (2 * p + 5) / 6)
    df = p * (p - 1) // 2
    return Bartlett(statistic, df, float(chdtrc(df, statistic)), n)
