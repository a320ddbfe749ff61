"""Words on what leads to what: structural model, mediation, moderation, robustness, verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from . import figures
from .analysis import Indirect, Moderated
from .rules import RULES, poor_fit
from .study import VERDICTS, Hypothesis
from .write_measurement import fit_sentence
from .writer import Writer


# ------------------------------------------------------------------------------------------------ structural model
def structure(w: Writer) -> None:
    """Paths, fit and explained variance."""
    s = w.a.structure
    if s is None:
        return w.failed("structure", "structure", "structure")
    w.open("structure")
    w.say("structure", n=s.fit.n_total, fit=fit_sentence(w, s.fits))
    w.say("structure.r2", parts=[f"{w.words.name(y)} {w.words.format_field(v, 'pct')}" for y, v in s.r2.items()])
    w.end()
    claimed = {(x, y) for y, causes in w.plan.paths.items() for x in causes}
    for r in s.paths.itertuples():
        if (r.predictor, r.outcome) in claimed:
            key = f"path.{'yes' if RULES['path'](r.pvalue) else 'no'}"
            sign = w.words["positive" if RULES["positive"](r.est) else "negative"]
            w.say(key, x=r.predictor, y=r.outcome, sign=sign, beta=r.std_all, b=r.est, low=r.ci_lower, high=r.ci_upper, p=r.pvalue)  # fmt: skip
    if poor := poor_fit(s.fits):
        indices = [f"{n.upper()} = {w.words.format_field(s.fits[n], 'r3')}" for n in poor]
        w.alarm("structure.poor.alarm", indices=indices)
        w.limit("structure.poor.limit", indices=indices)
    large = [r.predictor for r in s.paths.itertuples() if not RULES["standardised"](abs(r.std_all))]
    if large:
        w.alarm("standardised.no.alarm", names=large)
    w.warned("model.sem", s.fit.warnings)
    w.table(
        "structure", s.paths,
        [("outcome", "outcome", "name"), ("predictor", "predictor", "name"), ("est", "b", "b3"), ("se", "SE", "b3"),
         (("ci_lower", "ci_upper"), "95% CI", "b3"), ("pvalue", "p", "p"), ("std_all", "beta", "b")],
        "note.structure", reference=_reference(w, s.paths["predictor"].map(w.words.name)),
    )  # fmt: skip
    w.drawn(s.paths.assign(beta=s.paths["std_all"], clear=[RULES["path"](p) for p in s.paths["pvalue"]]))
    w.check("structure")


def _reference(w: Writer, shown: Iterable[str]) -> str:
    """Which group of each column has no line among those that are shown."""
    lines, left = set(shown), []
    for column in w.plan.nominal:
        stem, values = w.words.name(column), w.a.gaps.keyed[column].dropna().unique()
        groups = {f"{stem}: {v}": f"{v} ({stem})" for v in (w.words.value(column, v) for v in values)}
        if lines & groups.keys():
            left += [groups[g] for g in sorted(groups.keys() - lines)]
    return w.words("note.reference", groups=left) if left else ""


# ------------------------------------------------------------------------------------------------------- mediation
def indirect(w: Writer) -> None:
    """Indirect effects with bootstrap intervals."""
    if not w.a.indirect:
        return w.failed("indirect", "indirect", "indirect")
    w.open("indirect")
    first = w.a.indirect[0].result
    w.say("indirect", n_boot=first.n_boot, n=first.n_obs)
    w.end()
    for part in w.a.indirect:
        _one_indirect(w, part)
    rows = pd.concat([_effects(w, part) for part in w.a.indirect], ignore_index=True)
    w.table(
        "indirect", rows,
        [("name", "hypothesis", "text"), ("what", "effect", "text"), ("est", "b", "b3"), ("se", "SE", "b3"),
         (("ci_lower", "ci_upper"), "95% CI", "b3"), ("std_all", "beta", "b3")],
        "note.indirect", n_boot=first.n_boot,
        percentiles=w.words["note.percentiles"] if any(p.result.moderator for p in w.a.indirect) else "",
    )  # fmt: skip
    w.check("indirect")


def _one_indirect(w: Writer, part: Indirect) -> None:
    x, *m, y = part.hypothesis.names
    r, d, names = part.row, part.direct, [w.words.name(n) for n in m]
    values = {"h": part.hypothesis.name, "x": x, "m": _route(names), "y": y, "b": r.est, "low": r.ci_lower, "high": r.ci_upper}  # fmt: skip
    if part.result.moderator is None:
        w.judge("indirect", float(r.ci_lower * r.ci_upper), **values)
        w.say("direct", m=w.words.joined(names), b=d.est, low=d.ci_lower, high=d.ci_upper)
        if np.isfinite(part.latent):
            w.say("indirect.latent", b=part.latent, low=part.latent_low, high=part.latent_high)
            w.judge("both_models", float(not part.disagrees), **values)
        return
    listed = [w.words("indirect.at", at=_at(w, v["at"]), b=v.est, low=v.ci_lower, high=v.ci_upper) for _, v in part.conditional.iterrows()]  # fmt: skip
    w.say("indirect.conditional", w=part.result.moderator, parts=listed, **values)
    for _, row in part.index.iterrows():
        w.judge("index", float(row.ci_lower * row.ci_upper), b=row.est, low=row.ci_lower, high=row.ci_upper, w=part.result.moderator, at=w.words.beside("", _at(w, row["at"])) if row["at"] else "")  # fmt: skip


def _at(w: Writer, place: str) -> str:
    """``P16: 2.67`` as a percentile with its value behind it; a group as it is."""
    name, colon, value = place.partition(": ")
    return w.words.beside(name, value) if colon and re.fullmatch(r"P\d+", name) else place


def _route(names: Sequence[str]) -> str:
    return " \u2192 ".join(names)


def _effects(w: Writer, part: Indirect) -> pd.DataFrame:
    """Rows of one mediation for the table."""
    rows = part.result.table.copy()
    rows["name"] = [f"{part.hypothesis.name}. {claim(w, part.hypothesis)}" if k == 0 else "" for k in range(len(rows))]
    several = len(part.result.mediators) > 1
    routes = [w.words["colon"] + _route([w.words.name(n) for n in m.split(" -> ")]) if several and m else "" for m in rows["mediator"]]  # fmt: skip
    rows["what"] = [w.words[f"effect.{e}"] + m + (w.words["comma"] + _at(w, at) if at else "") for e, m, at in zip(rows["effect"], routes, rows["at"], strict=True)]  # fmt: skip
    return rows


# ------------------------------------------------------------------------------------------------------ moderation
def moderation(w: Writer) -> None:
    """One section a product, and one on other choices."""
    if not w.plan.products:
        w.check("moderation", "na", "moderation.none.where")
        w.check("latent", "na", "moderation.none.where")
        return
    done = {(m.product.x, m.product.w, m.product.y): m for m in w.a.moderated}
    for product in w.plan.products:
        key = (product.x, product.w, product.y)
        if key in done:
            _one_moderation(w, done[key])
        else:
            w.failed(f"moderated {' '.join(key)}", "moderation", "moderation", x=product.x, w=product.w)


def _one_moderation(w: Writer, part: Moderated) -> None:
    p, main = part.product, part.result
    w.open("moderation", x=p.x, w=p.w)
    held = w.plan.others(p)
    w.say("moderation.held" if held else "moderation", x=p.x, w=p.w, y=p.y, held=held, n=main.n_used, dropped=main.n_dropped)  # fmt: skip
    lost = main.n_dropped / (main.n_used + main.n_dropped)
    w.judge("lost", lost, what=w.words["model.regression"], used=main.n_used, n=main.n_used + main.n_dropped)
    w.say("moderation.r2", r2=main.r2, delta=part.delta_r2)
    if len(main.products) == 1:
        row = part.table.loc[main.product]
        values = {
            "x": p.x, "w": p.w, "y": p.y, "b": row.est, "low": row.ci_lower, "high": row.ci_upper, "p": row.pvalue, "beta": row.std_all,
        }  # fmt: skip
        if RULES["product"](row.pvalue):
            kind = "groups" if part.jn is None else "higher" if RULES["positive"](row.est) else "lower"
            w.say(f"product.yes.{kind}", size=abs(row.est), **values)
        else:
            w.say("product.no", **values)
    else:
        last = part.steps.iloc[-1]
        w.judge("groups_differ", part.joint_p, x=p.x, w=p.w, f=last.f_change, df1=last.df1, df2=last.df2)
    if np.isfinite(part.detectable):
        w.limit("detectable.limit", n=main.n_used, size=part.detectable)
    worst = float(part.table["vif"].max())
    w.judge("vif", worst)
    _hierarchy(w, part)
    _coefficients(w, part)
    _slopes(w, part)
    w.check(_line(part, "moderation"))
    _robustness(w, part)


def _line(part: Moderated, key: str) -> str:
    """The line of the checklist: Johnson-Neyman and squares need a moderator that is a number."""
    return key if part.jn is not None else f"{key}.groups"


def _hierarchy(w: Writer, part: Moderated) -> None:
    rows = part.steps.reset_index()
    rows["added"] = [_added(w, text) for text in rows["added"]]
    w.table(
        "hierarchy", rows,
        [("step", "step", "d"), ("added", "added", "text"), ("r2", "R2", "r3"), ("adj_r2", "adj R2", "r3"), ("delta_r2", "dR2", "r3"),
         ("f_change", "F", "b"), ("df1", "df1", "d"), ("df2", "df2", "d"), ("pvalue", "p", "p"), ("f2", "f2", "b3")],
        "note.hierarchy", y=part.product.y,
    )  # fmt: skip


def _added(w: Writer, text: str) -> str:
    kind, names = text.split(": ", 1)
    return f"{w.words.get(f'added.{kind}', kind)}{w.words['colon']}{w.words['comma'].join(term(w, n) for n in names.split(', '))}"


def term(w: Writer, name: str) -> str:
    """``a:b[group]`` in words."""
    if name == "Intercept":
        return w.words["intercept"]
    return " \u00d7 ".join(_level(w, part) for part in name.split(":"))


def _level(w: Writer, part: str) -> str:
    stem, bracket, group = part.partition("[")
    return f"{w.words.name(stem)}: {group[:-1]}" if bracket else w.words.name(part)


def _coefficients(w: Writer, part: Moderated) -> None:
    rows = part.table.copy()
    rows["term"] = [term(w, str(n)) for n in rows.index]
    w.table(
        "regression", rows,
        [("term", "term", "text"), ("est", "b", "b3"), ("se", "SE", "b3"), (("ci_lower", "ci_upper"), "95% CI", "b3"),
         ("t", "t", "b"), ("pvalue", "p", "p"), ("std_all", "beta", "b3"), ("vif", "VIF", "b")],
        "note.regression", y=part.product.y, n=part.result.n_used, reference=_reference(w, rows["term"]),
    )  # fmt: skip


def _slopes(w: Writer, part: Moderated) -> None:
    p, rows = part.product, part.slopes.copy()
    shown = [w.words.value(p.w, v) if part.jn is None else w.words.format_field(v, "b") for v in rows[p.w]]
    at = [w.words.get(f"at.{a}", a) for a in rows["at"]]
    rows["where"] = shown if part.jn is None else [f"{a} ({v})" for a, v in zip(at, shown, strict=True)]
    w.say("slopes", parts=[w.words("slope", at=r["where"], b=r.est, low=r.ci_lower, high=r.ci_upper, p=r.pvalue) for _, r in rows.iterrows()], x=p.x, y=p.y, w=p.w)  # fmt: skip
    for _, d in part.differences.iterrows():
        key = "groups_differ.pair.yes" if RULES["groups_differ"](d.pvalue_holm) else "groups_differ.pair.no"
        w.say(key, a=d["first"], b=d["second"], diff=d.est, low=d.ci_lower, high=d.ci_upper, p=d.pvalue_holm)
    if part.jn is not None:
        w.say("jn", regions=[_region(w, p.w, r) for r in part.jn.regions.itertuples()], w=p.w)
    w.table("slopes", rows, [("where", "at", "text"), ("est", "b", "b"), ("se", "SE", "b"), (("ci_lower", "ci_upper"), "95% CI", "b"), ("pvalue", "p", "p")], "note.slopes", x=p.x, w=p.w, y=p.y)  # fmt: skip
    values: dict[str, Any] = {"x": p.x, "y": p.y, "w": p.w, "n": part.result.n_used}
    lines = [w.words("slope.plain", at=r["where"], b=r.est) for _, r in rows.iterrows()]
    w.figure("slopes", figures.slopes(part, w.words), lines=lines, **values)
    if part.jn is not None:
        bounds = [w.words.format_field(b, "b") for b in part.jn.inside] or [w.words["none"]]
        w.figure("jn", figures.johnson_neyman(part, w.words), low=part.jn.observed[0], high=part.jn.observed[1], bounds=bounds, **values)  # fmt: skip


def _region(w: Writer, moderator: str, row: Any) -> str:
    kind = w.words.get(f"region.{row.slope}", str(row.slope))
    return w.words("region", kind=kind, w=moderator, low=row.lower, high=row.upper, share=row.share, n=int(row.n))


def _robustness(w: Writer, part: Moderated) -> None:
    p, rows = part.product, part.robustness.copy()
    w.open("robustness", x=p.x, w=p.w)
    if part.latent is not None:
        v = part.latent.product
        w.say("latent", n=part.latent.n_obs, beta=v.std_all, b=v.est, low=v.ci_lower, high=v.ci_upper, p=v.pvalue)
        w.cite("lin")
        w.warned("model.latent", part.latent.warnings)
        w.check("latent")
    elif part.latent_problem.startswith("observed: "):
        w.check("latent", "na", "latent.observed.where")
    else:
        reason = w.plan.printed(part.latent_problem).rstrip(".")
        w.say("latent.failed", reason=reason)
        w.alarm("latent.failed.alarm", reason=reason)
        w.check("latent", "no", "failed.where")
    clear = (rows["ci_lower"] > 0) | (rows["ci_upper"] < 0)
    w.say("robust", low=rows["est"].min(), high=rows["est"].max(), count=int(clear.sum()), of=len(rows))
    against = [w.words[f"analysis.{k}"] for k in rows.index[clear != clear.iloc[0]]]
    w.judge("agree", float((clear == clear.iloc[0]).mean()), against=against)
    w.judge("sign", float((np.sign(rows["est"]) == np.sign(rows["est"].iloc[0])).mean()))
    note = ("note.robustness" if "latent" in rows.index else "note.robustness.joint" if len(part.result.products) > 1 else None)  # fmt: skip
    if "squares" in rows.index:
        w.say("robust.squares")
        w.cite("ganzach")
    rows["analysis"] = [w.words[f"analysis.{k}"] for k in rows.index]
    w.table(
        "robustness", rows,
        [("analysis", "analysis", "text"), ("est", "b", "b3"), (("ci_lower", "ci_upper"), "95% CI", "b3"), ("pvalue", "p", "p"),
         ("std_all", "beta", "b3"), ("n", "n", "d")],
        note,
    )  # fmt: skip
    w.check(_line(part, "robustness"))


# -------------------------------------------------------------------------------------------------------- verdicts
def claim(w: Writer, h: Hypothesis) -> str:
    """The claim with labels: ``Satisfaction x Switching costs -> Loyalty (-)``."""
    sign = {1: " (+)", -1: " (\u2212)", 0: ""}[h.sign]
    names = [w.words.name(n) for n in h.names]
    if h.kind == "moderation":
        return f"{names[0]} \u00d7 {names[1]} \u2192 {names[2]}{sign}"
    return _route(names) + sign


def verdicts(w: Writer) -> None:
    """Every hypothesis with estimate, interval, verdict and what it rests on."""
    table = w.a.verdicts
    if table is None:
        return
    w.open("hypotheses")
    supported = int((table["key"] == "supported").sum())
    w.say("hypotheses", count=supported, of=len(table))
    w.end()
    for name, row in table.iterrows():
        values = {"h": name, "claim": claim(w, row["hypothesis"]), "b": row.est, "low": row.ci_lower, "high": row.ci_upper}  # fmt: skip
        key = f"verdict.{row['key']}"
        part = next((m for m in w.a.moderated if m.product.hypothesis == name), None)
        if row.basis == "joint" and part is not None and f"{key}.joint" in w.words:
            last = part.steps.iloc[-1]
            values |= {"f": last.f_change, "df1": last.df1, "df2": last.df2, "p": part.joint_p}
            key += ".joint"
        w.say(key, **values)
        if row.basis == "apart":
            w.say("verdict.apart")
    rows = table.copy()
    rows["name"] = rows.index
    rows["claim"] = [claim(w, h) for h in rows["hypothesis"]]
    rows["verdict"] = [VERDICTS[k][w.words.language] for k in rows["key"]]
    rows["basis"] = [w.words(f"basis.{b}", n=n) for b, n in zip(rows["basis"], rows["n"], strict=True)]
    w.table(
        "hypotheses", rows,
        [("name", "name", "text"), ("claim", "hypothesis", "text"), ("est", "b", "b3"), (("ci_lower", "ci_upper"), "95% CI", "b3"),
         ("verdict", "verdict", "text"), ("basis", "basis", "text")],
        "note.hypotheses",
    )  # fmt: skip
    if w.a.structure is not None and poor_fit(w.a.structure.fits):
        w.alarm("hypotheses.poor.alarm")
    claimed = {name for h in w.plan.hypotheses for name in h.names}
    single = [c for c in w.plan.columns if c in claimed and c not in w.plan.nominal]
    if single:
        w.alarm("single.alarm", names=single)
    w.check("hypotheses")
