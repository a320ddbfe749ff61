"""What the notebooks need and a script does not: computed prose, saved figures, guesses and self-checks."""

from __future__ import annotations

import html
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._core.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


# `python run.py` sends the figures of a trial run elsewhere, so that the committed ones stay.
FIGURES = Path(os.environ.get("SWITCHCOST_FIGURES") or Path(__file__).resolve().parents[3] / "figures")


def start(name: str, seed: int) -> np.random.Generator:
    """Begin a notebook: set the figure style, print the seed, return the random generator.

    Parameters
    ----------
    name : file name of the notebook without ``.ipynb``; figures are named after its number
    seed : whole number; everything random in the notebook comes from it

    Returns
    -------
    numpy.random.Generator

    Examples
    --------
    >>> rng = start("09_moderation_by_regression", seed=909)
    notebook 09_moderation_by_regression, seed 909
    """
    from .. import plots

    plots.style()
    print(f"notebook {name}, seed {seed}")
    return np.random.default_rng(seed)


def say(text: str) -> None:
    """Show a paragraph of Markdown whose numbers were computed in the cell.

    Examples
    --------
    >>> say(f"The mean is {4.2:.1f}.")  # doctest: +SKIP
    """
    from IPython.display import Markdown, display

    display(Markdown(re.sub(r"[ \t]*\n[ \t]*", "\n", text.strip())))


def figure(fig: Figure, name: str, alt: str) -> None:
    """Save a figure as figures/<name>.svg and .png, and show it once with its alternative text.

    Parameters
    ----------
    fig : matplotlib Figure
    name : ``<notebook number>_<what it shows>``
    alt : what a listener needs to draw the figure: axes, the main numbers, the message. At least ten words.

    Raises
    ------
    ValueError
        The name does not start with two digits, or the alternative text is too short to be of use.
    """
    import io

    import matplotlib.pyplot as plt
    from IPython.display import display

    if not re.fullmatch(r"\d\d_[a-z0-9_]+", name):
        raise DataError(f"figure name {name!r} must look like '09_slopes': notebook number, then what it shows")
    if len(alt.split()) < 10:
        raise DataError(f"alternative text of {name} has {len(alt.split())} words; say what the figure shows")
    FIGURES.mkdir(parents=True, exist_ok=True)
    # A fixed salt and no date: the same figure gives the same file.
    with plt.rc_context({"svg.hashsalt": name}):
        fig.savefig(FIGURES / f"{name}.svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    (FIGURES / f"{name}.png").write_bytes(buffer.getvalue())
    plt.close(fig)
    alt = " ".join(alt.split())
    display(
        {"image/png": buffer.getvalue(), "text/plain": alt},
        raw=True,
        metadata={"image/png": {"alt": alt}},
    )


def reveal(guess: float | None, answer: float, what: str, decimals: int = 2) -> None:
    """Put the reader's guess beside the answer.

    Examples
    --------
    >>> reveal(None, -0.071, "the interaction", decimals=3)  # doctest: +SKIP
    """
    shown = f"**{what[:1].upper()}{what[1:]}:** {answer:.{decimals}f}."
    if guess is None:
        say(f"{shown} You made no guess; a wrong guess teaches more than none.")
        return
    same_sign = math.copysign(1, guess) == math.copysign(1, answer)
    sign = "The sign is right." if same_sign else "The sign is the other way round."
    say(f"{shown} You guessed {guess:g}, off by {abs(guess - answer):.{decimals}f}. {sign}")


class Check:
    """A self-check for an exercise: says whether an answer is right, and raises where a solution is wrong.

    Parameters
    ----------
    what : what the answer is, in words
    between : (low, high), both included; or
    equals : the value, with ``tol`` as the largest distance that still counts
    hint : what a typical wrong answer comes from

    Examples
    --------
    >>> ex = Check("the mean of 1, 2 and 6", equals=3, tol=0.01, hint="2 is the median")
    >>> ex(3.0)
    Right: the mean of 1, 2 and 6 is 3.
    """

    def __init__(
        self,
        what: str,
        *,
        between: tuple[float, float] | None = None,
        equals: Any = None,
        tol: float = 0.005,
        hint: str = "",
    ):
        if (between is None) == (equals is None):
            raise DataError("give either between=(low, high) or equals=value")
        self.what, self.between, self.equals, self.tol, self.hint = what, between, equals, tol, hint

    def right(self, answer: Any) -> bool:
        """Whether the answer is inside the range, or near enough to the value."""
        if self.between is not None:
            return self.between[0] <= float(answer) <= self.between[1]
        if isinstance(self.equals, (bool, str, set, frozenset, tuple, list)):
            return answer == self.equals
        return abs(float(answer) - float(self.equals)) <= self.tol

    def expectation(self) -> str:
        if self.between is not None:
            return f"between {self.between[0]:.3g} and {self.between[1]:.3g}"
        if isinstance(self.equals, (bool, str, set, frozenset, tuple, list)):
            return "in words or names; the check knows it"
        return f"{self.equals:.3g} or within {self.tol:g} of it"

    def __call__(self, answer: Any) -> None:
        if answer is None:
            hint = f" {self.hint}." if self.hint else ""
            print(f"Self-check: {self.what} should be {self.expectation()}.{hint}")
            return
        shown = f"{answer:.4g}" if isinstance(answer, (int, float, np.number)) else str(answer)
        if not self.right(answer):
            hint = f" {self.hint}." if self.hint else ""
            raise DataError(f"Not yet: {self.what} is {shown}, expected {self.expectation()}.{hint}")
        print(f"Right: {self.what} is {shown}.")

    def _repr_html_(self) -> str:
        return f"<p>Self-check: {html.escape(self.what)}</p>"
