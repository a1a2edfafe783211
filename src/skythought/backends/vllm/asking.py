"""One of vLLM's asynchronous engines as we ask it: tokens in, tokens out, and a count that tells whether it works.

This module is sent to the nodes of Ray clusters: it imports nothing of ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Asking"]


class Asking:
    """An `AsyncLLM`, asked."""

    def __init__(self, engine: Any) -> None:
        self.written = 0
        """Tokens so far, all requests together. vLLM tells of a request when that has ended; that it is at work shows
        in what comes from its core.
        """
        self._engine = engine
        self._numbers = itertools.count()
        self._receive = engine.engine_core.get_output_async
        engine.engine_core.get_output_async = self._counted

    async def _counted(self) -> Any:
        outputs = await self._receive()
        for output in outputs.outputs:
            self.written += len(output.new_token_ids)
        return outputs

    async def complete(self, tokens: Sequence[int], sampling: Mapping[str, Any]) -> tuple[Sequence[int], str | None]:
        """Tokens that follow a prompt, and vLLM's finish reason. Cancelled, it takes the request back.

        Args:
            sampling: Arguments of vLLM's `SamplingParams`.

        Raises:
            Exception: vLLM's own, of many kinds.
        """
        from vllm.inputs import tokens_input
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        params = SamplingParams(**sampling, output_kind=RequestOutputKind.FINAL_ONLY)
        outputs = self._engine.generate(tokens_input(list(tokens)), params, f"sample-{next(self._numbers)}")
        try:
            output = await anext(outputs)
        finally:
            await outputs.aclose()
        return output.outputs[0].token_ids, output.outputs[0].finish_reason
