"""Self-checks of exercises: asked on the page, answered by the sealed exercises of the same number."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from switchcost.core import checks as known
from switchcost.core.errors import DataError

from . import sealing

HERE = Path(__file__).resolve().parent
DECIMALS = ("no", "one", "two", "three", "four")
OF_SHARE = r"\b(?:what|which)\b[^,]*\b(?:share|rate)\b"
OF_NUMBER = r"^(?:In )?how many\b(?! per cent| times| of its)"
OF_DECIMALS = r"\b(one|two|three|four) decimals?\b"
_TRIED: dict[str, set[str]] = {}


@cache
def sealed(name: str) -> sealing.Sealed:
    """The sealed exercise of that name, from ``sealed/<number>.json``."""
    path = HERE / "sealed" / f"{name[:2]}.json"
    exercises = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if name not in exercises:
        raise DataError(f"there is no exercise {name!r}.{known.suggest(name, list(exercises))}")
    return sealing.Sealed(**exercises[name])


def check(name: str, answer: Any) -> None:
    """Say whether an answer is right. Without an answer the question is printed, and nothing else.

    Parameters
    ----------
    name : str
        Notebook number and a word, ``"09-core"``.
    answer : number, str, list of str, or None
        A number may be a NumPy value or a string of digits; capitals, outer blanks and the order of names are free.

    Raises
    ------
    DataError
        There is no exercise of that name.

    Notes
    -----
    A wrong answer never stops the notebook. Answers that the author foresaw get their own hint. A number of another form
    than the question asks for (a percentage for a share, too few decimals, the other sign) is told so. Every other wrong
    answer opens the next of the exercise's hints.
    """
    exercise = sealed(name)
    verdict = sealing.judge(exercise, answer)
    text = verdict.text
    form, enough = misread(exercise, answer) if verdict.right is False and not verdict.named else ("", True)
    text = f"{text} {form}".strip()
    if not enough:
        tried = _TRIED.setdefault(name, set())
        tried.add(sealing.token(exercise.kind, exercise.step, answer))
        text = f"{text} {sealing.hint(exercise, min(len(tried), len(exercise.hints)) - 1) if exercise.hints else ''}"
    print(text.strip())


def misread(exercise: sealing.Sealed, answer: Any) -> tuple[str, bool]:
    """What is wrong with the form of a wrong number, whatever the target is, and whether that is enough of a reply."""
    if exercise.kind != "number":
        return "", False
    value = int(sealing.token(exercise.kind, exercise.step, answer)) * exercise.step  # as it is compared
    of_share, of_number, places = (re.search(p, exercise.question, re.I) for p in (OF_SHARE, OF_NUMBER, OF_DECIMALS))
    if of_share and abs(value) > 1:
        return "A share lies between 0 and 1; this looks like a percentage or a count.", True
    if of_number and 0 < value < 1:
        return "The question is for a number, and this looks like a share.", True
    if sealing.judge(exercise, -value).right:
        return "Mind the sign.", True
    if places and len(f"{value:.12g}".partition(".")[2]) < DECIMALS.index(places[1].lower()):
        return f"The question is for {places[0].lower()}; round at the end only.", False
    return "", False


def write_sealed() -> list[Path]:
    """Seal every ``solutions/NN.md`` into ``sealed/NN.json``; returns the files that changed."""
    from . import solutions

    changed = []
    for number, exercises in solutions.plain().items():
        path = HERE / "sealed" / f"{number}.json"
        text = json.dumps({e.name: asdict(sealing.seal(e)) for e in exercises}, indent=1, ensure_ascii=False) + "\n"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed
