"""The names that other people's work relies on stand where they were promised, and do what their name says."""

import numpy as np
import pandas as pd
import pytest

import semfit
import switchcost as sc

NAMES = """datasets load codebook published read_survey audit kmo bartlett parallel_analysis map_test efa
from_factor_analyzer from_semopy reliability fit compare invariance htmt fornell_larcker moderate latent_interaction mediate
pls power simulate scoreboard chapter SwitchcostError""".split()
ENGINE = (
    "fit Fit invariance compare latent_interaction ModelSpec polychoric SemError DataError ModelSyntaxError".split()
)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(8)
    f = rng.normal(size=300)
    return pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})


@pytest.mark.parametrize("name", NAMES)
def test_names_of_the_helper(name):
    assert hasattr(sc, name) and name in sc.__all__


@pytest.mark.parametrize("name", ENGINE)
def test_names_of_the_estimator(name):
    assert hasattr(semfit, name) and name in semfit.__all__


def test_a_fit_answers_by_its_fixed_names(data):
    fit = sc.fit("f =~ x1 + a*x2 + a*x3 + x4", data)
    columns = ["lhs", "op", "rhs", "est", "se", "z", "pvalue", "ci_lower", "ci_upper", "std_all"]
    assert (
        set(columns) <= set(fit.estimates.columns) and fit.converged and fit.n_obs == 300 and list(fit.warnings) == []
    )
    assert {"chisq", "df", "cfi", "rmsea", "srmr"} <= set(fit.measures.index)
    for table in (fit.modification_indices(), fit.residuals(), fit.factor_scores()):
        assert isinstance(table, pd.DataFrame) and len(table)
    assert fit.score_tests().table.equals(semfit.score_tests(fit).table) and len(fit.score_tests().table) == 1
    assert fit.bootstrap(n_boot=50, seed=1).n_boot == 50


def test_tables_of_results(data):
    assert {"check", "columns", "rows", "detail"} <= set(sc.audit(data.round()).table.columns)
    efa = sc.efa(data, n_factors=1, method="ml", rotation="oblimin")
    for name in ("loadings", "phi", "communalities", "variance", "measures"):
        assert hasattr(efa, name)
    found = sc.reliability(data, {"f": list(data)}, n_boot=0, seed=None)
    assert {"n_items", "n", "alpha", "alpha_std", "omega", "cr", "ave", "mean_r"} <= set(found.columns)
    model = sc.moderate(data, y="x1", x="x2", moderator="x3", center=True, cov_type="nonrobust")
    assert len(model.coefficients) and len(model.simple_slopes()) and hasattr(model.johnson_neyman(), "bounds")
    board = "study table quantity row column printed published reproduced difference decimals basis verdict reason constraint source notebook"  # fmt: skip
    assert set(board.split()) <= set(sc.scoreboard().table.columns)
    assert callable(sc.chapter.results_chapter)


def test_errors_are_two_families():
    assert issubclass(sc.SwitchcostError, ValueError) and issubclass(semfit.SemError, ValueError)
    with pytest.raises(semfit.SemError):
        semfit.fit("f =~", pd.DataFrame({"x": [1.0, 2.0]}))
    with pytest.raises((sc.SwitchcostError, semfit.SemError)):
        sc.load("nothing of that name")
