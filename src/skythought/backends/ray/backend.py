"""Models run by vLLM on a Ray cluster: Ray Data's own LLM stage, over any number of replicas and nodes.

Prompts become tokens on the head, and tokens become text there, as in the `vllm` backend: what the engines are asked
is the same, so the answers are. `_ray_stage.py` tells how requests and answers travel.

Tested with Ray 2.60 and vLLM 0.32.
"""

from __future__ import annotations

import asyncio
import pickle
import re
from array import array
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self

from skythought.backends.base import Backend
from skythought.backends.chat import PLAIN, Chat, Prompt, before_stop, room_for
from skythought.backends.pretrained import reason, weights_source
from skythought.backends.ray.args import RayArgs, check_ray_args, flat
from skythought.backends.ray.engines import Answer, Engines
from skythought.backends.vllm.args import reproducible_engine_args
from skythought.backends.vllm.backend import VLLMBackend
from skythought.backends.vllm.engine import MODEL_FILES, require_chat, silence, token_ids
from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.types import Request, Response

__all__ = ["RayBackend"]

MOST_BATCHES = 256
"""Batches that one replica may have begun."""

_PARAMETER = re.compile(r"parameter=(\w+)")


class Pending(NamedTuple):
    """A request that is on its way."""

    request: Request
    prompt: Prompt
    limit: int


class RayBackend(Backend[RayArgs]):
    """vLLM on a Ray cluster, this process being its head."""

    sampling: ClassVar[frozenset[str]] = VLLMBackend.sampling
    requires: ClassVar[tuple[str, ...]] = ("ray", "vllm")
    default_batch_size: ClassVar[int] = 2048

    def __init__(self, model: ModelConfig, args: RayArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        # Not a bound on the requests, which `batch_size` is: a batch counts until its longest answer has ended, and a
        # replica must not run dry over the last ones of a few.
        at_once = min(self.batch_size, MOST_BATCHES)
        self._engines = Engines(self.args, model.model_id, at_once=at_once, say=self.say)
        self._tokenizer: Any = None
        self._chat: Chat
        self._context: int
        self._ends: frozenset[int]
        self._number = 0
        self._pending: dict[int, Pending] = {}

    @classmethod
    def check_args(cls, values: Mapping[str, Any]) -> RayArgs:
        return check_ray_args(values)

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        return reproducible_engine_args(flat(values))

    async def __aenter__(self) -> Self:
        starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            await asyncio.shield(starting)
            await self._engines.ready()
        except BaseException:
            with suppress(Exception):
                await starting
            await self._stop()
            raise
        self._context = self.context_length = self._engines.context
        self._ends = self._engines.ends | token_ids(self._tokenizer.eos_token_id)
        self._chat = Chat(self._tokenizer, self.model, self._ends)
        if not self._chat.has_template:
            self.say(PLAIN)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        await asyncio.to_thread(self._engines.stop, idle=not self._pending)

    def _start(self) -> None:
        """Connect, reckon, and set the engines going; in a thread."""
        silence()
        source = weights_source(self.model, MODEL_FILES)
        engine = self._engines.connect()
        self._tokenizer = self._load_tokenizer(source, engine)
        self._engines.start(source, engine)

    def _load_tokenizer(self, source: str, engine: Mapping[str, Any]) -> Any:
        from vllm.tokenizers import get_tokenizer

        try:
            tokenizer = get_tokenizer(
                engine.get("tokenizer") or source,
                tokenizer_mode=engine.get("tokenizer_mode") or "auto",
                trust_remote_code=bool(engine.get("trust_remote_code")),
                revision=engine.get("tokenizer_revision") or engine.get("revision"),
                download_dir=engine.get("download_dir"),
            )
        except Exception as error:
            raise UserError(f"model {self.model.model_id!r}: cannot load its tokenizer: {reason(error)}") from error
        require_chat(tokenizer, self.model.model_id)
        return tokenizer

    async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        source, ended = self._numbered(requests), False
        batch: list[int] = []
        try:
            while not ended or self._pending:
                while not ended and len(self._pending) < self.batch_size:
                    item = next(source, None)
                    if isinstance(item, Response):
                        yield item
                        continue
                    ended = item is None
                    batch += [] if item is None else [item]
                    for part in self._due(batch, ended=ended):
                        await self._hand_on(part)
                for answer in await self._engines.news() if self._pending else ():
                    if (pending := self._pending.pop(answer.number, None)) is not None:
                        yield self._response(pending, answer)
        finally:
            if self._pending:
                dropped, self._pending = list(self._pending), {}
                await self._engines.drop(dropped)

    def _numbered(self, requests: Iterable[Request]) -> Iterator[int | Response]:
        """Each request made ready, under a number, or the response to one that no engine can answer."""
        for request in requests:
            pending = self._prepared(request)
            if isinstance(pending, Response):
                yield pending
            else:
                self._number += 1
                self._pending[self._number] = pending
                yield self._number

    @property
    def _size(self) -> int:
        """Requests in one batch: small enough that each replica has two of them."""
        return max(1, min(self.args.batch_size, self.batch_size // (2 * self.args.num_replicas)))

    def _due(self, batch: list[int], *, ended: bool) -> list[list[int]]:
        """What is to be handed on now: a batch that is full; of the last ones a part for each replica."""
        if not ended and len(batch) < self._size:
            return []
        size = -(-len(batch) // self.args.num_replicas) if ended else len(batch)
        parts = [batch[start : start + size] for start in range(0, len(batch), size or 1)]
        batch.clear()
        return parts

    def _prepared(self, request: Request) -> Pending | Response:
        """A request as the engines take it, or the response to one that they cannot take."""
        prompt = self._chat.prompt(request)
        room = room_for(prompt, request.sampling.max_tokens, self._context)
        if room.error:
            return request.failed(room.error, prompt_tokens=len(prompt.tokens))
        if room.notice:
            self.say(room.notice)
        return Pending(request, prompt, room.tokens)

    async def _hand_on(self, batch: list[int]) -> None:
        rows = [
            (number, array("i", pending.prompt.tokens), _engine_sampling(pending))
            for number in batch
            for pending in (self._pending[number],)
        ]
        await self._engines.put(batch, pickle.dumps(rows))

    def _response(self, pending: Pending, answer: Answer) -> Response:
        request, prompt = pending.request, pending.prompt
        if answer.error:
            self._refuse(request, answer.error)
            why = f"vLLM: {reason(Exception(answer.error))}"
            return request.failed(why, prompt_tokens=len(prompt.tokens))
        tokens = list(answer.tokens)
        text, stopped = before_stop(self._chat.text(prompt.tokens, tokens), request.sampling.stop)
        finish = self._finish_reason(tokens, pending.limit, stopped=stopped)
        if finish is None:
            why = "vLLM gave the request up (abort)"
            return request.failed(
                why, prompt_tokens=len(prompt.tokens), completion_tokens=len(tokens), seconds=answer.seconds
            )
        return request.response(
            text,
            finish_reason=finish,
            prompt_tokens=len(prompt.tokens),
            completion_tokens=len(tokens),
            seconds=answer.seconds,
            thinking_open=prompt.thinking_open,
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


def _engine_sampling(pending: Pending) -> dict[str, Any]:
    """As the `vllm` backend asks."""
    sampling = pending.request.sampling
    return sampling.as_dict() | {
        "max_tokens": pending.limit,
        "seed": pending.request.seed if sampling.temperature > 0 else None,
        "detokenize": sampling.stop is not None,
        "skip_special_tokens": False,
    }
