"""Write the simulated data sets with their codebooks and READMEs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ..data.registry import data_dir, register
from .answers import survey
from .bills import usage
from .market import stored_truth
from .moments import observe_population


# --- files -----------------------------------------------------------------------------------------------------
def _survey_codebook(t: Mapping, data: pd.DataFrame) -> pd.DataFrame:
    dimension = {f: d for d, facets in t["dimensions"].items() for f in facets}
    scale_source = "simulated; own wording after the construct in Burnham, Frels & Mahajan (2003)"
    rows = []
    for name, spec in t["items"].items():
        latent = "service quality, perceived" if len(spec["loads"]) > 1 else next(iter(spec["loads"]))
        latent = {"expectations": "service quality, expected"}.get(latent, latent)
        if name == "osat":
            latent = "overall satisfaction"
        rows.append(
            {
                "variable": name,
                "construct": latent,
                "label_en": spec["label_en"],
                "label_zh": spec["label_zh"],
                "low": 1,
                "high": len(spec["thresholds"]) + 1,
                "reverse": int(spec["reverse"]),
                "missing_code": "",
                "source": scale_source if latent in dimension else "simulated; own wording",
                "facet": latent if latent in dimension else "",
                "dimension": dimension.get(latent, ""),
            }
        )
    labels = {
        "operator": ("Operator: A, B or C", "运营商：A、B 或 C"),
        "contract": (
            "Type of contract: prepaid or contract",
            "合约类型：预付费（prepaid）或合约（contract）",
        ),
        "tenure": ("Months with the operator", "在网月数"),
        "spend": ("Spending on the operator's services, money per month", "每月在该运营商的消费金额"),
        "age": ("Age in years", "年龄（岁）"),
        "gender": ("Gender: female or male", "性别：女（female）或男（male）"),
    }
    for name, (en, zh) in labels.items():
        spec = t["background"].get(name, {})
        rows.append(
            {
                "variable": name,
                "construct": "group" if name in ("operator", "contract", "gender") else "background",
                "label_en": en,
                "label_zh": zh,
                "low": spec.get("low", ""),
                "high": spec.get("high", ""),
                "reverse": 0,
                "missing_code": "",
                "source": "simulated",
                "facet": "",
                "dimension": "",
            }
        )
    return pd.DataFrame(rows)


def _usage_codebook() -> pd.DataFrame:
    rows = [
        (
            "customer",
            "key",
            "Customer number; customer k is row k of telecom_survey, counted from 1",
            "客户编号；第 k 位客户是 telecom_survey 的第 k 行（从 1 数起）",
            1,
            "",
        ),
        ("month", "time", "Month after the survey", "问卷之后的第几个月", 1, 36),
        (
            "bill",
            "revenue",
            "Bill of the month, money (contract customers; 0 for prepaid)",
            "当月账单金额（合约客户；预付费客户为 0）",
            0,
            "",
        ),
        (
            "topups",
            "revenue",
            "Number of top-ups in the month (prepaid customers; 0 for contract)",
            "当月充值次数（预付费客户；合约客户为 0）",
            0,
            "",
        ),
        ("topup_amount", "revenue", "Money topped up in the month", "当月充值金额", 0, ""),
        (
            "left",
            "departure",
            "1 in the month in which the customer left, otherwise 0",
            "客户在当月离网记 1，否则记 0",
            0,
            1,
        ),
    ]
    book = pd.DataFrame(rows, columns=["variable", "construct", "label_en", "label_zh", "low", "high"])
    return book.assign(reverse=0, missing_code="", source="simulated")


_SURVEY_README = """# telecom_survey (simulated)

**These data are simulated. Nobody was asked.** They are teaching data with a known truth: a survey of {n} customers of a
mobile market with three operators, prepaid and contract. Use them to see what a method finds and what it misses, never
as evidence about customers.

- Rows: {n} respondents. Columns: {k} ({items} items, then operator, contract, tenure in months, spend in money per month,
  age, gender). Items have five points (1 disagree ... 5 agree), `osat` has seven. An empty cell is a missing answer.
- Item names and wording, English and Chinese: `codebook.csv`. Reverse-keyed items are stored as answered;
  `sc.simulate.keyed(data)` turns them round.
- The truth: `truth.json`. Latent variables have mean 0 and variance 1 in the whole market, coefficients are standardised
  and refer to the latent response before it is cut into points. `sc.simulate.parameters()` lists them.
- What ordinary maximum likelihood finds in five-point answers of an endless sample differs a little (cutting
  attenuates). `truth_observed.json` holds the means and covariances of a million fault-free respondents;
  `sc.fit(model, sample_cov=sc.simulate.population(), n_obs=1_000_000)` gives the target for any model.
- Planted faults, with their rows (counted from 0) in `truth.json`: careless respondents, a block entered twice, answers
  missing at random given age, an item that does not load, an item with a shifted intercept between contract types.
- The pattern of the truth follows what is reported on switching costs in mobile markets: procedural costs move neither
  loyalty, financial costs raise both, relational costs lower attitudinal and raise behavioural loyalty, financial
  costs weaken satisfaction -> loyalty. The sizes are ours.
- Written by `python -m switchcost.simulate.files` from `truth.json` with seed {seed}; `--population` writes
  `truth_observed.json` anew.
- The items are our own wording of published constructs (switching-cost facets after Burnham, Frels & Mahajan 2003,
  Journal of the Academy of Marketing Science 31(2), 109-126). Licence: CC BY 4.0.
"""


_USAGE_README = """# telecom_usage (simulated)

**These data are simulated.** They follow the {n} customers of `telecom_survey` for {months} months after the survey:
bills, top-ups, departures.

- Rows: {rows}, one a customer and month, until the month in which the customer leaves (`left` = 1) or month {months}.
  {gone} of {n} customers leave.
- `customer` k is row k of `telecom_survey`, counted from 1. The rows of the survey that were entered twice (see its
  truth file) are an error of the survey only: bills belong to the customer who should stand there.
- Contract customers have a bill, prepaid customers top up in units of 10. Money has no currency.
- The truth: `usage` in `../telecom_survey/truth.json`. Each month a customer leaves with probability 1 - exp(-hazard); the
  log hazard falls with satisfaction, financial and relational switching costs and rises with the attractiveness of
  alternatives, and satisfaction protects less where financial costs are high.
- Written by `python -m switchcost.simulate.files` with seed {seed}. Licence: CC BY 4.0.
"""


def write(folder: str | Path | None = None, population: bool = False) -> list[Path]:
    """Write telecom_survey and telecom_usage (data, codebooks, READMEs) from the truth file; byte-identical each time.

    Parameters
    ----------
    folder : path, optional
        Where the folders ``telecom_survey`` and ``telecom_usage`` are; the project's ``data/simulated`` when None.
    population : bool
        Also work out ``truth_observed.json`` (a million respondents, some seconds).

    Returns
    -------
    list of the files written
    """
    home = data_dir() / "simulated" if folder is None else Path(folder)
    t = stored_truth()
    data = survey()
    follow = usage()
    items = list(t["items"])
    answers = data.copy()
    answers[items] = answers[items].astype("Int64")
    texts = {
        "telecom_survey/telecom_survey.csv": answers.to_csv(index=False, lineterminator="\n"),
        "telecom_survey/codebook.csv": _survey_codebook(t, data).to_csv(index=False, lineterminator="\n"),
        "telecom_survey/README.md": _SURVEY_README.format(
            n=len(data), k=data.shape[1], items=len(items), seed=t["seed"]
        ),
        "telecom_usage/telecom_usage.csv": follow.assign(bill=follow["bill"].map("{:.2f}".format)).to_csv(
            index=False, lineterminator="\n"
        ),
        "telecom_usage/codebook.csv": _usage_codebook().to_csv(index=False, lineterminator="\n"),
        "telecom_usage/README.md": _USAGE_README.format(
            n=len(data),
            months=t["usage"]["months"],
            rows=len(follow),
            gone=int(follow["left"].sum()),
            seed=t["seed"],
        ),
    }
    if population:
        stored = observe_population()
        triangle = ",\n".join("  " + json.dumps(row) for row in stored.pop("cov_lower_triangle"))
        head = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in stored.items())
        texts["telecom_survey/truth_observed.json"] = f'{{\n{head},\n "cov_lower_triangle": [\n{triangle}\n ]\n}}\n'
    paths = []
    for name, text in texts.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
        paths.append(path)
    return paths


def main(argv: Sequence[str] | None = None) -> None:
    """``python -m switchcost.simulate.files [--population]``: write the simulated data sets."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m switchcost.simulate.files", description=main.__doc__)
    parser.add_argument("--population", action="store_true", help="also write truth_observed.json")
    args = parser.parse_args(argv)
    for path in write(population=args.population):
        print(f"data/simulated/{path.parent.name}/{path.name}  {path.stat().st_size:,} bytes")
    register()  # the checksums that sc.load compares with


if __name__ == "__main__":
    main()
