"""Models run by vLLM on a Ray cluster, by any number of replicas on any number of nodes.

Prompts become tokens on the head, and tokens become text there, as in the `vllm` backend: what the engines are asked
is the same, so the answers are.

Tested with Ray 2.60 and vLLM 0.32.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from skythought import cluster
from skythought.backends.chat import Chat, Prompt
from skythought.backends.ray.args import RayArgs, with_config_file
from skythought.backends.ray.engines import Engines
from skythought.backends.vllm.answering import Completion, TokenBackend
from skythought.backends.vllm.args import check_engine_args, reproducible_engine_args
from skythought.backends.vllm.engine import MODEL_FILES, engine_sampling, require_chat, silence, token_ids
from skythought.backends.weights import one_line, require_context, weights_source
from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.types import Request

__all__ = ["RayBackend"]

T = TypeVar("T")

CONNECTING_S = 4.0
"""How long the end waits for a connection that is being made, so that it can be ended."""


class RayBackend(TokenBackend[RayArgs]):
    """vLLM on a Ray cluster, this process being its head."""

    requires: ClassVar[tuple[str, ...]] = ("ray", "vllm")
    default_batch_size: ClassVar[int] = 2048

    def __init__(self, model: ModelConfig, args: RayArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        self._engines = Engines(self.args, model.model_id, say=self.say)
        self._over = threading.Event()
        """Ends the thread that has connected to Ray, whose calls hang where that thread is gone."""

    @classmethod
    def check_args(cls, values: Mapping[str, Any]) -> RayArgs:
        return check_engine_args(RayArgs, with_config_file(values))

    @classmethod
    def check_model(cls, model: ModelConfig, args: RayArgs) -> None:
        require_context(model, getattr(args, "max_model_len", None))

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        return reproducible_engine_args(with_config_file(values))

    async def __aenter__(self) -> Self:
        source = await _in_thread(lambda: weights_source(self.model, MODEL_FILES))
        connecting = asyncio.ensure_future(_in_thread(lambda: self._engines.connect(source), stays=self._over))
        try:
            engine = await asyncio.shield(connecting)
            cluster.keep_signals()
            self._engines.start()
            tokenizer = await _in_thread(lambda: self._load_tokenizer(source, engine))
            await self._engines.ready()
        except BaseException:
            with suppress(Exception):
                await asyncio.wait([connecting], timeout=CONNECTING_S)
            await self._end()
            raise
        self.context_length = self._engines.context
        self.chat = Chat(tokenizer, self.model, self._engines.ends | token_ids(tokenizer.eos_token_id))
        for line in self.chat.notices():
            self.say(line)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        self._engines.stop()
        await asyncio.shield(_in_thread(self._engines.close))
        self._over.set()

    def _load_tokenizer(self, source: str, engine: Mapping[str, Any]) -> Any:
        silence()
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

    async def complete(self, prompt: Prompt, request: Request) -> Completion:
        answer = await self._engines.ask(prompt.tokens, engine_sampling(request, prompt.limit))
        return Completion(list(answer.tokens), answer.finish_reason, answer.error, answer.parameter)


async def _in_thread(work: Callable[[], T], *, stays: threading.Event | None = None) -> T:
    """As `asyncio.to_thread`, but nobody waits for the thread at the end: an import cannot be interrupted.

    `stays`: the thread lives until this is set.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, raised = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 -- raised again by whoever waits
            raised = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(tell, result, raised)
        if stays is not None:
            stays.wait()

    threading.Thread(target=run, daemon=True, name="skythought-ray").start()
    return await done
