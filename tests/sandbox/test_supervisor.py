"""Limits of time on a loaded machine."""

from __future__ import annotations

import math
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from skythought.sandbox import Limits
from skythought.sandbox.supervisor import Child, Supervisor


class Waiting(Child):
    """One that waited for a core for as long as it is said to."""

    waited_s = 0.0

    def core_wait_s(self) -> float:
        return self.waited_s


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    process = subprocess.Popen(["sleep", "60"])
    with theirs:
        child = Waiting(process.pid, ours, ready=True)
        yield child
        child.kill()
    process.returncode = 0


@pytest.mark.parametrize(("waited_s", "ends_after_s"), [(0.0, 0.1), (0.3, 0.4), (100.0, 1.0)])
def test_time_spent_waiting_for_a_core_does_not_count(waiting: Waiting, waited_s: float, ends_after_s: float) -> None:
    waiting.waited_s = waited_s
    limits = Limits(cpu_s=1, wall_factor=-0.9)  # a tenth of a second by the clock, and ten times that at the most
    started = time.monotonic()
    (ending,) = Supervisor([waiting], (), None).wait(limits, math.inf, 1)
    assert ending[:2] == ("time limit", "0.1 s of wall-clock time")
    assert time.monotonic() - started >= ends_after_s
