"""Sections on the sample: who answered, what is missing, descriptives."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from .._core import checks
from .._core.errors import DataError
from ..screening.audit import audit
from ..screening.cells import NOT_ITEMS
from ..screening.checks import Check, checks_named
from .words import counted, interval, joined, r_text
from .work import Work, named


# -------------------------------------------------------------------------------------------------------- sections
def sample(work: Work) -> pd.DataFrame:
    """Audit the raw answers, leave out what the plan says, describe who is left."""
    work.open("Participants and exclusions")
    found = work.results["audit"] = audit(work.raw, work.book)
    table = found.table
    serious = table[table["severity"] == "serious"]
    out, why = pd.Index([]), []
    for prefix in work.spec["exclude"]:
        rows = found.rows_of(prefix)
        why.append(f"{counted(len(rows.difference(out)), 'row')} flagged as {prefix}")
        out = out.union(rows)
    used = work.raw.drop(index=out)
    work.results["excluded"] = out
    rows = found.rows_of("duplicated", "careless", "near duplicates")
    work.results["flagged"] = rows
    work.say(
        f"The file held {counted(len(work.raw), 'row')}.",
        f"By the exclusion rule, {joined(why)} were excluded; this left n = {len(used)}." if why else
        f"No row was excluded (n = {len(used)}).",
        f"The checks flagged {counted(len(rows.difference(out)), 'further row')} as repeated or carelessly answered, which stay in; "
        "the main result without them stands under Robustness." if len(rows.difference(out)) else "",
    )  # fmt: skip
    for prefix in work.spec["exclude"]:
        if not found.of(prefix):
            work.say(f"The exclusion rule '{prefix}' met no row.")
    background = [
        v for v in work.book.loc[work.book["construct"].str.lower().isin(NOT_ITEMS - {"key", "id"}), "variable"]
    ]
    people = []
    for name in dict.fromkeys([*background, work.spec["group"]]):
        if name is None:
            continue
        col = used[name].dropna()
        if pd.api.types.is_numeric_dtype(col) and col.nunique() > 8:
            people.append(
                (
                    name,
                    f"M = {col.mean():.1f}, SD = {col.std():.1f}, {col.min():g} to {col.max():g}",
                    len(col),
                )
            )
        else:
            people += [(f"{name}: {k}", f"{100 * v / len(col):.1f}%", int(v)) for k, v in col.value_counts().items()][
                :8
            ]
    if people:
        work.table(
            pd.DataFrame(people, columns=["characteristic", "value", "n"]),
            "Participants",
            "Missing answers are left out of each line.",
        )
    else:
        work.limits.append(
            "The file says nothing about who the respondents are, so nobody can judge whom the results are about."
        )
    work.check_off("Sample size and exclusions, with reasons")

    work.open("Data quality")
    work.say(
        "Before any model the raw answers were checked for answers out of range, undeclared missing codes, columns that are functions "
        "of others, repeated rows and careless answering (Meade & Craig, 2012).",
        f"There {'was' if len(serious) == 1 else 'were'} {counted(len(serious), 'serious finding')} and {counted(int((table['severity'] == 'warning').sum()), 'warning')}."
        if len(table) else "Nothing was found.",
    )  # fmt: skip
    if len(table):
        short = table[["severity", "check", "rows", "detail"]].copy()
        short["detail"] = [re.split(r" \(|\. Rows ", d)[0][:160] for d in short["detail"]]
        work.table(
            pd.DataFrame(short).reset_index(drop=True),
            "Findings of the checks of the raw answers",
            "Rows are counted from 0; add 2 for the line of the file.",
        )
    for check, detail in zip(serious["check"], serious["detail"], strict=True):
        handled = any(check in checks_named(p) for p in work.spec["exclude"])
        work.alarms.append(
            f"Serious finding in the data, {check}: {detail}."
            + (" These rows were excluded by rule." if handled else "")
        )
    work.cite("meade")
    work.check_off("Audit of the raw answers")
    return used


def missing(work: Work, used: pd.DataFrame) -> pd.DataFrame:
    """Turn reverse items round, empty impossible cells, and say how gaps are handled."""
    work.open("Missing answers")
    book = work.book.set_index("variable")
    keyed, impossible, turned = used.copy(), {}, []
    for item in [*work.items, *work.columns]:
        low, high = (book[c].get(item, np.nan) for c in ("low", "high"))
        if pd.notna(low) and pd.notna(high):
            keyed[item] = checks.numeric(used, [item], codes="allow")[item]
            bad = (keyed[item] < low) | (keyed[item] > high)
            if bad.any():
                impossible[item] = int(bad.sum())
                keyed.loc[bad, item] = np.nan
        if bool(book["reverse"].get(item, False)):
            if pd.isna(low) or pd.isna(high):
                raise DataError(
                    f"item {item!r} is marked reverse, but the codebook gives no low and high to turn it round"
                )
            keyed[item] = low + high - keyed[item]
            turned.append(item)
    if impossible:
        text = f"{counted(sum(impossible.values()), 'answer')} outside the codebook's range ({joined([f'{k}: {v}' for k, v in impossible.items()])}) {'was' if sum(impossible.values()) == 1 else 'were'} treated as missing. Find out where they come from."
        work.alarms.append(text)
        work.say(text)
    work.say(
        f"Reverse-worded items were turned round (low + high - answer): {joined(turned)}."
        if turned
        else "No item was marked as reverse-worded."
    )
    gaps, complete = keyed[work.items].isna(), int(keyed[work.items].notna().all(axis=1).sum())
    share = float(gaps.to_numpy().mean())
    work.results["complete"] = complete
    if share == 0:
        work.say("No answer to an item was missing.")
    else:
        worst = gaps.mean().idxmax()
        drivers = {f.columns[-1] for f in work.results["audit"].of(Check.MISSINGNESS)}
        work.say(
            f"Of the answers to the {len(work.items)} items, {100 * share:.1f}% were missing (most for {worst}, {100 * gaps[worst].mean():.1f}%); {complete} of {len(keyed)} respondents answered all of them.",
            f"{scoring_rule(work.least)} Regressions use rows without gaps in the scores. Factor and structural models use all answers given, by full information maximum likelihood.",
            f"Gaps depended on {joined(sorted(drivers))}, so those who answered everything are not a random part of the sample." if drivers else
            "No dependence of gaps on other columns was detected, which does not prove that gaps were random.",
        )  # fmt: skip
        if complete < 0.9 * len(keyed):
            work.limits.append(
                f"Only {100 * complete / len(keyed):.0f}% of the respondents answered all items; analyses of complete rows describe them."
            )
    work.check_off("Missing answers and how they were handled")
    return keyed


def scoring_rule(least: float) -> str:
    """The rule of the scale scores in words."""
    if least == 1:
        return "A scale was scored only for respondents who answered all its items."
    return f"A scale was scored as the mean of the answered items for respondents who answered at least {100 * least:.0f}% of them."


def scale_scores(work: Work, keyed: pd.DataFrame, least: float = 1.0) -> pd.DataFrame:
    """Means of items for those who answered at least the share ``least`` of them, and the columns of the model."""
    scores = {s: keyed[i].mean(axis=1).where(keyed[i].notna().mean(axis=1) >= least) for s, i in work.scales.items()}
    return pd.DataFrame(scores).join(keyed[[c for c in work.columns if c not in scores]])


def descriptives(work: Work, scores: pd.DataFrame) -> None:
    work.open("Descriptive statistics and correlations")
    numbers = scores[[n for n in named(work.spec) if pd.api.types.is_numeric_dtype(scores[n])]]
    r, kept = numbers.corr(), numbers.dropna()
    body = pd.DataFrame({"n": numbers.count(), "M": numbers.mean(), "SD": numbers.std(), "skew": numbers.skew()})
    for j, name in enumerate(numbers, start=1):
        body[str(j)] = [r_text(r.loc[row, name]) if i > j else "" for i, row in enumerate(numbers, start=1)]
    body.index = [f"{i}. {name}" for i, name in enumerate(numbers, start=1)]
    body.index.name = "variable"
    limit = 1.96 / np.sqrt(len(kept) - 1)
    work.table(
        body,
        "Means, standard deviations and correlations",
        f"Scales are means of their items. Pairwise complete; at n = {len(kept)}, |r| above about {r_text(limit)} has p < .05.",
    )
    y, x = work.spec["outcome"], work.spec["predictors"][0]
    if y in r and x in r:
        half = 1.96 / np.sqrt(max(numbers[[x, y]].dropna().shape[0] - 3, 1))
        z = np.arctanh(r.loc[x, y])
        work.say(
            f"{x} and {y} correlated {r_text(r.loc[x, y])}, {interval(np.tanh(z - half), np.tanh(z + half), r_text)}."
        )
    skewed = [n for n in work.scales if n in list(numbers) and abs(body["skew"].iloc[list(numbers).index(n)]) > 1]
    if skewed:
        work.say(f"Answers to {joined(skewed)} were clearly skewed (beyond 1 in absolute value).")
    work.check_off("Descriptive statistics and correlations")
