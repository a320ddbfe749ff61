"""Every published number beside its reproduction, with a verdict and a reason.

``python -m switchcost.replication.board`` prints the summary. The numbers are read from ``data/published`` as text, because
the decimals that were printed decide how close a reproduction has to be.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .._core import checks
from .._core.errors import DataError
from ..data.published import decimals, published
from ..data.registry import data_dir
from .from_answers import RAW
from .recipes import MISSING, from_printed
from .reproduction import Reproduction

VERDICTS = (
    "exact",
    "within rounding",
    "within interval",
    "different",
    "paper inconsistent",
    "not comparable",
)


COLUMNS = (
    "study",
    "quantity",
    "row",
    "column",
    "published",
    "reproduced",
    "difference",
    "decimals",
    "verdict",
    "reason",
    "notebook",
    "model",
    "table",
    "printed",
    "source",
    "how",
)


#: What a reproduction rests on.
SOURCES = {"raw": "the answers", "printed": "other numbers of the paper"}


#: Which notebook shows a study at work; studies added later are in the evidence map.
NOTEBOOKS = {
    "hair2021_corp_rep": "11_re_hair2021",
    "ecsi_mobi": "19_loyalty_formation",
    "abbade2014": "12_re_abbade2014",
    "mota2012": "13_re_mota2012",
}


# A number as papers print it: an upper bound (<.001) and stars (.28**) belong to it.
_NUMBER = re.compile(r"<?\s*[-+]?(\d+\.?\d*|\.\d+)\**")


# Columns that describe the study or the table and are no result.
_DESIGN = {"n", "level", "draws", "decimals", "items", "rows", "ci_level", "page", "h"}


_KEYS = {"from", "to", "construct", "item", "group", "model", "scheme", "quantity", "row", "note"}


_OF_CONSTRUCT = {"alpha", "ave", "cr", "rho_A", "rhoA", "rhoC", "omega"}


_RENAME = {"AVE": "ave", "CR": "cr", "loadings": "loading", "Alpha": "alpha"}


def numbers(study: str | Path) -> pd.DataFrame:
    """List every number that a study's tables print.

    Parameters
    ----------
    study : name of a folder in ``data/published``, or the path of a folder made like one

    Returns
    -------
    DataFrame
        One row a number: ``table model quantity row column printed published decimals``. ``printed`` is the text as
        printed. Sample sizes, numbers of items and the like describe the study and are left out.

    Raises
    ------
    ValueError
        No such study, or the same number twice.

    Examples
    --------
    >>> from switchcost.replication.board import numbers, replicate
    >>> n = numbers("abbade2014")
    >>> n[(n.quantity == "path") & (n.row == "CN") & (n.column == "CE")].printed.tolist()
    ['0.276']
    """
    tables, _ = _read(study)
    found = [row for name, table in tables.items() for row in _numbers_of(name, table)]
    out = pd.DataFrame(found, columns=["table", "model", "quantity", "row", "column", "printed"])
    out["published"] = [float(_plain(p)) for p in out.printed]
    out["decimals"] = [decimals(_plain(p)) for p in out.printed]
    # Not results, but needed to count degrees of freedom.
    out.attrs["n_items"] = n_items = {}
    for table in tables.values():
        if {"construct", "items"} <= set(table):
            for _, r in table.iterrows():
                n_items.setdefault(r.get("group", ""), {})[r["construct"]] = int(r["items"])
    keys = ["model", "quantity", "row", "column"]
    twice = out[out.duplicated(keys)]
    if len(twice):
        r = twice.iloc[0]
        raise DataError(
            f"study {study!r} prints {r.quantity!r} of {r.row} {r.column} twice (table {r.table!r}); "
            "use a column 'model' or 'group' to tell the two apart"
        )
    return out


def _read(study: str | Path) -> tuple[dict[str, pd.DataFrame], dict]:
    """Printed tables as text, and study.json. Blocks of numbers inside study.json become tables as well."""
    folder = study if isinstance(study, Path) else data_dir() / "published" / study
    known = _folders()
    if not isinstance(study, Path) and study not in known:
        raise DataError(f"there is no study {study!r}.{checks.suggest(study, known)}")
    meta: dict = {}
    if isinstance(study, str) and (folder / "study.json").is_file():
        found = published(study)  # checks the files against the registry
        tables, meta = dict(found.printed), found.meta
    else:
        tables = {
            p.stem: pd.read_csv(p, dtype=str, keep_default_na=False)
            for p in sorted(folder.glob("*.csv"))
            if p.name != "codebook.csv"
        }
    tables = {k: v.map(str.strip) for k, v in tables.items()}
    if not tables and not (folder / "study.json").is_file():
        raise DataError(f"{folder.name!r} holds no CSV table and no study.json")
    if (folder / "study.json").is_file():
        # A second look with numbers kept as text: 0.640 has three decimals.
        text = json.loads((folder / "study.json").read_text(encoding="utf-8"), parse_float=str, parse_int=str)
        meta = meta or json.loads((folder / "study.json").read_text(encoding="utf-8"))
        if isinstance(text.get("fit"), dict):
            tables.setdefault("fit", pd.DataFrame([text["fit"]], dtype=str))
        if isinstance(text.get("betas"), dict):
            edges = [(*k.split("->"), v) for k, v in text["betas"].items()]
            tables.setdefault("paths", pd.DataFrame(edges, columns=["from", "to", "beta"]))
        if isinstance(text.get("r2"), dict):
            tables.setdefault("r2", pd.DataFrame(text["r2"].items(), columns=["construct", "r2"]))
    return tables, meta


def _folders() -> list[str]:
    root = data_dir() / "published"
    return [
        p.name
        for p in sorted(root.iterdir())
        if p.is_dir()
        and p.name != "templates"
        and ((p / "study.json").is_file() or any(q.name != "codebook.csv" for q in p.glob("*.csv")))
    ]


def _numbers_of(name: str, table: pd.DataFrame) -> list[tuple[str, str, str, str, str, str]]:
    """(table, model, quantity, row, column, printed) for each number of one table, by the kind of the table."""
    table = table.rename(columns=_RENAME).map(str.strip)
    found = []

    def add(model: str, quantity: str, row: str, column: str, text: str) -> None:
        if _NUMBER.fullmatch(text):
            found.append((name, model, quantity, row, column, text))

    groups = [c for c in ("model", "group", "scheme") if c in table]
    model_of = table[groups[0]] if groups else pd.Series("", index=table.index)
    first = table.columns[0]
    if {"quantity", "value"} <= set(table):  # one line a number
        for i, r in table.iterrows():
            row, column = r.get("row", r.get("where", "")), r.get("column", "")
            add(model_of[i], r["quantity"], row, column, r["value"])
            for more in ("ci_lower", "ci_upper", "df"):
                add(model_of[i], f"{r['quantity']} {more}", row, column, r.get(more, ""))
    elif len(table) > 1 and set(table[first]) == set(table.columns[1:]):  # a square matrix, each pair once
        order = list(table[first])
        cell = table.set_index(first)
        for i, a in enumerate(order):
            for b in order[i + 1 :]:
                add("", "correlation", a, b, cell.loc[a, b] or cell.loc[b, a])
    else:
        keys = [c for c in table if c in _KEYS or not _is_values(table[c], name)]
        values = [c for c in table if c not in keys and c.lower() not in _DESIGN]
        names = [k for k in keys if k not in groups and k not in ("note", "H", "p_flag")]
        if {"from", "to"} <= set(names):
            names = ["from", "to"]
        of_item = "construct" in names and "item" in names
        if of_item:
            names = ["construct", "item"]
        for quantity in values:
            # A construct's alpha is printed once, however many rows of the file repeat it.
            whole = (
                of_item
                and quantity in _OF_CONSTRUCT
                and not table.groupby("construct")[quantity].agg(set).str.len().gt(1).any()
            )
            seen = set()
            for i, r in table.iterrows():
                row, column = (r[names[0]] if names else ""), (r[names[1]] if len(names) > 1 else "")
                texts = re.sub(r"<\s+", "<", r[quantity]).split()
                if whole:
                    column = ""
                    if (model_of[i], row) in seen:
                        continue
                    seen.add((model_of[i], row))
                for k, text in enumerate(texts, start=1):
                    add(model_of[i], quantity, row, f"item {k}" if len(texts) > 1 else column, text)
    return found


def _plain(printed: str) -> str:
    """The number in a printed cell, without an inequality or stars."""
    return printed.strip("<* ")


def _is_numbers(text: str) -> bool:
    return bool(text) and all(_NUMBER.fullmatch(t) for t in re.sub(r"<\s+", "<", text).split())


def _is_values(column: pd.Series, table: str) -> bool:
    """Whether a column holds printed numbers. A stray text among numbers is a mistake in the file and raises."""
    filled = column[column != ""]
    good = filled.map(_is_numbers)
    if good.mean() <= 0.5 or len(filled) == 0:
        return False
    if not good.all():
        line, text = good.idxmin() + 2, filled[~good].iloc[0]
        raise DataError(
            f"table {table!r}, line {line}: {text!r} in column {column.name!r} is not a number. Write it with a decimal "
            "point and without a percent sign, or leave the cell empty and say what is printed in notes"
        )
    return True


def judge(printed: str, found: Reproduction | None) -> tuple[str, str]:
    """Compare a printed number with its reproduction.

    Parameters
    ----------
    printed : the number as printed; its decimals set the precision
    found : Reproduction or None

    Returns
    -------
    (verdict, reason)
        ``exact`` equal after rounding to the printed decimals; ``within rounding`` inside the band that rounding of
        the printed inputs allows; ``within interval`` a number with sampling error inside its interval;
        ``different`` computed from raw data and not equal; ``paper inconsistent`` computed from other numbers of the
        same paper and outside the band; ``not comparable`` something is missing. For the first three the reason is
        empty, or a remark.

    Examples
    --------
    >>> judge(".504", Reproduction(0.50421, "raw"))
    ('exact', '')
    >>> judge("0.31", Reproduction(0.024, "printed", band=(0.023, 0.026), why="the paths allow at most 0.048"))[0]
    'paper inconsistent'
    """
    half = 0.5 * 10.0 ** -decimals(_plain(printed))
    target = float(_plain(printed))
    slack = 1e-6 * half + 1e-14 * abs(target)  # decimal halves have no exact binary form
    if found is None or np.isnan(found.value):
        return "not comparable", (found.why if found else "") or "no way to compute it from what is open"
    if abs(found.value - target) <= half + slack or (printed.startswith("<") and found.value < target):
        return "exact", found.remark
    if found.band is not None and found.band[0] - half - slack <= target <= found.band[1] + half + slack:
        return "within rounding", found.remark
    if found.interval is not None and found.interval[0] - half <= target <= found.interval[1] + half:
        return "within interval", found.remark
    why = found.why or f"computed {found.value:.{decimals(_plain(printed)) + 2}f}, printed {printed}"
    return ("paper inconsistent" if found.source == "printed" else "different"), why


_cache: dict[tuple, pd.DataFrame] = {}


def replicate(study: str | Path) -> pd.DataFrame:
    """The rows of the scoreboard that belong to one study.

    Parameters
    ----------
    study : name of a folder in ``data/published``, or the path of a folder made like one (a study being added)

    Returns
    -------
    DataFrame with the columns of :func:`scoreboard`

    Examples
    --------
    >>> from switchcost.replication.board import numbers, replicate
    >>> board = replicate("moura2005")
    >>> board.set_index("quantity").verdict["rmsea"]
    'exact'
    """
    folder = study if isinstance(study, Path) else data_dir() / "published" / str(study)
    stamp = (str(folder), *sorted((p.name, p.stat().st_mtime_ns) for p in folder.glob("*.*")))
    if stamp not in _cache:
        _cache[stamp] = _judge_all(study, folder.name)
    return _cache[stamp].copy()


def _judge_all(study: str | Path, name: str) -> pd.DataFrame:
    table = numbers(study)
    _, meta = _read(study)
    found: Mapping = {**from_printed(table, meta), **(RAW[name](table, meta) if name in RAW else {})}
    rows = []
    for r in table.itertuples():
        rep = found.get((r.model, r.quantity, r.row, r.column))
        verdict, reason = judge(r.printed, rep or Reproduction(why=MISSING.get(r.quantity, "")))
        value = rep.value if rep else np.nan
        rows.append(
            (
                name,
                r.quantity,
                r.row,
                r.column,
                r.published,
                value,
                value - r.published,
                r.decimals,
                verdict,
                reason,
                meta.get("notebook") or NOTEBOOKS.get(name, "16_evidence_map"),
                r.model,
                r.table,
                r.printed,
                SOURCES[rep.source] if rep and not np.isnan(value) else "",
                rep.how if rep else "",
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def scoreboard() -> pd.DataFrame:
    """Every published number of the collection, reproduced and judged.

    Returns
    -------
    DataFrame
        One row a printed number: ``study quantity row column published reproduced difference decimals verdict reason
        notebook``, then ``model`` (or group) it belongs to, ``table``, ``printed`` (text), ``source`` of the
        reproduction (``the answers``, ``other numbers of the paper`` or empty) and ``how`` it was computed. ``row`` and ``column`` are the source and outcome of a path, the construct and item of a loading,
        the two sides of a correlation. Interval ends are rows of their own (``path ci_lower``). Verdicts as in
        :func:`judge`. A study folder added to ``data/published`` appears without code.

    Notes
    -----
    A published bootstrap end is ``within interval`` when it lies where an end from that many draws falls in 99 % of
    cases around our own end (4,000 draws, fixed seed). Computed once a session.

    Examples
    --------
    >>> import switchcost as sc
    >>> board = sc.scoreboard()  # doctest: +SKIP
    >>> summary(board)  # doctest: +SKIP
    """
    from tqdm import tqdm

    names = _folders()
    # Shown after two seconds, and in a terminal only: a bar would stay in a notebook's outputs.
    bar = tqdm(names, desc="scoreboard", unit="study", delay=2, leave=False, file=sys.stderr, disable=None)
    return pd.concat([replicate(name) for name in bar], ignore_index=True)


def summary(board: pd.DataFrame) -> pd.DataFrame:
    """Count verdicts by study.

    Parameters
    ----------
    board : DataFrame from :func:`scoreboard`

    Returns
    -------
    DataFrame, one row a study and a row ``all``: a column a verdict, ``numbers`` and ``reproduced`` (share of the
    comparable numbers whose verdict is one of the first three)

    Examples
    --------
    >>> import pandas as pd
    >>> b = pd.DataFrame({"study": ["a", "a", "b"], "verdict": ["exact", "different", "not comparable"]})
    >>> summary(b).loc["all", ["numbers", "reproduced"]].tolist()
    [3.0, 0.5]
    """
    lacking = [c for c in ("study", "verdict") if c not in board]
    if lacking:
        raise DataError(f"the board has no column {lacking[0]!r}; hand in sc.scoreboard() or a part of it")
    out = pd.crosstab(board.study, board.verdict).reindex(columns=list(VERDICTS), fill_value=0)
    out.loc["all"] = out.sum()
    out.columns.name = None
    good, comparable = out[list(VERDICTS[:3])].sum(axis=1), out[list(VERDICTS[:5])].sum(axis=1)
    out["numbers"] = out[list(VERDICTS)].sum(axis=1)
    out["reproduced"] = good / comparable.where(comparable > 0)
    return out


def main() -> int:
    """Print the summary and every number that does not agree; 1 when open answers no longer give a printed number."""
    board = scoreboard()
    table = summary(board)
    table["reproduced"] = table["reproduced"].map(lambda v: "" if np.isnan(v) else f"{v:.1%}")
    print(f"Scoreboard: {len(board)} published numbers in {board.study.nunique()} studies\n")
    print(table.to_string())
    off = board[board.verdict.isin(("different", "paper inconsistent"))]
    if len(off):
        print("\nNot reproduced:")
        for r in off.itertuples():
            which = " ".join(t for t in (r.model, r.quantity, r.row, r.column) if t)
            print(
                f"  {r.study}: {which}: printed {r.printed}, computed {r.reproduced:.{r.decimals + 1}f} "
                f"({r.verdict}: {r.reason})"
            )
    return int((board.verdict == "different").any())


if __name__ == "__main__":
    sys.exit(main())
