"""How often CVPAT claims a difference where there is none: models and benchmarks of equal expected loss.

    python benchmarks/cvpat.py                # about 10 minutes on one core; writes benchmarks/cvpat.csv

Three kinds of equality, with five-point items, three a construct, and ten folds:

``models``  two models of one outcome whose predictors have the same effect, so that neither is better;
``means``   a path just strong enough that what it gains out of sample is lost again by estimating it;
``lm``      a direct effect of one item just strong enough that the regression on all items gains what its further
            coefficients cost.

The strength that makes means and lm equal is searched by simulation first. ``better`` and ``worse`` are shares of samples
with p < .05 in which PLS has the smaller and the larger loss. p is that of ``seminrExtras`` (bootstrap of the losses).
The composites are estimated by the batch that makes this package's bootstrap, since it estimates ten folds at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from seminrExtras.helpers import bootstrap_cvpat

from switchcost.plspm.batch import resample
from switchcost.plspm.spec import Specification

FOLDS, LOADING, N_BOOT = 10, 0.8, 200
ONE = Specification({"X": ["x1", "x2", "x3"], "Y": ["y1", "y2", "y3"]}, {"Y": ["X"]}, (), "path")


def items(factor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Three answers on five points."""
    exact = LOADING * factor[:, None] + np.sqrt(1 - LOADING**2) * rng.normal(size=(len(factor), 3))
    return np.clip(np.round(3 + exact), 1, 5)


def losses(x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> dict[str, np.ndarray]:
    """Mean squared error over the items of the outcome, one a respondent, of PLS, the regression and the means."""
    both = np.column_stack([x, y])
    counts = np.array([(fold != k).astype(float) for k in range(FOLDS)])
    made = resample(ONE, both, [partial(np.asarray, counts)])
    errors = {name: np.empty_like(y) for name in ("pls", "lm", "means")}
    for k in range(FOLDS):
        train, test = both[fold != k], both[fold == k]
        centre, spread = train.mean(axis=0), train.std(axis=0, ddof=1)
        score = ((test - centre) / spread)[:, :3] @ made["weights"][k, :3]
        own = made["paths"][k, 0] * score[:, None] * made["loadings"][k, 3:] * spread[3:] + centre[3:]
        design = np.column_stack([np.ones(len(train)), train[:, :3]])
        slopes = np.linalg.lstsq(design, train[:, 3:], rcond=None)[0]
        lm = np.column_stack([np.ones(len(test)), test[:, :3]]) @ slopes
        for name, guess in (("pls", own), ("lm", lm), ("means", centre[3:])):
            errors[name][fold == k] = test[:, 3:] - guess
    return {name: (e**2).mean(axis=1) for name, e in errors.items()}


def sample(kind: str, n: int, strength: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Losses of PLS and of what it is held against."""
    x, z, e = rng.normal(size=(3, n))
    fold = rng.permutation(np.arange(n) % FOLDS)
    if kind == "models":
        y = items(0.4 * x + 0.4 * z + np.sqrt(1 - 0.32) * e, rng)
        return losses(items(x, rng), y, fold)["pls"], losses(items(z, rng), y, fold)["pls"]
    path = strength if kind == "means" else 0.5
    answers, y = items(x, rng), items(path * x + np.sqrt(1 - path**2) * e, rng)
    if kind == "lm":
        y[:, 0] += strength * answers[:, 0]
    found = losses(answers, y, fold)
    return found["pls"], found[kind]


def equal(kind: str, n: int, reps: int) -> float:
    """The strength at which the mean difference of losses is zero: bisection with common random numbers."""
    if kind == "models":
        return 0.4
    mean: Callable[[float], float] = lambda s: float(  # noqa: E731
        np.mean([np.subtract(*sample(kind, n, s, np.random.default_rng([7, n, r]))).mean() for r in range(reps)])
    )
    low, high = 0.0, 0.5
    sign = np.sign(mean(low))
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if np.sign(mean(middle)) == sign else (low, middle)
    return (low + high) / 2


def row(kind: str, n: int, reps: int) -> dict[str, object]:
    strength = equal(kind, n, reps)
    found = []
    for r in range(reps):
        rng = np.random.default_rng([11, n, r])
        own, other = sample(kind, n, strength, rng)
        found.append(((other - own).mean(), bootstrap_cvpat(own, other, nboot=N_BOOT, rng=rng).boot_p_value))
    d, p = np.array(found).T
    return {
        "kind": kind, "n": n, "strength": round(strength, 3), "samples": reps, "mean_difference": round(float(d.mean()), 5),
        "se_of_it": round(float(d.std() / np.sqrt(reps)), 5), "rejected": float(np.mean(p < 0.05)),
        "better": float(np.mean((p < 0.05) & (d > 0))), "worse": float(np.mean((p < 0.05) & (d < 0))),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    options = parser.parse_args()
    rows = []
    for kind in ("models", "means", "lm"):
        for n in (100, 250):
            rows.append(row(kind, n, options.samples))
            print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(options.out, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
