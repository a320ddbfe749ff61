"""A fitted model as a path diagram, drawn by matplotlib where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .arguments import DECIMALS, FITTED, NAME, TEXT, checked, one_of
from .errors import DataError, extra
from .palette import COLORS, GREY
from .partable import parameter_table
from .spec import ModelSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]

# --- path diagram of a structural model ---------------------------------------------------------------------------
# All lengths in inches. A latent and what it measures form a tree; trees hang on columns, causes left, effects right.
_ROW, _LEVEL, _RISE, _COLUMN = 0.36, 1.55, 1.15, 1.75


@dataclass(frozen=True)
class _Arrow:
    """A row of the model: a loading, a path or a (co)variance; ``p`` is 0 where it is not tested."""

    lhs: str
    op: str
    rhs: str
    text: str
    value: float
    p: float
    hidden: bool

    @property
    def ends(self) -> tuple[str, str]:
        """From where to where it points."""
        return (self.lhs, self.rhs) if self.op == "=~" else (self.rhs, self.lhs)

    @property
    def line(self) -> object:
        """Whole, or broken where p >= .05."""
        return "-" if self.p < 0.05 else (0, (4, 2))


@dataclass(frozen=True)
class _Node:
    """An ellipse (of a latent) or a box: its centre, its size, and the direction in which its tree grows."""

    x: float
    y: float
    width: float
    height: float
    latent: bool
    facing: tuple[int, int]

    def edge(self, toward: Point) -> Point:
        """Where the line from the centre to a point leaves it."""
        dx, dy = toward[0] - self.x, toward[1] - self.y
        if dx == dy == 0:
            return self.x, self.y
        if self.latent:
            t = 1 / np.hypot(dx / (self.width / 2), dy / (self.height / 2))
        else:
            across = self.width / 2 / abs(dx) if dx else np.inf
            t = min(across, self.height / 2 / abs(dy) if dy else np.inf)
        return self.x + t * dx, self.y + t * dy

    def side(self) -> Point:
        """Middle of the side that faces the latent it hangs on."""
        return self.x - self.facing[0] * self.width / 2, self.y - self.facing[1] * self.height / 2


@checked(decimals=DECIMALS, covariances=one_of(True, False, "auto"), group=NAME, title=TEXT)
def path_diagram(
    fit,
    ax: Axes | None = None,
    *,
    standardized: bool = True,
    group: int | str | None = None,
    covariances: bool | str = "auto",
    decimals: int = 2,
    title: str | None = None,
) -> Axes:
    """Draw a structural model: latents as ellipses, observed variables as boxes, estimates on the arrows.

    Parameters
    ----------
    fit : Fit, or str
        A fitted model, or a model text: then arrows carry the labels of the parameters, if any.
    ax : Axes, optional
        What to draw on; new ones of a suitable size by default.
    standardized : bool, default True
        Write standardised estimates, else the unstandardised ones.
    group : int or str, optional
        Which group of a multi-group model, by number or label; the first by default.
    covariances : bool or str, default "auto"
        Draw (residual) covariances as curved double arrows; ``"auto"`` leaves them out if there are more than six, and
        says so.
    decimals : int, default 2
        Of the estimates.
    title : str, optional
        A sentence above the diagram.

    Returns
    -------
    Axes
        One unit an inch. Blue arrows are positive paths, orange negative ones, broken lines have p >= .05, grey lines
        are loadings.

    Raises
    ------
    DataError
        The model text cannot be read, or the group is not there.

    Examples
    --------
    >>> import matplotlib; matplotlib.use("agg")
    >>> import semfit
    >>> ax = semfit.path_diagram("sat =~ s1 + s2 + s3; loy =~ l1 + l2 + l3; loy ~ sat")
    """
    rows, foot = _diagram_rows(fit, standardized, group, decimals)
    nodes = _diagram_layout(rows)
    arcs = [r for r in rows if r.op == "~~" and r.lhs != r.rhs and not r.hidden]
    if covariances == "auto" and len(arcs) > 6:
        foot.append(f"{len(arcs)} covariances not drawn")
        arcs = []
    elif not covariances:
        arcs = []
    return _diagram_draw([r for r in rows if r.op != "~~"], arcs, nodes, "; ".join(foot), title, ax)


def _diagram_rows(fit, standardized: bool, group: int | str | None, decimals: int) -> tuple[list[_Arrow], list[str]]:
    """Arrows to draw, and the parts of the footnote."""
    if isinstance(fit, (str, ModelSpec)):
        table = parameter_table(ModelSpec.of(fit).parsed)[0]
        shown = [r for r in table if r.op in ("=~", "~", "~~")]
        plain = [r.op == "~~" and bool(r.exo or r.fixed == 0) for r in shown]
        return [_Arrow(r.lhs, r.op, r.rhs, r.label or "", 1.0, 0.0, h) for r, h in zip(shown, plain, strict=True)], []
    FITTED.check("fit", fit)
    est, foot = fit.estimates, []
    if "group" in est:
        labels = [str(g) for g in fit.groups]
        if group is not None and str(group) not in labels + [str(k + 1) for k in range(len(labels))]:
            raise DataError(f"group {group!r} is not in the fit; there are: {', '.join(labels)}")
        k = 0 if group is None else labels.index(str(group)) if str(group) in labels else int(group) - 1
        est = est[est["group"] == k + 1]
        foot.append(f"group {labels[k]}")
        n = np.ravel(fit.n_obs)[k]
    else:
        if group is not None:
            raise DataError(f"group is {group!r}, and the fit has no groups; leave it out")
        n = fit.n_obs
    column = "std_all" if standardized else "est"
    rows = []
    for r in est[est["op"].isin(["=~", "~", "~~"])].to_dict("records"):
        free, text = r["pvalue"] == r["pvalue"], f"{r[column]:.{decimals}f}"
        hidden = r["op"] == "~~" and not free
        rows.append(_Arrow(r["lhs"], r["op"], r["rhs"], text, r[column], r["pvalue"] if free else 0.0, hidden))
    foot.insert(0, f"{'Standardised' if standardized else 'Unstandardised'} {fit.estimator} estimates, n = {n}")
    if any(r.p >= 0.05 for r in rows if r.op != "=~" and r.lhs != r.rhs):
        foot.append("broken lines: p ≥ .05")
    return rows, foot


def _diagram_layout(rows: list[_Arrow]) -> dict[str, _Node]:
    """Every variable where it is drawn."""
    loadings = [r for r in rows if r.op == "=~"]
    latents = list(dict.fromkeys(r.lhs for r in loadings))
    names = list(dict.fromkeys(n for r in rows for n in (r.lhs, r.rhs)))
    children = _diagram_children(names, loadings)
    owned = {n for group in children.values() for n in group}
    roots = [n for n in names if n not in owned] or names[:1]
    item = 0.3 + 0.085 * max((len(n) for n in names if n not in latents), default=2)
    oval = 0.5 + 0.085 * max((len(n) for n in latents), default=2)
    size = {n: (oval, 0.56) if n in latents else (item, 0.27) for n in names}

    column = _diagram_columns(roots, [(r.rhs, r.lhs) for r in rows if r.op == "~"])
    last = max(column.values())

    def leaves(n: str) -> int:
        return sum(leaves(c) for c in children[n]) or 1

    def depth(n: str) -> int:
        return 1 + max(depth(c) for c in children[n]) if children[n] else 0

    nodes: dict[str, _Node] = {}

    def hang(n: str, x: float, y: float, dx: int, dy: int) -> None:
        """Place n at (x, y) and its tree in direction (dx, dy)."""
        nodes[n] = _Node(x, y, *size[n], n in latents, (dx, dy))
        step = _ROW if dx else item + 0.1
        at = -leaves(n) * step / 2
        for c in children[n]:
            width = leaves(c) * step
            middle = at + width / 2
            at += width
            if dx:
                hang(c, x + dx * (_LEVEL + (oval - 1) / 2 + (item - 0.5) / 2), y - middle, dx, 0)
            else:
                hang(c, x + middle, y + dy * _RISE, 0, dy)

    def stack(members: list[str], x: float, dx: int) -> None:
        """Trees below one another, centred at height 0."""
        heights = [max(leaves(n) * _ROW, size[n][1] + 0.12) for n in members]
        y = (sum(heights) + 0.22 * (len(members) - 1)) / 2
        for n, height in zip(members, heights, strict=True):
            hang(n, x, y - height / 2, dx, 0)
            y -= height + 0.22

    by_column = [[n for n in roots if column[n] == k] for k in range(last + 1)]
    if last == 0:  # measurement only: everything grows to the right
        stack(by_column[0], 0.0, 1)
        return nodes
    x, below = 0.0, False
    widths = [
        max([size[n][0] for n in m] + [leaves(n) * (item + 0.1) for n in m if 0 < k < last])
        for k, m in enumerate(by_column)
    ]
    for k, members in enumerate(by_column):
        if k:
            x += (widths[k - 1] + widths[k]) / 2 + _COLUMN - (0.45 if 0 < k < last or 0 < k - 1 < last else 0)
        if k in (0, last):
            stack(members, x, -1 if k == 0 else 1)
            continue
        top, bottom = members[: (len(members) + 1) // 2], members[(len(members) + 1) // 2 :]
        if len(members) == 1 and below:
            top, bottom = bottom, top
        below = len(members) == 1 and not below
        for side, sign in ((top[::-1], 1), (bottom, -1)):  # away from the middle line, where long arrows pass
            y = 0.75
            for n in side:
                hang(n, x, sign * y, 0, sign)
                y += depth(n) * _RISE + 0.95
    return nodes


def _diagram_children(names: list[str], loadings: list[_Arrow]) -> dict[str, list[str]]:
    """What hangs on each variable: the first latent that measures it; further loadings are only arrows."""
    children: dict[str, list[str]] = {n: [] for n in names}
    owned: set[str] = set()
    for r in loadings:
        if r.rhs not in owned and r.rhs != r.lhs:
            children[r.lhs].append(r.rhs)
            owned.add(r.rhs)
    return children


def _diagram_columns(roots: list[str], arrows: list[tuple[str, str]]) -> dict[str, int]:
    """Longest chain of arrows that leads to each root; pure outcomes stand in the last column, loops are cut."""
    arrows = [(a, b) for a, b in arrows if a in roots and b in roots]
    column = dict.fromkeys(roots, 0)
    for _ in roots:
        for a, b in arrows:
            if column[a] + 1 > column[b] and column[a] + 1 < len(roots):
                column[b] = column[a] + 1
    last = max(column.values())
    for n in roots:
        if any(b == n for _, b in arrows) and not any(a == n for a, _ in arrows):
            column[n] = last
    used = sorted(set(column.values()))
    return {n: used.index(k) for n, k in column.items()}


class _Labels:
    """Writes each label at the spot that is farthest from what is there already."""

    def __init__(self, ax: Axes, nodes: dict[str, _Node]):
        self.ax = ax
        self.taken = [(n.x + f * n.width / 2, n.y) for n in nodes.values() for f in (-0.6, 0.0, 0.6)]

    def write(self, text: str, spots: Sequence[Point], color: str, size: float) -> None:
        if not text:
            return
        crowd = np.array(self.taken)
        gaps = [
            np.hypot((crowd[:, 0] - x) / 1.4, (crowd[:, 1] - y) * 1.2).min() - 0.02 * k
            for k, (x, y) in enumerate(spots)
        ]
        x, y = spots[int(np.argmax(np.minimum(gaps, 0.28 - 0.01 * np.arange(len(gaps)))))]
        self.taken.append((x, y))
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.9}
        self.ax.text(x, y, text, ha="center", va="center", fontsize=size, color=color, zorder=4, bbox=ground)


def _diagram_draw(
    arrows: list[_Arrow], arcs: list[_Arrow], nodes: dict[str, _Node], foot: str, title: str | None, ax: Axes | None
) -> Axes:
    """Loadings and paths, then covariances, then the variables over them; a sheet that holds it all where none is given."""
    with extra("plots"):
        import matplotlib.pyplot as plt

    curves = [_diagram_curve(r, nodes) for r in arcs]
    points = [p for c in curves for p in (c[0], c[2], tuple(np.array(c).T @ (0.25, 0.5, 0.25)))]
    edges = points + [
        (n.x + i * n.width / 2, n.y + j * n.height / 2) for n in nodes.values() for i in (-1, 1) for j in (-1, 1)
    ]
    (left, bottom), (right, top) = np.min(edges, axis=0) - 0.2, np.max(edges, axis=0) + 0.2
    bottom -= 0.3 if foot else 0.0
    if ax is None:
        width = max(right - left, 4.0)
        ax = plt.subplots(figsize=(width, top - bottom + (0.4 if title else 0.05)), layout="constrained")[1]
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    ax.axis("off")
    ax.grid(False)
    if title:
        ax.set_title(title)
    labels = _Labels(ax, nodes)
    for r in arrows:
        _draw_arrow(ax, r, nodes, labels)
    for r, curve in zip(arcs, curves, strict=True):
        _draw_covariance(ax, r, curve, labels)
    for name, node in nodes.items():
        _draw_node(ax, name, node)
    if foot:
        ax.text(left + 0.05, bottom + 0.1, foot, ha="left", va="bottom", fontsize=8, color="#404040")
    return ax


def _draw_arrow(ax: Axes, r: _Arrow, nodes: dict[str, _Node], labels: _Labels) -> None:
    """A loading (thin and grey) or a path (in the colour of its sign)."""
    from matplotlib.patches import FancyArrowPatch

    a, b = (nodes[n] for n in r.ends)
    loading = r.op == "=~"
    start = a.edge((b.x, b.y))
    # loadings end at the near side of the box, so that neighbours stay apart
    end = b.side() if loading else b.edge((a.x, a.y))
    color = GREY if loading else COLORS[0] if r.value >= 0 else COLORS[1]
    scale, width, above = (8, 0.9, 2) if loading else (12, 1.7, 3)
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=scale, shrinkA=0, shrinkB=0, color=color, linewidth=width,
            linestyle=r.line, zorder=above,
        )
    )  # fmt: skip
    far = (0.45, 0.4, 0.5) if b.latent else (0.66, 0.58, 0.5)
    where = far if loading else (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)
    spots = [(start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in where]
    labels.write(r.text, spots, "#404040" if loading else color, 7.5 if loading else 9.5)


def _draw_covariance(ax: Axes, r: _Arrow, curve: tuple[Point, Point, Point], labels: _Labels) -> None:
    """A curved arrow with two heads."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    path = Path(curve, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
    ax.add_patch(
        FancyArrowPatch(
            path=path, arrowstyle="<|-|>", mutation_scale=8, color=GREY, linewidth=1.0, linestyle=r.line, zorder=1
        )
    )
    start, control, end = (np.array(point) for point in curve)
    spots = [tuple((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end) for t in (0.5, 0.4, 0.6, 0.3, 0.7)]
    labels.write(r.text, spots, "#404040", 8)


def _draw_node(ax: Axes, name: str, n: _Node) -> None:
    from matplotlib.patches import Ellipse, Patch, Rectangle

    shape: Patch = (
        Ellipse((n.x, n.y), n.width, n.height)
        if n.latent
        else Rectangle((n.x - n.width / 2, n.y - n.height / 2), n.width, n.height)
    )
    shape.set(
        facecolor="#eef4fa" if n.latent else "white", edgecolor="black", linewidth=1.2 if n.latent else 0.9, zorder=5
    )
    ax.add_patch(shape)
    ax.text(n.x, n.y, name, ha="center", va="center", fontsize=9.5 if n.latent else 8.5, zorder=6)


def _diagram_curve(r: _Arrow, nodes: dict[str, _Node]) -> tuple[Point, Point, Point]:
    """Start, control point and end of a curved arrow; it bends outward, more the farther apart its ends are."""
    one, other = nodes[r.lhs], nodes[r.rhs]
    a, b = np.array([one.x, one.y]), np.array([other.x, other.y])
    gap, middle = np.linalg.norm(b - a), (a + b) / 2
    places = [(n.x, n.y) for n in nodes.values()]
    outward = middle - (np.min(places, axis=0) + np.max(places, axis=0)) / 2
    for axis, size in ((0, one.width), (1, one.height)):  # boxes of one column or row: from side to side
        if not one.latent and not other.latent and abs(a[axis] - b[axis]) < 1e-6:
            side = np.eye(2)[axis] * (1.0 if outward[axis] >= 0 else -1.0)
            return (
                tuple(a + side * size / 2),
                tuple(middle + side * (size / 2 + 0.3 + 0.4 * gap)),
                tuple(b + side * size / 2),
            )
    normal = np.array([-(b - a)[1], (b - a)[0]]) / max(gap, 1e-9)
    one_column = abs(a[0] - b[0]) < 0.3
    if one.latent and other.latent and one_column:  # towards the side where no items hang
        items = [n.x for n in nodes.values() if not n.latent]
        near = min(items, key=lambda x: abs(x - a[0])) if items else a[0] + 1
        outward = np.array([a[0] - near, 0.0])
    if normal @ outward < 0:
        normal = -normal
    bend = float(0.45 + 0.28 * gap)
    if (
        one.latent
        and one_column
        and any(
            n.latent and abs(n.x - middle[0]) < 0.3 and min(a[1], b[1]) < n.y < max(a[1], b[1]) for n in nodes.values()
        )
    ):
        bend = max(
            bend, one.width + 0.5
        )  # round the latent that stands between; a curve reaches half way to its control point
    control = tuple(middle + normal * bend)
    return one.edge(control), control, other.edge(control)
