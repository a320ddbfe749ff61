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
    for name in set(re.findall(r"python run\.py ([a-z-]+)", TEXT)):
        assert f'"{name}"' in commands, name
