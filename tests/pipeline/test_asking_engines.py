"""Asking until right with real engines: the samples are those of a plain run, and the engine is not left to run dry."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from engines import sums

import skythought as st
from skythought.backends.transformers.backend import TransformersBackend
from skythought.models.library import load_model
from skythought.streams import Feed

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

PROBLEMS, N = 12, 4
ARGS = {"vllm": {"dtype": "float32", "enforce_eager": True, "max_model_len": 1024}, "transformers": {}, "ray": {}}
ARGS["ray"] = {**ARGS["vllm"], "num_replicas": 1, "tensor_parallel_size": 1}


@pytest.mark.parametrize("backend", ["transformers", "vllm", "ray"])
def test_until_right(backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in {"vllm": ["vllm"], "ray": ["vllm", "ray"]}.get(backend, []):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    settings = {"model": "tiny", "backend": backend, "backend_args": ARGS[backend], "n": N, "end": PROBLEMS}
    settings |= {"sampling_params": {"temperature": 1.0, "max_tokens": 160}, "batch_size": 8, "result_dir": tmp_path}
    run = st.evaluate("arithmetic", **settings, until_correct=1)
    stopped = {sample.key: sample for sample in run}
    asking = run.statistics["asking"]
    assert asking["solved"] + asking["unsolved"] == PROBLEMS
    assert 0 < asking["left"] == PROBLEMS * N - len(stopped)
    rest = st.evaluate("arithmetic", **settings, resume=True)
    samples = {sample.key: sample for sample in rest}
    assert len(samples) == PROBLEMS * N
    assert {key: samples[key].content for key in stopped} == {key: one.content for key, one in stopped.items()}
    for problem_id in {key.problem_id for key in samples}:
        right = [bool(samples[problem_id, number].correct) for number in range(N)]
        asked = sum(key.problem_id == problem_id for key in stopped)
        assert asked == (right.index(True) + 1 if any(right) else N)


def test_a_request_that_becomes_known_late_joins_those_that_run() -> None:
    """And does not wait for the longest of them: each of these is known once the one before is answered."""
    first, *late = sums(6, temperature=2.0, max_tokens=4)
    long = replace(first, sampling=replace(first.sampling, max_tokens=400))
    known, answered = deque([long, late.pop()]), 0

    async def run() -> list[str]:
        nonlocal answered
        asked = 0

        def take():
            nonlocal asked
            asked += bool(known)
            return known.popleft() if known else None

        feed = Feed(take, lambda: asked == answered)
        order = []
        async with TransformersBackend(load_model("tiny"), TransformersBackend.check_args({})) as backend:
            async for response in backend.generate(feed):
                answered += 1
                order.append(response.key.problem_id)
                if late and response.key != long.key:
                    known.append(late.pop())
                feed.wake()
        return order

    order = asyncio.run(run())
    assert len(order) == 6
    assert order[-1] == long.key.problem_id
