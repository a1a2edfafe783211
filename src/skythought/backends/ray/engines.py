"""The engines of the `ray` backend, seen from the head: placed, asked, listened to, replaced, ended."""

from __future__ import annotations

import asyncio
import os
import pickle
import re
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from skythought import cluster
from skythought.backends.ray import placement, replica
from skythought.backends.ray.args import RayArgs
from skythought.backends.ray.placement import Placement
from skythought.backends.ray.replica import BEAT_S
from skythought.backends.ray.sharing import Asked, Share, Sharing
from skythought.backends.vllm.answering import Completion
from skythought.backends.vllm.args import BATCH_INVARIANT, OPTION
from skythought.backends.vllm.engine import KEPT, NO_INVARIANCE, advice, needed_on_cpu
from skythought.backends.vllm.root_cause import KILLED, root_cause, why_dead
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

_REFUSAL = re.compile(r"Value error, (.+?)(?= \[type=|$)", re.DOTALL)
"""vLLM's own words in the error of pydantic that refuses an argument."""


class Place(Share):
    """One place for an engine, and the actor that is there now."""

    def __init__(self, group: Any, sharing: Sharing, batch_size: int) -> None:
        super().__init__()
        self.group = group
        self.actor: Any = None
        self.loading: float | None = None
        """For how many seconds its engine has been loading, if it is: waiting for room does not count."""
        self.over = False
        """Its engine cannot start here, so that it is tried no more."""
        self._sharing = sharing
        self._batch_size = batch_size
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def ready(self) -> bool:
        """Whether its engine runs, and has told something lately."""
        return self.slots > 0

    def send(self, piece: list[Asked]) -> None:
        for at in range(0, len(piece), self._batch_size):
            task = asyncio.create_task(self._send(piece[at : at + self._batch_size]))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, piece: list[Asked]) -> None:
        try:
            await self.actor.ask.remote(pickle.dumps([(one.number, one.tokens, one.sampling) for one in piece]))
        except Exception:  # noqa: BLE001 -- whatever it is, `news` tells what has become of the actor
            self._sharing.give_back(self, [one.number for one in piece])

    def drop(self, numbers: list[int]) -> None:
        self.actor.drop.remote(numbers)


class Engines:
    """The replicas on the cluster."""

    def __init__(self, args: RayArgs, model_id: str, *, say: Callable[[str], None]) -> None:
        """`say`: takes lines for the user."""
        self.context: int
        """Tokens that prompt and response may have together; known once `ready`."""
        self.ends: frozenset[int]
        """Tokens that end a sequence, by the model's generation config."""
        self.places: list[Place] = []
        self._args = args
        self._model_id = model_id
        self._say = say
        self._cluster: Cluster | None = None
        self._placement: Placement
        self._values: dict[str, Any]
        self._sharing = Sharing()
        self._tasks: set[asyncio.Task[None]] = set()
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
        self._placement = placement.plan(self._args, engine, self._cluster, is_cpu_build=_is_cpu_build)
        if self._placement.on_cpu:
            engine = self._on_cpu(engine)
        elif self._placement.executor is not None:
            engine["distributed_executor_backend"] = self._placement.executor
        self._values = {"disable_log_stats": True, **engine, "model": source}
        if self._over:
            self.close()
        return engine

    def _on_cpu(self, engine: dict[str, Any]) -> dict[str, Any]:
        """Engine arguments for the CPU, where the replicas of one machine share its memory."""
        engine = {name: value for name, value in engine.items() if name in self._args.engine_names}
        needed = needed_on_cpu(engine)
        if "kv_cache_memory_bytes" in needed:
            needed["kv_cache_memory_bytes"] //= self._args.num_replicas
        return needed | engine

    def start(self) -> None:
        """Let the replicas be placed and loaded, in the background."""
        replica.ship()
        self.places = [
            Place(self._placement.new_group(), self._sharing, self._args.batch_size)
            for _ in range(self._args.num_replicas)
        ]
        self._loop = asyncio.get_running_loop()
        environment = self._runtime_env()
        for each in self.places:
            self._begin(self._attend(each, environment))
        self._sharing.shares = self.places
        self._begin(self._watch())

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

    async def _attend(self, to: Place, environment: dict[str, Any] | None) -> None:
        """Keep an engine running in one place, and take its answers. Ends when that is hopeless."""
        import ray

        actor = ray.remote(**self._placement.options(to.group), max_concurrency=1000, runtime_env=environment)
        while self._sharing.fault is None and not to.over:
            to.actor = actor(replica.Replica).remote(self._values)
            self._starts += 1
            to.loading = 0.0
            try:
                facts, dead = await to.actor.start.remote()
                to.loading = None
                if facts is not None:
                    self.context, self.ends = facts[0], frozenset(facts[1])
                    why = await self._listen(to, slots=facts[2])
                elif (why := why_dead(*dead)) != KILLED:
                    self._not_started(to, *dead)
                    continue
                else:
                    why = f"did not start: {why}"
            except ray.exceptions.RayError as error:
                why = _why_lost(error)
            finally:
                to.slots = 0
                with suppress(Exception):
                    ray.kill(to.actor)
            to.dropped = []
            back = self._sharing.give_back(to, lost=True)
            self._say(f"a replica {why}. {back} requests that it had are asked again.")
            if self._starts >= MOST_STARTS * len(self.places):
                self._fail(
                    f"vLLM's engines on Ray were started {self._starts} times without an answer in between: something "
                    f"kills them, often a lack of memory on their node. {KEPT}"
                )
            await asyncio.sleep(RETRY_S)

    def _not_started(self, to: Place, said: str, log: str) -> None:
        """Its engine cannot start. Others may, on other nodes; if there are none, it is the end."""
        to.over = True
        checked = _REFUSAL.search(said)
        why = why_dead(checked[1] if checked else said, log)
        line = f"vLLM cannot start {self._model_id!r} on Ray: {why}{advice(why)}."
        if any(each.ready or (not each.over and _is_placed(each.group)) for each in self.places):
            self._say(f"{line} The other replicas go on.")
        else:
            self._fail(f"{line} {KEPT}")

    async def _listen(self, to: Place, slots: int) -> str:
        """Take what a replica tells, for as long as that goes well; returns why it does no more, in words.

        Waits are counted, not the clock, which runs on while this process or its machine stands still.
        """
        still, before = 0.0, 0
        while True:
            to.slots = slots
            self._changed.set()
            self._sharing.share_soon()
            coming = asyncio.ensure_future(_awaited(to.actor.news.remote()))
            try:
                unheard = 0.0
                while not (await asyncio.wait([coming], timeout=AWAY_S))[0]:
                    self._away(to)
                    if (unheard := unheard + AWAY_S) > self._args.silence:
                        return f"has told nothing for {self._args.silence:g} s"
                written, answers, dead = pickle.loads(await coming)
            finally:
                coming.cancel()
            if answers:
                self._starts = 0
                self._sharing.take(to, ((number, Completion(*rest)) for number, *rest in answers))
            if dead is not None:
                why = why_dead(*dead)
                return f"died: {why}{advice(why)}"
            still = still + BEAT_S if to.held and written == before and not answers else 0.0
            if still > self._args.silence:
                return f"hangs: it has written no token for {self._args.silence:g} s"
            before = written

    def _away(self, to: Place) -> None:
        """A replica is not heard. Others are asked for what it holds, if there are any; it may come back."""
        if to.ready and self.running > 1:
            to.slots = 0
            back = self._sharing.give_back(to)
            self._say(
                f"a replica was not heard for {AWAY_S:g} s; {back} requests that it has are asked again elsewhere."
            )

    async def _watch(self) -> None:
        """Say what waits for room, end what loads for ever, and give up where there will never be room."""
        while True:
            await asyncio.sleep(PATIENCE_S)
            await asyncio.to_thread(self._look)

    def _look(self) -> None:
        import ray

        assert self._cluster is not None
        waiting = 0
        for each in self.places:
            placed = each.over or each.ready or _is_placed(each.group)
            waiting += not placed
            if placed and each.loading is not None:
                each.loading += PATIENCE_S
                if each.loading > self._args.loading:
                    self._say(f"an engine has been loading for {self._args.loading:g} s, and is started again.")
                    ray.kill(each.actor)
        if waiting:
            count = f"{waiting} of {len(self.places)} replicas wait" if len(self.places) > 1 else "the replica waits"
            self._say(f"{count} for room on the cluster ({self._placement.what} each): it is in use.")
        if not self.running and self._cluster.lacks(self._placement.need._replace(replicas=1)) is not None:
            why = "Ray lost a node, and no other one can hold a replica"
            self._loop.call_soon_threadsafe(self._fail, f"{why}. {KEPT}")

    def _fail(self, line: str) -> None:
        self._sharing.fail(BackendError(line))
        self._changed.set()

    def _runtime_env(self) -> dict[str, Any] | None:
        """The user's runtime environment, and the `VLLM_` variables of this process."""
        env = dict(self._args.runtime_env)
        ours = {
            name: value for name, value in os.environ.items() if name.startswith("VLLM_") and not is_secretive(name)
        }
        if self._args.batch_invariant:
            if self._placement.on_cpu:
                self._say(NO_INVARIANCE)
            else:
                ours[BATCH_INVARIANT] = "1"
        if variables := {**ours, **(env.get("env_vars") or {})}:
            env["env_vars"] = variables
        return env or None

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside everything else; an error that nobody expected ends the run."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(f"Ray gave up: {root_cause(str(error)) or one_line(error)}. {KEPT}")

    def stop(self) -> None:
        """Nobody is listened to any more."""
        self._over = True
        for task in list(self._tasks):
            task.cancel()

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


async def _awaited(reference: Any) -> Any:
    return await reference


def _is_placed(group: Any) -> bool:
    import ray

    return bool(ray.util.placement_group_table(group)["state"] == "CREATED")


def _why_lost(error: BaseException) -> str:
    """What Ray tells of an actor that it lost, in words that go behind "a replica"."""
    import ray

    said = str(error)
    if isinstance(error, ray.exceptions.NodeDiedError) or "node" in said.lower() and "died" in said.lower():
        return "was lost with its node"
    if isinstance(error, ray.exceptions.ActorUnavailableError):
        return "was lost: it cannot be reached"
    if "killed by `ray.kill`" in said:
        return "was ended"
    return f"was lost: {(root_cause(said) or one_line(error)).rstrip('.')}"


def _is_cpu_build() -> bool:
    from vllm.platforms import current_platform

    return bool(current_platform.is_cpu())
