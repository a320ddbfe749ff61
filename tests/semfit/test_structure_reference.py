"""The rival structures of notebook 05 against lavaan (tests/reference/notebook05.R)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import switchcost as sc

STORED = json.loads((Path(__file__).parents[1] / "reference" / "notebook05.json").read_text())
FACETS = {"er": 6, "ev": 4, "le": 3, "su": 4, "bl": 3, "ml": 2, "pr": 4, "br": 3}
FACETS = {f: [f"{f}{k + 1}" for k in range(n)] for f, n in FACETS.items()}
ITEMS = [i for items in FACETS.values() for i in items]
FIRST = "\n".join(f"{f} =~ {' + '.join(items)}" for f, items in FACETS.items())
NAMES = [*FACETS, "cost"]
APART = "\n".join(f"{a} ~~ 0*{b}" for k, a in enumerate(NAMES) for b in NAMES[k + 1 :])
MODELS = {
    "one": f"cost =~ {' + '.join(ITEMS)}",
    "eight": FIRST,
    "eight_in_one": FIRST + f"\ncost =~ {' + '.join(FACETS)}",
    "eight_in_two": FIRST + "\neffort =~ er + ev + le + su\nstakes =~ bl + ml + pr + br",
    "eight_in_three": FIRST + "\nprocedural =~ er + ev + le + su\nfinancial =~ bl + ml\nrelational =~ pr + br",
    "bifactor": FIRST.replace("ml1 + ml2", "a*ml1 + a*ml2") + f"\ncost =~ {' + '.join(ITEMS)}\n" + APART,
}


@pytest.fixture(scope="module")
def data():
    raw = sc.load("telecom_survey")
    book = sc.codebook("telecom_survey").set_index("variable")
    scale = book.index[book["dimension"] != ""]
    straight = raw[scale].max(axis=1) == raw[scale].min(axis=1)
    return sc.simulate.keyed(raw)[~raw.duplicated() & ~straight]


@pytest.mark.parametrize("name", MODELS)
def test_fit_measures_equal_lavaan(name, data):
    fit = sc.fit(MODELS[name], data, std_lv=name == "bifactor")
    assert fit.n_obs == STORED["n"]
    want = pd.Series(STORED["measures"][name], dtype=float)
    np.testing.assert_allclose(fit.measures[want.index], want, rtol=2e-5, atol=2e-5)


def test_estimates_equal_lavaan(data):
    ours = sc.fit(MODELS["eight_in_three"], data).estimates.set_index(["lhs", "op", "rhs"])
    want = pd.DataFrame(STORED["estimates"]).set_index(["lhs", "op", "rhs"])
    np.testing.assert_allclose(ours.loc[want.index, "est"], want["est"], atol=5e-6)
    np.testing.assert_allclose(ours.loc[want.index, "std_all"], want["std_all"], atol=5e-6)
    free = want["se"] > 0
    np.testing.assert_allclose(ours.loc[want.index[free], "se"], want["se"][free], atol=5e-6)
