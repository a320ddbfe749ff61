"""Which records of a survey file leave, in a stated order, each step counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ..core import checks
from ..core.errors import DataError
from . import platforms
from .binary import FILTER
from .codebook import is_attention_line


@dataclass
class Reading:
    """What is known about a file while it is read."""

    name: str
    book: pd.DataFrame | None
    found: dict = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    value_labels: dict[str, dict[float, str]] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    platform: platforms.Platform | None = None
    flow: list[dict] = field(default_factory=list)
    attention: dict[str, object] = field(default_factory=dict)

    def of_book(self, column: str) -> pd.DataFrame:
        """Codebook by variable, lines with a value in ``column`` only."""
        if self.book is None:
            return pd.DataFrame(columns=["variable"]).set_index("variable")
        return self.book[self.book[column].notna()].set_index("variable")

    def step(self, what: str, left: int) -> None:
        before = self.flow[-1]["left"] if self.flow else left
        self.flow.append({"step": what, "dropped": before - left, "left": left})


def enough(frame: pd.DataFrame, name: str) -> None:
    if len(frame) == 0:
        raise DataError(f"{name} has a header and no answers; check the export")
    if len(frame) == 1:
        raise DataError(f"{name} has one row of answers; nothing can vary in it. Check the export, or whether rows "
                        "and columns are swapped.")  # fmt: skip


def leave(frame: pd.DataFrame, reading: Reading, keep: str, min_seconds: float | None) -> pd.DataFrame:
    """Previews, then unfinished records, those that were not selected in SPSS, and those that were too fast."""
    platform = reading.platform

    def columns(pattern: str) -> list[str]:
        return [n for n in reading.own if n in frame and re.fullmatch(pattern, platforms.short(n))]

    for what, rule in (("previews", platform and platform.preview), ("unfinished", platform and platform.unfinished)):
        found = columns(rule[0]) if rule and keep != "all" else []
        if rule and found:
            gone = frame[found].apply(lambda s, cell=rule[1]: s.astype(str).str.casefold().str.fullmatch(cell))
            frame = frame[~gone.any(axis=1)]
            reading.step(what, len(frame))
    if FILTER in reading.own and keep != "all":
        selection = reading.labels.get(FILTER, FILTER).removesuffix("(FILTER)").strip()
        frame = frame[frame[FILTER] != 0]
        reading.step(f"not selected in SPSS ({selection})", len(frame))
    timed = columns(re.escape(platform.seconds)) if platform and platform.seconds else []
    times = frame[timed[0]].astype(str) if timed else None
    if min_seconds is not None:
        if times is None:
            raise DataError(f"min_seconds: {reading.name} has no column with the time of answering that is known here")
        frame = frame[~(times.loc[frame.index].map(platforms.seconds) < min_seconds)]
        reading.step(f"answered in less than {min_seconds:g} seconds", len(frame))
    enough(frame, f"{reading.name}, without previews and unfinished records,")
    return frame.reset_index(drop=True)


def attention_items(
    frame: pd.DataFrame, reading: Reading, keep: str, attention: Mapping[str, float | str] | None
) -> pd.DataFrame:
    """Records that failed an item whose right answer is known leave, and the item with its duty done stays."""
    right: dict[str, object] = dict(attention or {})
    for column in right:
        checks.columns(frame, [column], "attention item")
    if attention is None:
        for column in frame.columns:
            answers = frame[column].dropna()
            known = reading.book is not None and column in set(reading.book["variable"])
            line = reading.book.set_index("variable").loc[column] if known and reading.book is not None else None
            declared = line is not None and is_attention_line(line["construct"])
            if declared and line is not None and line["low"] == line["high"]:
                right[column] = line["low"]
            elif (declared or platforms.is_attention(column, reading.labels.get(column, ""))) and len(answers):
                common = answers.value_counts(normalize=True)
                if common.iloc[0] >= 0.6:
                    right[column] = common.index[0]
                    reading.notes.append(
                        f"{column!r} is an attention item; its right answer is taken to be {common.index[0]}"
                    )
            elif re.fullmatch(r"att(ention|n)?[ _-]?(check|item)?\d*", column, re.IGNORECASE):
                reading.notes.append(f"{column!r} may be an attention item: say attention={{{column!r}: right answer}}")
    reading.attention = right
    for column in right:
        answer = right[column] = _answer(frame[column], right[column], reading)
        failed = frame[column].notna() & (frame[column] != answer)
        reading.own = (*reading.own, column)
        if keep != "all":
            frame = frame[~failed]
            reading.step(f"failed {column}", len(frame))
    enough(frame, f"{reading.name}, without records that failed an attention item,")
    return frame.reset_index(drop=True)


def _answer(given: pd.Series, right: object, reading: Reading) -> object:
    """The right answer as the column spells it: its number for a word, and a number that was written as text."""
    labels = reading.value_labels.get(str(given.name), {})
    words = {part.strip().casefold(): v for v, w in labels.items() for part in (str(w), *str(w).split(" / "))}
    plain = str(right).strip()
    spelt = next((v for v in given.dropna().unique() if v == right or str(v).casefold() == plain.casefold()), None)
    spelt = words.get(plain.casefold()) if spelt is None else spelt
    if spelt is None or not (given == spelt).any():
        shown = ", ".join(map(repr, given.dropna().unique()[:6].tolist()))
        raise DataError(f"attention: nobody answered {right!r} in {given.name!r} of {reading.name}, so everybody "
                        f"would leave; the answers are {shown}")  # fmt: skip
    return spelt
