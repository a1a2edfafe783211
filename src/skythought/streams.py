"""All asyncio machinery: work in bounded concurrency, results as they finish."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import aclosing, suppress
from itertools import islice
from typing import Any, TypeVar

__all__ = ["Notices", "chain", "concurrently", "in_order", "interleave"]

T = TypeVar("T")
R = TypeVar("R")


async def concurrently(
    work: Callable[[T], Awaitable[R]], items: AsyncIterator[T] | Iterable[T], limit: int
) -> AsyncGenerator[R, None]:
    """`work` on up to `limit` items at a time; results in order of completion.

    Items are pulled only when a worker is free, so an endless source costs nothing. An error in `work` or in the
    source ends the stream with that error; closing the stream cancels what is running.
    """
    source = _as_async(items)
    pulling = asyncio.Lock()
    finished: asyncio.Queue[R | _End] = asyncio.Queue(maxsize=1)

    async def worker() -> None:
        try:
            while True:
                async with pulling:
                    item = await anext(source)
                await finished.put(await work(item))
        except StopAsyncIteration:
            await finished.put(_End(None))
        except Exception as error:  # noqa: BLE001 -- raised again by the consumer
            await finished.put(_End(error))

    workers = [asyncio.create_task(worker()) for _ in range(limit)]
    running = limit
    try:
        while running:
            result = await finished.get()
            if not isinstance(result, _End):
                yield result
            elif result.error is not None:
                raise result.error
            else:
                running -= 1
    finally:
        await _cancel(workers)


async def in_order(work: Callable[[T], Awaitable[R]], items: Iterable[T], limit: int) -> AsyncGenerator[R, None]:
    """`work` on up to `limit` items at a time; results in the order of the items.

    Items are pulled only as results are taken, so at most `limit` are in memory.
    """
    source = iter(items)
    running: deque[asyncio.Task[R]] = deque()

    def start_next() -> None:
        for item in islice(source, 1):
            running.append(asyncio.ensure_future(_awaited(work, item)))

    try:
        for _ in range(limit):
            start_next()
        while running:
            result = await running.popleft()
            start_next()
            yield result
    finally:
        await _cancel(running)


async def _awaited(work: Callable[[T], Awaitable[R]], item: T) -> R:
    return await work(item)


async def chain(*streams: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The items of several streams, one stream after another; each is begun when those before it have ended."""
    for stream in streams:
        async with aclosing(stream):
            async for item in stream:
                yield item


class Notices:
    """Lines for the user, each once, said from any thread and read in the event loop while other work goes on."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        """All that were said, in order."""
        self._read = 0
        self._wake: Callable[[], object] | None = None

    def say(self, line: str) -> None:
        """Add a line, unless it was said before."""
        if line not in self.lines:
            self.lines.append(line)
            if self._wake is not None:
                with suppress(RuntimeError):  # the loop of whoever read them has ended
                    self._wake()

    def unread(self) -> Iterator[str]:
        """The lines that were not read yet."""
        while self._read < len(self.lines):
            yield self.lines[self._read]
            self._read += 1  # not before: whoever took it may have been stopped

    async def stream(self) -> AsyncGenerator[str, None]:
        """Unread lines as they come; without end."""
        loop, spoken = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(spoken.set)
        while True:
            spoken.clear()
            for line in self.unread():
                yield line
            await spoken.wait()


async def interleave(
    *streams: AsyncGenerator[T, None], beside: AsyncGenerator[T, None] | None = None
) -> AsyncGenerator[T, None]:
    """Items of several streams as they come, each stream running on its own; ends when all have ended.

    An error in one stream is raised after cancelling the others. A stream runs at most a few items ahead of the
    consumer. `beside` is one more, which may be endless: it is closed when the others have ended.
    """
    items: asyncio.Queue[T | _End] = asyncio.Queue(maxsize=8)

    async def pump(stream: AsyncGenerator[T, None]) -> None:
        try:
            async for item in stream:
                await items.put(item)
            if stream is not beside:
                await items.put(_End(None))
        except Exception as error:  # noqa: BLE001 -- raised again by the consumer
            await items.put(_End(error))
        finally:
            await stream.aclose()

    pumps = [asyncio.create_task(pump(stream)) for stream in (*streams, *([beside] if beside is not None else []))]
    running = len(streams)
    try:
        while running:
            item = await items.get()
            if not isinstance(item, _End):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                running -= 1
        while not items.empty():  # what `beside` gave in the same moment
            if not isinstance(item := items.get_nowait(), _End):
                yield item
    finally:
        await _cancel(pumps)


class _End:
    """End of one worker or stream, with the error that ended it, if any."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


async def _as_async(items: AsyncIterator[T] | Iterable[T]) -> AsyncIterator[T]:
    if isinstance(items, AsyncIterator):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
