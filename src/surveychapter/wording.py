"""Sentences from templates: numbers as each language prints them, names by their labels."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from switchcost.core.errors import DataError

from . import words_en, words_zh
from .names import one_word
from .numbers import number
from .plan import SPELT, Plan, dummy, short_names
from .screening.cells import NOT_ITEMS

LANGUAGES: dict[str, Mapping[str, str]] = {"en": words_en.WORDS, "zh": words_zh.WORDS}


class Near(float):
    """A value that is compared with a limit: where both would print alike, it gets a digit more (.496 is below .50)."""

    limit: float

    def __new__(cls, value: float, limit: float) -> Near:
        made = super().__new__(cls, value)
        made.limit = limit
        return made

    def decimals(self, usual: int) -> int:
        """The usual number of decimals, or up to two more where they tell the value from its limit."""
        differs = (d for d in (usual, usual + 1, usual + 2) if f"{self:.{d}f}" != f"{self.limit:.{d}f}")
        return next(differs, usual)


CODE = re.compile(r"[A-Za-z]{1,5}_?\d+(_\d+)*|item_\d+")  # a column's name that says nothing, such as Q8 or v_12
LONG = 40  # signs of a label that is still a name

# What a template writes after the colon -> decimals, and whether the number cannot pass 1 (no leading zero in English).
NUMBERS: dict[str, tuple[int, bool]] = {
    "r": (2, True), "r3": (3, True), "b": (2, False), "b3": (3, False), "b1": (1, False), "b0": (0, False),
}  # fmt: skip


class Wording(string.Formatter):
    """The sentences of one language.

    Parameters
    ----------
    language : "en" or "zh"
    plan : Plan, optional
        Where labels of constructs, items and values come from.
    """

    def __init__(self, language: str, plan: Plan | None = None):
        if not isinstance(language, str) or language not in LANGUAGES:
            raise DataError(f"language is {language!r}; it can be {' or '.join(map(repr, LANGUAGES))}")
        self.language, self.words, self.plan = language, LANGUAGES[language], plan

    def __contains__(self, key: str) -> bool:
        return key in self.words

    def __call__(self, key: str, **values: Any) -> str:
        """The sentence of ``key`` with its numbers."""
        text = self.vformat(self.words[key], (), values)
        sentence = (
            self.language == "en" and text.endswith(".") and not key.startswith("note.")
        )  # a note begins with a symbol
        return text[:1].upper() + text[1:] if sentence else text

    def __getitem__(self, key: str) -> str:
        """A word without numbers."""
        return self.words[key]

    def get(self, key: str, otherwise: str) -> str:
        """A word without numbers, or what is there instead."""
        return self.words.get(key, otherwise)

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec in NUMBERS:
            decimals, bounded = NUMBERS[format_spec]
            if isinstance(value, Near):
                decimals = value.decimals(decimals)
            return number(value, decimals, bounded=bounded and self.language == "en")
        if format_spec == "p":
            return self.p(value)
        if format_spec.startswith("pct"):
            return f"{number(100 * value, int(format_spec[3:] or 0))}%"
        if format_spec == "names":
            return self.joined([self.name(v) for v in value])
        if format_spec == "items":
            return self.joined([self.own(v) for v in value])
        if format_spec == "list":
            return self.joined([str(v) for v in value])
        if format_spec == "parts":
            return self.words["semicolon"].join(str(v) for v in value)
        if format_spec == "name":
            return self.name(value)
        if "|" in format_spec:
            one, many = format_spec.split("|")
            return f"{int(value):,} {one if value == 1 else many}"
        if format_spec == "d":
            return f"{int(value):,}"
        return super().format_field(value, format_spec)

    def p(self, value: float) -> str:
        """``p = .021`` or ``p < .001``; with leading zeros in Chinese."""
        zero = "" if self.language == "en" else "0"
        return f"p < {zero}.001" if value < 0.001 else f"p = {number(value, 3, bounded=self.language == 'en')}"

    def joined(self, names: Sequence[str]) -> str:
        """``a, b and c``."""
        if not names:
            return self.words["none"]
        if len(names) == 1:
            return names[0]
        comma, last = self.words["comma"], self.words["and"]
        return comma.join(names[:-1]) + last + names[-1]

    def beside(self, text: str, value: str) -> str:
        """``text (value)`` in the brackets of the language."""
        return f"{text} ({value})" if self.language == "en" else f"{text}（{value}）"

    def interval(self, low: float, high: float, form: str = "b") -> str:
        return f"[{self.format_field(low, form)}, {self.format_field(high, form)}]"

    # -- labels ------------------------------------------------------------------------------------------------
    def name(self, role: str) -> str:
        """Label of a construct or column: the codebook's, or its name without underscores."""
        if self.plan is not None:
            book = self.plan.book
            column = f"construct_label_{self.language}"
            if column in book.columns:
                found = [v for v in book.loc[book["construct"] == role, column].astype(str) if v.strip()]
                if found:
                    return found[0].strip()
            if role not in self.plan.scales and (label := self._column(role)):
                return label
            if role in self.plan.called:
                return self.plan.called[role]
            for column in self.plan.nominal:  # a 0/1 column that stands for one of its groups
                for value in self.plan.raw[column].dropna().unique() if role.startswith(dummy(column, "")) else ():
                    label = self.value(column, value)
                    if role in (dummy(column, value), dummy(column, label)):
                        return f"{self.name(column)}: {label}"
        return self.words.get(f"construct.{role}", str(role).replace("_", " "))

    def _column(self, name: str) -> str:
        """What a column is called: a short name that a person chose, or else its label, where that is one of a few words."""
        written = self.plan.spelt.get(name, name) if self.plan else name
        if (
            self.plan is None
            or "short" not in self.plan.book
            or SPELT.fullmatch(written)
            and not CODE.fullmatch(written)
        ):
            return ""
        line = self.plan.book[self.plan.book["variable"] == name]
        if not len(line) or str(line["construct"].iloc[0]).casefold() not in NOT_ITEMS:
            return ""
        short = short_names(line).get(name, "")
        label = self.wording(name).removesuffix("?").strip()
        if short and one_word(short).casefold() not in (one_word(written).casefold(), one_word(label).casefold()):
            return short.replace("_", " ")
        return label if len(label) <= LONG else ""

    def own(self, item: str) -> str:
        """Name of an item: the short one of the codebook, or as it stands in the file."""
        return self.plan.called.get(item, item) if self.plan else item

    def wording(self, item: str) -> str:
        """The question of an item: the codebook's in this language, or in the other, or the file's."""
        if self.plan is None:
            return ""
        row = self.plan.book.loc[self.plan.book["variable"] == item]
        for column in (f"label_{self.language}", "label_en", "label_zh"):
            text = str(row[column].iloc[0]).strip() if len(row) and column in row else ""
            if text:
                return text
        return str(self.plan.raw.attrs.get("labels", {}).get(item, ""))

    def value(self, column: str, value: Any) -> str:
        """Label of a value of a column."""
        labels = self.plan.raw.attrs.get("value_labels", {}).get(column, {}) if self.plan else {}
        if value in labels:
            return str(labels[value])
        return f"{value:g}" if isinstance(value, (int, float, np.number)) else str(value)


def cell(words: Wording, value: Any, kind: str) -> str:
    """A cell of a table, by the kind of its column; empty for what is not a number."""
    if kind in ("name", "item", "text"):
        return words.name(str(value)) if kind == "name" else words.own(str(value)) if kind == "item" else str(value)
    if value is None or value != value:
        return ""
    if kind == "p":
        return words.p(value)[2:].removeprefix("= ")
    return str(int(value)).replace("-", "\u2212") if kind == "d" else words.format_field(value, kind)
