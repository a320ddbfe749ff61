"""The numbers on the sample: who answered, who left, what is missing, descriptives."""

from __future__ import annotations

import numpy as np
import pandas as pd

from switchcost.core import checks
from switchcost.core.errors import DataError

from .analysis import Descriptives, Gaps, Sample, Step
from .plan import Plan
from .screening.audit import audit
from .screening.cells import NOT_ITEMS
from .screening.checks import Check

MOST_GROUPS = 8  # a number with more values is described by its mean


def sample(plan: Plan) -> tuple[Sample, pd.DataFrame]:
    """Audit the raw answers, leave out what the plan says, describe who is left; the rows used come second."""
    found = audit(plan.raw, plan.book)
    flow = [Step(s["step"], s["dropped"], s["left"]) for s in plan.raw.attrs.get("flow", [])]
    flow = flow or [Step("records in the file", 0, len(plan.raw))]
    out, left = pd.Index([]), len(plan.raw)
    for rule in plan.exclude:
        rows = found.rows_of(rule)
        new = rows.difference(out)
        left -= len(new)
        flow.append(Step(rule, len(new), left, rule=True))
        out = out.union(rows)
    used = plan.raw.drop(index=out)
    flagged = found.rows_of("duplicated", "careless", "near duplicates").difference(out)
    background = plan.book.loc[
        plan.book["construct"].str.lower().isin(NOT_ITEMS - {"key", "id", "platform", "text", "attention"}), "variable"
    ]
    people = [row for n in dict.fromkeys([*background, *filter(None, [plan.group])]) for row in _described(used, n, plan)]  # fmt: skip
    columns = ["characteristic", "value", "share", "mean", "sd", "low", "high", "n"]
    return Sample(found, flow, out, flagged, pd.DataFrame(people, columns=columns), flow[0].left, len(used)), used


def _described(used: pd.DataFrame, name: str, plan: Plan) -> list[tuple]:
    """Mean and range of a number with many values, shares of anything else."""
    col = used[name].dropna()
    nominal = name in plan.nominal or name in plan.raw.attrs.get("value_labels", {})
    if pd.api.types.is_numeric_dtype(col) and not nominal and col.nunique() > MOST_GROUPS:
        return [(name, "", np.nan, col.mean(), col.std(), col.min(), col.max(), len(col))]
    counts = col.value_counts().head(MOST_GROUPS)
    return [(name, k, v / len(col), np.nan, np.nan, np.nan, np.nan, int(v)) for k, v in counts.items()]


def gaps(plan: Plan, used: pd.DataFrame, found: Sample) -> Gaps:
    """Turn reverse items round, empty impossible cells, score the scales, and count what is missing."""
    book = plan.book.set_index("variable")
    keyed, impossible, turned = used.copy(), {}, []
    for item in [*plan.items, *plan.columns]:
        low, high = (book[c].get(item, np.nan) for c in ("low", "high"))
        bounded = pd.notna(low) and pd.notna(high)
        if bounded and item not in plan.nominal:
            keyed[item] = checks.numeric(used, [item], codes="allow")[item]
            bad = (keyed[item] < low) | (keyed[item] > high)
            if bad.any():
                impossible[item] = int(bad.sum())
                keyed.loc[bad, item] = np.nan
        if bool(book["reverse"].get(item, False)):
            if not bounded:
                raise DataError(
                    f"item {item!r} is marked reverse, but the codebook gives no low and high to turn it round"
                )
            keyed[item] = low + high - keyed[item]
            turned.append(item)
    for name, words in plan.raw.attrs.get("value_labels", {}).items():
        if name in {*plan.nominal, plan.group} and name in keyed:
            keyed[name] = keyed[name].map(lambda v, words=words: words.get(v, v))
    missing = keyed[plan.items].isna()
    worst = missing.mean().idxmax()
    drivers = sorted({f.columns[-1] for f in found.audit.of(Check.MISSINGNESS)})
    return Gaps(
        turned, impossible, float(missing.to_numpy().mean()), worst, float(missing[worst].mean()),
        int((~missing.any(axis=1)).sum()), len(keyed), drivers, keyed, scores(plan, keyed, plan.least),
    )  # fmt: skip


def scores(plan: Plan, keyed: pd.DataFrame, least: float = 1.0) -> pd.DataFrame:
    """Means of items for those who answered at least the share ``least`` of them, and the columns of the model."""
    made = {s: keyed[i].mean(axis=1).where(keyed[i].notna().mean(axis=1) >= least) for s, i in plan.scales.items()}
    return pd.DataFrame(made).join(keyed[[c for c in plan.columns if c not in made]])


def descriptives(plan: Plan, made: Gaps) -> Descriptives:
    """Means, spreads and correlations of all numeric roles, and of the items."""
    frame = made.scores
    numbers = frame[
        [n for n in plan.named if n in frame and n not in plan.nominal and pd.api.types.is_numeric_dtype(frame[n])]
    ]
    complete = len(numbers.dropna())
    x, y = plan.predictors[0], plan.outcome
    r = low = high = np.nan
    if x in numbers and y in numbers:
        r = float(numbers[x].corr(numbers[y]))
        half = 1.96 / np.sqrt(max(len(numbers[[x, y]].dropna()) - 3, 1))
        low, high = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
    return Descriptives(
        _moments(numbers), numbers.corr(), _moments(made.keyed[plan.items]), complete,
        float(1.96 / np.sqrt(max(complete - 1, 1))), None if np.isnan(r) else (x, y), r, float(low), float(high),
    )  # fmt: skip


def _moments(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {"n": frame.count(), "mean": frame.mean(), "sd": frame.std(), "skew": frame.skew(), "kurtosis": frame.kurt()}
    )
