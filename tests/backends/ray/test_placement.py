"""Where replicas land on clusters with made-up GPUs, what is refused, waited for, replaced. Engines are stand-ins."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if find_spec("vllm") is None or find_spec("ray") is None:
    pytest.skip("Ray or vLLM is not installed", allow_module_level=True)

from quick_replicas import quick_replicas

from skythought.backends.ray import engines as rays
from skythought.backends.ray.args import RayArgs
from skythought.backends.ray.backend import RayBackend
from skythought.backends.ray.engines import Engines
from skythought.cluster import Cluster
from skythought.errors import BackendError, UserError

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture
def nodes() -> Iterator[Any]:
    """A cluster on this machine without any node that could hold a replica, yet."""
    import ray
    from ray.cluster_utils import Cluster as Nodes

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        made = Nodes(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        ray.init(address=made.address, log_to_driver=False)
        yield made
        ray.shutdown()
        made.shutdown()


def node(nodes: Any, gpus: int, kind: str | None = None, *, cpus: int = 16) -> str:
    """Add a node with so many made-up GPUs; returns its id."""
    kinds = {f"accelerator_type:{kind}": 1} if kind else {}
    return str(nodes.add_node(num_cpus=cpus, num_gpus=gpus, resources=kinds).node_id)


def make(said: list[str] | None = None, **args: Any) -> Engines:
    given: RayArgs = RayBackend.check_args({"tensor_parallel_size": 1, "num_replicas": 1, **args})
    return Engines(given, "tiny", say=(said if said is not None else []).append)


def landed(folder: Path) -> list[tuple[str, int]]:
    """Node and number of GPUs of each replica that has started."""
    texts = [path.read_text().split() for path in folder.glob("replica-*")]
    return sorted((at, int(gpus)) for at, gpus in texts)


@asynccontextmanager
async def started(engines: Engines) -> Any:
    engines.connect("nowhere")
    engines.start()
    try:
        yield engines
    finally:
        engines.stop()
        await asyncio.to_thread(engines.close)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not condition():  # noqa: ASYNC110 -- of other processes, too
            await asyncio.sleep(0.1)


def test_a_replica_has_its_gpus_on_one_node(nodes: Any, tmp_path: Path) -> None:
    first, second = node(nodes, 8), node(nodes, 8)

    async def main() -> None:
        for size, replicas, expected in [(8, 2, {first: 1, second: 1}), (4, 3, {first: 2, second: 1})]:
            folder = tmp_path / str(size)
            folder.mkdir()
            with quick_replicas(folder):
                async with started(make(tensor_parallel_size=size, num_replicas=replicas)) as engines:
                    await engines.ready()
                    await until(lambda engines=engines, replicas=replicas: engines.running == replicas)
            found = landed(folder)
            assert {gpus for _, gpus in found} == {size}
            assert sorted(Counter(at for at, _ in found).values()) == sorted(expected.values())

    asyncio.run(main())


def test_kinds_of_gpus(nodes: Any, tmp_path: Path) -> None:
    node(nodes, 8, "A100")
    right = node(nodes, 4, "H100")

    async def main() -> None:
        with quick_replicas(tmp_path):
            async with started(make(accelerator_type="H100", num_replicas=2)) as engines:
                await engines.ready()
                await until(lambda: engines.running == 2)
        assert landed(tmp_path) == [(right, 1), (right, 1)]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("args", "executor", "bundles"),
    [
        ({}, None, [{"GPU": 1, "CPU": 1}]),
        ({"tensor_parallel_size": 4}, "mp", [{"GPU": 4, "CPU": 1}]),
        ({"tensor_parallel_size": 4, "pipeline_parallel_size": 2}, "mp", [{"GPU": 8, "CPU": 1}]),
        ({"tensor_parallel_size": 8, "pipeline_parallel_size": 2}, "ray", [{"GPU": 1, "CPU": 1}] * 16),
        (
            {"tensor_parallel_size": 4, "distributed_executor_backend": "ray"},
            "ray",
            [{"GPU": 1, "CPU": 1}] * 4,
        ),
    ],
)
def test_what_a_replica_takes(args: dict[str, Any], executor: str | None, bundles: list[dict[str, int]]) -> None:
    """On one node GPUs are one piece; a model over several nodes takes them one by one, by vLLM's executor on Ray."""
    placed = plan([{"GPU": 8, "CPU": 64}] * 2, **args)
    assert (placed.executor, [dict(placed.need.each)] * placed.need.workers) == (executor, bundles)


@pytest.mark.parametrize(
    ("args", "has", "says"),
    [
        ({"num_replicas": 3}, [8], "3 replicas of 4 GPUs need 12, the cluster has 8.*num_replicas=2 would fit"),
        ({"num_replicas": 1}, [2], "1 replica of 4 GPUs need 4, the cluster has 2.*tensor_parallel_size=2 would fit"),
        ({"accelerator_type": "H100"}, [8], "accelerator_type 'H100': no node has it"),
        ({"num_replicas": 2, "distributed_executor_backend": "mp"}, [6, 2], "have room for 1"),
    ],
)
def test_what_is_refused(args: dict[str, Any], has: list[int], says: str) -> None:
    with pytest.raises(UserError, match=says):
        plan([{"GPU": gpus, "CPU": 64} for gpus in has], **{"tensor_parallel_size": 4, **args})


def plan(nodes: list[dict[str, float]], **args: Any) -> Any:
    """How replicas are placed on nodes with these resources."""
    from skythought.backends.ray import placement

    class Nodes(Cluster):
        def nodes(self) -> Any:
            return nodes

        def lacks(self, need: Any) -> str | None:
            from skythought.cluster import shortage

            return shortage(need, nodes)

        where = "a cluster"  # type: ignore[assignment]

    given: RayArgs = RayBackend.check_args({"tensor_parallel_size": 1, "num_replicas": 1, **args})
    return placement.plan(given, given.engine_values(), Nodes(False, True), is_cpu_build=lambda: True)


def test_what_is_in_use_is_waited_for_and_a_node_that_joins_is_used(nodes, tmp_path, monkeypatch) -> None:
    import ray

    monkeypatch.setattr(rays, "PATIENCE_S", 0.5)
    first = node(nodes, 2)
    taken = ray.util.placement_group([{"GPU": 1}])
    ray.get(taken.ready(), timeout=60)

    async def main() -> None:
        said: list[str] = []
        with quick_replicas(tmp_path):
            async with started(make(said, num_replicas=2)) as engines:
                await until(lambda: said)
                await until(lambda: engines.running == 1)
                second = node(nodes, 1)
                await until(lambda: engines.running == 2)
        assert landed(tmp_path) == sorted([(first, 1), (second, 1)])
        assert "1 of 2 replicas wait for room on the cluster (1 GPU each): it is in use." in said

    asyncio.run(main())


def test_an_engine_that_hangs_or_is_lost(nodes: Any, tmp_path: Path) -> None:
    node(nodes, 2)

    async def answers(engines: Engines, count: int) -> None:
        asked = [engines.ask(range(number, number + 4), {"max_tokens": 3}) for number in range(count)]
        found = await asyncio.wait_for(asyncio.gather(*asked), 120)
        assert [list(answer.tokens) for answer in found] == [[n + 3, n + 2, n + 1] for n in range(count)]

    async def main() -> None:
        import ray

        said: list[str] = []
        with quick_replicas(tmp_path):
            async with started(make(said, num_replicas=2, silence=2)) as engines:
                await engines.ready()
                await answers(engines, 300)
                assert said == []
                (tmp_path / "hang").touch()
                await answers(engines, 300)
                assert any("hangs: it has written no token for 2 s" in line for line in said)
                await until(lambda: engines.running == 2)
                ray.kill(engines.places[0].actor)
                await answers(engines, 300)
                await until(lambda: engines.running == 2 and len(landed(tmp_path)) == 4)

    asyncio.run(main())


def test_under_fire(nodes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas killed and stopped, and a node lost, while work goes on: each answer once, and the right one."""
    monkeypatch.setattr(rays, "AWAY_S", 3.0)
    node(nodes, 2)
    lost = nodes.add_node(num_cpus=4, num_gpus=2)

    async def main() -> None:
        said: list[str] = []
        with quick_replicas(tmp_path):
            async with started(make(said, num_replicas=4, silence=6)) as engines:
                await until(lambda: engines.running == 4)

                async def ask(number: int) -> None:
                    async with at_once:
                        answer = await engines.ask(range(number, number + 4), {"max_tokens": 2})
                    assert list(answer.tokens) == [number + 3, number + 2]

                at_once = asyncio.Semaphore(200)
                work = asyncio.gather(*(ask(number) for number in range(4000)))
                first, second, *_ = sorted(tmp_path.glob("replica-*"))
                await asyncio.sleep(0.5)
                os.kill(pid_of(first), signal.SIGKILL)
                await asyncio.sleep(0.5)
                os.kill(pid_of(second), signal.SIGSTOP)
                await asyncio.sleep(0.5)
                nodes.remove_node(lost, allow_graceful=False)
                await asyncio.wait_for(work, 200)
                await until(lambda: engines.running == 2)

    asyncio.run(main())


def pid_of(replica: Path) -> int:
    return int(replica.name.removeprefix("replica-"))


def test_engines_that_cannot_start(nodes: Any, tmp_path: Path) -> None:
    node(nodes, 2)
    (tmp_path / "broken").touch()

    async def main() -> None:
        with quick_replicas(tmp_path):
            async with started(make(num_replicas=2)) as engines:
                with pytest.raises(BackendError, match="vLLM cannot start 'tiny' on Ray: .*cannot start"):
                    await engines.ready()
                with pytest.raises(BackendError, match="cannot start"):
                    await engines.ask([1], {"max_tokens": 1})

    asyncio.run(main())
