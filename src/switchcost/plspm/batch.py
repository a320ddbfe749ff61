"""Many resamples of one PLS model at once, from their moments; the draws are the last axis of the arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from semfit.htmt import htmt_values
from semfit.resampling import ROWS, FilledRows
from semfit.threads import one_thread

from ..core.jobs import run_batches
from .spec import Specification, htmt_pairs


def resample(
    spec: Specification, x: np.ndarray, draws: Sequence[Callable[[], np.ndarray]], n_jobs: int | None = None
) -> dict[str, np.ndarray]:
    """Estimate the model for each row of what ``draws`` return (draws x respondents: how often one was drawn)."""
    parts = run_batches(partial(_estimate_batch, spec, FilledRows.of(x)), draws, n_jobs)
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def _estimate_batch(spec: Specification, rows: FilledRows, draw: Callable[[], np.ndarray]) -> dict[str, np.ndarray]:
    with one_thread(), np.errstate(divide="ignore", invalid="ignore"):
        return _estimated(spec, rows, draw())


def _estimated(spec: Specification, rows: FilledRows, counts: np.ndarray) -> dict[str, np.ndarray]:
    mean, sd, by_draw = rows.moments(counts)
    (n_draws, p), r = mean.shape, np.ascontiguousarray(by_draw.transpose(1, 2, 0))
    at = {c: spec.places[c] for c in spec.blocks}
    unit = np.broadcast_to(np.eye(p)[..., None], r.shape)
    inverse = {c: _solve(r[at[c], at[c]], unit[at[c], at[c]]) for c in spec.formative}
    main = {t: only for t, ss in spec.edges.items() if (only := [s for s in ss if "*" not in s])}
    weights = _iterate(r, at, spec.scheme, main, inverse)
    product_sd = np.empty((0, n_draws))
    if spec.products:
        r, product_sd = _with_products(spec, rows, counts, (mean, sd, weights.T), r)
        at = spec.places
        weights = _iterate(r, at, spec.scheme, spec.edges, inverse)

    names = list(at)
    with_items, cov = _covariances(r, weights, at)
    paths, r2 = [], []
    for target, sources in spec.edges.items():
        s, t = [names.index(q) for q in sources], names.index(target)
        beta = _solve(cov[np.ix_(s, s)], cov[s, t][:, None])[:, 0]
        r2.append((beta * cov[s, t]).sum(0))
        paths += [b / product_sd[spec.products.index(q)] if "*" in q else b for q, b in zip(sources, beta, strict=True)]
    htmt = htmt_values(by_draw, np.repeat(np.eye(len(spec.blocks)), [*map(len, spec.blocks.values())], axis=0))
    out = {
        "paths": np.column_stack(paths),
        "loadings": np.vstack([with_items[names.index(c), at[c]] for c in spec.blocks]).T,
        "weights": weights[:p].T,
        "htmt": np.array([htmt[:, names.index(a), names.index(b)] for a, b in htmt_pairs(spec)]).reshape(-1, n_draws).T,
        "r2": np.column_stack(r2),
    }
    bad = np.isnan(out["paths"]).any(axis=1)
    for values in out.values():
        values[bad] = np.nan
    return out


def _with_products(
    spec: Specification, rows: FilledRows, counts: np.ndarray, found: tuple[np.ndarray, ...], r: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Correlations with the products of the composites behind the items, and the products' standard deviations.

    ``found`` are the means, the standard deviations and the weights of the items, (draws, items) each.
    """
    (mean, sd, weights), (p, _, n_draws), k = found, r.shape, len(spec.products)
    pairs = [q.split("*") for q in spec.products]
    size = counts.sum(axis=1, dtype=float)
    how = {}
    for c in {c for pair in pairs for c in pair}:
        own = np.zeros((n_draws, p))
        own[:, spec.places[c]] = (weights / sd)[:, spec.places[c]]
        how[c] = rows.column_weights(own, mean)
    total, squares, sums = np.zeros((k, n_draws)), np.zeros((k, k, n_draws)), np.zeros((k, n_draws, rows.shape[1]))
    for start in range(0, len(rows), ROWS):
        x, times = rows[start : start + ROWS], counts[:, start : start + ROWS]
        scores = {c: w @ x.T - less for c, (w, less) in how.items()}
        products = np.array([scores[a] * scores[b] for a, b in pairs])
        drawn = times * products
        total += drawn.sum(2)
        sums += drawn @ x
        squares += np.einsum("ibn,jbn->ijb", drawn, products)
    cov = (squares - total[:, None] * total / size) / (size - 1)
    product_sd = np.sqrt(np.einsum("iib->ib", cov))
    with_items = rows.cross_products(sums, total[..., None], mean) / (sd * (size[:, None] - 1))
    full = np.empty((p + k, p + k, n_draws))
    full[:p, :p], full[p:, p:] = r, cov / (product_sd[:, None] * product_sd)
    full[p:, :p] = with_items.swapaxes(1, 2) / product_sd[:, None]
    full[:p, p:] = full[p:, :p].swapaxes(0, 1)
    return full, product_sd


def _solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x (k, m, draws) with a x = b for positive definite a (k, k, draws), by elimination; NaN where a is singular."""
    both, k = np.concatenate([a, b], axis=1), len(a)
    for i in range(k):
        both[i, i:] /= np.where(both[i, i] < 1e-10, np.nan, both[i, i])
        others = both[:, i].copy()
        others[i] = 0
        both[:, i:] -= others[:, None] * both[i, i:]
    return both[:, k:]


def _covariances(r: np.ndarray, w: np.ndarray, at: dict[str, slice]) -> tuple[np.ndarray, np.ndarray]:
    """Covariances of the composites with the items, (constructs, items, draws), and with each other."""
    rw, cov = np.empty((len(at), *w.shape)), np.empty((len(at), len(at), w.shape[1]))
    for j, block in enumerate(at.values()):
        np.einsum("ipb,ib->pb", r[block], w[block], out=rw[j])
    for j, block in enumerate(at.values()):
        np.einsum("jib,ib->jb", rw[:, block], w[block], out=cov[:, j])
    return rw, cov


def _iterate(
    r: np.ndarray, at: dict[str, slice], scheme: str, edges: dict[str, list[str]], inverse: dict[str, np.ndarray]
) -> np.ndarray:
    """Outer weights (items x draws) by the PLS iteration, scaled to composites of variance 1."""
    place, k = {c: j for j, c in enumerate(at)}, len(at)
    path = np.zeros((k, k), bool)
    together: dict[tuple[int, ...], list[int]] = {}  # outcomes that share their sources share the elimination
    for target, sources in edges.items():
        path[[place[s] for s in sources], place[target]] = True
        together.setdefault(tuple(place[s] for s in sources), []).append(place[target])
    regressions = [(np.ix_(q, q), np.ix_(q, t)) for q, t in together.items()]
    beside = [np.flatnonzero(row) for row in path | path.T]
    owner = np.repeat(np.arange(k), [b.stop - b.start for b in at.values()])
    final = np.empty((len(r), r.shape[2]))
    todo, running = np.arange(r.shape[2]), np.ones(r.shape[2], bool)
    w: np.ndarray = np.ones_like(final)
    new = w
    for turn in range(302):
        rw, cov = _covariances(r, new, at)
        sd = np.sqrt(np.einsum("jjb->jb", cov))
        new = new / sd[owner]
        still = (np.abs(new - w).sum(0) >= 1e-10) & (turn < 301) if turn else running
        w, stop = new, running & ~still
        final[:, todo[stop]] = w[:, stop]
        running = running & still
        if not running.any():
            break
        if 2 * running.sum() < len(running):
            w, rw, cov, sd, r = (v[..., running] for v in (w, rw, cov, sd, r))
            inverse = {c: v[..., running] for c, v in inverse.items()}
            todo, running = todo[running], running[running]
        corr = cov / (sd[:, None] * sd)
        inner = np.sign(corr) if scheme == "centroid" else corr.copy()
        if scheme == "path":
            for among, on in regressions:
                inner[on] = _solve(corr[among], corr[on])
        inner /= sd[:, None]
        new = np.empty_like(w)
        for j, (c, block) in enumerate(at.items()):
            new[block] = np.einsum("lb,lib->ib", inner[beside[j], j], rw[beside[j], block])
            if c in inverse:
                new[block] = np.einsum("ijb,jb->ib", inverse[c], new[block])
    return final
