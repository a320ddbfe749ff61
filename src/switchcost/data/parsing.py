"""Read a text table as people save it, and say in one sentence what is wrong with it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from .._core import checks
from .._core.errors import DataError

#: Cells that mean "no answer" in a survey file, whatever the column.
NO_ANSWER = frozenset(
    {"", "na", "n/a", "#n/a", "nan", "null", "#null!", "none", ".", "-", "--", "n.a.", "#value!", "#div/0!"}
)


_NOT_CSV = (
    (b"PK\x03\x04", "an Excel or other zipped workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"$FL2", "an SPSS file"),
    (b"$FL3", "an SPSS file"),
    (b"<stata_dta>", "a Stata file"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"RDX", "an R data file"),
)


_MEND = {
    "an Excel or other zipped workbook": "In Excel choose 'Save as', 'CSV UTF-8', and read that file",
    "an old Excel workbook": "In Excel choose 'Save as', 'CSV UTF-8', and read that file",
    "an SPSS file": "In SPSS choose 'Save as', 'CSV'; or pd.read_spss(path)",
    "a Stata file": "Export it as CSV; or pd.read_stata(path)",
    "a PDF": "Ask for the table behind it, or type it into a CSV",
    "a gzip archive": "Unpack it first",
    "an R data file": "In R: write.csv(data, 'data.csv', row.names = FALSE)",
}


def _decode(raw: bytes, encoding: str | None, name: str) -> tuple[str, str]:
    if encoding is not None:
        try:
            return raw.decode(encoding), encoding
        except LookupError:
            raise DataError(f"there is no encoding {encoding!r}. Try 'utf-8', 'gb18030' or 'latin-1'.") from None
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name} is not {encoding} (byte {error.start}). Leave out encoding, and it is found by itself."
            ) from None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16"), "utf-16"
    if raw.startswith(b"\xef\xbb\xbf"):
        return raw.decode("utf-8-sig", errors="strict"), "utf-8-sig"
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        text = raw.decode("gb18030")
        # Nearly every byte string is valid GB 18030; only common Chinese characters and punctuation count as Chinese.
        odd = [c for c in text if ord(c) > 127]
        if sum(
            "\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u303f" or "\uff00" <= c <= "\uffef" for c in odd
        ) >= 0.9 * len(odd):
            # Accented Latin letters decode to rare characters next to ASCII; pairs of high bytes are Chinese.
            high = re.findall(rb"[\x80-\xff]+", raw)
            if all(len(h) % 2 == 0 for h in high):
                return text, "gb18030"
    except UnicodeDecodeError:
        pass
    return raw.decode("latin-1"), "latin-1"


def read_table(path: Path, sep: str | None, encoding: str | None) -> tuple[list[str], list[list[str]], dict]:
    """Read a text table into header and cells; every fault of the file as a whole is named here."""
    name = path.name
    if not path.exists():
        near = [p.name for p in path.parent.glob("*.[ct]sv")] if path.parent.is_dir() else []
        raise DataError(f"there is no file {str(path)!r}.{checks.suggest(name, near)}")
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder; name the CSV file in it")
    raw = path.read_bytes()
    if not raw.strip():
        raise DataError(f"{name} is empty; save the data again and check that they are in the file")
    for magic, what in _NOT_CSV:
        if raw.startswith(magic):
            raise DataError(f"{name} is {what}, not a text file. {_MEND[what]}.")
    text, encoding = _decode(raw, encoding, name)
    if "\x00" in text:
        raise DataError(f"{name} holds binary data, not text; export it as CSV from the program that wrote it")
    text = text.lstrip("\ufeff")
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        raise DataError(
            f"{name} is a web page, not data: the download link asked for a login or moved. Download the file itself."
        )
    first = text.lstrip("\r\n").splitlines()[0]
    if sep is None:
        if first.lower().startswith("sep=") and len(first) == 5:  # Excel's own hint line
            sep = first[4]
            text = text.lstrip("\r\n")[len(first) :]
            first = text.lstrip("\r\n").splitlines()[0] if text.strip() else ""
        else:
            unquoted = re.sub(r'"[^"]*"', "", first)
            counts = {s: unquoted.count(s) for s in (",", ";", "\t", "|")}
            sep = max(counts, key=counts.get) if any(counts.values()) else ","
    elif len(sep) != 1:
        raise DataError(f"sep must be one character such as ',' or ';' and is {sep!r}")
    try:
        lines = [(i, row) for i, row in _numbered(text, sep) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(
            f"{name} cannot be read as a table ({error}); look for a quotation mark that is never closed"
        ) from None
    if not lines:
        raise DataError(f"{name} is empty; save the data again and check that they are in the file")
    header = [cell.strip() for cell in lines[0][1]]
    body = lines[1:]
    if len(header) == 1 and body:
        others = [s for s in (",", ";", "\t", "|") if s != sep and s in header[0]]
        if others:
            raise DataError(
                f"{name} has one column when split at {sep!r}, and its first line holds {others[0]!r}: "
                f"read it with sep={others[0]!r}, or leave sep out"
            )
    quoted = [i for i, row in body if any("\n" in cell and cell.count("\n") > 20 for cell in row)]
    if quoted:
        raise DataError(
            f"{name}, line {quoted[0]}: a quotation mark is opened and closed many lines later; delete or double it"
        )
    ragged = [(i, len(row)) for i, row in body if len(row) != len(header) and not _only_empty_tail(row, len(header))]
    if ragged:
        line, found = ragged[0]
        hint = (
            " Decimal commas in a file that is split at commas do this: save it with ';' or with decimal points."
            if sep == "," and found > len(header) and len(ragged) > len(body) / 2
            else " Look for a separator inside an answer, or a line that was cut."
        )
        raise DataError(
            f"{name}, line {line}: {found} cells where the header has {len(header)} ({len(ragged)} such lines).{hint}"
        )
    rows = [row[: len(header)] + [""] * (len(header) - len(row)) for _, row in body]
    return header, rows, {"encoding": encoding, "sep": sep}


def _numbered(text: str, sep: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(10**8)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sep, skipinitialspace=True)
    for row in reader:
        yield reader.line_num, row


def _only_empty_tail(row: list[str], width: int) -> bool:
    return len(row) > width and not any(cell.strip() for cell in row[width:])


def plain(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value).strip().lower()


DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T]\d.*)?|\d{1,2}[- ][A-Za-z]{3,9}(?:[- ]\d{2,4})?|[A-Za-z]{3}[- ]\d{1,4}"
)


def to_numbers(text: pd.Series, column: str, name: str, decimal: str | None, must: bool) -> tuple[pd.Series, str]:
    """Turn one column of cells into numbers if that is what it is. Returns the values and the decimal sign seen."""
    filled = text.dropna()
    comma = filled.str.fullmatch(r"[-+]?\d*,\d+")
    point = filled.str.fullmatch(r"[-+]?\d*\.\d+")
    style = ""
    if comma.any() and point.any():
        raise DataError(
            f"column {column!r} of {name} mixes decimal commas ({filled[comma].iloc[0]!r}) and decimal points "
            f"({filled[point].iloc[0]!r}); make them the same in the file"
        )
    if decimal == "," and point.any():
        raise DataError(
            f"column {column!r} of {name} holds {filled[point].iloc[0]!r}: not a number with decimal=','; leave decimal out"
        )
    if decimal == "." and comma.any():
        raise DataError(
            f"column {column!r} of {name} holds {filled[comma].iloc[0]!r}: not a number with decimal='.'; leave decimal out"
        )
    if comma.any():
        style = ","
        text = text.copy()
        text[filled.index[comma]] = filled[comma].str.replace(",", ".", regex=False)
    elif point.any():
        style = "."
    number = pd.to_numeric(text, errors="coerce")
    bad = filled[number[filled.index].isna()]
    infinite = np.isinf(number.to_numpy(dtype=float, na_value=np.nan))
    if infinite.any():
        raise DataError(
            f"column {column!r} of {name} holds infinite values in {int(infinite.sum())} rows; replace them by an empty cell"
        )
    if len(bad) == 0:
        whole = number.dropna()
        if number.notna().all() and style == "" and (whole == np.floor(whole)).all():
            return number.astype("int64"), style
        return number.astype(float), style
    share = 1 - len(bad) / len(filled)
    if share < 0.5 and not must:
        return text, ""
    shown = ", ".join(repr(v) for v in bad.unique()[:3])
    rows = f"in {len(bad)} row{'s' if len(bad) > 1 else ''}"
    if bad.str.fullmatch(DATE.pattern).all():
        raise DataError(
            f"column {column!r} of {name} holds dates {rows} ({shown}): a spreadsheet turned answers such as 3-4 into "
            "dates. Correct them in the source and export again."
        )
    if bad.str.fullmatch(r"[-+]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?").all():
        raise DataError(
            f"column {column!r} of {name} has thousands separators {rows} ({shown}); export the numbers without them"
        )
    if bad.str.fullmatch(r"[-+]?[\d.,]+\s*(%|€|\$|£|¥|元)|(€|\$|£|¥)\s*[-+]?[\d.,]+").all():
        raise DataError(
            f"column {column!r} of {name} has signs beside the numbers {rows} ({shown}); export the numbers without them"
        )
    if share == 0:
        raise DataError(
            f"column {column!r} of {name} holds words where the codebook has a range ({shown}); recode them to numbers, "
            "for example data[column].map({'agree': 4, ...})"
        )
    raise DataError(
        f"column {column!r} of {name} holds text {rows} among numbers: {shown}. "
        f"If it means no answer, read with missing=[{bad.iloc[0]!r}]; otherwise correct it in the file."
    )
