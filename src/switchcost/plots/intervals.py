"""Estimates with their intervals, one a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from semfit.errors import extra
from semfit.palette import COLORS, GREY, MARKERS

from ..core.arguments import FRAME, NAME, Between, checked
from ..core.errors import DataError
from .theme import own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@checked(estimates=FRAME, zero=Between(), group=NAME)
def forest(
    estimates: pd.DataFrame, ax: Axes | None = None, *, group: str | None = None, zero: float | None = 0.0
) -> Axes:
    """Points with horizontal intervals; seaborn computes intervals from data and does not draw given ones.

    Parameters
    ----------
    estimates : DataFrame
        Columns ``est ci_lower ci_upper``; the index labels the rows, from top to bottom.
    ax : matplotlib Axes, optional
        New ones when left out.
    group : str, optional
        A column whose values get a colour and a marker each.
    zero : float, optional
        Where the vertical line stands; None for no line.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DataError
        A column is not there.
    """
    with extra("plots"):
        import seaborn as sns

    lacking = [
        c for c in ("est", "ci_lower", "ci_upper", *([] if group is None else [group])) if c not in estimates.columns
    ]
    if lacking:
        raise DataError(f"forest() needs the columns est, ci_lower and ci_upper, and {', '.join(map(repr, lacking))} "
                        "is not there")  # fmt: skip
    ax = own_axes(ax, figsize=(7.0, 1.0 + 0.34 * len(estimates)))
    kind = estimates[group].astype(str).to_numpy() if group is not None else np.full(len(estimates), "estimate")
    names = list(dict.fromkeys(kind))
    if len(names) > len(COLORS):
        raise DataError(f"column {group!r} has {len(names)} values; a figure can tell {len(COLORS)} apart")
    y = np.arange(len(estimates))
    colors = dict(zip(names, COLORS, strict=False))
    ax.hlines(y, estimates["ci_lower"], estimates["ci_upper"], color=[colors[k] for k in kind], linewidth=1.6, zorder=2)
    sns.scatterplot(
        x=estimates["est"].to_numpy(), y=y, hue=kind, style=kind, hue_order=names, style_order=names, palette=colors,
        markers=dict(zip(names, MARKERS, strict=False)), s=46, ax=ax, legend=bool(group), zorder=3,
    )  # fmt: skip
    if zero is not None:
        ax.axvline(zero, color=GREY, linewidth=0.9, zorder=1)
    ax.set_yticks(y, [str(v) for v in estimates.index])
    ax.set(ylim=(len(estimates) - 0.5, -0.5), ylabel="", xlabel="estimate, 95% interval")
    ax.grid(axis="y", visible=False)
    return ax
