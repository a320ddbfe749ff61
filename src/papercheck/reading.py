"""Every number that the tables of a study print, one row each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd

from switchcost.core import checks
from switchcost.core.errors import DataError
from switchcost.data.published import printed_tables
from switchcost.data.registry import data_dir

from .printed import Printed

# Columns that describe the study or the table and are no result.
_DESIGN = {
    "n", "level", "draws", "decimals", "items", "rows", "ci_level", "page", "h", "count", "df1", "df2", "predictors",
}  # fmt: skip
_KEYS = {"from", "to", "construct", "item", "group", "model", "scheme", "quantity", "row", "note"}
# Columns of text that belong to a number of their line and do not name the line.
_BESIDE = {"p_flag", "test", "said"}
_OF_CONSTRUCT = {"alpha", "ave", "cr", "rho_A", "rhoA", "rhoC", "omega"}

#: Headings of printed tables, and the name that the checks know.
NAMES = {
    "AVE": "ave", "CR": "cr", "Composite Reliability": "cr", "CRC": "crc", "loadings": "loading", "Alpha": "alpha",
    "Cronbach alpha": "alpha", "Estimate": "estimate", "Estimates": "estimate", "Original sample": "path",
    "Std. Error": "se", "Standard Error": "se", "t-value": "t", "z-value": "t", "t Test": "t", "Pr(>|z|)": "p",
    "p-value": "p", "Sig.": "p", "Significant level": "p", "P": "p", "Chi-Square": "chisq", "chi-square": "chisq",
    "GFI": "gfi", "AGFI": "agfi", "NFI": "nfi", "CFI": "cfi", "TLI": "tli", "RMSEA": "rmsea", "R2": "r2",
    "R Square": "r2", "Adjusted R2": "adjusted_r2", "Adjusted R Square": "adjusted_r2", "F": "f",
    "Beta (standardised)": "beta", "Mean": "mean", "Standard deviation": "sd",
}  # fmt: skip


def numbers(study: str | Path) -> pd.DataFrame:
    """List every number that a study's tables print.

    Parameters
    ----------
    study : name of a folder in ``data/published``, or the path of a folder made like one

    Returns
    -------
    DataFrame
        One row a number: ``table model quantity row column printed published decimals``. ``printed`` is the text as
        printed. Sample sizes, numbers of items and the like describe the study and are left out. ``.attrs`` holds
        them: ``beside`` (by table, model, row and column), ``n_items`` (by model and construct), and ``unreadable``
        (cells that were meant as numbers).

    Raises
    ------
    DataError
        No such study, or the same number twice.

    Examples
    --------
    >>> from papercheck.reading import numbers
    >>> n = numbers("abbade2014")
    >>> n[(n.quantity == "path") & (n.row == "CN") & (n.column == "CE")].printed.tolist()
    ['0.276']
    """
    return numbers_of_tables(read_study(study)[0], str(study))


def numbers_of_tables(tables: dict[str, pd.DataFrame], study: str = "") -> pd.DataFrame:
    """As :func:`numbers`, from tables already read as text."""
    found: list[tuple] = []
    unreadable: list[tuple] = []
    beside: dict[tuple, dict[str, str]] = {}
    for name, table in tables.items():
        rows: list[tuple]
        rows = _long(name, table) if {"quantity", "row", "printed"} <= set(table) else _wide(name, table, beside)
        for *key, text, places in rows:
            if Printed.readable(text, places):
                number = Printed.read(text, places)
                found.append((*key, text, number.value, number.decimals))
            elif re.search(r"\d", text) and key[2] != "Hypothesis":
                unreadable.append((*key, text))
    columns = ["table", "model", "quantity", "row", "column", "printed", "published", "decimals"]
    out = pd.DataFrame(found, columns=columns)
    # Not results, but needed to check some.
    out.attrs |= {"unreadable": unreadable, "beside": beside, "n_items": {}}
    for table in tables.values():
        if {"construct", "items"} <= set(table):
            for _, r in table[table["items"].str.isdigit()].iterrows():
                out.attrs["n_items"].setdefault(r.get("group", ""), {})[r["construct"]] = int(r["items"])
    twice = out[out.duplicated(["model", "quantity", "row", "column"])]
    if len(twice):
        r = twice.iloc[0]
        raise DataError(
            f"study {study!r} prints {r.quantity!r} of {r.row} {r.column} twice (table {r.table!r}); "
            "use a column 'model' or 'group' to tell the two apart"
        )
    return out


def read_study(study: str | Path) -> tuple[dict[str, pd.DataFrame], dict]:
    """Printed tables as text, and study.json. Blocks of numbers inside study.json become tables as well."""
    folder = study if isinstance(study, Path) else data_dir() / "published" / study
    known = folders()
    if not isinstance(study, Path) and study not in known:
        raise DataError(f"there is no study {study!r}.{checks.suggest(study, known)}")
    meta: dict = {}
    tables: dict[str, pd.DataFrame] = {}
    if isinstance(study, str) and (folder / "study.json").is_file():
        meta, tables = printed_tables(study)
    else:
        for path in sorted(folder.glob("*.csv")):
            if path.name != "codebook.csv":
                try:
                    tables[path.stem] = pd.read_csv(path, dtype=str, keep_default_na=False)
                except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
                    raise DataError(f"{folder.name}/{path.name} cannot be read as a UTF-8 CSV file: {error}") from None
    tables = {k: v.map(str.strip) for k, v in tables.items()}
    if not tables and not (folder / "study.json").is_file():
        raise DataError(f"{folder.name!r} holds no CSV table and no study.json")
    if (folder / "study.json").is_file():
        # A second look with numbers kept as text: 0.640 has three decimals.
        try:
            source = (folder / "study.json").read_text(encoding="utf-8")
            text = json.loads(source, parse_float=str, parse_int=str)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{folder.name}/study.json is not valid JSON ({error}); mend it or restore it") from None
        meta = meta or json.loads(source)
        if isinstance(text.get("fit"), dict):
            tables.setdefault("fit", pd.DataFrame([text["fit"]], dtype=str))
        if isinstance(text.get("betas"), dict):
            edges = [(*k.split("->"), v) for k, v in text["betas"].items()]
            tables.setdefault("paths", pd.DataFrame(edges, columns=["from", "to", "beta"]))
        if isinstance(text.get("r2"), dict):
            tables.setdefault("r2", pd.DataFrame(text["r2"].items(), columns=["construct", "r2"]))
    return tables, meta


def folders() -> list[str]:
    """Names of the studies in ``data/published``: folders with a study.json or a table."""
    root = data_dir() / "published"
    return [
        p.name
        for p in sorted(root.iterdir())
        if p.is_dir()
        and p.name != "templates"
        and ((p / "study.json").is_file() or any(q.name != "codebook.csv" for q in p.glob("*.csv")))
    ]


def _long(name: str, table: pd.DataFrame) -> list[tuple]:
    """One line a number, with its page: columns ``table page row quantity printed decimals``."""
    found, seen = [], set()
    for r in table.to_dict("records"):
        row, _, column = r["row"].partition(" -> ")
        key = (name, name, NAMES.get(r["quantity"], r["quantity"]), "" if row == "model" else row, column)
        if key in seen:  # the same number repeated on a later page
            key = (*key[:4], f"again, p. {r.get('page', '')}")
        seen.add(key)
        places = int(r["decimals"]) if r.get("decimals") else None
        found.append((*key, r["printed"], places))
    return found


def _wide(name: str, table: pd.DataFrame, beside: dict[tuple, dict[str, str]]) -> list[tuple]:
    """(table, model, quantity, row, column, printed, None) for each number of one table, by the kind of the table.

    What a line says that is no result goes into ``beside``.
    """
    table = table.rename(columns=NAMES).map(str.strip)
    groups = [c for c in ("model", "group", "scheme") if c in table]
    model_of = table[groups[0]] if groups else pd.Series("", index=table.index)
    first = table.columns[0]
    if {"quantity", "value"} <= set(table):  # one line a number
        return _targets(name, table, model_of, beside)
    if len(table) > 1 and set(table[first]) == set(table.columns[1:]):  # a square matrix, each pair once
        cell, order = table.set_index(first), list(table[first])
        pairs = [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
        return [(name, "", "correlation", a, b, cell.loc[a, b] or cell.loc[b, a], None) for a, b in pairs]
    keys = [c for c in table if c in _KEYS or not _is_values(table[c], name)]
    names = [k for k in keys if k not in groups and k not in {"note", "H"} | _BESIDE and k not in _DESIGN]
    if {"from", "to"} <= set(names):
        names = ["from", "to"]
    told = [c for c in table if c in _DESIGN | _BESIDE | {"item"}]
    quantities = [c for c in table if c not in keys and c.lower() not in _DESIGN]
    lines = [f"line {k}" for k in range(1, len(table) + 1)]
    if "construct" in names and "item" not in names and "loading" in table:
        table, names = table.assign(item=lines), [*names, "item"]
    of_item = "construct" in names and "item" in names
    if of_item:
        names = ["construct", "item"]
    if not names and model_of.duplicated().any():
        table, names = table.assign(line=lines), ["line"]
    found = []
    for quantity in quantities:
        # A construct's alpha is printed once, however many rows of the file repeat it.
        once = of_item and quantity in _OF_CONSTRUCT and not _varies(table, quantity)
        seen = set()
        for i, r in table.iterrows():
            row, column = (r[names[0]] if names else ""), (r[names[1]] if len(names) > 1 else "")
            if told:
                beside[name, model_of[i], row, column] = {c: r[c] for c in told if r[c]}
            texts = _cells(r[quantity])
            if once:
                column = ""
                beside.setdefault((name, model_of[i], row, ""), {c: r[c] for c in told if r[c]})
                if (model_of[i], row) in seen:
                    continue
                seen.add((model_of[i], row))
            for k, text in enumerate(texts, start=1):
                found.append((name, model_of[i], quantity, row, f"item {k}" if len(texts) > 1 else column, text, None))
    return found


def _targets(name: str, table: pd.DataFrame, model_of: pd.Series, beside: dict[tuple, dict[str, str]]) -> list[tuple]:
    found: list[tuple] = []
    for i, r in table.iterrows():
        row, column = r.get("row", r.get("where", "")), r.get("column", "")
        beside[name, model_of[i], row, column] = {c: r[c] for c in _BESIDE if r.get(c)}
        found.append((name, model_of[i], r["quantity"], row, column, r["value"], None))
        for more in ("ci_lower", "ci_upper", "df"):
            found.append((name, model_of[i], f"{r['quantity']} {more}", row, column, r.get(more, ""), None))
    return found


def _varies(table: pd.DataFrame, quantity: str) -> bool:
    return bool(table.groupby("construct")[quantity].agg(set).str.len().gt(1).any())


def _cells(text: str) -> list[str]:
    """``'.78 .80'`` as two numbers; ``'< .001'`` and ``'.017 (ns)'`` as one."""
    return [text] if Printed.readable(text) else re.sub(r"<\s+", "<", text).split()


def _is_values(column: pd.Series, table: str) -> bool:
    """Whether a column holds printed numbers. A stray text among numbers is a mistake in the file and raises."""
    filled = column[column != ""]
    good = filled.map(lambda text: all(Printed.readable(t) for t in _cells(text))).astype(bool)
    if good.mean() <= 0.5 or filled.empty:
        return False
    if not good.all():
        line, text = good.idxmin() + 2, filled[~good].iloc[0]
        raise DataError(
            f"table {table!r}, line {line}: {text!r} in column {column.name!r} is not a number. Write it with a decimal "
            "point and without a percent sign, or leave the cell empty and say what is printed in notes"
        )
    return True
