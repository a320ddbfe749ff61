"""The worlds of the simulated market: which truth, and what may be switched on in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from switchcost.core import checks
from switchcost.core.arguments import NAMES, checked
from switchcost.core.errors import DataError
from switchcost.data.registry import data_dir

WORLDS = {"china": "truth.json", "meta": "truth_meta.json"}


@checked(switches=NAMES)
def truth(world: str = "china", switches: str | Iterable[str] = ()) -> dict:
    """Return the truth of a simulated market, a fresh copy that may be changed and handed to :func:`survey`.

    Parameters
    ----------
    world : {"china", "meta"}
        ``"china"`` has the pattern reported for Chinese mobile customers: financial costs weaken the link from
        satisfaction to loyalty. ``"meta"`` has the signs of the meta-analysis of Blut, Frennea, Mittal & Mothersbaugh
        (2015): financial costs strengthen it, procedural and relational costs weaken it.
    switches : list of str
        What else is true: ``"minor_factors"`` (a tenth of every item's variance from many small factors),
        ``"problems"`` (some customers have something to complain about, which lowers satisfaction and raises voice),
        ``"prepaid_silence"`` (prepaid customers leave without a word, and skip months), ``"indistinct_dimensions"``
        (the three kinds of switching costs correlate .85), ``"biased_groups"`` (contract customers have clearly
        higher financial costs, and answer one item about them lower than prepaid customers with the same costs).

    Returns
    -------
    dict
        In plain terms; see ``truth["about"]``.

    Raises
    ------
    DataError
        Unknown world or switch.

    Examples
    --------
    >>> truth()["equations"]["attitudinal"]["satisfaction * financial"]
    -0.15
    >>> truth("meta")["equations"]["attitudinal"]["satisfaction * financial"]
    0.15
    >>> t = truth()
    >>> t["equations"]["attitudinal"]["satisfaction * financial"] = 0.0   # a market without moderation
    """
    t = copy.deepcopy(stored_truth(world))
    for name in [switches] if isinstance(switches, str) else switches:
        if name not in SWITCHES:
            raise DataError(f"switch {name!r} is not known: {', '.join(SWITCHES)}.{checks.suggest(name, SWITCHES)}")
        SWITCHES[name](t)
    return t


def truth_of(given: Mapping | None, world: str | None) -> Mapping:
    """The truth that a function was asked for: handed in, or that of a world."""
    if given is not None and world is not None:
        raise DataError(f"say truth or world={world!r}, not both: a truth handed in is already of one world")
    if given is None:
        return stored_truth(world or "china")
    if not isinstance(given, Mapping):
        raise DataError("truth must be a dict as simulate.truth() returns it; change a copy of that")
    return given


@lru_cache(maxsize=2)
def stored_truth(world: str = "china") -> dict:
    """The truth as its file has it; a second world is written as what differs from the first."""
    if world not in WORLDS:
        raise DataError(f"world is 'china' or 'meta', and not {world!r}.{checks.suggest(str(world), WORLDS)}")
    t = json.loads(truth_file(WORLDS[world]).read_text(encoding="utf-8"))
    return t if world == "china" else _overlaid(stored_truth(), t)


def truth_file(name: str) -> Path:
    path = data_dir() / "simulated" / "telecom_survey" / name
    if not path.exists():
        raise DataError(
            f"data/simulated/telecom_survey/{name} is missing; restore it with git, or hand in your own truth"
        )
    return path


def _overlaid(base: Mapping, change: Mapping) -> dict:
    """``base`` with the equations and other entries of ``change`` in the place of its own; dicts of dicts one by one."""
    out = dict(base)
    for key, value in change.items():
        out[key] = {**out[key], **value} if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def _minor_factors(t: dict) -> None:
    """Twelve factors that nobody means, in every item a tenth of the variance (Tucker, Koopman & Linn 1969)."""
    names = [f"minor{k}" for k in range(1, 13)]
    t["exogenous"] = {**t["exogenous"], **dict.fromkeys(names, "a minor common factor of items")}
    rng = np.random.default_rng(1969)  # which factors touch which items is part of the truth, not of the sample
    for spec in t["items"].values():
        chosen, sign = rng.choice(names, 2, replace=False), rng.choice([-1.0, 1.0], 2)
        spec["loads"] = {
            **spec["loads"],
            **{str(c): float(s * np.sqrt(0.05)) for c, s in zip(chosen, sign, strict=True)},
        }


def _problems(t: dict) -> None:
    t["exogenous"] = {**t["exogenous"], "problems": "how much went wrong that one could complain about"}
    t["equations"]["satisfaction"] = {**t["equations"]["satisfaction"], "problems": -0.35}
    t["equations"]["voice"] = {**t["equations"]["voice"], "problems": 0.5}
    t["background"]["problems"] = {
        **{"from": "problems", "log_mean": 0.2, "log_sd": 0.7, "low": 0, "high": 20},
        "unit": "problems with the operator in the last year",
    }


def _prepaid_silence(t: dict) -> None:
    t["usage"]["prepaid_silence"] = {
        "silent_month": 0.15,
        "note": "Prepaid customers do not announce that they leave: left stays 0, and top-ups stop. A customer who is "
        "still there tops up nothing in a month with this probability.",
    }


def _indistinct_dimensions(t: dict) -> None:
    pairs = ("procedural ~~ financial", "procedural ~~ relational", "financial ~~ relational")
    t["correlations"].update(dict.fromkeys(pairs, 0.85))


def _biased_groups(t: dict) -> None:
    means = t["groups"]["contract"]["mean"]
    means["prepaid"]["financial"], means["contract"]["financial"] = -0.3, 0.3
    t["faults"]["intercept"]["shift"] = {"prepaid": 0.45, "contract": -0.45}
    t["faults"]["intercept"]["what"] = (
        "bl2 is answered lower by contract customers than by prepaid customers with the same benefit loss, although "
        "their financial costs are higher: the sum of the answers hides the difference"
    )


SWITCHES: dict[str, Callable[[dict], None]] = {
    "minor_factors": _minor_factors,
    "problems": _problems,
    "prepaid_silence": _prepaid_silence,
    "indistinct_dimensions": _indistinct_dimensions,
    "biased_groups": _biased_groups,
}
