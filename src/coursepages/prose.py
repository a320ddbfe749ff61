"""Sentences whose numbers were computed in the cell."""

from __future__ import annotations

import re


def say(text: str) -> None:
    """Show a paragraph of Markdown whose numbers were computed in the cell.

    Parameters
    ----------
    text : str
        Markdown; indentation of the source is taken off.

    Examples
    --------
    >>> say(f"The mean is {4.2:.1f}.")  # doctest: +SKIP
    """
    from IPython.display import Markdown, display

    display(Markdown(re.sub(r"[ \t]*\n[ \t]*", "\n", text.strip())))
