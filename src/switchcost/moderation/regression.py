"""Moderation by regression: does the effect of x on y change with a moderator?

One engine. Every term of the model is a product of powers of the (centred) variables, so the slope of x at any
value of the moderators is one weight vector applied to the coefficients. The coefficient table, the simple
slopes, the Johnson-Neyman bounds and the figures all go through that vector and cannot disagree.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import scipy.linalg
from scipy.special import fdtrc, stdtr, stdtrit

from .._core import checks
from .._core.errors import DataError

DEFAULT_SEED = 20260101


COV_TYPES = ("nonrobust", "HC3", "cluster")


# --- small numerical helpers --------------------------------------------------------------------------------------
def _inference(est, se, df: float, level: float) -> dict[str, np.ndarray]:
    """t, two-sided p and interval of estimates with a t reference distribution."""
    est, se = np.asarray(est, float), np.asarray(se, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = est / se
    half = stdtrit(df, 0.5 + level / 2) * se
    return {
        "est": est,
        "se": se,
        "t": t,
        "pvalue": 2 * stdtr(df, -np.abs(t)),
        "ci_lower": est - half,
        "ci_upper": est + half,
    }


def _least_squares(X: np.ndarray, y: np.ndarray, names: Sequence[str]):
    """Coefficients, (X'X)^-1, residuals and leverages by QR; raises when a column repeats the others."""
    q, r, pivot = scipy.linalg.qr(X / np.linalg.norm(X, axis=0), mode="economic", pivoting=True)
    size = np.abs(np.diag(r))
    if size[-1] < 1e-10 * size[0]:
        blame = [names[pivot[i]] for i in np.flatnonzero(size < 1e-10 * size[0])]
        raise DataError(
            f"the model cannot be estimated: {', '.join(map(repr, blame))} is an exact combination of the other terms. "
            "Usual causes: a covariate that is also in the product or is a sum of others, or a moderator with "
            "too few different values for this model. Leave one of them out."
        )
    q, r = np.linalg.qr(X)
    beta = scipy.linalg.solve_triangular(r, q.T @ y)
    r_inv = scipy.linalg.solve_triangular(r, np.eye(X.shape[1]))
    return beta, r_inv @ r_inv.T, y - X @ beta, np.sum(q * q, axis=1)


def _sandwich(X, bread, resid, leverage, cov_type, clusters):
    """Covariance matrix of the coefficients and the degrees of freedom of its t tests."""
    n, k = X.shape
    if cov_type == "nonrobust":
        return bread * (resid @ resid) / (n - k), n - k
    if cov_type == "HC3":
        if np.max(leverage) > 1 - 1e-10:
            raise DataError(
                f"cov_type='HC3' divides by 1 - leverage, and row {int(np.argmax(leverage))} of the rows used has "
                "leverage 1 (one coefficient is determined by that row alone). Leave out the term that only this "
                "row informs, or use cov_type='nonrobust'."
            )
        scores = X * (resid / (1 - leverage))[:, None]
        return bread @ (scores.T @ scores) @ bread, n - k
    codes, labels = pd.factorize(clusters)
    g = len(labels)
    scores = np.zeros((g, k))
    np.add.at(scores, codes, X * resid[:, None])
    factor = g / (g - 1) * (n - 1) / (n - k)
    return factor * bread @ (scores.T @ scores) @ bread, g - 1


def _name(exponents: tuple[int, ...], variables: Sequence[str]) -> str:
    parts = [v if e == 1 else f"{v}^{e}" for v, e in zip(variables, exponents, strict=True) if e]
    return ":".join(parts)


@dataclass(frozen=True, repr=False)
class JohnsonNeyman:
    """Where along the moderator the slope of x can be told from zero.

    Attributes
    ----------
    bounds : tuple of floats
        Values of the moderator, in its raw units, at which the slope is exactly at the edge of significance:
        none, one or two, also when they lie outside the observed range.
    regions : DataFrame
        One row a region inside the observed range: ``lower upper slope n share`` with slope ``"positive"``,
        ``"negative"`` or ``"not told from zero"`` and the number and share of the sample inside.
    critical_t : float
        The critical value used; larger than the usual one when the false-discovery rate is held.
    """

    bounds: tuple[float, ...]
    regions: pd.DataFrame
    alpha: float
    critical_t: float
    fdr: bool
    moderator: str
    observed: tuple[float, float]
    _result: object = field(compare=False)
    _second: float | None = None

    @property
    def inside(self) -> tuple[float, ...]:
        """The bounds that lie inside the observed range of the moderator."""
        return tuple(b for b in self.bounds if self.observed[0] <= b <= self.observed[1])

    def __repr__(self) -> str:
        low, high = self.observed
        what = "false-discovery rate" if self.fdr else "alpha"
        head = f"Johnson-Neyman, moderator {self.moderator!r} observed {low:g} to {high:g}, {what} {self.alpha:g}"
        if not self.bounds:
            tail = "no bound: the verdict is the same everywhere"
        else:
            tail = "; ".join(f"{b:.4g}" + ("" if low <= b <= high else " (outside the data)") for b in self.bounds)
            tail = f"bounds {tail}"
        return f"{head}\n{tail}\n{self.regions.to_string(index=False, float_format=lambda v: f'{v:.3f}')}"

    def _repr_html_(self) -> str:
        head, tail = repr(self).split("\n")[:2]
        return f"<p>{head}; {tail}</p>" + self.regions.to_html(index=False, float_format=lambda v: f"{v:.3f}")

    def plot(self, ax=None):
        """Slope of x along the moderator with its band and the bounds; returns the axes."""
        from .. import plots

        return plots.johnson_neyman(self._result, ax=ax, alpha=self.alpha, fdr=self.fdr, second=self._second)


class Moderation:
    """Result of :func:`moderate`.

    Attributes
    ----------
    coefficients : DataFrame
        Index ``term``; columns ``est se t pvalue ci_lower ci_upper``. The product's row is ``"<x>:<moderator>"``.
    steps : DataFrame
        Hierarchical regression, one row a step: ``added r2 adj_r2 delta_r2 f_change df1 df2 pvalue f2``.
    n_used, n_dropped : int
        Rows in the model, and rows left out because a value was missing.
    centers : dict
        What was subtracted from x and from the moderators before the products were formed (0 when not centred).
    r2, adj_r2, df_resid : float
    """

    def __init__(self, frame, y, variables, covariates, exponents, center, cov_type, clusters, n_total, level):
        self.y, self.x, self.moderator = y, variables[0], variables[1]
        self.second_moderator = variables[2] if len(variables) > 2 else None
        self.covariates = list(covariates.columns)
        self.center, self.cov_type, self.level = center, cov_type, level
        self.data = frame
        self.n_used, self.n_dropped = len(frame), n_total - len(frame)
        self._variables, self._exponents, self._covariates, self._clusters = (
            variables,
            exponents,
            covariates,
            clusters,
        )
        self.centers = {v: float(frame[v].mean()) if center else 0.0 for v in variables}

        self._names = ["Intercept", *self.covariates, *(_name(e, variables) for e in exponents)]
        columns = [np.ones(self.n_used), *covariates.to_numpy().T]
        columns += [self._term(e, {v: frame[v].to_numpy() for v in variables}) for e in exponents]
        self._X, self._y = np.column_stack(columns), frame[y].to_numpy()
        k = self._X.shape[1]
        if self.n_used <= k + 1:
            raise DataError(
                f"{self.n_used} complete rows are too few for a model with {k} coefficients; "
                f"use at least {k + 2}, or fewer covariates"
            )
        self._beta, bread, resid, leverage = _least_squares(self._X, self._y, self._names)
        self._cov, self.df_test = _sandwich(self._X, bread, resid, leverage, cov_type, clusters)
        self._resid = resid
        self.df_resid = self.n_used - k
        total = np.sum((self._y - self._y.mean()) ** 2)
        self.r2 = float(1 - resid @ resid / total)
        self.adj_r2 = float(1 - (1 - self.r2) * (self.n_used - 1) / self.df_resid)
        if self.r2 > 1 - 1e-12:
            raise DataError(
                f"{y!r} is an exact combination of the terms of the model (R2 = 1); nothing is left to test"
            )
        self.coefficients = pd.DataFrame(
            _inference(self._beta, np.sqrt(np.diag(self._cov)), self.df_test, level),
            index=pd.Index(self._names, name="term"),
        )
        self.steps = self._hierarchy()

    # --- the one engine ---------------------------------------------------------------------------------------
    def _term(self, exponents, values, derivative=False):
        """Value of one product term at raw ``values``, or its derivative with respect to x."""
        out = np.ones_like(np.asarray(values[self.x], dtype=float))
        for variable, power in zip(self._variables, exponents, strict=True):
            deviation = np.asarray(values[variable], dtype=float) - self.centers[variable]
            if derivative and variable == self.x:
                out = out * (power * deviation ** (power - 1) if power else 0.0)
            elif power:
                out = out * deviation**power
        return out

    def _values(self, x, moderator, second):
        values = {self.x: x, self.moderator: moderator}
        if self.second_moderator:
            values[self.second_moderator] = self._mean(self.second_moderator) if second is None else second
        arrays = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in values.values()))
        return dict(zip(values, arrays, strict=True))

    def _mean(self, variable: str) -> float:
        return float(self.data[variable].mean())

    def _slope_weights(self, moderator, second=None, x=None) -> np.ndarray:
        """Weights on the coefficients whose sum is dy/dx; shape (number of points, number of coefficients)."""
        values = self._values(self._mean(self.x) if x is None else x, np.atleast_1d(moderator), second)
        n_fixed = 1 + len(self.covariates)
        weights = [np.zeros_like(values[self.x])] * n_fixed
        weights = weights + [self._term(e, values, derivative=True) for e in self._exponents]
        return np.column_stack(weights)

    def _level_weights(self, x, moderator, second=None) -> np.ndarray:
        """Weights on the coefficients whose sum is the expected y, covariates at their means."""
        values = self._values(np.atleast_1d(x), moderator, second)
        ones = np.ones_like(values[self.x])
        weights = [ones, *(ones * m for m in self._covariates.mean())]
        return np.column_stack(weights + [self._term(e, values) for e in self._exponents])

    def _combine(self, weights: np.ndarray) -> pd.DataFrame:
        variance = np.einsum("ij,jk,ik->i", weights, self._cov, weights)
        return pd.DataFrame(
            _inference(weights @ self._beta, np.sqrt(np.maximum(variance, 0)), self.df_test, self.level)
        )

    def slope(self, moderator, second=None, x=None) -> pd.DataFrame:
        """Slope of x at given raw values of the moderator.

        Parameters
        ----------
        moderator : float or array, raw units
        second : float, optional
            Raw value of the second moderator (its mean when left out).
        x : float, optional
            Where on x, which matters only with ``quadratic=True`` (the mean of x when left out).

        Returns
        -------
        DataFrame with columns ``est se t pvalue ci_lower ci_upper``, one row a value.
        """
        return self._combine(self._slope_weights(moderator, second, x))

    def predict(self, x, moderator, second=None) -> pd.DataFrame:
        """Expected y at raw values of x and the moderator, covariates at their means.

        Returns
        -------
        DataFrame with columns ``est se t pvalue ci_lower ci_upper``; the interval is for the mean, not for a person.
        """
        return self._combine(self._level_weights(x, moderator, second))

    # --- tables -------------------------------------------------------------------------------------------------
    def _hierarchy(self) -> pd.DataFrame:
        order = [
            sum(e) if max(e) == 1 else 1.5 for e in self._exponents
        ]  # squares come between main effects and products
        n_cov = len(self.covariates)
        blocks = [("covariates", list(range(1, 1 + n_cov)))] if n_cov else []
        for size, label in ((1, "main effects"), (1.5, "squares"), (2, "product"), (3, "three-way product")):
            members = [1 + n_cov + i for i, o in enumerate(order) if o == size]
            if members:
                blocks.append((label if len(members) == 1 or size < 2 else "two-way products", members))
        total = np.sum((self._y - self._y.mean()) ** 2)
        used, before, rows = [0], 0.0, []
        for step, (label, members) in enumerate(blocks, start=1):
            used = used + members
            X = self._X[:, used]
            beta, bread, resid, leverage = _least_squares(X, self._y, [self._names[i] for i in used])
            cov, df2 = _sandwich(X, bread, resid, leverage, self.cov_type, self._clusters)
            r2 = 1 - resid @ resid / total
            df1 = len(members)
            new = slice(len(used) - df1, len(used))
            # For the classical covariance this Wald F is the F of the R2 change; for the others it stays valid.
            if self.cov_type == "cluster" and df1 > df2:
                f_change = np.nan
            else:
                f_change = beta[new] @ np.linalg.solve(cov[new, new], beta[new]) / df1
            rows.append(
                {
                    "step": step,
                    "added": f"{label}: {', '.join(self._names[i] for i in members)}",
                    "r2": r2,
                    "adj_r2": 1 - (1 - r2) * (self.n_used - 1) / (self.n_used - len(used)),
                    "delta_r2": r2 - before,
                    "f_change": f_change,
                    "df1": df1,
                    "df2": df2,
                    "pvalue": fdtrc(df1, df2, f_change),
                    "f2": (r2 - before) / (1 - r2),
                }
            )
            before = r2
        return pd.DataFrame(rows).set_index("step")

    @property
    def product(self) -> str:
        """Name of the highest product's row in ``coefficients``."""
        return ":".join(self._variables)

    @property
    def standardized(self) -> pd.Series:
        """Coefficients in standard deviations of y per standard deviation of each *variable*.

        A product is rescaled by the product of its variables' standard deviations, not by the standard deviation
        of the product column (Friedrich 1982; Aiken & West 1991, ch. 3): it is the coefficient of the model run on
        z-scores. Only meaningful, and only returned, for ``center=True``.
        """
        if not self.center:
            raise DataError(
                "standardized coefficients need center=True: without centring the main effects of a "
                "product model are slopes at zero of the other variable"
            )
        sd = self.data.std()
        scale = [np.nan, *self._covariates.std()]
        scale += [np.prod([sd[v] ** p for v, p in zip(self._variables, e, strict=True)]) for e in self._exponents]
        return pd.Series(self._beta * np.array(scale) / sd[self.y], index=self.coefficients.index, name="std_all")

    def _points(self, variable: str, at, kind: str) -> list[tuple[str, float]]:
        """Labels and raw values at which slopes of x are wanted."""
        column = self.data[variable]
        values = np.unique(column)
        if at is None and len(values) == 2:
            return [(f"{v:g}", float(v)) for v in values]
        at = np.atleast_1d((-1, 0, 1) if at is None else at).astype(float)
        if kind == "sd":
            labels = ["mean" if a == 0 else f"{a:+g} SD" for a in at]
            return [(s, float(column.mean() + a * column.std())) for s, a in zip(labels, at, strict=True)]
        if kind == "value":
            return [(f"{a:g}", float(a)) for a in at]
        if kind == "percentile":
            if np.any((at < 0) | (at > 100)):
                raise DataError(
                    f"percentiles lie between 0 and 100, and at={tuple(at)} does not; did you mean kind='value'?"
                )
            return [(f"P{a:g}", float(np.percentile(column, a))) for a in at]
        raise DataError(f"kind must be 'sd', 'value' or 'percentile', and is {kind!r}")

    def simple_slopes(self, at=None, *, kind: str = "sd", second=None) -> pd.DataFrame:
        """Slope of x at chosen values of the moderator.

        Parameters
        ----------
        at : sequence of numbers
            Where: standard deviations from the mean (``kind="sd"``, -1, 0, 1 when left out), raw values
            (``kind="value"``) or percentiles (``kind="percentile"``). A moderator with two values is taken at these
            two when ``at`` is left out.
        kind : "sd", "value" or "percentile"
        second : sequence of numbers, optional
            The same for the second moderator of a three-way model.

        Returns
        -------
        DataFrame
            Columns: the moderator(s) in raw units, ``at`` (label), ``est se t pvalue ci_lower ci_upper``, and
            ``in_range``: False where the value lies outside what was observed, so the slope is extrapolated.

        Notes
        -----
        slope(m) = b_x + b_xm (m - c), variance by the covariance matrix of the coefficients
        (Aiken & West 1991, ch. 2). Equals ``interactions::sim_slopes``.
        """
        points = self._points(self.moderator, at, kind)
        seconds = self._points(self.second_moderator, second, kind) if self.second_moderator else [("", None)]
        if self.second_moderator is None and second is not None:
            raise DataError("second= is for a model with second_moderator; this one has none")
        tables = []
        for label2, value2 in seconds:
            values = np.array([v for _, v in points])
            table = self.slope(values, value2)
            inside = (values >= self.data[self.moderator].min()) & (values <= self.data[self.moderator].max())
            table.insert(0, self.moderator, values)
            labels = [label for label, _ in points]
            if value2 is not None:
                table.insert(1, self.second_moderator, value2)
                labels = [f"{label}, {label2}" for label in labels]
                col = self.data[self.second_moderator]
                inside &= col.min() <= value2 <= col.max()
            table.insert(0, "at", labels)
            table["in_range"] = inside
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def slope_differences(self, at=None, *, kind: str = "sd", second=None) -> pd.DataFrame:
        """Test every pair of simple slopes against each other.

        With one moderator this repeats the test of the product. With two it is the probe that a three-way product
        calls for (Dawson & Richter 2006): which combinations differ? Corners (-1 and +1) when ``at`` is left out.

        Returns
        -------
        DataFrame with ``first second est se t pvalue ci_lower ci_upper``; est is first minus second. The p values
        are not corrected for the number of pairs.
        """
        at = (-1, 1) if at is None and self.data[self.moderator].nunique() > 2 else at
        if self.second_moderator and second is None and self.data[self.second_moderator].nunique() > 2:
            second = (-1, 1)
        table = self.simple_slopes(at, kind=kind, second=second)
        w = np.vstack(
            [
                self._slope_weights(row[self.moderator], row[self.second_moderator] if self.second_moderator else None)
                for _, row in table.iterrows()
            ]
        )
        pairs = list(itertools.combinations(range(len(table)), 2))
        out = self._combine(np.array([w[i] - w[j] for i, j in pairs]))
        out.insert(0, "first", [table["at"][i] for i, _ in pairs])
        out.insert(1, "second", [table["at"][j] for _, j in pairs])
        return out

    def johnson_neyman(self, alpha: float | None = None, *, fdr: bool = False, second=None) -> JohnsonNeyman:
        """Values of the moderator between which the slope of x can, and cannot, be told from zero.

        Parameters
        ----------
        alpha : float, default 1 - level
        fdr : bool
            Hold the false-discovery rate over all observed values of the moderator instead of testing each alone
            (Esarey & Sumner 2018): the critical value comes from the Benjamini-Hochberg step-up rule over the
            slopes at the distinct observed values.
        second : float, optional
            Raw value of the second moderator in a three-way model (its mean when left out).

        Returns
        -------
        JohnsonNeyman with ``.bounds`` (raw units), ``.regions``, ``.plot()``.

        Notes
        -----
        Solves (A + B d)^2 = t^2 (V_AA + 2 d V_AB + d^2 V_BB) for d = m - c (Johnson & Neyman 1936; Bauer & Curran
        2005). Equals ``interactions::johnson_neyman``.
        """
        alpha = 1 - self.level if alpha is None else alpha
        if not 0 < alpha < 1:
            raise DataError(f"alpha is a probability such as 0.05, and is {alpha!r}")
        if self.second_moderator is None and second is not None:
            raise DataError("second= is for a model with second_moderator; this one has none")
        column = self.data[self.moderator].to_numpy()
        center = self._mean(self.moderator)
        critical = stdtrit(self.df_test, 1 - alpha / 2)
        if fdr:
            p = np.sort(self.slope(np.unique(column), second)["pvalue"].to_numpy())
            passed = np.flatnonzero(p <= alpha * np.arange(1, len(p) + 1) / len(p))
            share = (passed[-1] + 1 if len(passed) else 1) / len(p)
            critical = stdtrit(self.df_test, 1 - share * alpha / 2)
        at_zero, at_one = self._slope_weights(np.array([center, center + 1.0]), second)
        change = at_one - at_zero
        a, b = at_zero @ self._beta, change @ self._beta
        vaa, vab, vbb = (
            at_zero @ self._cov @ at_zero,
            at_zero @ self._cov @ change,
            change @ self._cov @ change,
        )
        qa, qb, qc = b**2 - critical**2 * vbb, 2 * (a * b - critical**2 * vab), a**2 - critical**2 * vaa
        disc = qb**2 - 4 * qa * qc
        roots: list[float] = []
        if qa == 0:
            roots = [-qc / qb] if qb else []
        elif disc >= 0:
            big = -0.5 * (qb + np.copysign(np.sqrt(disc), qb))  # avoids subtracting nearly equal numbers
            roots = sorted({big / qa, qc / big if big else 0.0})
        bounds = tuple(float(center + r) for r in roots)

        low, high = float(column.min()), float(column.max())
        edges = [low, *(v for v in bounds if low < v < high), high]
        rows = []
        for i, (left, right) in enumerate(itertools.pairwise(edges)):
            middle = self.slope((left + right) / 2, second).iloc[0]
            sign = "positive" if middle["est"] > 0 else "negative"
            inside = (column >= left) & ((column < right) | (i == len(edges) - 2))
            rows.append(
                {
                    "lower": left,
                    "upper": right,
                    "slope": sign if abs(middle["t"]) > critical else "not told from zero",
                    "n": int(inside.sum()),
                    "share": float(inside.mean()),
                }
            )
        return JohnsonNeyman(
            bounds, pd.DataFrame(rows), alpha, float(critical), fdr, self.moderator, (low, high), self, second
        )

    def bootstrap(self, n_boot: int = 2000, seed: int | None = None, *, at=None, kind: str = "sd") -> pd.DataFrame:
        """Percentile bootstrap intervals of coefficients and simple slopes.

        Rows are drawn with replacement; whole clusters when ``cov_type="cluster"``. Centres and the values of the
        moderator stay those of the sample, so each draw estimates the same quantity.

        Parameters
        ----------
        n_boot : int, at least 20
        seed : int, default 20260101. Same seed, same numbers.
        at, kind : as in :meth:`simple_slopes`

        Returns
        -------
        DataFrame, index the coefficients and ``"slope at ..."``; columns ``est se ci_lower ci_upper n_boot``.
        """
        if n_boot < 20:
            raise DataError(f"n_boot is {n_boot}; percentile intervals need at least 20 draws, better 2000")
        rng = np.random.default_rng(DEFAULT_SEED if seed is None else seed)
        slopes = self.simple_slopes(at, kind=kind)
        w = np.vstack(
            [
                self._slope_weights(row[self.moderator], row[self.second_moderator] if self.second_moderator else None)
                for _, row in slopes.iterrows()
            ]
        )
        n, k = self._X.shape
        codes = pd.factorize(self._clusters)[0] if self.cov_type == "cluster" else np.arange(n)
        size = codes.max() + 1
        size_of = np.linalg.norm(self._X, axis=0) / np.sqrt(n)  # columns of unlike size would look singular
        X = self._X / size_of
        outer = (X[:, :, None] * X[:, None, :]).reshape(n, k * k)
        draws = np.full((n_boot, k), np.nan)
        for start in range(0, n_boot, 500):
            m = min(500, n_boot - start)
            counts = rng.multinomial(size, np.full(size, 1 / size), size=m).astype(float)[:, codes]
            xx = (counts @ outer).reshape(m, k, k)
            xy = (counts * self._y) @ X
            good = np.linalg.cond(xx) < 1e14
            draws[start : start + m][good] = np.linalg.solve(xx[good], xy[good][..., None])[..., 0] / size_of
        kept = draws[~np.isnan(draws[:, 0])]
        if len(kept) < 0.9 * n_boot:
            raise DataError(
                f"{n_boot - len(kept)} of {n_boot} bootstrap samples could not be estimated (a term had no variance "
                "in them). The data are too thin for this model: use fewer terms."
            )
        everything = np.column_stack([kept, kept @ w.T])
        tail = (1 - self.level) / 2
        low, high = np.quantile(everything, [tail, 1 - tail], axis=0)
        index = [*self._names, *(f"slope at {s}" for s in slopes["at"])]
        return pd.DataFrame(
            {
                "est": np.concatenate([self._beta, w @ self._beta]),
                "se": everything.std(axis=0, ddof=1),
                "ci_lower": low,
                "ci_upper": high,
                "n_boot": len(kept),
            },
            index=pd.Index(index, name="term"),
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
        n_var = len(self._variables)
        mains = [e for e in self._exponents if sum(e) == 1]
        products = [e for e in self._exponents if max(e) == 1 and sum(e) > 1]
        squares = [
            tuple(2 * (i == j) for j in range(n_var))
            for i, v in enumerate(self._variables)
            if self.data[v].nunique() > 2
        ]
        if not squares or self.data[self.x].nunique() < 3:
            raise DataError(f"{self.x!r} has two values; a curve needs at least three")
        kinds = {"main effects": [], "product": products, "squares": squares, "both": squares + products}
        rows = {}
        for label, extra in kinds.items():
            model = self._refit(mains + extra)
            c, n = model.coefficients, model.n_used
            xx = f"{self.x}^2"
            rss = model._resid @ model._resid
            rows[label] = {
                "r2": model.r2,
                "adj_r2": model.adj_r2,
                "aic": n * (np.log(2 * np.pi * rss / n) + 1) + 2 * (len(c) + 1),
                "product": c["est"].get(self.product, np.nan),
                "product_se": c["se"].get(self.product, np.nan),
                "product_pvalue": c["pvalue"].get(self.product, np.nan),
                "x_squared": c["est"].get(xx, np.nan),
                "x_squared_pvalue": c["pvalue"].get(xx, np.nan),
            }
        return pd.DataFrame(rows).T.rename_axis("model")

    def _refit(self, exponents) -> Moderation:
        return Moderation(
            self.data,
            self.y,
            self._variables,
            self._covariates,
            exponents,
            self.center,
            self.cov_type,
            self._clusters,
            self.n_used + self.n_dropped,
            self.level,
        )

    def attenuation(self, reliability_x: float, reliability_m: float) -> pd.Series:
        """What unreliable measures take away from the product.

        Parameters
        ----------
        reliability_x, reliability_m : float in (0, 1]
            Reliabilities of x and of the moderator (alpha or omega).

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
        if self.second_moderator:
            raise DataError("attenuation is defined for one moderator; this model has two")
        for name, value in (("reliability_x", reliability_x), ("reliability_m", reliability_m)):
            if not 0 < value <= 1:
                raise DataError(f"{name} must lie in (0, 1], and is {value!r}")
        r = float(self.data[self.x].corr(self.data[self.moderator]))
        if r**2 > reliability_x * reliability_m:
            raise DataError(
                f"the observed correlation of {self.x!r} and {self.moderator!r} is {r:.2f}; with reliabilities "
                f"{reliability_x:g} and {reliability_m:g} it can be at most {np.sqrt(reliability_x * reliability_m):.2f}"
            )
        rel = (r**2 + reliability_x * reliability_m) / (r**2 + 1)
        est = float(self.coefficients["est"][self.product])
        return pd.Series(
            {
                "reliability_x": reliability_x,
                "reliability_m": reliability_m,
                "r_xm": r,
                "reliability_product": rel,
                "est": est,
                "est_corrected": est / rel,
                "n_factor": 1 / rel,
            },
            name=self.product,
        )

    # --- figures and printing -----------------------------------------------------------------------------------
    def plot(self, ax=None, **kwargs):
        """Lines of y on x at values of the moderator, with bands and the data under them; returns the axes."""
        from .. import plots

        return plots.slopes(self, ax=ax, **kwargs)

    def plot_johnson_neyman(self, ax=None, **kwargs):
        """Slope of x along the moderator with band and bounds; returns the axes."""
        from .. import plots

        return plots.johnson_neyman(self, ax=ax, **kwargs)

    def _head(self) -> str:
        parts = " x ".join(repr(v) for v in self._variables)
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

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.coefficients.to_string(float_format=lambda v: f'{v:.4f}')}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>" + self.coefficients.to_html(float_format=lambda v: f"{v:.4f}")


def moderate(
    data: pd.DataFrame,
    *,
    y: str,
    x: str,
    moderator: str,
    covariates: Sequence[str] = (),
    center: bool = True,
    cov_type: str = "nonrobust",
    groups: str | Sequence | None = None,
    second_moderator: str | None = None,
    quadratic: bool = False,
    level: float = 0.95,
) -> Moderation:
    """Regress y on x, a moderator and their product.

    Parameters
    ----------
    data : DataFrame, one row a person
    y, x, moderator : str
        Column names. For a scale, make its score first: ``data["sat"] = data[["sat1", "sat2"]].mean(axis=1)``.
    covariates : sequence of str
        Further columns; text and categorical ones become 0/1 columns against their first level, ``name[level]``.
    center : bool
        Subtract the mean of the rows used from x and the moderator(s) before forming products (not from y, not from
        covariates). It changes what the main effects mean, never the product's test.
    cov_type : "nonrobust", "HC3" or "cluster"
        Classical; MacKinnon & White's HC3 for unequal variances; or clustered (needs ``groups``), with the factor
        G/(G-1) (n-1)/(n-k) and t tests on G-1 degrees of freedom.
    groups : column name or array of length n, for ``cov_type="cluster"``
    second_moderator : str, optional
        Adds it, all two-way products and the three-way product.
    quadratic : bool
        Adds the squares of x and of the moderator(s); simple slopes are then those at the mean of x.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    Moderation
        ``.coefficients .steps .simple_slopes() .johnson_neyman() .bootstrap() .quadratic_check() .attenuation()
        .plot() .plot_johnson_neyman()``

    Raises
    ------
    ValueError
        A name is not a column, a column is constant or not numeric, a term repeats others, or too few rows.

    Notes
    -----
    Rows with a gap in any column used are left out, and counted in ``n_dropped``. Checked against R 4.2 ``lm``,
    ``vcov`` and the sandwich formulas written out (tests/reference/moderation.R).

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
    data = checks.frame(data).reset_index(drop=True)  # rows are counted by position from here on
    roles = {"y": y, "x": x, "moderator": moderator}
    if second_moderator is not None:
        roles["second_moderator"] = second_moderator
    for role, name in roles.items():
        if not isinstance(name, str):
            example = list(name)[:2] if isinstance(name, (list, tuple)) else ["sat1", "sat2"]
            raise DataError(
                f"{role} must be one column name, and is {name!r}. For a scale, make its score first: "
                f"data['score'] = data[{example!r}].mean(axis=1)"
            )
        checks.columns(data, name, what=role)
    covariates = [covariates] if isinstance(covariates, str) else list(covariates)
    checks.columns(data, covariates, what="covariate")
    everything = [*roles.values(), *covariates]
    twice = sorted({v for v in everything if everything.count(v) > 1})
    if twice:
        raise DataError(f"{', '.join(map(repr, twice))} has two roles in the model; each column may have one")
    if cov_type not in COV_TYPES:
        raise DataError(f"cov_type must be one of {', '.join(map(repr, COV_TYPES))}, and is {cov_type!r}")
    if (cov_type == "cluster") != (groups is not None):
        raise DataError("cov_type='cluster' and groups= belong together: give both or neither")
    if not 0 < level < 1:
        raise DataError(f"level is a probability such as 0.95, and is {level!r}")

    numeric = checks.numeric(data, list(roles.values()))
    parts = [numeric]
    for name in covariates:
        column = data[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            parts.append(checks.numeric(data, [name]))
        else:
            if isinstance(column.dtype, pd.CategoricalDtype):
                column = column.cat.remove_unused_categories()
            dummies = pd.get_dummies(column, dtype=float).iloc[:, 1:]
            if dummies.shape[1] == 0:
                raise DataError(f"covariate {name!r} has one level only; leave it out")
            dummies.columns = [f"{name}[{level_}]" for level_ in dummies.columns]
            dummies.loc[column.isna()] = np.nan
            parts.append(dummies)
    frame = pd.concat(parts, axis=1)
    if groups is not None:
        if isinstance(groups, str):
            checks.columns(data, groups, what="groups")
            groups = data[groups]
        groups = pd.Series(np.asarray(groups), index=data.index)
        frame = frame[groups.notna()]
    kept, _ = checks.complete_rows(frame)
    checks.numeric(kept)  # a column may have become constant among complete rows
    clusters = None
    if groups is not None:
        clusters = groups.loc[kept.index].to_numpy()
        if len(pd.unique(clusters)) < 2:
            raise DataError("groups has one group only; clustered standard errors need at least two, better thirty")

    variables = [v for role, v in roles.items() if role != "y"]
    n_var = len(variables)
    exponents = [tuple(int(i == j) for j in range(n_var)) for i in range(n_var)]
    if quadratic:
        for i, v in enumerate(variables):
            if kept[v].nunique() > 2:  # a two-valued variable has no square of its own
                exponents.append(tuple(2 * int(i == j) for j in range(n_var)))
    for size in range(2, n_var + 1):
        for members in itertools.combinations(range(n_var), size):
            exponents.append(tuple(int(j in members) for j in range(n_var)))
    cov_frame = kept.drop(columns=list(roles.values()))
    return Moderation(
        kept[list(roles.values())],
        y,
        variables,
        cov_frame,
        exponents,
        center,
        cov_type,
        clusters,
        len(data),
        level,
    )
