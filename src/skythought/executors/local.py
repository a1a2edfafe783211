"""Worker processes on this machine that run one call at a time and are killed when it overruns.

One fresh interpreter (`_nursery.py`) imports what the calls need, once, and forks the workers; the parent holds the
deadlines, has an overrunning worker killed, and gets a new one in milliseconds. A user's script needs no
`if __name__ == "__main__"` guard. If the parent ends, in whatever way, so do the nursery and its workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from skythought.executors.base import Executor, Outcome, Prepare

__all__ = ["LocalExecutor"]

START_S = 300.0
"""How long a worker may take to start and import, on a slow disk say. A worker that cannot start fails the call."""
CHUNK = 1 << 16
HEALTHY = ("done", "raised")
DIED = Outcome[Any]("died", None, "its process died (killed from outside, or out of memory)")
NEVER_STARTED = Outcome[Any]("died", None, "no worker process could be started")

T = TypeVar("T")


class LocalExecutor(Executor):
    """A pool of killable worker processes. Use as `async with LocalExecutor() as executor`."""

    def __init__(self, workers: int | None = None, *, memory_bytes: int = 4 << 30) -> None:
        """`workers`: processes (default: the cores this process may use). `memory_bytes`: address space of each."""
        self.workers = workers or len(_usable_cores())
        self._memory_bytes = memory_bytes
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._free = asyncio.Semaphore(self.workers)
        self._starting = asyncio.Lock()
        self._nursery: _Nursery | None = None
        self._not_to_share: set[bytes] = set()
        """Preparations that leave threads behind or end the process: each worker does these for itself."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._all:
            worker.close()
        self._all.clear()
        self._idle.clear()
        if self._nursery is not None:
            await asyncio.shield(self._nursery.end())
            self._nursery = None

    async def call_each(
        self,
        function: Callable[..., T],
        items: Sequence[tuple[Any, ...]],
        *,
        timeout_s: float,
        prepare: Prepare | None = None,
    ) -> list[Outcome[T]]:
        """`function(*item)` for several items by one worker, in order. See `Executor.call_each`.

        An item that overruns or kills its worker costs its own time and the milliseconds of a new worker.
        """
        outcomes: list[Outcome[T]] = []
        while len(outcomes) < len(items):
            async with self._free:
                worker = self._idle.pop() if self._idle else await self._start(prepare)
                if worker is None:
                    return [*outcomes, *[NEVER_STARTED] * (len(items) - len(outcomes))]
                healthy = False
                try:
                    frame = pickle.dumps((prepare, function, items[len(outcomes) :], timeout_s))
                    outcomes += await worker.run(frame, len(items) - len(outcomes), timeout_s)
                    healthy = outcomes[-1].fate in HEALTHY and len(outcomes) == len(items)
                finally:
                    # Also after cancellation: a worker in the middle of a call cannot be used again.
                    if healthy:
                        self._idle.append(worker)
                    else:
                        await asyncio.shield(self._end(worker))
        return outcomes

    async def _start(self, prepare: Prepare | None) -> _Worker | None:
        """A new worker, from a nursery that has done `prepare` if that can be shared."""
        async with self._starting:
            data = None if prepare is None else pickle.dumps(prepare)
            for _ in range(3):
                nursery = self._nursery = self._nursery or await _Nursery.start()
                try:
                    async with asyncio.timeout(START_S):
                        if data is not None and data not in self._not_to_share and not await nursery.prepared(data):
                            self._not_to_share.add(data)
                            await self._end_nursery()
                            continue
                        worker = await nursery.fork(self._memory_bytes)
                except (TimeoutError, OSError, EOFError):  # it hangs or was killed
                    if data is not None:
                        self._not_to_share.add(data)
                    await self._end_nursery()
                    continue
                if worker is not None:
                    self._all.add(worker)
                return worker
            return None

    async def _end_nursery(self) -> None:
        """End the nursery and all its workers; calls that are running there end as "died"."""
        nursery, self._nursery = self._nursery, None
        self._idle.clear()
        if nursery is not None:
            await asyncio.shield(nursery.end())

    async def _end(self, worker: _Worker) -> None:
        self._all.discard(worker)
        worker.close()
        with contextlib.suppress(OSError, EOFError):
            await worker.nursery.kill(worker.pid)


class _Nursery:
    """The parent's side of `_nursery.py`."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        control: socket.socket,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._process = process
        self._control = control
        self._reader = reader
        self._writer = writer
        self._turn = asyncio.Lock()
        self._prepared: set[bytes] = set()

    @classmethod
    async def start(cls) -> _Nursery:
        here, there = socket.socketpair()
        environment = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # threads of its own would forbid to fork
        process = subprocess.Popen(
            # -P: a file in the working folder must not stand in for a module of that name.
            [sys.executable, "-P", "-m", "skythought.executors.forkserver", str(there.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[there.fileno()],
            start_new_session=True,  # Ctrl-C is for the parent alone
            env={**os.environ, **environment},
        )
        there.close()
        reader, writer = await asyncio.open_unix_connection(sock=here)
        return cls(process, here, reader, writer)

    async def prepared(self, data: bytes) -> bool:
        """Have this done once, before any fork; False if it left threads behind."""
        if data in self._prepared:
            return True
        self._prepared.add(data)
        return await self._order(b"P", data) != 1

    async def fork(self, memory: int) -> _Worker | None:
        here, there = socket.socketpair()
        try:
            pid = await self._order(b"F", memory.to_bytes(8, "big"), there.fileno())
        except BaseException:
            here.close()
            raise
        finally:
            there.close()
        if not pid:
            here.close()
            return None
        reader, writer = await asyncio.open_unix_connection(sock=here)
        return _Worker(pid, self, reader, writer)

    async def kill(self, pid: int) -> None:
        """End a worker and all that it started, and wait for that."""
        await self._order(b"K", pid.to_bytes(8, "big"))

    async def _order(self, letter: bytes, data: bytes, descriptor: int | None = None) -> int:
        # Shielded: an answer that nobody waits for any more must not be taken for the next one's.
        order = asyncio.ensure_future(self._ordered(letter, data, descriptor))
        order.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, if nobody waits any more
        return await asyncio.shield(order)

    async def _ordered(self, letter: bytes, data: bytes, descriptor: int | None) -> int:
        async with self._turn:
            message = letter + len(data).to_bytes(8, "big") + data
            if descriptor is not None:
                socket.send_fds(self._control, [message], [descriptor])
            else:
                self._writer.write(message)
            return int.from_bytes(await self._reader.readexactly(8), "big")

    async def end(self) -> None:
        """Have it end its workers and itself, and wait for that."""
        self._writer.close()
        try:
            await asyncio.to_thread(self._process.wait, 10)
        except subprocess.TimeoutExpired:  # it hangs in a preparation; workers die with it
            self._process.kill()
            await asyncio.to_thread(self._process.wait)


class _Worker:
    """One worker process. Frames on its socket: 8 bytes of length, then a pickle."""

    def __init__(self, pid: int, nursery: _Nursery, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.nursery = nursery
        self._reader = reader
        self._writer = writer

    async def run(self, frame: bytes, count: int, timeout_s: float) -> list[Outcome[Any]]:
        """The outcomes of the call's items, up to the first after which the worker is of no more use."""
        outcomes: list[Outcome[Any]] = []
        limit = START_S
        received = bytearray()
        try:
            self._writer.write(len(frame).to_bytes(8, "big") + frame)
            while len(outcomes) < count and (not outcomes or outcomes[-1].fate in HEALTHY):
                async with asyncio.timeout(limit):
                    data = await self._reader.read(CHUNK)
                if not data:
                    return [*outcomes, DIED]
                received += data
                for answer in _frames(received):
                    limit = timeout_s  # ready, or on to the next item: its clock starts
                    if answer:
                        outcomes.append(Outcome(*pickle.loads(answer)))
        except TimeoutError:
            slow_start = Outcome[Any]("died", None, f"its process was not ready after {START_S:g} s")
            overran = Outcome[Any]("overran", None, f"ran over its limit of {timeout_s:g} s")
            outcomes.append(slow_start if limit == START_S else overran)
        except (OSError, pickle.UnpicklingError, EOFError):
            outcomes.append(DIED)
        return outcomes

    def close(self) -> None:
        """Let go of its socket."""
        self._writer.close()


def _frames(received: bytearray) -> Iterator[bytes]:
    """Take the whole frames out of what was received."""
    while len(received) >= 8:
        size = int.from_bytes(received[:8], "big")
        if len(received) < 8 + size:
            return
        yield bytes(received[8 : 8 + size])
        del received[: 8 + size]


def _usable_cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
