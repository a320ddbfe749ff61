"""A fit as text and as the page that a notebook shows."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .estimate import Moments
from .solution import Solution

PARTS = (
    ("=~", "Loadings", ("latent", "item")),
    ("~", "Paths", ("outcome", "predictor")),
    (":=", "Defined parameters", ("name", "expression")),
    ("~~", "Variances and covariances", ("variable", "with")),
    ("|", "Thresholds", ("variable", "threshold")),
    ("~1", "Intercepts and means", ("variable", "")),
    ("~*~", "Scales", ("variable", "")),
)
OPEN = ("=~", "~", ":=")  # the others are folded


def fit_line(measures: pd.Series, df: int) -> str:
    """Chi-square and the usual measures in one line: scaled where there is a scaled test, then robust if they exist."""
    m, tail = measures, "_scaled" if "chisq_scaled" in measures else ""
    r = "_robust" if np.isfinite(m.get("cfi_robust", np.nan)) else tail
    kind = {"": "", "_scaled": "scaled ", "_robust": "robust "}[r]
    p = m.get(f"pvalue{tail}", np.nan)
    text = f"chi-square{' (scaled)' if tail else ''} {m.get(f'chisq{tail}', np.nan):.2f}, df {df:d}"
    text += "" if np.isnan(p) else f", p {'< .001' if p < 0.0005 else f'= {p:.3f}'}"
    if f"cfi{r}" not in m:
        return text
    return (
        f"{text}; {kind}CFI {m[f'cfi{r}']:.3f}, TLI {m[f'tli{r}']:.3f}, "
        f"RMSEA {m[f'rmsea{r}']:.3f} [{m[f'rmsea_ci_lower{r}']:.3f}, {m[f'rmsea_ci_upper{r}']:.3f}], "
        f"SRMR {m['srmr']:.3f}"
    )


def sample_line(solution: Solution, n_dropped: int) -> str:
    """Rows by group, clusters, weights, patterns of gaps, rows left out."""
    n, options = solution.n_rows, solution.options
    text = f"n = {n[0]}"
    if len(n) > 1:
        text = "n = " + ", ".join(f"{k} ({g})" for k, g in zip(n, solution.groups, strict=True))
    if options.cluster is not None:
        counts = [str(d.n_clusters) for d in solution.design]
        text += f", {' and '.join(counts)} clusters ({options.cluster})"
    if options.sampling_weights is not None:
        text += f", weighted by {options.sampling_weights}"
    if not isinstance(solution.data, Moments):
        text += f", {sum(len(c) for c in solution.data.count)} patterns of missing values (full information)"
    return text + (f"; {n_dropped} row{'s' if n_dropped > 1 else ''} dropped" if n_dropped else "")


def as_text(solution: Solution, sample: str, fitted: str, warnings: Sequence[str]) -> str:
    state = "" if solution.converged else "NOT CONVERGED. "
    head = f"<Fit {solution.options.estimator}, {solution.model.npar} free parameters, {sample}>"
    return f"{head}\n{state}{fitted}" + "".join(f"\nwarning: {w}" for w in warnings)


def as_html(
    solution: Solution, text: str, estimates: pd.DataFrame, sample: str, fitted: str, warnings: Sequence[str]
) -> str:
    """Heading, warnings, model and tables; whatever comes from data is escaped."""
    esc = html.escape
    parts = [
        f"<p><b>Structural equation model</b>, {solution.options.estimator}, {solution.model.npar} free parameters, "
        f"{esc(sample)}<br>{esc(fitted)}</p>"
    ]
    if warnings:
        parts.append("<ul>" + "".join(f"<li><b>Mind:</b> {esc(w)}</li>" for w in warnings) + "</ul>")
    text = text.strip()
    parts.append(
        f"<details{' open' if text.count(chr(10)) < 15 else ''}><summary>Model</summary><pre>{esc(text)}</pre></details>"
    )
    for op, title, names in PARTS:
        part = estimates[estimates["op"] == op]
        if part.empty:
            continue
        table = _table(part, names, solution.groups)
        parts.append(
            f"<p><b>{title}</b></p>{table}" if op in OPEN else f"<details><summary>{title}</summary>{table}</details>"
        )
    return "\n".join(parts)


def _number(v: float, text: str = "{:.3f}") -> str:
    return "" if np.isnan(v) else text.format(v)


def _table(part: pd.DataFrame, names: tuple[str, str], groups: Sequence[str]) -> str:
    out = pd.DataFrame({names[0]: part["lhs"]})
    if names[1]:
        out[names[1]] = part["rhs"]
    if "group" in part and not (part["op"] == ":=").all():
        out["group"] = [groups[g - 1] for g in part["group"]]
    out["estimate"] = part["est"].map(_number)
    out["SE"] = part["se"].map(_number)
    out["z"] = part["z"].map(lambda v: _number(v, "{:.2f}"))
    out["p"] = part["pvalue"].map(lambda v: "&lt; .001" if v < 0.0005 else _number(v))
    out["95 % interval"] = [
        _number(a) and f"{a:.3f} to {b:.3f}" for a, b in zip(part["ci_lower"], part["ci_upper"], strict=True)
    ]
    out["standardised"] = part["std_all"].map(_number)
    words = [c for c in (*names, "group") if c in out]
    out[words] = out[words].map(html.escape)
    return out.to_html(index=False, border=0, escape=False, justify="left")
