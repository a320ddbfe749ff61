"""Printed numbers of studies, as text, exactly as printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from ..core.errors import DataError
from .registry import checked_file, data_dir, present, printed_table, study_folders, unknown_name


@dataclass(frozen=True)
class Study:
    """Printed results of one study.

    Attributes
    ----------
    key : folder name
    meta : dict from ``study.json`` (citation, licence, market, n, method, what is open, notes)
    tables : dict of DataFrames, columns that hold only numbers as floats
    printed : the same tables as text, exactly as printed (``.195`` has three decimals, the float 0.195 has none)

    ``study["paths"]`` and ``study.paths`` are ``study.tables["paths"]``.
    """

    key: str
    meta: dict
    tables: dict[str, pd.DataFrame] = field(repr=False)
    printed: dict[str, pd.DataFrame] = field(repr=False)

    def __getitem__(self, table: str) -> pd.DataFrame:
        if table not in self.tables:
            raise DataError(f"study {self.key!r} has no table {table!r}. There are: {', '.join(self.tables) or 'none'}.")  # fmt: skip
        return self.tables[table]

    def __getattr__(self, table: str) -> pd.DataFrame:
        tables = self.__dict__.get("tables", {})
        if table in tables:
            return tables[table]
        raise AttributeError(
            f"study {self.__dict__.get('key')!r} has no table {table!r}; there are: {', '.join(tables)}"
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{k} ({len(v)} rows)" for k, v in self.tables.items()) or "no tables"
        return f"<study {self.key}: {self.meta.get('market', '')}; n = {self.meta.get('n')}; {shapes}>"

    def _repr_html_(self) -> str:
        from html import escape

        notes = "".join(f"<li>{escape(note)}</li>" for note in self.meta.get("notes", []))
        shapes = "; ".join(f"{escape(k)}: {len(v)} rows" for k, v in self.tables.items()) or "no tables"
        return (
            f"<p><b>{escape(self.key)}</b>. {escape(str(self.meta.get('citation', '')))}<br>"
            f"Market: {escape(str(self.meta.get('market', '')))}; n = {escape(str(self.meta.get('n')))}.<br>"
            f"Open: {escape(str(self.meta.get('open_level', 'see tables')))}.<br>Tables: {shapes}.</p>"
            f"<ul>{notes}</ul>"
        )


def study_meta(study: str) -> dict:
    path = checked_file(study_folders(data_dir())[study] / "study.json")
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{study}/study.json is not valid JSON ({error}); mend it or restore it") from None
    lacking = [k for k in ("key", "citation", "market", "n") if k not in meta]
    if lacking:
        raise DataError(f"{study}/study.json lacks {', '.join(lacking)}; see data/published/README.md")
    if meta["key"] != study:
        raise DataError(f"{study}/study.json has the key {meta['key']!r}; it must be the name of its folder, {study!r}")
    return meta


def printed_tables(study: str) -> tuple[dict, dict[str, pd.DataFrame]]:
    """``study.json`` and the tables as text, each file checked against the registry."""
    folder = data_dir()
    studies = study_folders(folder)
    if not isinstance(study, str) or study not in studies:
        raise unknown_name(study, folder, "study")
    present(folder, f"published/{study}/*")
    paths = (p for p in sorted(studies[study].glob("*.csv")) if p.name != "codebook.csv")
    return study_meta(study), {p.stem: printed_table(p) for p in paths}


def published(study: str) -> Study:
    """Read the printed results of a study.

    Parameters
    ----------
    study : str
        A name from :func:`datasets` of the kind ``published tables``.

    Returns
    -------
    Study
        ``.meta`` and the tables, as numbers (``.tables``, ``study["paths"]``) and as printed (``.printed``).

    Raises
    ------
    ValueError
        No such study, a changed file, or a ``study.json`` that lacks a required entry.

    Examples
    --------
    >>> import switchcost as sc
    >>> study = sc.published("mota2012")
    >>> study.printed["paths"].loc[0, "beta"], float(study["paths"].loc[0, "beta"])
    ('0.105', 0.105)
    """
    meta, printed = printed_tables(study)
    return Study(study, meta, {name: text.apply(_numbers) for name, text in printed.items()}, printed)


def _numbers(column: pd.Series) -> pd.Series:
    """Turn a column of text into floats when every filled cell is a number; leave it alone otherwise."""
    filled = column.str.strip().replace("", None)
    number = pd.to_numeric(filled, errors="coerce")
    return number.astype(float) if filled.notna().any() and number.notna().sum() == filled.notna().sum() else column


def directions() -> pd.DataFrame:
    """Studies known only from their abstract: what they report about the direction, never a coefficient.

    Returns
    -------
    DataFrame
        study, reference, market, n, moderator, outcome, direction (``weakens``, ``strengthens``, ``mixed``,
        ``moderates, sign not seen``, ``none``, ``not a moderation``, ``not seen``), reported, known_from.

    Examples
    --------
    >>> import switchcost as sc
    >>> sc.directions().query("study == 'tuu2015'").direction.tolist()
    ['weakens', 'strengthens']
    """
    table = printed_table(data_dir() / "published" / "directions.csv")
    table["n"] = pd.to_numeric(table["n"].replace("", None)).astype(float)
    return table


def wanted() -> pd.DataFrame:
    """Published tables that the project would like to have, and which CSV template to fill for each.

    Returns
    -------
    DataFrame
        work, what_is_wanted, template (files below ``data/published``), why.

    Examples
    --------
    >>> import switchcost as sc
    >>> sc.wanted().work[0].split(" (")[0]
    'Burnham, Frels & Mahajan'
    """
    return printed_table(data_dir() / "published" / "wanted.csv")
