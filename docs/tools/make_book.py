"""Build the readable site from the committed notebooks: ``python run.py book``.

python run.py book                        all pages into build/book
python run.py book 05 11                  the site with these notebooks only
python run.py book --without-solutions    for a class: exercises without their worked solutions
python run.py book --check                open it in Chromium without a network and look for faults
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import pages

import semfit
import switchcost as sc
from coursepages import copies
from coursepages import pages as notebooks
from switchcost.core.errors import OURS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
MORE = [
    ("Teach", ["teaching/README", "teaching/one_session", "teaching/two_weeks", "teaching/one_term",
               "teaching/replication_game", "teaching/rubric", "teaching/common_mistakes"]),
    ("About", ["chapters", "other_programs", "cluster", "architecture", "versions", "release", "status"]),
]  # fmt: skip


def numbered(cells: list[dict], number: str) -> None:
    """Put the number of the page before its title."""
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and text.startswith("# "):
            cell["source"] = re.sub(r"^# ", f"# {number} · ", text, count=1)
            return


def with_solutions(cells: list[dict]) -> list[dict]:
    """Below each self-check its worked solution, folded and labelled."""
    out = []
    for cell in cells:
        out.append(cell)
        for name in copies.ASKED.findall("".join(cell["source"])) if cell["cell_type"] == "code" else []:
            text = f"::::{{admonition}} Solution of {name}\n:class: dropdown solution\n\n{copies.worked(name)}\n::::\n"
            out.append({"cell_type": "markdown", "id": f"solution-{name}", "metadata": {}, "source": text})
    return out


def write_source(source: Path, chosen: list[Path], solutions: bool) -> None:
    """Lay out what Sphinx reads: the hand-written pages, the notebooks, and the computed pages."""
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("_build", "reviews", "__pycache__"))
    shutil.copytree(ROOT / "figures", source.parent / "figures", dirs_exist_ok=True)
    (source / "notebooks").mkdir()
    for path in chosen:
        page = json.loads(path.read_text(encoding="utf-8"))
        numbered(page["cells"], path.name[:2])
        if solutions:
            page["cells"] = with_solutions(page["cells"])
        (source / "notebooks" / path.name).write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    pages.data_pages(source / "data")
    (source / "api").mkdir()
    written = {
        "board.md": pages.board_page(),
        "glossary.md": pages.glossary_page(),
        "commands.md": pages.commands_page(),
        "status.md": pages.status_page(),
        "api/switchcost.rst": pages.functions_page(
            sc, "Functions of switchcost", "``import switchcost as sc``; every name below is one of ``sc``."
        ),
        "api/semfit.rst": pages.functions_page(
            semfit, "Functions of semfit", "The estimator alone: ``import semfit``. ``sc.fit`` is ``semfit.fit``."
        ),
    }
    for name, text in written.items():
        (source / name).write_text(text, encoding="utf-8")
    rooms = (ROOT / "src" / "switchcost" / "README.md").read_text(encoding="utf-8")
    drawn = re.search(r"## Map\n.*?(```\n.*?```)", rooms, re.S)[1].replace("```\n", "```text\n", 1)
    page = source / "architecture.md"
    page.write_text(page.read_text(encoding="utf-8").replace("<!-- rooms -->", drawn), encoding="utf-8")
    front = source / "index.md"
    said = "Each solution is folded below its exercise." if solutions else "This copy holds no solutions."
    text = front.read_text(encoding="utf-8")
    for mark, block in {
        "map": pages.map_of_pages(), "data": pages.real_or_simulated(), "solutions": said,
        "parts": parts(chosen), "more": more(source),
    }.items():  # fmt: skip
        text = text.replace(f"<!-- {mark} -->", block)
    front.write_text(text, encoding="utf-8")
    for path in [*source.glob("*.md"), *source.glob("teaching/*.md")]:  # links that are right in the repository
        text = path.read_text(encoding="utf-8").replace("](../../notebooks/", "](../notebooks/")
        path.write_text(re.sub(r"\]\(../../data/\w+/(\w+)/README\.md", r"](../data/\1.md", text), encoding="utf-8")
    without_dead_links(source)


def menu(caption: str, names: list[str]) -> str:
    return "\n".join(["```{toctree}", f":caption: {caption}", ":maxdepth: 1", ":hidden:", "", *names, "```", ""])


def parts(chosen: list[Path]) -> str:
    """The menus of the notebooks, one a part."""
    found = {p: [f"notebooks/{c.stem}" for c in chosen if int(c.name[:2]) in r] for p, r in pages.PARTS.items()}
    return "\n".join(menu(part, names) for part, names in found.items() if names)


def more(source: Path) -> str:
    """The menus of the other pages that are there."""
    found = {caption: [n for n in names if (source / f"{n}.md").exists()] for caption, names in MORE}
    return "\n".join(menu(caption, names) for caption, names in found.items() if names)


def without_dead_links(source: Path) -> None:
    """A link to a notebook or page that this copy leaves out becomes its text."""
    for path in [*source.glob("*.md"), *source.glob("*/*.md"), *source.glob("notebooks/*.ipynb")]:
        text = path.read_text(encoding="utf-8")

        def keep(found: re.Match[str], path: Path = path) -> str:
            target = found[2].partition("#")[0]
            outside = not target or re.match(r"\w+:", target) or "{" in target
            return found[0] if outside or (path.parent / target).exists() else found[1]

        mended = re.sub(
            r"(?<!!)\[((?:[^\[\]\n]|\[[^\]\n]*\])+)\]\(([^()\s]+\.(?:md|ipynb|html|csv|py)(?:#[\w-]+)?)\)", keep, text
        )
        mended = re.sub(
            r'<a href="([\w/.-]+)\.html">(.*?)</a>',
            lambda m, home=path.parent: m[0] if list(home.glob(f"{m[1]}.*")) else m[2],
            mended,
        )
        if mended != text:
            path.write_text(mended, encoding="utf-8")


def build(chosen: list[Path], target: Path, solutions: bool = True) -> int:
    """Write the source below ``build/`` and let Sphinx make the site; the old site stays until the new one is whole."""
    source, fresh = target.with_name(target.name + "-source"), target.with_name(target.name + "-new")
    write_source(source, chosen, solutions)
    shutil.rmtree(fresh, ignore_errors=True)
    code = subprocess.call([sys.executable, "-m", "sphinx", "-q", "-b", "html", "-j", "2", str(source), str(fresh)])
    if code:
        return code
    for path in chosen:  # what a reader downloads is the notebook itself
        shutil.copy(path, fresh / "_sources" / "notebooks" / path.name)
    shutil.rmtree(fresh / ".doctrees", ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return 0


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python run.py book", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("chosen", nargs="*", help="numbers of notebooks, e.g. 05 11; all when left out")
    parser.add_argument("--without-solutions", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    target = notebooks.BUILD / "book"
    try:
        chosen = notebooks.paths(options.chosen)
        if options.check:
            import check

            return check.main(target)
        code = build(chosen, target, not options.without_solutions)
    except OURS as error:
        print(error, file=sys.stderr)
        return 2
    if code == 0:
        print("The site is in build/book/index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
