"""Aydin, Ozer & Arasil (2005): what four moderated regressions print, and the correlations that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ..reproduction import Key, PrintedNumbers, Reproduction
from .common import Found, cells, chisq_p, missing, r2_of_f, repeats, sums_to

N = 1662
_SHARES = (0.5, 0.4, 0.6)  # of customers above the median split: taken, lowest, highest


def _b(model: str, x: str) -> Key:
    return ("table2", "beta", f"Model {model}: {x}", "")


def _t(model: str, x: str) -> Key:
    return ("table2", "t", f"Model {model}: {x}", "")


def _f(model: str) -> Key:
    return ("table2", "f", f"Model {model}", "")


def _correlations(b1, b2, f1):
    """r(CS,TR), r(CS,CL), r(TR,CL) from the two betas and F of model 1: R2 = b1^2 + b2^2 + 2 b1 b2 r."""
    r2 = r2_of_f(f1, N, 2)
    r = (r2 - b1**2 - b2**2) / (2 * b1 * b2)
    return r, b1 + b2 * r, b2 + b1 * r, r2


def recovered(numbers: PrintedNumbers) -> pd.DataFrame:
    """The unprinted correlations of satisfaction, trust, switching cost (median split) and loyalty.

    Returns
    -------
    DataFrame, one row a pair: ``value low high``, the range that rounding of betas and F allows
    """
    inputs = [_b("1", "CS"), _b("1", "TR"), _f("1"), _b("2", "CS"), _b("2", "TR"), _b("2", "DSC")]
    rows = {}
    for k, pair in enumerate(["CS TR", "CS CL", "TR CL", "DSC CS", "DSC TR", "DSC CL"]):
        value, band = numbers.band(lambda *x, k=k: _all_correlations(*x)[k], inputs)
        rows[pair] = (value, *band)
    return pd.DataFrame(rows, index=["value", "low", "high"]).T.rename_axis("pair")


def _all_correlations(b1, b2, f1, c1, c2, c3):
    r, r1, r2, _ = _correlations(b1, b2, f1)
    d1 = (r1 - c1 - c2 * r) / c3
    d2 = (r2 - c1 * r - c2) / c3
    return r, r1, r2, d1, d2, c1 * d1 + c2 * d2 + c3


def _t_of_model2(j: int):
    def function(b1, b2, f1, c1, c2, c3):
        r, r1, r2, d1, d2, d3 = _all_correlations(b1, b2, f1, c1, c2, c3)
        one = np.ones_like(r)
        matrix = np.stack([np.stack(row, -1) for row in ((one, r, d1), (r, one, d2), (d1, d2, one))], -2)
        vif = np.linalg.inv(matrix)[..., j, j]
        explained = c1 * r1 + c2 * r2 + c3 * d3
        return (c1, c2, c3)[j] / np.sqrt((1 - explained) * vif / (N - 4))

    return function


def _model1(numbers: PrintedNumbers) -> Found:
    """Two betas, two t and F of model 1 hold one unknown, r(CS, TR)."""
    out: Found = {}
    for j, x in enumerate(("CS", "TR")):
        own, other = _b("1", x), _b("1", ("TR", "CS")[j])

        def t_value(b, c, f):
            r, _, _, r2 = _correlations(b, c, f)
            return b / np.sqrt((1 - r2) / ((N - 3) * (1 - r**2)))

        def beta(c, t, f):
            r2 = r2_of_f(f, N, 2)
            r = np.sqrt(np.maximum(1 - (1 - r2) / (N - 3) * (t / c) ** 2, 0))
            return -c * r + np.sqrt((c * r) ** 2 - c**2 + r2)

        name = f"t, betas and F of model 1, {x}"
        out[_t("1", x)] = numbers.follows(t_value, [own, other, _f("1")], "from both betas and F", constraint=name)
        second = f"t, betas and F of model 1, {('TR', 'CS')[j]}"
        out[own] = numbers.follows(
            beta, [other, _t("1", ("TR", "CS")[j]), _f("1")], "from the other beta, its t, and F", constraint=second
        )
    return out


def _gains(numbers: PrintedNumbers) -> Found:
    """One predictor more: t^2 = (gain of R2) (n - k - 1) / (1 - R2)."""
    out: Found = {}
    for small, k, large, x in (("1", 2, "2", "DSC"), ("2", 3, "3.1", "DSC*CS"), ("2", 3, "3.2", "DSC*TR")):
        sign = -1 if "*" in x else 1
        name = f"t of {x} and F of models {small} and {large}"

        def t_value(f0, f1, k=k, s=sign):
            a, b = r2_of_f(f0, N, k), r2_of_f(f1, N, k + 1)
            return s * np.sqrt(np.maximum(b - a, 0) * (N - k - 2) / (1 - b))

        def f_value(f0, t, k=k):
            a = r2_of_f(f0, N, k)
            q = t**2 / (N - k - 2)
            b = (a + q) / (1 + q)
            return b * (N - k - 2) / ((k + 1) * (1 - b))

        out[_t(large, x)] = numbers.follows(t_value, [_f(small), _f(large)], "from both F", constraint=name)
        out[_f(large)] = numbers.follows(f_value, [_f(small), _t(large, x)], f"from F and t of {x}", constraint=name)
    return out


def _slopes(numbers: PrintedNumbers) -> Found:
    """Slopes of the two groups: the average slope is that of the model without the product."""
    out: Found = {}
    for x, model in (("CS", "3.1"), ("TR", "3.2")):
        low, average = _b(model, x), _b("2", x)
        found = numbers.follows_over(
            lambda a, b, s: a + (b - a) / s, [low, average], _SHARES, "average slope of model 2"
        )
        assert found.band is not None
        band = found.band
        said = (
            f"the slope of {x} is {numbers.by[low].printed} where switching cost is low and on average "
            f"{numbers.by[average].printed} (model 2), so with half of the customers in each group it is "
            f"{found.value:.3f} where it is high ({band[0]:.3f} to {band[1]:.3f} for shares of 40 to 60 percent and "
            "rounding); a standardised beta of a product is not a difference of slopes. Assumed: a median split leaves "
            "40 to 60 percent above it, with equal spread in both groups"
        )
        for extra in ("", "again, p. 99"):
            key = ("text", f"effect of {x}, high switching cost", "text", extra)
            if key in numbers.by:
                out[key] = replace(found, why=said, remark=said, constraint=f"slope of {x} in the high group")
        out |= repeats(numbers, [(("text", f"effect of {x}, low switching cost", "text", ""), low)], "text and table")
    return out


def reproduce(table: pd.DataFrame, meta: Mapping) -> Found:
    """Table II closes: adjusted R2, F, t and betas of four models; the printed slopes of the high group do not."""
    numbers = cells(table)
    out = _model1(numbers) | _gains(numbers)
    for model, k in (("1", 2), ("2", 3), ("3.1", 4), ("3.2", 4)):
        adjusted = ("table2", "adjusted_r2", f"Model {model}", "")

        def function(f, k=k):
            return 1 - (1 - r2_of_f(f, N, k)) * (N - 1) / (N - k - 1)

        out[adjusted] = numbers.follows(function, [_f(model)], f"from F, n = {N} and {k} predictors")
        out[("text", f"R2 model {model}", "text", "")] = Reproduction(
            numbers.by[adjusted].published, how="Table II", why=f"Table II prints {numbers.by[adjusted].printed}",
            remark="the text says R2 for what the table calls adjusted R2",
        )  # fmt: skip
    inputs = [_b("1", "CS"), _b("1", "TR"), _f("1"), _b("2", "CS"), _b("2", "TR"), _b("2", "DSC")]
    for j, x in enumerate(("CS", "TR")):
        how = "from the correlations that models 1 and 2 imply"
        out[_t("2", x)] = numbers.follows(_t_of_model2(j), inputs, how)
    out |= _slopes(numbers)
    text = [k for k in numbers.by if k[0] == "text"]
    df = ("text", "df", "CFA", "")
    out[df] = Reproduction(
        20 * 21 / 2 - 20 - 20 - 6, how="20 items on 4 correlated factors: 210 moments - 20 - 20 - 6",
        why="20 items on 4 correlated factors have 164 degrees of freedom",
    )  # fmt: skip
    for row, quantity in (
        ("non-response", "chisq"),
        ("CFA", "chisq"),
        ("discriminant validity", "minimum chi-square difference"),
    ):
        out[("text", "p", row, "")] = chisq_p(numbers, ("text", quantity, row, ""), ("text", "df", row, ""))
    out |= sums_to(numbers, [k for k in text if k[2] == "operators"], 100.0, "shares add to 100 percent")
    paid = [k for k in text if k[1] in ("post-paid (percent)", "pre-paid (percent)")]
    out |= sums_to(numbers, paid, 100.0, "two shares add to 100 percent")
    out |= missing(
        [k for k in numbers.by if k[1] == "crc"],
        "from CFA loadings that are not printed (the EFA loadings give another value, and need not give this one)",
    )
    out |= missing(
        [k for k in numbers.by if k[0] == "table1" and k[1] in ("EFA loading", "CFA t-value")], "needs the answers"
    )
    out |= missing(
        [k for k in numbers.by if "Intercept" in k[2]],
        "an intercept has no standardised value: needs means and standard deviations",
    )
    rest = [k for k in numbers.by if k[0] == "table2" and k not in out and k[1] in ("beta", "t", "f")]
    out |= missing(rest, "needs the correlations of the product, or it is an input: see the t, F and R2 beside it")
    out |= missing(
        [("text", "statements", "questionnaire", "")], "Table I prints 20; one satisfaction item was dropped (p. 96)"
    )
    return out | missing([k for k in text if k not in out], "describes the sample, or is an input of the p beside it")
