"""Inputs that once gave wrong numbers or unclear messages, and what each gives now.

    python benchmarks/robustness.py        writes robustness.csv: input, what is right, outcome

The outcome is the value in short, or the class and sentence of the error.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import semfit
import switchcost as sc
from switchcost.core.errors import OURS

rng = np.random.default_rng(5)
F = rng.normal(size=(300, 3)) @ np.linalg.cholesky([[1, 0.5, 0.3], [0.5, 1, 0.4], [0.3, 0.4, 1]]).T
NAMES = [f"{s}{k}" for s in "abc" for k in (1, 2, 3)]
D = pd.DataFrame(np.repeat(F, 3, axis=1) + 0.8 * rng.normal(size=(300, 9)), columns=NAMES)
D["y"] = F[:, 0] + rng.normal(size=300)
D["g"] = np.where(rng.random(300) < 0.5, "p", "q")
MODEL = "A =~ a1 + a2 + a3\nB =~ b1 + b2 + b3\nC =~ c1 + c2 + c3"
ASYMMETRIC = pd.DataFrame([[1, 0.5, 0.2], [0.1, 1, 0.3], [0.2, 0.3, 1]], NAMES[:3], NAMES[:3])


def read(text: str, encoding: str = "utf-8", **options: Any) -> pd.DataFrame:
    """A file with this text, read as a survey."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.csv"
        path.write_bytes(text.encode(encoding))
        return sc.read_survey(path, **options)


def moments(order: tuple[str, str]) -> dict:
    """Covariances, means and sizes of two groups, the dicts of means and sizes in the order asked for."""
    parts = {g: D.loc[D["g"] == g, NAMES[:3]] for g in ("p", "q")}
    return {
        "sample_cov": {g: x.cov() for g, x in parts.items()},
        "sample_mean": {g: parts[g].mean() for g in order},
        "n_obs": {g: len(parts[g]) for g in order},
    }


def chisq(**options: Any) -> float:
    """Chi-square of one factor with equal loadings and intercepts."""
    return float(semfit.fit("A =~ a1 + a2 + a3", group_equal=("loadings", "intercepts"), **options).measures["chisq"])


def units(factor: float, columns: list[str]) -> float:
    """Chi-square with some columns in another unit."""
    return float(semfit.fit(MODEL, D.assign(**{c: D[c] * factor for c in columns})).measures["chisq"])


CASES: list[tuple[str, str, str, Callable[[], Any]]] = [
    ("S1", 'bills 950, "1,234", "12,345"', "a question or 1234", lambda: read('id,bill\n1,950\n2,"1,234"\n3,"12,345"\n')["bill"].tolist()),
    ("S1", "the same with thousands=','", "950, 1234, 12345", lambda: read('id,bill\n1,950\n2,"1,234"\n3,"12,345"\n', thousands=",")["bill"].tolist()),
    ("S2", "ids of 20 digits", "kept apart", lambda: read("sim,x\n18446744073709551615,1\n18446744073709551614,2\n18446744073709551613,3\n")["sim"].nunique()),
    ("S3", "a trailing comma in each row", "an error with the line, or the right columns", lambda: read("from,to,beta\nA,B,0.50,\nA,C,0.10,\n")),
    ("S4", "groups as dicts in either order", "one chi-square", lambda: [round(chisq(**moments(o)), 6) for o in (("p", "q"), ("q", "p"))]),
    ("S4", "a group of n_obs that has no matrix", "an error that names it", lambda: chisq(**moments(("p", "q")) | {"n_obs": {"x": 100, "y": 200}})),
    ("S6", 'missing="99"', "an error", lambda: read("a,b\n9,1\n2,2\n99,3\n4,1\n", missing="99")["a"].tolist()),
    ("S7", "missing=[99] where gaps make 99.0", "99 is a gap", lambda: read("a,b\n9,1\n,2\n99,3\n4,1\n", missing=[99])["a"].tolist()),
    ("S8", "a covariate of numbers stored as text", "one coefficient", lambda: len(sc.moderate(D.assign(age=D["c1"].map(repr)), y="y", x="a1", moderator="b1", covariates=["age"]).coefficients)),
    ("S8", "a covariate of dates", "an error", lambda: sc.moderate(D.assign(t=pd.Timestamp("2025-01-01")), y="y", x="a1", moderator="b1", covariates=["t"])),
    ("S9", "a table with a name twice", "both columns", lambda: sc.tables.table(pd.DataFrame([[1, 2]], columns=["r", "r"])).cells().shape[1]),
    ("S10", "größe in Latin-1", "größe", lambda: list(read("größe,créée\n1,2\n2,1\n3,3\n", "latin-1").columns)),
    ("S10", "euro sign in cp1252", "bill in €", lambda: list(read("bill in €,x\n1,2\n2,1\n3,3\n", "cp1252").columns)),
    ("S11", "reliability of a matrix that is not symmetric", "an error", lambda: sc.reliability(ASYMMETRIC, {"s": NAMES[:3]}, n_obs=100)),
    ("S11", "htmt of a matrix with a negative variance", "an error", lambda: sc.htmt(D[NAMES].cov().mul(np.where(np.eye(9) > 0, -1, 1)), {"A": NAMES[:3], "B": NAMES[3:6]}, n_obs=100)),
    ("S11", "bartlett with n_obs=0", "an error", lambda: sc.bartlett(D[NAMES].corr(), n_obs=0)),
    ("S12", "complex answers", "an error", lambda: sc.kmo(D[NAMES].astype(complex) + 1j)),
    ("S12", "lengths of time", "an error", lambda: sc.kmo(D[NAMES].apply(pd.to_timedelta, unit="D"))),
    ("S13", "product_n(nan)", "an error", lambda: sc.power.product_n(float("nan"))),
    ("S13", "detectable(nan)", "an error", lambda: sc.power.detectable(float("nan"))),
    ("S13", "product_power(n=None)", "an error", lambda: sc.power.product_power(None, 0.2)),
    ("S13", "n_predictors=2.5", "an error", lambda: sc.power.product_power(100, 0.2, n_predictors=2.5)),
    ("S13", "r_xm=1.5", "an error", lambda: sc.power.simulated_power(100, 0.2, r_xm=1.5)),
    ("S13", "alpha=2", "an error", lambda: sc.power.simulated_power(100, 0.2, alpha=2)),
    ("S13", "item_analysis(low=5, high=1)", "an error", lambda: sc.item_analysis(D, NAMES[:3], low=5, high=1)),
    ("S13", "check_table(scale=(5, 1))", "an error", lambda: sc.check_table(pd.DataFrame({"item": ["a"], "mean": ["3.4"], "sd": ["1.1"], "n": ["20"]}), scale=(5, 1))),
    ("S13", "latent_interaction(level=95)", "an error", lambda: semfit.latent_interaction(MODEL + "\nC ~ A + B", D, x="A", moderator="B", y="C", level=95)),
    ("S14", "a missing code inside its own range", "an error", lambda: sc.codebook(pd.DataFrame({"variable": ["a"], "low": [1], "high": [5], "missing_code": [3]}))),
    ("S15", "x := log(-l)", "NaN with a warning", lambda: semfit.fit("A =~ a1 + l*a2 + a3\nx := log(-l)", D).warnings),
    ("units", "the marker times 1e5, 1e6, 1e7", "one chi-square", lambda: [round(units(f, ["a1"]), 4) for f in (1, 1e5, 1e6, 1e7)]),
    ("units", "all items times 1e9 and 1e-9", "one chi-square", lambda: [round(units(f, NAMES), 4) for f in (1, 1e9, 1e-9)]),
    ("units", "all items times 1e150", "an error", lambda: units(1e150, NAMES)),
    ("converged", "r2 of a fit that did not converge", "an error", lambda: semfit.fit("A =~ a1 + a2\nB =~ b1 + b2\nA ~~ B", D.sample(12, random_state=4)).r2.round(2).tolist()),
    ("FIML", "a copied item", "an error that names it", lambda: semfit.fit(MODEL, D.assign(a2=D["a1"]), missing="fiml")),
    ("FIML", "nine rows", "an error about rows", lambda: semfit.fit(MODEL, D.head(9), missing="fiml")),
    ("escape", "a column named <img> in a moderation", "escaped", lambda: "<img" not in sc.moderate(D.rename(columns={"a1": "<img src=x>"}), y="y", x="<img src=x>", moderator="b1")._repr_html_()),
    ("escape", "a backslash in LaTeX", "escaped", lambda: r"\input" not in sc.tables.table(pd.DataFrame({"a": [1]}), title=r"\input x").to_latex()),
    *(("messages", text, "an error in one sentence", lambda t=text: semfit.fit(t, D)) for text in (
        "A =~ a1 + a2 + a3\nx := " + "(" * 300 + "1" + ")" * 300, "A =~ a1 + l*a2 + a3\nx := l/0", "A =~ a1 + l*a2 + a3\nx := 10^400 * l",
        "a1 ~ 0*1", "A =~ B\nB =~ A", "group: 1\nA =~ a1 + a2 + a3", "m <- 'A =~ a1 + a2 + a3'", 'efa("x")*f =~ a1 + a2', "A =~ a1 + l*a2 + a3\nx := exp")),
    ("messages", "group=['g']", "an error", lambda: semfit.fit(MODEL, D, group=["g"])),
    ("messages", "group=('g',)", "an error", lambda: semfit.fit(MODEL, D, group=("g",))),
    ("messages", "n_boot='x'", "an error", lambda: semfit.fit(MODEL, D).bootstrap("x")),
    ("messages", "lists in cells", "an error", lambda: sc.kmo(D[NAMES].assign(a1=[[1]] * 300))),
    ("messages", "UTF-16 cut within a character", "an error", lambda: sc.read_survey(_cut())),
    ("numbers 3", "interaction of a three-way model at a 0/1 second moderator", "bounds at 0 and at 1", lambda: sc.moderate(D.assign(k=(D["g"] == "p") * 1.0), y="y", x="a1", moderator="b1", second_moderator="k").johnson_neyman().second),
    ("numbers 7", "an unknown word in group_equal", "an error with a suggestion", lambda: semfit.fit(MODEL, D, group="g", group_equal="loading")),
]  # fmt: skip


def _cut() -> Path:
    path = Path(tempfile.mkdtemp()) / "cut.csv"
    path.write_bytes("größe,x\n1,2\n".encode("utf-16")[:-1])
    return path


def outcome(call: Callable[[], Any]) -> str:
    """What came: the value in short, the notes said, or the error."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            value = call()
        except OURS as error:
            return f"{type(error).__name__}: {error}"
        except Exception as error:
            return f"FAULT {type(error).__name__}: {' '.join(str(error).split())[:150]}"
    text = " ".join(repr(value).split())[:160]
    return text + (f"; note: {' '.join(str(told[0].message).split())[:120]}" if told else "")


if __name__ == "__main__":
    table = pd.DataFrame(
        [(place, " ".join(what.split())[:80], right, outcome(call)) for place, what, right, call in CASES],
        columns=["finding", "input", "right", "outcome"],
    )
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False)
    print(table[table["outcome"].str.startswith("FAULT")].to_string())
