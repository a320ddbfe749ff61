"""Printed fit indices and chi-squares against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from . import arithmetic
from .path_tracing import printed_edges
from .printed import SLACK, Printed
from .reproduction import Cell, Found, Key, PrintedNumbers, Reproduction, rounding_band


@dataclass(frozen=True)
class Fit:
    """Chi-square of a model, its degrees of freedom and, where known, the sample size."""

    chisq: Printed
    df: float
    n: float | None = None


_MEASURES = ("df", "nfi", "ifi", "tli", "cfi", "rmsea", "gfi", "agfi", "chisq_df", "p")


def check_fit_measures(numbers: PrintedNumbers) -> Found:
    """p, RMSEA and chi2/df from chi-square; NFI, IFI, TLI, CFI, GFI, AGFI from one another.

    The first three follow from printed numbers alone. The others need a number of variables that is fitted to the
    indices themselves: their basis is ``assumed``, and where no number of variables fits they are ``inconsistent``.
    """
    out: Found = {}
    for key, chisq in numbers.of("chisq"):
        get = {q: cell for q in _MEASURES if (cell := numbers.beside(key, q)) is not None}
        if "df" in get and get["df"].published > 0:
            _fit_of_line({"chisq": chisq, **get}, key, numbers, out)
    return out


def _fit_of_line(get: Mapping[str, Cell], key: Key, numbers: PrintedNumbers, out: Found) -> None:
    chisq, df, n = get["chisq"].printed, get["df"].published, numbers.size(key)

    def place(quantity: str) -> Key:
        return (key[0], quantity, *key[2:])

    def put(quantity: str, formula: Callable, inputs: list[str], how: str, why: str, name: str, ok: bool) -> None:
        value, band = rounding_band(formula, [get[q].published for q in inputs], [get[q].decimals for q in inputs])
        shown = f"{how}: {value:.4f}, rounding allows {band[0]:.4f} to {band[1]:.4f}; {why}"
        out[place(quantity)] = Reproduction(
            value, "assumed", how, band, why=shown, remark=why, constraint=" ".join(filter(None, (key[2], name))),
            impossible=not ok,
        )  # fmt: skip

    if "chisq_df" in get:
        out[place("chisq_df")] = arithmetic.chisq_ratio(chisq, df, get["chisq_df"].printed)
    if "p" in get and "test" not in get["p"].beside:
        out[place("p")] = arithmetic.p_of_test("chi2", chisq, get["p"].printed, df)
    if "rmsea" in get:
        out[place("rmsea")] = (
            arithmetic.rmsea(chisq, df, n, get["rmsea"].printed)
            if n
            else Reproduction(why="needs n; add it to study.json")
        )
    if "gfi" in get and "agfi" in get:
        _absolute(get, df, put)
    _incremental(get, df, put, lambda q, why: out.update({place(q): Reproduction(why=why)}), numbers.meta)


def moments_of_gfi(df: float, gfi: Printed, agfi: Printed) -> tuple[float, float, float, list[int]]:
    """Moments p (p + 1) / 2 that GFI and AGFI need: value, low, high, and the whole numbers p that have them."""
    corners = [df * (1 - a) / max(1 - g, 1e-12) for g in (gfi.low, gfi.high) for a in (agfi.low, agfi.high)]
    low, high = min(corners), max(corners)
    whole = [p for p in range(2, 400) if low - SLACK <= p * (p + 1) / 2 <= high + SLACK]
    return df * (1 - agfi.value) / max(1 - gfi.value, 1e-12), low, high, whole


def _absolute(get: Mapping[str, Cell], df: float, put: Callable) -> None:
    """AGFI = 1 - p (p + 1) / (2 df) (1 - GFI), for a whole number p of variables."""
    value, low, high, possible = moments_of_gfi(df, get["gfi"].printed, get["agfi"].printed)
    p = min(possible or range(2, 400), key=lambda v: abs(v * (v + 1) / 2 - value))
    m = p * (p + 1) // 2
    why = f"{p} variables (fitted to the two printed indices)"
    if not possible:
        why = f"GFI and AGFI need p (p + 1) / 2 between {low:.0f} and {high:.0f}, and no whole number p of variables "
        why += f"has that; {p} variables have {m}"
    ok = bool(possible)
    put("agfi", lambda x: 1 - m / df * (1 - x[:, 0]), ["gfi"], "from GFI", why, "GFI and AGFI", ok)
    put("gfi", lambda x: 1 - df / m * (1 - x[:, 0]), ["agfi"], "from AGFI", why, "GFI and AGFI", ok)


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


def _incremental(get: Mapping[str, Cell], df: float, put: Callable, leave_open: Callable, meta: Mapping) -> None:
    """NFI, IFI, TLI, CFI share two unknowns: chi-square and degrees of freedom of the independence model.

    A baseline is p (p - 1) / 2 degrees of freedom, or p (p + 1) / 2 where a program fixes the means as well. Two
    indices alone fit some baseline unless no number of items up to ``items_listed`` does; from three on they check.
    """
    given, most_items = [q for q in _NEEDED if q in get], int(meta.get("items_listed") or 80)
    if len(given) < 2:
        return
    chisq = get["chisq"].printed
    gaps = {}
    for d0 in sorted({p * (p + s) // 2 for p in range(3, most_items + 1) for s in (-1, 1)}):
        if d0 > df:
            corners = [
                [_NEEDED[q](c, df, i, d0) for c in (chisq.low, chisq.high) for i in (v.low, min(v.high, 1 - 1e-12))]
                for q in given
                for v in [get[q].printed]
            ]
            gaps[d0] = max(map(min, corners)) / min(map(max, corners)) - 1
    if not gaps:
        return
    possible = [d for d, gap in gaps.items() if gap <= SLACK]
    d0 = min(gaps, key=lambda d: gaps[d])
    said = " ".join(f"{q.upper()} {get[q].printed}" for q in given)
    if possible and len(given) == 2:
        why = f"needs the chi-square and the degrees of freedom of the independence model; {said} agree for "
        why += f"{possible[0]} to {possible[-1]} degrees of freedom" if len(possible) > 1 else f"{possible[0]} only"
        for q in given:
            leave_open(q, why)
        return
    why = f"no independence model of 3 to {most_items} variables gives {said}; nearest {d0} degrees of freedom"
    if possible:
        why = f"the independence model is taken to have {d0} degrees of freedom, fitted to the printed indices"
        why += f" ({min(possible)} to {max(possible)} would do)" if len(possible) > 1 else ""
    for k, q in enumerate(given):
        other = next(o for o in ("nfi", "cfi", "ifi", "tli") if o in given and o != q)
        put(
            q,
            lambda x, q=q, o=other: _GIVES[q](x[:, 0], df, _NEEDED[o](x[:, 0], df, x[:, 1], d0), d0),
            ["chisq", other],
            f"from {other.upper()}",
            why,
            f"independence model, {k % (len(given) - 2) + 1 if possible else 'one baseline'}",
            bool(possible),
        )


def degrees_of_freedom(items: int, paths: Sequence[tuple[str, str]], df: Printed) -> Reproduction:
    """Degrees of freedom of a structural model from its items and paths.

    Free are, for k constructs with p items: p - k loadings, p error variances, k (residual) variances, so that k
    cancels; the paths; and up to all covariances of the exogenous constructs.
    """
    targets = {t for _, t in paths}
    exogenous = [s for s in dict.fromkeys(s for s, _ in paths) if s not in targets]
    cov = len(exogenous) * (len(exogenous) - 1) // 2

    def expected(p: int) -> int:
        return p * (p + 1) // 2 - 2 * p - len(paths)

    high, low, value = expected(items), expected(items) - cov, df.value
    why = (
        f"{items} items: {items}x{items + 1}/2 = {items * (items + 1) // 2} moments - {2 * items} loadings and variances - "
        f"{len(paths)} paths - 0 to {cov} covariances of {', '.join(exogenous)} = {low} to {high}; printed {df.text}"
    )
    if not low <= value <= high:
        would = [p for p in range(2, 200) if expected(p) - cov <= value <= expected(p)]
        if would:
            why += f"; {would[0]} items would give it"
            if cov and any(expected(p) == value for p in would):
                why += ", with the exogenous constructs left uncorrelated"
        if value > items * (items - 1) // 2:
            why += f"; even {items} items with no relation at all have only {items * (items - 1) // 2}"
    how = "from the printed numbers of items, the paths and the constructs"
    return Reproduction(float(high), "printed", how, (low, high), why=why)


def check_degrees_of_freedom(numbers: PrintedNumbers) -> Found:
    """Degrees of freedom from the numbers of items and the paths."""
    out: Found = {}
    for key, df in numbers.of("df"):
        edges, items = printed_edges(numbers, key[0]), numbers.n_items.get(key[0], {})
        if edges and {c for t, s in edges.items() for c in (t, *s)} <= set(items):
            pairs = [(s, t) for t, sources in edges.items() for s in sources]
            out[key] = degrees_of_freedom(sum(items.values()), pairs, df.printed)
    return out


def chisq_difference(first: Fit, second: Fit, said: str = "") -> Reproduction:
    """The difference of two printed chi-squares, and whether it is a test of nested models.

    Parameters
    ----------
    first, second : Fit
    said : str, optional
        ``"significant"`` or ``"not significant"``, what the paper concludes.

    Notes
    -----
    The difference is chi-square distributed only for two models fitted to the *same* data, one being the other with
    restrictions. Groups are compared by fitting one model to all groups at once, with and without equal paths.
    """
    more, less = sorted((first, second), key=lambda f: (-f.df, -f.chisq.value))
    value, df = more.chisq.value - less.chisq.value, more.df - less.df
    band = (more.chisq.low - less.chisq.high, more.chisq.high - less.chisq.low)
    text = f"{more.chisq.text} - {less.chisq.text} = {value:.2f} on {more.df:g} - {less.df:g} = {df:g} df"
    other_samples = None not in (more.n, less.n) and more.n != less.n
    if other_samples:
        text = (
            f"the subtraction is right and is no test: {text}; the models were fitted to different samples (n "
            f"{more.n:g} and {less.n:g}), so neither is a restriction of the other and the difference has no chi-square "
            "distribution"
        )
    p = float(chdtrc(df, value)) if df > 0 and value > 0 else np.nan
    clash = bool(said) and not np.isnan(p) and (said == "significant") != (p < 0.05)
    text += "; 0 df: no restriction to test" if df == 0 else f"; taken at face value p = {p:.1g}"
    text += f", which the paper calls {said}" if clash else ""
    how = "difference of the two printed chi-squares"
    return Reproduction(
        value, "printed", how, band, why=text, no_test=other_samples, impossible=clash and not other_samples
    )


def check_claims(numbers: PrintedNumbers) -> Found:
    """Numbers in a paper's running text, against its tables."""
    out: Found = {}
    fits = {
        m: Fit(numbers.by[key].printed, numbers.by[m, "df", "", ""].published, numbers.size(key))
        for m in numbers.models("chisq")
        if (key := (m, "chisq", "", "")) in numbers.by and (m, "df", "", "") in numbers.by
    }
    for key, claim in numbers.of("chisq_df"):
        if claim.table == "claims" and len(fits) == 1:
            (fit,) = fits.values()
            out[key] = arithmetic.chisq_ratio(fit.chisq, fit.df, claim.printed)
    if len(fits) != 2:
        return out
    first, second = fits.values()
    for key, claim in numbers.of("chisq_difference"):
        found = chisq_difference(first, second, claim.beside.get("said", ""))
        out[key] = found
        out[key[0], f"{key[1]} df", key[2], key[3]] = Reproduction(
            abs(first.df - second.df),
            "printed",
            "difference of the two printed degrees of freedom",
            why="the degrees of freedom of a difference that is no test" if found.no_test else "",
            no_test=found.no_test,
        )
    return out
