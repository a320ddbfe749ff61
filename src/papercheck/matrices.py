"""Regression and path models from a printed correlation matrix, with what its rounding leaves open.

A paper prints .276; the authors' number was anything from .2755 to .2765. Whatever is computed from a printed
matrix is therefore a range, not a number. Every result here carries that range.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from switchcost.core import checks
from switchcost.core.errors import DataError

DEFAULT_SEED = 20260101


_ALL_CORNERS = 14  # up to 2^14 combinations of rounded-up and rounded-down entries are tried in full


def correlation_matrix(table: pd.DataFrame, what: str = "correlation matrix") -> pd.DataFrame:
    """Return a printed correlation table as a square, symmetric DataFrame of floats.

    Parameters
    ----------
    table : DataFrame
        Square with the same names in rows and columns, or with the names in a first text column (as published
        tables are stored). A triangle is completed; an empty diagonal is read as 1.

    Returns
    -------
    DataFrame of shape (p, p), rows in the order of the columns

    Raises
    ------
    ValueError
        Names differ, the two triangles contradict each other, an entry is missing or beyond -1..1.
    """
    table = checks.frame(table, what)
    first = table.columns[0]
    numbers = pd.api.types.is_numeric_dtype(table[first])  # texts have a dtype of their own from pandas 3 on
    if not numbers and set(table[first].astype(str)) == set(map(str, table.columns[1:])):
        table = table.set_index(first)
    table = table.apply(lambda column: pd.to_numeric(column.replace("", None)))
    table.index, table.columns = table.index.map(str), table.columns.map(str)
    table.index.name = None
    if set(table.index) != set(table.columns):
        only = sorted(set(table.index) ^ set(table.columns))
        raise DataError(f"rows and columns of the {what} must have the same names; in one only: {', '.join(only)}")
    table = table.loc[table.columns]
    values = table.to_numpy().copy()
    diagonal = np.diag(values)
    if np.nanmax(np.abs(diagonal - 1), initial=0) > 1e-8:
        raise DataError(
            f"the diagonal of the {what} must be 1, and holds {diagonal[np.nanargmax(abs(diagonal - 1))]:g}; "
            "is it a covariance matrix, or are the square roots of AVE on the diagonal?"
        )
    np.fill_diagonal(values, 1.0)
    mirrored = np.where(np.isnan(values), values.T, values)
    if np.isnan(mirrored).any():
        i, j = np.argwhere(np.isnan(mirrored))[0]
        raise DataError(f"the {what} has no entry for {table.index[i]} and {table.columns[j]}")
    apart = np.abs(mirrored - mirrored.T)
    if apart.max() > 1e-8:
        i, j = np.unravel_index(apart.argmax(), apart.shape)
        raise DataError(
            f"the {what} is not symmetric: {table.index[i]} with {table.columns[j]} is "
            f"{mirrored[i, j]:g} in one triangle and {mirrored[j, i]:g} in the other"
        )
    if np.abs(mirrored).max() > 1 + 1e-12:
        i, j = np.unravel_index(np.abs(mirrored).argmax(), mirrored.shape)
        raise DataError(
            f"the correlation of {table.index[i]} and {table.columns[j]} is {mirrored[i, j]:g}, beyond -1..1"
        )
    return pd.DataFrame(mirrored, index=table.index, columns=table.columns)


def rounded_draws(correlations: np.ndarray, decimals: int, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Matrices that would all be printed like this one.

    Every off-diagonal entry moves by up to half a unit in its last place. Half of the draws are uniform, the rest
    sit at corners, where smooth functions of the entries take their extremes; with up to 14 entries all corners
    are taken.

    Returns
    -------
    array of shape (draws, p, p); draws that are not positive definite are left out
    """
    p = len(correlations)
    rows, cols = np.triu_indices(p, 1)
    half = 0.5 * 10.0**-decimals
    m = len(rows)
    if m <= _ALL_CORNERS:
        corners = np.array(list(itertools.product((-1.0, 1.0), repeat=m))).reshape(-1, m)
    else:
        corners = rng.choice((-1.0, 1.0), size=(n_draws // 2, m))
    shift = half * np.vstack([rng.uniform(-1, 1, size=(n_draws // 2, m)), corners])
    out = np.repeat(np.asarray(correlations, float)[None], len(shift), axis=0)
    out[:, rows, cols] += shift
    out[:, cols, rows] += shift
    return out[np.linalg.eigvalsh(out)[:, 0] > 1e-12]


@dataclass(frozen=True, repr=False)
class MatrixModel:
    """Standardised path model from a correlation matrix; made by :func:`path_model`.

    Attributes
    ----------
    paths : DataFrame
        ``from to est low high``: the path and the range that rounding of the correlations allows; with ``n`` also
        ``se t pvalue`` of ordinary least squares.
    r2 : DataFrame
        Index the outcome; ``r2 low high n_predictors``.
    """

    paths: pd.DataFrame
    r2: pd.DataFrame
    correlations: pd.DataFrame
    decimals: int
    n: float | None
    n_draws: int

    def __repr__(self) -> str:
        n = "n not given" if self.n is None else f"n = {self.n:g}"
        return (
            f"Path model from correlations printed with {self.decimals} decimals; {n}; "
            f"low and high: range over {self.n_draws} matrices that round to the printed one\n"
            f"{self.paths.to_string(index=False, float_format=lambda v: f'{v:.4f}')}\n"
            f"{self.r2.to_string(float_format=lambda v: f'{v:.4f}')}"
        )

    def _repr_html_(self) -> str:
        return (
            f"<p>{repr(self).splitlines()[0]}</p>"
            + self.paths.to_html(index=False, float_format=lambda v: f"{v:.4f}")
            + self.r2.to_html(float_format=lambda v: f"{v:.4f}")
        )


def path_model(
    correlations: pd.DataFrame,
    paths: pd.DataFrame | Mapping[str, Sequence[str]] | Iterable[tuple[str, str]],
    *,
    n: float | None = None,
    decimals: int = 3,
    n_draws: int = 10_000,
    seed: int | None = None,
) -> MatrixModel:
    """Standardised regressions, one an outcome, from a printed correlation matrix.

    Parameters
    ----------
    correlations : DataFrame
        As :func:`correlation_matrix` takes it.
    paths : DataFrame with columns ``from`` and ``to``; or pairs (from, to); or a dict {outcome: [predictors]}
    n : float, optional
        Sample size, for OLS standard errors: se = sqrt((1 - R2) v_j / (n - k - 1)), v_j from the inverse matrix.
        They treat standardised slopes as slopes of z-scored variables, as SPSS does.
    decimals : int
        Printed decimals of the correlations.
    n_draws : int
        Uniform draws and corners for the rounding band.
    seed : int, default 20260101

    Returns
    -------
    MatrixModel

    Raises
    ------
    ValueError
        A name is not in the matrix, or the predictors' matrix is not positive definite.

    Notes
    -----
    beta = R_xx^-1 r_xy,  R2 = beta' r_xy. The band is the range over matrices that round to the printed one.

    Examples
    --------
    >>> r = pd.DataFrame([[1, .5, .4], [.5, 1, .3], [.4, .3, 1]], index=list("yab"), columns=list("yab"))
    >>> path_model(r, {"y": ["a", "b"]}, decimals=1).paths["est"].round(3).tolist()
    [0.418, 0.275]
    """
    matrix = correlation_matrix(correlations)
    outcomes = _outcomes(paths)
    for outcome, predictors in outcomes.items():
        for name in [outcome, *predictors]:
            if name not in matrix.columns:
                raise DataError(f"{name!r} is in a path and not in the matrix.{checks.suggest(name, matrix.columns)}")
        checks.positive_definite(
            matrix.loc[predictors, predictors].to_numpy(),
            predictors,
            f"correlation matrix of the predictors of {outcome}",
        )
    if n_draws < 1000:
        raise DataError(f"n_draws is {n_draws}; the range needs at least 1000")
    rng = np.random.default_rng(DEFAULT_SEED if seed is None else seed)
    used = [c for c in matrix.columns if any(c in (o, *p) for o, p in outcomes.items())]
    draws = rounded_draws(matrix.loc[used, used].to_numpy(), decimals, n_draws, rng)
    if len(draws) == 0:
        raise DataError(
            "no matrix that rounds to the printed one is positive definite; it cannot be a correlation matrix"
        )
    path_rows, r2_rows = [], {}
    for outcome, predictors in outcomes.items():
        xs, y = [used.index(p) for p in predictors], used.index(outcome)
        rxx = matrix.loc[predictors, predictors].to_numpy()
        rxy = matrix.loc[predictors, outcome].to_numpy()
        beta = np.linalg.solve(rxx, rxy)
        r2 = float(beta @ rxy)
        band_xy = draws[:, xs, y]
        band = np.linalg.solve(draws[:, xs][:, :, xs], band_xy[..., None])[..., 0]
        band_r2 = np.sum(band * band_xy, axis=1)
        r2_rows[outcome] = {"r2": r2, "low": band_r2.min(), "high": band_r2.max(), "n_predictors": len(predictors)}
        for j, predictor in enumerate(predictors):
            row = {"from": predictor, "to": outcome, "est": beta[j], "low": band[:, j].min(), "high": band[:, j].max()}
            if n is not None:
                df = n - len(predictors) - 1
                if df <= 0:
                    raise DataError(f"n = {n:g} is too small for {len(predictors)} predictors of {outcome}")
                row["se"] = float(np.sqrt((1 - r2) * np.linalg.inv(rxx)[j, j] / df))
                row["t"] = beta[j] / row["se"]
                row["pvalue"] = float(2 * stdtr(df, -abs(row["t"])))
            path_rows.append(row)
    table = pd.DataFrame(path_rows)
    if isinstance(paths, pd.DataFrame):  # in the order of the published table
        order = [(f, t) for f, t in zip(paths["from"], paths["to"], strict=True)]
        table = table.set_index(["from", "to"]).loc[order].reset_index()
    r2_table = pd.DataFrame(r2_rows).T.rename_axis("outcome").astype({"n_predictors": int})
    return MatrixModel(table, r2_table, matrix, decimals, n, len(draws))


def _outcomes(paths) -> dict[str, list[str]]:
    if isinstance(paths, Mapping):
        out = {str(k): [str(v)] if isinstance(v, str) else [str(i) for i in v] for k, v in paths.items()}
    else:
        if isinstance(paths, pd.DataFrame):
            checks.columns(paths, ["from", "to"], what="column")
            paths = zip(paths["from"], paths["to"], strict=True)
        out = {}
        for source, target in paths:
            out.setdefault(str(target), []).append(str(source))
    if not out:
        raise DataError("paths is empty; give pairs such as [('Satisfaction', 'Loyalty')]")
    for outcome, predictors in out.items():
        twice = sorted({p for p in predictors if predictors.count(p) > 1})
        if twice or outcome in predictors:
            raise DataError(
                f"{outcome!r} has {'itself' if outcome in predictors else ', '.join(twice) + ' twice'} "
                "among its predictors"
            )
    return out


def nearest_possible(matrix: pd.DataFrame, decimals: int) -> tuple[pd.DataFrame | None, str]:
    """The nearest correlation matrix where none that rounds to this one can be one (else None), and why.

    Rounding moves an eigenvalue by at most (p - 1) half units: below that, some combination of the variables would
    have a negative variance.
    """
    values, vectors = np.linalg.eigh(matrix.to_numpy())
    reach = (len(matrix) - 1) * 0.5 * 10.0**-decimals
    why = f"smallest eigenvalue {values[0]:.4f}, which rounding moves by at most {reach:.4f}"
    if values[0] + reach >= 0:
        return None, why
    from statsmodels.stats.correlation_tools import corr_clipped

    nearest = pd.DataFrame(corr_clipped(matrix.to_numpy(), threshold=0.0), matrix.index, matrix.columns)
    blame = ", ".join(matrix.columns[i] for i in np.argsort(-np.abs(vectors[:, 0]))[:4])
    return nearest, f"{why}: a combination of {blame} would have a negative variance"
