"""How likely a study is to find an interaction: power of a product term measured with error.

Two views of the same question. :func:`product_power` is a formula and answers at once; :func:`simulated_power` makes
surveys with rating-scale items and counts, which also covers coarse and skewed answers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import fdtrc, fdtri, ncfdtr

from .._core.errors import DataError


def product_reliability(reliability_x: float, reliability_m: float, r_xm: float = 0.0) -> float:
    """Reliability of the product of two centred scores.

    Parameters
    ----------
    reliability_x, reliability_m : float in (0, 1]
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
    for name, value in (("reliability_x", reliability_x), ("reliability_m", reliability_m)):
        if not 0 < value <= 1:
            raise DataError(f"{name} is {value}; a reliability lies between 0 and 1")
    if not -1 < r_xm < 1:
        raise DataError(f"r_xm is {r_xm}; a correlation lies between -1 and 1")
    observed = r_xm**2 * reliability_x * reliability_m
    return (reliability_x * reliability_m + observed) / (1 + observed)


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
    n : sample size, a number or an array
    beta : float
        Effect of the product of the two standardised true scores on the standardised true outcome: by how much one
        standard deviation of the moderator changes the slope.
    r_xm : float
        Correlation of the true scores of predictor and moderator.
    r2_main : float
        Share of the true outcome's variance that the main effects explain.
    reliability_x, reliability_m, reliability_y : float in (0, 1]
    n_predictors : int
        Predictors in the regression, the product included.
    alpha : float, two-sided level

    Returns
    -------
    float or array, between alpha and 1

    Raises
    ------
    ValueError
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
    if not 0 <= r2_main < 1:
        raise DataError(f"r2_main is {r2_main}; a share of variance lies between 0 and 1")
    if not 0 < reliability_y <= 1:
        raise DataError(f"reliability_y is {reliability_y}; a reliability lies between 0 and 1")
    if not 0 < alpha < 1:
        raise DataError(f"alpha is {alpha}; write 0.05 for 5 percent")
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


def product_n(beta: float, power: float = 0.8, **options: float) -> int:
    """Smallest sample that finds the product with the power asked for.

    Parameters
    ----------
    beta : float, not 0; as in :func:`product_power`
    power : float between 0 and 1
    **options : as in :func:`product_power`

    Returns
    -------
    int

    Examples
    --------
    >>> product_n(-0.15, r2_main=0.5) < product_n(-0.15, r2_main=0.5, reliability_m=0.7)
    True
    """
    if not 0 < power < 1:
        raise DataError(f"power is {power}; write 0.8 for 80 percent")
    if beta == 0:
        raise DataError("beta is 0: no sample finds an effect that is not there")
    low, high = options.get("n_predictors", 3) + 2, 64
    while product_power(high, beta, **options) < power:
        low, high = high, high * 2
        if high > 10**9:
            raise DataError(f"beta = {beta} would need more than a billion respondents")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if product_power(middle, beta, **options) >= power else (middle, high)
    return int(high)


def detectable(n: float, power: float = 0.8, **options: float) -> float:
    """Smallest product effect (absolute) that a study of ``n`` finds with the power asked for.

    Parameters
    ----------
    n : sample size
    power : float between 0 and 1
    **options : as in :func:`product_power`

    Returns
    -------
    float, NaN when no effect that leaves room for error is large enough

    Examples
    --------
    >>> round(detectable(344, r2_main=0.5), 2)
    0.1
    """
    if not 0 < power < 1:
        raise DataError(f"power is {power}; write 0.8 for 80 percent")
    ceiling = np.sqrt((1 - options.get("r2_main", 0.5)) / (1 + options.get("r_xm", 0.3) ** 2)) * (1 - 1e-9)
    low, high = 0.0, ceiling
    if product_power(n, high, **options) < power:
        return np.nan
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if product_power(n, middle, **options) >= power else (middle, high)
    return float(high)


def simulated_power(
    n: int,
    beta: float,
    *,
    r_xm: float = 0.3,
    slopes: tuple[float, float] = (0.6, 0.2),
    n_items: int = 3,
    loading: float = 0.8,
    points: int | None = 5,
    skew: float = 0.0,
    n_rep: int = 500,
    alpha: float = 0.05,
    seed: int = 20261,
) -> pd.Series:
    """Power by making surveys: scale means of rating items, regression with the product.

    Parameters
    ----------
    n : int, respondents
    beta : float
        Product effect between standardised true scores, as in :func:`product_power`.
    r_xm : float, correlation of the true scores
    slopes : (float, float)
        Effects of predictor and moderator on the true outcome.
    n_items, loading : items a scale, and their standardised loading
    points : int or None
        Answers are cut into this many equally wide categories between -2 and 2 standard deviations; None keeps them
        continuous.
    skew : float
        Moves the categories; 1 piles answers up at the top, as satisfaction surveys have it.
    n_rep : int, surveys made
    alpha : float
    seed : int

    Returns
    -------
    Series ``power se mean_estimate reliability``: share of surveys with p < alpha, its standard error, the mean
    estimate of the product's slope between standardised scale means, and the mean reliability (alpha) of a scale

    Raises
    ------
    ValueError
        Effects that explain more than everything, or a sample that is too small.

    Examples
    --------
    >>> bool(simulated_power(200, 0.0, n_rep=200).power < 0.15)
    True
    """
    b1, b2 = slopes
    explained = b1**2 + b2**2 + 2 * b1 * b2 * r_xm + beta**2 * (1 + r_xm**2)
    if explained >= 1:
        raise DataError(f"slopes and product explain {explained:.2f} of the outcome's variance; keep it below 1")
    if n < 10 or n_rep < 1:
        raise DataError(f"n is {n} and n_rep {n_rep}; at least 10 respondents and one survey are needed")
    if not 0 < loading <= 1:
        raise DataError(f"loading is {loading}; a standardised loading lies between 0 and 1")
    rng = np.random.default_rng(seed)
    hits, slopes_found, alphas = 0, [], []
    edges = None if points is None else np.linspace(-2, 2, points + 1)[1:-1] - skew
    for _ in range(n_rep):
        x, m = rng.normal(size=(2, n))
        m = r_xm * x + np.sqrt(1 - r_xm**2) * m
        y = b1 * x + b2 * m + beta * (x * m - r_xm) + rng.normal(size=n) * np.sqrt(1 - explained)
        answers = loading * np.stack([x, m, y])[:, :, None] + np.sqrt(1 - loading**2) * rng.normal(size=(3, n, n_items))
        if edges is not None:
            answers = np.digitize(answers, edges).astype(float)
        scores = answers.mean(2)
        scores = (scores - scores.mean(1, keepdims=True)) / scores.std(1, ddof=1, keepdims=True)
        design = np.column_stack([np.ones(n), scores[0], scores[1], scores[0] * scores[1]])
        inverse = np.linalg.inv(design.T @ design)
        coef = inverse @ design.T @ scores[2]
        residual = scores[2] - design @ coef
        t2 = coef[3] ** 2 / (inverse[3, 3] * (residual @ residual) / (n - 4))
        hits += fdtrc(1, n - 4, t2) < alpha
        slopes_found.append(coef[3])
        if n_items > 1:
            r = np.mean([np.corrcoef(a.T)[np.triu_indices(n_items, 1)].mean() for a in answers])
            alphas.append(n_items * r / (1 + (n_items - 1) * r))
    share = hits / n_rep
    return pd.Series(
        {
            "power": share,
            "se": np.sqrt(max(share * (1 - share), 0.25 / n_rep) / n_rep),
            "mean_estimate": float(np.mean(slopes_found)),
            "reliability": float(np.mean(alphas)) if alphas else loading**2,
        }
    )
