"""Scoring on a Ray cluster for real: the verdicts are those of this machine, whatever happens to the nodes."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

if find_spec("ray") is None:
    pytest.skip("Ray is not installed", allow_module_level=True)

import skythought as st
from skythought.errors import UserError
from skythought.executors.local import LocalExecutor
from skythought.executors.ray import RayExecutor

HUGE = 9**9


@pytest.fixture(scope="module")
def nodes() -> Iterator[object]:
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        soon = {"health_check_period_ms": 500, "health_check_timeout_ms": 500, "health_check_failure_threshold": 3}
        cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 1, "include_dashboard": False, "_system_config": soon},
        )
        cluster.add_node(num_cpus=1)
        yield cluster
        cluster.shutdown()


pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def test_fates_are_those_of_the_local_executor(nodes):
    async def outcomes(executor):
        async with executor:
            await executor.call(abs, 1, timeout_s=60)
            calls = [(pow, 3, 2), (pow, 7, HUGE), (os._exit, 3), (divmod, 1, 0), (abs, -4)]
            single = await asyncio.gather(*(executor.call(*call, timeout_s=1) for call in calls))
            return single, await executor.call_each(pow, [(2, 3), (7, HUGE), (2, 4)], timeout_s=1)

    there = asyncio.run(outcomes(RayExecutor(nodes.address)))
    assert there == asyncio.run(outcomes(LocalExecutor(2)))
    assert [outcome.fate for outcome in there[0]] == ["done", "overran", "died", "raised", "done"]
    assert [outcome.value for outcome in there[1]] == [8, None, 16]


def test_score_gives_the_local_verdicts(nodes, finished_run: Path, tmp_path: Path):
    folders = [Path(shutil.copytree(finished_run, tmp_path / name)) for name in ("here", "there")]
    st.score("arithmetic", folders[0])
    run = st.score("arithmetic", folders[1], executor="ray", ray_address=nodes.address)
    assert run.accuracy is not None
    assert (folders[0] / "results.json").read_bytes() == (folders[1] / "results.json").read_bytes()


def test_a_lost_node_costs_no_call(nodes):
    async def main():
        async with RayExecutor(nodes.address) as executor:
            assert executor.workers >= 2
            calls = [asyncio.create_task(executor.call(time.sleep, 0.2, timeout_s=60)) for _ in range(40)]
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            (other,) = nodes.worker_nodes
            await asyncio.to_thread(nodes.remove_node, other, False)
            return await asyncio.gather(*calls)

    outcomes = asyncio.run(main())
    assert [outcome.fate for outcome in outcomes] == ["done"] * 40


def test_mistakes(tmp_path):
    with pytest.raises(UserError, match="--ray-address=127.0.0.1:9: no Ray cluster answers there"):
        asyncio.run(RayExecutor("127.0.0.1:9").__aenter__())
    with pytest.raises(UserError, match="unknown executor 'rya'. Did you mean 'ray'"):
        st.score("arithmetic", tmp_path, executor="rya")
    with pytest.raises(UserError, match="--ray-address belongs to --executor ray"):
        st.score("arithmetic", tmp_path, ray_address="127.0.0.1:9")
