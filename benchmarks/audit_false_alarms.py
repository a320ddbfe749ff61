"""How often does sc.audit report something about clean data?

Run: python benchmarks/audit_false_alarms.py [--surveys 200] [--jobs 2] [--only "mobi size"]
Writes audit_false_alarms.csv beside this file, setting by setting. About fifteen minutes on one core.

Each survey is clean by construction: factors that correlate .4, items with loadings .60 to .85, cut into points,
2 % of the answers missing completely at random, an age and an operator that nothing depends on. Four settings:

- ``corp_rep size``: 344 rows, 41 columns, 7 points;
- ``mobi size``: 250 rows, 24 columns, 10 points;
- ``100 rows, yes-no``: 22 columns, items with two answers, the hardest case for rules between columns;
- ``1000 x 60``: 5 points;
- ``1000 x 60, styles``: the same with skewed answers and respondents who differ in how far they use the scale
  (spread between 0.6 and 1.6) and in how readily they agree. Nobody is careless, but the reference of the
  careless-answering indices must be stretched to hold.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

import switchcost as sc

SETTINGS = {
    "corp_rep size": dict(n=344, blocks=[8, 5, 5, 3, 3, 3, 3, 3, 3, 3], levels=7),
    "mobi size": dict(n=250, blocks=[5, 3, 7, 2, 3, 2], levels=10),
    "100 rows, yes-no": dict(n=100, blocks=[4] * 5, levels=2),
    "1000 x 60": dict(n=1000, blocks=[4] * 14 + [2], levels=5),
    "1000 x 60, styles": dict(n=1000, blocks=[4] * 14 + [2], levels=5, styles=True),
}


def clean_survey(seed: int, n: int, blocks: list[int], levels: int, styles: bool = False) -> pd.DataFrame:
    """Clean answers of ``n`` respondents, plus age and operator."""
    rng = np.random.default_rng(seed)
    k = len(blocks)
    factors = rng.standard_normal((n, k)) @ np.linalg.cholesky(0.4 + 0.6 * np.eye(k)).T
    spread = rng.uniform(0.6, 1.6, n) if styles else 1.0
    agree = rng.normal(0.4, 0.4, n) if styles else 0.0
    columns = {}
    for block, items in enumerate(blocks):
        for item in range(items):
            loading = rng.uniform(0.60, 0.85)
            latent = loading * factors[:, block] + np.sqrt(1 - loading**2) * rng.standard_normal(n)
            cuts = np.sort(
                (np.linspace(-1.6, 1.6, levels - 1) if levels > 2 else np.zeros(1))
                + rng.normal(0, 0.1, levels - 1)
                - rng.uniform(0, 0.8)
            )
            answer = 1.0 + np.searchsorted(cuts, agree + spread * latent)
            answer[rng.random(n) < 0.02] = np.nan
            columns[f"{'abcdefghijklmnopqrst'[block]}_{item + 1}"] = answer
    columns["age"] = rng.normal(42, 14, n).round().clip(18, 85)
    columns["operator"] = rng.integers(1, 4, n).astype(float)
    return pd.DataFrame(columns)


def one(setting: str, seed: int) -> list[tuple[str, int, str, str]]:
    """Findings of one clean survey."""
    found = sc.audit(clean_survey(seed, **SETTINGS[setting]))
    return [(setting, seed, severity, check) for severity, check in zip(found["severity"], found["check"], strict=True)]


def rates(setting: str, surveys: int, jobs: int) -> pd.DataFrame:
    """Share of clean surveys with a finding, by severity and by check."""
    results = Parallel(n_jobs=jobs)(delayed(one)(setting, seed) for seed in range(surveys))
    table = pd.DataFrame([r for result in results for r in result], columns=["setting", "seed", "severity", "check"])
    rows, columns = clean_survey(0, **SETTINGS[setting]).shape
    hits = {f"any {s}": table.loc[table["severity"] == s, "seed"].nunique() for s in ("serious", "warning", "note")}
    hits.update(table.groupby("check")["seed"].nunique())
    out = pd.DataFrame({"finding": hits.keys(), "surveys_with_it": hits.values()})
    out["rate"] = out["surveys_with_it"] / surveys
    out.insert(0, "surveys", surveys)
    out.insert(0, "columns", columns)
    out.insert(0, "rows", rows)
    out.insert(0, "setting", setting)
    return out


def main() -> None:
    """Run the settings and write the table of rates."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--surveys", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", choices=SETTINGS, help="one setting; the rows of the others are kept")
    arguments = parser.parse_args()
    file = Path(__file__).with_suffix(".csv")
    for setting in [arguments.only] if arguments.only else SETTINGS:
        new = rates(setting, arguments.surveys, arguments.jobs)
        old = pd.read_csv(file) if file.is_file() else new.iloc[:0]
        parts = {s: new if s == setting else old[old["setting"] == s] for s in SETTINGS}
        table = pd.concat([t for t in parts.values() if len(t)], ignore_index=True)
        table.to_csv(file, index=False, float_format="%.4f", lineterminator="\n")
        print(new.to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
