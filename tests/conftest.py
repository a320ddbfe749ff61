"""What all tests share: one thread a process, no windows, the same seed for property-based tests."""

import contextlib
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pandas as pd  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")


def pytest_addoption(parser):
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in a random order")


def pytest_collection_modifyitems(config, items):
    """Tests may not depend on each other: ``python run.py test --shuffle 1`` mixes modules, and tests within them."""
    seed = config.getoption("--shuffle")
    if seed is not None:
        import random

        groups = {}
        for item in items:
            groups.setdefault(item.nodeid.partition("::")[0], []).append(item)
        rng, order = random.Random(seed), list(groups.values())
        rng.shuffle(order)
        for group in order:
            rng.shuffle(group)
        items[:] = [item for group in order for item in group]


@pytest.fixture
def texts_of_pandas_3():
    """Texts with the dtype that pandas 3 gives them; pandas 2.3 has an option for it."""
    if pd.__version__.startswith("2.2."):
        pytest.skip("pandas 2.2 cannot hold texts as pandas 3 does")
    before_3 = pd.__version__.startswith("2.")
    with pd.option_context("future.infer_string", True) if before_3 else contextlib.nullcontext():
        yield


@pytest.fixture
def keyed():
    """A table of parameters under one index for both programs: covariances in one order, groups where there are some."""

    def index(table):
        table = pd.DataFrame(table).copy()
        numbers = [c for c in table if c not in ("lhs", "op", "rhs", "label", "group") and table[c].dtype == object]
        table[numbers] = table[numbers].astype(float)
        swap = (table["op"] == "~~") & (table["lhs"] > table["rhs"])
        table.loc[swap, ["lhs", "rhs"]] = table.loc[swap, ["rhs", "lhs"]].to_numpy()
        if "group" not in table:
            table["group"] = 1
        table.loc[table["op"] == ":=", ["rhs", "group"]] = ["", 0]
        return table.set_index(["lhs", "op", "rhs", "group"]).sort_index()

    return index
