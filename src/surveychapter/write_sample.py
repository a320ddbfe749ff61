"""Words on the method and the sample."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from . import figures
from .screening.checks import Check, checks_named
from .writer import Writer

NUMPY = re.compile(
    r"data\.replace\(\{.*?: \{(.*?): np\.nan\}\}\)"
)  # the mend of the audit, for a reader without Python


def method(w: Writer) -> None:
    """What was done with what, in the order of the chapter, with citations."""
    a, plan = w.a, w.plan
    w.open("method")
    if plan.simulated:
        w.say("simulated")
        w.end()
    w.say("method.scores.all" if plan.least == 1 else "method.scores", least=plan.least)
    w.say("method.reliability", n_boot=plan.n_boot)
    if a.exploration is not None:
        w.say("method.efa")
        w.cite("kaiser", "horn")
    if a.factors is not None:
        full = a.factors.fit.options.missing == "fiml"
        w.say("method.cfa.fiml" if full else "method.cfa")
        w.cite("mlr")
    w.say("method.validity", n_boot=plan.n_boot)
    if a.method_bias is not None:
        w.say("method.bias")
        w.cite("podsakoff")
    if a.groups is not None and a.groups.invariance is not None:
        w.say("method.groups")
        w.cite("chen")
    if a.structure is not None:
        w.say("method.structure")
    if a.indirect:
        w.say("method.indirect", n_boot=a.indirect[0].result.n_boot)
        w.cite("mediation")
    if a.moderated:
        numeric = any(m.jn is not None for m in a.moderated)
        w.say("method.moderated", probed=w.words["probed.jn" if numeric else "probed"])
        w.cite("aiken", "hc3", *(["jn"] if numeric else []))
    if a.pls is not None:
        w.say("method.pls", n_boot=plan.n_boot)
        w.cite("pls")
    if a.prediction is not None:
        w.say("method.prediction")
        w.cite("plspredict", "seminrextras")
    w.say("method.level")
    w.end()


def participants(w: Writer) -> None:
    """The flow of n and who is left."""
    s, words = w.a.sample, w.words
    w.open("participants")
    w.say("sample.file", n=s.n_file)
    gone = [step for step in s.flow[1:] if not step.rule]
    if gone:
        w.say("sample.platform", steps=[words("sample.step", what=_step(w, p.what), n=p.dropped) for p in gone])
    ruled = [step for step in s.flow if step.rule]
    if ruled:
        left = [words("sample.rule", what=_step(w, p.what), n=p.dropped) for p in ruled]
        found = any(p.dropped for p in ruled)
        w.say("sample.rules" if found else "sample.rules.none", steps=left, rules=[_step(w, p.what) for p in ruled], n=s.n_used)  # fmt: skip
    else:
        w.say("sample.none.further" if gone else "sample.none", n=s.n_used)
    if len(s.flagged):
        w.say("sample.flagged" if w.a.moderated else "sample.flagged.stay", n=len(s.flagged))
    if len(s.flow) > 1:
        w.say("sample.figure")
        steps = [
            (
                words("flow.n", what=_step(w, p.what) if k == 0 else "", n=p.left),
                words("flow.left", what=_step(w, p.what), n=p.dropped),
            )
            for k, p in enumerate(s.flow)
        ]
        shown = [f"{a.strip()} ({b})" for a, b in steps[1:]]
        w.figure("flow", figures.flow(steps), 0.5 + 0.8 * len(steps), steps=shown, n=s.n_file)
    if len(s.people):
        rows = s.people.assign(
            what=[w.words.name(r.characteristic) + ("" if pd.notna(r.mean) else words["colon"] + words.value(r.characteristic, r.value)) for r in s.people.itertuples()],
            shown=[words("sample.mean", mean=r.mean, sd=r.sd, low=r.low, high=r.high) if pd.notna(r.mean) else words.format_field(r.share, "pct1") for r in s.people.itertuples()],
        )  # fmt: skip
        w.table(
            "people", rows, [("what", "characteristic", "text"), ("shown", "value", "text"), ("n", "n", "d")],
            "note.people",
        )  # fmt: skip
    else:
        w.limit("people.none")
    w.check("sample")


def _step(w: Writer, what: str) -> str:
    """Words of a step of the flow."""
    if found := re.fullmatch(r"failed (.*)", what):
        return w.words("flow.failed", item=found[1])
    if found := re.fullmatch(r"answered in less than (.*) seconds", what):
        return w.words("flow.fast", seconds=found[1])
    if found := re.match(r"not selected in SPSS \((.*)\)", what):
        return w.words("flow.filter", rule=found[1])
    return w.words.get(f"flow.{what}", what)


def _detail(w: Writer, check: str, detail: str) -> str:
    """The start of a finding; what it tells an author to do is done here, and is told as done."""
    if check == Check.STORED_AS_ANSWERED:
        detail = f"{detail.split(':')[0]}: {w.words['audit.turned']}"
    return w.plan.printed(re.split(r" \(|\. Rows ", detail)[0][:160])


def quality(w: Writer) -> None:
    """What the checks of the raw answers found."""
    found, words = w.a.sample.audit, w.words
    table = found.table
    serious = table[table["severity"] == "serious"]
    w.open("quality")
    w.say("quality.checks")
    w.cite("meade")
    if len(table):
        w.say("quality.counts", serious=len(serious), warnings=int((table["severity"] == "warning").sum()))
        short = table.assign(
            detail=[_detail(w, *row) for row in zip(table["check"], table["detail"], strict=True)],
            columns=[w.plan.printed(c) for c in table["columns"]],
            severity=[words[f"severity.{v}"] for v in table["severity"]],
            check=[words.get(f"audit.{c}", c) for c in table["check"]],
        )
        last = [("detail", "detail", "text")] if words.language == "en" else [("columns", "columns", "text")]
        w.table(
            "audit", short,
            [("severity", "severity", "text"), ("check", "check", "text"), ("rows", "rows", "d"), *last], "note.audit",
        )  # fmt: skip
    else:
        w.say("quality.nothing")
    for check, detail in zip(serious["check"], serious["detail"], strict=True):
        handled = any(check in checks_named(rule) for rule in w.plan.exclude)
        key = "audit.excluded.alarm" if handled else "audit.serious.alarm"
        w.alarm(
            key,
            check=words.get(f"audit.{check}", check),
            detail=w.plan.printed(NUMPY.sub(r"write \1 into the codebook's column 'missing_code'", detail)),
        )
    w.check("audit")


def missing(w: Writer) -> None:
    """Gaps, impossible answers, and the rule of scoring."""
    g, plan = w.a.gaps, w.plan
    w.open("missing")
    if g.impossible:
        total = sum(g.impossible.values())
        where = [f"{w.words.own(k)}: {v}" for k, v in g.impossible.items()]
        w.say("impossible", n=total, where=where)
        w.alarm("impossible.alarm", n=total, where=where)
    w.say("reversed" if g.reversed else "reversed.none", items=g.reversed)
    w.end()
    if g.share == 0:
        w.say("gaps.none")
    else:
        w.say(
            "gaps", n_items=len(plan.items), share=g.share, worst=w.words.own(g.worst), worst_share=g.worst_share,
            complete=g.complete, n=g.n,
        )  # fmt: skip
        w.say("gaps.rule.all" if plan.least == 1 else "gaps.rule", least=plan.least)
        w.say("gaps.drivers" if g.drivers else "gaps.random", drivers=g.drivers)
        w.judge("complete", g.complete / g.n)
    w.check("missing")


def descriptives(w: Writer) -> None:
    """Means, standard deviations, correlations."""
    d = w.a.descriptives
    if d is None:
        return w.failed("descriptives", "descriptives", "descriptives")
    w.open("descriptives")
    w.say("descriptives")
    if d.pair is not None:
        w.say("descriptives.pair", x=d.pair[0], y=d.pair[1], r=d.r, low=d.r_lower, high=d.r_upper)
    scales = d.table[d.table.index.isin(w.plan.scales)]
    skewed = [s for s, v in scales["skew"].items() if not w.judge("skew", abs(v))]
    if skewed:
        w.say("descriptives.skewed", names=skewed)
    rows = d.table.copy()
    names = list(rows.index)
    rows["name"] = [f"{k}. {w.words.name(n)}" for k, n in enumerate(names, start=1)]
    columns = [("name", "variable", "text"), ("n", "n", "d"), ("mean", "M", "b"), ("sd", "SD", "b"), ("skew", "skew", "b")]  # fmt: skip
    for j, name in enumerate(names[:-1], start=1):
        rows[f"r{j}"] = [d.correlations.loc[row, name] if i > j else np.nan for i, row in enumerate(names, start=1)]
        columns.append((f"r{j}", str(j), "r"))
    w.table("descriptives", rows, columns, "note.descriptives", n=d.n_complete, r=d.limit_r)
    w.check("descriptives")
