"""The package as others install it: a wheel that works from any folder, and dependencies that are what is imported."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {p.name for p in (ROOT / "src").iterdir() if (p / "__init__.py").exists()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Declared for what people or other packages do with them, not for an import in src.
APPLICATIONS = {
    "jupyterlab": "where people read the notebooks",
    "ipykernel": "runs the notebooks",
    "scikit-learn": "wanted by factor_analyzer in a version that it still works with",
    "lifelines": "imported by notebooks",
    "tqdm": "progress bars, where it is installed",
    "tabulate": "DataFrame.to_markdown",
    "jinja2": "DataFrame.to_latex",
    "pyyaml": "study files",
    "openpyxl": "pandas.read_excel",
    "nbclient": "run.py executes the notebooks",
    "pytest": "tests",
    "pytest-xdist": "tests on all cores",
    "hypothesis": "tests",
    "ruff": "style",
    "mypy": "types",
    "distributed": "tests on a local cluster",
    "insufficient-effort": "tests hold careless answering against it",
    "pingouin": "notebooks, and tests hold alpha against it",
}
PLANNED: set[str] = set()  # declared before they are used; take a name out when a module of ours imports it
COMES_WITH = {"cycler": "matplotlib"}
IMPORT_NAME = {"python-docx": "docx", "scikit-learn": "sklearn", "factor-analyzer": "factor_analyzer"}
IMPORT_NAME |= {
    "pyyaml": "yaml",
    "charset-normalizer": "charset_normalizer",
    "ipython": "IPython",
    "seminrextras": "seminrExtras",
}


def canonical(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def imported() -> dict[str, set[str]]:
    """Top-level package -> our rooms that import it, wherever in a file."""
    found: dict[str, set[str]] = {}
    for file in (ROOT / "src").rglob("*.py"):
        parts = file.relative_to(ROOT / "src").parts
        room = parts[1] if parts[0] == "switchcost" else parts[0]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                found.setdefault(name.split(".")[0], set()).add(room)
    return {k: v for k, v in found.items() if k not in sys.stdlib_module_names | OURS}


def declared() -> dict[str, str]:
    """Import name -> where it is declared ("" for the hard dependencies)."""
    groups = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
    out: dict[str, str] = {}
    for extra, wanted in groups.items():
        for w in wanted:
            name = canonical(w)
            if name != "switchcost" and extra != "book":
                out.setdefault(IMPORT_NAME.get(name, name.replace("-", "_")), extra)
    return out


def test_what_is_imported_is_declared():
    assert sorted({COMES_WITH.get(n, n) for n in imported()} - set(declared())) == []


def test_what_is_declared_is_imported_or_says_what_for():
    used, names = set(imported()), {v: k for k, v in IMPORT_NAME.items()}
    idle = {names.get(n, n.replace("_", "-")) for n in declared() if n not in used}
    assert sorted(idle - set(APPLICATIONS) - PLANNED) == []


def test_at_most_ten_hard_dependencies():
    assert len(PROJECT["dependencies"]) <= 10


def test_the_rooms_of_the_first_floors_need_only_hard_dependencies():
    hard = {n for n, extra in declared().items() if extra == ""}
    extra_by_design = {"IPython", "pyreadstat", "openpyxl", "tqdm", "matplotlib", "seaborn"}  # imported where used
    rooms = ("data", "measurement", "moderation", "core", "papercheck", "simmarket")
    needed = {n for n, where in imported().items() if where & {*rooms}}
    assert sorted(needed - hard - extra_by_design) == []


# --- the wheel -------------------------------------------------------------------------------------------------
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    sys.modules[name] = None  # as if it were not installed
import switchcost as sc, semfit
assert sys.argv[1] in sc.__file__ and sys.argv[1] in semfit.__file__, sc.__file__
survey = sc.load("telecom_survey")
assert len(survey) == 800
assert len(sc.simulate.survey(n=30, seed=1)) == 30 and len(sc.simulate.survey(n=30, seed=1, world="meta")) == 30
fit = sc.fit("satisfaction =~ sat1 + sat2 + sat3", survey)
assert fit.converged
assert len(sc.codebook("telecom_survey")) == survey.shape[1]
board = sc.scoreboard()
assert len(sc.audit(survey.head(100)).table) and "satisfaction" in sc.tables.table(fit.estimates.head(1))._repr_html_()
for call, word in ((lambda: sc.plots.path_diagram(fit), "plots"), (lambda: board.plot(), "plots"),
                   (lambda: sc.tables.table(fit.estimates).to_docx("t.docx"), "report")):
    try:
        call()
    except semfit.SemError as error:
        assert f"pip install 'switchcost[{word}]'" in str(error), error
    else:
        raise AssertionError(word)
assert "switchcost[pls]" in board.table.query("study == 'hair2021_corp_rep'").reason.iloc[0]
print(len(board.table))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel unpacked, built by hatchling from this environment or fetched for the purpose."""
    home = tmp_path_factory.mktemp("wheel")
    tools = home / "tools"
    have = subprocess.run([sys.executable, "-c", "import hatchling"], capture_output=True).returncode == 0
    if not have:
        if shutil.which("uv"):
            fetch = ["uv", "pip", "install", "-q", "--python", sys.executable, "--target", str(tools), "hatchling"]
        else:
            fetch = [sys.executable, "-m", "pip", "install", "-q", "--target", str(tools), "hatchling"]
        if subprocess.run(fetch, capture_output=True, timeout=120).returncode:
            pytest.skip("hatchling, which builds the wheel, is neither installed nor to be had")
    build = f"import sys; sys.path.insert(0, {str(tools)!r}); import hatchling.build as b; b.build_wheel({str(home)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True, timeout=120)
    unpacked = home / "unpacked"
    shutil.unpack_archive(next(home.glob("*.whl")), unpacked, "zip")
    return unpacked


def test_the_wheel_works_from_any_folder_with_hard_dependencies_alone(wheel, tmp_path):
    """What needs an extra says which one; the board goes on without the study that does."""
    extras = sorted(name for name, extra in declared().items() if extra)
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", SCRIPT, str(wheel), *extras],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout.split()[-1]) > 100


def test_the_wheel_holds_what_is_promised_and_no_more(wheel):
    top = {p.name for p in wheel.iterdir() if not p.name.endswith(".dist-info")}
    assert top == OURS
    assert (wheel / "simmarket" / "templates" / "telecom_survey.md").exists()
    assert not list(wheel.rglob("__pycache__"))


FOUR = ("numpy", "pandas", "scipy", "threadpoolctl")
ALONE = """
import importlib.util, sys
import numpy as np, pandas as pd, semfit
assert "site-packages" in semfit.__file__, semfit.__file__
assert importlib.util.find_spec("statsmodels") is None and importlib.util.find_spec("matplotlib") is None
rng = np.random.default_rng(1)
f = rng.normal(size=300)
data = pd.DataFrame({f"x{k}": f + rng.normal(size=300) for k in (1, 2, 3, 4)})
fit = semfit.fit("f =~ x1 + x2 + x3 + x4", data)
assert fit.converged and fit.measures["df"] == 2
assert len(semfit.invariance("f =~ x1 + x2 + x3 + x4", data.assign(g=["a", "b"] * 150), group="g").table) == 4
fit.bootstrap(n_boot=200, seed=1)
print(round(float(fit.measures["cfi"]), 2))
"""


def test_the_estimator_lives_on_its_four_dependencies_alone(wheel, tmp_path):
    """An empty environment, the wheel without what it depends on, four packages, and another folder."""
    if not shutil.which("uv"):
        pytest.skip("an empty environment takes minutes without uv")
    env, inner = (
        tmp_path / "env",
        tmp_path / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"),
    )
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [re.search(rf"^{n}==[^\s;\\]+", lock, re.M)[0] for n in FOUR]
    file = next(wheel.parent.glob("*.whl"))
    for command in (
        ["uv", "venv", "-q", "--python", sys.executable, str(env)],
        ["uv", "pip", "install", "-q", "--python", str(inner), *pins],
        ["uv", "pip", "install", "-q", "--no-deps", "--python", str(inner), str(file)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode and str(file) not in command:
            pytest.skip("the four packages are not to be had: " + done.stderr.strip()[-100:])
        assert done.returncode == 0, done.stderr[-500:]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run([str(inner), "-I", "-c", ALONE], cwd=elsewhere, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]


def test_version_is_the_same_everywhere():
    version = PROJECT["version"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^version: {re.escape(version)}$", citation, re.M)
    assert re.search(r"^## (\S+?),? ", changes, re.M)[1].rstrip(",") == version


def test_metadata_names_what_a_package_index_shows(wheel):
    text = next(wheel.glob("*.dist-info/METADATA")).read_text(encoding="utf-8")
    for line in (
        "Requires-Python: >=3.11",
        "License-Expression: GPL-3.0-or-later",
        "Description-Content-Type: text/markdown",
    ):
        assert line in text, line
    assert "Provides-Extra: notebooks" in text
