"""What the backends `vllm` and `ray` share around vLLM's engine: the model's files, sampling, the CPU, advice."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from skythought.backends.vllm.args import BATCH_INVARIANT, OPTION, VLLMArgs
from skythought.errors import UserError
from skythought.types import Request

__all__ = [
    "KEPT",
    "MODEL_FILES",
    "advice",
    "engine_sampling",
    "needed_on_cpu",
    "silence",
    "variables",
]

CPU_CACHE = "VLLM_CPU_KVCACHE_SPACE"
"""vLLM's variable for the memory of its cache on the CPU, in GiB."""

MOST_CPU_CACHE = 4 * 2**30
"""Bytes for the cache on the CPU where the user says nothing."""

MODEL_FILES = ("config.json", "params.json")
"""One of these is in a folder that vLLM can load; the second is Mistral's own."""

NO_INVARIANCE = "vLLM has its kernels for batch invariance on GPUs only; here, on the CPU, float32 has to do."
"""Said where `batch_invariant` is asked for on a CPU."""


KEPT = "What was answered is kept; --resume goes on."
"""For the end of a message about an engine that is gone."""

OBJECTS = {"repetition_detection": "RepetitionDetectionParams", "structured_outputs": "StructuredOutputsParams"}
"""Sampling parameters whose values are objects of vLLM's, and their classes."""


def silence() -> None:
    """Switch off the libraries' progress bars, which would break into the display of the command line."""
    import huggingface_hub.utils

    huggingface_hub.utils.disable_progress_bars()  # type: ignore[attr-defined]


def needed_on_cpu(given: Mapping[str, Any]) -> dict[str, Any]:
    """Engine arguments without which vLLM would often fail on a machine without a GPU, beside those `given`."""
    import psutil  # type: ignore[import-untyped,unused-ignore]  # a dependency of vLLM

    needed: dict[str, Any] = {}
    # A prompt that is read in two steps rewinds the generator of a request with a seed, which torch's generators for
    # the CPU cannot do: the engine dies of it ("CPU Generator does not use offset").
    if "max_num_batched_tokens" not in given:
        needed["enable_chunked_prefill"] = False
    # Otherwise vLLM wants nearly all of the memory for its cache, and refuses to start where some of it is in use.
    if not {"gpu_memory_utilization", "kv_cache_memory_bytes"} & given.keys() and not os.environ.get(CPU_CACHE):
        needed["kv_cache_memory_bytes"] = min(MOST_CPU_CACHE, psutil.virtual_memory().available // 4)
    return needed


def variables(args: VLLMArgs, *, on_cpu: bool, say: Callable[[str], object]) -> dict[str, str]:
    """What must be set where the engine runs."""
    if args.batch_invariant and on_cpu:
        say(NO_INVARIANCE)
    return {BATCH_INVARIANT: "1"} if args.batch_invariant and not on_cpu else {}


def engine_sampling(request: Request, limit: int) -> dict[str, Any]:
    """Arguments of vLLM's `SamplingParams` for one request that may write `limit` tokens."""
    sampling = request.sampling
    given = {name: _of_vllm(name, value) for name, value in sampling.as_dict().items() if name != "reasoning_effort"}
    if "min_tokens" in given:
        given["min_tokens"] = min(given["min_tokens"], limit)
    return given | {
        "max_tokens": limit,
        "seed": None if sampling.temperature == 0 else request.seed,
        # We make the text ourselves, once; vLLM would a token at a time, which it must to find stop strings.
        "detokenize": sampling.stop is not None,
        "skip_special_tokens": False,
    }


def _of_vllm(name: str, value: Any) -> Any:
    """A value as vLLM wants it: some are objects of its own, and JSON has no numbers as keys."""
    if name == "logit_bias":
        return {int(token): bias for token, bias in value.items()}
    if name not in OBJECTS:
        return value
    import vllm.sampling_params

    try:
        return getattr(vllm.sampling_params, OBJECTS[name])(**value)
    except Exception as error:
        why = " ".join(str(error).split())
        raise UserError(f"vLLM refuses the sampling parameter {name}: {why}") from error


def advice(why: str) -> str:
    """Arguments that help against a lack of memory, for the end of a message; empty if that is not why."""
    if "memory" not in why.lower() or "utilization" in why.lower():
        return ""
    return (
        f" ({OPTION}: a lower max_model_len, max_num_seqs or gpu_memory_utilization, "
        "or more GPUs by tensor_parallel_size)"
    )
