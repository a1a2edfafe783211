"""One of vLLM's asynchronous engines as we ask it: tokens in, tokens out, and a count that tells whether it works.

This module is sent to the nodes of Ray clusters: it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Asking"]


BEAT_S = 1.0
"""How often it is looked whether the engine has written anything."""


class Asking:
    """An `AsyncLLM`, asked."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._numbers = itertools.count()
        self._open = 0
        """Requests that the engine has."""
        self._written = 0
        """Tokens so far. vLLM tells of a request when that has ended; that it works shows in what its core sends."""
        self._receive = engine.engine_core.get_output_async
        engine.engine_core.get_output_async = self._counted

    async def _counted(self) -> Any:
        outputs = await self._receive()
        for output in outputs.outputs:
            self._written += len(output.new_token_ids)
        return outputs

    async def hang(self, silence: float) -> None:
        """Returns when the engine has requests and has written no token for so many seconds. Waking up is counted, not
        the clock, which runs on while this process stands still or the machine sleeps.
        """
        written, still = 0, 0.0
        while still < silence:
            await asyncio.sleep(BEAT_S)
            still = still + BEAT_S if self._open and written == self._written else 0.0
            written = self._written

    def limits(self) -> tuple[int, list[int], int]:
        """Tokens that prompt and response may have together, those that end a sequence by the model's generation
        config, and how many requests the engine works on at a time.
        """
        config = self._engine.model_config
        ends = config.try_get_generation_config().get("eos_token_id")
        slots = int(self._engine.vllm_config.scheduler_config.max_num_seqs)
        return int(config.max_model_len), [ends] if isinstance(ends, int) else list(ends or ()), slots

    async def complete(self, tokens: Sequence[int], sampling: Mapping[str, Any]) -> tuple[Sequence[int], str | None]:
        """Tokens that follow a prompt, and vLLM's finish reason. Cancelled, it takes the request back.

        Args:
            sampling: Arguments of vLLM's `SamplingParams`.

        Raises:
            Exception: vLLM's own, of many kinds.
        """
        self._open += 1
        try:
            return await self._complete(tokens, sampling)
        finally:
            self._open -= 1

    async def _complete(self, tokens: Sequence[int], sampling: Mapping[str, Any]) -> tuple[Sequence[int], str | None]:
        from vllm.inputs import tokens_input
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        params = SamplingParams(**sampling, output_kind=RequestOutputKind.FINAL_ONLY)
        if hasattr(params, "skip_clone"):  # nobody else has it, and a deep copy a request costs
            params.skip_clone = True
        outputs = self._engine.generate(tokens_input(list(tokens)), params, f"sample-{next(self._numbers)}")
        try:
            output = await anext(outputs)
        finally:
            await outputs.aclose()
        return output.outputs[0].token_ids, output.outputs[0].finish_reason
