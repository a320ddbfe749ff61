"""Many resamples of one PLS model at once."""

from __future__ import annotations

from functools import partial

import numpy as np

from semfit.htmt import htmt_values

from ..core.jobs import run_batches
from .spec import Specification, htmt_pairs


def resample(
    spec: Specification, x: np.ndarray, counts: np.ndarray, chunk: int = 250, n_jobs: int | None = None
) -> dict[str, np.ndarray]:
    """Estimate the model for each row of ``counts`` (draws x respondents: how often a respondent was drawn)."""
    pieces = [counts[k : k + chunk] for k in range(0, len(counts), chunk)]
    parts = run_batches(partial(_estimate_batch, spec, x), pieces, n_jobs)
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def _estimate_batch(spec: Specification, x: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
    n_draws, p = len(counts), x.shape[1]
    answered = ~np.isnan(x)
    filled = np.where(answered, x, 0.0)
    size = counts.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (counts @ filled) / (counts @ answered)
    r = np.empty((n_draws, p, p))
    sd = np.empty((n_draws, p))
    for b in range(n_draws):
        dev = (filled - means[b]) * answered  # a missing answer sits at the mean of its own resample
        cov = dev.T @ (dev * counts[b][:, None]) / (size[b] - 1)
        sd[b] = np.sqrt(np.diag(cov))
        with np.errstate(divide="ignore", invalid="ignore"):
            r[b] = cov / np.outer(sd[b], sd[b])
    at = {c: np.array([spec.items.index(i) for i in b]) for c, b in spec.blocks.items()}
    bad = ~np.isfinite(r).all(axis=(1, 2))
    r[bad] = np.eye(p)
    for c in spec.formative:
        singular = np.linalg.eigvalsh(r[np.ix_(np.arange(n_draws), at[c], at[c])])[:, 0] < 1e-10
        r[singular], bad = np.eye(p), bad | singular

    main = {t: [s for s in ss if "*" not in s] for t, ss in spec.edges.items()}
    weights = _iterate(r, at, spec, {t: ss for t, ss in main.items() if ss})
    scale = {}
    full, where = r, dict(at)
    if spec.products:
        k = len(spec.products)
        full = np.empty((n_draws, p + k, p + k))
        full[:, :p, :p] = r
        product_sd = np.empty((n_draws, k))
        names = list(at)
        for b in range(n_draws):
            with np.errstate(divide="ignore", invalid="ignore"):
                z = np.nan_to_num((filled - means[b]) * answered / sd[b])
            scores = z @ weights[b]
            prod = np.column_stack(
                [np.prod([scores[:, names.index(c)] for c in q.split("*")], axis=0) for q in spec.products]
            )
            prod = prod - (counts[b] @ prod) / size[b]
            product_sd[b] = np.sqrt(counts[b] @ prod**2 / (size[b] - 1))
            prod = prod / np.where(product_sd[b] > 0, product_sd[b], 1.0)
            cross = z.T @ (prod * counts[b][:, None]) / (size[b] - 1)
            full[b, :p, p:], full[b, p:, :p] = cross, cross.T
            full[b, p:, p:] = prod.T @ (prod * counts[b][:, None]) / (size[b] - 1)
        for j, q in enumerate(spec.products):
            where[q] = np.array([p + j])
            scale[q] = product_sd[:, j]
        weights = _iterate(full, where, spec, spec.edges)

    names = list(where)
    cov_items = full @ weights
    cov = weights.transpose(0, 2, 1) @ cov_items
    paths, r2 = [], []
    for target, sources in spec.edges.items():
        s, t = [names.index(q) for q in sources], names.index(target)
        rhs = cov[:, s, t]
        beta = np.linalg.solve(cov[np.ix_(range(n_draws), s, s)], rhs[..., None])[..., 0]
        r2.append((beta * rhs).sum(1))
        for j, q in enumerate(sources):
            paths.append(beta[:, j] / scale.get(q, 1.0))
    own = [(i, names.index(c)) for c in spec.blocks for i in at[c]]
    rows, cols = (np.array(v) for v in zip(*own, strict=True))
    out = {
        "paths": np.column_stack(paths),
        "loadings": cov_items[:, rows, cols],
        "weights": weights[:, rows, cols],
        "htmt": _htmt_batch(r, at, spec),
        "r2": np.column_stack(r2),
    }
    for values in out.values():
        values[bad] = np.nan
    return out


def _iterate(r: np.ndarray, at: dict[str, np.ndarray], spec: Specification, edges: dict[str, list[str]]) -> np.ndarray:
    """Outer weights (draws x items x constructs) by the PLS iteration, scaled to composites of variance 1."""
    names = list(at)
    n_draws, p, k = len(r), r.shape[1], len(names)
    path = np.zeros((k, k))
    for target, sources in edges.items():
        for s in sources:
            path[names.index(s), names.index(target)] = 1
    mask = np.zeros((p, k))
    for j, c in enumerate(names):
        mask[at[c], j] = 1
    inverse = {c: np.linalg.inv(r[np.ix_(np.arange(n_draws), at[c], at[c])]) for c in spec.formative if len(at[c]) > 1}
    final = np.empty((n_draws, p, k))
    todo = np.arange(n_draws)
    w = np.broadcast_to(mask, (n_draws, p, k)).copy()
    rw = r @ w
    for _ in range(301):
        cov = w.transpose(0, 2, 1) @ rw
        sd = np.sqrt(np.einsum("bjj->bj", cov))
        corr = cov / (sd[:, :, None] * sd[:, None, :])
        if spec.scheme == "path":
            inner = corr * path.T
            for target, sources in edges.items():
                q, t = np.array([names.index(s) for s in sources]), names.index(target)
                beta = np.linalg.solve(corr[np.ix_(np.arange(len(todo)), q, q)], corr[:, q, t][..., None])[..., 0]
                inner[:, q, t] = beta
        else:
            inner = (np.sign(corr) if spec.scheme == "centroid" else corr) * (path + path.T)
        proxy = (rw / sd[:, None, :]) @ inner
        new = proxy * mask
        for c, inv in inverse.items():
            j = names.index(c)
            new[:, at[c], j] = (inv @ proxy[:, at[c], j][..., None])[..., 0]
        rw = r @ new
        scale = np.sqrt(np.einsum("bij,bij->bj", new, rw))[:, None, :]
        new, rw = new / scale, rw / scale
        moved = np.abs(new - w).sum(axis=(1, 2))
        done = ~(moved >= 1e-10)
        w = new
        if done.any():
            final[todo[done]] = new[done]
            todo, w, rw, r = todo[~done], new[~done], rw[~done], r[~done]
            inverse = {c: inv[~done] for c, inv in inverse.items()}
        if len(todo) == 0:
            return final
    final[todo] = w
    return final


def _htmt_batch(r: np.ndarray, at: dict[str, np.ndarray], spec: Specification) -> np.ndarray:
    names = list(at)
    member = np.array([[i in at[c] for c in names] for i in range(r.shape[1])])
    ratio = htmt_values(r, member)
    pairs = [(names.index(a), names.index(b)) for a, b in htmt_pairs(spec)]
    return np.column_stack([ratio[:, i, j] for i, j in pairs]) if pairs else np.empty((len(r), 0))
