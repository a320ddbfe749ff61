"""Everything that a chapter states, as numbers and tables and without a sentence: what the words are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from semfit import Fit, Invariance, LatentInteraction
    from switchcost.measurement.adequacy import KMO, Bartlett
    from switchcost.measurement.factors import EFA
    from switchcost.measurement.method_bias import MethodCheck
    from switchcost.measurement.n_factors import MapTest, ParallelAnalysis
    from switchcost.measurement.validity import HTMT, FornellLarcker
    from switchcost.moderation.mediation import Mediation
    from switchcost.moderation.regression import Moderation
    from switchcost.moderation.significance import JohnsonNeyman
    from switchcost.plspm.result import PlsBootstrap, PlsFit

    from .plan import Plan, Product
    from .screening.audit import Audit
    from .study import Hypothesis


@dataclass(frozen=True, eq=False)
class Problem:
    """A part that could not be computed, and the reason as the package gave it."""

    part: str
    reason: str


@dataclass(frozen=True, eq=False)
class Step:
    """One step of the flow of n: ``what`` is a platform's word or an exclusion rule."""

    what: str
    dropped: int
    left: int
    rule: bool = False


@dataclass(frozen=True, eq=False)
class Sample:
    """Who answered, who left and why, what the checks of the raw answers found."""

    audit: Audit
    flow: list[Step]
    excluded: pd.Index
    flagged: pd.Index  # repeated or careless rows that stay in
    people: pd.DataFrame  # characteristic value share mean sd low high n
    n_file: int
    n_used: int


@dataclass(frozen=True, eq=False)
class Gaps:
    """Missing answers, impossible answers, reversed items."""

    reversed: list[str]
    impossible: dict[str, int]
    share: float
    worst: str
    worst_share: float
    complete: int
    n: int
    drivers: list[str]
    keyed: pd.DataFrame = field(repr=False)  # answers with reverse items turned and impossible ones emptied
    scores: pd.DataFrame = field(repr=False)


@dataclass(frozen=True, eq=False)
class Descriptives:
    """``table``: n mean sd skew kurtosis by variable; ``r`` and its interval of outcome and first predictor."""

    table: pd.DataFrame
    correlations: pd.DataFrame
    items: pd.DataFrame
    n_complete: int
    limit_r: float
    pair: tuple[str, str] | None
    r: float
    r_lower: float
    r_upper: float


@dataclass(frozen=True, eq=False)
class Exploration:
    """Exploratory factor analysis, where the study asks for it."""

    kmo: KMO
    bartlett: Bartlett
    parallel: ParallelAnalysis
    map: MapTest
    efa: EFA
    n: int


@dataclass(frozen=True, eq=False)
class Ordinal:
    """The measurement model with the items as ordered categories (WLSMV), beside the one that takes them for numbers."""

    fit: Fit
    fits: dict[str, float]
    low: float
    high: float
    change: float  # largest change of a standardised loading
    change_r: float  # largest change of a factor correlation
    n: int


@dataclass(frozen=True, eq=False)
class Factors:
    """Confirmatory factor analysis: the fit, one row a loading, AVE and CR a scale."""

    fit: Fit
    loadings: pd.DataFrame  # scale item est se std_all
    validity: FornellLarcker
    fits: dict[str, float]
    n: int
    per_parameter: float
    largest_residual: tuple[str, str, float]
    ordinal: Ordinal | None = None


@dataclass(frozen=True, eq=False)
class MethodBias:
    """Common-method checks; a check that could not run is None."""

    harman: MethodCheck
    factor: MethodCheck | None
    marker: MethodCheck | None


@dataclass(frozen=True, eq=False)
class Groups:
    """Measurement invariance across the groups that are large enough; None with fewer than two of them."""

    invariance: Invariance | None
    sizes: pd.Series
    small: pd.Series  # groups that are too small, and left out


@dataclass(frozen=True, eq=False)
class Structure:
    """Structural model: paths (outcome predictor est se ci_lower ci_upper pvalue std_all) and R2."""

    fit: Fit
    paths: pd.DataFrame
    r2: pd.Series
    fits: dict[str, float]


@dataclass(frozen=True, eq=False)
class Indirect:
    """One mediation; ``row`` is the line of the verdict, ``conditional`` the indirect effects along a moderator."""

    hypothesis: Hypothesis
    result: Mediation
    row: pd.Series
    direct: pd.Series
    conditional: pd.DataFrame
    index: pd.DataFrame
    latent: float  # product of the paths of the structural model, with its interval by the delta method
    latent_low: float = np.nan
    latent_high: float = np.nan

    @property
    def disagrees(self) -> bool:
        """One of the two intervals, of the regressions and of the structural model, contains zero, and the other not."""
        own = self.row["ci_lower"] * self.row["ci_upper"] > 0
        return bool(np.isfinite(self.latent)) and own != (self.latent_low * self.latent_high > 0)


@dataclass(frozen=True, eq=False)
class Moderated:
    """One moderation."""

    product: Product
    result: Moderation
    table: pd.DataFrame  # term est se ci_lower ci_upper t pvalue std_all vif
    steps: pd.DataFrame
    slopes: pd.DataFrame
    differences: pd.DataFrame  # of slopes between groups; empty for a number
    joint_p: float
    delta_r2: float
    jn: JohnsonNeyman | None
    detectable: float
    latent: LatentInteraction | None
    latent_problem: str
    robustness: pd.DataFrame  # est ci_lower ci_upper pvalue std_all n by analysis


@dataclass(frozen=True, eq=False)
class Pls:
    """PLS path model and its bootstrap."""

    fit: PlsFit
    boot: PlsBootstrap
    measurement: pd.DataFrame  # scale item loading weight vif
    reliability: pd.DataFrame
    paths: pd.DataFrame  # from to estimate ci_lower ci_upper pvalue consistent f2 vif
    r2: pd.DataFrame
    indirect: pd.DataFrame  # hypothesis est ci_lower ci_upper


@dataclass(frozen=True, eq=False)
class Prediction:
    """Out of sample: the model, a regression on all items (lm), the items' means (ia)."""

    items: pd.DataFrame  # item rmse_pls rmse_lm q2_predict
    losses: pd.DataFrame  # outcome ("" for all together) pls lm ia d_lm p_lm d_ia p_ia


@dataclass(frozen=True, eq=False)
class PathGroups:
    """The PLS model in each group against the largest."""

    largest: Any
    sizes: pd.Series
    table: pd.DataFrame  # from to group first second difference p p_holm
    composites: pd.DataFrame  # group composite c low p


@dataclass(frozen=True, eq=False)
class Analysis:
    """All parts; one that was not asked for, or could not run, is None, and then ``problems`` says why."""

    plan: Plan
    sample: Sample
    gaps: Gaps
    descriptives: Descriptives | None = None
    reliability: pd.DataFrame | None = None
    exploration: Exploration | None = None
    factors: Factors | None = None
    htmt: HTMT | None = None
    method_bias: MethodBias | None = None
    groups: Groups | None = None
    structure: Structure | None = None
    indirect: list[Indirect] = field(default_factory=list)
    moderated: list[Moderated] = field(default_factory=list)
    pls: Pls | None = None
    prediction: Prediction | None = None
    path_groups: PathGroups | None = None
    necessary: pd.DataFrame | None = None  # outcome construct d p
    verdicts: pd.DataFrame | None = None
    problems: dict[str, Problem] = field(default_factory=dict)

    def reason(self, part: str) -> str:
        """Why a part could not be computed; empty where it could."""
        return self.plan.printed(self.problems[part].reason) if part in self.problems else ""


def attempt(problems: dict[str, Problem], part: str, step: Callable[..., Any], *arguments: Any) -> Any:
    """One part; an error that the packages raise on purpose is kept as its problem, and the next part follows."""
    from switchcost.core.errors import OURS

    try:
        return step(*arguments)
    except OURS as problem:
        problems[part] = Problem(part, str(problem))
        return None
