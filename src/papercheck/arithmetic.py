"""Does a printed number follow from those beside it: one formula a function.

Each function gives a :class:`Reproduction`: the value, what rounding of the inputs allows, and the sum, to be redone
with a pocket calculator. Whether the printed number agrees is said in one place, :func:`~.board.judge`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import chdtrc, fdtrc, ndtr, stdtr

from switchcost.core.errors import DataError

from .printed import SLACK, Printed
from .reproduction import Reproduction

Number = Printed | str | float

#: What stars say about p, from and below; the usual legend.
STARS = {"***": (0.0, 0.001), "**": (0.001, 0.01), "*": (0.01, 0.05), "ns": (0.05, 1.0)}


def _found(how: str, arithmetic: str, value: float, ends: Sequence[float], printed: Printed) -> Reproduction:
    low, high = float(min(ends)), float(max(ends))
    d = min(max(printed.decimals + 1, 3), 8)
    why = f"{arithmetic} = {value:.{d}f}; rounding allows {low:.{d}f} to {high:.{d}f}; printed {printed.text}"
    return Reproduction(float(value), "printed", how, (low, high), why=why)


def limit(ok: bool, value: float, how: str, why: str, missing: str, basis: str = "printed") -> Reproduction:
    """A limit that a number has to keep: broken, the number is impossible; kept, it still cannot be computed."""
    if ok:
        return Reproduction(why=f"{missing} (possible: {why})")
    return Reproduction(float(value), basis, how, why=why, impossible=True)


def t_ratio(b: Number, se: Number, t: Number) -> Reproduction:
    """t = b / se."""
    b, se, t = Printed.read(b), Printed.read(se), Printed.read(t)
    if se.high <= 0:
        raise DataError(f"a standard error is positive, and beside t = {t.text} it is printed as {se.text}")
    sign = -1.0 if t.value >= 0 and b.value < 0 else 1.0  # many papers print t without its sign
    corners = [sign * x / s for x in (b.low, b.high) for s in (max(se.low, SLACK), se.high)]
    value = sign * b.value / se.value if se.value else math.inf
    return _found("estimate / se", f"{f'|{b.text}|' if sign < 0 else b.text} / {se.text}", value, corners, t)


def p_value(t: Number, p: Number, df: float | None = None) -> Reproduction:
    """Two-sided p from t: normal, as structural-model programs print it, or (with ``df``) Student's as well."""
    t, p = Printed.read(t), Printed.read(p)
    small, large = _size(t)
    ends = [2 * ndtr(-large), 2 * ndtr(-small), *([2 * stdtr(df, -small)] if df is not None else [])]
    how = "two-sided normal p of the printed t"
    if df is None and not p.allows(min(ends), max(ends)) and p.allows(min(ends), 2 * stdtr(1, -small)):
        few = next(d for d in range(1000, 0, -1) if d == 1 or p.allows(2 * stdtr(d, -large), 2 * stdtr(d, -small)))
        return Reproduction(why=f"needs n: p = {p.text} is that of t = {t.text} on about {few} degrees of freedom")
    return _found(how, f"2 P(Z > {abs(t.value):g})", 2 * ndtr(-abs(t.value)), ends, p)


def _size(t: Printed) -> tuple[float, float]:
    """Smallest and largest absolute value behind a printed number."""
    small, large = sorted((abs(t.low), abs(t.high)))
    return (0.0 if t.low <= 0 <= t.high else small), large


def stars(t: Number, flag: str, df: float | None = None) -> Reproduction:
    """t beside its stars (* p < .05, ** .01, *** .001)."""
    t, flag = Printed.read(t), flag.strip().lower().replace("n.s.", "ns").replace("n.s", "ns") or "ns"
    if flag not in STARS:
        raise DataError(f"flag {flag!r} is not in the legend: {', '.join(STARS)}")
    small, large = _size(t)
    low, value = (float(2 * (ndtr(-v) if df is None else stdtr(df, -v))) for v in (large, abs(t.value)))
    high = float(2 * stdtr(df or 1, -small))  # the sample may be small where n is not known
    p_from, p_to = STARS[flag]
    why = f"t = {t.text} gives p = {value:.4f}, and {flag!r} says {p_from:g} to {p_to:g}"
    return limit(
        low < p_to + SLACK and high >= p_from - SLACK, t.value, "t against its stars", why, "needs the standard error"
    )


def chisq_ratio(chisq: Number, df: float, ratio: Number) -> Reproduction:
    """Chi-square over its degrees of freedom."""
    chisq, ratio = Printed.read(chisq), Printed.read(ratio)
    ends = (chisq.low / df, chisq.high / df)
    return _found("chi-square / df", f"{chisq.text} / {df:g}", chisq.value / df, ends, ratio)


def rmsea(chisq: Number, df: float, n: float, value: Number) -> Reproduction:
    """RMSEA from chi-square; both divisors in use, n - 1 and n, are tried."""
    chisq, value = Printed.read(chisq), Printed.read(value)

    def one(c: float, m: float) -> float:
        return math.sqrt(max(c - df, 0) / (df * m))

    ends, text = (one(chisq.low, n), one(chisq.high, n - 1)), f"sqrt(({chisq.text} - {df:g}) / ({df:g} x {n - 1:g}))"
    return _found(f"from chi-square and n = {n:g}", text, one(chisq.value, n - 1), ends, value)


def composite_reliability(loadings: Sequence[Number], cr: Number) -> Reproduction:
    """CR = (sum of loadings)^2 / ((sum of loadings)^2 + sum of (1 - loading^2))."""
    lam, cr = [Printed.read(v) for v in loadings], Printed.read(cr)

    def one(values: list[float]) -> float:
        return sum(values) ** 2 / (sum(values) ** 2 + sum(1 - v * v for v in values))

    middle = [v.value for v in lam]
    s, e = sum(middle), sum(1 - v**2 for v in middle)
    ends = one([v.low for v in lam]), one([v.high for v in lam])
    return _found("from the printed loadings", f"{s:.3f}^2 / ({s:.3f}^2 + {e:.3f})", one(middle), ends, cr)


def average_variance(loadings: Sequence[Number], ave: Number) -> Reproduction:
    """AVE = mean of the squared loadings."""
    lam, ave = [Printed.read(v) for v in loadings], Printed.read(ave)
    ends = [sum(_size(v)[k] ** 2 for v in lam) / len(lam) for k in (0, 1)]
    text = f"({' + '.join(f'{v.text}^2' for v in lam)}) / {len(lam)}"
    how = "mean of the squared printed loadings"
    return _found(how, text, sum(v.value**2 for v in lam) / len(lam), ends, ave)


def r2_range(betas: Sequence[Number], r2: Number, unit: float = 1.0) -> Reproduction:
    """Smallest and largest R2 that standardised slopes allow, whatever the predictors' correlations.

    R2 = b' R b. It is largest when the correlations are +-1 with the signs of the slopes: (sum of |b|)^2; smallest
    when the slopes cancel as far as they can: (largest |b| - the others)^2, or 0. ``unit`` is 100 for percent.
    """
    b, r2 = [Printed.read(v) for v in betas], Printed.read(r2)
    highs, lows = [abs(v.value) + v.half for v in b], [max(abs(v.value) - v.half, 0) for v in b]
    high = unit * min(sum(highs) ** 2, 1.0)
    low = unit * max((max(lo - (sum(highs) - hi) for lo, hi in zip(lows, highs, strict=True))), 0) ** 2
    why = f"the slopes {' '.join(v.text for v in b)} allow an R2 of {low:.3f} to {high:.3f}; printed {r2.text}"
    nearest = min(max(r2.value, low), high)
    return limit(r2.allows(low, high), nearest, "R2 that the slopes allow", why, "needs the correlations of the causes")


def grim(mean: Number, n: int, items: int = 1) -> Reproduction | None:
    """GRIM (Brown & Heathers 2017): can a mean of n integer answers be printed like this?

    Parameters
    ----------
    mean : str or Printed
        As printed.
    n : int
        People; that all of them answered is an assumption.
    items : int, default 1
        Items averaged in the score.

    Returns
    -------
    Reproduction or None
        None where every mean is possible (n x items is larger than the number of printed steps).
    """
    mean, total = Printed.read(mean), int(n) * int(items)
    if total >= 10**mean.decimals:
        return None

    def sums(people: int) -> tuple[int, int]:
        k = people * items
        return math.ceil(mean.low * k - SLACK), math.floor(mean.high * k + SLACK)

    near, d = round(mean.value * total), mean.decimals + 1
    lowest, highest = sums(int(n))
    text = f"{near} / {total} = {near / total:.{d}f}"
    if lowest > highest:
        below = math.floor(mean.value * total)
        shown = " and ".join(f"{k} / {total} = {k / total:.{d}f}" for k in (below, below + 1))
        fewer = next((m for m in range(int(n) - 1, 0, -1) if sums(m)[0] <= sums(m)[1]), None)
        text = f"GRIM: {shown}: no whole sum of {total} answers gives {mean.text}. Assumed: all {n} people answered"
        text += f" ({fewer} would do)" if fewer else ""
    how, missing = "GRIM: a mean of whole answers", "needs the answers"
    return limit(lowest <= highest, near / total, how, text, missing, "assumed")


def sd_range(mean: Number, sd: Number, n: int, low: float, high: float, items: int | None = 1) -> Reproduction:
    """Standard deviation possible for a mean of whole answers between ``low`` and ``high``.

    ``items`` whole answers are averaged in each person's score; None where that is not known: then there is no least
    standard deviation.
    """
    mean, sd, n = Printed.read(mean), Printed.read(sd), int(n)

    def most(m: float) -> float:
        return math.sqrt(max((high - m) * (m - low), 0) * n / (n - 1))

    def least(m: float) -> float:
        k = m * (items or 1)
        return math.sqrt((math.ceil(k) - k) * (k - math.floor(k)) * n / (n - 1)) / (items or 1)

    top = most(min(max((low + high) / 2, mean.low), mean.high))
    within = items and math.floor(mean.low * items) == math.floor(mean.high * items)
    bottom = min(least(mean.low), least(mean.high)) if within else 0.0
    why = f"whole numbers from {low:g} to {high:g} with mean {mean.text} have an SD of {bottom:.3f} to {top:.3f}; printed {sd.text}"
    nearest = min(max(sd.value, bottom), top)
    return limit(sd.allows(bottom, top), nearest, "SD that the mean allows", why, "needs the answers")


def interval(estimate: Number, low: Number, high: Number) -> Reproduction:
    """An interval holds its estimate."""
    e, a, b = Printed.read(estimate), Printed.read(low), Printed.read(high)
    ok = a.low <= b.high and e.high >= a.low and e.low <= b.high
    why = f"{e.text} is {'' if ok else 'not '}between {a.text} and {b.text}"
    return limit(ok, min(max(e.value, a.value), b.value), "an interval holds its estimate", why, "needs the answers")


def reliability_limit(cr: Number, ave: Number, items: int | None = None) -> Reproduction:
    """CR is at least AVE, and largest when all loadings are equal: k AVE / (k AVE + 1 - AVE)."""
    cr, ave = Printed.read(cr), Printed.read(ave)

    def most(a: float) -> float:
        return items * a / (items * a + 1 - a) if items else 1.0

    top = most(min(ave.high, 1.0))
    why = f"AVE {ave.text} needs a CR of at least {ave.low:.4f}; printed {cr.text}"
    if items and cr.high >= ave.low:
        why = f"{items} items with AVE {ave.text} have a CR of at most {most(ave.value):.4f} "
        why += f"(rounding allows {top:.4f}); printed {cr.text}"
    nearest = ave.value if cr.high < ave.low else most(ave.value)
    return limit(cr.allows(ave.low, top), nearest, "CR that AVE allows", why, "needs the loadings")


def adjusted_r2(r2: Number, adjusted: Number, n: float, predictors: int) -> Reproduction:
    """Adjusted R2 = 1 - (1 - R2) (n - 1) / (n - k - 1)."""
    r2, adjusted = Printed.read(r2), Printed.read(adjusted)
    ratio = (n - 1) / (n - predictors - 1)
    value, *ends = (1 - (1 - v) * ratio for v in (r2.value, r2.low, r2.high))
    text = f"1 - (1 - {r2.text}) x {n - 1:g} / {n - predictors - 1:g}"
    return _found("adjusted R2 from R2", text, value, ends, adjusted)


def difference(first: Number, second: Number, printed: Number) -> Reproduction:
    """A printed difference of two printed numbers, in either order."""
    a, b, d = Printed.read(first), Printed.read(second), Printed.read(printed)
    if (a.value - b.value) * d.value < 0:
        a, b = b, a
    value, reach = a.value - b.value, a.half + b.half
    return _found("difference", f"{a.text} - {b.text}", value, (value - reach, value + reach), d)


def percentage(count: str, total: float, printed: Number) -> Reproduction:
    """A percentage of people: the count, or some whole number, of them must be printed like this."""
    share, n = Printed.read(printed), float(total)
    if count:
        value = 100 * float(count) / n
        return _found("count / total", f"100 x {count} / {n:g}", value, (value, value), share)
    k = round(share.value * n / 100)
    ways = [j for j in (k - 1, k, k + 1) if share.allows(100 * j / n, 100 * j / n)]
    k = ways[0] if ways else k
    why = f"{k} / {n:g} = {100 * k / n:.{share.decimals + 2}f} %; printed {share.text}"
    return limit(bool(ways), 100 * k / n, "percent of whole people", why, "needs the count")


_TESTS = {
    "t": lambda v, a, b: 2 * stdtr(a, -abs(v)),
    "z": lambda v, a, b: 2 * ndtr(-abs(v)),
    "f": lambda v, a, b: fdtrc(a, b, max(v, 0)),
    "chi2": lambda v, a, b: chdtrc(a, max(v, 0)),
    "r": lambda v, a, b: 2 * stdtr(a, -abs(v) * math.sqrt(a / max(1 - v * v, 1e-300))),
}


def p_of_test(
    kind: str, statistic: Number, p: Number, df1: float | None = None, df2: float | None = None
) -> Reproduction:
    """p from a test statistic and its degrees of freedom, as statcheck does (Nuijten et al. 2016).

    Parameters
    ----------
    kind : str
        ``t``, ``z``, ``F``, ``chi2`` or ``r``.
    statistic, p : str or Printed
        As printed; p may be a bound (``< .05``).
    df1, df2 : float, optional
        Degrees of freedom, as the test has them.
    """
    name = {"χ2": "chi2", "chisq": "chi2", "χ²": "chi2", "chi-square": "chi2"}.get(kind.lower(), kind.lower())
    if name not in _TESTS:
        raise DataError(f"the test {kind!r} is not one of t, z, F, chi2, r")
    if (name != "z" and df1 is None) or (name == "f" and df2 is None):
        raise DataError(f"{kind} = {statistic} needs its degrees of freedom")
    v, printed = Printed.read(statistic), Printed.read(p)
    value, high, low = (float(_TESTS[name](x, df1, df2)) for x in (abs(v.value), *_size(v)))
    shown = kind + (f"({', '.join(f'{d:g}' for d in (df1, df2) if d is not None)})" if df1 is not None else "")
    why = f"{shown} = {v.text} gives p = {value:.4g}; rounding allows {low:.4g} to {high:.4g}; printed p {printed.text}"
    if name in ("t", "z", "r") and not printed.allows(low, high) and printed.allows(low / 2, high / 2):
        why += " (half of it, a one-sided test, would do)"
    return Reproduction(value, "printed", f"p of {shown}", (low, high), why=why)
