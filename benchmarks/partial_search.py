"""Searching for unequal parameters: how often is something released where nothing differs, and what differs found?

    python benchmarks/partial_search.py            # five minutes of one core; writes partial_search.csv
    python benchmarks/partial_search.py --quick    # a tenth of the samples, no file

Two groups, two correlated factors with four items each, sixteen equalities of loadings and intercepts. ``any_released``
is the share of samples in which the search released something, ``found`` that it released what was made different,
``exactly`` that and nothing else. Standard errors of shares near 5 % are one to two points.
"""

# ruff: noqa: E402  (threads are set before numpy is imported)
from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import semfit

MODEL = "f =~ f1 + f2 + f3 + f4\ng =~ g1 + g2 + g3 + g4"
LOADINGS = np.array([0.8, 0.7, 0.75, 0.65])
CUTS = (0.6, 1.2, 1.7, 2.2)  # five points with most answers at the lowest


@dataclass(frozen=True)
class Setting:
    """What differs, how many answer in each group, how answers and p-values are taken, and how many samples."""

    differs: str
    n: int
    adjust: str | None
    samples: int
    answers: str = "normal"
    estimator: str | None = None
    ordered: bool = False


SETTINGS = [
    *(Setting("nothing", n, "holm", 500) for n in (150, 400)),
    Setting("nothing", 400, None, 200),
    *(Setting(what, n, "holm", 100) for what in ("a loading", "an intercept") for n in (150, 400)),
    *(Setting(what, 400, None, 100) for what in ("a loading", "an intercept")),
    Setting("nothing", 400, "holm", 200, "skewed five points", "ML"),
    Setting("nothing", 400, "holm", 100, "skewed five points", "MLR"),
    Setting("nothing", 400, "holm", 60, "skewed five points", None, ordered=True),
]
PLANTED = {"a loading": "f =~ f3", "an intercept": "g2 ~ 1"}


def sample(setting: Setting, rng: np.random.Generator) -> pd.DataFrame:
    """Two groups; the second has another mean and spread of the factors, and what is made different."""
    parts = []
    for k, name in enumerate(("one", "two")):
        f = rng.normal(size=setting.n)
        g = 0.5 * f + np.sqrt(0.75) * rng.normal(size=setting.n)
        loadings, shift = np.tile(LOADINGS, 2), np.zeros(8)
        if k and setting.differs == "a loading":
            loadings[2] -= 0.35
        if k and setting.differs == "an intercept":
            shift[5] += 0.35
        eta = np.repeat(np.column_stack([f, g]) * (1.2 if k else 1.0) + 0.3 * k, 4, axis=1)
        noise = rng.normal(size=(setting.n, 8)) * np.sqrt(1 - np.tile(LOADINGS, 2) ** 2)
        parts.append(
            pd.DataFrame(shift + loadings * eta + noise, columns=[f"{v}{i}" for v in "fg" for i in range(1, 5)]).assign(
                group=name
            )
        )
    data = pd.concat(parts, ignore_index=True)
    if setting.answers != "normal":
        items = data.columns[:-1]
        data[items] = np.digitize(data[items], CUTS)
    return data


def run(setting: Setting, samples: int) -> dict:
    """Shares over samples; a sample in which a group lacks a category is drawn again."""
    rng = np.random.default_rng(7)
    counts = np.zeros(3)
    done = 0
    while done < samples:
        data = sample(setting, rng)
        try:
            found = semfit.partial_search(
                MODEL,
                data,
                "group",
                adjust=setting.adjust,
                estimator=setting.estimator,
                ordered=setting.ordered or None,
            ).released
        except (semfit.DataError, semfit.NotConvergedError):
            continue
        planted = PLANTED.get(setting.differs)
        counts += [bool(found), planted in found, found == [planted]]
        done += 1
    share = counts / samples
    estimator = "WLSMV" if setting.ordered else setting.estimator or "ML"
    row = {"differs": setting.differs, "n_per_group": setting.n, "answers": setting.answers, "estimator": estimator}
    row |= {"adjust": setting.adjust or "none", "samples": samples, "any_released": share[0]}
    return row | ({} if planted is None else {"found": share[1], "exactly": share[2]})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rows = []
    for setting in SETTINGS:
        rows.append(run(setting, max(10, setting.samples // 10) if quick else setting.samples))
        print(rows[-1], flush=True)
    if not quick:
        path = Path(__file__).with_suffix(".csv")
        pd.DataFrame(rows).round(3).to_csv(path, index=False)


if __name__ == "__main__":
    main()
