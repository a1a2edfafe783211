"""What is given to `evaluate` and its like from Python: checked by name and type, as the command line's options are.

An argument that is none is told where such a thing belongs, or what it is called here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from skythought.calls import require_fitting, require_type
from skythought.config import TaskConfig, known_names
from skythought.errors import UserError
from skythought.pipeline.configfile import read_config
from skythought.pipeline.options import Options
from skythought.pipeline.suite import Suite, make_suite
from skythought.printable import shortened
from skythought.redaction import is_secretive
from skythought.types import ENGINE_PARAMETERS, SamplingParams

__all__ = ["declared", "suite_of", "text_of"]

T = TypeVar("T")

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


def suite_of(called: str, given: Mapping[str, Any], config: str | Path | None, base: Mapping[str, Any]) -> Suite:
    """What `evaluate` or `generate` is asked for. `base`: defaults, under what the file says."""
    given = {name: value for name, value in given.items() if value is not None or name not in ("task", "model")}
    given |= {name: _texts(name, given[name]) for name in ("task", "model") if name in given}
    hints = get_type_hints(Options)
    _require_in_place(called, given, hints)
    require_fitting(called, inspect.signature(Options), (), {"task": (), "model": "", **given})
    for name, value in given.items():
        if name not in ("task", "model"):
            require_type(called, name, value, hints[name])
    file = None if config is None else read_config(config)
    return make_suite(given, grade=called == "evaluate", base=base, config=file)


def _texts(name: str, value: Any) -> str | list[str]:
    """A task or model as text, or several."""
    return [text_of(name, part) for part in value] if isinstance(value, list | tuple) else text_of(name, value)


def text_of(name: str, value: Any) -> str:
    """A name as it is; a path as text that is one, also where it could be a name."""
    if not isinstance(value, str | Path):
        raise UserError(f"{name}: a name, a path or a list of these, not {type(value).__name__}.")
    return f"./{value}" if isinstance(value, Path) and len(value.parts) == 1 else str(value)


def declared(called: str, kind: type[T], options: Mapping[str, Any]) -> T:
    """Options given to a function, checked by name and type, as the dataclass that declares them."""
    require_fitting(called, inspect.signature(kind), (), options)
    hints = get_type_hints(kind)
    for name, value in options.items():
        require_type(called, name, value, hints[name])
    return kind(**options)


def _require_in_place(called: str, given: dict[str, Any], known: Iterable[str]) -> None:
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
