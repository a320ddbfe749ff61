"""D'Emidio et al. (2013): means and standard deviations of two brands, from a machine conversion of the article."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtr

from ..arithmetic import limit
from ..reproduction import PrintedNumbers, Reproduction
from .common import Found, cells, missing, sums_to

_CONVERTED = "read from a machine conversion of the article, not from the page"
_N = {"Vivo": 80, "Claro": 76}


def _welch(numbers: PrintedNumbers, row: str) -> float:
    mean = {b: numbers.by["table1", f"{b} mean", row, ""].published for b in _N}
    part = {b: numbers.by["table1", f"{b} SD", row, ""].published ** 2 / n for b, n in _N.items()}
    se2 = sum(part.values())
    df = se2**2 / sum(part[b] ** 2 / (n - 1) for b, n in _N.items())
    return float(2 * stdtr(df, -abs(mean["Vivo"] - mean["Claro"]) / np.sqrt(se2)))


def _between_extremes(numbers: PrintedNumbers, brand: str, row: str) -> Found:
    """A mean lies between the printed extremes, and somebody is at each of them: so far the scores must spread."""
    key, n = {q: ("table1", f"{brand} {q}", row, "") for q in ("minimum", "maximum", "mean", "SD")}, _N[brand]
    low, high, mean, sd = (numbers.by[key[q]].printed for q in key)

    def least(m: float) -> float:
        below, above = max(m - low.high, 0), max(high.low - m, 0)
        return float(np.sqrt((below**2 + above**2 + (above - below) ** 2 / (n - 2)) / (n - 1)))

    bottom = min(least(m) for m in (mean.low, mean.value, mean.high))
    top = float(np.sqrt(max((high.high - m) * (m - low.low) for m in (mean.low, mean.high)) * n / (n - 1)))
    why = f"scores from {low} to {high} with mean {mean} have an SD of {bottom:.3f} to {top:.3f}; printed {sd}"
    needs = f"needs the scores, {_CONVERTED}"
    nearest = min(max(mean.value, low.value), high.value)
    inside = limit(mean.allows(low.low, high.high), nearest, "a mean between the extremes", f"{low} to {high}", needs)
    nearest = min(max(sd.value, bottom), top)
    return {key["mean"]: inside, key["SD"]: limit(sd.allows(bottom, top), nearest, "SD between extremes", why, needs)}


def reproduce(table: pd.DataFrame, meta: Mapping) -> Found:
    """Coefficients of variation, percent differences, shares; the p values are of another test than means allow."""
    numbers = cells(table)
    out: Found = {}
    for brand in _N:
        out["text", "CV of brand value (percent)", brand, ""] = numbers.follows(
            lambda s, m: 100 * s / m,
            [("table1", f"{brand} SD", "Brand value", ""), ("table1", f"{brand} mean", "Brand value", "")],
            "SD over mean",
        )
    for row, table_row, larger in (
        ("Awareness", "Awareness", True),
        ("Switching costs", "Switching costs", False),
        ("LS3 (service by phone or site)", None, True),
    ):
        name = ("text", row) if table_row is None else ("table1", table_row)
        both = [(name[0], f"{b} mean", name[1], "") for b in _N]

        def percent(a, b, larger=larger):
            base = np.maximum(a, b) if larger else np.minimum(a, b)
            return 100 * np.abs(a - b) / base

        base = "larger" if larger else "smaller"
        found = numbers.follows(percent, both, f"difference over the {base} mean")
        out["text", "difference (percent)", row, ""] = replace(
            found, basis="assumed", remark=f"the base is not printed; the {base} mean gives this number"
        )
    p = ("table1", "p (Mann-Whitney)", "Brand value", "")
    exact = numbers.by["text", "p in the text", "Brand value", ""]
    out[p] = Reproduction(
        exact.published, how="text", band=(exact.published - 5e-4, exact.published + 5e-4),
        why=f"the text prints {exact.printed}", remark="the table prints three digits and a zero",
        constraint="p of brand value",
    )  # fmt: skip
    out["text", "p in the text", "Brand value", ""] = Reproduction(
        numbers.by[p].published, how="Table 1", band=(numbers.by[p].published - 5e-4, numbers.by[p].published + 5e-4),
        why=f"Table 1 prints {numbers.by[p].printed}", constraint="p of brand value",
    )  # fmt: skip
    sizes = [("text", f"n {b}", "sample", "") for b in _N]
    out |= sums_to(numbers, sizes, ("text", "n", "sample", ""), "customers of two brands")
    sexes = [("text", f"{s} (percent)", "sample", "") for s in ("men", "women")]
    out |= sums_to(numbers, sexes, 100.0, "two shares add to 100 percent")
    for key in [k for k in numbers.by if k[0] == "table1" and k[1].endswith(" SD")]:
        out |= _between_extremes(numbers, key[1].split()[0], key[2])
    out = {k: replace(r, remark="; ".join(filter(None, (r.remark, _CONVERTED)))) for k, r in out.items()}
    for key in numbers.by:
        if key not in out and key[1] == "p (Mann-Whitney)":
            why = f"needs the scores; a Welch test from means, SD and n gives p = {_welch(numbers, key[2]):.4f}, "
            out[key] = Reproduction(why=f"{why}and need not equal a Mann-Whitney test ({_CONVERTED})")
    rest = [k for k in numbers.by if k not in out]
    return out | missing(rest, f"needs the scores ({_CONVERTED})")
