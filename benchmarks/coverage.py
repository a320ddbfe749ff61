"""Do 95 % intervals hold the truth 95 times in a hundred? Monte Carlo for ML, MLR and full information.

    python benchmarks/coverage.py               # 2000 samples a condition, about ten minutes of one core
    python benchmarks/coverage.py --samples 100 # a quick look

A mediation among three latents with three items each. Conditions:

normal      n = 300 and n = 600, normal items; ML
skewed      n = 500, the same items cut into five points with seven of ten answers in the lowest; MLR, and ML for contrast.
            The truth is what the model's parameters are for the five-point items, from 4,000,000 simulated rows.
missing     n = 400, normal items; 15 % of six items missing at random, more often where an item that everybody
            answers is low; full information, and listwise deletion for contrast.

Writes coverage.csv, one row a condition, method and parameter.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from tqdm import tqdm

import switchcost as sc

HERE = Path(__file__).parent
SEED = 7001
ITEMS = [f"{f}{k}" for f in "smy" for k in (1, 2, 3)]
MODEL = """
    sat =~ s1 + s2 + s3
    mid =~ m1 + m2 + m3
    loy =~ y1 + y2 + y3
    mid ~ a*sat
    loy ~ b*mid + c*sat
    indirect := a*b
"""
LOADINGS = np.array([1.0, 0.9, 0.8])
RESIDUALS = np.array([0.5, 0.6, 0.7])
PATHS = {"a": 0.5, "b": 0.4, "c": 0.3}
VARIANCES = {"sat": 1.0, "mid": 0.6, "loy": 0.5}
CUTS = (0.6, 1.2, 1.8, 2.6)  # seven of ten answers in the lowest of five points


def truth() -> pd.Series:
    """Population values of the normal model, by parameter."""
    out = {}
    for f, latent in zip("smy", VARIANCES, strict=True):
        for k in (1, 2, 3):
            out[f"{latent} =~ {f}{k}"] = LOADINGS[k - 1]
            out[f"{f}{k} ~~ {f}{k}"] = RESIDUALS[k - 1]
            out[f"{f}{k} ~1"] = 0.0
        out[f"{latent} ~~ {latent}"] = VARIANCES[latent]
    out |= {"mid ~ sat": PATHS["a"], "loy ~ mid": PATHS["b"], "loy ~ sat": PATHS["c"]}
    out["indirect := a*b"] = PATHS["a"] * PATHS["b"]
    return pd.Series(out)


def normal(rng: np.random.Generator, n: int) -> np.ndarray:
    e = rng.standard_normal((n, 3)) * np.sqrt(list(VARIANCES.values()))
    sat = e[:, 0]
    mid = PATHS["a"] * sat + e[:, 1]
    loy = PATHS["b"] * mid + PATHS["c"] * sat + e[:, 2]
    X = np.column_stack([LOADINGS * f[:, None] for f in (sat, mid, loy)])
    return X + rng.standard_normal((n, 9)) * np.sqrt(np.tile(RESIDUALS, 3))


def skewed(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.searchsorted(CUTS, normal(rng, n)) + 1.0


def missing(rng: np.random.Generator, n: int) -> np.ndarray:
    """Two items a latent have gaps, the more the lower s1 is: missing at random given s1; 15 % of their answers."""
    X = normal(rng, n)
    chance = 1 / (1 + np.exp(2.09 + 0.9 * X[:, 0]))  # averages .15 over the normal s1 with variance 1.5
    for item in ("s2", "s3", "m2", "m3", "y2", "y3"):
        X[rng.random(n) < chance, ITEMS.index(item)] = np.nan
    return X


def label(table: pd.DataFrame) -> list[str]:
    return [f"{a} {b} {c}".strip() for a, b, c in zip(table["lhs"], table["op"], table["rhs"], strict=True)]


def one(draw, n: int, seed, options: dict) -> pd.DataFrame | None:
    """Estimates of one sample; None when the fit did not converge."""
    data = pd.DataFrame(draw(np.random.default_rng(seed), n), columns=ITEMS)
    fit = sc.fit(MODEL, data, **options)
    if not fit.converged:
        return None
    est = fit.estimates
    return est.set_index(pd.Index(label(est)))[["est", "se", "ci_lower", "ci_upper"]]


def discretised_truth(rows: int = 4_000_000) -> pd.Series:
    """Parameters of the model for the five-point items: moments summed in blocks, then one fit to the matrix."""
    rng = np.random.default_rng(SEED)
    total, square, block = np.zeros(9), np.zeros((9, 9)), 500_000
    for _ in range(rows // block):
        X = skewed(rng, block)
        total += X.sum(axis=0)
        square += X.T @ X
    mean = total / rows
    cov = pd.DataFrame((square / rows - np.outer(mean, mean)) * rows / (rows - 1), ITEMS, ITEMS)
    est = sc.fit(MODEL, sample_cov=cov, sample_mean=pd.Series(mean, ITEMS), n_obs=rows, meanstructure=True).estimates
    return pd.Series(est["est"].to_numpy(), label(est))


def condition(
    name: str, method: str, draw, n: int, options: dict, true: pd.Series, samples: int, jobs: int
) -> pd.DataFrame:
    seeds = np.random.SeedSequence([SEED, *name.encode()]).spawn(samples)  # the same samples for each method
    work = Parallel(n_jobs=jobs, return_as="generator")(delayed(one)(draw, n, s, options) for s in seeds)
    found = [f for f in tqdm(work, total=samples, desc=f"{name}, {method}, n = {n}") if f is not None]
    rows = []
    for parameter in found[0].index[found[0]["se"].notna()]:
        x = np.array([f.loc[parameter].to_numpy(float) for f in found])
        t = true[parameter]
        rows.append(
            {
                "condition": name,
                "method": method,
                "n": n,
                "parameter": parameter,
                "truth": t,
                "mean_estimate": x[:, 0].mean(),
                "sd_estimate": x[:, 0].std(ddof=1),
                "mean_se": x[:, 1].mean(),
                "coverage": np.mean((x[:, 2] <= t) & (t <= x[:, 3])),
                "samples": samples,
                "converged": len(found),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--samples", type=int, default=2000)
    options.add_argument("--jobs", type=int, default=1, help="processes (joblib)")
    options.add_argument("--out", type=Path, default=HERE / "coverage.csv")
    args = options.parse_args()
    true, five = truth(), discretised_truth()
    plan = [
        ("normal", "ML", normal, 300, {}, true),
        ("normal", "ML", normal, 600, {}, true),
        ("skewed", "MLR", skewed, 500, {"estimator": "MLR"}, five),
        ("skewed", "ML", skewed, 500, {}, five),
        ("missing", "FIML", missing, 400, {"missing": "fiml"}, true),
        ("missing", "listwise", missing, 400, {"meanstructure": True}, true),
    ]
    table = pd.concat([condition(*p, args.samples, args.jobs) for p in plan], ignore_index=True)
    table.round(6).to_csv(args.out, index=False)
    summary = table.groupby(["condition", "method", "n"], sort=False)["coverage"]
    inside = summary.apply(lambda c: ((c >= 0.93) & (c <= 0.97)).mean())
    print(summary.agg(["mean", "min", "max", "size"]).assign(inside_93_97=inside).round(3).to_string())


if __name__ == "__main__":
    main()
