"""What `evaluate` and `generate` take: declared here once, for the command line, Python and the documentation.

Light on purpose: `skythought --help` reads it, and must be instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from skythought.calls import Option

__all__ = ["AskingOptions", "JudgeOptions", "Options", "ScoreOptions"]

Form = Literal["auto", "json", "parquet", "none"]


@dataclass(frozen=True, kw_only=True)
class JudgeOptions:
    """The model that a scorer asks, and how; for tasks whose scorer asks one."""

    judge_model: Annotated[
        str | None, Option("The model that a scorer asks. [default: the model itself]", grading=True)
    ] = None
    judge_backend: Annotated[str | None, Option("The judge's backend. [default: the model's]", grading=True)] = None
    judge_backend_args: Annotated[Mapping[str, Any], Option("Arguments of the judge's backend.", grading=True)] = field(
        default_factory=dict
    )
    judge_sampling_params: Annotated[
        Mapping[str, Any], Option("The judge's sampling parameters. [default: temperature=0]", grading=True)
    ] = field(default_factory=dict)
    model_config: Annotated[
        str | Path | None, Option("A YAML file of model presets that go before the library's.", path=True)
    ] = None


@dataclass(frozen=True, kw_only=True)
class ScoreOptions(JudgeOptions):
    """What `score` takes beside the folder."""

    task: Annotated[
        str | None, Option("The run's task: a name, or a path to a task YAML. [default: as run.json has it]")
    ] = None
    ids: Annotated[str | None, Option("Only these problems: 1,2,3.")] = None
    executor: Annotated[
        str, Option("Where scorers run: local, ray (the nodes of a cluster), or file.py:ClassName.")
    ] = "local"
    ray_address: Annotated[str | None, Option("Of the cluster. [default: the one of this machine]")] = None
    sandbox: Annotated[str, Option("auto, or strict: run no program without isolation of network and files.")] = "auto"
    k: Annotated[
        Sequence[int] | int, Option("Of pass@k, maj@k, ...: 1,5,10. [default: n, and powers of two below]")
    ] = ()
    results: Annotated[Form, Option("Form of the samples that are derived: auto, json, parquet or none.")] = "auto"


@dataclass(frozen=True, kw_only=True)
class AskingOptions:
    """When a run asks less than everything; no part of what a run is, so that it can be resumed without them."""

    until: Annotated[
        str | float | None,
        Option("Stop when accuracy is known this well, e.g. 0.02: at most 2 points off, 95% sure.", grading=True),
    ] = None
    versus: Annotated[
        str | Path | None,
        Option("Stop when it is clear which is better, this or the run in that folder.", grading=True, path=True),
    ] = None
    until_correct: Annotated[
        int | None, Option("Ask each problem one sample after another, until so many are right, or --n are asked.")
    ] = None
    difficulty: Annotated[
        str | Path | None, Option("Ask only problems of medium difficulty in the run in this folder.", path=True)
    ] = None
    pass_rate: Annotated[
        str | None, Option("What medium difficulty is: shares of right answers, lowest:highest. [default: 0.1:0.9]")
    ] = None
    max_total_tokens: Annotated[
        int | None, Option("Ask no more once so many tokens are used, prompts and responses together.")
    ] = None
    max_hours: Annotated[float | None, Option("Ask no more after so many hours.")] = None
    max_cost: Annotated[
        float | None, Option("Ask no more once so much is spent, by the `price` in the model's preset.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Options(AskingOptions, JudgeOptions):
    """Everything that can be asked for; docs/cli.md tells each. Unset ones are None, or what the help says."""

    task: Annotated[
        tuple[str, ...],
        Option("A task's name, or a path to a task YAML; several by commas or repetition. [required]", several=True),
    ]
    model: Annotated[
        str,
        Option("A hub id, a path, or a name of `skythought models`; several as with --task. [required]", several=True),
    ]
    backend: Annotated[
        str | None,
        Option("vllm, ray, openai, transformers, or file.py:ClassName. [default: what is installed]"),
    ] = None
    backend_args: Annotated[Mapping[str, Any], Option("Arguments of the backend: a=1,b=x or a dict.")] = field(
        default_factory=dict
    )
    sampling_params: Annotated[
        Mapping[str, Any],
        Option("Sampling parameters. [default: the model's, else temperature=0,top_p=1,max_tokens=32768]"),
    ] = field(default_factory=dict)
    task_args: Annotated[Mapping[str, Any], Option("Fields of the task to replace, e.g. dataset_path=rows.jsonl.")] = (
        field(default_factory=dict)
    )
    n: Annotated[int | None, Option("Samples a problem. [default: 1]")] = None
    k: Annotated[
        Sequence[int] | int,
        Option("Of pass@k, maj@k, ...: 1,5,10. [default: n, and powers of two below]", grading=True),
    ] = ()
    seed: Annotated[int, Option("Seed of the run; each sample's own is derived from it.")] = 41
    batch_size: Annotated[int | None, Option("Requests in flight at most. [default: 64; vllm: 512; ray: 2048]")] = None
    system_prompt: Annotated[
        str | None, Option("System prompt, or @FILE; an empty one switches a preset off.", escapes=True)
    ] = None
    system_prompt_name: Annotated[str | None, Option("A named one: qwen_cot, prime_rl, skythought, ...")] = None
    user_template: Annotated[str | None, Option("Text around the task's prompt, which replaces {}.", escapes=True)] = (
        None
    )
    assistant_prefill: Annotated[str | None, Option("Start of the model's turn, which it continues.", escapes=True)] = (
        None
    )
    chat_template_kwargs: Annotated[
        Mapping[str, Any] | None, Option("Arguments of the chat template, e.g. enable_thinking=false.")
    ] = None
    max_failures: Annotated[
        str | int | float | None,
        Option("Failed samples that end the run: a number, or a share such as 5%. [default: the first 100]"),
    ] = None
    reproducible: Annotated[bool, Option("float32 and all that the engine has against batch-dependent numbers.")] = (
        False
    )
    result_dir: Annotated[str | Path | None, Option("Where the run folder is made.", path=True)] = None
    results: Annotated[
        Form,
        Option("Form of the samples that are derived: json, parquet, none. [default: json up to 4 GiB]"),
    ] = "auto"
    overwrite: Annotated[bool, Option("Delete what the run folder holds.")] = False
    resume: Annotated[bool, Option("Continue or extend the run if it exists.")] = False
    resume_from: Annotated[str | Path | None, Option("Continue or extend the run in this folder.", path=True)] = None
    start: Annotated[int, Option("First problem, counted after the task's filters.")] = 0
    end: Annotated[int, Option("Problem to stop before; negative = all.")] = -1
    shard: Annotated[
        str | None, Option("Only this part of the problems, e.g. 2/8; `skythought merge` puts the parts together.")
    ] = None
    as_test: Annotated[bool, Option("A trial: 10 problems, at most 2,048 tokens.", grading=True)] = False
    sandbox: Annotated[str, Option("auto, or strict: run no program without isolation of network and files.")] = "auto"
