"""Inputs that once gave wrong numbers or unclear messages, and what each gives now.

    python benchmarks/robustness.py        writes robustness.csv: input, what is right, outcome, whether it is as wanted

The outcome is the value in short, or the class and sentence of the error. ``right`` is compared with it: "an error that
says ..." wants an error of ours with these words, anything else the value itself. tests/test_bad_inputs.py runs all of it.
Of the first review's findings four stand elsewhere, because they need a spoiled copy of the data or a process of their
own: the checksum guard (S5: tests/switchcost/test_data.py), a broken study folder (tests/papercheck/test_scoreboard.py),
interruptions and full disks (interruptions.py), a file of 200 MB and one of 20,000 columns (tests/surveychapter/).
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


ERROR = "an error that says "
SCALES = {"A": NAMES[:3], "B": NAMES[3:6]}
OVER_ONE = D[NAMES].corr().mask(D[NAMES].corr() < 0.3, 1.2)
CHINESE = "性别,满意度\n1,2\n2,1\n3,3\n"
FIVE = pd.DataFrame(np.clip(np.round(D[NAMES] + 3), 1, 5))
UNDER = semfit.fit("A =~ a1 + a2 + a3", D)
CASES: list[tuple[str, str, Any, Callable[[], Any]]] = [
    ("S1", 'bills 950, "1,234", "12,345"', ERROR + "thousands", lambda: read('id,bill\n1,950\n2,"1,234"\n3,"12,345"\n')),
    ("S1", "the same with thousands=','", [950, 1234, 12345], lambda: read('id,bill\n1,950\n2,"1,234"\n3,"12,345"\n', thousands=",")["bill"].tolist()),
    ("S1", "950;1.234;12.345 in a file with semicolons", ERROR + "thousands", lambda: read("id;bill\n1;950\n2;1.234\n3;12.345\n")),
    ("S2", "ids of 20 digits", 3, lambda: read("sim,x\n18446744073709551615,1\n18446744073709551614,2\n18446744073709551613,3\n")["sim"].nunique()),
    ("S2", "ids of 19 digits with a gap", 2, lambda: read("sim,x\n1844674407370955161,1\n,2\n1844674407370955162,3\n")["sim"].nunique()),
    ("S3", "a trailing comma in each row", [0.5, 0.1], lambda: read("from,to,beta\nA,B,0.50,\nA,C,0.10,\n")["beta"].tolist()),
    ("S3", "one row with a field too many", ERROR + "line 3", lambda: read("from,to,beta\nA,B,0.50\nA,C,0.10,7\n")),
    ("S4", "groups as dicts in either order", True, lambda: abs(chisq(**moments(("p", "q"))) - chisq(**moments(("q", "p")))) < 1e-9),
    ("S4", "a group of n_obs that has no matrix", ERROR + "'x', 'y'", lambda: chisq(**moments(("p", "q")) | {"n_obs": {"x": 100, "y": 200}})),
    ("S6", 'missing="99"', [9.0, 2.0, "gap", 4.0], lambda: gaps(read("a,b\n9,1\n2,2\n99,3\n4,1\n", missing="99")["a"])),
    ("S7", "missing=[99] where gaps make 99.0", [9.0, "gap", "gap", 4.0], lambda: gaps(read("a,b\n9,1\n,2\n99,3\n4,1\n", missing=[99])["a"])),
    ("S7", "missing=[-99] in a column with decimal commas", [3.5, "gap", 4.0], lambda: gaps(read("a;b\n3,5;1\n-99,0;2\n4,0;3\n", missing=[-99])["a"])),
    ("S7", "missing=[9999999]", [3.0, "gap", 4.0], lambda: gaps(read("a,b\n3,1\n9999999,2\n4,3\n", missing=[9999999])["a"])),
    ("S8", "a covariate of numbers stored as text", 5, lambda: len(moderated(D.assign(age=D["c1"].map(repr)), ["age"]).coefficients)),
    ("S8", "a covariate of numbers stored as a category", 5, lambda: len(moderated(D.assign(age=D["c1"].round().astype("category")), ["age"]).coefficients)),
    ("S8", "a covariate of dates", ERROR + "dates", lambda: moderated(D.assign(t=pd.Timestamp("2025-01-01")), ["t"])),
    ("S8", "a covariate named as the product", ERROR + "a1:b1", lambda: moderated(D.assign(**{"a1:b1": D["c1"]}), ["a1:b1"])),
    ("S9", "a table with a name twice", 2, lambda: sc.tables.table(pd.DataFrame([[1, 2]], columns=["r", "r"])).cells().shape[1]),
    ("S9", 'a table with the columns 1 and "1"', 2, lambda: sc.tables.table(pd.DataFrame([[1, 2]], columns=[1, "1"])).cells().shape[1]),
    ("S10", "größe in Latin-1", ["größe", "créée"], lambda: list(read("größe,créée\n1,2\n2,1\n3,3\n", "latin-1").columns)),
    ("S10", "euro sign in cp1252", ["bill in €", "x"], lambda: list(read("bill in €,x\n1,2\n2,1\n3,3\n", "cp1252").columns)),
    ("S10", "Chinese headings in GB 18030", ["性别", "满意度"], lambda: list(read(CHINESE, "gb18030").columns)),
    ("S10", "UTF-16 cut within a character", ERROR + "cut", lambda: sc.read_survey(_cut())),
    ("S11", "reliability of a matrix that is not symmetric", ERROR + "not symmetric", lambda: sc.reliability(ASYMMETRIC, {"s": NAMES[:3]}, n_obs=100)),
    *(("S11", f"reliability of a matrix with n_obs={n}", ERROR + "n_obs", lambda n=n: sc.reliability(D[NAMES].corr(), SCALES, n_obs=n)) for n in (0, -1, 1)),
    ("S11", "htmt of a matrix that is not symmetric", ERROR + "not symmetric", lambda: sc.htmt(D[NAMES].corr() + np.triu(np.full((9, 9), 0.1), 1), SCALES, n_obs=100)),
    ("S11", "htmt of correlations above 1", ERROR + "correlate at 1.2", lambda: sc.htmt(OVER_ONE.mask(np.eye(9) > 0, 1.0), SCALES, n_obs=100)),
    ("S11", "htmt of a matrix with a gap", ERROR + "", lambda: sc.htmt(D[NAMES].corr().mask(np.eye(9) > 0), SCALES, n_obs=100)),
    ("S11", "htmt of a matrix with a negative variance", ERROR + "not positive", lambda: sc.htmt(D[NAMES].cov().mul(np.where(np.eye(9) > 0, -1, 1)), SCALES, n_obs=100)),
    ("S11", "bartlett with n_obs=0", ERROR + "n_obs", lambda: sc.bartlett(D[NAMES].corr(), n_obs=0)),
    ("S12", "complex answers", ERROR + "complex", lambda: sc.kmo(D[NAMES].astype(complex) + 1j)),
    ("S12", "lengths of time", ERROR + "lengths of time", lambda: sc.kmo(D[NAMES].apply(pd.to_timedelta, unit="D"))),
    ("S13", "product_n(nan)", ERROR + "beta", lambda: sc.power.product_n(float("nan"))),
    ("S13", "detectable(nan)", ERROR + "n must be", lambda: sc.power.detectable(float("nan"))),
    ("S13", "product_power(n=None)", ERROR + "n must be", lambda: sc.power.product_power(None, 0.2)),
    *(("S13", f"n_predictors={k}", ERROR + "n_predictors", lambda k=k: sc.power.product_power(100, 0.2, n_predictors=k)) for k in (0, -1, 2.5)),
    *(("S13", f"simulated_power({k}={v})", ERROR + k, lambda k=k, v=v: sc.power.simulated_power(100, **{"beta": 0.2, k: v}))
      for k, v in (("r_xm", 1.5), ("alpha", 2), ("n_items", 0), ("points", 1), ("beta", float("nan")))),
    ("S13", "item_analysis(low=5, high=1)", ERROR + "low=5 and high=1", lambda: sc.item_analysis(D, NAMES[:3], low=5, high=1)),
    ("S13", "check_table(scale=(5, 1))", ERROR + "(5, 1)", lambda: sc.check_table(pd.DataFrame({"item": ["a"], "mean": ["3.4"], "sd": ["1.1"], "n": ["20"]}), scale=(5, 1))),
    ("S13", "latent_interaction(level=95)", ERROR + "0.95", lambda: semfit.latent_interaction(MODEL + "\nC ~ A + B", D, x="A", moderator="B", y="C", level=95)),
    ("S14", "a missing code inside its own range", ERROR + "inside its range", lambda: sc.codebook(pd.DataFrame({"variable": ["a"], "low": [1], "high": [5], "missing_code": [3]}))),
    *(("S15", f"x := {f}(-l)", True, lambda f=f: "NaN" in semfit.fit(f"A =~ a1 + l*a2 + a3\nx := {f}(-l)", D).warnings[0]) for f in ("log", "sqrt")),
    ("units", "the marker times 1e5, 1e6, 1e7", 1, lambda: len({round(units(f, ["a1"]), 4) for f in (1, 1e5, 1e6, 1e7)})),
    ("units", "all items times 1e9 and 1e-9", 1, lambda: len({round(units(f, NAMES), 4) for f in (1, 1e9, 1e-9)})),
    ("units", "a ladder with the marker times 1e6", True, lambda: np.allclose(*(ladder(f) for f in (1, 1e6)), rtol=1e-5)),
    ("units", "all items times 1e150", ERROR + "another unit", lambda: units(1e150, NAMES)),
    *(("converged", f"{name} of a fit that did not converge", ERROR + "converge", lambda f=f: f(stopped())) for name, f in (
        ("r2", lambda s: s.r2), ("factor_scores()", lambda s: s.factor_scores()), ("standardized()", lambda s: s.standardized()))),
    ("FIML", "a copied item", ERROR + "a1", lambda: semfit.fit(MODEL, D.assign(a2=D["a1"]), missing="fiml")),
    ("FIML", "nine rows", ERROR + "more rows", lambda: semfit.fit(MODEL, D.head(9), missing="fiml")),
    ("escape", "a column named <img> in a moderation", True, lambda: "<img" not in sc.moderate(D.rename(columns={"a1": "<img src=x>"}), y="y", x="<img src=x>", moderator="b1")._repr_html_()),
    ("escape", "a column named <img> in Markdown", True, lambda: r"\<img src=x\>" in sc.tables.table(pd.DataFrame({"<img src=x>": [1]})).to_markdown()),
    ("escape", "a bar in a heading of Markdown", True, lambda: r"a\|b" in sc.tables.table(pd.DataFrame({"a|b": [1]})).to_markdown()),
    ("escape", "a backslash in LaTeX", True, lambda: r"\input" not in sc.tables.table(pd.DataFrame({"a": [1]}), title=r"\input x").to_latex()),
    ("escape", "a control character in a title of Word, shown as a sign", True, lambda: "a\u2401b" in _title("a\x01b")),
    *(("messages", text, ERROR + words, lambda t=text: semfit.fit(t, D)) for text, words in (
        ("A =~ a1 + a2 + a3\nx := " + "(" * 300 + "1" + ")" * 300, "line 2"), ("A =~ a1 + l*a2 + a3\nx := l/0", "division by zero"),
        ("A =~ a1 + l*a2 + a3\nx := 10^400 * l", "finite"), ("A =~ B\nB =~ A", "latents only"),
        ("group: 1\nA =~ a1 + a2 + a3", "blocks"), ("m <- 'A =~ a1 + a2 + a3'", "assignment"),
        ('efa("x")*f =~ a1 + a2', "exploratory"), ("A =~ a1 + l*a2 + a3\nx := exp", "needs an argument"))),
    ("messages", "a1 ~ 0*1", 0.0, lambda: float(semfit.fit("a1 ~ 0*1", D).estimates.query("op == '~1'")["est"].iloc[0])),
    ("messages", "20,000 empty lines in a model", True, lambda: semfit.fit("A =~ a1 + a2" + "\n" * 20_000 + "A =~ a3", D).converged),
    ("messages", "group=['g']", ERROR + "group", lambda: semfit.fit(MODEL, D, group=["g"])),
    ("messages", "group=('g',)", ERROR + "group", lambda: semfit.fit(MODEL, D, group=("g",))),
    *(("messages", f"n_boot={v!r}", ERROR + "n_boot", lambda v=v: UNDER.bootstrap(v)) for v in ("x", None)),
    ("messages", "n_obs='x'", ERROR + "n_obs", lambda: semfit.fit(MODEL, sample_cov=D[NAMES].cov(), n_obs="x")),
    ("messages", "a name twice in sample_mean", ERROR + "a1", lambda: semfit.fit("A =~ a1 + a2 + a3", sample_cov=D[NAMES[:3]].cov(), n_obs=300, sample_mean=pd.Series([1.0, 2, 3, 4], ["a1", "a1", "a2", "a3"]))),
    ("messages", "lists in cells", ERROR + "a1", lambda: sc.kmo(D[NAMES].assign(a1=[[1]] * 300))),
    ("messages", "a 7 on an item from 1 to 5, found by the audit with a codebook", True, lambda: sc.audit(FIVE.assign(a1=FIVE["a1"].where(FIVE.index > 0, 7)), pd.DataFrame({"variable": NAMES, "low": 1, "high": 5})).table["detail"].str.contains("a1 holds 7").any()),
    ("messages", "answers of 888, found by the audit without a codebook", True, lambda: sc.audit(FIVE.assign(a1=FIVE["a1"].where(FIVE.index > 3, 888))).table["detail"].str.contains("888").any()),
    ("numbers 3", "interaction of a three-way model at a 0/1 second moderator", (0.0, 1.0), lambda: sc.moderate(D.assign(k=(D["g"] == "p") * 1.0), y="y", x="a1", moderator="b1", second_moderator="k").johnson_neyman().second),
    ("numbers 7", "an unknown word in group_equal", ERROR + "'loadings'", lambda: semfit.fit(MODEL, D, group="g", group_equal="loading")),
]  # fmt: skip


def gaps(column: pd.Series) -> list:
    """The values, with a word where there is none."""
    return ["gap" if pd.isna(v) else float(v) for v in column]


def moderated(data: pd.DataFrame, covariates: list[str]) -> Any:
    """A moderation with covariates."""
    return sc.moderate(data, y="y", x="a1", moderator="b1", covariates=covariates)


def ladder(factor: float) -> np.ndarray:
    """Chi-squares of an invariance ladder with the first item in another unit."""
    return semfit.invariance(MODEL, D.assign(a1=D["a1"] * factor), group="g").table["chisq"].to_numpy()


def stopped() -> Any:
    """A fit that has no optimum: two factors of two items each in fifteen rows of noise."""
    noise = pd.DataFrame(np.random.default_rng(4).normal(size=(15, 4)), columns=["a1", "a2", "b1", "b2"])
    found = semfit.fit("A =~ a1 + a2\nB =~ b1 + b2\nA ~~ B", noise)
    assert not found.converged
    return found


def _cut() -> Path:
    path = Path(tempfile.mkdtemp()) / "cut.csv"
    path.write_bytes("größe,x\n1,2\n".encode("utf-16")[:-1])
    return path


def _title(text: str) -> str:
    """The title of a table as Word gets it."""
    import docx

    path = Path(tempfile.mkdtemp()) / "t.docx"
    sc.tables.table(pd.DataFrame({"a": [1]}), title=text).to_docx(path)
    return docx.Document(str(path)).paragraphs[0].text


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


def as_wanted(right: Any, came: str, value: Any) -> bool:
    """Whether the outcome is what ``right`` says."""
    if isinstance(right, str) and right.startswith(ERROR):
        return "Error: " in came.split(";")[0] and not came.startswith("FAULT") and right.removeprefix(ERROR) in came
    return type(value).__name__ != "NoneType" and bool(value == right)


def run(call: Callable[[], Any], right: Any) -> tuple[str, bool]:
    """Outcome in words, and whether it is as wanted."""
    kept: list[Any] = []
    came = outcome(lambda: kept.append(call()) or kept[0])
    return came, as_wanted(right, came, kept[0] if kept else None)


if __name__ == "__main__":
    table = pd.DataFrame(
        [(place, " ".join(what.split())[:80], right, *run(call, right)) for place, what, right, call in CASES],
        columns=["finding", "input", "right", "outcome", "as wanted"],
    )
    table.to_csv(Path(__file__).with_suffix(".csv"), index=False)
    print(table[~table["as wanted"]].to_string(max_colwidth=150))
    print(f"{table['as wanted'].sum()} of {len(table)} as wanted")
