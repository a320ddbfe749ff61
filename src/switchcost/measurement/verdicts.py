"""Every verdict of this room: one table of condition, limit and sentence. Nothing else here decides in words."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rule:
    """A number is compared with a limit, and one of two sentences is said.

    Attributes
    ----------
    statistic : str
        What is compared.
    compare : callable
        ``compare(value, limit)`` says whether the rule holds; NaN never does.
    limit : float
    holds, fails : str
        The sentences, with ``{value}``, ``{limit}`` and the names of what is judged.
    source : str
        Where the limit comes from.
    """

    statistic: str
    compare: Callable[[float, float], bool]
    limit: float
    holds: str
    fails: str
    source: str

    def __call__(self, value: float, limit: float | None = None) -> bool:
        """Whether the rule holds for ``value``; ``limit`` replaces the rule's own where that is a statistic too."""
        return bool(np.isfinite(value) and self.compare(value, self.limit if limit is None else limit))

    def say(self, value: float, limit: float | None = None, **names: object) -> str:
        """The sentence that goes with ``value``."""
        at = self.limit if limit is None else limit
        return (self.holds if self(value, limit) else self.fails).format(value=value, limit=at, **names)


RULES: dict[str, Rule] = {
    "phi": Rule(
        "one-sided p of the likelihood ratio test", operator.lt, 0.05,
        "{pair} are distinct: their correlation lies below {tested:g} in size (one-sided p = {value:.3f}).",
        "{pair} are not shown to be distinct: a correlation of {tested:g} is not rejected (one-sided p = {value:.3f}).",
        "Anderson & Gerbing 1988; Roennkoe & Cho 2022",
    ),
    "convergent": Rule(
        "average variance extracted", operator.ge, 0.50,
        "{factor} explains half of its items' variance or more (AVE {value:.2f}).",
        "{factor} explains less than half of its items' variance (AVE {value:.2f}).",
        "Fornell & Larcker 1981",
    ),
    "reliable": Rule(
        "composite reliability", operator.ge, 0.70,
        "{factor} is measured reliably (cr {value:.2f}).",
        "{factor} is measured with much error (cr {value:.2f}).",
        "Nunnally 1978",
    ),
    "discriminant": Rule(
        "average variance extracted, against the squared correlation", operator.gt, 0.0,
        "{factor} shares more with its items (AVE {value:.2f}) than with any other factor ({limit:.2f}).",
        "{factor} shares no more with its items (AVE {value:.2f}) than with another factor ({limit:.2f}).",
        "Fornell & Larcker 1981",
    ),
    "harman": Rule(
        "share of the first component", operator.lt, 0.50,
        "The first component carries {value:.0%} of the variance, below the customary half. That does not clear the "
        "answers of a common method.",
        "The first component carries {value:.0%} of the variance, half or more. A common method or one common construct "
        "would both do that.",
        "Podsakoff & Organ 1986; a habit without theory",
    ),
    "method": Rule(
        "p of the method factor's variance", operator.lt, 0.05,
        "The items share something beyond their scales (p = {value:.3f}).",
        "Nothing that the items share beyond their scales is found (p = {value:.3f}).",
        "Podsakoff et al. 2003",
    ),
    "marker": Rule(
        "p of the adjusted correlation, n - 3 degrees of freedom", operator.lt, 0.05,
        "{pair}: the correlation stands after the marker is taken out (p = {value:.3f}).",
        "{pair}: the correlation does not stand after the marker is taken out (p = {value:.3f}).",
        "Lindell & Whitney 2001",
    ),
}  # fmt: skip

# Words on a line: the first whose limit lies above the value.
Words = tuple[tuple[float, str], ...]

KMO_WORDS: Words = (  # Kaiser 1974
    (0.50, "unacceptable"), (0.60, "miserable"), (0.70, "mediocre"), (0.80, "middling"), (0.90, "meritorious"),
    (np.inf, "marvelous"),
)  # fmt: skip

HTMT_LIMITS = (1.0, 0.90, 0.85)
HTMT_WORDS: Words = (  # Henseler, Ringle & Sarstedt 2015; of the one-sided upper limit where there is one
    (0.85, "distinct at .85"),
    (0.90, "distinct at .90, not at .85"),
    (1.00, "distinct at 1, not at .90"),
    (np.inf, "not distinct"),
)


def word(words: Words, value: float) -> str:
    """The word whose range holds ``value``; a limit belongs to the range above it."""
    return next((text for limit, text in words if value < limit), "not available")
