"""Do the paths of the PLS model differ between groups? By permutation, after a look at how the composites are formed."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from switchcost.core.errors import DataError
from switchcost.plspm.batch import resample
from switchcost.plspm.spec import Specification, row_keys

from .analysis import Gaps, PathGroups, Pls
from .plan import Plan, dummy
from .rules import RULES


def path_groups(pls: Pls, plan: Plan, made: Gaps) -> PathGroups:
    """Each group against the largest: the model in both, and in ``n_boot`` random divisions of their respondents.

    Compared are the paths of the hypotheses. p is the share of divisions, the real one among them, whose paths differ as
    much (Holm over all of the table). For a composite it is the share in which its scores by the weights of both groups
    correlate as little: step 2 of MICOM.

    Raises
    ------
    DataError
        Fewer than two groups are large enough, or an item has no variance in one of them.
    """
    fit, column, found, formed = pls.fit, made.keyed[plan.group], [], []
    sizes = column.value_counts()
    largest, *others = [g for g, n in sizes.items() if RULES["group_few"](n)] or [None]
    spec = _without(fit.spec, {plan.group, *(dummy(str(plan.group), v) for v in sizes.index)})
    if spec is None or not others:
        raise DataError(f"there are no two groups of at least {RULES['group_few'].limit:g} respondents, or no path "
                        f"beside {plan.group!r}")  # fmt: skip
    for group in others:
        here = column.isin([largest, group]).to_numpy()
        x, first = fit.answers.loc[here, spec.items], (column[here] == largest).to_numpy()
        rng = np.random.default_rng(plan.seed)
        blocks = np.array_split([first, *(rng.permutation(first) for _ in range(plan.n_boot))], plan.n_boot // 100 + 1)
        one, two = (
            resample(spec, x.to_numpy(), [partial(np.asarray, b == of, float) for b in blocks]) for of in (True, False)
        )
        apart = np.abs(one["paths"] - two["paths"])
        if np.isnan(apart[0]).any():
            raise DataError(f"in group {largest!r} or {group!r} of {plan.group!r} an item has no variance")
        fine = ~np.isnan(apart).any(axis=1)
        paths = row_keys(spec, "paths").assign(group=group, first=one["paths"][0], second=two["paths"][0])
        paths["p"] = (apart[fine] >= apart[0] - 1e-12).mean(axis=0)
        found.append(paths[[s in plan.paths.get(t, ()) or "*" in s for s, t in spec.pairs]])
        for name, c in _alike(spec, x, one["weights"][fine], two["weights"][fine]).items():
            formed.append((group, name, c[0], np.quantile(c[1:], 0.05), np.mean(c <= c[0] + 1e-12)))
    import pingouin as pg

    table = pd.concat(found, ignore_index=True)
    table = table.assign(
        difference=table["first"] - table["second"], p_holm=pg.multicomp(table["p"].to_numpy(), method="holm")[1],
    )  # fmt: skip
    composites = pd.DataFrame(formed, columns=["group", "composite", "c", "low", "p"])
    return PathGroups(largest, sizes[[largest, *others]], table, composites)


def _without(spec: Specification | None, names: set[str | None]) -> Specification | None:
    """The model without paths from the groups themselves."""
    for source, target in spec.pairs if spec else []:
        spec = spec.without(source, target) if spec and names & {*source.split("*")} else spec
    return spec


def _alike(spec: Specification, x: pd.DataFrame, one: np.ndarray, two: np.ndarray) -> dict[str, np.ndarray]:
    """Correlation of a composite's scores by the weights of one group and of the other, in every division."""
    r, owner, out = x.fillna(x.mean()).corr().to_numpy(), row_keys(spec, "weights")["construct"].to_numpy(), {}
    for name, block in spec.blocks.items():
        if len(block) > 1:
            at, mine = [spec.items.index(i) for i in block], owner == name
            a, b = one[:, mine], two[:, mine]
            ab, aa, bb = (np.einsum("di,ij,dj->d", v, r[np.ix_(at, at)], u) for v, u in ((a, b), (a, a), (b, b)))
            out[name] = np.abs(ab) / np.sqrt(aa * bb)
    return out
