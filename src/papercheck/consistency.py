"""A printed table, or a text with tests in it, judged by the same recipes and in the same words as the scoreboard.

Printed numbers are rounded. A number is called ``inconsistent`` only where *no* unrounded values inside the printed
precision could give what is printed, and its reason shows the sum, so that a reader can redo it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from switchcost.core import checks
from switchcost.core.arguments import TEXT, Between, Made, checked
from switchcost.core.errors import DataError

from .board import judge_all
from .reading import NAMES, numbers_of_tables
from .recipes import from_printed

#: Headings of tables that somebody types in, small letters, beside those of :data:`~.reading.NAMES`.
_HEADINGS = {
    **{k.lower(): v for k, v in NAMES.items()}, "s.e.": "se", "std.err": "se", "c.r.": "t", "est.": "estimate",
    "β": "beta", "std. beta": "beta", "χ2": "chisq", "χ²": "chisq", "chi2": "chisq", "cmin": "chisq", "x2": "chisq",
    "cmin/df": "chisq_df", "χ2/df": "chisq_df", "χ²/df": "chisq_df", "chisq/df": "chisq_df", "nnfi": "tli", "r²": "r2",
    "adj. r2": "adjusted_r2", "m": "mean", "lower": "ci_lower", "upper": "ci_upper", "%": "percent", "α": "alpha",
}  # fmt: skip
_ARROW = r"^(.+?)\s*(?:-+>|→|=+>)\s*(.+)$"
_STARS = {"***": "<.001", "**": "<.01", "*": "<.05", "n.s.": "", "ns": ""}


def _text(table: pd.DataFrame) -> pd.DataFrame:
    """A table as text under the names that the checks know; floats take the most decimals of their column."""
    out = {}
    names = list(table.columns)
    if len(names) > 1 and set(map(str, table.index)) == set(map(str, names)):
        table = table.rename_axis(index="construct").reset_index()
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_float_dtype(column):
            places = max((len(repr(float(v)).split(".")[1].rstrip("0")) for v in column.dropna()), default=0)
            out[str(name)] = ["" if pd.isna(v) else f"{v:.{places}f}" for v in column]
        else:
            out[str(name)] = ["" if pd.isna(v) else str(v).strip() for v in column]
    text = pd.DataFrame(out)
    first = text.columns[0]
    if set(text[first]) == set(text.columns[1:]) and len(text) > 1:  # a square matrix, under its own names
        return text
    text = text.rename(columns=lambda c: NAMES.get(c, _HEADINGS.get(c.lower(), c.lower())))
    arrows = text[text.columns[0]].str.extract(_ARROW)
    if "from" not in text and arrows.notna().all(axis=None):  # one column for 'A -> B'
        text = pd.concat([arrows.set_axis(["from", "to"], axis=1), text.iloc[:, 1:]], axis=1)
    if "p" in text:
        text["p"] = text["p"].replace(_STARS)
    return text


@checked(
    name=TEXT,
    study=TEXT,
    items=Between(1, closed="left", whole=True),
    scale=Made("the ends of the scale, such as (1, 7)", (tuple, list)),
)
def check_table(
    table: pd.DataFrame,
    *,
    name: str = "table",
    n: float | Mapping[str, float] | None = None,
    scale: tuple[float, float] | None = None,
    items: int | None = None,
    study: str = "",
) -> pd.DataFrame:
    """Judge every number of a printed table by what the others beside it allow.

    Parameters
    ----------
    table : DataFrame
        Text as printed, or floats (then a column's decimals are the most that occur in it). Read are these columns, in
        small or capital letters: ``from to b|path se t p p_flag beta``; ``chisq df n p rmsea chisq_df nfi cfi tli ifi
        gfi agfi``; ``construct item items loading(s) alpha cr ave mean sd``; ``estimate|value ci_lower ci_upper``;
        ``group``; ``test statistic df1 df2 p``; ``n r2 adjusted_r2 predictors``; ``first second difference``;
        ``count n percent``; ``quantity row value``; or a square matrix of correlations.
    name : str, default "table"
        What the table is called in the column ``table``.
    n : float or dict, optional
        Sample size, a number or {group: number}.
    scale : (float, float), optional
        Lowest and highest possible answer, for means and standard deviations.
    items : int, optional
        Number of observed variables of the model, for fit indices.
    study : str, optional
        What the work is called in the column ``study``.

    Returns
    -------
    DataFrame
        One row a printed number with the columns of ``sc.scoreboard().table``: ``printed reproduced basis verdict
        reason constraint source`` and where it stands; ``inconsistent`` ones first. A number that can stand and cannot
        be computed is ``not comparable``, and the reason says what was looked at.

    Raises
    ------
    DataError
        The columns hold nothing that follows from something else.

    Examples
    --------
    >>> t = pd.DataFrame({"from": ["Value"], "to": ["Loyalty"], "b": [".30"], "se": [".10"], "t": ["4.10"]})
    >>> check_table(t)[["quantity", "verdict", "reason"]].iloc[0].tolist()
    ['t', 'inconsistent', '.30 / .10 = 3.000; rounding allows 2.810 to 3.211; printed 4.10']
    """
    table = checks.frame(table, name)
    if scale is not None:
        low, high = (pd.to_numeric(pd.Series(list(scale)), errors="coerce").tolist() + [float("nan")] * 2)[:2]
        if len(scale) != 2 or not low < high:
            raise DataError(f"scale is the lowest and the highest answer, such as (1, 7), and is {tuple(scale)!r}")
    found = numbers_of_tables({name: _text(table)}, name)
    meta = {"n": n, "scale": scale, "items_listed": items}
    if isinstance(n, float) and n.is_integer():
        meta["n"] = int(n)
    recipes = from_printed(found, meta)
    if not recipes:
        raise DataError(
            f"no check applies to the columns of {name}: {', '.join(map(str, table.columns))}. Some that go together: "
            "b se t p; chisq df rmsea cfi; item mean sd n; construct loading alpha cr ave; estimate ci_lower ci_upper."
        )
    board = judge_all(study or name, found, meta, recipes)
    return board.sort_values("verdict", key=lambda v: v != "inconsistent", kind="stable").reset_index(drop=True)


_REPORTED = re.compile(
    r"(?P<test>\b[tzFr]|χ2|χ²|chi2|chi-square)\s*(\(\s*(?P<df1>\d+\.?\d*)\s*(,\s*(?P<df2>\d+\.?\d*)|,\s*N\s*=\s*\d+)?\s*\))?"
    r"\s*=\s*(?P<statistic>[-−]?\d*\.?\d+)\s*[,;]\s*p\s*(?P<p>[<=]\s*\d?\.\d+)"
)


def tests_in_text(text: str) -> pd.DataFrame:
    """Every test in a text that is printed like ``t(28) = 2.20, p = .036``, as a table for :func:`check_table`."""
    rows = []
    for m in _REPORTED.finditer(text):
        if m["test"] == "z" or m["df1"]:
            line = {k: m[k] or "" for k in ("test", "df1", "df2")}
            p = m["p"].replace("=", "").strip()
            rows.append({"place": m[0], **line, "statistic": m["statistic"].replace("−", "-"), "p": p})
    out = pd.DataFrame(rows, columns=["place", "test", "df1", "df2", "statistic", "p"])
    return out.drop_duplicates(ignore_index=True)


def check_paper(
    path: str | Path, *, n: float | None = None, scale: tuple[float, float] | None = None, items: int | None = None
) -> pd.DataFrame:
    """Judge a printed table that is kept as a CSV file, or a text with tests in it.

    Parameters
    ----------
    path : str or path
        A CSV file with a printed table (the columns of :func:`check_table`; parted by commas, or by semicolons with
        decimal commas), or a text file with tests
        as papers print them: ``t(28) = 2.20, p = .036``, ``F(2, 60) = 3.1, p < .05``, ``chi2(3, N = 90) = 8.0, p = .04``.
    n, scale, items :
        Sample size, lowest and highest answer, and number of observed variables, where the table does not say.

    Returns
    -------
    DataFrame as from :func:`check_table`

    Raises
    ------
    DataError
        The file cannot be read, or no check applies.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path.name} cannot be read: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read as UTF-8 text: {error}") from None
    tests = tests_in_text(text)
    if len(tests):  # also in a CSV file whose cells are sentences
        return check_table(tests, name=path.stem)
    if path.suffix.lower() != ".csv":
        raise DataError(f"{path.name} holds no test such as 't(28) = 2.20, p = .036'")
    first = text.split("\n", 1)[0]
    semicolons = first.count(";") > first.count(",")  # as spreadsheets write where the comma is the decimal sign
    try:
        table = pd.read_csv(
            path, sep=";" if semicolons else ",", dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise DataError(f"{path.name} is not a CSV table: {error}") from None
    if semicolons:
        table = table.replace(r"^(\D?\d*),(\d+)$", r"\1.\2", regex=True)
    return check_table(table, name=path.stem, n=n, scale=scale, items=items)
