"""A printed number: a piece of text that stands for an interval."""

from __future__ import annotations

import re
from dataclasses import dataclass

from switchcost.core.errors import DataError

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
    def read(cls, number: Printed | str | float, decimals: int | None = None) -> Printed:
        """Read text as printed, or a float (then ``decimals`` should be given: 0.31 may have been .310).

        With ``decimals`` a comma can be told: a decimal sign where digits follow it, else a thousands separator.
        """
        if isinstance(number, Printed):
            return number
        text = str(number).strip()
        bare = _AROUND.sub("", text.replace("−", "-"))  # a minus sign, as journals print it
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
        """Half a unit of the last printed digit."""
        return 0.5 * 10.0**-self.decimals

    @property
    def low(self) -> float:
        return self.value - self.half

    @property
    def high(self) -> float:
        return self.value + self.half

    def allows(self, low: float, high: float) -> bool:
        """Whether some value in [low, high] would be printed like this."""
        slack = 1e-6 * self.half + 1e-14 * abs(self.value)  # decimal halves have no exact binary form
        if self.bound:  # < .05 says that the number is below .05 itself
            return low - slack < self.value
        return low - slack <= self.high and high + slack >= self.low

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"{self.text} ({self.low:g} to {self.high:g})"
