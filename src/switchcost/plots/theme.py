"""Colours, markers and the look of every figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semfit.palette import COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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


def own_axes(ax: Axes | None, **kwargs) -> Axes:
    """The axes to draw on: the caller's, or new ones."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(**kwargs)[1]


# --- moderation ---------------------------------------------------------------------------------------------------
def jitter(values, seed: int):
    """Spread answers on a rating scale a little, so that points on the same spot can be seen."""
    import numpy as np

    values = np.asarray(values, dtype=float)
    levels = np.unique(values)
    if len(levels) > 40:
        return values
    step = np.min(np.diff(levels))
    return values + np.random.default_rng(seed).uniform(-0.3, 0.3, len(values)) * step
