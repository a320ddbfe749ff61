"""The verdict, and how printed numbers are read and computed again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from papercheck import board as replicate
from papercheck.from_answers import end_band, hair2021, recode_like_switching
from papercheck.reading import numbers
from papercheck.recipes import _alpha_of_two, _rho_of_two
from papercheck.reproduction import Reproduction, rounding_box


@pytest.mark.parametrize(
    ("printed", "found", "verdict"),
    [
        (".504", Reproduction(0.50449, "answers"), "exact"),
        (".504", Reproduction(0.50451, "answers"), "different"),
        ("2.0", Reproduction(2.05, "answers"), "exact"),  # a half rounds either way
        (".276", Reproduction(0.2749, "printed", band=(0.2744, 0.2756)), "within rounding"),
        (".276", Reproduction(0.2749, "printed", band=(0.2744, 0.2754)), "inconsistent"),
        ("-.016", Reproduction(-0.011, "answers", interval=(-0.021, -0.002)), "within interval"),
        ("-.016", Reproduction(-0.011, "answers", interval=(-0.014, -0.002)), "different"),
        (".85", Reproduction(why="needs the answers"), "not comparable"),
        (".85", None, "not comparable"),
        ("344", Reproduction(343.0, "answers"), "different"),
        (".50491393", Reproduction(0.50491394, "answers"), "different"),
    ],
)
def test_verdict(printed, found, verdict):
    got, reason = replicate.judge(printed, found)
    assert got == verdict
    assert (reason == "") == (verdict in replicate.VERDICTS[:3])


def test_decimals_are_those_printed():
    n = numbers("ecsi_mobi").set_index(["quantity", "row", "column"])
    assert n.loc[("path_weighting", "Image", "Satisfaction"), "decimals"] == 8
    assert n.loc[("estimate", "Image", "Loyalty"), "printed"] == ".195"
    # JSON numbers keep their zeros: .640, not .64
    m = numbers("moura2005").set_index("quantity")
    assert (m.printed["tli"], m.decimals["tli"]) == ("0.640", 3)


def test_every_kind_of_table_is_read():
    found = numbers("abbade2014").groupby("quantity").size()
    assert dict(found) == {
        "mean": 17,
        "sd": 17,
        "loading": 17,
        "alpha": 5,
        "ave": 5,
        "cr": 5,
        "correlation": 10,
        "path": 10,
        "boot_mean": 10,
        "se": 10,
        "t": 10,
        "r2_percent": 4,
    }
    assert (numbers("ha2023").quantity == "loading").sum() == 26
    hair = numbers("hair2021_corp_rep")
    assert len(hair) == 58 + 2 * 27 and not hair.quantity.str.contains("note").any()


def test_rounding_box_holds_the_corners():
    b = rounding_box([0.30, 2.0], [2, 1])
    assert b[0].tolist() == [0.30, 2.0]
    assert np.abs(b - b[0]).max(axis=0) == pytest.approx([0.005, 0.05])
    product = b[:, 0] * b[:, 1]
    assert (product.min(), product.max()) == pytest.approx((0.295 * 1.95, 0.305 * 2.05))


def test_two_items_give_alpha_and_rho_from_their_loadings():
    rng = np.random.default_rng(4)
    x = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 500)
    y = x @ [0.3, 0.8] + rng.normal(size=500)
    from switchcost.plspm.fitting import pls

    fit = pls(pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y}), {"X": ["a", "b"], "Y": ["y"]}, "Y ~ X")
    loadings = fit.loadings.X.dropna().to_numpy()[None]
    alpha, rho = _alpha_of_two(loadings), _rho_of_two(loadings)
    assert alpha[0] == pytest.approx(fit.reliability.alpha["X"], abs=1e-10)
    assert rho[0] == pytest.approx(fit.reliability.rhoA["X"], abs=1e-8)


def _write(folder, **tables):
    folder.mkdir()
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(line.strip() for line in text.strip().splitlines()) + "\n")
    return folder


def _path_study(r_ab=0.3, r_ac=0.4, r_bc=0.5):
    """A printed correlation matrix and the two paths a, b -> c that follow from it."""
    beta = np.linalg.solve([[1, r_ab], [r_ab, 1]], [r_ac, r_bc])
    matrix = f"construct,a,b,c\na,1,{r_ab},{r_ac}\nb,{r_ab},1,{r_bc}\nc,{r_ac},{r_bc},1"
    return matrix, beta, float(beta @ [r_ac, r_bc])


def test_a_study_of_csv_files_needs_no_code(tmp_path):
    matrix, beta, r2 = _path_study()
    folder = _write(
        tmp_path / "smith2020",
        correlations=matrix,
        paths=f"from,to,beta,se,t\na,c,{beta[0]:.3f},0.040,{beta[0] / 0.04:.2f}\nb,c,{beta[1]:.3f},0.050,3.00",
        r2=f"construct,r2\nc,{r2:.2f}",
        measurement="construct,item,mean,sd,loading,alpha,AVE,CR\na,a1,3.10,1.00,.80,.70,.64,.78\na,a2,3.20,1.10,.80,.70,.64,.78",
    )
    board = replicate.replicate(folder)
    by = board.set_index(["quantity", "row", "column"])
    assert set(board.study) == {"smith2020"}
    assert by.verdict["beta", "a", "c"] == by.verdict["r2", "c", ""] == "exact"
    assert by.verdict["t", "a", "c"] in ("exact", "within rounding")
    assert by.verdict["t", "b", "c"] == "inconsistent" and "3.00" in by.reason["t", "b", "c"]
    assert by.verdict["ave", "a", ""] == "exact" and by.verdict["cr", "a", ""] == "exact"
    assert by.verdict["mean", "a", "a1"] == "not comparable"
    assert (board.reason[board.verdict == "not comparable"] != "").all()
    assert (board.notebook == "16_evidence_map").all()


def test_a_wrong_path_is_not_explained_away(tmp_path):
    matrix, beta, _ = _path_study()
    right = _write(tmp_path / "right", correlations=matrix, paths=f"from,to,beta\na,c,{beta[0]:.2f}\nb,c,{beta[1]:.2f}")
    wrong = _write(
        tmp_path / "wrong",
        correlations=matrix,
        paths=f"from,to,beta\na,c,{beta[0] + 0.2:.2f}\nb,c,{beta[1]:.2f}",
    )
    ok = replicate.replicate(right).query("quantity == 'beta'")
    bad = replicate.replicate(wrong).query("quantity == 'beta'").set_index("row").verdict
    assert ok.verdict.isin(["exact", "within rounding"]).all()
    assert bad["a"] == "inconsistent" and bad["b"] != "inconsistent"


def test_fit_indices_without_n_say_so(tmp_path):
    board = replicate.replicate(_write(tmp_path / "nameless", fit="chisq,df,rmsea\n100.0,40,.05"))
    assert board.set_index("quantity").reason["rmsea"] == "needs n; add it to study.json"


def test_r2_between_the_bounds_but_not_at_zero_correlation_is_left_open(tmp_path):
    board = replicate.replicate(
        _write(tmp_path / "open", paths="from,to,beta\na,c,.40\nb,c,.30", r2="construct,r2\nc,.40")
    )
    row = board.set_index("quantity").loc["r2"]
    assert row.verdict == "not comparable" and "correlation of a and b" in row.reason
    assert "0.008 to 0.504" in row.reason  # (.395 - .305)^2 and (.405 + .305)^2


def test_a_changed_file_is_read_again(tmp_path):
    folder = _write(tmp_path / "moving", fit="chisq,df,chisq_df\n100.0,50,2.00")
    assert replicate.replicate(folder).set_index("quantity").verdict["chisq_df"] == "exact"
    (folder / "fit.csv").write_text("chisq,df,chisq_df\n100.0,50,2.50\n")
    assert replicate.replicate(folder).set_index("quantity").verdict["chisq_df"] == "inconsistent"


def test_bounds_and_stars_are_part_of_a_printed_number(tmp_path):
    folder = _write(tmp_path / "starred", paths="from,to,b,se,t,p\na,c,.40***,.05,8.00,<.001\nb,c,.10,.05,2.00,< .001")
    by = replicate.replicate(folder).set_index(["quantity", "row"])
    assert by.verdict["t", "a"] == "exact" and by.printed["b", "a"] == ".40***"
    assert by.verdict["p", "a"] == "exact"
    assert by.verdict["p", "b"] == "inconsistent"  # t = 2 is p = .046


def test_a_gap_or_an_impossible_matrix_is_a_reason_and_no_crash(tmp_path):
    paths = "from,to,beta\na,c,.40\nb,c,.30"
    gap = _write(tmp_path / "gap", correlations="construct,a,b,c\na,1,,.5\nb,,1,.4\nc,.5,.4,1", paths=paths)
    reason = replicate.replicate(gap).query("quantity == 'beta'").reason
    assert reason.str.contains("no entry for a and b").all()
    odd = _write(tmp_path / "odd", correlations="construct,a,b,c\na,1,1.0,.9\nb,1.0,1,-.9\nc,.9,-.9,1", paths=paths)
    board = replicate.replicate(odd).query("quantity == 'beta'")
    assert (board.verdict == "not comparable").all() and board.reason.str.contains("not positive definite").all()
    exact = _write(tmp_path / "saturated", fit="chisq,df,rmsea\n0.0,0,.000")
    assert (replicate.replicate(exact).verdict == "not comparable").all()


def test_a_folder_added_to_the_data_is_on_the_board(tmp_path, monkeypatch):
    import switchcost as sc
    from switchcost.data import register

    _write(tmp_path / "published").joinpath("templates").mkdir()
    register(tmp_path)
    _write(tmp_path / "published" / "onlycsv2020", paths="from,to,b,se,t\na,c,.40,.05,8.00")
    full = _write(tmp_path / "published" / "withmeta2021", fit="chisq,df,rmsea\n100.0,50,.050")
    (full / "study.json").write_text(
        '{"key": "withmeta2021", "citation": "A", "market": "B", "n": 400, "notebook": "99_mine"}'
    )
    monkeypatch.setenv("SWITCHCOST_DATA", str(tmp_path))
    board = sc.scoreboard().table
    assert board.study.tolist() == ["onlycsv2020"] * 3 + ["withmeta2021"] * 3
    by = board.set_index(["study", "quantity"])
    assert by.verdict["onlycsv2020", "t"] == by.verdict["withmeta2021", "rmsea"] == "exact"
    assert by.notebook["withmeta2021", "rmsea"] == "99_mine"


@pytest.mark.parametrize("cell", ["0,31", "31%", "n.s.", "(.31)"])
def test_text_among_numbers_is_named_and_not_left_out(tmp_path, cell):
    folder = _write(tmp_path / "typo", paths=f'from,to,beta\na,c,.40\nb,c,"{cell}"\nd,c,.20')
    with pytest.raises(ValueError, match=r"table 'paths', line 3: .* in column 'beta' is not a number"):
        replicate.replicate(folder)


@given(st.floats(-1000, 1000), st.integers(0, 7))
def test_what_rounds_to_the_printed_number_is_exact_and_the_next_digit_is_not(value, decimals):
    printed = f"{value:.{decimals}f}"
    assert replicate.judge(printed, Reproduction(value, "answers"))[0] == "exact"
    assert replicate.judge(printed, Reproduction(float(printed) + 1.02 * 10.0**-decimals, "answers"))[0] == "different"


def test_bad_studies_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"there is no study 'mota2021'.*Did you mean 'mota2012'"):
        replicate.replicate("mota2021")
    with pytest.raises(ValueError, match=r"'empty' holds no CSV table"):
        replicate.replicate(_write(tmp_path / "empty"))
    twice = _write(tmp_path / "twice", paths="from,to,beta\na,c,.4\na,c,.5")
    with pytest.raises(ValueError, match=r"prints 'beta' of a c twice \(table 'paths'\)"):
        replicate.replicate(twice)
    with pytest.raises(ValueError, match="board has no column 'verdict'"):
        replicate.summary(pd.DataFrame({"study": ["a"]}))
    with pytest.raises(ValueError, match="model must be simple, extended or moderation"):
        hair2021("moderated")


def test_end_band_covers_percentile_ends_as_often_as_it_says():
    """Ends of many small bootstraps of one correlation, against the band from a large one."""
    from switchcost.plspm.fitting import pls

    rng = np.random.default_rng(8)
    x = rng.normal(size=150)
    d = pd.DataFrame({"x": x, "y": 0.5 * x + rng.normal(size=150)})
    fit = pls(d, {"X": ["x"], "Y": ["y"]}, "Y ~ X")
    large = fit.bootstrap(8000, seed=1)
    small = fit.bootstrap(8000, seed=2).draws["paths"][:, 0].reshape(80, 100)  # 80 bootstraps of 100 draws
    low, high = end_band(large, "paths", 0, 0.05, 100, confidence=0.80)
    inside = np.mean([low <= np.quantile(s, 0.05) <= high for s in small])
    assert 0.66 <= inside <= 0.92


def test_switching_items_are_what_the_recode_makes_of_quality():
    import switchcost as sc

    data = sc.load("corp_rep")
    made = recode_like_switching(data[["qual_6", "qual_7", "qual_5"]])
    for k, column in enumerate(made, start=1):
        assert (made[column] == data[f"switch_{k}"]).all()
    own, path = (hair2021("moderation", data, items).paths.estimate for items in (made, None))
    assert own.to_numpy() == pytest.approx(path.to_numpy(), abs=1e-12)
    with pytest.raises(ValueError, match="three columns are recoded, and these are 2"):
        recode_like_switching(data[["qual_6", "qual_7"]])
    with pytest.raises(ValueError, match="the simple model has no moderator"):
        hair2021("simple", data, made)
