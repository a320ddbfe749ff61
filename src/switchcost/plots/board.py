"""The scoreboard as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semfit.palette import COLORS, GREY

from .theme import own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# --- replication ----------------------------------------------------------------------------------------------------
def scoreboard(board, ax: Axes | None = None, *, height: int = 3) -> Axes:
    """One mark a published number, in rows of studies: what agrees, what does not, what cannot be checked.

    Parameters
    ----------
    board : DataFrame from ``sc.scoreboard()``, or a part of it
    ax : matplotlib axes, new ones when None
    height : int
        Marks on top of each other within a study.

    Returns
    -------
    Axes; the title counts the verdicts
    """
    from ..replication.board import VERDICTS, summary

    looks = {  # verdict -> marker, face, edge
        "exact": ("s", COLORS[0], COLORS[0]),
        "within rounding": ("s", COLORS[5], COLORS[0]),
        "within interval": ("o", COLORS[2], COLORS[2]),
        "different": ("X", COLORS[4], COLORS[4]),
        "paper inconsistent": ("X", COLORS[1], COLORS[1]),
        "not comparable": ("s", "white", "#b5b5b5"),
    }
    counts = summary(board)
    studies = list(counts.index[:-1])
    widest = -(-counts["numbers"].iloc[:-1].max() // height)
    ax = own_axes(ax, figsize=(9.0, 1.3 + 0.7 * len(studies)))
    step = height + 1.6
    for k, study in enumerate(studies):
        mine = board[board["study"] == study]
        order = [v for verdict in VERDICTS for v in [verdict] * int((mine["verdict"] == verdict).sum())]
        top = -k * step
        for verdict in VERDICTS:
            at = [i for i, v in enumerate(order) if v == verdict]
            marker, face, edge = looks[verdict]
            ax.plot(
                [i // height for i in at],
                [top - i % height for i in at],
                marker,
                ms=6,
                mfc=face,
                mec=edge,
                mew=0.8,
                ls="",
            )
        good = int(counts.loc[study, list(VERDICTS[:3])].sum())
        checked = int(counts.loc[study, list(VERDICTS[:5])].sum())
        ax.text(-1.2, top - (height - 1) / 2, study, ha="right", va="center")
        ax.text(
            -(-len(order) // height) + 0.4,
            top - (height - 1) / 2,
            f"{good} of {checked} agree",
            ha="left",
            va="center",
            color=GREY,
            fontsize=9,
        )
    total = counts.loc["all"]
    for verdict in VERDICTS:
        marker, face, edge = looks[verdict]
        ax.plot([], [], marker, mfc=face, mec=edge, ls="", label=f"{verdict} ({int(total[verdict])})")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, 0.0), ncol=3, fontsize=9, handletextpad=0.3)
    ax.set(xlim=(-1, widest + 7), ylim=(-len(studies) * step + 1, 1.5), aspect="equal")
    ax.axis("off")
    good, checked = int(total[list(VERDICTS[:3])].sum()), int(total[list(VERDICTS[:5])].sum())
    ax.set_title(
        f"{good} of {checked} published numbers that can be checked agree; "
        f"{int(total['not comparable'])} cannot be checked",
        fontsize=11,
    )
    return ax
