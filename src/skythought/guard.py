"""Processes that must not outlive the one that started them, and what they leave on disk and in shared memory.

A process that is killed cleans nothing up, and neither do those that it leaves behind. So a small one beside it waits
for its end, however that comes about, and then does what is to be done. On Linux; elsewhere only process groups end.

This module is sent to the nodes of Ray clusters: it imports nothing of ours.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
from contextlib import suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

__all__ = ["Guard"]

END_S = 5.0
"""How long killed processes may take to be gone."""

SHORT = 45
"""Longest path of a folder for temporary ones that have sockets in them: those may have 107 characters in all, of which
vLLM's names take 37.
"""

SCRIPT = r"""
import glob, os, select, shutil, signal, sys, time

if os.fork():  # Ray ends the children of an actor with it
    os._exit(0)
if len(sys.argv) > 3:
    if not os.fork():
        from multiprocessing import resource_tracker
        resource_tracker.main(int(sys.argv[3]))
        os._exit(0)
    os.close(int(sys.argv[3]))
parent, started, rest = sys.argv[1], sys.argv[2], b""

def fields(pid):
    return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()

def parent_lives():
    try:
        now = fields(parent)
        return now[0] not in "ZX" and now[19] == started
    except (OSError, IndexError):
        return not os.path.isdir("/proc")

def read_told():
    told = set()
    for line in rest[:rest.rfind(b"\n") + 1].decode().splitlines():
        (told.discard if line[0] == "-" else told.add)(line[1:])
    return told

def still_there(told):
    groups = {one for one in told if one.isdigit()}
    marks = {one.encode() for one in told if "=" in one}
    for pid in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc") else ()):
        try:
            state, _, group = fields(pid)[:3]
            if state not in "ZX":
                marked = marks & set(open(f"/proc/{pid}/environ", "rb").read().split(b"\0"))
                # Python's own tracker removes what the others have left in /dev/shm, and then ends by itself.
                if marked and b"resource_tracker" in open(f"/proc/{pid}/cmdline", "rb").read():
                    continue
                if marked or group in groups:
                    yield pid
        except (OSError, ValueError):  # it has ended meanwhile
            pass

def shared_by(pid):
    try:
        inodes = {line.split()[4] for line in open(f"/proc/{pid}/maps") if "/dev/shm/" in line}
    except OSError:
        return
    for entry in os.scandir("/dev/shm"):  # by number: the maps have the name that a semaphore was made under
        if entry.name.startswith(("psm_", "sem.")) and str(entry.inode()) in inodes:
            yield entry.path

# Not only until the pipe closes: a process that was forked meanwhile has it too.
alive = True
while b"end\n" not in rest:
    alive = alive and parent_lives()
    if select.select([0], [], [], 1 if alive else 0)[0]:
        read = os.read(0, 65536)
        rest += read
        if not read:
            break
    elif not alive:
        break
told = read_told()
left = {one for one in told if one[0] == "/"}
while found := list(still_there(told)):
    for pid in found:
        left.update(shared_by(pid))
        try:
            os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass
    time.sleep(0.01)
for group in filter(str.isdigit, told):
    try:
        os.killpg(int(group), signal.SIGKILL)
    except OSError:
        pass
left = {path for one in left for path in ([one] if os.path.exists(one) else glob.glob(one))}
for _ in range(50):  # what is just ending may still write there
    for path in left:
        try:
            shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) else os.unlink(path)
        except OSError:
            pass
    left = set(filter(os.path.exists, left))
    if not left:
        break
    time.sleep(0.1)
"""


class Guard:
    """Ends what it was told of when this process ends, or when it is asked to."""

    def __init__(self) -> None:
        started = ""
        with suppress(OSError):
            started = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
        tracked = _tracked()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", SCRIPT, str(os.getpid()), started, *map(str, tracked)],
            pass_fds=tracked,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,  # closed when it is through
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # out of reach of the terminal's Ctrl-C
            env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},  # no other's mark
        )
        for handle in tracked:
            os.close(handle)
        self._process.wait()  # until it has forked itself out of reach

    def add(self, what: int | str | Path) -> None:
        """Also end this: a process group by its number; processes whose environment has this `NAME=value`; files or
        folders by an absolute path or pattern. What the processes share in /dev/shm goes with them.
        """
        self._tell(f"+{what}\n")

    def add_folder(self) -> str:
        """A new folder that goes, too. Its path is short, as the system wants it for sockets."""
        usual = tempfile.gettempdir()
        folder = tempfile.mkdtemp(prefix="skythought-", dir=usual if len(usual) <= SHORT else "/tmp")
        self.add(folder)
        return folder

    def keep(self, what: int | str | Path) -> None:
        """Leave alone what was added before."""
        self._tell(f"-{what}\n")

    def end(self) -> None:
        """End all of it now. Blocks until it is gone, at most `END_S`."""
        self._tell("end\n")
        assert self._process.stdout is not None
        select.select([self._process.stdout], [], [], END_S)
        self._process.poll()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def _tracked() -> list[int]:
    """Python's tracker removes what processes have left in /dev/shm when all are gone. It is a child of the first one,
    and in its group: Ray kills it with them. So the guard begins with one that is out of reach, if there is none yet:
    what that reads from.
    """
    tracker: Any = resource_tracker._resource_tracker  # type: ignore[attr-defined,unused-ignore]
    with tracker._lock:
        if tracker._fd is not None:
            return []
        read, tracker._fd = os.pipe()
        return [read]
