"""A run's own record as what is asked for, so that `run.json` makes the same run again, also elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from skythought.config import ModelConfig, RunConfig, TaskConfig, check
from skythought.errors import UserError
from skythought.tasks.load import load_task

__all__ = ["model_of", "options_of", "task_of"]


def options_of(config: RunConfig) -> dict[str, Any]:
    """The options that a run was made with, but for task and model. What the record leaves out (secrets) is not there.

    Prompts that the run had none of are given as empty, which switches those of a preset off.
    """
    model = config.model
    return {
        "backend": config.backend.name,
        "backend_args": dict(config.backend.args),
        "sampling_params": {"temperature": None, "top_p": None, **config.sampling.as_dict()},
        "n": config.n,
        "seed": config.seed,
        "batch_size": config.batch_size,
        "system_prompt": model.system_prompt or "",
        "user_template": model.user_template or "",
        "assistant_prefill": model.assistant_prefill or "",
        "chat_template_kwargs": dict(model.chat_template_kwargs),
        "reproducible": config.reproducible,
        "start": config.start,
        "end": config.end,
        "shard": None if config.shard is None else str(config.shard),
        "as_test": config.as_test,
    }


def model_of(config: RunConfig, model: ModelConfig) -> ModelConfig:
    """The model as the options give it, with what the record says and no option can; sampled with nothing else."""
    update: dict[str, Any] = {"sampling_params": {}}
    if model.model_id == config.model.model_id:
        update["thinking_tags"] = config.model.thinking_tags
    return model.model_copy(update=update)


def task_of(config: RunConfig, overrides: Mapping[str, Any]) -> TaskConfig:
    """The task as it was, whatever its name stands for today; a data file of it that moved is where the task has it.

    Args:
        config: The run's.
        overrides: Fields to replace (`--task-args`).

    Raises:
        UserError: An unknown field, or a wrong value of one.
    """
    task = config.task
    if Path(task.dataset_path).is_absolute() and not Path(task.dataset_path).exists():
        task = task.model_copy(update={"dataset_path": _found(task)})
    if not overrides:
        return task
    unused = {name: value for name, value in overrides.items() if name in task.parameters}
    if unused:
        raise UserError(f"--task-args {next(iter(unused))}: a parameter is set in the task as the run recorded it.")
    return check(TaskConfig, {**task.model_dump(), **overrides}, "--task-args")


def _found(task: TaskConfig) -> str:
    """Where the task of this name has its data on this machine, if it is a file called the same."""
    try:
        here = load_task(task.name).dataset_path
    except UserError:
        return task.dataset_path
    return here if Path(here).name == Path(task.dataset_path).name else task.dataset_path
