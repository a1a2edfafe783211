"""The zygote's process, as its client has it: starting it, asking it, ending it; and files without a name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import Any

from skythought.sandbox.channel import Channel, ChannelClosedError
from skythought.sandbox.libraries import libraries
from skythought.sandbox.outcome import Limits, SandboxError
from skythought.sandbox.scratch import remove

__all__ = ["ZygoteProcess", "anonymous_file", "environment", "read_range"]

_START_S = 120.0
_BOOT = """
import sys, types
for name, path in (("skythought", sys.argv[1]), ("skythought.sandbox", sys.argv[1] + "/sandbox")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
from skythought.sandbox.zygote import main
main(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
"""
"""Only the modules that the zygote needs: the packages' own `__init__` would import the client's side as well."""


class ZygoteProcess:
    """A zygote process and the socket to it."""

    def __init__(self, limits: Limits, without: list[str]) -> None:
        """Raises SandboxError: it does not start, or a layer that is there does not hold. Then nothing is left."""
        self.client_pid = os.getpid()
        self.sample: object = None
        """The one that it was told of last."""
        self.has_children = False
        """Whether processes of that sample may be there."""
        try:
            with contextlib.ExitStack() as undo:
                self._start(undo, limits, without)
                undo.pop_all()
        except OSError as error:
            raise SandboxError(f"the sandbox does not start: {error}") from None

    def _start(self, undo: contextlib.ExitStack, limits: Limits, without: list[str]) -> None:
        """Start it and wait until it is ready; `undo` takes back what was done if that fails."""
        _sweep()
        scratch, lock = _new_folder()
        undo.callback(remove, scratch)
        undo.callback(os.close, lock)
        ours, theirs = socket.socketpair()
        undo.callback(ours.close)
        with theirs, tempfile.TemporaryFile() as stderr:
            process = _start(theirs, stderr, scratch, lock)
            self._channel = Channel(ours)
            self._finish = weakref.finalize(self, _stop, process, ours, scratch, lock, self.client_pid)
            undo.pop_all()
            undo.callback(self._finish)
            theirs.close()
            found = libraries()
            config = {
                "readable": found.readable,
                "hidden": found.hidden,
                "packages": found.search,
                "without": without,
                "limits": asdict(limits),
            }
            try:
                self.set_timeout(_START_S)
                self._channel.send(config)
                state, self.found, self.missing = self._channel.receive()[0]
            except ChannelClosedError as error:
                stderr.seek(0)
                said = stderr.read().decode("utf-8", "replace").strip().splitlines() or [str(error)]
                raise SandboxError(f"the sandbox does not start: {said[-1]}") from None
        if state != "ready":
            raise SandboxError(f"the sandbox does not start: {self.found}")

    def set_timeout(self, seconds: float) -> None:
        """How long the zygote may take for an answer, from here on."""
        whole, part = divmod(seconds, 1)
        wait = struct.pack("@ll", int(whole), int(part * 1e6))
        self._channel.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, wait)

    def request(self, message: tuple[Any, ...], descriptors: tuple[int, ...] = ()) -> Any:
        """The zygote's answer. Raises ChannelClosedError, also when it takes longer than `set_timeout` allows."""
        self._channel.send(message, descriptors)
        return self._channel.receive()[0]

    @property
    def out_of_reach(self) -> bool:
        """Whether no program can end it: by a signal, or by a limit that it sets for it."""
        return "seccomp" in self.found

    def close(self) -> None:
        """End it and everything that belongs to it."""
        self._finish()


_PREFIX = "skythought-sandbox-"
_YOUNG_S = 60.0
"""A folder that nobody holds may still be about to be held when it is as new as this."""


def _new_folder() -> tuple[str, int]:
    """A new temporary folder, and a descriptor that holds it: while a copy of that is open, `_sweep` leaves it alone.

    Raises:
        OSError: The machine has no room, or too many files are open.
    """
    path = os.path.realpath(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        os.rmdir(path)
        raise
    with contextlib.suppress(OSError):  # a file system without locks: then it looks abandoned only when it is old
        fcntl.flock(lock, fcntl.LOCK_SH)
    return path, lock


def _sweep() -> None:
    """Remove the folders of sandboxes all of whose processes were killed at once, so that none could do it."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if time.time() - os.fstat(lock).st_mtime > _YOUNG_S:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    remove(str(path))
            finally:
                os.close(lock)


def _start(theirs: socket.socket, stderr: Any, scratch: str, lock: int) -> subprocess.Popen[bytes]:
    package = str(Path(__file__).parent.parent)
    client_fd = os.pidfd_open(os.getpid()) if hasattr(os, "pidfd_open") else -1  # readable once we have ended
    numbers = (theirs.fileno(), client_fd, lock)
    command = [sys.executable, "-s", "-S", "-P", "-B", "-c", _BOOT, package, *map(str, (*numbers[:2], scratch, lock))]
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            pass_fds=[number for number in numbers if number >= 0],
            env=environment(),
            cwd="/",
            start_new_session=True,
        )
    finally:
        if client_fd >= 0:
            os.close(client_fd)


def environment() -> dict[str, str]:
    """All environment variables that the zygote and the programs have."""
    chosen = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",  # a name within the sandbox
        "TMPDIR": ".",
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",  # programs that depend on the order of sets behave the same each time
        "MALLOC_ARENA_MAX": "1",  # or each thread takes 64 MiB of address space
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    if "LD_LIBRARY_PATH" in os.environ:  # where the interpreter's own libraries may be
        chosen["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    return chosen


def _stop(process: subprocess.Popen[bytes], sock: socket.socket, scratch: str, lock: int, client_pid: int) -> None:
    sock.close()
    os.close(lock)
    if os.getpid() != client_pid:  # a fork of the client, which must not end the client's zygote
        process.returncode = 0  # or Popen would warn that it still runs
        return
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    remove(scratch)


_SEALS = 1 | 2 | 4 | 8
"""No more seals, shrinking, growing or writing (F_SEAL_* of linux/fcntl.h)."""


def anonymous_file(data: bytes, *, sealed: bool = False) -> int:
    """A descriptor of a new file without a name that holds `data`, read from its start.

    `sealed`: on Linux nobody can ever change it.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("data", os.MFD_CLOEXEC | (os.MFD_ALLOW_SEALING if sealed else 0))
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    try:
        view, at = memoryview(data), 0
        while at < len(view):
            at += os.pwrite(descriptor, view[at:], at)
        if sealed and hasattr(os, "memfd_create"):
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_range(descriptor: int, start: int, end: int) -> bytes:
    """The bytes of a file from `start` up to `end`; fewer if it is shorter."""
    parts = []
    while start < end:
        part = os.pread(descriptor, end - start, start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)
