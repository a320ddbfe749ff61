"""Starting values: one principal-axis factor a latent, then least squares for the paths between latents.

All in standard-deviation units, so that they do not depend on the items' scales. Only a start: the solution does
not depend on it.
"""

from __future__ import annotations

import numpy as np

from .model import Model


def starting_values(
    model: Model, covs: list, means: list | None, second: float | None = None, others: np.ndarray | None = None
) -> np.ndarray:
    """Parameter vector (npar,) from the sample moments of each group (user units).

    ``second`` asks for the second kind of start, for data that no proper solution fits: loadings from two
    covariances each (FABIN 2, Haegglund 1982), residuals at half the variance, latent variances at ``second``.
    ``others`` (n_free,) holds values of what has no place in the matrices: thresholds and scales.
    """
    free = np.full(model.n_free, np.nan) if others is None else others.copy()
    for k, g in enumerate(model.groups):
        values = _group(model, k, covs[k], None if means is None else means[k])
        if second is not None:
            _ratios(model, k, covs[k], second, values)
        for e, row in enumerate(g.rows):
            r = model.rows[row]
            if r.free >= 0:
                free[r.free] = values[e] / g.d[e] if r.start is None else r.start
    # equality constraints: the nearest admissible point, in scaled units
    unit = np.concatenate([g.d[[model.rows[r].free >= 0 for r in g.rows]] for g in model.groups])
    order = np.concatenate([[model.rows[r].free for r in g.rows if model.rows[r].free >= 0] for g in model.groups])
    weight = np.ones(model.n_free)
    weight[order.astype(int)] = unit
    K = model.K * weight[:, None]
    if (np.count_nonzero(K, axis=1) <= 1).all():  # shared labels: columns at right angles, a mean for each
        return K.T @ ((free - model.c) * weight) / (K**2).sum(axis=0)
    size = np.sqrt((K**2).sum(axis=0))  # columns of one size: a unit that makes one small must not cut it off
    theta = np.linalg.lstsq(K / size, (free - model.c) * weight, rcond=None)[0] / size
    if model.curve is not None and not np.isfinite(model.free_values(theta)).all():
        return model.curve.base[model.curve.others]
    return theta


def _one_factor(R: np.ndarray) -> np.ndarray:
    """Loadings of one factor by a few principal-axis steps."""
    p = len(R)
    if p == 1:
        return np.ones(1)
    if p == 2:
        r = np.clip(R[0, 1], -0.95, 0.95)
        return np.sqrt(max(abs(r), 0.05)) * np.array([1.0, 1.0 if r >= 0 else -1.0])
    communality = np.abs(R - np.eye(p)).max(axis=1)
    for _ in range(12):
        X = R.copy()
        np.fill_diagonal(X, communality)
        values, vectors = np.linalg.eigh(X)
        loadings = vectors[:, -1] * np.sqrt(max(values[-1], 0.05))
        communality = np.clip(loadings**2, 0.02, 0.95)
    return np.sign(loadings) * np.sqrt(np.clip(loadings**2, 0.0025, 0.9))


def _group(model: Model, k: int, S: np.ndarray, m: np.ndarray | None) -> np.ndarray:
    g, p, v = model.groups[k], model.n_ov, len(model.names)
    s = np.sqrt(np.diag(S))
    R = np.eye(v)
    R[:p, :p] = S / np.outer(s, s)
    unit = np.ones(v)  # standard deviations in the scaled metric of the model
    unit[:p] = s / model.scale[:p]
    position = {n: q for q, n in enumerate(model.names)}
    rows = [model.rows[r] for r in g.rows]
    known, explained = set(model.ov), np.zeros(v)
    values = np.zeros(len(rows))
    loading_rows = {n: [e for e, r in enumerate(rows) if r.op == "=~" and r.lhs == n] for n in model.lv}
    waiting = list(model.lv)
    while waiting:
        ready = [n for n in waiting if all(rows[e].rhs in known for e in loading_rows[n])] or waiting[:1]
        for n in ready:
            f, mine = position[n], loading_rows[n]
            items = np.array([position[rows[e].rhs] for e in mine])
            lam = _one_factor(R[np.ix_(items, items)])
            marker = next((q for q, e in enumerate(mine) if rows[e].fixed), None)
            if (lam.sum() if marker is None else lam[marker] * rows[mine[marker]].fixed) < 0:
                lam = -lam
            if marker is not None:
                e = mine[marker]
                unit[f] = abs(lam[marker]) * unit[items[marker]] / abs(g.d[e] * rows[e].fixed)
            weight = lam / np.maximum(1 - lam**2, 0.1)
            cross = weight @ R[items] / max(weight @ lam, 0.1)
            R[f] = R[:, f] = np.clip(cross, -0.9, 0.9)
            R[f, f] = 1.0
            R[f, items] = R[items, f] = lam
            for q, e in enumerate(mine):
                values[e] = lam[q] * unit[items[q]] / unit[f]
                explained[items[q]] += lam[q] ** 2
            known.add(n)
            waiting.remove(n)
    for y in {r.lhs for r in rows if r.op == "~"}:
        mine = [e for e, r in enumerate(rows) if r.op == "~" and r.lhs == y]
        b, xs = position[y], np.array([position[rows[e].rhs] for e in mine])
        beta = np.linalg.solve(R[np.ix_(xs, xs)] + 0.1 * np.eye(len(xs)), R[xs, b])
        explained[b] += np.clip(beta @ R[xs, b], 0, 0.9)
        values[mine] = beta * unit[b] / unit[xs]
    residual = np.clip(1 - explained, 0.1, 1.0)
    exogenous = set(model.var.lv_x) | {n for n in model.ov if not explained[position[n]]}
    for e, r in enumerate(rows):
        a, b = position[r.lhs], position.get(r.rhs, 0)
        if r.op == "~~" and a == b:
            values[e] = residual[a] * unit[a] ** 2
        elif r.op == "~~" and r.lhs in exogenous and r.rhs in exogenous:
            values[e] = 0.9 * R[a, b] * unit[a] * unit[b]
        elif r.op == "~1" and a < p and m is not None:
            values[e] = m[a] / model.scale[a]
    return values


def _ratios(model: Model, k: int, S: np.ndarray, variance: float, values: np.ndarray) -> None:
    """Overwrite loadings with marker, residual variances and latent variances by the second kind of start."""
    g = model.groups[k]
    s = model.scale[: model.n_ov]
    R = S / np.outer(s, s)
    rows = [model.rows[r] for r in g.rows]
    for f in model.lv:
        mine = [e for e, r in enumerate(rows) if r.op == "=~" and r.lhs == f]
        marker = next((e for e in mine if rows[e].fixed), None)
        if marker is None or len(mine) < 3 or any(g.i[e] >= model.n_ov for e in mine):
            continue
        m = g.i[marker]
        for e in mine:
            others = [g.i[o] for o in mine if o not in (e, marker)]
            if e != marker:
                values[e] = R[g.i[e], others] @ R[m, others] / max(float(R[m, others] @ R[m, others]), 1e-6)
    for e, r in enumerate(rows):
        if r.op == "~~" and r.lhs == r.rhs:
            values[e] = R[g.i[e], g.i[e]] / 2 if r.lhs in model.ov else variance
