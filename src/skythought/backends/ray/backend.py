"""Models run by vLLM on a Ray cluster: Ray Data's own LLM stage, over any number of replicas and nodes.

Prompts become tokens on the head, and tokens become text there, as in the `vllm` backend: what the engines are asked
is the same, so the answers are. `stage.py` tells how requests and answers travel.

Tested with Ray 2.60 and vLLM 0.32.
"""

from __future__ import annotations

import asyncio
import pickle
import re
from array import array
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, ClassVar, NamedTuple, Self

from skythought.backends.base import Backend
from skythought.backends.chat import PLAIN, Chat, Prompt, before_stop
from skythought.backends.ray.args import RayArgs, with_config_file
from skythought.backends.ray.engines import Answer, Engines
from skythought.backends.vllm.args import check_engine_args, reproducible_engine_args
from skythought.backends.vllm.backend import VLLMBackend
from skythought.backends.vllm.engine import MODEL_FILES, engine_sampling, require_chat, silence, token_ids
from skythought.backends.weights import one_line, weights_source
from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.streams import Feed
from skythought.types import Request, Response

__all__ = ["RayBackend"]

MOST_BATCHES = 256
"""Batches that one replica may have begun."""

_PARAMETER = re.compile(r"parameter=(\w+)")


class Pending(NamedTuple):
    """A request that was sent to the engines."""

    request: Request
    prompt: Prompt


class RayBackend(Backend[RayArgs]):
    """vLLM on a Ray cluster, this process being its head."""

    sampling: ClassVar[frozenset[str]] = VLLMBackend.sampling
    requires: ClassVar[tuple[str, ...]] = ("ray", "vllm")
    default_batch_size: ClassVar[int] = 2048

    def __init__(self, model: ModelConfig, args: RayArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        # `batch_size` bounds the requests, not this: a batch counts until its longest answer has ended, and a replica
        # must have other work while it waits for the last answers of a few batches.
        at_once = min(self.batch_size, MOST_BATCHES)
        self._engines = Engines(self.args, model.model_id, at_once=at_once, say=self.say)
        self._tokenizer: Any = None
        self._chat: Chat
        self._ends: frozenset[int]
        self._number = 0
        self._pending: dict[int, Pending] = {}
        self._batch: list[int] = []
        """Of these, the last ones, which are not sent yet."""
        self._none_now = False
        """Whether no request was at hand when it was last looked."""
        self._listening: asyncio.Future[list[Answer]] | None = None
        """For answers; kept beyond one stream, for engines also tell how they are."""

    @classmethod
    def check_args(cls, values: Mapping[str, Any]) -> RayArgs:
        return check_engine_args(RayArgs, with_config_file(values))

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        return reproducible_engine_args(with_config_file(values))

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
        self.context_length = self._engines.context
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
        if self._listening is not None:
            self._listening.cancel()
        await asyncio.to_thread(self._engines.stop, idle=not self._pending)

    def _start(self) -> None:
        """Connect to the cluster and start the engines. Blocks, so it runs in a thread."""
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
            raise UserError(f"model {self.model.model_id!r}: cannot load its tokenizer: {one_line(error)}") from error
        require_chat(tokenizer, self.model.model_id)
        return tokenizer

    async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        source = iter(requests)
        feed = requests if isinstance(requests, Feed) else None
        try:
            while True:
                if feed is not None and not self._pending and not await feed.more():
                    return
                async for refused in self._fill(source):
                    yield refused
                if not self._pending and self._none_now and feed is None:
                    return
                for answer in await self._answers(feed) if self._pending else ():
                    if (pending := self._pending.pop(answer.number, None)) is not None:
                        yield self._response(pending, answer)
        finally:
            if self._pending:
                dropped, self._pending, self._batch = list(self._pending), {}, []
                await self._engines.drop(dropped)

    async def _fill(self, source: Iterator[Request]) -> AsyncGenerator[Response, None]:
        """Send requests while there is room and one is at hand; yields the responses to those that no engine can
        answer."""
        self._none_now = False
        while not self._none_now and len(self._pending) < self.batch_size:
            request = next(source, None)
            item = None if request is None else self._numbered(request)
            if isinstance(item, Response):
                yield item
                continue
            self._none_now = item is None
            if item is not None:
                self._batch.append(item)
            if self._none_now or len(self._batch) >= self._size:
                # The last requests are shared out, so that no replica runs dry beside a busy one.
                batch, self._batch = self._batch, []
                for part in _split(batch, self.args.num_replicas if self._none_now else 1):
                    await self._send(part)

    async def _answers(self, feed: Feed[Request] | None) -> Sequence[Answer]:
        """What was answered; nothing, if there is room and the feed has another request before that."""
        self._listening = self._listening or asyncio.ensure_future(self._engines.answers())
        if feed is not None and len(self._pending) < self.batch_size:
            more = asyncio.ensure_future(feed.more())
            waiting: list[asyncio.Future[Any]] = [self._listening, more]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            more.cancel()
            if not self._listening.done():
                return ()
        listening, self._listening = self._listening, None
        return await listening

    def _numbered(self, request: Request) -> int | Response:
        """The number of a request, which is then pending, or the response to one that no engine can answer."""
        prompt = self._chat.prompt(request, self.context_length, self.say)
        if isinstance(prompt, Response):
            return prompt
        self._number += 1
        self._pending[self._number] = Pending(request, prompt)
        return self._number

    @property
    def _size(self) -> int:
        """Requests in one batch: small enough that each replica has two of them."""
        return max(1, min(self.args.batch_size, self.batch_size // (2 * self.args.num_replicas)))

    async def _send(self, batch: list[int]) -> None:
        rows = [
            (number, array("i", pending.prompt.tokens), engine_sampling(pending.request, pending.prompt.limit))
            for number in batch
            for pending in (self._pending[number],)
        ]
        await self._engines.put(batch, pickle.dumps(rows))

    def _response(self, pending: Pending, answer: Answer) -> Response:
        request, prompt = pending.request, pending.prompt
        if answer.error:
            self._raise_if_refused(request, answer.error)
            why = f"vLLM: {one_line(Exception(answer.error))}"
            return request.failed(why, prompt_tokens=len(prompt.tokens))
        tokens = list(answer.tokens)
        text, stopped = before_stop(self._chat.text(prompt.tokens, tokens), request.sampling.stop)
        finish = self._finish_reason(tokens, prompt.limit, stopped=stopped)
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
        """Ray's stage does not tell, but it follows from the answer's end. None: the engine gave it up."""
        if stopped or (tokens and tokens[-1] in self._ends):
            return "stop"
        return "length" if len(tokens) >= limit else None

    def _raise_if_refused(self, request: Request, error: str) -> None:
        """End the run if the sampling parameters are at fault: they are the same for all requests."""
        named = _PARAMETER.search(error)
        if named and named[1] in request.sampling.as_dict():
            raise UserError(f"vLLM refuses the sampling parameters: {error.partition(': ')[2] or error}")


def _split(batch: list[int], parts: int) -> list[list[int]]:
    """The batch in at most so many parts of like size."""
    size = max(1, -(-len(batch) // parts))
    return [batch[start : start + size] for start in range(0, len(batch), size)]
