"""Long computations in pieces: here, over cores, or over a cluster, under a bar; the pieces decide the numbers, not the split.

``run_batches`` asks joblib, so that one way serves all: ``n_jobs=2`` for cores of this machine, or
``with joblib.parallel_config(backend="dask")`` for the workers of a cluster.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from threading import Timer
from typing import Any

import numpy as np

SECONDS = 1.5  # of work in one message: a cluster takes some milliseconds to send and to answer one
PATIENCE = 2  # seconds without a bar
AT_LEAST = 3  # messages a worker, so that none waits long for the last


class _NoBar:
    """Stands in where tqdm is not installed: the estimator does without it."""

    def update(self, n: int = 1) -> None: ...
    def refresh(self) -> None: ...
    def set_description_str(self, text: str, refresh: bool = True) -> None: ...
    def close(self) -> None: ...


def progress_bar(*, show: bool, **options: Any) -> Any:
    """A bar of tqdm on stderr that leaves nothing behind; one that does nothing without tqdm or on ``show=False``."""
    try:
        from tqdm import tqdm
    except ImportError:
        return _NoBar()
    return tqdm(file=sys.stderr, leave=False, disable=not show or "TQDM_DISABLE" in os.environ, **options)


@contextmanager
def named_steps(label: str, *, show: bool = True) -> Iterator[Callable[[str], None]]:
    """A bar that names the step a long computation is at: ``with named_steps("chapter") as at: at("Reliability")``."""
    bar = progress_bar(show=show, bar_format="{desc} [{elapsed}, {rate_fmt}]", desc=label, delay=PATIENCE)
    start = time.monotonic()
    waiting = Timer(PATIENCE, bar.refresh)  # a first step that takes long is named too
    waiting.daemon = True

    def at(step: str) -> None:
        bar.update()
        bar.set_description_str(f"{label}: {step}", refresh=time.monotonic() - start > PATIENCE)

    try:
        waiting.start()
        yield at
    finally:
        waiting.cancel()
        bar.close()


def run_batches(
    task: Callable[[Any], Any],
    batches: Sequence[Any],
    n_jobs: int | None = None,
    progress: bool = True,
    what: str = "bootstrap",
) -> list[Any]:
    """``[task(batch) for batch in batches]``, spread over processes or over a cluster where that is asked for.

    Parameters
    ----------
    task : callable
        Holds the data; it is sent once to every worker.
    batches : sequence
        What differs, such as seeds; small. A batch must not depend on the one before it.
    n_jobs : int, optional
        Processes (joblib), -1 for all cores. None means one, or what ``joblib.parallel_config`` says around the call.
    progress : bool, default True
        Show a bar when it takes longer than two seconds.
    what : str
        What the bar says.

    Returns
    -------
    list
        In the order of ``batches``.
    """
    bar = progress_bar(show=progress, total=len(batches), desc=what, unit="batch", delay=PATIENCE)
    try:
        found: list[Any] = []
        for part in _parts(task, batches, n_jobs):
            found += part
            bar.update(len(part))
        return found
    finally:
        bar.close()


def _parts(task: Callable, pieces: Sequence, n_jobs: int | None) -> Iterator[list]:
    """Results in portions, in order."""
    workers = 1
    if len(pieces) > 2 and n_jobs != 1 and (n_jobs is not None or "joblib" in sys.modules):
        from joblib import effective_n_jobs

        workers = effective_n_jobs(n_jobs)
    if workers == 1:
        for piece in pieces:
            yield [task(piece)]
        return
    yield [task(pieces[0])]  # what is made once and for all is not timed
    start = time.perf_counter()
    yield [task(pieces[1])]
    rest, seconds = pieces[2:], time.perf_counter() - start
    if len(rest):
        yield from _spread(task, rest, n_jobs, message_size(len(rest), seconds, workers))


def message_size(pieces: int, seconds: float, workers: int) -> int:
    """Pieces in one message: ``SECONDS`` of work, less where some workers would have nothing to do."""
    return max(1, min(int(SECONDS / max(seconds, 1e-9)), -(-pieces // (AT_LEAST * workers))))


def _spread(task: Callable, pieces: Sequence, n_jobs: int | None, size: int) -> Iterator[list]:
    from joblib import Parallel, delayed, parallel_config, wrap_non_picklable_objects
    from joblib.parallel import get_active_backend

    packed = pickle.dumps(wrap_non_picklable_objects(task, keep_wrapper=False))  # functions of the user too
    sent = np.frombuffer(packed, np.uint8)  # an array: joblib shares it between processes
    client = getattr(get_active_backend()[0], "client", None)
    # Dask: to all workers at the start, so that one that dies takes nothing with it
    scope = nullcontext() if client is None else parallel_config(backend="dask", client=client, scatter=[sent])
    messages = [pieces[k : k + size] for k in range(0, len(pieces), size)]
    with scope:
        yield from Parallel(n_jobs=n_jobs, batch_size=1, return_as="generator")(
            delayed(_work)(sent, message) for message in messages
        )


def _work(sent: np.ndarray, message: Sequence) -> list:
    """One message, in a worker."""
    task = pickle.loads(sent.tobytes())
    return [task(piece) for piece in message]
