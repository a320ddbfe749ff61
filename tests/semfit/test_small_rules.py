"""Small rules that a mutation run found unguarded: headings, latents in other units, score tests by name."""

import numpy as np
import pandas as pd
import pytest

import semfit
import switchcost as sc
from switchcost.core.errors import OURS


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    f = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 400)
    x = np.repeat(f, 3, axis=1) + rng.normal(size=(400, 6))
    return pd.DataFrame(x, columns=["a1", "a2", "a3", "b1", "b2", "b3"])


@pytest.mark.parametrize(("first", "second"), [(10.0, 10.0), (0.01, 100.0), (0.1, 0.1)])
def test_a_proper_latent_correlation_is_proper_in_every_unit(data, first, second):
    scaled = data.assign(**{c: data[c] * (first if c < "b" else second) for c in data})
    fit = semfit.fit("A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3", scaled)
    assert list(fit.warnings) == []


def test_score_tests_say_what_they_are_and_on_how_many_rows(data):
    fit = semfit.fit("A =~ v*a1 + v*a2 + a3\nB =~ b1 + b2 + b3", data, std_lv=True)
    assert "Score tests of equalities, n = 400" in repr(fit.score_tests())


def test_factor_scores_need_a_latent(data):
    with pytest.raises(semfit.SemError, match="no latent variables"):
        semfit.fit("a1 ~ b1 + b2", data).factor_scores()


def test_floor_and_ceiling_are_shares_of_the_ends():
    items = pd.DataFrame({"q1": [1, 1, 2, 5, 3, 4], "q2": [5, 5, 5, 1, 2, 4], "q3": [2, 3, 1, 5, 4, 3]})
    table = sc.item_analysis(items, list(items), low=1, high=5)
    assert table.loc["q1", ["floor", "ceiling"]].tolist() == pytest.approx([2 / 6, 1 / 6])
    assert table.loc["q2", ["floor", "ceiling"]].tolist() == pytest.approx([1 / 6, 3 / 6])


def test_words_that_are_no_units_are_refused(data):
    model = sc.moderate(data, y="a1", x="b1", moderator="b2")
    with pytest.raises(OURS, match="units must be one of 'raw', 'partial_r'"):
        model.equivalence(0.2, units="points")


def test_slope_differences_name_their_two_slopes(data):
    model = sc.moderate(data, y="a1", x="b1", moderator="b2")
    table, slopes = model.slope_differences(), model.simple_slopes()
    named = dict(zip(slopes["at"], slopes["est"], strict=True))
    assert table["est"].tolist() == pytest.approx([named[r["first"]] - named[r["second"]] for _, r in table.iterrows()])


def test_a_factor_that_phi_does_not_have_is_named():
    phi = pd.DataFrame([[1, 0.5], [0.5, 1]], ["A", "B"], ["A", "X"])
    with pytest.raises(OURS, match="factor 'B' of the loadings is not in phi"):
        sc.fornell_larcker(loadings={"A": [0.7, 0.8, 0.6], "B": [0.7, 0.6, 0.8]}, phi=phi)


def test_robust_indices_stand_where_something_is_corrected(data):
    """lavaan has them under MLR and under full information with gaps, and not beside plain maximum likelihood."""
    model = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3"
    gaps = data.mask(np.random.default_rng(1).random(data.shape) < 0.05)
    assert "cfi_robust" not in semfit.fit(model, data).measures
    assert "cfi_robust" in semfit.fit(model, data, estimator="MLR").measures
    assert "cfi_robust" in semfit.fit(model, gaps, missing="fiml").measures
