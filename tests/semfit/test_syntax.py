"""Model text: what is refused gets the sentence meant for it; ModelSpec edits terms and keeps the rest of the text."""

import numpy as np
import pandas as pd
import pytest

import semfit
from semfit import ModelSpec
from semfit.errors import DataError, ModelSyntaxError, SemError
from semfit.syntax import parse


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("group: 1\nf =~ x1 + x2", 1, 1, r"blocks \(group:\).*group="),
        ("f =~ x1 + x2\nlevel: 2\nf =~ x1", 2, 1, r"blocks \(level:\)"),
        ("block: 1", 1, 1, r"blocks \(block:\)"),
        ("model <- 'f =~ x1 + x2'", 1, 7, "assignment in R or Python"),
        ("\nmodel <- '\n  f =~ x1 + x2\n'", 2, 7, "assignment in R or Python"),
        ("model = '''\nf =~ x1'''", 1, 7, "assignment in R or Python"),
        ("f =~ x1 <- x2", 1, 9, r"assignment \(<-\)"),
        ('f =~ x1\nefa("x")*f =~ x1 + x2', 2, 1, "exploratory factors inside a model"),
        ("f =~ x1 + 0.5?x2", 1, 14, r"start\(0.5\)\*x"),
        ("y ~ x:z", 1, 6, "Make the product a column"),
        ("f =~ a*x1\nd := exp", 2, 6, "'exp' is a function"),
        ("f =~ a*x1\nd := a/0", 2, 8, "division by zero"),
        ("f =~ a*x1\nd := 1/(2-2)", 2, 12, "division by zero"),
        ("f =~ a*x1\nd := 10^400", 2, 9, "no finite number"),
        ("f =~ a*x1\nd := (0-1)^0.5", 2, 12, "no finite number"),
        ("f =~ a*x1\nd := log(0-1)", 2, 13, "no finite number"),
        ("f =~ a*x1\nd := 0^-1", 2, 9, "no finite number"),
        ("f =~ 1e400*x1", 1, 6, "beyond what a number can hold"),
        ("f =~ 1e-400*x1", 1, 6, "beyond what a number can hold"),
        ("f =~ a*x1\nd := " + "(" * 300 + "a" + ")" * 300, 2, None, "deep"),
        ("f =~ a*x1\nd := " + "-" * 300 + "a", 2, None, "deep"),
        ("f =~ a*x1\nd := " + "^".join("a" * 300), 2, None, "deep"),
        ("f =~ a*x1\nd := " + "+".join("a" * 3000), 2, 6, "6\\d* parts|5999 parts"),
        ("y [x] ~ z", 1, 3, "rename such columns"),
    ],
)
def test_what_is_refused_has_its_own_sentence_and_its_place(text, line, column, words):
    with pytest.raises(ModelSyntaxError, match=words) as found:
        parse(text)
    assert found.value.line == line and column in (None, found.value.column)


def test_long_but_sound_expressions_are_read():
    parsed = parse("f =~ a*x1 + b*x2\nd := " + "(" * 20 + "a" + ")" * 20 + "+" + "+".join(["b"] * 300))
    assert parsed.defined[0].expression.value({"a": 1.0, "b": 2.0}) == 601
    assert parse("f =~ a*x1\nd := 2^-1 + a^2/4 - -a").defined[0].expression.value({"a": 2.0}) == 3.5


def test_many_blank_lines_are_read():
    assert len(parse("f =~ x1 +" + "\n" * 100_000 + "x2").terms) == 2


def sample(n=300):
    rng = np.random.default_rng(4)
    f = rng.normal(size=n)
    data = pd.DataFrame({f"x{i}": f + rng.normal(size=n) for i in range(1, 5)})
    return data.assign(**{f"y{i}": 0.5 * f + rng.normal(size=n) for i in range(1, 4)})


@pytest.mark.parametrize(
    "text",
    [
        "A =~ B; B =~ A",
        "A =~ B; B =~ C; C =~ A",
        "x1 ~ 0*1",
        "f =~ 1e-308*x1 + x2 + x3",
        "f =~ 1e300*x1 + x2 + x3",
        "x1 ~~ 0*x1",
    ],
)
def test_models_about_nothing_are_refused_in_words(text):
    try:
        semfit.fit(text, sample())
    except SemError as error:
        assert "index" not in str(error) and "reshape" not in str(error) and "broadcast" not in str(error)


# -- ModelSpec -----------------------------------------------------------------------------------------------------
MODEL = """
# measurement
f =~ x1 + a*x2 + x3; g =~ y1 + y2 + y3   ! both
f ~~ r*g   # the correlation
d := a*2
"""


@pytest.mark.parametrize("covariance", ["f ~~ g", "g ~~ f", "f ~~ r*g  # note", "x1 ~~ x2; g ~~ r*f ; x3 ~~ y1"])
def test_a_covariance_is_dropped_in_every_spelling(covariance):
    spec = ModelSpec(f"f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\n{covariance}\n")
    assert spec.has("f", "~~", "g") and spec.has("g", "~~", "f")
    less = spec.drop("g", "~~", "f")
    assert not less.has("f", "~~", "g") and len(less.terms) == len(spec.terms) - 1
    assert spec.has("f", "~~", "g")  # the first is as it was


def test_the_text_makes_the_round_trip():
    spec = ModelSpec(MODEL)
    assert (
        spec.text == MODEL and ModelSpec(spec) == spec and str(spec) == MODEL and hash(spec) == hash(ModelSpec(MODEL))
    )
    edited = spec.add("f", "~", "g", label="b", start=0.2).drop("f", "~~", "g").fix("f", "=~", "x3", 0.123456789012345)
    edited = edited.free("g", "~~", "g", start=1).add("h", ":=", "b^2").drop("d", ":=")
    again = ModelSpec(edited.text)
    assert [(t.lhs, t.op, t.rhs, t.fixed, t.label, t.start) for t in again.terms] == [
        ("f", "=~", "x1", None, None, None),
        ("f", "=~", "x2", None, ["a"], None),
        ("f", "=~", "x3", [0.123456789012345], None, None),
        ("g", "=~", "y1", None, None, None),
        ("g", "=~", "y2", None, None, None),
        ("g", "=~", "y3", None, None, None),
        ("f", "~", "g", None, ["b"], [0.2]),
        ("g", "~~", "g", pytest.approx([np.nan], nan_ok=True), None, [1.0]),
    ]
    assert [d.name for d in again.parsed.defined] == ["h"]
    assert "# measurement" in edited.text and "! both" in edited.text and "# the correlation" in edited.text


def test_intercepts_groups_labels_and_constraints():
    spec = ModelSpec("f =~ x1 + x2 + x3\nx1 ~ 1\nf ~ 0*1").drop("x1", "~", "1").fix("f", "~1", value=[0, np.nan])
    spec = spec.add("x2", "~1", label=["p q", "s"]).add("s", "==", "2")
    assert 'x2 ~ c("p q", s)*1' in spec.text and "f ~ c(0, NA)*1" in spec.text and not spec.has("x1", "~1")
    assert len(spec.parsed.constraints) == 1 and not spec.drop("s", "==", "2").parsed.constraints
    assert spec.latents == ["f"] and spec.items("f") == ["x1", "x2", "x3"]


def test_edits_that_cannot_be():
    spec = ModelSpec(MODEL)
    with pytest.raises(DataError, match="'f ~~ k' is not in the model"):
        spec.drop("f", "~~", "k")
    with pytest.raises(DataError, match="op must be one of"):
        spec.add("f", "~>", "g")
    with pytest.raises(ModelSyntaxError, match="already written"):
        spec.add("g", "~~", "f")


def test_a_spec_is_taken_wherever_a_text_is():
    data = sample().assign(school=np.repeat(["p", "q"], 150))
    spec = ModelSpec("f =~ x1 + x2 + x3; g =~ y1 + y2 + y3; g ~ f")
    assert semfit.fit(spec, data).measures.equals(semfit.fit(spec.text, data).measures)
    assert len(semfit.invariance(spec, data, "school")) == 4 if hasattr(semfit.invariance, "__len__") else True
    three = spec.add("h", "=~", "x4").add("g", "~", "h").fix("x4", "~~", "x4", 0.3)
    options = {"x": "f", "moderator": "h", "y": "g"}
    a, b = (semfit.latent_interaction(m, data, **options) for m in (three, three.text))
    assert a.estimates.equals(b.estimates)
