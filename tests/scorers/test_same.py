"""Which answers are the same without looking at the gold one: what a majority vote counts by."""

from __future__ import annotations

from typing import Any

import pytest

from skythought.scorers.registry import make_scorer
from skythought.scorers.worker import MOST_CLASSES, group_answers
from skythought.types import Problem

KINDS = {"kinds": {"number": "math", "program": "code"}}


def groups(name: str, answers: list[str], target: Any = None, **args: Any) -> list[list[str]]:
    import json

    found = group_answers(name, json.dumps(args), Problem("1", "", target), answers)
    return [[a for a, first in zip(answers, found, strict=True) if first == n] for n in sorted(set(found))]


@pytest.mark.parametrize(
    ("name", "same", "other"),
    [
        ("math", ["1/2", "0.5", r"\frac12", r"\dfrac{1}{2}", "x = 1/2"], ["0.25", "2", r"\text{half of it}"]),
        ("math", ["1,200", "1200", "1200.0"], ["12", "-1200"]),
        ("math", ["(x+1)(x-1)", "x^2-1"], ["x^2+1", "x-1"]),
        ("math", [r"\{1,2\}", r"\{2,1\}"], [r"\{1,3\}"]),
        ("choice", ["B"], ["A", "A, B"]),
        ("text", ["Paris", "paris.", "**Paris**", "Paris, because it is the capital"], ["London", "Not Paris"]),
        ("text", ["(B)", "B", "b."], ["C"]),
    ],
)
def test_one_answer_in_several_wordings_is_one_class(name: str, same: list[str], other: list[str]) -> None:
    for answers in (same, same[::-1]):
        assert groups(name, [*answers, *other]) == [answers, *([answer] for answer in other)]


def test_kinds_of_math_and_tolerances_count_as_they_do_in_scoring() -> None:
    assert groups("math", ["70", "070", "70 cm"], kind="integer") == [["70", "070", "70 cm"]]
    assert groups("math", ["3.1", "3.14"], {"answer": "3", "tolerance": 0.05}) == [["3.1", "3.14"]]
    assert groups("math", ["3.1", "3.14"], "3") == [["3.1"], ["3.14"]]


def test_the_scorer_of_a_problems_kind_tells() -> None:
    assert groups("mixed", ["0.5", "1/2"], {"kind": "number", "answer": "7"}, **KINDS) == [["0.5", "1/2"]]
    mixed = make_scorer("mixed", KINDS)
    assert mixed.can_vote
    assert not mixed.for_problem(Problem("1", "", {"kind": "program", "answer": {}})).can_vote


@pytest.mark.parametrize(("name", "tells"), [("math", True), ("choice", True), ("text", True), ("code", False),
                                             ("instructions", False), ("model_graded", False)])  # fmt: skip
def test_programs_and_what_only_a_judge_compares_have_no_vote(name: str, tells: bool) -> None:
    assert make_scorer(name, {}).can_vote is tells


def test_the_work_grows_with_the_answers_not_with_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    from skythought.scorers import worker

    asked = []
    monkeypatch.setattr(worker, "same_answer", lambda *item: asked.append(item))
    answers = [str(number) for number in range(500)]
    assert groups("math", answers) == [[answer] for answer in answers]
    assert len(asked) <= MOST_CLASSES * len(answers)


@pytest.mark.parametrize(
    ("name", "response", "answer"),
    [
        ("math", "So we get \\boxed{\\frac12}.", "\\frac12"),
        ("choice", "The answer is B.", "B"),
        ("text", "The answer is Paris.", "Paris."),
    ],
)
def test_without_a_gold_answer_there_is_no_verdict_but_an_answer(name: str, response: str, answer: str) -> None:
    score = make_scorer(name, {}).score(Problem("1", "", None), response)
    assert (score.correct, score.reason, score.answer) == (None, "no gold answer", answer)
    nothing = make_scorer(name, {}).score(Problem("1", "", None), "I do not know.\n\n" + "word " * 60)
    assert (nothing.correct, nothing.answer) == (None, None)
    assert make_scorer(name, {}).gold(Problem("1", "", None)) is None
