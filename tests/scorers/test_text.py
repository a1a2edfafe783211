"""Answers in words, and several kinds of answer in one task."""

from __future__ import annotations

from typing import Any

import pytest

from skythought.errors import UserError
from skythought.scorers import score_text
from skythought.scorers.registry import make_scorer
from skythought.scorers.text import TextScorer
from skythought.types import Problem


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


KINDS = {"exactMatch": {"math": {"kind": "expression"}}, "multipleChoice": "choice"}


def mixed(kind: str, answer: str) -> dict[str, Any]:
    return {"kind": kind, "answer": answer}


def test_each_problem_is_scored_by_its_kind() -> None:
    scorer = make_scorer("mixed", {"kinds": KINDS})
    assert score_text(scorer, r"\boxed{0.5}", mixed("exactMatch", r"\frac{1}{2}")).correct
    assert score_text(scorer, "It must be (D), since A fails.", mixed("multipleChoice", "D")).correct
    score = score_text(scorer, r"\boxed{C}", mixed("multipleChoice", "D"))
    assert (score.correct, score.answer, score.details["kind"]) == (False, "C", "multipleChoice")
    for kind, answer in (("exactMatch", "x^2"), ("multipleChoice", "E")):
        problem = Problem("0", "", mixed(kind, answer))
        gold = scorer.gold(problem)
        assert gold is not None
        assert scorer.score(problem, gold).correct


@pytest.mark.parametrize(
    ("kinds", "message"),
    [({"a": "maths"}, "unknown scorer 'maths'"), ({}, "at least one"), ({"a": {"math": {"kin": "x"}}}, "kin")],
)
def test_mixed_is_checked_before_anything_runs(kinds: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_scorer("mixed", {"kinds": kinds})


def test_a_kind_that_is_not_known_is_named() -> None:
    scorer = make_scorer("mixed", {"kinds": KINDS})
    with pytest.raises(UserError, match=r"unknown kind of answer 'exactmatch'. Did you mean 'exactMatch'"):
        score_text(scorer, "1", mixed("exactmatch", "1"))
