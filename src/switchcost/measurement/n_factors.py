"""How many factors: parallel analysis and the minimum average partial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core.arguments import Between, checked, one_of
from ..core.inference import default_seed, enough_draws
from ..core.results import Result
from .correlations import correlation_input, correlations


def _reduced_eigenvalues(r: np.ndarray) -> np.ndarray:
    """Eigenvalues, largest first, of correlations with squared multiple correlations on the diagonal (any batch)."""
    each, reduced = np.arange(r.shape[-1]), r.copy()
    reduced[..., each, each] = 1 - 1 / np.diagonal(np.linalg.inv(r), axis1=-2, axis2=-1)
    return np.linalg.eigvalsh(reduced)[..., ::-1]


@dataclass(frozen=True, eq=False, repr=False)
class ParallelAnalysis(Result):
    """Result of :func:`parallel_analysis`.

    Attributes
    ----------
    n_components, n_factors : int
        How many leading eigenvalues beat chance, for components and for common factors.
    kaiser : int
        How many components have an eigenvalue above 1, for comparison only: the rule overstates.
    table : DataFrame
        By position 1..p: eigenvalue and chance (percentile and mean over the random sets), for both kinds.
    warnings : tuple of str
        Counts that other random sets may change: an eigenvalue lies within simulation error of its limit.
    """

    n_components: int
    n_factors: int
    kaiser: int
    table: pd.DataFrame
    n_obs: int
    n_iter: int
    percentile: float
    draws: str
    warnings: tuple[str, ...] = ()

    def _heading(self) -> str:
        return (
            f"Parallel analysis (n = {self.n_obs}, {self.n_iter} random sets, {self.percentile:g}th percentile): "
            f"{self.n_components} components, {self.n_factors} common factors; eigenvalues above 1: {self.kaiser}"
        )

    def plot(self, kind: str = "components", ax=None):
        """Scree plot with the line that chance draws. ``kind`` is "components" or "factors"; returns the axes."""
        from ..plots.scree import scree

        return scree(self, kind, ax)


@checked(percentile=Between(50, 100, "left"), draws=one_of("normal", "permute"))
def parallel_analysis(
    data: pd.DataFrame | np.ndarray,
    n_iter: int = 500,
    percentile: float = 95,
    *,
    n_obs: int | None = None,
    draws: str = "normal",
    seed: int | None = None,
) -> ParallelAnalysis:
    """Horn's parallel analysis: how many eigenvalues are larger than unrelated answers would give.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or array or DataFrame of shape (p, p)
        Answers, or, with ``n_obs``, a correlation or covariance matrix.
    n_iter : int, default 500
        Number of random data sets.
    percentile : float, default 95
        Of the random eigenvalues that a real one must beat (95 is stricter than the mean).
    n_obs : int, optional
        Rows behind a matrix.
    draws : {"normal", "permute"}
        Unrelated normal answers; or each column of the raw answers shuffled, which keeps five-point scales and skewed
        answers as they are.
    seed : int, optional
        Of the random sets; None means the default seed of the package.

    Returns
    -------
    ParallelAnalysis

    Raises
    ------
    DataError
        Missing answers; a matrix without ``n_obs``; ``draws="permute"`` without raw answers.

    Notes
    -----
    Components: eigenvalues of R (Horn 1965; percentile: Glorfeld 1995). Common factors: eigenvalues of R with squared
    multiple correlations on the diagonal (Humphreys & Montanelli 1975), as ``psych::fa.parallel(SMC = TRUE)``. Counting
    stops at the first eigenvalue that chance beats. The common-factor version tends to find a few small factors too
    many; read the two as a range.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(4, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 8)), columns=list("abcdefgh"))
    >>> parallel_analysis(x, n_iter=100).n_components
    2
    """
    items = correlation_input(data, n_obs)
    r, n, p = items.r, items.n, len(items.names)
    enough_draws(n_iter, "n_iter")
    rng = np.random.default_rng(default_seed(seed))
    if draws == "normal":
        # Only the correlations of the random data matter, so their cross-products are drawn directly
        # (Bartlett's decomposition of a Wishart matrix): the cost does not grow with n.
        lower = np.tril(rng.standard_normal((n_iter, p, p)), -1)
        lower[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(n - 1 - np.arange(p), size=(n_iter, p)))
        random = correlations(lower @ lower.transpose(0, 2, 1))
    else:
        raw = items.answers("draws='permute'")
        z = (raw - raw.mean(0)) / raw.std(0)
        random = np.stack([(other := rng.permuted(z, axis=0)).T @ other / n for _ in range(n_iter)])
    real_c, real_f = np.linalg.eigvalsh(r)[::-1], _reduced_eigenvalues(r)
    rand_c, rand_f = np.linalg.eigvalsh(random)[:, ::-1], _reduced_eigenvalues(random)
    table, found, notes = pd.DataFrame(index=pd.RangeIndex(1, p + 1, name="position")), [], []
    over = 1 - percentile / 100  # share of random eigenvalues above the limit, known to two standard errors
    error = 2 * np.sqrt(over * (1 - over) / n_iter)
    for kind, real, drawn in (("components", real_c, rand_c), ("factors", real_f, rand_f)):
        chance = np.percentile(drawn, percentile, axis=0)
        table[kind], table[f"{kind}_chance"], table[f"{kind}_chance_mean"] = real, chance, drawn.mean(0)
        found.append(int(np.argmin([*(real > chance), False])))  # leading values before the first that fails
        for k in {max(found[-1] - 1, 0), min(found[-1], p - 1)}:
            if abs((drawn[:, k] > real[k]).mean() - over) <= error:
                at = f"{kind}: eigenvalue {k + 1} ({real[k]:.3f}) lies within simulation error of its limit"
                notes.append(f"{at} ({chance[k]:.3f}): other random sets may count another number; raise n_iter")
    first, second, kaiser = *found, int((real_c > 1).sum())
    return ParallelAnalysis(first, second, kaiser, table, n, n_iter, float(percentile), draws, tuple(notes))


@dataclass(frozen=True, eq=False, repr=False)
class MapTest(Result):
    """Velicer's minimum average partial: ``.n_components``, ``.n_components_4`` and ``.table`` by components removed."""

    n_components: int
    n_components_4: int
    table: pd.DataFrame
    n_obs: int | None

    def _heading(self) -> str:
        return f"Velicer's MAP: {self.n_components} components (fourth-power version: {self.n_components_4})"


def map_test(data: pd.DataFrame | np.ndarray, max_components: int | None = None) -> MapTest:
    """Velicer's minimum average partial test: take out components until what is left is as unrelated as it gets.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or array or DataFrame of shape (p, p)
        Answers, or a correlation or covariance matrix.
    max_components : int, optional
        How many to try, p - 2 when None.

    Returns
    -------
    MapTest
        ``.n_components`` (average squared partial correlation; Velicer 1976), ``.n_components_4`` (fourth powers;
        Velicer, Eaton & Fava 2000), ``.table``.

    Raises
    ------
    DataError
        Missing answers, or ``max_components`` outside its range.

    Notes
    -----
    The squared version equals ``psych::VSS(...)$map``. It tends to stop early when factors have few or weak items.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(4, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 8)), columns=list("abcdefgh"))
    >>> map_test(x).n_components
    2
    """
    items = correlation_input(data)
    r, p = items.r, len(items.names)
    most = p - 2 if max_components is None else max_components
    Between(1, p - 1, "both", whole=True, hint="one less than the items at most").check("max_components", most)
    values, vectors = np.linalg.eigh(r)
    loadings = (vectors * np.sqrt(values))[:, ::-1]
    off, rows = ~np.eye(p, dtype=bool), []
    for m in range(most + 1):
        left = r - loadings[:, :m] @ loadings[:, :m].T
        d = np.sqrt(np.clip(np.diag(left), 1e-300, None))
        partial = (left / np.outer(d, d))[off]
        rows.append(((partial**2).mean(), (partial**4).mean()))
    table = pd.DataFrame(rows, columns=["squared", "fourth_power"], index=pd.RangeIndex(most + 1, name="components"))
    return MapTest(int(table["squared"].idxmin()), int(table["fourth_power"].idxmin()), table, items.n_obs)
