"""Reliability of sum scores, and what each item contributes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import fdtri

from semfit.ordinal.correlations import polychoric
from semfit.ordinal.scale import ScaleReliability, resampled_reliability, scale_reliability
from semfit.resampling import resampled_covariances

from ..core import checks
from ..core.arguments import Between, checked, shown
from ..core.errors import DataError
from ..core.inference import default_seed, enough_draws
from ..core.threads import one_thread
from .correlations import Items, correlations, named_items
from .extraction import SMALLEST_UNIQUENESS, extract_many


def _share(load: np.ndarray, error: np.ndarray) -> np.ndarray:
    """(sum of loadings)^2 over itself plus the error variances, along the last axis."""
    common = load.sum(-1) ** 2
    return common / (common + error.sum(-1))


def _vector(values: Sequence[float], what: str) -> np.ndarray:
    found = np.asarray(values, dtype=object)
    out = np.array([v for v in found.ravel() if isinstance(v, (int, float, np.number))], dtype=float)
    if found.ndim != 1 or out.size == 0 or out.size < found.size or not np.isfinite(out).all():
        raise DataError(f"{what} must be a list of finite numbers, one an item, and are {shown(values)}")
    return out


def _standardised(loadings: Sequence[float], mend: str = "") -> np.ndarray:
    load = _vector(loadings, "loadings")
    if (np.abs(load) > 1).any():
        raise DataError(f"a standardised loading of {load[np.argmax(np.abs(load))]:g} is above 1 in size{mend}")
    return load


@checked(factor_variance=Between(0, 1e150))
def composite_reliability(
    loadings: Sequence[float], error_variances: Sequence[float] | None = None, factor_variance: float = 1.0
) -> float:
    """Share of a sum score's variance that its common factor explains.

    Parameters
    ----------
    loadings : array of float, shape (n_items,)
        Loadings on one factor.
    error_variances : array of float, shape (n_items,), optional
        Residual variances, in squared item units. None means standardised loadings: 1 - loading^2.
    factor_variance : float, default 1.0
        Variance of the factor, in the metric of the loadings.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    DataError
        Shapes differ, or an error variance is negative (a Heywood case: the share has no meaning).

    Notes
    -----
    omega = (sum lambda)^2 phi / ((sum lambda)^2 phi + sum theta)  (Joereskog 1971; McDonald 1999).
    Equals ``semTools::compRelSEM(fit, obs.var = FALSE)``.

    Examples
    --------
    >>> round(composite_reliability([0.905, 0.869]), 3)
    0.881
    """
    if error_variances is None:
        load = np.asarray(loadings, dtype=float) * np.sqrt(factor_variance)
        load = _standardised(load, "; for unstandardised loadings give error_variances=")
        return float(_share(load, 1 - load**2))
    load, error = _vector(loadings, "loadings"), _vector(error_variances, "error_variances")
    if load.shape != error.shape:
        raise DataError(f"{load.size} loadings and {error.size} error variances; there must be one of each per item")
    if (error < 0).any():
        raise DataError(f"an error variance is negative ({error.min():g}): a Heywood case, the share has no meaning")
    return float(_share(load * np.sqrt(factor_variance), error))


def average_variance_extracted(loadings: Sequence[float]) -> float:
    """Mean of the squared standardised loadings (Fornell & Larcker 1981).

    Parameters
    ----------
    loadings : array of float, shape (n_items,)
        Standardised.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    DataError
        A loading above 1 in size.

    Examples
    --------
    >>> round(average_variance_extracted([0.905, 0.869]), 3)
    0.787
    """
    return float((_standardised(loadings) ** 2).mean())


@dataclass(frozen=True, eq=False)
class _Coefficients:
    """All coefficients of one scale, an entry a sample; loadings and uniquenesses (samples, k)."""

    alpha: np.ndarray
    alpha_std: np.ndarray
    mean_r: np.ndarray
    omega: np.ndarray
    cr: np.ndarray
    ave: np.ndarray
    loadings: np.ndarray
    uniquenesses: np.ndarray
    reached: np.ndarray  # whether there is a one-factor solution; omega, cr and ave are NaN where there is none


def _coefficients(s: np.ndarray) -> _Coefficients:
    """From covariance matrices of shape (samples, k, k)."""
    k = s.shape[-1]
    sd = np.sqrt(np.diagonal(s, axis1=1, axis2=2))
    r = correlations(s)
    sum_r = r.sum((1, 2))
    mean_r = (sum_r - k) / (k * (k - 1))
    alpha = k / (k - 1) * (1 - np.trace(s, axis1=1, axis2=2) / s.sum((1, 2)))
    alpha_std = k / (k - 1) * (1 - k / sum_r)
    if k == 2:
        # One correlation cannot tell two loadings apart; with equal ones, omega is alpha and cr Spearman-Brown.
        load = np.sqrt(np.clip(mean_r, 0, None))[:, None].repeat(2, 1)
        psi, reached, omega, cr = 1 - load**2, mean_r > 0, alpha, alpha_std
    else:
        load, psi, reached = extract_many(r)
        load = load[:, :, 0]
        omega, cr = _share(load * sd, psi * sd**2), _share(load, psi)
    ave = (load**2).mean(-1)
    omega, cr, ave = (np.where(reached, v, np.nan) for v in (omega, cr, ave))
    return _Coefficients(alpha, alpha_std, mean_r, omega, cr, ave, load, psi, reached)


def _reversed_items(s: np.ndarray, items: list[str]) -> tuple[str, ...]:
    """Items that run against the scale: opposite sign to the majority on the first principal component."""
    first = np.linalg.eigh(correlations(s[None])[0])[1][:, -1]
    negative = first < 0
    if negative.sum() * 2 > len(items) or (negative.sum() * 2 == len(items) and first.sum() < 0):
        negative = ~negative
    return tuple(i for i, turned in zip(items, negative, strict=True) if turned)


def _of_ordered(found: Sequence[ScaleReliability]) -> _Coefficients:
    """The same from polychoric correlations, where both alphas are ordinal alpha."""
    names = ("mean_r", "omega", "cr", "ave", "loadings")
    r, omega, cr, ave, load = (np.array([getattr(f, name) for f in found]) for name in names)
    alpha, reached = np.array([f.alpha_ordinal for f in found]), np.array([f.reached for f in found], dtype=bool)
    return _Coefficients(alpha, alpha, r, omega, cr, ave, load, 1 - load**2, reached)


def _limits(sample: Items, n_boot: int, rng, tail: float, ordered: bool) -> tuple[dict[str, float], int]:
    """Percentile limits of omega, cr and ave, and how many bootstrap samples had no solution."""
    raw = sample.answers("a bootstrap")
    with one_thread():
        if ordered:
            found = _of_ordered(resampled_reliability(raw, n_boot, rng))
        else:
            drawn = resampled_covariances(raw, n_boot, rng)
            found = _coefficients(drawn[np.linalg.eigvalsh(correlations(drawn))[:, 0] > 1e-10])
    limits = {}
    for name in ("omega", "cr", "ave"):
        values = getattr(found, name)[found.reached & np.isfinite(found.omega)]
        enough = len(values) > len(found.reached) / 2
        ends = np.quantile(values, [tail, 1 - tail]) if enough else (np.nan, np.nan)
        limits[f"{name}_ci_lower"], limits[f"{name}_ci_upper"] = ends
    return limits, n_boot - int(found.reached.sum())


@checked()
def reliability(
    data: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    n_boot: int = 0,
    seed: int | None = None,
    *,
    n_obs: int | None = None,
    level: float = 0.95,
    ordered: bool | Sequence[str] | None = None,
) -> pd.DataFrame:
    """Reliability and convergent validity of sum scores, one row a scale.

    Parameters
    ----------
    data : DataFrame of shape (n, p)
        Answers; or, with ``n_obs``, a covariance or correlation matrix.
    scales : dict of str to list of str
        Scale name to its items.
    n_boot : int, default 0
        Bootstrap samples of rows for intervals of omega, cr and ave; 0 for none.
    seed : int, optional
        Of the bootstrap; None means the default seed of the package, so that the same call gives the same numbers.
    n_obs : int, optional
        Rows behind a matrix; says that ``data`` is one.
    level : float, default 0.95
        Of all intervals.
    ordered : bool or list of str, optional
        The items (all, or those named, scale by scale) are ordered categories: omega is then **categorical omega**, the
        reliability of the sum of the answers as given (Green & Yang 2009, equation 21; ``semTools::reliability``), cr,
        ave and mean_r belong to the normal variables behind the answers, and ``alpha_ordinal`` is added. Needs answers,
        not a matrix. A bootstrap takes about 20 ms a sample.

    Returns
    -------
    DataFrame
        Index ``scale``, with columns

        n_items, n
            items; complete rows used
        alpha
            Cronbach's alpha from covariances; equals ``pingouin.cronbach_alpha``
        alpha_std
            alpha from correlations
        omega
            **McDonald's omega total of a one-factor model**: ML loadings and error variances in item units, and the
            model's own total variance below the line. Equals ``semTools::compRelSEM(fit, obs.var = FALSE)``. It is not
            ``psych::omega`` with its default three factors, and not omega hierarchical.
        cr
            composite reliability: the same share from the standardised loadings, as PLS and most tables in marketing
            print it. Equals omega when all items have the same spread.
        ave
            average variance extracted: mean squared standardised loading. Equals ``semTools::AVE`` on standardised
            items; on raw items semTools weights items by their variances.
        mean_r
            mean correlation between items
        alpha_ordinal
            only with ``ordered``: alpha of the polychoric correlations (Zumbo, Gadermann & Zeisser 2007). It belongs to
            a sum of unseen variables, not to the answers, and is no reason to call a scale reliable (Chalmers 2018)
        alpha_ci_lower, alpha_ci_upper
            the interval of Feldt (1965); pingouin prints the same, rounded to three digits
        omega_ci_lower ... ave_ci_upper
            percentile bootstrap, only with ``n_boot``
        n_dropped
            rows left out because one of the scale's items is missing
        reversed, heywood
            items that run against the scale, and items whose error variance ran to its bound: tuples of names
        note
            what was found, in words; empty otherwise

    Raises
    ------
    DataError
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
    scales = checks.scales(checks.frame(data), scales, at_least=2)
    if not isinstance(ordered, (bool, type(None))):
        checks.columns(data[list({i: 0 for items in scales.values() for i in items})], ordered, "ordered item")
    if n_boot != 0:
        enough_draws(n_boot)
    rng = np.random.default_rng(default_seed(seed))
    rows = {}
    for scale, items in scales.items():
        sample = named_items(data, items, n_obs)
        rows[scale] = _one_scale(scale, sample, n_boot, rng, (1 - level) / 2, _is_ordered(scale, items, ordered))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("scale")


def _is_ordered(scale: str, items: Sequence[str], ordered: bool | Sequence[str] | None) -> bool:
    asked = {ordered} if isinstance(ordered, str) else set(items if ordered is True else ordered or ())
    named = [i for i in items if i in asked]
    if 0 < len(named) < len(items):
        raise DataError(f"ordered= names {', '.join(named)} of scale {scale!r}, and not its other items; name them all")
    return bool(named)


def _one_scale(
    scale: str, sample: Items, n_boot: int, rng: np.random.Generator, tail: float, ordered: bool
) -> dict[str, object]:
    """The row of one scale; warns about what makes its figures doubtful."""
    s, items, n, k = sample.cov, sample.names, sample.n, len(sample.names)
    checks.positive_definite(s, items, f"covariance matrix of scale {scale!r}")
    c = plain = _coefficients(s[None])
    notes: list[str] = []
    if ordered:
        found = polychoric(pd.DataFrame(sample.answers("ordered="), columns=items))
        c, notes = _of_ordered([scale_reliability(found)]), list(found.warnings)
    turned = _reversed_items(s, items)
    heywood: tuple[str, ...] = ()
    doubts: list[str] = []
    if turned:
        doubts.append(f"runs against the scale: {', '.join(turned)}; recode (low + high - answer) if reverse-worded")
    if k == 2 and c.reached[0]:
        notes.append("two items: equal loadings assumed")
    elif k == 2:
        doubts.append("two items with a correlation that is not positive: no omega, cr or ave")
    elif not c.reached[0]:
        doubts.append("the one-factor model did not converge")
    else:
        at_bound = c.uniquenesses[0] <= SMALLEST_UNIQUENESS * 1.001
        heywood = tuple(i for i, low in zip(items, at_bound, strict=True) if low)
    if heywood:
        doubts.append(f"Heywood case: error variance of {', '.join(heywood)} at its bound; do not trust omega, cr, ave")
    for text in doubts:
        warnings.warn(f"scale {scale!r}: {text}", stacklevel=3)
    row: dict[str, object] = {"n_items": k, "n": n, "alpha": plain.alpha[0], "alpha_std": plain.alpha_std[0]}
    row |= {"alpha_ordinal": c.alpha[0]} if ordered else {}
    row |= {name: getattr(c, name)[0] for name in ("omega", "cr", "ave", "mean_r")}
    for name, q in (("alpha_ci_lower", 1 - tail), ("alpha_ci_upper", tail)):
        row[name] = 1 - (1 - c.alpha[0]) * fdtri(n - 1, (n - 1) * (k - 1), q)
    if n_boot:
        limits, failed = _limits(sample, n_boot, rng, tail, ordered)
        row |= limits
        notes += [f"{failed} of {n_boot} bootstrap samples had no solution"] if failed else []
    row |= {"n_dropped": sample.n_dropped, "reversed": turned, "heywood": heywood, "note": "; ".join(doubts + notes)}
    return row


@checked(items=None)
def item_analysis(
    data: pd.DataFrame, items: Sequence[str], *, low: float | None = None, high: float | None = None
) -> pd.DataFrame:
    """What each item of a scale looks like and contributes, one row an item.

    Parameters
    ----------
    data : DataFrame of shape (n, p)
        Answers.
    items : list of str
        The scale's items, at least two.
    low, high : float, optional
        Ends of the answer scale; None takes the lowest and highest answer given to any of the items.

    Returns
    -------
    DataFrame
        Index ``item``, with columns

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
    DataError
        A name is not a column, an item is constant or text, fewer than two items, ``low`` not below ``high``.

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
    k = len(items)
    if k < 2:
        raise DataError("an item analysis needs at least two items")
    sample = named_items(data, items, None)
    x, s = pd.DataFrame(sample.raw, columns=items), sample.cov
    checks.positive_definite(s, items)
    turned = _reversed_items(s, items)
    if turned:
        warnings.warn(f"runs against the scale: {', '.join(turned)}; recode if reverse-worded", stacklevel=2)
    low = x.to_numpy().min() if low is None else low
    high = x.to_numpy().max() if high is None else high
    if not low < high:
        raise DataError(f"low={low} and high={high}; the lowest answer must lie below the highest")
    variance = np.diag(s)
    rest_var = s.sum() - 2 * s.sum(0) + variance  # of the sum of the other items
    out = {
        "n": sample.n_obs,
        "n_missing": data[items].isna().sum().to_numpy(),
        "mean": x.mean().to_numpy(), "sd": np.sqrt(variance),
        "skew": x.skew().to_numpy(), "kurtosis": x.kurt().to_numpy(),
        "floor": (x <= low).mean().to_numpy(), "ceiling": (x >= high).mean().to_numpy(),
        "item_total": (s.sum(0) - variance) / np.sqrt(variance * rest_var),
        "r2": 1 - 1 / (variance * np.diag(np.linalg.inv(s))),
        "loading": _coefficients(s[None]).loadings[0] if k > 2 else np.nan,
        "alpha_if_deleted": (k - 1) / (k - 2) * (1 - (np.trace(s) - variance) / rest_var) if k > 2 else np.nan,
    }  # fmt: skip
    return pd.DataFrame(out, index=pd.Index(items, name="item"))
