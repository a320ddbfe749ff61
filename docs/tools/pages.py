"""The pages of the site that are computed: map, data sets, board, glossary, functions, commands, status."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from functools import cache
from html import escape
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
from terms import entries, pattern

import switchcost as sc
from coursepages import pages as notebooks
from papercheck import board as replicate

ROOT = Path(__file__).resolve().parents[2]
PARTS = {
    "Start": range(0, 3), "The three-dimension scale": range(3, 8),
    "Satisfaction, switching costs, loyalty": range(8, 17), "What customers do": range(17, 24),
    "Your own study": range(24, 26),
}  # fmt: skip
SIMULATED = r"sc\.simulate\.|\bsimulate\.\w+\("


def raw(html: str) -> str:
    """HTML as a block of a Markdown page."""
    return "\n".join(["```{raw} html", html, "```", ""])


def table(frame: pd.DataFrame, label: str, name: str = "") -> str:
    """A table that scrolls sideways where it is too wide; every cell is escaped."""
    html = frame.astype(object).where(frame.notna(), "").to_html(index=False, border=0, escape=True)
    html = html.replace(' class="dataframe"', f' class="table{" " + name if name else ""}"').replace(
        ' style="text-align: right;"', ""
    )
    return raw(f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">\n{html}\n</div>')


@cache
def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


@cache
def datasets() -> pd.DataFrame:
    return sc.datasets()


@cache
def uses(path: Path) -> tuple[list[str], list[str]]:
    """Names of the data sets and studies that a notebook opens, and what kind each is."""
    code = "\n".join("".join(c["source"]) for c in cells(path) if c["cell_type"] == "code")
    kinds = datasets()["kind"]
    opened = [n for n in dict.fromkeys(re.findall(r"""["'](\w+)["']""", code)) if n in kinds.index]
    found = {kinds[n] for n in opened} | ({"simulated"} if re.search(SIMULATED, code) else set())
    words = {"raw survey": "real answers", "choices": "real choices", "counts": "real departures"}
    words |= {"simulated": "simulated", "published tables": "printed tables"}
    return opened, [words[k] for k in words if k in found]


def map_of_pages() -> str:
    """The notebooks by part: title, minutes, what they rest on."""
    contents, lines = notebooks.contents(), []
    for part, numbers in PARTS.items():
        lines += ["", f"### {part}", "", "| | page | minutes | rests on |", "|---|---|---:|---|"]
        for number, row in contents.loc[[f"{n:02d}" for n in numbers]].iterrows():
            rests = ", ".join(uses(notebooks.NOTEBOOKS / row.file)[1]) or "simulated"
            lines.append(f"| {number} | [{row.title}](notebooks/{row.file}) | {row.minutes} | {rests} |")
    return "\n".join([*lines, "", f"{contents.minutes.sum() / 60:.0f} hours in all, exercises included."])


def real_or_simulated() -> str:
    listed = datasets()
    listed = listed[listed.kind != "published tables"]
    words = {"simulated": "**simulated**, truth written down"}
    lines = ["| data | what it is | pages |", "|---|---|---|"]
    for name, row in listed.iterrows():
        where = [p for p in notebooks.paths() if name in uses(p)[0]]
        links = " ".join(f"[{p.name[:2]}](notebooks/{p.name})" for p in where)
        lines.append(f"| [{name}](data/{name}.md) | {words.get(row.kind, 'real: ' + row.kind)} | {links} |")
    return "\n".join(lines)


def data_pages(folder: Path) -> None:
    """One page a data set or study: its README and its codebook."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = datasets()
    for name in listed.index:
        home = next(p.parent for p in sorted((ROOT / "data").glob(f"*/{name}/README.md")))
        text = re.sub(r"^# .*\n", "", home.joinpath("README.md").read_text(encoding="utf-8"), count=1)
        book = pd.read_csv(home / "codebook.csv", dtype=str, keep_default_na=False)
        book = book.loc[:, (book != "").any()]
        where = [p for p in notebooks.paths() if name in uses(p)[0]]
        links = ", ".join(f"[{p.name[:2]}](../notebooks/{p.name})" for p in where) or "no page yet"
        folder.joinpath(f"{name}.md").write_text(
            f"# {name}: {listed.kind[name]}\n\nUsed on the pages {links}.\n\n{text}\n\n## Codebook\n\n"
            + table(book, f"Codebook of {name}"),
            encoding="utf-8",
        )
    lines = [
        "# Data",
        "",
        "Real answers, simulated ones, and printed tables; each page has origin, licence and codebook.",
    ]
    for kind, names in listed.groupby("kind", sort=False).groups.items():
        lines += ["", f"## {kind[0].upper() + kind[1:]}", "", "```{toctree}", ":maxdepth: 1", "", *names, "```"]
    folder.joinpath("index.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def board_page() -> str:
    """Every printed number with its verdict, to be sorted and searched."""
    board = sc.scoreboard()
    rows = board.table
    shown = [
        "study", "quantity", "row", "column", "printed", "reproduced", "verdict", "basis", "reason", "notebook"
    ]  # fmt: skip
    lines = []
    for row in rows.sort_values(["study", "table"], kind="stable").to_dict("records"):
        spot = ["" if pd.isna(row[c]) else row[c] for c in shown]
        spot[5] = f"{spot[5]:.{row['decimals'] + 1}f}" if spot[5] != "" else ""
        page = escape(str(spot[9]))
        link = f'<a href="notebooks/{page}.html">{page[:2]}</a>' if page else ""
        lines.append("<tr>" + "".join(f"<td>{escape(str(v))}</td>" for v in spot[:9]) + f"<td>{link}</td></tr>")
    heads = "".join(f'<th scope="col" aria-sort="none"><button type="button">{c}</button></th>' for c in shown)
    choices = {c: sorted(set(rows[c])) for c in ("study", "verdict")}
    selects = "".join(
        f'<label>{c} <select data-column="{shown.index(c)}"><option value="">all</option>'
        + "".join(f"<option>{escape(v)}</option>" for v in values)
        + "</select></label>"
        for c, values in choices.items()
    )
    html = (
        f'<div class="board-tools"><label>search <input type="search" id="board-search"></label>{selects}'
        f'<output id="board-count" aria-live="polite">{len(rows)} numbers</output></div>\n'
        '<div class="scroll" tabindex="0" role="region" aria-label="The board">\n<table class="table board" id="board">\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n" + "\n".join(lines) + "\n</tbody></table></div>"
    )
    words = """
| verdict | meaning |
|---|---|
| exact | equal at the printed digits |
| within rounding | inside what rounding of the printed inputs allows |
| within interval | a bootstrap figure inside its simulation error |
| different | outside all of these |
| inconsistent | no value of what is unprinted can make the printed numbers agree |
| not comparable | something that would be needed was not printed; the reason says what |

Basis: `answers` were computed again from people's answers; `printed` follows from other numbers of the same work (the
arithmetic is right, not the finding); `assumed` needs a quantity that is not printed. The three are never added up.
"""
    intro = f"# The board: {len(rows)} printed numbers with a verdict each\n\nClick a column's head to sort by it.\n"
    counts = replicate.summary(board).reset_index()
    counts = (
        counts[["study", *replicate.VERDICTS, "numbers", "constraints"]].astype(str).replace(r"\.0$", "", regex=True)
    )
    return "\n".join([intro, raw(html), words, "## Counts of each study\n", table(counts, "Counts of each study")])


def glossary_page() -> str:
    """English, Chinese, usage, and the pages that use the term."""
    expression, where = pattern()
    used: dict[str, list[str]] = {}
    for path in notebooks.paths():
        prose = "\n".join("".join(c["source"]) for c in cells(path) if c["cell_type"] == "markdown")
        for anchor in dict.fromkeys(where[m[1].lower()] for m in expression.finditer(prose)):
            used.setdefault(anchor, []).append(path.stem)
    lines = []
    for row in entries():
        links = " ".join(f'<a href="notebooks/{p}.html">{p[:2]}</a>' for p in used.get(row["anchor"], []))
        lines.append(
            f'<tr id="{row["anchor"]}"><td>{escape(row["term_en"])}</td><td lang="zh">{escape(row["term_zh"])}</td>'
            f"<td>{escape(row['note'])}</td><td>{links}</td></tr>"
        )
    heads = "".join(f'<th scope="col">{h}</th>' for h in ("English", "中文", "usage", "pages"))
    html = (
        '<div class="scroll" tabindex="0" role="region" aria-label="Glossary"><table class="table">'
        f"<thead><tr>{heads}</tr></thead><tbody>\n" + "\n".join(lines) + "\n</tbody></table></div>"
    )
    return (
        "# Glossary, English and Chinese\n\nThe Chinese terms are those of the mainland literature; the third column says "
        "what else is in use. The first time that a page uses a term, it links here.\n\n" + raw(html)
    )


def _entry(owner: str, name: str, thing: Any) -> list[str]:
    if inspect.isclass(thing):
        warning = issubclass(thing, Exception)
        extra = [] if warning else ["   :members:", "   :exclude-members: __init__, __new__"]
        return [f".. autoclass:: {owner}.{name}", *extra, ""]
    return [f".. autofunction:: {owner}.{name}", ""] if callable(thing) else []


def functions_page(package: ModuleType, title: str, words: str) -> str:
    """Every public name with its docstring, in reStructuredText for Sphinx's autodoc."""
    owner, inner = package.__name__, []
    lines = [title, "=" * len(title), "", words, ""]
    for name in sorted(package.__all__):
        thing = getattr(package, name)
        if package is sc and getattr(thing, "__module__", "").startswith("semfit"):
            lines += [f"``sc.{name}`` is :py:obj:`semfit.{name}`, see the functions of semfit.", ""]
        elif isinstance(thing, ModuleType):
            inner.append((f"{owner}.{name}", thing))
        else:
            lines += _entry(owner, name, thing)
    for label, module in inner:
        own = [n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__]
        names = getattr(module, "__all__", [n for n in own if not n.startswith("_")])
        short = label.replace("switchcost.", "sc.")
        lines += ["", short, "-" * len(short), ""]
        for name in sorted(names):
            lines += _entry(module.__name__, name, getattr(module, name))
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """What run.py says of itself."""
    from ast import get_docstring, parse

    text = get_docstring(parse((ROOT / "run.py").read_text(encoding="utf-8")))
    return f"# Commands\n\nTyped in the folder of the project, on any system with Python.\n\n```text\n{text}\n```\n"


def status_page() -> str:
    """Versions that stand behind this site and the seconds of each page; no date, so that a rebuild is the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + [w for g in project["optional-dependencies"].values() for w in g]
    rows = []
    for requirement in sorted(dict.fromkeys(wanted), key=str.lower):
        name = re.match(r"[\w.-]+", requirement)[0]
        if name != project["name"]:
            try:
                have = metadata.version(name)
            except metadata.PackageNotFoundError:
                have = "not installed"
            rows.append((name, requirement[len(name) :], have))
    versions = pd.DataFrame(rows, columns=["package", "allowed", "here"])
    text = f"# Status\n\nswitchcost {project['version']}.\n\n## Seconds\n\n"
    times = ROOT / "build" / "seconds.csv"
    if times.exists():
        text += "Each page in a clean kernel, at the last `python run.py` on this machine.\n\n"
        text += table(pd.read_csv(times, dtype=str), "Seconds of each page")
    else:
        text += "Not measured on this machine yet: `python run.py` measures them, and the next `python run.py book` shows them.\n\n"
    tables = {"Interrupted": "interruptions", "Versions tried": "versions", "Tests in random order": "random_order"}
    for title, file in tables.items():
        path = ROOT / "benchmarks" / f"{file}.csv"
        if path.exists():
            text += f"\n## {title}\n\n" + table(pd.read_csv(path, dtype=str), title)
    return text + "\n## Packages\n\n" + table(versions, "Packages and versions")
