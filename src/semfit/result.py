"""The result of a fit: estimates, standardised solution, fit measures, and the way to the diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from . import measures as fm
from . import modification, page, residuals, scores
from .arguments import checked
from .correction import corrected, h1_information
from .design import DesignEffects, design_effects
from .equality import ScoreTests, score_tests
from .errors import DataError, FitWarning
from .ordinal.diagnostics import ordinal_modification_indices, ordinal_residuals
from .ordinal.scores import WAYS as ordered_scores
from .ordinal.solution import OrdinalSolution, ordinal_measures
from .robust import Sandwich, sandwich
from .saturated import SaturatedInformation
from .solution import Solution, row_name
from .standardized import KINDS, and_defined, explained_variance, with_defined
from .state import Options
from .trouble import trouble

Z95 = float(ndtri(0.975))
LOG2PI = float(np.log(2 * np.pi))
STEP = 1e-30  # complex step: derivatives without cancellation (Squire & Trapp 1998, SIAM Review 40)


class Fit:
    """A fitted structural equation model; made by :func:`semfit.fit`.

    Attributes
    ----------
    estimates : DataFrame
        One row a parameter in lavaan's order, defined parameters last: lhs, op, rhs, (group), label, est, se, z,
        pvalue, ci_lower, ci_upper, std_all. Fixed parameters have NaN for se, z and pvalue (lavaan prints se 0).
        ``group`` counts from 1, in the order of ``groups``. Without convergence only est is filled.
    measures : Series
        Fit measures with lavaan's names, ``_`` for ``.``.
    vcov : DataFrame
        Covariance matrix of the free parameters.
    converged : bool
        The scaled gradient is zero.
    warnings : list of FitWarning
        Improper estimates, dropped rows and the like: sentences whose classes (``semfit.errors``) carry the details.
    n_obs : int or list of int
        Rows used in all, or by group when there are groups.
    n_clusters : int, list of int or None
        Clusters in all, or by group.
    n_dropped : int
        Rows left out; ``notes`` say why.
    groups : list of str
        Labels of the groups, in order.
    model : str
        The model as text.
    solution : Solution
        Model, moments and estimates as the modules of the estimator read them.
    """

    def __init__(self, solution: Solution, *, text: str, notes: Sequence[str] = (), n_dropped: int = 0):
        self.solution, self.model = solution, text
        self.notes: list[FitWarning] = [n if isinstance(n, FitWarning) else FitWarning(n) for n in notes]
        self.n_dropped = n_dropped
        self.warnings: list[FitWarning] = [*self.notes, *trouble(solution)]

    # -- basics ------------------------------------------------------------------------------------------------
    @property
    def converged(self) -> bool:
        return self.solution.converged

    @property
    def options(self) -> Options:
        """Arguments of the fit."""
        return self.solution.options

    @property
    def groups(self) -> list[str]:
        return list(self.solution.groups)

    @property
    def n_obs(self) -> int | list[int]:
        n = self.solution.n_rows
        return n[0] if len(n) == 1 else n

    @property
    def n_clusters(self) -> int | list[int] | None:
        """Clusters in all, or by group when there are groups; None without ``cluster=``."""
        if self.options.cluster is None:
            return None
        n = [d.n_clusters for d in self.solution.design]
        return n[0] if len(n) == 1 else n

    @property
    def n_total(self) -> int:
        return self.solution.n_total

    @property
    def npar(self) -> int:
        return self.solution.model.npar

    @property
    def df(self) -> int:
        return self.solution.df

    @property
    def estimator(self) -> str:
        return self.solution.options.estimator

    @cached_property
    def _saturated(self) -> list[SaturatedInformation] | None:
        """Information about the moments; only needed with missing values."""
        return h1_information(self.solution) if residuals.has_gaps(self.solution) else None

    @cached_property
    def _sandwich(self) -> Sandwich:
        return sandwich(self.solution, self._saturated)

    @cached_property
    def _vcov(self) -> np.ndarray:
        """Covariance matrix of theta (npar, npar)."""
        if isinstance(self.solution, OrdinalSolution):
            return self.solution.covariance
        bread = self.solution.bread
        if self.solution.robust:
            return bread @ self._sandwich.meat @ bread / self.n_total
        return bread / self.n_total

    @property
    def vcov(self) -> pd.DataFrame:
        self.solution.need_convergence("standard errors")
        model = self.solution.model
        names = [row_name(r) for r in model.free_rows]
        return pd.DataFrame(model.K @ self._vcov @ model.K.T, index=names, columns=names)

    def implied(self) -> dict | list[dict]:
        """Model-implied moments: ``cov``, ``mean`` (observed) and ``cov_lv`` (latent), a list of them with groups."""
        return self.solution.implied_moments()

    # -- estimates ---------------------------------------------------------------------------------------------
    def _delta(self, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Values and standard errors by the delta method; the Jacobian is taken by the complex step."""
        theta = self.solution.theta[None]
        with np.errstate(all="ignore"):
            value = with_defined(self.solution, theta, kind)[0]
            if not self.converged:
                return value, np.full(len(value), np.nan)
            if kind == "est" and self.solution.model.curve is None:  # rows are parameters, or linear in them
                stepped = value[: len(self.solution.model.rows)] + 1j * STEP * self._rows_by_parameters()
                J = and_defined(self.solution.model, stepped).imag / STEP  # (npar, rows)
            else:
                J = with_defined(self.solution, theta + 1j * STEP * np.eye(self.npar), kind).imag / STEP
            J[:, np.isnan(value)] = np.nan
            se = np.sqrt(np.maximum(np.einsum("ir,ij,jr->r", J, self._vcov, J, optimize=True), 0.0))
        fixed = (np.abs(J).max(axis=0, initial=0.0) == 0) | (se < 1e-12 * np.abs(value))
        if kind == "est":  # residual variances and scales that follow from the rest are no parameters
            fixed[: len(self.solution.model.rows)] |= [r.free < 0 for r in self.solution.model.rows]
        return value, np.where(fixed, np.nan, se)

    def _rows_by_parameters(self) -> np.ndarray:
        """Derivatives (npar, rows) of the rows of the table; zero where a row is fixed or follows from the rest."""
        model = self.solution.model
        free = np.array([r.free for r in model.rows])
        return np.where(free >= 0, model.K[free].T, 0.0) if model.npar else np.zeros((0, len(free)))

    def _frame(self, value: np.ndarray, se: np.ndarray) -> pd.DataFrame:
        model = self.solution.model
        keys = [(r.lhs, r.op, r.rhs, r.group + 1, r.label) for r in model.rows]
        keys += [(name, ":=", e.text, 0, name) for name, e, _ in model.defined]
        out = pd.DataFrame(keys, columns=["lhs", "op", "rhs", "group", "label"])
        if model.n_groups == 1:
            out = out.drop(columns="group")
        with np.errstate(all="ignore"):
            z = value / se
        fixed = np.isnan(se)
        out["est"], out["se"], out["z"], out["pvalue"] = value, se, z, 2 * ndtr(-np.abs(z))
        out["ci_lower"] = np.where(fixed, np.nan, value - Z95 * se)
        out["ci_upper"] = np.where(fixed, np.nan, value + Z95 * se)
        return out

    @cached_property
    def estimates(self) -> pd.DataFrame:
        out = self._frame(*self._delta("est"))
        with np.errstate(all="ignore"):
            standard = with_defined(self.solution, self.solution.theta[None], "std_all")[0]
        out["std_all"] = standard if self.converged else np.nan
        return out

    def standardized(self, kind: str = "std_all") -> pd.DataFrame:
        """Standardised solution with delta-method standard errors and intervals.

        Parameters
        ----------
        kind : str
            ``"std_all"`` (all variables), ``"std_lv"`` (latents only) or ``"std_nox"`` (all but observed predictors, as
            suits a predictor that is 0 or 1).

        Returns
        -------
        DataFrame
            Columns of ``estimates`` without std_all. Equals lavaan's ``standardizedSolution``; covariances between
            residuals are residual correlations, defined parameters are computed from standardised estimates.

        Raises
        ------
        NotConvergedError
        """
        if kind not in KINDS:
            raise DataError(f"kind must be one of {', '.join(map(repr, KINDS))}, not {kind!r}")
        self.solution.need_convergence("standardised estimates")
        return self._frame(*self._delta(kind))

    @cached_property
    def r2(self) -> pd.Series | pd.DataFrame:
        """Explained variance of every variable that receives an arrow (a column a group when there are several)."""
        self.solution.need_convergence("shares of explained variance")
        return explained_variance(self.solution)

    # -- fit ---------------------------------------------------------------------------------------------------
    @cached_property
    def measures(self) -> pd.Series:
        if isinstance(self.solution, OrdinalSolution):
            return pd.Series(ordinal_measures(self.solution), name="measure", dtype=float)
        sol, h1, model = self.solution, self.solution.h1, self.solution.model
        p = model.n_ov
        logl = -self.n_total * sol.F - h1.cells @ (np.log(model.scale[:p]) + LOG2PI / 2)
        srmr = 0.0
        for k, share in enumerate(sol.shares):
            C, mean = sol.implied(k)
            m = h1.mean[k] if model.means else None
            srmr += share * fm.srmr(h1.cov[k], m, C[:p, :p], None if mean is None else mean[:p])
        gaps = self._saturated if self.converged and self.df > 0 else None
        out = fm.all_measures(
            chisq=2 * (h1.logl - logl),
            df=self.df,
            npar=self.npar,
            n=self.n_total,
            groups=model.n_groups,
            base_chisq=h1.baseline_chisq,
            base_df=h1.baseline_df,
            logl=logl - h1.x_logl,
            h1_logl=h1.logl - h1.x_logl,
            srmr_value=srmr,
            scaling=(self._sandwich.scaling, self._sandwich.baseline_scaling)
            if sol.robust and self.converged
            else None,
            corrected=None if gaps is None else corrected(sol, gaps),
        )
        if not self.converged:
            out = {k: v if k in ("npar", "df", "ntotal") else np.nan for k, v in out.items()}
        return pd.Series(out, name="measure")

    # -- diagnostics -------------------------------------------------------------------------------------------
    @checked()
    def modification_indices(self, minimum: float = 0.0) -> pd.DataFrame:
        """Score tests of parameters that the model fixes at zero, largest first.

        Parameters
        ----------
        minimum : float, default 0
            Smallest index to list.

        Returns
        -------
        DataFrame
            lhs, op, rhs, (group), mi (chi-square with 1 df), epc (expected parameter change), sepc_all (the same,
            standardised). Candidates are those of lavaan's ``modindices``: what the model fixes, cross-loadings,
            residual covariances, latent covariances and, when there are regressions, paths among their variables. A
            fixed predictor is never an outcome: fit with ``fixed_x=False`` to test that. What the model holds already
            under another name (``A ~ h`` beside ``h =~ A``) and what cannot be told from its parameters is absent.

        Raises
        ------
        NotConvergedError

        Notes
        -----
        mi = N g^2 / V, V = I_cc - I_ca I_aa^-1 I_ac with expected information (Soerbom 1989, Psychometrika 54);
        epc = -g / V (Saris, Satorra & Soerbom 1987). Equals ``lavTestScore(fit, add = ...)`` one by one; lavaan
        0.6-14's ``modindices`` is wrong in second-order models with a path on a first-order factor.
        """
        if isinstance(self.solution, OrdinalSolution):
            return ordinal_modification_indices(self.solution, minimum)
        return modification.modification_indices(self.solution, minimum)

    def score_tests(self, op: str | None = None) -> ScoreTests:
        """What releasing each equality would gain; see :func:`semfit.score_tests`.

        Parameters
        ----------
        op : str, optional
            Only parameters with this operator.

        Returns
        -------
        ScoreTests
        """
        return score_tests(self, op)

    def residuals(self) -> pd.DataFrame:
        """Residual correlations and standardised residuals, largest absolute z first.

        Returns
        -------
        DataFrame
            lhs, op, rhs, (group), observed and implied correlation, ``residual`` (their difference; means are
            divided by the standard deviation) and ``z``, the residual covariance over its standard error. An
            absolute z above 2 is more than sampling error. Equals ``lavResiduals(fit)$cov.z`` for normal-theory ML
            with and without fixed predictors. Where the model fits a moment exactly z is 0.

        Raises
        ------
        NotConvergedError
        """
        if isinstance(self.solution, OrdinalSolution):
            return ordinal_residuals(self.solution)
        return residuals.residual_table(self.solution, self._saturated)

    def design_effects(self) -> DesignEffects:
        """What clusters and weights do to the precision of the variables' means.

        Returns
        -------
        DesignEffects
            ``.table`` has one row a variable (and group): n_obs, icc, deff, deft.

        Raises
        ------
        DataError
            The fit has neither ``cluster=`` nor ``sampling_weights=``.
        """
        sol = self.solution
        if not sol.design:
            raise DataError("design effects need cluster= or sampling_weights= in the fit")
        return design_effects(sol.model.ov, [X for X, _ in sol.rows], sol.design, sol.groups)

    def factor_scores(self, method: str = "regression") -> pd.DataFrame:
        """Scores of the latents, one row a row used (index of the data kept).

        Parameters
        ----------
        method : str
            ``"regression"`` (Thurstone: E(eta | y) = mu_eta + cov(eta, y) Sigma^-1 (y - mu)): uses every observed
            variable of the model, predictors and outcomes of latents too, and what a row has answered.
            ``"bartlett"`` (weighted least squares given the loadings, unbiased for each respondent): uses the items
            of the latents and observed outcomes of latents, net of their observed predictors; predictors of latents
            do not enter.

        Returns
        -------
        DataFrame
            One column a latent, in the order of the data. Bartlett scores of rows that lack the items are NaN.

        Raises
        ------
        DataError
            No rows, no latents, or (Bartlett) latents without own items.
        NotConvergedError

        Notes
        -----
        Of ordered variables the regression scores are the modes of the latents' density given the answers, Bartlett
        scores those of the answers' likelihood; these are NaN where it has no maximum, as for a person who gave the
        highest answer to all items of a latent. Equals ``lavPredict(fit, method = "EBM")`` and ``"Bartlett"`` in
        measurement models. In groups the latent
        means are those of the model, so scores can be compared between groups once intercepts are equal.
        """
        ordered = ordered_scores if isinstance(self.solution, OrdinalSolution) else None
        return scores.factor_scores(self.solution, method, ordered)

    @property
    def partable(self) -> pd.DataFrame:
        """The parameter table: lhs op rhs group user free label fixed start exo est se."""
        out = self.solution.model.table()
        rows = self.estimates.iloc[: len(out)]
        out["est"], out["se"] = rows["est"].to_numpy(), rows["se"].to_numpy()
        return out

    @checked()
    def bootstrap(self, n_boot: int = 1000, seed: int | None = None, **options):
        """Bootstrap the fit; see :func:`semfit.bootstrap.bootstrap`."""
        from .bootstrap import bootstrap

        return bootstrap(self, n_boot=n_boot, seed=seed, **options)

    def plot(self, **options):
        """Draw the model with its estimates; see :func:`semfit.path_diagram`."""
        from .diagram import path_diagram

        return path_diagram(self, **options)

    # -- pages -------------------------------------------------------------------------------------------------
    def _lines(self) -> tuple[str, str]:
        return (
            page.sample_line(self.solution, self.n_dropped),
            page.fit_line(self.measures, self.df),
        )

    def summary(self) -> str:
        """The fit in a few lines and its estimates as text."""
        return f"{self!r}\n{self.estimates.to_string(index=False, float_format=lambda v: f'{v:.3f}', na_rep='')}"

    def __repr__(self) -> str:
        return page.as_text(self.solution, *self._lines(), self.warnings)

    def _repr_html_(self) -> str:
        return page.as_html(self.solution, self.model, self.estimates, *self._lines(), self.warnings)
