"""A backend at work: how it is made and loaded, and what it says meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

from skythought.backends.base import Backend, BackendArgs
from skythought.config import ModelConfig
from skythought.pipeline.steps import Notice, Step
from skythought.streams import Stop, interleave

__all__ = ["Engine", "heeding", "loading"]


@dataclass(frozen=True)
class Engine:
    """What it takes to run a model."""

    backend: type[Backend[Any]]
    args: BackendArgs
    model: ModelConfig
    batch_size: int

    def make(self) -> Backend[Any]:
        """The backend, not yet started."""
        return self.backend(self.model, self.args, batch_size=self.batch_size)


async def loading(backend: Backend[Any], stack: AsyncExitStack, stop: Stop | None = None) -> AsyncGenerator[Step, None]:
    """Load the backend; `stack` frees it. Yields what it says while it loads. Loading is given up at once on `stop`."""

    async def load() -> AsyncGenerator[Step, None]:
        await stack.enter_async_context(backend)
        return
        yield

    async with aclosing(heeding(backend, load(), stop=stop, grace_s=0.0)) as steps:
        async for step in steps:
            yield step


async def heeding(
    backend: Backend[Any],
    *streams: AsyncGenerator[Step, None],
    stop: Stop | None = None,
    grace_s: float | None = None,
) -> AsyncGenerator[Step, None]:
    """The steps of several streams as they come, and what the backend says the moment it says it."""

    async def said() -> AsyncGenerator[Step, None]:
        async with aclosing(backend.notices.stream()) as lines:
            async for line in lines:
                yield Notice(line)

    async with aclosing(interleave(*streams, beside=said(), stop=stop, grace_s=grace_s)) as steps:
        async for step in steps:
            yield step
    for line in backend.notices.unread():
        yield Notice(line)
