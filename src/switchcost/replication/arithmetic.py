"""Does a printed number follow from those beside it: one check a function."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from .._core.errors import DataError
from .printed import CONSISTENT, INCONSISTENT, SLACK, Check, Printed, check_row, judged

STARS = {"***": (0.0, 0.001), "**": (0.001, 0.01), "*": (0.01, 0.05), "ns": (0.05, 1.0)}


# --- one check each ---------------------------------------------------------------------------------------------------
def t_ratio(b, se, t, where: str = "") -> Check:
    """t = b / se."""
    b, se, t = (Printed.read(v) for v in (b, se, t))
    if se.high <= 0:
        raise DataError(f"a standard error is positive, and {where or 'this one'} is printed as {se.text}")
    sign = -1.0 if t.value >= 0 and b.value < 0 else 1.0  # many papers print t without its sign
    corners = [sign * x / s for x in (b.low, b.high) for s in (max(se.low, SLACK), se.high)]
    low, high, value = min(corners), max(corners), sign * b.value / se.value if se.value else math.inf
    size = f"|{b.text}|" if sign < 0 else b.text
    return judged(
        "t = b / se",
        where,
        t,
        value,
        low,
        high,
        f"{size} / {se.text} = {value:.3f}; rounding allows {low:.3f} to {high:.3f}; printed {t.text}",
    )


def p_value(t, p, df: float | None = None, where: str = "") -> Check:
    """Two-sided p from t: normal (as structural-model programs print) or, with ``df``, also Student's t."""
    t, p = Printed.read(t), Printed.read(p)
    small, large = sorted((abs(t.low), abs(t.high)))
    if t.low <= 0 <= t.high:
        small = 0.0
    low, high, value = 2 * ndtr(-large), 2 * ndtr(-small), 2 * ndtr(-abs(t.value))
    if df is not None:
        high = max(high, 2 * stdtr(df, -small))
    return judged(
        "p from t",
        where,
        p,
        value,
        low,
        high,
        f"2 P(Z > {abs(t.value):g}) = {value:.4f}; rounding allows {low:.4f} to {high:.4f}; printed {p.text}",
    )


def stars(t, flag: str, df: float | None = None, where: str = "", legend: dict | None = None) -> Check:
    """Stars from t, under the usual legend (* .05, ** .01, *** .001) unless another is given."""
    t, legend = Printed.read(t), STARS if legend is None else legend
    flag = str(flag).strip().lower().replace("n.s.", "ns").replace("n.s", "ns") or "ns"
    if flag not in legend:
        raise DataError(f"flag {flag!r} is not in the legend: {', '.join(legend)}")
    a, b = sorted((abs(t.low), abs(t.high)))
    tail = (lambda v: 2 * stdtr(df, -v)) if df is not None else (lambda v: 2 * ndtr(-v))
    low, high, value = float(tail(b)), float(tail(a)), float(tail(abs(t.value)))
    p_from, p_to = legend[flag]
    ok = low < p_to + SLACK and high >= p_from - SLACK
    return check_row(
        "stars from t",
        where,
        np.nan,
        value,
        low,
        high,
        CONSISTENT if ok else INCONSISTENT,
        f"t = {t.text} gives p = {value:.4f}; printed {flag!r} says {p_from:g} to {p_to:g}",
    )


def chisq_ratio(chisq, df, ratio, where: str = "") -> Check:
    """Chi-square over its degrees of freedom."""
    chisq, ratio, df = Printed.read(chisq), Printed.read(ratio), float(str(df))
    value = chisq.value / df
    return judged(
        "chi-square / df",
        where,
        ratio,
        value,
        chisq.low / df,
        chisq.high / df,
        f"{chisq.text} / {df:g} = {value:.4f}; printed {ratio.text}",
    )


def rmsea(chisq, df, n, value, where: str = "") -> Check:
    """RMSEA from chi-square; both divisors in use, n - 1 and n, are tried."""
    chisq, value, df, n = Printed.read(chisq), Printed.read(value), float(str(df)), float(n)

    def one(c, m):
        return math.sqrt(max(c - df, 0) / (df * m))

    low, high, mid = one(chisq.low, n), one(chisq.high, n - 1), one(chisq.value, n - 1)
    return judged(
        "RMSEA from chi-square",
        where,
        value,
        mid,
        low,
        high,
        f"sqrt(({chisq.text} - {df:g}) / ({df:g} x {n - 1:g})) = {mid:.4f}; printed {value.text}",
    )


def composite_reliability(loadings, cr, where: str = "") -> Check:
    """CR = (sum of loadings)^2 / ((sum of loadings)^2 + sum of (1 - loading^2))."""
    lam, cr = [Printed.read(v) for v in loadings], Printed.read(cr)

    def one(values):
        total = sum(values) ** 2
        return total / (total + sum(1 - v * v for v in values))

    low, high, value = (one([f(v) for v in lam]) for f in (lambda v: v.low, lambda v: v.high, lambda v: v.value))
    s = sum(v.value for v in lam)
    e = sum(1 - v.value**2 for v in lam)
    return judged(
        "CR from loadings",
        where,
        cr,
        value,
        min(low, high),
        max(low, high),
        f"{s:.3f}^2 / ({s:.3f}^2 + {e:.3f}) = {value:.4f}; rounding allows {low:.4f} to {high:.4f}; printed {cr.text}",
    )


def average_variance(loadings, ave, where: str = "") -> Check:
    """AVE = mean of the squared loadings."""
    lam, ave = [Printed.read(v) for v in loadings], Printed.read(ave)
    value = sum(v.value**2 for v in lam) / len(lam)
    low = sum(0 if v.low * v.high < 0 else min(v.low**2, v.high**2) for v in lam) / len(lam)
    high = sum(max(v.low**2, v.high**2) for v in lam) / len(lam)
    text = " + ".join(f"{v.text}^2" for v in lam)
    return judged(
        "AVE from loadings",
        where,
        ave,
        value,
        low,
        high,
        f"({text}) / {len(lam)} = {value:.4f}; rounding allows {low:.4f} to {high:.4f}; printed {ave.text}",
    )


def r2_range(betas, r2, where: str = "", percent: bool = False) -> Check:
    """Smallest and largest R2 that standardised slopes allow, whatever the predictors' correlations.

    R2 = b' R b. It is largest when the correlations are +-1 with the signs of the slopes: (sum of |b|)^2; smallest
    when the slopes cancel as far as they can: (largest |b| - the others)^2, or 0.
    """
    b, r2 = [Printed.read(v) for v in betas], Printed.read(r2)
    unit = 100.0 if percent else 1.0
    highs = [abs(v.value) + v.half for v in b]
    lows = [max(abs(v.value) - v.half, 0) for v in b]
    high = min(sum(highs) ** 2, 1.0)
    low = max((max(lo - (sum(highs) - hi) for lo, hi in zip(lows, highs, strict=True))), 0) ** 2
    value = min(sum(abs(v.value) for v in b) ** 2, 1.0)
    if len(b) == 1:
        text = f"one predictor: {b[0].text}^2 = {value:.4f}; rounding allows {low:.4f} to {high:.4f}"
    else:
        inner = " + ".join(f"|{v.text}|" for v in b)
        text = f"largest possible ({inner})^2 = {value:.4f}{' (no more than 1)' if value == 1 else ''}; "
        text += f"with rounding the slopes allow {low:.4f} to {high:.4f}"
    return judged(
        "largest R2 the slopes allow",
        where,
        r2,
        value * unit,
        low * unit,
        high * unit,
        f"{text}; printed {r2.text}{' percent' if percent else ''}",
    )


def grim(mean, n: int, items: int = 1, where: str = "") -> Check | None:
    """GRIM (Brown & Heathers 2017): can a mean of n integer answers be printed like this?

    Parameters
    ----------
    mean : as printed
    n : people
    items : items averaged in the score

    Returns
    -------
    A row, or None where every mean is possible (n x items is larger than the number of printed steps).
    """
    mean, total = Printed.read(mean), int(n) * int(items)
    if total >= 10**mean.decimals:
        return None
    lowest, highest = math.ceil(mean.low * total - 1e-9), math.floor(mean.high * total + 1e-9)
    ok = lowest <= highest
    near = round(mean.value * total)
    if ok:
        text = f"{near} / {total} = {near / total:.{mean.decimals + 1}f}"
    else:
        below = math.floor(mean.value * total)
        shown = " and ".join(f"{k} / {total} = {k / total:.{mean.decimals + 1}f}" for k in (below, below + 1))
        fewer = next(
            (
                m
                for m in range(int(n) - 1, 0, -1)
                if math.ceil(mean.low * m * items - 1e-9) <= math.floor(mean.high * m * items + 1e-9)
            ),
            None,
        )
        text = (
            f"{shown}: no whole sum of {total} answers gives {mean.text}; "
            f"it could be where some did not answer ({fewer} people would do)"
        )
    return check_row(
        "GRIM",
        where,
        mean,
        near / total,
        near / total,
        near / total,
        CONSISTENT if ok else INCONSISTENT,
        text,
    )


def sd_range(mean, sd, n: int, low: float, high: float, where: str = "") -> Check:
    """Standard deviation possible for a mean of whole answers between ``low`` and ``high``."""
    mean, sd, n = Printed.read(mean), Printed.read(sd), int(n)

    def most(m):
        return math.sqrt(max((high - m) * (m - low), 0) * n / (n - 1))

    def least(m):
        return math.sqrt((math.ceil(m) - m) * (m - math.floor(m)) * n / (n - 1))

    middle = min(max((low + high) / 2, mean.low), mean.high)
    top = most(middle)
    bottom = min(least(mean.low), least(mean.high)) if math.floor(mean.low) == math.floor(mean.high) else 0.0
    value = most(mean.value)
    return judged(
        "SD possible",
        where,
        sd,
        value,
        bottom,
        top,
        f"answers {low:g} to {high:g} with mean {mean.text} have an SD of {bottom:.3f} to {top:.3f}; printed {sd.text}",
    )


def interval(estimate, low, high, where: str = "") -> Check:
    """Whether an interval's ends are in order and hold the estimate."""
    e, a, b = (Printed.read(v) for v in (estimate, low, high))
    ok = a.low <= b.high and e.high >= a.low and e.low <= b.high
    return check_row(
        "interval holds the estimate",
        where,
        e,
        e.value,
        a.value,
        b.value,
        CONSISTENT if ok else INCONSISTENT,
        f"{a.text} <= {e.text} <= {b.text}" if ok else f"{e.text} is not between {a.text} and {b.text}",
    )


def reliability_order(values: dict[str, object], where: str = "") -> list[Check]:
    """Shares must lie in 0..1, and CR cannot be smaller than AVE (equal loadings make it larger, never smaller)."""
    rows = []
    printed = {k: Printed.read(v) for k, v in values.items()}
    if "cr" in printed and "ave" in printed:
        cr, ave = printed["cr"], printed["ave"]
        ok = cr.high >= ave.low
        rows.append(
            check_row(
                "CR at least AVE",
                where,
                cr,
                ave.value,
                ave.low,
                1.0,
                CONSISTENT if ok else INCONSISTENT,
                f"CR {cr.text} {'>=' if ok else '<'} AVE {ave.text}",
            )
        )
    return rows


def average_variance_limit(cr, ave, items: int, where: str = "") -> Check:
    """CR is largest when all loadings are equal: k AVE / (k AVE + 1 - AVE)."""
    cr, ave, k = Printed.read(cr), Printed.read(ave), int(items)

    def most(a):
        return k * a / (k * a + 1 - a)

    return judged(
        "CR possible for AVE", where, cr, most(ave.value), ave.low, most(min(ave.high, 1.0)),
        f"{k} items with AVE {ave.text} have a CR of at most {most(ave.value):.4f} "
        f"(rounding allows {most(min(ave.high, 1.0)):.4f}); printed {cr.text}",
    )  # fmt: skip


def adjusted_r2(r2, adjusted, n: float, predictors: int, where: str = "") -> Check:
    """Adjusted R2 = 1 - (1 - R2) (n - 1) / (n - k - 1)."""
    r2, adjusted = Printed.read(r2), Printed.read(adjusted)
    ratio = (n - 1) / (n - predictors - 1)
    value, low, high = (1 - (1 - v) * ratio for v in (r2.value, r2.low, r2.high))
    text = f"1 - (1 - {r2.text}) x {n - 1:g} / {n - predictors - 1:g} = {value:.4f}; printed {adjusted.text}"
    return judged("adjusted R2", where, adjusted, value, low, high, text)


def difference(first, second, printed, where: str = "") -> Check:
    """A printed difference of two printed numbers, in either order."""
    a, b, d = (Printed.read(v) for v in (first, second, printed))
    sign = 1 if (a.value - b.value) * d.value >= 0 else -1
    value, reach = sign * (a.value - b.value), a.half + b.half
    text = f"{a.text} - {b.text} = {a.value - b.value:g}; rounding allows {reach:g} either way; printed {d.text}"
    return judged("difference", where, d, value, value - reach, value + reach, text)


def percentage(count, total, printed, where: str = "") -> Check:
    """A percentage of people: some whole number of them must be printed like this."""
    share, n = Printed.read(printed), int(float(str(total)))
    if str(count).strip():
        k = int(float(str(count)))
        value = 100 * k / n
        text = f"{k} / {n} = {value:.{share.decimals + 2}f} %; printed {share.text}"
        return judged("percentage", where, share, value, value, value, text)
    k = round(share.value * n / 100)
    ways = [j for j in (k - 1, k, k + 1) if share.allows(100 * j / n, 100 * j / n)]
    value = 100 * (ways[0] if ways else k) / n
    text = f"{ways[0] if ways else k} / {n} = {value:.{share.decimals + 2}f} %; printed {share.text}"
    return check_row("percentage", where, share, value, value, value, CONSISTENT if ways else INCONSISTENT, text)


_TESTS = {
    "t": lambda v, a, b: 2 * stdtr(a, -abs(v)),
    "z": lambda v, a, b: 2 * ndtr(-abs(v)),
    "f": lambda v, a, b: fdtrc(a, b, max(v, 0)),
    "chi2": lambda v, a, b: chdtrc(a, max(v, 0)),
    "r": lambda v, a, b: 2 * stdtr(a, -abs(v) * math.sqrt(a / max(1 - v * v, 1e-300))),
}


def p_of_test(kind: str, statistic, p, df1: float | None = None, df2: float | None = None, where: str = "") -> Check:
    """p from a test statistic and its degrees of freedom, as statcheck does (Nuijten et al. 2016).

    Parameters
    ----------
    kind : ``t``, ``z``, ``F``, ``chi2`` or ``r``
    statistic, p : as printed; p may be a bound (``< .05``)
    df1, df2 : degrees of freedom, as the test has them
    """
    name = {"χ2": "chi2", "chisq": "chi2", "χ²": "chi2", "chi-square": "chi2"}.get(kind.lower(), kind.lower())
    if name not in _TESTS:
        raise DataError(f"the test {kind!r} is not one of t, z, F, chi2, r")
    if (name != "z" and df1 is None) or (name == "f" and df2 is None):
        raise DataError(f"{kind} = {statistic} needs its degrees of freedom")
    v, printed = Printed.read(statistic), Printed.read(p)
    near, far = sorted((abs(v.low), abs(v.high)))
    if v.low <= 0 <= v.high:
        near = 0.0
    value, high, low = (float(_TESTS[name](x, df1, df2)) for x in (abs(v.value), near, far))
    shown = kind + (f"({', '.join(f'{d:g}' for d in (df1, df2) if d is not None)})" if df1 is not None else "")
    text = (
        f"{shown} = {v.text} gives p = {value:.4g}; rounding allows {low:.4g} to {high:.4g}; printed p {printed.text}"
    )
    found = judged("p of the test", where or shown, printed, value, low, high, text)
    if not found.ok and printed.allows(low / 2, high / 2):
        found = replace(found, arithmetic=found.arithmetic + " (half of it, a one-sided test, would do)")
    return found


_REPORTED = re.compile(
    r"(?P<kind>\b[tzFr]|χ2|χ²|chi2|chi-square)\s*(\(\s*(?P<df1>\d+\.?\d*)\s*(,\s*(?P<df2>\d+\.?\d*)|,\s*N\s*=\s*\d+)?\s*\))?"
    r"\s*=\s*(?P<value>[-−]?\d*\.?\d+)\s*[,;]\s*p\s*(?P<p>[<=]\s*\d?\.\d+)"
)


def tests_in_text(text: str) -> list[Check]:
    """Every test in a text that is printed like ``t(28) = 2.20, p = .036``, checked."""
    rows = []
    for m in _REPORTED.finditer(text):
        if m["kind"] != "z" and m["df1"] is None:
            continue
        value = m["value"].replace("−", "-")
        df1, df2 = (float(m[k]) if m[k] else None for k in ("df1", "df2"))
        rows.append(p_of_test(m["kind"], value, m["p"].replace("=", "").strip(), df1, df2, m[0]))
    return rows
