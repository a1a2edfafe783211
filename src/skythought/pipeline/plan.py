"""From what a user asks for to checked configurations: everything that can be wrong is found here, before any engine,
dataset or heavy import.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from skythought import catalog
from skythought.backends.base import Backend, BackendArgs
from skythought.calls import require_plain
from skythought.config import (
    AS_TEST_PROBLEMS,
    MOST_IN_FLIGHT,
    MOST_PROBLEMS,
    MOST_SAMPLES,
    BackendConfig,
    ModelConfig,
    RunConfig,
    TaskConfig,
    check,
    is_secretive,
    sampling_params,
    scrubbed,
)
from skythought.errors import UserError, did_you_mean
from skythought.models.library import load_model, model_names
from skythought.pipeline.conditions import Conditions, conditions
from skythought.pipeline.engine import Engine
from skythought.pipeline.failures import check_max_failures
from skythought.pipeline.judge import Judge
from skythought.pipeline.options import JudgeOptions, Options
from skythought.pipeline.recorded import model_of, task_of
from skythought.pipeline.shards import checked_shard
from skythought.pipeline.votes import check_form
from skythought.printable import shortened
from skythought.runs.metrics import require_ks, whole_numbers
from skythought.scorers.base import ModelScorer
from skythought.scorers.registry import sandboxed, scorer_of
from skythought.tasks.load import load_task
from skythought.types import SamplingParams

__all__ = ["Plan", "make_judge", "make_plan"]

JUDGE_MAPPINGS = ("judge_backend_args", "judge_sampling_params")
UNOWNED = ("gpt2", "distilgpt2", "openai-gpt", "ctrl", "xlnet")
"""Beginnings of hub ids without an owner, from the hub's first days."""
JUDGE_TOKENS = 4096
"""What a judge may write where nothing else is said: a verdict with its reasons, not an essay."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Checked: one configuration a task, one engine for all of them."""

    options: Options
    configs: tuple[RunConfig, ...]
    engine: Engine
    grade: bool
    """Whether responses are graded as well (`evaluate`) or only generated."""
    judge: Judge | None
    """Whom scorers ask, if any of the tasks' does."""
    notices: tuple[str, ...]
    conditions: Conditions | None = None
    """By which less than everything is asked."""


def make_plan(options: Options, *, grade: bool, recorded: RunConfig | None = None) -> Plan:
    """Check everything that was asked.

    Args:
        grade: Whether responses are graded where no verdicts are needed to choose what is asked.
        recorded: A run that the options are of (`options_of`): its task is taken as it was.

    Raises:
        UserError: Whatever is wrong, one line.
    """
    _check_mappings(options)
    _check_plain(options)
    _check_numbers(options)
    _check_texts(options)
    _check_folders(options)
    grade = grade or options.until_correct is not None
    tasks = [
        task_of(recorded, options.task_args)
        if recorded is not None and name == recorded.task.name
        else load_task(name, options.task_args)
        for name in options.task
    ]
    if grade:
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
    if recorded is not None:
        model = model_of(recorded, model)
    name, notices = _backend_name(options.backend)
    backend_class = _backend_class(name)
    values: Mapping[str, Any] = options.backend_args
    args = backend_class.check_args(values)
    if options.reproducible:
        values, remains = backend_class.reproducible(values)
        args = backend_class.check_args(values)
        notices += remains
    _check_sendable(name, args)
    notices += _on_system_prompt(options, model)
    preset, said = _preset_sampling(options, model, backend_class)
    sampling, n, more = _sampling(options, preset, backend_class)
    notices += [*said, *more]
    require_ks(whole_numbers(options.k), n)
    _require_support(name, backend_class, sampling)
    backend_class.check_sampling(sampling, args)
    _require_installed(name, backend_class)
    _require_model(options.model, model, backend_class, args, options.model_config)
    backend = _backend_config(name, args, args.recorded(values))
    in_flight = options.batch_size or backend_class.default_batch_size
    configs = tuple(_run_config(options, task, model, backend, sampling, n, in_flight) for task in tasks)
    _check_folders_differ(configs)
    engine = Engine(backend_class, args, model, in_flight)
    asks = grade and any(isinstance(scorer_of(task), ModelScorer) for task in tasks)
    return Plan(
        options=options,
        configs=configs,
        engine=engine,
        grade=grade,
        judge=make_judge(options, default=(engine, backend)) if asks else None,
        notices=tuple(notices),
        conditions=conditions(options, model, n=n, tasks=len(tasks), judged=asks),
    )


def make_judge(options: JudgeOptions, default: tuple[Engine, BackendConfig] | None = None) -> Judge:
    """The judge that was asked for.

    Args:
        default: The engine that runs the model itself: the judge's as far as nothing else is said.

    Raises:
        UserError: An unknown model, backend or argument, or no judge at all.
    """
    if options.judge_model is None and default is None:
        raise UserError("the task's scorer asks a model: name it with --judge-model.")
    if options.judge_model is None and options.judge_backend is None and not options.judge_backend_args:
        assert default is not None
        engine, backend = default
        sampling = _judge_sampling(options, engine.backend)
        _require_support(backend.name, engine.backend, sampling)
        engine.backend.check_sampling(sampling, engine.args)
        return Judge(engine.model, backend, sampling, engine)
    if options.judge_model is None:
        raise UserError("--judge-backend and --judge-backend-args belong to --judge-model: name the judge's model.")
    model = load_model(options.judge_model, model_config=options.model_config)
    if options.judge_backend is None and default is not None:
        name, backend_class = default[1].name, default[0].backend
    else:
        name, _ = _backend_name(options.judge_backend)
        backend_class = _backend_class(name)
    args = backend_class.check_args(options.judge_backend_args)
    _check_sendable(name, args)
    sampling = _judge_sampling(options, backend_class)
    _require_support(name, backend_class, sampling)
    backend_class.check_sampling(sampling, args)
    _require_installed(name, backend_class)
    _require_model(options.judge_model, model, backend_class, args, options.model_config)
    engine = Engine(backend_class, args, model, backend_class.default_batch_size)
    return Judge(model, _backend_config(name, args, args.recorded(options.judge_backend_args)), sampling, engine)


def _judge_sampling(options: JudgeOptions, backend_class: type[Backend[Any]]) -> SamplingParams:
    values = {"max_tokens": JUDGE_TOKENS, **options.judge_sampling_params}
    return sampling_params(values, names=backend_class.sampling_names())


def _backend_class(name: str) -> type[Backend[Any]]:
    return catalog.find_part("backend", name, Backend)  # type: ignore[type-abstract]


def _check_mappings(options: Options) -> None:
    for name in ("backend_args", "sampling_params", "task_args", "chat_template_kwargs", *JUDGE_MAPPINGS):
        value = getattr(options, name)
        if value is not None and not isinstance(value, Mapping):
            raise UserError(f"{name} is a dictionary, such as {{'key': 'value'}}, not {type(value).__name__}.")


def _check_plain(options: Options) -> None:
    """Every value can be written down, and is a text where one belongs."""
    for entry in fields(options):
        require_plain(getattr(options, entry.name), f"--{entry.name.replace('_', '-')}")


def _check_texts(options: Options) -> None:
    """Every text with a form of its own has it."""
    check_max_failures(options.max_failures)
    check_form(options.results)
    checked_shard(options)


def _check_numbers(options: Options) -> None:
    bounds = {
        "n": (1, MOST_SAMPLES),
        "batch_size": (1, MOST_IN_FLIGHT),
        "start": (0, MOST_PROBLEMS),
        "end": (-MOST_PROBLEMS, MOST_PROBLEMS),
        "seed": (-(2**63), 2**63 - 1),
    }
    for name, (least, most) in bounds.items():
        value = getattr(options, name)
        if value is None or (name == "n" and value < 1):  # that has a message of its own
            continue
        if not least <= value <= most:
            which = f"{least} or more" if value < least and least in (0, 1) else f"from {least:,} to {most:,}"
            raise UserError(f"--{name.replace('_', '-')} must be {which}, not {shortened(str(value), 60)}.")
    if 0 <= options.end <= options.start:
        raise UserError(
            f"--start {options.start} --end {options.end}: no problem is left between them; --end is the problem to "
            "stop before, and -1 stands for all."
        )


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


def _backend_name(given: str | None) -> tuple[str, list[str]]:
    """The backend that was named, else vLLM or transformers, whichever is installed; that decides, so it is said."""
    if given is not None:
        as_it_is = catalog.is_file_name(given) or given in catalog.entries("backends")
        return given if as_it_is else given.lower(), []
    for name, modules in {"vllm": ("vllm",), "transformers": ("torch", "transformers")}.items():
        if all(importlib.util.find_spec(module) for module in modules):
            return name, [f"backend: {name} (the default where it is installed; --backend chooses another)"]
    raise UserError(
        "no backend is installed for running a model here: `pip install vllm` (GPU) or `pip install torch "
        "transformers`, or give --backend openai with the base_url of an endpoint."
    )


def _on_system_prompt(options: Options, model: ModelConfig) -> list[str]:
    """Nobody should wonder about a system prompt that they did not write."""
    if not model.system_prompt or options.system_prompt is not None or options.system_prompt_name is not None:
        return []
    text = " ".join(model.system_prompt.split())
    shown = text if len(text) <= 60 else text[:57] + "..."
    return [f"system prompt of the preset for {options.model}: {shown!r}; --system-prompt '' switches it off"]


def _preset_sampling(
    options: Options, model: ModelConfig, backend_class: type[Backend[Any]]
) -> tuple[dict[str, Any], list[str]]:
    """What the model's preset samples with, as far as the user says nothing and the backend can; and what to say."""
    given = options.sampling_params
    if given.get("temperature") == 0 or not model.sampling_params:
        return {}, []  # greedy: nothing else of the preset has any effect
    used = {key: value for key, value in model.sampling_params.items() if key not in given}
    names = backend_class.sampling_names()
    missing = sorted(set(used) - names)
    used = {key: value for key, value in used.items() if key in names}
    notices = []
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
    return used, notices


def _sampling(
    options: Options, preset: Mapping[str, Any], backend_class: type[Backend[Any]]
) -> tuple[SamplingParams, int, list[str]]:
    """The user's sampling parameters over the model's, how many samples a problem, and what to say."""
    values = {**preset, **options.sampling_params}
    n = values.pop("n", None)
    if options.n is not None:
        n = options.n
    n = 1 if n is None else n
    if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n <= MOST_SAMPLES:
        raise UserError(f"--n must be a whole number of at least 1 (and at most {MOST_SAMPLES:,}), not {n!r}.")
    asked = values.get("max_tokens")
    sampling = sampling_params(values, as_test=options.as_test, names=backend_class.sampling_names())
    notices = []
    if options.as_test and asked is not None and asked != sampling.max_tokens:
        notices.append(f"--as-test: max_tokens is {sampling.max_tokens}, not the {asked} asked for")
    if n > 1 and sampling.temperature == 0:
        notices.append(
            f"n is 1, not {n}: at temperature 0 all samples of a problem are the same; "
            "for more, set --sampling-params temperature=0.6 or so"
        )
        n = 1
    return sampling, n, notices


def _require_support(name: str, backend_class: type[Backend[Any]], sampling: SamplingParams) -> None:
    names = backend_class.sampling_names()
    missing = sorted(set(sampling.as_dict()) - names)
    if missing:
        raise UserError(
            f"sampling parameter {missing[0]!r} is not supported by backend {name!r}. "
            f"Supported: {', '.join(sorted(names))}."
        )


def _require_installed(name: str, backend_class: type[Backend[Any]]) -> None:
    for module in backend_class.requires:
        if importlib.util.find_spec(module) is None:
            needed = " ".join(backend_class.requires)
            raise UserError(f"backend {name!r} needs the package {module!r}: `pip install {needed}`.")


def _require_model(
    given: str,
    model: ModelConfig,
    backend_class: type[Backend[Any]],
    args: BackendArgs,
    model_config: str | Path | None,
) -> None:
    """Refuse what cannot be a model of this engine. A hub id without an owner may be mistyped."""
    names = model_names(model_config)
    is_sound = "/" in given or given in names or given.startswith(UNOWNED) or Path(given).expanduser().exists()
    if backend_class.weights_files and not is_sound and (near := did_you_mean(given, names)):
        raise UserError(f"--model {given!r}: no folder, no name of the library, and a hub id has an owner.{near}")
    backend_class.check_model(model, args)


def _check_sendable(name: str, args: BackendArgs) -> None:
    """Refuse keys and headers with characters that HTTP cannot carry: a line break, a typographic quote."""
    texts: dict[str, Any] = {}
    for field in type(args).model_fields:
        value = getattr(args, field)
        parts = value.items() if isinstance(value, Mapping) else [("", value)]
        texts |= {f"--backend-args {field} {key}".strip(): part for key, part in parts if isinstance(part, SecretStr)}
    if "api_key" in type(args).model_fields and getattr(args, "api_key", None) is None:
        variable = f"{name.upper()}_API_KEY"
        texts[variable] = SecretStr(os.environ.get(variable, ""))
    for where, secret in texts.items():
        for position, char in enumerate(secret.get_secret_value(), 1):
            if not " " <= char <= "~":
                raise UserError(
                    f"{where}: its character {position} is {char!r}, which cannot be sent; was it copied with a line "
                    "break or a typographic quote?"
                )


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
    batch_size: int,
) -> RunConfig:
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
            "shard": checked_shard(options),
            "batch_size": batch_size,
            "as_test": options.as_test,
            "reproducible": options.reproducible,
        },
        "options",
    )
