"""A printed number: a piece of text that stands for an interval; and the outcome of one check."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from .._core.errors import DataError

COLUMNS = ["study", "check", "where", "printed", "recomputed", "low", "high", "verdict", "arithmetic"]


CONSISTENT, INCONSISTENT, NOT_A_TEST = "consistent", "inconsistent", "not a valid test"


ORDER = {INCONSISTENT: 0, NOT_A_TEST: 1, CONSISTENT: 2}


SLACK = 1e-9  # for the binary representation of decimal halves, not for the authors


# What papers put around a number: p <, an upper bound, brackets, stars, (ns). All of it belongs to the printed text.
_AROUND = re.compile(r"^p?\s*<?\s*|\s*\**\s*(\(n\.?s\.?\))?\**$")
_BARE = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Printed:
    """A printed number and the interval of unrounded values behind it.

    Attributes
    ----------
    text : as printed
    value : float
    decimals : int
        Digits after the point; 2.373e-11 has 14.
    bound : bool
        Printed as an upper bound (``< .001``).

    Examples
    --------
    >>> Printed.read(".310")
    .310 (0.3095 to 0.3105)
    >>> Printed.read("p< .01").bound, Printed.read("0,9210", decimals=4).value, Printed.read("1,662", decimals=0).value
    (True, 0.921, 1662.0)
    """

    text: str
    value: float
    decimals: int
    bound: bool = False

    @classmethod
    def read(cls, number, decimals: int | None = None) -> Printed:
        """Read text as printed, or a float (then ``decimals`` should be given: 0.31 may have been .310).

        With ``decimals`` a comma can be told: a decimal sign where digits follow it, else a thousands separator.
        """
        if isinstance(number, Printed):
            return number
        text = str(number).strip()
        bare = _AROUND.sub("", text)
        if decimals is not None and "," in bare:
            bare = bare.replace(",", "" if decimals == 0 else ".")
        if not _BARE.fullmatch(bare):
            raise DataError(f"{text!r} is not a printed number")
        mantissa, _, power = bare.lower().partition("e")
        shown = len(mantissa.split(".")[1]) if "." in mantissa else 0
        shown = max(shown - int(power or 0), 0)
        return cls(text, float(bare), shown if decimals is None else max(shown, decimals), "<" in text)

    @classmethod
    def readable(cls, text: str, decimals: int | None = None) -> bool:
        """Whether a cell holds a printed number."""
        try:
            cls.read(text, decimals)
        except DataError:
            return False
        return True

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
        slack = SLACK * max(1.0, abs(self.value))
        if self.bound:  # < .05 says that the number is below .05 itself
            return low - slack < self.value
        return low - slack <= self.high and high + slack >= self.low

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{self.text} ({self.low:g} to {self.high:g})"


@dataclass(frozen=True)
class Check:
    """One check of printed numbers.

    Attributes
    ----------
    check : what is checked
    where : which number
    printed : float, NaN where the check is of several numbers together
    recomputed : float
    low, high : float
        What unrounded inputs could give.
    verdict : ``consistent``, ``inconsistent`` or ``not a valid test``
    arithmetic : the sum, to be redone with a pocket calculator
    """

    check: str
    where: str
    printed: float
    recomputed: float
    low: float
    high: float
    verdict: str
    arithmetic: str

    @property
    def ok(self) -> bool:
        return self.verdict == CONSISTENT


def check_row(check, where, printed, recomputed, low, high, verdict, arithmetic) -> Check:
    printed = printed.value if isinstance(printed, Printed) else printed
    return Check(check, where, printed, recomputed, low, high, verdict, arithmetic)


def judged(check, where, printed: Printed, recomputed, low, high, arithmetic) -> Check:
    ok = printed.allows(low, high)
    return check_row(check, where, printed, recomputed, low, high, CONSISTENT if ok else INCONSISTENT, arithmetic)


def check_frame(rows: Iterable[Check], study: str = "") -> pd.DataFrame:
    """Checks as a table, findings first."""
    out = pd.DataFrame([{"study": study, **vars(r)} for r in rows], columns=COLUMNS)
    out[["printed", "recomputed", "low", "high"]] = out[["printed", "recomputed", "low", "high"]].astype(float)
    return out.sort_values("verdict", key=lambda v: v.map(ORDER), kind="stable").reset_index(drop=True)
