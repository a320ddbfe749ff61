"""Second derivatives of the discrepancy and cross products of the casewise scores."""

from __future__ import annotations

import numpy as np

from .design import Design, mean_and_cov
from .estimate import entries, gram, products, pullback, sample_of, slopes, structure, terms
from .model import Model

STEP = 1e-30


ROWS = 4096  # rows whose scores are formed at once


def hessian(model: Model, data, theta: np.ndarray, *, whole: bool = True) -> np.ndarray:
    """Second derivatives (npar, npar) of F: the observed information of one observation.

    The part that comes from first derivatives of the moments is gathered in closed form, pattern by pattern:

        tr(dSigma_i W dSigma_j (W S W - W / 2)) + dmu_i' W dSigma_j W d + dmu_j' W dSigma_i W d + dmu_i' W dmu_j ;

    the part that comes from their second derivatives is the derivative of ``pullback`` with M and v held, taken by
    the complex step, which is exact (Squire & Trapp 1998). ``whole=False`` leaves it out: D'AD with the observed
    information A of the moments.
    """
    N, total = sum(data.n), np.zeros((model.npar, model.npar))
    for k, g in enumerate(model.groups):
        sample = sample_of(data, k)
        Q, C, mean = structure(model, g, entries(model, g, theta[None], sample))
        _, W, M, v, wt, _, (T, d) = terms(model, data, k, C, mean, second=True)
        K = gram(W, Q)
        u = c = None
        if mean is not None:
            c = slopes(model, g, mean)
            Wd = (W @ d[:, :, None])[:, :, 0]
            u = np.concatenate([Wd, Wd @ Q[0]], axis=1)
        first = products(g, K, c, wt, gram(W @ T @ W - W / 2, Q), u)[0]
        own = g.links.columns
        if not whole:
            total[np.ix_(own, own)] += data.n[k] / N * first
            continue
        stepped = theta[None] + 1j * STEP * np.eye(model.npar)[own]
        second = np.empty((len(own), len(own)))
        for part in np.array_split(np.arange(len(own)), max(1, len(own) // 24)):
            Q1, _, mean1 = structure(model, g, entries(model, g, stepped[part], sample))
            v1 = None if v is None else np.repeat(v, len(part), axis=0)
            pulled = pullback(model, g, Q1, mean1, np.repeat(M, len(part), axis=0), v1)
            second[part] = pulled.imag[:, own] / STEP
        total[np.ix_(own, own)] += data.n[k] / N * (first + (second + second.T) / 2)
    return total


def eigenvalues_above(matrix: np.ndarray, limit: float) -> bool:
    """Whether all eigenvalues of a symmetric matrix exceed ``limit``; a Cholesky factor tells, at a tenth of the cost."""
    try:
        np.linalg.cholesky(matrix - limit * np.eye(len(matrix)))
    except np.linalg.LinAlgError:
        return False
    return bool(np.isfinite(matrix).all())


def meat(model: Model, data, theta: np.ndarray, k: int, X: np.ndarray, design: Design | None = None) -> np.ndarray:
    """Mean outer product (npar, npar) of the casewise scores of group k's rows X (n, p), gaps as NaN.

    The score of a case for entry i is w (x'u y'u - x'Wy) + c x'u with u = W (row - mu). A ``design`` weights the
    scores and sums them by cluster first.
    """
    g, p = model.groups[k], model.n_ov
    Q, C, mean = structure(model, g, entries(model, g, theta[None], sample_of(data, k)))
    Sigma, P = C[0, :p, :p], np.concatenate([np.eye(p), Q[0]], axis=1)
    s, total = model.scale[:p], np.zeros((model.npar, model.npar))
    c = slopes(model, g, mean)[0] if model.means else np.zeros(len(g.kind))
    weights = None if design is None else design.weights
    centre = mean[0, :p] if model.means else mean_and_cov(X, weights)[0] / s
    every = None if design is None else np.empty((len(X), model.npar))
    for o, rows in row_patterns(X):
        W = np.zeros((p, p))
        W[np.ix_(o, o)] = np.linalg.inv(Sigma[np.ix_(o, o)])
        fixed = g.w * gram(W[None], Q)[0][g.x, g.y]
        for part in np.array_split(rows, max(1, len(rows) // ROWS)):
            d = np.zeros((len(part), p))
            d[:, o] = X[np.ix_(part, o)] / s[o] - centre[o]
            uP = d @ (W @ P)
            ux = uP[:, g.x]
            scores = g.links.gather(ux * (uP[:, g.y] * g.w + c) - fixed, model.npar)
            if every is None:
                total += scores.T @ scores
            else:
                every[part] = scores
    if design is None or every is None:
        return total / len(X)
    folded = design.fold(every)
    return folded.T @ folded / design.size(len(X))


def row_patterns(X: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(observed columns, rows) for every pattern of gaps."""
    seen = ~np.isnan(X)
    if seen.all():
        return [(np.arange(X.shape[1]), np.arange(len(X)))]
    packed = np.packbits(seen, axis=1)
    _, first, inverse = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    pieces = np.split(order, np.cumsum(np.bincount(inverse.ravel()))[:-1])
    return [(np.flatnonzero(seen[f]), rows) for f, rows in zip(first, pieces, strict=True)]
