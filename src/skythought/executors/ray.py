"""The workers of `LocalExecutor` on the nodes of a Ray cluster: the same processes and deadlines, the same verdicts.

Each node has actors that take its free logical CPUs, a few at a time, and run a `LocalExecutor` of as many workers: a
worker group. A call goes to a group that has a free slot. If its node is lost, it goes to another.

Nodes need this package as it is here, and a scorer of the user's own (`file.py:Class`) under the same path.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from skythought import cluster
from skythought.cluster import Cluster
from skythought.errors import BackendError, SkythoughtError, UserError
from skythought.executors.base import Executor, Outcome, Prepare
from skythought.executors.local import LocalExecutor

__all__ = ["RayExecutor"]

GROUP_CPUS = 8
"""Most CPUs of one group. Ray places a group whole, so small ones still find room on a node that is in use."""
CALLS_A_WORKER = 2
"""Slots that a group has for each of its workers, so that none waits for the network."""
TRIES = 4
"""How many groups may be lost with a call until it counts as one that kills nodes."""
RETRY_S = 1.0
END_S = 10.0

T = TypeVar("T")


@dataclass(eq=False)
class Group:
    """A worker group, as seen from here."""

    actor: Any
    workers: int
    losses: int = 0
    """How often it was lost with its node; Ray starts it again elsewhere."""


class Slot(NamedTuple):
    """Room for one call in a group."""

    group: Group
    losses: int
    """The group's when the slot was made: if it was lost since, the slot is void."""

    @property
    def valid(self) -> bool:
        return self.losses == self.group.losses


class RayExecutor(Executor):
    """Worker processes on a Ray cluster. Use as `async with RayExecutor(address) as executor`."""

    def __init__(self, address: str | None = None, *, memory_bytes: int = 4 << 30) -> None:
        """`address`: see `cluster.connect`. `memory_bytes`: address space of each worker."""
        self.workers = 0
        self._address = address
        self._memory_bytes = memory_bytes
        self._cluster: Cluster | None = None
        self._groups: list[Group] = []
        self._openings: set[asyncio.Task[None]] = set()
        self._slots: asyncio.Queue[Slot | SkythoughtError] = asyncio.Queue()
        """Free slots; or why there will never be one."""
        self._failed_groups = 0

    @classmethod
    def at(cls, address: str | None) -> Self:
        """`address`: see `cluster.connect`. Raises UserError if Ray is not installed."""
        if importlib.util.find_spec("ray") is None:
            raise UserError("--executor ray needs the package 'ray': `pip install ray`.")
        return cls(address)

    async def __aenter__(self) -> Self:
        try:
            sizes = await asyncio.to_thread(self._connect)
            cluster.keep_signals()
            self.workers = CALLS_A_WORKER * sum(sizes)
            self._groups = [Group(self._new_actor(size), size) for size in sizes]
            for group in self._groups:
                self._start_opening(group)
            self._slots.put_nowait(await self._slot())  # wait for one, so that what is wrong with the nodes shows now
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    async def call_each(
        self,
        function: Callable[..., T],
        items: Sequence[tuple[Any, ...]],
        *,
        timeout_s: float,
        prepare: Prepare | None = None,
    ) -> list[Outcome[T]]:
        """See `Executor.call_each`.

        Raises:
            BackendError: No node can run workers any more.
        """
        import ray

        call = pickle.dumps((function, list(items), timeout_s, prepare))
        for _ in range(TRIES):
            slot = await self._slot()
            try:
                outcomes: list[Outcome[T]] = pickle.loads(await slot.group.actor.run.remote(call))
                return outcomes
            except ray.exceptions.RayError:
                self._lost(slot)
            finally:
                if slot.valid:
                    self._slots.put_nowait(slot)
        return [Outcome("died", None, f"the node that ran it was lost, {TRIES} times")] * len(items)

    def _connect(self) -> list[int]:
        """Connect; how many workers each group is to have."""
        self._cluster = cluster.connect(self._address, "--ray-address")
        sizes = []
        for node in self._cluster.nodes():
            cpus = int(node.get("CPU", 0))
            sizes += [min(GROUP_CPUS, cpus - start) for start in range(0, cpus, GROUP_CPUS)]
        if not sizes:
            raise UserError("--executor ray: no node of the cluster has a logical CPU; scoring takes one a worker.")
        return sizes

    def _new_actor(self, workers: int) -> Any:
        import ray

        # Concurrent: a group's calls wait for its workers inside of the actor, where no network is in between.
        options: dict[str, Any] = {"num_cpus": workers, "max_restarts": -1, "max_concurrency": 1000}
        return ray.remote(**options)(_GroupActor).remote(workers, self._memory_bytes, str(Path.cwd()))

    def _start_opening(self, group: Group) -> None:
        task = asyncio.ensure_future(self._open(group))
        self._openings.add(task)
        task.add_done_callback(self._openings.discard)

    async def _open(self, group: Group) -> None:
        """Offer a group's slots once it is there, which may be long after: its node may be busy, or gone."""
        import ray

        while True:
            try:
                version = await group.actor.version.remote()
            except ray.exceptions.ActorUnavailableError:
                await asyncio.sleep(RETRY_S)
            except ray.exceptions.RayError as error:
                why = " ".join(str(error.__cause__ or error).split())[-300:]
                return self._give_up(BackendError(f"--executor ray: no worker can be started on the nodes: {why}"))
            else:
                break
        if version != (ours := version_of("skythought")):
            return self._give_up(UserError(f"--executor ray: a node has skythought {version}, this is {ours}."))
        for _ in range(CALLS_A_WORKER * group.workers):
            self._slots.put_nowait(Slot(group, group.losses))
        return None

    def _give_up(self, error: SkythoughtError) -> None:
        """One group will never come. If none will, calls must not wait for ever."""
        self._failed_groups += 1
        if self._failed_groups == len(self._groups):
            self._slots.put_nowait(error)

    async def _slot(self) -> Slot:
        """Wait for a free slot and take it. Raises the error if there will never be one."""
        while True:
            slot = await self._slots.get()
            if isinstance(slot, SkythoughtError):
                self._slots.put_nowait(slot)  # for all others that wait
                raise slot
            if slot.valid:
                return slot

    def _lost(self, slot: Slot) -> None:
        """A group is gone, mostly with its node. The first call that notices has it opened again."""
        if slot.valid:
            slot.group.losses += 1
            self._start_opening(slot.group)

    async def _close(self) -> None:
        for task in list(self._openings):
            task.cancel()
        connection, self._cluster = self._cluster, None
        if connection is None:
            return
        import ray

        with suppress(Exception):
            async with asyncio.timeout(END_S):
                await asyncio.gather(*(g.actor.close.remote() for g in self._groups), return_exceptions=True)
        for group in self._groups:
            with suppress(Exception):
                ray.kill(group.actor)
        await asyncio.to_thread(connection.close)


class _GroupActor:
    """The actor of a group: some of the workers of one node."""

    def __init__(self, workers: int, memory_bytes: int, folder: str) -> None:
        with suppress(OSError):
            os.chdir(folder)  # where the user is, if that is a place here too: scorers may be named from there
        self._executor = LocalExecutor(workers, memory_bytes=memory_bytes)

    async def version(self) -> str:
        """Of this package, on this node."""
        return version_of("skythought")

    async def run(self, call: bytes) -> bytes:
        """The outcomes of a call."""
        function, items, timeout_s, prepare = pickle.loads(call)
        return pickle.dumps(await self._executor.call_each(function, items, timeout_s=timeout_s, prepare=prepare))

    async def close(self) -> None:
        """End the workers."""
        await self._executor.__aexit__(None, None, None)
