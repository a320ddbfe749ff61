"""Questions to put to raw answers before any model: which columns, rows and cells are not what they seem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betaln, chdtrc, gammaln, ndtr

from . import _careless, _checks, _identities
from .data import codebook as _codebook

CODES = {-999, -99, -98, -97, -88, -77, -9, -8, -7, -1, 77, 88, 96, 97, 98, 99, 777, 888, 996, 997, 998, 999, 7777, 8888, 9999, 99999}  # fmt: skip
SEVERITY = ("serious", "warning", "note")
NOT_ITEMS = {
    "group",
    "key",
    "id",
    "time",
    "background",
    "demographic",
    "nominal",
    "revenue",
    "departure",
    "text",
}
FALSE_DISCOVERY = 0.01
NEAR_COPY = 0.95
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?|\d{1,2}[- ][A-Za-z]{3,9}(?:[- ]\d{2,4})?|[A-Za-z]{3}[- ]\d{1,4}"
)


class _Finding(NamedTuple):
    check: str
    columns: str
    rows: int
    detail: str
    severity: str
    chance: float
    labels: tuple = ()


class _Findings(list):
    def add(
        self,
        check: str,
        columns: str,
        rows: int,
        detail: str,
        severity: str = "serious",
        chance: float = 0.0,
        labels: Iterable = (),
    ) -> None:
        self.append(_Finding(check, columns, int(rows), detail, severity, float(chance), tuple(labels)))


class Audit(pd.DataFrame):
    """Findings, most serious first; ``.respondents`` and ``.rows_of(check)`` say which rows.

    Columns: check, columns, rows, detail, severity (``serious``, ``warning``, ``note``), chance (probability that a
    clean survey of this size shows the finding; 0 for a plain fact such as a value outside its range).
    """

    _metadata = ["respondents", "labels"]

    @property
    def _constructor(self) -> type:
        return pd.DataFrame  # a selection of findings is a plain table

    def rows_of(self, check: str) -> pd.Index:
        """Row labels that the findings of one check are about, for ``data.drop(index=...)``.

        Raises
        ------
        ValueError
            No finding of that name.
        """
        at = [i for i, c in enumerate(self["check"]) if c == check]
        if not at:
            raise ValueError(
                f"there is no finding {check!r}.{_checks.suggest(check, self['check'].unique())}"
            )
        labels = [label for i in at for label in self.labels[i]]
        return pd.Index(dict.fromkeys(labels), dtype=object if not labels else None)

    def __repr__(self) -> str:
        if len(self) == 0:
            return "no findings"
        if not {"check", "severity", "detail", "chance"} <= set(pd.DataFrame(self).columns):
            return pd.DataFrame(self).__repr__()
        lines = [
            f"{s:8} {c}: {d}" + (f" [chance {p:.1g}]" if p > 0 else "")
            for s, c, d, p in zip(
                self["severity"], self["check"], self["detail"], self["chance"], strict=True
            )
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if len(self) == 0:
            return "<p>No findings.</p>"
        with pd.option_context("display.max_colwidth", None, "display.max_rows", 200):
            table = pd.DataFrame(self)
            table = table[[c for c in ("severity", "check", "detail", "rows", "chance") if c in table]]
            text = table.to_html(
                index=False, formatters={"chance": lambda p: "fact" if p == 0 else f"{p:.1g}"}, justify="left"
            )
        return text.replace("<td>", '<td style="text-align: left">')


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
        A DataFrame: check, columns (comma-separated, the column in question first), rows (how many), detail,
        severity, chance; most serious first. ``.respondents`` holds the careless-answering indices of each row and
        ``.rows_of(check)`` the row labels (rows counted from 0 where a label occurs twice).

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
    within person, even-odd consistency, Mahalanobis distance; formulas and sources in ``switchcost._careless``) ·
    near duplicates (Kuriakose & Robbins 2016). *note*: reverse items stored as answered, zeros of unclear meaning.

    How ``chance`` is reached: rules by granting honest columns an agreement of 9 in 10 rows (see
    ``switchcost._identities``); careless answering by a simulated attentive sample and a false discovery rate of
    1 % an index; correlations by Fisher's z against .90; duplicates by a beta-binomial count of equal answers;
    missingness by rank tests; all multiplied by the number of tests (Bonferroni).

    Examples
    --------
    >>> import switchcost as sc
    >>> found = sc.audit(sc.load("corp_rep"), draws=20_000)
    >>> int((found["severity"] == "serious").sum())
    8
    >>> found.loc[found["columns"].str.startswith("switch_1"), "detail"].iloc[0]
    'switch_1 = clip(qual_6 - 1, 1, 5) in 344 of 344 rows'
    """
    data = _checks.frame(data)
    data.columns = (
        data.columns.astype(str) if not all(isinstance(c, str) for c in data.columns) else data.columns
    )
    if not data.index.is_unique:  # a label that means two rows cannot say which; count rows from 0 instead
        data = data.reset_index(drop=True)
    key = _checks.columns(data, key, "key")
    book = _book(codebook, data)
    if scales is not None:
        scales = _checks.scales(data, scales)
    if len(data) < 2:
        raise ValueError("the data have one row; nothing can be compared")

    found = _Findings()
    numbers, nominal = _columns(data, book, key, found)
    x = pd.DataFrame(numbers, index=data.index)
    if x.shape[1] == 0 and not nominal:
        raise ValueError(
            "no column holds answers that can be checked; look at how the file was read: data.dtypes"
        )
    keys = set(key) | _row_numbers(x, book, data)
    x = x.drop(columns=[k for k in keys if k in x])
    _ranges(x, book, found)
    x = _varying(x)
    items = _items(x, book)
    blocks = _blocks(items, book, scales)

    clean = _without_codes(x, found)
    derived = _identity_checks(clean, nominal, blocks, found)
    safe = clean.drop(columns=[c for c in derived if c in clean])
    _near_copies(safe, found)
    safe_items = [i for i in items if i in safe]
    reverse = _scale_checks(safe, {k: [i for i in v if i in safe] for k, v in blocks.items()}, book, found)
    respondents = _careless_checks(safe[safe_items], blocks, reverse, found, seed, draws)
    _duplicates(data.drop(columns=list(keys)), safe[safe_items], respondents, found)
    _missingness(data.drop(columns=list(keys)), safe, nominal, found)

    order = sorted(range(len(found)), key=lambda i: (SEVERITY.index(found[i].severity), i))
    out = Audit([found[i][:-1] for i in order], columns=list(_Finding._fields[:-1]))
    out.respondents = respondents
    out.labels = [found[i].labels for i in order]
    return out


# ---------------------------------------------------------------------------------------------- preparation
def _book(codebook: object, data: pd.DataFrame) -> pd.DataFrame:
    if codebook is None:
        return pd.DataFrame(columns=["construct", "low", "high", "reverse", "missing_code"])
    book = _codebook(codebook)
    shared = book[book["variable"].isin(data.columns)]
    if len(shared) == 0:
        raise ValueError(
            f"the codebook describes none of the columns: it has {', '.join(book['variable'][:4])}, ...; "
            f"the data have {', '.join(map(str, data.columns[:4]))}, ..."
        )
    return shared.set_index("variable")


def _entry(book: pd.DataFrame, name: str, column: str) -> float | str | bool | None:
    return book[column].get(name)


def _columns(
    data: pd.DataFrame, book: pd.DataFrame, key: Sequence[str], found: _Findings
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Split the columns into numbers and nominal codes; report text, dates and empty columns."""
    numbers, nominal = {}, {}
    for name in data.columns:
        if name in key:
            continue
        col = data[name]
        if col.isna().all():
            found.add("no values", name, len(col), f"{name} has no values at all; leave it out")
        elif pd.api.types.is_bool_dtype(col) or pd.api.types.is_numeric_dtype(col):
            values = col.to_numpy(dtype=float, na_value=np.nan)
            infinite = np.isinf(values)
            if infinite.any():
                found.add(
                    "infinite values",
                    name,
                    int(infinite.sum()),
                    f"{name} holds infinite values in {infinite.sum()} rows; treated as missing here",
                    labels=data.index[infinite],
                )
            numbers[name] = np.where(infinite, np.nan, values)
        elif pd.api.types.is_datetime64_any_dtype(col):
            ranged = pd.notna(_entry(book, name, "low"))
            found.add(
                "dates",
                name,
                int(col.notna().sum()),
                f"{name} holds dates"
                + (", and the codebook has a range of numbers" if ranged else "; left out of the checks"),
                "serious" if ranged else "note",
            )
        else:
            _text(name, col, book, numbers, nominal, found)
    return numbers, nominal


def _text(
    name: str, col: pd.Series, book: pd.DataFrame, numbers: dict, nominal: dict, found: _Findings
) -> None:
    text = (
        col.astype(object)
        .where(col.notna(), None)
        .map(lambda v: None if v is None or str(v).strip() == "" else str(v).strip())
    )
    filled = text.dropna()
    value = pd.to_numeric(text, errors="coerce")
    bad = filled[value[filled.index].isna()]
    shown = ", ".join(repr(v) for v in bad.unique()[:3])
    share = 1 - len(bad) / max(1, len(filled))
    dates = bad.str.fullmatch(_DATE.pattern)
    ranged = pd.notna(_entry(book, name, "low"))
    if len(bad) == 0 and len(filled):
        found.add(
            "numbers stored as text",
            name,
            len(filled),
            f"{name} holds numbers stored as text; convert it: pd.to_numeric(data[{name!r}])",
            "warning",
        )
        numbers[name] = value.to_numpy(float)
    elif len(bad) and dates.mean() > 0.5 and (share >= 0.2 or ranged):
        found.add(
            "dates among numbers",
            name,
            int(dates.sum()),
            f"{name} holds dates in {int(dates.sum())} rows ({shown}): a spreadsheet turns answers such as 3-4 into dates",
            labels=bad.index[dates],
        )
        numbers[name] = value.to_numpy(float)
    elif share >= 0.5:
        comma = bad.str.fullmatch(r"[-+]?\d*,\d+").all()
        why = "decimal commas; read the file with decimal=','" if comma else "text among numbers"
        found.add(
            "text among numbers",
            name,
            len(bad),
            f"{name} holds {why} in {len(bad)} rows: {shown}",
            labels=bad.index,
        )
        numbers[name] = value.to_numpy(float)
    elif ranged:
        found.add(
            "text among numbers",
            name,
            len(bad),
            f"{name} holds words where the codebook has a range: {shown}; recode them to numbers",
            labels=bad.index,
        )
    if name not in numbers and filled.nunique() <= 15:
        codes, _ = pd.factorize(text, sort=True)
        nominal[name] = np.where(codes < 0, np.nan, codes).astype(float)


def _varying(x: pd.DataFrame) -> pd.DataFrame:
    v = x.to_numpy(float)
    some = ~np.isnan(v).all(axis=0)
    return x.loc[:, [c for c, ok in zip(x, some, strict=True) if ok and x[c].min() < x[c].max()]]


def _row_numbers(x: pd.DataFrame, book: pd.DataFrame, data: pd.DataFrame) -> set[str]:
    """Columns that only number the rows: all different whole numbers going up, or called a key in the codebook."""
    out = {n for n in data.columns if str(_entry(book, n, "construct")).lower() in {"key", "id"}}
    for name in x:
        v = x[name].to_numpy()
        if len(v) > 2 and not np.isnan(v).any() and (v == np.floor(v)).all():
            d = np.diff(v)
            if (d > 0).all() or (len(np.unique(v)) == len(v) and np.median(v) > 1000):
                out.add(name)
    return out


def _whole_scale(v: np.ndarray) -> bool:
    """Looks like a rating: few whole numbers from a small range."""
    u = np.unique(v[~np.isnan(v)])
    return 2 <= len(u) <= 11 and u[0] >= -5 and u[-1] <= 11 and bool((u == np.floor(u)).all())


def _items(x: pd.DataFrame, book: pd.DataFrame) -> list[str]:
    out = []
    for name in x:
        kind = _entry(book, name, "construct")
        if kind is not None and str(kind).strip().lower() in NOT_ITEMS:
            continue
        v = x[name].to_numpy()
        low, high = _entry(book, name, "low"), _entry(book, name, "high")
        if low is not None and pd.notna(low) and pd.notna(high):
            v = np.where((v >= low) & (v <= high), v, np.nan)
        else:
            v = np.where(np.isin(v, list(CODES)), np.nan, v)
        u = np.unique(v[~np.isnan(v)])
        few_odd = np.isin(v, u[u == np.floor(u)]).mean() > 0.9 if len(u) else False
        if few_odd and _whole_scale(np.where(v == np.floor(v), v, np.nan)) and len(u) >= 3:
            out.append(name)
    return out


def _blocks(
    items: Sequence[str], book: pd.DataFrame, scales: Mapping[str, Sequence[str]] | None
) -> dict[str, list[str]]:
    if scales is not None:
        return {k: [i for i in v if i in items] for k, v in scales.items()}
    out: dict[str, list[str]] = {}
    for item in items:
        construct = _entry(book, item, "construct")
        name = construct if construct else _identities.stem(item)
        out.setdefault(str(name), []).append(item)
    return out


# -------------------------------------------------------------------------------------------- single columns
def _ranges(x: pd.DataFrame, book: pd.DataFrame, found: _Findings) -> None:
    whole = {}  # column -> its values that look like answers, to compare columns with each other
    for name in x:
        v = x[name].to_numpy()
        u, count = np.unique(v[~np.isnan(v)], return_counts=True)
        if len(u) == 1:
            found.add(
                "constant column",
                name,
                int(count[0]),
                f"{name} is {u[0]:g} in every row; it has no variance and cannot be analysed",
            )
        elif count.max() / count.sum() >= 0.95 and len(u) > 0:
            top = u[count.argmax()]
            found.add(
                "near-constant column",
                name,
                int(count.max()),
                f"{name} is {top:g} in {count.max()} of {count.sum()} rows; correlations with it rest on {count.sum() - count.max()} rows",
                "warning",
            )
        whole[name] = u
    for name in x:
        v, u = x[name].to_numpy(), whole[name]
        low, high = _entry(book, name, "low"), _entry(book, name, "high")
        stated = _entry(book, name, "missing_code")
        if low is not None and (pd.notna(low) or pd.notna(high)):
            low = -np.inf if pd.isna(low) else low
            high = np.inf if pd.isna(high) else high
            outside = u[(u < low) | (u > high)]
            for value in outside:
                rows = np.flatnonzero(v == value)
                span = f"its range {low:g}-{high:g}" if np.isfinite([low, high]).all() else "its range"
                where = "below" if value < low else "above"
                if stated is not None and value == stated:
                    found.add(
                        "missing code in the data",
                        name,
                        len(rows),
                        f"{name} holds its documented missing code {value:g} in {len(rows)} rows; replace it: data.replace({{{name!r}: {{{value:g}: np.nan}}}})",
                        labels=x.index[rows],
                    )
                elif value in CODES or (value in (0, 8, 9) and len(rows) > 1):
                    found.add(
                        "undeclared missing code",
                        name,
                        len(rows),
                        f"{name} holds {value:g} in {len(rows)} rows, {where} {span}. If it means no answer: data.replace({{{name!r}: {{{value:g}: np.nan}}}})",
                        labels=x.index[rows],
                    )
                else:
                    found.add(
                        "answer out of range",
                        name,
                        len(rows),
                        f"{name} holds {value:g} in {len(rows)} rows, {where} {span}",
                        labels=x.index[rows],
                    )
            inside = u[(u >= low) & (u <= high)]
            kind = str(_entry(book, name, "construct")).strip().lower()
            if (
                kind not in NOT_ITEMS
                and np.isfinite([low, high]).all()
                and float(low).is_integer()
                and high - low <= 11
            ):
                _decimals(x, name, inside, found)
        else:
            _unknown_codes(x, name, u, whole, found)
            _decimals(x, name, u, found)


def _decimals(x: pd.DataFrame, name: str, u: np.ndarray, found: _Findings) -> None:
    v = x[name].to_numpy()
    broken = ~np.isnan(v) & (v != np.floor(v)) & np.isin(v, u)
    integers = u[u == np.floor(u)]
    share = broken.sum() / max(1, (~np.isnan(v)).sum())
    if broken.any() and share <= 0.1 and 2 <= len(integers) <= 12:
        shown = ", ".join(f"{b:g}" for b in np.unique(v[broken])[:3])
        found.add(
            "decimals on an integer scale",
            name,
            int(broken.sum()),
            f"{name} holds {shown} in {broken.sum()} rows where all other answers are whole: imputed, averaged or mistyped",
            labels=x.index[broken],
        )


def _unknown_codes(
    x: pd.DataFrame, name: str, u: np.ndarray, whole: dict[str, np.ndarray], found: _Findings
) -> None:
    """Missing codes and slips without a codebook: values that stand far from all others."""
    v = x[name].to_numpy()
    n = (~np.isnan(v)).sum()
    if len(u) < 3 or not (u == np.floor(u)).mean() > 0.8:
        return

    def report(value: float, check: str, why: str, severity: str = "serious") -> None:
        rows = np.flatnonzero(v == value)
        mend = (
            f"; if it means no answer: data.replace({{{name!r}: {{{value:g}: np.nan}}}})"
            if "code" in check
            else ""
        )
        found.add(
            check,
            name,
            len(rows),
            f"{name} holds {value:g} in {len(rows)} rows, {why}{mend}",
            severity,
            0.0,
            tuple(x.index[rows]),
        )

    left = u.copy()
    for value in u[np.isin(u, list(CODES))]:
        rest = left[(left != value) & ~np.isin(left, [c for c in CODES if c < 0 or c > 50])]
        if len(rest) < 2:
            continue
        gaps = np.diff(rest)
        span, widest = rest[-1] - rest[0], gaps.max()
        if value < 0 <= rest[0] or (value > rest[-1] and value - rest[-1] > max(2, 0.5 * span, 3 * widest)):
            if value == -1 and rest[0] == 0:  # -1, 0, 1, ...: may be a scale with a middle of zero
                continue
            report(value, "undeclared missing code", f"all other answers lie in {rest[0]:g}-{rest[-1]:g}")
            left = left[left != value]
    if not _whole_scale(left[left == np.floor(left)]) and not (
        len(left) and left[0] >= 0 and np.median(v[~np.isnan(v)]) <= 11
    ):
        return
    body = left[(left == np.floor(left)) & (left >= 1)]
    if len(body) < 3:
        return
    for value in (8.0, 9.0):
        rest = body[body != value]
        between = any(
            ((w > rest[-1]) & (w < value) & (w == np.floor(w))).any()
            for k, w in whole.items()
            if k != name and _whole_scale(w)
        )
        if value in body and rest[-1] <= 7 and value - rest[-1] >= 2 and not between:
            report(value, "undeclared missing code", f"all other answers lie in {rest[0]:g}-{rest[-1]:g}")
            body = rest
    share = np.array([(v == b).sum() for b in body]) / n
    # A slip such as 55 for 5: a rare value further from the rest than the rest is wide.
    for value, part in zip(body[::-1], share[::-1], strict=True):
        rest = body[body < value]
        if (
            len(rest) >= 3
            and rest[-1] <= 11
            and part <= 0.01
            and value - rest[-1] >= max(3, rest[-1] - rest[0])
        ):
            report(value, "answer out of range", f"far above all others ({rest[0]:g}-{rest[-1]:g})")
            body = rest
    if 0 in left and body[0] == 1 and body[-1] <= 10:
        zero = (v == 0).sum() / n
        alike = [
            w
            for k, w in whole.items()
            if k != name and _whole_scale(w) and w[-1] == body[-1] and w[0] in (0, 1)
        ]
        with_zero = sum(w[0] == 0 for w in alike)
        if alike and zero < 0.2:
            if with_zero < len(alike) / 2:
                report(
                    0.0,
                    "undeclared missing code",
                    f"and {len(alike) - with_zero} of {len(alike)} columns of the same scale have no 0",
                )
            elif zero < 0.5 * (v == body[0]).sum() / n and zero < 0.02:
                report(
                    0.0,
                    "zeros of unclear meaning",
                    "rare here and in the columns beside it; the scale may start at 0 or at 1",
                    "note",
                )


def _without_codes(x: pd.DataFrame, found: _Findings) -> pd.DataFrame:
    """Leave cells that were reported as codes or slips out of the checks that compare columns."""
    out = x.copy()
    for f in found:
        if (
            f.check in {"undeclared missing code", "missing code in the data", "answer out of range"}
            and f.columns in out
        ):
            out.loc[list(f.labels), f.columns] = np.nan
    return _varying(out)


# ---------------------------------------------------------------------------------------------- identities
def _identity_checks(
    x: pd.DataFrame, nominal: dict[str, np.ndarray], blocks: dict[str, list[str]], found: _Findings
) -> set[str]:
    together = x.assign(**{k: v for k, v in nominal.items() if k not in x})
    exact, near = _identities.of_one(together)
    one = {f.target for f in exact}
    rest = x.drop(columns=[c for c in one if c in x])
    by_block = (
        _identities.of_block(rest, {k: v for k, v in blocks.items() if len(v) > 1})
        if rest.shape[1] > 1
        else []
    )
    for f in exact:
        check = "copy of another column" if f.form.startswith("copy") else "function of another column"
        found.add(
            check,
            ", ".join((f.target, *f.sources)),
            f.holds,
            f"{f.target} = {f.form} in {f.holds} of {f.rows} rows",
            "serious",
            f.chance,
        )
    for f in by_block:
        check = "function of a block" if len(f.sources) > 1 else "function of another column"
        found.add(
            check,
            ", ".join((f.target, *f.sources)),
            f.holds,
            f"{f.target} = {f.form} in {f.holds} of {f.rows} rows",
            "serious",
            f.chance,
        )
    blocked = {f.target for f in by_block}
    for f in near:
        if f.target not in blocked:
            found.add(
                "near function of another column",
                ", ".join((f.target, *f.sources)),
                f.holds,
                f"{f.target} = {f.form} in {f.holds} of {f.rows} rows",
                "serious",
                f.chance,
            )
    return one | blocked


def _near_copies(x: pd.DataFrame, found: _Findings) -> None:
    names, p = list(x), x.shape[1]
    if p < 2:
        return
    r = _careless._correlations(x.to_numpy(float))
    seen = x.notna().to_numpy(float)
    n = seen.T @ seen
    named = {tuple(sorted(f.columns.split(", "))) for f in found if "function" in f.check}
    for i, j in zip(*np.where(np.triu(np.abs(r) > NEAR_COPY, 1)), strict=True):
        if tuple(sorted((names[i], names[j]))) in named or n[i, j] < 10:
            continue
        z = (np.arctanh(min(abs(r[i, j]), 1 - 1e-12)) - np.arctanh(0.9)) * np.sqrt(n[i, j] - 3)
        chance = min(1.0, p * (p - 1) / 2 * ndtr(-z))
        if chance < 0.01:
            found.add(
                "correlation above .95",
                f"{names[i]}, {names[j]}",
                int(n[i, j]),
                f"{names[i]} and {names[j]} correlate {r[i, j]:.3f} (n = {int(n[i, j])}): one question asked twice, or one computed from the other",
                "warning",
                float(chance),
            )


# -------------------------------------------------------------------------------------------------- scales
def _scale_checks(
    x: pd.DataFrame, blocks: dict[str, list[str]], book: pd.DataFrame, found: _Findings
) -> list[str]:
    """Item-rest correlations by scale. Returns the items that have to be turned round."""
    turn: list[str] = []
    as_answered: list[str] = []
    tests = max(1, sum(len(v) for v in blocks.values() if len(v) > 2))
    for scale, items in blocks.items():
        if len(items) < 3:
            turn += [i for i in items if bool(_entry(book, i, "reverse"))]
            continue
        v = x[items].to_numpy(float)
        r = _careless._correlations(v)
        declared = np.array([bool(_entry(book, i, "reverse")) for i in items])
        lead = np.linalg.eigh(r)[1][:, -1]
        strong = np.abs(lead) > 0.3 * np.abs(lead).max()
        # Which end of the scale is up: that of the items not declared reverse, otherwise that of most items.
        up = (
            np.sign(lead[strong & ~declared].sum() if (strong & ~declared).any() else lead[strong].sum())
            or 1.0
        )
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
        chance = np.minimum(1.0, tests * _careless.two_sided(score))
        for k, item in enumerate(items):
            others = np.delete(np.abs(rest_r), k)
            against = rest_r[k] < 0 and chance[k] < 0.001
            if abs(rest_r[k]) < 0.15 and np.median(others) >= 0.30:
                gap = (np.arctanh(np.median(others)) - np.arctanh(abs(rest_r[k]))) * np.sqrt(
                    max(size[k] - 3, 1)
                )
                odd = min(1.0, tests * float(ndtr(-gap)))
                if odd < 0.001:
                    found.add(
                        "item does not go with its scale",
                        ", ".join((item, *[i for i in items if i != item])),
                        int(size[k]),
                        f"{item} correlates {rest_r[k]:.2f} with the rest of {scale!r}, whose other items reach {np.median(others):.2f}: misread, or it measures something else",
                        "warning",
                        odd,
                    )
                    if declared[k]:
                        turn.append(item)
                    continue
            if against and not declared[k]:
                found.add(
                    "reverse item not turned round",
                    ", ".join((item, *[i for i in items if i != item])),
                    int(size[k]),
                    f"{item} correlates {rest_r[k]:.2f} with the rest of {scale!r} and is not declared reverse; turn it round before use",
                    "warning",
                    float(chance[k]),
                )
                turn.append(item)
            elif against:
                as_answered.append(item)
                turn.append(item)
            elif declared[k] and rest_r[k] > 0 and chance[k] < 0.001:
                found.add(
                    "declared reverse, goes with its scale",
                    ", ".join((item, *[i for i in items if i != item])),
                    int(size[k]),
                    f"{item} is declared reverse and correlates {rest_r[k]:+.2f} with the rest of {scale!r}: turned round already, or misunderstood",
                    "warning",
                    float(chance[k]),
                )
    if as_answered:
        found.add(
            "reverse items stored as answered",
            ", ".join(as_answered),
            len(x),
            f"{_identities.short(as_answered)}: declared reverse and not yet turned round; use low + high - answer",
            "note",
        )
    return turn


# ----------------------------------------------------------------------------------------------- respondents
def _careless_checks(
    items: pd.DataFrame,
    blocks: dict[str, list[str]],
    reverse: list[str],
    found: _Findings,
    seed: int,
    draws: int | None,
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
    values, chance = _careless.indices(items, scales, reverse, one_range, seed, draws)
    flags = pd.DataFrame(index=items.index)
    for name in values:
        flag = _careless.false_discovery(chance[name].to_numpy(), FALSE_DISCOVERY)
        flags[name] = flag
        if flag.any():
            _, formula, source = _careless.INDICES[name]
            worst = values[name][flag]
            labels = tuple(items.index[flag])
            shown = ", ".join(map(str, labels[:12])) + (", ..." if len(labels) > 12 else "")
            span = (
                f"{worst.min():.3g}"
                if worst.min() == worst.max()
                else f"{worst.min():.3g} to {worst.max():.3g}"
            )
            rows = "1 row" if len(labels) == 1 else f"{len(labels)} rows"
            found.add(
                f"careless answering: {name}",
                "",
                len(labels),
                f"{rows} with {name} {span}, median of all {values[name].median():.3g} ({formula}; {source}). Rows {shown}",
                "warning",
                FALSE_DISCOVERY,
                labels,
            )
    out = values.join(chance.add_suffix(" p"))
    out["flags"] = flags.sum(axis=1)
    return out


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


def _duplicates(data: pd.DataFrame, items: pd.DataFrame, respondents: pd.DataFrame, found: _Findings) -> None:
    n, p = data.shape
    if p < 2 or n < 4:
        return
    codes = np.column_stack([pd.factorize(data[c])[0] for c in data])
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
            if length >= 3 and (chance < 0.01 or length >= 10):
                i, j = copies[start], twin[copies[start]]
                block = copies[start : end + 1]
                in_block |= set(block.tolist())
                found.add(
                    "duplicated block of rows",
                    "",
                    length,
                    f"rows {label[i]} to {label[block[-1]]} repeat rows {label[j]} to {label[j + length - 1]} in all {p} columns: entered twice",
                    "serious",
                    float(min(1.0, n * n * (min(1.0, chance / pairs)) ** length)),
                    tuple(label[block]),
                )
            start = end + 1
        single = [i for i in copies if i not in in_block]
        if single and chance < 0.01:
            shown = "; ".join(f"{label[i]} = {label[twin[i]]}" for i in single[:8])
            found.add(
                "duplicated rows",
                "",
                len(single),
                f"{len(single)} rows repeat another row in all {p} columns: {shown}{'; ...' if len(single) > 8 else ''}",
                "serious",
                float(chance),
                tuple(label[single]),
            )
    _near_duplicates(items, respondents, set(copies.tolist()), found)


def _near_duplicates(
    items: pd.DataFrame, respondents: pd.DataFrame, known: set[int], found: _Findings
) -> None:
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
    full = sizes >= 0.8 * p
    if not full.any():
        return
    mean, var = counts[full].mean(), counts[full].var()
    close = np.flatnonzero(full & (counts > 0.85 * sizes))
    rows, worst = [], 1.0
    for k in close:
        chance = min(1.0, len(i) * _beta_binomial_tail(int(counts[k] / sizes[k] * p), p, mean, var))
        if chance < 0.001:
            rows.append((items.index[keep[i[k]]], items.index[keep[j[k]]], counts[k] / sizes[k]))
            worst = min(worst, chance)
    if rows:
        labels = tuple(dict.fromkeys(r for a, b, _ in rows for r in (a, b)))
        shown = "; ".join(f"{a} and {b} ({s:.0%})" for a, b, s in rows[:6])
        found.add(
            "near duplicates",
            "",
            len(labels),
            f"{len(rows)} pairs of rows share most answers: {shown} (share of equal answers; Kuriakose & Robbins 2016)",
            "warning",
            float(worst),
            labels,
        )


def _missingness(
    data: pd.DataFrame, x: pd.DataFrame, nominal: dict[str, np.ndarray], found: _Findings
) -> None:
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
        results.append((float(_careless.two_sided(r * np.sqrt(seen.sum() - 1))), name, r))
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
    hits = [r for r in results if r[0] < 0.01]
    if hits:
        chance, name, r = hits[0]
        v = x[name].to_numpy(float) if name in x else nominal[name]
        also = ", ".join(h[1] for h in hits[1:6])
        rate = gaps[[c for c in some if c != name]].mean(axis=1).to_numpy()
        if name in x and np.isfinite(r):
            low, high = np.nanquantile(v, [1 / 3, 2 / 3])
            what = f"{rate[v <= low].mean():.1%} of the answers are missing in the lowest third of {name}, {rate[v >= high].mean():.1%} in the highest"
        else:
            parts = [f"{rate[v == g].mean():.1%}" for g in np.unique(v[~np.isnan(v)])]
            what = f"missing answers by group of {name}: {', '.join(parts)}"
        found.add(
            "missingness depends on another column",
            name,
            int((count > 0).sum()),
            f"{what}"
            + (f"; also goes with {also}" if also else "")
            + ". Dropping incomplete rows changes the sample",
            "warning",
            chance,
            tuple(data.index[count > 0]),
        )
    # A single column whose gaps depend on another one, where the total count hides it.
    z_all = x.rank().apply(lambda c: (c - c.mean()) / c.std()).fillna(0.0).to_numpy()
    tests = max(1, len(some) * x.shape[1])
    for column in some:
        gap = gaps[column].to_numpy(float)
        if gap.sum() < 10:
            continue
        score = ((gap - gap.mean()) / gap.std()) @ z_all / np.sqrt(len(gap))
        score[[k for k, c in enumerate(x) if c == column]] = 0
        k = int(np.abs(score).argmax())
        chance = min(1.0, tests * float(_careless.two_sided(score[k])))
        driver = list(x)[k]
        if chance < 0.001 and driver not in {h[1] for h in hits}:
            side = "high" if score[k] > 0 else "low"
            found.add(
                "missingness depends on another column",
                f"{column}, {driver}",
                int(gap.sum()),
                f"{column} is missing more often where {driver} is {side} (r = {score[k] / np.sqrt(len(gap)):.2f})",
                "warning",
                chance,
                tuple(data.index[gap > 0]),
            )


def checks() -> Iterable[str]:
    """Names of the careless-answering indices with formula and source, for a methods section."""
    return [f"{name}: {formula} ({source})" for name, (_, formula, source) in _careless.INDICES.items()]
