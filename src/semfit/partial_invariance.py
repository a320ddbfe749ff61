"""Which equalities across groups do not hold: a search that counts what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from .arguments import NAMES, checked, one_of
from .equality import score_tests
from .errors import DataError, NotConvergedError, NotIdentifiedError
from .ladder import Ladder, Step
from .measurement_invariance import Invariance, invariance
from .nested import difference_row
from .printing import Result
from .result import Fit
from .saturated import shared_rows
from .spec import ModelSpec

HOLM, BONFERRONI = "holm", "bonferroni"
ANCHORS = 2  # equalities that must stay: loadings and intercepts of a latent, thresholds of an item
COLUMNS = ["level", "lhs", "op", "rhs", "chisq", "df", "pvalue", "p_adjusted", "released", "difference"]

Key = tuple[str, str, str]  # lhs, op, rhs of a parameter, in all groups


@dataclass(frozen=True, eq=False, repr=False)
class PartialInvariance(Result):
    """What a search for unequal parameters released; made by :func:`partial_search`.

    Attributes
    ----------
    table : DataFrame
        One row a test in the order made: level, lhs, op, rhs, chisq, df, pvalue, p_adjusted, released, difference. The
        last row of a level is the largest that stayed equal. ``difference`` is the estimate of the group that differs
        most from the first, less the first's, once released.
    group_partial : tuple of str
        What is free in the end, for ``group_partial=`` of :func:`semfit.fit` and :func:`semfit.invariance`, to be handed
        over together with ``std_lv=True``.
    ladder : Invariance
        The ladder with these parameters free at every level, fitted when it is asked for.
    n_looked_at : int
        Equalities that could have been released.
    alpha : float
    adjust : str or None
    n_obs : int
    groups : tuple of str
    climb : callable
        Fits the ladder.
    warnings : tuple of str
    """

    table: pd.DataFrame
    group_partial: tuple[str, ...]
    n_looked_at: int
    alpha: float
    adjust: str | None
    n_obs: int
    groups: tuple[str, ...]
    climb: Callable[[], Invariance]
    warnings: tuple[str, ...] = ()

    @cached_property
    def ladder(self) -> Invariance:
        return self.climb()

    @property
    def released(self) -> list[str]:
        """Parameters that a test released, in order."""
        found = self.table[self.table["released"]]
        return [_text((r.lhs, r.op, r.rhs)) for r in found.itertuples()]

    def _heading(self) -> str:
        names = self.released
        what = "none released" if not names else f"{len(names)} released ({', '.join(names)})"
        if self.adjust is None:
            how = f"p-values not adjusted, so that {self.alpha:.0%} of what is equal is released by chance"
        else:
            how = f"p-values adjusted for their number ({self.adjust.capitalize()}), alpha {self.alpha:g}"
        return (
            f"Search for partial invariance across {', '.join(self.groups)}, n = {self.n_obs}: {self.n_looked_at} equalities "
            f"looked at, {what}; {how}.\nThe outcome is exploratory: the same data chose what to release and tested it. "
            "Confirm it in other data."
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table)] if len(self.table) else []


@checked(adjust=one_of(HOLM, BONFERRONI, None), levels=NAMES)
@shared_rows()
def partial_search(
    model: str | ModelSpec,
    data: pd.DataFrame,
    group: str,
    *,
    alpha: float = 0.05,
    adjust: str | None = HOLM,
    levels: str | Sequence[str] | None = None,
    group_partial: str | Sequence[str] = (),
    estimator: str | None = None,
    missing: str = "listwise",
    ordered: bool | str | Sequence[str] | None = None,
    cluster: str | None = None,
    sampling_weights: str | None = None,
) -> PartialInvariance:
    """Release unequal parameters one at a time, with p-values adjusted for the number of equalities looked at.

    Parameters
    ----------
    model : str or ModelSpec
        Measurement model in lavaan syntax, of first or second order.
    data : DataFrame
    group : str
        Column that holds the groups.
    alpha : float, default 0.05
        Chance of releasing anything where all groups are alike, over the whole search.
    adjust : str, optional
        ``"holm"`` (default), ``"bonferroni"``, or None for none: then a search of twenty equalities releases at least one
        of them in two of three samples in which nothing differs.
    levels : str or sequence of str, optional
        Steps of :func:`semfit.invariance` to be searched, in their order; None means all up to the equal intercepts.
    group_partial : str or sequence of str
        Parameters that are free from the start, and not looked at.
    estimator, missing : str
        As in :func:`semfit.fit`.
    ordered : bool or str or sequence of str, optional
        As in :func:`semfit.invariance`.
    cluster, sampling_weights : str, optional
        Columns, as in :func:`semfit.fit`.

    Returns
    -------
    PartialInvariance

    Raises
    ------
    DataError, NotConvergedError
        And what :func:`semfit.fit` raises.

    Notes
    -----
    The ladder is climbed step by step. At each the equality with the largest score test (per degree of freedom the
    smallest p-value) is released if its adjusted p-value is below ``alpha``, the model is fitted again, and so on until
    none is. Under MLR, with clusters, and under WLSMV the score test does not have the distribution it is read by, and
    each equality is released in a refit and tested by the scaled difference instead (Satorra & Bentler 2001; Satorra
    2000). With m equalities over all levels and k released so far Holm's adjusted p-value is (m - k) p, Bonferroni's
    m p. Two loadings and two intercepts of a latent, and two thresholds of an item, always stay equal; an item whose
    loading is free has a free intercept, too, without a test. Variances of the latents are 1 in the first group, so
    that every loading can be looked at, a marker's too.

    Skewed answers on a few points need ``ordered=True``: where groups had other means but the same items, a search by ML
    released something in a third of the samples, by MLR in a tenth, by WLSMV in 7 % (benchmarks/partial_search.csv).

    A difference that all items but one share looks like a difference of that one: which items are the like ones no test
    can tell.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=800)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=800) for i in range(1, 6)})
    >>> data["school"] = np.repeat(["north", "south"], 400)
    >>> data.loc[data["school"] == "south", "x3"] += 0.6
    >>> found = semfit.partial_search("f =~ x1 + x2 + x3 + x4 + x5", data, group="school")
    >>> found.released, found.n_looked_at
    (['x3 ~ 1'], 10)
    """
    start = (group_partial,) if isinstance(group_partial, str) else tuple(group_partial)
    options: dict[str, Any] = {
        "estimator": estimator,
        "missing": missing,
        "ordered": ordered,
        "cluster": cluster,
        "sampling_weights": sampling_weights,
    }
    ladder = Ladder.of(model, data, group, partial=start, std_lv=True, **options)
    search = _Search(ladder, alpha, adjust, _chosen(ladder, levels), start)
    search.run()
    configural = ladder.fit(ladder.steps[0])
    more = tuple(dict.fromkeys((*start, *search.free)))
    return PartialInvariance(
        pd.DataFrame(search.rows, columns=COLUMNS),
        more,
        search.m,
        alpha,
        adjust,
        configural.n_total,
        configural.solution.groups,
        partial(invariance, model, data, group, group_partial=more, std_lv=True, **options),
        (*ladder.assumed, *search.notes, *map(str, configural.notes)),
    )


def _chosen(ladder: Ladder, levels: str | Sequence[str] | None) -> list[Step]:
    """The steps to search."""
    names = [s.name for s in ladder.steps if s.equal]
    if levels is None:
        return [s for s in ladder.steps if s.equal and "residuals" not in s.equal]
    asked = [levels] if isinstance(levels, str) else list(levels)
    for name in asked:
        if name not in names:
            raise DataError(f"levels takes {', '.join(map(repr, names))}, not {name!r}")
    return [s for s in ladder.steps if s.name in asked]


def _text(key: Key) -> str:
    """A parameter as ``group_partial`` takes it."""
    lhs, op, rhs = key
    return f"{lhs} ~ 1" if op == "~1" else f"{lhs} {op} {rhs}"


@dataclass(eq=False)
class _Search:
    """One search: what was looked at and released so far.

    Attributes
    ----------
    free : list of str
        Parameters released, by a test or beside a loading.
    rows : list of tuple
        Tests, as in ``PartialInvariance.table``.
    m : int
        Equalities that could be released, over all levels.
    """

    ladder: Ladder
    alpha: float
    adjust: str | None
    steps: list[Step]
    start: tuple[str, ...]
    free: list[str] = field(default_factory=list)
    rows: list[tuple] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    m: int = 0

    def run(self) -> None:
        """Climb the levels."""
        equal: dict[str, list[Key]] = {}
        known: set[Key] = set()
        plain: dict[str, Fit] = {}
        last = max((k for k, step in enumerate(self.ladder.steps) if step in self.steps), default=-1)
        for step in self.ladder.steps[: last + 1]:
            if not step.equal:
                continue
            plain[step.name] = self.ladder.fit(step)
            new = [key for key in self._equalities(step, plain[step.name]) if key not in known]
            known |= set(new)
            equal[step.name] = new
        equal = {step.name: equal[step.name] for step in self.steps}
        self.m = sum(len(self._open(keys)) for keys in equal.values())
        if not self.m:
            self.notes.append(
                "no equality could be released: two loadings and two intercepts of each latent must stay equal"
            )
        for step in self.steps:
            self._beside_loadings(equal[step.name])
            now = self.ladder.fit(step, self.free) if self.free else plain[step.name]
            if not self._level(step, equal[step.name], now):
                break

    def _equalities(self, step: Step, f: Fit) -> list[Key]:
        """Parameters that the step holds equal across groups, of which something is free."""
        rows: dict[Key, list] = {}
        for r in f.solution.model.rows:
            if r.label:
                rows.setdefault((r.lhs, r.op, r.rhs), []).append(r)
        out = [
            key
            for key, same in rows.items()
            if len({r.group for r in same}) > 1
            and {r.label for r in same} == {"".join(key)}  # not a label of the user's
            and any(r.free >= 0 for r in same)
        ]
        if "intercepts" in step.equal:  # of ordered items they are 0 in all groups
            out += [(v, "~1", "") for v in self.ladder.items if not step.model.has(v, "~1")]
        return [key for key in out if _text(key) not in self.start]

    def _open(self, keys: list[Key]) -> list[Key]:
        """Equalities that can be released: enough others stay."""
        held = [key for key in keys if _text(key) not in self.free]
        return [key for key in held if all(len(others) > ANCHORS for others in self._companions(key, held))]

    def _companions(self, key: Key, held: list[Key]) -> list[list[Key]]:
        """Sets of equalities, this one included, of which some must stay."""
        lhs, op, _ = key
        if op in ("=~", "|"):
            return [[k for k in held if k[1] == op and k[0] == lhs]]
        if op != "~1":
            return []
        spec = self.ladder.steps[0].model
        of = [f for f in spec.latents if lhs in spec.items(f)]
        return [[k for k in held if k[1] == "~1" and k[0] in spec.items(f)] for f in of]

    def _beside_loadings(self, keys: list[Key]) -> None:
        """Free the intercepts of items whose loading is free."""
        spec = self.ladder.steps[0].model
        for lhs, op, _ in keys:
            loadings = [f"{f} =~ {lhs}" for f in spec.latents if lhs in spec.items(f)]
            text = f"{lhs} ~ 1"
            if op == "~1" and text not in self.free and set(loadings) & {*self.free, *self.start}:
                self.free.append(text)
                self.notes.append(f"{text} was left free without a test, since the loading of {lhs} is free")

    def _level(self, step: Step, keys: list[Key], now: Fit) -> bool:
        """Search one step from its fit; False where that has no solution."""
        while keys and now.converged:
            found = self._best(step, now, self._open(keys))
            if found is None:
                return True
            key, chisq, df, p, loose = found
            adjusted = min(1.0, p * self._factor())
            release = adjusted < self.alpha
            if release:
                loose = loose or self.ladder.fit(step, [*self.free, _text(key)])
                if not loose.converged:
                    self.notes.append(f"{_text(key)} was not released: without its equality the model has no solution")
                    return True
                self.free.append(_text(key))
            gap = _difference(loose, key) if release and loose is not None else np.nan
            self.rows.append((step.name, *key, chisq, df, p, adjusted, release, gap))
            if not release:
                return True
            now = loose
        if not now.converged:
            self.notes.append(f"{step.name} model: it did not converge, and the search ended there")
        return now.converged

    def _factor(self) -> int:
        released = sum(row[8] for row in self.rows)
        return {HOLM: self.m - released, BONFERRONI: self.m}.get(str(self.adjust), 1)

    def _best(self, step: Step, now: Fit, keys: list[Key]) -> tuple | None:
        """(parameter, chi-square, df, p-value, refit or None) of the equality that holds worst."""
        if not keys:
            return None
        s = now.solution
        if not s.robust and now.estimator == "ML":
            table = score_tests(now).table
            table = table[table["released"] == "across groups"].set_index(["lhs", "op", "rhs"])
            tests = [(key, *table.loc[key, ["chisq", "df", "pvalue"]], None) for key in keys if key in table.index]
        else:
            tests = [test for key in keys if (test := self._refit(step, now, key)) is not None]
        return min(tests, key=lambda t: (t[3], -t[1]), default=None)

    def _refit(self, step: Step, now: Fit, key: Key) -> tuple | None:
        """The same by a refit without the equality; None where that has no solution or fits no better."""
        try:
            loose = self.ladder.fit(step, [*self.free, _text(key)])
        except (NotIdentifiedError, NotConvergedError):
            return None
        if not loose.converged or loose.df >= now.df:
            return None
        row = difference_row(now, loose)
        p = row["delta_pvalue"]
        return None if not p == p else (key, row["delta_chisq"], row["delta_df"], p, loose)


def _difference(f: Fit, key: Key) -> float:
    """Estimate of the group that differs most from the first, less the first's."""
    table = f.estimates
    mine = table[(table["lhs"] == key[0]) & (table["op"] == key[1]) & (table["rhs"] == key[2])]
    gaps = mine["est"].to_numpy()[1:] - mine["est"].iloc[0]
    return float(gaps[np.argmax(np.abs(gaps))])
