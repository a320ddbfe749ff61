"""Residual z, score tests and factor scores against lavaan 0.6-14 and against what must hold; see sem_diagnostics.R."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import ImproperSolution, NotConvergedError, UndefinedValue

HERE = Path(__file__).parents[1] / "reference"
BODY = json.loads((HERE / "sem_diagnostics.json").read_text(encoding="utf8"))


@cache
def data_set(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE / "data" / f"sem_{name}.csv")


@cache
def fitted(kind: str, name: str):
    case = BODY[kind][name]
    return semfit.fit(case["model"], data_set(case["set"]), **dict(case["options"] or {}))


# With equalities across groups lavaan counts each group alone; ours has the right spread (benchmarks/residual_z.py).
@pytest.mark.parametrize("name", [n for n in BODY["residuals"] if n != "groups_scalar"])
def test_residual_z_is_lavaans(name):
    table = fitted("residuals", name).residuals()
    table = table.assign(group=table.get("group", 1))
    for k, want in enumerate(BODY["residuals"][name]["z"], 1):
        place = {v: j for j, v in enumerate(want["names"])}
        rows = table[(table["group"] == k) & (table["op"] == "~~")]
        a, b = rows["lhs"].map(place), rows["rhs"].map(place)
        z = np.array(want["cov"], dtype=float)[a, b]
        ours = rows["z"].to_numpy()
        known = np.isfinite(z) & np.isfinite(ours) & (rows["residual"].abs() > 2e-4)
        assert known.sum() > len(z) / 2
        np.testing.assert_allclose(ours[known], z[known], rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", BODY["scores"])
def test_score_tests_are_lavaans(name):
    case = BODY["scores"][name]
    ours = semfit.score_tests(fitted("scores", name)).table
    np.testing.assert_allclose(np.sort(ours["chisq"]), np.sort(case["each"]), rtol=1e-5, atol=1e-5)
    assert (ours["df"] == 1).all()


def test_score_tests_of_a_constraint_foresee_the_refit():
    data = data_set("hs")
    tied = semfit.fit("visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + x6\na == b", data)
    row = semfit.score_tests(tied).table.iloc[0]
    free = semfit.fit("visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + x6", data)
    gain = tied.measures["chisq"] - free.measures["chisq"]
    est = free.estimates.set_index("label")["est"]
    assert (row["op"], row["released"]) == ("==", "a == b")
    assert row["chisq"] == pytest.approx(gain, rel=0.25)
    assert row["epc"] == pytest.approx(est["a"] - est["b"], rel=0.35)
    assert semfit.score_tests(free).table.empty and "no parameters equal" in repr(semfit.score_tests(free))


def test_what_others_imply_cannot_be_released():
    fit = semfit.fit("visual =~ x1 + a*x2 + b*x3 + c*x4\na == b\nb == c\na == c", data_set("hs"))
    assert semfit.score_tests(fit).table.empty  # each of the three follows from the other two


# -- factor scores ---------------------------------------------------------------------------------------------------
def two_groups(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    parts = []
    for g, mean in (("a", 0.0), ("b", 0.6)):
        f = rng.normal(mean, 1, n)
        parts.append(pd.DataFrame({f"x{k}": f + rng.normal(size=n) for k in range(1, 4)}).assign(g=g))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_scores_have_the_latent_means_of_the_groups(method):
    data = two_groups()
    fit = semfit.fit("f =~ x1 + x2 + x3", data, group="g", group_equal=("loadings", "intercepts"))
    means = fit.factor_scores(method)["f"].groupby(data["g"]).mean()
    latent = [m["mean_lv"]["f"] for m in fit.implied()]
    assert latent[1] > 0.3
    np.testing.assert_allclose(means, latent, atol=1e-6)


def test_bartlett_scores_use_what_a_row_has_and_leave_out_predictors_of_latents():
    rng = np.random.default_rng(5)
    x = rng.normal(size=300)
    f = 0.5 * x + rng.normal(size=300)
    data = pd.DataFrame({f"y{k}": f + rng.normal(size=300) for k in range(1, 5)} | {"x": x})
    model = "f =~ y1 + y2 + y3 + y4\nf ~ x"
    fit = semfit.fit(model, data)
    moved = data.assign(x=-x)
    other = semfit.fit(model, moved)
    np.testing.assert_allclose(fit.factor_scores("bartlett"), other.factor_scores("bartlett"), atol=1e-5)
    assert not np.allclose(fit.factor_scores(), semfit.fit("f =~ y1 + y2 + y3 + y4", data).factor_scores(), atol=1e-2)
    gaps = data[["y1", "y2", "y3", "y4"]].copy()
    gaps.loc[:99, "y2"] = np.nan
    gaps.loc[0, ["y1", "y3"]] = np.nan
    scores = semfit.fit("f =~ y1 + y2 + y3 + y4", gaps, missing="fiml").factor_scores("bartlett")
    assert scores["f"].notna().all()
    assert np.corrcoef(scores["f"], f)[0, 1] > 0.8


# -- what must not be given out --------------------------------------------------------------------------------------
def test_a_fit_that_did_not_converge_refuses_what_needs_a_minimum():
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(60, 6)), columns=[f"x{k}" for k in range(1, 7)])
    fit = semfit.fit("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6", data)
    stuck = semfit.Fit(
        type(fit.solution)(
            **{k: getattr(fit.solution, k) for k in fit.solution.__dataclass_fields__} | {"converged": False}
        ),
        text=fit.model,
    )
    for ask in (
        lambda: stuck.r2,
        lambda: stuck.vcov,
        stuck.factor_scores,
        stuck.standardized,
        stuck.modification_indices,
        stuck.residuals,
        stuck.bootstrap,
        lambda: semfit.score_tests(stuck),
    ):
        with pytest.raises(NotConvergedError, match="did not converge"):
            ask()
    table = stuck.estimates
    assert table["est"].notna().all()
    assert table[["se", "z", "pvalue", "ci_lower", "ci_upper", "std_all"]].isna().all().all()
    assert "NOT CONVERGED" in repr(stuck) and isinstance(stuck.warnings[0], semfit.errors.NotConverged)


def test_a_covariance_with_what_does_not_vary_is_named():
    rng = np.random.default_rng(2)
    f = rng.normal(size=300)
    data = pd.DataFrame({f"c{k}": f + rng.normal(size=300) for k in range(1, 4)})
    data["m"] = 0.5 * f + rng.normal(size=300)
    fit = semfit.fit("f =~ c1 + c2 + c3\nsh =~ m\nf ~ sh\nm ~~ c1", data)
    (improper,) = [w for w in fit.warnings if isinstance(w, ImproperSolution) and w.what == "residuals"]
    assert improper.variables == ("m", "c1") and "zero" in improper
    (undefined,) = [w for w in fit.warnings if isinstance(w, UndefinedValue)]
    assert undefined.column == "std_all" and undefined.parameters == ("m~~c1",)
    row = fit.estimates.query("lhs == 'm' and rhs == 'c1'")
    assert row["std_all"].isna().all()
    assert not np.isinf(fit.estimates.select_dtypes(float)).any().any()


def test_a_defined_value_that_does_not_exist_is_named():
    data = two_groups()
    fit = semfit.fit("f =~ x1 + a*x2 + x3\ngone := log(-a)\nfine := log(a)", data)
    (warning,) = [w for w in fit.warnings if isinstance(w, UndefinedValue) and w.column == "est"]
    assert warning.parameters == ("gone",)
    assert fit.estimates.set_index("lhs").loc["gone", "est"] != fit.estimates.set_index("lhs").loc["gone", "est"]
