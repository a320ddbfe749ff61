"""Monte Carlo of three ways to estimate a latent interaction, against a known truth.

Each sample has n = 400 rows of nine items, three for each of two correlated factors and for an outcome:

    y = 0.4 x + 0.3 m + w x m + residual,    var(x) = var(m) = 1, cor(x, m) = 0.3, var(y) = 1 (normal case)

with w = 0 or 0.2 and scales (sums of three items) of reliability .7, .8 or .9. Answers are

    normal      factors and errors normal, items continuous
    skewed      factors with skewness -1.25 (a gamma copula), as satisfaction usually has, errors normal
    five-point  normal factors, items cut into five answers with most at the upper end (scale reliability is that
                before the cut; all estimates are standardised here, because the cut has no unit)

Methods: regression on scale means (classical errors), matched product indicators (ML), LMS with errors from the
observed information and, at reliability .8, LMS with robust ones. Run it with

    python benchmarks/lms_montecarlo.py                       # the table: about half an hour on one core
    python benchmarks/lms_montecarlo.py --resume              # skip the cells that the table already has
    python benchmarks/lms_montecarlo.py --samples 20 --jobs 2
    python benchmarks/lms_montecarlo.py --samples 40 --only skewed --dask --out /dev/null

``--dask`` sends the same samples to the workers of a local Dask cluster; any other cluster is one address away.
The same seeds give the same table whatever runs it.
"""

from __future__ import annotations

import argparse
import itertools
import time
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

N = 400
EFFECT_X, EFFECT_M, CORRELATION = 0.4, 0.3, 0.3
MODEL = "x =~ x1 + x2 + x3; m =~ m1 + m2 + m3; y =~ y1 + y2 + y3; y ~ x + m"
GAMMA_SHAPE = (2 / 1.25) ** 2  # a gamma variable has skewness 2 / sqrt(shape)
CUTS = np.array([-1.8, -1.2, -0.5, 0.4])  # five-point answers with most at the upper end
METHODS = ("scale means", "product indicators", "lms", "lms robust")


def draw(rng: np.random.Generator, answers: str, reliability: float, effect: float) -> pd.DataFrame:
    """One sample of nine items."""
    from scipy.special import gammaincinv

    z = rng.multivariate_normal([0, 0], [[1, CORRELATION], [CORRELATION, 1]], N)
    if answers == "skewed":
        z = -(gammaincinv(GAMMA_SHAPE, ndtr(-z)) - GAMMA_SHAPE) / np.sqrt(GAMMA_SHAPE)
    x, m = z.T
    explained = EFFECT_X**2 + EFFECT_M**2 + 2 * EFFECT_X * EFFECT_M * CORRELATION + effect**2 * (1 + CORRELATION**2)
    y = EFFECT_X * x + EFFECT_M * m + effect * x * m + rng.normal(0, np.sqrt(1 - explained), N)
    item = reliability / (3 - 2 * reliability)  # Spearman-Brown: reliability of one of the three items
    columns = {}
    for name, factor in (("x", x), ("m", m), ("y", y)):
        for k in (1, 2, 3):
            value = factor + rng.normal(0, np.sqrt((1 - item) / item), N)
            columns[f"{name}{k}"] = (
                np.searchsorted(CUTS, value * np.sqrt(item)) + 1.0 if answers == "five-point" else value
            )
    return pd.DataFrame(columns)


def scale_means(data: pd.DataFrame, standardised: bool) -> tuple[float, float]:
    """Product's coefficient and standard error in the regression of the scale mean of y."""
    x, m, y = (data[[f"{s}{k}" for k in (1, 2, 3)]].mean(axis=1).to_numpy() for s in "xmy")
    x, m = x - x.mean(), m - m.mean()
    X = np.column_stack([np.ones(N), x, m, x * m])
    inverse = np.linalg.inv(X.T @ X)
    b = inverse @ X.T @ y
    s2 = np.sum((y - X @ b) ** 2) / (N - 4)
    unit = x.std() * m.std() / y.std() if standardised else 1.0
    return b[3] * unit, np.sqrt(s2 * inverse[3, 3]) * unit


def one(answers: str, reliability: float, effect: float, sample: int) -> list[dict]:
    """Fit one sample in every way; rows of est, se and the p value of the likelihood-ratio test."""
    import switchcost as sc

    rng = np.random.default_rng([zlib.crc32(f"{answers} {reliability} {effect}".encode()), sample])
    data = draw(rng, answers, reliability, effect)
    standardised = answers == "five-point"
    est, se = scale_means(data, standardised)
    rows = [{"method": METHODS[0], "est": est, "se": se, "lr": np.nan, "ok": True}]
    settings = [{"method": "product"}, {"method": "lms"}, {"method": "lms", "se": "robust"}]
    for method, options in zip(METHODS[1:], settings[: 3 if reliability == 0.8 else 2], strict=False):
        try:
            r = sc.latent_interaction(MODEL, data, x="x", moderator="m", y="y", **options)
        except ValueError:  # counted as a failure, so that one odd sample does not end the run
            rows.append({"method": method, "est": np.nan, "se": np.nan, "lr": np.nan, "ok": False})
            continue
        unit = r.product["std_all"] / r.product["est"] if standardised else 1.0
        est, se = r.product["est"] * unit, r.product["se"] * abs(unit)
        # A run counts as failed when it did not converge, has no standard error, or left every sensible range.
        ok = bool(r.converged and np.isfinite(se) and abs(est) < 3)
        rows.append({"method": method, "est": est, "se": se, "lr": r.lr_test.loc[0, "pvalue"], "ok": ok})
    cell = {"answers": answers, "reliability": reliability, "true": effect, "sample": sample}
    return [{**cell, **r} for r in rows]


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """One line a cell and method: bias, coverage of 95 % intervals, share of significant results."""
    critical, out = float(ndtri(0.975)), []
    for (answers, reliability, true, method), g in rows.groupby(
        ["answers", "reliability", "true", "method"], sort=False
    ):
        good = g[g["ok"]]
        low, high = good["est"] - critical * good["se"], good["est"] + critical * good["se"]
        out.append(
            {
                "answers": answers, "reliability": reliability, "true": true, "method": method, "samples": len(g),
                "failed": int((~g["ok"]).sum()), "mean_est": good["est"].mean(), "bias": good["est"].mean() - true,
                "bias_percent": 100 * (good["est"].mean() / true - 1) if true else np.nan,
                "bias_mc_error": good["est"].std() / np.sqrt(len(good)),
                "median_est": good["est"].median(), "sd_est": good["est"].std(), "mean_se": good["se"].mean(),
                "coverage": float(((low <= true) & (true <= high)).mean()),
                "significant_wald": float(((low > 0) | (high < 0)).mean()),
                "significant_lr": float((good["lr"] < 0.05).mean()) if good["lr"].notna().any() else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(out)


def main() -> None:
    from joblib import Parallel, delayed, parallel_config

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", help="normal, skewed or five-point")
    parser.add_argument("--resume", action="store_true", help="keep what the table has, do the cells it lacks")
    parser.add_argument("--dask", action="store_true", help="spread the samples over a local Dask cluster")
    parser.add_argument("--out", default=str(Path(__file__).with_suffix(".csv")))
    args = parser.parse_args()

    key = ["answers", "reliability", "true"]
    cells = list(itertools.product(["normal", "five-point", "skewed"], [0.8], [0.2, 0.0]))
    cells += list(itertools.product(["normal", "skewed"], [0.7, 0.9], [0.2, 0.0]))
    cells = [c for c in cells if args.only in (None, c[0])]
    done = [pd.read_csv(args.out)] if args.resume and Path(args.out).exists() else []
    finished = {tuple(r) for r in done[0][key].itertuples(index=False)} if done else set()

    def run(**settings) -> None:
        for cell in cells:
            if cell in finished:
                continue
            began = time.perf_counter()
            fits = Parallel(**settings)(delayed(one)(*cell, k) for k in range(args.samples))
            done.append(summarise(pd.DataFrame([row for rows in fits for row in rows])).round(6))
            print(*cell, f"{time.perf_counter() - began:.0f} s", flush=True)
            pd.concat(done).sort_values(key, kind="stable").to_csv(args.out, index=False)
        print(pd.concat(done).sort_values(key, kind="stable").round(3).to_string(index=False))

    if args.dask:
        from distributed import Client, LocalCluster

        with (
            LocalCluster(n_workers=args.jobs, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster),
        ):
            print(f"Dask cluster with {args.jobs} worker(s)")
            with parallel_config(backend="dask"):
                run()
    else:
        run(n_jobs=args.jobs)


if __name__ == "__main__":
    main()
