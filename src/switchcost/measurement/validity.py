"""Do the scales measure different things, and is there a shared method behind them?"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from semfit.fitting import fit as _fit
from semfit.htmt import htmt_values
from semfit.result import Fit

from .._core import checks
from .._core.errors import DataError
from .resampling import resampled_covariances

_LIMITS = (1.0, 0.90, 0.85)


# --- HTMT ------------------------------------------------------------------------------------------------------------
class HTMT(pd.DataFrame):
    """Matrix of ratios by scale, symmetric with ones on the diagonal; intervals and tests by pair in ``.pairs``.

    A DataFrame in every other respect. ``.pairs`` has scale_1, scale_2, htmt, ci_lower, ci_upper, ci_upper_one_sided,
    p_1, p_90, p_85 (share of bootstrap values at or above 1, .90, .85: small speaks for distinct scales); NaN without
    a bootstrap. ``.n_obs`` rows used, ``.n_dropped`` rows with gaps.
    """

    _metadata = ["pairs", "n_obs", "n_dropped", "kind"]
    pairs = n_obs = n_dropped = kind = None

    @property
    def _constructor(self):
        return HTMT  # so that a copy keeps its pairs


def htmt(
    data: pd.DataFrame,
    scales: Mapping[str, Sequence[str]],
    kind: str = "htmt",
    n_boot: int = 0,
    seed: int | None = None,
    *,
    n_obs: int | None = None,
    level: float = 0.95,
) -> HTMT:
    """Heterotrait-monotrait ratio: correlations between scales over correlations within them.

    Parameters
    ----------
    data : DataFrame of shape (n, p) of answers; or, with ``n_obs``, a correlation or covariance matrix
    scales : dict from scale name to its items, at least two each
    kind : ``"htmt"`` (arithmetic means; Henseler, Ringle & Sarstedt 2015) or ``"htmt2"`` (geometric means, which do not
        assume equal loadings; Roemer, Schuberth & Henseler 2021)
    n_boot : bootstrap samples of rows for intervals and tests; 0 for none
    seed : of the bootstrap; None means 1
    n_obs : rows behind a matrix; says that ``data`` is one
    level : of the two-sided percentile interval; the one-sided upper limit has the same level

    Returns
    -------
    HTMT
        A DataFrame (scales by scales) with ``.pairs``, ``.n_obs`` and ``.n_dropped``.

    Raises
    ------
    ValueError
        A name is not a column, a scale has one item, an item is in two scales, the bootstrap is asked of a matrix.

    Warns
    -----
    UserWarning
        Items of one scale that correlate negatively: absolute values hide an item that was not recoded.

    Notes
    -----
    Absolute correlations are taken, as ``semTools::htmt(absolute = TRUE)`` does (``htmt2 = FALSE`` for ``"htmt"``;
    semTools computes HTMT2 unless told otherwise). Rows with a gap in any item are left out. A value below 1 in the
    sample is not a test: use the intervals. ``p_1`` tests "the ratio is 1 or more".

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(3, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"])
    >>> bool(htmt(x, {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}).loc["a", "b"] < 0.5)
    True
    """
    if kind not in ("htmt", "htmt2"):
        raise DataError(f"kind={kind!r}; it must be 'htmt' or 'htmt2'")
    if n_obs is None:
        data = checks.frame(data)
    elif not (isinstance(data, pd.DataFrame) and list(data.index) == list(data.columns)):
        raise DataError("n_obs= says that data is a correlation matrix; rows and columns must have the same names")
    scales = checks.scales(data, scales, at_least=2)
    if len(scales) < 2:
        raise DataError("HTMT compares scales, and there is one; give at least two")
    items = [i for group in scales.values() for i in group]
    shared = sorted({i for i in items if items.count(i) > 1})
    if shared:
        raise DataError(f"items in more than one scale: {', '.join(shared)}; an item can speak for one scale only")
    if n_boot < 0 or 0 < n_boot < 20:
        raise DataError(f"n_boot={n_boot}; use 0 for no bootstrap, or at least 20 (1000 for a paper)")
    if not 0.5 < level < 1:
        raise DataError(f"level={level}; a confidence level lies between 0.5 and 1, e.g. 0.95")
    raw, dropped = None, 0
    if n_obs is None:
        if data.shape[0] == data.shape[1] and list(data.index) == list(data.columns):
            raise DataError("data looks like a correlation matrix; say how many people are behind it: n_obs=")
        kept, dropped = checks.complete_rows(checks.numeric(data, items))
        kept = checks.numeric(kept)
        n, raw = len(kept), kept.to_numpy()
        if n < 4:
            raise DataError(f"{n} complete rows are too few for correlations")
        cov = np.cov(raw, rowvar=False)
    else:
        if n_boot:
            raise DataError("a bootstrap needs the answers, and a matrix was given; leave n_boot at 0")
        cov, n = data.loc[items, items].to_numpy(dtype=float), int(n_obs)

    def correlations(s: np.ndarray) -> np.ndarray:
        sd = np.sqrt(np.diagonal(s, axis1=1, axis2=2))
        return s / (sd[:, :, None] * sd[:, None, :])

    names = list(scales)
    member = np.array([[i in scales[s] for s in names] for i in items], dtype=float)
    r = correlations(cov[None])
    odd = []
    for scale, group in scales.items():
        at = [items.index(i) for i in group]
        block = r[0][np.ix_(at, at)]
        odd += [
            f"{group[i]} and {group[j]} ({scale}, {block[i, j]:.2f})"
            for i, j in combinations(range(len(group)), 2)
            if block[i, j] < 0
        ]
    if odd:
        warnings.warn(
            f"items of one scale correlate negatively: {'; '.join(odd[:4])}{' ...' if len(odd) > 4 else ''}. HTMT takes "
            "absolute values, so an item that was not recoded goes unseen.",
            stacklevel=2,
        )
    value = htmt_values(r, member, kind)[0]
    out = HTMT(value, index=names, columns=names)
    pairs = pd.DataFrame(
        [(a, b, out.loc[a, b]) for a, b in combinations(names, 2)], columns=["scale_1", "scale_2", "htmt"]
    )
    extra = ["ci_lower", "ci_upper", "ci_upper_one_sided", "p_1", "p_90", "p_85"]
    pairs[extra] = np.nan
    if n_boot:
        rng = np.random.default_rng(1 if seed is None else seed)
        drawn = resampled_covariances(raw, n_boot, rng)
        drawn = drawn[(np.diagonal(drawn, axis1=1, axis2=2) > 1e-12 * np.diag(cov)).all(1)]
        at = np.array([(names.index(a), names.index(b)) for a, b in combinations(names, 2)])
        boot = htmt_values(correlations(drawn), member, kind)[:, at[:, 0], at[:, 1]]
        tail = (1 - level) / 2
        pairs["ci_lower"], pairs["ci_upper"] = np.quantile(boot, [tail, 1 - tail], axis=0)
        pairs["ci_upper_one_sided"] = np.quantile(boot, level, axis=0)
        for name, limit in zip(("p_1", "p_90", "p_85"), _LIMITS, strict=True):
            # one more in both counts: a p-value of zero would claim more than the samples can say
            pairs[name] = ((boot >= limit).sum(0) + 1) / (len(boot) + 1)
    object.__setattr__(out, "pairs", pairs)
    out.n_obs, out.n_dropped, out.kind = n, dropped, kind
    return out


# --- Fornell and Larcker ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class FornellLarcker:
    """Result of :func:`fornell_larcker`.

    Attributes
    ----------
    table : DataFrame (k, k)
        Square roots of AVE on the diagonal, correlations of the factors below, NaN above.
    summary : DataFrame by factor
        n_items, ave, cr, msv (largest squared correlation with another factor), asv (mean squared correlation),
        sqrt_ave, max_correlation, and verdicts: convergent (ave at least .50), reliable (cr at least .70),
        discriminant (ave above msv).
    pairs : DataFrame by pair of factors
        scale_1, scale_2, correlation, squared, ave_1, ave_2, distinct (both AVE above the squared correlation).
    """

    table: pd.DataFrame
    summary: pd.DataFrame
    pairs: pd.DataFrame

    @property
    def ave(self) -> pd.Series:
        return self.summary["ave"]

    @property
    def cr(self) -> pd.Series:
        return self.summary["cr"]

    @property
    def msv(self) -> pd.Series:
        return self.summary["msv"]

    @property
    def verdicts(self) -> pd.DataFrame:
        return self.summary[["convergent", "reliable", "discriminant"]]

    def __repr__(self) -> str:
        return f"Fornell-Larcker (square roots of AVE on the diagonal)\n{self.table.round(3)}\n{self.summary.round(3)}"

    def _repr_html_(self) -> str:
        return self.table.round(3).to_html(na_rep="") + self.summary.round(3).to_html()


def _from_fit(fit) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Standardised loadings (items by factors), factor correlations and residual correlations times spreads."""
    e = fit.estimates
    if "group" in e.columns:
        raise DataError("the model has groups; fit each group on its own for this table")
    measured = e[e["op"] == "=~"]
    factors = list(dict.fromkeys(measured["lhs"]))
    if not factors:
        raise DataError("the model has no measured factors (no =~ line)")
    higher = [f for f in factors if measured.loc[measured["lhs"] == f, "rhs"].isin(factors).any()]
    first = [f for f in factors if f not in higher]
    measured = measured[measured["lhs"].isin(first)]
    load = measured.pivot_table(index="rhs", columns="lhs", values="std_all", sort=False)[first]
    load = load.reindex(list(dict.fromkeys(measured["rhs"]))).fillna(0.0)
    cov = fit.implied()["cov_lv"].loc[first, first]
    sd = np.sqrt(np.diag(cov))
    phi = cov / np.outer(sd, sd)
    residual = pd.DataFrame(np.diag(1 - np.diag(load @ phi @ load.T)), index=load.index, columns=load.index)
    for _, row in e[(e["op"] == "~~") & (e["lhs"] != e["rhs"])].iterrows():
        if row["lhs"] in load.index and row["rhs"] in load.index:
            a, b = row["lhs"], row["rhs"]
            value = row["std_all"] * np.sqrt(max(residual.loc[a, a], 0) * max(residual.loc[b, b], 0))
            residual.loc[a, b] = residual.loc[b, a] = value
    return load, phi, residual


def fornell_larcker(
    fit: Fit | None = None,
    *,
    loadings: pd.DataFrame | Mapping[str, Sequence[float]] | None = None,
    phi: pd.DataFrame | None = None,
) -> FornellLarcker:
    """Average variance extracted against squared correlations (Fornell & Larcker 1981).

    Parameters
    ----------
    fit : result of ``sc.fit`` with ``=~`` lines, one group
    loadings, phi : instead of a fit: standardised loadings (items by factors as a DataFrame, or a dict from factor to
        the loadings of its items) and the factors' correlations (DataFrame named by factor)

    Returns
    -------
    FornellLarcker
        ``.table``, ``.summary`` (``.ave``, ``.cr``, ``.msv``, ``.verdicts``) and ``.pairs``.

    Raises
    ------
    ValueError
        An item loads on two factors (AVE is then not defined), loadings above 1, groups, names that do not match.

    Notes
    -----
    AVE is the mean squared standardised loading, cr the composite reliability of the standardised items, with residual
    covariances inside a scale counted as error: ``semTools::AVE`` and ``semTools::compRelSEM(obs.var = FALSE)`` of a
    model of standardised items. First-order factors only; a second-order factor has no items.
    The criterion compares an average with a maximum and depends on reliability: it misses merged scales whose items
    are strong, and rejects distinct ones whose items are weak (Henseler et al. 2015). Read it beside HTMT and
    :func:`phi_test`.

    Examples
    --------
    >>> names = ["procedural", "financial"]
    >>> r = pd.DataFrame([[1, 0.6], [0.6, 1]], index=names, columns=names)
    >>> fl = fornell_larcker(loadings={"procedural": [0.905, 0.869], "financial": [0.905, 0.884]}, phi=r)
    >>> fl.ave.round(3).to_dict()
    {'procedural': 0.787, 'financial': 0.8}
    """
    if (fit is None) == (loadings is None):
        raise DataError("give either a fit, or loadings= with phi=")
    if fit is not None:
        if not hasattr(fit, "estimates"):
            raise DataError(
                f"fit must be the result of sc.fit, and is a {type(fit).__name__}; "
                "for a table of loadings use loadings= and phi="
            )
        load, phi, residual = _from_fit(fit)
    else:
        if phi is None or not isinstance(phi, pd.DataFrame):
            raise DataError("loadings need phi=, a DataFrame of factor correlations with factor names on both sides")
        if isinstance(loadings, Mapping):
            blocks = [(f"{f}_{i + 1}", f, float(v)) for f, values in loadings.items() for i, v in enumerate(values)]
            load = pd.DataFrame(0.0, index=[b[0] for b in blocks], columns=list(loadings))
            for item, f, v in blocks:
                load.loc[item, f] = v
        else:
            load = pd.DataFrame(loadings).astype(float).fillna(0.0)
        for f in load.columns:
            if f not in phi.index or f not in phi.columns:
                raise DataError(f"factor {f!r} of the loadings is not in phi.{checks.suggest(f, phi.columns)}")
        phi = phi.loc[load.columns, load.columns].astype(float)
        residual = pd.DataFrame(np.diag(1 - (load**2).sum(axis=1)), index=load.index, columns=load.index)
    several = load.index[(load != 0).sum(axis=1) > 1].tolist()
    if several:
        raise DataError(
            f"items with loadings on more than one factor: {', '.join(map(str, several))}; AVE is defined "
            "for items with one. Set small loadings to zero, or read HTMT instead."
        )
    if (load.abs() > 1.0 + 1e-9).any().any():
        worst = load.abs().max(axis=1).idxmax()
        raise DataError(f"the standardised loading of {worst} is above 1 (a Heywood case): AVE and cr have no meaning")
    rows = {}
    for f in load.columns:
        own = load.index[load[f] != 0]
        v = load.loc[own, f]
        common = v.sum() ** 2
        others = phi.loc[f].drop(f).to_numpy()
        ave = float((v**2).mean())
        cr = float(common / (common + residual.loc[own, own].to_numpy().sum()))
        msv = float((others**2).max()) if len(others) else np.nan
        rows[f] = {
            "n_items": len(own), "ave": ave, "cr": cr, "msv": msv,
            "asv": float((others**2).mean()) if len(others) else np.nan, "sqrt_ave": np.sqrt(ave),
            "max_correlation": float(np.abs(others).max()) if len(others) else np.nan,
            "convergent": ave >= 0.5, "reliable": cr >= 0.7, "discriminant": ave > msv,
        }  # fmt: skip
    summary = pd.DataFrame.from_dict(rows, orient="index")
    summary.index.name = "factor"
    table = phi.where(np.tril(np.ones(phi.shape), -1).astype(bool))
    for f in load.columns:
        table.loc[f, f] = rows[f]["sqrt_ave"]
    pairs = pd.DataFrame(
        [
            (
                a,
                b,
                phi.loc[a, b],
                phi.loc[a, b] ** 2,
                rows[a]["ave"],
                rows[b]["ave"],
                min(rows[a]["ave"], rows[b]["ave"]) > phi.loc[a, b] ** 2,
            )
            for a, b in combinations(load.columns, 2)
        ],
        columns=["scale_1", "scale_2", "correlation", "squared", "ave_1", "ave_2", "distinct"],
    )
    return FornellLarcker(table, summary, pairs)


def phi_test(
    model: str,
    data: pd.DataFrame | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    value: float = 1.0,
    **options,
) -> pd.DataFrame:
    """Likelihood-ratio test that two factors correlate at ``value`` or more: 1 (the same thing) or, say, .90.

    Parameters
    ----------
    model : measurement model in lavaan syntax, with ``=~`` lines and free factor correlations
    data : DataFrame of answers (or ``sample_cov=`` and ``n_obs=`` among the options)
    pairs : pairs of factors to test; None for all
    value : correlation to test against, above 0 up to 1; a pair with a negative estimate is tested against -value
    **options : handed to ``sc.fit`` (``missing="fiml"``, ``sample_cov`` ...), ML only

    Returns
    -------
    DataFrame, one row a pair
        scale_1, scale_2, correlation, se, ci_lower, ci_upper (Wald, 95 %), value, delta_chisq, delta_df, pvalue
        (two-sided, 1 df), pvalue_one_sided (against "at least ``value``"), distinct (one-sided p below .05).

    Raises
    ------
    ValueError
        Fewer than two factors, a factor that is not in the model, ``value`` outside (0, 1], an estimator other than ML.

    Notes
    -----
    One correlation is fixed, all else is free (Anderson & Gerbing 1988 with 1; Roennkoe & Cho 2022 argue for .90 or
    .85). Equals ``semTools::discriminantValidity(fit, cutoff = value, merge = FALSE)``. At 1 the tested value is the edge
    of what is possible, so the two-sided p is twice what it should be; the one-sided one is right. With many answers a
    correlation of .97 differs from 1 "significantly": distinct in the sense of this test is not yet useful.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> f = rng.normal(size=(300, 2)).repeat(3, axis=1)
    >>> x = pd.DataFrame(f + rng.normal(size=(300, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"])
    >>> bool(phi_test("a =~ a1 + a2 + a3\\nb =~ b1 + b2 + b3", x)["distinct"].iloc[0])
    True
    """
    if not 0 < value <= 1:
        raise DataError(f"value={value}; a correlation to test against lies above 0 and at most at 1")
    if options.get("estimator", "ML") != "ML" or options.get("group") is not None:
        raise DataError("phi_test compares likelihoods of one group: use estimator='ML' and no group")
    options = {**options, "std_lv": True}
    free = _fit(model, data, **options)
    e = free.estimates
    factors = list(dict.fromkeys(e.loc[e["op"] == "=~", "lhs"]))
    if len(factors) < 2:
        raise DataError("the model has fewer than two factors; there is no correlation to test")
    if e["op"].eq("~").any() or e.loc[e["op"] == "=~", "rhs"].isin(factors).any():
        raise DataError(
            "phi_test takes a measurement model: factors with items and free correlations, no ~ lines and "
            "no second-order factors"
        )
    pairs = list(combinations(factors, 2)) if pairs is None else [tuple(p) for p in pairs]
    rows = []
    for pair in pairs:
        if len(pair) != 2:
            raise DataError(f"a pair has two factors, and {pair!r} has {len(pair)}")
        a, b = pair
        for f in pair:
            if f not in factors:
                raise DataError(f"{f!r} is not a factor of the model.{checks.suggest(f, factors)}")
        hit = e[(e["op"] == "~~") & (((e["lhs"] == a) & (e["rhs"] == b)) | ((e["lhs"] == b) & (e["rhs"] == a)))]
        if hit.empty or not np.isfinite(hit["se"].iloc[0]):
            raise DataError(f"the correlation of {a} and {b} is not free in the model; drop the line that fixes it")
        r = hit.iloc[0]
        target = float(np.copysign(value, r["est"]))
        held = _fit(_without_covariance(model, a, b) + f"\n{a} ~~ {target!r}*{b}\n", data, **options)
        delta = max(float(held.measures["chisq"] - free.measures["chisq"]), 0.0)
        two = float(chdtrc(1, delta))
        below = abs(r["est"]) < value
        rows.append({
            "scale_1": a, "scale_2": b, "correlation": r["est"], "se": r["se"], "ci_lower": r["ci_lower"],
            "ci_upper": r["ci_upper"], "value": target, "delta_chisq": delta, "delta_df": 1, "pvalue": two,
            "pvalue_one_sided": two / 2 if below else 1 - two / 2, "distinct": bool(below and two / 2 < 0.05),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _without_covariance(model: str, a: str, b: str) -> str:
    """The model text without a line that frees exactly this covariance."""
    kept = []
    for line in model.splitlines():
        sides = [s.strip() for s in line.split("#")[0].split("~~")]
        if len(sides) == 2 and {sides[0], sides[1]} == {a, b}:
            continue
        kept.append(line)
    return "\n".join(kept)
