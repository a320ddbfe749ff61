"""The chapter's numbers on four survey files equal those of R, which read the files itself (tests/reference/chapter.R)."""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

import switchcost as sc
from surveychapter.chapter import results_chapter
from switchcost.core.errors import SurveyNote
from switchcost.data import skeleton

TESTS = Path(__file__).parents[1]
SURVEYS = TESTS / "switchcost" / "surveys"
RIGHT = json.loads((TESTS / "reference" / "chapter.json").read_text(encoding="utf-8"))
CLAIMS = [
    "H1: satisfaction -> loyalty (+)",
    "H2: satisfaction -> trust -> loyalty (+)",
    "H3: satisfaction x switching_costs -> loyalty",
]
SCALES = {"satisfaction": 4, "switching_costs": 5, "trust": 3, "loyalty": 4}


def codebook(file: str) -> pd.DataFrame:
    if file.startswith("02"):
        book = skeleton(sc.read_survey(SURVEYS / file))
        return sc.codebook(book.replace({"construct": dict(zip(["Q2", "Q3", "Q4", "Q5"], SCALES, strict=True))}))
    book = sc.codebook(
        SURVEYS / {"04": "codebook_plain.csv", "08": "08_codebook.csv", "11": "11_codebook.csv"}[file[:2]]
    )
    if file.startswith("11"):
        book.loc[book["variable"] == "attention", ["construct", "low", "high"]] = ["attention", 2.0, 2.0]
    return book


@cache
def chapter(file: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SurveyNote)
        book = codebook(file)
        data = sc.read_survey(SURVEYS / file, book)
    return data, book, results_chapter(data, book, {"hypotheses": CLAIMS}, n_boot=100)


def close(found, right, digits):
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(right, float), atol=0.5 * 10**-digits)


@pytest.mark.parametrize("file", RIGHT)
def test_answers_and_scales(file):
    data, book, made = chapter(file)
    right = RIGHT[file]
    items = book[book["construct"].isin(SCALES)]
    assert len(data) == right["n"] and len(items) == 16
    keyed = data[items["variable"]].astype(float)
    turned = items.set_index("variable").query("reverse")
    keyed[turned.index] = turned["low"] + turned["high"] - keyed[turned.index]
    assert keyed.notna().sum().tolist() == list(right["answered"].values())
    close(keyed.mean(), list(right["means"].values()), 10)
    reliability = made.results["reliability"]
    close(reliability.loc[list(SCALES), "alpha"], [right["alpha"][s] for s in SCALES], 6)
    close(reliability.loc[list(SCALES), "omega"], [right["omega"][s] for s in SCALES], 4)


@pytest.mark.parametrize("file", RIGHT)
def test_factor_analysis_and_validity(file):
    _, _, made = chapter(file)
    right = RIGHT[file]
    for fit, name in (
        (made.results["cfa"], "fit"),
        (made.results["structural" if "structural" in made.results else "hypotheses_model"], "sem"),
    ):
        found = fit.measures
        close([found[k.replace(".", "_")] for k in right[name]], list(right[name].values()), 4)
    estimates = made.results["cfa"].estimates
    loadings = estimates[estimates["op"] == "=~"]
    order = [s for s in loadings["lhs"].unique()]
    assert set(order) == set(SCALES)
    right_loadings = dict(
        zip([(s, k) for s, n in SCALES.items() for k in range(n)], right["loadings"].values(), strict=True)
    )
    for scale, part in loadings.groupby("lhs"):
        close(part["std_all"], [right_loadings[scale, k] for k in range(len(part))], 4)
    pairs = made.results["htmt"]
    pairs = getattr(pairs, "table", pairs)
    for r in pairs.itertuples():
        a, b = sorted((r.scale_1, r.scale_2), key=list(SCALES).index)
        close(r.htmt, right["htmt"][f"{a} {b}"], 6)


@pytest.mark.parametrize("file", RIGHT)
def test_paths_and_product(file):
    _, _, made = chapter(file)
    right = RIGHT[file]
    fit = made.results["hypotheses_model"]
    paths = fit.estimates[fit.estimates["op"] == "~"].set_index(["lhs", "rhs"])
    for name, values in right["paths"].items():
        found = paths.loc[tuple(name.split())]
        close([found["est"], found["se"]], [values["est"], values["se"]], 3)
    main = made.results["regression"]
    product = main.coefficients.loc[main.product]
    assert main.n_used == right["product"]["n"]
    close([product["est"], product["se"], main.r2], [right["product"][k] for k in ("est", "se", "r2")], 8)


@pytest.mark.parametrize("file", RIGHT)
def test_the_product_is_that_of_statsmodels(file):
    _, _, made = chapter(file)
    main, scores = made.results["regression"], made.scores
    centred = scores.assign(x=scores["satisfaction"], w=scores["switching_costs"])
    centred = centred.dropna(subset=["loyalty", "x", "w", "trust"])
    centred[["x", "w"]] -= centred[["x", "w"]].mean()
    peer = smf.ols("loyalty ~ x * w + trust", centred).fit(cov_type="HC3")
    product = main.coefficients.loc[main.product]
    close([product["est"], product["se"]], [peer.params["x:w"], peer.bse["x:w"]], 10)
    verdicts = made.results["hypotheses"]
    assert list(verdicts.index) == ["H1", "H2", "H3"]
    close(verdicts.loc["H3", "est"], peer.params["x:w"], 10)
