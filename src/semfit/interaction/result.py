"""What a latent interaction gives back: product effect, slopes, Johnson-Neyman bounds, placebo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from .. import checks
from ..arguments import FINITE, checked, one_of
from ..errors import DataError, SemError, extra
from ..inference import default_seed, estimate_columns
from ..johnson_neyman import ConditionalSlope
from ..palette import COLORS, LINES
from ..printing import Result
from ..result import Fit


# --- the result -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False, repr=False)
class LatentJohnsonNeyman(Result):
    """Where along the latent moderator the slope of x differs from zero.

    Attributes
    ----------
    bounds : tuple of floats
        Values of the latent moderator at the edge of significance (none, one or two), in the units of its marker
        item, as deviations from the mean.
    regions : DataFrame
        Regions within three standard deviations of the mean: ``lower upper lower_sd upper_sd slope share``, with
        the share of a normal distribution that lies inside (the moderator is latent: nobody's value is observed).
    alpha, critical_z : float
    """

    bounds: tuple[float, ...]
    regions: pd.DataFrame
    alpha: float
    critical_z: float
    moderator: str

    def _heading(self) -> str:
        found = "; ".join(f"{b:.4g}" for b in self.bounds)
        tail = f"bounds {found}" if self.bounds else "no bound: one verdict everywhere"
        return f"Johnson-Neyman, latent moderator {self.moderator!r}, alpha {self.alpha:g}\n{tail}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.regions)]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a placebo needs: the model without its product, the rows used, and the same analysis of other data."""

    linear: Callable[[], Fit]
    data: pd.DataFrame
    again: Callable[..., LatentInteraction]


@dataclass(frozen=True, eq=False, repr=False)
class LatentInteraction(Result):
    """Result of :func:`latent_interaction`.

    Attributes
    ----------
    estimates : DataFrame
        ``lhs op rhs est se z pvalue ci_lower ci_upper std_all``; the product's row is ``y ~ x:moderator``.
    measures : Series
        ``logl aic bic npar`` and, for product indicators, the fit measures of that model.
    lr_test : DataFrame, one row
        Against the same model with the product's effect fixed at zero: ``chisq_diff df_diff pvalue``.
    slope_cov : DataFrame (3, 3)
        Covariance matrix of the effects of x, moderator and product on y.
    latent_cov : DataFrame
        Covariance matrix of the latents that the model implies, the product's share in y included.
    converged : bool
    warnings : tuple of str
    n_obs, n_dropped : int
        Complete rows used, and rows left out because a value was missing.
    fit : Fit or None
        The structural equation model behind product indicators.
    """

    estimates: pd.DataFrame
    measures: pd.Series
    lr_test: pd.DataFrame
    slope_cov: pd.DataFrame
    latent_cov: pd.DataFrame
    converged: bool
    warnings: tuple[str, ...] = field()
    n_obs: int
    n_dropped: int
    method: str
    x: str
    moderator: str
    y: str
    level: float = 0.95
    fit: Fit | None = None
    scores: pd.DataFrame | None = field(default=None)
    inputs: Inputs | None = field(default=None)

    @property
    def product(self) -> pd.Series:
        """The product's row of ``estimates``."""
        return self._effect(f"{self.x}:{self.moderator}")

    def _effect(self, rhs: str) -> pd.Series:
        t = self.estimates
        return t[(t["lhs"] == self.y) & (t["op"] == "~") & (t["rhs"] == rhs)].iloc[0]

    def _sd(self, name: str) -> float:
        return float(np.sqrt(self.latent_cov.loc[name, name]))

    def _line(self) -> ConditionalSlope:
        """Slope of x along the latent moderator, a deviation from its mean."""
        V = self.slope_cov.to_numpy()
        return ConditionalSlope(self._effect(self.x)["est"], self.product["est"], V[0, 0], V[0, 2], V[2, 2])

    @checked(at=FINITE, kind=one_of("sd", "value"))
    def simple_slopes(self, at=(-1, 0, 1), *, kind: str = "sd") -> pd.DataFrame:
        """Slope of x on y at values of the latent moderator.

        Parameters
        ----------
        at : sequence of numbers
            Standard deviations of the latent moderator (``kind="sd"``) or values in the units of its marker item,
            as deviations from the mean (``kind="value"``).
        kind : "sd" or "value"

        Returns
        -------
        DataFrame with ``at``, the moderator's value, ``est se z pvalue ci_lower ci_upper`` and ``std_all``, the slope
        in standard deviations of y per standard deviation of x.

        Notes
        -----
        slope(m) = b_x + b_xm m. The values of the moderator are treated as known, as in Johnson & Neyman's bounds.
        """
        if kind not in ("sd", "value"):
            raise DataError(f"kind must be 'sd' or 'value', and is {kind!r}")
        at = np.atleast_1d(np.asarray(at, dtype=float))
        values = at * self._sd(self.moderator) if kind == "sd" else at
        labels = ["mean" if a == 0 else f"{a:+g} SD" if kind == "sd" else f"{a:g}" for a in at]
        est, se = self._line().value(values)
        table = pd.DataFrame({"at": labels, self.moderator: values, **estimate_columns(est, se, level=self.level)})
        table["std_all"] = est * self._sd(self.x) / self._sd(self.y)
        return table

    @checked()
    def johnson_neyman(self, alpha: float | None = None) -> LatentJohnsonNeyman:
        """Values of the latent moderator between which the slope of x does, and does not, differ from zero.

        Solves (b_x + b_xm m)^2 = z^2 (V_xx + 2 m V_x,xm + m^2 V_xm,xm) (Johnson & Neyman 1936; Bauer & Curran 2005).

        Parameters
        ----------
        alpha : float, default 1 - level

        Returns
        -------
        LatentJohnsonNeyman with ``.bounds`` and ``.regions``
        """
        alpha = 1 - self.level if alpha is None else alpha
        alpha = checks.probability(alpha, "alpha")
        critical, line = -float(ndtri(alpha / 2)), self._line()
        sd = self._sd(self.moderator)
        rows = [
            {
                "lower": r.lower,
                "upper": r.upper,
                "lower_sd": r.lower / sd,
                "upper_sd": r.upper / sd,
                "slope": r.verdict,
                "share": float(ndtr(r.upper / sd) - ndtr(r.lower / sd)),
            }
            for r in line.regions(critical, -3 * sd, 3 * sd)
        ]
        bounds = line.bounds(critical)
        return LatentJohnsonNeyman(bounds, pd.DataFrame(rows), float(alpha), critical, self.moderator)

    def factor_scores(self) -> pd.DataFrame:
        """Expected latents given each row's answers, indexed as the data; shrunken towards the mean."""
        if self.fit is not None:
            names = {f"{self.x}_x_{self.moderator}": f"{self.x}:{self.moderator}"}
            return self.fit.factor_scores().rename(columns=names)
        if self.scores is None:
            raise DataError("this result holds neither its fit nor factor scores")
        return self.scores

    @checked()
    def placebo(self, n_samples: int = 50, seed: int | None = None) -> pd.DataFrame:
        """The same analysis of answers that were made without an interaction.

        Draws normal values from the fitted model without its product, and replaces each item's values by the answers
        of the real data in the same order. Every item then has exactly its real distribution, ceilings and all, the
        items correlate about as the model says, and there is no product. What the method finds in such data it would
        have found anyway.

        Parameters
        ----------
        n_samples : int, default 50
        seed : int, optional
            Same seed, same numbers; the seed of the package when None.

        Returns
        -------
        DataFrame, one row a made data set: ``est se std_all pvalue converged``. Samples that could not be fitted
        are rows of NaN.

        Notes
        -----
        Ranks of normal draws are a Gaussian copula (a NORTA sample: Cario & Nelson 1997). It shows that marginal
        distributions suffice for a result, not that they are its cause.
        """
        n_samples = checks.whole(n_samples, "n_samples", 1)
        if self.inputs is None:
            raise DataError("this result does not hold its data; a placebo needs one that latent_interaction returned")
        data, rng = self.inputs.data, np.random.default_rng(default_seed(seed))
        implied = self.inputs.linear().solution.implied_of()["cov"]
        ordered = np.sort(data[implied.columns].to_numpy(), axis=0)
        rows = []
        for _ in range(n_samples):
            drawn = rng.multivariate_normal(np.zeros(len(implied)), implied.to_numpy(), len(data))
            ranks = drawn.argsort(axis=0).argsort(axis=0)
            made = pd.DataFrame(np.take_along_axis(ordered, ranks, axis=0), columns=implied.columns)
            try:
                r = self.inputs.again(made)
            except SemError:  # an odd sample must not end the series
                rows.append({"est": np.nan, "se": np.nan, "std_all": np.nan, "pvalue": np.nan, "converged": False})
                continue
            rows.append({**r.product[["est", "se", "std_all", "pvalue"]], "converged": r.converged})
        return pd.DataFrame(rows)

    def plot(self, ax=None, at=(-1, 0, 1)):
        """Expected y along x at values of the moderator (in its SD), with bands and factor scores under them.

        Returns the axes. Latents are in the units of their marker items, as deviations from the mean.
        """
        if ax is None:
            with extra("plots"):
                import matplotlib.pyplot as plt

            ax = plt.subplots()[1]
        scores = self.factor_scores()
        ax.scatter(scores[self.x], scores[self.y], s=9, color="#b8b8b8", alpha=0.6, lw=0)
        grid = np.linspace(-2, 2, 41) * self._sd(self.x)
        V, sd = self.slope_cov.to_numpy(), self._sd(self.moderator)
        effects = np.array([self._effect(self.x)["est"], self._effect(self.moderator)["est"], self.product["est"]])
        for k, a in enumerate(at):
            weights = np.column_stack([grid, np.full(grid.shape, a * sd), grid * a * sd])
            mean = weights @ effects - effects[2] * self.latent_cov.loc[self.x, self.moderator]  # the mean product
            half = -ndtri((1 - self.level) / 2) * np.sqrt(np.einsum("ij,jk,ik->i", weights, V, weights))
            name = f"{self.moderator} at its mean" if a == 0 else f"{self.moderator} {a:+g} SD"
            color = COLORS[k % len(COLORS)]
            ax.plot(grid, mean, color=color, linestyle=LINES[k % len(LINES)], label=name)
            ax.fill_between(grid, mean - half, mean + half, color=color, alpha=0.15, lw=0)
        ax.set_xlabel(f"latent {self.x} (deviation from the mean, units of its marker item)")
        ax.set_ylabel(f"expected latent {self.y}")
        ax.legend()
        return ax

    def _heading(self) -> str:
        name = "product indicators" if self.method == "product" else "LMS"
        dropped = f", {self.n_dropped} dropped for missing values" if self.n_dropped else ""
        lr = self.lr_test.iloc[0]
        state = "" if self.converged else " - DID NOT CONVERGE"
        p = "p < 0.0001" if lr["pvalue"] < 0.0001 else f"p = {lr['pvalue']:.4f}"
        return (
            f"Latent interaction {self.x} x {self.moderator} -> {self.y}, {name}, n = {self.n_obs}{dropped}{state}\n"
            f"without the product: chi-square difference {lr['chisq_diff']:.3f}, df {lr['df_diff']:.0f}, {p}"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.estimates[self.estimates["op"] == "~"])]
