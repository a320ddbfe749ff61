"""Path models printed without raw data: what the paths imply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from switchcost.core.errors import OURS

from . import matrices
from .arithmetic import limit, r2_range
from .printed import SLACK
from .reproduction import Cell, Found, PrintedNumbers, Reproduction, rounding_box

Edges = dict[str, dict[str, Cell]]  # outcome -> source -> printed path

_UNIT = {"r2": 1.0, "r2_percent": 100.0}


def printed_edges(numbers: PrintedNumbers, model: str) -> Edges:
    """Standardised paths of a group, causes before effects; {} when circular."""
    found: Edges = {}
    for quantity in ("beta", "path"):
        for (_, _, source, target), r in numbers.of(quantity, model):
            found.setdefault(target, {})[source] = r
        if found:
            break
    ordered: Edges = {}
    while found:
        free = [t for t, sources in found.items() if not set(sources) & set(found)]
        if not free:
            return {}
        ordered |= {t: found.pop(t) for t in free}
    return ordered


def from_correlations(numbers: PrintedNumbers) -> Found:
    """Paths and R2 from a printed correlation matrix, and its correlations from the paths of a saturated model."""
    out: Found = {}
    for model in numbers.models("correlation"):
        cells = [r for _, r in numbers.of("correlation", model)]
        names = list(dict.fromkeys([r.row for r in cells] + [r.column for r in cells]))
        matrix = pd.DataFrame(np.nan, index=names, columns=names)
        for r in cells:
            matrix.loc[r.row, r.column] = matrix.loc[r.column, r.row] = r.published
        np.fill_diagonal(whole := matrix.to_numpy(copy=True), 1.0)
        matrix = pd.DataFrame(whole, names, names)
        decimals = max(r.decimals for r in cells)
        if not np.isnan(whole).any():
            nearest, why = matrices.nearest_possible(matrix, decimals)
            for r in cells:
                value = r.published if nearest is None else float(nearest.loc[r.row, r.column])
                found = limit(nearest is None, value, "nearest matrix that can be one", why, "needs the answers")
                out[r.model, "correlation", r.row, r.column] = replace(found, constraint="correlation matrix")
        edges = printed_edges(numbers, model)
        if edges and not {n for t, s in edges.items() for n in (t, *s)} - set(names):
            _of_matrix(numbers, model, edges, matrix, decimals, cells, out)
    return out


def _of_matrix(
    numbers: PrintedNumbers,
    model: str,
    edges: Edges,
    matrix: pd.DataFrame,
    decimals: int,
    cells: list[Cell],
    out: Found,
) -> None:
    n = numbers.size((model, "correlation", cells[0].row, cells[0].column))
    outcomes = {t: list(s) for t, s in edges.items()}
    try:
        fit = matrices.path_model(matrix, outcomes, n=n, decimals=decimals, n_draws=2000)
    except OURS as error:  # a gap, or a matrix that cannot be one: a finding about the paper, not a crash
        left_open = Reproduction(why=f"not computable: {error}")
        for target, sources in edges.items():
            out |= {(model, r.quantity, source, target): left_open for source, r in sources.items()}
            out |= {(model, q, target, ""): left_open for q in _UNIT}
        return
    how, names = "regression on the printed correlations", list(matrix)
    implied = _implied(edges, names)
    for path in fit.paths.to_dict("records"):
        source, target = path["from"], path["to"]
        out[model, edges[target][source].quantity, source, target] = Reproduction(
            path["est"], "printed", how, (path["low"], path["high"]),
            why=f"the printed correlations give {path['est']:.4f}",
            constraint=_pair(source, target) if implied is not None else "",
        )  # fmt: skip
        if n is not None:
            why = f"least squares on the printed correlations, n = {n:g}, gives {path['se']:.3f}"
            out[model, "se", source, target] = Reproduction(why=f"bootstrap standard error: needs the answers ({why})")
    for outcome, line in fit.r2.iterrows():
        for quantity, unit in _UNIT.items():
            value, low, high = (float(unit * line[c]) for c in ("r2", "low", "high"))
            why = f"the printed correlations give {value:.4f}"
            out[model, quantity, str(outcome), ""] = Reproduction(value, "printed", how, (low, high), why=why)
    if implied is None:
        return
    for r in cells:
        if out[model, "correlation", r.row, r.column].impossible:
            continue
        values: np.ndarray = implied[:, names.index(r.row), names.index(r.column)]
        out[model, "correlation", r.row, r.column] = Reproduction(
            values[0],
            "printed",
            "implied by the printed paths, which leave no correlation free",
            (values.min(), values.max()),
            why=f"the printed paths imply {values[0]:.4f}",
            constraint=_pair(r.row, r.column),
        )


def _pair(a: str, b: str) -> str:
    """One constraint for a path of a saturated model and the correlation it turns into."""
    return "path or correlation of " + " and ".join(sorted((a, b)))


def _implied(edges: Edges, names: list[str]) -> np.ndarray | None:
    """Correlations implied by the paths of a recursive model with one exogenous variable and every path drawn."""
    exogenous = [n for n in names if n not in edges]
    flat = [(t, s, r) for t, sources in edges.items() for s, r in sources.items()]
    if len(exogenous) != 1 or len(flat) != len(names) * (len(names) - 1) // 2:
        return None
    draws = rounding_box([r.published for _, _, r in flat], [r.decimals for _, _, r in flat])
    return _trace(edges, names, {(t, s): draws[:, k] for k, (t, s, _) in enumerate(flat)}, {})[0]


def _trace(
    edges: Mapping[str, Mapping],
    names: list[str],
    beta: Mapping[tuple[str, str], np.ndarray],
    exogenous: Mapping[tuple[str, str], np.ndarray | float],
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Correlations and R2 of a recursive path model by path tracing; exogenous pairs not named are uncorrelated."""
    m = max(len(b) for b in beta.values())
    r = np.tile(np.eye(len(names)), (m, 1, 1))
    for (a, b), value in exogenous.items():
        i, j = names.index(a), names.index(b)
        r[:, i, j] = r[:, j, i] = value
    done, r2 = [names.index(n) for n in names if n not in edges], {}
    for target, sources in edges.items():
        t = names.index(target)
        s = [names.index(q) for q in sources]
        slopes = np.column_stack([np.broadcast_to(beta[target, q], m) for q in sources])
        for z in done:
            r[:, t, z] = r[:, z, t] = (slopes * r[:, s, z]).sum(1)
        r2[target] = (slopes * r[:, s, t]).sum(1)
        done.append(t)
    return r, r2


def from_paths(numbers: PrintedNumbers) -> Found:
    """R2 from the printed standardised paths alone, and a lone path from its R2."""
    out: Found = {}
    for model in numbers.models("beta", "path"):
        edges = printed_edges(numbers, model)
        if edges:
            out |= _r2_of_paths(numbers, model, edges)
            for target, sources in edges.items():
                if len(sources) == 1 and (model, "r2", target, "") in numbers.by:
                    ((source, r),) = sources.items()
                    sign = -1 if r.published < 0 else 1
                    out[model, r.quantity, source, target] = numbers.follows(
                        lambda x, s=sign: s * np.sqrt(np.maximum(x, 0)),
                        [(model, "r2", target, "")],
                        "square root of the R2 of an outcome with one cause",
                        constraint=_one_cause(target),
                    )
    return out


def _one_cause(target: str) -> str:
    return f"R2 and the only path of {target}"


def _r2_of_paths(numbers: PrintedNumbers, model: str, edges: Edges) -> Found:
    """R2 by path tracing. Where two causes have an unprinted correlation, one value of it must serve every R2.

    With three and more such causes, an R2 has only the limits that its own paths set.
    """
    if len({n for s in edges.values() for n in s} - set(edges)) > 2:
        return {
            (model, q, t, ""): r2_range([r.printed for r in sources.values()], cell.printed, unit)
            for t, sources in edges.items()
            if not any("*" in s for s in sources)  # a product of standardised scores has another SD than 1
            for q, unit in _UNIT.items()
            if (cell := numbers.by.get((model, q, t, ""))) is not None
        }
    names = list(dict.fromkeys(n for t, s in edges.items() for n in (*s, t)))
    flat = [(t, s, r) for t, sources in edges.items() for s, r in sources.items()]
    draws = rounding_box([r.published for *_, r in flat], [r.decimals for *_, r in flat], n_draws=300)
    beta = {(t, s): draws[:, k] for k, (t, s, _) in enumerate(flat)}
    exogenous = [n for n in names if n not in edges]
    printed = {t: (q, numbers.by[model, q, t, ""]) for t in edges for q in _UNIT if (model, q, t, "") in numbers.by}
    traced = {rho: _trace(edges, names, beta, _all_pairs(exogenous, rho))[1] for rho in _grid(len(exogenous))}

    def ends(rho: float, t: str) -> tuple[float, float]:
        v = traced[rho][t] * _UNIT[printed[t][0]]
        return float(v.min()), float(v.max())

    def fits(rho: float, t: str) -> bool:
        low, high = ends(rho, t)
        return printed[t][1].printed.allows(low, high)

    # An R2 depends on the unprinted correlation when its value moves with it.
    moves = {t for t in printed if np.ptp([r2[t][0] for r2 in traced.values()]) > 1e-9}
    reachable = [t for t in moves if any(fits(rho, t) for rho in traced)]
    common = [rho for rho in traced if all(fits(rho, t) for t in reachable)]
    best = min(common or traced, key=lambda rho: abs(rho))
    pair = " and ".join(exogenous)
    out: Found = {}
    for t, (q, r) in printed.items():
        key, paths = (model, q, t, ""), ", ".join(f"{s} {c.printed}" for s, c in edges[t].items())
        low, high = min(ends(rho, t)[0] for rho in traced), max(ends(rho, t)[1] for rho in traced)
        rho = best if t in moves else next(iter(traced))
        found = Reproduction(
            float(traced[rho][t][0] * _UNIT[q]),
            "printed",
            "path tracing from the printed paths",
            ends(rho, t),
            why=f"the printed paths ({paths}) give {traced[rho][t][0] * _UNIT[q]:.4f}",
            constraint=_one_cause(t) if len(edges[t]) == 1 and q == "r2" else "",
        )
        if t not in moves:
            out[key] = found
        elif t not in reachable:
            why = f"the paths ({paths}) allow at most {high:.3f}, whatever the unprinted correlation"
            if r.published < low:
                why = f"the paths ({paths}) give at least {low:.3f}, whatever the unprinted correlation"
            out[key] = replace(found, why=why)
        elif len(reachable) == 1:
            said = f"the paths allow {low:.3f} to {high:.3f}, and the printed value lies inside"
            out[key] = Reproduction(why=f"needs the correlation of {pair}; {said}")
        else:
            if common:
                said = f"the correlation of {pair} is not printed; values between {min(common):.2f} and "
                said += f"{max(common):.2f} fit all {len(reachable)} R2 of this group, and {rho:.2f} is taken"
            else:
                said = f"no single correlation of {pair} gives all {len(reachable)} printed R2 of this group"
            out[key] = replace(
                found,
                basis="assumed",
                remark=said,
                why=said,
                impossible=not common,
                # One unknown, fitted: as many constraints as there are R2, less one.
                constraint=f"R2 with one correlation, {max(reachable.index(t), 1)}",
            )
    return out


def _grid(n_exogenous: int) -> list[float]:
    return [0.0] if n_exogenous < 2 else [float(v) for v in np.linspace(-1, 1, 201).round(2)]


def _all_pairs(names: list[str], rho: float) -> dict[tuple[str, str], float]:
    return {(a, b): rho for i, a in enumerate(names) for b in names[i + 1 :]}


def beta_from_b(numbers: PrintedNumbers) -> Found:
    """Standardised paths from unstandardised ones, where the model has another way between the two constructs.

    beta / b is the ratio of two standard deviations. Around a closed loop of paths these ratios multiply to one, so
    each path of a loop can be standardised with the ratios that the others print. What rounding allows is exact: each
    printed pair limits a difference of two logarithms, and the tightest limit on another is a shortest path.
    """
    out: Found = {}
    for model in numbers.models("b"):
        pairs = [(k[2], k[3], r, o) for k, r in numbers.of("b", model) if (o := numbers.beside(k, "beta")) is not None]
        for s, t, b, beta in pairs:
            if b.published * beta.published < 0:
                why = f"b = {b.printed} and beta = {beta.printed} have opposite signs"
                out[model, "beta", s, t] = Reproduction(
                    -beta.published, "printed", "sign of b", why=why, impossible=True
                )
        pairs = [p for p in pairs if p[2].published * p[3].published > 0]
        if len(pairs) >= 3:
            out |= _around_loops(model, pairs)
    return out


def _log_range(cell: Cell) -> tuple[float, float]:
    size, half = abs(cell.published), cell.printed.half
    return (float(np.log(size - half)) if size > half else -np.inf), float(np.log(size + half))


def _around_loops(model: str, pairs: list[tuple[str, str, Cell, Cell]]) -> Found:
    names = list(dict.fromkeys(n for s, t, *_ in pairs for n in (s, t)))
    design, limits = np.zeros((len(pairs), len(names))), []
    for k, (s, t, b, beta) in enumerate(pairs):  # log beta - log b = log SD of the cause - log SD of the outcome
        design[k, names.index(s)], design[k, names.index(t)] = 1, -1
        (b_low, b_high), (low, high) = _log_range(b), _log_range(beta)
        limits.append((low - b_high, high - b_low))
    loops, out = max(len(pairs) - np.linalg.matrix_rank(design), 1), {}
    for k, (s, t, b, _) in enumerate(pairs):
        key, rest = (model, "beta", s, t), [i for i in range(len(pairs)) if i != k]
        shortest = np.where(np.eye(len(names)), 0.0, np.inf)
        for i in rest:
            cause, outcome = names.index(pairs[i][0]), names.index(pairs[i][1])
            low, high = limits[i]
            shortest[outcome, cause], shortest[cause, outcome] = high, -low
        for m in range(len(names)):  # Floyd and Warshall
            shortest = np.minimum(shortest, shortest[:, [m]] + shortest[[m]])
        if (np.diag(shortest) < -SLACK).any():
            out[key] = Reproduction(why="the ratios beta / b of the other paths already contradict one another")
            continue
        low, high = -shortest[names.index(s), names.index(t)], shortest[names.index(t), names.index(s)]
        if not np.isfinite([low, high]).all():
            out[key] = Reproduction(
                why="needs the standard deviations of the two constructs; no other path connects them"
            )
            continue
        middle = b.published * np.exp((low + high) / 2)  # several loops: the middle of what all of them allow
        ends = sorted(np.sign(b.published) * np.exp(np.array([low, high]) + _log_range(b)))
        out[key] = Reproduction(
            float(middle), "printed", "b over the ratio of standard deviations that the other paths print",
            (float(ends[0]), float(ends[1])), why=f"the other paths give {middle:.4f}",
            constraint=f"b and beta around loop {k % loops + 1}",
        )  # fmt: skip
    return out
