"""Write the simulated data sets with their codebooks and READMEs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from switchcost.data.registry import data_dir, register

from .answers import survey
from .bills import usage
from .moments import observe_population
from .worlds import stored_truth

TEMPLATES = Path(__file__).parent / "templates"  # what the READMEs and codebooks say in words


def _survey_codebook(t: Mapping) -> pd.DataFrame:
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
    background = pd.read_csv(TEMPLATES / "background_codebook.csv", dtype=str, keep_default_na=False)
    return pd.concat([pd.DataFrame(rows), background], ignore_index=True)


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
        "telecom_survey/codebook.csv": _survey_codebook(t).to_csv(index=False, lineterminator="\n"),
        "telecom_survey/README.md": (TEMPLATES / "telecom_survey.md")
        .read_text(encoding="utf-8")
        .format(n=len(data), k=data.shape[1], items=len(items), seed=t["seed"]),
        "telecom_usage/telecom_usage.csv": follow.assign(bill=follow["bill"].map("{:.2f}".format)).to_csv(
            index=False, lineterminator="\n"
        ),
        "telecom_usage/codebook.csv": (TEMPLATES / "telecom_usage_codebook.csv").read_text(encoding="utf-8"),
        "telecom_usage/README.md": (TEMPLATES / "telecom_usage.md")
        .read_text(encoding="utf-8")
        .format(
            n=len(data), months=t["usage"]["months"], rows=len(follow), gone=int(follow["left"].sum()), seed=t["seed"]
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
    """``python -m simmarket.files [--population]``: write the simulated data sets."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m simmarket.files", description=main.__doc__)
    parser.add_argument("--population", action="store_true", help="also write truth_observed.json")
    args = parser.parse_args(argv)
    for path in write(population=args.population):
        print(f"data/simulated/{path.parent.name}/{path.name}  {path.stat().st_size:,} bytes")
    register()  # the checksums that sc.load compares with


if __name__ == "__main__":
    main()
