"""Limits of time on a loaded machine."""

from __future__ import annotations

import math
import os
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from skythought.sandbox import Limits, supervisor
from skythought.sandbox.runner import OK_REPORT
from skythought.sandbox.supervisor import Child, ConfinementError, Supervisor


@pytest.fixture
def waiting() -> Iterator[Child]:
    """A process that does nothing."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    process = subprocess.Popen(["sleep", "60"])
    with theirs:
        child = Child(process.pid, ours, ready=True)
        yield child
        child.kill()
    process.returncode = 0


@pytest.mark.parametrize(("waited_s", "ends_after_s"), [(0.0, 0.1), (0.3, 0.4), (100.0, 1.0)])
def test_time_spent_waiting_for_a_core_does_not_count(
    waiting: Child, waited_s: float, ends_after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "core_wait_s", lambda: waited_s)
    limits = Limits(cpu_s=1, wall_factor=-0.9)  # a tenth of a second by the clock, and ten times that at the most
    started = time.monotonic()
    (ending,) = Supervisor([waiting], (), None).wait(limits, math.inf, 1)
    assert ending[:2] == ("time limit", "0.1 s of wall-clock time")
    assert time.monotonic() - started >= ends_after_s


def test_a_report_that_came_in_time_counts_though_nobody_read_it() -> None:
    """As on a machine where this process does not run for a while."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    report = OK_REPORT.pack(b"+", 0.1, 0.1, 5)
    with ours, theirs:
        theirs.sendall(len(report).to_bytes(2, "little") + report)
        child = Child(os.getpid(), ours, ready=True)
        (ending,) = Supervisor([child], (), None).wait(Limits(cpu_s=1, wall_factor=-1), math.inf, 1)
        assert (ending.cause, ending.end) == ("ok", 5)
        (ending,) = Supervisor([child], (), None).wait(Limits(cpu_s=1, wall_factor=-1), math.inf, 1)
        assert ending.cause == "time limit"


def test_a_kernel_that_does_not_tell_of_waiting_leaves_more_time(
    waiting: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "core_wait_s", lambda: None)
    started = time.monotonic()
    (ending,) = Supervisor([waiting], (), None).wait(Limits(cpu_s=1, wall_factor=-0.9), math.inf, 1)
    assert ending.cause == "time limit"
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize(("signal_number", "confined"), [(9, True), (9, False), (11, True)])
def test_only_a_confined_process_that_was_killed_is_the_machines_doing(signal_number: int, confined: bool) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        child = Child(os.posix_spawn("/bin/sleep", ["sleep", "60"], {}), ours, ready=True, cannot_kill=confined)
        os.kill(child.pid, signal_number)
        child.reap(wait=True)
        if confined and signal_number == 9:
            with pytest.raises(ConfinementError, match="killed from outside"):
                child.ending()
        else:
            assert child.ending().cause == "killed"
        child.kill()


def test_threads_are_those_of_our_children(waiting: Child) -> None:
    assert supervisor.threads_of_children() >= 1
    assert (supervisor.core_wait_s() or 0) >= 0
