"""Numbers and signs as a thesis prints them."""

from __future__ import annotations

import re

import numpy as np


def printable(text: str) -> str:
    """Control characters by their pictures (U+2400 to U+2421), since neither Word nor LaTeX can hold them."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", lambda m: chr(0x2421 if m[0] == "\x7f" else 0x2400 + ord(m[0])), text)


def number(value: float, decimals: int = 2, *, bounded: bool = False, p: bool = False) -> str:
    """A number as a thesis prints it.

    Parameters
    ----------
    value : float
    decimals : int
    bounded : bool
        It cannot pass 1, and stands without its leading zero.
    p : bool
        A p value: below .001 only that is said.

    Returns
    -------
    str

    Examples
    --------
    >>> number(-0.004), number(-0.25), number(0.87, bounded=True), number(0.0002, 3, bounded=True, p=True)
    ('0.00', '−0.25', '.87', '< .001')
    """
    if not np.isfinite(value):
        return "" if np.isnan(value) else "\u2212inf" if value < 0 else "inf"
    if p and value < 0.001:
        return "< .001"
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    if bounded and abs(float(text)) < 1:
        text = text.replace("0.", ".", 1)
    return text.replace("-", "\u2212")
