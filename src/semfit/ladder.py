"""The steps of a ladder of invariance: which model is fitted at each, and what is equal across groups there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from . import checks
from .errors import DataError
from .fitting import fit
from .ordinal.fitting import chosen_items
from .ordinal.solution import LEAST_SQUARES
from .partable import variables
from .result import Fit
from .spec import ModelSpec

FURTHER = {
    "lv.variances": "latent variances",
    "lv.covariances": "latent covariances",
    "means": "latent means",
}


@dataclass(frozen=True)
class Step:
    """One model of the ladder, what is equal across groups, and what is free all the same."""

    name: str
    model: ModelSpec
    equal: tuple[str, ...] = ()
    free: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Ladder:
    """Steps, data, and how each step is fitted.

    Attributes
    ----------
    steps : tuple of Step
    assumed : tuple of str
        What the steps take for granted.
    data : DataFrame
    group : str
    partial : tuple of str
        What is left free at every step.
    options : dict
        Further arguments of :func:`semfit.fit`.
    items : tuple of str
        Ordered items; empty where all are continuous.
    """

    steps: tuple[Step, ...]
    assumed: tuple[str, ...]
    data: pd.DataFrame
    group: str
    partial: tuple[str, ...]
    options: dict[str, Any]
    items: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        model: str | ModelSpec,
        data: pd.DataFrame,
        group: str,
        *,
        partial: tuple[str, ...] = (),
        further: tuple[str, ...] = (),
        ordered: bool | str | Sequence[str] | None = None,
        estimator: str | None = None,
        std_lv: bool = False,
        **options,
    ) -> Ladder:
        """The ladder of a model, as :func:`semfit.invariance` describes it."""
        for word in further:
            if word not in FURTHER:
                raise DataError(f"further takes {', '.join(map(repr, FURTHER))}, not {word!r}")
        spec = ModelSpec.of(model)
        options |= {"ordered": ordered, "estimator": estimator, "std_lv": std_lv}
        if ordered is None or ordered is False or estimator not in (None, *LEAST_SQUARES):
            return cls(tuple(_steps(spec, further, std_lv)), (), data, group, partial, options)
        frame = checks.frame(data)
        checks.columns(frame, [group], "group")
        items = chosen_items(spec.parsed, variables(spec.parsed), ordered, fixed_x=True)
        checks.columns(frame, items, "item")
        steps, assumed = _ordered_steps(spec, frame, group, items, further, std_lv)
        return cls(
            tuple(steps), tuple(assumed), data, group, partial, options | {"parameterization": "theta"}, tuple(items)
        )

    def fit(self, step: Step, released: Sequence[str] = ()) -> Fit:
        """One step, with more left free than ``partial``."""
        model = step.model
        for item in self.items if "intercepts" in step.equal else ():  # they are 0 at this step, in every group
            if f"{item} ~ 1" in (*self.partial, *released) and not model.has(item, "~1"):
                model = model.add(item, "~1", value=[0.0] + [np.nan] * (self.data[self.group].nunique() - 1))
        return fit(
            model,
            self.data,
            group=self.group,
            group_equal=step.equal,
            group_partial=(*self.partial, *released, *step.free) if step.equal else (),
            **self.options,
        )


def _steps(model: ModelSpec, further: tuple[str, ...], std_lv: bool = False) -> list[Step]:
    terms = model.parsed.terms
    latents = list(dict.fromkeys(t.lhs for t in terms if t.op == "=~"))
    second = [(t.lhs, t.rhs) for t in terms if t.op == "=~" and t.rhs in latents]
    loadings, intercepts = ("loadings",), ("loadings", "intercepts")
    residuals = (*intercepts, "residuals")
    if not second:
        steps = [
            Step("configural", model),
            Step("metric", model, loadings),
            Step("scalar", model, intercepts),
            Step("strict", model, residuals),
        ]
        last = steps[-1]
    else:
        written = {t.lhs for t in terms if t.op == "~1"}
        tops = list(dict.fromkeys(h for h, _ in second))
        facets = list(dict.fromkeys(f for _, f in second))
        higher = tuple(f"{h} =~ {f}" for h, f in second)
        of_facets = of_tops = lower = model
        for h in tops if std_lv else ():  # their loadings may differ still, so their variances are 1 in every group
            lower = lower.fix(h, "~~", h, value=1.0)
        for h in tops:
            of_facets = of_facets if h in written else of_facets.fix(h, "~1", value=0.0)
        for f in facets:
            of_tops = of_tops if f in written else of_tops.fix(f, "~1", value=0.0)
        variances = tuple(f"{v} ~~ {v}" for v in latents if v not in facets)
        steps = [
            Step("configural", model),
            Step("metric", lower, loadings, higher),
            Step("metric of dimensions", model, loadings),
            Step("scalar", of_facets, intercepts),
            Step("scalar of dimensions", of_tops, intercepts),
            Step("strict", of_tops, residuals),
            Step("strict of dimensions", of_tops, (*residuals, "lv.variances"), variances),
        ]
        last = steps[-1]
    for word in (w for w in FURTHER if w in further):
        free = () if word == "lv.variances" else last.free
        last = Step(FURTHER[word], last.model, tuple(dict.fromkeys((*last.equal, word))), free)
        steps.append(last)
    return steps


def _ordered_steps(
    model: ModelSpec, data: pd.DataFrame, group: str, items: list[str], further: tuple[str, ...], std_lv: bool
) -> tuple[list[Step], list[str]]:
    """The ladder of ordered items (Wu & Estabrook 2016), and what it takes for granted."""
    terms = model.parsed.terms
    two = [v for v in items if data[v].nunique() == 2]
    groups = data[group].nunique()
    written = {(t.lhs, t.op) for t in terms if t.op == "~1" or t.lhs == t.rhs}
    scalar = model
    for v in two:
        scalar = scalar if (v, "~~") in written else scalar.fix(v, "~~", v, value=[1.0] * groups)
    cut = scalar
    for v in items:
        cut = cut if (v, "~1") in written else cut.add(v, "~1", value=[0.0] + [np.nan] * (groups - 1))
    for f in model.latents:
        cut = cut if (f, "~1") in written else cut.fix(f, "~1", value=[0.0] * groups)
    own = tuple(f"{v} ~ 1" for v in variables(model.parsed).ov)  # equal thresholds would make intercepts equal as well
    steps = [Step("configural", model), Step("thresholds", cut, ("thresholds",), own)]
    for step in _steps(cut, (), std_lv):
        if step.name.startswith("metric"):
            steps.append(Step(step.name, step.model, ("thresholds", *step.equal), (*own, *step.free)))
    for step in _steps(scalar, further, std_lv):
        if "intercepts" in step.equal:
            steps.append(Step(step.name, step.model, ("thresholds", *step.equal), step.free))
    if not two:
        return steps, []
    text = (
        f"{', '.join(two)}: two categories hold one threshold, so their residual variances are taken as 1 in all groups; "
        "differences in them would show as differences in loadings or intercepts"
    )
    return steps, [text]
