"""Path models printed without raw data: what the paths imply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from .._core.errors import OURS
from . import matrices
from .reproduction import Key, PrintedNumbers, Reproduction, rounding_box, whole_number


def printed_edges(numbers: PrintedNumbers, model: str) -> dict[str, dict[str, object]]:
    """Standardised paths of a group, outcome -> source -> printed number, causes before effects; {} when circular."""
    found: dict[str, dict[str, object]] = {}
    for quantity in ("beta", "path"):
        for (_, _, source, target), r in numbers.of(quantity, model):
            found.setdefault(target, {})[source] = r
        if found:
            break
    ordered: dict[str, dict[str, object]] = {}
    while found:
        free = [t for t, sources in found.items() if not set(sources) & set(found)]
        if not free:
            return {}
        ordered |= {t: found.pop(t) for t in free}
    return ordered


def from_correlations(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Paths and R2 from a printed correlation matrix, and its correlations from the paths of a saturated model."""
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("correlation"):
        cells = [r for _, r in numbers.of("correlation", model)]
        names = list(dict.fromkeys([r.row for r in cells] + [r.column for r in cells]))
        edges = printed_edges(numbers, model)
        if not edges or {n for t, s in edges.items() for n in (t, *s)} - set(names):
            continue
        matrix = pd.DataFrame(np.nan, index=names, columns=names)
        for r in cells:
            matrix.loc[r.row, r.column] = matrix.loc[r.column, r.row] = r.published
        n = meta.get("n") if whole_number(meta.get("n")) else None
        try:
            fit = matrices.path_model(
                matrix,
                {t: list(s) for t, s in edges.items()},
                n=n,
                decimals=max(r.decimals for r in cells),
                n_draws=2000,
            )
        except OURS as error:  # a gap, or a matrix that cannot be one: a finding about the paper, not a crash
            for target, sources in edges.items():
                out |= {
                    (model, r.quantity, source, target): Reproduction(why=f"not computable: {error}")
                    for source, r in sources.items()
                }
                out |= {
                    (model, q, target, ""): Reproduction(why=f"not computable: {error}") for q in ("r2", "r2_percent")
                }
            continue
        how = "regression on the printed correlations"
        implied = _implied(edges, names)
        for r in fit.paths.to_dict("records"):
            printed = edges[r["to"]][r["from"]]
            out[model, printed.quantity, r["from"], r["to"]] = Reproduction(
                r["est"],
                "printed",
                how,
                (r["low"], r["high"]),
                why=f"the printed correlations give {r['est']:.4f}",
                constraint=_pair(r["from"], r["to"]) if implied is not None else "",
            )
            if n is not None:
                out[model, "se", r["from"], r["to"]] = Reproduction(
                    why="bootstrap standard error: needs the answers (least squares on the printed correlations, "
                    f"n = {n}, gives {r['se']:.3f})"
                )
        for target, r in fit.r2.iterrows():
            for quantity, unit in (("r2", 1), ("r2_percent", 100)):
                out[model, quantity, target, ""] = Reproduction(
                    unit * r.r2,
                    "printed",
                    how,
                    (unit * r.low, unit * r.high),
                    why=f"the printed correlations give {unit * r.r2:.4f}",
                )
        if implied is None:
            continue
        for r in cells:
            values = implied[:, names.index(r.row), names.index(r.column)]
            out[model, "correlation", r.row, r.column] = Reproduction(
                values[0],
                "printed",
                "implied by the printed paths, which leave no correlation free",
                (values.min(), values.max()),
                why=f"the printed paths imply {values[0]:.4f}",
                constraint=_pair(r.row, r.column),
            )
    return out


def _pair(a: str, b: str) -> str:
    """One constraint for a path of a saturated model and the correlation it turns into."""
    return "path or correlation of " + " and ".join(sorted((a, b)))


def _implied(edges: dict[str, dict[str, object]], names: list[str]) -> np.ndarray | None:
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
        b = np.column_stack([np.broadcast_to(beta[target, q], m) for q in sources])
        for z in done:
            r[:, t, z] = r[:, z, t] = (b * r[:, s, z]).sum(1)
        r2[target] = (b * r[:, s, t]).sum(1)
        done.append(t)
    return r, r2


def from_paths(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """R2 from the printed standardised paths alone, and a lone path from its R2."""
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("beta", "path"):
        edges = printed_edges(numbers, model)
        if edges:
            out |= _r2_of_paths(numbers, model, edges)
            for target, sources in edges.items():
                if len(sources) == 1 and (model, "r2", target, "") in numbers.by:
                    ((source, r),) = sources.items()
                    sign = -1 if r.published < 0 else 1
                    out[model, r.quantity, source, target] = numbers.follows(
                        lambda x, s=sign: s * np.sqrt(x),
                        [(model, "r2", target, "")],
                        "square root of the R2 of an outcome with one cause",
                        constraint=_one_cause(target),
                    )
    return out


def _one_cause(target: str) -> str:
    return f"R2 and the only path of {target}"


def _r2_of_paths(numbers: PrintedNumbers, model: str, edges: Mapping) -> dict[Key, Reproduction]:
    """R2 by path tracing. Where two causes have an unprinted correlation, one value of it must serve every R2."""
    names = list(dict.fromkeys(n for t, s in edges.items() for n in (*s, t)))
    flat = [(t, s, r) for t, sources in edges.items() for s, r in sources.items()]
    draws = rounding_box([r.published for *_, r in flat], [r.decimals for *_, r in flat], n_draws=300)
    beta = {(t, s): draws[:, k] for k, (t, s, _) in enumerate(flat)}
    exogenous = [n for n in names if n not in edges]
    unit = {"r2": 1.0, "r2_percent": 100.0}
    printed = {t: (q, numbers.by[model, q, t, ""]) for t in edges for q in unit if (model, q, t, "") in numbers.by}
    traced = {rho: _trace(edges, names, beta, _all_pairs(exogenous, rho))[1] for rho in _grid(len(exogenous))}

    def ends(rho: float, t: str) -> tuple[float, float]:
        v = traced[rho][t] * unit[printed[t][0]]
        return float(v.min()), float(v.max())

    def fits(rho: float, t: str) -> bool:
        low, high = ends(rho, t)
        h = 0.5 * 10.0 ** -printed[t][1].decimals
        return low - h <= printed[t][1].published <= high + h

    # An R2 depends on the unprinted correlation when its value moves with it.
    moves = {t for t in printed if np.ptp([r2[t][0] for r2 in traced.values()]) > 1e-9}
    reachable = [t for t in moves if any(fits(rho, t) for rho in traced)]
    common = [rho for rho in traced if all(fits(rho, t) for t in reachable)]
    best = min(common or traced, key=lambda rho: abs(rho))
    pair = " and ".join(exogenous)
    out: dict[Key, Reproduction] = {}
    for t, (q, r) in printed.items():
        key, paths = (model, q, t, ""), ", ".join(f"{s} {c.printed}" for s, c in edges[t].items())
        low, high = min(ends(rho, t)[0] for rho in traced), max(ends(rho, t)[1] for rho in traced)
        rho = best if t in moves else next(iter(traced))
        found = Reproduction(
            float(traced[rho][t][0] * unit[q]),
            "printed",
            "path tracing from the printed paths",
            ends(rho, t),
            why=f"the printed paths ({paths}) give {traced[rho][t][0] * unit[q]:.4f}",
            constraint=_one_cause(t) if len(edges[t]) == 1 and q == "r2" else "",
        )
        if t not in moves:
            out[key] = found
        elif t not in reachable and len(exogenous) == 2:
            why = f"the paths ({paths}) allow at most {high:.3f}, whatever the unprinted correlation"
            if r.published < low:
                why = f"the paths ({paths}) give at least {low:.3f}, whatever the unprinted correlation"
            out[key] = replace(found, why=why)
        elif len(reachable) == 1 or len(exogenous) > 2:
            out[key] = Reproduction(
                why=f"needs the correlation of {pair}; the paths allow {low:.3f} to {high:.3f}"
                + (", and the printed value lies inside" if t in reachable else "")
            )
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


def beta_from_b(numbers: PrintedNumbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Standardised paths from unstandardised ones, where the model has another way between the two constructs.

    b / beta is the ratio of two standard deviations. Around a closed loop of paths these ratios multiply to one, so
    each path of a loop can be standardised with the ratios that the others print.
    """
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("b"):
        pairs = [
            (key[2], key[3], r, numbers.by[model, "beta", key[2], key[3]])
            for key, r in numbers.of("b", model)
            if (model, "beta", key[2], key[3]) in numbers.by
        ]
        if len(pairs) < 3 or any(b.published == 0 or beta.published == 0 for *_, b, beta in pairs):
            continue
        names = list(dict.fromkeys(n for s, t, *_ in pairs for n in (s, t)))
        design = np.zeros((len(pairs), len(names)))
        for k, (s, t, *_) in enumerate(pairs):
            design[k, names.index(t)], design[k, names.index(s)] = 1, -1
        inputs = [v for *_, b, beta in pairs for v in (b, beta)]
        draws = rounding_box([v.published for v in inputs], [v.decimals for v in inputs])
        b, beta = draws[:, 0::2], draws[:, 1::2]
        with np.errstate(all="ignore"):
            log_ratio = np.log(b / beta)
        error = np.array(
            [10.0**-x.decimals / abs(x.published) + 10.0**-y.decimals / abs(y.published) for *_, x, y in pairs]
        )
        loops = max(len(pairs) - np.linalg.matrix_rank(design), 1)
        for k, (s, t, *_) in enumerate(pairs):
            rest = [i for i in range(len(pairs)) if i != k]
            a = design[rest] / error[rest, None]
            if np.linalg.matrix_rank(np.vstack([a, design[k]])) > np.linalg.matrix_rank(a):
                out[model, "beta", s, t] = Reproduction(
                    why="needs the standard deviations of the two constructs; no other path connects them"
                )
                continue
            y = (log_ratio[:, rest] / error[rest]).T
            ok = np.isfinite(y).all(0)
            ratio = np.exp(design[k] @ np.linalg.pinv(a) @ y[:, ok])
            values = b[ok, k] / ratio
            out[model, "beta", s, t] = Reproduction(
                values[0],
                "printed",
                "b over the ratio of standard deviations that the other paths print",
                (values.min(), values.max()),
                why=f"the other paths give {values[0]:.4f}",
                constraint=f"b and beta around loop {k % loops + 1}",
            )
    return out
