"""The front page says it as it is: its code prints what it shows, its links and figures are there."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_seven_lines_print_what_is_shown():
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted == 7 and result.failed == 0


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_links_and_figures_are_there(target):
    assert target.startswith("http") or (ROOT / target).exists()


def test_every_command_that_it_names_is_one_of_run_py():
    commands = (ROOT / "run.py").read_text(encoding="utf-8")
    for name in set(re.findall(r"python3? run\.py ([a-z-]+)", TEXT)):
        assert f'"{name}"' in commands, name


def test_the_commands_block_works_as_typed():
    block = re.search(r"```\n(python3 run.py.*?)```", TEXT, re.S)[1]
    assert re.findall(r"^python3 run\.py *([a-z-]*) *#", block, re.M) == ["", "lab"]
    assert "`python run.py test`" in TEXT  # what .ci/run calls


def test_it_fits_one_screen_before_the_tables():
    head = TEXT[: TEXT.index("## The pages")]
    assert len(head.splitlines()) <= 60 and head.count("](") >= 6


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", *(f"docs/{p}.md" for p in ("architecture", "versions", "release"))]
)
def test_links_of_the_workshop_pages_lead_somewhere(page):
    home, text = (ROOT / page).parent, (ROOT / page).read_text(encoding="utf-8")
    made = {"status.md"}  # written with the site
    targets = [t for t in re.findall(r"\]\(([^)#]+)", text) if not t.startswith("http") and t not in made]
    assert [t for t in targets if not (home / t).exists()] == []
    named = re.findall(r"`((?:docs|src|tests|benchmarks|data|binder)/[\w/.-]+)`", text.replace("/NN.md", ""))
    assert [n for n in named if not (ROOT / n).exists()] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "teaching").glob("*.md")), ids=lambda p: p.stem)
def test_links_of_the_lesson_plans_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert [t for t in targets if not (page.parent / t).exists()] == []
