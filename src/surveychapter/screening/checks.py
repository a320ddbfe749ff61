"""What the audit can find: one name, one severity and one limit a check, in one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from switchcost.core import checks
from switchcost.core.errors import DataError

SEVERITY = ("serious", "warning", "note")


class Check(StrEnum):
    """Name of a check. Programs compare names, readers see their wording."""

    NO_VALUES = "no values"
    INFINITE = "infinite values"
    DATES = "dates"
    DATES_AMONG_NUMBERS = "dates among numbers"
    NUMBERS_AS_TEXT = "numbers stored as text"
    TEXT_AMONG_NUMBERS = "text among numbers"
    CONSTANT = "constant column"
    NEAR_CONSTANT = "near-constant column"
    CODE_IN_DATA = "missing code in the data"
    UNDECLARED_CODE = "undeclared missing code"
    OUT_OF_RANGE = "answer out of range"
    UNEQUAL_RANGES = "ranges of a scale differ"
    UNCLEAR_ZEROS = "zeros of unclear meaning"
    DECIMALS = "decimals on an integer scale"
    COPY = "copy of another column"
    FUNCTION = "function of another column"
    FUNCTION_OF_BLOCK = "function of a block"
    NEAR_FUNCTION = "near function of another column"
    NEAR_COPY = "correlation above .95"
    ODD_ITEM = "item does not go with its scale"
    NOT_REVERSED = "reverse item not turned round"
    REVERSED_ALREADY = "declared reverse, goes with its scale"
    STORED_AS_ANSWERED = "reverse items stored as answered"
    LONGEST_RUN = "careless answering: longest run"
    SPREAD_WITHIN = "careless answering: spread within person"
    EVEN_ODD = "careless answering: even-odd consistency"
    MAHALANOBIS = "careless answering: Mahalanobis distance"
    UNUSUAL_PROFILE = "unusual profile"
    DUPLICATE_BLOCK = "duplicated block of rows"
    DUPLICATE_ROWS = "duplicated rows"
    NEAR_DUPLICATES = "near duplicates"
    MISSINGNESS = "missingness depends on another column"


@dataclass(frozen=True)
class Rule:
    """When a check speaks, and how loudly.

    Attributes
    ----------
    severity : str
        ``serious``, ``warning`` or ``note``.
    condition : str
        What is compared with ``limit``.
    limit : float or None
        None for a plain fact.
    also : dict
        What else must hold: condition -> limit.
    """

    severity: str
    condition: str
    limit: float | None = None
    also: Mapping[str, float] = field(default_factory=dict)


RULES: dict[Check, Rule] = {
    Check.NO_VALUES: Rule("serious", "no answer at all"),
    Check.INFINITE: Rule("serious", "an infinite value"),
    Check.DATES: Rule("note", "a column of dates; serious where the codebook has a range"),
    Check.DATES_AMONG_NUMBERS: Rule("serious", "share of dates among what is no number, above", 0.5),
    Check.NUMBERS_AS_TEXT: Rule("warning", "every cell is a number written as text"),
    Check.TEXT_AMONG_NUMBERS: Rule("serious", "share of cells that are numbers, at least", 0.5),
    Check.CONSTANT: Rule("serious", "one value"),
    Check.NEAR_CONSTANT: Rule("warning", "share of the usual answer, at least", 0.95),
    Check.CODE_IN_DATA: Rule("serious", "the codebook's missing code"),
    Check.UNDECLARED_CODE: Rule("serious", "a usual code apart from the other answers"),
    Check.OUT_OF_RANGE: Rule(
        "serious", "outside the codebook's range, or far above all others in a share of at most", 0.01
    ),
    Check.UNEQUAL_RANGES: Rule("warning", "another range than the usual one of the scale; serious where reversed"),
    Check.UNCLEAR_ZEROS: Rule("note", "share of zeros on a scale from 1, below", 0.02),
    Check.DECIMALS: Rule("serious", "share of decimals on a scale of whole numbers, at most", 0.3),
    Check.COPY: Rule("serious", "chance, below", 0.01),
    Check.FUNCTION: Rule("serious", "chance, below", 0.01),
    Check.FUNCTION_OF_BLOCK: Rule("serious", "chance, below", 0.01),
    Check.NEAR_FUNCTION: Rule("serious", "share of rows in which the rule holds, at least", 0.95),
    Check.NEAR_COPY: Rule(
        "warning",
        "absolute correlation, above",
        0.95,
        {"rows with both, at least": 10, "chance of one above 0.9, below": 0.01},
    ),
    Check.ODD_ITEM: Rule(
        "warning",
        "absolute correlation with the rest of the scale, below",
        0.15,
        {"median of the other items, at least": 0.30, "chance, below": 0.001},
    ),
    Check.NOT_REVERSED: Rule("warning", "chance of a correlation below zero, below", 0.001),
    Check.REVERSED_ALREADY: Rule("warning", "chance of a correlation above zero, below", 0.001),
    Check.STORED_AS_ANSWERED: Rule("note", "chance of a correlation below zero, below", 0.001),
    Check.LONGEST_RUN: Rule("warning", "false discovery rate", 0.01),
    Check.SPREAD_WITHIN: Rule("warning", "false discovery rate", 0.01),
    Check.EVEN_ODD: Rule("warning", "false discovery rate", 0.01),
    Check.MAHALANOBIS: Rule("warning", "false discovery rate", 0.01),
    Check.UNUSUAL_PROFILE: Rule("note", "false discovery rate", 0.01),
    Check.DUPLICATE_BLOCK: Rule(
        "serious",
        "rows in a run of copies, at least",
        3,
        {"chance of one equal pair, below": 0.01, "or rows, at least": 10},
    ),
    Check.DUPLICATE_ROWS: Rule("serious", "chance, below", 0.01),
    Check.NEAR_DUPLICATES: Rule(
        "warning",
        "share of equal answers, above",
        0.85,
        {"share of items that both answered, at least": 0.8, "chance, below": 0.001},
    ),
    Check.MISSINGNESS: Rule("warning", "chance, below", 0.01, {"chance for a single column, below": 0.001}),
}

CARELESS = (Check.LONGEST_RUN, Check.SPREAD_WITHIN, Check.EVEN_ODD, Check.MAHALANOBIS)
IDENTITIES = (Check.COPY, Check.FUNCTION, Check.FUNCTION_OF_BLOCK, Check.NEAR_FUNCTION)
#: Words of an exclusion rule, and the checks whose rows it leaves out.
GROUPS: dict[str, tuple[Check, ...]] = {
    "duplicated": (Check.DUPLICATE_BLOCK, Check.DUPLICATE_ROWS),
    "near duplicates": (Check.NEAR_DUPLICATES,),
    "careless": CARELESS,
    "unusual profile": (Check.UNUSUAL_PROFILE,),
}


def limit(check: Check, also: str = "") -> float:
    """The number at which a check speaks, or that of another condition of it."""
    value = RULES[check].also[also] if also else RULES[check].limit
    assert value is not None
    return value


def checks_named(word: str) -> tuple[Check, ...]:
    """Checks that a word of an exclusion rule means: the name of a check or of a group of them.

    Raises
    ------
    DataError
        Neither; the nearest word is suggested.
    """
    plain = str(word).strip().casefold()
    if plain in GROUPS:
        return GROUPS[plain]
    for check in Check:
        if check.value.casefold() == plain:
            return (check,)
    raise DataError(f"{word!r} is no check of the audit.{checks.suggest(plain, [*GROUPS, *(c.value for c in Check)])}")


@dataclass(frozen=True)
class Finding:
    """One finding of the audit.

    Attributes
    ----------
    check : Check
    columns : tuple of str
        The column in question first; empty where whole rows are meant.
    rows : int
        How many rows it is about.
    detail : str
        A sentence for a reader.
    severity : str
        ``serious``, ``warning`` or ``note``.
    chance : float
        Probability that a clean survey of this size shows it; 0 for a plain fact.
    labels : tuple
        Row labels.
    """

    check: Check
    columns: tuple[str, ...]
    rows: int
    detail: str
    severity: str
    chance: float
    labels: tuple = ()


class Findings(list[Finding]):
    """Findings as they come."""

    def add(
        self,
        check: Check,
        columns: str | Sequence[str],
        rows: int,
        detail: str,
        *,
        chance: float = 0.0,
        labels: Iterable = (),
        severity: str | None = None,
    ) -> None:
        names = (columns,) if isinstance(columns, str) else tuple(columns)
        self.append(
            Finding(check, names, int(rows), detail, severity or RULES[check].severity, float(chance), tuple(labels))
        )
