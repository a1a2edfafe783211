"""What the samples of a run voted, for the maj@k of its summary: found once all is scored, where scorers run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from skythought.executors.base import Executor
from skythought.runs.classes import Answered, Votes, answer_classes
from skythought.runs.folder import RunFolder
from skythought.runs.results import answered_in, derive

__all__ = ["derive_with_votes", "votes_on"]


async def derive_with_votes(run: RunFolder, executor: Executor, ks: Sequence[int] = ()) -> dict[str, Any]:
    """Write `results.json` and `summary.json` (see `derive`), the latter with maj@k where there can be one."""
    if run.config.n == 1 or run.scoring is None:
        return derive(run, ks)
    return derive(run, ks, await votes_on(answered_in(run), run.config.task.scorer, executor))


async def votes_on(problems: Iterable[Answered], scorer: str | Mapping[str, Any], executor: Executor) -> list[Votes]:
    """The votes on each problem; on none if the scorer cannot tell which answers are the same."""
    async with aclosing(answer_classes(problems, scorer, executor)) as classes:
        return [found.votes async for found in classes]
