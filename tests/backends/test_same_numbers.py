"""With `--reproducible` the responses are the same, byte for byte, however the requests are run: the tiny model on real
engines. The ways of running are those of `benchmarks/same_numbers.py`, which prints the table for the documentation.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest
from scripts import benchmark

if find_spec("vllm") is None:
    pytest.skip("vLLM is not installed", allow_module_level=True)

PROBLEMS = 12


@pytest.fixture(scope="module", autouse=True)
def small_cache() -> Iterator[None]:
    """Little memory for the engine of this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        yield


@pytest.fixture(scope="module")
def same() -> ModuleType:
    return benchmark("same_numbers")


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    """The engine lives in one event loop."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def vllm(loop: asyncio.Runner, same: ModuleType) -> Iterator[Any]:
    side = same.Side("vllm", same.VLLM, PROBLEMS)
    loop.run(side.__aenter__())
    yield side
    loop.run(side.__aexit__(None, None, None))


@pytest.fixture(scope="module")
def reference(loop: asyncio.Runner, vllm: Any) -> dict[str, Any]:
    """What vLLM says with 64 requests in flight."""
    return {kind: loop.run(vllm.numbers(kind, 64)) for kind in ("greedy", "sampled")}


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


def test_what_the_cpu_lacks_is_said(vllm):
    assert [line for line in vllm.backend.notices.lines if "batch invariance on GPUs only" in line]


def test_transformers_greedy(loop, same, reference):
    async def run(in_flight: int) -> Any:
        async with same.Side("transformers", {"max_model_len": 1024}, PROBLEMS) as side:
            return await side.numbers("greedy", in_flight)

    assert loop.run(run(64)) == reference["greedy"]
    assert loop.run(run(3)) == reference["greedy"]
