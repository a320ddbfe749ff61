"""How cost grows with rows, items, groups, patterns of gaps and resamples: seconds, memory and slopes.

    python benchmarks/speed_growth.py               # about fifteen minutes of one core
    python benchmarks/speed_growth.py --quick       # smaller points, two minutes
    python benchmarks/speed_growth.py --only items  # one axis, no file
    python benchmarks/speed_growth.py --task "moderation"  # one task; its rows of the table are replaced

Each point is a process of its own, one thread: processor seconds of the task, and how far the peak of its memory lies above
that of the process with the data loaded (from /proc, so on Linux). The slope is that of log seconds on log size over the last two points: 1 is linear.
Writes speed_growth.csv and speed_growth.svg.
"""

# ruff: noqa: E402  (threads are set before numpy is imported)
from __future__ import annotations

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import gc
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent

# (axis, task): sizes; the last of each are left out by --quick
PLAN: dict[tuple[str, str], list[int]] = {
    ("items", "fit, ML"): [20, 40, 60, 80, 100],
    ("items", "fit, MLR with gaps"): [20, 40, 60, 80],
    ("items", "ladder of invariance, MLR with gaps"): [20, 40, 60, 80],
    ("items", "modification indices"): [20, 40, 60, 80, 100],
    ("items", "bootstrap, 200 resamples"): [20, 40, 60, 100],
    ("groups", "configural model, 15 items"): [2, 5, 10, 20],
    ("groups", "ladder of invariance, 15 items"): [2, 5, 10, 20],
    ("patterns of gaps", "fit, MLR with gaps"): [10, 50, 200, 500],
    ("patterns of gaps", "bootstrap, 20 resamples"): [10, 50, 200, 500],
    ("rows", "fit, MLR"): [1_000, 10_000, 100_000, 1_000_000],
    ("rows", "HTMT, 100 resamples"): [1_000, 10_000, 100_000, 1_000_000],
    ("rows", "reliability, 100 resamples"): [1_000, 10_000, 100_000, 1_000_000],
    ("rows", "bootstrap of a fit, 20 resamples"): [1_000, 10_000, 100_000, 1_000_000],
    ("rows", "moderation"): [1_000, 10_000, 100_000, 1_000_000],
    ("rows", "bootstrap of moderation, 100 resamples"): [1_000, 10_000, 100_000, 1_000_000],
    ("rows", "bootstrap of a PLS model, 100 resamples"): [1_000, 10_000, 100_000, 1_000_000],
    ("resamples", "bootstrap, 30 items"): [100, 300, 1_000, 3_000],
    ("resamples", "bootstrap with gaps, 15 items"): [20, 60, 200],
}


def answers(items: int, n: int, patterns: int = 0, groups: int = 1, seed: int = 3) -> tuple[str, pd.DataFrame]:
    """Five correlated-factor items a factor; ``patterns`` sets of gaps shared by a third of the rows."""
    rng = np.random.default_rng(seed)
    factors = max(1, items // 5)
    root = np.linalg.cholesky(0.3 + 0.7 * np.eye(factors))
    x = np.repeat(rng.standard_normal((n, factors)) @ root.T, 5, axis=1)[:, :items] * 0.8
    x += 0.6 * rng.standard_normal(x.shape)
    if patterns:
        gaps = rng.random((patterns, x.shape[1])) < 0.15
        x[gaps[rng.integers(patterns, size=n)] & (rng.random(n) < 1 / 3)[:, None]] = np.nan
    data = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
    data["g"] = np.array([f"g{k:02d}" for k in range(groups)])[np.arange(n) % groups]
    lines = (f"f{j} =~ " + " + ".join(f"x{5 * j + i}" for i in range(5)) for j in range(factors))
    return "\n".join(lines), data


def prepared(axis: str, task: str, size: int):
    """The work of one point as a function, with its data made."""
    import switchcost as sc

    for name in sc.__all__:  # imported now: first use is not part of the work
        getattr(sc, name)
    if axis == "rows":
        model, data = answers(10, size)
        scales = {"a": list(data.columns[:5]), "b": list(data.columns[5:10])}
        if "bootstrap" in task:  # of what is there already: what the resamples cost, not the fit
            made = {
                "bootstrap of a fit, 20 resamples": lambda: sc.fit(model, data),
                "bootstrap of moderation, 100 resamples": lambda: sc.moderate(data, y="x0", x="x1", moderator="x5"),
                "bootstrap of a PLS model, 100 resamples": lambda: sc.pls(data, scales, "b ~ a"),
            }[task]()
            n_boot = 20 if "20" in task else 100
            return lambda: made.bootstrap(n_boot)
        return {
            "fit, MLR": lambda: sc.fit(model, data, estimator="MLR").measures,
            "HTMT, 100 resamples": lambda: sc.htmt(data, scales, n_boot=100),
            "reliability, 100 resamples": lambda: sc.reliability(data, scales, n_boot=100),
            "moderation": lambda: sc.moderate(data, y="x0", x="x1", moderator="x5"),
        }[task]
    if axis == "resamples":
        gaps = {"missing": "fiml"} if "gaps" in task else {}
        model, data = answers(15 if gaps else 30, 600, 200 if gaps else 0)
        fit = sc.fit(model, data, **gaps)
        return lambda: fit.bootstrap(size, progress=False)
    gaps = {"missing": "fiml", "estimator": "MLR"} if "gaps" in task or "gaps" in axis else {}
    items = {"items": size, "groups": 15, "patterns of gaps": 20}[axis]
    groups = size if axis == "groups" else 2
    n = 200 * groups if axis == "groups" else 1500 if "gaps" in axis else 800
    model, data = answers(items, n, (size if "gaps" in axis else 20) if gaps else 0, groups)
    if "ladder" in task:
        return lambda: sc.invariance(model, data, "g", **gaps)
    if "configural" in task:
        return lambda: sc.fit(model, data, group="g").measures
    if "bootstrap" in task:
        gaps.pop("estimator", None)
        fit = sc.fit(model, data, **gaps)
        return lambda: fit.bootstrap(200 if "200" in task else 20, progress=False)
    if "modification" in task:
        fit = sc.fit(model, data)
        return fit.modification_indices
    return lambda: sc.fit(model, data, **gaps).measures


def megabytes(what: str) -> float:
    """Memory of this process by /proc: ``VmRSS`` now, ``VmHWM`` at its peak since :func:`forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(what))) / 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def point(axis: str, task: str, size: int) -> dict[str, float]:
    work = prepared(axis, task, size)
    gc.collect()
    memory = megabytes("VmRSS")
    forget_peak()
    start = time.process_time()
    work()
    return {"cpu_seconds": time.process_time() - start, "extra_mb": megabytes("VmHWM") - memory}


def measured(only: str | None, quick: bool) -> pd.DataFrame:
    rows = []
    for (axis, task), sizes in PLAN.items():
        if only in (None, axis, task):
            for size in sizes[: -1 if quick else None]:
                call = [sys.executable, __file__, "--point", axis, task, str(size)]
                done = subprocess.run(call, capture_output=True, text=True, check=True)
                rows.append({"axis": axis, "task": task, "size": size, **json.loads(done.stdout)})
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    by = table.groupby(["axis", "task"], sort=False)
    rise = np.log(table["cpu_seconds"]) - np.log(by["cpu_seconds"].shift())
    table["slope"] = rise / (np.log(table["size"]) - np.log(by["size"].shift()))
    return table


def figure(table: pd.DataFrame, path: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    import switchcost as sc

    sc.plots.style()
    axes_of = list(table.groupby("axis", sort=False))
    fig, axes = plt.subplots(1, len(axes_of), figsize=(3.4 * len(axes_of), 3.8), layout="constrained", sharey=True)
    for ax, (axis, part) in zip(np.atleast_1d(axes), axes_of, strict=True):
        for k, (task, line) in enumerate(part.groupby("task", sort=False)):
            style = {"marker": sc.plots.MARKERS[k], "linestyle": sc.plots.LINES[k % len(sc.plots.LINES)]}
            ax.plot(line["size"], line["cpu_seconds"], color=sc.plots.COLORS[k], label=task, **style)
        ax.set(xlabel=axis, xscale="log", yscale="log")
        ax.legend(fontsize=7)
    np.atleast_1d(axes)[0].set_ylabel("processor seconds")
    steep = table.dropna().groupby("task")["slope"].last()
    fig.suptitle(
        f"Cost grows with a power of at most {steep.max():.1f} ({steep.idxmax()})", x=0.01, ha="left", weight="bold"
    )
    fig.savefig(path)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="without the largest points; no file")
    options.add_argument("--only", choices=sorted({axis for axis, _ in PLAN}), help="one axis; no file")
    options.add_argument("--task", choices=sorted({task for _, task in PLAN}), help="one task, into the file")
    options.add_argument("--point", nargs=3, metavar=("AXIS", "TASK", "SIZE"), help="one point, as JSON")
    args = options.parse_args()
    if args.point:
        axis, task, size = args.point
        print(json.dumps(point(axis, task, int(size))))
        return
    table = measured(args.only or args.task, args.quick)
    if args.task:
        kept = pd.read_csv(HERE / "speed_growth.csv")
        both = pd.concat([kept[kept["task"] != args.task], table])
        order = [list(PLAN).index(key) for key in zip(both["axis"], both["task"], strict=True)]
        table = both.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
    if not (args.quick or args.only):
        table.round(4).to_csv(HERE / "speed_growth.csv", index=False)
        figure(table, HERE / "speed_growth.svg")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
