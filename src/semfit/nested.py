"""Comparing fits: chi-square differences of nested models."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .arguments import NAMES
from .errors import DataError, NotConvergedError
from .measures import Difference, chi2_p, chisq_difference
from .ordinal.solution import OrdinalSolution
from .printing import Result
from .result import Fit


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Nested models and their differences; made by :func:`compare`.

    Attributes
    ----------
    table : DataFrame
        One row a model, the least restricted first: chisq, df, pvalue, cfi, rmsea, srmr, aic, bic, delta_chisq,
        delta_df, delta_pvalue, delta_cfi, delta_rmsea; differences are to the row above.
    n_obs : int
        Rows of the first model.
    warnings : tuple of str
    """

    table: pd.DataFrame
    n_obs: int
    warnings: tuple[str, ...] = ()

    def _heading(self) -> str:
        return f"Comparison of {len(self.table)} models, n = {self.n_obs}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table)]


def compare(*fits: Fit, names: Sequence[str] | None = None) -> Comparison:
    """Chi-square difference tests of nested models.

    Parameters
    ----------
    *fits : Fit
        Two or more fits of the same data, each model a restriction of another.
    names : sequence of str, optional
        Labels of the rows, in the order of ``fits``.

    Returns
    -------
    Comparison
        ``.table`` has one row a model, the least restricted first. Under MLR chisq is the scaled one, cfi and rmsea are
        the robust ones, and delta_chisq is the scaled difference; see ``semfit.measures.chisq_difference``. Under
        WLSMV chisq, cfi and rmsea are the scaled ones and delta_chisq is the scaled and shifted difference of Satorra
        (2000), as ``lavaan::lavTestLRT`` has it.

    Raises
    ------
    DataError
        Other variables, a mix of estimators, or two models with the same degrees of freedom (then neither is nested
        in the other: compare ``fit.measures["aic"]``).
    NotConvergedError

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=300)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
    >>> free = semfit.fit("f =~ x1 + x2 + x3 + x4", data)
    >>> equal = semfit.fit("f =~ x1 + 1*x2 + 1*x3 + 1*x4", data)
    >>> semfit.compare(equal, free, names=["equal loadings", "free"]).table["delta_df"].tolist()
    [nan, 3.0]
    """
    if len(fits) < 2 or not all(isinstance(f, Fit) for f in fits):
        raise DataError("compare needs two or more results of semfit.fit")
    if names is not None:
        NAMES.check("names", names)
    if names is not None and len(names) != len(fits):
        raise DataError(f"{len(fits)} fits and {len(names)} names")
    named = list(names) if names is not None else [f"model {k + 1}" for k in range(len(fits))]
    order = sorted(range(len(fits)), key=lambda k: fits[k].df)
    ordered, named = [fits[k] for k in order], [named[k] for k in order]
    notes = [n for f, name in zip(ordered, named, strict=True) for n in _comparable(ordered[0], f, named[0], name)]
    rows = [difference_row(ordered[0], None)]
    for a, b, x, y in zip(ordered, ordered[1:], named, named[1:], strict=False):
        if a.df == b.df:
            raise DataError(
                f"{x} and {y} have the same degrees of freedom ({a.df}), so neither is nested in the "
                "other: compare fit.measures['aic'] or ['bic'] instead"
            )
        rows.append(difference_row(b, a))
        if rows[-1]["delta_chisq"] < -1e-6:
            notes.append(
                f"{y} fits better than {x} although it is more restricted: the models are not nested, or one "
                "found a local minimum"
            )
    for n in notes:
        warnings.warn(n, UserWarning, stacklevel=2)
    return Comparison(pd.DataFrame(rows, index=pd.Index(named, name="model")), ordered[0].n_total, tuple(notes))


def _comparable(first: Fit, f: Fit, first_name: str, name: str) -> list[str]:
    """Raise where chi-squares cannot be compared; notes where they perhaps should not be."""
    one, other = first.solution, f.solution
    if not f.converged:
        raise NotConvergedError(f"{name} did not converge; its chi-square means nothing")
    differ = sorted(set(other.model.ov) ^ set(one.model.ov))
    if differ:
        raise DataError(
            f"{first_name} and {name} have different variables ({', '.join(differ[:6])}); "
            "their chi-squares cannot be compared"
        )
    if f.estimator != first.estimator:
        raise DataError(f"{first_name} is a fit by {first.estimator} and {name} by {f.estimator}; use one estimator")
    if any(getattr(other.options, a) != getattr(one.options, a) for a in ("cluster", "sampling_weights")):
        raise DataError(f"{first_name} and {name} differ in cluster= or sampling_weights=; fit both with the same")
    if other.model.means != one.model.means:
        raise DataError(f"only one of {first_name} and {name} models the means; pass meanstructure to both")
    if f.n_obs != first.n_obs:
        return [f"{first_name} and {name} use different rows (n = {first.n_obs} and {f.n_obs})"]
    if not all(np.allclose(_sorted(f, k), _sorted(first, k), rtol=1e-8) for k in range(one.model.n_groups)):
        return [f"{first_name} and {name} use different data: their sample moments differ"]
    return []


def _sorted(f: Fit, k: int) -> np.ndarray:
    order = np.argsort(f.solution.model.ov)
    return f.solution.h1.cov[k][np.ix_(order, order)]


def _difference(f: Fit, parent: Fit) -> Difference:
    """Chi-square difference: scaled under MLR, scaled and shifted under WLSMV."""
    one, other = parent.solution, f.solution
    if isinstance(one, OrdinalSolution) and isinstance(other, OrdinalSolution):
        if not f.converged:
            return Difference(np.nan, float(other.df - one.df), np.nan)
        test = one.difference(other)
        return Difference(test.scaled, float(test.df), chi2_p(test.scaled, test.df))
    return chisq_difference(f.measures, parent.measures)


def difference_row(f: Fit, parent: Fit | None) -> dict[str, float]:
    """Measures of one fit, and their differences to the less restricted ``parent``."""
    m, ordinal = f.measures, isinstance(f.solution, OrdinalSolution)
    robust = f.solution.robust or ordinal
    c, cfi, rmsea = ("chisq_scaled", "cfi_robust", "rmsea_robust") if robust else ("chisq", "cfi", "rmsea")
    if ordinal:
        cfi, rmsea = "cfi_scaled", "rmsea_scaled"
    row = {
        "chisq": m[c],
        "df": m["df"],
        "pvalue": m["pvalue_scaled" if robust else "pvalue"],
        "cfi": m.get(cfi, np.nan),
        "rmsea": m.get(rmsea, np.nan),
        "srmr": m["srmr"],
        "aic": m.get("aic", np.nan),
        "bic": m.get("bic", np.nan),
    }
    row |= dict.fromkeys(("delta_chisq", "delta_df", "delta_pvalue", "delta_cfi", "delta_rmsea"), np.nan)
    if parent is not None:
        step = _difference(f, parent)
        row |= {
            "delta_chisq": step.chisq,
            "delta_df": step.df,
            "delta_pvalue": step.pvalue,
            "delta_cfi": row["cfi"] - parent.measures.get(cfi, np.nan),
            "delta_rmsea": row["rmsea"] - parent.measures.get(rmsea, np.nan),
        }
    return row
