"""Bootstrap refits in one process, in two, on a local Dask cluster of one worker and of two, and with one of two killed.

    python benchmarks/speed_cluster.py              # 10,000 refits; five minutes of two busy cores, one of two idle ones
    python benchmarks/speed_cluster.py --refits 2000

Writes speed_cluster.csv: wall seconds, processor seconds of this process (``cpu_here``) and of the workers together and of
the busiest of them, load of the machine per core while it ran, whether the draws are those of one process, and two ratios to
one process: ``times_wall``, which says what other work on the machine left over, and ``times_cpu``, the processor seconds of
one process over those of the busiest process: what two idle cores would give. Thirty items on eight factors, n = 600, as in
speed.py. Dask workers run with the two settings that docs/cluster.md advises; "as Dask sets it" is without them.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from contextlib import nullcontext
from pathlib import Path
from threading import Timer

import dask
import joblib
import numpy as np
import pandas as pd
import psutil
from distributed import Client, LocalCluster
from speed import FACETS, survey

import semfit

HERE = Path(__file__).parent
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
KEEP = {"MALLOC_TRIM_THRESHOLD_": "268435456", "MALLOC_MMAP_THRESHOLD_": "33554432"}  # of memory that was given back
ADVISED = {"distributed.worker.profile.enabled": False, "distributed.nanny.pre-spawn-environ": ONE_THREAD | KEEP}


def processor_seconds() -> dict[int, float]:
    """By process: 0 is this one, the others are its workers."""
    out = {0: sum(psutil.Process().cpu_times()[:2])}
    for child in psutil.Process().children(recursive=True):
        try:
            out[child.pid] = sum(child.cpu_times()[:2])
        except psutil.Error:  # it ended meanwhile
            continue
    return out


def measured(fit, refits: int, n_jobs: int | None = None, client: Client | None = None) -> tuple[dict, pd.DataFrame]:
    """One run; with ``client`` one of its workers is killed after three seconds."""
    fit.bootstrap(400, seed=1, n_jobs=n_jobs, progress=False)  # workers import the package
    if client is not None:
        victim = client.submit(os.getpid).result()
        Timer(3.0, os.kill, (victim, signal.SIGKILL)).start()
    before, start = processor_seconds(), time.perf_counter()
    draws = fit.bootstrap(refits, seed=1, n_jobs=n_jobs, progress=False).draws
    wall, after = time.perf_counter() - start, processor_seconds()
    used = {k: v - before.get(k, 0.0) for k, v in after.items()}
    workers = [v for k, v in used.items() if k]
    row = {"seconds": wall, "cpu_here": used[0], "cpu_workers": sum(workers), "cpu_busiest": max([used[0], *workers])}
    return row | {"load_per_core": os.getloadavg()[0] / (os.cpu_count() or 1)}, draws


def on_cluster(fit, refits: int, workers: int, advised: bool = True, kill: bool = False) -> tuple[dict, pd.DataFrame]:
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    settings = dask.config.set(ADVISED) if advised else nullcontext()
    with (
        settings,
        LocalCluster(**options) as cluster,
        Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        return measured(fit, refits, client=client if kill else None)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--refits", type=int, default=10_000)
    options.add_argument("--out", default=str(HERE / "speed_cluster.csv"))
    args = options.parse_args()
    model, data = survey(list(FACETS.values()))
    fit = semfit.fit(model, data)
    runs = {
        "one process": lambda: measured(fit, args.refits, 1),
        "n_jobs=2": lambda: measured(fit, args.refits, 2),
        "Dask, 1 worker": lambda: on_cluster(fit, args.refits, 1),
        "Dask, 2 workers": lambda: on_cluster(fit, args.refits, 2),
        "Dask, 2 workers, as Dask sets it": lambda: on_cluster(fit, args.refits, 2, advised=False),
        "Dask, 2 workers, one killed after 3 s": lambda: on_cluster(fit, args.refits, 2, kill=True),
    }
    rows, first = [], None
    for name, run in runs.items():
        row, draws = run()
        first = draws if first is None else first
        same = draws.index.equals(first.index) and bool(np.allclose(draws, first, rtol=1e-12, atol=0))
        rows.append({"run": name, "refits": args.refits, **row, "same_draws": same})
        print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    table["times_wall"] = table["seconds"][0] / table["seconds"]
    table["times_cpu"] = table["cpu_busiest"][0] / table["cpu_busiest"]
    table.loc[table["run"].str.contains("killed"), "times_cpu"] = np.nan  # what the dead worker used is not known
    table.round(3).to_csv(args.out, index=False)
    print(table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
