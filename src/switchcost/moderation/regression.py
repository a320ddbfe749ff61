"""Moderation by regression: does the effect of x on y change with a moderator?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from ..core import checks
from ..core.arguments import Between, check, checked
from ..core.errors import DataError
from . import diagnostics, equivalence, shape, significance, slopes
from .equivalence import Equivalence
from .estimation import hierarchy
from .model import FittedModel, fitted
from .resampling import percentile_interval, resampled
from .shape import BinnedSlopes, InvertedU
from .significance import JohnsonNeyman
from .terms import build, read_columns


class Moderation(FittedModel):
    """Result of :func:`moderate`.

    Attributes
    ----------
    coefficients : DataFrame
        Index ``term``; columns ``est se t pvalue ci_lower ci_upper``. The product's row is ``"<x>:<moderator>"``, or
        ``"<x>:<moderator>[<group>]"`` for each group but the reference.
    n_obs, n_used, n_dropped : int
        Rows in the model, and rows left out because a value was missing.
    centers : dict
        What was subtracted from x and from the moderators before the products were formed (0 when not centred).
    r2, adj_r2, df_resid, df_test : float
        Fit, and degrees of freedom of the residuals and of the t tests.
    warnings : tuple of str
        How columns were read where it was not plain: groups and their reference, numbers stored as text.
    """

    @cached_property
    def steps(self) -> pd.DataFrame:
        """Hierarchical regression, one row a step: ``added r2 adj_r2 delta_r2 f_change df1 df2 pvalue f2``."""
        return hierarchy(self.design, self.cov_type, self.clusters)

    @property
    def standardized(self) -> pd.Series:
        """Coefficients in standard deviations of y per standard deviation of each *variable*.

        A product is rescaled by the product of its variables' standard deviations, not by the standard deviation
        of the product column (Friedrich 1982; Aiken & West 1991, ch. 3): it is the coefficient of the model run on
        z-scores. Groups of a moderator stay 0/1. Only meaningful, and only returned, for ``center=True``.
        """
        if not self.center:
            raise DataError(
                "standardized coefficients need center=True: without centring the main effects of a "
                "product model are slopes at zero of the other variable"
            )
        sd = [1.0 if v.groups else self.data[v.name].std() for v in self.design.variables for _ in v.columns]
        scale = [np.nan, *self.design.covariates.std(), *np.prod(np.array(sd) ** np.array(self.design.terms), axis=1)]
        scaled = self.estimate.beta * np.array(scale) / self.data[self.y].std()
        return pd.Series(scaled, index=self.coefficients.index, name="std_all")

    @checked(x=Between(), moderator=None)
    def slope(self, moderator, second=None, x: float | None = None) -> pd.DataFrame:
        """Slope of x at given values of the moderator.

        Parameters
        ----------
        moderator : float, str or array
            Raw units, or names of groups.
        second : float or str, optional
            Value or group of the second moderator (its mean, or its reference group, when left out).
        x : float, optional
            Where on x, which matters only with ``quadratic=True`` (the mean of x when left out).

        Returns
        -------
        DataFrame
            Columns ``est se t pvalue ci_lower ci_upper``, one row a value.
        """
        return self.combine(self.slope_weights(moderator, second, x))

    @checked(x=None, moderator=None)
    def predict(self, x, moderator, second=None) -> pd.DataFrame:
        """Expected y at raw values of x and the moderator, covariates at their means.

        Returns
        -------
        DataFrame
            Columns ``est se t pvalue ci_lower ci_upper``; the interval is for the mean, not for a person.
        """
        return self.combine(self.level_weights(x, moderator, second))

    def points(self, variable: str, at=None, kind: str = "sd") -> list[tuple[str, object]]:
        """Labels and raw values of a moderator at which slopes are shown; arguments as in :meth:`simple_slopes`."""
        return slopes.points(self, variable, at, kind)

    def simple_slopes(self, at=None, *, kind: str = "sd", second=None) -> pd.DataFrame:
        """Slope of x at chosen values of the moderator.

        Parameters
        ----------
        at : sequence, optional
            Where: standard deviations from the mean (``kind="sd"``, -1, 0, 1 when left out), raw values
            (``kind="value"``), percentiles (``kind="percentile"``) or names of groups. A moderator with groups or
            with two values is taken at each of them when ``at`` is left out.
        kind : str, default "sd"
            ``"sd"``, ``"value"`` or ``"percentile"``.
        second : sequence, optional
            The same for the second moderator of a three-way model.

        Returns
        -------
        DataFrame
            Columns: ``at`` (label), the moderator(s) in raw units, ``est se t pvalue ci_lower ci_upper``, and
            ``in_range``: False where a value lies outside what was observed, so the slope is extrapolated.

        Notes
        -----
        slope(m) = b_x + b_xm (m - c), variance by the covariance matrix of the coefficients
        (Aiken & West 1991, ch. 2). Equals ``interactions::sim_slopes``.
        """
        return slopes.simple_slopes(self, at, kind, second)

    def slope_differences(self, at=None, *, kind: str = "sd", second=None) -> pd.DataFrame:
        """Test every pair of simple slopes against each other.

        With one number as moderator this repeats the test of the product. With groups it compares each pair, and
        with two moderators it is the probe that a three-way product calls for (Dawson & Richter 2006). Groups, both
        of two values, or else corners (-1 and +1 SD) when ``at`` is left out.

        Returns
        -------
        DataFrame
            ``first second est se t pvalue ci_lower ci_upper pvalue_holm``; est is first minus second, intervals are
            of one pair, ``pvalue_holm`` holds the error rate over all pairs (Holm 1979).
        """
        return slopes.slope_differences(self, at, kind, second)

    @checked()
    def johnson_neyman(self, alpha: float | None = None, *, fdr: bool = False, second=None) -> JohnsonNeyman:
        """Values of the moderator between which the slope of x does, and does not, differ from zero.

        Parameters
        ----------
        alpha : float, default 1 - level
            Two-sided level of each test.
        fdr : bool
            Hold the false-discovery rate over all observed values of the moderator instead of testing each alone
            (Esarey & Sumner 2018): the critical value comes from the Benjamini-Hochberg step-up rule over the
            slopes at the distinct observed values.
        second : float, str or sequence, optional
            Value of the second moderator in a three-way model. Left out: each of its groups or of its two values,
            or the mean of a number with more values; what was taken is printed.

        Returns
        -------
        JohnsonNeyman
            ``.bounds`` (raw units), ``.table``, ``.regions``, ``.plot()``.

        Raises
        ------
        DataError
            The moderator has groups or two values, between which no region exists.

        Notes
        -----
        Solves (A + B d)^2 = t^2 (V_AA + 2 d V_AB + d^2 V_BB) for d = m - c (Johnson & Neyman 1936; Bauer & Curran
        2005). Equals ``interactions::johnson_neyman``.
        """
        return significance.johnson_neyman(self, alpha, fdr, second)

    @checked()
    def bootstrap(self, n_boot: int = 2000, seed: int | None = None, *, at=None, kind: str = "sd") -> pd.DataFrame:
        """Percentile bootstrap intervals of coefficients and simple slopes.

        Rows are drawn with replacement; whole clusters when ``cov_type="cluster"``. Centres and the values of the
        moderator stay those of the sample, so each draw estimates the same quantity.

        Parameters
        ----------
        n_boot : int, default 2000
            Samples, at least 20.
        seed : int, optional
            Same seed, same numbers; the seed of the package when left out.
        at : sequence, optional
            As in :meth:`simple_slopes`.
        kind : str, default "sd"
            As in :meth:`simple_slopes`.

        Returns
        -------
        DataFrame
            Index the coefficients and ``"slope at ..."``; columns ``est se ci_lower ci_upper n_boot``.
        """
        where = slopes.corners(self, at, kind, None)
        w, labels = slopes.weights_at(self, where), self.simple_slopes(at, kind=kind)["at"]
        y = self.data[self.y].to_numpy()
        (kept,) = resampled([(self.design.matrix(), y)], n_boot, seed, self.clusters)
        everything = np.column_stack([kept, kept @ w.T])
        low, high = percentile_interval(everything, self.level)
        return pd.DataFrame(
            {
                "est": np.concatenate([self.estimate.beta, w @ self.estimate.beta]),
                "se": everything.std(axis=0, ddof=1),
                "ci_lower": low,
                "ci_upper": high,
                "n_boot": len(kept),
            },
            index=pd.Index([*self.design.names, *(f"slope at {s}" for s in labels)], name="term"),
        )

    def quadratic_check(self) -> pd.DataFrame:
        """Is it moderation, or a curve in x (or in the moderator) that looks like it?

        When x and the moderator are correlated, x squared and the product are correlated too, and a bent effect of
        x shows up as a product if the square is left out (Ganzach 1997). The table fits main effects alone, with
        the product(s), with the squares, and with both.

        Returns
        -------
        DataFrame
            Index ``main effects``, ``product``, ``squares``, ``both``; columns ``r2 adj_r2 aic product product_se
            product_pvalue x_squared x_squared_pvalue``. ``product`` is the highest product of the model, ``aic``
            the Gaussian one with the error variance counted.
        """
        return diagnostics.quadratic_check(self)

    def attenuation(self, reliability_x: float, reliability_m: float) -> pd.Series:
        """What unreliable measures take away from the product.

        Parameters
        ----------
        reliability_x, reliability_m : float
            Reliabilities of x and of the moderator (alpha or omega), in (0, 1].

        Returns
        -------
        Series
            ``r_xm`` observed correlation of x and the moderator; ``reliability_product``; ``est`` the product's
            coefficient as observed; ``est_corrected`` = est / reliability_product; ``n_factor`` = how many times
            the sample must grow to test the product as sharply as with perfect measures.

        Notes
        -----
        Reliability of the product of two centred variables = (r_xm^2 + rel_x rel_m) / (r_xm^2 + 1), under bivariate
        normal scores and errors that are unrelated to everything (Busemeyer & Jones 1983). Two scales with .80
        each and no correlation give a product with .64. The correction is a yardstick, not an estimate: with
        skewed answers or covariates use a latent model.
        """
        return diagnostics.attenuation(self, reliability_x, reliability_m)

    def inverted_u(self) -> InvertedU:
        """Does the effect of x rise and then fall along the moderator? See :class:`InvertedU`."""
        return shape.inverted_u(self)

    def binned(self, n_bins: int = 3) -> BinnedSlopes:
        """Slopes within bins of the moderator, beside the straight line; see :class:`BinnedSlopes`.

        Parameters
        ----------
        n_bins : int, default 3
            Bins with about equally many rows, at least 2.
        """
        return shape.binned(self, n_bins)

    def equivalence(self, margin: float, *, units: str = "raw", alpha: float = 0.05) -> Equivalence:
        """Is the product smaller than anything that would matter? See :class:`Equivalence`.

        Parameters
        ----------
        margin : float
            Smallest effect of interest, positive.
        units : str, default "raw"
            ``"raw"``: the margin is a coefficient of the product; ``"partial_r"``: a partial correlation.
        alpha : float, default 0.05
            Level of each of the two one-sided tests.
        """
        return equivalence.equivalence(self, margin, units, alpha)

    def plot(self, ax=None, **kwargs):
        """Lines of y on x at values of the moderator, with bands and the data under them; returns the axes."""
        from .. import plots

        return plots.slopes(self, ax=ax, **kwargs)

    def plot_johnson_neyman(self, ax=None, **kwargs):
        """Slope of x along the moderator with band and bounds; returns the axes."""
        from .. import plots

        return plots.johnson_neyman(self, ax=ax, **kwargs)

    def _heading(self) -> str:
        parts = " x ".join(repr(v.name) for v in self.design.variables)
        how = {
            "nonrobust": "classical standard errors",
            "HC3": "HC3 standard errors",
            "cluster": f"standard errors clustered in {self.df_test + 1} groups",
        }[self.cov_type]
        rows = "row" if self.n_dropped == 1 else "rows"
        dropped = f"{self.n_dropped} {rows} dropped for missing values" if self.n_dropped else "no row dropped"
        centred = (
            "centred at " + ", ".join(f"{k} {v:.3f}" for k, v in self.centers.items())
            if self.center
            else "not centred: main effects are slopes at zero of the other variable"
        )
        return f"Moderation: {self.y!r} on {parts}; n = {self.n_used} ({dropped}); R2 = {self.r2:.3f}; {how}; {centred}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.coefficients)]


@checked(cluster=None, x=None, y=None, moderator=None)  # check_roles says how to mend these
def moderate(
    data: pd.DataFrame,
    *,
    y: str,
    x: str,
    moderator: str,
    second_moderator: str | None = None,
    covariates: Sequence[str] = (),
    quadratic: bool = False,
    center: bool = True,
    cov_type: str = "nonrobust",
    cluster: str | Sequence | None = None,
    reference: Mapping[str, str] | None = None,
    codebook: pd.DataFrame | None = None,
    level: float = 0.95,
) -> Moderation:
    """Regress y on x, a moderator and their product.

    Parameters
    ----------
    data : DataFrame
        One row a person.
    y, x, moderator : str
        Column names. For a scale, make its score first: ``data["sat"] = data[["sat1", "sat2"]].mean(axis=1)``.
    second_moderator : str, optional
        Adds it, all two-way products and the three-way product.
    covariates : sequence of str
        Further columns.
    quadratic : bool
        Adds the squares of x and of the moderator(s); simple slopes are then those at the mean of x.
    center : bool
        Subtract the mean of the rows used from x and the moderator(s) before forming products (not from y, not from
        covariates). It changes what the main effects mean, never the product's test.
    cov_type : str, default "nonrobust"
        ``"nonrobust"``: classical; ``"HC3"``: MacKinnon & White for unequal variances; ``"cluster"``: clustered, with
        the factor G/(G-1) (n-1)/(n-k) and t tests on G-1 degrees of freedom.
    cluster : str or sequence, optional
        Column, or one value a row, for ``cov_type="cluster"``.
    reference : dict, optional
        ``{column: group}``: what the other groups of a column are compared with; its largest group when left out.
    codebook : DataFrame, optional
        Columns that it declares nominal (``construct`` is ``group``, or ``level`` is ``nominal``) enter as groups.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    Moderation
        ``.coefficients .steps .simple_slopes() .slope_differences() .johnson_neyman() .bootstrap()
        .quadratic_check() .attenuation() .inverted_u() .binned() .equivalence() .plot() .plot_johnson_neyman()``

    Raises
    ------
    DataError
        A name is not a column, a column is constant or holds dates, two terms would have one name, a term repeats
        others, or too few rows.

    Notes
    -----
    Moderators and covariates that hold words, that the codebook declares nominal, and moderators of categorical
    dtype enter as groups, one 0/1 column ``name[group]`` for each but the reference. Numbers stored as text stay
    numbers. Rows with a gap in any column used are left out, and counted in ``n_dropped``. Least squares and
    covariances are statsmodels'. Checked against R 4.2 ``lm``, ``vcov`` and the sandwich formulas written out
    (tests/reference/moderation.R).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> d = pd.DataFrame({"sat": rng.normal(4, 1, 300), "cost": rng.normal(3, 1, 300)})
    >>> d["loyal"] = 1 + .6 * d.sat + .2 * d.cost - .15 * d.sat * d.cost + rng.normal(0, 1, 300)
    >>> result = moderate(d, y="loyal", x="sat", moderator="cost")
    >>> list(result.coefficients.index)
    ['Intercept', 'sat', 'cost', 'sat:cost']
    >>> len(result.johnson_neyman().bounds)
    2
    """
    check(cov_type=cov_type, level=level)
    data = checks.frame(data).reset_index(drop=True)  # rows are counted by position from here on
    roles = {"y": y, "x": x, "moderator": moderator}
    if second_moderator is not None:
        roles["second_moderator"] = second_moderator
    named = [covariates] if isinstance(covariates, str) else list(covariates)
    check_roles(data, roles, named)
    frame, notes = read_columns(data, roles, named, nominal_columns(codebook))
    groups = _clusters(data, cov_type, cluster)
    kept, _ = checks.complete_rows(frame if groups is None else frame[groups.notna()])
    numbers = [c for c in kept.columns if kept[c].dtype.kind == "f"]
    if len(kept) < len(frame):
        checks.numeric(kept[numbers])  # a column may have become constant among complete rows
    clusters = None if groups is None else groups.loc[kept.index].to_numpy()
    if clusters is not None and len(pd.unique(clusters)) < 2:
        raise DataError("cluster has one group only; clustered standard errors need at least two, better thirty")
    variables = [v for role, v in roles.items() if role != "y"]
    design = build(
        kept, y, variables, len(data), quadratic=quadratic, center=center, reference=reference or {}, notes=notes
    )
    model = fitted(design, cov_type, clusters, level)
    return Moderation(model.design, model.estimate, cov_type, clusters, level)


def check_roles(data: pd.DataFrame, roles: Mapping[str, str], covariates: Sequence[str]) -> None:
    """Every role is one column, and no column has two roles."""
    for role, name in roles.items():
        if not isinstance(name, str):
            example = list(name)[:2] if isinstance(name, (list, tuple)) else ["sat1", "sat2"]
            raise DataError(
                f"{role} must be one column name, and is {name!r}. For a scale, make its score first: "
                f"data['score'] = data[{example!r}].mean(axis=1)"
            )
        checks.columns(data, name, what=role)
    checks.columns(data, covariates, what="covariate")
    everything = [*roles.values(), *covariates]
    twice = sorted({v for v in everything if everything.count(v) > 1})
    if twice:
        raise DataError(f"{', '.join(map(repr, twice))} has two roles in the model; each column may have one")


def nominal_columns(codebook: pd.DataFrame | None) -> list[str]:
    """Columns that a codebook declares nominal."""
    if codebook is None:
        return []
    codebook = checks.frame(codebook, "the codebook")
    if "variable" not in codebook.columns:
        raise DataError(f"the codebook has no column 'variable'; it has {', '.join(map(str, codebook.columns[:8]))}")
    words = codebook.reindex(columns=["construct", "level"]).astype(str).apply(lambda c: c.str.strip().str.lower())
    return list(codebook["variable"][(words["construct"] == "group") | (words["level"] == "nominal")])


def _clusters(data: pd.DataFrame, cov_type: str, cluster) -> pd.Series | None:
    if (cov_type == "cluster") != (cluster is not None):
        raise DataError("cov_type='cluster' and cluster= belong together: give both or neither")
    if cluster is None:
        return None
    if isinstance(cluster, str):
        checks.columns(data, cluster, what="cluster")
        return data[cluster]
    if len(cluster) != len(data):
        raise DataError(f"cluster has {len(cluster)} values and data {len(data)} rows; give one value a row")
    return pd.Series(np.asarray(cluster), index=data.index)
