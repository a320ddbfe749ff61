"""Words on the PLS alternative."""

from __future__ import annotations

import pandas as pd

from .analysis import PathGroups, Pls, Prediction
from .rules import EFFECT_F2, RULES, word
from .writer import Writer


def least_squares_paths(w: Writer) -> None:
    """Measurement, paths and prediction of the PLS path model."""
    p, words = w.a.pls, w.words
    if p is None:
        return w.failed("pls", "pls", "pls")
    w.open("pls")
    w.say("pls", n=p.fit.n_obs, n_boot=p.boot.n_boot)
    if p.fit.n_missing_cells:
        w.say("pls.missing", cells=p.fit.n_missing_cells, rows=p.fit.n_missing_rows)
    rel = p.reliability.dropna()
    low = [s for s, v in rel["rhoA"].items() if not RULES["rho_a"](v)]
    w.say(
        "rho_a.no" if low else "rho_a.yes", names=low, limit=RULES["rho_a"].limit, low=rel["rhoA"].min(),
        high=rel["rhoA"].max(),
    )  # fmt: skip
    weak = [s for s, v in rel["ave"].items() if not RULES["ave"](v)]
    if weak:
        w.say("pls.ave.no", names=weak)
    rows = p.measurement.copy()
    first = ~rows["scale"].duplicated()
    rows["name"] = [words.name(s) if one else "" for s, one in zip(rows["scale"], first, strict=True)]
    for name in ("alpha", "rhoA", "rhoC", "ave"):
        rows[name] = [
            p.reliability.loc[s, name] if one else float("nan") for s, one in zip(rows["scale"], first, strict=True)
        ]
    rows["what"] = [words.own(i) if i in w.plan.items else words.name(i) for i in rows["item"]]
    w.table(
        "pls_measurement", rows,
        [("name", "scale", "text"), ("what", "item", "text"), ("loading", "loading", "r"), ("weight", "weight", "r"), ("vif", "VIF", "b"),
         ("alpha", "alpha", "r"), ("rhoA", "rho_A", "r"), ("rhoC", "CR", "r"), ("ave", "AVE", "r")],
        "note.pls_measurement",
    )  # fmt: skip
    _paths(w, p)
    if w.a.prediction is None:
        w.failed("prediction", "prediction")
    else:
        _prediction(w, w.a.prediction)
    w.end()
    w.say("pls.not", nca="" if w.a.necessary is not None else w.words["pls.not.nca"])
    w.cite("pls", "plsc")
    w.check("pls")
    if w.a.necessary is None:
        w.failed("necessary", "nca", "nca")
    else:
        _necessary(w, w.a.necessary)
    if w.a.path_groups is None:
        w.failed("path_groups", "path_groups", "path_groups", group=w.plan.group)
    else:
        _groups(w, w.a.path_groups)


def _paths(w: Writer, p: Pls) -> None:
    words = w.words
    w.say("structure.r2", parts=[f"{words.name(y)} {words.format_field(v, 'pct')}" for y, v in p.r2["r2"].items()])
    w.end()
    claimed = {(x, y) for y, causes in w.plan.paths.items() for x in causes}
    for r in p.paths.to_dict("records"):
        if (r["from"], r["to"]) in claimed:
            key = "pls.path.yes" if RULES["indirect"](r["ci_lower"] * r["ci_upper"]) else "pls.path.no"
            sign = words["positive" if RULES["positive"](r["estimate"]) else "negative"]
            size = words[f"size.{word(EFFECT_F2, r['f2'])}"] if r["f2"] == r["f2"] else ""
            extra = words("pls.f2", f2=r["f2"], size=size) if size else ""
            w.say(key, x=r["from"], y=r["to"], sign=sign, b=r["estimate"], low=r["ci_lower"], high=r["ci_upper"], extra=extra)  # fmt: skip
    w.judge("vif", float(p.paths["vif"].max()))
    rows = p.paths.copy()
    rows["name"] = [_source(w, x) for x in rows["from"]]
    w.table(
        "pls_paths", rows,
        [("to", "outcome", "name"), ("name", "predictor", "text"), ("estimate", "beta", "b3"), (("ci_lower", "ci_upper"), "95% CI", "b3"),
         ("consistent", "PLSc", "b3"), ("f2", "f2", "b3"), ("vif", "VIF", "b")],
        "note.pls_paths", n_boot=p.boot.n_boot,
    )  # fmt: skip
    clear = [RULES["indirect"](low * high) for low, high in zip(rows["ci_lower"], rows["ci_upper"], strict=True)]
    w.drawn(rows.rename(columns={"to": "outcome", "from": "predictor", "estimate": "beta"}).assign(clear=clear))


def _prediction(w: Writer, p: Prediction) -> None:
    """Out of sample: better than the mean, and better than a regression on the items?"""
    t = p.items
    w.judge("q2", float(t["q2_predict"].min()), low=t["q2_predict"].min(), high=t["q2_predict"].max())
    better = t["rmse_pls"] < t["rmse_lm"]
    w.judge("predict", float(better.mean()), count=int(better.sum()), of=len(t))
    w.table(
        "prediction", t,
        [("item", "item", "item"), ("q2_predict", "Q2", "b3"), ("rmse_pls", "RMSE PLS", "b3"), ("rmse_lm", "RMSE LM", "b3")],
        "note.prediction",
    )  # fmt: skip
    overall = p.losses.iloc[-1]
    for benchmark in ("ia", "lm"):
        d, value = overall[f"d_{benchmark}"], overall[f"p_{benchmark}"]
        # Against the means the p of "worse" is too small too often (benchmarks/cvpat.py), so that is never said.
        worse = "no" if benchmark == "ia" else "worse"
        side = "no" if not RULES["cvpat"](value) else worse if RULES["positive"](d) else "yes"
        key = f"cvpat.{benchmark}.{side}" if value == value else "cvpat.same"
        w.say(key, own=overall["pls"], other=overall[benchmark], p=value)
    rows = p.losses.assign(name=[w.words.name(c) if c else w.words["cvpat.all"] for c in p.losses["outcome"]])
    w.table(
        "cvpat", rows,
        [("name", "outcome", "text"), ("pls", "PLS", "b3"), ("lm", "LM", "b3"), ("d_lm", "PLS \u2212 LM", "b3"), ("p_lm", "p", "p"),
         ("ia", "IA", "b3"), ("d_ia", "PLS \u2212 IA", "b3"), ("p_ia", "p", "p")],
        "note.cvpat", n_boot=w.plan.n_boot,
    )  # fmt: skip
    w.check("prediction")


def _source(w: Writer, name: str) -> str:
    return " \u00d7 ".join(w.words.name(n) for n in name.split("*"))


def _groups(w: Writer, g: PathGroups) -> None:
    """Are the composites formed alike in the groups, and do the paths differ?"""
    values = {"group": w.plan.group, "largest": w.words.value(str(w.plan.group), g.largest)}
    shown = {v: w.words.value(str(w.plan.group), v) for v in g.sizes.index}
    w.open("path_groups", group=w.plan.group)
    w.say("path_groups", sizes=[f"{shown[v]} (n = {n})" for v, n in g.sizes.items()], n=w.plan.n_boot, **values)
    c = g.composites.assign(groups=[f"{values['largest']} \u2013 {shown[v]}" for v in g.composites["group"]])
    other = [w.words.name(n) for n in dict.fromkeys(c["composite"][[not RULES["micom"](p) for p in c["p"]]])]
    w.judge("micom", float(c["p"].min()) if len(c) else 1.0, names=other, **values)
    w.table(
        "micom", c,
        [("composite", "composite", "name"), ("groups", "groups", "text"), ("c", "c", "r3"), ("low", "5%", "r3"), ("p", "p", "p")],
        "note.micom", **values,
    )  # fmt: skip
    t = g.table.assign(
        name=[_source(w, x) for x in g.table["from"]],
        groups=[f"{values['largest']} \u2013 {shown[v]}" for v in g.table["group"]],
    )  # fmt: skip
    differ = t[[RULES["group_path"](p) for p in t["p_holm"]]]
    for r in differ.to_dict("records"):
        w.judge(
            "group_path", r["p_holm"], x=r["name"], y=r["to"], a=values["largest"], b=shown[r["group"]],
            first=r["first"], second=r["second"],
        )  # fmt: skip
    if differ.empty:
        w.say("group_path.none")
    w.table(
        "path_groups", t,
        [("to", "outcome", "name"), ("name", "predictor", "text"), ("groups", "groups", "text"), ("first", "first", "b3"), ("second", "second", "b3"),
         ("difference", "difference", "b3"), ("p_holm", "p", "p")],
        "note.path_groups", **values,
    )  # fmt: skip
    w.check("path_groups")


def _necessary(w: Writer, t: pd.DataFrame) -> None:
    """Which predictors have to be high before an outcome can be?"""
    w.open("nca")
    needed = [RULES["nca"](d) and RULES["nca_p"](p) for d, p in zip(t["d"], t["p"], strict=True)]
    shown = [w.words("nca.one", x=r.construct, y=r.outcome, d=r.d) for r in t[needed].itertuples()]
    w.say("nca.yes" if shown else "nca.no", parts=shown, limit=RULES["nca"].limit)
    w.table(
        "nca", t,
        [("outcome", "outcome", "name"), ("construct", "predictor", "name"), ("d", "d", "r"), ("p", "p", "p")],
        "note.nca", n=w.plan.n_boot,
    )  # fmt: skip
    w.check("nca")
