"""Khan (2012): a small hierarchical regression printed with its correlations; the control's follow from the betas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from ..arithmetic import grim
from ..reproduction import Key, Reproduction
from .common import Found, cells, missing, percent_of, repeats, sums_to, two_sided

N = 83
_ITEMS = {"Loyalty": 7, "Satisfaction": 8, "Retention": 5}


def _of(quantity: str, row: str, table: str = "table3") -> Key:
    return (table, quantity, row, "")


_INPUTS = [
    _of("beta", "Model 2 Income"),
    _of("beta", "Model 2 satisfaction"),
    _of("beta", "Model 2 Retention"),
    _of("column 1 (correlation)", "Satisfaction", "table1"),
    _of("column 1 (correlation)", "Retention", "table1"),
    _of("column 2 (correlation)", "Retention", "table1"),
]


def _closed(bi, bs, br, sy, ry, sr):
    """Correlations of income with satisfaction, retention and loyalty, and R2."""
    i_s = (sy - bs - br * sr) / bi
    i_r = (ry - br - bs * sr) / bi
    iy = bi + bs * i_s + br * i_r
    return i_s, i_r, iy, bi * iy + bs * sy + br * ry


def _t_of(j: int):
    def function(bi, bs, br, sy, ry, sr):
        i_s, i_r, _, r2 = _closed(bi, bs, br, sy, ry, sr)
        one = np.ones_like(i_s)
        matrix = np.stack([np.stack(row, -1) for row in ((one, i_s, i_r), (i_s, one, sr), (i_r, sr, one))], -2)
        return (bi, bs, br)[j] / np.sqrt((1 - r2) * np.linalg.inv(matrix)[..., j, j] / (N - 4))

    return function


def reproduce(table: pd.DataFrame, meta: Mapping) -> Found:
    """Tables 2 and 3 from one another and from the printed correlations."""
    numbers = cells(table)
    r1, r2 = _of("r2", "Model 1", "table2"), _of("r2", "Model 2", "table2")
    income = _of("beta", "Model 1 Income")
    out: Found = {
        r1: numbers.follows(lambda b: b**2, [income], "square of the only beta"),
        r2: numbers.follows(lambda *x: _closed(*x)[3], _INPUTS, "sum of beta x correlation"),
        income: numbers.follows(lambda *x: _closed(*x)[2], _INPUTS, "correlation of income and loyalty in model 2"),
        _of("t", "Model 1 Income"): numbers.follows(
            lambda b: b * np.sqrt((N - 2) / (1 - b**2)), [income], "t of a correlation"
        ),
        _of("R Square Change", "Model 1", "table2"): numbers.follows(lambda a: a, [r1], "R2 of the first step"),
        _of("R Square Change", "Model 2", "table2"): numbers.follows(lambda a, b: b - a, [r1, r2], "R2 less R2"),
        _of("Sig. F Change", "Model 1", "table2"): numbers.follows(
            lambda a: fdtrc(1, N - 2, a / (1 - a) * (N - 2)), [r1], "p of F from R2"
        ),
        _of("Sig. F Change", "Model 2", "table2"): numbers.follows(
            lambda a, b: fdtrc(2, N - 4, (b - a) / 2 / ((1 - b) / (N - 4))), [r1, r2], "p of the change of R2"
        ),
    }
    for model, key, k in (("Model 1", r1, 1), ("Model 2", r2, 3)):
        out[_of("adjusted_r2", model, "table2")] = numbers.follows(
            lambda a, k=k: 1 - (1 - a) * (N - 1) / (N - k - 1), [key], "from R2"
        )
    for j, name in enumerate(("Income", "satisfaction", "Retention")):
        how = "betas, correlations and the correlations of income that they imply"
        out[_of("t", f"Model 2 {name}")] = numbers.follows(_t_of(j), _INPUTS, how)
    for key in [k for k in numbers.by if k[0] == "table3" and k[1] == "p"]:
        df = N - 2 if "Model 1" in key[2] else N - 4
        t = ("table3", "t", *key[2:])
        out[key] = numbers.follows(lambda x, d=df: two_sided(x, d), [t], f"two-sided p of t on {df} df")
    text = [k for k in numbers.by if k[0] == "text"]
    alphas = {"loyalty": ("Loyalty", 1), "satisfaction": ("Satisfaction", 2), "retention": ("Retention", 3)}
    for name, (row, column) in alphas.items():
        pair = (("text", name, "alpha", ""), ("table1", f"column {column} (alpha)", row, ""))
        out |= repeats(numbers, [pair], "text and table")
    said, beta = ("text", "beta of retention, second mention", "text", ""), _of("beta", "Model 2 Retention")
    out[said] = Reproduction(
        numbers.by[beta].published, how="Table 3", why=f"Table 3 prints {numbers.by[beta].printed}: a typing error"
    )
    out |= sums_to(numbers, [k for k in text if k[2] == "operators"], float(N), f"customers of five operators are {N}")
    items = [k for k in text if k[2] == "items" and k[1] != "total"]
    out |= sums_to(numbers, items, ("text", "total", "items", ""), "parts of the questionnaire")
    received, sent = ("text", "received", "sample", ""), ("text", "distributed", "sample", "")
    out["text", "response (percent)", "sample", ""] = percent_of(numbers, received, sent, "received of distributed")
    out |= sums_to(numbers, [k for k in text if "named sex" in k[1]], 100.0, "two shares add to 100 percent")
    for row, k in _ITEMS.items():
        mean = ("table1", "mean", row, "")
        out[mean] = grim(numbers.by[mean].printed, N, k) or Reproduction(why="needs the answers")
        out["table1", "sd", row, ""] = Reproduction(why="needs the answers")
    correlated = [k for k in numbers.by if "(correlation)" in k[1]]
    out |= missing(correlated, "needs the answers; it is an input of R2, t and beta")
    rest = [k for k in numbers.by if k[0] == "table3" and k not in out]
    out |= missing(rest, "needs unstandardised data, or it is an input of R2 and t")
    return out | missing([k for k in text if k not in out], "describes the sample")
