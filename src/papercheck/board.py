"""Every published number beside its reproduction, with a basis, a verdict and a reason.

``python -m papercheck`` prints the summary. The numbers are read from ``data/published`` as text, because
the decimals that were printed decide how close a reproduction has to be.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from switchcost.core.errors import OURS, DataError
from switchcost.core.jobs import named_steps
from switchcost.data.registry import data_dir

from .audits import interval_note, mutations
from .picture import draw
from .printed import Printed
from .reading import folders, numbers_of_tables, read_study
from .recipes import MISSING, better, from_printed
from .reproduction import BASES, VERDICTS, Reproduction
from .studies import STUDIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = (
    "study", "table", "quantity", "row", "column", "printed", "published", "reproduced", "difference", "decimals",
    "basis", "verdict", "reason", "constraint", "source", "notebook", "model",
)  # fmt: skip

#: Which notebook shows a study at work; studies added later are in the evidence map.
NOTEBOOKS = {
    "hair2021_corp_rep": "11_re_hair2021",
    "ecsi_mobi": "19_loyalty_formation",
    "abbade2014": "12_re_abbade2014",
    "mota2012": "13_re_mota2012",
}


@dataclass(frozen=True, eq=False, repr=False)
class Board:
    """The scoreboard: one row a printed number.

    Attributes
    ----------
    table : DataFrame
        ``study table quantity row column printed published reproduced difference decimals basis verdict reason
        constraint source notebook model``. ``row`` and ``column`` are the source and outcome of a path, the construct
        and item of a loading, the two sides of a correlation. ``basis``: ``answers``, ``printed``, ``assumed``, or
        empty where nothing can be computed. ``constraint`` names the identity behind the row; rows that are one
        identity seen twice share it. ``source`` says how the number was computed again.
    warnings : tuple of str
        What a count of this board must not be read as, and study folders that could not be read.
    """

    table: pd.DataFrame
    warnings: tuple[str, ...] = ()

    @property
    def n_obs(self) -> int:
        """Printed numbers on the board."""
        return len(self.table)

    @property
    def mutations(self) -> pd.DataFrame:
        """Share of changed digits that the board notices, by study and basis; see :mod:`.mutation`."""
        return mutations()

    def summary(self) -> pd.DataFrame:
        """Count verdicts by study, see :func:`summary`."""
        return summary(self)

    def plot(self, ax: Axes | None = None, *, height: int = 3) -> Axes:
        """One mark a printed number, see :func:`papercheck.picture.draw`."""
        return draw(self.table, ax, height=height)

    def by_basis(self) -> pd.DataFrame:
        """Numbers, constraints and verdicts by what they rest on; the rows are never to be added up."""
        t = self.table[self.table.basis != ""]
        out = pd.crosstab(t.basis, t.verdict).reindex(index=list(BASES), columns=list(VERDICTS[:5]), fill_value=0)
        out.columns.name = None
        out.insert(0, "constraints", t.groupby("basis").constraint.nunique().reindex(BASES, fill_value=0))
        out.insert(0, "numbers", out[list(VERDICTS[:5])].sum(axis=1))
        return out

    def __repr__(self) -> str:
        t = self.table
        return (
            f"Scoreboard: {len(t)} published numbers in {t.study.nunique()} studies, "
            f"{int((t.verdict != 'not comparable').sum())} of them comparable\n{self.by_basis().to_string()}\n"
            + "\n".join(self.warnings)
        )

    def _repr_html_(self) -> str:
        head, *_ = repr(self).splitlines()
        notes = "".join(f"<p>{escape(w)}</p>" for w in self.warnings)
        return f"<p>{escape(head)}</p>{self.by_basis().to_html()}{summary(self).to_html()}{notes}"


def judge(printed: str, found: Reproduction | None, decimals: int | None = None) -> tuple[str, str]:
    """Compare a printed number with its reproduction.

    Parameters
    ----------
    printed : str
        The number as printed; its decimals set the precision.
    found : Reproduction or None
    decimals : int, optional
        Decimals, where the text alone does not tell (a comma).

    Returns
    -------
    (verdict, reason)
        ``exact`` equal after rounding to the printed decimals; ``within rounding`` inside the band that rounding of
        the printed inputs allows; ``within interval`` a number with sampling error inside its interval;
        ``different`` computed from answers and not equal; ``inconsistent`` other numbers of the same work do not
        allow it, whatever is not printed; ``not comparable`` something is missing. For the first three the reason is
        empty, or a remark.

    Examples
    --------
    >>> judge(".504", Reproduction(0.50421, "answers"))
    ('exact', '')
    >>> judge("0.31", Reproduction(0.024, band=(0.023, 0.026), why="the paths allow at most 0.048"))[0]
    'inconsistent'
    """
    number = Printed.read(printed, decimals)
    if found is None or (np.isnan(found.value) and not found.impossible):
        return "not comparable", (found.why if found else "") or "no way to compute it from what is open"
    if found.impossible:
        return "inconsistent", found.why
    near, in_band = number.allows(found.value, found.value), found.band is not None and number.allows(*found.band)
    if found.no_test and (near or in_band):
        return "not comparable", found.why
    if near:
        return "exact", found.remark
    if in_band:
        return "within rounding", found.remark
    if found.interval is not None and number.allows(*found.interval):
        return "within interval", found.remark
    why = found.why or f"computed {found.value:.{number.decimals + 2}f}, printed {printed}"
    return ("different" if found.basis == "answers" else "inconsistent"), why


_cache: dict[tuple, pd.DataFrame] = {}


def replicate(study: str | Path) -> pd.DataFrame:
    """The rows of the scoreboard that belong to one study.

    Parameters
    ----------
    study : name of a folder in ``data/published``, or the path of a folder made like one (a study being added)

    Returns
    -------
    DataFrame with the columns of :class:`Board`'s table

    Examples
    --------
    >>> from papercheck.board import replicate
    >>> board = replicate("moura2005")
    >>> board.set_index("quantity").verdict["rmsea"]
    'exact'
    """
    folder = study if isinstance(study, Path) else data_dir() / "published" / str(study)
    stamp = (str(folder), *sorted((p.name, p.stat().st_mtime_ns) for p in folder.glob("*.*")))
    if stamp not in _cache:
        tables, meta = read_study(study)
        table = numbers_of_tables(tables, str(study))
        _cache[stamp] = judge_all(folder.name, table, meta, reproductions(folder.name, table, meta))
    return _cache[stamp].copy()


def reproductions(name: str, table: pd.DataFrame, meta: Mapping) -> dict:
    """Everything that can be computed again for a study, by key."""
    out = dict(STUDIES[name](table, meta)) if name in STUDIES else {}
    for key, found in from_printed(table, meta).items():
        out[key] = better(out.get(key), found)
    return out


def judge_all(name: str, table: pd.DataFrame, meta: Mapping, found: Mapping) -> pd.DataFrame:
    """Judge each printed number of a study; numbers that cannot be read get a row as well."""
    notebook = meta.get("notebook") or NOTEBOOKS.get(name, "16_evidence_map")
    rows = []
    for r in table.itertuples():
        rep = found.get((r.model, r.quantity, r.row, r.column)) or Reproduction(why=MISSING.get(r.quantity, ""))
        verdict, reason = judge(r.printed, rep, r.decimals)
        open_ = verdict == "not comparable"
        value = np.nan if open_ else rep.value
        own = " ".join(t for t in (r.model, r.quantity, r.row, r.column) if t)
        identity = rep.constraint or own
        rows.append(
            (
                name, r.table, r.quantity, r.row, r.column, r.printed, r.published, value, value - r.published,
                r.decimals, "" if open_ else rep.basis, verdict, reason, "" if open_ else f"{name}: {identity}",
                "" if open_ else rep.how, notebook, r.model,
            )
        )  # fmt: skip
    for table_name, model, quantity, row, column, text in table.attrs.get("unreadable", ()):
        why = "printed like this: no number can be read from it"
        cells = (name, table_name, quantity, row, column, text, np.nan, np.nan, np.nan, 0, "", "not comparable", why)
        rows.append((*cells, "", "", notebook, model))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _broken(name: str, error: Exception) -> pd.DataFrame:
    """A study that cannot be read is one row of the board, not the end of it."""
    row = dict.fromkeys(COLUMNS, "") | {"study": name, "verdict": "not comparable", "decimals": 0, "notebook": ""}
    row |= {"published": np.nan, "reproduced": np.nan, "difference": np.nan, "reason": f"cannot be reproduced: {error}"}
    return pd.DataFrame([row], columns=list(COLUMNS))


def scoreboard() -> Board:
    """Every published number of the collection, reproduced and judged.

    Returns
    -------
    Board
        ``.table`` has one row a printed number; ``.summary()`` counts verdicts by study, ``.by_basis()`` by what they
        rest on. A study folder added to ``data/published`` appears without code; one that cannot be read is a single
        row that names the file.

    Notes
    -----
    A published bootstrap end is ``within interval`` when it lies where an end from that many draws falls in 99 % of
    cases around our own end (4,000 draws, fixed seed). Computed once a session.

    Examples
    --------
    >>> import switchcost as sc
    >>> board = sc.scoreboard()  # doctest: +SKIP
    >>> board.by_basis()  # doctest: +SKIP
    """
    parts, notes = [], [interval_note()]
    # In a terminal only: a bar would stay in a notebook's outputs.
    with named_steps("scoreboard", show=sys.stderr.isatty()) as at:
        for name in folders():
            at(name)
            try:
                parts.append(replicate(name))
            except OURS as error:
                parts.append(_broken(name, error))
                notes.append(f"{name} cannot be reproduced: {error}")
    return Board(pd.concat(parts, ignore_index=True), tuple(notes))


def _table(board: Board | pd.DataFrame) -> pd.DataFrame:
    table = board.table if isinstance(board, Board) else board
    lacking = [c for c in ("study", "verdict") if c not in table]
    if lacking:
        raise DataError(f"the board has no column {lacking[0]!r}; hand in sc.scoreboard() or a part of its table")
    return table


def summary(board: Board | pd.DataFrame) -> pd.DataFrame:
    """Count verdicts by study.

    Parameters
    ----------
    board : Board from :func:`scoreboard`, or (a part of) its table

    Returns
    -------
    DataFrame, one row a study and a row ``all``: a column a verdict, ``numbers``, and ``constraints`` (independent
    identities behind the comparable numbers). Counts mix what rests on answers, on print and on assumptions: to say
    what agrees, use :meth:`Board.by_basis`.

    Examples
    --------
    >>> import pandas as pd
    >>> b = pd.DataFrame({"study": ["a", "a", "b"], "verdict": ["exact", "different", "not comparable"]})
    >>> summary(b).loc["all", ["exact", "numbers"]].tolist()
    [1, 3]
    """
    table = _table(board)
    out = pd.crosstab(table.study, table.verdict).reindex(columns=list(VERDICTS), fill_value=0)
    out.columns.name = None
    out["numbers"] = out[list(VERDICTS)].sum(axis=1)
    if "constraint" in table:
        used = table[table.verdict != "not comparable"]
        out["constraints"] = used.groupby("study").constraint.nunique().reindex(out.index, fill_value=0)
    out.loc["all"] = out.sum()
    return out


def report() -> int:
    """Print the summary and every number that does not agree; 1 when open answers no longer give a printed number."""
    board = scoreboard()
    table = board.table
    print(f"Scoreboard: {len(table)} published numbers in {table.study.nunique()} studies\n")
    print(summary(board).to_string())
    print(f"\nBy what the numbers rest on (never to be added up)\n{board.by_basis().to_string()}")
    print("\n" + "\n".join(board.warnings))
    if len(board.mutations):
        print(f"\nChanged digits that the board notices\n{board.mutations.to_string()}")
    off = table[table.verdict.isin(("different", "inconsistent"))]
    if len(off):
        print("\nNot reproduced:")
        for r in off.itertuples():
            which = " ".join(t for t in (r.model, r.quantity, r.row, r.column) if t)
            print(
                f"  {r.study}: {which}: printed {r.printed}, computed {r.reproduced:.{r.decimals + 1}f} "
                f"({r.verdict}: {r.reason})"
            )
    return int((table.verdict == "different").any())
