"""From a task's `scorer:` to the scorer itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from skythought import catalog
from skythought.config import TaskConfig, check
from skythought.errors import UserError, unknown
from skythought.scorers.base import Scorer

__all__ = ["LEVELS", "make_scorer", "sandboxed", "scorer_of"]

LEVELS = ("auto", "strict")
"""Of the sandbox: every layer that there is, or none but with isolation of network and files."""


def make_scorer(name: str, args: Mapping[str, Any]) -> Scorer:
    """The scorer of this name (see `catalog`) with its arguments.

    Raises:
        UserError: No such scorer, or an unknown or wrong argument.
    """
    if not name:
        raise UserError("the task names no scorer; add `scorer:` to its YAML.")
    # find_part wants a concrete class, which an abstract one is not for mypy.
    cls = catalog.find_part("scorer", name, Scorer)  # type: ignore[type-abstract]
    if not is_dataclass(cls):
        raise UserError(f"scorer {name!r} must be a frozen dataclass: its fields are its arguments.")
    scorer: Scorer = check(cls, args, f"scorer {name!r}")
    return scorer


def scorer_of(task: TaskConfig) -> Scorer:
    """The scorer that a task names. Raises UserError as `make_scorer` does."""
    return make_scorer(task.scorer_name, task.scorer_args)


def sandboxed(task: TaskConfig, level: str) -> TaskConfig:
    """The task with its programs run at this level of the sandbox; a task that runs none stays as it is.

    Raises:
        UserError: No such level; or `strict`, and this machine cannot isolate network and files.
    """
    if level not in LEVELS:
        raise unknown("level for --sandbox", level, LEVELS)
    args = scorer_of(task).sandboxed(task.scorer_args, level)
    if level == "auto" or args == task.scorer_args:
        return task
    task = task.model_copy(update={"scorer": {task.scorer_name: args}})
    scorer_of(task).conditions()
    return task
