"""The look of every figure: seaborn's white grid in our colours, with a font for Chinese where the machine has one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from semfit.errors import extra
from semfit.palette import COLORS

from ..core.arguments import checked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHINESE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "SimHei", "PingFang SC", "Heiti SC",
    "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Noto Serif CJK SC", "SimSun", "Noto Sans CJK JP", "Droid Sans Fallback",
)  # fmt: skip


@cache
def chinese_font() -> str | None:
    """The first installed font that has Chinese characters, or None."""
    from matplotlib import font_manager

    installed = {f.name for f in font_manager.fontManager.ttflist}
    return next((name for name in CHINESE if name in installed), None)


@checked()
def style(*, chinese: bool = False) -> None:
    """Set the style that every figure of the collection shares.

    Parameters
    ----------
    chinese : bool
        Add a font with Chinese characters where one is installed.
    """
    with extra("plots"):
        import seaborn as sns

    # DejaVu ships with matplotlib: the same text size on every machine.
    fonts = ["DejaVu Sans", *filter(None, [chinese_font() if chinese else None])]
    sns.set_theme(
        style="whitegrid",
        palette=list(COLORS),
        rc={
            "figure.figsize": (7.0, 4.2),
            "figure.dpi": 110,
            "font.size": 10.5,
            "font.family": fonts,
            "axes.labelsize": 10.5,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "legend.fontsize": 9.5,
            "axes.titlesize": 12,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": "#555555",
            "grid.color": "#e4e4e4",
            "grid.linewidth": 0.8,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "xtick.bottom": True,
            "ytick.left": True,
            "svg.fonttype": "path",
        },
    )


def own_axes(ax: Axes | None, **kwargs) -> Axes:
    """The axes to draw on: the caller's, or new ones."""
    if ax is not None:
        return ax
    with extra("plots"):
        import matplotlib.pyplot as plt

    return plt.subplots(**kwargs)[1]


def jitter(values, seed: int):
    """Spread answers on a rating scale a little, so that points on the same spot can be seen."""
    import numpy as np

    values = np.asarray(values, dtype=float)
    levels = np.unique(values)
    if len(levels) > 40 or len(levels) < 2:
        return values
    step = np.min(np.diff(levels))
    return values + np.random.default_rng(seed).uniform(-0.3, 0.3, len(values)) * step
