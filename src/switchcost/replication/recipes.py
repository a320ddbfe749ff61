"""How each printed number is computed again: from raw data where they are open, else from the other printed numbers.

A recipe takes the printed numbers of a study (a table made by ``replicate.numbers``) and returns what it can compute,
by key. The recipes for printed tables ask only which columns a table has, so a study that somebody adds as CSV
files gets them without code. Recipes for open raw data are at the end, one function a study.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from . import arithmetic as consistency
from .fit_indices import check_claims, check_degrees_of_freedom, check_fit_measures
from .path_tracing import beta_from_b, from_correlations, from_paths
from .reproduction import Key, PrintedNumbers, Reproduction, checked, rounding_band, whole_number


def _t_and_p(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """t = estimate / se; p from t by the normal distribution."""
    out: dict[Key, Reproduction] = {}
    for key, t in numbers.of("t"):
        model, _, row, column = key
        estimate = next(
            (numbers.by[k] for q in ("b", "path", "estimate", "beta") if (k := (model, q, row, column)) in numbers.by),
            None,
        )
        se = numbers.by.get((model, "se", row, column))
        if estimate is not None and se is not None:
            out[key] = checked(
                consistency.t_ratio(estimate.printed, se.printed, t.printed), f"{estimate.quantity} / se"
            )
    for key, p in numbers.of("p"):
        t = numbers.by.get((key[0], "t", key[2], key[3]))
        if t is not None:
            out[key] = checked(consistency.p_value(t.printed, p.printed), "two-sided normal p of the printed t")
    return out


def _answers(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Item means and standard deviations: not computable, but whole answers do not allow every value."""
    out: dict[Key, Reproduction] = {}
    n, scale = meta.get("n"), re.match(r"\s*(\d+)-point", str(meta.get("scale", "")))
    if not whole_number(n):
        return out
    for key, mean in numbers.of("mean"):
        row = consistency.grim(mean.printed, n) if key[3] else None
        if row is not None:
            said = "a mean of whole answers can be this" if row.ok else "GRIM"
            out[key] = Reproduction(why=f"needs the answers to this item ({said}: {row.arithmetic})")
    for key, sd in numbers.of("sd"):
        mean = numbers.by.get((key[0], "mean", key[2], key[3]))
        if mean is None or scale is None:
            continue
        row = consistency.sd_range(mean.printed, sd.printed, n, 1, float(scale[1]))
        out[key] = (
            Reproduction(why=f"needs the answers to this item ({row.arithmetic})")
            if row.ok
            else checked(row, "largest SD that the mean allows")
        )
    return out


def _from_loadings(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """CR and AVE from loadings; alpha and rho_A too when a PLS block has two items."""
    out: dict[Key, Reproduction] = {}
    is_pls = "pls" in str(meta.get("method", "")).lower() or len(numbers.models("rho_A", "rhoA")) > 0
    blocks: dict[tuple[str, str], list] = {}
    for (model, _, row, _), r in numbers.of("loading"):
        blocks.setdefault((model, row), []).append(r)
    for (model, row), loadings in blocks.items():
        shown = [r.printed for r in loadings]
        for quantity, check, how in (
            ("cr", consistency.composite_reliability, "from the printed loadings"),
            ("ave", consistency.average_variance, "mean of the squared printed loadings"),
        ):
            key = (model, quantity, row, "")
            if key in numbers.by:
                out[key] = checked(check(shown, numbers.by[key].printed), how)
        for quantity, which in (("alpha", 0), ("rho_A", 1), ("rhoA", 1)):
            key = (model, quantity, row, "")
            if key not in numbers.by:
                continue
            if is_pls and len(loadings) == 2:
                value, band = rounding_band(
                    lambda x, k=which: _two_items(x)[k],
                    [r.published for r in loadings],
                    [r.decimals for r in loadings],
                )
                out[key] = Reproduction(
                    value,
                    "printed",
                    "two items: the two loadings fix their correlation",
                    band,
                    why=f"loadings {' '.join(map(str, shown))} give {value:.4f}, rounding allows {band[0]:.4f} to {band[1]:.4f}",
                )
            else:
                out[key] = Reproduction(
                    why=f"needs the correlations of the {len(loadings)} items; with more than two "
                    "the loadings do not determine it"
                )
    return out


def _two_items(loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardised alpha and rho_A of two items from their correlations with their own composite.

    The composite lies in the plane of the two items, between them, so the angle between the items is the sum of the
    angles that the loadings are cosines of. rho_A: Dijkstra & Henseler (2015), eq. for a block of two.
    """
    l1, l2 = loadings.T
    r = np.cos(np.arccos(l1) + np.arccos(l2))
    w1, w2 = (l1 - r * l2) / (1 - r**2), (l2 - r * l1) / (1 - r**2)
    return 2 * r / (1 + r), (w1**2 + w2**2) ** 2 * r / (w1 * w2)


RECIPES = (
    _t_and_p,
    _answers,
    _from_loadings,
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


def from_printed(table: pd.DataFrame, meta: Mapping) -> dict[Key, Reproduction]:
    """Everything the printed tables of a study allow; the first recipe that gives a value wins.

    Parameters
    ----------
    table : DataFrame from ``replicate.numbers``; ``table.attrs["n_items"]`` holds the numbers of items
    meta : dict of ``study.json``
    """
    numbers = PrintedNumbers(table, table.attrs.get("n_items", {}))
    out: dict[Key, Reproduction] = {}
    for recipe in RECIPES:
        for key, found in recipe(numbers, meta).items():
            if key in numbers.by and (key not in out or (np.isnan(out[key].value) and not np.isnan(found.value))):
                name = f"{key[0]} {found.constraint}".strip() if found.constraint else ""
                out[key] = replace(found, constraint=name)
    return out
