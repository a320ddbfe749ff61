"""What the sections of a chapter share: the data, the codebook, what was found so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from semfit.errors import DroppedRows
from semfit.fitting import fit

from .._core.errors import OURS
from .document import Section, draw
from .tables import table
from .words import p_text, r_text

NOT_IN_FILE = (
    "who was asked and how they were found, the dates, the response rate",
    "consent, ethics approval and data protection",
    "where each item comes from and how it was translated",
)


@dataclass
class Work:
    """What the sections share while the chapter is written."""

    raw: pd.DataFrame
    book: pd.DataFrame
    spec: dict
    seed: int
    n_boot: int
    least: float = 1.0  # share of its items that has to be answered for a scale to be scored
    scales: dict = field(default_factory=dict)
    columns: list = field(default_factory=list)
    sections: list = field(default_factory=list)
    alarms: list = field(default_factory=list)
    checks: list = field(default_factory=list)
    results: dict = field(default_factory=dict)
    limits: list = field(default_factory=list)
    cited: list = field(default_factory=list)
    counts: dict = field(default_factory=lambda: {"Table": 0, "Figure": 0})

    def open(self, heading: str) -> Section:
        self.sections.append(Section(heading))
        return self.sections[-1]

    def say(self, *sentences: str) -> None:
        text = " ".join(s for s in sentences if s)
        self.sections[-1].parts.append(text[:1].upper() + text[1:])

    def check_off(self, what: str, reported: str = "yes", where: str | None = None) -> None:
        self.checks.append((what, reported, self.sections[-1].heading if where is None else where))

    def table(self, data: pd.DataFrame, title: str, note: str = "", decimals=2) -> None:
        self.counts["Table"] += 1
        self.sections[-1].parts.append(table(data, f"Table {self.counts['Table']}. {title}", note, decimals))

    def figure(self, plot, caption: str, alt: str) -> None:
        self.counts["Figure"] += 1
        self.sections[-1].parts.append(draw(plot, f"Figure {self.counts['Figure']}. {caption}", alt))

    def loss(self, used: int, of: int, what: str) -> None:
        """A red alarm where an analysis leaves out a tenth of the respondents or more."""
        if of - used >= 0.10 * of:
            self.alarms.append(
                f"{what} uses {used} of {of} respondents ({100 * (of - used) / of:.0f}% left out for missing values); "
                "the others may differ. Compare them, or lower min_answered."
            )

    def cite(self, *keys: str) -> None:
        self.cited += [k for k in keys if k not in self.cited]

    @property
    def measurement(self) -> str:
        return "\n".join(f"{s} =~ {' + '.join(items)}" for s, items in self.scales.items())

    @property
    def items(self) -> list[str]:
        return [i for items in self.scales.values() for i in items]


def named(spec: dict) -> list[str]:
    return [n for n in [spec["outcome"], *spec["predictors"], spec["moderator"], *spec["covariates"]] if n]


def fit_words(m: pd.Series) -> str:
    return (f"chi-square({m.df:.0f}) = {m.chisq_scaled:.1f}, {p_text(m.pvalue_scaled)}, CFI = {r_text(m.cfi_robust, 3)}, "
            f"TLI = {r_text(m.tli_robust, 3)}, RMSEA = {r_text(m.rmsea_robust, 3)} (90% CI [{r_text(m.rmsea_ci_lower_robust, 3)}, {r_text(m.rmsea_ci_upper_robust, 3)}]), SRMR = {r_text(m.srmr, 3)}")  # fmt: skip


def poor_indices(m: pd.Series) -> list[str]:
    """The fit indices that miss the usual limits."""
    limits = (
        ("CFI", m.cfi_robust, m.cfi_robust < 0.90),
        ("RMSEA", m.rmsea_robust, m.rmsea_robust > 0.08),
        ("SRMR", m.srmr, m.srmr > 0.10),
    )
    return [f"{name} = {r_text(value, 3)}" for name, value, bad in limits if bad]


def fitted_or_none(work: Work, model: str, keyed: pd.DataFrame, what: str, **options):
    """Fit, and turn every failure into an alarm; None when there is nothing to report."""
    try:
        f = fit(model, keyed, **options)
    except OURS as problem:
        work.alarms.append(f"{what} could not be estimated: {problem}")
        return None
    work.alarms += [f"{what}: {w}." for w in f.warnings if not isinstance(w, DroppedRows)]
    return f if f.converged else None


def sem_options(keyed: pd.DataFrame, names: Sequence[str]) -> dict:
    return {"estimator": "MLR", "missing": "fiml" if keyed[list(names)].isna().any().any() else "listwise"}
