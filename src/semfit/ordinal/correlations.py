"""``semfit.polychoric``: correlations of the normal variables that ordered answers are cut from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import checks
from ..design import Design, sampling_weights
from ..errors import CategoryTrouble, DataError, FitWarning
from ..printing import Result
from ..threads import one_thread
from .bivariate import BOUND
from .coding import Coded, coded, ordered_names
from .statistics import Statistics, statistics


@dataclass(frozen=True, eq=False, repr=False)
class Polychoric(Result):
    """Correlations and thresholds; made by :func:`polychoric`.

    Attributes
    ----------
    table : DataFrame
        One row a pair: lhs, rhs, kind (polychoric, tetrachoric, polyserial or Pearson), r, se, n (rows with both),
        empty_cells (of their two-way table; 0 where a variable is continuous).
    correlations : DataFrame, shape (p, p)
    se : DataFrame, shape (p, p)
        Standard errors of the correlations; 0 on the diagonal.
    thresholds : DataFrame
        One row a threshold: variable, threshold (from 1), below and above (the two categories that it parts), est, se.
    acov : DataFrame
        Covariance matrix of all estimates: thresholds ``x|t1`` (means ``x~1`` and variances ``x~~x`` of continuous
        variables) and correlations ``x~~y``.
    n_obs : int
        Rows with at least one answer.
    warnings : tuple of FitWarning
    """

    table: pd.DataFrame
    correlations: pd.DataFrame
    se: pd.DataFrame
    thresholds: pd.DataFrame
    acov: pd.DataFrame
    n_obs: int
    warnings: tuple[FitWarning, ...] = ()

    def _heading(self) -> str:
        kinds = self.table["kind"].value_counts()
        what = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        return f"Correlations of {len(self.correlations)} variables ({what}), n = {self.n_obs}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("Correlations", self.correlations), ("Thresholds", self.thresholds)]


def polychoric(
    data: pd.DataFrame, ordered: bool | str | Sequence[str] | None = None, *, weights: str | None = None
) -> Polychoric:
    """Polychoric, polyserial and Pearson correlations, two-step, with thresholds and standard errors.

    Parameters
    ----------
    data : DataFrame
        One column a variable. Categories are numbers in their order, or a pandas Categorical with ``ordered=True``.
        A pair uses the rows that have both answers; thresholds use every answer.
    ordered : bool or str or sequence of str, optional
        Ordered variables; None and True mean all of them. The others are continuous.
    weights : str, optional
        Column of sampling weights, such as the inverse probability of being in the sample; no variable itself. Only
        their ratios count. Rows of weight 0 are left out.

    Returns
    -------
    Polychoric

    Raises
    ------
    DataError
        A variable is constant, holds text without an order, or has more than 30 categories; fewer than two variables;
        a weight is missing or negative.

    Notes
    -----
    An answer is the interval between two thresholds into which a standard normal variable falls. Thresholds come
    from the margins, then each correlation by maximum likelihood from its two-way table (Olsson 1979, Psychometrika
    44; with a continuous variable Olsson, Drasgow & Dorans 1982). One empty cell of a two-by-two table gets half an
    answer while the margins are kept; other empty cells stay empty. Correlations of pairs that each other determine
    end at 1 or -1 (.999 in larger tables) and are named in ``warnings``. Equals
    ``lavaan::lavCor(data, ordered = ordered, missing = "pairwise")``; ``acov`` is lavaan's ``gamma`` divided by n
    (Muthen 1984, Psychometrika 49).

    Weights count answers in the margins and tables, and ``acov`` is that of the weighted scores (``lavCor(data,
    sampling.weights = "w")``). Whole numbers give the correlations of rows written so often, but not their standard
    errors: a row that stands for three people is one answer.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> z = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 2000)
    >>> found = semfit.polychoric(pd.DataFrame({"a": np.digitize(z[:, 0], [-1, 0, 1]), "b": z[:, 1] > 0.5}))
    >>> found.table[["lhs", "rhs", "kind"]].values.tolist()
    [['a', 'b', 'polychoric']]
    >>> bool(abs(found.correlations.loc["a", "b"] - 0.6) < 0.05)
    True
    """
    data = checks.frame(data)
    data = data.set_axis([str(c) for c in data.columns], axis=1)
    w, notes = _weights(data, weights)
    data = data.drop(columns=weights or [])[w > 0]
    names = list(data.columns)
    if len(names) < 2:
        have = f"one ({names[0]!r})" if names else "none"
        raise DataError(f"correlations need two or more variables, and the data have {have}")
    chosen = ordered_names(True if ordered is None else ordered, names)
    answers = coded(data, names, chosen)
    answered = ~np.isnan(answers.values).all(axis=1)
    pairwise_rows(answers, answered)
    with one_thread():
        share = w[w > 0][answered]
        design = None if weights is None else Design(share * (len(share) / share.sum()))
        found = statistics(answers.values[answered], answers.sizes, names, design=design)
        gamma = found.correlation_gamma
    warnings = (*notes, *answers.warnings, *pair_trouble(found, names))
    return _result(found, gamma, answers, tuple(warnings))


def _weights(data: pd.DataFrame, name: str | None) -> tuple[np.ndarray, list[FitWarning]]:
    """Weight of every row, ones without a column of weights, and what to say of them."""
    if name is None:
        return np.ones(len(data)), []
    checks.columns(data, [name], "weight")
    notes: list[FitWarning] = []
    return sampling_weights(data, name, [np.arange(len(data))], lambda _: "", notes)[0], notes


def pairwise_rows(answers: Coded, rows: np.ndarray, where: str = "") -> None:
    """Every pair of variables must have been answered together, and vary there."""
    seen = (~np.isnan(answers.values[rows])).astype(float)
    together = seen.T @ seen
    a, b = np.unravel_index(together.argmin(), together.shape)
    if together[a, b] < 3:
        raise DataError(
            f"{answers.names[a]} and {answers.names[b]} were answered together in {int(together[a, b])} rows{where}: "
            "their correlation is unknown. Leave one of them out."
        )


def pair_trouble(found: Statistics, names: Sequence[str], where: str = "") -> list[CategoryTrouble]:
    """Pairs whose correlation rests on a rule or is at its bound."""
    out, lay = [], found.layout
    small = (found.sizes[lay.first] == 2) & (found.sizes[lay.second] == 2)
    cells = (found.tables[:, :2, :2] == 0).sum(axis=(1, 2)) if found.tables.shape[1] else np.zeros(len(small))
    half = [
        (names[j], names[i])
        for i, j in zip(lay.first[small & (cells == 1)], lay.second[small & (cells == 1)], strict=True)
    ]
    if half:
        shown = "; ".join(f"{a} with {b}" for a, b in half[:5]) + (
            f" and {len(half) - 5} more" if len(half) > 5 else ""
        )
        text = f"an empty cell in the two-by-two table of {shown}{where}: it counts as half an answer"
        out.append(CategoryTrouble(text, "cell", tuple(dict.fromkeys(n for pair in half for n in pair))))
    for i, j in zip(lay.first, lay.second, strict=True):
        r = found.correlation[i, j]
        if abs(r) >= BOUND - 1e-6:
            text = f"{names[j]} and {names[i]} determine each other{where}: their correlation is {r:.3f}"
            out.append(CategoryTrouble(text, "perfect", (names[j], names[i])))
    return out


def statistic_names(found: Statistics, names: Sequence[str]) -> list[str]:
    """Names of the statistics in their order, as lavaan writes them."""
    lay = found.layout
    out = [
        f"{names[v]}|t{k + 1}" if k >= 0 else f"{names[v]}~1" for v, k in zip(lay.variable, lay.category, strict=True)
    ]
    out += [f"{names[v]}~x{on + 1}" for v, on in zip(lay.slope_of, lay.slope_on, strict=True)]
    out += [f"{names[v]}~~{names[v]}" for v in lay.continuous]
    return out + [f"{names[j]}~~{names[i]}" for i, j in zip(lay.first, lay.second, strict=True)]


def _result(found: Statistics, gamma: np.ndarray, answers: Coded, warnings: tuple[FitWarning, ...]) -> Polychoric:
    lay, names, p = found.layout, answers.names, len(answers.names)
    se = np.sqrt(np.maximum(np.diag(gamma), 0.0) / found.n)
    pairs = lay.starts[2]
    labels = statistic_names(found, names)
    matrix = np.zeros((p, p))
    matrix[lay.first, lay.second] = matrix[lay.second, lay.first] = se[pairs:]
    seen = (~np.isnan(answers.values)).astype(float)
    together = (seen.T @ seen).astype(int)
    rows = []
    for k, (i, j) in enumerate(zip(lay.first, lay.second, strict=True)):
        ci, cj = int(found.sizes[i]), int(found.sizes[j])
        kind = (
            "Pearson"
            if not ci + cj
            else "polyserial"
            if not ci * cj
            else "tetrachoric"
            if ci == cj == 2
            else "polychoric"
        )
        empty = int((found.tables[k, :ci, :cj] == 0).sum()) if ci * cj else 0
        rows.append((names[j], names[i], kind, found.correlation[i, j], se[pairs + k], together[i, j], empty))
    table = pd.DataFrame(rows, columns=["lhs", "rhs", "kind", "r", "se", "n", "empty_cells"])
    cuts = [
        (names[v], c + 1, answers.levels[v][c], answers.levels[v][c + 1], found.margins[v].location[c], se[k])
        for k, (v, c) in enumerate(zip(lay.variable, lay.category, strict=True))
        if c >= 0
    ]
    return Polychoric(
        table,
        pd.DataFrame(found.correlation, index=names, columns=names),
        pd.DataFrame(matrix, index=names, columns=names),
        pd.DataFrame(cuts, columns=["variable", "threshold", "below", "above", "est", "se"]),
        pd.DataFrame(gamma / found.n, index=labels, columns=labels),
        int(found.n),
        warnings,
    )
