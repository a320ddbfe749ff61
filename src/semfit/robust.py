"""Beyond expected information: the sandwich and the scaled test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .derivatives import hessian, meat
from .design import Design, mean_and_cov
from .missing import pattern_moments
from .saturated import MomentList, SaturatedInformation
from .solution import Solution, invert_information


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
        B0 += f * meat(model, data, fit.theta, k, X, fit.design_of(k))
    bread = fit.bread
    if fit.options.estimator == "ML":  # clusters without MLR: lavaan's default takes the moments' information here
        bread = invert_information(hessian(model, data, fit.theta, whole=False))
    h0 = float(np.sum(B0 * bread))
    x = [model.ov.index(v) for v in model.var.x]
    fixed = bool(fit.fixed)
    h1 = base = 0.0

    for k, (X, _) in enumerate(raw):
        design = fit.design_of(k)

        def trace(X, design=design):
            return _normal_trace(X, design, model.means)

        if saturated is None:
            h1 += trace(X)
            if fixed:
                h1 -= trace(X[:, x])
        else:
            h1 += saturated[k].trace
        for j in range(model.n_ov):
            if j not in x:
                have = np.flatnonzero(~np.isnan(X[:, j]))
                base += trace(X[have, j : j + 1], None if design is None else design.take(have))
        if x and not fixed:  # free predictors are saturated in the baseline
            base += _predictor_trace(fit, k, x) if np.isnan(X[:, x]).any() else trace(X[:, x])
    c = (h1 - h0) / fit.df if fit.df else np.nan
    return Sandwich(B0, c, (h1 - base) / fit.h1.baseline_df, h0)


def _predictor_trace(fit: Solution, k: int, x: list[int]) -> float:
    """tr(A^-1 B) of the saturated distribution of predictors with gaps."""
    mean, cov = fit.patterns.x_moments[k]
    X = fit.rows[k].values[:, x]
    have = np.flatnonzero(~np.isnan(X).all(axis=1))
    design = fit.design_of(k)
    part = None if design is None else design.take(have)
    mean, cov, X = mean[x], cov[np.ix_(x, x)], X[have]
    data = pattern_moments([X], [(mean, cov)], None if part is None else [part.weights])
    return SaturatedInformation.of(MomentList.of(len(x)), data, X, mean, cov, np.sqrt(np.diag(cov)), part).trace


def _normal_trace(X: np.ndarray, design: Design | None, means: bool) -> float:
    """tr(A^-1 B) of an unrestricted normal distribution: p + (b - p) / 2, without the leading p when means are not
    modelled. With a design the squared length of the folded scores in whitened units: z for the means and
    (z z' - I) / sqrt(2) for the covariances."""
    n, p = X.shape
    mean, cov = mean_and_cov(X, None if design is None else design.weights)
    L = np.linalg.inv(np.linalg.cholesky(cov))
    if design is None:
        b = 0.0
        for part in np.array_split(X, max(1, n // 65536)):
            z = (part - mean) @ L.T
            b += ((z * z).sum(axis=1) ** 2).sum()
        return (p if means else 0) + (b / n - p) / 2
    total = 0.0
    for rows in design.portions(n, p * p):
        z = (X[rows] - mean) @ L.T
        square = (z[:, :, None] * z[:, None, :] - np.eye(p)).reshape(len(rows), -1)
        total += (design.fold(square, rows) ** 2).sum() / 2
        if means:
            total += (design.fold(z, rows) ** 2).sum()
    return total / design.size(n)
