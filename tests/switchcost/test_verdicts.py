"""The words of the validity checks, on both sides of every limit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, t

import switchcost as sc
from switchcost.measurement.verdicts import HTMT_LIMITS, HTMT_WORDS, KMO_WORDS, RULES, word

LIMITS = {
    # rule: (limit, does the limit itself hold, which side holds)
    "phi": (0.05, False, "below"),
    "convergent": (0.50, True, "above"),
    "reliable": (0.70, True, "above"),
    "harman": (0.50, False, "below"),
    "method": (0.05, False, "below"),
    "marker": (0.05, False, "below"),
}


@pytest.mark.parametrize("name", list(LIMITS))
def test_both_sides_of_each_limit(name):
    limit, itself, side = LIMITS[name]
    rule = RULES[name]
    names = {"pair": "a and b", "tested": 1.0, "factor": "a"}
    below, above = rule(limit - 1e-9), rule(limit + 1e-9)
    assert (below, above, rule(limit)) == ((True, False, itself) if side == "below" else (False, True, itself))
    assert not rule(np.nan)
    assert rule.say(limit - 1e-9, **names) != rule.say(limit + 1e-9, **names)
    assert rule.say(limit - 1e-9, **names) == (rule.holds if below else rule.fails).format(
        value=limit - 1e-9, limit=limit, **names
    )


def test_the_rule_against_another_statistic():
    rule = RULES["discriminant"]
    assert rule(0.6, 0.59)
    assert not rule(0.6, 0.6)
    assert not rule(0.6, np.nan)
    assert (
        rule.say(0.6, 0.5, factor="a") == "a shares more with its items (AVE 0.60) than with any other factor (0.50)."
    )
    assert "no more" in rule.say(0.5, 0.6, factor="a")
    assert set(RULES) == {*LIMITS, "discriminant"}


def test_what_the_sentences_say():
    say = {name: (r.holds, r.fails) for name, r in RULES.items()}
    assert "are distinct" in say["phi"][0]
    assert "not shown to be distinct" in say["phi"][1]
    assert "half of its items' variance or more" in say["convergent"][0]
    assert "less than half" in say["convergent"][1]
    assert "reliably" in say["reliable"][0]
    assert "much error" in say["reliable"][1]
    assert "below the customary half" in say["harman"][0]
    assert "half or more" in say["harman"][1]
    assert "share something" in say["method"][0]
    assert say["method"][1].startswith("Nothing")
    assert "stands" in say["marker"][0]
    assert "does not stand" in say["marker"][1]


@pytest.mark.parametrize(
    ("words", "value", "expected"),
    [
        (KMO_WORDS, 0.4999, "unacceptable"), (KMO_WORDS, 0.50, "miserable"), (KMO_WORDS, 0.5999, "miserable"),
        (KMO_WORDS, 0.60, "mediocre"), (KMO_WORDS, 0.6999, "mediocre"), (KMO_WORDS, 0.70, "middling"),
        (KMO_WORDS, 0.7999, "middling"), (KMO_WORDS, 0.80, "meritorious"), (KMO_WORDS, 0.8999, "meritorious"),
        (KMO_WORDS, 0.90, "marvelous"), (KMO_WORDS, 1.0, "marvelous"), (KMO_WORDS, np.nan, "not available"),
        (HTMT_WORDS, 0.8499, "distinct at .85"), (HTMT_WORDS, 0.85, "distinct at .90, not at .85"),
        (HTMT_WORDS, 0.8999, "distinct at .90, not at .85"), (HTMT_WORDS, 0.90, "distinct at 1, not at .90"),
        (HTMT_WORDS, 0.9999, "distinct at 1, not at .90"), (HTMT_WORDS, 1.0, "not distinct"),
    ],
)  # fmt: skip
def test_words_on_both_sides(words, value, expected):
    assert word(words, value) == expected


# --- the rules in the results ----------------------------------------------------------------------------------------
def matrix(phi: float, load: float = 0.8, items: int = 4) -> pd.DataFrame:
    """Correlations of two factors' items, exactly."""
    full = np.full(2 * items, load)
    r = np.outer(full, full) * np.kron([[1, phi], [phi, 1]], np.ones((items, items)))
    np.fill_diagonal(r, 1)
    names = [f"{s}{i}" for s in "ab" for i in range(items)]
    return pd.DataFrame(r, names, names)


AB = {s: [f"{s}{i}" for i in range(4)] for s in "ab"}
MODEL = "\n".join(f"{s} =~ {' + '.join(i)}" for s, i in AB.items())


def test_phi_test_halves_p_and_decides_at_five_percent():
    table = {
        n: sc.phi_test(MODEL, sample_cov=matrix(0.85), n_obs=n, value=0.9).iloc[0] for n in (100, 150, 200, 300, 500)
    }
    for row in table.values():
        assert row["pvalue"] == pytest.approx(chi2.sf(row["delta_chisq"], 1))
        assert row["pvalue_one_sided"] == pytest.approx(row["pvalue"] / 2)
        assert row["distinct"] == (row["pvalue_one_sided"] < 0.05)
    # p between .05 and .10 two-sided is below .05 one-sided; one between .05 and .5 one-sided is not distinct
    assert any(r["pvalue"] > 0.05 and r["distinct"] for r in table.values())
    assert any(0.05 < r["pvalue_one_sided"] < 0.5 and not r["distinct"] for r in table.values())
    above = sc.phi_test(MODEL, sample_cov=matrix(0.95), n_obs=500, value=0.9).iloc[0]
    assert above["pvalue_one_sided"] == pytest.approx(1 - above["pvalue"] / 2)
    assert not above["distinct"]
    assert above["says"].startswith("a and b are not shown")


@pytest.mark.parametrize(
    "model",
    [
        "a =~ a0 + a1 + a2 + a3; b =~ b0 + b1 + b2 + b3; a ~~ b",
        "a =~ a0 + a1 + a2 + a3\nb =~ b0 + b1 + b2 + b3\na ~~ b ! said explicitly",
        "a =~ a0 + a1 + a2 + a3\nb =~ b0 + b1 + b2 + b3\na ~~ r*b # with a label",
        "a =~ a0 + a1 +\n a2 + a3\nb =~ b0 + b1 + b2 + b3; b ~~ start(0.5)*a",
        'a =~ a0 + a1 + a2 + a3\nb =~ b0 + b1 + b2 + b3\na ~~ label("r")*b',
        "a =~ a0 + a1 + a2 + a3\nb =~ b0 + b1 + b2 + b3",
    ],
)
def test_phi_test_reads_models_as_people_write_them(model):
    got = sc.phi_test(model, sample_cov=matrix(0.6), n_obs=300).iloc[0]
    want = sc.phi_test(MODEL, sample_cov=matrix(0.6), n_obs=300).iloc[0]
    assert got["delta_chisq"] == pytest.approx(want["delta_chisq"], rel=1e-6)


def test_other_covariances_of_the_same_line_stay():
    r = matrix(0.6)
    model = "a =~ a0 + a1 + a2 + a3\nb =~ b0 + b1 + b2 + b3\na ~~ b + a\na0 + a1 ~~ b0"
    got = sc.phi_test(model, sample_cov=r, n_obs=300).iloc[0]
    more = sc.phi_test(MODEL + "\na0 ~~ b0\na1 ~~ b0", sample_cov=r, n_obs=300).iloc[0]
    assert got["delta_chisq"] == pytest.approx(more["delta_chisq"], rel=1e-5)


@pytest.mark.parametrize(("phi", "expected"), [(0.80, "distinct at .85"), (0.87, "distinct at .90, not at .85"),
                                               (0.95, "distinct at 1, not at .90"), (1.0, "not distinct")])  # fmt: skip
def test_htmt_says_what_its_ratio_says_without_a_bootstrap(phi, expected):
    r = matrix(min(phi, 0.9999999)) if phi < 1 else matrix(1.0)
    assert sc.htmt(r, AB, n_obs=400).pairs["says"][0] == expected


def test_htmt_says_what_the_one_sided_limit_says_and_counts_every_draw():
    rng = np.random.default_rng(5)
    f = rng.multivariate_normal([0, 0], [[1, 0.87], [0.87, 1]], size=150).repeat(4, axis=1)
    x = pd.DataFrame(0.8 * f + 0.6 * rng.normal(size=(150, 8)), columns=AB["a"] + AB["b"])
    got = sc.htmt(x, AB, n_boot=400)
    pair = got.pairs.iloc[0]
    assert pair["says"] == word(HTMT_WORDS, pair["ci_upper_one_sided"]) != word(HTMT_WORDS, pair["htmt"])
    assert pair["ci_lower"] < pair["htmt"] < pair["ci_upper_one_sided"] < pair["ci_upper"]
    assert HTMT_LIMITS == (1.0, 0.90, 0.85)
    assert list(got.pairs.columns[-4:-1]) == ["p_1", "p_90", "p_85"]
    assert 1 / 401 <= pair["p_1"] <= pair["p_90"] <= pair["p_85"] <= 1
    distinct = sc.htmt(
        x.assign(**{b: rng.normal(size=150) for b in AB["b"]}),
        {"a": AB["a"][:3], "b": AB["a"][3:] + AB["b"][:1]},
        n_boot=20,
    )
    assert distinct.pairs["p_1"][0] >= 1 / 21


@pytest.mark.parametrize("load", [np.sqrt(0.5) - 1e-6, np.sqrt(0.5) + 1e-6])
def test_fornell_larcker_on_both_sides(load):
    names = ["a", "b"]
    for r in (load - 2e-6, load + 2e-6):
        phi = pd.DataFrame([[1, r], [r, 1]], names, names)
        got = sc.fornell_larcker(loadings={"a": [load] * 3, "b": [0.9] * 3}, phi=phi)
        assert got.verdicts.loc["a", "convergent"] == (load**2 >= 0.5)
        assert got.verdicts.loc["a", "discriminant"] == (load > r)
        assert got.pairs["distinct"][0] == (load > r)
        assert got.verdicts.loc["b", "discriminant"]
        words = got.sentences()
        assert len(words) == 6
        assert ("half of its items' variance or more" in words[0]) == (load**2 >= 0.5)
        assert ("shares more" in words[2]) == (load > r)
    at = np.sqrt(0.7 / (3 - 2 * 0.7))  # cr of three equal loadings is exactly .70 there
    for v in (at - 1e-6, at + 1e-6):
        one = sc.fornell_larcker(loadings={"a": [v] * 3}, phi=pd.DataFrame([[1.0]], ["a"], ["a"]))
        assert one.verdicts.loc["a", "reliable"] == (v > at)
        assert not one.verdicts.loc["a", "discriminant"]  # nothing to be compared with
        assert len(one.sentences()) == 2


def test_fornell_larcker_names_items_that_run_against_their_factor():
    one = pd.DataFrame([[1.0]], ["a"], ["a"])
    with pytest.warns(UserWarning, match="runs against a: a_2"):
        got = sc.fornell_larcker(loadings={"a": [0.8, -0.7, 0.6]}, phi=one)
    assert got.warnings[0].startswith("runs against a: a_2; recode")
    assert sc.fornell_larcker(loadings={"a": [-0.8, -0.7, -0.6]}, phi=one).warnings == ()


def test_harman_in_the_result():
    for phi, words in ((0.0, "below the customary half"), (0.95, "half or more")):
        root = np.linalg.cholesky(matrix(phi).to_numpy())
        z = np.random.default_rng(1).normal(size=(400, 8))
        x = pd.DataFrame(z @ root.T, columns=AB["a"] + AB["b"])
        got = sc.single_factor_test(x, AB)
        assert words in got.says[0]
        assert got.table.loc["one factor", "first_component"] == pytest.approx(np.linalg.eigvalsh(x.corr())[-1] / 8)


def three(shift: float, n: int = 300, seed: int = 3):
    rng = np.random.default_rng(seed)
    f = rng.multivariate_normal(np.zeros(3), np.full((3, 3), 0.2) + 0.8 * np.eye(3), size=n).repeat(4, axis=1)
    x = f * np.tile([0.9, 0.75, 0.6, 0.5], 3) + 0.6 * rng.normal(size=(n, 12)) + shift * rng.normal(size=(n, 1))
    scales = {s: [f"{s}{i}" for i in range(4)] for s in "abc"}
    return pd.DataFrame(x, columns=[i for g in scales.values() for i in g]), scales


def test_method_factor_halves_p_where_the_variance_is_positive():
    found = [sc.method_factor(*three(shift, seed=seed)) for shift in (0.0, 0.4) for seed in (3, 4, 5)]
    sides = set()
    for f in found:
        row = f.table.loc["with method factor"]
        two = chi2.sf(max(row["delta_chisq"], 0), 1)
        positive = row["method_share"] > 0
        sides.add(bool(positive))
        assert row["pvalue"] == pytest.approx(two / 2 if positive else 1 - two / 2)
        assert ("share something" in f.says[0]) == (row["pvalue"] < 0.05)
    assert sides == {True, False}


def test_marker_correction_counts_the_marker_among_the_degrees_of_freedom():
    x, scales = three(0.0, n=12)
    row = sc.marker_correction(x, scales, 0.1).table.iloc[0]
    r, adjusted = row["r"], (row["r"] - 0.1) / 0.9
    assert row["pvalue"] == pytest.approx(2 * t.sf(abs(r) * np.sqrt(10 / (1 - r**2)), 10))
    assert row["pvalue_adjusted"] == pytest.approx(2 * t.sf(abs(adjusted) * np.sqrt(9 / (1 - adjusted**2)), 9))
    decided = [sc.marker_correction(*three(0.5, n=n), 0.3) for n in (20, 60, 400)]
    for got in decided:
        p = got.table["pvalue_adjusted"]
        assert got.table["still_significant"].tolist() == (p < 0.05).tolist()
        assert [("does not stand" in s) for s in got.says] == (p >= 0.05).tolist()
    assert {v for g in decided for v in g.table["still_significant"]} == {True, False}


def test_marker_rank_takes_the_next_larger_correlation():
    x, scales = three(0.3)
    r = pd.DataFrame({s: x[i].mean(axis=1) for s, i in scales.items()}).corr().loc["c", ["a", "b"]].abs().sort_values()
    for rank in (1, 2):
        assert sc.marker_correction(x, scales, "c", rank=rank).table["marker_r"][0] == pytest.approx(r.iloc[rank - 1])
    with pytest.raises(ValueError, match="rank must be .* and is 3"):
        sc.marker_correction(x, scales, "c", rank=3)
