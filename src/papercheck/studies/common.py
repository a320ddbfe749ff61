"""Steps that several studies share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy.special import chdtrc, stdtr

from ..reproduction import Found, Key, PrintedNumbers, Reproduction


def cells(table: pd.DataFrame) -> PrintedNumbers:
    return PrintedNumbers(table)


def repeats(numbers: PrintedNumbers, pairs: Iterable[tuple[Key, Key]], how: str, why: str = "") -> Found:
    """The same number printed in two places: each must be the other; one constraint a pair."""
    out: Found = {}
    for a, b in pairs:
        for one, other in ((a, b), (b, a)):
            r = numbers.by[other]
            out[one] = Reproduction(
                r.published,
                how=how,
                why=why or f"the other place prints {r.printed}",
                remark="printed twice: a check of the typing, not of a result",
                constraint=f"{how}: {' '.join(a)}",
            )
    return out


def sums_to(numbers: PrintedNumbers, parts: list[Key], total: float | Key, how: str) -> Found:
    """Parts of a printed (or known) total: each is the total less the others; one constraint."""
    out: Found = {}
    for one in parts:
        rest = [p for p in parts if p != one]
        out[one] = numbers.follows(lambda t, *x: t - np.sum(x, axis=0), [total, *rest], how, constraint=how)
    if isinstance(total, tuple):
        out[total] = numbers.follows(lambda *x: np.sum(x, axis=0), list(parts), how, constraint=how)
    return out


def percent_of(numbers: PrintedNumbers, count: Key | float, total: Key | float, how: str) -> Reproduction:
    return numbers.follows(lambda k, n: 100 * k / n, [count, total], how)


def two_sided(t: np.ndarray, df: float) -> np.ndarray:
    return 2 * stdtr(df, -np.abs(t))


def chisq_p(numbers: PrintedNumbers, chisq: Key, df: Key) -> Reproduction:
    d = numbers.by[df].published
    return numbers.follows(lambda c: chdtrc(d, c), [chisq], f"p of chi-square on {d:g} df")


def missing(keys: Iterable[Key], why: str | Callable[[Key], str]) -> Found:
    """Numbers that cannot be computed, and why."""
    return {k: Reproduction(why=why(k) if callable(why) else why) for k in keys}


def r2_of_f(f: np.ndarray, n: float, k: int) -> np.ndarray:
    """R2 from F and its degrees of freedom k, n - k - 1."""
    return k * f / (k * f + n - k - 1)
