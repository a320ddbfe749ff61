"""A printed number: a piece of text that stands for an interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from .._core.errors import DataError

COLUMNS = ["study", "check", "where", "printed", "recomputed", "low", "high", "verdict", "arithmetic"]


CONSISTENT, INCONSISTENT, NOT_A_TEST = "consistent", "inconsistent", "not a valid test"


ORDER = {INCONSISTENT: 0, NOT_A_TEST: 1, CONSISTENT: 2}


SLACK = 1e-9  # for the binary representation of decimal halves, not for the authors


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
            raise DataError(f"{text!r} is not a printed number") from None
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
        slack = SLACK * max(1.0, abs(self.value))
        return low - slack <= self.high and high + slack >= self.low

    def __repr__(self) -> str:
        return f"{self.text} ({self.low:g} to {self.high:g})"


def check_row(check, where, printed, recomputed, low, high, verdict, arithmetic, study="") -> dict:
    printed = printed.value if isinstance(printed, Printed) else printed
    return dict(zip(COLUMNS, [study, check, where, printed, recomputed, low, high, verdict, arithmetic], strict=True))


def judged(check, where, printed: Printed, recomputed, low, high, arithmetic) -> dict:
    ok = printed.allows(low, high)
    return check_row(check, where, printed, recomputed, low, high, CONSISTENT if ok else INCONSISTENT, arithmetic)


def check_frame(rows: Iterable[dict], study: str = "") -> pd.DataFrame:
    out = pd.DataFrame(list(rows), columns=COLUMNS)
    out["study"] = study
    out[["printed", "recomputed", "low", "high"]] = out[["printed", "recomputed", "low", "high"]].astype(float)
    return out.sort_values("verdict", key=lambda v: v.map(ORDER), kind="stable").reset_index(drop=True)
