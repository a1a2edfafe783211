"""Watching confined processes: how long they have run, what they report, how they ended, and that nothing stays."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from skythought.sandbox import codec as wire
from skythought.sandbox.outcome import Limits
from skythought.sandbox.runner import FINE, GONE, REPORT_LENGTH, TOGETHER_S

__all__ = ["BrokenError", "Ended", "Member", "Watch", "sweep"]

_REPORTABLE = {"ok", "exception", "memory limit", "output limit"}
_EXTENSION = 10
"""How many times the wall-clock guard a program may take at most that waits for a busy core."""
_GRACE_S = 2.0


class Ended(NamedTuple):
    """How a test ended; `clean`: whether the process can take another one. Times as the process itself reports them."""

    cause: str
    error: str = ""
    code: int | None = None
    clean: bool = False
    cpu_s: float = 0.0
    wall_s: float = 0.0
    end: int = 0
    """Where its output ends in the file, as the process says."""


class BrokenError(Exception):
    """A layer or a process of ours failed: not the program's fault."""


@dataclass
class Member:
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

    def clock(self) -> float:
        """CPU seconds that it has used so far (clock ids: clock_getcpuclockid(3))."""
        if self.status is None and sys.platform == "linux":
            with contextlib.suppress(OSError):
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
                raise BrokenError(self.buffer[1:600].decode("utf-8", "replace"))
            self.ready, self.buffer = True, self.buffer[1:]
        return bool(data)

    def reports(self) -> list[Ended]:
        """Its reports on tests that are there as a whole. Not believed in anything that matters."""
        found: list[Ended] = []
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

    def end(self) -> None:
        """Kill it and forget it."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.reap(wait=True)
        self.control.close()

    def fate(self) -> Ended:
        """What its wait status means, for one that ended without a report."""
        assert self.status is not None
        code = os.waitstatus_to_exitcode(self.status)
        if code == 0:
            return Ended("ok", code=0)
        if code > 0:
            return Ended("exception", f"exited with status {code}", code)
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        if name == "SIGXCPU":
            return Ended("time limit", "CPU time")
        note = {"SIGSYS": " (forbidden system call)", "SIGSEGV": " (segmentation fault, or stack overflow)"}
        return Ended("killed", f"{name}{note.get(name, '')}")

    def starved_s(self) -> float:
        """Seconds that it has waited for a core although it could have run; 0 where the kernel does not tell."""
        waited = 0
        with contextlib.suppress(OSError, ValueError, IndexError):
            for thread in os.listdir(f"/proc/{self.pid}/task"):
                with open(f"/proc/{self.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                    waited = max(waited, int(file.read().split()[1]))
        return waited / 1e9

    def threads(self) -> int:
        """How many threads it has; 1 where the kernel does not tell."""
        try:
            return len(os.listdir(f"/proc/{self.pid}/task"))
        except OSError:
            return 1


def _parsed(body: bytes) -> Ended:
    if body[:1] == b"+" and len(body) == FINE.size:
        return Ended("ok", "", None, True, *FINE.unpack(body)[1:])
    try:
        cause, error, code, clean, cpu_s, wall_s, end = wire.decode(body)
    except (wire.WireError, ValueError, TypeError):
        return Ended("exception", "it reported nonsense")
    kinds = [type(item) for item in (cause, error, clean, cpu_s, wall_s, end)]
    if kinds != [str, str, bool, float, float, int] or not 0 <= end < 1 << 63:
        return Ended("exception", "it reported nonsense")
    if cause not in _REPORTABLE or type(code) not in (int, type(None)):
        return Ended("exception", "it reported nonsense")
    return Ended(cause, error[:1000], code, clean, cpu_s, wall_s, end)


class Watch:
    """Waits until a test has ended: by a report, by the end of a process, or by a limit."""

    def __init__(self, members: list[Member], owner: tuple[int, ...], held: Callable[[], Ended | None] | None) -> None:
        """`owner`: descriptors that tell that the owner has ended. `held`: names a limit that is exceeded, if any, for
        limits that the kernel does not hold here."""
        self._members, self._held, self._owner = members, held, owner
        self._poll = select.poll()
        for descriptor in owner:
            self._poll.register(descriptor, select.POLLIN)
        for member in members:
            self._poll.register(member.control, select.POLLIN)

    def wait(self, limits: Limits, cpu_left_s: float, count: int) -> list[Ended]:
        """How the first member's next `count` tests end; fewer, if one of them does not end well: that one is the last.

        `cpu_left_s`: what all members together may use for all of these tests.

        Raises:
            ConnectionError: the owner has ended.
            BrokenError: a layer could not be put on.
        """
        done: list[Ended] = []
        clock = _Clock(self._members, limits, cpu_left_s, slack_s=TOGETHER_S if count > 1 else 0.0)
        while True:
            over = clock.over() or (self._held() if self._held is not None else None)
            if over:
                return [*done, over]
            wait_s = clock.left_s() if self._held is None else min(clock.left_s(), 0.05)
            news = self._step(max(wait_s, 0.002))
            if news:
                done += news
                if len(done) >= count or not done[-1].clean:
                    return done[:count]
                clock.restart()

    def _step(self, wait_s: float) -> list[Ended]:
        for descriptor, _ in self._poll.poll(wait_s * 1000):
            if descriptor in self._owner:
                raise ConnectionError("the owner has ended")
            member = next(member for member in self._members if member.control.fileno() == descriptor)
            alive = member.read()
            if not alive:
                self._poll.unregister(descriptor)
            if member is self._members[0]:
                news = member.reports()
                if news:
                    return [*news[:-1], self._agreed(news[-1])]
                if not alive:
                    return [self._gone(member)]
        return []

    def _agreed(self, ended: Ended) -> Ended:
        """A report, unless another process of the sample, the candidate of a check, has ended meanwhile."""
        for member in self._members[1:]:
            member.read()
            if member.reap(wait=False) or GONE in ended.error:
                return self._gone(member, while_serving=True)
        return ended

    def _gone(self, member: Member, *, while_serving: bool = False) -> Ended:
        deadline = time.monotonic() + _GRACE_S
        while not member.reap(wait=False):  # its descriptors are closed a little before it can be reaped
            if time.monotonic() > deadline:
                return Ended("exception", "it closed the control socket")
            time.sleep(0.0005)
        if not member.ready:
            raise BrokenError("a confined process ended before it was ready")
        fate = member.fate()
        if while_serving and fate.cause == "ok":
            return Ended("exception", "the program exited before the tests had ended", fate.code)
        return fate


class _Clock:
    """The limits of time of the test that is running."""

    def __init__(self, members: list[Member], limits: Limits, cpu_s: float, slack_s: float) -> None:
        self._members, self._slack_s, self._limit_s = members, slack_s, limits.cpu_s
        self._until = self._used() + cpu_s
        self._wall_s = limits.cpu_s * limits.wall_factor + 1
        self.restart()

    def restart(self) -> None:
        used = self._used()
        self._end = min(used + self._limit_s + self._slack_s, self._until)
        self._started, self._guard_s = time.monotonic(), self._wall_s

    def _used(self) -> float:
        return sum(member.clock() for member in self._members)

    def left_s(self) -> float:
        """Seconds until there is something to decide, at least for one thread."""
        passed = time.monotonic() - self._started
        return min(self._end - self._used(), self._guard_s - passed)

    def over(self) -> Ended | None:
        """Which limit is exceeded, if one is."""
        if self._used() >= self._end:
            return Ended("time limit", f"{self._limit_s:g} s of CPU time")
        passed = time.monotonic() - self._started
        if passed < self._guard_s:
            return None
        starved = min(max(member.starved_s() for member in self._members), passed)
        self._guard_s = min(self._wall_s + starved, _EXTENSION * self._wall_s)
        return Ended("time limit", f"{self._wall_s:g} s of wall-clock time") if passed >= self._guard_s else None


def sweep(namespaced: bool) -> None:
    """End every process that is left below us: needed only where seccomp does not forbid to start any."""
    if namespaced:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # as process 1: all others of the namespace
    for _ in range(1000):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            for pid in file.read().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0 if namespaced else os.WNOHANG)
        except ChildProcessError:
            return
        if not namespaced:
            time.sleep(0.001)
