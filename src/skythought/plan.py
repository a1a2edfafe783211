"""From what a user asks for to checked configurations: everything that can be wrong is found here, before any engine,
dataset or heavy import.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from skythought import catalog
from skythought.backends.base import Backend, BackendArgs
from skythought.config import (
    AS_TEST_PROBLEMS,
    BackendConfig,
    ModelConfig,
    RunConfig,
    TaskConfig,
    check,
    is_secretive,
    sampling_params,
    scrubbed,
)
from skythought.errors import UserError
from skythought.models.library import load_model
from skythought.scorers._judge import sandboxed
from skythought.tasks.load import load_task
from skythought.types import SamplingParams

__all__ = ["Options", "Plan", "make_plan"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `evaluate` and `generate` take, on the command line and from Python; docs/cli.md tells each."""

    task: tuple[str, ...]
    model: str
    backend: str | None = None
    backend_args: Mapping[str, Any] = field(default_factory=dict)
    sampling_params: Mapping[str, Any] = field(default_factory=dict)
    task_args: Mapping[str, Any] = field(default_factory=dict)
    n: int | None = None
    seed: int = 41
    batch_size: int | None = None
    """Requests in flight; None = what suits the backend."""
    model_config: str | Path | None = None
    """A file of model presets that go before the user's own and the library's; docs/models.md."""
    system_prompt: str | None = None
    system_prompt_name: str | None = None
    user_template: str | None = None
    assistant_prefill: str | None = None
    chat_template_kwargs: Mapping[str, Any] | None = None
    result_dir: str | Path | None = None
    overwrite: bool = False
    resume: bool = False
    resume_from: str | Path | None = None
    start: int = 0
    end: int = -1
    as_test: bool = False
    reproducible: bool = False
    """Set float32 and every switch that the backend has for numbers that do not depend on the batch."""
    sandbox: str = "auto"
    """How programs are run: "auto" (every layer of protection there is) or "strict" (not without isolation)."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Checked: one configuration a task, one backend for all of them."""

    options: Options
    configs: tuple[RunConfig, ...]
    model: ModelConfig
    backend_class: type[Backend]
    backend_args: BackendArgs
    judge: bool
    notices: tuple[str, ...]

    def backend(self) -> Backend:
        """The backend, not yet started."""
        return self.backend_class(self.model, self.backend_args, batch_size=self.configs[0].batch_size)


def make_plan(options: Options, *, judge: bool) -> Plan:
    """Check everything that was asked.

    Args:
        judge: Whether responses are scored as well (`evaluate`) or only generated.

    Raises:
        UserError: Whatever is wrong, one line.
    """
    notices: list[str] = []
    _check_mappings(options)
    _check_folders(options)
    tasks = [load_task(name, options.task_args) for name in options.task]
    if judge:
        tasks = [sandboxed(task, options.sandbox) for task in tasks]
    model = load_model(
        options.model,
        system_prompt_name=options.system_prompt_name,
        system_prompt=options.system_prompt,
        user_template=options.user_template,
        assistant_prefill=options.assistant_prefill,
        chat_template_kwargs=None if options.chat_template_kwargs is None else dict(options.chat_template_kwargs),
        model_config=options.model_config,
    )
    name = (options.backend or _default_backend(notices)).lower()
    backend_class = catalog.find_class("backends", name, "backend")
    values = options.backend_args
    args = backend_class.check_args(values)
    if options.reproducible:
        values, remains = backend_class.reproducible(values)
        args = backend_class.check_args(values)
        notices.extend(remains)
    _say_system_prompt(options, model, notices)
    preset = _preset_sampling(options, model, backend_class, notices)
    sampling, n = _sampling(options, preset, notices)
    _require_support(name, backend_class, sampling)
    _require_installed(name, backend_class)
    backend = _backend_config(name, args, args.recorded(values))
    in_flight = backend_class.default_batch_size
    configs = tuple(_run_config(options, task, model, backend, sampling, n, in_flight) for task in tasks)
    _check_folders_differ(configs)
    return Plan(
        options=options,
        configs=configs,
        model=model,
        backend_class=backend_class,
        backend_args=args,
        judge=judge,
        notices=tuple(notices),
    )


def _check_mappings(options: Options) -> None:
    for name in ("backend_args", "sampling_params", "task_args", "chat_template_kwargs"):
        value = getattr(options, name)
        if value is not None and not isinstance(value, Mapping):
            raise UserError(f"{name} is a dictionary, such as {{'key': 'value'}}, not {type(value).__name__}.")


def _check_folders(options: Options) -> None:
    if not options.task:
        raise UserError("--task: no task given; `skythought tasks` lists them.")
    if options.resume and options.overwrite:
        raise UserError("--resume and --overwrite exclude each other: continue the run, or start it anew.")
    if options.resume_from is not None and options.overwrite:
        raise UserError("--resume-from and --overwrite exclude each other: continue the run, or start it anew.")
    if options.resume_from is not None and len(options.task) > 1:
        raise UserError("--resume-from names the folder of one run; give one --task with it.")
    if options.resume_from is None and options.result_dir is None:
        raise UserError("where should results go? Give --result-dir DIR, or --resume-from DIR to continue a run.")


def _check_folders_differ(configs: Sequence[RunConfig]) -> None:
    names = [config.folder_name for config in configs]
    for config in configs:
        if names.count(config.folder_name) > 1:
            raise UserError(f"--task: {config.task.name!r} is given twice.")


def _default_backend(notices: list[str]) -> str:
    """vLLM where it is installed, else transformers; said, because it decides what runs."""
    for name, modules in {"vllm": ("vllm",), "transformers": ("torch", "transformers")}.items():
        if all(importlib.util.find_spec(module) for module in modules) and name in catalog.module_names("backends"):
            notices.append(f"backend: {name} (the default where it is installed; --backend chooses another)")
            return name
    raise UserError(
        "no backend is installed for running a model here: pip install 'skythought[vllm]' (GPU) or "
        "'skythought[transformers]', or give --backend openai with the base_url of an endpoint."
    )


def _say_system_prompt(options: Options, model: ModelConfig, notices: list[str]) -> None:
    """Nobody should wonder about a system prompt that they did not write."""
    if model.system_prompt and options.system_prompt is None and options.system_prompt_name is None:
        text = " ".join(model.system_prompt.split())
        shown = text if len(text) <= 60 else text[:57] + "..."
        notices.append(
            f"system prompt of the preset for {options.model}: {shown!r}; --system-prompt '' switches it off"
        )


def _preset_sampling(
    options: Options, model: ModelConfig, backend_class: type[Backend], notices: list[str]
) -> dict[str, Any]:
    """What the model's preset samples with, as far as the user says nothing and the backend can; said in a notice."""
    given = options.sampling_params
    if given.get("temperature") == 0 or not model.sampling_params:
        return {}  # greedy: nothing else of the preset has any effect
    used = {key: value for key, value in model.sampling_params.items() if key not in given}
    missing = sorted(set(used) - backend_class.sampling)
    used = {key: value for key, value in used.items() if key in backend_class.sampling}
    if missing:
        notices.append(
            f"not sent, for the backend has no such parameter: {', '.join(missing)} (recommended for the model)"
        )
    if used:
        told = ", ".join(
            f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}" for key, value in used.items()
        )
        notices.append(
            f"sampling with {told}, as recommended for {options.model} (`skythought models {options.model}`); "
            "--sampling-params replaces any of it (temperature=0: greedy, as for models without a preset)"
        )
    return used


def _sampling(options: Options, preset: Mapping[str, Any], notices: list[str]) -> tuple[SamplingParams, int]:
    """The user's sampling parameters over the model's, and how many samples a problem."""
    values = {**preset, **options.sampling_params}
    n = values.pop("n", None)
    if options.n is not None:
        n = options.n
    n = 1 if n is None else n
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise UserError(f"--n must be a whole number of at least 1, not {n!r}.")
    asked = values.get("max_tokens")
    sampling = sampling_params(values, as_test=options.as_test)
    if options.as_test and asked is not None and asked != sampling.max_tokens:
        notices.append(f"--as-test: max_tokens is {sampling.max_tokens}, not the {asked} asked for")
    if n > 1 and sampling.temperature == 0:
        notices.append(
            f"n is 1, not {n}: at temperature 0 all samples of a problem are the same; "
            "for more, set --sampling-params temperature=0.6 or so"
        )
        n = 1
    return sampling, n


def _require_support(name: str, backend_class: type[Backend], sampling: SamplingParams) -> None:
    missing = sorted(set(sampling.as_dict()) - backend_class.sampling)
    if missing:
        raise UserError(
            f"sampling parameter {missing[0]!r} is not supported by backend {name!r}. "
            f"Supported: {', '.join(sorted(backend_class.sampling))}."
        )


def _require_installed(name: str, backend_class: type[Backend]) -> None:
    for module in backend_class.requires:
        if importlib.util.find_spec(module) is None:
            raise UserError(f"backend {name!r} needs the package {module!r}: pip install 'skythought[{name}]'.")


def _backend_config(name: str, args: BackendArgs, given: Mapping[str, Any]) -> BackendConfig:
    """What is recorded of the backend's arguments: all that were given, except secrets."""
    recorded: dict[str, Any] = {}
    identity: dict[str, Any] = {}
    for key in given:
        info = type(args).model_fields.get(key)  # None: an engine argument that is passed through
        if is_secretive(key) or (info is not None and _is_secret(info.annotation)):
            continue
        value = scrubbed(_plain(given[key]))
        recorded[key] = value
        extra = info.json_schema_extra if info is not None else None
        if not (isinstance(extra, dict) and extra.get("affects_answers") is False):
            identity[key] = value
    return BackendConfig(name=name, args=recorded, identity=identity)


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _run_config(
    options: Options,
    task: TaskConfig,
    model: ModelConfig,
    backend: BackendConfig,
    sampling: SamplingParams,
    n: int,
    default_batch_size: int,
) -> RunConfig:
    if options.start < 0:
        raise UserError(f"--start must be 0 or more, not {options.start}.")
    if options.batch_size is not None and options.batch_size < 1:
        raise UserError(f"--batch-size must be 1 or more, not {options.batch_size}.")
    end = options.end
    if options.as_test:
        cap = options.start + AS_TEST_PROBLEMS
        end = cap if end < 0 else min(end, cap)
    return check(
        RunConfig,
        {
            "task": task,
            "model": model,
            "backend": backend,
            "sampling": sampling,
            "n": n,
            "seed": options.seed,
            "start": options.start,
            "end": end,
            "batch_size": options.batch_size or default_batch_size,
            "as_test": options.as_test,
            "reproducible": options.reproducible,
        },
        "options",
    )
