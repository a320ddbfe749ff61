"""What a class gets beside the copies: slides, plans, and the project for students without solutions."""

import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

from coursepages import copies, pages
from switchcost.core.errors import DataError

ROOT = Path(__file__).resolve().parents[1]
CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": "# A title\n\nStory with $b_1 < 2$ and [05](05_x.ipynb).\n\n## First\nSay this."},
    {"cell_type": "code", "metadata": {}, "source": "table", "outputs": [
        {"output_type": "execute_result", "data": {"text/html": ["<table><tr><td>4", ".2</td></tr></table>"]}, "metadata": {}}]},
    {"cell_type": "code", "metadata": {"tags": ["hide-input"]}, "source": "secret = 1", "outputs": [
        {"output_type": "display_data", "data": {"text/markdown": "**Said.**"}, "metadata": {}}]},
    {"cell_type": "markdown", "metadata": {}, "source": "## Exercises\n**1.** How many?"},
    {"cell_type": "code", "metadata": {"tags": ["exercise"]}, "source": "answer1 = None", "outputs": []},
]  # fmt: skip


@pytest.fixture(scope="module")
def kit():
    sys.path.insert(0, str(ROOT / "docs" / "tools"))
    try:
        import class_kit
    finally:
        sys.path.pop(0)
    return class_kit


def test_slides_show_code_with_its_output_and_keep_the_text_as_notes(kit):
    made = kit.slides(CELLS)
    assert [s.heading for s in made] == ["A title", "First", "Exercises"]
    assert made[1].code == "table" and made[1].notes == ["Say this."]
    assert len(made[1].outputs) == 2 and "4.2" in made[1].outputs[0] and "<strong>Said.</strong>" in made[1].outputs[1]
    page = kit.slide_page("A <b> title", made)
    assert page.count("<section>") == 3 and "<title>A &lt;b&gt; title</title>" in page
    assert "secret" not in page and "answer1" not in page and "How many?" in page
    assert "05_x.ipynb" not in page, "a slide leads nowhere"
    assert "https://" not in page, "slides need no network"


def test_every_figure_of_a_page_is_on_its_slides(kit):
    path = pages.paths(["09"])[0]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    shown = "".join("".join(s.outputs) for s in kit.slides(cells))
    figures = [o for c in cells for o in c.get("outputs", []) if "image/png" in o.get("data", {})]
    assert shown.count("<img") == len(figures) > 0


def test_a_timetable_ends_with_the_minutes_and_leaves_out_the_exercises(kit):
    rows = kit.timetable(CELLS, 40)
    assert [name for name, _ in rows] == ["A title", "First"]
    begins = [begin for _, begin in rows]
    assert begins[0] == 0 and 0 < begins[1] < 40


def test_a_plan_asks_first_and_has_the_answers(kit):
    path = pages.paths(["05"])[0]
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    written = kit.plan(path, cells, pages.contents().loc["05"], "It ends so.")
    assert written.index("How strongly do quality and satisfaction correlate?") < written.index("## Minutes")
    assert "It ends so." in written and "CFI is .98" in written and "165.4" in written


def test_every_page_has_something_to_listen_for():
    table = (ROOT / "docs" / "teaching" / "common_mistakes.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {4}, "a row of another width"
    assert [p.name for p in pages.paths() if f"/{p.name})" not in table] == []


def test_the_project_for_students_has_what_its_pages_read_and_no_solution(kit, tmp_path, monkeypatch):
    monkeypatch.setattr(copies, "ROOT", tmp_path)
    chosen = pages.paths(["01", "02", "05"])
    copies.write_copies(chosen)
    monkeypatch.setattr(kit, "STUDENT", tmp_path / "student")
    kit.student_project(tmp_path / "student.zip", chosen)
    with zipfile.ZipFile(tmp_path / "student.zip") as archive:
        inside = {name.removeprefix("switching_costs/"): archive.read(name) for name in archive.namelist()}
    assert {"run.py", "README.md", "requirements.lock", "src/coursepages/sealed/05.json"} <= set(inside)
    assert sorted(n for n in inside if n.startswith("notebooks/")) == [f"notebooks/{p.name}" for p in chosen]
    assert not [n for n in inside if n.startswith(("docs/", "src/coursepages/solutions/0")) or "/test_" in n]
    for path in chosen:
        for name in re.findall(r"\.\./([\w./-]+)", (ROOT / "notebooks" / path.name).read_text(encoding="utf-8")):
            assert [n for n in inside if n == name or n.startswith(name + "/")], f"{path.name} reads {name}"


def test_without_solutions_the_instructor_copy_says_why(monkeypatch):
    from coursepages import solutions

    monkeypatch.setattr(solutions, "sections", lambda number: {})
    with pytest.raises(DataError, match="05-warm is not here: a project handed to students"):
        copies.worked("05-warm")
