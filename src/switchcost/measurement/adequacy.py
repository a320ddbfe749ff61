"""Can these items be factored: Kaiser-Meyer-Olkin and Bartlett."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from .correlations import correlation_input


# --- is there anything to factor? ------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class KMO:
    """Kaiser-Meyer-Olkin measure: ``.overall`` (float) and ``.items`` (Series by column)."""

    overall: float
    items: pd.Series

    def __repr__(self) -> str:
        low = self.items.idxmin()
        return f"KMO overall {self.overall:.3f}; lowest {low} {self.items[low]:.3f} ({len(self.items)} items)"


def kmo(data: pd.DataFrame | np.ndarray) -> KMO:
    """Kaiser-Meyer-Olkin measure of sampling adequacy: how much of the correlations is shared by more than a pair.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or a correlation or covariance matrix (p, p)

    Returns
    -------
    KMO
        ``.overall`` in [0, 1] and ``.items``, one value a column.

    Raises
    ------
    ValueError
        Missing answers, constants, or items that are sums of others.

    Notes
    -----
    sum r_ij^2 / (sum r_ij^2 + sum q_ij^2) over i != j, with q the partial correlations given all other items
    (Kaiser & Rice 1974). Equals ``psych::KMO``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> r = pd.DataFrame([[1, .6, .5], [.6, 1, .4], [.5, .4, 1]], index=list("abc"), columns=list("abc"))
    >>> round(kmo(r).overall, 3)
    0.658
    """
    r, names, _, _ = correlation_input(data)
    inverse = np.linalg.inv(r)
    scale = np.sqrt(np.diag(inverse))
    partial = inverse / np.outer(scale, scale)
    np.fill_diagonal(partial, 0.0)
    plain = r - np.eye(len(r))
    items = (plain**2).sum(0) / ((plain**2).sum(0) + (partial**2).sum(0))
    overall = (plain**2).sum() / ((plain**2).sum() + (partial**2).sum())
    return KMO(float(overall), pd.Series(items, index=names, name="kmo"))


@dataclass(frozen=True, eq=False)
class Bartlett:
    """Bartlett's test of sphericity: ``.statistic``, ``.df``, ``.pvalue``."""

    statistic: float
    df: int
    pvalue: float
    n_obs: int

    def __repr__(self) -> str:
        return f"Bartlett chi2({self.df}) = {self.statistic:.2f}, p = {self.pvalue:.3g}, n = {self.n_obs}"


def bartlett(data: pd.DataFrame | np.ndarray, n_obs: int | None = None) -> Bartlett:
    """Bartlett's test that all correlations are zero.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or a correlation or covariance matrix (p, p)
    n_obs : rows behind the matrix; needed with a matrix only

    Returns
    -------
    Bartlett

    Notes
    -----
    -(n - 1 - (2p + 5) / 6) ln|R| with p(p - 1)/2 degrees of freedom (Bartlett 1951). Equals
    ``psych::cortest.bartlett``. With a few hundred answers it rejects almost always: it says that the items are not
    all unrelated, not that a factor model fits.

    Examples
    --------
    >>> r = pd.DataFrame([[1, .6, .5], [.6, 1, .4], [.5, .4, 1]], index=list("abc"), columns=list("abc"))
    >>> bartlett(r, n_obs=100)
    Bartlett chi2(3) = 73.36, p = 8.13e-16, n = 100
    """
    r, names, n, _ = correlation_input(data, n_obs, need_n=True)
    p = len(names)
    statistic = -(n - 1 - (2 * p + 5) / 6) * np.linalg.slogdet(r)[1]
    df = p * (p - 1) // 2
    return Bartlett(float(statistic), df, float(chdtrc(df, statistic)), int(n))
