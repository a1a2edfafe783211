"""Models run by vLLM on a Ray cluster, by any number of replicas on any number of nodes.

Prompts become tokens on the head, and tokens become text there, as in the `vllm` backend: what the engines are asked
is the same, so the answers are.

Tested with Ray 2.60 and vLLM 0.32.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from skythought import cluster
from skythought.backends.chat import Prompt
from skythought.backends.ray.args import RayArgs, with_config_file
from skythought.backends.ray.engines import Engines
from skythought.backends.vllm.answering import Completion, TokenBackend
from skythought.backends.vllm.args import check_engine_args, reproducible_engine_args
from skythought.backends.vllm.engine import MODEL_FILES, engine_sampling, silence
from skythought.backends.weights import one_line, require_context, weights_source
from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.streams import in_thread
from skythought.types import Request

__all__ = ["RayBackend"]

T = TypeVar("T")

END_S = 2.0
"""How long Ray is waited for when all is over."""


class RayBackend(TokenBackend[RayArgs]):
    """vLLM on a Ray cluster, this process being its head."""

    requires: ClassVar[tuple[str, ...]] = ("ray", "vllm")
    default_batch_size: ClassVar[int] = 2048

    def __init__(self, model: ModelConfig, args: RayArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        self._engines = Engines(self.args, model.model_id, say=self.say)

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
        try:
            source = await in_thread(lambda: weights_source(self.model, MODEL_FILES))
            engine = await in_thread(lambda: self._engines.connect(source))
            cluster.keep_signals()
            self._engines.start()
            tokenizer = await in_thread(lambda: self._load_tokenizer(source, engine))
            await self._engines.ready()
            self.get_ready(tokenizer, self._engines.context, self._engines.ends)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._end()

    async def _end(self) -> None:
        """End the engines. What does not answer in time ends with this process."""
        self._engines.stop()
        await asyncio.wait([asyncio.ensure_future(in_thread(self._engines.close))], timeout=END_S)

    def _load_tokenizer(self, source: str, engine: Mapping[str, Any]) -> Any:
        silence()
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
            raise UserError(f"model {self.model.model_id!r}: cannot load its tokenizer: {one_line(error)}") from error

    async def complete(self, prompt: Prompt, request: Request) -> Completion:
        done = await self._engines.ask(prompt.tokens, engine_sampling(request, prompt.limit))
        return done._replace(tokens=list(done.tokens))
