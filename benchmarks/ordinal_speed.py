"""How fast ordered items are: WLSMV against lavaan, in one run.

    python benchmarks/ordinal_speed.py           # two minutes of one core; needs Rscript with lavaan
    python benchmarks/ordinal_speed.py --runs 1  # a minute

Thirty five-point items on six correlated factors, n = 800, simulated with a seed. Times are processor seconds of the
process that does the work, one thread, medians of alternating runs.

single fit   ours: ``semfit.fit(ordered=True)`` with estimates, robust standard errors, scaled test and all measures;
             lavaan: ``cfa(ordered = TRUE)`` alone, and with ``fitMeasures()`` and ``standardizedSolution()``.
1000 refits  ours: ``fit.bootstrap(1000)``, everything that it returns included. lavaan: measured on few refits of
             resampled rows with ``se = "none", test = "none"``, and scaled.
polychoric   sixty items, 1,000 rows: ``semfit.polychoric`` with standard errors; lavaan: ``lavCor``.

Writes ordinal_speed.csv.
"""

# ruff: noqa: E402  (threads are set before numpy is imported)
from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import semfit

HERE = Path(__file__).parent
REFITS, LAVAAN_REFITS = 1000, 3
SCRIPT = """
suppressMessages(library(lavaan))
d <- read.csv("{folder}/items.csv"); w <- read.csv("{folder}/wide.csv")
model <- readChar("{folder}/model.txt", 1e6)
cpu <- function(x) {{ t <- proc.time(); force(x); sum((proc.time() - t)[c(1, 2)]) }}
invisible(cfa(model, d[1:300, ], ordered = TRUE))
a <- cpu(f <- cfa(model, d, ordered = TRUE))
b <- a + cpu({{ fitMeasures(f); standardizedSolution(f) }})
set.seed(1)
r <- cpu(for (k in 1:{refits}) try(cfa(model, d[sample(nrow(d), replace = TRUE), ], ordered = TRUE, se = "none", test = "none"), silent = TRUE))
p <- cpu(lavCor(w, ordered = names(w)))
cat(a, b, r, p, "\\n")
"""


def items(n: int, p: int, factors: int, seed: int) -> pd.DataFrame:
    """Five-point answers, most of them high, on equally correlated factors."""
    rng = np.random.default_rng(seed)
    latent = rng.multivariate_normal(np.zeros(factors), np.full((factors, factors), 0.4) + 0.6 * np.eye(factors), n)
    z = np.repeat(latent, p // factors, axis=1) * 0.7 + rng.normal(size=(n, p)) * 0.71
    return pd.DataFrame(np.digitize(z, [-1.4, -0.7, 0.1, 0.9]), columns=[f"i{k + 1}" for k in range(p)])


def ours(model: str, data: pd.DataFrame, wide: pd.DataFrame) -> list[float]:
    """Seconds of a fit, of 1,000 refits and of sixty items' correlations; and the share of refits that converged."""
    begin = time.process_time()
    fit = semfit.fit(model, data, ordered=True)
    assert fit.estimates["se"].notna().any() and np.isfinite(fit.measures["rmsea_robust"])
    single = time.process_time() - begin
    begin = time.process_time()
    boot = fit.bootstrap(REFITS, seed=1, progress=False)
    refits = time.process_time() - begin
    begin = time.process_time()
    semfit.polychoric(wide)
    return [single, refits, time.process_time() - begin, boot.n_converged / REFITS]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    data, wide = items(800, 30, 6, 11), items(1000, 60, 12, 12)
    names = list(data)
    model = "\n".join(f"f{j + 1} =~ {' + '.join(names[5 * j : 5 * j + 5])}" for j in range(6))
    mine, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(f"{folder}/items.csv", index=False)
        wide.to_csv(f"{folder}/wide.csv", index=False)
        Path(f"{folder}/model.txt").write_text(model, encoding="utf8")
        ours(model, data.head(300), wide.head(200))  # the first run loads modules
        for _ in range(runs):
            mine.append(ours(model, data, wide))
            code = SCRIPT.format(folder=folder, refits=LAVAAN_REFITS)
            done = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True, check=True)
            theirs.append([float(v) for v in done.stdout.split()[-4:]])
    single, refits, correlations, share = np.median(mine, axis=0)
    alone, whole, few, cor = np.median(theirs, axis=0)
    rows = [
        ("single fit", "semfit", single, 1, np.nan),
        ("single fit", "lavaan, cfa() alone", alone, 1, np.nan),
        ("single fit", "lavaan, with measures", whole, 1, np.nan),
        ("1000 refits", "semfit", refits, REFITS, share),
        ("1000 refits", "lavaan, without standard errors", few * REFITS / LAVAAN_REFITS, LAVAAN_REFITS, np.nan),
        ("polychoric, 60 items", "semfit", correlations, 1, np.nan),
        ("polychoric, 60 items", "lavaan", cor, 1, np.nan),
    ]
    table = pd.DataFrame(rows, columns=["task", "package", "cpu_seconds", "measured_on", "converged_share"])
    base = table[table["package"] == "semfit"].set_index("task")["cpu_seconds"]
    table["times_ours"] = table["cpu_seconds"] / table["task"].map(base)
    table.round(3).to_csv(HERE / "ordinal_speed.csv", index=False)
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
