"""Exploratory factor analysis: is there anything to factor, how many factors, and what do they look like.

Extraction (maximum likelihood, minimum residual) is by the uniquenesses, with analytic gradient and a final Newton
polish; rotation is by gradient projection (Jennrich 2001, 2002) from several starts. Results agree with
``psych::fa`` (2.2.9) once its stopping rules are tightened.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import chdtrc, chndtr

from .._core import checks
from .._core.errors import DataError
from .._core.threads import one_thread
from .correlations import correlation_input
from .extraction import SMALLEST_UNIQUENESS, extract
from .rotation import rotate


# --- the result ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class EFA:
    """Result of :func:`efa`.

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
        chisq df pvalue rmsea rmsea_ci_lower rmsea_ci_upper (90 %) tli bic rmsr objective.
    converged : bool
    warnings : list of str
        What to know before the loadings are used: no convergence, Heywood cases, a rotation that is not clear cut.
    heywood : list of items whose uniqueness sits on its lower bound of .005
    same_optimum : share of rotation starts that ended at the same place
    n_obs, method, rotation : how it was run
    """

    loadings: pd.DataFrame
    phi: pd.DataFrame
    structure: pd.DataFrame
    communalities: pd.Series
    uniquenesses: pd.Series
    variance: pd.DataFrame
    measures: pd.Series
    residuals: pd.DataFrame
    converged: bool
    warnings: list[str]
    heywood: list[str]
    same_optimum: float
    n_obs: int | None
    method: str
    rotation: str
    _correlations: pd.DataFrame = field(repr=False)
    _raw: np.ndarray | None = field(repr=False, default=None)
    _options: dict = field(repr=False, default_factory=dict)

    def __repr__(self) -> str:
        m = self.measures
        head = f"EFA: {self.loadings.shape[1]} factor(s), {self.method}, {self.rotation}, n = {self.n_obs}"
        fit = (
            ""
            if np.isnan(m["chisq"])
            else (f"; chi2({m['df']:.0f}) = {m['chisq']:.2f}, RMSEA = {m['rmsea']:.3f}, TLI = {m['tli']:.3f}")
        )
        notes = "".join(f"\nWarning: {w}" for w in self.warnings)
        return f"{head}{fit}{notes}\n{self.table()}"

    def _repr_html_(self) -> str:
        notes = "".join(f"<p><b>Warning:</b> {w}</p>" for w in self.warnings)
        return notes + self.table().to_html(na_rep="")

    def table(self, cutoff: float = 0.0, decimals: int = 3) -> pd.DataFrame:
        """Loadings below ``cutoff`` in size blanked (NaN), communalities beside them, rounded."""
        shown = self.loadings.where(self.loadings.abs() >= cutoff)
        return shown.assign(communality=self.communalities).round(decimals)

    def scores(self, data: pd.DataFrame) -> pd.DataFrame:
        """Regression (Thurstone) factor scores, one row a row of ``data``; standardised by the sample analysed.

        Raises
        ------
        ValueError
            The analysis was made from a matrix (no means or spreads to standardise by), or columns are missing.
        """
        if self._raw is None:
            raise DataError("this analysis was made from a matrix, which has no means; run sc.efa on raw answers")
        x = checks.numeric(data, list(self.loadings.index), constant="allow")
        z = (x - self._raw.mean(0)) / self._raw.std(0, ddof=1)
        weights = np.linalg.solve(self._correlations.to_numpy(), self.structure.to_numpy())
        return pd.DataFrame(z.to_numpy() @ weights, index=data.index, columns=self.loadings.columns)

    def bootstrap(self, n_boot: int = 200, seed: int | None = 1, level: float = 0.95) -> pd.DataFrame:
        """Bootstrap intervals of pattern loadings and factor correlations.

        Parameters
        ----------
        n_boot : samples of rows, at least 20
        seed : of the samples
        level : of the intervals

        Returns
        -------
        DataFrame
            Tidy: op (``=~`` loading, ``~~`` factor correlation), lhs (factor), rhs (item or factor), est, bias (mean of
            the samples less est), ci_lower, ci_upper. Each sample's factors are matched and signed to the
            original by the sum of products of loadings. ``.attrs["failed"]`` counts samples without a solution.

        Raises
        ------
        ValueError
            The analysis was made from a matrix.

        Notes
        -----
        Oblique rotation of a noisy pattern draws the factors apart: in samples of ordinary size their correlations, and
        the main loadings, come out too small. A percentile interval repeats that pull a second time, so the limits are
        reflected (basic bootstrap, 2 est - quantile), which takes most of it back. What is left makes intervals of factor
        correlations too optimistic when factors are many; a confirmatory model has no such bias.
        """
        from scipy.optimize import linear_sum_assignment

        if self._raw is None:
            raise DataError("a bootstrap needs raw answers, and this analysis was made from a matrix")
        if n_boot < 20:
            raise DataError(f"n_boot={n_boot}; an interval needs at least 20 samples, better 200 or more")
        rng = np.random.default_rng(seed)
        target, k, n = self.loadings.to_numpy(), self.loadings.shape[1], len(self._raw)
        loads, phis, failed = [], [], 0
        for _ in range(n_boot):
            sample = self._raw[rng.integers(n, size=n)]
            with np.errstate(all="ignore"):
                r = np.corrcoef(sample, rowvar=False)
            if not np.isfinite(r).all() or np.linalg.eigvalsh(r)[0] < 1e-10:
                failed += 1
                continue
            with one_thread():
                unrotated = extract(r, k, self.method)[0]
                # turn the sample's axes to the original's first: the rotation is then nearly done
                u, _, v = np.linalg.svd(unrotated.T @ target)
                load, phi, _ = rotate(unrotated @ (u @ v), self.rotation, n_starts=1, **self._options)
            match = load.T @ target
            own, order = linear_sum_assignment(-np.abs(match.T))
            sign = np.where(match[order, own] < 0, -1.0, 1.0)
            loads.append(load[:, order] * sign)
            phis.append(phi[np.ix_(order, order)] * np.outer(sign, sign))
        tail = (1 - level) / 2
        items, names = list(self.loadings.index), list(self.loadings.columns)
        upper = np.triu_indices(k, 1)

        def rows(op, lhs, rhs, est, drawn):
            low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
            return pd.DataFrame(
                {
                    "op": op,
                    "lhs": lhs,
                    "rhs": rhs,
                    "est": est,
                    "bias": np.mean(drawn, axis=0) - est,
                    "ci_lower": 2 * est - high,
                    "ci_upper": 2 * est - low,
                }
            )

        loading = rows(
            "=~",
            np.repeat(names, len(items)),
            items * k,
            target.T.ravel(),
            np.transpose(loads, (0, 2, 1)).reshape(len(loads), -1),
        )
        correlation = rows(
            "~~",
            [names[a] for a in upper[0]],
            [names[b] for b in upper[1]],
            self.phi.to_numpy()[upper],
            np.array([p[upper] for p in phis]),
        )
        out = pd.concat([loading, correlation], ignore_index=True)
        out.attrs["failed"] = failed
        return out


def _rmsea_interval(chisq: float, df: int, n: int, level: float = 0.90) -> tuple[float, float]:
    """Limits of RMSEA from the noncentral chi-square, as psych and lavaan compute them."""
    from scipy.optimize import brentq

    tail = (1 - level) / 2
    most = max(n, chisq) + 2 * n

    def limit(p: float) -> float:
        if chndtr(chisq, df, 0.0) <= p:
            return 0.0
        return float(np.sqrt(brentq(lambda x: chndtr(chisq, df, x) - p, 0.0, most, xtol=1e-12) / (n - 1) / df))

    return limit(1 - tail), limit(tail)


def _measures(r: np.ndarray, model: np.ndarray, k: int, n: int | None) -> pd.Series:
    p = len(r)
    df = ((p - k) ** 2 - p - k) // 2
    off = ~np.eye(p, dtype=bool)
    rmsr = float(np.sqrt(((r - model)[off] ** 2).mean()))
    implied = model.copy()
    np.fill_diagonal(implied, 1.0)
    ratio = np.linalg.solve(implied, r)
    objective = float(np.trace(ratio) - np.linalg.slogdet(ratio)[1] - p)
    out = dict.fromkeys(
        [
            "chisq",
            "df",
            "pvalue",
            "rmsea",
            "rmsea_ci_lower",
            "rmsea_ci_upper",
            "tli",
            "bic",
            "rmsr",
            "objective",
        ],
        np.nan,
    )
    out.update(df=df, rmsr=rmsr, objective=objective)
    if n is not None:
        factor = n - 1 - (2 * p + 5) / 6 - 2 * k / 3  # Bartlett's (1950) correction
        chisq = max(objective * factor, 0.0)
        out["chisq"] = chisq
        if df > 0:
            null = -np.linalg.slogdet(r)[1]
            per_null, per_model = null * 2 / (p * (p - 1)), objective / df
            low, high = _rmsea_interval(chisq, df, n)
            out.update(
                pvalue=float(chdtrc(df, chisq)),
                rmsea=float(np.sqrt(max(chisq / (df * n) - 1 / (n - 1), 0))),
                rmsea_ci_lower=low,
                rmsea_ci_upper=high,
                tli=float((per_null - per_model) / (per_null - 1 / factor)),
                bic=float(chisq - df * np.log(n)),
            )
    return pd.Series(out, dtype=float)


def efa(
    data: pd.DataFrame | np.ndarray,
    n_factors: int,
    method: str = "ml",
    rotation: str = "oblimin",
    *,
    n_obs: int | None = None,
    normalize: bool | None = None,
    gamma: float = 0.0,
    power: float = 4.0,
    n_starts: int = 10,
    seed: int | None = 1,
) -> EFA:
    """Exploratory factor analysis of correlations.

    Parameters
    ----------
    data : DataFrame of shape (n, p), or a correlation or covariance matrix (p, p)
        Raw answers without gaps, in any units; the analysis is of correlations, so units do not matter.
    n_factors : number of common factors
    method : ``"ml"`` (maximum likelihood) or ``"minres"`` (least squares on the correlations)
    rotation : ``"oblimin"`` (factors may correlate), ``"promax"`` (same), ``"varimax"`` (they may not), ``"none"``
    n_obs : rows behind a matrix; without it there is no chi-square
    normalize, gamma, power, n_starts, seed : see :func:`rotate`

    Returns
    -------
    EFA

    Raises
    ------
    ValueError
        Missing answers, text, constants, an item that is a sum of others, more factors than the items can carry.

    Heywood cases, missing convergence and rotation starts that disagree do not raise: they are named in ``.warnings``.

    Notes
    -----
    R = L phi L' + psi. chisq, rmsea, tli, bic and rmsr follow ``psych::fa`` to the letter: chisq is the ML discrepancy
    times n - 1 - (2p + 5)/6 - 2k/3 (Bartlett 1950), also after minres; rmsea is sqrt(chisq/(df n) - 1/(n - 1)), which
    differs from lavaan's by a factor near 1; bic is chisq - df ln n.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(4, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 8)), columns=list("abcdefgh"))
    >>> efa(x, 2).loadings.abs().idxmax(axis=1).tolist()
    ['F1', 'F1', 'F1', 'F1', 'F2', 'F2', 'F2', 'F2']
    """
    if method not in ("ml", "minres"):
        raise DataError(f"method={method!r}; it must be 'ml' or 'minres'")
    r, names, n, raw = correlation_input(data, n_obs)
    p = len(names)
    if isinstance(n_factors, bool) or not isinstance(n_factors, (int, np.integer)) or n_factors < 1:
        raise DataError(f"n_factors={n_factors!r}; it must be a whole number from 1 up")
    k = int(n_factors)
    if (p - k) ** 2 < p + k:
        most = max(j for j in range(p) if (p - j) ** 2 >= p + j)
        raise DataError(f"{k} factors cannot be told apart with {p} items; at most {most}")
    with one_thread():
        unrotated, psi, converged = extract(r, k, method)
        signs = np.where(unrotated.sum(0) < 0, -1.0, 1.0)
        load, phi, info = rotate(
            unrotated * signs,
            rotation,
            normalize=normalize,
            gamma=gamma,
            power=power,
            n_starts=n_starts,
            seed=seed,
        )
    notes = [] if converged else [f"{method} extraction of {k} factors did not converge; use fewer factors"]
    heywood = [names[i] for i in np.flatnonzero(psi <= SMALLEST_UNIQUENESS * 1.001)]
    if heywood:
        notes.append(
            f"Heywood case: the uniqueness of {', '.join(heywood)} ran to its bound of {SMALLEST_UNIQUENESS}. Usual causes: too many "
            "factors, a factor with two items, or too few answers."
        )
    signs = np.where(load.sum(0) < 0, -1.0, 1.0)
    load, phi = load * signs, phi * np.outer(signs, signs)
    order = np.argsort(-np.diag(phi @ load.T @ load), kind="stable")
    load, phi = load[:, order], phi[np.ix_(order, order)]
    if info["same_optimum"] < 0.5 and n_starts >= 4:
        notes.append(
            f"only {info['same_optimum']:.0%} of the rotation starts ended at the best solution: the structure is not "
            "clear cut. Compare with another number of factors."
        )
    if not info["settled"]:
        notes.append(f"the {rotation} rotation did not settle; treat the loadings as rough")
    labels = [f"F{i + 1}" for i in range(k)]
    model = load @ phi @ load.T
    explained = np.diag(phi @ load.T @ load)
    frame = lambda values, index, columns: pd.DataFrame(values, index=index, columns=columns)  # noqa: E731
    common = pd.Series(np.diag(model), index=names, name="communality")
    return EFA(
        loadings=frame(load, names, labels),
        phi=frame(phi, labels, labels),
        structure=frame(load @ phi, names, labels),
        communalities=common,
        uniquenesses=(1 - common).rename("uniqueness"),
        variance=pd.DataFrame(
            {
                "sum_of_squares": explained,
                "proportion": explained / p,
                "cumulative": np.cumsum(explained) / p,
            },
            index=labels,
        ),
        measures=_measures(r, model, k, n),
        residuals=frame(r - model, names, names),
        converged=converged,
        warnings=notes,
        heywood=heywood,
        same_optimum=info["same_optimum"],
        n_obs=n,
        method=method,
        rotation=rotation if k > 1 else "none",
        _correlations=frame(r, names, names),
        _raw=raw,
        _options={"normalize": normalize, "gamma": gamma, "power": power},
    )
