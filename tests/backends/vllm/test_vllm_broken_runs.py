"""One run with vLLM's engine, broken off in every way that there is, and resumed each time: to the same results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("vllm") is None:
    pytest.skip("vLLM is not installed", allow_module_level=True)

from engines import VLLM_ARGS, OneEngine, engine_processes

from skythought.api import execute
from skythought.backends.base import Backend, BackendArgs
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan
from skythought.types import Request, Response

pytestmark = pytest.mark.engine

SAMPLES = 2_000
"""So many that none of the runs is through before it is broken off, even if this process waits long for a core."""
SETTINGS = {"model": "tiny", "backend": "vllm", "backend_args": VLLM_ARGS, "n": 50, "end": 40}
SETTINGS |= {"sampling_params": {"temperature": 1.0}}
SCRIPT = f"""
import sys, skythought
skythought.evaluate(
    "arithmetic", **{SETTINGS}, result_dir=sys.argv[1], batch_size=int(sys.argv[2]), resume=True, progress=False
)
"""
"""As people write it: without a guard for `__main__`."""

COMMAND = (
    "evaluate --task arithmetic --model tiny --backend vllm --end 40 --n 50 --sampling-params temperature=1 "
    "--backend-args dtype=float32,enforce_eager=true,max_model_len=1024 --batch-size 2 --resume --result-dir"
)


class BrokenRun:
    """The folder of the run, and what is started to go on with it."""

    def __init__(self, folder: Path) -> None:
        self.results, self.logs, self.script = (folder / name for name in ("results", "logs", "script.py"))
        self.logs.mkdir()
        self.script.write_text(SCRIPT)
        self.processes: list[subprocess.Popen[str]] = []

    def command(self) -> subprocess.Popen[str]:
        """The command line, in a foreground group of its own."""
        return self._start("-m", "skythought", *COMMAND.split(), str(self.results))

    def python(self, in_flight: int) -> subprocess.Popen[str]:
        """A user's script."""
        return self._start(str(self.script), str(self.results), str(in_flight))

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        env = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "TMPDIR": str(self.logs)}
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def journal(self) -> list[str]:
        return [line for path in self.results.glob("*/responses.jsonl") for line in path.read_text().splitlines()]

    def kept_logs(self) -> list[str]:
        """Names of the engines' logs; vLLM has its own things beside them, and leaves some."""
        return sorted(path.name for path in self.logs.glob("skythought-vllm-*"))

    def wait_for_more(self, process: subprocess.Popen[str]) -> int:
        """Until five more answers are journalled; how many there are then."""
        before = len(self.journal())
        while len(self.journal()) < before + 5:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        return len(self.journal())


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterable[BrokenRun]:
    run = BrokenRun(tmp_path_factory.mktemp("broken"))
    yield run
    for process in run.processes:
        if process.poll() is None:
            process.kill()


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_until(what: Callable[[], bool], why: str) -> None:
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline, why
        time.sleep(0.1)


def test_1_killed_worker(broken):
    """A worker of the engine is killed, as the system does for want of memory: one line, nothing finished is lost."""
    process = broken.command()
    answered = broken.wait_for_more(process)
    os.kill(engine_processes(process.pid)[-1], signal.SIGKILL)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    (line,) = [line for line in said.splitlines() if line.startswith("skythought: ")]
    assert "vLLM's engine died: " in line
    assert "--resume goes on" in line
    assert "Traceback" not in said
    assert answered <= len(broken.journal()) < SAMPLES
    assert not any(json.loads(text)["error"] for text in broken.journal())
    assert [name in line for name in broken.kept_logs()] == [True]


def test_2_ctrl_c(broken):
    """The whole foreground group gets the signal; the engine is not in it, and ends in good order."""
    kept, logs = broken.journal(), broken.kept_logs()
    process = broken.command()
    broken.wait_for_more(process)
    engine = engine_processes(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "died" not in said
    assert engine
    assert not any(map(is_running, engine))
    assert broken.kept_logs() == logs
    assert broken.journal()[: len(kept)] == kept
    assert len(broken.journal()) < SAMPLES


def test_3_kill_9(broken):
    """Of a script, which can clean up nothing any more: its engine ends by itself, and so does its log."""
    logs = broken.kept_logs()
    process = broken.python(in_flight=2)
    answered = broken.wait_for_more(process)
    engine = engine_processes(process.pid)
    process.kill()
    process.communicate()
    assert engine
    wait_until(lambda: not any(map(is_running, engine)), "the engine outlives the one that started it")
    assert broken.kept_logs() == logs
    assert answered <= len(broken.journal()) < SAMPLES


def test_4_the_results_are_those_of_an_unbroken_run(broken, loop, one_engine: OneEngine, tmp_path):
    kept, logs = broken.journal(), broken.kept_logs()
    process = broken.python(in_flight=64)
    printed, said = process.communicate(timeout=400)
    assert process.returncode == 0, said
    known = ("starting vllm", "max_tokens", "the run covers", "estimate from")
    assert (printed, [line for line in said.splitlines() if not any(word in line for word in known)]) == ("", [])
    assert broken.kept_logs() == logs
    assert broken.journal()[: len(kept)] == kept
    assert len(broken.journal()) == SAMPLES

    class Lent(Backend[BackendArgs]):
        """The engine that runs already, with as many requests in flight as it takes."""

        async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
            async with aclosing(one_engine.get().generate(requests)) as responses:
                async for response in responses:
                    yield response

    plan = make_plan(Options(task=("arithmetic",), **SETTINGS, result_dir=tmp_path), grade=True)
    plan = replace(plan, engine=replace(plan.engine, backend=Lent))
    one_engine.get()

    async def unbroken() -> None:
        async for _ in execute(plan):
            pass

    loop.run(unbroken())
    (theirs,), (ours,) = tmp_path.glob("*/results.json"), broken.results.glob("*/results.json")
    assert ours.read_bytes() == theirs.read_bytes()
