"""Reliability of sum scores, and what each item contributes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import fdtri

from .._core import checks
from .._core.errors import DataError
from .._core.threads import one_thread
from .resampling import resampled_covariances

_LOWER = 0.005  # smallest standardised uniqueness


_DEFAULT_SEED = 1


def _share(load: np.ndarray, error: np.ndarray) -> np.ndarray:
    """(sum of loadings)^2 over itself plus the error variances, along the last axis."""
    common = load.sum(-1) ** 2
    return common / (common + error.sum(-1))


def composite_reliability(
    loadings: Sequence[float], error_variances: Sequence[float] | None = None, factor_variance: float = 1.0
) -> float:
    """Share of a sum score's variance that its common factor explains.

    Parameters
    ----------
    loadings : array of shape (n_items,)
        Loadings on one factor.
    error_variances : array of shape (n_items,)
        Residual variances, in squared item units. None means standardised loadings: 1 - loading^2.
    factor_variance : float
        Variance of the factor, in the metric of the loadings.

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    ValueError
        Shapes differ, or an error variance is negative (a Heywood case: the share has no meaning).

    Notes
    -----
    omega = (sum lambda)^2 phi / ((sum lambda)^2 phi + sum theta)  (Joereskog 1971; McDonald 1999).

    Examples
    --------
    >>> round(composite_reliability([0.905, 0.869]), 3)
    0.881
    """
    load = np.asarray(loadings, dtype=float) * np.sqrt(factor_variance)
    if error_variances is None:
        if (np.abs(load) > 1).any():
            raise DataError(
                f"a standardised loading of {load[np.argmax(np.abs(load))]:g} is above 1 in size; for unstandardised "
                "loadings give error_variances="
            )
        error = 1 - load**2
    else:
        error = np.asarray(error_variances, dtype=float)
    if load.shape != error.shape or load.ndim != 1:
        raise DataError(f"{load.size} loadings and {error.size} error variances; there must be one of each per item")
    if (error < 0).any():
        raise DataError(f"an error variance is negative ({error.min():g}): a Heywood case, the share has no meaning")
    return float(_share(load, error))


def average_variance_extracted(loadings: Sequence[float]) -> float:
    """Mean of the squared standardised loadings (Fornell & Larcker 1981).

    Parameters
    ----------
    loadings : array of shape (n_items,), standardised

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    ValueError
        A loading above 1 in size.

    Examples
    --------
    >>> round(average_variance_extracted([0.905, 0.869]), 3)
    0.787
    """
    load = np.asarray(loadings, dtype=float)
    if (np.abs(load) > 1).any():
        raise DataError(f"a standardised loading of {load[np.argmax(np.abs(load))]:g} is above 1 in size")
    return float((load**2).mean())


# --- one factor, many samples at once --------------------------------------------------------------------------------
def _derivatives(theta: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ML discrepancy of a one-factor model in theta = ln psi, gradient and Hessian; leading axis: samples."""
    root = np.exp(-theta / 2)
    gamma, omega = np.linalg.eigh(r * root[:, :, None] * root[:, None, :])
    gamma = np.clip(gamma, 1e-12, None)
    rest, first = gamma[:, :-1], gamma[:, -1:]
    f = (rest - np.log(rest) - 1).sum(-1)
    g = (omega[:, :, :-1] ** 2 * (1 - rest)[:, None, :]).sum(-1)
    p = theta.shape[1]
    c = np.zeros((len(theta), p, p))
    c[:, :-1, :-1] = (rest[:, :, None] + rest[:, None, :]) / 2
    c[:, :-1, -1] = (1 - rest) * (rest + first) / np.maximum(first - rest, 1e-9)
    pairs = omega[:, :, None, :] * omega[:, None, :, :]
    h = ((pairs @ c[:, None]) * pairs).sum(-1)
    return f, g, (h + h.transpose(0, 2, 1)) / 2


def one_factor(r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Maximum-likelihood one-factor model of many correlation matrices at once.

    Parameters
    ----------
    r : array of shape (samples, p, p), p at least 3, positive definite

    Returns
    -------
    tuple of standardised loadings (samples, p), with a positive sum; uniquenesses (samples, p), at least .005; and
    whether the optimum was reached (samples,).

    Notes
    -----
    Newton steps on the log uniquenesses, damped and kept inside [.005, 1]. The loadings are those of
    ``lavaan::cfa(std.lv = TRUE)`` on standardised items wherever lavaan's error variances are positive.
    """
    r = np.asarray(r, dtype=float)
    p = r.shape[-1]
    bottom = np.log(_LOWER)
    start = 1 / np.diagonal(np.linalg.inv(r), axis1=1, axis2=2)
    theta = np.log(np.clip((1 - 0.5 / p) * start, _LOWER, 0.999))
    done = np.zeros(len(r), dtype=bool)
    eye = np.eye(p, dtype=bool)
    f, g, h = _derivatives(theta, r)
    for _ in range(60):
        stuck = ((theta <= bottom + 1e-9) & (g > 0)) | ((theta >= -1e-12) & (g < 0))
        done = np.abs(np.where(stuck, 0, g)).max(-1) < 1e-10
        work = np.flatnonzero(~done)
        if not len(work):
            break
        fixed = stuck[work]
        hw = np.where(fixed[:, :, None] | fixed[:, None, :], eye[None], h[work])
        gw = np.where(fixed, 0, g[work])
        values, vectors = np.linalg.eigh(hw)
        values = np.maximum(np.abs(values), 1e-4)
        step = -(vectors @ ((vectors.transpose(0, 2, 1) @ gw[:, :, None]) / values[:, :, None]))[:, :, 0]
        size = np.minimum(1.0, 2.0 / np.maximum(np.abs(step).max(-1), 1e-12))
        todo = np.ones(len(work), dtype=bool)
        for _ in range(12):
            rows = work[todo]
            trial = np.clip(theta[rows] + size[todo, None] * step[todo], bottom, 0.0)
            ft, gt, ht = _derivatives(trial, r[rows])
            good = ft <= f[rows] + 1e-14
            at = rows[good]
            theta[at], f[at], g[at], h[at] = trial[good], ft[good], gt[good], ht[good]
            todo[np.flatnonzero(todo)[good]] = False
            if not todo.any():
                break
            size[todo] /= 2
        if todo.all():
            break
    stuck = ((theta <= bottom + 1e-9) & (g > 0)) | ((theta >= -1e-12) & (g < 0))
    done = np.abs(np.where(stuck, 0, g)).max(-1) < 1e-6
    psi = np.exp(theta)
    root = np.sqrt(psi)
    gamma, omega = np.linalg.eigh(r / (root[:, :, None] * root[:, None, :]))
    load = root * omega[:, :, -1] * np.sqrt(np.clip(gamma[:, -1:] - 1, 0, None))
    load *= np.where(load.sum(-1, keepdims=True) < 0, -1.0, 1.0)
    return load, psi, done


def _coefficients(s: np.ndarray) -> dict[str, np.ndarray]:
    """All coefficients of one scale from covariance matrices of shape (samples, k, k)."""
    k = s.shape[-1]
    sd = np.sqrt(np.diagonal(s, axis1=1, axis2=2))
    r = s / (sd[:, :, None] * sd[:, None, :])
    total, trace = s.sum((1, 2)), np.trace(s, axis1=1, axis2=2)
    sum_r = r.sum((1, 2))
    mean_r = (sum_r - k) / (k * (k - 1))
    out = {
        "alpha": k / (k - 1) * (1 - trace / total),
        "alpha_std": k / (k - 1) * (1 - k / sum_r),
        "mean_r": mean_r,
    }
    if k == 2:
        # One correlation cannot tell two loadings apart; with equal ones, omega is alpha and cr Spearman-Brown.
        proper = mean_r > 0
        out["omega"] = np.where(proper, out["alpha"], np.nan)
        out["cr"] = np.where(proper, out["alpha_std"], np.nan)
        out["ave"] = np.where(proper, mean_r, np.nan)
        out["loadings"] = np.sqrt(np.clip(mean_r, 0, None))[:, None].repeat(2, 1)
        out["psi"], out["reached"] = 1 - out["loadings"] ** 2, proper
        return out
    load, psi, reached = one_factor(r)
    out["omega"] = _share(load * sd, psi * sd**2)
    out["cr"] = _share(load, psi)
    out["ave"] = (load**2).mean(-1)
    out["loadings"], out["psi"], out["reached"] = load, psi, reached
    return out


def _reversed_items(s: np.ndarray, items: list[str]) -> list[str]:
    """Items that run against the scale: opposite sign to the majority on the first principal component."""
    sd = np.sqrt(np.diag(s))
    first = np.linalg.eigh(s / np.outer(sd, sd))[1][:, -1]
    negative = first < 0
    if negative.sum() * 2 > len(items) or (negative.sum() * 2 == len(items) and first.sum() < 0):
        negative = ~negative
    return [i for i, turned in zip(items, negative, strict=True) if turned]


def _from_rows_or_matrix(data, items, n_obs):
    """Covariances of a scale's items, rows used, rows dropped, and raw values or None."""
    if n_obs is not None:
        m = data.loc[items, items].to_numpy(dtype=float)
        return m, int(n_obs), 0, None
    if data.shape[0] == data.shape[1] and list(data.index) == list(data.columns):
        raise DataError("data looks like a covariance or correlation matrix; say how many people are behind it: n_obs=")
    x = checks.numeric(data, items)
    kept, dropped = checks.complete_rows(x)
    if len(kept) <= len(items):
        raise DataError(f"{len(kept)} complete rows for {len(items)} items ({', '.join(items[:4])} ...): too few")
    kept = checks.numeric(kept)  # an item can become constant once rows with gaps are gone
    return np.cov(kept.to_numpy(), rowvar=False), len(kept), dropped, kept.to_numpy()


def reliability(
    data: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    n_boot: int = 0,
    seed: int | None = None,
    *,
    n_obs: int | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Reliability and convergent validity of sum scores, one row a scale.

    Parameters
    ----------
    data : DataFrame of shape (n, p) of answers; or, with ``n_obs``, a covariance or correlation matrix
    scales : dict from scale name to its items
    n_boot : bootstrap samples of rows for intervals of omega, cr and ave; 0 for none
    seed : of the bootstrap; None means 1, so that the same call gives the same numbers
    n_obs : rows behind a matrix; says that ``data`` is one
    level : of all intervals

    Returns
    -------
    DataFrame, index ``scale``, with columns

    n_items, n, n_dropped
        items; complete rows used; rows left out because one of the scale's items is missing
    alpha, alpha_ci_lower, alpha_ci_upper
        Cronbach's alpha from covariances with the interval of Feldt (1965)
    alpha_std
        alpha from correlations
    omega
        **McDonald's omega total of a one-factor model**: ML loadings and error variances in item units, and the model's
        own total variance below the line. Equals ``semTools::compRelSEM(fit, obs.var = FALSE)``. It is not
        ``psych::omega`` with its default three factors, and not omega hierarchical.
    cr
        composite reliability: the same share from the standardised loadings, as PLS and most tables in marketing print
        it. Equals omega when all items have the same spread.
    ave
        average variance extracted: mean squared standardised loading. Equals ``semTools::AVE`` on standardised items;
        on raw items semTools weights items by their variances.
    mean_r
        mean correlation between items
    omega_ci_lower ... ave_ci_upper
        percentile bootstrap, only with ``n_boot``
    note
        what was found: items that run against the scale, two items, a Heywood case; empty otherwise

    Raises
    ------
    ValueError
        A name is not a column, an item is constant or text, a scale has one item.

    Warns
    -----
    UserWarning
        Items that run against their scale (recode them: nothing is turned silently), Heywood cases.

    Notes
    -----
    With two items a one-factor model has no unique solution. Equal loadings are assumed: omega is then alpha, cr is
    Spearman and Brown's 2r/(1 + r), and ave is r; the note says so. Rows with gaps are left out scale by scale.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 1))
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 4)), columns=["a1", "a2", "a3", "a4"])
    >>> reliability(x, {"a": ["a1", "a2", "a3", "a4"]})[["alpha", "omega"]].round(3).values.tolist()
    [[0.796, 0.799]]
    """
    if n_obs is None:
        data = checks.frame(data)
    elif not (isinstance(data, pd.DataFrame) and list(data.index) == list(data.columns)):
        raise DataError("n_obs= says that data is a covariance matrix; its rows and columns must have the same names")
    scales = checks.scales(data, scales, at_least=2)
    if not 0 < level < 1:
        raise DataError(f"level={level}; a confidence level lies between 0 and 1, e.g. 0.95")
    if n_boot < 0 or 0 < n_boot < 20:
        raise DataError(f"n_boot={n_boot}; use 0 for no bootstrap, or at least 20 (1000 for a paper)")
    if n_boot and n_obs is not None:
        raise DataError("a bootstrap needs the answers, and a matrix was given; leave n_boot at 0")
    tail = (1 - level) / 2
    rng = np.random.default_rng(_DEFAULT_SEED if seed is None else seed)
    rows = {}
    for scale, items in scales.items():
        s, n, dropped, x = _from_rows_or_matrix(data, items, n_obs)
        checks.positive_definite(s, items, f"covariance matrix of scale {scale!r}")
        k = len(items)
        c = {name: v[0] for name, v in _coefficients(s[None]).items()}
        notes = []
        turned = _reversed_items(s, items)
        if turned:
            notes.append(f"runs against the scale: {', '.join(turned)}; recode (low + high - answer) if reverse-worded")
        if k == 2:
            notes.append(
                "two items: equal loadings assumed"
                if c["reached"]
                else "two items with a correlation that is not positive: no omega, cr or ave"
            )
        elif not c["reached"]:
            notes.append("the one-factor model did not converge")
            c["omega"] = c["cr"] = c["ave"] = np.nan
        else:
            heywood = [i for i, u in zip(items, c["psi"], strict=True) if u <= _LOWER * 1.001]
            if heywood:
                notes.append(
                    f"Heywood case: error variance of {', '.join(heywood)} at its bound; do not trust omega, cr, ave"
                )
        for text in notes:
            if not text.startswith("two items: equal"):
                warnings.warn(f"scale {scale!r}: {text}", stacklevel=2)
        df1, df2 = n - 1, (n - 1) * (k - 1)
        row = {
            "n_items": k, "n": n, "n_dropped": dropped,
            "alpha": c["alpha"],
            "alpha_ci_lower": 1 - (1 - c["alpha"]) * fdtri(df1, df2, 1 - tail),
            "alpha_ci_upper": 1 - (1 - c["alpha"]) * fdtri(df1, df2, tail),
            "alpha_std": c["alpha_std"], "omega": c["omega"], "cr": c["cr"], "ave": c["ave"], "mean_r": c["mean_r"],
        }  # fmt: skip
        if n_boot:
            drawn = resampled_covariances(x, n_boot, rng)
            variance = np.diagonal(drawn, axis1=1, axis2=2)
            usable = (variance > 1e-12 * np.diag(s)).all(1)
            sd = np.sqrt(variance[usable])
            usable[usable] = np.linalg.eigvalsh(drawn[usable] / (sd[:, :, None] * sd[:, None, :]))[:, 0] > 1e-10
            with one_thread():
                boot = _coefficients(drawn[usable])
            for name in ("omega", "cr", "ave"):
                values = np.where(boot["reached"], boot[name], np.nan)
                good = ~np.isnan(values)
                low, high = np.quantile(values[good], [tail, 1 - tail]) if good.mean() > 0.5 else (np.nan, np.nan)
                row[f"{name}_ci_lower"], row[f"{name}_ci_upper"] = low, high
            failed = n_boot - int(good.sum())
            if failed:
                notes.append(f"{failed} of {n_boot} bootstrap samples had no solution")
        row["note"] = "; ".join(notes)
        rows[scale] = row
    out = pd.DataFrame.from_dict(rows, orient="index")
    out.index.name = "scale"
    return out


def item_analysis(
    data: pd.DataFrame, items: Sequence[str], *, low: float | None = None, high: float | None = None
) -> pd.DataFrame:
    """What each item of a scale looks like and contributes, one row an item.

    Parameters
    ----------
    data : DataFrame of shape (n, p) of answers
    items : the scale's items, at least two
    low, high : ends of the answer scale; None takes the lowest and highest answer given to any of the items

    Returns
    -------
    DataFrame, index ``item``, with columns

    n, n_missing
        rows used (complete in all items, so that the figures are about the same people) and gaps of the item itself
    mean, sd, skew, kurtosis
        in answer units; skewness and excess kurtosis as SPSS prints them (G1, G2; ``psych::describe(type = 2)``)
    floor, ceiling
        share of answers at the lowest and the highest point
    item_total
        correlation with the sum of the other items ("corrected item-total correlation"; ``r.drop`` of psych::alpha)
    r2
        squared multiple correlation with the other items
    loading
        standardised loading in a one-factor model (three items or more)
    alpha_if_deleted
        alpha of the scale without the item; NaN with two items

    Raises
    ------
    ValueError
        A name is not a column, an item is constant or text, fewer than two items.

    Warns
    -----
    UserWarning
        Items that run against the scale.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 1))
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 3)), columns=["a1", "a2", "a3"])
    >>> item_analysis(x, ["a1", "a2", "a3"])["alpha_if_deleted"].round(2).to_dict()
    {'a1': 0.68, 'a2': 0.66, 'a3': 0.64}
    """
    data = checks.frame(data)
    items = checks.columns(data, items, "item")
    if len(items) < 2:
        raise DataError("an item analysis needs at least two items")
    full = checks.numeric(data, items)
    s, n, _, raw = _from_rows_or_matrix(data, items, None)
    checks.positive_definite(s, items)
    turned = _reversed_items(s, items)
    if turned:
        warnings.warn(f"runs against the scale: {', '.join(turned)}; recode if reverse-worded", stacklevel=2)
    k = len(items)
    x = pd.DataFrame(raw, columns=items)
    low = x.to_numpy().min() if low is None else low
    high = x.to_numpy().max() if high is None else high
    variance = np.diag(s)
    rest_cov = s.sum(0) - variance
    rest_var = s.sum() - 2 * s.sum(0) + variance
    rest_trace = np.trace(s) - variance
    out = pd.DataFrame(
        {
            "n": n,
            "n_missing": full.isna().sum().to_numpy(),
            "mean": x.mean().to_numpy(),
            "sd": np.sqrt(variance),
            "skew": x.skew().to_numpy(),
            "kurtosis": x.kurt().to_numpy(),
            "floor": (x <= low).mean().to_numpy(),
            "ceiling": (x >= high).mean().to_numpy(),
            "item_total": rest_cov / np.sqrt(variance * rest_var),
            "r2": 1 - 1 / (variance * np.diag(np.linalg.inv(s))),
            "loading": _coefficients(s[None])["loadings"][0] if k > 2 else np.nan,
            "alpha_if_deleted": (k - 1) / (k - 2) * (1 - rest_trace / rest_var) if k > 2 else np.nan,
        },
        index=pd.Index(items, name="item"),
    )
    return out
