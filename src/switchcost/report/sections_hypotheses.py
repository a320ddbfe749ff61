"""Section on the hypotheses: one structural model, one row a claim, a verdict by the rule of :mod:`study`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..moderation.regression import moderate
from .numbers import number
from .study import VERDICTS, Hypothesis, paths, verdict
from .work import Work, fit_words, fitted_or_none, poor_indices, sem_options


def model_text(work: Work) -> str:
    """Measurement, every claimed path, and one indirect effect for each mediation."""
    claims = work.spec["hypotheses"]
    label = {}
    lines = [work.measurement]
    for y, causes in paths(claims).items():
        for x in [*causes, *[c for c in work.spec["covariates"] if c not in causes and c != y]]:
            label[x, y] = f"p{len(label) + 1}"
            lines.append(f"{y} ~ {label[x, y]}*{x}")
    for k, h in enumerate(claims, start=1):
        if h.kind == "mediation":
            lines.append(f"ind{k} := " + "*".join(label[step] for step in zip(h.names[:-1], h.names[1:], strict=True)))
    return "\n".join(lines)


def verdicts(work: Work, keyed: pd.DataFrame, scores: pd.DataFrame) -> None:
    """Fit the model of all claims, and judge each by its interval."""
    work.open("Hypotheses")
    claims: list[Hypothesis] = work.spec["hypotheses"]
    model = model_text(work)
    names = [
        n for n in keyed.columns if n in {*work.items, *work.spec["covariates"], *(n for h in claims for n in h.names)}
    ]
    f = fitted_or_none(work, model, keyed, "The structural model of the hypotheses", **sem_options(keyed, names))
    work.results["hypotheses_model"] = f
    rows = []
    for k, h in enumerate(claims, start=1):
        est, low, high, basis = np.nan, np.nan, np.nan, "the model has no usable solution"
        if h.kind == "moderation":
            x, w, y = h.names
            others = [n for n in paths(claims)[y] if n not in (x, w)]
            found = moderate(
                scores, y=y, x=x, moderator=w, covariates=list(dict.fromkeys([*others, *work.spec["covariates"]])), cov_type="HC3"
            )  # fmt: skip
            est, low, high = found.coefficients.loc[found.product, ["est", "ci_lower", "ci_upper"]]
            basis = f"product of scale scores, HC3, n = {found.n_used}"
        elif f is not None:
            e = f.estimates
            row = e[(e["op"] == ":=") & (e["lhs"] == f"ind{k}")] if h.kind == "mediation" else e[
                (e["op"] == "~") & (e["lhs"] == h.names[1]) & (e["rhs"] == h.names[0])]  # fmt: skip
            est, low, high = row[["est", "ci_lower", "ci_upper"]].iloc[0]
            kind = "indirect effect, delta method" if h.kind == "mediation" else "path"
            basis = f"{kind} of the structural model, n = {f.n_obs}"
        rows.append((h.name, h.text, est, low, high, VERDICTS[verdict(h.sign, low, high)]["en"], basis))
    table = pd.DataFrame(rows, columns=["name", "hypothesis", "est", "ci_lower", "ci_upper", "verdict", "basis"])
    work.results["hypotheses"] = table.set_index("name")
    count = int((table["verdict"] == VERDICTS["supported"]["en"]).sum())
    work.say(
        f"{count} of {len(table)} hypotheses {'is' if count == 1 else 'are'} supported: the 95% interval leaves out zero on the side that was claimed.",
        f"Fit of the structural model: {fit_words(f.measures)}." if f is not None else "",
    )
    if f is not None and (poor := poor_indices(f.measures)):
        work.alarms.append(
            f"The structural model of the hypotheses fits poorly ({', '.join(poor)}); its verdicts are provisional."
        )
    interval = [
        "" if np.isnan(a) else f"[{number(a, 3)}, {number(b, 3)}]"
        for a, b in zip(table["ci_lower"], table["ci_upper"], strict=True)
    ]
    shown = pd.DataFrame({"hypothesis": table["hypothesis"], "b": table["est"], "95% CI": interval, "verdict": table["verdict"], "rests on": table["basis"]})  # fmt: skip
    work.table(
        shown.set_axis(pd.Index(table["name"], name=""), axis=0),
        "Hypotheses and what became of them",
        "b: unstandardised. Not supported is not the same as no effect: see the interval.",
        3,
    )
    work.check_off("Hypotheses with verdict, estimate and interval")
