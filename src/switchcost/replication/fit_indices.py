"""Printed fit indices and chi-squares against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from . import arithmetic as consistency
from . import models
from .path_tracing import printed_edges
from .reproduction import Key, PrintedNumbers, Reproduction, checked, rounding_band, whole_number


def check_fit_measures(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """RMSEA and chi2/df from chi-square; NFI, IFI, TLI, CFI, GFI, AGFI from one another.

    The incremental indices share one unknown, the chi-square of the independence model; its degrees of freedom
    follow from TLI and CFI: df0 = df (1 - TLI) / (1 - CFI) must be p (p - 1) / 2 for a whole number p of variables
    (or p (p + 1) / 2 of one variable less, where a program fixes the means as well).
    """
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("chisq"):
        n = meta.get("n")
        out |= _fit_of_group(numbers, model, n.get(model) if isinstance(n, dict) else n)
    return out


def _fit_of_group(numbers: PrintedNumbers, model: str, n: object) -> dict[Key, Reproduction]:
    out: dict[Key, Reproduction] = {}
    get = {
        q: numbers.by.get((model, q, "", ""))
        for q in ("chisq", "df", "nfi", "ifi", "tli", "cfi", "rmsea", "gfi", "agfi", "chisq_df")
    }
    if get["chisq"] is None or get["df"] is None or get["df"].published <= 0:
        return out
    chisq, df = get["chisq"], get["df"].published

    def put(quantity: str, formula: Callable, inputs: list[str], how: str) -> None:
        if get[quantity] is None or any(get[q] is None for q in inputs):
            return
        value, band = rounding_band(formula, [get[q].published for q in inputs], [get[q].decimals for q in inputs])
        out[model, quantity, "", ""] = Reproduction(
            value,
            "printed",
            how,
            band,
            why=f"{how}: {value:.4f}, rounding allows {band[0]:.4f} to {band[1]:.4f}",
        )

    if get["chisq_df"] is not None:
        out[model, "chisq_df", "", ""] = checked(
            consistency.chisq_ratio(chisq.printed, df, get["chisq_df"].printed), "chi-square / df"
        )
    if get["rmsea"] is not None:
        out[model, "rmsea", "", ""] = (
            checked(consistency.rmsea(chisq.printed, df, n, get["rmsea"].printed), f"from chi-square and n = {n}")
            if whole_number(n)
            else Reproduction(why="needs n; add it to study.json")
        )
    df0 = _baseline_df(get, df)
    if df0 is None:
        return out
    base = f"independence model with {df0} degrees of freedom (from TLI and CFI)"
    # x holds chi-square and one index; the chi-square of the independence model is chi2 / (1 - NFI).
    put(
        "nfi",
        lambda x: 1 - x[:, 0] / ((x[:, 0] - df) / (1 - x[:, 1]) + df0),
        ["chisq", "cfi"],
        f"from CFI, {base}",
    )
    put(
        "ifi",
        lambda x: (x[:, 0] / (1 - x[:, 1]) - x[:, 0]) / (x[:, 0] / (1 - x[:, 1]) - df),
        ["chisq", "nfi"],
        "from NFI",
    )
    put(
        "cfi",
        lambda x: 1 - (x[:, 0] - df) / (x[:, 0] / (1 - x[:, 1]) - df0),
        ["chisq", "nfi"],
        f"from NFI, {base}",
    )
    put(
        "tli",
        lambda x: 1 - (x[:, 0] / df - 1) / (x[:, 0] / (1 - x[:, 1]) / df0 - 1),
        ["chisq", "nfi"],
        f"from NFI, {base}",
    )
    p = round((1 + np.sqrt(1 + 8 * df0)) / 2)
    moments = p * (p + 1) / 2
    put("agfi", lambda x: 1 - moments / df * (1 - x[:, 0]), ["gfi"], f"from GFI, {p} variables")
    put("gfi", lambda x: 1 - df / moments * (1 - x[:, 0]), ["agfi"], f"from AGFI, {p} variables")
    return out


def _baseline_df(get: Mapping, df: float) -> int | None:
    if get["tli"] is None or get["cfi"] is None:
        return None
    tli, cfi = get["tli"], get["cfi"]
    value, (low, high) = rounding_band(
        lambda x: df * (1 - x[:, 0]) / (1 - x[:, 1]),
        [tli.published, cfi.published],
        [tli.decimals, cfi.decimals],
    )
    triangular = [p * (p - 1) // 2 for p in range(3, 400)]
    possible = [t for t in triangular if low <= t <= high]
    return min(possible, key=lambda t: abs(t - value)) if possible else None


def check_degrees_of_freedom(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Degrees of freedom from the numbers of items and the paths."""
    out: dict[Key, Reproduction] = {}
    for key, df in numbers.of("df"):
        edges = printed_edges(numbers, key[0])
        items = numbers.n_items.get(key[0], {})
        if edges and {c for t, s in edges.items() for c in (t, *s)} <= set(items):
            pairs = [(s, t) for t, sources in edges.items() for s in sources]
            row = models.degrees_of_freedom(sum(items.values()), len(items), pairs, df.printed)
            out[key] = checked(row, "from the printed numbers of items, the paths and the constructs")
    return out


def check_claims(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Numbers in a paper's running text, against its tables."""
    out: dict[Key, Reproduction] = {}
    fits = [
        (m, numbers.by[m, "chisq", "", ""], numbers.by[m, "df", "", ""])
        for m in numbers.models("chisq")
        if (m, "df", "", "") in numbers.by
    ]
    for key, claim in numbers.of("chisq_df"):
        if claim.table == "claims" and len(fits) == 1:
            _, chisq, df = fits[0]
            out[key] = checked(consistency.chisq_ratio(chisq.printed, df.printed, claim.printed), "chi-square / df")
    if len(fits) != 2:
        return out
    n = meta.get("n") if isinstance(meta.get("n"), dict) else {}
    first, second = ({"name": m, "chisq": c.printed, "df": d.printed, "n": n.get(m)} for m, c, d in fits)
    for key, claim in numbers.of("chisq_difference"):
        row = models.chisq_difference(first, second, claim.printed)
        out[key] = replace(checked(row, "difference of the two printed chi-squares"), remark=row["arithmetic"])
    for key, _ in numbers.of("chisq_difference df"):
        out[key] = Reproduction(
            abs(fits[0][2].published - fits[1][2].published),
            "printed",
            "difference of the two printed degrees of freedom",
        )
    return out
