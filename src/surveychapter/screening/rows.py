"""Checks of rows: careless answering, questionnaires entered twice, missing answers with a cause."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betaln, chdtrc, gammaln

from switchcost.core.threads import one_thread

from . import careless
from .checks import Check, Findings, limit

CHECK_OF = {
    "longest run": Check.LONGEST_RUN,
    "spread within person": Check.SPREAD_WITHIN,
    "even-odd consistency": Check.EVEN_ODD,
    "Mahalanobis distance": Check.MAHALANOBIS,
    "unusual profile": Check.UNUSUAL_PROFILE,
}


def careless_checks(
    items: pd.DataFrame, blocks: dict[str, list[str]], reverse: list[str], found: Findings, seed: int, draws: int | None
) -> pd.DataFrame:
    """Indices of careless answering by row, with the share of attentive respondents at least as extreme."""
    n, p = items.shape
    if p < 8 or n < 50:
        return pd.DataFrame(index=items.index)
    ranges: dict[tuple[float, float], list[str]] = {}
    for name in items:
        ranges.setdefault((items[name].min(), items[name].max()), []).append(name)
    widest = max(hi for _, hi in ranges)
    # Items whose largest answer is one short of the others' belong to the same scale.
    top = max(ranges, key=lambda k: len(ranges[k]))
    one_range = [
        c
        for (_, hi), cols in ranges.items()
        if hi in (top[1], top[1] - 1) or (top[1] == widest - 1 and hi == widest and len(cols) < 3)
        for c in cols
    ]
    one_range = [c for c in items if c in set(one_range)]
    if len(one_range) < 8:
        return pd.DataFrame(index=items.index)
    scales = {k: [i for i in v if i in items.columns] for k, v in blocks.items()}
    scales = {k: v for k, v in scales.items() if len(v) > 1}
    draws = int(np.clip(100 * n, 20_000, 100_000)) if draws is None else int(draws)
    with one_thread():
        values, chance = careless.indices(items, scales, reverse, one_range, seed, draws)
    flags = pd.DataFrame(index=items.index)
    for name in values:
        flags[name] = careless.false_discovery(chance[name].to_numpy(), limit(CHECK_OF[name]))
        _report_rows(name, values[name], flags[name].to_numpy(), found)
    if "unusual profile" in chance:
        odd = careless.false_discovery(chance["unusual profile"].to_numpy(), limit(Check.UNUSUAL_PROFILE))
        odd &= ~flags.any(axis=1).to_numpy()
        _report_rows("unusual profile", values["Mahalanobis distance"], odd, found)
    out = values.join(chance.add_suffix(" p"))
    out["flagged_by"] = flags.sum(axis=1)
    return out


def _report_rows(name: str, values: pd.Series, flag: np.ndarray, found: Findings) -> None:
    if not flag.any():
        return
    _, formula, source = careless.INDICES[name]
    worst, labels = values[flag], values.index[flag]
    shown = ", ".join(map(str, labels[:12])) + (", ..." if len(labels) > 12 else "")
    span = f"{worst.min():.3g}" + ("" if worst.min() == worst.max() else f" to {worst.max():.3g}")
    rows = "1 row" if len(labels) == 1 else f"{len(labels)} rows"
    what = "Mahalanobis distance" if name == "unusual profile" else name
    detail = f"{rows} with {what} {span}, median of all {values.median():.3g} ({formula}; {source}). Rows {shown}"
    found.add(CHECK_OF[name], (), len(labels), detail, chance=limit(CHECK_OF[name]), labels=labels)


def _beta_binomial_tail(k: int, n: int, mean: float, var: float) -> float:
    """P(K >= k) of a count out of n with this mean and variance, heavier-tailed than the binomial."""
    if not 0 < mean < n:
        return float(mean >= n)
    p = mean / n
    rho = np.clip((var / (n * p * (1 - p)) - 1) / (n - 1), 1e-6, 0.999) if n > 1 else 1e-6
    a, b = p * (1 / rho - 1), (1 - p) * (1 / rho - 1)
    m = np.arange(k, n + 1)
    choose = gammaln(n + 1) - gammaln(m + 1) - gammaln(n - m + 1)
    return float(np.exp(choose + betaln(m + a, n - m + b) - betaln(a, b)).sum())


def _hashable(column: pd.Series) -> pd.Series:
    """Cells that hold lists or dicts as their text."""
    odd = column.map(lambda v: isinstance(v, (list, dict, set, pd.Series))) if column.dtype == object else None
    return column if odd is None or not odd.any() else column.astype(str)


def duplicates(data: pd.DataFrame, items: pd.DataFrame, respondents: pd.DataFrame, found: Findings) -> None:
    n, p = data.shape
    if p < 2 or n < 4:
        return
    codes = np.column_stack([pd.factorize(_hashable(data[c]))[0] for c in data])
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, n, (2, 20_000))
    a, b = a[a != b], b[a != b]
    equal = (codes[a] == codes[b]).sum(axis=1)
    pairs = n * (n - 1) / 2

    seen: dict[bytes, int] = {}
    twin = np.full(n, -1)
    for i, row in enumerate(np.ascontiguousarray(codes)):
        first = seen.setdefault(row.tobytes(), i)
        twin[i] = first if first != i else -1
    copies = np.flatnonzero(twin >= 0)
    if len(copies):
        chance = min(1.0, pairs * _beta_binomial_tail(p, p, equal.mean(), equal.var()))
        label = data.index
        in_block: set[int] = set()
        start = 0
        while start < len(copies):  # runs of copies whose originals also follow each other
            end = start
            while (
                end + 1 < len(copies)
                and copies[end + 1] == copies[end] + 1
                and twin[copies[end + 1]] == twin[copies[end]] + 1
            ):
                end += 1
            length = end - start + 1
            # Where equal rows are common anyway (few columns, months of one customer) a short run of them is no copy.
            rare = chance < limit(Check.DUPLICATE_BLOCK, "chance of one equal pair, below")
            long = length >= limit(Check.DUPLICATE_BLOCK, "or rows, at least")
            if length >= limit(Check.DUPLICATE_BLOCK) and (rare or long):
                i, j = copies[start], twin[copies[start]]
                block = copies[start : end + 1]
                in_block |= set(block.tolist())
                detail = (
                    f"rows {label[i]} to {label[block[-1]]} repeat rows {label[j]} to {label[j + length - 1]} in all "
                    f"{p} columns: entered twice"
                )
                found.add(
                    Check.DUPLICATE_BLOCK,
                    (),
                    length,
                    detail,
                    chance=float(min(1.0, n * n * (min(1.0, chance / pairs)) ** length)),
                    labels=tuple(label[block]),
                )
            start = end + 1
        single = [i for i in copies if i not in in_block]
        if single and chance < limit(Check.DUPLICATE_ROWS):
            shown = "; ".join(f"{label[i]} = {label[twin[i]]}" for i in single[:8])
            detail = (
                f"{len(single)} rows repeat another row in all {p} columns: {shown}{'; ...' if len(single) > 8 else ''}"
            )
            found.add(Check.DUPLICATE_ROWS, (), len(single), detail, chance=float(chance), labels=tuple(label[single]))
    _near_duplicates(items, respondents, set(copies.tolist()), found)


def _near_duplicates(items: pd.DataFrame, respondents: pd.DataFrame, known: set[int], found: Findings) -> None:
    """Pairs of rows that share more than 85 % of their answers and more than chance allows (Kuriakose & Robbins 2016)."""
    n, p = items.shape
    if p < 20 or n < 50 or n > 4000:
        return
    skip = set(known)
    if (
        "spread within person p" in respondents
    ):  # people who answer everything alike resemble each other for that reason
        skip |= set(np.flatnonzero(respondents["spread within person p"].to_numpy() < 0.001).tolist())
    keep = np.array([i for i in range(n) if i not in skip])
    x = items.to_numpy(float)[keep]
    equal = np.zeros((len(keep), len(keep)), dtype=np.float32)
    both = (~np.isnan(x)).astype(np.float32)
    for value in np.unique(x[~np.isnan(x)]):
        hot = (x == value).astype(np.float32)
        equal += hot @ hot.T
    shared = both @ both.T
    i, j = np.triu_indices(len(keep), 1)
    counts, sizes = equal[i, j], shared[i, j]
    full = sizes >= limit(Check.NEAR_DUPLICATES, "share of items that both answered, at least") * p
    if not full.any():
        return
    mean, var = counts[full].mean(), counts[full].var()
    close = np.flatnonzero(full & (counts > limit(Check.NEAR_DUPLICATES) * sizes))
    rows, worst = [], 1.0
    for k in close:
        chance = min(1.0, len(i) * _beta_binomial_tail(int(counts[k] / sizes[k] * p), p, mean, var))
        if chance < limit(Check.NEAR_DUPLICATES, "chance, below"):
            rows.append((items.index[keep[i[k]]], items.index[keep[j[k]]], counts[k] / sizes[k]))
            worst = min(worst, chance)
    if rows:
        labels = tuple(dict.fromkeys(r for a, b, _ in rows for r in (a, b)))
        shown = "; ".join(f"{a} and {b} ({s:.0%})" for a, b, s in rows[:6])
        detail = (
            f"{len(rows)} pairs of rows share most answers: {shown} (share of equal answers; Kuriakose & Robbins 2016)"
        )
        found.add(Check.NEAR_DUPLICATES, (), len(labels), detail, chance=float(worst), labels=labels)


def missingness(data: pd.DataFrame, x: pd.DataFrame, nominal: dict[str, np.ndarray], found: Findings) -> None:
    """Do gaps go with another column? Rank correlation with numbers, Kruskal-Wallis with groups."""
    gaps = data.isna()
    some = [c for c in gaps if gaps[c].sum() >= 5 and not gaps[c].all()]
    if not some:
        return
    count = gaps[some].sum(axis=1).to_numpy(float)
    if count.std() == 0:
        return
    results = []
    for name in x:
        own = gaps[name].to_numpy() if name in some else np.zeros(len(data), dtype=bool)
        v = x[name].to_numpy(float)
        seen = ~np.isnan(v)
        others = count - own
        if seen.sum() < 20 or others[seen].std() == 0 or np.nanstd(v) == 0:
            continue
        r = np.corrcoef(pd.Series(v[seen]).rank(), pd.Series(others[seen]).rank())[0, 1]
        results.append((float(careless.two_sided(r * np.sqrt(seen.sum() - 1))), name, r))
    for name, v in nominal.items():
        seen = ~np.isnan(v)
        others = count - (gaps[name].to_numpy() if name in some else 0)
        if seen.sum() < 20 or others[seen].std() == 0:
            continue
        rank = pd.Series(others[seen]).rank()
        means, sizes = rank.groupby(v[seen]).mean(), rank.groupby(v[seen]).size()
        if len(means) > 1:
            h = float((sizes * (means - rank.mean()) ** 2).sum() / rank.var())
            results.append((float(chdtrc(len(means) - 1, h)), name, np.nan))
    results = sorted((min(1.0, p * len(results)), name, r) for p, name, r in results)
    hits = [r for r in results if r[0] < limit(Check.MISSINGNESS)]
    if hits:
        chance, name, r = hits[0]
        v = x[name].to_numpy(float) if name in x else nominal[name]
        also = ", ".join(h[1] for h in hits[1:6])
        rate = gaps[[c for c in some if c != name]].mean(axis=1).to_numpy()
        if name in x and np.isfinite(r):
            low, high = np.nanquantile(v, [1 / 3, 2 / 3])
            lowest, highest = f"{rate[v <= low].mean():.1%}", f"{rate[v >= high].mean():.1%}"
            what = f"{lowest} of the answers are missing in the lowest third of {name}, {highest} in the highest"
        else:
            parts = [f"{rate[v == g].mean():.1%}" for g in np.unique(v[~np.isnan(v)])]
            what = f"missing answers by group of {name}: {', '.join(parts)}"
        also = f"; also goes with {also}" if also else ""
        detail = f"{what}{also}. Dropping incomplete rows changes the sample"
        rows = data.index[count > 0]
        found.add(Check.MISSINGNESS, name, len(rows), detail, chance=chance, labels=rows)
    _missing_in_one(gaps[some], x, {name for _, name, _ in hits}, found)


def _missing_in_one(gaps: pd.DataFrame, x: pd.DataFrame, known: set[str], found: Findings) -> None:
    """Columns whose gaps depend on another one, where the number of gaps in a row hides it."""
    z_all = x.rank().apply(lambda c: (c - c.mean()) / c.std()).fillna(0.0).to_numpy()
    tests = max(1, gaps.shape[1] * x.shape[1])
    for column in gaps if x.shape[1] > 1 else ():
        gap = gaps[column].to_numpy(float)
        if gap.sum() < 10:
            continue
        score = ((gap - gap.mean()) / gap.std()) @ z_all / np.sqrt(len(gap))
        score[[k for k, c in enumerate(x) if c == column]] = 0
        k = int(np.abs(score).argmax())
        chance = min(1.0, tests * float(careless.two_sided(score[k])))
        driver = list(x)[k]
        if chance < limit(Check.MISSINGNESS, "chance for a single column, below") and driver not in known:
            side = "high" if score[k] > 0 else "low"
            detail = f"{column} is missing more often where {driver} is {side} (r = {score[k] / np.sqrt(len(gap)):.2f})"
            rows = gaps.index[gap > 0]
            found.add(Check.MISSINGNESS, (column, driver), len(rows), detail, chance=chance, labels=rows)
