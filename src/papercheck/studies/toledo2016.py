"""Toledo & Lopes (2016): reliabilities, paths and counts that do and do not follow from one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from ..arithmetic import reliability_limit
from ..reproduction import Key, PrintedNumbers, Reproduction
from .common import Found, cells, missing, percent_of, repeats

_ITEMS = {
    "1 Attitude prevailing brand": 7, "2 Attitude extinct brand": 7, "3 Switching costs": 5,
    "4 Attitudinal loyalty": 8, "5 Behavioral loyalty": 4, "7 Propensity": 8,
}  # fmt: skip
_ROWS = {  # Figure 2 -> Table 4
    ("Age", "Nostalgia"): "H1 Age => Nostalgia",
    ("Propensity", "Nostalgia"): "H2 Propensity to Nostalgia => Nostalgia",
    ("Nostalgia", "Attitude extinct brand"): "H3a Nostalgia => Attitude extinct brand",
    ("Nostalgia", "Attitude prevailing brand"): "H3b Nostalgia => Attitude prevailing brand",
    ("Attitude extinct brand", "Attitude prevailing brand"): "H3c Attitude extinct brand => Attitude prevailing brand",
    ("Attitude extinct brand", "Loyalty"): "H4a Attitude extinct brand => Loyalty",
    ("Attitude prevailing brand", "Loyalty"): "H4b Attitude prevailing brand => Loyalty",
    ("Switching cost", "Loyalty"): "H6 Switching Costs => Loyalty",
    ("Loyalty", "Behavioral loyalty"): "H5a Loyalty => Behavioral Loyalty",
    ("Loyalty", "Attitudinal loyalty"): "H5b Loyalty => Attitudinal Loyalty",
}


def _path(code: str) -> Key:
    return ("table4", "path", next(r for r in _ROWS.values() if r.startswith(f"{code} ")), "")


def _r(row: str, column: int) -> Key:
    return ("table3", f"column {column} (correlation)", row, "")


def _measures(numbers: PrintedNumbers) -> Found:
    out: Found = {}
    for k, row in enumerate(dict.fromkeys(key[2] for key in numbers.by if key[0] == "table3"), start=1):
        ave, root, h2 = ("table3", "ave", row, ""), ("table3", f"column {k} (square root of AVE)", row, ""), "h2"
        name = f"AVE and its root, {row}"
        out[root] = numbers.follows(np.sqrt, [ave], "square root of AVE", constraint=name)
        out[ave] = numbers.follows(lambda x: x**2, [root], "square of the diagonal", constraint=name)
        out["table3", h2, row, ""] = numbers.follows(lambda x: x, [ave], "communality is AVE in a reflective block")
        cr, items = ("table3", "cr", row, ""), _ITEMS.get(row)
        if items is None:
            out[cr] = Reproduction(why="needs the loadings; the number of items is not printed")
            continue
        found = reliability_limit(numbers.by[cr].printed, numbers.by[ave].printed, items)
        why = "; items were moved or dropped without being said"
        out[cr] = replace(found, why=found.why + why) if found.impossible else found
    return out


def _paths(numbers: PrintedNumbers) -> Found:
    figure = {k: ("figure2", "path", *k) for k in _ROWS}
    out = repeats(
        numbers, [(figure[k], ("table4", "path", row, "")) for k, row in _ROWS.items()], "Figure 2 and Table 4"
    )
    nostalgia, extinct = _r("6 Nostalgia", 2), _path("H3a")
    out[nostalgia] = numbers.follows(lambda b: b, [extinct], "one cause: the path is the correlation", constraint="H3a")
    b, c = _path("H3b"), _path("H3c")
    direct = [b, c, extinct]
    out[_r("6 Nostalgia", 1)] = numbers.follows(lambda b, c, r: b + c * r, direct, "path tracing, H3a to H3c")
    out[_r("2 Attitude extinct brand", 1)] = numbers.follows(
        lambda b, c, r: c + b * r, direct, "path tracing, H3a to H3c"
    )
    r2 = {k[2]: k for k in numbers.by if k[0] == "figure2" and k[1] == "r2"}
    out[r2["Attitude prevailing brand"]] = numbers.follows(
        lambda b, c, r1, r2: b * r1 + c * r2,
        [b, c, _r("6 Nostalgia", 1), _r("2 Attitude extinct brand", 1)],
        "sum of path x correlation",
    )
    for name, code in (
        ("Attitude extinct brand", "H3a"),
        ("Behavioral loyalty", "H5a"),
        ("Attitudinal loyalty", "H5b"),
    ):
        out[r2[name]] = numbers.follows(lambda x: x**2, [_path(code)], "square of the only path")
    out[r2["Loyalty"]] = Reproduction(why="needs the correlations of the second-order construct")
    # Nostalgia = H1 age + H2 propensity: r(propensity, nostalgia) = H2 + H1 r(age, propensity), with |r| at most 1.
    age, propensity, r = _path("H1"), _path("H2"), _r("7 Propensity", 6)
    needed, (low, high) = numbers.band(lambda a, p, r: (r - p) / a, [age, propensity, r])
    if low > 1 or high < -1:
        why = (
            f"{numbers.by[propensity].printed} + {numbers.by[age].printed} x r(age, propensity) = "
            f"{numbers.by[r].printed} needs a correlation of {needed:.2f}; Figure 2 has the two coefficients the "
            "other way round, which gives an R2 above 1"
        )
        value = numbers.by[r].published
        for key in (age, propensity, figure["Age", "Nostalgia"], figure["Propensity", "Nostalgia"]):
            out[key] = Reproduction(value, "assumed", how="r(nostalgia, propensity) for any r(age, propensity)",
                                    why=why, constraint="H1 and H2", impossible=True)  # fmt: skip
    return out


def _total_effects(numbers: PrintedNumbers) -> Found:
    """H3b and H4a print direct effects in the first column and total effects, with their t, in the others."""
    out: Found = {}
    for code, inputs in (("H3b", ("H3b", "H3c", "H3a")), ("H4a", ("H4a", "H4b", "H3c"))):
        row = _path(code)[2]
        total = numbers.follows(lambda a, b, c: a + b * c, [_path(k) for k in inputs], f"total effect of {code}")
        t, se, b = (numbers.by["table4", q, row, ""] for q in ("t", "se", "path"))
        assert total.band is not None
        reach = 2.576 * se.published / 10  # simulation error of a mean of 100 draws, 99 percent
        ends = (total.band[0] - reach, total.band[1] + reach)
        out["table4", "Sample mean of 100", row, ""] = replace(
            total, basis="assumed", interval=ends, remark="a total effect, beside a direct one in the first column",
            why=f"the total effect is {total.value:.3f}, as the correlation in Table 3, and a mean of 100 draws lies "
            f"between {ends[0]:.3f} and {ends[1]:.3f} in 99 percent of cases: a misprint of a digit. Assumed: the bootstrap "
            "is centred on the estimate",
        )  # fmt: skip
        value = b.published / se.published
        reach = (abs(b.published) + 5e-4) / (se.published - 5e-4)
        out["table4", "t", row, ""] = Reproduction(
            abs(value), how="path / se", band=(abs(value), reach), why=f"{b.printed} / {se.printed} = {abs(value):.2f}, "
            f"printed {t.printed}; the total effect {total.value:.3f} / {se.printed} = "
            f"{abs(total.value) / se.published:.2f}: t and p belong to the total effect, and the direct path is untested",
        )  # fmt: skip
    return out


def _table2(numbers: PrintedNumbers) -> Found:
    out: Found = {}
    for block in ("before Banco ABN Real", "before Others"):
        rows = [k for k in numbers.by if k[:2] == ("table2", "n") and k[2].startswith(block)]
        parts, (total,) = [k for k in rows if "Total" not in k[2]], [k for k in rows if "Total" in k[2]]
        counted = sum(numbers.by[k].published for k in parts)
        out[total] = numbers.follows(lambda *x: np.sum(x, axis=0), parts, "sum of the rows")
        remark = "" if counted == numbers.by[total].published else f"percent of {counted:g}, the sum of the rows"
        for k in parts:
            share = ("table2", "percent", *k[2:])
            name = f"count and percent: {k[2]}"
            out[share] = replace(percent_of(numbers, k, counted, "n over the sum"), constraint=name, remark=remark)
            out[k] = numbers.follows(lambda p, c=counted: p * c / 100, [share], "percent of the sum", constraint=name)
        out["table2", "percent", *total[2:]] = Reproduction(100.0, how="a whole")
    return out


def _text(numbers: PrintedNumbers) -> Found:
    out: Found = {}
    n, opened = ("text", "n", "sample", ""), ("text", "accesses", "sample", "")
    for key in [k for k in numbers.by if k[0] == "text" and k[1].endswith(" (n)")]:
        share = ("text", key[1].replace("(n)", "(percent)"), "sample", "")
        out[share] = percent_of(numbers, key, n, "n over 205")
    out["text", "kept (percent)", "sample", ""] = percent_of(numbers, n, opened, "205 of 659")
    stayed = ("table2", "n", "before Banco ABN Real; now Santander", "")
    left = numbers.follows(lambda a: 100 * (133 - a) / 133, [stayed], "those of Table 2 who are elsewhere now, of 133")
    out["text", "left to another main bank (percent)", "sample", ""] = left
    for level, quantity in ((0.10, "10"), (0.05, "5"), (0.01, "1"), (0.001, "0.1")):
        key = ("text", f"critical {quantity} percent", "t", "")
        t, z = float(stdtrit(99, 1 - level / 2)), float(-ndtri(level / 2))
        if numbers.by[key].printed.allows(z, round(z, 3)):  # 1.645 is itself a rounded number
            out[key] = Reproduction(
                z, "assumed", "normal", (z, round(z, 3)), remark=f"the normal value; t on 99 df is {t:.3f}"
            )
        else:
            out[key] = Reproduction(t, how="t on 99 df", why=f"t on 99 df is {t:.3f}, and the normal value {z:.3f}")
    return out


def reproduce(table: pd.DataFrame, meta: Mapping) -> Found:
    """Tables 2 to 4, Figure 2 and the running text."""
    numbers = cells(table)
    out = _measures(numbers) | _paths(numbers) | _total_effects(numbers) | _table2(numbers) | _text(numbers)
    out |= missing([("text", "df", "t", "")], "100 resamples less one: an input of the critical values of t")
    rest = [k for k in numbers.by if k[0] in ("table1", "text") and k not in out]
    out |= missing(rest, "describes the sample or the scales, or is an input of the percentages")
    sample = [k for k in numbers.by if k[0] == "table4" and k[1] in ("Sample mean of 100", "sd") and k not in out]
    correlated = [k for k in numbers.by if "(correlation)" in k[1] and k not in out]
    out |= missing(correlated, "needs the answers")
    return out | missing(sample, "needs the bootstrap samples")
