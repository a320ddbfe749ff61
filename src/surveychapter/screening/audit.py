"""Questions to put to raw answers before any model: which columns, rows and cells are not what they seem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from switchcost.core import checks
from switchcost.core.arguments import NAMES, Between, checked
from switchcost.core.checks import CODES
from switchcost.core.errors import DataError
from switchcost.core.results import Result
from switchcost.data.codebook import codebook as _codebook

from . import careless, identities
from .cells import (
    NOT_ITEMS,
    entry,
    informative,
    ranges,
    scale_ranges,
    split_columns,
    varying,
    whole_scale,
    without_codes,
)
from .checks import IDENTITIES, SEVERITY, Check, Finding, Findings, checks_named, limit
from .rows import careless_checks, duplicates, missingness


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Result):
    """What was found, most serious first.

    Attributes
    ----------
    findings : tuple of Finding
        Check, columns, rows, detail, severity, chance and row labels of each.
    respondents : DataFrame
        Careless-answering indices of each row.
    n_obs : int
        Rows looked at.
    table : DataFrame
        The findings as a table: check, columns (joined for a reader), rows, detail, severity (``serious``, ``warning``,
        ``note``), chance (probability that a clean survey of this size shows the finding; 0 for a plain fact).
    """

    findings: tuple[Finding, ...]
    respondents: pd.DataFrame
    n_obs: int
    warnings: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """Findings as a table, one a row."""
        names = ["check", "columns", "rows", "detail", "severity", "chance"]
        rows = [(str(f.check), ", ".join(f.columns), f.rows, f.detail, f.severity, f.chance) for f in self.findings]
        return pd.DataFrame(rows, columns=names)

    def of(self, *wanted: Check | str) -> list[Finding]:
        """Findings of these checks, named as in :class:`Check` or by the word of an exclusion rule.

        Raises
        ------
        DataError
            A name that is no check.
        """
        meant = {c for name in wanted for c in ((name,) if isinstance(name, Check) else checks_named(name))}
        return [f for f in self.findings if f.check in meant]

    def rows_of(self, *wanted: Check | str) -> pd.Index:
        """Row labels that the findings of these checks are about, for ``data.drop(index=...)``; empty without findings.

        Raises
        ------
        DataError
            A name that is no check.
        """
        labels = list(dict.fromkeys(label for f in self.of(*wanted) for label in f.labels))
        return pd.Index(labels, dtype=None if labels else object)

    def _heading(self) -> str:
        count = {s: sum(f.severity == s for f in self.findings) for s in SEVERITY}
        said = ", ".join(f"{k} {s}" for s, k in count.items() if k) or "no findings"
        return f"Audit of {self.n_obs} rows: {said}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        if not self.findings:
            return []
        shown = self.table[["severity", "check", "detail", "rows"]]
        return [("", shown.assign(chance=["fact" if f.chance == 0 else f"{f.chance:.1g}" for f in self.findings]))]

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return super()._repr_html_().replace("<td>", '<td style="text-align: left">')


@checked(draws=Between(100, 10**8, "both", whole=True), key=NAMES)
def audit(
    data: pd.DataFrame,
    codebook: str | pd.DataFrame | None = None,
    *,
    scales: Mapping[str, Sequence[str]] | None = None,
    key: str | Sequence[str] = (),
    seed: int = 0,
    draws: int | None = None,
) -> Audit:
    """Question raw survey answers before they are used.

    Nothing has to be told beforehand; a codebook makes the range, reverse and scale checks sharper.

    Parameters
    ----------
    data : DataFrame (n, columns)
        One row a respondent, as entered. Items in questionnaire order.
    codebook : DataFrame, path or name of a data set, optional
        As :func:`switchcost.codebook` returns it.
    scales : dict from scale to items, optional
        Otherwise the codebook's constructs, otherwise blocks of equal name stems (``qual_1``, ``qual_2``).
    key : column or columns that only number the rows and are left out
    seed, draws : int
        Of the simulated attentive respondents that careless answering is measured against. ``draws`` is 100 a
        respondent by default, at least 20,000 and at most 100,000.

    Returns
    -------
    Audit
        ``.table`` with check, columns (the column in question first), rows (how many), detail, severity, chance; most
        serious first. ``.respondents`` holds the careless-answering indices of each row and ``.rows_of(check)`` the row
        labels (rows counted from 0 where a label occurs twice). Columns that a survey platform wrote
        (``data.attrs["platform_columns"]``) are left alone.

    Raises
    ------
    ValueError
        ``data`` is not a DataFrame with rows and unique names; the codebook or a scale names an absent column.

    Notes
    -----
    Checks, in the order of severity:

    *serious*: constant column · undeclared missing code · answer outside the codebook's range or far outside the
    others · decimals on an integer scale · text or dates among numbers · function of another column (copy, shift,
    reversed copy, clip, recode) · function of a block (row maximum or minimum, sum, mean, rounded mean, linear) ·
    near function (a rule that holds in 95 % of the rows) · duplicated rows and blocks.
    *warning*: correlation above .95 · near-constant column (95 % one answer) · item against its scale · item that
    goes with nothing · missing answers that depend on another column · careless answering (longest run, spread
    within person, even-odd consistency, Mahalanobis distance; formulas and sources in ``surveychapter.screening.careless``) ·
    near duplicates (Kuriakose & Robbins 2016). *note*: reverse items stored as answered, zeros of
    unclear meaning, unusual profiles in a survey whose respondents differ in style.

    How ``chance`` is reached: rules by granting honest columns an agreement of 8 in 10 rows (see
    ``surveychapter.screening.identities``); careless answering by a simulated attentive sample and a false discovery rate of
    1 % an index; correlations by Fisher's z against .90; duplicates by a beta-binomial count of equal answers;
    missingness by rank tests; all multiplied by the number of tests (Bonferroni).

    Examples
    --------
    >>> import switchcost as sc
    >>> found = sc.audit(sc.load("corp_rep"), draws=20_000)
    >>> int((found.table["severity"] == "serious").sum())
    8
    >>> next(f.detail for f in found.findings if f.columns[:1] == ("switch_1",))
    'switch_1 = clip(qual_6 - 1, 1, 5) in 344 of 344 rows'
    """
    data = checks.frame(data)
    data = data.drop(columns=[c for c in data.attrs.get("platform_columns", ()) if c in data])
    data = data.set_axis([str(c) for c in data.columns], axis=1)
    if not data.index.is_unique:  # a label that means two rows cannot say which; count rows from 0 instead
        data = data.reset_index(drop=True)
    key = checks.columns(data, key, "key")
    book = _book(codebook, data)
    if scales is not None:
        scales = checks.scales(data, scales)
    if len(data) < 2:
        raise DataError("the data have one row; nothing can be compared")

    found = Findings()
    numbers, nominal = split_columns(data, book, key, found)
    x = pd.DataFrame(numbers, index=data.index)
    if x.shape[1] == 0 and not nominal:
        raise DataError("no column holds answers that can be checked; look at how the file was read: data.dtypes")
    keys = set(key) | _row_numbers(x, book, data)
    x = x.drop(columns=[k for k in keys if k in x])
    ranges(x, book, found)
    x = varying(x)
    items = _items(x, book)
    blocks = _blocks(items, book, scales)
    scale_ranges(blocks, book, found)

    clean = without_codes(x, found)
    derived = _identity_checks(clean, nominal, blocks, found)
    safe = clean.drop(columns=[c for c in derived if c in clean])
    _near_copies(informative(safe), found)
    safe_items = [i for i in items if i in safe]
    reverse = _scale_checks(safe, {k: [i for i in v if i in safe] for k, v in blocks.items()}, book, found)
    respondents = careless_checks(safe[safe_items], blocks, reverse, found, seed, draws)
    duplicates(data.drop(columns=list(keys)), safe[safe_items], respondents, found)
    missingness(data.drop(columns=list(keys)), informative(safe), nominal, found)

    ordered = sorted(found, key=lambda f: SEVERITY.index(f.severity))
    return Audit(tuple(ordered), respondents, len(data))


# ---------------------------------------------------------------------------------------------- preparation
def _book(codebook: object, data: pd.DataFrame) -> pd.DataFrame:
    if codebook is None:
        return pd.DataFrame(columns=["construct", "low", "high", "reverse", "missing_code"])
    book = _codebook(codebook)
    shared = book[book["variable"].isin(data.columns)]
    if len(shared) == 0:
        raise DataError(
            f"the codebook describes none of the columns: it has {', '.join(book['variable'][:4])}, ...; "
            f"the data have {', '.join(map(str, data.columns[:4]))}, ..."
        )
    return shared.set_index("variable")


def _row_numbers(x: pd.DataFrame, book: pd.DataFrame, data: pd.DataFrame) -> set[str]:
    """Columns that only number the rows: all different whole numbers going up, or called a key in the codebook."""
    out = {n for n in data.columns if str(entry(book, n, "construct")).lower() in {"key", "id"}}
    for name in x:
        v = x[name].to_numpy()
        if len(v) > 2 and not np.isnan(v).any() and (v == np.floor(v)).all():
            d = np.diff(v)
            if (d > 0).all() or (len(np.unique(v)) == len(v) and np.median(v) > 1000):
                out.add(name)
    return out


def _items(x: pd.DataFrame, book: pd.DataFrame) -> list[str]:
    out = []
    for name in x:
        kind = entry(book, name, "construct")
        if kind is not None and str(kind).strip().lower() in NOT_ITEMS:
            continue
        v = x[name].to_numpy()
        low, high = entry(book, name, "low"), entry(book, name, "high")
        if low is not None and pd.notna(low) and pd.notna(high):
            v = np.where((v >= low) & (v <= high), v, np.nan)
        else:
            v = np.where(np.isin(v, list(CODES)), np.nan, v)
        u = np.unique(v[~np.isnan(v)])
        few_odd = np.isin(v, u[u == np.floor(u)]).mean() > 0.7 if len(u) else False
        if few_odd and whole_scale(np.where(v == np.floor(v), v, np.nan)) and len(u) >= 3:
            out.append(name)
    return out


def _blocks(
    items: Sequence[str], book: pd.DataFrame, scales: Mapping[str, Sequence[str]] | None
) -> dict[str, list[str]]:
    if scales is not None:
        return {k: [i for i in v if i in items] for k, v in scales.items()}
    out: dict[str, list[str]] = {}
    for item in items:
        construct = entry(book, item, "construct")
        name = construct if construct else identities.stem(item)
        out.setdefault(str(name), []).append(item)
    return out


# ---------------------------------------------------------------------------------------------- identities
def _identity_checks(
    x: pd.DataFrame, nominal: dict[str, np.ndarray], blocks: dict[str, list[str]], found: Findings
) -> set[str]:
    together = x.assign(**{k: v for k, v in nominal.items() if k not in x})
    exact, near = identities.of_one(together)
    one = {f.target for f in exact}
    rest = x.drop(columns=[c for c in one if c in x])
    by_block = identities.of_block(rest, {k: v for k, v in blocks.items() if len(v) > 1}) if rest.shape[1] > 1 else []

    def add(check: Check, f: identities.Identity) -> None:
        detail = f"{f.target} = {f.form} in {f.holds} of {f.rows} rows"
        found.add(check, (f.target, *f.sources), f.holds, detail, chance=f.chance)

    for f in exact:
        add(Check.COPY if f.is_copy else Check.FUNCTION, f)
    for f in by_block:
        add(Check.FUNCTION_OF_BLOCK if len(f.sources) > 1 else Check.FUNCTION, f)
    blocked = {f.target for f in by_block}
    for f in near:
        if f.target not in blocked:
            add(Check.NEAR_FUNCTION, f)
    return one | blocked


def _near_copies(x: pd.DataFrame, found: Findings) -> None:
    names, p = list(x), x.shape[1]
    if p < 2:
        return
    r = careless.correlations(x.to_numpy(float))
    seen = x.notna().to_numpy(float)
    n = seen.T @ seen
    named = {frozenset(f.columns) for f in found if f.check in IDENTITIES}
    for i, j in zip(*np.where(np.triu(np.abs(r) > limit(Check.NEAR_COPY), 1)), strict=True):
        if frozenset((names[i], names[j])) in named or n[i, j] < limit(Check.NEAR_COPY, "rows with both, at least"):
            continue
        z = (np.arctanh(min(abs(r[i, j]), 1 - 1e-12)) - np.arctanh(0.9)) * np.sqrt(n[i, j] - 3)
        chance = min(1.0, p * (p - 1) / 2 * ndtr(-z))
        if chance < limit(Check.NEAR_COPY, "chance of one above 0.9, below"):
            detail = (
                f"{names[i]} and {names[j]} correlate {r[i, j]:.3f} (n = {int(n[i, j])}): one question asked twice, or "
                "one computed from the other"
            )
            found.add(Check.NEAR_COPY, (names[i], names[j]), int(n[i, j]), detail, chance=float(chance))


# -------------------------------------------------------------------------------------------------- scales
def _scale_checks(x: pd.DataFrame, blocks: dict[str, list[str]], book: pd.DataFrame, found: Findings) -> list[str]:
    """Item-rest correlations by scale. Returns the items that have to be turned round."""
    turn: list[str] = []
    as_answered: list[str] = []
    tests = max(1, sum(len(v) for v in blocks.values() if len(v) > 2))
    for scale, items in blocks.items():
        if len(items) < 3:
            turn += [i for i in items if bool(entry(book, i, "reverse"))]
            continue
        v = x[items].to_numpy(float)
        r = careless.correlations(v)
        declared = np.array([bool(entry(book, i, "reverse")) for i in items])
        lead = np.linalg.eigh(r)[1][:, -1]
        strong = np.abs(lead) > 0.3 * np.abs(lead).max()
        # Which end of the scale is up: that of the items not declared reverse, otherwise that of most items.
        up = np.sign(lead[strong & ~declared].sum() if (strong & ~declared).any() else lead[strong].sum()) or 1.0
        sign = np.where(lead * up < 0, -1.0, 1.0)
        z = np.where(np.isnan(v), 0.0, (v - np.nanmean(v, axis=0)) / np.nanstd(v, axis=0)) * sign
        rest_r = np.zeros(len(items))
        size = np.zeros(len(items))
        for k in range(len(items)):
            seen = ~np.isnan(v[:, k])
            others = np.delete(z, k, axis=1)[seen].mean(axis=1)
            rest_r[k] = sign[k] * np.corrcoef(z[seen, k], others)[0, 1] if others.std() > 0 else 0.0
            size[k] = seen.sum()
        score = np.arctanh(np.clip(rest_r, -0.999999, 0.999999)) * np.sqrt(np.maximum(size - 3, 1))
        chance = np.minimum(1.0, tests * careless.two_sided(score))
        least = limit(Check.ODD_ITEM, "median of the other items, at least")
        for k, item in enumerate(items):
            others = np.delete(np.abs(rest_r), k)
            against = rest_r[k] < 0 and chance[k] < limit(Check.NOT_REVERSED)
            if abs(rest_r[k]) < limit(Check.ODD_ITEM) and np.median(others) >= least:
                gap = (np.arctanh(np.median(others)) - np.arctanh(abs(rest_r[k]))) * np.sqrt(max(size[k] - 3, 1))
                odd = min(1.0, tests * float(ndtr(-gap)))
                if odd < limit(Check.ODD_ITEM, "chance, below"):
                    detail = (
                        f"{item} correlates {rest_r[k]:.2f} with the rest of {scale!r}, whose other items reach "
                        f"{np.median(others):.2f}: misread, or it measures something else"
                    )
                    found.add(
                        Check.ODD_ITEM, (item, *[i for i in items if i != item]), int(size[k]), detail, chance=odd
                    )
                    if declared[k]:
                        turn.append(item)
                    continue
            if against and not declared[k]:
                detail = (
                    f"{item} correlates {rest_r[k]:.2f} with the rest of {scale!r} and is not declared reverse; turn "
                    "it round before use"
                )
                found.add(
                    Check.NOT_REVERSED,
                    (item, *[i for i in items if i != item]),
                    int(size[k]),
                    detail,
                    chance=float(chance[k]),
                )
                turn.append(item)
            elif against:
                as_answered.append(item)
                turn.append(item)
            elif declared[k] and rest_r[k] > 0 and chance[k] < limit(Check.REVERSED_ALREADY):
                detail = (
                    f"{item} is declared reverse and correlates {rest_r[k]:+.2f} with the rest of {scale!r}: turned "
                    "round already, or misunderstood"
                )
                found.add(
                    Check.REVERSED_ALREADY,
                    (item, *[i for i in items if i != item]),
                    int(size[k]),
                    detail,
                    chance=float(chance[k]),
                )
    if as_answered:
        detail = f"{identities.short(as_answered)}: declared reverse and not yet turned round; use low + high - answer"
        found.add(Check.STORED_AS_ANSWERED, as_answered, len(x), detail)
    return turn
