"""Mutation run: does any test notice when a line of a module is changed?

    python benchmarks/mutation.py verdicts --sample 200            all of a plan, results to mutation_verdicts.csv
    python benchmarks/mutation.py chapter --part 0:50 --kept DIR   a piece of the same sample, rows added to the table
    python benchmarks/mutation.py src/switchcost/measurement/validity.py --tests tests/switchcost/test_validity.py

Each mutant changes one place of a module's syntax tree: a comparison is flipped, a number changed, an operator swapped,
a boolean negated, or a statement deleted. A seeded sample of them is written, one at a time, over a copy of the source
tree; the doctests and the tests that run the changed lines run on the copy, until one fails, and for the plans that are
no room then all the tests. What survives is printed; ``open`` is what the tests within ``--budget`` did not notice.
Docstrings, annotations, imports and the wording of error messages are not mutated. What survived and why: mutation.md.
"""

from __future__ import annotations

import argparse
import ast
import copy
import csv
import doctest
import functools
import hashlib
import importlib
import inspect
import json
import multiprocessing
import os
import pickle
import random
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLIPPED: dict[type, type] = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
DELETABLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.If, ast.For, ast.Return)


@dataclass(frozen=True)
class Mutant:
    """One change: where, what it was and what it became, and the whole module with it."""

    module: Path
    lines: range
    kind: str
    before: str
    after: str
    source: str


def _is_text(node: ast.AST) -> bool:
    """Prose: docstrings, messages and warnings, whose wording tests hold loosely on purpose."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Raise):
        return True
    call = node.value if isinstance(node, ast.Expr) else node
    return isinstance(call, ast.Call) and ast.unparse(call.func) == "warnings.warn"


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Nodes that can be changed, and the kind of change."""
    if _is_text(tree) or isinstance(tree, (ast.Import, ast.ImportFrom, ast.JoinedStr)):
        return
    if isinstance(tree, ast.Compare):
        yield tree, "compare"
    elif isinstance(tree, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(tree.op) in FLIPPED:
        yield tree, "operator"
    elif isinstance(tree, ast.Constant) and isinstance(tree.value, (bool, int, float)):
        yield tree, "constant"
    elif isinstance(tree, ast.UnaryOp) and isinstance(tree.op, (ast.Not, ast.USub)):
        yield tree, "unary"
    if isinstance(tree, DELETABLE):
        yield tree, "delete"
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _places(child)


def _change(node: ast.AST, kind: str) -> ast.AST:
    """What stands in the place of ``node``, a copy that may be changed."""
    if kind == "delete":
        return ast.copy_location(ast.Return(ast.Constant(None)) if isinstance(node, ast.Return) else ast.Pass(), node)
    if kind == "unary":
        return node.operand  # type: ignore[attr-defined]
    if kind == "compare":
        node.ops[0] = FLIPPED[type(node.ops[0])]()  # type: ignore[attr-defined]
    elif kind == "operator":
        node.op = FLIPPED[type(node.op)]()  # type: ignore[attr-defined]
    elif isinstance(node.value, bool):  # type: ignore[attr-defined]
        node.value = not node.value  # type: ignore[attr-defined]
    else:
        value = node.value  # type: ignore[attr-defined]
        node.value = value + 1 if isinstance(value, int) else value * 1.5 + (value == 0)  # type: ignore[attr-defined]
    return node


def count(module: Path) -> int:
    """How many mutants a module has."""
    return len(list(_places(ast.parse(module.read_text(encoding="utf-8")))))


def mutant(module: Path, number: int) -> Mutant:
    """One mutant of a module."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    target, kind = list(_places(tree))[number]
    before = ast.unparse(target).splitlines()[0]

    class Put(ast.NodeTransformer):
        def visit(self, node):
            return _change(node, kind) if node is target else self.generic_visit(node)

    after = ast.unparse(_change(copy.deepcopy(target), kind)).splitlines()[0]
    source = ast.unparse(ast.fix_missing_locations(Put().visit(tree)))
    return Mutant(module, range(target.lineno, target.end_lineno + 1), kind, before, after, source)  # type: ignore[attr-defined]


# Modules of a plan, each with the cheapest tests that should notice a change; doctests of the module run first.
PLANS: dict[str, dict[str, tuple[str, ...]]] = {
    "verdicts": {
        "switchcost/measurement/validity": ("switchcost/test_verdicts", "switchcost/test_validity"),
        "switchcost/measurement/verdicts": ("switchcost/test_verdicts",),
        "switchcost/measurement/reliability": ("switchcost/test_reliability", "switchcost/test_measurement_input"),
        "switchcost/moderation/slopes": ("switchcost/test_moderation",),
        "switchcost/moderation/regression": ("switchcost/test_moderation", "switchcost/test_arguments"),
        "switchcost/moderation/shape": ("switchcost/test_moderation",),
        "switchcost/moderation/equivalence": ("switchcost/test_moderation",),
        "switchcost/moderation/significance": ("switchcost/test_moderation",),
        "switchcost/moderation/diagnostics": ("switchcost/test_moderation",),
        "semfit/johnson_neyman": ("semfit/test_johnson_neyman",),
        "semfit/modification": ("semfit/test_modification_indices", "semfit/test_diagnostics"),
        "semfit/residuals": ("semfit/test_diagnostics", "semfit/test_reference"),
        "semfit/scores": ("semfit/test_diagnostics", "semfit/test_reference"),
        "semfit/trouble": ("semfit/test_engine", "semfit/test_diagnostics", "semfit/test_bad_input"),
        "semfit/measures": ("semfit/test_reference", "semfit/test_structure_reference", "semfit/test_engine"),
        "semfit/equality": ("semfit/test_diagnostics", "semfit/test_invariance"),
    },
    "chapter": {
        f"surveychapter/{path.stem}": (
            "surveychapter/test_chapter_words",
            "surveychapter/test_chapter_parts",
            "surveychapter/test_chapter_files",
            "surveychapter/test_chapter_limits",
            "surveychapter/test_chapter_models",
            "surveychapter/test_chapter_prediction",
            "surveychapter/test_chapter_pls_groups",
            "surveychapter/test_chapter_figures",
            "surveychapter/test_chapter_nca",
            "surveychapter/test_chapter",
            "surveychapter/test_chapter_reference",
            "surveychapter/test_study",
            "surveychapter/test_names",
            "notebooks/test_teach_tables",
        )
        for path in sorted((ROOT / "src" / "surveychapter").glob("*.py"))
        if not path.stem.startswith(("words_", "__"))  # the sentences themselves hold nothing that can be changed
    },
}
# A plan whose modules are one room: its mutants are loaded into a process that holds all else already.
ROOMS = {"chapter": "surveychapter"}
OPEN = 77  # exit code of a run that ended before all tests had run
HEAVY = ("numpy", "pandas", "scipy.stats", "scipy.optimize", "statsmodels.api", "pingouin", "factor_analyzer", "pytest")


class Lines:
    """Pytest plugin: which lines of some modules each test runs; those of a shared fixture count for all who use it."""

    def __init__(self, folder: Path):
        self.folder = str(folder)
        self.found: dict[str, set[tuple[str, int]]] = {}
        self.shared: dict[tuple[str, str], set[tuple[str, int]]] = {}
        self.uses: dict[str, list[tuple[str, str]]] = {}
        self.seconds: dict[str, float] = {}

    def pytest_runtest_setup(self, item) -> None:
        self.here = self.found.setdefault(item.nodeid, set())
        names = item._fixtureinfo.name2fixturedefs
        wide = [n for n, defined in names.items() if defined[-1].scope in ("module", "session")]
        self.uses[item.nodeid] = [(item.nodeid.partition("::")[0], n) for n in wide]
        self.start = time.process_time()
        sys.settrace(self._enter)

    def pytest_fixture_setup(self, fixturedef, request) -> None:
        if fixturedef.scope in ("module", "session"):
            key = (request.node.nodeid.partition("::")[0], fixturedef.argname)
            self.here = self.shared.setdefault(key, set())

    def pytest_runtest_call(self, item) -> None:
        self.here = self.found[item.nodeid]

    def pytest_runtest_teardown(self, item) -> None:
        sys.settrace(None)
        self.seconds[item.nodeid] = time.process_time() - self.start

    def _enter(self, frame, event, argument):
        return self._line if frame.f_code.co_filename.startswith(self.folder) else None

    def _line(self, frame, event, argument):
        self.here.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
        return self._line

    def lines(self) -> list[tuple[str, float, list[tuple[str, int]]]]:
        """Every test, fastest first, with its seconds and the lines it runs."""
        out = []
        for test in sorted(self.found, key=lambda t: self.seconds.get(t, 0.0)):
            ran = self.found[test].union(*(self.shared.get(k, set()) for k in self.uses[test]))
            out.append((test, self.seconds.get(test, 0.0), sorted(ran)))
        return out


class InOrder:
    """Pytest plugin: only these tests, in this order, until the budget of processor time is spent."""

    def __init__(self, tests: list[str], budget: float):
        self.place, self.budget = {test: k for k, test in enumerate(tests)}, budget

    def pytest_collection_modifyitems(self, items) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self.place), key=lambda i: self.place[i.nodeid])

    def pytest_runtest_setup(self, item) -> None:
        import pytest

        if time.process_time() > self.budget:
            pytest.exit("the budget is spent", returncode=OPEN)


def remembered(function: Callable, folder: Path) -> Callable:
    """The same function, which looks up what it found for the same arguments; its warnings are given again."""
    import joblib

    @functools.wraps(function)
    def call(*arguments, **options):
        key = joblib.hash((function.__module__, function.__qualname__, arguments, options))
        place = folder / f"{key}.pickle"
        if place.exists():
            found, said = pickle.loads(place.read_bytes())
        else:
            trace = sys.gettrace()
            sys.settrace(None)
            try:
                with warnings.catch_warnings(record=True) as caught:
                    warnings.simplefilter("always")
                    found = function(*arguments, **options)
            finally:
                sys.settrace(trace)
            said = [w.message for w in caught]
            try:
                text = pickle.dumps((found, said))
            except (pickle.PicklingError, TypeError, AttributeError):
                text = b""
            if text:
                half = place.with_suffix(f".{os.getpid()}")
                half.write_bytes(text)
                half.replace(place)
        for w in said:
            warnings.warn(w, stacklevel=2)
        return found

    return call


def load_again(room: str, folder: Path) -> None:
    """Load a room's modules anew, in all that is loaded already; what they call outside the room is remembered."""
    old = {name: sys.modules.pop(name) for name in list(sys.modules) if name == room or name.startswith(room + ".")}
    for name in old:
        importlib.import_module(name)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "switchcost" or name in old:  # the front door holds the chapter's functions
            continue
        for key, value in list(vars(module).items()):
            if getattr(value, "__name__", None) in old and value is old[value.__name__]:
                setattr(module, key, sys.modules[value.__name__])
            elif getattr(value, "__module__", None) in old and hasattr(value, "__name__"):
                setattr(module, key, getattr(sys.modules[value.__module__], value.__name__))
    for name in old:
        if not name.rpartition(".")[2].startswith("analyse_"):
            continue
        for key, value in list(vars(sys.modules[name]).items()):
            own = getattr(value, "__module__", None) or ""
            if inspect.isfunction(value) and own.startswith(("semfit", "switchcost.")):
                setattr(sys.modules[name], key, remembered(value, folder))


class Room:
    """All modules of a room and their tests: one process a mutant, forked when everything else is loaded.

    Only the room's own modules are loaded anew. The functions of other rooms that the analysing modules call are not
    mutated, so that their results are remembered by their arguments: a mutant that changes the arguments has them
    computed. Of the tests only those run that ran a changed line; a line that runs on loading has all of them.
    """

    def __init__(self, room: str, tests: list[str], src: Path, kept: Path):
        self.room, self.src = room, src
        self.folder = src.joinpath(*room.split("."))
        code = [*sorted((ROOT / "src").rglob("*.py")), *(ROOT / test for test in tests)]
        self.kept = kept / hashlib.sha256(b"".join(p.read_bytes() for p in code)).hexdigest()[:16]
        self.kept.mkdir(parents=True, exist_ok=True)
        for path in sorted(self.folder.glob("*.py")):
            importlib.import_module(f"{room}.{path.stem}" if path.stem != "__init__" else room)
        out = self.kept / "lines.json"

        def work() -> int:
            load_again(room, self.kept)
            seen = Lines(self.folder)
            code = _pytest(tests, seen)
            out.write_text(json.dumps(seen.lines()))
            return code

        if not out.exists() and _in_child(src, work, 3600) != 0:
            out.unlink(missing_ok=True)
            sys.exit(f"the tests fail without any change: {' '.join(tests)}")
        self.lines = json.loads(out.read_text())
        print(f"{len(self.lines)} tests, {sum(s for _, s, _ in self.lines):.0f} s of processor time", flush=True)

    def near(self, mutant: Mutant) -> list[str]:
        """The tests that run a changed line, fastest first; all of them where it runs on loading."""
        changed = {(mutant.module.name, line) for line in mutant.lines}
        near = [test for test, _, ran in self.lines if not changed.isdisjoint(map(tuple, ran))]
        tree = ast.parse(mutant.module.read_text(encoding="utf-8"))
        bodies = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        inside = any(n.body[0].lineno <= mutant.lines[0] and mutant.lines[-1] <= n.end_lineno for n in bodies)
        return near if inside else near + [test for test, _, _ in self.lines if test not in near]

    def outcome(self, mutant: Mutant, seconds: float, budget: float) -> str:
        """Write the mutant into the copy, load it, run what runs its lines, put the original back."""
        place = self.src / mutant.module.resolve().relative_to(ROOT / "src")
        original, stamp = place.read_text(encoding="utf-8"), place.stat()
        place.write_text(mutant.source, encoding="utf-8")
        near, name = self.near(mutant), f"{self.room}.{mutant.module.stem}"

        def work() -> int:
            resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))  # a loop without end is noticed
            load_again(self.room, self.kept)
            files = list(dict.fromkeys(test.partition("::")[0] for test in near))
            if _doctest(name, self.src.parent) != 0:
                return 1
            os.chdir(ROOT)
            return _pytest(["--assert=plain", *files], InOrder(near, budget)) if near else 0

        try:
            code = _in_child(self.src, work, 20 * seconds)
            return "survived" if code == 0 else "open" if code == OPEN else "killed"
        finally:
            place.write_text(original, encoding="utf-8")
            os.utime(place, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))


def _in_child(src: Path, work: Callable[[], int], seconds: float) -> int | None:
    """Exit code of ``work`` in a process of its own with ``src`` on its path; None when it takes too long."""

    def inside() -> None:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1), os.dup2(quiet, 2)
        os.chdir(ROOT)
        sys.path.insert(0, str(src))
        os.environ["PYTHONPATH"] = str(src)
        os._exit(int(work()))

    run = multiprocessing.get_context("fork").Process(target=inside)
    run.start()
    run.join(seconds)
    if run.is_alive():
        run.kill()
        run.join()
        return None
    return run.exitcode


def _pytest(tests: list[str], *plugins: object) -> int:
    import pytest

    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests], plugins=list(plugins)))


def _doctest(name: str, folder: Path) -> int:
    os.chdir(folder)  # an example may write a file
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    return int(doctest.testmod(importlib.import_module(name), optionflags=flags).failed > 0)


@dataclass(frozen=True)
class Guard:
    """The tests of one module: all of them, and for every line those that run it, fastest first."""

    name: str
    tests: list[str]
    by_line: dict[int, list[str]]

    @classmethod
    def of(cls, module: Path, tests: list[str], src: Path) -> Guard:
        """Run the tests once on the unchanged copy and write down what each runs; they must pass."""
        name = ".".join(module.relative_to(ROOT / "src").with_suffix("").parts)
        out = src.parent / "lines.json"

        def work() -> int:
            lines = Lines(src / module.relative_to(ROOT / "src"))
            code = _pytest(tests, lines)
            out.write_text(json.dumps(lines.lines()))
            return code

        if _in_child(src, work, 3600) != 0:
            sys.exit(f"the tests of {module.name} fail without any change: {' '.join(tests)}")
        by_line: dict[int, list[str]] = {}
        for test, _, ran in json.loads(out.read_text()):
            for _, line in ran:
                by_line.setdefault(line, []).append(test)
        return cls(name, tests, by_line)

    def survives(self, mutant: Mutant, src: Path, seconds: float) -> bool:
        """Write the mutant into the copy ``src``, run the tests on it, put the original back."""
        place = src / mutant.module.resolve().relative_to(ROOT / "src")
        original = place.read_text(encoding="utf-8")
        place.write_text(mutant.source, encoding="utf-8")
        near = list(dict.fromkeys(t for n in mutant.lines for t in self.by_line.get(n, [])))
        try:
            if _in_child(src, lambda: _doctest(self.name, src.parent), seconds) != 0:
                return False
            if near and _in_child(src, lambda: _pytest(near[:40]), seconds) != 0:  # a loop without end is noticed
                return False
            return _in_child(src, lambda: _pytest(self.tests), seconds) == 0
        finally:
            place.write_text(original, encoding="utf-8")


def planned(plan: str) -> dict[Path, list[str]]:
    """Tests of every module of a plan."""
    out = {}
    for name, tests in PLANS[plan].items():
        out[ROOT / "src" / f"{name}.py"] = [f"tests/{t}.py" for t in tests]
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="+", help="the name of a plan, or modules")
    parser.add_argument("--tests", nargs="+", help="tests of the modules named")
    parser.add_argument("--sample", type=int, default=200, help="mutants to try, of all modules together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", help="only these of the sample, such as 0:50")
    parser.add_argument("--seconds", type=float, default=300, help="a run that takes longer counts as noticed")
    parser.add_argument("--kept", type=Path, help="where a room's pieces keep what was found for unchanged code")
    parser.add_argument("--budget", type=float, default=1e9, help="processor seconds after which a mutant is left open")
    given = parser.parse_args()
    plan = given.what[0] if given.what[0] in PLANS else ""
    tests_of = planned(plan) if plan else {Path(m).resolve(): given.tests for m in given.what}
    every = [(module, number) for module in tests_of for number in range(count(module))]
    picked = random.Random(given.seed).sample(every, min(given.sample, len(every)))
    first, _, last = (given.part or ":").partition(":")
    chosen = [mutant(*one) for one in picked[int(first or 0) : int(last or len(picked))]]
    if plan not in ROOMS:
        chosen.sort(key=lambda m: str(m.module))  # the tests of a module are looked at once
    for name in HEAVY:  # loaded once; every mutant's process starts with them
        __import__(name)
    os.environ |= {"MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True  # two mutants within a second have one time stamp
    table, survivors = ROOT / "benchmarks" / f"mutation_{plan or 'last'}.csv", []
    with tempfile.TemporaryDirectory() as folder, table.open("a" if given.part else "w", newline="") as out:
        src = Path(folder) / "src"
        shutil.copytree(ROOT / "src", src, ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "data").symlink_to(ROOT / "data")
        write = csv.writer(out, lineterminator="\n")
        if not given.part or out.tell() == 0:
            write.writerow(["module", "line", "kind", "before", "after", "outcome"])
        guards: dict[Path, Guard] = {}
        if plan in ROOMS:
            sys.path.insert(0, str(src))
            os.environ["PYTHONPATH"] = str(src)
            room = Room(
                ROOMS[plan],
                list(dict.fromkeys(t for tests in tests_of.values() for t in tests)),
                src,
                given.kept or Path(folder),
            )
        for m in chosen:
            start = time.monotonic()
            if plan in ROOMS:
                found = room.outcome(m, given.seconds, given.budget)
            else:
                if m.module not in guards:
                    guards[m.module] = Guard.of(m.module, tests_of[m.module], src)
                found = "survived" if guards[m.module].survives(m, src, given.seconds) else "killed"
            survivors += [m] if found != "killed" else []
            name = str(m.module.relative_to(ROOT / "src"))
            write.writerow([name, m.lines[0], m.kind, m.before, m.after, found])
            out.flush()
            print(
                f"{found:8} {time.monotonic() - start:5.1f} s {name}:{m.lines[0]} {m.kind}: {m.before}  ->  {m.after}",
                flush=True,
            )
    killed = len(chosen) - len(survivors)
    print(f"\n{killed} of {len(chosen)} mutants killed, of {len(every)} possible; seed {given.seed}")
    for m in survivors:
        print(f"  {m.module.name}:{m.lines[0]} {m.kind}: {m.before}  ->  {m.after}")


if __name__ == "__main__":
    main()
