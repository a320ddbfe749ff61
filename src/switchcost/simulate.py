"""A simulated mobile market with a known truth, and twins of published matrices.

The truth is a file, ``data/simulated/telecom_survey/truth.json``: latent means by group, correlations, standardised
paths, products, loadings, thresholds and planted faults, each in plain terms. :func:`survey` draws respondents from
it, :func:`usage` their bills and departures, :func:`parameters` lists the truth as a table, and :func:`population`
gives the means and covariances that five-point answers have in an endless sample. The data sets ``telecom_survey``
and ``telecom_usage`` are written by ``python -m switchcost.simulate``.

Simulated data show what a method can find. They are no evidence about customers.
"""

from __future__ import annotations

import copy
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.linalg import cholesky

from . import _checks
from .data import data_dir, register

BACKGROUND = ["operator", "contract", "tenure", "spend", "age", "gender"]
FAULTS = ("bad_item", "intercept", "careless", "missing", "duplicates")
LATENT_DECIMALS = 9  # sums are rounded before they are cut, so that no last bit of a BLAS decides an answer


# --- the truth ------------------------------------------------------------------------------------------------
def truth() -> dict:
    """Return the truth of the simulated market, a fresh copy that may be changed and handed to :func:`survey`.

    Examples
    --------
    >>> t = truth()
    >>> t["equations"]["attitudinal"]["satisfaction * financial"]
    -0.15
    >>> t["equations"]["attitudinal"]["satisfaction * financial"] = 0.0   # a market without moderation
    """
    return copy.deepcopy(_stored_truth())


@lru_cache(maxsize=1)
def _stored_truth() -> dict:
    return json.loads(_file("truth.json").read_text(encoding="utf-8"))


def _file(name: str) -> Path:
    path = data_dir() / "simulated" / "telecom_survey" / name
    if not path.exists():
        raise ValueError(
            f"data/simulated/telecom_survey/{name} is missing; restore it with git, or hand in your own truth"
        )
    return path


def _terms(equation: Mapping[str, float]) -> list[tuple[str, float, list[tuple[float, list[str]]]]]:
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


class _Market:
    """The truth worked out: group means, within-group covariances, residual standard deviations."""

    def __init__(self, t: Mapping) -> None:
        self.truth = t
        self.exogenous = list(t["exogenous"])
        self.equations = {name: _terms(eq) for name, eq in t["equations"].items()}
        self.endogenous = list(self.equations)
        known = self.exogenous + self.endogenous
        k = len(self.exogenous)
        at = {name: i for i, name in enumerate(self.exogenous)}

        pooled = np.eye(k)
        for pair, r in t.get("correlations", {}).items():
            a, b = self._pair(pair, self.exogenous)
            pooled[at[a], at[b]] = pooled[at[b], at[a]] = r

        # cells of the groupings: their shares and latent means
        self.groupings = t.get("groups", {})
        cells = [((), 1.0, np.zeros(k))]
        for grouping in self.groupings.values():
            names = list(grouping["share"])
            share = np.array([grouping["share"][g] for g in names], dtype=float)
            if abs(share.sum() - 1) > 1e-9:
                raise ValueError(
                    f"the shares of {', '.join(names)} add up to {share.sum():g}; they must add up to 1"
                )
            means = np.zeros((len(names), k))
            for i, g in enumerate(names):
                for latent, value in grouping["mean"].get(g, {}).items():
                    if latent not in at:
                        raise ValueError(
                            f"group means: {latent!r} is not exogenous.{_checks.suggest(latent, at)}"
                        )
                    means[i, at[latent]] = value
            means -= share @ means
            cells = [
                (c + (g,), p * s, m + d)
                for c, p, m in cells
                for g, s, d in zip(names, share, means, strict=True)
            ]
        self.cells = {c: m for c, _, m in cells}
        shares = np.array([p for _, p, _ in cells])
        between = sum(p * np.outer(m, m) for _, p, m in cells)
        self.within = pooled - between
        try:
            self.chol = cholesky(self.within, lower=True)
        except np.linalg.LinAlgError as err:
            raise ValueError(
                "the correlations of the exogenous variables, less the differences between groups, are not positive "
                "definite; make the largest correlations or group differences smaller"
            ) from err

        regressors = {
            v for terms in self.equations.values() for _, _, poly in terms for _, vs in poly for v in vs
        }
        self.residual_correlations: dict[tuple[str, str], float] = {}
        for pair, r in t.get("residual_correlations", {}).items():
            a, b = self._pair(pair, self.endogenous)
            if {a, b} & regressors:
                raise ValueError(
                    f"residual correlation {pair!r}: neither of the two may explain another variable"
                )
            self.residual_correlations[a, b] = r

        # variables that are linear in normal ones keep exact moments, group by group; the others may not be regressors
        order = list(self.exogenous)
        mean = np.array([m for _, _, m in cells])
        cov = self.within.copy()
        self.residual_sd: dict[str, float] = {}
        self.mean_of: dict[str, float] = {}
        self.curved: set[str] = set()
        for name, terms in self.equations.items():
            index = {v: i for i, v in enumerate(order)}
            for term, _, poly in terms:
                for v in {v for _, vs in poly for v in vs}:
                    if v not in index:
                        why = "is itself curved" if v in self.curved else "is not a variable above it"
                        raise ValueError(
                            f"equation of {name!r}: {v!r} in term {term!r} {why}.{_checks.suggest(v, known)}"
                        )
            parts = [(b * f, [index[v] for v in vs]) for _, b, poly in terms for f, vs in poly]
            first = sum(c * (shares @ [_moment(vs, m, cov) for m in mean]) for c, vs in parts)
            second = sum(
                c1 * c2 * (shares @ [_moment(v1 + v2, m, cov) for m in mean])
                for c1, v1 in parts
                for c2, v2 in parts
            )
            explained = float(second - first**2)
            if explained >= 1:
                raise ValueError(
                    f"equation of {name!r}: its terms explain a variance of {explained:.3f}, and a standardised "
                    "variable has a variance of 1; make the coefficients smaller"
                )
            self.residual_sd[name] = float(np.sqrt(1 - explained))
            self.mean_of[name] = float(first)
            if all(len(vs) == 1 for _, vs in parts):
                w = np.zeros(len(order))
                for c, (v,) in parts:
                    w[v] += c
                c = cov @ w
                for pair, r in self.residual_correlations.items():
                    other = pair[0] if pair[1] == name else pair[1] if pair[0] == name else None
                    if other in index:
                        c[index[other]] += r * self.residual_sd[name] * self.residual_sd[other]
                cov = np.block([[cov, c[:, None]], [c[None, :], np.array([[w @ c + 1 - explained]])]])
                mean = np.column_stack([mean, mean @ w])
                order.append(name)
            else:
                self.curved.add(name)
        self.linear = order
        between = sum(p * np.outer(m, m) for p, m in zip(shares, mean, strict=True))
        self.correlation = pd.DataFrame(cov + between, index=order, columns=order)  # pooled, exact

        self.facets = t.get("facets", {})
        for name, loads in self.facets.items():
            self._check_loads(name, loads, known)

    @staticmethod
    def _pair(pair: str, known: Iterable[str]) -> tuple[str, str]:
        names = [v.strip() for v in pair.split("~~")]
        for v in names:
            if v not in known:
                raise ValueError(f"correlation {pair!r}: {v!r} is not known here.{_checks.suggest(v, known)}")
        return names[0], names[1]

    def _check_loads(self, name: str, loads: Mapping[str, float], known: Iterable[str]) -> None:
        for v in loads:
            if v not in known:
                raise ValueError(
                    f"{name!r} loads on {v!r}, which is not a latent variable.{_checks.suggest(v, known)}"
                )

    def unique_sd(self, name: str, loads: Mapping[str, float], extra: float = 0.0) -> float:
        """What is left of a variance of 1 after the loadings (and ``extra``, the variance of a planted shift)."""
        latents = list(loads)
        w = np.array([loads[v] for v in latents], dtype=float)
        if len(latents) == 1:
            explained = w[0] ** 2
        else:
            explained = float(w @ self.correlation.loc[latents, latents].to_numpy() @ w)
        left = 1 - explained - extra
        if left <= 0:
            raise ValueError(
                f"{name!r}: its loadings explain {explained:.3f} of a variance of 1; make them smaller"
            )
        return float(np.sqrt(left))


@lru_cache(maxsize=8)
def _market_of(text: str) -> _Market:
    return _Market(json.loads(text))


def _market(t: Mapping | None) -> _Market:
    if t is None:
        t = _stored_truth()
    if not isinstance(t, Mapping):
        raise ValueError("truth must be a dict as simulate.truth() returns it; change a copy of that")
    return _market_of(json.dumps(t))


def parameters(truth: Mapping | None = None, faults: bool = False) -> pd.DataFrame:
    """List the truth as a table, in the columns of a fitted model.

    Parameters
    ----------
    truth : dict, optional
        As :func:`truth` returns it; the stored truth when None.
    faults : bool
        True: the item that does not load has the loading it has in ``telecom_survey``.

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
    m = _market(truth)
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


def latent_means(truth: Mapping | None = None, by: str = "contract") -> pd.DataFrame:
    """True latent means by group (pooled latent standard deviation 1): rows latent variables, columns groups.

    ``by`` is a grouping of the truth, ``"contract"`` or ``"operator"``. Only variables that are linear in the exogenous
    ones are listed; facets follow as loading times dimension.

    Examples
    --------
    >>> latent_means().loc["financial", ["prepaid", "contract"]].tolist()
    [-0.1, 0.1]
    """
    m = _market(truth)
    if by not in m.groupings:
        raise ValueError(f"{by!r} is not a grouping of this market.{_checks.suggest(by, m.groupings)}")
    place = list(m.groupings).index(by)
    out = {}
    for g in m.groupings[by]["share"]:
        weight = {c: 1.0 for c in m.cells if c[place] == g}
        for c in weight:
            for j, other in enumerate(m.groupings):
                if j != place:
                    weight[c] *= m.groupings[other]["share"][c[j]]
        mean = sum(w * m.cells[c] for c, w in weight.items())
        values = dict(zip(m.exogenous, mean, strict=True))
        for name, terms in m.equations.items():
            if name in m.linear:
                values[name] = sum(b * values[poly[0][1][0]] for _, b, poly in terms)
        for facet, loads in m.facets.items():
            values[facet] = sum(b * values[v] for v, b in loads.items())
        out[g] = {k: round(float(v), 12) for k, v in values.items()}
    return pd.DataFrame(out)


# --- drawing ---------------------------------------------------------------------------------------------------
def _stream(seed: int, name: str) -> np.random.Generator:
    """An own stream of random numbers for each thing drawn: leaving a column out changes no other column."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())])))


def _seed(seed: int | np.random.Generator | None, t: Mapping) -> int:
    if seed is None:
        return int(t.get("seed", 0))
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**31))
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(
            f"seed must be a whole number from 0 up (or a numpy Generator, or None), and is {seed!r}"
        )
    return int(seed)


def latents(
    truth: Mapping | None = None, n: int = 800, seed: int | np.random.Generator | None = None
) -> pd.DataFrame:
    """Draw the latent variables and groups themselves, those that stand behind :func:`survey` with the same seed.

    Returns
    -------
    DataFrame of n rows
        One column a grouping (text), then each latent variable and each facet (mean 0, variance 1 in the population).

    Examples
    --------
    >>> latents(n=3, seed=1).shape[0]
    3
    """
    m = _market(truth)
    n = _whole(n, "n")
    seed = _seed(seed, m.truth)
    groups = {}
    for name, grouping in m.groupings.items():
        levels = list(grouping["share"])
        edges = np.cumsum([grouping["share"][g] for g in levels])[:-1]
        groups[name] = np.array(levels, dtype=object)[
            np.searchsorted(edges, _stream(seed, name).random(n), side="right")
        ]
    noise = _stream(seed, "exogenous").standard_normal((n, len(m.exogenous)))
    values = noise @ m.chol.T
    keys = list(zip(*groups.values(), strict=True)) if groups else [()] * n
    codes, uniques = pd.factorize(pd.Series(keys, dtype=object)) if groups else (np.zeros(n, dtype=int), [()])
    values += np.array([m.cells[tuple(c)] for c in uniques])[codes]
    x = {name: values[:, i] for i, name in enumerate(m.exogenous)}

    residual = {name: _stream(seed, "residual " + name).standard_normal(n) for name in m.endogenous}
    for (a, b), r in m.residual_correlations.items():
        residual[b] = r * residual[a] + np.sqrt(1 - r * r) * residual[b]
    for name, terms in m.equations.items():
        y = m.residual_sd[name] * residual[name] - m.mean_of[name]
        for _, b, poly in terms:
            for factor, vs in poly:
                product = b * factor
                for v in vs:
                    product = product * x[v]
                y = y + product
        x[name] = y
    for facet, loads in m.facets.items():
        y = m.unique_sd(facet, loads) * _stream(seed, "facet " + facet).standard_normal(n)
        for v, b in loads.items():
            y = y + b * x[v]
        x[facet] = y
    return pd.DataFrame({**groups, **x})


def survey(
    truth: Mapping | None = None,
    n: int = 800,
    seed: int | np.random.Generator | None = None,
    faults: bool | Iterable[str] = True,
    *,
    scale: str = "points",
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Question ``n`` simulated customers of the market with the known truth.

    Parameters
    ----------
    truth : dict, optional
        As :func:`truth` returns it, changed where you like; the stored truth when None.
    n : int
        Number of respondents. With the default n and seed the result is ``sc.load("telecom_survey")``.
    seed : int, Generator or None
        None: the seed in the truth file. Same seed, same answers.
    faults : bool or names
        True plants all faults that the truth lists, False none; or some of ``"bad_item"``, ``"intercept"`` (these two
        belong to items), ``"careless"``, ``"missing"``, ``"duplicates"`` (these three to rows). Rows are those of the
        truth file when n and seed are the file's, and drawn at the same rate otherwise; they are returned in
        ``.attrs["faults"]``.
    scale : ``"points"`` or ``"latent"``
        Answers in five points (seven for ``osat``), or the latent response of variance 1 behind them. Reverse-keyed
        items come as respondents answer them, not turned round: see :func:`keyed`.
    columns : list of names, optional
        Draw only these columns (quicker). The values are the same as in a full draw with the same seed.

    Returns
    -------
    DataFrame of n rows: items as floats (missing answers NaN), operator, contract, tenure (months), spend (money a
    month), age (years), gender.

    Raises
    ------
    ValueError
        Unknown column, fault or scale; a truth whose coefficients explain more than all variance.

    Examples
    --------
    >>> d = survey(n=200, seed=5, columns=["sat1", "sat2", "bl1"])
    >>> d.shape
    (200, 3)
    """
    m = _market(truth)
    t = m.truth
    n = _whole(n, "n")
    given_seed = _seed(seed, t)
    wanted = _wanted_faults(faults, t)
    if scale not in ("points", "latent"):
        raise ValueError(
            f"scale is 'points' (five-point answers) or 'latent' (before cutting), and not {scale!r}"
        )
    rows_wanted = [f for f in wanted if f in ("careless", "missing", "duplicates")]
    if scale == "latent" and rows_wanted:
        if faults is not True:
            raise ValueError(f"scale='latent' has no answers yet, so it cannot hold {', '.join(rows_wanted)}")
        wanted = [f for f in wanted if f not in rows_wanted]

    everything = list(t["items"]) + BACKGROUND
    names = everything if columns is None else [columns] if isinstance(columns, str) else list(columns)
    for name in names:
        if name not in everything:
            raise ValueError(f"column {name!r} is not in the survey.{_checks.suggest(name, everything)}")

    x = latents(t, n, given_seed)
    out: dict[str, np.ndarray] = {}
    for name in names:
        if name in t["items"]:
            y = _response(m, name, x, given_seed, wanted)
            if scale == "points":
                y = 1.0 + np.searchsorted(
                    t["items"][name]["thresholds"], np.round(y, LATENT_DECIMALS), side="left"
                )
            out[name] = y
        else:
            out[name] = _background(name, t, x, given_seed)
    data = pd.DataFrame(out, columns=names)
    record = _row_faults(data, m, x, given_seed, wanted) if scale == "points" else {}
    data.attrs = {
        "simulated": True,
        "seed": given_seed,
        "faults": {f: record.get(f, t["faults"][f]) for f in wanted},
    }
    return data


def _whole(n: object, name: str) -> int:
    if isinstance(n, (bool, np.bool_)) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{name} must be a whole number from 1 up, and is {n!r}")
    return int(n)


def _wanted_faults(faults: bool | str | Iterable[str], t: Mapping) -> list[str]:
    listed = [f for f in FAULTS if f in t.get("faults", {})]
    if isinstance(faults, (bool, np.bool_)):
        return listed if faults else []
    wanted = [faults] if isinstance(faults, str) else list(faults)
    for f in wanted:
        if f not in listed:
            raise ValueError(
                f"fault {f!r} is not one of the truth's: {', '.join(listed)}.{_checks.suggest(f, listed)}"
            )
    return [f for f in FAULTS if f in wanted]


def _response(m: _Market, name: str, x: pd.DataFrame, seed: int, wanted: Sequence[str]) -> np.ndarray:
    """The latent response to one item, variance 1, in the direction in which it is answered."""
    spec = m.truth["items"][name]
    loads = dict(spec["loads"])
    shift, extra = None, 0.0
    if "bad_item" in wanted and m.truth["faults"]["bad_item"]["item"] == name:
        loads = {next(iter(loads)): m.truth["faults"]["bad_item"]["loading"]}
    if "intercept" in wanted and m.truth["faults"]["intercept"]["item"] == name:
        fault = m.truth["faults"]["intercept"]
        share = m.groupings[fault["group"]]["share"]
        mean = sum(share[g] * s for g, s in fault["shift"].items())
        extra = sum(share[g] * (s - mean) ** 2 for g, s in fault["shift"].items())
        shift = x[fault["group"]].map(fault["shift"]).to_numpy(dtype=float) - mean
    y = m.unique_sd(name, loads, extra) * _stream(seed, "item " + name).standard_normal(len(x))
    for latent, b in loads.items():
        y = y + b * x[latent].to_numpy()
    if shift is not None:
        y = y + shift
    return -y if spec["reverse"] else y


def _background(name: str, t: Mapping, x: pd.DataFrame, seed: int) -> np.ndarray:
    if name in ("operator", "contract"):
        return x[name].to_numpy()
    spec = t["background"][name]
    if name == "gender":
        first, second = spec
        return np.where(_stream(seed, "gender").random(len(x)) < spec[first], first, second).astype(object)
    z = np.round(x[spec["from"]].to_numpy(), LATENT_DECIMALS)
    value = (
        np.exp(spec["log_mean"] + spec["log_sd"] * z) if "log_mean" in spec else spec["mean"] + spec["sd"] * z
    )
    return np.clip(np.round(value), spec["low"], spec["high"]).astype(int)


def _row_faults(data: pd.DataFrame, m: _Market, x: pd.DataFrame, seed: int, wanted: Sequence[str]) -> dict:
    """Spoil rows in place as careless respondents, gaps and double entry do; return which rows."""
    t = m.truth
    n = len(data)
    stored = n == t.get("n") and seed == t.get("seed")
    items = [c for c in data.columns if c in t["items"]]
    record: dict[str, dict] = {}
    place = _stream(seed, "rows")
    free = place.permutation(
        n
    )  # careless rows are taken from its front, the doubled block lies clear of them

    careless = np.array([], dtype=int)
    if "careless" in wanted:
        fault = t["faults"]["careless"]
        if stored:
            straight, answers, random = (
                fault["straight_rows"],
                fault["straight_answers"],
                fault["random_rows"],
            )
        else:
            count = int(round(fault["share"] * n))
            straight, random = (
                np.sort(free[: count // 2]).tolist(),
                np.sort(free[count // 2 : count]).tolist(),
            )
            answers = place.integers(1, 6, len(straight)).tolist()
        careless = np.array(list(straight) + list(random), dtype=int)
        for item in items:
            top = len(t["items"][item]["thresholds"]) + 1
            draw = _stream(seed, "careless " + item).integers(1, top + 1, len(careless)).astype(float)
            if top == 5:
                draw[: len(straight)] = answers
            data.loc[data.index[careless], item] = draw
        record["careless"] = {"straight_rows": list(straight), "random_rows": list(random)}

    if "missing" in wanted:
        fault = t["faults"]["missing"]
        share = (
            fault["share_of_answers"] / fault["skipped_by_those_who_skip"]
        )  # of respondents who skip at all
        age = np.round(x["age"].to_numpy(), LATENT_DECIMALS)
        slope = fault["slope_on_age"]
        # the logistic averaged over normal age has mean `share` where the intercept is stretched (probit approximation)
        stretch = np.sqrt(1 + slope**2 * 0.3458)
        p = 1 / (1 + np.exp(-(stretch * np.log(share / (1 - share)) + slope * age)))
        skips = _stream(seed, "who skips").random(n) < np.round(p, LATENT_DECIMALS)
        skips[careless] = False
        for item in items:
            gap = skips & (_stream(seed, "missing " + item).random(n) < fault["skipped_by_those_who_skip"])
            data.loc[gap, item] = np.nan
        record["missing"] = {
            "rows_with_gaps": np.flatnonzero(data[items].isna().any(axis=1)).tolist() if items else []
        }

    if "duplicates" in wanted:
        fault = t["faults"]["duplicates"]
        length = max(1, int(round(fault["share"] * n)))
        if stored:
            first, last = fault["first_rows"]
            copy_to = fault["copied_to"][0]
        else:
            first, copy_to = _clear_block(n, length, set(careless.tolist()), place)
            last = first + length - 1
        if first is not None and n >= 4 * length:
            data.iloc[copy_to : copy_to + last - first + 1] = data.iloc[first : last + 1].to_numpy()
            for c in data.columns:
                if data[c].dtype == object and c in items + ["tenure", "spend", "age"]:
                    data[c] = pd.to_numeric(data[c])
            record["duplicates"] = {
                "first_rows": [first, last],
                "copied_to": [copy_to, copy_to + last - first],
            }
    return record


def _clear_block(
    n: int, length: int, taken: set[int], rng: np.random.Generator
) -> tuple[int | None, int | None]:
    for start in rng.integers(0, max(1, n - 2 * length), 200).tolist():
        if not taken & set(range(start, start + 2 * length)):
            return start, start + length
    return None, None


def keyed(data: pd.DataFrame, truth: Mapping | None = None) -> pd.DataFrame:
    """Turn the reverse-keyed items of the survey round: low + high - answer (a latent response changes sign).

    Works on what :func:`survey` and ``sc.load("telecom_survey")`` return; other columns stay as they are.

    Examples
    --------
    >>> raw = survey(n=50, seed=2, columns=["er1", "er4"], faults=False)
    >>> bool((keyed(raw)["er4"] == 6 - raw["er4"]).all())
    True
    """
    t = _market(truth).truth
    out = data.copy()
    for name, spec in t["items"].items():
        if spec["reverse"] and name in out.columns:
            top = len(spec["thresholds"]) + 1
            values = out[name].to_numpy(dtype=float)
            whole = values[~np.isnan(values)]
            points = bool(np.all(whole == np.round(whole)))
            out[name] = (top + 1 - values) if points else -values
    return out


# --- behaviour -------------------------------------------------------------------------------------------------
def usage(
    truth: Mapping | None = None, n: int = 800, seed: int | np.random.Generator | None = None
) -> pd.DataFrame:
    """Follow the same customers for 36 months: bills, top-ups, departures.

    Customer k is row k - 1 of :func:`survey` with the same n and seed (customers count from 1). Each month a customer
    who is still there leaves with probability 1 - exp(-hazard); the log hazard is linear in satisfaction, financial and
    relational switching costs, the attractiveness of alternatives, satisfaction x financial, and the contract type
    (coefficients in the truth file). Contract customers get a bill, prepaid customers top up.

    Returns
    -------
    DataFrame, one row a customer and month until the month of departure
        customer, month (1-36), bill (money, 0 for prepaid), topups (count), topup_amount (money),
        left (1 in the month of departure, which is the customer's last row).

    Examples
    --------
    >>> usage(n=20, seed=3).columns.tolist()
    ['customer', 'month', 'bill', 'topups', 'topup_amount', 'left']
    """
    m = _market(truth)
    t = m.truth
    n = _whole(n, "n")
    seed = _seed(seed, t)
    spec = t["usage"]
    months = int(spec["months"])
    x = latents(t, n, seed)
    spend = _background("spend", t, x, seed).astype(float)

    hazard = spec["hazard"]
    log_h = np.full(n, np.log(hazard["monthly_at_the_mean"]))
    for term, b, poly in _terms(hazard["log_ratio"]):
        for factor, vs in poly:
            for v in vs:
                if v not in x.columns:
                    raise ValueError(
                        f"hazard term {term!r}: {v!r} is not a latent variable.{_checks.suggest(v, x.columns)}"
                    )
            log_h = log_h + b * factor * np.prod([x[v].to_numpy() for v in vs], axis=0)
    log_h = log_h + x["contract"].map(hazard["contract"]).to_numpy(dtype=float)
    leave = 1 - np.exp(-np.exp(log_h))
    draws = _stream(seed, "departure").random((n, months))
    gone = draws < np.round(leave, LATENT_DECIMALS)[:, None]
    last = np.where(gone.any(axis=1), gone.argmax(axis=1), months - 1)

    month = np.arange(months)
    growth = np.exp(spec["bill"]["growth_per_month"] * month)
    noise = np.exp(spec["bill"]["monthly_noise_sd_log"] * _stream(seed, "bill").standard_normal((n, months)))
    on_contract = (x["contract"] == "contract").to_numpy()
    bill = np.where(on_contract[:, None], np.round(spend[:, None] * growth * noise, 2), 0.0)
    size = spec["topup"]["size"]
    times = _stream(seed, "topups").poisson(
        np.round(spend[:, None] * growth / size, LATENT_DECIMALS), (n, months)
    )
    times = np.where(on_contract[:, None], 0, times)
    there = month[None, :] <= last[:, None]
    who, when = np.nonzero(there)
    return pd.DataFrame(
        {
            "customer": who + 1,
            "month": when + 1,
            "bill": bill[there],
            "topups": times[there],
            "topup_amount": times[there] * size,
            "left": (gone & (month[None, :] == last[:, None]))[there].astype(int),
        }
    )


# --- twins -----------------------------------------------------------------------------------------------------
def twin(
    cov: pd.DataFrame | np.ndarray,
    means: Mapping[str, float] | Sequence[float] | None = None,
    n: int = 200,
    seed: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Raw data whose sample covariances and means equal the given ones exactly.

    For a study that prints a matrix and keeps its data: methods that want raw data can be run, and whatever depends
    on means and covariances only comes out as it would on the study's own data. Whatever depends on more (products,
    skew, outliers, missing values) does not: label the result a twin.

    Parameters
    ----------
    cov : DataFrame or array of shape (p, p)
        Covariances with the n - 1 divisor, or correlations. A DataFrame's names become the columns.
    means : mapping, sequence of length p, or None for zeros
    n : int
        Rows, more than p.
    seed : int, Generator or None (0)

    Returns
    -------
    DataFrame of shape (n, p), normal up to the adjustment.

    Raises
    ------
    ValueError
        Not square, not symmetric, not positive definite (the variables to blame are named), or n too small.

    Notes
    -----
    X = Q C' with Q the centred, orthonormalised noise times sqrt(n - 1) and C the Cholesky factor of ``cov``.

    Examples
    --------
    >>> r = pd.DataFrame([[1, 0.5], [0.5, 1]], index=["x", "y"], columns=["x", "y"])
    >>> round(float(twin(r, n=50).corr().loc["x", "y"]), 12)
    0.5
    """
    if isinstance(cov, pd.DataFrame):
        if list(map(str, cov.index)) != list(map(str, cov.columns)):
            raise ValueError(
                "the rows and columns of cov have different names or another order; make them the same"
            )
        names = [str(c) for c in cov.columns]
        matrix = cov.to_numpy(dtype=float)
    else:
        matrix = np.asarray(cov, dtype=float)
        names = [f"x{i + 1}" for i in range(len(matrix))] if matrix.ndim == 2 else []
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] == 0:
        raise ValueError(f"cov must be a square matrix, and has the shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError(
            "cov holds missing or infinite values; a printed lower triangle must be mirrored first"
        )
    if not np.allclose(matrix, matrix.T, atol=1e-10 * max(1.0, np.abs(matrix).max())):
        i, j = np.unravel_index(np.argmax(np.abs(matrix - matrix.T)), matrix.shape)
        raise ValueError(
            f"cov is not symmetric: {names[i]} with {names[j]} is {matrix[i, j]:g} above and {matrix[j, i]:g} below "
            "the diagonal"
        )
    if (np.diag(matrix) <= 0).any():
        raise ValueError(f"the variance of {names[int(np.argmin(np.diag(matrix)))]} is not positive")
    _checks.positive_definite(matrix, names, "matrix")
    p = len(names)
    n = _whole(n, "n")
    if n <= p:
        raise ValueError(
            f"n = {n} rows cannot have a covariance matrix of {p} variables of full rank; take n > {p}"
        )
    if means is None:
        centre = np.zeros(p)
    elif isinstance(means, (Mapping, pd.Series)):
        missing = [v for v in names if v not in means]
        if missing:
            raise ValueError(f"means has no value for {', '.join(missing)}")
        centre = np.array([float(means[v]) for v in names])
    else:
        centre = np.asarray(means, dtype=float).ravel()
        if centre.shape != (p,):
            raise ValueError(f"means has {centre.size} values, and cov has {p} variables")
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(_seed(seed, {"seed": 0}))
    z = rng.standard_normal((n, p))
    z -= z.mean(axis=0)
    q, r = np.linalg.qr(z)
    q = q * np.sign(np.diag(r)) * np.sqrt(n - 1)  # signs fixed: LAPACKs differ in them
    data = q @ cholesky(matrix, lower=True).T
    return pd.DataFrame(data - data.mean(axis=0) + centre, columns=names)


# --- the population of five-point answers -----------------------------------------------------------------------
def population(what: str = "cov", faults: bool = False, keyed: bool = True) -> pd.DataFrame | pd.Series:
    """Means or covariances of the five-point answers in the whole population (a million simulated respondents).

    Ordinary maximum likelihood on five-point answers does not estimate the loadings and correlations of the latent
    responses, but what these become after cutting. Fit the same model to this matrix to get that target::

        sc.fit(model, sample_cov=sc.simulate.population(), n_obs=1_000_000)

    Parameters
    ----------
    what : ``"cov"``, ``"corr"``, ``"mean"``
    faults : bool
        True: with the two item faults of ``telecom_survey`` (the item that does not load, the shifted intercept).
        Rows (careless, missing, doubled) are never included.
    keyed : bool
        True: reverse-keyed items turned round.

    Returns
    -------
    DataFrame (cov, corr) or Series (mean) of the 89 items. Monte Carlo error: about .002 in a covariance.
    """
    if what not in ("cov", "corr", "mean"):
        raise ValueError(f"what is 'cov', 'corr' or 'mean', and not {what!r}")
    stored = _stored_population()
    names, cov, mean = stored["items"], stored["cov"], stored["mean"]
    take = np.array([stored["with_faults"].get(name, i) if faults else i for i, name in enumerate(names)])
    t = _stored_truth()["items"]
    top = np.array([len(t[name]["thresholds"]) + 1 for name in names])
    turn = np.array([t[name]["reverse"] and keyed for name in names])
    sign = np.where(turn, -1.0, 1.0)
    if what == "mean":
        m = mean[take]
        return pd.Series(np.where(turn, top + 1 - m, m), index=names)
    c = cov[np.ix_(take, take)] * np.outer(sign, sign)
    if what == "corr":
        sd = np.sqrt(np.diag(c))
        c = c / np.outer(sd, sd)
    return pd.DataFrame(c, index=names, columns=names)


@lru_cache(maxsize=1)
def _stored_population() -> dict:
    stored = json.loads(_file("truth_observed.json").read_text(encoding="utf-8"))
    size = len(stored["mean"])
    cov = np.zeros((size, size))
    cov[np.tril_indices(size)] = [v for row in stored["cov_lower_triangle"] for v in row]
    cov = cov + np.tril(cov, -1).T
    names = stored["items"]
    extra = {name: len(names) + k for k, name in enumerate(stored["items_with_faults"])}
    return {"items": names, "mean": np.array(stored["mean"]), "cov": cov, "with_faults": extra}


def _observe_population(n: int = 1_000_000, chunk: int = 50_000) -> dict:
    """Work out the content of truth_observed.json from a very large fault-free sample."""
    t = _stored_truth()
    names = list(t["items"])
    extra = [t["faults"]["bad_item"]["item"], t["faults"]["intercept"]["item"]]
    size = len(names) + len(extra)
    total, squares = np.zeros(size), np.zeros((size, size))
    for k in range(n // chunk):
        seed = 1_000_000 + k
        clean = survey(t, chunk, seed, False, columns=names).to_numpy()
        bad = survey(t, chunk, seed, ["bad_item", "intercept"], columns=extra).to_numpy()
        x = np.column_stack([clean, bad]) - 3
        total += x.sum(axis=0)
        squares += x.T @ x  # whole numbers, so the sums are exact in any order
    mean = total / n
    cov = (squares - n * np.outer(mean, mean)) / (n - 1)
    return {
        "about": "Means and covariances of the raw (not turned) answers in five points, from a fault-free sample of "
        f"{n} simulated respondents. Written by: python -m switchcost.simulate --population",
        "n": n,
        "items": names,
        "items_with_faults": extra,
        "mean": [round(v, 6) for v in (mean + 3).tolist()],
        "cov_lower_triangle": [[round(v, 6) for v in row[: i + 1]] for i, row in enumerate(cov.tolist())],
    }


# --- files -----------------------------------------------------------------------------------------------------
def _survey_codebook(t: Mapping, data: pd.DataFrame) -> pd.DataFrame:
    dimension = {f: d for d, facets in t["dimensions"].items() for f in facets}
    scale_source = "simulated; own wording after the construct in Burnham, Frels & Mahajan (2003)"
    rows = []
    for name, spec in t["items"].items():
        latent = "service quality, perceived" if len(spec["loads"]) > 1 else next(iter(spec["loads"]))
        latent = {"expectations": "service quality, expected"}.get(latent, latent)
        if name == "osat":
            latent = "overall satisfaction"
        rows.append(
            {
                "variable": name,
                "construct": latent,
                "label_en": spec["label_en"],
                "label_zh": spec["label_zh"],
                "low": 1,
                "high": len(spec["thresholds"]) + 1,
                "reverse": int(spec["reverse"]),
                "missing_code": "",
                "source": scale_source if latent in dimension else "simulated; own wording",
                "facet": latent if latent in dimension else "",
                "dimension": dimension.get(latent, ""),
            }
        )
    labels = {
        "operator": ("Operator: A, B or C", "运营商：A、B 或 C"),
        "contract": (
            "Type of contract: prepaid or contract",
            "合约类型：预付费（prepaid）或合约（contract）",
        ),
        "tenure": ("Months with the operator", "在网月数"),
        "spend": ("Spending on the operator's services, money per month", "每月在该运营商的消费金额"),
        "age": ("Age in years", "年龄（岁）"),
        "gender": ("Gender: female or male", "性别：女（female）或男（male）"),
    }
    for name, (en, zh) in labels.items():
        spec = t["background"].get(name, {})
        rows.append(
            {
                "variable": name,
                "construct": "group" if name in ("operator", "contract", "gender") else "background",
                "label_en": en,
                "label_zh": zh,
                "low": spec.get("low", ""),
                "high": spec.get("high", ""),
                "reverse": 0,
                "missing_code": "",
                "source": "simulated",
                "facet": "",
                "dimension": "",
            }
        )
    return pd.DataFrame(rows)


def _usage_codebook() -> pd.DataFrame:
    rows = [
        (
            "customer",
            "key",
            "Customer number; customer k is row k of telecom_survey, counted from 1",
            "客户编号；第 k 位客户是 telecom_survey 的第 k 行（从 1 数起）",
            1,
            "",
        ),
        ("month", "time", "Month after the survey", "问卷之后的第几个月", 1, 36),
        (
            "bill",
            "revenue",
            "Bill of the month, money (contract customers; 0 for prepaid)",
            "当月账单金额（合约客户；预付费客户为 0）",
            0,
            "",
        ),
        (
            "topups",
            "revenue",
            "Number of top-ups in the month (prepaid customers; 0 for contract)",
            "当月充值次数（预付费客户；合约客户为 0）",
            0,
            "",
        ),
        ("topup_amount", "revenue", "Money topped up in the month", "当月充值金额", 0, ""),
        (
            "left",
            "departure",
            "1 in the month in which the customer left, otherwise 0",
            "客户在当月离网记 1，否则记 0",
            0,
            1,
        ),
    ]
    book = pd.DataFrame(rows, columns=["variable", "construct", "label_en", "label_zh", "low", "high"])
    return book.assign(reverse=0, missing_code="", source="simulated")


_SURVEY_README = """# telecom_survey (simulated)

**These data are simulated. Nobody was asked.** They are teaching data with a known truth: a survey of {n} customers of a
mobile market with three operators, prepaid and contract. Use them to see what a method finds and what it misses, never
as evidence about customers.

- Rows: {n} respondents. Columns: {k} ({items} items, then operator, contract, tenure in months, spend in money per month,
  age, gender). Items have five points (1 disagree ... 5 agree), `osat` has seven. An empty cell is a missing answer.
- Item names and wording, English and Chinese: `codebook.csv`. Reverse-keyed items are stored as answered;
  `sc.simulate.keyed(data)` turns them round.
- The truth: `truth.json`. Latent variables have mean 0 and variance 1 in the whole market, coefficients are standardised
  and refer to the latent response before it is cut into points. `sc.simulate.parameters()` lists them.
- What ordinary maximum likelihood finds in five-point answers of an endless sample differs a little (cutting
  attenuates). `truth_observed.json` holds the means and covariances of a million fault-free respondents;
  `sc.fit(model, sample_cov=sc.simulate.population(), n_obs=1_000_000)` gives the target for any model.
- Planted faults, with their rows (counted from 0) in `truth.json`: careless respondents, a block entered twice, answers
  missing at random given age, an item that does not load, an item with a shifted intercept between contract types.
- The pattern of the truth follows what is reported on switching costs in mobile markets: procedural costs move neither
  loyalty, financial costs raise both, relational costs lower attitudinal and raise behavioural loyalty, financial
  costs weaken satisfaction -> loyalty. The sizes are ours.
- Written by `python -m switchcost.simulate` from `truth.json` with seed {seed}; `--population` writes
  `truth_observed.json` anew.
- The items are our own wording of published constructs (switching-cost facets after Burnham, Frels & Mahajan 2003,
  Journal of the Academy of Marketing Science 31(2), 109-126). Licence: CC BY 4.0.
"""

_USAGE_README = """# telecom_usage (simulated)

**These data are simulated.** They follow the {n} customers of `telecom_survey` for {months} months after the survey:
bills, top-ups, departures.

- Rows: {rows}, one a customer and month, until the month in which the customer leaves (`left` = 1) or month {months}.
  {gone} of {n} customers leave.
- `customer` k is row k of `telecom_survey`, counted from 1. The rows of the survey that were entered twice (see its
  truth file) are an error of the survey only: bills belong to the customer who should stand there.
- Contract customers have a bill, prepaid customers top up in units of 10. Money has no currency.
- The truth: `usage` in `../telecom_survey/truth.json`. Each month a customer leaves with probability 1 - exp(-hazard); the
  log hazard falls with satisfaction, financial and relational switching costs and rises with the attractiveness of
  alternatives, and satisfaction protects less where financial costs are high.
- Written by `python -m switchcost.simulate` with seed {seed}. Licence: CC BY 4.0.
"""


def write(folder: str | Path | None = None, population: bool = False) -> list[Path]:
    """Write telecom_survey and telecom_usage (data, codebooks, READMEs) from the truth file; byte-identical each time.

    Parameters
    ----------
    folder : path, optional
        Where the folders ``telecom_survey`` and ``telecom_usage`` are; the project's ``data/simulated`` when None.
    population : bool
        Also work out ``truth_observed.json`` (a million respondents, some seconds).

    Returns
    -------
    list of the files written
    """
    home = data_dir() / "simulated" if folder is None else Path(folder)
    t = _stored_truth()
    data = survey()
    follow = usage()
    items = list(t["items"])
    answers = data.copy()
    answers[items] = answers[items].astype("Int64")
    texts = {
        "telecom_survey/telecom_survey.csv": answers.to_csv(index=False, lineterminator="\n"),
        "telecom_survey/codebook.csv": _survey_codebook(t, data).to_csv(index=False, lineterminator="\n"),
        "telecom_survey/README.md": _SURVEY_README.format(
            n=len(data), k=data.shape[1], items=len(items), seed=t["seed"]
        ),
        "telecom_usage/telecom_usage.csv": follow.assign(bill=follow["bill"].map("{:.2f}".format)).to_csv(
            index=False, lineterminator="\n"
        ),
        "telecom_usage/codebook.csv": _usage_codebook().to_csv(index=False, lineterminator="\n"),
        "telecom_usage/README.md": _USAGE_README.format(
            n=len(data),
            months=t["usage"]["months"],
            rows=len(follow),
            gone=int(follow["left"].sum()),
            seed=t["seed"],
        ),
    }
    if population:
        stored = _observe_population()
        triangle = ",\n".join("  " + json.dumps(row) for row in stored.pop("cov_lower_triangle"))
        head = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in stored.items())
        texts["telecom_survey/truth_observed.json"] = (
            f'{{\n{head},\n "cov_lower_triangle": [\n{triangle}\n ]\n}}\n'
        )
    paths = []
    for name, text in texts.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
        paths.append(path)
    return paths


def main(argv: Sequence[str] | None = None) -> None:
    """``python -m switchcost.simulate [--population]``: write the simulated data sets."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m switchcost.simulate", description=main.__doc__)
    parser.add_argument("--population", action="store_true", help="also write truth_observed.json")
    args = parser.parse_args(argv)
    for path in write(population=args.population):
        print(f"data/simulated/{path.parent.name}/{path.name}  {path.stat().st_size:,} bytes")
    register()  # the checksums that sc.load compares with


if __name__ == "__main__":
    main()
