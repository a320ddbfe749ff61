"""Latent variables of simulated customers."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from switchcost.core.arguments import checked, shown
from switchcost.core.errors import DataError

from .market import market_from

LATENT_DECIMALS = 9  # sums are rounded before they are cut, so that no last bit of a BLAS decides an answer


# --- drawing ---------------------------------------------------------------------------------------------------
def stream(seed: int, name: str) -> np.random.Generator:
    """An own stream of random numbers for each thing drawn: leaving a column out changes no other column."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())])))


def seed_of(seed: int | np.random.Generator | None, t: Mapping) -> int:
    if seed is None:
        return int(t.get("seed", 0))
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**31))
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise DataError(f"seed must be a whole number from 0 up (or a numpy Generator, or None), and is {shown(seed)}")
    return int(seed)


@checked(seed=None)
def latents(
    truth: Mapping | None = None,
    n: int = 800,
    seed: int | np.random.Generator | None = None,
    *,
    world: str | None = None,
) -> pd.DataFrame:
    """Draw the latent variables and groups themselves, those that stand behind :func:`survey` with the same seed.

    Returns
    -------
    DataFrame of n rows
        One column a grouping (text), then each latent variable and each facet (mean 0, variance 1 in the population).

    Examples
    --------
    >>> latents(n=3, seed=1).shape[0]
    3
    """
    m = market_from(truth, world)
    n = whole_number(n, "n")
    seed = seed_of(seed, m.truth)
    groups = {}
    for name, grouping in m.groupings.items():
        levels = list(grouping["share"])
        edges = np.cumsum([grouping["share"][g] for g in levels])[:-1]
        groups[name] = np.array(levels, dtype=object)[
            np.searchsorted(edges, stream(seed, name).random(n), side="right")
        ]
    noise = stream(seed, "exogenous").standard_normal((n, len(m.exogenous)))
    values = noise @ m.chol.T
    keys = list(zip(*groups.values(), strict=True)) if groups else [()] * n
    codes, uniques = pd.factorize(pd.Series(keys, dtype=object)) if groups else (np.zeros(n, dtype=int), [()])
    values += np.array([m.cells[tuple(c)] for c in uniques])[codes]
    x = {name: values[:, i] for i, name in enumerate(m.exogenous)}

    residual = {name: stream(seed, "residual " + name).standard_normal(n) for name in m.endogenous}
    for (a, b), r in m.residual_correlations.items():
        residual[b] = r * residual[a] + np.sqrt(1 - r * r) * residual[b]
    for name, terms in m.equations.items():
        y = m.residual_sd[name] * residual[name] - m.mean_of[name]
        for _, slope, poly in terms:
            for factor, vs in poly:
                product = slope * factor
                for v in vs:
                    product = product * x[v]
                y = y + product
        x[name] = y
    for facet, loads in m.facets.items():
        y = m.unique_sd(facet, loads) * stream(seed, "facet " + facet).standard_normal(n)
        for v, loading in loads.items():
            y = y + loading * x[v]
        x[facet] = y
    return pd.DataFrame({**groups, **x})


def whole_number(n: object, name: str) -> int:
    if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer)) or not 1 <= n <= 10**7:
        raise DataError(f"{name} must be a whole number from 1 up, and is {shown(n)}")
    return int(n)
