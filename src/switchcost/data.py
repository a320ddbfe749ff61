"""The data sets: what there is, where it comes from, what each column means; and your own survey files.

Every file that comes with the project is listed in ``data/registry.csv`` with its sha256, and is checked each
time it is read. ``python -m switchcost.data`` writes the registry anew.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from . import _checks, _read

# python -m switchcost.data runs a module that the package has imported already; here that is harmless.
warnings.filterwarnings("ignore", message="'switchcost\\.", category=RuntimeWarning)

CODEBOOK_COLUMNS = (
    "variable", "construct", "label_en", "label_zh", "low", "high", "reverse", "missing_code", "source",
)  # fmt: skip

_REGISTRY = ("path", "sha256", "n", "variables", "restore")
_SIMULATED = {
    "market": "mobile-phone customers, simulated with a known truth",
    "licence": "CC BY 4.0",
    "citation": "This project; simulated, no evidence about any market",
    "restore": "python -m switchcost.simulate",
}


# ------------------------------------------------------------------------------------------------ the folder
def data_dir() -> Path:
    """Return the data folder: ``SWITCHCOST_DATA`` if set, else ``data/`` of the project.

    The project is looked for above this file first, then above the working directory.

    Raises
    ------
    ValueError
        There is no such folder.
    """
    named = os.environ.get("SWITCHCOST_DATA")
    if named:
        folder = Path(named)
        if not (folder / "registry.csv").is_file():
            raise ValueError(
                f"SWITCHCOST_DATA is set to {named!r}, and there is no registry.csv in it. "
                "Point it to the project's data folder, or unset it."
            )
        return folder
    for start in (Path(__file__).resolve().parent, Path.cwd()):
        for above in (start, *start.parents):
            if (above / "data" / "registry.csv").is_file():
                return above / "data"
    raise ValueError(
        "the project's data folder was not found: run from inside the project, or set the environment variable "
        "SWITCHCOST_DATA to its data folder"
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _registry(folder: Path) -> dict[str, dict[str, str]]:
    with open(folder / "registry.csv", encoding="utf-8", newline="") as f:
        return {row["path"]: row for row in csv.DictReader(f)}


def _checked(path: Path) -> Path:
    """Return ``path`` after checking that the file is the one the registry knows."""
    folder = data_dir()
    if not path.is_file():
        raise ValueError(
            f"data file {path.name!r} is missing from {path.parent}. Restore it: git checkout -- {path}"
        )
    name = path.relative_to(folder).as_posix()
    known = _registry(folder).get(name)
    if known is None:
        # A study or data set that somebody is just adding; registering it is the last step of adding it.
        return path
    if _sha256(path) != known["sha256"]:
        where = known.get("restore") or f"git checkout -- data/{name}"
        raise ValueError(
            f"data/{name} was changed: its sha256 is not the one in data/registry.csv. "
            f"Restore it ({where}); if the change is meant, run: python -m switchcost.data"
        )
    return path


def _raw_sets(folder: Path) -> dict[str, Path]:
    """Folders of raw and simulated data sets, by name: a folder ``x`` that holds ``x.csv``."""
    found = {}
    for kind in ("raw", "simulated"):
        for sub in sorted((folder / kind).glob("*")):
            if (sub / f"{sub.name}.csv").is_file():
                found[sub.name] = sub
    return found


def _studies(folder: Path) -> dict[str, Path]:
    return {p.parent.name: p.parent for p in sorted((folder / "published").glob("*/study.json"))}


def _facts(sub: Path) -> dict[str, str]:
    own = sub / "dataset.json"
    facts = json.loads(own.read_text(encoding="utf-8")) if own.is_file() else {}
    return {**_SIMULATED, **facts} if sub.parent.name == "simulated" else facts


# ------------------------------------------------------------------------------------------- what there is
def datasets() -> pd.DataFrame:
    """List every data set and published study that comes with the project.

    Returns
    -------
    DataFrame indexed by name
        kind (``raw survey``, ``published tables`` or ``simulated``), n (respondents; the total where a study
        has several groups), variables (columns of the raw data, NaN for published tables), market, licence,
        citation. Raw and simulated data are read with :func:`load`, published tables with :func:`published`.

    Examples
    --------
    >>> import switchcost as sc
    >>> int(sc.datasets().loc["corp_rep", "n"])
    344
    """
    folder = data_dir()
    registry = _registry(folder)
    rows = []
    for name, sub in _raw_sets(folder).items():
        facts, known = _facts(sub), registry.get((sub / f"{name}.csv").relative_to(folder).as_posix())
        shape = (known["n"], known["variables"]) if known else _shape(sub / f"{name}.csv")
        rows.append(
            {
                "name": name,
                "kind": "simulated" if sub.parent.name == "simulated" else "raw survey",
                "n": float(shape[0]),
                "variables": float(shape[1]),
                **{k: facts.get(k, "not stated") for k in ("market", "licence", "citation")},
            }
        )
    for name in _studies(folder):
        meta = _meta(name)
        n = meta.get("n", np.nan)
        rows.append(
            {
                "name": name,
                "kind": "published tables",
                "n": float(sum(n.values()) if isinstance(n, dict) else n),
                "variables": np.nan,
                "market": meta.get("market", "not stated"),
                "licence": meta.get("licence", "not stated"),
                "citation": meta.get("citation", "not stated"),
            }
        )
    out = pd.DataFrame(rows).set_index("name")
    order = {"raw survey": 0, "simulated": 1, "published tables": 2}
    return out.iloc[np.argsort(out["kind"].map(order).to_numpy(), kind="stable")]


def _unknown(name: object, folder: Path, wanted: str) -> ValueError:
    raw, studies = _raw_sets(folder), _studies(folder)
    if wanted == "data set" and name in studies:
        return ValueError(f"{name!r} is a published study without raw data here: use sc.published({name!r})")
    if wanted == "study" and name in raw:
        return ValueError(f"{name!r} is a raw data set, not a published study: use sc.load({name!r})")
    known = list(studies) if wanted == "study" else list(raw)
    close = _checks.difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return ValueError(f"there is no {wanted} {name!r}.{hint} There are: {', '.join(known)}.")


def load(name: str | os.PathLike, *, keep_codes: bool = False, **options: object) -> pd.DataFrame:
    """Read a data set of the project, or your own survey file.

    Parameters
    ----------
    name : str or path
        A name from :func:`datasets` (``"corp_rep"``, ``"mobi"``, ``"telecom_survey"``, ``"telecom_usage"``), or
        the path of a CSV file, which is handed to :func:`read_survey` with ``options``.
    keep_codes : bool
        True leaves documented missing codes such as -99 in the data. Only for looking at the raw file.

    Returns
    -------
    DataFrame
        One row a respondent (a month of a customer in ``telecom_usage``). Missing answers are NaN.

    Raises
    ------
    ValueError
        No such name or file; or the file is not the one in ``data/registry.csv``.

    Examples
    --------
    >>> import switchcost as sc
    >>> data = sc.load("corp_rep")
    >>> data.shape
    (344, 41)
    >>> int(data["cusl_2"].isna().sum())
    4
    """
    if not isinstance(name, (str, os.PathLike)):
        raise ValueError(
            f"load takes the name of a data set or the path of a CSV file, and got a {type(name).__name__}. "
            f"Names: {', '.join(_raw_sets(data_dir()))}."
        )
    text = os.fspath(name)
    is_file = isinstance(name, os.PathLike) or "/" in text or "\\" in text or bool(Path(text).suffix)
    if is_file:
        if not Path(text).exists() and Path(text).stem in _raw_sets(data_dir()):
            raise ValueError(
                f"there is no file {text!r}. For the data set of the project write sc.load({Path(text).stem!r})."
            )
        return read_survey(name, **options)
    folder = data_dir()
    sets = _raw_sets(folder)
    if text not in sets:
        raise _unknown(text, folder, "data set")
    if options:
        raise ValueError(
            f"load({text!r}) takes no {', '.join(options)}: these options are for your own CSV files"
        )
    path = _checked(sets[text] / f"{text}.csv")
    data = pd.read_csv(path)
    book = sets[text] / "codebook.csv"
    if not keep_codes and book.is_file():
        data = _codes_to_nan(data, codebook(text))
    return data


def codebook(name: str | os.PathLike | pd.DataFrame) -> pd.DataFrame:
    """Read the codebook of a data set, of a published study, or your own.

    Parameters
    ----------
    name : str, path or DataFrame
        A name from :func:`datasets`; the path of a codebook CSV; or a DataFrame, which is checked.

    Returns
    -------
    DataFrame
        For raw data: variable, construct, label_en, label_zh, low, high (numbers), reverse (bool), missing_code
        (number or NaN), source, and any further columns of the file. ``construct`` is ``group`` for
        nominal columns such as the operator. For a published study: table, column, meaning.

    Raises
    ------
    ValueError
        No such name or file, no column ``variable``, a variable listed twice, or a range that is not one.

    Examples
    --------
    >>> import switchcost as sc
    >>> sc.codebook("mobi").set_index("variable").loc["CUSA1", "construct"]
    'Satisfaction'
    """
    if isinstance(name, pd.DataFrame):
        return _check_codebook(name.astype(object).where(name.notna(), "").astype(str), "the codebook")
    text = os.fspath(name) if isinstance(name, (str, os.PathLike)) else str(name)
    if isinstance(name, os.PathLike) or "/" in text or "\\" in text or Path(text).suffix:
        header, rows, _ = _read.read_table(Path(text), None, None)
        return _check_codebook(pd.DataFrame(rows, columns=header), f"codebook {Path(text).name!r}")
    folder = data_dir()
    sets, studies = _raw_sets(folder), _studies(folder)
    if text in studies and text not in sets:
        path = studies[text] / "codebook.csv"
        return pd.read_csv(_checked(path), dtype=str, keep_default_na=False)
    if text not in sets:
        raise _unknown(text, folder, "data set")
    path = sets[text] / "codebook.csv"
    if not path.is_file():
        raise ValueError(f"data set {text!r} has no codebook.csv yet")
    # A codebook is prose that gets mended; it is not under the checksum that guards numbers.
    return _check_codebook(
        pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8"), f"codebook of {text!r}"
    )


def _check_codebook(book: pd.DataFrame, what: str) -> pd.DataFrame:
    book = book.rename(columns=lambda c: str(c).strip())
    if "variable" not in book.columns:
        raise ValueError(
            f"{what} has no column 'variable'. It needs: {', '.join(CODEBOOK_COLUMNS)} "
            f"(only 'variable' must be filled); found: {', '.join(map(str, book.columns[:8]))}."
        )
    book = book.copy()
    book["variable"] = book["variable"].str.strip()
    if (book["variable"] == "").any():
        raise ValueError(
            f"{what} has an empty 'variable' in line {int(np.argmax(book['variable'] == '')) + 2}; name it or delete the line"
        )
    twice = book.loc[book["variable"].duplicated(), "variable"].unique()
    if len(twice):
        raise ValueError(f"{what} lists {', '.join(twice)} more than once; keep one line a variable")
    for column in CODEBOOK_COLUMNS:
        if column not in book.columns:
            book[column] = ""
    for column in ("low", "high", "missing_code"):
        text = book[column].str.strip()
        number = pd.to_numeric(text.where(text != "", None), errors="coerce")
        bad = number.isna() & (text != "")
        if bad.any():
            raise ValueError(
                f"{what}: {column!r} of variable {book.loc[bad, 'variable'].iloc[0]!r} is {text[bad].iloc[0]!r}; "
                "write one number, or leave it empty"
            )
        book[column] = number.astype(float)
    wrong = book["low"] >= book["high"]
    if wrong.any():
        row = book[wrong].iloc[0]
        raise ValueError(
            f"{what}: the range of {row['variable']!r} is {row['low']:g} to {row['high']:g}; low must be below high"
        )
    yes, no = {"1", "yes", "true", "y", "1.0", "reverse", "r"}, {"", "0", "no", "false", "n", "0.0"}
    text = book["reverse"].str.strip().str.lower()
    bad = ~text.isin(yes | no)
    if bad.any():
        raise ValueError(
            f"{what}: 'reverse' of variable {book.loc[bad, 'variable'].iloc[0]!r} is {text[bad].iloc[0]!r}; "
            "write 1 for a reverse-keyed item, 0 or nothing for the others"
        )
    book["reverse"] = text.isin(yes)
    rest = [c for c in book.columns if c not in CODEBOOK_COLUMNS]
    return book[[*CODEBOOK_COLUMNS, *rest]].reset_index(drop=True)


def _codes_to_nan(data: pd.DataFrame, book: pd.DataFrame) -> pd.DataFrame:
    coded = book.dropna(subset=["missing_code"])
    for variable, code in zip(coded["variable"], coded["missing_code"], strict=True):
        if variable in data.columns and (data[variable] == code).any():
            data[variable] = data[variable].where(data[variable] != code)
    return data


# ------------------------------------------------------------------------------------------ published tables
def decimals(printed: str) -> int:
    """Count the decimals of a number as printed: ``decimals(".195")`` is 3.

    Raises
    ------
    ValueError
        The text is not a number.
    """
    match = re.fullmatch(r"\s*[-+]?\d*(?:\.(\d*))?\s*", str(printed))
    if not match or not re.search(r"\d", str(printed)):
        raise ValueError(f"{printed!r} is not a printed number")
    return len(match.group(1) or "")


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
            raise ValueError(
                f"study {self.key!r} has no table {table!r}. There are: {', '.join(self.tables) or 'none'}."
            )
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


def _meta(study: str) -> dict:
    path = _checked(_studies(data_dir())[study] / "study.json")
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{study}/study.json is not valid JSON ({error}); mend it or restore it") from None
    lacking = [k for k in ("key", "citation", "market", "n") if k not in meta]
    if lacking:
        raise ValueError(f"{study}/study.json lacks {', '.join(lacking)}; see data/published/README.md")
    if meta["key"] != study:
        raise ValueError(
            f"{study}/study.json has the key {meta['key']!r}; it must be the name of its folder, {study!r}"
        )
    return meta


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
    folder = data_dir()
    studies = _studies(folder)
    if not isinstance(study, str) or study not in studies:
        raise _unknown(study, folder, "study")
    meta = _meta(study)
    tables, printed = {}, {}
    for path in sorted(studies[study].glob("*.csv")):
        if path.name == "codebook.csv":
            continue
        text = pd.read_csv(_checked(path), dtype=str, keep_default_na=False, encoding="utf-8")
        printed[path.stem] = text
        tables[path.stem] = text.apply(_numbers)
    return Study(study, meta, tables, printed)


def _numbers(column: pd.Series) -> pd.Series:
    """Turn a column of text into floats when every filled cell is a number; leave it alone otherwise."""
    filled = column.str.strip().replace("", None)
    number = pd.to_numeric(filled, errors="coerce")
    return (
        number.astype(float)
        if filled.notna().any() and number.notna().sum() == filled.notna().sum()
        else column
    )


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
    path = _checked(data_dir() / "published" / "directions.csv")
    table = pd.read_csv(path, encoding="utf-8", keep_default_na=False)
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
    return pd.read_csv(data_dir() / "published" / "wanted.csv", encoding="utf-8", keep_default_na=False)


# ------------------------------------------------------------------------------------------ your own survey
def read_survey(
    path: str | os.PathLike,
    codebook: str | os.PathLike | pd.DataFrame | None = None,
    *,
    sep: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    missing: Sequence[str | float] = (),
    drop: Sequence[str] = (),
) -> pd.DataFrame:
    """Read your own survey from a CSV file, or say in one sentence what is wrong with it.

    Separator (comma, semicolon, tab, bar), decimal sign and encoding (UTF-8 with or without mark, UTF-16,
    GB 18030, Latin-1) are found by themselves. Nothing is repaired in silence: what was found is kept in
    ``data.attrs["read"]``.

    Parameters
    ----------
    path : str or path
    codebook : path or DataFrame, optional
        Columns as in :func:`codebook`. Its missing codes become NaN; a variable it lists must be in the file; a
        column with a range must hold numbers. Answers outside the range stay, and :func:`switchcost.audit`
        reports them.
    sep, decimal, encoding : str, optional
        Only where the automatic choice is wrong.
    missing : sequence
        Further answers that mean "no answer", in any column: ``missing=("don't know", -99)``.
        Empty cells, NA, N/A, NaN, NULL, "." and "-" always do.
    drop : sequence of str
        Columns to leave out.

    Returns
    -------
    DataFrame
        Number columns as int or float, the others as text.

    Raises
    ------
    ValueError
        One sentence with the fault and the mend: no file, not a text file, no rows, one row, a line with too
        many cells, no header, names that are empty or occur twice, a column without a value, text among
        numbers, decimal commas among decimal points, a codebook that does not fit.

    Examples
    --------
    >>> import tempfile, pathlib, switchcost as sc
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
    >>> _ = file.write_text("sat1;sat2\\n3,5;4\\n2,0;5\\n")
    >>> sc.read_survey(file)["sat1"].tolist()
    [3.5, 2.0]
    """
    path = Path(path)
    name = path.name
    if path.suffix.lower() in {".xlsx", ".xls", ".ods"} and not path.exists():
        raise ValueError(f"there is no file {str(path)!r}")
    if decimal not in (None, ".", ","):
        raise ValueError(f"decimal must be '.' or ',' and is {decimal!r}")
    header, rows, found = _read.read_table(path, sep, encoding)
    book = None
    if codebook is not None:
        book = globals()["codebook"](codebook)
    data = pd.DataFrame(rows, columns=range(len(header)), dtype=object)

    # An empty name over an empty column is what a separator at the end of each line leaves behind.
    empty = [i for i, h in enumerate(header) if h == "" and all(c.strip() == "" for c in data[i])]
    if empty:
        data = data.drop(columns=empty)
        header = [h for i, h in enumerate(header) if i not in empty]
    if header and all(re.fullmatch(r"-?\d+([.,]\d+)?", h) for h in header):
        raise ValueError(
            f"{name}: the first line holds numbers ({', '.join(header[:4])}, ...), not names. Put a line with the column names on top."
        )
    nameless = [i + 1 for i, h in enumerate(header) if h == ""]
    if nameless:
        raise ValueError(f"{name}: column {nameless[0]} has no name. Write one into the first line.")
    twice = sorted({h for h in header if header.count(h) > 1})
    if twice:
        raise ValueError(
            f"{name} has column names that occur twice: {', '.join(twice)}. Rename them, so that each name means one column."
        )
    data.columns = header
    if drop:
        data = data.drop(columns=_checks.columns(data, drop))
    if len(data) == 0:
        raise ValueError(f"{name} has a header and no answers; check the export")
    if len(data) == 1:
        raise ValueError(
            f"{name} has one row of answers; nothing can vary in it. Check the export, or whether rows and columns are swapped."
        )

    codes = {_read.plain(m) for m in missing} | _read.NO_ANSWER
    ranged = set()
    if book is not None:
        absent = [v for v in book["variable"] if v not in header and v not in drop]
        if absent:
            raise ValueError(
                f"the codebook lists {absent[0]!r}, which is not a column of {name}.{_checks.suggest(absent[0], header)}"
                + (f" ({len(absent)} such variables.)" if len(absent) > 1 else "")
            )
        ranged = set(book.loc[book["low"].notna() & book["high"].notna(), "variable"])
    out, commas, points = {}, [], []
    for column in data.columns:
        text = data[column].str.strip()
        gap = text.str.lower().isin(codes).to_numpy()
        if gap.all():
            raise ValueError(
                f"column {column!r} of {name} has no values at all; leave it out with drop=[{column!r}], or check the export"
            )
        values, style = _read.to_numbers(text.where(~gap, None), column, name, decimal, must=column in ranged)
        commas += [column] * (style == ",")
        points += [column] * (style == ".")
        out[column] = values
    if commas and points and found["sep"] != ",":
        raise ValueError(
            f"{name} has decimal commas in {commas[0]!r} and decimal points in {points[0]!r}; "
            "make them the same, or read it with decimal=',' or decimal='.'"
        )
    frame = pd.DataFrame(out)
    if book is not None:
        frame = _codes_to_nan(frame, book)
    frame.attrs["read"] = {**found, "decimal": "," if commas else ".", "rows": len(frame), "file": name}
    return frame


# ---------------------------------------------------------------------------------------------- the registry
def _shape(path: Path) -> tuple[int, int]:
    with open(path, encoding="utf-8", newline="") as f:
        reader = csv.reader(f)
        header = next(reader)
        return sum(1 for _ in reader), len(header)


def register(folder: Path | None = None) -> pd.DataFrame:
    """Write ``data/registry.csv`` anew: every table and study.json with its sha256, rows and columns.

    A raw file whose origin states a checksum (``sha256`` in its dataset.json) must still have it: raw data are
    never changed, only re-downloaded.

    Returns
    -------
    DataFrame
        The registry: path, sha256, n, variables, restore.
    """
    folder = data_dir() if folder is None else Path(folder)
    files = [
        *folder.glob("raw/*/*.csv"),
        *folder.glob("simulated/*/*.csv"),
        *folder.glob("published/*/*.csv"),
    ]
    files = [p for p in files if p.name != "codebook.csv"]
    files += [*folder.glob("published/*/study.json"), folder / "published" / "directions.csv"]
    rows = []
    for path in sorted(p for p in files if p.is_file()):
        facts = _facts(path.parent)
        digest = _sha256(path)
        stated = facts.get("sha256")
        if stated and path.stem == path.parent.name and digest != stated:
            raise ValueError(
                f"{path.name} is not the file it says it is: sha256 {digest[:12]}..., stated {stated[:12]}.... "
                f"Restore it from {facts.get('restore', 'its origin')}; raw data are never changed."
            )
        n, variables = _shape(path) if path.suffix == ".csv" else ("", "")
        name = path.relative_to(folder).as_posix()
        rows.append((name, digest, n, variables, facts.get("restore", f"git checkout -- data/{name}")))
    table = pd.DataFrame(rows, columns=list(_REGISTRY))
    table.to_csv(folder / "registry.csv", index=False, lineterminator="\n")
    return table


if __name__ == "__main__":
    written = register()
    print(f"{len(written)} files written to {data_dir() / 'registry.csv'}")
