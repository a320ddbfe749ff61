"""``semfit.fit``: from a model text and data (or a covariance matrix) to a :class:`Fit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from . import checks
from .arguments import checked, one_of
from .constraints import first_curved
from .design import Design
from .errors import CategoryTrouble, DataError, FewClusters, NotIdentifiedError, TwoCategories
from .feasible import lowest_branch, with_curve
from .missing import fiml_moments
from .model import Model
from .ordinal.coding import ordered_names
from .ordinal.fitting import fit_ordered
from .ordinal.solution import LEAST_SQUARES
from .ordinal.structure import DELTA, THETA
from .partable import EQUAL, parameter_table, variables
from .result import Fit
from .sample import complete_moments, designed, from_covariance, from_rows
from .search import check_identified, estimate
from .solution import Solution
from .spec import ModelSpec, model_text
from .start import starting_values
from .state import Options, Source
from .syntax import Parsed, parse
from .threads import one_thread
from .tokens import fail


@checked(estimator=one_of("ML", "MLR", *LEAST_SQUARES), parameterization=one_of(DELTA, THETA))
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
    estimator: str | None = None,
    missing: str = "listwise",
    std_lv: bool = False,
    meanstructure: bool | None = None,
    fixed_x: bool = True,
    orthogonal: bool = False,
    information: str | None = None,
    ordered: bool | str | Sequence[str] | None = None,
    parameterization: str = "delta",
    cluster: str | None = None,
    sampling_weights: str | None = None,
) -> Fit:
    """Fit a structural equation model written in lavaan syntax.

    Parameters
    ----------
    model : str or ModelSpec
        ``=~`` measured by, ``~`` regressed on, ``~~`` (co)variance, ``~ 1`` intercept, ``:=`` defined parameter,
        ``==`` equality of two expressions in labels, such as ``c == a*b``; labels, fixed values, ``NA*``,
        ``start()``, ``c(a, b)*`` for groups.
    data : DataFrame, optional
        One row a respondent; columns named in the model are used.
    sample_cov : DataFrame, or dict or list of DataFrame by group, optional
        Instead of data: covariance matrix with divisor n - 1, variable names on both axes. Groups of a dict stand in
        the sorted order of its keys, groups of a list in its own order; the first is the reference.
    sample_mean : Series or dict, or dict or list of them by group, optional
        Means by variable; needed where means are modelled. Dicts by group have the keys of ``sample_cov``.
    n_obs : int, or dict or list of int by group, optional
        Rows that each matrix was computed from.
    group : str, optional
        Column that holds the groups; the model is fitted in all of them at once.
    group_equal : str or sequence of str
        Parameters held equal across groups: words among loadings, intercepts, means, residuals,
        residual.covariances, regressions, lv.variances, lv.covariances, thresholds (with ordered variables thresholds
        and intercepts take each other with them, as in lavaan; ``group_partial=["x1 ~ 1"]`` parts them).
    group_partial : str or sequence of str
        Parameters released again, such as ``["f =~ x2", "x3 ~ 1"]``.
    estimator : str, optional
        ``"ML"`` (default), ``"MLR"`` (same estimates; Huber-White standard errors, scaled test), ``"WLSMV"`` (default
        with ``ordered``: diagonally weighted least squares on polychoric correlations, robust standard errors, mean-
        and variance-adjusted test) or ``"ULSMV"`` (the same with all weights 1; the unadjusted test has no p-value).
    missing : str, default "listwise"
        ``"listwise"`` (rows with a gap are dropped, and counted), ``"fiml"`` (full information) or, under WLSMV,
        ``"pairwise"`` (each threshold and correlation from the rows that have it).
    std_lv : bool, default False
        Fix latent variances at 1 instead of the first loading.
    meanstructure : bool, optional
        Model the means; None means where it is needed (``~ 1``, groups, FIML).
    fixed_x : bool, default True
        Take the moments of observed predictors as given, as lavaan does.
    orthogonal : bool, default False
        Latents uncorrelated.
    information : str, optional
        ``"expected"`` (default of ML) or ``"observed"`` (default of MLR and FIML).
    ordered : bool or str or sequence of str, optional
        Variables whose answers are ordered categories; True means all but predictors. Numbers in their order, or a
        pandas Categorical with ``ordered=True``. Named together with ML or MLR they are taken for continuous, with a
        warning.
    parameterization : str, default "delta"
        Of ordered variables: ``"delta"`` (the variables behind them have scales, 1 in one group) or ``"theta"``
        (residual variances, 1 in one group).
    cluster : str, optional
        Column that says which rows belong together (customers of one shop): standard errors and test are robust to
        likeness within clusters. Means are modelled.
    sampling_weights : str, optional
        Column of weights, such as the inverse probability of being in the sample; rescaled so that they sum to the
        rows used. The estimator is then ``"MLR"``, or ``"WLSMV"`` where variables are ordered.

    Returns
    -------
    Fit

    Raises
    ------
    SemError
        The model cannot be read or is not identified, a variable is missing, the data cannot carry the model.
        Improper solutions (negative variances ...) do not raise: they are named in ``fit.warnings``.

    Notes
    -----
    Defaults are those of ``lavaan::sem()`` 0.6-14, and so are the numbers: estimates to 1e-5, standard errors to
    1e-4 of their size. Divisor n, chi-square = 2 N F. See ``semfit.estimate`` for the formulas. With clusters the
    casewise scores are summed by cluster, times C / (C - 1), before their cross product is taken, and the test is that
    of Yuan & Bentler (2000); lavaan takes other information for the test under ``"ML"`` than under ``"MLR"``, so the
    scaling factor differs a little between the two. Weights multiply the scores (Asparouhov 2005).

    Constraints that are not linear are kept by expressing some parameters by the others; standard errors, tests and
    degrees of freedom are those of the tangent plane at the estimates. Where such constraints have several solutions
    the lowest of those found from four starts is taken. Not with ordered variables.

    Ordered variables: weights enter thresholds, correlations and Gamma as in lavaan. Clusters have each row's share in
    the thresholds and correlations summed by cluster, times C / (C - 1), before Gamma is formed; the least-squares
    weights stay those of the rows, so clusters change no estimate. lavaan 0.6-14 takes ``cluster=`` there and ignores
    it. In simulations (benchmarks/ordinal_clusters.py) the adjusted test rejects a true model in 4 to 5 % of samples
    with 30 to 120 clusters, and in 11 to 14 % without ``cluster=``. With few rows the robust standard errors are small:
    at n = 300, skewed answers to four items a factor, by 6 % for standardised loadings and 9 % for correlations of
    factors, so that 95 % intervals hold the true value 91 to 93 times in a hundred; lavaan's are the same
    (benchmarks/ordinal_intervals.py). The percentiles of ``fit.bootstrap()`` and intervals through Fisher's z hold it
    more often.

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
    estimator = estimator or ("ML" if ordered is None or ordered is False else "WLSMV")
    asked = Options(
        estimator="MLR" if estimator == "ML" and sampling_weights is not None else estimator,
        cluster=cluster,
        sampling_weights=sampling_weights,
        missing=missing,
        std_lv=std_lv,
        fixed_x=fixed_x,
        orthogonal=orthogonal,
        group=group,
        group_equal=_words(group_equal),
        group_partial=_words(group_partial),
        parameterization=parameterization,
    )
    _check(asked, information, sample_cov is not None)
    text = model_text(model)
    parsed = parse(text)
    if (data is None) == (sample_cov is None):
        raise DataError(
            "give the data (fit(model, data)), or sample_cov with n_obs"
            if data is None
            else "give data or sample_cov, not both"
        )
    roles = variables(parsed)
    if data is not None and (n_obs is not None or sample_mean is not None):
        raise DataError("n_obs and sample_mean go with sample_cov; with data leave them out")
    if estimator in LEAST_SQUARES:
        return _ordered(text, parsed, data, ordered, asked)
    _no_thresholds(parsed)
    if data is not None:
        data = checks.frame(data)
        source = from_rows(parsed, roles, data, group, missing, fixed_x)
        source = designed(source, data, roles.ov, cluster, sampling_weights)
    else:
        source = from_covariance(parsed, roles.ov, sample_cov, sample_mean, n_obs)
    fiml = missing == "fiml"
    if meanstructure is None:
        several = len(source.n) > 1
        meanstructure = sample_mean is not None if data is None else several or fiml or cluster is not None
    built = _model(parsed, len(source.n), replace(asked, meanstructure=bool(meanstructure)))
    if built.means and data is None and sample_mean is None:
        raise DataError("the model has intercepts (~ 1), so sample_mean is needed beside sample_cov")
    options = replace(
        asked,
        meanstructure=built.means,
        information=information or ("observed" if fiml or asked.robust else "expected"),
    )
    notes = [*built.var.notes, *source.notes, *_label_notes(parsed, built, () if data is None else data.columns)]
    notes += _clusters_and_parameters(built, source.design, options)
    solution, more = _solve(built, source, options)
    notes += _as_continuous(built, source, ordered_names(ordered, [n for n in roles.ov if n not in roles.x]))
    return Fit(solution, text=text, notes=[*notes, *more], n_dropped=source.dropped)


def _model(parsed: Parsed, n_groups: int, options: Options) -> Model:
    if n_groups == 1 and (options.group_equal or options.group_partial):
        raise DataError("group_equal and group_partial need several groups: name the column with group=...")
    rows, var = parameter_table(
        parsed,
        n_groups,
        std_lv=options.std_lv,
        meanstructure=options.meanstructure,
        fixed_x=options.fixed_x,
        orthogonal=options.orthogonal,
        group_equal=options.group_equal,
        group_partial=options.group_partial,
    )
    return Model(rows, var, parsed.constraints, parsed.defined)


def _solve(built: Model, source: Source, options: Options) -> tuple[Solution, list[str]]:
    """Moments, identification and the search; the second part says what was out of the ordinary."""
    with one_thread():
        moments = fiml_moments if options.missing == "fiml" else complete_moments
        data, h1 = moments(built, source, built.var.x, options.fixed_x)
        variance = sum(n * np.diag(S) for n, S in zip(source.n, h1.cov, strict=True)) / sum(source.n)
        built.set_scale(np.sqrt(variance))
        built, notes = with_curve(built, starting_values(built, h1.cov, h1.mean if built.means else None))
        df = built.df(options.fixed_x)
        if df < 0:
            raise NotIdentifiedError(
                f"the model is not identified: it has {built.npar} free parameters, {-df} more than the "
                f"{built.npar + df} moments of {built.n_ov} variables. Fix or equate some, or add indicators."
            )
        check_identified(built, data, starting_values(built, h1.cov, h1.mean if built.means else None))
        theta, F, converged, more = estimate(built, data, h1)
        built, theta, F, converged = lowest_branch(built, data, theta, F, converged)
        built = built.tangent(theta)
    solution = Solution(
        model=built,
        data=data,
        theta=theta,
        F=float(F),
        converged=bool(converged),
        options=options,
        h1=h1,
        raw=source.rows,
        groups=tuple(source.labels),
        positions=source.positions,
        design=source.design,
    )
    return solution, [*notes, *more]


def _ordered(text: str, parsed: Parsed, data: pd.DataFrame | None, ordered, asked: Options) -> Fit:
    """A fit by least squares, after what cannot be had with it was refused."""
    if not ordered and not any(t.op == "|" for t in parsed.terms):
        raise DataError(
            f"estimator={asked.estimator!r} needs ordered=: name the ordered variables, or say ordered=True for all"
        )
    if data is None:
        raise DataError("ordered= needs the rows of the data: a covariance matrix holds no thresholds")
    curved = first_curved(parsed)
    if curved is not None:
        fail(
            curved.token,
            f"the constraint {curved.left.text} == {curved.right.text} is not linear, which is not there for ordered "
            "variables yet; estimator='MLR' takes them for continuous and has it",
        )
    data = checks.frame(data)
    found, notes, dropped = fit_ordered(parsed, variables(parsed), data, ordered or [], asked)
    notes += _label_notes(parsed, found.model, data.columns) + _clusters_and_parameters(
        found.model, found.design, asked
    )
    return Fit(found, text=text, notes=notes, n_dropped=dropped)


def _no_thresholds(parsed: Parsed) -> None:
    for t in parsed.terms:
        if t.op in ("|", "~*~"):
            fail(t, "thresholds and scales belong to ordered variables: name them in ordered=, with estimator='WLSMV'")


def _words(value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _check(options: Options, information: str | None, from_matrix: bool) -> None:
    """Every word is one that is known, and goes with what is handed in."""
    pairs = options.estimator in LEAST_SQUARES
    words = [
        ("estimator", options.estimator, ("ML", "MLR", *LEAST_SQUARES)),
        ("missing", options.missing, ("listwise", "pairwise" if pairs else "fiml")),
        ("parameterization", options.parameterization, (DELTA, THETA)),
        ("information", information, (None, "expected", "observed")),
        *(("each word of group_equal", word, EQUAL) for word in options.group_equal),
    ]
    for name, value, allowed in words:
        if value not in allowed:
            close = checks.closest(value, [a for a in allowed if a])
            known = ", ".join(repr(a) for a in allowed if a)
            raise DataError(f"{name} must be one of {known}, not {value!r}.{close}")
    for name in ("std_lv", "fixed_x", "orthogonal"):
        if not isinstance(getattr(options, name), (bool, np.bool_)):
            raise DataError(f"{name} must be True or False, and is {getattr(options, name)!r}")
    for name in ("cluster", "sampling_weights"):
        if from_matrix and getattr(options, name) is not None:
            raise DataError(f"{name}= names a column, so it needs the rows of the data, not a covariance matrix")
    if from_matrix and options.estimator == "MLR":
        raise DataError("estimator='MLR' needs the rows of the data: a covariance matrix does not hold the kurtosis")
    if from_matrix and options.missing == "fiml":
        raise DataError("missing='fiml' needs the rows of the data, not a covariance matrix")
    if from_matrix and options.group is not None:
        raise DataError("with sample_cov the groups are the keys of the dict of matrices; leave out group")


def _as_continuous(model: Model, source: Source, ordered: Sequence[str]) -> list[str]:
    """Dependent variables that are ordered or have two answers: maximum likelihood takes them for continuous."""
    if source.rows is None:
        return []
    if ordered:
        text = (
            f"{', '.join(ordered)}: ordered, and fitted as continuous; estimator='WLSMV' takes the categories as such"
        )
        return [CategoryTrouble(text, "continuous", tuple(ordered))]
    X = np.concatenate([rows.values for rows in source.rows])
    low, high = np.nanmin(X, axis=0), np.nanmax(X, axis=0)
    two = (np.isnan(X) | (low == X) | (high == X)).all(axis=0)
    names = tuple(n for n, yes in zip(model.ov, two, strict=True) if yes and n not in model.var.x)
    if not names:
        return []
    have = "has two categories" if len(names) == 1 else "have two categories each"
    return [
        TwoCategories(
            f"{', '.join(names)} {have} and {'is' if len(names) == 1 else 'are'} fitted as continuous: "
            "loadings, paths and their tests are approximate",
            names,
        )
    ]


def _clusters_and_parameters(model: Model, design: Sequence[Design], options: Options) -> list[str]:
    """Scores summed by cluster cannot tell more parameters apart than there are clusters."""
    if options.cluster is None:
        return []
    n = sum(d.n_clusters for d in design)
    if model.npar < n:
        return []
    text = (
        f"{model.npar} free parameters and {n} clusters: standard errors of single estimates can be read, tests of "
        "many parameters at once cannot, since their covariance matrix is singular"
    )
    return [FewClusters(text, n)]


def _label_notes(parsed: Parsed, model: Model, columns: Iterable) -> list[str]:
    """Labels that may be meant otherwise: one for all groups, or the name of a column."""
    notes, columns = [], set(columns)
    for t in parsed.terms:
        for label in t.label or []:
            if label in model.names:
                fail(
                    t,
                    f"the label {label!r} is also a variable of the model; write '+' between two variables, "
                    "or choose another label",
                )
            if label in columns:
                notes.append(f"{label!r} is read as a label, and is also a column of the data")
    shared = list(dict.fromkeys(t.label[0] for t in parsed.terms if t.label and len(t.label) == 1))
    if model.n_groups > 1 and shared:
        notes.append(
            f"one label for all groups makes a parameter equal in all of them: {', '.join(shared)} "
            "(write c(a1, a2)*x for a label a group)"
        )
    return list(dict.fromkeys(notes))
