"""The engine against itself: derivatives against differences, a batch against single fits, and what must not matter."""

from __future__ import annotations

import copy
import doctest
import importlib
import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from semfit import score_tests
from semfit.constraints import Equation, reduction
from semfit.derivatives import hessian, meat
from semfit.errors import DataError
from semfit.estimate import Moments, evaluate
from semfit.scoring import fit_batch
from semfit.syntax import parse

MODEL = """
  f =~ x1 + a*x2 + x3
  g =~ y1 + a*y2 + y3      # the same loading in both
  h =~ f + 1*g
  y1 ~~ x1
  z ~ b*f + w
  ab := a * b^2 - sqrt(a)
"""


def survey(n=400, seed=5, groups=True) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    h = rng.normal(size=n)
    f, g = h + 0.7 * rng.normal(size=n), 0.8 * h + 0.7 * rng.normal(size=n)
    data = pd.DataFrame({f"x{i}": f * s + rng.normal(size=n) for i, s in enumerate([1, 0.8, 1.2], 1)})
    for i, s in enumerate([1, 0.8, 0.6], 1):
        data[f"y{i}"] = g * s + rng.normal(size=n)
    data["w"] = rng.normal(size=n)
    data["z"] = 0.5 * f + 0.3 * data["w"] + rng.normal(size=n)
    if groups:
        data["group"] = np.where(rng.random(n) < 0.4, "b", "a")
    return data


CASES = {
    "ml": {},
    "means": {"meanstructure": True},
    "groups": {"group": "group", "group_equal": ["loadings", "intercepts"]},
    "gaps": {"missing": "fiml"},
    "gaps in groups": {"missing": "fiml", "group": "group", "group_equal": ["loadings"]},
}


@pytest.mark.parametrize("case", CASES)
def test_gradient_and_hessian_are_the_derivatives(case):
    data = survey()
    if "gaps" in case:
        rng = np.random.default_rng(1)
        for c in ("x1", "y2", "z"):
            data.loc[rng.random(len(data)) < 0.15, c] = np.nan
    extra = "h ~ 0*1" if "intercepts" in CASES[case].get("group_equal", ()) else ""  # only f and g may differ
    fit = sc.fit(MODEL + extra, data, **CASES[case])
    model, moments = fit.solution.model, fit.solution.data
    theta = fit.solution.theta + 0.03 * np.cos(np.arange(model.npar))  # away from the minimum
    eye, step = np.eye(model.npar), 1e-5

    def value(t):
        return evaluate(model, moments, t[None], information=False)[0][0]

    def gradient(t):
        return evaluate(model, moments, t[None], information=False)[1][0]

    by_differences = [(value(theta + step * e) - value(theta - step * e)) / (2 * step) for e in eye]
    np.testing.assert_allclose(gradient(theta), by_differences, atol=1e-7)
    second = np.array([(gradient(theta + step * e) - gradient(theta - step * e)) / (2 * step) for e in eye])
    np.testing.assert_allclose(hessian(model, moments, theta), second, atol=1e-6)
    if case == "gaps":  # the mean score is the gradient, so the meat has the same null direction
        B = meat(model, moments, fit.solution.theta, 0, fit.solution.raw[0][0])
        assert np.linalg.eigvalsh(B)[0] > 0


def test_expected_information_is_the_mean_hessian_at_the_model():
    fit = sc.fit(MODEL, survey())
    Sigma = fit.implied()["cov"].to_numpy()
    at_model = Moments([Sigma[None]], None, [400.0])
    np.testing.assert_allclose(
        evaluate(fit.solution.model, at_model, fit.solution.theta[None])[2][0],
        hessian(fit.solution.model, at_model, fit.solution.theta),
        atol=1e-9,
    )


def test_a_batch_is_the_single_fits():
    data = survey(groups=False)
    fit = sc.fit(MODEL, data, fixed_x=False)
    rng = np.random.default_rng(2)
    ov = fit.solution.model.ov
    frames = [data[ov].iloc[rng.integers(0, 400, 400)].reset_index(drop=True) for _ in range(6)]
    S = np.array([f.cov().to_numpy() * 399 / 400 for f in frames])
    theta, F, converged = fit_batch(fit.solution.model, S, None, 400, fit.solution.theta)
    assert converged.all()
    for k, frame in enumerate(frames):
        single = sc.fit(MODEL, frame, fixed_x=False)
        np.testing.assert_allclose(single.solution.theta, theta[k], atol=1e-6)
        s = fit.solution.model.scale[: len(ov)]
        chisq = 2 * 400 * (F[k] - (np.linalg.slogdet(S[k] / np.outer(s, s))[1] + len(ov)) / 2)
        assert chisq == pytest.approx(single.measures["chisq"], abs=1e-8)


def test_order_and_units_of_the_columns_do_not_matter():
    data = survey(groups=False)
    plain = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nz ~ f + g + w"
    fit = sc.fit(plain, data)
    units = {c: 10.0 ** (k % 7 - 3) for k, c in enumerate(data.columns)}
    twin = sc.fit(plain, (data * pd.Series(units))[data.columns[::-1]])
    assert twin.measures["chisq"] == pytest.approx(fit.measures["chisq"], rel=1e-9)
    np.testing.assert_allclose(twin.estimates["std_all"], fit.estimates["std_all"], atol=1e-9)
    np.testing.assert_allclose(twin.estimates["z"], fit.estimates["z"], rtol=1e-8)


def test_full_information_without_gaps_is_maximum_likelihood():
    data = survey(groups=False)
    a = sc.fit(MODEL, data, missing="fiml", information="expected")
    b = sc.fit(MODEL, data, meanstructure=True)
    np.testing.assert_allclose(a.estimates[["est", "se"]], b.estimates[["est", "se"]], atol=1e-7)
    for m in ("chisq", "logl", "baseline_chisq", "aic", "srmr"):
        assert a.measures[m] == pytest.approx(b.measures[m], abs=1e-6)


def test_covariance_input_is_the_rows():
    data = survey(groups=False)
    ov = ["x1", "x2", "x3", "y1", "y2", "y3", "z", "w"]
    a, b = sc.fit(MODEL, data), sc.fit(MODEL, sample_cov=data[ov].cov(), n_obs=400)
    np.testing.assert_allclose(a.estimates[["est", "se"]], b.estimates[["est", "se"]], atol=1e-9)
    assert a.measures["aic"] == pytest.approx(b.measures["aic"])


def test_defined_parameters_and_linear_constraints():
    data = survey(groups=False)
    fit = sc.fit(MODEL + "\n a == 0.4 + 2*b - 3*b", data)
    est = fit.estimates.set_index("label")["est"]
    assert est["a"].iloc[0] == pytest.approx(0.4 - est["b"])
    assert est["ab"] == pytest.approx(est["a"].iloc[0] * est["b"] ** 2 - np.sqrt(est["a"].iloc[0]))
    free = sc.fit(MODEL, data)
    assert fit.df == free.df + 1 and fit.measures["chisq"] > free.measures["chisq"]
    # the delta method by hand
    names, V = list(free.vcov.columns), free.vcov.to_numpy()
    place = [names.index("a"), names.index("b")]
    rows = free.estimates.set_index("label")
    a, b = rows.loc["a", "est"].iloc[0], rows.loc["b", "est"]
    d = np.array([b**2 - 0.5 / np.sqrt(a), 2 * a * b])
    assert rows.loc["ab", "se"] == pytest.approx(np.sqrt(d @ V[np.ix_(place, place)] @ d), rel=1e-8)


def test_modification_indices_foretell_the_refit():
    data = survey(groups=False)
    data["x3"] += 0.4 * data["y3"]
    base = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
    fit = sc.fit(base, data)
    top = fit.modification_indices().iloc[0]
    other = sc.fit(base + f"\n{top['lhs']} {top['op']} {top['rhs']}", data)
    gain = fit.measures["chisq"] - other.measures["chisq"]
    assert top["mi"] == pytest.approx(gain, rel=0.25)
    key = (other.estimates[["lhs", "op", "rhs"]] == top[["lhs", "op", "rhs"]].to_list()).all(axis=1)
    assert other.estimates.loc[key, "est"].iloc[0] == pytest.approx(top["epc"], rel=0.35)
    assert {"x3", "y3"} & set(fit.residuals().iloc[0][["lhs", "rhs"]])


def test_a_planted_intercept_is_found():
    data = survey(1200)
    data.loc[data["group"] == "b", "x2"] += 0.6
    model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
    ladder = sc.invariance(model, data, "group")
    table = ladder.table
    assert list(table.index) == ["configural", "metric", "scalar", "strict"]
    assert table.loc["metric", "delta_pvalue"] > 0.01 > table.loc["scalar", "delta_pvalue"]
    worst = ladder.score_tests.iloc[0]
    assert (worst["level"], worst["lhs"], worst["op"]) == ("scalar", "x2", "~1") and worst["group"] == "b"
    assert worst["epc"] == pytest.approx(0.6, abs=0.25)
    released = sc.invariance(model, data, "group", group_partial="x2 ~ 1")
    assert released.table.loc["scalar", "delta_pvalue"] > 0.01
    assert released.table.loc["scalar", "delta_df"] == table.loc["scalar", "delta_df"] - 1
    means = ladder.fits["scalar"].estimates.query("op == '~1' and lhs == 'f'")
    assert means["se"].isna().tolist() == [True, False]  # the first group is the reference
    again = pickle.loads(pickle.dumps(ladder.table))
    assert again.equals(table)


def test_score_tests_of_three_groups_are_near_the_refits():
    data = survey(900).assign(group=lambda d: np.resize(["a", "b", "c"], len(d)))
    data.loc[data["group"] == "c", "x3"] *= 1.4
    model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
    fit = sc.fit(model, data, group="group", group_equal="loadings")
    worst = score_tests(fit).table.iloc[0]
    assert (worst["rhs"], worst["group"], worst["df"]) == ("x3", "c", 2.0)
    free = sc.fit(model, data, group="group", group_equal="loadings", group_partial="f =~ x3")
    row = sc.compare(fit, free, names=["equal", "free"]).table.loc["equal"]
    assert row["delta_df"] == 2 and row["delta_chisq"] == pytest.approx(worst["chisq"], rel=0.2)


def test_scaled_differences_follow_satorra_and_bentler():
    data = survey(500, groups=False).pipe(lambda d: np.sign(d) * d.abs() ** 1.5)
    free, equal = (sc.fit(f"f =~ x1 + {m}x2 + {m}x3\ng =~ y1 + y2 + y3", data, estimator="MLR") for m in ("", "1*"))
    a, b = free.measures, equal.measures
    cd = (b["df"] * b["chisq_scaling_factor"] - a["df"] * a["chisq_scaling_factor"]) / (b["df"] - a["df"])
    assert sc.compare(equal, free).table.iloc[1]["delta_chisq"] == pytest.approx((b["chisq"] - a["chisq"]) / cd)


def test_results_pickle_copy_and_print():
    data = survey()
    fit = sc.fit(MODEL, data, missing="fiml")
    for twin in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
        assert twin.estimates.equals(fit.estimates) and twin.measures.equals(fit.measures)
    page = fit._repr_html_()
    for word in ("Loadings", "RMSEA", "n = 400", "=~", "Defined parameters"):
        assert word in page
    assert "chi-square" in repr(fit)
    many = sc.fit("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3", data, group="group", estimator="MLR")
    assert "(a)" in repr(many) or "(b)" in repr(many)
    assert "robust CFI" in many._repr_html_()


def test_groups_by_covariance_and_by_rows_agree():
    data = survey()
    model, names = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3", ["x1", "x2", "x3", "y1", "y2", "y3"]
    order = list(dict.fromkeys(data["group"]))
    parts = {g: data.loc[data["group"] == g, names] for g in order}
    a = sc.fit(model, data, group="group", group_equal=["loadings", "intercepts"])
    b = sc.fit(
        model,
        sample_cov={g: d.cov() for g, d in parts.items()},
        sample_mean={g: d.mean() for g, d in parts.items()},
        n_obs=[len(d) for d in parts.values()],
        group_equal=["loadings", "intercepts"],
    )
    assert a.groups == b.groups == order
    np.testing.assert_allclose(a.estimates["est"], b.estimates["est"], atol=1e-8)


def test_syntax_reads_what_it_should():
    parsed = parse("""
      f1 + f2 =~ x1 + a*x2 +   # goes on
                 NA*x3 + b*x3 ; y ~ 1 + start(-.5)*x1
      x1 ~~ c(0, NA)*x2 ! note
      y ~ "two words"*x2 + -1e-2*x4
      d := -a^2 + exp(b)/(1 + a)
    """)
    rows = {(t.lhs, t.op, t.rhs): t for t in parsed.terms}
    assert [t.lhs for t in parsed.terms[:6]] == ["f1"] * 3 + ["f2"] * 3
    assert rows["f2", "=~", "x2"].label == ["a"] and np.isnan(rows["f1", "=~", "x3"].fixed[0])
    assert rows["f1", "=~", "x3"].label == ["b"] and ("y", "~1", "") in rows
    assert rows["y", "~", "x1"].start == [-0.5] and rows["y", "~", "x4"].fixed == [-0.01]
    assert rows["y", "~", "x2"].label == ["two words"]
    np.testing.assert_equal(rows["x1", "~~", "x2"].fixed, [0.0, np.nan])
    value = parsed.defined[0][1].value({"a": 2.0, "b": 0.0})
    assert value == pytest.approx(-4 + 1 / 3)


def test_a_million_rows_cost_little_more_than_their_covariance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200_000, 1)) + rng.normal(size=(200_000, 6))
    data = pd.DataFrame(x, columns=[f"x{i}" for i in range(6)])
    fit = sc.fit("f =~ x0 + x1 + x2 + x3 + x4 + x5", data, estimator="MLR")
    assert fit.converged and fit.measures["chisq_scaling_factor"] == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(fit.estimates["est"], 1, atol=0.02)


@pytest.mark.parametrize("module", [importlib.import_module(f"semfit.{m}") for m in ("fitting", "nested")])
def test_examples_in_the_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0


def test_a_model_without_free_parameters_is_only_tested():
    data = survey(groups=False)[["x1", "x2"]]
    fit = sc.fit("x1 ~~ 2*x1 + 0.5*x2\nx2 ~~ 2*x2", data)
    assert fit.converged and fit.measures["df"] == 3 and fit.estimates["est"].tolist() == [2.0, 0.5, 2.0]


def test_groups_may_differ_in_what_is_fixed():
    data = survey()
    fit = sc.fit("f =~ x1 + x2 + x3\nf ~ c(0, NA)*1 + c('', m)*1\nx1 ~ c(i, i)*1\nd := 2*m", data, group="group")
    est = fit.estimates
    means = est[(est["lhs"] == "f") & (est["op"] == "~1")]
    assert means["est"].iloc[0] == 0 and means["label"].tolist() == ["", "m"] and means["se"].iloc[1] > 0
    assert est["est"].iloc[-1] == pytest.approx(2 * means["est"].iloc[1])
    with pytest.raises(ValueError, match="mixes labels and numbers"):
        sc.fit("f =~ x1 + x2 + x3\nf ~ c(0, m)*1", data, group="group")


def test_a_shared_label_in_groups_is_pointed_out():
    fit = sc.fit("f =~ x1 + a*x2 + x3", survey(), group="group")
    assert np.ptp(fit.estimates.query("label == 'a'")["est"]) == 0
    assert any("equal in all of them: a" in w for w in fit.warnings)


def test_factor_scores_keep_the_order_of_the_rows():
    data = survey(60)
    data.index = [f"r{k}" for k in range(60)][::-1]
    data.iloc[3, 0] = np.nan
    model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
    scores = sc.fit(model, data, group="group", group_equal=["loadings", "intercepts"]).factor_scores()
    assert list(scores.index) == [i for k, i in enumerate(data.index) if k != 3]
    assert np.corrcoef(scores["f"], data["x1"].drop("r56"))[0, 1] > 0.5
    assert len(sc.fit(model, data, missing="fiml").factor_scores()) == 60


def test_a_latent_mean_named_in_group_partial_is_released():
    rng = np.random.default_rng(11)
    f = rng.normal(size=(400, 2)) + np.repeat([[0.0, 0.0], [0.0, 0.8]], 200, axis=0)
    data = pd.DataFrame({f"{'vt'[k]}{i}": f[:, k] + rng.normal(size=400) for k in (0, 1) for i in (1, 2, 3)})
    data["school"] = np.repeat(["a", "b"], 200)
    model = "v =~ v1 + v2 + v3; t =~ t1 + t2 + t3"
    equal = ("loadings", "intercepts", "means")
    held = sc.fit(model, data, group="school", group_equal=equal)
    free = sc.fit(model, data, group="school", group_equal=equal, group_partial=["t ~ 1"])
    means = free.estimates.query("op == '~1' and lhs in ['v', 't'] and group == 2").set_index("lhs")["est"]
    assert held.measures["df"] - free.measures["df"] == 1
    assert means["v"] == 0 and 0.5 < means["t"] < 1.1


def test_elimination_keeps_every_equation_and_nothing_more():
    rng = np.random.default_rng(6)
    R = rng.integers(-2, 3, size=(6, 11)) * (rng.random((6, 11)) < 0.4).astype(float)
    R[4] = R[0] + R[1]  # says nothing new
    values = R @ rng.standard_normal(11)
    found = [Equation({k: v for k, v in enumerate(row) if v}, b, "e") for row, b in zip(R, values, strict=True)]
    rows = [SimpleNamespace(free=k) for k in range(11)]
    K, c = reduction(found, rows)
    assert K.shape == (11, 11 - np.linalg.matrix_rank(R)) == (11, np.linalg.matrix_rank(K))
    free = K @ rng.standard_normal((K.shape[1], 20)) + c[:, None]
    assert np.allclose(R @ free, values[:, None], atol=1e-10)
    with pytest.raises(DataError, match="e contradicts other constraints"):
        reduction([*found, Equation(found[0].coefficients, found[0].value + 1, "e")], rows)
