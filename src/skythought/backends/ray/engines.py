"""The engines of the `ray` backend, seen from the head: placed, asked, listened to, replaced, ended."""

from __future__ import annotations

import asyncio
import os
import pickle
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from skythought import cluster
from skythought.backends.ray import placement, replica
from skythought.backends.ray.args import RayArgs
from skythought.backends.ray.placement import Placement
from skythought.backends.ray.sharing import Share, Sharing
from skythought.backends.vllm.args import OPTION
from skythought.backends.vllm.engine import KEPT, advice, needed_on_cpu, variables
from skythought.backends.vllm.root_cause import KILLED, root_cause
from skythought.backends.weights import one_line
from skythought.cluster import Cluster
from skythought.config import is_secretive
from skythought.errors import BackendError

__all__ = ["Engines"]

AWAY_S = 10.0
"""A replica, which tells something every two seconds, counts as away when it has not for so long."""

LATECOMERS_S = 30.0
"""How long work waits for the other replicas once the first one runs, beside the time that the first one took."""

PATIENCE_S = 5.0
"""How long replicas may wait for room on the cluster before that is said."""

MOST_IN_A_ROW = 3
"""Engines lost in one place without a single answer of any in between, until that place is given up."""

RETRY_S = 1.0

WITH_ITS_NODE = "was lost with its node"


@dataclass(eq=False)
class Place(Share):
    """One place for an engine, and what the actor that is there now has of the requests."""

    group: Any = None
    """Its placement group."""
    over: bool = False
    """Its engine cannot start here, so that it is tried no more."""
    losses: int = 0
    """Of its engines, since the last answer of any."""
    unheard: float = 0.0
    """Seconds since its actor has told anything; while its engine loads, without those of waiting for room."""

    @property
    def ready(self) -> bool:
        """Whether its engine runs, and has told something lately."""
        return self.slots > 0

    def waits(self) -> bool:
        """Whether there is no room for it on the cluster, for now. Blocks."""
        import ray

        return not (self.over or self.ready) and ray.util.placement_group_table(self.group)["state"] != "CREATED"


class Engines:
    """The replicas on the cluster."""

    def __init__(self, args: RayArgs, model_id: str, *, say: Callable[[str], None]) -> None:
        """`say`: takes lines for the user."""
        self.context: int
        """Tokens that prompt and response may have together; known once `ready`."""
        self.ends: list[int]
        """Tokens that end a sequence, by the model's generation config."""
        self.places: list[Place] = []
        self._args = args
        self._model_id = model_id
        self._say = say
        self._cluster: Cluster | None = None
        self._placement: Placement
        self._values: dict[str, Any]
        self._sharing = Sharing(args.batch_size)
        self.ask = self._sharing.ask
        self._work: asyncio.Task[None] | None = None
        self._over = False
        self._changed = asyncio.Event()

    @property
    def running(self) -> int:
        """Replicas whose engine runs."""
        return sum(each.ready for each in self.places)

    def connect(self, source: str) -> dict[str, Any]:
        """Connect to the cluster, and see where the replicas of a model from `source` can be. Blocks.

        Returns:
            The engine's arguments as they suit this cluster: on CPUs some differ.

        Raises:
            UserError: There is no cluster, or it can never hold the replicas.
        """
        engine = self._args.engine_values()
        cpus = self._args.num_replicas * placement.workers_of(engine)
        self._cluster = cluster.connect(self._args.address, f"{OPTION} address", cpus=cpus)
        self._placement = placement.plan(self._args, engine, self._cluster)
        if self._placement.on_cpu:
            engine = {name: value for name, value in engine.items() if name in self._args.engine_names}
            needed = needed_on_cpu(engine)
            if "kv_cache_memory_bytes" in needed:  # of a machine that several replicas may share
                needed["kv_cache_memory_bytes"] //= self._args.num_replicas
            engine = needed | engine
        elif self._placement.executor is not None:
            engine["distributed_executor_backend"] = self._placement.executor
        self._values = {"disable_log_stats": True, **engine, "model": source}
        if self._over:
            self.close()
        return engine

    def start(self) -> None:
        """Let the replicas be placed and loaded, in the background."""
        replica.ship()
        self.places = [Place(group=self._placement.new_group()) for _ in range(self._args.num_replicas)]
        self._sharing.shares = self.places
        self._work = asyncio.create_task(self._attend_all(self._runtime_env()))

    async def ready(self) -> None:
        """Wait for the first engine, and for the others about as long again.

        Raises:
            BackendError: They do not come up.
        """
        began = time.monotonic()
        await self._until(lambda: self.running > 0)
        took = time.monotonic() - began
        with suppress(TimeoutError):
            async with asyncio.timeout(took + LATECOMERS_S):
                await self._until(lambda: all(each.ready or each.over for each in self.places))

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self._sharing.fault is not None:
                raise self._sharing.fault
            self._changed.clear()
            await self._changed.wait()

    async def _attend_all(self, environment: dict[str, Any]) -> None:
        """Keep engines running in all places; an error that nobody expected ends the run."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for each in self.places:
                    tasks.create_task(self._attend(each, environment))
        except* Exception as errors:  # noqa: BLE001 -- whatever Ray may raise
            error = errors.exceptions[0]
            self._fail(f"Ray gave up: {root_cause(str(error)) or one_line(error)}")

    async def _attend(self, to: Place, environment: dict[str, Any]) -> None:
        """Keep an engine running in one place, and take its answers. Ends when that is hopeless."""
        import ray

        actor = ray.remote(**self._placement.options(to.group), max_concurrency=1000, runtime_env=environment)
        while self._sharing.fault is None and not to.over:
            to.actor = actor(replica.Replica).remote(self._values, self._args.silence)
            try:
                facts, fault = await _until_done(to.actor.start.remote(), PATIENCE_S, lambda: self._look(to))
                if facts is not None:
                    self.context, self.ends, slots = facts
                    why = await self._listen(to, slots)
                elif fault == KILLED:
                    why = f"did not start: {fault}"
                else:
                    await self._give_up(to, f"vLLM cannot start {self._model_id!r} on Ray: {fault}{advice(fault)}")
                    continue
            except (ray.exceptions.RayError, TimeoutError) as error:
                why = _why_lost(error)
            finally:
                to.slots, to.unheard = 0, 0.0
                with suppress(Exception):
                    ray.kill(to.actor)
            back = self._sharing.give_back(to, lost=True)
            self._say(f"a replica {why}. {back} requests that it had are asked again.")
            to.losses += why != WITH_ITS_NODE  # until Ray has found another one, that may come several times
            if to.losses == MOST_IN_A_ROW:
                kills = "something kills its engine, often a lack of memory on the node"
                await self._give_up(
                    to, f"a replica was started {to.losses} times without an answer: {kills} (it {why})"
                )
            await asyncio.sleep(RETRY_S)

    async def _give_up(self, to: Place, why: str) -> None:
        """There can be no engine in this place. Others may start, on other nodes; if there are none, it is the end."""
        to.over = True
        if await asyncio.to_thread(lambda: any(not (each.over or each.waits()) for each in self.places)):
            self._say(f"{why}. The other replicas go on.")
        else:
            self._fail(why)

    async def _look(self, to: Place) -> None:
        """While one starts: say which wait for room on the cluster, and give up where there will never be any.

        Raises:
            TimeoutError: It has had room for too long.
        """
        assert self._cluster is not None
        need, lacks = self._placement.need, self._cluster.lacks
        waiting = await asyncio.to_thread(lambda: [each for each in self.places if each.waits()])
        if waiting and not self._cluster.started:  # one of our own has room, and is only slow
            one = len(self.places) == 1
            count = "the replica waits" if one else f"{len(waiting)} of {len(self.places)} replicas wait"
            self._say(
                f"{count} for room on the cluster ({need.what}{need.kind}{'' if one else ' each'}): it is in use."
            )
        if not self.running and await asyncio.to_thread(lambda: lacks(need._replace(replicas=1))) is not None:
            self._fail("Ray lost a node, and no other one can hold a replica")
        to.unheard += 0 if to in waiting else PATIENCE_S
        if to.unheard > self._args.loading:
            raise TimeoutError(f"has been loading its engine for {self._args.loading:g} s")

    async def _listen(self, to: Place, slots: int) -> str:
        """Take what a replica tells, for as long as that goes well; returns what is wrong then.

        Waits are counted, not the clock, which runs on while this process or its machine stands still.

        Raises:
            TimeoutError: It has told nothing for too long.
        """

        async def away() -> None:
            to.unheard += AWAY_S
            if to.unheard > self._args.silence:
                raise TimeoutError(f"has told nothing for {self._args.silence:g} s")
            if to.ready and self.running > 1:  # others can do what it holds; it may come back
                to.slots = 0
                back = self._sharing.give_back(to)
                self._say(
                    f"a replica was not heard for {AWAY_S:g} s; {back} requests that it has are asked again elsewhere."
                )

        while True:
            to.slots, to.unheard = slots, 0.0
            self._changed.set()
            self._sharing.share_soon()
            answers, fault = pickle.loads(await _until_done(to.actor.news.remote(), AWAY_S, away))
            if answers:
                self._sharing.take(to, answers)
                for each in self.places:
                    each.losses = 0
            if fault is not None:
                return f"{fault}{advice(fault)}"

    def _fail(self, why: str) -> None:
        self._sharing.fail(BackendError(f"{why}. {KEPT}"))
        self._changed.set()

    def _runtime_env(self) -> dict[str, Any]:
        """The user's runtime environment, and the `VLLM_` variables of this process."""
        ours = {
            name: value for name, value in os.environ.items() if name.startswith("VLLM_") and not is_secretive(name)
        }
        ours |= variables(self._args, on_cpu=self._placement.on_cpu, say=self._say)
        return {**self._args.runtime_env, "env_vars": ours | (self._args.runtime_env.get("env_vars") or {})}

    def stop(self) -> None:
        """Nobody is listened to any more."""
        self._over = True
        if self._work is not None:
            self._work.cancel()

    def close(self) -> None:
        """End the engines and disconnect. Blocks."""
        connection, self._cluster = self._cluster, None
        if connection is None:
            cluster.give_up_start()
            return
        import ray

        for each in self.places:
            with suppress(Exception):
                ray.kill(each.actor)
                ray.util.remove_placement_group(each.group)
        connection.close(keep_logs=self._sharing.fault is not None)


async def _until_done(work: Awaitable[Any], every_s: float, meanwhile: Callable[[], Awaitable[None]]) -> Any:
    """What `work` returns; every so many seconds until then, `meanwhile`."""
    coming = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([coming], timeout=every_s))[0]:
            await meanwhile()
        return await coming
    finally:
        coming.cancel()


def _why_lost(error: BaseException) -> str:
    """Why a replica is lost, in words that go behind "a replica"."""
    import ray

    said = str(error)
    if not isinstance(error, ray.exceptions.RayError):
        return said
    if isinstance(error, ray.exceptions.NodeDiedError) or "node" in said.lower() and "died" in said.lower():
        return WITH_ITS_NODE
    if isinstance(error, ray.exceptions.ActorUnavailableError):
        return "was lost: it cannot be reached"
    if "killed by `ray.kill`" in said:
        return "was ended"
    return f"was lost: {(root_cause(said) or one_line(error)).rstrip('.')}"
