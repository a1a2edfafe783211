"""The one way from a response to its final verdict.

    response -> answer (its thinking split off) -> score (by the task's scorer, in a worker process) -> verdict

Runs, `score`, tables of answers, rewards and `tasks check` all go this way and no other.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from skythought.config import COMMON_TAGS, TaskConfig, scorer_record
from skythought.executors.base import Executor, Outcome
from skythought.models.thinking import split_thinking
from skythought.printable import shortened
from skythought.scorers.base import ModelScorer, Scorer
from skythought.scorers.registry import scorer_of
from skythought.scorers.worker import prepare, score_answer
from skythought.types import MalformedRow, Problem, Response, SampleKey, Score, Verdict

__all__ = ["Grader", "not_gradable", "scoring_header"]

NEVER_ENDED = "no answer: the thinking never ended"
"""Why a response whose thinking never ended is not right."""

Replies = Mapping[SampleKey, Sequence[Response]]
"""A judge's replies about each sample, in the order of the scorer's questions."""

Tags = Sequence[tuple[str, str]]


class Limits(NamedTuple):
    """What holds while an answer is scored: seconds, and how many answers a worker is given at once."""

    timeout_s: float
    batch: int


@dataclass(frozen=True)
class Grader:
    """Grades responses to the problems of a task."""

    scorer: Scorer
    name: str
    args: Mapping[str, Any]
    """Name and arguments of the scorer: worker processes make it anew from these."""
    tags: Tags = COMMON_TAGS
    """Pairs of opening and closing tags around thinking."""
    judge_tags: Tags = COMMON_TAGS
    """The same of the judge, where the scorer asks a model."""
    _encoded: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_encoded", json.dumps(self.args))

    @classmethod
    def of(cls, task: TaskConfig, tags: Tags = COMMON_TAGS, judge_tags: Tags = COMMON_TAGS) -> Grader:
        """The grader of a task.

        Raises:
            UserError: No such scorer, or an unknown or wrong argument.
        """
        return cls(scorer_of(task), task.scorer_name, task.scorer_args, tags, judge_tags)

    async def grade(
        self, samples: Sequence[tuple[Problem, Response]], executor: Executor, replies: Replies | None = None
    ) -> list[Score]:
        """The final verdict on each response, in order; each `Score` bears its response's key.

        A response that overruns its time or kills its worker costs the others nothing.

        Args:
            samples: Problems, each with a response to it.
            executor: Where the scorer runs.
            replies: Of the judge, for a scorer that asks a model.
        """
        scores: list[Score] = [Score(None, "")] * len(samples)
        waiting: dict[Limits, list[tuple[int, tuple[Any, ...]]]] = {}
        for number, (problem, response) in enumerate(samples):
            found = self._before_scoring(problem, response, replies)
            if isinstance(found, Score):
                scores[number] = found
            else:
                limits, item = found
                waiting.setdefault(limits, []).append((number, item))
        batches = [(limits, batch) for limits, items in waiting.items() for batch in _batches(items, limits.batch)]
        scored = await asyncio.gather(*(self._score(limits, batch, executor) for limits, batch in batches))
        for number, score in (pair for batch in scored for pair in batch):
            scores[number] = score
        return [_final(score, response) for score, (_, response) in zip(scores, samples, strict=True)]

    async def warm_up(self, executor: Executor) -> None:
        """Start a worker with what the scorer needs, so that the first answers do not wait for it."""
        named = (self.name, self._encoded)
        await executor.call(prepare, *named, timeout_s=self.scorer.timeout_s, prepare=(prepare, named))

    def answer_of(self, response: Response) -> str | None:
        """What is scored of a response: all but its thinking; None if that never ended, or if there is no response."""
        if response.error is not None:
            return None
        return _without_thinking(response, self.tags)

    def questions(self, problem: Problem, response: Response) -> Sequence[str]:
        """What the judge must be asked about a response; nothing where there is no answer, or no judge.

        Raises:
            Exception: Whatever a scorer with a bug raises.
        """
        answer = self.answer_of(response)
        if answer is None or not isinstance(self.scorer, ModelScorer):
            return ()
        return list(self.scorer.questions(problem, answer))

    def _before_scoring(
        self, problem: Problem, response: Response, replies: Replies | None
    ) -> Score | tuple[Limits, tuple[Any, ...]]:
        """The score of what needs no scorer; else the limits that hold, and what a worker is given."""
        if response.error is not None:
            return Score(None, f"failed: {response.error}")
        answer = self.answer_of(response)
        try:
            if answer is None:
                return self.scorer.unanswered(problem, NEVER_ENDED)
            scorer = self.scorer.for_problem(problem)
        except Exception as error:  # noqa: BLE001 -- the boundary, as in the workers
            return Score(None, f"the scorer failed: {type(error).__name__}: {error}")
        limits, problem = Limits(scorer.timeout_s, scorer.batch), _trimmed(problem, scorer)
        if not isinstance(self.scorer, ModelScorer):
            return limits, (problem, answer)
        said = self._said((replies or {}).get(response.key))
        return said if isinstance(said, Score) else (limits, (problem, answer, said))

    def _said(self, replies: Sequence[Response] | None) -> list[str] | Score:
        """What the judge said, without its thinking; the score if it did not."""
        if replies is None:
            return Score(None, "the judge was not asked")
        said = []
        for reply in replies:
            if reply.error is not None:
                return Score(None, f"the judge failed: {reply.error}")
            said.append(_without_thinking(reply, self.judge_tags) or "")
        return said

    async def _score(
        self, limits: Limits, batch: Sequence[tuple[int, tuple[Any, ...]]], executor: Executor
    ) -> list[tuple[int, Score]]:
        named = (self.name, self._encoded)
        items = [(*named, *item) for _, item in batch]
        outcomes = await executor.call_each(score_answer, items, timeout_s=limits.timeout_s, prepare=(prepare, named))
        return [(number, self._score_of(outcome)) for (number, _), outcome in zip(batch, outcomes, strict=True)]

    def _score_of(self, outcome: Outcome[Score]) -> Score:
        """The score that a worker came to, or what it means that it came to none.

        A limit that the answer broke is the answer's fault (an answer that cannot be compared in that time is not the
        one that was asked for): wrong. A process that died, a scorer with a bug, or a judge's reply that cannot be read
        in time says nothing about the answer: failed.
        """
        if outcome.value is not None:
            return outcome.value
        if outcome.status in ("timed_out", "exhausted") and not isinstance(self.scorer, ModelScorer):
            return Score(False, f"not shown to be right: scoring {outcome.why}", answer="", verdict="wrong")
        return Score(None, f"the scorer failed: {outcome.why}")


def not_gradable(row: MalformedRow) -> Score:
    """The score of a response to a row that cannot become a problem."""
    return Score(None, f"column {row.column!r}: {row.why}", verdict="failed")


def scoring_header(task: TaskConfig) -> dict[str, Any]:
    """What verdicts are given with, for the record, without secrets."""
    return {"scorer": scorer_record(task.scorer), "task_version": task.version, **scorer_of(task).conditions()}


def _without_thinking(response: Response, tags: Tags) -> str | None:
    return split_thinking(
        response.content, tags=tags, opened=response.thinking_open, reasoning=response.reasoning
    ).answer


def _batches(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _trimmed(problem: Problem, scorer: Scorer) -> Problem:
    """The problem without what the scorer does not need: rows may be megabytes, and go through a pipe."""
    if scorer.uses_row:
        return problem
    return replace(problem, row={}, prompt=problem.prompt if scorer.uses_prompt else "", shots=())


def _final(score: Score, response: Response) -> Score:
    """The score with its verdict, unless the scorer set one itself, and its key."""
    verdict: Verdict = "wrong"
    if score.verdict is not None:
        verdict = score.verdict
    elif score.correct is None:
        verdict = "failed"
    elif score.correct:
        verdict = "correct"
    elif response.is_cut_off:
        verdict = "truncated"
    elif score.answer is None:
        verdict = "unparsed"
    return replace(score, reason=shortened(score.reason), verdict=verdict, key=response.key)
