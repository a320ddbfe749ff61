"""Answers as categories: which variables are ordered, their levels, and each row's position among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import checks
from ..errors import CategoryTrouble, DataError, FitWarning

MANY = 12  # more categories than this are better taken for continuous
MOST = 30  # more than this are no categories


@dataclass(frozen=True, eq=False)
class Coded:
    """Variables as numbers.

    Attributes
    ----------
    names : list of str
    ordered : array of bool, shape (p,)
    values : array of float, shape (n, p)
        Position of the category, from 0, where a variable is ordered; the value itself elsewhere. NaN where missing.
    levels : list of list
        Categories in their order; empty for continuous variables.
    warnings : list of FitWarning
    """

    names: list[str]
    ordered: np.ndarray
    values: np.ndarray
    levels: list[list]
    warnings: list[FitWarning]

    @property
    def sizes(self) -> np.ndarray:
        """Number of categories (p,), 0 for continuous variables."""
        return np.array([len(level) for level in self.levels])


def ordered_names(ordered: bool | str | Sequence[str] | None, names: Sequence[str], what: str = "ordered") -> list[str]:
    """Names of the ordered variables: all for True, none for None or False."""
    if ordered is None or isinstance(ordered, (bool, np.bool_)):
        return list(names) if ordered else []
    if not isinstance(ordered, Iterable):
        raise DataError(f"{what} takes names of variables, True or None, and is {ordered!r}")
    found = [ordered] if isinstance(ordered, str) else list(ordered)
    for name in found:
        if name not in names:
            raise DataError(f"{what} names {name!r}, which is not among the variables.{checks.suggest(name, names)}")
        if found.count(name) > 1:
            raise DataError(f"{what} names {name!r} twice; name each variable once")
    return found


def coded(data: pd.DataFrame, names: Sequence[str], ordered: Sequence[str]) -> Coded:
    """Columns of the data as positions among their categories, or as numbers."""
    names = list(names)
    values, levels, notes = np.empty((len(data), len(names))), [], []
    plain = [n for n in ordered if n in names and isinstance(data[n].dtype, np.dtype) and data[n].dtype.kind in "biuf"]
    read = checks.numeric(data, plain, constant="allow") if plain else data[[]]  # all at once is faster
    numbers = dict(zip(plain, read.to_numpy().T, strict=True))
    for k, name in enumerate(names):
        if name in ordered:
            values[:, k], found, more = _categories(data[name], name, numbers.get(name))
            levels.append(found)
            notes += more
        else:
            values[:, k] = checks.numeric(data, [name])[name].to_numpy()
            levels.append([])
    return Coded(names, np.array([n in ordered for n in names], dtype=bool), values, levels, notes)


def coded_as(data: pd.DataFrame, names: Sequence[str], levels: Mapping[str, Sequence]) -> np.ndarray:
    """Columns (n, p) of further data in the codes of :func:`coded`; every answer must be among the known ``levels``."""
    values = np.empty((len(data), len(names)))
    for k, name in enumerate(names):
        column, known = data[name], levels.get(name, ())
        if not known or isinstance(known[0], (int, float)):
            column = checks.numeric(column.to_frame(name), [name], constant="allow")[name]
        place = {level: float(code) for code, level in enumerate(known)}
        codes = pd.Series(column.to_numpy()).map(place) if known else column
        strange = column.to_numpy()[codes.isna().to_numpy() & column.notna().to_numpy()]
        if len(strange):
            shown = f"{strange[0]:g}" if isinstance(strange[0], float) else repr(strange[0])
            raise DataError(
                f"{name} holds {shown}, which the fit does not know: its answers are {', '.join(map(str, known))}"
            )
        values[:, k] = codes.to_numpy()
    return values


def _categories(column: pd.Series, name: str, numbers: np.ndarray | None) -> tuple[np.ndarray, list, list[FitWarning]]:
    """Codes and levels of a column; ``numbers`` are its values where it is known to hold nothing else."""
    notes: list[FitWarning] = []
    if isinstance(column.dtype, pd.CategoricalDtype) and not _numbers(column.cat.categories):
        codes, levels = _from_categorical(column, name, notes)
    else:
        codes, levels = _from_numbers(_as_numbers(column, name) if numbers is None else numbers, name, notes)
    if len(levels) < 2:
        answer = f"every answer is {levels[0]!r}" if levels else "it has no answers"
        raise DataError(f"{name!r} is constant: {answer}. One category has no threshold; leave the item out.")
    if len(levels) > MOST:
        raise DataError(
            f"{name!r} has {len(levels)} different values and is named in ordered=; so many are no ordered categories. "
            "Leave it out of ordered= to take it for continuous."
        )
    if len(levels) > MANY:
        text = (
            f"{name} has {len(levels)} categories: so many cost a threshold each; leave it out of ordered= to take it "
            "for continuous, or join categories"
        )
        notes.append(CategoryTrouble(text, "many", (name,)))
    return codes, levels, notes


def _numbers(categories: pd.Index) -> bool:
    return bool(pd.to_numeric(pd.Series(list(categories)), errors="coerce").notna().all())


def _from_categorical(column: pd.Series, name: str, notes: list[FitWarning]) -> tuple[np.ndarray, list]:
    categories = list(column.cat.categories)
    if not column.cat.ordered:
        raise DataError(
            f"column {name!r} holds text categories without an order ({_some(categories)}): say the order with "
            "pd.Categorical(values, categories=[lowest, ..., highest], ordered=True), or recode them to numbers"
        )
    codes = column.cat.codes.to_numpy().astype(float)
    codes[codes < 0] = np.nan
    used = [k for k in range(len(categories)) if (codes == k).any()]
    if len(used) < len(categories):
        empty = [categories[k] for k in range(len(categories)) if k not in used]
        notes.append(_empty(name, empty))
        place = {old: new for new, old in enumerate(used)}
        codes = np.array([place[c] if c == c else np.nan for c in codes])
    levels = [categories[k] for k in used]
    if len(levels) > 2 and levels == sorted(levels, key=str):
        text = (
            f"the categories of {name} stand in alphabetical order ({' < '.join(map(str, levels))}): "
            "is that the order of the answers?"
        )
        notes.append(CategoryTrouble(text, "alphabetical", (name,)))
    return codes, levels


def _as_numbers(column: pd.Series, name: str) -> np.ndarray:
    if not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        text = column.dropna()
        odd = next((v for v in text if not np.isscalar(v) and not isinstance(v, (str, pd.Timestamp))), None)
        if odd is not None:
            raise DataError(f"column {name!r} holds {type(odd).__name__} objects in its cells; give one answer a cell")
        if len(text) and pd.to_numeric(text, errors="coerce").isna().all():
            raise DataError(
                f"column {name!r} holds text ({_some(pd.unique(text))}), and text has no order: say it with "
                "pd.Categorical(values, categories=[lowest, ..., highest], ordered=True), or recode it to numbers"
            )
    return checks.numeric(column.to_frame(name), [name], constant="allow")[name].to_numpy()


def _from_numbers(x: np.ndarray, name: str, notes: list[FitWarning]) -> tuple[np.ndarray, list]:
    seen = ~np.isnan(x)
    found, where = np.unique(x[seen], return_inverse=True)
    codes = np.full(len(x), np.nan)
    codes[seen] = where
    if len(found) <= MANY and (found == np.round(found)).all():
        between = [k for k in range(int(found[0]), int(found[-1]) + 1) if k not in set(found)]
        if between and len(between) <= len(found):
            notes.append(_empty(name, between))
    return codes, [int(v) if v == int(v) else float(v) for v in found]


def _empty(name: str, empty: Sequence) -> CategoryTrouble:
    several = len(empty) > 1
    text = (
        f"nobody answered {name} with {', '.join(map(str, empty))}: the empty categor{'ies are' if several else 'y is'} "
        "left out, and the neighbours count as adjoining"
    )
    return CategoryTrouble(text, "empty", (name,))


def _some(values: Sequence) -> str:
    shown = [repr(v) for v in list(values)[:3]]
    return ", ".join(shown) + (", ..." if len(values) > 3 else "")
