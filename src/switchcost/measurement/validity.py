"""Do the scales measure different things: HTMT, Fornell and Larcker, and a test of the factor correlation."""

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
from semfit.resampling import resampled_covariances
from semfit.result import Fit
from semfit.spec import ModelSpec

from ..core import checks
from ..core.arguments import Between, Made, checked, one_of
from ..core.errors import DataError
from ..core.inference import default_seed, enough_draws
from ..core.results import Result
from .correlations import correlations, named_items
from .verdicts import HTMT_LIMITS, HTMT_WORDS, RULES, word


@dataclass(frozen=True, eq=False, repr=False)
class HTMT(Result):
    """Result of :func:`htmt`.

    Attributes
    ----------
    table : DataFrame (k, k)
        Ratios by scale, symmetric with ones on the diagonal.
    pairs : DataFrame by pair of scales
        scale_1, scale_2, htmt, ci_lower, ci_upper, ci_upper_one_sided, p_1, p_90, p_85 (share of bootstrap values at or
        above 1, .90, .85: small speaks for distinct scales; all NaN without a bootstrap), and ``says``: what the
        one-sided upper limit says, or the ratio itself where there is none.
    kind : {"htmt", "htmt2"}
    n_obs, n_dropped : int
        Rows used, and rows left out because of a gap.
    n_boot : int
        Samples asked for.
    warnings : tuple of str
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    kind: str
    n_obs: int
    n_dropped: int
    n_boot: int
    warnings: tuple[str, ...]

    def _heading(self) -> str:
        tested = f"{self.n_boot} bootstrap samples" if self.n_boot else "no intervals: ask for them with n_boot="
        return f"{self.kind.upper()} (n = {self.n_obs}, {self.n_dropped} rows with gaps left out; {tested})"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table), ("", self.pairs.dropna(axis=1, how="all"))]


@checked(kind=one_of("htmt", "htmt2"), level=Between(0.5, 1, hint="write 0.95 for 95 percent"))
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
    data : DataFrame of shape (n, p)
        Answers; or, with ``n_obs``, a correlation or covariance matrix.
    scales : dict of str to list of str
        Scale name to its items, at least two each.
    kind : {"htmt", "htmt2"}
        Arithmetic means (Henseler, Ringle & Sarstedt 2015) or geometric means, which do not assume equal loadings
        (Roemer, Schuberth & Henseler 2021).
    n_boot : int, default 0
        Bootstrap samples of rows for intervals and tests; 0 for none.
    seed : int, optional
        Of the bootstrap; None means the default seed of the package.
    n_obs : int, optional
        Rows behind a matrix; says that ``data`` is one.
    level : float, default 0.95
        Of the two-sided percentile interval; the one-sided upper limit has the same level.

    Returns
    -------
    HTMT

    Raises
    ------
    DataError
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
    >>> bool(htmt(x, {"a": ["a1", "a2", "a3"], "b": ["b1", "b2", "b3"]}).table.loc["a", "b"] < 0.5)
    True
    """
    scales = checks.scales(checks.frame(data), scales, at_least=2)
    if len(scales) < 2:
        raise DataError("HTMT compares scales, and there is one; give at least two")
    items = [i for group in scales.values() for i in group]
    shared = sorted({i for i in items if items.count(i) > 1})
    if shared:
        raise DataError(f"items in more than one scale: {', '.join(shared)}; an item can speak for one scale only")
    if n_boot != 0:
        enough_draws(n_boot)
    sample = named_items(data, items, n_obs, fewest=4)
    names = list(scales)
    member = np.array([[i in scales[s] for s in names] for i in items], dtype=float)
    notes = []
    r = sample.table
    odd = [
        f"{a} and {b} ({scale}, {r.loc[a, b]:.2f})"
        for scale, group in scales.items()
        for a, b in combinations(group, 2)
        if r.loc[a, b] < 0
    ]
    if odd:
        notes.append(
            f"items of one scale correlate negatively: {'; '.join(odd[:4])}{' ...' if len(odd) > 4 else ''}. HTMT takes "
            "absolute values, so an item that was not recoded goes unseen."
        )
        warnings.warn(notes[0], stacklevel=2)
    table = pd.DataFrame(htmt_values(sample.r[None], member, kind)[0], names, names)
    upper = np.triu_indices(len(names), 1)
    pairs = pd.DataFrame(combinations(names, 2), columns=["scale_1", "scale_2"])
    pairs["htmt"] = table.to_numpy()[upper]
    tests = [f"p_{format(limit, '.2f').lstrip('0.') if limit < 1 else '1'}" for limit in HTMT_LIMITS]
    pairs[["ci_lower", "ci_upper", "ci_upper_one_sided", *tests]] = np.nan
    if n_boot:
        drawn = resampled_covariances(sample.answers("a bootstrap"), n_boot, np.random.default_rng(default_seed(seed)))
        boot = htmt_values(correlations(drawn), member, kind)[:, *upper]
        pairs["ci_lower"], pairs["ci_upper"] = np.quantile(boot, [(1 - level) / 2, (1 + level) / 2], axis=0)
        pairs["ci_upper_one_sided"] = np.quantile(boot, level, axis=0)
        for name, limit in zip(tests, HTMT_LIMITS, strict=True):
            # one more in both counts: a p-value of zero would claim more than the samples can say
            pairs[name] = ((boot >= limit).sum(0) + 1) / (len(boot) + 1)
    pairs["says"] = [word(HTMT_WORDS, v) for v in pairs["ci_upper_one_sided" if n_boot else "htmt"]]
    return HTMT(table, pairs, kind, sample.n, sample.n_dropped, n_boot, tuple(notes))


@dataclass(frozen=True, eq=False, repr=False)
class FornellLarcker(Result):
    """Result of :func:`fornell_larcker`.

    Attributes
    ----------
    table : DataFrame (k, k)
        Square roots of AVE on the diagonal, correlations of the factors below, NaN above.
    factors : DataFrame by factor
        n_items, ave, cr, msv (largest squared correlation with another factor), asv (mean squared correlation),
        sqrt_ave, max_correlation, and verdicts: convergent (ave at least .50), reliable (cr at least .70),
        discriminant (ave above msv).
    pairs : DataFrame by pair of factors
        scale_1, scale_2, correlation, squared, ave_1, ave_2, distinct (both AVE above the squared correlation).
    n_obs : int or None
        Rows behind the fit; None where loadings were handed in.
    warnings : tuple of str
        Items that run against their factor.
    """

    table: pd.DataFrame
    factors: pd.DataFrame
    pairs: pd.DataFrame
    n_obs: int | None
    warnings: tuple[str, ...]

    @property
    def ave(self) -> pd.Series:
        return self.factors["ave"]

    @property
    def cr(self) -> pd.Series:
        return self.factors["cr"]

    @property
    def msv(self) -> pd.Series:
        return self.factors["msv"]

    @property
    def verdicts(self) -> pd.DataFrame:
        return self.factors[["convergent", "reliable", "discriminant"]]

    def sentences(self) -> list[str]:
        """What each factor's figures say, one sentence a rule."""
        out = []
        for name, f in self.factors.iterrows():
            out += [RULES["convergent"].say(f.ave, factor=name), RULES["reliable"].say(f.cr, factor=name)]
            if np.isfinite(f.msv):
                out.append(RULES["discriminant"].say(f.ave, f.msv, factor=name))
        return out

    def _heading(self) -> str:
        return "Fornell-Larcker (square roots of AVE on the diagonal)"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.table), ("", self.factors)]


def _from_fit(fit: Fit) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Standardised loadings (items by factors), factor correlations and residual covariances of standardised items."""
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
    cov = fit.solution.implied_of()["cov_lv"].loc[first, first]
    phi = pd.DataFrame(correlations(cov.to_numpy()[None])[0], first, first)
    residual = pd.DataFrame(np.diag(1 - np.diag(load @ phi @ load.T)), index=load.index, columns=load.index)
    between = e[(e["op"] == "~~") & (e["lhs"] != e["rhs"]) & e["lhs"].isin(load.index) & e["rhs"].isin(load.index)]
    for a, b, value in between[["lhs", "rhs", "std_all"]].to_numpy():
        value *= np.sqrt(max(residual.loc[a, a], 0) * max(residual.loc[b, b], 0))
        residual.loc[a, b] = residual.loc[b, a] = value
    return load, phi, residual


def _from_loadings(loadings, phi) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The same three from a table of standardised loadings and factor correlations."""
    if not isinstance(phi, pd.DataFrame):
        raise DataError("loadings need phi=, a DataFrame of factor correlations with factor names on both sides")
    if isinstance(loadings, Mapping):
        items = [f"{f}_{i + 1}" for f, v in loadings.items() for i in range(len(v))]
        home = np.repeat(list(loadings), [len(v) for v in loadings.values()])
        flat = np.concatenate([np.asarray(v, dtype=float) for v in loadings.values()])
        load = pd.DataFrame({f: np.where(home == f, flat, 0.0) for f in loadings}, items)
    else:
        load = pd.DataFrame(loadings).astype(float).fillna(0.0)
    for f in load.columns:
        if f not in phi.index or f not in phi.columns:
            raise DataError(f"factor {f!r} of the loadings is not in phi.{checks.suggest(f, phi.columns)}")
    phi = phi.loc[load.columns, load.columns].astype(float)
    return load, phi, pd.DataFrame(np.diag(1 - (load**2).sum(axis=1)), index=load.index, columns=load.index)


def _against(load: pd.DataFrame) -> tuple[str, ...]:
    """A warning a factor whose items have loadings of both signs."""
    out = []
    for f, column in load.items():
        v = column[column != 0]
        against = v.index[np.sign(v) != (np.sign(v.sum()) or 1.0)].tolist()
        if against:
            out.append(
                f"runs against {f}: {', '.join(map(str, against))}; recode (low + high - answer) if reverse-worded, "
                "cr adds loadings with their signs and comes out too small"
            )
    return tuple(out)


def fornell_larcker(
    fit: Fit | None = None,
    *,
    loadings: pd.DataFrame | Mapping[str, Sequence[float]] | None = None,
    phi: pd.DataFrame | None = None,
) -> FornellLarcker:
    """Average variance extracted against squared correlations (Fornell & Larcker 1981).

    Parameters
    ----------
    fit : Fit
        Result of ``sc.fit`` with ``=~`` lines, one group.
    loadings : DataFrame or dict of str to list of float, optional
        Instead of a fit: standardised loadings, items by factors, or a dict from factor to the loadings of its items.
    phi : DataFrame, optional
        The factors' correlations, named by factor; with ``loadings``.

    Returns
    -------
    FornellLarcker

    Raises
    ------
    DataError
        An item loads on two factors (AVE is then not defined), loadings above 1, groups, names that do not match.

    Warns
    -----
    UserWarning
        Items that run against their factor.

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
    if fit is not None and not hasattr(fit, "estimates"):
        raise DataError(f"fit must be the result of sc.fit, not a {type(fit).__name__}; or give loadings= and phi=")
    load, phi, residual = _from_loadings(loadings, phi) if fit is None else _from_fit(fit)
    several = load.index[(load != 0).sum(axis=1) > 1].tolist()
    if several:
        raise DataError(
            f"items with loadings on more than one factor: {', '.join(map(str, several))}; AVE is defined "
            "for items with one. Set small loadings to zero, or read HTMT instead."
        )
    if (load.abs() > 1.0 + 1e-9).any().any():
        worst = load.abs().max(axis=1).idxmax()
        raise DataError(f"the standardised loading of {worst} is above 1 (a Heywood case): AVE and cr have no meaning")
    notes = _against(load)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    rows = {}
    for f in load.columns:
        own = load.index[load[f] != 0]
        v = load.loc[own, f]
        common = v.sum() ** 2
        others = phi.loc[f].drop(f)
        squares = others**2 if len(others) else pd.Series([np.nan])
        ave = float((v**2).mean())
        cr = float(common / (common + residual.loc[own, own].to_numpy().sum()))
        rows[f] = {
            "n_items": len(own), "ave": ave, "cr": cr, "msv": squares.max(), "asv": squares.mean(),
            "sqrt_ave": np.sqrt(ave), "max_correlation": np.sqrt(squares.max()),
            "convergent": RULES["convergent"](ave), "reliable": RULES["reliable"](cr),
            "discriminant": RULES["discriminant"](ave, squares.max()),
        }  # fmt: skip
    factors = pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor")
    below = np.tril(phi.to_numpy(), -1) + np.diag(factors["sqrt_ave"])
    table = pd.DataFrame(below, phi.index, phi.columns).where(np.tril(np.ones(phi.shape)) > 0)
    pairs = pd.DataFrame(combinations(load.columns, 2), columns=["scale_1", "scale_2"])
    pairs["correlation"] = [phi.loc[a, b] for a, b in pairs.to_numpy()]
    pairs["squared"] = pairs["correlation"] ** 2
    for side in ("1", "2"):
        pairs[f"ave_{side}"] = factors["ave"].reindex(pairs[f"scale_{side}"]).to_numpy()
    pairs["distinct"] = [RULES["discriminant"](min(t.ave_1, t.ave_2), t.squared) for t in pairs.itertuples()]
    return FornellLarcker(table, factors, pairs, None if fit is None else int(np.sum(fit.n_obs)), notes)


@checked(pairs=Made("a list of pairs of factors", (list, tuple)), value=Between(0, 1, "right"))
def phi_test(
    model: str | ModelSpec,
    data: pd.DataFrame | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
    value: float = 1.0,
    **options,
) -> pd.DataFrame:
    """Likelihood-ratio test that two factors correlate at ``value`` or more: 1 (the same thing) or, say, .90.

    Parameters
    ----------
    model : str or ModelSpec
        Measurement model in lavaan syntax, with ``=~`` lines and free factor correlations.
    data : DataFrame, optional
        Answers (or ``sample_cov=`` and ``n_obs=`` among the options).
    pairs : list of (str, str), optional
        Pairs of factors to test; None for all.
    value : float, default 1.0
        Correlation to test against, above 0 up to 1; a pair with a negative estimate is tested against -value.
    **options : object
        Handed to ``sc.fit`` (``missing="fiml"``, ``sample_cov`` ...), ML only.

    Returns
    -------
    DataFrame
        One row a pair: scale_1, scale_2, correlation, se, ci_lower, ci_upper (Wald, 95 %), value, delta_chisq,
        delta_df, pvalue (two-sided, 1 df), pvalue_one_sided (against "at least ``value``"), distinct (one-sided p
        below .05), says (the sentence).

    Raises
    ------
    DataError
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
    if options.get("estimator", "ML") != "ML" or options.get("group") is not None:
        raise DataError("phi_test compares likelihoods of one group: use estimator='ML' and no group")
    options = {**options, "std_lv": True}
    spec = ModelSpec.of(model)
    free = _fit(model, data, **options)
    e = free.estimates
    factors = list(dict.fromkeys(e.loc[e["op"] == "=~", "lhs"]))
    if len(factors) < 2:
        raise DataError("the model has fewer than two factors; there is no correlation to test")
    if e["op"].eq("~").any() or e.loc[e["op"] == "=~", "rhs"].isin(factors).any():
        raise DataError("phi_test takes a measurement model: no ~ lines, no second-order factors")
    rows = []
    for pair in combinations(factors, 2) if pairs is None else pairs:
        if not isinstance(pair, (list, tuple)) or len(pair) != 2:
            raise DataError(f"a pair is a list of two factors, and not {pair!r}")
        a, b = pair
        for f in set(pair) - set(factors):
            raise DataError(f"{f!r} is not a factor of the model.{checks.suggest(f, factors)}")
        hit = e[(e["op"] == "~~") & e["lhs"].isin(pair) & e["rhs"].isin(pair) & (e["lhs"] != e["rhs"])]
        if hit.empty or not np.isfinite(hit["se"].iloc[0]):
            raise DataError(f"the correlation of {a} and {b} is not free in the model; drop the line that fixes it")
        r = hit.iloc[0]
        target = float(np.copysign(value, r["est"]))
        held = _fit(spec.fix(a, "~~", b, target), data, **options)
        delta = max(float(held.measures["chisq"] - free.measures["chisq"]), 0.0)
        two = float(chdtrc(1, delta))
        one = two / 2 if abs(r["est"]) < value else 1 - two / 2
        rows.append({
            "scale_1": a, "scale_2": b, "correlation": r["est"], "se": r["se"], "ci_lower": r["ci_lower"],
            "ci_upper": r["ci_upper"], "value": target, "delta_chisq": delta, "delta_df": 1, "pvalue": two,
            "pvalue_one_sided": one, "distinct": RULES["phi"](one),
            "says": RULES["phi"].say(one, pair=f"{a} and {b}", tested=target),
        })  # fmt: skip
    return pd.DataFrame(rows)
