"""How fast: bootstrap refits and single fits against lavaan and semopy, and how cost grows.

    python benchmarks/speed.py              # about five minutes of one core; needs Rscript with lavaan for its part
    python benchmarks/speed.py --quick      # a minute
    python benchmarks/speed.py --before DIR # this package against an older checkout (its src folder): ratios, no file

The model is a confirmatory factor analysis of thirty five-point items on eight correlated factors (88 parameters),
n = 600, simulated with a seed. One thread everywhere. Times are processor seconds (user + system) of the process
that does the work, because wall time depends on what else the machine does; both are in the tables.

refits      ours: ``fit.bootstrap(1000)``, everything it returns included (standardised solution, chi-square,
            intervals). lavaan: ``bootstrapLavaan``. semopy: ``Model.fit`` on resampled rows, its default tolerance
            and with ``ftol=1e-14``, which it needs for more than three digits. The other two are measured on fewer
            refits and scaled to 1000: every refit costs the same. Runs of the packages alternate; medians of runs.
single fit  ours: ``sc.fit`` with estimates, measures and standardised solution, standard errors included. lavaan:
            ``cfa()`` + ``fitMeasures()`` + ``standardizedSolution()``.
cost        ours alone, against the number of items, factors and resamples.

Writes speed_peers.csv, speed_cost.csv and speed_cost.svg.
"""

# ruff: noqa: E402  (threads are set before numpy is imported)
from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import switchcost as sc

HERE = Path(__file__).parent
FACETS = {"er": 6, "ev": 4, "le": 4, "su": 4, "bl": 3, "ml": 2, "pr": 4, "br": 3}
REFITS = 1000


def survey(sizes: list[int], n: int = 600, seed: int = 11, names: list[str] | None = None) -> tuple[str, pd.DataFrame]:
    """Model text and five-point answers for correlated factors with so many items each."""
    rng = np.random.default_rng(seed)
    names = names or [f"f{k + 1}_" for k in range(len(sizes))]
    shared = rng.standard_normal((n, 1))
    columns, lines = {}, []
    for name, size in zip(names, sizes, strict=True):
        factor = np.sqrt(0.4) * shared[:, 0] + np.sqrt(0.6) * rng.standard_normal(n)
        items = [f"{name}{k + 1}" for k in range(size)]
        for k, item in enumerate(items):
            loading = 0.8 - 0.04 * (k % 5)
            y = loading * factor + np.sqrt(1 - loading**2) * rng.standard_normal(n)
            columns[item] = np.searchsorted((-1.4, -0.4, 0.5, 1.5), y) + 1.0
        lines.append(f"{name.rstrip('_')} =~ " + " + ".join(items))
    return "\n".join(lines), pd.DataFrame(columns)


def clock(work) -> tuple[float, float, object]:
    cpu, wall = time.process_time(), time.perf_counter()
    value = work()
    return time.process_time() - cpu, time.perf_counter() - wall, value


def ours_single(model: str, data: pd.DataFrame):
    fit = sc.fit(model, data)
    return fit, fit.estimates, fit.measures, fit.standardized()


def semopy_refits(model: str, data: pd.DataFrame, refits: int, seed: int, **options) -> tuple[float, float]:
    """Processor and wall seconds a refit."""
    from semopy import Model

    rng = np.random.default_rng(seed)
    m = Model(model)
    m.fit(data)
    samples = [data.iloc[rng.integers(len(data), size=len(data))].reset_index(drop=True) for _ in range(refits)]
    cpu, wall, _ = clock(lambda: [m.fit(s, **options) for s in samples])
    return cpu / refits, wall / refits


def semopy_single(model: str, data: pd.DataFrame, **options):
    from semopy import Model, calc_stats

    m = Model(model)
    m.fit(data, **options)
    return m.inspect(std_est=True), calc_stats(m)


def seconds_to_import(statement: str) -> float:
    code = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    return float(np.median([float(r.stdout) for r in runs]))


def mine() -> dict[str, float]:
    """Processor seconds of the tasks by the package that is on the path."""
    model, data = survey(list(FACETS.values()), names=list(FACETS))
    fit = ours_single(model, data)[0]
    out = {"1000 refits": clock(lambda: fit.bootstrap(REFITS, seed=1, progress=False))[0]}
    out["single fit"] = float(np.median([clock(lambda: ours_single(model, data))[0] for _ in range(9)]))
    out["modification indices"] = float(
        np.median([clock(ours_single(model, data)[0].modification_indices)[0] for _ in range(5)])
    )
    return out


def before(source: str, runs: int) -> pd.DataFrame:
    """This package against an older one, alternating; above 1 means faster than before."""
    found: dict[str, list[dict]] = {"before": [], "now": []}
    paths = {"before": source, "now": str(Path(sc.__file__).parents[1])}
    for _ in range(runs):
        for when, path in paths.items():
            call = [sys.executable, __file__, "--mine"]
            done = subprocess.run(
                call, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=True
            )
            found[when].append(json.loads(done.stdout))
    table = pd.DataFrame({when: pd.DataFrame(rows).min() for when, rows in found.items()})
    table["times_as_fast"] = table["before"] / table["now"]
    libraries = seconds_to_import("import pandas, scipy.linalg")
    print(
        f"import switchcost: {seconds_to_import('import switchcost'):.2f} s, pandas and scipy.linalg {libraries:.2f} s"
    )
    return table


def lavaan(folder: Path, model: str, data: pd.DataFrame, single: int, refits: int) -> dict:
    (folder / "model.txt").write_text(model + "\n", encoding="utf8")
    data.to_csv(folder / "data.csv", index=False)
    call = [
        "Rscript",
        str(HERE / "speed.R"),
        str(folder / "data.csv"),
        str(folder / "model.txt"),
        str(single),
        str(refits),
    ]
    return json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)


def peers(runs: int, lavaan_refits: int, semopy_count: int) -> pd.DataFrame:
    """Alternating runs of the three packages; one row a package and task."""
    model, data = survey(list(FACETS.values()), names=list(FACETS))
    fit = ours_single(model, data)[0]
    rows, has_r = [], shutil.which("Rscript") is not None

    def add(task, package, cpu, wall, measured, converged=np.nan):
        rows.append(
            {
                "task": task,
                "package": package,
                "cpu_seconds": cpu,
                "wall_seconds": wall,
                "measured_on": measured,
                "converged_share": converged,
            }
        )

    with tempfile.TemporaryDirectory() as name:
        for run in range(runs):
            cpu, wall, boot = clock(lambda run=run: fit.bootstrap(REFITS, seed=run, progress=False))
            add("1000 refits", "switchcost", cpu, wall, REFITS, boot.n_converged / REFITS)
            times = [clock(lambda: ours_single(model, data))[:2] for _ in range(5)]
            add("single fit", "switchcost", *np.median(times, axis=0), 5)
            if has_r:
                r = lavaan(Path(name), model, data, 5, lavaan_refits)
                scale = REFITS / r["refits"]
                add(
                    "1000 refits",
                    "lavaan " + r["version"],
                    r["boot_cpu"] * scale,
                    r["boot_wall"] * scale,
                    r["refits"],
                    r["converged"] / r["refits"],
                )
                add(
                    "single fit",
                    "lavaan " + r["version"],
                    np.median(r["single_cpu"]),
                    np.median(r["single_wall"]),
                    5,
                )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for label, options in (
                    ("semopy", {}),
                    ("semopy ftol=1e-14", {"options": {"ftol": 1e-14, "maxiter": 1000}}),
                ):
                    cpu, wall = semopy_refits(model, data, semopy_count, run, **options)
                    add("1000 refits", label, cpu * REFITS, wall * REFITS, semopy_count)
                    times = [clock(lambda o=options: semopy_single(model, data, **o))[:2] for _ in range(5)]
                    add("single fit", label, *np.median(times, axis=0), 5)
    table = pd.DataFrame(rows).groupby(["task", "package"], sort=False).median().reset_index()
    mine = table[table["package"] == "switchcost"].set_index("task")["cpu_seconds"]
    table["times_ours"] = table["cpu_seconds"] / table["task"].map(mine)
    return table


def cost(runs: int) -> pd.DataFrame:
    """Processor seconds of a single fit and of a bootstrap against items, factors and resamples."""
    plan = [("items", 5 * k, [5] * k, REFITS) for k in (2, 4, 6, 8, 10, 12)]
    plan += [("factors (of 30 items)", k, [30 // k] * k, REFITS) for k in (1, 2, 3, 5, 6, 10)]
    plan += [("resamples", r, list(FACETS.values()), r) for r in (100, 300, 1000, 3000)]
    rows = []
    for what, value, sizes, refits in plan:
        model, data = survey(sizes)
        fit = ours_single(model, data)[0]
        single = np.median([clock(lambda m=model, d=data: ours_single(m, d))[0] for _ in range(max(3, runs))])
        times = [clock(lambda f=fit, r=refits: f.bootstrap(r, seed=1, progress=False)) for _ in range(runs)]
        rows.append(
            {
                "against": what,
                "value": value,
                "items": sum(sizes),
                "factors": len(sizes),
                "resamples": refits,
                "parameters": fit.npar,
                "single_fit_cpu": single,
                "bootstrap_cpu": float(np.median([t[0] for t in times])),
                "converged_share": times[0][2].n_converged / refits,
            }
        )
        print(rows[-1])
    return pd.DataFrame(rows)


def figure(table: pd.DataFrame, path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    sc.plots.style()
    fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.4), layout="constrained", sharey=True)
    for ax, (what, part) in zip(axes, table.groupby("against", sort=False), strict=True):
        for k, (column, name) in enumerate((("bootstrap_cpu", "bootstrap"), ("single_fit_cpu", "single fit"))):
            ax.plot(
                part["value"],
                part[column],
                marker=sc.plots.MARKERS[k],
                linestyle=sc.plots.LINES[k],
                color=sc.plots.COLORS[k],
                label=name,
            )
        rest = {"items": "five a factor, 1000 resamples", "resamples": "30 items, 8 factors"}.get(
            what, "1000 resamples"
        )
        ax.set(xlabel=f"{what}; {rest}", yscale="log", xscale="log")
        ax.set_xticks(part["value"], [str(v) for v in part["value"]])
        ax.minorticks_off()
    axes[0].set_ylabel("processor seconds")
    axes[0].legend()
    large = table[table["against"] == "items"].iloc[-1]
    fig.suptitle(
        f"{large['resamples']} refits of a model with {large['items']} items take "
        f"{large['bootstrap_cpu']:.1f} seconds of one processor (n = 600, simulated)",
        x=0.01,
        ha="left",
        weight="bold",
    )
    fig.savefig(path)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="fewer runs")
    options.add_argument("--only", choices=("peers", "cost"))
    options.add_argument("--mine", action="store_true", help="only this package's own times, as JSON")
    options.add_argument("--before", metavar="SRC", help="src folder of an older checkout to be compared with")
    args = options.parse_args()
    if args.mine:
        print(json.dumps(mine()))
        return
    if args.before:
        print(before(args.before, 2 if args.quick else 5).round(3).to_string())
        return
    if args.only != "cost":
        table = peers(*((1, 20, 5) if args.quick else (5, 50, 15)))
        table.round(5).to_csv(HERE / "speed_peers.csv", index=False)
        print(table.round(4).to_string(index=False))
    if args.only != "peers":
        table = cost(1 if args.quick else 3)
        table.round(5).to_csv(HERE / "speed_cost.csv", index=False)
        figure(table, HERE / "speed_cost.svg")


if __name__ == "__main__":
    main()
