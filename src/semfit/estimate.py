"""The estimation engine: moments implied by a model, discrepancy, gradient and information.

Everything takes a batch: ``theta`` is (B, npar) and moments are (B, p, p) and (B, p). A single fit is B = 1, a
bootstrap B = 1000; there is one engine. No loop runs over parameters and no p^2 x p^2 matrix is formed.

Notation (variables in standard-deviation units, see ``Model.set_scale``): ``H`` are the h variables that send an
arrow. With A_H the columns of A that belong to them, T = A_H (I - A_HH)^-1, so that (I - A)^-1 = I + T J_H'.
C is the covariance matrix of all variables and Sigma its observed block. The derivative of Sigma with respect to
any entry of A or S has rank two, dSigma = w (x y' + y x'), where x and y are columns of the *pool*
P = [I | (J_H + T)_obs | C_obs,H]. Hence, for symmetric W and M,

    tr(M dSigma_i)                      = 2 w_i x_i' M y_i
    tr(W dSigma_i W dSigma_j) / 2       = w_i w_j (x_i'W x_j * y_i'W y_j + x_i'W y_j * y_i'W x_j),

that is, every gradient and information element is gathered from the Gram matrix P'WP. The discrepancy is
F = (log|Sigma| + tr(W S) - log|S| - p + (m - mu)'W(m - mu)) / 2, W = Sigma^-1 (Joereskog 1969, Psychometrika 34;
Bollen 1989, p. 107), summed over groups with weights n_g / N, so that chi-square = 2 N F. With missing values the
sum runs over missing-data patterns (Arbuckle 1996; Enders & Bandalos 2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from .curve import Curve
from .model import Group, Kind, Model


class Scaled(Protocol):
    """What :func:`terms` reads of a model: how many variables are observed, and their units."""

    @property
    def n_ov(self) -> int: ...

    @property
    def scale(self) -> np.ndarray: ...


@dataclass
class Moments:
    """Sample moments of complete data in user units: one entry a group.

    Attributes
    ----------
    S : list of (B, p, p) covariance matrices with divisor n
    m : list of (B, p) means, or None without a mean structure
    n : rows by group
    """

    S: list[np.ndarray]
    m: list[np.ndarray] | None
    n: list[float]

    def __len__(self) -> int:
        return len(self.S[0])

    def take(self, index) -> Moments:
        return Moments([s[index] for s in self.S], None if self.m is None else [m[index] for m in self.m], self.n)


@dataclass
class Patterns:
    """Moments by missing-data pattern (B = 1): unobserved elements are zero.

    Attributes
    ----------
    mask : list of (P, p) bool, True where observed
    count : list of (P,) rows by pattern
    m, S : list of (P, p) means and (P, p, p) covariance matrices (divisor: rows of the pattern)
    x_moments : list of (mean, covariance) of all variables, used for fixed exogenous ones only
    n : rows by group
    """

    mask: list[np.ndarray]
    count: list[np.ndarray]
    m: list[np.ndarray]
    S: list[np.ndarray]
    x_moments: Sequence[tuple[np.ndarray, np.ndarray]]
    n: list[float]
    plans: dict[int, _Plan] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return 1

    def __getstate__(self) -> dict:
        return self.__dict__ | {"plans": {}}  # made again where it is needed

    def plan(self, k: int, scale: np.ndarray) -> _Plan:
        """What every evaluation of group k needs."""
        known = self.plans.get(k)
        if known is None or not np.array_equal(known.scale, scale):
            known = self.plans[k] = _Plan.of(self.mask[k], self.m[k], self.S[k], scale.copy())
        return known


def entries(model: Model, g: Group, theta: np.ndarray, sample: tuple) -> np.ndarray:
    """Scaled matrix entries (B, n_entries) of one group; exogenous ones are read from ``sample`` (S, m)."""
    links = g.links
    if model.curve is not None:
        x, free = model.curve.free(theta), np.flatnonzero(g.free >= 0)
        e = np.repeat(g.k0[None], len(theta), axis=0).astype(x.dtype)
        e[:, free] = x[:, g.free[free]] * g.d[free]
    elif links.size is None:
        e = theta @ g.D.T + g.k0
    else:
        e = np.repeat(g.k0[None], len(theta), axis=0).astype(theta.dtype)
        e[:, links.entries] += theta[:, links.columns] * links.size
    if g.exo.any():
        S, m = sample
        for k in np.flatnonzero(g.exo):
            e[:, k] = g.d[k] * (m[:, g.i[k]] if g.kind[k] == Kind.MEAN else S[:, g.i[k], g.j[k]])
    return e


def structure(model: Model, g: Group, e: np.ndarray) -> tuple:
    """Scaled entries (B, n_entries) -> (Q, C, mean): pool columns (B, p, 2h), moments of all variables.

    ``mean`` is None without a mean structure. Works on complex input, so that derivatives can be taken by the
    complex step.
    """
    B, v, h, p, H = len(e), len(model.names), len(model.H), model.n_ov, model.H
    at = g.at
    A = np.zeros((B, v * h), e.dtype)
    A[:, at.in_A] = e[:, at.arrows]
    A = A.reshape(B, v, h)
    S = np.zeros((B, v * v), e.dtype)
    S[:, at.in_S] = e[:, at.covariances]
    S[:, at.in_S_mirrored] = e[:, at.covariances]
    S = S.reshape(B, v, v)
    T = A @ np.linalg.inv(np.eye(h) - A[:, H]) if A[:, H].any() else A
    X = S + T @ S[:, H]
    C = X + X[:, :, H] @ T.swapaxes(1, 2)
    J = T[:, :p].copy()
    for k in np.flatnonzero(H < p):
        J[:, H[k], k] += 1.0
    mean = None
    if model.means:
        M = np.zeros((B, v), e.dtype)
        M[:, at.in_m] = e[:, at.means]
        mean = M + (T @ M[:, H, None])[:, :, 0]
    return np.concatenate([J, C[:, :p, H]], axis=2), C, mean


def gram(W: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """P'WP for P = [I | Q]: (B, p, p), (B, p, r) -> (B, p + r, p + r)."""
    p, r = Q.shape[1:]
    Q = np.broadcast_to(Q, (len(W), p, r))
    K = np.empty((len(W), p + r, p + r), np.result_type(W, Q))
    WQ = W @ Q
    K[:, :p, :p] = W
    K[:, :p, p:] = WQ
    K[:, p:, :p] = WQ.swapaxes(1, 2)
    K[:, p:, p:] = Q.swapaxes(1, 2) @ WQ
    return K


def slopes(model: Model, g: Group, mean: np.ndarray) -> np.ndarray:
    """Factor c (B, n_entries) with dmu = c x: 1 for intercepts, the sender's mean for arrows, 0 for S."""
    c = np.zeros((len(mean), len(g.kind)), mean.dtype)
    c[:, g.kind == Kind.MEAN] = 1.0
    arrows = g.kind == Kind.ARROW
    c[:, arrows] = mean[:, model.H[g.eta[arrows]]]
    return c


def pullback(model: Model, g: Group, Q, mean, M, v) -> np.ndarray:
    """Gradient (B, npar) of F from M = W(S + dd')W - W and v = W d (d = m - mu)."""
    K = gram(M, Q)
    out = -g.w * K[:, g.x, g.y]
    if model.means:
        Pv = np.concatenate([v, (Q.swapaxes(1, 2) @ v[:, :, None])[:, :, 0]], axis=1)
        out = out - slopes(model, g, mean) * Pv[:, g.x]
    return g.links.gather(out, model.npar)


def products(g: Group, K: np.ndarray, c: np.ndarray | None, weight=None, L=None, u=None) -> np.ndarray:
    """Information (B, m, m) about the m parameters ``g.links.columns`` from the Gram matrix K (R, q, q); summed over
    R with ``weight`` if given.

    ``L`` (a second Gram matrix, of W S W - W / 2) and ``u`` = P'W(m - mu) give the part of the Hessian that comes
    from first derivatives of the moments instead of the expected information; see ``robust.hessian``.
    """
    free, n = g.links.entries, len(g.links.entries)
    size = max(1, int(2**20 / max(n * n, 1)))
    if weight is not None and len(K) > size:  # many patterns: in portions
        m = len(g.links.columns)
        summed = np.zeros((1, m, m))
        for k in range(0, len(K), size):
            part = slice(k, k + size)
            summed = summed + products(
                g,
                K[part],
                c,
                weight[part],
                None if L is None else L[part],
                None if u is None else u[part],
            )
        return summed
    q = K.shape[-1]
    cov = free[g.kind[free] != Kind.MEAN]
    x, y, w = g.x[cov], g.y[cov], g.w[cov]

    def pick(G, a, b):
        return np.take(G.reshape(len(G), q * q), (a[:, None] * q + b).ravel(), axis=1)

    part = pick(K, x, x)
    part *= pick(K if L is None else L, y, y)
    other = pick(K, x, y)
    other *= pick(K if L is None else L, y, x)
    part += other
    if L is not None:
        part += pick(L, x, x) * pick(K, y, y) + pick(L, x, y) * pick(K, y, x)
    part *= np.outer(w, w).ravel()

    def total(block, rows, columns):
        block = block if weight is None else (weight @ block)[None]
        return block.reshape(len(block), rows, columns)

    if c is None:
        out = total(part, len(cov), len(cov))
    else:
        out = np.zeros((1 if weight is not None else len(K), n, n))
        place, mid = np.flatnonzero(g.kind[free] != Kind.MEAN), np.flatnonzero(g.kind[free] != Kind.COVARIANCE)
        out[:, place[:, None], place] = total(part, len(cov), len(cov))
        xm, cm = g.x[free[mid]], c[:, free[mid]]
        out[:, mid[:, None], mid] += total(pick(K, xm, xm), len(mid), len(mid)) * cm[:, :, None] * cm[:, None, :]
        if u is not None:
            cross = pick(K, x, xm) * np.repeat(u[:, y], len(mid), axis=1)
            cross += pick(K, y, xm) * np.repeat(u[:, x], len(mid), axis=1)
            cross = total(cross, len(cov), len(mid)) * w[:, None] * cm[:, None, :]
            out[:, place[:, None], mid] += cross
            out[:, mid[:, None], place] += cross.swapaxes(1, 2)
    if g.links.size is not None:
        out *= np.outer(g.links.size, g.links.size)
        return out
    return g.links.D.T @ out @ g.links.D


def _inverse(Sigma: np.ndarray) -> tuple:
    """Inverse, log-determinant and a flag (B,) that tells positive definite matrices from the rest."""
    ok = np.ones(len(Sigma), bool)
    try:
        L, inverse = np.linalg.cholesky(Sigma), np.linalg.inv(Sigma)
    except np.linalg.LinAlgError:  # of either: a matrix that is regular by a hair may pass the one and not the other
        finite = np.isfinite(Sigma).all(axis=(1, 2))
        ok = finite.copy()
        values = np.linalg.eigvalsh(Sigma[finite])
        ok[finite] = values[:, 0] > 1e-12 * np.maximum(values[:, -1], 1.0)
        Sigma = np.where(ok[:, None, None], Sigma, np.eye(Sigma.shape[1]))
        L, inverse = np.linalg.cholesky(Sigma), np.linalg.inv(Sigma)
    logdet = 2 * np.log(np.diagonal(L, axis1=1, axis2=2)).sum(axis=1)
    return inverse, logdet, ok


@dataclass(frozen=True, eq=False)
class _Plan:
    """What the patterns of one group need for every evaluation, made once.

    Attributes
    ----------
    both : array of bool, shape (P, p, p)
        Pairs of observed variables.
    few, many : array of int
        Patterns in which at most a third of the variables are unobserved, and the others.
    out : array of int, shape (few, m)
        The unobserved variables of the first, filled up with p.
    apart : array of bool, shape (few, m, m)
        False at pairs of two such fillings.
    spread : array of int
        Patterns of more than one row, which have a covariance matrix.
    scale : array, shape (p,)
    S, m : arrays
        Covariances of ``spread`` and means of all, in units of ``scale``.
    """

    both: np.ndarray
    few: np.ndarray
    many: np.ndarray
    out: np.ndarray
    apart: np.ndarray
    spread: np.ndarray
    scale: np.ndarray
    S: np.ndarray
    m: np.ndarray

    @classmethod
    def of(cls, mask: np.ndarray, m: np.ndarray, S: np.ndarray, scale: np.ndarray) -> _Plan:
        p = mask.shape[1]
        gaps = p - mask.sum(axis=1)
        few = np.flatnonzero(gaps <= p // 3)
        order = np.argsort(mask[few], axis=1, kind="stable")[:, : gaps[few].max(initial=0)]
        filling = np.take_along_axis(mask[few], order, axis=1)
        out = np.where(filling, p, order)
        apart = ~(filling[:, :, None] & filling[:, None, :]) | np.eye(out.shape[1], dtype=bool)
        spread = np.flatnonzero(S.any(axis=(1, 2)))
        both = mask[:, :, None] & mask[:, None, :]
        many = np.setdiff1d(np.arange(len(mask)), few)
        return cls(both, few, many, out, apart, spread, scale, S[spread] / np.outer(scale, scale), m / scale)

    def inverses(self, Sigma: np.ndarray) -> tuple:
        """Inverses (P, p, p) of the observed blocks of Sigma, zero elsewhere, log-determinants and flags (P,).

        Where few variables are unobserved (u), the inverse V of the whole Sigma is corrected: V - V_.u V_uu^-1 V_u.,
        with log|Sigma_oo| = log|Sigma| + log|V_uu|.
        """
        p, few, many = len(Sigma), self.few, self.many
        V, whole, regular = _inverse(Sigma[None])
        if not regular[0]:
            few, many = few[:0], np.arange(len(self.both))
        W, logdet, ok = np.empty(self.both.shape), np.empty(len(self.both)), np.ones(len(self.both), bool)
        if len(many):
            W[many], logdet[many], ok[many] = _inverse(np.where(self.both[many], Sigma, np.eye(p)))
        if len(few):
            filled = np.eye(p + 1)
            filled[:p, :p] = V[0]
            left = filled[self.out]
            small = np.take_along_axis(left, self.out[:, None, :], axis=2) * self.apart
            small, more, ok[few] = _inverse(small)
            left = left[:, :, :p]
            W[few] = V[0] - left.swapaxes(1, 2) @ (small @ left)
            logdet[few] = whole[0] + more
        W *= self.both
        return W, logdet, ok


def terms(model: Scaled, data, k: int, C, mean, second: bool = False, inverse: tuple | None = None) -> tuple:
    """Group k: F without its constant (B,), W (R, p, p), M (B, p, p), v (B, p), weights over R or None, ok (B,),
    and (T, d): second moments about mu (by pattern only if ``second`` asks for them) and m - mu by member or pattern.
    ``inverse`` holds W, log-determinants and ok where they are known."""
    p = model.n_ov
    s = model.scale[:p]
    Sigma, mu = C[:, :p, :p], None if mean is None else mean[:, :p]
    if isinstance(data, Moments):
        W, logdet, ok = _inverse(Sigma) if inverse is None else inverse
        S = data.S[k] / np.outer(s, s)
        v = None
        T = S
        if mu is not None:
            if data.m is None:
                raise AssertionError("a model with means is fitted to means")
            d = data.m[k] / s - mu
            T = S + d[:, :, None] * d[:, None, :]
            v = (W @ d[:, :, None])[:, :, 0]
        WT = W @ T
        F = 0.5 * (logdet + np.trace(WT, axis1=1, axis2=2))
        return F, W, WT @ W - W, v, None, ok, (T, None if mu is None else d)
    plan, wt = data.plan(k, s), data.count[k] / data.n[k]
    W, logdet, ok = plan.inverses(Sigma[0])
    d = np.where(data.mask[k], plan.m - mu, 0.0)
    u = (W @ d[:, :, None])[:, :, 0]
    WS = W[plan.spread] @ plan.S
    F = 0.5 * (wt @ (logdet + (d * u).sum(axis=1)) + wt[plan.spread] @ np.trace(WS, axis1=1, axis2=2))
    weighted = wt[:, None] * u
    M = np.tensordot(wt[plan.spread], WS @ W[plan.spread], 1) + weighted.T @ u - np.tensordot(wt, W, 1)
    v = weighted.sum(axis=0)
    moments: np.ndarray | None = None
    if second:
        moments = d[:, :, None] * d[:, None, :]
        moments[plan.spread] += plan.S
    return F[None], W, M[None], v[None], wt, ok.all(keepdims=True), (moments, d)


def sample_of(data, k: int) -> tuple:
    """Moments that fixed exogenous entries of group k are read from."""
    if isinstance(data, Moments):
        return data.S[k], None if data.m is None else data.m[k]
    mean, cov = data.x_moments[k]
    return cov[None], mean[None]


def evaluate(model: Model, data, theta: np.ndarray, information: bool = True, bend: bool = False) -> tuple:
    """Discrepancy F (B,), gradient (B, npar) and expected information of one observation (B, npar, npar).

    F leaves out the part that does not depend on theta; it is inf where Sigma is not positive definite. ``bend`` adds to
    the information what constraints that are not linear contribute to the second derivatives of F, where it stays
    positive definite: good for a search, while standard errors rest on the tangent plane.
    """
    if model.curve is not None:
        return _along_curve(model, model.curve, data, theta, information, bend)
    N = sum(data.n)
    F, grad, info = 0.0, 0.0, 0.0
    for k, g in enumerate(model.groups):
        share = data.n[k] / N
        e = entries(model, g, theta, sample_of(data, k))
        Q, C, mean = structure(model, g, e)
        known = None
        if g.factor is not None and len(theta) > 1:  # a batch: a single inverse is as quick
            known = g.factor.inverse(e, Q[:, :, : len(model.H)])
        f, W, M, v, wt, ok, _ = terms(model, data, k, C, mean, inverse=known)
        F = F + share * np.where(ok, f, np.inf)
        grad = grad + share * pullback(model, g, Q, mean, M, v)
        if information:
            c = None if mean is None else slopes(model, g, mean)
            info = info + share * g.links.spread(products(g, gram(W, Q), c, wt), model.npar)
    return F, grad, info


def _along_curve(model: Model, curve: Curve, data, theta: np.ndarray, information: bool, bend: bool) -> tuple:
    """The same where constraints are not linear, from the free parameters; F is inf where the constraints cannot hold."""
    x, slopes = curve.point(theta)
    ok = np.isfinite(x).all(axis=1) & np.isfinite(slopes).all(axis=(1, 2))
    x = np.where(ok[:, None], x, curve.K @ curve.base + curve.c)
    slopes = np.where(ok[:, None, None], slopes, model.K)
    F, grad, info = evaluate(model.unconstrained, data, x, information)
    if information:
        info = slopes.swapaxes(1, 2) @ info @ slopes
    if information and bend:
        bent = info + np.where(ok[:, None, None], curve.bend(x, slopes, grad), 0.0)
        info = np.where(_definite(bent, info)[:, None, None], bent, info)
    return np.where(ok, F, np.inf), (grad[:, None, :] @ slopes)[:, 0], info


def _definite(matrix: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """(B,) whether a symmetric matrix is positive definite in the units of the usual one, by a margin."""
    finite = np.isfinite(matrix).all(axis=(1, 2))
    s = 1 / np.sqrt(np.maximum(np.diagonal(usual, axis1=1, axis2=2), 1e-300))
    scaled = np.where(finite[:, None, None], matrix, 0.0) * s[:, :, None] * s[:, None, :]
    return finite & (np.linalg.eigvalsh(scaled)[:, 0] > 1e-3)
