"""Models run in this process by Hugging Face transformers, on CPU, CUDA or MPS."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from random import Random
from types import TracebackType
from typing import Any, ClassVar, Self

from skythought.backends.base import Backend, with_switches
from skythought.backends.chat import Chat, before_stop
from skythought.backends.transformers.args import TransformersArgs
from skythought.backends.transformers.decoding import Decoder, Row, cache_argument
from skythought.backends.transformers.loading import MODEL_FILES, deterministic, load_pretrained, require_device
from skythought.backends.weights import one_line, weights_source
from skythought.config import ModelConfig
from skythought.errors import BackendError, SkythoughtError, UserError
from skythought.streams import as_async
from skythought.types import Request, Response

__all__ = ["TransformersBackend"]

REFILL_SHARE = 8
"""New rows join once they are this part (1/8) of those that run: each time costs the others about one step."""


class NoneNow:
    """In place of a request: there is none now, but there may be one later."""


NONE_NOW = NoneNow()
Inbox = queue.SimpleQueue[Request | NoneNow | None]
"""Requests for the worker thread; None at the end."""


class TransformersBackend(Backend[TransformersArgs]):
    """Our own decoding loop over the model's forward pass, in one thread beside the event loop."""

    sampling: ClassVar[frozenset[str]] = frozenset(
        {
            "temperature",
            "top_p",
            "max_tokens",
            "top_k",
            "min_p",
            "repetition_penalty",
            "stop",
            "reasoning_effort",
            "min_tokens",
            "ignore_eos",
            "stop_token_ids",
            "include_stop_str_in_output",
            "skip_special_tokens",
        }
    )
    requires: ClassVar[tuple[str, ...]] = ("torch", "transformers")
    weights_files: ClassVar[tuple[str, ...]] = MODEL_FILES

    def __init__(self, model: ModelConfig, args: TransformersArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        self._network: Any = None
        self._determinism = ExitStack()
        self._chat: Chat
        self._ends: frozenset[int] = frozenset()

    @classmethod
    def check_model(cls, model: ModelConfig, args: TransformersArgs) -> None:
        weights_source(model, MODEL_FILES)
        require_device(args.device)

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        kwargs = values.get("model_kwargs") or {}
        for name in ("dtype", "torch_dtype", "quantization_config", "attn_implementation"):
            if isinstance(kwargs, Mapping) and name in kwargs:
                raise UserError(f"--reproducible and --backend-args model_kwargs: {name!r} exclude each other.")
        switches = {"dtype": "float32", "deterministic": True, "attn_implementation": "eager"}
        remains = [
            "--reproducible: sums in float32 may still be rounded otherwise in batches of other sizes (on CPUs we "
            "have seen no text change by it), on another kind of GPU or CPU, or with another version of torch "
            "or transformers."
        ]
        return with_switches(values, switches), remains

    async def __aenter__(self) -> Self:
        if self.args.deterministic:
            self._determinism.enter_context(deterministic())
        try:
            await asyncio.to_thread(self._load)
        except BaseException:
            self._determinism.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        import torch

        self._network = None
        self._determinism.close()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _load(self) -> None:
        loaded = load_pretrained(self.model, self.args)
        if not cache_argument(loaded.network):
            raise BackendError(f"model {self.model.model_id!r} has no cache of a kind known here.")
        self._network, self._ends = loaded.network, loaded.ends
        self._chat = Chat(loaded.tokenizer, self.model, loaded.ends)
        self.context_length = loaded.context_length
        for line in self._chat.notices():
            self.say(line)
        if loaded.missing:
            self.say(
                f"{len(loaded.missing)} weights are not in the checkpoint and are random "
                f"({', '.join(loaded.missing[:3])}): answers will make no sense."
            )

    async def generate(self, requests: Iterable[Request]) -> AsyncGenerator[Response, None]:
        loop = asyncio.get_running_loop()
        inbox: Inbox = queue.SimpleQueue()
        outbox: asyncio.Queue[Response | SkythoughtError] = asyncio.Queue()
        stop = threading.Event()

        def put(answer: Response | SkythoughtError) -> None:
            loop.call_soon_threadsafe(outbox.put_nowait, answer)

        worker = loop.run_in_executor(None, self._work, inbox, put, stop)
        source, in_flight, more = as_async(requests), 0, True
        pulling: asyncio.Future[Request | None] | None = None
        getting: asyncio.Future[Response | SkythoughtError] = asyncio.ensure_future(outbox.get())
        try:
            while True:
                while more and in_flight < self.batch_size:
                    pulling = pulling or asyncio.ensure_future(anext(source, None))
                    await asyncio.sleep(0)  # what is at hand comes in this one step
                    if not pulling.done():
                        inbox.put(NONE_NOW)
                        break
                    request, pulling = pulling.result(), None
                    inbox.put(request)
                    more = request is not None
                    in_flight += more
                if not in_flight and not more:
                    return
                waiting: list[asyncio.Future[Any]] = [getting] if pulling is None else [getting, pulling]
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    continue
                answer, getting = getting.result(), asyncio.ensure_future(outbox.get())
                if isinstance(answer, SkythoughtError):
                    raise answer
                in_flight -= 1
                yield answer
        finally:
            getting.cancel()
            if pulling is not None:
                pulling.cancel()
            stop.set()
            inbox.put(None)
            # The step under way cannot be interrupted; leaving before its end would free the model under it.
            await asyncio.shield(worker)

    def _work(
        self,
        inbox: Inbox,
        put: Callable[[Response | SkythoughtError], object],
        stop: threading.Event,
    ) -> None:
        """The worker thread: decode until the inbox ends, handing out responses as they finish."""
        import torch

        try:
            with torch.inference_mode():
                for response in self._responses(inbox, stop):
                    put(response)
        except SkythoughtError as error:
            put(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must come out of the thread
            put(self._engine_error(error))

    def _responses(self, inbox: Inbox, stop: threading.Event) -> Iterator[Response]:
        decoder = Decoder(self._network, self._ended)
        arrived: list[Row] = []
        more = True
        while True:
            # An empty batch waits until it can be filled, or there is no more for now; a running one takes what is
            # there.
            while more and len(arrived) + len(decoder) < self.batch_size:
                if len(decoder) and inbox.empty():
                    break
                request = inbox.get()
                if request is NONE_NOW and arrived:
                    break
                more = request is not None
                if isinstance(request, Request):
                    entry = self._row(request)
                    if isinstance(entry, Response):
                        yield entry
                    else:
                        arrived.append(entry)
            if stop.is_set():
                return
            enough = len(arrived) * REFILL_SHARE >= len(decoder)
            if arrived and decoder.joinable and (enough or not more):
                yield from map(self._response, decoder.add(arrived))
                arrived = []
                self._say_if_static(decoder)
            if not len(decoder) and not arrived and not more:
                return
            yield from map(self._response, decoder.step())

    def _row(self, request: Request) -> Row | Response:
        """A request as tokens, or its response if the prompt fills the context."""
        started = time.perf_counter()
        prompt = self._chat.prompt(request, self.context_length, self.say)
        if isinstance(prompt, Response):
            return prompt
        own = request.sampling.engine
        ends = frozenset(own.get("stop_token_ids", ())) | (frozenset() if own.get("ignore_eos") else self._ends)
        return Row(request, prompt.tokens, prompt.limit, started, prompt.thinking_open, Random(request.seed), ends)

    def _ended(self, row: Row) -> bool:
        """Whether the row's newest token is its last; if so, its text and the reason are set."""
        sampling = row.request.sampling
        stops = sampling.stop or ()
        if row.tokens[-1] in row.ends:
            row.finish_reason = "stop"
        elif len(row.tokens) >= row.limit:
            row.finish_reason = "length"
        elif not stops or not self._may_hold(row, stops):
            return False
        row.text, stopped = before_stop(self._chat.text(row.prompt, row.tokens, sampling), sampling)
        if stopped:
            row.finish_reason = "stop"
        return row.finish_reason is not None

    def _may_hold(self, row: Row, stops: Iterable[str]) -> bool:
        """Whether the newest tokens, decoded alone, hold a stop string; a yes is checked on the whole."""
        # A token has at least one byte. A few more, as the first ones may read otherwise out of their place.
        width = max(len(stop.encode()) for stop in stops) + 4
        tail = self._chat.text(row.prompt, row.tokens[-width:], row.request.sampling)
        return any(stop in tail for stop in stops)

    def _response(self, row: Row) -> Response:
        return row.request.response(
            row.text,
            finish_reason=row.finish_reason,
            prompt_tokens=len(row.prompt),
            completion_tokens=len(row.tokens),
            seconds=time.perf_counter() - row.started,
            thinking_open=row.thinking_open,
        )

    def _say_if_static(self, decoder: Decoder) -> None:
        if not decoder.joinable:
            self.say("the model's cache takes no new sequences in: a batch runs until its last one ends.")

    def _engine_error(self, error: Exception) -> BackendError:
        import torch

        memory = ("out of memory", "can't allocate memory", "not enough memory")
        if isinstance(error, torch.OutOfMemoryError) or any(phrase in str(error) for phrase in memory):
            line = (
                f"out of memory on {self._network.device} with {self.batch_size} requests at once; "
                "use a smaller --batch-size."
            )
        else:
            line = f"transformers stopped: {type(error).__name__}: {one_line(error)}"
        fault = BackendError(line)
        fault.__cause__ = error
        return fault
