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
import switchcost

SRC = Path(__file__).resolve().parents[1] / "src"
FILES = sorted(SRC.rglob("*.py"))
MODULES = {".".join(f.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__"): f for f in FILES}

# Each line may import those above it and its own.
FLOORS = [
    {"semfit"},
    {"switchcost._core"},
    {"switchcost.data"},
    {"switchcost.simulate"},
    {"switchcost.screening", "switchcost.measurement", "switchcost.moderation", "switchcost.plspm"},
    {"switchcost.bridges"},
    {"switchcost.replication"},
    {"switchcost.plots"},
    {"switchcost.report"},
    {"switchcost.classroom"},
    {"switchcost"},
]
LEVEL = {room: k for k, floor in enumerate(FLOORS) for room in floor}


def room_of(module: str) -> str:
    return "semfit" if module.split(".")[0] == "semfit" else ".".join(module.split(".")[:2])


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
    return [(m, i) for m, i in found if m.split(".")[0] in ("semfit", "switchcost")]


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


@pytest.mark.parametrize("package", [semfit, switchcost, *(switchcost.simulate, switchcost.plots)])
def test_public_names_are_listed_and_there(package):
    assert sorted(package.__all__) == sorted(set(package.__all__))
    assert [n for n in package.__all__ if not hasattr(package, n)] == []


def test_about_forty_names():
    assert 35 <= len(dir(switchcost)) <= 50


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def test_no_module_is_longer_than_five_hundred_lines():
    assert {str(f.relative_to(SRC)): lines(f) for f in FILES if lines(f) > 500} == {}


# What each room of the helper may grow to; a room that shrinks takes its limit down with it.
LIMITS = {
    "_core": 350, "bridges": 750, "classroom": 1_050, "data": 2_500, "measurement": 2_500, "moderation": 2_550,
    "plots": 500, "plspm": 750, "replication": 4_200, "report": 4_900, "screening": 1_950, "simulate": 1_250,
}  # fmt: skip


@pytest.mark.parametrize("room", LIMITS)
def test_a_room_stays_within_its_lines(room):
    assert sum(lines(f) for f in (SRC / "switchcost" / room).rglob("*.py")) <= LIMITS[room]


def test_every_room_has_a_limit():
    rooms = {f.relative_to(SRC / "switchcost").parts[0] for f in FILES if f.is_relative_to(SRC / "switchcost")}
    assert rooms - {"__init__.py"} == set(LIMITS)


TYPED = (
    "semfit", "switchcost.measurement", "switchcost.bridges", "switchcost.moderation", "switchcost.data",
    "switchcost.simulate", "switchcost.replication", "switchcost.report",
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
    for package in (semfit, switchcost, switchcost.simulate, switchcost.plots):
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
    found: dict[str, set[str]] = {r: set() for r in LIMITS}
    for m, to, inside in ARROWS:
        here, there = room_of(m).removeprefix("switchcost."), room_of(to).removeprefix("switchcost.")
        if m != "switchcost" and here in found and here != there and there != "switchcost" and not is_plot(inside):
            found[here].add(there)
    assert {room: set(under.split()) for room, under in drawn.items()} == found
