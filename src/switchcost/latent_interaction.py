"""Moderation between latent variables: product indicators and latent moderated structural equations (LMS)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, ndtri

from . import _checks, _lms

MINIMUM = 0.005  # least residual variance of an item in LMS, as a share of its variance
COLUMNS = ["lhs", "op", "rhs", "est", "se", "z", "pvalue", "ci_lower", "ci_upper", "std_all"]


# --- the result -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, repr=False)
class LatentJohnsonNeyman:
    """Where along the latent moderator the slope of x can be told from zero.

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

    def __repr__(self) -> str:
        tail = (
            "bounds " + "; ".join(f"{b:.4g}" for b in self.bounds)
            if self.bounds
            else "no bound: one verdict everywhere"
        )
        body = self.regions.to_string(index=False, float_format=lambda v: f"{v:.3f}")
        return f"Johnson-Neyman, latent moderator {self.moderator!r}, alpha {self.alpha:g}\n{tail}\n{body}"

    def _repr_html_(self) -> str:
        head, tail = repr(self).split("\n")[:2]
        return f"<p>{head}; {tail}</p>" + self.regions.to_html(index=False, float_format=lambda v: f"{v:.3f}")


@dataclass(frozen=True, repr=False)
class LatentInteraction:
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
    warnings: tuple[str, ...]
    n_obs: int
    n_dropped: int
    method: str
    x: str
    moderator: str
    y: str
    level: float = 0.95
    fit: object = None
    _scores: pd.DataFrame | None = field(default=None)
    _inputs: dict = field(default_factory=dict)

    @property
    def product(self) -> pd.Series:
        """The product's row of ``estimates``."""
        return self._effect(f"{self.x}:{self.moderator}")

    def _effect(self, rhs: str) -> pd.Series:
        t = self.estimates
        return t[(t["lhs"] == self.y) & (t["op"] == "~") & (t["rhs"] == rhs)].iloc[0]

    def _sd(self, name: str) -> float:
        return float(np.sqrt(self.latent_cov.loc[name, name]))

    def _slope(self, moderator: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Slope of x and its standard error at values of the moderator."""
        m = np.asarray(moderator, dtype=float)
        V = self.slope_cov.to_numpy()
        b, w = self._effect(self.x)["est"], self.product["est"]
        return b + w * m, np.sqrt(np.maximum(V[0, 0] + 2 * m * V[0, 2] + m**2 * V[2, 2], 0))

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
            raise ValueError(f"kind must be 'sd' or 'value', and is {kind!r}")
        at = np.atleast_1d(np.asarray(at, dtype=float))
        values = at * self._sd(self.moderator) if kind == "sd" else at
        labels = ["mean" if a == 0 else f"{a:+g} SD" if kind == "sd" else f"{a:g}" for a in at]
        est, se = self._slope(values)
        table = pd.DataFrame({"at": labels, self.moderator: values, **_inference(est, se, self.level)})
        table["std_all"] = est * self._sd(self.x) / self._sd(self.y)
        return table

    def johnson_neyman(self, alpha: float | None = None) -> LatentJohnsonNeyman:
        """Values of the latent moderator between which the slope of x can, and cannot, be told from zero.

        Solves (b_x + b_xm m)^2 = z^2 (V_xx + 2 m V_x,xm + m^2 V_xm,xm) (Johnson & Neyman 1936; Bauer & Curran 2005).

        Parameters
        ----------
        alpha : float, default 1 - level

        Returns
        -------
        LatentJohnsonNeyman with ``.bounds`` and ``.regions``
        """
        alpha = 1 - self.level if alpha is None else alpha
        if not 0 < alpha < 1:
            raise ValueError(f"alpha is a probability such as 0.05, and is {alpha!r}")
        critical = -float(ndtri(alpha / 2))
        V = self.slope_cov.to_numpy()
        b, w = self._effect(self.x)["est"], self.product["est"]
        qa, qb, qc = (
            w**2 - critical**2 * V[2, 2],
            2 * (b * w - critical**2 * V[0, 2]),
            b**2 - critical**2 * V[0, 0],
        )
        roots = np.roots([qa, qb, qc]) if np.isfinite([qa, qb, qc]).all() else np.array([])
        bounds = tuple(sorted(float(r.real) for r in roots if abs(r.imag) < 1e-12))
        sd = self._sd(self.moderator)
        edges = [-3 * sd, *(v for v in bounds if abs(v) < 3 * sd), 3 * sd]
        rows = []
        for left, right in itertools.pairwise(edges):
            est, se = self._slope(np.array([(left + right) / 2]))
            sign = "positive" if est[0] > 0 else "negative"
            rows.append(
                {
                    "lower": left, "upper": right, "lower_sd": left / sd, "upper_sd": right / sd,
                    "slope": sign if abs(est[0]) > critical * se[0] else "not told from zero",
                    "share": float(ndtr(right / sd) - ndtr(left / sd)),
                }
            )  # fmt: skip
        return LatentJohnsonNeyman(bounds, pd.DataFrame(rows), float(alpha), critical, self.moderator)

    def factor_scores(self) -> pd.DataFrame:
        """Expected latents given each row's answers, indexed as the data; shrunken towards the mean."""
        if self._scores is None:
            names = {f"{self.x}_x_{self.moderator}": f"{self.x}:{self.moderator}"}
            return self.fit.factor_scores().rename(columns=names)
        return self._scores

    def placebo(self, n_samples: int = 50, seed: int = 20260101) -> pd.DataFrame:
        """The same analysis of answers that were made without an interaction.

        Draws normal values from the fitted model without its product, and replaces each item's values by the answers
        of the real data in the same order. Every item then has exactly its real distribution, ceilings and all, the
        items correlate about as the model says, and there is no product. What the method finds in such data it would
        have found anyway.

        Parameters
        ----------
        n_samples : int, at least 1
        seed : int. Same seed, same numbers.

        Returns
        -------
        DataFrame, one row a made data set: ``est se std_all pvalue converged``. Samples that could not be fitted
        are rows of NaN.

        Notes
        -----
        Ranks of normal draws are a Gaussian copula (a NORTA sample: Cario & Nelson 1997). It shows that marginal
        distributions suffice for a result, not that they are its cause.
        """
        from .sem import fit

        if n_samples < 1:
            raise ValueError(f"n_samples must be at least 1, and is {n_samples!r}")
        data, rng = self._inputs["data"], np.random.default_rng(seed)
        implied = fit(self._inputs["text"], data).implied()["cov"]
        ordered = np.sort(data[implied.columns].to_numpy(), axis=0)
        rows = []
        for _ in range(n_samples):
            drawn = rng.multivariate_normal(np.zeros(len(implied)), implied.to_numpy(), len(data))
            ranks = drawn.argsort(axis=0).argsort(axis=0)
            made = pd.DataFrame(np.take_along_axis(ordered, ranks, axis=0), columns=implied.columns)
            try:
                r = latent_interaction(data=made, **self._inputs["options"])
            except ValueError:  # an odd sample must not end the series
                rows.append(
                    {"est": np.nan, "se": np.nan, "std_all": np.nan, "pvalue": np.nan, "converged": False}
                )
                continue
            rows.append({**r.product[["est", "se", "std_all", "pvalue"]], "converged": r.converged})
        return pd.DataFrame(rows)

    def plot(self, ax=None, at=(-1, 0, 1)):
        """Expected y along x at values of the moderator (in its SD), with bands and factor scores under them.

        Returns the axes. Latents are in the units of their marker items, as deviations from the mean.
        """
        from . import plots

        ax = plots._axes(ax)
        scores = self.factor_scores()
        ax.scatter(scores[self.x], scores[self.y], s=9, color="#b8b8b8", alpha=0.6, lw=0)
        grid = np.linspace(-2, 2, 41) * self._sd(self.x)
        V, sd = self.slope_cov.to_numpy(), self._sd(self.moderator)
        effects = np.array(
            [self._effect(self.x)["est"], self._effect(self.moderator)["est"], self.product["est"]]
        )
        for k, a in enumerate(at):
            weights = np.column_stack([grid, np.full(grid.shape, a * sd), grid * a * sd])
            mean = (
                weights @ effects - effects[2] * self.latent_cov.loc[self.x, self.moderator]
            )  # the mean product
            half = -ndtri((1 - self.level) / 2) * np.sqrt(np.einsum("ij,jk,ik->i", weights, V, weights))
            name = f"{self.moderator} at its mean" if a == 0 else f"{self.moderator} {a:+g} SD"
            color = plots.COLORS[k % len(plots.COLORS)]
            ax.plot(grid, mean, color=color, linestyle=plots.LINES[k % len(plots.LINES)], label=name)
            ax.fill_between(grid, mean - half, mean + half, color=color, alpha=0.15, lw=0)
        ax.set_xlabel(f"latent {self.x} (deviation from the mean, units of its marker item)")
        ax.set_ylabel(f"expected latent {self.y}")
        ax.legend()
        return ax

    def _head(self) -> str:
        name = "product indicators" if self.method == "product" else "LMS"
        dropped = f", {self.n_dropped} dropped for missing values" if self.n_dropped else ""
        lr = self.lr_test.iloc[0]
        state = "" if self.converged else " - DID NOT CONVERGE"
        p = "p < 0.0001" if lr["pvalue"] < 0.0001 else f"p = {lr['pvalue']:.4f}"
        return (
            f"Latent interaction {self.x} x {self.moderator} -> {self.y}, {name}, n = {self.n_obs}{dropped}{state}\n"
            f"without the product: chi-square difference {lr['chisq_diff']:.3f}, df {lr['df_diff']:.0f}, {p}"
        )

    def __repr__(self) -> str:
        t = self.estimates[self.estimates["op"] == "~"]
        text = t.to_string(index=False, float_format=lambda v: f"{v:.3f}")
        return "\n".join([self._head(), text, *(f"Warning: {w}" for w in self.warnings)])

    def _repr_html_(self) -> str:
        t = self.estimates[self.estimates["op"] == "~"]
        lines = "".join(f"<p><b>Warning:</b> {w}</p>" for w in self.warnings)
        return (
            f"<p>{self._head().replace(chr(10), '<br>')}</p>"
            + t.to_html(index=False, float_format=lambda v: f"{v:.3f}")
            + lines
        )


# --- the function -----------------------------------------------------------------------------------------------
def latent_interaction(
    model: str,
    data: pd.DataFrame,
    *,
    x: str,
    moderator: str,
    y: str,
    method: str = "product",
    indicators: str = "matched",
    reliability: Mapping[str, float] | None = None,
    estimator: str = "ML",
    se: str = "observed",
    level: float = 0.95,
) -> LatentInteraction:
    """Effect of the product of two latent variables on a third.

    Parameters
    ----------
    model : str
        Measurement model and regressions in lavaan syntax, *without* the product, such as
        ``"sat =~ s1 + s2 + s3; sc =~ c1 + c2 + c3; loy =~ l1 + l2 + l3; loy ~ sat + sc"``. Both main effects must be
        there; latent covariates and observed ones may be.
    data : DataFrame of shape (n, columns)
        Rows with a missing value in a column of the model are dropped and counted (``n_dropped``).
    x, moderator, y : str
        Names of latents. The result is symmetric in x and moderator but for the slopes that are reported.
    method : "product" or "lms"
        Product indicators: products of items measure a latent product, unconstrained, double mean centred (Lin, Wen,
        Marsh & Lin 2010), fitted by :func:`switchcost.fit`. LMS: maximum likelihood of the mixture that a product
        of normal latents implies (Klein & Moosbrugger 2000); no product items, more power, but it relies on normal
        x and moderator.
    indicators : "matched" or "all"
        For product indicators: each item used once, in the order written (marker item first), or all pairs, with
        residual covariances between products that share an item.
    reliability : dict, optional
        For factors with a single item, ``{factor: reliability}``, in (0, 1]: fixes the item's residual variance at
        (1 - reliability) times its variance (divisor n).
    estimator : "ML" or "MLR"
        For product indicators. Products are never normal, so MLR (robust) is the safer choice in small samples.
    se : "observed" or "robust"
        For LMS: from the observed information, or the sandwich of it with the casewise scores.
    level : float
        Of the confidence intervals.

    Returns
    -------
    LatentInteraction

    Raises
    ------
    ValueError
        A name is no latent of the model, a main effect is missing, the outcome causes x or the moderator, a single
        item has neither reliability nor residual variance, or the data cannot be used.

    Notes
    -----
    The standardised product effect is b_xm sd(x) sd(moderator) / sd(y): the scale of the product of standardised
    factors, not of a standardised product (Wen, Marsh & Hau 2010). For LMS var(y) includes the product, whose variance
    under normality is var(x) var(m) + cov(x, m)^2.
    Observed predictors are treated as random in LMS, so its log-likelihood includes theirs.
    LMS reads any departure from normality that a product could make as a product: answers that pile up at one end of
    the scale give an interaction where there is none (``benchmarks/lms_montecarlo.csv``). ``result.placebo()`` makes
    answers with your distributions and no interaction, and analyses them the same way. Product indicators use covariances only and are much less affected.

    Examples
    --------
    >>> import numpy as np, pandas as pd, switchcost as sc
    >>> rng = np.random.default_rng(7)
    >>> f = rng.normal(size=(400, 2))
    >>> eta = 0.5 * f[:, 0] + 0.3 * f[:, 1] + 0.4 * f[:, 0] * f[:, 1] + rng.normal(0, 0.6, 400)
    >>> items = np.repeat(np.column_stack([f, eta]), 3, axis=1) + rng.normal(0, 0.5, (400, 9))
    >>> data = pd.DataFrame(items, columns=["s1", "s2", "s3", "c1", "c2", "c3", "l1", "l2", "l3"])
    >>> model = "sat =~ s1 + s2 + s3; sc =~ c1 + c2 + c3; loy =~ l1 + l2 + l3; loy ~ sat + sc"
    >>> r = sc.latent_interaction(model, data, x="sat", moderator="sc", y="loy", method="lms")
    >>> bool(abs(r.product["est"] - 0.4) < 3 * r.product["se"])
    True
    """
    from .sem.syntax import parse

    for name, value, allowed in (
        ("method", method, ("product", "lms")), ("indicators", indicators, ("matched", "all")),
        ("se", se, ("observed", "robust")),
    ):  # fmt: skip
        if value not in allowed:
            raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, and is {value!r}")
    if method == "lms" and (indicators != "matched" or estimator != "ML"):
        raise ValueError(
            "indicators= and estimator= are for method='product'; for robust errors of LMS use se='robust'"
        )
    if method == "product" and se != "observed":
        raise ValueError(
            "se= is for method='lms'; for robust errors of product indicators use estimator='MLR'"
        )
    data = _checks.frame(data)
    parsed = parse(model)
    items = _measurement(parsed, x, moderator, y)
    observed = _observed(parsed, data)
    used, dropped = _checks.complete_rows(_checks.numeric(data, observed))
    if len(used) <= len(observed):
        raise ValueError(
            f"{len(used)} complete rows are too few for {len(observed)} variables; "
            + (f"{dropped} rows were dropped for missing values" if dropped else "collect more")
        )
    _checks.positive_definite(np.cov(used.to_numpy(), rowvar=False), observed)
    text = "\n".join([model, *_single_items(parsed, items, used, reliability)])
    if method == "lms":
        result = _fit_lms(parse(text), used, dropped, x, moderator, y, se, level)
    else:
        result = _fit_product(
            text, parsed, items, used, dropped, x, moderator, y, indicators, estimator, level
        )
    options = {
        "model": model, "x": x, "moderator": moderator, "y": y, "method": method, "indicators": indicators,
        "reliability": reliability, "estimator": estimator, "se": se, "level": level,
    }  # fmt: skip
    return replace(result, _inputs={"text": text, "data": used, "options": options})


def _inference(est: np.ndarray, se: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """Columns est se z pvalue ci_lower ci_upper; NaN where the parameter is fixed or its error unknown."""
    est, se = np.asarray(est, dtype=float), np.asarray(se, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = est / se
    half = -ndtri((1 - level) / 2) * se
    return {
        "est": est,
        "se": se,
        "z": z,
        "pvalue": 2 * ndtr(-np.abs(z)),
        "ci_lower": est - half,
        "ci_upper": est + half,
    }


# --- reading the model ------------------------------------------------------------------------------------------
def _measurement(parsed, x: str, moderator: str, y: str) -> dict[str, list]:
    """Terms ``=~`` by latent, after checking that the three names can carry a latent interaction."""
    items: dict[str, list] = {}
    for t in parsed.terms:
        if t.op == "=~":
            items.setdefault(t.lhs, []).append(t)
    for what, name in (("x", x), ("moderator", moderator), ("y", y)):
        if name not in items:
            raise ValueError(
                f"{what}={name!r} is not a latent of the model.{_checks.suggest(name, items)} A latent is what stands "
                f"left of =~; for an observed variable write it as one: 'F =~ item', with reliability={{'F': 0.8}}."
            )
    if len({x, moderator, y}) < 3:
        raise ValueError(
            f"x, moderator and y must be three different latents, and are {x!r}, {moderator!r}, {y!r}"
        )
    paths = {(t.lhs, t.rhs) for t in parsed.terms if t.op == "~"}
    for name in (x, moderator):
        if (y, name) not in paths:
            raise ValueError(
                f"the model has no '{y} ~ {name}': a product without both main effects depends on where zero is. Add it."
            )
    shared = {t.rhs for t in items[x]} & {t.rhs for t in items[moderator]}
    if shared:
        raise ValueError(
            f"{x!r} and {moderator!r} share items ({', '.join(sorted(shared))}); their product is not defined"
        )
    below = paths | {(t.rhs, t.lhs) for t in parsed.terms if t.op == "=~"}
    reached, front = {y}, {y}
    while front:
        front = {to for to, source in below if source in front} - reached
        reached |= front
    for name in (x, moderator):
        if name in reached:
            raise ValueError(
                f"{y!r} has an effect on {name!r}; the product must not depend on its own outcome"
            )
    return items


def _observed(parsed, data: pd.DataFrame) -> list[str]:
    """Observed variables of the model, checked to be columns."""
    latents = {t.lhs for t in parsed.terms if t.op == "=~"}
    names = dict.fromkeys(n for t in parsed.terms for n in (t.lhs, t.rhs) if n and n not in latents)
    return _checks.columns(data, list(names), "variable")


def _single_items(parsed, items: dict, used: pd.DataFrame, reliability) -> list[str]:
    """Lines of syntax that fix the residual variance of items that are alone on their factor."""
    given = dict(reliability or {})
    fixed = {t.lhs for t in parsed.terms if t.op == "~~" and t.lhs == t.rhs and t.fixed is not None}
    lines = []
    for factor, terms in items.items():
        item = terms[0].rhs
        if len(terms) > 1:
            if factor in given:
                raise ValueError(
                    f"reliability is for factors with a single item, and {factor!r} has {len(terms)}: "
                    "its items tell how reliable they are"
                )
            continue
        if item in items:
            raise ValueError(
                f"the factor {factor!r} is measured by the factor {item!r} alone; leave one of them out"
            )
        if factor not in given:
            if item not in fixed:
                raise ValueError(
                    f"the factor {factor!r} has the single item {item!r}: its error cannot be estimated. State a "
                    f"reliability, such as reliability={{{factor!r}: 0.8}}, or fix '{item} ~~ 0.3*{item}'."
                )
            continue
        value = given[factor]
        if not (np.isscalar(value) and 0 < float(value) <= 1):
            raise ValueError(
                f"the reliability of {factor!r} must lie above 0 and at most at 1, and is {value!r}"
            )
        if item in fixed:
            raise ValueError(
                f"{item!r} has a fixed residual variance in the model and a reliability; keep one of them"
            )
        lines.append(f"{item} ~~ {(1 - float(value)) * float(used[item].var(ddof=0))!r}*{item}")
    for factor in given:
        if factor not in items:
            raise ValueError(
                f"reliability names {factor!r}, which is not a latent of the model.{_checks.suggest(factor, items)}"
            )
    return lines


# --- LMS --------------------------------------------------------------------------------------------------------
@dataclass
class _Spec:
    """An LMS model on standardised items: structure, start, and the way back to the user's units."""

    structure: _lms.Structure
    start: np.ndarray
    lower: np.ndarray
    unit: np.ndarray
    model: object
    items: list[str]
    latents: list[str]
    scale: dict[str, float]
    variances: dict[int, str]  # parameter: the variable whose variance it is


def _specify(parsed, used: pd.DataFrame, x: str, moderator: str, y: str) -> _Spec:
    """Place the parameters of the model in the matrices of :mod:`switchcost._lms`."""
    from .sem.model import Model, parameter_table

    if parsed.defined:
        raise ValueError(
            "defined parameters (:=) are not available with method='lms'; compute them from .estimates"
        )
    rows, var = parameter_table(parsed, meanstructure=True, fixed_x=False)
    model = Model(rows, var, parsed.constraints)
    measured = {r.rhs for r in rows if r.op == "=~"}
    structural = {n for r in rows if r.op == "~" for n in (r.lhs, r.rhs)} - set(var.lv)
    both = sorted(structural & measured)
    if both:
        raise ValueError(
            f"{', '.join(both)}: an item of a factor that is also in a regression is not supported by method='lms'; "
            "use method='product', or make it a factor of its own"
        )
    alone = [
        n for n in var.ov if n not in measured
    ]  # observed predictors and outcomes: factors without error
    latents, items = [*var.lv, *alone], list(var.ov)
    p, q = len(items), len(latents)
    at_item, at_latent = {n: i for i, n in enumerate(items)}, {n: i for i, n in enumerate(latents)}
    values = used[items].to_numpy()
    mean, sd = values.mean(axis=0), values.std(axis=0)
    model.set_scale(sd)
    scale = dict(zip(model.names, model.scale, strict=True))

    shapes, size = _lms.layout(p, q)
    base = np.zeros(size)

    def place(name, *index):
        return shapes[name][0] + int(np.ravel_multi_index(index, shapes[name][1]))

    for n in alone:
        base[place("lambda", at_item[n], at_latent[n])] = 1.0
    n_theta = model.npar
    position, constant, weights, kinds = [], [], [], {}
    for r in rows:
        if r.op == "=~" and r.rhs in at_latent:  # a factor measured by factors
            cells, d = [place("beta", at_latent[r.rhs], at_latent[r.lhs])], scale[r.lhs] / scale[r.rhs]
        elif r.op == "=~":
            cells, d = [place("lambda", at_item[r.rhs], at_latent[r.lhs])], scale[r.lhs] / scale[r.rhs]
        elif r.op == "~":
            cells, d = [place("beta", at_latent[r.lhs], at_latent[r.rhs])], scale[r.rhs] / scale[r.lhs]
        elif r.op == "~~":
            where, index = ("psi", at_latent) if r.lhs in at_latent else ("theta", at_item)
            if r.lhs not in index or r.rhs not in index:
                raise ValueError(
                    f"'{r.lhs} ~~ {r.rhs}' joins an item and a latent; method='lms' does not support it"
                )
            cells = list({place(where, index[r.lhs], index[r.rhs]), place(where, index[r.rhs], index[r.lhs])})
            d = 1 / (scale[r.lhs] * scale[r.rhs])
        elif r.lhs in var.lv:
            if r.free >= 0 or r.fixed != 0:
                raise ValueError(
                    f"'{r.lhs} ~ 1': with method='lms' latents have intercept 0 and items have free ones; leave it out"
                )
            continue
        else:
            cells, d = [place("tau", at_item[r.lhs])], 1 / scale[r.lhs]
        row = d * model.K[r.free] if r.free >= 0 else np.zeros(n_theta)
        shift = d * (model.c[r.free] if r.free >= 0 else r.fixed)
        if r.op == "~1":
            shift -= mean[at_item[r.lhs]] / sd[at_item[r.lhs]]
        for cell in cells:
            position.append(cell)
            constant.append(shift)
            weights.append(row)
        for j in np.flatnonzero(row):
            kinds.setdefault(int(j), r)

    matrix = np.zeros((len(position) + 1, n_theta + 1))
    matrix[:-1, :-1] = np.array(weights)
    matrix[-1, -1] = 1.0
    unit = np.ones(n_theta + 1)
    unit[:-1] = 1 / np.abs(matrix[:-1, :-1]).max(axis=0)
    unit[-1] = scale[y] / (scale[x] * scale[moderator])
    matrix[:-1] *= unit
    structure = _lms.Structure(
        p, q, base, np.array([*position, place("omega", 0)]), np.array([*constant, 0.0]), matrix,
        at_latent[x], at_latent[moderator], at_latent[y],
    )  # fmt: skip
    start = _start(kinds, rows, used, unit, var)
    # Given one factor of the product the answers must still vary: variances stay above zero, and an item keeps half
    # a per cent of its own, because a likelihood as sharp as that cannot be integrated.
    variances = {j: r.lhs for j, r in kinds.items() if r.op == "~~" and r.lhs == r.rhs}
    lower = np.full(n_theta + 1, -np.inf)
    for j, name in variances.items():
        lower[j] = 1e-4 if name in at_latent else MINIMUM
    return _Spec(structure, start, lower, unit, model, items, latents, scale, variances)


def _start(kinds: dict, rows: list, used: pd.DataFrame, unit: np.ndarray, var) -> np.ndarray:
    """Plain starting values on standardised items: half the variance common, half unique."""
    correlation = used.corr()
    first = {}
    for r in rows:
        if r.op == "=~":
            first.setdefault(r.lhs, r.rhs)
    free_scale = {r.lhs for r in rows if r.op == "~~" and r.lhs == r.rhs and r.fixed == 1 and r.lhs in var.lv}
    start = np.zeros(len(unit))
    for j, r in kinds.items():
        if r.start is not None:
            start[j] = r.start / unit[j]
        elif r.op == "=~":
            marker = first[r.lhs]
            known = r.rhs in correlation.columns and marker in correlation.columns
            sign = np.sign(correlation.loc[r.rhs, marker]) if known else 1.0
            start[j] = (sign or 1.0) * (0.7 if r.lhs in free_scale else 1.0)
        elif r.op == "~~" and r.lhs == r.rhs:
            start[j] = 0.5 if r.lhs in var.lv or any(q.op == "=~" and q.rhs == r.lhs for q in rows) else 1.0
        elif r.op == "~1":
            start[j] = float(used[r.lhs].mean()) / unit[j]
    return start


def _fit_lms(parsed, used, dropped, x, moderator, y, se, level) -> LatentInteraction:
    spec = _specify(parsed, used, x, moderator, y)
    n, s = len(used), spec.structure
    raw = used[spec.items].to_numpy()
    sd = raw.std(axis=0)
    Y = (raw - raw.mean(axis=0)) / sd
    mean, cov = np.zeros(len(sd)), Y.T @ Y / n
    to_raw = -n * float(np.log(sd).sum())
    notes = []

    def linear(theta):
        value, gradient = _lms.linear_value_and_gradient(s, np.append(theta, 0.0), mean, cov)
        return value, None if gradient is None else gradient[:-1]

    without, value0, ok, curvature = _lms.maximise(linear, spec.start[:-1], spec.lower[:-1])
    inverse = np.eye(len(spec.start))  # the product's own curvature is near 1 on standardised items
    inverse[:-1, :-1] = curvature
    if not ok:
        notes.append("the model without the product did not converge, so its starting values are poor")
    theta = np.append(without, 0.0)

    # The quadrature runs over the factor that is measured less well: its bell is wider and needs fewer nodes.
    swapped = _lms.Structure(**{**s.__dict__, "x": s.moderator, "moderator": s.x})
    (width, largest), (width2, largest2) = (_lms.posterior_width(v, theta, Y) for v in (s, swapped))
    if width2 > width:
        s, width, largest = swapped, width2, largest2
    if width < 0.03:
        raise ValueError(
            f"{x!r} and {moderator!r} are both measured without error, so nothing is latent in their product; use sc.moderate"
        )
    spacing, reach = 0.9 * width, max(6.0, largest + 6 * width)
    for _ in range(4):
        z, log_w = _lms.nodes(spacing, reach)

        def objective(theta, z=z, log_w=log_w):
            value, gradient = _lms.value_and_gradient(s, theta, Y, z, log_w)
            return value / n, None if gradient is None else gradient / n

        theta, value, converged, inverse = _lms.maximise(objective, theta, spec.lower, inverse=inverse)
        finer = float(_lms.casewise(s, theta, Y, *_lms.nodes(spacing / 2, reach + 2)).sum())
        if not converged or abs(finer - n * value) < 1e-5:
            break
        spacing, reach = spacing / 2, reach + 2
    else:
        notes.append(f"the quadrature is exact to {abs(finer - n * value):.1g} in the log-likelihood only")

    inside = theta > spec.lower  # a parameter at its bound counts as fixed there
    covariance = np.full((len(theta), len(theta)), np.nan)
    covariance[np.ix_(inside, inside)] = _covariance(
        -n * _lms.hessian(objective, theta)[np.ix_(inside, inside)], notes
    )
    if se == "robust" and np.isfinite(covariance[-1, -1]):
        step = 1e-4
        eye = np.eye(len(theta))[inside] * step
        casewise = np.column_stack([
            (_lms.casewise(s, theta + e, Y, z, log_w) - _lms.casewise(s, theta - e, Y, z, log_w)) / (2 * step)
            for e in eye
        ])  # fmt: skip
        bread = covariance[np.ix_(inside, inside)]
        covariance[np.ix_(inside, inside)] = bread @ (casewise.T @ casewise) @ bread
    skewed = _skewed(used[[i for i in spec.items if _measures(spec.model.rows, i, {x, moderator, y})]])
    if skewed:
        notes.append(
            f"LMS takes skewed answers for an interaction, and {skewed} are skewed (beyond 0.8); "
            "see what method='product' and .placebo() say before you believe this one"
        )
    if not converged:
        notes.append("the optimiser did not reach a maximum; estimates and standard errors cannot be used")

    logl, npar = n * value + to_raw, len(theta)
    logl0 = n * value0 + to_raw
    measures = pd.Series(
        {"logl": logl, "aic": -2 * logl + 2 * npar, "bic": -2 * logl + np.log(n) * npar, "npar": float(npar)},
        name="measures",
    )
    difference = max(2 * (logl - logl0), 0.0)
    lr = pd.DataFrame({
        "logl_without": [logl0], "logl_with": [logl], "chisq_diff": [difference], "df_diff": [1.0],
        "pvalue": [float(chdtrc(1, difference))],
    })  # fmt: skip
    estimates, latent_cov, slope_cov = _lms_tables(spec, theta, covariance, x, moderator, y, level)
    for j in np.flatnonzero(~inside):
        notes.append(f"the variance of {spec.variances[j]!r} was held at its lower bound (a Heywood case)")
    correlations = latent_cov / np.sqrt(np.outer(np.diag(latent_cov), np.diag(latent_cov)))
    if np.linalg.eigvalsh(correlations)[0] < -1e-8:
        notes.append("the covariance matrix of the latents is not positive definite: some correlate beyond 1")
    scale = np.array([spec.scale[name] for name in spec.latents])
    scores = pd.DataFrame(_lms.scores(s, theta, Y, z, log_w) * scale, index=used.index, columns=spec.latents)
    scores -= _latent_means(spec, theta)
    return LatentInteraction(
        estimates, measures, lr, slope_cov, latent_cov, converged, tuple(notes), n, dropped, "lms",
        x, moderator, y, level, None, scores,
    )  # fmt: skip


def _measures(rows: list, item: str, factors: set[str]) -> bool:
    """Whether an item measures one of the factors, directly or through a factor between."""
    above = {r.lhs for r in rows if r.op == "=~" and r.rhs == item}
    return bool(above & factors) or any(_measures(rows, name, factors) for name in above)


def _skewed(items: pd.DataFrame, limit: float = 0.8) -> str:
    """Names and skewness of the items beyond the limit."""
    skewness = items.skew()
    return ", ".join(f"{name} ({value:.1f})" for name, value in skewness.items() if abs(value) > limit)


def _covariance(information: np.ndarray, notes: list[str]) -> np.ndarray:
    """Inverse information; NaN, with a note, where it is not positive definite."""
    bad = np.full_like(information, np.nan)
    if not np.isfinite(information).all():
        notes.append(
            "the information matrix could not be computed (a variance at its limit); no standard errors"
        )
        return bad
    values, vectors = np.linalg.eigh(information)
    if values[0] <= 1e-7 * values[-1]:
        notes.append("the information matrix is not positive definite: the model is not identified, or the optimum is "
                     "not a maximum; no standard errors")  # fmt: skip
        return bad
    return (vectors / values) @ vectors.T


def _latent_means(spec: _Spec, theta: np.ndarray) -> np.ndarray:
    """Means of the latents in the user's units: the product moves y by omega cov(x, moderator)."""
    m, s = spec.structure.matrices(theta), spec.structure
    A = np.linalg.inv(np.eye(s.n_latents) - m["beta"])
    phi = A @ m["psi"] @ A.T
    scale = np.array([spec.scale[name] for name in spec.latents])
    return A[:, s.outcome] * m["omega"][0] * phi[s.x, s.moderator] * scale


def _lms_tables(spec: _Spec, theta, covariance, x, moderator, y, level):
    """Estimates in the user's units with standardised values, implied latent covariances, covariance of the slopes."""
    s, m = spec.structure, spec.structure.matrices(theta)
    A = np.linalg.inv(np.eye(s.n_latents) - m["beta"])
    phi = A @ m["psi"] @ A.T
    omega = float(m["omega"][0])
    # Third moments of normal factors vanish, so the product adds to the variances downstream of y and nowhere else.
    product_variance = phi[s.x, s.x] * phi[s.moderator, s.moderator] + phi[s.x, s.moderator] ** 2
    phi = phi + omega**2 * product_variance * np.outer(A[:, s.outcome], A[:, s.outcome])
    sigma = m["lambda"] @ phi @ m["lambda"].T + m["theta"]
    scale = np.array([spec.scale[name] for name in spec.latents])
    latent_cov = pd.DataFrame(phi * np.outer(scale, scale), index=spec.latents, columns=spec.latents)
    sd = {n: spec.scale[n] * np.sqrt(max(v, 0.0)) for n, v in zip(spec.items, np.diag(sigma), strict=True)}
    sd |= {n: np.sqrt(max(latent_cov.loc[n, n], 0.0)) for n in spec.latents}

    user, cov_user = theta * spec.unit, covariance * np.outer(spec.unit, spec.unit)
    K = np.zeros((spec.model.n_free + 1, len(theta)))
    K[:-1, :-1], K[-1, -1] = spec.model.K, 1.0
    free = K @ user + np.append(spec.model.c, 0.0)
    known = ~np.isnan(np.diag(cov_user))
    free_cov = K[:, known] @ cov_user[np.ix_(known, known)] @ K[:, known].T
    errors = np.sqrt(np.diag(free_cov))
    errors[np.abs(K[:, ~known]).sum(axis=1) > 0] = np.nan
    residual = {
        r.lhs: free[r.free] if r.free >= 0 else r.fixed
        for r in spec.model.rows
        if r.op == "~~" and r.lhs == r.rhs
    }

    out, places = [], {}
    last = max(k for k, r in enumerate(spec.model.rows) if r.op == "~" and r.lhs == y)
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, r in enumerate(spec.model.rows):
            est = float(free[r.free]) if r.free >= 0 else float(r.fixed)
            if r.op == "=~":
                std = est * sd[r.lhs] / sd[r.rhs]
            elif r.op == "~":
                std = est * sd[r.rhs] / sd[r.lhs]
                places[(r.lhs, r.rhs)] = r.free
            elif r.op == "~1":
                std = est / sd[r.lhs]
            elif r.lhs == r.rhs:
                std = est / sd[r.lhs] ** 2
            else:
                root = residual[r.lhs] * residual[r.rhs]
                std = est / np.sqrt(root) if root > 0 else np.nan
            out.append(
                (r.lhs, r.op, r.rhs, est, float(errors[r.free]) if r.free >= 0 else np.nan, float(std))
            )
            if k == last:
                out.append((y, "~", f"{x}:{moderator}", float(free[-1]), float(errors[-1]),
                            float(free[-1] * sd[x] * sd[moderator] / sd[y])))  # fmt: skip
    table = pd.DataFrame(out, columns=["lhs", "op", "rhs", "est", "se", "std_all"])
    for name, column in _inference(table["est"].to_numpy(), table["se"].to_numpy(), level).items():
        table[name] = column
    index = [places[(y, x)], places[(y, moderator)], len(free) - 1]
    names = [x, moderator, f"{x}:{moderator}"]
    slope_cov = np.zeros((3, 3))
    for a, b in itertools.product(range(3), repeat=2):
        slope_cov[a, b] = free_cov[index[a], index[b]] if index[a] >= 0 and index[b] >= 0 else 0.0
    return table[COLUMNS], latent_cov, pd.DataFrame(slope_cov, index=names, columns=names)


# --- product indicators -----------------------------------------------------------------------------------------
def _marker_first(terms: list, factor: str, parsed) -> list[str]:
    """Items of a factor with its marker first; the product takes its unit from the two markers."""
    names = [t.rhs for t in terms]
    loadings = {t.rhs: t.fixed[0] for t in terms if t.fixed is not None}
    fixed_variance = any(
        t.op == "~~" and t.lhs == t.rhs == factor and t.fixed is not None for t in parsed.terms
    )
    markers = [n for n in names if loadings.get(n) == 1.0]
    if not markers and names[0] not in loadings:
        markers = [names[0]]
    if not markers or fixed_variance:
        raise ValueError(
            f"{factor!r} must take its unit from a marker item with loading 1 (the default) for method='product': "
            "the product of two factors is measured in the product of their markers' units. Leave out NA* and the "
            "fixed variance, or use method='lms'."
        )
    return [markers[0], *(n for n in names if n != markers[0])]


def _product_items(used: pd.DataFrame, pairs: list[tuple[str, str]]) -> pd.DataFrame:
    """Products of centred items, centred again (double mean centring), named ``item.item``."""
    centred = used - used.mean()
    products = pd.DataFrame({f"{a}.{b}": centred[a] * centred[b] for a, b in pairs})
    clash = [c for c in products.columns if c in used.columns]
    if clash:
        raise ValueError(
            f"the data have columns named as the products would be ({', '.join(clash)}); rename them"
        )
    return products - products.mean()


def _fit_product(text, parsed, items, used, dropped, x, moderator, y, indicators, estimator, level):
    from .sem import fit

    notes: list[str] = []
    first, second = (_marker_first(items[name], name, parsed) for name in (x, moderator))
    for name in (x, moderator):
        factors = [t.rhs for t in items[name] if t.rhs in items]
        if factors:
            raise ValueError(
                f"{name!r} is measured by factors ({', '.join(factors)}); product indicators need items, "
                "method='lms' does not"
            )
    single = len(first) == 1 or len(second) == 1
    if indicators == "all" or single:
        pairs = list(itertools.product(first, second))
    else:
        pairs = list(zip(first, second, strict=False))
        unused = [*first[len(pairs) :], *second[len(pairs) :]]
        if unused:
            notes.append(
                f"{x!r} and {moderator!r} have different numbers of items: {', '.join(unused)} enter no product; "
                "indicators='all' uses them"
            )
    product, error = f"{x}_x_{moderator}", f"{x}_x_{moderator}_error"
    data = pd.concat([used, _product_items(used, pairs)], axis=1)
    names = [f"{a}.{b}" for a, b in pairs]
    lines = [text]
    if single:
        lines += _single_products(text, used, product, error, names, first, second, x, moderator, fit, parsed)
    else:
        lines.append(f"{product} =~ {' + '.join(names)}")
        if len(pairs) > min(len(first), len(second)):
            # Products that share an item share its error times the other factor.
            lines += [
                f"{p} ~~ {q}"
                for (p, a), (q, b) in itertools.combinations(zip(names, pairs, strict=True), 2)
                if a[0] == b[0] or a[1] == b[1]
            ]
    model = "\n".join([*lines, f"{y} ~ {product}"])
    fitted = fit(model, data, estimator=estimator)
    without = fit("\n".join([*lines, f"{y} ~ 0*{product}"]), data, estimator=estimator)

    table = fitted.estimates.copy()
    latent_cov = fitted.implied()["cov_lv"]
    sd = dict(zip(latent_cov.index, np.sqrt(np.clip(np.diag(latent_cov), 0, None)), strict=True))
    at = table.index[(table["lhs"] == y) & (table["op"] == "~") & (table["rhs"] == product)][0]
    # The scale of a product of standardised factors, not of a standardised product factor (Wen, Marsh & Hau 2010).
    table.loc[at, "std_all"] = table.loc[at, "est"] * sd[x] * sd[moderator] / sd[y]
    names = {product: f"{x}:{moderator}", error: f"{x}:{moderator} error"}
    for side in ("lhs", "rhs"):
        table[side] = table[side].replace(names)
    slope_cov = pd.DataFrame(_slope_cov(fitted, y, [x, moderator, product]))
    slope_cov.index = slope_cov.columns = [x, moderator, f"{x}:{moderator}"]
    latent_cov = latent_cov.rename(index=names, columns=names)
    lr = _chisq_difference(without, fitted)
    converged = bool(fitted.converged and without.converged)
    if not converged:
        notes.append("the model with product indicators did not converge; its numbers cannot be used")
    return LatentInteraction(
        table[COLUMNS], fitted.measures, lr, slope_cov, latent_cov, converged, (*notes, *fitted.warnings),
        len(used), dropped, "product", x, moderator, y, level, fitted,
    )  # fmt: skip


def _single_products(
    text, used, product, error, names, first, second, x, moderator, fit, parsed
) -> list[str]:
    """Measurement lines for the product when x or the moderator has a single item of known reliability.

    With x1 = x + e the product x1 m_j holds lambda_j (x m) and lambda_j (e m). The second part has the loadings of
    the first and variance var(e) var(m); it is a factor of its own here, because residual covariances that are
    proportional to the loadings could not be told from the product's variance. With two single items the residual
    variance of the one product is known from the two errors.
    """
    linear = fit(text, used)
    table = linear.estimates

    def value(name):
        return float(
            table.loc[(table["op"] == "~~") & (table["lhs"] == name) & (table["rhs"] == name), "est"].iloc[0]
        )

    phi = linear.implied()["cov_lv"]
    if len(first) == 1 and len(second) == 1:
        ex, em = value(first[0]), value(second[0])
        residual = phi.loc[x, x] * em + phi.loc[moderator, moderator] * ex + ex * em
        return [f"{product} =~ {names[0]}", f"{names[0]} ~~ {residual!r}*{names[0]}"]
    alone, other = (first[0], moderator) if len(first) == 1 else (second[0], x)
    variance = value(alone) * float(phi.loc[other, other])
    if variance == 0:
        return [f"{product} =~ {' + '.join(names)}"]
    loadings = " + ".join(f"{product}_{k}*{n}" for k, n in enumerate(names[1:], start=2))
    measured = f"1*{names[0]} + {loadings}"
    targets = {t.lhs for t in parsed.terms if t.op == "~"} | {t.rhs for t in parsed.terms if t.op == "=~"}
    exogenous = [n for n in dict.fromkeys(t.lhs for t in parsed.terms if t.op == "=~") if n not in targets]
    return [
        f"{product} =~ {measured}",
        f"{error} =~ {measured}",
        f"{error} ~~ {variance!r}*{error}",
        *(f"{error} ~~ 0*{n}" for n in [*exogenous, product]),
    ]


def _slope_cov(fitted, y: str, predictors: list[str]) -> np.ndarray:
    """Covariance matrix of the effects on y; zero for effects that are fixed."""
    table, vcov = fitted.estimates, fitted.vcov
    keys = []
    for name in predictors:
        row = table[(table["lhs"] == y) & (table["op"] == "~") & (table["rhs"] == name)].iloc[0]
        keys.append(row["label"] or f"{y}~{name}")
    known = vcov.loc[~vcov.index.duplicated(), ~vcov.columns.duplicated()]
    return known.reindex(index=keys, columns=keys).fillna(0.0).to_numpy()


def _chisq_difference(without, fitted) -> pd.DataFrame:
    """Chi-square difference of nested models, scaled where the fits are (Satorra & Bentler 2001)."""
    a, b = without.measures, fitted.measures
    df = a["df"] - b["df"]
    scaling = 1.0
    if "chisq_scaling_factor" in b:
        scaling = (a["df"] * a["chisq_scaling_factor"] - b["df"] * b["chisq_scaling_factor"]) / df
    difference = (a["chisq"] - b["chisq"]) / scaling if scaling > 0 else np.nan
    return pd.DataFrame({
        "logl_without": [a["logl"]], "logl_with": [b["logl"]], "chisq_diff": [difference], "df_diff": [float(df)],
        "pvalue": [float(chdtrc(df, max(difference, 0.0)))],
    })  # fmt: skip
