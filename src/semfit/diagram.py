"""A fitted model as a path diagram, drawn by matplotlib where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arguments import DECIMALS, FITTED, NAME, TEXT, checked, one_of
from .errors import DataError, extra
from .palette import COLORS, GREY
from .partable import parameter_table
from .spec import ModelSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# --- path diagram of a structural model ---------------------------------------------------------------------------
# All lengths in inches. A latent and what it measures form a tree; trees hang on columns, causes left, effects right.
_ROW, _LEVEL, _RISE, _COLUMN = 0.36, 1.55, 1.15, 1.75


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
    place, boxes, facing = _diagram_layout(rows)
    arcs = [r for r in rows if r["op"] == "~~" and r["lhs"] != r["rhs"] and not r["hidden"]]
    if covariances == "auto" and len(arcs) > 6:
        foot.append(f"{len(arcs)} covariances not drawn")
        arcs = []
    elif not covariances:
        arcs = []
    return _diagram_draw(rows, arcs, place, boxes, facing, "; ".join(foot), title, ax)


def _diagram_rows(fit, standardized: bool, group, decimals: int) -> tuple[list[dict], list[str]]:
    """Arrows to draw as dicts (lhs op rhs text value p hidden) and the parts of the footnote."""
    if isinstance(fit, (str, ModelSpec)):
        table = parameter_table(ModelSpec.of(fit).parsed)[0]
        return [
            {
                "lhs": r.lhs,
                "op": r.op,
                "rhs": r.rhs,
                "text": r.label or "",
                "value": 1.0,
                "p": 0.0,
                "hidden": r.op == "~~" and (r.exo or r.fixed == 0),
            }
            for r in table
            if r.op in ("=~", "~", "~~")
        ], []
    FITTED.check("fit", fit)
    est, foot = fit.estimates, []
    if "group" in est:
        labels = [str(g) for g in fit.groups]
        if group is not None and str(group) not in labels + [str(k + 1) for k in range(len(labels))]:
            raise DataError(f"group {group!r} is not in the fit; there are: {', '.join(labels)}")
        k = 0 if group is None else labels.index(str(group)) if str(group) in labels else int(group) - 1
        est = est[est["group"] == k + 1]
        foot.append(f"group {labels[k]}")
        n = fit.n_obs[k]
    else:
        if group is not None:
            raise DataError(f"group is {group!r}, and the fit has no groups; leave it out")
        n = fit.n_obs
    column = "std_all" if standardized else "est"
    rows = []
    for r in est[est["op"].isin(["=~", "~", "~~"])].to_dict("records"):
        value, p = r[column], r["pvalue"]
        free = p == p
        rows.append(
            {
                "lhs": r["lhs"],
                "op": r["op"],
                "rhs": r["rhs"],
                "text": f"{value:.{decimals}f}",
                "value": value,
                "p": p if free else 0.0,
                "hidden": r["op"] == "~~" and not free,
            }
        )
    foot.insert(0, f"{'Standardised' if standardized else 'Unstandardised'} {fit.estimator} estimates, n = {n}")
    if any(r["p"] >= 0.05 for r in rows if r["op"] != "=~" and r["lhs"] != r["rhs"]):
        foot.append("broken lines: p ≥ .05")
    return rows, foot


def _diagram_layout(rows: list[dict]) -> tuple[dict, dict, dict]:
    """Of every variable: centre (x, y), (width, height, is latent), and the direction in which its tree grows."""
    loadings = [r for r in rows if r["op"] == "=~"]
    paths = [r for r in rows if r["op"] == "~"]
    latents = list(dict.fromkeys(r["lhs"] for r in loadings))
    names = list(dict.fromkeys(n for r in rows for n in (r["lhs"], r["rhs"])))
    children = _diagram_children(names, loadings)
    owned = {n for group in children.values() for n in group}
    roots = [n for n in names if n not in owned] or names[:1]
    item = 0.3 + 0.085 * max((len(n) for n in names if n not in latents), default=2)
    oval = 0.5 + 0.085 * max((len(n) for n in latents), default=2)
    boxes = {n: (oval, 0.56, True) if n in latents else (item, 0.27, False) for n in names}

    column = _diagram_columns(roots, [(r["rhs"], r["lhs"]) for r in paths])
    last = max(column.values())

    def leaves(n):
        return sum(leaves(c) for c in children[n]) or 1

    def depth(n):
        return 1 + max(depth(c) for c in children[n]) if children[n] else 0

    place: dict[str, tuple[float, float]] = {}
    facing: dict[str, tuple[int, int]] = {}

    def hang(n, x, y, dx, dy):
        """Place n at (x, y) and its tree in direction (dx, dy)."""
        place[n], facing[n] = (x, y), (dx, dy)
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

    def stack(members, x, dx):
        """Trees below one another, centred at height 0."""
        sizes = [max(leaves(n) * _ROW, boxes[n][1] + 0.12) for n in members]
        y = (sum(sizes) + 0.22 * (len(members) - 1)) / 2
        for n, size in zip(members, sizes, strict=True):
            hang(n, x, y - size / 2, dx, 0)
            y -= size + 0.22

    by_column = [[n for n in roots if column[n] == k] for k in range(last + 1)]
    if last == 0:  # measurement only: everything grows to the right
        stack(by_column[0], 0.0, 1)
        return place, boxes, facing
    x, below = 0.0, False
    widths = [
        max([boxes[n][0] for n in m] + [leaves(n) * (item + 0.1) for n in m if 0 < k < last])
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
    return place, boxes, facing


def _diagram_children(names: list[str], loadings: list[dict]) -> dict[str, list[str]]:
    """What hangs on each variable: the first latent that measures it; further loadings are only arrows."""
    children: dict[str, list[str]] = {n: [] for n in names}
    owned: set[str] = set()
    for r in loadings:
        if r["rhs"] not in owned and r["rhs"] != r["lhs"]:
            children[r["lhs"]].append(r["rhs"])
            owned.add(r["rhs"])
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


def _diagram_edge(center, size, toward):
    """The point where the line from ``center`` to ``toward`` leaves the ellipse or box."""
    import numpy as np

    (x, y), (w, h, oval) = center, size
    dx, dy = toward[0] - x, toward[1] - y
    if dx == dy == 0:
        return x, y
    if oval:
        t = 1 / np.hypot(dx / (w / 2), dy / (h / 2))
    else:
        t = min(w / 2 / abs(dx) if dx else np.inf, h / 2 / abs(dy) if dy else np.inf)
    return x + t * dx, y + t * dy


def _diagram_draw(rows, arcs, place, boxes, facing, foot, title, ax):
    with extra("plots"):
        import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle
    from matplotlib.path import Path

    curves = [_diagram_curve(r, place, boxes) for r in arcs]
    points = [p for c in curves for p in (c[0], c[2], tuple(np.array(c).T @ (0.25, 0.5, 0.25)))]
    edges = points + [
        (x + i * boxes[n][0] / 2, y + j * boxes[n][1] / 2)
        for n, (x, y) in place.items()
        for i in (-1, 1)
        for j in (-1, 1)
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
    taken = [(x + f * boxes[n][0] / 2, y) for n, (x, y) in place.items() for f in (-0.6, 0.0, 0.6)]

    def write(text, spots, color, size):
        """Put a label at the spot that is farthest from what is there already."""
        if not text:
            return
        crowd = np.array(taken)
        gaps = [
            np.hypot((crowd[:, 0] - x) / 1.4, (crowd[:, 1] - y) * 1.2).min() - 0.02 * k
            for k, (x, y) in enumerate(spots)
        ]
        x, y = spots[int(np.argmax(np.minimum(gaps, 0.28 - 0.01 * np.arange(len(gaps)))))]
        taken.append((x, y))
        ax.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            fontsize=size,
            color=color,
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.9},
        )

    for r in rows:
        if r["op"] not in ("=~", "~"):
            continue
        a, b = (r["lhs"], r["rhs"]) if r["op"] == "=~" else (r["rhs"], r["lhs"])
        start = _diagram_edge(place[a], boxes[a], place[b])
        end = _diagram_edge(place[b], boxes[b], place[a])
        inner = r["op"] == "=~"
        if inner:  # loadings end at the near side of the box, so that neighbours stay apart
            end = _diagram_side(place[b], boxes[b], facing[b])
        color = GREY if inner else COLORS[0] if r["value"] >= 0 else COLORS[1]
        solid = r["p"] < 0.05
        ax.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>",
                mutation_scale=8 if inner else 12,
                shrinkA=0,
                shrinkB=0,
                color=color,
                linewidth=0.9 if inner else 1.7,
                linestyle="-" if solid else (0, (4, 2)),
                zorder=2 if inner else 3,
            )
        )
        far = (0.45, 0.4, 0.5) if boxes[b][2] else (0.66, 0.58, 0.5)
        where = far if inner else (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74)
        spots = [(start[0] + t * (end[0] - start[0]), start[1] + t * (end[1] - start[1])) for t in where]
        write(r["text"], spots, "#404040" if inner else color, 7.5 if inner else 9.5)
    for r, (start, control, end) in zip(arcs, curves, strict=True):
        ax.add_patch(
            FancyArrowPatch(
                path=Path([start, control, end], [Path.MOVETO, Path.CURVE3, Path.CURVE3]),
                arrowstyle="<|-|>",
                mutation_scale=8,
                color=GREY,
                linewidth=1.0,
                linestyle="-" if r["p"] < 0.05 else (0, (4, 2)),
                zorder=1,
            )
        )
        spots = [
            tuple((1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(control) + t**2 * np.array(end))
            for t in (0.5, 0.4, 0.6, 0.3, 0.7)
        ]
        write(r["text"], spots, "#404040", 8)
    for n, (x, y) in place.items():
        w, h, oval = boxes[n]
        shape = Ellipse((x, y), w, h) if oval else Rectangle((x - w / 2, y - h / 2), w, h)
        shape.set(
            facecolor="#eef4fa" if oval else "white",
            edgecolor="black",
            linewidth=1.2 if oval else 0.9,
            zorder=5,
        )
        ax.add_patch(shape)
        ax.text(x, y, n, ha="center", va="center", fontsize=9.5 if oval else 8.5, zorder=6)
    if foot:
        ax.text(left + 0.05, bottom + 0.1, foot, ha="left", va="bottom", fontsize=8, color="#404040")
    return ax


def _diagram_side(center, size, facing):
    """Middle of the side of a node that faces the latent it hangs on."""
    (x, y), (w, h, _), (dx, dy) = center, size, facing
    return x - dx * w / 2, y - dy * h / 2


def _diagram_curve(r, place, boxes):
    """Start, control point and end of a curved arrow; it bends outward, more the farther apart its ends are."""
    import numpy as np

    a, b = np.array(place[r["lhs"]]), np.array(place[r["rhs"]])
    (w, h, oval), (_, _, other) = boxes[r["lhs"]], boxes[r["rhs"]]
    gap, middle = np.linalg.norm(b - a), (a + b) / 2
    center = (np.min(list(place.values()), axis=0) + np.max(list(place.values()), axis=0)) / 2
    outward = middle - center
    for axis, size in ((0, w), (1, h)):  # boxes of one column or row: from side to side
        if not oval and not other and abs(a[axis] - b[axis]) < 1e-6:
            side = np.eye(2)[axis] * (1.0 if outward[axis] >= 0 else -1.0)
            return (
                tuple(a + side * size / 2),
                tuple(middle + side * (size / 2 + 0.3 + 0.4 * gap)),
                tuple(b + side * size / 2),
            )
    normal = np.array([-(b - a)[1], (b - a)[0]]) / max(gap, 1e-9)
    if oval and other and abs(a[0] - b[0]) < 0.3:  # latents of one column: towards the side where no items hang
        items = [p[0] for n, p in place.items() if not boxes[n][2]]
        near = min(items, key=lambda x: abs(x - a[0])) if items else a[0] + 1
        outward = np.array([a[0] - near, 0.0])
    if normal @ outward < 0:
        normal = -normal
    bend = 0.45 + 0.28 * gap
    if any(
        oval and abs(x - middle[0]) < 0.3 and min(a[1], b[1]) < y < max(a[1], b[1])
        for n, (x, y) in place.items()
        if boxes[n][2] and abs(a[0] - b[0]) < 0.3
    ):
        bend = max(bend, w + 0.5)  # round the latent that stands between; a curve reaches half way to its control point
    control = tuple(middle + normal * bend)
    start, end = (_diagram_edge(place[v], boxes[v], control) for v in (r["lhs"], r["rhs"]))
    return start, control, end
