"""Models run by vLLM's own asynchronous engine: continuous batching, one request a sample.

Tested with vLLM 0.28 and 0.32. What is used of it (`AsyncEngineArgs`, `AsyncLLM`, `SamplingParams`, `tokens_input`)
is there since 0.20.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping
from types import TracebackType
from typing import Any, ClassVar, Self

from skythought.backends.chat import Prompt
from skythought.backends.vllm.answering import Completion, TokenBackend
from skythought.backends.vllm.args import VLLMArgs, check_engine_args, reproducible_engine_args
from skythought.backends.vllm.asking import Asking
from skythought.backends.vllm.engine import (
    KEPT,
    MODEL_FILES,
    advice,
    engine_sampling,
    needed_on_cpu,
    silence,
    variables,
)
from skythought.backends.vllm.processes import EngineProcesses, environment
from skythought.backends.vllm.root_cause import told
from skythought.backends.weights import one_line, require_context, weights_source
from skythought.config import ModelConfig
from skythought.errors import BackendError, SkythoughtError, UserError
from skythought.streams import in_thread
from skythought.types import Request

__all__ = ["VLLMBackend"]

LAST_WORDS_S = 1.0
"""A dying engine reports itself before it has written why, and before the system knows how its process ended."""

OWN_LOGGING = frozenset({"log_level", "log_config_file", "logging_config"})
"""Engine arguments by which a user asks to see vLLM's log."""


class VLLMBackend(TokenBackend[VLLMArgs]):
    """vLLM in this process, its engine in processes of its own."""

    requires: ClassVar[tuple[str, ...]] = ("vllm",)
    default_batch_size: ClassVar[int] = 512
    """More than the engine's slots, usually 256, so that it always finds work waiting."""

    def __init__(self, model: ModelConfig, args: VLLMArgs, *, batch_size: int = 64) -> None:
        super().__init__(model, args, batch_size=batch_size)
        self._values = args.engine_values()
        self._engine: Any = None
        self._processes: EngineProcesses
        self._asking: Asking
        self._watching: asyncio.Task[None] | None = None
        self._failed = False
        self._dead: BackendError | None = None

    @classmethod
    def check_args(cls, values: Mapping[str, Any]) -> VLLMArgs:
        return check_engine_args(VLLMArgs, values)

    @classmethod
    def check_model(cls, model: ModelConfig, args: VLLMArgs) -> None:
        weights_source(model, MODEL_FILES)
        require_context(model, getattr(args, "max_model_len", None))

    @classmethod
    def reproducible(cls, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        return reproducible_engine_args(values)

    async def __aenter__(self) -> Self:
        self._processes = EngineProcesses(loud=bool(OWN_LOGGING & self._values.keys()))
        try:
            await in_thread(self._start)
            await self._get_ready()
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await in_thread(self._stop)

    def _start(self) -> None:
        """Load the engine, in a thread: it takes from twenty seconds to many minutes."""
        source = weights_source(self.model, MODEL_FILES)
        with self._processes.starting():
            silence()
            from vllm.engine.arg_utils import AsyncEngineArgs
            from vllm.platforms import current_platform
            from vllm.v1.engine.async_llm import AsyncLLM

            on_cpu = current_platform.is_cpu()
            values = {"disable_log_stats": True, **self._values, "model": source}
            if on_cpu:
                values = needed_on_cpu(self._values) | values
            with environment(variables(self.args, on_cpu=on_cpu, say=self.say)):
                try:
                    config = AsyncEngineArgs(**values).create_engine_config()
                except Exception as error:
                    raise UserError(f"vLLM cannot run {self.model.model_id!r}: {told(error)}") from error
                try:
                    self._engine = AsyncLLM.from_vllm_config(
                        config,
                        disable_log_stats=values["disable_log_stats"],
                        enable_log_requests=values.get("enable_log_requests", False),
                    )
                except Exception as error:  # noqa: BLE001 -- whatever it is, the log says more
                    self._failed = not self._processes.are_over
                    raise self._not_started(error) from None
        if self._processes.are_over:  # it was given up meanwhile
            self._stop()

    def _not_started(self, error: Exception) -> BackendError:
        """The error for an engine that did not start. `error` itself mostly says only that; the log says why."""
        why = self._processes.why_dead() or one_line(error)
        return BackendError(f"vLLM cannot start {self.model.model_id!r}: {why}{advice(why)}{self._processes.where}")

    async def _get_ready(self) -> None:
        self._asking = Asking(self._engine)
        self._watching = asyncio.create_task(self._watch())
        tokenizer = self._engine.get_tokenizer()
        if inspect.isawaitable(tokenizer):
            tokenizer = await tokenizer
        context, ends, _ = self._asking.limits()
        self.get_ready(tokenizer, context, ends)

    async def complete(self, prompt: Prompt, request: Request) -> Completion:
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            return Completion(*await self._asking.complete(prompt.tokens, engine_sampling(request, prompt.limit)))
        except EngineDeadError:
            raise await self._death() from None
        except SkythoughtError:
            raise
        except Exception as error:
            if self._engine.errored:
                raise await self._death() from error
            return Completion(error=one_line(error.__cause__ or error), parameter=getattr(error, "parameter", None))

    async def _watch(self) -> None:
        """End an engine that hangs; what it has fails as if it had died."""
        await self._asking.hang(self.args.silence)
        self._dead = BackendError(
            f"vLLM's engine hangs: it has written no token for {self.args.silence:g} s{self._processes.where} {KEPT}"
        )
        self._failed = True
        self._processes.expect_end()
        await in_thread(lambda: self._processes.end(keep_log=True))

    async def _death(self) -> BackendError:
        """Why the engine as a whole is gone; the same for all requests in flight."""
        if self._dead is None:
            await asyncio.sleep(LAST_WORDS_S)
            why = self._processes.why_dead() or "it gave no reason"
            self._failed = True
            self._dead = self._dead or BackendError(
                f"vLLM's engine died: {why}{advice(why)}{self._processes.where} {KEPT}"
            )
        return self._dead

    def _stop(self) -> None:
        """End the engine. Nothing is asked of its processes: there is nothing that they could hand back."""
        engine, self._engine = self._engine, None
        if engine is not None and not self._failed:
            self._processes.expect_end()
        self._processes.append_log(self.engine_log)
        self._processes.end(keep_log=self._failed)
        if engine is not None:
            engine.shutdown()
