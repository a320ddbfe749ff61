"""Is it moderation? A curve that looks like a product, and what unreliable measures take away."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..core.arguments import check
from ..core.errors import DataError
from .model import FittedModel


def quadratic_check(model: FittedModel) -> pd.DataFrame:
    """Main effects alone, with products, with squares, and with both."""
    if model.data[model.x].nunique() < 3:
        raise DataError(f"{model.x!r} has two values; a curve needs at least three")
    size = len(model.design.terms[0])
    mains = [t for t in model.design.terms if sum(t) == 1]
    products = [t for t in model.design.terms if max(t) == 1 and sum(t) > 1]
    columns = [(v.name, bool(v.groups)) for v in model.design.variables for _ in v.columns]
    squares = [
        tuple(2 * (i == j) for j in range(size))
        for i, (name, groups) in enumerate(columns)
        if not groups and model.data[name].nunique() > 2
    ]
    kinds = {"main effects": [], "product": products, "squares": squares, "both": squares + products}
    product, xx, rows = model.product, f"{model.x}^2", {}
    for label, extra in kinds.items():
        fit = model.refit(mains + extra)
        c, n = fit.coefficients, fit.n_used
        rows[label] = {
            "r2": fit.r2,
            "adj_r2": fit.adj_r2,
            "aic": n * (np.log(2 * np.pi * np.mean(fit.estimate.resid**2)) + 1) + 2 * (len(c) + 1),
            "product": c["est"].get(product, np.nan),
            "product_se": c["se"].get(product, np.nan),
            "product_pvalue": c["pvalue"].get(product, np.nan),
            "x_squared": c["est"].get(xx, np.nan),
            "x_squared_pvalue": c["pvalue"].get(xx, np.nan),
        }
    return pd.DataFrame(rows).T.rename_axis("model")


def attenuation(model: FittedModel, reliability_x: float, reliability_m: float) -> pd.Series:
    """Reliability of the product, and the product without measurement error."""
    if model.second_moderator:
        raise DataError("attenuation is defined for one moderator; this model has two")
    if model.variable(model.moderator).groups:
        raise DataError(f"attenuation is defined for a moderator that is a number; {model.moderator!r} has groups")
    check(reliability_x=reliability_x, reliability_m=reliability_m)
    r = float(model.data[model.x].corr(model.data[model.moderator]))
    if r**2 > reliability_x * reliability_m:
        raise DataError(
            f"the observed correlation of {model.x!r} and {model.moderator!r} is {r:.2f}; with reliabilities "
            f"{reliability_x:g} and {reliability_m:g} it can be at most {np.sqrt(reliability_x * reliability_m):.2f}"
        )
    reliability = (r**2 + reliability_x * reliability_m) / (r**2 + 1)
    est = float(model.coefficients["est"][model.product])
    return pd.Series(
        {
            "reliability_x": reliability_x,
            "reliability_m": reliability_m,
            "r_xm": r,
            "reliability_product": reliability,
            "est": est,
            "est_corrected": est / reliability,
            "n_factor": 1 / reliability,
        },
        name=model.product,
    )
