"""A PLS path model as it is written: blocks, paths, interactions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import pandas as pd

from ..core import checks
from ..core.arguments import NAMES
from ..core.errors import DataError

SCHEMES = ("path", "factorial", "centroid")


def read_paths(paths: str | Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """``"Y ~ A + B"`` lines, or a dict of them, to outcome -> sources."""
    if isinstance(paths, str):
        out: dict[str, list[str]] = {}
        for number, line in enumerate(re.split(r"[\n;]", paths), start=1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            sides = [s.strip() for s in line.split("~")]
            if len(sides) != 2 or not sides[0] or not sides[1]:
                raise DataError(f"line {number} of the paths is {line!r}; write outcome ~ source + source")
            terms = [re.sub(r"\s*\*\s*", "*", t.strip()) for t in sides[1].split("+")]
            if not all(terms):
                raise DataError(f"line {number} of the paths has an empty term: {line!r}")
            out.setdefault(sides[0], []).extend(terms)
    elif isinstance(paths, Mapping):
        for source in paths.values():
            NAMES.check("each entry of paths", source)
        out = {k: [v] if isinstance(v, str) else list(v) for k, v in paths.items()}
    else:
        raise DataError("paths must be text such as 'CUSL ~ COMP + LIKE' or a dict {'CUSL': ['COMP', 'LIKE']}")
    if not out or not all(out.values()):
        raise DataError("paths hold no path; write one line an outcome, e.g. 'CUSL ~ COMP + LIKE'")
    return out


def check_model(blocks: dict[str, list[str]], edges: dict[str, list[str]], formative: Sequence[str]) -> None:
    for name in blocks:
        if "*" in name or "~" in name or "+" in name:
            raise DataError(f"construct name {name!r} may not contain *, ~ or +")
    owner: dict[str, str] = {}
    for name, block in blocks.items():
        for item in block:
            if item in owner:
                raise DataError(f"item {item!r} is in two constructs, {owner[item]!r} and {name!r}; keep it in one")
            owner[item] = name
    used = set()
    for target, sources in edges.items():
        twice = sorted({s for s in sources if sources.count(s) > 1})
        if twice:
            raise DataError(f"path {twice[0]} -> {target} is named twice")
        for name in [target, *(part for s in sources for part in s.split("*"))]:
            if name not in blocks:
                raise DataError(f"{name!r} is in the paths but not among the constructs.{checks.suggest(name, blocks)}")
            used.add(name)
        _check_products(target, sources)
    idle = [name for name in blocks if name not in used]
    if idle:
        raise DataError(f"construct {idle[0]!r} has items but no path; add a path or leave it out")
    for name in formative:
        if name not in blocks:
            raise DataError(f"formative construct {name!r} is not among the constructs.{checks.suggest(name, blocks)}")
    _check_no_loop(edges)


def _check_products(target: str, sources: Sequence[str]) -> None:
    for source in sources:
        parts = source.split("*")
        if len(parts) > 2:
            raise DataError(f"{source!r}: a product of two constructs is possible, not of {len(parts)}")
        lacking = [p for p in parts if len(parts) == 2 and p not in sources]
        if lacking:
            raise DataError(
                f"the product {source} -> {target} needs the path {lacking[0]} -> {target} too: "
                "without both main effects its coefficient means nothing"
            )


def _check_no_loop(edges: Mapping[str, Sequence[str]]) -> None:
    # A loop would let the estimator run without an error and mean nothing.
    left = {t: {p for s in sources for p in s.split("*")} for t, sources in edges.items()}
    while left:
        free = [t for t, sources in left.items() if not sources & set(left)]
        if not free:
            raise DataError(f"the paths run in a circle through {', '.join(left)}; PLS needs a model without loops")
        for t in free:
            del left[t]


@dataclass(frozen=True)
class Specification:
    """The model as indices, shared by the estimate and the bootstrap."""

    blocks: dict[str, list[str]]
    edges: dict[str, list[str]]
    formative: tuple[str, ...]
    scheme: str

    @property
    def items(self) -> list[str]:
        return [i for b in self.blocks.values() for i in b]

    @property
    def places(self) -> dict[str, slice]:
        """Where the items of each construct stand among all items; a product is an item behind them."""
        sizes = [*map(len, self.blocks.values()), *(1 for _ in self.products)]
        names = [*self.blocks, *self.products]
        return {c: slice(e - n, e) for c, n, e in zip(names, sizes, accumulate(sizes), strict=True)}

    @property
    def products(self) -> list[str]:
        return list(dict.fromkeys(s for sources in self.edges.values() for s in sources if "*" in s))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(s, t) for t, sources in self.edges.items() for s in sources]

    def without(self, source: str, target: str) -> Specification | None:
        """The model without one path; constructs that lose their last path go too. None when no path is left."""
        edges = {t: [s for s in ss if (s, t) != (source, target)] for t, ss in self.edges.items()}
        edges = {t: ss for t, ss in edges.items() if ss}
        used = {p for t, ss in edges.items() for s in [t, *ss] for p in s.split("*")}
        blocks = {k: b for k, b in self.blocks.items() if k in used}
        return (
            Specification(blocks, edges, tuple(f for f in self.formative if f in used), self.scheme) if edges else None
        )


def row_keys(spec: Specification, what: str) -> pd.DataFrame:
    if what == "paths":
        return pd.DataFrame(spec.pairs, columns=["from", "to"])
    if what in ("loadings", "weights"):
        return pd.DataFrame([(c, i) for c, b in spec.blocks.items() for i in b], columns=["construct", "item"])
    if what == "r2":
        return pd.DataFrame({"construct": list(spec.edges)})
    return pd.DataFrame(htmt_pairs(spec), columns=["row", "column"])


def htmt_pairs(spec: Specification) -> list[tuple[str, str]]:
    names = [c for c in spec.blocks if c not in spec.formative]
    return [(names[i], names[j]) for i in range(len(names)) for j in range(i)]
