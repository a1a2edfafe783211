"""Models run by vLLM's own asynchronous engine: continuous batching, one request a sample.

Tested with vLLM 0.28 and 0.32. What is used of it (`AsyncEngineArgs`, `AsyncLLM`, `SamplingParams`, `tokens_input`)
is there since 0.20.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Mapping
from contextlib import aclosing, suppress
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import ValidationError

from skythought.backends.chat import Chat, Prompt
from skythought.backends.vllm.answering import Completion, TokenBackend
from skythought.backends.vllm.args import BATCH_INVARIANT, VLLMArgs, check_engine_args, reproducible_engine_args
from skythought.backends.vllm.engine import (
    MODEL_FILES,
    NO_INVARIANCE,
    advice,
    engine_sampling,
    needed_on_cpu,
    require_chat,
    silence,
    token_ids,
)
from skythought.backends.vllm.processes import EngineProcesses, environment
from skythought.backends.weights import one_line, require_context, weights_source
from skythought.config import ModelConfig
from skythought.errors import BackendError, SkythoughtError, UserError
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
        self._numbers = itertools.count()
        self._on_cpu = False
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
        starting = asyncio.ensure_future(asyncio.to_thread(self._start))
        try:
            await asyncio.shield(starting)
            await self._get_ready()
        except asyncio.CancelledError:
            # Loading takes minutes and cannot be interrupted from here, but it ends when its processes do.
            self._processes.kill()
            with suppress(Exception):
                await starting
            self._stop()
            raise
        except BaseException:
            self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._stop)

    def _start(self) -> None:
        """Load the engine, in a thread: it takes from twenty seconds to many minutes."""
        source = weights_source(self.model, MODEL_FILES)
        with self._processes.starting():
            silence()
            from vllm.engine.arg_utils import AsyncEngineArgs
            from vllm.platforms import current_platform
            from vllm.v1.engine.async_llm import AsyncLLM

            self._on_cpu = current_platform.is_cpu()
            values = {"disable_log_stats": True, **self._values, "model": source}
            if self._on_cpu:
                values = needed_on_cpu(self._values) | values
            with environment(self._variables()):
                try:
                    config = AsyncEngineArgs(**values).create_engine_config()
                except Exception as error:
                    raise self._refusal(error) from error
                try:
                    self._engine = AsyncLLM.from_vllm_config(
                        config,
                        disable_log_stats=values["disable_log_stats"],
                        enable_log_requests=values.get("enable_log_requests", False),
                    )
                except Exception as error:  # noqa: BLE001 -- whatever it is, the log says more
                    self._failed = True
                    raise self._not_started(error) from None

    def _variables(self) -> dict[str, str]:
        """What must be set where the engine runs."""
        if not self.args.batch_invariant:
            return {}
        if self._on_cpu:
            self.say(NO_INVARIANCE)
            return {}
        return {BATCH_INVARIANT: "1"}

    def _refusal(self, error: Exception) -> SkythoughtError:
        """The error for a model or an argument that vLLM refuses before it loads anything."""
        why = one_line(error)
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            why = f"{place}: {first['msg']}" if place else first["msg"].removeprefix("Value error, ")
        return UserError(f"vLLM cannot run {self.model.model_id!r}: {' '.join(why.split())}")

    def _not_started(self, error: Exception) -> BackendError:
        """The error for an engine that did not start. `error` itself mostly says only that; the log says why."""
        why = self._processes.why_dead() or one_line(error)
        return BackendError(f"vLLM cannot start {self.model.model_id!r}: {why}{advice(why)}{self._processes.where}")

    async def _get_ready(self) -> None:
        tokenizer = self._engine.get_tokenizer()
        if inspect.isawaitable(tokenizer):
            tokenizer = await tokenizer
        require_chat(tokenizer, self.model.model_id)
        config = self._engine.model_config
        ends = token_ids(config.try_get_generation_config().get("eos_token_id")) | token_ids(tokenizer.eos_token_id)
        self.chat = Chat(tokenizer, self.model, ends)
        self.context_length = int(config.max_model_len)
        for line in self.chat.notices():
            self.say(line)

    async def complete(self, prompt: Prompt, request: Request) -> Completion:
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            return await self._complete(prompt, request)
        except EngineDeadError:
            raise await self._death() from None
        except SkythoughtError:
            raise
        except Exception as error:
            if self._engine.errored:
                raise await self._death() from error
            return Completion(error=one_line(error.__cause__ or error), parameter=getattr(error, "parameter", None))

    async def _complete(self, prompt: Prompt, request: Request) -> Completion:
        from vllm.inputs import tokens_input
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        params = SamplingParams(**engine_sampling(request, prompt.limit), output_kind=RequestOutputKind.FINAL_ONLY)
        outputs = self._engine.generate(tokens_input(prompt.tokens), params, f"sample-{next(self._numbers)}")
        async with aclosing(outputs):
            async for output in outputs:
                if output.finished:
                    return Completion(output.outputs[0].token_ids, output.outputs[0].finish_reason)
        raise RuntimeError("no output")

    async def _death(self) -> BackendError:
        """Why the engine as a whole is gone; the same for all requests in flight."""
        if self._dead is None:
            await asyncio.sleep(LAST_WORDS_S)
            why = self._processes.why_dead() or "it gave no reason"
            self._failed = True
            self._dead = self._dead or BackendError(
                f"vLLM's engine died: {why}{advice(why)}{self._processes.where} "
                "What was answered is kept; --resume goes on."
            )
        return self._dead

    def _stop(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None and not self._failed:
            self._processes.expect_end()
        if self._on_cpu:
            # There is nothing to hand back, and vLLM's workers would take their five seconds all the same.
            self._processes.kill()
        if engine is not None:
            engine.shutdown()
        self._processes.kill()
        self._processes.append_log(self.engine_log)
        self._processes.close(keep_log=self._failed)
