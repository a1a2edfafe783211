"""Ray and vLLM for real, with the tiny model: a cluster of two nodes on this machine, one of which is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest

if find_spec("vllm") is None or find_spec("ray") is None:
    pytest.skip("Ray or vLLM is not installed", allow_module_level=True)

from asking import ask
from engines import VLLM_ARGS, OneEngine, collect, engine_processes, shared_memory, sums

from skythought.backends.ray.backend import RayBackend
from skythought.errors import BackendError, UserError
from skythought.models.library import load_model
from skythought.types import Request, Response, SampleKey

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

KINDS = [
    *sums(12, name="greedy "),
    *sums(6, 4, name="sampled ", temperature=0.7),
    *sums(4, name="stopped ", stop=("\n</think>",)),
    *sums(4, name="cut ", max_tokens=7),
    ask("What is 3 + 4?", system="You are careful.", prefill="<think>\n3", max_tokens=100),
    ask("7 " * 2000, max_tokens=10),
]
MANY = sums(40, 5, name="many ", temperature=1.0)
KILL_AFTER = 40


def make(batch_size: int = 32, **args: object) -> RayBackend:
    values = {**VLLM_ARGS, "tensor_parallel_size": 1, "num_replicas": 1, **args}
    return RayBackend(load_model("tiny"), RayBackend.check_args(values), batch_size=batch_size)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A cluster of two nodes with a logical CPU each, on this machine; the first is its head."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        soon = {"health_check_period_ms": 500, "health_check_timeout_ms": 500, "health_check_failure_threshold": 3}
        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": soon}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        cluster.add_node(num_cpus=1)
        yield cluster
        cluster.shutdown()


@pytest.fixture(scope="module")
def expected(loop: asyncio.Runner, one_engine: OneEngine) -> dict[SampleKey, Response]:
    """What the `vllm` backend answers."""
    found = loop.run(collect(one_engine.get(), [*KINDS, *MANY]))
    assert {response.finish_reason for response in found.values()} >= {"stop", "length", None}
    return found


def test_what_can_never_be_placed_is_said(loop, nodes):
    with pytest.raises(UserError, match="2 replicas of 4 GPUs need 8, the cluster has 0.*tensor_parallel_size=1"):
        loop.run(make(address=nodes.address, num_replicas=2, tensor_parallel_size=4).__aenter__())
    with pytest.raises(UserError, match="3 replicas of 1 logical CPU need 3, the cluster has 2.*num_replicas=2"):
        loop.run(make(address=nodes.address, num_replicas=3).__aenter__())


def test_no_cluster_at_the_address(loop):
    with pytest.raises(UserError, match="address=127.0.0.1:9: no Ray cluster answers there"):
        loop.run(make(address="127.0.0.1:9").__aenter__())


def test_engine_that_does_not_come_up(loop, nodes, capfd):
    with pytest.raises(BackendError, match="vLLM cannot start 'tiny' on Ray: .*max_model_len") as caught:
        loop.run(make(address=nodes.address, max_model_len=100_000).__aenter__())
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 2), (signal.SIGTERM, 1)])
def test_ends(nodes, tmp_path, number, times):
    """The foreground group gets the signal. What was answered is kept; nothing but our lines is printed, and nothing is
    left in shared memory.
    """
    args = "dtype=float32,enforce_eager=true,max_model_len=1024,tensor_parallel_size=1,num_replicas=1"
    command = (
        f"{sys.executable} -m skythought generate --task arithmetic --model tiny --backend ray --batch-size 4 "
        f"--backend-args {args},address={nodes.address} --sampling-params temperature=1 --n 16 "
        f"--result-dir {tmp_path}"
    )
    process = subprocess.Popen(
        command.split(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while not any(path.stat().st_size for path in tmp_path.glob("*/responses.jsonl")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raylets = [node.all_processes["raylet"][0].process.pid for node in nodes.list_all_nodes()]
    engines = [pid for raylet in raylets for pid in engine_processes(raylet)]
    shared = shared_memory(engines)
    assert len(engines) >= 1
    assert len(shared) >= 1
    for _ in range(times):
        os.killpg(process.pid, number)
    _, said = process.communicate(timeout=60)
    while any(path.exists() for path in shared):  # the test has a time limit
        time.sleep(0.1)
    assert process.returncode == 130, said
    known = (
        "arithmetic: ",
        "estimate from ",
        " samples, ",
        "stopping: ",
        "starting ray with",
        "max_tokens",
        "interrupted",
        "skythought:",
    )
    assert [line for line in said.splitlines() if line.strip() and not any(word in line for word in known)] == []
    (journal,) = tmp_path.glob("*/responses.jsonl")
    keys = [(line["id"], line["sample"]) for line in map(json.loads, journal.read_text().splitlines())]
    assert 0 < len(set(keys)) == len(keys) < 6400


def test_replicas_answer_as_vllm_does_also_when_a_node_is_killed(loop, nodes, expected, capfd):
    backend = make(address=nodes.address, num_replicas=2)

    async def run() -> None:
        async with backend:
            assert backend._engines.running == 2
            assert await collect(backend, KINDS) == of(KINDS)
            async with aclosing(backend.generate(MANY)) as cut_short:
                await anext(cut_short)
            assert await with_a_killed_node(backend, nodes) == of(MANY)
            # One replica is left.
            assert await collect(backend, KINDS) == of(KINDS)

    def of(requests: list[Request]) -> dict[SampleKey, Response]:
        return {request.key: expected[request.key] for request in requests}

    loop.run(run())
    assert [line for line in backend.notices.lines if "lost" in line and "asked again" in line]
    assert capfd.readouterr() == ("", "")


async def with_a_killed_node(backend: RayBackend, nodes: Any) -> dict[SampleKey, Response]:
    """The answers to `MANY`, each once, while the other node is killed; requests are pulled as others are answered."""
    found: dict[SampleKey, Response] = {}
    pulled: list[Request] = []
    async for response in backend.generate(map(lambda request: pulled.append(request) or request, reversed(MANY))):
        assert response.key not in found
        assert len(pulled) - len(found) <= 2 * backend.batch_size
        found[response.key] = replace(response, seconds=0)
        if len(found) == KILL_AFTER:
            (other,) = nodes.worker_nodes
            await asyncio.to_thread(nodes.remove_node, other, False)
    return found


def test_the_last_node_that_could_hold_a_replica(loop, nodes):
    """Runs after the other node was killed."""
    with pytest.raises(UserError, match="2 replicas of 1 logical CPU need 2, the cluster has 1"):
        loop.run(make(address=nodes.address, num_replicas=2).__aenter__())
