"""Checks of a printed table against itself: could all of these numbers be true at once?

Printed numbers are rounded. A finding is reported only where *no* unrounded values inside the printed precision
could give what is printed. Every row shows its sum, so that a reader can redo it with a pocket calculator.
"""

from __future__ import annotations

import json

import pandas as pd

from .._core import checks
from .._core.errors import OURS, DataError
from ..data.published import published
from ..data.registry import data_dir
from ..data.sets import datasets
from . import matrices
from .arithmetic import (
    adjusted_r2,
    average_variance,
    average_variance_limit,
    chisq_ratio,
    composite_reliability,
    difference,
    grim,
    interval,
    p_of_test,
    p_value,
    percentage,
    r2_range,
    reliability_order,
    rmsea,
    sd_range,
    stars,
    t_ratio,
)
from .models import (
    absolute_indices,
    baseline,
    chisq_difference,
    correlations,
    degrees_of_freedom,
    r2_from_paths,
    standardisation,
)
from .printed import ORDER, Check, Printed, check_frame, judged


# --- whole tables -------------------------------------------------------------------------------------------------------
def _strings(table: pd.DataFrame) -> pd.DataFrame:
    """A table as text with the decimals of each column: floats take the largest number of decimals in their column."""
    out = {}
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_float_dtype(column):
            filled = column.dropna()
            places = max((len(repr(float(v)).split(".")[1].rstrip("0")) for v in filled), default=0)
            out[name] = ["" if pd.isna(v) else f"{v:.{places}f}" for v in column]
        else:
            out[name] = ["" if pd.isna(v) else str(v).strip() for v in column]
    return pd.DataFrame(out, index=table.index)


def _lower(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns=lambda c: str(c).strip().lower())


def _has(table: pd.DataFrame, *names: str) -> bool:
    return all(n in table.columns for n in names)


def _label(row, name: str, group_column: str = "group") -> str:
    group = f"{row[group_column]}: " if group_column in row and row[group_column] else ""
    path = (
        f"{row['from']} -> {row['to']}"
        if "from" in row and "to" in row
        else str(row.get("construct", row.get("item", "")))
    )
    return f"{name}, {group}{path}".strip(", ")


def check_table(
    table: pd.DataFrame,
    *,
    name: str = "table",
    n: float | dict | None = None,
    scale: tuple[float, float] | None = None,
    items: int | None = None,
    study: str = "",
) -> pd.DataFrame:
    """Run every check that the columns of one printed table allow.

    Parameters
    ----------
    table : DataFrame
        Text as printed, or floats (then a column's decimals are the most that occur in it). Read are these columns, in
        small or capital letters: ``from to b|path se t p p_flag beta``; ``chisq df n rmsea chisq_df nfi cfi tli ifi``;
        ``construct item loading(s) alpha cr ave mean sd``; ``estimate|value ci_lower ci_upper``; ``group``;
        ``test statistic df1 df2 p``; ``r2 adjusted_r2 predictors``; ``first second difference``; ``count n percent``;
        or a square matrix of correlations.
    name : str, default "table"
        What the table is called in the column ``where``.
    n : float or dict, optional
        Sample size, a number or {group: number}.
    scale : (float, float), optional
        Lowest and highest possible answer, for means and standard deviations.
    items : int, optional
        Number of observed variables of the model, for fit indices.

    Returns
    -------
    DataFrame
        One row a check: ``study check where printed recomputed low high verdict arithmetic``, findings first.
        ``low`` and ``high`` bound what unrounded values could give; verdict is ``consistent``, ``inconsistent`` or
        ``not a valid test``.

    Raises
    ------
    ValueError
        No check applies to the columns.

    Examples
    --------
    >>> t = pd.DataFrame({"from": ["Value"], "to": ["Loyalty"], "b": [".30"], "se": [".10"], "t": ["4.10"]})
    >>> check_table(t)["arithmetic"].tolist()
    ['.30 / .10 = 3.000; rounding allows 2.810 to 3.211; printed 4.10']
    """
    table = checks.frame(table, name)
    text = _strings(table)
    rows: list[Check] = []
    names = list(text.columns)
    if len(names) > 1 and set(map(str, text.index)) == set(names):
        text.insert(0, "construct", [str(v) for v in text.index])
        names = list(text.columns)
    if set(text.iloc[:, 0]) == set(names[1:]) and len(names) > 2:
        cells = text[names[1:]].to_numpy().ravel()
        places = max((Printed.read(v).decimals for v in cells if v), default=0)
        return check_frame([correlations(text, places, name)], study)
    text = _lower(text)
    n_of = (lambda g: n.get(g)) if isinstance(n, dict) else (lambda g: n)

    for _, row in text.iterrows():
        size = row.get("n") or n_of(row.get("group", ""))
        filled = {k: v for k, v in row.items() if str(v).strip()}
        rows += _coefficients(filled, _label(row, name), size)
        rows += _fit(filled, f"{name}, {row['group']}" if row.get("group") else name, size, items)
        rows += _answers(filled, name, size, scale)
        rows += _small_sums(filled, _label(row, name), size)
    rows += _measurement(text, name)
    if _has(text, "from", "to", "b", "beta"):
        for group, block in text.groupby("group", sort=False) if "group" in text else [("", text)]:
            finding = standardisation(block, f"{name}, {group}".strip(", "))
            rows += [finding] if finding else []
    if _has(text, "chisq", "df", "group") and len(text) > 1:
        members = [
            {"name": r["group"], "chisq": r["chisq"], "df": r["df"], "n": r.get("n") or n_of(r["group"])}
            for _, r in text.iterrows()
        ]
        rows += [
            chisq_difference(a, b, where=f"{name}, {a['name']} against {b['name']}")
            for i, a in enumerate(members)
            for b in members[i + 1 :]
        ]
    if _has(text, "quantity", "row", "value"):
        rows += _targets(text, name)
    if not rows:
        raise DataError(
            f"no check applies to the columns of {name}: {', '.join(map(str, table.columns))}. "
            "See the docstring of check_table for the columns that are read."
        )
    return check_frame(rows, study)


def _coefficients(row: dict, where: str, size) -> list[Check]:
    """b, SE, t, p, stars and intervals of one line."""
    rows: list[Check] = []
    slope, df = row.get("b") or row.get("path"), float(size) - 2 if size else None
    if slope and {"se", "t"} <= set(row):
        rows.append(t_ratio(slope, row["se"], row["t"], where))
    if {"t", "p"} <= set(row) and "test" not in row:
        rows.append(p_value(row["t"], row["p"], df, where))
    if {"t", "p_flag"} <= set(row):
        rows.append(stars(row["t"], row["p_flag"], df, where))
    if {"ci_lower", "ci_upper"} <= set(row) and (row.get("estimate") or row.get("value") or slope):
        label = " ".join(row[k] for k in ("model", "quantity", "row", "column") if k in row)
        place = f"{where.split(',')[0]}, {label}" if label else where
        estimate = row.get("estimate") or row.get("value") or slope
        rows.append(interval(estimate, row["ci_lower"], row["ci_upper"], place))
    return rows


def _fit(row: dict, where: str, size, items: int | None) -> list[Check]:
    """Chi-square, df, RMSEA and indices of one line."""
    rows: list[Check] = []
    if not {"chisq", "df"} <= set(row):
        return rows
    if "chisq_df" in row:
        rows.append(chisq_ratio(row["chisq"], row["df"], row["chisq_df"], where))
    if "rmsea" in row and size:
        rows.append(rmsea(row["chisq"], row["df"], size, row["rmsea"], where))
    if "p" in row:
        rows.append(p_of_test("chi2", row["chisq"], row["p"], float(row["df"]), where=where))
    given = {k: row[k] for k in ("nfi", "cfi", "tli", "ifi") if k in row}
    if len(given) > 1:
        rows.append(baseline(row["chisq"], row["df"], given, where, items or 80))
    if {"gfi", "agfi"} <= set(row):
        rows.append(absolute_indices(row["df"], row["gfi"], row["agfi"], where))
    return rows


def _answers(row: dict, name: str, size, scale: tuple[float, float] | None) -> list[Check]:
    """Means and standard deviations of whole answers."""
    rows: list[Check] = []
    if "mean" not in row or not size:
        return rows
    where, people = f"{name}, {row.get('item') or row.get('construct', '')}", int(float(size))
    averaged = int(row["items"]) if "items" in row else 1 if "item" in row else None
    found = grim(row["mean"], people, averaged, where) if averaged else None
    rows += [found] if found else []
    if "sd" in row and scale:
        rows.append(sd_range(row["mean"], row["sd"], people, *scale, where))
    return rows


def _small_sums(row: dict, where: str, size) -> list[Check]:
    """Tests with their degrees of freedom, adjusted R2, differences, percentages, CR beside AVE."""
    rows: list[Check] = []
    if {"test", "statistic", "p"} <= set(row):
        df1, df2 = (float(row[k]) if k in row else None for k in ("df1", "df2"))
        df1 = float(row["df"]) if df1 is None and "df" in row else df1
        rows.append(p_of_test(row["test"], row["statistic"], row["p"], df1, df2, where))
    if {"r2", "adjusted_r2", "predictors"} <= set(row) and size:
        rows.append(adjusted_r2(row["r2"], row["adjusted_r2"], float(size), int(row["predictors"]), where))
    if {"first", "second", "difference"} <= set(row):
        rows.append(difference(row["first"], row["second"], row["difference"], where))
    if "percent" in row and size:
        rows.append(percentage(row.get("count", ""), size, row["percent"], where))
    if {"cr", "ave"} <= set(row):
        rows += reliability_order({"cr": row["cr"], "ave": row["ave"]}, where)
        if "items" in row:
            rows.append(average_variance_limit(row["cr"], row["ave"], int(row["items"]), where))
    return rows


def _measurement(text: pd.DataFrame, name: str) -> list[Check]:
    """CR and AVE from loadings, whether one row holds a construct ('.78 .80') or an item."""
    rows: list[Check] = []
    if "construct" not in text or not ({"loadings", "loading"} & set(text.columns)):
        return rows
    for construct, block in text.groupby("construct", sort=False):
        lam = block["loadings"].iloc[0].split() if "loadings" in text else list(block["loading"])
        where, first = f"{name}, {construct}", block.iloc[0]
        if "cr" in text and first["cr"]:
            rows.append(composite_reliability(lam, first["cr"], where))
        if "ave" in text and first["ave"]:
            rows.append(average_variance(lam, first["ave"], where))
    return rows


def _targets(text: pd.DataFrame, name: str) -> list[Check]:
    """Long tables with one line a number: model, quantity, row, column, value."""
    rows: list[Check] = []
    for model, block in text.groupby("model", sort=False) if "model" in text else [("", text)]:
        paths = block[block["quantity"] == "path"]
        for _, line in block[block["quantity"] == "r2"].iterrows():
            slopes = paths.loc[paths["column"] == line["row"], "value"]
            # An interaction's path belongs to the product of standardised scores, whose own SD is not 1.
            product = paths.loc[paths["column"] == line["row"], "row"].str.contains(r"\*").any()
            if len(slopes) and not product:
                rows.append(r2_range(slopes, line["value"], f"{name}, {model} {line['row']}"))
        cr, ave = (block[block["quantity"].str.lower() == q].set_index("row")["value"] for q in ("rhoc", "ave"))
        for construct in cr.index.intersection(ave.index):
            rows += reliability_order({"cr": cr[construct], "ave": ave[construct]}, f"{name}, {model} {construct}")
    return rows


# --- whole studies --------------------------------------------------------------------------------------------------------
def _tables_of(study: str) -> tuple[dict, dict[str, pd.DataFrame]]:
    """Meta data and printed tables of a study; fit, betas and R2 kept in study.json become tables."""
    found = published(study)
    tables = dict(found.printed)
    raw = json.loads((data_dir() / "published" / study / "study.json").read_text(encoding="utf-8"), parse_float=str)
    if "fit" in raw:
        tables["study.json: fit"] = pd.DataFrame([{k: str(v) for k, v in raw["fit"].items()}])
    if "betas" in raw:
        pairs = [(*key.split("->"), str(v)) for key, v in raw["betas"].items()]
        tables["study.json: betas"] = pd.DataFrame(pairs, columns=["from", "to", "beta"])
    if "r2" in raw:
        tables["study.json: r2"] = pd.DataFrame([{"construct": k, "r2": str(v)} for k, v in raw["r2"].items()])
    return found.meta, tables


def check_study(study: str) -> pd.DataFrame:
    """Run every check that the printed tables of a study allow, inside each table and across tables.

    Parameters
    ----------
    study : str
        A folder of ``data/published``, as in ``sc.published``.

    Returns
    -------
    DataFrame as from :func:`check_table`, findings first

    Examples
    --------
    >>> import switchcost as sc
    >>> found = check_study("ha2023")
    >>> found.loc[found["verdict"] == "inconsistent", "where"].tolist()
    ['measurement, ServiceQuality']
    """
    meta, tables = _tables_of(study)
    n = meta.get("n")
    scale = _scale(meta.get("scale", ""))
    frames = []
    for name, table in tables.items():
        try:
            frames.append(check_table(table, name=name, n=n, scale=scale, study=study))
        except OURS as error:
            if "no check applies" not in str(error):
                raise
    rows = _across(tables, n)
    frames.append(check_frame(rows, study))
    out = (
        pd.concat([f for f in frames if len(f)], ignore_index=True)
        if any(len(f) for f in frames)
        else check_frame([], study)
    )
    return out.sort_values("verdict", key=lambda v: v.map(ORDER), kind="stable").reset_index(drop=True)


def _scale(text: str) -> tuple[float, float] | None:
    """``"5-point"`` and ``"1-7; ..."`` as lowest and highest answer."""
    import re

    points = re.match(r"\s*(\d+)-point", str(text))
    if points:
        return 1.0, float(points.group(1))
    span = re.match(r"\s*(\d+)-(\d+)\b", str(text))
    return (float(span.group(1)), float(span.group(2))) if span else None


def _across(tables: dict[str, pd.DataFrame], n) -> list[Check]:
    """Checks that need two tables: paths with R2, paths with correlations, df with items, claims with fits."""
    rows: list[Check] = []
    low = {k: _lower(v) for k, v in tables.items()}
    paths = next(
        (
            v
            for v in low.values()
            if _has(v, "from", "to") and ({"beta", "path"} & set(v.columns)) and ("b" not in v or "beta" in v)
        ),
        None,
    )
    r2 = next(
        ((k, v) for k, v in low.items() if _has(v, "construct") and ({"r2", "r2_percent"} & set(v.columns))),
        None,
    )
    matrix = next((tables[k] for k, v in low.items() if set(v.iloc[:, 0].str.lower()) == set(v.columns[1:])), None)
    fit = next((v for v in low.values() if _has(v, "chisq", "df", "group")), None)
    items = next((v for v in low.values() if _has(v, "construct", "items")), None)
    claims = low.get("claims")

    if paths is not None:
        beta = "beta" if "beta" in paths else "path"
        groups = list(dict.fromkeys(paths["group"])) if "group" in paths else [""]
        for group in groups:
            mine = paths[paths["group"] == group] if group else paths
            label = f"{group}: " if group else ""
            if r2 is not None:
                table = r2[1]
                if group and "group" in table:
                    table = table[table["group"] == group]
                column = "r2" if "r2" in table else "r2_percent"
                printed = {c: v for c, v in zip(table["construct"], table[column], strict=True) if v}
                percent = column == "r2_percent"
                for outcome, value in printed.items():
                    slopes = mine.loc[mine["to"] == outcome, beta]
                    if len(slopes):
                        rows.append(r2_range(slopes, value, f"{label}{outcome}", percent))
                if matrix is None and not percent:
                    rows += r2_from_paths(mine, printed, label, beta)
                if matrix is not None:
                    rows += _r2_with_matrix(mine, matrix, printed, beta, percent)
            if matrix is not None:
                rows += _paths_from_matrix(mine, matrix, beta)
            if fit is not None and items is not None:
                own = items[items["group"] == group] if group and "group" in items else items
                line = fit[fit["group"] == group] if group else fit
                pairs = list(zip(mine["from"], mine["to"], strict=True))
                if len(line) and set(own["construct"]) >= {c for pair in pairs for c in pair}:
                    rows.append(
                        degrees_of_freedom(
                            own["items"].astype(int).sum(),
                            len(own),
                            pairs,
                            line["df"].iloc[0],
                            group or "model",
                        )
                    )
    if claims is not None:
        rows += _claims(claims, low, n)
    return rows


def _decimals_of(table: pd.DataFrame) -> int:
    return max(Printed.read(v).decimals for v in table.iloc[:, 1:].to_numpy().ravel() if str(v).strip())


def _paths_from_matrix(paths: pd.DataFrame, matrix: pd.DataFrame, beta: str) -> list[Check]:
    model = matrices.path_model(matrix, paths[["from", "to"]], decimals=_decimals_of(matrix)).paths
    rows = []
    for (_, line), printed in zip(model.iterrows(), paths[beta], strict=True):
        printed = Printed.read(printed)
        rows.append(
            judged(
                "path from the correlations",
                f"{line['from']} -> {line['to']}",
                printed,
                line["est"],
                line["low"],
                line["high"],
                f"least squares from the printed correlations gives {line['est']:.4f}; "
                f"rounding allows {line['low']:.4f} to {line['high']:.4f}; printed {printed.text}",
            )
        )
    return rows


def _r2_with_matrix(paths, matrix, r2, beta, percent) -> list[Check]:
    places = max(Printed.read(v).decimals for v in paths[beta])
    table = matrices.r2_from_paths(matrix, paths, value=beta, decimals=_decimals_of(matrix), path_decimals=places)
    unit = 100.0 if percent else 1.0
    rows = []
    for outcome, line in table.iterrows():
        if outcome in r2:
            rows.append(
                judged(
                    "R2 = sum of path x correlation",
                    str(outcome),
                    Printed.read(r2[outcome]),
                    unit * line["r2"],
                    unit * line["low"],
                    unit * line["high"],
                    f"{line['arithmetic']}; rounding allows {line['low']:.4f} to {line['high']:.4f}; "
                    f"printed {r2[outcome]}{' percent' if percent else ''}",
                )
            )
    return rows


def _claims(claims: pd.DataFrame, tables: dict[str, pd.DataFrame], n) -> list[Check]:
    """Numbers in the running text (claims.csv: where, quantity, group, value, df, said) against the tables."""
    rows: list[Check] = []
    fits = [v for k, v in tables.items() if k != "claims" and _has(v, "chisq", "df")]
    for _, claim in claims.iterrows():
        where = claim["where"]
        for fit in fits:
            if claim["quantity"] == "chisq_df":
                line = fit[fit["group"] == claim["group"]] if "group" in fit and claim.get("group") else fit
                rows.append(chisq_ratio(line["chisq"].iloc[0], line["df"].iloc[0], claim["value"], where))
            elif claim["quantity"] == "chisq_difference" and len(fit) == 2:
                a, b = fit.iloc[0], fit.iloc[1]
                size = n if isinstance(n, dict) else {}
                rows.append(
                    chisq_difference(
                        *(
                            {
                                "name": r["group"],
                                "chisq": r["chisq"],
                                "df": r["df"],
                                "n": size.get(r["group"]),
                            }
                            for r in (a, b)
                        ),
                        claimed=claim["value"],
                        said=claim.get("said", ""),
                        where=where,
                    )
                )
    return rows


def check_all() -> pd.DataFrame:
    """:func:`check_study` for every study in ``data/published``, findings first."""
    kinds = datasets()
    studies = list(kinds.index[kinds["kind"] == "published tables"])
    out = pd.concat([check_study(s) for s in studies], ignore_index=True)
    return out.sort_values("verdict", key=lambda v: v.map(ORDER), kind="stable").reset_index(drop=True)
