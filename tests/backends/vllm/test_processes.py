"""The processes of an engine, with others in their place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ENGINE = """
import sys, time
from multiprocessing.shared_memory import SharedMemory

def work(told):
    memory = SharedMemory(create=True, size=100)
    open(told, "w").write(memory.name)
    time.sleep(600)
"""

SCRIPT = """
import multiprocessing, os, sys, time
import engine
from skythought.backends.vllm.processes import EngineProcesses

processes = EngineProcesses(loud=True)
with processes.starting():
    multiprocessing.get_context("spawn").Process(target=engine.work, args=(sys.argv[1],)).start()
while not os.path.exists(sys.argv[1]) or not open(sys.argv[1]).read():
    time.sleep(0.05)
processes.end()
"""


def test_what_is_left_in_shared_memory_goes_without_a_word(tmp_path: Path) -> None:
    """Also where the user wants to see all that vLLM says."""
    (tmp_path / "engine.py").write_text(ENGINE)
    told = tmp_path / "told"
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    env = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"} | {"PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", SCRIPT, told], capture_output=True, text=True, env=env, timeout=200)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not Path("/dev/shm", told.read_text()).exists()
