"""Least squares and its covariances, by statsmodels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.linalg
from scipy.special import fdtrc

from ..core.errors import DataError
from ..core.inference import estimate_columns
from .terms import Design


@dataclass(frozen=True, eq=False)
class Estimate:
    """Coefficients, their covariance, and what was left over."""

    beta: np.ndarray
    cov: np.ndarray
    resid: np.ndarray
    r2: float
    df_resid: int
    df_test: int

    @property
    def adj_r2(self) -> float:
        """R2 less what as many useless predictors would have explained."""
        return 1 - (1 - self.r2) * (len(self.resid) - 1) / self.df_resid

    def combine(self, weights: np.ndarray, level: float) -> pd.DataFrame:
        """Weighted sums of the coefficients with ``se t pvalue ci_lower ci_upper``, one row a row of weights."""
        variance = np.einsum("ij,jk,ik->i", weights, self.cov, weights)
        return pd.DataFrame(
            estimate_columns(weights @ self.beta, np.sqrt(np.maximum(variance, 0)), self.df_test, level)
        )


def least_squares(
    X: np.ndarray, y: np.ndarray, names: Sequence[str], cov_type: str = "nonrobust", clusters: np.ndarray | None = None
) -> Estimate:
    """Fit y on X by ``statsmodels.OLS``; a column that repeats the others raises and is named.

    Columns are scaled to length one first, so that units cannot matter. Tests use t with n - k degrees of freedom,
    or G - 1 for G clusters.
    """
    from statsmodels.regression.linear_model import OLS

    n, k = X.shape
    if n <= k + 1:
        raise DataError(
            f"{n} complete rows are too few for a model with {k} coefficients; "
            f"use at least {k + 2}, or fewer covariates"
        )
    length = np.linalg.norm(X, axis=0)
    scaled = X / np.where(length > 0, length, 1.0)
    q, r, pivot = scipy.linalg.qr(scaled, mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    if size[-1] < 1e-10 * size[0]:
        blame = [names[pivot[i]] for i in np.flatnonzero(size < 1e-10 * size[0])]
        raise DataError(
            f"the model cannot be estimated: {', '.join(map(repr, blame))} is an exact combination of the other terms. "
            "Usual causes: a covariate that is also in the product or is a sum of others, or a moderator with "
            "too few different values for this model. Leave one of them out."
        )
    leverage = np.sum(q * q, axis=1)
    if cov_type == "HC3" and leverage.max() > 1 - 1e-10:
        raise DataError(
            f"cov_type='HC3' divides by 1 - leverage, and row {int(np.argmax(leverage))} of the rows used has "
            "leverage 1 (one coefficient is determined by that row alone). Leave out the term that only this "
            "row informs, or use cov_type='nonrobust'."
        )
    codes = pd.factorize(clusters)[0] if cov_type == "cluster" else None
    fit = OLS(y, scaled).fit(cov_type=cov_type, cov_kwds=None if codes is None else {"groups": codes})
    resid, total = np.asarray(fit.resid), np.sum((y - y.mean()) ** 2)
    return Estimate(
        fit.params / length,
        fit.cov_params() / np.outer(length, length),
        resid,
        float(1 - resid @ resid / total) if total else 1.0,
        n - k,
        n - k if codes is None else int(codes.max()),
    )


def wald(estimate: Estimate, places: Sequence[int]) -> tuple[float, float]:
    """F that some coefficients are zero together, and its p; NaN where clusters are too few for so many."""
    if len(places) > estimate.df_test:
        return np.nan, np.nan
    b, V = estimate.beta[places], estimate.cov[np.ix_(places, places)]
    f = float(b @ np.linalg.solve(V, b)) / len(places)
    return f, float(fdtrc(len(places), estimate.df_test, f))


def hierarchy(design: Design, cov_type: str, clusters: np.ndarray | None) -> pd.DataFrame:
    """Covariates, main effects, squares, products, entered in turn; one row a step."""
    X, y, names, fixed = design.matrix(), design.data[design.y].to_numpy(), design.names, design.n_fixed
    order = [1.5 if max(t) > 1 else sum(t) for t in design.terms]  # squares between main effects and products
    blocks = [("covariates", list(range(1, fixed)))] if fixed > 1 else []
    labels = {1: "main effects", 1.5: "squares", 2: "two-way products", 3: "three-way products"}
    for size, label in labels.items():
        members = [fixed + i for i, o in enumerate(order) if o == size]
        if members:
            one = {2: "product", 3: "three-way product"}.get(int(size), label) if len(members) == 1 else label
            blocks.append((label if size < 2 else one, members))
    used, before, rows = [0], 0.0, []
    for step, (label, members) in enumerate(blocks, start=1):
        used = used + members
        fit = least_squares(X[:, used], y, [names[i] for i in used], cov_type, clusters)
        # With classical errors this Wald F is the F of the change in R2; with the others it stays valid.
        f_change, p = wald(fit, list(range(len(used) - len(members), len(used))))
        rows.append(
            {
                "step": step,
                "added": f"{label}: {', '.join(names[i] for i in members)}",
                "r2": fit.r2,
                "adj_r2": fit.adj_r2,
                "delta_r2": fit.r2 - before,
                "f_change": f_change,
                "df1": len(members),
                "df2": fit.df_test,
                "pvalue": p,
                "f2": (fit.r2 - before) / (1 - fit.r2),
            }
        )
        before = fit.r2
    return pd.DataFrame(rows).set_index("step")
