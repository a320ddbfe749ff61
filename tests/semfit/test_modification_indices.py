"""Every modification index is the score test of its one parameter, and foresees the refit; and the blockwise way."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.estimate import evaluate
from semfit.modification import candidates, cell

ROOT = Path(__file__).parents[2]


def benchmark():
    spec = importlib.util.spec_from_file_location("mi_benchmark", ROOT / "benchmarks" / "modification_indices.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["mi_benchmark"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


BENCHMARK = benchmark()


@pytest.mark.parametrize("seed", range(24))
def test_every_index_is_the_score_test_of_its_parameter(seed):
    found = BENCHMARK.check(BENCHMARK.draw(seed), refits=0)
    assert found["candidates"] > 30 and found["untestable"] == 0
    assert found["largest_error"] < 2e-3


def second_order(n: int = 400) -> tuple[str, pd.DataFrame]:
    rng = np.random.default_rng(4)
    h = rng.normal(size=n)
    columns = {}
    for f in "abc":
        latent = h + 0.7 * rng.normal(size=n)
        columns |= {f"{f}{k}": latent + rng.normal(size=n) for k in (1, 2, 3)}
        if f == "a":
            columns["y"] = 0.4 * h + 0.4 * latent + rng.normal(size=n)
    return "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3\nh =~ A + B + C\ny ~ h + A", pd.DataFrame(columns)


def test_what_stands_in_another_parameters_cell_is_absent():
    model, data = second_order()
    fit = semfit.fit(model, data)
    taken = {cell(r) for r in fit.solution.model.rows if r.free >= 0 or r.exo}
    rows = candidates(fit.solution.model)
    assert not {cell(r) for r in rows} & taken and len({cell(r) for r in rows}) == len(rows)
    keys = set(fit.modification_indices()[["lhs", "op", "rhs"]].itertuples(index=False, name=None))
    assert ("A", "~", "h") not in keys and ("A", "~~", "B") in keys
    for a, b in (("A", "B"), ("A", "C")):
        row = fit.modification_indices().query(f"lhs == '{a}' and op == '~~' and rhs == '{b}'").iloc[0]
        more = semfit.fit(f"{model}\n{a} ~~ {b}", data)
        assert row["mi"] == pytest.approx(fit.measures["chisq"] - more.measures["chisq"], rel=0.15, abs=0.05)


@pytest.mark.parametrize("missing", ["listwise", "fiml"])
def test_the_blockwise_way_is_the_plain_one(missing):
    """The plain way: the model with all candidates as free parameters, and the whole information matrix."""
    model, data = second_order()
    data.loc[:40, "b2"] = np.nan
    fit = semfit.fit(model, data, missing=missing)
    solution = fit.solution
    extra = candidates(solution.model)
    fixed = {(r.lhs, r.op, r.rhs, r.group): r.fixed for r in solution.model.rows if r.free < 0}
    at = [fixed.get((r.lhs, r.op, r.rhs, r.group), 0.0) for r in extra]
    theta = np.concatenate([solution.theta, at])
    _, grad, info = (a[0] for a in evaluate(solution.model.extended(extra), solution.data, theta[None]))
    a, c = slice(0, fit.npar), slice(fit.npar, None)
    left = np.diag(info)[c] - np.einsum("ij,jk,ik->i", info[c, a], np.linalg.inv(info[a, a]), info[c, a])
    left[left < 1e-9 * np.diag(info)[c]] = np.nan  # not to be told from the parameters: absent from the table
    want = {(r.lhs, r.op, r.rhs): v for r, v in zip(extra, fit.n_total * grad[c] ** 2 / left, strict=True)}
    for r in fit.modification_indices().itertuples():
        assert r.mi == pytest.approx(want[r.lhs, r.op, r.rhs], rel=1e-8, abs=1e-9)


def test_a_covariance_fixed_at_zero_is_a_candidate_in_either_order():
    model, data = second_order()
    flat = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3"
    one = semfit.fit(f"{flat}\nA ~~ 0*B", data).modification_indices().iloc[0]
    other = semfit.fit(f"{flat}\nB ~~ 0*A", data).modification_indices().iloc[0]
    assert {one["lhs"], one["rhs"]} == {other["lhs"], other["rhs"]} == {"A", "B"}
    assert one["mi"] == pytest.approx(other["mi"]) and one["mi"] > 50


def test_standardised_changes_are_in_standard_deviations_of_both_variables():
    """Units of the items cancel out, and a refit's standardised estimate is near the expected one."""
    rng = np.random.default_rng(2)
    f = rng.normal(size=(600, 2)) @ np.linalg.cholesky([[1, 0.4], [0.4, 1]]).T
    x = pd.DataFrame(
        np.repeat(f, 3, axis=1) + 0.8 * rng.normal(size=(600, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"]
    )
    x["b1"] += 0.15 * f[:, 0]
    x["z"] = 0.3 * f[:, 1] + rng.normal(size=600)
    x["y"] = 0.5 * f[:, 0] + 0.2 * x["z"] + rng.normal(size=600)
    model = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\ny ~ A\nB ~ z"
    key = ["lhs", "op", "rhs"]
    plain = semfit.fit(model, x).modification_indices().set_index(key)
    scaled = semfit.fit(model, x * [5.0, 1, 1, 20.0, 1, 1, 3.0, 0.1]).modification_indices().set_index(key)
    np.testing.assert_allclose(scaled["sepc_all"].loc[plain.index], plain["sepc_all"], rtol=1e-4)
    for lhs, op, rhs in (("A", "=~", "b1"), ("y", "~", "z"), ("a1", "~~", "a2")):
        refit = semfit.fit(semfit.ModelSpec(model).add(lhs, op, rhs), x).estimates.set_index(key)
        expected = plain.loc[(lhs, op, rhs), "sepc_all"]
        assert refit.loc[(lhs, op, rhs), "std_all"] == pytest.approx(expected, rel=0.35, abs=0.02)
