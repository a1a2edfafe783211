"""A worker of `LocalExecutor`: reads a call, runs it, writes the results, until its socket closes.

Frames on the socket, both ways: 8 bytes of length, then a pickle. A call is (prepare, function, items, timeout_s). Its
answers are an empty frame (ready: the parent's clock starts), then (fate, value, why) for each item as it ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import pickle
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

__all__ = ["serve"]

GRACE_S = 60.0
"""How long after its deadline a call may still run if the parent, which should have killed it, is gone."""
PR_SET_PDEATHSIG = 1


def serve(channel: socket.socket, memory: int) -> None:
    """Serve calls in this process, which was forked for it. What they print goes to standard error."""
    with contextlib.suppress(OSError):
        os.setsid()
    _die_with_parent()
    _limit_memory(memory)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    pipe = channel.makefile("rwb")
    while frame := _frame(pipe):
        _run(frame, pipe)


def _run(frame: bytes, pipe: Any) -> None:
    """All items of one call, each answered as it ends."""
    items: list[tuple[Any, ...]] = [()]
    try:
        prepare, function, items, timeout_s = pickle.loads(frame)
        if prepare is not None:
            prepare[0](*prepare[1])
    except Exception as error:  # noqa: BLE001 -- the boundary, as below
        _send(pipe, b"")
        for _ in items:
            _send(pipe, pickle.dumps(_failure(error)))
        return
    _send(pipe, b"")
    for item in items:
        # A watchdog thread in C: it works even while a single huge operation holds the interpreter's lock.
        faulthandler.dump_traceback_later(timeout_s + GRACE_S, exit=True, file=2)
        answer = _answer(function, item)
        faulthandler.cancel_dump_traceback_later()
        _send(pipe, pickle.dumps(answer) if isinstance(answer, tuple) else answer)
        if isinstance(answer, tuple) and answer[0] == "exhausted":
            raise SystemExit  # the state of what ran out of memory or stack is unknown


def _answer(function: Any, item: tuple[Any, ...]) -> bytes | tuple[str, None, str]:
    """The pickled outcome, or the failure, of one item."""
    try:
        return pickle.dumps(("done", function(*item), ""))
    except Exception as error:  # noqa: BLE001 -- the boundary: whatever a call raises is its outcome
        return _failure(error)


def _failure(error: Exception) -> tuple[str, None, str]:
    if isinstance(error, (MemoryError, RecursionError)):
        return "exhausted", None, f"ran out of {'stack' if isinstance(error, RecursionError) else 'memory'}"
    places = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return "raised", None, f"{type(error).__name__}: {error}{place}"


def _send(pipe: Any, data: bytes) -> None:
    pipe.write(len(data).to_bytes(8, "big") + data)
    pipe.flush()


def _frame(pipe: Any) -> bytes:
    """The next frame; empty at the end of the input."""
    data: bytes = pipe.read(int.from_bytes(pipe.read(8), "big"))
    return data


def _die_with_parent() -> None:
    """On Linux the kernel ends this process with the nursery, even one that was killed in the middle of a call."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:  # it was gone before
            os._exit(0)


def _limit_memory(limit: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except (ImportError, ValueError, OSError):
        pass  # macOS refuses address-space limits; the deadline still holds
