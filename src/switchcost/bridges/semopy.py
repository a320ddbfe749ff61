"""A fitted semopy model, completed: the same model at its optimum, and how far semopy had stopped from it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

import semfit
from semfit import Fit
from semfit.errors import NotIdentifiedError

from ..core import checks
from ..core.errors import DataError
from ..core.results import Result

Key = tuple[str, str, str]
REFUSED = {
    "MultigroupResult": "semopy.multigroup fits every group alone and keeps neither text nor data; "
    "fit the groups together with sc.fit(text, data, group='column')",
    "ModelEffects": "random effects are not a model that sc.fit knows; keep to semopy.ModelEffects for them",
    "ModelGeneralizedEffects": "random effects are not a model that sc.fit knows; keep to "
    "semopy.ModelGeneralizedEffects for them",
}
MEASURES = {"DoF": "df", "chi2": "chisq", "CFI": "cfi", "TLI": "tli", "RMSEA": "rmsea", "AIC": "aic", "BIC": "bic"}
MEASURES |= {"LogLik": "logl", "SRMR": "srmr"}


@dataclass(frozen=True, eq=False, repr=False)
class SemopyBridge(Result):
    """What semopy had, beside what is right.

    Attributes
    ----------
    table : DataFrame
        One row a free parameter: ``lhs op rhs semopy optimum difference``, largest difference first.
    measures : DataFrame
        Rows df, chisq, cfi, tli, rmsea, aic, bic, logl, srmr; columns ``semopy`` (what ``semopy.calc_stats`` prints,
        NaN where it has none) and ``right``.
    largest : float
        Largest absolute difference of an estimate, in the parameter's own units.
    parameter : str
        The parameter that has it.
    F_semopy, F_optimum : float
        The likelihood discrepancy (chi-square / n) where semopy stopped, and at the optimum; the first is NaN where
        semopy minimised something else.
    n_obs : int
        Rows used.
    text : str
        The model as refitted, every default of semopy written out.
    warnings : tuple of str
        What the two read differently, and what was made of it.
    """

    table: pd.DataFrame = field(repr=False)
    measures: pd.DataFrame = field(repr=False)
    largest: float
    parameter: str
    F_semopy: float
    F_optimum: float
    n_obs: int
    text: str = field(repr=False)
    warnings: tuple[str, ...] = ()

    def _heading(self) -> str:
        return (
            f"From semopy, n = {self.n_obs}: largest difference from the optimum {self.largest:.2g} ({self.parameter})"
            f"\nDiscrepancy F: semopy {self.F_semopy:.10g}, optimum {self.F_optimum:.10g}"
        )

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("Estimates", self.table.head(8)), ("Fit measures", self.measures)]


@dataclass(frozen=True)
class _Parameter:
    """One place of a semopy parameter in the model: fixed where ``free`` is False."""

    name: str
    value: float
    free: bool
    label: str = ""


def from_semopy(model: Any, data: pd.DataFrame | None = None) -> Fit:
    """A fitted semopy model, completed: the same model at its optimum, with right measures and intervals.

    Parameters
    ----------
    model : semopy.Model or semopy.ModelMeans
        After ``model.fit(...)``; a ``semopy.Optimizer`` is taken for its model.
    data : DataFrame, optional
        Rows to fit; None means those that the model keeps.

    Returns
    -------
    Fit
        As ``sc.fit`` returns it; ``fit.from_semopy`` is a :class:`SemopyBridge` that says how far semopy's estimates
        were from the optimum, and puts its measures beside the right ones.

    Raises
    ------
    DataError
        The model is not fitted, holds no rows and no sample size, or is of a kind that cannot be carried over: random
        effects, ``multigroup``, ordinal variables, a bound or an inequality that binds.
    NotIdentifiedError
        The data could not determine the parameters; semopy does not check this.

    Notes
    -----
    The model is read from semopy's matrices, so its defaults come along: covariances of exogenous latent variables
    and moments of observed predictors as in lavaan, none between outcomes. ``NA*x`` is a label to semopy; here it
    frees the loading, as in lavaan. Measures printed by semopy 2.3.11 as AIC, BIC and log-likelihood are
    ``2 (npar - F)``, ``npar log n - 2 F`` and ``F``. Full information (``obj="FIML"``) takes the means as zero in
    ``semopy.Model``; here they are estimated.

    Examples
    --------
    >>> import semopy, switchcost as sc
    >>> answers = semopy.examples.holzinger39.get_data()
    >>> model = semopy.Model(semopy.examples.holzinger39.get_model())
    >>> _ = model.fit(answers)
    >>> fit = sc.from_semopy(model)
    >>> fit.from_semopy.measures.loc["aic"].round(1).tolist()
    [41.4, 7517.5]
    """
    kinds = [c.__name__ for c in type(model).__mro__]
    if "Optimizer" in kinds:
        model = model.model
        kinds = [c.__name__ for c in type(model).__mro__]
    for kind in kinds:
        if kind in REFUSED:
            raise DataError(f"from_semopy cannot carry over a {kind}: {REFUSED[kind]}.")
    if "ModelBase" not in kinds:
        raise DataError(f"from_semopy takes a fitted semopy.Model, not a {type(model).__name__}.")
    if not hasattr(model, "last_result"):
        raise DataError("the semopy model is not fitted: call model.fit(data) first.")
    if model.vars.get("ordinal"):
        raise DataError(
            f"the model declares ordinal variables ({', '.join(sorted(model.vars['ordinal']))}), which semopy fits by "
            "their polychoric correlations as if these were covariances: fit the text with sc.fit(text, data, ordered=[...])."
        )
    notes: list[str] = []
    terms = _terms(model, notes)
    text = _write(model, terms, notes)
    source = _source(model, data, notes)
    try:
        fitted = semfit.fit(text, **source)
    except NotIdentifiedError as error:
        raise NotIdentifiedError(
            f"semopy fitted this model although the data cannot determine it: {error} The model as read:\n{text}"
        ) from None
    _check_bounds(model, terms, fitted, notes)
    object.__setattr__(fitted, "from_semopy", _bridge(model, terms, fitted, text, notes))
    return fitted


def compare(*fits: Fit, names: list[str] | None = None) -> semfit.Comparison:
    """Compare fits as :func:`semfit.compare`; where all came from semopy, its AIC and BIC stand beside the right ones.

    Parameters
    ----------
    *fits : Fit
        Two or more fits of the same data, each model a restriction of another.
    names : list of str, optional
        Labels of the rows, in the order of ``fits``.

    Returns
    -------
    Comparison
        As :func:`semfit.compare` returns it, with columns ``aic_semopy`` and ``bic_semopy`` for fits made by
        :func:`from_semopy`, and a note when these would have chosen another model.

    Examples
    --------
    >>> import semopy, switchcost as sc
    >>> answers, text = semopy.examples.holzinger39.get_data(), semopy.examples.holzinger39.get_model()
    >>> correlated, independent = semopy.Model(text), semopy.Model(text, cov_diag=True)
    >>> _ = correlated.fit(answers), independent.fit(answers)
    >>> import warnings; warnings.simplefilter("ignore")
    >>> both = sc.compare(sc.from_semopy(correlated), sc.from_semopy(independent), names=["correlated", "independent"])
    >>> both.table[["aic_semopy", "aic", "delta_chisq"]].round(1).values.tolist()
    [[41.4, 7517.5, nan], [35.0, 7579.7, 68.2]]
    """
    result = semfit.compare(*fits, names=names)
    bridges = [b for f in fits if isinstance(b := getattr(f, "from_semopy", None), SemopyBridge)]
    if len(bridges) < len(fits):
        return result
    table = result.table.copy()
    order = names if names is not None else [f"model {k + 1}" for k in range(len(fits))]
    for what in ("aic", "bic"):
        printed = {n: b.measures.loc[what, "semopy"] for n, b in zip(order, bridges, strict=True)}
        table.insert(list(table.columns).index(what) + 1, f"{what}_semopy", [printed[n] for n in table.index])
    best, chosen = table["aic"].idxmin(), table["aic_semopy"].idxmin()
    if best == chosen:
        return replace(result, table=table)
    note = (
        f"semopy's AIC would choose {chosen}, the real one {best}: semopy's counts the discrepancy with the wrong sign"
    )
    return replace(result, table=table, warnings=(*result.warnings, note))


def _terms(model: Any, notes: list[str]) -> dict[Key, _Parameter]:
    """Every parameter of the model by what it says in lavaan's syntax, read from semopy's matrices."""
    effects = _effects(model.description)
    latent, exogenous = set(model.vars["latent"]), set(model.vars["exogenous"])
    measured = {(f, i) for f, items in effects.get("=~", {}).items() for i in items}
    declared = latent - {f for f, _ in measured}
    inner = set(model.vars["inner"])
    given = {v for v in model.vars["observed"] if v in exogenous}
    matrices = {id(getattr(model, f"mx_{n}")): getattr(model, f"names_{n}") for n in model.matrices_names}
    kinds = {id(getattr(model, f"mx_{n}")): n for n in model.matrices_names}
    order = [*sorted(latent), *model.vars["observed"]]
    out: dict[Key, _Parameter] = {}
    for name, p in model.parameters.items():
        for place in p.locations:
            rows, cols = matrices[id(place.matrix)]
            a, b = rows[place.indices[0]], cols[place.indices[1]]
            if kinds[id(place.matrix)] in ("psi", "theta"):
                a, b = sorted((a, b), key=order.index)
                key = (a, "~~", b)
                if a != b and (a in inner) != (b in inner):
                    notes.append(
                        f"{a} ~~ {b}: semopy adds it to the covariance of these two alone; here it is a residual "
                        "covariance, as in lavaan"
                    )
            elif b in latent and ((b, a) in measured or b in declared):
                key = (b, "=~", a)
            else:
                key = (a, "~", b)
            shared = len(p.locations) > 1 or not re.fullmatch(r"_[bcg]\d+", name)
            label = name if p.active and shared and name != "NA" else ""
            out[key] = _Parameter(name, float(place.matrix[place.indices]), p.active, label)
    covariances = sorted((k for k in out if k[1] == "~~"), key=lambda k: [order.index(v) for v in k[::2]])
    out = {**{k: p for k, p in out.items() if k[1] != "~~"}, **{k: out[k] for k in covariances}}
    estimated = {v for (a, op, b), p in out.items() if op == "~~" and p.free for v in (a, b) if v in given}
    kept = {k: p for k, p in out.items() if not (k[1] == "~~" and set(k[::2]) <= given and not p.free)}
    if estimated:
        notes.append(
            f"semopy held the variances of predictors at their sample values although the model writes covariances of "
            f"{', '.join(sorted(estimated))}; here they are estimated"
        )
        return {k: replace(p, free=True) if k not in kept else p for k, p in out.items()}
    return kept


def _effects(description: Any) -> dict:
    """Operator -> left side -> right side -> modifier, as semopy parsed it."""
    from semopy.parser import parse_desc

    return dict(parse_desc(description)[0] if isinstance(description, str) else description[0])


def _operations(description: Any) -> dict:
    """Name of a command -> where it stands, as semopy parsed it."""
    from semopy.parser import parse_desc

    return dict(parse_desc(description)[1] if isinstance(description, str) else description[1])


def _write(model: Any, terms: dict[Key, _Parameter], notes: list[str]) -> str:
    """The model in lavaan's syntax, with what lavaan would add by itself switched off."""
    names = set(model.vars["all"]) | set(model.vars["observed"])
    loadings: dict[str, list[str]] = {}
    na = [k for k, p in terms.items() if p.name == "NA"]
    for latent, op, item in (k for k in terms if k[1] == "=~"):
        p = terms[latent, op, item]
        variance = terms.get((latent, "~~", latent))
        freed = any(k[0] == latent for k in na) and variance is not None and not variance.free
        if freed and not p.free and not _written(model, latent, item):
            p = terms[latent, op, item] = replace(p, free=True)
        items = loadings.setdefault(latent, [])
        items.append(_modified(p, item, names, first=not items))
    lines: list[str] = []
    paths: dict[str, list[str]] = {}
    if na:
        notes.append(
            "NA* is a label to semopy (equal loadings, and another item as marker); here it frees the loading: "
            + ", ".join(f"{a} {op} {b}" for a, op, b in na)
        )
    mentioned = {v for k in terms if k[1] != "~~" for v in k[::2]}
    for (a, op, b), p in terms.items():
        if op == "~" and b == "1":
            lines.append(f"{a} ~ {_modified(p, b, names)}")
        elif op == "~":
            paths.setdefault(a, []).append(_modified(p, b, names))
        elif op == "~~" and (a != b or not p.free or p.label or a not in mentioned or a not in _receivers(terms)):
            if a in model.vars["latent"] and a == b and p.free and not p.label:
                continue  # lavaan's default, too
            lines.append(f"{a} ~~ {_modified(p, b, names)}")
    lines = [
        *[f"{latent} =~ {' + '.join(items)}" for latent, items in loadings.items()],
        *[f"{outcome} ~ {' + '.join(causes)}" for outcome, causes in paths.items()],
        *lines,
    ]
    have = {frozenset(k[::2]) for k in terms if k[1] == "~~"}
    lines += [f"{a} ~~ 0*{b}" for a, b in _defaults(terms) if frozenset((a, b)) not in have]
    for kind, expression in _constraints(model.description):
        if kind == "=":
            left, right = expression
            lines.append(f"{left} == {right}")
    return "\n".join(lines)


def _written(model: Any, latent: str, item: str) -> bool:
    """Whether the text itself fixes this loading."""
    return _effects(model.description)["=~"].get(latent, {}).get(item) is not None


def _modified(p: _Parameter, name: str, names: set[str], first: bool = False) -> str:
    if not p.free:
        return f"{p.value:.15g}*{name}"
    label = f"{p.label}_" if p.label in names else p.label
    marked = f"{label}*{name}" if label else name
    return (f"NA*{name} + {marked}" if label else f"NA*{name}") if first else marked


def _receivers(terms: Iterable[Key]) -> set[str]:
    return {k[2] if k[1] == "=~" else k[0] for k in terms if k[1] != "~~"}


def _defaults(terms: Iterable[Key]) -> list[tuple[str, str]]:
    """Pairs whose covariance lavaan frees by itself: exogenous latents, and outcomes that predict nothing."""
    keys = list(terms)
    lv = list(dict.fromkeys(k[0] for k in keys if k[1] == "=~"))
    indicators = {k[2] for k in keys if k[1] == "=~"}
    outcomes = list(dict.fromkeys(k[0] for k in keys if k[1] == "~" and k[2] != "1"))
    causes = {k[2] for k in keys if k[1] == "~"}
    exogenous = [v for v in lv if v not in indicators and v not in outcomes]
    ends = [v for v in outcomes if v not in indicators and v not in causes]
    return [*combinations(exogenous, 2), *combinations(ends, 2)]


def _constraints(description: Any) -> list[tuple[str, Any]]:
    """(sign, (left, right)) of the constraints written in the text, in lavaan's spelling."""
    operations = _operations(description)
    out = []
    for operation in [*operations.get("CONSTRAINT", []), *operations.get("constraint", [])]:
        written = operation.params if isinstance(operation.params, str) else operation.params[0]
        left, sign, right = re.split("([<>=])=?", written.strip("'\"` "), maxsplit=1)
        out.append((sign, (left.strip(), right.strip())))
    return out


def _source(model: Any, data: pd.DataFrame | None, notes: list[str]) -> dict[str, Any]:
    """What the refit starts from: the rows, or the covariance matrix that semopy was given."""
    means = hasattr(model, "mx_gamma1")
    columns = list(model.vars["observed"]) + [v for v in model.vars.get("observed_exogenous", []) if v != "1"]
    objective = model.last_result.name_obj
    if objective not in ("MLW", "FIML"):
        notes.append(f"semopy minimised {objective}; the refit is by maximum likelihood")
    if data is None and hasattr(model, "mx_data"):
        rows = model.mx_data
        if means:
            kept = [k for k, v in enumerate(model.vars["observed_exogenous"]) if v != "1"]
            rows = np.column_stack([rows, np.asarray(model.mx_g)[kept].T])
        data = pd.DataFrame(np.asarray(rows, dtype=float), columns=columns)
        if not means and not np.isnan(rows).any() and not np.allclose(np.cov(rows.T, bias=True), model.mx_cov):
            notes.append(
                "semopy fitted another covariance matrix than that of the rows (one handed in, or the nearest positive "
                "definite one); that matrix is fitted"
            )
            data = None
    if data is None:
        if model.n_samples is None:
            raise DataError(
                "semopy was fitted to a covariance matrix without a sample size, so nothing can be tested: "
                "say model.fit(cov=..., n_samples=...), or hand the rows to from_semopy(model, data)."
            )
        observed = list(model.vars["observed"])
        n = int(model.n_samples)
        # semopy takes the matrix as it is; sample_cov has divisor n - 1
        cov = pd.DataFrame(model.mx_cov * n / (n - 1), index=observed, columns=observed)
        return {"sample_cov": cov, "n_obs": n}
    data = checks.frame(data)
    lacking = [c for c in columns if c not in data.columns]
    if lacking:
        raise DataError(f"column {lacking[0]!r} of the semopy model is not in the data.")
    gaps = bool(data[columns].isna().to_numpy().any())
    if objective == "FIML":
        if not means and (data[columns].mean().abs() > 1e-6 * data[columns].std()).any():
            notes.append("semopy's FIML takes the means as zero and the data were not centred; here they are estimated")
        return {"data": data, "missing": "fiml", "meanstructure": True} if gaps or not means else {"data": data}
    if gaps:
        complete = int(data[columns].notna().all(axis=1).sum())
        notes.append(
            f"semopy took covariances pair by pair from {len(data)} rows; the refit uses the {complete} complete ones "
            "(fit with obj='FIML' to use all)"
        )
    return {"data": data}


def _check_bounds(model: Any, terms: dict[Key, _Parameter], fitted: Fit, notes: list[str]) -> None:
    """Bounds and inequalities are not carried over; that is right only where the optimum respects them."""
    est = _estimates(fitted)
    value = {p.name: est[k] for k, p in terms.items() if k in est}
    for name, p in model.parameters.items():
        low, high = (-math.inf if p.bound[0] is None else p.bound[0]), (math.inf if p.bound[1] is None else p.bound[1])
        if not p.active or name not in value or low <= value[name] <= high:
            continue
        where = next(" ".join(k) for k, q in terms.items() if q.name == name)
        if (low, high) == (0, math.inf):
            notes.append(f"semopy held {where} at zero or above; the optimum is {value[name]:.4g} (a Heywood case)")
            continue
        raise DataError(
            f"{where} is bounded by [{low:g}, {high:g}] and its best value is {value[name]:.4g}: an optimum on a bound "
            "has no standard errors. Fix the parameter at the bound, or leave the bound out."
        )
    active = [value.get(n, p.start) for n, p in model.parameters.items() if p.active]
    for constraint in model.constraints:
        if constraint["type"] == "ineq" and float(constraint["fun"](active)) < -1e-6:
            raise DataError(
                "an inequality of the model (CONSTRAINT) is not met by the best values: an optimum on its edge has no "
                "standard errors. Write it as an equality, or leave it out."
            )


def _estimates(fitted: Fit) -> dict[Key, float]:
    e = fitted.estimates
    out = {}
    for lhs, op, rhs, est in zip(e["lhs"], e["op"], e["rhs"], e["est"], strict=True):
        key = (lhs, "~", "1") if op == "~1" else (lhs, op, rhs)
        out[key] = est
        if op == "~~":
            out[rhs, op, lhs] = est
    return out


def _printed(model: Any) -> dict[str, float]:
    """What semopy prints as measures of fit; without those on its baseline model where it cannot build that."""
    from semopy import stats

    if model.n_samples is None:
        return {}
    if not {"START", "start", "BOUND", "bound", "CONSTRAINT", "constraint"} & set(_operations(model.description)):
        with np.errstate(all="ignore"):
            return dict(stats.calc_stats(model).iloc[0])
    chisq, likelihood, df = stats.calc_chi2(model)[0], stats.calc_likelihood(model), stats.calc_dof(model)
    out = {"DoF": df, "chi2": chisq, "RMSEA": stats.calc_rmsea(model, chisq, df), "LogLik": likelihood}
    return out | {"AIC": stats.calc_aic(model, likelihood), "BIC": stats.calc_bic(model, likelihood)}


def _bridge(model: Any, terms: dict[Key, _Parameter], fitted: Fit, text: str, notes: list[str]) -> SemopyBridge:
    est = _estimates(fitted)
    frame = fitted.estimates
    fixed = {(a, op, b) for a, op, b, se in frame[["lhs", "op", "rhs", "se"]].itertuples(index=False) if np.isnan(se)}
    for a, op, b in (k for k, p in terms.items() if p.free and k in fixed and k[0] == k[2]):
        notes.append(
            f"{a} {op} {b} is fixed at {est[a, op, b]:g}, as lavaan does for a factor with a single item; semopy "
            "estimated it although the data cannot determine it"
        )
    rows = [(*k, p.value, est[k]) for k, p in terms.items() if p.free and k in est]
    table = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "semopy", "optimum"])
    table["difference"] = table["semopy"] - table["optimum"]
    table = table.sort_values("difference", key=np.abs, ascending=False, ignore_index=True)
    printed = _printed(model)
    right = fitted.measures
    measures = pd.DataFrame(
        [(ours, printed.get(theirs, np.nan), right.get(ours, np.nan)) for theirs, ours in MEASURES.items()],
        columns=["measure", "semopy", "right"],
    ).set_index("measure")
    wishart = model.last_result.name_obj == "MLW"
    if not model.last_result.success:
        notes.append(f"semopy's search failed: {model.last_result.message}")
    top = table.iloc[0] if len(table) else None
    n = fitted.n_total
    return SemopyBridge(
        table=table,
        measures=measures.astype(float),
        largest=math.nan if top is None else abs(float(top["difference"])),
        parameter="" if top is None else f"{top['lhs']} {top['op']} {top['rhs']}",
        F_semopy=float(model.obj_mlw(model.param_vals)) if wishart else math.nan,
        F_optimum=float(right["chisq"]) / n,
        n_obs=n,
        text=text,
        warnings=tuple(notes),
    )
