"""semopy's fitted models, completed: the same model, read right, refused by name where it cannot be."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import switchcost as sc

semopy = pytest.importorskip("semopy")
pytestmark = pytest.mark.filterwarnings("ignore")

ITEMS = [f"x{i}" for i in range(1, 10)]
TWO = "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + x5 + x6"


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    return semopy.examples.holzinger39.get_data()


def fitted(text, data, kind=semopy.Model, fit=None, **options):
    model = kind(text, **options)
    model.fit(data, **(fit or {}))
    return model


def test_the_reversal_is_seen_in_one_call(answers):
    text = semopy.examples.holzinger39.get_model()
    a, b = (sc.from_semopy(fitted(text, answers, cov_diag=d)) for d in (False, True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        both = sc.compare(a, b, names=["correlated", "independent"])
    table = getattr(both, "table", both)
    assert table["aic_semopy"].round(1).tolist() == [41.4, 35.0]
    assert table["aic"].round(1).tolist() == [7517.5, 7579.7]
    assert table.loc["independent", ["delta_chisq", "delta_df"]].round(1).tolist() == [68.2, 3.0]
    notes = both.attrs["notes"] if isinstance(both, pd.DataFrame) else both.warnings
    assert any("semopy's AIC would choose independent, the real one correlated" in n for n in notes)
    plain = sc.compare(sc.fit(text, answers), b)
    assert "aic_semopy" not in getattr(plain, "table", plain).columns


def test_it_equals_the_same_model_fitted_here(answers):
    text = semopy.examples.holzinger39.get_model()
    ours, bridged = sc.fit(text, answers), sc.from_semopy(fitted(text, answers))
    for measure in ("chisq", "df", "cfi", "tli", "rmsea", "srmr", "aic", "bic", "logl", "npar"):
        assert bridged.measures[measure] == pytest.approx(ours.measures[measure], rel=1e-7), measure
    assert len(bridged.modification_indices()) > 10 and bridged.estimates["ci_lower"].notna().sum() == 21
    bridge = bridged.from_semopy
    assert 0 < bridge.largest < 0.01 and bridge.parameter == "visual =~ x3"
    assert bridge.F_semopy > bridge.F_optimum == pytest.approx(85.3055 / 301, abs=1e-6)
    assert bridge.table["difference"].abs().is_monotonic_decreasing and len(bridge.table) == 21
    assert "largest difference" in repr(bridge) and "visual" in bridge._repr_html_()
    assert bridge.measures.loc["bic"].round(1).tolist() == [119.3, 7595.3]


@pytest.mark.parametrize("kind", ["Model", "ModelMeans"])
@pytest.mark.parametrize(
    ("example", "df"),
    [
        ("holzinger39", 24),
        ("political_democracy", 35),
        ("univariate_regression", 0),
        ("univariate_regression_many", 0),
        ("multivariate_regression", 3),
    ],
)
def test_every_example_of_its_documentation(example, df, kind):
    e = getattr(semopy.examples, example)
    model = fitted(e.get_model(), e.get_data(), getattr(semopy, kind))
    fit = sc.from_semopy(model)
    assert fit.converged and fit.npar == len(model.param_vals) and fit.measures["df"] == df
    assert fit.from_semopy.largest < 0.02 and fit.from_semopy.warnings == ()


def test_outcomes_are_uncorrelated_unless_lavaan_is_mimicked():
    e = semopy.examples.multivariate_regression
    fit = sc.from_semopy(fitted(e.get_model(), e.get_data(), mimic_lavaan=True))
    assert fit.npar == 15 and fit.measures["df"] == 0


def test_its_own_article_is_not_identified():
    e = semopy.examples.example_article
    with pytest.raises(ValueError, match="semopy fitted this model although the data cannot determine it"):
        sc.from_semopy(fitted(e.get_model(), e.get_data()))


def test_what_is_read_differently_is_translated(answers):
    free = sc.from_semopy(
        fitted(
            "visual =~ NA*x1 + x2 + x3\ntextual =~ NA*x4 + NA*x5 + x6\nvisual ~~ 1*visual\ntextual ~~ 1*textual",
            answers,
        )
    )
    plain = sc.fit("visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6", answers)
    assert free.measures["chisq"] == pytest.approx(plain.measures["chisq"]) and "NA*" in free.from_semopy.warnings[0]
    marker = sc.from_semopy(fitted("visual =~ NA*x1 + x2 + x3\ntextual =~ x4 + x5 + x6", answers))
    assert marker.npar == plain.npar and marker.from_semopy.largest < 0.01
    for words in ("START(0.7) a", "start 0.7: a", "BOUND(0, 2) a", "CONSTRAINT(a < b)"):
        same = sc.from_semopy(fitted(f"{TWO}\n{words}", answers))
        assert same.measures["chisq"] == pytest.approx(plain.measures["chisq"]), words
        assert same.from_semopy.largest < 0.01
    for words in ("CONSTRAINT(a = 2*b)", "constraint 'a = 2*b'"):
        held = sc.from_semopy(fitted(f"{TWO}\n{words}", answers))
        est = held.estimates.set_index("label")["est"]
        assert est["a"] == pytest.approx(2 * est["b"]) and held.npar == plain.npar - 1
    curved = sc.from_semopy(fitted(f"{TWO}\nCONSTRAINT(a*b = 0.5)", answers))
    est = curved.estimates.set_index("label")["est"]
    assert est["a"] * est["b"] == pytest.approx(0.5) and curved.npar == plain.npar - 1
    equal = sc.from_semopy(fitted("visual =~ x1 + a*x2 + a*x3\ntextual =~ a*x4 + x5 + x6", answers))
    assert equal.npar == 11 and equal.from_semopy.largest < 0.01
    latent = sc.from_semopy(fitted("DEFINE(latent) g\ng =~ x1 + x2 + x3 + x4", answers))
    assert latent.measures["chisq"] == pytest.approx(sc.fit("g =~ x1 + x2 + x3 + x4", answers).measures["chisq"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("BOUND(0, 0.3) a", r"visual =~ x2 is bounded by \[0, 0.3\] and its best value is 0.559"),
        ("CONSTRAINT(a > b)", "inequality of the model"),
    ],
)
def test_a_bound_that_binds_is_refused(answers, words, says):
    with pytest.raises(ValueError, match=says):
        sc.from_semopy(fitted(f"{TWO}\n{words}", answers))


def test_gaps(answers):
    text = semopy.examples.holzinger39.get_model()
    holed = answers[ITEMS].mask(np.random.default_rng(1).random((len(answers), 9)) < 0.05)
    rows = sc.from_semopy(fitted(text, holed))
    assert rows.n_obs == holed.notna().all(axis=1).sum() < 301 and "pair by pair" in rows.from_semopy.warnings[0]
    full = sc.fit(text, holed, missing="fiml")
    means = sc.from_semopy(fitted(text, holed, semopy.ModelMeans))
    assert means.n_obs == 301 and means.from_semopy.largest < 0.05
    assert means.measures["chisq"] == pytest.approx(full.measures["chisq"], rel=1e-6)


def test_fiml_on_uncentred_rows(answers):
    text = "visual =~ x1 + x2 + x3 + x9"
    raw = sc.from_semopy(fitted(text, answers, fit={"obj": "FIML"}))
    assert "means as zero" in raw.from_semopy.warnings[0] and raw.from_semopy.largest > 0.1
    centred = answers[ITEMS] - answers[ITEMS].mean()
    good = sc.from_semopy(fitted(text, centred, fit={"obj": "FIML"}))
    assert good.from_semopy.warnings == () and good.from_semopy.largest < 0.01
    assert good.measures["chisq"] == pytest.approx(raw.measures["chisq"], rel=1e-6)


def test_from_a_covariance_matrix(answers):
    text = semopy.examples.holzinger39.get_model()
    cov = answers[ITEMS].cov()
    model = semopy.Model(text)
    model.fit(cov=cov, n_samples=301)
    fit = sc.from_semopy(model)
    assert fit.n_obs == 301 and fit.from_semopy.F_optimum == pytest.approx(85.3055 / 301, abs=1e-6)
    model = semopy.Model(text)
    model.fit(cov=cov)
    with pytest.raises(ValueError, match="without a sample size"):
        sc.from_semopy(model)
    assert sc.from_semopy(model, answers).n_obs == 301


def test_other_objectives_are_said(answers):
    fit = sc.from_semopy(fitted("visual =~ x1 + x2 + x3 + x9", answers, fit={"obj": "ULS"}))
    assert "semopy minimised ULS" in fit.from_semopy.warnings[0] and np.isnan(fit.from_semopy.F_semopy)
    single = sc.from_semopy(fitted("f =~ x1\ng =~ x4 + x5 + x6\ng ~ f", answers))
    assert any("x1 ~~ x1 is fixed at 0" in w for w in single.from_semopy.warnings)


def test_what_cannot_be_carried_over_is_refused(answers):
    text = "visual =~ x1 + x2 + x3"
    for thing, says in (
        (semopy.Model(text), "not fitted"),
        ("a text", "takes a fitted semopy.Model, not a str"),
        (semopy.multigroup.multigroup(text + " + x9", answers, "school"), r"sc.fit\(text, data, group="),
        (semopy.Model(text + "\nDEFINE(ordinal) x1"), "not fitted"),
        (semopy.ModelEffects(text), "random effects"),
    ):
        with pytest.raises(ValueError, match=says):
            sc.from_semopy(thing)
    ordinal = semopy.Model(text + " + x9\nDEFINE(ordinal) x1")
    ordinal.last_result = None
    with pytest.raises(ValueError, match=r"declares ordinal variables \(x1\)"):
        sc.from_semopy(ordinal)
    with pytest.raises(ValueError, match="column 'x3' of the semopy model is not in the data"):
        sc.from_semopy(fitted(text, answers), answers.drop(columns="x3"))
