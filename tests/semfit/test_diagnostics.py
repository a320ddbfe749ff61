"""Residual z, score tests and factor scores against lavaan 0.6-14 and against what must hold; see sem_diagnostics.R."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.correction import corrected, h1_information
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


def test_the_robust_factor_with_gaps_and_a_constraint():
    """V6 of Zhang & Savalei (2023) with the derivatives of the moments taken by differences along the constraint.

    lavaan 0.6-14 prints another TLI and RMSEA here. In 700 samples of 2000 rows from a model with this constraint (gaps
    in three of four variables) the complete-data chi-square, one degree of freedom, had mean 1.72 (standard error .10);
    this factor had mean 1.66, lavaan's about 1.05.
    """
    rng = np.random.default_rng(1)
    age = rng.normal(size=500)
    a1 = 0.4 * age + rng.normal(size=500)
    a2 = 0.5 * a1 + rng.normal(size=500)
    data = pd.DataFrame({"y": 0.6 * a1 + 0.4 * a2 + rng.normal(size=500), "a1": a1, "a2": a2, "age": age})
    for c, share in (("a1", 0.3), ("a2", 0.25), ("y", 0.2)):
        data.loc[rng.random(500) < share, c] = np.nan
    fit = semfit.fit("y ~ p1*a1 + p2*a2 + p3*age\np1 + p2 == 1", data, missing="fiml", fixed_x=False)
    solution = fit.solution
    (info,) = h1_information(solution)

    def moments(theta):
        C, mean = solution.at(solution.data, theta).implied(0)
        at, s = info.moments, solution.model.scale
        return np.concatenate([(C / np.outer(s, s))[at.a, at.b], (mean / s)[at.e]])

    step = 1e-6 * np.eye(fit.npar)
    D = np.array([(moments(solution.theta + s) - moments(solution.theta - s)) / 2e-6 for s in step]).T
    W, Wc = info.factor @ info.factor.T, info.complete(np.eye(len(info.moments)))
    left = np.linalg.inv(W) - D @ np.linalg.inv(D.T @ W @ D) @ D.T
    assert corrected(solution, [info])["factor"] == pytest.approx(np.trace(Wc @ left) / fit.df, rel=1e-6)


# -- the cases that came out wrong -----------------------------------------------------------------------------------
def test_residual_of_a_path_model_with_a_fixed_predictor_sees_the_misfit():
    """Full mediation that leaves out a direct path: z is near the root of the chi-square with one df."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=250)
    m = 0.5 * x + rng.normal(size=250)
    data = pd.DataFrame({"x": x, "m": m, "y": 0.4 * m + 0.25 * x + rng.normal(size=250)})
    for options in ({}, {"fixed_x": False}, {"estimator": "MLR"}):
        fit = semfit.fit("m ~ x\ny ~ m", data, **options)
        z = fit.residuals().iloc[0]
        assert {z["lhs"], z["rhs"]} == {"y", "x"}
        assert z["z"] == pytest.approx(np.sqrt(fit.measures["chisq"]), rel=0.15)


def test_residual_z_has_the_spread_of_a_standard_normal():
    """A small version of benchmarks/residual_z.py: fixed predictor, groups with equalities, gaps."""
    rng = np.random.default_rng(6)
    found: dict[str, list] = {"fixed": [], "groups": [], "gaps": []}
    for _ in range(60):
        n = 300
        x, f = rng.normal(size=n), rng.normal(size=n)
        data = pd.DataFrame({f"f{k}": f + rng.normal(size=n) for k in range(1, 5)} | {"x": x})
        data["y"] = 0.5 * f - 0.3 * x + rng.normal(size=n)
        data["g"] = np.resize(["a", "b", "b"], n)
        found["fixed"].append(semfit.fit("f =~ f1 + f2 + f3 + f4\ny ~ f + x", data).residuals()["z"])
        tied = semfit.fit("f =~ f1 + f2 + f3 + f4", data, group="g", group_equal=("loadings", "intercepts"))
        found["groups"].append(tied.residuals()["z"])
        data.loc[rng.random(n) < 0.4, "f2"] = np.nan
        data.loc[rng.random(n) < 0.3, "y"] = np.nan
        fit = semfit.fit("f =~ f1 + f2 + f3 + f4\ny ~ f + x", data, missing="fiml")
        found["gaps"].append(fit.residuals()["z"])
    for name, z in found.items():
        pooled = pd.concat(z)
        pooled = pooled[pooled != 0].dropna()
        assert 0.9 < pooled.std() < 1.1, name
        assert 0.025 < (pooled.abs() > 1.96).mean() < 0.085, name


def three_groups(shift: float) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    parts = []
    for g in ("one", "two", "three"):
        f = rng.normal(size=(300, 1))
        x = pd.DataFrame(f + rng.normal(size=(300, 4)), columns=["x1", "x2", "x3", "x4"]).assign(g=g)
        parts.append(x.assign(x3=x["x3"] + (shift if g == "two" else 0.0)))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_the_group_that_differs_most_is_named_whichever_way_it_differs(shift):
    model, equal = "f =~ x1 + x2 + x3 + x4", ("loadings", "intercepts")
    fit = semfit.fit(model, three_groups(shift), group="g", group_equal=equal)
    first = semfit.score_tests(fit, op="~1").table.iloc[0]
    assert (first["lhs"], first["group"], first["df"]) == ("x3", "two", 2.0)
    assert np.sign(first["epc"]) == np.sign(shift)


@pytest.mark.parametrize("estimator", ["ML", "MLR"])
def test_residual_means_of_equal_intercepts_have_a_z(estimator):
    """The shifted item stands out, and for normal answers the robust z is that of normal theory."""
    model, equal = "f =~ x1 + x2 + x3 + x4", ("loadings", "intercepts")
    data = three_groups(0.6)
    table = semfit.fit(model, data, group="g", group_equal=equal, estimator=estimator).residuals()
    means = table[table["op"] == "~1"].set_index(["lhs", "group"])["z"]
    plain = (
        semfit.fit(model, data, group="g", group_equal=equal)
        .residuals()
        .query("op == '~1'")
        .set_index(["lhs", "group"])
    )
    assert len(means) == 12 and np.isfinite(means).all() and means.abs().idxmax() == ("x3", 2)
    np.testing.assert_allclose(means, plain["z"].loc[means.index], rtol=0.2, atol=0.15)
