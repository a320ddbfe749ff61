"""What a person may call a construct or a column in a study file, and which of them a name stands for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

from switchcost.core import checks
from switchcost.core.errors import DataError

from .screening.cells import NOT_ITEMS


@dataclass(frozen=True)
class Names:
    """Names that may be written, each with what it stands for and what it is called in a sentence.

    Attributes
    ----------
    entries : list of (written, stands for, sentence)
    alone : dict
        The one item of a construct -> its construct, for which it may stand.
    """

    entries: list[tuple[str, str, str]]
    alone: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, book: pd.DataFrame, columns: Iterable[str]) -> Names:
        """Constructs and their labels, columns, their short names, and labels of what is no item; a construct goes first."""
        held = book[~book["construct"].str.casefold().isin({*NOT_ITEMS, ""})]
        count = held["construct"].value_counts()
        entries = [(c, c, f"the construct {c!r}") for c in count.index]
        entries += [(c, c, f"the column {c!r}") for c in columns]
        for label in {"construct_label_en", "construct_label_zh"} & {*book.columns}:
            entries += [
                (str(n), c, f"the construct {c!r}") for c, n in zip(held["construct"], held[label], strict=True)
            ]
        if "short" in book.columns:
            entries += [(str(s), v, f"the column {v!r}") for v, s in zip(book["variable"], book["short"], strict=True)]
        for label in {"label_en", "label_zh"} & {*book.columns}:
            other = book[book["construct"].str.casefold().isin(NOT_ITEMS)]
            entries += [(str(n), v, f"the column {v!r}") for v, n in zip(other["variable"], other[label], strict=True)]
        alone = {v: c for v, c in zip(held["variable"], held["construct"], strict=True) if count[c] == 1}
        return cls([e for e in entries if e[0].strip() and e[0] != "nan"], alone)

    def find(self, written: str, where: str, only_columns: bool = False) -> str:
        """The construct or column that a name stands for: spelt the same, else without case, blanks and signs.

        Raises
        ------
        DataError
            There is none, or there are two.
        """
        entries = [e for e in self.entries if not only_columns or e[2].startswith("the column")]
        for plain in (str.strip, folded):
            same = [e for e in entries if plain(written) and plain(e[0]) == plain(written)]
            found = {self.alone.get(target, target): said for _, target, said in same}
            if len(found) > 1:
                raise DataError(f"{where}: {written!r} can be {' or '.join(found.values())}; write the name of one of them, or change a name in the codebook")  # fmt: skip
            if same:
                return same[0][1]
        kind = "not" if only_columns else "neither a construct of the codebook nor"
        known = dict.fromkeys(name for name, _, _ in entries)
        raise DataError(f"{where}: {written!r} is {kind} a column of the data.{checks.suggest(written, known)}")


def one_word(name: str) -> str:
    """A name without blanks and signs, as the model language spells it: ``loyalty (attitude)`` is ``loyalty_attitude``."""
    return re.sub(r"[\W_]+", "_", name.strip()).strip("_")


def folded(name: str) -> str:
    """A name as it is compared: without case, blanks and signs."""
    return one_word(name).casefold()
