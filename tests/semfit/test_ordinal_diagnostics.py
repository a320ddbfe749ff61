"""What fits of ordered items can be asked: scores, bootstrap, indices checked by refit, figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import semfit
from semfit.errors import DataError

REFERENCE = Path(__file__).parents[1] / "reference"
STORED = {c["name"]: c for c in json.loads((REFERENCE / "ordinal_fits.json").read_text())}
TWO8 = "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3 + y4\ng ~ f"
COVARIATES = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\ng ~ f + sex\nf ~ age + sex"


def load(name: str) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "data" / f"ordinal_{name}.csv")


# -- factor scores ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [n for n, c in STORED.items() if "scores" in c])
def test_factor_scores_are_lavaans(name):
    case = STORED[name]
    fit = semfit.fit(case["model"], load(case["set"]), **case["options"])
    ours = fit.factor_scores().to_numpy()[:40]
    np.testing.assert_allclose(ours, np.array(case["scores"], dtype=float), atol=1e-3)


@pytest.mark.parametrize("parameterization", ["delta", "theta"])
def test_scores_maximise_the_posterior_density(parameterization):
    data = load("gaps")
    fit = semfit.fit(
        "f =~ x1 + x2 + x3 + x4", data, ordered=True, missing="pairwise", parameterization=parameterization
    )
    scores = fit.factor_scores()
    found = fit.estimates.set_index(["lhs", "op", "rhs"])["est"]
    row = 7
    grid = np.linspace(-4, 4, 4001) * np.sqrt(found["f", "~~", "f"])
    log = -(grid**2) / (2 * found["f", "~~", "f"])
    for item in ("x1", "x2", "x3", "x4"):
        answer = data[item].iloc[row]
        if np.isnan(answer):
            continue
        tau = np.concatenate([[-np.inf], [found[item, "|", f"t{k}"] for k in range(1, 5)], [np.inf]])
        sd = np.sqrt(found[item, "~~", item])
        center = found["f", "=~", item] * grid
        k = int(answer)
        log += np.log(norm.cdf((tau[k] - center) / sd) - norm.cdf((tau[k - 1] - center) / sd))
    assert scores["f"].iloc[row] == pytest.approx(grid[log.argmax()], abs=3e-3)


def test_scores_with_predictors_use_them():
    fit = semfit.fit(COVARIATES, load("covariates"), ordered=["x1", "x2", "x3", "y1", "y3"])
    scores = fit.factor_scores()
    assert len(scores) == 500
    assert np.corrcoef(scores["f"], load("covariates")["age"])[0, 1] > 0.3


LIKELIEST = {c["name"]: c for c in json.loads((REFERENCE / "ordinal_scores.json").read_text())}


@pytest.mark.parametrize("name", LIKELIEST)
def test_bartlett_scores_are_lavaans_where_the_likelihood_has_a_maximum(name):
    case = LIKELIEST[name]
    ours = semfit.fit(case["model"], load(case["set"]), ordered=case["ordered"]).factor_scores("bartlett").to_numpy()
    theirs = np.array(case["scores"], dtype=float)
    found = ~np.isnan(ours[:120])
    np.testing.assert_allclose(ours[:120][found], theirs[found], rtol=2e-3, atol=1e-3)


def test_bartlett_scores_are_missing_where_every_answer_is_an_end():
    data = load("gaps")
    fit = semfit.fit(
        "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3 + y4", data, ordered=True, missing="pairwise", std_lv=True
    )
    scores = fit.factor_scores("bartlett")
    for latent, items in (("f", ["x1", "x2", "x3", "x4"]), ("g", ["y1", "y2", "y3", "y4"])):
        one_end = ((data[items] == 1) | data[items].isna()).all(axis=1) | ((data[items] == 5) | data[items].isna()).all(
            axis=1
        )
        assert one_end.any() and (scores[latent].isna() == one_end).all()
    # they are not drawn to the mean
    assert (scores.std() > 1.2 * fit.factor_scores()[scores.notna()].std()).all()


def test_a_cross_loading_can_bound_what_single_answers_do_not():
    """f alone has lowest answers only; its other item also loads on g, whose answers have a peak."""
    fit = semfit.fit("f =~ x1 + x2 + x3 + y1\ng =~ y1 + y2 + y3", load("four"), ordered=True)
    scores = fit.factor_scores("bartlett")
    ends = load("four")[["x1", "x2", "x3"]].isin([1]).all(axis=1)
    held = ends & load("four")["y1"].isin([2, 3]) & load("four")["y2"].isin([2, 3])
    assert held.any() and scores.loc[held].notna().all(axis=None)
    alone = semfit.fit("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3", load("four"), ordered=True).factor_scores("bartlett")
    assert alone.loc[held, "f"].isna().all() and alone.loc[held, "g"].notna().all()


def test_bartlett_scores_need_own_items():
    fit = semfit.fit("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nh =~ f + 0.5*g", load("four"), ordered=True)
    with pytest.raises(DataError, match="Bartlett scores need"):
        fit.factor_scores("bartlett")


# -- bootstrap -------------------------------------------------------------------------------------------------------
def test_standard_errors_of_the_bootstrap_are_those_of_the_sandwich():
    fit = semfit.fit(TWO8, load("five"), ordered=True)
    boot = fit.bootstrap(300, seed=2, functions=["ave", "htmt"])
    assert boot.n_converged == 300
    both = boot.estimates.merge(fit.estimates, on=["lhs", "op", "rhs"], suffixes=("_boot", ""))
    np.testing.assert_allclose(both["se_boot"] / both["se"], 1.0, atol=0.2)
    assert np.mean(both["se_boot"] / both["se"]) == pytest.approx(1.0, abs=0.03)
    ave = boot.functions.query("function == 'ave' and name == 'f'")["est"].item()
    assert ave == pytest.approx((fit.estimates.query("lhs == 'f' and op == '=~'")["std_all"] ** 2).mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("model", "name", "options"),
    [
        (TWO8, "gaps", {"ordered": True, "missing": "pairwise"}),
        (TWO8, "binary", {"ordered": True}),
        ("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3", "mixed", {"ordered": ["x1", "x2", "y1", "y3"]}),
        (COVARIATES, "covariates", {"ordered": ["x1", "x2", "x3", "y1", "y3"]}),
        ("f =~ x1 + x2 + x3", "two_groups", {"ordered": True, "group": "group", "parameterization": "theta"}),
    ],
)
def test_a_resample_gives_what_a_fit_to_its_rows_gives(model, name, options):
    data = load(name)
    fit = semfit.fit(model, data, **options)
    boot = fit.bootstrap(20, seed=5)
    first = boot.draws.index[0]
    rng = np.random.default_rng(np.random.SeedSequence(5).spawn(20)[first])
    rows = [p[rng.integers(len(p), size=len(p))] for p in fit.solution.positions]
    again = semfit.fit(model, data.iloc[np.concatenate(rows)], **options)
    free = [r.free >= 0 for r in again.solution.model.rows]
    values = again.estimates["est"].iloc[: len(free)][free]
    np.testing.assert_allclose(boot.draws.loc[first].iloc[: len(values)], values, atol=1e-5, rtol=1e-5)


def test_resamples_without_a_category_are_counted():
    data = load("four")
    data["x1"] = np.where(np.arange(len(data)) < 2, 5, data["x1"])  # the highest category has two answers
    boot = semfit.fit("f =~ x1 + x2 + x3", data, ordered=True).bootstrap(100, seed=1)
    assert 2 < boot.n_failed < 40 and list(boot.failures) == ["a category is empty or a pair perfect"]
    with pytest.raises(DataError, match="kind='parametric' is not there for ordered variables"):
        semfit.fit("f =~ x1 + x2 + x3", load("four"), ordered=True).bootstrap(20, kind="parametric")


# -- modification ----------------------------------------------------------------------------------------------------
def test_modification_indices_foretell_refits():
    data = load("five")
    model = "f =~ x1 + x2 + x3 + x4\ng =~ y1 + y2 + y3 + y4\nf ~~ 0*g"
    fit = semfit.fit(model, data, ordered=True)
    table = fit.modification_indices()
    row = table.query("op == '~~' and lhs == 'f' and rhs == 'g'").iloc[0]
    free = semfit.fit(model.replace("0*g", "g"), data, ordered=True)
    assert row["mi"] == table["mi"].max()
    assert row["mi"] == pytest.approx(fit.measures["chisq"] - free.measures["chisq"], rel=0.15)
    assert row["epc"] == pytest.approx(free.estimates.query("lhs == 'f' and rhs == 'g'")["est"].item(), rel=0.15)
    small = fit.residuals().query("op == '~~'")
    assert small["z"].abs().max() > 5  # the covariance that the model forbids


def test_equal_parameters_have_score_tests():
    data = load("five")
    fit = semfit.fit("f =~ x1 + a*x2 + a*x3 + a*x4", data, ordered=True)
    free = semfit.fit("f =~ x1 + x2 + x3 + x4", data, ordered=True)
    total = semfit.score_tests(fit).table["chisq"].max()
    assert 0 < total < 2 * (fit.measures["chisq"] - free.measures["chisq"]) + 1


def test_figures():
    fit = semfit.fit(TWO8, load("five"), ordered=True)
    pytest.importorskip("matplotlib")
    assert fit.plot() is not None


# -- refits ----------------------------------------------------------------------------------------------------------
def drawn(data: pd.DataFrame, count: int) -> list[pd.DataFrame]:
    """Bootstrap samples, within groups where there are some."""
    rng = np.random.default_rng(4)
    parts = [part for _, part in data.groupby("group")] if "group" in data else [data]
    return [
        pd.concat([part.iloc[rng.integers(len(part), size=len(part))] for part in parts]).reset_index(drop=True)
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("model", "name", "options"),
    [
        (TWO8, "five", {"ordered": True}),
        (TWO8, "five", {"ordered": True, "parameterization": "theta"}),
        ("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3", "mixed", {"ordered": ["x1", "x2", "y1", "y3"]}),
        (
            "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3",
            "two_groups",
            {"ordered": True, "group": "group", "group_equal": ["thresholds", "loadings"]},
        ),
    ],
)
def test_refits_are_what_single_fits_give(model, name, options):
    samples = drawn(load(name), 4)
    many = semfit.refit(semfit.fit(model, load(name), **options), samples)
    assert many.measures["converged"].all() and many.n_obs == len(samples[0])
    for k in (0, 3):
        one = semfit.fit(model, samples[k], **options)
        names = ["chisq_scaled", "df", "pvalue_scaled", "cfi_scaled", "rmsea_scaled", "srmr"]
        ours = many.measures.loc[k, [n.replace("_scaled", "") for n in names]].astype(float)
        np.testing.assert_allclose(ours, one.measures[names], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(many.estimates.loc[k], one.estimates["est"], atol=1e-5)
        np.testing.assert_allclose(many.standardized.loc[k], one.estimates["std_all"], atol=1e-5)


def test_refits_to_other_sizes_and_labels():
    data = load("four")
    words = ["never", "seldom", "often", "always"]
    as_text = data.apply(
        lambda c: pd.Categorical.from_codes(c.to_numpy() - 1, words, ordered=True) if c.name in ("x1", "x2") else c
    )
    model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
    fit = semfit.fit(model, as_text, ordered=True)
    smaller = [as_text.head(200), as_text.tail(200)]
    many = semfit.refit(fit, smaller, n_jobs=1)
    one = semfit.fit(model, smaller[1], ordered=True)
    np.testing.assert_allclose(many.estimates.loc[1], one.estimates["est"], atol=1e-5)
    assert many.measures.loc[1, "chisq"] == pytest.approx(one.measures["chisq_scaled"], rel=1e-5)


def test_a_refit_without_a_category_is_marked_and_strange_answers_are_named():
    data = load("four")
    model = "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3"
    fit = semfit.fit(model, data, ordered=True)
    narrow = data.assign(x1=data["x1"].clip(upper=3))
    many = semfit.refit(fit, [data, narrow])
    assert many.measures["converged"].tolist() == [True, False]
    assert many.estimates.loc[1].isna().all() and many.measures.loc[1, ["chisq", "cfi"]].isna().all()
    assert not semfit.refit(fit, [narrow]).measures["proper"].any()
    with pytest.raises(DataError, match="x1 holds 9, which the fit does not know: its answers are 1, 2, 3, 4"):
        semfit.refit(fit, [data.assign(x1=data["x1"].replace(4, 9))])
    with pytest.raises(DataError, match="x2 has missing values in the samples"):
        semfit.refit(fit, [data.assign(x2=data["x2"].where(data.index > 3))])
    shops = semfit.fit(model, data.assign(shop=np.arange(350) // 7), ordered=True, cluster="shop")
    with pytest.raises(DataError, match="the fit has clusters or weights"):
        semfit.refit(shops, [data])


# -- the estimator on data whose truth is known ------------------------------------------------------------------------
def test_skewed_answers_give_the_loadings_that_made_them():
    rng = np.random.default_rng(12)
    loadings = np.array([0.8, 0.7, 0.6, 0.75, 0.5])
    f = rng.normal(size=20000)
    z = f[:, None] * loadings + rng.normal(size=(20000, 5)) * np.sqrt(1 - loadings**2)
    data = pd.DataFrame(np.digitize(z, [0.8, 1.3, 1.8]), columns=[f"x{k}" for k in range(1, 6)])
    fit = semfit.fit("f =~ x1 + x2 + x3 + x4 + x5", data, ordered=True)
    np.testing.assert_allclose(fit.estimates.query("op == '=~'")["std_all"], loadings, atol=0.025)
    continuous = semfit.fit("f =~ x1 + x2 + x3 + x4 + x5", data)
    assert (continuous.estimates.query("op == '=~'")["std_all"].to_numpy() < loadings - 0.05).all()


def test_nested_tests_need_no_singular_values(monkeypatch):
    """numpy's routine for them can fail to converge on finite matrices; one of a search for unequal thresholds was such."""
    rng = np.random.default_rng(3)
    answers = np.digitize(rng.normal(size=(300, 1)) + rng.normal(size=(300, 4)), (-1, 0, 1))
    data = pd.DataFrame(answers, columns=["x1", "x2", "x3", "x4"])
    free, equal = (
        semfit.fit(m, data, ordered=True) for m in ("f =~ x1 + x2 + x3 + x4", "f =~ x1 + a*x2 + a*x3 + a*x4")
    )
    right = semfit.compare(free, equal).table
    monkeypatch.setattr(np.linalg, "svd", lambda *a, **k: pytest.fail("singular values were asked for"))
    pd.testing.assert_frame_equal(semfit.compare(free, equal).table, right)
    assert right["delta_df"].iloc[-1] == 2
