"""Which versions of Python and of the dependencies work: part of the tests in environments of their own.

    python benchmarks/versions.py            # the rows that the table lacks
    python benchmarks/versions.py 3.11       # the rows of one Python anew; likewise "newest", "3.11 oldest" ...
    python benchmarks/versions.py --again    # all rows anew

Needs uv and a network; each row takes minutes and is kept as soon as it is there. Three kinds of environment for every
Python: the oldest versions that pyproject.toml allows, the newest, and those of requirements.lock. The table goes to
versions.csv. Tests: those named below for the estimator, measurement, moderation, PLS, survey files, semopy's and
factor_analyzer's models, without the slowest; no notebooks. "held back" names each declared package that is older than the newest one there is,
and whose limit keeps it so, as the packages themselves declare it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import tempfile
import time
import tomllib
from importlib import metadata
from pathlib import Path

import pandas as pd
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13")
KINDS = {"oldest allowed": ["--resolution", "lowest-direct"], "newest allowed": [], "requirements.lock": []}
TESTS = (
    "test_reference", "test_syntax", "test_input", "test_fit_measures", "test_refit", "test_ordinal_reference",
    "test_efa", "test_reliability", "test_validity", "test_moderation", "test_mediation", "test_pls", "test_data",
    "test_surveys", "test_from_semopy", "test_from_factor_analyzer",
)  # fmt: skip
SLOW = (  # what these ask for, quicker tests beside them ask for as well
    "test_table_slopes_bounds_and_plot_agree", "test_bootstrap_intervals_hold_the_population_loadings", "test_registry_is_up",
    "test_improper_solutions_are_marked", "test_bca_equals_scipy", "test_every_example_of_its_documentation",
)  # fmt: skip
EXTRAS = ("pls", "plots", "report", "notebooks", "test")
COMPILED = ("numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "statsmodels", "pyyaml", "pyreadstat")
SHOWN = ("numpy", "pandas", "scipy", "statsmodels", "pingouin", "scikit-learn", "seaborn")
COLUMNS = ("python", "versions", *SHOWN, "held back", "outcome", "first failure")


def quiet(command: list[str], **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, **more)


def declared() -> list[Requirement]:
    """What pyproject.toml asks for, the extras of EXTRAS included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + [line for extra in EXTRAS for line in project["optional-dependencies"][extra]]
    return [r for r in map(Requirement, dict.fromkeys(lines)) if r.name != project["name"]]


def held_back(python: str, inner: Path) -> str:
    """Declared packages that are not the newest ones, each with who limits it."""
    own = declared()
    names = sorted({canonicalize_name(r.name) for r in own})
    alone = quiet(["uv", "pip", "compile", "-q", "--no-deps", "--no-header", "--no-annotate", "--python-version", python, "-"],
                  input="\n".join(names))  # fmt: skip
    newest = dict(line.split("==") for line in alone.stdout.split() if "==" in line)
    where = [str(p) for p in inner.parents[1].glob("lib/python*/site-packages")]
    here = {canonicalize_name(d.name): d for d in metadata.distributions(path=where)}
    known = {"python_version": python, "python_full_version": f"{python}.99", "extra": ""}
    limits = [("switchcost", r) for r in own]
    limits += [(d.name, Requirement(line)) for d in here.values() for line in d.requires or ()]
    said = []
    for name in names:
        have, wanted = here[name].version, newest.get(name, "0")
        if Version(have) < Version(wanted):
            who = [f"{by} {r.specifier}" for by, r in limits
                   if canonicalize_name(r.name) == name and not r.specifier.contains(wanted)
                   and (r.marker is None or r.marker.evaluate(known))]  # fmt: skip
            said.append(
                f"{name} {have} of {wanted} ({', '.join(sorted(set(who))) or why_not(f'{name}=={wanted}', python, here)})"
            )
    return "; ".join(said) or "nothing"


def why_not(wanted: str, python: str, here: dict[str, metadata.Distribution]) -> str:
    """What the newest release itself asks for that the other versions of the environment do not grant."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as others:
        others.writelines(f"{n}=={d.version}\n" for n, d in here.items() if n != wanted.partition("==")[0])
        others.flush()
        refused = quiet(
            ["uv", "pip", "compile", "--python-version", python, "-c", others.name, "-"], input=wanted
        ).stderr
    asks = re.search(r"depends on (\S+)", refused)
    return f"its newest release wants {asks[1]}" if asks else "chosen so by the resolver"


def install(python: str, kind: str, folder: Path) -> tuple[Path, str]:
    """An environment with these versions: its interpreter, and what went wrong."""
    inner = folder / "bin" / "python"
    kept = sorted(Path.home().glob(f".pyenv/versions/{python}.*/bin/python"))  # pyenv puts a stand-in on the path
    found = str(kept[-1]) if kept else shutil.which(f"python{python}") or python
    if quiet(["uv", "venv", "-q", "--no-python-downloads", "--python", found, str(folder)]).returncode:
        return inner, "this Python is not here"
    if kind == "requirements.lock":
        wanted = ["--require-hashes", "-r", "requirements.lock"]
    else:
        # Without wheels an old release would be compiled, and that fails for reasons of the compiler, not of the release.
        wheels = [f"--only-binary={name}" for name in COMPILED]
        wanted = [*KINDS[kind], *wheels, "-r", "pyproject.toml", *(f"--extra={e}" for e in EXTRAS)]
    done = quiet(["uv", "pip", "install", "-q", "--python", str(inner), *wanted])
    last = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return inner, "cannot be installed: " + " ".join(last)[:160] if done.returncode else ""


def try_one(python: str, kind: str, folder: Path, jobs: int) -> dict[str, str]:
    row = {"python": python, "versions": kind}
    inner, wrong = install(python, kind, folder)
    if wrong:
        return {**row, "outcome": wrong}
    for line in quiet(["uv", "pip", "freeze", "--python", str(inner)]).stdout.splitlines():
        name, _, version = line.partition("==")
        if name in SHOWN:
            row[name] = version
    row["held back"] = held_back(python, inner) if kind == "newest allowed" else ""
    files = [str(path) for name in TESTS for path in sorted((ROOT / "tests").rglob(f"{name}.py"))]
    began = time.perf_counter()
    tests = quiet(
        [str(inner), "-m", "pytest", "-p", "no:cacheprovider", "-n", str(jobs), "-k", f"not ({' or '.join(SLOW)})", *files],
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )  # fmt: skip
    counts = re.findall(r"\d+ (?:passed|failed|error)\w*", tests.stdout.splitlines()[-1] if tests.stdout else "")
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", tests.stdout, re.M)
    row["outcome"] = ", ".join(counts) or "no test ran: " + (tests.stdout + tests.stderr)[-150:]
    row["first failure"] = failed[0] if failed else ""
    print(f"{python} {kind}: {row['outcome']} in {time.perf_counter() - began:.0f} s", *failed, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words = [*PYTHONS, *(kind.split()[0] for kind in KINDS), []]
    parser.add_argument("rows", nargs="*", choices=words, help="only these rows, anew")
    parser.add_argument("--again", action="store_true", help="all rows anew")
    parser.add_argument("--jobs", type=int, default=2, help="processes of the tests")
    asked = parser.parse_args()
    path = Path(__file__).with_suffix(".csv")
    old = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else pd.DataFrame(columns=COLUMNS)
    rows = {(r["python"], r["versions"]): r for r in old.to_dict("records")}
    for pair in [(python, kind) for python in PYTHONS for kind in KINDS]:
        named = bool(asked.rows) and {*asked.rows} <= {pair[0], pair[1].split()[0]}
        if asked.again or named or pair not in rows and not asked.rows:
            with tempfile.TemporaryDirectory() as folder:
                rows[pair] = try_one(*pair, Path(folder) / "env", asked.jobs)
            kept = [rows[p, k] for p in PYTHONS for k in KINDS if (p, k) in rows]
            pd.DataFrame(kept, columns=COLUMNS).fillna("").to_csv(path, index=False)


if __name__ == "__main__":
    main()
