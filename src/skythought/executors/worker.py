"""A worker process of `LocalExecutor`: reads a call, runs it, writes the outcomes, until its socket closes.

Frames on the socket, both ways: 8 bytes of length, then a pickle. A call is (prepare, function, items, timeout_s). Its
answers are an empty frame (ready: the parent's clock starts), then an `Outcome` for each item as it ends.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from skythought.executors.base import Outcome
from skythought.printable import shortened

__all__ = ["adopt_orphans", "cpu_time", "serve", "wall_limit"]

WALL_FACTOR, WALL_S = 10.0, 10.0
"""How far the clock's limit is behind that of CPU time: as many busy neighbours there may be on each core."""
GRACE_S = 60.0
"""How long after its deadline a call may still run if the parent, which should have killed it, is gone."""
PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that this process gets when its parent ends."""
PR_SET_CHILD_SUBREAPER = 36
"""Of Linux's prctl: what descendants leave behind becomes this process's child, not that of process 1."""


def serve(channel: socket.socket, memory_bytes: int) -> None:
    """Serve calls in this process, forked for it. What they print is dropped, as all of the fork server's is."""
    with contextlib.suppress(OSError):
        os.setsid()  # a group of its own, so that whatever a call starts is killed with it
    adopt_orphans()
    _end_with_parent()
    _limit_memory(memory_bytes)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    pipe = channel.makefile("rwb")
    while frame := _read_frame(pipe):
        _run(frame, pipe)


def wall_limit(timeout_s: float) -> float:
    """How long a call may take by the clock that may use `timeout_s` of CPU time."""
    return timeout_s if cpu_time(os.getpid()) is None else WALL_FACTOR * timeout_s + WALL_S


def cpu_time(pid: int) -> float | None:
    """CPU seconds that a process and its threads have used; 0 if it has ended; None: the system does not tell."""
    if sys.platform != "linux":
        return None
    try:
        return time.clock_gettime((~pid << 3) | 2)  # the kernel's clock id of a process: clock_getcpuclockid(3)
    except OSError:
        return 0.0


def _run(frame: bytes, pipe: Any) -> None:
    """Run the items of one call; the outcome of each is written as it ends."""
    items: list[tuple[Any, ...]] = [()]
    try:
        prepare, function, items, timeout_s = pickle.loads(frame)
        if prepare is not None:
            prepare[0](*prepare[1])
    except Exception as error:  # noqa: BLE001 -- the boundary, as below
        _write_frame(pipe, b"")
        for _ in items:
            _write_frame(pipe, pickle.dumps(_failure(error)))
        return
    _write_frame(pipe, b"")
    for item in items:
        _alarm(wall_limit(timeout_s) + GRACE_S)
        _write_frame(pipe, _outcome(function, item))
        _alarm(0)


def _outcome(function: Any, item: tuple[Any, ...]) -> bytes:
    """The pickled outcome of one item."""
    try:
        return pickle.dumps(Outcome("done", function(*item)))
    except Exception as error:  # noqa: BLE001 -- the boundary: whatever a call raises is its outcome
        return pickle.dumps(_failure(error))


def _failure(error: Exception) -> Outcome[Any]:
    if isinstance(error, (MemoryError, RecursionError)):
        return Outcome("exhausted", None, f"ran out of {'stack' if isinstance(error, RecursionError) else 'memory'}")
    places = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return Outcome("raised", None, shortened(f"{type(error).__name__}: {error}{place}"))


def _write_frame(pipe: Any, data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _read_frame(pipe: Any) -> bytes:
    """The next frame; empty at the end of the input."""
    data: bytes = pipe.read(int.from_bytes(pipe.read(8), "big"))
    return data


def _alarm(seconds: float) -> None:
    """Where `_end_with_parent` cannot help, have the system end this process in so many seconds; 0: not at all.

    Not by a thread that watches: on a busy machine one that was just started may wait for a core for seconds, and the
    call with it.
    """
    if sys.platform != "linux":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _end_with_parent() -> None:
    """On Linux the kernel ends this process with the fork server, also in the middle of a call."""
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # the server ended before the kernel was asked
            os._exit(0)


def adopt_orphans() -> None:
    """On Linux, become the parent of what descendants leave behind, so that it can be found and ended."""
    if sys.platform == "linux":
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value)


def _limit_memory(limit: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, ValueError, OSError):
        pass  # macOS refuses address-space limits; the deadline still holds
