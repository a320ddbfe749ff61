"""How likely a study is to find what is there: ``sc.power``.

Of a product term measured with error here, of structural models in :mod:`semfit.structural_power`.

Two views of the same question. :func:`product_power` is a formula and answers at once; :func:`simulated_power` makes
surveys with rating-scale items and counts, which also covers coarse and skewed answers.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtri, chndtr, chndtrix, fdtrc, fdtri, ncfdtr

from semfit.structural_power import (
    StructuralPower,
    detections,
    indirect_power,
    invariance_power,
    latent_product_power,
    model_power,
    path_power,
    restriction_power,
    smallest_n,
)

from ..core.arguments import Between, checked
from ..core.errors import DataError
from ..core.inference import default_seed
from ..core.jobs import run_batches

__all__ = [
    "StructuralPower", "detectable", "indirect_power", "invariance_power", "latent_product_power", "model_power",
    "path_power", "product_n", "product_power", "product_reliability", "restriction_power", "rmsea_n", "rmsea_power",
    "simulated_power",
]  # fmt: skip

SAMPLE = Between(1, closed="left", array=True)
RMSEA = Between(0, 1, "left")
ONE_STREAM, PIECE = 1000, 50  # surveys made from one stream of random numbers, and of each stream where there are more


@checked()
def product_reliability(reliability_x: float, reliability_m: float, r_xm: float = 0.0) -> float:
    """Reliability of the product of two centred scores.

    Parameters
    ----------
    reliability_x, reliability_m : float
        Reliabilities of the two scores, in (0, 1].
    r_xm : float
        Correlation of the two true scores.

    Returns
    -------
    float

    Notes
    -----
    (rho_x rho_m + r^2) / (1 + r^2), with r the observed correlation (Bohrnstedt & Marwell 1978; bivariate normal
    scores). For uncorrelated scores it is the product of the two reliabilities.

    Examples
    --------
    >>> round(product_reliability(0.8, 0.7), 2)
    0.56
    """
    observed = r_xm**2 * reliability_x * reliability_m
    return (reliability_x * reliability_m + observed) / (1 + observed)


@checked(n=SAMPLE)
def product_power(
    n: float | np.ndarray,
    beta: float,
    *,
    r_xm: float = 0.3,
    r2_main: float = 0.5,
    reliability_x: float = 1.0,
    reliability_m: float = 1.0,
    reliability_y: float = 1.0,
    n_predictors: int = 3,
    alpha: float = 0.05,
) -> float | np.ndarray:
    """Power of the test of a product term in a regression.

    Parameters
    ----------
    n : float or array of float
        Sample size.
    beta : float
        Effect of the product of the two standardised true scores on the standardised true outcome: by how much one
        standard deviation of the moderator changes the slope.
    r_xm : float
        Correlation of the true scores of predictor and moderator.
    r2_main : float
        Share of the true outcome's variance that the main effects explain.
    reliability_x, reliability_m, reliability_y : float
        Reliabilities of the three scores, in (0, 1].
    n_predictors : int
        Predictors in the regression, the product included.
    alpha : float
        Two-sided level of the test.

    Returns
    -------
    float or array of float
        Between alpha and 1.

    Raises
    ------
    DataError
        A reliability or share outside its range, n too small, or effects that explain more than everything.

    Notes
    -----
    With bivariate normal true scores the product explains beta^2 (1 + r^2) of the true outcome. Unreliability shrinks
    that share by the reliability of the product (:func:`product_reliability`) times that of the outcome, and the
    share of the main effects by about the geometric mean of their reliabilities times that of the outcome. The test
    is F(1, n - k - 1) with noncentrality n f2, f2 = dR2 / (1 - R2) (Cohen 1988, ch. 9). Answers on a coarse scale
    lose more than their reliability says, because the ends of a product are where it shows: see
    :func:`simulated_power`.

    Examples
    --------
    >>> round(product_power(344, -0.071, r2_main=0.55), 2)
    0.54
    """
    n = np.asarray(n, dtype=float)
    if (n <= n_predictors + 1).any():
        raise DataError(f"n is {n.min():g}; with {n_predictors} predictors it must be at least {n_predictors + 2}")
    product = product_reliability(reliability_x, reliability_m, r_xm)
    true_gain = beta**2 * (1 + r_xm**2)
    if r2_main + true_gain >= 1:
        raise DataError(f"main effects ({r2_main:g}) and product ({true_gain:.3g}) explain more than everything")
    gain = true_gain * product * reliability_y
    main = r2_main * np.sqrt(reliability_x * reliability_m) * reliability_y
    f2 = gain / (1 - main - gain)
    df = n - n_predictors - 1
    power = 1 - ncfdtr(1, df, n * f2, fdtri(1, df, 1 - alpha)) if beta else np.full(n.shape, alpha)
    return float(power) if power.ndim == 0 else power


@checked()
def product_n(beta: float, power: float = 0.8, **options: Any) -> int:
    """Smallest sample that finds the product with the power asked for.

    Parameters
    ----------
    beta : float
        As in :func:`product_power`; not 0.
    power : float, default 0.8
        Power wanted.
    **options : dict
        As in :func:`product_power`.

    Returns
    -------
    int
        Respondents.

    Examples
    --------
    >>> product_n(-0.15, r2_main=0.5) < product_n(-0.15, r2_main=0.5, reliability_m=0.7)
    True
    """
    if beta == 0:
        raise DataError("beta is 0: no sample finds an effect that is not there")
    fewest = options.get("n_predictors", 3) + 2
    return smallest_n(lambda n: float(product_power(n, beta, **options)), power, fewest, f"beta = {beta}")


@checked(n=Between(1, closed="left"))
def detectable(n: float, power: float = 0.8, **options: Any) -> float:
    """Smallest product effect (absolute) that a study of ``n`` finds with the power asked for.

    Parameters
    ----------
    n : float
        Sample size.
    power : float, default 0.8
        Power wanted.
    **options : dict
        As in :func:`product_power`.

    Returns
    -------
    float
        NaN when no effect that leaves room for error is large enough.

    Examples
    --------
    >>> round(detectable(344, r2_main=0.5), 2)
    0.1
    """
    product_power(n, 0.0, **options)  # the options are checked before they are used
    ceiling = np.sqrt((1 - options.get("r2_main", 0.5)) / (1 + options.get("r_xm", 0.3) ** 2)) * (1 - 1e-9)
    low, high = 0.0, float(ceiling)
    if product_power(n, high, **options) < power:
        return np.nan
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if product_power(n, middle, **options) >= power else (middle, high)
    return high


@checked(n=SAMPLE, df=Between(1, closed="left"), rmsea_null=RMSEA, rmsea_true=RMSEA)
def rmsea_power(
    n: float | np.ndarray, df: float, *, rmsea_null: float = 0.05, rmsea_true: float = 0.08, alpha: float = 0.05
) -> float | np.ndarray:
    """Power to reject the fit of a structural model, or to show that it fits closely.

    Parameters
    ----------
    n : float or array of float
        Sample size.
    df : float
        Degrees of freedom of the model.
    rmsea_null, rmsea_true : float
        RMSEA under the hypothesis tested and in truth. A true value above the null asks for the test of close fit
        (reject a model that fits badly), one below it for the test of not-close fit (show that a model fits well).
    alpha : float
        One-sided level.

    Returns
    -------
    float or array of float
        Between alpha and 1.

    Notes
    -----
    Noncentral chi-squares with (n - 1) df rmsea^2 (MacCallum, Browne & Sugawara 1996). Equals
    ``semTools::findRMSEApower``.

    Examples
    --------
    >>> round(rmsea_power(200, 50), 3)
    0.769
    """
    if rmsea_null == rmsea_true:
        raise DataError(f"rmsea_null and rmsea_true are both {rmsea_null:g}; a test needs two different values")
    null, true = ((np.asarray(n, dtype=float) - 1) * df * r**2 for r in (rmsea_null, rmsea_true))
    worse = rmsea_true > rmsea_null
    tail = 1 - alpha if worse else alpha
    critical = chndtrix(tail, df, null) if rmsea_null > 0 else chdtri(df, 1 - tail)
    below = chndtr(critical, df, true)
    power = 1 - below if worse else below
    return float(power) if np.ndim(power) == 0 else power


@checked(df=Between(1, closed="left"))
def rmsea_n(df: float, power: float = 0.8, **options: Any) -> int:
    """Smallest sample that reaches the power asked for; options as in :func:`rmsea_power`.

    Examples
    --------
    >>> rmsea_n(50)
    214
    """
    return smallest_n(lambda n: float(rmsea_power(n, df, **options)), power, 2, f"a model with {df:g} df")


@checked(
    n=Between(10, closed="left", whole=True, hint="at least 10 respondents"),
    skew=Between(-100, 100, "both", array=True, hint="0 is symmetric"),
)
def simulated_power(
    n: int,
    beta: float,
    *,
    r_xm: float = 0.3,
    slopes: tuple[float, float] = (0.6, 0.2),
    n_items: int = 3,
    loading: float = 0.8,
    points: int | None = 5,
    skew: float | tuple[float, float, float] = 0.0,
    n_rep: int = 500,
    alpha: float = 0.05,
    seed: int | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> pd.Series:
    """Power by making surveys: scale means of rating items, regression with the product.

    Parameters
    ----------
    n : int
        Respondents, at least 10.
    beta : float
        Product effect between standardised true scores, as in :func:`product_power`.
    r_xm : float
        Correlation of the true scores.
    slopes : tuple of float
        Effects of predictor and moderator on the true outcome.
    n_items : int
        Items a scale.
    loading : float
        Standardised loading of each item, in (0, 1].
    points : int or None
        Answers are cut into this many equally wide categories between -2 and 2 standard deviations; None keeps them
        continuous.
    skew : float or tuple of float
        Moves the categories; 1 piles answers up at the top, as satisfaction surveys have it. Three numbers move those of
        predictor, moderator and outcome apart.
    n_rep : int
        Surveys made.
    alpha : float
        Two-sided level of the test.
    seed : int, optional
        The seed of the package when left out. The numbers depend on it alone, not on ``n_jobs``.
    n_jobs : int, optional
        Processes (joblib); None means one, or what ``joblib.parallel_config`` says (a cluster). Up to 1000 surveys come from
        one stream of random numbers and are made in one process; more come from a stream for every 50.
    progress : bool, default True
        Show a bar when it takes longer than two seconds.

    Returns
    -------
    Series
        ``power se mean_estimate mean_found wrong_sign reliability``: share of surveys with p < alpha, its standard error,
        the mean estimate of the product's slope between standardised scale means, its mean absolute size among the surveys
        with p < alpha and the share of these whose sign is not that of ``beta`` (NaN where no survey finds it, or
        ``beta`` is 0), and the mean reliability (alpha) of a scale.

    Raises
    ------
    DataError
        Effects that explain more than everything, a sample that is too small, or two numbers for ``skew``.

    Notes
    -----
    ``mean_found`` over the size of the true effect is the exaggeration of Gelman & Carlin (2014), ``wrong_sign`` their
    type S error, both for the slope that a study of scale means reports.

    Examples
    --------
    >>> bool(simulated_power(200, 0.0, n_rep=200).power < 0.15)
    True
    """
    Between(array=True, hint="two slopes, such as (0.6, 0.2)").check("slopes", slopes)
    if np.shape(slopes) != (2,):
        raise DataError(f"slopes must be two numbers, such as (0.6, 0.2), and is {slopes!r}")
    b1, b2 = slopes
    if np.shape(skew) not in {(), (3,)}:
        raise DataError(f"skew must be one number, or three for predictor, moderator and outcome, and is {skew!r}")
    moved = np.broadcast_to(np.asarray(skew, float), 3)[:, None, None]
    explained = b1**2 + b2**2 + 2 * b1 * b2 * r_xm + beta**2 * (1 + r_xm**2)
    if explained >= 1:
        raise DataError(f"slopes and product explain {explained:.2f} of the outcome's variance; keep it below 1")
    edges = None if points is None else np.linspace(-2, 2, points + 1)[1:-1]
    surveys = partial(_surveys, n, beta, r_xm, slopes, explained, n_items, loading, edges, moved)
    first = default_seed(seed)
    streams = [first] if n_rep <= ONE_STREAM else np.random.SeedSequence(first).spawn(-(-n_rep // PIECE))
    sizes = [n_rep] if n_rep <= ONE_STREAM else [min(PIECE, n_rep - k) for k in range(0, n_rep, PIECE)]
    found = run_batches(surveys, list(zip(streams, sizes, strict=True)), n_jobs, progress, "simulation")
    p_values, estimates, alphas = np.concatenate(found).T
    reliability = float(np.mean(alphas)) if n_items > 1 else loading**2
    return pd.Series(detections(estimates, p_values, alpha, beta) | {"reliability": reliability})


def _surveys(n, beta, r_xm, slopes, explained, n_items, loading, edges, moved, piece: tuple) -> np.ndarray:
    """p, estimate and reliability of each survey (surveys, 3); ``piece`` is a stream and how many to make of it."""
    rng, (b1, b2), out = np.random.default_rng(piece[0]), slopes, []
    for _ in range(piece[1]):
        x, m = rng.normal(size=(2, n))
        m = r_xm * x + np.sqrt(1 - r_xm**2) * m
        y = b1 * x + b2 * m + beta * (x * m - r_xm) + rng.normal(size=n) * np.sqrt(1 - explained)
        answers = loading * np.stack([x, m, y])[:, :, None] + np.sqrt(1 - loading**2) * rng.normal(size=(3, n, n_items))
        if edges is not None:
            answers = np.digitize(answers + moved, edges).astype(float)
        scores = answers.mean(2)
        scores = (scores - scores.mean(1, keepdims=True)) / scores.std(1, ddof=1, keepdims=True)
        design = np.column_stack([np.ones(n), scores[0], scores[1], scores[0] * scores[1]])
        inverse = np.linalg.inv(design.T @ design)
        coef = inverse @ design.T @ scores[2]
        residual = scores[2] - design @ coef
        t2 = coef[3] ** 2 / (inverse[3, 3] * (residual @ residual) / (n - 4))
        r = 1.0
        if n_items > 1:
            r = np.mean([np.corrcoef(a.T)[np.triu_indices(n_items, 1)].mean() for a in answers])
        out.append((fdtrc(1, n - 4, t2), coef[3], n_items * r / (1 + (n_items - 1) * r)))
    return np.array(out)
