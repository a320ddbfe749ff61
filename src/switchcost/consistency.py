"""Checks of a printed table against itself: could all of these numbers be true at once?

Printed numbers are rounded. A finding is reported only where *no* unrounded values inside the printed precision
could give what is printed. Every row shows its sum, so that a reader can redo it with a pocket calculator.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, stdtr

from . import _checks, data, matrices

COLUMNS = ["study", "check", "where", "printed", "recomputed", "low", "high", "verdict", "arithmetic"]
CONSISTENT, INCONSISTENT, NOT_A_TEST = "consistent", "inconsistent", "not a valid test"
_ORDER = {INCONSISTENT: 0, NOT_A_TEST: 1, CONSISTENT: 2}
_SLACK = 1e-9  # for the binary representation of decimal halves, not for the authors
STARS = {"***": (0.0, 0.001), "**": (0.001, 0.01), "*": (0.01, 0.05), "ns": (0.05, 1.0)}


@dataclass(frozen=True)
class Printed:
    """A printed number and the interval of unrounded values behind it.

    Examples
    --------
    >>> Printed.read(".310")
    .310 (0.3095 to 0.3105)
    """

    text: str
    value: float
    decimals: int

    @classmethod
    def read(cls, number, decimals: int | None = None) -> Printed:
        """Read text as printed, or a float (then ``decimals`` should be given: 0.31 may have been .310)."""
        if isinstance(number, Printed):
            return number
        text = str(number).strip()
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"{text!r} is not a printed number") from None
        shown = len(text.split(".")[1]) if "." in text and "e" not in text.lower() else 0
        return cls(text, value, shown if decimals is None else max(shown, decimals))

    @property
    def half(self) -> float:
        return 0.5 * 10.0**-self.decimals

    @property
    def low(self) -> float:
        return self.value - self.half

    @property
    def high(self) -> float:
        return self.value + self.half

    def allows(self, low: float, high: float) -> bool:
        """Whether some value in [low, high] would be printed like this."""
        slack = _SLACK * max(1.0, abs(self.value))
        return low - slack <= self.high and high + slack >= self.low

    def __repr__(self) -> str:
        return f"{self.text} ({self.low:g} to {self.high:g})"


def _row(check, where, printed, recomputed, low, high, verdict, arithmetic, study="") -> dict:
    printed = printed.value if isinstance(printed, Printed) else printed
    return dict(
        zip(COLUMNS, [study, check, where, printed, recomputed, low, high, verdict, arithmetic], strict=True)
    )


def _judge(check, where, printed: Printed, recomputed, low, high, arithmetic) -> dict:
    ok = printed.allows(low, high)
    return _row(check, where, printed, recomputed, low, high, CONSISTENT if ok else INCONSISTENT, arithmetic)


def _frame(rows: Iterable[dict], study: str = "") -> pd.DataFrame:
    out = pd.DataFrame(list(rows), columns=COLUMNS)
    out["study"] = study
    out[["printed", "recomputed", "low", "high"]] = out[["printed", "recomputed", "low", "high"]].astype(
        float
    )
    return out.sort_values("verdict", key=lambda v: v.map(_ORDER), kind="stable").reset_index(drop=True)


# --- one check each ---------------------------------------------------------------------------------------------------
def t_ratio(b, se, t, where: str = "") -> dict:
    """t = b / se."""
    b, se, t = (Printed.read(v) for v in (b, se, t))
    if se.high <= 0:
        raise ValueError(f"a standard error is positive, and {where or 'this one'} is printed as {se.text}")
    sign = -1.0 if t.value >= 0 and b.value < 0 else 1.0  # many papers print t without its sign
    corners = [sign * x / s for x in (b.low, b.high) for s in (max(se.low, _SLACK), se.high)]
    low, high, value = min(corners), max(corners), sign * b.value / se.value if se.value else math.inf
    size = f"|{b.text}|" if sign < 0 else b.text
    return _judge(
        "t = b / se",
        where,
        t,
        value,
        low,
        high,
        f"{size} / {se.text} = {value:.3f}; rounding allows {low:.3f} to {high:.3f}; printed {t.text}",
    )


def p_value(t, p, df: float | None = None, where: str = "") -> dict:
    """Two-sided p from t: normal (as structural-model programs print) or, with ``df``, also Student's t."""
    t, p = Printed.read(t), Printed.read(p)
    small, large = sorted((abs(t.low), abs(t.high)))
    if t.low <= 0 <= t.high:
        small = 0.0
    low, high, value = 2 * ndtr(-large), 2 * ndtr(-small), 2 * ndtr(-abs(t.value))
    if df is not None:
        high = max(high, 2 * stdtr(df, -small))
    return _judge(
        "p from t",
        where,
        p,
        value,
        low,
        high,
        f"2 P(Z > {abs(t.value):g}) = {value:.4f}; rounding allows {low:.4f} to {high:.4f}; printed {p.text}",
    )


def stars(t, flag: str, df: float | None = None, where: str = "", legend: dict | None = None) -> dict:
    """Stars from t, under the usual legend (* .05, ** .01, *** .001) unless another is given."""
    t, legend = Printed.read(t), STARS if legend is None else legend
    flag = str(flag).strip().lower().replace("n.s.", "ns").replace("n.s", "ns") or "ns"
    if flag not in legend:
        raise ValueError(f"flag {flag!r} is not in the legend: {', '.join(legend)}")
    a, b = sorted((abs(t.low), abs(t.high)))
    tail = (lambda v: 2 * stdtr(df, -v)) if df is not None else (lambda v: 2 * ndtr(-v))
    low, high, value = float(tail(b)), float(tail(a)), float(tail(abs(t.value)))
    p_from, p_to = legend[flag]
    ok = low < p_to + _SLACK and high >= p_from - _SLACK
    return _row(
        "stars from t",
        where,
        np.nan,
        value,
        low,
        high,
        CONSISTENT if ok else INCONSISTENT,
        f"t = {t.text} gives p = {value:.4f}; printed {flag!r} says {p_from:g} to {p_to:g}",
    )


def chisq_ratio(chisq, df, ratio, where: str = "") -> dict:
    """Chi-square over its degrees of freedom."""
    chisq, ratio, df = Printed.read(chisq), Printed.read(ratio), float(str(df))
    value = chisq.value / df
    return _judge(
        "chi-square / df",
        where,
        ratio,
        value,
        chisq.low / df,
        chisq.high / df,
        f"{chisq.text} / {df:g} = {value:.4f}; printed {ratio.text}",
    )


def rmsea(chisq, df, n, value, where: str = "") -> dict:
    """RMSEA from chi-square; both divisors in use, n - 1 and n, are tried."""
    chisq, value, df, n = Printed.read(chisq), Printed.read(value), float(str(df)), float(n)

    def one(c, m):
        return math.sqrt(max(c - df, 0) / (df * m))

    low, high, mid = one(chisq.low, n), one(chisq.high, n - 1), one(chisq.value, n - 1)
    return _judge(
        "RMSEA from chi-square",
        where,
        value,
        mid,
        low,
        high,
        f"sqrt(({chisq.text} - {df:g}) / ({df:g} x {n - 1:g})) = {mid:.4f}; printed {value.text}",
    )


def baseline(chisq, df, indices: dict[str, object], where: str = "", most_items: int = 80) -> dict:
    """Whether NFI, CFI, TLI and IFI can come from one baseline model.

    Each printed index gives a range for the chi-square of the model without any relation. For the right number of
    items these ranges overlap. Searched: p (p - 1) / 2 degrees of freedom (variances free), and p (p + 1) / 2 (means
    fixed as well, as some programs count with missing data), p up to ``most_items``.
    """
    chisq, df = Printed.read(chisq), float(str(df))
    printed = {k.lower(): Printed.read(v) for k, v in indices.items()}
    unknown = sorted(set(printed) - {"nfi", "cfi", "tli", "ifi"})
    if unknown:
        raise ValueError(f"index {unknown[0]!r} is not one of nfi, cfi, tli, ifi")
    if len(printed) < 2:
        raise ValueError("two or more of nfi, cfi, tli, ifi are needed: one alone fits some baseline always")

    def needed(kind: str, index: float, c: float, base_df: float) -> float:
        rest = max(1 - index, 1e-12)
        if kind == "nfi":
            return c / rest
        if kind == "cfi":
            return base_df + max(c - df, 0) / rest
        if kind == "tli":
            return base_df * (1 + (c / df - 1) / rest)
        return (c - index * df) / rest

    found = []
    for items in range(3, most_items + 1):
        for base_df, how in ((items * (items - 1) // 2, ""), (items * (items + 1) // 2, ", means fixed")):
            if base_df <= df:
                continue
            ranges = [
                [needed(k, i, c, base_df) for i in (v.low, v.high) for c in (chisq.low, chisq.high)]
                for k, v in printed.items()
            ]
            low, high = max(map(min, ranges)), min(map(max, ranges))
            if low <= high * (1 + _SLACK):
                found.append((items, how, base_df, low, high))
    names = ", ".join(f"{k.upper()} {v.text}" for k, v in printed.items())
    if not found:
        return _row(
            "fit indices together",
            where,
            np.nan,
            np.nan,
            np.nan,
            np.nan,
            INCONSISTENT,
            f"no baseline model of 3 to {most_items} items gives {names} with chi-square {chisq.text} on {df:g} df",
        )
    shown = "; ".join(
        f"{items} items{how}: {base_df} df, chi-square {low:.1f} to {high:.1f}"
        for items, how, base_df, low, high in found[:4]
    )
    return _row(
        "fit indices together",
        where,
        np.nan,
        float(found[0][2]),
        np.nan,
        np.nan,
        CONSISTENT,
        f"{names} agree for a baseline of {shown}",
    )


def degrees_of_freedom(
    items: int, constructs: int, paths: Sequence[tuple[str, str]], df, where: str = ""
) -> dict:
    """Degrees of freedom of a structural model from its items, constructs and paths.

    Free are, for k constructs with p items: p - k loadings, p error variances, k (residual) variances, the paths, and
    up to all covariances of the exogenous constructs.
    """
    df, items = float(str(df)), int(items)
    targets = {t for _, t in paths}
    exogenous = [s for s in dict.fromkeys(s for s, _ in paths) if s not in targets]
    cov = len(exogenous) * (len(exogenous) - 1) // 2

    def expected(p):
        return p * (p + 1) // 2 - 2 * p - len(paths)

    high, low = expected(items), expected(items) - cov
    ok = low <= df <= high
    text = (
        f"{items} items: {items}x{items + 1}/2 = {items * (items + 1) // 2} moments - {2 * items} loadings and variances - "
        f"{len(paths)} paths - 0 to {cov} covariances of {', '.join(exogenous)} = {low} to {high}; printed {df:g}"
    )
    if not ok:
        would = [p for p in range(2, 200) if expected(p) - cov <= df <= expected(p)]
        exact = [p for p in would if expected(p) == df]
        if would:
            text += f"; {would[0]} items would give it" + (
                ", with the exogenous constructs left uncorrelated" if exact and cov else ""
            )
        if df > items * (items - 1) // 2:
            text += f"; even {items} items with no relation at all have only {items * (items - 1) // 2}"
    return _row(
        "df from the items", where, df, float(high), low, high, CONSISTENT if ok else INCONSISTENT, text
    )


def composite_reliability(loadings, cr, where: str = "") -> dict:
    """CR = (sum of loadings)^2 / ((sum of loadings)^2 + sum of (1 - loading^2))."""
    lam, cr = [Printed.read(v) for v in loadings], Printed.read(cr)

    def one(values):
        total = sum(values) ** 2
        return total / (total + sum(1 - v * v for v in values))

    low, high, value = (
        one([f(v) for v in lam]) for f in (lambda v: v.low, lambda v: v.high, lambda v: v.value)
    )
    s = sum(v.value for v in lam)
    e = sum(1 - v.value**2 for v in lam)
    return _judge(
        "CR from loadings",
        where,
        cr,
        value,
        min(low, high),
        max(low, high),
        f"{s:.3f}^2 / ({s:.3f}^2 + {e:.3f}) = {value:.4f}; rounding allows {low:.4f} to {high:.4f}; printed {cr.text}",
    )


def average_variance(loadings, ave, where: str = "") -> dict:
    """AVE = mean of the squared loadings."""
    lam, ave = [Printed.read(v) for v in loadings], Printed.read(ave)
    value = sum(v.value**2 for v in lam) / len(lam)
    low = sum(0 if v.low * v.high < 0 else min(v.low**2, v.high**2) for v in lam) / len(lam)
    high = sum(max(v.low**2, v.high**2) for v in lam) / len(lam)
    text = " + ".join(f"{v.text}^2" for v in lam)
    return _judge(
        "AVE from loadings",
        where,
        ave,
        value,
        low,
        high,
        f"({text}) / {len(lam)} = {value:.4f}; rounding allows {low:.4f} to {high:.4f}; printed {ave.text}",
    )


def r2_range(betas, r2, where: str = "", percent: bool = False) -> dict:
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
    return _judge(
        "largest R2 the slopes allow",
        where,
        r2,
        value * unit,
        low * unit,
        high * unit,
        f"{text}; printed {r2.text}{' percent' if percent else ''}",
    )


def r2_from_paths(
    paths: pd.DataFrame, r2: dict[str, object], where: str = "", beta: str = "beta"
) -> list[dict]:
    """R2 of each outcome of a recursive path model from its standardised paths alone.

    With one exogenous construct the paths imply every correlation. With two, one correlation is unknown: it is run
    through -1..1, and the row says which values would give the printed R2. More than two: nothing is returned.
    """
    table = [
        (str(f), str(t), Printed.read(b))
        for f, t, b in zip(paths["from"], paths["to"], paths[beta], strict=True)
    ]
    order = _causal_order([(f, t) for f, t, _ in table])
    if order is None:
        return []
    exogenous = [c for c in order if c not in {t for _, t, _ in table}]
    if len(exogenous) > 2:
        return []
    grid = np.array([0.0]) if len(exogenous) < 2 else np.linspace(-1, 1, 801)
    rng = np.random.default_rng(matrices.DEFAULT_SEED)
    m = len(table)
    signs = rng.choice((-1.0, 1.0), size=(150, m))
    shift = np.vstack([np.zeros((1, m)), signs, rng.uniform(-1, 1, size=(50, m))])
    values = np.array([b.value for *_, b in table]) + shift * np.array([b.half for *_, b in table])
    p = len(order)
    place = {c: i for i, c in enumerate(order)}
    corr = np.zeros((len(shift), len(grid), p, p))
    corr[..., range(p), range(p)] = 1.0
    if len(exogenous) == 2:
        i, j = (place[e] for e in exogenous)
        corr[..., i, j] = corr[..., j, i] = grid
    rows = []
    for outcome in order:
        members = [k for k, (_, t, _) in enumerate(table) if t == outcome]
        if not members:
            continue
        source = [place[table[k][0]] for k in members]
        slope = values[:, members]
        y = place[outcome]
        before = [place[c] for c in order[: order.index(outcome)]]
        implied = np.einsum("dk,dgkc->dgc", slope, corr[:, :, source][:, :, :, before])
        corr[:, :, y, before] = implied
        corr[:, :, before, y] = implied
        explained = np.einsum("dk,dgk->dg", slope, corr[:, :, y, source])
        if outcome not in r2:
            continue
        printed = Printed.read(r2[outcome])
        low, high = explained.min(axis=0), explained.max(axis=0)
        fits = np.array([printed.allows(a, b) for a, b in zip(low, high, strict=True)])
        best = int(np.argmin(np.abs(explained[0] - printed.value)))
        value = float(explained[0, best])
        if len(grid) == 1:
            text = f"the paths imply R2 = {value:.4f}; rounding allows {low[0]:.4f} to {high[0]:.4f}; printed {printed.text}"
            span = (low[0], high[0])
        else:
            pair = f"r({', '.join(exogenous)})"
            if fits.all():
                text = f"any {pair} gives R2 near {value:.4f}; printed {printed.text}"
            elif fits.any():
                a, b = grid[fits].min(), grid[fits].max()
                text = f"R2 = {printed.text} needs {pair} between {a:.2f} and {b:.2f}"
            else:
                text = f"whatever {pair}, R2 lies between {low.min():.4f} and {high.max():.4f}; printed {printed.text}"
            span = (low.min(), high.max())
        ok = bool(fits.any())
        rows.append(
            _row(
                "R2 from the paths",
                f"{where}{outcome}",
                printed,
                value,
                *span,
                CONSISTENT if ok else INCONSISTENT,
                text,
            )
        )
    return rows


def _causal_order(pairs: list[tuple[str, str]]) -> list[str] | None:
    """Constructs so that every arrow points forward; None when there is a loop."""
    nodes = list(dict.fromkeys(n for pair in pairs for n in pair))
    order: list[str] = []
    while len(order) < len(nodes):
        ready = [n for n in nodes if n not in order and all(s in order for s, t in pairs if t == n)]
        if not ready:
            return None
        order += ready
    return order


def standardisation(paths: pd.DataFrame, where: str = "") -> dict | None:
    """Whether unstandardised and standardised slopes of one model share one set of standard deviations.

    beta / b = sd(predictor) / sd(outcome). Several paths between the same constructs over-determine the ratios; a
    linear programme looks for standard deviations that satisfy all of them inside rounding.
    """
    from scipy.optimize import linprog

    names = list(dict.fromkeys([*paths["from"], *paths["to"]]))
    lower, upper, rows, used = [], [], [], []
    for f, t, b, beta in zip(paths["from"], paths["to"], paths["b"], paths["beta"], strict=True):
        b, beta = Printed.read(b), Printed.read(beta)
        if abs(b.value) <= 2 * b.half or abs(beta.value) <= 2 * beta.half:
            continue  # too few digits to say anything
        if b.value * beta.value < 0:
            return _row(
                "b against beta",
                where,
                np.nan,
                np.nan,
                np.nan,
                np.nan,
                INCONSISTENT,
                f"{f} -> {t}: b = {b.text} and beta = {beta.text} have opposite signs",
            )
        line = np.zeros(len(names))
        line[names.index(f)], line[names.index(t)] = 1, -1
        rows.append(line)
        lower.append(math.log((abs(beta.value) - beta.half) / (abs(b.value) + b.half)))
        upper.append(math.log((abs(beta.value) + beta.half) / (abs(b.value) - b.half)))
        used.append((f, t))
    loops = len(used) - len({n for pair in used for n in pair}) + 1
    if not used or loops < 1:
        return None
    a = np.array(rows)
    # Minimise the largest excess over the rounding limits; zero means that all can be met.
    out = linprog(
        np.r_[np.zeros(len(names)), 1.0],
        A_ub=np.c_[np.vstack([a, -a]), -np.ones(2 * len(a))],
        b_ub=np.r_[upper, -np.array(lower)],
        bounds=[(None, None)] * len(names) + [(0, None)],
    )
    excess = float(out.x[-1])
    ok = excess < 1e-7
    text = f"{len(used)} ratios beta / b, {loops} more than needed, " + (
        "fit one set of standard deviations"
        if ok
        else f"need standard deviations that differ from each other by {100 * math.expm1(excess):.1f} % beyond rounding"
    )
    return _row(
        "b against beta", where, np.nan, np.nan, np.nan, np.nan, CONSISTENT if ok else INCONSISTENT, text
    )


def correlations(table: pd.DataFrame, decimals: int, where: str = "") -> dict:
    """Whether a printed correlation matrix can be one: no combination of variables may have negative variance.

    Inconsistent only if every matrix within rounding has a negative eigenvalue: rounding moves an eigenvalue by at
    most (p - 1) half units.
    """
    matrix = matrices.correlation_matrix(table)
    values, vectors = np.linalg.eigh(matrix.to_numpy())
    reach = (len(matrix) - 1) * 0.5 * 10.0**-decimals
    ok = values[0] + reach >= 0
    order = np.argsort(-np.abs(vectors[:, 0]))[:4]
    blame = ", ".join(matrix.columns[i] for i in order)
    text = f"smallest eigenvalue {values[0]:.4f}; rounding moves it by at most {reach:.4f}"
    if not ok:
        text += f"; a combination of {blame} would have negative variance"
    return _row(
        "correlation matrix",
        where,
        np.nan,
        float(values[0]),
        values[0] - reach,
        values[0] + reach,
        CONSISTENT if ok else INCONSISTENT,
        text,
    )


def grim(mean, n: int, items: int = 1, where: str = "") -> dict | None:
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
    return _row(
        "GRIM",
        where,
        mean,
        near / total,
        near / total,
        near / total,
        CONSISTENT if ok else INCONSISTENT,
        text,
    )


def sd_range(mean, sd, n: int, low: float, high: float, where: str = "") -> dict:
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
    return _judge(
        "SD possible",
        where,
        sd,
        value,
        bottom,
        top,
        f"answers {low:g} to {high:g} with mean {mean.text} have an SD of {bottom:.3f} to {top:.3f}; printed {sd.text}",
    )


def chisq_difference(first: dict, second: dict, claimed=None, said: str = "", where: str = "") -> dict:
    """Is a difference of two chi-squares a test of nested models?

    Parameters
    ----------
    first, second : dict with ``name chisq df`` and, where known, ``n``
    claimed : the difference that the paper prints, optional
    said : ``"significant"`` or ``"not significant"``, what the paper concludes, optional

    Notes
    -----
    The difference is chi-square distributed only for two models fitted to the *same* data, one being the other with
    restrictions. Groups are compared by fitting one model to all groups at once, with and without equal paths.
    """
    a, b = Printed.read(first["chisq"]), Printed.read(second["chisq"])
    df1, df2 = float(str(first["df"])), float(str(second["df"]))
    if df2 > df1 or (df1 == df2 and b.value > a.value):
        return chisq_difference(second, first, claimed, said, where)
    value, df = a.value - b.value, df1 - df2
    low, high = a.low - b.high, a.high - b.low
    text = f"{a.text} - {b.text} = {value:.2f} on {df1:g} - {df2:g} = {df:g} df"
    verdict, reasons = CONSISTENT, []
    if claimed is not None and not Printed.read(claimed).allows(low, high):
        verdict = INCONSISTENT
        reasons.append(f"printed {claimed}")
    if first.get("n") is not None and second.get("n") is not None and str(first["n"]) != str(second["n"]):
        verdict = NOT_A_TEST
        reasons.append(
            f"the models were fitted to different samples (n {first['n']} and {second['n']}), "
            "so neither is a restriction of the other and the difference has no chi-square distribution"
        )
    if df > 0 and value > 0:
        p = float(chdtrc(df, value))
        reasons.append(f"taken at face value p = {p:.1g}")
        if said:
            if (said == "significant") != (p < 0.05):
                verdict = INCONSISTENT
                reasons.append(f"which the paper calls {said}")
    elif df == 0:
        reasons.append("0 df: no restriction to test")
    return _row(
        "chi-square difference",
        where or f"{first['name']} against {second['name']}",
        np.nan if claimed is None else Printed.read(claimed),
        value,
        low,
        high,
        verdict,
        "; ".join([text, *reasons]),
    )


def interval(estimate, low, high, where: str = "") -> dict:
    """Whether an interval's ends are in order and hold the estimate."""
    e, a, b = (Printed.read(v) for v in (estimate, low, high))
    ok = a.low <= b.high and e.high >= a.low and e.low <= b.high
    return _row(
        "interval holds the estimate",
        where,
        e,
        e.value,
        a.value,
        b.value,
        CONSISTENT if ok else INCONSISTENT,
        f"{a.text} <= {e.text} <= {b.text}" if ok else f"{e.text} is not between {a.text} and {b.text}",
    )


def reliability_order(values: dict[str, object], where: str = "") -> list[dict]:
    """Shares must lie in 0..1, and CR cannot be smaller than AVE (equal loadings make it larger, never smaller)."""
    rows = []
    printed = {k: Printed.read(v) for k, v in values.items()}
    if "cr" in printed and "ave" in printed:
        cr, ave = printed["cr"], printed["ave"]
        ok = cr.high >= ave.low
        rows.append(
            _row(
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


# --- whole tables -------------------------------------------------------------------------------------------------------
def _strings(table: pd.DataFrame) -> pd.DataFrame:
    """A table as text with the decimals of each column: floats take the largest number of decimals in their column."""
    out = {}
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_float_dtype(column):
            filled = column.dropna()
            places = max((len(repr(float(v)).split(".")[1].rstrip("0")) for v in filled), default=0)
            out[name] = ["" if pd.isna(v) else f"{v:.{places}f}" for v in column]
        else:
            out[name] = ["" if pd.isna(v) else str(v).strip() for v in column]
    return pd.DataFrame(out, index=table.index)


def _lower(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns=lambda c: str(c).strip().lower())


def _has(table: pd.DataFrame, *names: str) -> bool:
    return all(n in table.columns for n in names)


def _label(row, name: str, group_column: str = "group") -> str:
    group = f"{row[group_column]}: " if group_column in row and row[group_column] else ""
    path = (
        f"{row['from']} -> {row['to']}"
        if "from" in row and "to" in row
        else str(row.get("construct", row.get("item", "")))
    )
    return f"{name}, {group}{path}".strip(", ")


def check_table(
    table: pd.DataFrame,
    *,
    name: str = "table",
    n: float | dict | None = None,
    scale: tuple[float, float] | None = None,
    study: str = "",
) -> pd.DataFrame:
    """Run every check that the columns of one printed table allow.

    Parameters
    ----------
    table : DataFrame
        Text as printed, or floats (then a column's decimals are the most that occur in it). Read are these columns, in
        small or capital letters: ``from to b|path se t p p_flag beta``; ``chisq df n rmsea chisq_df nfi cfi tli ifi``;
        ``construct item loading(s) alpha cr ave mean sd``; ``estimate|value ci_lower ci_upper``; ``group``; or a
        square matrix of correlations.
    name : what the table is called in the column ``where``
    n : sample size, a number or {group: number}
    scale : lowest and highest possible answer, for means and standard deviations

    Returns
    -------
    DataFrame
        One row a check: ``study check where printed recomputed low high verdict arithmetic``, findings first.
        ``low`` and ``high`` bound what unrounded values could give; verdict is ``consistent``, ``inconsistent`` or
        ``not a valid test``.

    Raises
    ------
    ValueError
        No check applies to the columns.

    Examples
    --------
    >>> t = pd.DataFrame({"from": ["Value"], "to": ["Loyalty"], "b": [".30"], "se": [".10"], "t": ["4.10"]})
    >>> check_table(t)["arithmetic"].tolist()
    ['.30 / .10 = 3.000; rounding allows 2.810 to 3.211; printed 4.10']
    """
    table = _checks.frame(table, name)
    text = _strings(table)
    rows: list[dict] = []
    names = list(text.columns)
    if len(names) > 1 and set(map(str, text.index)) == set(names):
        text.insert(0, "construct", [str(v) for v in text.index])
        names = list(text.columns)
    if set(text.iloc[:, 0]) == set(names[1:]) and len(names) > 2:
        cells = text[names[1:]].to_numpy().ravel()
        places = max((Printed.read(v).decimals for v in cells if v), default=0)
        return _frame([correlations(text, places, name)], study)
    text = _lower(text)
    n_of = (lambda g: n.get(g)) if isinstance(n, dict) else (lambda g: n)

    slope = "b" if "b" in text else "path" if "path" in text else None
    for _, row in text.iterrows():
        where = _label(row, name)
        size = row.get("n") or n_of(row.get("group", ""))
        df_t = float(size) - 2 if size else None
        if slope and _has(text, "se", "t") and row[slope] and row["se"] and row["t"]:
            rows.append(t_ratio(row[slope], row["se"], row["t"], where))
        if _has(text, "t", "p") and row["t"] and row["p"]:
            rows.append(p_value(row["t"], row["p"], df_t, where))
        if _has(text, "t", "p_flag") and row["t"]:
            rows.append(stars(row["t"], row["p_flag"], df_t, where))
        if _has(text, "chisq", "df"):
            here = f"{name}, {row['group']}" if row.get("group") else name
            if row.get("chisq_df"):
                rows.append(chisq_ratio(row["chisq"], row["df"], row["chisq_df"], here))
            if row.get("rmsea") and size:
                rows.append(rmsea(row["chisq"], row["df"], size, row["rmsea"], here))
            given = {k: row[k] for k in ("nfi", "cfi", "tli", "ifi") if row.get(k)}
            if len(given) > 1:
                rows.append(baseline(row["chisq"], row["df"], given, here))
        if "ci_lower" in text and row["ci_lower"] and row["ci_upper"]:
            estimate = row.get("estimate") or row.get("value")
            if estimate:
                label = " ".join(
                    v for v in (row.get("model"), row.get("quantity"), row.get("row"), row.get("column")) if v
                )
                rows.append(
                    interval(
                        estimate, row["ci_lower"], row["ci_upper"], f"{name}, {label}" if label else where
                    )
                )
        if "mean" in text and row["mean"] and size:
            item = f"{name}, {row.get('item') or row.get('construct', '')}"
            single = bool(row.get("item"))
            if single:
                finding = grim(row["mean"], int(float(size)), 1, item)
                rows += [finding] if finding else []
            if row.get("sd") and scale:
                rows.append(sd_range(row["mean"], row["sd"], int(float(size)), *scale, item))
    rows += _measurement(text, name)
    if _has(text, "from", "to", "b", "beta"):
        for group, block in text.groupby("group", sort=False) if "group" in text else [("", text)]:
            finding = standardisation(block, f"{name}, {group}".strip(", "))
            rows += [finding] if finding else []
    if _has(text, "chisq", "df", "group") and len(text) > 1:
        members = [
            {"name": r["group"], "chisq": r["chisq"], "df": r["df"], "n": r.get("n") or n_of(r["group"])}
            for _, r in text.iterrows()
        ]
        rows += [
            chisq_difference(a, b, where=f"{name}, {a['name']} against {b['name']}")
            for i, a in enumerate(members)
            for b in members[i + 1 :]
        ]
    if _has(text, "quantity", "row", "value"):
        rows += _targets(text, name)
    if not rows:
        raise ValueError(
            f"no check applies to the columns of {name}: {', '.join(map(str, table.columns))}. "
            "See the docstring of check_table for the columns that are read."
        )
    return _frame(rows, study)


def _measurement(text: pd.DataFrame, name: str) -> list[dict]:
    """CR and AVE from loadings, whether one row holds a construct ('.78 .80') or an item."""
    rows: list[dict] = []
    if "construct" not in text or not ({"loadings", "loading"} & set(text.columns)):
        return rows
    for construct, block in text.groupby("construct", sort=False):
        lam = block["loadings"].iloc[0].split() if "loadings" in text else list(block["loading"])
        where, first = f"{name}, {construct}", block.iloc[0]
        if "cr" in text and first["cr"]:
            rows.append(composite_reliability(lam, first["cr"], where))
        if "ave" in text and first["ave"]:
            rows.append(average_variance(lam, first["ave"], where))
    return rows


def _targets(text: pd.DataFrame, name: str) -> list[dict]:
    """Long tables with one line a number: model, quantity, row, column, value."""
    rows: list[dict] = []
    for model, block in text.groupby("model", sort=False) if "model" in text else [("", text)]:
        paths = block[block["quantity"] == "path"]
        for _, line in block[block["quantity"] == "r2"].iterrows():
            slopes = paths.loc[paths["column"] == line["row"], "value"]
            # An interaction's path belongs to the product of standardised scores, whose own SD is not 1.
            product = paths.loc[paths["column"] == line["row"], "row"].str.contains(r"\*").any()
            if len(slopes) and not product:
                rows.append(r2_range(slopes, line["value"], f"{name}, {model} {line['row']}"))
        cr, ave = (
            block[block["quantity"].str.lower() == q].set_index("row")["value"] for q in ("rhoc", "ave")
        )
        for construct in cr.index.intersection(ave.index):
            rows += reliability_order(
                {"cr": cr[construct], "ave": ave[construct]}, f"{name}, {model} {construct}"
            )
    return rows


# --- whole studies --------------------------------------------------------------------------------------------------------
def _tables_of(study: str) -> tuple[dict, dict[str, pd.DataFrame]]:
    """Meta data and printed tables of a study; fit, betas and R2 kept in study.json become tables."""
    found = data.published(study)
    tables = dict(found.printed)
    raw = json.loads(
        (data.data_dir() / "published" / study / "study.json").read_text(encoding="utf-8"), parse_float=str
    )
    if "fit" in raw:
        tables["study.json: fit"] = pd.DataFrame([{k: str(v) for k, v in raw["fit"].items()}])
    if "betas" in raw:
        pairs = [(*key.split("->"), str(v)) for key, v in raw["betas"].items()]
        tables["study.json: betas"] = pd.DataFrame(pairs, columns=["from", "to", "beta"])
    if "r2" in raw:
        tables["study.json: r2"] = pd.DataFrame(
            [{"construct": k, "r2": str(v)} for k, v in raw["r2"].items()]
        )
    return found.meta, tables


def check_study(study: str) -> pd.DataFrame:
    """Run every check that the printed tables of a study allow, inside each table and across tables.

    Parameters
    ----------
    study : str
        A folder of ``data/published``, as in ``sc.published``.

    Returns
    -------
    DataFrame as from :func:`check_table`, findings first

    Examples
    --------
    >>> import switchcost as sc
    >>> found = sc.consistency.check_study("ha2023")
    >>> found.loc[found["verdict"] == "inconsistent", "where"].tolist()
    ['measurement, ServiceQuality']
    """
    meta, tables = _tables_of(study)
    n = meta.get("n")
    scale = _scale(meta.get("scale", ""))
    frames = []
    for name, table in tables.items():
        try:
            frames.append(check_table(table, name=name, n=n, scale=scale, study=study))
        except ValueError as error:
            if "no check applies" not in str(error):
                raise
    rows = _across(tables, n)
    frames.append(_frame(rows, study))
    out = (
        pd.concat([f for f in frames if len(f)], ignore_index=True)
        if any(len(f) for f in frames)
        else _frame([], study)
    )
    return out.sort_values("verdict", key=lambda v: v.map(_ORDER), kind="stable").reset_index(drop=True)


def _scale(text: str) -> tuple[float, float] | None:
    """``"5-point"`` and ``"1-7; ..."`` as lowest and highest answer."""
    import re

    points = re.match(r"\s*(\d+)-point", str(text))
    if points:
        return 1.0, float(points.group(1))
    span = re.match(r"\s*(\d+)-(\d+)\b", str(text))
    return (float(span.group(1)), float(span.group(2))) if span else None


def _across(tables: dict[str, pd.DataFrame], n) -> list[dict]:
    """Checks that need two tables: paths with R2, paths with correlations, df with items, claims with fits."""
    rows: list[dict] = []
    low = {k: _lower(v) for k, v in tables.items()}
    paths = next(
        (
            v
            for v in low.values()
            if _has(v, "from", "to") and ({"beta", "path"} & set(v.columns)) and ("b" not in v or "beta" in v)
        ),
        None,
    )
    r2 = next(
        ((k, v) for k, v in low.items() if _has(v, "construct") and ({"r2", "r2_percent"} & set(v.columns))),
        None,
    )
    matrix = next(
        (tables[k] for k, v in low.items() if set(v.iloc[:, 0].str.lower()) == set(v.columns[1:])), None
    )
    fit = next((v for v in low.values() if _has(v, "chisq", "df", "group")), None)
    items = next((v for v in low.values() if _has(v, "construct", "items")), None)
    claims = low.get("claims")

    if paths is not None:
        beta = "beta" if "beta" in paths else "path"
        groups = list(dict.fromkeys(paths["group"])) if "group" in paths else [""]
        for group in groups:
            mine = paths[paths["group"] == group] if group else paths
            label = f"{group}: " if group else ""
            if r2 is not None:
                table = r2[1]
                if group and "group" in table:
                    table = table[table["group"] == group]
                column = "r2" if "r2" in table else "r2_percent"
                printed = {c: v for c, v in zip(table["construct"], table[column], strict=True) if v}
                percent = column == "r2_percent"
                for outcome, value in printed.items():
                    slopes = mine.loc[mine["to"] == outcome, beta]
                    if len(slopes):
                        rows.append(r2_range(slopes, value, f"{label}{outcome}", percent))
                if matrix is None and not percent:
                    rows += r2_from_paths(mine, printed, label, beta)
                if matrix is not None:
                    rows += _r2_with_matrix(mine, matrix, printed, beta, percent)
            if matrix is not None:
                rows += _paths_from_matrix(mine, matrix, beta)
            if fit is not None and items is not None:
                own = items[items["group"] == group] if group and "group" in items else items
                line = fit[fit["group"] == group] if group else fit
                pairs = list(zip(mine["from"], mine["to"], strict=True))
                if len(line) and set(own["construct"]) >= {c for pair in pairs for c in pair}:
                    rows.append(
                        degrees_of_freedom(
                            own["items"].astype(int).sum(),
                            len(own),
                            pairs,
                            line["df"].iloc[0],
                            group or "model",
                        )
                    )
    if claims is not None:
        rows += _claims(claims, low, n)
    return rows


def _decimals_of(table: pd.DataFrame) -> int:
    return max(Printed.read(v).decimals for v in table.iloc[:, 1:].to_numpy().ravel() if str(v).strip())


def _paths_from_matrix(paths: pd.DataFrame, matrix: pd.DataFrame, beta: str) -> list[dict]:
    model = matrices.path_model(matrix, paths[["from", "to"]], decimals=_decimals_of(matrix)).paths
    rows = []
    for (_, line), printed in zip(model.iterrows(), paths[beta], strict=True):
        printed = Printed.read(printed)
        rows.append(
            _judge(
                "path from the correlations",
                f"{line['from']} -> {line['to']}",
                printed,
                line["est"],
                line["low"],
                line["high"],
                f"least squares from the printed correlations gives {line['est']:.4f}; "
                f"rounding allows {line['low']:.4f} to {line['high']:.4f}; printed {printed.text}",
            )
        )
    return rows


def _r2_with_matrix(paths, matrix, r2, beta, percent) -> list[dict]:
    places = max(Printed.read(v).decimals for v in paths[beta])
    table = matrices.r2_from_paths(
        matrix, paths, value=beta, decimals=_decimals_of(matrix), path_decimals=places
    )
    unit = 100.0 if percent else 1.0
    rows = []
    for outcome, line in table.iterrows():
        if outcome in r2:
            rows.append(
                _judge(
                    "R2 = sum of path x correlation",
                    str(outcome),
                    Printed.read(r2[outcome]),
                    unit * line["r2"],
                    unit * line["low"],
                    unit * line["high"],
                    f"{line['arithmetic']}; rounding allows {line['low']:.4f} to {line['high']:.4f}; "
                    f"printed {r2[outcome]}{' percent' if percent else ''}",
                )
            )
    return rows


def _claims(claims: pd.DataFrame, tables: dict[str, pd.DataFrame], n) -> list[dict]:
    """Numbers in the running text (claims.csv: where, quantity, group, value, df, said) against the tables."""
    rows: list[dict] = []
    fits = [v for k, v in tables.items() if k != "claims" and _has(v, "chisq", "df")]
    for _, claim in claims.iterrows():
        where = claim["where"]
        for fit in fits:
            if claim["quantity"] == "chisq_df":
                line = fit[fit["group"] == claim["group"]] if "group" in fit and claim.get("group") else fit
                rows.append(chisq_ratio(line["chisq"].iloc[0], line["df"].iloc[0], claim["value"], where))
            elif claim["quantity"] == "chisq_difference" and len(fit) == 2:
                a, b = fit.iloc[0], fit.iloc[1]
                size = n if isinstance(n, dict) else {}
                rows.append(
                    chisq_difference(
                        *(
                            {
                                "name": r["group"],
                                "chisq": r["chisq"],
                                "df": r["df"],
                                "n": size.get(r["group"]),
                            }
                            for r in (a, b)
                        ),
                        claimed=claim["value"],
                        said=claim.get("said", ""),
                        where=where,
                    )
                )
    return rows


def check_all() -> pd.DataFrame:
    """:func:`check_study` for every study in ``data/published``, findings first."""
    kinds = data.datasets()
    studies = list(kinds.index[kinds["kind"] == "published tables"])
    out = pd.concat([check_study(s) for s in studies], ignore_index=True)
    return out.sort_values("verdict", key=lambda v: v.map(_ORDER), kind="stable").reset_index(drop=True)
