"""What a fit of ordered items can be asked: modification indices and residual correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..modification import COLUMNS, candidates, cell, standard_units
from ..partable import Row
from .solution import OrdinalSolution

APART = 1e-9  # share of a candidate's information beyond that of the free parameters below which it is rounding error
FITTED = 1e-7


def ordinal_modification_indices(fit: OrdinalSolution, minimum: float = 0.0) -> pd.DataFrame:
    """Table of :meth:`semfit.Fit.modification_indices`: score tests with the weights of DWLS.

    mi = N g^2 / V with g the gradient of F by the candidate and V its information beyond that of the free parameters,
    both from the derivatives of the statistics (``lavaan::modindices`` of a WLSMV fit). Like there, the index is not
    adjusted for the weights: it ranks candidates, and its p-value is only rough.
    """
    fit.need_convergence("modification indices")
    model = fit.model
    found = [r for r in candidates(model) if not _follows(fit, r)]
    columns = COLUMNS if model.n_groups > 1 else [c for c in COLUMNS if c != "group"]
    if not found:
        return pd.DataFrame(columns=columns)
    mi, epc = _score_tests(fit, found)
    out = pd.DataFrame([(r.lhs, r.op, r.rhs, r.group + 1) for r in found], columns=COLUMNS[:4])
    out["mi"], out["epc"], out["sepc_all"] = mi, epc, epc * standard_units(fit, found)
    out = out[out["mi"].notna() & (out["mi"] >= minimum)][columns]
    return out.sort_values("mi", ascending=False, kind="stable", ignore_index=True)


def _follows(fit: OrdinalSolution, r: Row) -> bool:
    """Residual variances of ordered variables follow from the rest in the delta parameterisation."""
    y = fit.ordinal
    names = {fit.model.ov[y.y[v]] for v in y.ordered}
    return y.delta and r.op == "~~" and r.lhs == r.rhs and r.lhs in names


def _score_tests(fit: OrdinalSolution, found: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    model = fit.model
    known = {cell(r): r.known for r in model.rows if r.op not in ("|", "~*~")}
    values = np.array([np.nan_to_num(known.get(cell(r), 0.0)) for r in found])
    gradient, information = fit.derivatives(model.extended(found), np.concatenate([fit.theta, values]))
    q = model.npar
    score, own, cross = gradient[q:], np.diag(information)[q:], information[q:, :q]
    left = own - np.einsum("ij,jk,ik->i", cross, fit.expected_bread, cross, optimize=True)
    with np.errstate(all="ignore"):
        left = np.where(left > APART * own, left, np.nan)
        return fit.n_total * score**2 / left, -score / left


def ordinal_residuals(fit: OrdinalSolution) -> pd.DataFrame:
    """Table of :meth:`semfit.Fit.residuals`: correlations, and thresholds, observed less implied.

    z is the residual over its standard error, from R Gamma R' / n with R = I - f J E^-1 J'W (all groups). Equals
    ``lavResiduals(fit)`` of lavaan: ``cov``, ``cov.z``. Residuals of continuous variables are divided by their
    standard deviations.
    """
    fit.need_convergence("standardised residuals")
    rows: list[tuple] = []
    names = [fit.model.ov[v] for v in fit.ordinal.y]
    lay, (_, _, pairs, _) = fit.ordinal.layout, fit.ordinal.layout.starts
    for k, (sample, at, variance) in enumerate(zip(fit.samples, fit.points, _variances(fit), strict=True)):
        observed, implied = sample.vector, at.statistics[0]
        sd = np.sqrt(sample.variances)
        unit = np.concatenate([sd[lay.variable], np.ones(pairs - len(lay.variable)), sd[lay.first] * sd[lay.second]])
        with np.errstate(all="ignore"):
            z = np.where(variance > 1e-12, (observed - implied) / np.sqrt(variance), np.nan)
        z = np.where(np.abs(observed - implied) / unit < FITTED, 0.0, z)
        for n, (i, j) in enumerate(zip(lay.first, lay.second, strict=True), pairs):
            o, m = observed[n] / unit[n], implied[n] / unit[n]
            rows.append((names[j], "~~", names[i], k + 1, o, m, o - m, z[n]))
        for n, (v, c) in enumerate(zip(lay.variable, lay.category, strict=True)):
            key = (names[v], "|", f"t{c + 1}") if c >= 0 else (names[v], "~1", "")
            o, m = observed[n] / unit[n], implied[n] / unit[n]
            rows.append((*key, k + 1, o, m, o - m, z[n]))
    out = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "group", "observed", "implied", "residual", "z"])
    if fit.model.n_groups == 1:
        out = out.drop(columns="group")
    return out.sort_values("z", key=np.abs, ascending=False, kind="stable", ignore_index=True, na_position="last")


def _variances(fit: OrdinalSolution) -> list[np.ndarray]:
    """Sampling variances of the residuals by group, from those of the statistics of all groups."""
    parts = list(zip(fit.shares, fit.jacobians, fit.weights, fit.samples, strict=True))
    bread, N = fit.expected_bread, fit.n_total
    out = []
    for n, (f, J, w, s) in zip(fit.data.n, parts, strict=True):
        JE = J @ bread
        WJ = w[:, None] * J
        own = np.diag(s.gamma) / n
        mixed = f / n * np.einsum("ij,ij->i", s.gamma @ WJ, JE)
        out.append(own - 2 * mixed + np.einsum("ij,jk,ik->i", JE, fit.meat, JE, optimize=True) / N)
    return out
