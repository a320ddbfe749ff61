"""Slopes and Johnson-Neyman regions, with the data behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from semfit.errors import extra
from semfit.palette import COLORS, GREY, LINES, MARKERS

from ..core.arguments import AXES, FLAG, Made, checked
from ..core.errors import DataError
from .theme import jitter, own_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODERATION = Made("a result of sc.moderate", attributes=("simple_slopes", "design", "coefficients"))
REGIONS = Made("a result of sc.moderate, latent_interaction or their johnson_neyman()", attributes=("johnson_neyman",))
CURVE = Made("a result of sc.specification_curve", attributes=("table", "choices", "level"))


@checked(result=MODERATION, data=FLAG)
def slopes(
    result: Any, ax: Axes | None = None, *, at: Any = None, kind: str = "sd", second: float | None = None, data: bool = True
) -> Axes:  # fmt: skip
    """Expected y along x at values of the moderator, with confidence bands and the data under them.

    Parameters
    ----------
    result : Moderation
        From :func:`switchcost.moderate`.
    ax : matplotlib Axes, optional
        New ones when left out.
    at, kind : optional
        Where on the moderator, as in ``result.simple_slopes``.
    second : float, optional
        Raw value of the second moderator of a three-way model (its mean when left out).
    data : bool
        Draw the observations in the colour of the nearest of the moderator's values.

    Returns
    -------
    matplotlib Axes
        Each line's label names the moderator's value and its slope.
    """
    import numpy as np

    with extra("plots"):
        import seaborn as sns

    ax = own_axes(ax)
    points = result.simple_slopes(at, kind=kind).drop_duplicates(result.moderator)
    values, k = points[result.moderator].to_numpy(), len(points)
    colors, markers = list(COLORS[:k]), list(MARKERS[:k])
    x = result.data[result.x].to_numpy()
    if data:
        column = result.data[result.moderator].to_numpy()[:, None]
        groups = bool(result.variable(result.moderator).groups)
        nearest = (column != values if groups else np.abs(column - values)).argmin(axis=1)
        sns.scatterplot(
            x=jitter(x, 1), y=jitter(result.data[result.y], 2), hue=nearest, style=nearest, hue_order=range(k),
            style_order=range(k), palette=colors, markers=markers, s=14, alpha=0.3, linewidth=0, legend=False, ax=ax, zorder=1,
        )  # fmt: skip
    grid, lines = np.linspace(x.min(), x.max(), 61), []
    for value, label in zip(values, points["at"].astype(str).str.split(", ").str[0], strict=True):
        plain = isinstance(value, str) or label == f"{value:g}"
        where = label if plain else f"{value:.2f} ({label})"
        slope = result.slope(value, second)["est"].iloc[0]
        line = result.predict(grid, value, second)
        name = f"{result.moderator} = {where}: slope {slope:.2f}".replace("-", "\u2212")
        lines.append(line[["est", "ci_lower", "ci_upper"]].assign(x=grid, line=name))
    for line, color, dash in zip(lines, colors, LINES, strict=False):
        ax.fill_between(line["x"], line["ci_lower"], line["ci_upper"], color=color, alpha=0.16, linewidth=0, zorder=2)
        sns.lineplot(
            line, x="x", y="est", color=color, linestyle=dash, label=line["line"].iloc[0], errorbar=None, legend=False, ax=ax,
            zorder=3,
        )  # fmt: skip
    ax.legend(fontsize=9)
    ax.set(xlabel=result.x, ylabel=result.y)
    return ax


@checked(result=REGIONS)
def johnson_neyman(
    result: Any, ax: Axes | None = None, *, alpha: float | None = None, fdr: bool = False, second: float | None = None
) -> Axes:
    """Slope of x along the moderator, its confidence band, the bounds, and where the sample lies.

    Parameters
    ----------
    result : Moderation
        From :func:`switchcost.moderate`.
    ax : matplotlib Axes, optional
        New ones when left out.
    alpha, fdr, second : optional
        As in ``result.johnson_neyman``.

    Returns
    -------
    matplotlib Axes
        The strip at the foot holds one mark an observation.
    """
    import numpy as np

    with extra("plots"):
        import seaborn as sns

    ax = own_axes(ax)
    jn = result.johnson_neyman(alpha, fdr=fdr, second=second)
    low, high = jn.observed
    grid = np.unique(np.concatenate([np.linspace(low, high, 201), jn.inside]))
    # The bounds themselves belong to both regions; with them the coloured area is closed at a bound.
    edge = np.isin(grid, jn.inside)
    label = f"differs from zero (p < {f'{jn.alpha:g}'.lstrip('0')}{', false-discovery rate' if jn.fdr else ''})"
    for i, value in enumerate(jn.second or (None,)):
        line = result.slope(grid, value)
        half = jn.critical_t * line["se"]
        lower, upper = line["est"] - half, line["est"] + half
        shown = ((lower > 0) | (upper < 0)).to_numpy() | edge
        color = COLORS[2 * i % 7]
        ax.fill_between(grid, lower, upper, color=GREY, alpha=0.15, linewidth=0)
        ax.fill_between(
            grid, lower, upper, where=shown, color=color, alpha=0.25, linewidth=0, label=None if i else label
        )
        at = value if value is None or isinstance(value, str) else f"{value:.3g}"
        name = f"slope of {result.y} on {result.x}" + (f", {jn.second_moderator} = {at}" if at is not None else "")
        sns.lineplot(x=grid, y=line["est"].to_numpy(), color=color, linestyle=LINES[2 * i % 7], label=name, ax=ax)
    ax.axhline(0, color="black", linewidth=0.9)
    for bound in jn.inside:
        ax.axvline(bound, color=COLORS[1], linestyle="--", linewidth=1.3)
        ax.annotate(
            f"{bound:.2f}", (bound, 0.09), xycoords=("data", "axes fraction"), xytext=(4, 0),
            textcoords="offset points", color=COLORS[1], fontsize=9.5,
        )  # fmt: skip
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom - 0.12 * (top - bottom), top)  # room for the strip of observations
    values = jitter(result.data[result.moderator], 3)
    sns.rugplot(x=values, height=0.04, color="black", alpha=0.25, lw=0.8, ax=ax)
    ax.plot([], [], "|", color="black", alpha=0.5, ms=7, label=f"one observation (n = {len(values)})")
    ax.set(
        xlabel=result.moderator,
        ylabel=f"slope of {result.y} on {result.x}",
        xlim=(low - 0.03 * (high - low), high + 0.03 * (high - low)),
    )
    falls = line["est"].iloc[-1] < line["est"].iloc[0]
    corner: Literal["upper right", "upper left"] = "upper right" if falls else "upper left"  # the empty one
    ax.legend(fontsize=9, loc=corner, frameon=True, framealpha=1, edgecolor="none")  # a bound may pass behind it
    return ax


@checked(result=CURVE)
def specification_curve(result: Any, axes: Any = None) -> Any:
    """Estimates in order of size with their intervals, and below them the options behind each.

    Parameters
    ----------
    result : SpecificationCurve
        From :func:`switchcost.specification_curve`.
    axes : pair of matplotlib Axes, optional
        Upper and lower; new ones when left out.

    Returns
    -------
    array of two matplotlib Axes
        Filled marks where the interval excludes zero.
    """
    with extra("plots"):
        import seaborn as sns

    table, options = result.table, [(c, o) for c, each in result.choices.items() for o in each]
    if axes is None:
        import matplotlib.pyplot as plt

        ratio = [3.2, 0.4 + 0.24 * (len(options) + len(result.choices))]
        _, axes = plt.subplots(2, 1, figsize=(7.6, sum(ratio)), sharex=True, height_ratios=ratio, layout="constrained")
    try:
        upper, lower = axes
        AXES.check("the upper of axes", upper)
        AXES.check("the lower of axes", lower)
    except (TypeError, ValueError):
        raise DataError(f"axes must be a pair of axes of matplotlib, and is a {type(axes).__name__}") from None
    clear = (table["ci_lower"] > 0) | (table["ci_upper"] < 0)
    color = clear.map({True: COLORS[0], False: GREY})
    upper.vlines(table.index, table["ci_lower"], table["ci_upper"], color=color, linewidth=1, alpha=0.6)
    sns.scatterplot(
        x=table.index, y=table["est"], hue=clear, palette={True: COLORS[0], False: GREY}, style=clear,
        markers={True: "o", False: "X"}, legend=False, ax=upper, zorder=3, linewidth=0, s=22,
    )  # fmt: skip
    upper.axhline(0, color="black", linewidth=0.9)
    upper.set_ylabel(f"product in standard\ndeviations, {100 * result.level:g}% interval")
    place, ticks = 0.0, []
    for i, (choice, option) in enumerate(options):
        place += 0.0 if i == 0 else 1.6 if options[i - 1][0] != choice else 1.0
        ticks.append(place)
        sns.scatterplot(
            x=table.index[table[choice] == option], y=place, color=COLORS[0], marker="|", s=36, linewidth=1.4, ax=lower
        )
    lower.set_yticks(ticks, [f"{choice}: {option}" for choice, option in options], fontsize=9)
    lower.set(ylim=(place + 0.8, -0.8), xlabel="specifications, smallest product first", xticks=[], ylabel="")
    lower.grid(False)
    return axes
