"""The stored table of the mutation audit: which changed digits the board noticed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..data.registry import data_dir


def path_of_table() -> Path:
    return data_dir().parent / "benchmarks" / "board_mutations.csv"


def stored() -> pd.DataFrame:
    """Share of changed numbers that the board notices, by study and by what the number's row rests on.

    Returns
    -------
    DataFrame indexed by study and basis: ``numbers noticed share``; empty where the stored table is not at hand
    """
    path = path_of_table()
    if not path.is_file():
        return pd.DataFrame(columns=["numbers", "noticed", "share"])
    table = pd.read_csv(path, keep_default_na=False)
    return shares(table)


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Count noticed changes of :func:`mutate`; the last rows count all studies."""
    used = table[table.basis != ""].assign(noticed=lambda t: t.noticed.astype(str).eq("True"))
    both = pd.concat([used, used.assign(study="all")])
    out = both.groupby(["study", "basis"], sort=False).noticed.agg(["size", "sum"])
    out.columns = ["numbers", "noticed"]
    return out.assign(share=(out.noticed / out.numbers).round(3))
