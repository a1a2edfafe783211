"""The arguments of `--backend vllm`: those of vLLM's engine, and what `--reproducible` makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Optional, TypeVar, Union

from pydantic import ConfigDict, Field, SecretStr, create_model

from skythought.backends.base import UNHASHED, BackendArgs, with_switches
from skythought.backends.vllm.source import Argument, engine_arguments
from skythought.config import check
from skythought.errors import UserError, did_you_mean

__all__ = ["BATCH_INVARIANT", "OPTION", "VLLMArgs", "check_engine_args", "reproducible_engine_args"]

OPTION = "--backend-args"

OURS = {
    "model": "it is set by --model",
    "skip_tokenizer_init": "the model's tokenizer is needed to make the prompts",
}
"""Arguments of the engine that are not for the user to give here, and why."""

SECRET = frozenset({"hf_token"})

SPEED_ONLY = frozenset(
    {
        "aggregate_engine_logging",
        "block_size",
        "cpu_offload_gb",
        "data_parallel_size",
        "data_parallel_size_local",
        "disable_log_stats",
        "distributed_executor_backend",
        "download_dir",
        "enable_log_requests",
        "gpu_memory_utilization",
        "hf_token",
        "kv_cache_memory_bytes",
        "log_config_file",
        "log_level",
        "logging_config",
        "max_num_batched_tokens",
        "max_num_seqs",
        "max_parallel_loading_workers",
        "num_gpu_blocks_override",
        "pipeline_parallel_size",
        "safetensors_load_strategy",
        "swap_space",
        "tensor_parallel_size",
        "use_tqdm_on_load",
    }
)
"""Where and how fast the engine runs, as the number of requests in flight: a run that stopped for want of memory, or
that moves to another machine, goes on with other values of these. (Their influence on rounding:
docs/reproducibility.md.)"""

BATCH_INVARIANT = "VLLM_BATCH_INVARIANT"
"""vLLM's variable for kernels whose sums do not depend on what else is in the batch; no engine argument does that. It
is set where the engine runs, before it starts, and on GPUs only: on the CPU the engine dies of it."""

CASCADE = "disable_cascade_attn"
"""Of vLLM before 0.32, where it is a plain bool. Later ones have no cascade attention and warn of the argument."""

SWITCHES: dict[str, Any] = {
    "dtype": "float32",
    "kv_cache_dtype": "auto",  # that of the model
    "seed": 0,
    "batch_invariant": True,
    "enforce_eager": True,  # compiled code and CUDA graphs are chosen by the size of the batch
    "enable_prefix_caching": False,  # a prompt is computed whole, whoever came before it
    CASCADE: True,  # another kernel where many prompts begin alike
}
"""What `--reproducible` sets. Where the installed vLLM has no such argument, it is left out.

Not among them: chunked prefill (vLLM does not support switching it off everywhere, and its batch-invariant kernels sum
in the same order however a prompt is cut; on the CPU the backend switches it off anyway), and asynchronous scheduling,
which decides when a step is planned, not what it computes.
"""


class VLLMArgs(BackendArgs):
    """Arguments of the `vllm` backend; `check_engine_args` derives a class with those of vLLM's engine as fields."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    engine_names: ClassVar[tuple[str, ...]] = ()
    """The engine's arguments that were given: fields of this class."""

    batch_invariant: bool = False
    """Run the engine with vLLM's `VLLM_BATCH_INVARIANT`, which is no argument of it but a variable."""
    silence: float = Field(default=300, gt=0, json_schema_extra=UNHASHED)
    """Seconds without a token after which an engine that has requests counts as hung."""

    def engine_values(self) -> dict[str, Any]:
        """The engine's arguments that were given, secrets in the clear, for vLLM."""
        given = {name: getattr(self, name) for name in self.engine_names}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in given.items()
        }


T = TypeVar("T", bound=VLLMArgs)


def check_engine_args(base: type[T], values: Mapping[str, Any]) -> T:
    """`values` checked: names and types of the engine's arguments as the installed vLLM has them, the others by `base`.

    Where vLLM is not installed, or of an unknown form, any name passes for an argument of the engine.

    Raises:
        UserError: An unknown name (with the nearest right one), a value of the wrong type, or one that is not the
            user's to set.
    """
    known = engine_arguments()
    fields: dict[str, Any] = {}
    for name in values:
        if name in base.model_fields:
            continue
        if name in OURS:
            raise UserError(f"{OPTION}: {name!r} cannot be given: {OURS[name]}.")
        if known is not None and name not in known:
            near = did_you_mean(name, (known.keys() | base.model_fields.keys()) - OURS.keys())
            raise UserError(f"{OPTION}: neither vLLM nor this backend has an argument {name!r}.{near}")
        extra = UNHASHED if name in SPEED_ONLY else None
        fields[name] = (_type_of(name, known), Field(default=None, json_schema_extra=extra))
    model: type[T] = create_model(base.__name__, __base__=base, **fields)
    model.engine_names = tuple(fields)
    return check(model, values, OPTION)


def _type_of(name: str, known: Mapping[str, Argument] | None) -> Any:
    if name in SECRET:
        return Union[SecretStr, bool, None]  # noqa: UP007 -- made at run time
    return Any if known is None else Optional[known[name].type()]  # noqa: UP045


def reproducible_engine_args(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """`Backend.reproducible` for vLLM's engine, wherever it runs.

    Whoever starts the engine must set `BATCH_INVARIANT` to 1 in its environment if `VLLMArgs.batch_invariant` is true
    and it runs on a GPU.
    """
    known = engine_arguments()
    switches = {name: value for name, value in SWITCHES.items() if known is None or _has_switch(known, name)}
    remains = [
        "--reproducible: the same numbers with any number of requests in flight, in any order, broken or not. "
        "Another kind of GPU or CPU, tensor_parallel_size or pipeline_parallel_size, or version of vLLM or "
        "torch may change them."
    ]
    for name, why in {
        "speculative_config": "drafts are checked in steps of other shapes",
        "quantization": "quantized kernels do not compute in float32",
    }.items():
        if values.get(name):
            remains.append(f"--reproducible: {name} may make numbers depend on the batch: {why}.")
    return with_switches(values, switches), remains


def _has_switch(known: Mapping[str, Argument], name: str) -> bool:
    if name == CASCADE:
        return name in known and known[name].type() is bool
    return name in known or name in VLLMArgs.model_fields
