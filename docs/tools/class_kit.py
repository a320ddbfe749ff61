"""What a class needs beside the copies: slides and a lesson plan of each page, and the project as students get it.

python run.py copies 05    calls this: instructor/slides/05.html, instructor/teaching/plan_05.md, and student.zip
"""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursepages import copies, pages, solutions
from coursepages.pages import ROOT, safe_write
from switchcost.core.errors import OURS

HERE = Path(__file__).resolve().parent
KATEX = ROOT / "docs" / "_static" / "katex"
STUDENT = ROOT / "student"
FOLDED = {"hide-input", "hide-cell", "remove-input"}
GIVEN = ("run.py", "requirements.lock", "pyproject.toml", "environment.yml", "LICENSE", "LICENSE-CC-BY-4.0.txt",
         "CITATION.cff", "data", "src")  # fmt: skip
STUDENT_README = """# Your copy

1. Unpack this folder where you may write. You need Python 3.11 or newer and, the first time, a network.
2. `python3 run.py lab` (Windows: `py run.py lab`). The first time it builds an environment in `.venv`: 230 MB to fetch,
   1.2 GB on the disk, 1 to 10 minutes. Then JupyterLab opens at the first notebook.
3. Run the cells from the top (Shift+Enter). Put your guess and your answers where a cell says `None`, and run it again.

A check never prints its answer. It tells you what a wrong answer looks like, and its hints become plainer with each try.
"""


@dataclass(frozen=True, eq=False)
class Slide:
    """One code cell with what it shows, or a text; ``notes`` is the page's text before it."""

    heading: str
    code: str
    outputs: list[str]
    notes: list[str]


def markdown(text: str) -> str:
    """Markdown as HTML; links to other pages lose their target, formulas are kept for KaTeX."""
    from nbconvert.filters.markdown import markdown2html

    return markdown2html(re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text))


def output(shown: dict[str, Any]) -> str:
    """One output of a cell as HTML."""
    data = {kind: "".join(value) for kind, value in shown.get("data", {}).items()}
    if "text/html" in data:
        return data["text/html"]
    if "text/markdown" in data:
        return markdown(data["text/markdown"])
    return f"<pre>{html.escape(data.get('text/plain') or ''.join(shown.get('text', '')))}</pre>"


def slides(cells: list[dict[str, Any]]) -> list[Slide]:
    """A page as slides: a cell of code with its outputs each; sentences that a folded cell says go to the slide before.

    Parameters
    ----------
    cells : list of dict
        The cells of an executed notebook.
    """
    made: list[Slide] = []
    heading, notes = "", []
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for part in re.split(r"^(?=#{1,2} )", source, flags=re.M):
                found = re.match(r"#{1,2} (.+)", part)
                if found:
                    if notes:
                        made.append(Slide(heading, "", [], notes))
                    heading, notes, part = found[1], [], part[found.end() :]
                notes += [part.strip()] if part.strip() else []
            continue
        outputs = [output(o) for o in cell.get("outputs", [])]
        tags = set(cell["metadata"].get("tags", []))
        if "exercise" in tags or "teach.guess(" in source:  # a question; its code is a place for the answer
            made.append(Slide(heading, "", [markdown("\n\n".join(notes))], []))
        elif tags & FOLDED and made and not notes and made[-1].heading == heading:
            made[-1].outputs.extend(outputs)
            continue
        elif not source.lstrip().startswith("import"):
            made.append(Slide(heading, "" if tags & FOLDED else source, outputs, notes))
        else:
            made.append(Slide(heading, "", [], notes))
        notes = []
    return [*made, *([Slide(heading, "", [], notes)] if notes else [])]


def slide_page(title: str, made: list[Slide]) -> str:
    """The slides as one HTML file without a network; formulas by the copy of KaTeX beside it."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    look = HtmlFormatter(nowrap=False)
    parts = []
    for number, slide in enumerate(made, start=1):
        text = "".join(f"<div>{markdown(n)}</div>" for n in slide.notes)
        code = highlight(slide.code, PythonLexer(), look) if slide.code else ""
        shown = "".join(f"<div class=output>{o}</div>" for o in slide.outputs)
        aside = f"<aside>{text}</aside>" if code or shown else f"<div class=text>{text}</div>"
        head = f"<h2>{html.escape(slide.heading)}</h2><small>{number} / {len(made)}</small>"
        parts.append(f"<section>{head}{aside if text else ''}{code}{shown}</section>")
    frame = (HERE / "slides.html").read_text(encoding="utf-8")
    for mark, value in (("TITLE", html.escape(title)), ("LOOK", look.get_style_defs()), ("SLIDES", "\n".join(parts))):
        frame = frame.replace(f"<!--{mark}-->", value)
    return frame


def timetable(cells: list[dict[str, Any]], minutes: int) -> list[tuple[str, int]]:
    """The headings of a page and when each begins; reading, code and outputs share the page's minutes by their size."""
    weights: dict[str, float] = {}
    heading = ""
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            for part in re.split(r"^(?=#{1,2} )", source, flags=re.M):
                found = re.match(r"#{1,2} (.+)", part)
                heading = found[1] if found else heading
                if not heading:
                    continue
                weights[heading] = weights.get(heading, 0) + len(part.split()) / 120
        elif not set(cell["metadata"].get("tags", [])) & (FOLDED | {"exercise"}):
            weights[heading] = weights.get(heading, 0) + len(source.splitlines()) / 12 + 0.5 * len(cell["outputs"])
    for left_out in ("Exercises", "Sources"):
        weights.pop(left_out, None)
    share, begin, rows = minutes / sum(weights.values()), 0.0, []
    for name, weight in weights.items():
        rows.append((name, round(begin)))
        begin += weight * share
    return rows


def plan(path: Path, cells: list[dict[str, Any]], row: Any, answer: str) -> str:
    """A lesson plan of one page in Markdown: what to ask first, when each part begins, what to listen for."""
    asked = re.findall(r'teach\.guess\([^"]*"[^"]*",[^"]*"([^"]+)"', "\n".join("".join(c["source"]) for c in cells))
    times = timetable(cells, int(row["minutes"]))
    ends = [begin for _, begin in times[1:]] + [int(row["minutes"])]
    mistakes = (ROOT / "docs" / "teaching" / "common_mistakes.md").read_text(encoding="utf-8").splitlines()
    heard = [line.split("|")[1:3] for line in mistakes if f"/{path.name})" in line]
    lines = [
        f"# Plan of {path.name[:2]}: {row['title']}",
        f"{row['minutes']} minutes with the class, without the exercises. Slides: `slides/{path.name[:2]}.html`.",
        "## Before anything is shown",
        "Each student writes down: " + " ".join(asked) if asked else "This page asks for no guess.",
        "## Minutes",
        "\n".join(f"- {begin}-{end}: {name}" for (name, begin), end in zip(times, ends, strict=True)),
        "## Where it ends",
        answer,
        *(["## Listen for", "\n".join(f"- {said.strip()} ({why.strip()})" for said, why in heard)] if heard else []),
        "## Exercises, with their answers",
        *(
            f"### {n}\n\n{copies.worked(n)}"
            for n in copies.ASKED.findall("\n".join("".join(c["source"]) for c in cells))
        ),
    ]
    return "\n\n".join(lines) + "\n"


def answer_key(chosen: list[Path]) -> str:
    """All answers of the chosen pages on one page, in Markdown."""
    parts = ["# Answer key, for the lecturer only"]
    for path in chosen:
        parts.append(f"## {path.stem}")
        parts += [f"### {name}\n\n{copies.worked(name)}" for name in solutions.sections(path.name[:2])]
    return "\n\n".join(parts) + "\n"


def student_project(target: Path, chosen: list[Path]) -> None:
    """The project as students get it, zipped: code, data and their copies of the pages; no solutions, tests or outputs."""
    part = target.with_name(f".{target.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (file for name in GIVEN for file in sorted([ROOT / name, *(ROOT / name).rglob("*")])):
            inside = path.relative_to(ROOT)
            secret = "solutions" in inside.parts and path.suffix != ".py"
            if path.is_file() and not secret and not {"__pycache__", ".ipynb_checkpoints"} & set(inside.parts):
                archive.write(path, f"switching_costs/{inside.as_posix()}")
        written: dict[str, str | bytes] = {"README.md": STUDENT_README}
        for path in chosen:
            text = (STUDENT / path.name).read_text(encoding="utf-8")
            written[f"notebooks/{path.name}"] = text
            for name in re.findall(
                r"\.\./((?:benchmarks|tests)/[\w./-]+)", text
            ):  # tables of simulations, survey files
                files = [f for f in sorted([ROOT / name, *(ROOT / name).rglob("*")]) if f.is_file()]
                written |= {f.relative_to(ROOT).as_posix(): f.read_bytes() for f in files}
        for name, text in written.items():
            entry = zipfile.ZipInfo(f"switching_costs/{name}")
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    part.replace(target)


def main(arguments: list[str]) -> int:
    """Write slides, plans and the students' project of the chosen pages."""
    try:
        chosen = pages.paths(arguments)
        folder = ROOT / "instructor" / "slides"
        teaching = ROOT / "instructor" / "teaching"
        shutil.copytree(KATEX, folder / "katex", dirs_exist_ok=True)
        shutil.copytree(ROOT / "docs" / "teaching", teaching, dirs_exist_ok=True)
        safe_write(ROOT / "instructor" / "answer_key.md", answer_key(chosen))
        contents, answers = pages.contents(), pages.answers()["answer"]
        for path in chosen:
            number, cells = path.name[:2], json.loads(path.read_text(encoding="utf-8"))["cells"]
            row = contents.loc[number]
            safe_write(folder / f"{number}.html", slide_page(f"{number} {row['title']}", slides(cells)))
            written = plan(path, cells, row, answers.get(number, "See the page."))
            safe_write(teaching / f"plan_{number}.md", written)
        student_project(ROOT / "student.zip", chosen)
    except OURS as error:
        print(error, file=sys.stderr)
        return 2
    print("student.zip is the project for students (python3 run.py lab opens it), without solutions")
    print("instructor/slides/ has each page as slides (arrows move, N shows the text, C hides the code)")
    print("instructor/teaching/plan_NN.md has its minutes, what to ask first, what to listen for, and the answers;")
    print("beside it lesson plans, rubric and common mistakes. answer_key.md is yours alone")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
