"""One model fitted to many samples at once: what a simulation needs, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from . import checks
from . import measures as fm
from .arguments import FITTED, checked
from .errors import DataError
from .estimate import Moments, entries, sample_of, structure
from .gradient import BATCH
from .jobs import run_batches
from .model import Group, Kind, Model
from .ordinal.coding import coded_as
from .ordinal.resampling import refit_rows
from .ordinal.solution import OrdinalSolution
from .printing import Result
from .scoring import refit_batch
from .solution import Fitted, Solution
from .standardized import row_values
from .threads import one_thread
from .trouble import BEYOND


@dataclass(frozen=True, eq=False, repr=False)
class Refits(Result):
    """The same model in many samples; made by :func:`refit`.

    Attributes
    ----------
    measures : DataFrame, one row a sample
        chisq, df, pvalue, cfi, rmsea, srmr, converged, proper (converged, no negative variance, and neither the latents
        nor the residuals with a covariance matrix that is not positive semidefinite). Measures of fits that did not
        converge are NaN.
    estimates, standardized : DataFrame, one row a sample, one column a parameter ("satisfaction =~ sat1", with
        " (group)" where there are groups)
    n_obs : int
        Rows of each sample.
    """

    measures: pd.DataFrame
    estimates: pd.DataFrame
    standardized: pd.DataFrame
    n_obs: int

    def _heading(self) -> str:
        ok = self.measures
        return (
            f"{len(ok)} refits, n = {self.n_obs} each: {int(ok['converged'].sum())} converged, "
            f"{int(ok['proper'].sum())} proper"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        spread = self.standardized.agg(["mean", "std"]).T
        return [("Standardised estimates over the samples", spread.rename_axis("parameter"))]


@checked(fit=FITTED)
def refit(fit: Fitted, samples: Sequence[pd.DataFrame], *, n_jobs: int | None = None) -> Refits:
    """Fit the model of ``fit`` again to each of many complete samples, in one batch.

    Parameters
    ----------
    fit : Fit
        Of complete data. Its model, groups and starting values are used, of its data only what the answers of
        ordered variables are.
    samples : sequence of DataFrames
        Rows with a missing value in a variable of the model raise. All samples have the same number of rows, within
        groups too.
    n_jobs : int, optional
        Processes (joblib); None means one, or what ``joblib.parallel_config`` says (a cluster). The numbers stay the
        same.

    Returns
    -------
    Refits

    Raises
    ------
    DataError
        Missing answers, unequal sample sizes, answers that the fit does not know; a fit with gaps, with fixed exogenous
        variables, or of ordered variables with clusters or weights.

    Notes
    -----
    The chi-square is that of maximum likelihood also where ``fit`` has robust standard errors. There are no standard
    errors: in a simulation the spread of the estimates over the samples is the standard error, and a test of one
    parameter is the difference of two chi-squares. For standard errors sample by sample call :func:`semfit.fit`.
    Ordered variables: chisq, pvalue, cfi and rmsea are the scaled ones. A sample in which a category is empty counts as
    not converged.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> def sample():
    ...     f = rng.normal(size=400)
    ...     return pd.DataFrame({f"x{i}": f + rng.normal(size=400) for i in range(1, 5)})
    >>> one = sample()
    >>> fit = semfit.fit("f =~ x1 + x2 + x3 + x4", one)
    >>> print(semfit.refit(fit, [one, sample()]).summary().splitlines()[0])
    2 refits, n = 400 each: 2 converged, 2 proper
    """
    model, options = fit.solution.model, fit.solution.options
    if options.missing != "listwise" or options.fixed_x and len(model.var.x):
        raise DataError("refit takes fits to complete data without observed predictors (fixed_x=False)")
    if isinstance(samples, pd.DataFrame) or not isinstance(samples, Sequence):
        raise DataError(f"samples must be a list of DataFrames, and is a {type(samples).__name__}")
    samples = [checks.frame(s, "a sample") for s in samples]
    if not samples:
        raise DataError("no samples were given")
    x = _stack(samples, fit.solution, options.group)
    n = [a.shape[1] for a in x]
    if min(n) <= model.n_ov:
        raise DataError(f"{min(n)} rows are too few for a covariance matrix of {model.n_ov} variables")
    if isinstance(fit.solution, OrdinalSolution):
        return _refit_ordered(fit.solution, x, n_jobs)
    m = [a.mean(axis=1) for a in x]
    S = [np.swapaxes(c := a - a.mean(axis=1, keepdims=True), 1, 2) @ c / a.shape[1] for a in x]
    return refit_moments(fit.solution, S, m, n, n_jobs)


def refit_moments(
    fit: Solution, S: list[np.ndarray], m: list[np.ndarray], n: list[int], n_jobs: int | None = None
) -> Refits:
    """The same from covariance matrices (samples, p, p), divisor n, and means (samples, p) by group."""
    data = Moments(S, m if fit.model.means else None, [float(k) for k in n])
    pieces = [data.take(slice(k, k + BATCH)) for k in range(0, len(data), BATCH)]
    task = partial(_refitted, fit.model, fit.theta, fit.expected_information)
    found = run_batches(task, pieces, n_jobs, what="refits")
    theta, F, converged = (np.concatenate(values) for values in zip(*found, strict=True))
    return _collect(fit, data, S, m, theta, F, converged)


def _refit_ordered(fit: OrdinalSolution, x: list[np.ndarray], n_jobs: int | None) -> Refits:
    if fit.design:
        raise DataError(
            "refit takes rows that are alike and independent, and the fit has clusters or weights; leave out cluster= and "
            "sampling_weights= in the fit, or call semfit.fit for each sample"
        )
    pieces = [[part[k : k + BATCH] for part in x] for k in range(0, len(x[0]), BATCH)]
    found = run_batches(partial(_refitted_rows, fit), pieces, n_jobs, what="refits")
    theta, converged = (np.concatenate([part[k] for part in found]) for k in (0, 1))
    measures = pd.DataFrame([each for part in found for each in part[2]])
    scaled = ["chisq_scaled", "df", "pvalue_scaled", "cfi_scaled", "rmsea_scaled", "srmr"]
    improper = np.zeros(len(theta), bool)
    for k, g in enumerate(fit.model.groups):
        e = fit.entries(k, theta)
        with np.errstate(all="ignore"):
            C = structure(fit.model, g, np.nan_to_num(e))[1]
            improper |= _improper(fit.model, g, np.nan_to_num(e), C)
    out = measures[scaled].set_axis([name.replace("_scaled", "") for name in scaled], axis=1)
    return _table(fit, out, theta, converged, improper, int(sum(part.shape[1] for part in x)))


def _refitted_rows(fit: OrdinalSolution, rows: list[np.ndarray]) -> tuple:
    with one_thread():
        return refit_rows(fit, rows)


def _refitted(model: Model, start: np.ndarray, information: np.ndarray, data: Moments) -> tuple:
    with one_thread():
        return refit_batch(model, data, start, information)


def _stack(samples: list[pd.DataFrame], fit: Solution, group: str | None) -> list[np.ndarray]:
    """One array (samples, rows, variables) a group. All samples are checked in one go: a simulation has thousands."""
    names = fit.model.ov
    for s in samples:
        checks.columns(s, names if group is None else [*names, group], "variable")
    rows = np.repeat(np.arange(len(samples)), [len(s) for s in samples])
    whole = pd.concat([s[names] for s in samples], ignore_index=True)
    if isinstance(fit, OrdinalSolution):
        values = coded_as(whole, names, fit.levels)
        gaps = np.isnan(values).any(axis=0)
        if gaps.any():
            raise DataError(f"{names[int(gaps.argmax())]} has missing values in the samples; refit takes complete rows")
    else:
        values = checks.numeric(whole, constant="allow", missing_allowed=False).to_numpy()
    labels = None if group is None else np.concatenate([s[group].to_numpy() for s in samples])
    out = []
    for g in fit.groups if group is not None else [None]:
        here = np.ones(len(rows), bool) if group is None else labels == g
        n = np.bincount(rows[here], minlength=len(samples))
        if n.min() != n.max():
            where = "" if group is None else f" in group {g}"
            raise DataError(f"the samples differ in size{where}: {n.min()} to {n.max()} rows; cut them to one size")
        out.append(values[here].reshape(len(samples), n[0], len(names)))
    return out


def _semidefinite(S: np.ndarray) -> np.ndarray:
    """(B,): whether no eigenvalue is negative; a variance of zero may stand, a covariance beside it may not."""
    if not S.shape[1]:
        return np.ones(len(S), bool)
    sd = np.sqrt(np.maximum(np.diagonal(S, axis1=1, axis2=2), 0.0))
    sd = np.where(sd > 0, sd, 1.0)
    return np.linalg.eigvalsh(S / (sd[:, :, None] * sd[:, None, :]))[:, 0] >= -BEYOND


def _collect(fit: Solution, data: Moments, S, m, theta, F, converged) -> Refits:
    n = data.n
    model, N, p = fit.model, sum(n), fit.model.n_ov
    scale = model.scale[:p]
    saturated, base, srmr = np.zeros(len(theta)), np.zeros(len(theta)), np.zeros(len(theta))
    improper = np.zeros(len(theta), bool)
    for k, g in enumerate(model.groups):
        logdet = np.linalg.slogdet(S[k])[1]
        spread = np.diagonal(S[k], axis1=1, axis2=2)
        saturated = saturated + n[k] / N * 0.5 * (logdet - 2 * np.log(scale).sum() + p)
        base = base + n[k] * (np.log(spread).sum(axis=1) - logdet)
        e = entries(model, g, theta, sample_of(data, k))
        _, C, mean = structure(model, g, e)
        implied = C[:, :p, :p] * np.outer(scale, scale)
        sd = np.sqrt(spread)
        r = ((S[k] - implied) / (sd[:, :, None] * sd[:, None, :]))[:, *np.tril_indices(p)]
        if mean is not None:
            r = np.concatenate([r, (m[k] - mean[:, :p] * scale) / sd], axis=1)
        srmr = srmr + n[k] / N * np.sqrt((r**2).mean(axis=1))
        improper |= _improper(model, g, e, C)
    chisq = np.maximum(2 * N * (F - saturated), 0.0)
    df, base_df = fit.df, len(n) * p * (p - 1) // 2
    with np.errstate(all="ignore"):
        out = pd.DataFrame(
            {
                "chisq": chisq,
                "df": float(df),
                "pvalue": chdtrc(df, chisq) if df else np.nan,
                "cfi": [fm.comparative(c, df, b, base_df)[0] for c, b in zip(chisq, base, strict=True)],
                "rmsea": np.sqrt(np.maximum((chisq - df) / (df * N), 0.0)) * np.sqrt(len(n)) if df else 0.0,
                "srmr": srmr,
            }
        )
    return _table(fit, out, theta, converged, improper, int(N))


def _improper(model: Model, g: Group, e: np.ndarray, C: np.ndarray) -> np.ndarray:
    """(B,): a negative variance, or latents or residuals whose covariance matrix is none."""
    p = model.n_ov
    own = (g.kind == Kind.COVARIANCE) & (g.i == g.j)
    both, T = g.kind == Kind.COVARIANCE, np.zeros((len(e), p, p))
    both &= (g.i < p) & (g.j < p)
    T[:, g.i[both], g.j[both]] = T[:, g.j[both], g.i[both]] = e[:, both]
    return (e[:, own] < 0).any(axis=1) | ~_semidefinite(T) | ~_semidefinite(C[:, p:, p:])


def _table(fit: Solution, out: pd.DataFrame, theta, converged, improper, n: int) -> Refits:
    out[~converged] = np.nan
    out["converged"], out["proper"] = converged, converged & ~improper
    model = fit.model
    names = [r.name + (f" ({fit.groups[r.group]})" if model.n_groups > 1 else "") for r in model.rows]
    frames = []
    for kind in ("est", "std_all"):
        with np.errstate(all="ignore"):
            values = row_values(fit, theta, kind)
        values[~converged] = np.nan
        frames.append(pd.DataFrame(values, columns=names))
    return Refits(out, frames[0], frames[1], n)
