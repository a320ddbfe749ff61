"""Fisher scoring ends by gradients where one sample is fitted: the same point with fewer information matrices."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit import scoring

MODEL = "a =~ x0 + x1 + x2 + x3\nb =~ x4 + x5 + x6 + x7"


@pytest.fixture(scope="module")
def gaps() -> pd.DataFrame:
    """Items that the model does not fit, and a third of the rows with gaps: scoring alone converges slowly."""
    rng = np.random.default_rng(4)
    f = rng.standard_normal((400, 3)) @ np.array([[1, 0.5, 0], [0, 0.8, 0], [0, 0, 1]])
    x = np.repeat(f[:, :2], 4, axis=1) + 0.8 * rng.standard_normal((400, 8))
    x[:, [0, 1, 4, 5]] += 0.9 * f[:, 2:]
    x[rng.random(x.shape) < 0.08] = np.nan
    return pd.DataFrame(x, columns=[f"x{i}" for i in range(8)])


@pytest.fixture
def counted(monkeypatch):
    """Evaluations with an information matrix, counted."""
    calls = []

    def evaluate(model, data, theta, information=True, bend=False):
        calls.append(information)
        return original(model, data, theta, information, bend)

    original = scoring.evaluate
    monkeypatch.setattr(scoring, "evaluate", evaluate)
    return calls


def failing(model, data, start, information, tolerance):
    return start[None], np.array([np.inf]), np.array([False])


def test_few_information_matrices_and_the_same_estimates(gaps, counted, monkeypatch):
    ahead = semfit.fit(MODEL, gaps, missing="fiml")
    few = sum(counted)
    counted.clear()
    monkeypatch.setattr(scoring, "refit_near", failing)
    alone = semfit.fit(MODEL, gaps, missing="fiml")
    assert ahead.converged and alone.converged
    assert few <= 6 < 10 <= sum(counted)
    assert np.allclose(ahead.solution.theta, alone.solution.theta, rtol=0, atol=1e-6)
    assert ahead.measures["chisq"] == pytest.approx(alone.measures["chisq"], abs=1e-7)


def test_a_higher_point_found_by_gradients_is_not_taken(gaps, monkeypatch):
    def uphill(model, data, start, information, tolerance):
        return start[None] + 0.1, np.array([1e3]), np.array([True])

    honest = semfit.fit(MODEL, gaps, missing="fiml")
    monkeypatch.setattr(scoring, "refit_near", uphill)
    assert np.allclose(semfit.fit(MODEL, gaps, missing="fiml").solution.theta, honest.solution.theta, rtol=0, atol=1e-6)
