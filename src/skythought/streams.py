"""All asyncio machinery: work in bounded concurrency, results as they finish."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Iterator,
)
from concurrent.futures import Future
from contextlib import aclosing, suppress
from contextvars import copy_context
from itertools import islice
from typing import Any, Generic, TypeVar

__all__ = [
    "Feed",
    "Notices",
    "Stop",
    "as_async",
    "chain",
    "concurrently",
    "in_order",
    "in_thread",
    "interleave",
    "run_here",
]

T = TypeVar("T")
R = TypeVar("R")


async def concurrently(
    work: Callable[[T], Awaitable[R]], items: AsyncIterator[T] | Iterable[T], limit: int
) -> AsyncGenerator[R, None]:
    """`work` on up to `limit` items at a time; results in order of completion.

    Items are pulled only when a worker is free, so an endless source costs nothing. Up to `limit` results wait for the
    consumer while work goes on. An error in `work` or in the source ends the stream with that error; closing the stream
    cancels what is running.
    """
    source = as_async(items)
    pulling = asyncio.Lock()
    finished: asyncio.Queue[R | _End] = asyncio.Queue(maxsize=limit)

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


class Feed(Generic[T]):
    """Items some of which become known only while others are worked on; for one consumer, in either manner.

    `async for` waits for the next item and ends when no more will come. A plain `for` takes what is at hand and ends
    where nothing is: whoever hands a feed out asks `more()` after that, and hands it out again.
    """

    def __init__(self, take: Callable[[], T | None], is_over: Callable[[], bool]) -> None:
        """`take`: the next item, None if there is none now; `is_over`: whether none will come any more, asked then."""
        self._take = take
        self._is_over = is_over
        self._held: T | None = None
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """There may be an item now, or none any more; called in the event loop."""
        self._changed.set()

    async def more(self) -> bool:
        """Wait until an item is at hand (true), or none will come any more."""
        while self._held is None and (item := self._take()) is None:
            if self._is_over():
                return False
            self._changed.clear()
            await self._changed.wait()
        self._held = self._held if self._held is not None else item
        return True

    def __iter__(self) -> Feed[T]:
        return self

    def __next__(self) -> T:
        item, self._held = self._held, None
        if item is None and (item := self._take()) is None:
            raise StopIteration
        return item

    def __aiter__(self) -> Feed[T]:
        return self

    async def __anext__(self) -> T:
        if not await self.more():
            raise StopAsyncIteration
        return next(self)


class Stop:
    """The wish to end early: nothing new is begun, and what is under way has a while to finish."""

    def __init__(self, grace_s: float = 3.0) -> None:
        self.is_requested = False
        self.grace_s = grace_s
        self._watched: dict[asyncio.Task[Any], float] = {}
        self._ended: set[asyncio.Task[Any]] = set()

    def request(self) -> None:
        """Stop. Called in the event loop; a second call changes nothing."""
        if not self.is_requested:
            self.is_requested = True
            for task, grace_s in self._watched.items():
                self._end_after(task, grace_s)

    def watch(self, task: asyncio.Task[Any], grace_s: float | None = None) -> None:
        """End this task once the while is over."""
        self._watched[task] = self.grace_s if grace_s is None else grace_s
        if self.is_requested:
            self._end_after(task, self._watched[task])

    def has_ended(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether it was this that cancelled a task."""
        return task in self._ended

    def _end_after(self, task: asyncio.Task[Any], grace_s: float) -> None:
        def end() -> None:
            if not task.done():
                self._ended.add(task)
                task.cancel()

        asyncio.get_running_loop().call_later(grace_s, end)


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
    *streams: AsyncGenerator[T, None],
    beside: AsyncGenerator[T, None] | None = None,
    stop: Stop | None = None,
    grace_s: float | None = None,
) -> AsyncGenerator[T, None]:
    """Items of several streams as they come, each stream running on its own; ends when all have ended.

    An error in one stream is raised after cancelling the others. A stream runs at most a few items ahead of the
    consumer. `beside` is one more, which may be endless: it is closed when the others have ended. `stop` ends all of
    them early, `grace_s` (by default its own) seconds after it was requested.
    """
    items: asyncio.Queue[T | _End] = asyncio.Queue(maxsize=8)
    pumps = [asyncio.create_task(_pump(stream, items, stop)) for stream in streams]
    if stop is not None:
        for task in pumps:
            stop.watch(task, grace_s)
    running = len(streams)
    if beside is not None:
        pumps.append(asyncio.create_task(_pump(beside, items, None)))
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


async def _pump(stream: AsyncGenerator[T, None], items: asyncio.Queue[T | _End], stop: Stop | None) -> None:
    """Put a stream's items into the queue, and its end, or that `stop` ended it."""
    try:
        async for item in stream:
            await items.put(item)
        await items.put(_End(None))
    except asyncio.CancelledError:
        if stop is None or not stop.has_ended(asyncio.current_task()):
            raise
        await items.put(_End(None))
    except Exception as error:  # noqa: BLE001 -- raised again by the consumer
        await items.put(_End(error))
    finally:
        await stream.aclose()


async def in_thread(work: Callable[[], T]) -> T:
    """As `asyncio.to_thread`, but nobody waits for the thread at the end: an import cannot be interrupted."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, raised = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 -- raised again by whoever waits
            raised = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, result, raised)

    threading.Thread(target=run, daemon=True, name="skythought").start()
    return await done


class _End:
    """End of one worker or stream, with the error that ended it, if any."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


async def as_async(items: AsyncIterator[T] | Iterable[T]) -> AsyncIterator[T]:
    """The items as an asynchronous iterator; those of a plain iterable come without waiting."""
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


def run_here(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; in a thread of its own if this one has a loop already (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    outcome: Future[T] = Future()
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        started.set_result((asyncio.get_running_loop(), task))
        return await work

    def target() -> None:
        try:
            outcome.set_result(asyncio.run(main()))
        except BaseException as error:  # noqa: BLE001 -- raised again in the calling thread
            outcome.set_exception(error)

    # In the cell's own context, by which a notebook knows where an output belongs.
    thread = threading.Thread(target=copy_context().run, args=(target,), name="skythought")
    thread.start()
    try:
        return outcome.result()
    except KeyboardInterrupt:
        # The notebook's stop button: end the work in its thread too, which frees engine and run folder.
        loop, task = started.result()
        loop.call_soon_threadsafe(task.cancel)
        raise
    finally:
        thread.join()
