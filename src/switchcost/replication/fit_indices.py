"""Printed fit indices and chi-squares against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from . import arithmetic as consistency
from . import models
from .path_tracing import printed_edges
from .printed import NOT_A_TEST, SLACK
from .reproduction import Key, PrintedNumbers, Reproduction, checked, rounding_band, whole_number


def check_fit_measures(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """RMSEA and chi2/df from chi-square; NFI, IFI, TLI, CFI, GFI, AGFI from one another.

    RMSEA follows from printed numbers alone. The others need a number of variables that is fitted to the indices
    themselves: their basis is ``assumed``, and where no number of variables fits they are ``inconsistent``.
    """
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("chisq"):
        n = meta.get("n")
        out |= _fit_of_group(numbers, model, meta, n.get(model) if isinstance(n, dict) else n)
    return out


def _fit_of_group(numbers: PrintedNumbers, model: str, meta: Mapping, n: object) -> dict[Key, Reproduction]:
    out: dict[Key, Reproduction] = {}
    get = {
        q: numbers.by.get((model, q, "", ""))
        for q in ("chisq", "df", "nfi", "ifi", "tli", "cfi", "rmsea", "gfi", "agfi", "chisq_df")
    }
    if get["chisq"] is None or get["df"] is None or get["df"].published <= 0:
        return out
    chisq, df = get["chisq"], get["df"].published

    def put(quantity: str, formula: Callable, inputs: list[str], how: str, why: str, constraint: str) -> None:
        value, band = rounding_band(formula, [get[q].published for q in inputs], [get[q].decimals for q in inputs])
        out[model, quantity, "", ""] = Reproduction(
            value,
            "assumed",
            how,
            band,
            why=f"{how}: {value:.4f}, rounding allows {band[0]:.4f} to {band[1]:.4f}; {why}",
            remark=why,
            constraint=constraint,
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
    _absolute(get, df, model, put, out)
    _incremental(get, df, model, put, out, int(meta.get("items_listed", 80)))
    return out


def _absolute(get: Mapping, df: float, model: str, put: Callable, out: dict[Key, Reproduction]) -> None:
    """AGFI = 1 - p (p + 1) / (2 df) (1 - GFI), for a whole number p of variables."""
    if get["gfi"] is None or get["agfi"] is None:
        return
    value, low, high, possible = models.moments_of_gfi(df, get["gfi"].printed, get["agfi"].printed)
    p = min(possible or range(2, 400), key=lambda v: abs(v * (v + 1) / 2 - value))
    m = p * (p + 1) // 2
    if not possible:
        why = f"GFI and AGFI need p (p + 1) / 2 between {low:.0f} and {high:.0f}, and no whole number p of variables "
        why += f"has that; {p} variables have {m}"
    else:
        why = f"{p} variables (fitted to the two printed indices)"
    put("agfi", lambda x: 1 - m / df * (1 - x[:, 0]), ["gfi"], "from GFI", why, "GFI and AGFI")
    put("gfi", lambda x: 1 - df / m * (1 - x[:, 0]), ["agfi"], "from AGFI", why, "GFI and AGFI")
    if not possible:
        for q in ("gfi", "agfi"):
            out[model, q, "", ""] = replace(out[model, q, "", ""], impossible=True)


# The chi-square of the independence model that each index needs, and the index that this chi-square gives.
_NEEDED = {
    "nfi": lambda c, df, i, d0: c / (1 - i),
    "ifi": lambda c, df, i, d0: (c - i * df) / (1 - i),
    "cfi": lambda c, df, i, d0: d0 + np.maximum(c - df, 0) / (1 - i),
    "tli": lambda c, df, i, d0: d0 * (1 + (c / df - 1) / (1 - i)),
}
_GIVES = {
    "nfi": lambda c, df, c0, d0: 1 - c / c0,
    "ifi": lambda c, df, c0, d0: (c0 - c) / (c0 - df),
    "cfi": lambda c, df, c0, d0: 1 - np.maximum(c - df, 0) / (c0 - d0),
    "tli": lambda c, df, c0, d0: 1 - (c / df - 1) / (c0 / d0 - 1),
}


def _incremental(get: Mapping, df: float, model: str, put: Callable, out: dict, most_items: int) -> None:
    """NFI, IFI, TLI, CFI share two unknowns: chi-square and degrees of freedom of the independence model.

    A baseline is p (p - 1) / 2 degrees of freedom, or p (p + 1) / 2 where a program fixes the means as well. Two
    indices alone fit some baseline unless no number of items up to ``most_items`` does; from three on they check.
    """
    given = [q for q in _NEEDED if get[q] is not None]
    if len(given) < 2:
        return
    chisq = get["chisq"]
    baselines = sorted({p * (p + s) // 2 for p in range(3, most_items + 1) for s in (-1, 1)})
    fits = {}
    for d0 in [d for d in baselines if d > df]:
        ends = []
        for q in given:
            corners = [
                _NEEDED[q](chisq.published + a * half(chisq), df, get[q].published + b * half(get[q]), d0)
                for a in (-1, 1)
                for b in (-1, 1)
            ]
            ends.append((min(corners), max(corners)))
        gap = max(e[0] for e in ends) / min(e[1] for e in ends) - 1
        fits[d0] = gap
    possible = [d for d, gap in fits.items() if gap <= SLACK]
    if not fits:
        return
    d0 = min(fits, key=lambda d: fits[d])
    said = " ".join(f"{q.upper()} {get[q].printed}" for q in given)
    if possible and len(given) == 2:
        why = f"needs the chi-square and the degrees of freedom of the independence model; {said} agree for "
        why += f"{possible[0]} to {possible[-1]} degrees of freedom" if len(possible) > 1 else f"{possible[0]} only"
        out |= {(model, q, "", ""): Reproduction(why=why) for q in given}
        return
    if possible:
        why = f"the independence model is taken to have {d0} degrees of freedom, fitted to the printed indices"
        if len(possible) > 1:
            why += f" ({min(possible)} to {max(possible)} would do)"
    else:
        why = f"no independence model of 3 to {most_items} variables gives {said}; nearest {d0} degrees of freedom"
    for k, q in enumerate(given):
        other = next(o for o in ("nfi", "cfi", "ifi", "tli") if o in given and o != q)
        put(
            q,
            lambda x, q=q, o=other: _GIVES[q](x[:, 0], df, _NEEDED[o](x[:, 0], df, x[:, 1], d0), d0),
            ["chisq", other],
            f"from {other.upper()}",
            why,
            f"independence model, {'one baseline' if not possible else k % (len(given) - 2) + 1}",
        )
        if not possible:
            out[model, q, "", ""] = replace(out[model, q, "", ""], impossible=True)


def half(cell) -> float:
    return 0.5 * 10.0**-cell.decimals


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
        no_test = row.verdict == NOT_A_TEST
        why = f"the subtraction is right and is no test: {row.arithmetic}" if no_test else row.arithmetic
        out[key] = replace(checked(row, "difference of the two printed chi-squares"), why=why, no_test=no_test)
        pair = (key[0], f"{key[1]} df", *key[2:])
        if pair in numbers.by:
            out[pair] = Reproduction(
                abs(fits[0][2].published - fits[1][2].published),
                "printed",
                "difference of the two printed degrees of freedom",
                why="the degrees of freedom of a difference that is no test" if no_test else "",
                no_test=no_test,
            )
    return out
