"""Figures. Colours that colour-blind readers can tell apart, a marker and a line style for each as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito (2008), in the order in which they are easiest to tell apart on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
GREY = "#6e6e6e"


def style() -> None:
    """Set the style that every figure of the collection shares."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(
        {
            "figure.figsize": (7.0, 4.2),
            "figure.dpi": 110,
            "font.size": 10.5,
            "font.family": "DejaVu Sans",  # ships with matplotlib: the same text size on every machine
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#e4e4e4",
            "grid.linewidth": 0.8,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "axes.prop_cycle": cycler(color=COLORS),
            "svg.fonttype": "path",
        }
    )


def _axes(ax: Axes | None, **kwargs) -> Axes:
    """The axes to draw on: the caller's, or new ones."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(**kwargs)[1]


# --- moderation ---------------------------------------------------------------------------------------------------
def _jitter(values, seed: int):
    """Spread answers on a rating scale a little, so that points on the same spot can be seen."""
    import numpy as np

    values = np.asarray(values, dtype=float)
    levels = np.unique(values)
    if len(levels) > 40:
        return values
    step = np.min(np.diff(levels))
    return values + np.random.default_rng(seed).uniform(-0.3, 0.3, len(values)) * step


def slopes(result, ax: Axes | None = None, *, at=None, kind: str = "sd", second=None, data: bool = True) -> Axes:
    """Expected y along x at values of the moderator, with confidence bands and the data under them.

    Parameters
    ----------
    result : switchcost.moderation.Moderation
    ax : matplotlib axes, new ones when None
    at, kind : where on the moderator, as in ``result.simple_slopes``
    second : float, optional
        Raw value of the second moderator of a three-way model (its mean when left out).
    data : bool
        Draw the observations in the colour of the nearest of the moderator's values.

    Returns
    -------
    matplotlib axes; each line's label names the moderator's value and its slope.
    """
    import numpy as np

    ax = _axes(ax)
    points = result._points(result.moderator, at, kind)
    x = result.data[result.x].to_numpy()
    if data:
        values = np.array([v for _, v in points])
        nearest = np.abs(result.data[result.moderator].to_numpy()[:, None] - values).argmin(axis=1)
        jx, jy = _jitter(x, 1), _jitter(result.data[result.y], 2)
        for i in range(len(points)):
            ax.scatter(jx[nearest == i], jy[nearest == i], s=11, color=COLORS[i % 7], marker=MARKERS[i % 7],
                       alpha=0.28, linewidths=0, zorder=1)
    grid = np.linspace(x.min(), x.max(), 61)
    for i, (label, value) in enumerate(points):
        line = result.predict(grid, value, second)
        slope = result.slope(value, second)["est"].iloc[0]
        where = f"{value:.3g}" if label == f"{value:g}" else f"{value:.2f} ({label})"
        ax.fill_between(grid, line["ci_lower"], line["ci_upper"], color=COLORS[i % 7], alpha=0.16, linewidth=0, zorder=2)
        ax.plot(grid, line["est"], color=COLORS[i % 7], linestyle=LINES[i % 7], zorder=3,
                label=f"{result.moderator} = {where}: slope {slope:.2f}")
    ax.set_xlabel(result.x)
    ax.set_ylabel(result.y)
    ax.legend(fontsize=9)
    return ax


def johnson_neyman(result, ax: Axes | None = None, *, alpha: float | None = None, fdr: bool = False,
                   second=None) -> Axes:
    """Slope of x along the moderator, its confidence band, the bounds, and where the sample lies.

    Parameters
    ----------
    result : switchcost.moderation.Moderation
    ax : matplotlib axes, new ones when None
    alpha, fdr, second : as in ``result.johnson_neyman``

    Returns
    -------
    matplotlib axes. The strip at the foot holds one tick an observation.
    """
    import numpy as np

    ax = _axes(ax)
    jn = result.johnson_neyman(alpha, fdr=fdr, second=second)
    low, high = jn.observed
    grid = np.unique(np.concatenate([np.linspace(low, high, 201), jn.inside]))
    line = result.slope(grid, second)
    half = jn.critical_t * line["se"]
    lower, upper = line["est"] - half, line["est"] + half
    told = ((lower > 0) | (upper < 0)).to_numpy()
    ax.fill_between(grid, lower, upper, color=GREY, alpha=0.15, linewidth=0)
    # The bounds themselves belong to both regions; comparing neighbours keeps the coloured band closed at a bound.
    edge = np.isin(grid, jn.inside)
    ax.fill_between(grid, lower, upper, where=told | edge, color=COLORS[0], alpha=0.25, linewidth=0,
                    label="told from zero")
    ax.plot(grid, line["est"], color=COLORS[0], label=f"slope of {result.x} on {result.y}")
    ax.axhline(0, color="black", linewidth=0.9)
    for bound in jn.inside:
        ax.axvline(bound, color=COLORS[1], linestyle="--", linewidth=1.3)
        ax.annotate(f"{bound:.2f}", (bound, 0.09), xycoords=("data", "axes fraction"), xytext=(4, 0),
                    textcoords="offset points", color=COLORS[1], fontsize=9.5)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom - 0.12 * (top - bottom), top)      # room for the strip of observations
    values = _jitter(result.data[result.moderator], 3)
    ax.plot(values, np.full(len(values), 0.015), "|", transform=ax.get_xaxis_transform(), color="black", alpha=0.25,
            markersize=7, label=f"one observation (n = {result.n_used})")
    ax.set_xlabel(result.moderator)
    ax.set_ylabel(f"slope of {result.x} on {result.y}")
    falls = line["est"].iloc[-1] < line["est"].iloc[0]
    ax.legend(fontsize=9, loc="upper right" if falls else "upper left")       # the empty upper corner
    return ax


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
    from .replicate import VERDICTS, summary

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
    ax = _axes(ax, figsize=(9.0, 1.3 + 0.7 * len(studies)))
    step = height + 1.6
    for k, study in enumerate(studies):
        mine = board[board["study"] == study]
        order = [v for verdict in VERDICTS for v in [verdict] * int((mine["verdict"] == verdict).sum())]
        top = -k * step
        for verdict in VERDICTS:
            at = [i for i, v in enumerate(order) if v == verdict]
            marker, face, edge = looks[verdict]
            ax.plot([i // height for i in at], [top - i % height for i in at], marker, ms=6, mfc=face, mec=edge,
                    mew=0.8, ls="")
        good = int(counts.loc[study, list(VERDICTS[:3])].sum())
        checked = int(counts.loc[study, list(VERDICTS[:5])].sum())
        ax.text(-1.2, top - (height - 1) / 2, study, ha="right", va="center")
        ax.text(-(-len(order) // height) + 0.4, top - (height - 1) / 2, f"{good} of {checked} agree", ha="left",
                va="center", color=GREY, fontsize=9)
    total = counts.loc["all"]
    for verdict in VERDICTS:
        marker, face, edge = looks[verdict]
        ax.plot([], [], marker, mfc=face, mec=edge, ls="", label=f"{verdict} ({int(total[verdict])})")
    ax.legend(loc="upper center", bbox_to_anchor=(0.4, 0.0), ncol=3, fontsize=9, handletextpad=0.3)
    ax.set(xlim=(-1, widest + 7), ylim=(-len(studies) * step + 1, 1.5), aspect="equal")
    ax.axis("off")
    good, checked = int(total[list(VERDICTS[:3])].sum()), int(total[list(VERDICTS[:5])].sum())
    ax.set_title(f"{good} of {checked} published numbers that can be checked agree; "
                 f"{int(total['not comparable'])} cannot be checked", fontsize=11)
    return ax
