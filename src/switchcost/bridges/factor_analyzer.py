"""A fitted ``factor_analyzer.FactorAnalyzer`` completed: factor correlations in order, communalities, fit, intervals."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ..core import checks
from ..core.arguments import COUNT, checked
from ..core.errors import DataError
from ..measurement.correlations import Items, complete_items, is_matrix, matrix_input
from ..measurement.extraction import extract
from ..measurement.factors import EFA, fit_measures, heywood_items, in_order

METHODS = {"ml": "ml", "mle": "ml", "minres": "minres", "uls": "minres", "principal": "principal"}
OFF = 1e-6  # what differs by less than this is the same number
ROUGH = 1e-3  # a communality further than this from the minimum is not what the method promises


@checked(n_obs=COUNT)
def from_factor_analyzer(fa: Any, data: pd.DataFrame | np.ndarray, *, n_obs: int | None = None) -> EFA:
    """Complete a fitted ``FactorAnalyzer`` and put right what it reports wrongly.

    Parameters
    ----------
    fa : factor_analyzer.FactorAnalyzer
        Fitted, by any of its methods and rotations.
    data : DataFrame or array of shape (n, p)
        The answers it was fitted to, for the names of the items, fit, scores and intervals. Where it was fitted to a
        correlation matrix (``is_corr_matrix=True``): the matrix, or the answers behind it.
    n_obs : int, optional
        Rows behind a matrix; without it there is no chi-square.

    Returns
    -------
    EFA
        As ``sc.efa`` returns: loadings and correlations of named items and factors, communalities, structure matrix,
        measures of fit, ``.bootstrap()``, ``.scores()``. ``.corrections`` says what was put right, with numbers.

    Raises
    ------
    DataError
        It was not fitted, or to other data, or is no FactorAnalyzer.

    Notes
    -----
    factor_analyzer 0.5.1 sorts the columns of ``loadings_`` and ``structure_`` by their sums of squares and leaves
    ``phi_`` as it was; since structure = loadings phi, phi in the right order is loadings^+ structure. Its
    ``get_communalities``, ``get_uniquenesses``, ``get_factor_variance`` and ``sufficiency`` take loadings for
    uncorrelated ones. Gaps it fills with medians unless told otherwise. Loadings are kept as they were found; where
    they are not at the minimum, ``.warnings`` says so. Components (``method="principal"``) have no chi-square: they
    explain all variance of an item, not what it shares.

    Examples
    --------
    >>> from factor_analyzer import FactorAnalyzer
    >>> rng = np.random.default_rng(3)
    >>> f = rng.multivariate_normal([0, 0, 0], [[1, .6, .1], [.6, 1, .3], [.1, .3, 1]], size=500)
    >>> x = pd.DataFrame(f.repeat([3, 4, 3], axis=1) + rng.normal(size=(500, 10)), columns=list("abcdefghij"))
    >>> fa = FactorAnalyzer(3, rotation="oblimin").fit(x)
    >>> found = from_factor_analyzer(fa, x)
    >>> bool(np.allclose(found.structure, found.loadings @ found.phi))
    True
    """
    _fitted(fa)
    sample, notes = _sample(fa, data, n_obs)
    names, method = sample.names, METHODS[fa.method]
    load = np.asarray(fa.loadings_, dtype=float)
    phi = _phi(fa, load)
    loadings, ordered = in_order(load, phi, names)
    k = len(phi)
    best, uniquenesses, _ = extract(sample.r, k, method)
    model = load @ phi @ load.T
    off = np.abs(np.diag(model) - (best**2).sum(1))
    converged = bool(off.max() < ROUGH)
    if not converged:
        i = int(off.argmax())
        mend = "svd_method='lapack' is exact" if method == "principal" else "compare with sc.efa"
        notes.append(
            f"the extraction is not at its best: the communality of {names[i]} is {np.diag(model)[i]:.3f} and would be "
            f"{(best[i] ** 2).sum():.3f}; {mend}"
        )
    measures = fit_measures(sample.r, model, k, sample.n_obs)
    if method == "principal":
        measures[measures.index != "rmsr"] = np.nan
    # uniquenesses of a principal solution have no bound to run to
    heywood, said = heywood_items(1 - np.diag(model) if method != "principal" else uniquenesses + 1, names)
    return EFA(
        loadings=loadings,
        phi=ordered,
        measures=measures,
        converged=converged,
        warnings=(*notes, *said),
        heywood=heywood,
        same_optimum=1.0,
        method=method,
        rotation=fa.rotation if fa.rotation and k > 1 else "none",
        corrections=tuple(_corrections(fa, load, phi, loadings, measures, sample)),
        sample=sample,
        rotator=partial(_rotate, method=fa.rotation, options=dict(fa.rotation_kwargs or {})),
    )


def _fitted(fa: Any) -> None:
    from factor_analyzer import FactorAnalyzer

    if not isinstance(fa, FactorAnalyzer):
        kind = type(fa).__name__
        mend = {
            "ConfirmatoryFactorAnalyzer": "; fit the same model with sc.fit, which gives its standard errors and fit",
            "Rotator": "; give the FactorAnalyzer whose loadings it turned",
            "type": "; it is the class itself: FactorAnalyzer(n_factors=...).fit(data)",
        }
        raise DataError(f"fa must be a fitted factor_analyzer.FactorAnalyzer, and is a {kind}{mend.get(kind, '')}")
    if fa.loadings_ is None or fa.corr_ is None:
        raise DataError("this FactorAnalyzer has not been fitted; call fa.fit(data) first")
    if np.abs(np.diag(fa.corr_) - 1).max() > OFF:
        raise DataError(
            "this FactorAnalyzer took a covariance matrix for a correlation matrix (is_corr_matrix=True), so its "
            "loadings are in mixed units; divide by the standard deviations first, or fit it to the answers"
        )


def _sample(fa: Any, data: pd.DataFrame | np.ndarray, n_obs: int | None) -> tuple[Items, list[str]]:
    """The items as factor_analyzer saw them, gaps filled as it fills them, and what is to be said about that."""
    from factor_analyzer.utils import impute_values

    if is_matrix(data) and fa.is_corr_matrix:
        return _same(fa, matrix_input(data, None, n_obs)), []
    frame = checks.frame(data)
    if frame.shape[1] != len(fa.corr_):
        raise DataError(f"data has {frame.shape[1]} columns, and the FactorAnalyzer was fitted to {len(fa.corr_)}")
    x = checks.numeric(frame)
    if n_obs is not None and n_obs != len(x):
        raise DataError(f"n_obs={n_obs}, and the data have {len(x)} rows; n_obs belongs to a matrix only")
    gaps, partly = int(x.isna().sum().sum()), int(x.isna().any(axis=1).sum())
    if not gaps or fa.is_corr_matrix:
        return _same(fa, complete_items(x)), []
    filled = complete_items(pd.DataFrame(impute_values(x.to_numpy(copy=True), how=fa.impute), columns=x.columns))
    if fa.impute == "drop":
        sample = Items(filled.cov, filled.names, filled.n_obs, partly, filled.raw)
        return _same(fa, sample), [f"{partly} of {len(x)} rows have gaps and were left out"]
    note = f"{gaps} gaps in {partly} of {len(x)} rows were filled with the {fa.impute} of their column, without a word"
    whole = x.dropna()
    if len(whole) > x.shape[1]:
        change = np.abs(whole.corr().to_numpy() - filled.r)
        i, j = np.unravel_index(change.argmax(), change.shape)
        note += (
            f"; against the {len(whole)} complete rows this moves the correlation of {filled.names[i]} and "
            f"{filled.names[j]} most, by {change.max():.3f}"
        )
    return _same(fa, filled), [f"{note}. Filling shrinks correlations and makes n look larger than it is"]


def _same(fa: Any, sample: Items) -> Items:
    """The sample, when its correlations are those that were analysed."""
    if len(sample.names) != len(fa.corr_):
        raise DataError(f"data has {len(sample.names)} items, and the FactorAnalyzer was fitted to {len(fa.corr_)}")
    off = np.abs(sample.r - fa.corr_)
    if off.max() > OFF:
        i, j = np.unravel_index(off.argmax(), off.shape)
        raise DataError(
            f"these are not the data that the FactorAnalyzer was fitted to: {sample.names[i]} with {sample.names[j]} "
            f"correlates {sample.r[i, j]:.3f} here and {fa.corr_[i, j]:.3f} there. Give the same rows, and the columns in "
            "the same order"
        )
    return sample


def _phi(fa: Any, load: np.ndarray) -> np.ndarray:
    """Factor correlations in the order of the loadings."""
    if fa.phi_ is None or fa.structure_ is None:
        return np.eye(load.shape[1])
    phi = np.linalg.lstsq(load, fa.structure_, rcond=None)[0]
    phi = (phi + phi.T) / 2
    np.fill_diagonal(phi, 1.0)
    return phi


def _corrections(fa: Any, load, phi, loadings: pd.DataFrame, measures: pd.Series, sample: Items) -> list[str]:
    """What differs from what the object itself says, one sentence each."""
    out = []
    if fa.phi_ is not None and len(phi) == len(fa.phi_):
        off = np.abs(fa.phi_ - phi)
        i, j = np.unravel_index(off.argmax(), off.shape)
        if off.max() > OFF:
            out.append(
                f"phi_ is not in the order of loadings_: its entry for columns {i + 1} and {j + 1} is "
                f"{fa.phi_[i, j]:.3f}, their correlation {phi[i, j]:.3f}"
            )
    communality = np.diag(load @ phi @ load.T)
    off = np.abs(fa.get_communalities() - communality)
    if off.max() > OFF:
        i = int(off.argmax())
        out.append(
            f"get_communalities() leaves out the factor correlations: {sample.names[i]} has {communality[i]:.3f}, not "
            f"{fa.get_communalities()[i]:.3f}"
        )
        explained, printed = communality.sum(), fa.get_factor_variance()[0].sum()
        out.append(
            f"get_factor_variance() likewise: the factors explain {explained / len(load):.1%}, not {printed / len(load):.1%}"
        )
        if np.isfinite(measures["chisq"]) and (fa.get_uniquenesses() > 0).all():
            chisq = fa.sufficiency(sample.n_obs)[0]
            out.append(f"sufficiency() likewise: chi-square is {measures['chisq']:.2f}, not {chisq:.2f}")
    at = [int(np.abs(np.abs(load) - np.abs(c)[:, None]).sum(0).argmin()) for c in loadings.to_numpy().T]
    if at != sorted(at):
        was = ", ".join(f"F{n + 1} was column {i + 1}" for n, i in enumerate(at))
        out.append(f"factors are in the order of the variance they explain: {was}")
    turned = [f"F{n + 1}" for n, i in enumerate(at) if load[:, i].sum() < 0]
    if turned:
        out.append(f"{', '.join(turned)} turned, so that the loadings sum to a positive number")
    return out


def _rotate(unrotated: np.ndarray, method: str | None, options: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The rotation of factor_analyzer itself, for the samples of a bootstrap."""
    from factor_analyzer import Rotator

    if method is None or unrotated.shape[1] == 1:
        return unrotated, np.eye(unrotated.shape[1])
    rotator = Rotator(method=method, **options)
    load = rotator.fit_transform(unrotated)
    return load, np.eye(load.shape[1]) if rotator.phi_ is None else rotator.phi_
