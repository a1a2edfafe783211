"""What must not outlive a process: other processes, their shared memory, folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from skythought.guard import Guard

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="Linux only"),
    pytest.mark.timeout(120),
]

SHARED = "import sys, time; from multiprocessing.shared_memory import SharedMemory as M; m = M(create=True, size=9)\n"
CHILD = SHARED + "print(m.name, flush=True); time.sleep(600)"

PARENT = """
import os, subprocess, sys, time
from skythought.guard import Guard
guard = Guard()
guard.add(sys.argv[1])
guard.add("OURS=" + sys.argv[1])
asleep = [sys.executable, "-c", "import time; time.sleep(600)"]
child = subprocess.Popen(asleep, env={**os.environ, "OURS": sys.argv[1]})
group = subprocess.Popen(asleep, start_new_session=True)
guard.add(group.pid)
print(child.pid, group.pid, flush=True)
time.sleep(600)
"""


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition: Callable[[], bool]) -> None:
    while not condition():  # the test has a time limit
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_a_process_is_killed(tmp_path: Path, number: signal.Signals) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").touch()
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(is_running, pids))
    parent.send_signal(number)
    parent.wait()
    until(lambda: not any(map(is_running, pids)) and not folder.exists())
    parent.stdout.close()


def test_when_it_is_asked_to(tmp_path: Path) -> None:
    """Also a process that is stopped; not what is to be kept, nor what nobody spoke of."""
    gone, kept, other = (tmp_path / name for name in ("gone", "kept", "other"))
    for path in (gone, kept, other):
        path.touch()
    guard = Guard()
    mine = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, start_new_session=True)
    theirs = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    assert mine.stdout is not None
    shared = Path("/dev/shm", mine.stdout.readline().strip())
    assert shared.exists()
    os.kill(mine.pid, signal.SIGSTOP)
    for what in (mine.pid, gone, kept):
        guard.add(what)
    guard.keep(kept)
    guard.end()
    until(lambda: mine.poll() is not None and not shared.exists() and not gone.exists())
    assert mine.returncode == -signal.SIGKILL
    assert (kept.exists(), other.exists(), theirs.poll()) == (True, True, None)
    theirs.kill()
    theirs.wait()
    mine.stdout.close()
