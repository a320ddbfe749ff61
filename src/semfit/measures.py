"""Fit measures, with lavaan's names (dots become underscores) and lavaan's definitions.

Sources: CFI Bentler (1990, Psych. Bulletin 107); TLI Tucker & Lewis (1973); RMSEA Steiger & Lind, interval Browne &
Cudeck (1993), times sqrt(groups) Steiger (1998); SRMR Bentler (1995), means included when they are modelled;
robust CFI, TLI and RMSEA Brosseau-Liard & Savalei (2012, 2014), with missing values Zhang & Savalei (2023).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import chdtrc, chndtr

CLOSE = 0.05


def noncentrality(chisq: float, df: float, probability: float) -> float:
    """lambda with P(chi2(df, lambda) <= chisq) = probability; 0 when even lambda = 0 lies below."""
    from scipy.optimize import brentq

    if df < 1 or not np.isfinite(chisq) or not chndtr(chisq, df, 0.0) >= probability:  # nan where chisq is negative
        return 0.0
    high = max(chisq, 4.0)
    while chndtr(chisq, df, high) > probability:
        high *= 2
    return brentq(lambda nc: chndtr(chisq, df, nc) - probability, 0.0, high, xtol=1e-10)


def rmsea(chisq: float, df: float, n: float, groups: int, scale: float = 1.0) -> dict:
    """RMSEA, its 90 % interval and the p-value of close fit.

    ``scale`` is the Yuan-Bentler factor c: the point is taken from ``chisq - c df``, the interval from
    ``chisq / c`` with its bounds times sqrt(c) (the robust version); 1 gives the ordinary measure.
    """
    if df == 0:
        return {"": 0.0, "_ci_lower": 0.0, "_ci_upper": 0.0, "_pvalue": np.nan}
    root = np.sqrt(groups)
    scaled = chisq / scale
    lower, upper = (noncentrality(scaled, df, p) for p in (0.95, 0.05))
    close = df * n * CLOSE**2 / groups / scale
    return {
        "": np.sqrt(max((chisq - scale * df) / (df * n), 0.0)) * root,
        "_ci_lower": np.sqrt(scale * lower / (n * df)) * root,
        "_ci_upper": np.sqrt(scale * upper / (n * df)) * root,
        "_pvalue": float(1 - chndtr(scaled, df, close)),
    }


def comparative(chisq, df, base_chisq, base_df, c=1.0, base_c=1.0) -> tuple[float, float]:
    """CFI and TLI from model and baseline tests; ``c`` and ``base_c`` are scaling factors for the robust version."""
    excess, base = chisq - c * df, base_chisq - base_c * base_df
    top, bottom = max(excess, 0.0), max(excess, base, 0.0)
    cfi = 1.0 if bottom == 0 else 1 - top / bottom
    if df == 0 or base_df == 0:
        return cfi, 1.0
    tli = 1.0 if base == 0 else 1 - (excess / df) / (base / base_df)
    return cfi, tli


def srmr(S, m, Sigma, mu) -> float:
    """Root mean square of standardised residual covariances (and means) of one group."""
    s = np.sqrt(np.diag(S))
    r = ((S - Sigma) / np.outer(s, s))[np.tril_indices(len(s))]
    if m is not None:
        r = np.concatenate([r, (m - mu) / s])
    return float(np.sqrt(np.mean(r**2)))


def chi2_p(chisq: float, df: float) -> float:
    return float(chdtrc(df, chisq)) if df > 0 and np.isfinite(chisq) else np.nan


def all_measures(
    *,
    chisq: float,
    df: int,
    npar: int,
    n: int,
    groups: int,
    base_chisq: float,
    base_df: int,
    logl: float,
    h1_logl: float,
    srmr_value: float,
    scaling: tuple[float, float] | None = None,
    corrected: dict[str, float] | None = None,
) -> dict[str, float]:
    """Every measure as a dict.

    ``scaling`` are the factors of model and baseline under MLR. ``corrected`` (chisq, factor, base_chisq, base_factor)
    is the complete-data discrepancy at the FIML estimates, from which robust measures are taken with missing values.
    """
    chisq = max(chisq, 0.0)
    cfi, tli = comparative(chisq, df, base_chisq, base_df)
    out = {
        "npar": float(npar),
        "fmin": chisq / (2 * n),
        "chisq": chisq,
        "df": float(df),
        "pvalue": chi2_p(chisq, df),
        "baseline_chisq": base_chisq,
        "baseline_df": float(base_df),
        "baseline_pvalue": chi2_p(base_chisq, base_df),
        "cfi": cfi,
        "tli": tli,
        "logl": logl,
        "unrestricted_logl": h1_logl,
        "aic": -2 * logl + 2 * npar,
        "bic": -2 * logl + npar * np.log(n),
        "ntotal": float(n),
        "bic2": -2 * logl + npar * np.log((n + 2) / 24),
    }
    out |= {f"rmsea{k}": v for k, v in rmsea(chisq, df, n, groups).items()}
    out["srmr"] = srmr_value
    c = cb = np.nan
    if scaling is not None:
        c, cb = scaling
        t = chisq / c if df else chisq
        tb = base_chisq / cb
        cfi_s, tli_s = comparative(t, df, tb, base_df)
        out |= {
            "chisq_scaled": t,
            "df_scaled": float(df),
            "pvalue_scaled": chi2_p(t, df),
            "chisq_scaling_factor": c,
            "baseline_chisq_scaled": tb,
            "baseline_df_scaled": float(base_df),
            "baseline_pvalue_scaled": chi2_p(tb, base_df),
            "baseline_chisq_scaling_factor": cb,
            "cfi_scaled": cfi_s,
            "tli_scaled": tli_s,
        }
        out |= {f"rmsea{k}_scaled": v for k, v in rmsea(chisq, c * df if df else 0, n, groups).items()}
    if scaling is not None or corrected is not None:
        t, tb = chisq, base_chisq
        if corrected is not None:
            t, c, tb, cb = (corrected[k] for k in ("chisq", "factor", "base_chisq", "base_factor"))
        out["cfi_robust"], out["tli_robust"] = comparative(t, df, tb, base_df, c, cb)
        out |= {f"rmsea{k}_robust": v for k, v in rmsea(t, df, n, groups, c).items()}
    return out


class Difference(NamedTuple):
    """Chi-square difference of two nested models; NaN where the scaled difference does not exist."""

    chisq: float
    df: float
    pvalue: float


def chisq_difference(restricted: pd.Series, free: pd.Series) -> Difference:
    """Chi-square difference test from the measures of two nested fits, scaled where they are.

    Parameters
    ----------
    restricted, free : Series
        Measures of the model with more degrees of freedom and of the one with fewer.

    Notes
    -----
    Under MLR (T0 - T1) / cd with cd = (d0 c0 - d1 c1) / (d0 - d1) and the unscaled T (Satorra & Bentler 2001,
    Psychometrika 66, 507-514); a difference of scaled chi-squares is not a chi-square. Equals ``lavTestLRT``.
    """
    df = float(restricted["df"] - free["df"])
    value = float(restricted["chisq"] - free["chisq"])
    if "chisq_scaling_factor" in restricted:
        c = free["chisq_scaling_factor"] if free["df"] else 1.0
        scale = (restricted["df"] * restricted["chisq_scaling_factor"] - free["df"] * c) / df
        value = value / scale if scale > 0 else np.nan
    return Difference(value, df, np.nan if np.isnan(value) else chi2_p(max(value, 0.0), df))
