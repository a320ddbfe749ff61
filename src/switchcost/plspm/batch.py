"""Many resamples of one PLS model at once, from their moments; the draws are the last axis of the arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from semfit.htmt import htmt_values
from semfit.resampling import ROWS, weighted_moments
from semfit.threads import one_thread

from ..core.jobs import run_batches
from .spec import Specification, htmt_pairs


@dataclass(frozen=True, eq=False)
class _Rows:
    """Centred answers, made block by block: 0 where one is missing, and a column more for each item with gaps (1 there)."""

    x: np.ndarray
    center: np.ndarray
    variance: np.ndarray
    gaps: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> _Rows:
        answered = [column[~np.isnan(column)] for column in x.T]
        center, variance = (np.array([f(column) for column in answered]) for f in (np.mean, np.var))
        return cls(x, center, variance, np.flatnonzero([len(column) < len(x) for column in answered]))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.x), self.x.shape[1] + len(self.gaps)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, part: slice) -> np.ndarray:
        x = self.x[part] - self.center
        missing = np.isnan(x)
        return np.hstack([np.where(missing, 0.0, x), missing[:, self.gaps]])


def resample(
    spec: Specification, x: np.ndarray, draws: Sequence[Callable[[], np.ndarray]], n_jobs: int | None = None
) -> dict[str, np.ndarray]:
    """Estimate the model for each row of what ``draws`` return (draws x respondents: how often one was drawn)."""
    parts = run_batches(partial(_estimate_batch, spec, _Rows.of(x)), draws, n_jobs)
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def _estimate_batch(spec: Specification, rows: _Rows, draw: Callable[[], np.ndarray]) -> dict[str, np.ndarray]:
    with one_thread(), np.errstate(divide="ignore", invalid="ignore"):
        return _estimated(spec, rows, draw())


def _estimated(spec: Specification, rows: _Rows, counts: np.ndarray) -> dict[str, np.ndarray]:
    ends = np.cumsum([len(b) for b in spec.blocks.values()])
    at = {c: slice(e - len(b), e) for e, (c, b) in zip(ends, spec.blocks.items(), strict=True)}
    mean, sd, by_draw = _correlations(rows, counts)
    r = np.ascontiguousarray(by_draw.transpose(1, 2, 0))
    inverse = {}
    for c in spec.formative:
        unit = np.broadcast_to(np.eye(len(spec.blocks[c]))[..., None], r[at[c], at[c]].shape)
        inverse[c] = _solve(r[at[c], at[c]], unit)
    main = {t: [s for s in ss if "*" not in s] for t, ss in spec.edges.items()}
    weights = _iterate(r, at, spec, {t: ss for t, ss in main.items() if ss}, inverse)
    scale = {}
    if spec.products:
        r, scales = _with_products(spec, rows, counts, mean, sd, r, weights, at)
        for j, q in enumerate(spec.products):
            at[q], scale[q] = slice(ends[-1] + j, ends[-1] + j + 1), scales[j]
        weights = _iterate(r, at, spec, spec.edges, inverse)

    names = list(at)
    with_items, cov = _covariances(r, weights, at)
    paths, r2 = [], []
    for target, sources in spec.edges.items():
        s, t = [names.index(q) for q in sources], names.index(target)
        beta = _solve(cov[np.ix_(s, s)], cov[s, t][:, None])[:, 0]
        r2.append((beta * cov[s, t]).sum(0))
        paths += [b / scale.get(q, 1.0) for q, b in zip(sources, beta, strict=True)]
    out = {
        "paths": np.column_stack(paths),
        "loadings": np.vstack([with_items[names.index(c), at[c]] for c in spec.blocks]).T,
        "weights": weights[: ends[-1]].T,
        "htmt": _htmt_batch(by_draw, at, spec),
        "r2": np.column_stack(r2),
    }
    bad = np.isnan(out["paths"]).any(axis=1)
    for values in out.values():
        values[bad] = np.nan
    return out


def _correlations(rows: _Rows, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, standard deviations and correlations of the items by draw; NaN where an item is constant."""
    p, size = len(rows.center), counts.sum(axis=1, dtype=float)[:, None]
    mean, cov = weighted_moments(rows, counts)
    mean[:, rows.gaps] /= 1 - mean[:, p:]
    fill = mean[:, rows.gaps]  # a missing answer sits at the mean of its own resample
    cov[:, rows.gaps] += fill[:, :, None] * cov[:, p:]
    cov[:, :, rows.gaps] += fill[:, None, :] * cov[:, :, p:]
    variance = np.diagonal(cov, axis1=1, axis2=2)[:, :p]
    sd = np.sqrt(np.where(variance > 1e-12 * rows.variance, variance, np.nan))
    return mean[:, :p], sd * np.sqrt(size / (size - 1)), cov[:, :p, :p] / (sd[:, :, None] * sd[:, None, :])


def _with_products(
    spec: Specification,
    rows: _Rows,
    counts: np.ndarray,
    mean: np.ndarray,
    sd: np.ndarray,
    r: np.ndarray,
    weights: np.ndarray,
    at: dict[str, slice],
) -> tuple[np.ndarray, np.ndarray]:
    """Correlations with the products of the composites behind the items, and the products' standard deviations."""
    (n_draws, p), k = mean.shape, len(spec.products)
    size = counts.sum(axis=1, dtype=float)
    score, shift = {}, {}
    for c in {c for q in spec.products for c in q.split("*")}:
        w = np.zeros((n_draws, rows.shape[1]))
        w[:, at[c]] = weights[at[c]].T / sd[:, at[c]]
        shift[c] = (mean * w[:, :p]).sum(1)[:, None]
        w[:, p:] = (mean * w[:, :p])[:, rows.gaps]
        score[c] = w
    first, second = np.zeros((k, n_draws)), np.zeros((k, k, n_draws))
    cross = np.zeros((k, n_draws, rows.shape[1]))
    for start in range(0, len(rows), ROWS):
        part = slice(start, start + ROWS)
        x = rows[part]
        scores = {c: w @ x.T - shift[c] for c, w in score.items()}
        products = [scores[a] * scores[b] for a, b in (q.split("*") for q in spec.products)]
        for i, product in enumerate(products):
            drawn = counts[:, part] * product
            first[i] += drawn.sum(1)
            cross[i] += drawn @ x
            for j in range(i + 1):
                second[i, j] += np.einsum("bn,bn->b", drawn, products[j])
    second = np.where(np.tri(k, dtype=bool)[..., None], second, second.swapaxes(0, 1))
    second = (second - first[:, None] * first / size) / (size - 1)
    product_sd = np.sqrt(np.einsum("iib->ib", second))
    with_items = cross[:, :, :p] - mean * first[:, :, None]
    with_items[:, :, rows.gaps] += mean[:, rows.gaps] * cross[:, :, p:]
    with_items = (with_items / (sd * (size[:, None] - 1))).swapaxes(1, 2) / product_sd[:, None]
    full = np.empty((p + k, p + k, n_draws))
    full[:p, :p], full[p:, :p], full[:p, p:] = r, with_items, with_items.swapaxes(0, 1)
    full[p:, p:] = second / (product_sd[:, None] * product_sd)
    return full, product_sd


def _solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """x (k, m, draws) with a x = b for positive definite a (k, k, draws), by elimination; NaN where a is singular."""
    both, k = np.concatenate([a, b], axis=1), len(a)
    for i in range(k):
        pivot = np.where(both[i, i] < 1e-10, np.nan, both[i, i])
        both[i, i:] /= pivot
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
    r: np.ndarray,
    at: dict[str, slice],
    spec: Specification,
    edges: dict[str, list[str]],
    inverse: dict[str, np.ndarray],
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
    new = w = np.ones_like(final)
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
            todo, w, rw, cov, sd, r = (v[..., running] for v in (todo, w, rw, cov, sd, r))
            inverse = {c: v[..., running] for c, v in inverse.items()}
            running = running[running]
        corr = cov / (sd[:, None] * sd)
        inner = np.sign(corr) if spec.scheme == "centroid" else corr.copy()
        if spec.scheme == "path":
            for among, on in regressions:
                inner[on] = _solve(corr[among], corr[on])
        inner /= sd[:, None]
        new = np.empty_like(w)
        for j, (c, block) in enumerate(at.items()):
            new[block] = np.einsum("lb,lib->ib", inner[beside[j], j], rw[beside[j], block])
            if c in inverse:
                new[block] = np.einsum("ijb,jb->ib", inverse[c], new[block])
    return final


def _htmt_batch(r: np.ndarray, at: dict[str, slice], spec: Specification) -> np.ndarray:
    names = list(spec.blocks)
    member = np.zeros((r.shape[1], len(names)))
    for j, c in enumerate(names):
        member[at[c], j] = 1
    ratio = htmt_values(r, member)
    pairs = [(names.index(a), names.index(b)) for a, b in htmt_pairs(spec)]
    return np.column_stack([ratio[:, i, j] for i, j in pairs]) if pairs else np.empty((len(r), 0))
