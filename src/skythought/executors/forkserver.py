"""The fork server of `LocalExecutor`: a process that imports what workers need, and forks a worker whenever asked.

It is a fresh interpreter with one thread, never a fork of the user's process, which may hold a GPU, an engine's threads
or a notebook. Forking it takes milliseconds, so a killed worker is replaced in that time. It also kills
the workers: as their parent it alone knows that a process id still is the worker's and not some other process's.

It is asked on a socket: one letter, 8 bytes of length, and that many bytes. The answer is always 8 bytes, a number.
    P pickle    run (function, args): 0 done, 1 it left threads behind (forking would be unsafe), 2 it raised
    F limit     fork a worker with so many bytes of memory, for the socket sent along: its process id, 0 if it cannot
    K pid       kill that worker and all that it left running, and wait for it: 0
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import socket
import sys
import threading
from pathlib import Path

from skythought.executors.worker import adopt_orphans, serve

__all__: list[str] = []

MOST_GENERATIONS = 100
"""What was left behind may have left something behind itself."""


def main() -> None:
    """Answer requests until the parent is gone; then kill what is left of the workers."""
    control = socket.socket(fileno=int(sys.argv[1]))
    adopt_orphans()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent alone
    workers: set[int] = set()
    try:
        while request := _read_request(control):
            letter, data, descriptor = request
            number, answer = int.from_bytes(data, "big"), 0
            if letter == b"P":
                answer = _prepare(data)
                workers |= _children()  # what a preparation started stays until the server ends
            elif letter == b"F":
                answer = _fork(control, descriptor, number)
                workers.add(answer)
            else:
                workers.discard(number)
                _kill(number)
                _end_orphans(workers)
            try:
                control.sendall(answer.to_bytes(8, "big"))
            except OSError:  # the parent has ended meanwhile
                return
    finally:
        for pid in workers - {0}:
            _kill(pid)
        _end_orphans(set())


def _read_request(control: socket.socket) -> tuple[bytes, bytes, int] | None:
    """The next request: letter, data, and the descriptor that was sent along (else -1). None: the parent is gone."""
    try:
        head, descriptors, _, _ = socket.recv_fds(control, 9, 1, socket.MSG_WAITALL)
        size = int.from_bytes(head[1:], "big")
        data = control.recv(size, socket.MSG_WAITALL)
    except OSError:
        return None
    whole = len(head) == 9 and len(data) == size
    return (head[:1], data, descriptors[0] if descriptors else -1) if whole else None


def _prepare(data: bytes) -> int:
    try:
        function, args = pickle.loads(data)
        function(*args)
    except Exception:  # noqa: BLE001 -- the worker will fail in the same way, and say so
        return 2
    gc.collect()
    gc.freeze()  # the collector of a worker would write to the pages that it shares with this process
    return int(_threads() > 1)


def _threads() -> int:
    """How many threads this process has, those of C libraries included where the system tells."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def _fork(control: socket.socket, descriptor: int, memory_bytes: int) -> int:
    try:
        pid = os.fork()
    except OSError:
        os.close(descriptor)
        return 0
    if pid == 0:
        try:
            control.close()
            serve(socket.socket(fileno=descriptor), memory_bytes)
        finally:
            os._exit(0)  # a worker must never get back into the server's loop
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)  # so that its group can be killed already now; the worker does the same itself
    os.close(descriptor)
    return pid


def _kill(pid: int) -> None:
    """Kill a worker with its group, and wait for it so that its id is free."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _end_orphans(workers: set[int]) -> None:
    """Kill what killed workers left behind in sessions of its own: it has become this process's, as do its children."""
    for _ in range(MOST_GENERATIONS):
        orphans = _children() - workers
        if not orphans:
            return
        for pid in orphans:
            _kill(pid)


def _children() -> set[int]:
    """Process ids of this process's children; none where the system does not tell."""
    lists = Path("/proc/self/task").glob("*/children")
    with contextlib.suppress(OSError):
        return {int(pid) for each in lists for pid in each.read_text(encoding="ascii").split()}
    return set()


if __name__ == "__main__":
    main()
