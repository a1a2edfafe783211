"""What two answers being the same means: hundreds of pairs, the names that a question uses, and the switches."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from math_pairs import DIFFERENT, SAME, UNREAD

from grading import graded
from skythought.config import TaskConfig
from skythought.scorers import score_text
from skythought.scorers.math.equivalence import compare
from skythought.scorers.math.scorer import MathScorer
from skythought.types import Problem


def is_right(gold: str, given: str, **policy: Any) -> bool | None:
    return score_text(MathScorer(**policy), f"So it is $\\boxed{{{given}}}$.", gold).correct


def test_what_is_the_same_is_right() -> None:
    assert [pair for pair in SAME if not is_right(*pair)] == []


def test_what_is_not_the_same_is_wrong() -> None:
    assert [pair for pair in DIFFERENT if is_right(*pair)] == []


def test_what_is_not_read_is_at_least_itself() -> None:
    assert [gold for gold, _ in UNREAD if not is_right(gold, f" {gold} ")] == []


@pytest.mark.parametrize(
    ("question", "gold", "given", "expected"),
    [
        ("Solve sin x = 0.", "k\\pi", "n\\pi", True),
        ("Let $n$ be even. Solve sin x = 0 in terms of $n$.", "n\\pi", "k\\pi", False),
        ("There are $n$ people and $k$ chairs.", "2n+1", "2k+1", False),
        ("Describe all odd numbers.", "2n+1", "2k+1", True),
        ("Find all $f$ with $f(2x) = 2f(x)$.", "f(x) = cx", "f(x) = kx", True),
        ("Find all $f$ with $f(2x) = 2f(x)$ and $f(1) = a$.", "f(x) = ax", "f(x) = cx", False),
        ("Let A and C be masses.", "Ax", "Cx", False),
        ("Integrate 2x.", "x^2 + C", "x^2 + c", True),
        ("Let $R$ be the outer and $r$ the inner radius.", "\\pi R^2", "\\pi r^2", False),
        ("How many million people live there?", "2.5 million", "2.5", True),
        ("Let m be the small mass. Find the force.", "\\frac{mg}{k}", "\\frac{Mg}{k}", False),
        ("If x and y are the legs, what is $x^2 + y^2$?", "9", "x^2+y^2=9", True),
        ("Which circle has the radius 3?", "9", "x^2+y^2=9", False),
        ("", "n^2", "k^2", True),
        ("How many are there of $n$ rows?", "n^2", "k^2", False),
        ("", "n^2+k", "m^2+k", False),
        ("", "x^2", "y^2", False),
        ("", "n=3k", "k=3n", False),
        ("", "ab", "cb", False),
    ],
)
def test_a_name_that_the_question_uses_means_what_it_says(question: str, gold: str, given: str, expected: bool) -> None:
    assert MathScorer().score(Problem("0", question, gold), f"\\boxed{{{given}}}").correct is expected


@pytest.mark.parametrize(
    ("policy", "gold", "given"),
    [
        ({"rounding": False}, "\\frac{1}{3}", "0.3333"),
        ({"rounding": False}, "\\sqrt{2}", "1.41421"),
        ({"percent": False}, "28\\%", "28"),
        ({"ordered": True}, "1, 2", "2, 1"),
        ({"ordered": True}, "\\{1, 2\\}", "\\{2, 1\\}"),
        ({"units": True}, "5\\text{ cm}", "5"),
    ],
)
def test_a_switch_makes_wrong_what_is_right_by_default(policy: dict[str, bool], gold: str, given: str) -> None:
    assert is_right(gold, given)
    assert is_right(gold, given, **policy) is False
    assert is_right(gold, gold, **policy)


def test_what_a_switch_leaves_right() -> None:
    assert is_right("28\\%", "0.28", percent=False)
    assert is_right("5\\text{ cm}", "50 mm", units=True)
    assert is_right("\\frac{1}{2}", "0.5", rounding=False)


def test_two_answers_in_one_are_none() -> None:
    """Neither side of an approximation that is none, nor a name that is used for two."""
    assert not compare("3", r"3 \approx 4").same
    assert not compare("4", r"3 \approx 4").same
    assert not compare("(2n+1,n)", "(2k+1,n)").same


def test_a_run_knows_the_question() -> None:
    asked = Problem("0", "How many pairs are there among $n$ people?", "n^2")
    unasked = Problem("1", "Name the squares.", "n^2")
    task = TaskConfig(dataset_path="", scorer="math")
    scores = asyncio.run(graded(task, [(asked, "\\boxed{k^2}"), (unasked, "\\boxed{k^2}")]))
    assert [score.correct for score in scores] == [False, True]
