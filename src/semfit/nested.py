"""Comparing fits: chi-square differences, measurement invariance, and score tests of equality constraints."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .errors import DataError, NotConvergedError
from .estimate import evaluate
from .fitting import fit
from .measures import chi2_p
from .result import Fit
from .solution import invert_information
from .spec import ModelSpec

LEVELS = {
    "configural": (),
    "metric": ("loadings",),
    "scalar": ("loadings", "intercepts"),
    "strict": ("loadings", "intercepts", "residuals"),
}


_TESTED = {"metric": "=~", "scalar": "~1", "strict": "~~"}


def compare(*fits: Fit, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Chi-square difference tests of nested models.

    Parameters
    ----------
    *fits : two or more fits of the same data, each model a restriction of another
    names : labels of the rows, in the order of ``fits``

    Returns
    -------
    DataFrame
        One row a model, the least restricted first: df, chisq, cfi, rmsea, srmr, aic, bic, delta_chisq, delta_df,
        delta_pvalue, delta_cfi, delta_rmsea; differences are to the row above. Under MLR chisq is the scaled one,
        cfi and rmsea are the robust ones, and delta_chisq is the scaled difference.

    Raises
    ------
    ValueError
        Other variables, a mix of estimators, or two models with the same degrees of freedom (then neither is nested
        in the other: compare ``fit.measures["aic"]``).

    Notes
    -----
    Under MLR: (T0 - T1) / cd, cd = (d0 c0 - d1 c1) / (d0 - d1) (Satorra & Bentler 2001, Psychometrika 66), with the
    unscaled T; equals ``lavTestLRT``. A difference of scaled chi-squares is not a chi-square.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=300)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
    >>> free = semfit.fit("f =~ x1 + x2 + x3 + x4", data)
    >>> equal = semfit.fit("f =~ x1 + 1*x2 + 1*x3 + 1*x4", data)
    >>> semfit.compare(equal, free, names=["equal loadings", "free"])["delta_df"].tolist()
    [nan, 3.0]
    """
    if len(fits) < 2 or not all(isinstance(f, Fit) for f in fits):
        raise DataError("compare needs two or more results of semfit.fit")
    if names is not None and len(names) != len(fits):
        raise DataError(f"{len(fits)} fits and {len(names)} names")
    names = list(names) if names is not None else [f"model {k + 1}" for k in range(len(fits))]
    order = sorted(range(len(fits)), key=lambda k: fits[k].df)
    fits, names = [fits[k] for k in order], [names[k] for k in order]
    first = fits[0]
    notes = []
    for f, name in zip(fits, names, strict=True):
        if not f.converged:
            raise NotConvergedError(f"{name} did not converge; its chi-square means nothing")
        other = sorted(set(f.solution.model.ov) ^ set(first.solution.model.ov))
        if other:
            raise DataError(
                f"{names[0]} and {name} have different variables ({', '.join(other[:6])}); "
                "their chi-squares cannot be compared"
            )
        if f.estimator != first.estimator:
            raise DataError(f"{names[0]} is a fit by {first.estimator} and {name} by {f.estimator}; use one estimator")
        if f.solution.model.means != first.solution.model.means:
            raise DataError(f"only one of {names[0]} and {name} models the means; pass meanstructure to both")
        if f.n_obs != first.n_obs:
            notes.append(f"{names[0]} and {name} use different rows (n = {first.n_obs} and {f.n_obs})")
        elif not all(
            np.allclose(_sorted(f, k), _sorted(first, k), rtol=1e-8) for k in range(f.solution.model.n_groups)
        ):
            notes.append(f"{names[0]} and {name} use different data: their sample moments differ")
    for a, b, x, y in zip(fits, fits[1:], names, names[1:], strict=False):
        if a.df == b.df:
            raise DataError(
                f"{x} and {y} have the same degrees of freedom ({a.df}), so neither is nested in the "
                "other: compare fit.measures['aic'] or ['bic'] instead"
            )
    rows = [_row(fits[0], None)]
    for a, b, x, y in zip(fits, fits[1:], names, names[1:], strict=False):
        rows.append(_row(b, a))
        if rows[-1]["delta_chisq"] < -1e-6:
            notes.append(
                f"{y} fits better than {x} although it is more restricted: the models are not nested, or one "
                "found a local minimum"
            )
    for n in notes:
        warnings.warn(n, UserWarning, stacklevel=2)
    out = pd.DataFrame(rows, index=pd.Index(names, name="model"))
    out.attrs["notes"] = notes
    return out


def _sorted(f: Fit, k: int) -> np.ndarray:
    order = np.argsort(f.solution.model.ov)
    return f.solution.h1.cov[k][np.ix_(order, order)]


def _row(f: Fit, parent: Fit | None) -> dict:
    m, robust = f.measures, f.estimator == "MLR"
    c, cfi, rmsea = ("chisq_scaled", "cfi_robust", "rmsea_robust") if robust else ("chisq", "cfi", "rmsea")
    p = "pvalue_scaled" if robust else "pvalue"
    row = {
        "chisq": m[c],
        "df": m["df"],
        "pvalue": m[p],
        "cfi": m.get(cfi, np.nan),
        "rmsea": m.get(rmsea, np.nan),
        "srmr": m["srmr"],
        "aic": m["aic"],
        "bic": m["bic"],
    }
    row |= dict.fromkeys(("delta_chisq", "delta_df", "delta_pvalue", "delta_cfi", "delta_rmsea"), np.nan)
    if parent is not None:
        m1 = parent.measures
        d = f.df - parent.df
        difference = m["chisq"] - m1["chisq"]
        if robust:
            c1 = m1["chisq_scaling_factor"] if parent.df else 1.0
            scale = (f.df * m["chisq_scaling_factor"] - parent.df * c1) / d
            difference = difference / scale if scale > 0 else np.nan
        row |= {
            "delta_chisq": difference,
            "delta_df": float(d),
            "delta_pvalue": chi2_p(max(difference, 0.0), d),
            "delta_cfi": row["cfi"] - m1.get(cfi, np.nan),
            "delta_rmsea": row["rmsea"] - m1.get(rmsea, np.nan),
        }
        if np.isnan(difference):
            row["delta_pvalue"] = np.nan
    return row


class Invariance(pd.DataFrame):
    """Table of :func:`semfit.invariance`; ``fits`` by level and ``score_tests`` hang on it."""

    _metadata = ["fits", "score_tests"]


def invariance(
    model: str | ModelSpec,
    data: pd.DataFrame,
    group: str,
    *,
    estimator: str = "ML",
    group_partial: str | Sequence[str] = (),
    missing: str = "listwise",
    std_lv: bool = False,
) -> Invariance:
    """Measurement invariance across groups: configural, metric, scalar and strict models, and their differences.

    Parameters
    ----------
    model : measurement model in lavaan syntax
    data : DataFrame
    group : column that holds the groups
    estimator, missing, std_lv : as in :func:`semfit.fit`
    group_partial : parameters left free across groups at every level, such as ``["f =~ x2", "x2 ~ 1"]``

    Returns
    -------
    DataFrame
        Rows configural, metric (equal loadings), scalar (and intercepts), strict (and residual variances); columns
        chisq, df, pvalue, cfi, rmsea, srmr, delta_chisq, delta_df, delta_pvalue, delta_cfi, delta_rmsea.
        A common reading: a fall in CFI of more than .010 together with a rise in RMSEA of .015 speaks against the
        level (Chen 2007). ``.fits`` holds the four fits by name. ``.score_tests`` says for each equality at the
        level that added it what releasing it would gain: level, lhs, op, rhs, group (the one that differs most),
        chisq, df, pvalue, epc (expected change of that group's value); largest first.

    Raises
    ------
    ValueError as :func:`semfit.fit`

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=400)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=400) for i in range(1, 5)})
    >>> data["school"] = np.repeat(["north", "south"], 200)
    >>> ladder = semfit.invariance("f =~ x1 + x2 + x3 + x4", data, group="school")
    >>> ladder.index.tolist()
    ['configural', 'metric', 'scalar', 'strict']
    """
    options = {"estimator": estimator, "missing": missing, "std_lv": std_lv, "group": group}
    fits = {
        level: fit(model, data, group_equal=equal, group_partial=group_partial if equal else (), **options)
        for level, equal in LEVELS.items()
    }
    failed = [level for level, f in fits.items() if not f.converged]
    if failed:
        raise NotConvergedError(
            f"the {failed[0]} model did not converge; look at semfit.fit(..., group={group!r}) on its own"
        )
    rows, before = [], None
    for f in fits.values():
        if before is not None and f.df == before.df:
            before, row = f, _row(f, None)
        else:
            row, before = _row(f, before), f
        rows.append({k: v for k, v in row.items() if k not in ("aic", "bic")})
    out = Invariance(rows, index=pd.Index(list(fits), name="level"))
    tests = [score_tests(fits[level], op).assign(level=level) for level, op in _TESTED.items()]
    tests = pd.concat(tests, ignore_index=True)
    out.fits = fits
    out.score_tests = tests[["level", *[c for c in tests.columns if c != "level"]]].sort_values(
        "chisq", ascending=False, ignore_index=True
    )
    return out


def score_tests(fitted: Fit, op: str | None = None) -> pd.DataFrame:
    """What releasing each equality across groups would gain, without refitting.

    Parameters
    ----------
    fitted : a fit with groups and equal parameters
    op : only parameters with this operator (``"~~"`` then means variances)

    Returns
    -------
    DataFrame
        lhs, op, rhs, group, chisq, df, pvalue, epc. ``chisq`` tests equality in all groups at once (df = groups - 1);
        ``group`` is the label of the one whose own release gains most and ``epc`` its expected change.

    Notes
    -----
    Lagrange multiplier test with expected information, N g'V^-1 g with V = I_cc - I_ca I_aa^-1 I_ac
    (Buse 1982); for two groups it is the univariate test of ``lavTestScore``.
    """
    model = fitted.solution.model
    loose = model.unconstrained()
    theta = model.free_values(fitted.solution.theta)
    _, grad, info = (a[0] for a in evaluate(loose, fitted.solution.data, theta[None]))
    K, N = model.K, fitted.n_total
    inner = invert_information(K.T @ info @ K)
    V = info - info @ K @ inner @ K.T @ info
    shared: dict = {}
    for r in model.free_rows:
        if r.label and (op is None or (r.op == op and (op != "~~" or r.lhs == r.rhs))):
            shared.setdefault((r.lhs, r.op, r.rhs, r.label), []).append(r)
    rows = []
    for (lhs, o, rhs, _), members in shared.items():
        if len({r.group for r in members}) < 2:
            continue
        c = np.array([r.free for r in members])
        d = np.diag(V)[c]
        with np.errstate(all="ignore"):
            single, change = N * grad[c] ** 2 / d, -grad[c] / d
        most = 1 if len(c) == 2 else int(np.nanargmax(single))  # of two groups both tests are the same
        rest = c[1:]
        chisq = N * grad[rest] @ np.linalg.solve(V[np.ix_(rest, rest)], grad[rest])
        rows.append(
            (
                lhs,
                o,
                rhs,
                fitted.groups[members[most].group],
                chisq,
                float(len(rest)),
                chi2_p(chisq, len(rest)),
                change[most],
            )
        )
    out = pd.DataFrame(rows, columns=["lhs", "op", "rhs", "group", "chisq", "df", "pvalue", "epc"])
    return out.sort_values("chisq", ascending=False, ignore_index=True)
