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

__all__ = [
    "Child",
    "ConfinementError",
    "Ending",
    "Supervisor",
    "cpu_of_forked",
    "descendants",
    "kill_descendants",
    "threads_of_children",
]

_REPORTABLE = {"ok", "exception", "memory limit", "output limit"}
"""Causes that a child may report of itself. Time limits and kills are seen from here."""
_MAX_EXTENSION = 10
"""How many times the wall-clock limit a program may take at most that waits for a busy core."""
_LOOK_S = 0.05
"""Between two looks at the limits that the kernel does not keep."""
_READY_S = 60.0
"""How long a child may take to put all layers on."""
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
    cannot_kill: bool = False
    """Whether no program can send SIGKILL, not even to itself."""

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
        """What its wait status means, for one that ended without a report.

        Raises:
            ConfinementError: It was killed from outside, by the kernel for want of memory or by somebody.
        """
        assert self.status is not None
        code = os.waitstatus_to_exitcode(self.status)
        if code == 0:
            return Ending("ok", code=0)
        if code > 0:
            return Ending("exception", f"exited with status {code}", code)
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        if name == "SIGKILL" and self.cannot_kill:
            raise ConfinementError("a confined process was killed from outside, or the machine is out of memory")
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


def processes_of_children() -> list[str]:
    """The folder in /proc of each child; empty where the kernel does not tell.

    Looked up by way of our own entry: the children's ids are those of a namespace that this /proc may not be of, and
    would name strangers there.
    """
    return _children("/proc/thread-self")


def _children(task: str) -> list[str]:
    with contextlib.suppress(OSError), open(f"{task}/children", "rb") as file:
        return [f"/proc/{pid}" for pid in file.read().decode().split()]
    return []


def descendants() -> list[str]:
    """The folder in /proc of each child, and of all processes that they have started."""
    found: list[str] = []
    todo = processes_of_children()
    while todo:
        found += todo
        todo = [child for process in todo for task in _tasks(process) for child in _children(task)]
    return found


def _tasks(process: str) -> list[str]:
    """The folders in /proc of a process's threads."""
    with contextlib.suppress(OSError):
        return [f"{process}/task/{thread}" for thread in os.listdir(f"{process}/task")]
    return []


def threads_of_children() -> int:
    """How many threads the child with the most of them has; 0 where the kernel does not tell."""
    return max((len(_tasks(process)) for process in processes_of_children()), default=0)


def core_wait_s() -> float | None:
    """Seconds that threads of the children could have run but waited for a core, summed.

    None: the kernel does not tell. Those of threads that have ended are not among them.
    """
    waited, told = 0, False
    for task in itertools.chain(*map(_tasks, processes_of_children())):
        with contextlib.suppress(OSError, ValueError, IndexError), open(f"{task}/schedstat", "rb") as file:
            waited += int(file.read().split()[1])
            told = True
    return waited / 1e9 if told else None


def cpu_of_forked() -> float:
    """CPU seconds of all processes that the children have started, those that have ended among them."""
    ticks, ours = 0, set(processes_of_children())
    for process in descendants():
        with contextlib.suppress(OSError, ValueError, IndexError), open(f"{process}/stat", "rb") as file:
            # utime, stime and those of the children that it has waited for: proc_pid_stat(5)
            times = [int(field) for field in file.read().rpartition(b")")[2].split()[11:15]]
            ticks += sum(times[2:] if process in ours else times)
    return ticks / os.sysconf("SC_CLK_TCK")


class Supervisor:
    """Waits until a test has ended: by a report, by the end of a process, or by a limit."""

    def __init__(
        self,
        children: list[Child],
        client: tuple[int, ...],
        exceeded: Callable[[], Ending | None] | None,
        *,
        forks: bool = False,
    ) -> None:
        """
        Args:
            children: The processes of a sample; the first is the one that reports.
            client: Descriptors that become readable when the client has ended.
            exceeded: Looks at the limits that the kernel does not keep on this machine, and says which is exceeded.
                None: the kernel keeps them all.
            forks: Whether programs can start processes, whose CPU time counts as theirs.
        """
        self._children, self._exceeded, self._client, self._forks = children, exceeded, client, forks
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
            ConfinementError: A layer could not be put on, or a process was killed from outside.
        """
        done: list[Ending] = []
        # Reports of quick tests come several at a time, so one test may seem to take as long as they are held back.
        slack_s = REPORT_INTERVAL_S if count > 1 else 0.0
        time_limits = _TimeLimits(self._used, limits, cpu_left_s, slack_s)
        begun = time.monotonic()
        while True:
            late = time_limits.exceeded()
            other = self._exceeded() if self._exceeded is not None else None
            if other:
                return [*done, other]
            wait_s = time_limits.left_s() if self._exceeded is None else min(time_limits.left_s(), _LOOK_S)
            # If it is late, the report may lie there all the same: this process may not have run for a while.
            wait_s, ready, started = 0.0 if late else max(wait_s, 0.002), self._ready(), time.monotonic()
            news = self._step(wait_s)
            if late and not news:
                return [*done, late]
            # Time in which no line of the program can have run, and time in which not even this process ran.
            time_limits.leave_out(time.monotonic() - started - (wait_s if ready else 0.0))
            if not ready and time.monotonic() - begun > _READY_S:
                raise ConfinementError("a confined process does not get ready")
            if news:
                done += news
                if len(done) >= count or not done[-1].clean:
                    return done[:count]
                time_limits.restart()

    def _ready(self) -> bool:
        return all(child.ready for child in self._children)

    def _used(self) -> float:
        """CPU seconds of the sample so far."""
        return sum(child.cpu_time() for child in self._children) + (cpu_of_forked() if self._forks else 0.0)

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
        """A report, unless the reason is that another process of the sample, the candidate of a check, has ended.

        A failure that has been found stands also when the candidate has ended meanwhile: it must not get another try.
        """
        for child in self._children[1:]:
            child.read()
            if CANDIDATE_ENDED in ending.error or (child.reap(wait=False) and ending.cause != "exception"):
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

    def __init__(self, used: Callable[[], float], limits: Limits, cpu_left_s: float, slack_s: float) -> None:
        """`used`: CPU seconds of the sample so far."""
        self._used, self._slack_s, self._limit_s = used, slack_s, limits.cpu_s
        self._last_cpu_s = used() + cpu_left_s
        self._wall_s = limits.cpu_s * limits.wall_factor + 1
        self.restart()

    def restart(self) -> None:
        """The next test starts."""
        self._end_cpu_s = min(self._used() + self._limit_s + self._slack_s, self._last_cpu_s)
        self._started, self._extended_s = time.monotonic(), self._wall_s

    def leave_out(self, seconds: float) -> None:
        """Wall-clock time in which not even this process ran: the machine stood still, or all cores were taken."""
        self._started += max(seconds, 0.0)

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
        waited = core_wait_s()
        waited = passed if waited is None else min(waited, passed)
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
