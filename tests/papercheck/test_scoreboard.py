"""Every published number of the collection, one test a number where the answers are open."""

from __future__ import annotations

import importlib.util

import pandas as pd
import pytest

import switchcost as sc
from papercheck import audits, picture
from papercheck import board as replicate
from switchcost.data.registry import data_dir, register

ROOT = data_dir() / "published"
HAIR = pd.read_csv(ROOT / "hair2021_corp_rep" / "targets.csv", dtype=str, keep_default_na=False)
ECSI = pd.read_csv(ROOT / "ecsi_mobi" / "pls_paths.csv", dtype=str)
ABBADE = pd.read_csv(ROOT / "abbade2014" / "paths.csv", dtype=str)


@pytest.fixture(scope="module")
def whole():
    return sc.scoreboard()


@pytest.fixture(scope="module")
def board(whole) -> pd.DataFrame:
    return whole.table


@pytest.fixture(scope="module")
def by(board):
    return board.set_index(["study", "model", "quantity", "row", "column"]).sort_index()


@pytest.mark.parametrize(
    "target", HAIR.to_dict("records"), ids=lambda t: f"{t['model']}-{t['quantity']}-{t['row']}-{t['column']}"
)
def test_hair2021_reproduces_to_the_printed_digit(by, target):
    row = by.loc[("hair2021_corp_rep", target["model"], target["quantity"], target["row"], target["column"])]
    assert row.verdict == "exact"
    assert f"{row.reproduced:.{target['decimals']}f}" == f"{float(target['value']):.{target['decimals']}f}"
    for end in ("ci_lower", "ci_upper"):
        if target[end]:
            key = (
                "hair2021_corp_rep",
                target["model"],
                f"{target['quantity']} {end}",
                target["row"],
                target["column"],
            )
            assert by.verdict[key] in ("exact", "within interval")
            assert by.published[key] == float(target[end])


@pytest.mark.parametrize("target", ECSI.to_dict("records"), ids=lambda t: f"{t['from']}-{t['to']}")
def test_ecsi_reproduces_to_eight_decimals(by, target):
    row = by.loc[("ecsi_mobi", "", "path_weighting", target["from"], target["to"])]
    assert row.verdict == "exact" and abs(row.difference) <= 0.5e-8


def test_ecsi_bootstrap_rows(by):
    boot = by.loc["ecsi_mobi", "centroid"].reset_index()
    assert (boot[boot.quantity == "estimate"].verdict == "exact").all() and (boot.quantity == "estimate").sum() == 5
    ends = boot[boot.quantity.isin(["ci_lower", "ci_upper"])]
    assert len(ends) == 10 and ends.verdict.isin(["exact", "within interval"]).all()


@pytest.mark.parametrize("target", ABBADE.to_dict("records"), ids=lambda t: t["H"])
def test_abbade_paths_follow_from_the_printed_matrix(by, target):
    row = by.loc[("abbade2014", "", "path", target["from"], target["to"])]
    assert row.verdict in ("exact", "within rounding") and abs(row.difference) < 0.0025


def test_abbade_r2_follow_from_the_printed_matrix(by):
    r2 = by.xs("r2_percent", level="quantity").loc["abbade2014"]
    assert len(r2) == 4 and r2.verdict.isin(["exact", "within rounding"]).all()


def test_nothing_is_left_out(board):
    assert len(board) >= 440 and board.study.nunique() >= 6
    assert set(board.study) == {p.parent.name for p in ROOT.glob("*/study.json")}
    assert not board.duplicated(["study", "model", "quantity", "row", "column"]).any()
    assert set(board.verdict) <= set(replicate.VERDICTS)
    off = ~board.verdict.isin(replicate.VERDICTS[:3])
    assert (board.reason[off].str.len() > 10).all()
    assert board.reproduced[board.verdict != "not comparable"].notna().all()
    assert (
        list(board.columns[:16])
        == (
            "study table quantity row column printed published reproduced difference decimals basis verdict reason "
            "constraint source notebook"
        ).split()
    )


def test_each_paper_that_contradicts_itself_is_found(board):
    first = [
        "abbade2014",
        "ecsi_mobi",
        "ha2023",
        "hair2021_corp_rep",
        "mota2012",
        "moura2005",
    ]  # others: test_studies.py
    found = board[(board.verdict == "inconsistent") & board.study.isin(first)]
    assert {(r.study, r.model, r.quantity, r.row) for r in found.itertuples()} == {
        ("ha2023", "", "cr", "ServiceQuality"),
        ("mota2012", "after", "r2", "Value"),
        ("mota2012", "before", "df", ""),
        ("mota2012", "after", "df", ""),
        ("moura2005", "", "chisq_df", "running text"),
        *(("abbade2014", "", "mean", c) for c in ("CTR", "SAT", "LEAL")),
    }
    reason = found[found.quantity == "r2"].reason.iloc[0]
    assert "0.107" in reason and "0.048" in reason


def test_a_subtraction_that_is_no_test_does_not_count(board):
    row = board[board.quantity == "chisq_difference"].iloc[0]
    assert row.verdict == "not comparable" and "different samples" in row.reason and "is right" in row.reason
    assert (board[board.quantity == "chisq_difference df"].verdict == "not comparable").all()


def test_what_is_fitted_to_the_printed_numbers_is_called_assumed(by):
    rows = by.loc["mota2012", "before"]
    assert (rows.loc[["nfi", "ifi", "tli", "cfi"], "basis"] == "assumed").all()
    assert rows.loc[["nfi", "ifi", "tli", "cfi"], "reason"].str.contains("325 degrees of freedom, fitted").all()
    assert rows.loc[["nfi", "ifi", "tli", "cfi"], "constraint"].nunique() == 2
    assert (rows.loc["rmsea", "basis"] == "printed").all()


def test_an_identity_seen_twice_is_one_constraint(board):
    abbade = board[(board.study == "abbade2014") & board.quantity.isin(["path", "correlation"])]
    assert len(abbade) == 20 and abbade.constraint.nunique() == 10
    mota = board[(board.study == "mota2012") & (board.quantity == "beta")]
    assert len(mota) == 16 and mota.constraint.nunique() == 6


def test_two_items_give_alpha_and_rho_in_a_study_of_one_group(by):
    rows = by.loc["ha2023", "", ["alpha", "rho_A"], ["ProceduralSC", "FinancialSC", "RelationalSC"]]
    assert len(rows) == 6 and rows.verdict.isin(["exact", "within rounding"]).all()


def test_our_own_counts_are_not_published_numbers(board):
    assert not board.quantity.str.contains("rows_holding").any()


def test_what_is_said_to_be_missing_is_missing(board):
    """A number with a reproduction is never called not comparable, and the other way round."""
    assert ((board.verdict == "not comparable") == board.reproduced.isna()).all()
    for column in ("source", "basis", "constraint"):
        assert ((board[column] == "") == board.reproduced.isna()).all()
    assert set(board.basis) <= {"answers", "printed", "assumed", ""}


def test_summary_adds_up(whole, board):
    s = replicate.summary(board)
    assert s.loc["all", "numbers"] == len(board)
    assert (
        s.drop(index="all").sum()[list(replicate.VERDICTS)].tolist() == s.loc["all", list(replicate.VERDICTS)].tolist()
    )
    by = whole.by_basis()
    assert by.numbers.sum() == (board.verdict != "not comparable").sum()
    assert (by.constraints <= by.numbers).all() and by.loc["answers", "inconsistent"] == by.loc[
        "printed", "different"
    ] == 0


def test_a_caller_may_write_into_the_copy(board):
    again = sc.scoreboard().table
    pd.testing.assert_frame_equal(again, board)
    again["verdict"] = "exact"
    assert (sc.scoreboard().table.verdict != "exact").any()


def test_command_prints_the_summary_and_what_did_not_agree(board, capsys):
    assert replicate.report() == 0
    out = capsys.readouterr().out
    assert f"{len(board)} published numbers in {board.study.nunique()} studies" in out
    assert "mota2012: after r2 Value: printed 0.31" in out
    assert "scoreboard:" not in out  # the progress bar goes to stderr


def test_command_fails_when_open_answers_stop_giving_the_printed_number(board, monkeypatch, capsys):
    broken = board[board.verdict == "exact"].reset_index(drop=True)
    broken.loc[0, "verdict"], broken.loc[0, "reproduced"] = "different", 0.5
    monkeypatch.setattr(replicate, "scoreboard", lambda: replicate.Board(broken))
    assert replicate.report() == 1
    assert "(different:" in capsys.readouterr().out


def test_picture_counts_what_the_board_holds(board):
    import matplotlib

    matplotlib.use("Agg")
    ax = picture.draw(board)
    drawn = sum(len(c.get_offsets()) for c in ax.collections)
    assert drawn == len(board)
    checked = int((board.verdict != "not comparable").sum())
    title = ax.get_title("left") + ax.get_title()  # where it stands depends on the style in force
    assert f"{checked} of {len(board)} published numbers" in title
    texts = [t.get_text() for t in ax.texts]
    assert "62 of 62 agree, 50 within interval" in texts and "all" not in texts
    assert f"exact ({int((board.verdict == 'exact').sum())})" in [t.get_text() for t in ax.get_legend().get_texts()]


def benchmark(name):
    """A script of benchmarks/, and the table that it wrote."""
    file = audits.path_of(name)
    spec = importlib.util.spec_from_file_location(name, file.with_suffix(".py"))
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script, pd.read_csv(file, dtype=str, keep_default_na=False)


def test_what_within_interval_can_tell_is_counted_by_code(whole):
    script, table = benchmark("within_interval")
    stored = table.apply(lambda c: c if c.name == "analysis" else c.astype(int)).to_dict("records")
    assert [r["analysis"] for r in stored] == list(script.ANALYSES)
    assert script.count(stored[3]["analysis"]) == stored[3]
    note = whole.warnings[0]
    assert f"of {stored[0]['ends']} interval ends" in note
    assert all(f"{r['analysis']}: {r['ends_within']} ends, {r['points_exact']} estimates" in note for r in stored[1:])
    assert stored[0]["points_exact"] == stored[0]["points"] > stored[2]["points_exact"] > stored[3]["points_exact"]


def test_forty_rows_by_hand_say_what_the_board_says(board):
    script, stored = benchmark("board_audit")
    assert len(stored) == 40 and stored["study"].nunique() == 12 and (stored["agrees"] == "True").all()
    # The quick ones again; simulated likelihoods and bootstraps stand in the table.
    quick = {k: v for k, v in script.HANDS.items() if v[1] != "answers"}
    now = script.audit(board, quick).astype(str)
    assert len(now) >= 30 and (now["agrees"] == "True").all()
    key = ["study", "model", "quantity", "row", "column"]
    today = stored.merge(board.astype(str), on=key, suffixes=("", "_today"))
    assert len(today) == 40
    for column in ("printed", "verdict", "basis"):
        assert (today[column] == today[f"{column}_today"]).all(), column


def test_without_the_stored_tables_the_note_holds_no_number(monkeypatch, tmp_path):
    (tmp_path / "data" / "published").mkdir(parents=True)
    register(tmp_path / "data")
    monkeypatch.setenv("SWITCHCOST_DATA", str(tmp_path / "data"))
    assert not any(c.isdigit() for c in audits.interval_note()) and audits.mutations().empty
