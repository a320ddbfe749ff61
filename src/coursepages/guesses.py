"""The reader's guess: asked for before the page tells anything, shown again beside the answer."""

from __future__ import annotations

import math

from .prose import say

_GUESSES: dict[str, tuple[float | str | None, str]] = {}


def guess(name: str, value: float | str | None, question: str) -> None:
    """Ask for a guess, and keep it until :func:`reveal`.

    Parameters
    ----------
    name : str
        What :func:`reveal` asks for.
    value : float, str or None
        The reader's guess; None as long as there is none.
    question : str
        What is guessed, with its unit.

    Examples
    --------
    >>> guess("slope", None, "By how much does the slope change per point of cost?")
    By how much does the slope change per point of cost? Write your guess before you go on.
    >>> guess("slope", -0.1, "By how much does the slope change per point of cost?")
    Your guess: -0.1. The answer follows where the page has computed it.
    """
    _GUESSES[name] = (value, question)
    if value is None:
        print(f"{question} Write your guess before you go on.")
        return
    print(f"Your guess: {_shown(value)}. The answer follows where the page has computed it.")


def reveal(guessed: float | str | None, answer: float | str, what: str = "", decimals: int = 2) -> None:
    """Put the reader's guess beside the answer.

    Parameters
    ----------
    guessed : str, float or None
        The name under which :func:`guess` keeps it, or the guess itself.
    answer : float or str
        Computed by the page.
    what : str
        What was guessed; the question of :func:`guess` when left out.
    decimals : int, default 2
        Of the answer.

    Examples
    --------
    >>> reveal("slope", -0.071, decimals=3)  # doctest: +SKIP
    """
    if isinstance(guessed, str) and (guessed in _GUESSES or isinstance(answer, (int, float))):
        guessed, question = _GUESSES.get(guessed, (None, ""))
        what = what or question.strip()
    found = answer if isinstance(answer, str) else f"{answer:.{decimals}f}"
    label = what[:1].upper() + what[1:] or "The answer"
    shown = f"**{label}{'' if label.endswith('?') else ':'}** {found}."
    if guessed is None:
        say(shown)
    elif isinstance(answer, str) or isinstance(guessed, str):
        same = str(guessed).strip().casefold() == str(answer).strip().casefold()
        say(f"{shown} You guessed {_shown(guessed)}{', and that is it' if same else ''}.")
    else:
        same = math.copysign(1, guessed) == math.copysign(1, answer)
        sign = f" The sign is {'right' if same else 'the other way round'}." if min(guessed, answer) < 0 else ""
        say(f"{shown} You guessed {guessed:g}, off by {abs(guessed - answer):.{decimals}f}.{sign}")


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
