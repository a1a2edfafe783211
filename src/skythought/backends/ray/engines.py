"""The engines of the `ray` backend, seen from the head: started, sent requests, listened to, ended."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from skythought import cluster
from skythought.backends.ray import stage
from skythought.backends.ray.args import RayArgs
from skythought.backends.vllm.args import BATCH_INVARIANT, OPTION
from skythought.backends.vllm.engine import NO_INVARIANCE, advice, needed_on_cpu
from skythought.backends.vllm.root_cause import root_cause
from skythought.backends.weights import one_line
from skythought.cluster import Cluster, Need
from skythought.config import is_secretive
from skythought.errors import BackendError, UserError

__all__ = ["Answer", "Engines"]

WATCH_S = 5.0
"""How often the head looks whether nodes were lost."""

LATECOMERS_S = 30.0
"""How long work waits for the other replicas once the first one runs, beside the time that the first one took."""

MOST_STARTS = 3
"""Starts of an engine for each replica without a single answer in between, until we give up."""

END_S = 10.0
"""How long the replicas may take to end their engines."""

_REFUSAL = re.compile(r"Value error, (.+?)(?= \[type=|$)", re.DOTALL)
"""vLLM's own words in the error of pydantic that refuses an argument."""

KEPT = " What was answered is kept; --resume goes on."


class Answer(NamedTuple):
    """What an engine made of one request."""

    number: int
    tokens: Sequence[int]
    seconds: float
    error: str | None


class Engines:
    """The replicas on the cluster. Methods without `async` block: call them in a thread."""

    def __init__(self, args: RayArgs, model_id: str, *, at_once: int, say: Callable[[str], None]) -> None:
        """
        Args:
            at_once: Batches that one replica may have begun.
            say: Takes lines for the user.
        """
        self.context: int
        """Tokens that prompt and response may have together; known once `ready`."""
        self.ends: frozenset[int]
        """Tokens that end a sequence, by the model's generation config."""
        self._args = args
        self._model_id = model_id
        self._at_once = at_once
        self._say = say
        self._cluster: Cluster | None = None
        self._need_of_one: Need
        self._mailbox: Any = None
        self._pump: threading.Thread | None = None
        self._fault: BaseException | None = None
        self._actors: dict[str, Any] = {}
        self._starts = 0
        """Of engines, since the last answer."""
        self._last_failure: tuple[str, str] | None = None
        self._dead: set[str] = set()
        self._watched = 0.0

    @property
    def running(self) -> int:
        """Replicas that have come up."""
        return len(self._actors)

    def connect(self) -> dict[str, Any]:
        """Connect to the cluster, and check that it can hold the replicas.

        Returns:
            The engine's arguments as they suit this cluster: on CPUs some differ.

        Raises:
            UserError: There is no cluster, or it can never hold the replicas.
        """
        engine = self._args.engine_values()
        workers = int(engine.get("tensor_parallel_size") or 1) * int(engine.get("pipeline_parallel_size") or 1)
        cpus = self._args.num_replicas * workers
        self._cluster = cluster.connect(self._args.address, f"{OPTION} address", cpus=cpus)
        self._dead = self._cluster.dead_nodes()
        self._cpu = self._check_resources(engine, workers)
        return self._on_cpu(engine) if self._cpu else engine

    def _check_resources(self, engine: Mapping[str, Any], workers: int) -> bool:
        """Whether the engines run on CPUs.

        Raises:
            UserError: The cluster can never hold the replicas.
        """
        assert self._cluster is not None
        need = self._need(engine, workers)
        gpus = sum(node.get("GPU", 0) for node in self._cluster.nodes())
        if not gpus and _is_cpu_build():
            if workers > 1:
                raise UserError(
                    f"--backend ray: {cluster.shortage(need, self._cluster.nodes())}. vLLM's build for the CPU is "
                    f"installed, which runs without any: {OPTION} tensor_parallel_size=1."
                )
            need = need._replace(each={"CPU": 1})
        lack = self._cluster.lacks(need)
        if lack is not None:
            raise UserError(f"--backend ray: {lack} ({self._cluster.where}).{self._fitting(need)}")
        self._need_of_one = need._replace(replicas=1)
        return "GPU" not in need.each

    def _need(self, engine: Mapping[str, Any], workers: int) -> Need:
        """What Ray's stage will ask for: by vLLM's executor on Ray a bundle a worker, else one for all of them."""
        executor = engine.get("distributed_executor_backend") or ("uni" if workers == 1 else "ray")
        kind = self._args.accelerator_type
        if executor == "ray":
            return Need(self._args.num_replicas, workers, {"GPU": 1, "CPU": 1}, kind)
        return Need(self._args.num_replicas, 1, {"GPU": workers, "CPU": 1}, kind)

    def _fitting(self, need: Need) -> str:
        """Arguments that would fit, for the end of a message."""
        assert self._cluster is not None
        for replicas in range(need.replicas - 1, 0, -1):
            if self._cluster.lacks(need._replace(replicas=replicas)) is None:
                return f" {OPTION} num_replicas={replicas} would fit."
        for workers in (4, 2, 1):
            if workers < need.workers and self._cluster.lacks(need._replace(replicas=1, workers=workers)) is None:
                return f" {OPTION} num_replicas=1,tensor_parallel_size={workers} would fit."
        return ""

    def _on_cpu(self, engine: dict[str, Any]) -> dict[str, Any]:
        """Engine arguments for the CPU, where the replicas of one machine share its memory."""
        engine = {name: value for name, value in engine.items() if name in self._args.engine_names}
        needed = needed_on_cpu(engine)
        if "kv_cache_memory_bytes" in needed:
            needed["kv_cache_memory_bytes"] //= self._args.num_replicas
        return needed | engine

    def start(self, source: str, engine: Mapping[str, Any]) -> None:
        """Start Ray Data with a model from `source`; the engines load in the background."""
        import ray
        from ray.data import DataContext
        from ray.data.llm import build_processor, vLLMEngineProcessorConfig

        assert self._cluster is not None
        stage.ship()
        here = self._cluster.here()
        self._mailbox = ray.remote(**here, max_concurrency=10_000)(stage.Mailbox).remote()
        config = vLLMEngineProcessorConfig(
            model_source=source,
            engine_kwargs={"disable_log_stats": True, **engine},
            batch_size=1,  # a row is a batch of ours
            concurrency=(self._args.num_replicas, self._args.num_replicas),
            max_concurrent_batches=self._at_once,
            max_tasks_in_flight_per_actor=self._at_once,
            accelerator_type=None if self._cpu else self._args.accelerator_type,
            placement_group_config={"bundles": [{"CPU": 1}]} if self._cpu else None,
            runtime_env=self._runtime_env(),
            log_engine_metrics=False,  # wants Ray Serve
            should_continue_on_error=True,
            chat_template_stage=False,
            tokenize_stage=False,
            detokenize_stage=False,
        )
        context = DataContext.get_current().copy()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.max_consecutive_actor_init_deaths = self._args.num_replicas - 1  # all of them fail: it is not the nodes
        context.target_max_block_size = 1  # a row is handed on when it is there, not when there are 128 MiB
        with DataContext.current(context), cluster.quiet():
            processor = build_processor(
                config,
                postprocess=stage.nothing,
                preprocess_map_kwargs=here,
                postprocess_map_kwargs={"num_cpus": 0},
            )
            for name, plain in processor.stages.items():
                processor.stages[name] = stage.make_stage(plain, self._mailbox)
            batches = ray.data.read_datasource(stage.make_source(self._mailbox), override_num_blocks=1, **here)
            answered = processor(batches)
        self._pump = threading.Thread(target=self._drive, args=(answered,), daemon=True, name="skythought-ray")
        self._pump.start()

    def _runtime_env(self) -> dict[str, Any] | None:
        """The user's runtime environment, and the `VLLM_` variables of this process."""
        env = dict(self._args.runtime_env)
        ours = {
            name: value for name, value in os.environ.items() if name.startswith("VLLM_") and not is_secretive(name)
        }
        if self._args.batch_invariant:
            if self._cpu:
                self._say(NO_INVARIANCE)
            else:
                ours[BATCH_INVARIANT] = "1"
        if variables := {**ours, **(env.get("env_vars") or {})}:
            env["env_vars"] = variables
        return env or None

    def _drive(self, answered: Any) -> None:
        """Run Ray Data until its end, in a thread. What it yields is empty: answers come through the mailbox."""
        cluster.quieten()
        try:
            for _ in answered.iter_batches(batch_size=None, prefetch_batches=0):
                pass
        except BaseException as error:  # noqa: BLE001 -- raised again by whoever waits for answers
            self._fault = error

    async def answers(self) -> list[Answer]:
        """The answers since the last call; waits a few seconds if there is none yet.

        Raises:
            BackendError: Ray or the engines have given up.
        """
        import ray

        try:
            events = await self._mailbox.events.remote()
        except ray.exceptions.RayError as error:
            raise self._death(error) from error
        answers = []
        for kind, subject, *details in events:
            if kind == "answer":
                self._starts = 0
                answers.append(Answer(subject, **details[0]))
            elif kind == "arrived":
                self._arrived(subject, details[0])
            elif kind == "failed":
                self._last_failure = (details[0], details[1])
        if time.monotonic() - self._watched >= WATCH_S:
            self._watched = time.monotonic()
            await asyncio.to_thread(self._watch)
        if self._fault is not None and not answers:  # what has been answered is to be kept first
            raise self._death(self._fault) from self._fault
        return answers

    async def ready(self) -> None:
        """Wait for the first engine, and for the others about as long again.

        Raises:
            BackendError: They do not come up.
        """
        began = time.monotonic()
        patience = float("inf")
        while self.running < self._args.num_replicas and time.monotonic() - began < patience:
            await self.answers()
            if self.running and patience == float("inf"):
                patience = 2 * (time.monotonic() - began) + LATECOMERS_S

    async def put(self, numbers: Sequence[int], batch: bytes) -> None:
        """Send a batch of requests, pickled as `stage.Replica` reads it."""
        await self._mailbox.put.remote(list(numbers), batch)

    async def drop(self, numbers: Iterable[int]) -> None:
        """Nobody waits for these any more."""
        with suppress(Exception):
            await self._mailbox.drop.remote(list(numbers))

    def _arrived(self, replica: str, facts: dict[str, Any]) -> None:
        """Note an engine that has started, for the first time or again."""
        self._actors[replica] = facts["actor"]
        self.context, self.ends = facts["max_model_len"], frozenset(facts["ends"])
        self._last_failure = None
        self._starts += 1
        if self._starts > MOST_STARTS * self._args.num_replicas:
            self._fault = BackendError(
                f"vLLM's engines on Ray were started {self._starts} times without an answer in between: something "
                "kills them, often a lack of memory on their node." + KEPT
            )

    def _watch(self) -> None:
        """Offer the requests of lost nodes to other ones; give up if no node is left that can hold a replica."""
        import ray

        assert self._cluster is not None
        lost = self._cluster.dead_nodes() - self._dead
        if not lost:
            return
        self._dead |= lost
        offered = ray.get(self._mailbox.lost.remote(list(lost)))
        if self._cluster.lacks(self._need_of_one) is not None:
            self._fault = BackendError("Ray lost a node, and no other one can hold a replica." + KEPT)
            return
        self._say(f"Ray lost a node; {offered} requests that it may have had are asked again elsewhere.")

    def _death(self, error: BaseException) -> BackendError:
        """The error for engines that Ray has given up on; one line that names the cause."""
        if isinstance(error, BackendError):
            return error
        if self._last_failure is not None:
            said, log = self._last_failure
            checked = _REFUSAL.search(said)
            why = root_cause(log) or " ".join((checked[1] if checked else said).split())[:300]
            return BackendError(f"vLLM cannot start {self._model_id!r} on Ray: {why}{advice(why)}.{KEPT}")
        why = root_cause(str(error)) or one_line(error)
        return BackendError(f"Ray gave up: {' '.join(why.split())}.{KEPT}")

    def stop(self, *, idle: bool) -> None:
        """End the engines and disconnect. `idle`: they have nothing to do, so that they can end by themselves first."""
        connection, self._cluster = self._cluster, None
        mailbox, self._mailbox = self._mailbox, None
        if connection is None:
            return
        import ray

        with suppress(Exception):
            if mailbox is not None:
                ray.get(mailbox.close.remote(), timeout=END_S)
                if self._pump is not None and idle:
                    self._pump.join(END_S)
                for actor in self._actors.values():
                    ray.kill(actor)
                ray.kill(mailbox)
                if self._pump is not None:
                    self._pump.join(END_S)
        self._actors.clear()
        connection.close()


def _is_cpu_build() -> bool:
    from vllm.platforms import current_platform

    return bool(current_platform.is_cpu())
