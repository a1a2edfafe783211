"""Scoring the answers of an open run, as they come or when all are there; each verdict is journalled."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from skythought.config import TaskConfig
from skythought.executors.base import Executor
from skythought.grading.grade import Grader, scoring_header
from skythought.pipeline.generate import Queue
from skythought.pipeline.judge import Judge, ProblemOf, replies_for
from skythought.runs.environment import versions
from skythought.runs.folder import RunFolder
from skythought.runs.records import PassBegin
from skythought.streams import concurrently
from skythought.types import SampleKey, Score

__all__ = ["DECISIVE", "begin_scoring_if_needed", "header_of", "queue_of", "score_answers"]

DECISIVE = ("scorer", "task_version", "judge")
"""What verdicts depend on, in the header of a pass; not the layers of a sandbox: a run may go on on another machine."""


async def score_answers(
    run: RunFolder,
    answered: Queue,
    executor: Executor,
    grader: Grader,
    *,
    judge: Judge | None = None,
    problem_of: ProblemOf | None = None,
) -> AsyncGenerator[Score, None]:
    """Score the samples whose keys come out of `answered`, until it gives None.

    Args:
        judge: Whose journalled replies are used, for a scorer that asks a model.
        problem_of: The problem of an id, if not the one frozen in the run (a corrected target).
    """
    read = problem_of or run.problem

    async def work(keys: list[SampleKey]) -> list[Score]:
        samples = [(read(key.problem_id), response) for key in keys if (response := run.response(key)) is not None]
        replies = None if judge is None else replies_for(run, grader, judge, samples)
        return await grader.grade(samples, executor, replies)

    batches = _batches(answered, grader.scorer.batch)
    async with aclosing(concurrently(work, batches, executor.workers + 1)) as graded:
        async for scores in graded:
            for score in scores:
                run.add_score(score)
                yield score


def queue_of(keys: Iterable[SampleKey], *, ended: bool = True) -> Queue:
    """A queue that holds these samples, and its end if no more will come."""
    queue = Queue()
    for key in keys:
        queue.put_nowait(key)
    if ended:
        queue.put_nowait(None)
    return queue


def header_of(task: TaskConfig, judge: Judge | None) -> dict[str, Any]:
    """What a pass of scoring is made with, for the record: our own version too, for rules change with it."""
    header = {**scoring_header(task), "skythought": versions().get("skythought")}
    return header if judge is None else {**header, "judge": judge.record}


def begin_scoring_if_needed(run: RunFolder, header: dict[str, Any]) -> None:
    """Verdicts of another scorer or judge do not count beside those to come: all is scored anew then."""
    before = run.scoring.header if run.scoring is not None else None
    if before is None or any(before.get(name) != header.get(name) for name in DECISIVE):
        run.begin_scoring(PassBegin(header))


async def _batches(answered: Queue, size: int) -> AsyncGenerator[list[SampleKey], None]:
    """Keys in small groups: what is there at once goes together, nothing waits for a group to fill."""
    ended = False
    while not ended:
        batch: list[SampleKey] = []
        item = await answered.get()
        while item is not None:
            batch.append(item)
            if len(batch) == size or answered.empty():
                break
            item = answered.get_nowait()
        ended = item is None
        if batch:
            yield batch
