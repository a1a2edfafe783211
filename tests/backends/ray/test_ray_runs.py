"""Whole runs on a Ray cluster, with the tiny model: several at once, from a running loop and inside of a task."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if find_spec("vllm") is None or find_spec("ray") is None:
    pytest.skip("Ray or vLLM is not installed", allow_module_level=True)

from engines import VLLM_ARGS
from quick_replicas import quick_replicas
from ray_nodes import two_nodes

import skythought as st
from skythought.backends.ray.backend import RayBackend
from skythought.errors import BackendError
from skythought.models.library import load_model

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    with two_nodes() as cluster:
        yield cluster


def one_replica(nodes: Any) -> dict[str, Any]:
    return {**VLLM_ARGS, "tensor_parallel_size": 1, "num_replicas": 1, "address": nodes.address}


def options(nodes: Any, folder: Path, **more: Any) -> dict[str, Any]:
    """Of a run with one replica."""
    args = one_replica(nodes)
    sampling = {"temperature": 1.0, "max_tokens": 100}
    shared = {"model": "tiny", "backend": "ray", "backend_args": args, "sampling_params": sampling, "progress": False}
    return {**shared, "n": 2, "result_dir": folder, **more}


def test_several_at_once(nodes: Any, tmp_path: Path) -> None:
    """Three in one process and its running loop, for two logical CPUs: one waits, and says so. The first one to end
    takes nothing from the others.
    """

    async def main() -> list[st.Run]:
        ends = {"short": 2, "long": 60, "as long": 60}
        folders = {name: tmp_path / name for name in ends}
        return await asyncio.gather(
            *(st.aevaluate("arithmetic", **options(nodes, folders[name], end=end)) for name, end in ends.items())
        )

    short, long, as_long = asyncio.run(main())
    assert [len(list(run)) for run in (short, long, as_long)] == [4, 120, 120]
    assert (long.path / "results.json").read_bytes() == (as_long.path / "results.json").read_bytes()
    logs = [(run.path / "run.log").read_text(encoding="utf-8") for run in (short, long, as_long)]
    assert any("the replica waits for room on the cluster (1 logical CPU" in log for log in logs)
    assert not any("lost" in log for log in logs)


def test_inside_of_a_task(nodes: Any, tmp_path: Path) -> None:
    """Which takes no logical CPU from the replica, and has connected before."""
    import ray

    def task(options: dict[str, Any]) -> float | None:
        return st.evaluate("arithmetic", **options).accuracy

    ray.init(nodes.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": ":".join(sys.path)}})
    try:
        found = ray.get(ray.remote(num_cpus=0)(task).remote(options(nodes, tmp_path, end=4)))
    finally:
        ray.shutdown()
    assert found is not None
    assert len(list(tmp_path.glob("*/results.json"))) == 1


def test_an_engine_that_is_killed_while_it_loads(nodes: Any, tmp_path: Path) -> None:
    """Is started again, but not for ever."""
    backend = RayBackend(load_model("tiny"), RayBackend.check_args(one_replica(nodes)))
    broken = tmp_path / "broken"
    broken.write_text("Engine core initialization failed. See root cause above. Failed core proc(s): {}")
    with (
        quick_replicas(tmp_path),
        pytest.raises(BackendError, match=r"started 3 times without an answer.*a lack of memory.*--resume"),
    ):
        asyncio.run(backend.__aenter__())
    lines = [line for line in backend.notices.lines if "did not start: a process of it was killed" in line]
    assert len(lines) == 1  # a line is said once
