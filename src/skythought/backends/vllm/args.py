"""The arguments of vLLM's engine, read from the source of the installed vLLM.

Importing vLLM loads torch and takes ten seconds and more; a mistyped argument should show at once. So the dataclass
`EngineArgs` is parsed, never imported: names are exact for the version at hand, and so are the types that can be told
from the source (numbers, strings, lists of allowed words). The rest is left to vLLM itself.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Optional, Union

from pydantic import ConfigDict, Field, SecretStr, create_model

from skythought.backends.base import BackendArgs, with_switches
from skythought.config import check
from skythought.errors import UserError, did_you_mean

__all__ = ["BATCH_INVARIANT", "OPTION", "VLLMArgs", "check_engine_args", "engine_arguments", "reproducible_engine_args"]

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

SCALARS: dict[str, Any] = {"int": int, "float": float, "bool": bool, "str": str, "None": None}
CONTAINERS: dict[str, Any] = {"list": list, "dict": dict, "set": set}


class VLLMArgs(BackendArgs):
    """Arguments of the `vllm` backend: those of the engine of the installed vLLM, by the names that it gives them.

    `check_engine_args` derives a class with a field for each argument that was given. This one takes anything, where
    vLLM is not installed.
    """

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    batch_invariant: bool = False
    """Ours: run the engine with vLLM's `VLLM_BATCH_INVARIANT`, which is no argument of it but a variable."""

    def engine_values(self) -> dict[str, Any]:
        """The arguments that were given, secrets in the clear, for vLLM; ours left out."""
        given = dict(self.__pydantic_extra__ or {}) | {name: getattr(self, name) for name in self.model_fields_set}
        return {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in given.items()
            if name not in VLLMArgs.model_fields
        }


def check_engine_args(values: Mapping[str, Any], base: type[VLLMArgs] = VLLMArgs) -> VLLMArgs:
    """`values` with names and types checked against the installed vLLM; unchecked where there is none.

    Args:
        base: Has fields for the arguments that are not the engine's.

    Raises:
        UserError: An unknown name (with the nearest right one), a value of the wrong type, or one that is not the
            user's to set.
    """
    known = engine_arguments()
    if known is None:
        return base.model_validate(dict(values))
    for name in values:
        if name in OURS:
            raise UserError(f"{OPTION}: {name!r} cannot be given: {OURS[name]}.")
        if name not in known.keys() | base.model_fields.keys():
            names = (known.keys() | base.model_fields.keys()) - OURS.keys()
            raise UserError(f"{OPTION}: vLLM has no engine argument {name!r}.{did_you_mean(name, names)}")
    fields: dict[str, Any] = {
        name: (
            Union[SecretStr, bool, None] if name in SECRET else Optional[known[name].type()],  # noqa: UP007,UP045
            Field(default=None, json_schema_extra={"affects_answers": name not in SPEED_ONLY}),
        )
        for name in values
        if name not in base.model_fields
    }
    model: type[VLLMArgs] = create_model(base.__name__, __base__=base, **fields)
    return check(model, values, OPTION)


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


class Argument(NamedTuple):
    """One argument of the engine, as its source declares it."""

    annotation: ast.expr
    module: Module

    def type(self) -> Any:
        """What values it takes, `Any` if that cannot be told without importing vLLM."""
        return self.module.resolve(self.annotation)


@functools.cache
def engine_arguments() -> Mapping[str, Argument] | None:
    """The arguments of the installed vLLM's asynchronous engine by name; None without vLLM, or with an unknown one."""
    spec = importlib.util.find_spec("vllm")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    module = Module.at(folder, "engine.arg_utils")
    if module is None:
        return None
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef)]
    return {
        line.target.id: Argument(line.annotation, module)
        for node in classes
        if node.name in ("EngineArgs", "AsyncEngineArgs")
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and not line.target.id.startswith("_")
    } or None


class Module:
    """The source of one module of vLLM, as far as it explains annotations."""

    def __init__(self, folder: Path, tree: ast.Module) -> None:
        self.folder = folder
        self.tree = tree

    @classmethod
    @functools.cache
    def at(cls, folder: Path, name: str) -> Module | None:
        """The module `vllm.<name>` of the package in `folder`."""
        path = folder.joinpath(*name.split("."))
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return cls(folder, ast.parse(file.read_text(encoding="utf-8")))
        return None

    def resolve(self, node: ast.expr) -> Any:
        """The type that an annotation means: scalars, containers, literals, unions of these; else `Any`."""
        match node:
            case ast.Constant(value=None):
                return None
            case ast.Constant(value=str(text)):
                return self.resolve(ast.parse(text, mode="eval").body)
            case ast.Name(id=name) if name in SCALARS | CONTAINERS:
                return (SCALARS | CONTAINERS)[name]
            case ast.Name(id=name):
                return self._alias(name)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return Union[self.resolve(left), self.resolve(right)]  # noqa: UP007 -- made at run time
            case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
                return Optional[self.resolve(inner)]  # noqa: UP045
            case ast.Subscript(value=ast.Name(id="Literal"), slice=words):
                return self._words(words.elts if isinstance(words, ast.Tuple) else [words])
            case ast.Subscript(value=ast.Name(id=name)) if name in CONTAINERS:
                return CONTAINERS[name]
        return Any

    def _words(self, nodes: Sequence[ast.expr]) -> Any:
        """The type of a list of allowed words, each a constant or the name of another such list."""
        words = [node.value if isinstance(node, ast.Constant) else self.resolve(node) for node in nodes]
        return Any if Any in words else Literal[tuple(words)]

    def _alias(self, name: str) -> Any:
        """What a name of the module stands for, if it is an alias (`Name = Literal[...]`) of it or one it imports."""
        for line in self.tree.body:
            if isinstance(line, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in line.targets):
                return self.resolve(line.value)
        for line in self.tree.body:
            if isinstance(line, ast.ImportFrom) and line.module and any(name == a.name for a in line.names):
                package, _, inner = line.module.partition(".")
                module = Module.at(self.folder, inner) if package == "vllm" and inner else None
                return module._alias(name) if module else Any
        return Any
