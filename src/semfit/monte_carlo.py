"""How often a study finds what is there: a model fitted to many samples of a population, all refits in batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtri, ndtri

from .errors import DataError
from .estimate import Moments, evaluate
from .gradient import BATCH, regular, saturated_discrepancy
from .inference import default_seed, enough_draws
from .jobs import run_batches
from .printing import Result
from .resampling import wishart
from .scoring import refit_batch
from .solution import Fitted, Solution
from .standardized import with_defined
from .threads import one_thread

STEP = 1e-30  # complex step


@dataclass(frozen=True, eq=False, repr=False)
class MonteCarlo(Result):
    """What a model finds in samples of a population; made by :func:`monte_carlo`.

    Attributes
    ----------
    table : DataFrame
        One row a free or defined parameter: lhs, op, rhs, (group), label, true (the estimate in the population), mean,
        bias (mean less true), sd (of the estimates), mean_se, coverage (share of intervals that contain ``true``),
        power (share of samples whose p is below alpha) and power_se, its standard error.
    n_obs : int
        Rows a sample, over all groups.
    n_rep, n_converged : int
        Samples drawn, and those that the model could be fitted to; all numbers are about the latter.
    rejected : float
        Share of samples whose chi-square test rejects the model; NaN without degrees of freedom.
    alpha : float
    """

    table: pd.DataFrame
    n_obs: int
    n_rep: int
    n_converged: int
    rejected: float
    alpha: float

    def _heading(self) -> str:
        text = f"Monte Carlo, {self.n_rep} samples of n = {self.n_obs}: {self.n_converged} converged"
        return text if np.isnan(self.rejected) else f"{text}; the test of fit rejects {self.rejected:.1%}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table[self.table["op"].isin(["=~", "~", ":="])].reset_index(drop=True))]


def monte_carlo(
    fit: Fitted,
    covs: list[np.ndarray],
    means: list[np.ndarray],
    n_rep: int = 1000,
    seed: int | None = None,
    *,
    alpha: float = 0.05,
    n_jobs: int | None = None,
    progress: bool = True,
) -> MonteCarlo:
    """Refit a model to normal samples of a population.

    Parameters
    ----------
    fit : Fit
        The model fitted to the population's own moments, which gives sample sizes, true values and the start.
    covs, means : list of array by group
        The population, in the order of the model's variables.
    n_rep : int, default 1000
        Samples.
    seed : int, optional
        None means the package's.
    alpha : float, default 0.05
        Level of the two-sided tests and of the intervals.
    n_jobs : int, optional
        Processes; None follows ``joblib.parallel_config``.
    progress : bool, default True
        Show a bar when it takes longer than two seconds.

    Notes
    -----
    Covariance matrices are drawn as such (Bartlett 1933), so the cost does not grow with n. Standard errors are those
    of normal theory (expected information), of defined parameters by the delta method (Muthen & Muthen 2002).
    """
    n_rep, seed = enough_draws(n_rep, "n_rep"), int(default_seed(seed))
    fit.solution.need_convergence("true values")
    seeds = np.random.SeedSequence(seed).spawn(n_rep)
    batches = [seeds[k : k + BATCH] for k in range(0, n_rep, BATCH)]
    sizes = [int(round(n)) for n in fit.solution.data.n]
    task = _Task(fit.solution, [np.linalg.cholesky(S) for S in covs], means, sizes)
    parts = run_batches(task, batches, n_jobs, progress, "simulation")
    est, se, chisq = (np.concatenate([p[k] for p in parts]) for k in range(3))
    if len(est) < max(2, n_rep // 4):
        raise DataError(f"the model could be fitted to {len(est)} of {n_rep} samples only; n is too small for it")
    return _summary(fit, est, se, chisq, n_rep, alpha)


def _summary(fit: Fitted, est: np.ndarray, se: np.ndarray, chisq: np.ndarray, n_rep: int, alpha: float) -> MonteCarlo:
    model = fit.solution.model
    free = np.array([r.free >= 0 for r in model.rows] + [True] * len(model.defined))
    keys = [c for c in ("lhs", "op", "rhs", "group", "label") if c in fit.estimates]
    table = fit.estimates.loc[free, keys].reset_index(drop=True)
    table["true"] = fit.estimates.loc[free, "est"].to_numpy()
    est, se, true = est[:, free], se[:, free], table["true"].to_numpy()
    critical = -ndtri(alpha / 2)
    table["mean"], table["bias"], table["sd"] = est.mean(axis=0), est.mean(axis=0) - true, est.std(axis=0, ddof=1)
    table["mean_se"] = se.mean(axis=0)
    table["coverage"] = (np.abs(est - true) <= critical * se).mean(axis=0)
    table["power"] = power = (np.abs(est) > critical * se).mean(axis=0)
    table["power_se"] = np.sqrt(np.maximum(power * (1 - power), 0.25 / len(est)) / len(est))
    df = fit.solution.df
    rejected = float((chisq > chdtri(df, alpha)).mean()) if df else np.nan
    return MonteCarlo(table, fit.solution.n_total, n_rep, len(est), rejected, alpha)


@dataclass(frozen=True, eq=False)
class _Task:
    """One batch of samples: moments, refits, standard errors; runs in workers too."""

    solution: Solution
    roots: list[np.ndarray]
    means: list[np.ndarray]
    sizes: list[int]

    def __call__(self, seeds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        model = self.solution.model
        S: list[np.ndarray] = []
        m: list[np.ndarray] = []
        rngs = [np.random.default_rng(s) for s in seeds]
        for root, mean, n in zip(self.roots, self.means, self.sizes, strict=True):
            drawn = [wishart(rng, root, n) for rng in rngs]
            S.append(np.array([d[0] for d in drawn]))
            m.append(np.array([d[1] for d in drawn]) + mean)
        data = Moments(S, m if model.means else None, [float(n) for n in self.sizes])
        with one_thread():
            data = data.take(regular(data, model.scale[: model.n_ov]))
            theta, F, ok = refit_batch(model, data, self.solution.theta, self.solution.expected_information)
            data, theta = data.take(ok), theta[ok]
            chisq = 2 * sum(self.sizes) * (F[ok] - saturated_discrepancy(model, data))
            view = self.solution.at(data, theta)
            return with_defined(view, theta), self._standard_errors(view, data, theta), chisq

    def _standard_errors(self, view: Solution, data: Moments, theta: np.ndarray) -> np.ndarray:
        model = self.solution.model
        vcov = np.linalg.inv(evaluate(model, data, theta)[2]) / sum(self.sizes)
        with np.errstate(all="ignore"):
            slopes = np.stack(
                [with_defined(view, theta + 1j * STEP * e).imag / STEP for e in np.eye(model.npar)], axis=-1
            )
        return np.sqrt(np.maximum(np.einsum("bri,bij,brj->br", slopes, vcov, slopes, optimize=True), 0.0))
