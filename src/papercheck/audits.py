"""Stored tables of what the board notices: changed digits, and other analyses of the same answers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from switchcost.data.registry import data_dir


def path_of(name: str) -> Path:
    """``benchmarks/name.csv``; a wheel does not hold it."""
    return data_dir().parent / "benchmarks" / f"{name}.csv"


def _stored(name: str) -> pd.DataFrame | None:
    path = path_of(name)
    return pd.read_csv(path, keep_default_na=False) if path.is_file() else None


def mutations() -> pd.DataFrame:
    """Share of changed numbers that the board notices, by study and by what the number's row rests on.

    Returns
    -------
    DataFrame indexed by study and basis: ``numbers noticed share``; empty where the stored table is not at hand
    """
    table = _stored("board_mutations")
    return pd.DataFrame(columns=["numbers", "noticed", "share"]) if table is None else shares(table)


def shares(table: pd.DataFrame) -> pd.DataFrame:
    """Count noticed changes of ``mutation.mutate``; the last rows count all studies."""
    used = table[table.basis != ""].assign(noticed=lambda t: t.noticed.astype(str).eq("True"))
    both = pd.concat([used, used.assign(study="all")])
    out = both.groupby(["study", "basis"], sort=False).noticed.agg(["size", "sum"])
    out.columns = ["numbers", "noticed"]
    return out.assign(share=(out.noticed / out.numbers).round(3))


def interval_note() -> str:
    """What ``within interval`` can tell apart, from ``benchmarks/within_interval.py``."""
    table = _stored("within_interval")
    if table is None:
        return "within interval says little: other analyses of the same answers pass the same intervals."
    first, *others = table.to_dict("records")
    said = [f"{r['analysis']}: {r['ends_within']} ends, {r['points_exact']} estimates" for r in others]
    return (
        f"within interval says little about the analysis: of {first['ends']} interval ends of hair2021_corp_rep "
        f"{first['ends_within']} lie inside with the published analysis, which gives all {first['points']} point "
        f"estimates exactly. With others, {'; '.join(said)}."
    )
