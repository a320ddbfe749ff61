"""Functions of a fit that a bootstrap computes in every resample: ready ones on whole batches, the user's one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .errors import DataError
from .estimate import Moments, structure
from .htmt import htmt_values
from .model import Kind
from .solution import Solution
from .standardized import explained_variance, with_defined


def _measurement(fit: Solution, k: int, data, theta) -> tuple:
    """Loadings (B, p, q), latent variances (B, q), residual covariances (B, p, p), sd of items (B, p) of group k."""
    model, g, p = fit.model, fit.model.groups[k], fit.model.n_ov
    e = fit.at(data, theta).entries(k, theta)
    _, C, _ = structure(model, g, e)
    values, s = e / g.d, model.scale
    L, T = np.zeros((len(theta), p, len(model.lv))), np.zeros((len(theta), p, p))
    for n, (i, j) in enumerate(zip(g.i, g.j, strict=True)):
        if g.kind[n] == Kind.ARROW and i < p <= j:
            L[:, i, j - p] = values[:, n]
        elif g.kind[n] == Kind.COVARIANCE and i < p and j < p:
            T[:, i, j] = T[:, j, i] = values[:, n]
    variance = np.diagonal(C, axis1=1, axis2=2) * s**2
    return L, variance[:, p:], T, np.sqrt(variance[:, :p])


def _items(fit, k: int) -> dict[str, np.ndarray]:
    """Latent name to positions of its observed indicators."""
    model, g = fit.model, fit.model.groups[k]
    out = {}
    for n, name in enumerate(model.lv):
        mine = g.i[(g.kind == Kind.ARROW) & (g.j == model.n_ov + n) & (g.i < model.n_ov)]
        if len(mine):
            out[name] = mine
    return out


def _ave(fit, k, data, theta) -> dict:
    L, phi, _, sd = _measurement(fit, k, data, theta)
    return {
        f: ((L[:, items, fit.model.lv.index(f)] / sd[:, items]) ** 2).mean(axis=1) * phi[:, fit.model.lv.index(f)]
        for f, items in _items(fit, k).items()
    }


def _omega(fit, k, data, theta) -> dict:
    L, phi, T, _ = _measurement(fit, k, data, theta)
    out = {}
    for f, items in _items(fit, k).items():
        n = fit.model.lv.index(f)
        true = L[:, items, n].sum(axis=1) ** 2 * phi[:, n]
        out[f] = true / (true + T[:, items[:, None], items].sum(axis=(1, 2)))
    return out


def _htmt(fit, k, data, theta) -> dict:
    S = data.S[k] if isinstance(data, Moments) else None
    if S is None:
        raise DataError("functions='htmt' needs complete rows; fit with missing='listwise'")
    sd = np.sqrt(np.diagonal(S, axis1=1, axis2=2))
    scales = {f: i for f, i in _items(fit, k).items() if len(i) > 1}
    member = np.array([[i in items for items in scales.values()] for i in range(S.shape[1])])
    ratio = htmt_values(S / sd[:, :, None] / sd[:, None, :], member)
    names = list(scales)
    return {f"{names[i]} - {names[j]}": ratio[:, i, j] for i, j in zip(*np.triu_indices(len(names), 1), strict=True)}


READY = {"ave": _ave, "omega": _omega, "htmt": _htmt}


def chosen_functions(functions) -> dict:
    """Name to a callable or to the name of a ready one."""
    if functions is None:
        return {}
    if isinstance(functions, str):
        functions = [functions]
    if not isinstance(functions, Mapping):
        functions = {f if isinstance(f, str) else getattr(f, "__name__", "function"): f for f in functions}
    for name, f in functions.items():
        if not callable(f) and f not in READY:
            raise DataError(f"function {name!r} must be callable or one of {', '.join(map(repr, READY))}, not {f!r}")
    return dict(functions)


def evaluate_functions(functions: dict, fit: Solution, keys: pd.DataFrame, data, theta: np.ndarray) -> dict:
    """{(function, name): values (B,)}, ready functions on the whole batch, the user's one resample at a time."""
    out: dict[tuple[str, str], np.ndarray] = {}
    for name, f in functions.items():
        if isinstance(f, str):
            for k in range(fit.model.n_groups):
                where = f" ({fit.groups[k]})" if fit.model.n_groups > 1 else ""
                out |= {(name, key + where): v for key, v in READY[f](fit, k, data, theta).items()}
            continue
        rows = []
        for b in range(len(theta)):
            one = data.take(slice(b, b + 1)) if isinstance(data, Moments) else data
            value = f(_replicate(fit, keys, one, theta[b]))
            rows.append(dict(value) if isinstance(value, (Mapping, pd.Series)) else {"": value})
        frame = pd.DataFrame(rows).astype(float)
        out |= {(name, str(c)): frame[c].to_numpy() for c in frame}
    return out


@dataclass(frozen=True, eq=False)
class Replicate:
    """A refitted model as a user's function sees it: point estimates, no standard errors.

    Attributes
    ----------
    estimates : DataFrame
        lhs, op, rhs, (group), label, est, std_all.
    sample_cov : DataFrame, list of them by group, or None with missing values
        Covariance matrix of the resample, divisor n.
    r2 : Series or DataFrame
        Explained variance.
    """

    solution: Solution
    estimates: pd.DataFrame
    sample_cov: pd.DataFrame | list[pd.DataFrame] | None

    @property
    def r2(self) -> pd.Series | pd.DataFrame:
        return explained_variance(self.solution)

    def implied(self) -> dict | list[dict]:
        """Model-implied moments, as :meth:`semfit.Fit.implied`."""
        return self.solution.implied_moments()


def _replicate(fit: Solution, keys: pd.DataFrame, data, theta: np.ndarray) -> Replicate:
    view, table, covs = fit.at(data, theta), keys.copy(), None
    table["est"] = with_defined(view, theta[None], "est")[0]
    table["std_all"] = with_defined(view, theta[None], "std_all")[0]
    if isinstance(data, Moments):
        ov = fit.model.ov
        covs = [pd.DataFrame(S[0], index=ov, columns=ov) for S in data.S]
        covs = covs[0] if len(covs) == 1 else covs
    return Replicate(view, table, covs)
