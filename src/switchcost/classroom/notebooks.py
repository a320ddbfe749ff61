"""Execute the notebooks, compare their numbers with the committed ones, make copies for class.

``python run.py`` calls this module inside the environment: ``python -m switchcost.classroom.notebooks check``.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .._core.errors import OURS, DataError

ROOT = Path(__file__).resolve().parents[3]


NOTEBOOKS = ROOT / "notebooks"


BUILD = ROOT / "build"


NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


PROGRESS = re.compile(r"\d+%\||it/s|s/it")


def paths(chosen: list[str] | None = None) -> list[Path]:
    """The notebooks in their order, or those whose names start with one of ``chosen``."""
    every = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not chosen:
        return every
    for start in chosen:
        if not any(p.name.startswith(start) for p in every):
            raise DataError(f"no notebook starts with {start!r}; there are: {', '.join(p.stem for p in every)}")
    return [p for p in every if p.name.startswith(tuple(chosen))]


def execute(path: Path, figures: Path) -> tuple[Any, float, str]:
    """Run one notebook in a clean kernel.

    Returns
    -------
    (notebook, seconds, problem)
        ``problem`` is empty when every cell ran.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors only, not how the kernel is reached
    )
    began, problem = time.perf_counter(), ""
    try:
        client.execute(env={**os.environ, "SWITCHCOST_FIGURES": str(figures)})
    except CellExecutionError as error:
        problem = f"a cell failed: {error.ename}: {error.evalue}"
    except CellTimeoutError:
        problem = "a cell ran longer than fifteen minutes"
    except DeadKernelError:
        problem = "the kernel died, most often for lack of memory; close other programs and run it again"
    tidy(notebook)
    return notebook, time.perf_counter() - began, problem


def tidy(notebook: Any) -> None:
    """Remove what differs from run to run: times, progress bars, and where a stream of text was cut in two."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        kept = []
        for output in cell.outputs:
            if output.get("name") == "stderr" and PROGRESS.search(output.text):
                continue
            if kept and output.output_type == "stream" and kept[-1].get("name") == output.name:
                kept[-1].text += output.text
            else:
                kept.append(output)
        cell.outputs = kept


def texts(cell: Any) -> list[str]:
    """Every output of a cell that a person reads, as plain text."""
    found = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append(output.text)
            continue
        data = output.get("data", {})
        if "text/html" in data and "image/png" not in data:
            found.append(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", data["text/html"], flags=re.S)))
        elif "text/markdown" in data:
            found.append(data["text/markdown"])
        elif "text/plain" in data and not data["text/plain"].startswith("<"):
            found.append(data["text/plain"])
    return found


def same(old: str, new: str) -> str:
    """Compare two printed texts: words to the letter, numbers to one unit of their last digit.

    Returns
    -------
    str
        Empty when they agree, otherwise the first difference.

    Examples
    --------
    >>> same("r = 0.123", "r = 0.124"), same("r = 0.123", "r = 0.126")
    ('', '0.123 became 0.126')
    """
    squeeze = lambda text: re.sub(r"[\s-]+", " ", NUMBER.sub("#", text))  # noqa: E731
    if squeeze(old) != squeeze(new):
        return f"the text changed: {' '.join(old.split())[:80]!r} became {' '.join(new.split())[:80]!r}"
    for a, b in zip(NUMBER.findall(old), NUMBER.findall(new), strict=True):
        x, y = (float(v.replace(",", "").replace("−", "-")) for v in (a, b))
        mantissa, _, exponent = a.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        unit = 0.0 if "." not in mantissa and not exponent else 10.0 ** (int(exponent or 0) - decimals)
        if abs(x - y) > max(1.001 * unit, 1e-9):
            return f"{a} became {b}"
    return ""


def differences(old: Any, new: Any) -> list[str]:
    """What differs between the outputs of two runs of one notebook; cells are counted from 1."""
    tidy(old)
    found = []
    for place, (a, b) in enumerate(zip(old.cells, new.cells, strict=True), start=1):
        if a.cell_type != "code":
            continue
        left, right = texts(a), texts(b)
        if len(left) != len(right):
            found.append(f"cell {place}: {len(left)} outputs became {len(right)}")
            continue
        found += [f"cell {place}: {why}" for why in map(same, left, right) if why]
    return found


def _job(path: str, figures: str) -> tuple[str, Any, float, str]:
    notebook, seconds, problem = execute(Path(path), Path(figures))
    return path, notebook, seconds, problem


def run_all(chosen: list[Path], figures: Path, jobs: int) -> dict[Path, tuple[Any, float, str]]:
    """Execute notebooks side by side, with a progress bar."""
    from concurrent.futures import ProcessPoolExecutor, as_completed

    from tqdm import tqdm

    figures.mkdir(parents=True, exist_ok=True)
    done = {}
    with ProcessPoolExecutor(max_workers=jobs) as pool, tqdm(total=len(chosen), unit="notebook") as bar:
        waiting = [pool.submit(_job, str(p), str(figures)) for p in chosen]
        for future in as_completed(waiting):
            path, notebook, seconds, problem = future.result()
            done[Path(path)] = (notebook, seconds, problem)
            bar.set_postfix_str(Path(path).stem)
            bar.update()
    return {p: done[p] for p in chosen}


def check(chosen: list[Path], jobs: int) -> int:
    """Run into build/, compare with the committed outputs, print the scoreboard; 1 on any difference."""
    import nbformat

    results = run_all(chosen, BUILD / "figures", jobs)
    (BUILD / "notebooks").mkdir(parents=True, exist_ok=True)
    failed = 0
    print(f"\n{'notebook':42s} {'seconds':>7s}  result")
    for path, (notebook, seconds, problem) in results.items():
        nbformat.write(notebook, BUILD / "notebooks" / path.name)
        changed = [] if problem else differences(nbformat.read(path, as_version=4), notebook)
        word = problem or (f"{len(changed)} outputs differ" if changed else "as committed")
        print(f"{path.stem:42s} {seconds:7.1f}  {word}")
        for line in changed[:5]:
            print(f"{'':52s}{line}")
        failed += bool(problem or changed)
    print(flush=True)
    board = subprocess.call([sys.executable, "-m", "switchcost.replication.board"], cwd=ROOT)
    if failed:
        print(f"\n{failed} of {len(results)} notebooks did not come out as committed; see build/notebooks.")
    return int(bool(failed or board))


def refresh(chosen: list[Path], jobs: int) -> int:
    """Run in place and keep the new outputs and figures."""
    import nbformat

    failed = 0
    for path, (notebook, seconds, problem) in run_all(chosen, ROOT / "figures", jobs).items():
        print(f"{path.stem:42s} {seconds:7.1f}  {problem or 'refreshed'}")
        failed += bool(problem)
        if not problem:
            nbformat.write(notebook, path)
    return int(bool(failed)) or readme()


def copies(chosen: list[Path]) -> int:
    """Write student/ (no solutions, no outputs) and instructor/ (solutions open), both from one source."""
    import nbformat

    for folder in ("student", "instructor"):
        (ROOT / folder).mkdir(exist_ok=True)
    for path in chosen:
        student, instructor = (nbformat.read(path, as_version=4) for _ in range(2))
        student.cells = [c for c in student.cells if "solution" not in c.metadata.get("tags", [])]
        for cell in student.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        for cell in instructor.cells:
            cell.metadata.pop("jupyter", None)
            if "solution" in cell.metadata.get("tags", []):
                cell.metadata["tags"] = ["solution"]
        nbformat.write(student, ROOT / "student" / path.name)
        nbformat.write(instructor, ROOT / "instructor" / path.name)
    print(f"{len(chosen)} notebooks written to student/ (solutions removed) and instructor/ (solutions open)")
    return 0


def contents() -> Any:
    """The notebooks as a table, read from their own first cells.

    Returns
    -------
    DataFrame
        Index: number. Columns: title, minutes (reading and doing), file.

    Examples
    --------
    >>> contents().columns.tolist()
    ['title', 'minutes', 'file']
    """
    import json

    import pandas as pd

    rows = []
    for path in paths():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(c["source"]) for c in cells[:8] if c["cell_type"] == "markdown")
        title, minutes = re.search(r"^# (.+)$", text, re.M), re.search(r"(\d+) minutes", text)
        if not title or not minutes:
            raise DataError(f"{path.name} lacks a title ('# ...') or its length ('40 minutes') in its first cells")
        rows.append((path.name[:2], title[1], int(minutes[1]), path.name))
    return pd.DataFrame(rows, columns=["number", "title", "minutes", "file"]).set_index("number")


def readme_blocks() -> dict[str, str]:
    """The parts of README.md that are computed: the scoreboard's summary and the map of notebooks."""
    from ..replication import board as replicate

    board = replicate.scoreboard()
    counts = replicate.summary(board)
    head = ["study", *replicate.VERDICTS, "numbers"]
    lines = ["| " + " | ".join(head) + " |", "|:---|" + "---:|" * (len(head) - 1)]
    for study, row in counts.iterrows():
        cells = [f"**{study}**" if study == "all" else f"`{study}`", *(f"{row[c]:.0f}" for c in head[1:])]
        lines.append("| " + " | ".join(cells) + " |")
    checked = board[board.verdict != "not comparable"]
    agree = checked.verdict.isin(replicate.VERDICTS[:3])
    raw = checked.source == "the answers"
    lines += [
        "",
        f"{len(checked)} numbers can be checked. {raw.sum()} were computed again from people's answers: "
        f"{agree[raw].sum()} agree. {(~raw).sum()} could only be held against other numbers of the same paper: "
        f"{agree[~raw].sum()} agree, which shows that the arithmetic is right, not that the finding is.",
    ]
    rows = [f"| {number} | [{r.title}](notebooks/{r.file}) | {r.minutes} |" for number, r in contents().iterrows()]
    table = ["| | notebook | minutes |", "|---|---|---:|", *rows]
    return {"scoreboard": "\n".join(lines), "notebooks": "\n".join(table)}


def with_blocks(text: str, blocks: dict[str, str]) -> str:
    """README.md with its computed parts put between their marks."""
    for name, block in blocks.items():
        pattern = rf"(<!-- {name}:[^>]*-->\n).*?(<!-- end of {name} -->)"
        if not re.search(pattern, text, re.S):
            raise DataError(f"README.md has lost the marks of its computed part {name!r}")
        text = re.sub(pattern, lambda m, b=block: m[1] + b + "\n" + m[2], text, flags=re.S)
    return text


def readme() -> int:
    """Write the computed parts of README.md."""
    path = ROOT / "README.md"
    path.write_text(with_blocks(path.read_text(encoding="utf-8"), readme_blocks()), encoding="utf-8")
    print("README.md has today's scoreboard and map of notebooks")
    return 0


def book(chosen: list[Path]) -> int:
    """Build the site from the committed outputs into build/book."""
    source = BUILD / "book-source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("_build"))
    (source / "notebooks").mkdir(exist_ok=True)
    for path in chosen:
        shutil.copy(path, source / "notebooks" / path.name)
    code = subprocess.call(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "-b",
            "html",
            str(source),
            str(BUILD / "book"),
        ]
    )
    if code == 0:
        print("The site is in build/book/index.html")
    return code


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m switchcost.classroom.notebooks", description=__doc__)
    parser.add_argument("command", choices=("check", "refresh", "readme", "copies", "book"))
    parser.add_argument("chosen", nargs="*", help="numbers of notebooks, e.g. 05 11; all when left out")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 4), help="notebooks at the same time")
    options = parser.parse_args(arguments)
    try:
        chosen = paths(options.chosen)
    except OURS as error:
        print(error, file=sys.stderr)
        return 2
    if options.command == "readme":
        return readme()
    if options.command in ("check", "refresh"):
        return {"check": check, "refresh": refresh}[options.command](chosen, options.jobs)
    return {"copies": copies, "book": book}[options.command](chosen)


if __name__ == "__main__":
    sys.exit(main())
