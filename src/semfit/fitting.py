"""``semfit.fit``: from a model text and data (or a covariance matrix) to a :class:`Fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from . import checks
from .errors import DataError, NotIdentifiedError
from .model import Model
from .partable import EQUAL, parameter_table, variables
from .result import Fit
from .sample import complete_moments, from_covariance, from_rows
from .search import check_identified, estimate
from .solution import Solution
from .spec import ModelSpec, model_text
from .start import starting_values
from .state import Options
from .syntax import parse
from .threads import one_thread
from .tokens import fail


def fit(
    model: str | ModelSpec,
    data: pd.DataFrame | None = None,
    *,
    sample_cov: pd.DataFrame | Mapping | Sequence | None = None,
    sample_mean: pd.Series | Mapping | Sequence | None = None,
    n_obs: int | Sequence[int] | None = None,
    group: str | None = None,
    group_equal: str | Sequence[str] = (),
    group_partial: str | Sequence[str] = (),
    estimator: str = "ML",
    missing: str = "listwise",
    std_lv: bool = False,
    meanstructure: bool | None = None,
    fixed_x: bool = True,
    orthogonal: bool = False,
    information: str | None = None,
) -> Fit:
    """Fit a structural equation model written in lavaan syntax.

    Parameters
    ----------
    model : str or ModelSpec
        ``=~`` measured by, ``~`` regressed on, ``~~`` (co)variance, ``~ 1`` intercept, ``:=`` defined parameter,
        ``==`` linear constraint; labels, fixed values, ``NA*``, ``start()``, ``c(a, b)*`` for groups.
    data : DataFrame
        One row a respondent; columns named in the model are used.
    sample_cov, sample_mean, n_obs
        Instead of data: covariance matrix with divisor n - 1 (DataFrame with variable names, or a dict or list of
        them by group), means (Series or dict), and the number of rows.
    group : str
        Column that holds the groups; the model is fitted in all of them at once.
    group_equal : words among loadings, intercepts, means, residuals, residual.covariances, regressions,
        lv.variances, lv.covariances: parameters held equal across groups
    group_partial : parameters released again, such as ``["f =~ x2", "x3 ~ 1"]``
    estimator : ``"ML"`` or ``"MLR"`` (same estimates; Huber-White standard errors, scaled test)
    missing : ``"listwise"`` (rows with a gap are dropped, and counted) or ``"fiml"`` (full information)
    std_lv : fix latent variances at 1 instead of the first loading
    meanstructure : model the means; None means where it is needed (``~ 1``, groups, FIML)
    fixed_x : take the moments of observed predictors as given, as lavaan does
    orthogonal : latents uncorrelated
    information : ``"expected"`` (default of ML) or ``"observed"`` (default of MLR and FIML)

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        The model cannot be read or is not identified, a variable is missing, the data cannot carry the model.
        Improper solutions (negative variances ...) do not raise: they are named in ``fit.warnings``.

    Notes
    -----
    Defaults are those of ``lavaan::sem()`` 0.6-14, and so are the numbers: estimates to 1e-5, standard errors to
    1e-4 of their size. Divisor n, chi-square = 2 N F. See ``sem.estimate`` for the formulas.

    Examples
    --------
    >>> import numpy as np, pandas as pd, semfit
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=300)
    >>> data = pd.DataFrame({f"x{i}": f + rng.normal(size=300) for i in range(1, 5)})
    >>> fit = semfit.fit("f =~ x1 + x2 + x3 + x4", data)
    >>> fit.converged, int(fit.measures["df"])
    (True, 2)
    """
    group_equal, group_partial = _words(group_equal), _words(group_partial)
    _options(estimator, missing, information, group_equal, group, sample_cov)
    text = model_text(model)
    parsed = parse(text)
    if data is not None and sample_cov is not None:
        raise DataError("give data or sample_cov, not both")
    notes: list[str] = []
    roles = variables(parsed)
    ov = roles.ov
    if data is not None:
        source = from_rows(parsed, roles, checks.frame(data), group, missing, fixed_x)
    elif sample_cov is not None:
        source = from_covariance(parsed, ov, sample_cov, sample_mean, n_obs)
    else:
        raise DataError("give the data (fit(model, data)), or sample_cov with n_obs")
    n_groups = len(source.n)
    if group is None and n_groups == 1 and (group_equal or group_partial):
        raise DataError("group_equal and group_partial need several groups: name the column with group=...")
    fiml = missing == "fiml" and source.rows is not None
    if meanstructure is None:
        meanstructure = (
            (n_groups > 1 and (sample_cov is None or sample_mean is not None))
            or fiml
            or (sample_cov is not None and sample_mean is not None)
        )
    rows, var = parameter_table(
        parsed,
        n_groups,
        std_lv=std_lv,
        meanstructure=meanstructure,
        fixed_x=fixed_x,
        orthogonal=orthogonal,
        group_equal=group_equal,
        group_partial=group_partial,
    )
    notes += var.notes + source.notes
    _label_clash(parsed, var, data, notes)
    shared = list(dict.fromkeys(t.label[0] for t in parsed.terms if t.label and len(t.label) == 1))
    if n_groups > 1 and shared:
        notes.append(
            f"one label for all groups makes a parameter equal in all of them: {', '.join(shared)} "
            "(write c(a1, a2)*x for a label a group)"
        )
    built = Model(rows, var, parsed.constraints, parsed.defined)
    if built.means and sample_cov is not None and sample_mean is None:
        raise DataError("the model has intercepts (~ 1), so sample_mean is needed beside sample_cov")
    options = Options(
        estimator=estimator,
        missing=missing,
        std_lv=std_lv,
        meanstructure=built.means,
        fixed_x=fixed_x,
        orthogonal=orthogonal,
        group=group,
        group_equal=group_equal,
        group_partial=group_partial,
        information=information or ("observed" if fiml or estimator == "MLR" else "expected"),
    )
    with one_thread():
        if fiml:
            from .missing import fiml_moments

            data_, h1 = fiml_moments(built, source, var.x, fixed_x)
        else:
            data_, h1 = complete_moments(built, source, var.x, fixed_x)
        variance = sum(n * np.diag(S) for n, S in zip(source.n, h1.cov, strict=True)) / sum(source.n)
        built.set_scale(np.sqrt(variance))
        df = built.df(fixed_x)
        if df < 0:
            raise NotIdentifiedError(
                f"the model is not identified: it has {built.npar} free parameters, {-df} more than the "
                f"{built.npar + df} moments of {len(ov)} variables. Fix or equate some, or add indicators."
            )
        check_identified(built, data_, starting_values(built, h1.cov, h1.mean if built.means else None))
        theta, F, converged, more = estimate(built, data_, h1)
    solution = Solution(
        model=built,
        data=data_,
        theta=theta,
        F=float(F),
        converged=bool(converged),
        options=options,
        h1=h1,
        raw=source.rows,
        groups=tuple(source.labels),
        positions=source.positions,
    )
    return Fit(solution, text=text, notes=notes + more, n_dropped=source.dropped)


def _words(value) -> tuple:
    return (value,) if isinstance(value, str) else tuple(value)


def _options(estimator, missing, information, group_equal, group, sample_cov) -> None:
    def check(name, value, allowed):
        if value not in allowed:
            raise DataError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")

    check("estimator", estimator, ("ML", "MLR"))
    check("missing", missing, ("listwise", "fiml"))
    if information is not None:
        check("information", information, ("expected", "observed"))
    for word in group_equal:
        check("each word of group_equal", word, EQUAL)
    if sample_cov is not None and estimator == "MLR":
        raise DataError("estimator='MLR' needs the rows of the data: a covariance matrix does not hold the kurtosis")
    if sample_cov is not None and missing == "fiml":
        raise DataError("missing='fiml' needs the rows of the data, not a covariance matrix")
    if sample_cov is not None and group is not None:
        raise DataError("with sample_cov the groups are the keys of the dict of matrices; leave out group")


def _label_clash(parsed, var, data, notes) -> None:
    for t in parsed.terms:
        for label in t.label or []:
            if label in var.ov or label in var.lv:
                fail(
                    t,
                    f"the label {label!r} is also a variable of the model; write '+' between two variables, "
                    "or choose another label",
                )
            if data is not None and label in data.columns:
                note = f"{label!r} is read as a label, and is also a column of the data"
                if note not in notes:
                    notes.append(note)
