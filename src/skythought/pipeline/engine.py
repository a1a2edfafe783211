"""A backend at work: how it is made and loaded, and what it says meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any

from skythought.backends.base import Backend, BackendArgs
from skythought.config import ModelConfig
from skythought.errors import BackendError, SkythoughtError, UserError
from skythought.pipeline.steps import Notice, Phase, Step
from skythought.streams import Stop, interleave

__all__ = ["Engine", "SharedEngine", "heeding", "loading"]

PER_RUN: dict[str, Any] = {"system_prompt": None, "user_template": None, "sampling_params": {}, "price": None}
"""What a run says of its model and no engine reads."""


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

    def serves(self, other: Engine) -> bool:
        """Whether what the other one does could be done by this one, loaded once."""
        return self._load() == other._load()

    def _load(self) -> tuple[Any, ...]:
        """What is loaded. Classes of arguments are made anew for each check of vLLM's, so their values count."""
        model = self.model.model_copy(update=PER_RUN)
        return self.backend, self.args.model_dump(), model, self.batch_size


class SharedEngine:
    """A backend that is loaded when the first of several runs needs it, and freed after the last."""

    def __init__(self, engine: Engine, name: str, stop: Stop) -> None:
        """`name`: what the backend is called."""
        self.engine = engine
        self.backend = engine.make()
        self.is_started = self.is_loaded = False
        self._fault: SkythoughtError | None = None
        self._name = name
        self._stop = stop
        self.stack = AsyncExitStack()
        """What is undone when it is freed."""

    async def __aenter__(self) -> SharedEngine:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stack.aclose()

    async def start(self) -> AsyncGenerator[Step, None]:
        """Load it, unless it is loaded.

        Raises:
            UserError, BackendError: It cannot be; that is not tried again.
        """
        if self._fault is not None:
            raise self._fault
        if self.is_started:
            return
        self.is_started = True
        yield Phase("engine", f"starting {self._name} with {self.engine.model.model_id}")
        try:
            async with aclosing(loading(self.backend, self.stack, self._stop)) as steps:
                async for step in steps:
                    yield step
        except (UserError, BackendError) as error:
            self._fault = error
            raise
        self.is_loaded = not self._stop.is_requested

    async def free(self) -> None:
        """Make room; another `start` loads it anew."""
        await self.stack.aclose()
        if self.is_started:
            self.backend = self.engine.make()
        self.is_started = self.is_loaded = False


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
