"""What is improper in a solution, named; nothing is repaired."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from .derivatives import eigenvalues_above
from .errors import FitWarning, ImproperSolution, NotConverged, SingularInformation, UndefinedValue
from .model import Kind
from .solution import Solution, row_name
from .standardized import row_values, with_defined

FLAT = 1e-8  # smallest eigenvalue of an information matrix (correlation form) that still determines its parameters
BEYOND = 1e-8  # rounding allowed in correlations of 1 and in eigenvalues of 0


def trouble(solution: Solution) -> list[FitWarning]:
    """Warnings about a solution: convergence, information, variances, correlations, values that do not exist."""
    if not solution.converged:
        return [NotConverged("the fit did not converge: estimates must not be interpreted and measures are NaN")]
    values = row_values(solution, solution.theta[None])[0]
    out = _information(solution)
    for k in range(solution.model.n_groups):
        out += _variances(solution, k, values) + _latents(solution, k) + _residuals(solution, k, values)
    return out + _undefined(solution)


def _where(solution: Solution, k: int) -> tuple[str, str]:
    group = solution.groups[k] if solution.model.n_groups > 1 else ""
    return group, f" in group {group}" if group else ""


def _information(solution: Solution) -> list[FitWarning]:
    model = solution.model
    if not model.npar:
        return []
    d = np.sqrt(np.maximum(np.diag(solution.information), 1e-300))
    scaled = solution.information / np.outer(d, d)
    if eigenvalues_above(scaled, FLAT):
        return []
    vectors = np.linalg.eigh(scaled)[1]
    weight = np.abs(model.K) @ np.abs(vectors[:, 0])
    names = tuple(row_name(model.free_rows[i]) for i in np.argsort(-weight)[:3])
    return [
        SingularInformation(
            f"the information matrix is singular at the solution: these data hardly determine {', '.join(names)}; "
            "their standard errors mean nothing",
            names,
        )
    ]


def _variances(solution: Solution, k: int, values: np.ndarray) -> list[FitWarning]:
    model = solution.model
    out: list[FitWarning] = []
    group, where = _where(solution, k)
    for n in model.groups[k].rows:
        r, value = model.rows[n], float(values[n])
        if r.op == "~~" and r.lhs == r.rhs and value < 0:
            what = "latent" if r.lhs in model.lv else "residual"
            text = f"negative {what} variance{where}: {r.lhs} ({value:.4g}), a Heywood case"
            out.append(ImproperSolution(text, "negative variance", (r.lhs,), value, group))
    return out


def _latents(solution: Solution, k: int) -> list[FitWarning]:
    model, p = solution.model, solution.model.n_ov
    out: list[FitWarning] = []
    group, where = _where(solution, k)
    L = solution.implied(k)[0][p:, p:]
    sd = np.sqrt(np.maximum(np.diag(L), 0.0))
    for a, b in combinations(range(len(L)), 2):
        if sd[a] * sd[b] > 0 and abs(L[a, b]) > sd[a] * sd[b] * (1 + BEYOND):
            pair, r = (model.lv[a], model.lv[b]), float(L[a, b] / (sd[a] * sd[b]))
            text = f"latent correlation beyond 1{where}: {pair[0]} with {pair[1]} ({r:.3f})"
            out.append(ImproperSolution(text, "latent correlation", pair, r, group))
    if not _positive(L, allow_singular=True):
        text = f"the covariance matrix of the latents is not positive definite{where}"
        out.append(ImproperSolution(text, "latents", tuple(model.lv), group=group))
    return out


def _residuals(solution: Solution, k: int, values: np.ndarray) -> list[FitWarning]:
    model, g, p = solution.model, solution.model.groups[k], solution.model.n_ov
    group, where = _where(solution, k)
    e = values[g.rows]
    S = np.zeros((len(model.names), len(model.names)))
    both = g.kind == Kind.COVARIANCE
    S[g.i[both], g.j[both]] = S[g.j[both], g.i[both]] = e[both]
    off = S - np.diag(np.diag(S))
    out: list[FitWarning] = []
    for a in np.flatnonzero((np.diag(S) == 0) & off.any(axis=1)):
        others = tuple(model.names[b] for b in np.flatnonzero(off[a]))
        text = (
            f"the residual variance of {model.names[a]} is zero{where}, so it cannot covary with {', '.join(others)}: "
            "their residual correlation does not exist. Free the variance or fix the covariance at 0"
        )
        out.append(ImproperSolution(text, "residuals", (model.names[a], *others), group=group))
    T = S[:p, :p]
    if not out and (np.diag(T) >= 0).all() and not _positive(T, allow_singular=True):
        text = f"the covariance matrix of the residuals is not positive definite{where}"
        out.append(ImproperSolution(text, "residuals", tuple(model.ov), group=group))
    return out


def _positive(S: np.ndarray, allow_singular: bool) -> bool:
    """Positive semidefinite where variables vary; what does not vary may not covary."""
    sd = np.sqrt(np.clip(np.diag(S), 0, None))
    ok = sd > 0
    if (np.abs(S[~ok]) > 0).any():
        return False
    if not ok.any():
        return True
    smallest = np.linalg.eigvalsh(S[np.ix_(ok, ok)] / np.outer(sd[ok], sd[ok]))[0]
    return bool(smallest >= -BEYOND) if allow_singular else bool(smallest > BEYOND)


def _undefined(solution: Solution) -> list[FitWarning]:
    model = solution.model
    out: list[FitWarning] = []
    names = [row_name(r) for r in model.rows] + [name for name, _, _ in model.defined]
    with np.errstate(all="ignore"):
        values = {kind: with_defined(solution, solution.theta[None], kind)[0] for kind in ("est", "std_all")}
    for column, value in values.items():
        gone = ~np.isfinite(value) & (np.isfinite(values["est"]) if column == "std_all" else True)
        if gone.any():
            lost = tuple(n for n, g in zip(names, gone, strict=True) if g)
            why = (
                "they take a logarithm, a root or a quotient where there is none"
                if column == "est"
                else "a variance they are divided by is zero or negative"
            )
            text = f"{column} of {', '.join(lost)} does not exist and is NaN: {why}"
            out.append(UndefinedValue(text, column, lost))
    return out
