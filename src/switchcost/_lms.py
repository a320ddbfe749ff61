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

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

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
            name: flat[start : start + int(np.prod(shape))].reshape(shape)
            for name, (start, shape) in layout(self.n_items, self.n_latents)[0].items()
        }

    def collect(self, bars: dict[str, np.ndarray]) -> np.ndarray:
        """Gradient by free parameter from the gradient by matrix element."""
        flat = np.concatenate([np.ravel(bars[name]) for name in layout(self.n_items, self.n_latents)[0]])
        return flat[self.position] @ self.weights


def layout(n_items: int, n_latents: int) -> tuple[dict[str, tuple[int, tuple[int, ...]]], int]:
    """Start and shape of Lambda, B, Psi, Theta, tau, omega in one flat vector, and its length."""
    p, q = n_items, n_latents
    out, start = {}, 0
    for name, shape in (
        ("lambda", (p, q)), ("beta", (q, q)), ("psi", (q, q)), ("theta", (p, p)), ("tau", (p,)), ("omega", (1,))
    ):  # fmt: skip
        out[name] = (start, shape)
        start += int(np.prod(shape))
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
    chol: tuple
    D: np.ndarray
    SiD: np.ndarray
    T: np.ndarray
    delta: np.ndarray
    shift: np.ndarray
    N: np.ndarray
    E: np.ndarray
    R: np.ndarray
    Tm: np.ndarray
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
    SiD = cho_solve(chol, D, check_finite=False)
    T = D.T @ SiD
    delta = omega * s * z
    M = np.zeros((len(z), 3, 3))
    M[:, 0, 0] = delta**2 * rho
    M[:, 0, 1] = M[:, 1, 0] = delta
    one_TM = np.eye(3) + T @ M
    det = np.linalg.det(one_TM)
    if not np.all(np.isfinite(det)) or det.min() <= 1e-12:
        return None
    N = M @ np.linalg.inv(one_TM)
    N = 0.5 * (N + N.transpose(0, 2, 1))
    shift = np.zeros((len(z), 3))
    shift[:, 0] = omega * s * kappa * z**2
    shift[:, 2] = z
    E = Y - m["tau"]
    half = solve_triangular(chol[0], E.T, lower=True, check_finite=False)
    q0 = np.einsum("ij,ij->j", half, half)
    R = E @ SiD
    Tm = shift @ T
    # quad = q0 - 2 m'R + m'Tm - (R - Tm)'N(R - Tm), written as one product of (1, R, R R) with node coefficients
    NTm = np.einsum("kab,kb->ka", N, Tm)
    constant = np.einsum("ka,ka->k", shift - NTm, Tm) + np.log(det) - 2 * log_w
    linear = -2 * shift + 2 * NTm
    pairs = R[:, _LEFT] * R[:, _RIGHT]
    quad = pairs @ (-N[:, _LEFT, _RIGHT] * _TWICE).T
    quad += R @ linear.T
    quad += constant
    quad += (q0 + 2 * np.log(diagonal).sum() + p * LOG_2PI)[:, None]
    quad *= -0.5
    return _Parts(m, A, P, a, w, s, c, psi_c, g, rho, kappa, chol, D, SiD, T, delta, shift, N, E, R, Tm, quad)


_LEFT = np.array([0, 0, 0, 1, 1, 2])
_RIGHT = np.array([0, 1, 2, 1, 2, 2])
_TWICE = np.where(_LEFT == _RIGHT, 1.0, 2.0)


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

    n, k = W.shape
    nk = W.sum(axis=0)
    R1 = W.T @ f.R
    RR6 = W.T @ (f.R[:, _LEFT] * f.R[:, _RIGHT])
    RR = np.empty((k, 3, 3))
    RR[:, _LEFT, _RIGHT] = RR6
    RR[:, _RIGHT, _LEFT] = RR6
    N, D = f.N, f.D
    ak = f.shift - np.einsum("kab,kb->ka", N, f.Tm)
    NR1 = np.einsum("kab,kb->ka", N, R1)
    cross = np.einsum("ka,kb->ab", NR1, ak)
    XX = (N @ RR @ N).sum(axis=0) + cross + cross.T + np.einsum("k,ka,kb->ab", nk, ak, ak)
    X = np.einsum("iab,ib->ia", (W @ N.reshape(k, 9)).reshape(n, 3, 3), f.R) + W @ ak
    spread = XX + np.einsum("k,kab->ab", nk, N)

    EX = f.E.T @ X
    inner = f.E.T @ f.E - D @ EX.T - EX @ D.T + D @ spread @ D.T
    half = cho_solve(f.chol, inner, check_finite=False)
    inverse = cho_solve(f.chol, np.eye(len(D)), check_finite=False)
    sigma_bar = 0.5 * (half @ inverse - n * inverse)
    D_bar = inverse @ (EX - D @ spread)
    tau_bar = inverse @ (f.E.sum(axis=0) - D @ X.sum(axis=0))

    J = np.eye(3) - f.T @ N
    shift_bar = np.einsum("kab,kb->ka", J, R1 - nk[:, None] * f.Tm)
    outer = R1[:, :, None] * f.Tm[:, None, :]
    second = RR - outer - outer.transpose(0, 2, 1) + nk[:, None, None] * f.Tm[:, :, None] * f.Tm[:, None, :]
    M_bar = 0.5 * (J @ second @ J.transpose(0, 2, 1) - nk[:, None, None] * (J @ f.T))

    m, omega, s = f.m, float(f.m["omega"][0]), f.s
    delta_bar = 2 * f.delta * f.rho * M_bar[:, 0, 0] + 2 * M_bar[:, 0, 1]
    rho_bar = float(f.delta**2 @ M_bar[:, 0, 0])
    curve_bar = float(shift_bar[:, 0] @ z**2)
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
    """Expected latents given each row's items: array (n, n_latents)."""
    f = _parts(structure, theta, Y, z, log_w)
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
    *,
    tolerance: float = 1e-6,
    max_iterations: int = 500,
) -> tuple[np.ndarray, float, bool, int]:
    """Quasi-Newton (BFGS) maximum of a mean log-likelihood.

    Written here rather than taken from scipy because a step may leave the region where the model is a
    distribution: the objective then says -inf and the step is halved.

    Returns
    -------
    (theta, value, converged, iterations) : converged when every element of the gradient is below ``tolerance``.
    """
    theta = start.copy()
    value, gradient = objective(theta)
    if gradient is None:
        return theta, value, False, 0
    H = np.eye(len(theta)) / max(np.abs(gradient).max(), 1.0)
    fresh = True
    for iteration in range(max_iterations):
        if np.abs(gradient).max() < tolerance:
            return theta, value, True, iteration
        direction = H @ gradient
        slope = float(direction @ gradient)
        if slope <= 0:
            H = np.eye(len(theta))
            direction, slope = gradient, float(gradient @ gradient)
        length = min(1.0, 1.0 / max(np.abs(direction).max(), 1e-12))
        for _ in range(40):
            new = theta + length * direction
            new_value, new_gradient = objective(new)
            if new_gradient is not None and new_value >= value + 1e-4 * length * slope - 1e-13:
                break
            length *= 0.4
        else:
            if fresh:
                return theta, value, bool(np.abs(gradient).max() < 100 * tolerance), iteration
            H, fresh = np.eye(len(theta)), True
            continue
        step, change = new - theta, gradient - new_gradient
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
    return theta, value, False, max_iterations


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
