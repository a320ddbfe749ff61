"""Words on measurement: reliability, factors, validity, method, groups."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from switchcost.measurement.validity import HTMT

from .analysis import Factors
from .rules import RULES, fit_word, poor_fit
from .wording import Near
from .writer import Writer


def reliability(w: Writer) -> None:
    """Omega and alpha of every scale."""
    found = w.a.reliability
    if found is None:
        return w.failed("reliability", "reliability", "reliability")
    w.open("reliability")
    w.say("reliability", n_boot=w.plan.n_boot)
    w.end()
    low = [s for s, v in found["omega"].items() if not RULES["omega"](v)]
    high = [s for s in found.index if s not in low]
    for kind, names in (("reliability.high", high), ("reliability.low", low)):
        if names:
            part = found.loc[names]
            listed = [
                w.words(
                    "reliability.scale",
                    scale=s,
                    omega=Near(v.omega, RULES["omega"].limit),
                    low=v.omega_ci_lower,
                    high=v.omega_ci_upper,
                )
                for s, v in part.iterrows()
            ]
            w.say(kind, scales=listed, limit=RULES["omega"].limit)
    rows = found.reset_index(names="scale")
    w.table(
        "reliability", rows,
        [("scale", "scale", "name"), ("n_items", "items", "d"), ("n", "n", "d"), ("omega", "omega", "r"),
         (("omega_ci_lower", "omega_ci_upper"), "ci.omega", "r"), ("alpha", "alpha", "r"),
         (("alpha_ci_lower", "alpha_ci_upper"), "ci.alpha", "r"), ("mean_r", "mean r", "r")],
        "note.reliability",
    )  # fmt: skip
    for scale, row in found.iterrows():
        if np.isnan(row.omega):
            w.alarm("omega.none.alarm", scale=scale)
        else:
            w.judge("omega", row.omega, scale=scale, low=row.omega_ci_lower, high=row.omega_ci_upper)
        if row.note and (row.n_items > 2 or row.reversed or np.isnan(row.omega)):
            w.alarm(
                "scale.turned.alarm" if row.reversed else "scale.note.alarm", scale=scale,
                note=w.plan.printed(row.note),
            )  # fmt: skip
    w.cite("omega", "feldt")
    w.check("reliability")


def exploration(w: Writer) -> None:
    """Exploratory factor analysis, where asked for."""
    x = w.a.exploration
    if x is None:
        return w.failed("exploration", "exploration", "exploration")
    w.open("exploration")
    w.judge("kmo", x.kmo.overall)
    w.judge("bartlett", x.bartlett.pvalue, chisq=x.bartlett.statistic, df=x.bartlett.df)
    k = x.efa.loadings.shape[1]
    w.say("exploration.number", parallel=x.parallel.n_components, map=x.map.n_components, k=k, n=x.n)
    w.say("exploration.share", share=float(x.efa.variance["cumulative"].iloc[-1]))
    load = x.efa.loadings
    own = load.abs().idxmax(axis=1)
    second = pd.Series({i: load.loc[i].abs().drop(own[i]).max() if k > 1 else 0.0 for i in load.index})
    if k > 1:
        w.judge("cross", float(second.max()), item=w.words.own(str(second.idxmax())))
    misplaced = _misplaced(w, own)
    w.say("exploration.misplaced" if misplaced else "exploration.placed", items=misplaced)
    rows = load.copy()
    rows.columns = [f"f{j}" for j in range(1, k + 1)]
    rows["h2"], rows["item"] = x.efa.communalities, rows.index
    w.table(
        "exploration", rows,
        [("item", "item", "item"), *((f"f{j}", str(j), "r") for j in range(1, k + 1)), ("h2", "h2", "r")],
        "note.exploration",
    )  # fmt: skip
    w.check("exploration")


def _misplaced(w: Writer, own: pd.Series) -> list[str]:
    """Items whose largest loading is not on the factor of most items of their scale."""
    out = []
    for items in w.plan.scales.values():
        place = own[items].mode().iloc[0]
        out += [i for i in items if own[i] != place]
    return out


def fit_sentence(w: Writer, fits: dict[str, float]) -> str:
    """``chi-square(32) = 50.3, p = .021, CFI = .97 ...``"""
    return w.words("fit", **fits) if fits["df"] > 0 else w.words["fit.none"]


def factors(w: Writer) -> None:
    """Confirmatory factor analysis: fit, loadings, AVE and CR."""
    f = w.a.factors
    if f is None:
        w.limit("factors.none.limit")
        return w.failed("factors", "factors", "factors")
    w.open("factors")
    full = f.fit.options.missing == "fiml"
    w.say("factors.fiml" if full else "factors", k=len(w.plan.scales), items=len(w.plan.items), n=f.n)
    w.say(
        f"factors.{fit_word(f.fits)}", fit=fit_sentence(w, f.fits), item_1=w.words.own(f.largest_residual[0]),
        item_2=w.words.own(f.largest_residual[1]), z=f.largest_residual[2],
    )  # fmt: skip
    poor = poor_fit(f.fits)
    if poor:
        w.alarm("fit.poor.alarm", indices=_indices(w, poor, f.fits))
        w.limit("fit.poor.limit", indices=_indices(w, poor, f.fits))
    elif f.fits["df"] > 0:
        if not w.judge("exact", f.fits["pvalue"], limits=w.words[f"exact.{fit_word(f.fits)}"]):
            w.cite("fit")
    size = f.loadings["std_all"]
    lowest, highest = f.loadings.loc[size.idxmin()], f.loadings.loc[size.idxmax()]
    w.say(
        "loadings", low=lowest.std_all, low_item=w.words.own(lowest["item"]), high=highest.std_all,
        high_item=w.words.own(highest["item"]),
    )  # fmt: skip
    weak = [
        w.words.beside(w.words.own(r.item), w.words.format_field(Near(r.std_all, RULES["loading"].limit), "r"))
        for r in f.loadings.itertuples()
        if not RULES["loading"](abs(r.std_all))
    ]
    if weak:
        w.say("loading.no", items=weak, limit=RULES["loading"].limit)
        w.alarm("loading.no.alarm", items=weak, limit=RULES["loading"].limit)
    if f.ordinal is not None:
        o = f.ordinal
        w.say("ordinal", n=o.n, low=o.low, high=o.high, change=o.change, change_r=o.change_r, **o.fits)
        w.cite("wlsmv")
    w.judge("respondents", f.per_parameter, npar=f.fit.npar, n=f.n)
    rows = f.loadings.copy()
    first = ~rows["scale"].duplicated()
    own = f.validity.factors
    rows["name"] = [w.words.name(s) if one else "" for s, one in zip(rows["scale"], first, strict=True)]
    for name in ("cr", "ave"):
        rows[name] = [own.loc[s, name] if one else np.nan for s, one in zip(rows["scale"], first, strict=True)]
    rows["wording"] = [w.words.wording(i) for i in rows["item"]]
    columns: list[Any] = [
        ("name", "scale", "text"), ("item", "item", "item"), ("wording", "wording", "text"), ("est", "b", "b"),
        ("se", "SE", "b"), ("std_all", "loading", "r"), ("cr", "CR", "r"), ("ave", "AVE", "r"),
    ]  # fmt: skip
    if rows["wording"].str.strip().isin(["", *map(w.words.own, rows["item"])]).all():  # no wording, or said already
        columns.pop(2)
    w.table("factors", rows, columns, "note.factors")
    w.warned("model.cfa", f.fit.warnings)
    w.check("factors")


def _indices(w: Writer, names: list[str], fits: dict[str, float]) -> list[str]:
    return [f"{n.upper()} = {w.words.format_field(Near(fits[n], RULES[n].limit), 'r3')}" for n in names]


def validity(w: Writer) -> None:
    """Convergent and discriminant validity, Fornell-Larcker and HTMT in one table."""
    w.open("validity")
    f, ratio = w.a.factors, w.a.htmt
    if f is not None:
        own = f.validity.factors
        low = [s for s, v in own["ave"].items() if not RULES["ave"](v)]
        w.say(
            "ave.no" if low else "ave.yes",
            scales=[
                w.words.beside(w.words.name(s), w.words.format_field(Near(own.loc[s, "ave"], RULES["ave"].limit), "r"))
                for s in low
            ],
            low=own["ave"].min(), high=own["ave"].max(),
        )  # fmt: skip
    if len(w.plan.scales) < 2:
        w.say("validity.one")
        return w.check("validity", "na", "validity.one.where")
    if ratio is None:
        return w.failed("htmt", "validity")
    if f is not None:
        close = [s for s, v in own.iterrows() if not RULES["larcker"](v.ave - v.msv)]
        w.say("larcker.no" if close else "larcker.yes", names=close)
    pairs = ratio.pairs
    top = pairs.loc[pairs["htmt"].idxmax()]
    w.judge(
        "htmt", float(pairs["ci_upper"].max()), a=top.scale_1, b=top.scale_2, htmt=top.htmt, low=top.ci_lower,
        high=top.ci_upper,
    )  # fmt: skip
    for pair in pairs.itertuples():
        if not (RULES["distinct"](pair.htmt) and RULES["one"](pair.ci_upper)):
            values = {"a": pair.scale_1, "b": pair.scale_2, "htmt": pair.htmt, "low": pair.ci_lower, "high": pair.ci_upper}  # fmt: skip
            w.alarm("distinct.no.alarm", **values)
            w.limit("distinct.no.limit", **values)
    _validity_table(w, f, ratio)
    w.cite("ave", "htmt")
    w.check("validity")


def _validity_table(w: Writer, f: Factors | None, found: HTMT) -> None:
    """Square roots of AVE on the diagonal, factor correlations below, HTMT above."""
    ratio = found.table
    names = list(ratio.index)
    rows = pd.DataFrame({"name": [f"{k}. {w.words.name(n)}" for k, n in enumerate(names, start=1)]})
    columns: list[Any] = [("name", "scale", "text")]
    for j, b in enumerate(names):
        cells = []
        for i, a in enumerate(names):
            low = f.validity.table.loc[a, b] if f is not None and i >= j else np.nan
            cells.append(ratio.loc[a, b] if i < j else low)
        rows[str(j + 1)] = [w.words.format_field(v, "r") if np.isfinite(v) else "" for v in cells]
        columns.append((str(j + 1), str(j + 1), "text"))
    w.table("validity", rows, columns, "note.validity", n_boot=w.plan.n_boot, n=found.n_obs)


def method_bias(w: Writer) -> None:
    """One factor, a method factor, a marker."""
    if len(w.plan.scales) < 2:
        return w.check("bias", "na", "validity.one.where")
    b = w.a.method_bias
    if b is None:
        return w.failed("method_bias", "bias", "bias")
    w.open("bias")
    one, own = b.harman.table.loc["one factor"], b.harman.table.loc["the scales"]
    w.judge("harman", float(one.first_component))
    w.say("harman.models", cfi_one=one.cfi, rmsea_one=one.rmsea, cfi=own.cfi, rmsea=own.rmsea)
    rows = [
        ("bias.one", *one[["chisq", "df", "cfi", "rmsea", "srmr"]]),
        ("bias.scales", *own[["chisq", "df", "cfi", "rmsea", "srmr"]]),
    ]  # fmt: skip
    if b.factor is None:
        w.say("method.none")
    else:
        last = b.factor.table.iloc[-1]
        w.judge(
            "method", float(last.pvalue), delta=last.delta_chisq, share=last.method_share, change=last.largest_change
        )
        rows.append(("bias.method", last.chisq, last.df, last.cfi, last.rmsea, np.nan))
    if b.marker is not None:
        lost = [
            f"{w.words.name(t.scale_1)}, {w.words.name(t.scale_2)}"
            for t in b.marker.table.itertuples()
            if not RULES["marker"](t.pvalue_adjusted)
        ]
        w.say("marker.no" if lost else "marker.yes", marker=w.plan.marker, r=b.marker.table["marker_r"].iloc[0], pairs=lost)  # fmt: skip
        w.cite("marker")
    w.say("bias.caution")
    table = pd.DataFrame(rows, columns=["model", "chisq", "df", "cfi", "rmsea", "srmr"])
    table["model"] = [w.words[k] for k in table["model"]]
    w.table(
        "bias", table,
        [("model", "model", "text"), ("chisq", "chi2", "b1"), ("df", "df", "d"), ("cfi", "CFI", "r3"), ("rmsea", "RMSEA", "r3"), ("srmr", "SRMR", "r3")],
        "note.bias", n=b.harman.n_obs,
    )  # fmt: skip
    w.check("bias")


STEPS = ("configural", "metric", "scalar", "strict")


def groups(w: Writer) -> None:
    """Measurement invariance across the groups of the study."""
    plan = w.plan
    if plan.group is None:
        return w.check("groups", "na", "groups.none.where")
    g = w.a.groups
    if g is None:
        return w.failed("groups", "groups", "groups", group=plan.group)
    w.open("groups", group=plan.group)
    sizes, small = (
        [w.words.beside(w.words.value(plan.group, k), f"n = {v}") for k, v in s.items()] for s in (g.sizes, g.small)
    )
    if small:
        w.say("groups.small", sizes=small, least=RULES["group_few"].limit, items=len(plan.items))
        w.alarm("groups.small.alarm", group=plan.group, sizes=small)
        w.limit("groups.small.limit", group=plan.group, sizes=small)
    if g.invariance is None:
        w.say("groups.alone", count=len(sizes))
        return w.check("groups", "no", "groups.alone.where")
    table, failed = g.invariance.table, g.invariance.decision.name
    w.say("groups.fitted", sizes=sizes)
    changes = [
        w.words(
            "groups.change",
            step=w.words[f"step.{s}"],
            dcfi=table.loc[s, "delta_cfi"],
            drmsea=table.loc[s, "delta_rmsea"],
        )
        for s in STEPS[1:]
    ]
    w.say("groups.changes", changes=changes)
    w.say(f"groups.{failed}")
    if failed in STEPS[1:]:
        worst = g.invariance.score_tests.query("level == @failed").head(2)
        if len(worst):
            w.say("groups.worst", parts=[_parameter(w, r) for r in worst.itertuples()])
    for place in ("alarm", "limit"):
        if f"groups.{failed}.{place}" in w.words:
            (w.alarm if place == "alarm" else w.limit)(f"groups.{failed}.{place}", group=plan.group)
    w.judge("group_size", float(g.sizes.min()), group=plan.group)
    rows = table.loc[[s for s in STEPS if s in table.index]].copy()
    rows["model"] = [w.words[f"level.{s}"] for s in rows.index]
    w.table(
        "groups", rows,
        [("model", "model", "text"), ("chisq", "chi2", "b1"), ("df", "df", "d"), ("cfi", "CFI", "r3"), ("rmsea", "RMSEA", "r3"),
         ("srmr", "SRMR", "r3"), ("delta_chisq", "dchi2", "b1"), ("delta_df", "ddf", "d"), ("delta_pvalue", "p", "p"),
         ("delta_cfi", "dcfi", "r3"), ("delta_rmsea", "drmsea", "r3")],
        "note.groups", group=plan.group,
    )  # fmt: skip
    for level, fit in g.invariance.fits.items():
        w.warned(f"level.{level}", fit.warnings)
    w.check("groups")


def _parameter(w: Writer, row: Any) -> str:
    kind = {"=~": "loading", "~1": "intercept"}.get(row.op, "residual")
    return w.words(f"parameter.{kind}", item=w.words.own(row.rhs if row.op == "=~" else row.lhs))
