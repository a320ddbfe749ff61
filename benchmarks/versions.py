"""Which versions of Python and of the dependencies work: part of the tests in environments of their own.

    python benchmarks/versions.py            # every Python that uv finds, oldest and newest allowed versions
    python benchmarks/versions.py 3.11       # one Python only

Needs uv and a network. The table goes to versions.csv. Tests: the estimator, measurement, moderation and survey files; no
notebooks. "pandas 3" lifts the limits that other packages put on pandas and says whether the tests bear it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PAIRS = (
    ("3.11", "oldest allowed"), ("3.11", "newest allowed"), ("3.12", "newest allowed"), ("3.13", "newest allowed"),
    ("3.13", "oldest allowed"), ("3.13", "pandas 3"),
)  # fmt: skip
TESTS = (
    "semfit/test_reference.py", "semfit/test_syntax.py", "semfit/test_input.py", "switchcost/test_efa.py",
    "switchcost/test_reliability.py", "switchcost/test_moderation.py", "switchcost/test_surveys.py",
)  # fmt: skip
KINDS = {
    "oldest allowed": ["--resolution", "lowest-direct"],
    "newest allowed": [],
    "pandas 3": [],
}
EXTRAS = "pls,plots,report,test"
SHOWN = ("numpy", "pandas", "scipy", "statsmodels", "pingouin", "scikit-learn", "seaborn")


def quiet(command: list[str], **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, **more)


def try_one(python: str, kind: str, folder: Path) -> dict[str, str]:
    row = {"python": python, "versions": kind}
    inner = folder / "bin" / "python"
    kept = sorted(Path.home().glob(f".pyenv/versions/{python}.*/bin/python"))  # pyenv puts a stand-in on the path
    found = str(kept[-1]) if kept else shutil.which(f"python{python}") or python
    made = quiet(["uv", "venv", "-q", "--no-python-downloads", "--python", found, str(folder)])
    if made.returncode:
        return {**row, "outcome": "this Python is not here"}
    wanted = [
        "-r",
        str(ROOT / "pyproject.toml"),
        *(f"--extra={e}" for e in EXTRAS.split(",")),
        "semopy>=2.3.11",
        "lifelines>=0.30",
    ]
    if kind == "pandas 3":
        limits = folder / "overrides.txt"
        limits.write_text("pandas>=3\n")
        wanted += ["--override", str(limits)]
    done = quiet(["uv", "pip", "install", "-q", "--python", str(inner), *KINDS[kind], *wanted], cwd=ROOT)
    if done.returncode:
        last = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return {**row, "outcome": "cannot be installed: " + " ".join(last)[:160]}
    for line in quiet(["uv", "pip", "freeze", "--python", str(inner)]).stdout.splitlines():
        name, _, version = line.partition("==")
        if name in SHOWN:
            row[name] = version
    began = time.perf_counter()
    tests = quiet(
        [str(inner), "-m", "pytest", "-p", "no:cacheprovider", "-n", "2", *(f"tests/{t}" for t in TESTS)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )  # fmt: skip
    counts = re.findall(r"\d+ (?:passed|failed|error)\w*", tests.stdout.splitlines()[-1] if tests.stdout else "")
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", tests.stdout, re.M)
    row["outcome"] = ", ".join(counts) or "no test ran: " + tests.stdout[-150:]
    row["first failure"] = failed[0] if failed else ""
    print(f"{python} {kind}: {row['outcome']} in {time.perf_counter() - began:.0f} s", flush=True)
    return row


def main(pythons: list[str]) -> None:
    path = Path(__file__).with_suffix(".csv")
    rows = []
    for python, kind in PAIRS:
        if not pythons or python in pythons:
            with tempfile.TemporaryDirectory() as folder:
                rows.append(try_one(python, kind, Path(folder) / "env"))
            pd.DataFrame(rows).to_csv(path, index=False)


if __name__ == "__main__":
    main(sys.argv[1:])
