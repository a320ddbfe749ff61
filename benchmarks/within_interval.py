"""What ``within interval`` can tell apart: other analyses of corp_rep, judged by the intervals that the book prints.

Each analysis computes the book's numbers again, point estimates and ends of intervals, and the board's judge compares
them with what is printed. Run: python benchmarks/within_interval.py; writes benchmarks/within_interval.csv, which the
scoreboard quotes.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from papercheck.board import judge
from papercheck.from_answers import reproduce_hair2021
from papercheck.reading import numbers

STUDY = "hair2021_corp_rep"
ANALYSES: dict[str, dict[str, str]] = {
    "as published": {},
    "BCa instead of percentile intervals": {"interval": "bca"},
    "centroid instead of path weighting": {"scheme": "centroid"},
    "rows with gaps dropped": {"missing": "listwise"},
}


def count(analysis: str) -> dict[str, str | int]:
    """Point estimates that come out as printed, and printed ends inside their intervals, under one analysis."""
    printed = numbers(STUDY)
    found = reproduce_hair2021(printed, {}, **ANALYSES[analysis])
    verdicts = pd.Series(
        [judge(r.printed, found[r.model, r.quantity, r.row, r.column], r.decimals)[0] for r in printed.itertuples()]
    )
    ends = printed.quantity.str.contains("ci_").to_numpy()
    return {
        "analysis": analysis,
        "points": int((~ends).sum()),
        "points_exact": int((verdicts[~ends] == "exact").sum()),
        "ends": int(ends.sum()),
        "ends_within": int(verdicts[ends].isin(["exact", "within interval"]).sum()),
    }


if __name__ == "__main__":
    table = pd.DataFrame([count(a) for a in ANALYSES])
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")
    print(table.to_string(index=False))
