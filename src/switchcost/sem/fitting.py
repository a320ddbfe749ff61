"""``sc.fit``: from a model text and data (or a covariance matrix) to a :class:`Fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from .. import _checks
from .estimate import Moments, evaluate, fit_batch, products, structure
from .model import EQUAL, Model, parameter_table, variables
from .result import Fit
from .robust import hessian
from .start import starting_values
from .syntax import fail, parse

LOG2PI = float(np.log(2 * np.pi))


def fit(
    model: str,
    data: pd.DataFrame | None = None,
    *,
    sample_cov=None,
    sample_mean=None,
    n_obs=None,
    group: str | None = None,
    group_equal: str | Sequence[str] = (),
    group_partial: str | Sequence[str] = (),
    estimator: str = "ML",
    missing: str = "listwise",
    std_lv: bool = False,
    meanstructure: bool | None = None,
    fixed_x: bool = True,
    orthogonal: bool = False,
    information: str | None = None,
) -> Fit:
    """Fit a structural equation model written in lavaan syntax.

    Parameters
    ----------
    model : str
        ``=~`` measured by, ``~`` regressed on, ``~~`` (co)variance, ``~ 1`` intercept, ``:=`` defined parameter,
        ``==`` linear constraint; labels, fixed values, ``NA*``, ``start()``, ``c(a, b)*`` for groups.
    data : DataFrame
        One row a respondent; columns named in the model are used.
    sample_cov, sample_mean, n_obs
        Instead of data: covariance matrix with divisor n - 1 (DataFrame with variable names, or a dict or list of
        them by group), means (Series or dict), and the number of rows.
    group : str
        Column that holds the groups; the model is fitted in all of them at once.
    group_equal : words among loadings, intercepts, means, residuals, residual.covariances, regressions,
        lv.variances, lv.covariances: parameters held equal across groups
    group_partial : parameters released again, such as ``["f =~ x2", "x3 ~ 1"]``
    estimator : ``"ML"`` or ``"MLR"`` (same estimates; Huber-White standard errors, scaled test)
    missing : ``"listwise"`` (rows with a gap are dropped, and counted) or ``"fiml"`` (full information)
    std_lv : fix latent variances at 1 instead of the first loading
    meanstructure : model the means; None means where it is needed (``~ 1``, groups, FIML)
    fixed_x : take the moments of observed predictors as given, as lavaan does
    orthogonal : latents uncorrelated
    information : ``"expected"`` (default of ML) or ``"observed"`` (default of MLR and FIML)

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        The model cannot be read or is not identified, a variable is missing, the data cannot carry the model.
        Improper solutions (negative variances ...) do not raise: they are named in ``fit.warnings``.

    Notes
    -----
    Defaults are those of ``lavaan::sem()`` 0.6-14, and so are the numbers: estimates to 1e-5, standard errors to
    1e-4 of their size. Divisor n, chi-square = 2 N F. See ``sem.estimate`` for the formulas.

    Examples
    --------
    >>> import numpy as np, pandas as pd, switchcost as sc
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=300)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
    >>> fit = sc.fit("f =~ x1 + x2 + x3 + x4", data)
    >>> fit.converged, int(fit.measures["df"])
    (True, 2)
    """
    group_equal, group_partial = _words(group_equal), _words(group_partial)
    _options(estimator, missing, information, group_equal, group, sample_cov)
    parsed = parse(model)
    if data is not None and sample_cov is not None:
        raise ValueError("give data or sample_cov, not both")
    notes: list[str] = []
    roles = variables(parsed)
    ov = roles.ov
    if data is not None:
        source = _from_rows(parsed, roles, _checks.frame(data), group, missing, fixed_x)
    elif sample_cov is not None:
        source = _from_covariance(parsed, ov, sample_cov, sample_mean, n_obs)
    else:
        raise ValueError("give the data (fit(model, data)), or sample_cov with n_obs")
    n_groups = len(source["n"])
    if group is None and n_groups == 1 and (group_equal or group_partial):
        raise ValueError("group_equal and group_partial need several groups: name the column with group=...")
    fiml = missing == "fiml" and source["raw"] is not None
    if meanstructure is None:
        meanstructure = (
            n_groups > 1 and (sample_cov is None or sample_mean is not None)
        ) or fiml or (sample_cov is not None and sample_mean is not None)
    rows, var = parameter_table(
        parsed, n_groups, std_lv=std_lv, meanstructure=meanstructure, fixed_x=fixed_x, orthogonal=orthogonal,
        group_equal=group_equal, group_partial=group_partial,
    )
    notes += var.notes + source["notes"]
    _label_clash(parsed, var, data, notes)
    shared = list(dict.fromkeys(t.label[0] for t in parsed.terms if t.label and len(t.label) == 1))
    if n_groups > 1 and shared:
        notes.append(f"one label for all groups makes a parameter equal in all of them: {', '.join(shared)} "
                     "(write c(a1, a2)*x for a label a group)")
    built = Model(rows, var, parsed.constraints, parsed.defined)
    if built.means and sample_cov is not None and sample_mean is None:
        raise ValueError("the model has intercepts (~ 1), so sample_mean is needed beside sample_cov")
    options = {
        "estimator": estimator, "missing": missing, "std_lv": std_lv, "meanstructure": built.means,
        "fixed_x": fixed_x, "orthogonal": orthogonal, "group": group, "group_equal": group_equal,
        "group_partial": group_partial, "n_dropped": source["dropped"], "se": True,
        "information": information or ("observed" if fiml or estimator == "MLR" else "expected"),
    }
    if fiml:
        from .missing import fiml_moments

        data_, h1 = fiml_moments(built, source, var.x, fixed_x)
    else:
        data_, h1 = _complete(built, source, var.x, fixed_x)
    built.set_scale(np.sqrt(sum(n * np.diag(S) for n, S in zip(source["n"], h1["cov"], strict=True)) / sum(source["n"])))
    result_df = _count_df(built, var, fixed_x)
    if result_df < 0:
        raise ValueError(
            f"the model is not identified: it has {built.npar} free parameters, {-result_df} more than the "
            f"{built.npar + result_df} moments of {len(ov)} variables. Fix or equate some, or add indicators."
        )
    _identified(built, data_, starting_values(built, h1["cov"], h1["mean"] if built.means else None))
    theta, F, converged, more = estimate(built, data_, h1)
    fitted = Fit(
        built, data_, theta, F, converged, text=model, options=options, h1=h1, raw=source["raw"],
        groups=source["labels"], notes=notes + more,
    )
    return fitted


def estimate(model: Model, data, h1: dict) -> tuple:
    """One careful fit: scoring from the usual start; where that fails, from others (lowest F wins) or quasi-Newton."""
    means = h1["mean"] if model.means else None
    start = starting_values(model, h1["cov"], means)
    theta, F, ok = fit_batch(model, None, start=start, data=data)
    if ok[0]:
        return theta[0], F[0], True, []
    rng = np.random.default_rng(20031)
    size = 1 / np.abs(np.vstack([g.D for g in model.groups])).max(axis=0)
    starts = [starting_values(model, h1["cov"], means, v) for v in (0.05, -0.05)]
    starts += [start + spread * size * rng.normal(size=model.npar) for spread in (0.1, 0.3)]
    tries = [fit_batch(model, None, start=s, data=data) for s in starts]
    best = _lowest(model, data, tries)
    if best is not None:
        return *best, True, ["scoring failed from the first start and converged from another one"]
    from scipy.optimize import minimize

    def target(x):
        f, grad, _ = evaluate(model, data, (x * size)[None], information=False)
        return (f[0] if np.isfinite(f[0]) else 1e10), grad[0] * size

    tries = []
    for begin in (start, *starts[:2]):
        found = minimize(target, begin / size, jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 500})
        tries.append(fit_batch(model, None, start=found.x * size, max_iter=50, data=data))
    best = _lowest(model, data, tries)
    if best is not None:
        return *best, True, ["Fisher scoring stalled; a quasi-Newton search finished the fit"]
    return theta[0], F[0], False, []


def _lowest(model: Model, data, tries: list) -> tuple | None:
    """(theta, F) of the converged try with the lowest F that is a minimum, not a saddle point."""
    for F, theta in sorted(((F[0], tuple(theta[0])) for theta, F, ok in tries if ok[0])):
        H = hessian(model, data, np.array(theta))
        d = np.sqrt(np.abs(np.diag(H)))
        if np.linalg.eigvalsh(H / np.outer(d, d))[0] > 0:
            return np.array(theta), F
    return None


def _count_df(model: Model, var, fixed_x: bool) -> int:
    p, q = model.n_ov, len(var.x) if fixed_x else 0
    per_group = p * (p + 1) // 2 - q * (q + 1) // 2 + (p - q if model.means else 0)
    return per_group * model.n_groups - model.npar


def _identified(model: Model, data, start: np.ndarray) -> None:
    """Raise when the Jacobian of the moments has not full column rank at a generic point (Bekker et al. 1994)."""
    if model.npar == 0:
        return
    from .estimate import entries, gram, sample_of, slopes

    rng = np.random.default_rng(7)
    size = 1 / np.abs(np.vstack([g.D for g in model.groups])).max(axis=0)
    for _ in range(4):  # one point may be singular by accident, such as latents that happen to correlate at 1
        theta = (start + size * rng.uniform(0.1, 0.4, model.npar) * rng.choice([-1, 1], model.npar))[None]
        info = 0.0
        for k, g in enumerate(model.groups):
            Q, _, mean = structure(model, g, entries(model, g, theta, sample_of(data, k)))
            K = gram(np.eye(model.n_ov)[None], Q)
            info = info + products(model, g, K, None if mean is None else slopes(model, g, mean))[0]
        info = info * np.outer(size, size)
        d = np.sqrt(np.diag(info))
        d[d < 1e-8 * d.max()] = 1.0
        scaled = info / np.outer(d, d)
        values, vectors = np.linalg.eigh(scaled)
        if values[0] > 1e-10:
            return
    null = np.abs(vectors[:, values < 1e-10]).max(axis=1)
    weight = np.abs(model.K) @ null
    blame = [r for r in np.argsort(-weight, kind="stable") if weight[r] > 0.3 * weight.max()][:6]
    names = ", ".join(f"'{model.free_rows[r].name}'" + (f" (group {model.free_rows[r].group + 1})" if model.n_groups > 1
                      else "") for r in blame)
    raise ValueError(
        f"the model is not identified: the data cannot determine {names}"
        f"{' separately' if len(blame) > 1 else ''}. Usual causes: a latent without a fixed loading or variance, "
        "a latent with too few items or no relation to others, or paths in both directions."
    )


def _words(value) -> tuple:
    return (value,) if isinstance(value, str) else tuple(value)


def _options(estimator, missing, information, group_equal, group, sample_cov) -> None:
    def check(name, value, allowed):
        if value not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")

    check("estimator", estimator, ("ML", "MLR"))
    check("missing", missing, ("listwise", "fiml"))
    if information is not None:
        check("information", information, ("expected", "observed"))
    for word in group_equal:
        check("each word of group_equal", word, EQUAL)
    if sample_cov is not None and estimator == "MLR":
        raise ValueError("estimator='MLR' needs the rows of the data: a covariance matrix does not hold the kurtosis")
    if sample_cov is not None and missing == "fiml":
        raise ValueError("missing='fiml' needs the rows of the data, not a covariance matrix")
    if sample_cov is not None and group is not None:
        raise ValueError("with sample_cov the groups are the keys of the dict of matrices; leave out group")


def _label_clash(parsed, var, data, notes) -> None:
    for t in parsed.terms:
        for label in t.label or []:
            if label in var.ov or label in var.lv:
                fail(t, f"the label {label!r} is also a variable of the model; write '+' between two variables, "
                        "or choose another label")
            if data is not None and label in data.columns:
                note = f"{label!r} is read as a label, and is also a column of the data"
                if note not in notes:
                    notes.append(note)


def _known(parsed, ov, columns, what) -> None:
    """Every observed name must be a column; the error points to the place in the model."""
    columns = list(columns)
    for name in ov:
        if name not in columns:
            term = next(t for t in parsed.terms if name in (t.lhs, t.rhs))
            fail(term, f"{name!r} is not a {what}.{_checks.suggest(name, columns)}")
    for t in parsed.terms:
        if t.op == "=~" and t.lhs in columns:
            fail(t, f"the latent {t.lhs!r} has the name of a {what}; give it another name")


def _from_rows(parsed, roles, data, group, missing, fixed_x) -> dict:
    ov = roles.ov
    _known(parsed, ov, data.columns, "column of the data")
    n_rows, notes = len(data), []
    if group is not None:
        _checks.columns(data, group, "group")
        if group in ov:
            raise ValueError(f"the group column {group!r} is also a variable of the model")
    x = _checks.numeric(data, ov)
    values = x.to_numpy()
    keep = ~np.isnan(values).any(axis=1) if missing == "listwise" else ~np.isnan(values).all(axis=1)
    if not keep.all():
        why = "with a missing value" if missing == "listwise" else "without any value"
        notes.append(f"{(~keep).sum()} of {n_rows} rows {why} were dropped")
    if missing == "fiml" and fixed_x and roles.x:
        gone = keep & np.isnan(values[:, [ov.index(v) for v in roles.x]]).any(axis=1)
        if gone.any():
            keep &= ~gone
            notes.append(f"{gone.sum()} rows with a missing predictor ({', '.join(roles.x)}) were dropped, because "
                         "predictors are taken as fixed; fixed_x=False keeps them")
    if not keep.any():
        raise ValueError(f"no row is complete in the {len(ov)} variables of the model; try missing='fiml'")
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
            raise ValueError(f"group column {group!r} holds only one value ({found[0] if found else 'none'}); "
                             "several groups are needed")
        if len(found) > 50:
            raise ValueError(f"group column {group!r} holds {len(found)} different values; is it a group?")
        for c in found:
            rows = (col == c).to_numpy() & keep
            labels.append(str(c))
            parts.append(rows)
    raw = [(values[r], data.index[r]) for r in parts]
    for k, (X, _) in enumerate(raw):
        where = f" in group {labels[k]!r}" if labels else ""
        if len(X) <= len(ov) and missing == "listwise":
            raise ValueError(f"{len(X)} complete rows{where} and {len(ov)} variables: more rows than variables are needed")
        low, high = np.nanmin(X, axis=0, initial=np.inf), np.nanmax(X, axis=0, initial=-np.inf)
        flat = [ov[j] for j in np.flatnonzero(~(low < high))]
        if flat:
            raise ValueError(f"{', '.join(flat)} has no variance{where}; a constant cannot be analysed")
    dropped = n_rows - sum(len(X) for X, _ in raw)
    return {"raw": raw, "n": [float(len(X)) for X, _ in raw], "labels": labels, "notes": notes, "dropped": dropped}


def _from_covariance(parsed, ov, cov, mean, n_obs) -> dict:
    labels = [str(k) for k in cov] if isinstance(cov, Mapping) else []
    covs = list(cov.values()) if isinstance(cov, Mapping) else list(cov) if isinstance(cov, (list, tuple)) else [cov]
    if isinstance(cov, (list, tuple)) and not all(isinstance(c, (pd.DataFrame, np.ndarray)) for c in cov):
        raise ValueError("sample_cov must be a DataFrame with variable names (or a list or dict of them by group)")
    labels = labels or ([str(k + 1) for k in range(len(covs))] if len(covs) > 1 else [])
    if mean is None:
        means = [None] * len(covs)
    elif len(covs) > 1:
        means = list(mean.values()) if isinstance(mean, Mapping) else list(mean)
    else:
        means = [mean[0] if isinstance(mean, (list, tuple)) and len(mean) == 1 else mean]
    if n_obs is None:
        raise ValueError("sample_cov needs n_obs, the number of rows it was computed from")
    if isinstance(n_obs, Mapping):
        n = [float(v) for v in n_obs.values()]
    else:
        n = [float(v) for v in np.atleast_1d(np.asarray(n_obs, float))]
    if len(n) != len(covs) or len(means) != len(covs):
        raise ValueError(f"{len(covs)} covariance matrices need as many n_obs ({len(n)}) and means ({len(means)})")
    S, m = [], []
    for c, mu, size in zip(covs, means, n, strict=True):
        if isinstance(c, np.ndarray) and c.ndim == 2 and len(covs) >= 1:
            raise ValueError("sample_cov must carry the names of its variables: pd.DataFrame(matrix, index=names, "
                             "columns=names)")
        if not isinstance(c, pd.DataFrame) or c.shape[0] != c.shape[1]:
            raise ValueError("sample_cov must be a square DataFrame with variable names (or a dict of them by group)")
        if list(c.index) != list(c.columns):
            if set(c.index) != set(c.columns):
                raise ValueError("rows and columns of sample_cov must have the same names")
            c = c[c.index]
        _known(parsed, ov, c.columns, "variable of sample_cov")
        A = c.loc[ov, ov].to_numpy(dtype=float)
        if np.isnan(A).any():
            raise ValueError("sample_cov holds missing values")
        if not np.allclose(A, A.T, rtol=1e-6, atol=1e-10):
            gap = np.abs(A - A.T)
            a, b = np.unravel_index(gap.argmax(), gap.shape)
            raise ValueError(f"sample_cov is not symmetric: {ov[a]}, {ov[b]} is {A[a, b]:g} above and {A[b, a]:g} below")
        if (np.diag(A) <= 0).any():
            raise ValueError(f"sample_cov has a variance that is not positive: {ov[int(np.diag(A).argmin())]}")
        if not np.isfinite(size) or size <= len(ov):
            raise ValueError(f"n_obs = {size:g} and {len(ov)} variables: more rows than variables are needed")
        S.append((A + A.T) / 2 * (size - 1) / size)
        if mu is not None:
            mu = pd.Series(mu)
            gone = [v for v in ov if v not in mu.index]
            if gone:
                raise ValueError(f"sample_mean has no value for {', '.join(gone)}")
            mu = mu.loc[ov].to_numpy(dtype=float)
        m.append(mu)
    return {"raw": None, "S": S, "m": m, "n": n, "labels": labels, "notes": [], "dropped": 0}


def _complete(model: Model, source: dict, x: list[str], fixed_x: bool) -> tuple[Moments, dict]:
    """Moments of complete data, and what the saturated and the baseline model say about them."""
    if source["raw"] is not None:
        m = [X.mean(axis=0) for X, _ in source["raw"]]
        S = []
        for (X, _), mu in zip(source["raw"], m, strict=True):
            d = X - mu
            S.append(d.T @ d / len(X))
    else:
        S, m = source["S"], source["m"]
        m = [np.zeros(len(S[0])) if mu is None else mu for mu in m]
    for k, A in enumerate(S):
        what = "covariance matrix" + (f" of group {source['labels'][k]}" if source["labels"] else "")
        _checks.positive_definite(A, model.ov, what)
    n = source["n"]
    h1 = saturated_complete(model, S, n, x, fixed_x) | {"cov": S, "mean": m}
    data = Moments([A[None] for A in S], [mu[None] for mu in m] if model.means else None, n)
    if not model.means and any(r.exo for r in model.rows):
        data.m = [mu[None] for mu in m]
    return data, h1


def saturated_complete(model: Model, S, n, x: list[str], fixed_x: bool) -> dict:
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
    return {
        "logl": logl, "x_logl": x_logl if fixed_x else 0.0, "cells": np.full(p, sum(n)),
        "baseline_chisq": base, "baseline_df": df,
    }
