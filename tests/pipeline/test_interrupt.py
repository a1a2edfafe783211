"""Ctrl-C, SIGTERM and SIGHUP: the run ends in order, soon, and says how to go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SLOW = """
import asyncio
from pathlib import Path
from skythought.backends.base import ConcurrentBackend

class Slow(ConcurrentBackend):
    async def __aenter__(self):
        await asyncio.sleep({load})
        return self

    async def answer(self, request):
        with Path({log!r}).open("a") as file:
            file.write("x")
        await asyncio.sleep({seconds})
        return request.response("It is 5.", finish_reason="stop")
"""


def start(folder: Path, *, seconds: float, load: float = 0.0) -> subprocess.Popen[str]:
    (folder / "slow.py").write_text(SLOW.format(seconds=seconds, load=load, log=str(folder / "log")), encoding="utf-8")
    args = ["--task", "arithmetic", "--model", "any", "--backend", f"{folder / 'slow.py'}:Slow", "--end", "400"]
    return subprocess.Popen(
        [sys.executable, "-m", "skythought", "evaluate", *args, "--batch-size", "4", "--result-dir", folder / "runs"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    )


def wait_for(folder: Path, asked: int) -> None:
    deadline = time.monotonic() + 240
    while not (folder / "log").exists() or len((folder / "log").read_text()) < asked:
        assert time.monotonic() < deadline, "nothing is asked"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_once_ends_in_order(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, seconds=0.3)
    wait_for(tmp_path, 10)
    process.send_signal(number)
    said_out, said = process.communicate(timeout=240)
    assert process.returncode == 130
    assert "stopping: what is in flight has 3 s to end" in said
    assert said.splitlines()[-1].startswith("skythought: interrupted.")
    assert "--resume" in said.splitlines()[-1]
    assert "Traceback" not in said
    [run] = (tmp_path / "runs").iterdir()
    answers = len((run / "responses.jsonl").read_text(encoding="utf-8").splitlines())
    assert answers == len((tmp_path / "log").read_text()), "what was in flight was taken"
    assert len(json.loads((run / "results.json").read_text(encoding="utf-8"))) == 400
    assert f"{answers} of 400" in said_out


def test_twice_ends_at_once(tmp_path: Path) -> None:
    process = start(tmp_path, seconds=60)
    wait_for(tmp_path, 4)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 130
    assert time.monotonic() - began < 8
    assert "Traceback" not in said


def test_while_the_engine_loads_it_ends_at_once(tmp_path: Path) -> None:
    process = start(tmp_path, seconds=1, load=60)
    deadline = time.monotonic() + 30
    while not list((tmp_path / "runs").glob("*/run.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.0)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=240)
    assert process.returncode == 130
    assert time.monotonic() - began < 8
    assert said.splitlines()[-1].startswith("skythought: interrupted.")
    assert "Traceback" not in said
