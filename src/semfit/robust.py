"""Beyond expected information: the sandwich and the scaled test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .derivatives import meat
from .missing import SaturatedInformation, saturated_information
from .solution import Solution


@dataclass(frozen=True, eq=False)
class Sandwich:
    """Robust pieces of a fit.

    Attributes
    ----------
    meat : array, shape (npar, npar)
        Mean outer product of the casewise scores.
    scaling, baseline_scaling : float
        Factors by which the chi-squares of model and baseline are divided; NaN without degrees of freedom.
    trace_h0 : float
        tr(A^-1 B) of the fitted model.
    """

    meat: np.ndarray
    scaling: float
    baseline_scaling: float
    trace_h0: float


def sandwich(fit: Solution, saturated: list[SaturatedInformation] | None) -> Sandwich:
    """Meat of the sandwich and scaling factors of the test (Yuan & Bentler 2000; the variant of Mplus and lavaan).

    c df = tr(A1^-1 B1) - tr(A0^-1 B0): A is observed information, B the mean outer product of scores, 1 the
    saturated and 0 the fitted model. With complete data the first trace is p + (b - p) / 2 (without the leading p
    when means are not modelled), where b is Mardia's mean fourth power of the Mahalanobis distance, so no
    p^2 x p^2 matrix is needed; fixed predictors take their own share out again. ``saturated`` is given with gaps.
    """
    model, data, raw = fit.model, fit.data, fit.rows
    B0 = np.zeros((model.npar, model.npar))
    for k, (f, (X, _)) in enumerate(zip(fit.shares, raw, strict=True)):
        B0 += f * meat(model, data, fit.theta, k, X)
    h0 = float(np.sum(B0 * fit.bread))
    x = [model.ov.index(v) for v in model.var.x]
    fixed = bool(fit.fixed)
    h1 = base = 0.0

    def trace(X, mean=None, cov=None):
        return _normal_trace(X, mean, cov) - (0 if model.means else X.shape[1])

    for k, (X, _) in enumerate(raw):
        if saturated is None:
            h1 += trace(X, fit.h1.mean[k], fit.h1.cov[k])
            if fixed:
                h1 -= trace(X[:, x])
        else:
            h1 += saturated[k].trace
        for j in range(model.n_ov):
            if j not in x:
                base += trace(X[~np.isnan(X[:, j]), j : j + 1])
        if x and not fixed:  # free predictors are saturated in the baseline
            base += _predictor_trace(fit, k, x) if np.isnan(X[:, x]).any() else trace(X[:, x])
    c = (h1 - h0) / fit.df if fit.df else np.nan
    return Sandwich(B0, c, (h1 - base) / fit.h1.baseline_df, h0)


def _predictor_trace(fit: Solution, k: int, x: list[int]) -> float:
    """tr(A^-1 B) of the saturated distribution of predictors with gaps."""
    mean, cov = fit.patterns.x_moments[k]
    X = fit.rows[k].values[:, x]
    X = X[~np.isnan(X).all(axis=1)]
    return saturated_information([fit.model.ov[j] for j in x], X, mean[x], cov[np.ix_(x, x)])


def _normal_trace(X: np.ndarray, mean: np.ndarray | None = None, cov: np.ndarray | None = None) -> float:
    """tr(A^-1 B) of an unrestricted normal distribution: p + (b - p) / 2."""
    if mean is None or cov is None:
        mean = X.mean(axis=0)
        cov = (X - mean).T @ (X - mean) / len(X)
    L = np.linalg.inv(np.linalg.cholesky(cov))
    b = 0.0
    for part in np.array_split(X, max(1, len(X) // 65536)):
        z = (part - mean) @ L.T
        b += ((z * z).sum(axis=1) ** 2).sum()
    p = X.shape[1]
    return p + (b / len(X) - p) / 2
