"""Exercises that one can fail: the solution passes, and nothing that a reader could copy from the page does."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from coursepages import checks, comparing, copies, pages, sealing, solutions
from switchcost.core.errors import DataError

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = [e for mine in solutions.plain().values() for e in mine]
each = pytest.mark.parametrize("plain", EXERCISES, ids=lambda e: e.name)


def source(cell):
    return "".join(cell["source"])


def code_cells(path):
    return [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]


def asked():
    return {n: p for p in pages.paths() for c in code_cells(p) for n in copies.ASKED.findall(source(c))}


def numbers_above(name):
    """Every number that a page prints, types or states above an exercise."""
    path = asked()[name]
    found = set()
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if name in copies.ASKED.findall(source(cell)):
            break
        text = source(cell)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text += "\n" + "\n".join("".join(v) for v in (output.get("text", ""), data.get("text/plain", ""), data.get("text/markdown", "")))  # fmt: skip
        found |= {float(n.replace(",", "").replace("−", "-")) for n in comparing.NUMBER.findall(text)}
    return sorted(found)


def test_every_check_of_a_page_has_its_exercise_and_every_exercise_its_check():
    assert set(asked()) == {e.name for e in EXERCISES}
    assert all(path.name.startswith(name[:2]) for name, path in asked().items())


def test_sealed_files_are_those_of_the_exercises():
    for number, mine in solutions.plain().items():
        text = (Path(checks.HERE) / "sealed" / f"{number}.json").read_text(encoding="utf-8")
        now = {e.name: dataclasses.asdict(sealing.seal(e)) for e in mine}
        assert json.loads(text) == now, "run: python -m coursepages seal"


@each
def test_answer_is_right_and_each_foreseen_answer_is_wrong_with_its_hint(plain):
    sealed = checks.sealed(plain.name)
    right = (
        [sum(plain.target) / 2] if plain.kind == "number" else plain.target if plain.kind == "word" else [plain.target]
    )
    assert [sealing.judge(sealed, a).right for a in right] == [True] * len(right)
    for answer, hint in plain.wrong:
        verdict = sealing.judge(sealed, answer)
        assert verdict.right is False and hint in verdict.text
    assert len(plain.wrong) >= 2 and len(plain.hints) >= 1


@each
def test_zero_one_and_every_number_above_it_are_wrong(plain):
    sealed = checks.sealed(plain.name)
    tried = [0, 1, *numbers_above(plain.name)]
    assert [n for n in tried if sealing.judge(sealed, n).right] == []
    assert len(tried) > 20


@each
def test_nothing_of_the_solution_is_in_clear(plain):
    shipped = (checks.HERE / "sealed" / f"{plain.name[:2]}.json").read_text(encoding="utf-8")
    for text in [*(h for _, h in plain.wrong), *plain.hints, *([plain.right] if plain.right else [])]:
        assert text not in shipped
    sealed = checks.sealed(plain.name)
    clear = f"{sealed.question} {sealed.waits_for} {sealed!r}"
    spelt = [f"{v:g}" for v in plain.target] if plain.kind == "number" else []
    assert [v for v in spelt if re.search(rf"(?<![\d.]){re.escape(v)}(?![\d.])", clear)] == []


def test_an_empty_answer_prints_the_question_only(capsys):
    checks.check("09-core", None)
    assert (
        capsys.readouterr().out
        == "In how many of 200 surveys of 150 customers does the product differ from zero at 5 %? (Give a number.)\n"
    )


def test_answers_in_every_spelling_and_hints_one_after_the_other(capsys):
    for answer in (39, "39", np.float64(39), np.array([39]), pd.Series([39]), [39]):
        checks.check("09-core", answer)
        assert capsys.readouterr().out.startswith("Right. With 150 customers")
    said = []
    for answer in (50, 50, 60, 70):
        checks.check("09-core", answer)
        said.append(capsys.readouterr().out)
    assert "Count the surveys" in said[0] and said[1] == said[0] and "Draw with seeds" in said[2] and said[3] == said[2]
    for answer in ("fifty", True, np.nan, [1, 2], {"a": 1}, pd.DataFrame({"a": [1]})):
        checks.check("09-core", answer)
        out = capsys.readouterr().out
        assert "waits for a number" in out and "Right" not in out
    word = sealing.seal(sealing.exercise("99-word", {"question": "?", "words": ["a"]}))
    assert "more than one answer" in sealing.judge(word, ["a", "b"]).text
    with pytest.raises(DataError, match="no exercise '09-cor'.*Did you mean '09-core'"):
        checks.check("09-cor", 1)


@pytest.mark.parametrize(
    ("question", "right", "answer", "reply", "enough"),
    [
        ("In what share of the rows is it so, to two decimals?", 0.25, 25, "looks like a percentage", True),
        ("What is the largest third rate, to three decimals?", 0.733, 73.3, "looks like a percentage", True),
        ("In how many of 200 surveys is it found?", 140, 0.7, "looks like a share", True),
        ("In how many per cent of the surveys, to one decimal?", 8.5, 0.85, "", False),
        ("How many times as large is it (two decimals)?", 2.25, 0.51, "", False),
        ("What is the path, to three decimals?", -0.123, 0.123, "Mind the sign.", True),
        ("What is the path, to three decimals?", -0.123, -0.12, "for three decimals", False),
        ("What is the path, to three decimals?", -0.123, -0.5, "for three decimals", False),
        ("What is the path? Three decimals.", -0.123, 0, "for three decimals", False),
        ("What is the path, to three decimals?", -0.123, -0.125, "", False),
    ],
)
def test_the_form_of_a_wrong_number_is_told_whatever_the_target_is(question, right, answer, reply, enough):
    sealed = sealing.seal(sealing.exercise("99-x", {"question": question, "answer": right, "tolerance": 0.0005}))
    said, alone = checks.misread(sealed, answer)
    assert (reply in said if reply else said == "") and alone is enough


@pytest.mark.parametrize(
    ("plain", "right", "wrong"),
    [
        ({"answer": 58, "tolerance": 0}, [58, 58.0, "58"], [57, 59, 58.5]),
        ({"answer": 0.5, "tolerance": 0.01}, [0.49, 0.5, 0.51], [0.488, 0.512]),
        ({"answer": -0.2, "tolerance": 0.05}, [-0.25, -0.15], [0.2, -0.26, -0.13]),
        ({"between": [4500, 6000]}, [4500, 5200, 6000], [4400, 6100, 5.2]),
        ({"words": ["near function of another column"]}, ["Near-function of another column "], ["near", 0]),
        ({"names": ["er4", "er5"]}, [["er5", "er4"], {"ER4", "er5"}, "er4, er5"], [["er4"], "er4 er5 er6"]),
    ],
)
def test_kinds_of_answers(plain, right, wrong):
    sealed = sealing.seal(sealing.exercise("99-x", {"question": "?", **plain}))
    assert [sealing.judge(sealed, a).right for a in right] == [True] * len(right)
    assert [sealing.judge(sealed, a).right for a in wrong] == [False] * len(wrong)


@pytest.mark.parametrize(
    ("name", "plain", "message"),
    [
        ("core", {"question": "?", "answer": 1}, "must look like '09-core'"),
        ("09-a", {"answer": 1}, "needs a question"),
        ("09-a", {"question": "?", "answer": 1, "words": "a"}, "exactly one of"),
        ("09-a", {"question": "?", "answer": 1, "hnits": []}, "nothing else"),
        ("09-a", {"question": "?", "between": [2, 1]}, r"must be \(low, high\)"),
    ],
)
def test_exercises_that_cannot_be_used(name, plain, message):
    with pytest.raises(DataError, match=message):
        sealing.exercise(name, plain)


def test_a_wrong_answer_that_counts_as_right_is_refused():
    plain = {"question": "?", "answer": 3, "tolerance": 0.1, "wrong": [{"answer": 3.05, "hint": "no"}]}
    with pytest.raises(DataError, match="counts as right"):
        sealing.seal(sealing.exercise("09-a", plain))


def test_student_copy_holds_nothing_and_instructor_copy_everything():
    import nbformat

    path = next(p for p in pages.paths() if p.name.startswith("09"))
    student, instructor = (
        nbformat.writes(make(nbformat.read(path, as_version=4)))
        for make in (copies.student_copy, copies.instructor_copy)
    )
    for exercise in (e for e in EXERCISES if e.name.startswith("09")):
        for text in [exercise.right, *exercise.hints, *(h for _, h in exercise.wrong)]:
            assert text[:40] not in student and text[:40] in instructor.replace('\\"', '"')
    assert re.findall(r'"tags": \[[^]]*"solution"', student) == []
