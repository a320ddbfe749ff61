"""How much it matters that an item works differently in two groups: dMACS and its signed form."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtr

from .arguments import FITTED, checked
from .errors import DataError, NotConvergedError, NotIdentifiedError
from .fitting import fit as fit_model
from .ordinal.solution import OrdinalSolution
from .result import Fit
from .scores import matrices
from .spec import ModelSpec

COLUMNS = ["item", "group", "dmacs", "signed", "n"]
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@checked(fit=FITTED)
def effect_sizes(fit: Fit, group_partial: tuple[str, ...] = ()) -> pd.DataFrame:
    """Table of :meth:`semfit.Invariance.effect_sizes`, from any fit in several groups; ``group_partial`` is free throughout."""
    s = fit.solution
    if s.model.n_groups < 2:
        raise DataError("effect sizes compare groups, and this fit has one; name the column with group=...")
    if s.options.sampling_weights is not None:
        raise DataError("effect sizes do not take sampling weights yet")
    spec, data, cut = ModelSpec.of(fit.model), _data(fit), _ordered(fit)
    items = list(dict.fromkeys(t.rhs for t in spec.terms if t.op == "=~" and t.rhs in s.model.ov))
    rows = []
    for item in items:
        released = _released(spec, data, item, cut, fit, group_partial)
        for k in range(1, s.model.n_groups):
            sizes = (np.nan, np.nan) if released is None else _sizes(released, item, k, data)
            n = sum(len(s.rows[g].values) for g in (0, k))
            rows.append((item, s.groups[k], *sizes, n))
    out = pd.DataFrame(rows, columns=COLUMNS)
    return out.sort_values("dmacs", ascending=False, kind="stable", ignore_index=True)


def _ordered(fit: Fit) -> list[str]:
    s = fit.solution
    return [s.model.ov[s.ordinal.y[v]] for v in s.ordinal.ordered] if isinstance(s, OrdinalSolution) else []


def _data(fit: Fit) -> pd.DataFrame:
    """The rows that were used, with their group."""
    s = fit.solution
    name = s.options.group
    parts = [pd.DataFrame(rows.values, columns=s.model.ov).assign(**{str(name): k}) for k, rows in enumerate(s.rows)]
    return pd.concat(parts, ignore_index=True).astype({str(name): int})


def _released(
    spec: ModelSpec, data: pd.DataFrame, item: str, cut: list[str], fit: Fit, group_partial: tuple[str, ...]
) -> Fit | None:
    """Equal loadings and intercepts (thresholds) in all items but one and what is free anyway; None: no solution."""
    o, groups = fit.solution.options, fit.solution.model.n_groups
    free = [f"{t.lhs} =~ {item}" for t in spec.terms if t.op == "=~" and t.rhs == item] + [f"{item} ~ 1"]
    equal = ["loadings", "intercepts"]
    higher = [(t.lhs, t.rhs) for t in spec.terms if t.op == "=~" and t.rhs in spec.latents]
    for top in dict.fromkeys(top for top, _ in higher):  # what is above the items' latents stays as the groups have it
        spec = spec if spec.has(top, "~1") else spec.fix(top, "~1", value=0.0)
        spec = spec.fix(top, "~~", top, value=1.0)
    if cut:
        equal.append("thresholds")
        if item in cut:
            free[-1:] = [f"{item} | t{k}" for k in range(1, int(data[item].nunique()))]
            spec = spec.fix(item, "~~", item, value=[1.0] * groups)
    try:
        found = fit_model(
            spec,
            data,
            group=o.group,
            group_equal=equal,
            group_partial=list(dict.fromkeys([*free, *(f"{a} =~ {b}" for a, b in higher), *group_partial])),
            estimator=o.estimator,
            missing=o.missing,
            std_lv=True,
            fixed_x=o.fixed_x,
            orthogonal=o.orthogonal,
            ordered=cut or None,
            parameterization="theta" if cut else "delta",
        )
    except (NotIdentifiedError, NotConvergedError):
        return None
    return found if found.converged else None


def _sizes(fit: Fit, item: str, k: int, data: pd.DataFrame) -> tuple[float, float]:
    """dMACS and its signed form of group k against the first."""
    s = fit.solution
    a, p = s.model.position[item], s.model.n_ov
    C, mean = s.implied_with_means(k)
    loadings = np.array([matrices(s, g)[0][a, p:] for g in (0, k)])
    intercepts = np.array([_intercept(fit, item, g) for g in (0, k)])
    center = intercepts + loadings @ mean[p:]
    spread = loadings @ C[p:, p:] @ loadings.T
    values, vectors = np.linalg.eigh(spread)
    z = np.array(np.meshgrid(_NODES, _NODES)).reshape(2, -1)
    weight = np.outer(_WEIGHTS, _WEIGHTS).ravel() / (2 * np.pi)
    expected = center[:, None] + vectors @ (np.sqrt(np.maximum(values, 0.0))[:, None] * z)
    if isinstance(s, OrdinalSolution) and item in _ordered(fit):
        expected = np.array([_answer(fit, item, g, line) for g, line in zip((0, k), expected, strict=True)])
    difference = expected[1] - expected[0]
    answers = [data.loc[data[str(s.options.group)] == g, item].dropna() for g in (0, k)]
    free = [len(x) - 1 for x in answers]
    sd = np.sqrt(sum(f * x.var() for f, x in zip(free, answers, strict=True)) / sum(free))
    return float(np.sqrt(weight @ difference**2) / sd), float(weight @ difference / sd)


def _intercept(fit: Fit, item: str, group: int) -> float:
    table = fit.estimates
    row = table[(table["lhs"] == item) & (table["op"] == "~1") & (table["group"] == group + 1)]
    return float(row["est"].iloc[0])


def _answer(fit: Fit, item: str, group: int, line: np.ndarray) -> np.ndarray:
    """Expected category, counted from 0, of an ordered item whose normal variable has the mean ``line``."""
    table = fit.estimates
    mine = table[(table["lhs"] == item) & (table["group"] == group + 1)]
    tau = mine.loc[mine["op"] == "|", "est"].to_numpy()
    sd = float(np.sqrt(mine.loc[(mine["op"] == "~~") & (mine["rhs"] == item), "est"].iloc[0]))
    return ndtr((line[None, :] - tau[:, None]) / sd).sum(axis=0)
