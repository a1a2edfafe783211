"""Rows that no template can express, turned into plain ones: one module per layout, named in a task by `format`.

A module has `plain(row) -> row`, which adds or replaces columns and raises `ValueError` for a row that cannot be used,
and may have `FUNCTIONS`, a dictionary of functions that the task's templates, filters and `dataset_kwargs` can call.
A target of test cases is a dictionary, whatever the benchmark: see `skythought.scorers.code.scorer.CodeScorer`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from skythought import catalog
from skythought.config import TaskConfig
from skythought.errors import unknown

__all__ = ["Format", "find_format", "variables"]

Row = dict[str, Any]


@dataclass(frozen=True)
class Format:
    """What a module of this folder offers."""

    plain: Callable[[Row], Row]
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


@cache
def find_format(name: str | None) -> Format:
    """The format of this name; None is the format of rows that are plain already.

    Raises:
        UserError: No such format.
    """
    if name is None:
        return Format(plain=_as_it_is)
    names = catalog.part_names("format")
    if name not in names:
        raise unknown("format", name, names)
    module = importlib.import_module(f"{__name__}.{name}")
    return Format(module.plain, getattr(module, "FUNCTIONS", {}))


def variables(task: TaskConfig, row: Mapping[str, Any]) -> dict[str, Any]:
    """What templates see: a row's columns by name and as `row`, the task's parameters, the format's functions."""
    return {**find_format(task.format).functions, **row, **task.parameters, "row": row}


def _as_it_is(row: Row) -> Row:
    return row
