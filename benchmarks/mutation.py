"""Mutation run: does any test notice when a line of a module is changed?

    python benchmarks/mutation.py verdicts --sample 200            all of a plan, results to mutation_verdicts.csv
    python benchmarks/mutation.py verdicts --part 0:50             a piece of the same sample, rows added to the table
    python benchmarks/mutation.py src/switchcost/measurement/validity.py --tests tests/switchcost/test_validity.py

Each mutant changes one place of a module's syntax tree: a comparison is flipped, a number changed, an operator swapped,
a boolean negated, or a statement deleted. A seeded sample of all of them is written, one at a time, over a copy of the
source tree; the doctests, then the tests that run the changed lines, then all the named tests run on the copy, until one
fails. What survives is printed. Docstrings,
annotations, imports and the wording of error messages are not mutated. Minutes, not hours: this is not part of the
tests; what survived and why is kept in mutation.md.
"""

from __future__ import annotations

import argparse
import ast
import copy
import csv
import doctest
import importlib
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
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
        **{
            f"switchcost/report/{m}": (
                "switchcost/test_chapter_words",
                "switchcost/test_chapter_parts",
                "switchcost/test_chapter",
            )
            for m in (
                "rules",
                "wording",
                "writer",
                "write_sample",
                "write_measurement",
                "write_structure",
                "write_pls",
                "write_closing",
                "chapter",
                "document",
                "outputs",
                "figures",
            )
        },
        **{
            f"switchcost/report/{m}": ("switchcost/test_chapter_parts", "switchcost/test_chapter")
            for m in (
                "plan",
                "analyse",
                "analyse_sample",
                "analyse_measurement",
                "analyse_structure",
                "analyse_pls",
                "analysis",
            )
        },
        "switchcost/report/notebook": ("switchcost/test_study",),
        "switchcost/report/study": ("switchcost/test_study",),
        "switchcost/report/numbers": ("notebooks/test_teach_tables", "switchcost/test_chapter_words"),
        "switchcost/report/tables": ("notebooks/test_teach_tables", "switchcost/test_chapter_parts"),
        "switchcost/report/word": ("switchcost/test_chapter_parts", "notebooks/test_teach_tables"),
    },
}
HEAVY = ("numpy", "pandas", "scipy.stats", "scipy.optimize", "statsmodels.api", "pingouin", "factor_analyzer", "pytest")


class Lines:
    """Pytest plugin: which lines of one module each test runs, and how long it takes."""

    def __init__(self, module: Path):
        self.name, self.found, self.seconds = str(module), {}, {}

    def pytest_runtest_setup(self, item) -> None:
        self.here = self.found.setdefault(item.nodeid, set())
        self.start = time.perf_counter()
        sys.settrace(self._enter)

    def pytest_runtest_teardown(self, item) -> None:
        sys.settrace(None)
        self.seconds[item.nodeid] = time.perf_counter() - self.start

    def _enter(self, frame, event, argument):
        return self._line if frame.f_code.co_filename == self.name else None

    def _line(self, frame, event, argument):
        self.here.add(frame.f_lineno)
        return self._line


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
            out.write_text(json.dumps([{k: sorted(v) for k, v in lines.found.items()}, lines.seconds]))
            return code

        if _in_child(src, work, 3600) != 0:
            sys.exit(f"the tests of {module.name} fail without any change: {' '.join(tests)}")
        found, seconds = json.loads(out.read_text())
        by_line: dict[int, list[str]] = {}
        for test in sorted(found, key=lambda t: seconds.get(t, 0.0)):
            for line in found[test]:
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
    given = parser.parse_args()
    plan = given.what[0] if given.what[0] in PLANS else ""
    tests_of = planned(plan) if plan else {Path(m).resolve(): given.tests for m in given.what}
    every = [(module, number) for module in tests_of for number in range(count(module))]
    picked = random.Random(given.seed).sample(every, min(given.sample, len(every)))
    first, _, last = (given.part or ":").partition(":")
    chosen = [mutant(*one) for one in picked[int(first or 0) : int(last or len(picked))]]
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
        for m in chosen:
            start = time.monotonic()
            if m.module not in guards:
                guards[m.module] = Guard.of(m.module, tests_of[m.module], src)
            alive = guards[m.module].survives(m, src, given.seconds)
            survivors += [m] if alive else []
            found = "survived" if alive else "killed"
            name = str(m.module.relative_to(ROOT / "src"))
            write.writerow([name, m.lines[0], m.kind, m.before, m.after, found])
            out.flush()
            print(
                f"{found:8} {time.monotonic() - start:5.1f} s {name}:{m.lines[0]} {m.kind}: {m.before}  ->  {m.after}"
            )
    killed = len(chosen) - len(survivors)
    print(f"\n{killed} of {len(chosen)} mutants killed, of {len(every)} possible; seed {given.seed}")
    for m in survivors:
        print(f"  {m.module.name}:{m.lines[0]} {m.kind}: {m.before}  ->  {m.after}")


if __name__ == "__main__":
    main()
