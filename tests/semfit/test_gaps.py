"""Short ways through data with gaps give what the long ones give: patterns of resamples, inverses by pattern, scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit import correction, missing, saturated
from semfit.estimate import Patterns
from semfit.resampling import RowsByPattern


def rows(n: int = 60, p: int = 7, share: float = 0.3) -> np.ndarray:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + 10
    X[rng.random(X.shape) < share] = np.nan
    return X[~np.isnan(X).all(axis=1)]


def test_a_resample_as_counts_has_the_moments_of_its_rows():
    X = rows()
    center = np.nanmean(X, axis=0)
    drawn = np.random.default_rng(1).integers(len(X), size=(4, len(X)))
    counts = np.array([np.bincount(d, minlength=len(X)) for d in drawn])
    for d, (mask, count, m, S) in zip(drawn, RowsByPattern.of(X).moments(X - center, counts), strict=True):
        long = missing.patterns(X[d])
        for short, found in zip((mask, count, m + center * mask, S), long, strict=True):
            np.testing.assert_allclose(short, found, atol=1e-10)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7])
def test_inverses_by_pattern(share):
    X = rows(share=share)
    p = X.shape[1]
    Sigma = np.cov(np.random.default_rng(3).normal(size=(p, 20)))
    mask, count, m, S = missing.patterns(X)
    data = Patterns([mask], [count], [m], [S], [], [count.sum()])
    W, logdet, ok = data.plan(0, np.ones(p)).inverses(Sigma)
    assert ok.all()
    for k, o in enumerate(mask):
        block = Sigma[np.ix_(o, o)]
        np.testing.assert_allclose(W[k][np.ix_(o, o)], np.linalg.inv(block), atol=1e-9)
        assert np.count_nonzero(W[k]) == o.sum() ** 2 and logdet[k] == pytest.approx(np.linalg.slogdet(block)[1])


def test_what_is_not_positive_definite_is_flagged_by_pattern():
    """Two variables that are one: patterns in which both are observed have no inverse, the others have one."""
    mask = np.array([[1, 1, 1], [1, 0, 1], [0, 1, 1]], bool)
    zero = np.zeros((3, 3))
    data = Patterns([mask], [np.ones(3)], [zero], [np.zeros((3, 3, 3))], [], [3.0])
    Sigma = np.array([[1, 1, 0.2], [1, 1, 0.2], [0.2, 0.2, 1]])
    assert data.plan(0, np.ones(3)).inverses(Sigma)[2].tolist() == [False, True, True]


def survey(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    f = rng.normal(size=n)
    out = pd.DataFrame({f"x{i}": f + rng.normal(size=n) for i in range(1, 5)})
    return out.mask(rng.random(out.shape) < 0.1).assign(g=np.repeat(["a", "b"], n // 2))


MODEL = "f =~ x1 + x2 + x3 + x4"


def test_scores_at_low_rank_are_the_scores():
    """Root of the mean outer product with fewer rows than moments, and with more; the trace is tr(W^-1 J)."""
    for n in (9, 300):  # 14 moments
        fit = semfit.fit(MODEL, survey(300), missing="fiml", estimator="MLR")
        solution = fit.solution
        mu, S, scale = solution.h1.mean[0], solution.h1.cov[0], solution.model.scale[:4]
        X, at = solution.rows[0].values[:n], saturated.MomentList.of(4)
        root = at.root_of_scores(X, mu, S, scale)
        J = sum(s.T @ s for _, s in at.scores(X, mu, S, scale)) / n
        assert len(root) == min(n, 14)
        np.testing.assert_allclose(root.T @ root, J, atol=1e-12)
    (info,) = correction.h1_information(solution)
    W = at.observed(correction.patterns_of(solution.patterns, 0), mu, S, scale)
    assert info.trace == pytest.approx(np.trace(np.linalg.solve(W, info.root.T @ info.root)))


def test_a_ladder_computes_the_saturated_model_once(monkeypatch):
    calls = []
    em = missing.em
    monkeypatch.setattr(missing, "em", lambda *a: calls.append(1) or em(*a))
    ladder = semfit.invariance(MODEL, survey(), "g", missing="fiml", estimator="MLR")
    assert len(calls) == 2  # one a group
    one = semfit.fit(MODEL, survey(), group="g", missing="fiml", estimator="MLR")
    assert len(calls) == 4  # and nothing is kept after it
    assert ladder.table.loc["configural", "rmsea"] == pytest.approx(one.measures["rmsea_robust"], abs=1e-12)
