"""Figures of the chapter with its labels and in its language."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from semfit import path_diagram
from switchcost import plots

from .analysis import Moderated
from .wording import Wording

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.text import Text


def draw(plot: Callable[[Axes], object], language: str = "en", height: float = 4.0) -> bytes:
    """``plot(ax)`` as PNG in the collection's style, leaving the caller's settings and figures alone."""
    import warnings

    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the chapter says once that there is no font
        plots.style(chinese=language == "zh" or plots.chinese_font() is not None)
        figure = Figure(figsize=(6.4, height))
        plot(figure.subplots())
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()


def flow(steps: Sequence[tuple[str, str]]) -> Callable[[Axes], object]:
    """Boxes from the file to the rows used; each step is (text of the box, text of what left before it)."""

    def plot(ax: Axes) -> None:
        ax.set_axis_off()
        ax.set(xlim=(0, 10), ylim=(-len(steps) + 0.4, 0.6))
        box = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": "#333333"}
        for k, (kept, left) in enumerate(steps):
            if k:
                ax.annotate("", (3, -k + 0.24), (3, -k + 0.76), arrowprops={"arrowstyle": "-|>", "color": "#333333"})
                ax.annotate("", (5.4, -k + 0.5), (3, -k + 0.5), arrowprops={"arrowstyle": "-|>", "color": "#777777"})
                ax.text(5.6, -k + 0.5, left, va="center", ha="left", fontsize=9.5, color="#444444")
            ax.text(3, -k, kept, va="center", ha="center", bbox=box)

    return plot


def _texts(ax: Axes) -> list[Text]:
    legend = ax.get_legend()
    return [] if legend is None else legend.get_texts()


def slopes(part: Moderated, words: Wording) -> Callable[[Axes], object]:
    """Lines of y on x at values of the moderator, labelled."""

    def plot(ax: Axes) -> None:
        part.result.plot(ax)
        shown = part.slopes.drop_duplicates(part.result.moderator)
        w, number = part.product.w, part.jn is not None
        for text, (_, row) in zip(_texts(ax), shown.iterrows(), strict=False):
            at = words.format_field(row[w], "b") if number else words.value(w, row[w])
            text.set_text(words("line.slope", w=w, at=at, slope=row["est"]))
        ax.set(xlabel=words.name(part.product.x), ylabel=words.name(part.product.y))

    return plot


def johnson_neyman(part: Moderated, words: Wording) -> Callable[[Axes], object]:
    """The slope along the moderator with its region, labelled."""

    def plot(ax: Axes) -> None:
        part.result.plot_johnson_neyman(ax)
        names = {"x": part.product.x, "y": part.product.y}
        slope = words("line.slope_of", **names)
        for text in _texts(ax):
            old = text.get_text()
            if old.startswith("differs"):
                text.set_text(words("line.differs"))
            elif old.startswith("slope of"):
                text.set_text(slope)
            elif found := re.search(r"n = (\d+)", old):
                text.set_text(words("line.observation", n=int(found[1])))
        ax.set(xlabel=words.name(part.product.w), ylabel=slope)

    return plot


def paths(rows: pd.DataFrame, words: Wording) -> Callable[[Axes], object]:
    """Constructs and their paths (outcome predictor beta clear): semfit's diagram with labels and estimates written in."""

    def plot(ax: Axes) -> None:
        from matplotlib.patches import FancyArrowPatch, Rectangle

        label = _labels(rows, words)
        wide = max(_width(line) for name in label.values() for line in name.split("\n"))
        room = int(1.3 * wide) + 2  # the diagram makes its boxes as wide as names are long
        spelt = {n: f"v{k}_".ljust(room, "_") for k, n in enumerate(label)}
        arrows = [f"{spelt[y]} ~ b{k}*{spelt[x]}" for k, (y, x) in enumerate(zip(rows["outcome"], rows["predictor"], strict=True))]  # fmt: skip
        path_diagram("\n".join(arrows), ax).set_aspect("auto")
        shown = {spelt[n]: text for n, text in label.items()} | {f"b{k}": words.format_field(b, "b") for k, b in enumerate(rows["beta"])}  # fmt: skip
        box = next(p for p in ax.patches if isinstance(p, Rectangle)).get_window_extent()
        for text in ax.texts:
            named = text.get_text() in spelt.values()
            text.set(text=shown[text.get_text()], color="black")
            size = text.get_window_extent()
            if named and (over := max(size.width / box.width, size.height / box.height) / 0.92) > 1:
                text.set_fontsize(float(text.get_fontsize()) / over)
        for arrow, clear in zip([a for a in ax.patches if isinstance(a, FancyArrowPatch)], rows["clear"], strict=True):
            arrow.set(color="#333333", linestyle="-" if clear else (0, (4, 2)))

    return plot


def _width(text: str) -> int:
    """Columns of a line, a Chinese character taking two."""
    return len(re.sub(r"[^\x00-\u024f]", "--", text))


def _broken(name: str) -> str:
    """A long name on several lines."""
    return textwrap.fill(name, 18 if _width(name) == len(name) else 9)


def _labels(rows: pd.DataFrame, words: Wording) -> dict[str, str]:
    return {n: " \u00d7\n".join(_broken(words.name(p)) for p in n.split("*")) for n in [*rows["predictor"], *rows["outcome"]]}  # fmt: skip


def height(rows: pd.DataFrame, words: Wording) -> float:
    """Inches for the drawn paths: room for every predictor, and for the lines of the longest name."""
    lines = max(name.count("\n") + 1 for name in _labels(rows, words).values())
    return min(max(2.6, 0.6 * rows["predictor"].nunique() + 0.8) * max(1.0, lines / 2), 7.5)
