"""Common-method checks: one factor, a method factor, a marker variable."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import chdtrc, stdtr

from semfit.fitting import fit as _fit
from semfit.result import Fit

from ..core import checks
from ..core.arguments import Between
from ..core.errors import DataError
from ..core.results import Result
from .correlations import Items, complete_items, correlations
from .extraction import extract
from .verdicts import RULES


@dataclass(frozen=True, eq=False, repr=False)
class MethodCheck(Result):
    """A common-method check.

    Attributes
    ----------
    name : str
    table : DataFrame
    says : tuple of str
        What the figures say, by the rules of :mod:`switchcost.measurement.verdicts`.
    can_show, cannot_show : str
        What such a check can and cannot show.
    n_obs, n_dropped : int
        Rows used, and rows left out because of a gap.
    warnings : tuple of str
    """

    name: str
    table: pd.DataFrame
    says: tuple[str, ...]
    can_show: str
    cannot_show: str
    n_obs: int
    n_dropped: int
    warnings: tuple[str, ...] = ()

    def _heading(self) -> str:
        head = f"{self.name} (n = {self.n_obs}, {self.n_dropped} rows with gaps left out)"
        return "\n".join([head, *self.says, f"Can show: {self.can_show}", f"Cannot show: {self.cannot_show}"])

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table)]


def _input(
    data: pd.DataFrame, scales: Mapping[str, Sequence[str]], at_least: int, alone: str, fewest: int | None = None
) -> tuple[dict[str, list[str]], Items, pd.DataFrame]:
    """Scales, their items complete in all of them, and the same as a DataFrame; ``alone`` is said of a single scale."""
    data = checks.frame(data)
    checked = checks.scales(data, scales, at_least=at_least)
    if len(checked) < 2:
        raise DataError(f"{alone}; give at least two scales")
    items = complete_items(data, list(dict.fromkeys(i for group in checked.values() for i in group)), fewest)
    return checked, items, pd.DataFrame(items.raw, columns=items.names)


def _measurement(scales: Mapping[str, Sequence[str]], first: str = "") -> str:
    return "\n".join(f"{f} =~ {first}{' + '.join(items)}" for f, items in scales.items())


def single_factor_test(data: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> MethodCheck:
    """Harman's single-factor check: how far does one factor behind all items get?

    Parameters
    ----------
    data : DataFrame of shape (n, p)
        Answers.
    scales : dict of str to list of str
        Scale name to its items, at least two scales of two items.

    Returns
    -------
    MethodCheck
        ``.table`` with rows ``one factor`` and ``the scales``: first_component and first_factor (share of the variance
        of all items; one-factor row only), chisq, df, cfi, rmsea, srmr of the confirmatory models.

    Raises
    ------
    DataError
        A name is not a column, an item is constant or text, a scale has one item, or there is one scale only.

    Notes
    -----
    first_component is the largest eigenvalue of the correlations over the number of items, first_factor the mean
    squared loading of a one-factor ML solution. The habit of asking for "less than 50 %" (Podsakoff & Organ 1986) has
    no theory behind it.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(3, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"])
    >>> scales = {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}
    >>> single_factor_test(x, scales).table["cfi"].round(1).tolist()
    [0.5, 1.0]
    """
    scales, items, x = _input(data, scales, 2, "with one scale, one factor is what should be there")
    checks.positive_definite(items.cov, items.names)
    first = float(np.linalg.eigvalsh(items.r)[-1] / len(items.names))
    models = {"one factor": _measurement({"all_items": list(x.columns)}), "the scales": _measurement(scales)}
    found = {name: _fit(text, x, std_lv=True).measures for name, text in models.items()}
    table = pd.DataFrame(found).T[["chisq", "df", "cfi", "rmsea", "srmr"]]
    table.insert(0, "first_factor", [float((extract(items.r, 1)[0] ** 2).mean()), np.nan])
    table.insert(0, "first_component", [first, np.nan])
    return MethodCheck(
        "Single-factor check", table, (RULES["harman"].say(first),),
        "that one source explains the answers: only if the one-factor model fits about as well as the scales do.",
        "that method variance is absent. A method that adds a moderate amount to every item leaves the scales apart and "
        "the first share below any threshold, and real correlations between constructs raise the share without any "
        "method at work.",
        len(x), items.n_dropped,
    )  # fmt: skip


def _scale_loadings(fit: Fit) -> pd.Series:
    e = fit.estimates
    return e[(e["op"] == "=~") & (e["lhs"] != "method_")].set_index("rhs")["std_all"]


def _scale_correlations(fit: Fit, scales: Sequence[str]) -> np.ndarray:
    latent = fit.solution.implied_of()["cov_lv"]
    return correlations(latent.loc[scales, scales].to_numpy()[None])[0]


def method_factor(data: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> MethodCheck:
    """Unmeasured method factor: one more factor with equal loadings on all items, unrelated to the scales.

    Parameters
    ----------
    data : DataFrame of shape (n, p)
        Answers.
    scales : dict of str to list of str
        Scale name to its items, at least two scales; three items a scale are advisable.

    Returns
    -------
    MethodCheck
        ``.table`` with rows ``the scales`` and ``with method factor``: chisq, df, cfi, rmsea, delta_chisq, delta_df,
        pvalue, method_share (mean share of item variance that the method factor explains), mean_loading and
        largest_change (of a standardised scale loading), mean_correlation (of the scales).

    Raises
    ------
    DataError
        As :func:`single_factor_test`, or the name ``method_`` is taken.

    Warns
    -----
    UserWarning
        The solution is improper, as happens often with few items a scale; its shares and loadings are then NaN.

    Notes
    -----
    Equal unstandardised loadings with method variance free: one parameter more than the scales alone (Podsakoff et al.
    2003; with equal loadings after Lindell & Whitney's idea of a constant shift). Items should share an answer scale.
    The p-value is halved where the variance is positive: zero is the edge of what is possible. Where the estimated
    variance is negative the share is reported as 0.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(500, 2)).repeat(3, axis=1) + 0.6 * rng.normal(size=(500, 1))
    >>> x = pd.DataFrame(f + rng.normal(size=(500, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"])
    >>> scales = {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}
    >>> method_factor(x, scales).table.loc["with method factor", ["df", "delta_df"]].tolist()
    [7.0, 1.0]
    """
    scales, items, x = _input(data, scales, 2, "with one scale, its factor and a method factor cannot be told apart")
    if "method_" in x.columns or "method_" in scales:
        raise DataError("the name 'method_' is taken by the method factor; rename the scale or column")
    traits = list(scales)
    a = _fit(_measurement(scales), x, std_lv=True)
    lines = [_measurement(scales, "NA*"), f"method_ =~ {' + '.join(f'1*{i}' for i in x.columns)}", "method_ ~~ method_"]
    lines += [line for t in traits for line in (f"method_ ~~ 0*{t}", f"{t} ~~ 1*{t}")]
    b = _fit("\n".join(lines), x)
    e = b.estimates
    variances = e[(e["op"] == "~~") & (e["lhs"] == e["rhs"])].set_index("lhs")["est"]
    absent = bool(b.converged and variances["method_"] <= 0)  # the best admissible value is zero: the scales alone
    between = _scale_correlations(b, traits)
    proper = bool(b.converged and (variances >= 0).all() and np.linalg.eigvalsh(between)[0] > 1e-8)
    notes: tuple[str, ...] = ()
    if not (proper or absent):
        notes = (
            "the model with the method factor has no proper solution (negative variance or correlations beyond 1): its "
            "share, loadings and correlations are left empty. The data cannot tell method and scales apart.",
        )
        warnings.warn(notes[0], stacklevel=2)
    delta = float(a.measures["chisq"] - b.measures["chisq"])
    p = float(chdtrc(1, max(delta, 0.0)))
    p = p / 2 if variances["method_"] > 0 else 1 - p / 2
    columns, upper = ["chisq", "df", "cfi", "rmsea"], np.triu_indices(len(traits), 1)
    table = pd.DataFrame([a.measures[columns], b.measures[columns]], ["the scales", "with method factor"], dtype=float)
    table["delta_chisq"], table["delta_df"], table["pvalue"] = [np.nan, delta], [np.nan, 1.0], [np.nan, p]
    share = e[(e["op"] == "=~") & (e["lhs"] == "method_")]["std_all"] ** 2
    own, other = _scale_loadings(a), _scale_loadings(b)
    for name, plain, with_method in (
        ("method_share", 0.0, share.mean()),
        ("mean_loading", own.mean(), other.mean()),
        ("largest_change", 0.0, (other - own).abs().max()),
        ("mean_correlation", _scale_correlations(a, traits)[upper].mean(), between[upper].mean()),
    ):
        table[name] = [plain, plain if absent else with_method if proper else np.nan]
    return MethodCheck(
        "Unmeasured method factor", table, (RULES["method"].say(p),),
        "that the items share something beyond their scales, how large it would be, and whether loadings and "
        "correlations of the scales hold once it is taken out.",
        "that this something is method: a general attitude, or a true common cause of all scales, looks the same. And a "
        "method that touches scales unequally is not caught by equal loadings.",
        len(x), items.n_dropped, notes,
    )  # fmt: skip


def _correlation_p(r: float, df: int) -> float:
    """Two-sided p of a correlation on ``df`` degrees of freedom."""
    return float(2 * stdtr(df, -abs(r) * np.sqrt(df / max(1 - r**2, 1e-12))))


def marker_correction(
    data: pd.DataFrame, scales: Mapping[str, Sequence[str]], marker: str | float, *, rank: int = 1
) -> MethodCheck:
    """Lindell and Whitney's correction: take out the correlation that scales have with something unrelated to them.

    Parameters
    ----------
    data : DataFrame of shape (n, p)
        Answers.
    scales : dict of str to list of str
        Scale name to its items (one item is enough); scores are means of the items.
    marker : str or float
        Name of the scale in ``scales`` that theory says is unrelated to the rest, or a correlation from 0 to below 1.
    rank : int, default 1
        Which of the marker's correlations to use, 1 the smallest in size (the published proposal; 2 is more cautious).

    Returns
    -------
    MethodCheck
        ``.table`` with a row a pair: r, pvalue, marker_r, r_adjusted, pvalue_adjusted, still_significant.

    Raises
    ------
    DataError
        The marker is not among the scales or not a correlation, fewer than two other scales.

    Notes
    -----
    r_adjusted = (r - r_M) / (1 - r_M), t = r_adjusted / sqrt((1 - r_adjusted^2) / (n - 3)) (Lindell & Whitney 2001).
    The correction assumes the method adds the same amount to every correlation; for a negative r it makes the
    correlation larger in size.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(3, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"])
    >>> scales = {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}
    >>> marker_correction(x, scales, 0.1).table["marker_r"].tolist()
    [0.1]
    """
    scales, items, x = _input(data, scales, 1, "the correction is about correlations of scales", fewest=5)
    n = len(x)
    r = pd.DataFrame({s: x[group].mean(axis=1) for s, group in scales.items()}).corr()
    others = [s for s in scales if not isinstance(marker, str) or s != marker]
    if isinstance(marker, str):
        if marker not in scales:
            raise DataError(f"marker {marker!r} is not among the scales.{checks.suggest(marker, scales)}")
        ordered = r.loc[marker, others].abs().sort_values()
        Between(1, len(ordered), "both", whole=True, hint="a place among its correlations").check("rank", rank)
        marker_r = float(ordered.iloc[rank - 1])
    else:
        Between(0, 1, "left", hint="give the name of a scale, or a correlation").check("marker", marker)
        marker_r = float(marker)
    if len(others) < 2:
        raise DataError("the correction is about correlations of scales other than the marker; give at least two")
    table = pd.DataFrame(combinations(others, 2), columns=["scale_1", "scale_2"])
    table["r"] = [float(r.loc[a, b]) for a, b in combinations(others, 2)]
    table["pvalue"] = [_correlation_p(v, n - 2) for v in table["r"]]
    table["marker_r"] = marker_r
    table["r_adjusted"] = (table["r"] - marker_r) / (1 - marker_r)
    table["pvalue_adjusted"] = [_correlation_p(v, n - 3) for v in table["r_adjusted"]]  # the marker costs one more
    table["still_significant"] = [RULES["marker"](p) for p in table["pvalue_adjusted"]]
    says = [RULES["marker"].say(t.pvalue_adjusted, pair=f"{t.scale_1} and {t.scale_2}") for t in table.itertuples()]
    return MethodCheck(
        "Marker correction", table, tuple(says),
        "whether a correlation would survive if the method added to all pairs as much as it adds to the marker's.",
        "anything if the marker was chosen after seeing the correlations, or is related to the scales in truth; and it "
        "misses method effects that the marker does not share (another answer format, a neutral subject).",
        n, items.n_dropped,
    )  # fmt: skip
