"""Reading an answer out of a response, the same for every scorer."""

from __future__ import annotations

import time

import pytest

from skythought.scorers import score_text
from skythought.scorers.math.scorer import MathScorer

METALS = ["zinc", "silver", "copper", "nickel"]
WRAPPED = [
    "<answer>{}</answer>",
    '{{"reasoning": "short", "answer": "{}"}}',
    "<|begin_of_box|>{}<|end_of_box|>",
    "\\boxed{{{}}}<|im_end|>\n<|im_start|>user\nAnd now?",
    "The answer is {}.\n\nHuman: Another one?\n\nAssistant: The answer is 99.",
    "The answer is {}. I hope this answer is helpful!",
    "答案是 {}。",
    "정답은 {} 입니다.",
]


@pytest.mark.parametrize("form", WRAPPED)
def test_every_scorer_reads_every_dialect(form: str) -> None:
    assert score_text("math", form.format("31"), "31").correct
    assert score_text(MathScorer("integer"), form.format("31"), "31").correct
    assert score_text("choice", form.format("A"), "A", METALS).correct
    assert score_text("text", form.format("Oslo"), "Oslo").correct


@pytest.mark.parametrize(
    "answer",
    [
        "31, 32",
        "(31, 5)",
        "31^2",
        "31!",
        "31i",
        "31_8",
        ">31",
        "not 31",
        "31 or 32",
        "more than 31",
        "31 dozen",
        "31:30",
    ],
)
def test_a_number_kind_takes_no_part_of_something_else(answer: str) -> None:
    assert not score_text(MathScorer("integer"), f"\\boxed{{{answer}}}", "31").correct


@pytest.mark.parametrize("answer", ["30+1", "2031 \\equiv 31 \\pmod{1000}", "031", "31 sheep", "thirty-one", "x = 31"])
def test_a_number_kind_takes_what_is_the_number(answer: str) -> None:
    assert score_text(MathScorer("integer"), f"\\boxed{{{answer}}}", "31").correct


@pytest.mark.parametrize("flood", ["Question:\n", "<answer>", "answer is ", "\\boxed{1} ", "答案是 "])
def test_no_flood_takes_long(flood: str) -> None:
    start = time.process_time()
    score_text("math", flood * 10_000, "42")
    assert time.process_time() - start < 2
