"""Bootstrap refits on a local cluster: one worker, two, and two of which one is killed in the middle.

    python benchmarks/speed_cluster.py              # 10,000 refits; two cores and nothing else to do
    python benchmarks/speed_cluster.py --refits 2000

Writes speed_cluster.csv: wall seconds, how many times one worker's speed, and whether the draws are those made without a
cluster. Thirty items on eight factors, n = 600, as in speed.py.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path
from threading import Timer

import joblib
import numpy as np
import pandas as pd
from distributed import Client, LocalCluster
from speed import FACETS, survey

import semfit

HERE = Path(__file__).parent


def seconds(fit, refits: int, workers: int, kill: bool = False) -> tuple[float, pd.DataFrame]:
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client, joblib.parallel_config(backend="dask"):
        fit.bootstrap(400, seed=1, progress=False)  # workers import the package
        if kill:
            victim = client.submit(os.getpid).result()
            Timer(3.0, os.kill, (victim, signal.SIGKILL)).start()
        start = time.perf_counter()
        draws = fit.bootstrap(refits, seed=1, progress=False).draws
        return time.perf_counter() - start, draws


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--refits", type=int, default=10_000)
    options.add_argument("--out", default=str(HERE / "speed_cluster.csv"))
    args = options.parse_args()
    model, data = survey(list(FACETS.values()))
    fit = semfit.fit(model, data)
    start = time.perf_counter()
    here = fit.bootstrap(args.refits, seed=1, n_jobs=1, progress=False).draws
    rows = [{"run": "no cluster", "seconds": time.perf_counter() - start, "same_draws": True}]
    for name, workers, kill in (
        ("1 worker", 1, False),
        ("2 workers", 2, False),
        ("2 workers, one killed after 3 s", 2, True),
    ):
        wall, draws = seconds(fit, args.refits, workers, kill)
        same = draws.index.equals(here.index) and bool(np.allclose(draws, here, rtol=1e-12, atol=0))
        rows.append({"run": name, "seconds": wall, "same_draws": same})
        print(rows[-1])
    table = pd.DataFrame(rows).assign(refits=args.refits)
    table["times_one_worker"] = table["seconds"][1] / table["seconds"]
    table.round(3).to_csv(args.out, index=False)
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
