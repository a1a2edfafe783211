"""With `--reproducible` the responses are the same, byte for byte, however the requests are run: the tiny model on real
engines. The ways of running are those of `benchmarks/same_numbers.py`, which prints the table for the documentation.
"""

from __future__ import annotations

import asyncio
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
from engines import CONTEXT, OneEngine, collect, sums, texts
from scripts import benchmark

if find_spec("vllm") is None:
    pytest.skip("vLLM is not installed", allow_module_level=True)

pytestmark = pytest.mark.engine

PROBLEMS = 8


@pytest.fixture(scope="module")
def same() -> ModuleType:
    return benchmark("same_numbers")


@pytest.fixture
def vllm(one_engine: OneEngine, same: ModuleType) -> Any:
    return same.Side("vllm", {"max_model_len": CONTEXT}, PROBLEMS, started=one_engine.get())


@pytest.fixture(scope="module")
def reference(loop: asyncio.Runner, one_engine: OneEngine, same: ModuleType) -> dict[str, Any]:
    """What vLLM says with 64 requests in flight."""
    side = same.Side("vllm", {"max_model_len": CONTEXT}, PROBLEMS, started=one_engine.get())
    return {kind: loop.run(side.numbers(kind, 64)) for kind in ("greedy", "sampled")}


def test_reference(reference):
    """There is something to compare: every sample, with texts that differ where they are sampled."""
    assert len(reference["greedy"]) == PROBLEMS
    assert len(reference["sampled"]) == 4 * PROBLEMS
    assert len({text for text, _, _ in reference["sampled"].values()}) > PROBLEMS
    assert all(text for text, _, _ in reference["greedy"].values())


@pytest.mark.parametrize("kind", ["greedy", "sampled"])
@pytest.mark.parametrize("in_flight", [1, 8])
def test_requests_in_flight(loop, vllm, reference, kind, in_flight):
    assert loop.run(vllm.numbers(kind, in_flight)) == reference[kind]


@pytest.mark.parametrize("kind", ["greedy", "sampled"])
def test_broken_and_resumed(loop, vllm, reference, kind):
    assert loop.run(vllm.numbers(kind, 64, broken_after=5)) == reference[kind]


def test_order(loop, one_engine):
    requests = [*sums(8), *sums(6, 4, name="sampled ", temperature=0.7)]
    engine = one_engine.get()
    forward = texts(loop.run(collect(engine, requests)))
    engine.batch_size = 5
    assert texts(loop.run(collect(engine, reversed(requests)))) == forward


def test_what_the_cpu_lacks_is_said(vllm):
    assert [line for line in vllm.backend.notices.lines if "batch invariance on GPUs only" in line]


def test_transformers_greedy(loop, same, reference):
    async def run(in_flight: int) -> Any:
        async with same.Side("transformers", {"max_model_len": CONTEXT}, PROBLEMS) as side:
            return await side.numbers("greedy", in_flight)

    assert loop.run(run(64)) == reference["greedy"]
    assert loop.run(run(3)) == reference["greedy"]
