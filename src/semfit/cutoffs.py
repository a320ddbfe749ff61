"""How well a model must fit: cut-offs simulated for the model at hand, and fit that the data can vouch for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import checks
from .errors import DataError
from .fitting import fit as _fit
from .inference import default_seed, enough_draws
from .measures import noncentrality
from .populations import Population, population
from .printing import Result
from .refits import refit_moments
from .resampling import wishart
from .result import Fit
from .syntax import parse

INDICES = ("srmr", "rmsea", "cfi")


@dataclass(frozen=True, eq=False, repr=False)
class FitCutoffs(Result):
    """Cut-offs for one model and one omission; made by :func:`fit_cutoffs`.

    Attributes
    ----------
    table : DataFrame
        Index srmr, rmsea, cfi: cutoff (95 % of the samples of the population with the omission lie beyond it),
        right_rejected (share of samples in which the model is right that lie beyond it as well), observed (of the fit).
        A cut-off is of use where ``right_rejected`` is small, say .05.
    missed : str
        The omission.
    n_obs, n_rep : int
    """

    table: pd.DataFrame
    missed: str
    n_obs: int
    n_rep: int

    def _heading(self) -> str:
        return (
            f"Cut-offs that tell a model which leaves out {self.missed} (n = {self.n_obs}, {self.n_rep} samples each)"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table.rename_axis("index"))]


def fit_cutoffs(fit: Fit, missed: str, *, n_rep: int = 500, seed: int | None = None) -> FitCutoffs:
    """Which values of SRMR, RMSEA and CFI would give away an omission that matters, in this model at this n.

    Parameters
    ----------
    fit : Fit
        A model of one group, fitted to complete data.
    missed : str
        What the model must not leave out, standardised, such as ``"loyalty =~ 0.3*sat1"`` or ``"sat1 ~~ 0.2*sat2"``.
    n_rep : int, default 500
        Samples of each population.
    seed : int, optional
        None means the package's.

    Returns
    -------
    FitCutoffs

    Raises
    ------
    DataError
        Groups, gaps, ordered variables; an omission that the model holds already or that no population can have.

    Notes
    -----
    Two populations with the fit's standardised estimates, one of them with ``missed`` besides; the model is fitted to
    normal samples of both. The idea of dynamic cut-offs (McNeish & Wolf 2023, Psychological Methods 28, 61-88), who
    choose the omission by rule; here the reader names it. Residual variances of the second population follow from unit
    variances.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> from semfit.cutoffs import fit_cutoffs
    >>> rng = np.random.default_rng(1)
    >>> f, g = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], 300).T
    >>> data = pd.DataFrame({f"x{i}": f + 0.7 * rng.normal(size=300) for i in (1, 2, 3)})
    >>> data = data.assign(**{f"y{i}": g + 0.7 * rng.normal(size=300) for i in (1, 2, 3)})
    >>> fit = semfit.fit("f =~ x1 + x2 + x3; g =~ y1 + y2 + y3", data)
    >>> found = fit_cutoffs(fit, "g =~ 0.4*x3", n_rep=200).table
    >>> bool(found.loc["cfi", "right_rejected"] < 0.05)
    True
    """
    solution = fit.solution
    solution.need_convergence("standardised estimates")
    if solution.model.n_groups > 1 or solution.options.missing == "fiml" or fit.estimator not in ("ML", "MLR"):
        raise DataError("cut-offs are simulated for models of one group of continuous variables without gaps")
    n_rep = enough_draws(n_rep, "n_rep")
    right = _standardised_population(fit)
    held = {frozenset((t.lhs, t.rhs)) for t in parse(fit.model).terms}
    if any(frozenset((t.lhs, t.rhs)) in held for t in parse(missed).terms):
        raise DataError(f"{missed!r} is in the model already; name something that it leaves out")
    wrong = _standardised_population(fit, missed)
    base = _fit(fit.model, sample_cov=right.cov, n_obs=fit.n_total, fixed_x=False, meanstructure=False)
    rng = np.random.default_rng(default_seed(seed))
    order = base.solution.model.ov
    drawn = []
    for made in (right, wrong):
        root = np.linalg.cholesky(made.cov.loc[order, order].to_numpy())
        S = np.array([wishart(rng, root, fit.n_total)[0] for _ in range(n_rep)])
        measures = refit_moments(base.solution, [S], [np.zeros((n_rep, len(order)))], [fit.n_total]).measures
        drawn.append(measures[measures["converged"]])
    rows = {}
    for name in INDICES:
        good, bad = (part[name].to_numpy() for part in drawn)
        cutoff = float(np.quantile(bad, 0.95 if name == "cfi" else 0.05))
        beyond = float((good <= cutoff if name == "cfi" else good >= cutoff).mean())
        rows[name] = {"cutoff": cutoff, "right_rejected": beyond, "observed": float(fit.measures[name])}
    return FitCutoffs(pd.DataFrame.from_dict(rows, orient="index"), missed, fit.n_total, n_rep)


def _standardised_population(fit: Fit, missed: str = "") -> Population:
    """The population of the standardised estimates, with what was missed."""
    e = fit.estimates[fit.estimates["op"].isin(["=~", "~", "~~"])]
    own = e[(e["op"] == "~~") & (e["lhs"] == e["rhs"])].set_index("lhs")["std_all"]
    lines = []
    for lhs, op, rhs, value in e[["lhs", "op", "rhs", "std_all"]].itertuples(index=False):
        if lhs == rhs:
            continue
        if op == "~~":
            value = value * np.sqrt(max(own[lhs], 0.0) * max(own[rhs], 0.0))
        lines.append(f"{lhs} {op} {value:.12f}*{rhs}")
    return population("\n".join([*lines, missed]))


@dataclass(frozen=True, repr=False)
class TSize(Result):
    """Fit that the data can vouch for; made by :func:`t_size`.

    Attributes
    ----------
    rmsea : float
        With the confidence asked for, the RMSEA of the population is not above this.
    cfi : float
        And its CFI is not below this.
    alpha : float
    """

    rmsea: float
    cfi: float
    alpha: float

    def _heading(self) -> str:
        return f"T-size RMSEA {self.rmsea:.3f}, T-size CFI {self.cfi:.3f} ({1 - self.alpha:.0%} confidence)"


def t_size(fit: Fit, alpha: float = 0.05) -> TSize:
    """T-size RMSEA and CFI: how bad the fit may be in the population, for an equivalence test of fit.

    Parameters
    ----------
    fit : Fit
        One that converged, with degrees of freedom; under MLR the scaled chi-squares are taken.
    alpha : float, default 0.05
        One minus the confidence.

    Returns
    -------
    TSize

    Notes
    -----
    RMSEA: from the noncentrality at which a chi-square as small as the one found has probability alpha; the upper end
    of the 1 - 2 alpha interval. CFI: 1 - d / max(d, d0) with d for alpha / 2 and d0 of the baseline for 1 - alpha / 2
    (Yuan, Chan, Marcoulides & Bentler 2016; Marcoulides & Yuan 2017, Structural Equation Modeling 24, 148-153), by
    exact inversion of the noncentral chi-square. The authors compare them with cut-offs that are laxer than the
    customary ones by an amount that depends on n and df; against .05 and .95 they are strict.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> from semfit.cutoffs import t_size
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=300)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
    >>> fit = semfit.fit("f =~ x1 + x2 + x3 + x4", data)
    >>> bool(t_size(fit).rmsea == fit.measures["rmsea_ci_upper"])
    True
    """
    alpha = checks.probability(alpha, "alpha")
    fit.solution.need_convergence("measures of fit")
    if fit.df < 1:
        raise DataError("the model has no degrees of freedom, so its fit says nothing")
    tail = "_scaled" if "chisq_scaled" in fit.measures else ""
    m = fit.measures
    chisq, df = float(m[f"chisq{tail}"]), float(m[f"df{tail}"])
    base, base_df = float(m[f"baseline_chisq{tail}"]), float(m[f"baseline_df{tail}"])
    worst, groups = noncentrality(chisq, df, alpha), fit.solution.model.n_groups
    d, d0 = noncentrality(chisq, df, alpha / 2), noncentrality(base, base_df, 1 - alpha / 2)
    cfi = 1.0 if max(d, d0) == 0 else 1 - d / max(d, d0)
    return TSize(float(np.sqrt(worst / (df * fit.n_total)) * np.sqrt(groups)), float(cfi), alpha)
