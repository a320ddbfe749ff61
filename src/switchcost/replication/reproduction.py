"""How a printed number was recomputed: the record, and the arithmetic of rounding."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .printed import Check, Printed

Key = tuple[str, str, str, str]  # model, quantity, row, column

#: What a reproduction rests on: people's answers, other printed numbers of the work, or something not printed.
BASES = ("answers", "printed", "assumed")

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
    band: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    why: str = ""
    remark: str = ""
    constraint: str = ""
    no_test: bool = False
    impossible: bool = False


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


def rounding_band(function: Callable[[np.ndarray], np.ndarray], values, decimals) -> tuple[float, tuple[float, float]]:
    """Value at the printed inputs, and the range over the rounding box."""
    with np.errstate(all="ignore"):
        out = np.asarray(function(rounding_box(values, decimals)), float)
    inside = out[np.isfinite(out)]
    return float(out[0]), (float(inside.min()), float(inside.max())) if len(inside) else (np.nan, np.nan)


class PrintedNumbers:
    """Printed numbers with look-ups by quantity."""

    def __init__(self, table: pd.DataFrame, n_items: Mapping[str, Mapping[str, int]]):
        cells = [Printed.read(t, int(d)) for t, d in zip(table.printed, table.decimals, strict=True)]
        self.table, self.n_items = table.assign(printed=cells), n_items
        self.by = {(r.model, r.quantity, r.row, r.column): r for r in self.table.itertuples()}

    def models(self, *quantities: str) -> list[str]:
        return list(dict.fromkeys(self.table.model[self.table.quantity.isin(quantities)]))

    def of(self, quantity: str, model: str | None = None) -> Iterator[tuple[Key, object]]:
        for key, r in self.by.items():
            if r.quantity == quantity and model in (None, r.model):
                yield key, r

    def follows(
        self,
        function: Callable[..., np.ndarray | float],
        inputs: list[Key | float],
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
        cells = [self.by[i] if isinstance(i, tuple) else None for i in inputs]
        values = [c.published if c is not None else i for c, i in zip(cells, inputs, strict=True)]
        places = [c.decimals if c is not None else 12 for c in cells]
        value, band = rounding_band(lambda x: function(*x.T) + 0 * x[:, 0], values, places)
        shown = f"{how}: {value:.5g}, rounding allows {band[0]:.5g} to {band[1]:.5g}"
        return Reproduction(
            value, basis, how, band, why=f"{shown}. {why}" if why else shown, remark=remark, constraint=constraint
        )


def checked(row: Check, how: str, **more) -> Reproduction:
    """A check of printed numbers as a reproduction."""
    return Reproduction(
        float(row.recomputed), "printed", how, (float(row.low), float(row.high)), why=row.arithmetic, **more
    )


def whole_number(n: object) -> bool:
    return isinstance(n, int) and not isinstance(n, bool)
