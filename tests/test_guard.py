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

CHILD = """
import multiprocessing as mp, sys, time
from multiprocessing.shared_memory import SharedMemory
memory, lock = SharedMemory(create=True, size=9), mp.get_context("spawn").Lock()
print(memory.name, "sem" + lock._semlock.name.replace("/", "."), flush=True)
time.sleep(600)
"""
"""Has shared memory and a semaphore, as vLLM's processes have them."""

SHARING = "from skythought.guard import Guard; guard = Guard()" + CHILD

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
    shared = [Path("/dev/shm", name) for name in mine.stdout.readline().split()]
    assert [path.exists() for path in shared] == [True, True]
    os.kill(mine.pid, signal.SIGSTOP)
    for what in (mine.pid, gone, kept):
        guard.add(what)
    guard.keep(kept)
    guard.end()
    until(lambda: mine.poll() is not None and not any(path.exists() for path in (*shared, gone)))
    assert mine.returncode == -signal.SIGKILL
    assert (kept.exists(), other.exists(), theirs.poll()) == (True, True, None)
    theirs.kill()
    theirs.wait()
    mine.stdout.close()


def test_shared_memory_of_a_group_that_is_killed() -> None:
    """As Ray kills an actor with all that it has started, Python's own tracker of shared memory among it."""
    parent = subprocess.Popen([sys.executable, "-c", SHARING], stdout=subprocess.PIPE, text=True, process_group=0)
    assert parent.stdout is not None
    shared = [Path("/dev/shm", name) for name in parent.stdout.readline().split()]
    assert [path.exists() for path in shared] == [True, True]
    os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()
    until(lambda: not any(path.exists() for path in shared))
    parent.stdout.close()


def test_out_of_reach_at_once(tmp_path: Path) -> None:
    """Of what kills the children of a process that ends as soon as it has begun."""
    code = """
import os, signal, subprocess, sys
from skythought.guard import Guard
guard = Guard()
guard.add(sys.argv[1])
children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
print(len(children.split()))  # ps itself
"""
    folder = tmp_path / "folder"
    folder.mkdir()
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]
    until(lambda: not folder.exists())
