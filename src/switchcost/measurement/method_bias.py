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

from .._core import checks
from .._core.errors import DataError
from .correlations import correlation_input
from .extraction import extract


# --- common method ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class MethodCheck:
    """A common-method check: ``.table``, and what it can and cannot show in ``.can_show`` and ``.cannot_show``."""

    name: str
    table: pd.DataFrame
    can_show: str
    cannot_show: str
    n_obs: int
    n_dropped: int

    def __repr__(self) -> str:
        return (
            f"{self.name} (n = {self.n_obs}, {self.n_dropped} rows with gaps left out)\n{self.table.round(3)}\n"
            f"Can show: {self.can_show}\nCannot show: {self.cannot_show}"
        )

    def _repr_html_(self) -> str:
        return (
            f"<p><b>{self.name}</b> (n = {self.n_obs}, {self.n_dropped} rows with gaps left out)</p>"
            f"{self.table.round(3).to_html()}<p><b>Can show:</b> {self.can_show}</p>"
            f"<p><b>Cannot show:</b> {self.cannot_show}</p>"
        )


def _complete_items(data: pd.DataFrame, scales: Mapping[str, Sequence[str]], at_least: int):
    data = checks.frame(data)
    scales = checks.scales(data, scales, at_least=at_least)
    items = list(dict.fromkeys(i for group in scales.values() for i in group))
    kept, dropped = checks.complete_rows(checks.numeric(data, items))
    return scales, checks.numeric(kept), dropped


def _measurement(scales: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"{f} =~ {' + '.join(items)}" for f, items in scales.items())


def single_factor_test(data: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> MethodCheck:
    """Harman's single-factor check: how far does one factor behind all items get?

    Parameters
    ----------
    data : DataFrame of shape (n, p) of answers
    scales : dict from scale name to its items, at least two scales of two items

    Returns
    -------
    MethodCheck
        ``.table`` with rows ``one factor`` and ``the scales``: first_component and first_factor (share of the variance
        of all items; one-factor row only), chisq, df, cfi, rmsea, srmr of the confirmatory models.

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
    scales, x, dropped = _complete_items(data, scales, 2)
    if len(scales) < 2:
        raise DataError("with one scale, one factor is what should be there; give at least two scales")
    r = correlation_input(x)[0]
    load = extract(r, 1)[0]
    one = _fit(f"all_items =~ {' + '.join(x.columns)}", x, std_lv=True).measures
    own = _fit(_measurement(scales), x, std_lv=True).measures
    columns = ["chisq", "df", "cfi", "rmsea", "srmr"]
    table = pd.DataFrame([one[columns], own[columns]], index=["one factor", "the scales"], dtype=float)
    table.insert(0, "first_factor", [float((load**2).mean()), np.nan])
    table.insert(0, "first_component", [float(np.linalg.eigvalsh(r)[-1] / len(r)), np.nan])
    return MethodCheck(
        "Single-factor check",
        table,
        "that one source explains the answers: only if the one-factor model fits about as well as the scales do.",
        "that method variance is absent. A method that adds a moderate amount to every item leaves the scales apart and "
        "the first share below any threshold, and real correlations between constructs raise the share without any "
        "method at work.",
        len(x),
        dropped,
    )


def method_factor(data: pd.DataFrame, scales: Mapping[str, Sequence[str]]) -> MethodCheck:
    """Unmeasured method factor: one more factor with equal loadings on all items, unrelated to the scales.

    Parameters
    ----------
    data : DataFrame of shape (n, p) of answers
    scales : dict from scale name to its items, at least two scales; three items a scale are advisable

    Returns
    -------
    MethodCheck
        ``.table`` with rows ``the scales`` and ``with method factor``: chisq, df, cfi, rmsea, delta_chisq, delta_df,
        pvalue, method_share (mean share of item variance that the method factor explains), mean_loading and
        largest_change (of a standardised scale loading), mean_correlation (of the scales).

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
    scales, x, dropped = _complete_items(data, scales, 2)
    if len(scales) < 2:
        raise DataError("with one scale, its factor and a method factor cannot be told apart; give at least two scales")
    if "method_" in x.columns or "method_" in scales:
        raise DataError("the name 'method_' is taken by the method factor; rename the scale or column")
    base = _measurement(scales)
    traits = list(scales)
    with_method = (
        base
        + "\nmethod_ =~ "
        + " + ".join(f"1*{i}" for i in x.columns)
        + "\nmethod_ ~~ method_"
        + "".join(f"\nmethod_ ~~ 0*{t}" for t in traits)
        + "".join(f"\n{t} ~~ 1*{t}" for t in traits)
    )
    with_method = with_method.replace("=~ ", "=~ NA*", len(traits))
    a = _fit(base, x, std_lv=True)
    b = _fit(with_method, x)

    def loadings(f):
        e = f.estimates
        return e[(e["op"] == "=~") & (e["lhs"] != "method_")].set_index("rhs")["std_all"]

    def correlations(f):
        c = f.implied()["cov_lv"].loc[traits, traits].to_numpy()
        sd = np.sqrt(np.diag(c))
        return c / np.outer(sd, sd)

    e = b.estimates
    variances = e[(e["op"] == "~~") & (e["lhs"] == e["rhs"])].set_index("lhs")["est"]
    absent = bool(b.converged and variances["method_"] <= 0)  # the best admissible value is zero: the scales alone
    proper = bool(b.converged and (variances >= 0).all() and np.linalg.eigvalsh(correlations(b))[0] > 1e-8)
    if not (proper or absent):
        warnings.warn(
            "the model with the method factor has no proper solution (negative variance or correlations beyond 1): its "
            "share, loadings and correlations are left empty. The data cannot tell method and scales apart.",
            stacklevel=2,
        )
    share = e[(e["op"] == "=~") & (e["lhs"] == "method_")]["std_all"] ** 2
    delta = float(a.measures["chisq"] - b.measures["chisq"])
    p = float(chdtrc(1, max(delta, 0.0)))
    columns = ["chisq", "df", "cfi", "rmsea"]
    table = pd.DataFrame(
        [a.measures[columns], b.measures[columns]], index=["the scales", "with method factor"], dtype=float
    )
    upper = np.triu_indices(len(traits), 1)
    change = (loadings(b) - loadings(a)).abs()
    more = {
        "delta_chisq": (np.nan, delta),
        "delta_df": (np.nan, 1.0),
        "pvalue": (np.nan, p / 2 if variances["method_"] > 0 else 1 - p / 2),
        "method_share": (0.0, float(share.mean())),
        "mean_loading": (float(loadings(a).mean()), float(loadings(b).mean())),
        "largest_change": (0.0, float(change.max())),
        "mean_correlation": (float(correlations(a)[upper].mean()), float(correlations(b)[upper].mean())),
    }
    for name in ("method_share", "mean_loading", "largest_change", "mean_correlation"):
        if absent:
            more[name] = (more[name][0], more[name][0])
        elif not proper:
            more[name] = (more[name][0], np.nan)
    for name, values in more.items():
        table[name] = values
    return MethodCheck(
        "Unmeasured method factor",
        table,
        "that the items share something beyond their scales, how large it would be, and whether loadings and "
        "correlations of the scales hold once it is taken out.",
        "that this something is method: a general attitude, or a true common cause of all scales, looks the same. And a "
        "method that touches scales unequally is not caught by equal loadings.",
        len(x),
        dropped,
    )


def marker_correction(
    data: pd.DataFrame, scales: Mapping[str, Sequence[str]], marker: str | float, *, rank: int = 1
) -> MethodCheck:
    """Lindell and Whitney's correction: take out the correlation that scales have with something unrelated to them.

    Parameters
    ----------
    data : DataFrame of shape (n, p) of answers
    scales : dict from scale name to its items (one item is enough); scores are means of the items
    marker : name of the scale in ``scales`` that theory says is unrelated to the rest, or a correlation between 0 and 1
    rank : which of the marker's correlations to use, 1 the smallest in size (the published proposal; 2 is more cautious)

    Returns
    -------
    MethodCheck
        ``.table`` with a row a pair: r, pvalue, marker_r, r_adjusted, pvalue_adjusted, still_significant.

    Raises
    ------
    ValueError
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
    scales, x, dropped = _complete_items(data, scales, 1)
    n = len(x)
    scores = pd.DataFrame({s: x[group].mean(axis=1) for s, group in scales.items()})
    r = scores.corr()
    if isinstance(marker, str):
        if marker not in scales:
            raise DataError(f"marker {marker!r} is not among the scales.{checks.suggest(marker, scales)}")
        others = [s for s in scales if s != marker]
        ordered = r.loc[marker, others].abs().sort_values()
        if not 1 <= rank <= len(ordered):
            raise DataError(f"rank={rank}; the marker has {len(ordered)} correlations")
        marker_r = float(ordered.iloc[rank - 1])
    else:
        others, marker_r = list(scales), float(marker)
        if not 0 <= marker_r < 1:
            raise DataError(f"marker={marker_r}; a marker correlation lies from 0 up to below 1")
    if len(others) < 2:
        raise DataError("the correction is about correlations of scales other than the marker; give at least two")
    if n < 5:
        raise DataError(f"{n} complete rows are too few")
    rows = []
    for a, b in combinations(others, 2):
        plain = float(r.loc[a, b])
        adjusted = (plain - marker_r) / (1 - marker_r)
        p0 = 2 * stdtr(n - 2, -abs(plain) * np.sqrt((n - 2) / max(1 - plain**2, 1e-12)))
        p1 = 2 * stdtr(n - 3, -abs(adjusted) * np.sqrt((n - 3) / max(1 - adjusted**2, 1e-12)))
        rows.append((a, b, plain, float(p0), marker_r, adjusted, float(p1), bool(p1 < 0.05)))
    table = pd.DataFrame(
        rows,
        columns=[
            "scale_1",
            "scale_2",
            "r",
            "pvalue",
            "marker_r",
            "r_adjusted",
            "pvalue_adjusted",
            "still_significant",
        ],
    )
    return MethodCheck(
        "Marker correction",
        table,
        "whether a correlation would survive if the method added to all pairs as much as it adds to the marker's.",
        "anything if the marker was chosen after seeing the correlations, or is related to the scales in truth; and it "
        "misses method effects that the marker does not share (another answer format, a neutral subject).",
        n,
        dropped,
    )
