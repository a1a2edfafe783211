"""Answers in words."""

from __future__ import annotations

import pytest

from skythought.scorers import score_text
from skythought.scorers.text import TextScorer


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        (r"So it is \boxed{valid}.", "valid"),
        (r"\boxed{\text{Yes}}", "yes"),
        ("**Answer:** True", "True"),
        ("The answer is not obvious at first.\nThe final answer is **invalid**.", "invalid"),
        (r"\boxed{(B)}", "(B)"),
        (r"\boxed{B}", "(B)"),
        ("The answer is (B) the blue one.", "(B)"),
        (r"\boxed{B. blue}", "(B)"),
        ("Answer: ] ) >", "] ) >"),
        (r"\boxed{])>}", "] ) >"),
        ("Sorted:\napple banana cherry", "apple banana cherry"),
        ("The answer is apple, banana, cherry.", "apple banana cherry"),
        (r"\boxed{1,234}", "1234"),
        (r"\boxed{-7.0}", "-7"),
        ("#### 24", "24"),
        ("Jane's dog", "jane's dog"),
    ],
)
def test_right_however_it_is_written(response: str, gold: str) -> None:
    score = score_text(TextScorer(), response, gold)
    assert score.correct, score.reason


@pytest.mark.parametrize(
    ("response", "gold"),
    [
        (r"\boxed{invalid}", "valid"),
        (r"\boxed{not valid}", "valid"),
        (r"\boxed{A}", "(B)"),
        (r"\boxed{Blue}", "(B)"),
        (r"\boxed{] >}", "] ) >"),
        ("The answer is cherry banana apple.", "apple banana cherry"),
        (r"\boxed{12340}", "1234"),
        (r"\boxed{Yes} or rather \boxed{No}", "Yes"),
        ("The answer is yes or no.", "yes"),
    ],
)
def test_wrong(response: str, gold: str) -> None:
    score = score_text(TextScorer(), response, gold)
    assert score.correct is False
    assert score.answer


def test_nothing_to_be_found() -> None:
    score = score_text(TextScorer(), "I would have to think about this. " * 20, "yes")
    assert (score.correct, score.answer) == (False, None)
