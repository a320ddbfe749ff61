"""Mutation run: does any test notice when a line of a module is changed?

    python benchmarks/mutation.py verdicts --sample 200            all of a plan, results to mutation_verdicts.csv
    python benchmarks/mutation.py verdicts --part 0:50             a piece of the same sample, rows added to the table
    python benchmarks/mutation.py src/switchcost/measurement/validity.py --tests tests/switchcost/test_validity.py

Each mutant changes one place of a module's syntax tree: a comparison is flipped, a number changed, an operator swapped,
a boolean negated, or a statement deleted. A seeded sample of all of them is written, one at a time, over a copy of the
source tree; the named tests run on the copy and stop at their first failure. What survives is printed. Docstrings,
annotations, imports and the wording of error messages are not mutated. Minutes, not hours: this is not part of the
tests; what survived and why is kept in mutation.md.
"""

from __future__ import annotations

import argparse
import ast
import copy
import csv
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
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
    line: int
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
    return Mutant(module, target.lineno, kind, before, after, source)  # type: ignore[attr-defined]


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
}
HEAVY = ("numpy", "pandas", "scipy.stats", "scipy.optimize", "statsmodels.api", "pingouin", "factor_analyzer", "pytest")


def _run(src: str, tests: list[str]) -> None:
    """In a process of its own: the tests on the copy ``src``; the exit code is pytest's."""
    import pytest

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1), os.dup2(quiet, 2)
    os.chdir(ROOT)
    sys.path.insert(0, src)
    os.environ["PYTHONPATH"] = src
    os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests])))


def survives(mutant: Mutant, src: Path, tests: list[str], seconds: float) -> bool:
    """Write the mutant into the copy ``src``, run the tests on it, put the original back."""
    place = src / mutant.module.resolve().relative_to(ROOT / "src")
    original = place.read_text(encoding="utf-8")
    place.write_text(mutant.source, encoding="utf-8")
    run = multiprocessing.get_context("fork").Process(target=_run, args=(str(src), tests))
    try:
        run.start()
        run.join(seconds)
        if run.is_alive():  # a loop that never ends is noticed
            run.kill()
            run.join()
        return run.exitcode == 0
    finally:
        place.write_text(original, encoding="utf-8")


def planned(plan: str) -> dict[Path, list[str]]:
    """Tests of every module of a plan."""
    out = {}
    for name, tests in PLANS[plan].items():
        doctest = f"tests/test_examples.py::test_examples[{name.replace('/', '.')}]"
        out[ROOT / "src" / f"{name}.py"] = [doctest, *(f"tests/{t}.py" for t in tests)]
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
        for module in dict.fromkeys(m.module for m in chosen):
            same = Mutant(module, 0, "none", "", "", module.read_text(encoding="utf-8"))
            if not survives(same, src, tests_of[module], given.seconds):
                sys.exit(f"the tests of {module.name} fail without any change: {' '.join(tests_of[module])}")
        for m in chosen:
            start = time.monotonic()
            alive = survives(m, src, tests_of[m.module], given.seconds)
            survivors += [m] if alive else []
            found = "survived" if alive else "killed"
            name = str(m.module.relative_to(ROOT / "src"))
            write.writerow([name, m.line, m.kind, m.before, m.after, found])
            out.flush()
            print(f"{found:8} {time.monotonic() - start:5.1f} s {name}:{m.line} {m.kind}: {m.before}  ->  {m.after}")
    killed = len(chosen) - len(survivors)
    print(f"\n{killed} of {len(chosen)} mutants killed, of {len(every)} possible; seed {given.seed}")
    for m in survivors:
        print(f"  {m.module.name}:{m.line} {m.kind}: {m.before}  ->  {m.after}")


if __name__ == "__main__":
    main()
