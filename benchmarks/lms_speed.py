"""Seconds that one latent interaction takes: nine items, n = 400, from data to result object.

python benchmarks/lms_speed.py            # writes benchmarks/lms_speed.csv
"""

from __future__ import annotations

import platform
import time
from pathlib import Path

import numpy as np
import pandas as pd
from lms_montecarlo import MODEL, draw

import switchcost as sc

WAYS = {
    "product indicators, matched": {"method": "product"},
    "product indicators, all pairs": {"method": "product", "indicators": "all"},
    "LMS": {"method": "lms"},
    "LMS, robust errors": {"method": "lms", "se": "robust"},
}


def main(repeats: int = 9) -> None:
    rows = []
    for name, options in WAYS.items():
        seconds = []
        for k in range(repeats + 1):  # the first run also loads modules
            data = draw(np.random.default_rng(k), "normal", 0.8, 0.2)
            began = time.perf_counter()
            sc.latent_interaction(MODEL, data, x="x", moderator="m", y="y", **options)
            seconds.append(time.perf_counter() - began)
        rows.append({"way": name, "items": 9, "n": len(data), "first": seconds[0], "median": np.median(seconds[1:]),
                     "slowest": max(seconds[1:]), "repeats": repeats})  # fmt: skip
    table = pd.DataFrame(rows).round(3)
    table["python"] = platform.python_version()
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
