"""Latent moderated structural equations: the likelihood, its gradient and its maximum.

The model is linear but for one product. Items y = tau + Lambda eta + eps, latents
eta = B eta + omega e_out (eta_x eta_m) + zeta, with zeta ~ N(0, Psi) and eps ~ N(0, Theta). Given one of the two
factors of the product, written sqrt(v) z with z standard normal, everything is normal again (Klein & Moosbrugger
2000), so the density of the items is a normal mixture over z, evaluated by quadrature.

Two things make it fast. The covariance given z is Sigma_0 + D M(z) D' with D of three columns, and the mean is
tau + D m(z), so that no node needs more than a 3 x 3 matrix and each answer enters only through three scores.
And the gradient needs the posterior weights of the nodes once, as an EM step would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
from scipy.linalg import cho_factor, cho_solve

LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Structure:
    """Where the parameters sit in the matrices Lambda, B, Psi, Theta, tau and omega.

    The flattened matrices are ``base``, but at the places ``position`` (cells,) they are
    ``constant + weights @ theta``, with ``weights`` of shape (cells, n_free). ``x``, ``moderator`` and ``outcome``
    are positions of latents; ``moderator`` is the one the quadrature runs over.
    """

    n_items: int
    n_latents: int
    base: np.ndarray
    position: np.ndarray
    constant: np.ndarray
    weights: np.ndarray
    x: int
    moderator: int
    outcome: int

    @property
    def n_free(self) -> int:
        """Number of free parameters."""
        return self.weights.shape[1]

    def matrices(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """The model's matrices at the free parameters ``theta`` (shape (n_free,))."""
        flat = self.base.copy()
        flat[self.position] = self.constant + self.weights @ theta
        return {
            name: flat[start : start + prod(shape)].reshape(shape)
            for name, (start, shape) in layout(self.n_items, self.n_latents)[0].items()
        }

    def collect(self, bars: dict[str, np.ndarray]) -> np.ndarray:
        """Gradient by free parameter from the gradient by matrix element."""
        flat = np.concatenate([np.ravel(bars[name]) for name in layout(self.n_items, self.n_latents)[0]])
        return flat[self.position] @ self.weights


@lru_cache(maxsize=256)
def layout(n_items: int, n_latents: int) -> tuple[dict[str, tuple[int, tuple[int, ...]]], int]:
    """Start and shape of Lambda, B, Psi, Theta, tau, omega in one flat vector, and its length."""
    p, q = n_items, n_latents
    out: dict[str, tuple[int, tuple[int, ...]]] = {}
    start = 0
    shapes: dict[str, tuple[int, ...]] = {
        "lambda": (p, q), "beta": (q, q), "psi": (q, q), "theta": (p, p), "tau": (p,), "omega": (1,)
    }  # fmt: skip
    for name, shape in shapes.items():
        out[name] = (start, shape)
        start += prod(shape)
    return out, start


def nodes(spacing: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Equally spaced nodes of a standard normal and the logarithm of their weights.

    What is integrated, the normal density times the likelihood of one person's answers, is a bell much narrower
    than the normal itself when items are reliable. Gauss-Hermite nodes are spread over the whole normal and
    miss such bells; the trapezoidal rule has error exp(-2 pi^2 (sd/spacing)^2) for a bell of width sd.
    """
    half = max(int(np.ceil(reach / spacing)), 3)
    z = spacing * np.arange(-half, half + 1)
    return z, -0.5 * z**2 - 0.5 * LOG_2PI + np.log(spacing)


def linear_value_and_gradient(
    structure: Structure, theta: np.ndarray, mean: np.ndarray, cov: np.ndarray
) -> tuple[float, np.ndarray | None]:
    """Mean normal log-likelihood of the model without its product, from sample moments (``cov`` with divisor n).

    The element of the gradient that belongs to omega is zero.
    """
    m = structure.matrices(theta)
    p, q = structure.n_items, structure.n_latents
    try:
        A = np.linalg.inv(np.eye(q) - m["beta"])
        P = m["lambda"] @ A
        sigma = P @ m["psi"] @ P.T + m["theta"]
        chol = cho_factor(sigma, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return -np.inf, None
    if not np.diag(chol[0]).min() > 1e-6:
        return -np.inf, None
    away = mean - m["tau"]
    second = cov + np.outer(away, away)
    inverse = cho_solve(chol, np.eye(p), check_finite=False)
    half = inverse @ second
    value = -0.5 * (p * LOG_2PI + 2 * np.log(np.diag(chol[0])).sum() + np.trace(half))
    sigma_bar = 0.5 * (half @ inverse - inverse)
    P_bar = 2 * sigma_bar @ P @ m["psi"]
    bars = {
        "lambda": P_bar @ A.T,
        "beta": A.T @ m["lambda"].T @ P_bar @ A.T,
        "psi": P.T @ sigma_bar @ P,
        "theta": sigma_bar,
        "tau": inverse @ away,
        "omega": np.zeros(1),
    }
    return float(value), structure.collect(bars)


@dataclass
class _Parts:
    """Everything the likelihood, its gradient and the factor scores share at one parameter point."""

    m: dict[str, np.ndarray]
    A: np.ndarray
    P: np.ndarray
    a: np.ndarray
    w: np.ndarray
    s: float
    c: np.ndarray
    psi_c: np.ndarray
    g: np.ndarray
    rho: float
    kappa: float
    inverse: np.ndarray  # of Sigma_0
    D: np.ndarray
    T: np.ndarray  # D' Sigma_0^-1 D
    delta: np.ndarray
    shift: np.ndarray  # (3, nodes): m(z)
    N: np.ndarray  # (3, nodes): elements 00, 01, 11 of N; the others are zero
    E: np.ndarray  # (n, items): deviations from tau
    terms: np.ndarray  # (n, 6): R0^2, R0 R1, R1^2, R0, R1, R2 with R = E Sigma_0^-1 D
    Tm: np.ndarray
    known: np.ndarray  # (3, nodes): m - N T m, the part of x_k that does not depend on the answers
    log_joint: np.ndarray


def _parts(structure: Structure, theta: np.ndarray, Y: np.ndarray, z: np.ndarray, log_w: np.ndarray) -> _Parts | None:
    """Forward pass; None where the parameters give no proper distribution."""
    m = structure.matrices(theta)
    q, p = structure.n_latents, structure.n_items
    lam, psi, omega = m["lambda"], m["psi"], float(m["omega"][0])
    try:
        A = np.linalg.inv(np.eye(q) - m["beta"])
    except np.linalg.LinAlgError:
        return None
    a, w = A[structure.moderator], A[structure.x]
    v = a @ psi @ a
    if not np.isfinite(v) or v <= 1e-10:
        return None
    s = float(np.sqrt(v))
    c = psi @ a / s
    psi_c = psi - np.outer(c, c)
    g = psi_c @ w
    rho, kappa = float(w @ g), float(w @ c)
    P = lam @ A
    D = np.column_stack([P[:, structure.outcome], P @ g, P @ c])
    sigma0 = P @ psi_c @ P.T + m["theta"]
    try:
        chol = cho_factor(sigma0, lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    diagonal = np.diag(chol[0])
    if diagonal.min() < 1e-6:
        return None
    inverse = cho_solve(chol, np.eye(p), check_finite=False)
    SiD = inverse @ D
    T = D.T @ SiD
    delta = omega * s * z
    # N = M (I + T M)^-1 has a closed form, because M has rows (delta^2 rho, delta, 0), (delta, 0, 0) and zeros.
    square = delta**2
    det = (1 + T[0, 1] * delta) ** 2 + T[0, 0] * (rho - T[1, 1]) * square
    if not det.min() > 1e-12:
        return None
    N = np.stack([(rho - T[1, 1]) * square, delta * (1 + T[0, 1] * delta), -T[0, 0] * square]) / det
    shift = np.zeros((3, len(z)))
    shift[0] = omega * s * kappa * z**2
    shift[2] = z
    E = Y - m["tau"]
    q0 = np.sum((E @ inverse) * E, axis=1)
    R = E @ SiD
    Tm = T @ shift
    NTm = np.stack([N[0] * Tm[0] + N[1] * Tm[1], N[1] * Tm[0] + N[2] * Tm[1], np.zeros(len(z))])
    # log density = -(q0 - 2 m'R + m'Tm - (R - Tm)'N(R - Tm) + log det)/2: node coefficients times terms in R
    terms = np.column_stack([R[:, 0] ** 2, R[:, 0] * R[:, 1], R[:, 1] ** 2, R])
    coefficients = np.vstack([0.5 * N[0], N[1], 0.5 * N[2], shift - NTm])
    log_joint = terms @ coefficients
    log_joint += log_w - 0.5 * (((shift - NTm) * Tm).sum(axis=0) + np.log(det))
    log_joint -= (0.5 * q0 + np.log(diagonal).sum() + 0.5 * p * LOG_2PI)[:, None]
    return _Parts(
        m,
        A,
        P,
        a,
        w,
        s,
        c,
        psi_c,
        g,
        rho,
        kappa,
        inverse,
        D,
        T,
        delta,
        shift,
        N,
        E,
        terms,
        Tm,
        shift - NTm,
        log_joint,
    )


def casewise(structure: Structure, theta: np.ndarray, Y: np.ndarray, z: np.ndarray, log_w: np.ndarray) -> np.ndarray:
    """Log-likelihood of each row of ``Y`` (n, n_items); NaN where the parameters are improper."""
    parts = _parts(structure, theta, Y, z, log_w)
    if parts is None:
        return np.full(len(Y), np.nan)
    top = parts.log_joint.max(axis=1)
    return top + np.log(np.exp(parts.log_joint - top[:, None]).sum(axis=1))


def value_and_gradient(
    structure: Structure, theta: np.ndarray, Y: np.ndarray, z: np.ndarray, log_w: np.ndarray
) -> tuple[float, np.ndarray | None]:
    """Log-likelihood of all rows and its gradient by free parameter; (-inf, None) where improper.

    With W the posterior weights of the nodes, a row's residual given node k is
    Sigma_k^-1 (e - mu_k) = Sigma_0^-1 (e - D x_k), where x_k = N_k R + const plays the part of a conditional mean
    and N_k that of a conditional covariance, as in an EM step for a three-dimensional latent. From there the
    chain rule runs back through D, M(z), m(z) to the matrices.
    """
    f = _parts(structure, theta, Y, z, log_w)
    if f is None:
        return -np.inf, None
    top = f.log_joint.max(axis=1)
    W = np.exp(f.log_joint - top[:, None])
    total = W.sum(axis=1)
    loglik = float(np.sum(top + np.log(total)))
    if not np.isfinite(loglik):
        return -np.inf, None
    W /= total[:, None]

    n = len(W)
    nk = W.sum(axis=0)
    sums = W.T @ f.terms  # (nodes, 6)
    RR, R1 = sums[:, :3].T, sums[:, 3:].T
    N, Tm, known, D = f.N, f.Tm, f.known, f.D
    by_row = W @ np.concatenate([N, known]).T  # (n, 6)
    R = f.terms[:, 3:]
    X = by_row[:, 3:].copy()
    X[:, 0] += by_row[:, 0] * R[:, 0] + by_row[:, 1] * R[:, 1]
    X[:, 1] += by_row[:, 1] * R[:, 0] + by_row[:, 2] * R[:, 1]
    NR1 = np.stack([N[0] * R1[0] + N[1] * R1[1], N[1] * R1[0] + N[2] * R1[1], np.zeros(len(nk))])
    cross = NR1 @ known.T
    spread = cross + cross.T + (known * nk) @ known.T
    # N RR N, of which only a 2 x 2 block is not zero, and the sum of N
    p0, p1 = N[0] * RR[0] + N[1] * RR[1], N[0] * RR[1] + N[1] * RR[2]
    q0, q1 = N[1] * RR[0] + N[2] * RR[1], N[1] * RR[1] + N[2] * RR[2]
    spread[0, 0] += p0 @ N[0] + p1 @ N[1] + nk @ N[0]
    off = p0 @ N[1] + p1 @ N[2] + nk @ N[1]
    spread[0, 1] += off
    spread[1, 0] += off
    spread[1, 1] += q0 @ N[1] + q1 @ N[2] + nk @ N[2]

    EX = f.E.T @ X
    inner = f.E.T @ f.E - D @ EX.T - EX @ D.T + D @ spread @ D.T
    inverse = f.inverse
    sigma_bar = 0.5 * (inverse @ inner @ inverse - n * inverse)
    D_bar = inverse @ (EX - D @ spread)
    tau_bar = inverse @ (f.E.sum(axis=0) - D @ X.sum(axis=0))

    # J = I - T N, rows 0 and 1; gradient by m(z)[0] and by the elements 00 and 01 of M(z)
    T = f.T
    j00, j01 = 1 - T[0, 0] * N[0] - T[0, 1] * N[1], -T[0, 0] * N[1] - T[0, 1] * N[2]
    j10, j11 = -T[1, 0] * N[0] - T[1, 1] * N[1], 1 - T[1, 0] * N[1] - T[1, 1] * N[2]
    shift_bar = j00 * (R1[0] - nk * Tm[0]) + j01 * (R1[1] - nk * Tm[1])
    s00 = RR[0] - 2 * R1[0] * Tm[0] + nk * Tm[0] ** 2
    s01 = RR[1] - R1[0] * Tm[1] - R1[1] * Tm[0] + nk * Tm[0] * Tm[1]
    s11 = RR[2] - 2 * R1[1] * Tm[1] + nk * Tm[1] ** 2
    u0, u1 = j00 * s00 + j01 * s01, j00 * s01 + j01 * s11
    M00_bar = 0.5 * (u0 * j00 + u1 * j01 - nk * (j00 * T[0, 0] + j01 * T[1, 0]))
    M01_bar = 0.5 * (u0 * j10 + u1 * j11 - nk * (j00 * T[0, 1] + j01 * T[1, 1]))

    m, omega, s = f.m, float(f.m["omega"][0]), f.s
    delta_bar = 2 * f.delta * f.rho * M00_bar + 2 * M01_bar
    rho_bar = float(f.delta**2 @ M00_bar)
    curve_bar = float(shift_bar @ z**2)
    omega_bar = s * f.kappa * curve_bar + s * float(delta_bar @ z)
    s_bar = omega * f.kappa * curve_bar + omega * float(delta_bar @ z)
    kappa_bar = omega * s * curve_bar

    g_bar = f.P.T @ D_bar[:, 1] + rho_bar * f.w
    c_bar = f.P.T @ D_bar[:, 2] + kappa_bar * f.w
    w_bar = rho_bar * f.g + kappa_bar * f.c + f.psi_c @ g_bar
    P_bar = 2 * sigma_bar @ f.P @ f.psi_c + np.outer(D_bar[:, 1], f.g) + np.outer(D_bar[:, 2], f.c)
    P_bar[:, structure.outcome] += D_bar[:, 0]
    psi_bar = f.P.T @ sigma_bar @ f.P + np.outer(g_bar, f.w)
    c_bar = c_bar - (psi_bar + psi_bar.T) @ f.c
    s_bar -= float(c_bar @ f.c) / s
    v_bar = s_bar / (2 * s)
    psi_bar = psi_bar + np.outer(c_bar, f.a) / s + v_bar * np.outer(f.a, f.a)
    a_bar = m["psi"] @ c_bar / s + 2 * v_bar * (m["psi"] @ f.a)
    A_bar = m["lambda"].T @ P_bar
    A_bar[structure.moderator] += a_bar
    A_bar[structure.x] += w_bar
    bars = {
        "lambda": P_bar @ f.A.T,
        "beta": f.A.T @ A_bar @ f.A.T,
        "psi": psi_bar,
        "theta": sigma_bar,
        "tau": tau_bar,
        "omega": np.array([omega_bar]),
    }
    return loglik, structure.collect(bars)


def scores(structure: Structure, theta: np.ndarray, Y: np.ndarray, z: np.ndarray, log_w: np.ndarray) -> np.ndarray:
    """Expected latents given each row's items: array (n, n_latents), NaN where the parameters are improper."""
    f = _parts(structure, theta, Y, z, log_w)
    if f is None:
        return np.full((len(Y), structure.n_latents), np.nan)
    top = f.log_joint.max(axis=1)
    W = np.exp(f.log_joint - top[:, None])
    W /= W.sum(axis=1)[:, None]
    lam, u = f.m["lambda"], f.A[:, structure.outcome]
    out = np.zeros((len(Y), structure.n_latents))
    for k, zk in enumerate(z):
        Ak = f.A + f.delta[k] * np.outer(u, f.w)
        cov = Ak @ f.psi_c @ Ak.T
        mean = Ak @ f.c * zk
        residual = f.E - lam @ mean
        weight = np.linalg.solve(lam @ cov @ lam.T + f.m["theta"], lam @ cov)
        out += W[:, [k]] * (mean + residual @ weight)
    return out


def posterior_width(structure: Structure, theta: np.ndarray, Y: np.ndarray) -> tuple[float, float]:
    """Spread of the conditioning factor given the items, and the largest score, both in its standard deviations.

    Taken from the model without its product, which is near enough to choose the nodes.
    """
    m = structure.matrices(theta)
    A = np.linalg.inv(np.eye(structure.n_latents) - m["beta"])
    a = A[structure.moderator]
    v = a @ m["psi"] @ a
    cross = m["lambda"] @ A @ m["psi"] @ a
    sigma = m["lambda"] @ A @ m["psi"] @ A.T @ m["lambda"].T + m["theta"]
    weight = np.linalg.solve(sigma, cross)
    left = max(float(1 - cross @ weight / v), 0.0)
    largest = float(np.max(np.abs((Y - m["tau"]) @ weight))) / np.sqrt(v)
    return float(np.sqrt(left)), largest


def maximise(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray | None]],
    start: np.ndarray,
    lower: np.ndarray,
    *,
    inverse: np.ndarray | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 500,
) -> tuple[np.ndarray, float, bool, np.ndarray]:
    """Quasi-Newton (BFGS) maximum of a mean log-likelihood, with lower bounds.

    Written here rather than taken from scipy because a step may leave the region where the model is a
    distribution: the objective then says -inf and the step is shortened. A parameter at its bound that wants to
    go lower stays there, and the others are improved (projected BFGS).

    ``inverse`` is a first guess at the inverse of the negative second derivatives, such as a simpler model left.

    Returns
    -------
    (theta, value, converged, inverse) : converged when every element of the gradient that a parameter may follow
    is below ``tolerance``.
    """
    theta = np.maximum(start, lower)
    value, gradient = objective(theta)
    if gradient is None:
        return theta, value, False, np.eye(len(theta))
    fresh = inverse is None
    H = np.eye(len(theta)) / max(np.abs(gradient).max(), 1.0) if inverse is None else inverse
    for _ in range(max_iterations):
        free = (theta > lower) | (gradient > 0)
        climb = np.where(free, gradient, 0.0)
        if np.abs(climb).max() < tolerance:
            return theta, value, True, H
        direction = np.where(free, H @ climb, 0.0)
        if not free.all():  # the inverse of the free block, not the free block of the inverse
            held = H[np.ix_(~free, ~free)]
            direction[free] -= H[np.ix_(free, ~free)] @ np.linalg.solve(held, H[np.ix_(~free, free)] @ climb[free])
        if direction @ climb <= 0:
            H = np.eye(len(theta))
            direction, fresh = climb, True
        length = min(1.0, 1.0 / max(np.abs(direction).max(), 1e-12))
        for _ in range(25):
            new = np.maximum(theta + length * direction, lower)
            new_value, new_gradient = objective(new)
            if new_gradient is not None and new_value >= value + 1e-4 * float((new - theta) @ climb) - 1e-13:
                break
            length *= 0.4
        else:
            if fresh:
                return theta, value, bool(np.abs(climb).max() < 100 * tolerance), H
            H, fresh = np.eye(len(theta)), True
            continue
        step, change = new - theta, gradient - new_gradient
        if np.abs(step).max() < 1e-9:  # pressed against the edge of what is a distribution
            return new, new_value, bool(np.abs(climb).max() < 100 * tolerance), H
        curvature = float(step @ change)
        if curvature > 1e-12:
            if fresh:
                H = np.eye(len(theta)) * curvature / float(change @ change)
                fresh = False
            Hc = H @ change
            H = (
                H
                + (curvature + float(change @ Hc)) / curvature**2 * np.outer(step, step)
                - (np.outer(Hc, step) + np.outer(step, Hc)) / curvature
            )
        theta, value, gradient = new, new_value, new_gradient
    return theta, value, False, H


def hessian(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray | None]], theta: np.ndarray, step: float = 1e-4
) -> np.ndarray:
    """Second derivatives by central differences of the analytic gradient; NaN where a step is improper."""
    out = np.full((len(theta), len(theta)), np.nan)
    for j in range(len(theta)):
        up, down = theta.copy(), theta.copy()
        up[j] += step
        down[j] -= step
        high, low = objective(up)[1], objective(down)[1]
        if high is not None and low is not None:
            out[j] = (high - low) / (2 * step)
    return 0.5 * (out + out.T)
