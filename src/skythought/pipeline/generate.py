"""Asking for the samples that are pending, all or as rules choose; each answer is journalled the moment it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

from skythought.backends.base import Backend
from skythought.pipeline.asking import Asking, request_for
from skythought.pipeline.failures import Failures
from skythought.runs.folder import RunFolder
from skythought.streams import Stop
from skythought.types import Request, Response, SampleKey

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
    asking: Asking | None = None,
) -> AsyncGenerator[Response, None]:
    """Ask for every sample that is pending; each answer is journalled before it is yielded.

    Args:
        answered: Gets the key of each answer, and None at the end.
        stop: Once it is requested, nothing more is asked; what is in flight is still taken.
        failures: How many are too many.
        asking: Chooses what is asked, instead of everything; it is told of each answer here, and of verdicts by
            whoever scores.

    Raises:
        BackendError: Too many samples failed.
    """
    more = True
    while more:
        requests = _pending(run, stop) if asking is None else asking.requests
        async with aclosing(backend.generate(requests)) as responses:
            async for response in responses:
                run.add_response(response)
                if answered is not None and response.error is None:
                    answered.put_nowait(response.key)
                if asking is not None:
                    asking.answered(response)
                yield response
                if failures is not None:
                    failures.count(response)
        # A backend that iterates plainly ends where nothing was at hand; one that iterates asynchronously, at the end.
        more = asking is not None and await asking.requests.more()
    if answered is not None:
        answered.put_nowait(None)


def _pending(run: RunFolder, stop: Stop | None) -> Iterator[Request]:
    for key in run.pending():
        if stop is not None and stop.is_requested:
            return
        yield request_for(run, key)
