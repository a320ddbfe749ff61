"""The committed notebooks: run in order, complete, with alternative texts, checked exercises and no typed results."""

import ast
import html
import json
import re
from pathlib import Path

import pytest

from coursepages import comparing, copies, pages, running, solutions

ROOT = Path(__file__).resolve().parents[2]
PATHS = pages.paths()


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def markdown(book):
    return "\n".join(source(c) for c in book["cells"] if c["cell_type"] == "markdown")


def code(book):
    return [c for c in book["cells"] if c["cell_type"] == "code" and source(c).strip()]


every = pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
taught = pytest.mark.parametrize("path", [p for p in PATHS if not p.name.startswith("00")], ids=lambda p: p.stem)


def test_there_are_notebooks_and_they_are_numbered_once():
    numbers = [int(p.name[:2]) for p in PATHS]
    assert numbers == list(range(26))


@every
def test_executed_in_order_from_a_clean_kernel_without_errors(path):
    cells = code(read(path))
    assert [c["execution_count"] for c in cells] == list(range(1, len(cells) + 1))
    outputs = [o for c in cells for o in c["outputs"]]
    assert [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"] == []


@every
def test_no_path_of_a_machine_and_no_clock_time_in_it(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"/home/\w+|/Users/\w+|/work/\w+|/tmp/\w+|site-packages/", text) == []
    assert re.findall(r"iopub\.|shell\.execute_reply", text) == []


page = pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
lesson = pytest.mark.parametrize("path", [p for p in PATHS if p.name[:2] != "00"], ids=lambda p: p.stem)
FOLDED = {"hide-input", "hide-cell", "remove-input"}


def folded(cell):
    return bool(FOLDED & set(tags(cell)))


def shown(cell):
    """All that a reader sees of a cell: source, printed text, prose, alternative texts."""
    return source(cell) + json.dumps(cell.get("outputs", ""))


@lesson
def test_has_the_sections_that_readers_look_for(path):
    text = markdown(read(path))
    for heading in (r"## (The a|A)nswer", "## Limit", "## (Sources|References)", "## Exercises"):
        assert re.search(heading, text), heading


@lesson
def test_the_guess_comes_before_the_answer(path):
    cells = read(path)["cells"]
    asked = [k for k, c in enumerate(cells) if c["cell_type"] == "code" and "teach.guess(" in source(c)]
    told = [k for k, c in enumerate(cells) if c["cell_type"] == "code" and "teach.reveal(" in source(c)]
    assert asked and told and asked[0] < told[0]
    said = [m for o in cells[told[0]]["outputs"] for m in o.get("data", {}).get("text/markdown", [])]
    answer = next(filter(None, (re.match(r"\*\*[^*]+[:?]\*\* (-?[\d.]*\d)", line) for line in said)), None)
    assert said and "**The answer:**" not in said[0], "the answer repeats what was asked"
    above = " ".join(
        source(c) + json.dumps([o.get("data", o) for o in c.get("outputs", [])]) for c in cells[: asked[0]]
    )
    above = re.sub(r'"image/[a-z+]+": "[^"]*"', "", above)
    if answer and len(answer[1].strip("-.0")) > 1:
        assert not re.search(rf"(?<![\d.]){re.escape(answer[1])}(?!\d)", above)


@lesson
def test_exercises_are_sealed(path):
    cells = [c for c in code(read(path)) if "exercise" in tags(c)]
    assert len(cells) >= 2 and all("teach.check(" in source(c) for c in cells)
    assert len(solutions.sections(path.name[:2])) >= len(cells)
    assert not any("solution" in tags(c) for c in read(path)["cells"])


def names(text):
    """Names that a cell defines, and names that it uses."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("%", "!"))]
    tree = ast.parse("\n".join(lines))
    defined, used, own = set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else defined).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            defined |= {(a.asname or a.name).split(".")[0] for a in node.names}
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            own |= {a.arg for a in [*node.args.args, *node.args.kwonlyargs]}
    return defined, used - own


@page
def test_visible_code_stands_alone(path):
    """Reading only the unfolded cells, a student could retype the page."""
    visible, hidden, lacking = set(), set(), set()
    for cell in code(read(path)):
        defined, used = names(source(cell))
        if folded(cell):
            hidden |= defined
        else:
            lacking |= {n for n in used if n in hidden and n not in visible | defined}
            visible |= defined
    assert lacking == set()


@page
def test_code_is_short_public_and_mostly_visible(path):
    cells = code(read(path))
    lines = [line for c in cells for line in source(c).splitlines()]
    assert [line for line in lines if len(line) > 100] == []
    assert [line for line in lines if re.search(r"\.\s*_[a-z]", line)] == []
    by = {state: sum(len(source(c).splitlines()) for c in cells if folded(c) is state) for state in (True, False)}
    assert by[True] < by[False]


@page
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", markdown(read(path))):
        assert target.startswith(("http", "mailto")) or (path.parent / target).exists(), target


@pytest.mark.parametrize(
    ("package", "least"), [("seaborn", 22), ("pingouin", 12), ("semopy", 6), ("factor_analyzer", 3)]
)
def test_the_named_packages_are_called_where_a_reader_sees_it(package, least):
    """Counted is a visible call through a name that a visible cell imported, not the import."""
    using = 0
    for path in PATHS:
        trees = [ast.parse(source(c)) for c in code(read(path)) if not folded(c)]
        nodes = [n for tree in trees for n in ast.walk(tree)]
        own = {a.asname or a.name for n in nodes if isinstance(n, ast.Import) for a in n.names if a.name == package}
        own |= {
            a.asname or a.name for n in nodes if isinstance(n, ast.ImportFrom) and n.module == package for a in n.names
        }
        called = {m.id for n in nodes if isinstance(n, ast.Call) for m in ast.walk(n.func) if isinstance(m, ast.Name)}
        using += bool(own & called)
    assert using >= least


IDIOM = ("told from zero", "read aloud", "holds the truth", "hold the truth", "a tempting wrong way", "says nothing")


@page
def test_words_of_the_field(path):
    text = markdown(read(path)).lower()
    assert [words for words in IDIOM if words in text] == []


@every
def test_no_exercise_prints_what_it_waits_for(path):
    for cell in code(read(path)):
        if "exercise" in tags(cell):
            said = "".join("".join(o.get("text", "")) for o in cell["outputs"])
            assert "(Give " in said and "should be" not in said and "expected" not in said


def test_alternative_texts_reach_the_exported_page():
    from nbconvert import HTMLExporter

    path = next(p for p in PATHS if p.name.startswith("09"))
    alts = [
        o["metadata"]["image/png"]["alt"]
        for c in code(read(path))
        for o in c["outputs"]
        if "image/png" in o.get("data", {})
    ]
    page, _ = HTMLExporter().from_filename(str(path))
    shown = [html.unescape(a) for a in re.findall(r'<img[^>]*alt="([^"]*)"', page, re.S)]
    assert len(alts) >= 2 and shown == alts


@every
def test_every_figure_has_an_alternative_text_and_a_file(path):
    for cell in code(read(path)):
        for output in cell["outputs"]:
            if "image/png" in output.get("data", {}):
                alt = output["metadata"].get("image/png", {}).get("alt", "")
                assert len(alt.split()) >= 10, source(cell)[:80]
    for name in re.findall(r'teach\.figure\(\s*[\w.]+,\s*"(\w+)"', "\n".join(source(c) for c in code(read(path)))):
        assert name[:2] == path.name[:2]
        assert (ROOT / "figures" / f"{name}.svg").exists() and (ROOT / "figures" / f"{name}.png").exists()


def test_every_figure_file_comes_from_a_notebook():
    made = set()
    for path in PATHS:
        text = "\n".join(source(c) for c in code(read(path)))
        made |= set(re.findall(r'teach\.figure\(\s*[\w.]+,\s*f?"(\w+)"', text))
    files = {p.stem for p in (ROOT / "figures").glob("*.*g")}
    assert files - made == set()


# A result typed into prose goes stale; results are computed and printed with teach.say.
TYPED = re.compile(r"[=≈] ?-?0?\.\d{2,}")


@every
def test_no_result_is_typed_into_prose(path):
    for cell in read(path)["cells"]:
        if cell["cell_type"] == "markdown":
            text = re.sub(r"\$.*?\$|`.*?`", "", source(cell), flags=re.S)
            assert TYPED.findall(text) == [], source(cell)[:200]


def test_first_notebook_runs_as_committed(tmp_path):
    import nbformat

    path = PATHS[0]
    fresh, _, problem = running.execute(path, tmp_path)
    assert problem == ""
    assert comparing.differences(nbformat.read(path, as_version=4), fresh) == []


def test_comparison_notices_a_changed_number_and_a_changed_word():
    assert comparing.same("r = 0.123, n = 344", "r = 0.124, n = 344") == ""
    assert "0.123 became 0.126" in comparing.same("r = 0.123", "r = 0.126")
    assert "344 became 343" in comparing.same("n = 344", "n = 343")
    assert "text changed" in comparing.same("r = 0.1 holds", "r = 0.1 fails")


def test_readme_shows_todays_scoreboard_and_notebooks():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert pages.with_blocks(text, pages.readme_blocks()) == text, "run: python -m coursepages readme"


def test_student_copies_hold_no_solution(tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "ROOT", tmp_path)
    copies.write_copies(PATHS[1:3])
    for path in PATHS[1:3]:
        student, instructor = (read(tmp_path / d / path.name) for d in ("student", "instructor"))
        assert not any("solution" in tags(c) for c in student["cells"])
        assert all(c.get("execution_count") is None for c in student["cells"])
        assert any("solution" in tags(c) for c in instructor["cells"])
        assert any("exercise" in tags(c) for c in student["cells"])
        assert all(c["outputs"] == [] for c in student["cells"] if c["cell_type"] == "code")
