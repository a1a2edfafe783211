"""The process that `LocalExecutor` starts first: it imports what workers need, then forks a worker whenever asked.

A fresh interpreter with one thread, never a fork of the user's process, which may hold a GPU, an engine's threads or a
notebook. Forking it takes milliseconds, with sympy loaded; a killed worker is replaced in that time. It also ends the
workers: only it can do so without hitting a stranger, because it alone knows which of its children it has buried.

Orders come on a socket: one letter, the length of what follows, and that. The answer to each is one number.
    P pickle    run (function, args): 0 fine, 1 it left threads behind (forking would be unsafe), 2 it failed
    F limit     fork a worker that serves the socket sent along, in so many bytes of memory: its process id, 0 if none
    K pid       kill that worker and all in its group, and wait for it: 0
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

from skythought.executors.worker import serve

__all__: list[str] = []


def main() -> None:
    """Serve orders until the parent is gone; then nothing that was started here outlives this process."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.dup2(2, 1)  # what anything prints goes to standard error
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent alone
    workers: set[int] = set()
    try:
        while order := _order(control):
            letter, data, descriptor = order
            if letter == b"P":
                answer = _prepare(data)
            elif letter == b"F":
                answer = _fork(control, descriptor, int.from_bytes(data, "big"))
                workers.add(answer)
            else:
                answer = 0
                workers.discard(int.from_bytes(data, "big"))
                _bury(int.from_bytes(data, "big"))
            try:
                control.sendall(answer.to_bytes(8, "big"))
            except OSError:  # the parent has ended while it was at it
                return
    finally:
        for pid in workers - {0}:
            _bury(pid)


def _order(control: socket.socket) -> tuple[bytes, bytes, int] | None:
    try:
        head, descriptors, _, _ = socket.recv_fds(control, 9, 1)
    except OSError:
        return None
    while 0 < len(head) < 9:
        head += control.recv(9 - len(head)) or b"\0" * 9
    size, data = int.from_bytes(head[1:9], "big"), b""
    while len(data) < size and (more := control.recv(min(size - len(data), 1 << 20))):
        data += more
    return (head[:1], data, descriptors[0] if descriptors else -1) if len(head) == 9 and len(data) == size else None


def _prepare(data: bytes) -> int:
    try:
        function, args = pickle.loads(data)
        function(*args)
    except Exception:  # noqa: BLE001 -- the worker will fail in the same way, and say so
        return 2
    gc.collect()
    gc.freeze()  # what is shared stays shared: the collector does not touch it in the workers
    return int(_threads() > 1)


def _threads() -> int:
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def _fork(control: socket.socket, descriptor: int, memory: int) -> int:
    try:
        pid = os.fork()
    except OSError:
        os.close(descriptor)
        return 0
    if pid == 0:
        try:
            control.close()
            serve(socket.socket(fileno=descriptor), memory)
        finally:
            os._exit(0)  # never back into the nursery's loop
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)  # so that it can be killed at once, whether or not it came to do it itself
    os.close(descriptor)
    return pid


def _bury(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
