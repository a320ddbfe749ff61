"""Bootstraps in blocks and over processes draw what they always drew, and input without fault is taken as it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from semfit import checks, resampling
from switchcost.moderation import resampling as of_moderation


def answers(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    f = rng.normal(size=(n, 2)).repeat(4, axis=1)
    x = np.clip(np.round(3 + f + rng.normal(size=(n, 8))), 1, 5)
    return pd.DataFrame(x, columns=list("abcdefgh"))


def test_counts_in_single_bytes_are_the_counts(monkeypatch):
    x = answers(6000).to_numpy()
    whole = resampling.resampled_covariances(x, 30, np.random.default_rng(1))
    few = resampling.resampled_covariances(x[:700], 30, np.random.default_rng(1))
    long = np.random.default_rng(1)
    np.testing.assert_allclose(few[7], [np.cov(x[long.integers(700, size=700)].T) for _ in range(8)][7], rtol=1e-10)
    # 2^22 // n resamples at once become fewer, as with a million rows
    monkeypatch.setattr(resampling, "CELLS", 6000 * 4)
    np.testing.assert_allclose(resampling.resampled_covariances(x, 30, np.random.default_rng(1)), whole, rtol=1e-12)


def test_moderation_in_blocks(monkeypatch):
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(300), rng.normal(size=(300, 2))])
    y, clusters = X @ [1, 2, 3] + rng.normal(size=300), np.arange(300) // 4
    for which in (None, clusters):
        (whole,) = of_moderation.resampled([(X, y)], 60, 1, which)
        with monkeypatch.context() as m:
            m.setattr(of_moderation, "BLOCK", 64)
            m.setattr(of_moderation, "CELLS", 3000)
            (parts,) = of_moderation.resampled([(X, y)], 60, 1, which)
        np.testing.assert_allclose(parts, whole, rtol=1e-10)


def test_efa_bootstrap_over_processes():
    efa = sc.efa(answers(), 2)
    one, two = efa.bootstrap(40, seed=1), efa.bootstrap(40, seed=1, n_jobs=2)
    pd.testing.assert_frame_equal(one, two, rtol=1e-10)


@pytest.mark.parametrize("value", [np.nan, 2.5])
def test_plain_numbers_are_taken_at_once(monkeypatch, value):
    d = answers()
    d.loc[3, "a"] = value
    monkeypatch.setattr(checks, "_as_float", lambda *_: pytest.fail("looked at column by column"))
    pd.testing.assert_frame_equal(checks.numeric(d), d)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.assign(a=99.0), "constant"),
        (lambda d: d.assign(a=d["a"].replace(5, -99)), "-99"),
        (lambda d: d.assign(a=np.nan), "no values"),
        (lambda d: d.assign(a=d["a"].replace(5, np.inf)), "infinite"),
        (lambda d: d.assign(a=d["a"].astype(str) + "x"), "text"),
    ],
)
def test_what_is_not_plain_is_still_said(change, words):
    with pytest.raises(checks.DataError, match=words):
        checks.numeric(change(answers()))
