"""Batches of work, here or in worker processes, under a bar that appears after two seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def run_batches(
    task: Callable[[Any], Any],
    batches: Sequence,
    n_jobs: int | None = 1,
    progress: bool = True,
    what: str = "bootstrap",
) -> list:
    """``task`` of every batch, in order.

    ``n_jobs`` is joblib's: 1 stays in this process, -1 takes all cores, None what ``joblib.parallel_config`` around the
    call says (one, where nothing is said).
    """
    try:
        from tqdm import tqdm
    except ImportError:  # the estimator itself needs no more than numpy, pandas, scipy and threadpoolctl

        def tqdm(items, **_):
            return items

    bar = {"total": len(batches), "desc": what, "unit": "batch", "delay": 2, "leave": False, "disable": not progress}
    if n_jobs is None:
        try:
            from joblib import effective_n_jobs
        except ImportError:
            n_jobs = 1
        else:
            n_jobs = None if effective_n_jobs(None) > 1 else 1
    if n_jobs == 1:
        return [task(b) for b in tqdm(batches, **bar)]
    from joblib import Parallel, delayed

    jobs = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(task)(b) for b in batches)
    return list(tqdm(jobs, **bar))
