"""Moderation between latent variables: product indicators and latent moderated structural equations (LMS)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from .. import checks
from ..arguments import Made, checked, one_of
from ..errors import DataError
from ..fitting import fit
from ..spec import ModelSpec, model_text
from .by_lms import fit_lms
from .by_products import fit_product
from .result import Inputs, LatentInteraction
from .specification import measurement_part, observed_names, with_reliabilities


# --- the function -----------------------------------------------------------------------------------------------
@checked(
    method=one_of("product", "lms"), indicators=one_of("matched", "all"), se=one_of("observed", "robust"),
    estimator=one_of("ML", "MLR"), reliability=Made("a dict such as {'F': 0.8}", Mapping),
)  # fmt: skip
def latent_interaction(
    model: str | ModelSpec,
    data: pd.DataFrame,
    *,
    x: str,
    moderator: str,
    y: str,
    method: str = "product",
    indicators: str = "matched",
    reliability: Mapping[str, float] | None = None,
    estimator: str = "ML",
    se: str = "observed",
    level: float = 0.95,
) -> LatentInteraction:
    """Effect of the product of two latent variables on a third.

    Parameters
    ----------
    model : str or ModelSpec
        Measurement model and regressions in lavaan syntax, *without* the product, such as
        ``"sat =~ s1 + s2 + s3; sc =~ c1 + c2 + c3; loy =~ l1 + l2 + l3; loy ~ sat + sc"``. Both main effects must be
        there; latent covariates and observed ones may be.
    data : DataFrame of shape (n, columns)
        Rows with a missing value in a column of the model are dropped and counted (``n_dropped``).
    x, moderator, y : str
        Names of latents. The result is symmetric in x and moderator but for the slopes that are reported.
    method : "product" or "lms"
        Product indicators: products of items measure a latent product, unconstrained, double mean centred (Lin, Wen,
        Marsh & Lin 2010), fitted by :func:`semfit.fit`. LMS: maximum likelihood of the mixture that a product
        of normal latents implies (Klein & Moosbrugger 2000); no product items, more power, but it relies on normal
        x and moderator.
    indicators : "matched" or "all"
        For product indicators: each item used once, in the order written (marker item first), or all pairs, with
        residual covariances between products that share an item.
    reliability : dict, optional
        For factors with a single item, ``{factor: reliability}``, in (0, 1]: fixes the item's residual variance at
        (1 - reliability) times its variance (divisor n).
    estimator : "ML" or "MLR"
        For product indicators. Products are never normal, so MLR (robust) is the safer choice in small samples.
    se : "observed" or "robust"
        For LMS: from the observed information, or the sandwich of it with the casewise scores.
    level : float
        Of the confidence intervals.

    Returns
    -------
    LatentInteraction

    Raises
    ------
    ValueError
        A name is no latent of the model, a main effect is missing, the outcome causes x or the moderator, a single
        item has neither reliability nor residual variance, or the data cannot be used.

    Notes
    -----
    The standardised product effect is b_xm sd(x) sd(moderator) / sd(y): the scale of the product of standardised
    factors, not of a standardised product (Wen, Marsh & Hau 2010). For LMS var(y) includes the product, whose variance
    under normality is var(x) var(m) + cov(x, m)^2.
    Observed predictors are treated as random in LMS, so its log-likelihood includes theirs.
    LMS reads any departure from normality that a product could make as a product: answers that pile up at one end of
    the scale give an interaction where there is none (``benchmarks/lms_montecarlo.csv``). ``result.placebo()`` makes
    answers with your distributions and no interaction, and analyses them the same way. Product indicators use
    covariances only and are much less affected.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(7)
    >>> f = rng.normal(size=(400, 2))
    >>> eta = 0.5 * f[:, 0] + 0.3 * f[:, 1] + 0.4 * f[:, 0] * f[:, 1] + rng.normal(0, 0.6, 400)
    >>> items = np.repeat(np.column_stack([f, eta]), 3, axis=1) + rng.normal(0, 0.5, (400, 9))
    >>> data = pd.DataFrame(items, columns=["s1", "s2", "s3", "c1", "c2", "c3", "l1", "l2", "l3"])
    >>> model = "sat =~ s1 + s2 + s3; sc =~ c1 + c2 + c3; loy =~ l1 + l2 + l3; loy ~ sat + sc"
    >>> r = semfit.latent_interaction(model, data, x="sat", moderator="sc", y="loy", method="lms")
    >>> bool(abs(r.product["est"] - 0.4) < 3 * r.product["se"])
    True
    """
    if method == "lms" and (indicators != "matched" or estimator != "ML"):
        raise DataError("indicators= and estimator= are for method='product'; for robust errors of LMS use se='robust'")
    if method == "product" and se != "observed":
        raise DataError("se= is for method='lms'; for robust errors of product indicators use estimator='MLR'")
    data = checks.frame(data)
    level = checks.probability(level, "level")
    spec = ModelSpec(model_text(model))
    parsed = spec.parsed
    items = measurement_part(parsed, x, moderator, y)
    observed = observed_names(parsed, data)
    used, dropped = checks.complete_rows(checks.numeric(data, observed))
    if len(used) <= len(observed):
        raise DataError(
            f"{len(used)} complete rows are too few for {len(observed)} variables; "
            + (f"{dropped} rows were dropped for missing values" if dropped else "collect more")
        )
    checks.positive_definite(np.cov(used.to_numpy(), rowvar=False), observed)
    spec = with_reliabilities(spec, items, used, reliability)
    if method == "lms":
        result = fit_lms(spec.parsed, used, dropped, x, moderator, y, se, level)
    else:
        result = fit_product(spec, items, used, dropped, x, moderator, y, indicators, estimator, level)
    again = partial(
        latent_interaction,
        model,
        x=x,
        moderator=moderator,
        y=y,
        method=method,
        indicators=indicators,
        reliability=reliability,
        estimator=estimator,
        se=se,
        level=level,
    )
    return replace(result, inputs=Inputs(partial(fit, spec, used), used, again))
