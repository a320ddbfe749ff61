"""Printed model results against each other: degrees of freedom, fit indices, paths, correlations."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from .._core.errors import DataError
from . import matrices
from .printed import CONSISTENT, INCONSISTENT, NOT_A_TEST, SLACK, Check, Printed, check_row


def baseline(chisq, df, indices: dict[str, object], where: str = "", most_items: int = 80) -> Check:
    """Whether NFI, CFI, TLI and IFI can come from one baseline model.

    Each printed index gives a range for the chi-square of the model without any relation. For the right number of
    items these ranges overlap. Searched: p (p - 1) / 2 degrees of freedom (variances free), and p (p + 1) / 2 (means
    fixed as well, as some programs count with missing data), p up to ``most_items``.
    """
    chisq, df = Printed.read(chisq), float(str(df))
    printed = {k.lower(): Printed.read(v) for k, v in indices.items()}
    unknown = sorted(set(printed) - {"nfi", "cfi", "tli", "ifi"})
    if unknown:
        raise DataError(f"index {unknown[0]!r} is not one of nfi, cfi, tli, ifi")
    if len(printed) < 2:
        raise DataError("two or more of nfi, cfi, tli, ifi are needed: one alone fits some baseline always")

    def needed(kind: str, index: float, c: float, base_df: float) -> float:
        rest = max(1 - index, 1e-12)
        if kind == "nfi":
            return c / rest
        if kind == "cfi":
            return base_df + max(c - df, 0) / rest
        if kind == "tli":
            return base_df * (1 + (c / df - 1) / rest)
        return (c - index * df) / rest

    found = []
    for items in range(3, most_items + 1):
        for base_df, how in ((items * (items - 1) // 2, ""), (items * (items + 1) // 2, ", means fixed")):
            if base_df <= df:
                continue
            ranges = [
                [needed(k, i, c, base_df) for i in (v.low, v.high) for c in (chisq.low, chisq.high)]
                for k, v in printed.items()
            ]
            low, high = max(map(min, ranges)), min(map(max, ranges))
            if low <= high * (1 + SLACK):
                found.append((items, how, base_df, low, high))
    names = ", ".join(f"{k.upper()} {v.text}" for k, v in printed.items())
    if not found:
        return check_row(
            "fit indices together",
            where,
            np.nan,
            np.nan,
            np.nan,
            np.nan,
            INCONSISTENT,
            f"no baseline model of 3 to {most_items} items gives {names} with chi-square {chisq.text} on {df:g} df",
        )
    shown = "; ".join(
        f"{items} items{how}: {base_df} df, chi-square {low:.1f} to {high:.1f}"
        for items, how, base_df, low, high in found[:4]
    )
    return check_row(
        "fit indices together",
        where,
        np.nan,
        float(found[0][2]),
        np.nan,
        np.nan,
        CONSISTENT,
        f"{names} agree for a baseline of {shown}",
    )


def moments_of_gfi(df: float, gfi: Printed, agfi: Printed) -> tuple[float, float, float, list[int]]:
    """Moments p (p + 1) / 2 that GFI and AGFI need: value, low, high, and the whole numbers p that have them."""
    corners = [df * (1 - a) / max(1 - g, 1e-12) for g in (gfi.low, gfi.high) for a in (agfi.low, agfi.high)]
    low, high = min(corners), max(corners)
    whole = [p for p in range(2, 400) if low - SLACK <= p * (p + 1) / 2 <= high + SLACK]
    return df * (1 - agfi.value) / max(1 - gfi.value, 1e-12), low, high, whole


def absolute_indices(df, gfi, agfi, where: str = "") -> Check:
    """AGFI = 1 - p (p + 1) / (2 df) (1 - GFI): does a whole number p of variables fit both?"""
    gfi, agfi = Printed.read(gfi), Printed.read(agfi)
    value, low, high, whole = moments_of_gfi(float(str(df)), gfi, agfi)
    text = f"GFI {gfi.text} and AGFI {agfi.text} with df {df} need p (p + 1) / 2 between {low:.1f} and {high:.1f}; "
    text += f"{whole[0]} variables have it" if whole else "no whole number p of variables has that"
    verdict = CONSISTENT if whole else INCONSISTENT
    return check_row("GFI and AGFI together", where, agfi, value, low, high, verdict, text)


def degrees_of_freedom(items: int, constructs: int, paths: Sequence[tuple[str, str]], df, where: str = "") -> Check:
    """Degrees of freedom of a structural model from its items, constructs and paths.

    Free are, for k constructs with p items: p - k loadings, p error variances, k (residual) variances, the paths, and
    up to all covariances of the exogenous constructs.
    """
    df, items = float(str(df)), int(items)
    targets = {t for _, t in paths}
    exogenous = [s for s in dict.fromkeys(s for s, _ in paths) if s not in targets]
    cov = len(exogenous) * (len(exogenous) - 1) // 2

    def expected(p):
        return p * (p + 1) // 2 - 2 * p - len(paths)

    high, low = expected(items), expected(items) - cov
    ok = low <= df <= high
    text = (
        f"{items} items: {items}x{items + 1}/2 = {items * (items + 1) // 2} moments - {2 * items} loadings and variances - "
        f"{len(paths)} paths - 0 to {cov} covariances of {', '.join(exogenous)} = {low} to {high}; printed {df:g}"
    )
    if not ok:
        would = [p for p in range(2, 200) if expected(p) - cov <= df <= expected(p)]
        exact = [p for p in would if expected(p) == df]
        if would:
            text += f"; {would[0]} items would give it" + (
                ", with the exogenous constructs left uncorrelated" if exact and cov else ""
            )
        if df > items * (items - 1) // 2:
            text += f"; even {items} items with no relation at all have only {items * (items - 1) // 2}"
    return check_row("df from the items", where, df, float(high), low, high, CONSISTENT if ok else INCONSISTENT, text)


def r2_from_paths(paths: pd.DataFrame, r2: dict[str, object], where: str = "", beta: str = "beta") -> list[Check]:
    """R2 of each outcome of a recursive path model from its standardised paths alone.

    With one exogenous construct the paths imply every correlation. With two, one correlation is unknown: it is run
    through -1..1, and the row says which values would give the printed R2. More than two: nothing is returned.
    """
    table = [(str(f), str(t), Printed.read(b)) for f, t, b in zip(paths["from"], paths["to"], paths[beta], strict=True)]
    order = _causal_order([(f, t) for f, t, _ in table])
    if order is None:
        return []
    exogenous = [c for c in order if c not in {t for _, t, _ in table}]
    if len(exogenous) > 2:
        return []
    grid = np.array([0.0]) if len(exogenous) < 2 else np.linspace(-1, 1, 801)
    rng = np.random.default_rng(matrices.DEFAULT_SEED)
    m = len(table)
    signs = rng.choice((-1.0, 1.0), size=(150, m))
    shift = np.vstack([np.zeros((1, m)), signs, rng.uniform(-1, 1, size=(50, m))])
    values = np.array([b.value for *_, b in table]) + shift * np.array([b.half for *_, b in table])
    p = len(order)
    place = {c: i for i, c in enumerate(order)}
    corr = np.zeros((len(shift), len(grid), p, p))
    corr[..., range(p), range(p)] = 1.0
    if len(exogenous) == 2:
        i, j = (place[e] for e in exogenous)
        corr[..., i, j] = corr[..., j, i] = grid
    rows = []
    for outcome in order:
        members = [k for k, (_, t, _) in enumerate(table) if t == outcome]
        if not members:
            continue
        source = [place[table[k][0]] for k in members]
        slope = values[:, members]
        y = place[outcome]
        before = [place[c] for c in order[: order.index(outcome)]]
        implied = np.einsum("dk,dgkc->dgc", slope, corr[:, :, source][:, :, :, before])
        corr[:, :, y, before] = implied
        corr[:, :, before, y] = implied
        explained = np.einsum("dk,dgk->dg", slope, corr[:, :, y, source])
        if outcome not in r2:
            continue
        printed = Printed.read(r2[outcome])
        low, high = explained.min(axis=0), explained.max(axis=0)
        fits = np.array([printed.allows(a, b) for a, b in zip(low, high, strict=True)])
        best = int(np.argmin(np.abs(explained[0] - printed.value)))
        value = float(explained[0, best])
        if len(grid) == 1:
            text = f"the paths imply R2 = {value:.4f}; rounding allows {low[0]:.4f} to {high[0]:.4f}; printed {printed.text}"
            span = (low[0], high[0])
        else:
            pair = f"r({', '.join(exogenous)})"
            if fits.all():
                text = f"any {pair} gives R2 near {value:.4f}; printed {printed.text}"
            elif fits.any():
                a, b = grid[fits].min(), grid[fits].max()
                text = f"R2 = {printed.text} needs {pair} between {a:.2f} and {b:.2f}"
            else:
                text = f"whatever {pair}, R2 lies between {low.min():.4f} and {high.max():.4f}; printed {printed.text}"
            span = (low.min(), high.max())
        ok = bool(fits.any())
        rows.append(
            check_row(
                "R2 from the paths",
                f"{where}{outcome}",
                printed,
                value,
                *span,
                CONSISTENT if ok else INCONSISTENT,
                text,
            )
        )
    return rows


def _causal_order(pairs: list[tuple[str, str]]) -> list[str] | None:
    """Constructs so that every arrow points forward; None when there is a loop."""
    nodes = list(dict.fromkeys(n for pair in pairs for n in pair))
    order: list[str] = []
    while len(order) < len(nodes):
        ready = [n for n in nodes if n not in order and all(s in order for s, t in pairs if t == n)]
        if not ready:
            return None
        order += ready
    return order


def standardisation(paths: pd.DataFrame, where: str = "") -> Check | None:
    """Whether unstandardised and standardised slopes of one model share one set of standard deviations.

    beta / b = sd(predictor) / sd(outcome). Several paths between the same constructs over-determine the ratios; a
    linear programme looks for standard deviations that satisfy all of them inside rounding.
    """
    from scipy.optimize import linprog

    names = list(dict.fromkeys([*paths["from"], *paths["to"]]))
    lower, upper, rows, used = [], [], [], []
    for f, t, b, beta in zip(paths["from"], paths["to"], paths["b"], paths["beta"], strict=True):
        b, beta = Printed.read(b), Printed.read(beta)
        if abs(b.value) <= 2 * b.half or abs(beta.value) <= 2 * beta.half:
            continue  # too few digits to say anything
        if b.value * beta.value < 0:
            return check_row(
                "b against beta",
                where,
                np.nan,
                np.nan,
                np.nan,
                np.nan,
                INCONSISTENT,
                f"{f} -> {t}: b = {b.text} and beta = {beta.text} have opposite signs",
            )
        line = np.zeros(len(names))
        line[names.index(f)], line[names.index(t)] = 1, -1
        rows.append(line)
        lower.append(math.log((abs(beta.value) - beta.half) / (abs(b.value) + b.half)))
        upper.append(math.log((abs(beta.value) + beta.half) / (abs(b.value) - b.half)))
        used.append((f, t))
    loops = len(used) - len({n for pair in used for n in pair}) + 1
    if not used or loops < 1:
        return None
    a = np.array(rows)
    # Minimise the largest excess over the rounding limits; zero means that all can be met.
    out = linprog(
        np.r_[np.zeros(len(names)), 1.0],
        A_ub=np.c_[np.vstack([a, -a]), -np.ones(2 * len(a))],
        b_ub=np.r_[upper, -np.array(lower)],
        bounds=[(None, None)] * len(names) + [(0, None)],
    )
    excess = float(out.x[-1])
    ok = excess < 1e-7
    text = f"{len(used)} ratios beta / b, {loops} more than needed, " + (
        "fit one set of standard deviations"
        if ok
        else f"need standard deviations that differ from each other by {100 * math.expm1(excess):.1f} % beyond rounding"
    )
    return check_row("b against beta", where, np.nan, np.nan, np.nan, np.nan, CONSISTENT if ok else INCONSISTENT, text)


def correlations(table: pd.DataFrame, decimals: int, where: str = "") -> Check:
    """Whether a printed correlation matrix can be one: no combination of variables may have negative variance.

    Inconsistent only if every matrix within rounding has a negative eigenvalue: rounding moves an eigenvalue by at
    most (p - 1) half units.
    """
    matrix = matrices.correlation_matrix(table)
    values, vectors = np.linalg.eigh(matrix.to_numpy())
    reach = (len(matrix) - 1) * 0.5 * 10.0**-decimals
    ok = values[0] + reach >= 0
    order = np.argsort(-np.abs(vectors[:, 0]))[:4]
    blame = ", ".join(matrix.columns[i] for i in order)
    text = f"smallest eigenvalue {values[0]:.4f}; rounding moves it by at most {reach:.4f}"
    if not ok:
        text += f"; a combination of {blame} would have negative variance"
    return check_row(
        "correlation matrix",
        where,
        np.nan,
        float(values[0]),
        values[0] - reach,
        values[0] + reach,
        CONSISTENT if ok else INCONSISTENT,
        text,
    )


def chisq_difference(first: dict, second: dict, claimed=None, said: str = "", where: str = "") -> Check:
    """Is a difference of two chi-squares a test of nested models?

    Parameters
    ----------
    first, second : dict with ``name chisq df`` and, where known, ``n``
    claimed : the difference that the paper prints, optional
    said : ``"significant"`` or ``"not significant"``, what the paper concludes, optional

    Notes
    -----
    The difference is chi-square distributed only for two models fitted to the *same* data, one being the other with
    restrictions. Groups are compared by fitting one model to all groups at once, with and without equal paths.
    """
    a, b = Printed.read(first["chisq"]), Printed.read(second["chisq"])
    df1, df2 = float(str(first["df"])), float(str(second["df"]))
    if df2 > df1 or (df1 == df2 and b.value > a.value):
        return chisq_difference(second, first, claimed, said, where)
    value, df = a.value - b.value, df1 - df2
    low, high = a.low - b.high, a.high - b.low
    text = f"{a.text} - {b.text} = {value:.2f} on {df1:g} - {df2:g} = {df:g} df"
    verdict, reasons = CONSISTENT, []
    if claimed is not None and not Printed.read(claimed).allows(low, high):
        verdict = INCONSISTENT
        reasons.append(f"printed {claimed}")
    if first.get("n") is not None and second.get("n") is not None and str(first["n"]) != str(second["n"]):
        verdict = NOT_A_TEST
        reasons.append(
            f"the models were fitted to different samples (n {first['n']} and {second['n']}), "
            "so neither is a restriction of the other and the difference has no chi-square distribution"
        )
    if df > 0 and value > 0:
        p = float(chdtrc(df, value))
        reasons.append(f"taken at face value p = {p:.1g}")
        if said:
            if (said == "significant") != (p < 0.05):
                verdict = INCONSISTENT
                reasons.append(f"which the paper calls {said}")
    elif df == 0:
        reasons.append("0 df: no restriction to test")
    return check_row(
        "chi-square difference",
        where or f"{first['name']} against {second['name']}",
        np.nan if claimed is None else Printed.read(claimed),
        value,
        low,
        high,
        verdict,
        "; ".join([text, *reasons]),
    )
