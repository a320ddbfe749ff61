"""The result of a fit: estimates, standardised solution, fit measures, diagnostics and the page a notebook shows."""

from __future__ import annotations

import html
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from . import measures as fm
from .errors import DataError
from .estimate import Moments, entries, evaluate, sample_of, structure
from .model import Kind, Model
from .partable import Row
from .state import Options, Saturated, Source

Z95 = float(ndtri(0.975))


LOG2PI = float(np.log(2 * np.pi))


STEP = 1e-30  # complex step: derivatives without cancellation (Squire & Trapp 1998, SIAM Review 40)


class Fit:
    """A fitted structural equation model; made by :func:`semfit.fit`.

    Attributes
    ----------
    estimates : DataFrame
        One row a parameter in lavaan's order, defined parameters last: lhs, op, rhs, (group), label, est, se, z,
        pvalue, ci_lower, ci_upper, std_all. Fixed parameters have NaN for se, z and pvalue (lavaan prints se 0).
        ``group`` counts from 1, in the order of ``groups``.
    measures : Series of fit measures with lavaan's names, ``_`` for ``.``
    vcov : DataFrame, covariance matrix of the free parameters
    converged : bool; the scaled gradient is zero
    warnings : list of str; improper estimates, dropped rows and the like
    n_obs : rows used in all, or a list by group when there are groups
    n_dropped : rows left out, and ``notes`` say why
    groups : labels of the groups, in order
    model : the model as text
    """

    def __init__(
        self, model: Model, data, theta, F, converged, *, text, options: Options, h1: Saturated, source: Source, notes
    ):
        self._model, self._data, self._theta, self._F = model, data, theta, float(F)
        self.converged, self.model, self.options, self._h1 = bool(converged), text, options, h1
        self._source, self._raw, self.groups, self.notes = source, source.rows, list(source.labels), list(notes)
        self.n_dropped = source.dropped
        self.warnings: list[str] = [*notes, *self._look_for_trouble()]

    # -- basics ------------------------------------------------------------------------------------------------
    @property
    def n_obs(self):
        n = [int(round(k)) for k in self._data.n]
        return n[0] if len(n) == 1 else n

    @property
    def n_total(self) -> int:
        return int(round(sum(self._data.n)))

    @property
    def npar(self) -> int:
        return self._model.npar

    @property
    def estimator(self) -> str:
        return self.options.estimator

    @cached_property
    def _information(self) -> np.ndarray:
        """Information of one observation about theta, expected or observed."""
        if self.npar == 0:
            return np.zeros((0, 0))
        if self.options.information == "expected":
            return evaluate(self._model, self._data, self._theta[None])[2][0]
        from .derivatives import hessian

        return hessian(self._model, self._data, self._theta)

    @cached_property
    def _bread(self) -> np.ndarray:
        return invert_information(self._information)

    @cached_property
    def _bread_expected(self) -> np.ndarray:
        return invert_information(evaluate(self._model, self._data, self._theta[None])[2][0])

    @cached_property
    def _vcov(self) -> np.ndarray:
        """Covariance matrix of theta (npar, npar)."""
        N = self.n_total
        if self.estimator == "MLR":
            return self._bread @ self._robust["meat"] @ self._bread / N
        return self._bread / N

    @cached_property
    def _robust(self) -> dict:
        from .robust import robust_pieces

        return robust_pieces(self)

    @cached_property
    def _h1_information(self) -> list[dict]:
        from .missing import h1_information

        return h1_information(self)

    @property
    def vcov(self) -> pd.DataFrame:
        names = [self._row_name(r) for r in self._model.free_rows]
        K = self._model.K
        return pd.DataFrame(K @ self._vcov @ K.T, index=names, columns=names)

    def _row_name(self, r: Row) -> str:
        return r.label or r.name.replace(" ", "") + (f".g{r.group + 1}" if r.group else "")

    def _entries(self, theta: np.ndarray, k: int) -> np.ndarray:
        g = self._model.groups[k]
        return entries(self._model, g, theta, sample_of(self._data, k))

    def _implied(self, k: int) -> tuple:
        """Implied covariance and mean of all variables of group k in user units (observed first)."""
        _, C, mean = structure(self._model, self._model.groups[k], self._entries(self._theta[None], k))
        s = self._model.scale
        return C[0] * np.outer(s, s), None if mean is None else mean[0] * s

    def implied(self) -> dict | list[dict]:
        """Model-implied moments: ``cov``, ``mean`` (observed) and ``cov_lv`` (latent), a list of them with groups."""
        p, out = self._model.n_ov, []
        for k in range(self._model.n_groups):
            C, mean = self._implied(k)
            out.append(
                {
                    "cov": pd.DataFrame(C[:p, :p], index=self._model.ov, columns=self._model.ov),
                    "mean": None if mean is None else pd.Series(mean[:p], index=self._model.ov),
                    "cov_lv": pd.DataFrame(C[p:, p:], index=self._model.lv, columns=self._model.lv),
                    "mean_lv": None if mean is None else pd.Series(mean[p:], index=self._model.lv),
                }
            )
        return out[0] if len(out) == 1 else out

    # -- estimates ---------------------------------------------------------------------------------------------
    def _row_values(self, theta: np.ndarray, kind: str = "est") -> np.ndarray:
        """(B, npar) -> (B, rows) values of the table's rows: est, std_all or std_lv. Complex in, complex out."""
        model = self._model
        out = np.empty((len(theta), len(model.rows)), theta.dtype)
        p = model.n_ov
        for k, g in enumerate(model.groups):
            e = self._entries(theta, k)
            values = e / g.d
            if kind != "est":
                _, C, _ = structure(model, g, e)
                sd = np.sqrt(np.diagonal(C, axis1=1, axis2=2)) * model.scale
                if kind == "std_lv":
                    sd = np.where(np.arange(len(model.names)) < p, 1.0, sd)
                arrow, mean = g.kind == Kind.ARROW, g.kind == Kind.MEAN
                values[:, arrow] *= sd[:, g.j[arrow]] / sd[:, g.i[arrow]]
                values[:, mean] /= sd[:, g.i[mean]]
                variance = {
                    i: n
                    for n, (i, j) in enumerate(zip(g.i, g.j, strict=True))
                    if g.kind[n] == Kind.COVARIANCE and i == j
                }
                raw = e / g.d
                for n in np.flatnonzero(g.kind == Kind.COVARIANCE):
                    i, j = g.i[n], g.j[n]
                    if i == j:
                        values[:, n] /= sd[:, i] ** 2
                    else:  # residual correlation; a negative variance counts by its size, as in lavaan
                        for v in (i, j):
                            if kind == "std_all" or v >= p:
                                r = raw[:, variance[v]] if v in variance else np.zeros(len(e), e.dtype)
                                values[:, n] /= np.sqrt(np.where(r.real < 0, -r, r))
            out[:, g.rows] = values
        return out

    def _with_defined(self, theta: np.ndarray, kind: str = "est") -> np.ndarray:
        """Row values followed by the values of the defined parameters."""
        rows = self._row_values(theta, kind)
        if not self._model.defined:
            return rows
        values = {r.label: rows[:, k] for k, r in reversed(list(enumerate(self._model.rows))) if r.label}
        for _ in self._model.defined:
            for name, expression, _t in self._model.defined:
                if name not in values and set(expression.labels) <= set(values):
                    values[name] = expression.value(values) + np.zeros(len(theta))
        return np.column_stack([rows, *[values[name] for name, _, _ in self._model.defined]])

    def _delta(self, kind: str) -> tuple[np.ndarray, np.ndarray]:
        """Values and standard errors by the delta method; the Jacobian is taken by the complex step."""
        with np.errstate(all="ignore"):
            value = self._with_defined(self._theta[None], kind)[0]
            stepped = self._theta[None] + 1j * STEP * np.eye(self.npar)
            J = self._with_defined(stepped, kind).imag / STEP  # (npar, rows)
        J[:, np.isnan(value)] = np.nan
        with np.errstate(all="ignore"):
            se = np.sqrt(np.maximum(np.einsum("ir,ij,jr->r", J, self._vcov, J, optimize=True), 0.0))
        fixed = (np.abs(J).max(axis=0, initial=0.0) == 0) | (se < 1e-12 * np.abs(value))
        return value, np.where(fixed, np.nan, se)

    def _frame(self, value, se) -> pd.DataFrame:
        model = self._model
        keys = [(r.lhs, r.op, r.rhs, r.group + 1, r.label) for r in model.rows]
        keys += [(name, ":=", e.text, 0, name) for name, e, _ in model.defined]
        out = pd.DataFrame(keys, columns=["lhs", "op", "rhs", "group", "label"])
        if model.n_groups == 1:
            out = out.drop(columns="group")
        with np.errstate(all="ignore"):
            z = value / se
        fixed = np.isnan(se)
        out["est"], out["se"], out["z"], out["pvalue"] = value, se, z, 2 * ndtr(-np.abs(z))
        out["ci_lower"] = np.where(fixed, np.nan, value - Z95 * se)
        out["ci_upper"] = np.where(fixed, np.nan, value + Z95 * se)
        return out

    @cached_property
    def estimates(self) -> pd.DataFrame:
        out = self._frame(*self._delta("est"))
        with np.errstate(all="ignore"):
            out["std_all"] = self._with_defined(self._theta[None], "std_all")[0]
        return out

    def standardized(self, kind: str = "std_all") -> pd.DataFrame:
        """Standardised solution with delta-method standard errors and intervals.

        ``kind``: ``"std_all"`` (all variables) or ``"std_lv"`` (latents only). Equals lavaan's
        ``standardizedSolution``; covariances between residuals are residual correlations, defined parameters are
        computed from standardised estimates.
        """
        if kind not in ("std_all", "std_lv"):
            raise DataError(f"kind must be 'std_all' or 'std_lv', not {kind!r}")
        return self._frame(*self._delta(kind))

    @cached_property
    def r2(self) -> pd.Series | pd.DataFrame:
        """Explained variance of every variable that receives an arrow (a column a group when there are several)."""
        out = {}
        for k, g in enumerate(self._model.groups):
            e = self._entries(self._theta[None], k)
            _, C, _ = structure(self._model, g, e)
            own = {
                self._model.names[i]: e[0, n] / C[0, i, i]
                for n, (i, j) in enumerate(zip(g.i, g.j, strict=True))
                if g.kind[n] == Kind.COVARIANCE and i == j
            }
            targets = {self._model.names[g.i[n]] for n in np.flatnonzero(g.kind == Kind.ARROW)}
            out[self.groups[k] if self.groups else 0] = pd.Series(
                {n: 1 - own.get(n, 0.0) for n in self._model.names if n in targets}, dtype=float
            )
        frame = pd.DataFrame(out)
        return frame.iloc[:, 0].rename("r2") if frame.shape[1] == 1 else frame

    # -- fit ---------------------------------------------------------------------------------------------------
    @property
    def df(self) -> int:
        return self._model.df(self.options.fixed_x)

    @cached_property
    def measures(self) -> pd.Series:
        h1, model = self._h1, self._model
        logl = -self.n_total * self._F - h1.cells @ (np.log(model.scale[: model.n_ov]) + LOG2PI / 2)
        value = 0.0
        for k, n in enumerate(self._data.n):
            C, mean = self._implied(k)
            p = model.n_ov
            S, m = h1.cov[k], h1.mean[k] if model.means else None
            value += n / self.n_total * fm.srmr(S, m, C[:p, :p], None if mean is None else mean[:p])
        scaled = self._robust["scaling"] if self.estimator == "MLR" and self.converged else None
        if self.options.missing == "fiml" and self.converged and self._raw is not None and self.df > 0:
            from .missing import corrected

            scaled = (scaled or {}) | {"corrected": corrected(self)}
        out = fm.all_measures(
            chisq=2 * (h1.logl - logl),
            df=self.df,
            npar=self.npar,
            n=self.n_total,
            groups=model.n_groups,
            base_chisq=h1.baseline_chisq,
            base_df=h1.baseline_df,
            logl=logl - h1.x_logl,
            h1_logl=h1.logl - h1.x_logl,
            srmr_value=value,
            scaled=scaled,
        )
        if not self.converged:
            out = {k: v if k in ("npar", "df", "ntotal") else np.nan for k, v in out.items()}
        return pd.Series(out, name="measure")

    def _look_for_trouble(self) -> list[str]:
        """Name what is improper in the solution; nothing is repaired."""
        model, out = self._model, []
        if not self.converged:
            return ["the fit did not converge: estimates must not be interpreted and measures are NaN"]
        p, values = model.n_ov, self._row_values(self._theta[None])[0]
        if model.npar:
            d = np.sqrt(np.maximum(np.diag(self._information), 1e-300))
            curvature, vectors = np.linalg.eigh(self._information / np.outer(d, d))
            if curvature[0] < 1e-8:
                weight = np.abs(model.K) @ np.abs(vectors[:, 0])
                names = ", ".join(self._row_name(model.free_rows[i]) for i in np.argsort(-weight)[:3])
                out.append(
                    f"the information matrix is singular at the solution: these data hardly determine {names}; "
                    "their standard errors mean nothing"
                )
        for k, g in enumerate(model.groups):
            where = f" in group {self.groups[k]}" if model.n_groups > 1 else ""
            for n in g.rows:
                r = model.rows[n]
                if r.op == "~~" and r.lhs == r.rhs and values[n] < 0:
                    what = "latent" if r.lhs in model.lv else "residual"
                    out.append(f"negative {what} variance{where}: {r.lhs} ({values[n]:.4g}), a Heywood case")
            C, _ = self._implied(k)
            L = C[p:, p:]
            sd = np.sqrt(np.maximum(np.diag(L), 0.0))
            for a, b in combinations(range(len(L)), 2):
                if sd[a] * sd[b] > 0 and abs(L[a, b]) > sd[a] * sd[b] * (1 + 1e-8):
                    out.append(
                        f"latent correlation beyond 1{where}: {model.lv[a]} with {model.lv[b]} "
                        f"({L[a, b] / (sd[a] * sd[b]):.3f})"
                    )
            ok = sd > 0
            if ok.any() and np.linalg.eigvalsh((L[ok][:, ok]) / np.outer(sd[ok], sd[ok]))[0] < -1e-8:
                out.append(f"the covariance matrix of the latents is not positive definite{where}")
            e = values[g.rows]
            S = np.zeros((p, p))
            for n in np.flatnonzero((g.kind == Kind.COVARIANCE) & (g.i < p) & (g.j < p)):
                S[g.i[n], g.j[n]] = S[g.j[n], g.i[n]] = e[n]
            d = np.sqrt(np.clip(np.diag(S), 0, None))
            ok = d > 0
            R = S[ok][:, ok] / np.outer(d[ok], d[ok])
            if ok.any() and (np.diag(S) >= 0).all() and np.linalg.eigvalsh(R)[0] < -1e-8:
                out.append(f"the covariance matrix of the residuals is not positive definite{where}")
        return out

    # -- diagnostics -------------------------------------------------------------------------------------------
    def modification_indices(self, minimum: float = 0.0) -> pd.DataFrame:
        """Score tests of parameters that the model fixes at zero, largest first.

        Returns
        -------
        DataFrame
            lhs, op, rhs, (group), mi (chi-square with 1 df), epc (expected parameter change), sepc_all (the same,
            standardised). Candidates are those of lavaan's ``modindices``: cross-loadings, residual covariances,
            latent covariances and, when there are regressions, paths among their variables. A fixed predictor is
            never an outcome: fit with ``fixed_x=False`` to test that.

        Notes
        -----
        mi = N g^2 / V, V = I_cc - I_ca I_aa^-1 I_ac with expected information (Soerbom 1989, Psychometrika 54);
        epc = -g / V (Saris, Satorra & Soerbom 1987).
        """
        extra = _candidates(self._model)
        keep = list(self._model.rows)
        present = {(r.lhs, r.op, r.rhs, r.group): r for r in keep}
        extra = [r for r in extra if not ((q := present.get((r.lhs, r.op, r.rhs, r.group))) and (q.free >= 0 or q.exo))]
        columns = ["lhs", "op", "rhs", "group", "mi", "epc", "sepc_all"]
        if not extra:
            return pd.DataFrame(columns=columns)
        big = self._model.extended(extra)
        at = [present[k].fixed if (k := (r.lhs, r.op, r.rhs, r.group)) in present else 0.0 for r in extra]
        theta = np.concatenate([self._theta, at])
        _, grad, info = (a[0] for a in evaluate(big, self._data, theta[None]))
        a, c = slice(0, self.npar), slice(self.npar, None)
        inner = self._bread_expected
        own = np.diag(info)[c]
        V = own - np.einsum("ij,jk,ik->i", info[c, a], inner, info[c, a])
        with np.errstate(all="ignore"):
            V = np.where(V > 1e-9 * own, V, np.nan)
            mi, epc = self.n_total * grad[c] ** 2 / V, -grad[c] / V
        sepc = []
        with np.errstate(invalid="ignore"):
            sds = [np.sqrt(np.diag(self._implied(k)[0])) for k in range(self._model.n_groups)]
        variances = {
            (r.lhs, r.group): v
            for r, v in zip(self._model.rows, self._row_values(self._theta[None])[0], strict=True)
            if r.op == "~~" and r.lhs == r.rhs
        }
        position = {n: k for k, n in enumerate(self._model.names)}
        for r, e in zip(extra, epc, strict=True):
            sd = sds[r.group]
            if r.op == "=~":
                e = e * sd[position[r.lhs]] / sd[position[r.rhs]]
            elif r.op == "~":
                e = e * sd[position[r.rhs]] / sd[position[r.lhs]]
            elif r.op == "~1":
                e = e / sd[position[r.lhs]]
            else:
                v = variances.get((r.lhs, r.group), 0.0) * variances.get((r.rhs, r.group), 0.0)
                e = e / np.sqrt(v) if v > 0 else np.nan
            sepc.append(e)
        out = pd.DataFrame([(r.lhs, r.op, r.rhs, r.group + 1) for r in extra], columns=columns[:4])
        out["mi"], out["epc"], out["sepc_all"] = mi, epc, sepc
        out = out[out["mi"].notna() & (out["mi"] >= minimum)]
        if self._model.n_groups == 1:
            out = out.drop(columns="group")
        return out.sort_values("mi", ascending=False, kind="stable", ignore_index=True)

    def residuals(self) -> pd.DataFrame:
        """Residual correlations and standardised residuals, largest |z| first.

        Returns
        -------
        DataFrame
            lhs, op, rhs, (group), observed and implied correlation, ``residual`` (their difference; means are
            divided by the standard deviation) and ``z``, the residual covariance over its standard error. |z| > 2
            is more than sampling error. Equals ``lavResiduals(fit)$cov.z`` for normal-theory ML.
        """
        from .robust import residual_z

        model, rows = self._model, []
        for k in range(model.n_groups):
            C, mean = self._implied(k)
            p = model.n_ov
            S, m = self._h1.cov[k], self._h1.mean[k]
            s, t = np.sqrt(np.diag(S)), np.sqrt(np.diag(C)[:p])
            zc, zm = residual_z(self, k)
            for a, b in combinations(range(p), 2):
                o, i = S[a, b] / (s[a] * s[b]), C[a, b] / (t[a] * t[b])
                rows.append((model.ov[a], "~~", model.ov[b], k + 1, o, i, o - i, zc[a, b]))
            if model.means:
                for a in range(p):
                    rows.append(
                        (
                            model.ov[a],
                            "~1",
                            "",
                            k + 1,
                            m[a] / s[a],
                            mean[a] / s[a],
                            (m[a] - mean[a]) / s[a],
                            zm[a],
                        )
                    )
        out = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "group", "observed", "implied", "residual", "z"])
        if model.n_groups == 1:
            out = out.drop(columns="group")
        return out.sort_values("z", key=np.abs, ascending=False, kind="stable", ignore_index=True, na_position="last")

    def factor_scores(self, method: str = "regression") -> pd.DataFrame:
        """Scores of the latents, one row a row used (index of the data kept).

        Parameters
        ----------
        method : ``"regression"`` (Thurstone: E(eta | y) = mu_eta + cov(eta, y) Sigma^-1 (y - mu)) or
            ``"bartlett"`` (weighted least squares given the loadings; unbiased in each row, needs complete rows)
        """
        if method not in ("regression", "bartlett"):
            raise DataError(f"method must be 'regression' or 'bartlett', not {method!r}")
        if self._raw is None:
            raise DataError("factor scores need the rows of the data; the model was fitted to a covariance matrix")
        if not self._model.lv:
            raise DataError("the model has no latent variables, so there are no factor scores")
        p, parts = self._model.n_ov, []
        for k, (X, index) in enumerate(self._raw):
            C, mean = self._implied(k)
            mean = np.concatenate([self._h1.mean[k], np.zeros(len(C) - p)]) if mean is None else mean
            scores = np.full((len(X), len(C) - p), np.nan)
            if method == "bartlett":
                g = self._model.groups[k]
                A, S = np.zeros_like(C), np.zeros_like(C)
                e = self._entries(self._theta[None], k)[0] / g.d
                for n, (i, j) in enumerate(zip(g.i, g.j, strict=True)):
                    if g.kind[n] == Kind.ARROW:
                        A[i, j] = e[n]
                    elif g.kind[n] == Kind.COVARIANCE:
                        S[i, j] = S[j, i] = e[n]
                L = A[:p, p:]
                items = np.flatnonzero(np.abs(L).sum(axis=1) > 0)
                theta, L = S[np.ix_(items, items)], L[items]
                if np.linalg.matrix_rank(theta) < len(items) or np.linalg.matrix_rank(L) < L.shape[1]:
                    raise DataError(
                        "Bartlett scores need a residual variance in every item and an own item for "
                        "every latent; use method='regression'"
                    )
                W = np.linalg.solve(theta, L)
                weights = np.linalg.solve(L.T @ W, W.T)
                scores = (X[:, items] - mean[items]) @ weights.T
                scores = scores + mean[p:] - (L @ mean[p:]) @ weights.T + 0.0 * scores
            else:
                seen = ~np.isnan(X)
                for pattern in np.unique(seen, axis=0):
                    rows = (seen == pattern).all(axis=1)
                    o = np.flatnonzero(pattern)
                    weights = np.linalg.solve(C[np.ix_(o, o)], C[np.ix_(o, np.arange(p, len(C)))])
                    scores[rows] = mean[p:] + (X[np.ix_(rows, o)] - mean[o]) @ weights
            parts.append(pd.DataFrame(scores, columns=self._model.lv, index=index))
        return pd.concat(parts).iloc[np.argsort(np.concatenate(self._source.positions))]  # the data's own order

    @property
    def partable(self) -> pd.DataFrame:
        """The parameter table: lhs op rhs group user free label fixed start exo est se."""
        out = self._model.table()
        rows = self.estimates.iloc[: len(out)]
        out["est"], out["se"] = rows["est"].to_numpy(), rows["se"].to_numpy()
        return out

    def bootstrap(self, n_boot: int = 1000, seed: int | None = None, **options):
        """Bootstrap the fit; see :func:`semfit.bootstrap.bootstrap`."""
        from .bootstrap import bootstrap

        return bootstrap(self, n_boot=n_boot, seed=seed, **options)

    def plot(self, **options):
        """Draw the model with its estimates; see :func:`semfit.path_diagram`."""
        from .diagram import path_diagram

        return path_diagram(self, **options)

    # -- pages -------------------------------------------------------------------------------------------------
    def _fit_line(self) -> str:
        m = self.measures
        robust = self.estimator == "MLR"
        tail = "_scaled" if robust else ""
        r = "_robust" if robust else ""
        p = m[f"pvalue{tail}"]
        text = f"chi-square{' (scaled)' if robust else ''} {m[f'chisq{tail}']:.2f}, df {self.df:d}"
        text += "" if np.isnan(p) else f", p {'< .001' if p < 0.0005 else f'= {p:.3f}'}"
        name = "robust " if robust else ""
        return (
            f"{text}; {name}CFI {m[f'cfi{r}']:.3f}, TLI {m[f'tli{r}']:.3f}, RMSEA {m[f'rmsea{r}']:.3f} "
            f"[{m[f'rmsea_ci_lower{r}']:.3f}, {m[f'rmsea_ci_upper{r}']:.3f}], SRMR {m['srmr']:.3f}"
        )

    def _sample_line(self) -> str:
        n = self.n_obs
        text = (
            f"n = {n}"
            if not isinstance(n, list)
            else "n = " + ", ".join(f"{k} ({g})" for k, g in zip(n, self.groups, strict=True))
        )
        if not isinstance(self._data, Moments):
            text += f", {sum(len(c) for c in self._data.count)} patterns of missing values (full information)"
        return text + (f"; {self.n_dropped} row{'s' if self.n_dropped > 1 else ''} dropped" if self.n_dropped else "")

    def __repr__(self) -> str:
        state = "" if self.converged else "NOT CONVERGED. "
        out = f"<Fit {self.estimator}, {self.npar} free parameters, {self._sample_line()}>\n{state}{self._fit_line()}"
        return out + "".join(f"\nwarning: {w}" for w in self.warnings)

    def _repr_html_(self) -> str:
        esc = html.escape
        parts = [
            f"<p><b>Structural equation model</b>, {self.estimator}, {self.npar} free parameters, "
            f"{esc(self._sample_line())}<br>{esc(self._fit_line())}</p>"
        ]
        if self.warnings:
            parts.append("<ul>" + "".join(f"<li><b>Mind:</b> {esc(w)}</li>" for w in self.warnings) + "</ul>")
        short = self.model.strip().count("\n") < 15
        parts.append(
            f"<details{' open' if short else ''}><summary>Model</summary><pre>{esc(self.model.strip())}</pre></details>"
        )
        for op, title, names in (
            ("=~", "Loadings", ("latent", "item")),
            ("~", "Paths", ("outcome", "predictor")),
            (":=", "Defined parameters", ("name", "expression")),
            ("~~", "Variances and covariances", ("variable", "with")),
            ("~1", "Intercepts and means", ("variable", "")),
        ):
            table = self._table(op, names)
            if table is None:
                continue
            if op in ("=~", "~", ":="):
                parts.append(f"<p><b>{title}</b></p>{table}")
            else:
                parts.append(f"<details><summary>{title}</summary>{table}</details>")
        return "\n".join(parts)

    def _table(self, op: str, names: tuple[str, str]) -> str | None:
        """Rows with one operator as an HTML table."""
        part = self.estimates[self.estimates["op"] == op]
        if part.empty:
            return None

        def number(v, text="{:.3f}"):
            return "" if np.isnan(v) else text.format(v)

        out = pd.DataFrame({names[0]: part["lhs"]})
        if names[1]:
            out[names[1]] = part["rhs"]
        if "group" in part and op != ":=":
            out["group"] = [self.groups[g - 1] for g in part["group"]]
        out["estimate"] = part["est"].map(number)
        out["SE"] = part["se"].map(number)
        out["z"] = part["z"].map(lambda v: number(v, "{:.2f}"))
        out["p"] = part["pvalue"].map(lambda v: "&lt; .001" if v < 0.0005 else number(v))
        out["95 % interval"] = [
            number(a) and f"{a:.3f} to {b:.3f}" for a, b in zip(part["ci_lower"], part["ci_upper"], strict=True)
        ]
        out["standardised"] = part["std_all"].map(number)
        words = [c for c in (*names, "group") if c in out]
        out[words] = out[words].map(html.escape)
        return out.to_html(index=False, border=0, escape=False, justify="left")


def invert_information(info: np.ndarray) -> np.ndarray:
    """Inverse of an information matrix, through its correlation form so that units do not matter."""
    s = 1 / np.sqrt(np.maximum(np.abs(np.diag(info)), 1e-300))
    try:
        return np.linalg.inv(info * np.outer(s, s)) * np.outer(s, s)
    except np.linalg.LinAlgError:
        return np.full_like(info, np.nan)


def _candidates(model: Model) -> list[Row]:
    """What lavaan's modindices looks at: see ``Fit.modification_indices``."""
    var, out = model.var, []
    fixed = {r.lhs for r in model.rows if r.exo}
    terms = [r for r in model.rows if r.group == 0]
    indicators = {r.rhs for r in terms if r.op == "=~"}
    eq = list(dict.fromkeys([r.lhs for r in terms if r.op == "~"] + [r.rhs for r in terms if r.op == "~"]))
    nox = [n for n in var.ov if n not in var.x]
    items = [n for n in nox if n in indicators]
    for g in range(model.n_groups):
        out += [Row(f, "=~", x, g, False) for f in var.lv for x in nox if x not in eq]
        out += [Row(a, "~~", b, g, False) for k, a in enumerate(items) for b in items[k:]]
        out += [Row(a, "~~", b, g, False) for k, a in enumerate(var.lv) for b in var.lv[k:]]
        out += [
            Row(y, "~", x, g, False)
            for y in eq
            for x in eq
            if y != x and y not in fixed and not (y in indicators and y not in var.lv and x in var.lv)
        ]
        if model.means:
            out += [Row(n, "~1", "", g, False) for n in var.ov + var.lv]
    mirrored = {(r.rhs, r.lhs, r.group) for r in model.rows if r.op == "~~"}
    return [r for r in out if not (r.op == "~~" and (r.lhs, r.rhs, r.group) in mirrored and r.lhs != r.rhs)]
