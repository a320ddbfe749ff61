"""Tables that can be pasted into a thesis: shown in a notebook, written as Markdown, LaTeX or Word."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from switchcost.core.arguments import DECIMALS, FRAME, TEXT
from switchcost.core.errors import DataError

from .numbers import number, printable

P_VALUES = re.compile(r"p|p[ _]?val(ue)?s?|.*[_ ]p(value)?", re.I)  # pingouin: pval, p_val
# Statistics that cannot pass 1 stand without their leading zero (APA 7, section 6.36).
BOUNDED = re.compile(r"(alpha|omega|cr|ave|htmt2?|[ct]fi|rmsea|srmr|r|mean[ _]r|r2|kmo)(_.*)?", re.I)
NUMBER = re.compile(r"(?:[<>] )?[-+\u2212]?(?:\d[\d,]*)?\.?\d+(?:[eE][-+]?\d+)?%?|\[[^a-zA-Z]*\]|[-+\u2212]?inf")


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A DataFrame with a title, a note and a number of decimals. Made by :func:`table`."""

    data: pd.DataFrame
    title: str = ""
    note: str = ""
    decimals: int | Mapping[str, int] = 3
    lead: str = "Note."

    def __post_init__(self) -> None:
        FRAME.check("the data of a table", self.data)
        for name in ("title", "note"):
            TEXT.check(name, getattr(self, name))
        for value in self.decimals.values() if isinstance(self.decimals, Mapping) else [self.decimals]:
            DECIMALS.check("decimals", value)

    def cells(self) -> pd.DataFrame:
        """Every cell as the text that is shown, the index as first columns; the columns keep their order and names."""
        index, texts, names = self.data.index, [], []
        if not (isinstance(index, pd.RangeIndex) and index.name is None):
            for level in range(index.nlevels):
                names.append(_label(index.names[level], ""))
                texts.append([_shown(v, 3, "") for v in index.get_level_values(level)])
        for place, name in enumerate(self.data.columns):
            label = _label(name)
            decimals = self.decimals.get(name, 3) if isinstance(self.decimals, Mapping) else self.decimals
            names.append(label)
            texts.append([_shown(v, decimals, label) for v in self.data.iloc[:, place]])
        shown = pd.DataFrame(dict(enumerate(texts)), index=range(len(self.data)), dtype=object)
        shown.columns = pd.Index(names, dtype=object)
        return shown

    def numeric(self) -> list[bool]:
        """For each shown column, whether all its cells are numbers, intervals or empty."""
        cells = self.cells()
        return [all(not v or NUMBER.fullmatch(v) for v in cells.iloc[:, k]) for k in range(cells.shape[1])]

    def _repr_html_(self) -> str:
        cells, align = self.cells(), ["right" if right else "left" for right in self.numeric()]

        def row(tag: str, values: list[str]) -> str:
            return "<tr>" + "".join(
                f'<{tag} style="text-align:{a}">{html.escape(str(v))}</{tag}>' for a, v in zip(align, values, strict=True)
            ) + "</tr>"  # fmt: skip

        body = "".join(row("td", values) for values in cells.to_numpy().tolist())
        note = (f'<p style="font-size:90%"><em>{html.escape(self.lead)}</em> {html.escape(self.note)}</p>' if self.note else "")  # fmt: skip
        title = f"<p><strong>{html.escape(self.title)}</strong></p>" if self.title else ""
        return f"<div>{title}<table><thead>{row('th', list(cells.columns))}</thead><tbody>{body}</tbody></table>{note}</div>"

    def __repr__(self) -> str:
        note = f"\n{self.lead} {self.note}" if self.note else ""
        title = f"{self.title}\n" if self.title else ""
        return f"{title}{self.cells().to_string(index=False)}{note}"

    def to_markdown(self) -> str:
        """The table as a Markdown pipe table with its title and note; needs ``tabulate``."""
        cells = self.cells().map(_markdown)
        text = cells.to_markdown(
            index=False, tablefmt="pipe", disable_numparse=True, headers=[_markdown(c) for c in cells.columns],
            colalign=["right" if right else "left" for right in self.numeric()],
        )  # fmt: skip
        title = f"**{_markdown(self.title)}**\n\n" if self.title else ""
        note = f"\n\n*{self.lead}* {_markdown(self.note)}" if self.note else ""
        return f"{title}{text}{note}\n"

    def to_latex(self) -> str:
        """The table for LaTeX, with booktabs rules; needs ``jinja2``."""
        cells = self.cells()
        heads = [re.sub(r"([{}])", r"\1\1", _latex(str(c))) for c in cells.columns]  # pandas formats them once more
        plain = cells.map(_latex).set_axis(range(cells.shape[1]), axis=1)
        text = plain.to_latex(
            index=False, escape=False, header=heads, position="htbp", caption=_latex(self.title) or None,
            column_format="".join("r" if right else "l" for right in self.numeric()),
        )  # fmt: skip
        note = f"\\par\\footnotesize\\emph{{{_latex(self.lead)}}} {_latex(self.note)}\n" if self.note else ""
        return text.replace("\\begin{tabular}", "\\centering\n\\begin{tabular}").replace(
            "\\end{table}", f"{note}\\end{{table}}",
        )  # fmt: skip

    def to_docx(self, path: str | Path) -> Path:
        """Write the table to a Word file: caption above, rules as in a journal, note below."""
        from . import word

        return word.to_docx("", [SimpleNamespace(heading="", parts=[self])], path)


def table(data: pd.DataFrame, title: str = "", note: str = "", decimals: int | Mapping[str, int] = 3) -> Table:
    """Make a table to read and to paste.

    Parameters
    ----------
    data : DataFrame or Series
        Its index is shown unless it is a plain counter.
    title : str
        Says what the table holds: "Table 1. Reliability of eight facets (simulated, n = 800)".
    note : str
        n, estimator, units, what was left out.
    decimals : int or mapping
        For all columns, or by column name; whole numbers never get decimals.

    Returns
    -------
    Table
        Shows itself in a notebook; ``.to_markdown()``, ``.to_latex()``, ``.to_docx(path)``.

    Raises
    ------
    DataError
        ``data`` is not a DataFrame.

    Notes
    -----
    As theses print numbers: p values as "< .001" and with three digits, no leading zero for statistics that cannot pass
    1 (alpha, omega, correlations, fit indices), a true minus sign. A control character is shown by its picture.

    Examples
    --------
    >>> import pandas as pd
    >>> print(table(pd.DataFrame({"b": [-0.8123], "p": [0.00002]}, index=["trust"]), decimals=2))
              b      p
    trust −0.81 < .001
    """
    if isinstance(data, pd.Series):
        data = data.to_frame()
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"table() takes a DataFrame, and got a {type(data).__name__}")
    return Table(data, title, note, decimals)


def _label(name: object, without: str | None = None) -> str:
    if name is None and without is not None:
        return without
    return printable(" ".join(str(n) for n in name) if isinstance(name, tuple) else str(name))


def _shown(value: object, decimals: int, column: str) -> str:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        is_p = bool(P_VALUES.fullmatch(column))
        return number(float(value), 3 if is_p else decimals, bounded=is_p or bool(BOUNDED.fullmatch(column)), p=is_p)
    if isinstance(value, (int, np.integer)):
        return str(value).replace("-", "\u2212")
    return printable(str(value))


def _markdown(text: str) -> str:
    if NUMBER.fullmatch(text):
        return text
    return re.sub(r"([\\|`*_<>\[\]])", r"\\\1", printable(text)).replace("\n", " ")


LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\u2212": "$-$", "<": "$<$",
    ">": "$>$", "\n": " ", **{c: "\\" + c for c in "&%$#_{}"},
}  # fmt: skip


def _latex(text: str) -> str:
    return re.sub(r"[\\~^\u2212<>\n&%$#_{}]", lambda m: LATEX[m[0]], printable(text))
