"""Grading texts as if a model had written them."""

from __future__ import annotations

from collections.abc import Sequence

from skythought.config import TaskConfig
from skythought.executors.base import Executor
from skythought.executors.local import LocalExecutor
from skythought.grading.grade import Grader
from skythought.types import Problem, Response, SampleKey, Score


async def graded(
    task: TaskConfig,
    pairs: Sequence[tuple[Problem, str]],
    executor: Executor | None = None,
    finish_reason: str | None = "stop",
) -> list[Score]:
    """The final verdict on each text."""
    samples = [
        (problem, Response(key=SampleKey(problem.id, number), content=text, finish_reason=finish_reason))
        for number, (problem, text) in enumerate(pairs)
    ]
    if executor is not None:
        return await Grader.of(task).grade(samples, executor)
    async with LocalExecutor(1) as own:
        return await Grader.of(task).grade(samples, own)
