"""Standardised residuals under true models: their standard deviation should be 1 and 5 % should lie beyond 1.96.

    python benchmarks/residual_z.py [samples]      writes residual_z.csv

Every setting draws samples from a model, fits that model, and collects z of all residual covariances and means that the
model does not fit exactly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

import semfit

FACTORS = "f =~ f1 + f2 + f3 + f4\ng =~ g1 + g2 + g3"
PATHS = "m ~ x\ny ~ m"
MIXED = "f =~ f1 + f2 + f3 + f4\ny + m ~ f + x"


@dataclass(frozen=True)
class Setting:
    """A true model, how its answers are drawn, and how it is fitted."""

    model: str
    draw: Callable[[np.random.Generator], pd.DataFrame]
    options: dict = field(default_factory=dict)


def noise(rng: np.random.Generator, skewed: bool, *shape: int) -> np.ndarray:
    """Errors with mean 0 and variance 1."""
    return rng.gamma(2, size=shape) / np.sqrt(2) - np.sqrt(2) if skewed else rng.normal(size=shape)


def factors(rng, n=500, skewed=False, mean=0.0) -> pd.DataFrame:
    f = noise(rng, skewed, n) + mean
    g = 0.5 * f + noise(rng, skewed, n)
    out = {f"f{k}": w * f + noise(rng, skewed, n) for k, w in enumerate((1, 0.8, 1.2, 0.9), 1)}
    return pd.DataFrame(out | {f"g{k}": w * g + noise(rng, skewed, n) for k, w in enumerate((1, 0.7, 1.1), 1)})


def paths(rng, n=500, skewed=False) -> pd.DataFrame:
    x = noise(rng, skewed, n)
    m = 0.5 * x + noise(rng, skewed, n)
    return pd.DataFrame({"x": x, "m": m, "y": 0.6 * m + noise(rng, skewed, n)})


def mixed(rng, n=500, skewed=False) -> pd.DataFrame:
    f, x = noise(rng, skewed, n), noise(rng, skewed, n)  # a latent and a fixed predictor do not covary in the model
    out = {f"f{k}": w * f + noise(rng, skewed, n) for k, w in enumerate((1, 0.8, 1.2, 0.9), 1)}
    e = 0.5 * noise(rng, skewed, n)
    y = 0.5 * f - 0.3 * x + e + noise(rng, skewed, n)
    return pd.DataFrame(out | {"x": x, "m": 0.4 * f + 0.3 * x + e + noise(rng, skewed, n), "y": y})


def groups(rng, skewed=False) -> pd.DataFrame:
    one, two = factors(rng, 300, skewed).assign(group="a"), factors(rng, 500, skewed, 0.5).assign(group="b")
    return pd.concat([one, two], ignore_index=True)


def gaps(data: pd.DataFrame, rng, columns: list[str], share=0.3, at_random_given: str | None = None) -> pd.DataFrame:
    """Values deleted completely at random, or where another column is high."""
    for c in columns:
        chance = np.full(len(data), share)
        if at_random_given is not None:
            chance = np.where(data[at_random_given] > data[at_random_given].median(), 2 * share, 0.0)
        data.loc[rng.random(len(data)) < chance, c] = np.nan
    return data


SCALAR = {"group": "group", "group_equal": ("loadings", "intercepts")}
FIML = {"missing": "fiml"}
SETTINGS = {
    "factors": Setting(FACTORS, factors),
    "paths, fixed predictor": Setting(PATHS, paths),
    "factor and fixed predictor": Setting(MIXED, mixed),
    "two groups, scalar": Setting(FACTORS, groups, SCALAR),
    "skewed, MLR": Setting(FACTORS, lambda r: factors(r, skewed=True), {"estimator": "MLR"}),
    "skewed, fixed predictor, MLR": Setting(MIXED, lambda r: mixed(r, 1000, True), {"estimator": "MLR"}),
    "gaps at random, FIML": Setting(
        FACTORS, lambda r: gaps(factors(r), r, ["f2", "f3", "g2"], at_random_given="f1"), FIML
    ),
    "45 % gaps, fixed predictor, FIML": Setting(
        MIXED, lambda r: gaps(mixed(r), r, ["f2", "f3", "m"], share=0.45), FIML
    ),
    "skewed, gaps, two groups, FIML and MLR": Setting(
        FACTORS, lambda r: gaps(groups(r, True), r, ["f2", "g2", "g3"]), FIML | SCALAR | {"estimator": "MLR"}
    ),
}


def simulate(setting: Setting, samples: int, seed: int = 1) -> pd.DataFrame:
    """One row a residual: standard deviation of its z and share beyond 1.96."""
    found = []
    for stream in np.random.SeedSequence(seed).spawn(samples):
        fit = semfit.fit(setting.model, setting.draw(np.random.default_rng(stream)), **setting.options)
        table = fit.residuals()
        keys = [c for c in ("lhs", "op", "rhs", "group") if c in table]
        found.append(table.set_index(keys)["z"].replace(0.0, np.nan))
    z = pd.concat(found, axis=1).dropna(how="all")
    return pd.DataFrame({"sd": z.std(axis=1), "beyond": (z.abs() > 1.959964).mean(axis=1)})


def table(samples: int, names=tuple(SETTINGS)) -> pd.DataFrame:
    """One row a setting: mean over its residuals, and the extremes."""
    rows = []
    for name in names:
        out = simulate(SETTINGS[name], samples)
        rows.append(
            {
                "setting": name,
                "residuals": len(out),
                "samples": samples,
                "sd_of_z": np.sqrt((out["sd"] ** 2).mean()),
                "sd_lowest": out["sd"].min(),
                "sd_highest": out["sd"].max(),
                "beyond_1.96": out["beyond"].mean(),
            }
        )
    return pd.DataFrame(rows).round(3)


if __name__ == "__main__":
    found = table(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
    found.to_csv(Path(__file__).with_suffix(".csv"), index=False)
    print(found.to_string(index=False))
