"""Models run by vLLM on a Ray cluster: Ray Data's own LLM stage, over any number of replicas and nodes.

Prompts become tokens on the head, and tokens become text there, as in the `vllm` backend: what the engines are asked
is the same, so the answers are. `_ray_stage.py` tells how requests and answers travel.

Tested with Ray 2.60 and vLLM 0.32.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import re
import threading
import time
from array import array
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self

from skythought import cluster
from skythought.backends import _ray_stage
from skythought.backends._chat import Chat, Prompt, room_for
from skythought.backends._pretrained import reason
from skythought.backends._ray_args import RayArgs, check_ray_args, flat
from skythought.backends._vllm_args import BATCH_INVARIANT, OPTION, reproducible_engine_args
from skythought.backends._vllm_process import root_cause
from skythought.backends.base import Backend, BackendArgs
from skythought.backends.vllm import VLLMBackend, _advice, _as_set, _needed_on_cpu, _silence, _source
from skythought.cluster import Cluster, Need
from skythought.config import ModelConfig, is_secretive
from skythought.errors import BackendError, SkythoughtError, UserError
from skythought.types import Request, Response

__all__ = ["RayBackend"]

WATCH_S = 5.0
"""How often the head looks whether nodes were lost."""

LATECOMERS_S = 30.0
"""How long work waits for the other replicas once the first one runs, beyond the time that that one took."""

MOST_STARTS = 3
"""Starts of an engine for each replica without a single answer in between, until we give up."""

END_S = 10.0
"""How long the replicas may take to end their engines."""

_PARAMETER = re.compile(r"parameter=(\w+)")


class Pending(NamedTuple):
    """A request that is on its way."""

    request: Request
    prompt: Prompt
    limit: int


class RayBackend(Backend):
    """vLLM on a Ray cluster, this process being its head."""

    Args: ClassVar[type[BackendArgs]] = RayArgs
    sampling: ClassVar[frozenset[str]] = VLLMBackend.sampling
    requires: ClassVar[tuple[str, ...]] = ("ray", "vllm")
    default_batch_size: ClassVar[int] = 2048

    def __init__(self, model: ModelConfig, args: BackendArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        self._args = args if isinstance(args, RayArgs) else RayArgs.model_validate(args.model_dump(exclude_unset=True))
        replicas = self._args.num_replicas
        self._piece = max(1, min(self._args.batch_size, self.batch_size // (2 * replicas)))
        """Requests in one batch: small enough that each replica has two of them."""
        self._at_once = -(-self.batch_size // (self._piece * replicas)) + 1
        """Batches that one replica works on at a time."""
        self._cluster: Cluster | None = None
        self._mailbox: Any = None
        self._pump: threading.Thread | None = None
        self._fault: BaseException | None = None
        self._chat: Chat
        self._context: int
        self._ends: frozenset[int]
        self._actors: dict[str, Any] = {}
        self._starts = 0
        """Of engines, since the last answer."""
        self._last_failure: tuple[str, str] | None = None
        self._dead: set[str] = set()
        self._watched = 0.0
        self._number = 0
        self._pending: dict[int, Pending] = {}

    @classmethod
    def check_args(cls, values: Mapping[str, Any]) -> BackendArgs:
        return check_ray_args(values)

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        return reproducible_engine_args(flat(values))

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            await asyncio.shield(starting)
            await self._get_ready()
        except BaseException:
            with suppress(BaseException):
                await starting
            await asyncio.to_thread(self._stop)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stop)

    # -- starting -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Connect, reckon, and set the pipeline going; in a thread."""
        _silence()
        source = _source(self.model)
        engine = self._args.engine_values()
        workers = int(engine.get("tensor_parallel_size") or 1) * int(engine.get("pipeline_parallel_size") or 1)
        cpus = self._args.num_replicas * workers
        self._cluster = cluster.connect(self._args.address, f"{OPTION} address", cpus=cpus)
        on_cpu = self._check_resources(engine, workers)
        if on_cpu:
            engine = self._on_cpu(engine)
        self._tokenizer = self._load_tokenizer(source, engine)
        self._run_pipeline(source, engine, on_cpu=on_cpu)

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
        engine = {name: value for name, value in engine.items() if name in self._args.model_fields_set}
        needed = _needed_on_cpu(engine)
        if "kv_cache_memory_bytes" in needed:
            needed["kv_cache_memory_bytes"] //= self._args.num_replicas
        return needed | engine

    def _load_tokenizer(self, source: str, engine: Mapping[str, Any]) -> Any:
        from vllm.tokenizers import get_tokenizer

        try:
            return get_tokenizer(
                engine.get("tokenizer") or source,
                tokenizer_mode=engine.get("tokenizer_mode") or "auto",
                trust_remote_code=bool(engine.get("trust_remote_code")),
                revision=engine.get("tokenizer_revision") or engine.get("revision"),
                download_dir=engine.get("download_dir"),
            )
        except Exception as error:
            raise UserError(f"model {self.model.model_id!r}: cannot load its tokenizer: {reason(error)}") from error

    def _run_pipeline(self, source: str, engine: dict[str, Any], *, on_cpu: bool) -> None:
        import ray
        from ray.data import DataContext
        from ray.data.llm import build_processor, vLLMEngineProcessorConfig

        assert self._cluster is not None
        _ray_stage.ship()
        here = self._cluster.here()
        self._mailbox = ray.remote(**here, max_concurrency=10_000)(_ray_stage.Mailbox).remote()
        config = vLLMEngineProcessorConfig(
            model_source=source,
            engine_kwargs={"disable_log_stats": True, **engine},
            batch_size=1,  # a row is a batch of ours
            concurrency=(self._args.num_replicas, self._args.num_replicas),
            max_concurrent_batches=self._at_once,
            max_tasks_in_flight_per_actor=self._at_once,
            accelerator_type=None if on_cpu else self._args.accelerator_type,
            placement_group_config={"bundles": [{"CPU": 1}]} if on_cpu else None,
            runtime_env=self._runtime_env(on_cpu=on_cpu),
            log_engine_metrics=False,  # wants Ray Serve
            should_continue_on_error=True,
            chat_template_stage=False,
            tokenize_stage=False,
            detokenize_stage=False,
        )
        context = DataContext.get_current().copy()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.target_max_block_size = 1  # a row is handed on when it is there, not when there are 128 MiB
        with DataContext.current(context), cluster.quiet():
            processor = build_processor(
                config,
                postprocess=_ray_stage.nothing,
                preprocess_map_kwargs=here,
                postprocess_map_kwargs={"num_cpus": 0},
            )
            for name, stage in processor.stages.items():
                processor.stages[name] = _ray_stage.make_stage(stage, self._mailbox)
            batches = ray.data.read_datasource(_ray_stage.make_source(self._mailbox), override_num_blocks=1, **here)
            answered = processor(batches)
        self._pump = threading.Thread(target=self._drive, args=(answered,), daemon=True, name="skythought-ray")
        self._pump.start()

    def _runtime_env(self, *, on_cpu: bool) -> dict[str, Any]:
        """That of the user, with the settings of vLLM that stand in our own environment."""
        env = dict(self._args.runtime_env)
        ours = {name: value for name, value in os.environ.items() if name.startswith("VLLM_") and not is_secretive(name)}
        if self._args.batch_invariant:
            if on_cpu:
                self._say("vLLM has its kernels for batch invariance on GPUs only; here, on CPUs, float32 has to do.")
            else:
                ours[BATCH_INVARIANT] = "1"
        env["env_vars"] = {**ours, **(env.get("env_vars") or {})}
        return env

    def _drive(self, answered: Any) -> None:
        """Keep Ray Data going; what it hands out at the end of each batch is empty."""
        cluster.quieten()
        try:
            for _ in answered.iter_batches(batch_size=None, prefetch_batches=0):
                pass
        except BaseException as error:  # noqa: BLE001 -- raised again by whoever waits for answers
            self._fault = error

    async def _get_ready(self) -> None:
        """Wait for the engines: the first one, and the others as long as that is reasonable."""
        if not hasattr(self._tokenizer, "added_tokens_decoder"):
            raise UserError(
                f"model {self.model.model_id!r}: its tokenizer ({type(self._tokenizer).__name__}) has no chat template; "
                f"{OPTION} tokenizer_mode=hf loads the one of transformers."
            )
        began = time.monotonic()
        patience = float("inf")
        while len(self._actors) < self._args.num_replicas and time.monotonic() - began < patience:
            async for _ in self._news():
                raise AssertionError("an answer before any question")
            if self._actors and patience == float("inf"):
                patience = 2 * (time.monotonic() - began) + LATECOMERS_S
        self._chat = Chat(self._tokenizer, self.model, self._ends)
        if not self._chat.has_template:
            self._say("the model has no chat template: it gets the plain text of the messages.")

    # -- working ------------------------------------------------------------------------------------------------

    async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        source, ended = iter(requests), False
        piece: list[tuple[int, Pending]] = []
        try:
            while True:
                while not ended and len(self._pending) < self.batch_size:
                    request = next(source, None)
                    ended = request is None
                    if request is not None:
                        pending = self._prepared(request)
                        if isinstance(pending, Response):
                            yield pending
                            continue
                        self._pending[self._number] = pending
                        piece.append((self._number, pending))
                        self._number += 1
                    if len(piece) >= self._piece:
                        await self._send(piece)
                        piece = []
                for part in _parts(piece, self._args.num_replicas) if ended else ():
                    await self._send(part)
                piece = [] if ended else piece
                if not self._pending:
                    return
                async for response in self._news():
                    yield response
        finally:
            if self._pending:
                dropped, self._pending = list(self._pending), {}
                with suppress(Exception):
                    await self._mailbox.drop.remote(dropped)

    def _prepared(self, request: Request) -> Pending | Response:
        """A request as the engines take it, or the response to one that they cannot take."""
        prompt = self._chat.prompt(request)
        room = room_for(prompt, request.sampling.max_tokens, self._context)
        if room.error:
            return Response(request.key, error=room.error, prompt_tokens=len(prompt.tokens))
        if room.notice:
            self._say(room.notice)
        return Pending(request, prompt, room.tokens)

    async def _send(self, piece: list[tuple[int, Pending]]) -> None:
        rows = [(number, array("i", pending.prompt.tokens), _engine_sampling(pending)) for number, pending in piece]
        await self._mailbox.put.remote([number for number, _ in piece], pickle.dumps(rows))

    async def _news(self) -> AsyncGenerator[Response, None]:
        """Responses that have come in; waits a few seconds for some.

        Raises:
            BackendError: Ray or the engines have given up.
            UserError: vLLM refuses what is asked of it.
        """
        import ray

        try:
            events = await self._mailbox.events.remote()
        except ray.exceptions.RayError as error:
            raise self._death(error) from error
        for kind, subject, *details in events:
            if kind == "answer":
                self._starts = 0
                pending = self._pending.pop(subject, None)
                if pending is not None:
                    yield self._response(pending, *details)
            elif kind == "arrived":
                self._arrived(subject, *details)
            elif kind == "failed":
                self._last_failure = (details[0], details[1])
        if self._fault is not None:
            raise self._death(self._fault) from self._fault
        await asyncio.to_thread(self._watch)

    def _arrived(self, replica: str, facts: dict[str, Any]) -> None:
        """An engine runs, for the first time or again."""
        self._actors[replica] = facts["actor"]
        self._context = self.context_length = facts["max_model_len"]
        self._ends = frozenset(facts["ends"]) | _as_set(self._tokenizer.eos_token_id)
        self._starts += 1
        if self._starts > MOST_STARTS * self._args.num_replicas:
            raise BackendError(
                f"vLLM's engines on Ray were started {self._starts} times without an answer in between: something "
                "kills them, often a lack of memory on their node. What was answered is kept; --resume goes on."
            )

    def _watch(self) -> None:
        """Nodes that are gone: their requests go to others; without any that can hold a replica, that is the end."""
        import ray

        if time.monotonic() - self._watched < WATCH_S or self._cluster is None:
            return
        self._watched = time.monotonic()
        lost = self._cluster.dead_nodes() - self._dead
        if not lost:
            return
        self._dead |= lost
        offered = ray.get(self._mailbox.lost.remote(list(lost)))
        if self._cluster.lacks(self._need_of_one) is not None:
            raise BackendError(
                "Ray lost a node, and no other one can hold a replica. "
                "What was answered is kept; --resume goes on when there are nodes again."
            )
        self._say(f"Ray lost a node; {offered} requests that it may have had are asked again elsewhere.")

    def _response(self, pending: Pending, result: dict[str, Any]) -> Response:
        request, prompt = pending.request, pending.prompt
        if result["error"]:
            self._refuse(request, result["error"])
            why = f"vLLM: {reason(Exception(result['error']))}"
            return Response(request.key, error=why, prompt_tokens=len(prompt.tokens))
        tokens = list(result["tokens"])
        text = self._chat.text(prompt.tokens, tokens)
        places = [place for stop in request.sampling.stop or () if (place := text.find(stop)) >= 0]
        finish = self._finish_reason(tokens, pending.limit, stopped=bool(places))
        return Response(
            key=request.key,
            text=text[: min(places, default=len(text))] if finish else "",
            finish_reason=finish or "abort",
            prompt_tokens=len(prompt.tokens),
            completion_tokens=len(tokens),
            seconds=result["seconds"],
            thinking_open=prompt.thinking_open,
            error=None if finish else "vLLM gave the request up (abort)",
        )

    def _finish_reason(self, tokens: list[int], limit: int, *, stopped: bool) -> str | None:
        """Ray's stage does not tell, but it follows: by an end token, a stop string, or the limit; else given up."""
        if stopped or (tokens and tokens[-1] in self._ends):
            return "stop"
        return "length" if len(tokens) >= limit else None

    def _refuse(self, request: Request, error: str) -> None:
        """Parameters are the same for all requests, so the first that is refused tells."""
        named = _PARAMETER.search(error)
        if named and named[1] in request.sampling.as_dict():
            raise UserError(f"vLLM refuses the sampling parameters: {error.partition(': ')[2] or error}")

    # -- ending -------------------------------------------------------------------------------------------------

    def _death(self, error: BaseException) -> BackendError:
        """Why Ray has given up, in one line."""
        kept = " What was answered is kept; --resume goes on."
        if self._last_failure is not None:
            said, log = self._last_failure
            why = root_cause(log) or " ".join(said.split())[:300]
            return BackendError(f"vLLM cannot start {self.model.model_id!r} on Ray: {why}{_advice(why)}.{kept}")
        why = root_cause(str(error)) or reason(error)
        return BackendError(f"Ray gave up: {' '.join(why.split())}.{kept}")

    def _stop(self) -> None:
        """End the engines, then what Ray runs for us."""
        connection, self._cluster = self._cluster, None
        mailbox, self._mailbox = self._mailbox, None
        if connection is None:
            return
        import ray

        with suppress(Exception):
            if mailbox is not None:
                ray.get(mailbox.close.remote(), timeout=END_S)
                if self._pump is not None and not self._pending:
                    self._pump.join(END_S)
                for actor in self._actors.values():
                    ray.kill(actor)
                ray.kill(mailbox)
        self._actors.clear()
        connection.close()


def _engine_sampling(pending: Pending) -> dict[str, Any]:
    """As the `vllm` backend asks."""
    sampling = pending.request.sampling
    return sampling.as_dict() | {
        "max_tokens": pending.limit,
        "seed": pending.request.seed if sampling.temperature > 0 else None,
        "detokenize": sampling.stop is not None,
        "skip_special_tokens": False,
    }


def _parts(piece: list[tuple[int, Pending]], replicas: int) -> Iterator[list[tuple[int, Pending]]]:
    """The last requests, spread over the replicas."""
    size = max(1, -(-len(piece) // replicas))
    return (piece[start : start + size] for start in range(0, len(piece), size))


def _is_cpu_build() -> bool:
    from vllm.platforms import current_platform

    return bool(current_platform.is_cpu())
