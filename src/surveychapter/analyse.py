"""From a plan to its numbers: every part once, in reading order; what cannot run leaves its reason."""

from __future__ import annotations

import warnings

import pandas as pd

from semfit.saturated import shared_rows
from switchcost.core.jobs import named_steps

from . import analyse_measurement as measurement
from . import analyse_sample, analyse_structure
from .analyse_pls import least_squares_paths, necessary
from .analyse_pls_groups import path_groups
from .analyse_prediction import prediction
from .analysis import Analysis, Problem, attempt
from .plan import Plan, own_names


def analyse(plan: Plan) -> Analysis:
    """Compute everything that the chapter of a study states.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    Analysis

    Raises
    ------
    DataError
        The answers themselves cannot be used: an item that is text, a reverse item without a range.
    """
    problems: dict[str, Problem] = {}
    with warnings.catch_warnings(), shared_rows(), named_steps("chapter") as at:
        warnings.simplefilter("ignore")  # what the functions warn of is in their results, and the words read it there
        with own_names(plan):
            sample, used = analyse_sample.sample(plan)
            gaps = analyse_sample.gaps(plan, used, sample)
        keyed = gaps.keyed

        def part(name, step, *arguments):
            at(name.replace("_", " "))
            return attempt(problems, name, step, *arguments)

        descriptives = part("descriptives", analyse_sample.descriptives, plan, gaps)
        reliability = part("reliability", measurement.reliability, plan, keyed)
        omega = pd.Series(dtype=float) if reliability is None else reliability["omega"]
        exploration = part("exploration", measurement.exploration, plan, keyed) if plan.efa else None
        factors = part("factors", measurement.factors, plan, keyed)
        htmt = part("htmt", measurement.ratios, plan, keyed)
        bias = part("method_bias", measurement.method_bias, plan, keyed)
        groups = part("groups", measurement.groups, plan, keyed)
        structure = None
        if plan.method == "sem" and (plan.hypotheses or not plan.moderators):
            structure = part("structure", analyse_structure.structure, plan, gaps)
        pls = part("pls", least_squares_paths, plan, gaps) if plan.method == "pls" else None
        predicted = part("prediction", prediction, pls, plan) if pls is not None else None
        needed = part("necessary", necessary, pls, plan) if pls is not None and plan.nca else None
        several = part("path_groups", path_groups, pls, plan, gaps) if pls is not None and plan.group else None
        indirect = part("indirect", analyse_structure.indirect, plan, gaps, structure) or []
        moderated = []
        for product in plan.products:
            name = f"moderated {product.x} {product.w} {product.y}"
            moderated.append(part(name, analyse_structure.moderated, plan, product, gaps, sample, omega))
        moderated = [m for m in moderated if m is not None]
        verdicts = analyse_structure.verdicts(plan, moderated, indirect, structure, pls) if plan.hypotheses else None
    return Analysis(
        plan, sample, gaps, descriptives, reliability, exploration, factors, htmt, bias, groups, structure, indirect,
        moderated, pls, predicted, several, needed, verdicts, problems,
    )  # fmt: skip
