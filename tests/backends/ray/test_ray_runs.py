"""Whole runs on a Ray cluster, with the tiny model: several at once, from a running loop, inside of a task; engines
that stand still; what is left at the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if find_spec("vllm") is None or find_spec("ray") is None:
    pytest.skip("Ray or vLLM is not installed", allow_module_level=True)

from engines import VLLM_ARGS, collect, engine_processes, sums
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


def test_engines_that_stand_still(nodes: Any) -> None:
    """All at once: of one replica the engine's core, of the other the whole actor."""
    args = one_replica(nodes) | {"num_replicas": 2, "silence": 20}
    backend = RayBackend(load_model("tiny"), RayBackend.check_args(args), batch_size=64)
    requests = sums(40, 5, temperature=1.0)

    async def main() -> None:
        async with backend:
            calm = await collect(backend, requests)
            found = {}
            async for response in backend.generate(requests):
                assert response.key not in found
                found[response.key] = replace(response, seconds=0)
                if len(found) == 10:
                    while backend._engines.running < 2:  # noqa: ASYNC110 -- on a busy machine one may be late
                        await asyncio.sleep(0.1)
                    (core, *_), _ = (engine_processes(raylet) for raylet in raylets(nodes))
                    os.kill(core, signal.SIGSTOP)
                    (actor,) = replicas(raylets(nodes)[1])
                    os.kill(actor, signal.SIGSTOP)
            assert found == calm

    asyncio.run(main())
    lines = backend.notices.lines
    assert any("it has written no token for 20 s" in line for line in lines)
    assert any("told nothing for 20 s" in line or "cannot be reached" in line for line in lines)


def raylets(nodes: Any) -> list[int]:
    """Ray's process of each node, from which all others there descend."""
    return [node.all_processes["raylet"][0].process.pid for node in nodes.list_all_nodes()]


def replicas(raylet: int) -> list[int]:
    """Our actors on a node."""
    listing = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(raylet)], capture_output=True, text=True)
    return [int(line.split()[0]) for line in listing.stdout.splitlines() if "ray::Replica" in line]


def test_ctrl_c_twice_while_ray_starts() -> None:
    """A Ray of the command's own, and all that was in the folder for temporary files, is gone."""
    args = "dtype=float32,enforce_eager=true,tensor_parallel_size=1,num_replicas=1,address=local"
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # Ray's sockets need a short path
        folder = Path(name)
        command = f"{sys.executable} -m skythought generate --task arithmetic --model tiny --backend ray"
        process = subprocess.Popen(
            [*command.split(), "--backend-args", args, "--result-dir", str(folder / "runs")],
            env={**os.environ, "TMPDIR": name},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while not list(folder.glob("ray/session_2*")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        for _ in range(2):
            os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate()
        assert process.returncode == 130, said
        while list(folder.glob("ray/session_2*")) or list(folder.glob("skythought-*")) or alive(f"TMPDIR={name}"):
            time.sleep(0.1)  # the test has a time limit


def alive(mark: str) -> list[str]:
    """Processes with this `NAME=value` in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder.name)
    return found


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
    lines = [line for line in backend.notices.lines if "requests that it had are asked again" in line]
    assert 1 <= len(lines) == len({*lines}), backend.notices.lines  # a line is said once
