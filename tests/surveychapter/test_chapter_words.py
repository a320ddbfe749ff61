"""The words of the chapter: the same sentences in both languages, and every rule on both sides of its limit."""

import math
import string

import numpy as np
import pytest

from surveychapter import rules, words_en, words_zh
from surveychapter.rules import RULES
from surveychapter.wording import LANGUAGES, Wording

ONE_LANGUAGE = ("audit.", "construct.", "head.")  # English shows names as they are


def fields(text):
    return {(name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name}


def test_every_sentence_is_there_in_both_languages():
    apart = set(words_en.WORDS) ^ set(words_zh.WORDS)
    assert sorted(k for k in apart if not k.startswith(ONE_LANGUAGE)) == []


@pytest.mark.parametrize("key", sorted(words_en.WORDS))
def test_both_languages_print_the_same_numbers(key):
    if key in words_zh.WORDS:
        plain = [{n for n, _ in fields(w.WORDS[key])} for w in (words_en, words_zh)]
        # A Chinese sentence may name the moderator again, and leaves out nothing that is a number.
        assert plain[0] - plain[1] == set() and plain[1] - plain[0] <= {"w"}
        numbers = [sorted((n, s) for n, s in fields(w.WORDS[key]) if s in ("r", "r3", "b", "b1", "b3", "p")) for w in (words_en, words_zh)]  # fmt: skip
        assert numbers[0] == numbers[1]


# name -> (largest value below or at the limit that is another side, limit, holds at the limit, holds above it)
LIMITS = {
    "lost": (0.10, False, False), "complete": (0.90, True, True), "skew": (1.0, True, False), "omega": (0.70, True, True),
    "kmo": (0.60, True, True), "bartlett": (0.05, False, False), "cross": (0.32, False, False), "exact": (0.05, True, True),
    "cfi": (0.90, True, True), "rmsea": (0.08, True, False), "srmr": (0.10, True, False), "good_cfi": (0.95, True, True),
    "good_rmsea": (0.06, True, False), "good_srmr": (0.08, True, False), "loading": (0.50, True, True),
    "respondents": (3.0, True, True), "ave": (0.50, True, True), "larcker": (0.0, False, True), "htmt": (0.85, False, False),
    "distinct": (0.85, True, False), "one": (1.0, False, False), "harman": (0.50, False, False), "method": (0.05, True, True),
    "marker": (0.05, False, False), "group_size": (100.0, True, True), "group_few": (20.0, True, True), "group_rank": (1.0, False, True), "standardised": (1.0, True, False),
    "path": (0.05, False, False), "product": (0.05, False, False), "groups_differ": (0.05, False, False), "vif": (5.0, False, False),
    "indirect": (0.0, False, True), "index": (0.0, False, True), "positive": (0.0, False, True), "agree": (1.0, True, True),
    "sign": (1.0, True, True), "both_models": (1.0, True, True), "rho_a": (0.70, True, True), "q2": (0.0, False, True), "predict": (0.5, False, True), "cvpat": (0.05, False, False),
    "micom": (0.05, True, True), "nca": (0.10, True, True), "nca_p": (0.05, False, False), "group_path": (0.05, False, False),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_turns_at_its_limit(name):
    limit, at, above = LIMITS[name]
    rule = RULES[name]
    assert rule.limit == limit
    assert (rule(limit), rule(limit + 1e-9), rule(limit - 1e-9)) == (at, above, not above)
    assert not rule(math.nan)


def test_words_of_effect_sizes_on_both_sides():
    f2 = [0.0199, 0.02, 0.1499, 0.15, 0.3499, 0.35, 9]
    words = [rules.word(rules.EFFECT_F2, v) for v in f2]
    assert words == ["negligible", "small", "small", "medium", "medium", "large", "large"]
    assert rules.word(rules.EFFECT_F2, math.nan) == ""


@pytest.mark.parametrize(
    ("cfi", "rmsea", "srmr", "word", "poor"),
    [
        (0.95, 0.06, 0.08, "good", []),
        (0.9499, 0.06, 0.08, "acceptable", []),
        (0.95, 0.0601, 0.08, "acceptable", []),
        (0.95, 0.06, 0.0801, "acceptable", []),
        (0.90, 0.08, 0.10, "acceptable", []),
        (0.8999, 0.08, 0.10, "poor", ["cfi"]),
        (0.90, 0.0801, 0.10, "poor", ["rmsea"]),
        (0.90, 0.08, 0.1001, "poor", ["srmr"]),
        (0.1, 0.5, 0.5, "poor", ["cfi", "rmsea", "srmr"]),
    ],
)
def test_words_of_fit_on_both_sides(cfi, rmsea, srmr, word, poor):
    fits = {"cfi": cfi, "rmsea": rmsea, "srmr": srmr}
    assert (rules.fit_word(fits), rules.poor_fit(fits)) == (word, poor)


@pytest.mark.parametrize(
    ("spec", "value", "en", "zh"),
    [
        ("r", 0.871, ".87", "0.87"),
        ("r", -0.5, "\u2212.50", "\u22120.50"),
        ("r3", 0.0004, ".000", "0.000"),
        ("b", 0.456, "0.46", "0.46"),
        ("b1", 12.34, "12.3", "12.3"),
        ("b3", -0.0004, "0.000", "0.000"),
        ("p", 0.0009, "p < .001", "p < 0.001"),
        ("p", 0.001, "p = .001", "p = 0.001"),
        ("p", 0.0214, "p = .021", "p = 0.021"),
        ("pct", 0.124, "12%", "12%"),
        ("pct1", 0.1236, "12.4%", "12.4%"),
        ("d", 12345, "12,345", "12,345"),
        ("row|rows", 1, "1 row", "1 row"),
        ("row|rows", 2, "2 rows", "2 rows"),
        ("list", [1, 2, 3], "1, 2 and 3", "1、2和3"),
        ("list", ["a"], "a", "a"),
        ("list", [], "none", "无"),
        ("parts", ["a", "b"], "a; b", "a；b"),
        ("name", "switching_costs", "switching costs", "转换成本"),
    ],
)
def test_numbers_and_lists_as_each_language_prints_them(spec, value, en, zh):
    assert [Wording(language).format_field(value, spec) for language in ("en", "zh")] == [en, zh]


def test_a_sentence_begins_with_a_capital_and_a_note_with_its_symbol():
    words = Wording("en")
    assert words("direct", m="trust", b=0.1, low=0.0, high=0.2).startswith("With trust held constant")
    assert words("path.no", x="trust", y="loyalty", beta=0.1, b=0.1, low=0.0, high=0.2, p=0.06).startswith(
        "Trust did not"
    )
    assert words("note.structure", reference="").startswith("b: ")


def test_an_unknown_language_is_named():
    with pytest.raises(ValueError, match="language is 'de'; it can be 'en' or 'zh'"):
        Wording("de")
    assert set(LANGUAGES) == {"en", "zh"} and np.isfinite(len(LANGUAGES["zh"]))
