"""Work in pieces: the same results in one process, in several and on a cluster, and a bar that names a step."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit import jobs


def data(n: int = 150, gaps: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    f = rng.normal(size=n)
    out = pd.DataFrame({f"x{i}": f + rng.normal(size=n) for i in range(1, 5)})
    if gaps:
        out = out.mask(rng.random(out.shape) < 0.05)
    return out


MODEL = "f =~ x1 + x2 + x3 + x4"


@pytest.fixture(scope="module")
def cluster():
    """Two workers on this machine, under joblib's Dask backend."""
    distributed = pytest.importorskip("distributed")
    joblib = pytest.importorskip("joblib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        local = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        with local, distributed.Client(local), joblib.parallel_config(backend="dask"):
            yield local


def squares(k: int) -> int:
    return k * k


def test_results_come_in_order_whatever_the_split():
    assert jobs.run_batches(squares, range(17), progress=False) == [k * k for k in range(17)]
    assert jobs.run_batches(squares, range(17), n_jobs=2, progress=False) == [k * k for k in range(17)]
    assert jobs.run_batches(squares, [], progress=False) == []


def test_a_message_holds_seconds_of_work_and_no_worker_waits():
    assert jobs.message_size(10_000, 0.05, 2) == int(jobs.SECONDS / 0.05)
    assert jobs.message_size(10_000, 10.0, 2) == 1
    assert jobs.message_size(12, 0.001, 2) == 2  # three messages a worker
    assert jobs.message_size(1, 0.001, 8) == 1


@pytest.mark.parametrize("gaps", [False, True])
def test_a_bootstrap_on_a_cluster_draws_what_it_draws_here(cluster, gaps):
    fit = semfit.fit(MODEL, data(gaps=gaps), missing="fiml" if gaps else "listwise")
    n = 250 if gaps else 500
    there = fit.bootstrap(n, seed=1, progress=False)
    here = fit.bootstrap(n, seed=1, n_jobs=1, progress=False)
    pd.testing.assert_frame_equal(there.draws, here.draws, rtol=1e-12)


def test_refits_of_simulated_samples_on_a_cluster(cluster):
    fit, samples = semfit.fit(MODEL, data()), [data().sample(150, replace=True, random_state=k) for k in range(200)]
    there, here = semfit.refit(fit, samples), semfit.refit(fit, samples, n_jobs=1)
    pd.testing.assert_frame_equal(there.estimates, here.estimates, rtol=1e-12)
    pd.testing.assert_frame_equal(there.measures, here.measures, rtol=1e-9)


def test_functions_of_the_user_travel(cluster):
    fit = semfit.fit(MODEL, data())
    options = {"seed": 1, "functions": {"first": lambda f: f.estimates["est"][1]}, "progress": False}
    there, here = fit.bootstrap(200, **options), fit.bootstrap(200, n_jobs=1, **options)
    assert there.functions["se"][0] == pytest.approx(here.functions["se"][0], rel=1e-12)


def test_the_bar_names_the_step(capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(jobs, "PATIENCE", 0)
    with jobs.named_steps("chapter") as at:
        at("Reliability")
    assert "chapter: Reliability" in capsys.readouterr().err
    with jobs.named_steps("chapter", show=False) as at:
        at("Reliability")
    assert capsys.readouterr().err == ""
