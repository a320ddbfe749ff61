"""Bills and departures of simulated customers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from switchcost.core import checks
from switchcost.core.arguments import checked
from switchcost.core.errors import DataError

from .answers import background_column
from .draws import LATENT_DECIMALS, latents, seed_of, stream, whole_number
from .market import equation_terms, market_from


@checked(seed=None)
def usage(
    truth: Mapping | None = None,
    n: int = 800,
    seed: int | np.random.Generator | None = None,
    *,
    world: str | None = None,
) -> pd.DataFrame:
    """Follow the same customers for 36 months: bills, top-ups, departures.

    Customer k is row k - 1 of :func:`survey` with the same n and seed (customers count from 1). Each month a customer
    who is still there leaves with probability 1 - exp(-hazard); the log hazard is linear in satisfaction, financial and
    relational switching costs, the attractiveness of alternatives, satisfaction x financial, and the contract type
    (coefficients in the truth file). Contract customers get a bill, prepaid customers top up.

    Returns
    -------
    DataFrame, one row a customer and month until the month of departure
        customer, month (1-36), bill (money, 0 for prepaid), topups (count), topup_amount (money),
        left (1 in the month of departure, which is the customer's last row).

    Examples
    --------
    >>> usage(n=20, seed=3).columns.tolist()
    ['customer', 'month', 'bill', 'topups', 'topup_amount', 'left']
    """
    m = market_from(truth, world)
    t = m.truth
    n = whole_number(n, "n")
    seed = seed_of(seed, t)
    spec = t["usage"]
    months = int(spec["months"])
    x = latents(t, n, seed)
    spend = background_column("spend", t, x, seed).astype(float)

    hazard = spec["hazard"]
    log_h = np.full(n, np.log(hazard["monthly_at_the_mean"]))
    for term, b, poly in equation_terms(hazard["log_ratio"]):
        for factor, vs in poly:
            for v in vs:
                if v not in x.columns:
                    raise DataError(
                        f"hazard term {term!r}: {v!r} is not a latent variable.{checks.suggest(v, x.columns)}"
                    )
            log_h = log_h + b * factor * np.prod([x[v].to_numpy() for v in vs], axis=0)
    log_h = log_h + x["contract"].map(hazard["contract"]).to_numpy(dtype=float)
    leave = 1 - np.exp(-np.exp(log_h))
    draws = stream(seed, "departure").random((n, months))
    gone = draws < np.round(leave, LATENT_DECIMALS)[:, None]
    last = np.where(gone.any(axis=1), gone.argmax(axis=1), months - 1)

    month = np.arange(months)
    growth = np.exp(spec["bill"]["growth_per_month"] * month)
    noise = np.exp(spec["bill"]["monthly_noise_sd_log"] * stream(seed, "bill").standard_normal((n, months)))
    on_contract = (x["contract"] == "contract").to_numpy()
    bill = np.where(on_contract[:, None], np.round(spend[:, None] * growth * noise, 2), 0.0)
    size = spec["topup"]["size"]
    times = stream(seed, "topups").poisson(np.round(spend[:, None] * growth / size, LATENT_DECIMALS), (n, months))
    times = np.where(on_contract[:, None], 0, times)
    there = month[None, :] <= last[:, None]
    silence = spec.get("prepaid_silence")
    if silence:  # a prepaid customer who has left looks like one who tops up nothing, and is followed to the end
        skipped = stream(seed, "silence").random((n, months)) < silence["silent_month"]
        times = np.where(skipped | ~there | (gone & (month[None, :] == last[:, None])), 0, times)
        last = np.where(on_contract, last, months - 1)
        gone = gone & on_contract[:, None]
        there = month[None, :] <= last[:, None]
    who, when = np.nonzero(there)
    return pd.DataFrame(
        {
            "customer": who + 1,
            "month": when + 1,
            "bill": bill[there],
            "topups": times[there],
            "topup_amount": times[there] * size,
            "left": (gone & (month[None, :] == last[:, None]))[there].astype(int),
        }
    )
