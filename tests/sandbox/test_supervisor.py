"""Limits of time on a loaded machine."""

from __future__ import annotations

import math
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from skythought.sandbox import Limits, supervisor
from skythought.sandbox.supervisor import Child, Supervisor


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


def test_threads_are_those_of_our_children(waiting: Child) -> None:
    assert supervisor.threads_of_children() >= 1
    assert supervisor.core_wait_s() >= 0
