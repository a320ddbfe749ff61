"""One printer of results: as text, and as the page a notebook shows. What comes from data is escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pandas as pd


def number(value: object, decimals: int = 3) -> str:
    """A cell as text: ``decimals`` places, empty where there is no number, whole numbers without a point."""
    if isinstance(value, bool) or not isinstance(value, float):
        return str(value)
    return "" if pd.isna(value) else f"{value:.{decimals}f}"


class Result:
    """Base of the results: heading, tables and warnings, printed alike everywhere.

    A subclass gives ``_heading()`` (one or more lines) and ``_tables()`` (pairs of title and DataFrame; the index is
    printed when it has a name or is not a plain count). ``warnings`` is read when there is one.
    """

    warnings: Sequence[str] = ()

    def _heading(self) -> str:
        return type(self).__name__

    def _tables(self) -> list[tuple[str, pd.DataFrame]]:
        return []

    def summary(self) -> str:
        """The result as text: heading, tables, warnings."""
        parts = [self._heading()]
        for title, table in self._tables():
            text = table.to_string(index=_has_index(table), float_format=lambda v: f"{v:.3f}", na_rep="")
            parts.append(f"{title}\n{text}" if title else text)
        parts += [f"Warning: {w}" for w in self.warnings]
        return "\n".join(parts)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        parts = [f"<p>{'<br>'.join(html.escape(line) for line in self._heading().splitlines())}</p>"]
        for title, table in self._tables():
            if title:
                parts.append(f"<p><b>{html.escape(title)}</b></p>")
            parts.append(table.to_html(index=_has_index(table), float_format=lambda v: f"{v:.3f}", na_rep="", border=0))
        parts += [f"<p><b>Warning:</b> {html.escape(str(w))}</p>" for w in self.warnings]
        return "\n".join(parts)


def _has_index(table: pd.DataFrame) -> bool:
    return table.index.name is not None or not isinstance(table.index, pd.RangeIndex)
