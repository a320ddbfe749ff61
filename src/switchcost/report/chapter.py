"""A results chapter from a survey and its codebook: every sentence is computed, every decision is written down.

Nothing is estimated here. The sections (``_chapter_sections``) call the package, put what comes back into words, and
the chapter says first, in red, what is wrong.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from .._core import checks
from .._core.errors import OURS, DataError
from ..data.codebook import codebook as read_codebook
from ..data.codebook import codes_to_nan
from ..data.files import read_survey
from ..screening.cells import NOT_ITEMS
from . import document, study, word
from .document import Section
from .sections_hypotheses import verdicts
from .sections_measurement import factors, groups, scale_reliability, validity
from .sections_sample import descriptives, missing, sample, scale_scores
from .sections_structure import closing, moderation, robustness, structural
from .tables import Table
from .work import Work, named

DEFAULT_SEED = 20260101


KEYS = ("outcome", "predictors", "moderator", "covariates", "group", "exclude", "hypotheses")


class Chapter:
    """Made by :func:`results_chapter`.

    Attributes
    ----------
    title : str
    sections : list of Section
        ``.heading``, ``.text`` (the paragraphs) and ``.parts`` (paragraphs, tables and figures in reading order).
    alarms : list of str
        What is wrong or doubtful, as printed at the top of the chapter; empty when nothing was found.
    checklist : DataFrame
        Index what a results chapter has to report; columns ``reported`` (yes, no, not applicable, yours to write) and
        ``where`` (the section, or why not).
    results : dict
        The objects behind the words: audit, reliability, cfa, htmt, invariance, regression, latent, structural ...
    scores : DataFrame
        Scale scores and columns that the analyses used, one row a respondent after exclusions.
    """

    def __init__(self, title, sections, alarms, checklist, results, scores):
        self.title, self.sections, self.alarms = title, sections, alarms
        self.checklist, self.results, self.scores = checklist, results, scores

    def section(self, heading: str) -> Section:
        """The section whose heading is, or starts with, ``heading``.

        Raises
        ------
        ValueError
            There is none.
        """
        for s in self.sections:
            if s.heading.lower().startswith(heading.lower()):
                return s
        raise DataError(f"there is no section {heading!r}; there are: {', '.join(s.heading for s in self.sections)}")

    @property
    def tables(self) -> list[Table]:
        """All tables in reading order."""
        return [p for s in self.sections for p in s.parts if isinstance(p, Table)]

    def to_docx(self, path: str | os.PathLike) -> Path:
        """Write the chapter as a Word file; returns the path."""
        return word.to_docx(self.title, self.sections, path)

    def to_markdown(self, path: str | os.PathLike) -> Path:
        """Write the chapter as Markdown, its figures as PNG files beside it; returns the path."""
        return document.to_markdown(self.title, self.sections, Path(path))

    def _repr_html_(self) -> str:
        return document.to_html(self.title, self.sections)

    def __repr__(self) -> str:
        lines = [f"{self.title}: {len(self.sections)} sections, {len(self.tables)} tables, {len(self.alarms)} alarms"]
        return "\n".join([*lines, *(f"! {a}" for a in self.alarms)])


def results_chapter(
    data: pd.DataFrame | str | os.PathLike,
    codebook: pd.DataFrame | str | os.PathLike,
    model: Mapping,
    *,
    seed: int | None = None,
    n_boot: int = 1000,
    title: str = "Results",
    min_answered: float = 0.5,
) -> Chapter:
    """Write the results chapter of a questionnaire study.

    Parameters
    ----------
    data : DataFrame or path of a CSV file
        One row a respondent, answers as given (reverse items *not* turned round).
    codebook : DataFrame or path of a CSV file
        As :func:`switchcost.codebook` reads it. Items with the same ``construct`` form a scale; ``low`` and ``high``
        bound the answers; ``reverse`` is 1 for items that are turned round here; ``missing_code`` becomes a gap.
        Constructs named group, background or key are no scales.
    model : dict
        ``outcome`` and ``predictors`` (a name or a list) are needed; ``moderator`` changes the effect of the *first*
        predictor; ``covariates`` are held constant; ``group`` is the column across which measurement is compared;
        ``exclude`` lists beginnings of audit checks whose rows are left out, such as ``["duplicated", "careless"]``.
        ``hypotheses`` is a list of lines such as ``"H1: satisfaction -> loyalty (+)"`` (see :mod:`switchcost.report.study`);
        with it the roles may be left out. A name is a construct (scored as the mean of its items) or a column.
    seed : int, default 20260101
        Of the bootstraps.
    n_boot : int, default 1000
        Bootstrap samples of the intervals, at least 100.
    title : str, default "Results"
        Heading of the chapter.
    min_answered : float, default 0.5
        A scale is scored, as the mean of the answered items, for those who answered at least this share of them.

    Returns
    -------
    Chapter
        ``.sections .alarms .checklist .results .scores .to_docx(path) .to_markdown(path)``

    Raises
    ------
    ValueError
        A name in ``model`` is neither construct nor column, a name has two roles, the codebook lists an item that is
        not in the data, or an analysis cannot start (a constant item, text among the answers).

    Notes
    -----
    What is done: audit of the raw answers; scale scores for respondents who answered at least ``min_answered`` of a scale; alpha
    (Feldt 1965) and omega with bootstrap intervals; confirmatory factor analysis by robust ML, with full information
    where answers are missing; AVE and HTMT; invariance across ``group``; with a moderator a regression with HC3 standard
    errors, simple slopes, Johnson-Neyman bounds, the same with squares, without flagged rows, and as a latent
    interaction; without one a structural model. A name that is a scale *and* a column means the scale.
    Conventions that the words use: omega below .70 and loadings below .50 are called low, CFI below .90, RMSEA above .08 or SRMR above .10 poor,
    HTMT above .85 doubtful, a fall of CFI by more than .010 a failure of invariance. They are conventions, not laws.

    Examples
    --------
    >>> import switchcost as sc
    >>> names = ["sat1", "sat2", "sat3", "bh1", "bh2", "bh3", "pr1", "pr2", "pr3", "pr4", "age"]
    >>> d = sc.simulate.survey(n=250, seed=4, columns=names, faults=False)
    >>> book = sc.codebook("telecom_survey").query("variable in @names")
    >>> ch = results_chapter(d, book, {"outcome": "behavioural", "predictors": "satisfaction",
    ...                                "moderator": "personal_relationship"}, n_boot=100)
    >>> ch.section("Reliability").text.split(".")[0]
    'Reliability was estimated as coefficient omega of a one-factor model, with alpha beside it'
    """
    if n_boot < 100:
        raise DataError(f"n_boot is {n_boot}; intervals need at least 100 draws, and a thesis 1,000 or more")
    if not 0 < min_answered <= 1:
        raise DataError(f"min_answered is {min_answered}; it is a share of the items, above 0 and at most 1")
    book = read_codebook(codebook)
    raw = data if isinstance(data, pd.DataFrame) else read_survey(data, book)
    raw = codes_to_nan(checks.frame(raw).copy(), book).reset_index(drop=True)
    work = Work(
        raw,
        book,
        _spec(model, [*book["construct"].unique(), *raw.columns]),
        DEFAULT_SEED if seed is None else seed,
        n_boot,
    )
    work.least = min_answered
    _roles(work)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # what the functions warn of is also in their results, and printed in the chapter
        try:
            scores = _sections(work)
        except OURS as problem:
            found = " ".join(work.alarms)
            raise DataError(
                f"the chapter stops at {work.sections[-1].heading!r}: {problem}"
                + (f" Found before that: {found}" if found else "")
            ) from problem
    closing(work)
    checklist = pd.DataFrame(work.checks, columns=["what", "reported", "where"]).set_index("what")
    return Chapter(title, work.sections, work.alarms, checklist, work.results, scores)


def _sections(work: Work) -> pd.DataFrame:
    """Write the chapter from the first section to the robustness checks; return the scores.

    What cannot be computed becomes an alarm, and the next section follows.
    """
    keyed = missing(work, sample(work))
    scores = scale_scores(work, keyed, work.least)
    _guarded(work, descriptives, work, scores)
    _guarded(work, scale_reliability, work, keyed)
    _guarded(work, validity, work, keyed, _guarded(work, factors, work, keyed))
    _guarded(work, groups, work, keyed)
    if work.spec["moderator"]:
        main = _guarded(work, moderation, work, scores)
        if main is not None:
            _guarded(work, robustness, work, keyed, scores, main)
    else:
        _guarded(work, structural, work, keyed)
    if work.spec["hypotheses"]:
        _guarded(work, verdicts, work, keyed, scores)
    return scores


def _guarded(work: Work, step: Callable, *arguments: object) -> Any:
    """One method of the chapter; an error that the package raised is said in its section instead of ending the chapter."""
    try:
        return step(*arguments)
    except OURS as problem:
        heading = work.sections[-1].heading
        work.alarms.append(f"{heading} could not be computed: {problem}")
        work.say("This part could not be computed; the reason stands among the points to settle.")
        work.check_off(heading, "no", "could not be computed")
        return None


# ------------------------------------------------------------------------------------------------------- the model
def _spec(model: Mapping, known: list[str]) -> dict:
    if not isinstance(model, Mapping):
        raise DataError(
            "model must be a dict such as {'outcome': 'loyalty', 'predictors': ['satisfaction'], 'moderator': 'costs'}"
        )
    for key in model:
        if key not in KEYS:
            raise DataError(f"model has the key {key!r}, which means nothing here.{checks.suggest(key, KEYS)}")
    spec = {k: model.get(k) for k in KEYS}
    for key in ("predictors", "covariates", "exclude", "hypotheses"):
        spec[key] = [spec[key]] if isinstance(spec[key], str) else list(spec[key] or [])
    for key in ("outcome", "moderator", "group"):
        if not isinstance(spec[key], (str, type(None))):
            raise DataError(f"model: {key!r} takes one name, and got {spec[key]!r}; several belong into 'hypotheses'")
    spec["hypotheses"] = study.hypotheses(spec["hypotheses"], known)
    if spec["hypotheses"] and not spec["outcome"]:
        _roles_of(spec)
    if not spec["outcome"] or not spec["predictors"]:
        raise DataError("model needs an 'outcome' and at least one of 'predictors'")
    names = named(spec)
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(f"{', '.join(map(repr, twice))} has two roles in the model; each name may have one")
    return spec


def _roles_of(spec: dict) -> None:
    """The roles of the sections from the hypotheses: the first moderation, or the paths to the last outcome."""
    product = next((h for h in spec["hypotheses"] if h.kind == "moderation"), None)
    spec["outcome"] = (product or spec["hypotheses"][-1]).names[-1]
    causes = study.paths(spec["hypotheses"])[spec["outcome"]]
    if product:
        spec["moderator"] = product.names[1]
        causes = [product.names[0], *causes]
    spec["predictors"] = [c for c in dict.fromkeys(causes) if c != spec["moderator"] and c not in spec["covariates"]]


def _roles(work: Work) -> None:
    book, raw = work.book, work.raw
    checks.columns(raw, list(book["variable"]), what="codebook variable")
    held = book[~book["construct"].str.lower().isin({*NOT_ITEMS, ""})]
    constructs = {name: part["variable"].tolist() for name, part in held.groupby("construct", sort=False)}
    for name in dict.fromkeys([*named(work.spec), *(n for h in work.spec["hypotheses"] for n in h.names)]):
        if len(constructs.get(name, [])) > 1:
            if not re.fullmatch(r"[^\W\d]\w*", name):
                word = re.sub(r"\W+", "_", name)
                raise DataError(
                    f"construct {name!r} must be one word of letters, digits and _; rename it in the codebook: {word!r}"
                )
            work.scales[name] = constructs[name]
        elif name in raw.columns:
            work.columns.append(name)
        elif name in constructs:  # one item: the column takes the name of its construct
            work.raw = raw = raw.rename(columns={constructs[name][0]: name})
            work.book = work.book.assign(variable=work.book["variable"].replace({constructs[name][0]: name}))
            work.columns.append(name)
        else:
            raise DataError(
                f"{name!r} is neither a construct of the codebook nor a column of the data."
                f"{checks.suggest(name, [*constructs, *raw.columns])} Constructs: {', '.join(constructs)}."
            )
    if not work.scales:
        raise DataError("no role of the model is a scale; fill in the codebook's column 'construct' for the items")
    group = work.spec["group"]
    if group is not None:
        checks.columns(raw, group, what="group")
        if not 2 <= raw[group].nunique() <= 8:
            raise DataError(f"group {group!r} has {raw[group].nunique()} different values; it needs 2 to 8")
    for name in [c for c in work.columns if c not in work.spec["covariates"]]:
        checks.numeric(raw, [name], codes="allow")
