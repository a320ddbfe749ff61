"""Product indicators, double mean centred (Lin et al. 2010), in a model fitted as any other."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from ..errors import DataError, UnusedItems
from ..fitting import fit
from ..measures import chisq_difference
from ..result import Fit
from ..spec import ModelSpec
from .result import LatentInteraction
from .specification import COLUMNS


# --- product indicators -----------------------------------------------------------------------------------------
def _marker_first(spec: ModelSpec, factor: str) -> list[str]:
    """Items of a factor with its marker first; the product takes its unit from the two markers."""
    terms = [t for t in spec.terms if t.op == "=~" and t.lhs == factor]
    names = [t.rhs for t in terms]
    loadings = {t.rhs: t.fixed[0] for t in terms if t.fixed is not None}
    fixed_variance = any(t.op == "~~" and t.lhs == t.rhs == factor and t.fixed is not None for t in spec.terms)
    markers = [n for n in names if loadings.get(n) == 1.0]
    if not markers and names[0] not in loadings:
        markers = [names[0]]
    if not markers or fixed_variance:
        raise DataError(
            f"{factor!r} must take its unit from a marker item with loading 1 (the default) for method='product': "
            "the product of two factors is measured in the product of their markers' units. Leave out NA* and the "
            "fixed variance, or use method='lms'."
        )
    return [markers[0], *(n for n in names if n != markers[0])]


def _product_items(used: pd.DataFrame, pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """Products of centred items, centred again (double mean centring), named ``item.item``."""
    centred = used - used.mean()
    products = pd.DataFrame({f"{a}.{b}": centred[a] * centred[b] for a, b in pairs})
    clash = [c for c in products.columns if c in used.columns]
    if clash:
        raise DataError(f"the data have columns named as the products would be ({', '.join(clash)}); rename them")
    return products - products.mean()


def fit_product(
    spec: ModelSpec, items: dict[str, list], used: pd.DataFrame, dropped: int, x: str, moderator: str, y: str,
    indicators: str, estimator: str, level: float,
) -> LatentInteraction:  # fmt: skip
    """Fit the model with and without the product, measured by products of items."""
    notes: list[str] = []
    first, second = (_marker_first(spec, name) for name in (x, moderator))
    for name in (x, moderator):
        factors = [t.rhs for t in items[name] if t.rhs in items]
        if factors:
            raise DataError(
                f"{name!r} is measured by factors ({', '.join(factors)}); product indicators need items, "
                "method='lms' does not"
            )
    single = len(first) == 1 or len(second) == 1
    if indicators == "all" or single:
        pairs = list(itertools.product(first, second))
    else:
        pairs = list(zip(first, second, strict=False))
        unused = [*first[len(pairs) :], *second[len(pairs) :]]
        if unused:
            said = f"{x!r} and {moderator!r} have different numbers of items: {', '.join(unused)} enter no product; "
            notes.append(UnusedItems(said + "indicators='all' uses them", tuple(unused)))
    product, error = f"{x}_x_{moderator}", f"{x}_x_{moderator}_error"
    data = pd.concat([used, _product_items(used, pairs)], axis=1)
    names = [f"{a}.{b}" for a, b in pairs]
    measured = spec
    if single:
        measured = _single_products(spec, used, product, error, names, first, second, x, moderator)
    else:
        for name in names:
            measured = measured.add(product, "=~", name)
        if len(pairs) > min(len(first), len(second)):
            # Products that share an item share its error times the other factor.
            for (p, a), (q, b) in itertools.combinations(zip(names, pairs, strict=True), 2):
                if a[0] == b[0] or a[1] == b[1]:
                    measured = measured.add(p, "~~", q)
    for name in (x, moderator):
        if any(t.op == "~" and t.lhs == name for t in spec.terms):
            # Exogenous latents covary with the product by default; the residual of one that is explained must, too.
            measured = measured.add(name, "~~", product)
    fitted = fit(measured.add(y, "~", product), data, estimator=estimator)
    without = fit(measured.add(y, "~", product, value=0), data, estimator=estimator)

    table = fitted.estimates.copy()
    latent_cov = fitted.solution.implied_of()["cov_lv"]
    sd = dict(zip(latent_cov.index, np.sqrt(np.clip(np.diag(latent_cov), 0, None)), strict=True))
    at = table.index[(table["lhs"] == y) & (table["op"] == "~") & (table["rhs"] == product)][0]
    # The scale of a product of standardised factors, not of a standardised product factor (Wen, Marsh & Hau 2010).
    table.loc[at, "std_all"] = table.loc[at, "est"] * sd[x] * sd[moderator] / sd[y]
    shown = {product: f"{x}:{moderator}", error: f"{x}:{moderator} error"}
    for side in ("lhs", "rhs"):
        table[side] = table[side].replace(shown)
    slope_cov = pd.DataFrame(_slope_cov(fitted, y, [x, moderator, product]))
    slope_cov.index = slope_cov.columns = [x, moderator, f"{x}:{moderator}"]
    latent_cov = latent_cov.rename(index=shown, columns=shown)
    lr = _likelihood_ratio(without, fitted)
    converged = bool(fitted.converged and without.converged)
    if not converged:
        notes.append("the model with product indicators did not converge; its numbers cannot be used")
    return LatentInteraction(
        table[COLUMNS], fitted.measures, lr, slope_cov, latent_cov, converged, (*notes, *fitted.warnings),
        len(used), dropped, "product", x, moderator, y, level, fitted,
    )  # fmt: skip


def _single_products(
    spec: ModelSpec, used: pd.DataFrame, product: str, error: str, names: list[str], first: list[str], second: list[str],
    x: str, moderator: str,
) -> ModelSpec:  # fmt: skip
    """The model with the product's measurement when x or the moderator has a single item of known reliability.

    With x1 = x + e the product x1 m_j holds lambda_j (x m) and lambda_j (e m). The second part has the loadings of
    the first and variance var(e) var(m); it is a factor of its own here, because residual covariances that are
    proportional to the loadings could not be told from the product's variance. With two single items the residual
    variance of the one product is known from the two errors.
    """
    linear = fit(spec, used)
    table = linear.estimates

    def value(name):
        return float(table.loc[(table["op"] == "~~") & (table["lhs"] == name) & (table["rhs"] == name), "est"].iloc[0])

    phi = linear.solution.implied_of()["cov_lv"]
    if len(first) == 1 and len(second) == 1:
        ex, em = value(first[0]), value(second[0])
        residual = phi.loc[x, x] * em + phi.loc[moderator, moderator] * ex + ex * em
        return spec.add(product, "=~", names[0]).fix(names[0], "~~", names[0], residual)
    alone, other = (first[0], moderator) if len(first) == 1 else (second[0], x)
    variance = value(alone) * float(phi.loc[other, other])
    if variance == 0:
        for name in names:
            spec = spec.add(product, "=~", name)
        return spec
    targets = {t.lhs for t in spec.terms if t.op == "~"} | {t.rhs for t in spec.terms if t.op == "=~"}
    exogenous = [n for n in spec.latents if n not in targets]
    for factor in (product, error):
        spec = spec.add(factor, "=~", names[0], value=1)
        for k, name in enumerate(names[1:], start=2):
            spec = spec.add(factor, "=~", name, label=f"{product}_{k}")
    spec = spec.fix(error, "~~", error, variance)
    for name in [*exogenous, product]:
        spec = spec.fix(error, "~~", name, 0)
    return spec


def _slope_cov(fitted, y: str, predictors: list[str]) -> np.ndarray:
    """Covariance matrix of the effects on y; zero for effects that are fixed."""
    table, vcov = fitted.estimates, fitted.vcov
    keys = []
    for name in predictors:
        row = table[(table["lhs"] == y) & (table["op"] == "~") & (table["rhs"] == name)].iloc[0]
        keys.append(row["label"] or f"{y}~{name}")
    known = vcov.loc[~vcov.index.duplicated(), ~vcov.columns.duplicated()]
    return known.reindex(index=keys, columns=keys).fillna(0.0).to_numpy()


def _likelihood_ratio(without: Fit, fitted: Fit) -> pd.DataFrame:
    """Chi-square difference of nested models, scaled where the fits are (Satorra & Bentler 2001)."""
    found = chisq_difference(without.measures, fitted.measures)
    return pd.DataFrame({
        "logl_without": [without.measures["logl"]], "logl_with": [fitted.measures["logl"]],
        "chisq_diff": [found.chisq], "df_diff": [found.df], "pvalue": [found.pvalue],
    })  # fmt: skip
