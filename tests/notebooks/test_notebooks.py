"""The committed notebooks: run in order, complete, with alternative texts, checked exercises and no typed results."""

import html
import json
import re
from pathlib import Path

import pytest

from switchcost.classroom import comparing, copies, pages, running, solutions

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
    assert numbers == sorted(set(numbers)) and set(range(14)) <= set(numbers) <= set(range(26))


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


@taught
def test_has_the_sections_that_readers_look_for(path):
    text = markdown(read(path))
    for heading in ("Exercises", "(Limits|Limitations)", "(Sources|References)"):
        assert re.search(rf"^## {heading}$", text, re.M), heading


@taught
def test_guess_before_answer(path):
    """A page that asks for a guess tells its answer below; one that does not yet has its answer on top."""
    shown = [json.dumps(c.get("outputs", "")) + source(c) for c in read(path)["cells"]]
    asked = next((i for i, text in enumerate(shown) if "teach.guess(" in text), None)
    if asked is None:
        assert "Answer." in " ".join(shown[:6])
        return
    assert "Answer" not in " ".join(shown[:asked])
    assert any("teach.reveal(" in text for text in shown[asked:])
    assert any(re.search(r"^## .*[Aa]nswer", text, re.M) for text in shown[asked:])


@taught
def test_three_exercises_and_every_solution_passes_its_own_check(path):
    book = read(path)
    assert sum("exercise" in tags(c) for c in book["cells"]) >= 3
    said = [
        any("Right: " in "".join(o.get("text", "")) for o in c["outputs"]) for c in code(book) if "solution" in tags(c)
    ]
    # Those of solutions/NN.md are tried in test_exercises.
    assert sum(said) + len(solutions.sections(path.name[:2])) >= 3


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
    assert pages.with_blocks(text, pages.readme_blocks()) == text, "run: python -m switchcost.classroom readme"


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
