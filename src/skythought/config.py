"""What a user declares: a task, a model, a backend, sampling parameters, and the run made of them.

All models are frozen and refuse unknown keys, naming the nearest right one. Nothing here touches a dataset, an engine
or the network.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from skythought.errors import UserError, did_you_mean
from skythought.printable import shortened
from skythought.redaction import is_secretive, redacted, scrubbed
from skythought.types import ENGINE_PARAMETERS, SamplingParams, Shard

__all__ = [
    "AS_TEST_PROBLEMS",
    "COMMON_TAGS",
    "MOST_IN_FLIGHT",
    "MOST_PROBLEMS",
    "MOST_SAMPLES",
    "BackendConfig",
    "Declared",
    "FewShot",
    "ModelConfig",
    "Price",
    "RunConfig",
    "TaskConfig",
    "TaskFile",
    "check",
    "check_sampling",
    "is_secretive",
    "sampling_params",
    "scorer_parts",
    "scorer_record",
    "scrubbed",
]

MOST_SAMPLES = 100_000
"""Of one problem."""
MOST_PROBLEMS = 10**12
MOST_IN_FLIGHT = 100_000
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
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
    ("<unused94>thought", "<unused95>"),
    ("<|channel>thought", "<channel|>"),
    ("[unused16]", "[unused17]"),
    ("<longcat_think>", "</longcat_think>"),
    ("<thoughts>", "</thoughts>"),
    ("<Thought>", "</Thought>"),
    ("<reflection>", "</reflection>"),
    ("<scratchpad>", "</scratchpad>"),
)
"""Tags in common use: Qwen3, QwQ and DeepSeek-R1; Sky-T1; Claude-like; Gemma; others; Magistral; Seed-OSS; Kimi;
Command A; Apertus; MedGemma; Gemma 4; Pangu; LongCat; prompts that ask for thinking in tags."""

LATER_FIELDS = ("few_shot", "format", "parameters")
"""Fields of a task that came after its first version: they count in a fingerprint only where they are set, so that
runs made before go on."""

T = TypeVar("T")


class Declared(BaseModel):
    """Base of everything that a user writes down."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class FewShot(Declared):
    """Solved examples that come before the problem. docs/tasks.md tells each field with examples.

    They are the same for every problem and slice, except that a problem is never among its own examples: one more
    example of the same source stands in for it.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    count: int = Field(ge=0)
    """How many examples. 0 = none."""
    answer: str
    """Jinja template of an example's answer; sees the columns of its row, and `target`, `choices` and `letters`."""
    rows: list[dict[str, Any]] | None = None
    """The examples' rows themselves, in the columns of the dataset, instead of another split or file."""
    dataset_path: str | None = None
    """A dataset or file that examples are taken from; the task's own if left out."""
    dataset_subset: str | list[str] | None = None
    """The subset of that dataset; of the task's own dataset the task's if left out."""
    dataset_split: str | None = None
    """The split of that dataset, often `train`, `dev` or `validation`; the task's if left out."""
    dataset_kwargs: dict[str, Any] | None = None
    """Passed to `datasets.load_dataset`; of the task's own dataset the task's if left out."""
    filters: list[str] = Field(default_factory=list)
    """Jinja expressions; rows for which any of these is false are no examples. The task's own filters do not apply."""
    match: str | None = None
    """Jinja expression: examples are those rows for which it has the same value as for the problem, e.g. `subject`."""
    seed: int | None = None
    """Draw the examples by a hash of this number and the row's; None = the first rows in order."""
    as_turns: bool = False
    """Show the examples as turns of a conversation, not as text in front of the problem."""
    separator: str = "\n\n"
    """Text between one example and the next, and before the problem."""
    joint: str = "\n"
    """Text between an example's prompt and its answer."""


class TaskConfig(Declared):
    """A benchmark: where its rows are, how a row becomes a prompt, how an answer is scored. One YAML file each.

    The names in the first block are the reference's, and its own YAML files load too. `prompt` is a Jinja template;
    `target`, `choices` and each of `filters` are Jinja expressions. All see the columns of the row by name, and the
    whole row as `row` (for names with spaces). docs/tasks.md tells each field with examples.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    name: str = ""
    """Set from the file's name if left out."""
    handler: str | None = None
    """A task type of the reference; fills in what the fields below leave out."""
    dataset_path: str
    """A dataset on the hub, or a local file or folder (jsonl, json, parquet, arrow, csv)."""
    dataset_subset: str | list[str] | None = None
    """A configuration of the dataset, or several that are joined in this order."""
    dataset_split: str | None = None
    """The split whose rows are the problems, e.g. `test`."""
    dataset_kwargs: dict[str, Any] = Field(default_factory=dict)
    """As for `datasets.load_dataset`: revision, data_files, columns, streaming, ...; docs/datasets.md tells each."""
    question_key: str | None = None
    """The column of the question, for messages and for the order of shuffled options."""
    answer_key: str | None = None
    """The column of the right answer, for messages and records."""
    templating_parameters: dict[str, str] = Field(default_factory=dict)
    """The reference's `str.format` template, for task files in its format. New tasks: `prompt`."""
    preprocess_config: dict[str, Any] = Field(default_factory=dict)
    """Filters by column value in the reference's manner, e.g. `difficulty: easy`; see docs/tasks.md."""

    description: str = ""
    """One line for people: what the task asks for."""
    source: str = ""
    """Where the benchmark comes from: the page of the dataset or paper."""
    version: int = 1
    """Raised when a change alters prompts or verdicts, so that old numbers are recognisable."""
    aliases: list[str] = Field(default_factory=list)
    """Other names that `--task` takes for it."""
    prompt: str | None = None
    """Jinja template of the user's turn, over the row's columns; with options also `choices` and `letters`."""
    target: str | None = None
    """Jinja expression of the right answer. Of a multiple-choice problem: the index of the right option (from 0), or
    its letter."""
    choices: str | None = None
    """Jinja expression of the list of options, if it is multiple choice."""
    shuffle_choices: bool = False
    """Put the options in an order drawn from a hash of the problem: the same in every run and slice."""
    filters: list[str] = Field(default_factory=list)
    """Jinja expressions; rows for which any of these is false are left out."""
    scorer: str | dict[str, dict[str, Any]] = ""
    """A name, `{name: {argument: value}}`, or `path/to/file.py:ClassName`."""
    format: str | None = None
    """What turns odd rows into plain ones before templates see them: a name, or `path/to/file.py:ClassName`."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Names with defaults that `--task-args` may set beside the fields here. Templates, filters and (between `{{ }}`)
    texts of `dataset_kwargs` see them."""
    unrecorded: list[str] = Field(default_factory=list)
    """Columns that are not kept once target and prompt are made of them: test cases, reference solutions."""
    solution: str | None = None
    """Jinja expression for a reference solution in the row, a text or a list of them, for `skythought tasks check`."""
    few_shot: FewShot | None = None
    """Solved examples that come before the problem."""
    report_by: list[str] | dict[str, str] = Field(default_factory=list)
    """Columns or Jinja expressions to report results by, e.g. `[subject]`, or `{name: expression}`. Where several
    subsets are joined, results are reported by `subset` as well."""
    size: int | None = Field(default=None, ge=1)
    """How many problems the whole task has, after its filters; `skythought tasks check` compares."""

    def reference_config(self) -> dict[str, Any]:
        """The nine fields that the reference records of a task, in its order."""
        subset = self.dataset_subset
        return {
            "handler": self.handler or self.scorer_name,
            "dataset_path": redacted(self.dataset_path),
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
        return scorer_parts(self.scorer)[0]

    @property
    def scorer_args(self) -> dict[str, Any]:
        """The scorer's arguments."""
        return scorer_parts(self.scorer)[1]


class TaskFile(TaskConfig):
    """What a YAML file may say: a whole task, or what is different in it from another."""

    like: str | None = None
    """Another task, by name or by its file's path from here: what this file leaves out is as it is there."""


def scorer_record(scorer: str | Mapping[str, Any]) -> str | dict[str, Any]:
    """A scorer as one writes it down, without secrets among its arguments."""
    name, args = scorer_parts(scorer)
    return scorer if isinstance(scorer, str) else {name: scrubbed(args)}


def scorer_parts(scorer: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of a scorer as one writes it down (a name, or `{name: {argument: value}}`), and its arguments."""
    if isinstance(scorer, str):
        return scorer, {}
    name, args = next(iter(scorer.items()), ("", {}))
    return name, dict(args or {})


class Price(Declared):
    """What an endpoint asks for a million tokens, in whatever currency."""

    input: float = Field(ge=0, allow_inf_nan=False)
    """Of the prompt."""
    output: float = Field(ge=0, allow_inf_nan=False)
    """Of the response, thinking included."""

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What so many tokens cost."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


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
    sampling_params: dict[str, Any] = Field(default_factory=dict)
    """Sampling parameters that its authors recommend: used where the user gives none, and said."""
    price: Price | None = None
    """For budgets in money."""
    path: str | None = None
    """Where the weights are on this machine, if `model_id` is a name of the library (as `tiny` is)."""

    @property
    def identity(self) -> dict[str, Any]:
        """The part that can change answers. What a preset samples with is told by who samples, as far as it is used."""
        return self.model_dump(mode="json", exclude={"name", "path", "price", "sampling_params"})

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


def _gathered(values: Any) -> Any:
    """Sampling parameters as they are recorded, the engine's own among the others, as fields of `SamplingParams`."""
    if not isinstance(values, Mapping):
        return values
    common = {f.name for f in fields(SamplingParams)}
    own = {name: value for name, value in values.items() if name not in common}
    return {name: value for name, value in values.items() if name in common} | ({"engine": own} if own else {})


class RunConfig(Declared):
    """Everything that decides what a run asks and how it is graded: the content of `run.json`."""

    task: TaskConfig
    model: ModelConfig
    backend: BackendConfig
    sampling: Annotated[SamplingParams, BeforeValidator(_gathered)]
    n: int = Field(default=1, ge=1, le=MOST_SAMPLES)
    seed: int = Field(default=41, ge=-(2**63), lt=2**63)
    start: int = Field(default=0, ge=0, le=MOST_PROBLEMS)
    end: int = Field(default=-1, le=MOST_PROBLEMS)
    """Exclusive; negative = all. Both count problems after the task's filters."""
    shard: Shard | None = None
    """The part of the problems that this run asks; None = all."""
    batch_size: int = Field(default=64, ge=1, le=MOST_IN_FLIGHT)
    as_test: bool = False
    reproducible: bool = False
    """For the record: the switches that this set are among the backend's arguments."""

    @property
    def fingerprint(self) -> str:
        """Hash of what changes answers."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()

    @property
    def identity(self) -> dict[str, Any]:
        """What changes answers; n, start, end, shard and requests in flight only change how many, or how fast."""
        task = self.record()["task"]
        for name in ("description", "source", "aliases", "scorer", "report_by", "size", "unrecorded", "solution"):
            task.pop(name)
        for name in LATER_FIELDS:
            if task[name] == TaskConfig.model_fields[name].get_default(call_default_factory=True):
                task.pop(name)
        # A file is the same wherever the project lies; what was read from it is frozen in the run.
        for data in (task, task.get("few_shot") or {}):
            for name in ("dataset_path", "format"):
                if (path := data.get(name)) and Path(path).is_absolute():
                    data[name] = Path(path).name
        return {
            "task": task,
            "model": self.model.identity,
            "backend": {"name": self.backend.name, "args": self.backend.identity},
            "sampling": self.sampling.as_dict(),
            "seed": self.seed,
            "as_test": self.as_test,
        }

    def record(self) -> dict[str, Any]:
        """All of it as JSON values, without secrets."""
        record = self.model_dump(mode="json")
        record["task"]["scorer"] = scorer_record(self.task.scorer)
        record["sampling"] |= record["sampling"].pop("engine")
        for data in (record["task"], record["task"]["few_shot"] or {}):
            data["dataset_kwargs"] = scrubbed(data.get("dataset_kwargs"))
            if data.get("dataset_path"):
                data["dataset_path"] = redacted(data["dataset_path"])
        return record

    @property
    def folder_name(self) -> str:
        """`{model}_{task}_{6 hex digits}`, as the reference names its folders; of a shard with `-2of8` behind."""
        model_id = self.model.model_id
        model = self.model.name if model_id.startswith(("/", ".", "~")) else model_id
        return f"{model}_{self.task.name}_{self.ending}".replace("/", "_")

    @property
    def ending(self) -> str:
        """The end of the folder's name, which tells settings and shard."""
        part = "" if self.shard is None else f"-{self.shard.number}of{self.shard.of}"
        return self.fingerprint[:6] + part


def check(model: type[T], values: Mapping[str, Any], what: str) -> T:
    """`values` as a validated `model` (a pydantic model or a dataclass of flowing types).

    Raises:
        UserError: one line that names `what`, the key at fault and the nearest right key, or the value and its rule.
    """
    names = known_names(model)
    unknown = [key for key in values if key not in names]
    if unknown:
        more = f" Also unknown: {', '.join(map(repr, unknown[1:]))}." if len(unknown) > 1 else ""
        near = did_you_mean(unknown[0], names)
        raise UserError(f"{what}: unknown key {unknown[0]!r}.{near}{more} Known: {', '.join(sorted(names))}.")
    try:
        return TypeAdapter(model).validate_python(dict(values))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        hidden = first["type"] == "missing" or any(is_secretive(str(part)) for part in first["loc"])
        given = "" if hidden else f" (given: {_shown(first)})"
        rule = "Input should be a list" if first["type"] == "tuple_type" else first["msg"]  # YAML has no tuples
        raise UserError(f"{what}: {place}: {rule}{given}.") from None


def _shown(error: Mapping[str, Any]) -> str:
    """The value at fault, shortened. A text in the place of a mapping is not repeated: it may hold a key."""
    value = error["input"]
    is_misplaced = isinstance(value, str) and error["type"] in ("dict_type", "model_type", "mapping_type")
    return "a text" if is_misplaced else shortened(repr(scrubbed(value)), 200)


def known_names(model: type[Any]) -> list[str]:
    """Names of the fields of a pydantic model or dataclass."""
    return list(model.model_fields) if issubclass(model, BaseModel) else [f.name for f in fields(model)]


def sampling_params(values: Mapping[str, Any], *, as_test: bool = False, names: Collection[str] = ()) -> SamplingParams:
    """Sampling parameters over the defaults (temperature 0, top_p 1, max_tokens 32,768).

    None for temperature or top_p means that it is not sent. A single `stop` string is taken as a list of one. With
    `as_test`, max_tokens is at most 2,048.

    Args:
        names: What the backend takes, parameters of its engine's own among them.

    Raises:
        UserError: An unknown name, with the nearest right one, or a wrong value.
    """
    given = {name: value for name, value in values.items() if value is not None or name in ("temperature", "top_p")}
    if isinstance(given.get("stop"), str):
        given["stop"] = (given["stop"],)
    if "seed" in given:
        raise UserError("sampling parameters: the seed has an option of its own: --seed N.")
    if as_test:
        given.setdefault("max_tokens", AS_TEST_MAX_TOKENS)
    params = check_sampling(given, "sampling parameters", names)
    params = replace(params, max_tokens=min(params.max_tokens, AS_TEST_MAX_TOKENS)) if as_test else params
    if params.engine.get("min_tokens", 0) > params.max_tokens:
        least = params.engine["min_tokens"]
        raise UserError(f"sampling parameters: min_tokens is {least}, more than max_tokens ({params.max_tokens}).")
    return params


def check_sampling(values: Mapping[str, Any], where: str, names: Collection[str] = ()) -> SamplingParams:
    """Sampling parameters with names and values checked, the engine's own too, as far as their types are known.

    Raises:
        UserError: As `check`; it begins with `where`.
    """
    common = [name for name in known_names(SamplingParams) if name != "engine"]
    known = {*common, *names, *ENGINE_PARAMETERS}
    for name in values:
        if name not in known:
            near = did_you_mean(str(name), known)
            raise UserError(f"{where}: unknown key {name!r}.{near} Known: {', '.join(sorted(known))}.")
    own = {name: _listed(name, value) for name, value in values.items() if name not in common}
    kinds: Any = {name: (ENGINE_PARAMETERS.get(name, Any), ...) for name in own}
    own = check(create_model("Engine", **kinds), own, where).model_dump(mode="json")
    return check(SamplingParams, {name: values[name] for name in values if name in common} | {"engine": own}, where)


def _listed(name: str, value: Any) -> Any:
    """A single word or number where a list of them is wanted."""
    kind = ENGINE_PARAMETERS.get(name)
    return [value] if kind in (list[int], list[str]) and isinstance(value, str | int) else value
