"""The six studies added from printed tables and open choices: each finding of their study.json."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import switchcost as sc
from papercheck import audits, mutation
from papercheck import board as replicate
from papercheck.choice import MixedLogit, choice_model, halton_normal
from papercheck.reading import numbers
from papercheck.reproduction import AGREE
from papercheck.studies import aydin2005 as aydin
from papercheck.studies.common import cells
from switchcost.data.registry import register


def rows(study):
    return replicate.replicate(study).set_index(["model", "quantity", "row", "column"]).sort_index()


def test_aydin_the_unprinted_correlations_close():
    found = aydin.recovered(cells(numbers("aydin2005")))
    assert found.value.round(3).to_dict() == pytest.approx(
        {"CS TR": 0.607, "CS CL": 0.586, "TR CL": 0.631, "DSC CS": 0.194, "DSC TR": 0.216, "DSC CL": 0.242}, abs=0.0015
    )
    assert (found.low < found.value).all() and (found.value < found.high).all()
    assert found.loc["DSC CS", "high"] - found.loc["DSC CS", "low"] < 0.04
    by = rows("aydin2005")
    table = by.loc["table2"]
    assert table.verdict[table.basis == "printed"].isin(AGREE).all() and (table.basis == "printed").sum() >= 17


def test_aydin_the_printed_slopes_do_not_follow():
    by = rows("aydin2005")
    for x, slope in (("CS", 0.250), ("TR", 0.368)):
        row = by.loc[("text", f"effect of {x}, high switching cost", "text", "")]
        assert row.verdict == "inconsistent" and row.basis == "assumed" and "40 to 60 percent" in row.reason
        assert row.reproduced == pytest.approx(slope, abs=0.001)
    assert by.loc[("text", "p", "non-response", "")].verdict == "inconsistent"
    assert by.loc[("text", "df", "CFA", "")].verdict == "exact"


def test_kim_what_cannot_stand_together():
    by = rows("kim2004")
    wrong = by[by.verdict == "inconsistent"]
    assert {(m, q) for m, q, *_ in wrong.index} == {
        ("table5", "df"), ("table5", "gfi"), ("table5", "agfi"), ("table5", "nfi"), ("table5", "cfi"),
        ("text", "SK Telecom (percent)"), ("text", "KTF (percent)"), ("text", "LG Telecom (percent)"),
        ("text", "handset replacements, SD"),
    }  # fmt: skip
    assert by.loc["table6", "Se"].verdict.isin(AGREE).all() and len(by.loc["table6", "Se"]) == 13
    assert by.loc["table7", "p"].verdict.isin(AGREE).all() and len(by.loc["table7", "p"]) == 12
    assert by.loc[("table7", "r2", "Switching barrier", "")].reason.count("collinear") == 1


def test_toledo_direct_and_total_effects():
    by = rows("toledo2016")
    assert by.loc[("table4", "t", "H3b Nostalgia => Attitude prevailing brand", "")].verdict == "inconsistent"
    mean = by.loc[("table4", "Sample mean of 100", "H4a Attitude extinct brand => Loyalty", "")]
    assert mean.verdict == "inconsistent" and "99 percent of cases" in mean.reason
    assert "total effect" in by.loc[("table4", "t", "H4a Attitude extinct brand => Loyalty", "")].reason
    assert by.loc[("table3", "cr", "5 Behavioral loyalty", "")].reproduced == pytest.approx(0.8155, abs=1e-4)
    assert by.loc[("table2", "n", "before Others; now Total", "")].reproduced == 74
    roots = by[by.index.get_level_values(1).str.contains("square root")]
    assert len(roots) == 7 and roots.verdict.isin(AGREE).all()
    assert by.loc[("table4", "t", "H2 Propensity to Nostalgia => Nostalgia", "")].reason.startswith("printed like this")


def test_khan_closes_but_for_a_typing_error_and_a_mean():
    by = rows("khan2012")
    assert by.index[by.verdict == "inconsistent"].tolist() == [
        ("table1", "mean", "Satisfaction", ""),
        ("text", "beta of retention, second mention", "text", ""),
    ]
    assert "GRIM: " in by.loc[("table1", "mean", "Satisfaction", "")].reason
    assert "possible:" in by.loc[("table1", "mean", "Loyalty", "")].reason


def test_demidio_says_where_it_was_read():
    board = replicate.replicate("demidio2013")
    checked = board[board.verdict != "not comparable"]
    assert len(checked) >= 10 and checked.reason.str.contains("machine conversion").all()
    assert checked.verdict.isin(AGREE).all()
    spread = board[(board.table == "table1") & board.quantity.str.contains("SD|mean")]
    assert len(spread) == 72 and spread.reason.str.contains("possible: ").all()
    assert (
        "p = 0.0752" in board.reason[(board.row == "Switching costs") & (board.quantity == "p (Mann-Whitney)")].iloc[0]
    )


def test_electricity_every_number_of_five_models_from_the_choices():
    board = replicate.replicate("electricity_mlogit")
    estimates = board[board.quantity.isin(["estimate", "se"])]
    assert len(estimates) == 132 and (estimates.verdict == "exact").all() and (estimates.basis == "answers").all()
    assert board.verdict.isin(AGREE).all()
    tests = board[board.quantity.str.contains("test chi-square")].set_index("quantity").reproduced
    assert tests.round(3).to_dict() == {
        "lrtest chi-square": 250.181, "waldtest chi-square": 466.479, "scoretest chi-square": 157.35,
    }  # fmt: skip


def test_mixed_logit_finds_its_maximum_from_its_own_start():
    data = sc.load("electricity")
    x = ["pf", "cl", "loc", "wk", "tod", "seas"]
    fit = choice_model(data, x, random=dict.fromkeys(x[1:], "normal"))
    assert fit.loglik == pytest.approx(-3961.735, abs=0.002)
    assert fit.table.est["cl"] == pytest.approx(-0.21706, abs=1e-4) and (fit.n_obs, fit.n_people) == (4308, 361)
    assert "361 people" in repr(fit)


def test_score_is_the_derivative_of_the_likelihood():
    rng = np.random.default_rng(3)
    rows_ = [(p, t, *rng.normal(size=2), a == rng.integers(3)) for p in range(20) for t in range(4) for a in range(3)]
    data = pd.DataFrame(rows_, columns=["id", "task", "a", "b", "choice"])
    data["choice"] = data.groupby(["id", "task"]).cumcount().eq(1)
    data["chid"] = data.id * 4 + data.task
    for kinds, correlated in (
        ({"a": "normal", "b": "uniform"}, False), ({"b": "lognormal"}, False), ({"a": "normal", "b": "lognormal"}, True),
    ):  # fmt: skip
        model = MixedLogit.prepare(data, ["a", "b"], random=kinds, correlated=correlated, draws=20)
        theta = rng.normal(size=len(model.names)) / 3
        _, score = model(theta)
        by_choice = model(theta, by_task=True)[1]
        assert by_choice.shape[0] == 80 and by_choice.sum(0) == pytest.approx(score.sum(0))
        for k in range(len(theta)):
            e = np.eye(len(theta))[k] * 1e-6
            slope = (model(theta + e)[0].sum() - model(theta - e)[0].sum()) / 2e-6
            assert slope == pytest.approx(score[:, k].sum(), rel=1e-5, abs=1e-5)


def test_halton_points_are_those_of_the_sequence():
    from scipy.special import ndtr

    u = ndtr(halton_normal(2, 3, 2, skip=1))
    assert u[..., 0].ravel() == pytest.approx([1 / 2, 1 / 4, 3 / 4, 1 / 8, 5 / 8, 3 / 8])
    assert u[0, :, 1] == pytest.approx([1 / 3, 2 / 3, 1 / 9])


def test_bad_choice_data_are_named():
    data = sc.load("electricity")
    with pytest.raises(ValueError, match="'triangular' is neither"):
        choice_model(data, ["pf"], random={"pf": "triangular"})
    with pytest.raises(ValueError, match="one chosen alternative"):
        choice_model(data.assign(choice=False), ["pf"])
    with pytest.raises(ValueError, match="hessian is"):
        choice_model(data, ["pf"], hessian="no")


def test_the_stored_mutation_audit_is_that_of_today():
    stored = pd.read_csv(audits.path_of("board_mutations"), keep_default_na=False)
    assert set(stored.study) == set(sc.scoreboard().table.study)
    now = mutation.mutate("moura2005")
    then = stored[stored.study == "moura2005"].reset_index(drop=True)
    pd.testing.assert_frame_equal(now.astype(str), then.astype(str), check_dtype=False)
    silent = stored[(stored.noticed.astype(str) == "False") & (stored.basis != "")]
    assert (silent.why.str.len() > 10).all()
    shares = sc.scoreboard().mutations
    assert 0 < shares.loc[("all", "printed"), "share"] < 1


def test_a_broken_study_is_one_row_that_names_the_file(tmp_path, monkeypatch):
    (tmp_path / "published" / "good").mkdir(parents=True)
    (tmp_path / "published" / "bad").mkdir()
    (tmp_path / "published" / "good" / "paths.csv").write_text("from,to,b,se,t\na,c,.40,.05,8.00\n")
    (tmp_path / "published" / "bad" / "fit.csv").write_text("chisq,df\n100.0,50\n")
    (tmp_path / "published" / "bad" / "study.json").write_text("{broken")
    register(tmp_path)
    monkeypatch.setenv("SWITCHCOST_DATA", str(tmp_path))
    board = sc.scoreboard()
    bad = board.table[board.table.study == "bad"]
    assert len(bad) == 1 and bad.verdict.iloc[0] == "not comparable" and "bad/study.json" in bad.reason.iloc[0]
    assert len(board.table) == 4 and any("bad cannot be reproduced" in w for w in board.warnings)


def test_assumptions_that_no_value_meets_are_inconsistent(tmp_path):
    """The escape hatch of the first edition: indices no baseline reconciles were called not comparable."""
    folder = tmp_path / "mota"
    folder.mkdir()

    def verdicts(tli, cfi=".892"):
        (folder / "fit.csv").write_text(f"chisq,df,nfi,ifi,tli,cfi\n1224.70,267,.867,.893,{tli},{cfi}\n")
        return replicate.replicate(folder).set_index("quantity").verdict[["nfi", "ifi", "tli", "cfi"]]

    assert verdicts(".869").isin(AGREE).all()
    assert (verdicts(".872") == "inconsistent").all() and (verdicts(".900") == "inconsistent").all()
    assert (verdicts(".869", ".930") == "inconsistent").all()
