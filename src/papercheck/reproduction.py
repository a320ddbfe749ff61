"""How a printed number was recomputed: the record, and the arithmetic of rounding."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .printed import Printed

Key = tuple[str, str, str, str]  # model, quantity, row, column
Band = tuple[float, float]

#: What a reproduction rests on: people's answers, other printed numbers of the work, or something not printed.
BASES = ("answers", "printed", "assumed")

#: What came out of a comparison.
VERDICTS = ("exact", "within rounding", "within interval", "different", "inconsistent", "not comparable")
#: Verdicts of numbers that came out as printed. ``within interval`` is counted alone: see the warnings of the board.
AGREE = VERDICTS[:2]

END_CONFIDENCE = 0.99


@dataclass(frozen=True)
class Reproduction:
    """A number computed again.

    Attributes
    ----------
    value : float, NaN where the number cannot be computed (``why`` then says what is missing)
    basis : one of :data:`BASES`
    how : one line, the way it was computed
    band : (low, high), what rounding of the printed inputs allows
    interval : (low, high), where a number with sampling error in it should lie
    why : what explains a mismatch or what is missing
    remark : what a reader should know even where the number agrees; the assumption, where one is made
    constraint : name of the identity; rows that are one identity seen twice share it
    no_test : the arithmetic may be right, and the number is still no evidence (``why`` says so)
    impossible : no value of what is not printed lets this number stand beside the others, whatever ``value`` is
    """

    value: float = np.nan
    basis: str = "printed"
    how: str = ""
    band: Band | None = None
    interval: Band | None = None
    why: str = ""
    remark: str = ""
    constraint: str = ""
    no_test: bool = False
    impossible: bool = False


Found = dict[Key, Reproduction]


@dataclass(frozen=True, eq=False)
class Cell:
    """One printed number in its place; ``beside`` holds what its line says that is no result (n, items, a test)."""

    model: str
    quantity: str
    row: str
    column: str
    table: str
    printed: Printed
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def published(self) -> float:
        return self.printed.value

    @property
    def decimals(self) -> int:
        return self.printed.decimals


def rounding_box(values, decimals, n_draws: int = 500, seed: int = 1) -> np.ndarray:
    """Printed inputs and what they may have been before rounding.

    Parameters
    ----------
    values, decimals : sequences of k numbers and how many decimals each was printed with
    n_draws : int
        Random points inside the box; its 2**k corners are added while k is at most 10.
    seed : int

    Returns
    -------
    array of shape (m, k); the first row is the printed values themselves
    """
    values, half = np.asarray(values, float), 0.5 * 10.0 ** -np.asarray(decimals, float)
    k = len(values)
    parts = [np.zeros((1, k)), np.random.default_rng(seed).uniform(-1, 1, (n_draws, k))]
    if k <= 10:
        parts.append(np.array(list(itertools.product((-1, 1), repeat=k)), float).reshape(-1, k))
    return values + np.vstack(parts) * half


def rounding_band(function: Callable[[np.ndarray], np.ndarray], values, decimals) -> tuple[float, Band]:
    """Value at the printed inputs, and the range over the rounding box."""
    with np.errstate(all="ignore"):
        out = np.asarray(function(rounding_box(values, decimals)), float)
    inside = out[np.isfinite(out)]
    return float(out[0]), (float(inside.min()), float(inside.max())) if len(inside) else (np.nan, np.nan)


class PrintedNumbers:
    """The printed numbers of one work (a table of ``reading.numbers``) with look-ups by quantity.

    ``meta`` is the study.json, or a part of it: ``n`` (a number, or one a group) and ``scale`` are looked at.
    """

    def __init__(self, table: pd.DataFrame, meta: Mapping[str, Any] | None = None):
        self.meta: Mapping[str, Any] = meta or {}
        self.n_items: Mapping[str, Mapping[str, int]] = table.attrs.get("n_items", {})
        beside = table.attrs.get("beside", {})
        self.by: dict[Key, Cell] = {}
        columns = [table[c] for c in ("model", "quantity", "row", "column", "table", "printed", "decimals")]
        for model, quantity, row, column, name, text, places in zip(*columns, strict=True):
            line = beside.get((name, model, row, column), {})
            key = (model, quantity, row, column)
            self.by[key] = Cell(*key, name, Printed.read(text, int(places)), line)

    def models(self, *quantities: str) -> list[str]:
        return list(dict.fromkeys(k[0] for k in self.by if k[1] in quantities))

    def of(self, quantity: str, model: str | None = None) -> Iterator[tuple[Key, Cell]]:
        for key, r in self.by.items():
            if r.quantity == quantity and model in (None, r.model):
                yield key, r

    def beside(self, key: Key, *quantities: str) -> Cell | None:
        """Another quantity of the same place, the first that is printed."""
        found = ((key[0], q, *key[2:]) for q in quantities)
        return next((self.by[k] for k in found if k in self.by), None)

    def size(self, key: Key) -> float | None:
        """People behind a number: from its line, else from the study."""
        n = self.by[key].beside.get("n") or self.meta.get("n")
        n = n.get(key[0]) if isinstance(n, Mapping) else n
        return float(n) if n is not None and re.fullmatch(r"\d+(\.0*)?", str(n)) else None

    def answer_range(self) -> tuple[float, float] | None:
        """Lowest and highest answer: of ``(1, 5)``, ``"5-point"`` or ``"1-7; ..."`` in ``meta["scale"]``."""
        scale = self.meta.get("scale") or ""
        if isinstance(scale, Sequence) and not isinstance(scale, str):
            return float(scale[0]), float(scale[1])
        found = re.match(r"\s*(\d+)-(\d+|point)\b", str(scale))
        if not found:
            return None
        return (1.0, float(found[1])) if found[2] == "point" else (float(found[1]), float(found[2]))

    def band(self, function: Callable[..., np.ndarray | float], inputs: Sequence[Key | float]) -> tuple[float, Band]:
        """``function`` of printed numbers (keys) and known ones at the printed values, and what rounding allows."""
        cells = [self.by[i] if isinstance(i, tuple) else None for i in inputs]
        values = [c.published if c is not None else i for c, i in zip(cells, inputs, strict=True)]
        places = [c.decimals if c is not None else 12 for c in cells]
        return rounding_band(lambda x: function(*x.T) + 0 * x[:, 0], values, places)

    def follows_over(
        self,
        function: Callable[..., np.ndarray | float],
        inputs: Sequence[Key | float],
        over: Sequence[float],
        how: str,
    ) -> Reproduction:
        """As :meth:`follows`, with a last input that is not printed: its values ``over``, the first of them taken."""
        found = [self.band(lambda *x, u=u: function(*x, u), inputs) for u in over]
        ends = (min(b[0] for _, b in found), max(b[1] for _, b in found))
        shown = f"{how}: {found[0][0]:.5g}, rounding allows {ends[0]:.5g} to {ends[1]:.5g}"
        return Reproduction(found[0][0], "assumed", how, ends, why=shown)

    def follows(
        self,
        function: Callable[..., np.ndarray | float],
        inputs: Sequence[Key | float],
        how: str,
        *,
        basis: str = "printed",
        constraint: str = "",
        remark: str = "",
        why: str = "",
    ) -> Reproduction:
        """A number that follows from others: ``function`` of the inputs (keys, or known numbers), and its band.

        ``function`` takes one array for each input and gives an array.
        """
        value, band = self.band(function, inputs)
        shown = f"{how}: {value:.5g}, rounding allows {band[0]:.5g} to {band[1]:.5g}"
        return Reproduction(
            value, basis, how, band, why=f"{shown}. {why}" if why else shown, remark=remark, constraint=constraint
        )
