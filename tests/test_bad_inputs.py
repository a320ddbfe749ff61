"""Bad input, made by the hundred from good input: a value, or an error of ours in one sentence, and nothing else."""

from __future__ import annotations

import importlib.util
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import semfit
import switchcost as sc
from switchcost.core.errors import OURS

ROOT = Path(__file__).resolve().parents[1]
SURVEYS = sorted(f for f in (Path(__file__).parent / "switchcost" / "surveys").rglob("*") if f.is_file())
BITS = (b",", b";", b'"', b"\n", b"\x00", b"\xff\xfe", b"1,234", b"99", b"inf", b"1e400", b"\xc3\xa4", b"=cmd|", b"\r")
OPTIONS: tuple[dict, ...] = (
    {}, {}, {}, {"sep": ","}, {"sep": ";"}, {"sep": ""}, {"sep": 3}, {"sep": "\n"}, {"decimal": ","}, {"thousands": "."},
    {"missing": [99]}, {"missing": [None]}, {"drop": ["sat1"]}, {"attention": {"sat1": 3}}, {"min_seconds": 5},
    {"min_seconds": "x"}, {"keep": "all"}, {"keep": 1}, {"encoding": "utf-8"}, {"encoding": "klingon"}, {"sheet": "x"},
)  # fmt: skip


def spoil(raw: bytes, rng: random.Random) -> bytes:
    """The bytes of a file with a few of them changed, lost, doubled or cut off."""
    out = bytearray(raw[: rng.choice((300, 2_000, 10_000))])
    for _ in range(rng.choice((0, 1, 5, 30))):
        at = rng.randrange(len(out)) if out else 0
        kind = rng.random()
        if kind < 0.4 and out:
            out[at] = rng.randrange(256)
        elif kind < 0.6:
            del out[at : at + rng.randrange(1, 40)]
        elif kind < 0.8:
            out[at:at] = rng.choice(BITS)
        else:
            out[at:at] = out[max(0, at - 50) : at]
    return bytes(out)


def outcome(call) -> str:
    """``value`` or ``error``; an error of ours is one sentence, and any other exception fails the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            call()
        except OURS as error:
            assert str(error) and "\n" not in str(error) and len(str(error)) < 600, str(error)
            return "error"
    return "value"


@pytest.mark.parametrize("seed", range(8))
def test_spoiled_survey_files(seed, tmp_path):
    rng = random.Random(seed)
    for k in range(40):
        source = rng.choice(SURVEYS)
        file = tmp_path / f"{k}{rng.choice([source.suffix] * 6 + ['.csv', '.sav', '.dta', '.xlsx'])}"
        file.write_bytes(spoil(source.read_bytes(), rng))
        options = rng.choice(OPTIONS)
        outcome(lambda f=file, o=options: sc.read_survey(f, **o))


CELLS = (
    "", " ", "x", "1", "-1", "1.5", "1,5", "nan", "inf", "yes", "Variable", "sat1", "SAT1 ", "low", None, np.nan, 3, -99, 1e308, True
)  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_spoiled_codebooks(seed):
    rng = random.Random(100 + seed)
    good = sc.codebook("mobi")
    for _ in range(50):
        book = good.astype(object).head(rng.choice((0, 1, 24)))
        for _ in range(rng.choice((1, 4))):
            if len(book) and rng.random() < 0.6:
                book.iloc[rng.randrange(len(book)), rng.randrange(book.shape[1])] = rng.choice(CELLS)
            elif rng.random() < 0.5:
                book = book.drop(columns=rng.choice(list(book.columns)))
            else:
                book.columns = [
                    rng.choice(("low", "x", "Low ", "lable_en", 3)) if rng.random() < 0.1 else c for c in book
                ]
            if book.shape[1] < 2:
                break
        outcome(lambda b=book: sc.codebook(b))


@pytest.mark.parametrize("seed", range(4))
def test_spoiled_frames_in_the_audit(seed):
    rng = random.Random(200 + seed)
    good = sc.load("mobi")
    for _ in range(25):
        data = good.iloc[: rng.choice((0, 1, 2, 12, 60)), : rng.choice((1, 3, 9, 24))].astype(object)
        for _ in range(rng.choice((1, 5, 20))):
            if len(data):
                data.iloc[rng.randrange(len(data)), rng.randrange(data.shape[1])] = rng.choice(
                    (*CELLS, pd.Timestamp("2025-01-01"), np.inf)
                )
        data = data.infer_objects()
        outcome(lambda d=data: sc.audit(d, draws=1_000))


# -- every public function, one argument spoiled: benchmarks/bad_inputs.py, in a sample ------------------------------
def _benchmark(name="bad_inputs"):
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


PARTS, PER_PART = 6, 110


@pytest.mark.parametrize("part", range(PARTS))
def test_bad_arguments_of_every_public_function(part):
    """660 of the cases, the functions taking turns; ``python benchmarks/bad_inputs.py`` runs all."""
    bad = _benchmark()
    chosen = bad.sample(PARTS * PER_PART)[part::PARTS]
    faults = [o for o in (bad.run_case(case) for case in chosen) if o.is_fault]
    assert len(chosen) == PER_PART and faults == []


def test_every_public_function_is_called():
    """Names of both packages that are functions stand in the harness, but those that take no argument."""
    import semfit

    known = {name.split(" ")[0] for name in _benchmark().calls()}
    for package, prefix in (
        (sc, "sc."),
        (semfit, "semfit."),
        (sc.simulate, "sc.simulate."),
        (sc.plots, "sc.plots."),
        (sc.power, "sc.power."),
    ):
        for name in getattr(package, "__all__", [n for n in dir(package) if not n.startswith("_")]):
            thing = getattr(package, name)
            own = getattr(thing, "__module__", "").startswith(("switchcost", "semfit"))
            if own and callable(thing) and not isinstance(thing, type) and name not in NOTHING_TO_SPOIL:
                assert prefix + name in known or f"sc.{name}" in known, prefix + name


NOTHING_TO_SPOIL = {"datasets", "directions", "wanted", "scoreboard", "chinese_font", "write"}  # the last writes files


def test_the_harness_tells_a_fault_when_it_sees_one():
    bad = _benchmark()
    call = bad.calls()["sc.kmo"]

    def outcome_of(function, what):
        broken = bad.Call("sc.kmo", function, call.good)
        return bad.run(broken, {"data": (what, *next((v, m) for _, w, v, m in call.bad() if w == what))}).outcome

    assert outcome_of(call.function, "infinite") == "error"
    assert outcome_of(lambda data: 1 / 0, "infinite") == "ZeroDivisionError"
    assert outcome_of(lambda data: call.function(call.good["data"]), "infinite") == "accepted"
    assert outcome_of(lambda data: float("nan"), "half missing") == "NaN unsaid"
    assert outcome_of(lambda data: 0.5, "numbers as text") == "another value"


# -- values that must not move ----------------------------------------------------------------------------------------
RELATIONS = [
    lambda d: sc.kmo(d[_benchmark().ITEMS]).overall,
    lambda d: sc.reliability(d, _benchmark().SCALES)[["alpha_std", "omega"]].to_numpy(),
    lambda d: sc.htmt(d, _benchmark().SCALES).table.select_dtypes("number").to_numpy(),
    lambda d: sc.fit(_benchmark().MODEL, d).measures[["chisq", "cfi", "rmsea", "srmr"]].to_numpy(),
    lambda d: sc.efa(d[_benchmark().ITEMS], 3).communalities.loc[_benchmark().ITEMS].to_numpy(),
    lambda d: sc.moderate(d, y="y", x="scoreA", moderator="scoreB").coefficients["t"].iloc[-1],
    lambda d: sc.pls(d, {"A": ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"]}, "B ~ A").paths["estimate"].to_numpy(),
]


@pytest.mark.parametrize("value", RELATIONS, ids=["kmo", "reliability", "htmt", "fit", "efa", "moderate", "pls"])
def test_units_order_and_storage_do_not_matter(value):
    data = _benchmark().answers()
    want = value(data)
    for change in (
        lambda d: d[list(d.columns)[::-1]],
        lambda d: d.sample(frac=1, random_state=3),
        lambda d: d.assign(**{c: d[c] * 1000 for c in d.select_dtypes("number")}),
        lambda d: d.assign(unrelated=1.0, words="x"),
        lambda d: d.astype({c: object for c in d.select_dtypes("number")}),
    ):
        np.testing.assert_allclose(value(change(data)), want, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: sc.power.simulated_power(100, 0.2, skew=1e308), "skew must be a number between -100 and 100"),
        (lambda d: sc.composite_reliability([0.7, 0.8], factor_variance=1e308), "factor_variance must be"),
        (lambda d: sc.check_table(pd.DataFrame({"b": [0.3]}), scale=(5, 1)), "scale is the lowest and the highest"),
        (lambda d: sc.check_table(pd.DataFrame({"b": [0.3]}), scale=["a", "b"]), "scale is the lowest and the highest"),
        (lambda d: semfit.polychoric(d.assign(a=[[1]] * len(d))), "column 'a' holds list objects"),
        (lambda d: sc.chapter.results_chapter(d, d, {}, language=["en"]), "language"),
    ],
)
def test_what_the_long_run_found(call, message):
    data = pd.DataFrame({"a": range(40), "b": [1, 2] * 20})
    with pytest.raises(OURS, match=message):
        call(data)


# -- inputs that once gave a wrong number or an unclear message: benchmarks/robustness.py --------------------------
REVIEW = _benchmark("robustness")


@pytest.mark.parametrize(
    ("right", "call"),
    [pytest.param(right, call, id=f"{at}: {' '.join(what.split())[:60]}") for at, what, right, call in REVIEW.CASES],
)
def test_what_once_went_wrong(right, call):
    came, wanted = REVIEW.run(call, right)
    assert wanted, f"wanted {right}, and got {came}"
