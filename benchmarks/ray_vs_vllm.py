"""The `ray` backend with one replica against the `vllm` backend: the same engine, the same requests, side by side.

    python benchmarks/ray_vs_vllm.py [--requests 384] [--rounds 3]

The bundled model in float32; lengths are heavy-tailed: each request's limit is drawn from a lognormal distribution, and
at temperature 2 the model rarely ends by itself. Both engines stand in one run, and the sides take turns, every other
round in reversed order. Checked: all answers are the same on both sides. Reported: the ratio of wall time and of CPU
time (of this process and all it started), of the medians; and when the first answer came.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import time
from typing import Any, NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")

from skythought.backends.base import Backend
from skythought.backends.ray.backend import RayBackend
from skythought.backends.vllm.backend import VLLMBackend
from skythought.models.library import load_model
from skythought.types import Request, SampleKey, SamplingParams, sample_seed

ENGINE = {"dtype": "float32", "enforce_eager": True, "max_model_len": 1024, "max_num_seqs": 64}


class Round(NamedTuple):
    """One side's measures of one round."""

    wall: float
    cpu: float
    first: float


def make_requests(count: int) -> list[Request]:
    rng = random.Random(0)
    requests = []
    for number in range(count):
        key = SampleKey(f"{number}", 0)
        limit = min(900, max(4, int(rng.lognormvariate(4.0, 1.0))))
        question = f"What is {rng.randrange(10, 99)} + {rng.randrange(10, 99)}?"
        sampling = SamplingParams(temperature=2.0, max_tokens=limit)
        requests.append(Request(key, ({"role": "user", "content": question},), sampling, sample_seed(41, key)))
    return requests


def cpu_seconds() -> float:
    """Of this process and all that it started and that still runs."""
    import psutil

    total = 0.0
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        try:
            times = process.cpu_times()
            total += times.user + times.system
        except psutil.Error:
            continue
    return total


async def one_round(backend: Backend[Any], requests: list[Request]) -> tuple[Round, dict[SampleKey, str]]:
    began, cpu, first, texts = time.perf_counter(), cpu_seconds(), 0.0, {}
    async for response in backend.generate(requests):
        assert response.error is None, response.error
        first = first or time.perf_counter() - began
        texts[response.key] = response.content
    return Round(time.perf_counter() - began, cpu_seconds() - cpu, first), texts


async def compare(count: int, rounds: int) -> None:
    requests = make_requests(count)
    ray: dict[str, Any] = {"address": "local", "num_replicas": 1, "tensor_parallel_size": 1}
    sides: dict[str, Backend[Any]] = {
        "vllm": VLLMBackend(load_model("tiny"), VLLMBackend.check_args(ENGINE), batch_size=512),
        "ray": RayBackend(load_model("tiny"), RayBackend.check_args({**ENGINE, **ray}), batch_size=512),
    }
    found: dict[str, list[Round]] = {name: [] for name in sides}
    async with sides["vllm"], sides["ray"]:
        for number in range(rounds + 1):
            texts = {}
            for name in sorted(sides, reverse=number % 2 == 0):
                measured, texts[name] = await one_round(sides[name], requests)
                if number:  # the first one warms up
                    found[name].append(measured)
            assert texts["ray"] == texts["vllm"], "the answers differ"
    medians = {name: Round(*map(statistics.median, zip(*rows, strict=True))) for name, rows in found.items()}
    for name, row in medians.items():
        print(f"{name:5} {row.wall:6.2f} s wall   {row.cpu:6.2f} s CPU   first answer after {row.first:.2f} s")
    wall, cpu = (medians["ray"][i] / medians["vllm"][i] for i in (0, 1))
    print(f"ray / vllm: {wall:.2f} in wall time, {cpu:.2f} in CPU time; {count} answers the same")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(compare(given.requests, given.rounds))


if __name__ == "__main__":
    main()
