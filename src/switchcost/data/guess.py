"""A codebook to begin with, guessed from the data; the person corrects it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ..core import checks
from .binary import FILTER
from .codebook import CODEBOOK_COLUMNS
from .words import block_of

PLATFORM = "platform"
_ID = re.compile(r"(^|[_. ])(id|nr|no|number|code|case|caseid|lfdn|serial)\b|id$|编号|序号|学号", re.IGNORECASE)


def skeleton(data: pd.DataFrame) -> pd.DataFrame:
    """Guess a codebook from survey data: one line a column, and what was guessed in words.

    Parameters
    ----------
    data : DataFrame
        Best as :func:`switchcost.read_survey` returned it, since wordings and value labels come with it.

    Returns
    -------
    DataFrame
        ``variable``, ``short`` (a name that a model can spell), ``construct`` (scales guessed by shared stem or question,
        ``group`` for categories, ``background``, ``id`` for running numbers, ``platform``, ``attention``, ``text``), ``label_en``,
        ``label_zh``, ``low``, ``high``, ``reverse`` (1 where an item runs against the rest of its block), ``missing_code``,
        ``source``, ``values`` (categories or value labels) and ``guessed``.

    Raises
    ------
    DataError
        ``data`` is no DataFrame with rows and unique names.

    Notes
    -----
    An item runs against its block when its loading on the first principal component of the block's correlations has the
    other sign than most; with half of the items each way the guess says so. The ends of a scale are those of the value
    labels, else the smallest and largest answer in its block, so a scale whose ends nobody chose needs a look.

    Examples
    --------
    >>> import switchcost as sc
    >>> from switchcost.data import skeleton
    >>> book = skeleton(sc.load("mobi")[["CUEX1", "CUEX2", "CUEX3"]])
    >>> book.loc[0, "construct"], float(book.loc[0, "low"]), float(book.loc[0, "high"])
    ('CUEX', 1.0, 10.0)
    """
    data = checks.frame(data)
    own = set(data.attrs.get("platform_columns", ()))
    labels, value_labels = data.attrs.get("labels", {}), data.attrs.get("value_labels", {})
    lines = {str(c): _line(data[c], str(c), labels, value_labels, str(c) in own) for c in data.columns}
    questions = {name: block_of(name) for name in lines}
    worded = _same_words(data, lines, questions)
    blocks: dict[str, list[str]] = {}
    for name, line in lines.items():
        if line["construct"] == "" or name in worded:
            blocks.setdefault(questions[name], []).append(name)
    for name, answer in data.attrs.get("attention", {}).items():
        if name in lines and isinstance(answer, (int, float, np.number)):
            said = f"an attention item whose right answer is {answer:g}"
            lines[name].update(construct="attention", low=float(answer), high=float(answer), guessed=said)
    unnamed = 0
    for stem, items in blocks.items():
        scale = _spell(stem, unnamed + 1, "scale")
        unnamed += len(items) > 1 and scale == f"scale{unnamed + 1}"
        _without_question(items, lines)
        if items[0] in worded:
            _ask_for_numbers(items, scale, lines, worded)
        else:
            _fill_block(data, items, scale, lines, value_labels)
    book = pd.DataFrame(list(lines.values()))
    book.insert(1, "short", _short_names(book))
    return book[["variable", "short", *CODEBOOK_COLUMNS[1:], "values", "guessed"]]


def _line(column: pd.Series, name: str, labels: dict, value_labels: dict, platform: bool) -> dict:
    """One line; ``construct`` stays empty for what looks like an item."""
    line: dict[str, object] = dict.fromkeys([*CODEBOOK_COLUMNS, "values", "guessed"], "")
    wording = labels.get(name, name)
    is_chinese = bool(re.search("[\u4e00-\u9fff]", wording))
    line.update(variable=name, label_en="" if is_chinese else wording, label_zh=wording if is_chinese else "")
    filled = column.dropna()
    if platform:
        said = "0 marks records that were not selected in SPSS" if name == FILTER else "written by the survey platform"
        line.update(construct=PLATFORM, guessed=f"{said}, no answer")
    elif not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        kinds = filled.astype(str).value_counts()
        if 2 <= len(kinds) <= 15:
            line.update(construct="group", values="; ".join(kinds.index), guessed=f"{len(kinds)} categories")
        else:
            line.update(construct="text", guessed=f"{len(kinds)} different text{'s' * (len(kinds) != 1)}")
    else:
        _number(line, filled, value_labels.get(name, {}))
    return line


def _same_words(data: pd.DataFrame, lines: dict[str, dict], questions: dict[str, str]) -> dict[str, list[str]]:
    """Columns of one question that are answered in the same 3 to 11 words, which no table of answer scales knows."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, line in lines.items():
        if line["construct"] == "group" and not pd.api.types.is_numeric_dtype(data[name]):
            found.setdefault(questions[name], {})[name] = list(data[name].dropna().astype(str).value_counts().index)
    out = {}
    for columns in found.values():
        every = list(dict.fromkeys(w for own in columns.values() for w in own))
        if len(columns) > 1 and 3 <= len(every) <= 11 and all(len(own) > len(every) / 2 for own in columns.values()):
            out.update(dict.fromkeys(columns, every))
    return out


def _ask_for_numbers(items: list[str], scale: str, lines: dict[str, dict], worded: dict[str, list[str]]) -> None:
    for name in items:
        said = f"{len(items)} columns are answered in the same {len(worded[name])} words: write the number of each in the place of its ?"
        lines[name].update(construct=scale, reverse=0, values="; ".join(f"? = {w}" for w in worded[name]), guessed=said)


def _without_question(items: list[str], lines: dict[str, dict]) -> None:
    """The wordings of a matrix without the question that all of them repeat."""
    for label in ("label_en", "label_zh"):
        parts = [re.fullmatch(r"(.{3,}?)\s*(?:\[(.+)\]|(?:\u2014| - )(.+))", str(lines[n][label])) for n in items]
        if len(items) > 1 and all(parts) and len({m[1] for m in parts if m}) == 1:
            for name, m in zip(items, parts, strict=True):
                lines[name][label] = (m[2] or m[3]).strip()  # type: ignore[index]


def _number(line: dict, filled: pd.Series, words: dict[float, str]) -> None:
    levels = np.unique(filled.to_numpy(float))
    coded = [
        c
        for c in checks.CODES
        if c in levels and len(levels) > 2 and checks.stands_apart(c, levels[levels != c], certain=False)
    ]
    if coded:
        line.update(missing_code=coded[0], guessed=f"{coded[0]} stands apart from the other answers; ")
        levels = levels[~np.isin(levels, coded)]
    if words:
        line["values"] = "; ".join(f"{v:g} = {w}" for v, w in words.items())
    whole, each = bool((levels == np.floor(levels)).all()), len(levels) == len(filled) > 11
    if whole and len(levels) == 2 and not words:
        line.update(construct="group", values="; ".join(f"{v:g}" for v in levels), guessed=f"{line['guessed']}two values")  # fmt: skip
    elif whole and each and (np.ptp(levels) == len(levels) - 1 or _ID.search(line["variable"])):
        line.update(construct="id", guessed=f"a number of the record, {levels[0]:.0f} to {levels[-1]:.0f}")
    elif not (whole and 2 <= len(levels) <= 11 and levels[0] >= -5 and levels[-1] <= 11):
        span = f"{levels[0]:g} to {levels[-1]:g}" if len(levels) else "no values"
        line.update(construct="background", guessed=f"{line['guessed']}a number, {span}")


def _fill_block(data: pd.DataFrame, items: list[str], scale: str, lines: dict[str, dict], value_labels: dict) -> None:
    """Range, scale and direction of the items of one block, in place."""
    x = data[items].apply(pd.to_numeric).astype(float)
    for name in items:
        if lines[name]["missing_code"] != "":
            x[name] = x[name].where(x[name] != lines[name]["missing_code"])
    named = [v for i in items for v in value_labels.get(i, {})]
    low, high = (min(named), max(named)) if len(named) >= 2 else (x.min().min(), x.max().max())
    ends = "labels" if len(named) >= 2 else "smallest and largest answer"
    against, note = _against(x)
    single = len(items) == 1
    for name in items:
        turned = name in against
        said = "a single item" if single else f"{len(items)} columns share a name or question"
        lines[name].update(
            construct="background" if single else scale,
            low=float(low),
            high=float(high),
            reverse=int(turned),
            guessed=f"{lines[name]['guessed']}{said}; range from {ends}"
            + ("; runs against its scale" if turned else "")
            + note,
        )


def _against(x: pd.DataFrame) -> tuple[set[str], str]:
    """Items with the other sign than most on the first component."""
    if x.shape[1] < 3 or len(x) < 10:
        return set(), "" if x.shape[1] < 2 else "; too little to guess directions"
    r = x.corr().fillna(0.0).to_numpy().copy()
    np.fill_diagonal(r, 1.0)
    first = np.linalg.eigh(r)[1][:, -1]
    first[np.abs(first) < 0.2 * np.abs(first).max()] = 0.0
    up, down = (first > 0).sum(), (first < 0).sum()
    if up == down:
        return set(), "; half of the items run each way: say which are reversed"
    return {c for c, v in zip(x.columns, first, strict=True) if v * (up - down) < 0}, ""


def _spell(text: str, number: int, otherwise: str) -> str:
    """A name that the model language can spell, near to the text where that is one short word."""
    word = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_")
    return word if re.fullmatch(r"[A-Za-z]\w{0,19}", word, re.ASCII) else f"{otherwise}{number}"


def _short_names(book: pd.DataFrame) -> list[str]:
    taken: dict[str, int] = {}
    out = []
    within: dict[str, int] = {}
    for variable, construct in zip(book["variable"], book["construct"], strict=True):
        within[construct] = within.get(construct, 0) + 1
        code = re.match(r"[A-Za-z]{1,12}[_ ]?\d+[a-z]?(?=[.:]?\s)", variable)  # "SC1 Changing costs time"
        name = _spell(code[0] if code else variable, within[construct], f"{_spell(construct, 1, 'q')}_")
        taken[name] = taken.get(name, 0) + 1
        out.append(name if taken[name] == 1 else f"{name}_{taken[name]}")
    return out
