"""Checks of printed tables: true tables pass whatever the rounding, planted errors are found."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import switchcost as sc
from papercheck.arithmetic import (
    average_variance,
    chisq_ratio,
    composite_reliability,
    grim,
    interval,
    p_of_test,
    p_value,
    r2_range,
    reliability_limit,
    rmsea,
    sd_range,
    stars,
    t_ratio,
)
from papercheck.board import COLUMNS, judge, replicate
from papercheck.consistency import check_table
from papercheck.fit_indices import Fit, chisq_difference, degrees_of_freedom
from papercheck.matrices import nearest_possible
from papercheck.path_tracing import beta_from_b
from papercheck.printed import Printed
from papercheck.reading import numbers_of_tables
from papercheck.reproduction import VERDICTS, PrintedNumbers


def can_stand(printed, found):
    """Whether no check accuses a number."""
    return found is None or judge(printed, found)[0] not in ("inconsistent", "different")


# --- studies, without being told what to look for -----------------------------------------------------------------------
def of(study):
    return replicate(study).set_index(["model", "quantity", "row", "column"])


def test_mota_both_inconsistencies_come_out():
    by = of("mota2012")
    wrong = by[by.verdict == "inconsistent"]
    assert {k[:3] for k in wrong.index} == {("after", "r2", "Value"), ("before", "df", ""), ("after", "df", "")}
    assert "at most 0.048" in by.loc[("after", "r2", "Value", ""), "reason"]
    row = by.loc[("before and after", "chisq_difference", "running text", "")]
    assert row.verdict == "not comparable" and "p = 6e-22, which the paper calls not significant" in row.reason
    assert "25 items would give it" in by.loc[("before", "df", "", ""), "reason"]
    assert "24 items would give it" in by.loc[("after", "df", "", ""), "reason"]
    assert "325 degrees of freedom" in by.loc[("before", "nfi", "", ""), "reason"]
    assert "values between -0.01 and 0.01 fit all" in by.loc[("before", "r2", "Satisfaction", ""), "reason"]


def test_abbade_has_only_means_that_262_answers_cannot_give():
    board = replicate("abbade2014")
    wrong = board[board.verdict == "inconsistent"]
    assert set(wrong.column) == {"Sat17", "CTR11", "CTR12", "Comp22"} and (wrong.quantity == "mean").all()
    assert wrong.reason.str.contains(r"GRIM: .* Assumed: all 262 people answered \(\d+ would do\)").all()
    assert (wrong.basis == "assumed").all()
    means = board[board.quantity == "mean"]
    assert means.reason[means.verdict == "not comparable"].str.contains(r"possible: \d+ / 262").sum() == 13


@pytest.mark.parametrize("study", ["hair2021_corp_rep", "ecsi_mobi"])
def test_no_false_alarm_in_studies_that_reproduce(study):
    assert not replicate(study).verdict.isin(["different", "inconsistent"]).any()


def test_a_table_speaks_the_words_of_the_board():
    t = sc.published("mota2012").printed["paths"]
    found = check_table(t, name="paths", study="mota2012")
    assert tuple(found.columns) == COLUMNS and set(found.verdict) <= set(VERDICTS)
    board = replicate("mota2012")
    same = board[board.quantity.isin(["t", "p", "beta"])].merge(
        found, on=["model", "quantity", "row", "column", "printed"], suffixes=("", "_alone")
    )
    assert len(same) == 48
    loops = same[same.constraint.str.contains("loop") | ~(same.quantity == "beta")]
    assert (loops.verdict == loops.verdict_alone).all() and (loops.basis == loops.basis_alone).all()


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
        for value in (tt, abs(tt)):
            assert can_stand(show(value), t_ratio(show(b), f"{s:.3f}", show(value)))
        assert can_stand(show(pp), p_value(show(tt), show(pp), df=n - 3))
        assert can_stand(show(pp), p_of_test("t", show(tt), show(pp), n - 3))
    assert can_stand(show(r2), r2_range([show(v) for v in std], show(r2)))
    table = pd.DataFrame(
        {"from": ["a", "b"], "to": "y", "b": [show(v) for v in beta[1:]], "beta": [show(v) for v in std]}
    )
    r = np.corrcoef(x.T)[0, 1]
    table.loc[2] = ["b", "a", show(r * x[:, 0].std() / x[:, 1].std()), show(r)]  # a third path closes the loop
    loop = beta_from_b(PrintedNumbers(numbers_of_tables({"t": table})))
    assert all(can_stand(r.beta, loop.get(("", "beta", r[1], r[2]))) for r in table.itertuples())
    answers = rng.integers(1, 6, n)
    mean, sd = f"{answers.mean():.{places}f}", show(answers.std(ddof=1))
    assert can_stand(mean, grim(mean, n)) and can_stand(sd, sd_range(mean, sd, n, 1, 5))
    score = rng.integers(1, 6, (n, 3)).mean(axis=1)
    mean, sd = f"{score.mean():.{places}f}", show(score.std(ddof=1))
    assert can_stand(mean, grim(mean, n, 3)) and can_stand(sd, sd_range(mean, sd, n, 1, 5, 3))
    lam = rng.uniform(0.4, 0.95, 4)
    cr = lam.sum() ** 2 / (lam.sum() ** 2 + (1 - lam**2).sum())
    ave = (lam**2).mean()
    assert can_stand(show(cr), composite_reliability([show(v) for v in lam], show(cr)))
    assert can_stand(show(ave), average_variance([show(v) for v in lam], show(ave)))
    assert can_stand(show(cr), reliability_limit(show(cr), show(ave), 4))
    corr = np.corrcoef(np.column_stack([x, y]).T)
    frame = pd.DataFrame(corr.round(places), columns=list("abc"), index=list("abc"))
    assert nearest_possible(frame, places)[0] is None


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
    value = f"{np.sqrt((chisq - df) / (df * (n - 1))):.3f}"
    fit = pd.DataFrame([{"chisq": f"{chisq:.3f}", "df": str(df), "rmsea": value, **indices}])
    assert not (check_table(fit, n=n).verdict == "inconsistent").any()
    assert can_stand(value, rmsea(f"{chisq:.3f}", df, n, value))


# --- planted errors are found ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("printed", "found"),
    [
        ("4.10", t_ratio(".300", ".100", "4.10")),
        ("-3.00", t_ratio(".300", ".100", "-3.00")),
        (".049", p_value("1.50", ".049")),
        ("1.80", stars("1.80", "*")),
        ("2.90", stars("2.90", "ns", 200)),
        ("2.17", chisq_ratio("266.276", 98, "2.17")),
        (".035", rmsea("266.276", 98, 602, ".035")),
        (".95", composite_reliability([".80", ".80", ".80"], ".95")),
        (".74", average_variance([".80", ".80", ".80"], ".74")),
        (".31", r2_range([".107", ".112"], ".31")),
        (".20", r2_range([".80", ".10"], ".20")),
        ("3.47", grim("3.47", 20)),
        ("1.90", sd_range("1.20", "1.90", 100, 1, 5)),
        ("0.10", sd_range("2.50", "0.10", 100, 1, 5)),
        (".30", interval(".30", ".35", ".50")),
        (".50", reliability_limit(".50", ".60")),
        (".90", reliability_limit(".90", ".60", 3)),
        ("9", degrees_of_freedom(6, [("a", "b")], Printed.read("9"))),
        ("<.05", p_of_test("F", "3.10", "<.05", 2, 60)),
    ],
)
def test_planted_errors_are_found(printed, found):
    assert judge(printed, found)[0] == "inconsistent", found


def test_a_bound_is_kept_or_broken_and_never_rounded():
    for p, verdict in (("<.05", "exact"), ("<.01", "inconsistent")):
        assert judge(p, p_of_test("t", "2.10", p, 200))[0] == verdict


def test_p_of_a_small_sample_is_not_accused_while_n_is_not_known():
    for n, verdict in ((None, "not comparable"), (22, "within rounding"), (400, "inconsistent")):
        found = check_table(pd.DataFrame({"from": ["a"], "to": ["b"], "t": ["2.10"], "p": [".049"]}), n=n)
        assert found.set_index("quantity").verdict["p"] == verdict
    assert "about 20 degrees of freedom" in p_value("2.10", ".049").why
    assert can_stand("2.10", stars("2.10", "ns")) and not can_stand("2.10", stars("2.10", "ns", 400))


def test_impossible_correlations_and_ratios():
    r = pd.DataFrame([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]], index=list("abc"), columns=list("abc"))
    found = check_table(r)
    assert found.verdict.tolist() == ["inconsistent"] * 3 and len(set(found.constraint)) == 1
    assert found.reason.str.contains("smallest eigenvalue -0.8").all()
    assert np.linalg.eigvalsh(nearest_possible(r, 1)[0])[0] > -1e-6
    loop = pd.DataFrame(
        {
            "from": ["a", "a", "b"],
            "to": ["b", "c", "c"],
            "b": [".500", ".400", ".300"],
            "beta": [".500", ".400", ".900"],
        }
    )
    assert (check_table(loop).verdict == "inconsistent").sum() == 3
    assert not (check_table(loop.assign(beta=[".250", ".300", ".450"])).verdict == "inconsistent").any()
    assert "opposite signs" in check_table(loop.assign(beta=[".500", "-.400", ".300"])).reason[0]


def test_what_rounding_allows_around_a_loop_is_exact():
    """A linear programme over the logarithms finds the same limits."""
    from scipy.optimize import linprog

    rng = np.random.default_rng(5)
    edges = [("a", "b"), ("a", "c"), ("b", "c"), ("a", "d"), ("b", "d"), ("c", "d")]
    sd, b = dict(zip("abcd", rng.uniform(0.5, 2, 4), strict=True)), rng.uniform(0.2, 0.8, len(edges))
    beta = [v * sd[s] / sd[t] for v, (s, t) in zip(b, edges, strict=True)]
    table = pd.DataFrame(edges, columns=["from", "to"]).assign(
        b=[f"{v:.2f}" for v in b], beta=[f"{v:.2f}" for v in beta]
    )
    found = beta_from_b(PrintedNumbers(numbers_of_tables({"t": table})))
    limits, rows = [], []
    for s, t, x, y in table.itertuples(index=False):
        rows.append([(n == s) - (n == t) + 0.0 for n in "abcd"])
        x, y = float(x), float(y)
        limits.append((np.log((y - 0.005) / (x + 0.005)), np.log((y + 0.005) / (x - 0.005))))
    for k, (s, t, x, _) in enumerate(table.itertuples(index=False)):
        a = np.array([r for i, r in enumerate(rows) if i != k])
        low, high = np.array([v for i, v in enumerate(limits) if i != k]).T
        ends = [
            sign * linprog(sign * np.array(rows[k]), np.vstack([a, -a]), np.r_[high, -low], bounds=(None, None)).fun
            for sign in (1, -1)
        ]
        band = (np.exp(ends[0]) * (float(x) - 0.005), np.exp(ends[1]) * (float(x) + 0.005))
        assert found["", "beta", s, t].band == pytest.approx(band, rel=1e-8)


def test_paths_imply_r2():
    paths = pd.DataFrame(
        {
            "quantity": ["path", "path", "path", "r2"],
            "row": ["x", "x", "m", "y"],
            "column": ["m", "y", "y", ""],
            "value": [".500", ".300", ".400", ".370"],
        }
    )
    implied = 0.3**2 + 0.4**2 + 2 * 0.3 * 0.4 * 0.5
    good, bad = (
        check_table(paths.assign(value=[*paths.value[:3], v])).set_index("quantity").loc["r2"]
        for v in (f"{implied:.3f}", ".450")
    )
    assert good.reproduced == pytest.approx(implied)
    assert (good.verdict, bad.verdict) == ("exact", "inconsistent")
    three = pd.DataFrame({"quantity": ["path"] * 3 + ["r2"], "row": [*"abc", "y"], "column": [*"yyy", ""]})
    for r2, verdict in ((".80", "not comparable"), (".90", "inconsistent")):  # (.3 + .3 + .3)^2 = .81
        found = check_table(three.assign(value=[".30", ".30", ".30", r2])).set_index("quantity").loc["r2"]
        assert found.verdict == verdict and "0.8" in found.reason


def test_chisq_difference_of_nested_models_is_not_accused():
    equal, free = Fit(Printed.read("120.5"), 50, 300), Fit(Printed.read("110.2"), 46, 300)
    for first, second in ((equal, free), (free, equal)):
        row = chisq_difference(first, second, "significant")
        assert judge("10.3", row)[0] == "exact"
    row = chisq_difference(equal, free, "not significant")
    assert judge("10.3", row)[0] == "inconsistent" and "which the paper calls not significant" in row.why
    row = chisq_difference(equal, Fit(Printed.read("110.2"), 46, 280), "significant")
    assert judge("10.3", row)[0] == "not comparable"


def test_floats_take_the_decimals_of_their_column():
    table = pd.DataFrame(
        {
            "construct": ["A", "A", "B", "B"],
            "loading": [0.81, 0.795, 0.7, 0.65],
            "ave": [0.644, 0.644, 0.456, 0.456],
        }
    )
    got = check_table(table, name="loadings")
    assert got.verdict[got.quantity == "ave"].tolist() == ["exact", "exact"]
    assert got.printed[0] == "0.810"


def test_bad_input():
    with pytest.raises(ValueError, match="no check applies"):
        sc.check_table(pd.DataFrame({"a": [1.0], "b": [2.0]}))
    with pytest.raises(ValueError, match="not a printed number"):
        t_ratio("n/a", ".1", "2")
    with pytest.raises(ValueError, match="not in the legend"):
        stars("2.5", "#")
    with pytest.raises(ValueError, match="standard error is positive"):
        t_ratio(".3", "-.1", "3")
