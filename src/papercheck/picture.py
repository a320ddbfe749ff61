"""The scoreboard as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from semfit.errors import extra
from semfit.palette import COLORS, GREY
from switchcost.core.arguments import COUNT, FRAME, checked
from switchcost.core.errors import DataError
from switchcost.plots.theme import own_axes

from .reproduction import AGREE, VERDICTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILL = (COLORS[0], COLORS[5], COLORS[2], COLORS[4], COLORS[1], "white")  # in the order of the verdicts
EDGE = (COLORS[0], COLORS[0], COLORS[2], COLORS[4], COLORS[1], "#b5b5b5")
SHAPE = ("s", "s", "o", "X", "P", "s")


@checked(height=COUNT, rows=FRAME)
def draw(rows: pd.DataFrame, ax: Axes | None = None, *, height: int = 3) -> Axes:
    """One mark a published number, in rows of studies: what agrees, what does not, what cannot be checked.

    Parameters
    ----------
    rows : DataFrame
        The table of ``sc.scoreboard()``, or rows of it.
    ax : matplotlib Axes, optional
        New ones when left out.
    height : int, default 3
        Marks on top of each other within a study.

    Returns
    -------
    matplotlib Axes
        The title counts the verdicts.
    """
    with extra("plots"):
        import seaborn as sns

    if not {"study", "verdict"} <= {*rows.columns} or rows.empty:
        raise DataError(
            "the figure takes the table of sc.scoreboard(), or rows of it, with the columns study and verdict"
        )
    counts = pd.crosstab(rows["study"], rows["verdict"]).reindex(columns=VERDICTS, fill_value=0)
    studies = list(counts.index)
    widest = -(-int(counts.sum(axis=1).max()) // height)
    ax = own_axes(ax, figsize=(9.0, 1.3 + 0.7 * len(studies)))
    step = height + 1.6
    marks = rows[["study", "verdict"]].copy()
    marks["verdict"] = pd.Categorical(marks["verdict"], VERDICTS)
    marks = marks.sort_values("verdict", kind="stable")
    place = marks.groupby("study").cumcount()
    marks["x"] = place // height
    marks["y"] = -step * marks["study"].map({s: k for k, s in enumerate(studies)}) - place % height
    total = counts.sum()
    for k, verdict in enumerate(VERDICTS):  # edges differ by verdict, which one call cannot say
        sns.scatterplot(
            marks[marks["verdict"] == verdict], x="x", y="y", color=FILL[k], edgecolor=EDGE[k], marker=SHAPE[k], s=44,
            linewidth=0.8, label=f"{verdict} ({int(total[verdict])})", ax=ax,
        )  # fmt: skip
    for k, study in enumerate(studies):
        good, within = int(counts.loc[study, list(AGREE)].sum()), int(counts.loc[study, "within interval"])
        checked = int(counts.loc[study, list(VERDICTS[:5])].sum()) - within
        said = f"{good} of {checked} agree" + (f", {within} within interval" if within else "")
        middle = -k * step - (height - 1) / 2
        ax.text(-1.2, middle, study, ha="right", va="center")
        end = -(-int(counts.loc[study].sum()) // height) + 0.4
        ax.text(end, middle, said, ha="left", va="center", color=GREY, fontsize=9)
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, 0.0), ncol=3, fontsize=9, handletextpad=0.3)
    ax.set(xlim=(-1, widest + 16), ylim=(-len(studies) * step + 1, 1.5), aspect="equal")
    ax.axis("off")
    checked = int(total[list(VERDICTS[:5])].sum())
    ax.set_title(f"{checked} of {len(rows)} published numbers can be checked in some way", fontsize=11)
    return ax
