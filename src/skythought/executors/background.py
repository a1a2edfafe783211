"""One pool of worker processes for code that is not asynchronous; any thread may wait for its results."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from skythought.executors.local import LocalExecutor

__all__ = ["run_in_background"]

T = TypeVar("T")
CLOSING_S = 5.0


def run_in_background(work: Callable[[LocalExecutor], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns, run on this process's pool, which the first call starts and which ends with the process.

    Safe in threads (all share the pool), after a fork (the child starts its own) and where a loop is running already
    (a notebook). If the waiting is interrupted (Ctrl-C), the work is cancelled and its workers are killed.
    """
    pool = _pool()
    future = asyncio.run_coroutine_threadsafe(work(pool.executor), pool.loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


class _Pool:
    """A loop in a thread of its own, and the executor that lives in it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.executor = LocalExecutor(_share_of_cores())
        threading.Thread(target=self.loop.run_forever, name="skythought scoring", daemon=True).start()
        atexit.register(self.close)

    def close(self) -> None:
        """Kill the workers. In a fork of the process that started them there is nothing to close."""
        if os.getpid() == self.pid and self.loop.is_running():
            closing = asyncio.run_coroutine_threadsafe(self.executor.__aexit__(None, None, None), self.loop)
            # RuntimeError: at exit Python starts no more threads, and waiting for the fork server needs one.
            with contextlib.suppress(RuntimeError, TimeoutError):
                closing.result(CLOSING_S)
            self.loop.call_soon_threadsafe(self.loop.stop)


_lock = threading.Lock()
_current: _Pool | None = None


def _pool() -> _Pool:
    global _current
    with _lock:
        if _current is None or _current.pid != os.getpid():
            _current = _Pool()
        return _current


def _after_fork() -> None:
    """The child has no use for its parent's pool, nor for a lock that another thread may have held at the fork."""
    global _lock, _current
    _lock, _current = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _share_of_cores() -> int | None:
    """How many workers this process may have beside its siblings: None (all cores), or its share of them.

    Siblings are the ranks of a distributed training on this machine (torchrun sets LOCAL_WORLD_SIZE), or the tasks of a
    Ray cluster, each of which has the CPUs that were assigned to it.
    """
    ray = sys.modules.get("ray")  # not imported for the question: where it is not, this is no task of Ray's
    if ray is not None and hasattr(ray, "is_initialized") and ray.is_initialized():
        context = ray.get_runtime_context()
        if context.get_task_id() is not None or context.get_actor_id() is not None:
            return max(1, int(context.get_assigned_resources().get("CPU", 1)))
    ranks = os.environ.get("LOCAL_WORLD_SIZE", "")
    if ranks.isdecimal() and int(ranks) > 1:
        return max(1, (os.cpu_count() or 1) // int(ranks))
    return None
