"""How each printed number is computed again: from raw data where they are open, else from the other printed numbers.

A recipe takes the printed numbers of a study (a table made by ``replicate.numbers``) and returns what it can compute,
by key. The recipes for printed tables ask only which columns a table has, so a study that somebody adds as CSV
files gets them without code. Recipes for open raw data are at the end, one function a study.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from . import consistency, matrices
from . import data as _data
from .pls import PlsBootstrap, PlsFit, pls

Key = tuple[str, str, str, str]  # model, quantity, row, column

#: Draws of our own bootstraps, and the confidence of the band around an interval's end.
N_BOOT = 4000
END_CONFIDENCE = 0.99


@dataclass(frozen=True)
class Reproduction:
    """A number computed again.

    Attributes
    ----------
    value : float, NaN where the number cannot be computed (``why`` then says what is missing)
    source : ``"raw"`` (from respondents' answers) or ``"printed"`` (from other numbers of the same paper)
    how : one line, the way it was computed
    band : (low, high), what rounding of the printed inputs allows
    interval : (low, high), where a number with sampling error in it should lie
    why : what explains a mismatch or what is missing
    remark : what a reader should know even where the number agrees
    """

    value: float = np.nan
    source: str = "printed"
    how: str = ""
    band: tuple[float, float] | None = None
    interval: tuple[float, float] | None = None
    why: str = ""
    remark: str = ""


# ---------------------------------------------------------------- rounding


def box(values, decimals, n_draws: int = 2000, seed: int = 1) -> np.ndarray:
    """Printed inputs and what they may have been before rounding.

    Parameters
    ----------
    values, decimals : sequences of k numbers and how many decimals each was printed with
    n_draws : int
        Random points inside the box; its 2**k corners are added while k is at most 10.
    seed : int

    Returns
    -------
    array of shape (m, k); the first row is the printed values themselves
    """
    values, half = np.asarray(values, float), 0.5 * 10.0 ** -np.asarray(decimals, float)
    k = len(values)
    parts = [np.zeros((1, k)), np.random.default_rng(seed).uniform(-1, 1, (n_draws, k))]
    if k <= 10:
        parts.append(np.array(list(itertools.product((-1, 1), repeat=k)), float).reshape(-1, k))
    return values + np.vstack(parts) * half


def _band(
    function: Callable[[np.ndarray], np.ndarray], values, decimals
) -> tuple[float, tuple[float, float]]:
    """Value at the printed inputs, and the range over the rounding box."""
    with np.errstate(all="ignore"):
        out = np.asarray(function(box(values, decimals)), float)
    inside = out[np.isfinite(out)]
    return float(out[0]), (float(inside.min()), float(inside.max())) if len(inside) else (np.nan, np.nan)


class _Numbers:
    """Printed numbers with look-ups by quantity."""

    def __init__(self, table: pd.DataFrame, n_items: Mapping[str, Mapping[str, int]]):
        table = table.assign(printed=table.printed.str.strip("<* "))
        self.table, self.n_items = table, n_items
        self.by = {(r.model, r.quantity, r.row, r.column): r for r in table.itertuples()}

    def models(self, *quantities: str) -> list[str]:
        return list(dict.fromkeys(self.table.model[self.table.quantity.isin(quantities)]))

    def of(self, quantity: str, model: str | None = None) -> Iterator[tuple[Key, object]]:
        for key, r in self.by.items():
            if r.quantity == quantity and model in (None, r.model):
                yield key, r


def _checked(row: Mapping, how: str) -> Reproduction:
    """A check of ``consistency`` as a reproduction."""
    return Reproduction(
        float(row["recomputed"]),
        "printed",
        how,
        (float(row["low"]), float(row["high"])),
        why=row["arithmetic"],
    )


# ---------------------------------------------------------------- t, p, means, reliability


def _t_and_p(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """t = estimate / se; p from t by the normal distribution."""
    out: dict[Key, Reproduction] = {}
    for key, t in numbers.of("t"):
        model, _, row, column = key
        estimate = next(
            (
                numbers.by[k]
                for q in ("b", "path", "estimate", "beta")
                if (k := (model, q, row, column)) in numbers.by
            ),
            None,
        )
        se = numbers.by.get((model, "se", row, column))
        if estimate is not None and se is not None:
            out[key] = _checked(
                consistency.t_ratio(estimate.printed, se.printed, t.printed), f"{estimate.quantity} / se"
            )
    for key, p in numbers.of("p"):
        t = numbers.by.get((key[0], "t", key[2], key[3]))
        if t is not None:
            out[key] = _checked(
                consistency.p_value(t.printed, p.printed), "two-sided normal p of the printed t"
            )
    return out


def _answers(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Item means and standard deviations: not computable, but whole answers do not allow every value."""
    out: dict[Key, Reproduction] = {}
    n, scale = meta.get("n"), re.match(r"\s*(\d+)-point", str(meta.get("scale", "")))
    if not _whole(n):
        return out
    for key, mean in numbers.of("mean"):
        row = consistency.grim(mean.printed, n) if key[3] else None
        if row is not None:
            said = "a mean of whole answers can be this" if row["verdict"] == "consistent" else "GRIM"
            out[key] = Reproduction(why=f"needs the answers to this item ({said}: {row['arithmetic']})")
    for key, sd in numbers.of("sd"):
        mean = numbers.by.get((key[0], "mean", key[2], key[3]))
        if mean is None or scale is None:
            continue
        row = consistency.sd_range(mean.printed, sd.printed, n, 1, float(scale[1]))
        out[key] = (
            Reproduction(why=f"needs the answers to this item ({row['arithmetic']})")
            if row["verdict"] == "consistent"
            else _checked(row, "largest SD that the mean allows")
        )
    return out


def _from_loadings(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """CR and AVE from loadings; alpha and rho_A too when a PLS block has two items."""
    out: dict[Key, Reproduction] = {}
    is_pls = "pls" in str(meta.get("method", "")).lower() or any(numbers.models("rho_A", "rhoA"))
    blocks: dict[tuple[str, str], list] = {}
    for (model, _, row, _), r in numbers.of("loading"):
        blocks.setdefault((model, row), []).append(r)
    for (model, row), loadings in blocks.items():
        shown = [r.printed for r in loadings]
        for quantity, check, how in (
            ("cr", consistency.composite_reliability, "from the printed loadings"),
            ("ave", consistency.average_variance, "mean of the squared printed loadings"),
        ):
            key = (model, quantity, row, "")
            if key in numbers.by:
                out[key] = _checked(check(shown, numbers.by[key].printed), how)
        for quantity, which in (("alpha", 0), ("rho_A", 1), ("rhoA", 1)):
            key = (model, quantity, row, "")
            if key not in numbers.by:
                continue
            if is_pls and len(loadings) == 2:
                value, band = _band(
                    lambda x, k=which: _two_items(x)[k],
                    [r.published for r in loadings],
                    [r.decimals for r in loadings],
                )
                out[key] = Reproduction(
                    value,
                    "printed",
                    "two items: the two loadings fix their correlation",
                    band,
                    why=f"loadings {' '.join(shown)} give {value:.4f}, rounding allows "
                    f"{band[0]:.4f} to {band[1]:.4f}",
                )
            else:
                out[key] = Reproduction(
                    why=f"needs the correlations of the {len(loadings)} items; with more than two "
                    "the loadings do not determine it"
                )
    return out


def _two_items(loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardised alpha and rho_A of two items from their correlations with their own composite.

    The composite lies in the plane of the two items, between them, so the angle between the items is the sum of the
    angles that the loadings are cosines of. rho_A: Dijkstra & Henseler (2015), eq. for a block of two.
    """
    l1, l2 = loadings.T
    r = np.cos(np.arccos(l1) + np.arccos(l2))
    w1, w2 = (l1 - r * l2) / (1 - r**2), (l2 - r * l1) / (1 - r**2)
    return 2 * r / (1 + r), (w1**2 + w2**2) ** 2 * r / (w1 * w2)


# ---------------------------------------------------------------- path models


def _edges(numbers: _Numbers, model: str) -> dict[str, dict[str, object]]:
    """Standardised paths of a group, outcome -> source -> printed number, causes before effects; {} when circular."""
    found: dict[str, dict[str, object]] = {}
    for quantity in ("beta", "path"):
        for (_, _, source, target), r in numbers.of(quantity, model):
            found.setdefault(target, {})[source] = r
        if found:
            break
    ordered: dict[str, dict[str, object]] = {}
    while found:
        free = [t for t, sources in found.items() if not set(sources) & set(found)]
        if not free:
            return {}
        ordered |= {t: found.pop(t) for t in free}
    return ordered


def _from_correlations(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Paths and R2 from a printed correlation matrix, and its correlations from the paths of a saturated model."""
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("correlation"):
        cells = [r for _, r in numbers.of("correlation", model)]
        names = list(dict.fromkeys([r.row for r in cells] + [r.column for r in cells]))
        edges = _edges(numbers, model)
        if not edges or {n for t, s in edges.items() for n in (t, *s)} - set(names):
            continue
        matrix = pd.DataFrame(np.nan, index=names, columns=names)
        for r in cells:
            matrix.loc[r.row, r.column] = matrix.loc[r.column, r.row] = r.published
        n = meta.get("n") if _whole(meta.get("n")) else None
        try:
            fit = matrices.path_model(
                matrix,
                {t: list(s) for t, s in edges.items()},
                n=n,
                decimals=max(r.decimals for r in cells),
                n_draws=4000,
            )
        except (
            ValueError
        ) as error:  # a gap, or a matrix that cannot be one: a finding about the paper, not a crash
            for target, sources in edges.items():
                out |= {
                    (model, r.quantity, source, target): Reproduction(why=f"not computable: {error}")
                    for source, r in sources.items()
                }
                out |= {
                    (model, q, target, ""): Reproduction(why=f"not computable: {error}")
                    for q in ("r2", "r2_percent")
                }
            continue
        how = "regression on the printed correlations"
        for r in fit.paths.to_dict("records"):
            printed = edges[r["to"]][r["from"]]
            out[model, printed.quantity, r["from"], r["to"]] = Reproduction(
                r["est"],
                "printed",
                how,
                (r["low"], r["high"]),
                why=f"the printed correlations give {r['est']:.4f}",
            )
            if n is not None:
                out[model, "se", r["from"], r["to"]] = Reproduction(
                    why="bootstrap standard error: needs the answers (least squares on the printed correlations, "
                    f"n = {n}, gives {r['se']:.3f})"
                )
        for target, r in fit.r2.iterrows():
            for quantity, unit in (("r2", 1), ("r2_percent", 100)):
                out[model, quantity, target, ""] = Reproduction(
                    unit * r.r2,
                    "printed",
                    how,
                    (unit * r.low, unit * r.high),
                    why=f"the printed correlations give {unit * r.r2:.4f}",
                )
        implied = _implied(edges, names)
        if implied is None:
            continue
        for r in cells:
            values = implied[:, names.index(r.row), names.index(r.column)]
            out[model, "correlation", r.row, r.column] = Reproduction(
                values[0],
                "printed",
                "implied by the printed paths, which leave no correlation free",
                (values.min(), values.max()),
                why=f"the printed paths imply {values[0]:.4f}",
            )
    return out


def _whole(n: object) -> bool:
    return isinstance(n, int) and not isinstance(n, bool)


def _implied(edges: dict[str, dict[str, object]], names: list[str]) -> np.ndarray | None:
    """Correlations implied by the paths of a recursive model with one exogenous variable and every path drawn."""
    exogenous = [n for n in names if n not in edges]
    flat = [(t, s, r) for t, sources in edges.items() for s, r in sources.items()]
    if len(exogenous) != 1 or len(flat) != len(names) * (len(names) - 1) // 2:
        return None
    draws = box([r.published for _, _, r in flat], [r.decimals for _, _, r in flat])
    return _trace(edges, names, {(t, s): draws[:, k] for k, (t, s, _) in enumerate(flat)}, {})[0]


def _trace(
    edges: Mapping[str, Mapping],
    names: list[str],
    beta: Mapping[tuple[str, str], np.ndarray],
    exogenous: Mapping[tuple[str, str], np.ndarray | float],
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Correlations and R2 of a recursive path model by path tracing; exogenous pairs not named are uncorrelated."""
    m = max(len(b) for b in beta.values())
    r = np.tile(np.eye(len(names)), (m, 1, 1))
    for (a, b), value in exogenous.items():
        i, j = names.index(a), names.index(b)
        r[:, i, j] = r[:, j, i] = value
    done, r2 = [names.index(n) for n in names if n not in edges], {}
    for target, sources in edges.items():
        t = names.index(target)
        s = [names.index(q) for q in sources]
        b = np.column_stack([np.broadcast_to(beta[target, q], m) for q in sources])
        for z in done:
            r[:, t, z] = r[:, z, t] = (b * r[:, s, z]).sum(1)
        r2[target] = (b * r[:, s, t]).sum(1)
        done.append(t)
    return r, r2


def _from_paths(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """R2 from the printed standardised paths alone, and a lone path from its R2."""
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("beta", "path"):
        edges = _edges(numbers, model)
        names = list(dict.fromkeys(n for t, s in edges.items() for n in (*s, t)))
        flat = [(t, s, r) for t, sources in edges.items() for s, r in sources.items()]
        if not flat:
            continue
        draws = box([r.published for *_, r in flat], [r.decimals for *_, r in flat])
        beta = {(t, s): draws[:, k] for k, (t, s, _) in enumerate(flat)}
        exogenous = [n for n in names if n not in edges]
        _, r2 = _trace(edges, names, beta, {})
        free = (
            "" if len(exogenous) == 1 else f"; {' and '.join(exogenous)} taken as uncorrelated (not printed)"
        )
        reach = _reach(edges, names, beta, exogenous)
        for target, sources in edges.items():
            for quantity, factor in (("r2", 1), ("r2_percent", 100)):
                key = (model, quantity, target, "")
                if key not in numbers.by:
                    continue
                printed, values = numbers.by[key], factor * r2[target]
                band = (values.min(), values.max())
                half = 0.5 * 10.0**-printed.decimals
                fits = band[0] - half <= printed.published <= band[1] + half
                low, high = (factor * v for v in reach[target]) if reach else band
                if fits or reach is None or not low - half <= printed.published <= high + half:
                    out[key] = Reproduction(
                        values[0],
                        "printed",
                        "path tracing from the printed paths" + free,
                        band,
                        why=f"the paths ({', '.join(f'{s} {r.printed}' for s, r in sources.items())}) allow at most "
                        f"{high:.3f}, whatever the unprinted correlations"
                        if reach and len(exogenous) > 1
                        else f"the printed paths give {values[0]:.4f}",
                    )
                else:
                    out[key] = Reproduction(
                        why=f"needs the correlation of {' and '.join(exogenous)}; the paths allow "
                        f"{low:.3f} to {high:.3f}, and the printed value lies inside"
                    )
            r2_printed = numbers.by.get((model, "r2", target, ""))
            if len(sources) == 1 and r2_printed is not None:
                ((source, r),) = sources.items()
                value, band = _band(lambda x: np.sqrt(x[:, 0]), [r2_printed.published], [r2_printed.decimals])
                sign = -1 if r.published < 0 else 1
                out[model, r.quantity, source, target] = Reproduction(
                    sign * value,
                    "printed",
                    "square root of the R2 of an outcome with one cause",
                    tuple(sorted((sign * band[0], sign * band[1]))),
                    why=f"R2 = {r2_printed.printed} gives {value:.4f}",
                )
    return out


def _reach(edges, names, beta, exogenous) -> dict[str, tuple[float, float]] | None:
    """Smallest and largest R2 over every correlation of two exogenous variables; None when there are more."""
    if len(exogenous) == 1:
        return None
    if len(exogenous) > 2:
        return None
    ends: dict[str, list[float]] = {t: [] for t in edges}
    for rho in np.linspace(-1, 1, 41):
        _, r2 = _trace(edges, names, beta, {tuple(exogenous): rho})
        for t, v in r2.items():
            ends[t] += [v.min(), v.max()]
    return {t: (max(min(v), 0.0), min(max(v), 1.0)) for t, v in ends.items()}


def _beta_from_b(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Standardised paths from unstandardised ones, where the model has another way between the two constructs.

    b / beta is the ratio of two standard deviations. Around a closed loop of paths these ratios multiply to one, so
    each path of a loop can be standardised with the ratios that the others print.
    """
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("b"):
        pairs = [
            (key[2], key[3], r, numbers.by[model, "beta", key[2], key[3]])
            for key, r in numbers.of("b", model)
            if (model, "beta", key[2], key[3]) in numbers.by
        ]
        if len(pairs) < 3 or any(b.published == 0 or beta.published == 0 for *_, b, beta in pairs):
            continue
        names = list(dict.fromkeys(n for s, t, *_ in pairs for n in (s, t)))
        design = np.zeros((len(pairs), len(names)))
        for k, (s, t, *_) in enumerate(pairs):
            design[k, names.index(t)], design[k, names.index(s)] = 1, -1
        inputs = [v for *_, b, beta in pairs for v in (b, beta)]
        draws = box([v.published for v in inputs], [v.decimals for v in inputs])
        b, beta = draws[:, 0::2], draws[:, 1::2]
        with np.errstate(all="ignore"):
            log_ratio = np.log(b / beta)
        error = np.array(
            [
                10.0**-x.decimals / abs(x.published) + 10.0**-y.decimals / abs(y.published)
                for *_, x, y in pairs
            ]
        )
        for k, (s, t, *_) in enumerate(pairs):
            rest = [i for i in range(len(pairs)) if i != k]
            a = design[rest] / error[rest, None]
            if np.linalg.matrix_rank(np.vstack([a, design[k]])) > np.linalg.matrix_rank(a):
                out[model, "beta", s, t] = Reproduction(
                    why="needs the standard deviations of the two constructs; no other path connects them"
                )
                continue
            y = (log_ratio[:, rest] / error[rest]).T
            ok = np.isfinite(y).all(0)
            ratio = np.exp(design[k] @ np.linalg.pinv(a) @ y[:, ok])
            values = b[ok, k] / ratio
            out[model, "beta", s, t] = Reproduction(
                values[0],
                "printed",
                "b over the ratio of standard deviations that the other paths print",
                (values.min(), values.max()),
                why=f"the other paths give {values[0]:.4f}",
            )
    return out


# ---------------------------------------------------------------- fit measures


def _fit_measures(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """RMSEA and chi2/df from chi-square; NFI, IFI, TLI, CFI, GFI, AGFI from one another.

    The incremental indices share one unknown, the chi-square of the independence model; its degrees of freedom
    follow from TLI and CFI: df0 = df (1 - TLI) / (1 - CFI) must be p (p - 1) / 2 for a whole number p of variables
    (or p (p + 1) / 2 of one variable less, where a program fixes the means as well).
    """
    out: dict[Key, Reproduction] = {}
    for model in numbers.models("chisq"):
        n = meta.get("n")
        out |= _fit_of_group(numbers, model, n.get(model) if isinstance(n, dict) else n)
    return out


def _fit_of_group(numbers: _Numbers, model: str, n: object) -> dict[Key, Reproduction]:
    out: dict[Key, Reproduction] = {}
    get = {
        q: numbers.by.get((model, q, "", ""))
        for q in ("chisq", "df", "nfi", "ifi", "tli", "cfi", "rmsea", "gfi", "agfi", "chisq_df")
    }
    if get["chisq"] is None or get["df"] is None or get["df"].published <= 0:
        return out
    chisq, df = get["chisq"], get["df"].published

    def put(quantity: str, formula: Callable, inputs: list[str], how: str) -> None:
        if get[quantity] is None or any(get[q] is None for q in inputs):
            return
        value, band = _band(formula, [get[q].published for q in inputs], [get[q].decimals for q in inputs])
        out[model, quantity, "", ""] = Reproduction(
            value,
            "printed",
            how,
            band,
            why=f"{how}: {value:.4f}, rounding allows {band[0]:.4f} to {band[1]:.4f}",
        )

    if get["chisq_df"] is not None:
        out[model, "chisq_df", "", ""] = _checked(
            consistency.chisq_ratio(chisq.printed, df, get["chisq_df"].printed), "chi-square / df"
        )
    if get["rmsea"] is not None:
        out[model, "rmsea", "", ""] = (
            _checked(
                consistency.rmsea(chisq.printed, df, n, get["rmsea"].printed), f"from chi-square and n = {n}"
            )
            if _whole(n)
            else Reproduction(why="needs n; add it to study.json")
        )
    df0 = _baseline_df(get, df)
    if df0 is None:
        return out
    base = f"independence model with {df0} degrees of freedom (from TLI and CFI)"
    # x holds chi-square and one index; the chi-square of the independence model is chi2 / (1 - NFI).
    put(
        "nfi",
        lambda x: 1 - x[:, 0] / ((x[:, 0] - df) / (1 - x[:, 1]) + df0),
        ["chisq", "cfi"],
        f"from CFI, {base}",
    )
    put(
        "ifi",
        lambda x: (x[:, 0] / (1 - x[:, 1]) - x[:, 0]) / (x[:, 0] / (1 - x[:, 1]) - df),
        ["chisq", "nfi"],
        "from NFI",
    )
    put(
        "cfi",
        lambda x: 1 - (x[:, 0] - df) / (x[:, 0] / (1 - x[:, 1]) - df0),
        ["chisq", "nfi"],
        f"from NFI, {base}",
    )
    put(
        "tli",
        lambda x: 1 - (x[:, 0] / df - 1) / (x[:, 0] / (1 - x[:, 1]) / df0 - 1),
        ["chisq", "nfi"],
        f"from NFI, {base}",
    )
    p = round((1 + np.sqrt(1 + 8 * df0)) / 2)
    moments = p * (p + 1) / 2
    put("agfi", lambda x: 1 - moments / df * (1 - x[:, 0]), ["gfi"], f"from GFI, {p} variables")
    put("gfi", lambda x: 1 - df / moments * (1 - x[:, 0]), ["agfi"], f"from AGFI, {p} variables")
    return out


def _baseline_df(get: Mapping, df: float) -> int | None:
    if get["tli"] is None or get["cfi"] is None:
        return None
    tli, cfi = get["tli"], get["cfi"]
    value, (low, high) = _band(
        lambda x: df * (1 - x[:, 0]) / (1 - x[:, 1]),
        [tli.published, cfi.published],
        [tli.decimals, cfi.decimals],
    )
    triangular = [p * (p - 1) // 2 for p in range(3, 400)]
    possible = [t for t in triangular if low <= t <= high]
    return min(possible, key=lambda t: abs(t - value)) if possible else None


def _degrees_of_freedom(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Degrees of freedom from the numbers of items and the paths."""
    out: dict[Key, Reproduction] = {}
    for key, df in numbers.of("df"):
        edges = _edges(numbers, key[0])
        items = numbers.n_items.get(key[0], {})
        if edges and {c for t, s in edges.items() for c in (t, *s)} <= set(items):
            pairs = [(s, t) for t, sources in edges.items() for s in sources]
            row = consistency.degrees_of_freedom(sum(items.values()), len(items), pairs, df.printed)
            out[key] = _checked(row, "from the printed numbers of items, the paths and the constructs")
    return out


def _claims(numbers: _Numbers, meta: Mapping) -> dict[Key, Reproduction]:
    """Numbers in a paper's running text, against its tables."""
    out: dict[Key, Reproduction] = {}
    fits = [
        (m, numbers.by[m, "chisq", "", ""], numbers.by[m, "df", "", ""])
        for m in numbers.models("chisq")
        if (m, "df", "", "") in numbers.by
    ]
    for key, claim in numbers.of("chisq_df"):
        if claim.table == "claims" and len(fits) == 1:
            _, chisq, df = fits[0]
            out[key] = _checked(
                consistency.chisq_ratio(chisq.printed, df.printed, claim.printed), "chi-square / df"
            )
    if len(fits) != 2:
        return out
    n = meta.get("n") if isinstance(meta.get("n"), dict) else {}
    first, second = ({"name": m, "chisq": c.printed, "df": d.printed, "n": n.get(m)} for m, c, d in fits)
    for key, claim in numbers.of("chisq_difference"):
        row = consistency.chisq_difference(first, second, claim.printed)
        out[key] = replace(
            _checked(row, "difference of the two printed chi-squares"), remark=row["arithmetic"]
        )
    for key, _ in numbers.of("chisq_difference df"):
        out[key] = Reproduction(
            abs(fits[0][2].published - fits[1][2].published),
            "printed",
            "difference of the two printed degrees of freedom",
        )
    return out


RECIPES = (
    _t_and_p,
    _answers,
    _from_loadings,
    _from_correlations,
    _beta_from_b,
    _from_paths,
    _fit_measures,
    _degrees_of_freedom,
    _claims,
)

#: What it would take, where no recipe applies.
MISSING = {
    "mean": "needs the answers to this item",
    "sd": "needs the answers to this item",
    "loading": "needs the answers or the correlations of the items; it is an input of CR and AVE",
    "alpha": "needs the correlations of the items",
    "rho_A": "needs the answers",
    "cr": "needs the loadings",
    "ave": "needs the loadings",
    "boot_mean": "needs the answers and the bootstrap samples",
    "se": "needs the answers; it is an input of t = estimate / se",
    "b": "needs the answers or a covariance matrix; it is an input of t = b / se",
    "beta": "needs the correlations of the constructs; it is an input of R2",
    "path": "needs the correlations of the constructs",
    "correlation": "needs the answers",
    "r2": "needs the correlations of the constructs",
    "chisq": "needs the covariance matrix; it is an input of RMSEA and the other fit measures",
    "df": "needs the full list of free parameters; it is an input of RMSEA",
}


def from_printed(table: pd.DataFrame, meta: Mapping) -> dict[Key, Reproduction]:
    """Everything the printed tables of a study allow; the first recipe that gives a value wins.

    Parameters
    ----------
    table : DataFrame from ``replicate.numbers``; ``table.attrs["n_items"]`` holds the numbers of items
    meta : dict of ``study.json``
    """
    numbers = _Numbers(table, table.attrs.get("n_items", {}))
    out: dict[Key, Reproduction] = {}
    for recipe in RECIPES:
        for key, found in recipe(numbers, meta).items():
            if key in numbers.by and (
                key not in out or (np.isnan(out[key].value) and not np.isnan(found.value))
            ):
                out[key] = found
    return out


# ---------------------------------------------------------------- studies with open raw data


def _items(stem: str, n: int) -> list[str]:
    return [f"{stem}_{i}" for i in range(1, n + 1)]


REPUTATION = {
    "COMP": _items("comp", 3),
    "LIKE": _items("like", 3),
    "CUSA": ["cusa"],
    "CUSL": _items("cusl", 3),
}
DRIVERS = {
    "QUAL": _items("qual", 8),
    "PERF": _items("perf", 5),
    "CSOR": _items("csor", 5),
    "ATTR": _items("attr", 3),
}
_ABOVE = "COMP ~ QUAL + PERF + CSOR + ATTR\nLIKE ~ QUAL + PERF + CSOR + ATTR\n"
_BELOW = "CUSA ~ COMP + LIKE\nCUSL ~ COMP + LIKE + CUSA"
_ECSI_PATHS = """Expectation ~ Image
Quality ~ Expectation
Value ~ Expectation + Quality
Satisfaction ~ Image + Expectation + Quality + Value
Complaints ~ Satisfaction
Loyalty ~ Image + Satisfaction + Complaints"""


def hair2021(
    model: str = "moderation", data: pd.DataFrame | None = None, moderator: pd.DataFrame | None = None
) -> PlsFit:
    """The corporate-reputation models of Hair et al. (2021).

    Parameters
    ----------
    model : ``"simple"`` (reputation, satisfaction, loyalty), ``"extended"`` (with four formative drivers) or
        ``"moderation"`` (extended, with switching costs SC and the two-stage product CUSA*SC)
    data : DataFrame, optional
        Other data with the same columns; ``sc.load("corp_rep")`` when left out.
    moderator : DataFrame, optional
        Columns to measure SC with instead of switch_1 to switch_4; same rows as the data.

    Returns
    -------
    PlsFit
    """
    data = _data.load("corp_rep") if data is None else data
    if moderator is not None and model != "moderation":
        raise ValueError(f"the {model} model has no moderator; use model='moderation'")
    if model == "simple":
        return pls(data, REPUTATION, _BELOW)
    if model == "extended":
        return pls(data, {**DRIVERS, **REPUTATION}, _ABOVE + _BELOW, formative=list(DRIVERS))
    if model != "moderation":
        raise ValueError(f"model must be simple, extended or moderation, and is {model!r}")
    items = _items("switch", 4)
    if moderator is not None:
        items = [f"SC {c}" for c in moderator.columns]
        data = data.join(moderator.set_axis(items, axis=1))
    return pls(
        data,
        {**DRIVERS, **REPUTATION, "SC": items},
        _ABOVE + _BELOW + " + SC + CUSA*SC",
        formative=list(DRIVERS),
    )


def recode_like_switching(items: pd.DataFrame) -> pd.DataFrame:
    """Make four "switching" columns out of three others, the way switch_1 to switch_4 are made of qual_6, 7 and 5.

    Parameters
    ----------
    items : DataFrame with three columns on the scale 1-7; the first plays the part of qual_6

    Returns
    -------
    DataFrame, four columns: each item less one, kept inside 1-5; and the first less two, kept inside 1-4
    """
    if items.shape[1] != 3:
        raise ValueError(f"three columns are recoded, and these are {items.shape[1]}")
    first, second, third = (items[c] for c in items)
    columns = [
        (first - 1).clip(1, 5),
        (second - 1).clip(1, 5),
        (third - 1).clip(1, 5),
        (first - 2).clip(1, 4),
    ]
    return pd.concat(columns, axis=1, keys=["one", "two", "three", "four"])


def placebo_moderators(data: pd.DataFrame | None = None, items: list[str] | None = None) -> pd.DataFrame:
    """The moderation model of Hair et al. with every triple of quality items in the place of the switching costs.

    Parameters
    ----------
    data : DataFrame, optional; ``sc.load("corp_rep")`` when left out
    items : columns to draw triples from; the eight quality items when left out

    Returns
    -------
    DataFrame
        One row a triple: ``items`` (the middle one plays the part of qual_6), ``interaction`` (CUSA*SC -> CUSL),
        ``direct`` (SC -> CUSL), ``shared`` (how many of the three are among qual_5, qual_6, qual_7).
    """
    data = _data.load("corp_rep") if data is None else data
    rows = []
    for triple in itertools.combinations(DRIVERS["QUAL"] if items is None else items, 3):
        a, b, c = triple
        path = hair2021("moderation", data, recode_like_switching(data[[b, c, a]])).paths
        path = path[path["to"] == "CUSL"].set_index("from").estimate
        rows.append(
            (
                ", ".join(triple),
                path["CUSA*SC"],
                path["SC"],
                len({"qual_5", "qual_6", "qual_7"} & set(triple)),
            )
        )
    return pd.DataFrame(rows, columns=["items", "interaction", "direct", "shared"])


def ecsi(scheme: str = "path", tol: float = 1e-10) -> PlsFit:
    """The European Customer Satisfaction Index model on the mobi data (Tenenhaus et al. 2005), all mode A."""
    data = _data.load("mobi")

    def block(stem: str, n: int) -> list[str]:
        return [f"{stem}{i}" for i in range(1, n + 1)]

    blocks = {
        "Image": block("IMAG", 5),
        "Expectation": block("CUEX", 3),
        "Quality": block("PERQ", 7),
        "Value": block("PERV", 2),
        "Satisfaction": block("CUSA", 3),
        "Complaints": ["CUSCO"],
        "Loyalty": block("CUSL", 3),
    }
    return pls(data, blocks, _ECSI_PATHS, scheme=scheme, tol=tol)


def end_band(
    boot: PlsBootstrap,
    what: str,
    j: int,
    tail: float,
    n_published: int,
    interval: str = "percentile",
    confidence: float = END_CONFIDENCE,
) -> tuple[float, float]:
    """Where the end of a bootstrap interval from ``n_published`` draws should lie.

    Parameters
    ----------
    boot : our bootstrap of the same model
    what, j : table and row of the quantity
    tail : share of draws below this end, e.g. 0.025
    n_published : draws behind the published end
    interval : ``"percentile"`` or ``"bca"``
    confidence : of the band

    Returns
    -------
    (low, high)

    Notes
    -----
    The share of R draws below the true end has variance p (1 - p) / R. In a BCa interval p is itself estimated, from
    the share s of draws below the estimate: p moves by c = 2 phi(z_p) / phi(z_s) times the error of s, and the two
    errors have covariance (min(p, s) - p s) / R. The band is the range of our own quantiles over that uncertainty,
    with the error of our own draws added.
    """
    draws = boot.draws[what][:, j]
    p, c, s = tail, 0.0, 0.5
    if interval == "bca":
        p = float(boot._bca_tails(what, j, np.array([tail]))[0])
        s = float(np.clip((draws < boot._estimates[what][j]).mean(), 0.001, 0.999))
        c = 2 * np.exp(-0.5 * (ndtri(p) ** 2 - ndtri(s) ** 2))
    variance = p * (1 - p) + c**2 * s * (1 - s) - 2 * c * (min(p, s) - p * s)
    width = ndtri(0.5 + confidence / 2) * np.sqrt(variance * (1 / n_published + 1 / len(draws)))
    return tuple(float(v) for v in np.quantile(draws, np.clip([p - width, p + width], 0, 1)))


def _pls_lookup(fit: PlsFit) -> dict[tuple[str, str, str], float]:
    out = {("path", r[0], r[1]): r[2] for r in fit.paths.itertuples(index=False)}
    out |= {("r2", c, ""): v for c, v in fit.r2.r2.items()}
    out |= {(q, c, ""): v for q in fit.reliability for c, v in fit.reliability[q].items()}
    out |= {("f2", r[0], r[1]): r[2] for r in fit.f2.itertuples(index=False)}
    for a, row in fit.htmt.iterrows():
        for b, v in row.dropna().items():
            out["htmt", a, b] = out["htmt", b, a] = v
    return out


def _ends(boot: PlsBootstrap, what: str, level: float, n_published: int, interval: str) -> dict:
    """Ends of the intervals with their bands: (row, column, end) -> Reproduction."""
    table = boot.table(what, level, interval)
    out = {}
    for j, r in enumerate(table.itertuples(index=False)):
        for end, tail in (("ci_lower", (1 - level) / 2), ("ci_upper", (1 + level) / 2)):
            band = end_band(boot, what, j, tail, n_published, interval)
            how = (
                f"{interval} end, {boot.n_boot} draws; an end from {n_published} draws lies between {band[0]:.3f} "
                f"and {band[1]:.3f} in {END_CONFIDENCE:.0%} of cases"
            )
            rep = Reproduction(getattr(r, end), "raw", how, interval=band, why=how)
            out[r[0], r[1], end] = rep
            if what == "htmt":
                out[r[1], r[0], end] = rep
    return out


def reproduce_hair2021(numbers: pd.DataFrame, meta: Mapping) -> dict[Key, Reproduction]:
    """Paths, R2, reliabilities, HTMT, f2, redundancy and bootstrap intervals from corp_rep; and the recodes."""
    out: dict[Key, Reproduction] = {}
    data = _data.load("corp_rep")
    how = "PLS on corp_rep, item means for the missing answers"
    for model in dict.fromkeys(numbers.model[numbers.table == "targets"]):
        if model not in ("simple", "extended", "moderation"):
            continue
        fit = hair2021(model, data)
        values = _pls_lookup(fit)
        for name, items in DRIVERS.items():
            whole = f"{name.lower()}_global"
            test = pls(
                data, {"formative": items, "whole": [whole]}, "whole ~ formative", formative=["formative"]
            )
            values["redundancy", name, ""] = test.paths.estimate[0]
        out |= {(model, *key): Reproduction(v, "raw", how) for key, v in values.items()}
        if numbers.quantity[numbers.model == model].str.contains("ci_").any():
            boot = fit.bootstrap(N_BOOT)
            for what, quantity, level in (("paths", "path", 0.95), ("htmt", "htmt", 0.90)):
                for (a, b, end), rep in _ends(boot, what, level, 1000, "percentile").items():
                    out[model, f"{quantity} {end}", a, b] = rep
    for key in numbers.itertuples():
        if key.quantity == "rows_holding":
            claimed = _identity(key.column, data)
            out["", "rows_holding", key.row, key.column] = Reproduction(
                float((data[key.row] == claimed).sum()), "raw", "counted in corp_rep"
            )
    return out


def _identity(text: str, data: pd.DataFrame) -> pd.Series:
    """``clip(qual_6 - 1, 1, 5)`` or ``row maximum of qual_1..8``, evaluated."""
    clip = re.fullmatch(r"clip\((\w+) - (\d+), (\d+), (\d+)\)", text)
    if clip:
        column, k, low, high = clip.groups()
        return (data[column] - int(k)).clip(int(low), int(high))
    whole = re.fullmatch(r"row maximum of (\w+_)(\d+)\.\.(\d+)", text)
    if whole:
        stem, first, last = whole.groups()
        return data[[f"{stem}{i}" for i in range(int(first), int(last) + 1)]].max(axis=1)
    raise ValueError(
        f"the identity {text!r} is not understood; write clip(item - 1, 1, 5) or row maximum of item_1..8"
    )


def reproduce_ecsi(numbers: pd.DataFrame, meta: Mapping) -> dict[Key, Reproduction]:
    """The twelve paths by path weighting, five by the centroid scheme, and the BCa intervals of those."""
    fit = ecsi(tol=1e-5)
    out = {
        ("", "path_weighting", r[0], r[1]): Reproduction(
            r[2],
            "raw",
            "PLS on mobi, stopped at 1e-5 as SmartPLS 2.0 does (run on, the eighth decimal of one path moves)",
        )
        for r in fit.paths.itertuples(index=False)
    }
    centroid = ecsi("centroid")
    out |= {
        ("centroid", "estimate", r[0], r[1]): Reproduction(r[2], "raw", "PLS on mobi, centroid scheme")
        for r in centroid.paths.itertuples(index=False)
    }
    for (a, b, end), rep in _ends(centroid.bootstrap(N_BOOT), "paths", 0.90, 500, "bca").items():
        out["centroid", end, a, b] = rep
    return out


RAW: dict[str, Callable[[pd.DataFrame, Mapping], dict[Key, Reproduction]]] = {
    "hair2021_corp_rep": reproduce_hair2021,
    "ecsi_mobi": reproduce_ecsi,
}
