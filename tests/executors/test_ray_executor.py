"""Scoring on a Ray cluster for real: the verdicts are those of this machine, whatever happens to the nodes."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Coroutine, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from echo import ECHO
from ray_nodes import two_nodes

if find_spec("ray") is None:
    pytest.skip("Ray is not installed", allow_module_level=True)

import skythought as st
from skythought.errors import UserError
from skythought.executors.base import Executor
from skythought.executors.local import LocalExecutor
from skythought.executors.ray import RayExecutor

HUGE = 9**9

Work = Callable[[Executor], Coroutine[Any, Any, Any]]
Run = Callable[[Work], Any]


def test_mistakes(tmp_path: Path) -> None:
    """First, while this process is connected to no cluster."""
    with pytest.raises(UserError, match="--ray-address=127.0.0.1:9: no Ray cluster answers there"):
        asyncio.run(RayExecutor("127.0.0.1:9").__aenter__())
    with pytest.raises(UserError, match="unknown executor 'rya'. Did you mean 'ray'"):
        st.score("arithmetic", tmp_path, executor="rya")
    with pytest.raises(UserError, match="ray_address belongs to executor='ray'"):
        st.score("arithmetic", tmp_path, ray_address="127.0.0.1:9")


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    with two_nodes() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def there(nodes: Any) -> Iterator[Run]:
    """Runs work with one executor on the cluster, which takes all its CPUs until the end of this file."""
    with asyncio.Runner() as runner:
        executor = RayExecutor(nodes.address)
        runner.run(executor.__aenter__())
        yield lambda work: runner.run(work(executor))
        runner.run(executor.__aexit__(None, None, None))


@pytest.mark.engine
@pytest.mark.timeout(120)
def test_score_gives_the_local_verdicts(nodes: Any, tmp_path: Path) -> None:
    """Before the tests that have the CPUs taken."""
    here = st.evaluate("arithmetic", model="any", backend=ECHO, n=2, end=20, result_dir=tmp_path)
    copy = Path(shutil.copytree(here.path, tmp_path / "copy"))
    (copy / "scores.jsonl").write_text("", encoding="utf-8")
    there = st.score("arithmetic", copy, executor="ray", ray_address=nodes.address)
    assert here.accuracy is not None
    assert there.accuracy == here.accuracy
    assert 0 < here.accuracy < 1
    assert (copy / "results.json").read_bytes() == (here.path / "results.json").read_bytes()


@pytest.mark.engine
@pytest.mark.timeout(120)
def test_outcomes_are_those_of_the_local_executor(there: Run) -> None:
    async def outcomes(executor: Executor) -> Any:
        await executor.call(abs, 1, timeout_s=60)
        calls = [(pow, 3, 2), (pow, 7, HUGE), (os._exit, 3), (divmod, 1, 0), (abs, -4)]
        single = await asyncio.gather(*(executor.call(*call, timeout_s=1) for call in calls))
        return single, await executor.call_each(pow, [(2, 3), (7, HUGE), (2, 4)], timeout_s=1)

    async def here() -> Any:
        async with LocalExecutor(2) as executor:
            return await outcomes(executor)

    found = there(outcomes)
    assert found == asyncio.run(here())
    assert [outcome.status for outcome in found[0]] == ["done", "timed_out", "died", "raised", "done"]
    assert [outcome.value for outcome in found[1]] == [8, None, 16]


@pytest.mark.engine
@pytest.mark.timeout(120)
def test_a_lost_node_costs_no_call(nodes: Any, there: Run) -> None:
    async def main(executor: Executor) -> Any:
        assert executor.workers >= 2
        calls = [asyncio.create_task(executor.call(time.sleep, 0.2, timeout_s=60)) for _ in range(16)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        (other,) = nodes.worker_nodes
        await asyncio.to_thread(nodes.remove_node, other, False)
        return await asyncio.gather(*calls)

    assert [outcome.status for outcome in there(main)] == ["done"] * 16
