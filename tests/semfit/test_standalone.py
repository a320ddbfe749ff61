"""The estimator needs numpy, pandas, scipy and threadpoolctl alone, and its README tells the truth."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import semfit

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "src" / "semfit"
README = (HOME / "README.md").read_text(encoding="utf-8")
MODULES = {
    ".".join(f.relative_to(HOME).with_suffix("").parts): f for f in HOME.rglob("*.py") if f.name != "__init__.py"
}

ALONE = '''
import sys

class Closed:
    """Nothing may be imported but what the estimator declares, what that needs, and Python's own."""

    ALLOWED = {"semfit", "numpy", "pandas", "scipy", "threadpoolctl", "dateutil", "six", "pytz", "tzdata", "packaging"}

    def find_spec(self, name, path=None, target=None):
        first = name.split(".")[0]
        if first in sys.stdlib_module_names or first.startswith("_") or first in self.ALLOWED:
            return None
        raise ImportError(f"{name} is not installed")

sys.meta_path.insert(0, Closed())
import numpy as np, pandas as pd, semfit

rng = np.random.default_rng(1)
f = rng.normal(size=(300, 2))
eta = f @ [0.5, 0.3] + 0.3 * f[:, 0] * f[:, 1] + rng.normal(0, 0.6, 300)
items = np.repeat(np.column_stack([f, eta]), 3, axis=1) + rng.normal(0, 0.5, (300, 9))
data = pd.DataFrame(items, columns=[a + str(i) for a in "scl" for i in (1, 2, 3)])
model = "s =~ s1 + s2 + s3; c =~ c1 + c2 + c3; l =~ l1 + l2 + l3; l ~ s + c"
fit = semfit.fit(model, data)
assert fit.converged and fit.bootstrap(20, seed=1, n_jobs=1).n_converged == 20
assert semfit.fit(model, data.mask(rng.random(data.shape) < 0.05), missing="fiml", estimator="MLR").converged
semfit.invariance("s =~ s1 + s2 + s3", data.assign(g=np.repeat(["a", "b"], 150)), group="g")
semfit.latent_interaction(model, data, x="s", moderator="c", y="l")
fit.modification_indices(), fit.residuals(), fit.factor_scores(), fit._repr_html_()
print("alone")
'''


def run(code: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_runs_without_anything_else_installed():
    assert run(ALONE).strip() == "alone"


def test_importing_it_loads_no_optional_package():
    code = "import sys, semfit; [getattr(semfit, n) for n in semfit.__all__]"
    loaded = run(f"{code}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))").split()
    assert "scipy" in loaded and not {"matplotlib", "joblib", "tqdm", "seaborn", "statsmodels", "switchcost"} & set(
        loaded
    )


def test_a_name_opens_its_module_when_it_is_asked_for():
    """Who reads a file through the helper waits for no estimator; the names are those that are listed."""
    loaded = run("import sys, semfit; print(*sorted(m for m in sys.modules if '.' not in m or 'semfit' in m))").split()
    assert not {"numpy", "scipy", "pandas", "semfit.fitting"} & set(loaded)
    errors = {name for name in semfit.__all__ if hasattr(semfit.errors, name)}
    assert sorted(errors | {name for names in semfit.HOME.values() for name in names}) == semfit.__all__ == dir(semfit)
    with pytest.raises(AttributeError, match="no attribute 'fits'"):
        _ = semfit.fits


def test_the_example_of_the_readme_prints_what_it_says():
    code, printed = re.search(r"```python\n(.*?)```\s*```text\n(.*?)```", README, re.S).groups()
    squeeze = [line.split() for line in printed.strip().splitlines()]
    assert [line.split() for line in run(code).strip().splitlines()] == squeeze


def floors() -> list[list[str]]:
    """The map of the README, lowest floor first."""
    rows = re.search(r"<!-- map -->\n(.*?)\n\n", README, re.S)[1].splitlines()[2:]
    return [re.findall(r"`([\w.]+)`", row.split("|")[1]) for row in reversed(rows)]


def imported(name: str) -> set[str]:
    package = name.split(".")[:-1]
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                found |= {source, f"{source}.{alias.name}".strip(".")} & set(MODULES)
    return found - {name}


def test_the_map_shows_every_module_once():
    drawn = [m for floor in floors() for m in floor]
    assert sorted(drawn) == sorted(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_import_goes_down_the_map(name):
    level = {m: k for k, floor in enumerate(floors()) for m in floor}
    assert [m for m in imported(name) if level[m] > level[name]] == []
