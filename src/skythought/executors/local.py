"""Worker processes on this machine that run one call at a time and are killed when it takes too long.

A fork server (`forkserver.py`, a fresh interpreter) imports what the calls need, once, and forks the workers. This side
holds the deadlines: a worker that overruns is killed, and a new one forked in milliseconds. A user's script needs no
`if __name__ == "__main__"` guard. If this process ends, in whatever way, so do the fork server and its workers.
"""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

from skythought.executors.base import Executor, Outcome, Prepare
from skythought.executors.worker import cpu_time, wall_limit
from skythought.redaction import scrubbed_environment

__all__ = ["LocalExecutor"]

START_S = 300.0
"""How long a worker may take to start and import, on a slow disk say. A worker that cannot start fails the call."""
START_TRIES = 5
CALL_TRIES = 5
"""How often an item is tried whose worker dies: something outside may have killed it."""
PAUSE_S = 0.5
"""Before another try to start a worker: the machine may have no room for a process at the moment."""
END_S = 10.0
"""How long the fork server may take to end by itself."""
SHORTEST_S = 0.01
"""Between two looks at how much CPU time a worker has used."""
LATE_S = 0.1
"""For reading what came in time while this process was busy with something else."""
CHUNK_BYTES = 1 << 16
USABLE_AFTER = ("done", "raised")
"""Outcomes after which the worker may be used again. What ran out of memory may have left anything half done."""
DIED = Outcome[Any]("died", None, "its process died (killed from outside, or out of memory)")
NEVER_STARTED = Outcome[Any]("died", None, "no worker process could be started")

T = TypeVar("T")


class LocalExecutor(Executor):
    """A pool of worker processes on this machine. Use as `async with LocalExecutor() as executor`."""

    def __init__(self, workers: int | None = None, *, memory_bytes: int = 4 << 30) -> None:
        """`workers`: processes (default: the cores this process may use). `memory_bytes`: address space of each."""
        self.workers = workers or len(_usable_cores())
        self._memory_bytes = memory_bytes
        self._server: _ForkServer | None = None
        self._workers: set[_Worker] = set()
        self._idle: list[_Worker] = []
        self._free = asyncio.Semaphore(self.workers)
        self._starting = asyncio.Lock()
        self._unshared: set[bytes] = set()
        """Preparations that leave threads behind, hang or end the process: each worker runs these for itself."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.close()
        self._workers.clear()
        await self._end_server()

    async def call_each(
        self,
        function: Callable[..., T],
        items: Sequence[tuple[Any, ...]],
        *,
        timeout_s: float,
        prepare: Prepare | None = None,
    ) -> list[Outcome[T]]:
        """See `Executor.call_each`. A worker that is killed is replaced in milliseconds."""
        outcomes: list[Outcome[T]] = []
        tries = 0  # of the first item that has no outcome yet
        while len(outcomes) < len(items):
            async with self._free:
                worker = self._idle_worker() or await self._start_worker(prepare)
                if worker is None:
                    return [*outcomes, *[NEVER_STARTED] * (len(items) - len(outcomes))]
                usable = False
                try:
                    frame = pickle.dumps((prepare, function, items[len(outcomes) :], timeout_s))
                    news = await worker.run(frame, len(items) - len(outcomes), timeout_s)
                    if news[-1].status == "exhausted" and not _has_memory(self._memory_bytes):
                        news[-1] = DIED  # what it met is the machine's limit, not its own
                    tries = tries + 1 if len(news) == 1 else 1
                    if news[-1].status == "died" and tries < CALL_TRIES:
                        news.pop()
                    else:
                        tries = 0
                    outcomes += news
                    usable = len(outcomes) == len(items) and outcomes[-1].status in USABLE_AFTER
                finally:
                    # Also after cancellation: a worker in the middle of a call cannot be used again.
                    if usable:
                        self._idle.append(worker)
                    else:
                        await asyncio.shield(self._end_worker(worker))
        return outcomes

    def _idle_worker(self) -> _Worker | None:
        """One that is there and waits; those that have died meanwhile are dropped."""
        while self._idle:
            worker = self._idle.pop()
            if worker.alive:
                return worker
            self._workers.discard(worker)
            worker.close()
        return None

    async def _start_worker(self, prepare: Prepare | None) -> _Worker | None:
        """A new worker, of a server that has run `prepare` if that can be shared; None if there can be none."""
        data = b"" if prepare is None else pickle.dumps(prepare)
        async with self._starting:
            for left in reversed(range(START_TRIES)):
                with contextlib.suppress(TimeoutError, OSError, EOFError):  # killed, or no room for processes or files
                    server = self._server = self._server or await _ForkServer.start()
                    async with asyncio.timeout(START_S):
                        if data in self._unshared or await self._prepared(server, data):
                            worker = await server.fork(self._memory_bytes)
                            if worker is not None:
                                self._workers.add(worker)
                                return worker
                if left:
                    await self._end_server()
                    await asyncio.sleep(PAUSE_S)
            return None

    async def _prepared(self, server: _ForkServer, data: bytes) -> bool:
        """Have the server prepare; if that cannot be done for all workers at once, the next ones do it themselves."""
        shared = False
        try:
            shared = not data or await server.prepare(data)
        finally:
            if not shared:
                self._unshared.add(data)
        return shared

    async def _end_server(self) -> None:
        """End the fork server and all its workers; calls that are running there end as "died"."""
        server, self._server = self._server, None
        self._idle.clear()
        if server is not None:
            await asyncio.shield(server.end())

    async def _end_worker(self, worker: _Worker) -> None:
        self._workers.discard(worker)
        worker.close()
        with contextlib.suppress(OSError, EOFError):
            await worker.server.kill(worker.pid)


class _ForkServer:
    """This side of `forkserver.py`."""

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
        self._one_at_a_time = asyncio.Lock()
        self._prepared: set[bytes] = set()

    @classmethod
    async def start(cls) -> _ForkServer:
        here, there = socket.socketpair()
        environment = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # with threads it could not be forked
        process = subprocess.Popen(
            # -P: a file in the working folder must not stand in for a module of that name.
            [sys.executable, "-P", "-m", "skythought.executors.forkserver", str(there.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # what a user's scorer prints must not get into the terminal
            pass_fds=[there.fileno()],
            start_new_session=True,  # Ctrl-C is for the parent alone
            env={**scrubbed_environment(os.environ), **environment},
        )
        there.close()
        reader, writer = await asyncio.open_unix_connection(sock=here)
        return cls(process, here, reader, writer)

    async def prepare(self, data: bytes) -> bool:
        """Have this run once, before any fork; False if it left threads behind."""
        if data in self._prepared:
            return True
        self._prepared.add(data)
        return await self._ask(b"P", data) != 1

    @property
    def alive(self) -> bool:
        """Whether its process has not ended."""
        return self._process.poll() is None

    async def fork(self, memory_bytes: int) -> _Worker | None:
        """A new worker; None if the system allows no more processes."""
        here, there = socket.socketpair()
        try:
            pid = await self._ask(b"F", memory_bytes.to_bytes(8, "big"), there.fileno())
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
        """Kill a worker and all that it started, and wait for that."""
        await self._ask(b"K", pid.to_bytes(8, "big"))

    async def _ask(self, letter: bytes, data: bytes, descriptor: int | None = None) -> int:
        # Shielded: an answer that nobody waits for any more must not be taken for the next one's.
        asked = asyncio.ensure_future(self._asked(letter, data, descriptor))
        asked.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, if nobody waits any more
        return await asyncio.shield(asked)

    async def _asked(self, letter: bytes, data: bytes, descriptor: int | None) -> int:
        async with self._one_at_a_time:
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
            await asyncio.to_thread(self._process.wait, END_S)
        except subprocess.TimeoutExpired:  # it hangs in a preparation; workers die with it
            self._process.kill()
            await asyncio.to_thread(self._process.wait)


class _Worker:
    """This side of `worker.py`: one process."""

    def __init__(
        self, pid: int, server: _ForkServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.pid = pid
        self.server = server
        self._reader = reader
        self._writer = writer

    async def run(self, frame: bytes, count: int, timeout_s: float) -> list[Outcome[Any]]:
        """The outcomes of a call's items, up to the first after which the worker cannot be used again."""
        outcomes: list[Outcome[Any]] = []
        deadline = _Deadline(self.pid, None)
        received = bytearray()
        try:
            self._writer.write(len(frame).to_bytes(8, "big") + frame)
            while len(outcomes) < count and (not outcomes or outcomes[-1].status in USABLE_AFTER):
                data = await self._read(deadline)
                if not data:
                    return [*outcomes, DIED]
                received += data
                for answer in _frames(received):
                    deadline = _Deadline(self.pid, timeout_s)  # ready, or on to the next item: its clock starts
                    if answer:
                        outcomes.append(pickle.loads(answer))
        except TimeoutError:
            outcomes.append(deadline.outcome())
        except (OSError, pickle.UnpicklingError, EOFError):
            outcomes.append(DIED)
        return outcomes

    @property
    def alive(self) -> bool:
        """Whether it can be given a call, as far as is known here."""
        return self.server.alive and not self._reader.at_eof()

    async def _read(self, deadline: _Deadline) -> bytes:
        """What the worker sends before its deadline. Raises TimeoutError."""
        while True:
            try:
                async with asyncio.timeout(deadline.left_s()):
                    return await self._reader.read(CHUNK_BYTES)
            except TimeoutError:
                if not deadline.over():
                    continue
                # If this process's own loop was held up, the time passed while the answer lay there, unread.
                async with asyncio.timeout(LATE_S):
                    return await self._reader.read(CHUNK_BYTES)

    def close(self) -> None:
        """Close its socket, at which it ends if it is idle."""
        self._writer.close()


class _Deadline:
    """How long a worker may take for an item, or to get ready."""

    def __init__(self, pid: int, timeout_s: float | None) -> None:
        """`timeout_s`: see `Executor.call_each`; None: until it is ready, by the clock."""
        self._pid, self._timeout_s = pid, timeout_s
        self._cpu_s, self._started = cpu_time(pid), time.monotonic()
        self._wall_s = START_S if timeout_s is None else wall_limit(timeout_s)

    def _used(self) -> float:
        """CPU seconds since it began; the clock's where the system does not tell those."""
        cpu_s = cpu_time(self._pid)
        return time.monotonic() - self._started if cpu_s is None or self._cpu_s is None else cpu_s - self._cpu_s

    def left_s(self) -> float:
        """Seconds until it can be over, if one thread runs."""
        left = self._wall_s - (time.monotonic() - self._started)
        return max(SHORTEST_S, left if self._timeout_s is None else min(left, self._timeout_s - self._used()))

    def over(self) -> bool:
        """Whether the limit is exceeded."""
        late = time.monotonic() - self._started >= self._wall_s
        return late or (self._timeout_s is not None and self._used() >= self._timeout_s)

    def outcome(self) -> Outcome[Any]:
        """What becomes of the item when it is."""
        if self._timeout_s is None:
            return Outcome("died", None, f"its process was not ready after {START_S:g} s")
        if self._used() >= self._timeout_s:
            return Outcome("timed_out", None, f"ran over its limit of {self._timeout_s:g} s")
        return Outcome(
            "stalled", None, f"had not ended after {self._wall_s:g} s, {self._used():.1f} s of them CPU time"
        )


def _frames(received: bytearray) -> Iterator[bytes]:
    """Take the whole frames out of what was received."""
    while len(received) >= 8:
        end = 8 + int.from_bytes(received[:8], "big")
        if len(received) < end:
            return
        yield bytes(received[8:end])
        del received[:end]


def _has_memory(size: int) -> bool:
    """Whether the machine has so much memory to give, or half of all it has if that is less."""
    with contextlib.suppress(ValueError, AttributeError):
        size = min(size, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    try:
        mmap.mmap(-1, size).close()
    except OSError:
        return False
    return True


def _usable_cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
