"""One survey, its codebook and its analysis for all tests of the chapter, and ways to change them."""

import base64
import dataclasses

import pytest

import switchcost as sc
from surveychapter import analyse, figures, plan
from surveychapter.chapter import results_chapter, written

COLUMNS = ["sat1", "sat2", "sat3", "tr1", "tr2", "tr3", "bl1", "bl2", "bl3", "at1", "at2", "at3", "ne1", "ne2", "ne3", "age", "contract", "operator"]  # fmt: skip
STUDY = {
    "hypotheses": [
        "H1: satisfaction -> attitudinal (+)", "H2: satisfaction -> trust -> attitudinal (+)",
        "H3: satisfaction x benefit_loss -> attitudinal (-)", "H4: satisfaction x benefit_loss -> trust",
        "H5: satisfaction x operator -> attitudinal",
    ],
    "covariates": ["age"], "group": "contract", "efa": True, "marker": "neglect", "exclude": ["duplicated"],
}  # fmt: skip
POINT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==")


@pytest.fixture(scope="session")
def study():
    return STUDY


@pytest.fixture(scope="session")
def book():
    return sc.codebook("telecom_survey").query("variable in @COLUMNS")


@pytest.fixture(scope="session")
def data(book):
    return sc.simulate.survey(n=360, seed=5, columns=list(book["variable"]))


@pytest.fixture(scope="session")
def analysis(data, book):
    asked = plan.make(data.reset_index(drop=True), sc.codebook(book), STUDY, seed=1, n_boot=100, least=0.5)
    return analyse.analyse(asked)


@pytest.fixture
def no_figures(monkeypatch):
    """One black point in the place of every figure: drawing takes most of the time of a chapter."""
    monkeypatch.setattr(figures, "draw", lambda plot, language="en", height=4.0: POINT)


@pytest.fixture(scope="session")
def sentences():
    """Text of a section, all alarms, and the limitations."""

    def said(analysis, key, language="en"):
        made = written(analysis, language)
        return made.section(key).text, " ".join(made.alarms), made.section("limitations").text

    return said


@pytest.fixture(scope="session")
def changed():
    """The analysis with other values in one of its parts."""

    def other(analysis, part, **values):
        return dataclasses.replace(analysis, **{part: dataclasses.replace(getattr(analysis, part), **values)})

    return other


@pytest.fixture(scope="session")
def small_chapter():
    """A chapter of 240 customers without its figures, from columns and a study."""

    def made(columns, study):
        part = sc.codebook("telecom_survey").query("variable in @columns")
        rows = sc.simulate.survey(n=240, seed=5, columns=list(part["variable"]))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(figures, "draw", lambda plot, language="en", height=4.0: b"")
            return results_chapter(rows, part, study, n_boot=100)

    return made
