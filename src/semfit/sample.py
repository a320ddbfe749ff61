"""What is fitted: rows or a covariance matrix, checked, as moments by group; and the saturated and baseline models."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from numbers import Real

import numpy as np
import pandas as pd

from . import checks
from .design import FEWEST_CLUSTERS, Design, mean_and_cov, sampling_weights
from .errors import DataError, DroppedRows, FewClusters, FitWarning
from .estimate import Moments
from .model import Model
from .partable import Variables
from .state import Rows, Saturated, Source
from .tokens import fail

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


def from_rows(
    parsed,
    roles: Variables,
    data: pd.DataFrame,
    group: str | None,
    missing: str,
    fixed_x: bool,
    read: Callable[[pd.DataFrame, list[str]], np.ndarray] | None = None,
) -> Source:
    """Rows used by group (values and index), and what was dropped and why; ``read`` makes numbers of the columns."""
    ov = roles.ov
    _known(parsed, ov, data.columns, "column of the data")
    if group is not None:
        _one_column(data, group, "group", ov)
    values = checks.numeric(data, ov).to_numpy() if read is None else read(data, ov)
    keep, notes = _kept(values, roles, missing, fixed_x)
    labels, parts = ([], [keep]) if group is None else _split(data[group], keep, notes)
    rows = [Rows(values[r], data.index[r]) for r in parts]
    n = [float(len(X)) for X, _ in rows]
    source = Source(n, labels, notes, int(len(data) - sum(n)), rows, tuple(np.flatnonzero(r) for r in parts))
    for k, (X, _) in enumerate(rows):
        _enough(X, ov, source.where(k), missing == "fiml")
    return source


def _one_column(data: pd.DataFrame, name: str, what: str, ov: list[str]) -> None:
    if not isinstance(name, Hashable) or isinstance(name, tuple):
        raise DataError(f"{what} must be the name of one column, and is {name!r}")
    checks.columns(data, [name], what)
    if name in ov:
        raise DataError(f"the {what} column {name!r} is also a variable of the model")


def _kept(values: np.ndarray, roles: Variables, missing: str, fixed_x: bool) -> tuple[np.ndarray, list[str]]:
    """Rows that can be used, and what happened to the others."""
    ov = roles.ov
    notes: list[str] = []
    gaps = np.isnan(values)
    keep = ~gaps.any(axis=1) if missing == "listwise" else ~gaps.all(axis=1)
    if not keep.all():
        n = int((~keep).sum())
        words, why = ("with a missing", "missing value") if missing == "listwise" else ("without any", "no value")
        notes.append(DroppedRows(f"{n} of {len(values)} rows {words} value were dropped", n, why))
    if missing != "listwise" and fixed_x and roles.x:
        gone = keep & gaps[:, [ov.index(v) for v in roles.x]].any(axis=1)
        if gone.any():
            keep &= ~gone
            text = (
                f"{gone.sum()} rows with a missing predictor ({', '.join(roles.x)}) were dropped, because "
                "predictors are taken as fixed; fixed_x=False keeps them"
            )
            notes.append(DroppedRows(text, int(gone.sum()), "missing predictor"))
    if not keep.any():
        raise DataError(f"no row is complete in the {len(ov)} variables of the model; try missing='fiml'")
    return keep, notes


def _split(column: pd.Series, keep: np.ndarray, notes: list[str]) -> tuple[list[str], list[np.ndarray]]:
    """Labels and rows of the groups: in the order of the categories, or of appearance."""
    gone = column.isna().to_numpy() & keep
    if gone.any():
        text = f"{gone.sum()} rows without a group ({column.name}) were dropped"
        notes.append(DroppedRows(text, int(gone.sum()), "no group"))
    if isinstance(column.dtype, pd.CategoricalDtype):
        found = [c for c in column.cat.categories if (column == c).any()]
    else:
        found = list(pd.unique(column.dropna()))
    if len(found) < 2:
        raise DataError(
            f"group column {column.name!r} holds only one value ({found[0] if found else 'none'}); "
            "several groups are needed"
        )
    if len(found) > 50:
        raise DataError(f"group column {column.name!r} holds {len(found)} different values; is it a group?")
    return [str(c) for c in found], [(column == c).to_numpy() & keep for c in found]


def _enough(X: np.ndarray, ov: list[str], where: str, fiml: bool) -> None:
    """More rows than variables, no constant, no variable that others determine."""
    if len(X) <= len(ov):
        complete = "complete " if not np.isnan(X).any() else ""
        raise DataError(f"{len(X)} {complete}rows{where} and {len(ov)} variables: more rows than variables are needed")
    low, high = np.nanmin(X, axis=0, initial=np.inf), np.nanmax(X, axis=0, initial=-np.inf)
    flat = [ov[j] for j in np.flatnonzero(~(low < high))]
    if flat:
        raise DataError(f"{', '.join(flat)} has no variance{where}; a constant cannot be analysed")
    if fiml:
        _copies(X, ov, where)


def _copies(X: np.ndarray, ov: list[str], where: str) -> None:
    """The search for the saturated moments would fail late, and blame the gaps; name the cause here."""
    whole = X[~np.isnan(X).any(axis=1)]
    varies = np.ptp(whole, axis=0) > 0 if len(whole) else np.zeros(len(ov), bool)
    enough = len(ov) if len(whole) == len(X) else 2 * len(ov)  # few complete rows may be dependent by accident
    if len(whole) > enough and varies.any():
        names = [v for v, yes in zip(ov, varies, strict=True) if yes]
        cov = np.atleast_2d(np.cov(whole[:, varies], rowvar=False))
        checks.positive_definite(cov, names, f"covariance matrix of the complete rows{where}")
    R = pd.DataFrame(X, columns=ov).corr(min_periods=len(ov) + 1).abs().fillna(0.0).to_numpy(copy=True)
    np.fill_diagonal(R, 0.0)
    if R.max() > 1 - 1e-10:
        a, b = np.unravel_index(R.argmax(), R.shape)
        raise DataError(f"{ov[a]} and {ov[b]} correlate at 1{where}: one is a copy of the other; leave one of them out")


# -- clusters and weights ------------------------------------------------------------------------------------------
def designed(source: Source, data: pd.DataFrame, ov: list[str], cluster: str | None, weights: str | None) -> Source:
    """The same source with clusters and weights of its rows; weights are rescaled so that they sum to the rows."""
    if cluster is None and weights is None:
        return source
    sizes = [len(r) for r in source.positions]
    w: list = [None] * len(sizes)
    codes: list = [None] * len(sizes)
    notes: list[str] = []
    if weights is not None:
        _one_column(data, weights, "sampling_weights", ov)
        w = sampling_weights(data, weights, source.positions, source.where, notes)
    if cluster is not None:
        _one_column(data, cluster, "cluster", ov)
        codes = _cluster_codes(data[cluster], source, notes)
    design = tuple(Design(v, c, 0 if c is None else int(c.max()) + 1) for v, c in zip(w, codes, strict=True))
    n = source.n if weights is None else [float(v.sum()) for v in w]
    return replace(source, n=n, notes=[*source.notes, *notes], design=design)


def _cluster_codes(column: pd.Series, source: Source, notes: list[str]) -> list[np.ndarray]:
    """Clusters of the rows used, counted from 0 within each group."""
    name = str(column.name)
    parts = [column.iloc[r] for r in source.positions]
    gaps = sum(int(part.isna().sum()) for part in parts)
    if gaps:
        raise DataError(
            f"the cluster column {name!r} is missing in {gaps} of {sum(map(len, parts))} rows used; drop those rows, "
            "or give each a cluster"
        )
    codes = [pd.factorize(part)[0] for part in parts]
    counts = [int(c.max()) + 1 for c in codes]
    for k, count in enumerate(counts):
        if count < 2:
            raise DataError(
                f"cluster column {name!r} holds only one value{source.where(k)} ({parts[k].iloc[0]}); "
                "clustered standard errors need several clusters"
            )
    if all(count == len(c) for count, c in zip(counts, codes, strict=True)):
        notes.append(
            FitWarning(
                f"every row is a cluster of its own in {name!r}: nothing is clustered, and standard errors are the robust "
                "ones without clusters"
            )
        )
    crossing = sum(counts) - column.iloc[np.concatenate(source.positions)].nunique()
    if crossing:
        notes.append(
            FitWarning(
                f"{crossing} clusters of {name!r} have rows in several groups: the groups are taken as independent, "
                "which they are not where they share clusters"
            )
        )
    if min(counts) < FEWEST_CLUSTERS:
        where = source.where(int(np.argmin(counts)))
        text = (
            f"only {min(counts)} clusters{where}: with fewer than {FEWEST_CLUSTERS} their standard errors are too small"
        )
        notes.append(FewClusters(text, min(counts)))
    return codes


# -- matrices ----------------------------------------------------------------------------------------------------
def from_covariance(parsed, ov: list[str], cov, mean, n_obs) -> Source:
    """Covariance matrices with divisor n and means by group, from ones with divisor n - 1."""
    if n_obs is None:
        raise DataError("sample_cov needs n_obs, the number of rows it was computed from")
    labels, covs, means, sizes = _by_group(cov, mean, n_obs)
    S, m, n = [], [], []
    for k, matrix in enumerate(covs):
        where = f" of group {labels[k]!r}" if labels else ""
        if isinstance(matrix, pd.DataFrame):
            _known(parsed, ov, matrix.columns, "variable of sample_cov")
        A = checks.matrix_input(matrix, ov, what=f"sample_cov{where}").to_numpy()
        more = f": more rows than variables ({len(ov)}) are needed"
        size = checks.whole(sizes[k], f"n_obs{where}", len(ov) + 1, more)
        S.append(A * (size - 1) / size)
        m.append(None if means[k] is None else _means(means[k], ov, f"sample_mean{where}"))
        n.append(float(size))
    return Source(n, labels, [], cov=tuple(S), mean=tuple(m))


def _by_group(cov, mean, n_obs) -> tuple[list[str], list, list, list]:
    """Labels, matrices, means and sizes in one order: that of the sorted keys of a dict, or of a list."""
    if isinstance(cov, Mapping):
        try:
            keys = sorted(cov)
        except TypeError:  # keys of several types
            keys = sorted(cov, key=str)
        if not keys:
            raise DataError("sample_cov is an empty dict; it needs a matrix for each group")
        if len(keys) > 1 and isinstance(n_obs, Real):
            raise DataError(f"n_obs is one number, and sample_cov has {len(keys)} groups; give a dict by group")
        return (
            [str(k) for k in keys],
            [cov[k] for k in keys],
            [None] * len(keys) if mean is None else _matched(mean, "sample_mean", keys, list(cov)),
            _matched(n_obs, "n_obs", keys, list(cov)),
        )
    several = isinstance(cov, (list, tuple))
    covs = list(cov) if several else [cov]
    if not all(isinstance(c, (pd.DataFrame, np.ndarray)) for c in covs):
        raise DataError("sample_cov must be a DataFrame with variable names (or a list or dict of them by group)")
    sizes = list(n_obs) if isinstance(n_obs, (list, tuple, np.ndarray, pd.Series)) else [n_obs]
    means = list(mean) if isinstance(mean, (list, tuple)) else [mean]
    if mean is None:
        means = [None] * len(covs)
    for what, values in (("n_obs", sizes), ("sample_mean", means)):
        if any(isinstance(v, Mapping) for v in values) and what == "n_obs":
            raise DataError("n_obs is a dict by group, so sample_cov must be one too, with the same keys")
        if len(values) != len(covs):
            raise DataError(f"{len(covs)} covariance matrices need as many {what}, and {len(values)} are given")
    return [str(k + 1) for k in range(len(covs))] if len(covs) > 1 else [], covs, means, sizes


def _matched(values, what: str, keys: list, written: list) -> list:
    """Values of a dict by group in the order of ``keys``; a list follows the order in which sample_cov is written."""
    if isinstance(values, Mapping) and not (len(keys) == 1 and keys[0] not in values):
        unknown = [k for k in values if k not in keys]
        missing = [k for k in keys if k not in values]
        if unknown or missing:
            parts = [f"{', '.join(map(repr, unknown))} is no group of sample_cov"] if unknown else []
            parts += [f"group {', '.join(map(repr, missing))} has no value"] if missing else []
            raise DataError(
                f"{what} and sample_cov must have the same keys: {'; '.join(parts)}. "
                f"sample_cov has {', '.join(map(repr, keys))}."
            )
        return [values[k] for k in keys]
    if len(keys) == 1 and not isinstance(values, (list, tuple)):
        return [values]
    values = list(values)
    if len(values) != len(keys):
        raise DataError(f"{len(keys)} covariance matrices need as many {what}, and {len(values)} are given")
    return [values[written.index(k)] for k in keys]


def _means(mean, ov: list[str], what: str) -> np.ndarray:
    """Means in the order of the model's variables."""
    try:
        mean = pd.Series(mean)
    except (TypeError, ValueError):
        raise DataError(f"{what} must be a Series or dict of means by variable") from None
    twice = mean.index[mean.index.duplicated()].unique().tolist()
    if twice:
        raise DataError(f"{what} has names that occur twice: {', '.join(map(str, twice))}")
    gone = [v for v in ov if v not in mean.index]
    if gone:
        raise DataError(f"{what} has no value for {', '.join(gone)}")
    values = pd.to_numeric(mean.loc[ov], errors="coerce").to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise DataError(f"{what} is not a number for {', '.join(np.array(ov)[~np.isfinite(values)])}")
    return values


def complete_moments(model: Model, source: Source, x: list[str], fixed_x: bool) -> tuple[Moments, Saturated]:
    """Moments of complete data, and what the saturated and the baseline model say about them."""
    if source.rows is not None:
        found = [mean_and_cov(X, source.weights(k)) for k, (X, _) in enumerate(source.rows)]
        m, S = [mu for mu, _ in found], [A for _, A in found]
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
