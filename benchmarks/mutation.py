"""Mutation run: does any test notice when a line of a module is changed?

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
import os
import random
import shutil
import subprocess
import sys
import tempfile
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


def mutants(module: Path) -> list[Mutant]:
    """Every mutant of a module."""
    text = module.read_text(encoding="utf-8")
    found = []
    for n in range(len(list(_places(ast.parse(text))))):
        tree = ast.parse(text)
        target, kind = list(_places(tree))[n]
        before = ast.unparse(target).splitlines()[0]

        class Put(ast.NodeTransformer):
            def visit(self, node, target=target, kind=kind):
                if node is target:
                    return _change(node, kind)
                return self.generic_visit(node)

        after = ast.unparse(_change(copy.deepcopy(target), kind)).splitlines()[0]
        source = ast.unparse(ast.fix_missing_locations(Put().visit(tree)))
        found.append(Mutant(module, target.lineno, kind, before, after, source))  # type: ignore[attr-defined]
    return found


def survives(mutant: Mutant, src: Path, tests: list[str], seconds: float) -> bool:
    """Write the mutant into the copy ``src``, run the tests on it, put the original back."""
    place = src / mutant.module.resolve().relative_to(ROOT / "src")
    original = place.read_text(encoding="utf-8")
    place.write_text(mutant.source, encoding="utf-8")
    env = os.environ | {"PYTHONPATH": str(src), "MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "1"}
    env |= {"PYTHONDONTWRITEBYTECODE": "1"}  # two mutants within a second have one time stamp
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    try:
        run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=seconds)
        return run.returncode == 0
    except subprocess.TimeoutExpired:
        return False  # a loop that never ends is noticed
    finally:
        place.write_text(original, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("modules", nargs="+", type=Path)
    parser.add_argument("--tests", nargs="+", required=True)
    parser.add_argument("--sample", type=int, default=50, help="mutants to try, of all modules together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=300, help="a run that takes longer counts as noticed")
    given = parser.parse_args()
    every = [m for module in given.modules for m in mutants(module)]
    chosen = random.Random(given.seed).sample(every, min(given.sample, len(every)))
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        src = Path(folder) / "src"
        shutil.copytree(ROOT / "src", src, ignore=shutil.ignore_patterns("__pycache__"))
        (Path(folder) / "data").symlink_to(ROOT / "data")
        for m in chosen:
            alive = survives(m, src, given.tests, given.seconds)
            survivors += [m] if alive else []
            print(
                f"{'SURVIVED' if alive else 'killed  '} {m.module.name}:{m.line} {m.kind}: {m.before}  ->  {m.after}",
                flush=True,
            )
    killed = len(chosen) - len(survivors)
    print(
        f"\n{killed} of {len(chosen)} mutants killed ({killed / len(chosen):.0%}), of {len(every)} possible; seed {given.seed}"
    )
    for m in survivors:
        print(f"  {m.module.name}:{m.line} {m.kind}: {m.before}  ->  {m.after}")


if __name__ == "__main__":
    main()
