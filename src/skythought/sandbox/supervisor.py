"""Watching confined processes: how long they have run, what they report, how they ended, and that none is left."""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from skythought.sandbox import codec
from skythought.sandbox.outcome import Limits
from skythought.sandbox.runner import CANDIDATE_ENDED, OK_REPORT, REPORT_INTERVAL_S, REPORT_LENGTH

__all__ = ["Child", "ConfinementError", "Ending", "Supervisor", "kill_descendants", "threads_of_children"]

_REPORTABLE = {"ok", "exception", "memory limit", "output limit"}
"""Causes that a child may report of itself. Time limits and kills are seen from here."""
_MAX_EXTENSION = 10
"""How many times the wall-clock limit a program may take at most that waits for a busy core."""
_REAP_S = 2.0
"""How long after closing its socket a child may take to end."""


class Ending(NamedTuple):
    """How a test ended."""

    cause: str
    error: str = ""
    code: int | None = None
    clean: bool = False
    """Whether the process can take another test."""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    """Times as the process itself reports them."""
    end: int = 0
    """Where its output ends in the file, as the process says."""


class ConfinementError(Exception):
    """A layer or a process of ours failed: not the program's fault."""


@dataclass
class Child:
    """One confined process, and our end of its control socket."""

    pid: int
    control: socket.socket
    buffer: bytes = b""
    ready: bool = False
    """Whether it has said that all layers are on. Until then no line of the program has run."""
    status: int | None = None
    """Its wait status, once it has been reaped."""
    cpu_s: float = 0.0
    """What it had used when last looked at."""

    def cpu_time(self) -> float:
        """CPU seconds that it has used so far, all its threads together."""
        if self.status is None and sys.platform == "linux":
            with contextlib.suppress(OSError):
                # The kernel's clock id of a process, as clock_getcpuclockid(3) makes it.
                self.cpu_s = time.clock_gettime((~self.pid << 3) | 2)
        return self.cpu_s

    def read(self) -> bool:
        """Take in what it reports; False: it has closed its end."""
        try:
            data = self.control.recv(REPORT_LENGTH)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.buffer += data
        if not self.ready and self.buffer:
            if self.buffer[:1] != b"r":
                raise ConfinementError(self.buffer[1:600].decode("utf-8", "replace"))
            self.ready, self.buffer = True, self.buffer[1:]
        return bool(data)

    def reports(self) -> list[Ending]:
        """Its reports on tests that have arrived whole. Nothing that matters rests on them."""
        found: list[Ending] = []
        while len(self.buffer) >= 2 and len(self.buffer) >= 2 + int.from_bytes(self.buffer[:2], "little"):
            size = int.from_bytes(self.buffer[:2], "little")
            body, self.buffer = self.buffer[2 : 2 + size], self.buffer[2 + size :]
            found.append(_parsed(body))
        return found

    def reap(self, *, wait: bool) -> bool:
        """Collect its status if it has ended; with `wait`, once it does."""
        if self.status is None:
            pid, status, usage = os.wait4(self.pid, 0 if wait else os.WNOHANG)
            if pid:
                self.status = status
                self.cpu_s = usage.ru_utime + usage.ru_stime
        return self.status is not None

    def kill(self) -> None:
        """Kill it if it still runs, reap it, and close its socket."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.reap(wait=True)
        self.control.close()

    def ending(self) -> Ending:
        """What its wait status means, for one that ended without a report."""
        assert self.status is not None
        code = os.waitstatus_to_exitcode(self.status)
        if code == 0:
            return Ending("ok", code=0)
        if code > 0:
            return Ending("exception", f"exited with status {code}", code)
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        if name == "SIGXCPU":
            return Ending("time limit", "CPU time")
        note = {"SIGSYS": " (forbidden system call)", "SIGSEGV": " (segmentation fault, or stack overflow)"}
        return Ending("killed", f"{name}{note.get(name, '')}")


def _parsed(body: bytes) -> Ending:
    """A report. It was written beside the program, which may have forged it: anything may stand in it."""
    if body[:1] == b"+" and len(body) == OK_REPORT.size:
        return Ending("ok", "", None, True, *OK_REPORT.unpack(body)[1:])
    try:
        cause, error, code, clean, cpu_s, wall_s, end = codec.decode(body)
    except (codec.CodecError, ValueError, TypeError):
        return Ending("exception", "it reported nonsense")
    kinds = [type(item) for item in (cause, error, clean, cpu_s, wall_s, end)]
    if kinds != [str, str, bool, float, float, int] or not 0 <= end < 1 << 63:
        return Ending("exception", "it reported nonsense")
    if cause not in _REPORTABLE or type(code) not in (int, type(None)):
        return Ending("exception", "it reported nonsense")
    return Ending(cause, error[:1000], code, clean, cpu_s, wall_s, end)


def _tasks_of_children() -> list[list[str]]:
    """The folders in /proc of each child's threads; empty where the kernel does not tell.

    Looked up by way of our own entry: the children's ids are those of a namespace that this /proc may not be of, and
    would name strangers there.
    """
    found = []
    with contextlib.suppress(OSError), open("/proc/thread-self/children", "rb") as file:
        for pid in file.read().decode().split():
            with contextlib.suppress(OSError):
                found.append([f"/proc/{pid}/task/{thread}" for thread in os.listdir(f"/proc/{pid}/task")])
    return found


def threads_of_children() -> int:
    """How many threads the child with the most of them has; 0 where the kernel does not tell."""
    return max(map(len, _tasks_of_children()), default=0)


def core_wait_s() -> float:
    """Seconds that a child's thread could have run but waited for a core, at most; 0 where the kernel does not tell."""
    waited = 0
    for thread in itertools.chain(*_tasks_of_children()):
        with (
            contextlib.suppress(OSError, ValueError, IndexError),
            open(f"{thread}/schedstat", "rb") as file,
        ):
            waited = max(waited, int(file.read().split()[1]))
    return waited / 1e9


class Supervisor:
    """Waits until a test has ended: by a report, by the end of a process, or by a limit."""

    def __init__(
        self, children: list[Child], client: tuple[int, ...], exceeded: Callable[[], Ending | None] | None
    ) -> None:
        """
        Args:
            children: The processes of a sample; the first is the one that reports.
            client: Descriptors that become readable when the client has ended.
            exceeded: Looks at the limits that the kernel does not keep on this machine, and says which is exceeded.
                None: the kernel keeps them all.
        """
        self._children, self._exceeded, self._client = children, exceeded, client
        self._poll = select.poll()
        for descriptor in client:
            self._poll.register(descriptor, select.POLLIN)
        for child in children:
            self._poll.register(child.control, select.POLLIN)

    def wait(self, limits: Limits, cpu_left_s: float, count: int) -> list[Ending]:
        """How the first child's next `count` tests end; fewer, if one of them does not end well: that one is the last.

        `cpu_left_s`: what all children together may use for all of these tests.

        Raises:
            ConnectionError: The client has ended.
            ConfinementError: A layer could not be put on.
        """
        done: list[Ending] = []
        # Reports of quick tests come several at a time, so one test may seem to take as long as they are held back.
        time_limits = _TimeLimits(self._children, limits, cpu_left_s, slack_s=REPORT_INTERVAL_S if count > 1 else 0.0)
        while True:
            over = time_limits.exceeded() or (self._exceeded() if self._exceeded is not None else None)
            if over:
                return [*done, over]
            wait_s = time_limits.left_s() if self._exceeded is None else min(time_limits.left_s(), 0.05)
            news = self._step(max(wait_s, 0.002))
            if news:
                done += news
                if len(done) >= count or not done[-1].clean:
                    return done[:count]
                time_limits.restart()

    def _step(self, wait_s: float) -> list[Ending]:
        """The tests that have ended, after waiting for something to happen; mostly none or one."""
        for descriptor, _ in self._poll.poll(wait_s * 1000):
            if descriptor in self._client:
                raise ConnectionError("the client has ended")
            child = next(child for child in self._children if child.control.fileno() == descriptor)
            alive = child.read()
            if not alive:
                self._poll.unregister(descriptor)
            if child is self._children[0]:
                news = child.reports()
                if news:
                    return [*news[:-1], self._confirmed(news[-1])]
                if not alive:
                    return [self._ended(child)]
        return []

    def _confirmed(self, ending: Ending) -> Ending:
        """A report, unless another process of the sample, the candidate of a check, has ended meanwhile."""
        for child in self._children[1:]:
            child.read()
            if child.reap(wait=False) or CANDIDATE_ENDED in ending.error:
                return self._ended(child, while_serving=True)
        return ending

    def _ended(self, child: Child, *, while_serving: bool = False) -> Ending:
        """How a test ended whose process has; `while_serving`: the candidate of a check, which had to wait."""
        deadline = time.monotonic() + _REAP_S
        while not child.reap(wait=False):  # its descriptors are closed a little before it can be reaped
            if time.monotonic() > deadline:
                return Ending("exception", "it closed the control socket")
            time.sleep(0.0005)
        if not child.ready:
            raise ConfinementError("a confined process ended before it was ready")
        ending = child.ending()
        if while_serving and ending.cause == "ok":
            return Ending("exception", "the program exited before the tests had ended", ending.code)
        return ending


class _TimeLimits:
    """CPU and wall-clock limits of the test that is running."""

    def __init__(self, children: list[Child], limits: Limits, cpu_left_s: float, slack_s: float) -> None:
        self._children, self._slack_s, self._limit_s = children, slack_s, limits.cpu_s
        self._last_cpu_s = self._used() + cpu_left_s
        self._wall_s = limits.cpu_s * limits.wall_factor + 1
        self.restart()

    def restart(self) -> None:
        """The next test starts."""
        self._end_cpu_s = min(self._used() + self._limit_s + self._slack_s, self._last_cpu_s)
        self._started, self._extended_s = time.monotonic(), self._wall_s

    def _used(self) -> float:
        return sum(child.cpu_time() for child in self._children)

    def left_s(self) -> float:
        """Seconds until a limit can be exceeded, if one thread runs."""
        passed = time.monotonic() - self._started
        return min(self._end_cpu_s - self._used(), self._extended_s - passed)

    def exceeded(self) -> Ending | None:
        """Which limit is exceeded, if one is."""
        if self._used() >= self._end_cpu_s:
            return Ending("time limit", f"{self._limit_s:g} s of CPU time")
        passed = time.monotonic() - self._started
        if passed < self._extended_s:
            return None
        # Only when the limit is reached: reading this costs more than all the rest here.
        waited = min(core_wait_s(), passed)
        self._extended_s = min(self._wall_s + waited, _MAX_EXTENSION * self._wall_s)
        return Ending("time limit", f"{self._wall_s:g} s of wall-clock time") if passed >= self._extended_s else None


def kill_descendants(namespaced: bool) -> None:
    """Kill every process that is left below us: needed only where seccomp does not forbid to start any."""
    if namespaced:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # as process 1: all others of the namespace
        with contextlib.suppress(ChildProcessError):
            while True:
                os.waitpid(-1, 0)
    for _ in range(1000):  # each round may bring up grandchildren, which the subreaper inherits
        with contextlib.suppress(OSError), open("/proc/thread-self/children", "rb") as file:
            for pid in file.read().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        time.sleep(0.001)
