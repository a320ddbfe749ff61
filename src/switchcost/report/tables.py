"""Tables that can be pasted into a thesis: shown in a notebook, written as Markdown, LaTeX or Word."""

from __future__ import annotations

import html
import re
from pathlib import Path

import numpy as np
import pandas as pd

from .._core.errors import DataError


class Table:
    """A DataFrame with a title, a note and a number of decimals. Made by :func:`table`."""

    def __init__(self, data: pd.DataFrame, title: str, note: str, decimals: int | dict[str, int]):
        self.data, self.title, self.note, self.decimals = data, title, note, decimals

    def cells(self) -> pd.DataFrame:
        """Every cell as the text that is shown, the index as columns."""
        named = [n for n in self.data.index.names if n is not None]
        plain = isinstance(self.data.index, pd.RangeIndex) and not named
        flat = self.data if plain else self.data.reset_index()
        if not plain and not named:
            flat = flat.rename(columns={flat.columns[0]: ""})
        out = {}
        for place, name in enumerate(flat.columns):
            places = self.decimals.get(name, 3) if isinstance(self.decimals, dict) else self.decimals
            out[str(name)] = [_text(v, places) for v in flat.iloc[:, place]]
        return pd.DataFrame(out)

    def _numeric(self) -> list[bool]:
        # "1. loyalty" starts like a number and is none
        number = re.compile(r"[-+.<\d](?!.*[^\W\d_]{2})")
        return [all(v == "" or number.match(v) for v in col) for _, col in self.cells().items()]

    def _repr_html_(self) -> str:
        cells, right = self.cells(), self._numeric()
        align = ["right" if r else "left" for r in right]
        head = "".join(
            f'<th style="text-align:{a}">{html.escape(str(c))}</th>' for a, c in zip(align, cells, strict=True)
        )
        body = "".join(
            "<tr>"
            + "".join(f'<td style="text-align:{a}">{html.escape(v)}</td>' for a, v in zip(align, row, strict=True))
            + "</tr>"
            for row in cells.itertuples(index=False, name=None)
        )
        note = f'<p style="font-size:90%"><em>Note.</em> {html.escape(self.note)}</p>' if self.note else ""
        title = f"<p><strong>{html.escape(self.title)}</strong></p>" if self.title else ""
        return f"<div>{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}</div>"

    def __repr__(self) -> str:
        note = f"\nNote. {self.note}" if self.note else ""
        title = f"{self.title}\n" if self.title else ""
        return f"{title}{self.cells().to_string(index=False)}{note}"

    def to_markdown(self) -> str:
        """The table as a Markdown pipe table with its title and note."""
        cells = self.cells().map(lambda v: v.replace("|", "\\|"))
        rule = ["---:" if r else ":---" for r in self._numeric()]
        rows = [list(cells.columns), rule, *cells.to_numpy().tolist()]
        text = "\n".join("| " + " | ".join(r) + " |" for r in rows)
        title = f"**{self.title}**\n\n" if self.title else ""
        note = f"\n\n*Note.* {self.note}" if self.note else ""
        return f"{title}{text}{note}\n"

    def to_latex(self) -> str:
        """The table for LaTeX, with booktabs rules."""
        cells = self.cells().map(_latex)
        align = "".join("r" if r else "l" for r in self._numeric())
        head = " & ".join(_latex(c) for c in cells.columns)
        rows = "\n".join(" & ".join(r) + r" \\" for r in cells.to_numpy().tolist())
        title = f"\\caption{{{_latex(self.title)}}}\n" if self.title else ""
        note = f"\n\\par\\footnotesize\\emph{{Note.}} {_latex(self.note)}" if self.note else ""
        return (
            f"\\begin{{table}}\n\\centering\n{title}\\begin{{tabular}}{{{align}}}\n\\toprule\n{head} \\\\\n"
            f"\\midrule\n{rows}\n\\bottomrule\n\\end{{tabular}}{note}\n\\end{{table}}\n"
        )

    def to_docx(self, path: str | Path) -> Path:
        """Write the table to a Word file: title above, rules as in a journal, note below."""
        from docx import Document
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        document = Document()
        add_to_document(self, document, WD_ALIGN_PARAGRAPH)
        path = Path(path)
        document.save(str(path))
        return path


def add_to_document(table: Table, document, alignment) -> None:
    """Append a table to an open python-docx document (used for whole results chapters)."""
    if table.title:
        document.add_paragraph().add_run(table.title).bold = True
    cells, right = table.cells(), table._numeric()
    grid = document.add_table(rows=1 + len(cells), cols=cells.shape[1])
    grid.style = "Light List"
    for j, name in enumerate(cells.columns):
        grid.cell(0, j).text = str(name)
        for i, value in enumerate(cells.iloc[:, j]):
            cell = grid.cell(i + 1, j)
            cell.text = value
            if right[j]:
                cell.paragraphs[0].alignment = alignment.RIGHT
    if table.note:
        paragraph = document.add_paragraph()
        paragraph.add_run("Note. ").italic = True
        paragraph.add_run(table.note)


def table(data: pd.DataFrame, title: str = "", note: str = "", decimals: int | dict[str, int] = 3) -> Table:
    """Make a table to read and to paste.

    Parameters
    ----------
    data : DataFrame; its index is shown unless it is a plain counter
    title : says what the table holds: "Table 1. Reliability of eight facets (simulated, n = 800)"
    note : units, estimator, what was left out
    decimals : for all columns, or by column name; whole-number columns never get decimals

    Returns
    -------
    Table
        Shows itself in a notebook; ``.to_markdown()``, ``.to_latex()``, ``.to_docx(path)``.

    Raises
    ------
    ValueError
        ``data`` is not a DataFrame.

    Examples
    --------
    >>> import pandas as pd
    >>> print(table(pd.DataFrame({"alpha": [0.8123]}, index=["trust"]), decimals=2))
          alpha
    trust  0.81
    """
    if isinstance(data, pd.Series):
        data = data.to_frame()
    if not isinstance(data, pd.DataFrame):
        raise DataError(f"table() takes a DataFrame, and got a {type(data).__name__}")
    return Table(data, title, note, decimals)


def _text(value: object, decimals: int) -> str:
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (float, np.floating)):
        text = f"{value:.{decimals}f}"
        return text[1:] if text.startswith("-") and float(text) == 0 else text
    return str(value)


def _latex(text: str) -> str:
    for char in "&%$#_{}":
        text = text.replace(char, "\\" + char)
    return text.replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
