"""Arguments of `evaluate` from Python that are none: where such a thing belongs, or what it is called here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skythought.config import TaskConfig, known_names
from skythought.errors import UserError
from skythought.printable import shortened
from skythought.redaction import is_secretive
from skythought.types import ENGINE_PARAMETERS, SamplingParams

__all__ = ["require_in_place"]

CALLED_ELSEWHERE = {
    "end": "limit max_samples max_examples max_problems num_problems num_examples n_problems",
    "n": "n_samples num_samples samples num_generations num_return_sequences repeats epochs",
    "result_dir": "output_dir output_path output out_dir save_dir results_dir",
    "batch_size": "num_concurrent max_concurrency workers max_connections",
    "model": "model_name model_path model_id pretrained models",
    "task": "tasks benchmark benchmarks dataset",
    "system_prompt": "system system_message system_instruction",
    "assistant_prefill": "prefill",
    "user_template": "prompt_template",
    "backend": "engine provider",
    "overwrite": "force rerun",
}
"""Our option, and what other tools call it."""
PARTS = {
    "chat_template_kwargs": {"enable_thinking", "thinking", "thinking_budget"},
    "sampling_params": {*known_names(SamplingParams), *ENGINE_PARAMETERS} - {"engine"},
    "task_args": {*TaskConfig.model_fields} - {"name", "source", "version"},
    "backend_args": {
        *("tensor_parallel_size", "pipeline_parallel_size", "gpu_memory_utilization", "max_model_len", "max_num_seqs"),
        *("dtype", "device", "quantization", "revision", "trust_remote_code", "enforce_eager", "num_replicas"),
        *("base_url", "api_key", "organization", "timeout", "max_retries", "concurrency", "extra_body"),
    },
}
"""Our option that takes several values, and which it takes; of the backends' own those that are well known."""
MEANT = {"max_new_tokens": "max_tokens", "max_completion_tokens": "max_tokens", "tp": "tensor_parallel_size"}
"""Values that have another name here."""


def require_in_place(called: str, given: dict[str, Any], known: Iterable[str]) -> None:
    """Refuse an argument that belongs into another one, or is called otherwise.

    Args:
        called: The function, for the message.
        given: Arguments by name.
        known: The function's own.

    Raises:
        UserError: One line that says what to write.
    """
    for name, value in given.items():
        if name in known:
            continue
        key = MEANT.get(name, name)
        for option, parts in PARTS.items():
            if key in parts:
                shown = "..." if is_secretive(key) else shortened(repr(value), 60)
                raise UserError(f"{called}(): {name!r} belongs in {option}: {option}={{{key!r}: {shown}}}.")
        for option, names in CALLED_ELSEWHERE.items():
            if name in names.split():
                what = " (the problem to stop before)" if option == "end" else ""
                raise UserError(f"unknown argument of {called}() {name!r}. Here it is {option!r}{what}.")
