"""Bad input to every public function: a right value, a named warning, or an error of ours in one sentence.

    python benchmarks/bad_inputs.py              every case once, and its outcomes by function in bad_inputs.csv
    python benchmarks/bad_inputs.py --n 5000     as many cases, further ones with two arguments spoiled at once

Every public function and every method of a result stands in ``CALLS`` with good arguments. One argument (or two) is
replaced by something bad of its kind, taken by the argument's name from ``KINDS``. What may come out is written beside
each bad value: ``error`` (an error of ours, nothing else), ``same`` (the value of the good call), ``any`` (a value, a
warning or an error of ours). Everything else is a fault: another exception, a message of several lines, a value where an
error was due, another value, or NaN without a warning. tests/test_bad_inputs.py runs a sample of the same cases.
"""

from __future__ import annotations

import argparse
import decimal
import inspect
import random
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import semfit
import switchcost as sc
from papercheck.picture import draw
from switchcost.core.errors import OURS

SECONDS = 30  # a single call that takes longer is a fault
MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3"
SCALES = {"A": ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"], "C": ["c1", "c2", "c3"]}
ITEMS = [i for items in SCALES.values() for i in items]
TRUE = "A =~ 0.8*a1 + 0.7*a2 + 0.7*a3\nB =~ 0.8*b1 + 0.7*b2 + 0.7*b3\nB ~ 0.3*A"
OTHER, EQUAL = TRUE.replace("0.7*a2", "0.5*a2"), "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nB ~ 0*A"
CHAIN = TRUE + "\nC =~ 0.8*c1 + 0.7*c2 + 0.7*c3\nC ~ 0.3*B"
POWER = {"n": 120, "beta": 0.2}


@lru_cache
def answers() -> pd.DataFrame:
    """Nine answers on seven points, two groups, and scores; 150 people."""
    rng = np.random.default_rng(11)
    f = rng.multivariate_normal([0, 0, 0], [[1, 0.5, 0.3], [0.5, 1, 0.4], [0.3, 0.4, 1]], size=150)
    out = {}
    for k, (name, items) in enumerate(SCALES.items()):
        for i in items:
            out[i] = np.clip(np.round(4 + f[:, k] + 0.7 * rng.normal(size=150)), 1, 7)
        out[f"score{name}"] = f[:, k] + 0.3 * rng.normal(size=150)
    data = pd.DataFrame(out)
    data["y"] = (
        0.4 * data["scoreA"] + 0.3 * data["scoreB"] + 0.2 * data["scoreA"] * data["scoreB"] + rng.normal(size=150)
    )
    data["g"] = np.where(rng.random(150) < 0.5, "one", "two")
    data["k"] = (rng.random(150) < 0.5).astype(float)
    return data


@dataclass(frozen=True)
class Polars:
    """Stands for a table of another library."""

    frame: Any = field(default_factory=lambda: answers().to_dict("list"))
    columns: Any = field(default_factory=lambda: list(answers()))


Bad = tuple[str, Any, str]  # what it is, the value, what may come out


def _column(change: Callable[[pd.Series], Any]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Change in every column of numbers that calls use most."""

    def spoilt(data: pd.DataFrame) -> pd.DataFrame:
        out = data.copy()
        for c in ("a1", "scoreA", "scoreB"):
            if c in out:
                out[c] = change(out[c])
        return out

    return spoilt


def _dates(s: pd.Series) -> pd.Series:
    return pd.Series(pd.date_range("2025-01-01", periods=len(s)), index=s.index)


def _lists(s: pd.Series) -> pd.Series:
    return pd.Series([[v] for v in s], index=s.index)


def _some(value: Any, share: float = 0.1) -> Callable[[pd.Series], pd.Series]:
    def put(s: pd.Series) -> pd.Series:
        s = s.astype(object) if not isinstance(value, float) else s.astype(float)
        s.iloc[: max(1, int(share * len(s)))] = value
        return s

    return put


FRAMES: tuple[tuple[str, Callable[[pd.DataFrame], Any], str], ...] = (
    ("None", lambda d: None, "error"),
    ("a number", lambda d: 3, "error"),
    ("text", lambda d: "no_such_thing", "error"),
    ("a list of rows", lambda d: d.to_numpy().tolist(), "error"),
    ("a dict", lambda d: d.to_dict("list"), "error"),
    ("a Series", lambda d: d.iloc[:, 0], "error"),
    ("a generator", lambda d: (r for r in [1, 2]), "error"),
    ("another library", lambda d: Polars(), "error"),
    ("array without names", lambda d: d.select_dtypes("number").to_numpy(), "any"),
    ("array of text", lambda d: d.astype(str).to_numpy(), "any"),
    ("array in three dimensions", lambda d: np.zeros((4, 3, 2)), "error"),
    ("no rows", lambda d: d.head(0), "error"),
    ("no columns", lambda d: d.iloc[:, :0], "error"),
    ("one row", lambda d: d.head(1), "error"),
    ("three rows", lambda d: d.head(3), "any"),
    ("ten rows", lambda d: d.head(10), "any"),
    ("constant column", _column(lambda s: 3.0), "any"),
    ("all missing", _column(lambda s: np.nan), "error"),
    ("half missing", _column(_some(np.nan, 0.5)), "any"),
    ("two complete rows", lambda d: d.mask(pd.Series(np.arange(len(d)) >= 2, index=d.index)), "error"),
    ("infinite", _column(_some(np.inf)), "error"),
    ("minus infinite", _column(_some(-np.inf)), "error"),
    ("text in cells", _column(_some("often")), "any"),
    ("decimal commas", _column(lambda s: s.astype(str).str.replace(".", ",")), "any"),
    ("lists in cells", _column(_lists), "error"),
    ("dates", _column(_dates), "error"),
    ("lengths of time", _column(lambda s: pd.to_timedelta(s, unit="D")), "error"),
    ("periods", _column(lambda s: _dates(s).dt.to_period("D")), "error"),
    ("complex", _column(lambda s: s.astype(complex) + 1j), "error"),
    ("yes and no", _column(lambda s: s > s.median()), "any"),
    ("code 99", _column(_some(99.0)), "any"),
    ("code -999", _column(_some(-999.0)), "any"),
    ("times 1e150", _column(lambda s: s * 1e150), "any"),
    ("times 1e-150", _column(lambda s: s * 1e-150), "any"),
    ("copied column", lambda d: d.assign(**{c: d[p] for c, p in (("a2", "a1"), ("scoreB", "scoreA")) if {c, p} <= {*d}}), "any"),
    ("names twice", lambda d: d.set_axis([*d.columns[:1], *d.columns[:-1]], axis=1), "error"),
    ("names in two levels", lambda d: d.set_axis(pd.MultiIndex.from_product([["q"], d.columns]), axis=1), "error"),
    ("names that are numbers", lambda d: d.set_axis(range(d.shape[1]), axis=1), "any"),
    ("names that are None", lambda d: d.set_axis([None, *d.columns[1:]], axis=1), "any"),
    ("capital names", lambda d: d.rename(columns=str.upper), "any"),
    ("numbers as text", _column(lambda s: s.map(repr)), "same"),
    ("numbers as objects", _column(lambda s: s.astype(object)), "same"),
    ("numbers with gaps allowed", _column(lambda s: s.astype("Float64")), "same"),
    ("Decimal", _column(lambda s: s.map(lambda v: decimal.Decimal(repr(v)))), "same"),
    ("columns in another order", lambda d: d[sorted(d.columns, reverse=True)], "any"),
    ("rows named alike", lambda d: d.set_axis([0] * len(d), axis=0), "same"),
    ("rows named by text", lambda d: d.set_axis([f"p{k}" for k in range(len(d))], axis=0), "same"),
    ("read-only", lambda d: _locked(d), "same"),
)  # fmt: skip


def _locked(d: pd.DataFrame) -> pd.DataFrame:
    out = d.copy()
    for c in out.select_dtypes("number"):
        values = out[c].to_numpy()
        values.setflags(write=False)
    return out


def _fixed(*pairs: tuple[str, Any, str]) -> Callable[[Any], list[Bad]]:
    return lambda good: list(pairs)


NOT_NUMBERS: tuple[Bad, ...] = (
    ("text", "x", "error"), ("a number as text", "0.9", "error"), ("NaN", float("nan"), "error"), ("a list", [0.9], "error"),
    ("infinite", float("inf"), "error"), ("complex", 0.5 + 1j, "error"), ("a dict", {}, "error"), ("bytes", b"1", "error"),
    ("yes", True, "error"), ("a column", pd.Series([0.1, 0.2]), "error"), ("a function", len, "error"),
)  # fmt: skip
PROBABILITY = _fixed(*NOT_NUMBERS, *((f"{v}", v, "error") for v in (-0.1, 0, 1, 1.5, 95)), ("None", None, "any"))
WHOLE = _fixed(
    *NOT_NUMBERS, ("-1", -1, "error"), ("1.5", 1.5, "error"), ("None", None, "any"), ("huge", 10**400, "error")
)
NUMBER = _fixed(*NOT_NUMBERS, ("None", None, "any"), ("1e308", 1e308, "any"), ("-1e308", -1e308, "any"))
WORD = _fixed(("unknown", "nonsense", "error"), ("empty", "", "error"), ("a number", 3, "error"), ("a list", ["ml"], "error"),
              ("None", None, "any"), ("yes", True, "error"), ("bytes", b"ml", "error"), ("a dict", {}, "error"))  # fmt: skip
FLAG = _fixed(("text", "yes", "error"), ("2", 2, "error"), ("a list", [], "error"), ("NaN", float("nan"), "error"))
NAME = _fixed(("unknown", "zzz", "error"), ("near miss", "scorea", "error"), ("empty", "", "error"), ("a number", 3, "error"),
              ("a tuple", ("a1",), "any"), ("bytes", b"a1", "error"), ("NaN", float("nan"), "error"), ("None", None, "any"),
              ("a dict", {"a1": 1}, "error"), ("frame", pd.DataFrame({"a": [1]}), "error"))  # fmt: skip
NAMES = _fixed(("unknown", ["zzz"], "error"), ("twice", ["a1", "a1"], "error"), ("numbers", [1, 2], "error"),
               ("one text", "zzz", "error"), ("nested", [["a1", "a2"]], "error"), ("a number", 3, "error"),
               ("None inside", [None], "error"), ("a dict", {"q": 1}, "error"), ("generator", (i for i in ("zzz",)), "error"),
               ("NaN", float("nan"), "error"), ("None", None, "any"), ("none", [], "any"))  # fmt: skip
SCALE_DICT = _fixed(("None", None, "error"), ("empty", {}, "error"), ("a list", [["a1", "a2"]], "error"), ("text", "A", "error"),
                    ("items as text", {"A": "a1"}, "error"), ("unknown item", {"A": ["a1", "a9"], "B": ["b1", "b2"]}, "error"),
                    ("item twice", {"A": ["a1", "a1", "a2"], "B": ["b1", "b2"]}, "error"), ("no items", {"A": [], "B": ["b1", "b2"]}, "error"),
                    ("items None", {"A": None, "B": ["b1", "b2"]}, "error"), ("item a number", {"A": [1, 2, 3], "B": ["b1"]}, "error"),
                    ("one item", {"A": ["a1"], "B": ["b1", "b2"]}, "any"), ("names that are numbers", {1: ["a1", "a2"], 2: ["b1", "b2"]}, "any"),
                    ("name None", {None: ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"]}, "any"), ("shared item", {"A": ["a1", "a2"], "B": ["a2", "b1"]}, "any"),
                    ("words", {"A": ["g", "a1"], "B": ["b1", "b2"]}, "error"), ("one scale", {"A": ["a1", "a2", "a3"]}, "any"),
                    ("names with markup", {"<b>": ["a1", "a2", "a3"], "x y": ["b1", "b2", "b3"]}, "any"))  # fmt: skip
MODELS = _fixed(("None", None, "error"), ("empty", "", "error"), ("a number", 3, "error"), ("a list", [MODEL], "error"),
                ("bytes", b"A =~ a1", "error"), ("cut off", "A =~", "error"), ("one sign", "A = a1 + a2 + a3", "error"),
                ("unknown item", "A =~ a1 + a2 + a9", "error"), ("item twice", "A =~ a1 + a1 + a2", "any"), ("only signs", "=~ ~ ~~", "error"),
                ("blocks", "group: 1\nA =~ a1 + a2 + a3", "error"), ("R assignment", "m <- 'A =~ a1 + a2'", "error"),
                ("latent of itself", "A =~ A + a1", "error"), ("circle", "A =~ B\nB =~ A", "error"), ("quote", "A =~ 'a1' + a2", "error"),
                ("other letters", "质量 =~ a1 + a2 + a3", "any"), ("number first", "A =~ 1e400*a1 + a2 + a3", "error"),
                ("words in items", "A =~ a1 + a2 + g", "error"), ("nested", "(" * 500 + "A =~ a1", "error"), ("comment only", "# nothing", "error"))  # fmt: skip
SEED = _fixed(
    *(b for b in NOT_NUMBERS if b[0] not in ("a list",)),
    ("-1", -1, "error"),
    ("1.5", 1.5, "error"),
    ("None", None, "any"),
)
PATH = _fixed(("None", None, "error"), ("a number", 3, "error"), ("missing", "/no/such/file.csv", "error"), ("a folder", "/", "error"),
              ("empty", "", "error"), ("bytes", b"x", "error"), ("zero byte", "a\0b", "error"), ("other kind", "x.mp3", "error"),
              ("frame", pd.DataFrame({"a": [1]}), "any"))  # fmt: skip
AXES = _fixed(("text", "ax", "error"), ("a number", 3, "error"), ("a list", [], "error"), ("None", None, "any"))
THING = _fixed(
    ("None", None, "error"),
    ("text", "fit", "error"),
    ("a number", 3, "error"),
    ("frame", pd.DataFrame({"a": [1.0]}), "error"),
)
ANYTHING = _fixed(("text", "nonsense", "any"), ("a number", 3, "any"), ("NaN", float("nan"), "any"), ("a list", [1, "x"], "any"),
                  ("a dict", {"zzz": 1}, "any"), ("empty", "", "any"), ("frame", pd.DataFrame({"a": [1]}), "any"), ("bytes", b"x", "any"))  # fmt: skip


def _frames(good: Any) -> list[Bad]:
    return [(name, make(good), may) for name, make, may in FRAMES]


def _matrices(good: pd.DataFrame) -> list[Bad]:
    names, plain = good.columns, good.to_numpy(dtype=float)

    def cell(i: int, j: int, value: Any, both: bool = True) -> pd.DataFrame:
        out = plain.astype(object if isinstance(value, str) else float)
        out[i, j] = value
        if both:
            out[j, i] = value
        return pd.DataFrame(out, names, names)

    crossed = plain.copy()
    for i, j, v in ((0, 1, 0.9), (1, 2, 0.9), (0, 2, -0.9)):
        crossed[i, j] = crossed[j, i] = v * np.sqrt(plain[i, i] * plain[j, j])
    return [
        ("not symmetric", cell(0, 1, 0.5 * plain[0, 1], both=False), "error"),
        ("a gap", cell(0, 1, np.nan), "error"),
        ("text", cell(0, 1, "x"), "error"),
        ("beyond 1", cell(0, 1, 3 * plain[0, 0]), "error"),
        ("negative variance", cell(0, 0, -1.0), "error"),
        ("no variance", cell(0, 0, 0.0), "error"),
        ("not positive definite", pd.DataFrame(crossed, names, names), "error"),
        ("rows and columns differ", good.set_axis([*good.columns[:-1], "q"], axis=0), "error"),
        ("names twice", good.set_axis([good.columns[0], *good.columns[:-1]], axis=1), "error"),
        ("not square", good.iloc[:-1], "error"),
        ("other variables", good.set_axis(range(len(good)), axis=0).set_axis(range(len(good)), axis=1), "any"),
        ("array", plain, "any"),
        ("list", plain.tolist(), "error"),
        ("another order", good.iloc[::-1, ::-1], "any"),
        ("None", None, "any"),
        ("text alone", "cov", "error"),
    ]


KINDS: dict[str, Callable[[Any], list[Bad]]] = {
    **dict.fromkeys(("data", "answers"), _frames),
    **dict.fromkeys(("cov", "sample_cov", "phi"), _matrices),
    **dict.fromkeys(("alpha", "level", "power", "percentile", "rmsea_null", "rmsea_true", "min_answered"), PROBABILITY),
    **dict.fromkeys(("reliability_x", "reliability_m", "reliability_y", "r_xm", "r2_main", "loading", "margin", "beta"), NUMBER),
    **dict.fromkeys(("n_obs", "n_boot", "n_factors", "n_iter", "n_bins", "draws", "n_rep", "n_items", "points", "n_starts",
                     "n_predictors", "max_components", "rank", "n", "df", "n_samples"), WHOLE),
    **dict.fromkeys(("low", "high", "gamma", "skew", "value", "tol", "minimum", "zero", "factor_variance", "cutoff"), NUMBER),
    "seed": SEED,
    "n_jobs": _fixed(*NOT_NUMBERS, ("1.5", 1.5, "error")),
    **dict.fromkeys(("method", "rotation", "estimator", "missing", "se", "information", "indicators", "kind", "units", "scheme",
                     "moderates", "world", "by", "what", "scale", "keep", "interval", "cov_type", "op", "adjust"), WORD),
    **dict.fromkeys(("std_lv", "meanstructure", "fixed_x", "orthogonal", "quadratic", "center", "fdr", "standardized", "faults", "progress",
                     "keyed", "normalize", "keep_codes", "chinese", "population"), FLAG),
    **dict.fromkeys(("x", "y", "m", "moderator", "second_moderator", "group", "cluster", "weight", "marker", "sampling_weights"), NAME),
    **dict.fromkeys(("covariates", "items", "key", "columns", "drop", "formative", "group_equal", "group_partial", "further", "levels",
                     "ordered"), NAMES),
    **dict.fromkeys(("scales", "constructs"), SCALE_DICT),
    **dict.fromkeys(("model", "population_model", "restricted"), MODELS),
    "path": PATH,
    "ax": AXES,
    **dict.fromkeys(("fit", "result", "fits", "fitted", "fa", "board", "estimates"), THING),
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A public function or method with good arguments; ``skip`` names arguments that are left alone, with the reason."""

    name: str
    function: Callable[..., Any]
    good: dict[str, Any]
    skip: dict[str, str] = field(default_factory=dict)
    fine: tuple[tuple[str, str], ...] = ()  # (argument, what): no mistake in this call

    def bad(self) -> Iterator[tuple[str, str, Any, str]]:
        """(argument, what is bad about it, value, what may come out) of every argument."""
        parameters = inspect.signature(self.function).parameters
        for name, p in parameters.items():
            if name in self.skip or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                continue
            good = self.good.get(name, None if p.default is p.empty else p.default)
            kind = KINDS.get(name, ANYTHING)
            if (
                kind is _frames
                and not isinstance(good, pd.DataFrame)
                or kind is _matrices
                and not isinstance(good, pd.DataFrame)
            ):
                kind = ANYTHING
            for what, value, may in kind(good):
                fine = (name, what) in self.fine or (value is None and p.default is None)
                yield name, what, value, "any" if fine else may


@lru_cache
def calls() -> dict[str, Call]:
    """Every public function and every method of a result, with good arguments."""
    d = answers()
    items = d[ITEMS]
    cov = d[ITEMS[:6]].cov()
    fit = semfit.fit(MODEL, d)
    multi = semfit.fit(MODEL, d, group="g", group_equal=("loadings",))
    structural = semfit.fit(MODEL + "\nB ~ A", d, fixed_x=False)
    moderation = sc.moderate(d, y="y", x="scoreA", moderator="scoreB")
    three = sc.moderate(d, y="y", x="scoreA", moderator="scoreB", second_moderator="k")
    latent = semfit.latent_interaction(
        MODEL + "\nC =~ c1 + c2 + c3\nC ~ A + B", d, x="A", moderator="B", y="C", method="product"
    )
    efa = sc.efa(items, 3)
    pls = sc.pls(d, {"A": SCALES["A"], "B": SCALES["B"]}, "B ~ A")
    boots = pls.bootstrap(50)
    small = {"n_boot": 50}
    market = {"n": 40, "seed": 1}
    out = [
        Call("sc.audit", sc.audit, {"data": items, "draws": 300},
             fine=tuple(("data", w) for w in ("all missing", "dates", "lengths of time", "periods", "infinite", "minus infinite", "complex", "a Series"))),
        Call("sc.average_variance_extracted", sc.average_variance_extracted, {"loadings": [0.7, 0.8]}),
        Call("sc.bartlett", sc.bartlett, {"data": items}),
        Call("sc.check_table", sc.check_table, {"table": pd.DataFrame({"mean": [3.4], "sd": [1.1], "n": [20]})}),
        Call("sc.codebook", sc.codebook, {"name": "mobi"}),
        Call("sc.composite_reliability", sc.composite_reliability, {"loadings": [0.7, 0.8], "error_variances": [0.5, 0.4]}),
        Call("sc.efa", sc.efa, {"data": items, "n_factors": 3}, fine=(("power", "95"),)),
        Call("sc.fit", sc.fit, {"model": MODEL, "data": d}),
        Call("sc.fit (FIML, groups)", sc.fit, {"model": MODEL, "data": d.mask(d == 7), "missing": "fiml", "group": "g"}),
        Call("sc.fit (MLR)", sc.fit, {"model": MODEL + "\nB ~ A + y", "data": d, "estimator": "MLR"}),
        Call("sc.fit (matrix)", sc.fit, {"model": MODEL, "sample_cov": cov, "n_obs": 150}),
        Call("sc.fornell_larcker", sc.fornell_larcker, {"fit": fit}),
        Call("sc.from_factor_analyzer", sc.from_factor_analyzer, {"fa": _factor_analyzer(), "data": items}),
        Call("sc.from_semopy", sc.from_semopy, {"model": _semopy(), "data": d[ITEMS]}, {"model": "spoilt below as a thing"}),
        Call("sc.htmt", sc.htmt, {"data": d, "scales": SCALES}),
        Call("sc.invariance", sc.invariance, {"model": MODEL, "data": d, "group": "g"}),
        Call("sc.item_analysis", sc.item_analysis, {"data": d, "items": SCALES["A"]}),
        Call("sc.kmo", sc.kmo, {"data": items}),
        Call("sc.latent_interaction", sc.latent_interaction,
             {"model": MODEL + "\nC =~ c1 + c2 + c3\nC ~ A + B", "data": d, "x": "A", "moderator": "B", "y": "C"}),
        Call("sc.load", sc.load, {"name": "mobi"}),
        Call("sc.map_test", sc.map_test, {"data": items}),
        Call("sc.marker_correction", sc.marker_correction, {"data": d, "scales": SCALES, "marker": "C"}, {"marker": "a name or a number"}),
        Call("sc.mediate", sc.mediate, {"data": d, "x": "scoreA", "m": "scoreB", "y": "y", **small}),
        Call("sc.method_factor", sc.method_factor, {"data": d, "scales": SCALES}),
        Call("sc.moderate", sc.moderate, {"data": d, "y": "y", "x": "scoreA", "moderator": "scoreB"}),
        Call("sc.parallel_analysis", sc.parallel_analysis, {"data": items, "n_iter": 20}, fine=(("percentile", "95"),)),
        Call("sc.phi_test", sc.phi_test, {"model": MODEL, "data": d}),
        Call("sc.pls", sc.pls, {"data": d, "constructs": {"A": SCALES["A"], "B": SCALES["B"]}, "paths": "B ~ A"}),
        Call("sc.published", sc.published, {"study": "kim2004"}),
        Call("sc.read_survey", sc.read_survey, {"path": str(Path(__file__).parents[1] / "data" / "raw" / "mobi" / "mobi.csv")}),
        Call("sc.reliability", sc.reliability, {"data": d, "scales": SCALES}),
        Call("sc.single_factor_test", sc.single_factor_test, {"data": d, "scales": SCALES}),
        Call("sc.specification_curve", sc.specification_curve, {"data": d, "y": "y", "x": "scoreA", "moderator": "scoreB"}),
        Call("sc.tables.table", sc.tables.table, {"data": d.head(3)}, {"data": "any frame is a table"}),
        Call("sc.compare", lambda a, b, names=None: sc.compare(a, b, names=names), {"a": fit, "b": semfit.fit(MODEL + "\nA ~~ 0*B", d)}),
        Call("sc.power.product_power", sc.power.product_power, POWER),
        Call("sc.power.detectable", sc.power.detectable, {"n": 120}),
        Call("sc.power.product_n", sc.power.product_n, {"beta": 0.2}),
        Call("sc.power.product_reliability", sc.power.product_reliability, {"reliability_x": 0.8, "reliability_m": 0.7}),
        Call("sc.power.rmsea_power", sc.power.rmsea_power, {"n": 200, "df": 20}, fine=(("rmsea_null", "0"), ("rmsea_true", "0"), ("n", "1.5"), ("df", "1.5"))),
        Call("sc.power.rmsea_n", sc.power.rmsea_n, {"df": 20}, fine=(("df", "1.5"), ("rmsea_null", "0"), ("rmsea_true", "0"))),
        Call("sc.power.simulated_power", sc.power.simulated_power, POWER | {"n_rep": 20}),
        Call("sc.power.path_power", sc.power.path_power, {"population_model": TRUE, "path": "B ~ A"}),
        Call("sc.power.restriction_power", sc.power.restriction_power, {"population_model": TRUE, "restricted": EQUAL}),
        Call("sc.power.indirect_power", sc.power.indirect_power, {"population_model": CHAIN, "paths": ("B ~ A", "C ~ B")}),
        Call("sc.power.invariance_power", sc.power.invariance_power, {"populations": {"one": TRUE, "two": OTHER}}),
        Call("sc.power.model_power", sc.power.model_power, {"n": 100, "population_model": TRUE, "n_rep": 20, "n_jobs": 1}),
        Call("sc.power.latent_product_power", sc.power.latent_product_power,
             {"n": 100, "population_model": CHAIN + "\nC ~ 0.2*A", "beta": 0.2, "x": "A", "moderator": "B", "y": "C", "n_rep": 20, "n_jobs": 1}),
        Call("semfit.polychoric", semfit.polychoric, {"data": items}),
        Call("sc.simulate.survey", sc.simulate.survey, market, fine=(("faults", "a list"),)),
        Call("sc.simulate.usage", sc.simulate.usage, market),
        Call("sc.simulate.latents", sc.simulate.latents, market),
        Call("sc.simulate.latent_means", sc.simulate.latent_means, {}),
        Call("sc.simulate.parameters", sc.simulate.parameters, {}),
        Call("sc.simulate.population", sc.simulate.population, {}),
        Call("sc.simulate.truth", sc.simulate.truth, {}),
        Call("sc.simulate.keyed", sc.simulate.keyed, {"data": sc.simulate.survey(n=20, seed=1)}, {"data": "only marked columns change"}),
        Call("sc.simulate.twin", sc.simulate.twin, {"cov": cov, "n": 40}, fine=(("cov", "list"),)),
        Call("sc.plots.slopes", sc.plots.slopes, {"result": moderation}),
        Call("sc.plots.johnson_neyman", sc.plots.johnson_neyman, {"result": moderation}),
        Call("sc.plots.forest", sc.plots.forest, {"estimates": fit.estimates}),
        Call("sc.plots.path_diagram", sc.plots.path_diagram, {"fit": structural}),
        Call("papercheck.picture.draw", draw, {"rows": sc.scoreboard().table}),
        Call("sc.plots.specification_curve", sc.plots.specification_curve,
             {"result": sc.specification_curve(d, y="y", x="scoreA", moderator="scoreB")}),
        Call("sc.plots.style", sc.plots.style, {}),
        Call("semfit.compare", lambda a, b: semfit.compare(a, b), {"a": fit, "b": 3}, {"b": "bad as it is"}),
        Call("semfit.path_diagram", semfit.path_diagram, {"fit": structural}),
        Call("semfit.refit", semfit.refit, {"fit": structural, "samples": [d, d.sample(frac=1, random_state=1)]}),
        Call("semfit.score_tests", semfit.score_tests, {"fitted": multi}),
        Call("semfit.partial_search", semfit.partial_search, {"model": MODEL, "data": d, "group": "g"}),
        Call("semfit.effect_sizes", semfit.effect_sizes, {"fit": multi, "group_partial": ("a2 ~ 1",)}),
        Call("semfit.ModelSpec", semfit.ModelSpec, {"text": MODEL}),
        Call("ModelSpec.add", semfit.ModelSpec(MODEL).add, {"lhs": "a1", "op": "~~", "rhs": "b1"}, fine=tuple(("value", w) for w in ("a list", "NaN", "a column"))),
        Call("ModelSpec.fix", semfit.ModelSpec(MODEL).fix, {"lhs": "A", "op": "~~", "rhs": "B"},
             fine=tuple(("value", w) for w in ("a list", "NaN", "a column"))),
        Call("ModelSpec.drop", semfit.ModelSpec(MODEL).drop, {"lhs": "A", "op": "=~", "rhs": "a3"}),
        Call("ModelSpec.items", semfit.ModelSpec(MODEL).items, {"latent": "A"}),
        Call("Fit.standardized", fit.standardized, {}),
        Call("Fit.modification_indices", fit.modification_indices, {}),
        Call("Fit.factor_scores", fit.factor_scores, {}),
        Call("Fit.bootstrap", fit.bootstrap, {"n_boot": 30}),
        Call("Moderation.simple_slopes", moderation.simple_slopes, {}),
        Call("Moderation.slope_differences", three.slope_differences, {}),
        Call("Moderation.johnson_neyman", moderation.johnson_neyman, {}),
        Call("Moderation.johnson_neyman (three-way)", three.johnson_neyman, {}),
        Call("Moderation.bootstrap", moderation.bootstrap, small),
        Call("Moderation.attenuation", moderation.attenuation, {"reliability_x": 0.8, "reliability_m": 0.7}),
        Call("Moderation.binned", moderation.binned, {}),
        Call("Moderation.equivalence", moderation.equivalence, {"margin": 0.1}),
        Call("Moderation.slope", moderation.slope, {"moderator": 0.5}, {"moderator": "a value here", "x": "a value here"}),
        Call("Moderation.predict", moderation.predict, {"x": 0.5, "moderator": 0.5}, {"x": "a value here", "moderator": "a value here"}),
        Call("LatentInteraction.simple_slopes", latent.simple_slopes, {}),
        Call("LatentInteraction.johnson_neyman", latent.johnson_neyman, {}),
        Call("LatentInteraction.placebo", latent.placebo, {"n_samples": 20}),
        Call("EFA.table", efa.table, {}),
        Call("EFA.scores", efa.scores, {"data": items}, fine=(("data", "one row"), ("data", "two complete rows"), ("data", "half missing"))),
        Call("EFA.bootstrap", efa.bootstrap, {"n_boot": 20}),
        Call("PlsFit.bootstrap", pls.bootstrap, small),
        Call("PlsBootstrap.table", boots.table, {}),
        Call("sc.chapter.results_chapter", sc.chapter.results_chapter,
             {"data": d, "codebook": _book(), "model": {"outcome": "C", "predictors": ["A", "B"]}, "n_boot": 100}),
    ]  # fmt: skip
    return {c.name: c for c in out}


def _factor_analyzer() -> Any:
    from factor_analyzer import FactorAnalyzer

    fa = FactorAnalyzer(3, method="ml", rotation="oblimin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fa.fit(answers()[ITEMS])
    return fa


def _semopy() -> Any:
    import semopy

    model = semopy.Model(MODEL)
    model.fit(answers()[ITEMS])
    return model


def _book() -> pd.DataFrame:
    rows = [{"variable": i, "construct": s, "low": 1, "high": 7, "label_en": i} for s, k in SCALES.items() for i in k]
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Outcome:
    """What came of one case: ``value``, ``warning``, ``error`` or a fault, with the detail of a fault."""

    call: str
    arguments: str
    bad: str
    outcome: str
    detail: str = ""

    @property
    def is_fault(self) -> bool:
        return self.outcome not in ("value", "warning", "error")


def numbers(result: Any) -> np.ndarray:
    """The numbers of a result, in its order: of a table, or of the first table a result carries."""
    for name in ("table", "coefficients", "estimates", "loadings", "paths"):
        found = getattr(result, name, None)
        if isinstance(found, pd.DataFrame) and not isinstance(result, pd.DataFrame):
            result = found
            break
    if isinstance(result, pd.Series):
        result = result.to_frame()
    if isinstance(result, pd.DataFrame):
        return result.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan).ravel()
    if isinstance(result, (int, float, np.number)):
        return np.array([float(result)])
    return np.array([])


def _too_slow(signum, frame):
    raise TimeoutError(f"longer than {SECONDS} seconds")


@lru_cache
def good_numbers(name: str) -> np.ndarray:
    """The numbers of the good call."""
    call = calls()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return numbers(call.function(**call.good))


def run(call: Call, changes: dict[str, tuple[str, Any, str]]) -> Outcome:
    """One call with some arguments replaced, and what came of it."""
    arguments, bad = ", ".join(changes), "; ".join(what for what, _, _ in changes.values())
    may = {m for _, _, m in changes.values()}
    leaves_gaps = call.name == "EFA.scores"  # a person with a gap has no score, and the gap is seen

    def found(outcome: str, detail: str = "") -> Outcome:
        return Outcome(call.name, arguments, bad, outcome, detail)

    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(SECONDS)
    try:
        with warnings.catch_warnings(record=True) as told, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            result = call.function(**call.good | {k: v for k, (_, v, _) in changes.items()})
            if hasattr(result, "_repr_html_"):
                repr(result)
    except OURS as error:
        text = str(error)
        if not text or "\n" in text or len(text) > 700:
            return found("message", text)
        return found("error") if may != {"same"} else found("refused", text)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "/src/s" in f.filename]
        place = ours[-1] if ours else place
        return found(type(error).__name__, f"{Path(place.filename).name}:{place.lineno} {str(error)[:200]}")
    finally:
        signal.alarm(0)
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    if "error" in may and len(changes) == 1:
        return found("accepted")
    named = [
        w
        for w in told
        if "switchcost" in str(w.filename) or "semfit" in str(w.filename) or issubclass(w.category, UserWarning)
    ]
    named += list(getattr(result, "warnings", ()))
    came, want = numbers(result), good_numbers(call.name)
    if may == {"same"} and not (
        came.shape == want.shape and np.allclose(came, want, rtol=1e-6, atol=1e-8, equal_nan=True)
    ):
        return found("another value", f"{came[:4]} for {want[:4]}")
    if not np.isfinite(came).all() and np.isfinite(want).all() and not named and not leaves_gaps:
        return found("NaN unsaid")
    return found("warning" if named else "value")


def cases() -> list[tuple[str, str, str]]:
    """Every case with one bad argument: call, argument, what is bad."""
    return [(c.name, name, what) for c in calls().values() for name, what, _, _ in c.bad()]


def run_case(*parts: tuple[str, str, str]) -> Outcome:
    """Run one case, or several bad arguments of one call together."""
    call = calls()[parts[0][0]]
    wanted = {(argument, what) for _, argument, what in parts}
    return run(call, {n: (what, value, may) for n, what, value, may in call.bad() if (n, what) in wanted})


def sample(n: int, seed: int = 1) -> list[tuple[str, str, str]]:
    """``n`` cases over all functions: the functions take turns."""
    rng = random.Random(seed)
    piles: dict[str, list] = {}
    for case in cases():
        piles.setdefault(case[0], []).append(case)
    for pile in piles.values():
        rng.shuffle(pile)
    out: list[tuple[str, str, str]] = []
    while len(out) < n and any(piles.values()):
        out += [pile.pop() for pile in piles.values() if pile]
    return out[:n]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, help="cases; beyond one bad argument each, two at once")
    parser.add_argument("--only", default="", help="functions whose name holds this")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    every = [c for c in sample(10**6, given.seed) if given.only in c[0]]
    runs: list[tuple] = [(c,) for c in every[: given.n]]
    rng = random.Random(given.seed)
    while given.n and len(runs) < given.n:
        first = rng.choice(every)
        others = [c for c in every if c[0] == first[0] and c[1] != first[1]]
        if others:
            runs.append((first, rng.choice(others)))
    outcomes = []
    for parts in runs:
        outcomes.append(o := run_case(*parts))
        if o.is_fault:
            print(f"{o.call} | {o.arguments} | {o.bad} | {o.outcome} | {o.detail}", flush=True)
    table = pd.DataFrame([{**vars(o), "fault": o.is_fault} for o in outcomes])
    counts = table.assign(outcome=np.where(table["fault"], "fault", table["outcome"])).pivot_table(
        index="call", columns="outcome", aggfunc="size", fill_value=0
    )
    for column in ("value", "warning", "error", "fault"):
        counts[column] = counts.get(column, 0)
    counts = counts[["value", "warning", "error", "fault"]]
    print(counts.sum().to_string())
    if not given.only:
        counts.rename_axis("function").to_csv(Path(__file__).with_suffix(".csv"))


if __name__ == "__main__":
    main()
