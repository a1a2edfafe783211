"""The engines of the `ray` backend, seen from the head: placed, asked, listened to, replaced, ended."""

from __future__ import annotations

import asyncio
import os
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from skythought import cluster
from skythought.backends.ray import placement, replica
from skythought.backends.ray.args import RayArgs
from skythought.backends.ray.placement import Placement
from skythought.backends.ray.sharing import Share, Sharing
from skythought.backends.vllm.answering import Completion
from skythought.backends.vllm.args import OPTION
from skythought.backends.vllm.engine import KEPT, advice, needed_on_cpu, variables
from skythought.backends.vllm.root_cause import root_cause
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

MOST_STARTS = 3
"""Starts of each engine without a single answer of any in between, until we give up."""

RETRY_S = 1.0


@dataclass(eq=False)
class Place(Share):
    """One place for an engine, and what the actor that is there now has of the requests."""

    group: Any = None
    """Its placement group."""
    over: bool = False
    """Its engine cannot start here, so that it is tried no more."""

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
        self._work: asyncio.Task[None] | None = None
        self._over = False
        self._starts = 0
        """Since the last answer."""
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
        self._work = asyncio.create_task(self._attend_all())

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

    async def ask(self, tokens: Sequence[int], sampling: Mapping[str, Any]) -> Completion:
        """See `Sharing.ask`."""
        return await self._sharing.ask(tokens, sampling)

    async def _attend_all(self) -> None:
        """Keep engines running in all places; an error that nobody expected ends the run."""
        try:
            async with asyncio.TaskGroup() as tasks:
                environment = self._runtime_env()
                for each in self.places:
                    tasks.create_task(self._attend(each, environment))
                tasks.create_task(self._watch())
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
                facts, why_dead = await to.actor.start.remote()
                if facts is None:
                    await self._not_started(to, why_dead)
                    continue
                self.context, self.ends, slots = facts
                self._count_start()
                why = await self._listen(to, slots)
            except ray.exceptions.RayError as error:
                why = _why_lost(error)
            finally:
                to.slots = 0
                with suppress(Exception):
                    ray.kill(to.actor)
            back = self._sharing.give_back(to, lost=True)
            self._say(f"a replica {why}. {back} requests that it had are asked again.")
            await asyncio.sleep(RETRY_S)

    def _count_start(self) -> None:
        self._starts += 1
        if self._starts > MOST_STARTS * len(self.places):
            self._fail(
                f"vLLM's engines on Ray were started {self._starts} times without an answer in between: something "
                "kills them, often a lack of memory on their node"
            )

    async def _not_started(self, to: Place, why: str) -> None:
        """Its engine cannot start. Others may, on other nodes; if there are none, it is the end."""
        to.over = True
        line = f"vLLM cannot start {self._model_id!r} on Ray: {why}{advice(why)}"
        others = [each for each in self.places if not each.over]
        if any([each.ready or not await asyncio.to_thread(each.waits) for each in others]):
            self._say(f"{line}. The other replicas go on.")
        else:
            self._fail(line)

    async def _listen(self, to: Place, slots: int) -> str:
        """Take what a replica tells, for as long as that goes well; returns why it does no more, in words.

        Waits are counted, not the clock, which runs on while this process or its machine stands still.
        """
        while True:
            to.slots = slots
            self._changed.set()
            self._sharing.share_soon()
            coming = asyncio.ensure_future(to.actor.news.remote())
            try:
                unheard = 0.0
                while not (await asyncio.wait([coming], timeout=AWAY_S))[0]:
                    self._away(to)
                    if (unheard := unheard + AWAY_S) > self._args.silence:
                        return f"has told nothing for {self._args.silence:g} s"
                answers, fault = pickle.loads(await coming)
            finally:
                coming.cancel()
            self._starts = 0 if answers else self._starts
            self._sharing.take(to, answers)
            if fault is not None:
                return f"{fault}{advice(fault)}"

    def _away(self, to: Place) -> None:
        """A replica is not heard. Others are asked for what it holds, if there are any; it may come back."""
        if to.ready and self.running > 1:
            to.slots = 0
            back = self._sharing.give_back(to)
            self._say(
                f"a replica was not heard for {AWAY_S:g} s; {back} requests that it has are asked again elsewhere."
            )

    async def _watch(self) -> None:
        """Say what waits for room on the cluster, and give up where there will never be any."""
        while True:
            await asyncio.sleep(PATIENCE_S)
            waiting, lack = await asyncio.to_thread(self._look)
            if waiting:
                one = len(self.places) == 1
                count = "the replica waits" if one else f"{waiting} of {len(self.places)} replicas wait"
                what = f"{self._placement.what}{'' if one else ' each'}"
                self._say(f"{count} for room on the cluster ({what}): it is in use.")
            if lack is not None and not self.running:
                self._fail("Ray lost a node, and no other one can hold a replica")

    def _look(self) -> tuple[int, str | None]:
        """How many replicas wait for room, and why the cluster can never hold one. Blocks."""
        assert self._cluster is not None
        waiting = sum(each.waits() for each in self.places)
        return waiting, self._cluster.lacks(self._placement.need._replace(replicas=1))

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


def _why_lost(error: BaseException) -> str:
    """What Ray tells of an actor that it lost, in words that go behind "a replica"."""
    import ray

    said = str(error)
    if isinstance(error, ray.exceptions.NodeDiedError) or "node" in said.lower() and "died" in said.lower():
        return "was lost with its node"
    return f"was lost: {root_cause(said) or one_line(error)}"
