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
from .model import Kind, Model
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
        Complete-data maximum likelihood. Its model, groups and starting values are used, its data are not.
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
    ValueError
        Missing answers, unequal sample sizes, a fit by full information or with fixed exogenous variables.

    Notes
    -----
    The chi-square is that of maximum likelihood also where ``fit`` has robust standard errors. There are no standard
    errors: in a simulation the spread of the estimates over the samples is the standard error, and a test of one
    parameter is the difference of two chi-squares. For standard errors sample by sample call :func:`semfit.fit`.

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
    fit.solution.need_continuous("refits to samples")
    model, options = fit.solution.model, fit.solution.options
    if options.missing == "fiml" or options.fixed_x and len(model.var.x):
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


def _refitted(model: Model, start: np.ndarray, information: np.ndarray, data: Moments) -> tuple:
    with one_thread():
        return refit_batch(model, data, start, information)


def _stack(samples: list[pd.DataFrame], fit: Solution, group: str | None) -> list[np.ndarray]:
    """One array (samples, rows, variables) a group. All samples are checked in one go: a simulation has thousands."""
    names = fit.model.ov
    for s in samples:
        checks.columns(s, names if group is None else [*names, group], "variable")
    rows = np.repeat(np.arange(len(samples)), [len(s) for s in samples])
    values = checks.numeric(
        pd.concat([s[names] for s in samples], ignore_index=True), constant="allow", missing_allowed=False
    ).to_numpy()
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
        own = (g.kind == Kind.COVARIANCE) & (g.i == g.j)
        improper |= (e[:, own] < 0).any(axis=1)
        both, T = g.kind == Kind.COVARIANCE, np.zeros((len(e), p, p))
        both &= (g.i < p) & (g.j < p)
        T[:, g.i[both], g.j[both]] = T[:, g.j[both], g.i[both]] = e[:, both]
        improper |= ~_semidefinite(T) | ~_semidefinite(C[:, p:, p:])
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
    out[~converged] = np.nan
    out["converged"], out["proper"] = converged, converged & ~improper
    names = [r.name + (f" ({fit.groups[r.group]})" if len(n) > 1 else "") for r in model.rows]
    frames = []
    for kind in ("est", "std_all"):
        with np.errstate(all="ignore"):
            values = row_values(fit, theta, kind)
        values[~converged] = np.nan
        frames.append(pd.DataFrame(values, columns=names))
    return Refits(out, frames[0], frames[1], int(N))
