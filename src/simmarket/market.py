"""The truth of the simulated market, as equations that a computer can follow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.linalg import cholesky

from switchcost.core import checks
from switchcost.core.arguments import FLAG, NAME, checked
from switchcost.core.errors import DataError

from .worlds import truth_of


def equation_terms(equation: Mapping[str, float]) -> list[tuple[str, float, list[tuple[float, list[str]]]]]:
    """Each term of an equation as (name, coefficient, polynomial), a polynomial as a list of (factor, variables)."""
    out = []
    for name, b in equation.items():
        if name.startswith("bend(") and name.endswith(")"):
            v = name[5:-1].strip()
            poly = [(1.0, [v, v, v]), (-3.0, [v])]
        else:
            poly = [(1.0, [v.strip() for v in name.split("*")])]
        out.append((name, float(b), poly))
    return out


def _moment(variables: Sequence[int], mean: np.ndarray, cov: np.ndarray) -> float:
    """E[x1 x2 ... xk] of jointly normal variables (Isserlis' theorem, with means): Stein's recursion."""
    if not variables:
        return 1.0
    first, rest = variables[0], list(variables[1:])
    total = mean[first] * _moment(rest, mean, cov)
    for k, other in enumerate(rest):
        total += cov[first, other] * _moment(rest[:k] + rest[k + 1 :], mean, cov)
    return total


class Market:
    """The truth worked out: group means, within-group covariances, residual standard deviations."""

    def __init__(self, t: Mapping) -> None:
        self.truth = t
        self.exogenous = list(t["exogenous"])
        self.equations = {name: equation_terms(eq) for name, eq in t["equations"].items()}
        self.endogenous = list(self.equations)
        known = self.exogenous + self.endogenous
        k = len(self.exogenous)
        at = {name: i for i, name in enumerate(self.exogenous)}

        pooled = np.eye(k)
        for pair, r in t.get("correlations", {}).items():
            a, b = self._pair(pair, self.exogenous)
            pooled[at[a], at[b]] = pooled[at[b], at[a]] = r

        cells = self._cells_of_groups(at)
        self.cells = {c: m for c, _, m in cells}
        shares = np.array([p for _, p, _ in cells])
        between = sum(p * np.outer(m, m) for _, p, m in cells)
        self.within = pooled - between
        try:
            self.chol = cholesky(self.within, lower=True)
        except np.linalg.LinAlgError as err:
            raise DataError(
                "the correlations of the exogenous variables, less the differences between groups, are not positive "
                "definite; make the largest correlations or group differences smaller"
            ) from err

        regressors = {v for terms in self.equations.values() for _, _, poly in terms for _, vs in poly for v in vs}
        self.residual_correlations: dict[tuple[str, str], float] = {}
        for pair, r in t.get("residual_correlations", {}).items():
            a, b = self._pair(pair, self.endogenous)
            if {a, b} & regressors:
                raise DataError(f"residual correlation {pair!r}: neither of the two may explain another variable")
            self.residual_correlations[a, b] = r

        self._work_out(known, shares, np.array([m for _, _, m in cells]))

        self.facets = t.get("facets", {})
        for name, loads in self.facets.items():
            self._check_loads(name, loads, known)

    def _cells_of_groups(self, at: Mapping[str, int]) -> list[tuple[tuple[str, ...], float, np.ndarray]]:
        """Every combination of the groupings: its levels, its share and its latent means."""
        self.groupings = self.truth.get("groups", {})
        k = len(at)
        cells: list[tuple[tuple[str, ...], float, np.ndarray]] = [((), 1.0, np.zeros(k))]
        for grouping in self.groupings.values():
            names = list(grouping["share"])
            share = np.array([grouping["share"][g] for g in names], dtype=float)
            if abs(share.sum() - 1) > 1e-9:
                raise DataError(f"the shares of {', '.join(names)} add up to {share.sum():g}; they must add up to 1")
            means = np.zeros((len(names), k))
            for i, g in enumerate(names):
                for latent, value in grouping["mean"].get(g, {}).items():
                    if latent not in at:
                        raise DataError(f"group means: {latent!r} is not exogenous.{checks.suggest(latent, at)}")
                    means[i, at[latent]] = value
            means -= share @ means
            cells = [(c + (g,), p * s, m + d) for c, p, m in cells for g, s, d in zip(names, share, means, strict=True)]
        return cells

    def _work_out(self, known: Sequence[str], shares: np.ndarray, mean: np.ndarray) -> None:
        """Residual standard deviations, equation by equation, by exact moments in every cell."""
        # variables that are linear in normal ones keep exact moments, group by group; the others may not be regressors
        order = list(self.exogenous)
        cov = self.within.copy()
        self.residual_sd: dict[str, float] = {}
        self.mean_of: dict[str, float] = {}
        self.curved: set[str] = set()
        for name, terms in self.equations.items():
            index = {v: i for i, v in enumerate(order)}
            self._check_terms(name, terms, index, known)
            parts = [(b * f, [index[v] for v in vs]) for _, b, poly in terms for f, vs in poly]
            first = sum(c * (shares @ [_moment(vs, m, cov) for m in mean]) for c, vs in parts)
            second = sum(
                c1 * c2 * (shares @ [_moment(v1 + v2, m, cov) for m in mean]) for c1, v1 in parts for c2, v2 in parts
            )
            explained = float(second - first**2)
            if explained >= 1:
                raise DataError(
                    f"equation of {name!r}: its terms explain a variance of {explained:.3f}, and a standardised "
                    "variable has a variance of 1; make the coefficients smaller"
                )
            self.residual_sd[name] = float(np.sqrt(1 - explained))
            self.mean_of[name] = float(first)
            if all(len(vs) == 1 for _, vs in parts):
                w = np.zeros(len(order))
                for c, (v,) in parts:
                    w[v] += c
                with_new = cov @ w
                for pair, r in self.residual_correlations.items():
                    other = pair[0] if pair[1] == name else pair[1] if pair[0] == name else None
                    if other is not None and other in index:
                        with_new[index[other]] += r * self.residual_sd[name] * self.residual_sd[other]
                variance = np.array([[w @ with_new + 1 - explained]])
                cov = np.block([[cov, with_new[:, None]], [with_new[None, :], variance]])
                mean = np.column_stack([mean, mean @ w])
                order.append(name)
            else:
                self.curved.add(name)
        self.linear = order
        between = sum(p * np.outer(m, m) for p, m in zip(shares, mean, strict=True))
        self.correlation = pd.DataFrame(cov + between, index=order, columns=order)  # pooled, exact

    def _check_terms(self, name: str, terms: Iterable, index: Mapping[str, int], known: Sequence[str]) -> None:
        for term, _, poly in terms:
            for v in {v for _, vs in poly for v in vs}:
                if v not in index:
                    why = "is itself curved" if v in self.curved else "is not a variable above it"
                    raise DataError(f"equation of {name!r}: {v!r} in term {term!r} {why}.{checks.suggest(v, known)}")

    @staticmethod
    def _pair(pair: str, known: Iterable[str]) -> tuple[str, str]:
        names = [v.strip() for v in pair.split("~~")]
        for v in names:
            if v not in known:
                raise DataError(f"correlation {pair!r}: {v!r} is not known here.{checks.suggest(v, known)}")
        return names[0], names[1]

    def _check_loads(self, name: str, loads: Mapping[str, float], known: Iterable[str]) -> None:
        for v in loads:
            if v not in known:
                raise DataError(f"{name!r} loads on {v!r}, which is not a latent variable.{checks.suggest(v, known)}")

    def unique_sd(self, name: str, loads: Mapping[str, float], extra: float = 0.0) -> float:
        """What is left of a variance of 1 after the loadings (and ``extra``, the variance of a planted shift)."""
        latents = list(loads)
        w = np.array([loads[v] for v in latents], dtype=float)
        explained = w[0] ** 2 if len(latents) == 1 else float(w @ self._correlations(latents) @ w)
        left = 1 - explained - extra
        if left <= 0:
            raise DataError(f"{name!r}: its loadings explain {explained:.3f} of a variance of 1; make them smaller")
        return float(np.sqrt(left))

    def _correlations(self, latents: Sequence[str]) -> np.ndarray:
        """Correlations of latent variables, facets among them."""
        r = self.correlation
        on = pd.DataFrame({v: pd.Series(self.facets.get(v, {v: 1.0}), dtype=float) for v in latents})
        on = on.reindex(r.index).fillna(0.0).to_numpy()
        out = on.T @ r.to_numpy() @ on
        np.fill_diagonal(out, 1.0)
        return out


@lru_cache(maxsize=8)
def _market_of(text: str) -> Market:
    return Market(json.loads(text))


def market_from(t: Mapping | None, world: str | None = None) -> Market:
    try:
        return _market_of(json.dumps(truth_of(t, world)))
    except (KeyError, TypeError) as error:
        raise DataError(f"this truth cannot be used ({error}); change a copy of simulate.truth()") from None


@checked(faults=FLAG)
def parameters(truth: Mapping | None = None, faults: bool = False, *, world: str | None = None) -> pd.DataFrame:
    """List the truth as a table, in the columns of a fitted model.

    Parameters
    ----------
    truth : dict, optional
        As :func:`truth` returns it.
    faults : bool
        True: the item that does not load has the loading it has in ``telecom_survey``.
    world : {"china", "meta"}, optional
        Whose truth, when none is handed in; ``"china"`` when None.

    Returns
    -------
    DataFrame
        kind (loading, second_order, correlation, path, product, residual_correlation, residual_sd), lhs, op, rhs, value.
        Loadings are those of the item turned the right way round. Standardised; latent responses before cutting.
        Correlations: all pairs of latent variables that are linear in the exogenous ones.

    Examples
    --------
    >>> p = parameters()
    >>> float(p.query("kind == 'second_order' and rhs == 'evaluation'")["value"].iloc[0])
    0.85
    """
    m = market_from(truth, world)
    rows = []
    bad = m.truth.get("faults", {}).get("bad_item", {}) if faults else {}
    for name, spec in m.truth["items"].items():
        for latent, value in spec["loads"].items():
            rows.append(("loading", latent, "=~", name, bad["loading"] if name == bad.get("item") else value))
    for facet, loads in m.facets.items():
        rows += [("second_order", dim, "=~", facet, value) for dim, value in loads.items()]
    names = list(m.correlation.index)
    for i, a in enumerate(names):
        rows += [("correlation", a, "~~", b, float(m.correlation.loc[a, b])) for b in names[i + 1 :]]
    for lhs, terms in m.equations.items():
        for term, b, poly in terms:
            kind = "path" if len(poly) == 1 and len(poly[0][1]) == 1 else "product"
            rows.append((kind, lhs, "~", term.replace(" * ", ":"), b))
    rows += [("residual_correlation", a, "~~", b, r) for (a, b), r in m.residual_correlations.items()]
    rows += [("residual_sd", name, "~~", name, sd) for name, sd in m.residual_sd.items()]
    return pd.DataFrame(rows, columns=["kind", "lhs", "op", "rhs", "value"])


@checked(by=NAME)
def latent_means(truth: Mapping | None = None, by: str = "contract", *, world: str | None = None) -> pd.DataFrame:
    """True latent means by group (pooled latent standard deviation 1): rows latent variables, columns groups.

    ``by`` is a grouping of the truth, ``"contract"`` or ``"operator"``. Only variables that are linear in the exogenous
    ones are listed; facets follow as loading times dimension.

    Examples
    --------
    >>> latent_means().loc["financial", ["prepaid", "contract"]].tolist()
    [-0.1, 0.1]
    """
    m = market_from(truth, world)
    if by not in m.groupings:
        raise DataError(f"{by!r} is not a grouping of this market.{checks.suggest(by, m.groupings)}")
    place = list(m.groupings).index(by)
    out = {}
    for g in m.groupings[by]["share"]:
        weight = {c: 1.0 for c in m.cells if c[place] == g}
        for c in weight:
            for j, other in enumerate(m.groupings):
                if j != place:
                    weight[c] *= m.groupings[other]["share"][c[j]]
        mean = np.sum([w * m.cells[c] for c, w in weight.items()], axis=0)
        values = dict(zip(m.exogenous, mean, strict=True))
        for name, terms in m.equations.items():
            if name in m.linear:
                values[name] = sum(b * values[poly[0][1][0]] for _, b, poly in terms)
        for facet, loads in m.facets.items():
            values[facet] = sum(b * values[v] for v, b in loads.items())
        out[g] = {k: round(float(v), 12) for k, v in values.items()}
    return pd.DataFrame(out)
