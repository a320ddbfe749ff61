"""Score tests of equality constraints: what releasing one would gain, without refitting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .arguments import FITTED, checked, one_of
from .constraints import Equation, equations
from .measures import chi2_p
from .printing import Result
from .solution import Fitted, Solution, invert_information
from .syntax import Constraint
from .threads import one_thread

COLUMNS = ["lhs", "op", "rhs", "group", "released", "chisq", "df", "pvalue", "epc"]
LEFT = 1e-9  # share of its information that a parameter must keep beside the others to be tested
DEPENDENT = 1e-9  # a constraint that the others imply cannot be released


@dataclass(frozen=True, eq=False, repr=False)
class ScoreTests(Result):
    """Score tests of equality constraints; made by :func:`score_tests`.

    Attributes
    ----------
    table : DataFrame
        lhs, op, rhs, group, released, chisq, df, pvalue, epc; largest chisq first.
    n_obs : int
        Rows of the fit.
    """

    table: pd.DataFrame
    n_obs: int

    def _heading(self) -> str:
        if self.table.empty:
            return f"Score tests of equalities, n = {self.n_obs}: the model holds no parameters equal"
        return f"Score tests of equalities, n = {self.n_obs}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [] if self.table.empty else [("", self.table)]


@checked(fitted=FITTED, op=one_of("=~", "~", "~~", "~1"))
def score_tests(fitted: Fitted, op: str | None = None) -> ScoreTests:
    """What releasing each equality would gain, without refitting.

    Parameters
    ----------
    fitted : Fit
        A fit with equal parameters: across groups, by a label shared within a group, or by ``==``.
    op : str, optional
        Only parameters with this operator (``"~~"`` then means variances), and no ``==``.

    Returns
    -------
    ScoreTests
        ``.table`` has one row an equality. Across groups: ``chisq`` tests equality of the parameter in all groups at
        once (df = groups - 1), ``group`` is the label of the one whose own release gains most and ``epc`` its
        expected change. Within a group: one row a further parameter with the label, ``released`` names the two,
        ``epc`` is the expected change of the difference. ``==``: one row a constraint (op ``==``), epc as there. What
        the other constraints imply cannot be released and is absent.

    Raises
    ------
    NotConvergedError

    Notes
    -----
    Lagrange multiplier test with expected information, N g'V^-1 g with V = I_cc - I_ca I_aa^-1 I_ac (Buse 1982).
    Rows with df = 1 equal the univariate tests of ``lavTestScore``.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=300)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
    >>> fit = semfit.fit("f =~ x1 + a*x2 + a*x3 + a*x4", data)
    >>> sorted(semfit.score_tests(fit).table["released"])
    ['f =~ x2 == f =~ x3', 'f =~ x2 == f =~ x4']
    """
    solution = fitted.solution
    solution.need_convergence("score tests")
    with one_thread():
        loose = _Loose(solution)
        rows = _across_groups(solution, loose, op) + _one_by_one(solution, loose, op)
    table = pd.DataFrame(rows, columns=COLUMNS)
    return ScoreTests(table.sort_values("chisq", ascending=False, ignore_index=True), solution.n_total)


class _Loose:
    """Gradient of F about the free rows without their constraints, and the information left by what stays."""

    def __init__(self, solution: Solution):
        model = solution.model
        theta = model.free_values(solution.theta)
        grad, info = solution.derivatives(model.freed(), theta)
        kept = info @ model.K
        self.n, self.grad, self.info = solution.n_total, grad, info
        self.left = info - kept @ invert_information(model.K.T @ kept) @ kept.T

    def single(self, direction: np.ndarray) -> tuple[float, float]:
        """Chi-square and expected change along one direction (n_free,)."""
        g, v = float(direction @ self.grad), float(direction @ self.left @ direction)
        known = v > LEFT * float(direction @ self.info @ direction)
        return (self.n * g**2 / v, -g / v) if known else (np.nan, np.nan)

    def several(self, c: np.ndarray) -> float:
        """Chi-square of releasing the free rows ``c`` together, NaN where the model would no longer be identified."""
        size = np.sqrt(np.diag(self.info)[c])
        V, g = self.left[np.ix_(c, c)] / np.outer(size, size), self.grad[c] / size
        return self.n * float(g @ np.linalg.solve(V, g)) if np.linalg.eigvalsh(V)[0] > LEFT else np.nan


def _asked(row, op: str | None) -> bool:
    return op is None or (row.op == op and (op != "~~" or row.lhs == row.rhs))


def _across_groups(solution: Solution, loose: _Loose, op: str | None) -> list[tuple]:
    shared: dict[tuple, list] = {}
    for r in solution.model.free_rows:
        if r.label and _asked(r, op):
            shared.setdefault((r.lhs, r.op, r.rhs, r.label), []).append(r)
    rows = []
    for (lhs, o, rhs, _), members in shared.items():
        if len({r.group for r in members}) < 2:
            continue
        c = np.array([r.free for r in members])
        d = np.diag(loose.left)[c]
        with np.errstate(all="ignore"):
            single, change = loose.n * loose.grad[c] ** 2 / d, -loose.grad[c] / d
        rest = c[1:]
        chisq = loose.several(rest)
        if np.isnan(chisq):  # nothing else ties this parameter down: it cannot be released
            continue
        most = 1 if len(c) == 2 else int(np.nanargmax(single))  # of two groups both tests are the same
        group = solution.groups[members[most].group]
        df = float(len(rest))
        rows.append((lhs, o, rhs, group, "across groups", chisq, df, chi2_p(chisq, len(rest)), change[most]))
    return rows


def _one_by_one(solution: Solution, loose: _Loose, op: str | None) -> list[tuple]:
    """Labels shared within a group, and ``==``: each constraint on its own, the others kept."""
    model = solution.model
    found, _ = equations(model.rows, model.constraints, model.defined)
    R = np.zeros((len(found), model.n_free))
    for k, equation in enumerate(found):
        for place, value in equation.coefficients.items():
            R[k, place] += value
    if model.curve is not None:
        held = model.curve.equations
        more = held.jacobian(model.free_values(solution.theta)[None])[0]
        R = np.concatenate([R, more])
        found += [Equation({}, 0.0, text, c) for text, c in zip(held.texts, held.constraints, strict=True)]
    names = [
        _label(solution, list(e.coefficients), op) if e.constraint is None else None if op else _written(e.constraint)
        for e in found
    ]
    if not any(names):
        return []
    back = np.linalg.pinv(R)  # column j moves constraint j alone
    hat = R @ back
    rows = []
    for k, named in enumerate(names):
        if named is None or np.abs(hat[k] - np.eye(len(found))[k]).max() > DEPENDENT:
            continue
        chisq, change = loose.single(back[:, k])
        if np.isfinite(chisq):
            rows.append((*named, chisq, 1.0, chi2_p(chisq, 1), change))
    return rows


def _written(c: Constraint) -> tuple:
    return c.left.text, "==", c.right.text, "", f"{c.left.text} == {c.right.text}"


def _label(solution: Solution, places: list[int], op: str | None) -> tuple | None:
    """Names of an equality by label, unless it is one across groups of the same parameter."""
    pair = [solution.model.free_rows[p] for p in places]
    last = pair[-1]
    same = len({(r.lhs, r.op, r.rhs) for r in pair}) == 1
    if len(pair) < 2 or (same and len({r.group for r in pair}) > 1) or not _asked(last, op):
        return None
    group = solution.groups[last.group] if solution.groups else ""
    return last.lhs, last.op, last.rhs, group, " == ".join(r.name for r in pair)
