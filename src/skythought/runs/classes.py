"""Which of a problem's answers are the same, by the scorer's own equivalence: what a majority vote counts.

Texts are compared first, then the scorer is asked, in worker processes as for all scoring: an answer at which it hangs
or dies costs that answer its class, nothing else.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, NamedTuple

from skythought.config import scorer_parts
from skythought.errors import SkythoughtError
from skythought.executors.base import Executor
from skythought.scorers.registry import make_scorer
from skythought.scorers.worker import group_answers, prepare, same_answer
from skythought.streams import in_order
from skythought.types import Problem, Score

__all__ = ["AnswerClass", "Answered", "ProblemClasses", "Votes", "answer_classes"]

GROUPING_S = 30.0
"""For all answers to a problem together, before they are compared one pair at a time."""
MOST_HANGS = 8
"""Comparisons of one problem that may be killed before the rest of its answers are told apart by their texts alone."""


class AnswerClass(NamedTuple):
    """Answers to one problem that are the same."""

    answer: str
    """The wording that most of its samples have."""
    samples: tuple[int, ...]
    """Their numbers."""
    correct: bool | None
    """None: no verdict (there is no gold answer, or the judge failed)."""


class Answered(NamedTuple):
    """A problem, and what was scored of its samples, by their numbers; None where nothing was."""

    problem: Problem
    scores: Sequence[Score | None]


class Votes(NamedTuple):
    """What the scored samples of a problem voted, for `maj_at_k`."""

    classes: tuple[tuple[int, bool], ...]
    """Of each class of answers: how many samples gave it, and whether it is right."""
    unparsed: int
    """Samples without an answer."""

    @property
    def samples(self) -> int:
        """How many samples there are."""
        return self.unparsed + sum(size for size, _ in self.classes)


class ProblemClasses(NamedTuple):
    """The classes of a problem's answers, those with the most samples first.

    All right answers are one class: each was found to be the same as the gold one.
    """

    problem_id: str
    classes: tuple[AnswerClass, ...]
    unparsed: tuple[int, ...]
    """Numbers of the samples that were scored and have no answer: they are in no class."""

    @property
    def votes(self) -> Votes:
        """What has a verdict, in numbers alone."""
        counted = ((len(one.samples), one.correct) for one in self.classes if one.correct is not None)
        return Votes(tuple(counted), len(self.unparsed))


async def answer_classes(
    problems: Iterable[Answered], scorer: str | Mapping[str, Any], executor: Executor
) -> AsyncGenerator[ProblemClasses, None]:
    """The classes of each problem's answers, in order.

    A problem whose scorer cannot tell is left out, and one whose answers another program graded without recording them.

    Raises:
        UserError: No such scorer.
    """
    grouping = _Grouping(scorer, executor)
    if not grouping.can_vote:  # nothing has to be read then
        return
    work = grouping.classes
    async with aclosing(in_order(work, problems, 2 * executor.workers)) as grouped:
        async for found in grouped:
            if found is not None:
                yield found


class _Grouping:
    """A scorer, and where it runs."""

    def __init__(self, scorer: str | Mapping[str, Any], executor: Executor) -> None:
        name, args = scorer_parts(scorer)
        self._scorer = make_scorer(name, args)
        self._named = (name, json.dumps(args))
        self._executor = executor

    @property
    def can_vote(self) -> bool:
        return self._scorer.can_vote

    async def classes(self, answered: Answered) -> ProblemClasses | None:
        problem = answered.problem
        try:
            scorer = self._scorer.for_problem(problem)
        except SkythoughtError:  # a target that is none: no answer to it could be scored either
            return None
        if not scorer.can_vote or any(map(_is_unknown, answered.scores)):
            return None
        right, others, unparsed = _by_text(answered.scores)
        texts = sorted(others, key=lambda text: -len(others[text]))
        if not scorer.uses_row:
            problem = replace(problem, row={}, prompt="", shots=())
        merged: dict[int, list[tuple[int, str]]] = {}
        for text, first in zip(texts, await self._grouped(problem, texts, scorer.timeout_s), strict=True):
            merged.setdefault(first, []).extend((number, text) for number in others[text])
        groups = [*([right] if right else []), *merged.values()]
        made = [_class(group, answered.scores) for group in groups]
        made.sort(key=lambda one: (-len(one.samples), one.samples))
        return ProblemClasses(problem.id, tuple(made), tuple(unparsed))

    async def _grouped(self, problem: Problem, texts: list[str], timeout_s: float) -> list[int]:
        """For each text the number of the first that is the same."""
        if len(texts) < 2:
            return list(range(len(texts)))
        limit, ready = max(GROUPING_S, timeout_s), (prepare, self._named)
        outcome = await self._executor.call(group_answers, *self._named, problem, texts, timeout_s=limit, prepare=ready)
        return outcome.value or await self._one_by_one(problem, texts, timeout_s)

    async def _one_by_one(self, problem: Problem, texts: list[str], timeout_s: float) -> list[int]:
        """The same where the scorer hung or died at some pair: both of that pair are classes of their own."""
        found = list(range(len(texts)))
        apart: set[int] = set()
        hangs = 0
        for number in range(1, len(texts)):
            for first in sorted(set(found[:number]) - apart):
                if hangs == MOST_HANGS or number in apart:
                    break
                item = (*self._named, problem, texts[first], texts[number])
                outcome = await self._executor.call(
                    same_answer, *item, timeout_s=timeout_s, prepare=(prepare, self._named)
                )
                if outcome.status != "done":
                    hangs += 1
                    apart |= {first, number}
                elif outcome.value:
                    found[number] = first
                    break
        return found


def _is_unknown(score: Score | None) -> bool:
    """Whether an answer was found wrong by another program, which did not record it."""
    return score is not None and score.verdict == "wrong" and score.answer is None


def _by_text(scores: Sequence[Score | None]) -> tuple[list[tuple[int, str]], dict[str, list[int]], list[int]]:
    """The right samples, each with its answer; the numbers of all others by their answers' texts; those without one."""
    right: list[tuple[int, str]] = []
    others: dict[str, list[int]] = {}
    unparsed: list[int] = []
    for number, score in enumerate(scores):
        answer = (score.answer or "").strip() if score is not None else ""
        if score is not None and score.correct:
            right.append((number, answer))
        elif answer:
            others.setdefault(answer, []).append(number)
        elif score is not None and score.correct is not None:
            unparsed.append(number)
    return right, others, unparsed


def _class(group: Sequence[tuple[int, str]], scores: Sequence[Score | None]) -> AnswerClass:
    texts = [text for _, text in group]
    verdicts = {score.correct for number, _ in group if (score := scores[number]) is not None}
    known = verdicts - {None}
    return AnswerClass(
        answer=max(dict.fromkeys(texts), key=texts.count),
        samples=tuple(sorted(number for number, _ in group)),
        correct=True in known if known else None,
    )
