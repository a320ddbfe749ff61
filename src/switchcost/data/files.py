"""``sc.read_survey``: the file that people have, read or refused in one sentence."""

from __future__ import annotations

import difflib
import os
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..core import checks
from ..core.errors import DataError, SurveyNote
from . import platforms, words
from .binary import FILTER, STATISTICS, read_labelled, read_workbook
from .codebook import codebook as read_codebook
from .codebook import codes_to_nan, is_nominal_line, words_of
from .numbers import NO_ANSWER, decimal_sign, signs, small_integers, to_column
from .parsing import MAX_COLUMNS, read_table
from .records import Reading, attention_items, enough, leave


def read_survey(
    path: str | os.PathLike,
    codebook: str | os.PathLike | pd.DataFrame | None = None,
    *,
    sep: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    missing: Sequence[str | float] = (),
    drop: Sequence[str] = (),
    keep: str = "finished",
    min_seconds: float | None = None,
    attention: Mapping[str, float | str] | None = None,
) -> pd.DataFrame:
    """Read your own survey as exported, or say in one sentence what is wrong with the file.

    CSV (comma, semicolon, tab, bar; any usual encoding), Excel .xlsx, SPSS .sav and Stata .dta. Exports of Qualtrics,
    SurveyMonkey, LimeSurvey, Google Forms, 问卷星 (wjx), Tally, Typeform and Microsoft Forms are recognised by their
    headers. Answers in words (``agree``, ``同意``, ``stimme zu``, ``de acuerdo``) become numbers. What was recognised and
    done is kept in ``data.attrs`` and, where records left, said as a :class:`SurveyNote`.

    Parameters
    ----------
    path : str or path
        The file.
    codebook : str, path or DataFrame, optional
        Columns as in :func:`codebook`. Its missing codes become NaN; a variable it lists must be in the file; a
        column with a range must hold numbers. Answers outside the range stay, and :func:`switchcost.audit`
        reports them. Blanks and case do not count in names.
    sep, decimal, thousands, encoding, sheet : str, optional
        Only where the automatic choice is wrong or the file leaves it open.
    missing : sequence
        Further answers that mean "no answer", in any column, compared by value: ``missing=("don't know", -99)``.
        Empty cells, NA, N/A, NaN, NULL, "." and "-" always do.
    drop : sequence of str
        Columns to leave out.
    keep : {"finished", "all"}
        ``"all"`` keeps previews, unfinished records and those that failed an attention item.
    min_seconds : float, optional
        Records answered in less time leave, where the platform writes the time. Without it, nobody leaves for speed.
    attention : dict from column to its right answer, optional
        Records with another answer leave. Found by itself where the codebook says ``attention`` or the wording of
        the item names the answer; ``{}`` switches that off.

    Returns
    -------
    DataFrame
        Number columns as int or float, the others as text. ``attrs["read"]`` says what was found (file, platform,
        encoding, sep, decimal, rows, notes), ``attrs["flow"]`` who left in which step (:func:`switchcost.data.flow`
        makes it a table), ``attrs["labels"]`` and ``attrs["value_labels"]`` hold wordings, ``attrs["platform_columns"]``
        the columns that are no answers.

    Raises
    ------
    DataError
        One sentence with the fault and the mend: no file, not a survey file, too large, no rows, one row, a line with too
        many cells, no header, names that are empty or occur twice, a column without a value, text among
        numbers, signs that could be decimals or thousands, a codebook that does not fit.

    Examples
    --------
    >>> import tempfile, pathlib, switchcost as sc
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "mine.csv"
    >>> _ = file.write_text("sat1;sat2\\n3,5;4\\n2,0;5\\n")
    >>> sc.read_survey(file)["sat1"].tolist()
    [3.5, 2.0]
    """
    if not isinstance(path, (str, os.PathLike)):
        raise DataError(f"path must be the name of a file, and is a {type(path).__name__}")
    path = Path(path)
    for what, value in (
        ("sep", sep),
        ("encoding", encoding),
        ("sheet", sheet),
        ("decimal", decimal),
        ("thousands", thousands),
    ):
        if not isinstance(value, (str, type(None))):
            raise DataError(f"{what} must be a text and is {value!r}")
    _check_options(decimal, thousands, keep, min_seconds, attention)
    missing, drop = _several("missing", missing), _several("drop", drop)
    reading = Reading(path.name, None if codebook is None else read_codebook(codebook))
    if reading.book is not None:
        reading.notes += reading.book.attrs.get("notes", [])
    if path.suffix.lower() in STATISTICS:
        frame = _labelled(path, reading, drop)
    else:
        frame = _table(path, reading, drop, sep, encoding, sheet)
    if frame.shape[1] > MAX_COLUMNS:
        raise DataError(f"{path.name} has {frame.shape[1]} columns, and up to {MAX_COLUMNS} are read")
    frame = _named_as_the_book(frame, reading, drop)
    reading.step("records in the file", len(frame))
    frame = leave(frame, reading, keep, min_seconds)
    if path.suffix.lower() not in STATISTICS:
        frame = _cells_to_values(frame, reading, missing, decimal, thousands)
    else:
        frame = _numeric_codes(frame, _codes(missing)[1])
    frame = attention_items(frame, reading, keep, attention)
    if reading.book is not None:
        frame = codes_to_nan(frame, reading.book)
    return _finish(frame, reading)


def flow(data: pd.DataFrame) -> pd.DataFrame:
    """Who left a survey file in which step, in order.

    Parameters
    ----------
    data : DataFrame
        As :func:`read_survey` returned it.

    Returns
    -------
    DataFrame
        step, dropped, left.

    Raises
    ------
    DataError
        The data do not come from :func:`read_survey`.
    """
    if "flow" not in data.attrs:
        raise DataError("these data have no flow of n: it is kept with what sc.read_survey returns")
    return pd.DataFrame(data.attrs["flow"], columns=["step", "dropped", "left"])


def _several(what: str, value: object) -> list:
    """One answer or column, or a list of them."""
    if isinstance(value, (str, int, float)):
        return [value]
    if isinstance(value, (Mapping, bytes)) or not isinstance(value, Iterable):
        raise DataError(f"{what} must be a list such as {what}=[{'99' if what == 'missing' else repr('age')}] and is "
                        f"{value!r}")  # fmt: skip
    return list(value)


def _check_options(decimal: object, thousands: object, keep: object, min_seconds: object, attention: object) -> None:
    if decimal not in (None, ".", ","):
        raise DataError(f"decimal must be '.' or ',' and is {decimal!r}")
    if thousands not in (None, ".", ",", " ", "'"):
        raise DataError(f"thousands must be ',', '.', ' ' or \"'\" and is {thousands!r}")
    if decimal is not None and decimal == thousands:
        raise DataError(f"decimal and thousands are both {decimal!r}; they must differ")
    if keep not in ("finished", "all"):
        raise DataError(f"keep must be 'finished' or 'all' and is {keep!r}")
    number = isinstance(min_seconds, (int, float)) and not isinstance(min_seconds, bool)
    if min_seconds is not None and not (number and min_seconds >= 0):  # type: ignore[operator]
        raise DataError(f"min_seconds must be a number of seconds, 0 or more, and is {min_seconds!r}")
    if not isinstance(attention, (Mapping, type(None))):
        raise DataError(f"attention must give each item its right answer, such as {{'Q6': 2}}, and is {attention!r}")


def _table(
    path: Path, reading: Reading, drop: list[str], sep: str | None, encoding: str | None, sheet: str | None
) -> pd.DataFrame:
    """Text or workbook: a frame of cells, all of them text."""
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        lines, notes = read_workbook(path, sheet)
        reading.notes += notes
        reading.found = {"encoding": "xlsx", "sep": None}
    else:
        lines, reading.found = read_table(path, sep, encoding)
    export = platforms.recognise(lines, path.name)
    reading.platform, reading.labels = export.platform, export.labels
    reading.notes += export.notes
    names, rows = export.names, export.rows
    frame = pd.DataFrame(rows, columns=range(len(names)), dtype=object)
    for column in frame.columns:
        stripped = {c: c.strip() for c in frame[column].unique() if c != c.strip()}
        frame[column] = frame[column].replace(stripped) if stripped else frame[column]
    empty = [i for i, n in enumerate(names) if n == "" and (frame[i] == "").all()]
    frame = frame.drop(columns=empty)
    names = [n for i, n in enumerate(names) if i not in set(empty)]
    if names and all(re.fullmatch(r"-?\d+([.,]\d+)?", n) for n in names):
        raise DataError(f"{path.name}: the first line holds numbers ({', '.join(names[:4])}, ...), not names. Put a "
                        "line with the column names on top.")  # fmt: skip
    platforms.check_unique(names, path.name)
    frame.columns = pd.Index(names)
    reading.own = tuple(n for n in export.own if n not in drop)
    if drop:
        frame = frame.drop(columns=checks.columns(frame, drop))
    enough(frame, path.name)
    return frame


def _labelled(path: Path, reading: Reading, drop: list[str]) -> pd.DataFrame:
    nominal = (
        {}
        if reading.book is None
        else dict(zip(reading.book["variable"], map(is_nominal_line, reading.book["construct"]), strict=True))
    )
    file = read_labelled(path, nominal)
    reading.found = {"encoding": STATISTICS[path.suffix.lower()], "sep": None}
    reading.notes += file.notes
    reading.labels, reading.value_labels = file.labels, file.value_labels
    frame = file.data
    platforms.check_unique([str(c) for c in frame.columns], path.name)
    if drop:
        frame = frame.drop(columns=checks.columns(frame, drop))
    enough(frame, path.name)
    empty = [c for c in frame if frame[c].isna().all()]
    if empty:
        frame = frame.drop(columns=empty)
        reading.notes.append(f"columns without a value left out: {', '.join(map(repr, empty[:6]))}")
    reading.own = tuple(c for c in frame if c == FILTER)
    return frame


def _named_as_the_book(frame: pd.DataFrame, reading: Reading, drop: list[str]) -> pd.DataFrame:
    """Columns spelled as the codebook spells them; a variable that is no column is an error."""
    if reading.book is None:
        return frame
    plain: dict[str, list[str]] = {}
    for column in frame.columns:
        plain.setdefault(str(column).strip().casefold(), []).append(column)
    names = {}
    for variable in reading.book["variable"]:
        same = plain.get(variable.casefold(), [])
        if variable not in frame.columns and len(same) == 1:
            names[same[0]] = variable
    if names:
        reading.notes.append("spelled as in the codebook: " + ", ".join(f"{a!r} is {b!r}" for a, b in names.items()))
        frame = frame.rename(columns=names)
    absent = [v for v in reading.book["variable"] if v not in frame.columns and v not in drop]
    if len(absent) > max(2, len(reading.book) / 2):
        raise DataError(
            f"{len(absent)} of the {len(reading.book)} variables of the codebook are no columns of {reading.name} "
            f"({', '.join(map(repr, absent[:3]))}, ...; it has {', '.join(map(repr, frame.columns[:3]))}, ...): is it the codebook of another file, or another sheet?"
        )
    if absent:
        raise DataError(
            f"the codebook lists {absent[0]!r}, which is not a column of {reading.name}.{checks.suggest(absent[0], frame.columns)}"
            + (f" ({len(absent)} such variables.)" if len(absent) > 1 else "")
        )
    return frame


def _codes(missing: Sequence[str | float]) -> tuple[set[str], set[float]]:
    """Answers that mean none: as text, and as numbers compared by value."""
    numbers = set()
    for m in missing:
        plain = str(m).strip().replace(",", ".") if isinstance(m, str) else m
        try:
            numbers.add(float(plain))
        except (TypeError, ValueError):
            if not isinstance(m, str):
                raise DataError(f"missing must hold texts and numbers, and holds {m!r}") from None
    return {str(m).strip().casefold() for m in missing}, numbers


def _numeric_codes(frame: pd.DataFrame, codes: set[float]) -> pd.DataFrame:
    for column in frame.columns:
        if codes and pd.api.types.is_numeric_dtype(frame[column]) and frame[column].isin(codes).any():
            frame[column] = frame[column].where(~frame[column].isin(codes))
    return frame


def _cells_to_values(
    frame: pd.DataFrame, reading: Reading, missing: Sequence[str | float], decimal: str | None, thousands: str | None
) -> pd.DataFrame:
    """Gaps emptied, words turned into their numbers, and the rest read with one decimal sign."""
    texts, numbers = _codes(missing)
    filled = _without_gaps(frame, reading, texts)
    answers = {c: cells for c, cells in filled.items() if c not in reading.own}
    ranged = reading.of_book("low").index.intersection(reading.of_book("high").index)
    book = reading.of_book("variable" if reading.book is None else "low")
    points = {c: float(book.loc[c, "high"] - book.loc[c, "low"] + 1) for c in ranged}
    _words_to_numbers(answers, reading, points, book)
    _limesurvey_codes(answers, reading)
    answers = {c: small_integers(cells) for c, cells in answers.items()}
    values = filled | _texts_to_numbers(answers, reading, set(ranged), decimal, thousands)
    return _without_blank_code(_numeric_codes(pd.DataFrame(values), numbers), reading)


def _without_gaps(frame: pd.DataFrame, reading: Reading, texts: set[str]) -> dict[str, pd.Series]:
    """Cells that mean no answer emptied; columns without any value are refused, or left out of a platform's export."""
    kinds = {c: {cell: cell.casefold() for cell in frame[c].unique()} for c in frame.columns}
    seen = {word for cells in kinds.values() for word in cells.values()}
    for word in texts - seen:
        if not re.fullmatch(r"[-+]?\d*[.,]?\d+", word):
            close = difflib.get_close_matches(word, seen, n=1, cutoff=0.5)
            raise DataError(
                f"missing holds {word!r}, which no cell of {reading.name} is."
                + (f" Did you mean {close[0]!r}?" if close else "")
            )
    gaps = texts | NO_ANSWER | (reading.platform.gaps if reading.platform else frozenset())
    blank = {c: [cell for cell, word in cells.items() if word in gaps] for c, cells in kinds.items()}
    filled = {c: frame[c].where(~frame[c].isin(blank[c]), None) for c in frame.columns}
    empty = [c for c, cells in filled.items() if cells.isna().all()]
    if empty and reading.platform is None:
        raise DataError(
            f"column {empty[0]!r} of {reading.name} has no values at all; leave it out with drop=[{empty[0]!r}], or check "
            "the export"
        )
    if empty:
        reading.notes.append(f"{len(empty)} columns without a value left out: {', '.join(map(repr, empty[:6]))}")
    return {c: cells for c, cells in filled.items() if c not in empty}


def _texts_to_numbers(
    answers: dict[str, pd.Series], reading: Reading, ranged: set[str], decimal: str | None, thousands: str | None
) -> dict[str, pd.Series]:
    """Columns of text as numbers where they hold some; columns that prove their decimal sign speak for the others."""
    sep = reading.found["sep"] or "."
    worded = {c: cells.dropna().astype(str) for c, cells in answers.items() if cells.dtype == object}
    short = {c: cells for c, cells in worded.items() if c in ranged or not cells.str.len().median() > 40}
    own = [next(iter(p)) for p in (signs(cells).proven for cells in short.values()) if len(p) == 1]
    others = frozenset(own) if len(set(own)) == 1 else frozenset()
    sign = "." if sep == "." and not thousands else decimal
    out, anchored = dict(answers), []
    first: dict[str, str] = {}  # decimal sign: the first column that has it
    for column in short:
        text = answers[column]
        point = decimal_sign(text.dropna(), column, reading.name, sign, thousands, sep, others)
        done = to_column(text, column, reading.name, point, column in ranged)
        out[column] = done.values
        reading.notes += done.notes
        if done.labels:
            reading.value_labels[column] = done.labels
            anchored.append(next(iter(done.labels.values())))
        if done.decimal:
            first.setdefault(done.decimal, column)
    if anchored:
        reading.notes.append(
            f"anchored answers such as {anchored[0]!r} read as their numbers in {len(anchored)} columns"
        )
    if len(first) == 2 and sep != ",":
        raise DataError(
            f"{reading.name} has decimal commas in {first[',']!r} and decimal points in {first['.']!r}; "
            "make them the same, or read it with decimal=',' or decimal='.'"
        )
    reading.found["decimal"] = "," if "," in first else "."
    return out


def _without_blank_code(frame: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """A platform's number for "seen and not answered" is a gap in questions that are answered from 1 up to 7."""
    blank = float(reading.platform.blank or "nan") if reading.platform else np.nan
    begins = reading.of_book("low")["low"] if reading.book is not None else pd.Series(dtype=float)
    emptied = []
    for column in frame.columns.difference(reading.own, sort=False):
        if begins.get(column, 1.0) <= blank or not pd.api.types.is_numeric_dtype(frame[column]):
            continue
        hit, rest = frame[column] == blank, frame[column][frame[column] != blank].dropna()
        if hit.any() and hit.mean() < 0.2 and rest.nunique() >= 3 and rest.between(1, 7).all():
            frame[column] = frame[column].where(~hit)
            emptied.append(column)
    if emptied:
        reading.notes.append(
            f"{blank:g} means no answer in {len(emptied)} questions that are answered from 1 "
            f"({', '.join(map(repr, emptied[:4]))}, ...); a codebook with low 0 keeps it"
        )
    return frame


def _words_to_numbers(answers: dict, reading: Reading, points: Mapping[str, float], book: pd.DataFrame) -> None:
    """Replace answers in words by their numbers, in place, and note each set of words once."""
    nominal = set()
    if reading.book is not None:
        nominal = set(reading.book["variable"][reading.book["construct"].map(is_nominal_line)])
    for variable, told in (
        reading.of_book("values")["values"].items() if reading.book is not None and "values" in reading.book else ()
    ):
        if variable in nominal and (own := words_of(told)):
            reading.value_labels[variable] = {v: w for w, v in own.items()}
        if variable in answers and variable not in nominal and re.search(r"(^|;)\s*\?\s*=", told):
            raise DataError(f"the codebook's column 'values' of {variable!r} still has a question mark: write the "
                            "number of each answer in its place, such as '1 = "
                            f"{told.split('=')[1].split(';')[0].strip()}; 2 = ...'")  # fmt: skip
        own = {} if variable in nominal or variable not in answers else words_of(told)
        number = {w.casefold(): v for w, v in own.items()}
        cells = answers[variable].dropna().str.casefold() if own else pd.Series(dtype=object)
        if len(cells) and cells.isin(number).all():
            answers[variable] = answers[variable].str.casefold().map(number).astype(float)
            reading.value_labels[variable] = {v: w for w, v in own.items()}
    chosen = words.choose_scales(
        {c: s.dropna() for c, s in answers.items() if c not in nominal and s.dtype == object}, points
    )
    beside = {w for c in chosen for w in answers[c].dropna().unique() if words.normal(w) in words.NO_OPINION}
    if beside:
        count = sum(int(answers[c].isin(beside).sum()) for c in chosen)
        reading.notes.append(
            f"{count} answers beside the answer scales are gaps: {', '.join(map(repr, sorted(beside)))}"
        )
    for column, scale in chosen.items():
        low = float(book.loc[column, "low"]) if column in points and points[column] == scale.points else 1.0
        labels = {v - 1 + low: w for v, w in words.wording(scale, answers[column].dropna().unique()).items()}
        number = answers[column].map(
            lambda w, s=scale, shift=low - 1: np.nan if w is None else s.values.get(words.normal(w), np.nan) + shift
        )
        answers[column] = number.astype("int64") if number.notna().all() else number.astype(float)
        reading.value_labels[column] = labels
    for scale in {id(s): s for s in chosen.values()}.values():
        columns = [c for c, s in chosen.items() if s is scale]
        ends = reading.value_labels[columns[0]]
        used = frozenset(words.normal(w) for c in columns for w in reading.value_labels[c].values())
        other = sorted({s.points for s in words.fitting(used)} - {scale.points})
        reading.notes.append(
            f"{len(columns)} columns of {scale.kind} in words read as 1 to {scale.points} "
            f"({', '.join(f'{w} = {v:g}' for v, w in ends.items())})"
            + (
                f"; the words would fit {' or '.join(map(str, other))} points too: a codebook's range decides"
                if other
                else ""
            )  # fmt: skip
        )


def _limesurvey_codes(answers: dict, reading: Reading) -> None:
    """LimeSurvey's answer codes A1 to A5, or AO01 to AO05, are numbers."""
    if reading.platform is None or reading.platform.name != "LimeSurvey":
        return
    coded = []
    for column, cells in answers.items():
        number = cells.astype(object).dropna().astype(str).str.extract(r"^AO?0*(\d{1,2})$")[0]
        if len(number) and number.notna().all():
            answers[column] = pd.to_numeric(number).astype(float).reindex(cells.index)
            coded.append(column)
    if coded:
        reading.notes.append(f"answer codes A1, A2, ... of {len(coded)} columns read as 1, 2, ...")


def _finish(frame: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    gone = [f"{s['dropped']} {s['step']}" for s in reading.flow[1:] if s["dropped"]]
    name = reading.platform.name if reading.platform else None
    start = f"{reading.name}: " + (f"a {name} export; " if name else "")
    said = f"{start}{reading.flow[0]['left']} records read" + (
        f", {', '.join(gone)} left out, {len(frame)} remain (keep='all' keeps them)" if gone else ""
    )
    kinds = reading.of_book("construct")["construct"].str.strip().str.casefold() if reading.book is not None else None
    for column in () if kinds is None else kinds.index[kinds.isin(["key", "id"])].intersection(frame.columns):
        if again := frame[column][frame[column].duplicated() & frame[column].notna()].unique().tolist():
            twice = f"{len(again)} values of {column!r} occur more than once ({', '.join(map(str, again[:4]))}); all their records are kept, so see which to drop"
            reading.notes.append(twice)
            said, gone = f"{said}; {twice}", [*gone, twice]
    frame.attrs["read"] = {
        "file": reading.name,
        "platform": reading.platform.name if reading.platform else None,
        **reading.found,
        "rows": len(frame),
        "said": said,
        "notes": list(reading.notes),
    }
    frame.attrs["flow"] = reading.flow
    frame.attrs["labels"] = {c: w for c, w in reading.labels.items() if c in frame}
    frame.attrs["value_labels"] = {c: w for c, w in reading.value_labels.items() if c in frame}
    frame.attrs["attention"] = reading.attention
    frame.attrs["platform_columns"] = [c for c in reading.own if c in frame]
    if gone or name:
        warnings.warn(said, SurveyNote, stacklevel=3)
    return frame
