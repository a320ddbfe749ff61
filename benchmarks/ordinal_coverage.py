"""Do the intervals and the test of WLSMV keep their promise? Coverage and rejection rates on skewed five-point answers.

    python benchmarks/ordinal_coverage.py                 # 500 samples a cell; about ten minutes of one core
    python benchmarks/ordinal_coverage.py --samples 100   # a minute

Two correlated factors with four items each; loadings .8 .7 .6 .5, correlation .4; five-point answers, symmetric or
skewed (62 % in the lowest category), n = 300 and 800. Of every standardised loading and of the correlation: bias and
coverage of the 95 % interval. Of the true model: how often the test rejects at 5 %, unadjusted, and scaled and shifted.
ML and MLR take the same answers for continuous.

Writes ordinal_coverage.csv (coverage, bias and rejections by cell and method).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import semfit

HERE = Path(__file__).parent
LOADINGS = np.array([0.8, 0.7, 0.6, 0.5])
CUTS = {"symmetric": [-1.5, -0.5, 0.5, 1.5], "skewed": [0.3, 0.8, 1.3, 1.8]}
MODEL = "f =~ x1 + x2 + x3 + x4\ng =~ x5 + x6 + x7 + x8"
CORRELATION = 0.4


def sample(rng: np.random.Generator, n: int, cuts: list[float]) -> pd.DataFrame:
    """One sample in which every item has all categories."""
    while True:
        latent = rng.multivariate_normal([0, 0], [[1, CORRELATION], [CORRELATION, 1]], n)
        z = np.repeat(latent, 4, axis=1) * np.tile(LOADINGS, 2)
        z += rng.normal(size=z.shape) * np.sqrt(1 - np.tile(LOADINGS, 2) ** 2)
        codes = np.digitize(z, cuts)
        if all(len(np.unique(c)) == len(cuts) + 1 for c in codes.T):
            return pd.DataFrame(codes, columns=[f"x{k + 1}" for k in range(8)])


def one(data: pd.DataFrame, method: str) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Estimates minus truth, whether the interval holds the truth, p-values of the test."""
    fit = semfit.fit(MODEL, data, ordered=True if method == "WLSMV" else None, estimator=method, std_lv=True)
    table = fit.standardized()
    part = table[(table["op"] == "=~") | ((table["lhs"] == "f") & (table["rhs"] == "g"))]
    truth = np.concatenate([LOADINGS, LOADINGS, [CORRELATION]])
    inside = (part["ci_lower"].to_numpy() <= truth) & (truth <= part["ci_upper"].to_numpy())
    scaled = fit.measures.get("pvalue_scaled", np.nan)
    return part["est"].to_numpy() - truth, inside, [fit.measures["pvalue"], scaled]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=500)
    samples = parser.parse_args().samples
    rows = []
    for answers, cuts in CUTS.items():
        for n in (300, 800):
            rng = np.random.default_rng([n, len(answers)])
            sets = [sample(rng, n, cuts) for _ in range(samples)]
            for method in ("WLSMV", "MLR", "ML"):
                found = [one(data, method) for data in sets]
                bias, inside = (np.mean([f[k] for f in found], axis=0) for k in (0, 1))
                plain, scaled = np.mean([[p < 0.05 for p in f[2]] for f in found], axis=0)
                rows.append((answers, n, method, samples, inside[:8].mean(), inside[:8].min(), inside[8], bias[:8].mean(), bias[8], plain, scaled if method != "ML" else np.nan))  # fmt: skip
                print(rows[-1], flush=True)
    columns = "answers n method samples coverage_loadings coverage_lowest coverage_correlation bias_loadings bias_correlation rejected rejected_scaled"
    pd.DataFrame(rows, columns=columns.split()).round(4).to_csv(HERE / "ordinal_coverage.csv", index=False)


if __name__ == "__main__":
    main()
