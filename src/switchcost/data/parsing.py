"""Read a text table as people save it, and say in one sentence what is wrong with it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from ..core import checks
from ..core.errors import DataError
from .encoding import decode

_SEPARATORS = (",", ";", "\t", "|")
MAX_BYTES, MAX_COLUMNS, MAX_CELLS = 100_000_000, 5_000, 10_000_000


_NOT_TEXT = (
    (b"PK\x03\x04.{26}mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "an OpenDocument table (.ods)", "In LibreOffice choose 'Save as', 'Excel 2007-365 (.xlsx)'"),
    (b"PK\x03\x04", "a zipped file or Excel workbook", "Unpack it, or give it the ending .xlsx if it is a workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls), or one with a password", "In Excel take the password off and choose 'Save as', '.xlsx'"),
    (b"[$]FL2", "an SPSS file", "Give it the ending .sav"),
    (b"[$]FL3", "an SPSS file", "Give it the ending .zsav"),
    (b"<stata_dta>", "a Stata file", "Give it the ending .dta"),
    (b"%PDF", "a PDF", "Ask for the table behind it, or type it into a CSV"),
    (b"\x1f\x8b", "a gzip archive", "Unpack it first"),
    (b"RDX", "an R data file", "In R: write.csv(data, 'data.csv', row.names = FALSE)"),
)  # fmt: skip


def existing_file(path: Path) -> Path:
    """Return ``path`` when it is a file of a size that a survey can have."""
    if not path.exists():
        near = [p.name for p in path.parent.iterdir()][:500] if path.parent.is_dir() else []
        raise DataError(f"there is no file {str(path)!r}.{checks.suggest(path.name, near)}")
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder; name the data file in it")
    if not path.is_file():
        raise DataError(f"{str(path)!r} is not a file that can be read (a pipe or a device)")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise DataError(
            f"{path.name} has {size / 1e6:.0f} MB and survey files up to {MAX_BYTES / 1e6:.0f} MB are read here; "
            "take the columns you need first: pd.read_csv(path, usecols=[...])"
        )
    return path


def refuse_other_kinds(raw: bytes, name: str, of_kind: str = "") -> None:
    """Raise for what is no text file, by its first bytes."""
    for magic, what, mend in _NOT_TEXT:
        if re.match(magic, raw, re.DOTALL) and not (of_kind and of_kind in mend + what):
            raise DataError(f"{name} is {what}, not a {of_kind or 'text'} file. {mend}.")


def enough_memory(lines: int, columns: int, name: str) -> None:
    """Raise where a file has more columns or cells than a survey."""
    if columns > MAX_COLUMNS:
        raise DataError(f"{name} has {columns} columns, and up to {MAX_COLUMNS} are read; are rows and columns swapped?")  # fmt: skip
    if lines * columns > MAX_CELLS:
        raise DataError(
            f"{name} has about {lines} lines of {columns} columns, and up to {MAX_CELLS / 1e6:.0f} million cells are read here; "
            "take the columns you need first: pd.read_csv(path, usecols=[...])"
        )


def read_table(path: Path, sep: str | None = None, encoding: str | None = None) -> tuple[list[list[str]], dict]:
    """Read a text table into lines of cells, all as long as the first; what is wrong with the file is named here."""
    name = path.name
    raw = existing_file(path).read_bytes()
    if not raw.strip():
        raise DataError(f"{name} is empty; save the data again and check that they are in the file")
    refuse_other_kinds(raw, name)
    text, encoding = decode(raw, encoding, name)
    if "\x00" in text:
        raise DataError(f"{name} holds binary data, not text; export it as CSV from the program that wrote it")
    text = text.lstrip("\ufeff")
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        raise DataError(f"{name} is a web page, not data: the download link asked for a login or moved. Download the "
                        "file itself.")  # fmt: skip
    text, sep = _separator(text.lstrip("\r\n"), sep)
    enough_memory(text.count("\n") + 1, text[: text.find("\n")].count(sep) + 1, name)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=sep, skipinitialspace=True)
        lines = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(
            f"{name} cannot be read as a table ({error}); look for a quotation mark that is never closed"
        ) from None
    if not lines:
        raise DataError(f"{name} is empty; save the data again and check that they are in the file")
    header = lines[0][1]
    body = lines[1:]
    if len(header) == 1 and body:
        others = [s for s in _SEPARATORS if s != sep and s in header[0]]
        if others:
            raise DataError(
                f"{name} has one column when split at {sep!r}, and its first line holds {others[0]!r}: "
                f"read it with sep={others[0]!r}, or leave sep out"
            )
    quoted = [i for i, row in body if any(cell.count("\n") > 20 for cell in row)]
    if quoted:
        raise DataError(f"{name}, line {quoted[0]}: a quotation mark is opened and closed many lines later; delete "
                        "or double it")  # fmt: skip
    # A separator at the end of every line leaves a last cell without anything in it, in the header as well.
    while header and header[-1].strip() == "" and not any("".join(row[len(header) - 1 :]).strip() for _, row in body):
        header = header[:-1]
    ragged = [(i, len(row)) for i, row in body if len(row) != len(header) and not _only_empty_tail(row, len(header))]
    if ragged:
        line, found = ragged[0]
        hint = (
            " Decimal commas in a file that is split at commas do this: save it with ';' or with decimal points."
            if sep == "," and found > len(header) and len(ragged) > len(body) / 2
            else " Look for a separator inside an answer, or a line that was cut."
        )
        raise DataError(f"{name}, line {line}: {found} cells where the header has {len(header)} ({len(ragged)} such "
                        f"lines).{hint}")  # fmt: skip
    return [header, *(row[: len(header)] for _, row in body)], {"encoding": encoding, "sep": sep}


def _separator(text: str, sep: str | None) -> tuple[str, str]:
    """The text without Excel's own hint line, and the sign that its header is split at."""
    if sep is not None:
        if not isinstance(sep, str) or len(sep) != 1 or sep in '"\r\n':
            raise DataError(f"sep must be one character such as ',' or ';' and is {sep!r}")
        return text, sep
    first = text.splitlines()[0] if text.strip() else ""
    if first.lower().startswith("sep=") and len(first) == 5:
        return text[len(first) :], first[4]
    unquoted = re.sub(r'"[^"]*"', "", first)
    best = max(_SEPARATORS, key=unquoted.count)
    return text, best if best in unquoted else ","


def _only_empty_tail(row: list[str], width: int) -> bool:
    return len(row) > width and not any(cell.strip() for cell in row[width:])
