"""The workers of `LocalExecutor` on the nodes of a Ray cluster: the same processes and deadlines, the same verdicts.

Each node has actors ("stations") that take its free logical CPUs, a few at a time, and run a `LocalExecutor` of as many
workers. A call goes to a station that has room. If its node is lost, it goes to another.

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

MOST_CPUS = 8
"""Of one station: where a node is in use, those that fit beside it still find room."""

AHEAD = 2
"""Calls sent to a station for each of its workers, so that none waits for the network."""

TRIES = 4
"""How many stations may be lost with a call until it counts as one that kills nodes."""

END_S = 10.0

T = TypeVar("T")


@dataclass(eq=False)
class Station:
    """An actor on some node, as seen from here."""

    actor: Any
    size: int
    """Its workers."""
    life: int = 0
    """Counts how often it was lost; what comes from a former life is no news."""


class Place(NamedTuple):
    """Room for one call at a station."""

    station: Station
    life: int


class RayExecutor(Executor):
    """Killable workers on a Ray cluster. Use as `async with RayExecutor(address) as executor`."""

    def __init__(self, address: str | None = None, *, memory_bytes: int = 4 << 30) -> None:
        """`address`: see `cluster.connect`. `memory_bytes`: address space of each worker."""
        self.workers = 0
        self._address = address
        self._memory_bytes = memory_bytes
        self._cluster: Cluster | None = None
        self._stations: list[Station] = []
        self._openings: set[asyncio.Task[None]] = set()
        self._places: asyncio.Queue[Place | SkythoughtError] = asyncio.Queue()
        """Where there is room, or why there will never be."""
        self._hopeless = 0
        """Stations that can never be opened."""

    @classmethod
    def at(cls, address: str | None) -> Self:
        """`address`: see `cluster.connect`. Raises UserError if Ray is not installed."""
        if importlib.util.find_spec("ray") is None:
            raise UserError("--executor ray needs the package 'ray': pip install 'skythought[ray]'.")
        return cls(address)

    async def __aenter__(self) -> Self:
        try:
            sizes = await asyncio.to_thread(self._connect)
            self.workers = AHEAD * sum(sizes)
            self._stations = [Station(self._make(size), size) for size in sizes]
            for station in self._stations:
                self._start_opening(station)
            self._places.put_nowait(await self._place())  # so that what is wrong with the nodes shows now
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
        """`function(*item)` for several items by one worker, in order. See `Executor.call_each`.

        Raises:
            BackendError: No node can run workers any more.
        """
        import ray

        frame = pickle.dumps((function, list(items), timeout_s, prepare))
        for _ in range(TRIES):
            place = await self._place()
            try:
                outcomes: list[Outcome[T]] = pickle.loads(await place.station.actor.run.remote(frame))
                return outcomes
            except ray.exceptions.RayError:
                self._lose(place)
            finally:
                self._put_back(place)
        return [Outcome("died", None, f"the node that ran it was lost, {TRIES} times")] * len(items)

    def _connect(self) -> list[int]:
        """Connect; the size of each station."""
        self._cluster = cluster.connect(self._address, "--ray-address")
        sizes = []
        for node in self._cluster.nodes():
            cpus = int(node.get("CPU", 0))
            sizes += [min(MOST_CPUS, cpus - start) for start in range(0, cpus, MOST_CPUS)]
        if not sizes:
            raise UserError("--executor ray: no node of the cluster has a logical CPU; scoring takes one a worker.")
        return sizes

    def _make(self, size: int) -> Any:
        import ray

        options: dict[str, Any] = {"num_cpus": size, "max_restarts": -1, "max_concurrency": 1000}
        return ray.remote(**options)(_Workers).remote(size, self._memory_bytes, str(Path.cwd()))

    def _start_opening(self, station: Station) -> None:
        task = asyncio.ensure_future(self._open(station))
        self._openings.add(task)
        task.add_done_callback(self._openings.discard)

    async def _open(self, station: Station) -> None:
        """Offer a station's places once it is there, which may be long after: its node may be busy, or gone."""
        import ray

        while True:
            try:
                version = await station.actor.version.remote()
            except ray.exceptions.ActorUnavailableError:
                await asyncio.sleep(1)
            except ray.exceptions.RayError as error:
                why = " ".join(str(error.__cause__ or error).split())[-300:]
                return self._give_up(BackendError(f"--executor ray: no worker can be started on the nodes: {why}"))
            else:
                break
        if version != (ours := version_of("skythought")):
            return self._give_up(UserError(f"--executor ray: a node has skythought {version}, this is {ours}."))
        for _ in range(AHEAD * station.size):
            self._places.put_nowait(Place(station, station.life))
        return None

    def _give_up(self, error: SkythoughtError) -> None:
        """One station will never come; without any, calls must not wait for ever."""
        self._hopeless += 1
        if self._hopeless == len(self._stations):
            self._places.put_nowait(error)

    async def _place(self) -> Place:
        while True:
            place = await self._places.get()
            if isinstance(place, SkythoughtError):
                self._places.put_nowait(place)
                raise place
            if place.life == place.station.life:
                return place

    def _put_back(self, place: Place) -> None:
        if place.life == place.station.life:
            self._places.put_nowait(place)

    def _lose(self, place: Place) -> None:
        """A station went, mostly with its node: its places are offered again when Ray has started it elsewhere."""
        if place.life == place.station.life:
            place.station.life += 1
            self._start_opening(place.station)

    async def _close(self) -> None:
        for task in list(self._openings):
            task.cancel()
        connection, self._cluster = self._cluster, None
        if connection is None:
            return
        import ray

        with suppress(Exception):
            async with asyncio.timeout(END_S):
                await asyncio.gather(*(s.actor.close.remote() for s in self._stations), return_exceptions=True)
        for station in self._stations:
            with suppress(Exception):
                ray.kill(station.actor)
        await asyncio.to_thread(connection.close)


class _Workers:
    """An actor: some of the workers of one node."""

    def __init__(self, workers: int, memory_bytes: int, folder: str) -> None:
        with suppress(OSError):
            os.chdir(folder)  # where the user is, if that is a place here too: scorers may be named from there
        self._executor = LocalExecutor(workers, memory_bytes=memory_bytes)

    async def version(self) -> str:
        """Of this package, on this node."""
        return version_of("skythought")

    async def run(self, frame: bytes) -> bytes:
        """The outcomes of a call."""
        function, items, timeout_s, prepare = pickle.loads(frame)
        return pickle.dumps(await self._executor.call_each(function, items, timeout_s=timeout_s, prepare=prepare))

    async def close(self) -> None:
        """End the workers."""
        await self._executor.__aexit__(None, None, None)
