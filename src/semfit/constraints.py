"""Equality constraints: shared labels and linear ``==`` become ``free = K theta + c``; others become a curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .checks import suggest
from .curve import Equations
from .errors import DataError
from .expression import Form
from .partable import Row
from .syntax import Constraint, Definition, Parsed
from .tokens import fail


class Equation(NamedTuple):
    """sum of coefficient times free parameter = value; ``text`` names it in a message, a label has no constraint."""

    coefficients: dict[int, float]
    value: float
    text: str
    constraint: Constraint | None = None


def reduction(equal: Sequence[Equation], rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """K (n_free, npar) and c (n_free,) with free = K theta + c."""
    return _eliminate(equal, sum(r.free >= 0 for r in rows))


def equations(
    rows: Sequence[Row], constraints: Sequence[Constraint], defined: Sequence[Definition]
) -> tuple[list[Equation], Equations | None]:
    """One equation a further parameter with the same label, then one a linear ``==``; and what is not linear."""
    by_label: dict[str, list[Row]] = {}
    for r in rows:
        if r.label:
            by_label.setdefault(r.label, []).append(r)
    forms = {label: _form(same[0]) for label, same in by_label.items()}
    out = [
        _difference(forms[label], _form(other), f"label {label!r}")
        for label, same in by_label.items()
        for other in same[1:]
        if forms[label][0] or _form(other)[0]
    ]
    known: dict[str, Form | None] = dict(forms)
    _define(known, by_label, defined)
    curved = []
    for c in constraints:
        equation = _constraint(c, known)
        if equation is None:
            curved.append(c)
        else:
            out.append(equation)
    if not curved:
        return out, None
    free = {label: same[0].free for label, same in by_label.items() if same[0].free >= 0}
    fixed = {label: same[0].known for label, same in by_label.items() if same[0].free < 0}
    return out, Equations(tuple(curved), tuple(defined), free, fixed)


def first_curved(parsed: Parsed) -> Constraint | None:
    """The first ``==`` that is not linear in the labels of the text, or None."""
    labels = dict.fromkeys(name for t in parsed.terms for name in t.label or [] if name)
    known: dict[str, Form | None] = {name: ({k: 1.0}, 0.0) for k, name in enumerate(labels)}
    _define(known, labels, parsed.defined)
    return next((c for c in parsed.constraints if _constraint(c, known) is None), None)


def _form(r: Row) -> Form:
    if r.free >= 0:
        return {r.free: 1.0}, 0.0
    return {}, float(np.nan if r.fixed is None else r.fixed)


def _difference(a: Form, b: Form, text: str) -> Equation:
    coefficients = {k: a[0].get(k, 0.0) - b[0].get(k, 0.0) for k in {**a[0], **b[0]}}
    return Equation(coefficients, b[1] - a[1], text)


def _define(forms: dict, by_label: Mapping, defined: Sequence[Definition]) -> None:
    """Add the linear forms of defined parameters, None where one is not linear; they may use one another."""
    names = {d.name for d in defined}
    for d in defined:
        for label, t in d.expression.labels.items():
            if label not in by_label and label not in names:
                fail(t, f"label {label!r} is not in the model.{suggest(label, by_label)}")
        if d.name in by_label:
            fail(d.token, f"{d.name!r} is already the label of a parameter; choose another name for the defined one")
    for _ in defined:
        for d in defined:
            if d.name not in forms and set(d.expression.labels) <= set(forms):
                forms[d.name] = d.expression.linear(forms)
    for d in defined:
        if d.name not in forms:
            fail(d.token, f"{d.name!r} is defined in terms of itself")


def _constraint(c: Constraint, forms: dict) -> Equation | None:
    """The constraint as an equation, None where it is not linear in the parameters."""
    for label, t in {**c.left.labels, **c.right.labels}.items():
        if label not in forms:
            fail(t, f"label {label!r} in the constraint is not in the model.{suggest(label, forms)}")
    a, b = c.left.linear(forms), c.right.linear(forms)
    if a is None or b is None:
        return None
    text = f"{c.left.text} == {c.right.text}"
    out = _difference(a, b, f"the constraint {text}")._replace(constraint=c)
    if not out.coefficients and abs(out.value) > 1e-12:
        fail(c.token, f"the constraint {text} can never hold")
    return out


def _eliminate(equations: Sequence[Equation], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian elimination; the last parameter of each equation is expressed by the others."""
    K, c, gone = np.eye(n), np.zeros(n), []
    for coefficients, value, text, _ in equations:
        at, weight = np.array(list(coefficients), int), np.array(list(coefficients.values()), float)
        row, rhs = weight @ K[at], float(value) - weight @ c[at]
        row[np.abs(row) < 1e-12] = 0.0
        if not row.any():
            if abs(rhs) > 1e-9:
                raise DataError(f"{text} contradicts other constraints or fixed values")
            continue
        pivot = int(np.flatnonzero(row)[-1])
        q, r = -row / row[pivot], rhs / row[pivot]
        q[pivot] = 0.0
        touched = np.flatnonzero(K[:, pivot])
        by = K[touched, pivot]
        K[touched, pivot] = 0.0
        K[touched] += np.outer(by, q)
        c[touched] += by * r
        gone.append(pivot)
    return np.delete(K, gone, axis=1), c
