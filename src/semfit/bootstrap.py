"""The bootstrap of a structural model: moments of all resamples by one matrix product, all refits in one batch.

Sources: Efron & Tibshirani (1993), chapters 6, 13 and 14 (percentile and bias-corrected intervals); Bollen & Stine
(1992, Sociological Methods & Research 21, 205-229) for the test of fit.
"""

from __future__ import annotations

import copy
import html
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from .errors import DataError, NotConvergedError
from .estimate import Moments, Patterns, evaluate, fit_batch
from .model import Kind
from .threads import one_thread

KINDS = ("nonparametric", "bollen-stine", "parametric")


DEFAULT_SEED = 20261


CHUNK = 50  # resamples a batch: enough to fill the matrix products, little enough to stay in the cache


SINGULAR, STALLED = "covariance matrix of the resample is singular", "no convergence"


@dataclass(frozen=True, repr=False)
class Bootstrap:
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
    chisq : Series of the resamples' chi-square statistics (NaN where missing values need full information)
    pvalue : float
        Share of resamples whose chi-square reaches the sample's: the Bollen-Stine test, or its parametric version.
        NaN for ``kind="nonparametric"``, where resamples do not obey the model.
    n_converged, n_failed : int, resamples that were refitted and that were not; the failed are in no number here
    failures : dict, reason to count
    n_improper : int, converged resamples with a negative variance; they are kept, as in the sample
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
    n_converged: int
    n_failed: int
    failures: dict = field(default_factory=dict)
    n_improper: int = 0

    def _lines(self) -> list[str]:
        out = [
            f"{self.kind} bootstrap, {self.n_boot} resamples (seed {self.seed}): {self.n_converged} converged, "
            f"{self.n_failed} failed"
        ]
        if self.failures:
            out[0] += " (" + "; ".join(f"{v} {k}" for k, v in self.failures.items()) + ")"
        if self.n_failed > 0.05 * self.n_boot:
            out.append("mind: more than 5 % failed, and the intervals describe only resamples that could be fitted")
        if self.n_improper:
            out.append(f"{self.n_improper} resamples have a negative variance; they are kept")
        if self.pvalue == self.pvalue:
            out.append(f"test of fit: {self.pvalue:.3f} of the resamples reach the sample's chi-square")
        return out

    def __repr__(self) -> str:
        shown = self.estimates[self.estimates["op"].isin(["=~", "~", ":="])]
        text = shown.to_string(index=False, max_rows=30, float_format=lambda v: f"{v:.3f}")
        return "\n".join([f"<Bootstrap: {self._lines()[0]}>", *self._lines()[1:], text])

    def _repr_html_(self) -> str:
        def table(frame):
            return frame.to_html(index=False, border=0, na_rep="", float_format=lambda v: f"{v:.3f}")

        est = self.estimates
        main = est["op"].isin(["=~", "~", ":="])
        parts = ["<p>" + "<br>".join(html.escape(t) for t in self._lines()) + "</p>", table(est[main])]
        if self.functions is not None:
            parts.append(table(self.functions))
        if not main.all():
            parts.append(f"<details><summary>Variances, covariances, intercepts</summary>{table(est[~main])}</details>")
        parts.append(f"<details><summary>Standardised</summary>{table(self.standardized)}</details>")
        return "\n".join(parts)


def bootstrap(
    fit,
    n_boot: int = 1000,
    seed: int | None = None,
    *,
    kind: str = "nonparametric",
    functions: str | Sequence[str] | Mapping[str, Callable] | None = None,
    level: float = 0.95,
    n_jobs: int = 1,
    progress: bool = True,
) -> Bootstrap:
    """Refit a model to resamples of its data.

    Parameters
    ----------
    fit : Fit
    n_boot : int, number of resamples
    seed : int, ``20261`` when None. The numbers depend on the seed alone, not on ``n_jobs``.
    kind : str
        ``"nonparametric"``: rows are drawn with replacement, within groups; gives standard errors and intervals
        that need no normality. ``"bollen-stine"``: the rows are first transformed so that the model holds exactly,
        z = (y - mean) S^-1/2 Sigma^1/2 + mu; gives a test of fit that needs no normality. ``"parametric"``: samples
        from the normal distribution of the fitted model; works without raw data.
    functions : what else to compute in every resample
        ``"ave"``, ``"omega"``, ``"htmt"`` or a list of them, or a dict from name to function of a fit: the function
        gets the refitted model (``.estimates`` with est and std_all, ``.r2``, ``.implied()``, ``.sample_cov``) and
        returns a number, or a dict or Series of numbers. A dict may also have the ready names as values.
    level : coverage of the intervals
    n_jobs : number of processes (joblib); 1 stays in this one, -1 takes all cores
    progress : show a bar when it takes longer than two seconds

    Returns
    -------
    Bootstrap

    Raises
    ------
    ValueError
        The fit did not converge, raw data are needed and missing, or fewer than 90 % of the resamples could be
        refitted and fewer than 20 are left.

    Notes
    -----
    Second moments of the resamples are a product of the matrix of row counts and the rows' outer products, so that
    neither is done resample by resample. All refits start from the sample's estimates and run in batches (see
    ``refit``); those that do not converge go through Fisher scoring, then singly through the routine of ``semfit.fit``,
    and what still fails is counted by reason.
    Missing values (``missing="fiml"``) need one fit a resample, which is slower.
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
    if not isinstance(n_boot, (int, np.integer)) or n_boot < 2:
        raise DataError(f"n_boot must be a whole number of at least 2, and is {n_boot!r}")
    if not 0 < level < 1:
        raise DataError(f"level must lie between 0 and 1, and is {level!r}")
    if not fit.converged:
        raise NotConvergedError("the fit did not converge, so there is nothing to bootstrap")
    if fit._raw is None and kind != "parametric":
        raise DataError(
            f"kind={kind!r} draws rows, and the model was fitted to a covariance matrix; use kind='parametric'"
        )
    gaps = isinstance(fit._data, Patterns)
    if gaps and kind == "bollen-stine":
        raise DataError(
            "the Bollen-Stine transformation needs complete rows; use kind='parametric', or fit with missing='listwise'"
        )
    seed = DEFAULT_SEED if seed is None else int(seed)
    chosen = _functions(functions)
    draw = _Source(fit, kind)
    seeds = np.random.SeedSequence(seed).spawn(int(n_boot))  # one stream a resample: chunks and jobs cannot matter
    size = 25 if gaps else max(1, min(CHUNK, int(2**24 / max(draw.largest, 1))))
    chunks = [seeds[k : k + size] for k in range(0, n_boot, size)]
    parts = _run(_Task(draw, chosen), chunks, n_jobs, progress)

    ok = np.concatenate([p["ok"] for p in parts])
    reasons = Counter(r for p in parts for r in p["reasons"])
    if ok.sum() < max(2, min(20, n_boot // 2)):
        raise DataError(
            f"only {ok.sum()} of {n_boot} resamples could be refitted ({dict(reasons)}); the model asks "
            "more than these data can carry"
        )
    stack = {k: np.concatenate([p[k] for p in parts]) for k in ("est", "std", "chisq", "improper")}
    table = fit.estimates
    keys = [c for c in ("lhs", "op", "rhs", "group", "label") if c in table]
    free = np.array([r.free >= 0 for r in fit._model.rows] + [True] * len(fit._model.defined))
    varies = stack["std"].std(axis=0) > 1e-12
    value = fit._with_defined(fit._theta[None], "est")[0]
    std = fit._with_defined(fit._theta[None], "std_all")[0]
    columns = [
        f"{a} {b} {c}".strip() + (f" (group {g})" if g > 1 else "")
        for a, b, c, g in zip(
            table["lhs"], table["op"], table["rhs"], table.get("group", [1] * len(table)), strict=True
        )
    ]
    extra = None
    if chosen:
        names = _evaluate(chosen, fit, fit._data, fit._theta[None])
        numbers = np.concatenate([p["functions"] for p in parts])
        first = pd.DataFrame(list(names), columns=["function", "name"])
        extra = _intervals(first, np.array([float(v[0]) for v in names.values()]), numbers, level)
    observed = 2 * fit.n_total * (fit._F - _saturated(fit._model, fit._data)[0]) if not gaps else np.nan
    tested = kind != "nonparametric" and not gaps
    return Bootstrap(
        kind=kind,
        n_boot=int(n_boot),
        seed=seed,
        level=level,
        estimates=_intervals(table.loc[free, keys], value[free], stack["est"][:, free], level),
        standardized=_intervals(table.loc[varies, keys], std[varies], stack["std"][:, varies], level),
        functions=extra,
        draws=pd.DataFrame(
            stack["est"][:, free],
            index=np.flatnonzero(ok),
            columns=[c for c, keep in zip(columns, free, strict=True) if keep],
        ),
        chisq=pd.Series(stack["chisq"], index=np.flatnonzero(ok), name="chisq"),
        pvalue=float(np.mean(stack["chisq"] >= observed)) if tested else np.nan,
        n_converged=int(ok.sum()),
        n_failed=int((~ok).sum()),
        failures=dict(reasons),
        n_improper=int(stack["improper"].sum()),
    )


def _run(task, chunks: list, n_jobs: int, progress: bool) -> list:
    """Every chunk through ``task``, here or in worker processes, under a bar that appears after two seconds."""
    from tqdm import tqdm

    bar = {
        "total": len(chunks),
        "desc": "bootstrap",
        "unit": "batch",
        "delay": 2,
        "leave": False,
        "disable": not progress,
    }
    if n_jobs == 1:
        return [task(c) for c in tqdm(chunks, **bar)]
    from joblib import Parallel, delayed

    jobs = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(task)(c) for c in chunks)
    return list(tqdm(jobs, **bar))


# -- resampling ------------------------------------------------------------------------------------------------------
class _Source:
    """Draws moments (or rows, with missing values) of resamples from seeds."""

    def __init__(self, fit, kind: str):
        self.kind, self.n = kind, [int(round(k)) for k in fit._data.n]
        self.fit, self.means = _lean(fit, fit._data, fit._theta), fit._data.m is not None
        self.gaps = isinstance(fit._data, Patterns)
        p, model = fit._model.n_ov, fit._model
        self.information = evaluate(model, fit._data, fit._theta[None])[2][0]
        self.center, self.rows, self.root = [], [], []
        for k in range(model.n_groups):
            C, mu = fit._implied(k)
            sample_mean = fit._h1.mean[k]
            mu = sample_mean if mu is None else mu[:p]
            Sigma = C[:p, :p]
            if kind == "parametric":
                self.center.append(mu)
                self.root.append(np.linalg.cholesky(Sigma))
                self.rows.append(np.isnan(fit._raw[k][0]) if self.gaps else None)
            elif kind == "bollen-stine":
                s = model.scale[:p]  # in standard deviations, so that the result does not depend on the units
                S = fit._h1.cov[k] / np.outer(s, s)
                turn = _root(S, -0.5) @ _root(Sigma / np.outer(s, s), 0.5)
                self.center.append(mu)
                self.rows.append((fit._raw[k][0] - sample_mean) / s @ turn * s)
            else:
                self.center.append(np.zeros(p) if self.gaps else sample_mean)
                self.rows.append(fit._raw[k][0] - self.center[k])
        self.largest = 0 if kind == "parametric" else max(self.n)

    def moments(self, seeds) -> Moments:
        """Moments of complete resamples."""
        rngs = [np.random.default_rng(s) for s in seeds]
        S, m = [], []
        for k, n in enumerate(self.n):
            if self.kind == "parametric":
                drawn = [_wishart(rng, self.root[k], n) for rng in rngs]
                S.append(np.array([d[0] for d in drawn]))
                m.append(np.array([d[1] for d in drawn]) + self.center[k])
            else:
                counts = np.array([np.bincount(rng.integers(n, size=n), minlength=n) for rng in rngs], dtype=float)
                mean, cov = weighted_moments(self.rows[k], counts)
                S.append(cov)
                m.append(mean + self.center[k])
        return Moments(S, m if self.means else None, [float(n) for n in self.n])

    def patterns(self, seed) -> Patterns:
        """One resample with missing values."""
        rng, rows = np.random.default_rng(seed), []
        for k, n in enumerate(self.n):
            if self.kind == "parametric":
                X = rng.standard_normal((n, len(self.root[k]))) @ self.root[k].T + self.center[k]
                X[self.rows[k]] = np.nan
            else:
                X = self.rows[k][rng.integers(n, size=n)]
            rows.append(X)
        return patterns_of(rows, self.fit._data.x_moments)


def weighted_moments(X: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (B, p) and covariances (B, p, p), divisor n, of resamples of X (n, p) given row counts (B, n).

    X should be centred near its mean, so that no digits are lost.
    """
    n, p = X.shape
    low = np.tril_indices(p)
    second = np.zeros((len(counts), len(low[0])))
    for first in range(0, n, 4096):  # blocks of rows: the outer products of a million rows would not fit in memory
        rows = X[first : first + 4096]
        second += counts[:, first : first + 4096] @ (rows[:, low[0]] * rows[:, low[1]])
    mean = counts @ X / n
    cov = np.empty((len(counts), p, p))
    cov[:, low[0], low[1]] = second / n - mean[:, low[0]] * mean[:, low[1]]
    cov[:, low[1], low[0]] = cov[:, low[0], low[1]]
    return mean, cov


def _wishart(rng: np.random.Generator, root: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Covariance (divisor n) and mean deviation of n normal rows with covariance root root' (Bartlett 1933)."""
    p = len(root)
    A = np.tril(rng.standard_normal((p, p)), -1)
    A[np.diag_indices(p)] = np.sqrt(rng.chisquare(n - 1 - np.arange(p)))
    L = root @ A
    return L @ L.T / n, root @ rng.standard_normal(p) / np.sqrt(n)


def _root(M: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(M)
    return vectors * values**power @ vectors.T


def patterns_of(rows: list[np.ndarray], x_moments: list) -> Patterns:
    """Moments by missing-data pattern of rows (n, p) of each group; rows without any value must be gone."""
    out = {"mask": [], "count": [], "m": [], "S": []}
    for X in rows:
        seen = ~np.isnan(X)
        mask, which = np.unique(seen, axis=0, return_inverse=True)
        count = np.bincount(which.ravel(), minlength=len(mask)).astype(float)
        m, S = np.zeros(mask.shape), np.zeros((*mask.shape, mask.shape[1]))
        for k in range(len(mask)):
            part = np.where(mask[k], X[which.ravel() == k], 0.0)
            m[k] = part.mean(axis=0)
            part = np.where(mask[k], part - m[k], 0.0)
            S[k] = part.T @ part / count[k]
        for name, value in (("mask", mask), ("count", count), ("m", m), ("S", S)):
            out[name].append(value)
    return Patterns(x_moments=x_moments, n=[float(len(X)) for X in rows], **out)


# -- refitting -------------------------------------------------------------------------------------------------------
def _lean(fit, data, theta: np.ndarray):
    """The fit on other moments: what functions of a fit need, without rows and without what was computed before."""
    out = copy.copy(fit)
    keep = {"_model", "options", "model", "groups", "converged", "_h1"}
    out.__dict__ = {k: v for k, v in fit.__dict__.items() if k in keep}
    out.__dict__.update(_data=data, _theta=theta, _raw=None, notes=[], warnings=[], n_dropped=0)
    return out


def _saturated(model, data) -> np.ndarray:
    """F of the saturated model (B,), in the units of ``fit_batch``: (log|S| + p) / 2 summed over groups."""
    N, p, log_scale = sum(data.n), model.n_ov, np.log(model.scale[: model.n_ov]).sum()
    return sum(n / N * (0.5 * (np.linalg.slogdet(S)[1] + p) - log_scale) for S, n in zip(data.S, data.n, strict=True))


@dataclass
class _Task:
    """Everything one chunk of resamples goes through; runs in workers too."""

    source: _Source
    functions: dict

    def __call__(self, seeds) -> dict:
        with one_thread():
            return self._refits(seeds)

    def _refits(self, seeds) -> dict:
        fit = self.source.fit
        model, reasons, B = fit._model, [], len(seeds)
        if self.source.gaps:
            theta, ok = np.empty((B, model.npar)), np.zeros(B, bool)
            sets = [self.source.patterns(s) for s in seeds]
            for b, data in enumerate(sets):
                one, _, done = refit(model, data, fit._theta, self.source.information)
                theta[b], ok[b] = (one[0], True) if done[0] else self._single(data)[::2]
            reasons += [STALLED] * int((~ok).sum())
            rows = {k: [] for k in ("est", "std", "functions")}
            for b in np.flatnonzero(ok):
                view = _lean(fit, sets[b], theta[b])
                rows["est"].append(view._with_defined(theta[b][None], "est")[0])
                rows["std"].append(view._with_defined(theta[b][None], "std_all")[0])
                if self.functions:
                    found = _evaluate(self.functions, fit, sets[b], theta[b][None])
                    rows["functions"].append([float(v[0]) for v in found.values()])
            width = len(model.rows) + len(model.defined)
            est, std = (np.reshape(rows[k], (int(ok.sum()), width)) for k in ("est", "std"))
            out = {
                "est": est,
                "std": std,
                "chisq": np.full(len(est), np.nan),
                "functions": np.reshape(rows["functions"], (len(est), -1)),
            }
        else:
            data = self.source.moments(seeds)
            whole = _regular(data, model.scale[: model.n_ov])
            reasons += [SINGULAR] * int((~whole).sum())
            part = data.take(whole)
            theta, F, done = refit(model, part, fit._theta, self.source.information)
            left = np.flatnonzero(~done)
            if len(left):
                theta[left], F[left], done[left] = fit_batch(model, None, start=fit._theta, data=part.take(left))
            for b in np.flatnonzero(~done):
                theta[b], F[b], done[b] = self._single(part.take(slice(b, b + 1)))
            reasons += [STALLED] * int((~done).sum())
            ok = whole.copy()
            ok[whole] = done
            part, theta = part.take(done), theta[done]
            view = _lean(fit, part, theta)
            out = {
                "est": view._with_defined(theta, "est"),
                "std": view._with_defined(theta, "std_all"),
                "chisq": 2 * sum(part.n) * (F[done] - _saturated(model, part)),
            }
            if self.functions:
                found = _evaluate(self.functions, fit, part, theta)
                out["functions"] = np.column_stack(list(found.values()))
        variances = [k for k, r in enumerate(model.rows) if r.op == "~~" and r.lhs == r.rhs]
        improper = (out["est"][:, variances] < 0).any(axis=1)
        return out | {"ok": ok, "reasons": reasons, "improper": improper}

    def _single(self, data) -> tuple[np.ndarray, float, bool]:
        """One careful fit: from the sample's estimates, then as ``semfit.fit`` does it."""
        from .search import estimate

        fit = self.source.fit
        theta, F, ok = fit_batch(fit._model, None, start=fit._theta, data=data)
        if ok[0]:
            return theta[0], F[0], True
        h1 = fit._h1  # with missing values the sample's saturated moments serve for starting values
        if isinstance(data, Moments):
            h1 = replace(h1, cov=[S[0] for S in data.S], mean=data.m and [m[0] for m in data.m])
        with np.errstate(all="ignore"):
            theta, F, ok, _ = estimate(fit._model, data, h1)
        return theta, F, ok


def refit(model, data, start: np.ndarray, information: np.ndarray, tolerance: float = 5e-7) -> tuple:
    """Minimise F for a batch of moments (or one set of patterns) near the solution ``start`` (npar,), by gradients only.

    A fixed-point iteration with one information matrix for all, ``theta <- theta - I^-1 gradient``, sped up by
    Anderson mixing over the last steps (Walker & Ni 2011, SIAM J. Numer. Anal. 49, 1715-1735). In the coordinates
    I^(1/2) theta the Hessian is near the identity, so that a dozen gradients are enough, at a fifth of the cost of
    scoring with an information matrix for each. Stops at a gradient of ``tolerance`` in units of sqrt(information).

    Returns theta (B, npar), F (B,) and success (B,); failures are left to the careful routines.
    """
    memory, limit = 8, 40
    B, n = len(data), model.npar
    out, out_F, ok = np.broadcast_to(start, (B, n)).copy(), np.full(B, np.inf), np.zeros(B, bool)
    try:
        back = np.linalg.inv(np.linalg.cholesky(information)).T
    except np.linalg.LinAlgError:
        return out, out_F, ok
    active, z = np.arange(B), np.zeros((B, n))
    z_before = f_before = np.zeros((B, n))
    steps, changes = np.zeros((B, memory, n)), np.zeros((B, memory, n))
    for k in range(limit):
        theta = start + z @ back.T
        F, gradient, _ = evaluate(model, data, theta, information=False)
        f = -gradient @ back
        size = np.abs(f).max(axis=1)
        if k == 0:
            first, last = F, np.full(B, np.inf)
        small = (size < tolerance) & (F <= first + 1e-12)
        done = small | ~np.isfinite(F) | (size > 100 * last)
        last = np.fmin(last, size)
        if done.any():
            out[active[done]], out_F[active[done]], ok[active[done]] = theta[done], F[done], small[done]
            keep = ~done
            if not keep.any():
                break
            data, active, first, last, z, f, z_before, f_before, steps, changes = (
                data.take(keep),
                *(a[keep] for a in (active, first, last, z, f, z_before, f_before, steps, changes)),
            )
        new = z + f
        if k:
            steps[:, (k - 1) % memory], changes[:, (k - 1) % memory] = z - z_before, f - f_before
            d = changes[:, : min(k, memory)]
            G = d @ d.swapaxes(1, 2)
            G += 1e-12 * np.trace(G, axis1=1, axis2=2)[:, None, None] * np.eye(d.shape[1])
            weight = np.linalg.solve(G, d @ f[:, :, None])
            new -= ((steps[:, : d.shape[1]] + d).swapaxes(1, 2) @ weight)[:, :, 0]
        z_before, f_before, z = z, f, new
    return out, out_F, ok


def _regular(data: Moments, scale: np.ndarray) -> np.ndarray:
    """(B,) resamples in which no item is constant and every correlation matrix is positive definite."""
    ok = np.ones(len(data), bool)
    for S in data.S:
        variance = np.diagonal(S, axis1=1, axis2=2)
        varies = variance > 1e-10 * scale**2  # a constant item has the variance of rounding error
        sd = np.sqrt(np.where(varies, variance, 1.0))
        ok &= varies.all(axis=1) & (np.linalg.eigvalsh(S / sd[:, :, None] / sd[:, None, :])[:, 0] > 1e-10)
    return ok


# -- functions of a fit ----------------------------------------------------------------------------------------------
def _measurement(fit, k: int, data, theta) -> tuple:
    """Loadings (B, p, q), latent variances (B, q), residual covariances (B, p, p), sd of items (B, p) of group k."""
    from .estimate import structure

    model, g, p = fit._model, fit._model.groups[k], fit._model.n_ov
    e = _lean(fit, data, theta)._entries(theta, k)
    _, C, _ = structure(model, g, e)
    values, s = e / g.d, model.scale
    L, T = np.zeros((len(theta), p, len(model.lv))), np.zeros((len(theta), p, p))
    for n, (i, j) in enumerate(zip(g.i, g.j, strict=True)):
        if g.kind[n] == Kind.ARROW and i < p <= j:
            L[:, i, j - p] = values[:, n]
        elif g.kind[n] == Kind.COVARIANCE and i < p and j < p:
            T[:, i, j] = T[:, j, i] = values[:, n]
    variance = np.diagonal(C, axis1=1, axis2=2) * s**2
    return L, variance[:, p:], T, np.sqrt(variance[:, :p])


def _items(fit, k: int) -> dict[str, np.ndarray]:
    """Latent name to positions of its observed indicators."""
    model, g = fit._model, fit._model.groups[k]
    out = {}
    for n, name in enumerate(model.lv):
        mine = g.i[(g.kind == Kind.ARROW) & (g.j == model.n_ov + n) & (g.i < model.n_ov)]
        if len(mine):
            out[name] = mine
    return out


def _ave(fit, k, data, theta) -> dict:
    L, phi, _, sd = _measurement(fit, k, data, theta)
    return {
        f: ((L[:, items, fit._model.lv.index(f)] / sd[:, items]) ** 2).mean(axis=1) * phi[:, fit._model.lv.index(f)]
        for f, items in _items(fit, k).items()
    }


def _omega(fit, k, data, theta) -> dict:
    L, phi, T, _ = _measurement(fit, k, data, theta)
    out = {}
    for f, items in _items(fit, k).items():
        n = fit._model.lv.index(f)
        true = L[:, items, n].sum(axis=1) ** 2 * phi[:, n]
        out[f] = true / (true + T[:, items[:, None], items].sum(axis=(1, 2)))
    return out


def _htmt(fit, k, data, theta) -> dict:
    S = data.S[k] if isinstance(data, Moments) else None
    if S is None:
        raise DataError("functions='htmt' needs complete rows; fit with missing='listwise'")
    sd = np.sqrt(np.diagonal(S, axis1=1, axis2=2))
    R = np.abs(S / sd[:, :, None] / sd[:, None, :])
    scales = {f: i for f, i in _items(fit, k).items() if len(i) > 1}
    within = {}
    for f, i in scales.items():
        a, b = np.tril_indices(len(i), -1)
        within[f] = R[:, i[a], i[b]].mean(axis=1)
    names = list(scales)
    return {
        f"{a} - {b}": R[:, scales[a][:, None], scales[b]].mean(axis=(1, 2)) / np.sqrt(within[a] * within[b])
        for n, a in enumerate(names)
        for b in names[n + 1 :]
    }


READY = {"ave": _ave, "omega": _omega, "htmt": _htmt}


def _functions(functions) -> dict:
    """Name to a callable or to the name of a ready one."""
    if functions is None:
        return {}
    if isinstance(functions, str):
        functions = [functions]
    if not isinstance(functions, Mapping):
        functions = {f if isinstance(f, str) else getattr(f, "__name__", "function"): f for f in functions}
    for name, f in functions.items():
        if not callable(f) and f not in READY:
            raise DataError(f"function {name!r} must be callable or one of {', '.join(map(repr, READY))}, not {f!r}")
    return dict(functions)


def _evaluate(functions: dict, fit, data, theta: np.ndarray) -> dict:
    """{(function, name): values (B,)}, ready functions on the whole batch, the user's one resample at a time."""
    out = {}
    for name, f in functions.items():
        if isinstance(f, str):
            for k in range(fit._model.n_groups):
                where = f" ({fit.groups[k]})" if fit._model.n_groups > 1 else ""
                out |= {(name, key + where): v for key, v in READY[f](fit, k, data, theta).items()}
            continue
        rows = []
        for b in range(len(theta)):
            one = data.take(slice(b, b + 1)) if isinstance(data, Moments) else data
            value = f(_replicate(fit, one, theta[b]))
            rows.append(dict(value) if isinstance(value, (Mapping, pd.Series)) else {"": value})
        frame = pd.DataFrame(rows).astype(float)
        out |= {(name, str(c)): frame[c].to_numpy() for c in frame}
    return out


def _replicate(fit, data, theta: np.ndarray):
    """A refitted model as a user's function sees it: point estimates, no standard errors."""
    view = _lean(fit, data, theta)
    table = fit.estimates[[c for c in ("lhs", "op", "rhs", "group", "label") if c in fit.estimates]].copy()
    table["est"] = view._with_defined(theta[None], "est")[0]
    table["std_all"] = view._with_defined(theta[None], "std_all")[0]
    view.__dict__["estimates"] = table
    if isinstance(data, Moments):
        ov = fit._model.ov
        covs = [pd.DataFrame(S[0], index=ov, columns=ov) for S in data.S]
        view.sample_cov = covs[0] if len(covs) == 1 else covs
    return view


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
