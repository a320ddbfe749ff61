"""A results chapter from a survey and its codebook: numbers first (analysis), words after, in English or Chinese."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from switchcost import plots
from switchcost.core import checks
from switchcost.core.arguments import TEXT, Between, checked
from switchcost.core.errors import DataError
from switchcost.core.inference import default_seed
from switchcost.data.codebook import codebook as read_codebook
from switchcost.data.codebook import codes_to_nan
from switchcost.data.files import read_survey

from . import document, plan, word, write_closing, write_measurement, write_pls, write_sample, write_structure
from .analyse import analyse
from .analysis import Analysis
from .document import Section
from .tables import Table
from .wording import Wording
from .writer import Writer

PARTS = (
    write_sample.method, write_sample.participants, write_sample.quality, write_sample.missing, write_sample.descriptives,
    write_measurement.reliability, write_measurement.exploration, write_measurement.factors, write_measurement.validity,
    write_measurement.method_bias, write_measurement.groups, write_structure.structure, write_pls.least_squares_paths,
    write_structure.indirect, write_structure.moderation, write_structure.verdicts, write_closing.limitations,
    write_closing.software, write_closing.closing,
)  # fmt: skip


class Chapter:
    """Made by :func:`results_chapter`.

    Attributes
    ----------
    title, language : str
    sections : list of Section
        ``.heading``, ``.text`` (the paragraphs) and ``.parts`` (paragraphs, tables and figures in reading order).
    alarms : list of str
        What is wrong or doubtful, as printed at the top of the chapter; empty when nothing was found.
    checklist : DataFrame
        Index what a results chapter has to report; columns ``reported`` (yes, no, not applicable, yours to write) and
        ``where`` (the section, or why not).
    analysis : Analysis
        Every number behind the words.
    """

    def __init__(
        self, title: str, sections: list[Section], alarms: list[str], checklist: pd.DataFrame, analysis: Analysis,
        language: str,
    ):  # fmt: skip
        self.title, self.sections, self.alarms, self.language = title, sections, alarms, language
        self.checklist, self.analysis = checklist, analysis

    @property
    def scores(self) -> pd.DataFrame:
        """Scale scores and columns that the analyses used, one row a respondent after exclusions."""
        return self.analysis.gaps.scores

    @property
    def results(self) -> dict[str, Any]:
        """The objects behind the words by a short name; the whole tree is ``analysis``."""
        a = self.analysis
        first = a.moderated[0] if a.moderated else None
        fit = a.structure.fit if a.structure else None
        found = {
            "audit": a.sample.audit, "excluded": a.sample.excluded, "flagged": a.sample.flagged, "complete": a.gaps.complete,
            "reliability": a.reliability, "cfa": a.factors.fit if a.factors else None,
            "fornell_larcker": a.factors.validity if a.factors else None, "htmt": a.htmt.pairs if a.htmt else None,
            "invariance": a.groups.invariance if a.groups else None, "structural": fit, "hypotheses_model": fit,
            "regression": first.result if first else None, "latent": first.latent if first else None,
            "robustness": first.robustness if first else None, "hypotheses": a.verdicts,
        }  # fmt: skip
        return {k: v for k, v in found.items() if v is not None}

    def section(self, heading: str) -> Section:
        """The section whose heading is, or starts with, ``heading``; its key (``"reliability"``) will do in any language.

        Raises
        ------
        DataError
            There is none.
        """
        for s in self.sections:
            if s.heading.lower().startswith(heading.lower()) or s.key == heading:
                return s
        raise DataError(f"there is no section {heading!r}; there are: {', '.join(s.heading for s in self.sections)}")

    @property
    def tables(self) -> list[Table]:
        """All tables in reading order."""
        return [p for s in self.sections for p in s.parts if isinstance(p, Table)]

    def without_alarms(self) -> Chapter:
        """The chapter as it is handed in: the points to settle are for the author alone."""
        kept = [s for s in self.sections if not s.alarm]
        return Chapter(self.title, kept, [], self.checklist, self.analysis, self.language)

    def to_docx(self, path: str | os.PathLike, *, paper: str = "A4") -> Path:
        """Write the chapter as a Word file, on ``"A4"`` or ``"Letter"``; returns the path."""
        return word.to_docx(self.title, self.sections, Path(path), language=self.language, paper=paper)

    def to_markdown(self, path: str | os.PathLike) -> Path:
        """Write the chapter as Markdown, its figures as PNG files beside it; returns the path."""
        return document.to_markdown(self.title, self.sections, Path(path))

    def to_html(self, path: str | os.PathLike) -> Path:
        """Write the chapter as one HTML page, figures inside; returns the path."""
        return document.write_html(self.title, self.sections, Path(path), self.language)

    def _repr_html_(self) -> str:
        return document.to_html(self.title, self.sections)

    def __repr__(self) -> str:
        lines = [f"{self.title}: {len(self.sections)} sections, {len(self.tables)} tables, {len(self.alarms)} alarms"]
        return "\n".join([*lines, *(f"! {a}" for a in self.alarms)])


@checked(
    n_boot=Between(100, closed="left", whole=True, hint="intervals need that many draws, and a thesis 1,000 or more"),
    min_answered=Between(0, 1, "right", hint="it is a share of the items"),
    title=TEXT,
)
def results_chapter(
    data: pd.DataFrame | str | os.PathLike,
    codebook: pd.DataFrame | str | os.PathLike,
    model: Mapping,
    *,
    seed: int | None = None,
    n_boot: int = 1000,
    title: str | None = None,
    min_answered: float = 0.5,
    language: str = "en",
) -> Chapter:
    """Write the results chapter of a questionnaire study.

    Parameters
    ----------
    data : DataFrame or path of a survey file
        One row a respondent, answers as given (reverse items *not* turned round).
    codebook : DataFrame or path of a codebook file
        As :func:`switchcost.codebook` reads it. Items with the same ``construct`` form a scale; ``low`` and ``high``
        bound the answers; ``reverse`` is 1 for items that are turned round here; ``missing_code`` becomes a gap.
        Constructs named group, background or key are no scales. Wordings (``label_en``, ``label_zh``) and, where there
        are columns ``construct_label_en`` and ``construct_label_zh``, names of constructs are printed.
    model : dict
        ``outcome`` and ``predictors`` (a name or a list) are needed; each ``moderator`` changes the effect of the *first*
        predictor; ``covariates`` are held constant; ``group`` is the column across which measurement is compared;
        ``exclude`` lists the audit checks whose rows are left out, such as ``["duplicated", "careless"]``.
        ``hypotheses`` is a list of lines such as ``"H1: satisfaction -> loyalty (+)"`` (see :mod:`surveychapter.study`);
        with it the roles may be left out. ``method`` is ``"sem"`` or ``"pls"``; ``efa`` adds an exploratory factor analysis;
        ``nca`` adds the necessary conditions of a PLS model; ``marker`` names a construct that theory says is
        unrelated to the others; ``simulated`` says so in the chapter.
        A name is a construct (scored as the mean of its items) or its label, or a column or its ``short`` name in the codebook.
    seed : int, optional
        Of the bootstraps; the seed of the package when left out.
    n_boot : int, default 1000
        Bootstrap samples of the intervals, at least 100.
    title : str, optional
        Heading of the chapter; "Results" in its language when left out.
    min_answered : float, default 0.5
        A scale is scored, as the mean of the answered items, for those who answered at least this share of them.
    language : {"en", "zh"}
        Of the chapter.

    Returns
    -------
    Chapter
        ``.sections .alarms .checklist .analysis .to_docx(path) .to_html(path) .to_markdown(path)``

    Raises
    ------
    DataError
        A name in ``model`` is neither construct nor column, a name has two roles, the codebook lists an item that is
        not in the data, or the answers cannot be used at all.

    Notes
    -----
    All numbers stand in ``.analysis`` before a word is written; the limits of the words are :data:`surveychapter.rules.RULES`.
    A method that cannot run leaves a sentence with its reason in its section, and never ends the chapter. A name that is a
    scale *and* a column means the scale. Two claims ``a -> m -> y`` and ``a x w -> m`` (or ``m x w -> y``) make a moderated
    mediation.

    Examples
    --------
    >>> import switchcost as sc
    >>> names = ["sat1", "sat2", "sat3", "bh1", "bh2", "bh3", "pr1", "pr2", "pr3", "pr4", "age"]
    >>> d = sc.simulate.survey(n=250, seed=4, columns=names, faults=False)
    >>> book = sc.codebook("telecom_survey").query("variable in @names")
    >>> ch = results_chapter(d, book, {"outcome": "behavioural", "predictors": "satisfaction",
    ...                                "moderator": "personal_relationship"}, n_boot=100)
    >>> ch.section("Reliability").text.split(",")[0]
    'Reliability was estimated as coefficient omega of a one-factor model'
    """
    words = Wording(language)
    book = read_codebook(codebook)
    given = data if isinstance(data, pd.DataFrame) else read_survey(data, book)
    raw = codes_to_nan(checks.frame(given).copy(), book).reset_index(drop=True)
    raw.attrs = dict(given.attrs)
    asked = plan.make(raw, book, model, seed=default_seed(seed), n_boot=n_boot, least=min_answered)
    return written(analyse(asked), language, title or words["title"])


def written(analysis: Analysis, language: str = "en", title: str = "Results") -> Chapter:
    """Put an analysis into words.

    Parameters
    ----------
    analysis : Analysis
    language : {"en", "zh"}
    title : str

    Returns
    -------
    Chapter
    """
    words = Wording(language, analysis.plan)
    w = Writer(analysis, words)
    if language == "zh" and plots.chinese_font() is None:
        w.alarm("no_font.alarm")
    for part in PARTS:
        part(w)
        w.end()
    if w.alarms:
        top = Section(words("title.alarms", n=len(w.alarms)), list(w.alarms), alarm=True, key="alarms")
        w.sections.insert(0, top)
    checklist = pd.DataFrame(w.checks, columns=["what", "reported", "where"]).drop_duplicates("what").set_index("what")
    return Chapter(title, w.sections, w.alarms, checklist, analysis, language)


__all__ = ["Chapter", "results_chapter", "written"]
