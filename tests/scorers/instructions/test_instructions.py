"""Instruction following: what each kind of check takes for followed, strictly and loosely."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skythought.errors import UserError
from skythought.scorers import score_text
from skythought.scorers.instructions.checks import CHECKS, capital_words
from skythought.scorers.instructions.scorer import InstructionsScorer
from skythought.types import Problem

STRICT, LOOSE = InstructionsScorer(), InstructionsScorer(mode="loose")
LEAST, LESS = "at least", "less than"


def target(*wanted: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"instruction_id_list": [name for name, _ in wanted], "kwargs": [args for _, args in wanted]}


FOLLOWED = [
    ("keywords:existence", {"keywords": ["river", "Sea"]}, "The RIVER runs to the sea.", "The river runs."),
    ("keywords:frequency", {"keyword": "sun", "frequency": 2, "relation": LEAST}, "Sun and sunshine", "One sun"),
    ("keywords:frequency", {"keyword": "sun", "frequency": 2, "relation": LESS}, "One sun", "sun sun"),
    ("keywords:forbidden_words", {"forbidden_words": ["rain"]}, "It was raining.", "Rain, again."),
    ("keywords:letter_frequency", {"letter": "q", "let_frequency": 2, "let_relation": LEAST}, "Quick quiz", "Quick"),
    ("keywords:letter_frequency", {"letter": "#", "let_frequency": 2, "let_relation": LEAST}, "# a # b", "# a"),
    ("language:response_language", {"language": "de"}, "Das ist ein kurzer deutscher Satz.", "This is English text."),
    ("length_constraints:number_sentences", {"num_sentences": 2, "relation": LESS}, "Dr. Rao left.", "One. Two."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "One\n***\nTwo", "One\n\nTwo"),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\nOne\n***\nTwo\n***", "One *** *** Two"),
    ("length_constraints:number_words", {"num_words": 3, "relation": LEAST}, "one two-three", "one two"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "then"},
        'First this.\n\n"Then, that.',
        "First this.\n\nAfter that.",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] at [place]", "[name at\n place]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye.\np.s. More", "Bye."),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P. P. S. More", "P.S. More"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* one\n  - two", "* one\n** two"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "*\none", "*"),
    ("detectable_format:constrained_response", {}, "Well. My answer is no.", "No."),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*one* and **two**", "*one* and * *"),
    ("detectable_format:multiple_sections", {"section_spliter": "Part", "num_sections": 2}, "Part 1 Part2", "Part 1"),
    ("detectable_format:json_format", {}, '```json\n{"a": [1]}\n```', "{a: 1}"),
    ("detectable_format:title", {}, "<<A day>>\nIt was", "<< >>"),
    ("combination:two_responses", {}, "One\n******\nTwo", "One\n******\nOne"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say hi."}, "say hi. Hi!", "Hi!"),
    ("startend:end_checker", {"end_phrase": "That is all."}, '"Yes. That is all."', "That is all. Bye."),
    ("startend:quotation", {}, '"Quoted."', '"Half'),
    ("change_case:capital_word_frequency", {"capital_frequency": 2, "capital_relation": LESS}, "One BIG word", "A B"),
    ("change_case:english_capital", {}, "THIS IS ALL IN ENGLISH AND LOUD.", "This is not."),
    (
        "change_case:english_lowercase",
        {},
        "this is all in english and quiet.",
        "dies ist ein deutscher satz",
    ),
    ("punctuation:no_comma", {}, "No comma here.", "One, two."),
]


@pytest.mark.parametrize(("name", "args", "good", "bad"), FOLLOWED)
def test_each_kind_of_instruction(name: str, args: dict[str, Any], good: str, bad: str) -> None:
    followed = score_text(STRICT, good, target((name, args)))
    broken = score_text(STRICT, bad, target((name, args)))
    assert followed.correct is True, followed.reason
    assert (broken.correct, broken.fraction) == (False, 0)
    assert name in broken.reason


def test_all_kinds_of_the_paper_are_there_and_tried() -> None:
    assert len(CHECKS) == 25
    assert {name for name, *_ in FOLLOWED} == set(CHECKS)


def test_loose_looks_past_first_and_last_line_and_asterisks() -> None:
    wanted = target(("punctuation:no_comma", {}), ("startend:end_checker", {"end_phrase": "the end"}))
    response = "Sure, here it is:\nA tale without any.\n**The end**"
    strict, loose = score_text(STRICT, response, wanted), score_text(LOOSE, response, wanted)
    assert (strict.correct, strict.fraction) == (False, 0)
    assert (loose.correct, loose.fraction) == (True, 1)
    assert strict.details["metrics"] == {
        "prompt_level_strict": 0,
        "inst_level_strict": [0, 2],
        "prompt_level_loose": 1,
        "inst_level_loose": [2, 2],
    }
    assert strict.reason == (
        "0 of 2 instructions followed (strict); not: punctuation:no_comma (1 commas); "
        "startend:end_checker (ends with 'sure, here it is:\\na tale without any.\\n**the end**')"
    )


def test_columns_as_the_dataset_has_them() -> None:
    """Every argument of every instruction stands in each set, None where it is not meant."""
    args = [
        {"num_words": None, "relation": None, "letter": None},
        {"num_words": 2.0, "relation": LEAST, "letter": None},
    ]
    wanted = {"instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"], "kwargs": args}
    for given_target in (wanted, json.dumps(wanted), {**wanted, "kwargs": json.dumps(args)}):
        assert score_text(STRICT, "two words", given_target).correct is True


@pytest.mark.parametrize(
    "wrong",
    [
        target(("keywords:unknown", {})),
        target(("length_constraints:number_words", {})),
        target(("length_constraints:number_words", {"num_words": 3, "relation": "about"})),
        {"instruction_id_list": ["punctuation:no_comma"], "kwargs": []},
        {"instruction_id_list": [], "kwargs": []},
        {},
        None,
        "no json",
    ],
)
def test_a_problem_that_cannot_be_checked_is_nobodys_wrong_answer(wrong: Any) -> None:
    score = score_text(STRICT, "Some words.", wrong)
    assert score.correct is None
    assert "cannot be checked" in score.reason


def test_no_response_follows_nothing() -> None:
    wanted = target(("punctuation:no_comma", {}), ("startend:quotation", {}))
    empty = score_text(STRICT, " \n", wanted)
    assert (empty.correct, empty.answer, empty.details["metrics"]["inst_level_loose"]) == (False, None, [0, 2])
    cut = STRICT.unanswered(Problem("0", "", wanted), "it never ended")
    assert (cut.correct, cut.answer, cut.reason) == (False, None, "it never ended")
    assert cut.details["metrics"]["inst_level_strict"] == [0, 2]


def test_mode_is_checked() -> None:
    with pytest.raises(UserError, match="'lose' is neither strict nor loose"):
        InstructionsScorer(mode="lose")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I'm OK", 2),
        ("DON'T", 2),
        ("DON’T", 2),
        ("Q&A", 2),
        ("**NOTE:** A-OK", 2),
        ("U.S. NASA, ESA", 3),
        ("12 3D x", 1),
        ("CANNOT", 2),
        ("nothing", 0),
    ],
)
def test_words_in_capitals(text: str, count: int) -> None:
    assert capital_words(text) == count


def test_the_same_language_every_time() -> None:
    texts = ["das ist", "ja ja ok", "c'est la vie, my friend", "la casa de mi"]
    check = CHECKS["language:response_language"]
    first = [check(text, {"language": "de"}) for text in texts]
    assert all([check(text, {"language": "de"}) for text in texts] == first for _ in range(5))


ALL = target(*((name, args) for name, args, *_ in FOLLOWED))
QUICK = target(*((name, args) for name, args, *_ in FOLLOWED if "language" not in name and "english" not in name))


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(
        st.sampled_from(["*", "[", "]", "<<", ">>", "\n", "-", "p.", "s", '"', "A", "'", " "]) | st.text(max_size=4)
    )
)
def test_no_text_makes_it_raise(pieces: list[str]) -> None:
    score = score_text(STRICT, "".join(pieces), QUICK)
    assert isinstance(score.correct, bool), score.reason


@pytest.mark.parametrize(
    "piece", ["*", "**", "[", "<<", "\n", " \n", "- \n", "*\n", "P.", "Part ", "'", '"', "A ", "***", "a."]
)
def test_a_hundred_thousand_characters_take_no_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    score_text(STRICT, "Yes. " + text, QUICK)
    assert time.process_time() - start < 8
