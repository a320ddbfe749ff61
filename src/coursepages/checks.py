"""Self-checks of exercises: asked on the page, answered by the sealed exercises of the same number."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from switchcost.core import checks as known
from switchcost.core.errors import DataError

from . import sealing

HERE = Path(__file__).resolve().parent
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
    A wrong answer never stops the notebook. Answers that the author foresaw get their own hint; every other wrong
    answer opens the next of the exercise's hints.
    """
    exercise = sealed(name)
    verdict = sealing.judge(exercise, answer)
    text = verdict.text
    if verdict.right is False and not verdict.named:
        tried = _TRIED.setdefault(name, set())
        tried.add(sealing.token(exercise.kind, exercise.step, answer))
        text = f"{text} {sealing.hint(exercise, min(len(tried), len(exercise.hints)) - 1) if exercise.hints else ''}"
    print(text.strip())


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
