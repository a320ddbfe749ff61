"""The house keeps its plan: who may import whom, what is public, how large a room may grow."""

import ast
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import semfit
import simmarket
import switchcost

SRC = Path(__file__).resolve().parents[1] / "src"
FILES = sorted(SRC.rglob("*.py"))
MODULES = {".".join(f.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): f for f in FILES}

# The helper, its rooms, and the packages around it. Each line may import those above it and its own; the front door
# ``switchcost`` itself opens everything and is imported by nobody above it.
PACKAGES = ("semfit", "switchcost", "simmarket", "papercheck", "surveychapter", "coursepages")
FLOORS = [
    {"semfit"},
    {"switchcost.core"},
    {"switchcost.data"},
    {"switchcost.measurement", "switchcost.moderation", "switchcost.plspm"},
    {"switchcost.bridges"},
    {"switchcost.plots"},
    {"simmarket", "papercheck", "surveychapter"},
    {"coursepages"},
    {"switchcost"},
]
LEVEL = {room: k for k, floor in enumerate(FLOORS) for room in floor}


def room_of(module: str) -> str:
    return ".".join(module.split(".")[:2]) if module.split(".")[0] == "switchcost" else module.split(".")[0]


def imports(module: str, file: Path) -> list[tuple[str, str]]:
    """(imported module, function it is imported in or "") of our own modules, wherever the import stands."""
    found = []

    def visit(node, inside):
        for child in ast.iter_child_nodes(node):
            name = child.name if isinstance(child, (ast.FunctionDef, ast.ClassDef)) else ""
            if isinstance(child, ast.Import):
                found.extend((a.name, inside) for a in child.names)
            if isinstance(child, ast.ImportFrom):
                base = module.split(".")
                if child.level:
                    base = base if file.name == "__init__.py" else base[:-1]
                    base = base[: len(base) - child.level + 1]
                    source = ".".join([*base, *([child.module] if child.module else [])])
                else:
                    source = child.module
                for a in child.names:
                    whole = f"{source}.{a.name}"
                    found.append((whole if whole in MODULES else source, inside))
            visit(child, f"{inside}.{name}" if name and inside else name or inside)

    visit(ast.parse(file.read_text(encoding="utf-8")), "")
    return [(m, i) for m, i in found if m.split(".")[0] in PACKAGES]


ARROWS = [(m, to, inside) for m, f in MODULES.items() for to, inside in imports(m, f)]


def is_plot(inside: str) -> bool:
    """The one exception: a result draws itself, and asks the room of figures for it when it does."""
    return inside.split(".")[-1].startswith("plot")


def test_imports_point_one_way():
    upward = [
        (m, to, inside)
        for m, to, inside in ARROWS
        if room_of(m) != "switchcost" and LEVEL[room_of(to)] > LEVEL[room_of(m)] and not is_plot(inside)
    ]
    sideways = [
        (m, to) for m, to, inside in ARROWS if room_of(m) != room_of(to) and LEVEL[room_of(m)] == LEVEL[room_of(to)]
    ]
    assert upward == [] and sideways == []


def test_no_module_imports_itself_in_a_circle():
    graph: dict[str, set[str]] = {m: set() for m in MODULES}
    for m, to, inside in ARROWS:
        if to != m and not is_plot(inside) and m not in ("switchcost", "semfit"):
            graph[m].add(to)
    done: set[str] = set()

    def reach(name, path):
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            for other in graph[name]:
                reach(other, (*path, name))
            done.add(name)

    for name in graph:
        reach(name, ())


def test_the_estimator_knows_nothing_of_the_helper():
    assert [(m, to) for m, to, _ in ARROWS if m.split(".")[0] == "semfit" and to.split(".")[0] != "semfit"] == []


@pytest.mark.parametrize("name", [m for m, f in MODULES.items() if f.name == "__init__.py"])
def test_no_public_name_hides_a_module(name):
    package = importlib.import_module(name)
    for inner in pkgutil.iter_modules(package.__path__):
        thing = getattr(package, inner.name, None)
        assert thing is None or type(thing).__name__ == "module", f"{name}.{inner.name}"


@pytest.mark.parametrize("package", [semfit, switchcost, simmarket, switchcost.plots])
def test_public_names_are_listed_and_there(package):
    assert sorted(package.__all__) == sorted(set(package.__all__))
    assert [n for n in package.__all__ if not hasattr(package, n)] == []


def test_about_forty_names():
    assert 35 <= len(dir(switchcost)) <= 50


def test_importing_the_helper_opens_nothing_heavy():
    """A name opens its module when it is asked for; the import itself waits for no pandas, scipy or figure."""
    code = (
        "import sys, switchcost as sc; heavy = {'pandas', 'numpy', 'scipy', 'semfit', 'matplotlib'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "assert sc.load('corp_rep').shape[0] > 300 and not {'statsmodels', 'pingouin', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_front_door_says_its_names_alike():
    """To people (``__all__``), to Python (``HOME``, ``MODULES``) and to type checkers (the block that only they read)."""
    given = [name for names in switchcost.HOME.values() for name in names] + [*switchcost.MODULES]
    assert sorted([*given, "__version__"]) == sorted(switchcost.__all__)
    tree = ast.parse(Path(switchcost.__file__).read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    told = [a.asname or a.name for n in block.body for a in n.names]  # type: ignore[attr-defined]
    assert sorted(told) == sorted(given)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        switchcost.nothing  # noqa: B018


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_no_module_is_longer_than_five_hundred_lines():
    assert {str(f.relative_to(SRC)): lines(f) for f in FILES if lines(f) > 500} == {}


def test_no_file_of_tests_is_longer_than_six_hundred_lines():
    files = Path(__file__).parent.rglob("*.py")
    assert {f.name: lines(f) for f in files if lines(f) > 600} == {}


# What each room of the helper, and each package that stands on it, may grow to; one that shrinks takes its limit down.
LIMITS = {
    "core": 350, "bridges": 750, "data": 2_640, "measurement": 2_500, "moderation": 2_550, "plots": 450, "plspm": 775,
}  # fmt: skip
AROUND = {"simmarket": 1_250, "papercheck": 4_300, "surveychapter": 7_700, "coursepages": 1_050}
HELPER = 10_000


def together(folder: str) -> int:
    return sum(lines(f) for f in (SRC / folder).rglob("*.py"))


@pytest.mark.parametrize("room", LIMITS)
def test_a_room_stays_within_its_lines(room):
    assert together(f"switchcost/{room}") <= LIMITS[room]


@pytest.mark.parametrize("package", AROUND)
def test_a_package_around_the_helper_stays_within_its_lines(package):
    assert together(package) <= AROUND[package]


def test_the_helper_is_small():
    assert together("switchcost") <= HELPER


def test_every_room_has_a_limit():
    rooms = {f.relative_to(SRC / "switchcost").parts[0] for f in FILES if f.is_relative_to(SRC / "switchcost")}
    assert rooms - {"__init__.py"} == set(LIMITS)
    assert {f.relative_to(SRC).parts[0] for f in FILES} == {*PACKAGES}


TYPED = (
    "semfit", "switchcost", "simmarket", "papercheck", "surveychapter", "coursepages",
)  # fmt: skip


def test_types_are_right():
    """mypy over the rooms that other people's code builds on."""
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", os.devnull]
    done = subprocess.run(
        [*command, *(part for room in TYPED for part in ("-p", room))],
        cwd=SRC.parent,
        env={**os.environ, "MYPYPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == []


def public_functions():
    for package in (semfit, switchcost, simmarket, switchcost.plots):
        for name in package.__all__:
            thing = getattr(package, name)
            if callable(thing) and not isinstance(thing, type):
                yield pytest.param(thing, id=f"{package.__name__}.{name}")


@pytest.mark.parametrize("function", list(public_functions()))
def test_the_type_line_of_a_docstring_holds_the_type_only(function):
    """`name : type`, then what it means on the next line, so that editors show the type as the type."""
    text = inspect.getdoc(function) or ""
    block = re.search(r"\nParameters\n-+\n(.*?)(?=\n\n\w[\w ]*\n-+\n|\Z)", text, re.S)
    long = []
    for line in block[1].splitlines() if block else ():
        if line and not line.startswith(" "):
            name, colon, kind = line.partition(" : ")
            if not colon or len(kind) > 70 or re.search(r"[;.] |\bwhen\b|\bas in\b|\bwhere\b", kind):
                long.append(line)
    assert long == []


def test_the_map_names_every_room():
    """README beside the code: every room is on the map with what it stands on, and nothing else."""
    text = (SRC / "switchcost" / "README.md").read_text(encoding="utf-8")
    drawn = dict(
        re.findall(r"^(\w+) .*\| (.*)$", re.search(r"```\n(.*?)```", text[text.index("## Map") :], re.S)[1], re.M)
    )
    found: dict[str, set[str]] = {r: set() for r in (*LIMITS, *AROUND)}
    for m, to, inside in ARROWS:
        here, there = room_of(m).removeprefix("switchcost."), room_of(to).removeprefix("switchcost.")
        if m != "switchcost" and here in found and here != there and there != "switchcost" and not is_plot(inside):
            found[here].add(there)
    assert {room: set(under.split()) for room, under in drawn.items()} == found
