"""What enters a moderated regression: numbers, groups as 0/1 columns, and products of both.

Every term is a product of powers of columns, so the expected y and the slope of x at any values of the moderators are
one row of weights on the coefficients. Tables, bounds, bootstrap and figures all go through that row.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core import checks
from ..core.arguments import shown
from ..core.errors import DataError

Exponents = tuple[int, ...]


@dataclass(frozen=True)
class Variable:
    """A predictor: a number (``groups`` empty) with its centre, or groups, the reference first."""

    name: str
    center: float = 0.0
    groups: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns it takes in the model."""
        return tuple(f"{self.name}[{g}]" for g in self.groups[1:]) if self.groups else (self.name,)

    def encode(self, values: object) -> np.ndarray:
        """Columns of the model at raw values: deviations from the centre, or 0/1 for each group but the reference."""
        if not self.groups:
            try:
                return np.ravel(np.asarray(values, dtype=float))[:, None] - self.center
            except (TypeError, ValueError):
                raise DataError(f"a value of {self.name!r} must be a number, and is {shown(values)}") from None
        values = np.ravel(np.asarray(values, dtype=object))
        for value in (v for v in values if v not in self.groups):
            raise DataError(f"{value!r} is not a group of {self.name!r}.{checks.suggest(str(value), self.groups)}")
        return (values[:, None] == np.array(self.groups[1:], dtype=object)).astype(float)


@dataclass(frozen=True, eq=False)
class Design:
    """Rows used, columns and terms of a model; x is the first variable, its moderators follow."""

    y: str
    variables: tuple[Variable, ...]
    terms: tuple[Exponents, ...]
    data: pd.DataFrame
    covariates: pd.DataFrame
    n_total: int
    center: bool
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the coefficients."""
        columns = [c for v in self.variables for c in v.columns]
        powers = [[(c, e) for c, e in zip(columns, term, strict=True) if e] for term in self.terms]
        products = [":".join(c if e == 1 else f"{c}^{e}" for c, e in term) for term in powers]
        return ["Intercept", *self.covariates.columns, *products]

    @property
    def n_fixed(self) -> int:
        """Coefficients before the terms: the intercept and the covariates."""
        return 1 + self.covariates.shape[1]

    def term_values(self, values: Sequence[object], derivative: bool = False) -> np.ndarray:
        """Each term (or its derivative with respect to x) at raw values of the variables; shape (points, terms)."""
        columns = np.column_stack([v.encode(x) for v, x in zip(self.variables, values, strict=True)])
        powers = np.array(self.terms)
        parts = columns[:, None, :] ** powers
        if derivative:
            parts[:, :, 0] = powers[:, 0] * columns[:, :1] ** np.maximum(powers[:, 0] - 1, 0)
        return parts.prod(axis=2)

    def matrix(self) -> np.ndarray:
        """Model matrix, one row a person."""
        values = [self.data[v.name].to_numpy() for v in self.variables]
        return np.column_stack([np.ones(len(self.data)), self.covariates.to_numpy(), self.term_values(values)])


def kind_of(column: pd.Series, role: str, nominal: bool) -> str:
    """``"number"`` or ``"groups"``; dates, durations and complex numbers raise."""
    values = column.dropna()
    timely = (datetime.date, datetime.timedelta, np.datetime64, np.timedelta64, pd.Period)
    if column.dtype.kind in "mM" or isinstance(values.iloc[0] if len(values) else None, timely):
        raise DataError(
            f"{role} {column.name!r} holds dates or durations. Turn them into a number first, for example days: "
            f"(data[{column.name!r}] - data[{column.name!r}].min()) / pd.Timedelta(days=1)"
        )
    if column.dtype.kind == "c":
        raise DataError(f"{role} {column.name!r} holds complex numbers; take their real part, or leave it out")
    if nominal:
        return "groups"
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return "number"
    numbers = pd.to_numeric(values.astype(object), errors="coerce").notna()
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "number" if numbers.all() and role == "covariate" else "groups"
    words = values[~numbers].astype(str)
    few_words = numbers.any() or words.str.fullmatch(r"\s*-?\d+,\d+\s*").all()
    return "number" if few_words else "groups"  # numbers with some text among them: the check of numbers says which


def group_labels(column: pd.Series) -> pd.Series:
    """Group of each row as text, gaps kept; whole numbers without a decimal point."""
    known = column.notna()
    text = [f"{v:g}" if isinstance(v, (int, float, np.number)) else str(v) for v in column[known]]
    return pd.Series(text, index=column.index[known], dtype=object, name=column.name).reindex(column.index)


def ordered_groups(column: pd.Series, reference: str | None) -> tuple[str, ...]:
    """Groups with the reference first: the one asked for, or the largest; the rest in alphabetical order."""
    counts = column.value_counts()
    if len(counts) < 2:
        raise DataError(f"column {column.name!r} has one group only among the rows used; leave it out")
    if 2 * len(counts) > len(column):
        raise DataError(
            f"column {column.name!r} has {len(counts)} different texts in {len(column)} rows: too many to be groups. "
            "Recode them into a few groups, or into numbers."
        )
    if reference is None:
        reference = min(counts[counts == counts.max()].index)
    elif str(reference) not in counts.index:
        raise DataError(
            f"reference {reference!r} is not a group of {column.name!r}.{checks.suggest(str(reference), counts.index)}"
        )
    return (str(reference), *sorted(g for g in counts.index if g != str(reference)))


def read_columns(
    data: pd.DataFrame, roles: Mapping[str, str], covariates: Sequence[str], nominal: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """The columns of the model, numbers as float and groups as text, and notes on how they were read."""
    parts, notes = {}, []
    for role, name in [*roles.items(), *(("covariate", c) for c in covariates)]:
        column = data[name]
        if kind_of(column, role, name in nominal) == "number":
            parts[name] = checks.numeric(data, [name], constant="error" if role != "covariate" else "allow")[name]
            if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
                notes.append(f"{name!r} is stored as {column.dtype} and holds numbers; it entered as a number")
            continue
        if role not in ("moderator", "second_moderator", "covariate"):
            raise DataError(
                f"{role} {name!r} holds groups ({', '.join(map(repr, group_labels(column).dropna().unique()[:3]))}) "
                "and must be a number. To ask whether an effect differs between groups, make them the moderator."
            )
        parts[name] = group_labels(column)
    return pd.DataFrame(parts), notes


def variables_of(
    kept: pd.DataFrame, centered: Sequence[str], reference: Mapping[str, str]
) -> tuple[dict[str, Variable], list[str]]:
    """Each column as a variable, numbers named in ``centered`` less their mean, and notes on groups."""
    found, notes = {}, []
    for name in kept.columns:
        groups = () if kept[name].dtype.kind == "f" else ordered_groups(kept[name], reference.get(name))
        if groups:
            notes.append(f"{name!r} entered as groups; reference group {groups[0]!r}")
        found[name] = Variable(name, float(kept[name].mean()) if name in centered and not groups else 0.0, groups)
    return found, notes


def build(
    kept: pd.DataFrame,
    y: str,
    variables: Sequence[str],
    n_total: int,
    *,
    quadratic: bool,
    center: bool,
    reference: Mapping[str, str],
    notes: Sequence[str],
) -> Design:
    """Variables, covariates and terms of the complete rows: main effects, squares, products."""
    found, more = variables_of(kept, variables if center else (), reference)
    for name in set(reference) - {name for name, v in found.items() if v.groups}:
        raise DataError(f"reference names {name!r}, which does not enter the model as groups")
    chosen = tuple(found[name] for name in variables)
    columns = [(i, v) for i, v in enumerate(chosen) for _ in v.columns]
    unit = np.eye(len(columns), dtype=int)
    terms = [tuple(row) for row in unit]
    if quadratic:  # a two-valued variable has no square of its own
        terms += [tuple(2 * unit[j]) for j, (_, v) in enumerate(columns) if not v.groups and kept[v.name].nunique() > 2]
    for size in range(2, len(chosen) + 1):
        for members in itertools.combinations(range(len(chosen)), size):
            places = [[j for j, (i, _) in enumerate(columns) if i == member] for member in members]
            terms += [tuple(unit[list(pick)].sum(axis=0)) for pick in itertools.product(*places)]
    others = [v for name, v in found.items() if name not in (y, *variables)]
    encoded = [pd.DataFrame(v.encode(kept[v.name]), kept.index, v.columns) for v in others]
    design = Design(
        y, chosen, tuple(tuple(int(e) for e in t) for t in terms), kept[[y, *variables]],
        pd.concat([pd.DataFrame(index=kept.index), *encoded], axis=1), n_total, center, (*notes, *more),
    )  # fmt: skip
    twice = sorted({n for n in design.names if design.names.count(n) > 1})
    if twice:
        raise DataError(
            f"two terms of the model would be called {twice[0]!r}; rename the column of that name, so that each row "
            "of the table has one meaning"
        )
    return design
