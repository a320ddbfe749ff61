"""Beyond expected information: Hessian, casewise scores, sandwich and scaled test, standardised residuals."""

from __future__ import annotations

import numpy as np

from .derivatives import ROWS, meat
from .estimate import Moments, entries, sample_of, slopes, structure


def robust_pieces(fit) -> dict:
    """Meat of the sandwich and scaling factors of the test (Yuan & Bentler 2000; the variant of Mplus and lavaan).

    c df = tr(A1^-1 B1) - tr(A0^-1 B0): A is observed information, B the mean outer product of scores, 1 the
    saturated and 0 the fitted model. With complete data the first trace is p + (b - p) / 2 (without the leading p
    when means are not modelled), where b is Mardia's mean fourth power of the Mahalanobis distance, so no
    p^2 x p^2 matrix is needed; fixed predictors take their own share out again.
    """
    model, data, N = fit._model, fit._data, fit.n_total
    B0 = sum(
        n / N * meat(model, data, fit._theta, k, X) for k, (n, (X, _)) in enumerate(zip(data.n, fit._raw, strict=True))
    )
    h0 = float(np.sum(B0 * fit._bread))
    x = [model.ov.index(v) for v in model.var.x]
    h1 = base = 0.0

    def trace(X, mean=None, cov=None):
        return _normal_trace(X, mean, cov) - (0 if model.means else X.shape[1])

    for k, (X, _) in enumerate(fit._raw):
        if isinstance(data, Moments):
            h1 += trace(X, fit._h1.mean[k], fit._h1.cov[k])
            if x and fit.options.fixed_x:
                h1 -= trace(X[:, x])
        else:
            h1 += fit._h1_information[k]["trace"]
        for j in range(model.n_ov):
            if j not in x:
                base += trace(X[~np.isnan(X[:, j]), j : j + 1])
        if x and not fit.options.fixed_x:  # free predictors are saturated in the baseline
            base += _predictor_trace(fit, k, x) if np.isnan(X[:, x]).any() else trace(X[:, x])
    c = (h1 - h0) / fit.df if fit.df else np.nan
    return {
        "meat": B0,
        "scaling": {
            "chisq_scaling_factor": c,
            "baseline_scaling_factor": (h1 - base) / fit._h1.baseline_df,
        },
        "trace_h0": h0,
    }


def _predictor_trace(fit, k: int, x: list[int]) -> float:
    """tr(A^-1 B) of the saturated distribution of predictors with gaps."""
    from .missing import saturated_information

    mean, cov = fit._data.x_moments[k]
    X = fit._raw[k][0][:, x]
    X = X[~np.isnan(X).all(axis=1)]
    return saturated_information([fit._model.ov[j] for j in x], X, mean[x], cov[np.ix_(x, x)])


def _normal_trace(X: np.ndarray, mean: np.ndarray | None = None, cov: np.ndarray | None = None) -> float:
    """tr(A^-1 B) of an unrestricted normal distribution: p + (b - p) / 2."""
    if mean is None:
        mean = X.mean(axis=0)
        cov = (X - mean).T @ (X - mean) / len(X)
    L = np.linalg.inv(np.linalg.cholesky(cov))
    b = 0.0
    for part in np.array_split(X, max(1, len(X) // 65536)):
        z = (part - mean) @ L.T
        b += ((z * z).sum(axis=1) ** 2).sum()
    p = X.shape[1]
    return p + (b / len(X) - p) / 2


def residual_z(fit, k: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Standardised residuals of covariances (p, p) and means (p,) of group k.

    The residual r = (I - D (D'AD)^-1 D'A) (s - sigma) to first order, with D the derivative of the moments and A the
    saturated information at Sigma; its covariance takes that of the sample moments, under normality at S or, under
    MLR with complete rows, from the rows themselves (the "standardized" residuals of lavResiduals). Only products
    with D's columns are formed.
    """
    model, h1, n, p = fit._model, fit._h1, fit._data.n[k], fit._model.n_ov
    s, N = model.scale[:p], fit.n_total
    robust = fit.estimator == "MLR" and isinstance(fit._data, Moments)
    Sigma, S, mu, dS, B, dm, bm = _moment_derivatives(fit, k, robust)
    if robust:  # D'AD over all groups; under normality it is the expected information
        total = 0.0
        for j in range(model.n_groups):
            _, _, _, d, b, m, c = _moment_derivatives(fit, j, True)
            part = 0.5 * np.einsum("iab,jab->ij", b, d, optimize=True) + (0.0 if m is None else c @ m.T)
            total = total + fit._data.n[j] / N * part
        inverse = np.linalg.inv(total) * (n / N)
    else:
        inverse = fit._bread_expected * (n / N)
    if robust:
        var, vm = _spread_of_rows(fit._raw[k][0] / s, S, dS, B, dm, bm, inverse)
    else:
        SBS = S @ B @ S
        inner = 0.5 * np.einsum("iab,jab->ij", B, SBS, optimize=True)
        if model.means:
            inner = inner + bm @ S @ bm.T
        middle = inverse @ inner @ inverse

        def spread(gamma, cross, d):
            """Diagonal of gamma - 2 D H (A D)' gamma + D middle D' over the moments."""
            d, cross = d.reshape(len(d), -1), cross.reshape(len(d), -1)
            return gamma.ravel() - 2 * ((inverse @ cross) * d).sum(axis=0) + ((middle @ d) * d).sum(axis=0)

        v = np.diag(S)
        var = spread(np.outer(v, v) + S**2, SBS, dS).reshape(p, p)
        vm = spread(v, bm @ S, dm) if model.means else None
    with np.errstate(all="ignore"):
        z = np.sqrt(n) * (S - Sigma) / np.sqrt(var)
        z[(np.abs(S - Sigma) < 1e-7) | (var <= 1e-10)] = 0.0
        if dm is None:
            return z, None
        r = h1.mean[k] / s - mu
        zm = np.where(np.abs(r) < 1e-7, 0.0, np.sqrt(n) * r / np.sqrt(np.maximum(vm, 1e-12)))
    return z, zm


def _moment_derivatives(fit, k: int, robust: bool) -> tuple:
    """Sigma, S, mu (scaled), their derivatives dS (npar, p, p) and dm (npar, p), and A applied to both."""
    model, g, p = fit._model, fit._model.groups[k], fit._model.n_ov
    s = model.scale[:p]
    Q, C, mean = structure(model, g, entries(model, g, fit._theta[None], sample_of(fit._data, k)))
    Sigma, S = C[0, :p, :p], fit._h1.cov[k] / np.outer(s, s)
    P = np.concatenate([np.eye(p), Q[0]], axis=1)
    dS = np.einsum("ae,be,ej->jab", P[:, g.x] * g.w, P[:, g.y], g.D, optimize=True)
    dS = dS + dS.swapaxes(1, 2)
    W = np.linalg.inv(Sigma)
    T = 2 * W @ S @ W - W if robust else W
    B = (W @ dS @ T + T @ dS @ W) / 2
    if not model.means:
        return Sigma, S, None, dS, B, None, None
    dm = np.einsum("ae,ej->ja", P[:, g.x] * slopes(model, g, mean)[0], g.D)
    return Sigma, S, mean[0, :p], dS, B, dm, dm @ W


def _spread_of_rows(X, S, dS, B, dm, bm, inverse) -> tuple[np.ndarray, np.ndarray | None]:
    """Variances of residual covariances (p, p) and means (p,) from each row's share in them."""
    p, d, H = X.shape[1], dS.reshape(len(dS), -1), inverse
    b, centre = B.reshape(len(B), -1), X.mean(axis=0)
    var, vm = np.zeros(p * p), None if dm is None else np.zeros(p)
    for part in np.array_split(X, max(1, len(X) // ROWS)):
        z = part - centre
        f = (z[:, :, None] * z[:, None, :] - S).reshape(len(z), -1)
        share = 0.5 * f @ b.T
        if dm is not None:
            share = share + z @ bm.T
            vm += ((z - share @ H @ dm) ** 2).sum(axis=0)
        var += ((f - share @ H @ d) ** 2).sum(axis=0)
    return (var / len(X)).reshape(p, p), None if vm is None else vm / len(X)
