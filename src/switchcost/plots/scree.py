"""Eigenvalues beside those of chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semfit.errors import extra
from semfit.palette import COLORS

from ..core.arguments import checked, one_of
from ..measurement.n_factors import ParallelAnalysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@checked(kind=one_of("components", "factors"))
def scree(found: ParallelAnalysis, kind: str = "components", ax: Axes | None = None) -> Axes:
    """Scree plot with the line that chance draws.

    Parameters
    ----------
    found : ParallelAnalysis
    kind : {"components", "factors"}
        Which eigenvalues.
    ax : matplotlib Axes, optional
        The current ones when left out.

    Returns
    -------
    matplotlib Axes
    """
    with extra("plots"):
        import matplotlib.pyplot as plt

    ax = plt.gca() if ax is None else ax
    t, chance = found.table, f"chance, {found.percentile:g}th percentile"
    what, n = ("component", found.n_components) if kind == "components" else ("common factor", found.n_factors)
    ax.plot(t.index, t[kind], marker="o", color=COLORS[0], label="the answers")
    ax.plot(t.index, t[f"{kind}_chance"], marker="s", ms=4, ls="--", color=COLORS[1], label=chance)
    if kind == "components":
        ax.axhline(1, color="0.6", lw=1, ls=":", label="Kaiser's line at 1")
    ax.axvline(n + 0.5, color="0.4", lw=1)
    ax.set(xlabel=f"{what}, largest first", ylabel="eigenvalue")
    ax.legend()
    return ax
