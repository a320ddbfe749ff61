"""Equality constraints that are not linear: lavaan's numbers (tests/reference/sem_curved.R), and what has no reference."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit.errors import DataError, ModelSyntaxError

HERE = Path(__file__).parents[1] / "reference"
CASES = json.loads((HERE / "sem_curved.json").read_text(encoding="utf8"))["cases"]
BASE = "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + e*x6\nspeed =~ x7 + x8 + x9\n"


@cache
def data_set(name: str = "hs") -> pd.DataFrame:
    return pd.read_csv(HERE / "data" / f"sem_{name}.csv")


@cache
def fitted(name: str) -> semfit.Fit:
    case = CASES[name]
    return semfit.fit(case["model"], data_set(case["set"]), **dict(case["options"] or {}))


def held(model: str, **options) -> semfit.Fit:
    return semfit.fit(model, data_set(), **options)


def labels(fit: semfit.Fit) -> pd.Series:
    table = fit.estimates
    return table[table["label"] != ""].drop_duplicates("label").set_index("label")["est"]


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_lavaans(name):
    case, fit = CASES[name], fitted(name)
    assert fit.converged and not fit.warnings
    theirs = pd.DataFrame(case["estimates"])
    theirs["rhs"] = np.where(theirs["op"] == ":=", "", theirs["rhs"])
    theirs["std"] = pd.DataFrame(case["standardized"]).query("op != '=='")["est.std"].to_numpy()
    ours = fit.estimates.assign(rhs=lambda t: t["rhs"].where(t["op"] != ":=", ""))
    keys = ["lhs", "op", "rhs"] + (["group"] if case["groups"] else [])
    both = ours.merge(theirs, on=keys, suffixes=("", "_lavaan"))
    assert len(both) == len(theirs) == len(ours)
    np.testing.assert_allclose(both["est"], both["est_lavaan"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(both["std_all"], both["std"], rtol=1e-4, atol=1e-4)
    known = both["se_lavaan"] > 0
    np.testing.assert_allclose(both["se"][known], both["se_lavaan"][known], rtol=1e-4, atol=1e-9)
    want = {k.replace(".", "_"): v for k, v in case["measures"].items()}
    shared = [k for k in fit.measures.index if want.get(k) is not None]
    assert {"npar", "df", "chisq", "cfi", "rmsea", "aic", "srmr"} <= set(shared)
    np.testing.assert_allclose(fit.measures[shared], [want[k] for k in shared], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [n for n in CASES if "released" in CASES[n]])
def test_score_tests_are_lavaans(name):
    want = CASES[name]["released"]
    one = {k: v if isinstance(v, list) else [v] for k, v in want.items()}
    ours = fitted(name).score_tests().table.query("op == '=='").set_index(["lhs", "rhs"])
    assert len(ours) == len(one["lhs"])
    for lhs, rhs, chisq, p in zip(one["lhs"], one["rhs"], one["chisq"], one["pvalue"], strict=True):
        assert ours.loc[(lhs, rhs), "chisq"] == pytest.approx(chisq, rel=1e-4, abs=1e-5)
        assert ours.loc[(lhs, rhs), "pvalue"] == pytest.approx(p, abs=1e-4)


def test_a_score_test_foretells_the_difference():
    fit, free = fitted("product"), held(CASES["product"]["model"].replace("a*b == c", ""))
    row = fit.score_tests().table.iloc[0]
    drop = fit.measures["chisq"] - free.measures["chisq"]
    assert row["chisq"] == pytest.approx(drop, rel=0.4)
    assert semfit.compare(fit, free).table["delta_df"].iloc[1] == 1
    value = labels(free)
    assert np.sign(row["epc"]) == np.sign(value["a"] * value["b"] - value["c"])


def test_the_same_model_written_another_way():
    root = held(BASE + "sqrt(a) == b").measures["chisq"]
    assert held(BASE + "a == b*abs(b)").measures["chisq"] == pytest.approx(root, abs=1e-6)
    assert held(BASE + "log(a) == 2*log(b)").measures["chisq"] == pytest.approx(root, abs=1e-6)
    linear = held(BASE + "a == b").measures
    curved = held(BASE + "a^3 == b^3").measures
    assert curved["chisq"] == pytest.approx(linear["chisq"], abs=1e-6) and curved["df"] == linear["df"]


def test_modification_indices_and_residuals_are_those_of_the_same_linear_model():
    linear, curved = held(BASE + "a == b"), held(BASE + "exp(a) == exp(b)")
    key = ["lhs", "op", "rhs"]
    both = linear.modification_indices().merge(curved.modification_indices(), on=key)
    assert len(both) == len(linear.modification_indices())
    np.testing.assert_allclose(both["mi_x"], both["mi_y"], rtol=1e-5, atol=1e-6)
    both = linear.residuals().merge(curved.residuals(), on=key)
    np.testing.assert_allclose(both["z_x"], both["z_y"], rtol=1e-4, atol=1e-5)


def test_a_constraint_may_identify_a_latent():
    marker = held("f =~ x1 + x2 + x3 + x4")
    circle = held("f =~ NA*x1 + l1*x1 + l2*x2 + l3*x3 + l4*x4\nl1^2 + l2^2 + l3^2 + l4^2 == 4")
    assert circle.measures["chisq"] == pytest.approx(marker.measures["chisq"], abs=1e-6)
    assert (labels(circle) ** 2).sum() == pytest.approx(4, abs=1e-9)
    with pytest.raises(semfit.NotIdentifiedError, match="cannot determine"):
        held("f =~ NA*x1 + l1*x1 + l2*x2 + l3*x3 + l4*x4\nl1*l2 == l3^2")


@pytest.mark.parametrize("unit", [1e3, 1e-3, 1e-6])
def test_units_do_not_matter(unit):
    scaled = data_set().assign(x2=lambda d: unit * d["x2"], x5=lambda d: unit * d["x5"])
    fit = semfit.fit(CASES["product"]["model"], scaled)
    assert fit.measures["chisq"] == pytest.approx(fitted("product").measures["chisq"], rel=1e-7)
    one, other = (f.score_tests().table["chisq"][0] for f in (fit, fitted("product")))
    assert one == pytest.approx(other, rel=1e-4)
    values = labels(fit)
    assert values["a"] * values["b"] == pytest.approx(values["c"], rel=1e-10)


def test_of_two_branches_the_lower_is_taken():
    a, b = (held(BASE.replace(f"{label}*", "0*")).measures["chisq"] for label in "ab")
    either = held(BASE + "a*b == 0")
    assert either.measures["chisq"] == pytest.approx(min(a, b), abs=1e-5)
    c, e = (held(BASE.replace(f"{label}*", "0*")).measures["chisq"] for label in "ce")
    assert held(BASE + "c*e == 0").measures["chisq"] == pytest.approx(min(c, e), abs=1e-5)


def test_every_resample_meets_the_constraint_and_is_at_its_minimum():
    model = BASE + "a*b == c\nspeed ~ visual"
    fit = held(model, fixed_x=False)
    boot = fit.bootstrap(60, seed=3)
    draws = boot.draws
    assert boot.n_converged == 60
    product = draws["visual =~ x2"] * draws["visual =~ x3"]
    np.testing.assert_allclose(product, draws["textual =~ x5"], atol=1e-8)
    assert draws["visual =~ x2"].std() > 0.02
    samples = [data_set().sample(frac=1, replace=True, random_state=k) for k in range(3)]
    refits = semfit.refit(fit, samples)
    for k, sample in enumerate(samples):
        one = semfit.fit(model, sample, fixed_x=False)
        assert refits.measures["chisq"][k] == pytest.approx(one.measures["chisq"], abs=1e-4)
        np.testing.assert_allclose(refits.estimates.iloc[k], one.estimates["est"], atol=1e-4)


def test_bootstrap_and_delta_method_agree_where_rows_are_many():
    rng = np.random.default_rng(5)
    f, g = rng.normal(size=(2, 3000))
    items = {f"x{k}": w * f + rng.normal(size=3000) for k, w in ((1, 1), (2, 0.8), (3, 1.25), (4, 1))}
    items |= {f"y{k}": w * g + rng.normal(size=3000) for k, w in ((1, 1), (2, 1), (3, 0.9))}
    fit = semfit.fit("f =~ x1 + a*x2 + b*x3 + x4\ng =~ y1 + c*y2 + y3\na*b == c", pd.DataFrame(items))
    boot = fit.bootstrap(300, seed=1).estimates.set_index(["lhs", "op", "rhs"])["se"]
    delta = fit.estimates.set_index(["lhs", "op", "rhs"])["se"].dropna()
    assert (boot[delta.index] / delta - 1).abs().max() < 0.2


def test_gaps_can_be_bootstrapped_too():
    holed = data_set().mask(np.random.default_rng(1).random(data_set().shape) < 0.03)
    fit = semfit.fit(BASE + "a*b == c", holed, missing="fiml")
    draws = fit.bootstrap(20, seed=1).draws
    np.testing.assert_allclose(draws["visual =~ x2"] * draws["visual =~ x3"], draws["textual =~ x5"], atol=1e-8)


@pytest.mark.parametrize("more", ["b*a - c == 0", "a == c/b", "2*a*b == 2*c", "a*b == a*b"])
def test_a_constraint_that_others_imply_is_named_and_costs_nothing(more):
    fit = held(f"{BASE}a*b == c\n{more}")
    assert fit.df == 25 and fit.measures["chisq"] == pytest.approx(fitted("product").measures["chisq"], abs=1e-6)
    assert [w for w in fit.warnings if "follows from the others and takes no degree of freedom" in w] == fit.warnings
    assert more.replace(" ", "").split("==")[0] in fit.warnings[0].replace(" ", "")
    assert not fitted("product").warnings


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ("a^2 == -1", "no values of the parameters were found for which the constraint a\\^2 == -1 holds; the nearest"),
        ("a*b == c\na == 0.7\nb == 0.6\nc == 0.5", "no values.*a\\*b == c holds; the nearest.*difference of 0.08"),
        ("sqrt(-1 - a^2) == b", "no values"),
        (
            "(a - b)^2 == 0\na*c == e",
            "the constraint \\(a-b\\)\\^2 == 0 holds, if at all, only where its derivatives are zero",
        ),
        ("exp(a) == 0", "no values of the parameters were found for which the constraint exp\\(a\\) == 0"),
        ("a*q == b", "label 'q' in the constraint is not in the model"),
    ],
)
def test_what_is_impossible_is_said(constraint, message):
    with pytest.raises((DataError, ModelSyntaxError), match=message):
        held(BASE + constraint)


def test_ordered_variables_and_lms_refuse_by_name():
    data = (data_set()[[f"x{k}" for k in range(1, 7)]] > 3).astype(int)
    with pytest.raises(ModelSyntaxError, match="is not linear, which is not there for ordered variables"):
        semfit.fit("f =~ x1 + a*x2 + b*x3 + x4\na == b^2", data, ordered=True)
    model = "f =~ x1 + a*x2 + b*x3\ng =~ x4 + x5 + x6\nh =~ x7 + x8 + x9\nh ~ f + g\na == b^2"
    with pytest.raises(DataError, match="which method='lms' does not take"):
        semfit.latent_interaction(model, data_set(), x="f", moderator="g", y="h", method="lms")
