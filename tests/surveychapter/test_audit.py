"""The audit finds planted faults without being told, and keeps quiet about clean data."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from surveychapter.screening import careless, identities
from surveychapter.screening.checks import CARELESS, SEVERITY, Check, checks_named
from surveychapter.screening.checks import RULES as AUDIT_RULES
from switchcost.core.errors import DataError
from switchcost.data.registry import data_dir

DRAWS = 20_000


def survey(seed, n=300, blocks=(5, 4, 4, 4, 4, 5), levels=5, missing=0.01, styles=False):
    """Clean answers: correlated factors cut into points, a few gaps at random, an age."""
    rng = np.random.default_rng(seed)
    k = len(blocks)
    factor = rng.standard_normal((n, k)) @ np.linalg.cholesky(0.4 + 0.6 * np.eye(k)).T
    spread = rng.uniform(0.6, 1.6, n) if styles else 1.0
    columns = {}
    for j, items in enumerate(blocks):
        for i in range(items):
            load = rng.uniform(0.6, 0.85)
            latent = load * factor[:, j] + np.sqrt(1 - load**2) * rng.standard_normal(n)
            cuts = np.sort(np.linspace(-1.5, 1.5, levels - 1) + rng.normal(0, 0.15, levels - 1) - rng.uniform(0, 0.8))
            answer = 1.0 + np.searchsorted(cuts, spread * latent)
            answer[rng.random(n) < missing] = np.nan
            columns[f"{'abcdefghijklmno'[j]}{i + 1}"] = answer
    columns["age"] = np.round(rng.normal(40, 12, n)).clip(18, 85)
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def clean():
    return survey(1)


def only(found, check):
    rows = found.table[found.table["check"] == check]
    assert len(rows) == 1, f"{check}: {found.table['check'].tolist()}"
    return rows.iloc[0]


# ------------------------------------------------------------------------------------------------ real data
def test_corp_rep_the_eight_identities_are_found_without_being_told():
    known = pd.read_csv(data_dir() / "findings" / "corp_rep_recodes.csv", dtype=str)
    found = sc.audit(sc.load("corp_rep"), draws=DRAWS)
    table = found.table
    serious = table[table["severity"] == "serious"]
    assert len(serious) == len(known) == 8
    said = dict(zip(serious["columns"].str.split(", ").str[0], serious["detail"], strict=True))
    for row in known.itertuples():
        assert said[row.column] == f"{row.column} = {row.identity} in {row.rows_holding} of {row.rows} rows"
    assert (serious["chance"] < 1e-10).all()
    assert list(table.columns[:4]) == ["check", "columns", "rows", "detail"]
    assert table["severity"].tolist() == sorted(table["severity"], key=["serious", "warning", "note"].index)


def test_corp_rep_with_its_missing_codes_left_in():
    found = sc.audit(sc.load("corp_rep", keep_codes=True), draws=DRAWS)
    codes = found.table[found.table["check"] == "undeclared missing code"]
    assert dict(zip(codes["columns"], codes["rows"], strict=True)) == {
        "cusa": 1,
        "cusl_1": 3,
        "cusl_2": 4,
        "cusl_3": 3,
    }
    assert (found.table["severity"] == "serious").sum() == 12
    with_book = sc.audit(sc.load("corp_rep", keep_codes=True), "corp_rep", draws=DRAWS)
    assert "below its range 1-7" in "".join(with_book.table["detail"]) or "missing code" in "".join(
        with_book.table["check"]
    )


@pytest.mark.parametrize("codebook", [None, "mobi"])
def test_mobi_has_nothing_serious(codebook):
    found = sc.audit(sc.load("mobi"), codebook, draws=DRAWS)
    assert (found.table["severity"] != "serious").all()
    assert only(found, "item does not go with its scale")["columns"].startswith("CUSL2")


def test_planted_faults_of_the_simulated_survey_are_found():
    truth = json.loads((data_dir() / "simulated/telecom_survey/truth.json").read_text(encoding="utf-8"))["faults"]
    found = sc.audit(sc.load("telecom_survey"), "telecom_survey")
    first, last = truth["duplicates"]["copied_to"]
    assert found.rows_of("duplicated block of rows").tolist() == list(range(first, last + 1))
    assert found.rows_of("careless answering: longest run").tolist() == truth["careless"]["straight_rows"]
    assert set(truth["careless"]["random_rows"]) <= set(found.rows_of("careless answering: Mahalanobis distance"))
    caught = set(found.respondents.index[found.respondents["flagged_by"] > 0])
    planted = set(truth["careless"]["straight_rows"]) | set(truth["careless"]["random_rows"])
    assert planted <= caught and len(caught - planted) <= 3
    assert only(found, "missingness depends on another column")["columns"] == "age"
    assert only(found, "item does not go with its scale")["columns"].startswith(truth["bad_item"]["item"])
    assert found.table[found.table["severity"] == "serious"]["check"].tolist() == ["duplicated block of rows"]
    reverse = sc.codebook("telecom_survey").query("reverse")["variable"]
    assert set(only(found, "reverse items stored as answered")["columns"].split(", ")) == set(reverse) - {"le4"}


# ------------------------------------------------------------------------------------------- planted identities
RULES = {
    "copy of a2": lambda d: d["a2"],
    "a2 + 3": lambda d: d["a2"] + 3,
    "6 - b1 (reversed copy)": lambda d: 6 - d["b1"],
    "2 * b1 + 1": lambda d: 2 * d["b1"] + 1,
    "clip(a1 - 1, 1, 3)": lambda d: (d["a1"] - 1).clip(1, 3),
    "clip(6 - a1, 2, 4)": lambda d: (6 - d["a1"]).clip(2, 4),
    "c1 cut in two: 0 up to 3, 1 from 4": lambda d: (d["c1"] > 3).astype(float).where(d["c1"].notna()),
    "recode of b3 (1->2, 2->4, 3->1, 4->3, 5->5)": lambda d: d["b3"].map({1: 2, 2: 4, 3: 1, 4: 3, 5: 5}),
    "age put into 3 classes": lambda d: pd.cut(d["age"], [0, 35, 50, 99], labels=False) + 1.0,
    "row maximum of b1..4": lambda d: d[["b1", "b2", "b3", "b4"]].max(axis=1, skipna=False),
    "row minimum of c1..4": lambda d: d[["c1", "c2", "c3", "c4"]].min(axis=1, skipna=False),
    "sum of a1..5": lambda d: d[["a1", "a2", "a3", "a4", "a5"]].sum(axis=1, skipna=False),
    "mean of d1, d3, e2": lambda d: d[["d1", "d3", "e2"]].mean(axis=1, skipna=False),
    "mean, rounded, of e1..4": lambda d: np.floor(d[["e1", "e2", "e3", "e4"]].mean(axis=1, skipna=False) + 0.5),
    "mean, rounded to 1 decimal, of c1..4": lambda d: (
        np.floor(10 * d[["c1", "c2", "c3", "c4"]].mean(axis=1, skipna=False) + 0.5) / 10
    ),
    "f1 - f2": lambda d: d["f1"] - d["f2"],
    "0.5 * age - 3": lambda d: 0.5 * d["age"] - 3,
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("n", "missing"), [(300, 0.0), (300, 0.08), (120, 0.0)])
def test_planted_rule_is_found_and_named(rule, n, missing):
    data = survey(5, n=n, missing=missing)
    data["new"] = RULES[rule](data)
    exact, _ = identities.of_one(data)
    rest = data.drop(columns=[f.target for f in exact])
    found = [*exact, *(identities.of_block(rest) if len(exact) == 0 else [])]
    assert [(f.target, f.form) for f in found] == [("new", rule)]
    assert found[0].holds == found[0].rows and found[0].chance < 0.01


def test_a_rule_with_a_few_edited_rows_is_still_found(clean):
    data = clean.assign(new=(clean["a1"] - 1).clip(1, 4))
    data.loc[[3, 50, 120, 200], "new"] = [4, 1, 4, 1]
    row = only(sc.audit(data, draws=DRAWS), "near function of another column")
    assert row["columns"] == "new, a1" and "clip(a1 - 1, 1, 4)" in row["detail"] and row["severity"] == "serious"


def test_a_copy_is_found_in_sixty_rows_and_not_claimed_in_fifteen():
    for n, expected in ((60, ["z"]), (15, [])):
        data = survey(9, n=n)
        data["z"] = data["b2"]
        assert [f.target for f in identities.of_one(data)[0]] == expected


def test_chance_is_not_mistaken_for_a_rule():
    rng = np.random.default_rng(3)
    # few rows, coarse answers at the end of the scale, and an indicator that is nearly always 1
    small = pd.DataFrame(rng.integers(1, 3, (14, 8)).astype(float)).add_prefix("x")
    assert identities.of_one(small) == ([], []) and identities.of_block(small) == []
    ceiling = pd.DataFrame(np.where(rng.random((300, 25)) < 0.9, 5.0, 4.0)).add_prefix("y")
    assert identities.of_one(ceiling) == ([], []) and identities.of_block(ceiling) == []
    yes_no = (
        pd.DataFrame(np.where(rng.random((60, 20)) < 0.9, 1.0, 0.0)).add_prefix("b").mask(rng.random((60, 20)) < 0.03)
    )
    assert identities.of_one(yes_no) == ([], []) and identities.of_block(yes_no) == []
    rare = survey(8).assign(flag=(np.arange(300) < 2).astype(float), other=(np.arange(300) < 2).astype(float)[::-1])
    assert identities.of_one(rare)[0] == []


# ------------------------------------------------------------------------------------------------ planted cells
def planted_cells(d):
    d = d.copy()
    d["a1"] = d["a1"].mask(d.index.isin([1, 2, 3]), -99)
    d["a2"] = d["a2"].mask(d.index.isin([4, 5]), 9)
    d["a3"] = d["a3"].mask(d.index.isin([6, 7]), 0)
    d["a4"] = d["a4"].mask(d.index == 8, 55)
    d["a5"] = d["a5"].mask(d.index.isin([9, 10]), 3.5)
    d["age"] = d["age"].mask(d.index.isin([11, 12]), 999)
    d["b1"] = d["b1"].astype(object).mask(d.index == 13, "don't know")
    d["b2"] = d["b2"].astype(object).mask(d.index.isin([14, 15]), "3-Apr").mask(d.index > 200, "05.04.2026")
    d["same"] = 1
    d["nearly"] = np.where(d.index < 6, 0, 1)
    return d


def test_planted_cells_are_found(clean):
    found = sc.audit(planted_cells(clean), draws=DRAWS)
    got = {
        (r.check, r.columns): r.rows
        for r in found.table.itertuples()
        if r.severity == "serious" or r.check == "near-constant column"
    }
    assert got == {
        ("undeclared missing code", "a1"): 3,
        ("undeclared missing code", "a2"): 2,
        ("undeclared missing code", "a3"): 2,
        ("answer out of range", "a4"): 1,
        ("decimals on an integer scale", "a5"): 2,
        ("undeclared missing code", "age"): 2,
        ("text among numbers", "b1"): 1,
        ("dates among numbers", "b2"): 2 + 99,
        ("constant column", "same"): 300,
        ("near-constant column", "nearly"): 294,
    }
    assert set(found.rows_of("undeclared missing code")) == {1, 2, 3, 4, 5, 6, 7, 11, 12}


def test_the_codebook_sharpens_ranges(clean):
    book = pd.DataFrame(
        {
            "variable": clean.columns,
            "low": 1,
            "high": [5] * 26 + [99],
            "construct": [c[0] for c in clean.columns[:-1]] + ["background"],
        }
    )
    data = clean.copy()
    data.loc[3, "a1"], data.loc[4, "a1"] = 6, 0
    data.loc[7, "b1"] = -99
    found = sc.audit(data, book, draws=DRAWS)
    assert found.table[found.table["severity"] == "serious"][["check", "columns", "rows"]].to_numpy().tolist() == [
        ["answer out of range", "a1", 1],
        ["answer out of range", "a1", 1],
        ["undeclared missing code", "b1", 1],
    ]
    assert "below its range 1-5" in found.table["detail"].iloc[2] and "data.replace" in found.table["detail"].iloc[2]


def test_rows_and_relations(clean):
    data = clean.copy()
    data["a2"] = 6 - data["a2"]
    rng = np.random.default_rng(1)
    data["twin"] = data["age"] + rng.normal(0, 1, 300)
    data.loc[(data["age"] > 45) & (rng.random(300) < 0.3), "c1"] = np.nan
    data.loc[[200, 201, 202, 203]] = data.loc[[20, 21, 22, 23]].to_numpy()
    data.loc[250] = data.loc[99].to_numpy()
    found = sc.audit(data, draws=DRAWS)
    assert found.rows_of("duplicated block of rows").tolist() == [200, 201, 202, 203]
    assert found.rows_of("duplicated rows").tolist() == [250]
    assert only(found, "reverse item not turned round")["columns"].startswith("a2")
    assert only(found, "correlation above .95")["columns"] == "age, twin"
    assert (
        found.table.loc[found.table["check"].str.startswith("missingness"), "columns"].str.contains("age|twin")
    ).any()


def test_careless_rows_are_found(clean):
    data = clean.copy()
    rng = np.random.default_rng(2)
    items = clean.columns[:-1]
    data.loc[[10, 90, 170], items] = 4.0
    data.loc[[30, 130, 230], items] = rng.choice([1.0, 5.0], (3, len(items)))
    found = sc.audit(data)
    assert {10, 90, 170} <= set(found.rows_of("careless answering: longest run"))
    assert {30, 130, 230} <= set(found.rows_of("careless answering: Mahalanobis distance"))
    assert set(found.respondents.index[found.respondents["flagged_by"] > 0]) == {10, 30, 90, 130, 170, 230}
    pd.testing.assert_frame_equal(found.table, sc.audit(data).table)  # same seed, same findings


# --------------------------------------------------------------------------------------------------- quiet
@pytest.mark.parametrize("seed", range(12))
def test_clean_data_give_no_serious_finding_and_hardly_any_other(seed):
    found = sc.audit(survey(100 + seed).assign(id=np.arange(300) + 1, city=list("AB") * 150), draws=DRAWS)
    assert (found.table["severity"] != "serious").all()
    assert len(found.findings) <= 1


def test_names_that_are_numbers_stay_numbers_for_the_user():
    data = pd.DataFrame(np.random.default_rng(0).integers(1, 6, (60, 5)))
    sc.audit(data, draws=DRAWS)
    assert data.columns.tolist() == [0, 1, 2, 3, 4]


def test_people_who_differ_in_style_are_not_called_careless():
    data = survey(21, n=600, blocks=(4,) * 10, styles=True)
    found = sc.audit(data)
    assert set(found.table["severity"]) <= {"note"} and found.respondents["flagged_by"].sum() == 0
    items = data.columns[:-1]
    data.loc[range(6), items] = np.random.default_rng(1).integers(1, 6, (6, len(items))).astype(float)
    data.loc[range(10, 14), items] = 3.0
    found = sc.audit(data)
    # the same answer throughout is still a warning, answers at random are at least a note
    assert set(range(10, 14)) <= set(found.rows_of("careless answering: longest run"))
    assert len(set(range(6)) & set(found.rows_of("unusual profile"))) >= 4


def test_nothing_is_changed_and_labels_are_the_users():
    data = planted_cells(survey(4)).rename(index=lambda i: f"r{i}")
    before = data.copy()
    found = sc.audit(data, draws=DRAWS)
    pd.testing.assert_frame_equal(data, before)
    assert "r1" in found.rows_of("undeclared missing code")
    assert "serious" in repr(found) and "<table" in found._repr_html_()
    assert repr(sc.audit(survey(4)[["a1", "b1", "c1"]], draws=DRAWS)) == "Audit of 300 rows: no findings"


def test_indices_by_hand():
    x = np.array([[1, 1, 1, 2, 2], [3, np.nan, 3, 3, 1], [1, 2, 3, 4, 5.0]])
    assert careless.longest_run(x).tolist() == [3, 3, 1]
    np.testing.assert_allclose(careless.spread_within(x), pd.DataFrame(x).std(axis=1))
    rng = np.random.default_rng(0)
    y = rng.integers(1, 6, (6, 12)).astype(float)
    scales = [[0, 1, 2], [3, 4], [5, 6, 7], [8, 9], [10, 11]]
    for row, got in zip(y, careless.even_odd(y, scales), strict=True):
        r = np.corrcoef([row[s[::2]].mean() for s in scales], [row[s[1::2]].mean() for s in scales])[0, 1]
        assert got == pytest.approx(max(-1.0, 2 * r / (1 + r)))
    z = rng.standard_normal((50, 3))
    precision = np.linalg.inv(np.cov(z.T))
    by_hand = [(v - z.mean(0)) @ precision @ (v - z.mean(0)) for v in z]
    np.testing.assert_allclose(careless.mahalanobis(z, z.mean(0), precision), by_hand)
    p = np.array([0.0001, 0.009, 0.5, np.nan, 0.8])
    assert careless.false_discovery(p, 0.05).tolist() == [True, True, False, False, False]


@pytest.mark.parametrize(("high", "turned", "severity"), [(7, True, "serious"), (7, False, "warning"), (5, True, None)])
def test_an_item_with_another_range_than_its_scale_is_named(high, turned, severity):
    """A reverse item of 1 to 5 that the codebook calls 1 to 7 is turned to 8 - x; nothing else in the data shows it."""
    data = survey(3, n=200, missing=0)[["a1", "a2", "a3"]].copy()
    if turned:
        data["a2"] = 6 - data["a2"]
    book = pd.DataFrame(
        {"variable": list(data), "construct": "a", "low": 1, "high": [5, high, 5], "reverse": [False, turned, False]}
    )
    said = sc.audit(data, book, draws=DRAWS).of(Check.UNEQUAL_RANGES)
    assert [(f.columns[0], f.severity) for f in said] == ([("a2", severity)] if severity else [])
    assert all("from 1 to 7" in f.detail and ("wrong end" in f.detail) == turned for f in said)


# --------------------------------------------------------------------------------- limits, from both sides
def spoiled(kind, count, n=200):
    """Clean answers with ``count`` rows of 200 spoiled in one way."""
    data = survey(3, n=n, missing=0)
    at = np.arange(n) < count
    if kind is Check.NEAR_CONSTANT:
        data["new"] = np.where(at, 1.0, 2.0)
    elif kind is Check.TEXT_AMONG_NUMBERS:
        data["new"] = data["age"].astype(object).mask(at, "often")
    elif kind is Check.DECIMALS:
        data["new"] = data["a1"] + np.where(at, 0.5, 0.0)
    elif kind is Check.OUT_OF_RANGE:
        data["new"] = data["a1"].mask(at, 55.0)
    elif kind is Check.NEAR_FUNCTION:
        data["new"] = data["a1"].mask(at, 6 - data["a1"]).where(data["a1"] != 3, 3)
        data.loc[at, "new"] = data.loc[at, "a1"] % 5 + 1
    elif kind is Check.DUPLICATE_BLOCK:
        data.iloc[100 : 100 + count] = data.iloc[20 : 20 + count].to_numpy()
    return data


@pytest.mark.parametrize(
    ("kind", "speaks", "silent"),
    [
        (Check.NEAR_CONSTANT, 10, 11),  # 95 % one answer
        (Check.TEXT_AMONG_NUMBERS, 100, 101),  # half of the cells are numbers
        (Check.DECIMALS, 60, 61),  # 30 % decimals
        (Check.OUT_OF_RANGE, 2, 3),  # 1 % far above
        (Check.NEAR_FUNCTION, 10, 11),  # 95 % of the rows
        (Check.DUPLICATE_BLOCK, 3, 2),  # three rows in a run
    ],
)
def test_limits_from_both_sides(kind, speaks, silent):
    said = sc.audit(spoiled(kind, speaks), draws=DRAWS).of(kind)
    assert len(said) == 1 and said[0].severity == AUDIT_RULES[kind].severity
    assert sc.audit(spoiled(kind, silent), draws=DRAWS).of(kind) == []


@pytest.mark.parametrize(("rows", "speaks"), [(10, True), (9, False)])
def test_a_long_run_of_copies_speaks_even_where_equal_rows_are_common(rows, speaks):
    data = pd.DataFrame(np.random.default_rng(2).integers(1, 6, (200, 6)), columns=[*"abcdef"]).astype(float)
    data.iloc[100 : 100 + rows] = data.iloc[20 : 20 + rows].to_numpy()
    assert bool(sc.audit(data, draws=DRAWS).of(Check.DUPLICATE_BLOCK)) == speaks


def test_an_odd_item_needs_others_that_hold_together():
    """Three items around one thing and one around nothing: it is odd where the three reach 0.30 with the rest."""
    z = np.random.default_rng(4).normal(size=(2000, 4))
    z = np.linalg.qr(z - z.mean(axis=0))[0] * np.sqrt(2000)
    seen = set()
    for rho in np.arange(0.28, 0.38, 0.01):
        target = np.full((4, 4), rho)
        target[3], target[:, 3] = 0, 0
        np.fill_diagonal(target, 1)
        data = pd.DataFrame(
            np.clip(np.round(z @ np.linalg.cholesky(target).T + 3), 1, 5), columns=["q1", "q2", "q3", "q4"]
        )
        s = (data - data.mean()) / data.std()
        rest = [s[i].corr(s.drop(columns=i).mean(axis=1)) for i in ("q1", "q2", "q3")]
        wanted = bool(np.median(rest) >= 0.30)
        said = sc.audit(data, scales={"q": list(data)}, draws=DRAWS).of(Check.ODD_ITEM)
        assert [f.columns[0] for f in said] == ["q4"] * wanted, (rho, rest)
        seen.add(wanted)
    assert seen == {True, False}


@pytest.mark.parametrize(("answered", "speaks"), [(16, True), (15, False)])
def test_near_duplicates_have_answered_the_same_items(answered, speaks):
    data = pd.DataFrame(np.random.default_rng(6).integers(1, 6, (60, 20)), columns=[f"i{k}" for k in range(20)])
    data = data.astype(float)
    data.iloc[1, :answered], data.iloc[1, answered:] = data.iloc[0, :answered].to_numpy(), np.nan
    assert bool(sc.audit(data, draws=DRAWS).of(Check.NEAR_DUPLICATES)) == speaks


def test_every_check_has_a_rule_and_a_name_that_finds_it():
    assert set(AUDIT_RULES) == set(Check)
    for check, rule in AUDIT_RULES.items():
        assert rule.severity in SEVERITY and rule.condition
        assert check in checks_named(check.value.upper())
    assert checks_named(" Careless ") == CARELESS
    for wrong, meant in (("duplicates", "duplicated"), ("carless", "careless")):
        with pytest.raises(DataError, match=f"{wrong!r} is no check of the audit. Did you mean {meant!r}"):
            checks_named(wrong)


def test_names_with_commas_are_one_column():
    data = survey(5).rename(columns={"a2": "Q1, satisfied"})
    data["copy"] = data["Q1, satisfied"]
    said = sc.audit(data, draws=DRAWS).of(Check.COPY)
    assert {said[0].columns} <= {("copy", "Q1, satisfied"), ("Q1, satisfied", "copy")}


def test_platform_columns_raise_no_alarm():
    data = survey(6, n=100).assign(Status="IP Address", Finished=1, when=pd.Timestamp("2025-01-01"), Email=np.nan)
    assert sc.audit(data, draws=DRAWS).of(Check.CONSTANT) != []
    data.attrs["platform_columns"] = ["Status", "Finished", "when", "Email"]
    assert sc.audit(data, draws=DRAWS).findings == ()


def test_html_escapes_what_comes_from_data():
    found = sc.audit(survey(6, n=100).assign(**{"<img src=x>": 1}), draws=DRAWS)
    assert "<img" not in found._repr_html_() and "&lt;img" in found._repr_html_()


@pytest.mark.parametrize("name", ["corp_rep", "mobi", "telecom_survey"])
def test_indices_equal_those_of_insufficient_effort(name):
    """Runs and even-odd are the same; its spread divides by n and its distance is the root, of complete rows only."""
    ier = pytest.importorskip("ier")
    data, book = sc.load(name), sc.codebook(name).query("high <= 10 and high - low >= 3")
    x = data[book["variable"]].to_numpy(float)
    np.testing.assert_array_equal(careless.longest_run(x), ier.longstring_scores(x))
    k = (~np.isnan(x)).sum(axis=1)
    np.testing.assert_allclose(careless.spread_within(x), ier.irv(x) * np.sqrt(k / (k - 1)))
    whole = x[~np.isnan(x).any(axis=1)]
    ours = careless.mahalanobis(whole, whole.mean(axis=0), np.linalg.pinv(np.cov(whole.T), hermitian=True))
    np.testing.assert_allclose(np.sqrt(ours), ier.mahad(whole), rtol=1e-6)
    groups = [list(g["variable"]) for _, g in book.groupby("construct", sort=False) if len(g) > 1]
    ends = np.cumsum([0, *map(len, groups)])
    keyed = data[[i for g in groups for i in g]].to_numpy(float)
    scales = [list(range(a, b)) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    theirs = ier.evenodd(keyed, [len(g) for g in groups], method="halves")
    np.testing.assert_allclose(careless.even_odd(keyed, scales), theirs, atol=1e-9)
