"""Asking for every sample that is pending; each answer is journalled the moment it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from skythought.backends.base import Backend
from skythought.models.conversation import conversation
from skythought.pipeline.failures import Failures
from skythought.runs.folder import RunFolder
from skythought.streams import Stop
from skythought.types import Request, Response, SampleKey, sample_seed

__all__ = ["Queue", "generate"]

Queue = asyncio.Queue[SampleKey | None]
"""Samples that are answered, for scoring; None at the end. Keys and not texts: memory stays flat however far generating
runs ahead of scoring, which reads the texts back from the journal."""


async def generate(
    run: RunFolder,
    backend: Backend[Any],
    answered: Queue | None = None,
    stop: Stop | None = None,
    failures: Failures | None = None,
) -> AsyncGenerator[Response, None]:
    """Ask for every sample that is pending; each answer is journalled before it is yielded.

    Args:
        answered: Gets the key of each answer, and None at the end.
        stop: Once it is requested, nothing more is asked; what is in flight is still taken.
        failures: How many are too many.

    Raises:
        BackendError: Too many samples failed.
    """
    async with aclosing(backend.generate(_requests(run, stop))) as responses:
        async for response in responses:
            run.add_response(response)
            if answered is not None and response.error is None:
                answered.put_nowait(response.key)
            yield response
            if failures is not None:
                failures.count(response)
    if answered is not None:
        answered.put_nowait(None)


def _requests(run: RunFolder, stop: Stop | None) -> Iterator[Request]:
    config = run.config
    for key in run.pending():
        if stop is not None and stop.is_requested:
            return
        problem = run.problem(key.problem_id)
        messages = conversation(config.model, problem.prompt, problem.shots)
        yield Request(key, messages, config.sampling, sample_seed(config.seed, key))
