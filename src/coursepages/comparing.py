"""Compare the outputs of two runs of one notebook: words to the letter, numbers to their last digit."""

from __future__ import annotations

import html
import re
from typing import Any

NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
PROGRESS = re.compile(r"\d+%\||it/s|s/it")


def tidy(notebook: Any) -> None:
    """Remove what differs from run to run: times, progress bars, and where a stream of text was cut in two."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        kept: list[Any] = []
        for output in cell.outputs:
            if output.get("name") == "stderr" and PROGRESS.search(output.text):
                continue
            if kept and output.output_type == "stream" and kept[-1].get("name") == output.name:
                kept[-1].text += output.text
            else:
                kept.append(output)
        cell.outputs = kept


def texts(cell: Any) -> list[str]:
    """Every output of a cell that a person reads, as plain text."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(output.text)
            continue
        data = output.get("data", {})
        if "text/html" in data and "image/png" not in data:
            found.append(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", data["text/html"], flags=re.S)))
        elif "text/markdown" in data:
            found.append(data["text/markdown"])
        elif "text/plain" in data and not data["text/plain"].startswith("<"):
            found.append(data["text/plain"])
    return found


def same(old: str, new: str) -> str:
    """Compare two printed texts: words to the letter, numbers to one unit of their last digit.

    Returns
    -------
    str
        Empty when they agree, otherwise the first difference.

    Examples
    --------
    >>> same("r = 0.123", "r = 0.124"), same("r = 0.123", "r = 0.126")
    ('', '0.123 became 0.126')
    """
    squeeze = lambda text: re.sub(r"[\s-]+", " ", NUMBER.sub("#", text))  # noqa: E731
    if squeeze(old) != squeeze(new):
        return f"the text changed: {' '.join(old.split())[:80]!r} became {' '.join(new.split())[:80]!r}"
    for a, b in zip(NUMBER.findall(old), NUMBER.findall(new), strict=True):
        x, y = (float(v.replace(",", "").replace("−", "-")) for v in (a, b))
        mantissa, _, exponent = a.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        unit = 0.0 if "." not in mantissa and not exponent else 10.0 ** (int(exponent or 0) - decimals)
        if abs(x - y) > max(1.001 * unit, 1e-9):
            return f"{a} became {b}"
    return ""


def differences(old: Any, new: Any) -> list[str]:
    """What differs between the outputs of two runs of one notebook; cells are counted from 1."""
    tidy(old)
    found = []
    for place, (a, b) in enumerate(zip(old.cells, new.cells, strict=True), start=1):
        if a.cell_type != "code":
            continue
        left, right = texts(a), texts(b)
        if len(left) != len(right):
            found.append(f"cell {place}: {len(left)} outputs became {len(right)}")
            continue
        found += [f"cell {place}: {why}" for why in map(same, left, right) if why]
    return found
