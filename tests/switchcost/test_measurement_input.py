"""Libraries beside our formulas, several starts, and matrices that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest

import switchcost as sc
from switchcost.measurement.extraction import extract, extract_many

HERE = Path(__file__).parents[1] / "reference"
REFERENCE = json.loads((HERE / "efa.json").read_text())
HS = pd.read_csv(HERE / "data" / "sem_hs.csv")[REFERENCE["hs"]["items"]]


@pytest.mark.parametrize("data", [HS, HS.cov(), HS * np.array([1e-9, 1, 1e9] * 3)])
def test_kmo_and_bartlett_by_factor_analyzer_equal_their_formulas(data):
    r = HS.corr().to_numpy()
    inverse = np.linalg.inv(r)
    partial = inverse / np.sqrt(np.outer(np.diag(inverse), np.diag(inverse)))
    off = ~np.eye(9, dtype=bool)
    want = (r[off] ** 2).sum() / ((r[off] ** 2).sum() + (partial[off] ** 2).sum())
    assert sc.kmo(data).overall == pytest.approx(want, abs=1e-10)
    statistic = -(len(HS) - 1 - (2 * 9 + 5) / 6) * np.linalg.slogdet(r)[1]
    assert sc.bartlett(data, len(HS)).statistic == pytest.approx(statistic, rel=1e-10)
    assert sc.kmo(data).word == "middling"


def test_alpha_and_its_interval_equal_pingouin():
    got = sc.reliability(HS, {"v": ["x1", "x2", "x3"]}, level=0.9).loc["v"]
    alpha, interval = pingouin.cronbach_alpha(HS[["x1", "x2", "x3"]], ci=0.9)
    assert got["alpha"] == pytest.approx(alpha, abs=1e-10)
    assert [got["alpha_ci_lower"], got["alpha_ci_upper"]] == pytest.approx(interval, abs=5.1e-4)  # pingouin rounds
    columns = ["n_items", "n", "alpha", "alpha_std", "omega", "cr", "ave", "mean_r"]
    assert list(sc.reliability(HS, {"v": ["x1", "x2", "x3"]}))[:8] == columns


def test_the_lower_of_two_minima_at_the_bound():
    r = HS.corr().to_numpy()
    psi = extract(r, 4)[1]
    values = np.linalg.eigvalsh(r / np.sqrt(np.outer(psi, psi)))[:-4]
    assert (values - np.log(values) - 1).sum() == pytest.approx(0.017250, abs=1e-5)  # there is another at .018998
    assert sc.efa(HS, 4).heywood


def test_one_factor_too_many_is_never_worse_than_any_of_forty_starts():
    rng = np.random.default_rng(11)
    pattern = np.kron(np.eye(2), np.full((4, 1), 0.6))
    better = 0
    for _ in range(15):
        x = rng.normal(size=(150, 2)) @ pattern.T + 0.8 * rng.normal(size=(150, 8))
        r = np.corrcoef(x, rowvar=False)

        def value(psi, r=r):
            gamma = np.linalg.eigvalsh(r / np.sqrt(np.outer(psi, psi)))[:-3]
            return (gamma - np.log(gamma) - 1).sum()

        _, psi, reached = extract(r, 3)
        assert reached
        best = value(extract_many(r[None], 3, n_starts=40)[1][0])
        assert value(psi) <= best + 1e-6
        better += value(extract(r, 3, n_starts=0)[1]) > value(psi) + 1e-6
    assert better >= 1  # one start does stay in a worse minimum now and then


R = HS.corr()
TWO = {"v": ["x1", "x2", "x3"], "t": ["x4", "x5", "x6"]}


def spoiled(i: int, j: int, value: float) -> pd.DataFrame:
    out = R.copy()
    out.iloc[i, j] = value
    return out


@pytest.mark.parametrize("n", [0, -1, 1, 9, 3.5, np.nan, np.inf])
@pytest.mark.parametrize(
    "call",
    [
        lambda m, n: sc.reliability(m, {"all": list(m)}, n_obs=n),
        lambda m, n: sc.efa(m, 2, n_obs=n),
        lambda m, n: sc.bartlett(m, n),
        lambda m, n: sc.parallel_analysis(m, n_obs=n),
        lambda m, n: sc.htmt(m, {"v": list(m)[:5], "t": list(m)[5:]}, n_obs=n),
    ],
)
def test_impossible_numbers_of_rows_are_refused(call, n):
    with pytest.raises(ValueError, match="n_obs"):
        call(R, n)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (spoiled(0, 1, 0.9), "not symmetric: x., x"),
        (R.replace(R.iloc[0, 1], 1.5), "would correlate at 1"),
        (spoiled(2, 2, -1.0), "variance that is not positive: x3"),
        (spoiled(3, 4, np.nan), "missing values, the first at x4 with x5"),
        (R.astype(object).replace(1.0, "one"), "not a number"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        lambda m: sc.reliability(m, {"all": list(m)}, n_obs=301),
        lambda m: sc.htmt(m, {"v": list(m)[:5], "t": list(m)[5:]}, n_obs=301),
        lambda m: sc.kmo(m),
        lambda m: sc.efa(m, 2),
        lambda m: sc.map_test(m),
    ],
)
def test_impossible_matrices_are_refused_everywhere_alike(call, matrix, message):
    with pytest.raises(ValueError, match=message):
        call(matrix)


@pytest.mark.parametrize("values", [[0.7, np.nan], [], [[0.7, 0.8]], [np.inf, 0.5]])
def test_loadings_that_are_no_list_of_numbers_are_refused(values):
    for function in (sc.composite_reliability, sc.average_variance_extracted):
        with pytest.raises(ValueError, match="finite numbers|above 1"):
            function(values)
    with pytest.raises(ValueError, match="factor_variance"):
        sc.composite_reliability([0.7, 0.8], [0.3, 0.3], factor_variance=-1)


def test_results_print_and_escape_what_comes_from_data():
    x = HS.rename(columns={"x1": "<b>x1"})
    for result in (sc.efa(x, 3, n_starts=1), sc.kmo(x), sc.htmt(x, {"<i>v": ["<b>x1", "x2"], "t": ["x4", "x5"]})):
        page = result._repr_html_()
        assert "<b>x1" not in page
        assert "<i>v" not in page
        assert result.summary() == repr(result)
