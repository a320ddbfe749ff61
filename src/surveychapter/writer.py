"""The growing chapter: sections, numbered tables and figures, alarms, limits, the checklist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from semfit.errors import DroppedRows, UnusedItems

from . import figures
from .analysis import Analysis
from .document import Picture, Section
from .rules import RULES
from .tables import Table
from .wording import Near, Wording, cell

# A column of a table: where it comes from, the key of its head, how it is written. Two sources make an interval.
Column = tuple[str | tuple[str, str], str, str]


class Writer:
    """Puts an analysis into words; every section module writes into it in turn."""

    def __init__(self, analysis: Analysis, words: Wording):
        self.a, self.plan, self.words = analysis, analysis.plan, words
        self.sections: list[Section] = []
        self.alarms: list[str] = []
        self.limits: list[str] = []
        self.cited: list[str] = []
        self.checks: list[tuple[str, str, str]] = []
        self.counts = {"table": 0, "figure": 0}
        self.places: dict[str, str] = {}
        self._sentences: list[str] = []

    # -- text --------------------------------------------------------------------------------------------------
    def open(self, key: str, **values: Any) -> None:
        """Begin a section."""
        self.end()
        self.sections.append(Section(self.words(f"heading.{key}", **values), key=key))

    def say(self, key: str, **values: Any) -> None:
        """Add a sentence to the paragraph. ``{table}`` and ``{figure}`` are the next ones."""
        for kind in ("table", "figure"):
            values.setdefault(kind, self.label(kind, self.counts[kind] + 1))
        self._sentences.append(self.words(key, **values))

    def end(self) -> None:
        """End the paragraph."""
        if self._sentences:
            self.sections[-1].parts.append(self.words["space"].join(self._sentences))
            self._sentences = []

    def label(self, kind: str, number: int) -> str:
        return self.words(f"label.{kind}", number=number)

    def place(self, key: str) -> str:
        """Label of a table that is already there."""
        return self.places.get(key, "")

    def alarm(self, key: str, **values: Any) -> None:
        self.alarms.append(self.words(key, **values))

    def limit(self, key: str, **values: Any) -> None:
        self.limits.append(self.words(key, **values))

    def judge(self, rule: str, value: float, **values: Any) -> bool:
        """Say what the rule has to say of a value, wherever it has to be said; True where it holds."""
        holds = RULES[rule](value)
        key = f"{rule}.{'yes' if holds else 'no'}"
        given = {"value": Near(value, RULES[rule].limit), "limit": RULES[rule].limit, **values}
        if key in self.words:
            self.say(key, **given)
        if f"{key}.alarm" in self.words:
            self.alarm(f"{key}.alarm", **given)
        if f"{key}.limit" in self.words:
            self.limit(f"{key}.limit", **given)
        return holds

    def warned(self, model: str, found: Iterable[Any]) -> None:
        """Warnings of a model, for the author alone; rows and items left out are told elsewhere."""
        for warning in found:
            if not isinstance(warning, (DroppedRows, UnusedItems)):
                told = self.plan.printed(str(warning))
                self.alarm("model.warning.alarm", model=self.words.get(model, model), warning=told)

    def cite(self, *keys: str) -> None:
        self.cited += [k for k in keys if k not in self.cited]

    def check(self, key: str, state: str = "yes", where: str = "") -> None:
        """One line of the checklist."""
        heading = self.sections[-1].heading if state == "yes" else self.words.get(where, where)
        self.checks.append((self.words[f"check.{key}"], self.words[f"state.{state}"], heading))

    def failed(self, part: str, check: str, heading: str | None = None, **values: Any) -> None:
        """Say why a part is not there, if it could not be computed."""
        reason = self.a.reason(part).rstrip(".")
        if not reason:
            return
        if heading:
            self.open(heading, **values)
        title = self.sections[-1].heading
        self.end()
        self.say("failed", reason=reason)
        self.end()
        self.alarm("failed.alarm", heading=title, reason=reason)
        self.check(check, "no", "failed.where")

    # -- tables and figures ------------------------------------------------------------------------------------
    def table(self, key: str, frame: pd.DataFrame, columns: Sequence[Column], note: str | None = None, **values: Any) -> None:  # fmt: skip
        """A numbered table; ``note`` is the key of its note, ``table.<key>`` the one of its title."""
        self.end()
        self.counts["table"] += 1
        self.places[key] = self.label("table", self.counts["table"])
        heads, cells = [], []
        for source, head, kind in columns:
            heads.append(self.head(head))
            cells.append(self._cells(frame, source, kind))
        shown = pd.DataFrame(dict(enumerate(cells)), index=range(len(frame)), dtype=object)
        shown.columns = pd.Index(heads, dtype=object)
        title = self.words(f"table.{key}", **values).removesuffix(".")
        text = self.words(note, **values) if note else ""
        self.sections[-1].parts.append(
            Table(shown, f"{self.places[key]}{self.words['label.stop']}{title}", text, lead=self.words["note"])
        )

    def head(self, key: str) -> str:
        """A column's head: a word, or the label of a role."""
        return self.words.get(f"head.{key}", key)

    def _cells(self, frame: pd.DataFrame, source: str | tuple[str, str], kind: str) -> list[str]:
        if isinstance(source, tuple):
            low, high = frame[source[0]], frame[source[1]]
            return ["" if a != a else self.words.interval(a, b, kind) for a, b in zip(low, high, strict=True)]
        return [cell(self.words, v, kind) for v in frame[source]]

    def figure(self, key: str, plot: Callable, height: float = 4.0, **values: Any) -> None:
        """A numbered figure with its caption and the words for those who cannot see it."""
        self.end()
        self.counts["figure"] += 1
        caption = f"{self.label('figure', self.counts['figure'])}{self.words['label.stop']}{self.words(f'figure.{key}', **values)}"
        alt = " ".join(self.words(f"alt.{key}", **values).split())
        self.sections[-1].parts.append(Picture(figures.draw(plot, self.words.language, height), caption, alt))

    def drawn(self, paths: pd.DataFrame) -> None:
        """The figure of the hypothesised paths (outcome predictor beta clear); controls are not drawn."""
        rows = paths[[x in self.plan.paths.get(y, ()) or "*" in x for x, y in zip(paths["predictor"], paths["outcome"], strict=True)]]  # fmt: skip
        shown = [self.words("alt.path", x=" \u00d7 ".join(map(self.words.name, x.split("*"))), y=y, b=b) for y, x, b in rows[["outcome", "predictor", "beta"]].itertuples(index=False)]  # fmt: skip
        if shown:
            self.figure("paths", figures.paths(rows, self.words), figures.height(rows, self.words), paths=shown)
