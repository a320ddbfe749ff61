"""The bootstrap of a structural model: moments of all resamples by one matrix product, all refits in one batch.

Sources: Efron & Tibshirani (1993), chapters 6, 13 and 14 (percentile and bias-corrected intervals); Bollen & Stine
(1992, Sociological Methods & Research 21, 205-229) for the test of fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from .errors import DataError
from .estimate import Moments
from .fit_functions import chosen_functions, evaluate_functions
from .gradient import BATCH, refit_near, regular, saturated_discrepancy
from .inference import default_seed, enough_draws
from .jobs import run_batches
from .ordinal.resampling import OrdinalResampler
from .ordinal.solution import OrdinalSolution
from .printing import Result
from .resampling import KINDS, Resampler
from .scoring import fit_batch, refit_batch
from .search import estimate
from .solution import Fitted, Solution
from .standardized import with_defined
from .threads import one_thread

SINGULAR, STALLED = "covariance matrix of the resample is singular", "no convergence"


@dataclass(frozen=True, repr=False, eq=False)
class Bootstrap(Result):
    """What a bootstrap found; made by :meth:`semfit.Fit.bootstrap`.

    Attributes
    ----------
    estimates : DataFrame
        One row a free or defined parameter: lhs, op, rhs, (group), label, est (of the sample), se (standard
        deviation of the draws), bias (mean of the draws minus est), ci_lower, ci_upper (percentiles), bc_lower,
        bc_upper (bias-corrected percentiles).
    standardized : DataFrame
        The same for the standardised solution; rows that cannot vary are left out.
    functions : DataFrame or None
        The same for functions of the fit, columns function and name in front.
    draws : DataFrame
        One row a converged resample, one column a row of ``estimates``; the index is the number of the resample.
    chisq : Series
        Chi-squares of the resamples (NaN where missing values need full information).
    pvalue : float
        Share of resamples whose chi-square reaches the sample's: the Bollen-Stine test, or its parametric version.
        NaN for ``kind="nonparametric"``, where resamples do not obey the model.
    n_obs : int
        Rows of the sample.
    n_converged, n_failed : int
        Resamples that were refitted and that were not; the failed are in no number here.
    failures : dict
        Reason to count.
    n_improper : int
        Converged resamples with a negative variance; they are kept, as in the sample.
    warnings : tuple of str
    """

    kind: str
    n_boot: int
    seed: int
    level: float
    estimates: pd.DataFrame
    standardized: pd.DataFrame
    functions: pd.DataFrame | None
    draws: pd.DataFrame
    chisq: pd.Series
    pvalue: float
    n_obs: int
    n_converged: int
    n_failed: int
    failures: dict = field(default_factory=dict)
    n_improper: int = 0
    warnings: tuple[str, ...] = ()

    def _heading(self) -> str:
        text = (
            f"{self.kind} bootstrap, {self.n_boot} resamples (seed {self.seed}), n = {self.n_obs}: "
            f"{self.n_converged} converged, {self.n_failed} failed"
        )
        if self.failures:
            text += " (" + "; ".join(f"{v} {k}" for k, v in self.failures.items()) + ")"
        if self.pvalue == self.pvalue:
            text += f"\ntest of fit: {self.pvalue:.3f} of the resamples reach the sample's chi-square"
        return text

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        main = self.estimates["op"].isin(["=~", "~", ":="])
        out = [("", self.estimates[main].reset_index(drop=True))]
        if self.functions is not None:
            out.append(("Functions of the fit", self.functions))
        return out


def bootstrap(
    fit: Fitted,
    n_boot: int = 1000,
    seed: int | None = None,
    *,
    kind: str = "nonparametric",
    functions: str | Sequence[str] | Mapping[str, Callable] | None = None,
    level: float = 0.95,
    n_jobs: int | None = None,
    progress: bool = True,
) -> Bootstrap:
    """Refit a model to resamples of its data.

    Parameters
    ----------
    fit : Fit
    n_boot : int, default 1000
        Number of resamples.
    seed : int, optional
        None means the seed of the package. The numbers depend on the seed alone, not on ``n_jobs`` or a cluster.
    kind : str
        ``"nonparametric"``: rows (clusters, where the fit has them) are drawn with replacement, within groups; gives
        standard errors and intervals that need no normality. ``"bollen-stine"``: the rows are first transformed so that
        the model holds exactly, z = (y - mean) S^-1/2 Sigma^1/2 + mu; gives a test of fit that needs no normality.
        ``"parametric"``: samples from the normal distribution of the fitted model; works without raw data.
    functions : str, sequence of str or dict, optional
        What else to compute in every resample: ``"ave"``, ``"omega"``, ``"htmt"`` or a list of them, or a dict from
        name to function of a fit: the function gets the refitted model (``.estimates`` with est and std_all, ``.r2``,
        ``.implied()``, ``.sample_cov``) and returns a number, or a dict or Series of numbers. A dict may also have the
        ready names as values.
    level : float, default 0.95
        Coverage of the intervals.
    n_jobs : int, optional
        Number of processes (joblib), -1 for all cores; None means one, or what ``joblib.parallel_config`` says around
        the call, such as ``backend="dask"`` for a cluster.
    progress : bool, default True
        Show a bar when it takes longer than two seconds.

    Returns
    -------
    Bootstrap

    Raises
    ------
    NotConvergedError
        The fit did not converge.
    DataError
        Raw data are needed and missing, an argument is out of its range, or fewer than 20 resamples could be refitted.

    Notes
    -----
    Second moments of the resamples are a product of the matrix of row counts and the rows' outer products, so that
    neither is done resample by resample. All refits start from the sample's estimates and run in batches (see
    ``refit``); those that do not converge go through Fisher scoring, then singly through the routine of ``semfit.fit``,
    and what still fails is counted by reason.
    Ordered variables: thresholds, correlations and weights are computed anew in every resample; one in which a
    category is empty cannot be fitted and is counted. Missing values (``missing="fiml"``) need one fit a resample, which is slower.
    ave: mean squared standardised loading. omega: (sum l)^2 phi / ((sum l)^2 phi + sum theta). htmt: Henseler,
    Ringle & Sarstedt (2015) with absolute correlations.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=300)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
    >>> boot = semfit.fit("f =~ x1 + x2 + x3 + x4", data).bootstrap(200, seed=1, functions="ave")
    >>> boot.n_converged, boot.estimates.shape[0]
    (200, 8)
    """
    if kind not in KINDS:
        raise DataError(f"kind must be one of {', '.join(map(repr, KINDS))}, not {kind!r}")
    n_boot, seed = enough_draws(n_boot), int(default_seed(seed))
    if not 0 < level < 1:
        raise DataError(f"level must lie between 0 and 1, and is {level!r}")
    sample, model = fit.solution, fit.solution.model
    sample.need_convergence("estimates to bootstrap")
    if sample.raw is None and kind != "parametric":
        raise DataError(
            f"kind={kind!r} draws rows, and the model was fitted to a covariance matrix; use kind='parametric'"
        )
    gaps = not isinstance(sample.data, Moments)
    if gaps and kind == "bollen-stine":
        raise DataError(
            "the Bollen-Stine transformation needs complete rows; use kind='parametric', or fit with missing='listwise'"
        )
    if sample.options.sampling_weights is not None:
        raise DataError(
            "the bootstrap does not take sampling weights: resampling rows would treat them as equally likely; "
            "the standard errors of the fit are robust and take the weights into account"
        )
    if sample.design and kind != "nonparametric":
        raise DataError(f"kind={kind!r} makes independent rows, and the fit has clusters; use kind='nonparametric'")
    chosen = chosen_functions(functions)
    draw = _source(sample, kind)
    keys = fit.estimates[[c for c in ("lhs", "op", "rhs", "group", "label") if c in fit.estimates]]
    seeds = np.random.SeedSequence(seed).spawn(n_boot)  # one stream a resample: chunks and jobs cannot matter
    size = max(1, min(25 if gaps else BATCH, int(2**22 / max(draw.largest, 1))))
    chunks = [seeds[k : k + size] for k in range(0, n_boot, size)]
    parts = run_batches(_Task(draw, chosen, keys), chunks, n_jobs, progress)

    ok = np.concatenate([p["ok"] for p in parts])
    reasons = Counter(r for p in parts for r in p["reasons"])
    if ok.sum() < max(2, min(20, n_boot // 2)):
        raise DataError(
            f"only {ok.sum()} of {n_boot} resamples could be refitted ({dict(reasons)}); the model asks "
            "more than these data can carry"
        )
    stack = {k: np.concatenate([p[k] for p in parts]) for k in ("est", "std", "chisq", "improper")}
    free = np.array([r.free >= 0 for r in model.rows] + [True] * len(model.defined))
    varies = stack["std"].std(axis=0) > 1e-12
    value, std = (with_defined(sample, sample.theta[None], kind)[0] for kind in ("est", "std_all"))
    extra = None
    if chosen:
        names = evaluate_functions(chosen, sample, keys, sample.data, sample.theta[None])
        numbers = np.concatenate([p["functions"] for p in parts])
        first = pd.DataFrame(list(names), columns=["function", "name"])
        extra = _intervals(first, np.array([float(v[0]) for v in names.values()]), numbers, level)
    reached = np.nan
    if kind != "nonparametric" and isinstance(sample.data, Moments):
        observed = 2 * sample.n_total * (sample.F - saturated_discrepancy(model, sample.data)[0])
        reached = float(np.mean(stack["chisq"] >= observed))
    failed, improper = int((~ok).sum()), int(stack["improper"].sum())
    columns = pd.Index(_names(keys))
    return Bootstrap(
        kind=kind,
        n_boot=n_boot,
        seed=seed,
        level=level,
        estimates=_intervals(keys.loc[free], value[free], stack["est"][:, free], level),
        standardized=_intervals(keys.loc[varies], std[varies], stack["std"][:, varies], level),
        functions=extra,
        draws=pd.DataFrame(stack["est"][:, free], index=np.flatnonzero(ok), columns=columns[free]),
        chisq=pd.Series(stack["chisq"], index=np.flatnonzero(ok), name="chisq"),
        pvalue=reached,
        n_obs=sample.n_total,
        n_converged=int(ok.sum()),
        n_failed=failed,
        failures=dict(reasons),
        n_improper=improper,
        warnings=_warnings(n_boot, failed, improper),
    )


def _source(sample: Solution, kind: str) -> Resampler | OrdinalResampler:
    if not isinstance(sample, OrdinalSolution):
        return Resampler(sample, kind)
    if kind != "nonparametric":
        raise DataError(f"kind={kind!r} is not there for ordered variables yet; use kind='nonparametric'")
    return OrdinalResampler(sample)


def _names(keys: pd.DataFrame) -> list[str]:
    """One name a row: "f =~ x2", with its group from the second on."""
    group = keys["group"] if "group" in keys else [1] * len(keys)
    return [
        f"{a} {b} {c}".strip() + (f" (group {g})" if g > 1 else "")
        for a, b, c, g in zip(keys["lhs"], keys["op"], keys["rhs"], group, strict=True)
    ]


def _warnings(n_boot: int, failed: int, improper: int) -> tuple[str, ...]:
    out = []
    if failed > 0.05 * n_boot:
        out.append("more than 5 % of the resamples failed; the intervals describe only those that could be fitted")
    if improper:
        out.append(f"{improper} resamples have a negative variance; they are kept")
    return tuple(out)


@dataclass(frozen=True, eq=False)
class _Task:
    """Everything one chunk of resamples goes through; runs in workers too."""

    source: Resampler | OrdinalResampler
    functions: dict
    keys: pd.DataFrame

    def __call__(self, seeds) -> dict:
        with one_thread():
            return self._refits(seeds)

    def _refits(self, seeds) -> dict:
        if isinstance(self.source, OrdinalResampler):
            out = self._ordered(self.source, seeds)
        else:
            out = self._with_gaps(self.source, seeds) if self.source.gaps else self._complete(self.source, seeds)
        rows = self.source.solution.model.rows
        variances = [k for k, r in enumerate(rows) if r.op == "~~" and r.lhs == r.rhs]
        return out | {"improper": (out["est"][:, variances] < 0).any(axis=1)}

    def _ordered(self, source: OrdinalResampler, seeds) -> dict:
        found = source.refits(seeds)
        out: dict = {kind: with_defined(found.view, found.theta, v) for kind, v in (("est", "est"), ("std", "std_all"))}
        out |= {"chisq": found.chisq, "ok": found.ok, "reasons": found.reasons}
        if self.functions:
            numbers = evaluate_functions(self.functions, source.solution, self.keys, found.moments, found.theta)
            out["functions"] = np.column_stack(list(numbers.values()))
        return out

    def _with_gaps(self, source: Resampler, seeds) -> dict:
        fit, model, B = source.solution, source.solution.model, len(seeds)
        theta, ok = np.empty((B, model.npar)), np.zeros(B, bool)
        sets = source.patterns(seeds)
        for b, data in enumerate(sets):
            one, _, done = refit_near(model, data, fit.theta, source.information)
            theta[b], ok[b] = (one[0], True) if done[0] else self._single(data)[::2]
        theta = theta[ok]
        view = fit.at(sets[0], fit.theta)  # of the data only predictors matter, as the sample has them
        out = {
            "est": with_defined(view, theta, "est"),
            "std": with_defined(view, theta, "std_all"),
            "chisq": np.full(len(theta), np.nan),
            "ok": ok,
            "reasons": [STALLED] * int((~ok).sum()),
        }
        if self.functions:
            found = evaluate_functions(self.functions, fit, self.keys, sets[0], theta)
            out["functions"] = np.column_stack(list(found.values()))
        return out

    def _complete(self, source: Resampler, seeds) -> dict:
        fit, model = source.solution, source.solution.model
        data = source.moments(seeds)
        whole = regular(data, model.scale[: model.n_ov])
        part = data.take(whole)
        theta, F, done = refit_batch(model, part, fit.theta, source.information)
        for b in np.flatnonzero(~done):
            theta[b], F[b], done[b] = self._single(part.take(slice(b, b + 1)))
        ok = whole.copy()
        ok[whole] = done
        reasons = [SINGULAR] * int((~whole).sum()) + [STALLED] * int((~done).sum())
        part, theta = part.take(done), theta[done]
        view = fit.at(part, theta)
        out = {
            "est": with_defined(view, theta, "est"),
            "std": with_defined(view, theta, "std_all"),
            "chisq": 2 * sum(part.n) * (F[done] - saturated_discrepancy(model, part)),
            "ok": ok,
            "reasons": reasons,
        }
        if self.functions:
            found = evaluate_functions(self.functions, fit, self.keys, part, theta)
            out["functions"] = np.column_stack(list(found.values()))
        return out

    def _single(self, data) -> tuple[np.ndarray, float, bool]:
        """One careful fit: from the sample's estimates, then as ``semfit.fit`` does it."""
        fit = self.source.solution
        theta, F, ok = fit_batch(fit.model, None, start=fit.theta, data=data)
        if ok[0]:
            return theta[0], F[0], True
        h1 = fit.h1  # with missing values the sample's saturated moments serve for starting values
        if isinstance(data, Moments):
            means = h1.mean if data.m is None else [m[0] for m in data.m]
            h1 = replace(h1, cov=[S[0] for S in data.S], mean=means)
        with np.errstate(all="ignore"):
            theta, F, ok, _ = estimate(fit.model, data, h1)
        return theta, F, ok


def _intervals(first: pd.DataFrame, est: np.ndarray, draws: np.ndarray, level: float) -> pd.DataFrame:
    """Standard error, bias, percentile and bias-corrected interval of each column of ``draws``.

    Bias-corrected ends are the quantiles Phi(2 z0 + z) with z0 = Phi^-1(share of draws below the estimate), ties
    counted half (Efron & Tibshirani 1993, eq. 14.10 with acceleration 0).
    """
    out = first.reset_index(drop=True).copy()
    tail = (1 - level) / 2
    with np.errstate(all="ignore"):
        below = np.mean(draws < est, axis=0) + 0.5 * np.mean(draws == est, axis=0)
        half = 0.5 / len(draws)
        z0 = ndtri(np.clip(below, half, 1 - half))
        ends = [ndtr(2 * z0 + ndtri(q)) for q in (tail, 1 - tail)]
        out["est"], out["se"], out["bias"] = est, draws.std(axis=0, ddof=1), draws.mean(axis=0) - est
        out["ci_lower"], out["ci_upper"] = np.quantile(draws, [tail, 1 - tail], axis=0)
        for name, q in zip(("bc_lower", "bc_upper"), ends, strict=True):
            out[name] = [np.quantile(draws[:, k], q[k]) for k in range(draws.shape[1])]
    return out
