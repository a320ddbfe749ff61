"""Modification indices against the score test of the one parameter and against refits, on random models.

    python benchmarks/modification_indices.py [models]      writes modification_indices.csv

Every model is drawn: first or second order, paths on facets, covariates, groups, missing values, robust errors, fixed
and labelled parameters. For every printed index the score test is computed again from a plain implementation that shares
nothing with the package but the parameter table: matrices written cell by cell, derivatives of the implied moments by
the complex step. The ten largest are also refitted; to first order the index is the chi-square difference.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

import semfit

STEP = 1e-30
KINDS = ("first order", "second order", "path on a facet", "facet on a covariate", "covariates", "labels")


@dataclass(frozen=True)
class Case:
    """A random model with its data and the options of its fit."""

    kind: str
    model: str
    data: pd.DataFrame
    options: dict


def draw(seed: int) -> Case:
    """The random model number ``seed``."""
    rng = np.random.default_rng(seed)
    kind, n = KINDS[seed % len(KINDS)], int(rng.integers(250, 500))
    facets = ["A", "B", "C"]
    h, x = rng.normal(size=n), rng.normal(size=n)
    columns: dict[str, np.ndarray] = {"x": x, "w": 0.3 * x + rng.normal(size=n)}
    lines = []
    latent = {}
    for f in facets:
        latent[f] = rng.uniform(0.6, 1.1) * h + 0.3 * x + 0.7 * rng.normal(size=n)
        items = [f"{f.lower()}{k}" for k in range(1, int(rng.integers(3, 5)) + 1)]
        for i in items:
            columns[i] = rng.uniform(0.6, 1.2) * latent[f] + rng.normal(size=n)
        lines.append(f"{f} =~ {' + '.join(items)}")
    columns["a2"] = columns["a2"] + 0.35 * columns["b2"]  # something to find
    columns["y"] = 0.4 * h + 0.4 * latent["A"] + 0.2 * x + rng.normal(size=n)
    if kind == "first order":
        lines += ["B ~ A", "C ~ B"] if rng.random() < 0.5 else ["A ~~ 0*C"]
    elif kind == "labels":
        lines[0] = lines[0].replace("a2", "l*a2").replace("a3", "l*a3")
        lines += ["y ~ p*A + 0.2*B"]
    elif kind == "covariates":
        lines += ["A ~ x + w + B + C", "y ~ A + x"]
    else:
        lines += ["h =~ A + B + C", "y ~ h + A" if kind == "path on a facet" else "y ~ h"]
        if kind == "facet on a covariate":
            lines += ["A ~ x"]
    data, options = pd.DataFrame(columns), {}
    if rng.random() < 0.35:
        data["g"] = np.where(rng.random(n) < 0.5, "one", "two")
        options = {"group": "g", "group_equal": ("loadings",) if rng.random() < 0.6 else ()}
    draw_of = rng.random()
    if draw_of < 0.3:
        options["estimator"] = "MLR"
    if rng.random() < 0.3:
        for c in ("a1", "b2", "c3"):
            data.loc[rng.random(n) < 0.15, c] = np.nan
        options["missing"] = "fiml"
    if rng.random() < 0.3:
        options["fixed_x"] = False
    if rng.random() < 0.3:
        options["meanstructure"] = True
    return Case(kind, "\n".join(lines), data, options)


# -- the plain way ---------------------------------------------------------------------------------------------------
class Plain:
    """Implied moments of a fitted model with one further parameter, written cell by cell; user units."""

    def __init__(self, fit: semfit.Fit):
        self.fit, self.model, self.data = fit, fit.solution.model, fit.solution.data
        self.names = self.model.names
        self.place = {n: k for k, n in enumerate(self.names)}
        self.values = fit.estimates["est"].to_numpy()

    def moments(self, rows: np.ndarray, group: int, extra=None, change: complex = 0.0):
        """Sigma and mu of one group at row values ``rows``, with ``change`` added to the cell of ``extra``."""
        v, p = len(self.names), self.model.n_ov
        A, S, m = np.zeros((v, v), complex), np.zeros((v, v), complex), np.zeros(v, complex)
        for r, value in zip(self.model.rows, rows, strict=False):
            if r.group == group:
                self._put(A, S, m, (r.lhs, r.op, r.rhs), value, False)
        if extra is not None and extra[3] == group:
            self._put(A, S, m, extra[:3], change, True)
        B = np.linalg.inv(np.eye(v) - A)
        return (B @ S @ B.T)[:p, :p], (B @ m)[:p]

    def _put(self, A, S, m, key, value, add):
        lhs, op, rhs = key
        i = self.place[lhs]
        if op == "~1":
            m[i] = m[i] + value if add else value
            return
        j = self.place[rhs]
        if op == "~~":
            new = S[i, j] + value if add else value
            S[i, j] = S[j, i] = new
        else:
            to, source = (j, i) if op == "=~" else (i, j)
            A[to, source] = A[to, source] + value if add else value

    @cached_property
    def of_parameters(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """dSigma and dmu of every group along every parameter of the model."""
        model, out = self.model, []
        rows = self.values[: len(model.rows)].astype(complex)
        free = np.array([k for k, r in enumerate(model.rows) if r.free >= 0])
        for g in range(model.n_groups):
            stepped = [rows.copy() for _ in range(model.npar)]
            for q, each in enumerate(stepped):
                each[free] += 1j * STEP * model.K[:, q]
            found = [self.moments(each, g) for each in stepped]
            out.append(tuple(np.array([f[k].imag / STEP for f in found]) for k in (0, 1)))
        return out

    def derivatives(self, extra) -> list[tuple[np.ndarray, np.ndarray]]:
        """The same, and along ``extra`` last."""
        rows, out = self.values[: len(self.model.rows)].astype(complex), []
        for g, (dS, dm) in enumerate(self.of_parameters):
            Sigma, mu = self.moments(rows, g, extra, 1j * STEP)
            out.append((np.concatenate([dS, Sigma.imag[None] / STEP]), np.concatenate([dm, mu.imag[None] / STEP])))
        return out

    def score_test(self, extra) -> float:
        """mi of one candidate (lhs, op, rhs, group); NaN where it cannot be told from the parameters."""
        rows, N = self.values[: len(self.model.rows)].astype(complex), sum(self.data.n)
        info, grad = 0.0, 0.0
        for g, (dS, dm) in enumerate(self.derivatives(extra)):
            Sigma, mu = (a.real for a in self.moments(rows, g))
            for share, o, S, m in self._patterns(g):
                W = np.linalg.inv(Sigma[np.ix_(o, o)])
                d = m - mu[o] if self.model.means else np.zeros(len(o))
                e, f = dS[:, o][:, :, o], dm[:, o] if self.model.means else np.zeros((len(dm), len(o)))
                M = W @ (S + np.outer(d, d)) @ W - W
                grad = grad - share * (0.5 * np.einsum("kab,ab->k", e, M) + f @ (W @ d))
                WeW = W @ e @ W
                info = info + share * (0.5 * np.einsum("kab,lab->kl", WeW, e) + f @ W @ f.T)
        a, scale = slice(0, -1), np.sqrt(np.diag(info))
        scale[scale == 0] = 1.0
        info, grad = info / np.outer(scale, scale), grad / scale
        left = info[-1, -1] - info[-1, a] @ np.linalg.solve(info[a, a], info[a, -1])
        return (
            float(N * (grad[-1] - info[-1, a] @ np.linalg.solve(info[a, a], grad[a])) ** 2 / left)
            if left > 1e-7
            else np.nan
        )

    def _patterns(self, g: int):
        """(share of all rows, observed columns, covariance, mean) of each pattern of gaps of group g."""
        N = sum(self.data.n)
        if hasattr(self.data, "mask"):
            for mask, count, m, S in zip(*(getattr(self.data, k)[g] for k in ("mask", "count", "m", "S")), strict=True):
                o = np.flatnonzero(mask)
                yield count / N, o, S[np.ix_(o, o)], m[o]
        else:
            S = self.data.S[g][0]
            m = np.zeros(len(S)) if self.data.m is None else self.data.m[g][0]
            yield self.data.n[g] / N, np.arange(len(S)), S, m


def refitted(case: Case, fit: semfit.Fit, row) -> float:
    """Chi-square that the model gains when this one parameter is freed."""
    key = (row.lhs, row.op, row.rhs)
    labels = {r.group: r for r in fit.solution.model.rows if (r.lhs, r.op, r.rhs) == key}
    value: float | list[float] = np.nan
    if fit.groups:
        value = [
            np.nan if k + 1 == row.group else (labels[k].fixed if k in labels else 0.0) for k in range(len(fit.groups))
        ]
    spec = semfit.ModelSpec(case.model).fix(row.lhs, row.op, row.rhs, value=value)
    more = semfit.fit(spec, case.data, **case.options)
    return float(fit.measures["chisq"] - more.measures["chisq"]) if more.converged else np.nan


def check(case: Case, refits: int = 10) -> dict:
    """Largest relative error against the plain way, and of the largest indices against refits."""
    fit = semfit.fit(case.model, case.data, **case.options)
    table = fit.modification_indices()
    table["group"] = table.get("group", 1)
    plain = Plain(fit)
    want = np.array([plain.score_test((r.lhs, r.op, r.rhs, r.group - 1)) for r in table.itertuples()])
    error = np.abs(table["mi"] - want) / (1e-3 + np.abs(want))
    if not refits:
        return {"candidates": len(table), "untestable": int(np.isnan(want).sum()), "largest_error": float(error.max())}
    largest = table.head(refits)
    gains = []
    for r in largest.itertuples():
        try:
            gains.append(refitted(case, fit, r))
        except semfit.errors.SemError:
            gains.append(np.nan)
    off = np.abs(np.array(gains) - largest["mi"].to_numpy()) / np.maximum(largest["mi"].to_numpy(), 1.0)
    return {
        "kind": case.kind,
        "options": " ".join(f"{k}={v}" for k, v in case.options.items()),
        "candidates": len(table),
        "untestable": int(np.isnan(want).sum()),
        "largest_error": float(error.max()),
        "refitted": int(np.isfinite(off).sum()),
        "median_off_refit": float(np.nanmedian(off)) if np.isfinite(off).any() else np.nan,
    }


if __name__ == "__main__":
    rows = []
    for seed in range(int(sys.argv[1]) if len(sys.argv) > 1 else 300):
        try:
            rows.append({"seed": seed, **check(draw(seed))})
        except semfit.errors.SemError as problem:  # a drawn model that these data cannot carry
            rows.append({"seed": seed, "kind": draw(seed).kind, "options": str(problem)[:80]})
    found = pd.DataFrame(rows)
    found.to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.3g")
    print(found.describe().to_string())
    print(found[found["largest_error"] > 1e-4].to_string())
