"""Kim, Park & Jeong (2004): a column headed Se that holds p values, indices that cannot stand together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ..arithmetic import sd_range
from ..fit_indices import degrees_of_freedom
from ..reproduction import PrintedNumbers, Reproduction
from .common import Found, cells, missing, repeats, sums_to, two_sided

_DF_PATHS, _DF_REGRESSION = (302, 279, 354), (302, 242, 302)  # taken, lowest, highest


def _p_of_t(numbers: PrintedNumbers, t, p, dfs: tuple[int, int, int], how: str) -> Found:
    """p from t and t from p, whatever the unprinted degrees of freedom (taken, lowest, highest)."""
    taken, low, high = dfs
    said = f"degrees of freedom are not printed; {taken} are taken, {low} to {high} allowed"
    name = f"t and p: {' '.join(t[2:])}".strip()
    found = numbers.follows_over(two_sided, [t], dfs, how)
    out = {p: replace(found, why=f"{found.why}; {said}", remark=said, constraint=name)}
    if numbers.by[p].published > 0:
        sign = np.sign(numbers.by[t].published)
        back = numbers.follows_over(lambda x, d: -sign * stdtrit(d, x / 2), [p], dfs, "from p")
        out[t] = replace(back, remark=said, constraint=name)
    return out


def _paths(numbers: PrintedNumbers) -> Found:
    out: Found = {}
    for key in [k for k in numbers.by if k[0] == "table6" and k[1] == "t"]:
        se, b = ("table6", "Se", *key[2:]), ("table6", "estimate", *key[2:])
        for k, r in _p_of_t(numbers, key, se, _DF_PATHS, "two-sided p of the t beside it").items():
            remark = f"the column is headed Se and holds p values; {r.remark}" if k == se else r.remark
            out[k] = replace(r, remark=remark)
        ratio = numbers.by[b].published / numbers.by[key].published
        out[b] = Reproduction(
            why=f"needs the standard error; the column headed Se holds p values (estimate / t gives {ratio:.3f})"
        )
    pairs = [(k, ("table6", "estimate", *k[2:])) for k in numbers.by if k[0] == "figure1"]
    return out | repeats(numbers, pairs, "Figure 1 and Table 6")


def _moderation(numbers: PrintedNumbers) -> Found:
    out: Found = {}
    for key in [k for k in numbers.by if k[0] == "table7" and k[1] == "t"]:
        out |= _p_of_t(numbers, key, ("table7", "p", *key[2:]), _DF_REGRESSION, "two-sided p of t")
    r2 = {k: r.published for k, r in numbers.by.items() if k[0] == "table7" and k[1] == "r2"}
    least = min(r2.values())
    for key, value in r2.items():
        joint = (value - least) / 2 / ((1 - value) / 302)
        t = [r.published for k, r in numbers.by.items() if k[1] == "t" and k[2].startswith(f"{key[2]}: ")][1:]
        why = "needs the correlations"
        if joint > 0:
            why += (
                f"; satisfaction alone explains at most {least:.3f} (the smallest R2 of the four models), so here "
                f"moderator and product add {value - least:.3f}, a joint F of at least {joint:.0f}, while their own t are "
                f"{t[0]:g} and {t[1]:g}: the two are nearly collinear, as with a product of uncentred scores, and the "
                "t of the moderator is not an average effect"
            )
        out[key] = Reproduction(why=why)
    return out


def reproduce(table: pd.DataFrame, meta: Mapping) -> Found:
    """Tables 4 to 7 and the numbers of the running text."""
    numbers = cells(table)
    out = _paths(numbers) | _moderation(numbers)
    df = ("table5", "df", "", "")
    edges = [k[2:] for k in numbers.by if k[0] == "table6" and k[1] == "t"]
    row = degrees_of_freedom(34, edges, numbers.by[df].printed)
    said = "36 items listed, two of them deleted (p. 152-153), and the paths of Table 6"
    out[df] = replace(row, how=said, basis="assumed", why=f"{said}: {row.why}")
    text = [k for k in numbers.by if k[0] == "text"]
    out |= sums_to(numbers, [k for k in text if k[2] == "operators"], 100.0, "shares of the operators")
    sexes = [k for k in text if k[1] in ("men (percent)", "women (percent)")]
    out |= sums_to(numbers, sexes, 100.0, "two shares add to 100 percent")
    sd, mean = (numbers.by["text", f"handset replacements, {q}", "sample", ""].printed for q in ("SD", "mean"))
    out["text", "handset replacements, SD", "sample", ""] = sd_range(mean, sd, 306, 0, 1000)
    out |= missing([k for k in text if k[1] in ("nfi", "cfi", "gfi", "agfi")], "needs chi-square and df of this model")
    out |= missing([k for k in text if k not in out], "describes the sample; the counts behind it are not printed")
    ages = [k for k in numbers.by if k[0] == "table4"]
    out |= missing([k for k in numbers.by if k[0] == "table3"], "describes the scale; counted in the table of items")
    large = [k for k in numbers.by if k[1] == "t" and k not in out]
    out |= missing(large, "an input of the p beside it; a p of .000 does not give it back")
    out |= missing(ages, "needs the answers; the sizes of the age groups are not printed")
    return out | missing([("table5", "RMR", "", ""), ("table5", "rmr", "", "")], "needs the covariance matrix")
