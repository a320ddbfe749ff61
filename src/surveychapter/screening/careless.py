"""Indices of careless answering, one number a respondent, and how often attentive respondents reach them.

The reference is simulated: attentive respondents with the survey's own answer frequencies and correlations, who
differ in how far they use the scale as much as most of the survey's respondents do (a normal or a t copula, by the
5th to 90th percentile of the Mahalanobis distance). Where styles differ, random answers hide among them: rows that
stand out only from people who all use the scale alike are a note ("unusual profile"), not a warning. A cut-off from a
textbook would be wrong for most questionnaires, since a run of eight equal answers is rare among 60 mixed items and
common among eight items of one good scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri, stdtrit

INDICES = {
    # name: (flagged tail, formula, source)
    "longest run": ("high", "most consecutive items with the same answer", "Johnson 2005; Meade & Craig 2012"),
    "spread within person": (
        "low",
        "standard deviation of one respondent's answers; 0 is the same answer throughout",
        "Dunn, Heggestad, Shanock & Theilgard 2018",
    ),
    "even-odd consistency": (
        "low",
        "correlation over scales of a respondent's mean on odd and on even items, stepped up by 2r / (1 + r)",
        "Jackson 1976, in Meade & Craig 2012 and Curran 2016",
    ),
    "Mahalanobis distance": (
        "high",
        "D2 = (x - m)' S^-1 (x - m), distance of an answer profile from the middle of all",
        "Mahalanobis 1936; Meade & Craig 2012",
    ),
    "unusual profile": (
        "high",
        "D2 = (x - m)' S^-1 (x - m), against people who all use the scale alike; here they do not, so many may be honest",
        "Mahalanobis 1936; Meade & Craig 2012",
    ),
}


def longest_run(x: np.ndarray) -> np.ndarray:
    """Length of the longest run of equal consecutive answers in each row of ``x`` (n, items).

    A skipped question (NaN) neither breaks a run nor adds to it.
    """
    n, p = x.shape
    last = np.full(n, np.nan)
    run = np.zeros(n, dtype=int)
    best = np.zeros(n, dtype=int)
    for j in range(p):
        seen = ~np.isnan(x[:, j])
        same = seen & (x[:, j] == last)
        run = np.where(same, run + 1, np.where(seen, 1, run))
        last = np.where(seen, x[:, j], last)
        np.maximum(best, run, out=best)
    return best


def spread_within(x: np.ndarray) -> np.ndarray:
    """Standard deviation (n - 1) of each row of ``x``; NaN where fewer than two answers are given."""
    seen = (~np.isnan(x)).sum(axis=1)
    filled = np.where(np.isnan(x), 0.0, x)
    mean = filled.sum(axis=1) / np.maximum(seen, 1)
    ss = np.where(np.isnan(x), 0.0, (x - mean[:, None]) ** 2).sum(axis=1)
    return np.where(seen > 1, np.sqrt(ss / np.maximum(seen - 1, 1)), np.nan)


def even_odd(x: np.ndarray, scales: Sequence[Sequence[int]]) -> np.ndarray:
    """Correlation over scales of each row's odd-item mean and even-item mean, stepped up to full length.

    ``x`` must be keyed: reverse items turned round. NaN with fewer than four usable scales, or where a half
    has no spread (a respondent with the same answer throughout).
    """
    filled, seen = np.where(np.isnan(x), 0.0, x), ~np.isnan(x)
    halves = []
    for start in (0, 1):
        columns = [list(s[start::2]) for s in scales]
        total = np.column_stack([filled[:, c].sum(axis=1) for c in columns])
        count = np.column_stack([seen[:, c].sum(axis=1) for c in columns])
        halves.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    odd, even = halves
    both = ~np.isnan(odd) & ~np.isnan(even)
    k = both.sum(axis=1)
    o, e = np.where(both, odd, 0.0), np.where(both, even, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        o = np.where(both, o - (o.sum(axis=1) / k)[:, None], 0.0)
        e = np.where(both, e - (e.sum(axis=1) / k)[:, None], 0.0)
        size = np.sqrt((o**2).sum(axis=1) * (e**2).sum(axis=1))
        r = np.where(size > 1e-12, (o * e).sum(axis=1) / size, np.nan)
    r = np.where(k >= 4, np.clip(r, -1, 1), np.nan)
    # 2r / (1 + r) runs to minus infinity at r = -1; the usual cut keeps it a correlation.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.maximum(2 * r / (1 + r), -1.0)


def mahalanobis(x: np.ndarray, mean: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Squared distance of each row from ``mean``; a gap counts as an average answer."""
    z = np.where(np.isnan(x), 0.0, x - mean)
    return np.einsum("ij,ij->i", z @ precision, z)


def correlations(x: np.ndarray) -> np.ndarray:
    """Pairwise-complete correlations; 0 where a pair has no common spread."""
    seen = (~np.isnan(x)).astype(float)
    mean, spread = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
    z = np.where(np.isnan(x), 0.0, (x - mean) / np.where(spread > 0, spread, 1))
    n = np.maximum(seen.T @ seen, 1)
    r = (z.T @ z) / n
    scale = np.sqrt(np.maximum((z**2).T @ seen / n, 1e-12))
    r = r / (scale * scale.T)
    np.fill_diagonal(r, 1.0)
    return np.clip(r, -1, 1)


def _proper(r: np.ndarray) -> np.ndarray:
    """Nearest usable correlation matrix: negative eigenvalues lifted, diagonal back to 1."""
    values, vectors = np.linalg.eigh((r + r.T) / 2)
    if values[0] < 1e-4:
        r = (vectors * np.maximum(values, 1e-4)) @ vectors.T
        scale = np.sqrt(np.diag(r))
        r = r / np.outer(scale, scale)
    return r


class Copula:
    """Attentive respondents with the answer frequencies and correlations of ``x``.

    ``df`` is None for a normal copula; a small number lets respondents differ much in how far they use the scale.
    """

    STYLES = (None, 60, 40, 30, 24, 20, 16, 13, 11, 9, 7.5, 6, 5, 4, 3)

    def __init__(self, x: np.ndarray, rng: np.random.Generator) -> None:
        self.df: float | None = None
        self.shares, self.values = [], []
        for j in range(x.shape[1]):
            values, counts = np.unique(x[~np.isnan(x[:, j]), j], return_counts=True)
            self.values.append(values)
            self.shares.append(np.cumsum(counts)[:-1] / counts.sum())
        target = correlations(x)
        latent = _proper(target)
        # Cutting a normal variable into few answers lowers its correlations; two rounds put them back.
        for _ in range(2):
            self._root = np.linalg.cholesky(latent + 1e-9 * np.eye(len(latent)))
            got = correlations(self.draw(4000, rng))
            with np.errstate(divide="ignore", invalid="ignore"):
                factor = np.where(np.abs(got) > 0.05, np.clip(target / got, 0.7, 1.5), 1.0)
            latent = np.clip(latent * factor, -0.98, 0.98)
            np.fill_diagonal(latent, 1.0)
            latent = _proper(latent)
        self._root = np.linalg.cholesky(latent + 1e-9 * np.eye(len(latent)))

    def draw(self, n: int, rng: np.random.Generator, alike: bool = False) -> np.ndarray:
        """Answers of ``n`` attentive respondents, array (n, items); ``alike``: who all use the scale alike."""
        df = None if alike else self.df
        z = rng.standard_normal((n, len(self._root))) @ self._root.T
        if df is not None:
            z /= np.sqrt(rng.chisquare(df, n) / df)[:, None]
        out = np.empty_like(z)
        for j, (share, values) in enumerate(zip(self.shares, self.values, strict=True)):
            cuts = ndtri(share) if df is None else stdtrit(df, share)
            out[:, j] = values[np.searchsorted(cuts, z[:, j])]
        return out

    def fit_styles(self, distance: np.ndarray, measure: Callable, rng: np.random.Generator) -> None:
        """Choose ``df`` so that distances spread as the observed ones do from their 5th to their 90th percentile.

        The careless, who sit outside these percentiles, hardly take part in the choice.
        """

        def width(d: np.ndarray) -> float:
            low, high = np.quantile(d, [0.05, 0.90])
            return float(np.log(max(high, 1e-9) / max(low, 1e-9)))

        wanted = width(distance)
        seed = int(rng.integers(2**32))
        best: tuple[float, int | float | None] = (np.inf, None)
        for df in self.STYLES:
            self.df = df
            miss = abs(width(measure(self.draw(3000, np.random.default_rng(seed)))) - wanted)
            if miss >= best[0]:
                break  # the width grows as df falls: past the best, it only gets worse
            best = (miss, df)
        self.df = best[1]


def indices(
    items: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    reverse: Sequence[str],
    one_range: Sequence[str],
    seed: int,
    draws: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Indices of every respondent and the share of attentive respondents at least as extreme.

    Parameters
    ----------
    items : DataFrame (n, items) in questionnaire order, as answered
    scales : dict of scales with at least two items, for the even-odd index
    reverse : reverse-keyed items
    one_range : items that share one answer scale, for runs and spread
    seed, draws : of the simulated attentive respondents

    Returns
    -------
    (values, chance), two DataFrames with a column an index
    """
    rng = np.random.default_rng(seed)
    x = items.to_numpy(float)
    names = list(items.columns)
    run = [names.index(c) for c in one_range]
    groups = [[names.index(i) for i in members] for members in scales.values() if len(members) > 1]
    low = np.nanmin(x, axis=0)
    high = np.nanmax(x, axis=0)
    turned = [names.index(r) for r in reverse if r in names]

    mean = np.nanmean(x, axis=0)
    spread = np.nanstd(x, axis=0)
    corr = _proper(correlations(x))
    precision = np.linalg.pinv(corr * np.outer(spread, spread), hermitian=True)

    def all_of(a: np.ndarray) -> dict[str, np.ndarray]:
        keyed = a.copy()
        keyed[:, turned] = (low + high)[turned] - a[:, turned]
        out = {"longest run": longest_run(a[:, run]).astype(float), "spread within person": spread_within(a[:, run])}
        if len(groups) >= 6:
            out["even-odd consistency"] = even_odd(keyed, groups)
        out["Mahalanobis distance"] = mahalanobis(a, mean, precision)
        return out

    own = all_of(x)
    copula = Copula(x, rng)
    copula.fit_styles(own["Mahalanobis distance"], lambda a: mahalanobis(a, mean, precision), rng)
    reference: dict[str, list[np.ndarray]] = {k: [] for k in own}
    alike: list[np.ndarray] = []
    for start in range(0, draws, 20_000):
        size = min(draws - start, 20_000)
        for k, v in all_of(copula.draw(size, rng)).items():
            reference[k].append(v)
        if copula.df is not None:
            alike.append(mahalanobis(copula.draw(size, rng, alike=True), mean, precision))
    chance = {k: _beyond(v, np.concatenate(reference[k]), INDICES[k][0]) for k, v in own.items()}
    if alike:
        chance["unusual profile"] = _beyond(own["Mahalanobis distance"], np.concatenate(alike), "high")
    return pd.DataFrame(own, index=items.index), pd.DataFrame(chance, index=items.index)


def _beyond(values: np.ndarray, reference: np.ndarray, tail: str) -> np.ndarray:
    """Share of the reference at least as extreme as each value."""
    reference = np.sort(reference[~np.isnan(reference)])
    if tail == "high":
        count = len(reference) - np.searchsorted(reference, values - 1e-9)
    else:
        count = np.searchsorted(reference, values + 1e-9, side="right")
    return np.where(np.isnan(values), np.nan, (count + 1) / (len(reference) + 1))


def false_discovery(p: np.ndarray, rate: float) -> np.ndarray:
    """Benjamini-Hochberg: which of the p values may be called small so that a share ``rate`` is wrong."""
    ok = np.flatnonzero(~np.isnan(p))
    order = ok[np.argsort(p[ok])]
    below = p[order] <= rate * np.arange(1, len(order) + 1) / max(1, len(order))
    flagged = np.zeros(len(p), dtype=bool)
    if below.any():
        flagged[order[: np.flatnonzero(below)[-1] + 1]] = True
    return flagged


def two_sided(z: np.ndarray) -> np.ndarray:
    """Two-sided p value of a standard normal statistic."""
    return 2 * ndtr(-np.abs(z))
