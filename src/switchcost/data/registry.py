"""Where the data are, and the checksum of each file."""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
import os
from pathlib import Path

import pandas as pd

from .._core.errors import DataError

_REGISTRY = ("path", "sha256", "n", "variables", "restore")


_SIMULATED = {
    "market": "mobile-phone customers, simulated with a known truth",
    "licence": "CC BY 4.0",
    "citation": "This project; simulated, no evidence about any market",
    "restore": "python -m switchcost.simulate.files",
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
            raise DataError(
                f"SWITCHCOST_DATA is set to {named!r}, and there is no registry.csv in it. "
                "Point it to the project's data folder, or unset it."
            )
        return folder
    for start in (Path(__file__).resolve().parent, Path.cwd()):
        for above in (start, *start.parents):
            if (above / "data" / "registry.csv").is_file():
                return above / "data"
    raise DataError(
        "the project's data folder was not found: run from inside the project, or set the environment variable "
        "SWITCHCOST_DATA to its data folder"
    )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_registry(folder: Path) -> dict[str, dict[str, str]]:
    with open(folder / "registry.csv", encoding="utf-8", newline="") as f:
        return {row["path"]: row for row in csv.DictReader(f)}


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
    if _sha256(path) != known["sha256"]:
        where = known.get("restore") or f"git checkout -- data/{name}"
        raise DataError(
            f"data/{name} was changed: its sha256 is not the one in data/registry.csv. "
            f"Restore it ({where}); if the change is meant, run: python -m switchcost.data.registry"
        )
    return path


def raw_sets(folder: Path) -> dict[str, Path]:
    """Folders of raw and simulated data sets, by name: a folder ``x`` that holds ``x.csv``."""
    found = {}
    for kind in ("raw", "simulated"):
        for sub in sorted((folder / kind).glob("*")):
            if (sub / f"{sub.name}.csv").is_file():
                found[sub.name] = sub
    return found


def study_folders(folder: Path) -> dict[str, Path]:
    return {p.parent.name: p.parent for p in sorted((folder / "published").glob("*/study.json"))}


def set_facts(sub: Path) -> dict[str, str]:
    own = sub / "dataset.json"
    facts = json.loads(own.read_text(encoding="utf-8")) if own.is_file() else {}
    return {**_SIMULATED, **facts} if sub.parent.name == "simulated" else facts


def unknown_name(name: object, folder: Path, wanted: str) -> DataError:
    raw, studies = raw_sets(folder), study_folders(folder)
    if wanted == "data set" and name in studies:
        return DataError(f"{name!r} is a published study without raw data here: use sc.published({name!r})")
    if wanted == "study" and name in raw:
        return DataError(f"{name!r} is a raw data set, not a published study: use sc.load({name!r})")
    known = list(studies) if wanted == "study" else list(raw)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return DataError(f"there is no {wanted} {name!r}.{hint} There are: {', '.join(known)}.")


# ---------------------------------------------------------------------------------------------- the registry
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
    files = [
        *folder.glob("raw/*/*.csv"),
        *folder.glob("simulated/*/*.csv"),
        *folder.glob("published/*/*.csv"),
    ]
    files = [p for p in files if p.name != "codebook.csv"]
    files += [*folder.glob("published/*/study.json"), folder / "published" / "directions.csv"]
    rows = []
    for path in sorted(p for p in files if p.is_file()):
        facts = set_facts(path.parent)
        digest = _sha256(path)
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
    table.to_csv(folder / "registry.csv", index=False, lineterminator="\n")
    return table


if __name__ == "__main__":
    written = register()
    print(f"{len(written)} files written to {data_dir() / 'registry.csv'}")
