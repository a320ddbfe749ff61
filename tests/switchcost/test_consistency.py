"""Checks of printed tables: true tables pass whatever the rounding, planted errors are found."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import switchcost as sc
from switchcost.replication.arithmetic import (
    average_variance,
    chisq_ratio,
    composite_reliability,
    grim,
    interval,
    p_value,
    r2_range,
    rmsea,
    sd_range,
    stars,
    t_ratio,
)
from switchcost.replication.consistency import check_all, check_study, check_table
from switchcost.replication.models import (
    baseline,
    chisq_difference,
    correlations,
    degrees_of_freedom,
    r2_from_paths,
    standardisation,
)
from switchcost.replication.printed import COLUMNS

STUDIES = ["abbade2014", "ecsi_mobi", "ha2023", "hair2021_corp_rep", "mota2012", "moura2005"]


def findings(study):
    table = check_study(study)
    return table[table["verdict"] != "consistent"]


# --- the six studies, without being told what to look for ---------------------------------------------------------------
def test_mota_both_inconsistencies_come_out():
    found = findings("mota2012")
    r2 = found[(found["check"] == "largest R2 the slopes allow")]
    assert r2["where"].tolist() == ["after: Value"]
    assert r2["printed"].iloc[0] == 0.31 and r2["recomputed"].iloc[0] == pytest.approx(0.048, abs=0.0005)
    chi = found[found["check"] == "chi-square difference"].set_index("where")
    assert chi.loc["running text", "verdict"] == "inconsistent"
    assert "6e-22" in chi.loc["running text", "arithmetic"]
    assert chi.loc["fit, before against after", "verdict"] == "not a valid test"
    assert chi.loc["fit, before against after", "recomputed"] == pytest.approx(157.07)


def test_mota_degrees_of_freedom_and_the_missing_covariance():
    table = check_study("mota2012")
    df = table[table["check"] == "df from the items"].set_index("where")
    assert (df["verdict"] == "inconsistent").all()
    assert "25 items would give it" in df.loc["before", "arithmetic"]
    assert "24 items would give it" in df.loc["after", "arithmetic"]
    baseline = table[table["check"] == "fit indices together"].set_index("where")
    assert baseline.loc["fit, before", "recomputed"] == 325 and baseline.loc["fit, after", "recomputed"] == 300
    satisfaction = table[(table["check"] == "R2 from the paths") & table["where"].str.endswith("Satisfaction")]
    assert satisfaction["arithmetic"].str.contains("between -0.01 and 0.01").all()


def test_moura_text_against_table():
    found = findings("moura2005")
    assert len(found) == 1
    assert found["printed"].iloc[0] == 2.17 and found["recomputed"].iloc[0] == pytest.approx(2.717, abs=5e-4)


def test_ha_composite_reliability():
    found = findings("ha2023")
    assert found["where"].tolist() == ["measurement, ServiceQuality"]
    assert found["printed"].iloc[0] == 0.896 and round(found["recomputed"].iloc[0], 3) == 0.898


def test_abbade_has_only_means_that_262_answers_cannot_give():
    found = findings("abbade2014")
    assert set(found["check"]) == {"GRIM"}
    assert set(found["where"]) == {"items, Sat17", "items, CTR11", "items, CTR12", "items, Comp22"}
    table = check_study("abbade2014")
    assert (table["check"] == "path from the correlations").sum() == 10
    assert (table["check"] == "R2 = sum of path x correlation").sum() == 4


@pytest.mark.parametrize("study", STUDIES)
def test_every_study_is_read_and_every_row_shows_its_sum(study):
    table = check_study(study)
    assert len(table) >= 5
    assert list(table.columns) == COLUMNS
    assert (table["study"] == study).all() and (table["arithmetic"].str.len() > 5).all()
    assert set(table["verdict"]) <= {"consistent", "inconsistent", "not a valid test"}
    order = table["verdict"].map({"inconsistent": 0, "not a valid test": 1, "consistent": 2})
    assert order.is_monotonic_increasing


@pytest.mark.parametrize("study", ["hair2021_corp_rep", "ecsi_mobi"])
def test_no_false_alarm_in_studies_that_reproduce(study):
    assert len(findings(study)) == 0


def test_all_studies_at_once():
    table = check_all()
    assert set(table["study"]) == set(STUDIES)
    assert table["verdict"].iloc[0] == "inconsistent" and len(table) > 150


# --- tables that are true pass at any rounding -------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), places=st.integers(1, 3), n=st.integers(30, 300))
def test_rounded_truth_is_never_accused(seed, places, n):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    x[:, 1] += 0.5 * x[:, 0]
    y = x @ [0.5, -0.3] + rng.normal(size=n)
    X = np.column_stack([np.ones(n), x])
    beta, rss = np.linalg.lstsq(X, y, rcond=None)[:2]
    se = np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * rss[0] / (n - 3))
    t = beta / se
    p = 2 * stats.t.sf(abs(t), n - 3)
    show = lambda v: f"{v:.{places}f}"  # noqa: E731
    std = beta[1:] * x.std(axis=0) / y.std()
    r2 = 1 - rss[0] / np.sum((y - y.mean()) ** 2)
    for b, s, tt, pp in zip(beta, se, t, p, strict=True):
        assert t_ratio(show(b), f"{s:.3f}", show(tt)).verdict == "consistent"
        assert t_ratio(show(b), f"{s:.3f}", show(abs(tt))).verdict == "consistent"
        assert p_value(show(tt), show(pp), df=n - 3).verdict == "consistent"
    assert r2_range([show(v) for v in std], show(r2)).verdict == "consistent"
    table = pd.DataFrame(
        {"from": ["a", "b"], "to": "y", "b": [show(v) for v in beta[1:]], "beta": [show(v) for v in std]}
    )
    got = standardisation(table)
    assert got is None or got.verdict == "consistent"
    answers = rng.integers(1, 6, n)
    assert getattr(grim(f"{answers.mean():.{places}f}", n), "verdict", "consistent") == "consistent"
    assert sd_range(show(answers.mean()), show(answers.std(ddof=1)), n, 1, 5).verdict == "consistent"
    lam = rng.uniform(0.4, 0.95, 4)
    cr = lam.sum() ** 2 / (lam.sum() ** 2 + (1 - lam**2).sum())
    assert composite_reliability([show(v) for v in lam], show(cr)).verdict == "consistent"
    assert average_variance([show(v) for v in lam], show((lam**2).mean())).verdict == "consistent"
    corr = np.corrcoef(np.column_stack([x, y]).T)
    frame = pd.DataFrame(corr.round(places), columns=list("abc"), index=list("abc"))
    assert correlations(frame, places).verdict == "consistent"


@settings(max_examples=40, deadline=None)
@given(items=st.integers(4, 25), ratio=st.floats(1.2, 8), base=st.floats(3, 40), n=st.integers(100, 2000))
def test_fit_of_a_true_model_is_never_accused(items, ratio, base, n):
    df, base_df = items * (items - 1) // 2 - items // 2 + 1, items * (items - 1) // 2
    if df >= base_df:
        df = base_df - 1
    chisq, base_chisq = ratio * df, (ratio + base) * base_df
    indices = {
        "nfi": f"{1 - chisq / base_chisq:.3f}",
        "cfi": f"{1 - (chisq - df) / (base_chisq - base_df):.3f}",
        "tli": f"{1 - (chisq / df - 1) / (base_chisq / base_df - 1):.3f}",
        "ifi": f"{(base_chisq - chisq) / (base_chisq - df):.3f}",
    }
    assert baseline(f"{chisq:.3f}", df, indices).verdict == "consistent"
    value = np.sqrt((chisq - df) / (df * (n - 1)))
    assert rmsea(f"{chisq:.3f}", df, n, f"{value:.3f}").verdict == "consistent"


# --- planted errors are found ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "row",
    [
        t_ratio(".300", ".100", "4.10"),
        t_ratio(".300", ".100", "-3.00"),
        p_value("1.50", ".049"),
        stars("1.80", "*"),
        stars("2.90", "ns"),
        chisq_ratio("266.276", 98, "2.17"),
        rmsea("266.276", 98, 602, ".035"),
        baseline("266.276", 98, {"nfi": ".615", "cfi": ".906", "tli": ".640"}),
        composite_reliability([".80", ".80", ".80"], ".95"),
        average_variance([".80", ".80", ".80"], ".74"),
        r2_range([".107", ".112"], ".31"),
        r2_range([".80", ".10"], ".20"),
        grim("3.47", 20),
        sd_range("1.20", "1.90", 100, 1, 5),
        interval(".30", ".35", ".50"),
        degrees_of_freedom(6, 2, [("a", "b")], 9),
    ],
)
def test_planted_errors_are_found(row):
    assert row.verdict == "inconsistent", row.arithmetic


def test_impossible_correlations_and_ratios():
    r = pd.DataFrame([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]], index=list("abc"), columns=list("abc"))
    assert check_table(r)["verdict"].tolist() == ["inconsistent"]
    loop = pd.DataFrame(
        {
            "from": ["a", "a", "b"],
            "to": ["b", "c", "c"],
            "b": [".500", ".400", ".300"],
            "beta": [".500", ".400", ".900"],
        }
    )
    assert standardisation(loop).verdict == "inconsistent"
    assert standardisation(loop.assign(beta=[".250", ".300", ".450"])).verdict == "consistent"


def test_paths_imply_r2():
    paths = pd.DataFrame({"from": ["x", "x", "m"], "to": ["m", "y", "y"], "beta": [".500", ".300", ".400"]})
    implied = 0.3**2 + 0.4**2 + 2 * 0.3 * 0.4 * 0.5
    good, bad = (r2_from_paths(paths, {"y": v})[0] for v in (f"{implied:.3f}", ".450"))
    assert good.recomputed == pytest.approx(implied)
    assert (good.verdict, bad.verdict) == ("consistent", "inconsistent")
    loop = pd.DataFrame({"from": ["a", "b"], "to": ["b", "a"], "beta": [".1", ".2"]})
    assert r2_from_paths(loop, {"a": ".1"}) == []


def test_chisq_difference_of_nested_models_is_not_accused():
    row = chisq_difference(
        {"name": "equal", "chisq": "120.5", "df": 50, "n": 300},
        {"name": "free", "chisq": "110.2", "df": 46, "n": 300},
        claimed="10.3",
        said="significant",
    )
    assert row.verdict == "consistent"


def test_floats_take_the_decimals_of_their_column():
    table = pd.DataFrame(
        {
            "construct": ["A", "A", "B", "B"],
            "loading": [0.81, 0.795, 0.7, 0.65],
            "ave": [0.644, 0.644, 0.456, 0.456],
        }
    )
    got = check_table(table, name="loadings")
    assert got["verdict"].tolist() == ["consistent", "consistent"]
    assert "0.810^2" in got["arithmetic"].iloc[0]


def test_bad_input():
    with pytest.raises(ValueError, match="no check applies"):
        sc.check_table(pd.DataFrame({"a": [1.0], "b": [2.0]}))
    with pytest.raises(ValueError, match="not a printed number"):
        t_ratio("n/a", ".1", "2")
    with pytest.raises(ValueError, match="not in the legend"):
        stars("2.5", "#")
    with pytest.raises(ValueError, match="standard error is positive"):
        t_ratio(".3", "-.1", "3")
    with pytest.raises(ValueError, match="study"):
        check_study("mota2013")
