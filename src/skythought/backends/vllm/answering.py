"""What the backends that run vLLM share, wherever its engines are: tokens go to an engine, and tokens come back."""

from __future__ import annotations

import abc
import re
import time
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, NamedTuple, TypeVar

from skythought.backends.base import ConcurrentBackend
from skythought.backends.chat import Chat, Prompt, before_stop
from skythought.backends.vllm.args import OPTION, VLLMArgs
from skythought.backends.vllm.engine import MODEL_FILES
from skythought.backends.vllm.source import engine_sampling_names
from skythought.errors import UserError
from skythought.types import ENGINE_PARAMETERS, Request, Response, SamplingParams

__all__ = ["Completion", "TokenBackend"]

A = TypeVar("A", bound=VLLMArgs)

NOT_FOR_USERS = frozenset(
    {
        *("n", "seed"),  # options of their own
        *("detokenize", "output_kind", "output_text_buffer_length", "skip_clone", "spaces_between_special_tokens"),
        *("stream_interval", "trace_decode_token_ids", "routed_experts_prompt_start", "skip_reading_prefix_cache"),
        *("logprobs", "prompt_logprobs", "prompt_logprob_token_ids", "prompt_logprob_start"),
        *("logprob_token_ids", "flat_logprobs"),
    }
)
"""Fields of vLLM's `SamplingParams` that are set elsewhere, or of which nothing would be kept."""


class Completion(NamedTuple):
    """What an engine made of one prompt."""

    tokens: Sequence[int] = ()
    finish_reason: str | None = None
    error: str | None = None
    """Why there is none, one line."""
    parameter: str | None = None
    """The sampling parameter that the engine refuses."""


class TokenBackend(ConcurrentBackend[A]):
    """Prompts become tokens here, with the model's own chat template, and tokens become text, once, at their end."""

    sampling: ClassVar[frozenset[str]] = frozenset(
        {
            "temperature",
            "top_p",
            "max_tokens",
            "top_k",
            "min_p",
            "repetition_penalty",
            "frequency_penalty",
            "presence_penalty",
            "stop",
            "reasoning_effort",
            *ENGINE_PARAMETERS,
        }
    )
    weights_files: ClassVar[tuple[str, ...]] = MODEL_FILES
    chat: Chat
    """Set when the engine is there."""

    @classmethod
    def sampling_names(cls) -> frozenset[str]:
        known = engine_sampling_names()
        if known is None:
            return cls.sampling
        return cls.sampling & (known | {"reasoning_effort"}) | (known - NOT_FOR_USERS)

    @classmethod
    def check_sampling(cls, sampling: SamplingParams, args: A) -> None:
        told = {"reasoning_parser", "reasoning_config"} & args.engine_values().keys()
        if sampling.engine.get("thinking_token_budget") is not None and not told:
            raise UserError(
                "thinking_token_budget: vLLM must know the tags of the model: --backend-args reasoning_parser=qwen3"
                ' or reasoning_config=\'{"reasoning_start_str": "<think>", "reasoning_end_str": "</think>"}\'.'
            )

    def get_ready(self, tokenizer: Any, context: int, ends: Collection[int]) -> None:
        """The engine is there.

        Args:
            tokenizer: As vLLM loads it.
            context: Tokens that prompt and response may have together.
            ends: Tokens that end a sequence by the model's generation config, beside that of the tokenizer.

        Raises:
            UserError: The tokenizer is Mistral's own, which takes its own kinds of messages only.
        """
        if not hasattr(tokenizer, "added_tokens_decoder"):
            raise UserError(
                f"model {self.model.model_id!r}: its tokenizer ({type(tokenizer).__name__}) has no chat template; "
                f"{OPTION} tokenizer_mode=hf loads the one of transformers."
            )
        self.chat = Chat(tokenizer, self.model, {*ends, tokenizer.eos_token_id} - {None})
        self.context_length = context
        for line in self.chat.notices():
            self.say(line)

    @abc.abstractmethod
    async def complete(self, prompt: Prompt, request: Request) -> Completion:
        """Let an engine answer one prompt. Cancelled, it takes the request back.

        Raises:
            SkythoughtError: No further request makes sense.
        """

    async def answer(self, request: Request) -> Response:
        """The response to one request, a failed one included.

        Raises:
            SkythoughtError: No further request makes sense.
        """
        started = time.perf_counter()
        prompt = self.chat.prompt(request, self.context_length, self.say)
        if isinstance(prompt, Response):
            return prompt
        done = await self.complete(prompt, request)
        if done.error is not None and _blames(done, request.sampling):
            # The parameters are the same for all requests, so the first one tells.
            raise UserError(f"vLLM refuses the sampling parameters: {done.error}")
        seconds, read, written = time.perf_counter() - started, len(prompt.tokens), len(done.tokens)
        if done.error is not None:
            return request.failed(f"vLLM: {done.error}", prompt_tokens=read)
        if done.finish_reason in ("abort", "error"):
            why = f"vLLM gave the request up ({done.finish_reason})"
            return request.failed(why, prompt_tokens=read, completion_tokens=written, seconds=seconds)
        text, _ = before_stop(self.chat.text(prompt.tokens, done.tokens, request.sampling), request.sampling)
        return request.response(
            text,
            finish_reason=done.finish_reason,
            prompt_tokens=read,
            completion_tokens=written,
            seconds=seconds,
            thinking_open=prompt.thinking_open,
        )


def _blames(done: Completion, sampling: SamplingParams) -> bool:
    """Whether an engine's error is about a sampling parameter; of its own ones it often names it in words only."""
    words = re.findall(r"\w+", done.error or "")
    return done.parameter in sampling.as_dict() or any(name in words for name in sampling.engine)
