"""What all tests share: one thread a process, no windows, the same seed for property-based tests."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

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
