"""Worker processes on this machine that run one call at a time and are killed when it overruns.

A worker is a fresh interpreter (`python -m skythought.executors._worker`), not a fork: the parent may hold a GPU, an
engine's threads or a notebook, and a user's script needs no `if __name__ == "__main__"` guard.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar

__all__ = ["LocalExecutor", "Outcome"]

START_S = 300.0
"""How long a worker may take to start and import, on a slow disk say. A worker that cannot start fails the call."""

T = TypeVar("T")
Fate = Literal["done", "overran", "died", "exhausted", "raised"]


class Outcome(NamedTuple, Generic[T]):
    """How a call ended. `value` is there for "done"; `why` is a line for people otherwise.

    overran: killed at its deadline. died: its process ended. exhausted: out of memory or stack. raised: an exception.
    """

    fate: Fate
    value: T | None = None
    why: str = ""


class LocalExecutor:
    """A pool of killable worker processes. Use as `async with LocalExecutor() as executor`."""

    def __init__(self, workers: int | None = None, *, memory_bytes: int = 4 << 30) -> None:
        """`workers`: processes (default: the cores this process may use). `memory_bytes`: address space of each."""
        self.workers = workers or len(_usable_cores())
        self._memory_bytes = memory_bytes
        self._idle: list[_Worker] = []
        self._free = asyncio.Semaphore(self.workers)
        self._all: set[_Worker] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.gather(*(worker.kill() for worker in list(self._all)))
        self._all.clear()
        self._idle.clear()

    async def call(
        self,
        function: Callable[..., T],
        *args: Any,
        timeout_s: float,
        prepare: tuple[Callable[..., object], tuple[Any, ...]] | None = None,
    ) -> Outcome[T]:
        """Run `function(*args)` in a worker; never raises for what happens inside of it.

        Args:
            function: Importable by name; arguments and result are pickled.
            timeout_s: Wall-clock seconds until the worker is killed, counted from when it has started, imported what
                it needs and run `prepare`.
            prepare: A function and its arguments, run in the worker before the clock starts.
        """
        async with self._free:
            worker = self._idle.pop() if self._idle else await self._start()
            healthy = False
            try:
                outcome: Outcome[T] = await worker.call(pickle.dumps((prepare, function, args, timeout_s)), timeout_s)
                healthy = outcome.fate in ("done", "raised")
                return outcome
            finally:
                # Also after cancellation: a worker in the middle of a call cannot be used again.
                if healthy:
                    self._idle.append(worker)
                else:
                    self._all.discard(worker)
                    await asyncio.shield(worker.kill())

    async def _start(self) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a file in the working folder must not stand in for a module of that name
            "-m",
            "skythought.executors._worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent alone
            env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "OMP_NUM_THREADS": "1"},
        )
        worker = _Worker(process)
        self._all.add(worker)
        worker.send(pickle.dumps(self._memory_bytes))
        return worker


class _Worker:
    """One worker process. Frames on its pipes: 8 bytes of length, then a pickle."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def send(self, frame: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(len(frame).to_bytes(8, "big") + frame)

    async def call(self, frame: bytes, timeout_s: float) -> Outcome[Any]:
        limit = START_S
        try:
            self.send(frame)
            async with asyncio.timeout(limit):
                answer = await self._frame()
            if answer is None:  # ready: the clock starts
                limit = timeout_s
                async with asyncio.timeout(limit):
                    answer = await self._frame()
            fate, value, why = pickle.loads(answer or b"")
            return Outcome(fate, value, why)
        except TimeoutError:
            if limit == START_S:
                return Outcome("died", None, f"its process was not ready after {START_S:g} s")
            return Outcome("overran", None, f"ran over its limit of {timeout_s:g} s")
        except (asyncio.IncompleteReadError, ConnectionError, pickle.UnpicklingError, EOFError):
            return Outcome("died", None, "its process died (killed from outside, or out of memory)")

    async def _frame(self) -> bytes | None:
        """The next frame; None for the empty one that says that the worker is ready."""
        assert self._process.stdout is not None
        size = int.from_bytes(await self._process.stdout.readexactly(8), "big")
        return await self._process.stdout.readexactly(size) if size else None

    async def kill(self) -> None:
        """End the process and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _usable_cores() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))
