"""Moments of the answers in the population, where no sample blurs them."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
import pandas as pd

from switchcost.core.arguments import FLAG, checked, one_of
from switchcost.core.errors import DataError

from .answers import survey
from .worlds import stored_truth, truth_file


@checked(what=one_of("cov", "corr", "mean"), faults=FLAG, keyed=FLAG)
def population(
    what: str = "cov", faults: bool = False, keyed: bool = True, *, world: str | None = None
) -> pd.DataFrame | pd.Series:
    """Means or covariances of the five-point answers in the whole population (a million simulated respondents).

    Ordinary maximum likelihood on five-point answers does not estimate the loadings and correlations of the latent
    responses, but what these become after cutting. Fit the same model to this matrix to get that target::

        sc.fit(model, sample_cov=sc.simulate.population(), n_obs=1_000_000)

    Parameters
    ----------
    what : ``"cov"``, ``"corr"``, ``"mean"``
    faults : bool
        True: with the two item faults of ``telecom_survey`` (the item that does not load, the shifted intercept).
        Rows (careless, missing, doubled) are never included.
    keyed : bool
        True: reverse-keyed items turned round.
    world : {"china", "meta"}, optional
        Which truth; ``"china"`` when None. Its moments are stored; those of another are worked out once a session, from
        100,000 respondents.

    Returns
    -------
    DataFrame (cov, corr) or Series (mean) of the 89 items. Monte Carlo error: about .002 in a covariance
    (.006 where worked out anew).
    """
    if what not in ("cov", "corr", "mean"):
        raise DataError(f"what is 'cov', 'corr' or 'mean', and not {what!r}")
    stored = _stored_population(world or "china")
    names, cov, mean = stored["items"], stored["cov"], stored["mean"]
    take = np.array([stored["with_faults"].get(name, i) if faults else i for i, name in enumerate(names)])
    t = stored_truth(world or "china")["items"]
    top = np.array([len(t[name]["thresholds"]) + 1 for name in names])
    turn = np.array([t[name]["reverse"] and keyed for name in names])
    sign = np.where(turn, -1.0, 1.0)
    if what == "mean":
        m = mean[take]
        return pd.Series(np.where(turn, top + 1 - m, m), index=names)
    c = cov[np.ix_(take, take)] * np.outer(sign, sign)
    if what == "corr":
        sd = np.sqrt(np.diag(c))
        c = c / np.outer(sd, sd)
    return pd.DataFrame(c, index=names, columns=names)


@lru_cache(maxsize=2)
def _stored_population(world: str) -> dict:
    if world == "china":
        stored = json.loads(truth_file("truth_observed.json").read_text(encoding="utf-8"))
    else:
        stored = observe_population(100_000, world=world)
    size = len(stored["mean"])
    cov = np.zeros((size, size))
    cov[np.tril_indices(size)] = [v for row in stored["cov_lower_triangle"] for v in row]
    cov = cov + np.tril(cov, -1).T
    names = stored["items"]
    extra = {name: len(names) + k for k, name in enumerate(stored["items_with_faults"])}
    return {"items": names, "mean": np.array(stored["mean"]), "cov": cov, "with_faults": extra}


def observe_population(n: int = 1_000_000, chunk: int = 50_000, world: str = "china") -> dict:
    """Work out the content of truth_observed.json from a very large fault-free sample."""
    t = stored_truth(world)
    names = list(t["items"])
    extra = [t["faults"]["bad_item"]["item"], t["faults"]["intercept"]["item"]]
    size = len(names) + len(extra)
    total, squares = np.zeros(size), np.zeros((size, size))
    for k in range(n // chunk):
        seed = 1_000_000 + k
        clean = survey(t, chunk, seed, False, columns=names).to_numpy()
        bad = survey(t, chunk, seed, ["bad_item", "intercept"], columns=extra).to_numpy()
        x = np.column_stack([clean, bad]) - 3
        total += x.sum(axis=0)
        squares += x.T @ x  # whole numbers, so the sums are exact in any order
    mean = total / n
    cov = (squares - n * np.outer(mean, mean)) / (n - 1)
    return {
        "about": "Means and covariances of the raw (not turned) answers in five points, from a fault-free sample of "
        f"{n} simulated respondents. Written by: python -m simmarket.files --population",
        "n": n,
        "items": names,
        "items_with_faults": extra,
        "mean": [round(v, 6) for v in (mean + 3).tolist()],
        "cov_lower_triangle": [[round(v, 6) for v in row[: i + 1]] for i, row in enumerate(cov.tolist())],
    }
