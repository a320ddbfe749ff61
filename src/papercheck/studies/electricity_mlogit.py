"""Five mixed logits of electricity choices (vignette of R's mlogit), fitted again to the same choices."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import ndtr

from switchcost.data.sets import load

from ..choice import X_ELECTRICITY, MixedLogit
from ..reproduction import Reproduction
from .common import Found, cells, missing

_N, _U, _L = "normal", "uniform", "lognormal"
#: Random coefficients of the five models; the last one's are correlated.
MODELS = {
    "all_normal": dict.fromkeys(X_ELECTRICITY, _N),
    "price_fixed": dict.fromkeys(X_ELECTRICITY[1:], _N),
    "wk_uniform": {"cl": _N, "loc": _N, "wk": _U, "tod": _N, "seas": _N},
    "tod_seas_lognormal": {"cl": _N, "loc": _N, "wk": _U, "tod": _L, "seas": _L},
    "correlated": {"cl": _N, "loc": _N, "wk": _N, "tod": _L, "seas": _L},
}
_HOW = "mixed logit on the 4,308 choices, 100 Halton draws a person; one step of the search from its printed start"


@cache
def prepared(model: str) -> MixedLogit:
    """The likelihood of a printed model; time-of-day and seasonal rates are turned round where they are lognormal."""
    data = load("electricity")
    if _L in MODELS[model].values():
        data = data.assign(tod=-data.tod, seas=-data.seas)
    return MixedLogit.prepare(data, X_ELECTRICITY, random=MODELS[model], correlated=model == "correlated")


@cache
def one_step(model: str, start: tuple[float, ...]) -> pd.DataFrame:
    """Estimates after one step of the search (scores by choice, as mlogit takes it) from the vignette's own start.

    Returns
    -------
    DataFrame ``est se``; ``attrs`` holds the log-likelihood
    """
    likelihood = prepared(model)
    theta = np.array(start)
    _, score = likelihood(theta, by_task=True)
    theta = theta + np.linalg.solve(score.T @ score, score.sum(0))
    loglik, score = likelihood(theta, by_task=True)
    covariance = np.linalg.inv(score.T @ score)
    out = pd.DataFrame({"est": theta, "se": np.sqrt(np.diag(covariance))}, index=likelihood.names)
    out.attrs |= {"loglik": float(loglik.sum()), "covariance": covariance}
    return out


def _tests(fits: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Likelihood-ratio, Wald and score test of the ten correlations."""
    free, none = fits["correlated"], fits["tod_seas_lognormal"]
    off = [i for i, n in enumerate(free.index) if n.startswith("chol.") and len(set(n[5:].split(":"))) == 2]
    theta, covariance = free.est.to_numpy(), free.attrs["covariance"]
    wald = theta[off] @ np.linalg.solve(covariance[np.ix_(off, off)], theta[off])
    start = np.zeros(len(free))
    start[:6] = none.est.to_numpy()[:6]
    own = [i for i, n in enumerate(free.index) if n.startswith("chol.") and i not in off]
    start[own] = none.est.to_numpy()[6:]
    _, score = prepared("correlated")(start, by_task=True)
    total = score.sum(0)
    return {
        "lrtest": 2 * (free.attrs["loglik"] - none.attrs["loglik"]),
        "waldtest": float(wald),
        "scoretest": float(total @ np.linalg.solve(score.T @ score, total)),
    }


def reproduce(table: pd.DataFrame, meta: Mapping) -> Found:
    """Estimates, standard errors, z and log-likelihoods of five models, shares and tests, from the choices."""
    numbers = cells(table)
    fits = {m: one_step(m, tuple(meta["start_values"][m])) for m in MODELS}
    out: Found = {}
    for model, fit in fits.items():
        for name, r in fit.iterrows():
            remark = "the printed search stopped before its maximum, which is at most 0.00005 away"
            z = r.est / r.se
            out[model, "estimate", name, ""] = Reproduction(r.est, "answers", _HOW, remark=remark)
            out[model, "se", name, ""] = Reproduction(
                r.se, "answers", _HOW,
                remark="from the scores of single choices, as if no person had made more than one",
            )  # fmt: skip
            # Two machines' estimates differ in the seventh digit; R subtracts the p value from one (2.2e-16).
            p = float(2 * ndtr(-abs(z)))
            out[model, "t", name, ""] = Reproduction(z, "answers", _HOW, (z - 5e-5, z + 5e-5))
            out[model, "p", name, ""] = Reproduction(p, "answers", _HOW, (p - 2.3e-16, p + 2.3e-16))
        remark = "another maximum has -3845.3: these estimates are not the best" if model == "correlated" else ""
        out[model, "Log-Likelihood", "", ""] = Reproduction(fit.attrs["loglik"], "answers", _HOW, remark=remark)
    est = fits["all_normal"].est
    shares = {
        "cl / pf": est["cl"] / est["pf"],
        "share with negative cl": ndtr(-est["cl"] / est["sd.cl"]),
        "share with negative pf": ndtr(-est["pf"] / est["sd.pf"]),
    }
    out |= {("text", k, "all_normal", ""): Reproduction(float(v), "answers", _HOW) for k, v in shares.items()}
    data = load("electricity")
    out["text", "people", "data", ""] = Reproduction(float(data.id.nunique()), "answers", "counted")
    out["text", "choices", "data", ""] = Reproduction(float(data.chid.nunique()), "answers", "counted")
    for test, value in _tests(fits).items():
        key = ("text", f"{test} chi-square", "correlated against tod_seas_lognormal", "")
        out[key] = Reproduction(value, "answers", f"{test} of ten correlations, from the choices")
    return out | missing([k for k in numbers.by if k not in out], "needs the draws of the printed analysis")
