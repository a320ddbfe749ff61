"""Whether the tests depend on each other: the suite in random orders.

    python benchmarks/random_order.py 1 2              # two orders, on two processes
    python benchmarks/random_order.py 3 --jobs 1 --quick     # without the slow files named below
    python benchmarks/random_order.py 4 --folders switchcost semfit    # folder by folder, on a busy machine

Modules are mixed, and the tests within each (``python run.py test --shuffle SEED`` is one such run). What failed runs once more
by itself: the last column names the tests that then pass, that is those that depend on others. The table goes to
random_order.csv; other rows are kept.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
SLOW = (
    "notebooks/test_notebooks.py", "notebooks/test_exercises.py", "test_bad_inputs.py", "test_book.py", "test_examples.py",
    "test_house.py", "test_wheel.py", "surveychapter/test_chapter.py", "surveychapter/test_chapter_parts.py",
    "surveychapter/test_chapter_reference.py", "surveychapter/test_study.py", "surveychapter/test_survey_commands.py",
    "switchcost/test_blocks.py", "switchcost/test_power.py", "switchcost/test_pls.py", "papercheck/test_scoreboard.py",
    "semfit/test_bootstrap.py", "semfit/test_latent_interaction.py", "semfit/test_structural_power.py",
)  # fmt: skip
OF_THIS_TABLE = "test_benchmarks.py::test_no_test_depends_on_the_order"  # or one bad row would be followed by others
COLUMNS = ("seed", "folder", "without", "outcome", "fails", "of these pass alone")


def pytest(*arguments: str) -> tuple[str, list[str]]:
    """The counts of a run, and the names of the tests that failed."""
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
                          cwd=ROOT, env=env, capture_output=True, text=True)  # fmt: skip
    counts = re.findall(r"\d+ (?:passed|failed|error)\w*", done.stdout[-300:])
    return ", ".join(counts) or done.stdout[-150:], re.findall(
        r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", done.stdout, re.M
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--quick", action="store_true", help="without the slow files")
    parser.add_argument("--folders", nargs="*", default=["."], help="below tests/, one after the other")
    asked = parser.parse_args()
    path = Path(__file__).with_suffix(".csv")
    old = pd.read_csv(path, keep_default_na=False).to_dict("records") if path.exists() else []
    rows = {(r["seed"], r["folder"]): r for r in old}
    for seed, folder in itertools.product(asked.seeds, asked.folders):
        without = [name for name in SLOW if asked.quick and (folder == "." or name.startswith(f"{folder}/"))]
        left_out = [f"--ignore=tests/{name}" for name in without] + [f"--deselect=tests/{OF_THIS_TABLE}"]
        outcome, failed = pytest("--shuffle", str(seed), "-n", str(asked.jobs), *left_out, f"tests/{folder}")
        alone = [test for test in failed if not pytest("-n", "0", test)[1]]
        row = (seed, folder, " ".join(without), outcome, " ".join(failed), " ".join(alone))
        rows[seed, folder] = dict(zip(COLUMNS, row, strict=True))
        print(*row, sep=" | ", flush=True)
        pd.DataFrame([rows[key] for key in sorted(rows)], columns=COLUMNS).to_csv(path, index=False)


if __name__ == "__main__":
    main()
