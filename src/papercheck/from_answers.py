"""Numbers recomputed from people's answers: corp_rep and the ECSI survey."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from switchcost.core.errors import DataError
from switchcost.data.sets import load
from switchcost.plspm.fitting import pls
from switchcost.plspm.result import PlsBootstrap, PlsFit

from .reproduction import END_CONFIDENCE, Found, Reproduction

#: Draws of our own bootstraps, and the confidence of the band around an interval's end.
N_BOOT = 4000
BOOT_SEED = 20210  # fixed with the board: other draws move an end by its simulation error


def _items(stem: str, n: int) -> list[str]:
    return [f"{stem}_{i}" for i in range(1, n + 1)]


REPUTATION = {"COMP": _items("comp", 3), "LIKE": _items("like", 3), "CUSA": ["cusa"], "CUSL": _items("cusl", 3)}


DRIVERS = {"QUAL": _items("qual", 8), "PERF": _items("perf", 5), "CSOR": _items("csor", 5), "ATTR": _items("attr", 3)}


_ABOVE = "COMP ~ QUAL + PERF + CSOR + ATTR\nLIKE ~ QUAL + PERF + CSOR + ATTR\n"


_BELOW = "CUSA ~ COMP + LIKE\nCUSL ~ COMP + LIKE + CUSA"


_ECSI_PATHS = """Expectation ~ Image
Quality ~ Expectation
Value ~ Expectation + Quality
Satisfaction ~ Image + Expectation + Quality + Value
Complaints ~ Satisfaction
Loyalty ~ Image + Satisfaction + Complaints"""


def hair2021(
    model: str = "moderation",
    data: pd.DataFrame | None = None,
    moderator: pd.DataFrame | None = None,
    *,
    scheme: str = "path",
    missing: str = "mean",
) -> PlsFit:
    """The corporate-reputation models of Hair et al. (2021).

    Parameters
    ----------
    model : ``"simple"`` (reputation, satisfaction, loyalty), ``"extended"`` (with four formative drivers) or
        ``"moderation"`` (extended, with switching costs SC and the two-stage product CUSA*SC)
    data : DataFrame, optional
        Other data with the same columns; ``sc.load("corp_rep")`` when left out.
    moderator : DataFrame, optional
        Columns to measure SC with instead of switch_1 to switch_4; same rows as the data.
    scheme, missing : str
        As in ``sc.pls``; the book has the defaults.

    Returns
    -------
    PlsFit
    """
    data = load("corp_rep") if data is None else data
    how: dict[str, Any] = {"scheme": scheme, "missing": missing}
    if moderator is not None and model != "moderation":
        raise DataError(f"the {model} model has no moderator; use model='moderation'")
    if model == "simple":
        return pls(data, REPUTATION, _BELOW, **how)
    if model == "extended":
        return pls(data, {**DRIVERS, **REPUTATION}, _ABOVE + _BELOW, formative=list(DRIVERS), **how)
    if model != "moderation":
        raise DataError(f"model must be simple, extended or moderation, and is {model!r}")
    items = _items("switch", 4)
    if moderator is not None:
        items = [f"SC {c}" for c in moderator.columns]
        data = data.join(moderator.set_axis(items, axis=1))
    return pls(
        data,
        {**DRIVERS, **REPUTATION, "SC": items},
        _ABOVE + _BELOW + " + SC + CUSA*SC",
        formative=list(DRIVERS),
        **how,
    )


def recode_like_switching(items: pd.DataFrame) -> pd.DataFrame:
    """Make four "switching" columns out of three others, the way switch_1 to switch_4 are made of qual_6, 7 and 5.

    Parameters
    ----------
    items : DataFrame with three columns on the scale 1-7; the first plays the part of qual_6

    Returns
    -------
    DataFrame, four columns: each item less one, kept inside 1-5; and the first less two, kept inside 1-4
    """
    if items.shape[1] != 3:
        raise DataError(f"three columns are recoded, and these are {items.shape[1]}")
    first, second, third = (items[c] for c in items)
    columns = [(first - 1).clip(1, 5), (second - 1).clip(1, 5), (third - 1).clip(1, 5), (first - 2).clip(1, 4)]
    return pd.concat(columns, axis=1, keys=["one", "two", "three", "four"])


def ecsi(scheme: str = "path", tol: float = 1e-10) -> PlsFit:
    """The European Customer Satisfaction Index model on the mobi data (Tenenhaus et al. 2005), all mode A."""
    data = load("mobi")

    def block(stem: str, n: int) -> list[str]:
        return [f"{stem}{i}" for i in range(1, n + 1)]

    blocks = {
        "Image": block("IMAG", 5),
        "Expectation": block("CUEX", 3),
        "Quality": block("PERQ", 7),
        "Value": block("PERV", 2),
        "Satisfaction": block("CUSA", 3),
        "Complaints": ["CUSCO"],
        "Loyalty": block("CUSL", 3),
    }
    return pls(data, blocks, _ECSI_PATHS, scheme=scheme, tol=tol)


def end_band(
    boot: PlsBootstrap,
    what: str,
    j: int,
    tail: float,
    n_published: int,
    interval: str = "percentile",
    confidence: float = END_CONFIDENCE,
) -> tuple[float, float]:
    """Where the end of a bootstrap interval from ``n_published`` draws should lie.

    Parameters
    ----------
    boot : our bootstrap of the same model
    what, j : table and row of the quantity
    tail : share of draws below this end, e.g. 0.025
    n_published : draws behind the published end
    interval : ``"percentile"`` or ``"bca"``
    confidence : of the band

    Returns
    -------
    (low, high)

    Notes
    -----
    The share of R draws below the true end has variance p (1 - p) / R. In a BCa interval p is itself estimated, from
    the share s of draws below the estimate: p moves by c = 2 phi(z_p) / phi(z_s) times the error of s, and the two
    errors have covariance (min(p, s) - p s) / R. The band is the range of our own quantiles over that uncertainty,
    with the error of our own draws added.
    """
    draws = boot.draws[what][:, j]
    p, c, s = tail, 0.0, 0.5
    if interval == "bca":
        p = float(boot.bca_shares(what, j, np.array([tail]))[0])
        s = float(np.clip((draws < boot.estimates[what][j]).mean(), 0.001, 0.999))
        c = 2 * np.exp(-0.5 * (ndtri(p) ** 2 - ndtri(s) ** 2))
    variance = p * (1 - p) + c**2 * s * (1 - s) - 2 * c * (min(p, s) - p * s)
    width = ndtri(0.5 + confidence / 2) * np.sqrt(variance * (1 / n_published + 1 / len(draws)))
    low, high = np.quantile(draws, np.clip([p - width, p + width], 0, 1))
    return float(low), float(high)


def _pls_lookup(fit: PlsFit, wanted: Container[str]) -> dict[tuple[str, str, str], float]:
    out = {("path", r[0], r[1]): r[2] for r in fit.paths.itertuples(index=False)}
    out |= {("r2", c, ""): v for c, v in fit.r2.r2.items()}
    out |= {(q, c, ""): v for q in fit.reliability for c, v in fit.reliability[q].items()}
    if "f2" in wanted:  # one more fit for every path
        out |= {("f2", r[0], r[1]): r[2] for r in fit.f2.itertuples(index=False)}
    for a, row in fit.htmt.iterrows():
        for b, v in row.dropna().items():
            out["htmt", a, b] = out["htmt", b, a] = v
    return out


def _ends(boot: PlsBootstrap, what: str, level: float, n_published: int, interval: str) -> dict:
    """Ends of the intervals with their bands: (row, column, end) -> Reproduction."""
    table = boot.table(what, level, interval)
    out = {}
    for j, r in enumerate(table.itertuples(index=False)):
        for end, tail in (("ci_lower", (1 - level) / 2), ("ci_upper", (1 + level) / 2)):
            band = end_band(boot, what, j, tail, n_published, interval)
            how = (
                f"{interval} end, {boot.n_boot} draws; an end from {n_published} draws lies between {band[0]:.3f} "
                f"and {band[1]:.3f} in {END_CONFIDENCE:.0%} of cases"
            )
            rep = Reproduction(getattr(r, end), "answers", how, interval=band, why=how)
            out[r[0], r[1], end] = rep
            if what == "htmt":
                out[r[1], r[0], end] = rep
    return out


def reproduce_hair2021(
    numbers: pd.DataFrame, meta: Mapping, *, scheme: str = "path", missing: str = "mean", interval: str = "percentile"
) -> Found:
    """Paths, R2, reliabilities, HTMT, f2, redundancy and bootstrap intervals from corp_rep.

    The options are the book's; with others the same numbers come out of another analysis
    (``benchmarks/within_interval.py`` counts which of them the intervals notice).
    """
    out: Found = {}
    data = load("corp_rep")
    how = "PLS on corp_rep, item means for the missing answers"
    for model in ("simple", "extended", "moderation"):
        printed = set(numbers.quantity[numbers.model == model])
        if not printed:
            continue
        fit = hair2021(model, data, scheme=scheme, missing=missing)
        values = _pls_lookup(fit, printed)
        for name, items in DRIVERS.items() if "redundancy" in printed else ():
            whole = f"{name.lower()}_global"
            blocks = {"formative": items, "whole": [whole]}
            test = pls(data, blocks, "whole ~ formative", formative=["formative"], scheme=scheme, missing=missing)
            values["redundancy", name, ""] = test.paths.estimate[0]
        out |= {(model, *key): Reproduction(v, "answers", how) for key, v in values.items()}
        if any("ci_" in q for q in printed):
            boot = fit.bootstrap(N_BOOT, seed=BOOT_SEED)
            for what, quantity, level in (("paths", "path", 0.95), ("htmt", "htmt", 0.90)):
                if f"{quantity} ci_lower" in printed:
                    for (a, b, end), rep in _ends(boot, what, level, 1000, interval).items():
                        out[model, f"{quantity} {end}", a, b] = rep
    return out


def reproduce_ecsi(numbers: pd.DataFrame, meta: Mapping) -> Found:
    """The twelve paths by path weighting, five by the centroid scheme, and the BCa intervals of those."""
    fit = ecsi(tol=1e-5)
    out = {
        ("", "path_weighting", r[0], r[1]): Reproduction(
            r[2],
            "answers",
            "PLS on mobi, stopped at 1e-5 as SmartPLS 2.0 does (run on, the eighth decimal of one path moves)",
        )
        for r in fit.paths.itertuples(index=False)
    }
    centroid = ecsi("centroid")
    out |= {
        ("centroid", "estimate", r[0], r[1]): Reproduction(r[2], "answers", "PLS on mobi, centroid scheme")
        for r in centroid.paths.itertuples(index=False)
    }
    for (a, b, end), rep in _ends(centroid.bootstrap(N_BOOT, seed=BOOT_SEED), "paths", 0.90, 500, "bca").items():
        out["centroid", end, a, b] = rep
    return out
