"""Test of exploratory factors of polychoric correlations: least squares, adjusted for how the correlations vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..measures import chi2_p, comparative, rmsea
from .correlations import Polychoric


@dataclass(frozen=True)
class AdjustedTest:
    """Scaled and shifted test of k factors, and the indices that follow from it.

    Attributes
    ----------
    chisq, df, pvalue : float, int, float
    scaling, shift : float
        chisq is T / scaling + shift.
    rmsea, rmsea_ci_lower, rmsea_ci_upper, cfi, tli : float
    """

    chisq: float
    df: int
    pvalue: float
    scaling: float
    shift: float
    rmsea: float
    rmsea_ci_lower: float
    rmsea_ci_upper: float
    cfi: float
    tli: float


def adjusted_test(found: Polychoric, loadings: np.ndarray) -> AdjustedTest:
    """Test of factors that were found by unweighted least squares (minres).

    Parameters
    ----------
    found : Polychoric
        The correlations, with how they vary.
    loadings : array of float, shape (p, k)
        Unrotated, or rotated orthogonally.

    Notes
    -----
    T = (n - 1) sum of squared residual correlations; with U = I - D D+, D the derivatives by the loadings, and G = n
    times the covariance matrix, T sqrt(df / tr(UGUG)) + df - sqrt(df tr(UG)^2 / tr(UGUG)) has mean and variance of
    chi-square (Asparouhov & Muthen 2010). The baseline model has no factor. Equals
    ``lavaan::efa(ordered = TRUE, estimator = "ULSMV")``.
    """
    p, k = loadings.shape
    names, n = list(found.correlations), found.n_obs
    a = np.array([names.index(v) for v in found.table["lhs"]])
    b = np.array([names.index(v) for v in found.table["rhs"]])
    pairs = [f"{x}~~{y}" for x, y in zip(found.table["lhs"], found.table["rhs"], strict=True)]
    each = np.arange(len(a))
    D = np.zeros((len(a), p, k))
    D[each, a], D[each, b] = loadings[b], loadings[a]
    left, values, _ = np.linalg.svd(D.reshape(len(a), -1), full_matrices=False)
    basis = left[:, values > 1e-8 * values[0]]
    df = len(a) - basis.shape[1]
    observed = found.correlations.to_numpy()[a, b]
    left_over = observed - (loadings[a] * loadings[b]).sum(axis=1)
    G = n * found.acov.loc[pairs, pairs].to_numpy()
    UG = G - basis @ (basis.T @ G)
    base, _, _ = _scaled_and_shifted((n - 1) * float(observed @ observed), G, len(a))
    chisq, scaling, shift = _scaled_and_shifted((n - 1) * float(left_over @ left_over), UG, df)
    cfi, tli = comparative(chisq, df, base, len(a))
    close = rmsea(chisq, df, n - 1, 1)
    return AdjustedTest(
        chisq=float(chisq),
        df=df,
        pvalue=chi2_p(chisq, df),
        scaling=scaling,
        shift=shift,
        rmsea=float(close[""]),
        rmsea_ci_lower=float(close["_ci_lower"]),
        rmsea_ci_upper=float(close["_ci_upper"]),
        cfi=float(cfi),
        tli=float(tli),
    )


def adjusted_measures(found: Polychoric, loadings: np.ndarray | None) -> dict[str, float]:
    """Measures of the adjusted test by name; NaN without loadings, where a normal chi-square would be no chi-square."""
    names = ("chisq", "pvalue", "rmsea", "rmsea_ci_lower", "rmsea_ci_upper", "cfi", "tli")
    test = None if loadings is None else adjusted_test(found, loadings)
    return {name: np.nan if test is None else float(getattr(test, name)) for name in names} | {"bic": np.nan}


def _scaled_and_shifted(T: float, UG: np.ndarray, df: int) -> tuple[float, float, float]:
    if df < 1:
        return 0.0, np.nan, np.nan
    first, second = float(np.trace(UG)), float(np.sum(UG * UG.T))
    scaling = np.sqrt(second / df)
    shift = df - np.sqrt(df * first**2 / second)
    return T / scaling + shift, float(scaling), float(shift)
