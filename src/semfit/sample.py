"""What is fitted: rows or a covariance matrix, checked, as moments by group; and the saturated and baseline models."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from . import checks
from .errors import DataError
from .estimate import Moments
from .model import Model
from .state import Rows, Saturated, Source
from .syntax import fail

LOG2PI = float(np.log(2 * np.pi))


def _known(parsed, ov, columns, what) -> None:
    """Every observed name must be a column; the error points to the place in the model."""
    columns = list(columns)
    for name in ov:
        if name not in columns:
            term = next(t for t in parsed.terms if name in (t.lhs, t.rhs))
            fail(term, f"{name!r} is not a {what}.{checks.suggest(name, columns)}")
    for t in parsed.terms:
        if t.op == "=~" and t.lhs in columns:
            fail(t, f"the latent {t.lhs!r} has the name of a {what}; give it another name")


def from_rows(parsed, roles, data, group, missing, fixed_x) -> Source:
    """Rows used by group (values and index), and what was dropped and why."""
    ov = roles.ov
    _known(parsed, ov, data.columns, "column of the data")
    n_rows, notes = len(data), []
    if group is not None:
        checks.columns(data, group, "group")
        if group in ov:
            raise DataError(f"the group column {group!r} is also a variable of the model")
    x = checks.numeric(data, ov)
    values = x.to_numpy()
    keep = ~np.isnan(values).any(axis=1) if missing == "listwise" else ~np.isnan(values).all(axis=1)
    if not keep.all():
        why = "with a missing value" if missing == "listwise" else "without any value"
        notes.append(f"{(~keep).sum()} of {n_rows} rows {why} were dropped")
    if missing == "fiml" and fixed_x and roles.x:
        gone = keep & np.isnan(values[:, [ov.index(v) for v in roles.x]]).any(axis=1)
        if gone.any():
            keep &= ~gone
            notes.append(
                f"{gone.sum()} rows with a missing predictor ({', '.join(roles.x)}) were dropped, because "
                "predictors are taken as fixed; fixed_x=False keeps them"
            )
    if not keep.any():
        raise DataError(f"no row is complete in the {len(ov)} variables of the model; try missing='fiml'")
    labels, parts = [], []
    if group is None:
        parts.append(keep)
    else:
        col = data[group]
        gone = col.isna().to_numpy() & keep
        if gone.any():
            notes.append(f"{gone.sum()} rows without a group ({group}) were dropped")
        if isinstance(col.dtype, pd.CategoricalDtype):
            found = [c for c in col.cat.categories if (col == c).any()]
        else:
            found = list(pd.unique(col.dropna()))
        if len(found) < 2:
            raise DataError(
                f"group column {group!r} holds only one value ({found[0] if found else 'none'}); "
                "several groups are needed"
            )
        if len(found) > 50:
            raise DataError(f"group column {group!r} holds {len(found)} different values; is it a group?")
        for c in found:
            rows = (col == c).to_numpy() & keep
            labels.append(str(c))
            parts.append(rows)
    raw = [Rows(values[r], data.index[r]) for r in parts]
    for k, (X, _) in enumerate(raw):
        where = f" in group {labels[k]!r}" if labels else ""
        if len(X) <= len(ov) and missing == "listwise":
            raise DataError(
                f"{len(X)} complete rows{where} and {len(ov)} variables: more rows than variables are needed"
            )
        low, high = np.nanmin(X, axis=0, initial=np.inf), np.nanmax(X, axis=0, initial=-np.inf)
        flat = [ov[j] for j in np.flatnonzero(~(low < high))]
        if flat:
            raise DataError(f"{', '.join(flat)} has no variance{where}; a constant cannot be analysed")
    dropped = n_rows - sum(len(X) for X, _ in raw)
    n = [float(len(X)) for X, _ in raw]
    return Source(n, labels, notes, dropped, rows=raw, positions=tuple(np.flatnonzero(r) for r in parts))


def from_covariance(parsed, ov, cov, mean, n_obs) -> Source:
    """Covariance matrices with divisor n and means by group, from ones with divisor n - 1."""
    labels = [str(k) for k in cov] if isinstance(cov, Mapping) else []
    covs = list(cov.values()) if isinstance(cov, Mapping) else list(cov) if isinstance(cov, (list, tuple)) else [cov]
    if isinstance(cov, (list, tuple)) and not all(isinstance(c, (pd.DataFrame, np.ndarray)) for c in cov):
        raise DataError("sample_cov must be a DataFrame with variable names (or a list or dict of them by group)")
    labels = labels or ([str(k + 1) for k in range(len(covs))] if len(covs) > 1 else [])
    if mean is None:
        means = [None] * len(covs)
    elif len(covs) > 1:
        means = list(mean.values()) if isinstance(mean, Mapping) else list(mean)
    else:
        means = [mean[0] if isinstance(mean, (list, tuple)) and len(mean) == 1 else mean]
    if n_obs is None:
        raise DataError("sample_cov needs n_obs, the number of rows it was computed from")
    if isinstance(n_obs, Mapping):
        n = [float(v) for v in n_obs.values()]
    else:
        n = [float(v) for v in np.atleast_1d(np.asarray(n_obs, float))]
    if len(n) != len(covs) or len(means) != len(covs):
        raise DataError(f"{len(covs)} covariance matrices need as many n_obs ({len(n)}) and means ({len(means)})")
    S, m = [], []
    for c, mu, size in zip(covs, means, n, strict=True):
        if isinstance(c, np.ndarray) and c.ndim == 2 and len(covs) >= 1:
            raise DataError(
                "sample_cov must carry the names of its variables: pd.DataFrame(matrix, index=names, columns=names)"
            )
        if not isinstance(c, pd.DataFrame) or c.shape[0] != c.shape[1]:
            raise DataError("sample_cov must be a square DataFrame with variable names (or a dict of them by group)")
        if list(c.index) != list(c.columns):
            if set(c.index) != set(c.columns):
                raise DataError("rows and columns of sample_cov must have the same names")
            c = c[c.index]
        _known(parsed, ov, c.columns, "variable of sample_cov")
        A = c.loc[ov, ov].to_numpy(dtype=float)
        if np.isnan(A).any():
            raise DataError("sample_cov holds missing values")
        if not np.allclose(A, A.T, rtol=1e-6, atol=1e-10):
            gap = np.abs(A - A.T)
            a, b = np.unravel_index(gap.argmax(), gap.shape)
            raise DataError(f"sample_cov is not symmetric: {ov[a]}, {ov[b]} is {A[a, b]:g} above and {A[b, a]:g} below")
        if (np.diag(A) <= 0).any():
            raise DataError(f"sample_cov has a variance that is not positive: {ov[int(np.diag(A).argmin())]}")
        if not np.isfinite(size) or size <= len(ov):
            raise DataError(f"n_obs = {size:g} and {len(ov)} variables: more rows than variables are needed")
        S.append((A + A.T) / 2 * (size - 1) / size)
        if mu is not None:
            mu = pd.Series(mu)
            gone = [v for v in ov if v not in mu.index]
            if gone:
                raise DataError(f"sample_mean has no value for {', '.join(gone)}")
            mu = mu.loc[ov].to_numpy(dtype=float)
        m.append(mu)
    return Source(n, labels, [], cov=tuple(S), mean=tuple(m))


def complete_moments(model: Model, source: Source, x: list[str], fixed_x: bool) -> tuple[Moments, Saturated]:
    """Moments of complete data, and what the saturated and the baseline model say about them."""
    if source.rows is not None:
        m = [X.mean(axis=0) for X, _ in source.rows]
        S = []
        for (X, _), mu in zip(source.rows, m, strict=True):
            d = X - mu
            S.append(d.T @ d / len(X))
    else:
        S = list(source.cov)
        m = [np.zeros(len(S[0])) if mu is None else mu for mu in source.mean]
    for k, A in enumerate(S):
        what = "covariance matrix" + source.where(k)
        checks.positive_definite(A, model.ov, what)
    n = source.n
    h1 = _saturated(model, S, m, n, x, fixed_x)
    data = Moments([A[None] for A in S], [mu[None] for mu in m] if model.means else None, n)
    if not model.means and any(r.exo for r in model.rows):
        data.m = [mu[None] for mu in m]
    return data, h1


def _saturated(model: Model, S: list, m: list, n: list[float], x: list[str], fixed_x: bool) -> Saturated:
    """Log-likelihood of the saturated model, of fixed predictors, and the independence model's chi-square."""
    p, q = model.n_ov, len(x)
    ix = [model.ov.index(v) for v in x]
    iy = [k for k in range(p) if k not in ix]
    logl, x_logl, base = 0.0, 0.0, 0.0
    for A, size in zip(S, n, strict=True):
        logdet = np.linalg.slogdet(A)[1]
        logdet_x = np.linalg.slogdet(A[np.ix_(ix, ix)])[1] if q else 0.0
        logl -= size / 2 * (p * LOG2PI + logdet + p)
        x_logl -= size / 2 * (q * LOG2PI + logdet_x + q)
        base += size * (np.log(np.diag(A)[iy]).sum() + logdet_x - logdet)
    df = len(n) * (p * (p + 1) // 2 - q * (q + 1) // 2 - (p - q))
    return Saturated(
        cov=S,
        mean=m,
        logl=logl,
        x_logl=x_logl if fixed_x else 0.0,
        cells=np.full(p, sum(n)),
        baseline_chisq=base,
        baseline_df=df,
    )
