"""Slopes and Johnson-Neyman regions, with the data behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semfit.palette import COLORS, GREY, LINES, MARKERS

from .theme import jitter, own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def slopes(result, ax: Axes | None = None, *, at=None, kind: str = "sd", second=None, data: bool = True) -> Axes:
    """Expected y along x at values of the moderator, with confidence bands and the data under them.

    Parameters
    ----------
    result : Moderation
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

    ax = own_axes(ax)
    points = result._points(result.moderator, at, kind)
    x = result.data[result.x].to_numpy()
    if data:
        values = np.array([v for _, v in points])
        nearest = np.abs(result.data[result.moderator].to_numpy()[:, None] - values).argmin(axis=1)
        jx, jy = jitter(x, 1), jitter(result.data[result.y], 2)
        for i in range(len(points)):
            ax.scatter(
                jx[nearest == i],
                jy[nearest == i],
                s=11,
                color=COLORS[i % 7],
                marker=MARKERS[i % 7],
                alpha=0.28,
                linewidths=0,
                zorder=1,
            )
    grid = np.linspace(x.min(), x.max(), 61)
    for i, (label, value) in enumerate(points):
        line = result.predict(grid, value, second)
        slope = result.slope(value, second)["est"].iloc[0]
        where = f"{value:.3g}" if label == f"{value:g}" else f"{value:.2f} ({label})"
        ax.fill_between(
            grid, line["ci_lower"], line["ci_upper"], color=COLORS[i % 7], alpha=0.16, linewidth=0, zorder=2
        )
        ax.plot(
            grid,
            line["est"],
            color=COLORS[i % 7],
            linestyle=LINES[i % 7],
            zorder=3,
            label=f"{result.moderator} = {where}: slope {slope:.2f}",
        )
    ax.set_xlabel(result.x)
    ax.set_ylabel(result.y)
    ax.legend(fontsize=9)
    return ax


def johnson_neyman(
    result, ax: Axes | None = None, *, alpha: float | None = None, fdr: bool = False, second=None
) -> Axes:
    """Slope of x along the moderator, its confidence band, the bounds, and where the sample lies.

    Parameters
    ----------
    result : Moderation
    ax : matplotlib axes, new ones when None
    alpha, fdr, second : as in ``result.johnson_neyman``

    Returns
    -------
    matplotlib axes. The strip at the foot holds one tick an observation.
    """
    import numpy as np

    ax = own_axes(ax)
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
    ax.fill_between(
        grid,
        lower,
        upper,
        where=told | edge,
        color=COLORS[0],
        alpha=0.25,
        linewidth=0,
        label="told from zero",
    )
    ax.plot(grid, line["est"], color=COLORS[0], label=f"slope of {result.x} on {result.y}")
    ax.axhline(0, color="black", linewidth=0.9)
    for bound in jn.inside:
        ax.axvline(bound, color=COLORS[1], linestyle="--", linewidth=1.3)
        ax.annotate(
            f"{bound:.2f}",
            (bound, 0.09),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            color=COLORS[1],
            fontsize=9.5,
        )
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom - 0.12 * (top - bottom), top)  # room for the strip of observations
    values = jitter(result.data[result.moderator], 3)
    ax.plot(
        values,
        np.full(len(values), 0.015),
        "|",
        transform=ax.get_xaxis_transform(),
        color="black",
        alpha=0.25,
        markersize=7,
        label=f"one observation (n = {result.n_used})",
    )
    ax.set_xlabel(result.moderator)
    ax.set_ylabel(f"slope of {result.x} on {result.y}")
    falls = line["est"].iloc[-1] < line["est"].iloc[0]
    ax.legend(fontsize=9, loc="upper right" if falls else "upper left")  # the empty upper corner
    return ax
