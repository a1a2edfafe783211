"""Ray Data and vLLM for real, with the tiny model: a cluster of two nodes on this machine, one of which is killed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec

import pytest

if find_spec("vllm") is None or find_spec("ray") is None:
    pytest.skip("Ray or vLLM is not installed", allow_module_level=True)

from asking import ask

from skythought.backends.base import Backend
from skythought.backends.ray.backend import RayBackend
from skythought.backends.vllm.backend import VLLMBackend
from skythought.cluster import Need, shortage
from skythought.errors import BackendError, UserError
from skythought.models.library import load_model
from skythought.types import Request, Response, SampleKey, sample_seed

ENGINE = {"dtype": "float32", "enforce_eager": True, "max_model_len": 1024}


def sums(name: str, problems: int, samples: int = 1, **sampling: object) -> list[Request]:
    """Requests whose keys are unlike those of any other `name`."""
    questions = [f"What is {17 * i % 89 + 10} + {31 * i % 83 + 10}?" for i in range(problems)]
    asked = [ask(q, sample=s, **{"max_tokens": 200, **sampling}) for q in questions for s in range(samples)]
    keys = [SampleKey(f"{name} {request.key.problem_id}", request.key.sample) for request in asked]
    return [replace(r, key=key, seed=sample_seed(41, key)) for r, key in zip(asked, keys, strict=True)]


KINDS = [
    *sums("greedy", 16),
    *sums("sampled", 8, 4, temperature=0.7),
    *sums("stopped", 4, stop=("\n</think>",)),
    *sums("cut", 4, max_tokens=7),
    ask("What is 3 + 4?", system="You are careful.", prefill="<think>\n3", max_tokens=100),
    ask("7 " * 2000, max_tokens=10),
]
MANY = sums("many", 40, 10, temperature=1.0)


async def collect(backend: Backend, requests: Iterable[Request]) -> dict[SampleKey, Response]:
    found = [response async for response in backend.generate(requests)]
    assert len({response.key for response in found}) == len(found)
    return {response.key: replace(response, seconds=0) for response in found}


def make(batch_size: int = 64, **args: object) -> RayBackend:
    values = {**ENGINE, "tensor_parallel_size": 1, "num_replicas": 1, **args}
    return RayBackend(load_model("tiny"), RayBackend.check_args(values), batch_size=batch_size)


class TestArguments:
    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"num_replica": 2}, "no.* argument 'num_replica'. Did you mean 'num_replicas'"),
            ({"tensor_paralel_size": 2}, "'tensor_paralel_size'. Did you mean 'tensor_parallel_size'"),
            ({"num_replicas": 0}, "num_replicas: .*greater than or equal to 1"),
            ({"dtype": "flaot32"}, "dtype: Input should be 'auto'"),
            ({"model": "other"}, "'model' cannot be given"),
            ({"config": "/nowhere.yaml"}, "config: '/nowhere.yaml': No such file"),
        ],
    )
    def test_mistakes(self, given, says):
        with pytest.raises(UserError, match=says) as caught:
            RayBackend.check_args(given)
        assert "\n" not in str(caught.value)

    def test_defaults_are_those_of_the_packaged_file(self):
        args = RayBackend.check_args({})
        assert (args.num_replicas, args.batch_size, args.accelerator_type) == (2, 128, None)
        assert args.engine_values() == {"tensor_parallel_size": 4, "gpu_memory_utilization": 0.9, "dtype": "auto"}

    def test_a_file_is_read_under_the_arguments_and_recorded(self, tmp_path):
        from skythought.pipeline.plan import Options, make_plan

        path = tmp_path / "mine.yaml"
        path.write_text(
            "llm_engine: vllm\naccelerator_type: H100\n"
            "engine_kwargs: {tensor_parallel_size: 8, max_model_len: 512, dtype: float32}\n"
            "runtime_env: {env_vars: {A: b, HF_TOKEN: hush}}\nenv_config: {num_replicas: 3}\n"
        )
        given = {"config": str(path), "dtype": "bfloat16", "batch_size": 7}
        options = Options(task=("arithmetic",), model="tiny", backend="ray", backend_args=given, result_dir=tmp_path)
        plan = make_plan(options, grade=False)
        assert plan.engine.args.engine_values() == {
            "tensor_parallel_size": 8, "max_model_len": 512, "dtype": "bfloat16", "gpu_memory_utilization": 0.9,
        }  # fmt: skip
        recorded = plan.configs[0].backend
        assert recorded.args["accelerator_type"] == "H100"
        assert recorded.args["runtime_env"] == {"env_vars": {"A": "b"}}
        assert recorded.identity == {"max_model_len": 512, "dtype": "bfloat16"}

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            ("engine_kwarg: {}", "unknown key 'engine_kwarg'. Did you mean 'engine_kwargs'"),
            ("env_config: {replicas: 2}", "env_config: unknown key 'replicas'. Did you mean 'num_replicas'"),
            ("engine_kwargs: {max_len: 2}", "argument 'max_len'. Did you mean"),
            ("llm_engine: sglang", "llm_engine is vllm, not 'sglang'"),
            ("[1, 2]", "must hold keys and values"),
            ("{", "is not YAML"),
        ],
    )
    def test_mistakes_in_a_file(self, content, says, tmp_path):
        path = tmp_path / "mine.yaml"
        path.write_text(content)
        with pytest.raises(UserError, match=says) as caught:
            RayBackend.check_args({"config": str(path)})
        assert "\n" not in str(caught.value)


BIG = {"GPU": 8, "CPU": 64, "accelerator_type:H100": 1}
ONE = {"GPU": 1, "CPU": 1}


class TestShortage:
    @pytest.mark.parametrize(
        ("need", "nodes", "says"),
        [
            (Need(2, 4, ONE), [{"GPU": 4, "CPU": 64}], "2 replicas of 4 GPUs need 8, the cluster has 4"),
            (Need(1, 1, ONE), [{"CPU": 64}], "1 replica of 1 GPU need 1, the cluster has 0"),
            (Need(2, 4, ONE), [BIG], None),
            (Need(2, 8, ONE), [BIG, BIG], None),
            (Need(1, 8, ONE, "H100"), [BIG], None),
            (Need(1, 8, ONE, "A100"), [BIG], "accelerator_type 'A100': no node has it; .*: H100"),
            (Need(2, 8, ONE, "H100"), [BIG, {"GPU": 8, "CPU": 8}], "need 16, the cluster has 8 of type H100"),
            (Need(2, 1, {"CPU": 1}), [{"CPU": 1}], "2 replicas of 1 logical CPU need 2, the cluster has 1"),
            (Need(2, 4, ONE), [{"GPU": 8, "CPU": 5}], "1 GPU and 1 CPU for each worker of 8.*room for 5"),
            (Need(1, 1, {"GPU": 4, "CPU": 1}), [{"GPU": 2, "CPU": 9}] * 2, "4 GPU and 1 CPU for each.*room for 0"),
        ],
    )
    def test_shortage(self, need, nodes, says):
        found = shortage(need, nodes)
        assert found is None if says is None else re.search(says, found)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def nodes() -> Iterator[object]:
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
def expected(loop: asyncio.Runner, nodes: object) -> dict[SampleKey, Response]:
    """What the `vllm` backend answers."""

    async def answers() -> dict[SampleKey, Response]:
        async with VLLMBackend(load_model("tiny"), VLLMBackend.check_args(ENGINE)) as backend:
            return await collect(backend, [*KINDS, *MANY])

    found = loop.run(answers())
    assert {response.finish_reason for response in found.values()} >= {"stop", "length", None}
    return found


@pytest.mark.engine
@pytest.mark.timeout(300)
class TestCluster:
    def test_what_can_never_be_placed_is_said(self, loop, nodes):
        with pytest.raises(UserError, match="2 replicas of 4 GPUs need 8, the cluster has 0.*tensor_parallel_size=1"):
            loop.run(make(address=nodes.address, num_replicas=2, tensor_parallel_size=4).__aenter__())
        with pytest.raises(UserError, match="3 replicas of 1 logical CPU need 3, the cluster has 2.*num_replicas=2"):
            loop.run(make(address=nodes.address, num_replicas=3).__aenter__())

    def test_no_cluster_at_the_address(self, loop):
        with pytest.raises(UserError, match="address=127.0.0.1:9: no Ray cluster answers there"):
            loop.run(make(address="127.0.0.1:9").__aenter__())

    def test_engine_that_does_not_come_up(self, loop, nodes, capfd):
        with pytest.raises(BackendError, match="vLLM cannot start 'tiny' on Ray: .*max_model_len") as caught:
            loop.run(make(address=nodes.address, max_model_len=100_000).__aenter__())
        assert "\n" not in str(caught.value)
        assert capfd.readouterr() == ("", "")

    def test_one_replica_answers_as_vllm_does(self, loop, nodes, expected, capfd):
        async def run() -> dict[SampleKey, Response]:
            async with make(address=nodes.address) as backend:
                first = await collect(backend, KINDS)
                async with aclosing(backend.generate(MANY)) as cut_short:
                    await anext(cut_short)
                pulled = []
                in_flight = 0
                async for response in backend.generate(map(lambda r: pulled.append(r) or r, reversed(MANY[:200]))):
                    in_flight = max(in_flight, len(pulled) - len(first) + len(KINDS))
                    first[response.key] = replace(response, seconds=0)
                assert in_flight <= backend.batch_size
                return first

        found = loop.run(run())
        assert len(found) == len(KINDS) + 200
        assert found == {key: expected[key] for key in found}
        assert capfd.readouterr() == ("", "")

    def test_ctrl_c(self, nodes, tmp_path):
        """The foreground group gets the signal. What was answered is kept; nothing but our lines is printed."""
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
        os.killpg(process.pid, signal.SIGINT)
        printed, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert printed == ""
        known = ("arithmetic: ", " samples, ", "starting ray with", "max_tokens", "interrupted", "skythought:")
        assert [line for line in said.splitlines() if line.strip() and not any(word in line for word in known)] == []
        (journal,) = tmp_path.glob("*/responses.jsonl")
        keys = [(line["id"], line["sample"]) for line in map(json.loads, journal.read_text().splitlines())]
        assert 0 < len(set(keys)) == len(keys) < 6400

    def test_two_replicas_and_a_node_that_is_killed(self, loop, nodes, expected, capfd):
        backend = make(address=nodes.address, num_replicas=2, batch_size=32)

        async def run() -> None:
            async with backend:
                assert backend._engines.running == 2
                assert await collect(backend, KINDS) == {request.key: expected[request.key] for request in KINDS}
                found: dict[SampleKey, Response] = {}
                killing = None
                async for response in backend.generate(MANY):
                    assert response.key not in found
                    found[response.key] = replace(response, seconds=0)
                    if len(found) == 60:
                        (other,) = nodes.worker_nodes
                        killing = asyncio.create_task(asyncio.to_thread(nodes.remove_node, other, False))
                        await asyncio.shield(killing)
                assert found == {request.key: expected[request.key] for request in MANY}

        loop.run(run())
        assert [line for line in backend.notices.lines if "lost a node" in line]
        assert capfd.readouterr() == ("", "")

    def test_the_last_node_that_could_hold_a_replica(self, loop, nodes):
        """Runs after the other node was killed."""
        with pytest.raises(UserError, match="2 replicas of 1 logical CPU need 2, the cluster has 1"):
            loop.run(make(address=nodes.address, num_replicas=2).__aenter__())


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from skythought.backends.ray.backend import RayBackend as B; B.check_args({'dtype': 'auto'});"
        "print({'torch', 'vllm', 'ray', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "set()"
