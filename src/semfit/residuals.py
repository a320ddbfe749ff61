"""Residual correlations and means, and their standardised form.

To first order the estimates move by theta - theta0 = E sum_g f_g D_g' A_g (s_g - s0_g), f_g = n_g / N, with D the
derivatives of the moments, A the information of the saturated model and E = (sum f D'AD)^-1 over all groups. So the
residual of group k, r = s_k - sigma_k, has

    n_k cov(r) = G_k - 2 f_k G_k A_k D_k E D_k' + f_k D_k E (sum_g f_g D_g' A_g G_g A_g D_g) E D_k'

where G is n times the covariance of the sample moments: under normality at the sample moments S, under MLR from the
rows. A belongs to the moments that the model implies. Predictors that are taken as given do not vary: what they
explain, S* = S_.x S_xx^-1 S_x., is taken out of G (under normality G(S) - G(S*); from the rows by their regressions).
With missing values s are the EM moments, A is observed information and G = W^-1 J W^-1 with W and J the observed
information and the meat at s (W^-1 under normality). These are the "standardized" residuals of lavResiduals
(Maydeu-Olivares & Shi 2017, Methodology 13, 23-30).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from .correction import information_at_the_model, moment_derivatives
from .derivatives import ROWS
from .design import mean_and_cov
from .estimate import Moments, slopes
from .saturated import SaturatedInformation
from .solution import Solution, invert_information

FITTED = 1e-7  # residuals below this (standard deviations) are rounding errors


def residual_table(solution: Solution, saturated: list[SaturatedInformation] | None) -> pd.DataFrame:
    """Table of :meth:`semfit.Fit.residuals`; ``saturated`` is needed with missing values."""
    solution.need_convergence("standardised residuals")
    model, p = solution.model, solution.model.n_ov
    rows: list[tuple] = []
    z_of = _with_gaps(solution, saturated) if saturated is not None else _complete(solution)
    for k, (zc, zm) in enumerate(z_of):
        C, mean = solution.implied(k)
        S, m = solution.h1.cov[k], solution.h1.mean[k]
        s, t = np.sqrt(np.diag(S)), np.sqrt(np.diag(C)[:p])
        for a, b in combinations(range(p), 2):
            o, i = S[a, b] / (s[a] * s[b]), C[a, b] / (t[a] * t[b])
            rows.append((model.ov[a], "~~", model.ov[b], k + 1, o, i, o - i, zc[a, b]))
        if mean is not None and zm is not None:
            for a in range(p):
                o, i = m[a] / s[a], mean[a] / s[a]
                rows.append((model.ov[a], "~1", "", k + 1, o, i, o - i, zm[a]))
    out = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "group", "observed", "implied", "residual", "z"])
    if model.n_groups == 1:
        out = out.drop(columns="group")
    return out.sort_values("z", key=np.abs, ascending=False, kind="stable", ignore_index=True, na_position="last")


def _z(residual: np.ndarray, variance: np.ndarray, n: float) -> np.ndarray:
    """Residual over its standard error; 0 where the model fits the moment exactly, NaN where it has no variance."""
    with np.errstate(all="ignore"):
        z = np.where(variance > 1e-10, np.sqrt(n) * residual / np.sqrt(variance), np.nan)
    return np.where(np.abs(residual) < FITTED, 0.0, z)


# -- complete rows ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Pieces:
    """Moments of one group and their derivatives, in scaled units.

    ``dS`` (npar, p, p) and ``dm`` (npar, p) are derivatives of Sigma and mu; ``B`` and ``bm`` the information applied
    to them.
    """

    Sigma: np.ndarray
    S: np.ndarray
    mu: np.ndarray | None
    dS: np.ndarray
    B: np.ndarray
    dm: np.ndarray | None
    bm: np.ndarray | None

    def information(self) -> np.ndarray:
        """D'AD (npar, npar)."""
        out = 0.5 * np.einsum("iab,jab->ij", self.B, self.dS, optimize=True)
        return out if self.bm is None or self.dm is None else out + self.bm @ self.dm.T


def _pieces(solution: Solution, k: int) -> Pieces:
    model, g, p = solution.model, solution.model.groups[k], solution.model.n_ov
    s = model.scale[:p]
    Q, C, mean = solution.structure(k)
    Sigma, S = C[0, :p, :p], solution.h1.cov[k] / np.outer(s, s)
    P = np.concatenate([np.eye(p), Q[0]], axis=1)
    dS = np.einsum("ae,be,ej->jab", P[:, g.x] * g.w, P[:, g.y], g.D, optimize=True)
    dS = dS + dS.swapaxes(1, 2)
    W = np.linalg.inv(Sigma)
    T = 2 * W @ S @ W - W if solution.robust else W  # observed information under MLR, as in its standard errors
    B = (W @ dS @ T + T @ dS @ W) / 2
    if mean is None:
        return Pieces(Sigma, S, None, dS, B, None, None)
    dm = np.einsum("ae,ej->ja", P[:, g.x] * slopes(model, g, mean)[0], g.D)
    return Pieces(Sigma, S, mean[0, :p], dS, B, dm, dm @ W)


def _complete(solution: Solution) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """z of covariances (p, p) and means (p,) of every group."""
    model, shares = solution.model, solution.shares
    parts = [_pieces(solution, k) for k in range(model.n_groups)]
    E = invert_information(np.sum([f * q.information() for f, q in zip(shares, parts, strict=True)], axis=0))
    spreads = [(_from_rows if solution.robust else _normal)(solution, k, q) for k, q in enumerate(parts)]
    inner = sum(f * spread.inner for f, spread in zip(shares, spreads, strict=True))
    out = []
    for k, (f, q, spread) in enumerate(zip(shares, parts, spreads, strict=True)):
        middle = f * E @ inner @ E
        n = solution.data.n[k]
        d = q.dS.reshape(len(E), -1)
        var = spread.cov - 2 * f * ((E @ spread.cross) * d).sum(axis=0) + ((middle @ d) * d).sum(axis=0)
        z = _z(q.S - q.Sigma, var.reshape(q.S.shape), n)
        zm = None
        if q.dm is not None and q.mu is not None:
            var = spread.mean - 2 * f * ((E @ spread.cross_mean) * q.dm).sum(axis=0)
            var = var + ((middle @ q.dm) * q.dm).sum(axis=0)
            zm = _z(solution.h1.mean[k] / model.scale[: model.n_ov] - q.mu, var, n)
        out.append((z, zm))
    return out


@dataclass(frozen=True, eq=False)
class Spread:
    """Variances of n^(1/2) times the sample moments, their covariances with the parameters' scores D'A(s - s0)
    (npar, p p) and (npar, p), and the covariance (npar, npar) of those scores."""

    cov: np.ndarray
    cross: np.ndarray
    mean: np.ndarray
    cross_mean: np.ndarray
    inner: np.ndarray


def _normal(solution: Solution, k: int, q: Pieces) -> Spread:
    out = _normal_at(q.S, q.S, q)
    x = solution.fixed
    if not x:
        return out
    explained = q.S[:, x] @ np.linalg.solve(q.S[np.ix_(x, x)], q.S[x])
    less = _normal_at(explained, explained, q)
    return Spread(*(getattr(out, name) - getattr(less, name) for name in Spread.__dataclass_fields__))


def _normal_at(S: np.ndarray, mean: np.ndarray, q: Pieces) -> Spread:
    """Spread of the moments of a normal sample whose covariance matrix is S (means: ``mean``)."""
    SBS = S @ q.B @ S
    inner = 0.5 * np.einsum("iab,jab->ij", q.B, SBS, optimize=True)
    cross_mean = np.zeros((len(q.B), len(S)))
    if q.bm is not None:
        inner, cross_mean = inner + q.bm @ mean @ q.bm.T, q.bm @ mean
    v = np.diag(S)
    return Spread((np.outer(v, v) + S**2).ravel(), SBS.reshape(len(q.B), -1), np.diag(mean), cross_mean, inner)


def _from_rows(solution: Solution, k: int, q: Pieces) -> Spread:
    """The same from each row's share in the moments; what fixed predictors explain of it does not vary."""
    if solution.raw is None:
        raise AssertionError("MLR keeps its rows")
    X = solution.raw[k][0] / solution.model.scale[: solution.model.n_ov]
    p, x, design = X.shape[1], solution.fixed, solution.design_of(k)
    weights = None if design is None else design.weights
    centred = X - mean_and_cov(X, weights)[0]
    given = centred[:, x] @ np.linalg.solve(q.S[np.ix_(x, x)], q.S[x]) if x else None
    explained = 0.0 if given is None else mean_and_cov(given, weights)[1]
    b = q.B.reshape(len(q.B), -1)
    cov, cross = np.zeros(p * p), np.zeros((len(b), p * p))
    mean, cross_mean, inner = np.zeros(p), np.zeros((len(b), p)), np.zeros((len(b), len(b)))
    portions = np.array_split(np.arange(len(X)), max(1, len(X) // ROWS))
    for rows in portions if design is None else design.portions(len(X), p * p):
        z = centred[rows]
        f = z[:, :, None] * z[:, None, :] - q.S
        if given is not None:
            h = given[rows]
            f -= h[:, :, None] * h[:, None, :] - explained
            z = z - h
        f = f.reshape(len(z), -1)
        if design is not None:
            f, z = design.fold(f, rows), design.fold(z, rows)
        share = 0.5 * f @ b.T
        if q.bm is not None:
            share = share + z @ q.bm.T
        cov += (f**2).sum(axis=0)
        mean += (z**2).sum(axis=0)
        cross += share.T @ f
        cross_mean += share.T @ z
        inner += share.T @ share
    n = len(X) if design is None else design.size(len(X))
    return Spread(cov / n, cross / n, mean / n, cross_mean / n, inner / n)


# -- missing values --------------------------------------------------------------------------------------------------
def _with_gaps(solution: Solution, saturated: list[SaturatedInformation]) -> list[tuple[np.ndarray, np.ndarray]]:
    model, shares, p = solution.model, solution.shares, solution.model.n_ov
    s, npar, robust = model.scale[:p], model.npar, solution.robust
    D = [moment_derivatives(solution, k, info.moments) for k, info in enumerate(saturated)]
    AD = [information_at_the_model(solution, k) @ d.D for k, d in enumerate(D)]
    GAD = [info.covariances(ad, robust) for info, ad in zip(saturated, AD, strict=True)]  # of the EM moments
    total, inner = np.zeros((npar, npar)), np.zeros((npar, npar))
    for f, d, ad, gad in zip(shares, D, AD, GAD, strict=True):
        d.add(total, f * d.D.T @ ad)
        d.add(inner, f * ad.T @ gad)
    E = invert_information(total)
    middle = E @ inner @ E
    out = []
    for k, (f, d, gad, info) in enumerate(zip(shares, D, GAD, saturated, strict=True)):
        own = np.ix_(d.columns, d.columns)
        var = info.variances(robust) - 2 * f * np.sum(gad * (d.D @ E[own]), axis=1)
        var = var + f * np.sum((d.D @ middle[own]) * d.D, axis=1)
        C, mean = solution.implied_with_means(k)
        S, m, at, n = solution.h1.cov[k], solution.h1.mean[k], info.moments, solution.data.n[k]
        z, zm = np.zeros((p, p)), np.zeros(p)
        z[at.a, at.b] = _z(((S - C[:p, :p]) / np.outer(s, s))[at.a, at.b], var[: len(at.a)], n)
        z[at.b, at.a] = z[at.a, at.b]
        zm[at.e] = _z(((m - mean[:p]) / s)[at.e], var[len(at.a) :], n)
        out.append((z, zm))
    return out


def has_gaps(solution: Solution) -> bool:
    return not isinstance(solution.data, Moments)
