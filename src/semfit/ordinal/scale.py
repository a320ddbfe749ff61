"""Sum scores of ordered items: the share of their variance that one factor explains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ..errors import SemError
from .bivariate import below
from .correlations import Polychoric, polychoric

LARGEST = 0.999  # a loading beyond it leaves its item no residual variance worth the name


@dataclass(frozen=True, eq=False)
class ScaleReliability:
    """Reliability of one scale of ordered items.

    Attributes
    ----------
    omega : float
        Categorical omega: reliability of the sum of the answers as they were given.
    alpha_ordinal : float
        Alpha of the polychoric correlations: of a sum of the normal variables behind the answers, which nobody sees.
    cr, ave, mean_r : float
        Composite reliability, mean squared loading and mean correlation, of the same unseen variables.
    loadings : array of float, shape (p,)
        Of the one-factor model, NaN where it was not found.
    heywood : array of bool, shape (p,)
        Items whose loading is .999 or more in size; the coefficients are then NaN.
    reached : bool
        Whether the one-factor model was found.
    """

    omega: float
    alpha_ordinal: float
    cr: float
    ave: float
    mean_r: float
    loadings: np.ndarray
    heywood: np.ndarray
    reached: bool


def scale_reliability(found: Polychoric) -> ScaleReliability:
    """Reliability of the sum of all variables of ``found``, in the numbers that the answers carry.

    Notes
    -----
    One factor by diagonally weighted least squares, as ``lavaan::cfa(ordered = TRUE)``; two items get equal loadings.
    omega: Green & Yang (2009, Psychometrika 74, equation 21) with the model's correlations above and below the line, as
    ``semTools::reliability``. alpha_ordinal: Zumbo, Gadermann & Zeisser (2007); it is not the reliability of the
    answers' sum (Chalmers 2018, Educational and Psychological Measurement 78).
    """
    r = found.correlations.to_numpy()
    p = len(r)
    load, reached = one_factor(r, found.se.to_numpy() ** 2)
    heywood = np.abs(load) >= LARGEST
    mean_r = float((r.sum() - p) / (p * (p - 1)))
    omega = cr = ave = np.nan
    if reached and not heywood.any():
        thresholds, steps = _cuts(found)
        implied = np.outer(load, load)
        common = sum_score_covariances(thresholds, steps, implied)
        np.fill_diagonal(implied, 1.0)
        omega = float(common.sum() / sum_score_covariances(thresholds, steps, implied).sum())
        share = load.sum() ** 2
        cr, ave = float(share / (share + (1 - load**2).sum())), float((load**2).mean())
    alpha = p / (p - 1) * (1 - p / r.sum())
    return ScaleReliability(omega, float(alpha), cr, ave, mean_r, load, heywood, reached)


def resampled_reliability(rows: np.ndarray, n_boot: int, rng: np.random.Generator) -> list[ScaleReliability]:
    """The same of bootstrap samples of rows (n, p); samples that leave an item or a pair constant are left out."""
    out = []
    for _ in range(n_boot):
        try:
            out.append(scale_reliability(polychoric(pd.DataFrame(rows[rng.integers(len(rows), size=len(rows))]))))
        except SemError:
            continue
    return out


def one_factor(r: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, bool]:
    """Loadings of one factor: least squares on the correlations, each weighted by one over its sampling variance."""
    from scipy.optimize import least_squares

    p = len(r)
    if p == 2:
        value = np.sqrt(max(r[0, 1], 0.0))
        return np.array([value, value]), bool(r[0, 1] > 0)
    a, b = np.tril_indices(p, -1)
    weight = 1 / np.sqrt(variances[a, b])
    each = np.arange(len(a))

    def residuals(load):
        return weight * (load[a] * load[b] - r[a, b])

    def slopes(load):
        J = np.zeros((len(a), p))
        J[each, a], J[each, b] = weight * load[b], weight * load[a]
        return J

    values, vectors = np.linalg.eigh(r)
    start = vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.1))
    start = start if start.sum() > 0 else -start
    done = least_squares(residuals, start, slopes, method="lm", xtol=1e-12, ftol=1e-14, gtol=1e-12)
    reached = bool(done.success and np.isfinite(done.x).all())
    return (done.x if reached else np.full(p, np.nan)), reached


def _cuts(found: Polychoric) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Thresholds of every variable, and how far the answer rises at each."""
    table = found.thresholds
    parts = [table[table["variable"] == name] for name in found.correlations]
    steps = [part["above"].to_numpy(float) - part["below"].to_numpy(float) for part in parts]
    return [part["est"].to_numpy() for part in parts], steps


def sum_score_covariances(thresholds: list[np.ndarray], steps: list[np.ndarray], r: np.ndarray) -> np.ndarray:
    """Covariances (p, p) of answers cut from normal variables with correlations ``r`` (any diagonal).

    An answer is its highest value less the steps whose thresholds the variable stays below, so that
    cov = sum over pairs of thresholds of step step' (P(X < t, Y < t') - P(X < t) P(Y < t')).
    """
    cuts, rise = np.concatenate(thresholds), np.concatenate(steps)
    item = np.repeat(np.arange(len(thresholds)), [len(t) for t in thresholds])
    rho = r[item[:, None], item]
    alone = ndtr(cuts)
    same = rho >= 1
    both = np.where(same, np.minimum(alone[:, None], alone), 0.0)
    h, k = np.broadcast_arrays(cuts[:, None], cuts)
    both[~same] = below(h[~same], k[~same], rho[~same])
    member = (item == np.arange(len(thresholds))[:, None]) * rise
    return member @ (both - np.outer(alone, alone)) @ member.T
