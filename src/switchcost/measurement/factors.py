"""Exploratory factor analysis: what the factors look like, how well they fit, how sure one can be of them.

Results agree with ``psych::fa`` (2.2.9) once its stopping rules are tightened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from semfit.measures import rmsea
from semfit.ordinal.exploratory import adjusted_measures

from ..core import checks
from ..core.arguments import DECIMALS, Between, checked, one_of
from ..core.errors import DataError
from ..core.inference import default_seed, enough_draws
from ..core.jobs import run_batches
from ..core.results import Result
from ..core.threads import one_thread
from .correlations import Items, correlation_input
from .extraction import SMALLEST_UNIQUENESS, extract
from .rotation import rotate

# Turns unrotated loadings into rotated ones: (loadings, phi).
Rotation = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class EFA(Result):
    """An exploratory factor analysis: result of ``sc.efa`` and of ``sc.from_factor_analyzer``.

    Attributes
    ----------
    loadings : DataFrame (p, k)
        Pattern loadings: the weight of each factor for each item, the other factors held constant. Factors are in
        order of the variance they explain, with signs that make the sum of loadings positive.
    phi : DataFrame (k, k)
        Correlations of the factors, in the same order.
    structure : DataFrame (p, k)
        Correlations of items and factors, loadings times phi.
    communalities, uniquenesses : Series (p,)
        Diagonal of loadings phi loadings', and one minus it.
    variance : DataFrame
        By factor: sum_of_squares (diagonal of phi loadings' loadings), proportion, cumulative.
    measures : Series
        chisq df pvalue rmsea rmsea_ci_lower rmsea_ci_upper (90 %) tli bic rmsr objective; of ordered items the adjusted
        test and its indices (cfi among them, no bic).
    residuals : DataFrame (p, p)
        Correlations less what the factors explain of them.
    converged : bool
    warnings : tuple of str
        What to know before the loadings are used: no convergence, Heywood cases, a rotation that is not clear cut.
    corrections : tuple of str
        What was put right, with numbers, when another package made the analysis; empty for ``sc.efa``.
    heywood : tuple of str
        Items whose uniqueness sits on its lower bound of .005.
    same_optimum : float
        Share of rotation starts that ended at the same place.
    n_obs : int or None
        Rows used; None where a matrix came without ``n_obs``.
    method, rotation : str
        How it was run.
    """

    loadings: pd.DataFrame
    phi: pd.DataFrame
    measures: pd.Series
    converged: bool
    warnings: tuple[str, ...]
    heywood: tuple[str, ...]
    same_optimum: float
    method: str
    rotation: str
    corrections: tuple[str, ...]
    sample: Items = field(repr=False)
    rotator: Rotation = field(repr=False)

    @property
    def n_obs(self) -> int | None:
        return self.sample.n_obs

    @property
    def structure(self) -> pd.DataFrame:
        return self.loadings @ self.phi

    @property
    def communalities(self) -> pd.Series:
        return (self.structure * self.loadings).sum(axis=1).rename("communality")

    @property
    def uniquenesses(self) -> pd.Series:
        return (1 - self.communalities).rename("uniqueness")

    @property
    def variance(self) -> pd.DataFrame:
        explained = (self.structure * self.loadings).sum()
        share = explained / len(self.loadings)
        return pd.DataFrame({"sum_of_squares": explained, "proportion": share, "cumulative": share.cumsum()})

    @property
    def residuals(self) -> pd.DataFrame:
        return self.sample.table - self.structure @ self.loadings.T

    @checked(cutoff=Between(0, 1, "both"), decimals=DECIMALS)
    def table(self, cutoff: float = 0.0, decimals: int = 3) -> pd.DataFrame:
        """Loadings below ``cutoff`` in size blanked (NaN), communalities beside them, rounded."""
        shown = self.loadings.where(self.loadings.abs() >= cutoff)
        return shown.assign(communality=self.communalities).round(decimals)

    def _heading(self) -> str:
        m = self.measures
        kind = "" if self.sample.polychoric is None else " of polychoric correlations"
        head = f"EFA: {self.loadings.shape[1]} factor(s), {self.method}{kind}, {self.rotation}, n = {self.n_obs}"
        if not np.isnan(m["chisq"]):
            head += f"; chi2({m['df']:.0f}) = {m['chisq']:.2f}, RMSEA = {m['rmsea']:.3f}, TLI = {m['tli']:.3f}"
        return "\n".join([head, *(f"Put right: {c}" for c in self.corrections)])

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        parts = [("", self.table())]
        return parts if self.loadings.shape[1] == 1 else [*parts, ("Factor correlations", self.phi)]

    def scores(self, data: pd.DataFrame) -> pd.DataFrame:
        """Regression (Thurstone) factor scores, one row a row of ``data``; standardised by the sample analysed.

        Raises
        ------
        DataError
            The analysis was made from a matrix (no means or spreads to standardise by), or columns are missing.
        """
        raw = self.sample.answers("a factor score")
        x = checks.numeric(data, list(self.loadings.index), constant="allow")
        z = (x - raw.mean(0)) / raw.std(0, ddof=1)
        weights = np.linalg.solve(self.sample.r, self.structure.to_numpy())
        return pd.DataFrame(z.to_numpy() @ weights, index=data.index, columns=self.loadings.columns)

    @checked()
    def bootstrap(
        self, n_boot: int = 200, seed: int | None = None, level: float = 0.95, *, n_jobs: int | None = None
    ) -> pd.DataFrame:
        """Bootstrap intervals of pattern loadings and factor correlations.

        Parameters
        ----------
        n_boot : int, default 200
            Samples of rows.
        seed : int, optional
            Of the samples; None means the default seed of the package.
        level : float, default 0.95
            Of the intervals.
        n_jobs : int, optional
            Processes; None means one, or what ``joblib.parallel_config`` says (a cluster). The numbers stay the same.

        Returns
        -------
        DataFrame
            Tidy: op (``=~`` loading, ``~~`` factor correlation), lhs (factor), rhs (item or factor), est, bias (mean of
            the samples less est), ci_lower, ci_upper. Each sample's factors are matched and signed to the
            original by the sum of products of loadings. ``.attrs["failed"]`` counts samples without a solution.

        Raises
        ------
        DataError
            The analysis was made from a matrix, or too few samples are asked for.

        Notes
        -----
        Oblique rotation of a noisy pattern draws the factors apart: in samples of ordinary size their correlations, and
        the main loadings, come out too small. A percentile interval repeats that pull a second time, so the limits are
        reflected (basic bootstrap, 2 est - quantile), which takes most of it back. What is left makes intervals of factor
        correlations too optimistic when factors are many; a confirmatory model has no such bias.
        """
        raw = self.sample.answers("a bootstrap")
        enough_draws(n_boot)
        rng = np.random.default_rng(default_seed(seed))
        target, k, n = self.loadings.to_numpy(), self.loadings.shape[1], len(raw)
        samples = (raw[rng.integers(n, size=n)] for _ in range(n_boot))
        with np.errstate(all="ignore"):
            matrices = [np.corrcoef(sample, rowvar=False) for sample in samples]
        pieces = [matrices[i : i + 10] for i in range(0, n_boot, 10)]
        found = run_batches(partial(_resolved, target, self.method, self.rotator), pieces, n_jobs)
        drawn = np.array([row for part in found for row in part])
        names, upper = self.loadings.columns, np.triu_indices(k, 1)
        out = pd.DataFrame({
            "op": ["=~"] * target.size + ["~~"] * len(upper[0]),
            "lhs": [*np.repeat(names, len(target)), *names[upper[0]]],
            "rhs": [*self.loadings.index] * k + [*names[upper[1]]],
            "est": np.concatenate([target.T.ravel(), self.phi.to_numpy()[upper]]),
        })  # fmt: skip
        low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
        out = out.assign(bias=drawn.mean(0) - out["est"], ci_lower=2 * out["est"] - high, ci_upper=2 * out["est"] - low)
        out.attrs["failed"] = n_boot - len(drawn)
        return out


def _resolved(target: np.ndarray, method: str, rotator: Callable, matrices: list[np.ndarray]) -> list[np.ndarray]:
    """Loadings and factor correlations of each matrix that has an inverse, matched and signed to ``target`` (p, k)."""
    from scipy.optimize import linear_sum_assignment

    k, out = target.shape[1], []
    for r in matrices:
        if not np.isfinite(r).all() or np.linalg.eigvalsh(r)[0] < 1e-10:
            continue
        with one_thread():
            unrotated = extract(r, k, method, n_starts=0)[0]
            # turn the sample's axes to the original's first: the rotation is then nearly done
            u, _, v = np.linalg.svd(unrotated.T @ target)
            load, phi = rotator(unrotated @ (u @ v))
        match = load.T @ target
        own, order = linear_sum_assignment(-np.abs(match.T))
        sign = np.where(match[order, own] < 0, -1.0, 1.0)
        turned = (phi[np.ix_(order, order)] * np.outer(sign, sign))[np.triu_indices(k, 1)]
        out.append(np.concatenate([(load[:, order] * sign).T.ravel(), turned]))
    return out


def fit_measures(r: np.ndarray, model: np.ndarray, k: int, n: int | None) -> pd.Series:
    """Fit of k factors that explain ``model`` of the correlations ``r``, as ``psych::fa`` computes it.

    chisq is the ML discrepancy times n - 1 - (2p + 5)/6 - 2k/3 (Bartlett 1950), also after minres; rmsea is
    sqrt(chisq/(df n) - 1/(n - 1)), which differs from lavaan's by a factor near 1; bic is chisq - df ln n.
    """
    p = len(r)
    df = ((p - k) ** 2 - p - k) // 2
    implied = model.copy()
    np.fill_diagonal(implied, 1.0)
    ratio = np.linalg.solve(implied, r)
    objective = float(np.trace(ratio) - np.linalg.slogdet(ratio)[1] - p)
    rmsr = float(np.sqrt(((r - model)[~np.eye(p, dtype=bool)] ** 2).mean()))
    out = dict.fromkeys("chisq df pvalue rmsea rmsea_ci_lower rmsea_ci_upper tli bic".split(), np.nan)
    out |= {"df": df, "rmsr": rmsr, "objective": objective}
    if n is not None:
        factor = n - 1 - (2 * p + 5) / 6 - 2 * k / 3
        out["chisq"] = chisq = max(objective * factor, 0.0)
        if df > 0:
            per_null, per_model = -np.linalg.slogdet(r)[1] * 2 / (p * (p - 1)), objective / df
            interval = rmsea(chisq, df, n - 1, 1)
            out |= {
                "pvalue": chdtrc(df, chisq), "rmsea": np.sqrt(max(chisq / (df * n) - 1 / (n - 1), 0)),
                "rmsea_ci_lower": interval["_ci_lower"], "rmsea_ci_upper": interval["_ci_upper"],
                "tli": (per_null - per_model) / (per_null - 1 / factor), "bic": chisq - df * np.log(n),
            }  # fmt: skip
    return pd.Series(out, dtype=float)


def heywood_items(uniquenesses: np.ndarray, names: list[str]) -> tuple[tuple[str, ...], list[str]]:
    """Items whose uniqueness sits on its bound, and the sentence about them (none when there are none)."""
    found = tuple(name for name, u in zip(names, uniquenesses, strict=True) if u <= SMALLEST_UNIQUENESS * 1.001)
    said = (
        f"Heywood case: the uniqueness of {', '.join(found)} ran to its bound of {SMALLEST_UNIQUENESS}. Usual causes: "
        "too many factors, a factor with two items, or too few answers."
    )
    return found, [said] if found else []


def in_order(load: np.ndarray, phi: np.ndarray, names: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Factors by the variance they explain, with signs that make their loadings' sums positive, and named."""
    sign = np.where(load.sum(0) < 0, -1.0, 1.0)
    load, phi = load * sign, phi * np.outer(sign, sign)
    order = np.argsort(-np.diag(phi @ load.T @ load), kind="stable")
    labels = [f"F{i + 1}" for i in range(len(phi))]
    return pd.DataFrame(load[:, order], names, labels), pd.DataFrame(phi[np.ix_(order, order)], labels, labels)


def _rotate_once(unrotated: np.ndarray, **options) -> tuple[np.ndarray, np.ndarray]:
    return rotate(unrotated, n_starts=1, **options)[:2]


@checked(method=one_of("ml", "minres", None), power=Between(1, closed="left"))
def efa(
    data: pd.DataFrame | np.ndarray,
    n_factors: int,
    method: str | None = None,
    rotation: str = "oblimin",
    *,
    n_obs: int | None = None,
    ordered: bool | Sequence[str] | None = None,
    normalize: bool | None = None,
    gamma: float = 0.0,
    power: float = 4.0,
    n_starts: int = 10,
    seed: int | None = None,
) -> EFA:
    """Exploratory factor analysis of correlations.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or array or DataFrame of shape (p, p)
        Raw answers without gaps, in any units, or a correlation or covariance matrix. The analysis is of correlations,
        so units do not matter.
    n_factors : int
        Number of common factors.
    method : {"ml", "minres"}, optional
        Maximum likelihood, or least squares on the correlations; None is ml, and minres with ``ordered``.
    rotation : {"oblimin", "promax", "varimax", "none"}
        The first two let factors correlate.
    n_obs : int, optional
        Rows behind a matrix; without it there is no chi-square.
    ordered : bool or list of str, optional
        Answers are ordered categories (all items, or those named): their polychoric correlations are analysed.
    normalize : bool, optional
        Kaiser's normalisation (rows to length one while rotating). None follows ``psych::fa``: no for oblimin, yes for
        varimax and promax.
    gamma : float, default 0.0
        Oblimin's parameter; 0 is quartimin, the default everywhere.
    power : float, default 4.0
        Promax's power.
    n_starts : int, default 10
        Starting positions of the rotation, the unrotated one and random ones; the best is kept.
    seed : int, optional
        Of the random starts; None means the default seed of the package.

    Returns
    -------
    EFA

    Raises
    ------
    DataError
        Missing answers, text, constants, an item that is a sum of others, more factors than the items can carry.
        Heywood cases, missing convergence and rotation starts that disagree do not raise: they are named in
        ``.warnings``.

    Notes
    -----
    R = L phi L' + psi. Measures of fit follow ``psych::fa`` to the letter; see :func:`fit_measures`. Where a uniqueness
    runs to its bound the likelihood has several minima; further starts are then tried and the lowest is kept.
    With ``ordered`` loadings equal ``psych::fa(cor = "poly")``; the test of minres is scaled and shifted by how the
    polychoric correlations vary, as ``lavaan::efa(ordered = TRUE, estimator = "ULSMV")``; ml has none.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(4, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 8)), columns=list("abcdefgh"))
    >>> efa(x, 2).loadings.abs().idxmax(axis=1).tolist()
    ['F1', 'F1', 'F1', 'F1', 'F2', 'F2', 'F2', 'F2']
    """
    method = method or ("minres" if ordered else "ml")
    sample = correlation_input(data, n_obs, ordered)
    names, p = sample.names, len(sample.names)
    k = checks.whole(n_factors, "n_factors", 1)
    if (p - k) ** 2 < p + k:
        most = max(j for j in range(p) if (p - j) ** 2 >= p + j)
        raise DataError(f"{k} factors cannot be told apart with {p} items; at most {most}")
    options: dict[str, Any] = {"rotation": rotation, "normalize": normalize, "gamma": gamma, "power": power}
    with one_thread():
        unrotated, psi, converged = extract(sample.r, k, method)
        load, phi, turned = rotate(unrotated, n_starts=n_starts, seed=seed, **options)
    heywood, notes = heywood_items(psi, names)
    if not converged:
        notes.insert(0, f"{method} extraction of {k} factors did not converge; use fewer factors")
    if turned.same_optimum < 0.5 and n_starts >= 4:
        notes.append(
            f"only {turned.same_optimum:.0%} of the rotation starts ended at the best solution: the structure is not "
            "clear cut. Compare with another number of factors."
        )
    if not turned.settled:
        notes.append(f"the {rotation} rotation did not settle; treat the loadings as rough")
    loadings, correlations = in_order(load, phi, names)
    measures = fit_measures(sample.r, load @ phi @ load.T, k, sample.n_obs)
    if sample.polychoric is not None:
        tested = unrotated if method == "minres" and measures["df"] > 0 else None
        measures = pd.Series({**measures, **adjusted_measures(sample.polychoric, tested)})
        notes += sample.polychoric.warnings
    return EFA(
        loadings=loadings, phi=correlations, measures=measures,
        converged=converged, warnings=tuple(notes), heywood=heywood, same_optimum=turned.same_optimum, method=method,
        rotation=rotation if k > 1 else "none", corrections=(), sample=sample,
        rotator=partial(_rotate_once, **options),
    )  # fmt: skip
