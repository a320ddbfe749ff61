"""The data sets: what there is, where it comes from, what each column means; and your own survey files.

Every file that comes with the project is listed in ``data/registry.csv`` with its sha256, and is checked each
time it is read. ``python -m switchcost.data register`` writes the registry anew.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..core.arguments import checked
from ..core.errors import DataError
from .codebook import codebook, codes_to_nan
from .files import read_survey
from .published import study_meta
from .registry import (
    checked_file,
    data_dir,
    raw_sets,
    read_registry,
    set_facts,
    study_folders,
    table_shape,
    unknown_name,
)


def datasets() -> pd.DataFrame:
    """List every data set and published study that comes with the project.

    Returns
    -------
    DataFrame indexed by name
        kind (``raw survey``, ``choices``, ``counts``, ``published tables`` or ``simulated``), n (respondents; the total where a study
        has several groups), variables (columns of the raw data, NaN for published tables), market, licence,
        citation. Raw and simulated data are read with :func:`load`, published tables with :func:`published`.

    Examples
    --------
    >>> import switchcost as sc
    >>> int(sc.datasets().loc["corp_rep", "n"])
    344
    """
    folder = data_dir()
    registry = read_registry(folder)
    rows = []
    for name, sub in raw_sets(folder).items():
        facts, known = set_facts(sub), registry.get((sub / f"{name}.csv").relative_to(folder).as_posix())
        shape = (known["n"], known["variables"]) if known else table_shape(sub / f"{name}.csv")
        kind = "simulated" if sub.parent.name == "simulated" else facts.get("kind", "raw survey")
        rows.append((name, kind, float(shape[0]), float(shape[1]), facts))
    for name in study_folders(folder):
        meta = study_meta(name)
        n = meta.get("n", np.nan)
        rows.append((name, "published tables", float(sum(n.values()) if isinstance(n, dict) else n), np.nan, meta))
    told = ("market", "licence", "citation")
    out = pd.DataFrame(
        [(*row[:4], *(row[4].get(k, "not stated") for k in told)) for row in rows],
        columns=["name", "kind", "n", "variables", *told],
    ).set_index("name")
    order = {"raw survey": 0, "choices": 1, "counts": 1, "simulated": 2, "published tables": 3}
    return out.iloc[np.argsort(out["kind"].map(order).to_numpy(), kind="stable")]


@checked()
def load(name: str | os.PathLike, *, keep_codes: bool = False, **options: Any) -> pd.DataFrame:
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
        raise DataError(
            f"load takes the name of a data set or the path of a CSV file, and got a {type(name).__name__}. "
            f"Names: {', '.join(raw_sets(data_dir()))}."
        )
    text = os.fspath(name)
    is_file = isinstance(name, os.PathLike) or "/" in text or "\\" in text or bool(Path(text).suffix)
    if is_file:
        if not Path(text).exists() and Path(text).stem in raw_sets(data_dir()):
            raise DataError(f"there is no file {text!r}. For the data set of the project write sc.load({Path(text).stem!r}).")  # fmt: skip
        return read_survey(name, **options)
    folder = data_dir()
    sets = raw_sets(folder)
    if text not in sets:
        raise unknown_name(text, folder, "data set")
    if options:
        raise DataError(f"load({text!r}) takes no {', '.join(options)}: these options are for your own CSV files")
    path = checked_file(sets[text] / f"{text}.csv")
    data = pd.read_csv(path, index_col=False)
    book = sets[text] / "codebook.csv"
    if not keep_codes and book.is_file():
        data = codes_to_nan(data, codebook(text))
    return data
