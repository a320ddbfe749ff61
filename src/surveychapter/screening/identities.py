"""Search for columns that follow from other columns: recodes, clips, copies, extremes, sums and means.

How sure is a finding? Two honest questions are not answered alike by everybody, however close their wording.
Let ``q`` be the share of rows in which an honest column could agree with the best rule that uses another
column; we grant ``q = 0.8``, or half way between the rule's agreement by luck and 1 if that is more. A rule
with ``g`` free values that holds in all ``N`` rows then has the chance ``q ** (N - g)``, and with ``k``
exceptions the lower binomial tail. The chance is multiplied by the number of rules tried (Bonferroni). The
largest agreement between honest columns of the surveys that come with this project is 0.59 (columns with a
dominant answer apart).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc

HONEST_AGREEMENT = 0.8
REPORT_BELOW = 0.01  # chance
FEW_LEVELS = 15


@dataclass(frozen=True)
class Identity:
    """One column that follows from others."""

    target: str
    sources: tuple[str, ...]
    form: str
    holds: int
    rows: int
    chance: float

    @property
    def is_copy(self) -> bool:
        """Equal to one other column, row by row."""
        return self.form == f"copy of {self.sources[0]}"


def stem(name: str) -> str:
    """Common part of the names of a block: ``qual_1`` and ``qual_2`` have the stem ``qual``."""
    return re.sub(r"[_.\s-]*\d+[a-z]?$", "", str(name)) or str(name)


def short(names: Sequence[str]) -> str:
    """Write a block of names briefly: ``qual_1..8``."""
    names = list(names)
    numbers = [m for m in (re.search(r"(\d+)$", n) for n in names) if m]
    if 2 < len(names) == len(numbers) and len({n[: m.start()] for n, m in zip(names, numbers, strict=True)}) == 1:
        values = [int(m.group(1)) for m in numbers]
        if values == list(range(values[0], values[0] + len(values))):
            return f"{names[0]}..{values[-1]}"
    return ", ".join(names)


def _g(value: float) -> str:
    return f"{value:.10g}"


# ------------------------------------------------------------------------------------- functions of one column
def describe(x: np.ndarray, y: np.ndarray, name: str) -> tuple[int, str]:
    """Name the rule that leads from the levels ``x`` (ascending) to ``y``.

    Returns
    -------
    (rank, text)
        Rank 0 is the simplest kind of rule.
    """
    if np.array_equal(x, y):
        return 0, f"copy of {name}"
    if len(x) >= 3:
        if np.allclose(y - x, y[0] - x[0]):
            return 0, f"{name} {_signed(y[0] - x[0])}"
        if np.allclose(y + x, y[0] + x[0]):
            return 0, f"{_g(y[0] + x[0])} - {name} (reversed copy)"
        slope = (y[-1] - y[0]) / (x[-1] - x[0])
        if slope != 0 and np.allclose(y, y[0] + slope * (x - x[0])):
            shift = y[0] - slope * x[0]
            return 1, f"{_g(slope)} * {name}" + (f" {_signed(shift)}" if abs(shift) > 1e-12 else "")
        low, high = y.min(), y.max()
        two = len(np.unique(y)) == 2  # a cut in two reads better than a clip
        best: tuple[int, str] | None = None
        for sign in () if two else (1, -1):
            for c in np.unique(y - sign * x):
                if np.allclose(np.clip(sign * x + c, low, high), y):
                    inside = int(np.sum((sign * x + c >= low) & (sign * x + c <= high)))
                    inner = f"{name} {_signed(c)}" if sign == 1 else f"{_g(c)} - {name}"
                    if c == 0 and sign == 1:
                        inner = name
                    if inside >= 2 and (best is None or inside > best[0]):
                        best = (inside, f"clip({inner}, {_g(low)}, {_g(high)})")
        if best is not None:
            return 1, best[1]
    steps = np.diff(y)
    in_order = bool((steps >= 0).all() or (steps <= 0).all())
    if len(np.unique(y)) == 2 and in_order:
        cut = int(np.argmax(steps != 0))
        return 2, f"{name} cut in two: {_g(y[0])} up to {_g(x[cut])}, {_g(y[-1])} from {_g(x[cut + 1])}"
    if len(x) > 20:
        return (2 if in_order else 3), f"{name} put into {len(np.unique(y))} classes"
    table = ", ".join(f"{_g(a)}->{_g(b)}" for a, b in zip(x, y, strict=True))
    return (2 if in_order else 3), f"recode of {name} ({table})"


def _signed(value: float) -> str:
    return f"+ {_g(value)}" if value >= 0 else f"- {_g(-value)}"


@dataclass(frozen=True, eq=False)
class _Coded:
    """Answers (rows, columns), and each as a place among its column's own values, -1 where missing."""

    values: np.ndarray
    names: list[str]
    codes: list[np.ndarray]
    levels: list[np.ndarray]

    @classmethod
    def of(cls, data: pd.DataFrame) -> _Coded:
        columns = [pd.factorize(column, sort=True) for column in data.to_numpy(float).T]
        return cls(data.to_numpy(float), list(data.columns), [c for c, _ in columns], [np.array(v) for _, v in columns])

    @property
    def count(self) -> np.ndarray:
        """Different values of each column."""
        return np.array([len(v) for v in self.levels])

    @property
    def honest(self) -> np.ndarray:
        """Share of rows in which an honest column could agree with the best rule."""
        seen = [c[c >= 0] for c in self.codes]
        luck = np.array([np.bincount(c).max() / len(c) if len(c) else 1.0 for c in seen])
        return np.maximum(HONEST_AGREEMENT, (1 + luck) / 2)


@dataclass(frozen=True, eq=False)
class _Rules:
    """The best rule from each column (axis 0) to each other one (axis 1)."""

    holds: np.ndarray  # rows in which it is right
    rows: np.ndarray  # rows with both answers
    free: np.ndarray  # those rows less the levels of the source, for each of which the rule names an answer

    def identity(self, x: _Coded, source: int, target: int, form: str, chance: np.ndarray) -> Identity:
        """One of the rules, named."""
        at = source, target
        names = x.names[target], (x.names[source],)
        return Identity(*names, form, int(self.holds[at]), int(self.rows[at]), float(chance[at]))


def of_one(data: pd.DataFrame) -> tuple[list[Identity], list[Identity]]:
    """Find columns that are a function of one other column.

    Parameters
    ----------
    data : DataFrame of floats, NaN where missing

    Returns
    -------
    (exact, near)
        ``exact`` holds in every row; ``near`` in at least 95 % of them, too many for honest answers.
    """
    n, p = data.shape
    if p < 2 or n < 10:
        return [], []
    x = _Coded.of(data)
    rules = _best_rules(x)
    usable = (rules.rows >= 10) & (x.count[None, :] >= 2) & (x.count[:, None] >= 2)
    exact = _exact(x, rules, usable)
    return exact, _near(x, rules, usable, {identity.target for identity in exact})


def _best_rules(x: _Coded) -> _Rules:
    n, p = x.values.shape
    holds, rows, values = np.zeros((p, p)), np.zeros((p, p)), np.full((p, p), np.inf)
    few = np.flatnonzero((x.count >= 2) & (x.count <= FEW_LEVELS))
    if len(few) > 1:
        starts = np.concatenate([[0], np.cumsum(x.count[few])[:-1]])
        hot = np.zeros((n, int(x.count[few].sum())), dtype=np.float32)
        for s, j in zip(starts.tolist(), few.tolist(), strict=True):
            seen = x.codes[j] >= 0
            hot[np.flatnonzero(seen), s + x.codes[j][seen]] = 1
        cross = hot.T @ hot
        best = np.maximum.reduceat(cross, starts, axis=1)
        sums = np.add.reduceat(cross, starts, axis=1)
        holds[np.ix_(few, few)] = np.add.reduceat(best, starts, axis=0)
        rows[np.ix_(few, few)] = np.add.reduceat(sums, starts, axis=0)
        values[np.ix_(few, few)] = np.add.reduceat((sums > 0).astype(float), starts, axis=0)
    # A source with many levels (age in years) can only be tested for an exact rule: smallest = largest in each class.
    for j in np.flatnonzero((x.count > FEW_LEVELS) & (x.count <= n / 2)).tolist():
        order = np.argsort(x.codes[j], kind="stable")
        order = order[x.codes[j][order] >= 0]
        starts = np.flatnonzero(np.diff(x.codes[j][order], prepend=-1))
        block = x.values[order]
        low, high = np.fmin.reduceat(block, starts, axis=0), np.fmax.reduceat(block, starts, axis=0)
        with np.errstate(invalid="ignore"):
            exact = ~(low < high).any(axis=0)
        rows[j] = (~np.isnan(block)).sum(axis=0)
        holds[j] = np.where(exact, rows[j], 0)
        values[j] = (~np.isnan(low)).sum(axis=0)
    np.fill_diagonal(rows, 0)
    return _Rules(holds, rows, np.clip(rows - values, 0, None))


def _exact(x: _Coded, rules: _Rules, usable: np.ndarray) -> list[Identity]:
    p, count = len(x.names), x.count
    with np.errstate(over="ignore", invalid="ignore"):
        chance = np.minimum(1.0, p * (p - 1) * np.power(x.honest[None, :], rules.free))
    follows = usable & (rules.holds == rules.rows) & (chance < REPORT_BELOW)
    # of two columns that determine each other, the first is the source
    follows &= ~follows.T | np.triu(np.ones((p, p), dtype=bool))
    derived = np.flatnonzero(follows.any(axis=0)).tolist()
    found = []
    for b in derived:
        options = np.flatnonzero(follows[:, b]).tolist()
        roots = [a for a in options if a not in derived] or options
        named = []
        for a in roots:
            both = (x.codes[a] >= 0) & (x.codes[b] >= 0)
            at, first = np.unique(x.codes[a][both], return_index=True)
            named.append((*describe(x.levels[a][at], x.values[both, b][first], x.names[a]), a))
        # simplest rule first; among equals the source that keeps most apart, then the first column
        _, form, a = min(named, key=lambda f: (f[0], -count[f[2]], f[2]))
        found.append(rules.identity(x, a, b, form, chance))
    return found


def _near(x: _Coded, rules: _Rules, usable: np.ndarray, derived: set[str]) -> list[Identity]:
    p, count, wrong = len(x.names), x.count, rules.rows - rules.holds
    # lower binomial tail P(exceptions <= wrong), written with the incomplete beta function
    tail = betainc(np.maximum(rules.free - wrong, 1e-9), wrong + 1, np.broadcast_to(x.honest, (p, p)))
    tail = np.minimum(1.0, p * (p - 1) * tail)
    close = usable & (wrong > 0) & (wrong <= 0.05 * rules.rows) & (tail < REPORT_BELOW) & (rules.rows >= 30)
    found = []
    for b, name in enumerate(x.names):
        options = [a for a in np.flatnonzero(close[:, b]).tolist() if not (close[b, a] and b < a)]
        if name in derived or not options:
            continue
        a = max(options, key=lambda k: (rules.holds[k, b] / rules.rows[k, b], -k))
        both = (x.codes[a] >= 0) & (x.codes[b] >= 0)
        table = np.zeros((count[a], count[b]))
        np.add.at(table, (x.codes[a][both], x.codes[b][both]), 1)
        at = table.sum(axis=1) > 0
        _, form = describe(x.levels[a][at], x.levels[b][table.argmax(axis=1)][at], x.names[a])
        found.append(rules.identity(x, a, b, form, tail))
    return found


# -------------------------------------------------------------------------------------- functions of a block
def of_block(data: pd.DataFrame, blocks: dict[str, list[str]] | None = None) -> list[Identity]:
    """Find columns that are the largest, smallest, rounded mean, sum or another linear rule of several others.

    Parameters
    ----------
    data : DataFrame of floats; columns that follow from a single other one should be left out
    blocks : dict from name to columns, optional; blocks of equal name stems when None
    """
    found: list[Identity] = []
    done: set[str] = set()
    for identity in (*_extremes(data), *_linear(data), *_rounded(data, blocks)):
        if identity.target not in done:
            done.add(identity.target)
            found.append(identity)
    return found


def _chance(luck: float, free: int, trials: int) -> float:
    return float(min(1.0, trials * max(HONEST_AGREEMENT, (1 + luck) / 2) ** max(free, 0)))


def _luck(a: np.ndarray, b: np.ndarray) -> float:
    """Share of rows in which two unrelated columns with these answers agree."""
    va, ca = np.unique(a, return_counts=True)
    vb, cb = np.unique(b, return_counts=True)
    _, ia, ib = np.intersect1d(va, vb, return_indices=True)
    return float((ca[ia] / len(a)) @ (cb[ib] / len(b)))


def _extremes(data: pd.DataFrame) -> list[Identity]:
    values, names = data.to_numpy(float), list(data.columns)
    n, p = values.shape
    if n < 20 or p < 3:
        return []
    look = np.random.default_rng(0).permutation(n)[:300]  # a first look at few rows rules out most candidates
    found = []
    for sign, word in ((1.0, "maximum"), (-1.0, "minimum")):
        x = sign * values
        for b in range(p):
            y = x[:, b]
            with np.errstate(invalid="ignore"):
                some = ~(x[look] > y[look, None]).any(axis=0)
                some[b] = False
                under = [j for j in np.flatnonzero(some) if not (x[:, j] > y).any()]
                if len(under) < 2:
                    continue
                reach = x[:, under] == y[:, None]
            seen = ~np.isnan(y)
            gaps = np.isnan(x[:, under]).any(axis=1)
            covered = reach.any(axis=1)
            if (seen & ~gaps & ~covered).any() or covered.sum() < 20:
                continue
            # Leave out the blocks that are not needed: columns that never exceed the target for other reasons.
            stems = [stem(names[j]) for j in under]
            keep = np.ones(len(under), dtype=bool)
            hits = {s: sum(reach[:, k].sum() for k, own in enumerate(stems) if own == s) for s in dict.fromkeys(stems)}
            for s in sorted(hits, key=hits.__getitem__):
                without = keep & np.array([t != s for t in stems])
                if without.any() and (reach[:, without].any(axis=1) == covered).all():
                    keep = without
            block = [under[k] for k in np.flatnonzero(keep)]
            if len(block) < 2:
                continue
            whole = seen & ~np.isnan(x[:, block]).any(axis=1)
            rows = int(whole.sum())
            if rows < 20 or len(np.unique(y[whole])) < 2:
                continue
            top = x[whole][:, block].max(axis=1)
            if (top != y[whole]).any():
                continue
            chance = _chance(_luck(top, y[whole]), rows - len(block), 4 * p)
            # A target that nearly always sits at the end of the scale equals any maximum by luck.
            if chance < REPORT_BELOW:
                columns = tuple(names[j] for j in block)
                found.append(Identity(names[b], columns, f"row {word} of {short(columns)}", rows, rows, chance))
    return found


def _linear(data: pd.DataFrame) -> list[Identity]:
    names, x = list(data.columns), data.to_numpy(float)
    if len(names) < 2 or (np.nanstd(x, axis=0) == 0).all():
        return []
    complete = ~np.isnan(x).any(axis=1)
    if complete.sum() >= len(names) + 20:
        return _linear_complete(x[complete], names)
    return _linear_gaps(x, names)


def _linear_complete(x: np.ndarray, names: list[str]) -> list[Identity]:
    n, p = x.shape
    z = x - x.mean(axis=0)
    size = np.linalg.norm(z, axis=0)
    z = z / np.where(size > 0, size, 1)
    basis = np.zeros((n, 0))
    independent: list[int] = []
    found = []
    for j in range(p):
        if size[j] == 0:
            continue
        rest = z[:, j].copy()
        for _ in range(2):  # twice is enough for orthogonality (Kahan; Giraud et al. 2005)
            rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > 1e-7:
            basis = np.column_stack([basis, rest / length])
            independent.append(j)
            continue
        weights = np.linalg.lstsq(z[:, independent], z[:, j], rcond=None)[0] * size[j] / size[independent]
        identity = _named_relation(x, names, j, independent, weights, n - len(independent), p)
        if identity is not None:
            found.append(identity)
    return found


def _linear_gaps(x: np.ndarray, names: list[str]) -> list[Identity]:
    """The same with too few complete rows: pick sources one by one, then check the rows that have them all."""
    n, p = x.shape
    mean, spread = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
    z = np.where(np.isnan(x), 0.0, (x - mean) / np.where(spread > 0, spread, 1))
    found: list[Identity] = []
    targets: set[str] = set()
    for j in reversed(range(p)):
        chosen: list[int] = []
        rest = z[:, j].copy()
        for _ in range(min(12, p - 1)):
            pull = np.abs(z.T @ rest)
            pull[[j, *chosen, *[k for k in range(p) if spread[k] == 0 or names[k] in targets]]] = -1
            if pull.max() <= 1e-9:
                break
            chosen.append(int(pull.argmax()))
            rest = z[:, j] - z[:, chosen] @ np.linalg.lstsq(z[:, chosen], z[:, j], rcond=None)[0]
            rows = ~np.isnan(x[:, [j, *chosen]]).any(axis=1)
            if rows.sum() < len(chosen) + 20:
                break
            design = np.column_stack([np.ones(rows.sum()), x[rows][:, chosen]])
            weights = np.linalg.lstsq(design, x[rows, j], rcond=None)[0]
            if np.abs(x[rows, j] - design @ weights).max() < 1e-7 * max(spread[j], 1e-12):
                identity = _named_relation(x[rows], names, j, chosen, weights[1:], int(rows.sum()) - len(chosen), p)
                if identity is not None:
                    found.append(identity)
                    targets.add(identity.target)
                break
    return found


def _named_relation(
    x: np.ndarray, names: list[str], j: int, others: list[int], weights: np.ndarray, free: int, p: int
) -> Identity | None:
    used = [(k, w) for k, w in zip(others, weights, strict=True) if abs(w) > 1e-6]
    if not used:
        return None
    members = [j, *[k for k, _ in used]]
    relation = np.array([-1.0, *[w for _, w in used]])
    # Any member can stand on the left; take the one that makes the rule simplest, a sum rather than a difference.
    # Of three, the one with another range than the other two: a sum or difference of two ratings is no rating.
    odd = []
    if len(members) == 3:
        span = np.column_stack([x[:, members].min(axis=0), x[:, members].max(axis=0)])
        apart = [np.abs(span[t - 1] - span[t - 2]).sum() for t in range(3)]
        odd = [int(np.argmin(apart))] if sorted(apart)[0] < sorted(apart)[1] else []
    found = []
    for t in odd or range(len(members)):
        w = -relation / relation[t]
        rest = np.delete(w, t)
        equal = np.allclose(rest, rest[0], rtol=1e-5)
        score = (not (equal and rest[0] > 0), not np.allclose(np.abs(rest), 1, rtol=1e-5), -members[t])
        found.append((score, t, rest))
    _, t, rest = min(found, key=lambda f: f[0])
    target = members[t]
    sources = np.delete(members, t)
    order = np.argsort(sources)
    sources, rest = sources[order], rest[order]
    columns = tuple(names[k] for k in sources)
    shift = float(np.mean(x[:, target] - x[:, sources] @ rest))
    tail = f" {_signed(round(shift, 10))}" if abs(shift) > 1e-6 else ""
    k = len(sources)
    if k == 1:
        form = f"{_g(round(rest[0], 10))} * {columns[0]}{tail}"
    elif np.allclose(rest, 1, rtol=1e-5):
        form = f"sum of {short(columns)}{tail}"
    elif np.allclose(rest, 1 / k, rtol=1e-5):
        form = f"mean of {short(columns)}{tail}"
    elif k <= 6:
        form = " ".join(
            f"{'+' if w > 0 else '-'} {'' if abs(abs(w) - 1) < 1e-5 else _g(round(abs(w), 6)) + ' * '}{c}"
            for w, c in zip(rest, columns, strict=True)
        )
        form = form.removeprefix("+ ") + tail
    else:
        form = f"linear combination of {short(columns)}"
    # Rows in which the target has its usual answer say little: two rare indicators agree nearly everywhere.
    usual = np.unique(x[:, target], return_counts=True)[1].max() / len(x)
    chance = _chance(usual, free, p)
    return Identity(names[target], columns, form, len(x), len(x), chance) if chance < REPORT_BELOW else None


def _rounded(data: pd.DataFrame, blocks: dict[str, list[str]] | None) -> list[Identity]:
    x, names = data.to_numpy(float), list(data.columns)
    if blocks is None:
        blocks = {}
        for name in names:
            blocks.setdefault(stem(name), []).append(name)
    found = []
    for members in blocks.values():
        members = [m for m in members if m in names]
        if len(members) < 2:
            continue
        at = [names.index(m) for m in members]
        whole = ~np.isnan(x[:, at]).any(axis=1)
        if whole.sum() < 30:
            continue
        mean = x[whole][:, at].mean(axis=1)
        forms = {
            "mean, rounded": np.floor(mean + 0.5 + 1e-9),
            "mean, rounded half to even": np.round(mean),
            "mean, rounded down": np.floor(mean + 1e-9),
            "mean, rounded up": np.ceil(mean - 1e-9),
            "median": np.median(x[whole][:, at], axis=1),
        }
        for b in sorted(set(range(len(names))) - set(at)):
            y = x[whole, b]
            seen = ~np.isnan(y)
            rows = int(seen.sum())
            if rows < 30 or len(np.unique(y[seen])) < 2:
                continue
            places = _places(y[seen])
            if places:  # a mean written to a file with one to three decimals
                unit = 10.0**-places
                form = f"mean, rounded to {places} decimal{'s' if places > 1 else ''}"
                matches = [(form, y)] if (np.abs(y - mean)[seen] <= unit / 2 + 1e-9).all() else []
            else:
                matches = [(f, v) for f, v in forms.items() if np.array_equal(y[seen], v[seen])]
            for form, value in matches[:1]:
                luck = _luck(value[seen], y[seen]) if not places else 0.0
                chance = _chance(luck, rows - len(at), 6 * len(names) * len(blocks))
                if chance < REPORT_BELOW:
                    text = f"{form}, of {short(members)}"
                    found.append(Identity(names[b], tuple(members), text, rows, rows, chance))
    return found


def _places(y: np.ndarray) -> int:
    """Decimals of a rounded column: 1 to 3, or 0 for whole numbers and for numbers with more decimals."""
    for places in range(4):
        if np.allclose(y * 10**places, np.round(y * 10**places), atol=1e-6):
            return places
    return 0
