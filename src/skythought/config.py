"""What a user declares: a task, a model, a backend, sampling parameters, and the run made of them.

All models are frozen and refuse unknown keys, naming the nearest right one. Nothing here touches a dataset, an engine
or the network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from skythought.errors import UserError, did_you_mean
from skythought.types import SamplingParams

__all__ = [
    "COMMON_TAGS",
    "BackendConfig",
    "ModelConfig",
    "RunConfig",
    "TaskConfig",
    "check",
    "is_secretive",
    "sampling_params",
]

AS_TEST_PROBLEMS = 10
AS_TEST_MAX_TOKENS = 2048

COMMON_TAGS: tuple[tuple[str, str], ...] = (
    ("<think>", "</think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("◁think▷", "◁/think▷"),
)
"""Tags in common use: Qwen3, QwQ and DeepSeek-R1; Sky-T1; Claude-like; Gemma; others; Magistral; Seed-OSS; Kimi."""

T = TypeVar("T")


class Declared(BaseModel):
    """Base of everything that a user writes down."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class TaskConfig(Declared):
    """A benchmark: where its rows are, how a row becomes a prompt, how an answer is judged. One YAML file each.

    The names in the first block are the reference's, and its own YAML files load too. `prompt` is a Jinja template;
    `target`, `choices` and each of `filters` are Jinja expressions. All see the columns of the row by name, and the
    whole row as `row` (for names with spaces). docs/tasks.md tells each field with examples.
    """

    name: str = ""
    """Set from the file's name if left out."""
    handler: str | None = None
    """A task type of the reference; fills in what the fields below leave out."""
    dataset_path: str
    """A dataset on the hub, or a local file or folder (jsonl, json, parquet, arrow, csv)."""
    dataset_subset: str | list[str] | None = None
    """A configuration of the dataset, or several that are joined in this order."""
    dataset_split: str | None = None
    dataset_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Passed to `datasets.load_dataset`: revision, data_files, columns, ..."""
    question_key: str | None = None
    answer_key: str | None = None
    templating_parameters: dict[str, str] = Field(default_factory=dict)
    preprocess_config: dict[str, Any] = Field(default_factory=dict)
    """Filters by column value in the reference's manner, e.g. `difficulty: easy`; see docs/tasks.md."""

    description: str = ""
    source: str = ""
    """Where the benchmark comes from: the page of the dataset or paper."""
    version: int = 1
    """Raised when a change alters prompts or verdicts, so that old numbers are recognisable."""
    aliases: list[str] = Field(default_factory=list)
    prompt: str | None = None
    target: str | None = None
    """Of a multiple-choice problem: the index of the right option (from 0), or its letter."""
    choices: str | None = None
    shuffle_choices: bool = False
    """Put the options in an order drawn from a hash of the problem: the same in every run and slice."""
    filters: list[str] = Field(default_factory=list)
    """Rows for which any of these is false are left out."""
    scorer: str | dict[str, dict[str, Any]] = ""
    """A name, `{name: {argument: value}}`, or `path/to/file.py:ClassName`."""
    format: str | None = None
    """A module of `tasks/formats/` that turns an odd row into a plain one before templates see it."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Names with defaults that `--task-args` may set beside the fields here. Templates, filters and (between `{{ }}`)
    texts of `dataset_kwargs` see them."""
    unrecorded: list[str] = Field(default_factory=list)
    """Columns that are not kept once target and prompt are made of them: test cases, reference solutions."""
    solution: str | None = None
    """Jinja expression for a reference solution in the row, a text or a list of them, for `skythought tasks check`."""

    def reference_config(self) -> dict[str, Any]:
        """The nine fields that the reference records of a task, in its order."""
        subset = self.dataset_subset
        return {
            "handler": self.handler or self.scorer_name,
            "dataset_path": self.dataset_path,
            "dataset_subset": ",".join(subset) if isinstance(subset, list) else subset,
            "dataset_split": self.dataset_split,
            "dataset_kwargs": scrubbed(self.dataset_kwargs),
            "question_key": self.question_key,
            "answer_key": self.answer_key,
            "templating_parameters": self.templating_parameters or {"template": self.prompt or ""},
            "preprocess_config": self.preprocess_config,
        }

    @property
    def scorer_name(self) -> str:
        """The scorer's name without its arguments."""
        return self.scorer if isinstance(self.scorer, str) else next(iter(self.scorer), "")

    @property
    def scorer_args(self) -> dict[str, Any]:
        """The scorer's arguments."""
        return {} if isinstance(self.scorer, str) else dict(next(iter(self.scorer.values()), {}) or {})


class ModelConfig(Declared):
    """A model and how it wants to be addressed."""

    model_id: str
    """A hub id, a local path, or what an endpoint calls the model. Resolved: never a nickname."""
    name: str = ""
    """Short name for tables and folders."""
    system_prompt: str | None = None
    user_template: str | None = None
    """Wraps the task's prompt, which replaces `{}`."""
    assistant_prefill: str | None = None
    """Start of the model's turn, which the model continues."""
    thinking_tags: list[tuple[str, str]] | None = None
    """The model's own tags around thinking, opening and closing; None = those in common use."""
    chat_template_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Passed to the model's chat template, e.g. `enable_thinking: false`."""
    path: str | None = None
    """Where the weights are on this machine, if `model_id` is a name of the library (as `tiny` is)."""

    @property
    def tags(self) -> Sequence[tuple[str, str]]:
        """Pairs of opening and closing tags around thinking."""
        return self.thinking_tags or COMMON_TAGS

    @property
    def weights(self) -> str:
        """What an engine loads: the local path if there is one, else the hub id or path given."""
        return self.path or self.model_id


class BackendConfig(Declared):
    """Which engine runs the model, with the arguments as the user gave them (secrets left out)."""

    name: str
    args: dict[str, Any] = Field(default_factory=dict)
    """For the record: all that were given, except secrets."""
    identity: dict[str, Any] = Field(default_factory=dict)
    """The part of `args` that can change answers."""


class RunConfig(Declared):
    """Everything that decides what a run asks and how it is judged: the content of `run.json`."""

    task: TaskConfig
    model: ModelConfig
    backend: BackendConfig
    sampling: SamplingParams
    n: int = Field(default=1, ge=1)
    seed: int = 41
    start: int = Field(default=0, ge=0)
    end: int = -1
    """Exclusive; negative = all. Both count problems after the task's filters."""
    batch_size: int = Field(default=64, ge=1)
    as_test: bool = False

    @property
    def fingerprint(self) -> str:
        """Hash of what changes answers; n, start, end and requests in flight only change how many, or how fast."""
        task = self.record()["task"]
        for name in ("description", "source", "aliases", "scorer", "unrecorded", "solution"):
            task.pop(name)
        for name in ("format", "parameters"):
            if not task[name]:  # a run made before these were known keeps its name
                task.pop(name)
        # A file is the same wherever the project lies; what was read from it is frozen in the run.
        task["dataset_path"] = Path(path).name if Path(path := self.task.dataset_path).is_absolute() else path
        identity = {
            "task": task,
            "model": self.model.model_dump(mode="json", exclude={"name", "path"}),
            "backend": {"name": self.backend.name, "args": self.backend.identity},
            "sampling": self.sampling.as_dict(),
            "seed": self.seed,
            "as_test": self.as_test,
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    def record(self) -> dict[str, Any]:
        """All of it as JSON values, without secrets."""
        record = self.model_dump(mode="json")
        record["task"]["dataset_kwargs"] = scrubbed(record["task"]["dataset_kwargs"])
        return record

    @property
    def folder_name(self) -> str:
        """`{model}_{task}_{6 hex digits}`, as the reference names its folders."""
        model_id = self.model.model_id
        model = self.model.name if model_id.startswith(("/", ".", "~")) else model_id
        return f"{model}_{self.task.name}_{self.fingerprint[:6]}".replace("/", "_")


def check(model: type[T], values: Mapping[str, Any], what: str) -> T:
    """`values` as a validated `model` (a pydantic model or a dataclass of flowing types).

    Raises:
        UserError: one line that names `what`, the key at fault and the nearest right key, or the value and its rule.
    """
    names = known_names(model)
    for key in values:
        if key not in names:
            raise UserError(
                f"{what}: unknown key {key!r}.{did_you_mean(key, names)} Known: {', '.join(sorted(names))}."
            )
    try:
        return TypeAdapter(model).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        hidden = first["type"] == "missing" or is_secretive(place)
        given = "" if hidden else f" (given: {first['input']!r})"
        raise UserError(f"{what}: {place}: {first['msg']}{given}.") from None


def is_secretive(name: str) -> bool:
    """Whether an argument of this name may hold a secret: its value is then neither recorded nor repeated."""
    lowered = name.lower()
    return lowered.endswith(("key", "token", "headers")) or "secret" in lowered or "password" in lowered


def scrubbed(value: Any) -> Any:
    """The value without secrets at any depth: arguments of telling names, and passwords and keys in URLs."""
    if isinstance(value, Mapping):
        return {key: scrubbed(item) for key, item in value.items() if not is_secretive(str(key))}
    if isinstance(value, list | tuple):
        return [scrubbed(item) for item in value]
    if not isinstance(value, str) or "://" not in value:
        return value
    parts = urlsplit(value)
    query = [(key, item) for key, item in parse_qsl(parts.query) if not is_secretive(key)]
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=urlencode(query)))


def known_names(model: type[Any]) -> list[str]:
    """Names of the fields of a pydantic model or dataclass."""
    return list(model.model_fields) if issubclass(model, BaseModel) else [f.name for f in fields(model)]


def sampling_params(values: Mapping[str, Any], *, as_test: bool = False) -> SamplingParams:
    """Sampling parameters over the defaults (temperature 0, top_p 1, max_tokens 32,768).

    A single `stop` string is taken as a list of one. With `as_test`, max_tokens is at most 2,048.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if isinstance(given.get("stop"), str):
        given["stop"] = (given["stop"],)
    if "seed" in given:
        raise UserError("sampling parameters: the seed has an option of its own: --seed N.")
    if as_test:
        given.setdefault("max_tokens", AS_TEST_MAX_TOKENS)
    params = check(SamplingParams, given, "sampling parameters")
    return replace(params, max_tokens=min(params.max_tokens, AS_TEST_MAX_TOKENS)) if as_test else params
