"""Where the data are, and the checksum of each file.

``python -m switchcost.data register`` writes the registry anew. Its last line is a seal: the checksum of the lines
above it, so that a registry that was cut or edited is noticed and never takes a file out of the check.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
import os
from fnmatch import fnmatchcase
from pathlib import Path

import pandas as pd

from ..core.errors import DataError
from ..core.files import atomic_write

COMMAND = "python -m switchcost.data register"
_INSTALLED = Path(__file__).resolve().parents[1] / "_data"
_REGISTRY = ("path", "sha256", "n", "variables", "restore")
_SIMULATED = {
    "market": "mobile-phone customers, simulated with a known truth",
    "licence": "CC BY 4.0",
    "citation": "This project; simulated, no evidence about any market",
    "restore": "python -m simmarket.files",
}


def data_dir() -> Path:
    """Return the data folder: ``SWITCHCOST_DATA`` if set, else that of the project, else the installed copy.

    The project is looked for above this file first, then above the working directory.

    Returns
    -------
    Path
        A folder that holds ``registry.csv``.

    Raises
    ------
    DataError
        ``SWITCHCOST_DATA`` names no data folder, or there is none.
    """
    named = os.environ.get("SWITCHCOST_DATA")
    if named:
        folder = Path(named)
        if not (folder / "registry.csv").is_file():
            raise DataError(
                f"SWITCHCOST_DATA is set to {named!r}, and there is no registry.csv in it. "
                "Point it to the project's data folder, or unset it."
            )
        return folder
    for start in (Path(__file__).resolve().parent, Path.cwd()):
        for above in (start, *start.parents):
            # Somebody else's project may have a data/registry.csv too.
            if (above / "data" / "registry.csv").is_file() and (above / "src" / "switchcost").is_dir():
                return above / "data"
    if (_INSTALLED / "registry.csv").is_file():
        return _INSTALLED
    raise DataError(
        "the project's data folder was not found: run from inside the project, or set the environment variable "
        "SWITCHCOST_DATA to its data folder"
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_registry(folder: Path) -> dict[str, dict[str, str]]:
    """Rows of the registry by path; a registry that is empty, cut or edited is an error, never a smaller registry."""
    mend = f"Restore it (git checkout -- data/registry.csv), or write it anew: {COMMAND}"
    try:
        text = (folder / "registry.csv").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"data/registry.csv cannot be read ({type(error).__name__}). {mend}") from None
    lines = text.splitlines(keepends=True)
    rows = list(csv.DictReader(lines, fieldnames=_REGISTRY))
    if len(rows) < 2 or tuple(rows[0].values())[: len(_REGISTRY)] != _REGISTRY:
        raise DataError(f"data/registry.csv is not the registry: it has no header and rows. {mend}")
    seal = rows[-1]
    if seal["path"] != "registry.csv" or seal["sha256"] != _digest("".join(lines[:-1]).encode("utf-8")):
        raise DataError(
            "data/registry.csv was cut or edited: the checksum in its last line is not that of the lines above. " + mend
        )
    return {row["path"]: row for row in rows[1:-1]}


def present(folder: Path, pattern: str) -> None:
    """Raise when a file that the registry knows, and that fits ``pattern``, is missing."""
    for name, row in read_registry(folder).items():
        if fnmatchcase(name, pattern) and not (folder / name).is_file():
            where = row.get("restore") or f"git checkout -- data/{name}"
            raise DataError(f"data file {name!r} is missing, and the registry lists it. Restore it: {where}")


def checked_file(path: Path) -> Path:
    """Return ``path`` after checking that the file is the one the registry knows."""
    folder = data_dir()
    if not path.is_file():
        raise DataError(f"data file {path.name!r} is missing from {path.parent}. Restore it: git checkout -- {path}")
    name = path.relative_to(folder).as_posix()
    known = read_registry(folder).get(name)
    if known is None:
        # A study or data set that somebody is just adding; registering it is the last step of adding it.
        return path
    if _digest(path.read_bytes()) != known["sha256"]:
        where = known.get("restore") or f"git checkout -- data/{name}"
        raise DataError(
            f"data/{name} was changed: its sha256 is not the one in data/registry.csv. "
            f"Restore it ({where}); if the change is meant, run: {COMMAND}"
        )
    return path


def printed_table(path: Path) -> pd.DataFrame:
    """Read a CSV table of the project as text; a line with more or fewer cells than the header is an error.

    pandas alone would take the first column for row names when every line ends in a comma, and move all numbers by
    one column.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        rows = list(csv.reader(checked_file(path).read_text(encoding="utf-8-sig").splitlines(keepends=True)))
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is not UTF-8 text (byte {error.start}); save it as 'CSV UTF-8'") from None
    except csv.Error as error:
        raise DataError(f"{where} cannot be read as a table: {error}") from None
    rows = [row for row in rows if row]
    if not rows:
        raise DataError(f"{where} is empty; a table needs a line with column names")
    header = [name.strip() for name in rows[0]]
    faulty = sorted({name or "(no name)" for name in header if not name or header.count(name) > 1})
    if faulty:
        raise DataError(f"{where}: each column needs a name of its own; look at {', '.join(faulty)} in line 1")
    for line, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise DataError(
                f"{where}, line {line}: {len(row)} cells where the header has {len(header)}. Look for a comma too many "
                "(also at the end of the line), a comma inside an answer without quotation marks, or a line that was cut."
            )
    return pd.DataFrame(rows[1:], columns=header, dtype=object)


def raw_sets(folder: Path) -> dict[str, Path]:
    """Folders of raw and simulated data sets, by name: a folder ``x`` that holds ``x.csv``."""
    found = {}
    for kind in ("raw", "simulated"):
        present(folder, f"{kind}/*")
        for sub in sorted((folder / kind).glob("*")):
            if (sub / f"{sub.name}.csv").is_file():
                found[sub.name] = sub
    return found


def study_folders(folder: Path) -> dict[str, Path]:
    """Folders of published studies, by name: those that hold a ``study.json``."""
    present(folder, "published/*/study.json")
    return {p.parent.name: p.parent for p in sorted((folder / "published").glob("*/study.json"))}


def set_facts(sub: Path) -> dict[str, str]:
    own = sub / "dataset.json"
    facts = json.loads(own.read_text(encoding="utf-8")) if own.is_file() else {}
    return {**_SIMULATED, **facts} if sub.parent.name == "simulated" else facts


def unknown_name(name: object, folder: Path, wanted: str) -> DataError:
    raw, studies = raw_sets(folder), study_folders(folder)
    if wanted == "data set" and str(name) in studies:
        return DataError(f"{name!r} is a published study without raw data here: use sc.published({name!r})")
    if wanted == "study" and str(name) in raw:
        return DataError(f"{name!r} is a raw data set, not a published study: use sc.load({name!r})")
    known = list(studies) if wanted == "study" else list(raw)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return DataError(f"there is no {wanted} {name!r}.{hint} There are: {', '.join(known)}.")


def table_shape(path: Path) -> tuple[int, int]:
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
    files = [*folder.glob("raw/*/*.csv"), *folder.glob("simulated/*/*.csv"), *folder.glob("published/*/*.csv")]  # fmt: skip
    files = [p for p in files if p.name != "codebook.csv"]
    files += [*folder.glob("published/*/study.json"), folder / "published" / "directions.csv"]
    rows = []
    for path in sorted(p for p in files if p.is_file()):
        facts = set_facts(path.parent)
        digest = _digest(path.read_bytes())
        stated = facts.get("sha256")
        if stated and path.stem == path.parent.name and digest != stated:
            raise DataError(
                f"{path.name} is not the file it says it is: sha256 {digest[:12]}..., stated {stated[:12]}.... "
                f"Restore it from {facts.get('restore', 'its origin')}; raw data are never changed."
            )
        n, variables = table_shape(path) if path.suffix == ".csv" else ("", "")
        name = path.relative_to(folder).as_posix()
        rows.append((name, digest, n, variables, facts.get("restore", f"git checkout -- data/{name}")))
    table = pd.DataFrame(rows, columns=list(_REGISTRY))
    text = table.to_csv(index=False, lineterminator="\n")
    seal = f"registry.csv,{_digest(text.encode('utf-8'))},{len(table)},{len(_REGISTRY)},{COMMAND}\n"
    atomic_write(folder / "registry.csv", text + seal)
    return table
