"""Exercises whose answers nobody can read off: what is stored opens only with an answer.

Every answer that counts, and every wrong answer with a hint of its own, is one entry. Its name is a salted hash of the
answer; it holds, enciphered with the same answer, the key of one of the texts (right or wrong, and what to say). An
entry does not show whether it is right. To find a short number by trying thousands is slower than an honest solution.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from switchcost.core.errors import DataError

ROUNDS = 2000
WAITS = {"number": "a number", "word": "one word or name, in quotes", "names": "a list of names"}
KEYS = {"question", "answer", "between", "words", "names", "tolerance", "wrong", "hints", "right", "waits_for"}


@dataclass(frozen=True)
class Exercise:
    """An exercise in clear, as its author writes it. Kept out of everything that students get."""

    name: str
    question: str
    kind: str
    target: Any  # (low, high) of a number, accepted words, or names
    step: float = 0.0
    tolerance: float = 0.0
    wrong: tuple[tuple[Any, str], ...] = ()
    hints: tuple[str, ...] = ()
    right: str = ""
    waits_for: str = ""


@dataclass(frozen=True)
class Sealed:
    """An exercise as it is shipped: the question in clear, everything else enciphered."""

    name: str
    question: str
    kind: str
    step: float
    waits_for: str
    entries: dict[str, str] = field(repr=False)
    texts: list[str] = field(repr=False)
    hints: list[str] = field(repr=False)


@dataclass(frozen=True)
class Verdict:
    """What a check says about an answer; ``right`` is None where there was no answer that could be judged."""

    right: bool | None
    text: str
    named: bool = False  # a wrong answer that the author foresaw


def exercise(name: str, plain: Mapping[str, Any]) -> Exercise:
    """Read an exercise as an author writes it.

    Parameters
    ----------
    name : str
        Notebook number and a word: ``"09-core"``.
    plain : mapping
        ``question`` and one of ``answer`` (a number, with ``tolerance``), ``between`` (low, high), ``words`` (every
        spelling that counts), ``names`` (all of them, in any order); ``wrong`` (list of ``{answer, hint}``),
        ``hints`` (from vague to plain), ``right`` (what to add to "Right."), ``waits_for`` (the kind of answer).

    Returns
    -------
    Exercise

    Raises
    ------
    DataError
        The name, a key or a value cannot be used; the sentence says which.
    """
    if not re.fullmatch(r"\d\d-[a-z0-9-]+", name):
        raise DataError(f"exercise {name!r} must look like '09-core': the notebook's number, then a word")
    unknown, kinds = set(plain) - KEYS, {"answer", "between", "words", "names"} & set(plain)
    if unknown or len(kinds) != 1 or not plain.get("question"):
        raise DataError(
            f"exercise {name} needs a question and exactly one of answer, between, words, names (it has "
            f"{', '.join(sorted(kinds)) or 'none'}); it may have {', '.join(sorted(KEYS - kinds))}, and nothing else"
        )
    kind, step, tolerance = "number", 0.0, float(plain.get("tolerance", 0))
    target: list[str] | tuple[float, float]
    if kinds == {"words"}:
        kind, target = "word", [plain["words"]] if isinstance(plain["words"], str) else list(plain["words"])
    elif kinds == {"names"}:
        kind, target = "names", list(plain["names"])
    else:
        low, high = (
            plain["between"] if "between" in plain else (plain["answer"] - tolerance, plain["answer"] + tolerance)
        )
        if not low <= high:
            raise DataError(f"exercise {name}: between must be (low, high), and is ({low}, {high})")
        target, half = (float(low), float(high)), (high - low) / 2
        tolerance = tolerance or half
        step = 10.0 ** math.floor(math.log10(half / 5) + 1e-9) if half else 1e-6
    return Exercise(
        name, str(plain["question"]), kind, target, step, tolerance,
        tuple((w["answer"], w["hint"]) for w in plain.get("wrong", ())), tuple(plain.get("hints", ())),
        plain.get("right", ""), plain.get("waits_for", WAITS[kind]),
    )  # fmt: skip


def token(kind: str, step: float, answer: Any) -> str:
    """The one spelling of an answer that is hashed.

    Raises
    ------
    DataError
        It is not of the kind that the exercise waits for.

    Examples
    --------
    >>> token("number", 0.001, " 0.1791"), token("word", 0, " Both "), token("names", 0, ["b1", "a1"])
    ('179', 'both', 'a1|b1')
    """
    if isinstance(answer, (np.ndarray, np.generic)) or hasattr(answer, "tolist"):
        answer = answer.tolist()
    if kind != "names" and isinstance(answer, (list, tuple, set, frozenset)) and len(answer) == 1:
        answer = next(iter(answer))
    if kind == "number":
        try:
            value = math.nan if isinstance(answer, (bool, complex)) else float(answer)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            raise DataError(f"{answer!r} is not a number")
        return str(round(value / step))
    if kind == "names":
        parts = re.split(r"[,;\s]+", answer.strip()) if isinstance(answer, str) else answer
        if not isinstance(parts, (list, tuple, set, frozenset)):
            raise DataError(f"{answer!r} is not a list of names")
        return "|".join(sorted({_spelt(p) for p in parts}))
    if isinstance(answer, (list, tuple, set, frozenset, dict)):
        raise DataError("more than one answer was given")
    return _spelt(answer)


def _spelt(word: Any) -> str:
    return re.sub(r"[\s_-]+", " ", str(word)).strip(" .").casefold()


def seal(plain: Exercise) -> Sealed:
    """Encipher an exercise; the same exercise always gives the same text.

    Raises
    ------
    DataError
        A wrong answer is one that counts as right.
    """
    right = json.dumps({"right": True, "say": plain.right})
    if plain.kind == "number":
        low, high = plain.target
        texts = {str(k): right for k in _cells(low, high, plain.step)}
    elif plain.kind == "word":
        texts = {_spelt(w): right for w in plain.target}
    else:
        texts = {token("names", 0, plain.target): right}
    for answer, hint in plain.wrong:
        if texts.get(token(plain.kind, plain.step, answer)) == right:
            raise DataError(f"exercise {plain.name}: the wrong answer {answer!r} counts as right")
        near = [token(plain.kind, plain.step, answer)]
        if plain.kind == "number":
            reach = min(plain.tolerance, 20 * plain.step)
            near = [str(k) for k in _cells(answer - reach, answer + reach, plain.step)] or near
        for k in near:
            texts.setdefault(k, json.dumps({"right": False, "say": hint}))
    keys = {text: hashlib.sha256(f"{plain.name} {text}".encode()).digest() for text in set(texts.values())}
    order = sorted(keys, key=lambda text: keys[text])
    entries = {}
    for k, text in texts.items():
        name, stream = _key(plain.name, k)
        entries[name] = _coded(bytes([order.index(text)]) + keys[text][:16], stream)
    return Sealed(
        plain.name, plain.question, plain.kind, plain.step, plain.waits_for, dict(sorted(entries.items())),
        [_coded(text.encode(), keys[text][:16]) for text in order],
        [_coded(text.encode(), _key(plain.name, f"hint {i}")[1]) for i, text in enumerate(plain.hints)],
    )  # fmt: skip


def judge(sealed: Sealed, answer: Any) -> Verdict:
    """Whether an answer is right, and what its author says to it; the answer stays unknown to the code.

    Returns
    -------
    Verdict
    """
    if answer is None or answer is Ellipsis or (isinstance(answer, str) and not answer.strip()):
        return Verdict(None, f"{sealed.question} (Give {sealed.waits_for}.)")
    try:
        spelt = token(sealed.kind, sealed.step, answer)
    except DataError as problem:
        return Verdict(None, f"{sealed.question} This waits for {sealed.waits_for}; {problem}.")
    key, stream = _key(sealed.name, spelt)
    if key not in sealed.entries:
        return Verdict(False, "Not yet.")
    entry = _mixed(b64decode(sealed.entries[key]), stream)
    found = json.loads(_mixed(b64decode(sealed.texts[entry[0]]), entry[1:]))
    return Verdict(found["right"], f"{'Right.' if found['right'] else 'Not yet.'} {found['say']}".strip(), True)


def hint(sealed: Sealed, stage: int) -> str:
    """The hint of a stage, counted from 0; empty when there are no more."""
    if stage >= len(sealed.hints):
        return ""
    return _mixed(b64decode(sealed.hints[stage]), _key(sealed.name, f"hint {stage}")[1]).decode()


def _cells(low: float, high: float, step: float) -> Sequence[int]:
    return range(math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6) + 1)


def _key(name: str, spelt: str) -> tuple[str, bytes]:
    raw = hashlib.pbkdf2_hmac("sha256", spelt.encode(), f"switchcost {name}".encode(), ROUNDS, 32)
    return raw[:9].hex(), raw[9:]


def _mixed(text: bytes, stream: bytes) -> bytes:
    noise = hashlib.shake_256(stream).digest(len(text))
    return bytes(a ^ b for a, b in zip(text, noise, strict=True))


def _coded(text: bytes, stream: bytes) -> str:
    return b64encode(_mixed(text, stream)).decode()
