"""Are WLSMV's intervals short at n = 300 because of us, or of the method? lavaan on the very same samples.

    python benchmarks/ordinal_intervals.py    # 200 samples; needs Rscript with lavaan; about five minutes of one core

The cell of ``ordinal_coverage.py`` with the lowest coverage (skewed answers, n = 300), its first samples. Share of 95 %
intervals that hold the true standardised loading (mean and lowest of eight) and the true correlation of the factors,
and mean standard error over the standard deviation of the estimates. Intervals: estimate +- 1.96 standard errors as
semfit and lavaan (``standardizedSolution``) print them; through Fisher's z; the percentile and the bias-corrected
interval of 500 resamples, these for the first 100 samples, on which the others are shown once more ("resampled ones").
``widest_gap`` is the largest difference between an end of ours and lavaan's.

Writes ordinal_intervals.csv.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from ordinal_coverage import CORRELATION, CUTS, LOADINGS, MODEL, sample

import semfit

HERE = Path(__file__).parent
ANSWERS, N, RESAMPLES, RESAMPLED = "skewed", 300, 500, 100
TRUTH = np.concatenate([LOADINGS, LOADINGS, [CORRELATION]])
SCRIPT = """
suppressMessages(library(lavaan))
d <- read.csv("{folder}/samples.csv"); model <- readChar("{folder}/model.txt", 1e6)
out <- lapply(split(d[1:8], d$sample), function(x) {{
  s <- standardizedSolution(cfa(model, x, ordered = TRUE, std.lv = TRUE))
  s <- s[s$op == "=~" | (s$lhs == "f" & s$rhs == "g"), ]
  data.frame(est = s$est.std, se = s$se, low = s$ci.lower, high = s$ci.upper)
}})
write.csv(do.call(rbind, out), "{folder}/found.csv", row.names = FALSE)
"""


def rows_of(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["op"] == "=~") | ((table["lhs"] == "f") & (table["rhs"] == "g"))]


def lavaan(sets: list[pd.DataFrame]) -> np.ndarray:
    """est, se, low, high of every sample, shape (samples, 9, 4)."""
    with tempfile.TemporaryDirectory() as folder:
        pd.concat([s.assign(sample=k) for k, s in enumerate(sets)]).to_csv(f"{folder}/samples.csv", index=False)
        Path(f"{folder}/model.txt").write_text(MODEL, encoding="utf8")
        subprocess.run(["Rscript", "-e", SCRIPT.format(folder=folder)], check=True, capture_output=True)
        return pd.read_csv(f"{folder}/found.csv").to_numpy().reshape(len(sets), 9, 4)


def ours(data: pd.DataFrame, resamples: int) -> np.ndarray:
    """est, se and the ends of four intervals, shape (9, 10); bootstrap ends are NaN without resamples."""
    fit = semfit.fit(MODEL, data, ordered=True, std_lv=True)
    part = rows_of(fit.standardized())
    est, se = part["est"].to_numpy(), part["se"].to_numpy()
    half = 1.959963984540054 * se / (1 - est**2)
    boot = np.full((9, 4), np.nan)
    if resamples:
        drawn = rows_of(fit.bootstrap(resamples, progress=False).standardized)
        boot = drawn[["ci_lower", "ci_upper", "bc_lower", "bc_upper"]].to_numpy()
    z = np.arctanh(est)
    return np.column_stack([est, se, part[["ci_lower", "ci_upper"]], np.tanh(z - half), np.tanh(z + half), boot])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200)
    samples = parser.parse_args().samples
    rng = np.random.default_rng([N, len(ANSWERS)])
    sets = [sample(rng, N, CUTS[ANSWERS]) for _ in range(samples)]
    found = np.array([ours(data, RESAMPLES if k < RESAMPLED else 0) for k, data in enumerate(sets)])
    theirs = lavaan(sets)
    gap = np.abs(found[:, :, 2:4] - theirs[:, :, 2:4]).max()
    rows = []
    few = found[:RESAMPLED]
    ways = [("semfit", found, 2), ("lavaan", theirs, 2), ("Fisher's z", found, 4), ("semfit, resampled ones", few, 2), ("Fisher's z, resampled ones", few, 4), ("percentile", few, 6), ("bias-corrected", few, 8)]  # fmt: skip
    for name, values, at in ways:
        inside = ((values[:, :, at] <= TRUTH) & (values[:, :, at + 1] >= TRUTH)).mean(axis=0)
        ratio = values[:, :, 1].mean(axis=0) / values[:, :, 0].std(axis=0, ddof=1)
        own = name in ("semfit", "lavaan")
        rows.append((name, len(values), inside[:8].mean(), inside[:8].min(), inside[8], ratio[:8].mean() if own else np.nan, ratio[8] if own else np.nan, gap if name == "lavaan" else np.nan))  # fmt: skip
    columns = "interval samples coverage_loadings coverage_lowest coverage_correlation se_of_loadings se_of_correlation widest_gap"
    table = pd.DataFrame(rows, columns=columns.split())
    table["widest_gap"] = table["widest_gap"].map("{:.1e}".format, na_action="ignore")
    table.round(4).to_csv(HERE / "ordinal_intervals.csv", index=False)
    print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
