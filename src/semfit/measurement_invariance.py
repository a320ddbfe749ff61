"""Measurement invariance across groups: a ladder of equalities, what each step costs, and what may be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .arguments import checked
from .equality import score_tests
from .errors import NotConvergedError
from .ladder import Ladder
from .nested import difference_row
from .noninvariance import effect_sizes
from .printing import Result
from .result import Fit
from .saturated import shared_rows
from .spec import ModelSpec

CFI_LOWEST, RMSEA_HIGHEST = 0.90, 0.08  # a configural model beyond these does not describe the groups
CFI_FALL = 0.010  # Chen (2007, Structural Equation Modeling 14, 464-504)


@dataclass(frozen=True)
class Rule:
    """One line of the decision: when it applies, and what it says.

    Attributes
    ----------
    name : str
        The step that fails (``"scalar without a solution"`` where its model did not converge), or ``"none"``.
    fails : callable
        Takes the table of the ladder, says whether the rule applies.
    sentence : str
        What follows, with the row's values in braces.
    relations, means : bool
        Whether relations among the latents, and latent means, may be compared between groups.
    """

    name: str
    fails: Callable[[pd.DataFrame], bool]
    sentence: str
    relations: bool
    means: bool


def _misfit(table: pd.DataFrame) -> bool:
    row = table.loc["configural"]
    return bool(row["cfi"] < CFI_LOWEST or row["rmsea"] > RMSEA_HIGHEST)


def _falls(step: str) -> Callable[[pd.DataFrame], bool]:
    def falls(table: pd.DataFrame) -> bool:
        rows = [level for level in table.index if level.split(" of ")[0] == step]
        return bool((table.loc[rows, "delta_cfi"] < -CFI_FALL).any())

    return falls


def _stops(step: str) -> Callable[[pd.DataFrame], bool]:
    def stops(table: pd.DataFrame) -> bool:
        rows = [level for level in table.index if level.split(" of ")[0] == step]
        return bool(table.loc[rows, "chisq"].isna().any())

    return stops


# The first rule that applies decides.
RULES = (
    Rule(
        "configural",
        _misfit,
        f"The configural model does not fit (CFI below {CFI_LOWEST:.2f} or RMSEA above {RMSEA_HIGHEST:.2f}): the items do "
        "not measure the same latents in the groups, so neither relations nor means can be compared",
        relations=False,
        means=False,
    ),
    Rule(
        "thresholds",
        _falls("thresholds"),
        f"Thresholds differ (CFI falls by more than {CFI_FALL:.3f}): the categories are not used alike in the groups, so "
        "neither relations nor means of the latents can be compared",
        relations=False,
        means=False,
    ),
    Rule(
        "metric",
        _falls("metric"),
        f"Loadings differ (CFI falls by more than {CFI_FALL:.3f}): neither relations nor means of the latents can be "
        "compared",
        relations=False,
        means=False,
    ),
    Rule(
        "metric without a solution",
        _stops("metric"),
        "With equal loadings the model has no solution in these data, so equal loadings are not shown: neither relations "
        "nor means of the latents can be compared",
        relations=False,
        means=False,
    ),
    Rule(
        "scalar",
        _falls("scalar"),
        f"Intercepts differ (CFI falls by more than {CFI_FALL:.3f}): relations of the latents can be compared, their means "
        "cannot",
        relations=True,
        means=False,
    ),
    Rule(
        "scalar without a solution",
        _stops("scalar"),
        "With equal intercepts the model has no solution in these data, so equal intercepts are not shown: relations of "
        "the latents can be compared, their means cannot",
        relations=True,
        means=False,
    ),
    Rule(
        "strict",
        _falls("strict"),
        f"Residual variances differ (CFI falls by more than {CFI_FALL:.3f}): relations and means of the latents can be "
        "compared; scale scores are not equally reliable in the groups",
        relations=True,
        means=True,
    ),
    Rule(
        "strict without a solution",
        _stops("strict"),
        "With equal residual variances the model has no solution in these data: relations and means of the latents can be "
        "compared; that scale scores are equally reliable is not shown",
        relations=True,
        means=True,
    ),
    Rule(
        "none",
        lambda table: True,
        f"No step costs more than {CFI_FALL:.3f} in CFI: relations and means of the latents can be compared",
        relations=True,
        means=True,
    ),
)


@dataclass(frozen=True, eq=False, repr=False)
class Invariance(Result):
    """Models of growing equality; made by :func:`invariance`.

    Attributes
    ----------
    table : DataFrame
        Rows configural, (thresholds,) metric, scalar, strict (and more, see :func:`invariance`); columns chisq, df, pvalue, cfi,
        rmsea, srmr, delta_chisq, delta_df, delta_pvalue, delta_cfi, delta_rmsea. A level without a solution has df
        only, and is the last.
    fits : dict
        The fits by level that converged.
    score_tests : DataFrame
        For each equality, at the level that added it, what releasing it would gain: level, lhs, op, rhs, group (the
        one that differs most), chisq, df, pvalue, epc (expected change of that group's value); largest first.
    n_obs : int
        Rows of all groups.
    decision : Rule
        The first of ``RULES`` that applies.
    warnings : tuple of str
        Warnings of the fits, with their level.
    group_partial : tuple of str
        What was left free at every level.
    """

    table: pd.DataFrame
    fits: dict[str, Fit]
    score_tests: pd.DataFrame
    n_obs: int
    decision: Rule
    warnings: tuple[str, ...] = ()
    group_partial: tuple[str, ...] = ()

    def effect_sizes(self) -> pd.DataFrame:
        """How far each item's answers differ between groups among people with the same latents.

        Returns
        -------
        DataFrame
            item, group (against the first), dmacs, signed, n; largest first. In standard deviations of the item:
            0.2, 0.5 and 0.8 are small, medium and large by convention (Nye et al. 2019 propose 0.4, 0.6 and 0.8).

        Notes
        -----
        Each item in turn is released (loading and intercept, or thresholds) in the model in which everything else is
        equal, so that the other items are the anchors; what ``group_partial`` names stays free. With E_g(x | eta) the
        expected answer in group g, dMACS^2 = E (E_k(x | eta) - E_1(x | eta))^2 / SD^2 over the latents of group k and
        the pooled SD of the answers (Nye & Drasgow 2011, Journal of Applied Psychology 96, 966-980); the signed form
        takes the mean of the difference instead of its square, positive where group k answers higher. NaN where the
        released model has no
        solution.
        """
        return effect_sizes(next(iter(self.fits.values())), self.group_partial)

    def _heading(self) -> str:
        groups = next(iter(self.fits.values())).groups
        return f"Measurement invariance across {', '.join(groups)}, n = {self.n_obs}\n{self.decision.sentence}."

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table)]


def decide(table: pd.DataFrame) -> Rule:
    """The first of ``RULES`` that applies to the table of a ladder."""
    return next(rule for rule in RULES if rule.fails(table))


@checked()
@shared_rows()
def invariance(
    model: str | ModelSpec,
    data: pd.DataFrame,
    group: str,
    *,
    estimator: str | None = None,
    group_partial: str | Sequence[str] = (),
    missing: str = "listwise",
    std_lv: bool = False,
    further: str | Sequence[str] = (),
    ordered: bool | str | Sequence[str] | None = None,
    cluster: str | None = None,
    sampling_weights: str | None = None,
) -> Invariance:
    """Measurement invariance across groups: configural, metric, scalar and strict models, and their differences.

    Parameters
    ----------
    model : str or ModelSpec
        Measurement model in lavaan syntax, of first or second order.
    data : DataFrame
    group : str
        Column that holds the groups.
    estimator, missing : str
        As in :func:`semfit.fit`.
    group_partial : str or sequence of str
        Parameters left free across groups at every level, such as ``["f =~ x2", "x2 ~ 1"]``.
    std_lv : bool, default False
        As in :func:`semfit.fit`.
    further : str or sequence of str
        Steps after strict, in this order: ``"lv.variances"``, ``"lv.covariances"``, ``"means"`` of the latents equal.
    ordered : bool or str or sequence of str, optional
        As in :func:`semfit.fit`: WLSMV with the theta parameterisation, and a step for the thresholds before the
        others.
    cluster, sampling_weights : str, optional
        Columns, as in :func:`semfit.fit`.

    Returns
    -------
    Invariance
        ``.table``: configural, metric (equal loadings), scalar (and intercepts), strict (and residual variances).
        With second-order latents each step is made for the facets and then for the dimensions: metric, metric of
        dimensions (second-order loadings), scalar, scalar of dimensions (facet intercepts), strict, strict of
        dimensions (residual variances of the facets). ``.decision`` says what may be compared: a fall in CFI of more
        than .010 speaks against a step (Chen 2007); a failed strict step says nothing against comparing latent means.

    Raises
    ------
    DataError, NotConvergedError
        And what :func:`semfit.fit` raises.

    See Also
    --------
    semfit.partial_search : which equalities do not hold, adjusted for the number looked at.

    Notes
    -----
    Order of the steps of second-order models: Chen, Sousa & West (2005, Structural Equation Modeling 12, 471-492).
    While only item intercepts are equal the means of the facets are free in all groups but the first and the
    dimensions' means are 0; then the facets' intercepts are 0 and the dimensions' means are free.

    Ordered items are identified as Wu & Estabrook (2016, Psychometrika 81, 1014-1045) propose: once thresholds are
    equal, intercepts and residual variances are free in all groups but the first (0 and 1 there); then loadings are
    equal; then intercepts are 0 and the latent means free; then residual variances are 1. With three categories the
    step of the thresholds costs nothing and tests nothing. Two categories hold one threshold: their residual variances
    stay 1 in all groups, and ``warnings`` says so. chisq, cfi and rmsea are the scaled ones, differences those of
    Satorra (2000); see :func:`semfit.compare`.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=400)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=400) for i in range(1, 5)})
    >>> data["school"] = np.repeat(["north", "south"], 200)
    >>> ladder = semfit.invariance("f =~ x1 + x2 + x3 + x4", data, group="school")
    >>> ladder.table.index.tolist()
    ['configural', 'metric', 'scalar', 'strict']
    >>> ladder.decision.means
    True
    """
    ladder = Ladder.of(
        model,
        data,
        group,
        partial=(group_partial,) if isinstance(group_partial, str) else tuple(group_partial),
        further=(further,) if isinstance(further, str) else tuple(further),
        ordered=ordered,
        estimator=estimator,
        missing=missing,
        std_lv=std_lv,
        cluster=cluster,
        sampling_weights=sampling_weights,
    )
    fits: dict[str, Fit] = {}
    for step in ladder.steps:
        fits[step.name] = ladder.fit(step)
        if not fits[step.name].converged:
            break
    rows: list[dict] = []
    before: Fit | None = None
    for f in fits.values():
        rows.append(difference_row(f, None if before is None or f.df == before.df else before))
        before = f
    table = pd.DataFrame(rows, index=pd.Index(list(fits), name="level")).drop(columns=["aic", "bic"])
    unsolved = [level for level, f in fits.items() if not f.converged]
    notes = [_no_solution(level, fits.pop(level)) for level in unsolved]
    if not fits:
        raise NotConvergedError(
            f"the configural model did not converge; look at semfit.fit(..., group={group!r}) on its own"
        )
    return Invariance(
        table,
        fits,
        _released(fits),
        next(iter(fits.values())).n_total,
        decide(table),
        (
            *ladder.assumed,
            *notes,
            *dict.fromkeys(f"{level} model: {w}" for level, f in fits.items() for w in f.warnings if w not in f.notes),
        ),
        ladder.partial,
    )


def _no_solution(level: str, f: Fit) -> str:
    """What a level that did not converge is reported with: the parameters that ran away."""
    s, model = f.solution, f.solution.model
    unit = np.concatenate([g.d[[model.rows[r].free >= 0 for r in g.rows]] for g in model.groups])
    order = np.concatenate([[model.rows[r].free for r in g.rows if model.rows[r].free >= 0] for g in model.groups])
    size = np.abs(model.free_values(s.theta))[order.astype(int)] * unit
    far = list(dict.fromkeys(model.free_rows[int(order[k])].name for k in np.argsort(-size)))[:3]
    return (
        f"{level} model: it did not converge, its row is empty and the ladder ends there. Largest at the end of the search: "
        f"{', '.join(far)}. Where a latent has two indicators, equal intercepts can contradict both means so far that no "
        "finite estimate fits best; another indicator free in group_partial may help"
    )


def _released(fits: dict[str, Fit]) -> pd.DataFrame:
    """Score tests of the equalities that each level added."""
    known: set[tuple] = set()
    parts = []
    for level, f in fits.items():
        tests = score_tests(f).table
        tests = tests[tests["released"] == "across groups"].drop(columns="released")
        keys = list(zip(tests["lhs"], tests["op"], tests["rhs"], strict=True))
        new = [k not in known for k in keys]
        known |= set(keys)
        parts.append(tests[new].assign(level=level))
    out = pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)
    out = out[["level", *[c for c in out.columns if c != "level"]]]
    return out.sort_values("chisq", ascending=False, ignore_index=True)
