"""The inverse of a factor model's covariance matrix by matrices of the latents' size, against the dense one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.estimate import Moments, entries, evaluate, sample_of, structure

ITEMS = {f: [f"{f}{k}" for k in range(1, 7)] for f in "abc"}
CFA = "\n".join(f"{f} =~ {' + '.join(items)}" for f, items in ITEMS.items())
MODELS = {
    "factors": CFA,
    "paths": CFA + "\nb ~ a\nc ~ a + b",
    "second order": CFA + "\nh =~ a + b + c",
    "observed outcome": CFA + "\nx ~ a",
    "means": CFA + "\na1 ~ 1",
}


def data(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    h = rng.normal(size=n)
    factors = {f: 0.6 * h + 0.7 * rng.normal(size=n) for f in ITEMS}
    items = {v: factors[f] + 0.7 * rng.normal(size=n) for f in ITEMS for v in ITEMS[f]}
    return pd.DataFrame(items).assign(x=factors["a"] + rng.normal(size=n))


@pytest.mark.parametrize("name", MODELS)
def test_it_is_the_inverse(name):
    fit = semfit.fit(MODELS[name], data())
    s, model = fit.solution, fit.solution.model
    theta = s.theta + 0.02 * np.random.default_rng(1).normal(size=(5, model.npar))
    for g in model.groups:
        e = entries(model, g, theta, sample_of(s.data, 0))
        Q, C, _ = structure(model, g, e)
        W, logdet, ok = g.factor.inverse(e, Q[:, :, : len(model.H)])
        Sigma = C[:, : model.n_ov, : model.n_ov]
        np.testing.assert_allclose(W @ Sigma, np.broadcast_to(np.eye(model.n_ov), Sigma.shape), atol=1e-10)
        np.testing.assert_allclose(logdet, np.linalg.slogdet(Sigma)[1], rtol=1e-12)
        assert ok.all()


def test_batches_have_the_numbers_of_single_evaluations():
    fit = semfit.fit(MODELS["paths"], data())
    s, model = fit.solution, fit.solution.model
    theta = s.theta + 0.02 * np.random.default_rng(3).normal(size=(4, model.npar))
    many = Moments([np.repeat(S, 4, axis=0) for S in s.data.S], None, s.data.n)
    batch = evaluate(model, many, theta)
    for b in range(4):
        one = evaluate(model, s.data, theta[b : b + 1])
        for x, y in zip(batch, one, strict=True):
            np.testing.assert_allclose(x[b], y[0], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("model", [CFA + "\na1 ~~ a2", CFA + "\na ~ x", "a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3"])
def test_other_models_keep_the_dense_inverse(model):
    assert all(g.factor is None for g in semfit.fit(model, data()).solution.model.groups)


def test_improper_members_take_the_dense_inverse():
    s = semfit.fit(CFA, data()).solution
    model, g = s.model, s.model.groups[0]
    place = [r.name for r in model.free_rows].index("a1 ~~ a1")
    theta = np.tile(s.theta, (3, 1))
    theta[1, place] = -0.01
    e = entries(model, g, theta, sample_of(s.data, 0))
    Q, C, _ = structure(model, g, e)
    assert g.factor.inverse(e, Q[:, :, : len(model.H)]) is None
    assert g.factor.inverse(e[[0, 2]], Q[[0, 2], :, : len(model.H)]) is not None
    many = Moments([np.repeat(S, 3, axis=0) for S in s.data.S], None, s.data.n)
    F = evaluate(model, many, theta, information=False)[0]
    alone = evaluate(model, s.data, theta[1:2], information=False)[0][0]
    assert F[1] == pytest.approx(alone, rel=1e-12) and np.isfinite(F).all()
    latent = [r.name for r in model.free_rows].index("a ~~ a")
    theta[1] = s.theta
    theta[1, latent] = -1.0
    assert g.factor.inverse(entries(model, g, theta, sample_of(s.data, 0)), Q[:, :, : len(model.H)]) is None
