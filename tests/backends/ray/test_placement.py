"""Where replicas land on clusters with made-up GPUs, what is refused, waited for, replaced. Engines are stand-ins."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if find_spec("vllm") is None or find_spec("ray") is None:
    pytest.skip("Ray or vLLM is not installed", allow_module_level=True)

from quick_replicas import quick_replicas

from skythought import cluster
from skythought.backends.ray import engines as rays
from skythought.backends.ray import placement
from skythought.backends.ray.args import RayArgs
from skythought.backends.ray.backend import RayBackend
from skythought.backends.ray.engines import Engines
from skythought.backends.ray.placement import Placement
from skythought.errors import BackendError, UserError

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


class Nodes:
    """A cluster on this machine with made-up GPUs: eight H100 on each of two nodes, four A100 on a third, eight L4 on a
    fourth that has only 2 logical CPUs.
    """

    def __init__(self) -> None:
        import ray
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        ray.init(address=self.cluster.address, log_to_driver=False)
        self.names: dict[str, str] = {}
        for name, kind, gpus, cpus in [
            ("h1", "H100", 8, 16),
            ("h2", "H100", 8, 16),
            ("a", "A100", 4, 16),
            ("l", "L4", 8, 2),
        ]:
            self.add(name, kind, gpus, cpus=cpus)

    def add(self, name: str, kind: str, gpus: int, *, cpus: int = 16) -> Any:
        """One more node with so many GPUs of a kind."""
        made = self.cluster.add_node(num_cpus=cpus, num_gpus=gpus, resources={f"accelerator_type:{kind}": 1})
        self.names[str(made.node_id)] = name
        return made

    def lose(self, node: Any) -> None:
        """A node dies."""
        self.cluster.remove_node(node, allow_graceful=False)

    def close(self) -> None:
        import ray

        ray.shutdown()
        self.cluster.shutdown()


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        made = Nodes()
        yield made
        made.close()


def args_of(values: Mapping[str, Any]) -> RayArgs:
    return RayBackend.check_args({"tensor_parallel_size": 1, "num_replicas": 1, **values})


def make(said: list[str] | None = None, **args: Any) -> Engines:
    return Engines(args_of(args), "tiny", say=(said if said is not None else []).append)


def landed(nodes: Nodes, folder: Path) -> list[tuple[str, int]]:
    """Node and number of GPUs of each replica that has started."""
    texts = [path.read_text().split() for path in folder.glob("replica-*")]
    return sorted((nodes.names[at], int(gpus)) for at, gpus in texts)


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


@contextmanager
def placed(args: RayArgs) -> Iterator[tuple[Placement, list[Any]]]:
    """How replicas are placed, and a placement group that Ray has filled for each."""
    import ray

    where = cluster.connect(None, "address")
    made = placement.plan(args, args.engine_values(), where)
    groups = [made.new_group() for _ in range(args.num_replicas)]
    try:
        for group in groups:
            assert group.wait(60)
        yield made, groups
    finally:
        for group in groups:
            ray.util.remove_placement_group(group)
        total = ray.cluster_resources()["GPU"]
        asyncio.run(until(lambda: ray.available_resources().get("GPU") == total))


TP_4 = {"tensor_parallel_size": 4}
TP_8 = {"tensor_parallel_size": 8}
TP_8_PP_2 = {**TP_8, "pipeline_parallel_size": 2}


@pytest.mark.parametrize(
    ("args", "executor", "expected"),
    [
        ({"num_replicas": 3}, None, [{"H100": 1}] * 3),
        ({"num_replicas": 4, "accelerator_type": "A100"}, None, [{"a": 1}] * 4),
        ({**TP_4, "num_replicas": 4}, "mp", [{"h1": 4}, {"h1": 4}, {"h2": 4}, {"h2": 4}]),
        ({**TP_4, "accelerator_type": "A100"}, "mp", [{"a": 4}]),
        (
            {**TP_4, "num_replicas": 7, "accelerator_type": None},
            "mp",
            [{"a": 4}, *[{"h1": 4}] * 2, *[{"h2": 4}] * 2, *[{"l": 4}] * 2],
        ),
        ({**TP_8, "num_replicas": 2}, "mp", [{"h1": 8}, {"h2": 8}]),
        ({**TP_4, "pipeline_parallel_size": 2, "num_replicas": 2}, "mp", [{"h1": 8}, {"h2": 8}]),
        (TP_8_PP_2, "ray", [{"h1": 8, "h2": 8}]),
        ({**TP_4, "distributed_executor_backend": "ray"}, "ray", [{"H100": 4}]),
        ({**TP_4, "distributed_executor_backend": "ray", "accelerator_type": "A100"}, "ray", [{"a": 4}]),
    ],
)
def test_where_replicas_land(
    nodes: Nodes, args: dict[str, Any], executor: str | None, expected: list[dict[str, int]]
) -> None:
    """On one node GPUs are one piece; a model over several nodes takes them one by one, as close together as may be.

    `expected`: of each replica the GPUs on each node; "H100" is either of the two.
    """
    import ray

    with placed(args_of({"accelerator_type": "H100", **args})) as (how, groups):
        assert how.executor == executor
        found = []
        for group in groups:
            table = ray.util.placement_group_table(group)
            assert table["strategy"] == "PACK"
            gpus: Counter[str] = Counter()
            for number, at in table["bundles_to_node_id"].items():
                gpus[nodes.names[at]] += int(table["bundles"][number]["GPU"])
            assert executor != "ray" or {bundle["GPU"] for bundle in table["bundles"].values()} == {1}
            found.append(dict(gpus))
    either = {"h1": "H100", "h2": "H100"} if any("H100" in one for one in expected) else {}
    assert by_node({either.get(at, at): n for at, n in one.items()} for one in found) == by_node(expected)


def by_node(replicas: Iterable[dict[str, int]]) -> list[list[tuple[str, int]]]:
    return sorted(sorted(one.items()) for one in replicas)


def test_a_model_over_two_nodes_as_vllm_sees_it(nodes: Nodes) -> None:
    """What vLLM's executor on Ray makes of our placement group: it takes it as it is, and a stage lies on one node."""
    import ray

    @ray.remote
    def ranks() -> tuple[str, list[str], bool]:
        """The node of this replica, and of each of its workers in the order of their ranks; whether in our group."""
        import vllm.platforms
        from vllm.config import ParallelConfig
        from vllm.v1.executor import ray_utils

        type(vllm.platforms.current_platform).ray_device_key = "GPU"
        config = ParallelConfig(**TP_8_PP_2, distributed_executor_backend="ray")
        ray_utils.initialize_ray_cluster(config)
        group = ray.util.get_current_placement_group()
        bundles = ray_utils.get_bundles_sorted_by_node(group)
        return ray.get_runtime_context().get_node_id(), [at for _, at, _ in bundles], config.placement_group == group

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    with placed(args_of({**TP_8_PP_2, "accelerator_type": "H100"})) as (how, (group,)):
        here, workers, is_ours = ray.get(ranks.options(**how.options(group)).remote(), timeout=200)
    assert is_ours
    assert len(workers) == 16
    assert set(workers[:8]) == {here}
    assert len(set(workers[8:])) == 1
    assert workers[8] != here


def test_replicas_have_their_gpus(nodes: Nodes, tmp_path: Path) -> None:
    """An actor of `mp` has all GPUs of its replica; beside vLLM's executor on Ray it has none, and that takes them."""

    async def main() -> None:
        for args, expected in [({**TP_4, "num_replicas": 2}, [4, 4]), (TP_8_PP_2, [0])]:
            folder = tmp_path / str(len(expected))
            folder.mkdir()
            with quick_replicas(folder):
                async with started(make(**args, accelerator_type="H100")) as engines:
                    await until(lambda engines=engines, expected=expected: engines.running == len(expected))
            found = landed(nodes, folder)
            assert [gpus for _, gpus in found] == expected
            assert {at for at, _ in found} <= {"h1", "h2"}

    asyncio.run(main())


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            {**TP_8, "num_replicas": 3, "accelerator_type": "H100"},
            r"3 replicas of 8 GPUs need 24, the cluster has 16 of type H100 \(the Ray cluster at \S+\)\. "
            r"--backend-args num_replicas=2 would fit\.",
        ),
        (
            {**TP_8, "accelerator_type": "A100"},
            "1 replica of 8 GPUs needs 8, the cluster has 4 of type A100 .*1,tensor_parallel_size=4 would fit",
        ),
        (
            {**TP_8, "pipeline_parallel_size": 4, "accelerator_type": "H100"},
            "1 replica of 32 GPUs needs 32, the cluster has 16 of type H100.*tensor_parallel_size=4 would fit",
        ),
        (
            {**TP_4, "pipeline_parallel_size": 16, "accelerator_type": "H100"},
            "1 replica of 64 GPUs needs 64.*tensor_parallel_size=1 would fit",
        ),
        ({"pipeline_parallel_size": 32}, r"1 replica of 32 GPUs needs 32, the cluster has 28 \([^)]+\)\.$"),
        ({**TP_4, "num_replicas": 8}, r"8 replicas of 4 GPUs need 32, the cluster has 28 \(.*num_replicas=7 would fit"),
        (
            {"accelerator_type": "B200"},
            r"accelerator_type 'B200': no node has it; the kinds in the cluster: A100, H100, L4 \(",
        ),
        (
            {"accelerator_type": "L4", "num_replicas": 3},
            r"3 replicas of 1 GPU take 1 GPU and 1 CPU for each worker of 3, but the nodes \(8 GPU, 2 CPU\) "
            r"have room for 2 \(.*num_replicas=2 would fit",
        ),
        (
            {**TP_8_PP_2, "distributed_executor_backend": "mp"},
            "1 replica of 16 GPUs takes 16 GPU and 1 CPU for each worker of 1, but the nodes .* have room for 0",
        ),
    ],
)
def test_what_is_refused(nodes: Nodes, args: dict[str, Any], says: str) -> None:
    """In one line, before anything waits."""
    with pytest.raises(UserError, match=f"^--backend ray: {says}") as caught:
        make(**args).connect("nowhere")
    assert "\n" not in str(caught.value)


def test_what_is_in_use_is_waited_for_and_a_node_that_joins_is_used(nodes, tmp_path, monkeypatch) -> None:
    import ray

    monkeypatch.setattr(rays, "PATIENCE_S", 0.5)
    nodes.add("t1", "T4", 2)
    taken = [ray.util.placement_group([{"GPU": 1, "accelerator_type:T4": 0.001}]) for _ in range(2)]
    assert all(group.wait(60) for group in taken)

    async def main() -> None:
        said: list[str] = []
        with quick_replicas(tmp_path):
            async with started(make(said, num_replicas=2, accelerator_type="T4")) as engines:
                await until(lambda: said)
                assert said[0] == "2 of 2 replicas wait for room on the cluster (1 GPU of type T4 each): it is in use."
                ray.util.remove_placement_group(taken[0])
                await until(lambda: engines.running == 1)
                await until(lambda: len(set(said)) == 2)
                assert said[-1] == "1 of 2 replicas wait for room on the cluster (1 GPU of type T4 each): it is in use."
                nodes.add("t2", "T4", 1)
                await until(lambda: engines.running == 2)
                await engines.ready()
            assert landed(nodes, tmp_path) == [("t1", 1), ("t2", 1)]
            said.clear()
            async with started(make(said, accelerator_type="T4", tensor_parallel_size=2)) as engines:
                await until(lambda: said)
                assert said[:1] == ["the replica waits for room on the cluster (2 GPUs of type T4): it is in use."]
                ray.util.remove_placement_group(taken[1])
                await engines.ready()
            assert landed(nodes, tmp_path) == [("t1", 1), ("t1", 2), ("t2", 1)]

    asyncio.run(main())


def test_an_engine_that_hangs_or_is_lost(nodes: Nodes, tmp_path: Path) -> None:
    async def answers(engines: Engines, count: int) -> None:
        asked = [engines.ask(range(number, number + 4), {"max_tokens": 3}) for number in range(count)]
        found = await asyncio.wait_for(asyncio.gather(*asked), 120)
        assert [list(answer.tokens) for answer in found] == [[n + 3, n + 2, n + 1] for n in range(count)]

    async def main() -> None:
        import ray

        said: list[str] = []
        with quick_replicas(tmp_path):
            async with started(make(said, num_replicas=2, silence=2, accelerator_type="A100")) as engines:
                await engines.ready()
                await answers(engines, 300)
                assert said == []
                (tmp_path / "hang").touch()
                await answers(engines, 300)
                assert any("hangs: it has written no token for 2 s" in line for line in said)
                await until(lambda: engines.running == 2)
                ray.kill(engines.places[0].actor)
                await answers(engines, 300)
                await until(lambda: engines.running == 2 and len(landed(nodes, tmp_path)) == 4)

    asyncio.run(main())


def test_under_fire(nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas killed and stopped, and a node lost, while work goes on: each answer once, and the right one. Without
    any node that could hold a replica, it is the end.
    """
    monkeypatch.setattr(rays, "AWAY_S", 3.0)
    monkeypatch.setattr(rays, "PATIENCE_S", 0.5)
    lost, last = (nodes.add(name, "P100", 2) for name in ("p1", "p2"))

    async def main() -> None:
        said: list[str] = []
        with quick_replicas(tmp_path):
            async with started(make(said, num_replicas=4, silence=6, accelerator_type="P100")) as engines:
                await until(lambda: engines.running == 4)

                async def ask(number: int) -> None:
                    async with at_once:
                        answer = await engines.ask(range(number, number + 4), {"max_tokens": 2})
                    assert list(answer.tokens) == [number + 3, number + 2]

                at_once = asyncio.Semaphore(200)
                work = asyncio.gather(*(ask(number) for number in range(2000)))
                first, second, *_ = sorted(tmp_path.glob("replica-*"))
                await asyncio.sleep(0.5)
                os.kill(pid_of(first), signal.SIGKILL)
                await asyncio.sleep(0.5)
                os.kill(pid_of(second), signal.SIGSTOP)
                await asyncio.sleep(0.5)
                nodes.lose(lost)
                await asyncio.wait_for(work, 200)
                await until(lambda: engines.running == 2)
                nodes.lose(last)
                with pytest.raises(
                    BackendError, match="Ray lost a node, and no other one can hold a replica.*--resume"
                ):
                    while True:
                        await asyncio.wait_for(ask(0), 120)

    asyncio.run(main())


def pid_of(replica: Path) -> int:
    return int(replica.name.removeprefix("replica-"))


def test_engines_that_cannot_start(nodes: Nodes, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()

    async def main() -> None:
        with quick_replicas(tmp_path):
            async with started(make(num_replicas=2)) as engines:
                with pytest.raises(BackendError, match="vLLM cannot start 'tiny' on Ray: .*cannot start"):
                    await engines.ready()
                with pytest.raises(BackendError, match="cannot start"):
                    await engines.ask([1], {"max_tokens": 1})

    asyncio.run(main())
