"""The engines of the `ray` backend, seen from the head: placed, asked, listened to, replaced, ended."""

from __future__ import annotations

import asyncio
import itertools
import os
import pickle
import re
import time
from array import array
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from skythought import cluster
from skythought.backends.ray import placement, replica
from skythought.backends.ray.args import RayArgs
from skythought.backends.ray.placement import Placement
from skythought.backends.ray.replica import Answer, Asked, News
from skythought.backends.vllm.args import BATCH_INVARIANT, OPTION
from skythought.backends.vllm.engine import NO_INVARIANCE, advice, needed_on_cpu
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

MOST_LOSSES = 10
"""Engines that may be lost with a request until it counts as one that kills them."""

RETRY_S = 1.0

ROUNDS = 2
"""Requests that a replica holds at most, in times of what it works on; the others wait here for whoever is free."""

KEPT = " What was answered is kept; --resume goes on."

_REFUSAL = re.compile(r"Value error, (.+?)(?= \[type=|$)", re.DOTALL)
"""vLLM's own words in the error of pydantic that refuses an argument."""


@dataclass(eq=False)
class Replica:
    """One place for an engine, and the actor that is there now."""

    group: Any
    actor: Any = None
    ready: bool = False
    """It has told something lately."""
    over: bool = False
    """Its engine cannot start here, so that it is tried no more."""
    room: int = 0
    held: set[int] = field(default_factory=set)
    """Requests it was asked and has not answered."""
    outbox: list[int] = field(default_factory=list)
    """Of these, what is to be sent."""
    dropped: list[int] = field(default_factory=list)
    tokens: int = 0
    worked: float = 0.0
    """When it last wrote a token, or held nothing."""


@dataclass(eq=False)
class Pending:
    """A request that somebody waits for."""

    asked: Asked
    answer: asyncio.Future[Answer]
    losses: int = 0
    """Engines that were lost with it."""

    def settle(self, answer: Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class Engines:
    """The replicas on the cluster."""

    def __init__(self, args: RayArgs, model_id: str, *, say: Callable[[str], None]) -> None:
        """`say`: takes lines for the user."""
        self.context: int
        """Tokens that prompt and response may have together; known once `ready`."""
        self.ends: frozenset[int]
        """Tokens that end a sequence, by the model's generation config."""
        self.replicas: list[Replica] = []
        self._args = args
        self._model_id = model_id
        self._say = say
        self._cluster: Cluster | None = None
        self._placement: Placement
        self._values: dict[str, Any]
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = itertools.count()
        self._open: dict[int, Pending] = {}
        self._waiting: deque[int] = deque()
        """Requests that no replica holds."""
        self._sharing = False
        self._fault: BackendError | None = None
        self._starts = 0
        """Since the last answer."""
        self._changed = asyncio.Event()

    @property
    def running(self) -> int:
        """Replicas whose engine runs."""
        return sum(each.ready for each in self.replicas)

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
        self.replicas = [Replica(self._placement.new_group()) for _ in range(self._args.num_replicas)]
        self._loop = asyncio.get_running_loop()
        environment = self._runtime_env()
        for each in self.replicas:
            self._begin(self._attend(each, environment))
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
                await self._until(lambda: all(each.ready or each.over for each in self.replicas))

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if self._fault is not None:
                raise self._fault
            self._changed.clear()
            await self._changed.wait()

    async def ask(self, tokens: Sequence[int], sampling: Mapping[str, Any]) -> Answer:
        """What an engine makes of a prompt. Cancelled, it takes the request back.

        Raises:
            BackendError: The engines are gone for good.
        """
        if self._fault is not None:
            raise self._fault
        number = next(self._numbers)
        pending = Pending(Asked(number, array("i", tokens), sampling), asyncio.get_running_loop().create_future())
        self._open[number] = pending
        self._waiting.append(number)
        self._share_soon()
        try:
            return await pending.answer
        finally:
            if self._open.pop(number, None) is not None:
                for each in self.replicas:
                    if number in each.held:
                        each.held.discard(number)
                        each.dropped.append(number)
                self._share_soon()

    def _share_soon(self) -> None:
        """Share out what waits when this turn of the loop is over, so that it goes in few pieces."""
        if not self._sharing:
            self._sharing = True
            asyncio.get_running_loop().call_soon(self._share)

    def _share(self) -> None:
        """Give what waits to the replicas, the one that holds least first."""
        self._sharing = False
        free = [each for each in self.replicas if each.ready and len(each.held) < each.room]
        while self._waiting and free:
            number = self._waiting.popleft()
            if number in self._open:
                least = min(free, key=lambda each: len(each.held))
                least.held.add(number)
                least.outbox.append(number)
                if len(least.held) >= least.room:
                    free.remove(least)
        for each in self.replicas:
            numbers, each.outbox = each.outbox, []
            for start in range(0, len(numbers), self._args.batch_size):
                self._begin(self._send(each, numbers[start : start + self._args.batch_size]))
            if each.dropped:
                each.actor.drop.remote(each.dropped)
                each.dropped = []

    async def _send(self, to: Replica, numbers: Sequence[int]) -> None:
        import ray

        asked = [tuple(self._open[number].asked) for number in numbers if number in self._open]
        try:
            await to.actor.ask.remote(pickle.dumps(asked))
        except ray.exceptions.RayError:
            self._give_back(to, numbers)

    def _give_back(self, of: Replica, numbers: Sequence[int]) -> int:
        """What a replica holds of these waits again, first in the line; returns how much that is."""
        back = [number for number in numbers if number in of.held]
        of.held.difference_update(back)
        self._waiting.extendleft(sorted(back, reverse=True))
        self._share_soon()
        return len(back)

    async def _attend(self, to: Replica, environment: dict[str, Any] | None) -> None:
        """Keep an engine running in one place, and take its answers. Ends when that is hopeless."""
        import ray

        actor = ray.remote(**self._placement.options(to.group), max_concurrency=1000, runtime_env=environment)
        while self._fault is None and not to.over:
            to.actor = actor(replica.Replica).remote(self._values)
            try:
                facts, dead = await to.actor.start.remote()
                if facts is None:
                    self._not_started(to, *dead)
                    continue
                self._arrived(to, *facts)
                why = await self._listen(to)
            except ray.exceptions.RayError as error:
                why = _why_lost(error)
            finally:
                to.ready = False
                with suppress(Exception):
                    ray.kill(to.actor)
            self._lost(to, why)
            await asyncio.sleep(RETRY_S)

    def _arrived(self, to: Replica, context: int, ends: list[int], slots: int) -> None:
        self.context, self.ends = context, frozenset(ends)
        to.ready, to.room, to.tokens, to.worked = True, ROUNDS * slots, 0, time.monotonic()
        self._starts += 1
        if self._starts > MOST_STARTS * len(self.replicas):
            self._fail(
                f"vLLM's engines on Ray were started {self._starts} times without an answer in between: something "
                "kills them, often a lack of memory on their node." + KEPT
            )
        self._changed.set()
        self._share_soon()

    def _not_started(self, to: Replica, said: str, log: str) -> None:
        """Its engine cannot start. Others may, on other nodes; if there are none, it is the end."""
        to.over = True
        checked = _REFUSAL.search(said)
        why = root_cause(log) or " ".join((checked[1] if checked else said).split())[:300]
        line = f"vLLM cannot start {self._model_id!r} on Ray: {why}{advice(why)}."
        if any(each.ready or (not each.over and _is_placed(each.group)) for each in self.replicas):
            self._say(f"{line} The other replicas go on.")
        else:
            self._fail(line + KEPT)

    async def _listen(self, to: Replica) -> str:
        """Take what a replica tells, for as long as that goes well; returns why it does no more, in words."""
        while True:
            coming = asyncio.ensure_future(_awaited(to.actor.news.remote()))
            try:
                heard = time.monotonic()
                while not (await asyncio.wait([coming], timeout=AWAY_S))[0]:
                    self._away(to)
                    if time.monotonic() - heard > self._args.silence:
                        return f"has told nothing for {self._args.silence:g} s"
                news = News(*pickle.loads(await coming))
            finally:
                coming.cancel()
            to.ready = True
            self._take(to, map(Answer._make, news.answers))
            if news.dead is not None:
                why = root_cause(news.dead[1]) or " ".join(news.dead[0].split())[:300]
                return f"died: {why}{advice(why)}"
            if news.tokens != to.tokens or news.answers or not to.held:
                to.tokens, to.worked = news.tokens, time.monotonic()
            elif time.monotonic() - to.worked > self._args.silence:
                return f"hangs: it has written no token for {self._args.silence:g} s"

    def _take(self, of: Replica, answers: Iterable[Answer]) -> None:
        """Hand answers to whoever waits for them. One that comes twice counts once: nobody waits for it any more."""
        for answer in answers:
            of.held.discard(answer.number)
            self._starts = 0
            if answer.number in self._open:
                self._open[answer.number].settle(answer)
        self._share_soon()

    def _away(self, to: Replica) -> None:
        """A replica is not heard. Others are asked for what it holds, if there are any; it may come back."""
        if to.ready and any(each.ready for each in self.replicas if each is not to):
            to.ready = False
            back = self._give_back(to, list(to.held))
            self._say(
                f"a replica was not heard for {AWAY_S:g} s; {back} requests that it has are asked again elsewhere."
            )

    def _lost(self, to: Replica, why: str) -> None:
        """A replica is gone, and will be started anew."""
        for pending in [self._open[number] for number in to.held if number in self._open]:
            pending.losses += 1
            if pending.losses == MOST_LOSSES:
                pending.settle(Answer(pending.asked.number, error=f"{MOST_LOSSES} engines were lost with this request"))
        back = self._give_back(to, list(to.held))
        to.outbox, to.dropped = [], []
        self._say(f"a replica {why}. {back} requests that it had are asked again.")

    async def _watch(self) -> None:
        """Say what waits for room on the cluster, and give up where there will never be any."""
        while True:
            await asyncio.sleep(PATIENCE_S)
            await asyncio.to_thread(self._look)

    def _look(self) -> None:
        assert self._cluster is not None
        waiting = sum(not each.over and not each.ready and not _is_placed(each.group) for each in self.replicas)
        if waiting:
            count = (
                f"{waiting} of {len(self.replicas)} replicas wait" if len(self.replicas) > 1 else "the replica waits"
            )
            self._say(f"{count} for room on the cluster ({self._placement.what} each): it is in use.")
        if not self.running and self._cluster.lacks(self._placement.need._replace(replicas=1)) is not None:
            self._loop.call_soon_threadsafe(self._fail, "Ray lost a node, and no other one can hold a replica." + KEPT)

    def _fail(self, line: str) -> None:
        """Nothing more will be answered."""
        self._fault = self._fault or BackendError(line)
        for pending in self._open.values():
            if not pending.answer.done():
                pending.answer.set_exception(self._fault)
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
            self._fail(f"Ray gave up: {root_cause(str(error)) or one_line(error)}.{KEPT}")

    def stop(self) -> None:
        """Nobody is listened to any more."""
        for task in list(self._tasks):
            task.cancel()

    def close(self) -> None:
        """End the engines and disconnect. Blocks."""
        connection, self._cluster = self._cluster, None
        if connection is None:
            return
        import ray

        for each in self.replicas:
            with suppress(Exception):
                ray.kill(each.actor)
                ray.util.remove_placement_group(each.group)
        self.replicas = []
        connection.close()


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
    return f"was lost: {root_cause(said) or one_line(error)}"


def _is_cpu_build() -> bool:
    from vllm.platforms import current_platform

    return bool(current_platform.is_cpu())
