"""When does it matter that answers are ordered categories? ML, MLR and WLSMV over categories, skew and sample size.

Two factors of four items, loadings .75, correlation .50, normal responses cut into categories of equal width ("even") or
with most answers in the upper ones ("ceiling"). Every model is true, so a test should reject it in 5 % of samples.

Run ``python benchmarks/ordinal_when.py [samples]`` (200 samples a cell: about six minutes on one quiet core). Writes
``ordinal_when.csv``, a row for each cell and method, and draws ``ordinal_when.svg`` from it.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import semfit

HERE = Path(__file__).parent
TABLE = HERE / "ordinal_when.csv"
LOADING, CORRELATION, ITEMS = 0.75, 0.5, 4
MODEL = "f =~ " + " + ".join(f"x{k}" for k in range(4)) + "\ng =~ " + " + ".join(f"y{k}" for k in range(4))
METHODS = {
    "ML": ({"estimator": "ML"}, "pvalue"),
    "MLR": ({"estimator": "MLR"}, "pvalue_scaled"),
    "WLSMV": ({"ordered": True, "estimator": "WLSMV"}, "pvalue_scaled"),
}


def cuts(categories: int, answers: str) -> np.ndarray:
    """Cut points of a standard normal response; with a ceiling they lie 1.2 standard deviations lower."""
    even = np.linspace(-1.5, 1.5, categories + 1)[1:-1] if categories > 2 else np.array([0.0])
    return even - 1.2 * (answers == "ceiling")


def sample(rng: np.random.Generator, n: int, categories: int, answers: str) -> pd.DataFrame:
    factors = rng.multivariate_normal([0, 0], [[1, CORRELATION], [CORRELATION, 1]], n)
    y = np.repeat(factors, ITEMS, axis=1) * LOADING
    y += rng.normal(size=y.shape) * np.sqrt(1 - LOADING**2)
    return pd.DataFrame(
        np.searchsorted(cuts(categories, answers), y).astype(float), columns=[f"{s}{k}" for s in "xy" for k in range(4)]
    )


def one(data: pd.DataFrame, method: str) -> dict[str, float]:
    options, tested = METHODS[method]
    try:
        fit = semfit.fit(MODEL, data, std_lv=True, **options)
    except semfit.SemError:
        return {"solved": 0.0}
    if not fit.converged:
        return {"solved": 0.0}
    s = fit.standardized()
    load = s[s["op"] == "=~"]
    r = s[(s["op"] == "~~") & (s["lhs"] == "f") & (s["rhs"] == "g")].iloc[0]
    return {
        "solved": 1.0,
        "loading": load["est"].mean(),
        "loading_covered": load["ci_lower"].le(LOADING).mul(load["ci_upper"].ge(LOADING)).mean(),
        "correlation": r["est"],
        "correlation_covered": float(r["ci_lower"] <= CORRELATION <= r["ci_upper"]),
        "ave_enough": float((load["est"] ** 2).mean() >= 0.5),
        "rejected": float(fit.measures[tested] < 0.05),
    }


def cell(categories: int, answers: str, n: int, samples: int) -> list[dict]:
    """One row a method; the samples of a cell are the same for all methods."""
    rng = np.random.default_rng([categories, n, int(answers == "ceiling")])
    found: dict[str, list[dict]] = {m: [] for m in METHODS}
    for _ in range(samples):
        data = sample(rng, n, categories, answers)
        if (data.nunique() < 2).any():
            continue
        for m in METHODS:
            found[m].append(one(data, m))
    head = {"categories": categories, "answers": answers, "n": n, "samples": samples}
    return [{**head, "method": m, **pd.DataFrame(rows).mean().round(4).to_dict()} for m, rows in found.items()]


def draw(table: pd.DataFrame) -> None:
    import matplotlib.pyplot as plt
    import seaborn as sns

    import switchcost as sc

    sc.plots.style()
    names = {"loading": "mean loading (true .75)", "correlation": "factor correlation (true .50)",
             "loading_covered": "95% intervals that contain the loading", "rejected": "true model rejected (p < .05)"}  # fmt: skip
    truth = {"loading": LOADING, "correlation": CORRELATION, "loading_covered": 0.95, "rejected": 0.05}
    shown = table[table["n"] == 300]
    fig, axes = plt.subplots(2, 4, figsize=(12, 5.6), sharex=True, sharey="col", layout="constrained")
    for row, answers in zip(axes, ("even", "ceiling"), strict=True):
        for ax, (column, label) in zip(row, names.items(), strict=True):
            sns.lineplot(
                shown[shown["answers"] == answers], x="categories", y=column, hue="method", style="method", markers=True,
                dashes=False, ax=ax, legend=answers == "even" and column == "loading",
            )  # fmt: skip
            ax.axhline(truth[column], color="black", lw=0.8, ls=":")
            ax.set(title=label if answers == "even" else "", ylabel=f"{answers} answers" if column == "loading" else "",
                   xlabel="categories", xticks=[2, 3, 5, 7])  # fmt: skip
    fig.suptitle(
        "Few categories or a ceiling: treating answers as measured values shrinks loadings (n = 300)", x=0.01, ha="left"
    )
    fig.savefig(HERE / "ordinal_when.svg", metadata={"Date": None})
    plt.close(fig)


def main(samples: int = 200) -> None:
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for categories in (2, 3, 5, 7):
            for answers in ("even", "ceiling"):
                for n in (150, 300, 800):
                    rows += cell(categories, answers, n, samples)
                    print(pd.DataFrame(rows[-3:]).to_string(index=False), flush=True)
    table = pd.DataFrame(rows)
    table.to_csv(TABLE, index=False)
    draw(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
