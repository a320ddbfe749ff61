"""What a fit of ordered items found: the solution as the diagnostics read it, sandwich, tests and measures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import qr

from ..estimate import structure as matrices
from ..measures import chi2_p, comparative, rmsea, srmr
from ..model import Model
from ..solution import Solution
from ..threads import one_thread
from .statistics import Statistics
from .structure import OrdinalStructure, Point

LEAST_SQUARES = (WLSMV, ULSMV) = ("WLSMV", "ULSMV")
KINDS = ("", "_scaled", "_robust")
MEASURES = (
    *("npar", "fmin", "chisq", "df", "pvalue", "chisq_scaled", "df_scaled", "pvalue_scaled", "chisq_scaling_factor"),
    *("chisq_shift_parameter", "baseline_chisq", "baseline_df", "baseline_pvalue", "baseline_chisq_scaled"),
    *("baseline_df_scaled", "baseline_pvalue_scaled", "baseline_chisq_scaling_factor"),
    *(f"{name}{kind}" for kind in KINDS for name in ("cfi", "tli")),
    *(f"rmsea{part}{kind}" for kind in KINDS for part in ("", "_ci_lower", "_ci_upper", "_pvalue")),
    *("srmr", "ntotal"),
)
ROOT_EPS = float(np.sqrt(np.finfo(float).eps))  # eigenvalues of a correlation matrix below this are none, as in lavaan


def weights(sample: Statistics, estimator: str) -> np.ndarray:
    """Weights of the statistics: the inverse of the diagonal of Gamma, or ones (ULSMV)."""
    with np.errstate(all="ignore"):
        inverse = 1 / sample.gamma_diagonal
    return inverse if estimator == WLSMV else np.where(np.isfinite(inverse) & (inverse > 0), 1.0, np.nan)


@dataclass(frozen=True)
class ScaledShifted:
    """A chi-square and its mean-and-variance adjusted form T a + b (Asparouhov & Muthen 2010).

    Attributes
    ----------
    chisq, df, scaled : float
    factor, shift : float
        1 / a and b.
    """

    chisq: float
    df: int
    scaled: float
    factor: float
    shift: float

    @classmethod
    def of(cls, chisq: float, df: int, trace: float, trace2: float) -> ScaledShifted:
        """From tr(U Gamma) and tr((U Gamma)^2)."""
        if df == 0:
            return cls(chisq, 0, chisq, np.nan, 0.0)
        a = np.sqrt(df / trace2)
        shift = df - a * trace
        return cls(chisq, df, chisq * a + shift, 1 / a, shift)


@dataclass(frozen=True, eq=False, kw_only=True)
class OrdinalSolution(Solution):
    """Estimates by diagonally weighted least squares.

    Attributes
    ----------
    ordinal : OrdinalStructure
    samples : tuple of Statistics
        Statistics by group.
    levels : dict of str to list
        Categories of the ordered variables, in their order.
    """

    ordinal: OrdinalStructure
    samples: tuple[Statistics, ...]
    levels: dict[str, list]

    @property
    def df(self) -> int:
        return self.model.n_groups * self.ordinal.layout.starts[3] - self.model.npar

    def entries(self, k: int, theta: np.ndarray | None = None) -> np.ndarray:
        theta = self.theta[None] if theta is None else theta
        e = super().entries(k, theta)
        if self.ordinal.delta:
            place = self.ordinal.places[k].residual
            e = e.copy() if e.dtype == theta.dtype else e.astype(theta.dtype)
            e[:, place] = self.ordinal.given_predictors(k, theta)[:, place]
        return e

    def other_rows(self, k: int, theta: np.ndarray, kind: str) -> dict[int, np.ndarray]:
        model = self.model
        C = matrices(model, model.groups[k], self.entries(k, theta))[1]
        sd = np.sqrt(np.diagonal(C, axis1=1, axis2=2))
        return self.ordinal.row_values(k, theta, kind, sd)

    def larger(self, model: Model) -> OrdinalStructure:
        """The way to the statistics of another model of the same variables."""
        y = self.ordinal
        sizes = {self.model.ov[y.y[v]]: int(y.sizes[v]) for v in y.ordered}
        return OrdinalStructure(model, sizes, y.parameterization, bool(len(y.x)))

    def derivatives(self, model: Model, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        structure = self.larger(model)
        gradient, information = np.zeros(model.npar), np.zeros((model.npar, model.npar))
        for k, (n, f, w, s) in enumerate(zip(self.data.n, self.shares, self.weights, self.samples, strict=True)):
            at = structure.point(k, theta[None])
            J = structure.jacobian(k, at)[0]
            WJ = w[:, None] * J
            gradient -= (n - 1) / self.n_total * WJ.T @ (s.vector - at.statistics[0])
            information += f * WJ.T @ J
        return gradient, information

    # -- information -------------------------------------------------------------------------------------------
    @cached_property
    def points(self) -> list[Point]:
        return [self.ordinal.point(k, self.theta[None]) for k in range(self.model.n_groups)]

    @cached_property
    def jacobians(self) -> list[np.ndarray]:
        """Derivatives (statistics, npar) by group."""
        return [self.ordinal.jacobian(k, at)[0] for k, at in enumerate(self.points)]

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """Of the statistics, by group."""
        return [weights(s, self.options.estimator) for s in self.samples]

    @cached_property
    def discrepancies(self) -> list[np.ndarray]:
        """Statistics of the sample less those of the model, by group."""
        return [s.vector - at.statistics[0] for s, at in zip(self.samples, self.points, strict=True)]

    @cached_property
    def expected_information(self) -> np.ndarray:
        parts = zip(self.shares, self.jacobians, self.weights, strict=True)
        return sum((f * (J.T * w) @ J for f, J, w in parts), np.zeros((self.model.npar, self.model.npar)))

    @property
    def information(self) -> np.ndarray:
        return self.expected_information

    @property
    def bread(self) -> np.ndarray:
        return self.expected_bread

    @cached_property
    def weighted_jacobians(self) -> list[np.ndarray]:
        """W J (statistics, npar) by group."""
        return [w[:, None] * J for w, J in zip(self.weights, self.jacobians, strict=True)]

    @cached_property
    def spreads(self) -> list[np.ndarray]:
        """Gamma W J (statistics, npar) by group."""
        return [s.gamma @ WJ for s, WJ in zip(self.samples, self.weighted_jacobians, strict=True)]

    @cached_property
    def meat(self) -> np.ndarray:
        """sum of f J'W Gamma W J (npar, npar)."""
        parts = zip(self.shares, self.weighted_jacobians, self.spreads, strict=True)
        return sum((f * WJ.T @ GWJ for f, WJ, GWJ in parts), np.zeros((self.model.npar, self.model.npar)))

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance matrix (npar, npar) of the estimates, by the sandwich; lavaan divides by N less the groups."""
        with one_thread():
            return self._covariance()

    def _covariance(self) -> np.ndarray:
        return self.expected_bread @ self.meat @ self.expected_bread / (self.n_total - self.model.n_groups)

    # -- tests -------------------------------------------------------------------------------------------------
    @cached_property
    def test(self) -> ScaledShifted:
        with one_thread():
            return self._test()

    def _test(self) -> ScaledShifted:
        parts = zip(self.data.n, self.weights, self.discrepancies, strict=True)
        chisq = sum((n - 1) * float(w @ r**2) for n, w, r in parts)
        return ScaledShifted.of(chisq, self.df, *self._traces())

    def _traces(self) -> tuple[float, float]:
        """tr(U Gamma) and tr((U Gamma)^2) with U = W - W J E^-1 J' W; between groups only J joins."""
        bread, first, second = self.expected_bread, 0.0, 0.0
        for f, w, s, GWJ in zip(self.shares, self.weights, self.samples, self.spreads, strict=True):
            first += float(w @ np.diag(s.gamma))
            second += float(w @ s.gamma**2 @ w - 2 * f * np.sum(bread * (GWJ.T @ (w[:, None] * GWJ))))
        M = bread @ self.meat
        return float(first - np.trace(M)), float(second + np.sum(M * M.T))

    @cached_property
    def baseline(self) -> ScaledShifted:
        """Independence: correlations are zero, everything else is free."""
        pairs = self.ordinal.layout.starts[2]
        chisq, trace, trace2, df = 0.0, 0.0, 0.0, 0
        for n, w, s in zip(self.data.n, self.weights, self.samples, strict=True):
            chisq += (n - 1) * float(w[pairs:] @ s.vector[pairs:] ** 2)
            part, v = s.gamma[pairs:, pairs:], w[pairs:]
            trace += float(v @ np.diag(part))
            trace2 += float(v @ part**2 @ v)
            df += len(part)
        return ScaledShifted.of(chisq, df, trace, trace2)

    def difference(self, restricted: OrdinalSolution) -> ScaledShifted:
        """Test of a more restricted model against this one, scaled and shifted (Satorra 2000, as lavTestLRT has it).

        The restrictions are the directions of theta that the restricted model cannot reach, A with A J1^+ J0 = 0; with
        M = E^-1 A'(A E^-1 A')^-1 A E^-1 the traces are those of M sum(f J'W Gamma W J) and of its square.
        """
        with one_thread():
            return self._difference(restricted)

    def _difference(self, restricted: OrdinalSolution) -> ScaledShifted:
        free, held = np.concatenate(self.jacobians), np.concatenate(restricted.jacobians)
        reached = np.linalg.lstsq(free, held, rcond=None)[0]
        # By QR: the divide-and-conquer routine behind numpy's singular values gave up on finite matrices of this kind.
        q, r, _ = qr(reached, pivoting=True)
        sizes = np.abs(np.diagonal(r))
        A = q[:, int((sizes > 1e-7 * sizes.max(initial=1e-300)).sum()) :].T
        df = restricted.df - self.df
        EA = self.expected_bread @ A.T
        M = EA @ np.linalg.pinv(A @ EA) @ EA.T @ self.meat
        chisq = restricted.test.chisq - self.test.chisq
        return ScaledShifted.of(chisq, df, float(np.trace(M)), float(np.sum(M * M.T)))

    @property
    def all_ordered(self) -> bool:
        """Every variable is ordered and nothing is conditional on predictors."""
        return bool((self.ordinal.sizes > 0).all()) and not len(self.ordinal.x)


@dataclass(frozen=True)
class CorrelationLikelihood:
    """Normal-theory discrepancy of the correlations at the estimates, with its factors (Savalei 2021)."""

    chisq: float
    df: int
    factor: float
    base_chisq: float
    base_df: int
    base_factor: float


def correlation_likelihood(fit: OrdinalSolution) -> CorrelationLikelihood | None:
    """What the robust measures rest on; None where lavaan has none.

    Savalei (2021, Multivariate Behavioral Research 56, 390-407): the discrepancy of maximum likelihood for the
    polychoric correlations at the DWLS estimates, and tr((I - J E^-1 J'W)' V (I - J E^-1 J'W) Gamma) / df with V the
    normal-theory weights at the model. Needs ordered variables only, positive definite correlations, and thresholds and
    means without constraints. As in lavaan the factor of the baseline with several groups is the sum of Gamma's diagonal times N / n_g.
    """
    if not fit.all_ordered or _held_thresholds(fit):
        return None
    lay, pairs = fit.ordinal.layout, fit.ordinal.layout.starts[2]
    chisq = base = base_trace = 0.0
    weights = []
    for n, f, s, at in zip(fit.data.n, fit.shares, fit.samples, fit.points, strict=True):
        R, implied = s.correlation, np.eye(len(s.correlation))
        implied[lay.first, lay.second] = implied[lay.second, lay.first] = at.statistics[0, pairs:]
        if np.linalg.eigvalsh(R)[0] < ROOT_EPS or np.linalg.eigvalsh(implied)[0] < ROOT_EPS:
            return None
        W = np.linalg.inv(implied)
        logdet = np.linalg.slogdet(R)[1]
        chisq += n * (np.linalg.slogdet(implied)[1] - logdet + np.sum(W * R) - len(R))
        base -= n * logdet
        base_trace += np.trace(s.gamma[pairs:, pairs:]) / f
        i, j = lay.first, lay.second
        weights.append(W[np.ix_(i, i)] * W[np.ix_(j, j)] + W[np.ix_(i, j)] * W[np.ix_(j, i)])
    total = _residual_trace(fit, weights, pairs)
    count = len(lay.first) * fit.model.n_groups
    df = count - _structural_parameters(fit)
    return CorrelationLikelihood(chisq, df, total / df if df else np.nan, base, count, base_trace / count)


def _residual_trace(fit: OrdinalSolution, weights: list[np.ndarray], pairs: int) -> float:
    """tr(R' V R Gamma) over the correlations of all groups, R = I - J E^-1 J'W, multiplied out."""
    used = np.any([J[pairs:].any(axis=0) for J in fit.jacobians], axis=0)
    bread = fit.expected_bread[np.ix_(used, used)]
    total, mixed, model, sample = 0.0, np.zeros_like(bread), np.zeros_like(bread), np.zeros_like(bread)
    for f, V, w, J, s in zip(fit.shares, weights, fit.weights, fit.jacobians, fit.samples, strict=True):
        G, J = s.gamma[pairs:, pairs:], J[pairs:, used]
        WJ = w[pairs:, None] * J
        VJ, GWJ = V @ J, G @ WJ
        total += float(np.sum(V * G))
        mixed += f * GWJ.T @ VJ
        model += f * J.T @ VJ
        sample += f * WJ.T @ GWJ
    return total - 2 * float(np.sum(bread * mixed)) + float(np.sum((bread @ model) * (sample @ bread)))


def _held_thresholds(fit: OrdinalSolution) -> bool:
    """Whether an equality holds a threshold or a mean."""
    model = fit.model
    rows = [n for n, r in enumerate(model.free_rows) if r.op in ("|", "~1")]
    columns = (model.K[rows] != 0).any(axis=0)
    return bool(((model.K[:, columns] != 0).sum(axis=0) > 1).any())


def _structural_parameters(fit: OrdinalSolution) -> int:
    """Free parameters beside thresholds and means."""
    model = fit.model
    keep = [n for n, r in enumerate(model.free_rows) if r.op not in ("|", "~1")]
    return int(np.linalg.matrix_rank(model.K[keep])) if keep else 0


def ordinal_measures(fit: OrdinalSolution) -> dict[str, float]:
    """Fit measures with lavaan's names; robust ones are NaN where lavaan has none, all are without convergence."""
    if not fit.converged:
        return dict.fromkeys(MEASURES, np.nan) | {"npar": fit.model.npar, "df": fit.df, "ntotal": fit.n_total}
    t, base, n, groups = fit.test, fit.baseline, fit.n_total, fit.model.n_groups
    weighted = fit.options.estimator == WLSMV  # unweighted sums of squares have no distribution to be read by
    cfi, tli = comparative(t.chisq, t.df, base.chisq, base.df)
    cfi_s, tli_s = comparative(t.scaled, t.df, base.scaled, base.df)
    out = {
        "npar": float(fit.model.npar),
        "fmin": t.chisq / (2 * n),
        "chisq": t.chisq,
        "df": float(t.df),
        "pvalue": chi2_p(t.chisq, t.df) if weighted else np.nan,
        "chisq_scaled": t.scaled,
        "df_scaled": float(t.df),
        "pvalue_scaled": chi2_p(t.scaled, t.df),
        "chisq_scaling_factor": t.factor,
        "chisq_shift_parameter": t.shift,
        "baseline_chisq": base.chisq,
        "baseline_df": float(base.df),
        "baseline_pvalue": chi2_p(base.chisq, base.df) if weighted else np.nan,
        "baseline_chisq_scaled": base.scaled,
        "baseline_df_scaled": float(base.df),
        "baseline_pvalue_scaled": chi2_p(base.scaled, base.df),
        "baseline_chisq_scaling_factor": base.factor,
        "cfi": cfi,
        "tli": tli,
        "cfi_scaled": cfi_s,
        "tli_scaled": tli_s,
    }
    with one_thread():
        robust = correlation_likelihood(fit)
    out |= {"cfi_robust": np.nan, "tli_robust": np.nan}
    if robust is not None and t.df:
        c, b = robust.factor, robust.base_factor
        out["cfi_robust"], out["tli_robust"] = comparative(robust.chisq, t.df, robust.base_chisq, base.df, c, b)
    out |= {f"rmsea{k}": v for k, v in rmsea(t.chisq, t.df, n - groups, groups).items()}
    out |= {f"rmsea{k}_scaled": v for k, v in rmsea(t.scaled, t.df, n - groups, groups).items()}
    if robust is not None and robust.df:
        found = rmsea(robust.chisq, robust.df, n - groups, groups, robust.factor)
    else:
        found = dict.fromkeys(("", "_ci_lower", "_ci_upper", "_pvalue"), np.nan)
    out |= {f"rmsea{k}_robust": v for k, v in found.items()}
    out["srmr"] = sum(f * _srmr(fit, k) for k, f in enumerate(fit.shares))
    out["ntotal"] = float(n)
    return out


def _srmr(fit: OrdinalSolution, k: int) -> float:
    """Of correlations, and of variances over those of the sample where variables are continuous.

    lavaan counts fixed predictors, which have no residual, among the variances that fit, so its value is smaller there.
    """
    lay, s, at = fit.ordinal.layout, fit.samples[k], fit.points[k].statistics[0]
    _, variances, pairs, _ = lay.starts
    implied = np.eye(len(s.sizes))
    implied[lay.continuous, lay.continuous] = at[variances:pairs]
    implied[lay.first, lay.second] = implied[lay.second, lay.first] = at[pairs:]
    return srmr(s.covariance, None, implied, None)
