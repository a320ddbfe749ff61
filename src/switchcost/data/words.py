"""Answers in words mapped to numbers, by the table ``answer_words.csv`` beside this file."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

# Offered beside an answer scale, and no point of it.
NO_OPINION = frozenset(  # in small letters, ß as ss
    "don't know|dont know|do not know|i don't know|not applicable|no answer|no opinion|prefer not to say|rather not say|refused|"
    "keine angabe|keine angaben|k. a|k.a|weiss nicht|ich weiss nicht|keine antwort|kann ich nicht beurteilen|entfällt|"
    "不知道|不清楚|不适用|没有意见|no sé|no aplica|ns/nc".split("|")
)
_HALVES = r"\s*[/|;(（)）]\s*|(?<=[a-zà-ÿ])\s*(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])\s*(?=[a-zà-ÿ])"


@dataclass(frozen=True)
class AnswerScale:
    """One set of answers: ``values`` maps a wording to its number, 1 to ``points``; ``parts`` are the sets of a mixture."""

    language: str
    kind: str
    points: int
    values: Mapping[str, int]
    parts: tuple[AnswerScale, ...] = ()

    def holds(self, words: frozenset[str]) -> bool:
        """All of these words belong to the set, each as a number of its own (in its own language)."""
        if self.parts:
            return words <= self.values.keys() and all(p.holds(words & p.values.keys()) for p in self.parts)
        return words <= self.values.keys() and len({self.values[w] for w in words}) == len(words)


@cache
def answer_scales() -> tuple[AnswerScale, ...]:
    """All sets of the table. A new one needs lines in the table and no code."""
    found: dict[tuple[str, str, int], dict[str, int]] = {}
    with open(Path(__file__).with_name("answer_words.csv"), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            words = found.setdefault((row["language"], row["kind"], int(row["points"])), {})
            words.update({_plain(word): int(row["value"]) for word in row["words"].split("|")})
    single = [AnswerScale(*key, words) for key, words in found.items()]
    mixed = []  # a questionnaire in two languages gives both in one column
    for kind, points in dict.fromkeys((s.kind, s.points) for s in single):
        parts = tuple(s for s in single if (s.kind, s.points) == (kind, points))
        words = {w: v for s in parts for w, v in s.values.items()}
        agree = {w: v for w, v in words.items() if all(s.values.get(w, v) == v for s in parts)}
        mixed.append(AnswerScale("several languages", kind, points, agree, parts))
    return (*single, *mixed)


@cache
def normal(text: str) -> str:
    """A wording without case, outer blanks, doubled blanks and final full stop; of "agree 同意" the first half."""
    plain = _plain(text)
    one, *other = [h for h in re.split(_HALVES, plain) if h] or [""]
    sets = [s.values for s in answer_scales() if s.parts and len(other) == 1]
    return one if any(s.get(one, 0) == s.get(other[0], -1) for s in sets) else plain


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", str(text).strip().rstrip(".。").casefold())


def fitting(words: frozenset[str]) -> list[AnswerScale]:
    """Sets that hold all of these words; a mixture of languages only where no language holds them alone."""
    found = [s for s in answer_scales() if s.holds(words)]
    return [s for s in found if not s.parts] or found


def block_of(name: str) -> str:
    """What the columns of one question share: its number or code, the text before a bracket or dash, the stem."""
    numbered = re.match(r"\s*(\d+)\s*[、.)]", name) or re.match(r"(\w+)\[\w+\](?:\.|$)", name)  # LimeSurvey's SC[SQ001]
    if numbered:
        return numbered.group(1)
    question = re.match(r"(.{3,}?)\s*(?:\[|—| - )", name) or re.match(r"([^\W\d_]{1,12}?)[_.-]?\s?\d+[a-z]?[.:]?\s+\S", name)  # fmt: skip
    return question.group(1) if question else re.sub(r"[_.\s-]*\d+[a-z]?$", "", name) or name


def choose_scales(cells: Mapping[str, pd.Series], points: Mapping[str, float]) -> dict[str, AnswerScale]:
    """Which columns hold answers in words, and from which set.

    Columns of one question are looked at together, since one of them may lack an answer. A block that fits several
    sets takes the one with as many points as the codebook says, then the one that the other blocks use, then the one
    whose points are all used, then the one nearest to five points.

    Parameters
    ----------
    cells : dict of column -> Series of str
        Answers given, gaps left out.
    points : dict of column -> number of points in the codebook's range
    """
    words = {c: frozenset(map(normal, s.unique())) - NO_OPINION for c, s in cells.items() if 1 <= s.nunique() <= 14}
    blocks: dict[str, list[str]] = {}
    for column, used in words.items():
        if used and fitting(used):
            blocks.setdefault(block_of(column), []).append(column)
    pooled = {b: frozenset().union(*(words[c] for c in columns)) for b, columns in blocks.items()}
    for block in [b for b, used in pooled.items() if not fitting(used)]:  # two kinds of answers under one name
        for column in blocks.pop(block):
            blocks[column], pooled[column] = [column], words[column]
        pooled.pop(block, None)
    blocks = {b: columns for b, columns in blocks.items() if len(pooled[b]) > 1}
    certain = Counter(s for b in blocks for used in [pooled[b]] for s in map(_key, fitting(used)) if len(used) == s[2])
    chosen = {}
    for block, columns in blocks.items():
        wanted = {points[c] for c in columns if c in points}
        best = max(
            fitting(pooled[block]),
            key=lambda s: (s.points in wanted, certain[_key(s)], len(pooled[block]) == s.points, -abs(s.points - 5)),
        )
        chosen.update(dict.fromkeys(columns, best))
    return chosen


def _key(scale: AnswerScale) -> tuple[str, str, int]:
    return scale.language, scale.kind, scale.points


def wording(scale: AnswerScale, used: Sequence[str]) -> dict[float, str]:
    """Value labels in the words of the file."""
    labels: dict[float, str] = {}
    points = [w for w in used if normal(w) not in NO_OPINION]
    for w in sorted(points, key=lambda w: (scale.values[normal(w)], w)):
        value = float(scale.values[normal(w)])
        labels[value] = f"{labels[value]} / {w}" if value in labels else w
    return labels
