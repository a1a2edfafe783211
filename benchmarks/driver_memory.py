"""Peak memory of the process that drives a run, from a thousand requests to two hundred thousand.

    python benchmarks/driver_memory.py [--requests 1000,20000,200000] [--engine stand-in|ray|vllm] [--grade]

Each size is a run of its own in a process of its own: the whole of `generate` (or `evaluate`, with --grade) from the
dataset to `results.json`, with prompts of 500 characters and answers of 2,000. `stand-in` is an engine that answers at
once; `ray` is the real backend on a Ray of its own, whose replicas hold such an engine instead of vLLM; `vllm` is the
real one with the bundled model, which answers in its own words.

The peak is the process' own (VmHWM), without Ray's processes, engines and scoring workers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from skythought.api import execute
from skythought.backends.base import BackendArgs, ConcurrentBackend
from skythought.pipeline.options import Options
from skythought.pipeline.plan import make_plan
from skythought.types import Request, Response

TASK = """
dataset_path: {rows}
prompt: "{{{{ question }}}}"
target: answer
scorer: math
"""
ANSWER = "so we add them up, and then " * 70 + "\\boxed{4}."


class StandIn(ConcurrentBackend[BackendArgs]):
    """Answers at once."""

    async def answer(self, request: Request) -> Response:
        await asyncio.sleep(0)
        return request.response(ANSWER, finish_reason="stop", prompt_tokens=100, completion_tokens=400)


def use_stand_in_replicas() -> None:
    """Let the replicas on Ray hold an engine that answers every request with the same tokens, at once."""
    from skythought.backends.ray import replica

    class Engine:
        errored = False
        model_config = SimpleNamespace(max_model_len=4096, try_get_generation_config=dict)
        vllm_config = SimpleNamespace(scheduler_config=SimpleNamespace(max_num_seqs=256))

        def __init__(self) -> None:
            self.engine_core = SimpleNamespace(get_output_async=None)

    async def begin(engine: Any, asked: Any, name: str) -> AsyncIterator[Any]:
        said = SimpleNamespace(token_ids=list(range(40, 90)) * 16, finish_reason="length")
        yield SimpleNamespace(finished=True, outputs=[said])

    replica.load = lambda values: Engine()
    replica.begin = begin


def peak() -> float:
    """MiB that this process has held at most."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def run(folder: Path, requests: int, samples: int, engine: str, *, grade: bool) -> None:
    """One run; prints its numbers as JSON."""
    rows, task = folder / "rows.jsonl", folder / "sums.yaml"
    with rows.open("w") as file:
        for number in range(requests // samples):
            question = f"Number {number}: what is 2 + 2? " + "Think about it. " * 30
            file.write(json.dumps({"question": question, "answer": "4"}) + "\n")
    task.write_text(TASK.format(rows=rows))
    args: dict[str, Any] = {}
    if engine != "stand-in":
        args = {"dtype": "float32", "enforce_eager": True, "max_model_len": 1024}
    if engine == "ray":
        use_stand_in_replicas()
        args |= {"address": "local", "num_replicas": 1, "tensor_parallel_size": 1}
    options = Options(
        task=(str(task),),
        model="tiny",
        backend="transformers" if engine == "stand-in" else engine,
        backend_args=args,
        sampling_params={"temperature": 1.0, "max_tokens": 100 if engine == "vllm" else 800},
        n=samples,
        batch_size=512,
        result_dir=folder,
    )
    plan = make_plan(options, grade=grade)
    if engine == "stand-in":
        plan = replace(plan, engine=replace(plan.engine, backend=StandIn, args=BackendArgs()))

    async def work() -> int:
        answered = 0
        async for step in execute(plan):
            answered += isinstance(step, Response)
        return answered

    began = time.perf_counter()
    assert asyncio.run(work()) == requests
    print(json.dumps({"requests": requests, "peak": peak(), "seconds": time.perf_counter() - began}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", default="1000,20000,200000")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--engine", choices=["stand-in", "ray", "vllm"], default="stand-in")
    parser.add_argument("--grade", action="store_true")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        run(Path(given.folder), int(given.requests), given.samples, given.engine, grade=given.grade)
        return
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    found = []
    for requests in given.requests.split(","):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, *sys.argv[1:], "--requests", requests, "--folder", folder]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print("{requests:>8} requests   peak {peak:7.1f} MiB   {seconds:6.1f} s".format(**found[-1]))
    first, last = found[0], found[-1]
    grown = (last["peak"] - first["peak"]) * 2**20 / (last["requests"] - first["requests"] or 1)
    print(f"peak of the last over the first: {last['peak'] / first['peak']:.2f}; {grown:.0f} bytes a request more")


if __name__ == "__main__":
    main()
