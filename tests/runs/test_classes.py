"""The classes of a problem's answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from skythought.executors.local import LocalExecutor
from skythought.runs.classes import AnswerClass, Answered, ProblemClasses, answer_classes
from skythought.types import Problem, Score

HANGING = """
from dataclasses import dataclass
import time
from skythought.scorers.base import Scorer
from skythought.types import Score

@dataclass(frozen=True)
class Hanging(Scorer):
    timeout_s = 0.5

    def score(self, problem, answer):
        return Score(False, "", answer)

    def same(self, problem, one, other):
        if "hang" in (one, other):
            time.sleep(1000)
        if "raise" in (one, other):
            raise KeyError(one)
        return one.lower() == other.lower()
"""


def answered(*scores: Score | None, target: Any = "1/2", problem_id: str = "1") -> Answered:
    return Answered(Problem(problem_id, "p", target), scores)


def score(answer: str | None, correct: bool | None = False) -> Score:
    return Score(correct, "", answer, "failed" if correct is None else "correct" if correct else "wrong")


def classes(problems: Sequence[Answered], scorer: str | Mapping[str, Any] = "math") -> list[ProblemClasses]:
    async def main() -> list[ProblemClasses]:
        async with LocalExecutor(1) as executor, aclosing(answer_classes(problems, scorer, executor)) as found:
            return [one async for one in found]

    return asyncio.run(main())


def test_right_answers_are_one_class_and_wrong_ones_are_compared() -> None:
    scores = [
        score("0.5", True),
        score("3"),
        score("1/2", True),
        score("3.0"),
        score("7"),
        score("3"),
        score("0.5", True),
    ]
    [found] = classes([answered(*scores)])
    assert found.problem_id == "1"
    assert found.classes == (
        AnswerClass("0.5", (0, 2, 6), True),
        AnswerClass("3", (1, 3, 5), False),
        AnswerClass("7", (4,), False),
    )
    assert found.votes == (((3, True), (3, False), (1, False)), 0)


def test_answers_that_another_program_did_not_record_are_not_taken_for_none() -> None:
    unknown = Score(False, "", None, "wrong")
    assert classes([answered(score("4", True), unknown)]) == []


def test_samples_without_an_answer_are_in_no_class() -> None:
    nothing = Score(False, "", None, "unparsed")
    [found] = classes([answered(nothing, None, score(" "), score("4"), score(None, None))])
    assert found.classes == (AnswerClass("4", (3,), False),)
    assert found.unparsed == (0, 2)
    assert found.votes == (((1, False),), 2)


def test_without_a_verdict_the_answers_are_compared_all_the_same() -> None:
    scores = [score("0.5", None), score("2", None), score(r"\frac12", None), score("1/2", None)]
    [found] = classes([answered(*scores, target=None)])
    assert found.classes == (AnswerClass("0.5", (0, 2, 3), None), AnswerClass("2", (1,), None))
    assert found.votes.samples == 0


def test_problems_whose_scorer_cannot_tell_are_left_out() -> None:
    assert classes([answered(score("x", True), score("y"))], "code") == []
    mixed = {"mixed": {"kinds": {"number": "math", "program": "code"}}}
    problems = [
        answered(score("x = 1"), target={"kind": "program", "answer": {}}),
        answered(score("1"), score("1.0"), target={"kind": "number", "answer": "5"}, problem_id="2"),
        answered(score("1"), target="of no kind", problem_id="3"),
    ]
    assert [(found.problem_id, len(found.classes)) for found in classes(problems, mixed)] == [("2", 1)]


def test_an_answer_at_which_the_scorer_hangs_costs_the_others_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("skythought.runs.classes.GROUPING_S", 0.5)
    (tmp_path / "hanging.py").write_text(HANGING, encoding="utf-8")
    answers = ["a", "A", "b", "B", "hang", "raise", "b", "c"]
    [found] = classes([answered(*map(score, answers))], f"{tmp_path / 'hanging.py'}:Hanging")
    assert {one.samples for one in found.classes} == {(0, 1), (2, 3, 6), (4,), (5,), (7,)}


def test_ids_come_in_order() -> None:
    problems = [answered(score(str(n)), score("x"), problem_id=str(n)) for n in range(20)]
    assert [found.problem_id for found in classes(problems)] == [str(n) for n in range(20)]
