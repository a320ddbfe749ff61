"""How each printed number is computed again: from raw data where they are open, else from the other printed numbers.

A recipe takes the printed numbers of a study (a table made by ``replicate.numbers``) and returns what it can compute,
by key. The recipes for printed tables ask only which columns a table has, so a study that somebody adds as CSV
files gets them without code. Recipes for open raw data are at the end, one function a study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from . import arithmetic
from .fit_indices import check_claims, check_degrees_of_freedom, check_fit_measures
from .path_tracing import beta_from_b, from_correlations, from_paths
from .reproduction import Found, PrintedNumbers, Reproduction, rounding_band

_ESTIMATES = ("b", "path", "estimate", "value", "beta")


def _t_and_p(numbers: PrintedNumbers) -> Found:
    """t = estimate / se; p from t by the normal distribution; p of a test with its degrees of freedom."""
    out: Found = {}
    for key, t in numbers.of("t"):
        estimate, se = numbers.beside(key, *_ESTIMATES[:3], "beta"), numbers.beside(key, "se")
        if estimate is not None and se is not None:
            found = arithmetic.t_ratio(estimate.printed, se.printed, t.printed)
            out[key] = replace(found, how=f"{estimate.quantity} / se")
    for key, p in numbers.of("p"):
        line, printed_t = p.beside, numbers.beside(key, "t")
        statistic = numbers.beside(key, "statistic")
        if "test" in line and statistic is not None:
            df1, df2 = (float(line[d]) if d in line else None for d in ("df1", "df2"))
            df = numbers.beside(key, "df")
            df1 = df.published if df1 is None and df is not None else df1
            out[key] = arithmetic.p_of_test(line["test"], statistic.printed, p.printed, df1, df2)
        elif printed_t is not None:
            n = numbers.size(key)
            out[key] = arithmetic.p_value(printed_t.printed, p.printed, n - 2 if n else None)
    return out


def _stars(numbers: PrintedNumbers) -> Found:
    """t beside its stars."""
    flagged = {k: (t, t.beside["p_flag"], numbers.size(k)) for k, t in numbers.of("t") if "p_flag" in t.beside}
    return {k: arithmetic.stars(t.printed, flag, n - 2 if n else None) for k, (t, flag, n) in flagged.items()}


def _intervals(numbers: PrintedNumbers) -> Found:
    """Ends of intervals beside their estimate."""
    out: Found = {}
    for key, low in list(numbers.by.items()):
        name = key[1].removesuffix("ci_lower").strip()
        if not key[1].endswith("ci_lower"):
            continue
        high = numbers.beside(key, f"{name} ci_upper".strip())
        estimate = numbers.beside(key, *([name] if name else _ESTIMATES))
        if high is None or estimate is None:
            continue
        found = arithmetic.interval(estimate.printed, low.printed, high.printed)
        out |= {(key[0], c.quantity, *key[2:]): found for c in (low, high)}
    return out


def _answers(numbers: PrintedNumbers) -> Found:
    """Item means and standard deviations: not computable, but whole answers do not allow every value."""
    out: Found = {}
    span = numbers.answer_range()
    for key, mean in numbers.of("mean"):
        n, line = numbers.size(key), mean.beside
        items = int(line["items"]) if "items" in line else 1 if "item" in line else None  # averaged in the score
        row = arithmetic.grim(mean.printed, int(n), items) if n and items else None
        if row is not None:
            out[key] = row
        sd = numbers.beside(key, "sd")
        if n and sd is not None and span is not None:
            out[key[0], "sd", key[2], key[3]] = arithmetic.sd_range(mean.printed, sd.printed, int(n), *span, items)
    return out


def _sums(numbers: PrintedNumbers) -> Found:
    """Adjusted R2, differences and percentages of one line."""
    out: Found = {}
    for key, adjusted in numbers.of("adjusted_r2"):
        r2, n, line = numbers.beside(key, "r2"), numbers.size(key), adjusted.beside
        if r2 is not None and n and "predictors" in line:
            out[key] = arithmetic.adjusted_r2(r2.printed, adjusted.printed, n, int(line["predictors"]))
    for key, d in numbers.of("difference"):
        first, second = numbers.beside(key, "first"), numbers.beside(key, "second")
        if first is not None and second is not None:
            out[key] = arithmetic.difference(first.printed, second.printed, d.printed)
    for key, share in numbers.of("percent"):
        if people := share.beside.get("n"):
            out[key] = arithmetic.percentage(share.beside.get("count", ""), float(people), share.printed)
    return out


def _from_loadings(numbers: PrintedNumbers) -> Found:
    """CR and AVE from loadings; alpha and rho_A too when a PLS block has two items; CR beside AVE."""
    out: Found = {}
    is_pls = "pls" in str(numbers.meta.get("method", "")).lower() or bool(numbers.models("rho_A", "rhoA"))
    blocks: dict[tuple[str, str], list] = {}
    for (model, _, row, _), r in numbers.of("loading"):
        blocks.setdefault((model, row), []).append(r)
    for (model, row), loadings in blocks.items():
        shown = [r.printed for r in loadings]
        for quantity, check in (("cr", arithmetic.composite_reliability), ("ave", arithmetic.average_variance)):
            key = (model, quantity, row, "")
            if key in numbers.by:
                out[key] = check(shown, numbers.by[key].printed)
        for quantity, two_items in (("alpha", _alpha_of_two), ("rho_A", _rho_of_two), ("rhoA", _rho_of_two)):
            key = (model, quantity, row, "")
            if key not in numbers.by:
                continue
            if is_pls and len(loadings) == 2:
                value, band = rounding_band(two_items, [r.published for r in loadings], [r.decimals for r in loadings])
                how = "two items: the two loadings fix their correlation"
                why = f"loadings {' '.join(map(str, shown))} give {value:.4f}, rounding allows {band[0]:.4f} to {band[1]:.4f}"
                out[key] = Reproduction(value, "printed", how, band, why=why)
            else:
                why = f"needs the correlations of the {len(loadings)} items; "
                out[key] = Reproduction(why=f"{why}with more than two the loadings do not determine it")
    return out


def _reliability(numbers: PrintedNumbers) -> Found:
    """CR lies between AVE and what equal loadings would make it."""
    out: Found = {}
    for quantity in ("cr", "rhoC"):
        for key, cr in numbers.of(quantity):
            ave = numbers.beside(key, "ave", "AVE")
            items = cr.beside.get("items") or numbers.n_items.get(key[0], {}).get(key[2])
            if ave is not None:
                out[key] = arithmetic.reliability_limit(cr.printed, ave.printed, int(items) if items else None)
    return out


def _correlation_of_two(loadings: np.ndarray) -> np.ndarray:
    """Correlation of two items from their correlations with their own composite.

    The composite lies in the plane of the two items, between them, so the angle between the items is the sum of the
    angles that the loadings are cosines of.
    """
    return np.cos(np.arccos(loadings).sum(axis=1))


def _alpha_of_two(loadings: np.ndarray) -> np.ndarray:
    """Standardised alpha of two items."""
    r = _correlation_of_two(loadings)
    return 2 * r / (1 + r)


def _rho_of_two(loadings: np.ndarray) -> np.ndarray:
    """rho_A: Dijkstra & Henseler (2015), the equation for a block of two."""
    r, (l1, l2) = _correlation_of_two(loadings), loadings.T
    w1, w2 = (l1 - r * l2) / (1 - r**2), (l2 - r * l1) / (1 - r**2)
    return (w1**2 + w2**2) ** 2 * r / (w1 * w2)


RECIPES = (
    _t_and_p,
    _stars,
    _intervals,
    _answers,
    _sums,
    _from_loadings,
    _reliability,
    from_correlations,
    beta_from_b,
    from_paths,
    check_fit_measures,
    check_degrees_of_freedom,
    check_claims,
)


#: What it would take, where no recipe applies.
MISSING = {
    "mean": "needs the answers to this item",
    "sd": "needs the answers to this item",
    "loading": "needs the answers or the correlations of the items; it is an input of CR and AVE",
    "alpha": "needs the correlations of the items",
    "rho_A": "needs the answers",
    "cr": "needs the loadings",
    "ave": "needs the loadings",
    "boot_mean": "needs the answers and the bootstrap samples",
    "se": "needs the answers; it is an input of t = estimate / se",
    "b": "needs the answers or a covariance matrix; it is an input of t = b / se",
    "beta": "needs the correlations of the constructs; it is an input of R2",
    "path": "needs the correlations of the constructs",
    "correlation": "needs the answers",
    "r2": "needs the correlations of the constructs",
    "chisq": "needs the covariance matrix; it is an input of RMSEA and the other fit measures",
    "df": "needs the full list of free parameters; it is an input of RMSEA",
}


def better(first: Reproduction | None, second: Reproduction) -> Reproduction:
    """Of two ways to a number the impossible one counts, then the first that has a value."""
    if first is None or (second.impossible and not first.impossible):
        return second
    return second if np.isnan(first.value) and not np.isnan(second.value) else first


def from_printed(table: pd.DataFrame, meta: Mapping) -> Found:
    """Everything that the printed numbers of a work allow.

    Parameters
    ----------
    table : DataFrame from ``reading.numbers``
    meta : dict of ``study.json``
    """
    numbers = PrintedNumbers(table, meta)
    out: Found = {}
    for recipe in RECIPES:
        for key, found in recipe(numbers).items():
            if key in numbers.by:
                name = f"{key[0]} {found.constraint}".strip() if found.constraint else ""
                out[key] = better(out.get(key), replace(found, constraint=name))
    return out
