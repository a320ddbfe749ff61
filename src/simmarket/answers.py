"""Answers of simulated customers, and the faults planted among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from switchcost.core import checks
from switchcost.core.arguments import FLAG_OR_NAMES, NAMES, checked, one_of
from switchcost.core.errors import DataError

from .draws import LATENT_DECIMALS, latents, seed_of, stream, whole_number
from .market import Market, market_from

BACKGROUND = ["operator", "contract", "tenure", "spend", "age", "gender"]


FAULTS = ("bad_item", "intercept", "careless", "missing", "duplicates")


@checked(seed=None, faults=FLAG_OR_NAMES, scale=one_of("points", "latent"), columns=NAMES)
def survey(
    truth: Mapping | None = None,
    n: int = 800,
    seed: int | np.random.Generator | None = None,
    faults: bool | Iterable[str] = True,
    *,
    scale: str = "points",
    columns: Sequence[str] | None = None,
    world: str | None = None,
) -> pd.DataFrame:
    """Question ``n`` simulated customers of the market with the known truth.

    Parameters
    ----------
    truth : dict, optional
        As :func:`truth` returns it, changed where you like.
    n : int
        Number of respondents. With the default n and seed the result is ``sc.load("telecom_survey")``.
    seed : int, Generator or None
        None: the seed in the truth file. Same seed, same answers.
    faults : bool or names
        True plants all faults that the truth lists, False none; or some of ``"bad_item"``, ``"intercept"`` (these two
        belong to items), ``"careless"``, ``"missing"``, ``"duplicates"`` (these three to rows). Rows are those of the
        truth file when n and seed are the file's, and drawn at the same rate otherwise; they are returned in
        ``.attrs["faults"]``.
    scale : ``"points"`` or ``"latent"``
        Answers in five points (seven for ``osat``), or the latent response of variance 1 behind them. Reverse-keyed
        items come as respondents answer them, not turned round: see :func:`keyed`.
    columns : list of names, optional
        Draw only these columns (quicker). The values are the same as in a full draw with the same seed.
    world : {"china", "meta"}, optional
        Whose truth, when none is handed in (see :func:`truth`); ``"china"`` when None.

    Returns
    -------
    DataFrame of n rows: items as floats (missing answers NaN), operator, contract, tenure (months), spend (money a
    month), age (years), gender.

    Raises
    ------
    ValueError
        Unknown column, fault or scale; a truth whose coefficients explain more than all variance.

    Examples
    --------
    >>> d = survey(n=200, seed=5, columns=["sat1", "sat2", "bl1"])
    >>> d.shape
    (200, 3)
    """
    m = market_from(truth, world)
    t = m.truth
    n = whole_number(n, "n")
    given_seed = seed_of(seed, t)
    wanted = _wanted_faults(faults, t)
    if columns is not None and not len(columns):
        raise DataError("columns names none; leave it out for all columns")
    if scale not in ("points", "latent"):
        raise DataError(f"scale is 'points' (five-point answers) or 'latent' (before cutting), and not {scale!r}")
    rows_wanted = [f for f in wanted if f in ("careless", "missing", "duplicates")]
    if scale == "latent" and rows_wanted:
        if faults is not True:
            raise DataError(f"scale='latent' has no answers yet, so it cannot hold {', '.join(rows_wanted)}")
        wanted = [f for f in wanted if f not in rows_wanted]

    everything = [*t["items"], *BACKGROUND, *(b for b in t["background"] if b not in BACKGROUND)]
    names = everything if columns is None else [columns] if isinstance(columns, str) else list(columns)
    for name in names:
        if name not in everything:
            raise DataError(f"column {name!r} is not in the survey.{checks.suggest(name, everything)}")

    x = latents(t, n, given_seed)
    out: dict[str, np.ndarray] = {}
    for name in names:
        if name in t["items"]:
            y = _response(m, name, x, given_seed, wanted)
            if scale == "points":
                y = 1.0 + np.searchsorted(t["items"][name]["thresholds"], np.round(y, LATENT_DECIMALS), side="left")
            out[name] = y
        else:
            out[name] = background_column(name, t, x, given_seed)
    data = pd.DataFrame(out, columns=names)
    record = _row_faults(data, m, x, given_seed, wanted) if scale == "points" else {}
    data.attrs = {"simulated": True, "seed": given_seed, "faults": {f: record.get(f, t["faults"][f]) for f in wanted}}
    return data


def _wanted_faults(faults: bool | str | Iterable[str], t: Mapping) -> list[str]:
    listed = [f for f in FAULTS if f in t.get("faults", {})]
    if isinstance(faults, (bool, np.bool_)):
        return listed if faults else []
    wanted = [faults] if isinstance(faults, str) else list(faults)
    for f in wanted:
        if f not in listed:
            raise DataError(f"fault {f!r} is not one of the truth's: {', '.join(listed)}.{checks.suggest(f, listed)}")
    return [f for f in FAULTS if f in wanted]


def _response(m: Market, name: str, x: pd.DataFrame, seed: int, wanted: Sequence[str]) -> np.ndarray:
    """The latent response to one item, variance 1, in the direction in which it is answered."""
    spec = m.truth["items"][name]
    loads = dict(spec["loads"])
    shift, extra = None, 0.0
    if "bad_item" in wanted and m.truth["faults"]["bad_item"]["item"] == name:
        loads = {next(iter(loads)): m.truth["faults"]["bad_item"]["loading"]}
    if "intercept" in wanted and m.truth["faults"]["intercept"]["item"] == name:
        fault = m.truth["faults"]["intercept"]
        share = m.groupings[fault["group"]]["share"]
        mean = sum(share[g] * s for g, s in fault["shift"].items())
        extra = sum(share[g] * (s - mean) ** 2 for g, s in fault["shift"].items())
        shift = x[fault["group"]].map(fault["shift"]).to_numpy(dtype=float) - mean
    y = m.unique_sd(name, loads, extra) * stream(seed, "item " + name).standard_normal(len(x))
    for latent, b in loads.items():
        y = y + b * x[latent].to_numpy()
    if shift is not None:
        y = y + shift
    return -y if spec["reverse"] else y


def background_column(name: str, t: Mapping, x: pd.DataFrame, seed: int) -> np.ndarray:
    if name in ("operator", "contract"):
        return x[name].to_numpy()
    spec = t["background"][name]
    if name == "gender":
        first, second = spec
        return np.where(stream(seed, "gender").random(len(x)) < spec[first], first, second).astype(object)
    z = np.round(x[spec["from"]].to_numpy(), LATENT_DECIMALS)
    value = np.exp(spec["log_mean"] + spec["log_sd"] * z) if "log_mean" in spec else spec["mean"] + spec["sd"] * z
    return np.clip(np.round(value), spec["low"], spec["high"]).astype(int)


def _row_faults(data: pd.DataFrame, m: Market, x: pd.DataFrame, seed: int, wanted: Sequence[str]) -> dict:
    """Spoil rows in place as careless respondents, gaps and double entry do; return which rows."""
    t = m.truth
    n = len(data)
    stored = n == t.get("n") and seed == t.get("seed")
    items = [c for c in data.columns if c in t["items"]]
    record: dict[str, dict] = {}
    place = stream(seed, "rows")
    free = place.permutation(n)  # careless rows are taken from its front, the doubled block lies clear of them

    careless = np.array([], dtype=int)
    if "careless" in wanted:
        fault = t["faults"]["careless"]
        if stored:
            straight, answers, random = (fault["straight_rows"], fault["straight_answers"], fault["random_rows"])
        else:
            count = int(round(fault["share"] * n))
            straight, random = (np.sort(free[: count // 2]).tolist(), np.sort(free[count // 2 : count]).tolist())
            answers = place.integers(1, 6, len(straight)).tolist()
        careless = np.array(list(straight) + list(random), dtype=int)
        for item in items:
            top = len(t["items"][item]["thresholds"]) + 1
            draw = stream(seed, "careless " + item).integers(1, top + 1, len(careless)).astype(float)
            if top == 5:
                draw[: len(straight)] = answers
            data.loc[data.index[careless], item] = draw
        record["careless"] = {"straight_rows": list(straight), "random_rows": list(random)}

    if "missing" in wanted:
        fault = t["faults"]["missing"]
        share = fault["share_of_answers"] / fault["skipped_by_those_who_skip"]  # of respondents who skip at all
        age = np.round(x["age"].to_numpy(), LATENT_DECIMALS)
        slope = fault["slope_on_age"]
        # the logistic averaged over normal age has mean `share` where the intercept is stretched (probit approximation)
        stretch = np.sqrt(1 + slope**2 * 0.3458)
        p = 1 / (1 + np.exp(-(stretch * np.log(share / (1 - share)) + slope * age)))
        skips = stream(seed, "who skips").random(n) < np.round(p, LATENT_DECIMALS)
        skips[careless] = False
        for item in items:
            gap = skips & (stream(seed, "missing " + item).random(n) < fault["skipped_by_those_who_skip"])
            data.loc[gap, item] = np.nan
        record["missing"] = {"rows_with_gaps": np.flatnonzero(data[items].isna().any(axis=1)).tolist() if items else []}

    if "duplicates" in wanted:
        fault = t["faults"]["duplicates"]
        length = max(1, int(round(fault["share"] * n)))
        if stored:
            first, last = fault["first_rows"]
            copy_to = fault["copied_to"][0]
        else:
            first = _clear_block(n, length, set(careless.tolist()), place)
            copy_to = last = -1
            if first is not None:
                copy_to, last = first + length, first + length - 1
        if first is not None and n >= 4 * length:
            data.iloc[copy_to : copy_to + last - first + 1] = data.iloc[first : last + 1].to_numpy()
            for c in data.columns:
                if data[c].dtype == object and c in items + ["tenure", "spend", "age"]:
                    data[c] = pd.to_numeric(data[c])
            record["duplicates"] = {"first_rows": [first, last], "copied_to": [copy_to, copy_to + last - first]}
    return record


def _clear_block(n: int, length: int, taken: set[int], rng: np.random.Generator) -> int | None:
    for start in rng.integers(0, max(1, n - 2 * length), 200).tolist():
        if not taken & set(range(start, start + 2 * length)):
            return start
    return None


@checked()
def keyed(data: pd.DataFrame, truth: Mapping | None = None, *, world: str | None = None) -> pd.DataFrame:
    """Turn the reverse-keyed items of the survey round: low + high - answer (a latent response changes sign).

    Works on what :func:`survey` and ``sc.load("telecom_survey")`` return; other columns stay as they are.

    Examples
    --------
    >>> raw = survey(n=50, seed=2, columns=["er1", "er4"], faults=False)
    >>> bool((keyed(raw)["er4"] == 6 - raw["er4"]).all())
    True
    """
    t = market_from(truth, world).truth
    out = checks.frame(data).copy()
    for name, spec in t["items"].items():
        if spec["reverse"] and name in out.columns:
            top = len(spec["thresholds"]) + 1
            values = out[name].to_numpy(dtype=float)
            whole = values[~np.isnan(values)]
            points = bool(np.all(whole == np.round(whole)))
            out[name] = (top + 1 - values) if points else -values
    return out
